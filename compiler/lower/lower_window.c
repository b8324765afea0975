/* lower_window.c - products of windows: matrices that are some lanes of a column tile of others, as
 * the heads of attention are.
 *
 * If the windows of both operands have the same lanes, the product of the whole column tiles is
 * right as soon as one of them is zero outside its window. So what sits in the planes is copied,
 * masked; what streams is read where it lies if it is of integers. Elements of floats beyond the
 * window may be infinite: both are masked.
 */
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
    if (n->input_count > 2 || a->rank < 2 || b->rank < 2 ||
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

/* A tensor of a column tile that holds the matrices of all batches, zero outside their windows. */
static int32_t masked_copy(Lowerer *l, const Side *side, int32_t batches, int32_t from,
                           TspError *err) {
    const int64_t shape[3] = {batches, side->rows, tsp_lanes(&l->module->machine)};
    Tensor x = l->module->tensors[from];
    const TspDtype type = lower_bits(x.dtype);
    int32_t to =
        lower_new_tensor(l, x.name, ".windows", x.dtype, TSP_ROLE_INTERNAL, 3, shape, false, err);
    int32_t *masks = to < 0 ? NULL : calloc((size_t)batches, sizeof *masks);
    bool ok = masks != NULL;
    if (to < 0) return -1;
    if (!masks) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    l->module->tensors[from].contiguous = true;
    for (int32_t k = 0; k < batches && ok; k++) {
        int32_t like = first_like(side, k, true);
        Stage *s;
        From rows, ones;
        masks[k] = like < k ? masks[like]
                            : mask_row(l, x.name, type, side->windows[k].lane, side->depth, err);
        if (masks[k] < 0) ok = false;
        if (!ok || first_like(side, k, false) < k) continue;
        s = lower_new_stage(l, "window", side->rows, (int32_t)shape[2], err);
        if (!(ok = s != NULL)) break;
        rows = lower_operand(s, from, side->windows[k].row0, 1);
        s->operands[0].ctile0 = side->windows[k].ctile;
        ones = lower_operand(s, masks[k], 0, 0);
        lower_output(l, s, lower_step(s, TSP_OP_MASK, type, type, rows, ones, 0), to,
                     k * side->rows);
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
        result = lower_step(s, TSP_OP_CVT, TSP_F32, TSP_F16, result, from_none(), 0);
    lower_output(l, s, result, out, batch * h->side[0].rows);
    return lower_finish_product(l, node->op == TSP_GRAPH_MATMUL ? TSP_F32 : TSP_I32, err);
}

static bool add_heads(Lowerer *l, const TspNode *node, const Heads *h, TspError *err) {
    int32_t parts[2][3], count = 0;
    for (int i = 0; i < 2; i++) {
        if (!lower_parts(l, h->side[i].viewed, ROWWISE, parts[i], &count, err)) return false;
        for (int32_t k = 0; k < count && h->side[i].masked; k++)
            if ((parts[i][k] = masked_copy(l, &h->side[i], h->batches, parts[i][k], err)) < 0)
                return false;
    }
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

bool lower_meets_windows(const Lowerer *l, const TspNode *node) {
    Heads h = {0};
    bool meets = find_heads(l, node, &h);
    free_heads(&h);
    return meets;
}
