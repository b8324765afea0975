/* lower_softmax.c - Softmax along one axis.
 *
 * The rows of a set, lane by lane: m, the greatest; e = exp(x - m) in float32, which chains sum up
 * as they make it; r = 1 / sum; e * r. The reciprocal is rsqrt, squared, of a sum that is 1 or
 * more. Lanes without elements have e = 1, but r is zero there.
 */
#include "lower_axes.h"
#include "lower_heads.h"
#include "lower_sets.h"

/* In float32, a row a set. */
static int32_t lower_greatest(Lowerer *l, const Sets *sets, int32_t x, TspError *err) {
    TspDtype type = l->module->tensors[x].dtype;
    int32_t to = sets_tensor(l, ".greatest", TSP_F32, sets, err);
    Stage *s = to < 0 ? NULL : sets_stage(l, "greatest", sets, err);
    Partials left;
    From m;
    if (!s || !sets_chains(l, sets, TSP_OP_MAX, type, stage_operand(s, x, 0, 1), &left, err) ||
        !(s = sets_tree(l, sets, TSP_OP_MAX, type, left, 1, &m, err)))
        return -1;
    if (type != TSP_F32)
        m = stage_step(s, TSP_OP_CVT, type, TSP_F32, m, from_none(), 0);
    else if (m.kind == FROM_OPERAND)
        m = stage_step(s, TSP_OP_PASS, type, type, m, from_none(), 0);
    lower_output(l, s, m, to, 0);
    return to;
}

/* A tensor like x in float32 for what the rows of the sets are on the way. */
static int32_t like(Lowerer *l, const Sets *sets, int32_t x, const char *suffix, TspError *err) {
    const Tensor t = l->module->tensors[x];
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    int32_t i = lower_new_tensor(l, name, suffix, TSP_F32, TSP_ROLE_INTERNAL, t.rank, t.shape,
                                 t.transposed, err);
    if (i >= 0) sets_spread(l, sets, i, sets->rows);
    return i;
}

/* e to tensor `to`, and what chains leave of its sums. */
static bool lower_exponentials(Lowerer *l, const Sets *sets, int32_t x, int32_t greatest,
                               int32_t to, Partials *left, TspError *err) {
    TspDtype type = l->module->tensors[x].dtype;
    Stage *s = sets_stage(l, "exponentials", sets, err);
    From e;
    if (!s) return false;
    e = stage_operand(s, x, 0, 1);
    if (type != TSP_F32) e = stage_step(s, TSP_OP_CVT, type, TSP_F32, e, from_none(), 0);
    e = stage_step(s, TSP_OP_SUB, TSP_F32, TSP_F32, e, stage_operand(s, greatest, 0, 0), 0);
    e = stage_step(s, TSP_OP_EXP, TSP_F32, TSP_F32, e, from_none(), 0);
    lower_output(l, s, e, to, 0);
    return sets_chains(l, sets, TSP_OP_ADD, TSP_F32, e, left, err);
}

/* 1 / sum in the lanes that hold elements. */
static int32_t lower_reciprocals(Lowerer *l, const TspNode *node, const Sets *sets, Partials left,
                                 TspError *err) {
    enum { STEPS = 3 };
    int32_t to = sets_tensor(l, ".reciprocal", TSP_F32, sets, err);
    bool full = sets->cols % tsp_lanes(&l->module->machine) == 0;
    int32_t ones = to < 0 || full ? -1 : lower_ones_of(l, node, TSP_F32, sets->cols, err);
    From r;
    Stage *s;
    if (to < 0 || (!full && ones < 0) ||
        !(s = sets_tree(l, sets, TSP_OP_ADD, TSP_F32, left, STEPS, &r, err)))
        return -1;
    r = stage_step(s, TSP_OP_RSQRT, TSP_F32, TSP_F32, r, from_none(), 0);
    r = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, r, r, 0);
    if (!full) r = stage_step(s, TSP_OP_MASK, TSP_F32, TSP_F32, r, stage_operand(s, ones, 0, 0), 0);
    lower_output(l, s, r, to, 0);
    return to;
}

/* Rows row0 .. row0+rows-1 of e times rows r0, r0 + r_step, .. of r. */
static Stage *lower_scaled(Lowerer *l, const Sets *sets, int32_t e, int32_t row0, int32_t rows,
                           int32_t r, int32_t r0, int32_t r_step, int32_t out, TspError *err) {
    TspDtype type = l->module->tensors[out].dtype;
    Stage *s = lower_new_stage(l, "scale", rows, sets->cols, err);
    From y;
    if (!s) return NULL;
    y = stage_operand(s, e, row0, 1);
    y = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, y, stage_operand(s, r, r0, r_step), 0);
    if (type != TSP_F32) y = stage_step(s, TSP_OP_CVT, TSP_F32, type, y, from_none(), 0);
    lower_output(l, s, y, out, row0);
    return s;
}

/* All rows of a set, in pieces that read different copies of its row of r. */
static bool lower_set_scaled(Lowerer *l, const Sets *sets, int32_t set, int32_t e, int32_t r,
                             int32_t out, TspError *err) {
    int32_t pieces = sets_pieces(l, sets), piece = tsp_ceil_div(sets->rows, pieces);
    for (int32_t row = 0; row < sets->rows; row += piece) {
        Stage *s = lower_scaled(l, sets, e, set * sets->rows + row,
                                tsp_min32(piece, sets->rows - row), r, set, 0, out, err);
        if (!s) return false;
        s->operands[1].copy = row / piece;
    }
    return true;
}

/* Set after set, those of different blocks first; where rows of sets alternate, row after row. */
static bool lower_all_scaled(Lowerer *l, const Sets *sets, int32_t e, int32_t r, int32_t out,
                             TspError *err) {
    int32_t turns = sets_turn(l, sets), step = sets->step, rows = sets->rows;
    for (int32_t turn = 0; step == 1 && turn < turns; turn++)
        for (int32_t set = turn; set < sets->count; set += turns)
            if (!lower_set_scaled(l, sets, set, e, r, out, err)) return false;
    for (int32_t row = 0; step > 1 && row < sets->count * rows; row += step)
        if (!lower_scaled(l, sets, e, row, step, r, row / step / rows * step, 1, out, err))
            return false;
    return true;
}

bool lower_softmax(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *v = &l->graph->values[node->inputs[0]];
    const Packing *packed = l->packed[node->output];
    int orientation = axis_orientation(v, node->axis);
    Sets sets = axis_sets(v, node->axis);
    Partials left;
    int32_t x, out, greatest, e, r;
    if (packed) sets = (Sets){packed->count, packed->rows, 1, tsp_lanes(&l->module->machine)};
    if ((x = packed ? lower_beside(l, node->inputs[0], err)
                    : lower_oriented(l, node->inputs[0], orientation, err)) < 0 ||
        (out = packed ? lower_beside(l, node->output, err)
                      : lower_oriented(l, node->output, orientation, err)) < 0 ||
        (greatest = lower_greatest(l, &sets, x, err)) < 0 ||
        (e = like(l, &sets, x, ".exponentials", err)) < 0 ||
        !lower_exponentials(l, &sets, x, greatest, e, &left, err) ||
        (r = lower_reciprocals(l, node, &sets, left, err)) < 0)
        return false;
    sets_spread(l, &sets, out, sets.rows);
    return lower_all_scaled(l, &sets, e, r, out, err);
}
