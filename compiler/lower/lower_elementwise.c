/* lower_elementwise.c - element-wise nodes become stages without a product.
 *
 * A result is a matrix of rows; broadcasting gives each operand a stride over the leading
 * dimensions. Dimensions are merged from the inside out while every operand steps evenly, and each
 * merged block of rows is one stage.
 */
#include "lower.h"

bool lower_elementwise(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    const TspValue *y = &g->values[node->output];
    int32_t cols = y->rank ? (int32_t)y->shape[y->rank - 1] : 1, out;
    int32_t tensor[ELEMENTWISE_INPUTS], ones = -1, inner = y->rank - 2,
                                        inputs = lower_streamed(node);
    int64_t stride[ELEMENTWISE_INPUTS][TSP_MAX_RANK] = {{0}}, rows = 1, run = 1;
    int64_t step[ELEMENTWISE_INPUTS] = {1, 1, 1};
    for (int32_t i = 0; i < inputs; i++) {
        if ((tensor[i] = lower_widened(l, node->inputs[i], cols, err)) < 0) return false;
        lower_row_strides(&g->values[node->inputs[i]], y->rank, stride[i]);
    }
    if (lower_needs_ones(node) && (ones = lower_ones(l, node, cols, err)) < 0) return false;
    if ((out = lower_oriented(l, node->output, ROWWISE, err)) < 0) return false;
    for (int32_t d = 0; d < y->rank - 1; d++) rows *= y->shape[d];
    for (; inner >= 0; inner--) {
        bool even = true;
        if (y->shape[inner] == 1) continue;
        for (int32_t i = 0; i < inputs; i++) even &= run == 1 || stride[i][inner] == step[i] * run;
        if (!even) break;
        for (int32_t i = 0; i < inputs; i++)
            if (run == 1) step[i] = stride[i][inner];
        run *= y->shape[inner];
    }
    for (int64_t row = 0; row < rows; row += run) {
        int64_t outer = row / run, at[ELEMENTWISE_INPUTS] = {0};
        Stage *s = lower_new_stage(l, "elementwise", (int32_t)run, cols, err);
        From from[ELEMENTWISE_INPUTS] = {{FROM_NONE, 0}};
        if (!s) return false;
        for (int32_t d = inner; d >= 0; d--) {
            for (int32_t i = 0; i < inputs; i++) at[i] += outer % y->shape[d] * stride[i][d];
            outer /= y->shape[d];
        }
        for (int32_t i = 0; i < inputs; i++)
            from[i] = lower_operand(s, tensor[i], (int32_t)at[i], run == 1 ? 0 : (int32_t)step[i]);
        if (!lower_finish_elementwise(l, node, s, from,
                                      ones < 0 ? from_none() : lower_operand(s, ones, 0, 0), out,
                                      (int32_t)row, err))
            return false;
    }
    return true;
}
