/* interpret_parts.h - what the parts of the host interpreter share.
 */
#ifndef TSP_INTERPRET_PARTS_H
#define TSP_INTERPRET_PARTS_H
#include "compiler/interpret.h"

/* A tensor that a node reads; value NULL for an optional input left out. */
typedef struct {
    const TspValue *value;
    const uint8_t *data;
    const double *tolerance; /* NULL: exact */
} TspOperand;

/* What a node makes. data is allocated; tolerance is malloc'ed by the node if it needs one. */
typedef struct {
    const TspValue *value;
    uint8_t *data;
    double *tolerance;
} TspResult;

/* MatMulInteger, MatMul, Gemm. False only when out of memory. */
bool tsp_interpret_product(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out);

/* The element-wise operators that interpret.c has not: interpret_elementwise.c. */
bool tsp_interpret_elementwise(const TspNode *node, int32_t lanes, const TspOperand *in,
                               TspResult *out);

/* QuantizeLinear, DequantizeLinear; BatchNormalization, of five inputs: interpret_quantize.c. */
bool tsp_interpret_quantize(const TspNode *node, int32_t lanes, const TspOperand *in,
                            TspResult *out);
bool tsp_interpret_batch_norm(const TspNode *node, int32_t lanes, const TspOperand *in,
                              TspResult *out);

/* Reductions, interpret_reduce.c: ReduceSum and ReduceMean, ReduceMax and ReduceMin, ArgMax,
 * CumSum. */
bool tsp_interpret_sum(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out);
bool tsp_interpret_extreme(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out);
bool tsp_interpret_arg_max(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out);
bool tsp_interpret_cum_sum(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out);
/* Roundings to fp32 that any element may pass when the machine adds up `elements` of them. */
double tsp_sum_roundings(int64_t elements, int32_t lanes);

/* Spacing of the numbers of a float type at a magnitude; 0 at infinity, NaN, and for integers. */
double tsp_ulp(TspDtype type, double magnitude);
/* Strides, in elements, that walk a tensor as if it had been broadcast to `shape`. */
void tsp_broadcast_strides(const TspValue *v, int32_t rank, const int64_t *shape, int64_t *stride);
/* The tolerance of an integer result whose exact value is `value`: all bets are off once the
 * error can carry it round the end of the type. */
double tsp_int_tolerance(TspDtype type, double value, double tolerance);

#endif
