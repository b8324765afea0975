/* graph_known.c - element-wise operators of several inputs, and of inputs that have to be known:
 * scales, zero points, exponents, the statistics of a normalization.
 */
#include "graph_shape.h"
#include "compiler/number.h"

#include <string.h>

typedef struct {
    const TspGraph *g;
    const TspNode *node;
    int32_t *blame;
    TspError *err;
} Check;

/* Input i, to blame from now on; NULL if it is left out. */
static const TspValue *input(const Check *c, int32_t i) {
    *c->blame = i;
    return i < c->node->input_count && c->node->inputs[i] >= 0 ? &c->g->values[c->node->inputs[i]]
                                                               : NULL;
}

static void same_shape(const TspValue *x, TspValue *out) {
    out->rank = x->rank;
    memcpy(out->shape, x->shape, sizeof x->shape);
}

bool tsp_infer_several(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                       TspError *err) {
    same_shape(&g->values[node->inputs[0]], out);
    for (int32_t i = 1; i < node->input_count; i++) {
        const TspValue before = *out, *v;
        *blame = i;
        if (node->inputs[i] < 0)
            return tsp_fail(err, TSP_ERR_INPUT, "%s needs each input named; take out the empty one",
                            tsp_graph_op_name(node->op));
        v = &g->values[node->inputs[i]];
        if (!tsp_broadcast_shape(before.rank, before.shape, v->rank, v->shape, &out->rank,
                                 out->shape))
            return tsp_fail(err, TSP_ERR_INPUT,
                            "\"%s\" does not broadcast to the inputs before it; counted from the "
                            "last, each pair of dimensions must be equal or 1",
                            v->name);
    }
    return true;
}

static bool is_float(const TspValue *v) {
    return tsp_dtype_is_float(v->dtype);
}

/* A float tensor of `count` elements along an axis, or with `scalar` perhaps of one. */
static bool check_numbers(const Check *c, const TspValue *v, int64_t count, bool scalar) {
    if (!is_float(v))
        return tsp_fail(c->err, TSP_ERR_INPUT, "\"%s\" is %s; make it float32 or float16", v->name,
                        tsp_dtype_name(v->dtype));
    if ((scalar && tsp_value_elements(v) == 1 && v->rank < 2) ||
        (v->rank == 1 && v->shape[0] == count))
        return true;
    return tsp_fail(c->err, TSP_ERR_INPUT, "\"%s\" has a wrong shape; make it %s[%lld]", v->name,
                    scalar ? "a scalar or " : "", (long long)count);
}

/* ---- QuantizeLinear, DequantizeLinear ---- */

/* Elements along the axis of the scales; 0 where there is no such axis. */
static int64_t along_axis(const Check *c, const TspValue *x) {
    const int64_t axis = c->node->axis < 0 ? c->node->axis + x->rank : c->node->axis;
    return axis >= 0 && axis < x->rank ? x->shape[axis] : 0;
}

static bool check_scale(const Check *c, const TspValue *x) {
    const TspValue *scale = input(c, 1);
    const int64_t count = along_axis(c, x);
    if (tsp_value_elements(scale) > 1 && count == 0)
        return tsp_fail(c->err, TSP_ERR_INPUT,
                        "axis %lld of \"%s\", which has %d dimension%s; name one of its axes",
                        (long long)c->node->axis, x->name, (int)x->rank, x->rank == 1 ? "" : "s");
    if (!check_numbers(c, scale, count, true)) return false;
    for (int64_t i = 0; scale->data && i < tsp_value_elements(scale); i++) {
        const double s = tsp_load_double(scale->dtype, scale->data, i);
        if (!(s >= 0x1p-100 && s <= 0x1p100))
            return tsp_fail(c->err, TSP_ERR_INPUT, "scale \"%s\" holds %g; make it 2^-100 to 2^100",
                            scale->name, s);
    }
    return true;
}

/* dtype: what it has to be. */
static bool check_zero_point(const Check *c, TspDtype dtype) {
    const TspValue *scale = input(c, 1), *zero = input(c, 2);
    if (zero->dtype != dtype)
        return tsp_fail(c->err, TSP_ERR_INPUT, "zero point \"%s\" is %s; make it %s", zero->name,
                        tsp_dtype_name(zero->dtype), tsp_dtype_name(dtype));
    if (tsp_value_elements(zero) != tsp_value_elements(scale) || zero->rank > 1)
        return tsp_fail(c->err, TSP_ERR_INPUT,
                        "zero point \"%s\" has another shape than scale \"%s\"; make them the same",
                        zero->name, scale->name);
    for (int64_t i = 0; dtype == TSP_I32 && i < tsp_value_elements(zero); i++)
        if (!zero->data || tsp_load_int(dtype, zero->data, i) != 0)
            return tsp_fail(c->err, TSP_ERR_INPUT,
                            "zero point \"%s\" of int32 is not known to be zero; leave it out",
                            zero->name);
    return true;
}

/* The zero point says what the result is, else output_dtype, else uint8. */
static bool infer_quantize(const Check *c, const TspValue *x, TspValue *out) {
    const TspValue *zero = input(c, 2);
    const bool given = c->node->to != TSP_BOOL;
    const TspDtype dtype = given ? c->node->to : zero ? zero->dtype : TSP_U8;
    if (dtype != TSP_I8 && dtype != TSP_U8 && dtype != TSP_I16) {
        if (given) *c->blame = -1;
        return tsp_fail(c->err, TSP_ERR_INPUT,
                        "QuantizeLinear makes int8, uint8 or int16, not %s; give %s one of them",
                        tsp_dtype_name(dtype), given ? "\"output_dtype\"" : "the zero point");
    }
    out->dtype = dtype;
    return check_scale(c, x) && (!input(c, 2) || check_zero_point(c, dtype));
}

static bool infer_dequantize(const Check *c, const TspValue *x, TspValue *out) {
    input(c, 0);
    if (is_float(x) || x->dtype == TSP_BOOL)
        return tsp_fail(
            c->err, TSP_ERR_INPUT,
            "\"%s\" is %s, but DequantizeLinear takes int8, uint8, int16, int32; insert "
            "a Cast",
            x->name, tsp_dtype_name(x->dtype));
    out->dtype = input(c, 1)->dtype;
    return check_scale(c, x) && (!input(c, 2) || check_zero_point(c, x->dtype));
}

/* Outputs: y, its scale, its zero point. */
static bool infer_dynamic(const Check *c, TspValue *out) {
    enum { OUTPUTS = 3, SCALE = 1 };
    *c->blame = -1;
    if (c->node->parts != OUTPUTS)
        return tsp_fail(c->err, TSP_ERR_INPUT,
                        "DynamicQuantizeLinear has %d output%s; name y, y_scale and y_zero_point",
                        (int)c->node->parts, c->node->parts == 1 ? "" : "s");
    out->dtype = c->node->part == SCALE ? TSP_F32 : TSP_U8;
    if (c->node->part) out->rank = 0;
    return true;
}

/* ---- BatchNormalization ---- */

static bool infer_batch_norm(const Check *c, const TspValue *x) {
    const TspValue *variance;
    input(c, 0);
    if (x->rank < 2)
        return tsp_fail(c->err, TSP_ERR_INPUT,
                        "\"%s\" has %d dimension%s; BatchNormalization takes [N, C, ...]", x->name,
                        (int)x->rank, x->rank == 1 ? "" : "s");
    for (int32_t i = 1; i < 5; i++) {
        const TspValue *v = input(c, i);
        if (!v)
            return tsp_fail(c->err, TSP_ERR_INPUT,
                            "BatchNormalization needs this input; name a tensor");
        if (!check_numbers(c, v, x->shape[1], false)) return false;
    }
    variance = input(c, 4);
    for (int64_t i = 0; variance->data && i < x->shape[1]; i++) {
        const double sum = tsp_load_double(variance->dtype, variance->data, i) + c->node->epsilon;
        if (!(sum >= 0x1p-100))
            return tsp_fail(c->err, TSP_ERR_INPUT,
                            "variance \"%s\" and \"epsilon\" add up to %g; make it more than 0",
                            variance->name, sum);
    }
    return true;
}

/* ---- Pow, Clip, LeakyRelu, Celu ---- */

/* The result is of the base's type, whatever the exponent's. */
static bool infer_pow(const Check *c, const TspValue *x, TspValue *out) {
    const TspValue *y = input(c, 1);
    if (!is_float(x) && x->dtype != TSP_I32)
        return *c->blame = 0,
               tsp_fail(c->err, TSP_ERR_INPUT,
                        "\"%s\" is %s, but Pow takes int32, float16, float32; insert a Cast",
                        x->name, tsp_dtype_name(x->dtype));
    if (y->dtype == TSP_BOOL)
        return tsp_fail(c->err, TSP_ERR_INPUT,
                        "\"%s\" is bool, which is no exponent; insert a Cast", y->name);
    if (tsp_broadcast_shape(x->rank, x->shape, y->rank, y->shape, &out->rank, out->shape))
        return true;
    return tsp_fail(c->err, TSP_ERR_INPUT,
                    "\"%s\" does not broadcast to \"%s\"; counted from the last, each pair of "
                    "dimensions must be equal or 1",
                    y->name, x->name);
}

/* Known bounds become immediates. */
static bool infer_clip(const Check *c) {
    for (int32_t i = 1; i < c->node->input_count; i++) {
        const TspValue *bound = input(c, i);
        if (!bound) continue;
        if (bound->rank > 0)
            return tsp_fail(c->err, TSP_ERR_INPUT,
                            "\"%s\" has %d dimension%s; Clip takes scalar bounds, shape []",
                            bound->name, (int)bound->rank, bound->rank == 1 ? "" : "s");
    }
    return true;
}

/* alpha is used in the dtype of the operand, where it has to be a number. */
static bool infer_leaky_relu(const Check *c, const TspValue *x) {
    return x->dtype != TSP_F16 || fabs(c->node->alpha) <= 65504 ||
           tsp_fail(c->err, TSP_ERR_INPUT,
                    "\"alpha\" %g is beyond float16, which \"%s\" is; write at most 65504",
                    c->node->alpha, x->name);
}

static bool infer_celu(const Check *c) {
    return (c->node->alpha >= 0x1p-100 && c->node->alpha <= 0x1p100) ||
           tsp_fail(c->err, TSP_ERR_INPUT, "\"alpha\" of Celu is %g; make it 2^-100 to 2^100",
                    c->node->alpha);
}

bool tsp_check_factors(const TspNode *node, TspDtype type, TspError *err) {
    const struct {
        const char *name;
        double value;
    } factors[2] = {{"alpha", node->alpha}, {"beta", node->beta}};
    for (int i = 0; i < 2 && type == TSP_I32; i++)
        if (factors[i].value != floor(factors[i].value) || !(fabs(factors[i].value) <= INT32_MAX))
            return tsp_fail(err, TSP_ERR_INPUT,
                            "\"%s\" is %g; of int32 write a whole number of at most 2147483647",
                            factors[i].name, factors[i].value);
    return true;
}

bool tsp_infer_known(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                     TspError *err) {
    const Check c = {g, node, blame, err};
    const TspValue *x = &g->values[node->inputs[0]];
    same_shape(x, out);
    switch (node->op) {
    case TSP_GRAPH_QUANTIZE_LINEAR:
        return infer_quantize(&c, x, out);
    case TSP_GRAPH_DEQUANTIZE_LINEAR:
        return infer_dequantize(&c, x, out);
    case TSP_GRAPH_DYNAMIC_QUANTIZE_LINEAR:
        return infer_dynamic(&c, out);
    case TSP_GRAPH_BATCH_NORMALIZATION:
        return infer_batch_norm(&c, x);
    case TSP_GRAPH_POW:
        return infer_pow(&c, x, out);
    case TSP_GRAPH_CLIP:
        return infer_clip(&c);
    case TSP_GRAPH_LEAKY_RELU:
        return infer_leaky_relu(&c, x);
    default:
        return infer_celu(&c);
    }
}
