/* interpret_whole.c - the mean and the norm of int32, of sums of any size, and logarithms of sums.
 */
#include "interpret_axes.h"
#include "compiler/number.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 Wide;

static double carried(const TspOperand *x, int64_t i) {
    return x->tolerance ? x->tolerance[i] : 0;
}

bool tsp_interpret_whole_mean(const TspNode *node, int32_t lanes, const TspOperand in[4],
                              TspResult *out) {
    const int64_t count = tsp_value_elements(in[0].value);
    int64_t sum = 0;
    double error = 0;
    (void)node;
    (void)lanes;
    for (int64_t i = 0; i < count; i++) {
        sum += tsp_load_int(TSP_I32, in[0].data, i);
        error += carried(&in[0], i);
    }
    tsp_store_int(TSP_I32, out->data, 0, sum / count);
    if (!in[0].tolerance) return true;
    if (!(out->tolerance = malloc(sizeof *out->tolerance))) return false;
    *out->tolerance = tsp_int_tolerance(TSP_I32, (double)(sum / count),
                                        error > 0 ? ceil(error / (double)count) : 0);
    return true;
}

/* The root without its fraction. */
static uint64_t root_of(Wide square) {
    uint64_t y = 0;
    for (int bit = 63; bit >= 0; bit--) {
        const uint64_t next = y | (uint64_t)1 << bit;
        if ((Wide)next * next <= square) y = next;
    }
    return y;
}

/* The machine finds the root from that of the sum in float32, off by so much of itself, and from
 * the sum modulo 2^32, which tells all where the root is near and not too great. */
static double root_error(double y, int64_t count, int32_t lanes) {
    const double off = ((count > 1 ? tsp_sum_roundings(count, lanes) : 0) + 8) * 0x1p-24;
    if (y < 0x1p24 - 2 && off < 0x1p-10 && 2 * y * y * off < 0x1p31 - 1) return 0;
    return y * off + 0x1p31 / (2 * y) + 2;
}

bool tsp_interpret_whole_norm(const TspNode *node, int32_t lanes, const TspOperand in[4],
                              TspResult *out) {
    const int64_t count = tsp_value_elements(in[0].value);
    Wide sum = 0;
    double more = 0, y, t;
    (void)node;
    for (int64_t i = 0; i < count; i++) {
        const int64_t v = llabs(tsp_load_int(TSP_I32, in[0].data, i));
        const double d = carried(&in[0], i);
        sum += (uint64_t)(v * v);
        more += (2 * (double)v + d) * d;
    }
    y = fmin((double)root_of(sum), INT32_MAX);
    tsp_store_int(TSP_I32, out->data, 0, (int64_t)y);
    if (!(out->tolerance = malloc(sizeof *out->tolerance))) return false;
    t = root_error((double)root_of(sum), count, lanes);
    if (more > 0) t = INT32_MAX;
    *out->tolerance = t;
    return true;
}

static double without_fraction(double y) {
    return y != y ? 0 : trunc(fmin(fmax(y, INT32_MIN), INT32_MAX));
}

/* What elements carry, and lose as float32. */
static double *rounding_errors(const TspOperand *x) {
    const int64_t count = tsp_value_elements(x->value);
    double *error = malloc((size_t)count * sizeof *error);
    for (int64_t i = 0; error && i < count; i++) {
        const double v = (double)tsp_load_int(TSP_I32, x->data, i), single = (double)(float)v;
        error[i] = carried(x, i) + fabs(v - single);
    }
    return error;
}

/* That of floats without its fraction. */
bool tsp_interpret_whole_log(const TspNode *node, int32_t lanes, const TspOperand in[4],
                             TspResult *out) {
    const TspValue single = {.dtype = TSP_F32};
    double *errors = rounding_errors(&in[0]), error, whole;
    const TspOperand x[4] = {{in[0].value, in[0].data, errors}};
    float y;
    TspResult real = {.value = &single, .data = (uint8_t *)&y};
    bool ok = errors && (node->op == TSP_GRAPH_REDUCE_LOG_SUM
                             ? tsp_interpret_log_sum(node, lanes, x, &real)
                             : tsp_interpret_log_sum_exp(node, lanes, x, &real));
    out->tolerance = malloc(sizeof *out->tolerance);
    if (ok && out->tolerance) {
        error = *real.tolerance;
        whole = without_fraction((double)y);
        tsp_store_int(TSP_I32, out->data, 0, (int64_t)whole);
        *out->tolerance = fmax(without_fraction((double)y + error) - whole,
                               whole - without_fraction((double)y - error));
    }
    free(errors);
    free(real.tolerance);
    return ok && out->tolerance;
}
