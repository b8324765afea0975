/* lower_view.c - which values are views of others, and where the rows of a view lie.
 *
 * A view whose rows are whole rows of a tensor is read in place by whoever takes row strides; any
 * other is made dense by moving its elements.
 */
#include "lower_view.h"
#include "compiler/graph/graph_shape.h"

#include <stdlib.h>
#include <string.h>

static void own_strides(const TspValue *v, int64_t stride[TSP_MAX_RANK]) {
    int64_t step = 1;
    for (int32_t d = v->rank - 1; d >= 0; d--) {
        stride[d] = step;
        step *= v->shape[d];
    }
}

/* The same elements in another shape; false if they would have to move. */
static bool reshape_view(const TspValue *x, const TspValue *y, const View *in, View *out) {
    int64_t merged[TSP_MAX_RANK], size[TSP_MAX_RANK];
    int32_t count = 0, j = y->rank - 1;
    out->value = in->value;
    out->offset = in->offset;
    for (int32_t d = 0; d < x->rank; d++) { /* dimensions that step as one, merged */
        if (x->shape[d] == 1) continue;
        if (count && merged[count - 1] == in->stride[d] * x->shape[d]) {
            size[count - 1] *= x->shape[d];
            merged[count - 1] = in->stride[d];
        } else {
            size[count] = x->shape[d];
            merged[count++] = in->stride[d];
        }
    }
    for (int32_t i = count - 1; i >= 0; i--) {
        int64_t done = 1;
        for (; j >= 0 && done * y->shape[j] <= size[i]; j--) {
            out->stride[j] = merged[i] * done;
            done *= y->shape[j];
        }
        if (done != size[i]) return false;
    }
    for (; j >= 0; j--) out->stride[j] = 0;
    return true;
}

/* The view that a node makes of its first operand, itself a view; false if it is none. */
static bool node_view(const Lowerer *l, const TspNode *n, View *out) {
    const TspGraph *g = l->graph;
    const TspValue *x = &g->values[n->inputs[0]], *y = &g->values[n->output];
    const View *in = &l->views[n->inputs[0]];
    int64_t start[TSP_MAX_RANK], step[TSP_MAX_RANK];
    *out = *in;
    switch (n->op) {
    case TSP_GRAPH_IDENTITY:
        return true;
    case TSP_GRAPH_RESHAPE:
    case TSP_GRAPH_FLATTEN:
    case TSP_GRAPH_SQUEEZE:
    case TSP_GRAPH_UNSQUEEZE:
        return reshape_view(x, y, in, out);
    case TSP_GRAPH_TRANSPOSE:
        for (int32_t d = 0; d < y->rank; d++) {
            int64_t axis = n->axis_count ? n->axes[d] : y->rank - 1 - d;
            out->stride[d] = in->stride[axis < 0 ? axis + y->rank : axis];
        }
        return true;
    case TSP_GRAPH_SPLIT:
    case TSP_GRAPH_SLICE:
        tsp_slice_steps(g, n, start, step);
        for (int32_t d = 0; d < y->rank; d++) {
            out->offset += start[d] * in->stride[d];
            out->stride[d] = in->stride[d] * step[d];
        }
        return true;
    case TSP_GRAPH_EXPAND:
        for (int32_t d = y->rank - 1, e = x->rank - 1; d >= 0; d--, e--)
            out->stride[d] = e < 0 || x->shape[e] == 1 ? 0 : in->stride[e];
        return true;
    default:
        return false;
    }
}

void lower_find_views(Lowerer *l) {
    const TspGraph *g = l->graph;
    for (int32_t v = 0; v < g->value_count; v++) {
        l->views[v] = (View){.value = v};
        own_strides(&g->values[v], l->views[v].stride);
    }
    for (int32_t i = 0; i < g->node_count; i++) {
        const TspNode *n = &g->nodes[i];
        View view;
        if (!l->flat[n->output] && node_view(l, n, &view)) l->views[n->output] = view;
    }
}

bool lower_is_view(const Lowerer *l, int32_t value) {
    return l->views[value].value != value;
}

/* The last dimension, or that of a TRANSPOSED matrix's lanes; -1: a scalar's, and a TRANSPOSED
 * vector's, which is one column. */
static int32_t lane_dimension(const TspValue *v, int orientation) {
    if (orientation == TRANSPOSED) return v->rank >= 2 ? v->rank - 2 : -1;
    return v->rank - 1;
}

/* Rows of the ROWWISE tensor of `of`. */
static bool rows_of_rows(const TspValue *v, const View *view, const TspValue *of, int32_t lane,
                         Rows *rows) {
    int64_t cols = of->rank ? of->shape[of->rank - 1] : 1;
    if ((lane < 0 ? 1 : v->shape[lane]) != cols || (cols > 1 && view->stride[lane] != 1) ||
        view->offset % cols)
        return false;
    rows->row0 = view->offset / cols;
    for (int32_t d = 0; d < v->rank; d++) {
        rows->stride[d] = d == lane || v->shape[d] == 1 ? 0 : view->stride[d] / cols;
        if (d != lane && v->shape[d] > 1 && view->stride[d] % cols) return false;
    }
    return true;
}

/* Rows of the TRANSPOSED tensor of `of`: [.., cols, lanes]. */
static bool rows_of_columns(const TspValue *v, const View *view, const TspValue *of, int32_t lane,
                            Rows *rows) {
    int64_t cols, lanes, matrix, col, low, high;
    if (of->rank < 2) return false;
    cols = of->shape[of->rank - 1];
    lanes = of->shape[of->rank - 2];
    matrix = cols * lanes;
    col = low = high = view->offset % matrix;
    if ((lane < 0 ? 1 : v->shape[lane]) != lanes || (lanes > 1 && view->stride[lane] != cols) ||
        col >= cols)
        return false;
    rows->row0 = view->offset / matrix * cols + col;
    for (int32_t d = 0; d < v->rank; d++) {
        int64_t stride = d == lane || v->shape[d] == 1 ? 0 : view->stride[d];
        rows->stride[d] = stride % matrix ? stride : stride / matrix * cols;
        if (stride % matrix) *(stride < 0 ? &low : &high) += stride * (v->shape[d] - 1);
    }
    return low >= 0 && high < cols; /* never into the next row of the matrix */
}

void lower_own_rows(const TspValue *v, int32_t value, int orientation, Rows *rows) {
    int32_t lane = lane_dimension(v, orientation);
    int64_t step = 1;
    *rows = (Rows){.value = value, .orientation = orientation};
    for (int32_t d = v->rank - 1; d >= 0; d--) {
        if (d == lane) continue;
        rows->stride[d] = v->shape[d] == 1 ? 0 : step;
        step *= v->shape[d];
    }
}

bool lower_rows(const Lowerer *l, int32_t value, int orientation, Rows *rows) {
    const TspValue *v = &l->graph->values[value];
    const View *view = &l->views[value];
    const TspValue *of = &l->graph->values[view->value];
    int32_t lane = lane_dimension(v, orientation);
    *rows = (Rows){.value = view->value, .orientation = ROWWISE};
    if (!lower_is_view(l, value)) return lower_own_rows(v, value, orientation, rows), true;
    if (rows_of_rows(v, view, of, lane, rows)) return true;
    rows->orientation = TRANSPOSED;
    return rows_of_columns(v, view, of, lane, rows);
}

bool lower_matrix_rows(const Lowerer *l, int32_t value, int orientation, Rows *rows) {
    const TspValue *v = &l->graph->values[value];
    int32_t along = v->rank < 2 ? -1 : orientation == TRANSPOSED ? v->rank - 1 : v->rank - 2;
    return lower_rows(l, value, orientation, rows) &&
           (along < 0 || v->shape[along] == 1 || rows->stride[along] == 1);
}

void lower_need(Lowerer *l, int32_t value, int orientation) {
    Rows rows;
    bool direct = lower_rows(l, value, orientation, &rows);
    l->needs[l->views[value].value][direct ? rows.orientation : ROWWISE] = true;
}

int32_t lower_row_operand(Lowerer *l, int32_t value, int32_t out_rank, int32_t cols, int64_t *row0,
                          int64_t stride[TSP_MAX_RANK], TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t shift = out_rank - v->rank, tensor;
    Rows rows;
    *row0 = 0;
    if (!lower_is_view(l, value) || (v->rank ? v->shape[v->rank - 1] : 1) != cols ||
        !lower_rows(l, value, ROWWISE, &rows)) {
        lower_row_strides(v, out_rank, stride);
        return lower_widened(l, value, cols, err);
    }
    for (int32_t d = 0; d < out_rank - 1; d++) stride[d] = d < shift ? 0 : rows.stride[d - shift];
    *row0 = rows.row0;
    if ((tensor = lower_oriented(l, rows.value, rows.orientation, err)) >= 0)
        l->module->tensors[tensor].contiguous = true;
    return tensor;
}

/* ---- dense copies ---- */

/* Element of the viewed value that is number `i` of the view, its dimensions taken in an order. */
static int64_t element_at(const TspValue *v, const View *view, const int32_t *order, int64_t i) {
    int64_t element = view->offset;
    for (int32_t k = v->rank - 1; k >= 0; k--) {
        int32_t d = order[k];
        element += i % v->shape[d] * view->stride[d];
        i /= v->shape[d];
    }
    return element;
}

/* Number of the same element when the dimensions are taken in the order `other`. */
static int64_t renumber(const TspValue *v, const int32_t *order, const int32_t *other, int64_t i) {
    int64_t index[TSP_MAX_RANK], number = 0;
    for (int32_t k = v->rank - 1; k >= 0; k--) {
        index[order[k]] = i % v->shape[order[k]];
        i /= v->shape[order[k]];
    }
    for (int32_t k = 0; k < v->rank; k++) number = number * v->shape[other[k]] + index[other[k]];
    return number;
}

/* The dimensions in the order in which rows and lanes of an orientation run. */
static void natural_order(const TspValue *v, int orientation, int32_t *order) {
    for (int32_t d = 0; d < v->rank; d++) order[d] = d;
    if (v->rank < 2 || orientation != TRANSPOSED) return;
    order[v->rank - 2] = v->rank - 1;
    order[v->rank - 1] = v->rank - 2;
}

/* Fills `to` from the viewed value's rows. */
static bool fill_from_rows(Lowerer *l, int32_t value, const int32_t *order, int32_t to,
                           TspError *err) {
    const TspValue *v = &l->graph->values[value];
    const View *view = &l->views[value];
    int64_t elements = tsp_value_elements(v);
    int32_t from = lower_oriented(l, view->value, ROWWISE, err), cols;
    Origin *origins = from < 0 ? NULL : malloc((size_t)elements * sizeof *origins);
    bool ok;
    if (from < 0) return false;
    if (!origins) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    cols = l->module->tensors[from].cols;
    for (int64_t i = 0; i < elements; i++) {
        int64_t element = element_at(v, view, order, i);
        origins[i] = (Origin){from, (int32_t)(element / cols), (int32_t)(element % cols)};
    }
    ok = lower_fill(l, to, origins, err);
    free(origins);
    return ok;
}

/* Fills `to` from a tensor that holds the value with its dimensions in another order. */
static bool fill_reordered(Lowerer *l, int32_t value, const int32_t *order, int32_t from,
                           const int32_t *other, int32_t to, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int64_t elements = tsp_value_elements(v);
    int32_t cols = l->module->tensors[from].cols;
    Origin *origins = malloc((size_t)elements * sizeof *origins);
    bool ok;
    if (!origins) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int64_t i = 0; i < elements; i++) {
        int64_t number = renumber(v, order, other, i);
        origins[i] = (Origin){from, (int32_t)(number / cols), (int32_t)(number % cols)};
    }
    ok = lower_fill(l, to, origins, err);
    free(origins);
    return ok;
}

/* Fills `to` from whole rows of another tensor, one for each of its own. */
static bool fill_from_whole_rows(Lowerer *l, int32_t value, const int32_t *order, const Rows *rows,
                                 int32_t to, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int64_t elements = tsp_value_elements(v);
    int32_t from = lower_oriented(l, rows->value, rows->orientation, err),
            cols = l->module->tensors[to].cols;
    View view = {.value = value, .offset = rows->row0};
    Origin *origins = from < 0 ? NULL : malloc((size_t)elements * sizeof *origins);
    bool ok;
    if (from < 0) return false;
    if (!origins) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    memcpy(view.stride, rows->stride, sizeof view.stride);
    for (int64_t i = 0; i < elements; i++)
        origins[i] = (Origin){from, (int32_t)element_at(v, &view, order, i), (int32_t)(i % cols)};
    ok = lower_fill(l, to, origins, err);
    free(origins);
    return ok;
}

/* Elements of one row of the view come from as many rows of the viewed value: they are first laid
 * side by side along dimension `along`, which steps within a row, and then turned. */
static bool fill_turned(Lowerer *l, int32_t value, const int32_t *order, int32_t lane,
                        int32_t along, int32_t to, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t before[TSP_MAX_RANK], after[TSP_MAX_RANK], count = 0, rows, turned;
    int64_t shape[TSP_MAX_RANK];
    for (int32_t d = 0; d < v->rank; d++)
        if (d != lane && d != along) before[count++] = d;
    before[count++] = lane;
    if (along >= 0) before[count++] = along;
    memcpy(after, before, sizeof after);
    if (along >= 0) after[count - 2] = along, after[count - 1] = lane;
    for (int32_t k = 0; k < count; k++) shape[k] = v->shape[before[k]];
    if (along < 0) shape[count++] = 1; /* one column */
    rows = lower_new_tensor(l, v->name, ".columns", v->dtype, TSP_ROLE_INTERNAL, count, shape,
                            false, err);
    if (rows < 0 || !fill_from_rows(l, value, before, rows, err)) return false;
    turned = lower_transposed(l, rows, err);
    return turned >= 0 && fill_reordered(l, value, order, turned, after, to, err);
}

/* The dimension, other than that of the lanes, that steps least within rows of `cols`; -1: none. */
static int32_t inner_dimension(const TspValue *v, const View *view, int32_t lane, int64_t cols) {
    int32_t best = -1;
    for (int32_t d = 0; d < v->rank; d++) {
        if (d == lane || v->shape[d] == 1 || view->stride[d] == 0 || llabs(view->stride[d]) >= cols)
            continue;
        if (best < 0 || llabs(view->stride[d]) < llabs(view->stride[best])) best = d;
    }
    return best;
}

/* All rows of a tensor, in order. */
static bool is_whole(const Lowerer *l, int32_t value, int orientation, const Rows *rows) {
    const TspValue *v = &l->graph->values[value];
    int32_t lane = lane_dimension(v, orientation);
    int64_t step = 1;
    if (rows->row0 || tsp_value_elements(v) != tsp_value_elements(&l->graph->values[rows->value]))
        return false;
    for (int32_t d = v->rank - 1; d >= 0; d--) {
        if (d == lane) continue;
        if (v->shape[d] > 1 && rows->stride[d] != step) return false;
        step *= v->shape[d];
    }
    return true;
}

int32_t lower_dense(Lowerer *l, int32_t value, int orientation, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    const View *view = &l->views[value];
    const TspValue *of = &l->graph->values[view->value];
    int32_t *slot = &l->tensor_of[value][orientation], lane = lane_dimension(v, orientation), to;
    int64_t cols = of->rank ? of->shape[of->rank - 1] : 1;
    int32_t order[TSP_MAX_RANK];
    bool output = v->is_output && orientation == ROWWISE, ok;
    Rows rows;
    bool direct = lower_rows(l, value, orientation, &rows);
    if (direct && !output && is_whole(l, value, orientation, &rows))
        return *slot = lower_oriented(l, rows.value, rows.orientation, err);
    to = lower_new_tensor(l, v->name, orientation == TRANSPOSED ? ".transposed" : "", v->dtype,
                          output ? TSP_ROLE_OUTPUT : TSP_ROLE_INTERNAL, v->rank, v->shape,
                          orientation == TRANSPOSED, err);
    if (to < 0) return -1;
    l->module->tensors[to].contiguous = true;
    natural_order(v, orientation, order);
    if (direct)
        ok = fill_from_whole_rows(l, value, order, &rows, to, err);
    else if (lane >= 0 && v->shape[lane] > 1 && llabs(view->stride[lane]) >= cols)
        ok = fill_turned(l, value, order, lane, inner_dimension(v, view, lane, cols), to, err);
    else
        ok = fill_from_rows(l, value, order, to, err);
    if (ok) *slot = to;
    return ok ? to : -1;
}
