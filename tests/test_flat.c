/* test_flat.c - long vectors: curves of every half, copies, and how near the bound they come.
 */
#include "graph_case.h"

#include <math.h>

#define TO(x, op, z) "{\"op\": \"" op "\", \"inputs\": [\"" x "\"], \"outputs\": [\"" z "\"]}"
#define ONE(op)      "{\"op\": \"" op "\", \"inputs\": [\"x\"], \"outputs\": [\"z\"]}"

/* ---- every half ---- */

enum { HALFS = 1 << 16 };

/* The curve of every half, in c.got. */
static void curve_of_halfs(Case *c, const char *nodes) {
    make_graph(c, TSP_F16, "[65536]", 1, nodes);
    c->in[0] = malloc(2 * HALFS);
    for (int32_t i = 0; i < HALFS; i++) ((uint16_t *)c->in[0])[i] = (uint16_t)i;
    simulate(c, "tsp1");
    interpret(c, "tsp1");
}

/* Exact where the root is a half, among them 0, infinity and NaN, and else off by one at most. */
START_TEST(root_of_every_half) {
    Case c = {0};
    curve_of_halfs(&c, ONE("Sqrt"));
    for (int32_t i = 0; i < HALFS; i++) {
        double x = tsp_load_double(TSP_F16, c.in[0], i), root = sqrt(x + 0.0), want, got;
        uint8_t nearest[2];
        tsp_store_float(TSP_F16, nearest, 0, root);
        want = tsp_load_double(TSP_F16, nearest, 0);
        got = tsp_load_double(TSP_F16, c.got, i);
        ck_assert_msg(isnan(want) ? isnan(got) : fabs(got - want) <= 0x1p-10 * want || got == want,
                      "half %04x: %g, want %g", (unsigned)i, got, want);
        if (want * want == x) ck_assert_msg(got == want, "half %04x: %g", (unsigned)i, got);
    }
    free_case(&c);
}
END_TEST

START_TEST(sigmoid_of_every_half) {
    Case c = {0};
    curve_of_halfs(&c, ONE("Sigmoid"));
    for (int32_t i = 0; i < HALFS; i++) {
        double x = tsp_load_double(TSP_F16, c.in[0], i), want = 1 / (1 + exp(-x));
        double got = tsp_load_double(TSP_F16, c.got, i);
        ck_assert_msg(isnan(x) ? isnan(got) : fabs(got - want) <= 0x1p-11 * want + 0x1p-22,
                      "half %04x: %g, want %g", (unsigned)i, got, want);
    }
    free_case(&c);
}
END_TEST

/* Bit for bit, NaN aside: one product, rounded once. Zeros are +0 where alpha is not above zero. */
static void try_leaky_relu(double given) {
    char node[200];
    uint8_t half[2];
    Case c = {0};
    tsp_store_float(TSP_F16, half, 0, given);
    const double alpha = tsp_load_double(TSP_F16, half, 0);
    snprintf(node, sizeof node,
             "{\"op\": \"LeakyRelu\", \"inputs\": [\"x\"], \"outputs\": [\"z\"], "
             "\"attributes\": {\"alpha\": %.17g}}",
             given);
    curve_of_halfs(&c, node);
    for (int32_t i = 0; i < HALFS; i++) {
        const double x = tsp_load_double(TSP_F16, c.in[0], i);
        double want = x;
        if (x <= 0) {
            tsp_store_float(TSP_F16, half, 0, alpha * x);
            want = tsp_load_double(TSP_F16, half, 0);
            if (want == 0 && alpha <= 0) want = 0;
        }
        tsp_store_float(TSP_F16, half, 0, want);
        if (isnan(want))
            ck_assert_msg(isnan(tsp_load_double(TSP_F16, c.got, i)), "alpha %g, half %04x", given,
                          (unsigned)i);
        else
            ck_assert_msg(!memcmp(half, c.got + 2 * i, 2), "alpha %g, half %04x: %g, want %g",
                          given, (unsigned)i, tsp_load_double(TSP_F16, c.got, i), want);
    }
    free_case(&c);
}

/* Alphas of each kind: below 1, 1, above, so large that products overflow, subnormal, none, and
 * less. */
START_TEST(leaky_relu_of_every_half) {
    static const double alphas[] = {0.01, 0.3, 1, 1.7, 60000, 3e-7, 1e-9, 0, -0.3, -2};
    for (size_t i = 0; i < sizeof alphas / sizeof *alphas; i++) try_leaky_relu(alphas[i]);
}
END_TEST

/* ---- copies ---- */

/* The output z is the input x bit for bit, whatever else is made of either. */
static void try_copy(TspDtype type, int32_t elements, const char *nodes, const char *name) {
    char shape[40];
    Case c = {0};
    snprintf(shape, sizeof shape, "[%d]", elements);
    make_graph(&c, type, shape, 1, nodes);
    fill(&c, true);
    simulate(&c, name);
    interpret(&c, name);
    ck_assert_msg(!memcmp(c.got, c.in[0], (size_t)tsp_value_bytes(c.z)), "%s on %s", c.label, name);
    free_case(&c);
}

START_TEST(copies_of_any_length) {
    static const TspDtype kinds[] = {TSP_I8, TSP_I16, TSP_I32, TSP_F16, TSP_F32};
    static const char *const graphs[] = {
        ONE("Identity"), ONE("Identity") ", " TO("x", "Identity", "b"),
        ONE("Identity") ", " TO("x", "Abs", "b"), ONE("Identity") ", " TO("z", "Abs", "b"),
        TO("x", "Identity", "b") ", " TO("b", "Identity", "z")};
    random_start();
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            try_copy(kinds[k], 2 + random_below(random_below(2) ? 4000 : 700), graphs[i], "tiny");
            try_copy(kinds[k], 2 + random_below(random_below(2) ? 200000 : 700), graphs[i], "tsp1");
        }
}
END_TEST

/* ---- how near the bound ---- */

static void try_speed(TspDtype type, const char *nodes, int64_t most) {
    check_speed(type, 1, 1000000, nodes, most);
}

/* Five and six operations leave no ALU of sixteen idle; a copy leaves no slice. */
START_TEST(long_vectors_run_near_the_bound) {
    random_start();
    try_speed(TSP_F16, ONE("Sigmoid"), 105);
    try_speed(TSP_F32, ONE("Sigmoid"), 103);
    try_speed(TSP_F16, ONE("Sqrt"), 105);
    try_speed(TSP_F32, ONE("Sqrt"), 103);
    try_speed(TSP_F32, ONE("Identity"), 110);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("flat");
    TCase *tests = tcase_create("flat");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, root_of_every_half);
    tcase_add_test(tests, sigmoid_of_every_half);
    tcase_add_test(tests, leaky_relu_of_every_half);
    tcase_add_test(tests, copies_of_any_length);
    tcase_add_test(tests, long_vectors_run_near_the_bound);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
