/* lower_qlinear.c - QLinearMatMul: an integer product, then its sums as the bytes of the result.
 *
 * A sum goes to float32, is multiplied by a_scale * b_scale / y_scale, rounded half to even, and
 * the zero point added; each step saturates. Where the zero point is not 0, lanes beyond the
 * columns are masked (zero padding, docs/architecture.md).
 */
#include "lower.h"
#include "compiler/number.h"
#include "isa/half.h"

#include <stdlib.h>
#include <string.h>

static float number(const TspGraph *g, const TspNode *node, int32_t input, int64_t i) {
    const TspValue *v = &g->values[node->inputs[input]];
    return (float)tsp_load_double(TSP_F32, v->data, tsp_value_elements(v) > 1 ? i : 0);
}

static float scale(const TspGraph *g, const TspNode *node, int64_t column) {
    return number(g, node, 1, 0) * number(g, node, 4, column) / number(g, node, 6, 0);
}

/* A row of scales, one a column. */
static int32_t scale_row(Lowerer *l, const TspNode *node, int32_t cols, TspError *err) {
    const int64_t shape[2] = {1, cols};
    const int32_t i = lower_new_tensor(l, l->graph->values[node->output].name, ".scales", TSP_F32,
                                       TSP_ROLE_CONSTANT, 2, shape, false, err);
    Tensor *t = i < 0 ? NULL : &l->module->tensors[i];
    if (!t) return -1;
    t->contiguous = true;
    if (!(t->data = malloc((size_t)cols * sizeof(float))))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t n = 0; n < cols; n++) {
        const float value = scale(l->graph, node, n);
        memcpy(t->data + (size_t)n * sizeof value, &value, sizeof value);
    }
    return i;
}

/* The steps from int32 `x` to the bytes of the result. `scales`, `ones`: tensors, -1 none. */
static From requantise(Stage *s, const TspGraph *g, const TspNode *node, From x, int32_t scales,
                       int32_t ones) {
    const TspDtype type = g->values[node->output].dtype;
    const TspValue *zero = &g->values[node->inputs[7]];
    x = stage_step(s, TSP_OP_CVT, TSP_I32, TSP_F32, x, from_none(), 0);
    if (scales >= 0)
        x = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, x, stage_operand(s, scales, 0, 0), 0);
    else
        x = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, x, from_imm(),
                       tsp_f32_bits(scale(g, node, 0)));
    if (ones < 0) return stage_step(s, TSP_OP_CVT_SAT, TSP_F32, type, x, from_none(), 0);
    x = stage_step(s, TSP_OP_CVT_SAT, TSP_F32, TSP_I32, x, from_none(), 0);
    x = stage_step(s, TSP_OP_ADD_SAT, TSP_I32, TSP_I32, x, from_imm(),
                   (uint32_t)tsp_load_int(zero->dtype, zero->data, 0));
    x = stage_step(s, TSP_OP_CVT_SAT, TSP_I32, type, x, from_none(), 0);
    return stage_step(s, TSP_OP_MASK, type, type, x, stage_operand(s, ones, 0, 0), 0);
}

bool lower_qlinear_matmul(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    const TspValue *y = &g->values[node->output], *zero = &g->values[node->inputs[7]];
    TspNode product = *node;
    int32_t sums, out, scales = -1, ones = -1, rows, cols;
    Stage *s;
    product.op = TSP_GRAPH_MATMUL_INTEGER;
    product.inputs[1] = node->inputs[3];
    product.inputs[3] = node->inputs[5];
    product.input_count = 4;
    if ((out = lower_oriented(l, node->output, ROWWISE, err)) < 0 ||
        (sums = lower_new_tensor(l, y->name, ".sums", TSP_I32, TSP_ROLE_INTERNAL, y->rank, y->shape,
                                 false, err)) < 0)
        return false;
    l->module->tensors[sums].contiguous = true;
    rows = l->module->tensors[sums].rows;
    cols = l->module->tensors[sums].cols;
    if (tsp_value_elements(&g->values[node->inputs[4]]) > 1 &&
        (scales = scale_row(l, node, cols, err)) < 0)
        return false;
    if (tsp_load_int(zero->dtype, zero->data, 0) && (ones = lower_ones(l, node, cols, err)) < 0)
        return false;
    if (!lower_integer_product(l, &product, sums, err) ||
        !(s = lower_new_stage(l, "requantise", rows, cols, err)))
        return false;
    lower_output(l, s, requantise(s, g, node, stage_operand(s, sums, 0, 1), scales, ones), out, 0);
    return true;
}
