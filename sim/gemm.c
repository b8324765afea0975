/* gemm.c - products of a plane: preparation, choice of kernel, and the plain C kernels.
 */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
/* gcc leaves loops of unknown length scalar at -O2, and selections between floats scalar as long
 * as it must preserve floating-point exceptions, which nobody here reads. */
#pragma GCC optimize("O3", "no-trapping-math")
#endif
#include "gemm_kernels.h"
#include "isa/half.h"

#include <float.h>
#include <math.h>
#include <string.h>

static int32_t round_up(int32_t n, int32_t to) {
    return (n + to - 1) / to * to;
}

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

typedef struct {
    Int8Kernel *int8;
    Fp16Kernel *fp16;
} Kernels;

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

static void int8_block(const TspGemmInt8 *w, const uint8_t *const *a, int32_t rows, bool a_unsigned,
                       int32_t *out, Int8Kernel *kernel) {
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

/* A power of two that all of these halfs are multiples of: the lowest digit that any mantissa
 * uses, at the least exponent of any. */
static double common_unit(const uint16_t *half, int32_t n) {
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
static uint16_t greatest_half(const uint16_t *half, int32_t n) {
    uint16_t greatest = 0;
    for (int32_t k = 0; k < n; k++) {
        uint16_t magnitude = half[k] & 0x7fff;
        greatest = greatest > magnitude ? greatest : magnitude;
    }
    return greatest;
}

static void join_bytes(uint16_t *half, const uint8_t *low, const uint8_t *high, int32_t n) {
    for (int32_t k = 0; k < n; k++) half[k] = (uint16_t)(low[k] | high[k] << 8);
}

void tsp_gemm_fp16_prepare(TspGemmFp16 *w, const uint8_t *low, const uint8_t *high, int32_t n) {
    enum { STRIP = 16 }; /* columns at a time, so that both sides of the transpose stay in cache */
    float strip[STRIP][TSP_GEMM_MAX];
    w->n = n;
    w->finite = true;
    for (int32_t j = 0; j < n; j++) {
        size_t at = (size_t)j * (size_t)n;
        join_bytes(w->half + at, low + at, high + at, n);
        w->finite &= greatest_half(w->half + at, n) < 0x7c00;
        w->column_unit[j] = common_unit(w->half + at, n);
        w->column_magnitude[j] = 0;
    }
    for (int32_t first = 0; first < n; first += STRIP) {
        int32_t count = n - first < STRIP ? n - first : STRIP;
        for (int32_t j = 0; j < count; j++) {
            const uint16_t *column = w->half + (size_t)(first + j) * (size_t)n;
            for (int32_t k = 0; k < n; k++) strip[j][k] = finite_half(column[k]);
        }
        for (int32_t k = 0; k < n; k++) {
            float *row = w->weight + (size_t)k * (size_t)n + first;
            for (int32_t j = 0; j < count; j++) row[j] = strip[j][k];
            for (int32_t j = 0; j < count; j++)
                w->column_magnitude[first + j] += (double)fabsf(row[j]);
        }
    }
}

void gemm_fp16_plain(const float *w, int32_t stride, int32_t columns, int32_t depth,
                     const double *a, int32_t rows, double *sum, int32_t sum_stride) {
    for (int32_t i = 0; i < rows; i++) {
        double *row = sum + (size_t)i * (size_t)sum_stride;
        for (int32_t j = 0; j < columns; j++) row[j] = 0;
        for (int32_t k = 0; k < depth; k++) {
            double x = a[i * TSP_GEMM_MAX + k];
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
 * All products of the row and a column are multiples of a unit; if less than 2^53 units hold the
 * sum of their magnitudes, every partial sum was exact. Else adding n terms in double in any order,
 * each exact, errs by at most (n - 1) * 2^-53 * sum |a w| (1 + tiny); n + 4 covers the tiny and the
 * rounding of the bound (Ziv's test). */
static void round_row(const TspGemmFp16 *w, const uint16_t *a, double greatest, double unit,
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

static void fp16_block(const TspGemmFp16 *w, const uint8_t *const *a_low,
                       const uint8_t *const *a_high, int32_t rows, uint32_t *out,
                       Fp16Kernel *kernel) {
    _Alignas(64) double values[GEMM_ROWS * TSP_GEMM_MAX], sums[GEMM_ROWS][TSP_GEMM_MAX];
    uint16_t halves[GEMM_ROWS][TSP_GEMM_MAX];
    int32_t n = w->n, whole = n / 8 * 8;
    for (int32_t i = 0; i < rows; i++) {
        join_bytes(halves[i], a_low[i], a_high[i], n);
        for (int32_t k = 0; k < n; k++)
            values[i * TSP_GEMM_MAX + k] = (double)finite_half(halves[i][k]);
    }
    kernel(w->weight, n, whole, n, values, rows, sums[0], TSP_GEMM_MAX);
    if (whole < n)
        gemm_fp16_plain(w->weight + whole, n, n - whole, n, values, rows, sums[0] + whole,
                        TSP_GEMM_MAX);
    for (int32_t i = 0; i < rows; i++) {
        uint32_t *row = out + (size_t)i * (size_t)n;
        uint16_t greatest = greatest_half(halves[i], n);
        if (w->finite && greatest < 0x7c00)
            round_row(w, halves[i], (double)finite_half(greatest), common_unit(halves[i], n),
                      sums[i], row);
        else
            for (int32_t j = 0; j < n; j++)
                row[j] = tsp_dot_fp16_exact(halves[i], w->half + (size_t)j * (size_t)n, n);
    }
}

void tsp_gemm_fp16(const TspGemmFp16 *w, const uint8_t *const *a_low, const uint8_t *const *a_high,
                   int32_t rows, uint32_t *out, TspGemmKernel kernel) {
    Fp16Kernel *chosen = kernels(kernel).fp16;
    for (int32_t i = 0; i < rows; i += GEMM_ROWS)
        fp16_block(w, a_low + i, a_high + i, rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS,
                   out + (size_t)i * (size_t)w->n, chosen);
}
