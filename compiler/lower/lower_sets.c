/* lower_sets.c - the stages that combine rows set by set: chains that leave a few partial results
 * of each set, and trees that take these.
 */
#include "lower_sets.h"
#include "lower_fold.h"
#include "compiler/graph/graph_shape.h"

int axis_orientation(const TspValue *v, int64_t axis) {
    return axis == v->rank - 1 ? TRANSPOSED : ROWWISE;
}

Sets axis_sets(const TspValue *v, int64_t axis) {
    const int32_t lanes = v->rank - (axis == v->rank - 1 ? 2 : 1);
    Sets sets = {1, (int32_t)v->shape[axis], 1, lanes < 0 ? 1 : (int32_t)v->shape[lanes]};
    for (int32_t d = 0; d < v->rank; d++) {
        if (d == axis || d == lanes) continue;
        sets.count *= (int32_t)v->shape[d];
        if (d > axis) sets.step *= (int32_t)v->shape[d];
    }
    return sets;
}

/* Blocks whose rows can all be read in one cycle, four bytes an element, with slices to spare. */
static int32_t blocks_at_once(const TspMachine *m) {
    enum { BYTES = 4, SPARE = 16, TAKEN = 10 };
    int32_t blocks = (int32_t)(2 * m->mem_slices * TAKEN / SPARE / BYTES);
    return blocks < 1 ? 1 : tsp_min32(blocks, (int32_t)m->vxm_alus);
}

/* Sets that are under way at once: half of the blocks, so that as many slices are left to what is
 * read beside. */
static int32_t sets_at_once(const Lowerer *l) {
    int32_t blocks = blocks_at_once(&l->module->machine) / 2;
    return blocks < 1 ? 1 : blocks;
}

int32_t sets_turn(const Lowerer *l, const Sets *sets) {
    return tsp_ceil_div(sets->count, sets_at_once(l));
}

int32_t sets_pieces(const Lowerer *l, const Sets *sets) {
    enum { MOST = 4 }; /* each has a copy of what it reads beside, of four bytes an element */
    int32_t pieces = tsp_min32(MOST, sets_at_once(l) / sets->count);
    return pieces < 1 ? 1 : tsp_min32(pieces, sets->rows);
}

Stage *sets_stage(Lowerer *l, const char *what, const Sets *sets, TspError *err) {
    Stage *s = lower_new_stage(l, what, sets->count * sets->rows, sets->cols, err);
    if (!s) return NULL;
    s->set_rows = s->part_rows = sets->rows;
    s->set_step = sets->step;
    s->set_turn = sets_turn(l, sets);
    return s;
}

void sets_spread(Lowerer *l, const Sets *sets, int32_t tensor, int32_t chain) {
    Tensor *t = &l->module->tensors[tensor];
    int32_t blocks = blocks_at_once(&l->module->machine), outer = sets->count / sets->step;
    t->contiguous = true;
    if (t->run || t->streamed) return;
    t->spread = true;
    if (chain < sets->rows) {
        t->run = chain * sets->step;
    } else if (outer >= blocks || (sets->step == 1 && sets_pieces(l, sets) == 1)) {
        t->run = tsp_ceil_div(outer, blocks) * sets->rows * sets->step;
    } else {
        t->run = tsp_ceil_div(t->rows, blocks);
    }
}

int32_t sets_tensor(Lowerer *l, const char *suffix, TspDtype type, const Sets *sets,
                    TspError *err) {
    int64_t shape[2] = {sets->count, sets->cols};
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    int32_t i = lower_new_tensor(l, name, suffix, type, TSP_ROLE_INTERNAL, 2, shape, false, err);
    if (i < 0) return -1;
    l->module->tensors[i].contiguous = l->module->tensors[i].spread = true;
    l->module->tensors[i].run = sets_turn(l, sets);
    if (sets_pieces(l, sets) > 1) l->module->tensors[i].wanted = sets_pieces(l, sets);
    return i;
}

/* Rows of a chain: all of a set, or less where there are too few sets for all ALUs. */
static int32_t chain_rows(const Lowerer *l, const Sets *sets, int32_t steps, int32_t bytes) {
    enum { SHORTEST = 8 }; /* turns of an ALU; shorter chains cost more than they save */
    const TspMachine *m = &l->module->machine;
    int32_t tiles = tsp_ceil_div(sets->cols, tsp_lanes(m));
    int32_t most = tsp_min32((int32_t)m->vxm_alus / steps, (int32_t)m->mem_slices * 3 / 2 / bytes);
    int32_t chains = most / (sets->count * tiles), least = SHORTEST * (int32_t)m->vxm_op_cycles;
    if (sets->count > most || chains < 2 || sets->rows < 2 * least) return sets->rows;
    chains = tsp_min32(chains, sets->rows / least);
    while (chains & (chains - 1)) chains &= chains - 1; /* planes share rows evenly */
    return tsp_ceil_div(sets->rows, chains);
}

/* New tensors, one after the other, of a row a set. */
static bool new_partials(Lowerer *l, const Sets *sets, TspDtype type, int32_t count, Partials *p,
                         TspError *err) {
    p->tensor = l->module->tensor_count;
    p->count = count;
    for (int32_t i = 0; i < count; i++) {
        int32_t partial = sets_tensor(l, ".partial", type, sets, err);
        if (partial < 0) return false;
        l->module->tensors[partial].run = 0; /* a tree reads all of it in one go */
        l->module->tensors[partial].wanted = 0;
    }
    return true;
}

bool sets_chains(Lowerer *l, const Sets *sets, TspOpcode op, TspDtype type, From row,
                 Partials *left, TspError *err) {
    Module *module = l->module;
    Stage *s = &module->stages[module->stage_count - 1], first;
    int32_t turns = (int32_t)module->machine.vxm_op_cycles, chain, count = 0;
    stage_step(s, op, type, type, row, (From){FROM_SELF, 0}, 0);
    first = *s;
    module->stage_count--;
    chain = chain_rows(l, sets, first.step_count, module->tensors[first.operands[0].tensor].bytes);
    sets_spread(l, sets, first.operands[0].tensor, chain);
    for (int32_t at = 0; at < sets->rows; at += chain)
        count += tsp_min32(turns, tsp_min32(chain, sets->rows - at));
    if (!new_partials(l, sets, type, count, left, err)) return false;
    count = 0;
    for (int32_t at = 0; at < sets->rows; at += chain) {
        if (!(s = lower_new_stage(l, first.what, first.rows, first.cols, err))) return false;
        *s = first;
        s->part_first = at;
        s->part_rows = tsp_min32(chain, sets->rows - at);
        s->partial = left->tensor + count;
        s->partials = tsp_min32(turns, s->part_rows);
        count += s->partials;
    }
    return true;
}

/* A stage that combines a row of each of `count` tensors, for all sets. */
static Stage *tree_stage(Lowerer *l, const Sets *sets, TspOpcode op, TspDtype type, int32_t tensor,
                         int32_t count, From *result, TspError *err) {
    Stage *s = lower_new_stage(l, "tree", sets->count, sets->cols, err);
    From from[MAX_OPERANDS];
    if (!s) return NULL;
    for (int32_t i = 0; i < count; i++) from[i] = stage_operand(s, tensor + i, 0, 1);
    for (; count > 1; count = (count + 1) / 2) {
        for (int32_t i = 0; i < count / 2; i++)
            from[i] = stage_step(s, op, type, type, from[2 * i], from[2 * i + 1], 0);
        if (count % 2) from[count / 2] = from[count - 1];
    }
    *result = from[0];
    return s;
}

/* One level of trees of `width` rows each. */
static bool tree_level(Lowerer *l, const Sets *sets, TspOpcode op, TspDtype type, int32_t width,
                       Partials *left, TspError *err) {
    Partials next;
    if (!new_partials(l, sets, type, tsp_ceil_div(left->count, width), &next, err)) return false;
    for (int32_t i = 0; i < next.count; i++) {
        int32_t count = tsp_min32(width, left->count - i * width);
        From result;
        Stage *s = tree_stage(l, sets, op, type, left->tensor + i * width, count, &result, err);
        if (!s) return false;
        if (result.kind == FROM_OPERAND)
            result = stage_step(s, TSP_OP_PASS, type, type, result, from_none(), 0);
        lower_output(l, s, result, next.tensor + i, 0);
    }
    *left = next;
    return true;
}

Stage *sets_tree(Lowerer *l, const Sets *sets, TspOpcode op, TspDtype type, Partials left,
                 int32_t more, From *result, TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t width = fold_tree_width(m, type), most = tsp_min32(width, (int32_t)m->vxm_alus - more);
    if (width < 2)
        return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                        "%s: %s needs more than '%s', which has too few slices, streams or ALUs",
                        l->graph->nodes[l->node].name,
                        tsp_graph_op_name(l->graph->nodes[l->node].op), m->name),
               NULL;
    if (most < 1) most = 1;
    while (left.count > most)
        if (!tree_level(l, sets, op, type, width, &left, err)) return NULL;
    return tree_stage(l, sets, op, type, left.tensor, left.count, result, err);
}
