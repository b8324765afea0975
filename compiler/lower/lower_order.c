/* lower_order.c - the order in which nodes are lowered.
 *
 * Stages get units in this order, so what is needed late should not stand before what others wait
 * for: a node comes as many products before the end as its readers allow. Beside what takes rows
 * together and leaves the MXM idle stand the products that need not wait for it. So the values of
 * attention follow its scores, while Softmax has the VXM.
 */
#include "lower.h"
#include "compiler/graph/graph_shape.h"

#include <stdlib.h>

/* The place of a node: products and reductions from here to the end, itself not counted; reductions
 * since the last product before. */
typedef struct {
    int32_t products, reductions, since, node;
} Key;

static bool multiplies(const TspNode *n) {
    return n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER ||
           n->op == TSP_GRAPH_QLINEAR_MATMUL || n->op == TSP_GRAPH_GEMM;
}

static bool combines_rows(const TspNode *n) {
    return tsp_graph_reduces(n->op) || n->op == TSP_GRAPH_CUM_SUM ||
           n->op == TSP_GRAPH_LAYER_NORMALIZATION || n->op == TSP_GRAPH_RMS_NORMALIZATION;
}

/* The node that makes an input; -1: none. */
static int32_t maker(const TspGraph *g, const TspNode *n, int32_t input) {
    return n->inputs[input] < 0 ? -1 : g->values[n->inputs[input]].producer;
}

static void raise(int32_t *count, int32_t least) {
    if (*count < least) *count = least;
}

/* Keys in the order of nodes, each of which follows those it needs. */
static void find_keys(const TspGraph *g, Key *keys) {
    for (int32_t i = 0; i < g->node_count; i++) {
        const TspNode *n = &g->nodes[i];
        keys[i].node = i;
        for (int32_t j = 0; j < n->input_count && !multiplies(n); j++)
            if (maker(g, n, j) >= 0) raise(&keys[i].since, keys[maker(g, n, j)].since);
        keys[i].since += combines_rows(n);
    }
    for (int32_t i = g->node_count - 1; i >= 0; i--)
        for (int32_t j = 0; j < g->nodes[i].input_count; j++) {
            const TspNode *n = &g->nodes[i];
            Key *key = maker(g, n, j) < 0 ? NULL : &keys[maker(g, n, j)];
            if (!key) continue;
            raise(&key->products, keys[i].products + multiplies(n));
            raise(&key->reductions, keys[i].reductions + combines_rows(n));
        }
}

static int by_place(const void *left, const void *right) {
    const Key *a = left, *b = right;
    if (a->products != b->products) return a->products > b->products ? -1 : 1;
    if (a->since != b->since) return a->since < b->since ? -1 : 1;
    if (a->reductions != b->reductions) return a->reductions > b->reductions ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

int32_t *lower_order(Lowerer *l, TspError *err) {
    const TspGraph *g = l->graph;
    int32_t *order = calloc((size_t)g->node_count + 1, sizeof *order);
    Key *keys = calloc((size_t)g->node_count + 1, sizeof *keys);
    if (!order || !keys) {
        free(order);
        free(keys);
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), NULL;
    }
    find_keys(g, keys);
    if (!l->module->in_order) qsort(keys, (size_t)g->node_count, sizeof *keys, by_place);
    for (int32_t i = 0; i < g->node_count; i++) {
        order[i] = keys[i].node;
        l->module->takes_turns |= order[i] != i;
    }
    free(keys);
    return order;
}
