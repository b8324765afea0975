/* test_gemm.c - the products of a plane: every kernel against plain loops and exact sums.
 */
#include "isa/half.h"
#include "sim/gemm.h"

#include "suite.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t next(void) {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static const TspGemmKernel all_kernels[] = {TSP_GEMM_AUTO, TSP_GEMM_PLAIN, TSP_GEMM_AVX2,
                                            TSP_GEMM_AVX512};
static const int32_t sizes[] = {320, 16, 8, 64, 300, 7, 48, 1, 319};
enum { KERNELS = 4, SIZES = 9, ROWS = 23 };

static uint8_t columns[320 * 320], high_columns[320 * 320], rows[ROWS][320], high_rows[ROWS][320];
static const uint8_t *row_pointers[ROWS], *high_pointers[ROWS];

static void point(void) {
    for (int i = 0; i < ROWS; i++) row_pointers[i] = rows[i], high_pointers[i] = high_rows[i];
}

/* Columns of n bytes that stand one after the other. */
static const uint8_t *const *apart(const uint8_t *bytes, int32_t n) {
    static const uint8_t *list[2][320];
    static int turn;
    turn = 1 - turn;
    for (int32_t j = 0; j < n; j++) list[turn][j] = bytes + j * n;
    return list[turn];
}

/* `count` products of n columns that nothing is added to, into out[i][j]. */
static const TspGemmRow *aim(const uint8_t *const *low, const uint8_t *const *high, int32_t count,
                             int32_t n, uint32_t *out) {
    static TspGemmRow list[256];
    for (int32_t i = 0; i < count; i++)
        list[i] = (TspGemmRow){low[i], high ? high[i] : NULL, NULL, out + i * n};
    return list;
}

/* Every third row has nothing to add, the next adds what lies elsewhere, the next in place. */
static const TspGemmRow *add_to(const uint8_t *const *low, const uint32_t *kept, int32_t count,
                                int32_t n, uint32_t *out) {
    static TspGemmRow list[ROWS];
    memcpy(list, aim(low, NULL, count, n, out), (size_t)count * sizeof *list);
    for (int32_t i = 0; i < count; i++) {
        memcpy(out + i * n, kept + i * n, (size_t)n * sizeof *out);
        if (i % 3) list[i].add = i % 3 == 1 ? kept + i * n : out + i * n;
    }
    return list;
}

START_TEST(int8_all_kernels) {
    static TspGemmInt8 w;
    static uint32_t out[ROWS * 320], kept[ROWS * 320];
    static const int32_t empty[] = {0, 1, 15, 16, 100, 310, 320}; /* columns or lanes of zeros */
    state = 31;
    point();
    for (int s = 0; s < SIZES; s++)
        for (int mode = 0; mode < 4; mode++) {
            int32_t n = sizes[s];
            bool wu = mode & 1, au = mode & 2;
            for (int32_t i = 0; i < n * n; i++)
                columns[i] = next() % 8 ? (uint8_t)next() : next() & 1 ? 0x80 : 0x7f;
            for (int32_t i = 0, c = empty[next() % 7], d = empty[next() % 7]; i < n * n; i++)
                if (i / n >= n - c || i % n >= n - d) columns[i] = 0;
            for (int32_t i = 0; i < ROWS * n; i++) kept[i] = (uint32_t)next();
            for (int i = 0; i < ROWS; i++)
                for (int32_t k = 0; k < n; k++)
                    rows[i][k] = i == 3 ? 0x80 : i == 4 ? 0xff : (uint8_t)next();
            tsp_gemm_int8_prepare(&w, apart(columns, n), n, wu, au);
            for (int k = 0; k < KERNELS; k++) {
                int32_t count = 1 + (int32_t)(next() % ROWS);
                if (!tsp_gemm_available(all_kernels[k])) continue;
                tsp_gemm_int8(&w, add_to(row_pointers, kept, count, n, out), count, all_kernels[k]);
                for (int32_t i = 0; i < count; i++)
                    for (int32_t j = 0; j < n; j++) {
                        int64_t want = 0;
                        for (int32_t d = 0; d < n; d++)
                            want += (au ? rows[i][d] : (int64_t)(int8_t)rows[i][d]) *
                                    (wu ? columns[j * n + d] : (int64_t)(int8_t)columns[j * n + d]);
                        if (i % 3) want += kept[i * n + j];
                        if (out[i * n + j] != (uint32_t)want)
                            ck_abort_msg(
                                "kernel %d, n %d, mode %d, row %d, column %d: %u, want %" PRId64, k,
                                n, mode, i, j, out[i * n + j], want);
                    }
            }
        }
}
END_TEST

/* int8 x int8, all 65,536 pairs, each in every position of a group of four. */
START_TEST(int8_every_pair) {
    static TspGemmInt8 w;
    static uint32_t out[256 * 256];
    static uint8_t one[256][256], cols[256 * 256];
    const uint8_t *pointers[256];
    for (int place = 0; place < 4; place++) {
        memset(cols, 0, sizeof cols);
        memset(one, 0, sizeof one);
        for (int i = 0; i < 256; i++) {
            cols[i * 256 + place] = (uint8_t)i;
            one[i][place] = (uint8_t)i;
            pointers[i] = one[i];
        }
        tsp_gemm_int8_prepare(&w, apart(cols, 256), 256, false, false);
        for (int k = 0; k < KERNELS; k++) {
            if (!tsp_gemm_available(all_kernels[k])) continue;
            tsp_gemm_int8(&w, aim(pointers, NULL, 256, 256, out), 256, all_kernels[k]);
            for (int i = 0; i < 256; i++)
                for (int j = 0; j < 256; j++)
                    ck_assert_int_eq((int32_t)out[i * 256 + j], (int8_t)i * (int8_t)j);
        }
    }
}
END_TEST

/* An independent exact dot product: 64-bit limbs of 2^-48 steps kept as two long doubles would not
 * do, so the sum is kept in halves of the fixed-point number, and rounded by long division. */
static uint32_t reference_dot(const uint16_t *a, const uint16_t *b, int32_t n) {
    int64_t high = 0, low = 0; /* value = (high * 2^40 + low) * 2^-48 */
    for (int32_t i = 0; i < n; i++) {
        double product = (double)tsp_half_to_float(a[i]) * (double)tsp_half_to_float(b[i]);
        double scaled = ldexp(product, 48), top = floor(ldexp(scaled, -40));
        high += (int64_t)top;
        low += (int64_t)(scaled - ldexp(top, 40));
    }
    high += low >> 40;
    low &= (INT64_C(1) << 40) - 1;
    if (high == 0 && low == 0) return 0;
    {
        bool negative = high < 0;
        uint64_t top, rest;
        int shift = 0;
        float rounded;
        if (negative) { /* negate the pair */
            high = -high - (low != 0);
            low = low ? (INT64_C(1) << 40) - low : 0;
        }
        top = (uint64_t)high, rest = (uint64_t)low;
        /* bring the first bit of the pair to bit 62 of top, keeping a sticky bit */
        while (!(top >> 62)) {
            top = top << 1 | (rest >> 39 & 1);
            rest = rest << 1 & ((UINT64_C(1) << 40) - 1);
            shift++;
        }
        top |= rest != 0;
        /* 63 bits to 24, nearest even */
        {
            uint64_t keep = top >> 39, lost = top & ((UINT64_C(1) << 39) - 1),
                     tie = UINT64_C(1) << 38;
            keep += lost > tie || (lost == tie && (keep & 1));
            rounded = (float)ldexp((double)keep, 39 - shift + 40 - 48);
        }
        return tsp_f32_bits(negative ? -rounded : rounded);
    }
}

static uint16_t random_half(int kind) {
    uint16_t h = (uint16_t)next();
    switch (kind) {
    case 0: /* any finite half */
        return (h & 0x7c00) == 0x7c00 ? (uint16_t)(h & 0x83ff) : h;
    case 1: /* small integers, which cancel */
        return tsp_half_from_float((float)((int)(next() % 9) - 4));
    case 2: /* subnormals and zeros of both signs */
        return h & 0x83ff;
    case 3: /* [-1, 1) */
        return tsp_half_from_float((float)(next() % 2048) / 1024.0f - 1.0f);
    case 4: /* powers of two far apart: ties and near ties after rounding */
        return (uint16_t)((h & 0x8000) | ((1 + next() % 30) << 10) | (next() % 4 ? 0 : 1));
    default: /* now and then infinity or NaN */
        return next() % 700 ? (uint16_t)(h & 0xbfff)
               : next() % 3 ? (uint16_t)(0x7c00 | (h & 0x8000))
                            : 0x7e00;
    }
}

enum { KINDS = 6 };

START_TEST(exact_dot) {
    static uint16_t a[320], b[320];
    state = 41;
    for (int kind = 0; kind < KINDS - 1; kind++)
        for (int round = 0; round < 2000; round++) {
            int32_t n = 1 + (int32_t)(next() % 320);
            uint32_t got, want;
            for (int32_t k = 0; k < n; k++) a[k] = random_half(kind), b[k] = random_half(kind);
            got = tsp_dot_fp16_exact(a, b, n);
            want = reference_dot(a, b, n);
            if (want == 0) got &= 0x7fffffffu;
            ck_assert_uint_eq(got, want);
        }
}
END_TEST

START_TEST(special_values) {
    const uint16_t inf = 0x7c00, minus_inf = 0xfc00, nan = 0x7e00, one = 0x3c00, zero = 0,
                   minus_zero = 0x8000;
    ck_assert_uint_eq(tsp_dot_fp16_exact((uint16_t[]){inf, one}, (uint16_t[]){one, one}, 2),
                      0x7f800000u);
    ck_assert_uint_eq(tsp_dot_fp16_exact((uint16_t[]){inf, one}, (uint16_t[]){minus_inf, one}, 2),
                      0xff800000u);
    ck_assert_uint_eq(tsp_dot_fp16_exact((uint16_t[]){inf, inf}, (uint16_t[]){one, 0xbc00}, 2),
                      0x7fc00000u);
    ck_assert_uint_eq(tsp_dot_fp16_exact((uint16_t[]){inf, one}, (uint16_t[]){zero, one}, 2),
                      0x7fc00000u);
    ck_assert_uint_eq(tsp_dot_fp16_exact((uint16_t[]){nan, one}, (uint16_t[]){one, one}, 2),
                      0x7fc00000u);
    ck_assert_uint_eq(tsp_dot_fp16_exact((uint16_t[]){zero, one}, (uint16_t[]){one, minus_zero}, 2),
                      0);
    ck_assert_uint_eq(
        tsp_dot_fp16_exact((uint16_t[]){minus_zero, one}, (uint16_t[]){one, minus_zero}, 2),
        0x80000000u);
    ck_assert_uint_eq(tsp_dot_fp16_exact((uint16_t[]){one, one}, (uint16_t[]){one, 0xbc00}, 2), 0);
    /* 65504^2 * 320 is the greatest sum */
    {
        uint16_t most[320];
        for (int i = 0; i < 320; i++) most[i] = 0x7bff;
        ck_assert_uint_eq(tsp_dot_fp16_exact(most, most, 320),
                          tsp_f32_bits((float)(65504.0 * 65504.0 * 320.0)));
    }
}
END_TEST

START_TEST(fp16_all_kernels) {
    static const uint16_t specials[4] = {0x7c00, 0x7e00, 0xfc01, 0xfc00}; /* of rows 5 to 8 */
    static TspGemmFp16 w;
    static uint32_t out[ROWS * 320];
    static uint16_t a[320], b[320];
    state = 43;
    point();
    for (int s = 0; s < SIZES; s++)
        for (int kind = 0; kind < KINDS; kind++) {
            int32_t n = sizes[s];
            for (int32_t i = 0; i < n * n; i++) {
                uint16_t h = i / n % 5 == 4 ? 0 : random_half(kind); /* some columns of zeros */
                columns[i] = (uint8_t)h, high_columns[i] = (uint8_t)(h >> 8);
            }
            for (int i = 0; i < ROWS; i++)
                for (int32_t k = 0; k < n; k++) {
                    uint16_t h = i == 2 ? 0 : i == 3 ? 0x8000 : random_half(kind);
                    if (i >= 5 && i < 9 && k == n / 2) h = specials[i - 5];
                    if (i == 8 && k == n / 3) h = 0x7c00;
                    rows[i][k] = (uint8_t)h, high_rows[i][k] = (uint8_t)(h >> 8);
                }
            tsp_gemm_fp16_prepare(&w, apart(columns, n), apart(high_columns, n), n);
            for (int k = 0; k < KERNELS; k++) {
                int32_t count = k ? 1 + (int32_t)(next() % ROWS) : ROWS;
                if (!tsp_gemm_available(all_kernels[k])) continue;
                tsp_gemm_fp16(&w, aim(row_pointers, high_pointers, count, n, out), count,
                              all_kernels[k]);
                for (int32_t i = 0; i < count; i++)
                    for (int32_t j = 0; j < n; j++) {
                        uint32_t want;
                        for (int32_t d = 0; d < n; d++) {
                            a[d] = (uint16_t)(rows[i][d] | high_rows[i][d] << 8);
                            b[d] = (uint16_t)(columns[j * n + d] | high_columns[j * n + d] << 8);
                        }
                        want = tsp_dot_fp16_exact(a, b, n);
                        if (out[i * n + j] != want)
                            ck_abort_msg(
                                "kernel %d, n %d, kind %d, row %d, column %d: %08x, want %08x", k,
                                n, kind, i, j, out[i * n + j], want);
                    }
            }
        }
}
END_TEST

/* Sums that lie a hair beside the middle of two fp32 numbers, too little for double to see: only
 * the exact sum rounds them right. */
START_TEST(fp16_hidden_ties) {
    static TspGemmFp16 w;
    static uint32_t out[2 * 320];
    const int32_t n = 320;
    state = 47;
    point();
    for (int round = 0; round < 200; round++) {
        bool up = next() & 1;
        int places[3];
        /* 2^24 (or 2^24 + 2) + 1 +- 2^-48: the middle is 2^24 + 1 (+ 3) */
        const float a[3] = {4096.0f, next() & 1 ? 3.0f : 1.0f, 0x1p-24f};
        const float b[3] = {4096.0f, 1.0f, up ? 0x1p-24f : -0x1p-24f};
        float want = a[1] == 1.0f ? (up ? 16777218.0f : 16777216.0f)
                     : up         ? 16777220.0f
                                  : 16777218.0f;
        memset(columns, 0, sizeof columns);
        memset(high_columns, 0, sizeof high_columns);
        memset(rows[0], 0, sizeof rows[0]);
        memset(high_rows[0], 0, sizeof high_rows[0]);
        for (int i = 0; i < 3; i++) {
            places[i] = (int)(next() % 106) * 3 + i;
            rows[0][places[i]] = (uint8_t)tsp_half_from_float(a[i]);
            high_rows[0][places[i]] = (uint8_t)(tsp_half_from_float(a[i]) >> 8);
            for (int32_t j = 0; j < n; j++) {
                columns[j * n + places[i]] = (uint8_t)tsp_half_from_float(b[i]);
                high_columns[j * n + places[i]] = (uint8_t)(tsp_half_from_float(b[i]) >> 8);
            }
        }
        tsp_gemm_fp16_prepare(&w, apart(columns, n), apart(high_columns, n), n);
        for (int k = 0; k < KERNELS; k++) {
            if (!tsp_gemm_available(all_kernels[k])) continue;
            tsp_gemm_fp16(&w, aim(row_pointers, high_pointers, 1, n, out), 1, all_kernels[k]);
            for (int32_t j = 0; j < n; j++) ck_assert_uint_eq(out[j], tsp_f32_bits(want));
        }
    }
}
END_TEST

/* What prepare says of a column, by its definition. */
START_TEST(fp16_prepared) {
    static TspGemmFp16 w;
    state = 59;
    for (int kind = 0; kind < KINDS - 1; kind++)
        for (int32_t n = 1; n <= 320; n += n < 20 ? 3 : 75) {
            for (int32_t i = 0; i < n * n; i++) {
                uint16_t h = random_half(kind);
                columns[i] = (uint8_t)h, high_columns[i] = (uint8_t)(h >> 8);
            }
            tsp_gemm_fp16_prepare(&w, apart(columns, n), apart(high_columns, n), n);
            ck_assert(w.finite && w.n == n);
            for (int32_t j = 0; j < n; j++) {
                long double magnitude = 0;
                for (int32_t k = 0; k < n; k++) {
                    uint16_t h = (uint16_t)(columns[j * n + k] | high_columns[j * n + k] << 8);
                    float value = tsp_half_to_float(h);
                    magnitude += fabsl((long double)value);
                    ck_assert_uint_eq(w.half[j * n + k], h);
                    ck_assert_uint_eq(tsp_f32_bits(w.weight[k * n + j]), tsp_f32_bits(value));
                    ck_assert(fmod((double)value, w.column_unit[j]) == 0);
                }
                ck_assert((long double)w.column_magnitude[j] == magnitude);
            }
            columns[n * n - 1] = 0, high_columns[n * n - 1] = 0xfc;
            tsp_gemm_fp16_prepare(&w, apart(columns, n), apart(high_columns, n), n);
            ck_assert(!w.finite);
        }
}
END_TEST

/* Sums that double cannot tell from a tie or from zero: of 2^15, 8, a small number and 2^15 with
 * these weights, at any four places, and zeros elsewhere; then the same with the row negated. The
 * small number and its weight are 2^-24, in every other round 2^-12: far out of double's reach, or
 * just. Where the sum is their product alone, `small` is set and it is then 2^24 times as great. */
static const struct {
    uint16_t weight[4], elsewhere;
    bool small;
    uint32_t want, negated;
} near_ties[] = {
    {{0x7800, 0x4800, 0x0000, 0x0000}, 0, false, 0x4e800000, 0xce800000}, /* tie: down to even */
    {{0x7800, 0x4800, 0x0001, 0x0000}, 0, false, 0x4e800001, 0xce800001}, /* just above it */
    {{0x7800, 0x4800, 0x8001, 0x0000}, 0, false, 0x4e800000, 0xce800000}, /* just below */
    {{0x7800, 0x4800, 0x0000, 0x1c00}, 0, false, 0x4e800002, 0xce800002}, /* tie: up to even */
    {{0x7800, 0x4800, 0x0001, 0x1c00}, 0, false, 0x4e800002, 0xce800002},
    {{0x7800, 0x4800, 0x8001, 0x1c00}, 0, false, 0x4e800001, 0xce800001},
    {{0x7800, 0x0000, 0x0001, 0xf800}, 0, true, 0x27800000, 0xa7800000}, /* the rest cancels */
    {{0x7800, 0x0000, 0x8001, 0xf800}, 0, true, 0xa7800000, 0x27800000},
    {{0x7800, 0x0000, 0x0000, 0xf800}, 0, false, 0x00000000, 0x00000000}, /* all cancels: +0 */
    {{0x0000, 0x0000, 0x0000, 0x0000}, 0, false, 0x00000000, 0x80000000}, /* all products -0 */
    {{0x8000, 0x8000, 0x8000, 0x8000}, 0x8000, false, 0x80000000, 0x00000000},
    {{0x8000, 0x8000, 0x0000, 0x8000}, 0x8000, false, 0x00000000, 0x00000000}, /* all but one */
    {{0x7800, 0x4800, 0x0000, 0xf800}, 0x8000, false, 0x42800000, 0xc2800000},
};
enum { TIES = (int)(sizeof near_ties / sizeof *near_ties) };

/* Four different places below n. */
static void four_places(int32_t place[4], int32_t n) {
    for (int p = 0; p < 4; p++) {
        bool taken = true;
        while (taken) {
            place[p] = (int32_t)(next() % (uint64_t)n);
            taken = false;
            for (int q = 0; q < p; q++) taken |= place[q] == place[p];
        }
    }
}

static void set_half(uint8_t *low, uint8_t *high, int32_t at, uint16_t half) {
    low[at] = (uint8_t)half, high[at] = (uint8_t)(half >> 8);
}

START_TEST(fp16_near_ties) {
    static TspGemmFp16 w;
    static uint32_t out[2 * 320];
    state = 53;
    point();
    for (int round = 0; round < 20 * SIZES; round++) {
        int32_t n = sizes[round % SIZES], place[4];
        const uint16_t least = round / SIZES % 2 ? 0x0c00 : 0x0001;
        const uint16_t value[4] = {0x7800, 0x4800, least, 0x7800};
        if (n < 4) continue;
        four_places(place, n);
        for (int32_t k = 0; k < n; k++) {
            set_half(rows[0], high_rows[0], k, 0);
            set_half(rows[1], high_rows[1], k, 0x8000);
        }
        for (int p = 0; p < 4; p++) {
            set_half(rows[0], high_rows[0], place[p], value[p]);
            set_half(rows[1], high_rows[1], place[p], value[p] | 0x8000);
        }
        for (int32_t j = 0; j < n; j++) {
            int tie = (j + round) % TIES;
            for (int32_t k = 0; k < n; k++)
                set_half(columns, high_columns, j * n + k, near_ties[tie].elsewhere);
            for (int p = 0; p < 4; p++) {
                uint16_t weight = near_ties[tie].weight[p];
                if ((weight & 0x7fff) == 0x0001) weight = (weight & 0x8000) | least;
                set_half(columns, high_columns, j * n + place[p], weight);
            }
        }
        tsp_gemm_fp16_prepare(&w, apart(columns, n), apart(high_columns, n), n);
        for (int k = 0; k < KERNELS; k++) {
            if (!tsp_gemm_available(all_kernels[k])) continue;
            tsp_gemm_fp16(&w, aim(row_pointers, high_pointers, 2, n, out), 2, all_kernels[k]);
            for (int32_t j = 0; j < n; j++) {
                int tie = (j + round) % TIES;
                uint32_t scale = near_ties[tie].small && least != 0x0001 ? 24u << 23 : 0;
                if (out[j] != near_ties[tie].want + scale ||
                    out[n + j] != near_ties[tie].negated + scale)
                    ck_abort_msg("kernel %d, n %d, sum %d: %08x and %08x", k, n, tie, out[j],
                                 out[n + j]);
            }
        }
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("gemm");
    TCase *c = tcase_create("gemm");
    printf("seeds 31, 41, 43, 47, 53, 59\n");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, int8_all_kernels);
    tcase_add_test(c, int8_every_pair);
    tcase_add_test(c, exact_dot);
    tcase_add_test(c, special_values);
    tcase_add_test(c, fp16_all_kernels);
    tcase_add_test(c, fp16_hidden_ties);
    tcase_add_test(c, fp16_prepared);
    tcase_add_test(c, fp16_near_ties);
    suite_add_tcase(s, c);
    return run_suite(s);
}
