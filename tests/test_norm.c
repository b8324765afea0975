/* test_norm.c - LayerNormalization, RMSNormalization, InstanceNormalization: against plain loops
 * and the host interpreter, on rows of every kind, alone and between other nodes.
 */
#include "graph_case.h"
#include "random_machine.h"

#include <math.h>

#define LAYER    "LayerNormalization"
#define RMS      "RMSNormalization"
#define INSTANCE "InstanceNormalization"

typedef struct {
    const char *op;
    TspDtype type;
    int32_t rank;
    int64_t shape[3];
    double epsilon;
    bool bias;
} Norm;

static int64_t cols_of(const Norm *n) {
    return n->shape[n->rank - 1];
}

static bool is_instance(const Norm *n) {
    return !strcmp(n->op, INSTANCE);
}

/* Elements of scale and bias. */
static int64_t beside_of(const Norm *n) {
    return is_instance(n) ? n->shape[1] : cols_of(n);
}

/* {inputs x and y of `shape`; known s and b of `beside` elements; nodes that make z}. */
static void parse_nodes(Case *c, TspDtype type, const char *shape, int64_t beside, int inputs,
                        const char *nodes) {
    char text[2500];
    const char *name = tsp_dtype_name(type);
    TspError err;
    int length = snprintf(
        text, sizeof text,
        "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"%s\", \"shape\": %s}%s%s%s%s%s], "
        "\"initializers\": [{\"name\": \"s\", \"dtype\": \"%s\", \"shape\": [%" PRId64
        "], \"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}}, {\"name\": \"b\", \"dtype\": "
        "\"%s\", \"shape\": [%" PRId64 "], \"random\": {\"seed\": 2, \"low\": -2, \"high\": 2}}], "
        "\"nodes\": [%s], \"outputs\": [\"z\"]}",
        name, shape, inputs > 1 ? ", {\"name\": \"y\", \"dtype\": \"" : "", inputs > 1 ? name : "",
        inputs > 1 ? "\", \"shape\": " : "", inputs > 1 ? shape : "", inputs > 1 ? "}" : "", name,
        beside, name, beside, nodes);
    snprintf(c->label, sizeof c->label, "%s %s %.200s", name, shape, nodes);
    if (!tsp_graph_parse(&c->g, text, (size_t)length, "test.json", &err))
        ck_abort_msg("%s: %s", c->label, err.text);
    for (int32_t v = 0; v < c->g.value_count; v++) {
        const TspValue *value = &c->g.values[v];
        if (!strcmp(value->name, "z")) c->z = value;
        if (!strcmp(value->name, "x")) c->x[0] = value;
        if (!strcmp(value->name, "y")) c->x[1] = value;
    }
}

static void parse_norm(Case *c, const Norm *n) {
    char shape[80] = "[", nodes[300];
    for (int32_t d = 0; d < n->rank; d++)
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%" PRId64, d ? ", " : "",
                 n->shape[d]);
    strcat(shape, "]");
    snprintf(nodes, sizeof nodes,
             "{\"op\": \"%s\", \"inputs\": [\"x\", \"s\"%s], \"outputs\": [\"z\"], "
             "\"attributes\": {\"epsilon\": %.9g}}",
             n->op, n->bias ? ", \"b\"" : "", n->epsilon);
    parse_nodes(c, n->type, shape, beside_of(n), 1, nodes);
}

/* ---- rows ---- */

typedef enum { ORDINARY, UNIT, SMALL, CONSTANT, OFFSET, ONE_LARGE, MIXED } RowKind;

static double uniform(void) {
    return (double)random_below(1 << 24) * 0x1p-23 - 1;
}

static void fill_row(RowKind kind, TspDtype type, uint8_t *data, int64_t first, int64_t cols) {
    const double level = 100 * uniform(), scale = pow(10, 2 * uniform());
    for (int64_t i = 0; i < cols; i++) {
        double v = uniform() * scale;
        if (kind == UNIT) v = uniform();
        if (kind == SMALL) v = uniform() * 0x1p-8;
        if (kind == CONSTANT) v = level;
        if (kind == OFFSET) v = 1000 + uniform() * (type == TSP_F16 ? 4 : 0.01);
        if (kind == ONE_LARGE) v = i ? 0 : 60;
        tsp_store_float(type, data, first + i, v);
    }
}

static void fill_rows(Case *c, RowKind kind) {
    for (int i = 0; i < MOST_INPUTS; i++) {
        const TspValue *v = c->x[i];
        if (!v) continue;
        const int64_t cols = v->shape[v->rank - 1];
        c->in[i] = calloc((size_t)tsp_value_bytes(v), 1);
        for (int64_t at = 0; at < tsp_value_elements(v); at += cols)
            fill_row(kind == MIXED ? (RowKind)random_below(MIXED) : kind, v->dtype, c->in[i], at,
                     cols);
    }
}

/* ---- what the nodes mean, as plain loops ---- */

static const TspValue *known(const Case *c, const char *name) {
    for (int32_t v = 0; v < c->g.value_count; v++)
        if (!strcmp(c->g.values[v].name, name)) return &c->g.values[v];
    return NULL;
}

/* The greatest error of a result: so much of it and of 1, and what rounding the mean costs where it
 * is many deviations from zero. */
static double allowed(const Norm *n, double bias, double product, double means) {
    const double part = n->type == TSP_F16 ? 0x1p-9 : 0x1p-16;
    return part * (1 + fabs(bias) + fabs(product)) + 0x1p-20 * fabs(means);
}

static void compare_row(const Norm *n, const Case *c, int64_t first) {
    const int64_t cols = cols_of(n);
    const uint8_t *x = c->in[0], *s = known(c, "s")->data, *b = known(c, "b")->data;
    const bool centred = strcmp(n->op, RMS) != 0;
    long double mean = 0, variance = 0;
    for (int64_t i = 0; i < cols && centred; i++)
        mean += (long double)tsp_load_double(n->type, x, first + i) / cols;
    for (int64_t i = 0; i < cols; i++) {
        long double d = (long double)tsp_load_double(n->type, x, first + i) - mean;
        variance += d * d / cols;
    }
    const long double deviation = sqrtl(variance + (long double)n->epsilon);
    for (int64_t i = 0; i < cols; i++) {
        const int64_t at = is_instance(n) ? first / cols % n->shape[1] : i;
        const double scale = tsp_load_double(n->type, s, at);
        const double bias = n->bias ? tsp_load_double(n->type, b, at) : 0;
        const long double d = (long double)tsp_load_double(n->type, x, first + i) - mean;
        const double want = (double)(d / deviation * scale + bias);
        const double got = tsp_load_double(n->type, c->got, first + i);
        const double most = allowed(n, bias, want - bias, (double)(mean / deviation) * scale);
        ck_assert_msg(fabs(got - want) <= most, "%s: element %" PRId64 " is %.9g, want %.9g",
                      c->label, first + i, got, want);
    }
}

static void try_norm_on(const Norm *n, RowKind kind, const TspMachine *m) {
    Case c = {0};
    parse_norm(&c, n);
    fill_rows(&c, kind);
    simulate_on(&c, m);
    interpret_on(&c, m);
    for (int64_t first = 0; first < tsp_value_elements(c.z); first += cols_of(n))
        compare_row(n, &c, first);
    free_case(&c);
}

static void try_norm(const Norm *n, RowKind kind, const char *name) {
    const TspMachine m = machine(name);
    try_norm_on(n, kind, &m);
}

static const char *const ops[] = {LAYER, RMS, INSTANCE};
enum { OPS = sizeof ops / sizeof *ops };

/* Rows of `cols` columns; a bias where there may or must be one. */
static Norm norm_of(int op, TspDtype type, int64_t rows, int64_t cols, double epsilon) {
    Norm n = {ops[op], type, 2, {rows, cols}, epsilon, op == 2 || (op == 0 && one_in(2))};
    if (op == 2) n = (Norm){ops[op], type, 3, {2, rows, cols}, epsilon, true};
    return n;
}

/* Any kind; squares of what is far from zero do not fit halfs. */
static RowKind any_kind(int op) {
    return (RowKind)random_below(op == 1 ? OFFSET : MIXED + 1);
}

START_TEST(rows_of_any_length) {
    static const int64_t tsp1[] = {1, 2, 64, 319, 320, 321, 640, 641, 768, 960, 1300};
    static const int64_t tiny[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 70};
    random_start();
    for (int op = 0; op < OPS; op++)
        for (int kind = 0; kind < 2; kind++) {
            const TspDtype type = kind ? TSP_F16 : TSP_F32;
            for (size_t i = 0; i < sizeof tsp1 / sizeof *tsp1; i++) {
                const Norm n = norm_of(op, type, pick(1, 5), tsp1[i], 1e-5);
                try_norm(&n, any_kind(op), "tsp1");
            }
            for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++) {
                const Norm n = norm_of(op, type, pick(1, 20), tiny[i], 1e-5);
                try_norm(&n, any_kind(op), "tiny");
            }
        }
}
END_TEST

START_TEST(rows_of_every_kind) {
    static const double epsilons[] = {1e-3, 1e-5, 1e-6, 1e-12};
    random_start();
    for (int op = 0; op < OPS; op++)
        for (int i = 0; i < 4 * (MIXED + 1); i++) {
            const RowKind kind = (RowKind)(i % (MIXED + 1));
            double epsilon = epsilons[i / (MIXED + 1)];
            /* what is summed fits halfs only if it is small beside the root of epsilon */
            if (kind != SMALL && kind != CONSTANT && epsilon < 1e-5) epsilon = 1e-5;
            if (op == 1 && kind != SMALL) epsilon = 1;
            if (kind == MIXED || kind == OFFSET) epsilon = op == 1 ? 16 : 1e-5;
            const Norm n = norm_of(op, i % 2 ? TSP_F16 : TSP_F32, 3, pick(2, 700), epsilon);
            try_norm(&n, kind, one_in(2) ? "tsp1" : "tiny");
        }
}
END_TEST

START_TEST(many_rows) {
    random_start();
    for (int op = 0; op < OPS; op++)
        for (int kind = 0; kind < 2; kind++) {
            const Norm tall = norm_of(op, kind ? TSP_F16 : TSP_F32, 300, 330, 1e-5);
            const Norm wide = norm_of(op, kind ? TSP_F16 : TSP_F32, 2, 7000, 1e-5);
            try_norm(&tall, ORDINARY, "tsp1");
            try_norm(&wide, ORDINARY, "tsp1");
        }
}
END_TEST

START_TEST(random_latencies) {
    random_start();
    for (int i = 0; i < 60; i++) {
        TspMachine m = machine(one_in(4) ? "tsp1" : "tiny");
        const Norm n = norm_of(random_below(OPS), one_in(2) ? TSP_F16 : TSP_F32, pick(1, 20),
                               pick(1, 90), 1e-5);
        vary_timings(&m);
        m.vxm_neighbour_only = 0;
        if (one_in(3)) m.mxm_accumulator_rows = pick(0, 3);
        try_norm_on(&n, ORDINARY, &m);
    }
}
END_TEST

/* ---- beside other nodes ---- */

#define NODE(op, in, out) "{\"op\": \"" op "\", \"inputs\": [" in "], \"outputs\": [\"" out "\"]}"

START_TEST(between_other_nodes) {
    static const struct {
        int inputs;
        const char *nodes;
    } graphs[] = {
        {2, NODE("Add", "\"x\", \"y\"", "a") ", " NODE(LAYER, "\"a\", \"s\", \"b\"", "z")},
        {2, NODE("MatMul", "\"x\", \"y\"", "a") ", " NODE(LAYER, "\"a\", \"s\"", "z")},
        {2, NODE(LAYER, "\"x\", \"s\", \"b\"", "n") ", " NODE("MatMul", "\"n\", \"y\"", "z")},
        {2, NODE(RMS, "\"x\", \"s\"", "n") ", " NODE("MatMul", "\"y\", \"n\"", "z")},
        /* K runs along the lanes of both, so what is beyond their columns must be zero */
        {2, NODE(LAYER, "\"x\", \"s\"", "n") ", " NODE(LAYER, "\"y\", \"s\", \"b\"", "o") ", " NODE(
                "MatMul", "\"n\", \"o\"", "z")},
        {2, NODE(LAYER, "\"x\", \"s\", \"b\"",
                 "n") ", " NODE("Add", "\"n\", \"y\"", "a") ", " NODE(RMS, "\"a\", \"s\"", "z")},
        {1, NODE(LAYER, "\"x\", \"s\", \"b\"",
                 "n") ", " NODE(RMS, "\"x\", \"s\"", "o") ", " NODE("Sub", "\"n\", \"o\"", "z")},
        /* scale and bias that the chip makes, once the same */
        {1, NODE("Abs", "\"s\"", "t") ", " NODE("Neg", "\"b\"",
                                                "c") ", " NODE(LAYER, "\"x\", \"t\", \"c\"", "z")},
        {1, NODE("Abs", "\"s\"", "t") ", " NODE(LAYER, "\"x\", \"t\", \"t\"", "z")},
    };
    static const char *const shapes[] = {"[7, 7]", "[20, 20]", "[33, 33]", "[1, 1]"};
    static const int64_t cols[] = {7, 20, 33, 1};
    random_start();
    for (size_t round = 0; round < 8 * sizeof graphs / sizeof *graphs; round++) {
        const size_t i = round / 8, size = round % 4;
        const char *name = random_below(2) ? "tsp1" : "tiny";
        Case c = {0};
        parse_nodes(&c, round % 2 ? TSP_F16 : TSP_F32, shapes[size], cols[size], graphs[i].inputs,
                    graphs[i].nodes);
        fill_rows(&c, UNIT);
        simulate(&c, name);
        interpret(&c, name);
        free_case(&c);
    }
}
END_TEST

START_TEST(a_row_that_is_its_own_scale) {
    random_start();
    for (int kind = 0; kind < 4; kind++) {
        Case c = {0};
        parse_nodes(&c, kind & 1 ? TSP_F16 : TSP_F32, "[40]", 40, 1,
                    NODE(LAYER, "\"x\", \"x\", \"x\"", "z"));
        fill_rows(&c, SMALL);
        simulate(&c, kind & 2 ? "tsp1" : "tiny");
        interpret(&c, kind & 2 ? "tsp1" : "tiny");
        free_case(&c);
    }
}
END_TEST

START_TEST(one_scale_for_all_columns) {
    random_start();
    for (int kind = 0; kind < 4; kind++) {
        Case c = {0};
        parse_nodes(&c, kind & 1 ? TSP_F16 : TSP_F32, "[3, 50]", 1, 1,
                    NODE(LAYER, "\"x\", \"s\", \"b\"", "z"));
        fill_rows(&c, ORDINARY);
        simulate(&c, kind & 2 ? "tsp1" : "tiny");
        interpret(&c, kind & 2 ? "tsp1" : "tiny");
        free_case(&c);
    }
}
END_TEST

/* ---- what does not fit halfs ---- */

static bool fits(const Norm *n, double value) {
    const TspMachine m = machine("tsp1");
    Case c = {0};
    TspError err;
    TspSim *sim;
    parse_norm(&c, n);
    c.in[0] = calloc((size_t)tsp_value_bytes(c.x[0]), 1);
    for (int64_t i = 0; i < tsp_value_elements(c.x[0]); i++)
        tsp_store_float(n->type, c.in[0], i, i % 2 ? value : -value);
    if (!tsp_compile(&c.g, &m, NULL, &c.p, &err)) ck_abort_msg("%s: %s", c.label, err.text);
    if (!(sim = tsp_sim_new(&c.p, NULL, &err))) ck_abort_msg("%s: %s", c.label, err.text);
    ck_assert(tsp_sim_write_tensor(sim, find_tensor(&c.p, "x", TSP_ROLE_INPUT), c.in[0], &err));
    ck_assert_msg(tsp_sim_run(sim, &err), "%s", err.text);
    const bool ok = tsp_sim_check_finite(sim, &err);
    tsp_sim_free(sim);
    free_case(&c);
    return ok;
}

START_TEST(magnitudes_that_do_not_fit_are_refused) {
    const Norm layer = {LAYER, TSP_F32, 2, {2, 200}, 1e-5, true};
    const Norm half = {LAYER, TSP_F16, 2, {2, 200}, 1e-5, true};
    const Norm rms = {RMS, TSP_F32, 2, {2, 200}, 1e-5, false};
    const Norm wide = {RMS, TSP_F32, 2, {2, 700}, 1e-5, false};
    ck_assert(fits(&layer, 700) && !fits(&layer, 800));
    ck_assert(fits(&half, 2800) && !fits(&half, 3000));
    ck_assert(fits(&rms, 700) && !fits(&rms, 800));
    ck_assert(fits(&wide, 410) && !fits(&wide, 430));
    ck_assert(!fits(&layer, INFINITY) && !fits(&layer, NAN) && !fits(&layer, 1e30));
    ck_assert(!fits(&half, INFINITY) && !fits(&half, NAN));
}
END_TEST

/* ---- how fast ---- */

/* `most`: cycles that the run may take. */
static void try_cycles(const char *op, TspDtype type, int64_t most) {
    const Norm n = {op, type, 2, {128, 768}, 1e-5, !strcmp(op, LAYER)};
    Case c = {0};
    parse_norm(&c, &n);
    fill_rows(&c, ORDINARY);
    simulate(&c, "tsp1");
    interpret(&c, "tsp1");
    ck_assert_msg(c.p.predicted_cycles <= most, "%s: %" PRId64 " cycles", c.label,
                  c.p.predicted_cycles);
    free_case(&c);
}

START_TEST(rows_follow_one_another) {
    random_start();
    try_cycles(LAYER, TSP_F32, 890);
    try_cycles(LAYER, TSP_F16, 780);
    try_cycles(RMS, TSP_F32, 500);
    try_cycles(RMS, TSP_F16, 500);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("norm");
    TCase *tests = tcase_create("norm");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, rows_of_any_length);
    tcase_add_test(tests, rows_of_every_kind);
    tcase_add_test(tests, many_rows);
    tcase_add_test(tests, random_latencies);
    tcase_add_test(tests, between_other_nodes);
    tcase_add_test(tests, a_row_that_is_its_own_scale);
    tcase_add_test(tests, one_scale_for_all_columns);
    tcase_add_test(tests, magnitudes_that_do_not_fit_are_refused);
    tcase_add_test(tests, rows_follow_one_another);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
