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

/* One activation on its way to the accumulators. The rows of a call are taken in order, but none
 * may add what an earlier one of the call puts out. */
typedef struct {
    const uint8_t *low, *high; /* n bytes: the activation; of halfs the low and the high plane */
    const uint32_t *add;       /* n sums that the product is added to, NULL: none */
    uint32_t *out;             /* n sums, may be `add` */
} TspGemmRow;

/* Weights prepared for the kernels; plain data, no pointers. Opaque to callers. `depth` and
 * `columns` are what is left of n once zeros at the end are cut off, rounded up to what a kernel
 * takes at once. */
typedef struct {
    int32_t n, depth, columns;
    bool activations_signed; /* then packed holds unsigned weights, else signed ones: what the */
    int32_t shift;           /* kernels multiply; each weight is its packed one plus `shift` */
    uint8_t packed[TSP_GEMM_MAX * TSP_GEMM_MAX] __attribute__((aligned(64)));
} TspGemmInt8;

typedef struct {
    int32_t n, depth, columns;
    bool finite;                           /* no NaN or infinity among the weights */
    double column_magnitude[TSP_GEMM_MAX]; /* sum of |w| over k */
    double column_unit[TSP_GEMM_MAX];      /* a power of two that all weights are multiples of */
    float weight[TSP_GEMM_MAX * TSP_GEMM_MAX] __attribute__((aligned(64))); /* [k][n] */
    uint16_t half[TSP_GEMM_MAX * TSP_GEMM_MAX];                             /* [n][k], as given */
    bool loaded[TSP_GEMM_MAX]; /* columns; of the others every product is +0 */
} TspGemmFp16;

/* columns: n vectors of n bytes, vector j = column j of the array (lane = k); NULL: zeros. Whether
 * the weights and the activations that they will meet are unsigned. */
void tsp_gemm_int8_prepare(TspGemmInt8 *w, const uint8_t *const *columns, int32_t n,
                           bool weights_unsigned, bool activations_unsigned);
/* out[j] = add[j] + sum_k a[k] * w[k][j] modulo 2^32 for every row. */
void tsp_gemm_int8(const TspGemmInt8 *w, const TspGemmRow *rows, int32_t count,
                   TspGemmKernel kernel);
/* low/high: n vectors of n bytes each, the low and high byte planes of the halfs; NULL: zeros, and
 * where both are the column is not loaded: its products are +0, whatever it meets. */
void tsp_gemm_fp16_prepare(TspGemmFp16 *w, const uint8_t *const *low, const uint8_t *const *high,
                           int32_t n);
/* The product is the exact sum over k of a[k] * w[k][j], rounded once to fp32, nearest even; then
 * out[j] = add[j] + product in fp32. NaN or infinity times zero, or infinities of both signs:
 * canonical NaN 0x7fc00000, as for any NaN; infinity otherwise as IEEE; exact zero sum: +0, but -0
 * if every product is -0 (IEEE addition). add and out hold bits of fp32. */
void tsp_gemm_fp16(const TspGemmFp16 *w, const TspGemmRow *rows, int32_t count,
                   TspGemmKernel kernel);
/* to = to + from in fp32, n lanes of bits; any NaN is the canonical one. */
void tsp_gemm_add_fp32(uint32_t *to, const uint32_t *from, int32_t n);
/* The exact dot product of n pairs of halfs rounded once to fp32 (bits); the slow, sure way. */
uint32_t tsp_dot_fp16_exact(const uint16_t *a, const uint16_t *b, int32_t n);
/* What AUTO picks on this host; and whether this host can run a kernel. */
TspGemmKernel tsp_gemm_best(void);
bool tsp_gemm_available(TspGemmKernel kernel);

#endif
