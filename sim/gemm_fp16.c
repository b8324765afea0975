/* gemm_fp16.c - products of halfs: preparation, the plain C kernel, and the one rounding.
 */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
/* gcc leaves loops of unknown length scalar at -O2, and selections between floats scalar as long
 * as it must preserve floating-point exceptions, which nobody here reads. */
#pragma GCC optimize("O3", "no-trapping-math")
#endif
#include "gemm_fp16_block.h"

/* Keeps within `depth` and `columns` every weight that is not +0 or -0. */
static void measure_column(TspGemmFp16 *w, const uint16_t *half, int32_t j) {
    int32_t used = w->n;
    while (used > w->depth && !(half[used - 1] & 0x7fff)) used--;
    if (used > w->depth) w->depth = used;
    if (greatest_half(half, w->n) > 0) w->columns = j + 1;
}

void tsp_gemm_fp16_prepare(TspGemmFp16 *w, const uint8_t *const *low, const uint8_t *const *high,
                           int32_t n) {
    enum { STRIP = 16 }; /* columns at a time, so that both sides of the transpose stay in cache */
    float strip[STRIP][TSP_GEMM_MAX];
    w->n = n;
    w->depth = w->columns = 0;
    w->finite = true;
    for (int32_t j = 0; j < n; j++) {
        size_t at = (size_t)j * (size_t)n;
        join_bytes(w->half + at, low[j] ? low[j] : gemm_zeros, high[j] ? high[j] : gemm_zeros, n);
        w->finite &= greatest_half(w->half + at, n) < 0x7c00;
        w->column_unit[j] = common_unit(w->half + at, n);
        w->column_magnitude[j] = 0;
        w->loaded[j] = low[j] || high[j];
        measure_column(w, w->half + at, j);
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

void gemm_fp16_sums(const float *w, int32_t stride, int32_t columns, int32_t depth, const double *a,
                    int32_t rows, double *sum, int32_t sum_stride) {
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

void tsp_gemm_add_fp32(uint32_t *restrict to, const uint32_t *restrict from, int32_t n) {
    add_fp32(to, from, n);
}

void gemm_fp16_plain(const TspGemmFp16 *w, const TspGemmRow *rows, int32_t count) {
    for (int32_t i = 0; i < count; i += GEMM_ROWS)
        fp16_block(w, rows + i, count - i < GEMM_ROWS ? count - i : GEMM_ROWS, gemm_fp16_sums);
}

void tsp_gemm_fp16(const TspGemmFp16 *w, const TspGemmRow *rows, int32_t count,
                   TspGemmKernel kernel) {
    gemm_kernels(kernel).fp16(w, rows, count);
}
