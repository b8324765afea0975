/* lower_reduce.c - ReduceSum, ReduceMean, ReduceMax, ReduceMin, and dot products of long vectors.
 */
#include "lower_fold.h"
#include "isa/half.h"

static uint32_t greatest_bits(TspDtype type) {
    static const uint32_t bits[TSP_DTYPE_COUNT] = {
        [TSP_I8] = 0x7f,    [TSP_I16] = 0x7fff,     [TSP_I32] = 0x7fffffff,
        [TSP_F16] = 0x7c00, [TSP_F32] = 0x7f800000, [TSP_U8] = 0xff};
    return bits[type];
}

bool lower_is_dot(const Lowerer *l, const TspNode *node) {
    enum { SHORTEST = 64 }; /* vectors; fewer are sooner through the MXM */
    TspError why;
    bool integer = node->op == TSP_GRAPH_MATMUL_INTEGER;
    if ((!integer && node->op != TSP_GRAPH_MATMUL) || node->input_count > 2) return false;
    for (int32_t i = 0; i < 2; i++) {
        const TspValue *v = &l->graph->values[node->inputs[i]];
        if (v->rank != 1 || (!v->data && !l->flat[node->inputs[i]]) ||
            v->shape[0] < (int64_t)SHORTEST * tsp_lanes(&l->module->machine))
            return false;
    }
    return fold_check(l, node, &(Fold){TSP_OP_ADD, TSP_F32, 0}, &why); /* else by the MXM */
}

static Fold fold_of(const TspNode *node, TspDtype type) {
    switch (node->op) {
    case TSP_GRAPH_REDUCE_MAX:
        return (Fold){TSP_OP_MAX, type, fold_least(type)};
    case TSP_GRAPH_REDUCE_MIN:
        return (Fold){TSP_OP_MIN, type, greatest_bits(type)};
    case TSP_GRAPH_MATMUL_INTEGER:
        return (Fold){TSP_OP_ADD, TSP_I32, 0};
    default: /* halfs are summed in fp32 */
        return (Fold){TSP_OP_ADD, type == TSP_F16 ? TSP_F32 : type, 0};
    }
}

bool lower_reduce(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *v = &l->graph->values[node->inputs[0]];
    int64_t elements = tsp_value_elements(v);
    TspDtype type = l->graph->values[node->output].dtype;
    Fold fold = fold_of(node, v->dtype);
    int32_t x, y = -1, out;
    From result;
    Stage *s;
    if (!fold_check(l, node, &fold, err) || (x = fold_operand(l, node, node->inputs[0], err)) < 0 ||
        (node->input_count > 1 && (y = fold_operand(l, node, node->inputs[1], err)) < 0) ||
        (out = lower_oriented(l, node->output, ROWWISE, err)) < 0 ||
        !(s = fold_vectors(l, x, y, elements, &fold, &result, err)))
        return false;
    if (node->op == TSP_GRAPH_REDUCE_MEAN)
        result = lower_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, result, from_imm(),
                            tsp_f32_bits((float)(1.0 / (double)elements)));
    if (fold.type != type)
        result = lower_step(s, TSP_OP_CVT, fold.type, type, result, from_none(), 0);
    return fold_result(l, s, result, out, err);
}
