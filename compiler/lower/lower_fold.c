/* lower_fold.c - the stages that bring all rows and lanes of a flat tensor together.
 *
 * Chains of rows, one after the other into an ALU, side by side in as many ALUs as there are, leave
 * a few rows of partial results; trees of ALUs combine rows to one; then lanes are folded: the SXM
 * turns the lanes of each superlane, and a tree combines these copies, so that all have the result;
 * then it moves the vector by 1, 2, .. superlanes, and trees combine it with these, until only lane
 * 0 counts. Where that cannot be, it is moved by a part of its lanes, in rounds. All other lanes
 * are made zero at the end.
 */
#include "lower_fold.h"
#include "compiler/graph/graph_shape.h"
#include "isa/half.h"

#include <stdlib.h>
#include <string.h>

Fold fold_extreme(TspOpcode op, TspDtype type) {
    static const uint32_t least[TSP_DTYPE_COUNT] =
        {[TSP_I8] = 0x80,    [TSP_I16] = 0x8000,     [TSP_I32] = 0x80000000,
         [TSP_F16] = 0xfc00, [TSP_F32] = 0xff800000, [TSP_U8] = 0},
                          greatest[TSP_DTYPE_COUNT] = {
                              [TSP_I8] = 0x7f,    [TSP_I16] = 0x7fff,     [TSP_I32] = 0x7fffffff,
                              [TSP_F16] = 0x7c00, [TSP_F32] = 0x7f800000, [TSP_U8] = 0xff};
    return (Fold){op, type, op == TSP_OP_MAX ? least[type] : greatest[type], false};
}

TspOpcode fold_beaten(const Fold *extreme) {
    return extreme->op == TSP_OP_MAX ? TSP_OP_LT : TSP_OP_GT;
}

/* What, added to an element, leaves it as it is: -0 for floats, since -0 + 0 is not -0. */
static uint32_t neutral_bits(TspDtype type) {
    return type == TSP_F16 ? 0x8000 : type == TSP_F32 ? 0x80000000 : 0;
}

int32_t fold_tree_width(const TspMachine *m, TspDtype type) {
    int32_t bytes = tsp_dtype_bytes(type), width = MAX_OPERANDS - 1;
    width = tsp_min32(width, (int32_t)m->vxm_alus);
    width = tsp_min32(width, 2 * (int32_t)(m->streams / bytes));
    return tsp_min32(width, 2 * (int32_t)m->mem_slices / bytes - 2);
}

int32_t fold_rows(Lowerer *l, const char *suffix, TspDtype type, int32_t rows, int32_t run,
                  TspError *err) {
    const TspNode *node = &l->graph->nodes[l->node];
    int64_t shape[2] = {rows, tsp_lanes(&l->module->machine)};
    int32_t i = lower_new_tensor(l, l->graph->values[node->output].name, suffix, type,
                                 TSP_ROLE_INTERNAL, 2, shape, false, err);
    if (i < 0) return -1;
    l->module->tensors[i].contiguous = l->module->tensors[i].apart = true;
    l->module->tensors[i].near = true;
    l->module->tensors[i].run = run;
    return i;
}

/* A constant row: `inside` in the first `columns` lanes, `outside` in the others up to `all`. */
static int32_t constant_row(Lowerer *l, const char *suffix, TspDtype type, int32_t columns,
                            uint32_t inside, int32_t all, uint32_t outside, TspError *err) {
    const TspNode *node = &l->graph->nodes[l->node];
    int64_t shape[1] = {all};
    size_t bytes = (size_t)tsp_dtype_bytes(type);
    int32_t i = lower_new_tensor(l, l->graph->values[node->output].name, suffix, type,
                                 TSP_ROLE_CONSTANT, 1, shape, false, err);
    Tensor *t;
    if (i < 0) return -1;
    t = &l->module->tensors[i];
    t->contiguous = true;
    if (!(t->data = malloc((size_t)all * bytes)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t c = 0; c < all; c++)
        memcpy(t->data + (size_t)c * bytes, c < columns ? &inside : &outside, bytes);
    return i;
}

int32_t fold_constant(Lowerer *l, const char *suffix, TspDtype type, int32_t rows, int32_t cols,
                      const void *data, TspError *err) {
    const TspNode *node = &l->graph->nodes[l->node];
    const int64_t shape[2] = {rows, cols};
    const size_t bytes = (size_t)tsp_dtype_bytes(type) * (size_t)rows * (size_t)cols;
    int32_t i = lower_new_tensor(l, l->graph->values[node->output].name, suffix, type,
                                 TSP_ROLE_CONSTANT, 2, shape, false, err);
    Tensor *t;
    if (i < 0) return -1;
    t = &l->module->tensors[i];
    t->contiguous = true;
    if (cols == 1) t->bcast_cols = tsp_lanes(&l->module->machine);
    if (!(t->data = malloc(bytes))) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    memcpy(t->data, data, bytes);
    return i;
}

int32_t fold_padded_row(Lowerer *l, int32_t x, int64_t elements, const Fold *fold, TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine), rest = (int32_t)(elements % lanes), pad, to;
    TspDtype type = l->module->tensors[x].dtype;
    Stage *s;
    err->text[0] = 0;
    if (!rest || !fold->identity) return -1;
    pad = constant_row(l, ".pad", type, rest, neutral_bits(type), lanes, fold->identity, err);
    if (pad < 0 || (to = fold_rows(l, ".last", type, 1, 1, err)) < 0) return -1;
    if (!(s = lower_new_stage(l, "pad", 1, lanes, err))) return -1;
    lower_output(l, s,
                 stage_step(s, TSP_OP_ADD, type, type,
                            stage_operand(s, x, l->module->tensors[x].rows - 1, 1),
                            stage_operand(s, pad, 0, 0), 0),
                 to, 0);
    return to;
}

Stage *fold_chains(Lowerer *l, int32_t x, int32_t first, int32_t steps, TspDtype type,
                   TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t all = l->module->tensors[x].rows, rows = all - first, run = tsp_flat_run(m, all), whole;
    int32_t most = tsp_min32(fold_tree_width(m, type), (int32_t)m->vxm_alus / steps);
    Stage *s = lower_new_stage(l, "chains", rows, tsp_lanes(m), err);
    if (!s) return NULL;
    /* whole blocks if that is about as fast: then streams change direction in step; and never less
     * than a block, so that no two chains read one block at a time */
    s->chain_rows = tsp_ceil_div(rows, most);
    whole = run * tsp_ceil_div(tsp_ceil_div(rows, run), most);
    if (s->chain_rows < run || whole - s->chain_rows < s->chain_rows / 16) s->chain_rows = whole;
    return s;
}

static bool left_rows(Lowerer *l, From result, TspDtype type, int32_t run, Rows *left,
                      TspError *err) {
    int32_t turns = (int32_t)l->module->machine.vxm_op_cycles, to;
    const Stage *s = &l->module->stages[l->module->stage_count - 1];
    int32_t chains = tsp_ceil_div(s->rows, s->chain_rows);
    left->count = (chains - 1) * turns + tsp_min32(turns, s->rows - (chains - 1) * s->chain_rows);
    if ((to = fold_rows(l, ".partial", type, left->count, run, err)) < 0) return false;
    lower_output(l, &l->module->stages[l->module->stage_count - 1], result, to, 0);
    for (int32_t i = 0; i < left->count; i++) {
        left->tensor[i] = to;
        left->row[i] = i;
    }
    return true;
}

bool fold_left(Lowerer *l, From result, TspDtype type, Rows *left, TspError *err) {
    return left_rows(l, result, type, (int32_t)l->module->machine.vxm_op_cycles, left, err);
}

bool fold_left_apart(Lowerer *l, From result, TspDtype type, int32_t side, Rows *left,
                     TspError *err) {
    Tensor *t;
    if (!left_rows(l, result, type, 1, left, err)) return false;
    t = &l->module->tensors[left->tensor[0]];
    t->one_side = true; /* what a chain leaves goes one way */
    t->level = side;
    return true;
}

/* Chains over the rows of x from `first` on, or of the products of x and y (-1: none); the rows
 * that they leave. */
static bool lower_chains(Lowerer *l, int32_t x, int32_t y, int32_t first, int32_t last,
                         const Fold *fold, Rows *left, TspError *err) {
    TspDtype type = l->module->tensors[x].dtype;
    const int32_t tensor[2] = {x, y};
    int32_t operands = y < 0 ? 1 : 2, converts = type != fold->type;
    Stage *s =
        fold_chains(l, x, first, operands * (1 + converts) + fold->absolute, fold->type, err);
    From row[2] = {from_none(), from_none()};
    if (!s) return false;
    s->last = last;
    for (int32_t i = 0; i < operands; i++) {
        row[i] = stage_operand(s, tensor[i], first, 1);
        if (!converts) continue;
        type = l->module->tensors[tensor[i]].dtype;
        row[i] = stage_step(s, TSP_OP_CVT, type, fold->type, row[i], from_none(), 0);
    }
    if (operands == 2)
        row[0] = stage_step(s, TSP_OP_MUL, fold->type, fold->type, row[0], row[1], 0);
    if (fold->absolute)
        row[0] = stage_step(s, TSP_OP_ABS, fold->type, fold->type, row[0], from_none(), 0);
    row[0] = stage_step(s, fold->op, fold->type, fold->type, row[0], (From){FROM_SELF, 0}, 0);
    return fold_left(l, row[0], fold->type, left, err);
}

bool fold_products(Lowerer *l, int32_t x, int32_t y, int32_t first, const Fold *fold, Rows *left,
                   TspError *err) {
    return lower_chains(l, x, y, first, -1, fold, left, err);
}

Stage *fold_tree(Lowerer *l, const Fold *fold, const Rows *rows, int32_t first, int32_t step,
                 int32_t cols, From *result, TspError *err) {
    Stage *s = lower_new_stage(l, "tree", 1, cols, err);
    From from[MAX_OPERANDS];
    int32_t count = 0;
    if (!s) return NULL;
    for (int32_t i = first; i < rows->count; i += step)
        from[count++] = stage_operand(s, rows->tensor[i], rows->row[i], 1);
    for (; count > 1; count = (count + 1) / 2) {
        for (int32_t i = 0; i < count / 2; i++)
            from[i] =
                stage_step(s, fold->op, fold->type, fold->type, from[2 * i], from[2 * i + 1], 0);
        if (count % 2) from[count / 2] = from[count - 1];
    }
    *result = from[0];
    return s;
}

/* Trees until at most `most` rows are left; rows in groups of `together` are never read at once. */
static bool lower_trees(Lowerer *l, const Fold *fold, Rows *rows, int32_t together, int32_t most,
                        TspError *err) {
    int32_t width = fold_tree_width(&l->module->machine, fold->type);
    while (rows->count > most || (together > 1 && rows->count > 1)) {
        int32_t groups = tsp_ceil_div(rows->count, width), to;
        Rows left = {.count = groups > together ? groups : together};
        if (left.count > rows->count) left.count = rows->count;
        if ((to = fold_rows(l, ".sums", fold->type, left.count, 1, err)) < 0) return false;
        for (int32_t i = 0; i < left.count; i++) {
            From result;
            Stage *s = fold_tree(l, fold, rows, i, left.count, tsp_lanes(&l->module->machine),
                                 &result, err);
            if (!s) return false;
            if (result.kind == FROM_OPERAND)
                result = stage_step(s, TSP_OP_PASS, fold->type, fold->type, result, from_none(), 0);
            lower_output(l, s, result, to, i);
            left.tensor[i] = to;
            left.row[i] = i;
        }
        *rows = left;
        together = 1;
    }
    return true;
}

bool fold_turns(Lowerer *l, const Fold *fold, Rows *rows, int32_t turns, TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t chains = rows->count / turns, to;
    Rows first = {.count = chains};
    From result;
    Stage *s;
    if (rows->count % turns || chains < 2 || chains > fold_tree_width(m, fold->type)) return true;
    for (int32_t i = 0; i < chains; i++) {
        first.tensor[i] = rows->tensor[i * turns];
        first.row[i] = rows->row[i * turns];
    }
    if ((to = fold_rows(l, ".turns", fold->type, 1, 1, err)) < 0 ||
        !(s = fold_tree(l, fold, &first, 0, 1, tsp_lanes(m), &result, err)))
        return false;
    l->module->tensors[to].wanted = 2;
    s->rows = s->scan_rows = turns;
    s->scan_ends = true;
    result = stage_step(s, fold->op, fold->type, fold->type, result, (From){FROM_SELF, 0}, 0);
    lower_output(l, s, result, to, 0);
    *rows = (Rows){.tensor = {to}, .count = 1};
    return true;
}

/* A tree of all rows; its result in both hemispheres. */
static int32_t lower_whole(Lowerer *l, const Fold *fold, const Rows *rows, int32_t lanes,
                           TspError *err) {
    From result;
    Stage *s = fold_tree(l, fold, rows, 0, 1, lanes, &result, err);
    int32_t whole = s ? fold_rows(l, ".row", fold->type, 1, 1, err) : -1;
    if (whole < 0) return -1;
    l->module->tensors[whole].wanted = 2;
    lower_output(l, s, result, whole, 0);
    return whole;
}

int32_t fold_row(Lowerer *l, const Fold *fold, Rows *rows, TspError *err) {
    const TspMachine *m = &l->module->machine;
    if (!fold_turns(l, fold, rows, (int32_t)m->vxm_op_cycles, err)) return -1;
    if (rows->count == 1) return rows->tensor[0];
    if (!lower_trees(l, fold, rows, (int32_t)m->vxm_op_cycles, fold_tree_width(m, fold->type), err))
        return -1;
    return lower_whole(l, fold, rows, tsp_lanes(m), err);
}

enum { LAST_STEPS = 3 }; /* after the last tree: scale, convert, mask */

static bool can_fold_superlanes(const TspMachine *m, TspDtype type) {
    return m->superlanes > 1 && m->lanes_per_superlane > 1 &&
           m->sxm_distributors >= tsp_dtype_bytes(type) &&
           m->lanes_per_superlane <= fold_tree_width(m, type);
}

/* Row i, of as many as lanes of a superlane have others: which lane each lane takes to have that i
 * + 1 further on, and round. */
static int32_t turning_maps(Lowerer *l, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const int32_t lanes = tsp_lanes(m), tile = (int32_t)m->lanes_per_superlane, rows = tile - 1;
    uint8_t *maps = malloc((size_t)rows * (size_t)lanes);
    int32_t to;
    if (!maps) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t i = 0; i < rows; i++)
        for (int32_t n = 0; n < lanes; n++)
            maps[i * lanes + n] = (uint8_t)((n % tile + i + 1) % tile);
    to = fold_constant(l, ".maps", TSP_U8, rows, lanes, maps, err);
    free(maps);
    if (to >= 0) l->module->tensors[to].wanted = 2;
    return to;
}

int32_t fold_superlanes(Lowerer *l, const Fold *fold, int32_t row, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const int32_t others = (int32_t)m->lanes_per_superlane - 1, maps = turning_maps(l, err);
    int32_t turned;
    Rows rows = {.tensor = {row}, .count = others + 1};
    Stage *s;
    if (maps < 0 || (turned = fold_rows(l, ".turned", fold->type, others, 1, err)) < 0 ||
        !(s = lower_new_stage(l, "turn", others, tsp_lanes(m), err)))
        return -1;
    s->distributes = true;
    l->module->tensors[turned].level = 1; /* `row` is read in the west: begin in the east */
    stage_operand(s, row, 0, 0);
    stage_operand(s, maps, 0, 1);
    lower_output(l, s, from_none(), turned, 0);
    for (int32_t i = 1; i <= others; i++) {
        rows.tensor[i] = turned;
        rows.row[i] = i - 1;
    }
    return lower_whole(l, fold, &rows, tsp_lanes(m), err);
}

/* Combines the rows to one, and adds to it the same moved south by `part` of its `lanes` lanes,
 * twice that, and so on. */
static bool lower_shifts(Lowerer *l, const Fold *fold, Rows *rows, int32_t lanes, int32_t part,
                         TspError *err) {
    int32_t all = tsp_lanes(&l->module->machine), whole, moved;
    Stage *s;
    if ((whole = rows->count == 1 ? rows->tensor[0] : lower_whole(l, fold, rows, all, err)) < 0)
        return false;
    *rows = (Rows){.tensor = {whole}, .count = lanes / part};
    if ((moved = fold_rows(l, ".moved", fold->type, rows->count - 1, 1, err)) < 0) return false;
    l->module->tensors[moved].level = 1; /* `whole` is read in the west: begin in the east */
    if (!(s = lower_new_stage(l, "shift", rows->count - 1, lanes, err))) return false;
    s->shift = part;
    stage_operand(s, whole, 0, 0);
    lower_output(l, s, from_none(), moved, 0);
    for (int32_t i = 1; i < rows->count; i++) {
        rows->tensor[i] = moved;
        rows->row[i] = i - 1;
    }
    return true;
}

/* What is left of `lanes` lanes after one folding: one if two rounds of trees can combine a copy
 * for each lane and slices hold them all, else as few as one round can leave. */
static int32_t next_part(const TspMachine *m, TspDtype type, int32_t lanes) {
    int32_t copies = fold_tree_width(m, type);
    if (lanes <= tsp_min32(2 * copies, 2 * (int32_t)m->mem_slices / tsp_dtype_bytes(type) - 1))
        return 1;
    while (lanes % copies) copies--;
    return lanes / copies;
}

/* Copies of a row, one moved by each number of superlanes, are combined in turns, the farthest
 * last: so many a turn that the others are through when these come, and no more. 0: it takes all
 * lanes to be folded in another way. */
static int32_t superlanes_together(const TspMachine *m, TspDtype type) {
    const int32_t all = (int32_t)m->superlanes, op_cycles = (int32_t)m->vxm_op_cycles,
                  most = tsp_min32(all, fold_tree_width(m, type) - LAST_STEPS);
    int32_t best = 0, least = INT32_MAX;
    if (!can_fold_superlanes(m, type)) return 0;
    for (int32_t width = 2; width <= most; width++) {
        int32_t cycles = op_cycles; /* of a tree, and the wait for turns that come too slowly */
        if (all % width) continue;
        while (1 << cycles / op_cycles < width) cycles += op_cycles;
        if (width < op_cycles) cycles += (all / width - 1) * (op_cycles - width);
        if (cycles >= least) continue;
        least = cycles;
        best = width;
    }
    return best;
}

/* Of rows that come one after the other and are read so many at a time, how many to keep apart, so
 * that a slice that is read is not written. */
static int32_t apart_rows(const TspMachine *m, TspDtype type, int32_t width) {
    int32_t rows = width;
    while ((rows + width) * tsp_dtype_bytes(type) <= m->mem_slices) rows += width;
    return rows;
}

/* All superlanes of a row, each of which has what it holds in all its lanes, in the first. */
static Stage *lower_across(Lowerer *l, const Fold *fold, int32_t row, int32_t width, From *result,
                           TspError *err) {
    const TspMachine *m = &l->module->machine;
    const int32_t all = (int32_t)m->superlanes, turns = all / width,
                  moved = fold_rows(l, ".moved", fold->type, all, 1, err);
    Stage *s = moved < 0 ? NULL : lower_new_stage(l, "shift", all, tsp_lanes(m), err);
    Rows rows = {.count = width};
    if (!s) return NULL;
    l->module->tensors[moved].turns = apart_rows(m, fold->type, width);
    s->shift = (int32_t)m->lanes_per_superlane;
    s->unmoved = true;
    stage_operand(s, row, 0, 0);
    lower_output(l, s, from_none(), moved, 0);
    for (int32_t i = 0; i < width; i++) {
        rows.tensor[i] = moved;
        rows.row[i] = i;
    }
    if (!(s = fold_tree(l, fold, &rows, 0, 1, 1, result, err)) || turns == 1) return s;
    for (int32_t i = 0; i < width; i++) s->operands[i].row_step = width;
    s->rows = s->scan_rows = turns;
    s->scan_ends = true;
    *result = stage_step(s, fold->op, fold->type, fold->type, *result, (From){FROM_SELF, 0}, 0);
    return s;
}

Stage *fold_finish(Lowerer *l, const Fold *fold, Rows *rows, From *result, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const int32_t beside = superlanes_together(m, fold->type);
    if (beside) {
        int32_t row = fold_row(l, fold, rows, err);
        if (row < 0 || (row = fold_superlanes(l, fold, row, err)) < 0) return NULL;
        return lower_across(l, fold, row, beside, result, err);
    }
    int32_t width = fold_tree_width(m, fold->type), lanes = tsp_lanes(m);
    int32_t most = width - LAST_STEPS > 2 ? width - LAST_STEPS : 2;
    int32_t together = (int32_t)m->vxm_op_cycles;
    if (!fold_turns(l, fold, rows, together, err)) return NULL;
    if (rows->count == 1) together = 1;
    while (lanes > 1) {
        int32_t part = next_part(m, fold->type, lanes);
        if (part == lanes)
            return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                            "%s: the %d lanes of '%s' cannot be folded in equal parts",
                            l->graph->nodes[l->node].name, lanes, m->name),
                   NULL;
        if (!lower_trees(l, fold, rows, together, width, err) ||
            !lower_shifts(l, fold, rows, lanes, part, err))
            return NULL;
        lanes = part;
        together = 1;
    }
    if (!lower_trees(l, fold, rows, together, most, err)) return NULL;
    return fold_tree(l, fold, rows, 0, 1, 1, result, err);
}

bool fold_check(const Lowerer *l, const TspNode *node, const Fold *fold, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const char *lacks = m->sxm_shifters < 2     ? "has no southward shifter"
                        : m->vxm_neighbour_only ? "has ALUs that cannot take their own results"
                        : fold_tree_width(m, fold->type) < 2 ? "has too few slices, streams or ALUs"
                        : m->vxm_alus < 2 + 3                ? "has too few ALUs"
                                                             : NULL;
    if (!lacks) return true;
    return tsp_fail(err, TSP_ERR_NOT_MODELLED, "%s: %s needs more than '%s', which %s", node->name,
                    tsp_graph_op_name(node->op), m->name, lacks);
}

int32_t fold_operand(Lowerer *l, const TspNode *node, int32_t value, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t x;
    if (l->lanewise[value])
        return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                        "%s:%d: %s: reducing '%s' is not modelled, because it lies in memory as "
                        "CumSum takes it; reduce it in a graph of its own",
                        l->graph->path, (int)node->line, node->name, v->name),
               -1;
    if (l->flat[value] || (v->data && tsp_value_elements(v) > 1))
        return lower_flat_tensor(l, value, FLAT, err);
    if ((x = lower_oriented(l, value, ROWWISE, err)) >= 0) l->module->tensors[x].contiguous = true;
    return x;
}

bool fold_result(Lowerer *l, Stage *s, From result, int32_t out, TspError *err) {
    int32_t at = (int32_t)(s - l->module->stages), mask;
    TspDtype type = l->module->tensors[out].dtype;
    uint32_t one = type == TSP_F16 ? 0x3c00 : type == TSP_F32 ? tsp_f32_bits(1) : 1;
    l->module->tensors[out].near = true;
    if ((mask = constant_row(l, ".mask", type, 1, one, 1, 0, err)) < 0) return false;
    s = &l->module->stages[at];
    result = stage_step(s, TSP_OP_MASK, type, type, result, stage_operand(s, mask, 0, 0), 0);
    lower_output(l, s, result, out, 0);
    return true;
}

Stage *fold_vectors(Lowerer *l, int32_t x, int32_t y, int64_t elements, const Fold *fold,
                    From *result, TspError *err) {
    Rows rows;
    int32_t last = fold_padded_row(l, x, elements, fold, err);
    if (last < 0 && err->text[0]) return NULL;
    if (!lower_chains(l, x, y, 0, last, fold, &rows, err)) return NULL;
    return fold_finish(l, fold, &rows, result, err);
}
