/* lower_scan.c - CumSum: running sums of long vectors.
 *
 * The vector lies lanewise: lane 0 holds the first run of elements, one a row, lane 1 the next. So
 * a running sum of rows is one of each lane's run, and an ALU makes it a row at a time with its own
 * result; only where lanes meet must anything cross them, once. Chains side by side take parts of
 * the rows: first each sums up its part; the sums are summed on the way, part after part; the
 * totals of lanes are moved north and added, so that each lane has what all lanes south of it hold;
 * then each chain goes through its part again, and begins with what comes before it.
 */
#include "lower_fold.h"

int32_t lower_scan_rows(const TspMachine *m, int32_t rows) {
    return tsp_ceil_div(tsp_flat_run(m, rows), m->vxm_op_cycles);
}

/* A tensor of rows of all lanes, in blocks of `run` (0: in one) wherever there is room. */
static int32_t scan_tensor(Lowerer *l, const char *suffix, TspDtype type, int32_t rows, int32_t run,
                           TspError *err) {
    int32_t i = fold_rows(l, suffix, type, rows, run, err);
    if (i >= 0) l->module->tensors[i].apart = l->module->tensors[i].near = false;
    return i;
}

/* Running sums of the rows of x, in chains of `chain` rows that begin with a row of `start` (-1:
 * with nothing); to `to` go all of them or, with `ends`, the last of each chain, and to `wide` (-1:
 * nowhere) the rows as `type`. */
static bool lower_scan(Lowerer *l, const char *what, TspDtype type, int32_t x, int32_t start,
                       int32_t chain, bool ends, int32_t to, int32_t wide, TspError *err) {
    const Tensor *from = &l->module->tensors[x], *into = &l->module->tensors[to];
    Stage *s = lower_new_stage(l, what, from->rows, tsp_lanes(&l->module->machine), err);
    From row, widened;
    if (!s) return false;
    s->scan_rows = chain;
    s->scan_ends = ends;
    row = stage_operand(s, x, 0, 1);
    if (start >= 0) stage_operand(s, start, 0, 0);
    if (from->dtype != type)
        row = stage_step(s, TSP_OP_CVT, from->dtype, type, row, from_none(), 0);
    widened = row;
    row = stage_step(s, TSP_OP_ADD, type, type, row, (From){FROM_SELF, 0}, 0);
    if (into->dtype != type)
        row = stage_step(s, TSP_OP_CVT, type, into->dtype, row, from_none(), 0);
    lower_output(l, s, row, to, 0);
    if (wide >= 0) lower_output(l, s, widened, wide, 0);
    return true;
}

/* The rows of x as float32, kept so that they are converted once; -1 without an error if they need
 * not be, or memory is short. */
static int32_t wide_rows(Lowerer *l, int32_t x, TspDtype type, TspError *err) {
    const Tensor like = l->module->tensors[x];
    int32_t i;
    err->text[0] = 0;
    if (like.dtype == type || l->module->sparing) return -1;
    if ((i = scan_tensor(l, ".wide", type, like.rows, like.run, err)) < 0) return -1;
    l->module->tensors[i].flat = l->module->lavish = true;
    l->module->tensors[i].level = like.level + 1;
    return i;
}

/* A block of sums, what the chains of a block of x leave, lies where these go on to, as do rows
 * that they keep. `trees`: all blocks are read at once. */
static void lay_sums(Tensor *sums, const Tensor *x, bool trees) {
    sums->flat = true;
    sums->level = x->level + 1;
    sums->apart = trees;
}

/* Terms of a sum of moved rows: as few as reach all lanes in as few rounds as the most would. */
static int32_t move_radix(const TspMachine *m, TspDtype type) {
    int32_t most = fold_tree_width(m, type), rounds = 0, radix = 1, reach;
    for (reach = 1; reach < tsp_lanes(m); reach *= most) rounds++;
    do {
        radix++;
        reach = 1;
        for (int32_t i = 0; i < rounds; i++) reach *= radix;
    } while (reach < tsp_lanes(m));
    return radix;
}

/* Row `row` of `from`, moved north by 1, 2, .. `count` times `part` lanes, and with `itself` also
 * as it is, added up. */
static int32_t lower_moved(Lowerer *l, const Fold *fold, int32_t from, int32_t row, int32_t part,
                           int32_t count, bool itself, TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine), moved, to;
    Rows rows = {.count = count};
    From result;
    Stage *s;
    if ((moved = fold_rows(l, ".moved", fold->type, count, 1, err)) < 0) return -1;
    l->module->tensors[moved].near = false;
    l->module->tensors[moved].level = 1; /* what is moved is read in the west: begin in the east */
    if (!(s = lower_new_stage(l, "shift", count, lanes, err))) return -1;
    s->shift = -part;
    stage_operand(s, from, row, 0);
    lower_output(l, s, from_none(), moved, 0);
    for (int32_t i = 0; i < count; i++) {
        rows.tensor[i] = moved;
        rows.row[i] = i;
    }
    if (itself) {
        rows.tensor[rows.count] = from;
        rows.row[rows.count++] = row;
    }
    if (!(s = fold_tree(l, fold, &rows, 0, 1, lanes, &result, err))) return -1;
    if (result.kind == FROM_OPERAND)
        result = stage_step(s, TSP_OP_PASS, fold->type, fold->type, result, from_none(), 0);
    if ((to = fold_rows(l, ".south", fold->type, 1, 1, err)) < 0) return -1;
    l->module->tensors[to].wanted = 2;
    lower_output(l, &l->module->stages[l->module->stage_count - 1], result, to, 0);
    return to;
}

/* The tensor, and its row, that has the sum of all chains. Trees make it sooner than that of one
 * after the other, if slices and ALUs allow to read all at once; not beside rows that are kept. */
static int32_t lower_total(Lowerer *l, const Fold *fold, int32_t sums, int32_t before,
                           int32_t chains, bool trees, int32_t *row, TspError *err) {
    Rows rows = {.count = chains};
    *row = trees ? 0 : chains - 1;
    for (int32_t i = 0; i < chains; i++) {
        rows.tensor[i] = sums;
        rows.row[i] = i;
    }
    return trees ? fold_row(l, fold, &rows, err) : before;
}

/* For each lane the sum of row `row` of `totals` over all lanes south of it. */
static int32_t lower_south(Lowerer *l, const Fold *fold, int32_t totals, int32_t row,
                           TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t lanes = tsp_lanes(m), radix = move_radix(m, fold->type);
    int32_t most = tsp_min32(radix, lanes > 1 ? lanes - 1 : 1), reach = most;
    int32_t south = lower_moved(l, fold, totals, row, 1, most, false, err);
    for (; south >= 0 && reach < lanes - 1; reach *= radix) {
        int32_t count = tsp_min32(radix, tsp_ceil_div(lanes - 1, reach)) - 1;
        south = lower_moved(l, fold, south, 0, reach, count, true, err);
    }
    return south;
}

/* What each chain begins with: what lanes south hold, and the chains before it in its lanes. */
static int32_t lower_begins(Lowerer *l, const Fold *fold, int32_t chains, int32_t before,
                            int32_t south, TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine);
    int32_t to = scan_tensor(l, ".begin", fold->type, chains, 0, err);
    Stage *s = to < 0 ? NULL : lower_new_stage(l, "begin", 1, lanes, err);
    if (!s) return -1;
    if (!l->module->sparing) {
        l->module->tensors[to].wanted = 2; /* one in the hemisphere of each chain's rows */
        l->module->lavish = true;
    }
    lower_output(l, s,
                 stage_step(s, TSP_OP_PASS, fold->type, fold->type, stage_operand(s, south, 0, 0),
                            from_none(), 0),
                 to, 0);
    if (chains == 1) return to;
    if (!(s = lower_new_stage(l, "begin", chains - 1, lanes, err))) return -1;
    lower_output(l, s,
                 stage_step(s, fold->op, fold->type, fold->type, stage_operand(s, before, 0, 1),
                            stage_operand(s, south, 0, 0), 0),
                 to, 1);
    return to;
}

/* z is x, the only element. */
static bool lower_one(Lowerer *l, const TspNode *node, TspError *err) {
    TspDtype type = l->graph->values[node->output].dtype;
    int32_t x = lower_oriented(l, node->inputs[0], ROWWISE, err);
    int32_t out = x < 0 ? -1 : lower_oriented(l, node->output, ROWWISE, err);
    Stage *s = out < 0 ? NULL : lower_new_stage(l, "copy", 1, 1, err);
    if (!s) return false;
    l->module->tensors[x].contiguous = true;
    lower_output(l, s,
                 stage_step(s, TSP_OP_PASS, type, type, stage_operand(s, x, 0, 1), from_none(), 0),
                 out, 0);
    return true;
}

static bool check_flat(const Lowerer *l, const TspNode *node, TspError *err) {
    const int32_t values[2] = {node->inputs[0], node->output};
    for (int i = 0; i < 2; i++) {
        const TspValue *v = &l->graph->values[values[i]];
        if (v->data || l->flat[values[i]]) continue;
        return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                        "%s:%d: %s: CumSum beside '%s' is not modelled, because a product or a "
                        "broadcast makes or takes it too; only element-wise nodes may",
                        l->graph->path, (int)node->line, node->name, v->name);
    }
    return true;
}

bool lower_cum_sum(Lowerer *l, const TspNode *node, TspError *err) {
    const TspMachine *m = &l->module->machine;
    TspDtype type = l->graph->values[node->output].dtype;
    Fold fold = {TSP_OP_ADD, type == TSP_F16 ? TSP_F32 : type, 0, false};
    int32_t x, wide, z, rows, chain, chains, sums, before, total, row, south, begin;
    bool trees;
    if (tsp_value_elements(&l->graph->values[node->output]) == 1) return lower_one(l, node, err);
    if (!fold_check(l, node, &fold, err) || !check_flat(l, node, err) ||
        (x = lower_flat_tensor(l, node->inputs[0], LANEWISE, err)) < 0 ||
        (z = lower_flat_tensor(l, node->output, LANEWISE, err)) < 0)
        return false;
    if ((wide = wide_rows(l, x, fold.type, err)) < 0 && err->text[0]) return false;
    l->module->tensors[z].level = l->module->tensors[wide < 0 ? x : wide].level + 1;
    rows = l->module->tensors[x].rows;
    chain = lower_scan_rows(m, rows);
    chains = tsp_ceil_div(rows, chain);
    sums = scan_tensor(l, ".sums", fold.type, chains, (int32_t)m->vxm_op_cycles, err);
    if (sums < 0) return false;
    trees = wide < 0 && !l->module->sparing &&
            tsp_ceil_div(chains, m->vxm_op_cycles) <= fold_tree_width(m, fold.type);
    if (trees || wide >= 0) lay_sums(&l->module->tensors[sums], &l->module->tensors[x], trees);
    if (!lower_scan(l, "sums", fold.type, x, -1, chain, true, sums, wide, err)) return false;
    before = scan_tensor(l, ".before", fold.type, chains, 0, err);
    return before >= 0 &&
           lower_scan(l, "before", fold.type, sums, -1, chains, false, before, -1, err) &&
           (total = lower_total(l, &fold, sums, before, chains, trees, &row, err)) >= 0 &&
           (south = lower_south(l, &fold, total, row, err)) >= 0 &&
           (begin = lower_begins(l, &fold, chains, before, south, err)) >= 0 &&
           lower_scan(l, "scan", fold.type, wide < 0 ? x : wide, begin, chain, false, z, -1, err);
}
