/* lower_arg_axis.c - ArgMax and ArgMin along one axis: first the greatest of each set of rows, then
 * the least index of a row that is not less. Indices come from memory, less 2^31, so that zero, in
 * place of those of rows that are less, loses; lanes without elements have index 0. Where the last
 * index is asked for, it is the greatest of indices as they are, so that zero loses as well.
 */
#include "lower_axes.h"
#include "lower_sets.h"

#include <stdlib.h>
#include <string.h>

/* The greatest (least) of each set. */
static int32_t lower_extreme(Lowerer *l, const Sets *sets, TspOpcode op, int32_t x, TspError *err) {
    TspDtype type = l->module->tensors[x].dtype;
    int32_t to = sets_tensor(l, ".extreme", type, sets, err);
    Stage *s = to < 0 ? NULL : sets_stage(l, "extreme", sets, err);
    Partials left;
    From best;
    if (!s || !sets_chains(l, sets, op, type, stage_operand(s, x, 0, 1), &left, err) ||
        !(s = sets_tree(l, sets, op, type, left, 0, &best, err)))
        return -1;
    if (best.kind == FROM_OPERAND)
        best = stage_step(s, TSP_OP_PASS, type, type, best, from_none(), 0);
    lower_output(l, s, best, to, 0);
    return to;
}

/* What the least index loses against: 2^31, which all others are less by. */
static uint32_t bias_of(const TspNode *node) {
    return node->select_last ? 0 : 0x80000000u;
}

/* Row k is k, less the bias, in all lanes, those without elements too if there is one; copies for
 * chains side by side, as far as there are slices. */
static int32_t index_rows(Lowerer *l, const Sets *sets, uint32_t bias, TspError *err) {
    enum { COPIES = 3, SLICES = 16 }; /* of each copy, the operands of a chain and room for them */
    int32_t copies = tsp_min32(COPIES, 2 * (int32_t)l->module->machine.mem_slices / SLICES);
    int64_t shape[2] = {sets->rows, 1};
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    int32_t i =
        lower_new_tensor(l, name, ".index", TSP_I32, TSP_ROLE_CONSTANT, 2, shape, false, err);
    Tensor *t;
    if (i < 0) return -1;
    t = &l->module->tensors[i];
    t->ctiles = tsp_ceil_div(sets->cols, tsp_lanes(&l->module->machine));
    t->bcast_cols = bias ? t->ctiles * tsp_lanes(&l->module->machine) : sets->cols;
    t->contiguous = true;
    t->wanted = copies;
    if (!(t->data = malloc((size_t)sets->rows * sizeof(uint32_t))))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t k = 0; k < sets->rows; k++) {
        uint32_t index = (uint32_t)k + bias;
        memcpy(t->data + (size_t)k * sizeof index, &index, sizeof index);
    }
    return i;
}

static TspOpcode best_index(const TspNode *node) {
    return node->select_last ? TSP_OP_MAX : TSP_OP_MIN;
}

/* "Less" is false with NaN, so that a set with one has index 0, or the last. */
static bool lower_indices(Lowerer *l, const Sets *sets, const TspNode *node, int32_t x,
                          int32_t extreme, int32_t index, Partials *left, TspError *err) {
    const bool greatest = node->op == TSP_GRAPH_ARG_MAX;
    TspDtype type = l->module->tensors[x].dtype;
    Stage *s = sets_stage(l, "index", sets, err);
    From less, k;
    if (!s) return false;
    less = stage_operand(s, x, 0, 1);
    less = stage_step(s, greatest ? TSP_OP_LT : TSP_OP_GT, type, type, less,
                      stage_operand(s, extreme, 0, 0), 0);
    less = stage_step(s, TSP_OP_EQ, type, type, less, from_imm(), 0);
    if (type != TSP_I32) less = stage_step(s, TSP_OP_CVT, type, TSP_I32, less, from_none(), 0);
    k = stage_step(s, TSP_OP_MASK, TSP_I32, TSP_I32, stage_operand(s, index, 0, 2), less, 0);
    return sets_chains(l, sets, best_index(node), TSP_I32, k, left, err);
}

bool lower_arg_axis(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *v = &l->graph->values[node->inputs[0]], *y = &l->graph->values[node->output];
    const TspOpcode op = node->op == TSP_GRAPH_ARG_MAX ? TSP_OP_MAX : TSP_OP_MIN;
    const uint32_t bias = bias_of(node);
    int orientation = v->rank ? axis_orientation(v, node->axis) : ROWWISE;
    Sets sets = axis_sets(v, node->axis);
    int32_t x, out, extreme, index;
    Partials left;
    From best;
    Stage *s;
    if ((x = lower_oriented(l, node->inputs[0], orientation, err)) < 0 ||
        (out = lower_oriented(l, node->output,
                              y->rank == v->rank && v->rank > 1 ? orientation : ROWWISE, err)) <
            0 ||
        (extreme = lower_extreme(l, &sets, op, x, err)) < 0 ||
        (index = index_rows(l, &sets, bias, err)) < 0 ||
        !lower_indices(l, &sets, node, x, extreme, index, &left, err) ||
        !(s = sets_tree(l, &sets, best_index(node), TSP_I32, left, 1, &best, err)))
        return false;
    best = stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, best, from_imm(), bias);
    lower_output(l, s, best, out, 0);
    return true;
}
