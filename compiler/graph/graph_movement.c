/* graph_movement.c - shapes of the operators that only relabel or move elements.
 *
 * Shapes, axes, starts and the like are initializers: they must be known before the shapes are.
 */
#include "graph_shape.h"

#include <string.h>

typedef struct {
    const TspGraph *g;
    const TspNode *node;
    TspValue *out;
    int32_t *blame;
    TspError *err;
} Infer;

enum { MOST_NUMBERS = 2 * TSP_MAX_RANK };
typedef struct {
    int64_t at[MOST_NUMBERS];
    int32_t count;
} Numbers;

static const TspValue *input(const TspGraph *g, const TspNode *node, int32_t i) {
    return i < node->input_count && node->inputs[i] >= 0 ? &g->values[node->inputs[i]] : NULL;
}

static Numbers load_numbers(const TspGraph *g, const TspNode *node, int32_t i) {
    const TspValue *v = input(g, node, i);
    Numbers n = {.count = v ? (int32_t)tsp_value_elements(v) : 0};
    for (int32_t k = 0; k < n.count; k++) {
        int32_t number;
        memcpy(&number, v->data + 4 * k, sizeof number);
        n.at[k] = number;
    }
    return n;
}

/* The numbers of input i, at most `most`; none if it is left out. */
static bool numbers(const Infer *f, int32_t i, int32_t most, Numbers *n) {
    const TspValue *v = input(f->g, f->node, i);
    *n = (Numbers){.count = 0};
    if (!v) return true;
    *f->blame = i;
    if (!v->data || v->dtype != TSP_I32 || v->rank > 1)
        return tsp_fail(f->err, TSP_ERR_INPUT,
                        "\"%s\" is no initializer of int64 or int32 numbers, a list; make it one",
                        v->name);
    if (tsp_value_elements(v) > most)
        return tsp_fail(f->err, TSP_ERR_INPUT, "\"%s\" has %lld numbers; write at most %d", v->name,
                        (long long)tsp_value_elements(v), (int)most);
    *n = load_numbers(f->g, f->node, i);
    *f->blame = -1;
    return true;
}

static bool fail_number(const Infer *f, int32_t i, int64_t number, const char *why) {
    *f->blame = i;
    return tsp_fail(f->err, TSP_ERR_INPUT, "%lld %s", (long long)number, why);
}

/* Axes counted from the front of `rank`, each once. Without any: all, in order. */
static bool place_axes(const Infer *f, int32_t blame, int32_t rank, Numbers *axes) {
    bool named[TSP_MAX_RANK] = {false};
    for (int32_t i = 0; i < axes->count; i++) {
        int64_t *axis = &axes->at[i], given = *axis;
        if (*axis < 0) *axis += rank;
        if (*axis < 0 || *axis >= rank)
            return fail_number(f, blame, given, "is no axis of the tensor; name one of its axes");
        if (named[*axis])
            return fail_number(f, blame, given, "is given twice among the axes; leave one out");
        named[*axis] = true;
    }
    return true;
}

static bool place_axis(const Infer *f, int32_t rank, int64_t *axis) {
    Numbers one = {{f->node->axis}, 1};
    bool ok = place_axes(f, -1, rank, &one);
    *axis = one.at[0];
    return ok;
}

static void take_shape(TspValue *out, const TspValue *v) {
    out->rank = v->rank;
    memcpy(out->shape, v->shape, sizeof v->shape);
}

static bool infer_reshape(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    int64_t elements = tsp_value_elements(x), known = 1;
    int32_t open = -1;
    Numbers n;
    if (!numbers(f, 1, TSP_MAX_RANK, &n)) return false;
    f->out->rank = n.count;
    for (int32_t i = 0; i < n.count; i++) {
        int64_t size = n.at[i];
        if (size == 0 && !f->node->allow_zero && i < x->rank) size = x->shape[i];
        if (size == -1 && open < 0)
            open = i, size = 1;
        else if (size < 1)
            return fail_number(f, 1, n.at[i], "is no size of a dimension; write 1 or more");
        if (known > elements / size)
            return fail_number(f, 1, n.at[i], "makes the new shape larger than the tensor");
        f->out->shape[i] = size;
        known *= size;
    }
    if (open >= 0 && elements % known == 0) {
        f->out->shape[open] = elements / known;
        known = elements;
    }
    return known == elements ||
           fail_number(f, 1, elements, "elements do not fit the new shape; make them agree");
}

static bool infer_flatten(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    int64_t axis = f->node->axis < 0 ? f->node->axis + x->rank : f->node->axis;
    if (axis < 0 || axis > x->rank)
        return fail_number(f, -1, f->node->axis,
                           "is no axis between dimensions of the tensor; name one");
    f->out->rank = 2;
    f->out->shape[0] = f->out->shape[1] = 1;
    for (int32_t d = 0; d < x->rank; d++) f->out->shape[d >= axis] *= x->shape[d];
    return true;
}

static bool infer_squeeze(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    bool gone[TSP_MAX_RANK] = {false};
    Numbers axes;
    if (!numbers(f, 1, TSP_MAX_RANK, &axes) || !place_axes(f, 1, x->rank, &axes)) return false;
    for (int32_t i = 0; i < axes.count; i++) {
        if (x->shape[axes.at[i]] != 1)
            return fail_number(f, 1, axes.at[i], "is an axis longer than 1; leave it out");
        gone[axes.at[i]] = true;
    }
    for (int32_t d = 0; d < x->rank; d++)
        if (axes.count ? !gone[d] : x->shape[d] != 1) f->out->shape[f->out->rank++] = x->shape[d];
    return true;
}

static bool infer_unsqueeze(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    bool made[TSP_MAX_RANK] = {false};
    Numbers axes;
    if (!numbers(f, 1, TSP_MAX_RANK, &axes)) return false;
    if (x->rank + axes.count > TSP_MAX_RANK)
        return fail_number(f, 1, x->rank + axes.count,
                           "dimensions are too many; the most are 8, reshape the tensor");
    f->out->rank = x->rank + axes.count;
    if (!place_axes(f, 1, f->out->rank, &axes)) return false;
    for (int32_t i = 0; i < axes.count; i++) made[axes.at[i]] = true;
    for (int32_t d = 0, from = 0; d < f->out->rank; d++)
        f->out->shape[d] = made[d] ? 1 : x->shape[from++];
    return true;
}

static bool infer_transpose(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    Numbers perm = {.count = f->node->axis_count};
    memcpy(perm.at, f->node->axes, sizeof f->node->axes);
    for (int32_t d = 0; d < x->rank && f->node->axis_count == 0; d++)
        perm.at[perm.count++] = x->rank - 1 - d;
    if (perm.count != x->rank)
        return fail_number(f, -1, perm.count,
                           "axes in \"perm\" are not all; name every axis of the tensor once");
    if (!place_axes(f, -1, x->rank, &perm)) return false;
    f->out->rank = x->rank;
    for (int32_t d = 0; d < x->rank; d++) f->out->shape[d] = x->shape[perm.at[d]];
    return true;
}

/* Where the part of a Split begins and how long it is; length below 1: it does not fit. */
static void split_part(const TspGraph *g, const TspNode *node, int64_t size, int64_t *start,
                       int64_t *length) {
    const TspValue *lengths = input(g, node, 1);
    *start = *length = 0;
    if (lengths) {
        for (int32_t i = 0; i <= node->part; i++) {
            int32_t number;
            memcpy(&number, lengths->data + 4 * i, sizeof number);
            *start += *length;
            *length = number;
        }
        return;
    }
    *length = (size + node->parts - 1) / node->parts;
    *start = *length * node->part;
    if (*start + *length > size) *length = size - *start;
}

static bool infer_split(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0), *lengths = input(f->g, f->node, 1);
    int32_t parts = f->node->parts;
    int64_t axis, start, length, sum = 0;
    if (!place_axis(f, x->rank, &axis)) return false;
    if (f->node->num_outputs && (lengths || f->node->num_outputs != parts))
        return fail_number(f, -1, f->node->num_outputs,
                           "in \"num_outputs\" is not how many outputs there are, or lengths are "
                           "given too; leave it out");
    if (lengths) {
        *f->blame = 1;
        if (!lengths->data || lengths->dtype != TSP_I32 || lengths->rank != 1 ||
            lengths->shape[0] != parts)
            return tsp_fail(f->err, TSP_ERR_INPUT,
                            "\"%s\" is no initializer of %d int64 or int32 numbers, one an output; "
                            "make it one",
                            lengths->name, (int)parts);
        for (int32_t i = 0; i < parts; i++) {
            int32_t number;
            memcpy(&number, lengths->data + 4 * i, sizeof number);
            if (number < 1) return fail_number(f, 1, number, "is no length; write 1 or more");
            sum += number;
        }
        if (sum != x->shape[axis])
            return fail_number(f, 1, sum, "is the sum of the lengths, not the length of the axis");
    } else if (!f->node->num_outputs && x->shape[axis] % parts) {
        return fail_number(f, 0, x->shape[axis],
                           "elements do not divide among the outputs; give their lengths");
    }
    split_part(f->g, f->node, x->shape[axis], &start, &length);
    if (length < 1)
        return fail_number(f, 0, x->shape[axis], "elements leave an output empty; split in fewer");
    take_shape(f->out, x);
    f->out->shape[axis] = length;
    return true;
}

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

/* ONNX: negative ends count from the back, and both are cut to the axis. */
static int64_t slice_length(int64_t size, int64_t *start, int64_t end, int64_t step) {
    if (*start < 0) *start += size;
    if (end < 0) end += size;
    *start = clamp(*start, 0, step > 0 ? size : size - 1);
    end = clamp(end, step > 0 ? 0 : -1, size);
    return step > 0 ? (end - *start + step - 1) / step : (*start - end - step - 1) / -step;
}

static bool infer_slice(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    Numbers starts, ends, axes, steps;
    if (!numbers(f, 1, TSP_MAX_RANK, &starts) || !numbers(f, 2, TSP_MAX_RANK, &ends) ||
        !numbers(f, 3, TSP_MAX_RANK, &axes) || !numbers(f, 4, TSP_MAX_RANK, &steps) ||
        !place_axes(f, 3, x->rank, &axes))
        return false;
    if (starts.count > x->rank || ends.count != starts.count ||
        (axes.count && axes.count != starts.count) || (steps.count && steps.count != starts.count))
        return fail_number(f, 1, starts.count,
                           "starts, and not as many ends, axes and steps; make them agree");
    take_shape(f->out, x);
    for (int32_t i = 0; i < starts.count; i++) {
        int64_t axis = axes.count ? axes.at[i] : i, step = steps.count ? steps.at[i] : 1;
        if (step == 0) return fail_number(f, 4, step, "is no step; write one that is not 0");
        f->out->shape[axis] = slice_length(x->shape[axis], &starts.at[i], ends.at[i], step);
        if (f->out->shape[axis] < 1)
            return fail_number(f, 1, starts.at[i],
                               "and its end leave no element; tensors have one at least");
    }
    return true;
}

void tsp_slice_steps(const TspGraph *g, const TspNode *node, int64_t start[TSP_MAX_RANK],
                     int64_t step[TSP_MAX_RANK]) {
    const TspValue *x = input(g, node, 0);
    for (int32_t d = 0; d < x->rank; d++) start[d] = 0, step[d] = 1;
    if (node->op == TSP_GRAPH_SPLIT) {
        int64_t axis = node->axis < 0 ? node->axis + x->rank : node->axis, length;
        split_part(g, node, x->shape[axis], &start[axis], &length);
        return;
    }
    Numbers starts = load_numbers(g, node, 1), ends = load_numbers(g, node, 2),
            axes = load_numbers(g, node, 3), steps = load_numbers(g, node, 4);
    for (int32_t i = 0; i < starts.count; i++) {
        int64_t axis = axes.count ? axes.at[i] : i;
        if (axis < 0) axis += x->rank;
        start[axis] = starts.at[i];
        if (steps.count) step[axis] = steps.at[i];
        slice_length(x->shape[axis], &start[axis], ends.at[i], step[axis]);
    }
}

static bool infer_expand(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    Numbers n;
    if (!numbers(f, 1, TSP_MAX_RANK, &n)) return false;
    for (int32_t i = 0; i < n.count; i++)
        if (n.at[i] < 1)
            return fail_number(f, 1, n.at[i], "is no size of a dimension; write 1 or more");
    *f->blame = 1;
    return tsp_broadcast_shape(x->rank, x->shape, n.count, n.at, &f->out->rank, f->out->shape) ||
           tsp_fail(f->err, TSP_ERR_INPUT,
                    "\"%s\" does not broadcast to this shape; counted from the last, each pair of "
                    "dimensions must be equal or 1",
                    x->name);
}

static bool infer_concat(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    int64_t axis;
    if (!place_axis(f, x->rank, &axis)) return false;
    take_shape(f->out, x);
    for (int32_t i = 1; i < f->node->input_count; i++) {
        const TspValue *v = input(f->g, f->node, i);
        bool fits = v && v->rank == x->rank && v->dtype == x->dtype;
        for (int32_t d = 0; fits && d < x->rank; d++)
            fits = d == axis || v->shape[d] == x->shape[d];
        *f->blame = i;
        if (!fits)
            return tsp_fail(f->err, TSP_ERR_INPUT,
                            "\"%s\" cannot be joined to \"%s\"; dtypes and, but for the axis, "
                            "shapes must be the same",
                            v ? v->name : "", x->name);
        f->out->shape[axis] += v->shape[axis];
    }
    return true;
}

static bool infer_pad(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0), *fill = input(f->g, f->node, 2);
    Numbers pads, axes;
    int32_t count;
    if (!numbers(f, 1, MOST_NUMBERS, &pads) || !numbers(f, 3, TSP_MAX_RANK, &axes) ||
        !place_axes(f, 3, x->rank, &axes))
        return false;
    count = axes.count ? axes.count : x->rank;
    if (pads.count != 2 * count)
        return fail_number(f, 1, pads.count,
                           "numbers to pad; write one before and one after for every axis");
    *f->blame = 2;
    if (fill && (!fill->data || fill->dtype != x->dtype || tsp_value_elements(fill) != 1))
        return tsp_fail(f->err, TSP_ERR_INPUT,
                        "\"%s\" is no initializer of one element of the dtype of \"%s\"; make it "
                        "one",
                        fill->name, x->name);
    take_shape(f->out, x);
    for (int32_t i = 0; i < count; i++) {
        int64_t axis = axes.count ? axes.at[i] : i;
        f->out->shape[axis] += pads.at[i] + pads.at[count + i];
        if (f->out->shape[axis] < 1)
            return fail_number(f, 1, pads.at[i], "takes all elements away; leave one at least");
    }
    return true;
}

void tsp_pad_before(const TspGraph *g, const TspNode *node, int64_t before[TSP_MAX_RANK]) {
    Numbers pads = load_numbers(g, node, 1), axes = load_numbers(g, node, 3);
    int32_t rank = input(g, node, 0)->rank;
    for (int32_t d = 0; d < rank; d++) before[d] = 0;
    for (int32_t i = 0; i < pads.count / 2; i++) {
        int64_t axis = axes.count ? axes.at[i] : i;
        before[axis < 0 ? axis + rank : axis] = pads.at[i];
    }
}

static bool infer_tile(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    Numbers repeats;
    if (!numbers(f, 1, TSP_MAX_RANK, &repeats)) return false;
    if (repeats.count != x->rank)
        return fail_number(f, 1, repeats.count, "repeats; write one for every dimension");
    take_shape(f->out, x);
    for (int32_t d = 0; d < x->rank; d++) {
        if (repeats.at[d] < 1 || repeats.at[d] > TSP_MAX_ELEMENTS / x->shape[d])
            return fail_number(f, 1, repeats.at[d], "is no number of repeats; write 1 or more");
        f->out->shape[d] *= repeats.at[d];
    }
    return true;
}

static bool infer_gather(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0), *indices = input(f->g, f->node, 1);
    int64_t axis;
    if (!place_axis(f, x->rank, &axis)) return false;
    *f->blame = 1;
    if (indices->dtype != TSP_I32)
        return tsp_fail(f->err, TSP_ERR_INPUT, "\"%s\" is %s, but indices are int32; insert a Cast",
                        indices->name, tsp_dtype_name(indices->dtype));
    if (x->rank - 1 + indices->rank > TSP_MAX_RANK)
        return fail_number(f, 1, x->rank - 1 + indices->rank,
                           "dimensions are too many; the most are 8, reshape the indices");
    for (int64_t i = 0; indices->data && i < tsp_value_elements(indices); i++) {
        int32_t index;
        memcpy(&index, indices->data + 4 * i, sizeof index);
        if (index < -x->shape[axis] || index >= x->shape[axis])
            return fail_number(f, 1, index, "is no index of the axis; it is too far out");
    }
    for (int32_t d = 0; d < axis; d++) f->out->shape[f->out->rank++] = x->shape[d];
    for (int32_t d = 0; d < indices->rank; d++) f->out->shape[f->out->rank++] = indices->shape[d];
    for (int64_t d = axis + 1; d < x->rank; d++) f->out->shape[f->out->rank++] = x->shape[d];
    return true;
}

static bool infer_trilu(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    Numbers diagonal;
    if (x->rank < 2)
        return fail_number(f, 0, x->rank, "dimensions; Trilu takes matrices, 2 dimensions or more");
    take_shape(f->out, x);
    return numbers(f, 1, 1, &diagonal);
}

/* Blocks of b x b elements of a plane against b * b channels; shapes are N, C, H, W. */
static bool infer_blocks(const Infer *f) {
    const TspValue *x = input(f->g, f->node, 0);
    int64_t b = f->node->block_size;
    bool deep = f->node->op == TSP_GRAPH_SPACE_TO_DEPTH;
    if (x->rank != 4)
        return fail_number(f, 0, x->rank,
                           "dimensions; 4 are taken: batch, channels, rows, columns");
    if (b > INT16_MAX || (deep ? x->shape[2] % b || x->shape[3] % b : x->shape[1] % (b * b)))
        return fail_number(f, 0, b, "as \"blocksize\" does not divide the shape; change one");
    f->out->rank = 4;
    f->out->shape[0] = x->shape[0];
    f->out->shape[1] = deep ? x->shape[1] * b * b : x->shape[1] / (b * b);
    for (int32_t d = 2; d < 4; d++) f->out->shape[d] = deep ? x->shape[d] / b : x->shape[d] * b;
    return true;
}

bool tsp_infer_movement(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                        TspError *err) {
    static bool (*const rules[TSP_GRAPH_OP_COUNT])(const Infer *f) = {
        [TSP_GRAPH_RESHAPE] = infer_reshape,
        [TSP_GRAPH_FLATTEN] = infer_flatten,
        [TSP_GRAPH_SQUEEZE] = infer_squeeze,
        [TSP_GRAPH_UNSQUEEZE] = infer_unsqueeze,
        [TSP_GRAPH_TRANSPOSE] = infer_transpose,
        [TSP_GRAPH_SPLIT] = infer_split,
        [TSP_GRAPH_SLICE] = infer_slice,
        [TSP_GRAPH_EXPAND] = infer_expand,
        [TSP_GRAPH_CONCAT] = infer_concat,
        [TSP_GRAPH_PAD] = infer_pad,
        [TSP_GRAPH_TILE] = infer_tile,
        [TSP_GRAPH_GATHER] = infer_gather,
        [TSP_GRAPH_TRILU] = infer_trilu,
        [TSP_GRAPH_DEPTH_TO_SPACE] = infer_blocks,
        [TSP_GRAPH_SPACE_TO_DEPTH] = infer_blocks};
    return rules[node->op](&(Infer){g, node, out, blame, err});
}
