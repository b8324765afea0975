/* interpret_axes.h - what is made of a vector: one number, or for Softmax and
 * LogSoftmax as many.
 *
 * `lanes` is that of tsp_sum_roundings. False only when out of memory.
 */
#ifndef TSP_INTERPRET_AXES_H
#define TSP_INTERPRET_AXES_H
#include "interpret_parts.h"

/* interpret_reduce.c: ReduceSum and ReduceMean, ReduceMax and ReduceMin, ArgMax and ArgMin. */
bool tsp_interpret_sum(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out);
bool tsp_interpret_extreme(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out);
bool tsp_interpret_arg(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out);

/* interpret_norm.c: ReduceProd; ReduceSumSquare, ReduceL1, ReduceL2; Softmax. */
bool tsp_interpret_prod(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out);
bool tsp_interpret_norm(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out);
bool tsp_interpret_softmax(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out);

/* interpret_log.c: LogSoftmax, ReduceLogSum, ReduceLogSumExp. */
bool tsp_interpret_log_softmax(const TspNode *node, int32_t lanes, const TspOperand in[4],
                               TspResult *out);
bool tsp_interpret_log_sum(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out);
bool tsp_interpret_log_sum_exp(const TspNode *node, int32_t lanes, const TspOperand in[4],
                               TspResult *out);

/* interpret_whole.c: ReduceMean, ReduceL2, ReduceLogSum and ReduceLogSumExp of int32. */
bool tsp_interpret_whole_mean(const TspNode *node, int32_t lanes, const TspOperand in[4],
                              TspResult *out);
bool tsp_interpret_whole_log(const TspNode *node, int32_t lanes, const TspOperand in[4],
                             TspResult *out);
bool tsp_interpret_whole_norm(const TspNode *node, int32_t lanes, const TspOperand in[4],
                              TspResult *out);

#endif
