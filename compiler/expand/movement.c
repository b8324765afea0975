/* movement.c - Gather by computed indices; running sums along an axis.
 */
#include "build.h"
#include "compiler/number.h"

#include <string.h>

/* ---- Gather ---- */

/* 0, 1, .. less `from`, as a row. */
static int32_t counted(Build *b, int64_t count, int64_t from) {
    TspValue *v = build_known(b, TSP_I32, 2, (int64_t[]){1, count});
    for (int64_t i = 0; v && i < count; i++) tsp_store_int(TSP_I32, v->data, i, i - from);
    return v ? b->graph.value_count - 1 : -1;
}

/* A row for every index, true where it points: counted from the front, or from the end. */
static int32_t pointers(Build *b, int32_t indices, int64_t count) {
    const int64_t rows = b->failed ? 1 : tsp_value_elements(&b->graph.values[indices]);
    int32_t front, end;
    indices = build_reshape(b, indices, 2, (int64_t[]){rows, 1});
    front = build_two(b, TSP_GRAPH_EQUAL, indices, counted(b, count, 0));
    end = build_two(b, TSP_GRAPH_EQUAL, indices, counted(b, count, count));
    return build_two(b, TSP_GRAPH_OR, front, end);
}

/* The axis changes places with the first; each row of pointers takes a row of the rest. */
bool expand_gather(Build *b, const TspNode *n) {
    const TspValue *v = b->given->values, *x = &v[n->inputs[0]], *indices = &v[n->inputs[1]];
    const int32_t axis = (int32_t)(n->axis < 0 ? n->axis + x->rank : n->axis);
    const int64_t count = x->shape[axis], others = tsp_value_elements(x) / count;
    TspNode back;
    int64_t shape[TSP_MAX_RANK];
    int32_t y = n->inputs[0], rank = 0;
    if (indices->data) return false;
    back = build_plain(TSP_GRAPH_TRANSPOSE, 1, &y);
    back.axis_count = x->rank;
    for (int32_t d = 0; d < x->rank; d++) back.axes[d] = d == 0 ? axis : d <= axis ? d - 1 : d;
    if (axis) y = build_node(b, back);
    y = build_reshape(b, y, 2, (int64_t[]){count, others});
    y = build_gathered(b, y, pointers(b, n->inputs[1], count));
    for (int32_t d = 0; d < indices->rank; d++) shape[rank++] = indices->shape[d];
    for (int32_t d = 0; d < x->rank; d++)
        if (d != axis) shape[rank++] = x->shape[d];
    y = build_reshape(b, y, rank, shape);
    if (axis) { /* dimensions before the axis, those of the indices, those behind it */
        back = build_plain(TSP_GRAPH_TRANSPOSE, 1, &y);
        for (int32_t d = 0; d < axis; d++) back.axes[back.axis_count++] = indices->rank + d;
        for (int32_t d = 0; d < indices->rank; d++) back.axes[back.axis_count++] = d;
        while (back.axis_count < rank)
            back.axes[back.axis_count] = back.axis_count, back.axis_count++;
        y = build_node(b, back);
    }
    build_finish(b, y);
    return true;
}

/* ---- CumSum ---- */

/* Rows along the axis move `by` places towards its end, zeros come in. */
static int32_t moved(Build *b, int32_t x, int64_t axis, int64_t by) {
    const int32_t none = -1, in[4] = {x, build_list(b, 2, (int64_t[]){by, -by}), none,
                                      build_list(b, 1, &axis)};
    return build_node(b, build_plain(TSP_GRAPH_PAD, 4, in));
}

/* Sums of the last 1, 2, 4, .. elements. The last axis changes places with one of rows, since rows
 * move as they are. */
bool expand_cum_sum(Build *b, const TspNode *n) {
    const TspValue *x = &b->given->values[n->inputs[0]];
    const TspDtype type = x->dtype == TSP_F16 ? TSP_F32 : x->dtype;
    const int64_t given = tsp_load_int(TSP_I32, b->given->values[n->inputs[1]].data, 0);
    int32_t axis = (int32_t)(given < 0 ? given + x->rank : given), y = n->inputs[0], rows = axis;
    const int64_t count = x->shape[axis];
    if (x->rank == 1 && !n->exclusive && !n->reverse) return false;
    y = build_cast(b, y, type);
    if (x->rank == 1) y = build_reshape(b, y, 2, (int64_t[]){count, 1});
    if (x->rank > 1 && axis == x->rank - 1) y = build_swap(b, y, axis, rows = axis - 1);
    if (n->reverse) y = build_reversed(b, y, rows);
    for (int64_t by = 1; by < count; by *= 2)
        y = build_two(b, TSP_GRAPH_ADD, y, moved(b, y, rows, by));
    if (n->exclusive) y = moved(b, y, rows, 1);
    if (n->reverse) y = build_reversed(b, y, rows);
    if (x->rank > 1) y = build_swap(b, y, axis, rows);
    if (x->rank == 1) y = build_reshape(b, y, 1, &count);
    build_finish(b, y);
    return true;
}
