/* graph_layout.c - few crossings by barycentres, then heights that draw neighbours level.
 *
 * K. Sugiyama, S. Tagawa, M. Toda: "Methods for Visual Understanding of Hierarchical System
 * Structures", IEEE Transactions on Systems, Man, and Cybernetics 11(2), 1981.
 */
#include "graph_layout.h"

#include <stdlib.h>

enum { SWEEPS = 8 };

/* Scratch of one arrangement. */
typedef struct {
    VizGraph *g;
    float *wanted;               /* [node] where its neighbours would have it */
    int32_t *block;              /* of a layer: where each block of nodes that touch begins */
    float *block_sum;            /* what its nodes want of its first node, together */
    const VizEdge **into;        /* edges by `to` */
    int32_t *first, *first_into; /* [node] in edges, in into; one more at the end */
    int32_t *filled;             /* [layer], then [node]: how many are in place */
} Arrange;

float viz_node_slots(VizNodeKind kind) {
    return kind == VIZ_NODE_OP ? 1 : kind == VIZ_NODE_BEND ? 0.25f : 0.65f;
}

/* -- order -- */

/* Turns counts, each in the place after its own, into where each begins. */
static void accumulate(int32_t *first, int32_t count) {
    for (int32_t i = 0; i < count; i++) first[i + 1] += first[i];
}

static void fill_layers(const Arrange *a) {
    VizGraph *g = a->g;
    for (int32_t i = 0; i < g->node_count; i++) g->layer_first[g->nodes[i].layer + 1]++;
    accumulate(g->layer_first, g->layer_count);
    for (int32_t i = 0; i < g->node_count; i++) {
        const int32_t layer = g->nodes[i].layer;
        g->nodes[i].order = a->filled[layer]++;
        g->layer[g->layer_first[layer] + g->nodes[i].order] = i;
    }
}

static void index_edges(const Arrange *a) {
    const VizGraph *g = a->g;
    for (int32_t e = 0; e < g->edge_count; e++) {
        a->first[g->edges[e].from + 1]++;
        a->first_into[g->edges[e].to + 1]++;
    }
    accumulate(a->first, g->node_count);
    accumulate(a->first_into, g->node_count);
    for (int32_t node = 0; node < g->node_count; node++) a->filled[node] = 0;
    for (int32_t e = 0; e < g->edge_count; e++) {
        const int32_t to = g->edges[e].to;
        a->into[a->first_into[to] + a->filled[to]++] = &g->edges[e];
    }
}

/* Mean of what `of` says of the neighbours on one side, or `none` if there are none. */
static float mean(const Arrange *a, int32_t node, bool before, float (*of)(const VizNode *),
                  float none) {
    float sum = 0;
    int32_t count = 0;
    if (before)
        for (int32_t i = a->first_into[node]; i < a->first_into[node + 1]; i++, count++)
            sum += of(&a->g->nodes[a->into[i]->from]);
    else
        for (int32_t i = a->first[node]; i < a->first[node + 1]; i++, count++)
            sum += of(&a->g->nodes[a->g->edges[i].to]);
    return count ? sum / (float)count : none;
}

static float order_of(const VizNode *n) {
    return (float)n->order;
}
static float y_of(const VizNode *n) {
    return n->y;
}

/* Sorts a layer by what its nodes want; those that want the same stay as they are. */
static void sort_layer(const Arrange *a, int32_t layer) {
    const VizGraph *g = a->g;
    int32_t *nodes = &g->layer[g->layer_first[layer]];
    const int32_t count = g->layer_first[layer + 1] - g->layer_first[layer];
    for (int32_t i = 1; i < count; i++) {
        const int32_t node = nodes[i];
        int32_t k = i;
        for (; k > 0 && a->wanted[nodes[k - 1]] > a->wanted[node]; k--) nodes[k] = nodes[k - 1];
        nodes[k] = node;
    }
    for (int32_t i = 0; i < count; i++) g->nodes[nodes[i]].order = i;
}

static void order(const Arrange *a) {
    const VizGraph *g = a->g;
    for (int32_t sweep = 0; sweep < SWEEPS; sweep++)
        for (int32_t l = 1; l < g->layer_count; l++) {
            const bool right = sweep % 2 == 0;
            const int32_t layer = right ? l : g->layer_count - 1 - l;
            for (int32_t i = g->layer_first[layer]; i < g->layer_first[layer + 1]; i++)
                a->wanted[g->layer[i]] =
                    mean(a, g->layer[i], right, order_of, (float)g->nodes[g->layer[i]].order);
            sort_layer(a, layer);
        }
}

/* -- heights -- */

static float apart(const VizNode *upper, const VizNode *lower) {
    return (viz_node_slots(upper->kind) + viz_node_slots(lower->kind)) / 2;
}

/* Places the nodes of a layer as near as they get to where they want to be, in their order and
 * apart: nodes that would overlap join into a block, which stands where they want it on average. */
static void settle(const Arrange *a, int32_t layer) {
    const VizGraph *g = a->g;
    const int32_t *nodes = &g->layer[g->layer_first[layer]];
    const int32_t count = g->layer_first[layer + 1] - g->layer_first[layer];
    float offset = 0; /* of a node from the first of the layer, if all touch */
    int32_t blocks = 0;
    for (int32_t i = 0; i < count; i++) {
        VizNode *n = &g->nodes[nodes[i]];
        if (i > 0) offset += apart(&g->nodes[nodes[i - 1]], n);
        n->y = offset;
        a->block[blocks] = i;
        a->block_sum[blocks] = a->wanted[nodes[i]] - offset;
        blocks++;
        while (blocks > 1) {
            const int32_t last = a->block[blocks - 1], before = a->block[blocks - 2];
            if (a->block_sum[blocks - 2] / (float)(last - before) <
                a->block_sum[blocks - 1] / (float)(i + 1 - last))
                break;
            a->block_sum[blocks - 2] += a->block_sum[blocks - 1];
            blocks--;
        }
    }
    for (int32_t b = 0; b < blocks; b++) {
        const int32_t end = b + 1 < blocks ? a->block[b + 1] : count;
        const float shift = a->block_sum[b] / (float)(end - a->block[b]);
        for (int32_t i = a->block[b]; i < end; i++) g->nodes[nodes[i]].y += shift;
    }
}

static void place(const Arrange *a) {
    const VizGraph *g = a->g;
    for (int32_t layer = 0; layer < g->layer_count; layer++) {
        for (int32_t i = g->layer_first[layer]; i < g->layer_first[layer + 1]; i++)
            a->wanted[g->layer[i]] = 0;
        settle(a, layer);
    }
    for (int32_t sweep = 0; sweep < SWEEPS; sweep++)
        for (int32_t l = 0; l < g->layer_count; l++) {
            const int32_t layer = sweep % 2 == 0 ? l : g->layer_count - 1 - l;
            for (int32_t i = g->layer_first[layer]; i < g->layer_first[layer + 1]; i++) {
                const int32_t node = g->layer[i];
                const bool west = a->first_into[node] < a->first_into[node + 1];
                const bool east = a->first[node] < a->first[node + 1];
                const float y = g->nodes[node].y, before = mean(a, node, true, y_of, y),
                            after = mean(a, node, false, y_of, y);
                a->wanted[node] = !west ? after : !east ? before : (before + after) / 2;
            }
            settle(a, layer);
        }
}

static void measure(VizGraph *g) {
    for (int32_t i = 0; i < g->node_count; i++) {
        const float half = viz_node_slots(g->nodes[i].kind) / 2;
        if (i == 0 || g->nodes[i].y - half < g->top) g->top = g->nodes[i].y - half;
        if (i == 0 || g->nodes[i].y + half > g->bottom) g->bottom = g->nodes[i].y + half;
    }
}

bool viz_graph_arrange(VizGraph *g) {
    const size_t nodes = (size_t)g->node_count + 1, edges = (size_t)g->edge_count + 1;
    Arrange a = {.g = g,
                 .wanted = calloc(nodes, sizeof *a.wanted),
                 .block = calloc(nodes, sizeof *a.block),
                 .block_sum = calloc(nodes, sizeof *a.block_sum),
                 .into = calloc(edges, sizeof *a.into),
                 .first = calloc(nodes, sizeof *a.first),
                 .first_into = calloc(nodes, sizeof *a.first_into),
                 .filled = calloc(nodes, sizeof *a.filled)};
    bool made;
    g->layer = calloc(nodes, sizeof *g->layer);
    g->layer_first = calloc((size_t)g->layer_count + 1, sizeof *g->layer_first);
    made = a.wanted && a.block && a.block_sum && a.into && a.first && a.first_into && a.filled &&
           g->layer && g->layer_first;
    if (made) {
        fill_layers(&a);
        index_edges(&a);
        order(&a);
        place(&a);
        measure(g);
    }
    free(a.wanted);
    free(a.block);
    free(a.block_sum);
    free(a.into);
    free(a.first);
    free(a.first_into);
    free(a.filled);
    return made;
}
