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

/* One copy in the hemisphere of each chain's rows, for what chains begin with. */
static void want_beside(Lowerer *l, int32_t tensor) {
    if (l->module->sparing) return;
    l->module->tensors[tensor].wanted = 2;
    l->module->lavish = true;
}

/* Running sums of the rows of a tensor, in chains of `chain` rows; tensors that are -1 are none. */
typedef struct {
    int32_t x, chain;
    int32_t begin;         /* what chains begin with, a row for each; or */
    int32_t before, south; /* the sums up to each chain, for the next, and a row for all */
    int32_t to;            /* all sums or, with `ends`, the last of each chain */
    bool ends;
    int32_t wide; /* the rows as sums are */
} Scan;

static bool lower_scan(Lowerer *l, const char *what, TspDtype type, const Scan *scan,
                       TspError *err) {
    const Tensor *from = &l->module->tensors[scan->x], *into = &l->module->tensors[scan->to];
    Stage *s = lower_new_stage(l, what, from->rows, tsp_lanes(&l->module->machine), err);
    From row, widened;
    if (!s) return false;
    s->scan_rows = scan->chain;
    s->scan_ends = scan->ends;
    s->scan_begins = scan->begin >= 0;
    row = stage_operand(s, scan->x, 0, 1);
    if (scan->before >= 0) stage_operand(s, scan->before, 0, 0);
    if (scan->south >= 0) stage_operand(s, scan->south, 0, 0);
    if (scan->begin >= 0) stage_operand(s, scan->begin, 0, 0);
    if (from->dtype != type)
        row = stage_step(s, TSP_OP_CVT, from->dtype, type, row, from_none(), 0);
    widened = row;
    row = stage_step(s, TSP_OP_ADD, type, type, row, (From){FROM_SELF, 0}, 0);
    if (into->dtype != type)
        row = stage_step(s, TSP_OP_CVT, type, into->dtype, row, from_none(), 0);
    lower_output(l, s, row, scan->to, 0);
    if (scan->wide >= 0) lower_output(l, s, widened, scan->wide, 0);
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

/* Rows of a block of what so many chains leave, for a tree to read a row of each block at once: so
 * the sum of all is there sooner than a chain makes it. Slices that get rows of `wide` (-1: there
 * are none) cannot get sums beside them, so that fewer and longer blocks are left, all of one
 * length. -1: there are too few slices or ALUs, or no such length. */
static int32_t sums_run(const Lowerer *l, const Fold *fold, int32_t chains, int32_t wide) {
    const TspMachine *m = &l->module->machine;
    int32_t width = fold_tree_width(m, fold->type), run = (int32_t)m->vxm_op_cycles;
    if (l->module->sparing) return -1;
    if (wide >= 0) {
        const Tensor *kept = &l->module->tensors[wide];
        width = tsp_min32(width, 2 * (int32_t)m->mem_slices / kept->bytes -
                                     tsp_ceil_div(kept->rows, kept->run));
        if (width < 2) return -1;
        run = (int32_t)tsp_max64(run, tsp_ceil_div(chains, width));
        while (run < chains && chains % run) run++;
        if (run >= chains) return -1;
    }
    return tsp_ceil_div(chains, run) <= width ? run : -1;
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

/* A row with a copy in each hemisphere, for what lanes south hold. */
static int32_t south_row(Lowerer *l, const Fold *fold, TspError *err) {
    int32_t to = fold_rows(l, ".south", fold->type, 1, 1, err);
    if (to >= 0) l->module->tensors[to].wanted = 2;
    return to;
}

/* Row `row` of `from`, moved north by 1, 2, .. `count` times `part` lanes, and with `itself` also
 * as it is, added up in `to` (-1: a new tensor), which is returned. */
static int32_t lower_moved(Lowerer *l, const Fold *fold, int32_t from, int32_t row, int32_t part,
                           int32_t count, bool itself, int32_t to, TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine), moved;
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
    if (to < 0 && (to = south_row(l, fold, err)) < 0) return -1;
    lower_output(l, &l->module->stages[l->module->stage_count - 1], result, to, 0);
    return to;
}

/* A tensor of one row, the sum of all that chains left, by trees. */
static int32_t lower_total(Lowerer *l, const Fold *fold, int32_t sums, TspError *err) {
    const Tensor *t = &l->module->tensors[sums];
    Rows rows = {.count = t->rows};
    for (int32_t i = 0; i < t->rows; i++) {
        rows.tensor[i] = sums;
        rows.row[i] = i;
    }
    return fold_turns(l, fold, &rows, t->run, err) ? fold_row(l, fold, &rows, err) : -1;
}

/* For each lane the sum of row `row` of `total` over all lanes south of it, in `south` (-1: a new
 * tensor), which is returned. */
static int32_t lower_south(Lowerer *l, const Fold *fold, int32_t total, int32_t row, int32_t south,
                           TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t lanes = tsp_lanes(m), radix = move_radix(m, fold->type), from = total, part = 1;
    int32_t count = tsp_min32(radix, lanes > 1 ? lanes - 1 : 1); /* first without the row itself */
    for (int32_t reach = radix; reach < lanes - 1; part = reach, reach *= radix) {
        if ((from = lower_moved(l, fold, from, row, part, count, part > 1, -1, err)) < 0) return -1;
        row = 0;
        count = tsp_min32(radix, tsp_ceil_div(lanes - 1, reach)) - 1;
    }
    return lower_moved(l, fold, from, row, part, count, part > 1, south, err);
}

/* A row for each chain, what it begins with: what lanes south hold, and the chains before it in its
 * lanes. */
static int32_t lower_begins(Lowerer *l, const Fold *fold, int32_t before, int32_t south,
                            TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine), chains = l->module->tensors[before].rows;
    int32_t to = scan_tensor(l, ".begin", fold->type, chains, 0, err);
    Stage *s = to < 0 ? NULL : lower_new_stage(l, "begin", 1, lanes, err);
    if (!s) return -1;
    want_beside(l, to);
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

/* A running sum of x, kept as `wide` or not (-1), on its way to z. */
typedef struct {
    Fold fold;
    int32_t x, wide, z, chain, chains;
    bool roomy;                  /* there are slices beside those of long rows */
    int32_t sums, before, south; /* of each chain, up to each chain, of the lanes south */
    bool trees;
} Sum;

/* A tensor for the sum of each chain. */
static bool sums_tensor(Lowerer *l, Sum *sum, TspError *err) {
    const int32_t run =
        sum->roomy || sum->wide < 0 ? sums_run(l, &sum->fold, sum->chains, sum->wide) : -1;
    sum->trees = run > 0;
    sum->sums = scan_tensor(l, ".sums", sum->fold.type, sum->chains,
                            run > 0 ? run : (int32_t)l->module->machine.vxm_op_cycles, err);
    if (sum->sums < 0) return false;
    if (sum->trees || sum->wide >= 0)
        lay_sums(&l->module->tensors[sum->sums], &l->module->tensors[sum->x], sum->trees);
    return true;
}

/* All but what sums pass through. What is read or written beside long rows comes before z: there
 * are few slices that these leave. */
static bool lower_ends(Lowerer *l, const TspNode *node, Sum *sum, TspError *err) {
    const bool first = sum->roomy && sum->wide >= 0;
    Tensor *tensors;
    sum->before = sum->south = -1;
    if (first && !sums_tensor(l, sum, err)) return false;
    if (sum->roomy) {
        sum->before = scan_tensor(l, ".before", sum->fold.type, sum->chains, 0, err);
        if (sum->before < 0 || (sum->south = south_row(l, &sum->fold, err)) < 0) return false;
        want_beside(l, sum->before);
    }
    if ((sum->z = lower_flat_tensor(l, node->output, LANEWISE, err)) < 0) return false;
    tensors = l->module->tensors;
    tensors[sum->z].level = tensors[sum->wide < 0 ? sum->x : sum->wide].level + 1;
    return first || sums_tensor(l, sum, err);
}

/* What comes before each chain, in its lanes and in those south of them. */
static bool lower_before(Lowerer *l, Sum *sum, TspError *err) {
    Scan scan = {sum->sums, sum->chains, -1, -1, -1, -1, false, -1};
    int32_t total = -1;
    if (sum->trees && (total = lower_total(l, &sum->fold, sum->sums, err)) < 0) return false;
    if (sum->before < 0)
        sum->before = scan_tensor(l, ".before", sum->fold.type, sum->chains, 0, err);
    scan.to = sum->before;
    if (scan.to < 0 || !lower_scan(l, "before", sum->fold.type, &scan, err)) return false;
    sum->south = lower_south(l, &sum->fold, sum->trees ? total : sum->before,
                             sum->trees ? 0 : sum->chains - 1, sum->south, err);
    return sum->south >= 0;
}

/* The second passage, in which each chain begins with that. */
static bool lower_again(Lowerer *l, const Sum *sum, TspError *err) {
    Scan scan = {sum->wide < 0 ? sum->x : sum->wide, sum->chain, -1, -1, -1, sum->z, false, -1};
    if (!sum->roomy) {
        scan.begin = lower_begins(l, &sum->fold, sum->before, sum->south, err);
        return scan.begin >= 0 && lower_scan(l, "scan", sum->fold.type, &scan, err);
    }
    if (sum->chains > 1) scan.before = sum->before;
    scan.south = sum->south;
    return lower_scan(l, "scan", sum->fold.type, &scan, err);
}

bool lower_cum_sum(Lowerer *l, const TspNode *node, TspError *err) {
    const TspMachine *m = &l->module->machine;
    TspDtype type = l->graph->values[node->output].dtype;
    Sum sum = {.fold = {TSP_OP_ADD, type == TSP_F16 ? TSP_F32 : type, 0, false}};
    const Tensor *x;
    if (tsp_value_elements(&l->graph->values[node->output]) == 1) return lower_one(l, node, err);
    if (!fold_check(l, node, &sum.fold, err) || !check_flat(l, node, err) ||
        (sum.x = lower_flat_tensor(l, node->inputs[0], LANEWISE, err)) < 0)
        return false;
    if ((sum.wide = wide_rows(l, sum.x, sum.fold.type, err)) < 0 && err->text[0]) return false;
    x = &l->module->tensors[sum.x];
    sum.chain = lower_scan_rows(m, x->rows);
    sum.chains = tsp_ceil_div(x->rows, sum.chain);
    sum.roomy = !l->module->sparing && x->run <= m->mem_rows;
    if (!lower_ends(l, node, &sum, err)) return false;
    const Scan scan = {sum.x, sum.chain, -1, -1, -1, sum.sums, true, sum.wide};
    return lower_scan(l, "sums", sum.fold.type, &scan, err) && lower_before(l, &sum, err) &&
           lower_again(l, &sum, err);
}
