/* lower_elementwise.c - element-wise nodes become stages without a product.
 *
 * A result is a matrix of rows; broadcasting gives each operand a stride over the leading
 * dimensions. Dimensions are merged from the inside out while every operand steps evenly, and each
 * merged block of rows is one stage.
 */
#include "lower_view.h"
#include "compiler/number.h"

#include <math.h>
#include <string.h>

/* The rows of an operand, the first of them, and how they step over the dimensions of the result.
 */
static int32_t operand_rows(Lowerer *l, int32_t value, bool turned, const TspValue *y,
                            int64_t *first, int64_t *stride, TspError *err) {
    const TspValue *v = &l->graph->values[value], rows = lower_turned_shape(v);
    int32_t cols = y->rank ? (int32_t)y->shape[y->rank - 1] : 1, tensor;
    if (!turned || tsp_value_elements(v) == 1)
        return lower_row_operand(l, value, y->rank, cols, first, stride, err);
    lower_row_strides(&rows, y->rank, stride);
    if ((tensor = lower_oriented(l, value, TRANSPOSED, err)) >= 0)
        l->module->tensors[tensor].contiguous = true;
    return tensor;
}

/* A known scalar is part of the instruction where zeros stay zero, or no lane needs to. */
bool lower_is_number(const Lowerer *l, const TspNode *node, int32_t i, int32_t cols) {
    const TspValue *v = &l->graph->values[node->inputs[i]];
    double number;
    if (!lower_takes_number(node) || !v->data || tsp_value_elements(v) != 1 ||
        tsp_value_elements(&l->graph->values[node->inputs[!i]]) == 1)
        return false;
    number = tsp_load_double(v->dtype, v->data, 0);
    return cols % tsp_lanes(&l->module->machine) == 0 ||
           (node->op == TSP_GRAPH_MUL && isfinite(number) && !signbit(number));
}

/* Whether operands i and j take the same row at a time. */
static bool same_rows(const TspValue *y, const int64_t *first, int64_t (*stride)[TSP_MAX_RANK],
                      int32_t i, int32_t j) {
    bool same = first[i] == first[j];
    for (int32_t d = 0; d < y->rank - 1; d++)
        same &= y->shape[d] == 1 || stride[i][d] == stride[j][d];
    return same;
}

/* A slice gives one row a cycle: of operands that take different rows of one tensor, as views of it
 * do, all but the first read a copy. */
static bool part_operands(Lowerer *l, const TspValue *y, int32_t count, int32_t *tensor,
                          const int64_t *first, int64_t (*stride)[TSP_MAX_RANK], TspError *err) {
    int32_t given[ELEMENTWISE_INPUTS];
    memcpy(given, tensor, (size_t)count * sizeof *given);
    for (int32_t i = 1; i < count; i++) {
        bool meets = false;
        int32_t j = 0;
        while (j < i && !(given[j] == given[i] && same_rows(y, first, stride, i, j)))
            meets |= given[j++] == given[i];
        if (j < i)
            tensor[i] = tensor[j];
        else if (meets && given[i] >= 0 && (tensor[i] = lower_copy(l, given[i], err)) < 0)
            return false;
    }
    return true;
}

bool lower_elementwise(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    bool turned = l->turned[node->output];
    const TspValue shape = turned ? lower_turned_shape(&g->values[node->output])
                                  : g->values[node->output],
                   *y = &shape;
    int32_t cols = y->rank ? (int32_t)y->shape[y->rank - 1] : 1, out;
    int32_t tensor[ELEMENTWISE_INPUTS], ones = -1, inner, inputs = lower_streamed(node);
    int64_t stride[ELEMENTWISE_INPUTS][TSP_MAX_RANK] = {{0}}, rows = 1, run;
    int64_t step[ELEMENTWISE_INPUTS], first[ELEMENTWISE_INPUTS] = {0};
    bool number[ELEMENTWISE_INPUTS];
    for (int32_t i = 0; i < inputs; i++) {
        number[i] = lower_is_number(l, node, i, cols);
        tensor[i] = -1;
        if (!number[i] && (tensor[i] = operand_rows(l, node->inputs[i], turned, y, &first[i],
                                                    stride[i], err)) < 0)
            return false;
    }
    if (!part_operands(l, y, inputs, tensor, first, stride, err)) return false;
    if (lower_needs_ones(node) && (ones = lower_ones(l, node, cols, err)) < 0) return false;
    if ((out = lower_oriented(l, node->output, turned ? TRANSPOSED : ROWWISE, err)) < 0)
        return false;
    for (int32_t d = 0; d < y->rank - 1; d++) rows *= y->shape[d];
    inner = lower_even_rows(y, inputs, stride, step, &run);
    for (int64_t row = 0; row < rows; row += run) {
        Stage *s = lower_new_stage(l, "elementwise", (int32_t)run, cols, err);
        From from[ELEMENTWISE_INPUTS] = {{FROM_NONE, 0}};
        if (!s) return false;
        for (int32_t i = 0; i < inputs; i++)
            from[i] = number[i]
                          ? lower_number(&g->values[node->inputs[i]])
                          : stage_operand(
                                s, tensor[i],
                                (int32_t)(first[i] + lower_row_at(y, inner, row / run, stride[i])),
                                run == 1 ? 0 : (int32_t)step[i]);
        if (!lower_finish_elementwise(l, node, s, from,
                                      ones < 0 ? from_none() : stage_operand(s, ones, 0, 0), out,
                                      (int32_t)row, err))
            return false;
    }
    return true;
}
