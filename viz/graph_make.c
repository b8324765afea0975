/* graph_make.c - the graph of a program's ops: what each reads and writes, and so who feeds whom.
 *
 * The program does not keep the graph that it was compiled from; its data flow does. An op feeds
 * another by writing a tensor that the other reads, or from unit to unit.
 */
#include "graph_layout.h"

#include <stdlib.h>
#include <string.h>

/* -- lists that grow, and are sorted and made unique -- */

static void *grown(void *items, int32_t count, size_t item_bytes) {
    if (count & (count - 1)) return items; /* room up to the next power of two */
    return realloc(items, (count ? 2 * (size_t)count : 1) * item_bytes);
}

static int by_use(const void *left, const void *right) {
    const VizUse *a = left, *b = right;
    if (a->op != b->op) return a->op < b->op ? -1 : 1;
    if (a->writes != b->writes) return a->writes ? 1 : -1;
    return (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

static int by_edge(const void *left, const void *right) {
    const VizEdge *a = left, *b = right;
    if (a->from != b->from) return a->from < b->from ? -1 : 1;
    if (a->to != b->to) return a->to < b->to ? -1 : 1;
    return (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

static int32_t unique(void *items, int32_t count, size_t item_bytes,
                      int (*compare)(const void *, const void *)) {
    char *bytes = items;
    int32_t kept = 0;
    if (count == 0) return 0;
    qsort(items, (size_t)count, item_bytes, compare);
    for (int32_t i = 0; i < count; i++) {
        const char *item = bytes + (size_t)i * item_bytes;
        if (i > 0 && compare(bytes + (size_t)(kept - 1) * item_bytes, item) == 0) continue;
        memmove(bytes + (size_t)kept++ * item_bytes, item, item_bytes);
    }
    return kept;
}

/* -- uses -- */

static bool add_use(VizGraph *g, int32_t op, int32_t tensor, bool writes) {
    const VizUse use = {op, tensor, writes};
    VizUse *uses;
    if (op < 0 || tensor < 0) return true;
    /* bursts that follow each other mostly do the same */
    for (int32_t i = g->use_count - 1; i >= 0 && i > g->use_count - 3; i--)
        if (by_use(&g->uses[i], &use) == 0) return true;
    uses = grown(g->uses, g->use_count, sizeof *uses);
    if (!uses) return false;
    g->uses = uses;
    uses[g->use_count++] = use;
    return true;
}

static bool find_uses(VizGraph *g, const VizRun *run) {
    for (int32_t i = 0; i < run->timeline.burst_count; i++) {
        const VizBurst *b = &run->timeline.bursts[i];
        const bool both = b->opcode == TSP_OP_READ_WRITE;
        if ((both || b->opcode == TSP_OP_READ) && !add_use(g, b->op[0], b->tensor[0], false))
            return false;
        if (b->opcode == TSP_OP_WRITE && !add_use(g, b->op[0], b->tensor[0], true)) return false;
        if (both && !add_use(g, b->op[1], b->tensor[1], true)) return false;
    }
    g->use_count = unique(g->uses, g->use_count, sizeof *g->uses, by_use);
    return true;
}

static bool is_written(const VizGraph *g, int32_t tensor) {
    for (int32_t i = 0; i < g->use_count; i++)
        if (g->uses[i].writes && g->uses[i].tensor == tensor) return true;
    return false;
}

/* -- nodes and edges -- */

static int32_t add_node(VizGraph *g, VizNodeKind kind, int32_t id) {
    VizNode *nodes = grown(g->nodes, g->node_count, sizeof *nodes);
    if (!nodes) return -1;
    g->nodes = nodes;
    nodes[g->node_count] = (VizNode){.kind = kind, .id = id};
    return g->node_count++;
}

static bool add_edge(VizGraph *g, int32_t from, int32_t to, int32_t tensor) {
    VizEdge *edges = grown(g->edges, g->edge_count, sizeof *edges);
    if (!edges) return false;
    g->edges = edges;
    edges[g->edge_count++] = (VizEdge){from, to, tensor};
    return true;
}

static bool add_chip(VizGraph *g, int32_t op, int32_t tensor) {
    int32_t *chips = grown(g->chips, g->chip_count, sizeof *chips);
    VizNode *n = &g->nodes[op];
    if (!chips) return false;
    g->chips = chips;
    if (n->chip_count == 0) n->chip = g->chip_count;
    n->chip_count++;
    chips[g->chip_count++] = tensor;
    return true;
}

/* The input or output of the graph that a tensor is. */
static int32_t tensor_node(VizGraph *g, const VizRun *run, VizNodeKind kind, int32_t tensor) {
    for (int32_t i = run->program->op_count; i < g->node_count; i++)
        if (g->nodes[i].kind == kind && g->nodes[i].id == tensor) return i;
    return add_node(g, kind, tensor);
}

static bool connect_tensor(VizGraph *g, const VizRun *run, const VizUse *use) {
    const TspTensorRole role = run->program->tensors[use->tensor].role;
    if (use->writes) {
        const int32_t node =
            role == TSP_ROLE_OUTPUT ? tensor_node(g, run, VIZ_NODE_OUTPUT, use->tensor) : use->op;
        if (node < 0) return false;
        return role != TSP_ROLE_OUTPUT || add_edge(g, use->op, node, use->tensor);
    }
    if (!is_written(g, use->tensor)) {
        int32_t node;
        if (role == TSP_ROLE_CONSTANT) return add_chip(g, use->op, use->tensor);
        node = tensor_node(g, run, VIZ_NODE_INPUT, use->tensor);
        return node >= 0 && add_edge(g, node, use->op, use->tensor);
    }
    for (int32_t i = 0; i < g->use_count; i++) {
        const VizUse *writer = &g->uses[i];
        if (!writer->writes || writer->tensor != use->tensor || writer->op == use->op) continue;
        if (!add_edge(g, writer->op, use->op, use->tensor)) return false;
    }
    return true;
}

static bool connect_feeds(VizGraph *g, const VizRun *run) {
    for (int32_t i = 0; i < run->feed_count; i++) {
        const VizFeed *f = &run->feeds[i];
        if (!add_edge(g, f->from, f->to, run->op_tensor[f->from])) return false;
    }
    return true;
}

/* -- layers -- */

static int32_t greatest_layer(const VizGraph *g) {
    int32_t layer = 0;
    for (int32_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].layer > layer) layer = g->nodes[i].layer;
    return layer;
}

/* Longest paths. Edges that close a cycle, as hand-made programs may have them, are left out. */
static void find_layers(VizGraph *g) {
    int32_t kept = 0;
    bool moved = true;
    for (int32_t pass = 0; moved && pass <= g->node_count; pass++) {
        moved = false;
        for (int32_t i = 0; i < g->edge_count; i++) {
            const int32_t least = g->nodes[g->edges[i].from].layer + 1;
            VizNode *to = &g->nodes[g->edges[i].to];
            if (to->layer >= least || least > g->node_count) continue;
            to->layer = least;
            moved = true;
        }
    }
    for (int32_t i = 0; i < g->edge_count; i++)
        if (g->nodes[g->edges[i].from].layer < g->nodes[g->edges[i].to].layer)
            g->edges[kept++] = g->edges[i];
    g->edge_count = kept;
}

/* An input stands just before what reads it first. */
static void pull_inputs(VizGraph *g) {
    for (int32_t i = 0; i < g->node_count; i++) {
        int32_t layer = -1;
        if (g->nodes[i].kind != VIZ_NODE_INPUT) continue;
        for (int32_t e = 0; e < g->edge_count; e++)
            if (g->edges[e].from == i && (layer < 0 || g->nodes[g->edges[e].to].layer <= layer))
                layer = g->nodes[g->edges[e].to].layer - 1;
        if (layer >= 0) g->nodes[i].layer = layer;
    }
}

/* An op that has no part in the run, as a relabelling or a factor that others take in, stands with
 * the one before it. */
static void place_idle(VizGraph *g, int32_t ops) {
    for (int32_t i = 1; i < ops; i++) {
        bool tied = false;
        for (int32_t e = 0; e < g->edge_count && !tied; e++)
            tied = g->edges[e].from == i || g->edges[e].to == i;
        if (!tied) g->nodes[i].layer = g->nodes[i - 1].layer;
    }
}

static bool close_gaps(VizGraph *g) {
    const int32_t layers = greatest_layer(g) + 1;
    int32_t *number = calloc((size_t)layers, sizeof *number), count = 0;
    if (!number) return false;
    for (int32_t i = 0; i < g->node_count; i++) number[g->nodes[i].layer] = 1;
    for (int32_t layer = 0; layer < layers; layer++) {
        count += number[layer];
        number[layer] = count - 1;
    }
    for (int32_t i = 0; i < g->node_count; i++) g->nodes[i].layer = number[g->nodes[i].layer];
    g->layer_count = count;
    free(number);
    return true;
}

/* Splits long edges; those of one node and tensor share their bends. */
static bool bend_edges(VizGraph *g) {
    for (int32_t i = 0; i < g->edge_count; i++) {
        const VizEdge e = g->edges[i];
        const int32_t layer = g->nodes[e.from].layer + 1;
        int32_t bend = -1;
        if (layer == g->nodes[e.to].layer) continue;
        for (int32_t k = 0; k < i && bend < 0; k++) /* its earlier parts are behind it, too */
            if (g->edges[k].from == e.from && g->edges[k].tensor == e.tensor &&
                g->nodes[g->edges[k].to].kind == VIZ_NODE_BEND)
                bend = g->edges[k].to;
        if (bend < 0) {
            bend = add_node(g, VIZ_NODE_BEND, e.tensor);
            if (bend < 0) return false;
            g->nodes[bend].layer = layer;
        }
        g->edges[i].to = bend;
        if (!add_edge(g, bend, e.to, e.tensor)) return false;
    }
    g->edge_count = unique(g->edges, g->edge_count, sizeof *g->edges, by_edge);
    return true;
}

bool viz_graph_make(VizGraph *g, const VizRun *run) {
    *g = (VizGraph){0};
    if (!find_uses(g, run)) return false;
    for (int32_t op = 0; op < run->program->op_count; op++)
        if (add_node(g, VIZ_NODE_OP, op) < 0) return false;
    for (int32_t i = 0; i < g->use_count; i++)
        if (!connect_tensor(g, run, &g->uses[i])) return false;
    if (!connect_feeds(g, run)) return false;
    g->edge_count = unique(g->edges, g->edge_count, sizeof *g->edges, by_edge);
    find_layers(g);
    pull_inputs(g);
    place_idle(g, run->program->op_count);
    return close_gaps(g) && bend_edges(g) && viz_graph_arrange(g);
}
