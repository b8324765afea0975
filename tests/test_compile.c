/* test_compile.c - graphs through compiler and simulator: values against the host interpreter,
 * predicted cycles against simulated cycles, always.
 */
#include "compiler/compile.h"
#include "compiler/interpret.h"
#include "compiler/verify.h"
#include "isa/half.h"
#include "sim/sim.h"

#include "suite.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- random graphs as text ---- */

typedef struct {
    uint64_t state;
} Random;

static uint64_t next(Random *r) {
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static int between(Random *r, int low, int high) {
    return low + (int)(next(r) % (uint64_t)(high - low + 1));
}
static bool coin(Random *r) {
    return next(r) & 1;
}

typedef struct {
    char inputs[2048], constants[2048], nodes[2048];
} Text;

static const char *comma(const char *text) {
    return text[0] ? ", " : "";
}

/* Declares a tensor: an input, or a random initializer. */
static void declare(Text *t, const char *name, const char *dtype, const char *shape, bool constant,
                    double low, double high, uint64_t seed) {
    char *to = constant ? t->constants : t->inputs;
    size_t used = strlen(to);
    int n = snprintf(to + used, sizeof t->inputs - used,
                     "%s{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": %s", comma(to), name,
                     dtype, shape);
    used += (size_t)n;
    if (constant)
        snprintf(to + used, sizeof t->inputs - used,
                 ", \"random\": {\"seed\": %d, \"low\": %g, \"high\": %g}}", (int)(seed % 1000),
                 low, high);
    else
        snprintf(to + used, sizeof t->inputs - used, "}");
}

static void node(Text *t, const char *op, const char *inputs, const char *output,
                 const char *attributes) {
    size_t used = strlen(t->nodes);
    snprintf(t->nodes + used, sizeof t->nodes - used,
             "%s{\"op\": \"%s\", \"inputs\": [%s], \"outputs\": [\"%s\"], \"attributes\": {%s}}",
             comma(t->nodes), op, inputs, output, attributes);
}

static void load(Text *t, TspGraph *g, const char *name) {
    static char text[8192];
    TspError err;
    snprintf(text, sizeof text,
             "{\"name\": \"%s\", \"inputs\": [%s], \"initializers\": [%s], \"nodes\": [%s], "
             "\"outputs\": [\"C\"]}",
             name, t->inputs, t->constants, t->nodes);
    if (!tsp_graph_parse(g, text, strlen(text), "test.json", &err))
        ck_abort_msg("%s: %s\n%s", name, err.text, text);
}

/* ---- one graph, all the way ---- */

static double low_of(TspDtype t) {
    return t == TSP_U8 || t == TSP_BOOL   ? 0
           : t == TSP_I8                  ? -128
           : t == TSP_F16 || t == TSP_F32 ? -1
                                          : -1000;
}
static double high_of(TspDtype t) {
    return t == TSP_U8                                     ? 255
           : t == TSP_I8                                   ? 127
           : t == TSP_F16 || t == TSP_F32 || t == TSP_BOOL ? 1
                                                           : 1000;
}

typedef struct {
    TspSimStats stats;
    int64_t predicted, macs;
    size_t file_bytes, data_bytes;
} Outcome;

static int32_t find_tensor(const TspProgram *p, const char *name, TspTensorRole role) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role && !strcmp(p->tensors[i].name, name)) return i;
    ck_abort_msg("the program has no tensor %s", name);
    return -1;
}

/* C = A x B on a few rows, the first and last of each block among them, by plain loops. */
static void check_sampled_rows(const TspGraph *g, const TspProgram *p, TspSim *sim,
                               uint8_t *const *data, const char *label) {
    const TspValue *a = NULL, *b = NULL;
    const uint8_t *left = NULL;
    int32_t c = find_tensor(p, "C", TSP_ROLE_OUTPUT);
    uint8_t *got = malloc((size_t)tsp_tensor_bytes(&p->tensors[c]));
    TspError err;
    for (int32_t v = 0; v < g->value_count; v++) {
        if (!strcmp(g->values[v].name, "A")) a = &g->values[v], left = data[v];
        if (!strcmp(g->values[v].name, "B")) b = &g->values[v];
    }
    if (!tsp_sim_read_tensor(sim, c, got, &err)) ck_abort_msg("%s: output: %s", label, err.text);
    for (int64_t row = 0; row < a->shape[0]; row += row % 576 == 0 ? 575 : 1)
        for (int64_t n = 0; n < b->shape[1]; n++) {
            int64_t depth = a->shape[1], width = b->shape[1];
            double sum = 0, most = 0;
            for (int64_t k = 0; k < depth; k++) {
                double x, y;
                if (a->dtype == TSP_I8) {
                    x = (int8_t)left[row * depth + k], y = (int8_t)b->data[k * width + n];
                } else {
                    uint16_t h[2];
                    memcpy(&h[0], left + 2 * (row * depth + k), 2);
                    memcpy(&h[1], b->data + 2 * (k * width + n), 2);
                    x = (double)tsp_half_to_float(h[0]), y = (double)tsp_half_to_float(h[1]);
                }
                sum += x * y;
                most += x * y < 0 ? -x * y : x * y;
            }
            if (a->dtype == TSP_I8) {
                int32_t value;
                memcpy(&value, got + 4 * (row * width + n), 4);
                if (value != (int32_t)sum)
                    ck_abort_msg("%s: row %d, column %d", label, (int)row, (int)n);
            } else { /* half a unit of the half, and 13 tiles added in fp32 */
                uint16_t half;
                double value,
                    allowed = (sum < 0 ? -sum : sum) * 0x1p-11 + most * 13 * 0x1p-24 + 0x1p-25;
                memcpy(&half, got + 2 * (row * width + n), 2);
                value = (double)tsp_half_to_float(half);
                if (!(value - sum <= allowed && sum - value <= allowed))
                    ck_abort_msg("%s: row %d, column %d: %g, want %g", label, (int)row, (int)n,
                                 value, sum);
            }
        }
    free(got);
}

/* Compiles, verifies, simulates; compares every output with the interpreter, or
 * without `values` sampled rows with plain loops. Fails the test with `label` on any difference. */
static Outcome run_graph(const TspGraph *g, TspMachine m, const char *label, bool values) {
    TspProgram p;
    TspError err;
    TspProof proof;
    TspSim *sim;
    Outcome o;
    uint8_t **data = calloc((size_t)g->value_count, sizeof *data);
    double **tolerance = calloc((size_t)g->value_count, sizeof *tolerance);
    if (!tsp_compile(g, &m, NULL, &p, &err)) ck_abort_msg("%s: compile: %s", label, err.text);
    if (!tsp_verify(&p, NULL, &proof, &err)) ck_abort_msg("%s: verify: %s", label, err.text);
    sim = tsp_sim_new(&p, NULL, &err);
    if (!sim) ck_abort_msg("%s: load: %s", label, err.text);
    for (int32_t v = 0; v < g->value_count; v++) {
        const TspValue *value = &g->values[v];
        if (!value->is_input) continue;
        data[v] = malloc((size_t)tsp_value_bytes(value));
        tsp_random_fill(data[v], value->dtype, tsp_value_elements(value), 77 + (uint64_t)v,
                        low_of(value->dtype), high_of(value->dtype));
        if (!tsp_sim_write_tensor(sim, find_tensor(&p, value->name, TSP_ROLE_INPUT), data[v], &err))
            ck_abort_msg("%s: input: %s", label, err.text);
    }
    if (!tsp_sim_run(sim, &err)) ck_abort_msg("%s: run: %s", label, err.text);
    o = (Outcome){.stats = tsp_sim_stats(sim), .predicted = p.predicted_cycles, .macs = p.macs};
    if (o.stats.cycles != p.predicted_cycles)
        ck_abort_msg("%s: predicted %" PRId64 " cycles, simulated %" PRId64, label,
                     p.predicted_cycles, o.stats.cycles);
    if (p.bound_cycles > o.stats.cycles)
        ck_abort_msg("%s: bound %" PRId64 " by %s, yet simulated %" PRId64, label, p.bound_cycles,
                     p.bound_by, o.stats.cycles);
    for (int32_t i = 0; i < p.op_count; i++) {
        TspInterval t = tsp_sim_op_interval(sim, i);
        if (t.start != p.ops[i].start || t.end != p.ops[i].end)
            ck_abort_msg("%s: op %s predicted %" PRId64 "..%" PRId64 ", simulated %" PRId64
                         "..%" PRId64,
                         label, p.ops[i].name, p.ops[i].start, p.ops[i].end, t.start, t.end);
    }
    if (values && !tsp_interpret(g, tsp_lanes(&m), data, tolerance, &err))
        ck_abort_msg("%s: interpret: %s", label, err.text);
    if (!values) check_sampled_rows(g, &p, sim, data, label);
    for (int32_t v = 0; v < g->value_count && values; v++) {
        const TspValue *value = &g->values[v];
        uint8_t *got;
        TspComparison c;
        if (!value->is_output) continue;
        got = malloc((size_t)tsp_value_bytes(value));
        if (!tsp_sim_read_tensor(sim, find_tensor(&p, value->name, TSP_ROLE_OUTPUT), got, &err))
            ck_abort_msg("%s: output: %s", label, err.text);
        c = tsp_compare(value->dtype, tsp_value_elements(value), data[v], got, tolerance[v]);
        if (!c.passed)
            ck_abort_msg("%s: %s differs first at element %" PRId64 ", greatest error %g", label,
                         value->name, c.first_bad, c.max_abs_err);
        free(got);
    }
    for (int32_t v = 0; v < g->value_count; v++) {
        free(data[v]);
        free(tolerance[v]);
    }
    {
        uint8_t *bytes = tsp_program_bytes(&p, &o.file_bytes);
        ck_assert_ptr_nonnull(bytes);
        free(bytes);
    }
    o.data_bytes = 0;
    for (int32_t i = 0; i < p.tensor_count; i++)
        if (p.tensors[i].data) o.data_bytes += (size_t)tsp_tensor_bytes(&p.tensors[i]);
    free(data);
    free(tolerance);
    tsp_sim_free(sim);
    tsp_program_free(&p);
    return o;
}

static TspMachine builtin(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

/* The suite is run under sanitizers too, with fewer cases. */
static int scaled(int cases) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small") ? (cases + 19) / 20 : cases;
}

/* TSP_TEST_SEED chooses other cases. */
static uint64_t seeded(uint64_t seed) {
    const char *text = getenv("TSP_TEST_SEED");
    return text ? strtoull(text, NULL, 0) : seed;
}

/* ---- tests ---- */

static int dimension(Random *r, int most) {
    switch (between(r, 0, 3)) {
    case 0:
        return between(r, 1, most < 40 ? most : 40);
    case 1:
        return between(r, 1, most < 330 ? most : 330);
    case 2:
        return 64 * between(r, 1, most / 64 > 0 ? most / 64 : 1) % most + 1;
    default:
        return between(r, 1, most);
    }
}

static void random_product(Random *r, Text *t, int most, char *label, size_t size) {
    static const char *const types[] = {"int8", "uint8", "float16", "float32"};
    int m = dimension(r, most), k = dimension(r, most), n = dimension(r, most);
    const char *type = types[between(r, 0, 3)];
    bool integer = strstr(type, "int") != NULL;
    char a[64], b[64];
    snprintf(a, sizeof a, "[%d, %d]", m, k);
    snprintf(b, sizeof b, "[%d, %d]", k, n);
    snprintf(label, size, "%s %d x %d x %d", type, m, k, n);
    declare(t, "A", type, a, false, 0, 0, 0);
    declare(t, "B", type, b, coin(r), integer ? (type[0] == 'u' ? 0 : -128) : -1,
            integer ? (type[0] == 'u' ? 255 : 127) : 1, next(r));
    node(t, integer ? "MatMulInteger" : "MatMul", "\"A\", \"B\"", "C", "");
}

START_TEST(random_products) {
    uint64_t seed = seeded(20260722);
    int cases = scaled(200);
    printf("random products: seed %" PRIu64 ", %d cases\n", seed, cases);
    for (int i = 0; i < cases; i++) {
        Random r = {seed + (uint64_t)i};
        Text t = {{0}, {0}, {0}};
        TspGraph g;
        char label[96];
        random_product(&r, &t, scaled(200) == 200 ? 1500 : 400, label, sizeof label);
        load(&t, &g, label);
        run_graph(&g, builtin("tsp1"), label, true);
        tsp_graph_free(&g);
    }
}
END_TEST

typedef void MakeGraph(Random *r, Text *t, int most, char *label, size_t size);

static void shape_text(char *text, size_t size, int rank, const int *shape) {
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%d", i ? ", " : "", shape[i]);
    snprintf(text + used, size - used, "]");
}

/* Zero points, Gemm, batches, vectors, computed weights, broadcasting, casts. */
static void random_graph(Random *r, Text *t, int most, char *label, size_t size) {
    int m = dimension(r, most), k = dimension(r, most), n = dimension(r, most),
        batch = between(r, 1, 3);
    char a[64], b[64], c[64], attributes[160];
    int kind = between(r, 0, 5);
    const char *type = coin(r) ? "float16" : "float32";
    snprintf(label, size, "kind %d, %d x %d x %d", kind, m, k, n);
    switch (kind) {
    case 0: { /* zero points */
        bool ua = coin(r), ub = coin(r), many_a = coin(r), many_b = coin(r);
        shape_text(a, sizeof a, 2, (int[]){m, k});
        shape_text(b, sizeof b, 2, (int[]){k, n});
        declare(t, "A", ua ? "uint8" : "int8", a, false, 0, 0, 0);
        declare(t, "B", ub ? "uint8" : "int8", b, coin(r), ub ? 0 : -128, ub ? 255 : 127, next(r));
        shape_text(a, sizeof a, many_a, &m);
        shape_text(b, sizeof b, many_b, &n);
        declare(t, "za", ua ? "uint8" : "int8", a, true, ua ? 0 : -128, ua ? 255 : 127, next(r));
        declare(t, "zb", ub ? "uint8" : "int8", b, true, ub ? 0 : -128, ub ? 255 : 127, next(r));
        node(t, "MatMulInteger", "\"A\", \"B\", \"za\", \"zb\"", "C", "");
        return;
    }
    case 1: { /* Gemm */
        bool ta = coin(r), tb = coin(r);
        int which = between(r, 0, 4);
        if (which == 3) n = k;
        shape_text(a, sizeof a, 2, ta ? (int[]){k, m} : (int[]){m, k});
        shape_text(b, sizeof b, 2, tb ? (int[]){n, k} : (int[]){k, n});
        shape_text(c, sizeof c, which == 0 || which == 4 ? 1 : 2,
                   ((int[][2]){{n, 0}, {1, n}, {m, 1}, {m, n}, {1, 0}})[which]);
        declare(t, "A", type, a, false, 0, 0, 0);
        declare(t, "B", type, b, coin(r), -1, 1, next(r));
        declare(t, "D", type, c, coin(r), -1, 1, next(r));
        snprintf(attributes, sizeof attributes,
                 "\"alpha\": %s, \"beta\": %s, \"transA\": %d, \"transB\": %d",
                 coin(r) ? "1.0" : "0.5", coin(r) ? "1.0" : "-0.25", ta, tb);
        node(t, "Gemm",
             !ta && which == 3 && n == k ? "\"A\", \"B\", \"A\"" /* what streams is added, too */
             : coin(r)                   ? "\"A\", \"B\", \"D\""
                                         : "\"A\", \"B\"",
             "C", attributes);
        return;
    }
    case 2: { /* batches */
        int which = between(r, 0, 4);
        m = m % (most < 100 ? 25 : 100) + 1;
        shape_text(a, sizeof a,
                   which == 2   ? 2
                   : which >= 3 ? 4
                                : 3,
                   which == 2   ? (int[]){m, k}
                   : which == 3 ? (int[]){2, batch, m, k}
                   : which == 4 ? (int[]){2, 1, m, k}
                                : (int[]){batch, m, k});
        shape_text(b, sizeof b, which == 1 ? 2 : 3,
                   which == 1 ? (int[]){k, n} : (int[]){batch, k, n});
        type = coin(r) ? "int8" : type;
        declare(t, "A", type, a, false, 0, 0, 0);
        declare(t, "B", type, b, false, 0, 0, 0);
        node(t, type[0] == 'i' ? "MatMulInteger" : "MatMul", "\"A\", \"B\"", "C", "");
        return;
    }
    case 3: { /* vectors */
        int which = between(r, 0, 4);
        type = coin(r) ? "int8" : type;
        m = m % 200 + 1;
        shape_text(a, sizeof a,
                   which == 0 || which >= 3 ? 1
                   : which == 1             ? 2
                                            : 3,
                   which == 1   ? (int[]){m, k}
                   : which == 2 ? (int[]){batch, m, k}
                                : (int[]){k, 0});
        shape_text(b, sizeof b,
                   which == 0   ? 2
                   : which == 4 ? 3
                                : 1,
                   which == 4 ? (int[]){batch, k, n} : (int[]){k, n});
        declare(t, "A", type, a, false, 0, 0, 0);
        declare(t, "B", type, b, false, 0, 0, 0);
        node(t, type[0] == 'i' ? "MatMulInteger" : "MatMul", "\"A\", \"B\"", "C", "");
        return;
    }
    case 4: { /* computed weights, used both ways round, and what follows a product */
        type = coin(r) ? "int8" : type;
        m = m % 150 + 1, k = k % 150 + 1, n = n % 150 + 1;
        shape_text(a, sizeof a, 2, (int[]){m, k});
        shape_text(b, sizeof b, 2, (int[]){k, n});
        shape_text(c, sizeof c, 2, (int[]){coin(r) ? k : 1, coin(r) ? n : 1});
        declare(t, "A", type, a, false, 0, 0, 0);
        declare(t, "X", type, b, false, 0, 0, 0);
        declare(t, "Y", type, c, coin(r), -1, 1, next(r));
        node(t, "Add", "\"X\", \"Y\"", "B", "");
        node(t, type[0] == 'i' ? "MatMulInteger" : "MatMul", "\"A\", \"B\"", "P", "");
        node(t, "Relu", "\"P\"", "Q", "");
        node(t, "Cast", "\"Q\"", "C", coin(r) ? "\"to\": \"float32\"" : "\"to\": \"float16\"");
        return;
    }
    default: { /* element-wise with broadcasting */
        static const char *const types[] = {"int8",    "uint8",   "int16", "int32",
                                            "float16", "float32", "bool"};
        static const char *const ops[] = {"Add", "Sub", "Mul"};
        int rank = between(r, 0, 4), shape[4], other[4],
            cut = rank && coin(r) ? between(r, 0, rank) : 0;
        for (int i = 0; i < rank; i++) {
            shape[i] = coin(r) ? 1 : between(r, 1, i == rank - 1 ? most / 3 + 1 : 9);
            other[i] = coin(r) ? 1 : shape[i];
        }
        type = types[between(r, 0, 5)];
        shape_text(a, sizeof a, rank, shape);
        shape_text(b, sizeof b, rank - cut, other + cut);
        declare(t, "A", type, a, false, 0, 0, 0);
        declare(t, "B", type, b, coin(r), 0, 50, next(r));
        node(t, ops[between(r, 0, 2)],
             coin(r)   ? "\"A\", \"B\""
             : coin(r) ? "\"B\", \"A\""
                       : "\"A\", \"A\"",
             "T", "");
        snprintf(attributes, sizeof attributes, "\"to\": \"%s\"", types[between(r, 0, 6)]);
        node(t, "Cast", "\"T\"", "C", attributes);
        snprintf(label, size, "elementwise %s %s with %s", type, a, b);
        return;
    }
    }
}

/* One node of any other element-wise operator, on a type that it takes; perhaps a sum of all
 * elements, which shows when lanes without elements are not zero. */
static void random_operator(Random *r, Text *t, int most, char *label, size_t size) {
    static const char *const numbers[] = {"float16", "float32", "int8", "int16", "int32", "uint8"};
    static const struct {
        const char *op, *attributes;
        int inputs, types; /* types: the first so many of numbers; 0 bool, -1 uint8 */
    } kinds[] = {{"Neg", "", 1, 5},
                 {"Abs", "", 1, 6},
                 {"Min", "", 2, 6},
                 {"Max", "", 2, 6},
                 {"Identity", "", 1, 6},
                 {"Identity", "", 1, 0},
                 {"Equal", "", 2, 6},
                 {"Equal", "", 2, 0},
                 {"Greater", "", 2, 6},
                 {"Less", "", 2, 6},
                 {"GreaterOrEqual", "", 2, 6},
                 {"LessOrEqual", "", 2, 6},
                 {"And", "", 2, 0},
                 {"Or", "", 2, 0},
                 {"Xor", "", 2, 0},
                 {"Not", "", 1, 0},
                 {"BitShift", "\"direction\": \"LEFT\"", 2, -1},
                 {"BitShift", "\"direction\": \"RIGHT\"", 2, -1},
                 {"Tanh", "", 1, 2},
                 {"Exp", "", 1, 2},
                 {"Sigmoid", "", 1, 2},
                 {"Sqrt", "", 1, 2},
                 {"LeakyRelu", "", 1, 2},
                 {"LeakyRelu", "\"alpha\": -0.3", 1, 2},
                 {"Clip", "", 3, 6},
                 {"Where", "", 3, 6},
                 {"Where", "", 3, 0}};
    int kind = between(r, 0, (int)(sizeof kinds / sizeof kinds[0]) - 1), rank = between(r, 0, 3);
    int shape[3], other[3], inputs = kinds[kind].inputs, types = kinds[kind].types;
    const char *op = kinds[kind].op, *type = types ? "uint8" : "bool", *names;
    bool sum = rank > 0 && coin(r), clip = strcmp(op, "Clip") == 0,
         where = strcmp(op, "Where") == 0;
    char a[64], b[64];
    if (types > 0) type = numbers[between(r, 0, types - 1)];
    for (int i = 0; i < rank; i++) {
        shape[i] = between(r, 0, 3) ? between(r, 2, i == rank - 1 ? most : 9) : 1;
        other[i] = coin(r) ? 1 : shape[i];
    }
    shape_text(a, sizeof a, rank, shape);
    shape_text(b, sizeof b, clip ? 0 : rank, coin(r) ? shape : other);
    declare(t, "A", type, a, false, 0, 0, 0);
    if (inputs > 1) declare(t, "B", type, b, clip || coin(r), 0, types ? 9 : 1, next(r));
    if (clip) declare(t, "D", type, "[]", true, 2, 9, next(r));
    if (where) declare(t, "D", "bool", coin(r) ? a : b, coin(r), 0, 1, next(r));
    names = inputs == 1 ? "\"A\""
            : clip      ? (coin(r)   ? "\"A\", \"B\", \"D\""
                           : coin(r) ? "\"A\", \"\", \"D\""
                                     : "\"A\", \"B\"")
            : where     ? (coin(r)            ? "\"D\", \"A\", \"B\""
                           : types || coin(r) ? "\"D\", \"B\", \"B\""
                                              : "\"A\", \"B\", \"A\"")
            : coin(r)   ? "\"A\", \"B\""
            : coin(r)   ? "\"B\", \"A\""
                        : "\"A\", \"A\"";
    sum &= strcmp(a, b) == 0 || inputs == 1 || clip;
    node(t, op, names, sum ? "T" : "C", kinds[kind].attributes);
    if (sum) {
        node(t, "Cast", "\"T\"", "U", "\"to\": \"int32\"");
        node(t, "ReduceSum", "\"U\"", "C", "");
    }
    snprintf(label, size, "%s of %s %s with %s%s", op, type, a, b, sum ? ", added up" : "");
}

/* Several ops one after the other, some results used twice, some also outputs. */
static void random_chain(Random *r, Text *t, int most, char *label, size_t size) {
    static const char *const types[] = {"int8", "float16", "float32"};
    static const char *const ops[] = {"Add", "Sub", "Mul"};
    const char *type = types[between(r, 0, 2)];
    int length = between(r, 2, 6), rows = dimension(r, most) % 120 + 1,
        cols = dimension(r, most) % 200 + 1;
    char shape[64], inputs[96], last[16] = "A", out[16];
    snprintf(label, size, "chain of %d ops on %s, %d x %d", length, type, rows, cols);
    shape_text(shape, sizeof shape, 2, (int[]){rows, cols});
    declare(t, "A", type, shape, false, 0, 0, 0);
    for (int i = 0; i < length; i++) {
        char weights[16];
        snprintf(weights, sizeof weights, "W%d", i);
        if (i == length - 1)
            strcpy(out, "C");
        else
            snprintf(out, sizeof out, "T%d", i);
        switch (between(r, 0, 3)) {
        case 0: { /* a product, brought back to the type */
            int n = dimension(r, most) % 200 + 1;
            bool integer = type[0] == 'i', square = !integer && rows == cols;
            char product[16];
            if (integer)
                snprintf(product, sizeof product, "P%d", i);
            else
                snprintf(product, sizeof product, "%s", out);
            shape_text(shape, sizeof shape, 2, (int[]){cols, n});
            if (!square) declare(t, weights, type, shape, coin(r), -1, 1, next(r));
            snprintf(inputs, sizeof inputs, "\"%s\", \"%s\"", last, square ? last : weights);
            node(t, integer ? "MatMulInteger" : "MatMul", inputs, product, "");
            if (integer) {
                snprintf(inputs, sizeof inputs, "\"%s\"", product);
                node(t, "Cast", inputs, out, "\"to\": \"int8\"");
            }
            cols = square ? cols : n;
            break;
        }
        case 1:
            snprintf(inputs, sizeof inputs, "\"%s\"", last);
            node(t, "Relu", inputs, out, "");
            break;
        case 2: /* with itself, or with a computed column */
            snprintf(inputs, sizeof inputs, "\"%s\", \"%s\"", last, last);
            node(t, ops[between(r, 0, 2)], inputs, out, "");
            break;
        default:
            shape_text(shape, sizeof shape, 2, (int[]){coin(r) ? rows : 1, coin(r) ? cols : 1});
            declare(t, weights, type, shape, coin(r), -1, 1, next(r));
            snprintf(inputs, sizeof inputs, "\"%s\", \"%s\"", weights, last);
            node(t, ops[between(r, 0, 2)], inputs, out, "");
        }
        strcpy(last, out);
    }
}

static void random_graph_or_chain(Random *r, Text *t, int most, char *label, size_t size) {
    (between(r, 0, 3) ? random_graph : random_chain)(r, t, most, label, size);
}

static void random_graphs_on(const char *machine, MakeGraph *make, int most, int cases,
                             uint64_t seed) {
    seed = seeded(seed);
    printf("random graphs on %s: seed %" PRIu64 ", %d cases\n", machine, seed, cases);
    for (int i = 0; i < cases; i++) {
        Random r = {seed + (uint64_t)i};
        Text t = {{0}, {0}, {0}};
        TspGraph g;
        char label[200], full[256];
        make(&r, &t, most, label, sizeof label);
        load(&t, &g, "random");
        snprintf(full, sizeof full, "%s case %d: %s", machine, i, label);
        run_graph(&g, builtin(machine), full, true);
        tsp_graph_free(&g);
    }
}

START_TEST(random_graphs_tsp1) {
    random_graphs_on("tsp1", random_graph_or_chain, 500, scaled(200), 4711);
}
END_TEST
START_TEST(random_graphs_tiny) {
    random_graphs_on("tiny", random_graph_or_chain, 60, scaled(400), 815);
}
END_TEST
START_TEST(random_operators_tsp1) {
    random_graphs_on("tsp1", random_operator, 700, scaled(200), 1009);
}
END_TEST
START_TEST(random_operators_tiny) {
    random_graphs_on("tiny", random_operator, 60, scaled(400), 2003);
}
END_TEST

/* Graphs that once went wrong: sharing, independence, infinities next to padding. */
START_TEST(special_graphs) {
    Text t = {{0}, {0}, {0}};
    TspGraph g;
    declare(&t, "X", "float16", "[1, 320]", false, 0, 0, 0);
    for (int i = 0; i < 20; i++) { /* independent nodes: the bound may not round each up */
        char out[16];
        snprintf(out, sizeof out, i ? "R%d" : "C", i);
        node(&t, "Relu", "\"X\"", out, "");
    }
    load(&t, &g, "relus");
    run_graph(&g, builtin("tsp1"), "independent Relus", true);
    tsp_graph_free(&g);
    t = (Text){{0}, {0}, {0}};
    declare(&t, "X", "float16", "[4, 320]", false, 0, 0, 0);
    declare(&t, "W", "float16", "[320, 320]", true, -1, 1, 5);
    for (int i = 0; i < 12; i++) { /* weights loaded once for all */
        char out[16];
        snprintf(out, sizeof out, i ? "P%d" : "C", i);
        node(&t, "MatMul", "\"X\", \"W\"", out, "");
    }
    load(&t, &g, "shared");
    run_graph(&g, builtin("tsp1"), "shared weights", true);
    tsp_graph_free(&g);
    t = (Text){{0}, {0}, {0}};
    declare(&t, "A", "float16", "[2564, 321]", false, 0, 0, 0);
    declare(&t, "B", "float16", "[321, 1]", false, 0, 0, 0);
    node(&t, "MatMul", "\"A\", \"B\"", "C", ""); /* blocks of 641 rows, accumulators for 640 */
    load(&t, &g, "tall");
    run_graph(&g, builtin("tsp1"), "blocks that jobs do not divide", true);
    tsp_graph_free(&g);
    t = (Text){{0}, {0}, {0}};
    strcpy(t.constants,
           "{\"name\": \"big\", \"dtype\": \"float16\", \"shape\": [1, 1], \"data\": [60000]}, "
           "{\"name\": \"W\", \"dtype\": \"float16\", \"shape\": [1, 2], \"data\": [1, 1]}, "
           "{\"name\": \"O\", \"dtype\": \"float16\", \"shape\": [2, 1], \"data\": [1, 1]}");
    declare(&t, "A", "float16", "[3, 1]", false, 0, 0, 0);
    node(&t, "Mul", "\"big\", \"big\"", "T", ""); /* infinite */
    node(&t, "MatMul", "\"T\", \"W\"", "U", "");
    node(&t, "MatMul", "\"U\", \"O\"", "C", ""); /* inf + inf, and nothing from the padding */
    load(&t, &g, "infinity");
    run_graph(&g, builtin("tsp1"), "infinity", true);
    tsp_graph_free(&g);
}
END_TEST

/* A float32 product of values beyond fp16's range is refused, not answered with NaN. */
START_TEST(float32_range) {
    Text t = {{0}, {0}, {0}};
    TspMachine m = builtin("tsp1");
    TspGraph g;
    TspProgram p;
    TspError err;
    TspSim *sim;
    strcpy(t.constants,
           "{\"name\": \"W\", \"dtype\": \"float32\", \"shape\": [2, 1], \"data\": [1, 1]}");
    declare(&t, "A", "float32", "[1, 2]", false, 0, 0, 0);
    node(&t, "MatMul", "\"A\", \"W\"", "C", "");
    load(&t, &g, "range");
    ck_assert(tsp_compile(&g, &m, NULL, &p, &err));
    for (int i = 0; i < 4; i++) {
        const float values[4][2] = {{65000, 1}, {65535, 1}, {1, -1e9f}, {3, 4}};
        ck_assert_ptr_nonnull(sim = tsp_sim_new(&p, NULL, &err));
        ck_assert(tsp_sim_write_tensor(sim, find_tensor(&p, "A", TSP_ROLE_INPUT),
                                       (const uint8_t *)values[i], &err));
        ck_assert(tsp_sim_run(sim, &err));
        ck_assert_int_eq(tsp_sim_check_finite(sim, &err), i % 3 == 0);
        if (i % 3) ck_assert_int_eq(err.kind, TSP_ERR_NOT_MODELLED);
        tsp_sim_free(sim);
    }
    tsp_program_free(&p);
    tsp_graph_free(&g);
}
END_TEST

/* The matmul of the published sweep: four planes kept busy, by the simulator's own count; values
 * checked on sampled rows. */
static Outcome big(const char *type, const char *op, int cols) {
    Text t = {{0}, {0}, {0}};
    TspGraph g;
    Outcome o;
    char b[64];
    shape_text(b, sizeof b, 2, (int[]){4096, cols});
    declare(&t, "A", type, "[2304, 4096]", false, 0, 0, 0);
    declare(&t, "B", type, b, true, -1, 1, 1);
    node(&t, op, "\"A\", \"B\"", "C", "");
    load(&t, &g, type);
    o = run_graph(&g, builtin("tsp1"), type, false);
    tsp_graph_free(&g);
    return o;
}

START_TEST(utilisation_int8) {
    Outcome o;
    if (scaled(100) < 100) return;
    o = big("int8", "MatMulInteger", 4096);
    printf("int8 2304 x 4096 x 4096: %" PRId64 " cycles, MXM busy %.4f, useful %.4f\n",
           o.stats.cycles, (double)o.stats.mxm_busy / (4.0 * (double)o.stats.cycles),
           (double)o.macs / (409600.0 * (double)o.stats.cycles));
    ck_assert(o.macs * 100 >= 95 * 409600 * o.stats.cycles);
    ck_assert(o.stats.mxm_busy * 100 >= 95 * 4 * o.stats.cycles);
    ck_assert_uint_le(o.file_bytes - o.data_bytes, 4u << 20);
}
END_TEST

START_TEST(utilisation_fp16) {
    Outcome o;
    if (scaled(100) < 100) return;
    o = big("float16", "MatMul", 4096);
    printf("fp16 2304 x 4096 x 4096: %" PRId64 " cycles, MXM busy %.4f, useful %.4f\n",
           o.stats.cycles, (double)o.stats.mxm_busy / (4.0 * (double)o.stats.cycles),
           (double)o.macs / (102400.0 * (double)o.stats.cycles));
    ck_assert(o.macs * 100 >= 95 * 102400 * o.stats.cycles);
    ck_assert_uint_le(o.file_bytes - o.data_bytes, 4u << 20);
}
END_TEST

/* Four columns more than full planes: they would cost as much as 320. */
START_TEST(utilisation_of_strips) {
    Outcome o;
    if (scaled(100) < 100) return;
    o = big("float16", "MatMul", 1604);
    ck_assert(o.macs * 1000 >= 965 * 102400 * o.stats.cycles);
    o = big("int8", "MatMulInteger", 1604);
    ck_assert(o.macs * 1000 >= 950 * 409600 * o.stats.cycles);
}
END_TEST

/* The first `kinds` types. */
static void products_on(TspMachine m, int kinds, int rows, int depth, int cols, const char *what) {
    static const char *const types[] = {"int8", "float16", "float32"};
    for (int i = 0; i < kinds; i++) {
        Text t = {{0}, {0}, {0}};
        TspGraph g;
        char label[96], a[64], b[64];
        shape_text(a, sizeof a, 2, (int[]){rows, depth});
        shape_text(b, sizeof b, 2, (int[]){depth, cols});
        declare(&t, "A", types[i], a, false, 0, 0, 0);
        declare(&t, "B", types[i], b, false, 0, 0, 0);
        node(&t, i ? "MatMul" : "MatMulInteger", "\"A\", \"B\"", "T", "");
        node(&t, "Relu", "\"T\"", "C", "");
        load(&t, &g, types[i]);
        snprintf(label, sizeof label, "%s, %s", what, types[i]);
        run_graph(&g, m, label, true);
        tsp_graph_free(&g);
    }
}

static void all_types_on(TspMachine m, const char *what) {
    products_on(m, 3, 37, 50, 41, what);
}

/* Where a product's strip is turned. */
typedef enum { NO_STRIP, BY_HOST, ON_CHIP } Turned;

static Turned where_turned(const TspProgram *p) {
    Turned turned = NO_STRIP;
    for (int32_t i = 0; i < p->tensor_count; i++) {
        const TspTensor *t = &p->tensors[i];
        if (t->role == TSP_ROLE_OUTPUT && t->flat) return BY_HOST;
        if (strstr(t->name, ".strip")) turned = ON_CHIP;
    }
    return turned;
}

/* A strip is made where it should be, and nowhere else. `read`: by the chip as well. */
static void strip_on(TspMachine m, const char *type, int rows, int depth, int cols, bool read,
                     Turned expected) {
    static const char *const names[] = {"no strip", "turned by the host", "turned on the chip"};
    Text t = {{0}, {0}, {0}};
    TspGraph g;
    TspProgram p;
    TspError err;
    Turned turned;
    char label[192], a[64], b[64];
    shape_text(a, sizeof a, 2, (int[]){rows, depth});
    shape_text(b, sizeof b, 2, (int[]){depth, cols});
    declare(&t, "A", type, a, false, 0, 0, 0);
    declare(&t, "B", type, b, false, 0, 0, 0);
    node(&t, strcmp(type, "int8") ? "MatMul" : "MatMulInteger", "\"A\", \"B\"", read ? "T" : "C",
         "");
    if (read) node(&t, "Neg", "\"T\"", "C", "");
    snprintf(label, sizeof label, "strip, %s, %s x %s%s", type, a, b, read ? ", read" : "");
    load(&t, &g, label);
    if (!tsp_compile(&g, &m, NULL, &p, &err)) ck_abort_msg("%s: compile: %s", label, err.text);
    turned = where_turned(&p);
    ck_assert_msg(turned == expected, "%s: %s", label, names[turned]);
    tsp_program_free(&p);
    run_graph(&g, m, label, true);
    tsp_graph_free(&g);
}

/* Columns beyond full planes: alone and beside full ones, with and without rows left over, on both
 * machines; and where changing places does not pay or cannot be done. */
START_TEST(strips) {
    static const char *const types[] = {"int8", "float16"};
    TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    tiny.mem_rows = 4096;
    for (int i = 0; i < 2; i++) {
        strip_on(tsp1, types[i], 1300, 1700, 323, false, BY_HOST);
        strip_on(tsp1, types[i], 1920, 1700, 7, false, BY_HOST);
        strip_on(tsp1, types[i], 1300, 1700, 600, false, BY_HOST);
        strip_on(tsp1, types[i], 1300, 1700, 640, false, NO_STRIP);
        strip_on(tsp1, types[i], 20, 1700, 323, false, i ? NO_STRIP : BY_HOST);
        strip_on(tsp1, types[i], 1300, 1700, 323, true, i ? ON_CHIP : NO_STRIP);
        strip_on(tsp1, types[i], 1920, 1700, 7, true, ON_CHIP);
        strip_on(tiny, types[i], 230, 400 << !i, 1, false, BY_HOST);
        strip_on(tiny, types[i], 230, 400 << !i, 40, false, i ? BY_HOST : NO_STRIP);
        if (i == 0) strip_on(tiny, types[i], 160, 1600, 33, false, BY_HOST);
        strip_on(tiny, types[i], 250, 400 << !i, 20, false, BY_HOST);
        strip_on(tiny, types[i], 17, 50, 18, false, i ? BY_HOST : NO_STRIP);
        strip_on(tiny, types[i], 230, 400 << !i, 40, true, i ? ON_CHIP : NO_STRIP);
        tiny.mxm_accumulator_rows = 0;
        strip_on(tiny, types[i], 230, 200, 40, false, NO_STRIP);
        tiny.mxm_accumulator_rows = 5;
        strip_on(tiny, types[i], 230, 200, 40, false, BY_HOST);
        tiny.mxm_accumulator_rows = 64;
    }
}
END_TEST

/* Rows and weights that no single bank holds. */
START_TEST(small_banks) {
    TspMachine m = builtin("tsp1");
    m.mem_rows = 64;
    products_on(m, 2, 37, 50, 1100, "small banks, wide");
    products_on(m, 2, 900, 50, 41, "small banks, tall");
}
END_TEST

/* With no accumulators the VXM adds the partial sums. */
START_TEST(no_accumulators) {
    TspMachine m = builtin("tiny");
    m.mxm_accumulator_rows = 0;
    all_types_on(m, "no accumulators");
    m.mxm_accumulator_rows = 3;
    all_types_on(m, "three accumulator rows");
}
END_TEST

START_TEST(neighbour_wiring) {
    TspMachine m = builtin("tsp1");
    m.vxm_neighbour_only = 1;
    all_types_on(m, "neighbours only");
}
END_TEST

/* Latencies are data: whatever they are, the prediction is exact and the values are right. */
START_TEST(random_latencies) {
    uint64_t seed = seeded(99);
    printf("random latencies: seed %" PRIu64 "\n", seed);
    for (int i = 0; i < scaled(40); i++) {
        Random r = {seed + (uint64_t)i};
        TspMachine m = builtin(coin(&r) ? "tiny" : "tsp1");
        char what[64];
        m.mem_read_cycles = between(&r, 1, 6);
        m.mem_write_cycles = between(&r, 1, 9);
        m.vxm_entry_cycles = between(&r, 0, 7);
        m.vxm_op_cycles = between(&r, 1, 6);
        m.vxm_exit_cycles = between(&r, 0, 5);
        m.mxm_load_cycles = between(&r, 1, 12);
        m.mxm_install_cycles = between(&r, 1, 12);
        m.mxm_entry_cycles = between(&r, 0, 12);
        m.mxm_product_cycles = between(&r, 1, 20);
        m.mxm_accumulate_cycles = between(&r, 1, 40);
        m.mxm_exit_cycles = between(&r, 0, 10);
        m.mxm_fp16_cycles = between(&r, 1, 4);
        m.mem_slices_per_column = between(&r, 1, 5);
        snprintf(what, sizeof what, "latencies case %d", i);
        all_types_on(m, what);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("compile");
    TCase *c = tcase_create("compile");
    tcase_set_timeout(c, 900);
    tcase_add_test(c, random_products);
    tcase_add_test(c, random_graphs_tsp1);
    tcase_add_test(c, random_graphs_tiny);
    tcase_add_test(c, random_operators_tsp1);
    tcase_add_test(c, random_operators_tiny);
    tcase_add_test(c, utilisation_int8);
    tcase_add_test(c, utilisation_fp16);
    tcase_add_test(c, utilisation_of_strips);
    tcase_add_test(c, strips);
    tcase_add_test(c, special_graphs);
    tcase_add_test(c, float32_range);
    tcase_add_test(c, small_banks);
    tcase_add_test(c, no_accumulators);
    tcase_add_test(c, neighbour_wiring);
    tcase_add_test(c, random_latencies);
    suite_add_tcase(s, c);
    return run_suite(s);
}
