/* graph_axes.c - along which axes a node works: attributes or a known input, checked and put into
 * one form.
 */
#include "graph_shape.h"

#include <stdio.h>
#include <string.h>

bool tsp_graph_reduces(TspGraphOp op) {
    switch (op) {
    case TSP_GRAPH_REDUCE_SUM:
    case TSP_GRAPH_REDUCE_MEAN:
    case TSP_GRAPH_REDUCE_MAX:
    case TSP_GRAPH_REDUCE_MIN:
    case TSP_GRAPH_REDUCE_PROD:
    case TSP_GRAPH_REDUCE_SUM_SQUARE:
    case TSP_GRAPH_REDUCE_L1:
    case TSP_GRAPH_REDUCE_L2:
    case TSP_GRAPH_REDUCE_LOG_SUM:
    case TSP_GRAPH_REDUCE_LOG_SUM_EXP:
    case TSP_GRAPH_ARG_MAX:
    case TSP_GRAPH_ARG_MIN:
    case TSP_GRAPH_SOFTMAX:
    case TSP_GRAPH_LOG_SOFTMAX:
        return true;
    default:
        return false;
    }
}

static bool has_one_axis(TspGraphOp op) {
    return op == TSP_GRAPH_ARG_MAX || op == TSP_GRAPH_ARG_MIN || op == TSP_GRAPH_SOFTMAX ||
           op == TSP_GRAPH_LOG_SOFTMAX;
}

/* The axes as an input: a list of int32 that must be known before the shapes are. */
static bool read_axes(const TspValue *axes, TspNode *node, TspError *err) {
    if (!axes->data || axes->dtype != TSP_I32 || axes->rank != 1 || axes->shape[0] > TSP_MAX_RANK)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "the axes \"%s\" are no initializer, a list of at most %d int32; make them "
                        "one",
                        axes->name, TSP_MAX_RANK);
    if (node->axis_count)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "the axes are given twice, as \"axes\" and as \"%s\"; leave one out",
                        axes->name);
    node->axis_count = (int32_t)axes->shape[0];
    for (int32_t i = 0; i < node->axis_count; i++) {
        int32_t axis;
        memcpy(&axis, axes->data + (size_t)i * sizeof axis, sizeof axis);
        node->axes[i] = axis;
    }
    return true;
}

static bool fail_axis(const TspValue *a, int64_t axis, TspError *err) {
    char shape[200] = "";
    for (int32_t i = 0; i < a->rank; i++)
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), i ? ", %lld" : "%lld",
                 (long long)a->shape[i]);
    return tsp_fail(err, TSP_ERR_INPUT,
                    "axis %lld of \"%s\", which has shape [%s]; name one of its axes",
                    (long long)axis, a->name, shape);
}

bool tsp_node_place_axes(const TspGraph *g, TspNode *node, int32_t *blame, TspError *err) {
    const TspValue *a = &g->values[node->inputs[0]];
    bool named[TSP_MAX_RANK] = {false}, all;
    *blame = -1;
    if (!tsp_graph_reduces(node->op)) return true;
    if (node->input_count > 1 && node->inputs[1] >= 0) {
        *blame = 1;
        if (!read_axes(&g->values[node->inputs[1]], node, err)) return false;
    }
    if (has_one_axis(node->op)) node->axes[node->axis_count++] = node->axis;
    all = node->axis_count == 0 && !node->noop;
    for (int32_t i = 0; i < node->axis_count; i++) {
        int64_t axis = node->axes[i], place = axis < 0 ? axis + a->rank : axis;
        if (place < 0 || place >= a->rank) return fail_axis(a, axis, err);
        if (named[place])
            return tsp_fail(err, TSP_ERR_INPUT, "axis %lld is given twice; leave one out",
                            (long long)axis);
        named[place] = true;
        node->axis = place;
    }
    node->noop = node->noop && node->axis_count == 0;
    node->input_count = 1;
    node->axis_count = 0;
    for (int32_t d = 0; d < a->rank; d++)
        if (named[d] || all) node->axes[node->axis_count++] = d;
    return true;
}

void tsp_reduced_shape(const TspNode *node, const TspValue *a, TspValue *out) {
    bool gone[TSP_MAX_RANK] = {false};
    for (int32_t i = 0; i < node->axis_count; i++) gone[node->axes[i]] = true;
    out->rank = 0;
    for (int32_t d = 0; d < a->rank; d++)
        if (!gone[d] || node->keepdims) out->shape[out->rank++] = gone[d] ? 1 : a->shape[d];
}
