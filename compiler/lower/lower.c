/* lower.c - the lower pass: ops of the graph become stages on tensors.
 */
#include "lower_axes.h"
#include "lower_heads.h"
#include "lower_view.h"
#include "compiler/expand/build.h"

#include <stdlib.h>
#include <string.h>

static bool lower_node(Lowerer *l, const TspNode *node, TspError *err) {
    bool done;
    if (lower_is_view(l, node->output))
        return !l->graph->values[node->output].is_output ||
               lower_oriented(l, node->output, ROWWISE, err) >= 0;
    if (l->flat[node->output] && lower_relabels(node)) return lower_flat_elementwise(l, node, err);
    if (lower_is_dot(l, node)) return lower_reduce(l, node, err);
    if (lower_is_pointed(l->graph, node)) return lower_pointed(l, node, err);
    if (lower_is_beside(l, node->output) && lower_is_elementwise(node))
        return lower_beside_elementwise(l, node, err);
    switch (node->op) {
    case TSP_GRAPH_MATMUL:
        return lower_heads(l, node, &done, err) && (done || lower_matmul(l, node, err));
    case TSP_GRAPH_MATMUL_INTEGER:
        return lower_heads(l, node, &done, err) && (done || lower_matmul_integer(l, node, err));
    case TSP_GRAPH_QLINEAR_MATMUL:
        return lower_qlinear_matmul(l, node, err);
    case TSP_GRAPH_GEMM:
        return lower_gemm(l, node, err);
    case TSP_GRAPH_REDUCE_SUM:
    case TSP_GRAPH_REDUCE_MEAN:
    case TSP_GRAPH_REDUCE_MAX:
    case TSP_GRAPH_REDUCE_MIN:
    case TSP_GRAPH_REDUCE_PROD:
    case TSP_GRAPH_REDUCE_SUM_SQUARE:
    case TSP_GRAPH_REDUCE_L1:
    case TSP_GRAPH_REDUCE_L2:
        return lower_reduces_flat(l, node) ? lower_reduce(l, node, err)
                                           : lower_reduce_axes(l, node, err);
    case TSP_GRAPH_ARG_MAX:
    case TSP_GRAPH_ARG_MIN:
        return lower_reduces_flat(l, node) ? lower_arg(l, node, err)
                                           : lower_arg_axis(l, node, err);
    case TSP_GRAPH_SOFTMAX:
        return lower_softmax(l, node, err);
    case TSP_GRAPH_CUM_SUM:
        return lower_cum_sum(l, node, err);
    case TSP_GRAPH_LAYER_NORMALIZATION:
    case TSP_GRAPH_RMS_NORMALIZATION:
        return lower_norm(l, node, err);
    case TSP_GRAPH_GROUP_BY_AGGREGATE:
        return lower_group(l, node, err);
    case TSP_GRAPH_TRILU:
        return lower_trilu(l, node, err);
    case TSP_GRAPH_RESHAPE:
        if (l->joined[l->views[node->inputs[0]].value] == node->output) return true;
        return lower_movement(l, node, err);
    case TSP_GRAPH_FLATTEN:
    case TSP_GRAPH_SQUEEZE:
    case TSP_GRAPH_UNSQUEEZE:
    case TSP_GRAPH_CONCAT:
    case TSP_GRAPH_PAD:
    case TSP_GRAPH_TILE:
    case TSP_GRAPH_GATHER:
    case TSP_GRAPH_DEPTH_TO_SPACE:
    case TSP_GRAPH_SPACE_TO_DEPTH:
        return lower_movement(l, node, err);
    default:
        return l->flat[node->output] ? lower_flat_elementwise(l, node, err)
                                     : lower_elementwise(l, node, err);
    }
}

static int32_t input_tensor(Lowerer *l, int32_t value, TspError *err) {
    if (l->flat[value])
        return lower_flat_tensor(l, value, l->lanewise[value] ? LANEWISE : FLAT, err);
    return lower_oriented(l, value, l->needs[value][TRANSPOSED] && !l->needs[value][ROWWISE], err);
}

/* What is only asked for turned, and was not made so, is turned as soon as it is there, and windows
 * of it are masked: units have time for it then. */
static bool prepare_early(Lowerer *l, int32_t value, TspError *err) {
    if (lower_is_view(l, value) || l->tensor_of[value][ROWWISE] < 0) return true;
    return lower_mask_early(l, value, err) &&
           (!l->needs[value][TRANSPOSED] || l->needs[value][ROWWISE] ||
            lower_oriented(l, value, TRANSPOSED, err) >= 0);
}

static bool lower_nodes(Lowerer *l, TspError *err) {
    const TspGraph *g = l->graph;
    int32_t *order = lower_order(l, err);
    bool ok = order != NULL;
    for (int32_t i = 0; ok && i < g->node_count; i++) {
        l->node = order[i];
        ok = lower_node(l, &g->nodes[l->node], err) &&
             prepare_early(l, g->nodes[l->node].output, err);
    }
    free(order);
    return ok;
}

/* Inputs and outputs have the file's shapes for the host. */
static void name_shapes(Lowerer *l) {
    const TspGraph *file = l->module->graph;
    for (int32_t v = 0; v < file->value_count; v++)
        for (int o = 0; o < ORIENTATIONS; o++) {
            const TspValue *given = &file->values[v];
            Tensor *t = l->tensor_of[v][o] < 0 ? NULL : &l->module->tensors[l->tensor_of[v][o]];
            if (!t || (t->role != TSP_ROLE_INPUT && t->role != TSP_ROLE_OUTPUT)) continue;
            if (strcmp(t->name, given->name) != 0) continue; /* the view of another */
            if (t->rank != given->rank ||
                memcmp(t->shape, given->shape, (size_t)t->rank * sizeof *t->shape) != 0)
                t->given = given;
        }
}

static bool lower_all(Lowerer *l, TspError *err) {
    const TspGraph *g = l->graph;
    for (int32_t v = 0; v < g->value_count; v++) {
        memset(l->tensor_of[v], -1, sizeof l->tensor_of[v]);
        memset(l->split_of[v], -1, sizeof l->split_of[v]);
    }
    memset(l->masked, -1, (size_t)g->node_count * sizeof *l->masked);
    lower_find_flat(l);
    lower_find_views(l);
    lower_find_orientations(l);
    lower_find_joined(l);
    lower_find_packed(l);
    for (int32_t v = 0; v < g->value_count; v++)
        if (g->values[v].is_input && !lower_group_reads(l, v) && input_tensor(l, v, err) < 0)
            return false;
    if (!lower_nodes(l, err) || !lower_copy_weights(l, err)) return false;
    for (int32_t i = 0; i < l->module->tensor_count; i++) { /* an input that nobody reads */
        Tensor *t = &l->module->tensors[i];
        if (!t->contiguous && !t->striped && !t->pieces) t->contiguous = true;
    }
    name_shapes(l);
    return true;
}

/* Stages and steps work for nodes of the file. */
static void name_origins(Module *m, const int32_t *origin) {
    for (int32_t i = 0; i < m->stage_count; i++) {
        Stage *s = &m->stages[i];
        s->op = origin[s->op];
        for (int32_t j = 0; j < s->step_count; j++) s->steps[j].node = origin[s->steps[j].node];
    }
}

static bool lower_graph(Module *module, const TspGraph *graph, TspError *err) {
    const size_t values = (size_t)graph->value_count;
    Lowerer l = {.module = module, .graph = graph, .identity = -1, .ones = {-1, -1, -1}};
    bool ok = false;
    l.tensor_of = calloc(values, sizeof *l.tensor_of);
    l.split_of = calloc(values, sizeof *l.split_of);
    l.needs = calloc(values, sizeof *l.needs);
    l.turned = calloc(values, sizeof *l.turned);
    l.flat = calloc(values, sizeof *l.flat);
    l.views = calloc(values, sizeof *l.views);
    l.lanewise = calloc(values, sizeof *l.lanewise);
    l.joined = calloc(values, sizeof *l.joined);
    l.packed = calloc(values, sizeof *l.packed);
    l.masked = calloc((size_t)graph->node_count + 1, sizeof *l.masked);
    if (l.tensor_of && l.split_of && l.needs && l.turned && l.flat && l.lanewise && l.joined &&
        l.packed && l.masked && l.views)
        ok = lower_all(&l, err);
    else
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    free(l.tensor_of);
    free(l.split_of);
    free(l.needs);
    free(l.turned);
    free(l.flat);
    free(l.views);
    free(l.lanewise);
    free(l.joined);
    lower_forget_packed(&l);
    free(l.masked);
    free(l.plan);
    return ok;
}

bool tsp_pass_lower(Module *module, TspError *err) {
    Build built;
    const bool ok = build_graph(&built, module->graph, tsp_lanes(&module->machine), err) &&
                    lower_graph(module, &built.graph, err);
    if (ok) name_origins(module, built.origin);
    build_free(&built);
    return ok;
}
