/* interpret_normalize.c - LayerNormalization, RMSNormalization and InstanceNormalization, in
 * double.
 *
 * The machine sums in fp32 and hands sums over lanes to the MXM as two or three halfs; the
 * tolerance is what that may cost (docs/graph-format.md, "Tolerances").
 */
#include "interpret_parts.h"
#include "compiler/number.h"

#include <stdlib.h>

/* A row of X; mean 0 where it does not count. */
typedef struct {
    int64_t first, cols;
    double mean, mean_error, variance, variance_error;
} Row;

/* Spacing of what the low half of a sum holds, in a lane. */
static const double low_half = 0x1p-36;

static double carried(const TspOperand *x, int64_t i) {
    return x->tolerance ? x->tolerance[i] : 0;
}

/* Error of the variance where it is small: for the sake of range the low half ends there. */
static double least_error(TspDtype type, double epsilon) {
    const double aim = epsilon * (type == TSP_F16 ? 0x1p-12 : 0x1p-16);
    return aim >= low_half ? aim : fmax(aim, low_half * 0x1p-11);
}

static void find_mean(const TspOperand *x, int32_t lanes, Row *row) {
    const double tiles = (double)((row->cols + lanes - 1) / lanes), n = (double)row->cols;
    double sum = 0, magnitude = 0, error = 0;
    for (int64_t i = row->first; i < row->first + row->cols; i++) {
        const double v = tsp_load_double(x->value->dtype, x->data, i);
        sum += v;
        magnitude += fabs(v);
        error += carried(x, i);
    }
    row->mean = sum / n;
    row->mean_error =
        (0x1p-21 + (tiles + 4) * 0x1p-24) * (magnitude + error) / n + error / n + 4 * low_half;
}

/* The error of the mean moves all deviations alike, and they add up to nothing. */
static void find_variance(const TspOperand *x, int32_t lanes, double least, Row *row) {
    const double tiles = (double)((row->cols + lanes - 1) / lanes), n = (double)row->cols;
    double squares = 0, error = 0;
    for (int64_t i = row->first; i < row->first + row->cols; i++) {
        const double d = tsp_load_double(x->value->dtype, x->data, i) - row->mean;
        const double off = carried(x, i);
        squares += d * d;
        error += 2 * fabs(d) * off + off * off;
    }
    row->variance = squares / n;
    row->variance_error = error / n + row->mean_error * row->mean_error + least +
                          (0x1p-21 + (tiles + 8) * 0x1p-24) * (row->variance + error / n);
}

static double reciprocal_error(const Row *row, double epsilon) {
    const double want = 1 / sqrt(row->variance + epsilon);
    const double low = fmax(row->variance - row->variance_error, 0);
    const double less = want - 1 / sqrt(row->variance + row->variance_error + epsilon);
    return fmax(1 / sqrt(low + epsilon) - want, less) + 0x1p-22 * want;
}

/* Elements that are normalized together: from the axis on, or those of a channel. */
static int64_t elements_of_row(const TspNode *node, const TspValue *x) {
    const bool channels = node->op == TSP_GRAPH_INSTANCE_NORMALIZATION;
    int64_t axis = node->axis < 0 ? node->axis + x->rank : node->axis, elements = 1;
    for (int64_t d = channels ? 2 : axis; d < x->rank; d++) elements *= x->shape[d];
    return elements;
}

/* Where scale or bias of element i of X is: that of its channel, or what meets it. */
static int64_t beside(const TspNode *node, const TspOperand *v, const TspValue *x, int64_t i) {
    int64_t stride[TSP_MAX_RANK], at = 0;
    if (node->op == TSP_GRAPH_INSTANCE_NORMALIZATION)
        return i / elements_of_row(node, x) % x->shape[1];
    tsp_broadcast_strides(v->value, x->rank, x->shape, stride);
    for (int32_t d = x->rank - 1; d >= 0; d--) {
        at += i % x->shape[d] * stride[d];
        i /= x->shape[d];
    }
    return at;
}

static void normalize(const TspNode *node, const TspOperand in[4], const Row *row, TspResult *out) {
    const TspDtype type = out->value->dtype;
    const double epsilon = (double)(float)node->epsilon;
    const double r = 1 / sqrt(row->variance + epsilon), r_error = reciprocal_error(row, epsilon);
    for (int64_t i = row->first; i < row->first + row->cols; i++) {
        const int64_t at = beside(node, &in[1], in[0].value, i);
        const double s = tsp_load_double(in[1].value->dtype, in[1].data, at),
                     s_error = carried(&in[1], at);
        const double d = tsp_load_double(in[0].value->dtype, in[0].data, i) - row->mean;
        const double d_error = row->mean_error + carried(&in[0], i) + 0x1p-24 * fabs(d);
        double y = d * r * s, t;
        t = (fabs(s) + s_error) * (fabs(d) * r_error + d_error * (r + r_error)) +
            fabs(d * r) * s_error + 0x1p-22 * fabs(y);
        if (in[2].value) {
            const int64_t b = beside(node, &in[2], in[0].value, i);
            y += tsp_load_double(type, in[2].data, b);
            t += carried(&in[2], b) + 0x1p-24 * fabs(y);
        }
        tsp_store_float(type, out->data, i, y);
        out->tolerance[i] = t + tsp_ulp(type, fabs(y) + t);
    }
}

bool tsp_interpret_normalize(const TspNode *node, int32_t lanes, const TspOperand in[4],
                             TspResult *out) {
    const TspValue *x = in[0].value;
    const int64_t elements = tsp_value_elements(x), cols = elements_of_row(node, x);
    const double least = least_error(x->dtype, node->epsilon);
    out->tolerance = calloc((size_t)elements, sizeof *out->tolerance);
    if (!out->tolerance) return false;
    for (int64_t first = 0; first < elements; first += cols) {
        Row row = {.first = first, .cols = cols};
        if (node->op != TSP_GRAPH_RMS_NORMALIZATION) find_mean(&in[0], lanes, &row);
        find_variance(&in[0], lanes, least, &row);
        normalize(node, in, &row, out);
    }
    return true;
}
