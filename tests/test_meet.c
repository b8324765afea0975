/* test_meet.c - nodes that meet in ways of their own: views of one tensor as operands of one node,
 * vectors made of matrices and reduced, scans whose results are weights, nodes that change nothing.
 */
#include "graph_case.h"

#define NODE(op, in, out) "{\"op\": \"" op "\", \"inputs\": [" in "], \"outputs\": [\"" out "\"]}"
#define WITH(op, in, out, attributes)                                                              \
    "{\"op\": \"" op "\", \"inputs\": [" in "], \"outputs\": [\"" out                              \
    "\"], \"attributes\": {" attributes "}}"
#define HALVES WITH("Split", X, "a\", \"b", "\"axis\": 0, \"num_outputs\": 2") ", "
#define X      "\"x\""
#define A      "\"a\""

static void run(TspDtype type, const char *shape, const char *nodes, const char *on) {
    Case c = {0};
    make_graph(&c, type, shape, 1, nodes);
    fill(&c, false);
    simulate(&c, on);
    interpret(&c, on);
    free_case(&c);
}

static void run_everywhere(const char *shape, const char *nodes) {
    static const TspDtype types[] = {TSP_I32, TSP_F16, TSP_F32};
    for (int i = 0; i < 3; i++) {
        run(types[i], shape, nodes, "tsp1");
        run(types[i], shape, nodes, "tiny");
    }
}

/* A slice gives one row a cycle. */
START_TEST(views_of_one_tensor) {
    random_start();
    run_everywhere("[16, 8]", HALVES NODE("Sub", "\"a\", \"b\"", "z"));
    run_everywhere("[16, 8]", HALVES NODE("Max", "\"a\", \"b\", \"a\"", "z"));
    run_everywhere("[6, 20]",
                   HALVES NODE("Mul", "\"a\", \"a\"", "c") ", " NODE("Add", "\"b\", \"c\"", "z"));
    run_everywhere("[2, 40]", HALVES NODE("Sub", "\"b\", \"x\"", "z"));
    run_everywhere("[2, 3, 40]", HALVES NODE("Max", "\"x\", \"b\", \"a\"", "z"));
    run_everywhere("[2, 40]", HALVES NODE("Greater", "\"x\", \"a\"",
                                          "g") ", " NODE("Where", "\"g\", \"x\", \"b\"", "z"));
    run_everywhere("[9, 9]", NODE("Transpose", X, "a") ", " NODE("Sub", "\"a\", \"x\"", "z"));
}
END_TEST

START_TEST(vectors_of_matrices) {
    static const char *const ends[] = {
        NODE("ReduceSum", "\"b\"", "z"),
        WITH("ReduceMax", "\"b\"", "z", "\"keepdims\": 0"),
        NODE("ReduceSumSquare", "\"b\"", "z"),
        NODE("ArgMax", "\"b\"", "z"),
        WITH("CumSum", "\"b\", \"axis\"", "z", "\"reverse\": 1"),
    };
    random_start();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char nodes[500];
        snprintf(nodes, sizeof nodes, "%s, %s, %s", WITH("ReduceSum", X, "a", "\"axes\": [1]"),
                 NODE("Squeeze", A, "b"), ends[i]);
        run_everywhere("[12, 5]", nodes);
        snprintf(nodes, sizeof nodes, "%s, %s, %s", WITH("Transpose", X, "a", "\"perm\": [1, 0]"),
                 NODE("Squeeze", A, "b"), ends[i]);
        run_everywhere("[40, 1]", nodes);
        run_everywhere("[1, 40]", nodes);
    }
}
END_TEST

START_TEST(scans_that_are_weights) {
    static const char *const folds[] = {"ReduceMax", "ReduceSum", "ReduceMin", "ReduceSumSquare"};
    random_start();
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        char nodes[300];
        snprintf(nodes, sizeof nodes, "%s%s%s, %s", "{\"op\": \"", folds[i],
                 "\", \"inputs\": [\"x\"], \"outputs\": [\"a\"]}",
                 NODE("MatMul", "\"x\", \"a\"", "z"));
        run_everywhere("[40, 1]", nodes);
        snprintf(nodes, sizeof nodes, "%s%s%s, %s", "{\"op\": \"", folds[i],
                 "\", \"inputs\": [\"x\"], \"outputs\": [\"a\"]}",
                 NODE("MatMul", "\"a\", \"a\"", "z"));
        run_everywhere("[330, 1]", nodes);
    }
}
END_TEST

/* What stands before such a node is still there for others. */
START_TEST(nodes_that_change_nothing) {
    random_start();
    run_everywhere("[1, 6, 7]",
                   NODE("Add", "\"x\", \"w\"", "a") ", " NODE(
                       "CumSum", "\"a\", \"axis\"", "b") ", " NODE("Mul", "\"a\", \"b\"", "z"));
    run_everywhere("[1, 7, 7]",
                   NODE("MatMul", "\"x\", \"w\"", "a") ", " NODE(
                       "CumSum", "\"a\", \"axis\"", "b") ", " NODE("MatMul", "\"b\", \"a\"", "z"));
}
END_TEST

/* Column tiles side by side, whose rows are also weights: all of a row is written at once. */
START_TEST(rows_beside_stripes) {
    static const int lengths[] = {322, 610, 640, 950};
    random_start();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char shape[20];
        snprintf(shape, sizeof shape, "[%d]", lengths[i]);
        for (int affine = 0; affine < 2; affine++)
            run(TSP_F16, shape,
                affine
                    ? NODE("LayerNormalization", "\"x\", \"w\", \"w\"", "a") ", " NODE("ReduceMean",
                                                                                       A, "z")
                    : NODE("RMSNormalization", "\"x\", \"w\"", "a") ", " NODE("ReduceSum", A, "z"),
                "tsp1");
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("meet");
    TCase *tests = tcase_create("meet");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, views_of_one_tensor);
    tcase_add_test(tests, vectors_of_matrices);
    tcase_add_test(tests, scans_that_are_weights);
    tcase_add_test(tests, nodes_that_change_nothing);
    tcase_add_test(tests, rows_beside_stripes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
