/* quantize.c - scales and zero points that are not known: what quantizes by them is
 * made of nodes that need not know them.
 */
#include "build.h"
#include "compiler/graph/graph_shape.h"
#include "compiler/number.h"

static bool is_known(const Build *b, const TspNode *n, int32_t i) {
    return i >= n->input_count || n->inputs[i] < 0 || b->given->values[n->inputs[i]].data;
}

static bool is_given(const TspNode *n, int32_t i) {
    return i < n->input_count && n->inputs[i] >= 0;
}

static int32_t clip(Build *b, int32_t x, TspDtype type, double low, double high) {
    const int32_t in[3] = {x, build_scalar(b, type, low), build_scalar(b, type, high)};
    return build_node(b, build_plain(TSP_GRAPH_CLIP, 3, in));
}

/* ---- QuantizeLinear, DequantizeLinear ---- */

/* Input i, one for all or one for each index along the axis, so that it broadcasts to input 0. */
static int32_t along_axis(Build *b, const TspNode *n, int32_t i) {
    const TspValue *x = &b->given->values[n->inputs[0]], *v = &b->given->values[n->inputs[i]];
    const int64_t elements = tsp_value_elements(v);
    int64_t shape[TSP_MAX_RANK];
    if (elements == 1) return v->rank ? build_reshape(b, n->inputs[i], 0, NULL) : n->inputs[i];
    for (int32_t d = 0; d < TSP_MAX_RANK; d++) shape[d] = d ? 1 : elements;
    return build_reshape(b, n->inputs[i],
                         x->rank - (int32_t)(n->axis < 0 ? n->axis + x->rank : n->axis), shape);
}

/* To the nearest whole number, as int32 that is far from its ends, plus the zero point (-1: none),
 * saturated. */
static int32_t saturated(Build *b, int32_t y, int32_t zero, TspDtype type) {
    enum { FAR = 1 << 24 };
    y = build_cast(b, clip(b, build_one(b, TSP_GRAPH_ROUND, y), TSP_F32, -FAR, FAR), TSP_I32);
    if (zero >= 0) y = build_two(b, TSP_GRAPH_ADD, y, build_cast(b, zero, TSP_I32));
    y = clip(b, y, TSP_I32, (double)tsp_dtype_least(type), (double)tsp_dtype_greatest(type));
    return build_cast(b, y, type);
}

static int32_t quantized(Build *b, int32_t x, int32_t scale, int32_t zero, TspDtype type) {
    x = build_cast(b, x, TSP_F32);
    return saturated(b, build_two(b, TSP_GRAPH_DIV, x, build_cast(b, scale, TSP_F32)), zero, type);
}

bool expand_quantize(Build *b, const TspNode *n) {
    int32_t zero = -1;
    if (is_known(b, n, 1) && is_known(b, n, 2)) return false;
    if (is_given(n, 2)) zero = along_axis(b, n, 2);
    build_finish(b, quantized(b, n->inputs[0], along_axis(b, n, 1), zero,
                              b->given->values[n->output].dtype));
    return true;
}

bool expand_dequantize(Build *b, const TspNode *n) {
    int32_t y = n->inputs[0], scale;
    if (is_known(b, n, 1) && is_known(b, n, 2)) return false;
    y = build_cast(b, y, TSP_I32);
    if (is_given(n, 2))
        y = build_two(b, TSP_GRAPH_SUB, y, build_cast(b, along_axis(b, n, 2), TSP_I32));
    scale = build_cast(b, along_axis(b, n, 1), TSP_F32);
    build_finish(b, build_two(b, TSP_GRAPH_MUL, build_cast(b, y, TSP_F32), scale));
    return true;
}

/* ---- DynamicQuantizeLinear ---- */

static int32_t extreme(Build *b, TspGraphOp reduce, TspGraphOp op, int32_t x) {
    TspNode r = build_plain(reduce, 1, &x);
    r.keepdims = false;
    for (int32_t d = 0; d < b->given->values[x].rank; d++) r.axes[r.axis_count++] = d;
    return build_two(b, op, build_node(b, r), build_scalar(b, TSP_F32, 0));
}

/* The range with 0 in it takes 255 steps; the zero point is where 0 lies among them. */
static void find_range(Build *b, int32_t x) {
    const int32_t low = extreme(b, TSP_GRAPH_REDUCE_MIN, TSP_GRAPH_MIN, x),
                  high = extreme(b, TSP_GRAPH_REDUCE_MAX, TSP_GRAPH_MAX, x);
    int32_t zero;
    b->dynamic.x = x;
    b->dynamic.scale = build_two(b, TSP_GRAPH_DIV, build_two(b, TSP_GRAPH_SUB, high, low),
                                 build_scalar(b, TSP_F32, UINT8_MAX));
    zero = build_two(b, TSP_GRAPH_DIV, build_one(b, TSP_GRAPH_NEG, low), b->dynamic.scale);
    b->dynamic.zero = build_cast(b, build_one(b, TSP_GRAPH_ROUND, zero), TSP_U8);
}

bool expand_dynamic(Build *b, const TspNode *n) {
    enum { Y, SCALE, ZERO };
    const int32_t x = n->inputs[0];
    if (b->dynamic.x != x) find_range(b, x);
    build_finish(b, n->part == SCALE  ? b->dynamic.scale
                    : n->part == ZERO ? b->dynamic.zero
                                      : quantized(b, x, b->dynamic.scale, b->dynamic.zero, TSP_U8));
    return true;
}

/* ---- MatMulInteger ---- */

/* A row of `rows` or column of `columns` ones, that a product takes beside a matrix. */
static int32_t ones(Build *b, TspDtype type, bool vector, int64_t rows, int64_t columns) {
    TspValue *v = build_known(b, type, vector ? 1 : 2,
                              vector ? (int64_t[]){rows * columns, 0} : (int64_t[]){rows, columns});
    for (int64_t i = 0; v && i < rows * columns; i++) v->data[i] = 1;
    return v ? b->graph.value_count - 1 : -1;
}

static int32_t product(Build *b, int32_t x, int32_t w, int32_t x_zero, int32_t w_zero) {
    const int32_t in[4] = {x, w, x_zero, w_zero};
    return build_node(b, build_plain(TSP_GRAPH_MATMUL_INTEGER, 4, in));
}

/* A number for all, or for each row or column, so that it broadcasts to the product. */
static int32_t beside(Build *b, int32_t v, bool rows) {
    const TspValue *value = &b->given->values[v];
    const int64_t elements = tsp_value_elements(value), shape[2] = {elements, 1};
    if (value->rank == 0 || (value->rank == 1 && elements > 1 && !rows)) return v;
    if (elements == 1) return build_reshape(b, v, 0, NULL);
    return value->rank == 1 ? build_reshape(b, v, 2, shape) : v;
}

static int32_t zero_point(Build *b, int32_t zero, bool rows) {
    return build_cast(b, beside(b, zero, rows), TSP_I32);
}

/* A zero point that the product does not take: computed, or of each matrix of a batch its own. */
static bool stands_apart(const Build *b, const TspNode *n, int32_t i) {
    return is_given(n, i) && (!is_known(b, n, i) || b->given->values[n->inputs[i]].rank > 1);
}

/* The sum of (A - a)(B - b) is that of A B, less b times the sums of A's rows, less a times those
 * of B's columns, which b is taken from first. */
static int32_t integer_product(Build *b, const TspNode *n) {
    const TspValue *v = b->given->values, *x = &v[n->inputs[0]], *w = &v[n->inputs[1]];
    const int64_t depth = x->shape[x->rank - 1];
    const bool has_a = stands_apart(b, n, 2), has_b = stands_apart(b, n, 3);
    const int32_t a = !has_a && is_given(n, 2) ? n->inputs[2] : -1,
                  known_b = !has_b && is_given(n, 3) ? n->inputs[3] : -1;
    int32_t y, sums, zero = -1;
    y = product(b, n->inputs[0], n->inputs[1], a, known_b);
    if (has_b) {
        zero = zero_point(b, n->inputs[3], false);
        sums = product(b, n->inputs[0], ones(b, TSP_I8, w->rank == 1, depth, 1), a, -1);
        y = build_two(b, TSP_GRAPH_SUB, y, build_two(b, TSP_GRAPH_MUL, sums, zero));
    }
    if (has_a) {
        sums = product(b, ones(b, TSP_U8, x->rank == 1, 1, depth), n->inputs[1], -1, known_b);
        if (has_b)
            sums = build_two(
                b, TSP_GRAPH_SUB, sums,
                build_two(b, TSP_GRAPH_MUL, zero, build_scalar(b, TSP_I32, (double)depth)));
        zero = zero_point(b, n->inputs[2], w->rank > 1);
        y = build_two(b, TSP_GRAPH_SUB, y, build_two(b, TSP_GRAPH_MUL, sums, zero));
    }
    return y;
}

bool expand_matmul_integer(Build *b, const TspNode *n) {
    if (!stands_apart(b, n, 2) && !stands_apart(b, n, 3)) return false;
    build_finish(b, integer_product(b, n));
    return true;
}

/* ---- QLinearMatMul ---- */

/* Whether it is what lower_qlinear.c takes: all known, in float32, with one number of A and of the
 * result. */
static bool is_plain(const Build *b, const TspNode *n) {
    static const bool one[8] = {[1] = true, [2] = true, [6] = true, [7] = true};
    for (int32_t i = 1; i < 8; i++) {
        const TspValue *v = &b->given->values[n->inputs[i]];
        if (i == 3) continue;
        if (!v->data || v->rank > 1 || v->dtype == TSP_F16) return false;
        if (one[i] && tsp_value_elements(v) > 1) return false;
    }
    return true;
}

bool expand_qlinear_matmul(Build *b, const TspNode *n) {
    const bool matrix = b->given->values[n->inputs[3]].rank > 1;
    TspNode sums = *n;
    int32_t y, scale, other;
    if (is_plain(b, n)) return false;
    sums.inputs[1] = n->inputs[3];
    sums.inputs[3] = n->inputs[5];
    sums.input_count = 4;
    y = build_cast(b, integer_product(b, &sums), TSP_F32);
    scale = build_cast(b, beside(b, n->inputs[1], matrix), TSP_F32);
    other = build_cast(b, beside(b, n->inputs[4], false), TSP_F32);
    scale = build_two(b, TSP_GRAPH_MUL, scale, other);
    other = build_cast(b, beside(b, n->inputs[6], matrix), TSP_F32);
    scale = build_two(b, TSP_GRAPH_DIV, scale, other);
    y = build_two(b, TSP_GRAPH_MUL, y, scale);
    build_finish(
        b, saturated(b, y, beside(b, n->inputs[7], matrix), b->given->values[n->output].dtype));
    return true;
}
