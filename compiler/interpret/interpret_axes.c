/* interpret_axes.c - reductions over axes, ArgMax, ArgMin and Softmax: what stands along the axes
 * is gathered, and taken as a vector of its own.
 */
#include "interpret_axes.h"
#include "compiler/number.h"

#include <stdlib.h>
#include <string.h>

/* Where elements stand, in row-major order of the dimensions that are (not) among the axes. */
static int64_t *offsets(const TspNode *node, const TspValue *x, bool along, int64_t *count) {
    bool chosen[TSP_MAX_RANK];
    int64_t stride = 1, strides[TSP_MAX_RANK], *list;
    for (int32_t d = 0; d < x->rank; d++) chosen[d] = !along;
    for (int32_t i = 0; i < node->axis_count; i++) chosen[node->axes[i]] = along;
    for (int32_t d = x->rank; d-- > 0; stride *= x->shape[d]) strides[d] = stride;
    *count = 1;
    for (int32_t d = 0; d < x->rank; d++) *count *= chosen[d] ? x->shape[d] : 1;
    if (!(list = malloc((size_t)*count * sizeof *list))) return NULL;
    for (int64_t i = 0; i < *count; i++) {
        int64_t rest = i;
        list[i] = 0;
        for (int32_t d = x->rank; d-- > 0;) {
            if (!chosen[d]) continue;
            list[i] += rest % x->shape[d] * strides[d];
            rest /= x->shape[d];
        }
    }
    return list;
}

/* A vector of what stands along the axes from one place on, and what is made of it. */
typedef struct {
    TspValue x_value, y_value;
    TspOperand x;
    TspResult y;
    uint8_t *data;
    double *tolerance;
} Gathered;

static void gather(Gathered *g, const TspOperand *x, int64_t base, const int64_t *along,
                   int64_t count) {
    const size_t bytes = (size_t)tsp_dtype_bytes(x->value->dtype);
    for (int64_t k = 0; k < count; k++) {
        memcpy(g->data + (size_t)k * bytes, x->data + (size_t)(base + along[k]) * bytes, bytes);
        if (g->tolerance) g->tolerance[k] = x->tolerance[base + along[k]];
    }
}

/* Result k of the vector becomes element at + along[k]. */
static bool scatter(const Gathered *g, TspResult *out, int64_t at, const int64_t *along,
                    int64_t count) {
    const size_t bytes = (size_t)tsp_dtype_bytes(out->value->dtype);
    if (g->y.tolerance && !out->tolerance) {
        out->tolerance = calloc((size_t)tsp_value_elements(out->value), sizeof *out->tolerance);
        if (!out->tolerance) return false;
    }
    for (int64_t k = 0; k < count; k++) {
        memcpy(out->data + (size_t)(at + along[k]) * bytes, g->y.data + (size_t)k * bytes, bytes);
        if (g->y.tolerance) out->tolerance[at + along[k]] = g->y.tolerance[k];
    }
    return true;
}

typedef bool (*Reduce)(const TspNode *node, int32_t lanes, const TspOperand in[4], TspResult *out);

/* `each`: a result for every element, in its place; else one for all that stand along the axes. */
static bool gather_all(const TspNode *node, int32_t lanes, const TspOperand *x, Reduce reduce,
                       bool each, TspResult *out) {
    static const int64_t first[1] = {0};
    int64_t count, sets;
    int64_t *along = offsets(node, x->value, true, &count),
            *base = offsets(node, x->value, false, &sets);
    Gathered g = {.x_value = {.dtype = x->value->dtype, .rank = 1},
                  .y_value = {.dtype = out->value->dtype, .rank = 1}};
    bool ok = along && base;
    if (ok) {
        g.x_value.shape[0] = count;
        g.y_value.shape[0] = each ? count : 1;
        g.data = malloc((size_t)tsp_value_bytes(&g.x_value));
        g.y.data = malloc((size_t)tsp_value_bytes(&g.y_value));
        if (x->tolerance) g.tolerance = malloc((size_t)count * sizeof *g.tolerance);
        ok = g.data && g.y.data && (!x->tolerance || g.tolerance);
    }
    g.x = (TspOperand){&g.x_value, g.data, g.tolerance};
    g.y.value = &g.y_value;
    for (int64_t i = 0; ok && i < sets; i++) {
        gather(&g, x, base[i], along, count);
        ok = reduce(node, lanes, &g.x, &g.y) &&
             scatter(&g, out, each ? base[i] : i, each ? along : first, each ? count : 1);
        free(g.y.tolerance);
        g.y.tolerance = NULL;
    }
    free(along);
    free(base);
    free(g.data);
    free(g.y.data);
    free(g.tolerance);
    return ok;
}

static bool copy(const TspOperand *x, TspResult *out) {
    size_t bytes = (size_t)tsp_value_elements(x->value) * sizeof(double);
    memcpy(out->data, x->data, (size_t)tsp_value_bytes(x->value));
    if (!x->tolerance) return true;
    if ((out->tolerance = malloc(bytes))) memcpy(out->tolerance, x->tolerance, bytes);
    return out->tolerance != NULL;
}

static Reduce reduction_of(TspGraphOp op, TspDtype type) {
    if (type == TSP_I32 && op == TSP_GRAPH_REDUCE_MEAN) return tsp_interpret_whole_mean;
    if (type == TSP_I32 && op == TSP_GRAPH_REDUCE_L2) return tsp_interpret_whole_norm;
    if (type == TSP_I32 && (op == TSP_GRAPH_REDUCE_LOG_SUM || op == TSP_GRAPH_REDUCE_LOG_SUM_EXP))
        return tsp_interpret_whole_log;
    switch (op) {
    case TSP_GRAPH_REDUCE_SUM:
    case TSP_GRAPH_REDUCE_MEAN:
        return tsp_interpret_sum;
    case TSP_GRAPH_REDUCE_MAX:
    case TSP_GRAPH_REDUCE_MIN:
        return tsp_interpret_extreme;
    case TSP_GRAPH_ARG_MAX:
    case TSP_GRAPH_ARG_MIN:
        return tsp_interpret_arg;
    case TSP_GRAPH_SOFTMAX:
        return tsp_interpret_softmax;
    case TSP_GRAPH_LOG_SOFTMAX:
        return tsp_interpret_log_softmax;
    case TSP_GRAPH_REDUCE_LOG_SUM:
        return tsp_interpret_log_sum;
    case TSP_GRAPH_REDUCE_LOG_SUM_EXP:
        return tsp_interpret_log_sum_exp;
    case TSP_GRAPH_REDUCE_PROD:
        return tsp_interpret_prod;
    default:
        return tsp_interpret_norm;
    }
}

bool tsp_interpret_axes(const TspNode *node, int32_t lanes, const TspOperand in[4],
                        TspResult *out) {
    Reduce reduce = reduction_of(node->op, out->value->dtype);
    bool each = node->op == TSP_GRAPH_SOFTMAX || node->op == TSP_GRAPH_LOG_SOFTMAX;
    if (node->noop) return copy(&in[0], out);
    if (tsp_value_elements(out->value) == 1 && !each) return reduce(node, lanes, in, out);
    return gather_all(node, 0, &in[0], reduce, each, out);
}
