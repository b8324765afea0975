/* lower_arg_group.c - ArgMax and ArgMin of long vectors in little more than one pass.
 *
 * Chains that look for the greatest leave marks on their way (marks.c): what they have found up to
 * there. Only grows, so of each part of a chain as many marks are less than the greatest as groups
 * of rows come before the first that has it. Of that group alone rows are read again, by Gather,
 * since only the chip knows which they are. Until then each superlane looks for its own greatest
 * and reads rows of its own: its lanes come together in a few cycles, those of all superlanes not.
 * Only once all are at their index, superlanes with less than the greatest of all step back. What
 * is said of the greatest holds of ArgMin for the least, with the opposite comparison.
 */
#include "lower_fold.h"
#include "compiler/number.h"

#include <stdlib.h>
#include <string.h>

/* How the rows of x are walked. */
typedef struct {
    int32_t x, turns;
    int32_t blocks, run, last; /* rows of a block, of the last one */
    int32_t marks, group;      /* of a chain that has a whole block; rows of a part between them */
    int32_t stride;            /* from the first row of a block to that of the next, in keys: a
                                * power of two */
    Fold extreme;              /* of elements of x */
    TspDtype type, counts;     /* of x; of counters, which count 1s of x's type */
} Groups;

/* ALUs for each row that is read again, which compare, remember and count; that look for the least
 * of what counts stand for; and beside the additions of a tree, one less than it has operands, and
 * one more for both hemispheres. */
enum { OPERATIONS = 3, LEAST_STEPS = 7, AFTER_TREE = 5 };

/* What counts of a type's own 1 are: those of integers are the same whatever the type. */
static TspDtype count_type(TspDtype type) {
    return tsp_dtype_is_float(type) ? type : TSP_I32;
}

static int32_t rows_of(const Groups *g, int32_t block) {
    return block < g->blocks - 1 ? g->run : g->last;
}
static int32_t marks_among(const Groups *g, int32_t block, int32_t group) {
    return tsp_ceil_div(tsp_walk(rows_of(g, block), g->turns).length, group);
}
static int32_t marks_of(const Groups *g, int32_t block) {
    return marks_among(g, block, g->group);
}

/* Cycles beside one pass, with groups of so many rows: holes for marks, counting them, and reading
 * one group of each block again. */
static int64_t group_cycles(const TspMachine *m, const Groups *g, int32_t rows) {
    const int32_t alus = (int32_t)m->vxm_alus, bytes = tsp_dtype_bytes(g->type);
    const int32_t marks = marks_among(g, 0, rows);
    const bool pauses = (g->blocks + 2) * bytes > 2 * m->streams;
    return (int64_t)g->turns * marks * (pauses + tsp_ceil_div(g->blocks, alus / 2)) +
           (int64_t)rows * tsp_ceil_div(g->blocks, alus / OPERATIONS);
}

/* Whether a mark of a block has left before the ALU comes to the next, the last one too. */
static bool leaves_in_time(const TspMachine *m, const Groups *g, int32_t block, int32_t rows) {
    const int32_t length = tsp_walk(rows_of(g, block), g->turns).length;
    const int32_t rest = length - (marks_among(g, block, rows) - 1) * rows;
    return tsp_min32(rows, rest) * g->turns >= tsp_op_func(m, TSP_OP_MAX);
}

/* The size of groups that takes the fewest cycles; the last block, the parts of which may be
 * longer, has no more of them. */
static void choose_groups(const TspMachine *m, Groups *g) {
    const int32_t last = g->blocks - 1, length = tsp_walk(g->last, g->turns).length;
    int64_t least = INT64_MAX;
    for (int32_t rows = 1; rows <= length; rows++) {
        const int64_t cycles = group_cycles(m, g, rows);
        if (cycles >= least || marks_among(g, last, rows) > marks_among(g, 0, rows) ||
            rows < g->turns || !leaves_in_time(m, g, 0, rows) || !leaves_in_time(m, g, last, rows))
            continue;
        least = cycles;
        g->group = rows;
        g->marks = marks_among(g, 0, rows);
    }
}

/* Chains that look for the least of a few rows: two, if the tree after them can take what they
 * leave, and as much for the last block. */
static int32_t least_chains(const TspMachine *m, int32_t turns) {
    return m->vxm_alus >= 2 * LEAST_STEPS && m->vxm_alus >= 3 * turns + AFTER_TREE ? 2 : 1;
}

static bool machine_can(const TspMachine *m, const Groups *g) {
    return m->sxm_distributors >= tsp_dtype_bytes(TSP_I32) && m->sxm_shifters >= 2 &&
           m->lanes_per_superlane > 1 && m->superlanes > 1 &&
           m->lanes_per_superlane <= fold_tree_width(m, TSP_I32) &&
           m->vxm_alus >= tsp_max64(LEAST_STEPS, 2 * g->turns + AFTER_TREE) &&
           g->blocks <= fold_tree_width(m, g->type);
}

/* False where the other way is quicker, or the only one: marks know nothing of the last index. */
static bool plan_groups(const Lowerer *l, const TspNode *node, TspOpcode op, int32_t x, Groups *g) {
    const TspMachine *m = &l->module->machine;
    const Tensor *t = &l->module->tensors[x];
    *g = (Groups){.x = x,
                  .turns = (int32_t)m->vxm_op_cycles,
                  .run = tsp_flat_run(m, t->rows),
                  .stride = 1,
                  .extreme = fold_extreme(op, t->dtype),
                  .type = t->dtype,
                  .counts = count_type(t->dtype)};
    if (l->module->sparing || node->select_last || !l->flat[node->inputs[0]] || t->rows <= g->run)
        return false;
    g->blocks = tsp_ceil_div(t->rows, g->run);
    g->last = t->rows - (g->blocks - 1) * g->run;
    while (g->stride < g->run) g->stride *= 2;
    if (!machine_can(m, g) || g->last < g->turns || g->run > m->mem_rows) return false;
    choose_groups(m, g);
    return g->group && group_cycles(m, g, g->group) <
                           (int64_t)g->run * tsp_ceil_div(g->blocks, m->vxm_alus / OPERATIONS);
}

/* ---- one pass ---- */

/* Chains, a block each, and their last marks. */
static int32_t lower_marks(Lowerer *l, const Groups *g, int64_t elements, Rows *left,
                           TspError *err) {
    const int32_t last = fold_padded_row(l, g->x, elements, &g->extreme, err),
                  all = g->marks * g->turns;
    int32_t rows = 0, marks;
    Stage *s;
    if (last < 0 && err->text[0]) return -1;
    for (int32_t b = 0; b < g->blocks; b++) rows += marks_of(g, b) * g->turns;
    if ((marks = fold_rows(l, ".marks", g->type, rows, all, err)) < 0) return -1;
    l->module->tensors[marks].near = false; /* they come while rows are read everywhere */
    s = lower_new_stage(l, "marks", l->module->tensors[g->x].rows, tsp_lanes(&l->module->machine),
                        err);
    if (!s) return -1;
    l->module->lavish = l->module->tensors[g->x].even = true;
    s->last = last;
    s->chain_rows = g->run;
    s->mark_rows = g->group;
    lower_output(l, s,
                 stage_step(s, g->extreme.op, g->type, g->type, stage_operand(s, g->x, 0, 1),
                            (From){FROM_SELF, 0}, 0),
                 marks, 0);
    left->count = g->blocks * g->turns;
    for (int32_t i = 0; i < left->count; i++) {
        const int32_t block = i / g->turns;
        left->tensor[i] = marks;
        left->row[i] = block * all + (marks_of(g, block) - 1) * g->turns + i % g->turns;
    }
    return marks;
}

/* For each part of each chain, how many marks are less than `greatest`. */
static bool lower_counts(Lowerer *l, const Groups *g, int32_t marks, int32_t greatest, Rows *left,
                         TspError *err) {
    Stage *s = lower_new_stage(l, "counts", l->module->tensors[marks].rows,
                               tsp_lanes(&l->module->machine), err);
    From less;
    if (!s) return false;
    s->chain_rows = g->marks * g->turns;
    s->beside = (int32_t)l->module->machine.vxm_alus / 2;
    less = stage_step(s, fold_beaten(&g->extreme), g->type, g->type, stage_operand(s, marks, 0, 1),
                      stage_operand(s, greatest, 0, 0), 0);
    return fold_left(l,
                     stage_step(s, TSP_OP_ADD, g->counts, g->counts, less, (From){FROM_SELF, 0}, 0),
                     g->counts, left, err);
}

/* ---- from counts to what comes first ---- */

/* Of counts for the parts of some blocks: what a count of 0 stands for, and a count that means
 * that the part has nothing. */
typedef struct {
    int32_t first[FOLD_ROWS], none[FOLD_ROWS];
    int32_t each; /* what a count of one more stands for */
    int32_t from; /* row that all have added, where that is not known; -1: none */
} Meaning;

/* Constants for rows of counts, in all lanes, so that two chains may read them at once. */
static int32_t number_rows(Lowerer *l, const char *suffix, const int32_t *numbers, int32_t rows,
                           int32_t run, TspError *err) {
    int32_t i = fold_constant(l, suffix, TSP_I32, rows, 1, numbers, err);
    if (i < 0) return -1;
    l->module->tensors[i].run = run;
    l->module->tensors[i].apart = true;
    return i;
}

/* The least, for each lane, of what counts row0 .. row0+rows-1 of a tensor stand for, in rows as
 * chains leave them; those of parts that have nothing are 0, all others below. */
static bool lower_least(Lowerer *l, const Groups *g, int32_t counts, int32_t row0, int32_t rows,
                        const Meaning *means, Rows *left, TspError *err) {
    const int32_t chains = least_chains(&l->module->machine, g->turns),
                  each = tsp_ceil_div(rows, chains * g->turns) * g->turns,
                  first = number_rows(l, ".first", means->first, rows, each, err),
                  none = first < 0 ? -1 : number_rows(l, ".none", means->none, rows, each, err);
    Stage *s =
        none < 0 ? NULL : lower_new_stage(l, "least", rows, tsp_lanes(&l->module->machine), err);
    From index, found;
    if (!s) return false;
    s->chain_rows = each;
    index = stage_operand(s, counts, row0, 1);
    if (g->counts != TSP_I32)
        index = stage_step(s, TSP_OP_CVT, g->counts, TSP_I32, index, from_none(), 0);
    index = stage_step(s, TSP_OP_MUL, TSP_I32, TSP_I32, index, from_imm(), (uint32_t)means->each);
    index = stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, index, stage_operand(s, first, 0, 1), 0);
    found = stage_step(s, TSP_OP_NE, TSP_I32, TSP_I32, index, stage_operand(s, none, 0, 1), 0);
    index = means->from < 0 ? stage_step(s, TSP_OP_PASS, TSP_I32, TSP_I32, index, from_none(), 0)
                            : stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, index,
                                         stage_operand(s, means->from, 0, 0), 0);
    index = stage_step(s, TSP_OP_MASK, TSP_I32, TSP_I32, index, found, 0);
    index = stage_step(s, TSP_OP_MIN, TSP_I32, TSP_I32, index, (From){FROM_SELF, 0}, 0);
    return fold_left_apart(l, index, TSP_I32, row0 > 0, left, err);
}

/* `index` where x is not less than `most`, with NaN too, else 0. */
static From where_greatest(Stage *s, const Fold *extreme, int32_t x, int32_t most, From index) {
    const TspDtype type = extreme->type;
    From less = stage_step(s, fold_beaten(extreme), type, type, stage_operand(s, x, 0, 0),
                           stage_operand(s, most, 0, 0), 0);
    less = stage_step(s, TSP_OP_EQ, type, type, less, from_imm(), 0);
    return stage_step(s, TSP_OP_MASK, TSP_I32, TSP_I32, index, less, 0);
}

/* Bits of a key that a superlane has in all its lanes: less 2^31 that of the block, and below the
 * first row of the group in it. */
static int32_t lower_key(Lowerer *l, const Groups *g, const Rows *counts, int32_t greatest,
                         int32_t most, TspError *err) {
    const Fold fold = {TSP_OP_MIN, TSP_I32, 0, false};
    Meaning means = {.each = g->group, .from = -1};
    Rows left;
    From key;
    Stage *s;
    int32_t to;
    for (int32_t i = 0; i < counts->count; i++) {
        const int32_t block = i / g->turns, part = i % g->turns;
        means.first[i] =
            block * g->stride + part * tsp_walk(rows_of(g, block), g->turns).apart + INT32_MIN;
        means.none[i] = means.first[i] + marks_of(g, block) * g->group;
    }
    if (!lower_least(l, g, counts->tensor[0], 0, counts->count, &means, &left, err) ||
        (to = fold_rows(l, ".group", TSP_I32, 1, 1, err)) < 0 ||
        !(s = fold_tree(l, &fold, &left, 0, 1, tsp_lanes(&l->module->machine), &key, err)))
        return -1;
    l->module->tensors[to].wanted = 2;
    lower_output(l, s, where_greatest(s, &g->extreme, greatest, most, key), to, 0);
    return fold_superlanes(l, &fold, to, err);
}

/* ---- the group ---- */

/* The first row to be read again of a block of `rows`: so many are there from it on. */
static From first_row(Stage *s, const Groups *g, int32_t key, int32_t rows) {
    From row = stage_step(s, TSP_OP_AND, TSP_I32, TSP_I32, stage_operand(s, key, 0, 0), from_imm(),
                          (uint32_t)g->stride - 1);
    return stage_step(s, TSP_OP_MIN, TSP_I32, TSP_I32, row, from_imm(),
                      (uint32_t)(rows - g->group));
}

static int32_t lower_first_row(Lowerer *l, const Groups *g, int32_t key, int32_t rows,
                               TspError *err) {
    Stage *s = lower_new_stage(l, "first", 1, tsp_lanes(&l->module->machine), err);
    int32_t to = s ? fold_rows(l, ".from", TSP_I32, 1, 1, err) : -1;
    if (to < 0) return -1;
    l->module->tensors[to].wanted = 2;
    lower_output(l, s, first_row(s, g, key, rows), to, 0);
    return to;
}

/* Of each superlane of row `lane % lanes` the bits by which lane n's address is to be shifted. */
static int32_t address_shifts(Lowerer *l, TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t lanes = tsp_lanes(m), to, *shifts = malloc((size_t)lanes * sizeof *shifts);
    if (!shifts) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t n = 0; n < lanes; n++) shifts[n] = n % m->lanes_per_superlane == 1 ? 8 : 0;
    to = fold_constant(l, ".bytes", TSP_I32, 1, lanes, shifts, err);
    free(shifts);
    return to;
}

/* Rows to count with: row i is i. */
static int32_t counting_rows(Lowerer *l, int32_t rows, TspError *err) {
    int32_t to, *numbers = malloc((size_t)rows * sizeof *numbers);
    if (!numbers) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t i = 0; i < rows; i++) numbers[i] = i;
    to = fold_constant(l, ".counting", TSP_I32, rows, 1, numbers, err);
    free(numbers);
    return to;
}

/* Where the group lies in a block, as Gather wants to be told, a row for each: in whole blocks, and
 * in the last one. */
static bool lower_maps(Lowerer *l, const Groups *g, int32_t key, int32_t map[2], TspError *err) {
    enum { BLOCKS = 4 }; /* so that the first rows are read while the last are written */
    const int32_t counting = counting_rows(l, g->group, err),
                  shifts = counting < 0 ? -1 : address_shifts(l, err),
                  maps = g->last < g->run ? 2 : 1;
    Stage *s = shifts < 0
                   ? NULL
                   : lower_new_stage(l, "addresses", g->group, tsp_lanes(&l->module->machine), err);
    if (!s) return false;
    s->addresses = g->x;
    for (int32_t i = 0; i < maps; i++) {
        From row = first_row(s, g, key, i ? g->last : g->run);
        row = stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, row, from_imm(), 0);
        row = stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, row, stage_operand(s, counting, 0, 1), 0);
        row = stage_step(s, TSP_OP_SHR, TSP_I32, TSP_I32, row, stage_operand(s, shifts, 0, 0), 0);
        map[i] = fold_rows(l, ".map", TSP_U8, g->group, tsp_ceil_div(g->group, BLOCKS), err);
        if (map[i] < 0) return false;
        l->module->tensors[map[i]].wanted = 2;
        lower_output(l, s, row, map[i], 0);
    }
    if (maps == 1) map[1] = map[0];
    return true;
}

/* For each turn of each block, the rows before the first that is not less than `most`. */
static bool lower_gathered(Lowerer *l, const Groups *g, int32_t most, const int32_t map[2],
                           Rows *left, TspError *err) {
    const From self = {FROM_SELF, 0};
    Stage *s =
        lower_new_stage(l, "gather", g->blocks * g->group, tsp_lanes(&l->module->machine), err);
    From row;
    if (!s) return false;
    s->gathers = true;
    s->chain_rows = g->group;
    s->beside = (int32_t)l->module->machine.vxm_alus / OPERATIONS;
    row = stage_operand(s, g->x, 0, 0);
    row = stage_step(s, fold_beaten(&g->extreme), g->type, g->type, row,
                     stage_operand(s, most, 0, 0), 0);
    stage_operand(s, map[0], 0, 0);
    stage_operand(s, map[1], 0, 0);
    row = stage_step(s, TSP_OP_MIN, g->type, g->type, row, self, 0);
    return fold_left(l, stage_step(s, TSP_OP_ADD, g->counts, g->counts, row, self, 0), g->counts,
                     left, err);
}

/* What rows are less than, so that all that are found are below zero, whatever the lane: times the
 * lanes it is 2^31 at most. */
static int32_t row_bias(const TspMachine *m) {
    return INT32_MAX / tsp_lanes(m);
}

/* The row that each lane has found, less the bias, of blocks first .. end-1; *left is added to. */
static bool lower_found(Lowerer *l, const Groups *g, const Rows *counts, int32_t first, int32_t end,
                        int32_t from, Rows *left, TspError *err) {
    Meaning means = {.each = g->turns, .from = from};
    Rows more;
    if (first == end) return true;
    for (int32_t i = 0; i < (end - first) * g->turns; i++) {
        const int32_t turn = (g->group + i) % g->turns; /* a chain's last rows are what it leaves */
        means.first[i] = (first + i / g->turns) * g->run + turn - row_bias(&l->module->machine);
        means.none[i] = means.first[i] + tsp_ceil_div(g->group - turn, g->turns) * g->turns;
    }
    if (!lower_least(l, g, counts->tensor[0], first * g->turns, (end - first) * g->turns, &means,
                     &more, err))
        return false;
    for (int32_t i = 0; i < more.count; i++) {
        left->tensor[left->count] = more.tensor[i];
        left->row[left->count++] = more.row[i];
    }
    return true;
}

/* Reads the group again: where each lane has found the greatest of its superlane. */
static bool lower_again(Lowerer *l, const Groups *g, int32_t key, int32_t most, Rows *left,
                        TspError *err) {
    int32_t map[2], from[2];
    Rows counts;
    left->count = 0;
    if (!lower_maps(l, g, key, map, err) || !lower_gathered(l, g, most, map, &counts, err))
        return false;
    for (int32_t last = 0; last < 2; last++)
        if ((from[last] = lower_first_row(l, g, key, last ? g->last : g->run, err)) < 0)
            return false;
    return lower_found(l, g, &counts, 0, g->blocks - 1, from[0], left, err) &&
           lower_found(l, g, &counts, g->blocks - 1, g->blocks, from[1], left, err);
}

/* ---- all superlanes ---- */

/* The greatest of all in all lanes. */
static int32_t lower_greatest(Lowerer *l, const Groups *g, int32_t most, TspError *err) {
    const int64_t shape[1] = {1};
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    Rows rows = {.tensor = {most}, .count = 1};
    From result;
    Stage *s = fold_finish(l, &g->extreme, &rows, &result, err);
    int32_t at = s ? (int32_t)(s - l->module->stages) : 0, one, all;
    if (!s ||
        (one = lower_new_tensor(l, name, ".greatest", g->type, TSP_ROLE_INTERNAL, 1, shape, false,
                                err)) < 0 ||
        !fold_result(l, &l->module->stages[at], result, one, err) ||
        (all = fold_rows(l, ".wide", g->type, 1, 1, err)) < 0 ||
        !lower_broadcast(l, one, all, tsp_lanes(&l->module->machine), err))
        return -1;
    return all;
}

/* Elements, less the bias of a row, instead of rows; 0 or more for those that have not the greatest
 * of all. */
static int32_t lower_elements(Lowerer *l, const Groups *g, const Rows *found, int32_t most,
                              int32_t greatest, TspError *err) {
    const Fold fold = {TSP_OP_MIN, TSP_I32, 0, false};
    const int32_t lanes = tsp_lanes(&l->module->machine);
    int32_t *numbers = malloc((size_t)lanes * sizeof *numbers), lane, to;
    From index;
    Stage *s;
    if (!numbers) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t n = 0; n < lanes; n++) numbers[n] = n;
    lane = fold_constant(l, ".lanes", TSP_I32, 1, lanes, numbers, err);
    free(numbers);
    if (lane < 0 || (to = fold_rows(l, ".found", TSP_I32, 1, 1, err)) < 0 ||
        !(s = fold_tree(l, &fold, found, 0, 1, lanes, &index, err)))
        return -1;
    l->module->tensors[to].wanted = 2;
    index = stage_step(s, TSP_OP_MUL, TSP_I32, TSP_I32, index, from_imm(), (uint32_t)lanes);
    index = stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, index, stage_operand(s, lane, 0, 0), 0);
    lower_output(l, s, where_greatest(s, &g->extreme, most, greatest, index), to, 0);
    return to;
}

/* The least element's index, or 0 if the greatest is NaN, since then all are as good. */
static bool lower_first(Lowerer *l, const Groups *g, int32_t elements, int32_t greatest,
                        int32_t out, TspError *err) {
    const Fold fold = {TSP_OP_MIN, TSP_I32, 0, false};
    const uint32_t bias =
        (uint32_t)(row_bias(&l->module->machine) * tsp_lanes(&l->module->machine));
    Rows rows = {.tensor = {elements}, .count = 1};
    From index, number;
    Stage *s = fold_finish(l, &fold, &rows, &index, err);
    if (!s) return false;
    index = stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, index, from_imm(), bias);
    if (tsp_dtype_is_float(g->type)) {
        number = stage_operand(s, greatest, 0, 0);
        number = stage_step(s, TSP_OP_EQ, g->type, g->type, number, number, 0);
        index = stage_step(s, TSP_OP_MASK, TSP_I32, TSP_I32, index, number, 0);
    }
    return fold_result(l, s, index, out, err);
}

bool lower_arg_group(Lowerer *l, const TspNode *node, TspOpcode op, int32_t x, int32_t out,
                     bool *done, TspError *err) {
    const int64_t elements = tsp_value_elements(&l->graph->values[node->inputs[0]]);
    int32_t marks, greatest, most, key, all;
    Rows rows, counts;
    Groups g;
    *done = plan_groups(l, node, op, x, &g);
    if (!*done) return true;
    return (marks = lower_marks(l, &g, elements, &rows, err)) >= 0 &&
           (greatest = fold_row(l, &g.extreme, &rows, err)) >= 0 &&
           lower_counts(l, &g, marks, greatest, &counts, err) &&
           (most = fold_superlanes(l, &g.extreme, greatest, err)) >= 0 &&
           (key = lower_key(l, &g, &counts, greatest, most, err)) >= 0 &&
           lower_again(l, &g, key, most, &rows, err) &&
           (all = lower_greatest(l, &g, most, err)) >= 0 &&
           (x = lower_elements(l, &g, &rows, most, all, err)) >= 0 &&
           lower_first(l, &g, x, all, out, err);
}
