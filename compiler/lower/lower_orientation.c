/* lower_orientation.c - which way round every value is asked for, and made.
 *
 * Turning a tensor costs cycles, so a value that is only asked for with its last two dimensions
 * swapped is made that way: a graph input is bound so, a product lets its operands change places,
 * and what is element-wise works on either. Consumers come before producers.
 */
#include "lower_axes.h"
#include "lower_view.h"
#include "compiler/graph/graph_shape.h"

/* Is the value asked for turned, and only turned? */
static bool only_turned(const Lowerer *l, int32_t value) {
    return l->needs[value][TRANSPOSED] && !l->needs[value][ROWWISE] &&
           !l->graph->values[value].is_output && !l->flat[value];
}

/* May this operand of an element-wise node be taken turned? A matrix as large as the result's, or
 * one element. */
static bool turns_with(const TspValue *v, const TspValue *y) {
    if (tsp_value_elements(v) == 1) return v->data != NULL;
    return v->rank >= 2 && v->shape[v->rank - 1] == y->shape[y->rank - 1] &&
           v->shape[v->rank - 2] == y->shape[y->rank - 2];
}

static bool elementwise_turns(const Lowerer *l, const TspNode *n) {
    const TspValue *y = &l->graph->values[n->output];
    if (!lower_is_elementwise(n) || y->rank < 2) return false;
    for (int32_t i = 0; i < lower_streamed(n); i++)
        if (!turns_with(&l->graph->values[n->inputs[i]], y)) return false;
    return true;
}

/* Both are matrices, and there is nothing to add to the product. */
static bool product_turns(const Lowerer *l, const TspNode *n) {
    const TspValue *v = l->graph->values;
    return (n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER) &&
           n->input_count == 2 && v[n->inputs[0]].rank >= 2 && v[n->inputs[1]].rank >= 2;
}

/* Can the value be had turned without turning anything? Depth is that of the chain of element-wise
 * nodes. */
static bool turns_freely(const Lowerer *l, int32_t value) {
    const TspValue *v = &l->graph->values[value];
    const TspNode *n = v->producer >= 0 ? &l->graph->nodes[v->producer] : NULL;
    if (lower_is_view(l, value)) return false;
    if (!n) return true;
    if (l->needs[value][ROWWISE] || l->flat[value] || v->is_output) return false;
    if (product_turns(l, n)) return true;
    if (!elementwise_turns(l, n)) return false;
    for (int32_t j = 0; j < lower_streamed(n); j++)
        if (!turns_freely(l, n->inputs[j])) return false;
    return true;
}

/* Does the node want input j turned? */
static bool wants_turned(const Lowerer *l, const TspNode *n, int32_t j) {
    const TspGraph *g = l->graph;
    if (n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER)
        return j == 1 && g->values[n->inputs[1]].rank >= 2;
    if (lower_is_pointed(g, n)) return j == 0;
    if (n->op == TSP_GRAPH_QLINEAR_MATMUL) return j == 3 && g->values[n->inputs[3]].rank >= 2;
    if (n->op == TSP_GRAPH_GEMM) return (j == 0 && n->trans_a) || (j == 1 && !n->trans_b);
    if (tsp_graph_reduces(n->op)) return lower_reduced_orientation(g, n) == TRANSPOSED;
    return l->turned[n->output] && tsp_value_elements(&g->values[n->inputs[j]]) > 1;
}

/* Is the value, or what it is a view of, made turned? */
static bool made_turned(const Lowerer *l, int32_t value) {
    int32_t producer = l->graph->values[value].producer;
    if (lower_is_view(l, value) || producer < 0) return false;
    return l->turned[value] ||
           (l->graph->nodes[producer].op == TSP_GRAPH_SOFTMAX &&
            lower_reduced_orientation(l->graph, &l->graph->nodes[producer]) == TRANSPOSED);
}

/* What is element-wise follows what is made turned: it is seldom wider than what comes in, so if it
 * must be turned back that is cheaper. */
static void follow_operands(Lowerer *l) {
    for (int32_t i = 0; i < l->graph->node_count; i++) {
        const TspNode *n = &l->graph->nodes[i];
        bool any = false;
        if (l->turned[n->output] || l->flat[n->output] || lower_is_view(l, n->output) ||
            !elementwise_turns(l, n))
            continue;
        for (int32_t j = 0; j < lower_streamed(n); j++) any |= made_turned(l, n->inputs[j]);
        if (!any) continue;
        l->turned[n->output] = true;
        for (int32_t j = 0; j < lower_streamed(n); j++)
            lower_need(l, n->inputs[j], wants_turned(l, n, j));
    }
}

void lower_find_orientations(Lowerer *l) {
    for (int32_t i = l->graph->node_count - 1; i >= 0; i--) {
        const TspNode *n = &l->graph->nodes[i];
        if (lower_is_view(l, n->output)) {
            if (l->graph->values[n->output].is_output) lower_need(l, n->output, ROWWISE);
            continue;
        }
        l->turned[n->output] = only_turned(l, n->output) && turns_freely(l, n->output);
        for (int32_t j = 0; j < n->input_count; j++)
            if (n->inputs[j] >= 0) lower_need(l, n->inputs[j], wants_turned(l, n, j));
    }
    follow_operands(l);
}

TspValue lower_turned_shape(const TspValue *v) {
    TspValue t = *v;
    if (v->rank < 2) return t;
    t.shape[v->rank - 1] = v->shape[v->rank - 2];
    t.shape[v->rank - 2] = v->shape[v->rank - 1];
    return t;
}
