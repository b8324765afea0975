/* build.c - the graph that is lowered, node by node.
 */
#include "build.h"
#include "compiler/graph/graph_shape.h"
#include "compiler/number.h"

#include <stdlib.h>
#include <string.h>

static void fail(Build *b) {
    if (!b->failed) tsp_fail(b->err, TSP_ERR_SYSTEM, "out of memory");
    b->failed = true;
}

/* Room for `more` values. */
static bool grow_values(Build *b, int32_t more) {
    TspGraph *g = &b->graph;
    if (b->failed) return false;
    if (!tsp_grow((void **)&g->values, &b->value_capacity, g->value_count + more, sizeof *g->values,
                  b->err))
        b->failed = true;
    return !b->failed;
}

/* A value on the way; -1 on failure. */
static int32_t add_value(Build *b, TspDtype type, int32_t rank, const int64_t *shape) {
    const int32_t output = b->given->nodes[b->node].output;
    TspValue *v;
    if (!grow_values(b, 1)) return -1;
    v = &b->graph.values[b->graph.value_count];
    *v = (TspValue){.dtype = type, .rank = rank, .producer = -1};
    v->name = strdup(b->given->values[output].name);
    v->line = b->given->values[output].line;
    if (rank) memcpy(v->shape, shape, (size_t)rank * sizeof *shape);
    if (!v->name) return fail(b), -1;
    return b->graph.value_count++;
}

TspValue *build_known(Build *b, TspDtype type, int32_t rank, const int64_t *shape) {
    const int32_t i = add_value(b, type, rank, shape);
    TspValue *v;
    if (i < 0) return NULL;
    v = &b->graph.values[i];
    if (!(v->data = calloc((size_t)tsp_value_elements(v), sizeof(int32_t)))) return fail(b), NULL;
    return v;
}

int32_t build_scalar(Build *b, TspDtype type, double number) {
    TspValue *v = build_known(b, type, 0, NULL);
    if (!v) return -1;
    if (tsp_dtype_is_float(type))
        tsp_store_float(type, v->data, 0, number);
    else
        tsp_store_int(type, v->data, 0, (int64_t)number);
    return b->graph.value_count - 1;
}

int32_t build_list(Build *b, int32_t count, const int64_t *numbers) {
    const int64_t shape[1] = {count};
    TspValue *v = build_known(b, TSP_I32, 1, shape);
    for (int32_t i = 0; v && i < count; i++) tsp_store_int(TSP_I32, v->data, i, numbers[i]);
    return v ? b->graph.value_count - 1 : -1;
}

TspNode build_plain(TspGraphOp op, int32_t count, const int32_t *inputs) {
    TspNode n = {.op = op, .alpha = 1, .beta = 1, .keepdims = true, .parts = 1, .output = -1};
    for (int32_t i = 0; i < TSP_NODE_INPUTS; i++) n.inputs[i] = i < count ? inputs[i] : -1;
    n.input_count = count;
    return n;
}

/* At the end of all nodes, for the one that is being built. */
static void add_node(Build *b, TspNode node) {
    TspGraph *g = &b->graph;
    node.name = b->given->nodes[b->node].name;
    node.line = b->given->nodes[b->node].line;
    if (!grow_values(b, WORKED_OUT)) return;
    if (!work_out_known(g, &node)) {
        fail(b);
        return;
    }
    if (!tsp_grow((void **)&g->nodes, &b->node_capacity, g->node_count + 1, sizeof *g->nodes,
                  b->err) ||
        !tsp_grow((void **)&b->origin, &b->origin_capacity, g->node_count + 1, sizeof *b->origin,
                  b->err)) {
        b->failed = true;
        return;
    }
    b->origin[g->node_count] = b->node;
    g->nodes[g->node_count] = node;
    g->values[node.output].producer = g->node_count++;
}

int32_t build_node(Build *b, TspNode node) {
    TspValue out = {0};
    TspError why;
    int32_t blame;
    if (b->failed) return -1;
    if (!tsp_node_infer(&b->graph, &node, &out, &blame, &why)) {
        b->failed = true;
        return tsp_fail(b->err, TSP_ERR_BUG, "%s, as %s: %s", b->given->nodes[b->node].name,
                        tsp_graph_op_name(node.op), why.text),
               -1;
    }
    if ((node.output = add_value(b, out.dtype, out.rank, out.shape)) >= 0) add_node(b, node);
    return node.output;
}

int32_t build_one(Build *b, TspGraphOp op, int32_t x) {
    return build_node(b, build_plain(op, 1, &x));
}

int32_t build_two(Build *b, TspGraphOp op, int32_t x, int32_t y) {
    return build_node(b, build_plain(op, 2, (int32_t[]){x, y}));
}

int32_t build_cast(Build *b, int32_t x, TspDtype type) {
    TspNode n = build_plain(TSP_GRAPH_CAST, 1, &x);
    if (b->failed || b->graph.values[x].dtype == type) return x;
    n.to = type;
    return build_node(b, n);
}

int32_t build_reshape(Build *b, int32_t x, int32_t rank, const int64_t *shape) {
    return build_two(b, TSP_GRAPH_RESHAPE, x, build_list(b, rank, shape));
}

int32_t build_along(Build *b, TspGraphOp op, int32_t x, const TspNode *n, bool keepdims) {
    TspNode r = build_plain(op, 1, &x);
    r.keepdims = keepdims;
    r.axis = n->axis;
    r.axis_count = n->axis_count;
    memcpy(r.axes, n->axes, sizeof r.axes);
    return build_node(b, r);
}

int32_t build_swap(Build *b, int32_t x, int32_t axis, int32_t other) {
    TspNode n = build_plain(TSP_GRAPH_TRANSPOSE, 1, &x);
    if (b->failed || axis == other) return x;
    n.axis_count = b->graph.values[x].rank;
    for (int32_t d = 0; d < n.axis_count; d++) n.axes[d] = d;
    n.axes[axis] = other;
    n.axes[other] = axis;
    return build_node(b, n);
}

int32_t build_reversed(Build *b, int32_t x, int64_t axis) {
    const int32_t in[5] = {x, build_list(b, 1, (int64_t[]){-1}),
                           build_list(b, 1, (int64_t[]){INT32_MIN}), build_list(b, 1, &axis),
                           build_list(b, 1, (int64_t[]){-1})};
    return build_node(b, build_plain(TSP_GRAPH_SLICE, 5, in));
}

int32_t build_gathered(Build *b, int32_t x, int32_t pointers) {
    TspNode n = build_plain(TSP_GRAPH_GATHER, 2, (int32_t[]){x, pointers});
    TspValue *v = b->graph.values;
    if (b->failed) return -1;
    n.output = add_value(b, v[x].dtype, 2, (int64_t[]){v[pointers].shape[0], v[x].shape[1]});
    if (n.output >= 0) add_node(b, n);
    return n.output;
}

void build_finish(Build *b, int32_t value) {
    const int32_t output = b->given->nodes[b->node].output;
    TspGraph *g = &b->graph;
    value = build_cast(b, value, b->given->values[output].dtype);
    /* what the file's own nodes make keeps its name */
    if (!b->failed && (value < b->given->value_count || g->node_count == 0 ||
                       g->nodes[g->node_count - 1].output != value))
        value = build_one(b, TSP_GRAPH_IDENTITY, value);
    if (b->failed) return;
    g->values[value].producer = -1;
    g->nodes[g->node_count - 1].output = output;
    g->values[output].producer = g->node_count - 1;
}

/* The file's graph, with values and nodes that may change. */
static bool copy_graph(Build *b, const TspGraph *given) {
    const size_t values = (size_t)given->value_count, nodes = (size_t)given->node_count;
    b->given = &b->plain;
    b->plain = *given;
    b->plain.values = malloc((values + 1) * sizeof *given->values);
    b->plain.nodes = malloc((nodes + 1) * sizeof *given->nodes);
    if (!b->plain.values || !b->plain.nodes)
        return tsp_fail(b->err, TSP_ERR_SYSTEM, "out of memory");
    if (values) memcpy(b->plain.values, given->values, values * sizeof *given->values);
    if (nodes) memcpy(b->plain.nodes, given->nodes, nodes * sizeof *given->nodes);
    return true;
}

bool build_graph(Build *b, const TspGraph *given, int32_t lanes, TspError *err) {
    *b = (Build){.graph = *given, .lanes = lanes, .err = err, .dynamic = {-1, -1, -1}};
    b->graph.values = NULL;
    b->graph.nodes = NULL;
    b->graph.value_count = b->graph.node_count = 0;
    if (!copy_graph(b, given) || !merge_ends(&b->plain, lanes, err)) return false;
    given = b->given;
    if (!grow_values(b, given->value_count)) return false;
    memcpy(b->graph.values, given->values, (size_t)given->value_count * sizeof *given->values);
    b->graph.value_count = given->value_count;
    for (; b->node < given->node_count && !b->failed; b->node++)
        if (!expand_node(b, &given->nodes[b->node])) add_node(b, given->nodes[b->node]);
    if (!b->failed) build_relabel(b);
    return !b->failed;
}

void build_free(Build *b) {
    for (int32_t v = b->given->value_count; v < b->graph.value_count; v++) {
        free(b->graph.values[v].name);
        free(b->graph.values[v].data);
    }
    free(b->graph.values);
    free(b->graph.nodes);
    free(b->plain.values);
    free(b->plain.nodes);
    free(b->origin);
}
