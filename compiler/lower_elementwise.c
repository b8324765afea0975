/* lower_elementwise.c - Add, Sub, Mul, Relu and Cast become stages without a product.
 *
 * A result is a matrix of rows; broadcasting gives each operand a stride over the leading
 * dimensions. Dimensions are merged from the inside out while every operand steps evenly, and each
 * merged block of rows is one stage.
 */
#include "lower.h"

From lower_apply(Stage *s, const TspNode *node, const TspGraph *g, From a, From b) {
    TspDtype type = g->values[node->inputs[0]].dtype;
    TspDtype plain = type == TSP_BOOL ? TSP_U8 : type;
    switch (node->op) {
    case TSP_GRAPH_ADD:
        return lower_step(s, TSP_OP_ADD, type, type, a, b, 0);
    case TSP_GRAPH_SUB:
        return lower_step(s, TSP_OP_SUB, type, type, a, b, 0);
    case TSP_GRAPH_MUL:
        return lower_step(s, TSP_OP_MUL, type, type, a, b, 0);
    case TSP_GRAPH_RELU:
        return lower_step(s, TSP_OP_RELU, type, type, a, from_none(), 0);
    default:
        break; /* Cast */
    }
    if (node->to == type) return lower_step(s, TSP_OP_PASS, plain, plain, a, from_none(), 0);
    if (node->to == TSP_BOOL) {
        From differs = lower_step(s, TSP_OP_NE, plain, plain, a, from_imm(), 0);
        if (plain == TSP_U8) return differs;
        return lower_step(s, TSP_OP_CVT, plain, TSP_U8, differs, from_none(), 0);
    }
    return lower_step(s, TSP_OP_CVT, plain, node->to, a, from_none(), 0);
}

bool lower_elementwise(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    const TspValue *y = &g->values[node->output];
    int32_t cols = y->rank ? (int32_t)y->shape[y->rank - 1] : 1, tensor[2] = {-1, -1}, out;
    int64_t stride[2][TSP_MAX_RANK] = {{0}}, rows = 1, run = 1, step[2] = {1, 1};
    int32_t inner = y->rank - 2;
    for (int32_t i = 0; i < node->input_count; i++) {
        if ((tensor[i] = lower_widened(l, node->inputs[i], cols, err)) < 0) return false;
        lower_row_strides(&g->values[node->inputs[i]], y->rank, stride[i]);
    }
    if ((out = lower_oriented(l, node->output, ROWWISE, err)) < 0) return false;
    for (int32_t d = 0; d < y->rank - 1; d++) rows *= y->shape[d];
    for (; inner >= 0; inner--) {
        bool even = true;
        if (y->shape[inner] == 1) continue;
        for (int32_t i = 0; i < node->input_count; i++)
            even &= run == 1 || stride[i][inner] == step[i] * run;
        if (!even) break;
        for (int32_t i = 0; i < node->input_count; i++)
            if (run == 1) step[i] = stride[i][inner];
        run *= y->shape[inner];
    }
    for (int64_t row = 0; row < rows; row += run) {
        int64_t outer = row / run, at[2] = {0, 0};
        Stage *s = lower_new_stage(l, "elementwise", (int32_t)run, cols, err);
        From from[2] = {from_none(), from_none()};
        if (!s) return false;
        for (int32_t d = inner; d >= 0; d--) {
            for (int32_t i = 0; i < node->input_count; i++)
                at[i] += outer % y->shape[d] * stride[i][d];
            outer /= y->shape[d];
        }
        for (int32_t i = 0; i < node->input_count; i++)
            from[i] = lower_operand(s, tensor[i], (int32_t)at[i], run == 1 ? 0 : (int32_t)step[i]);
        lower_output(l, s, lower_apply(s, node, g, from[0], from[1]), out, (int32_t)row);
    }
    return true;
}
