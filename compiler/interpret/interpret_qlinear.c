/* interpret_qlinear.c - QLinearMatMul of the host interpreter: the sums of MatMulInteger, and each
 * of them scaled, rounded and moved by plain arithmetic.
 */
#include "interpret_parts.h"
#include "compiler/number.h"

#include <math.h>
#include <stdlib.h>

static double limited(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

/* A number that belongs to an element of the result, and its tolerance. */
typedef struct {
    double value, error;
} Beside;

/* Of an operand that has one for all, or one for each row of A (column of B) or of all batches. */
static Beside beside(const TspOperand *p, const TspOperand *in, const TspValue *y, bool rows,
                     int64_t i) {
    const TspValue *a = in[0].value, *b = in[3].value;
    const int64_t columns = b->rank < 2 ? 1 : b->shape[b->rank - 1];
    int64_t stride[TSP_MAX_RANK], at = 0;
    if (p->value->rank == 1 && tsp_value_elements(p->value) > 1) {
        at = rows ? i / columns % a->shape[a->rank - 2] : i % columns;
    } else if (p->value->rank > 1) {
        tsp_broadcast_strides(p->value, y->rank, y->shape, stride);
        for (int32_t d = y->rank - 1; d >= 0; i /= y->shape[d--]) at += i % y->shape[d] * stride[d];
    }
    return (Beside){tsp_load_double(p->value->dtype, p->data, at),
                    p->tolerance ? p->tolerance[at] : 0};
}

/* Whether the machine has the three scales, one number of A and of the result, as the host does. */
static bool is_plain(const TspOperand *in) {
    static const bool one[8] = {[1] = true, [2] = true, [6] = true, [7] = true};
    for (int i = 1; i < 8; i++) {
        const TspValue *v = in[i].value;
        if (i == 3) continue;
        if (!v->data || v->rank > 1 || v->dtype == TSP_F16) return false;
        if (one[i] && tsp_value_elements(v) > 1) return false;
    }
    return true;
}

static double saturated(TspDtype type, double scaled, double zero) {
    const double rounded = scaled != scaled ? 0 : limited(rint(scaled), -0x1p31, 0x1p31 - 1);
    return limited(rounded + zero, type == TSP_U8 ? 0 : -128, type == TSP_U8 ? 255 : 127);
}

/* Each operation in float32, which the machine does alike. */
static double plain_factor(Beside a, Beside b, Beside y) {
    return (double)((float)a.value * (float)b.value / (float)y.value);
}

/* What is off in a b / y: what its operands carry, and four roundings. */
static double factor_error(Beside a, Beside b, Beside y) {
    const double size = fabs(a.value * b.value / y.value);
    if (y.error > 0 && fabs(y.value) <= y.error) return INFINITY;
    return size * ((1 + 0x1p-22) * (1 + a.error / fabs(a.value)) * (1 + b.error / fabs(b.value)) /
                       (1 - y.error / fabs(y.value)) -
                   1);
}

static void scale_sum(const TspOperand *in, const TspResult *sums, int64_t i, TspResult *out) {
    const TspDtype type = out->value->dtype;
    const double sum = (double)tsp_load_int(TSP_I32, sums->data, i);
    const double sum_error = sums->tolerance ? sums->tolerance[i] : 0;
    const Beside a = beside(&in[1], in, out->value, true, i),
                 b = beside(&in[4], in, out->value, false, i),
                 y = beside(&in[6], in, out->value, true, i),
                 zero = beside(&in[7], in, out->value, true, i);
    const bool plain = is_plain(in);
    const double factor = plain ? plain_factor(a, b, y) : a.value * b.value / y.value;
    const double scaled = plain ? (double)((float)sum * (float)factor) : sum * factor;
    const double result = saturated(type, scaled, zero.value);
    double error = sum_error * fabs(factor);
    tsp_store_int(type, out->data, i, (int64_t)result);
    if (!out->tolerance) return;
    if (plain) {
        out->tolerance[i] = error > 0 ? ceil(error) + 1 : 0;
        return;
    }
    error += (fabs(sum) + sum_error) * factor_error(a, b, y) + 0x1p-22 * fabs(scaled);
    if (!(error < INFINITY)) error = 0x1p31;
    out->tolerance[i] = zero.error + fmax(saturated(type, scaled + error, zero.value) - result,
                                          result - saturated(type, scaled - error, zero.value));
}

bool tsp_interpret_qlinear(const TspNode *node, int32_t lanes, const TspOperand *in,
                           TspResult *out) {
    const TspOperand matrices[4] = {in[0], in[3], in[2], in[5]};
    const int64_t elements = tsp_value_elements(out->value);
    TspValue value = *out->value;
    TspNode product = *node;
    TspResult sums = {.value = &value};
    bool ok;
    value.dtype = TSP_I32;
    product.op = TSP_GRAPH_MATMUL_INTEGER;
    sums.data = malloc((size_t)elements * sizeof(int32_t));
    ok = sums.data && tsp_interpret_product(&product, lanes, matrices, &sums);
    if (ok && (sums.tolerance || !is_plain(in)))
        ok = (out->tolerance = malloc((size_t)elements * sizeof(double))) != NULL;
    for (int64_t i = 0; i < elements && ok; i++) scale_sum(in, &sums, i, out);
    free(sums.data);
    free(sums.tolerance);
    return ok;
}
