/* ones.c - dimensions of 1 at the end of a shape, which would leave a row one lane, are dropped.
 *
 * A value keeps such a dimension if a node beside it needs it: one that broadcasts it along the
 * lanes, multiplies it, moves its elements, or works along it.
 */
#include "build.h"
#include "compiler/graph/graph_shape.h"

#include <stdlib.h>
#include <string.h>

/* Whether nodes work on elements of their operands in the same place. */
static const bool elementwise[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_ADD] = true,
    [TSP_GRAPH_SUB] = true,
    [TSP_GRAPH_MUL] = true,
    [TSP_GRAPH_RELU] = true,
    [TSP_GRAPH_NEG] = true,
    [TSP_GRAPH_ABS] = true,
    [TSP_GRAPH_MIN] = true,
    [TSP_GRAPH_MAX] = true,
    [TSP_GRAPH_SUM] = true,
    [TSP_GRAPH_IDENTITY] = true,
    [TSP_GRAPH_EQUAL] = true,
    [TSP_GRAPH_GREATER] = true,
    [TSP_GRAPH_LESS] = true,
    [TSP_GRAPH_GREATER_OR_EQUAL] = true,
    [TSP_GRAPH_LESS_OR_EQUAL] = true,
    [TSP_GRAPH_AND] = true,
    [TSP_GRAPH_OR] = true,
    [TSP_GRAPH_XOR] = true,
    [TSP_GRAPH_NOT] = true,
    [TSP_GRAPH_BIT_SHIFT] = true,
    [TSP_GRAPH_TANH] = true,
    [TSP_GRAPH_EXP] = true,
    [TSP_GRAPH_CLIP] = true,
    [TSP_GRAPH_LEAKY_RELU] = true,
    [TSP_GRAPH_WHERE] = true,
    [TSP_GRAPH_SIGMOID] = true,
    [TSP_GRAPH_SQRT] = true,
    [TSP_GRAPH_CAST] = true,
    [TSP_GRAPH_DIV] = true,
    [TSP_GRAPH_RECIPROCAL] = true,
    [TSP_GRAPH_MOD] = true,
    [TSP_GRAPH_POW] = true,
    [TSP_GRAPH_LOG] = true,
    [TSP_GRAPH_ERF] = true,
    [TSP_GRAPH_GELU] = true,
    [TSP_GRAPH_FLOOR] = true,
    [TSP_GRAPH_CEIL] = true,
    [TSP_GRAPH_ROUND] = true,
    [TSP_GRAPH_SIGN] = true,
    [TSP_GRAPH_HARD_SIGMOID] = true,
    [TSP_GRAPH_HARD_SWISH] = true,
    [TSP_GRAPH_SOFTPLUS] = true,
    [TSP_GRAPH_SOFTSIGN] = true,
    [TSP_GRAPH_MISH] = true,
    [TSP_GRAPH_ELU] = true,
    [TSP_GRAPH_CELU] = true,
    [TSP_GRAPH_SELU] = true,
    [TSP_GRAPH_PRELU] = true,
    [TSP_GRAPH_SWISH] = true,
};

/* Values whose last dimension goes. */
typedef struct {
    TspGraph *g;
    bool *goes, changed;
} Ones;

static void keep(Ones *o, int32_t value) {
    o->changed |= o->goes[value];
    o->goes[value] = false;
}

static void keep_all(Ones *o, const TspNode *n) {
    keep(o, n->output);
    for (int32_t i = 0; i < n->input_count; i++)
        if (n->inputs[i] >= 0) keep(o, n->inputs[i]);
}

/* The result and all operands that have such a dimension, or none of them. */
static bool go_together(const Ones *o, const TspNode *n) {
    for (int32_t i = 0; i < n->input_count; i++) {
        const int32_t v = n->inputs[i];
        if (v < 0) continue;
        if (o->goes[v] && !o->goes[n->output]) return false;
        if (o->goes[n->output] && !o->goes[v] && o->g->values[v].rank > 1) return false;
    }
    return true;
}

/* Along dimensions that stay. */
static bool reduction_stays(const Ones *o, const TspNode *n) {
    const TspValue *x = &o->g->values[n->inputs[0]];
    if (o->goes[n->inputs[0]] != o->goes[n->output]) return false;
    return !o->goes[n->inputs[0]] || !n->axis_count || n->axes[n->axis_count - 1] < x->rank - 1;
}

/* Of one operand, and others that have no such dimension, along an axis that stays. */
static bool axis_stays(const Ones *o, const TspNode *n, int64_t axis) {
    const TspValue *x = &o->g->values[n->inputs[0]];
    if (o->goes[n->inputs[0]] != o->goes[n->output]) return false;
    for (int32_t i = 1; i < n->input_count; i++)
        if (n->inputs[i] >= 0 && o->goes[n->inputs[i]]) return false;
    return !o->goes[n->inputs[0]] || (axis >= 0 && axis < x->rank - 1);
}

static bool is_fine(const Ones *o, const TspNode *n) {
    if (elementwise[n->op]) return go_together(o, n);
    if (tsp_graph_reduces(n->op)) return reduction_stays(o, n);
    switch (n->op) {
    case TSP_GRAPH_RESHAPE:
    case TSP_GRAPH_FLATTEN:
    case TSP_GRAPH_SQUEEZE:
    case TSP_GRAPH_UNSQUEEZE:
        return true;
    case TSP_GRAPH_QUANTIZE_LINEAR:
    case TSP_GRAPH_DEQUANTIZE_LINEAR:
        return axis_stays(o, n, n->axis);
    case TSP_GRAPH_BATCH_NORMALIZATION:
        return axis_stays(o, n, 1);
    case TSP_GRAPH_INSTANCE_NORMALIZATION:
        return axis_stays(o, n, 2);
    default:
        for (int32_t i = 0; i < n->input_count; i++)
            if (n->inputs[i] >= 0 && o->goes[n->inputs[i]]) return false;
        return !o->goes[n->output];
    }
}

/* One dimension of every value that has it to lose; whether any has. */
static bool drop_last(Ones *o) {
    TspGraph *g = o->g;
    bool any = false;
    for (int32_t v = 0; v < g->value_count; v++)
        o->goes[v] = g->values[v].rank > 1 && g->values[v].shape[g->values[v].rank - 1] == 1;
    for (o->changed = true; o->changed;) {
        o->changed = false;
        for (int32_t i = 0; i < g->node_count; i++)
            if (!is_fine(o, &g->nodes[i])) keep_all(o, &g->nodes[i]);
    }
    for (int32_t v = 0; v < g->value_count; v++) {
        g->values[v].rank -= o->goes[v];
        any |= o->goes[v];
    }
    return any;
}

bool drop_ones(TspGraph *g, TspError *err) {
    Ones o = {.g = g, .goes = calloc((size_t)g->value_count + 1, sizeof *o.goes)};
    if (!o.goes) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    while (drop_last(&o)) continue;
    free(o.goes);
    return true;
}
