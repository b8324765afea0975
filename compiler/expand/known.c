/* known.c - what the host works out before nodes are lowered: numbers and rows that follow
 * from initializers alone.
 *
 * QuantizeLinear, DequantizeLinear and BatchNormalization get inputs of the form that their steps
 * take (affine.c), Pow its exponent as alpha, and a quotient by powers of two is a product.
 */
#include "build.h"
#include "compiler/number.h"

#include <stdlib.h>
#include <string.h>

/* A tensor along one axis of x, of float32 or int32; its elements are to be filled in. */
static TspValue *add_row(TspGraph *g, const TspNode *node, int64_t axis, TspDtype dtype,
                         int64_t elements) {
    const TspValue *x = &g->values[node->inputs[0]];
    TspValue *v = &g->values[g->value_count];
    *v = (TspValue){.name = strdup(g->values[node->output].name), .dtype = dtype, .producer = -1};
    if (elements > 1) {
        v->rank = x->rank - (int32_t)axis;
        for (int32_t d = 0; d < v->rank; d++) v->shape[d] = d ? 1 : elements;
    }
    v->data = calloc((size_t)elements, sizeof(int32_t));
    g->value_count++;
    return v->name && v->data ? v : NULL;
}

/* Inputs after the first, as affine.c takes them: no zero point if all are zero and no row of
 * scales stands before it. */
static bool quantization(TspGraph *g, TspNode *node) {
    const TspValue *x = &g->values[node->inputs[0]], *scale = &g->values[node->inputs[1]];
    const TspValue *zero = node->input_count > 2 ? &g->values[node->inputs[2]] : NULL;
    const int64_t count = tsp_value_elements(scale),
                  axis = node->axis < 0 ? node->axis + x->rank : node->axis;
    const bool inverse = node->op == TSP_GRAPH_QUANTIZE_LINEAR;
    bool shifted = count > 1;
    node->input_count = 1;
    for (int64_t i = 0; i < count && zero; i++)
        shifted |= tsp_load_int(zero->dtype, zero->data, i) != 0;
    node->alpha = tsp_load_double(scale->dtype, scale->data, 0);
    if (inverse) node->alpha = 1 / node->alpha;
    if (count > 1) {
        TspValue *row = add_row(g, node, axis, TSP_F32, count);
        if (!row) return false;
        for (int64_t i = 0; i < count; i++) {
            const double s = tsp_load_double(scale->dtype, scale->data, i);
            tsp_store_float(TSP_F32, row->data, i, inverse ? 1 / s : s);
        }
        node->inputs[node->input_count++] = g->value_count - 1;
    }
    if (shifted) {
        TspValue *row = add_row(g, node, axis, TSP_I32, count);
        if (!row) return false;
        for (int64_t i = 0; i < count && zero; i++)
            tsp_store_int(TSP_I32, row->data, i, tsp_load_int(zero->dtype, zero->data, i));
        node->inputs[node->input_count++] = g->value_count - 1;
    }
    return true;
}

/* scale (x - mean) / sqrt(var + epsilon) + B = factor x + term. */
static bool normalization(TspGraph *g, TspNode *node) {
    const TspValue *in[5];
    TspValue *factors, *terms;
    int64_t count;
    for (int32_t i = 0; i < 5; i++) in[i] = &g->values[node->inputs[i]];
    count = tsp_value_elements(in[1]);
    factors = add_row(g, node, 1, TSP_F32, count);
    terms = add_row(g, node, 1, TSP_F32, count);
    if (!factors || !terms) return false;
    for (int64_t i = 0; i < count; i++) {
        double p[5], factor;
        for (int32_t k = 1; k < 5; k++) p[k] = tsp_load_double(in[k]->dtype, in[k]->data, i);
        factor = p[1] / sqrt(p[4] + node->epsilon);
        tsp_store_float(TSP_F32, factors->data, i, factor);
        tsp_store_float(TSP_F32, terms->data, i, p[2] - p[3] * factor);
    }
    node->inputs[1] = g->value_count - 2;
    node->inputs[2] = g->value_count - 1;
    node->input_count = 3;
    return true;
}

/* A known second operand as alpha. */
static void second_number(const TspGraph *g, TspNode *node) {
    const TspValue *y = &g->values[node->inputs[1]];
    if (!y->data || tsp_value_elements(y) != 1 || y->rank > g->values[node->inputs[0]].rank) return;
    node->alpha = tsp_load_double(y->dtype, y->data, 0);
    node->input_count = 1;
}

/* The bits of the inverse of a power of two that has one, else 0: neither is subnormal. */
static bool invert_power(TspDtype type, double x, double *inverse) {
    const double least = type == TSP_F16 ? 0x1p-14 : 0x1p-126;
    int power;
    *inverse = 1 / x;
    return isfinite(x) && fabs(frexp(x, &power)) == 0.5 && fabs(*inverse) >= least &&
           fabs(*inverse) * least <= 1;
}

/* A product gives the same bits. */
static bool quotient(TspGraph *g, TspNode *node) {
    const TspValue y = g->values[node->inputs[1]];
    TspValue *v = &g->values[g->value_count];
    double inverse;
    if (!y.data || !tsp_dtype_is_float(y.dtype)) return true;
    for (int64_t i = 0; i < tsp_value_elements(&y); i++)
        if (!invert_power(y.dtype, tsp_load_double(y.dtype, y.data, i), &inverse)) return true;
    *v = y;
    v->name = strdup(y.name);
    v->data = malloc((size_t)tsp_value_bytes(&y));
    g->value_count++;
    if (!v->name || !v->data) return false;
    for (int64_t i = 0; i < tsp_value_elements(&y); i++)
        tsp_store_float(y.dtype, v->data, i, 1 / tsp_load_double(y.dtype, y.data, i));
    node->op = TSP_GRAPH_MUL;
    node->inputs[1] = g->value_count - 1;
    return true;
}

bool work_out_known(TspGraph *g, TspNode *node) {
    const TspDtype type = g->values[node->inputs[0]].dtype;
    switch (node->op) {
    case TSP_GRAPH_QUANTIZE_LINEAR:
    case TSP_GRAPH_DEQUANTIZE_LINEAR:
        return quantization(g, node);
    case TSP_GRAPH_BATCH_NORMALIZATION:
        return normalization(g, node);
    case TSP_GRAPH_POW:
        return second_number(g, node), true;
    case TSP_GRAPH_MOD:
        if (type == TSP_I32) second_number(g, node);
        return true;
    case TSP_GRAPH_DIV:
        if (type != TSP_I32) return quotient(g, node);
        return second_number(g, node), true;
    default:
        return true;
    }
}
