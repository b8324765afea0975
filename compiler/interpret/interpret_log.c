/* interpret_log.c - logarithms of sums of a vector, in double.
 *
 * The machine works in float32, in an order of its own; tolerances are what that may cost
 * (docs/graph-format.md, "Tolerances").
 */
#include "interpret_axes.h"
#include "compiler/number.h"

#include <math.h>
#include <stdlib.h>

static const double ROUNDING = 0x1p-24; /* of float32, relative */
enum { LOGARITHM = 4 };                 /* roundings that it is off at most */

/* ln of the sum of e^(x - m) with m the greatest, and how far the machine may be from it. */
typedef struct {
    double greatest, log, error;
    double apart; /* the greatest tolerance that an element carries */
} Sum;

static double carried(const TspOperand *x, int64_t i) {
    return x->tolerance ? x->tolerance[i] : 0;
}

static double element(const TspOperand *x, int64_t i) {
    return tsp_load_double(x->value->dtype, x->data, i);
}

static double roundings_of(const TspOperand *x, int32_t lanes) {
    const int64_t n = tsp_value_elements(x->value);
    return n > 1 ? tsp_sum_roundings(n, lanes) : 0;
}

/* x - m is off by a rounding of itself, and so e^(x - m) by as much of its share of the sum. */
static Sum sum_of(const TspOperand *x, int32_t lanes) {
    const int64_t n = tsp_value_elements(x->value);
    Sum s = {.greatest = -INFINITY};
    double sum = 0, far = 0;
    for (int64_t i = 0; i < n; i++) {
        const double v = element(x, i);
        if (v > s.greatest || v != v) s.greatest = v;
        s.apart = fmax(s.apart, carried(x, i));
    }
    for (int64_t i = 0; i < n; i++) {
        const double d = element(x, i) - s.greatest, e = exp(d);
        sum += e;
        if (e > 0) far += fabs(d) * e;
    }
    s.log = log(sum);
    s.error = ROUNDING * (roundings_of(x, lanes) + 2 + far / sum + LOGARITHM * fabs(s.log));
    return s;
}

static bool set_tolerance(TspResult *out, int64_t i, double y, double t) {
    out->tolerance[i] = t > 0 ? t + tsp_ulp(out->value->dtype, fabs(y) + t) : 0;
    return true;
}

static bool add_tolerance(TspResult *out) {
    out->tolerance = calloc((size_t)tsp_value_elements(out->value), sizeof *out->tolerance);
    return out->tolerance != NULL;
}

bool tsp_interpret_log_softmax(const TspNode *node, int32_t lanes, const TspOperand in[4],
                               TspResult *out) {
    const Sum s = sum_of(&in[0], lanes);
    (void)node;
    if (!add_tolerance(out)) return false;
    for (int64_t i = 0; i < tsp_value_elements(out->value); i++) {
        const double d = element(&in[0], i) - s.greatest, y = d - s.log;
        tsp_store_float(out->value->dtype, out->data, i, y);
        set_tolerance(out, i, y, ROUNDING * (fabs(d) + fabs(y)) + s.error + 2 * s.apart);
    }
    return true;
}

/* The machine gives infinities as they are: a sum of e^x beyond all, or of nothing but e^-inf. */
bool tsp_interpret_log_sum_exp(const TspNode *node, int32_t lanes, const TspOperand in[4],
                               TspResult *out) {
    const Sum s = sum_of(&in[0], lanes);
    const double y = isinf(s.greatest) ? s.greatest : s.greatest + s.log;
    (void)node;
    if (!add_tolerance(out)) return false;
    tsp_store_float(out->value->dtype, out->data, 0, y);
    return set_tolerance(out, 0, y, ROUNDING * fabs(y) + s.error + s.apart);
}

/* Anything where the sum may be zero or less. */
bool tsp_interpret_log_sum(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out) {
    double sum = -0.0, size = 0, more = 0, t, y;
    (void)node;
    if (!add_tolerance(out)) return false;
    for (int64_t i = 0; i < tsp_value_elements(in[0].value); i++) {
        const double v = element(&in[0], i);
        sum += v;
        size += fabs(v);
        more += carried(&in[0], i);
    }
    y = log(sum);
    tsp_store_float(out->value->dtype, out->data, 0, y);
    t = more + ROUNDING * roundings_of(&in[0], lanes) * (size + more);
    if (t > 0 && fabs(sum) <= t) return out->tolerance[0] = INFINITY, true;
    return set_tolerance(out, 0, y,
                         t > 0 ? -log1p(-t / sum) + LOGARITHM * ROUNDING * fabs(y)
                               : LOGARITHM * ROUNDING * fabs(y));
}
