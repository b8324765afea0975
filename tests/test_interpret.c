/* test_interpret.c - the host interpreter against sums written out anew here, and its tolerances.
 */
#include "compiler/interpret.h"
#include "isa/half.h"

#include "suite.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 12 };

/* A graph, its values and their tolerances. */
typedef struct {
    TspGraph g;
    uint8_t *data[VALUES_MAX];
    double *tolerance[VALUES_MAX];
} Run;

static void run(Run *r, int32_t lanes, const char *text) {
    TspError err = {0};
    memset(r, 0, sizeof *r);
    ck_assert_msg(tsp_graph_parse(&r->g, text, strlen(text), "g.json", &err), "%s", err.text);
    ck_assert_int_le(r->g.value_count, VALUES_MAX);
    ck_assert_msg(tsp_interpret(&r->g, lanes, r->data, r->tolerance, &err), "%s", err.text);
}

static int32_t find(const Run *r, const char *name) {
    for (int32_t i = 0; i < r->g.value_count; i++)
        if (strcmp(r->g.values[i].name, name) == 0) return i;
    ck_abort_msg("no value %s", name);
    return -1;
}
static const uint8_t *data(const Run *r, const char *name) {
    int32_t v = find(r, name);
    return r->g.values[v].data ? r->g.values[v].data : r->data[v];
}
static const double *tolerance(const Run *r, const char *name) {
    return r->tolerance[find(r, name)];
}

static void done(Run *r) {
    for (int32_t v = 0; v < r->g.value_count; v++) {
        free(r->data[v]);
        free(r->tolerance[v]);
    }
    tsp_graph_free(&r->g);
}

/* Runs one node over initializers given as `"dtype","shape":[..],"data":..`. */
static void run_node(Run *r, int32_t lanes, const char *op, const char *attributes, const char *a,
                     const char *b, const char *c) {
    static char text[1 << 16];
    const char *bodies[] = {a, b, c}, *names[] = {"A", "B", "C"};
    size_t used = (size_t)snprintf(text, sizeof text, "{\"initializers\":[");
    for (int i = 0; i < 3 && bodies[i]; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s{\"name\":\"%s\",\"dtype\":%s}",
                             i ? "," : "", names[i], bodies[i]);
    used +=
        (size_t)snprintf(text + used, sizeof text - used,
                         "],\"nodes\":[{\"op\":\"%s\",\"attributes\":{%s},\"inputs\":[\"A\"%s%s],"
                         "\"outputs\":[\"Y\"]}],\"outputs\":[\"Y\"]}",
                         op, attributes, b ? ",\"B\"" : "", c ? ",\"C\"" : "");
    ck_assert_uint_lt(used, sizeof text);
    run(r, lanes, text);
}

static void expect_node(const char *op, const char *attributes, const char *a, const char *b,
                        const char *c, const void *want, size_t bytes) {
    Run r;
    run_node(&r, 320, op, attributes, a, b, c);
    ck_assert_int_eq(tsp_value_bytes(&r.g.values[find(&r, "Y")]), (int64_t)bytes);
    ck_assert_mem_eq(data(&r, "Y"), want, bytes);
    ck_assert_ptr_null(tolerance(&r, "Y"));
    done(&r);
}
#define EXPECT(op, attributes, a, b, c, type, ...)                                                 \
    do {                                                                                           \
        static const type want[] = {__VA_ARGS__};                                                  \
        expect_node(op, attributes, a, b, c, want, sizeof want);                                   \
    } while (0)

START_TEST(integers_wrap) {
    EXPECT("Add", "", "\"int8\",\"shape\":[3],\"data\":[127,-128,5]",
           "\"int8\",\"shape\":[3],\"data\":[1,-1,-7]", NULL, int8_t, -128, 127, -2);
    EXPECT("Sub", "", "\"uint8\",\"shape\":[2],\"data\":[0,255]",
           "\"uint8\",\"shape\":[],\"data\":1", NULL, uint8_t, 255, 254);
    EXPECT("Mul", "", "\"int16\",\"shape\":[2],\"data\":[300,-32768]",
           "\"int16\",\"shape\":[2],\"data\":[300,-1]", NULL, int16_t, 24464, -32768);
    EXPECT("Mul", "", "\"int32\",\"shape\":[2],\"data\":[-2147483648,65537]",
           "\"int32\",\"shape\":[2],\"data\":[-2147483648,65537]", NULL, int32_t, 0, 131073);
    EXPECT("Relu", "", "\"int32\",\"shape\":[4],\"data\":[-2147483648,-1,0,7]", NULL, NULL, int32_t,
           0, 0, 0, 7);
}
END_TEST

START_TEST(halfs_round_once) {
    /* 1 + 2^-11 is a tie, to even; 1 + 2^-10 + 2^-11 too; 65504 + 16 overflows; 1 - 2^-24 rounds */
    EXPECT("Add", "", "\"float16\",\"shape\":[5],\"data\":[1,1.0009765625,65504,-0.0,-1]",
           "\"float16\",\"shape\":[5],\"data\":[0.00048828125,0.00048828125,16,-0.0,5.960464e-8]",
           NULL, uint16_t, 0x3c00, 0x3c02, 0x7c00, 0x8000, 0xbc00);
    EXPECT("Mul", "", "\"float16\",\"shape\":[3],\"data\":[5.960464e-8,5.960464e-8,-3]",
           "\"float16\",\"shape\":[3],\"data\":[0.5,0.50048828125,0]", NULL, uint16_t, 0x0000,
           0x0001, 0x8000);
    EXPECT("Sub", "", "\"float32\",\"shape\":[3],\"data\":[1,16777216,0.1]",
           "\"float32\",\"shape\":[3],\"data\":[1,-1,0.3]", NULL, float, 0, 16777216, 0.1f - 0.3f);
    EXPECT("Relu", "", "\"float16\",\"shape\":[3],\"data\":[-0.0,-2,3]", NULL, NULL, uint16_t, 0, 0,
           0x4200);
}
END_TEST

/* (3, 1, 2) with (2, 1): every dimension kind of broadcasting at once. */
START_TEST(broadcasting) {
    EXPECT("Sub", "", "\"int32\",\"shape\":[3,1,2],\"data\":[10,20,30,40,50,60]",
           "\"int32\",\"shape\":[2,1],\"data\":[1,2]", NULL, int32_t, 9, 19, 8, 18, 29, 39, 28, 38,
           49, 59, 48, 58);
    EXPECT("Sub", "", "\"int32\",\"shape\":[2],\"data\":[10,20]",
           "\"int32\",\"shape\":[2,2,1],\"data\":[1,2,3,4]", NULL, int32_t, 9, 19, 8, 18, 7, 17, 6,
           16);
    EXPECT("Add", "", "\"int8\",\"shape\":[],\"data\":1", "\"int8\",\"shape\":[],\"data\":2", NULL,
           int8_t, 3);
}
END_TEST

START_TEST(casts) {
    EXPECT("Cast", "\"to\":\"int8\"",
           "\"float32\",\"shape\":[6],\"data\":[-1.9,1.9,127.9,128,-1e30,-0.5]", NULL, NULL, int8_t,
           -1, 1, 127, 127, -128, 0);
    EXPECT("Cast", "\"to\":\"uint8\"", "\"float16\",\"shape\":[3],\"data\":[-3,255.5,300]", NULL,
           NULL, uint8_t, 0, 255, 255);
    EXPECT("Cast", "\"to\":\"int32\"",
           "\"float32\",\"shape\":[2],\"data\":[2147483648,-2147483648]", NULL, NULL, int32_t,
           INT32_MAX, INT32_MIN);
    EXPECT("Cast", "\"to\":\"uint8\"", "\"int32\",\"shape\":[3],\"data\":[256,-1,511]", NULL, NULL,
           uint8_t, 0, 255, 255);
    EXPECT("Cast", "\"to\":\"bool\"", "\"int32\",\"shape\":[3],\"data\":[256,0,-1]", NULL, NULL,
           uint8_t, 1, 0, 1);
    EXPECT("Cast", "\"to\":\"bool\"", "\"float16\",\"shape\":[3],\"data\":[-0.0,0.25,5.9604644e-8]",
           NULL, NULL, uint8_t, 0, 1, 1);
    EXPECT("Cast", "\"to\":\"float32\"", "\"int32\",\"shape\":[2],\"data\":[16777217,16777219]",
           NULL, NULL, float, 16777216, 16777220);
    EXPECT("Cast", "\"to\":\"float16\"",
           "\"int32\",\"shape\":[4],\"data\":[2049,2051,65520,-65519]", NULL, NULL, uint16_t,
           0x6800, 0x6802, 0x7c00, 0xfbff);
    EXPECT("Cast", "\"to\":\"float16\"", "\"bool\",\"shape\":[2],\"data\":[true,false]", NULL, NULL,
           uint16_t, 0x3c00, 0);
}
END_TEST

START_TEST(one_step_operators) {
    EXPECT("Neg", "", "\"int8\",\"shape\":[3],\"data\":[-128,127,0]", NULL, NULL, int8_t, -128,
           -127, 0);
    EXPECT("Neg", "", "\"float16\",\"shape\":[3],\"data\":[0,-0.0,1]", NULL, NULL, uint16_t, 0x8000,
           0, 0xbc00);
    EXPECT("Abs", "", "\"int16\",\"shape\":[2],\"data\":[-32768,-5]", NULL, NULL, int16_t, -32768,
           5);
    EXPECT("Min", "", "\"float16\",\"shape\":[3],\"data\":[0,-0.0,2]",
           "\"float16\",\"shape\":[3],\"data\":[-0.0,0,1]", NULL, uint16_t, 0x8000, 0x8000, 0x3c00);
    EXPECT("Max", "", "\"float16\",\"shape\":[3],\"data\":[0,-0.0,2]",
           "\"float16\",\"shape\":[3],\"data\":[-0.0,0,1]", NULL, uint16_t, 0, 0, 0x4000);
    EXPECT("Equal", "", "\"float32\",\"shape\":[3],\"data\":[0,1,2]",
           "\"float32\",\"shape\":[3],\"data\":[-0.0,1,3]", NULL, uint8_t, 1, 1, 0);
    EXPECT("Greater", "", "\"int8\",\"shape\":[3],\"data\":[-1,1,2]",
           "\"int8\",\"shape\":[],\"data\":1", NULL, uint8_t, 0, 0, 1);
    EXPECT("GreaterOrEqual", "", "\"int32\",\"shape\":[3],\"data\":[-1,1,2]",
           "\"int32\",\"shape\":[],\"data\":1", NULL, uint8_t, 0, 1, 1);
    EXPECT("LessOrEqual", "", "\"int32\",\"shape\":[3],\"data\":[-1,1,2]",
           "\"int32\",\"shape\":[],\"data\":1", NULL, uint8_t, 1, 1, 0);
    EXPECT("Xor", "", "\"bool\",\"shape\":[4],\"data\":[0,0,1,1]",
           "\"bool\",\"shape\":[4],\"data\":[0,1,0,1]", NULL, uint8_t, 0, 1, 1, 0);
    EXPECT("Not", "", "\"bool\",\"shape\":[2],\"data\":[0,1]", NULL, NULL, uint8_t, 1, 0);
    EXPECT("BitShift", "\"direction\":\"LEFT\"", "\"uint8\",\"shape\":[3],\"data\":[255,129,1]",
           "\"uint8\",\"shape\":[3],\"data\":[1,7,8]", NULL, uint8_t, 254, 128, 0);
    EXPECT("BitShift", "\"direction\":\"RIGHT\"", "\"uint8\",\"shape\":[2],\"data\":[129,255]",
           "\"uint8\",\"shape\":[2],\"data\":[7,9]", NULL, uint8_t, 1, 0);
}
END_TEST

START_TEST(choices) {
    EXPECT("Clip", "", "\"int8\",\"shape\":[4],\"data\":[-128,-3,0,127]",
           "\"int8\",\"shape\":[],\"data\":-3", "\"int8\",\"shape\":[],\"data\":6", int8_t, -3, -3,
           0, 6);
    EXPECT("LeakyRelu", "\"alpha\":0.5", "\"float32\",\"shape\":[3],\"data\":[-3,-0.0,3]", NULL,
           NULL, float, -1.5f, -0.0f, 3);
    EXPECT("LeakyRelu", "\"alpha\":2", "\"float32\",\"shape\":[3],\"data\":[-3,-0.0,3]", NULL, NULL,
           float, -6, -0.0f, 3);
    EXPECT("LeakyRelu", "\"alpha\":-0.5", "\"float32\",\"shape\":[3],\"data\":[-3,-0.0,3]", NULL,
           NULL, float, 1.5f, 0, 3);
    EXPECT("LeakyRelu", "", "\"float32\",\"shape\":[1],\"data\":[-3]", NULL, NULL, float,
           -3 * 0.01f);
    EXPECT("Where", "", "\"bool\",\"shape\":[2,1],\"data\":[1,0]",
           "\"int16\",\"shape\":[2],\"data\":[1,2]", "\"int16\",\"shape\":[],\"data\":7", int16_t,
           1, 2, 7, 7);
}
END_TEST

START_TEST(nan_and_infinity) {
    Run r; /* inf = 60000 + 60000, nan = inf - inf */
    static const uint16_t want_nan = 0x7e00, want_relu = 0x7e00;
    static const int32_t want_int = 0;
    run(&r, 320,
        "{\"initializers\":[{\"name\":\"a\",\"dtype\":\"float16\",\"shape\":[1],\"data\":[60000]},"
        "{\"name\":\"w\",\"dtype\":\"float16\",\"shape\":[1],\"data\":[0]}],"
        "\"nodes\":[{\"op\":\"Add\",\"inputs\":[\"a\",\"a\"],\"outputs\":[\"inf\"]},"
        "{\"op\":\"Sub\",\"inputs\":[\"inf\",\"inf\"],\"outputs\":[\"nan\"]},"
        "{\"op\":\"Relu\",\"inputs\":[\"nan\"],\"outputs\":[\"relu\"]},"
        "{\"op\":\"Cast\",\"inputs\":[\"nan\"],\"outputs\":[\"int\"],\"attributes\":{\"to\":"
        "\"int32\"}},"
        "{\"op\":\"Cast\",\"inputs\":[\"nan\"],\"outputs\":[\"bool\"],\"attributes\":{\"to\":"
        "\"bool\"}},"
        "{\"op\":\"MatMul\",\"inputs\":[\"inf\",\"w\"],\"outputs\":[\"dot\"]},"
        "{\"op\":\"MatMul\",\"inputs\":[\"inf\",\"a\"],\"outputs\":[\"big\"]}],"
        "\"outputs\":[\"relu\"]}");
    ck_assert_mem_eq(data(&r, "inf"), "\x00\x7c", 2);
    ck_assert_mem_eq(data(&r, "nan"), &want_nan, 2);
    ck_assert_mem_eq(data(&r, "relu"), &want_relu, 2);
    ck_assert_mem_eq(data(&r, "int"), &want_int, 4);
    ck_assert_uint_eq(data(&r, "bool")[0], 1);
    ck_assert_mem_eq(data(&r, "dot"), &want_nan, 2);
    ck_assert_mem_eq(data(&r, "big"), "\x00\x7c", 2);
    done(&r);
}
END_TEST

START_TEST(matmul_integer) {
    /* [[1,2],[3,4]] x [[5,6],[7,8]], without and with zero points */
    const char *a = "\"uint8\",\"shape\":[2,2],\"data\":[1,2,3,4]";
    const char *b = "\"int8\",\"shape\":[2,2],\"data\":[5,-6,7,-8]";
    EXPECT("MatMulInteger", "", a, b, NULL, int32_t, 19, -22, 43, -50);
    EXPECT("MatMulInteger", "", a, b, "\"uint8\",\"shape\":[],\"data\":2", int32_t, -5, 6, 19, -22);
    EXPECT("MatMulInteger", "", a, b, "\"uint8\",\"shape\":[2],\"data\":[0,200]", int32_t, 19, -22,
           -197 * 5 - 196 * 7, 197 * 6 + 196 * 8);
}
END_TEST

START_TEST(zero_points_of_both) {
    Run r;
    static const int32_t want[] = {(1 - 3) * (5 + 1) + (2 - 3) * (7 + 1),
                                   (1 - 3) * (6 - 2) + (2 - 3) * (8 - 2)};
    run(&r, 4,
        "{\"initializers\":[{\"name\":\"A\",\"dtype\":\"int8\",\"shape\":[1,2],\"data\":[1,2]},"
        "{\"name\":\"B\",\"dtype\":\"int8\",\"shape\":[2,2],\"data\":[5,6,7,8]},"
        "{\"name\":\"za\",\"dtype\":\"int8\",\"shape\":[1],\"data\":[3]},"
        "{\"name\":\"zb\",\"dtype\":\"int8\",\"shape\":[2],\"data\":[-1,2]}],"
        "\"nodes\":[{\"op\":\"MatMulInteger\",\"inputs\":[\"A\",\"B\",\"za\",\"zb\"],\"outputs\":["
        "\"Y\"]}],"
        "\"outputs\":[\"Y\"]}");
    ck_assert_mem_eq(data(&r, "Y"), want, sizeof want);
    ck_assert_ptr_null(tolerance(&r, "Y"));
    done(&r);
}
END_TEST

/* The greatest sums wrap modulo 2^32: 40000 products of 255 * 255. */
START_TEST(int_sums_wrap) {
    Run r;
    int32_t want = (int32_t)(uint32_t)(40000ull * 255 * 255);
    run(&r, 320,
        "{\"initializers\":[{\"name\":\"A\",\"dtype\":\"uint8\",\"shape\":[40000],"
        "\"random\":{\"seed\":1,\"low\":255,\"high\":255}}],"
        "\"nodes\":[{\"op\":\"MatMulInteger\",\"inputs\":[\"A\",\"A\"],\"outputs\":[\"Y\"]}],"
        "\"outputs\":[\"Y\"]}");
    ck_assert_mem_eq(data(&r, "Y"), &want, 4);
    done(&r);
}
END_TEST

static uint64_t random_state;
static int64_t random_below(int64_t n) {
    random_state ^= random_state << 13, random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int64_t)((random_state >> 16) % (uint64_t)n);
}

/* A and B random of these bounds, Y their product. */
static void run_product(Run *r, int32_t lanes, const char *op, const char *attributes,
                        const char *dtype, int64_t a0, int64_t a1, int64_t b0, int64_t b1,
                        double low, double high, const char *c) {
    char a[200], b[200];
    snprintf(a, sizeof a,
             "\"%s\",\"shape\":[%lld,%lld],\"random\":{\"seed\":%lld,\"low\":%g,\"high\":%g}",
             dtype, (long long)a0, (long long)a1, (long long)random_below(1000000), low, high);
    snprintf(b, sizeof b,
             "\"%s\",\"shape\":[%lld,%lld],\"random\":{\"seed\":%lld,\"low\":%g,\"high\":%g}",
             dtype, (long long)b0, (long long)b1, (long long)random_below(1000000), low, high);
    run_node(r, lanes, op, attributes, a, b, c);
}

START_TEST(random_integer_products) {
    random_state = 20240608;
    printf("test_interpret: seed %llu\n", (unsigned long long)random_state);
    for (int round = 0; round < 60; round++) {
        int64_t m = 1 + random_below(30), k = 1 + random_below(700), n = 1 + random_below(30);
        const int8_t *a, *b;
        const uint8_t *got;
        Run r;
        run_product(&r, 16, "MatMulInteger", "", "int8", m, k, k, n, -128, 127, NULL);
        a = (const int8_t *)data(&r, "A");
        b = (const int8_t *)data(&r, "B");
        got = data(&r, "Y");
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                int32_t want = 0, found;
                for (int64_t x = 0; x < k; x++) want += a[i * k + x] * b[x * n + j];
                memcpy(&found, got + 4 * (i * n + j), 4);
                ck_assert_msg(found == want, "%lldx%lldx%lld at %lld,%lld: %d, want %d",
                              (long long)m, (long long)k, (long long)n, (long long)i, (long long)j,
                              found, want);
            }
        done(&r);
    }
}
END_TEST

__extension__ typedef __int128 Wide;

static uint16_t half_at(const uint8_t *halfs, int64_t i) {
    uint16_t half;
    memcpy(&half, halfs + 2 * i, 2);
    return half;
}

/* Exact dot product in units of 2^-48, rounded to fp32 by the compiler's own conversion. */
static float exact_dot(const uint8_t *a, int64_t at_a, int64_t step_a, const uint8_t *b,
                       int64_t at_b, int64_t step_b, int64_t count) {
    Wide sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (Wide)ldexp((double)tsp_half_to_float(half_at(a, at_a + i * step_a)), 24) *
               (Wide)ldexp((double)tsp_half_to_float(half_at(b, at_b + i * step_b)), 24);
    return ldexpf((float)sum, -48);
}

START_TEST(random_half_products) {
    static const double bounds[][2] = {{-1, 1}, {-100, 100}, {0, 0.001}, {-8, -7.9}, {-1e-6, 1e-6}};
    random_state = 20240609;
    printf("test_interpret: seed %llu\n", (unsigned long long)random_state);
    for (int round = 0; round < 60; round++) {
        int64_t m = 1 + random_below(20), k = 1 + random_below(320), n = 1 + random_below(20);
        const double *bound = bounds[round % 5];
        const uint8_t *a, *b, *got;
        Run r;
        run_product(&r, 320, "MatMul", "", "float16", m, k, k, n, bound[0], bound[1], NULL);
        a = data(&r, "A");
        b = data(&r, "B");
        got = data(&r, "Y");
        ck_assert_ptr_null(tolerance(&r, "Y"));
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++)
                ck_assert_uint_eq(half_at(got, i * n + j),
                                  tsp_half_from_float(exact_dot(a, i * k, 1, b, j, n, k)));
        done(&r);
    }
}
END_TEST

/* Sums that double gets wrong: 2^30, then 2^-46 that is lost beside it, then -2^30. And sums on
 * the brink of a tie of fp32: beyond 1 + 2^-24 by 2^-48, which double still decides, and with
 * large terms that cancel, where only the exact sum does. alpha makes the fp32 sum visible. */
START_TEST(the_dot_product_is_exact) {
    Run r;
    static const float scale = 16777216.0f; /* 2^24 */
    uint16_t got;
    run_node(&r, 320, "Gemm", "\"alpha\":16777216",
             "\"float16\",\"shape\":[1,5],\"data\":[32768,1.1920928955078125e-7,32768,1."
             "1920928955078125e-7,0]",
             "\"float16\",\"shape\":[5,1],\"data\":[32768,1.1920928955078125e-7,-32768,1."
             "1920928955078125e-7,0]",
             NULL);
    memcpy(&got, data(&r, "Y"), 2);
    ck_assert_uint_eq(got, tsp_half_from_float(scale * ldexpf(1, -45)));
    ck_assert_ptr_null(tolerance(&r, "Y"));
    done(&r);
    /* C = -1, beta = 2^24 / 2: (1 + 2^-23) * 2^23 - 2^23 = 1 if rounded up, 0 if down. The terms:
     * 2^30 - 2^30 + 1 + 2^-24 (a tie, down to even) and 2^-48 (which decides: up) */
    for (int up = 0; up < 2; up++) {
        char a[300];
        snprintf(a, sizeof a,
                 "\"float16\",\"shape\":[1,5],\"data\":[32768,32768,1,5.9604644775390625e-8,%s]",
                 up ? "5.9604644775390625e-8" : "0");
        run_node(&r, 320, "Gemm", "\"alpha\":8388608,\"beta\":8388608", a,
                 "\"float16\",\"shape\":[5,1],\"data\":[32768,-32768,1,1,5.9604644775390625e-8]",
                 "\"float16\",\"shape\":[1],\"data\":[-1]");
        memcpy(&got, data(&r, "Y"), 2);
        ck_assert_uint_eq(got, tsp_half_from_float((float)up));
        done(&r);
    }
}
END_TEST

/* Beyond one K tile: tile by tile in fp32, with a tolerance that covers any order of the tiles. */
START_TEST(tiles_add_up_in_fp32) {
    enum { LANES = 16 };
    random_state = 20240610;
    printf("test_interpret: seed %llu\n", (unsigned long long)random_state);
    for (int round = 0; round < 40; round++) {
        int64_t m = 1 + random_below(8), k = LANES + 1 + random_below(200), n = 1 + random_below(8);
        const uint8_t *a, *b, *got;
        const double *t;
        Run r;
        run_product(&r, LANES, "MatMul", "", "float16", m, k, k, n, -4, 4, NULL);
        a = data(&r, "A");
        b = data(&r, "B");
        got = data(&r, "Y");
        t = tolerance(&r, "Y");
        ck_assert_ptr_nonnull(t);
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                float forward = 0, backward = 0;
                double value = (double)tsp_half_to_float(half_at(got, i * n + j)), ulp;
                int exponent;
                for (int64_t x = 0; x < k; x += LANES)
                    forward +=
                        exact_dot(a, i * k + x, 1, b, x * n + j, n, k - x < LANES ? k - x : LANES);
                for (int64_t x = (k - 1) / LANES * LANES; x >= 0; x -= LANES)
                    backward +=
                        exact_dot(a, i * k + x, 1, b, x * n + j, n, k - x < LANES ? k - x : LANES);
                ck_assert_uint_eq(half_at(got, i * n + j), tsp_half_from_float(forward));
                backward = tsp_half_to_float(tsp_half_from_float(backward));
                ck_assert_double_le(fabs(value - (double)backward), t[i * n + j]);
                frexp(value, &exponent);
                ulp = ldexp(1, exponent < -13 ? -24 : exponent - 11);
                ck_assert_double_ge(t[i * n + j], ulp);
                ck_assert_double_le(t[i * n + j], 2 * ulp + 0.01); /* and it is tight */
            }
        done(&r);
    }
}
END_TEST

START_TEST(gemm) {
    /* A' B' with A = [[1,3],[2,4]], B = [[5,7],[6,8]]: [[19,22],[43,50]] */
    const char *a = "\"float16\",\"shape\":[2,2],\"data\":[1,3,2,4]";
    const char *b = "\"float16\",\"shape\":[2,2],\"data\":[5,7,6,8]";
    Run r;
    static const float want[] = {19.0f * 0.5f + 2 * 10, 22.0f * 0.5f + 2 * 20,
                                 43.0f * 0.5f + 2 * 10, 50.0f * 0.5f + 2 * 20};
    run_node(&r, 320, "Gemm", "\"transA\":1,\"transB\":1,\"alpha\":0.5,\"beta\":2", a, b,
             "\"float16\",\"shape\":[2],\"data\":[10,20]");
    ck_assert_ptr_null(tolerance(&r, "Y"));
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(half_at(data(&r, "Y"), i), tsp_half_from_float(want[i]));
    done(&r);
    run_node(&r, 320, "Gemm", "\"transA\":1,\"transB\":1", a, b,
             "\"float16\",\"shape\":[2,1],\"data\":[100,200]");
    ck_assert_mem_eq(data(&r, "Y"), ((const uint16_t[]){0x5770, 0x57a0, 0x5b98, 0x5bd0}), 8);
    done(&r);
}
END_TEST

/* NumPy's matmul over a batch, and with vectors. */
START_TEST(batches) {
    /* (2,1,1,2) x (2,2,1) -> (2,2,1,1) */
    static const uint16_t want[] = {0x4c40, 0x4dc0, 0x50e0, 0x52a0};
    Run r;
    run_node(&r, 320, "MatMul", "", "\"float16\",\"shape\":[2,1,1,2],\"data\":[1,2,3,4]",
             "\"float16\",\"shape\":[2,2,1],\"data\":[5,6,7,8]", NULL);
    ck_assert_mem_eq(data(&r, "Y"), want, sizeof want); /* 17, 23, 39, 53 */
    done(&r);
    run_node(&r, 320, "MatMul", "", "\"float16\",\"shape\":[2],\"data\":[1,2]",
             "\"float16\",\"shape\":[2,2,1],\"data\":[5,6,7,8]", NULL);
    ck_assert_int_eq(r.g.values[2].rank, 2);
    ck_assert_mem_eq(data(&r, "Y"), want, 4);
    done(&r);
}
END_TEST

START_TEST(float_products) {
    random_state = 20240611;
    printf("test_interpret: seed %llu\n", (unsigned long long)random_state);
    for (int round = 0; round < 20; round++) {
        int64_t m = 1 + random_below(20), k = 1 + random_below(400), n = 1 + random_below(20);
        const float *a, *b;
        const double *t;
        const uint8_t *got;
        Run r;
        run_product(&r, 320, "MatMul", "", "float32", m, k, k, n, -1, 1, NULL);
        a = (const float *)(const void *)data(&r, "A");
        b = (const float *)(const void *)data(&r, "B");
        got = data(&r, "Y");
        t = tolerance(&r, "Y");
        ck_assert_ptr_nonnull(t);
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                double want = 0, magnitude = 0, split = 0;
                float found;
                for (int64_t x = 0; x < k; x++) {
                    double u = (double)a[i * k + x], v = (double)b[x * n + j];
                    double hu = (double)tsp_half_to_float(tsp_half_from_float((float)u));
                    double hv = (double)tsp_half_to_float(tsp_half_from_float((float)v));
                    double lu = (double)tsp_half_to_float(tsp_half_from_float((float)(u - hu)));
                    double lv = (double)tsp_half_to_float(tsp_half_from_float((float)(v - hv)));
                    want += u * v;
                    magnitude += fabs(u * v);
                    split += hu * hv + hu * lv + lu * hv;
                }
                memcpy(&found, got + 4 * (i * n + j), 4);
                ck_assert_float_eq(found, (float)want);
                ck_assert_double_le(fabs(split - want), t[i * n + j]); /* the machine's way fits */
                ck_assert_double_le(t[i * n + j], magnitude * 0x1p-17 + (double)k * 0x1p-22);
            }
        done(&r);
    }
}
END_TEST

/* Tolerances grow as they pass through later ops. */
START_TEST(tolerances_propagate) {
    Run r;
    const double *p;
    double x;
    run(&r, 2, /* K = 4 in tiles of 2, so the product is inexact: 1 + 2 + 3 + 4 = 10, ulp 2^-7 */
        "{\"initializers\":[{\"name\":\"A\",\"dtype\":\"float16\",\"shape\":[1,4],\"data\":[1,2,3,"
        "4]},"
        "{\"name\":\"B\",\"dtype\":\"float16\",\"shape\":[4,1],\"data\":[1,1,1,1]},"
        "{\"name\":\"c\",\"dtype\":\"float16\",\"shape\":[1],\"data\":[3]}],"
        "\"nodes\":[{\"op\":\"MatMul\",\"inputs\":[\"A\",\"B\"],\"outputs\":[\"p\"]},"
        "{\"op\":\"Relu\",\"inputs\":[\"p\"],\"outputs\":[\"relu\"]},"
        "{\"op\":\"Add\",\"inputs\":[\"p\",\"p\"],\"outputs\":[\"sum\"]},"
        "{\"op\":\"Mul\",\"inputs\":[\"p\",\"c\"],\"outputs\":[\"mul\"]},"
        "{\"op\":\"Cast\",\"inputs\":[\"p\"],\"outputs\":[\"f32\"],\"attributes\":{\"to\":"
        "\"float32\"}},"
        "{\"op\":\"Cast\",\"inputs\":[\"p\"],\"outputs\":[\"i8\"],\"attributes\":{\"to\":\"int8\"}}"
        ","
        "{\"op\":\"MatMulInteger\",\"inputs\":[\"i8\",\"i8\"],\"outputs\":[\"ii\"]},"
        "{\"op\":\"Add\",\"inputs\":[\"c\",\"c\"],\"outputs\":[\"exact\"]}],"
        "\"outputs\":[\"ii\"]}");
    p = tolerance(&r, "p");
    ck_assert_ptr_nonnull(p);
    x = 2 * 0x1p-23 * 10; /* two tiles' worth of roundings of |3| + |7| */
    ck_assert_double_eq(p[0], x + 0x1p-7);
    ck_assert_double_eq(tolerance(&r, "relu")[0], p[0]);
    /* what the ends of the interval are rounded to: 1 and 2 units of a half */
    ck_assert_double_eq(tolerance(&r, "sum")[0], 0x1p-6);
    ck_assert_double_eq(tolerance(&r, "mul")[0], 0x1p-5);
    ck_assert_double_eq_tol(tolerance(&r, "f32")[0], p[0], 0x1p-20);
    ck_assert_double_eq(tolerance(&r, "i8")[0], p[0] + 1);
    /* 10 * 10 with both off by d: 20 d + d * d */
    ck_assert_double_eq_tol(tolerance(&r, "ii")[0], 20 * (p[0] + 1) + (p[0] + 1) * (p[0] + 1),
                            1e-12);
    ck_assert_ptr_null(tolerance(&r, "exact"));
    done(&r);
}
END_TEST

START_TEST(comparison) {
    static const float want[] = {1, -2, 0, 4}, close[] = {1.5f, -2, 0, 4},
                       minus_zero[] = {1, -2, -0.0f, 4};
    static const double enough[] = {0.5, 0, 0, 0}, too_little[] = {0.49, 0, 0, 0};
    static const uint16_t nan = 0x7e00, other_nan = 0xfc01, infinity = 0x7c00, greatest = 0x7bff;
    static const double spacing = 32, below = 31;
    TspComparison c = tsp_compare(TSP_F32, 4, (const uint8_t *)want, (const uint8_t *)want, NULL);
    ck_assert(c.passed);
    ck_assert_int_eq(c.first_bad, -1);
    ck_assert_double_eq(c.max_abs_err, 0);
    c = tsp_compare(TSP_F32, 4, (const uint8_t *)want, (const uint8_t *)close, enough);
    ck_assert(c.passed);
    ck_assert_double_eq(c.max_abs_err, 0.5);
    ck_assert_double_eq(c.max_rel_err, 0.5);
    c = tsp_compare(TSP_F32, 4, (const uint8_t *)want, (const uint8_t *)close, too_little);
    ck_assert(!c.passed);
    ck_assert_int_eq(c.first_bad, 0);
    c = tsp_compare(TSP_F32, 4, (const uint8_t *)want, (const uint8_t *)minus_zero, NULL);
    ck_assert(!c.passed); /* bit for bit */
    ck_assert_int_eq(c.first_bad, 2);
    ck_assert(
        tsp_compare(TSP_F32, 4, (const uint8_t *)want, (const uint8_t *)minus_zero, enough).passed);
    ck_assert(
        tsp_compare(TSP_F16, 1, (const uint8_t *)&nan, (const uint8_t *)&other_nan, NULL).passed);
    ck_assert(
        !tsp_compare(TSP_F16, 1, (const uint8_t *)&nan, (const uint8_t *)&infinity, enough).passed);
    ck_assert(
        tsp_compare(TSP_F16, 1, (const uint8_t *)&infinity, (const uint8_t *)&greatest, &spacing)
            .passed);
    ck_assert(
        !tsp_compare(TSP_F16, 1, (const uint8_t *)&infinity, (const uint8_t *)&greatest, &below)
             .passed);
    c = tsp_compare(TSP_I8, 3, (const uint8_t *)"\x7f\x80\x01", (const uint8_t *)"\x7f\x7f\x01",
                    NULL);
    ck_assert(!c.passed);
    ck_assert_int_eq(c.first_bad, 1);
    ck_assert_double_eq(c.max_abs_err, 255);
}
END_TEST

START_TEST(missing_input) {
    static const char text[] =
        "{\"inputs\":[{\"name\":\"A\",\"dtype\":\"int8\",\"shape\":[1]}],"
        "\"nodes\":[{\"op\":\"Relu\",\"inputs\":[\"A\"],\"outputs\":[\"Y\"]}],\"outputs\":[\"Y\"]}";
    TspGraph g;
    TspError err = {0};
    uint8_t *values[2] = {NULL, NULL};
    double *tolerances[2];
    ck_assert(tsp_graph_parse(&g, text, sizeof text - 1, "g.json", &err));
    ck_assert(!tsp_interpret(&g, 320, values, tolerances, &err));
    ck_assert_str_eq(err.text, "input \"A\" has no contents; give it a file");
    ck_assert_ptr_null(values[1]);
    ck_assert_ptr_null(tolerances[1]);
    tsp_graph_free(&g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interpret");
    TCase *tests = tcase_create("interpret");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, integers_wrap);
    tcase_add_test(tests, halfs_round_once);
    tcase_add_test(tests, broadcasting);
    tcase_add_test(tests, casts);
    tcase_add_test(tests, one_step_operators);
    tcase_add_test(tests, choices);
    tcase_add_test(tests, nan_and_infinity);
    tcase_add_test(tests, matmul_integer);
    tcase_add_test(tests, zero_points_of_both);
    tcase_add_test(tests, int_sums_wrap);
    tcase_add_test(tests, random_integer_products);
    tcase_add_test(tests, random_half_products);
    tcase_add_test(tests, the_dot_product_is_exact);
    tcase_add_test(tests, tiles_add_up_in_fp32);
    tcase_add_test(tests, gemm);
    tcase_add_test(tests, batches);
    tcase_add_test(tests, float_products);
    tcase_add_test(tests, tolerances_propagate);
    tcase_add_test(tests, comparison);
    tcase_add_test(tests, missing_input);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
