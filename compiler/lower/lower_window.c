/* lower_window.c - products of windows: matrices that are some lanes of a column tile of others, as
 * the heads of attention are.
 *
 * If the windows of both operands have the same lanes, the product of the whole column tiles is
 * right as soon as one of them is zero outside its window. So what sits in the planes is copied,
 * masked; what streams is read where it lies if it is of integers. Elements of floats beyond the
 * window may be infinite: both are masked.
 *
 * Integers that stream pass all heads of a column tile at once: where the result is packed, the
 * masked matrices of these stand side by side in the planes.
 */
#include "lower_heads.h"
#include "lower_view.h"
#include "compiler/number.h"

#include <stdlib.h>
#include <string.h>

/* Rows row0.. of a column tile, lanes `lane`.. of it. */
typedef struct {
    int32_t row0, ctile, lane;
} Window;

typedef struct {
    int32_t viewed;      /* value */
    int32_t rows, depth; /* of a matrix */
    bool masked;
    Window *windows; /* [batch] */
} Side;

typedef struct {
    int32_t batches, batch_rank;
    int64_t batch_shape[TSP_MAX_RANK];
    Side side[2];    /* what streams, what sits in the planes */
    int orientation; /* of the result: TRANSPOSED if the second operand streams */
} Heads;

/* The window of one matrix; false if it is none: lanes must be neighbours in one tile, and rows
 * follow each other. */
static bool find_window(const Lowerer *l, int32_t value, int32_t lane, int32_t along,
                        const Heads *h, int32_t batch, Window *w) {
    const TspValue *v = &l->graph->values[value];
    const View *view = &l->views[value];
    const TspValue *of = &l->graph->values[view->value];
    int64_t cols = of->rank ? of->shape[of->rank - 1] : 1, at = view->offset, col;
    int32_t lanes = tsp_lanes(&l->module->machine), rest = batch;
    for (int32_t d = h->batch_rank - 1; d >= 0; d--) {
        int32_t mine = d - (h->batch_rank - (v->rank - 2));
        if (mine >= 0 && v->shape[mine] > 1) at += rest % h->batch_shape[d] * view->stride[mine];
        rest /= (int32_t)h->batch_shape[d];
    }
    col = at % cols;
    *w = (Window){(int32_t)(at / cols), (int32_t)(col / lanes), (int32_t)(col % lanes)};
    return (v->shape[lane] == 1 || view->stride[lane] == 1) &&
           (v->shape[along] == 1 || view->stride[along] == cols) && col + v->shape[lane] <= cols &&
           w->lane + v->shape[lane] <= lanes;
}

/* Whether the node is a product of windows that meet, and no operand can be read in place. */
static bool find_heads(const Lowerer *l, const TspNode *n, Heads *h) {
    const TspValue *a = &l->graph->values[n->inputs[0]], *b = &l->graph->values[n->inputs[1]];
    Rows rows;
    if (n->input_count > 2 || a->rank < 2 || b->rank < 2 || a->dtype == TSP_I32 ||
        lower_matrix_rows(l, n->inputs[0], ROWWISE, &rows) ||
        lower_matrix_rows(l, n->inputs[1], TRANSPOSED, &rows))
        return false;
    tsp_broadcast_shape(a->rank - 2, a->shape, b->rank - 2, b->shape, &h->batch_rank,
                        h->batch_shape);
    h->batches = 1;
    h->orientation = l->turned[n->output] ? TRANSPOSED : ROWWISE;
    for (int32_t d = 0; d < h->batch_rank; d++) h->batches *= (int32_t)h->batch_shape[d];
    for (int i = 0; i < 2; i++) {
        int32_t input = h->orientation == TRANSPOSED ? !i : i;
        const TspValue *v = input ? b : a;
        int32_t lane = v->rank - 1 - input, along = v->rank - 2 + input;
        h->side[i].viewed = l->views[n->inputs[input]].value;
        h->side[i].rows = (int32_t)v->shape[along];
        h->side[i].depth = (int32_t)v->shape[lane];
        h->side[i].masked = i || tsp_dtype_is_float(v->dtype);
        if (!(h->side[i].windows = calloc((size_t)h->batches, sizeof(Window)))) return false;
        for (int32_t k = 0; k < h->batches; k++)
            if (!find_window(l, n->inputs[input], lane, along, h, k, &h->side[i].windows[k]))
                return false;
    }
    for (int32_t k = 0; k < h->batches; k++)
        if (h->side[0].windows[k].lane != h->side[1].windows[k].lane) return false;
    return true;
}

/* A row of ones in the lanes of a window. */
static int32_t mask_row(Lowerer *l, const char *name, TspDtype type, int32_t lane, int32_t depth,
                        TspError *err) {
    int64_t lanes = tsp_lanes(&l->module->machine);
    size_t bytes = (size_t)tsp_dtype_bytes(type);
    int32_t i =
        lower_new_tensor(l, name, ".window", type, TSP_ROLE_CONSTANT, 1, &lanes, false, err);
    uint8_t *data = i < 0 ? NULL : calloc((size_t)lanes, bytes);
    if (i < 0) return -1;
    if (!data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t k = lane; k < lane + depth; k++) data[(size_t)k * bytes] = 1; /* little-endian */
    l->module->tensors[i].data = data;
    l->module->tensors[i].contiguous = true;
    return i;
}

/* The first batch with the same window. */
static int32_t first_like(const Side *side, int32_t batch, bool same_lanes_do) {
    const Window *w = side->windows;
    for (int32_t k = 0; k < batch; k++)
        if (w[k].lane == w[batch].lane &&
            (same_lanes_do || (w[k].row0 == w[batch].row0 && w[k].ctile == w[batch].ctile)))
            return k;
    return batch;
}

enum { MOST_COPIES = 4 };

/* How many matrices before this one are windows of the same vectors, or have the same lanes: what
 * is read for all of them has copies, that they may be made side by side. */
static int32_t windows_before(const Side *side, int32_t batch, bool same_lanes) {
    const Window *w = side->windows;
    int32_t count = 0;
    for (int32_t k = 0; k < batch; k++)
        count += same_lanes ? w[k].lane == w[batch].lane
                            : w[k].row0 == w[batch].row0 && w[k].ctile == w[batch].ctile;
    return count;
}

/* Copies of what is read for the windows that are like this one or come before it. */
static int32_t window_copies(const Side *side, int32_t batch, bool same_lanes) {
    return tsp_min32(windows_before(side, batch, same_lanes) + 1, MOST_COPIES);
}

static void want_copies(Tensor *t, int32_t copies) {
    if (copies > 1 && copies > t->wanted) t->wanted = copies;
}

/* The rows of one matrix, masked, to row `row` of `to`. */
static bool mask_matrix(Lowerer *l, const Side *side, int32_t batch, int32_t from, int32_t mask,
                        int32_t to, int32_t row, TspError *err) {
    const TspDtype type = lower_bits(l->module->tensors[from].dtype);
    Stage *s = lower_new_stage(l, "window", side->rows, l->module->tensors[to].cols, err);
    From rows, ones;
    if (!s) return false;
    rows = stage_operand(s, from, side->windows[batch].row0, 1);
    ones = stage_operand(s, mask, 0, 0);
    s->operands[0].ctile0 = side->windows[batch].ctile;
    s->operands[0].copy = windows_before(side, batch, false) % MOST_COPIES;
    s->operands[1].copy = windows_before(side, batch, true) % MOST_COPIES;
    want_copies(&l->module->tensors[from], window_copies(side, batch, false));
    want_copies(&l->module->tensors[mask], window_copies(side, batch, true));
    l->module->tensors[mask].repeated = side->rows;
    lower_output(l, s, stage_step(s, TSP_OP_MASK, type, type, rows, ones, 0), to, row);
    return true;
}

/* A tensor of a column tile that holds the matrices of all batches, zero outside their windows. */
static int32_t masked_copy(Lowerer *l, const Side *side, int32_t batches, int32_t from,
                           TspError *err) {
    const int64_t shape[3] = {batches, side->rows, tsp_lanes(&l->module->machine)};
    const Tensor x = l->module->tensors[from];
    const bool packed = l->packed[l->graph->nodes[l->node].output] != NULL;
    int32_t to =
        lower_new_tensor(l, x.name, ".windows", x.dtype, TSP_ROLE_INTERNAL, 3, shape, false, err);
    int32_t *masks = to < 0 ? NULL : calloc((size_t)batches, sizeof *masks);
    bool ok = masks != NULL;
    if (to < 0) return -1;
    if (!masks) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    l->module->tensors[from].contiguous = true;
    for (int32_t k = 0; k < batches && ok; k++) {
        int32_t like = first_like(side, k, true);
        masks[k] = like < k ? masks[like]
                            : mask_row(l, x.name, lower_bits(x.dtype), side->windows[k].lane,
                                       side->depth, err);
        ok = masks[k] >= 0;
        if (ok && (packed || first_like(side, k, false) == k))
            ok = mask_matrix(l, side, k, from, masks[k], to, k * side->rows, err);
    }
    free(masks);
    return ok ? to : -1;
}

/* Where part `i` of a side has the matrix of a batch. */
static void place_matrix(const Side *side, int32_t batch, int32_t *row0, int32_t *ctile) {
    *row0 = side->masked ? first_like(side, batch, false) * side->rows : side->windows[batch].row0;
    *ctile = side->masked ? 0 : side->windows[batch].ctile;
}

static bool add_head(Lowerer *l, const TspNode *node, const Heads *h, int32_t parts[2][3],
                     int32_t count, int32_t batch, TspError *err) {
    /* hi*hi + (lo * 2^11) * (hi * 2^-11) both ways round */
    static const int pairs[3][2] = {{0, 0}, {1, 2}, {2, 1}};
    Module *m = l->module;
    int32_t out = lower_oriented(l, node->output, h->orientation, err);
    Stage *s =
        out < 0 ? NULL : lower_new_stage(l, "product", h->side[0].rows, h->side[1].rows, err);
    From result = from_product();
    if (!s) return false;
    m->tensors[out].run = h->side[0].rows; /* units make matrices side by side */
    s->product = true;
    if (!(s->terms = calloc((size_t)count, sizeof *s->terms)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < count; i++) {
        Term *t = &s->terms[s->term_count++];
        *t = (Term){
            .a = parts[0][pairs[i][0]], .a_byte = -1, .w = parts[1][pairs[i][1]], .w_byte = -1};
        place_matrix(&h->side[0], batch, &t->a_row0, &t->a_ctile);
        place_matrix(&h->side[1], batch, &t->w_row0, &t->w_ctile);
        m->tensors[t->a].contiguous = m->tensors[t->a].streamed = true;
        m->tensors[t->w].striped = true;
    }
    if (l->graph->values[node->output].dtype == TSP_F16)
        result = stage_step(s, TSP_OP_CVT, TSP_F32, TSP_F16, result, from_none(), 0);
    lower_output(l, s, result, out, batch * h->side[0].rows);
    return lower_finish_product(l, node->op == TSP_GRAPH_MATMUL ? TSP_F32 : TSP_I32, err);
}

/* The first batch after this one that other vectors stream for. */
static int32_t group_end(const Heads *h, int32_t batch) {
    const Window *w = h->side[0].windows;
    int32_t end = batch + 1;
    while (end < h->batches && w[end].row0 == w[batch].row0 && w[end].ctile == w[batch].ctile)
        end++;
    return end;
}

/* Set `set` of a packed result: output columns column.. of those of all batches. */
static bool add_set(Lowerer *l, const TspNode *node, const Window *stream, int32_t set,
                    int32_t column, int32_t a, int32_t w, TspError *err) {
    const Packing *p = l->packed[node->output];
    Module *m = l->module;
    int32_t out = lower_beside(l, node->output, err);
    Stage *s = out < 0 ? NULL : lower_new_stage(l, "product", p->rows, m->tensors[out].cols, err);
    if (!s) return false;
    m->tensors[out].run = p->rows; /* units make sets side by side */
    s->product = true;
    s->term_count = 1;
    if (!(s->terms = malloc(sizeof *s->terms)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    s->terms[0] = (Term){.a = a,
                         .a_row0 = stream->row0,
                         .a_ctile = stream->ctile,
                         .a_byte = -1,
                         .w = w,
                         .w_row0 = column,
                         .w_byte = -1,
                         .w_count = p->columns[set]};
    m->tensors[a].contiguous = m->tensors[a].streamed = true;
    m->tensors[w].striped = m->tensors[w].unaligned = true;
    lower_output(l, s, from_product(), out, set * p->rows);
    return lower_finish_product(l, TSP_I32, err);
}

static bool add_sets(Lowerer *l, const TspNode *node, const Heads *h, int32_t a, int32_t w,
                     TspError *err) {
    const Packing *p = l->packed[node->output];
    const int32_t rows = h->side[1].rows;
    for (int32_t batch = 0, set = 0, column = 0; batch < h->batches; batch = group_end(h, batch))
        for (int32_t end = group_end(h, batch) * rows; column < end; column += p->columns[set++])
            if (!add_set(l, node, &h->side[0].windows[batch], set, column, a, w, err)) return false;
    return true;
}

/* The tensors that stream, or sit in the planes, for the node being lowered; made once. */
static bool side_parts(Lowerer *l, const Heads *h, int i, int32_t parts[3], int32_t *count,
                       TspError *err) {
    int32_t *made = l->masked[l->node][i];
    if (!lower_parts(l, h->side[i].viewed, ROWWISE, parts, count, err)) return false;
    for (int32_t k = 0; k < *count && h->side[i].masked; k++) {
        if (made[k] < 0) made[k] = masked_copy(l, &h->side[i], h->batches, parts[k], err);
        if ((parts[k] = made[k]) < 0) return false;
    }
    return true;
}

static bool add_heads(Lowerer *l, const TspNode *node, const Heads *h, TspError *err) {
    int32_t parts[2][3], count = 0;
    for (int i = 0; i < 2; i++)
        if (!side_parts(l, h, i, parts[i], &count, err)) return false;
    if (l->packed[node->output]) return add_sets(l, node, h, parts[0][0], parts[1][0], err);
    for (int32_t batch = 0; batch < h->batches; batch++)
        if (!add_head(l, node, h, parts, count, batch, err)) return false;
    return true;
}

static void free_heads(Heads *h) {
    free(h->side[0].windows);
    free(h->side[1].windows);
}

bool lower_heads(Lowerer *l, const TspNode *node, bool *done, TspError *err) {
    Heads h = {0};
    bool ok = true;
    *done = find_heads(l, node, &h);
    if (*done) ok = add_heads(l, node, &h, err);
    free_heads(&h);
    return ok;
}

static bool mask_sides(Lowerer *l, const TspNode *node, int32_t value, TspError *err) {
    Heads h = {0};
    int32_t parts[3], count;
    bool ok = true;
    if (find_heads(l, node, &h))
        for (int i = 0; i < 2 && ok; i++)
            if (h.side[i].viewed == value && h.side[i].masked)
                ok = side_parts(l, &h, i, parts, &count, err);
    free_heads(&h);
    return ok;
}

bool lower_mask_early(Lowerer *l, int32_t value, TspError *err) {
    const int32_t node = l->node;
    bool ok = true;
    for (l->node = 0; ok && l->node < l->graph->node_count; l->node++) {
        const TspNode *n = &l->graph->nodes[l->node];
        if ((n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER) &&
            (l->views[n->inputs[0]].value == value || l->views[n->inputs[1]].value == value))
            ok = mask_sides(l, n, value, err);
    }
    l->node = node;
    return ok;
}

/* Fills the packing for heads; columns has room for all sets. */
static void find_sets(const Heads *h, int32_t lanes, Packing *p) {
    const int32_t rows = h->side[1].rows;
    p->rows = h->side[0].rows;
    for (int32_t batch = 0, column = 0; batch < h->batches; batch = group_end(h, batch))
        for (int32_t end = group_end(h, batch) * rows; column < end;) {
            p->columns[p->count] = tsp_min32(lanes, end - column);
            column += p->columns[p->count++];
        }
}

Packing *lower_packing(const Lowerer *l, const TspNode *node) {
    int32_t lanes = tsp_lanes(&l->module->machine), vectors;
    Heads h = {0};
    Packing *p = NULL;
    if (find_heads(l, node, &h) && h.orientation == TRANSPOSED && !h.side[0].masked) {
        vectors = h.batches * tsp_ceil_div(h.side[1].rows, lanes);
        p = calloc(1, sizeof *p + (size_t)vectors * sizeof *p->columns);
        if (p) find_sets(&h, lanes, p);
        if (p && p->count >= vectors) free(p), p = NULL;
    }
    free_heads(&h);
    return p;
}

bool lower_meets_windows(const Lowerer *l, const TspNode *node) {
    Heads h = {0};
    bool meets = find_heads(l, node, &h);
    free_heads(&h);
    return meets;
}
