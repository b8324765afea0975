/* lower_arg.c - ArgMax and ArgMin of vectors. Those that are not long, or do not fit as others want
 * them, pass twice: first the greatest is found, then for each chain and lane how many rows come
 * before one that is not less, so that no index passes the ALUs with the elements. What is said of
 * the greatest holds of ArgMin for the least, with the opposite comparison. For the last index,
 * rows and lanes are counted from behind.
 */
#include "lower_fold.h"
#include "isa/half.h"

#include <stdlib.h>
#include <string.h>

/* The greatest element in all lanes, a copy for each chain that compares with it. */
static int32_t greatest_row(Lowerer *l, const Fold *extreme, int32_t x, int64_t elements,
                            int32_t chains, TspError *err) {
    TspDtype type = extreme->type;
    int64_t shape[1] = {1};
    int32_t one, all;
    From result;
    Stage *s = fold_vectors(l, x, -1, elements, extreme, &result, err);
    int32_t at = s ? (int32_t)(s - l->module->stages) : 0;
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    if (!s ||
        (one = lower_new_tensor(l, name, ".greatest", type, TSP_ROLE_INTERNAL, 1, shape, false,
                                err)) < 0 ||
        !fold_result(l, &l->module->stages[at], result, one, err) ||
        (all = fold_rows(l, ".wide", type, 1, 1, err)) < 0)
        return -1;
    l->module->tensors[all].wanted = chains;
    return lower_broadcast(l, one, all, tsp_lanes(&l->module->machine), err) ? all : -1;
}

/* What a chain's counter counts in: the type's own 1 as the bits say, taken as int32 or float32. */
static TspDtype counter_type(TspDtype type) {
    return type == TSP_F32 ? TSP_F32 : TSP_I32;
}

/* Counts, for each lane, the rows before the first that is not less than the greatest. From behind,
 * the first of all has lanes that are no elements, in which `s->last` stands for it. */
static bool lower_counters(Lowerer *l, const Fold *extreme, bool behind, int32_t x,
                           int32_t greatest, Stage *s, Rows *left, TspError *err) {
    const int32_t row0 = behind ? s->rows - 1 : 0, row_step = behind ? -1 : 1;
    TspDtype type = extreme->type, count = counter_type(type);
    const From self = {FROM_SELF, 0};
    const From row = stage_operand(s, x, row0, row_step);
    From less =
        stage_step(s, fold_beaten(extreme), type, type, row, stage_operand(s, greatest, 0, 0), 0);
    From none_yet = stage_step(s, TSP_OP_MIN, type, type, less, self, 0);
    return fold_left(l, stage_step(s, TSP_OP_ADD, count, count, none_yet, self, 0), count, left,
                     err);
}

/* The first row of the stage that partial result `i` of chains combined, and how many they were. */
static int32_t first_row(const Stage *chains, int32_t turns, int32_t i, int32_t *count) {
    int32_t low = i / turns * chains->chain_rows;
    int32_t length = tsp_min32(chains->chain_rows, chains->rows - low);
    int32_t turn = (length - tsp_min32(turns, length) + i) % turns;
    *count = tsp_ceil_div(length - turn, turns);
    return low + turn;
}

/* The index, less 2^31, of each lane of what each partial result counts from. */
static int32_t first_indices(Lowerer *l, bool behind, const Rows *rows, const Stage *chains,
                             TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t lanes = tsp_lanes(m), turns = (int32_t)m->vxm_op_cycles;
    int64_t shape[2] = {rows->count, lanes};
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    int32_t i =
        lower_new_tensor(l, name, ".first", TSP_I32, TSP_ROLE_CONSTANT, 2, shape, false, err);
    uint8_t *data = i < 0 ? NULL : malloc((size_t)rows->count * (size_t)lanes * 4);
    if (!data) return i < 0 ? -1 : (tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1);
    for (int32_t row = 0, count; row < rows->count; row++)
        for (int32_t lane = 0; lane < lanes; lane++) {
            int64_t from = first_row(chains, turns, row, &count);
            const int32_t number = behind ? lanes - 1 - lane : lane;
            uint32_t index = (uint32_t)(from * lanes + number) + 0x80000000u;
            memcpy(data + 4 * ((size_t)row * (size_t)lanes + (size_t)lane), &index, 4);
        }
    l->module->tensors[i].data = data;
    l->module->tensors[i].contiguous = true;
    return i;
}

/* Partial result `row`, `counts` rows of which it saw, as an index less 2^31; 0 if none of the rows
 * held the greatest, so that it loses against all that did. */
static bool lower_index(Lowerer *l, const Rows *rows, int32_t row, int32_t counts, TspDtype type,
                        int32_t first, int32_t to, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const uint32_t ones = 15; /* 1.0 of float16 is 0x3c00, 15 * 2^10 */
    uint32_t rows_apart = (uint32_t)(m->vxm_op_cycles * tsp_lanes(m)), end = (uint32_t)counts;
    TspDtype count = counter_type(type);
    Stage *s = lower_new_stage(l, "index", 1, tsp_lanes(m), err);
    const From none = from_none();
    From counter, found, index;
    if (!s) return false;
    if (type == TSP_F32) end = tsp_f32_bits((float)counts);
    if (type == TSP_F16) end *= ones << 10;
    counter = stage_operand(s, rows->tensor[row], rows->row[row], 1);
    found = stage_step(s, TSP_OP_LT, count, count, counter, from_imm(), end);
    index = counter;
    if (type == TSP_F32) index = stage_step(s, TSP_OP_CVT, TSP_F32, TSP_I32, index, none, 0);
    if (type == TSP_F16) {
        index = stage_step(s, TSP_OP_SHR, TSP_I32, TSP_I32, index, from_imm(), 10);
        rows_apart *= 0xeeeeeeefu; /* 1 / 15 modulo 2^32 */
    }
    if (index.kind == FROM_STEP) found = stage_step(s, TSP_OP_PASS, count, count, found, none, 0);
    index = stage_step(s, TSP_OP_MUL, TSP_I32, TSP_I32, index, from_imm(), rows_apart);
    index = stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, index, stage_operand(s, first, row, 1), 0);
    found = stage_step(s, TSP_OP_PASS, count, count, found, none, 0);
    index = stage_step(s, TSP_OP_MASK, TSP_I32, TSP_I32, index, found, 0);
    lower_output(l, s, index, to, row);
    return true;
}

/* All partial results as indices. */
static bool lower_indices(Lowerer *l, bool behind, const Stage *chains, TspDtype type, Rows *rows,
                          TspError *err) {
    int32_t turns = (int32_t)l->module->machine.vxm_op_cycles;
    int32_t first = first_indices(l, behind, rows, chains, err);
    int32_t to = first < 0 ? -1 : fold_rows(l, ".indices", TSP_I32, rows->count, turns, err);
    if (to < 0) return false;
    for (int32_t i = 0, count; i < rows->count; i++) {
        first_row(chains, turns, i, &count);
        if (!lower_index(l, rows, i, count, type, first, to, err)) return false;
    }
    for (int32_t i = 0; i < rows->count; i++) {
        rows->tensor[i] = to;
        rows->row[i] = i;
    }
    return true;
}

/* From the least index of all, less 2^31, to that of an element; from behind, lanes that are none
 * come first if all elements are alike. */
static From last_steps(Stage *s, bool behind, int64_t elements, int32_t lanes, From index) {
    const uint32_t last = (uint32_t)(tsp_ceil_div(elements, lanes) * lanes - 1);
    if (!behind) return stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, index, from_imm(), 0x80000000u);
    index = stage_step(s, TSP_OP_SUB, TSP_I32, TSP_I32, from_imm(), index, last + 0x80000000u);
    return stage_step(s, TSP_OP_MIN, TSP_I32, TSP_I32, index, from_imm(), (uint32_t)elements - 1);
}

bool lower_arg(Lowerer *l, const TspNode *node, TspError *err) {
    enum { STEPS = 3 };
    const TspValue *v = &l->graph->values[node->inputs[0]];
    const TspOpcode op = node->op == TSP_GRAPH_ARG_MAX ? TSP_OP_MAX : TSP_OP_MIN;
    const Fold fold = {TSP_OP_MIN, TSP_I32, 0, false}, extreme = fold_extreme(op, v->dtype);
    const int64_t elements = tsp_value_elements(v);
    const bool behind = node->select_last && elements > 1;
    int32_t x, greatest, chains, out, last = -1;
    Stage *s, stage;
    Rows rows;
    From result;
    bool done;
    if (!fold_check(l, node, &fold, err) || (x = fold_operand(l, node, node->inputs[0], err)) < 0 ||
        (out = lower_oriented(l, node->output, ROWWISE, err)) < 0)
        return false;
    if (lower_has_keys(l, node)) return lower_arg_key(l, node, op, x, out, err);
    if (!lower_arg_group(l, node, op, x, out, &done, err)) return false;
    if (done) return true;
    if (behind && (last = fold_padded_row(l, x, elements, &extreme, err)) < 0 && err->text[0])
        return false;
    if (!(s = fold_chains(l, x, 0, STEPS, TSP_I32, err))) return false;
    stage = *s;
    l->module->stage_count--; /* it comes after those that find the greatest */
    chains = tsp_ceil_div(stage.rows, stage.chain_rows);
    greatest = greatest_row(l, &extreme, x, elements, chains, err);
    if (greatest < 0 || !(s = lower_new_stage(l, stage.what, stage.rows, stage.cols, err)))
        return false;
    s->chain_rows = stage.chain_rows;
    s->last = last;
    if (!lower_counters(l, &extreme, behind, x, greatest, s, &rows, err) ||
        !lower_indices(l, behind, &stage, v->dtype, &rows, err) ||
        !(s = fold_finish(l, &fold, &rows, &result, err)))
        return false;
    result = last_steps(s, behind, elements, tsp_lanes(&l->module->machine), result);
    return fold_result(l, s, result, out, err);
}
