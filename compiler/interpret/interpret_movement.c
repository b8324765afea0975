/* interpret_movement.c - the operators that only relabel or move elements: for each element of the
 * result, the index of the one it is, by ONNX's definitions.
 */
#include "interpret_parts.h"
#include "compiler/number.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const TspNode *node;
    const TspOperand *in;
    const TspValue *y;
} Move;

/* Row-major number of an index. */
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

static int64_t list_length(const Move *m, int32_t input) {
    const TspOperand *list = &m->in[input];
    return input < m->node->input_count && list->value ? tsp_value_elements(list->value) : 0;
}

static int64_t list_at(const Move *m, int32_t input, int64_t i) {
    return tsp_load_int(TSP_I32, m->in[input].data, i);
}

/* The axis of the first operand that number i of a list of axes means: axis i without a list. */
static int64_t axis_at(const Move *m, int32_t input, int64_t i) {
    int64_t axis = list_length(m, input) ? list_at(m, input, i) : i;
    return axis < 0 ? axis + m->in[0].value->rank : axis;
}

/* ---- where element `index` of the result comes from: index `x` of operand `*which`; false: from
 * none ---- */

static bool same_order(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    (void)which;
    index_of(m->in[0].value, number_of(m->y, index), x);
    return true;
}

static bool from_transposed(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    int32_t rank = m->y->rank;
    (void)which;
    for (int32_t d = 0; d < rank; d++) {
        int64_t axis = m->node->axis_count ? m->node->axes[d] : rank - 1 - d;
        x[axis < 0 ? axis + rank : axis] = index[d];
    }
    return true;
}

static bool from_split(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    int64_t axis = m->node->axis < 0 ? m->node->axis + m->y->rank : m->node->axis;
    int64_t size = m->in[0].value->shape[axis], parts = m->node->parts;
    (void)which;
    memcpy(x, index, sizeof *x * (size_t)m->y->rank);
    for (int32_t i = 0; i < m->node->part; i++)
        x[axis] += list_length(m, 1) ? list_at(m, 1, i) : (size + parts - 1) / parts;
    return true;
}

static bool from_sliced(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    (void)which;
    memcpy(x, index, sizeof *x * (size_t)m->y->rank);
    for (int64_t i = 0; i < list_length(m, 1); i++) {
        int64_t axis = axis_at(m, 3, i), size = m->in[0].value->shape[axis];
        int64_t step = list_length(m, 4) ? list_at(m, 4, i) : 1, start = list_at(m, 1, i);
        if (start < 0) start += size;
        if (start < 0) start = 0;
        if (start >= size) start = size - 1; /* only when stepping backwards: else it is empty */
        x[axis] = start + index[axis] * step;
    }
    return true;
}

static bool from_expanded(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    const TspValue *v = m->in[0].value;
    (void)which;
    for (int32_t d = 0; d < v->rank; d++) x[d] = index[m->y->rank - v->rank + d] % v->shape[d];
    return true;
}

static bool from_joined(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    int64_t axis = m->node->axis < 0 ? m->node->axis + m->y->rank : m->node->axis;
    memcpy(x, index, sizeof *x * (size_t)m->y->rank);
    while (x[axis] >= m->in[*which].value->shape[axis])
        x[axis] -= m->in[(*which)++].value->shape[axis];
    return true;
}

/* Step by step back into the axis: from the mirrors at both ends, or by whole lengths. */
static int64_t mirrored(int64_t at, int64_t size) {
    while (size > 1 && (at < 0 || at >= size)) at = at < 0 ? -at : 2 * (size - 1) - at;
    return size > 1 ? at : 0;
}
static int64_t wrapped(int64_t at, int64_t size) {
    while (at < 0) at += size;
    while (at >= size) at -= size;
    return at;
}

static bool from_padded(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    int64_t axes = list_length(m, 1) / 2;
    (void)which;
    memcpy(x, index, sizeof *x * (size_t)m->y->rank);
    for (int64_t i = 0; i < axes; i++) x[axis_at(m, 3, i)] -= list_at(m, 1, i);
    for (int32_t d = 0; d < m->y->rank; d++) {
        const int64_t size = m->in[0].value->shape[d];
        if (m->node->pad_mode == TSP_PAD_REFLECT) x[d] = mirrored(x[d], size);
        if (m->node->pad_mode == TSP_PAD_WRAP) x[d] = wrapped(x[d], size);
        if (m->node->pad_mode == TSP_PAD_EDGE && x[d] < 0) x[d] = 0;
        if (m->node->pad_mode == TSP_PAD_EDGE && x[d] >= size) x[d] = size - 1;
        if (x[d] < 0 || x[d] >= size) return false;
    }
    return true;
}

/* Computed indices may be too far out: no element is there. */
static bool from_gathered(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    const TspValue *v = m->in[0].value, *indices = m->in[1].value;
    int64_t axis = m->node->axis < 0 ? m->node->axis + v->rank : m->node->axis;
    (void)which;
    for (int64_t d = 0; d < axis; d++) x[d] = index[d];
    x[axis] = list_at(m, 1, number_of(indices, index + axis));
    if (x[axis] < 0) x[axis] += v->shape[axis];
    for (int64_t d = axis + 1; d < v->rank; d++) x[d] = index[d - 1 + indices->rank];
    return x[axis] >= 0 && x[axis] < v->shape[axis];
}

static bool from_triangle(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    int64_t diagonal = list_length(m, 1) ? list_at(m, 1, 0) : 0;
    int64_t beyond = index[m->y->rank - 1] - index[m->y->rank - 2] - diagonal;
    (void)which;
    memcpy(x, index, sizeof *x * (size_t)m->y->rank);
    return m->node->upper ? beyond >= 0 : beyond <= 0;
}

static bool from_depth(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    int64_t b = m->node->block_size, place = index[2] % b * b + index[3] % b;
    (void)which;
    x[0] = index[0];
    x[1] = m->node->columns_first ? index[1] * b * b + place : place * m->y->shape[1] + index[1];
    x[2] = index[2] / b;
    x[3] = index[3] / b;
    return true;
}

static bool from_space(const Move *m, const int64_t *index, int32_t *which, int64_t *x) {
    int64_t b = m->node->block_size, channels = m->in[0].value->shape[1];
    int64_t place = index[1] / channels;
    (void)which;
    x[0] = index[0];
    x[1] = index[1] % channels;
    x[2] = index[2] * b + place / b;
    x[3] = index[3] * b + place % b;
    return true;
}

typedef bool Origin(const Move *m, const int64_t *index, int32_t *which, int64_t *x);
static Origin *const origins[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_RESHAPE] = same_order,        [TSP_GRAPH_FLATTEN] = same_order,
    [TSP_GRAPH_SQUEEZE] = same_order,        [TSP_GRAPH_UNSQUEEZE] = same_order,
    [TSP_GRAPH_TRANSPOSE] = from_transposed, [TSP_GRAPH_SPLIT] = from_split,
    [TSP_GRAPH_SLICE] = from_sliced,         [TSP_GRAPH_EXPAND] = from_expanded,
    [TSP_GRAPH_TILE] = from_expanded,        [TSP_GRAPH_CONCAT] = from_joined,
    [TSP_GRAPH_PAD] = from_padded,           [TSP_GRAPH_GATHER] = from_gathered,
    [TSP_GRAPH_TRILU] = from_triangle,       [TSP_GRAPH_DEPTH_TO_SPACE] = from_depth,
    [TSP_GRAPH_SPACE_TO_DEPTH] = from_space,
};

/* Where an index carries a tolerance the element may be any. */
static void doubt_indices(const Move *m, TspResult *out) {
    const TspValue *v = m->in[0].value;
    const int64_t axis = m->node->axis < 0 ? m->node->axis + v->rank : m->node->axis;
    for (int64_t i = 0; i < tsp_value_elements(out->value); i++) {
        int64_t index[TSP_MAX_RANK];
        index_of(out->value, i, index);
        if (m->in[1].tolerance[number_of(m->in[1].value, index + axis)] > 0)
            out->tolerance[i] = INFINITY;
    }
}

bool tsp_interpret_movement(const TspNode *node, int32_t lanes, const TspOperand in[4],
                            TspResult *out) {
    const Move m = {node, in, out->value};
    const size_t bytes = (size_t)tsp_dtype_bytes(out->value->dtype);
    const int64_t elements = tsp_value_elements(out->value);
    const bool fills = node->op == TSP_GRAPH_PAD && list_length(&m, 2);
    bool tolerant = false;
    (void)lanes;
    for (int32_t i = 0; i < node->input_count; i++) tolerant |= in[i].tolerance != NULL;
    if (tolerant && !(out->tolerance = calloc((size_t)elements, sizeof *out->tolerance)))
        return false;
    for (int64_t i = 0; i < elements; i++) {
        int64_t index[TSP_MAX_RANK], x[TSP_MAX_RANK] = {0}, from;
        int32_t which = 0;
        uint8_t *to = out->data + (size_t)i * bytes;
        index_of(out->value, i, index);
        if (!origins[node->op](&m, index, &which, x)) {
            memset(to, 0, bytes);
            if (fills) memcpy(to, in[2].data, bytes);
            continue;
        }
        from = number_of(in[which].value, x);
        memcpy(to, in[which].data + (size_t)from * bytes, bytes);
        if (in[which].tolerance) out->tolerance[i] = in[which].tolerance[from];
    }
    if (node->op == TSP_GRAPH_GATHER && in[1].tolerance) doubt_indices(&m, out);
    return true;
}
