/* interpret_norm.c - products, norms and Softmax of a vector, in double.
 *
 * The machine works in float32, in an order of its own; tolerances are what that may cost
 * (docs/graph-format.md, "Tolerances").
 */
#include "interpret_axes.h"
#include "compiler/number.h"

#include <math.h>
#include <stdlib.h>

#define ROUNDING 0x1p-24  /* of float32, relative */
#define LEAST    0x1p-149 /* what float32 cannot be finer than */
#define OVERFLOW 0x1.ffffffp127

static bool add_tolerance(TspResult *out, int64_t elements) {
    out->tolerance = calloc((size_t)elements, sizeof *out->tolerance);
    return out->tolerance != NULL;
}

static double carried(const TspOperand *x, int64_t i) {
    return x->tolerance ? x->tolerance[i] : 0;
}

/* Modulo 2^32; of magnitudes that carry a tolerance, anything. */
static bool int_prod(const TspOperand *x, TspResult *out) {
    uint32_t y = 1;
    for (int64_t i = 0; i < tsp_value_elements(x->value); i++)
        y *= (uint32_t)tsp_load_int(TSP_I32, x->data, i);
    tsp_store_int(TSP_I32, out->data, 0, (int32_t)y);
    if (!x->tolerance) return true;
    if (!add_tolerance(out, 1)) return false;
    for (int64_t i = 0; i < tsp_value_elements(x->value); i++)
        if (x->tolerance[i] > 0) out->tolerance[0] = 0x1p32;
    return true;
}

bool tsp_interpret_prod(const TspNode *node, int32_t lanes, const TspOperand in[4],
                        TspResult *out) {
    const TspDtype type = out->value->dtype;
    const int64_t n = tsp_value_elements(in[0].value);
    /* the product, of magnitudes, with their tolerances, and the greatest of any part of it */
    double y = 1, magnitude = 1, most = 1, part = 1, t;
    (void)node;
    (void)lanes;
    if (!tsp_dtype_is_float(type)) return int_prod(&in[0], out);
    for (int64_t i = 0; i < n; i++) {
        double v = tsp_load_double(type, in[0].data, i), d = carried(&in[0], i);
        y *= v;
        magnitude *= fabs(v);
        most *= fabs(v) + d;
        part *= fmax(fabs(v) + d, 1);
    }
    tsp_store_float(type, out->data, 0, y);
    if (!in[0].tolerance && n == 1) return true;
    if (!add_tolerance(out, 1)) return false;
    t = most - magnitude + (double)n * (ROUNDING * most + LEAST * part);
    if (part > OVERFLOW)
        t = INFINITY;
    else
        t += tsp_ulp(type, fabs(y) + t);
    out->tolerance[0] = isfinite(y) || part > OVERFLOW ? t : 0;
    return true;
}

static bool int_norm(bool squared, const TspOperand *x, TspResult *out) {
    uint32_t y = 0;
    bool exact = true;
    for (int64_t i = 0; i < tsp_value_elements(x->value); i++) {
        uint32_t v = (uint32_t)tsp_load_int(TSP_I32, x->data, i);
        y += squared ? v * v : v >> 31 ? 0u - v : v;
        exact &= carried(x, i) == 0;
    }
    tsp_store_int(TSP_I32, out->data, 0, (int32_t)y);
    if (exact) return true;
    if (!add_tolerance(out, 1)) return false;
    out->tolerance[0] = 0x1p32;
    return true;
}

/* What the machine may be off with the sum of |x| or x^2, beside its last rounding. */
static double norm_error(bool squared, const TspOperand *x, int32_t lanes, double *sum) {
    const TspDtype type = x->value->dtype;
    const int64_t n = tsp_value_elements(x->value);
    double more = 0, roundings = (n > 1 ? tsp_sum_roundings(n, lanes) : 0) + 1;
    *sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = fabs(tsp_load_double(type, x->data, i)), d = carried(x, i);
        *sum += squared ? v * v : v;
        more += squared ? (2 * v + d) * d : d;
    }
    if (!squared && n == 1) return more;
    return more + roundings * ROUNDING * (*sum + more) + (squared ? (double)n * LEAST : 0);
}

bool tsp_interpret_norm(const TspNode *node, int32_t lanes, const TspOperand in[4],
                        TspResult *out) {
    const TspDtype type = out->value->dtype;
    const bool squared = node->op != TSP_GRAPH_REDUCE_L1, root = node->op == TSP_GRAPH_REDUCE_L2;
    double y, t;
    if (!tsp_dtype_is_float(type)) return int_norm(squared, &in[0], out);
    t = norm_error(squared, &in[0], lanes, &y);
    if (root && y > OVERFLOW) y = INFINITY;
    if (root) {
        double least = y > t ? sqrt(y - t) : 0;
        y = sqrt(y);
        t = y - least + 5 * ROUNDING * y;
    }
    tsp_store_float(type, out->data, 0, y);
    if (!add_tolerance(out, 1)) return false;
    out->tolerance[0] = t > 0 ? t + tsp_ulp(type, y + t) : 0;
    return true;
}

bool tsp_interpret_softmax(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out) {
    enum { OTHERS = 8 }; /* roundings: of x - m, e, 1 / sum (four at most), the product */
    const TspDtype type = out->value->dtype;
    const int64_t n = tsp_value_elements(in[0].value);
    const double roundings = (n > 1 ? tsp_sum_roundings(n, lanes) : 0) + OTHERS;
    double greatest = -INFINITY, sum = 0, apart = 0;
    (void)node;
    if (!add_tolerance(out, n)) return false;
    for (int64_t i = 0; i < n; i++) {
        double v = tsp_load_double(type, in[0].data, i);
        if (v > greatest || v != v) greatest = v;
        apart = fmax(apart, carried(&in[0], i));
    }
    for (int64_t i = 0; i < n; i++) sum += exp(tsp_load_double(type, in[0].data, i) - greatest);
    for (int64_t i = 0; i < n; i++) {
        double d = tsp_load_double(type, in[0].data, i) - greatest, y = exp(d) / sum;
        double t = y * (ROUNDING * (fabs(d) + roundings) * 2 + expm1(2 * apart)) + LEAST;
        tsp_store_float(type, out->data, i, y);
        out->tolerance[i] = t == t ? t + tsp_ulp(type, y + t) : 0;
    }
    return true;
}
