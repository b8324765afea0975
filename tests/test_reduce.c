/* test_reduce.c - long vectors: element-wise nodes and reductions, on the chip, by the host
 * interpreter, and by plain loops here; predicted cycles, and how near the bound they come.
 */
#include "graph_case.h"

#include <math.h>

#define ONE(op) "{\"op\": \"" op "\", \"inputs\": [\"x\"], \"outputs\": [\"z\"]}"
#define TWO(op) "{\"op\": \"" op "\", \"inputs\": [\"x\", \"y\"], \"outputs\": [\"z\"]}"

/* ---- what the nodes mean, as plain loops ---- */

static double plain(const char *op, const Case *c) {
    TspDtype type = c->x[0]->dtype;
    int64_t count = tsp_value_elements(c->x[0]), at = 0;
    double first = tsp_load_double(type, c->in[0], 0), sum = 0, high = first, low = first;
    for (int64_t i = 0; i < count; i++) {
        double v = tsp_load_double(type, c->in[0], i);
        sum += v;
        if (v > high) high = v, at = i;
        if (v < low) low = v;
    }
    if (!strcmp(op, "ReduceSum")) return type == TSP_I32 ? (int32_t)(uint32_t)(int64_t)sum : sum;
    if (!strcmp(op, "ReduceMean")) return sum / (double)count;
    if (!strcmp(op, "ArgMax")) return (double)at;
    return strcmp(op, "ReduceMax") ? low : high;
}

static bool takes(const char *op, TspDtype type) {
    if (!strcmp(op, "ReduceMean")) return tsp_dtype_is_float(type);
    if (!strcmp(op, "ReduceSum")) return tsp_dtype_is_float(type) || type == TSP_I32;
    return type != TSP_BOOL;
}

/* Sums of whole numbers are exact as long as they fit the type. */
static bool exact(const char *op, TspDtype type, double want) {
    if (!strcmp(op, "ReduceMean")) return false;
    return type != TSP_F16 || (want < 2048 && want > -2048);
}

static void try_reduction(const char *op, TspDtype type, int32_t elements, const char *name,
                          bool wild) {
    char nodes[200], shape[40];
    Case c = {0};
    snprintf(nodes, sizeof nodes,
             "{\"op\": \"%s\", \"inputs\": [\"x\"], \"outputs\": [\"z\"], \"attributes\": "
             "{\"keepdims\": %d}}",
             op, random_below(2));
    snprintf(shape, sizeof shape, elements % 2 || !strcmp(op, "ArgMax") ? "[%d]" : "[2, %d, 1]",
             elements % 2 || !strcmp(op, "ArgMax") ? elements : elements / 2);
    make_graph(&c, type, shape, 1, nodes);
    fill(&c, wild);
    simulate(&c, name);
    interpret(&c, name);
    double want = plain(op, &c), got = tsp_load_double(c.z->dtype, c.got, 0);
    if (!wild && exact(op, type, want))
        ck_assert_msg(got == want, "%s on %s: %.17g, want %.17g", c.label, name, got, want);
    free_case(&c);
}

static const char *const ops[] = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ArgMax"};
static const TspDtype types[] = {TSP_I8, TSP_U8, TSP_I16, TSP_I32, TSP_F16, TSP_F32};
enum { OPS = sizeof ops / sizeof *ops, TYPES = sizeof types / sizeof *types };

START_TEST(reductions_of_any_length) {
    random_start();
    for (int round = 0; round < 300; round++) {
        const char *op = ops[random_below(OPS)];
        TspDtype type = types[random_below(TYPES)];
        if (!takes(op, type)) continue;
        try_reduction(op, type, 1 + random_below(random_below(2) ? 5000 : 40),
                      random_below(2) ? "tsp1" : "tiny", random_below(3) == 0);
    }
}
END_TEST

/* All elements are the least (greatest) there is, so whatever else is in lanes without an element
 * would win. */
START_TEST(lanes_without_elements_do_not_count) {
    static const int lengths[] = {2, 15, 17, 319, 321, 5003};
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof *lengths; i++) {
        const bool most = i % 2;
        Case c = {0};
        char shape[40];
        snprintf(shape, sizeof shape, "[%d]", lengths[i / 2]);
        make_graph(&c, TSP_I8, shape, 1, most ? ONE("ReduceMax") : ONE("ReduceMin"));
        c.in[0] = malloc((size_t)lengths[i / 2]);
        memset(c.in[0], most ? 0x80 : 0x7f, (size_t)lengths[i / 2]);
        simulate(&c, i % 3 ? "tsp1" : "tiny");
        ck_assert_int_eq((int8_t)c.got[0], most ? -128 : 127);
        free_case(&c);
    }
}
END_TEST

/* Of two elements that are the greatest the first counts, wherever they lie: near each other, in
 * other lanes, rows, and chains; and of vectors of one number the first of all. */
static void try_ties(TspDtype type, int32_t elements, const char *name) {
    const int32_t high = type == TSP_U8 ? 255 : type == TSP_I8 ? 127 : 32767;
    const bool flat = random_below(4) == 0; /* all the least */
    int32_t a = random_below(elements), b = random_below(2) ? random_below(elements) : elements - 1;
    char shape[40];
    Case c = {0};
    snprintf(shape, sizeof shape, "[%d]", elements);
    make_graph(&c, type, shape, 1, ONE("ArgMax"));
    c.in[0] = malloc((size_t)elements * (size_t)tsp_dtype_bytes(type));
    for (int32_t i = 0; i < elements; i++)
        tsp_store_int(type, c.in[0], i, flat ? high + 1 : high - 1 - random_below(3));
    if (!flat) tsp_store_int(type, c.in[0], a, high);
    if (!flat) tsp_store_int(type, c.in[0], b, high);
    simulate(&c, name);
    interpret(&c, name);
    ck_assert_int_eq(tsp_load_int(TSP_I32, c.got, 0), flat ? 0 : a < b ? a : b);
    free_case(&c);
}

START_TEST(first_of_the_greatest) {
    static const TspDtype kinds[] = {TSP_I8, TSP_U8, TSP_I16};
    static const int lengths[] = {2, 15, 16, 17, 319, 320, 321, 639, 640, 641, 5119, 5120, 5121};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    random_start();
    for (int32_t i = 0; i < 6 * LENGTHS; i++)
        try_ties(kinds[i / LENGTHS % 3], lengths[i % LENGTHS], i / LENGTHS < 3 ? "tsp1" : "tiny");
    for (int32_t i = 0; i < 6; i++)
        try_ties(kinds[i % 3], 20000 + random_below(100000), i < 3 ? "tsp1" : "tiny");
}
END_TEST

/* What 24 bits of a key can count, and one element more. */
START_TEST(the_longest_keys) {
    enum { MOST = (1 << 24) / 320 * 320 };
    random_start();
    try_ties(TSP_I8, MOST, "tsp1");
    try_ties(TSP_I8, MOST + 1, "tsp1");
}
END_TEST

/* ---- running sums ---- */

#define CUM_SUM(x, z)                                                                              \
    "{\"op\": \"CumSum\", \"inputs\": [\"" x "\", \"axis\"], \"outputs\": [\"" z "\"]}"

/* Sums of whole numbers are exact in float32, and rounded once to float16. */
static void compare_running_sum(const Case *c, const char *name) {
    TspDtype type = c->z->dtype;
    double sum = 0;
    uint32_t whole = 0;
    for (int64_t i = 0; i < tsp_value_elements(c->z); i++) {
        uint8_t want[4];
        sum += tsp_load_double(type, c->in[0], i);
        whole += (uint32_t)(type == TSP_I32 ? tsp_load_int(type, c->in[0], i) : 0);
        if (type == TSP_I32)
            tsp_store_int(type, want, 0, (int32_t)whole);
        else
            tsp_store_float(type, want, 0, sum);
        double expected = tsp_load_double(type, want, 0), got = tsp_load_double(type, c->got, i);
        ck_assert_msg(got == expected, "%s on %s: element %" PRId64 " is %.17g, want %.17g",
                      c->label, name, i, got, expected);
    }
}

static void try_running_sum(TspDtype type, int32_t elements, const char *name, bool wild) {
    char shape[40];
    Case c = {0};
    snprintf(shape, sizeof shape, "[%d]", elements);
    make_graph(&c, type, shape, 1, CUM_SUM("x", "z"));
    fill(&c, wild);
    simulate(&c, name);
    interpret(&c, name);
    if (!wild || type == TSP_I32) compare_running_sum(&c, name);
    free_case(&c);
}

START_TEST(running_sums_of_any_length) {
    static const TspDtype kinds[] = {TSP_I32, TSP_F16, TSP_F32};
    random_start();
    for (int round = 0; round < 150; round++)
        try_running_sum(kinds[random_below(3)], 1 + random_below(random_below(2) ? 5000 : 40),
                        random_below(2) ? "tsp1" : "tiny", random_below(3) == 0);
    for (int kind = 0; kind < 3; kind++)
        try_running_sum(kinds[kind], 100000 + random_below(1000), "tsp1", false);
}
END_TEST

/* On tiny: no second copies of what chains begin with, which so may come from the other hemisphere,
 * and halfs are not kept as float32. */
START_TEST(running_sums_where_memory_is_short) {
    random_start();
    for (int round = 0; round < 3; round++) {
        try_running_sum(TSP_I32, 16500 + random_below(1500), "tiny", round == 2);
        try_running_sum(TSP_F16, 28000 + random_below(3000), "tiny", false);
    }
}
END_TEST

static void limit_cycles(TspDtype type, const char *shape, int64_t most) {
    const TspMachine m = machine("tsp1");
    TspError err;
    Case c = {0};
    make_graph(&c, type, shape, 1, CUM_SUM("x", "z"));
    if (!tsp_compile(&c.g, &m, NULL, &c.p, &err)) ck_abort_msg("%s: %s", c.label, err.text);
    ck_assert_msg(c.p.predicted_cycles <= most, "%s: %" PRId64 " cycles, not %" PRId64, c.label,
                  c.p.predicted_cycles, most);
    free_case(&c);
}

START_TEST(cycles_of_running_sums) {
    random_start();
    limit_cycles(TSP_I32, "[10000000]", 6231);
    limit_cycles(TSP_F16, "[10000000]", 8187);
    limit_cycles(TSP_I32, "[1000000]", 948);
    limit_cycles(TSP_F16, "[1000000]", 1155);
    limit_cycles(TSP_F32, "[1000]", 304);
}
END_TEST

/* ---- dot products ---- */

static double plain_dot(const Case *c) {
    TspDtype type = c->x[0]->dtype;
    double sum = 0;
    for (int64_t i = 0; i < tsp_value_elements(c->x[0]); i++)
        sum += tsp_load_double(type, c->in[0], i) * tsp_load_double(type, c->in[1], i);
    return tsp_dtype_is_float(type) ? sum : (int32_t)(uint32_t)(int64_t)sum;
}

static void try_dot(TspDtype type, int32_t elements, const char *name, bool wild) {
    char nodes[200], shape[40];
    Case c = {0};
    snprintf(nodes, sizeof nodes,
             "{\"op\": \"%s\", \"inputs\": [\"x\", \"y\"], \"outputs\": [\"z\"]}",
             tsp_dtype_is_float(type) ? "MatMul" : "MatMulInteger");
    snprintf(shape, sizeof shape, "[%d]", elements);
    make_graph(&c, type, shape, 2, nodes);
    fill(&c, wild);
    simulate(&c, name);
    interpret(&c, name);
    double want = plain_dot(&c), got = tsp_load_double(c.z->dtype, c.got, 0);
    if (!wild && exact("ReduceSum", c.z->dtype, want))
        ck_assert_msg(got == want, "%s on %s: %.17g, want %.17g", c.label, name, got, want);
    free_case(&c);
}

START_TEST(dot_products_of_any_length) {
    static const TspDtype kinds[] = {TSP_I8, TSP_U8, TSP_F16, TSP_F32};
    random_start();
    for (int round = 0; round < 60; round++)
        try_dot(kinds[random_below(4)], 1 + random_below(5000), "tiny", random_below(3) == 0);
    for (int kind = 0; kind < 4; kind++)
        try_dot(kinds[kind], 20480 + random_below(5000), "tsp1", false);
}
END_TEST

/* Long enough for planes of the MXM to take rows beside the ALUs. */
START_TEST(dot_products_by_both_units) {
    static const TspDtype kinds[] = {TSP_I8, TSP_U8, TSP_F16};
    random_start();
    for (int round = 0; round < 9; round++)
        try_dot(kinds[round % 3], 100000 + random_below(600000), "tsp1", round >= 6);
    for (int round = 0; round < 12; round++)
        try_dot(kinds[round % 3], 4000 + random_below(20000), "tiny", round >= 9);
}
END_TEST

/* Operands that are made on the chip, known, or one and the same. */
START_TEST(operands_of_dot_products) {
    static const char *const operands[] = {"\"n\", \"y\"", "\"y\", \"n\"", "\"n\", \"n\"",
                                           "\"y\", \"y\"", "\"x\", \"w\"", "\"w\", \"x\""};
    random_start();
    for (size_t i = 0; i < sizeof operands / sizeof *operands; i++) {
        char nodes[300], shape[40];
        Case c = {0};
        snprintf(nodes, sizeof nodes,
                 "{\"op\": \"Neg\", \"inputs\": [\"x\"], \"outputs\": [\"n\"]}, {\"op\": "
                 "\"MatMul\", \"inputs\": [%s], \"outputs\": [\"z\"]}",
                 operands[i]);
        snprintf(shape, sizeof shape, "[%d]", 500000 + random_below(1000));
        make_graph(&c, TSP_F16, shape, 2, nodes);
        fill(&c, false);
        simulate(&c, "tsp1");
        interpret(&c, "tsp1");
        free_case(&c);
    }
}
END_TEST

/* Of an infinity only its own product counts, not those with the rows beside it. */
START_TEST(infinity_in_a_dot_product) {
    enum { ELEMENTS = 500000 };
    Case c = {0};
    make_graph(&c, TSP_F16, "[500000]", 2, TWO("MatMul"));
    for (int i = 0; i < 2; i++) c.in[i] = calloc(ELEMENTS, 2);
    tsp_store_float(TSP_F16, c.in[0], 1000, (double)INFINITY);
    tsp_store_float(TSP_F16, c.in[1], 1000, 2);
    simulate(&c, "tsp1");
    ck_assert(tsp_load_double(TSP_F16, c.got, 0) == (double)INFINITY);
    free_case(&c);
}
END_TEST

/* ---- several nodes, scalars among them ---- */

START_TEST(vectors_and_scalars) {
    static const struct {
        TspDtype type;
        int inputs;
        const char *nodes;
    } graphs[] = {
        {TSP_F32, 1,
         "{\"op\": \"ReduceMean\", \"inputs\": [\"x\"], \"outputs\": [\"m\"], \"attributes\": "
         "{\"axes\": [0]}}, {\"op\": \"Sub\", \"inputs\": [\"x\", \"m\"], \"outputs\": [\"d\"]}, "
         "{\"op\": \"Mul\", \"inputs\": [\"d\", \"d\"], \"outputs\": [\"s\"]}, {\"op\": "
         "\"ReduceMean\", \"inputs\": [\"s\"], \"outputs\": [\"z\"]}"},
        {TSP_I8, 1,
         "{\"op\": \"Cast\", \"inputs\": [\"x\"], \"outputs\": [\"v\"], \"attributes\": {\"to\": "
         "\"int32\"}}, {\"op\": \"ReduceSum\", \"inputs\": [\"v\"], \"outputs\": [\"z\"]}"},
        {TSP_I32, 2,
         "{\"op\": \"ReduceMax\", \"inputs\": [\"x\"], \"outputs\": [\"m\"]}, {\"op\": \"Sub\", "
         "\"inputs\": [\"m\", \"y\"], \"outputs\": [\"d\"]}, {\"op\": \"Relu\", \"inputs\": "
         "[\"d\"], "
         "\"outputs\": [\"r\"]}, {\"op\": \"Add\", \"inputs\": [\"r\", \"x\"], \"outputs\": "
         "[\"z\"]}"},
        {TSP_F16, 2,
         "{\"op\": \"ArgMax\", \"inputs\": [\"x\"], \"outputs\": [\"a\"]}, {\"op\": \"Cast\", "
         "\"inputs\": [\"a\"], \"outputs\": [\"h\"], \"attributes\": {\"to\": \"float16\"}}, "
         "{\"op\": "
         "\"Mul\", \"inputs\": [\"y\", \"h\"], \"outputs\": [\"z\"]}"},
        {TSP_I32, 2,
         "{\"op\": \"Add\", \"inputs\": [\"x\", \"w\"], \"outputs\": [\"s\"]}, " CUM_SUM(
             "s", "c") ", " CUM_SUM("c", "d") ", {\"op\": \"Sub\", \"inputs\": [\"d\", \"y\"], "
                                              "\"outputs\": [\"z\"]}"},
        {TSP_F16, 2,
         "{\"op\": \"ReduceMax\", \"inputs\": [\"y\"], \"outputs\": [\"m\"]}, {\"op\": \"Sub\", "
         "\"inputs\": [\"x\", \"m\"], \"outputs\": [\"d\"]}, {\"op\": \"Cast\", \"inputs\": "
         "[\"d\"], \"outputs\": [\"e\"], \"attributes\": {\"to\": \"float32\"}}, " CUM_SUM("e",
                                                                                           "z")},
        {TSP_I16, 2,
         "{\"op\": \"Add\", \"inputs\": [\"x\", \"y\"], \"outputs\": [\"s\"]}, {\"op\": "
         "\"ReduceMin\", \"inputs\": [\"s\"], \"outputs\": [\"z\"], \"attributes\": {\"axes\": "
         "[-1]}}"},
    };
    random_start();
    for (int round = 0; round < 84; round++) {
        size_t i = (size_t)round % (sizeof graphs / sizeof *graphs);
        const char *name = random_below(2) ? "tsp1" : "tiny";
        char shape[40];
        Case c = {0};
        snprintf(shape, sizeof shape, "[%d]", 2 + random_below(random_below(2) ? 3000 : 40));
        make_graph(&c, graphs[i].type, shape, graphs[i].inputs, graphs[i].nodes);
        fill(&c, false);
        simulate(&c, name);
        interpret(&c, name);
        free_case(&c);
    }
}
END_TEST

/* Of a full row and of one that is not. */
START_TEST(known_scalars) {
    static const char *const operators[] = {
        "Add", "Sub", "Mul", "Max", "Min", "Equal", "GreaterOrEqual", "Less"};
    random_start();
    for (size_t i = 0; i < 2 * sizeof operators / sizeof *operators; i++)
        for (int t = 0; t < TYPES; t++) {
            char nodes[100], shape[40];
            const char *name = random_below(2) ? "tsp1" : "tiny";
            Case c = {0};
            snprintf(nodes, sizeof nodes,
                     "{\"op\": \"%s\", \"inputs\": [%s], \"outputs\": [\"z\"]}", operators[i / 2],
                     i % 2 ? "\"k\", \"x\"" : "\"x\", \"k\"");
            snprintf(shape, sizeof shape, "[%d]", 2 + random_below(random_below(2) ? 3000 : 330));
            make_graph(&c, types[t], shape, 1, nodes);
            fill(&c, random_below(2));
            simulate(&c, name);
            interpret(&c, name);
            free_case(&c);
        }
}
END_TEST

/* ---- how near the bound ---- */

static void try_speed(TspDtype type, int inputs, const char *nodes, int64_t most) {
    check_speed(type, inputs, 3000001, nodes, most);
}

START_TEST(long_vectors_run_near_the_bound) {
    random_start();
    try_speed(TSP_I8, 2, TWO("Add"), 110);
    try_speed(TSP_F16, 2, TWO("Add"), 110);
    try_speed(TSP_F32, 2, TWO("Mul"), 115);
    try_speed(TSP_I32, 2, TWO("Less"), 125);
    try_speed(TSP_F32, 1, ONE("Neg"), 105);
    try_speed(TSP_F16, 1, "{\"op\": \"Mul\", \"inputs\": [\"x\", \"k\"], \"outputs\": [\"z\"]}",
              105);
    try_speed(TSP_I32, 1, ONE("ReduceSum"), 135);
    try_speed(TSP_F16, 1, ONE("ReduceSum"), 118);
    try_speed(TSP_F32, 1, ONE("ReduceMean"), 135);
    try_speed(TSP_I8, 1, ONE("ReduceMax"), 130);
    try_speed(TSP_F32, 1, ONE("ReduceMin"), 136);
    try_speed(TSP_I8, 1, ONE("ArgMax"), 142);
    try_speed(TSP_I16, 1, ONE("ArgMax"), 194);
    try_speed(TSP_I32, 1, CUM_SUM("x", "z"), 128);
    try_speed(TSP_F16, 1, CUM_SUM("x", "z"), 131);
    try_speed(TSP_I8, 2, TWO("MatMulInteger"), 126);
    try_speed(TSP_F16, 2, TWO("MatMul"), 118);
    try_speed(TSP_F32, 2, TWO("MatMul"), 145);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("reduce");
    TCase *tests = tcase_create("reduce");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, reductions_of_any_length);
    tcase_add_test(tests, lanes_without_elements_do_not_count);
    tcase_add_test(tests, first_of_the_greatest);
    tcase_add_test(tests, the_longest_keys);
    tcase_add_test(tests, running_sums_of_any_length);
    tcase_add_test(tests, running_sums_where_memory_is_short);
    tcase_add_test(tests, cycles_of_running_sums);
    tcase_add_test(tests, dot_products_of_any_length);
    tcase_add_test(tests, dot_products_by_both_units);
    tcase_add_test(tests, operands_of_dot_products);
    tcase_add_test(tests, infinity_in_a_dot_product);
    tcase_add_test(tests, vectors_and_scalars);
    tcase_add_test(tests, known_scalars);
    tcase_add_test(tests, long_vectors_run_near_the_bound);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
