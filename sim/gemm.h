/* gemm.h - the matrix products of an MXM plane, exact, for whole batches of activations.
 *
 * Sizes: n = tsp_lanes(m) <= TSP_GEMM_MAX (320), both array dimensions. Every kernel (plain C,
 * AVX2, AVX-512 VNNI; chosen at run time) gives the same bits.
 */
#ifndef TSP_GEMM_H
#define TSP_GEMM_H
#include <stdbool.h>
#include <stdint.h>

enum { TSP_GEMM_MAX = 320 };
typedef enum { TSP_GEMM_AUTO, TSP_GEMM_PLAIN, TSP_GEMM_AVX2, TSP_GEMM_AVX512 } TspGemmKernel;

/* Weights prepared for the kernels; plain data, no pointers. Opaque to callers. */
typedef struct {
    int32_t n;
    bool weights_unsigned;
    int32_t column_sum[TSP_GEMM_MAX];
    int8_t packed[TSP_GEMM_MAX * TSP_GEMM_MAX] __attribute__((aligned(64)));
} TspGemmInt8;

typedef struct {
    int32_t n;
    bool finite;                           /* no NaN or infinity among the weights */
    double column_magnitude[TSP_GEMM_MAX]; /* sum of |w| over k */
    double column_unit[TSP_GEMM_MAX];      /* a power of two that all weights are multiples of */
    float weight[TSP_GEMM_MAX * TSP_GEMM_MAX] __attribute__((aligned(64))); /* [k][n] */
    uint16_t half[TSP_GEMM_MAX * TSP_GEMM_MAX];                             /* [n][k], as given */
} TspGemmFp16;

/* columns: n vectors of n bytes, vector j = column j of the array (lane = k). */
void tsp_gemm_int8_prepare(TspGemmInt8 *w, const uint8_t *columns, int32_t n, bool is_unsigned);
/* out[i][j] = sum_k a[i][k] * w[k][j] modulo 2^32, i < rows. a[i] points to n bytes. out is
 * rows x n. */
void tsp_gemm_int8(const TspGemmInt8 *w, const uint8_t *const *a, int32_t rows, bool a_unsigned,
                   int32_t *out, TspGemmKernel kernel);
/* low/high: n vectors of n bytes each, the low and high byte planes of the halfs. */
void tsp_gemm_fp16_prepare(TspGemmFp16 *w, const uint8_t *low, const uint8_t *high, int32_t n);
/* out[i][j] = the exact sum over k of a[i][k] * w[k][j], rounded once to fp32, nearest even.
 * NaN or infinity times zero, or infinities of both signs: canonical NaN 0x7fc00000; infinity
 * otherwise as IEEE; exact zero sum: +0, but -0 if every product is -0 (IEEE addition). out holds
 * bits of fp32. a_low[i], a_high[i] point to n bytes each. */
void tsp_gemm_fp16(const TspGemmFp16 *w, const uint8_t *const *a_low, const uint8_t *const *a_high,
                   int32_t rows, uint32_t *out, TspGemmKernel kernel);
/* The exact dot product of n pairs of halfs rounded once to fp32 (bits); the slow, sure way. */
uint32_t tsp_dot_fp16_exact(const uint16_t *a, const uint16_t *b, int32_t n);
/* What AUTO picks on this host; and whether this host can run a kernel. */
TspGemmKernel tsp_gemm_best(void);
bool tsp_gemm_available(TspGemmKernel kernel);

#endif
