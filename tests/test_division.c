/* test_division.c - Div and Mod of int32 and Mod of floats: bit for bit what C makes of the same
 * numbers, at the ends of every range, by divisors that are known, and by 0.
 */
#include "operator_case.h"

/* ---- operands ---- */

static const int64_t edges[] = {0,
                                1,
                                -1,
                                2,
                                -2,
                                3,
                                7,
                                -10,
                                255,
                                46340,
                                46341,
                                65535,
                                65536,
                                -65537,
                                1 << 23,
                                16777215,
                                1 << 24,
                                16777217,
                                -33554433,
                                1073741823,
                                1073741824,
                                INT32_MAX,
                                INT32_MIN,
                                INT32_MAX - 1,
                                INT32_MIN + 1,
                                INT32_MAX - 128};
enum { EDGES = sizeof edges / sizeof *edges };

/* Of any length, and often at an end or next to it. */
static int64_t any_int(void) {
    if (one_in(4)) return edges[random_below(EDGES)];
    return (int64_t)(int32_t)random_bits() >> random_below(32);
}

/* Quotients that are whole, or nearly. */
static int64_t near_multiple(int64_t b) {
    const int64_t most = b ? INT32_MAX / llabs(b) : 0;
    const int64_t q = most ? (int64_t)(random_bits() >> 8) % (2 * most + 1) - most : 0;
    const int64_t a = q * b + random_below(3) - 1;
    return a < INT32_MIN || a > INT32_MAX ? q * b : a;
}

static double any_float(TspDtype type) {
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 65504, 6e-8, 1};
    const uint64_t bits = random_bits();
    uint8_t data[4];
    if (one_in(12)) return special[random_below(sizeof special / sizeof *special)];
    memcpy(data, &bits, sizeof data);
    return tsp_load_double(type, data, 0);
}

/* ---- what results have to be ---- */

static int64_t quotient(int64_t a, int64_t b) {
    if (b == 0) return a < 0 ? INT32_MIN : INT32_MAX;
    return a / b > INT32_MAX ? INT32_MAX : a / b;
}

static int64_t modulus(int64_t a, int64_t b, bool of_dividend) {
    int64_t rest;
    if (b == 0) return a;
    rest = a % b;
    return !of_dividend && rest && (rest < 0) != (b < 0) ? rest + b : rest;
}

typedef enum { DIV, MOD, FMOD } Kind;

static int64_t expected(Kind kind, int64_t a, int64_t b) {
    return kind == DIV ? quotient(a, b) : modulus(a, b, kind == FMOD);
}

/* ---- graphs ---- */

/* y = a op b, on a machine; b is an input, or the list of all its elements. */
static void open_division(Case *c, char text[], Kind kind, const char *type, const char *shape_a,
                          const char *shape_b, const char *known) {
    char input[200] = "", constant[400] = "";
    if (known)
        sprintf(constant,
                "\"initializers\": [{\"name\": \"b\", \"dtype\": \"%s\", \"shape\": %s, "
                "\"data\": %s}], ",
                type, shape_b, known);
    else
        sprintf(input, ", {\"name\": \"b\", \"dtype\": \"%s\", \"shape\": %s}", type, shape_b);
    sprintf(text,
            "{\"inputs\": [{\"name\": \"a\", \"dtype\": \"%s\", \"shape\": %s}%s], %s\"nodes\": "
            "[{\"op\": \"%s\", \"inputs\": [\"a\", \"b\"], \"outputs\": [\"y\"], \"attributes\": "
            "{%s}}], \"outputs\": [\"y\"]}",
            type, shape_a, input, constant, kind == DIV ? "Div" : "Mod",
            kind == FMOD ? "\"fmod\": 1" : "");
    open_case(c, text);
    fill(c, 1, false);
}

/* b has as many elements as a, or one. */
static void check_ints(Kind kind, const char *shape_a, const char *shape_b, const char *known,
                       const TspMachine *m) {
    char text[1500];
    Case c;
    int32_t a, b, y;
    open_division(&c, text, kind, "int32", shape_a, shape_b, known);
    const int64_t elements = tsp_value_elements(value_of(&c, "a", &a)),
                  divisors = tsp_value_elements(value_of(&c, "b", &b));
    const uint8_t *by = c.data[b] ? c.data[b] : c.g.values[b].data;
    for (int64_t i = 0; i < divisors && c.data[b]; i++)
        tsp_store_int(TSP_I32, c.data[b], i, any_int());
    for (int64_t i = 0; i < elements; i++) {
        const int64_t divisor = tsp_load_int(TSP_I32, by, i % divisors);
        tsp_store_int(TSP_I32, c.data[a], i, one_in(2) ? any_int() : near_multiple(divisor));
    }
    simulate(&c, m);
    compare(&c, m);
    value_of(&c, "y", &y);
    for (int64_t i = 0; i < elements; i++) {
        const int64_t x = tsp_load_int(TSP_I32, c.data[a], i),
                      z = tsp_load_int(TSP_I32, by, i % divisors),
                      got = tsp_load_int(TSP_I32, c.got[y], i);
        ck_assert_msg(got == expected(kind, x, z),
                      "%" PRId64 " and %" PRId64 ": %" PRId64 ", want %" PRId64 "\n%s", x, z, got,
                      expected(kind, x, z), text);
    }
    close_case(&c);
}

START_TEST(whole_numbers) {
    static const char *const shapes[] = {"[]", "[7]", "[3, 41]", "[3000]", "[2, 3, 330]"};
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check_ints((Kind)_i, shapes[i], shapes[i], NULL, &tsp1);
        check_ints((Kind)_i, shapes[i], "[1]", NULL, &tsp1);
        check_ints((Kind)_i, shapes[i], shapes[i], NULL, &tiny);
    }
    for (int i = 0; i < 6; i++) check_ints((Kind)_i, "[20000]", "[20000]", NULL, &tsp1);
}
END_TEST

/* Every edge by every edge. */
START_TEST(edges_by_edges) {
    const TspMachine tsp1 = builtin("tsp1");
    char text[1500], shape_a[20], shape_b[20];
    Case c;
    int32_t a, b, y;
    random_start();
    sprintf(shape_a, "[%d, 1]", EDGES);
    sprintf(shape_b, "[%d]", EDGES);
    open_division(&c, text, (Kind)_i, "int32", shape_a, shape_b, NULL);
    value_of(&c, "a", &a);
    value_of(&c, "b", &b);
    value_of(&c, "y", &y);
    for (int i = 0; i < EDGES; i++) {
        tsp_store_int(TSP_I32, c.data[a], i, edges[i]);
        tsp_store_int(TSP_I32, c.data[b], i, edges[i]);
    }
    simulate(&c, &tsp1);
    compare(&c, &tsp1);
    for (int i = 0; i < EDGES * EDGES; i++)
        ck_assert_msg(tsp_load_int(TSP_I32, c.got[y], i) ==
                          expected((Kind)_i, edges[i / EDGES], edges[i % EDGES]),
                      "%" PRId64 " and %" PRId64 ": %" PRId64, edges[i / EDGES], edges[i % EDGES],
                      tsp_load_int(TSP_I32, c.got[y], i));
    close_case(&c);
}
END_TEST

START_TEST(known_numbers) {
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (int i = 0; i < EDGES; i++) {
        char number[20];
        sprintf(number, "%" PRId64, edges[i]);
        check_ints((Kind)_i, i % 2 ? "[700]" : "[3, 330]", "[]", number, i % 3 ? &tsp1 : &tiny);
    }
    check_ints((Kind)_i, "[5, 4]", "[4]", "[8, -7, 0, 1]", &tsp1);
}
END_TEST

/* Whatever latencies are, and with few ALUs, or ALUs that only their neighbours hear. */
START_TEST(other_machines) {
    random_start();
    for (int i = 0; i < 12; i++) {
        TspMachine m = builtin(one_in(2) ? "tiny" : "tsp1");
        vary_timings(&m);
        if (one_in(3)) m.vxm_alus = pick(6, 12);
        if (one_in(3)) m.vxm_neighbour_only = 1;
        if (one_in(3))
            check_ints((Kind)(i % 3), "[3, 41]", "[]", "-11", &m);
        else
            check_ints((Kind)(i % 3), "[3, 41]", "[3, 41]", NULL, &m);
    }
}
END_TEST

/* ---- Mod of floats ---- */

static uint32_t bits_of(TspDtype type, double value) {
    uint32_t bits = 0;
    tsp_store_float(type, (uint8_t *)&bits, 0, value);
    return bits;
}

/* b of any size, a up to 2^40 times as large, but for one in four, that is anything. */
static void check_floats(TspDtype type, const char *shape, const TspMachine *m) {
    char text[1500];
    Case c;
    int32_t a, b, y;
    open_division(&c, text, FMOD, tsp_dtype_name(type), shape, shape, NULL);
    const int64_t elements = tsp_value_elements(value_of(&c, "a", &a));
    value_of(&c, "b", &b);
    value_of(&c, "y", &y);
    for (int64_t i = 0; i < elements; i++) {
        double by = any_float(type), x = any_float(type);
        if (!one_in(4)) x = by * ldexp((double)(random_bits() >> 12) * 0x1p-51 - 1, pick(-2, 38));
        if (one_in(8)) x = by * random_below(1 << pick(1, 20)); /* a multiple, perhaps rounded */
        tsp_store_float(type, c.data[a], i, x);
        tsp_store_float(type, c.data[b], i, by);
    }
    simulate(&c, m);
    compare(&c, m);
    for (int64_t i = 0; i < elements; i++) {
        const double x = tsp_load_double(type, c.data[a], i),
                     by = tsp_load_double(type, c.data[b], i),
                     got = tsp_load_double(type, c.got[y], i);
        const bool far = type == TSP_F32 && !(fabs(x) < fabs(by) * 0x1p36);
        const double want = far ? NAN : fmod(x, by);
        ck_assert_msg(want != want ? got != got : bits_of(type, got) == bits_of(type, want),
                      "%a and %a: %a, want %a", x, by, got, want);
    }
    close_case(&c);
}

START_TEST(floats) {
    static const char *const shapes[] = {"[]", "[7]", "[3, 41]", "[30000]", "[2, 3, 330]"};
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check_floats(_i ? TSP_F16 : TSP_F32, shapes[i], &tsp1);
        if (i != 3) check_floats(_i ? TSP_F16 : TSP_F32, shapes[i], &tiny);
    }
    for (int i = 0; i < 6; i++) check_floats(_i ? TSP_F16 : TSP_F32, "[30000]", &tsp1);
}
END_TEST

int main(void) {
    Suite *s = suite_create("division");
    TCase *c = tcase_create("division");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, whole_numbers, 0, 3);
    tcase_add_loop_test(c, edges_by_edges, 0, 3);
    tcase_add_loop_test(c, known_numbers, 0, 3);
    tcase_add_test(c, other_machines);
    tcase_add_loop_test(c, floats, 0, 2);
    suite_add_tcase(s, c);
    return run_suite(s);
}
