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

/* QLinearMatMul, interpret_qlinear.c; in: all eight inputs. */
bool tsp_interpret_qlinear(const TspNode *node, int32_t lanes, const TspOperand *in,
                           TspResult *out);

/* The element-wise operators that interpret.c has not: interpret_elementwise.c. */
bool tsp_interpret_elementwise(const TspNode *node, int32_t lanes, const TspOperand *in,
                               TspResult *out);

/* QuantizeLinear, DequantizeLinear; DynamicQuantizeLinear; BatchNormalization, of five inputs:
 * interpret_quantize.c. */
bool tsp_interpret_quantize(const TspNode *node, int32_t lanes, const TspOperand *in,
                            TspResult *out);
bool tsp_interpret_dynamic(const TspNode *node, int32_t lanes, const TspOperand *in,
                           TspResult *out);
bool tsp_interpret_batch_norm(const TspNode *node, int32_t lanes, const TspOperand *in,
                              TspResult *out);

/* Reductions over axes, ArgMax, ArgMin, Softmax: interpret_axes.c. CumSum: interpret_reduce.c. */
bool tsp_interpret_axes(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out);
bool tsp_interpret_cum_sum(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out);
/* LayerNormalization, RMSNormalization, InstanceNormalization: interpret_normalize.c. */
bool tsp_interpret_normalize(const TspNode *node, int32_t lanes, const TspOperand in[4],
                             TspResult *out);
/* Operators that only relabel or move elements, interpret_movement.c. */
bool tsp_interpret_movement(const TspNode *node, int32_t lanes, const TspOperand in[4],
                            TspResult *out);
/* Roundings to fp32 that any element may pass when the machine adds up `elements` of them: a run of
 * elements over all lanes, or with `lanes` 0 elements of one lane, in any order. */
double tsp_sum_roundings(int64_t elements, int32_t lanes);

/* Spacing of the numbers of a float type at a magnitude; 0 at infinity, NaN, and for integers. */
double tsp_ulp(TspDtype type, double magnitude);
/* How far the machine's rounded result may be from ours, if before that it is within `tolerance` of
 * `value`: 0 unless a border between two roundings lies there. */
double tsp_rounded_tolerance(TspDtype type, double value, double tolerance);
/* Strides, in elements, that walk a tensor as if it had been broadcast to `shape`. */
void tsp_broadcast_strides(const TspValue *v, int32_t rank, const int64_t *shape, int64_t *stride);
/* The tolerance of an integer result whose exact value is `value`: all bets are off once the
 * error can carry it round the end of the type. */
double tsp_int_tolerance(TspDtype type, double value, double tolerance);

#endif
