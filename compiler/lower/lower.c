/* lower.c - the lower pass: ops of the graph become stages on tensors.
 */
#include "lower.h"

#include <stdlib.h>
#include <string.h>

/* In which orientation will nodes ask for each value? A graph input asked for only transposed is
 * bound transposed, so that no cycle is spent on turning it. */
static void find_needs(Lowerer *l) {
    for (int32_t i = 0; i < l->graph->node_count; i++) {
        const TspNode *n = &l->graph->nodes[i];
        for (int32_t j = 0; j < n->input_count; j++) {
            bool turned = false;
            if (n->inputs[j] < 0) continue;
            if (n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER)
                turned = j == 1 && l->graph->values[n->inputs[1]].rank >= 2;
            if (n->op == TSP_GRAPH_GEMM) turned = (j == 0 && n->trans_a) || (j == 1 && !n->trans_b);
            l->needs[n->inputs[j]][turned] = true;
        }
    }
}

static bool lower_node(Lowerer *l, const TspNode *node, TspError *err) {
    if (lower_is_dot(l, node)) return lower_reduce(l, node, err);
    switch (node->op) {
    case TSP_GRAPH_MATMUL:
        return lower_matmul(l, node, err);
    case TSP_GRAPH_MATMUL_INTEGER:
        return lower_matmul_integer(l, node, err);
    case TSP_GRAPH_GEMM:
        return lower_gemm(l, node, err);
    case TSP_GRAPH_REDUCE_SUM:
    case TSP_GRAPH_REDUCE_MEAN:
    case TSP_GRAPH_REDUCE_MAX:
    case TSP_GRAPH_REDUCE_MIN:
        return lower_reduce(l, node, err);
    case TSP_GRAPH_ARG_MAX:
        return lower_arg_max(l, node, err);
    case TSP_GRAPH_CUM_SUM:
        return lower_cum_sum(l, node, err);
    case TSP_GRAPH_GROUP_BY_AGGREGATE:
        return lower_group(l, node, err);
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

static bool lower_all(Lowerer *l, TspError *err) {
    const TspGraph *g = l->graph;
    for (int32_t v = 0; v < g->value_count; v++) {
        memset(l->tensor_of[v], -1, sizeof l->tensor_of[v]);
        memset(l->split_of[v], -1, sizeof l->split_of[v]);
    }
    find_needs(l);
    lower_find_flat(l);
    for (int32_t v = 0; v < g->value_count; v++)
        if (g->values[v].is_input && !lower_group_reads(l, v) && input_tensor(l, v, err) < 0)
            return false;
    for (l->node = 0; l->node < g->node_count; l->node++)
        if (!lower_node(l, &g->nodes[l->node], err)) return false;
    for (int32_t i = 0; i < l->module->tensor_count; i++) { /* an input that nobody reads */
        Tensor *t = &l->module->tensors[i];
        if (!t->contiguous && !t->striped && !t->pieces) t->contiguous = true;
    }
    return true;
}

bool tsp_pass_lower(Module *module, TspError *err) {
    TspGraph known;
    size_t values;
    Lowerer l = {.module = module, .graph = &known, .identity = -1};
    bool ok = false;
    if (!lower_know(module->graph, &known, err)) return lower_forget(module->graph, &known), false;
    values = (size_t)known.value_count;
    l.tensor_of = calloc(values, sizeof *l.tensor_of);
    l.split_of = calloc(values, sizeof *l.split_of);
    l.needs = calloc(values, sizeof *l.needs);
    l.flat = calloc(values, sizeof *l.flat);
    l.lanewise = calloc(values, sizeof *l.lanewise);
    if (l.tensor_of && l.split_of && l.needs && l.flat && l.lanewise)
        ok = lower_all(&l, err);
    else
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    free(l.tensor_of);
    free(l.split_of);
    free(l.needs);
    free(l.flat);
    free(l.lanewise);
    free(l.plan);
    lower_forget(module->graph, &known);
    return ok;
}
