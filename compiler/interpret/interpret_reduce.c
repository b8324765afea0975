/* interpret_reduce.c - sums, extremes and their places, in plain C.
 *
 * Integers are exact. Floats are summed in double with what each addition loses kept beside, so the
 * order does not matter here; the machine adds in fp32 in an order of its own, and the tolerance is
 * what that may cost (docs/graph-format.md, "Tolerances").
 */
#include "interpret_axes.h"
#include "compiler/number.h"

#include <stdlib.h>

double tsp_sum_roundings(int64_t elements, int32_t lanes) {
    if (!lanes) return (double)elements;
    double vectors = (double)((elements + lanes - 1) / lanes);
    return ceil(vectors / 8) + 32;
}

/* A lane's elements are summed in parts, their sums one after the other, then the lanes. */
static double cum_sum_roundings(int64_t elements, int32_t lanes) {
    double vectors = (double)((elements + lanes - 1) / lanes);
    return ceil(vectors / 16) + 96;
}

static bool needs_tolerance(const TspOperand *x, TspResult *out, bool rounds) {
    if (!x->tolerance && !rounds) return true;
    out->tolerance = calloc(1, sizeof *out->tolerance);
    return out->tolerance != NULL;
}

static void sum_ints(const TspOperand *x, TspResult *out) {
    int64_t elements = tsp_value_elements(x->value), sum = 0;
    double carried = 0;
    for (int64_t i = 0; i < elements; i++) {
        sum += tsp_load_int(x->value->dtype, x->data, i);
        if (x->tolerance) carried += x->tolerance[i];
    }
    tsp_store_int(out->value->dtype, out->data, 0, sum);
    if (out->tolerance)
        out->tolerance[0] = tsp_int_tolerance(out->value->dtype, (double)sum, carried);
}

/* Sum of the elements, of what its roundings lost, of their magnitudes, and of their tolerances. */
typedef struct {
    double sum, lost, magnitude, carried;
} Sums;

static const Sums no_sums = {-0.0, 0, 0, 0}; /* -0 if all elements are */

static void add_element(Sums *s, const TspOperand *x, int64_t i) {
    double v = tsp_load_double(x->value->dtype, x->data, i), next = s->sum + v;
    s->lost += fabs(s->sum) >= fabs(v) ? (s->sum - next) + v : (v - next) + s->sum;
    s->sum = next;
    s->magnitude += fabs(v);
    if (x->tolerance) s->carried += x->tolerance[i];
}

static double whole_sum(const Sums *s) {
    return isfinite(s->sum) && s->lost != 0 ? s->sum + s->lost : s->sum;
}

bool tsp_interpret_sum(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out) {
    const TspDtype type = out->value->dtype;
    const int64_t elements = tsp_value_elements(in[0].value);
    const bool mean = node->op == TSP_GRAPH_REDUCE_MEAN, is_float = tsp_dtype_is_float(type);
    if (!needs_tolerance(&in[0], out, is_float && elements > 1)) return false;
    if (!is_float) return sum_ints(&in[0], out), true;
    Sums s = no_sums;
    for (int64_t i = 0; i < elements; i++) add_element(&s, &in[0], i);
    double result = mean ? whole_sum(&s) / (double)elements : whole_sum(&s);
    tsp_store_float(type, out->data, 0, result);
    if (!out->tolerance) return true;
    double t = tsp_sum_roundings(elements, lanes) * 0x1p-24 * (s.magnitude + s.carried) + s.carried;
    if (mean) t = t / (double)elements + 0x1p-22 * (fabs(result) + t / (double)elements);
    out->tolerance[0] = t > 0 ? t + tsp_ulp(type, fabs(result) + t) : 0;
    return true;
}

/* Elements first, first + step, .. one after the other, each with the sum of those before it. */
typedef struct {
    int64_t first, step, count;
    bool exclusive;
} Run;

/* Integers modulo 2^32. */
static void cum_sum_ints(const TspOperand *x, const Run *run, TspResult *out) {
    int64_t sum = 0;
    double carried = 0;
    for (int64_t k = 0, i = run->first; k < run->count; k++, i += run->step) {
        const int64_t at = run->exclusive ? i - run->step : i; /* what this adds */
        if (!run->exclusive || k) {
            sum += tsp_load_int(TSP_I32, x->data, at);
            if (x->tolerance) carried += x->tolerance[at];
        }
        tsp_store_int(TSP_I32, out->data, i, sum);
        if (out->tolerance) out->tolerance[i] = tsp_int_tolerance(TSP_I32, (double)sum, carried);
    }
}

static void cum_sum_floats(const TspOperand *x, const Run *run, double roundings, TspResult *out) {
    const TspDtype type = out->value->dtype;
    Sums s = no_sums;
    for (int64_t k = 0, i = run->first; k < run->count; k++, i += run->step) {
        double t;
        if (!run->exclusive) add_element(&s, x, i);
        if (run->exclusive && k) add_element(&s, x, i - run->step);
        tsp_store_float(type, out->data, i, run->exclusive && !k ? 0 : whole_sum(&s));
        if (!out->tolerance) continue;
        t = roundings * (s.magnitude + s.carried) + s.carried;
        out->tolerance[i] = t > 0 ? t + tsp_ulp(type, fabs(s.sum) + t) : 0;
    }
}

bool tsp_interpret_cum_sum(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out) {
    const TspValue *v = out->value;
    const int64_t elements = tsp_value_elements(v), axis = tsp_load_int(TSP_I32, in[1].data, 0);
    const double roundings = cum_sum_roundings(elements, lanes) * 0x1p-24;
    int64_t inner = 1, count = v->shape[axis < 0 ? axis + v->rank : axis];
    for (int64_t d = (axis < 0 ? axis + v->rank : axis) + 1; d < v->rank; d++) inner *= v->shape[d];
    if (in[0].tolerance || (tsp_dtype_is_float(v->dtype) && count > 1)) {
        out->tolerance = calloc((size_t)elements, sizeof *out->tolerance);
        if (!out->tolerance) return false;
    }
    for (int64_t i = 0; i < elements / count; i++) {
        const int64_t first = i / inner * inner * count + i % inner;
        Run run = {first, inner, count, node->exclusive};
        if (node->reverse) run = (Run){first + inner * (count - 1), -inner, count, node->exclusive};
        if (tsp_dtype_is_float(v->dtype))
            cum_sum_floats(&in[0], &run, roundings, out);
        else
            cum_sum_ints(&in[0], &run, out);
    }
    return true;
}

/* Whether the machine would put a before b: +0 is greater than -0. */
static bool precedes(double a, double b, bool greatest) {
    if (a == b && a == 0) return greatest ? signbit(b) && !signbit(a) : signbit(a) && !signbit(b);
    return greatest ? a > b : a < b;
}

bool tsp_interpret_extreme(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out) {
    const TspDtype type = out->value->dtype;
    const bool greatest = node->op == TSP_GRAPH_REDUCE_MAX;
    double best = tsp_load_double(type, in[0].data, 0), carried = 0;
    (void)lanes;
    if (!needs_tolerance(&in[0], out, false)) return false;
    for (int64_t i = 0; i < tsp_value_elements(in[0].value); i++) {
        double v = tsp_load_double(type, in[0].data, i);
        if (best == best && (v != v || precedes(v, best, greatest))) best = v;
        if (in[0].tolerance && carried < in[0].tolerance[i]) carried = in[0].tolerance[i];
    }
    if (tsp_dtype_is_float(type))
        tsp_store_float(type, out->data, 0, best);
    else
        tsp_store_int(type, out->data, 0, (int64_t)best);
    if (out->tolerance) out->tolerance[0] = carried;
    return true;
}

/* Operands that carry a tolerance may be largest anywhere: then any index passes. A NaN gives the
 * index that equal elements would. */
bool tsp_interpret_arg(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out) {
    const double sign = node->op == TSP_GRAPH_ARG_MIN ? -1 : 1;
    const TspDtype type = in[0].value->dtype;
    const int64_t elements = tsp_value_elements(in[0].value);
    int64_t at = 0;
    double best = sign * tsp_load_double(type, in[0].data, 0);
    (void)lanes;
    if (!needs_tolerance(&in[0], out, false)) return false;
    for (int64_t i = 0; i < elements && best == best; i++) {
        double v = sign * tsp_load_double(type, in[0].data, i);
        if (v == v && !(node->select_last ? v >= best : v > best)) continue;
        best = v;
        at = i;
    }
    if (best != best) at = node->select_last ? elements - 1 : 0;
    tsp_store_int(TSP_I32, out->data, 0, at);
    if (out->tolerance) out->tolerance[0] = (double)elements;
    return true;
}
