/* interpret_quantize.c - QuantizeLinear, DequantizeLinear and BatchNormalization: elements with
 * numbers that belong to their place along one axis.
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

/* The quotient rounded to nearest, ties to even, NaN as 0, and saturated. */
static double quantized(TspDtype type, double x, double scale, double zero) {
    const double y = x != x ? 0 : nearbyint(x / scale);
    return clamp(type, clamp(TSP_I32, y) + zero);
}

/* The machine multiplies by the inverse, in float32. What rounding makes of both ends of x more or
 * less its error. */
static void quantize(const TspOperand *x, double scale, double zero, TspResult *out, int64_t i) {
    const TspDtype type = out->value->dtype;
    const double v = number(x, i), y = quantized(type, v, scale, zero);
    const double error = error_of(x, i) + 0x1p-22 * fabs(v);
    tsp_store_int(type, out->data, i, (int64_t)y);
    out->tolerance[i] = fmax(quantized(type, v + error, scale, zero) - y,
                             y - quantized(type, v - error, scale, zero));
    if (v != v || isinf(v)) out->tolerance[i] = 0;
}

/* x - zero is exact, or of int32 rounded; then the product is, to float32 first. */
static void dequantize(const TspOperand *x, double scale, double zero, TspResult *out, int64_t i) {
    const TspDtype type = out->value->dtype;
    const float whole = (float)(number(x, i) - zero), y = (float)((double)whole * scale);
    double error = error_of(x, i) * scale;
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
        const double scale = number(&in[1], at), zero = in[2].value ? number(&in[2], at) : 0;
        if (node->op == TSP_GRAPH_QUANTIZE_LINEAR)
            quantize(&in[0], scale, zero, out, i);
        else
            dequantize(&in[0], scale, zero, out, i);
    }
    return true;
}

/* Inputs: x, scale, B, mean, variance. The machine has two numbers for the last four, each rounded
 * to float32, and rounds twice. */
bool tsp_interpret_batch_norm(const TspNode *node, int32_t lanes, const TspOperand *in,
                              TspResult *out) {
    const TspValue *v = out->value;
    const int64_t elements = tsp_value_elements(v);
    (void)lanes;
    if (!(out->tolerance = malloc((size_t)elements * sizeof *out->tolerance))) return false;
    for (int64_t i = 0; i < elements; i++) {
        const int64_t at = along(v, 1, i);
        const double factor = number(&in[1], at) / sqrt(number(&in[4], at) + node->epsilon);
        const double x = number(&in[0], i), mean = number(&in[3], at), bias = number(&in[2], at);
        const double y = factor * (x - mean) + bias, term = fabs(bias - mean * factor);
        double error = 0;
        if (isfinite(y)) {
            error = fabs(factor) * error_of(&in[0], i) + 3 * 0x1p-24 * (fabs(factor * x) + term) +
                    4 * 0x1p-149;
            error += tsp_ulp(v->dtype, fabs(y) + error);
        }
        tsp_store_float(v->dtype, out->data, i, y);
        out->tolerance[i] = error;
    }
    return true;
}
