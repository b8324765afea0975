/* gemm_kernels.h - inner kernels behind gemm.c, one set an instruction set.
 *
 * Weights are packed [k / 4][padded n][4] for int8, padded n a multiple of 16, k a multiple of 4;
 * [k][n] floats for fp16.
 */
#ifndef TSP_GEMM_KERNELS_H
#define TSP_GEMM_KERNELS_H
#include "gemm.h"

/* Rows of activations that a kernel takes at once. */
enum { GEMM_ROWS = 6 };

/* out[i][j] = sum over k of a[i][k] * w[k][j], modulo 2^32, i < rows <= GEMM_ROWS; a unsigned, w
 * signed. a[i]: `depth` bytes, a multiple of 4. */
typedef void Int8Kernel(const int8_t *packed, int32_t columns, int32_t depth,
                        const uint8_t *const *a, int32_t rows, int32_t *out, int32_t out_stride);

/* sum[i][j] = sum over k of a[i][k] * w[k][j] in double, in any order; i < rows <= GEMM_ROWS.
 * a: [row][TSP_GEMM_MAX] doubles, w: [k][stride] floats. columns: a multiple of 8 but for plain C.
 */
typedef void Fp16Kernel(const float *w, int32_t stride, int32_t columns, int32_t depth,
                        const double *a, int32_t rows, double *sum, int32_t sum_stride);

Int8Kernel gemm_int8_plain;
Fp16Kernel gemm_fp16_plain;
#if defined(__x86_64__)
Int8Kernel gemm_int8_avx2, gemm_int8_avx512;
Fp16Kernel gemm_fp16_avx2, gemm_fp16_avx512;
#endif

#endif
