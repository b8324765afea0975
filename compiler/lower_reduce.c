/* lower_reduce.c - reductions over all elements of a flat value.
 *
 * Chains of rows, one after the other into an ALU, side by side in as many ALUs as there are, leave
 * a few rows of partial results; trees of ALUs combine rows to one; then lanes are folded: the
 * SXM moves the vector by 1, 2, .. times a part of its lanes, and a tree combines it with these
 * copies, until only lane 0 counts. All other lanes are made zero at the end.
 */
#include "lower.h"
#include "isa/half.h"

#include <stdlib.h>
#include <string.h>

/* How two partial results are combined, and what counts for nothing beside them. */
typedef struct {
    TspOpcode op;
    TspDtype type;
    uint32_t identity; /* bits of the type */
} Fold;

enum { MAX_ROWS = 512 };

/* Rows that are still to be combined. */
typedef struct {
    int32_t tensor[MAX_ROWS], row[MAX_ROWS];
    int32_t count;
} Rows;

static uint32_t least_bits(TspDtype type) {
    static const uint32_t bits[TSP_DTYPE_COUNT] = {
        [TSP_I8] = 0x80,    [TSP_I16] = 0x8000,     [TSP_I32] = 0x80000000,
        [TSP_F16] = 0xfc00, [TSP_F32] = 0xff800000, [TSP_U8] = 0};
    return bits[type];
}

static uint32_t greatest_bits(TspDtype type) {
    static const uint32_t bits[TSP_DTYPE_COUNT] = {
        [TSP_I8] = 0x7f,    [TSP_I16] = 0x7fff,     [TSP_I32] = 0x7fffffff,
        [TSP_F16] = 0x7c00, [TSP_F32] = 0x7f800000, [TSP_U8] = 0xff};
    return bits[type];
}

/* What, added to an element, leaves it as it is: -0 for floats, since -0 + 0 is not -0. */
static uint32_t neutral_bits(TspDtype type) {
    return type == TSP_F16 ? 0x8000 : type == TSP_F32 ? 0x80000000 : 0;
}

bool lower_is_dot(const Lowerer *l, const TspNode *node) {
    enum { SHORTEST = 64 }; /* vectors; fewer are sooner through the MXM */
    bool integer = node->op == TSP_GRAPH_MATMUL_INTEGER;
    if ((!integer && node->op != TSP_GRAPH_MATMUL) || node->input_count > 2) return false;
    for (int32_t i = 0; i < 2; i++) {
        const TspValue *v = &l->graph->values[node->inputs[i]];
        if (v->rank != 1 || (!v->data && !l->flat[node->inputs[i]]) ||
            v->shape[0] < (int64_t)SHORTEST * tsp_lanes(&l->module->machine))
            return false;
    }
    return true;
}

static Fold fold_of(const TspNode *node, TspDtype type) {
    switch (node->op) {
    case TSP_GRAPH_REDUCE_MAX:
        return (Fold){TSP_OP_MAX, type, least_bits(type)};
    case TSP_GRAPH_REDUCE_MIN:
        return (Fold){TSP_OP_MIN, type, greatest_bits(type)};
    case TSP_GRAPH_MATMUL_INTEGER:
        return (Fold){TSP_OP_ADD, TSP_I32, 0};
    default: /* halfs are summed in fp32 */
        return (Fold){TSP_OP_ADD, type == TSP_F16 ? TSP_F32 : type, 0};
    }
}

/* Rows that a tree of ALUs combines at once: ALUs, streams beside the VXM, and slices (two more are
 * there for a second copy of one row and for a mask) all allow. */
static int32_t tree_width(const TspMachine *m, TspDtype type) {
    int32_t bytes = tsp_dtype_bytes(type), width = MAX_OPERANDS - 1;
    width = tsp_min32(width, (int32_t)m->vxm_alus);
    width = tsp_min32(width, 2 * (int32_t)(m->streams / bytes));
    return tsp_min32(width, 2 * (int32_t)m->mem_slices / bytes - 2);
}

/* A tensor of rows of all lanes, in blocks of `run` that lie in different slices. */
static int32_t rows_tensor(Lowerer *l, const char *suffix, TspDtype type, int32_t rows, int32_t run,
                           TspError *err) {
    const TspNode *node = &l->graph->nodes[l->node];
    int64_t shape[2] = {rows, tsp_lanes(&l->module->machine)};
    int32_t i = lower_new_tensor(l, l->graph->values[node->output].name, suffix, type,
                                 TSP_ROLE_INTERNAL, 2, shape, false, err);
    if (i < 0) return -1;
    l->module->tensors[i].contiguous = l->module->tensors[i].apart = true;
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

/* The last row of x with the identity in the lanes beyond its elements; -1 without an error if they
 * are zero as they should be. */
static int32_t padded_row(Lowerer *l, int32_t x, int64_t elements, const Fold *fold,
                          TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine), rest = (int32_t)(elements % lanes), pad, to;
    TspDtype type = l->module->tensors[x].dtype;
    Stage *s;
    err->text[0] = 0;
    if (!rest || !fold->identity) return -1;
    pad = constant_row(l, ".pad", type, rest, neutral_bits(type), lanes, fold->identity, err);
    if (pad < 0 || (to = rows_tensor(l, ".last", type, 1, 1, err)) < 0) return -1;
    if (!(s = lower_new_stage(l, "pad", 1, lanes, err))) return -1;
    lower_output(l, s,
                 lower_step(s, TSP_OP_ADD, type, type,
                            lower_operand(s, x, l->module->tensors[x].rows - 1, 1),
                            lower_operand(s, pad, 0, 0), 0),
                 to, 0);
    return to;
}

/* The stage of chains over all rows of x; what is in front of its last steps, and they themselves,
 * are the caller's. `steps` ALUs a chain. */
static Stage *new_chains(Lowerer *l, int32_t x, int32_t steps, TspDtype type, TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t rows = l->module->tensors[x].rows, run = tsp_flat_run(m, rows), whole;
    int32_t most = tsp_min32(tree_width(m, type), (int32_t)m->vxm_alus / steps);
    Stage *s = lower_new_stage(l, "chains", rows, tsp_lanes(m), err);
    if (!s) return NULL;
    /* whole blocks if that is about as fast: then streams change direction in step; and never less
     * than a block, so that no two chains read one block at a time */
    s->chain_rows = tsp_ceil_div(rows, most);
    whole = run * tsp_ceil_div(tsp_ceil_div(rows, run), most);
    if (s->chain_rows < run || whole - s->chain_rows < s->chain_rows / 16) s->chain_rows = whole;
    return s;
}

/* The rows that the chains of the last stage leave of `result`. */
static bool lower_left(Lowerer *l, From result, TspDtype type, Rows *left, TspError *err) {
    int32_t turns = (int32_t)l->module->machine.vxm_op_cycles, to;
    const Stage *s = &l->module->stages[l->module->stage_count - 1];
    int32_t chains = tsp_ceil_div(s->rows, s->chain_rows);
    left->count = (chains - 1) * turns + tsp_min32(turns, s->rows - (chains - 1) * s->chain_rows);
    if ((to = rows_tensor(l, ".partial", type, left->count, turns, err)) < 0) return false;
    lower_output(l, &l->module->stages[l->module->stage_count - 1], result, to, 0);
    for (int32_t i = 0; i < left->count; i++) {
        left->tensor[i] = to;
        left->row[i] = i;
    }
    return true;
}

/* Chains over all rows of x, or of the products of x and y (-1: none); the rows that they leave. */
static bool lower_chains(Lowerer *l, int32_t x, int32_t y, int32_t last, const Fold *fold,
                         Rows *left, TspError *err) {
    TspDtype type = l->module->tensors[x].dtype;
    const int32_t tensor[2] = {x, y};
    int32_t operands = y < 0 ? 1 : 2, converts = type != fold->type;
    Stage *s = new_chains(l, x, operands * (1 + converts), fold->type, err);
    From row[2] = {from_none(), from_none()};
    if (!s) return false;
    s->last = last;
    for (int32_t i = 0; i < operands; i++) {
        row[i] = lower_operand(s, tensor[i], 0, 1);
        if (!converts) continue;
        type = l->module->tensors[tensor[i]].dtype;
        row[i] = lower_step(s, TSP_OP_CVT, type, fold->type, row[i], from_none(), 0);
    }
    if (operands == 2)
        row[0] = lower_step(s, TSP_OP_MUL, fold->type, fold->type, row[0], row[1], 0);
    row[0] = lower_step(s, fold->op, fold->type, fold->type, row[0], (From){FROM_SELF, 0}, 0);
    return lower_left(l, row[0], fold->type, left, err);
}

/* A stage that combines rows first, first + step, ..; their combination. */
static Stage *lower_tree(Lowerer *l, const Fold *fold, const Rows *rows, int32_t first,
                         int32_t step, int32_t cols, From *result, TspError *err) {
    Stage *s = lower_new_stage(l, "tree", 1, cols, err);
    From from[MAX_OPERANDS];
    int32_t count = 0;
    if (!s) return NULL;
    for (int32_t i = first; i < rows->count; i += step)
        from[count++] = lower_operand(s, rows->tensor[i], rows->row[i], 1);
    for (; count > 1; count = (count + 1) / 2) {
        for (int32_t i = 0; i < count / 2; i++)
            from[i] =
                lower_step(s, fold->op, fold->type, fold->type, from[2 * i], from[2 * i + 1], 0);
        if (count % 2) from[count / 2] = from[count - 1];
    }
    *result = from[0];
    return s;
}

/* Trees until at most `most` rows are left; rows in groups of `together` are never read at once. */
static bool lower_trees(Lowerer *l, const Fold *fold, Rows *rows, int32_t together, int32_t most,
                        TspError *err) {
    int32_t width = tree_width(&l->module->machine, fold->type);
    while (rows->count > most || (together > 1 && rows->count > 1)) {
        int32_t groups = tsp_ceil_div(rows->count, width), to;
        Rows left = {.count = groups > together ? groups : together};
        if (left.count > rows->count) left.count = rows->count;
        if ((to = rows_tensor(l, ".sums", fold->type, left.count, 1, err)) < 0) return false;
        for (int32_t i = 0; i < left.count; i++) {
            From result;
            Stage *s = lower_tree(l, fold, rows, i, left.count, tsp_lanes(&l->module->machine),
                                  &result, err);
            if (!s) return false;
            if (result.kind == FROM_OPERAND)
                result = lower_step(s, TSP_OP_PASS, fold->type, fold->type, result, from_none(), 0);
            lower_output(l, s, result, to, i);
            left.tensor[i] = to;
            left.row[i] = i;
        }
        *rows = left;
        together = 1;
    }
    return true;
}

/* Combines the rows to one, and adds to them the same moved south by `part` of its `lanes` lanes,
 * twice that, and so on. */
static bool lower_shifts(Lowerer *l, const Fold *fold, Rows *rows, int32_t lanes, int32_t part,
                         TspError *err) {
    int32_t all = tsp_lanes(&l->module->machine), whole, moved;
    From result;
    Stage *s = lower_tree(l, fold, rows, 0, 1, all, &result, err);
    if (!s || (whole = rows_tensor(l, ".row", fold->type, 1, 1, err)) < 0) return false;
    s = &l->module->stages[l->module->stage_count - 1];
    l->module->tensors[whole].wanted = 2;
    if (result.kind == FROM_OPERAND)
        result = lower_step(s, TSP_OP_PASS, fold->type, fold->type, result, from_none(), 0);
    lower_output(l, s, result, whole, 0);
    *rows = (Rows){.tensor = {whole}, .count = lanes / part};
    if ((moved = rows_tensor(l, ".moved", fold->type, rows->count - 1, 1, err)) < 0) return false;
    l->module->tensors[moved].level = 1; /* `whole` is read in the west: begin in the east */
    if (!(s = lower_new_stage(l, "shift", rows->count - 1, lanes, err))) return false;
    s->shift = part;
    lower_operand(s, whole, 0, 0);
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
    int32_t copies = tree_width(m, type);
    if (lanes <= tsp_min32(2 * copies, 2 * (int32_t)m->mem_slices / tsp_dtype_bytes(type) - 1))
        return 1;
    while (lanes % copies) copies--;
    return lanes / copies;
}

/* From `rows` to a row of which lane 0 counts; *result of the stage that ends it. */
static Stage *lower_fold(Lowerer *l, const Fold *fold, Rows *rows, From *result, TspError *err) {
    const TspMachine *m = &l->module->machine;
    enum { LAST_STEPS = 3 }; /* after the last tree: scale, convert, mask */
    int32_t width = tree_width(m, fold->type), lanes = tsp_lanes(m);
    int32_t most = width - LAST_STEPS > 2 ? width - LAST_STEPS : 2;
    int32_t together = (int32_t)m->vxm_op_cycles;
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
    return lower_tree(l, fold, rows, 0, 1, 1, result, err);
}

static bool check_machine(const Lowerer *l, const TspNode *node, const Fold *fold, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const char *lacks = m->sxm_shifters < 2     ? "has no southward shifter"
                        : m->vxm_neighbour_only ? "has ALUs that cannot take their own results"
                        : tree_width(m, fold->type) < 2 ? "has too few slices, streams or ALUs"
                        : m->vxm_alus < 2 + 3           ? "has too few ALUs"
                                                        : NULL;
    if (!lacks) return true;
    return tsp_fail(err, TSP_ERR_NOT_MODELLED, "%s: reductions need more than '%s', which %s",
                    node->name, m->name, lacks);
}

/* The tensor of a reduction's operand, a row for every vector of it. */
static int32_t operand_rows(Lowerer *l, const TspNode *node, int32_t value, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t x;
    if (l->flat[value] || (v->data && tsp_value_elements(v) > 1))
        return lower_flat_tensor(l, value, err);
    if (tsp_value_elements(v) > 1)
        return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                        "%s: reducing '%s' is not modelled, because a product or a broadcast makes "
                        "or takes it too; only element-wise nodes may",
                        node->name, v->name),
               -1;
    if ((x = lower_oriented(l, value, ROWWISE, err)) >= 0) l->module->tensors[x].contiguous = true;
    return x;
}

/* Masks lane 0 of `result`, and writes it to `out`. */
static bool lower_result(Lowerer *l, Stage *s, From result, int32_t out, TspError *err) {
    int32_t at = (int32_t)(s - l->module->stages), mask;
    TspDtype type = l->module->tensors[out].dtype;
    uint32_t one = type == TSP_F16 ? 0x3c00 : type == TSP_F32 ? tsp_f32_bits(1) : 1;
    if ((mask = constant_row(l, ".mask", type, 1, one, 1, 0, err)) < 0) return false;
    s = &l->module->stages[at];
    result = lower_step(s, TSP_OP_MASK, type, type, result, lower_operand(s, mask, 0, 0), 0);
    lower_output(l, s, result, out, 0);
    return true;
}

/* x to one row of which lane 0 counts: *result of the stage that ends it. */
static Stage *reduce_rows(Lowerer *l, int32_t x, int32_t y, int64_t elements, const Fold *fold,
                          From *result, TspError *err) {
    Rows rows;
    int32_t last = padded_row(l, x, elements, fold, err);
    if (last < 0 && err->text[0]) return NULL;
    if (!lower_chains(l, x, y, last, fold, &rows, err)) return NULL;
    return lower_fold(l, fold, &rows, result, err);
}

bool lower_reduce(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *v = &l->graph->values[node->inputs[0]];
    int64_t elements = tsp_value_elements(v);
    TspDtype type = l->graph->values[node->output].dtype;
    Fold fold = fold_of(node, v->dtype);
    int32_t x, y = -1, out;
    From result;
    Stage *s;
    if (!check_machine(l, node, &fold, err) ||
        (x = operand_rows(l, node, node->inputs[0], err)) < 0 ||
        (node->input_count > 1 && (y = operand_rows(l, node, node->inputs[1], err)) < 0) ||
        (out = lower_oriented(l, node->output, ROWWISE, err)) < 0 ||
        !(s = reduce_rows(l, x, y, elements, &fold, &result, err)))
        return false;
    if (node->op == TSP_GRAPH_REDUCE_MEAN)
        result = lower_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, result, from_imm(),
                            tsp_f32_bits((float)(1.0 / (double)elements)));
    if (fold.type != type)
        result = lower_step(s, TSP_OP_CVT, fold.type, type, result, from_none(), 0);
    return lower_result(l, s, result, out, err);
}

/* ---- ArgMax: the greatest, then how many rows of each chain and lane come before it ---- */

/* The greatest element in all lanes, a copy for each chain that compares with it. */
static int32_t greatest_row(Lowerer *l, int32_t x, int64_t elements, int32_t chains,
                            TspError *err) {
    TspDtype type = l->module->tensors[x].dtype;
    Fold fold = {TSP_OP_MAX, type, least_bits(type)};
    int64_t shape[1] = {1};
    int32_t one, all;
    From result;
    Stage *s = reduce_rows(l, x, -1, elements, &fold, &result, err);
    int32_t at = s ? (int32_t)(s - l->module->stages) : 0;
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    if (!s ||
        (one = lower_new_tensor(l, name, ".greatest", type, TSP_ROLE_INTERNAL, 1, shape, false,
                                err)) < 0 ||
        !lower_result(l, &l->module->stages[at], result, one, err) ||
        (all = rows_tensor(l, ".wide", type, 1, 1, err)) < 0)
        return -1;
    l->module->tensors[all].wanted = chains;
    return lower_broadcast(l, one, all, tsp_lanes(&l->module->machine), err) ? all : -1;
}

/* What a chain's counter counts in: the type's own 1 as the bits say, taken as int32 or float32. */
static TspDtype counter_type(TspDtype type) {
    return type == TSP_F32 ? TSP_F32 : TSP_I32;
}

/* Counts, for each lane, the rows before the first that is not less than the greatest. */
static bool lower_counters(Lowerer *l, int32_t x, int32_t greatest, Stage *s, Rows *left,
                           TspError *err) {
    TspDtype type = l->module->tensors[x].dtype, count = counter_type(type);
    const From self = {FROM_SELF, 0};
    From less = lower_step(s, TSP_OP_LT, type, type, lower_operand(s, x, 0, 1),
                           lower_operand(s, greatest, 0, 0), 0);
    From none_yet = lower_step(s, TSP_OP_MIN, type, type, less, self, 0);
    return lower_left(l, lower_step(s, TSP_OP_ADD, count, count, none_yet, self, 0), count, left,
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

/* The index, less 2^31, of lane 0 of what each partial result counts from. */
static int32_t first_indices(Lowerer *l, const Rows *rows, const Stage *chains, TspError *err) {
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
            uint32_t index = (uint32_t)(from * lanes + lane) + 0x80000000u;
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
    counter = lower_operand(s, rows->tensor[row], rows->row[row], 1);
    found = lower_step(s, TSP_OP_LT, count, count, counter, from_imm(), end);
    index = counter;
    if (type == TSP_F32) index = lower_step(s, TSP_OP_CVT, TSP_F32, TSP_I32, index, none, 0);
    if (type == TSP_F16) {
        index = lower_step(s, TSP_OP_SHR, TSP_I32, TSP_I32, index, from_imm(), 10);
        rows_apart *= 0xeeeeeeefu; /* 1 / 15 modulo 2^32 */
    }
    if (index.kind == FROM_STEP) found = lower_step(s, TSP_OP_PASS, count, count, found, none, 0);
    index = lower_step(s, TSP_OP_MUL, TSP_I32, TSP_I32, index, from_imm(), rows_apart);
    index = lower_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, index, lower_operand(s, first, row, 1), 0);
    found = lower_step(s, TSP_OP_PASS, count, count, found, none, 0);
    index = lower_step(s, TSP_OP_MASK, TSP_I32, TSP_I32, index, found, 0);
    lower_output(l, s, index, to, row);
    return true;
}

/* All partial results as indices. */
static bool lower_indices(Lowerer *l, const Stage *chains, TspDtype type, Rows *rows,
                          TspError *err) {
    int32_t turns = (int32_t)l->module->machine.vxm_op_cycles;
    int32_t first = first_indices(l, rows, chains, err);
    int32_t to = first < 0 ? -1 : rows_tensor(l, ".indices", TSP_I32, rows->count, turns, err);
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

bool lower_arg_max(Lowerer *l, const TspNode *node, TspError *err) {
    enum { STEPS = 3 };
    const TspValue *v = &l->graph->values[node->inputs[0]];
    const Fold fold = {TSP_OP_MIN, TSP_I32, 0};
    int32_t x, greatest, chains, out;
    Stage *s, stage;
    Rows rows;
    From result;
    if (!check_machine(l, node, &fold, err) ||
        (x = operand_rows(l, node, node->inputs[0], err)) < 0 ||
        (out = lower_oriented(l, node->output, ROWWISE, err)) < 0)
        return false;
    if (!(s = new_chains(l, x, STEPS, TSP_I32, err))) return false;
    stage = *s;
    l->module->stage_count--; /* it comes after those that find the greatest */
    chains = tsp_ceil_div(stage.rows, stage.chain_rows);
    greatest = greatest_row(l, x, tsp_value_elements(v), chains, err);
    if (greatest < 0 || !(s = lower_new_stage(l, stage.what, stage.rows, stage.cols, err)))
        return false;
    s->chain_rows = stage.chain_rows;
    if (!lower_counters(l, x, greatest, s, &rows, err) ||
        !lower_indices(l, &stage, v->dtype, &rows, err) ||
        !(s = lower_fold(l, &fold, &rows, &result, err)))
        return false;
    result = lower_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, result, from_imm(), 0x80000000u);
    return lower_result(l, s, result, out, err);
}
