/* test_shapes.c - shapes that lie in memory otherwise than the file has them: with the last or the
 * first dimensions made one, and reshaped where they come in or go out.
 */
#include "graph_case.h"

#define NODE(op, in, out) "{\"op\": \"" op "\", \"inputs\": [" in "], \"outputs\": [\"" out "\"]}"
#define WITH(op, in, out, attributes)                                                              \
    "{\"op\": \"" op "\", \"inputs\": [" in "], \"outputs\": [\"" out                              \
    "\"], \"attributes\": {" attributes "}}"
#define X  "\"x\""
#define A  "\"a\""
#define B  "\"b\""
#define AW "\"a\", \"w\""

/* The graph of x and w of one shape; values are compared with the interpreter's, and left in c. */
static int64_t run(Case *c, TspDtype type, const char *shape, const char *nodes, const char *on) {
    const uint64_t seed = random_bits();
    make_graph(c, type, shape, 1, nodes);
    random_from(seed);
    fill(c, false);
    random_from(seed);
    simulate(c, on);
    interpret(c, on);
    return c->p.predicted_cycles;
}

/* Two shapes of the same elements give the same bits in as many cycles. */
static void try_alike(TspDtype type, const char *shape, const char *other, const char *nodes,
                      const char *on) {
    Case plain = {0}, with = {0};
    const uint64_t seed = random_bits();
    random_from(seed);
    const int64_t least = run(&plain, type, shape, nodes, on);
    random_from(seed);
    const int64_t cycles = run(&with, type, other, nodes, on);
    ck_assert_msg(!memcmp(plain.got, with.got, (size_t)tsp_value_bytes(plain.z)), "%s", with.label);
    ck_assert_msg(cycles == least, "%s: %" PRId64 " cycles, as %s %" PRId64, with.label, cycles,
                  shape, least);
    free_case(&plain);
    free_case(&with);
}

/* The same with dimensions of 1 behind. */
static void try_ones(TspDtype type, const char *shape, const char *ones, const char *nodes,
                     const char *on) {
    char longer[80];
    snprintf(longer, sizeof longer, "%.*s%s]", (int)strlen(shape) - 1, shape, ones);
    try_alike(type, shape, longer, nodes, on);
}

static const char *const alike[] = {
    WITH("Softmax", X, "z", "\"axis\": 0"),
    WITH("Softmax", X, "z", "\"axis\": 1"),
    WITH("LogSoftmax", X, "z", "\"axis\": 1"),
    WITH("ReduceSum", X, "z", "\"axes\": [1]"),
    WITH("ReduceSum", X, "z", "\"axes\": [0], \"keepdims\": 0"),
    WITH("ReduceMax", X, "z", "\"axes\": [0], \"keepdims\": 1"),
    WITH("ArgMax", X, "z", "\"axis\": 1, \"keepdims\": 0"),
    WITH("ReduceSumSquare", X, "a", "\"axes\": [1]") ", " NODE("Sqrt", A, "z"),
    WITH("Softmax", X, "a", "\"axis\": 1") ", " NODE("Mul", AW, "z"),
    NODE("Relu", X, "a") ", " WITH("Softmax", A, "b", "\"axis\": 0") ", " NODE("Exp", B, "z"),
    WITH("ReduceMax", X, "a", "\"axes\": [1]") ", " NODE("Sub", "\"x\", \"a\"", "z"),
    NODE("LeakyRelu", X, "a") ", " NODE("Where", "\"g\", \"a\", \"w\"",
                                        "z") ", " NODE("Greater", "\"x\", \"w\"", "g"),
    WITH("ReduceMean", X, "a",
         "\"axes\": [1]") ", " NODE("Floor", A, "b") ", " NODE("Add", "\"b\", \"k\"", "z"),
};
enum { ALIKE = sizeof alike / sizeof *alike };

START_TEST(ones_at_the_end_cost_nothing) {
    static const char *const shapes[] = {"[64, 100]", "[7, 330]", "[3, 40, 5]"};
    random_start();
    for (int i = 0; i < ALIKE; i++) {
        try_ones(TSP_F32, shapes[random_below(3)], random_below(2) ? ", 1" : ", 1, 1", alike[i],
                 "tsp1");
        try_ones(TSP_F16, "[9, 20]", ", 1", alike[i], "tiny");
    }
    try_ones(TSP_F32, "[3, 40, 5]", ", 1", WITH("Softmax", X, "z", "\"axis\": 2"), "tsp1");
    try_ones(TSP_F16, "[3, 4, 5]", ", 1", WITH("Softmax", X, "z", "\"axis\": 2"), "tiny");
}
END_TEST

START_TEST(last_dimensions_are_one) {
    static const char *const graphs[] = {
        WITH("Softmax", X, "z", "\"axis\": 0"),
        WITH("ReduceSum", X, "z", "\"axes\": [0]"),
        WITH("ReduceMin", X, "z", "\"axes\": [0], \"keepdims\": 0"),
        WITH("ArgMax", X, "z", "\"axis\": 0"),
        WITH("LogSoftmax", X, "a", "\"axis\": 0") ", " NODE("Mul", AW, "z"),
        WITH("ReduceMax", X, "a", "\"axes\": [0]") ", " NODE("Sub", "\"x\", \"a\"", "z"),
        WITH("ReduceMean", X, "a", "\"axes\": [0]") ", " NODE("Add", "\"a\", \"k\"", "z"),
    };
    random_start();
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        try_alike(TSP_F32, "[8, 240]", "[8, 40, 6]", graphs[i], "tsp1");
        try_alike(TSP_F32, "[8, 240]", "[8, 4, 20, 3, 1]", graphs[i], "tsp1");
        try_alike(TSP_F16, "[6, 12]", "[6, 4, 3]", graphs[i], "tiny");
    }
}
END_TEST

/* Along the last axis a batch of matrices is one. */
START_TEST(first_dimensions_are_one) {
    static const char *const graphs[] = {
        WITH("Softmax", X, "z", "\"axis\": -1"),
        WITH("LogSoftmax", X, "z", "\"axis\": -1"),
        WITH("ReduceSum", X, "z", "\"axes\": [-1]"),
        WITH("ReduceMax", X, "z", "\"axes\": [-1], \"keepdims\": 0"),
        WITH("ArgMax", X, "z", "\"axis\": -1"),
        WITH("ArgMin", X, "z", "\"axis\": -1, \"keepdims\": 0, \"select_last_index\": 1"),
        WITH("ReduceLogSumExp", X, "z", "\"axes\": [-1], \"keepdims\": 0"),
        WITH("Softmax", X, "a", "\"axis\": -1") ", " NODE("Mul", AW, "z"),
        WITH("ReduceMean", X, "a", "\"axes\": [-1]") ", " NODE("Sub", "\"x\", \"a\"", "z"),
        WITH("ReduceSum", X, "a", "\"axes\": [-1], \"keepdims\": 0") ", " NODE(
            "Exp", A, "b") ", " NODE("Mul", "\"a\", \"b\"", "z"),
    };
    random_start();
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        try_alike(TSP_F32, "[204, 100]", "[12, 17, 100]", graphs[i], "tsp1");
        try_alike(TSP_F32, "[60, 330]", "[3, 1, 5, 4, 330]", graphs[i], "tsp1");
        try_alike(TSP_F16, "[12, 10]", "[3, 4, 10]", graphs[i], "tiny");
    }
}
END_TEST

/* What some node takes as a column, multiplies, moves or works along keeps its dimensions. */
START_TEST(dimensions_that_count) {
    static const char *const shapes[] = {"[5, 33, 1]", "[5, 12, 3]", "[4, 1, 6]"};
    static const char *const graphs[] = {
        NODE("Relu", X, "a") ", " NODE("Transpose", A, "z"),
        WITH("Softmax", X, "a", "\"axis\": 0") ", " WITH("Concat", "\"a\", \"x\"", "z",
                                                         "\"axis\": -1"),
        WITH("Transpose", X, "a", "\"perm\": [0, 2, 1]") ", " NODE("MatMul", "\"x\", \"a\"", "z"),
        WITH("Softmax", X, "a", "\"axis\": 2") ", " NODE("Mul", AW, "z"),
        WITH("Softmax", X, "a", "\"axis\": 1") ", " NODE("Mul", AW, "z"),
        WITH("ReduceSum", X, "a", "\"axes\": [1, 2]") ", " NODE("Add", AW, "z"),
        WITH("ReduceSum", X, "z", "\"axes\": [2], \"keepdims\": 0"),
        WITH("ReduceSum", X, "z", "\"axes\": [0, 1], \"keepdims\": 0"),
        WITH("ReduceMax", X, "a", "\"axes\": [1]") ", " NODE("Sub", "\"x\", \"a\"", "z"),
        WITH("ReduceMax", X, "a", "\"axes\": [2]") ", " NODE("Sub", "\"x\", \"a\"", "b") ", " WITH(
            "Softmax", B, "z", "\"axis\": 0"),
        WITH("ReduceSum", X, "a", "\"axes\": [0], \"keepdims\": 0") ", " NODE(
            "Mul", AW, "b") ", " WITH("ReduceMin", B, "z", "\"axes\": [0]"),
        WITH("ReduceSum", X, "a", "\"axes\": [2], \"keepdims\": 0") ", " NODE("Transpose", A, "z"),
        WITH("ReduceSum", X, "a", "\"axes\": [2], \"keepdims\": 0") ", " WITH("Softmax", A, "z",
                                                                              "\"axis\": 1"),
        WITH("ReduceMin", X, "a",
             "\"axes\": [2], \"keepdims\": 0") ", " NODE("Unsqueeze", "\"a\", \"axes\"", "z"),
        WITH("Softmax", X, "a", "\"axis\": 2") ", " WITH("ReduceMax", A, "z", "\"axes\": [0]"),
        WITH("CumSum", "\"x\", \"axis\"", "a", "\"reverse\": 1") ", " NODE("Add", AW, "z"),
        NODE("Unsqueeze", "\"x\", \"axes\"", "a") ", " WITH("Softmax", A, "z", "\"axis\": 2"),
    };
    random_start();
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            Case c = {0}, small = {0};
            run(&c, TSP_F32, shapes[k], graphs[i], "tsp1");
            run(&small, TSP_F32, k ? "[3, 4, 2]" : "[3, 14, 1]", graphs[i], "tiny");
            free_case(&c);
            free_case(&small);
        }
}
END_TEST

/* Inputs, outputs and what is known, in other shapes than nodes take: rows and columns of one
 * matrix and of several, and stripes of weights. */
START_TEST(reshaped_on_the_way) {
    static const char *const graphs[] = {
        WITH("Flatten", X, "a", "\"axis\": 2") ", " WITH("Softmax", A, "z", "\"axis\": 0"),
        WITH("Flatten", X, "a", "\"axis\": 2") ", " WITH("Softmax", A, "z", "\"axis\": 1"),
        WITH("Flatten", X, "a", "\"axis\": 2") ", " WITH("Gemm", "\"a\", \"a\"", "z",
                                                         "\"transB\": 1"),
        WITH("Flatten", X, "a", "\"axis\": 2") ", " WITH("Gemm", "\"a\", \"a\"", "z",
                                                         "\"transA\": 1"),
        WITH("Flatten", X, "a", "\"axis\": 1") ", " WITH(
            "Flatten", "\"w\"", "v",
            "\"axis\": 1") ", " WITH("ReduceSum", A, "b",
                                     "\"axes\": [1]") ", " NODE("Sub", "\"b\", \"v\"", "z"),
        WITH("Flatten", X, "a", "\"axis\": 1") ", " NODE("Neg", A, "b") ", " WITH(
            "Flatten", X, "v",
            "\"axis\": 1") ", " WITH("ReduceMax", "\"v\"", "m",
                                     "\"axes\": [0]") ", " NODE("Mul", "\"b\", \"m\"", "z"),
        WITH("Softmax", X, "a", "\"axis\": 2") ", " WITH("Flatten", A, "z", "\"axis\": 3"),
        WITH("Softmax", X, "a", "\"axis\": 2") ", " WITH("Flatten", A, "z", "\"axis\": 2"),
        WITH("Softmax", X, "a", "\"axis\": 1") ", " WITH(
            "Flatten", A, "b", "\"axis\": 2") ", " NODE("Unsqueeze", "\"b\", \"axes\"", "z"),
        WITH("Softmax", X, "a", "\"axis\": 1") ", " NODE("Squeeze", A, "z") ", " NODE("Relu", A,
                                                                                      "b"),
    };
    static const char *const shapes[] = {"[4, 5, 6, 7]", "[2, 3, 4, 100]", "[3, 2, 1, 5]"};
    random_start();
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
            for (int machine = 0; machine < 2; machine++) {
                Case c = {0};
                if (machine && k == 1) continue; /* too large */
                run(&c, machine ? TSP_F16 : TSP_F32, shapes[k], graphs[i],
                    machine ? "tiny" : "tsp1");
                free_case(&c);
            }
}
END_TEST

/* ---- known operands that broadcast ---- */

/* {x of `shape`, known c of `known`; z = node of both}. */
static void make_known(Case *c, TspDtype type, const char *shape, const char *known,
                       const char *nodes) {
    const char *name = tsp_dtype_name(type);
    char text[900];
    TspError err;
    int length = snprintf(text, sizeof text,
                          "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"%s\", \"shape\": %s}], "
                          "\"initializers\": [{\"name\": \"c\", \"dtype\": \"%s\", \"shape\": %s, "
                          "\"random\": {\"seed\": 7, \"low\": 1, \"high\": 9}}], \"nodes\": [%s], "
                          "\"outputs\": [\"z\"]}",
                          name, shape, name, known, nodes);
    snprintf(c->label, sizeof c->label, "%s %s, %s: %.150s", name, shape, known, nodes);
    if (!tsp_graph_parse(&c->g, text, (size_t)length, "test.json", &err))
        ck_abort_msg("%s: %s", c->label, err.text);
    for (int32_t v = 0; v < c->g.value_count; v++) {
        if (!strcmp(c->g.values[v].name, "x")) c->x[0] = &c->g.values[v];
        if (!strcmp(c->g.values[v].name, "z")) c->z = &c->g.values[v];
    }
}

static int64_t run_known(TspDtype type, const char *shape, const char *known, const char *nodes,
                         const char *on) {
    Case c = {0};
    int64_t cycles;
    make_known(&c, type, shape, known, nodes);
    fill(&c, false);
    simulate(&c, on);
    interpret(&c, on);
    cycles = c.p.predicted_cycles;
    free_case(&c);
    return cycles;
}

/* Whatever it is broadcast along, it takes no more cycles than an operand as large as the result.
 */
START_TEST(known_operands_broadcast) {
    static const char *const shapes[][4] = {
        {"[12, 50, 30]", "[30]", "[50, 1]", "[12, 1, 30]"},
        {"[3, 700, 4]", "[1, 1, 4]", "[3, 700, 1]", "[3, 1, 1]"},
        {"[1000, 17]", "[1, 17]", "[1000, 1]", "[17]"},
    };
    static const char *const small[4] = {"[4, 6, 5]", "[5]", "[6, 1]", "[4, 1, 5]"};
    static const char *const nodes[] = {
        NODE("Add", "\"x\", \"c\"", "z"),
        NODE("Sub", "\"c\", \"x\"", "z"),
        NODE("Max", "\"x\", \"c\", \"x\"", "z"),
        NODE("Mul", "\"x\", \"c\"", "a") ", " NODE("Exp", A, "b") ", " NODE("Div", "\"b\", \"c\"",
                                                                            "z"),
    };
    random_start();
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        for (int k = 1; k < 4; k++) {
            for (size_t n = 0; n < sizeof shapes / sizeof *shapes; n++) {
                const int64_t whole =
                    run_known(TSP_F32, shapes[n][0], shapes[n][0], nodes[i], "tsp1");
                ck_assert_int_le(run_known(TSP_F32, shapes[n][0], shapes[n][k], nodes[i], "tsp1"),
                                 whole);
            }
            run_known(TSP_F16, small[0], small[k], nodes[i], "tiny");
        }
}
END_TEST

/* A graph of x, and of matrices and rows that it takes known, in cycles at most. */
START_TEST(batches_are_matrices) {
    static const struct {
        const char *shape, *known, *nodes;
        int64_t cycles;
    } cases[] = {
        {"[12, 17, 320]", "[1]", WITH("Softmax", X, "z", "\"axis\": 2"), 538},
        {"[12, 17, 320]", "[1]", WITH("ReduceSum", X, "z", "\"axes\": [2], \"keepdims\": 0"), 131},
        {"[8, 25, 320]", "[320, 64]",
         NODE("MatMul", "\"x\", \"c\"", "a") ", " WITH("Softmax", A, "z", "\"axis\": -1"), 865},
        {"[4, 6, 80]", "[80]",
         WITH("LayerNormalization", "\"x\", \"c\", \"c\"", "a",
              "\"axis\": 2") ", " WITH("Softmax", A, "z", "\"axis\": 2"),
         834},
        {"[4, 6, 80]", "[6, 1]", WITH("LayerNormalization", "\"x\", \"c\"", "z", "\"axis\": 2"),
         371},
        {"[4, 6, 80]", "[4, 1, 80]", WITH("LayerNormalization", "\"x\", \"c\"", "z", "\"axis\": 2"),
         371},
        {"[5, 6, 7, 8]", "[6, 1, 1]",
         NODE("Add", "\"x\", \"c\"", "a") ", " WITH("Softmax", A, "z", "\"axis\": 3"), 733},
        {"[5, 6, 7, 8]", "[5, 6, 1, 1]",
         NODE("Add", "\"x\", \"c\"", "a") ", " WITH("ReduceMax", A, "z", "\"axes\": [2, 3]"), 654},
        {"[5, 6, 7, 8]", "[1, 1, 1, 8]",
         NODE("Mul", "\"x\", \"c\"", "a") ", " WITH("Softmax", A, "z", "\"axis\": 2"), 492},
        {"[5, 6, 8]", "[6, 8, 3]",
         WITH("Softmax", X, "a", "\"axis\": 2") ", " WITH(
             "Flatten", A, "b", "\"axis\": 1") ", " WITH("Flatten", "\"c\"", "d",
                                                         "\"axis\": "
                                                         "2") ", " NODE("MatMul", "\"b\", \"d\"",
                                                                        "z"),
         680},
        {"[5, 5, 5]", "[5, 5]",
         WITH("ReduceSum", X, "a", "\"axes\": [2], \"keepdims\": 0") ", " NODE(
             "MatMul", "\"a\", \"c\"", "b") ", " NODE("Add", "\"b\", \"a\"", "z"),
         2000},
    };
    random_start();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t cycles =
            run_known(TSP_F32, cases[i].shape, cases[i].known, cases[i].nodes, "tsp1");
        ck_assert_msg(cycles <= cases[i].cycles, "%s %s: %" PRId64 " cycles", cases[i].shape,
                      cases[i].nodes, cycles);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("shapes");
    TCase *tests = tcase_create("shapes");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, ones_at_the_end_cost_nothing);
    tcase_add_test(tests, last_dimensions_are_one);
    tcase_add_test(tests, first_dimensions_are_one);
    tcase_add_test(tests, batches_are_matrices);
    tcase_add_test(tests, dimensions_that_count);
    tcase_add_test(tests, reshaped_on_the_way);
    tcase_add_test(tests, known_operands_broadcast);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
