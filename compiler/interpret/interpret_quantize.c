/* interpret_quantize.c - what quantizes, and BatchNormalization: elements with numbers that belong
 * to their place along one axis.
 */
#include "interpret_parts.h"
#include "compiler/number.h"

#include <stdlib.h>

/* Index along an axis of element i. */
static int64_t along(const TspValue *v, int64_t axis, int64_t i) {
    for (int32_t d = v->rank - 1; d > axis; d--) i /= v->shape[d];
    return i % v->shape[axis];
}

static double number(const TspOperand *p, int64_t i) {
    return tsp_load_double(p->value->dtype, p->data, i);
}

static double error_of(const TspOperand *p, int64_t i) {
    return p->tolerance ? p->tolerance[i] : 0;
}

static double clamp(TspDtype type, double y) {
    return fmin(fmax(y, (double)tsp_dtype_least(type)), (double)tsp_dtype_greatest(type));
}

/* A number that belongs to an element, and its tolerance. */
typedef struct {
    double value, error;
} Beside;

static Beside beside(const TspOperand *p, int64_t i) {
    if (!p->value) return (Beside){0, 0};
    return (Beside){number(p, i), error_of(p, i)};
}

/* The quotient rounded to nearest, ties to even, NaN as 0, and saturated. */
static double quantized(TspDtype type, double x, double scale, double zero) {
    const double y = x / scale;
    return clamp(type, clamp(TSP_I32, y != y ? 0 : nearbyint(y)) + zero);
}

/* The machine divides, or multiplies by the inverse, in float32: what rounding makes of the ends of
 * x and scale, each more or less its error. */
static void quantize(const TspOperand *x, Beside scale, Beside zero, TspResult *out, int64_t i) {
    const TspDtype type = out->value->dtype;
    const double v = number(x, i), y = quantized(type, v, scale.value, zero.value);
    const double error = error_of(x, i) + 0x1p-22 * fabs(v);
    double t = 0;
    tsp_store_int(type, out->data, i, (int64_t)y);
    for (int ends = 0; ends < 4; ends++) {
        const double s = scale.value + (ends & 1 ? scale.error : -scale.error);
        t = fmax(t, fabs(quantized(type, v + (ends & 2 ? error : -error), s, zero.value) - y));
    }
    if (v != v || isinf(v)) t = 0;
    if (scale.error > 0 && !(fabs(scale.value) > scale.error)) t = UINT16_MAX;
    out->tolerance[i] = t + zero.error;
}

/* x - zero is exact, or of int32 rounded; then the product is, to float32 first. */
static void dequantize(const TspOperand *x, Beside scale, Beside zero, TspResult *out, int64_t i) {
    const TspDtype type = out->value->dtype;
    const float whole = (float)(number(x, i) - zero.value),
                y = (float)((double)whole * scale.value);
    const double off = error_of(x, i) + zero.error;
    double error = off * (fabs(scale.value) + scale.error) + fabs((double)whole) * scale.error;
    if (error > 0) error += tsp_ulp(type, fabs((double)y) + error);
    tsp_store_float(type, out->data, i, (double)y);
    out->tolerance[i] = error;
}

bool tsp_interpret_quantize(const TspNode *node, int32_t lanes, const TspOperand *in,
                            TspResult *out) {
    const TspValue *v = out->value;
    const int64_t elements = tsp_value_elements(v), scales = tsp_value_elements(in[1].value);
    const int64_t axis = node->axis < 0 ? node->axis + v->rank : node->axis;
    (void)lanes;
    if (!(out->tolerance = malloc((size_t)elements * sizeof *out->tolerance))) return false;
    for (int64_t i = 0; i < elements; i++) {
        const int64_t at = scales > 1 ? along(v, axis, i) : 0;
        if (node->op == TSP_GRAPH_QUANTIZE_LINEAR)
            quantize(&in[0], beside(&in[1], at), beside(&in[2], at), out, i);
        else
            dequantize(&in[0], beside(&in[1], at), beside(&in[2], at), out, i);
    }
    return true;
}

/* The range of x with 0 in it takes 255 steps. */
static Beside dynamic_scale(const TspOperand *x, double *least) {
    double low = 0, high = 0, carried = 0;
    for (int64_t i = 0; i < tsp_value_elements(x->value); i++) {
        const double v = number(x, i);
        if (v < low || v != v) low = v;
        if (v > high || v != v) high = v;
        carried = fmax(carried, error_of(x, i));
    }
    *least = low;
    return (Beside){(high - low) / UINT8_MAX,
                    2 * carried / UINT8_MAX + 0x1p-22 * (high - low) / UINT8_MAX};
}

/* Where 0 lies among the steps; off where what is rounded may be on either side. */
static Beside dynamic_zero(double least, Beside scale) {
    const double zero = quantized(TSP_U8, -least, scale.value, 0);
    const double less = quantized(TSP_U8, -least, scale.value + scale.error, 0);
    const double more = quantized(TSP_U8, -least, scale.value - scale.error, 0);
    return (Beside){zero, fmax(fabs(zero - less), fabs(zero - more))};
}

/* Parts: y, its scale, its zero point. */
bool tsp_interpret_dynamic(const TspNode *node, int32_t lanes, const TspOperand *in,
                           TspResult *out) {
    enum { Y, SCALE };
    const int64_t elements = tsp_value_elements(out->value);
    double least;
    const Beside scale = dynamic_scale(&in[0], &least), zero = dynamic_zero(least, scale);
    (void)lanes;
    if (!(out->tolerance = malloc((size_t)elements * sizeof *out->tolerance))) return false;
    if (node->part == SCALE) {
        tsp_store_float(TSP_F32, out->data, 0, scale.value);
        out->tolerance[0] = scale.error;
        return true;
    }
    if (node->part != Y) {
        tsp_store_int(TSP_U8, out->data, 0, (int64_t)zero.value);
        out->tolerance[0] = zero.error;
        return true;
    }
    for (int64_t i = 0; i < elements; i++) quantize(&in[0], scale, zero, out, i);
    return true;
}

/* What is off in scale / sqrt(var + epsilon), the factor of a channel: nothing that counts if the
 * host knows all, which the caller adds; else what its operands carry and seven roundings. */
static double factor_error(const TspNode *node, const TspOperand *in, int64_t at, double factor) {
    const double sum = number(&in[4], at) + node->epsilon, off = error_of(&in[4], at);
    const double least = off > 0 ? 1 / sqrt(sum - off) : 1 / sqrt(sum);
    bool known = true;
    for (int i = 1; i < 5; i++) known &= in[i].value->data != NULL;
    if (known) return 0;
    if (off > 0 && !(sum - off > 0)) return INFINITY;
    return 7 * 0x1p-24 * fabs(factor) + error_of(&in[1], at) * least +
           fabs(number(&in[1], at)) * (least - 1 / sqrt(sum));
}

/* Inputs: x, scale, B, mean, variance. The machine has two numbers for the last four, each rounded
 * to float32, and rounds twice. */
static void batch_norm(const TspNode *node, const TspOperand *in, int64_t i, int64_t at,
                       TspResult *out) {
    const TspDtype type = out->value->dtype;
    const double factor = number(&in[1], at) / sqrt(number(&in[4], at) + node->epsilon);
    const double x = number(&in[0], i), mean = number(&in[3], at), bias = number(&in[2], at);
    const double y = factor * (x - mean) + bias, off = factor_error(node, in, at, factor);
    const double term = fabs(bias - mean * factor) + (off > 0 ? fabs(mean * factor) : 0);
    double error = 0;
    if (isinf(off)) {
        error = off;
    } else if (isfinite(y)) {
        error = fabs(factor) * error_of(&in[0], i) + 3 * 0x1p-24 * (fabs(factor * x) + term) +
                4 * 0x1p-149;
        error += (fabs(x - mean) + error_of(&in[0], i)) * off +
                 (fabs(factor) + off) * error_of(&in[3], at) + error_of(&in[2], at);
        error += tsp_ulp(type, fabs(y) + error);
    }
    tsp_store_float(type, out->data, i, y);
    out->tolerance[i] = error;
}

bool tsp_interpret_batch_norm(const TspNode *node, int32_t lanes, const TspOperand *in,
                              TspResult *out) {
    const int64_t elements = tsp_value_elements(out->value);
    (void)lanes;
    if (!(out->tolerance = malloc((size_t)elements * sizeof *out->tolerance))) return false;
    for (int64_t i = 0; i < elements; i++) batch_norm(node, in, i, along(out->value, 1, i), out);
    return true;
}
