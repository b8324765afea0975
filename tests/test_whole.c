/* test_whole.c - operators on int32 that are exact where their sums and powers are not: ReduceMean,
 * ReduceL2 and Pow, against plain loops in wider integers.
 */
#include "operator_case.h"

static const int64_t edges[] = {0,  1,  -1,  2,     -2,    3,         -3,        7,
                                10, 31, 255, -1024, 46340, INT32_MAX, INT32_MIN, INT32_MIN + 1};
enum { EDGES = sizeof edges / sizeof *edges };

/* A graph y = op(a, ..) of int32 with one input, or two. */
static void open_whole(Case *c, char text[], const char *op, const char *attributes,
                       const char *shape_a, const char *type_b, const char *shape_b) {
    char second[200] = "";
    if (type_b)
        sprintf(second, ", {\"name\": \"b\", \"dtype\": \"%s\", \"shape\": %s}", type_b, shape_b);
    sprintf(text,
            "{\"inputs\": [{\"name\": \"a\", \"dtype\": \"int32\", \"shape\": %s}%s], \"nodes\": "
            "[{\"op\": \"%s\", \"inputs\": [\"a\"%s], \"outputs\": [\"y\"], \"attributes\": "
            "{%s}}], \"outputs\": [\"y\"]}",
            shape_a, second, op, type_b ? ", \"b\"" : "", attributes);
    open_case(c, text);
    fill(c, 1, false);
}

/* ---- ReduceMean ---- */

typedef enum { ANY, GREATEST, LEAST, ALTERNATING, NEAR_WHOLE, SMALL, CONTENTS } Contents;

/* Of NEAR_WHOLE the sum is at most 1 from a multiple of the count. */
static void fill_row(Contents contents, uint8_t *data, int64_t first, int64_t count) {
    int64_t sum = 0;
    for (int64_t i = first; i < first + count; i++) {
        int64_t v = (int32_t)random_bits();
        if (contents == GREATEST) v = INT32_MAX;
        if (contents == LEAST) v = INT32_MIN;
        if (contents == ALTERNATING) v = i % 2 ? INT32_MIN : INT32_MAX;
        if (contents == NEAR_WHOLE) v /= 2;
        if (contents == SMALL) v = random_below(3) - 1;
        if (contents == NEAR_WHOLE && i == first + count - 1)
            v = -(sum % count) + random_below(3) - 1;
        sum += v;
        tsp_store_int(TSP_I32, data, i, v);
    }
}

static void check_mean(const char *shape, const char *axes, int64_t count, Contents contents,
                       const TspMachine *m) {
    char text[800];
    Case c;
    int32_t a, y;
    open_whole(&c, text, "ReduceMean", axes, shape, NULL, NULL);
    const int64_t elements = tsp_value_elements(value_of(&c, "a", &a));
    for (int64_t i = 0; i < elements; i += count) fill_row(contents, c.data[a], i, count);
    simulate(&c, m);
    compare(&c, m);
    value_of(&c, "y", &y);
    for (int64_t i = 0; i < elements; i += count) {
        int64_t sum = 0, got = tsp_load_int(TSP_I32, c.got[y], i / count);
        for (int64_t k = i; k < i + count; k++) sum += tsp_load_int(TSP_I32, c.data[a], k);
        ck_assert_msg(got == sum / count, "%" PRId64 " / %" PRId64 ": %" PRId64 "\n%s", sum, count,
                      got, text);
    }
    close_case(&c);
}

START_TEST(means) {
    static const struct {
        const char *shape, *axes;
        int64_t count;
    } forms[] = {{"[9, 5]", "\"axes\": [1]", 5},
                 {"[4, 8, 4]", "\"axes\": [1, 2]", 32},
                 {"[700]", "", 700},
                 {"[3, 7]", "\"keepdims\": 0", 21}};
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        check_mean(forms[i].shape, forms[i].axes, forms[i].count, (Contents)_i, &tsp1);
        check_mean(forms[i].shape, forms[i].axes, forms[i].count, (Contents)_i, &tiny);
    }
}
END_TEST

/* Sums of more digits than two. */
START_TEST(long_means) {
    const TspMachine tsp1 = builtin("tsp1");
    random_start();
    check_mean("[16384]", "", 16384, (Contents)_i, &tsp1);
    check_mean("[16385]", "", 16385, (Contents)_i, &tsp1);
    check_mean("[100000]", "", 100000, (Contents)_i, &tsp1);
    check_mean("[2, 17000]", "\"axes\": [1]", 17000, (Contents)_i, &tsp1);
}
END_TEST

/* ---- ReduceL2 ---- */

static int64_t root_of(int64_t square) {
    int64_t y = (int64_t)sqrt((double)square);
    while (y * y > square) y--;
    while ((y + 1) * (y + 1) <= square) y++;
    return y;
}

/* Numbers of up to so many bits: also sides of triangles whose long side is whole, or nearly. */
static void fill_sides(uint8_t *data, int64_t first, int64_t count, int bits) {
    const int64_t scale = 1 + random_below(1 << (bits - 3));
    for (int64_t i = 0; i < count; i++) {
        int64_t v = (int64_t)(random_bits() >> 8) % (1 << bits) - (1 << (bits - 1));
        if (count >= 2 && scale % 2) v = i == 0 ? 3 * scale : i == 1 ? -4 * scale : i == 2;
        tsp_store_int(TSP_I32, data, first + i, v);
    }
}

static void check_norms(const char *shape, int64_t count, int bits, const TspMachine *m) {
    char text[800];
    Case c;
    int32_t a, y;
    open_whole(&c, text, "ReduceL2", "\"axes\": [1]", shape, NULL, NULL);
    const int64_t elements = tsp_value_elements(value_of(&c, "a", &a));
    for (int64_t i = 0; i < elements; i += count) fill_sides(c.data[a], i, count, bits);
    simulate(&c, m);
    compare(&c, m);
    value_of(&c, "y", &y);
    for (int64_t i = 0; i < elements; i += count) {
        int64_t sum = 0, got = tsp_load_int(TSP_I32, c.got[y], i / count);
        for (int64_t k = i; k < i + count; k++) {
            const int64_t v = tsp_load_int(TSP_I32, c.data[a], k);
            sum += v * v;
        }
        ck_assert_msg(got == root_of(sum), "root of %" PRId64 ": %" PRId64 "\n%s", sum, got, text);
    }
    close_case(&c);
}

START_TEST(norms) {
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (int bits = 4; bits <= 16; bits++) {
        check_norms("[400, 2]", 2, bits, &tsp1);
        check_norms("[40, 3]", 3, bits, &tiny);
        check_norms("[30, 41]", 41, bits, &tsp1);
        check_norms("[100, 1]", 1, bits, &tsp1);
    }
}
END_TEST

/* ---- Pow ---- */

/* Modulo 2^32; by exponents below 0 what is left without its fraction, of 0 the greatest number. */
static int64_t power_of(int64_t x, int64_t n) {
    uint32_t y = 1, square = (uint32_t)x;
    if (n < 0 && x == 0) return INT32_MAX;
    if (n < 0) return x == 1 ? 1 : x == -1 ? n % 2 ? -1 : 1 : 0;
    for (; n; n /= 2, square *= square)
        if (n % 2) y *= square;
    return (int32_t)y;
}

static void check_powers(const Case *c, int32_t a, int32_t b, int32_t y, int64_t rows) {
    const TspValue *v = &c->g.values[b];
    const uint8_t *exponents = v->data ? v->data : c->data[b];
    for (int64_t i = 0; i < tsp_value_elements(&c->g.values[y]); i++) {
        const int64_t x = tsp_load_int(TSP_I32, c->data[a], rows ? i / rows : i);
        double n = tsp_load_double(v->dtype, exponents, rows ? i % rows : v->data ? 0 : i);
        const int64_t got = tsp_load_int(TSP_I32, c->got[y], i);
        /* what float32 has of int32 is all that counts */
        if (tsp_dtype_is_float(v->dtype)) n = fmin(fmax(n, -0x7fffff80), 0x7fffff80);
        ck_assert_msg(n != floor(n) || got == power_of(x, (int64_t)n),
                      "%" PRId64 " to the power of %g: %" PRId64, x, n, got);
    }
}

START_TEST(edges_to_edges) {
    static const char *const types[] = {"int32", "float32", "float16", "int16", "int8", "uint8"};
    const TspMachine tsp1 = builtin("tsp1");
    char text[800], shape_a[20], shape_b[20];
    Case c;
    int32_t a, b, y;
    random_start();
    sprintf(shape_a, "[%d, 1]", EDGES);
    sprintf(shape_b, "[%d]", EDGES);
    open_whole(&c, text, "Pow", "", shape_a, types[_i], shape_b);
    value_of(&c, "a", &a);
    const TspDtype type = value_of(&c, "b", &b)->dtype;
    value_of(&c, "y", &y);
    for (int i = 0; i < EDGES; i++) {
        tsp_store_int(TSP_I32, c.data[a], i, edges[i]);
        if (!tsp_dtype_is_float(type))
            tsp_store_int(type, c.data[b], i, edges[i]);
        else
            tsp_store_float(type, c.data[b], i,
                            type == TSP_F16 && llabs(edges[i]) > 65504 ? 65504 : (double)edges[i]);
    }
    simulate(&c, &tsp1);
    compare(&c, &tsp1);
    check_powers(&c, a, b, y, EDGES);
    close_case(&c);
}
END_TEST

/* Any base by any exponent, of all lengths. */
START_TEST(powers) {
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (int i = 0; i < 4; i++) {
        char text[800];
        Case c;
        int32_t a, b, y;
        open_whole(&c, text, "Pow", "", i % 2 ? "[4000]" : "[3, 70]", "int32",
                   i % 2 ? "[4000]" : "[3, 70]");
        const int64_t elements = tsp_value_elements(value_of(&c, "a", &a));
        value_of(&c, "b", &b);
        value_of(&c, "y", &y);
        for (int64_t k = 0; k < elements; k++) {
            tsp_store_int(TSP_I32, c.data[a], k, (int32_t)random_bits() >> random_below(31));
            tsp_store_int(TSP_I32, c.data[b], k,
                          (int32_t)(random_bits() >> 33 >> random_below(31)));
        }
        simulate(&c, i < 2 ? &tsp1 : &tiny);
        compare(&c, i < 2 ? &tsp1 : &tiny);
        check_powers(&c, a, b, y, 0);
        close_case(&c);
    }
}
END_TEST

START_TEST(known_exponents) {
    static const char *const exponents[] = {"0",  "1",  "2",   "3",          "-1",         "-2",
                                            "10", "31", "512", "2147483647", "-2147483648"};
    const TspMachine tsp1 = builtin("tsp1");
    random_start();
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        char text[800];
        Case c;
        int32_t a, b, y;
        sprintf(text,
                "{\"inputs\": [{\"name\": \"a\", \"dtype\": \"int32\", \"shape\": [2, %d]}], "
                "\"initializers\": [{\"name\": \"b\", \"dtype\": \"int32\", \"shape\": [], "
                "\"data\": %s}], \"nodes\": [{\"op\": \"Pow\", \"inputs\": [\"a\", \"b\"], "
                "\"outputs\": [\"y\"]}], \"outputs\": [\"y\"]}",
                EDGES, exponents[i]);
        open_case(&c, text);
        fill(&c, 1, false);
        value_of(&c, "a", &a);
        value_of(&c, "b", &b);
        value_of(&c, "y", &y);
        for (int k = 0; k < EDGES; k++) tsp_store_int(TSP_I32, c.data[a], k, edges[k]);
        simulate(&c, &tsp1);
        compare(&c, &tsp1);
        check_powers(&c, a, b, y, 0);
        close_case(&c);
    }
}
END_TEST

/* Roots of whole squares are whole. */
START_TEST(roots) {
    const TspMachine tsp1 = builtin("tsp1");
    char text[800];
    Case c;
    int32_t a, b, y;
    random_start();
    open_whole(&c, text, "Pow", "", "[900]", "float32", "[1]");
    value_of(&c, "a", &a);
    value_of(&c, "b", &b);
    value_of(&c, "y", &y);
    tsp_store_float(TSP_F32, c.data[b], 0, 0.5);
    for (int i = 0; i < 900; i++)
        tsp_store_int(TSP_I32, c.data[a], i, (i / 3 + 1) * (i / 3 + 1) + i % 3 - 1);
    simulate(&c, &tsp1);
    compare(&c, &tsp1);
    for (int i = 0; i < 900; i++)
        ck_assert_int_eq(tsp_load_int(TSP_I32, c.got[y], i), i / 3 + (i % 3 > 0));
    close_case(&c);
}
END_TEST

int main(void) {
    Suite *s = suite_create("whole");
    TCase *c = tcase_create("whole");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, means, 0, CONTENTS);
    tcase_add_loop_test(c, long_means, 0, CONTENTS);
    tcase_add_test(c, norms);
    tcase_add_loop_test(c, edges_to_edges, 0, 6);
    tcase_add_test(c, powers);
    tcase_add_test(c, known_exponents);
    tcase_add_test(c, roots);
    suite_add_tcase(s, c);
    return run_suite(s);
}
