/* gemm_fp16_block.h - a few rows of halfs from bytes to sums, all but the multiplying: compiled
 * once for every instruction set, into its kernel.
 *
 * Every function is inlined into its caller, and so takes the caller's instruction set.
 */
#ifndef TSP_GEMM_FP16_BLOCK_H
#define TSP_GEMM_FP16_BLOCK_H
#include "gemm_kernels.h"
#include "isa/half.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* A finite half; what it gives for others does not matter, they take the exact way. */
INLINE float finite_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t normal = ((uint32_t)(half & 0x7fff) << 13) + (112u << 23);
    float small = (float)(half & 0x3ff) * 0x1p-24f;
    return tsp_f32_from_bits(sign | (half & 0x7c00 ? normal : tsp_f32_bits(small)));
}

/* A power of two that all of these halfs are multiples of: the lowest digit that any mantissa
 * uses, at the least exponent of any. */
INLINE double common_unit(const uint16_t *half, int32_t n) {
    uint16_t mantissas = 0, least = 0x7c00;
    for (int32_t k = 0; k < n; k++) {
        uint16_t exponent = half[k] & 0x7c00, mantissa = half[k] & 0x3ff;
        mantissa |= exponent ? 0x400 : 0;
        exponent = exponent ? exponent : 0x400; /* subnormals share the least normal exponent */
        exponent = mantissa ? exponent : 0x7c00;
        mantissas |= mantissa;
        least = least < exponent ? least : exponent;
    }
    return mantissas ? ldexp(1, __builtin_ctz(mantissas) + (least >> 10) - 25) : 1;
}

/* The greatest magnitude, as a half: 0x7c00 or more if any is infinite or NaN. */
INLINE uint16_t greatest_half(const uint16_t *half, int32_t n) {
    uint16_t greatest = 0;
    for (int32_t k = 0; k < n; k++) {
        uint16_t magnitude = half[k] & 0x7fff;
        greatest = greatest > magnitude ? greatest : magnitude;
    }
    return greatest;
}

INLINE void join_bytes(uint16_t *half, const uint8_t *low, const uint8_t *high, int32_t n) {
    for (int32_t k = 0; k < n; k++) half[k] = (uint16_t)(low[k] | high[k] << 8);
}

/* The sum is exactly zero: +0 unless every product is -0. */
static inline uint32_t zero_sum(const uint16_t *a, const uint16_t *w, int32_t n) {
    for (int32_t k = 0; k < n; k++)
        if (!((a[k] ^ w[k]) & 0x8000) || (a[k] & 0x7fff && w[k] & 0x7fff)) return 0;
    return 0x80000000u;
}

/* Rounds sums in double to fp32 where only one answer is possible, and sums exactly where not.
 *
 * All products of the row and a column are multiples of a unit; if less than 2^53 units hold the
 * sum of their magnitudes, every partial sum was exact. Else adding n terms in double in any order,
 * each exact, errs by at most (n - 1) * 2^-53 * sum |a w| (1 + tiny); n + 4 covers the tiny and the
 * rounding of the bound (Ziv's test). */
INLINE void round_row(const TspGemmFp16 *w, const uint16_t *a, double greatest, double unit,
                      const double *sum, uint32_t *out) {
    enum { DECIDED, ZERO, UNDECIDED };
    uint32_t verdict[TSP_GEMM_MAX], any = DECIDED;
    int32_t n = w->n;
    double scale = (n + 4) * (DBL_EPSILON / 2);
    for (int32_t j = 0; j < n; j++) {
        double most = greatest * w->column_magnitude[j];
        bool exact = most < unit * w->column_unit[j] * 0x1p53;
        double error = exact ? 0.0 : scale * most;
        uint32_t low = tsp_f32_bits((float)(sum[j] - error));
        uint32_t high = tsp_f32_bits((float)(sum[j] + error));
        uint32_t zero = (low | high) == 0 ? ZERO : DECIDED; /* only an exact sum comes to this */
        verdict[j] = low == high ? zero : UNDECIDED;
        any |= verdict[j];
        out[j] = low;
    }
    for (int32_t j = 0; any && j < n; j++) {
        const uint16_t *column = w->half + (size_t)j * (size_t)n;
        if (verdict[j] == ZERO) out[j] = zero_sum(a, column, n);
        if (verdict[j] == UNDECIDED) out[j] = tsp_dot_fp16_exact(a, column, n);
    }
}

/* Blocks of fixed length, so that any compiler makes vector instructions of them. */
enum { BLOCK = 16 };

/* to = to + from in fp32, any NaN the canonical one. */
INLINE void add_fp32(uint32_t *restrict to, const uint32_t *restrict from, int32_t n) {
    while (n > 0) {
        int32_t lanes = n < BLOCK ? n : BLOCK;
        float a[BLOCK] = {0}, b[BLOCK] = {0};
        uint32_t sum[BLOCK];
        memcpy(a, to, (size_t)lanes * sizeof *a);
        memcpy(b, from, (size_t)lanes * sizeof *b);
        for (int32_t i = 0; i < BLOCK; i++) a[i] += b[i];
        memcpy(sum, a, sizeof sum);
        for (int32_t i = 0; i < BLOCK; i++)
            sum[i] = (sum[i] & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : sum[i];
        memcpy(to, sum, (size_t)lanes * sizeof *sum);
        n -= lanes, to += lanes, from += lanes;
    }
}

/* The products of one row: rounded, those of columns that were never loaded +0. */
INLINE void round_products(const TspGemmFp16 *w, const uint16_t *a, const double *sum,
                           uint32_t *product) {
    const int32_t n = w->n;
    const uint16_t greatest = greatest_half(a, n);
    if (w->finite && greatest < 0x7c00)
        round_row(w, a, (double)finite_half(greatest), common_unit(a, n), sum, product);
    else
        for (int32_t j = 0; j < n; j++)
            product[j] = tsp_dot_fp16_exact(a, w->half + (size_t)j * (size_t)n, n);
    for (int32_t j = 0; j < n; j++) product[j] = w->loaded[j] ? product[j] : 0;
}

/* Sums of `count` rows by a kernel; columns that a kernel does not take go to the plain one. */
INLINE void fp16_block(const TspGemmFp16 *w, const TspGemmRow *rows, int32_t count,
                       Fp16Sums *sums_of) {
    _Alignas(64) double values[GEMM_ROWS * TSP_GEMM_MAX], sums[GEMM_ROWS][TSP_GEMM_MAX];
    uint16_t halves[GEMM_ROWS][TSP_GEMM_MAX];
    uint32_t product[TSP_GEMM_MAX];
    const int32_t n = w->n, most = n / 8 * 8;
    int32_t whole = gemm_round_up(w->columns, 8);
    if (whole > most) whole = most;
    for (int32_t i = 0; i < count; i++) {
        join_bytes(halves[i], rows[i].low, rows[i].high, n);
        for (int32_t k = 0; k < n; k++)
            values[i * TSP_GEMM_MAX + k] = (double)finite_half(halves[i][k]);
    }
    sums_of(w->weight, n, whole, w->depth, values, count, sums[0], TSP_GEMM_MAX);
    if (whole < w->columns)
        gemm_fp16_sums(w->weight + whole, n, n - whole, w->depth, values, count, sums[0] + whole,
                       TSP_GEMM_MAX);
    else
        for (int32_t i = 0; i < count; i++)
            memset(sums[i] + whole, 0, (size_t)(n - whole) * sizeof(double));
    for (int32_t i = 0; i < count; i++) {
        round_products(w, halves[i], sums[i], product);
        if (rows[i].add) {
            if (rows[i].add != rows[i].out)
                memcpy(rows[i].out, rows[i].add, (size_t)n * sizeof *rows[i].out);
            add_fp32(rows[i].out, product, n);
        } else {
            memcpy(rows[i].out, product, (size_t)n * sizeof *product);
        }
    }
}

#endif
