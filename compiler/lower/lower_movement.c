/* lower_movement.c - nodes that move elements: Concat, Pad, Tile, Gather, depth and space, and
 * reshapes that are no views; and Trilu, which masks them.
 */
#include "lower_view.h"
#include "compiler/graph/graph_shape.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const TspGraph *g;
    const TspNode *node;
    const TspValue *x, *y;
    int64_t axis;                 /* from the front */
    int64_t before[TSP_MAX_RANK]; /* Pad */
} Move;

static int64_t number_of(const TspValue *v, const int64_t *index) {
    int64_t number = 0;
    for (int32_t d = 0; d < v->rank; d++) number = number * v->shape[d] + index[d];
    return number;
}

static void index_of(const TspValue *v, int64_t number, int64_t *index) {
    for (int32_t d = v->rank - 1; d >= 0; d--) {
        index[d] = number % v->shape[d];
        number /= v->shape[d];
    }
}

static int64_t from_joined(const Move *m, int64_t *at, int32_t *which) {
    for (;; ++*which) {
        const TspValue *v = &m->g->values[m->node->inputs[*which]];
        if (at[m->axis] < v->shape[m->axis]) return number_of(v, at);
        at[m->axis] -= v->shape[m->axis];
    }
}

/* The place of an axis of `size` that is seen at `at`, which may be beyond its ends; -1: none. */
static int64_t seen(TspPadMode mode, int64_t at, int64_t size) {
    const int64_t period = mode == TSP_PAD_WRAP ? size : size > 1 ? 2 * (size - 1) : 1;
    if (at >= 0 && at < size) return at;
    if (mode == TSP_PAD_CONSTANT) return -1;
    if (mode == TSP_PAD_EDGE) return at < 0 ? 0 : size - 1;
    at = (at % period + period) % period;
    return at < size ? at : period - at;
}

static int64_t from_padded(const Move *m, int64_t *at) {
    for (int32_t d = 0; d < m->x->rank; d++) {
        at[d] = seen(m->node->pad_mode, at[d] - m->before[d], m->x->shape[d]);
        if (at[d] < 0) return -1;
    }
    return number_of(m->x, at);
}

static int64_t from_gathered(const Move *m, const int64_t *at) {
    const TspValue *indices = &m->g->values[m->node->inputs[1]];
    int64_t x[TSP_MAX_RANK], entry = number_of(indices, at + m->axis);
    int32_t index;
    memcpy(&index, indices->data + 4 * entry, sizeof index);
    for (int32_t d = 0; d < m->x->rank; d++) x[d] = at[d < m->axis ? d : d + indices->rank - 1];
    x[m->axis] = index < 0 ? index + m->x->shape[m->axis] : index;
    return number_of(m->x, x);
}

/* Channel, row and column of the deep side (b * b times the channels) for those of the wide side.
 */
static int64_t deep_channel(const Move *m, int64_t channel, int64_t channels, int64_t place) {
    int64_t b = m->node->block_size;
    return m->node->columns_first ? channel * b * b + place : place * channels + channel;
}

static int64_t from_depth(const Move *m, const int64_t *at) {
    int64_t b = m->node->block_size, place = at[2] % b * b + at[3] % b;
    int64_t x[4] = {at[0], deep_channel(m, at[1], m->y->shape[1], place), at[2] / b, at[3] / b};
    return number_of(m->x, x);
}

static int64_t from_space(const Move *m, const int64_t *at) {
    int64_t b = m->node->block_size, channels = m->x->shape[1], place = at[1] / channels;
    int64_t x[4] = {at[0], at[1] % channels, at[2] * b + place / b, at[3] * b + place % b};
    return number_of(m->x, x);
}

/* The element of input *which that element `i` of the result is; -1: none, it is padding. */
static int64_t source(const Move *m, int64_t i, int32_t *which) {
    int64_t at[TSP_MAX_RANK];
    *which = 0;
    index_of(m->y, i, at);
    switch (m->node->op) {
    case TSP_GRAPH_CONCAT:
        return from_joined(m, at, which);
    case TSP_GRAPH_PAD:
        return from_padded(m, at);
    case TSP_GRAPH_TILE:
        for (int32_t d = 0; d < m->x->rank; d++) at[d] %= m->x->shape[d];
        return number_of(m->x, at);
    case TSP_GRAPH_GATHER:
        return from_gathered(m, at);
    case TSP_GRAPH_DEPTH_TO_SPACE:
        return from_depth(m, at);
    case TSP_GRAPH_SPACE_TO_DEPTH:
        return from_space(m, at);
    default: /* a Reshape: the same order */
        return i;
    }
}

/* A row of the element that a Pad puts in, in all lanes; *row -1 for zero, which needs none. */
static bool fill_row(Lowerer *l, const TspNode *node, int32_t *row, TspError *err) {
    const TspValue *v = node->op == TSP_GRAPH_PAD && node->input_count > 2 && node->inputs[2] >= 0
                            ? &l->graph->values[node->inputs[2]]
                            : NULL;
    size_t bytes = v ? (size_t)tsp_dtype_bytes(v->dtype) : 0;
    int64_t lanes = tsp_lanes(&l->module->machine);
    bool zero = true;
    uint8_t *data;
    *row = -1;
    for (size_t b = 0; b < bytes; b++) zero &= v->data[b] == 0;
    if (zero) return true;
    *row = lower_new_tensor(l, v->name, ".row", v->dtype, TSP_ROLE_CONSTANT, 1, &lanes, false, err);
    if (*row < 0) return false;
    data = malloc((size_t)lanes * bytes);
    if (!data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int64_t i = 0; i < lanes; i++) memcpy(data + (size_t)i * bytes, v->data, bytes);
    l->module->tensors[*row].data = data;
    return true;
}

/* Does each row of a view stand in as many rows of what it views? Then it is turned first: an
 * element of each would take a product for each. */
static bool stands_across(const Lowerer *l, int32_t value) {
    const TspValue *v = &l->graph->values[value], *of = &l->graph->values[l->views[value].value];
    return lower_is_view(l, value) && v->rank > 0 && of->rank > 0 && v->shape[v->rank - 1] > 1 &&
           llabs(l->views[value].stride[v->rank - 1]) >= of->shape[of->rank - 1];
}

/* Element `i` of a value in its own ROWWISE tensor, or in that of what it views. */
static Origin place_of(const Lowerer *l, int32_t value, int64_t i, int32_t tensor) {
    const TspValue *v = &l->graph->values[value];
    const View *view = &l->views[value];
    int64_t element = view->offset;
    int32_t cols = l->module->tensors[tensor].cols;
    if (stands_across(l, value)) return (Origin){tensor, (int32_t)(i / cols), (int32_t)(i % cols)};
    for (int32_t d = v->rank - 1; d >= 0; d--) {
        element += i % v->shape[d] * view->stride[d];
        i /= v->shape[d];
    }
    return (Origin){tensor, (int32_t)(element / cols), (int32_t)(element % cols)};
}

bool lower_movement(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    Move m = {g, node, &g->values[node->inputs[0]], &g->values[node->output], node->axis, {0}};
    int64_t elements = tsp_value_elements(m.y);
    int32_t out = lower_oriented(l, node->output, ROWWISE, err), tensor[TSP_NODE_INPUTS], fill;
    Origin *origins;
    bool ok;
    if (out < 0 || !fill_row(l, node, &fill, err)) return false;
    for (int32_t i = 0; i < (node->op == TSP_GRAPH_CONCAT ? node->input_count : 1); i++) {
        int32_t value = node->inputs[i];
        if (!stands_across(l, value)) value = l->views[value].value;
        if ((tensor[i] = lower_oriented(l, value, ROWWISE, err)) < 0) return false;
    }
    if (m.axis < 0) m.axis += m.x->rank;
    if (node->op == TSP_GRAPH_PAD) tsp_pad_before(g, node, m.before);
    if (!(origins = malloc((size_t)elements * sizeof *origins)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int64_t i = 0; i < elements; i++) {
        int32_t which, lanes = tsp_lanes(&l->module->machine);
        int64_t from = source(&m, i, &which);
        int32_t col = (int32_t)(i % l->module->tensors[out].cols);
        origins[i] = from >= 0 ? place_of(l, node->inputs[which], from, tensor[which])
                               : (Origin){fill, 0, col % lanes};
    }
    ok = lower_fill(l, out, origins, err);
    free(origins);
    return ok;
}

/* Ones where Trilu leaves an element, for one matrix. */
static int32_t triangle(Lowerer *l, const TspNode *node, TspDtype type, TspError *err) {
    const TspValue *y = &l->graph->values[node->output];
    const int64_t *shape = &y->shape[y->rank - 2];
    size_t bytes = (size_t)tsp_dtype_bytes(type);
    int32_t diagonal = 0, mask;
    uint8_t *data;
    if (node->input_count > 1 && node->inputs[1] >= 0)
        memcpy(&diagonal, l->graph->values[node->inputs[1]].data, sizeof diagonal);
    mask = lower_new_tensor(l, y->name, ".triangle", type, TSP_ROLE_CONSTANT, 2, shape, false, err);
    if (mask < 0) return -1;
    if (!(data = calloc((size_t)(shape[0] * shape[1]), bytes)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int64_t i = 0; i < shape[0] * shape[1]; i++) {
        int64_t beyond = i % shape[1] - i / shape[1] - diagonal;
        data[(size_t)i * bytes] = node->upper ? beyond >= 0 : beyond <= 0; /* little-endian */
    }
    l->module->tensors[mask].data = data;
    l->module->tensors[mask].contiguous = true;
    return mask;
}

bool lower_trilu(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *y = &l->graph->values[node->output];
    const TspDtype type = lower_bits(y->dtype);
    int32_t rows = (int32_t)y->shape[y->rank - 2], cols = (int32_t)y->shape[y->rank - 1];
    int32_t from = lower_oriented(l, node->inputs[0], ROWWISE, err),
            mask = triangle(l, node, type, err), out;
    if (from < 0 || mask < 0 || (out = lower_oriented(l, node->output, ROWWISE, err)) < 0)
        return false;
    l->module->tensors[from].contiguous = true;
    for (int32_t row = 0; row < l->module->tensors[out].rows; row += rows) {
        Stage *s = lower_new_stage(l, "triangle", rows, cols, err);
        From x, ones;
        if (!s) return false;
        x = stage_operand(s, from, row, 1);
        ones = stage_operand(s, mask, 0, 1);
        lower_output(l, s, stage_step(s, TSP_OP_MASK, type, type, x, ones, 0), out, row);
    }
    return true;
}
