/* test_fuse.c - nodes that become one stage: the same bits as with every result in memory, the
 * values of the host interpreter, the predicted cycles, and no more of them.
 */
#include "compiler/compile.h"
#include "compiler/interpret.h"
#include "compiler/number.h"
#include "compiler/verify.h"
#include "sim/sim.h"

#include "random_machine.h"
#include "seeded.h"
#include "suite.h"
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- graphs as text ---- */

typedef struct {
    char inputs[2000], constants[4000], nodes[4000], outputs[400];
    int names;
    bool exact; /* nothing so far has a tolerance */
    int depth;  /* of products of floats, which add up in any order beyond one K tile */
} Text;

/* A value of the graph while it is written. */
typedef struct {
    char name[12];
    const char *type;
    int rank, shape[3];
} Value;

static void append(char *to, size_t size, const char *format, ...) {
    size_t used = strlen(to);
    va_list arguments;
    va_start(arguments, format);
    used += (size_t)snprintf(to + used, size - used, "%s", used ? ", " : "");
    used += (size_t)vsnprintf(to + used, size - used, format, arguments);
    va_end(arguments);
    ck_assert_uint_lt(used, size);
}

static Value new_value(Text *t, const char *type, int rank, int a, int b, int c) {
    Value v = {.type = type, .rank = rank, .shape = {a, b, c}};
    snprintf(v.name, sizeof v.name, "v%d", t->names++);
    return v;
}

static void declare(Text *t, const Value *v, bool constant, const char *more) {
    char shape[60] = "";
    for (int i = 0; i < v->rank; i++)
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%d", i ? ", " : "",
                 v->shape[i]);
    if (constant)
        append(t->constants, sizeof t->constants,
               "{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": [%s], %s}", v->name, v->type,
               shape, more);
    else
        append(t->inputs, sizeof t->inputs,
               "{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": [%s]}", v->name, v->type, shape);
}

static Value operand(Text *t, const char *type, int rank, int a, int b, int c, bool constant) {
    Value v = new_value(t, type, rank, a, b, c);
    char random[80];
    bool real = type[0] == 'f';
    snprintf(random, sizeof random, "\"random\": {\"seed\": %d, \"low\": %d, \"high\": %d}",
             t->names, real || !strcmp(type, "uint8") ? 0 : -9, real ? 1 : 9);
    declare(t, &v, constant, random);
    return v;
}

static Value scalar(Text *t, const char *type, int number) {
    Value v = new_value(t, type, 0, 0, 0, 0);
    char data[40];
    snprintf(data, sizeof data, "\"data\": %d", number);
    declare(t, &v, true, data);
    return v;
}

static void node(Text *t, const char *op, const Value *y, const char *attributes, const Value *a,
                 const Value *b, const Value *c) {
    char inputs[60] = "";
    const Value *const in[3] = {a, b, c};
    for (int i = 0; i < 3 && in[i]; i++) append(inputs, sizeof inputs, "\"%s\"", in[i]->name);
    append(t->nodes, sizeof t->nodes,
           "{\"op\": \"%s\", \"inputs\": [%s], \"outputs\": [\"%s\"], \"attributes\": {%s}}", op,
           inputs, y->name, attributes);
}

static void output(Text *t, const Value *v) {
    append(t->outputs, sizeof t->outputs, "\"%s\"", v->name);
}

static char *whole_text(const Text *t) {
    static char text[12000];
    snprintf(text, sizeof text,
             "{\"inputs\": [%s], \"initializers\": [%s], \"nodes\": [%s], \"outputs\": [%s]}",
             t->inputs, t->constants, t->nodes, t->outputs);
    return text;
}

/* ---- random graphs: where rows come from, and what follows ---- */

static Value product(Text *t, const char *type, int batches, int m, int k, int n) {
    const int rank = batches > 1 ? 3 : 2;
    Value a = operand(t, type, rank, batches > 1 ? batches : m, batches > 1 ? m : k, k, false);
    bool batched = batches > 1 && one_in(2);
    Value b =
        operand(t, type, batched ? 3 : 2, batched ? batches : k, batched ? k : n, n, one_in(2));
    Value y = new_value(t, type[0] == 'i' ? "int32" : type, rank, batches > 1 ? batches : m,
                        batches > 1 ? m : n, n);
    node(t, type[0] == 'i' ? "MatMulInteger" : "MatMul", &y, "", &a, &b, NULL);
    if (type[0] == 'i') return y;
    t->exact = false;
    t->depth = !strcmp(type, "float32") ? INT_MAX : k;
    return y;
}

static Value begin(Text *t, int most) {
    static const char *const types[] = {"float32", "float16", "int32", "int8", "uint8", "int16"};
    const int m = pick(1, most / 4), k = pick(1, most), n = pick(1, most);
    t->exact = true;
    switch (pick(0, 4)) {
    case 0:
        return product(t, "int8", one_in(3) ? 3 : 1, m, k, n);
    case 1:
        return product(t, one_in(2) ? "float16" : "float32", one_in(3) ? 3 : 1, m, k, n);
    case 2:
        return operand(t, types[pick(0, 5)], 1, pick(1, 9 * most), 0, 0, false);
    case 3:
        return operand(t, types[pick(0, 5)], 3, pick(1, 3), m, n, false);
    default:
        return operand(t, types[pick(0, 5)], 2, m, n, 0, false);
    }
}

/* Something to meet x: broadcast along rows, columns, both, or as large; known or an input. */
static Value partner(Text *t, const Value *x) {
    Value v = *x;
    for (int i = 0; i < v.rank; i++)
        if (one_in(3)) v.shape[i] = 1;
    return one_in(6) ? scalar(t, x->type, 2)
                     : operand(t, x->type, v.rank, v.shape[0], v.shape[1], v.shape[2], one_in(2));
}

static Value convert(Text *t, const Value *x) {
    static const char *const types[] = {"float32", "float16", "int32", "int8"};
    Value y = new_value(t, types[pick(0, t->exact ? 3 : 1)], x->rank, x->shape[0], x->shape[1],
                        x->shape[2]);
    char to[40];
    snprintf(to, sizeof to, "\"to\": \"%s\"", y.type);
    node(t, "Cast", &y, to, x, NULL, NULL);
    return y;
}

/* One node on x, and perhaps on `before`, which is of the same type and shape. */
static Value follow(Text *t, const Value *x, const Value *before) {
    static const char *const one[] = {"Relu", "Abs", "Neg", "Identity", "Tanh", "Sigmoid"};
    static const char *const two[] = {"Add", "Sub", "Mul", "Min", "Max"};
    const bool real = x->type[0] == 'f', sign = x->type[0] != 'u';
    Value y = new_value(t, x->type, x->rank, x->shape[0], x->shape[1], x->shape[2]), other;
    switch (pick(0, 5)) {
    case 0:
        return convert(t, x);
    case 1: {
        Value low = scalar(t, x->type, 1), high = scalar(t, x->type, 40);
        node(t, "Clip", &y, "", x, &low, &high);
        return y;
    }
    case 2:
        node(t, one[pick(sign ? 0 : 1, real ? 5 : sign ? 3 : 1)], &y, "", x, NULL, NULL);
        return y;
    default:
        other = before && one_in(2) ? *before : partner(t, x);
        if (one_in(2))
            node(t, two[pick(0, 4)], &y, "", x, &other, NULL);
        else
            node(t, two[pick(0, 4)], &y, "", &other, x, NULL);
        return y;
    }
}

static void random_graph(Text *t, int most) {
    Value values[10] = {begin(t, most)};
    const int length = pick(1, 7);
    for (int i = 1; i <= length; i++) {
        const Value *x = &values[i - 1], *before = NULL;
        for (int j = 0; j < i && !before; j++)
            if (!strcmp(values[j].type, x->type) && one_in(2)) before = &values[j];
        values[i] = follow(t, x, before);
        if (i < length && one_in(8)) output(t, &values[i]);
    }
    output(t, &values[length]);
}

/* ---- running ---- */

typedef struct {
    TspGraph g;
    const char *label;
    uint8_t **in;  /* [value]: inputs */
    uint8_t **out; /* [value]: what the program makes of them */
    int64_t cycles;
} Run;

static int32_t find_tensor(const TspProgram *p, const char *name, TspTensorRole role) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role && !strcmp(p->tensors[i].name, name)) return i;
    ck_abort_msg("the program has no tensor %s", name);
    return -1;
}

static void start(Run *r, const Text *t) {
    TspError err;
    const char *text = whole_text(t);
    *r = (Run){.label = text};
    if (!tsp_graph_parse(&r->g, text, strlen(text), "test.json", &err))
        ck_abort_msg("%s: %s", text, err.text);
    r->in = calloc((size_t)r->g.value_count + 1, sizeof *r->in);
    r->out = calloc((size_t)r->g.value_count + 1, sizeof *r->out);
    for (int32_t v = 0; v < r->g.value_count; v++) {
        const TspValue *value = &r->g.values[v];
        const bool real = tsp_dtype_is_float(value->dtype);
        if (!value->is_input) continue;
        r->in[v] = malloc((size_t)tsp_value_bytes(value));
        tsp_random_fill(r->in[v], value->dtype, tsp_value_elements(value), (uint64_t)v,
                        real ? -1 : -9, real ? 1 : 9);
    }
}

static void free_values(const Run *r, uint8_t **values) {
    for (int32_t v = 0; v < r->g.value_count; v++) free(values[v]);
    free(values);
}

static void end(Run *r) {
    free_values(r, r->in);
    free_values(r, r->out);
    tsp_graph_free(&r->g);
}

static void check_times(const Run *r, const TspProgram *p, const TspSim *sim) {
    ck_assert_msg(tsp_sim_stats(sim).cycles == p->predicted_cycles,
                  "%s: predicted %" PRId64 ", simulated %" PRId64, r->label, p->predicted_cycles,
                  tsp_sim_stats(sim).cycles);
    ck_assert_msg(p->bound_cycles <= p->predicted_cycles,
                  "%s: bound %" PRId64 " by %s, takes %" PRId64, r->label, p->bound_cycles,
                  p->bound_by, p->predicted_cycles);
    for (int32_t i = 0; i < p->op_count; i++) {
        const TspInterval t = tsp_sim_op_interval(sim, i);
        ck_assert_msg(t.start == p->ops[i].start && t.end == p->ops[i].end && t.end >= t.start,
                      "%s: %s", r->label, p->ops[i].name);
        ck_assert_msg(p->ops[i].bound <= t.end - t.start, "%s: %s bound %" PRId64 " of %" PRId64,
                      r->label, p->ops[i].name, p->ops[i].bound, t.end - t.start);
    }
}

/* Legal, and as fast as predicted; what it makes is left in out. False if the machine has no room
 * for the graph. */
static bool simulate(Run *r, TspMachine m, bool unfused) {
    TspCompileOptions options = {.unfused = unfused};
    TspProgram p;
    TspError err;
    TspProof proof;
    TspSim *sim;
    if (!tsp_compile(&r->g, &m, &options, &p, &err)) {
        if (err.kind != TSP_ERR_INPUT && err.kind != TSP_ERR_NOT_MODELLED)
            ck_abort_msg("%s: %s", r->label, err.text);
        return false;
    }
    if (!tsp_verify(&p, NULL, &proof, &err)) ck_abort_msg("%s: %s", r->label, err.text);
    if (!(sim = tsp_sim_new(&p, NULL, &err))) ck_abort_msg("%s: %s", r->label, err.text);
    for (int32_t v = 0; v < r->g.value_count; v++)
        if (r->in[v] &&
            !tsp_sim_write_tensor(sim, find_tensor(&p, r->g.values[v].name, TSP_ROLE_INPUT),
                                  r->in[v], &err))
            ck_abort_msg("%s: %s", r->label, err.text);
    if (!tsp_sim_run(sim, &err)) ck_abort_msg("%s: %s", r->label, err.text);
    check_times(r, &p, sim);
    r->cycles = p.predicted_cycles;
    for (int32_t v = 0; v < r->g.value_count; v++) {
        const TspValue *value = &r->g.values[v];
        if (!value->is_output) continue;
        free(r->out[v]);
        r->out[v] = malloc((size_t)tsp_value_bytes(value));
        if (!tsp_sim_read_tensor(sim, find_tensor(&p, value->name, TSP_ROLE_OUTPUT), r->out[v],
                                 &err))
            ck_abort_msg("%s: %s", r->label, err.text);
    }
    tsp_sim_free(sim);
    tsp_program_free(&p);
    return true;
}

static void interpret(const Run *r, const TspMachine *m) {
    TspError err;
    uint8_t **data = calloc((size_t)r->g.value_count + 1, sizeof *data);
    double **tolerance = calloc((size_t)r->g.value_count + 1, sizeof *tolerance);
    for (int32_t v = 0; v < r->g.value_count; v++) data[v] = r->in[v];
    if (!tsp_interpret(&r->g, tsp_lanes(m), data, tolerance, &err))
        ck_abort_msg("%s: %s", r->label, err.text);
    for (int32_t v = 0; v < r->g.value_count; v++) {
        const TspValue *value = &r->g.values[v];
        TspComparison c;
        if (!value->is_output) continue;
        c = tsp_compare(value->dtype, tsp_value_elements(value), data[v], r->out[v], tolerance[v]);
        ck_assert_msg(c.passed, "%s: %s, element %" PRId64 " is off by %g", r->label, value->name,
                      c.first_bad, c.max_abs_err);
    }
    for (int32_t v = 0; v < r->g.value_count; v++) {
        if (!r->in[v]) free(data[v]);
        free(tolerance[v]);
    }
    free(data);
    free(tolerance);
}

/* Cycles with every result in memory, and fused. */
typedef struct {
    int64_t apart, fused;
} Cycles;

/* All of it; no cycles if the graph does not fit the machine. */
static Cycles compare(const Text *t, TspMachine m) {
    Run r;
    Cycles cycles = {0, 0};
    uint8_t **apart;
    start(&r, t);
    apart = calloc((size_t)r.g.value_count + 1, sizeof *apart);
    if (simulate(&r, m, true)) {
        cycles.apart = r.cycles;
        for (int32_t v = 0; v < r.g.value_count; v++) apart[v] = r.out[v], r.out[v] = NULL;
        ck_assert_msg(simulate(&r, m, false), "%s: fits only if it is not fused", r.label);
        cycles.fused = r.cycles;
        for (int32_t v = 0; v < r.g.value_count; v++)
            ck_assert_msg(!apart[v] || t->depth > tsp_lanes(&m) ||
                              !memcmp(apart[v], r.out[v], (size_t)tsp_value_bytes(&r.g.values[v])),
                          "%s: %s is not the same", r.label, r.g.values[v].name);
        interpret(&r, &m);
    }
    free_values(&r, apart);
    end(&r);
    return cycles;
}

static int scaled(int cases) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small") ? (cases + 19) / 20 : cases;
}

typedef void Change(TspMachine *m);

static void random_graphs_on(const char *name, Change *change, int most, int cases) {
    int64_t apart = 0, fused = 0, slower = 0, ran = 0;
    random_start();
    const uint64_t seed = random_bits() >> 8;
    for (int i = 0; i < cases; i++) {
        TspMachine m;
        Text t = {.exact = true};
        Cycles c;
        random_from(seed + (uint64_t)i);
        ck_assert(tsp_machine_builtin(&m, name));
        if (change) change(&m);
        random_graph(&t, most);
        c = compare(&t, m);
        apart += c.apart;
        fused += c.fused;
        slower += c.fused > c.apart;
        ran += c.apart > 0;
    }
    printf("%s: %" PRId64 " of %d graphs, %" PRId64 " cycles fused, %" PRId64
           " apart, slower %" PRId64 "\n",
           name, ran, cases, fused, apart, slower);
    ck_assert_int_ge(ran * 10, cases * 9);
    ck_assert_int_lt(fused * 10, apart * 9);
    ck_assert_int_le(slower * 20, ran);
}

/* int8 rows through a product, back to int8 by scale, bias, Relu: [m, k] x [k, n]. */
static void quantised(Text *t, int m, int k, int n) {
    Value x = product(t, "int8", 1, m, k, n), scale = operand(t, "float32", 1, n, 0, 0, true),
          bias = operand(t, "float32", 1, n, 0, 0, true), low = scalar(t, "float32", 0),
          high = scalar(t, "float32", 127), y;
    static const char *const ops[] = {"Cast", "Mul", "Add", "Relu", "Clip", "Cast"};
    const Value *const second[] = {NULL, &scale, &bias, NULL, &low, NULL};
    for (int i = 0; i < 6; i++) {
        y = new_value(t, i < 5 ? "float32" : "int8", 2, m, n, 0);
        node(t, ops[i], &y,
             i == 0   ? "\"to\": \"float32\""
             : i == 5 ? "\"to\": \"int8\""
                      : "",
             &x, second[i], i == 4 ? &high : NULL);
        x = y;
    }
    output(t, &x);
}

/* `type` rows through a product and Relu, with what streamed added if the product is square. */
static void activated(Text *t, const char *type, int m, int k, int n) {
    Value x = product(t, type, 1, m, k, n), y = x, z = x, a = {.name = "v0"};
    y.name[1] = 'y', z.name[1] = 'z';
    node(t, "Relu", &y, "", &x, NULL, NULL);
    if (k == n) node(t, "Add", &z, "", &a, &y, NULL);
    output(t, k == n ? &z : &y);
}

/* `percent`: cycles of those that it takes through memory, at most; and `most` at all, since the
 * way through memory gets shorter too. */
static void takes_less(Text *t, const char *label, int percent, int64_t most) {
    TspMachine m;
    Cycles c;
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    c = compare(t, m);
    printf("%s: %" PRId64 " cycles fused, %" PRId64 " apart\n", label, c.fused, c.apart);
    ck_assert_int_le(c.fused * 100, c.apart * percent);
    ck_assert_int_le(c.fused, most);
    *t = (Text){.exact = true};
}

/* Shapes of networks: what a way through memory cost. */
START_TEST(known_shapes) {
    Text t = {.exact = true};
    random_start();
    quantised(&t, 64, 320, 320);
    takes_less(&t, "int8 64 x 320 x 320, requantised", 50, 206);
    quantised(&t, 1024, 320, 640);
    takes_less(&t, "int8 1024 x 320 x 640, requantised", 40, 1231);
    activated(&t, "float16", 64, 300, 320);
    takes_less(&t, "fp16 64 x 300 x 320, Relu", 85, 229);
    activated(&t, "float16", 512, 320, 320);
    takes_less(&t, "fp16 512 x 320 x 320, Relu and residual", 88, 922);
    if (scaled(100) < 100) return;
    quantised(&t, 128, 768, 3072);
    takes_less(&t, "int8 128 x 768 x 3072, requantised", 70, 1619);
    activated(&t, "float16", 128, 768, 3072);
    takes_less(&t, "fp16 128 x 768 x 3072, Relu", 100, 4007);
}
END_TEST

/* One product of all batches, and what is added is the same for each: it is cut where its reader
 * is, if the parts fill the planes. */
START_TEST(products_are_cut) {
    for (int rows = 15; rows <= 40; rows += 5) {
        Text t = {.exact = true};
        TspMachine m;
        Value a = operand(&t, "int8", 3, 3, rows, 8, false),
              b = operand(&t, "int8", 2, 8, 12, 0, true),
              x = new_value(&t, "int32", 3, 3, rows, 12),
              c = operand(&t, "int32", 2, rows, 12, 0, true),
              y = new_value(&t, "int32", 3, 3, rows, 12);
        Cycles cycles;
        node(&t, "MatMulInteger", &x, "", &a, &b, NULL);
        node(&t, "Add", &y, "", &x, &c, NULL);
        output(&t, &y);
        ck_assert(tsp_machine_builtin(&m, "tiny"));
        cycles = compare(&t, m);
        if (rows < tsp_lanes(&m))
            ck_assert_int_eq(cycles.fused, cycles.apart);
        else
            ck_assert_int_lt(cycles.fused, cycles.apart);
    }
}
END_TEST

static void neighbours(TspMachine *m) {
    m->vxm_neighbour_only = 1;
}

START_TEST(random_graphs_tsp1) {
    random_graphs_on("tsp1", NULL, 400, scaled(300));
}
END_TEST
START_TEST(random_graphs_tiny) {
    random_graphs_on("tiny", NULL, 40, scaled(600));
}
END_TEST
START_TEST(random_timings) {
    random_graphs_on("tsp1", vary_timings, 100, scaled(200));
}
END_TEST
START_TEST(neighbour_wiring) {
    random_graphs_on("tsp1", neighbours, 100, scaled(100));
}
END_TEST

int main(void) {
    Suite *s = suite_create("fuse");
    TCase *c = tcase_create("fuse");
    tcase_set_timeout(c, 900);
    tcase_add_test(c, known_shapes);
    tcase_add_test(c, products_are_cut);
    tcase_add_test(c, random_graphs_tsp1);
    tcase_add_test(c, random_graphs_tiny);
    tcase_add_test(c, random_timings);
    tcase_add_test(c, neighbour_wiring);
    suite_add_tcase(s, c);
    return run_suite(s);
}
