/* lower_group_result.c - from merged tables to the result of GroupByAggregate: superlanes are
 * folded into the first, digits become a sum, and fields move to where the result wants them.
 *
 * Lanes move through the MXM: a matrix of zeros and a one a column, byte plane by byte plane. That
 * is exact, and lanes that nothing moves to are zero.
 */
#include "compiler/lower/lower.h"

#include <stdlib.h>
#include <string.h>

/* Lane that output column `column` takes; -1: none. */
typedef struct {
    int32_t columns;
    int32_t shift;   /* column takes lane column + shift... */
    int32_t from[4]; /* ...or, if columns is 4, this one */
} Moving;

static int32_t lane_for(const Moving *m, int32_t column, int32_t lanes) {
    const int32_t lane = m->columns == 4 ? m->from[column] : column + m->shift;
    return lane < lanes ? lane : -1;
}

static int32_t table(Lowerer *l, const char *name, int32_t columns, TspError *err) {
    const int64_t shape[2] = {l->module->group->words, columns};
    int32_t i = lower_new_tensor(l, name, "", TSP_I32, TSP_ROLE_INTERNAL, 2, shape, false, err);
    if (i >= 0) l->module->tensors[i].contiguous = true;
    return i;
}

static int32_t moved(Lowerer *l, int32_t x, Moving moving, TspError *err) {
    const int32_t lanes = tsp_lanes(&l->module->machine), words = l->module->group->words;
    const int64_t shape[2] = {moving.columns, lanes};
    const int32_t w =
        lower_new_tensor(l, "moving lanes", "", TSP_U8, TSP_ROLE_CONSTANT, 2, shape, false, err);
    const int32_t to = w < 0 ? -1 : table(l, "moved", moving.columns, err);
    Tensor *weights = &l->module->tensors[w < 0 ? 0 : w];
    if (to < 0) return -1;
    weights->striped = true;
    weights->data = calloc((size_t)moving.columns, (size_t)lanes);
    if (!weights->data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t c = 0; c < moving.columns; c++) {
        const int32_t lane = lane_for(&moving, c, lanes);
        if (lane >= 0) weights->data[(size_t)c * (size_t)lanes + (size_t)lane] = 1;
    }
    l->module->tensors[x].streamed = true;
    for (int32_t byte = 0; byte < 4; byte++)
        if (!lower_move(l, "move lanes", words, moving.columns,
                        (Term){x, 0, 0, byte, w, 0, 0, -1, 0, 0, 0}, to, 0, byte, err))
            return -1;
    return to;
}

/* -- steps on whole tables -- */

typedef From (*Combine)(Stage *s, From a, From b);

/* Two partial results of a field, whatever its kind (group.h). */
static From join(Stage *s, From a, From b) {
    const From sum = stage_step(s, TSP_OP_ADD_SAT, TSP_I32, TSP_I32, a, b, 0);
    const From greater = stage_step(s, TSP_OP_MAX, TSP_I32, TSP_I32, a, b, 0);
    return stage_step(s, TSP_OP_MAX, TSP_I32, TSP_I32, sum, greater, 0);
}

static From add(Stage *s, From a, From b) {
    return stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, a, b, 0);
}

static From multiply(Stage *s, From a, From b) {
    return stage_step(s, TSP_OP_MUL, TSP_I32, TSP_I32, a, b, 0);
}

static int32_t combined(Lowerer *l, int32_t a, int32_t b, bool row, Combine combine,
                        TspError *err) {
    const int32_t columns = l->module->tensors[a].cols, y = table(l, "folded", columns, err);
    Stage *s = y < 0 ? NULL : lower_new_stage(l, "combine", l->module->group->words, columns, err);
    From from[2];
    if (!s) return -1;
    from[0] = stage_operand(s, a, 0, 1);
    from[1] = stage_operand(s, b, 0, row ? 0 : 1);
    lower_output(l, s, combine(s, from[0], from[1]), y, 0);
    return y;
}

/* x combined with x from `shift` lanes on; -1 on failure, also of what came before. */
static int32_t fold(Lowerer *l, int32_t x, int32_t with, int32_t shift, Combine combine,
                    TspError *err) {
    const int32_t lanes = tsp_lanes(&l->module->machine);
    const int32_t other =
        x < 0 || with < 0 ? -1 : moved(l, with, (Moving){.columns = lanes, .shift = shift}, err);
    return other < 0 ? -1 : combined(l, x, other, false, combine, err);
}

/* Superlane 0 gets the join of all. */
static int32_t fold_superlanes(Lowerer *l, int32_t x, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const int32_t tile = (int32_t)m->lanes_per_superlane;
    int32_t left = (int32_t)m->superlanes, all;
    for (; left % 2 == 0; left /= 2) x = fold(l, x, x, left / 2 * tile, join, err);
    all = x;
    for (int32_t i = 1; i < left; i++) all = fold(l, all, x, i * tile, join, err);
    return all;
}

/* The first lane of every superlane gets the sum of its lanes. */
static int32_t fold_lanes(Lowerer *l, int32_t x, TspError *err) {
    for (int32_t left = (int32_t)l->module->machine.lanes_per_superlane / 2; left >= 1; left /= 2)
        x = fold(l, x, x, left, add, err);
    return x;
}

static int32_t row_constant(Lowerer *l, const char *name, int32_t columns, const int32_t *values,
                            TspError *err) {
    const int64_t shape[2] = {1, columns};
    const size_t size = (size_t)columns * sizeof *values;
    int32_t i = lower_new_tensor(l, name, "", TSP_I32, TSP_ROLE_CONSTANT, 2, shape, false, err);
    if (i < 0) return -1;
    l->module->tensors[i].contiguous = true;
    l->module->tensors[i].data = malloc(size);
    if (!l->module->tensors[i].data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    memcpy(l->module->tensors[i].data, values, size);
    return i;
}

/* What each field of the first superlane is worth in the sum of the group. */
static int32_t weights_of_digits(Lowerer *l, TspError *err) {
    const GroupPlan *plan = l->module->group;
    int32_t values[TSP_MAX_LANES] = {0}, weight = 1;
    values[GROUP_COUNT] = plan->low;
    for (int32_t i = 0; i < plan->digits; i++, weight *= plan->base)
        values[GROUP_DIGITS + i] = weight;
    return row_constant(l, "digits", tsp_lanes(&l->module->machine), values, err);
}

/* -- the result -- */

/* fields * sign + sum + offset: count, sum, least, greatest. */
static int32_t values_of(Lowerer *l, int32_t fields, int32_t sum, TspError *err) {
    const GroupPlan *plan = l->module->group;
    const int32_t sign[4] = {1, 0, -1, 1};
    const int32_t offset[4] = {0, 0, plan->high + GROUP_NEVER, plan->low - GROUP_NEVER};
    const int32_t y = table(l, "values", 4, err);
    const int32_t signs = row_constant(l, "signs", 4, sign, err);
    const int32_t offsets = row_constant(l, "offsets", 4, offset, err);
    Stage *s = y < 0 || signs < 0 || offsets < 0
                   ? NULL
                   : lower_new_stage(l, "values", plan->words, 4, err);
    From v;
    if (!s) return -1;
    v = multiply(s, stage_operand(s, fields, 0, 1), stage_operand(s, signs, 0, 0));
    v = add(s, v, stage_operand(s, sum, 0, 1));
    lower_output(l, s, add(s, v, stage_operand(s, offsets, 0, 0)), y, 0);
    return y;
}

/* Of groups with rows the values, of others what no row leaves. */
static bool write_result(Lowerer *l, const TspNode *node, int32_t values, int32_t counts,
                         TspError *err) {
    const int32_t none[4] = {0, 0, INT32_MAX, INT32_MIN};
    const int32_t nones = row_constant(l, "no rows", 4, none, err);
    const int32_t out = lower_oriented(l, node->output, TRANSPOSED, err);
    Stage *s = nones < 0 || out < 0 ? NULL : lower_new_stage(l, "result", node->groups, 4, err);
    From count, some, empty;
    if (!s) return false;
    count = stage_operand(s, counts, 0, 1);
    some = stage_step(s, TSP_OP_MASK, TSP_I32, TSP_I32, stage_operand(s, values, 0, 1), count, 0);
    some = stage_step(s, TSP_OP_PASS, TSP_I32, TSP_I32, some, from_none(), 0);
    empty = stage_step(s, TSP_OP_EQ, TSP_I32, TSP_I32, count, from_imm(), 0);
    empty = stage_step(s, TSP_OP_MASK, TSP_I32, TSP_I32, stage_operand(s, nones, 0, 0), empty, 0);
    lower_output(l, s, stage_step(s, TSP_OP_OR, TSP_I32, TSP_I32, some, empty, 0), out, 0);
    return true;
}

bool lower_group_result(Lowerer *l, const TspNode *node, int32_t merged, TspError *err) {
    const int32_t fields = fold_superlanes(l, merged, err);
    const int32_t digits = fields < 0 ? -1 : weights_of_digits(l, err);
    const int32_t parts = digits < 0 ? -1 : combined(l, fields, digits, true, multiply, err);
    const int32_t sums = parts < 0 ? -1 : fold_lanes(l, parts, err);
    const Moving of_fields = {.columns = 4,
                              .from = {GROUP_COUNT, TSP_MAX_LANES, GROUP_LEAST, GROUP_GREATEST}};
    const Moving of_sum = {.columns = 4, .from = {TSP_MAX_LANES, 0, TSP_MAX_LANES, TSP_MAX_LANES}};
    const Moving of_count = {.columns = 4,
                             .from = {GROUP_COUNT, GROUP_COUNT, GROUP_COUNT, GROUP_COUNT}};
    int32_t moved_fields, moved_sum, counts, values;
    if (sums < 0) return false;
    if ((moved_fields = moved(l, fields, of_fields, err)) < 0) return false;
    if ((moved_sum = moved(l, sums, of_sum, err)) < 0) return false;
    if ((counts = moved(l, fields, of_count, err)) < 0) return false;
    if ((values = values_of(l, moved_fields, moved_sum, err)) < 0) return false;
    return write_result(l, node, values, counts, err);
}
