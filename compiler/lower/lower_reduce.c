/* lower_reduce.c - reductions of a run of elements to one, and dot products of long vectors.
 */
#include "lower_fold.h"
#include "isa/half.h"

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
    return fold_check(l, node, &(Fold){TSP_OP_ADD, TSP_F32, 0, false}, &why); /* else by the MXM */
}

static uint32_t one_bits(TspDtype type) {
    return type == TSP_F16 ? 0x3c00 : type == TSP_F32 ? tsp_f32_bits(1) : 1;
}

/* Halfs are added and multiplied in fp32. */
static Fold fold_of(const TspNode *node, TspDtype type) {
    TspDtype wide = type == TSP_F16 ? TSP_F32 : type;
    switch (node->op) {
    case TSP_GRAPH_REDUCE_MAX:
        return fold_extreme(TSP_OP_MAX, type);
    case TSP_GRAPH_REDUCE_MIN:
        return fold_extreme(TSP_OP_MIN, type);
    case TSP_GRAPH_REDUCE_PROD:
        return (Fold){TSP_OP_MUL, wide, one_bits(type), false};
    case TSP_GRAPH_MATMUL_INTEGER:
        return (Fold){TSP_OP_ADD, TSP_I32, 0, false};
    default:
        return (Fold){TSP_OP_ADD, wide, 0, node->op == TSP_GRAPH_REDUCE_L1};
    }
}

/* The sum of squares in fp32, as one element, becomes its root (lower_steps.c). */
static bool lower_root(Lowerer *l, int32_t squares, int32_t out, TspError *err) {
    TspDtype type = l->module->tensors[out].dtype;
    Stage *s = lower_new_stage(l, "root", 1, 1, err);
    From root;
    if (!s) return false;
    root = stage_operand(s, squares, 0, 0);
    root = stage_step(s, TSP_OP_RSQRT, TSP_F32, TSP_F32, root, from_none(), 0);
    root = stage_step(s, TSP_OP_RSQRT, TSP_F32, TSP_F32, root, from_none(), 0);
    root = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, root, root, 0);
    if (type != TSP_F32) root = stage_step(s, TSP_OP_CVT, TSP_F32, type, root, from_none(), 0);
    lower_output(l, s, root, out, 0);
    return true;
}

bool lower_reduce(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *v = &l->graph->values[node->inputs[0]];
    int64_t elements = tsp_value_elements(v);
    Fold fold = fold_of(node, v->dtype);
    bool root = node->op == TSP_GRAPH_REDUCE_L2;
    bool squared = root || node->op == TSP_GRAPH_REDUCE_SUM_SQUARE;
    int32_t x, y = -1, out, to;
    TspDtype type;
    From result;
    Stage *s;
    if (!fold_check(l, node, &fold, err) || (x = fold_operand(l, node, node->inputs[0], err)) < 0 ||
        (node->input_count > 1 && (y = fold_operand(l, node, node->inputs[1], err)) < 0) ||
        (out = lower_oriented(l, node->output, ROWWISE, err)) < 0 ||
        (to = root ? fold_rows(l, ".squares", TSP_F32, 1, 1, err) : out) < 0 ||
        !(s = y < 0 ? fold_vectors(l, x, squared ? x : -1, elements, &fold, &result, err)
                    : fold_dot(l, x, y, &fold, &result, err)))
        return false;
    type = l->module->tensors[to].dtype;
    if (node->op == TSP_GRAPH_REDUCE_MEAN)
        result = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, result, from_imm(),
                            tsp_f32_bits((float)(1.0 / (double)elements)));
    if (fold.type != type)
        result = stage_step(s, TSP_OP_CVT, fold.type, type, result, from_none(), 0);
    return fold_result(l, s, result, to, err) && (!root || lower_root(l, to, out, err));
}
