/* graph_norm.c - shapes of normalizations, and which of them there are.
 */
#include "graph_shape.h"

#include <stdio.h>
#include <string.h>

bool tsp_graph_normalizes(TspGraphOp op) {
    return op == TSP_GRAPH_LAYER_NORMALIZATION || op == TSP_GRAPH_RMS_NORMALIZATION ||
           op == TSP_GRAPH_INSTANCE_NORMALIZATION;
}

typedef struct {
    char text[200];
} ShapeText;

static ShapeText shape_text(const TspValue *v) {
    ShapeText t = {""};
    for (int32_t i = 0; i < v->rank; i++)
        snprintf(t.text + strlen(t.text), sizeof t.text - strlen(t.text), i ? ", %lld" : "%lld",
                 (long long)v->shape[i]);
    return t;
}

static bool check_axis(const TspNode *node, const TspValue *x, TspError *err) {
    const int64_t axis = node->axis < 0 ? node->axis + x->rank : node->axis;
    if (axis < 0 || axis >= x->rank)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "axis %lld of \"%s\", which has shape [%s]; name one of its axes",
                        (long long)node->axis, x->name, shape_text(x).text);
    return true;
}

/* Scale and B broadcast to x. */
static bool check_beside(const TspValue *x, const TspValue *v, TspError *err) {
    bool fits = v->rank <= x->rank;
    for (int32_t d = 1; fits && d <= v->rank; d++)
        fits = v->shape[v->rank - d] == 1 || v->shape[v->rank - d] == x->shape[x->rank - d];
    if (fits) return true;
    return tsp_fail(err, TSP_ERR_INPUT,
                    "\"%s\" has shape [%s], which does not broadcast to [%s], that of \"%s\"; "
                    "counted from the last, make each dimension equal or 1",
                    v->name, shape_text(v).text, shape_text(x).text, x->name);
}

static bool check_channels(const TspValue *x, const TspValue *v, TspError *err) {
    if (v->rank == 1 && v->shape[0] == x->shape[1]) return true;
    return tsp_fail(err, TSP_ERR_INPUT,
                    "\"%s\" has shape [%s]; make it [%lld], an element for each channel of "
                    "\"%s\"",
                    v->name, shape_text(v).text, (long long)x->shape[1], x->name);
}

static bool check_instance(const TspNode *node, const TspValue *x, TspError *err) {
    return x->rank >= 3 ||
           tsp_fail(err, TSP_ERR_INPUT,
                    "\"%s\" has shape [%s]; %s takes [N, C, ...], with what is normalized last",
                    x->name, shape_text(x).text, tsp_graph_op_name(node->op));
}

bool tsp_norm_infer(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                    TspError *err) {
    const TspValue *x = &g->values[node->inputs[0]];
    const bool instance = node->op == TSP_GRAPH_INSTANCE_NORMALIZATION;
    out->rank = x->rank;
    memcpy(out->shape, x->shape, sizeof x->shape);
    *blame = 0;
    if (!x->rank)
        return tsp_fail(err, TSP_ERR_INPUT, "\"%s\" is a scalar; %s takes at least one dimension",
                        x->name, tsp_graph_op_name(node->op));
    if (!(instance ? check_instance(node, x, err) : check_axis(node, x, err))) return false;
    for (int32_t i = 1; i < node->input_count; i++) {
        if (node->inputs[i] < 0) continue;
        const TspValue *v = &g->values[node->inputs[i]];
        *blame = i;
        if (!(instance ? check_channels(x, v, err) : check_beside(x, v, err))) return false;
    }
    *blame = -1;
    if (!((float)node->epsilon > 0))
        return tsp_fail(err, TSP_ERR_INPUT, "\"epsilon\" is %g; write a float32 number above 0",
                        node->epsilon);
    if (node->stash_type == TSP_F32) return true;
    return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                    "\"stash_type\" %s is not modelled; only float32, 1, is",
                    tsp_dtype_name(node->stash_type));
}
