/* normalize.c - normalizations as those of rows, with a scale and bias that broadcast to them, and
 * BatchNormalization by numbers that are not known.
 */
#include "compiler/expand/build.h"

#include <string.h>

/* Another shape of the same elements, which stay known if they are. */
static int32_t relabelled(Build *b, int32_t x, int32_t rank, const int64_t *shape) {
    const TspValue from = b->graph.values[x];
    TspValue *v;
    if (!from.data) return build_reshape(b, x, rank, shape);
    if (!(v = build_known(b, from.dtype, rank, shape))) return -1;
    memcpy(v->data, from.data, (size_t)tsp_value_bytes(&from));
    return b->graph.value_count - 1;
}

static int32_t expanded(Build *b, int32_t x, int32_t rank, const int64_t *shape) {
    return build_two(b, TSP_GRAPH_EXPAND, x, build_list(b, rank, shape));
}

/* Dimensions of x from `axis` on as one. */
static int32_t merged(Build *b, int32_t x, int64_t axis) {
    const TspValue v = b->given->values[x];
    int64_t shape[TSP_MAX_RANK], elements = 1;
    memcpy(shape, v.shape, sizeof shape);
    for (int64_t d = axis; d < v.rank; d++) elements *= v.shape[d];
    shape[axis] = elements;
    return build_reshape(b, x, (int32_t)axis + 1, shape);
}

/* The same of what broadcasts to x: as long as those of x, or one element. */
static int32_t merged_beside(Build *b, int32_t beside, const TspValue *x, int64_t axis) {
    const TspValue v = b->given->values[beside];
    int64_t shape[TSP_MAX_RANK], elements = 1, longest = 1;
    if (tsp_value_elements(&v) == 1) return relabelled(b, beside, 0, NULL);
    for (int32_t d = 0; d < x->rank; d++) {
        const int32_t mine = d - (x->rank - v.rank);
        shape[d] = mine < 0 ? 1 : v.shape[mine];
        if (d < axis) continue;
        elements *= shape[d];
        longest *= x->shape[d];
    }
    if (elements > 1 && elements < longest) {
        for (int64_t d = axis; d < x->rank; d++) shape[d] = x->shape[d];
        beside = expanded(b, beside, x->rank, shape);
        elements = longest;
    }
    shape[axis] = elements;
    return relabelled(b, beside, (int32_t)axis + 1, shape);
}

bool expand_norm(Build *b, const TspNode *n) {
    const TspValue *x = &b->given->values[n->inputs[0]];
    const int64_t axis = n->axis < 0 ? n->axis + x->rank : n->axis;
    int64_t longer = 0;
    TspNode rows = *n;
    for (int64_t d = axis; d < x->rank - 1; d++) longer |= x->shape[d] > 1;
    if (!longer) return false;
    rows.inputs[0] = merged(b, n->inputs[0], axis);
    for (int32_t i = 1; i < n->input_count; i++)
        if (n->inputs[i] >= 0) rows.inputs[i] = merged_beside(b, n->inputs[i], x, axis);
    rows.axis = -1;
    build_finish(b, build_reshape(b, build_node(b, rows), x->rank, x->shape));
    return true;
}

/* Each channel of [N, C, ...] is a row, and scale and bias have one element for all of it. */
bool expand_instance_norm(Build *b, const TspNode *n) {
    const TspValue *x = &b->given->values[n->inputs[0]];
    const int64_t channels[2] = {x->shape[1], 1};
    TspNode rows = *n;
    rows.op = TSP_GRAPH_LAYER_NORMALIZATION;
    rows.axis = -1;
    if (x->rank > 3) rows.inputs[0] = merged(b, n->inputs[0], 2);
    for (int32_t i = 1; i < n->input_count; i++)
        rows.inputs[i] = relabelled(b, n->inputs[i], 2, channels);
    rows.output = build_node(b, rows);
    build_finish(b, x->rank > 3 ? build_reshape(b, rows.output, x->rank, x->shape) : rows.output);
    return true;
}

/* scale (x - mean) / sqrt(var + epsilon) + B = factor x + term, in float32. */
bool expand_batch_norm(Build *b, const TspNode *n) {
    enum { X, SCALE, BIAS, MEAN, VARIANCE, INPUTS };
    const TspValue *x = &b->given->values[n->inputs[X]];
    int64_t shape[TSP_MAX_RANK];
    int32_t in[INPUTS], factor, term, y;
    bool known = true;
    for (int32_t i = SCALE; i < INPUTS; i++) known &= b->given->values[n->inputs[i]].data != NULL;
    if (known) return false;
    for (int32_t i = X; i < INPUTS; i++) in[i] = build_cast(b, n->inputs[i], TSP_F32);
    for (int32_t d = 0; d < x->rank - 1; d++) shape[d] = d ? 1 : x->shape[1];
    factor = build_scalar(b, TSP_F32, n->epsilon);
    factor = build_one(b, TSP_GRAPH_SQRT, build_two(b, TSP_GRAPH_ADD, in[VARIANCE], factor));
    factor = build_two(b, TSP_GRAPH_DIV, in[SCALE], factor);
    term = build_two(b, TSP_GRAPH_SUB, in[BIAS], build_two(b, TSP_GRAPH_MUL, in[MEAN], factor));
    factor = build_reshape(b, factor, x->rank - 1, shape);
    term = build_reshape(b, term, x->rank - 1, shape);
    y = build_two(b, TSP_GRAPH_MUL, in[X], factor);
    build_finish(b, build_two(b, TSP_GRAPH_ADD, y, term));
    return true;
}
