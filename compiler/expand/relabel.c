/* relabel.c - inputs and outputs of the graph lie in memory in the shape in which nodes take or
 * make them.
 *
 * The host places elements wherever they are wanted, so a Reshape of an input, or one that makes an
 * output, need not move any: the value takes the other shape, if that fills lanes better.
 */
#include "build.h"

#include <string.h>

/* Whether the node gives the same elements in the same order. */
static bool relabels(const TspNode *n) {
    return n->op == TSP_GRAPH_RESHAPE || n->op == TSP_GRAPH_FLATTEN || n->op == TSP_GRAPH_SQUEEZE ||
           n->op == TSP_GRAPH_UNSQUEEZE;
}

/* Whether its result may be a view, which has no place of its own. */
static bool views(const TspNode *n) {
    return relabels(n) || n->op == TSP_GRAPH_IDENTITY || n->op == TSP_GRAPH_TRANSPOSE ||
           n->op == TSP_GRAPH_SPLIT || n->op == TSP_GRAPH_SLICE || n->op == TSP_GRAPH_EXPAND;
}

static bool same_shape(const TspValue *a, const TspValue *b) {
    return a->rank == b->rank && !memcmp(a->shape, b->shape, (size_t)a->rank * sizeof a->shape[0]);
}

static void take_shape(TspValue *v, const TspValue *from) {
    v->rank = from->rank;
    memcpy(v->shape, from->shape, sizeof v->shape);
}

/* Vectors that the value takes, a byte of each element, row by row. */
static int64_t vectors(const Build *b, const TspValue *v) {
    const int64_t cols = v->rank ? v->shape[v->rank - 1] : 1;
    return tsp_value_elements(v) / cols * ((cols + b->lanes - 1) / b->lanes);
}

/* The one shape in which nodes take an input; NULL if there are more, or one takes it as it is. */
static const TspValue *taken_shape(const TspGraph *g, int32_t value) {
    const TspValue *shape = NULL;
    for (int32_t i = 0; i < g->node_count; i++)
        for (int32_t j = 0; j < g->nodes[i].input_count; j++) {
            const TspValue *y = &g->values[g->nodes[i].output];
            if (g->nodes[i].inputs[j] != value) continue;
            if (!relabels(&g->nodes[i]) || (shape && !same_shape(shape, y))) return NULL;
            shape = y;
        }
    return shape;
}

static bool is_read(const TspGraph *g, int32_t value) {
    for (int32_t i = 0; i < g->node_count; i++)
        for (int32_t j = 0; j < g->nodes[i].input_count; j++)
            if (g->nodes[i].inputs[j] == value) return true;
    return false;
}

static void replace(TspGraph *g, int32_t value, int32_t by) {
    for (int32_t i = 0; i < g->node_count; i++)
        for (int32_t j = 0; j < g->nodes[i].input_count; j++)
            if (g->nodes[i].inputs[j] == value) g->nodes[i].inputs[j] = by;
}

/* A relabelled relabelling is one. */
static void shorten(TspGraph *g) {
    for (int32_t i = 0; i < g->node_count; i++) {
        TspNode *n = &g->nodes[i];
        const int32_t from = relabels(n) ? g->values[n->inputs[0]].producer : -1;
        if (from >= 0 && relabels(&g->nodes[from])) n->inputs[0] = g->nodes[from].inputs[0];
    }
}

/* Whether the node makes an output of what another node has made and could make as that. */
static bool only_names(const Build *b, const TspNode *n) {
    const TspGraph *g = &b->graph;
    const TspValue *x = &g->values[n->inputs[0]], *y = &g->values[n->output];
    return relabels(n) && y->is_output && !x->is_output && x->producer >= 0 &&
           !views(&g->nodes[x->producer]) && vectors(b, x) <= vectors(b, y) &&
           !is_read(g, n->output);
}

/* Node `i` goes, its operand is made as its result. */
static void make_directly(Build *b, int32_t i) {
    TspGraph *g = &b->graph;
    const int32_t x = g->nodes[i].inputs[0], y = g->nodes[i].output;
    take_shape(&g->values[y], &g->values[x]);
    g->nodes[g->values[x].producer].output = y;
    replace(g, x, y);
    g->node_count--;
    memmove(&g->nodes[i], &g->nodes[i + 1], (size_t)(g->node_count - i) * sizeof *g->nodes);
    memmove(&b->origin[i], &b->origin[i + 1], (size_t)(g->node_count - i) * sizeof *b->origin);
    g->values[x].producer = -1;
    for (int32_t k = 0; k < g->node_count; k++) g->values[g->nodes[k].output].producer = k;
}

/* What is known is known in every shape. */
static void relabel_known(TspGraph *g, int32_t value) {
    for (int32_t i = 0; i < g->node_count; i++) {
        const TspNode *n = &g->nodes[i];
        if (relabels(n) && n->inputs[0] == value && !g->values[n->output].is_output)
            replace(g, n->output, value);
    }
}

void build_relabel(Build *b) {
    TspGraph *g = &b->graph;
    shorten(g);
    for (int32_t i = 0; i < b->given->value_count; i++) {
        TspValue *v = &g->values[i];
        const TspValue *shape = v->producer < 0 && !v->is_output ? taken_shape(g, i) : NULL;
        if (!shape || (!v->data && vectors(b, shape) >= vectors(b, v))) continue;
        take_shape(v, shape);
        if (v->data) relabel_known(g, i);
    }
    for (int32_t i = g->node_count - 1; i >= 0; i--)
        if (only_names(b, &g->nodes[i])) make_directly(b, i);
}
