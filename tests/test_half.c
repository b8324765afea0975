/* test_half.c - conversions between fp16 and fp32: every half, every rounding boundary.
 */
#include "isa/half.h"
#include "seeded.h"

#include "suite.h"
#include <math.h>

enum { HALF_INF = 0x7c00, HALF_GREATEST = 0x7bff };

/* The value of a finite half from its definition. */
static double half_value(uint32_t half) {
    int exponent = (int)(half >> 10 & 31), mantissa = (int)(half & 0x3ff);
    double magnitude =
        exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp((double)mantissa, -24);
    return half & 0x8000 ? -magnitude : magnitude;
}

static void expect_half(uint32_t bits, uint32_t half) {
    uint32_t got = tsp_half_from_f32_bits(bits);
    ck_assert_msg(got == half, "f32 0x%08x: expected half 0x%04x, got 0x%04x", (unsigned)bits,
                  (unsigned)half, (unsigned)got);
}

START_TEST(test_known_values) {
    static const struct {
        uint32_t half, bits;
    } both_ways[] = {
        {0x0000, 0x00000000}, {0x8000, 0x80000000}, {0x3c00, 0x3f800000}, {0xc000, 0xc0000000},
        {0x7bff, 0x477fe000}, {0x0400, 0x38800000}, {0x03ff, 0x387fc000}, {0x0001, 0x33800000},
        {0x8001, 0xb3800000}, {0x7c00, 0x7f800000}, {0xfc00, 0xff800000}, {0x7e00, 0x7fc00000},
        {0x3555, 0x3eaaa000}, {0x0002, 0x34000000},
    };
    static const struct {
        uint32_t bits, half;
    } rounded[] = {
        {0x3eaaaaab, 0x3555},                                             /* 1/3 */
        {0x477fefff, 0x7bff}, {0x477ff000, 0x7c00}, {0x7f7fffff, 0x7c00}, /* about 65520 */
        {0x33000000, 0x0000}, {0x33000001, 0x0001}, {0x33c00000, 0x0002}, /* about 2^-25 */
        {0x00000001, 0x0000}, {0x80000001, 0x8000}, {0x387fe000, 0x0400},
        {0x7f800001, 0x7e00}, {0xffc00000, 0x7e00}, {0xffffffff, 0x7e00},
    };
    for (size_t i = 0; i < sizeof both_ways / sizeof *both_ways; i++) {
        ck_assert_uint_eq(tsp_half_to_f32_bits((uint16_t)both_ways[i].half), both_ways[i].bits);
        expect_half(both_ways[i].bits, both_ways[i].half);
    }
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++)
        expect_half(rounded[i].bits, rounded[i].half);
    ck_assert(tsp_half_to_float(0x3e00) == 1.5f);
    ck_assert_uint_eq(tsp_half_from_float(-1.5f), 0xbe00);
}
END_TEST

START_TEST(test_every_half_widens) {
    for (uint32_t half = 0; half < 0x10000; half++) {
        uint32_t bits = tsp_half_to_f32_bits((uint16_t)half), magnitude = half & 0x7fff;
        if (magnitude > HALF_INF) {
            ck_assert_uint_eq(bits, 0x7fc00000);
        } else if (magnitude == HALF_INF) {
            ck_assert_uint_eq(bits, half & 0x8000 ? 0xff800000 : 0x7f800000);
        } else {
            ck_assert((double)tsp_f32_from_bits(bits) == half_value(half));
            ck_assert_uint_eq(bits >> 31, half >> 15);
        }
    }
}
END_TEST

START_TEST(test_every_half_comes_back) {
    for (uint32_t half = 0; half < 0x10000; half++)
        expect_half(tsp_half_to_f32_bits((uint16_t)half),
                    (half & 0x7fff) > HALF_INF ? 0x7e00 : half);
}
END_TEST

/* The midpoint between a half and the next greater, as bits of an fp32; 65520 after the last. */
static uint32_t midpoint(uint32_t half) {
    double next = half == HALF_GREATEST ? 65536 : half_value(half + 1);
    return tsp_f32_bits((float)((half_value(half) + next) / 2));
}

START_TEST(test_every_midpoint) {
    for (uint32_t half = 0; half < HALF_INF; half++) {
        uint32_t tie = midpoint(half), even = half & 1 ? half + 1 : half;
        for (uint32_t sign = 0; sign < 2; sign++) {
            expect_half((tie - 1) | sign << 31, half | sign << 15);
            expect_half(tie | sign << 31, even | sign << 15);
            expect_half((tie + 1) | sign << 31, (half + 1) | sign << 15);
        }
    }
}
END_TEST

START_TEST(test_between_the_midpoints) {
    const uint32_t step = 1021; /* 1 tests all 2^32 floats, in a minute */
    uint32_t bits = 0, start;
    random_start();
    start = (uint32_t)random_below((int32_t)step);
    for (uint32_t half = 0; half < HALF_INF; half++) {
        uint32_t tie = midpoint(half);
        for (bits = bits ? bits : start; bits < tie; bits += step) {
            if (tsp_half_from_f32_bits(bits) != half) expect_half(bits, half);
            if (tsp_half_from_f32_bits(bits | 0x80000000u) != (half | 0x8000))
                expect_half(bits | 0x80000000u, half | 0x8000);
        }
        while (bits <= tie) bits += step;
    }
    for (; bits <= 0x7f800000; bits += step) expect_half(bits, HALF_INF);
    for (; bits < 0x80000000u; bits += step) {
        expect_half(bits, 0x7e00);
        expect_half(bits | 0x80000000u, 0x7e00);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("half");
    TCase *tests = tcase_create("half");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_known_values);
    tcase_add_test(tests, test_every_half_widens);
    tcase_add_test(tests, test_every_half_comes_back);
    tcase_add_test(tests, test_every_midpoint);
    tcase_add_test(tests, test_between_the_midpoints);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
