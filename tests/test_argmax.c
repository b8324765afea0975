/* test_argmax.c - ArgMax and ArgMin of long vectors: on the chip, by the host interpreter, and by a
 * plain loop here; where the greatest is, how often, and what it is; on machines with other
 * latencies; and in how many cycles.
 */
#include "graph_case.h"

#include <math.h>

/* Which index is asked for. */
typedef enum { LEAST_ELEMENT = 1, LAST_INDEX = 2, ARGS = 4 } Arg;

#define ARG(op, last)                                                                              \
    "{\"op\": \"" op "\", \"inputs\": [\"x\"], \"outputs\": [\"z\"], "                             \
    "\"attributes\": {\"select_last_index\": " last "}}"
static const char *const nodes_of[ARGS] = {ARG("ArgMax", "0"), ARG("ArgMin", "0"),
                                           ARG("ArgMax", "1"), ARG("ArgMin", "1")};

static bool small_scale(void) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small");
}

static const TspDtype types[] = {TSP_U8, TSP_I16, TSP_I32, TSP_F16, TSP_F32};
enum { TYPES = sizeof types / sizeof *types };

/* What the elements beside the greatest are. */
typedef enum { SMALL, NEGATIVE, EQUAL, LEAST, ZEROS, NANS, WILD, KINDS } Kind;

/* Both zeros are as great; a NaN makes all elements as good as any. */
static int64_t index_of_extreme(int arg, TspDtype type, const uint8_t *data, int64_t count) {
    const bool least = arg & LEAST_ELEMENT, last = arg & LAST_INDEX;
    int64_t at = 0;
    double best = tsp_load_double(type, data, 0);
    for (int64_t i = 0; i < count; i++) {
        const double v = tsp_load_double(type, data, i);
        if (isnan(v)) return last ? count - 1 : 0;
        if (!(least ? v < best : v > best) && !(last && v == best)) continue;
        best = v;
        at = i;
    }
    return at;
}

static void store(TspDtype type, uint8_t *data, int64_t i, double v) {
    if (tsp_dtype_is_float(type))
        tsp_store_float(type, data, i, v);
    else
        tsp_store_int(type, data, i, (int64_t)v);
}

static double least_of(TspDtype type) {
    return tsp_dtype_is_float(type) ? -(double)INFINITY
           : type == TSP_U8         ? 0
           : type == TSP_I8         ? -128
           : type == TSP_I16        ? -32768
                                    : -2147483648.0;
}

static double element(TspDtype type, Kind kind) {
    const bool real = tsp_dtype_is_float(type);
    switch (kind) {
    case NEGATIVE:
        return type == TSP_U8 ? random_below(3) : -5 - random_below(40);
    case LEAST:
        return least_of(type);
    case ZEROS:
        return real && random_below(2) ? -0.0 : 0;
    case EQUAL:
        return 7;
    case NANS:
        return real && random_below(5000) == 0 ? (double)NAN : random_below(50);
    case WILD:
        return real              ? (double)(int32_t)random_bits() * 0x1p-20
               : type == TSP_I32 ? (double)(int32_t)random_bits()
                                 : (double)random_below(type == TSP_U8   ? 256
                                                        : type == TSP_I8 ? 128
                                                                         : 32768);
    default:
        return random_below(20);
    }
}

/* The same upside down: the greatest element is the least. */
static double mirrored(TspDtype type, double v) {
    return tsp_dtype_is_float(type) ? -v : type == TSP_U8 ? 255 - v : -1 - v;
}

/* Where rows, lanes, superlanes and blocks begin and end, or anywhere. */
static int32_t somewhere(int32_t elements, int32_t lanes) {
    const int32_t rows = (elements + lanes - 1) / lanes, run = (rows + 15) / 16;
    int32_t row = random_below(rows), lane = random_below(lanes), at;
    if (random_below(3) == 0) row = random_below(16) * run - random_below(2);
    if (random_below(3) == 0) row = row / run * run + random_below(3) * run / 3;
    if (random_below(4) == 0) lane = random_below(2) ? lanes - 1 : 0;
    if (random_below(8) == 0) return elements - 1 - random_below(3);
    at = row * lanes + lane;
    return at < 0 ? 0 : at < elements ? at : elements - 1;
}

/* Whether the vector passed once, with marks on the way. */
static bool has_marks(const TspProgram *p) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (!strcmp(p->tensors[i].name, "z.marks")) return true;
    return false;
}

static bool try_on(const TspMachine *m, int arg, TspDtype type, int32_t elements, Kind kind) {
    const int32_t tops = kind == EQUAL || kind == ZEROS || kind == WILD ? 0 : random_below(4);
    char shape[40];
    bool marks;
    int64_t want;
    Case c = {0};
    snprintf(shape, sizeof shape, "[%d]", elements);
    make_graph(&c, type, shape, 1, nodes_of[arg]);
    snprintf(c.label, sizeof c.label,
             "%s%s of %s %s, kind %d, %d x %d lanes, cycles: vxm %d %d %d, mem %d %d %d, sxm %d %d",
             arg & LEAST_ELEMENT ? "ArgMin" : "ArgMax", arg & LAST_INDEX ? " (last)" : "",
             tsp_dtype_name(type), shape, (int)kind, (int)m->superlanes,
             (int)m->lanes_per_superlane, (int)m->vxm_entry_cycles, (int)m->vxm_op_cycles,
             (int)m->vxm_exit_cycles, (int)m->mem_read_cycles, (int)m->mem_write_cycles,
             (int)m->mem_indirect_cycles, (int)m->sxm_shift_cycles, (int)m->sxm_distribute_cycles);
    c.in[0] = malloc((size_t)elements * (size_t)tsp_dtype_bytes(type));
    for (int32_t i = 0; i < elements; i++) store(type, c.in[0], i, element(type, kind));
    for (int32_t i = 0; i < tops; i++)
        store(type, c.in[0], somewhere(elements, tsp_lanes(m)), kind == NEGATIVE ? -2.0 : 100);
    for (int32_t i = 0; (arg & LEAST_ELEMENT) && i < elements; i++)
        store(type, c.in[0], i, mirrored(type, tsp_load_double(type, c.in[0], i)));
    simulate_on(&c, m);
    want = index_of_extreme(arg, type, c.in[0], elements);
    ck_assert_msg(tsp_load_int(TSP_I32, c.got, 0) == want, "%s: %" PRId64 ", want %" PRId64,
                  c.label, tsp_load_int(TSP_I32, c.got, 0), want);
    interpret_on(&c, m);
    marks = has_marks(&c.p);
    free_case(&c);
    return marks;
}

START_TEST(any_length) {
    const TspMachine tsp1 = machine("tsp1"), tiny = machine("tiny");
    random_start();
    for (int32_t i = 0; i < (small_scale() ? 40 : 140); i++) {
        const bool small = random_below(2);
        try_on(small ? &tiny : &tsp1, i % ARGS, types[i % TYPES],
               1 + random_below(random_below(2) ? 5000 : 40), (Kind)(i / TYPES % KINDS));
    }
}
END_TEST

START_TEST(long_vectors) {
    const TspMachine m = machine("tsp1");
    random_start();
    for (int32_t i = 0; i < (small_scale() ? TYPES * KINDS : TYPES * KINDS * 3); i++)
        ck_assert(try_on(&m, i % 2, types[i % TYPES],
                         250000 + random_below(random_below(6) ? 200000 : 800000),
                         (Kind)(i / TYPES % KINDS)));
}
END_TEST

/* From behind, where rows and lanes beyond the elements come first. */
START_TEST(last_of_long_vectors) {
    const TspMachine m = machine("tsp1");
    random_start();
    for (int32_t i = 0; i < (small_scale() ? 1 : 2) * TYPES * KINDS; i++)
        try_on(&m, LAST_INDEX | i % 2, types[i % TYPES],
               random_below(3) ? 5000 + random_below(300000)
                               : (1 + random_below(900)) * tsp_lanes(&m),
               (Kind)(i / TYPES % KINDS));
}
END_TEST

/* Elements as bytes of keys, on all lengths. */
START_TEST(keys) {
    const TspMachine tsp1 = machine("tsp1"), tiny = machine("tiny");
    random_start();
    for (int32_t i = 0; i < (small_scale() ? 2 : 8) * KINDS; i++) {
        const bool is_long = random_below(4) == 0;
        try_on(is_long || random_below(2) ? &tsp1 : &tiny, i % ARGS, TSP_I8,
               1 + random_below(is_long           ? 400000
                                : random_below(2) ? 5000
                                                  : 40),
               (Kind)(i % KINDS));
    }
}
END_TEST

/* Machines of other latencies and fewer lanes, on which vectors are shorter. */
START_TEST(other_machines) {
    const int32_t cases = small_scale() ? 30 : 90;
    int32_t marks = 0;
    random_start();
    for (int32_t i = 0; i < cases; i++) {
        TspMachine m = machine("tsp1");
        m.superlanes = 2 + random_below(5);
        m.lanes_per_superlane = 2 << random_below(3);
        m.mxm_load_streams = 4;
        m.ifetch_bytes = 64;
        m.vxm_op_cycles = 1 + random_below(5);
        m.vxm_entry_cycles = random_below(6);
        m.vxm_exit_cycles = random_below(3);
        m.mem_read_cycles = 1 + random_below(4);
        m.mem_write_cycles = 1 + random_below(5);
        m.mem_indirect_cycles = random_below(4);
        m.sxm_shift_cycles = 1 + random_below(4);
        m.sxm_distribute_cycles = 1 + random_below(5);
        if (random_below(5) == 0) m.mem_slices = 40;
        marks += try_on(&m, i % 2, types[i % TYPES],
                        (int32_t)tsp_lanes(&m) * (700 + random_below(2500)) - random_below(30),
                        (Kind)(i / TYPES % KINDS));
        if (i % 3) continue;
        try_on(&m, LAST_INDEX | i % 2, types[i % TYPES], 1 + random_below(20000),
               (Kind)(i / TYPES % KINDS));
    }
    ck_assert_int_gt(marks, cases / 2);
}
END_TEST

#define TO(x, op, z) "{\"op\": \"" op "\", \"inputs\": [" x "], \"outputs\": [\"" z "\"]}"

/* Of what other nodes make and read, more than one, and with what is made of the index. */
START_TEST(between_other_nodes) {
    static const char *const nodes[] = {
        TO("\"x\", \"y\"", "Add", "s") ", " TO("\"s\"", "ArgMax", "z"),
        TO("\"x\"", "ArgMax", "a") ", " TO("\"y\"", "ArgMin", "b") ", " TO("\"a\", \"b\"", "Sub",
                                                                           "z"),
        TO("\"x\"", "Neg", "n") ", " TO("\"n\"", "ArgMax", "a") ", " TO(
            "\"n\"", "ReduceMax", "m") ", " TO("\"y\", \"m\"", "Add", "z") ", " TO("\"a\"", "Neg",
                                                                                   "b"),
        TO("\"x\"", "ArgMin", "a") ", " TO("\"y\"", "ReduceMin", "m") ", " TO("\"a\", \"m\"", "Max",
                                                                              "z"),
    };
    const TspMachine m = machine("tsp1");
    random_start();
    for (int32_t i = 0; i < 4; i++) {
        char shape[40];
        Case c = {0};
        snprintf(shape, sizeof shape, "[%d]", 300000 + random_below(100000));
        make_graph(&c, TSP_I32, shape, 2, nodes[i]);
        fill(&c, random_below(2));
        simulate_on(&c, &m);
        interpret_on(&c, &m);
        free_case(&c);
    }
}
END_TEST

/* In less time than a second passage would take, whatever the type. */
START_TEST(cycles_of_long_vectors) {
    /* hundredths of the bound; the last row of ArgMin of uint8 has to be padded first */
    static const int64_t most[2][TYPES] = {{191, 194, 206, 196, 209}, {193, 194, 206, 196, 209}};
    random_start();
    for (int32_t i = 0; i < 2 * TYPES; i++)
        check_speed(types[i / 2], 1, 3000001, nodes_of[i % 2], most[i % 2][i / 2]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("argmax");
    TCase *tests = tcase_create("argmax");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, any_length);
    tcase_add_test(tests, long_vectors);
    tcase_add_test(tests, last_of_long_vectors);
    tcase_add_test(tests, keys);
    tcase_add_test(tests, other_machines);
    tcase_add_test(tests, between_other_nodes);
    tcase_add_test(tests, cycles_of_long_vectors);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
