/* lower_arg_key.c - ArgMax and ArgMin of int8 in one pass: its elements are read as the high bytes
 * of int32 keys whose low bytes, read beside them, fall with the index. So the greatest key has the
 * greatest element, the first if there are several, and each row takes one ALU. They rise with the
 * index where the least key is wanted, or the last index, but not where both are.
 */
#include "lower_fold.h"

#include <stdlib.h>
#include <string.h>

/* Bits of a key under the element. */
enum { INDEX_BITS = 24 };
static const uint32_t last_index = (1u << INDEX_BITS) - 1;

bool lower_has_keys(const Lowerer *l, const TspNode *node) {
    const TspValue *v = &l->graph->values[node->inputs[0]];
    const int64_t lanes = tsp_lanes(&l->module->machine), elements = tsp_value_elements(v);
    return !l->module->sparing && v->dtype == TSP_I8 && (l->flat[node->inputs[0]] || v->data) &&
           elements > 1 && (elements + lanes - 1) / lanes * lanes - 1 <= (int64_t)last_index;
}

/* Whether the low bytes of keys are the index, not last_index less that. */
static bool index_rises(const TspNode *node, const Fold *fold) {
    return (fold->op == TSP_OP_MIN) != node->select_last;
}

/* Bytes from `byte` on of the low bytes for lane 0, a row for each of x, in all lanes; where the
 * rows of x lie. */
static int32_t index_rows(Lowerer *l, bool rises, int32_t x, const char *suffix, TspDtype type,
                          int32_t byte, TspError *err) {
    const Tensor like = l->module->tensors[x];
    const size_t bytes = (size_t)tsp_dtype_bytes(type);
    const int64_t shape[2] = {like.rows, 1};
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    int32_t lanes = tsp_lanes(&l->module->machine);
    int32_t i = lower_new_tensor(l, name, suffix, type, TSP_ROLE_CONSTANT, 2, shape, false, err);
    Tensor *t;
    if (i < 0) return -1;
    t = &l->module->tensors[i];
    t->flat = t->contiguous = t->sided = true;
    t->bcast_cols = lanes;
    t->run = like.run;
    t->level = like.level;
    if (!(t->data = malloc((size_t)like.rows * bytes)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t row = 0; row < like.rows; row++) {
        const uint32_t index = (uint32_t)row * (uint32_t)lanes,
                       below = (rises ? index : last_index - index) >> 8 * byte;
        memcpy(t->data + (size_t)row * bytes, &below, bytes);
    }
    return i;
}

/* Lane n is n. */
static int32_t lane_numbers(Lowerer *l, TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine);
    const int64_t shape[1] = {lanes};
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    int32_t i =
        lower_new_tensor(l, name, ".lanes", TSP_I32, TSP_ROLE_CONSTANT, 1, shape, false, err);
    if (i < 0) return -1;
    l->module->tensors[i].contiguous = true;
    if (!(l->module->tensors[i].data = malloc((size_t)lanes * sizeof lanes)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t n = 0; n < lanes; n++)
        memcpy(l->module->tensors[i].data + (size_t)n * sizeof n, &n, sizeof n);
    return i;
}

/* Chains that keep the greatest (least) key of each lane, as if all were lane 0. */
static bool lower_keys(Lowerer *l, int32_t x, int64_t elements, const Fold *fold, bool rises,
                       Rows *left, TspError *err) {
    const Fold extreme = fold_extreme(fold->op, TSP_I8);
    int32_t last = fold_padded_row(l, x, elements, &extreme, err), low, high;
    From key;
    Stage *s;
    if ((last < 0 && err->text[0]) || (low = index_rows(l, rises, x, ".low", TSP_U8, 0, err)) < 0 ||
        (high = index_rows(l, rises, x, ".high", TSP_I16, 1, err)) < 0 ||
        !(s = fold_chains(l, x, 0, 1, fold->type, err)))
        return false;
    l->module->lavish = l->module->tensors[x].sided = true;
    s->last = last;
    if (last >= 0) {
        l->module->tensors[last].sided = true;
        l->module->tensors[last].wanted = 2;
    }
    s->joined_bytes = tsp_dtype_bytes(fold->type);
    key = stage_operand(s, x, 0, 1);
    stage_operand(s, low, 0, 1);
    stage_operand(s, high, 0, 1);
    s->operands[0].byte = INDEX_BITS / 8;
    s->operands[2].byte = 1;
    key = stage_step(s, fold->op, fold->type, fold->type, key, (From){FROM_SELF, 0}, 0);
    return fold_left(l, key, fold->type, left, err);
}

/* Less the number of the lane, or with it, the keys have indices of their own. */
static bool lower_lanes(Lowerer *l, const Fold *fold, bool rises, Rows *rows, TspError *err) {
    int32_t row = fold_row(l, fold, rows, err), lanes, to;
    Stage *s;
    if (row < 0 || (lanes = lane_numbers(l, err)) < 0 ||
        (to = fold_rows(l, ".keys", fold->type, 1, 1, err)) < 0 ||
        !(s = lower_new_stage(l, "lanes", 1, tsp_lanes(&l->module->machine), err)))
        return false;
    l->module->tensors[to].wanted = 2;
    lower_output(l, s,
                 stage_step(s, rises ? TSP_OP_ADD : TSP_OP_SUB, fold->type, fold->type,
                            stage_operand(s, row, 0, 1), stage_operand(s, lanes, 0, 0), 0),
                 to, 0);
    *rows = (Rows){.tensor = {to}, .count = 1};
    return true;
}

bool lower_arg_key(Lowerer *l, const TspNode *node, TspOpcode op, int32_t x, int32_t out,
                   TspError *err) {
    const Fold fold = fold_extreme(op, TSP_I32);
    const bool rises = index_rises(node, &fold);
    int64_t elements = tsp_value_elements(&l->graph->values[node->inputs[0]]);
    Rows rows;
    From result;
    Stage *s;
    if (!lower_keys(l, x, elements, &fold, rises, &rows, err) ||
        !lower_lanes(l, &fold, rises, &rows, err) ||
        !(s = fold_finish(l, &fold, &rows, &result, err)))
        return false;
    if (!rises) result = stage_step(s, TSP_OP_NOT, TSP_I32, TSP_I32, result, from_none(), 0);
    result = stage_step(s, TSP_OP_AND, TSP_I32, TSP_I32, result, from_imm(), last_index);
    if (node->select_last) /* lanes beyond the elements win if these are all as they are */
        result =
            stage_step(s, TSP_OP_MIN, TSP_I32, TSP_I32, result, from_imm(), (uint32_t)elements - 1);
    return fold_result(l, s, result, out, err);
}
