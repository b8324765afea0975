/* gemm.c - products of a plane: preparation, choice of kernel, and the plain C kernels.
 */
#include "gemm_kernels.h"
#include "isa/half.h"

#include <float.h>
#include <math.h>
#include <string.h>

static int32_t round_up(int32_t n, int32_t to) { return (n + to - 1) / to * to; }

bool tsp_gemm_available(TspGemmKernel kernel) {
    if (kernel == TSP_GEMM_AUTO || kernel == TSP_GEMM_PLAIN) return true;
#if defined(__x86_64__)
    if (kernel == TSP_GEMM_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (kernel == TSP_GEMM_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#endif
    return false;
}

TspGemmKernel tsp_gemm_best(void) {
    if (tsp_gemm_available(TSP_GEMM_AVX512)) return TSP_GEMM_AVX512;
    if (tsp_gemm_available(TSP_GEMM_AVX2)) return TSP_GEMM_AVX2;
    return TSP_GEMM_PLAIN;
}

typedef struct { Int8Kernel *int8; Fp16Kernel *fp16; } Kernels;

static Kernels kernels(TspGemmKernel kernel) {
    if (kernel == TSP_GEMM_AUTO) kernel = tsp_gemm_best();
#if defined(__x86_64__)
    if (kernel == TSP_GEMM_AVX512) return (Kernels){gemm_int8_avx512, gemm_fp16_avx512};
    if (kernel == TSP_GEMM_AVX2) return (Kernels){gemm_int8_avx2, gemm_fp16_avx2};
#endif
    return (Kernels){gemm_int8_plain, gemm_fp16_plain};
}

/* ---- int8 ---- */

/* The kernels take activations unsigned and weights signed. A signed activation becomes a + 128,
 * which adds 128 * (sum of the column) to the result; an unsigned weight becomes w - 128, which
 * takes away 128 * (sum of the row). Both are put right afterwards, modulo 2^32. */

void tsp_gemm_int8_prepare(TspGemmInt8 *w, const uint8_t *columns, int32_t n, bool is_unsigned) {
    int32_t padded = round_up(n, 16), depth = round_up(n, 4);
    uint8_t flip = is_unsigned ? 0x80 : 0;
    w->n = n;
    w->weights_unsigned = is_unsigned;
    if (padded != n || depth != n) memset(w->packed, 0, (size_t)padded * (size_t)depth);
    for (int32_t j = 0; j < n; j++) {
        const uint8_t *column = columns + (size_t)j * (size_t)n;
        int32_t sum = 0, k = 0;
        for (; k < n; k++) sum += (int8_t)(column[k] ^ flip);
        w->column_sum[j] = sum;
        for (k = 0; k + 4 <= n; k += 4) {
            uint32_t four;
            memcpy(&four, column + k, 4);
            four ^= flip * 0x01010101u;
            memcpy(w->packed + ((size_t)(k / 4) * (size_t)padded + (size_t)j) * 4, &four, 4);
        }
        for (; k < n; k++)
            w->packed[((size_t)(k / 4) * (size_t)padded + (size_t)j) * 4 + (size_t)(k % 4)] =
                (int8_t)(column[k] ^ flip);
    }
}

void gemm_int8_plain(const int8_t *packed, int32_t columns, int32_t depth, const uint8_t *const *a,
                     int32_t rows, int32_t *out, int32_t out_stride) {
    for (int32_t i = 0; i < rows; i++) {
        int32_t *sum = out + (size_t)i * (size_t)out_stride;
        memset(sum, 0, (size_t)columns * sizeof *sum);
        for (int32_t k = 0; k < depth; k += 4) {
            const int8_t *w = packed + (size_t)k * (size_t)columns;
            int32_t a0 = a[i][k], a1 = a[i][k + 1], a2 = a[i][k + 2], a3 = a[i][k + 3];
            for (int32_t j = 0; j < columns; j++)
                sum[j] += a0 * w[4 * j] + a1 * w[4 * j + 1] + a2 * w[4 * j + 2] + a3 * w[4 * j + 3];
        }
    }
}

static void int8_block(const TspGemmInt8 *w, const uint8_t *const *a, int32_t rows,
                       bool a_unsigned, int32_t *out, Int8Kernel *kernel) {
    _Alignas(64) uint8_t buffer[GEMM_ROWS][TSP_GEMM_MAX];
    _Alignas(64) int32_t sums[GEMM_ROWS][TSP_GEMM_MAX];
    const uint8_t *row[GEMM_ROWS] = {0};
    int32_t n = w->n, depth = round_up(n, 4), row_sum[GEMM_ROWS] = {0};
    for (int32_t i = 0; i < rows; i++) {
        row[i] = buffer[i];
        if (a_unsigned)
            memcpy(buffer[i], a[i], (size_t)n);
        else
            for (int32_t k = 0; k < n; k++) buffer[i][k] = a[i][k] ^ 0x80;
        memset(buffer[i] + n, 0, (size_t)(depth - n));
        if (w->weights_unsigned)
            for (int32_t k = 0; k < n; k++) row_sum[i] += a_unsigned ? a[i][k] : (int8_t)a[i][k];
    }
    kernel(w->packed, round_up(n, 16), depth, row, rows, sums[0], TSP_GEMM_MAX);
    for (int32_t i = 0; i < rows; i++) {
        uint32_t scale = a_unsigned ? 0 : 128, add = 128u * (uint32_t)row_sum[i];
        for (int32_t j = 0; j < n; j++)
            out[(size_t)i * (size_t)n + (size_t)j] =
                (int32_t)((uint32_t)sums[i][j] - scale * (uint32_t)w->column_sum[j] + add);
    }
}

void tsp_gemm_int8(const TspGemmInt8 *w, const uint8_t *const *a, int32_t rows, bool a_unsigned,
                   int32_t *out, TspGemmKernel kernel) {
    Int8Kernel *chosen = kernels(kernel).int8;
    for (int32_t i = 0; i < rows; i += GEMM_ROWS)
        int8_block(w, a + i, rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, a_unsigned,
                   out + (size_t)i * (size_t)w->n, chosen);
}

/* ---- fp16 ---- */

/* A finite half; what it gives for others does not matter, they take the exact way. */
static float finite_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t normal = ((uint32_t)(half & 0x7fff) << 13) + (112u << 23);
    float small = (float)(half & 0x3ff) * 0x1p-24f;
    return tsp_f32_from_bits(sign | (half & 0x7c00 ? normal : tsp_f32_bits(small)));
}

/* A power of two that every one of these halfs is a multiple of: the lowest bit set in any
 * mantissa, at the least exponent of any. */
typedef struct { uint32_t mantissas, least_exponent; } Unit;

static void unit_add(Unit *u, uint16_t half) {
    uint32_t exponent = half >> 10 & 31;
    if (!(half & 0x7fff)) return;
    u->mantissas |= exponent ? (half & 0x3ffu) | 0x400u : half & 0x3ffu;
    exponent += exponent == 0;
    if (exponent < u->least_exponent) u->least_exponent = exponent;
}

static double unit_value(const Unit *u) {
    return u->mantissas ? ldexp(1, __builtin_ctz(u->mantissas) + (int)u->least_exponent - 25) : 1;
}

void tsp_gemm_fp16_prepare(TspGemmFp16 *w, const uint8_t *low, const uint8_t *high, int32_t n) {
    enum { STRIP = 16 }; /* columns at a time, so that both sides of the transpose stay in cache */
    w->n = n;
    w->finite = true;
    for (int32_t j = 0; j < n; j++) {
        Unit unit = {0, 31};
        double magnitude = 0;
        for (int32_t k = 0; k < n; k++) {
            size_t at = (size_t)j * (size_t)n + (size_t)k;
            uint16_t half = (uint16_t)(low[at] | high[at] << 8);
            w->half[at] = half;
            w->finite &= (half & 0x7c00) != 0x7c00;
            magnitude += (double)finite_half(half & 0x7fff);
            unit_add(&unit, half);
        }
        w->column_magnitude[j] = magnitude;
        w->column_unit[j] = unit_value(&unit);
    }
    for (int32_t strip = 0; strip < n; strip += STRIP)
        for (int32_t k = 0; k < n; k++)
            for (int32_t j = strip; j < n && j < strip + STRIP; j++)
                w->weight[(size_t)k * (size_t)n + (size_t)j] =
                    finite_half(w->half[(size_t)j * (size_t)n + (size_t)k]);
}

void gemm_fp16_plain(const float *w, int32_t stride, int32_t columns, int32_t depth,
                     const double *a, int32_t rows, double *sum, int32_t sum_stride) {
    for (int32_t i = 0; i < rows; i++) {
        double *row = sum + (size_t)i * (size_t)sum_stride;
        for (int32_t j = 0; j < columns; j++) row[j] = 0;
        for (int32_t k = 0; k < depth; k++) {
            double x = a[(size_t)k * GEMM_ROWS + (size_t)i];
            const float *from = w + (size_t)k * (size_t)stride;
            for (int32_t j = 0; j < columns; j++) row[j] += x * (double)from[j];
        }
    }
}

/* The sum is exactly zero: +0 unless every product is -0. */
static uint32_t zero_sum(const uint16_t *a, const uint16_t *w, int32_t n) {
    for (int32_t k = 0; k < n; k++)
        if (!((a[k] ^ w[k]) & 0x8000) || (a[k] & 0x7fff && w[k] & 0x7fff)) return 0;
    return 0x80000000u;
}

/* Rounds sums in double to fp32 where only one answer is possible, and sums exactly where not.
 *
 * All products of the row and a column are multiples of a unit; if 2^53 units hold the sum of
 * their magnitudes, every partial sum was exact. Else adding n terms in double in any order, each
 * exact, errs by at most (n - 1) * 2^-53 * sum |a w| (1 + tiny); n + 4 covers the tiny and the
 * rounding of the bound (Ziv's test). */
static void round_row(const TspGemmFp16 *w, const uint16_t *a, double greatest, double unit,
                      const double *sum, uint32_t *out) {
    int32_t n = w->n;
    double scale = (n + 4) * (DBL_EPSILON / 2);
    for (int32_t j = 0; j < n; j++) {
        double most = greatest * w->column_magnitude[j];
        bool exact = most <= unit * w->column_unit[j] * 0x1p53;
        double error = exact ? 0 : scale * most;
        float low = (float)(sum[j] - error), high = (float)(sum[j] + error);
        uint32_t bits = tsp_f32_bits(low);
        if (exact && sum[j] == 0)
            bits = zero_sum(a, w->half + (size_t)j * (size_t)n, n);
        else if (bits != tsp_f32_bits(high))
            bits = tsp_dot_fp16_exact(a, w->half + (size_t)j * (size_t)n, n);
        out[j] = bits;
    }
}

static void fp16_block(const TspGemmFp16 *w, const uint8_t *const *a_low,
                       const uint8_t *const *a_high, int32_t rows, uint32_t *out,
                       Fp16Kernel *kernel) {
    _Alignas(64) double values[TSP_GEMM_MAX * GEMM_ROWS], sums[GEMM_ROWS][TSP_GEMM_MAX];
    uint16_t halves[GEMM_ROWS][TSP_GEMM_MAX];
    double greatest[GEMM_ROWS] = {0};
    Unit unit[GEMM_ROWS];
    bool finite[GEMM_ROWS];
    int32_t n = w->n, whole = n / 8 * 8;
    for (int32_t i = 0; i < GEMM_ROWS; i++) {
        uint16_t most = 0;
        unit[i] = (Unit){0, 31};
        for (int32_t k = 0; k < n; k++) {
            uint16_t half = (uint16_t)(i < rows ? a_low[i][k] | a_high[i][k] << 8 : 0);
            halves[i][k] = half;
            values[(size_t)k * GEMM_ROWS + (size_t)i] = (double)finite_half(half);
            unit_add(&unit[i], half);
            if ((half & 0x7fff) > most) most = half & 0x7fff;
        }
        finite[i] = w->finite && most < 0x7c00;
        greatest[i] = (double)finite_half(most);
    }
    kernel(w->weight, n, whole, n, values, rows, sums[0], TSP_GEMM_MAX);
    if (whole < n)
        gemm_fp16_plain(w->weight + whole, n, n - whole, n, values, rows, sums[0] + whole,
                        TSP_GEMM_MAX);
    for (int32_t i = 0; i < rows; i++) {
        uint32_t *row = out + (size_t)i * (size_t)n;
        if (finite[i])
            round_row(w, halves[i], greatest[i], unit_value(&unit[i]), sums[i], row);
        else
            for (int32_t j = 0; j < n; j++)
                row[j] = tsp_dot_fp16_exact(halves[i], w->half + (size_t)j * (size_t)n, n);
    }
}

void tsp_gemm_fp16(const TspGemmFp16 *w, const uint8_t *const *a_low,
                   const uint8_t *const *a_high, int32_t rows, uint32_t *out,
                   TspGemmKernel kernel) {
    Fp16Kernel *chosen = kernels(kernel).fp16;
    for (int32_t i = 0; i < rows; i += GEMM_ROWS)
        fp16_block(w, a_low + i, a_high + i, rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS,
                   out + (size_t)i * (size_t)w->n, chosen);
}
