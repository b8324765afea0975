/* gemm_kernels.h - inner kernels behind gemm_int8.c and gemm_fp16.c, one set an instruction set.
 *
 * int8 weights are packed in panels of GEMM_PANEL columns (the last one narrower, a multiple of
 * 16): [panel][k / 4][column of the panel][4], so that a panel stays in the first cache while
 * every row passes it. fp16 weights are floats [k][n].
 */
#ifndef TSP_GEMM_KERNELS_H
#define TSP_GEMM_KERNELS_H
#include "gemm.h"

#include <stddef.h>

/* Rows that a kernel takes at once; columns of a panel. */
enum { GEMM_ROWS = 6, GEMM_PANEL = 64 };

/* out = add + product for the columns below w->columns of any number of rows; n a multiple of 16.
 */
typedef void Int8Kernel(const TspGemmInt8 *w, const TspGemmRow *rows, int32_t count);

/* sum[i][j] = sum over k of a[i][k] * w[k][j] in double, in any order; i < rows <= GEMM_ROWS.
 * a: [row][TSP_GEMM_MAX] doubles, w: [k][stride] floats. columns: a multiple of 8 but for plain C.
 */
typedef void Fp16Sums(const float *w, int32_t stride, int32_t columns, int32_t depth,
                      const double *a, int32_t rows, double *sum, int32_t sum_stride);

Fp16Sums gemm_fp16_sums;

/* All of tsp_gemm_fp16(). */
typedef void Fp16Kernel(const TspGemmFp16 *w, const TspGemmRow *rows, int32_t count);

Int8Kernel gemm_int8_plain;
Fp16Kernel gemm_fp16_plain;
#if defined(__x86_64__)
Int8Kernel gemm_int8_avx2, gemm_int8_avx512;
Fp16Kernel gemm_fp16_avx2, gemm_fp16_avx512;
#endif

typedef struct {
    Int8Kernel *int8;
    Fp16Kernel *fp16;
} GemmKernels;
GemmKernels gemm_kernels(TspGemmKernel kernel);

static inline int32_t gemm_round_up(int32_t n, int32_t to) {
    return (n + to - 1) / to * to;
}
/* What stands for a column of zeros. */
static const uint8_t gemm_zeros[TSP_GEMM_MAX];
/* Where a panel of packed int8 weights starts. */
static inline const uint8_t *gemm_panel(const TspGemmInt8 *w, int32_t column) {
    return w->packed + (size_t)column * (size_t)gemm_round_up(w->n, 4);
}
/* Columns of the panel that starts at `column`, as packed. */
static inline int32_t gemm_panel_width(const TspGemmInt8 *w, int32_t column) {
    int32_t left = gemm_round_up(w->n, 16) - column;
    return left < GEMM_PANEL ? left : GEMM_PANEL;
}

#endif
