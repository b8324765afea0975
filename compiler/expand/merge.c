/* merge.c - two dimensions of a shape become one where no node tells them apart: the last two, so
 * that rows fill lanes (a last dimension of 1 would leave a row one lane), and the first two, so
 * that matrices of a batch are one when rows become lanes.
 *
 * A value keeps both if a node beside it needs them: one that broadcasts along one of them,
 * multiplies or moves elements, or works along one.
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

/* Values whose last dimension goes into the one before it, or whose first into the one behind it.
 */
typedef struct {
    TspGraph *g;
    int32_t lanes;
    bool *goes, changed;
} Merge;

static void keep(Merge *m, int32_t value) {
    m->changed |= m->goes[value];
    m->goes[value] = false;
}

static void keep_all(Merge *m, const TspNode *n) {
    keep(m, n->output);
    for (int32_t i = 0; i < n->input_count; i++)
        if (n->inputs[i] >= 0) keep(m, n->inputs[i]);
}

/* Dimension `d` from the end; 1 beyond the first. */
static int64_t from_end(const TspValue *v, int32_t d) {
    return d <= v->rank ? v->shape[v->rank - d] : 1;
}

/* Whether an operand goes with the result: it has the same two dimensions or is broadcast along
 * both. */
static bool goes_with(const Merge *m, int32_t value, const TspValue *y) {
    const TspValue *v = &m->g->values[value];
    const bool one = from_end(v, 1) == 1 && from_end(v, 2) == 1;
    const bool same = from_end(v, 1) == from_end(y, 1) && from_end(v, 2) == from_end(y, 2);
    return m->goes[value] ? one || same : one && v->rank < 2;
}

/* The result and all operands, or none of them. */
static bool go_together(const Merge *m, const TspNode *n) {
    for (int32_t i = 0; i < n->input_count; i++) {
        const int32_t v = n->inputs[i];
        if (v < 0) continue;
        if (m->goes[n->output] ? !goes_with(m, v, &m->g->values[n->output]) : m->goes[v])
            return false;
    }
    return true;
}

/* How many dimensions of a value are as they were, and mean what they meant. */
static int32_t dimensions_left(const Merge *m, int32_t value) {
    const TspValue *v = &m->g->values[value];
    return v->rank - (from_end(v, 1) == 1 ? 1 : 2);
}

/* Of one operand, and others that are known, along dimensions up to `axis`. */
static bool axis_stays(const Merge *m, const TspNode *n, int64_t axis) {
    if (m->goes[n->inputs[0]] != m->goes[n->output]) return false;
    for (int32_t i = 1; i < n->input_count; i++)
        if (n->inputs[i] >= 0 && m->goes[n->inputs[i]]) return false;
    return !m->goes[n->inputs[0]] || (axis >= 0 && axis < dimensions_left(m, n->inputs[0]));
}

static bool reduction_stays(const Merge *m, const TspNode *n) {
    return axis_stays(m, n, n->axis_count ? n->axes[n->axis_count - 1] : 0);
}

/* Whether a value loses a dimension of 1 or none: any other may be what makes its rows, or those of
 * the value that it relabels, rows of a tensor. */
static bool loses_one(const Merge *m, int32_t value) {
    return !m->goes[value] || from_end(&m->g->values[value], 1) == 1;
}

/* Whether neither the result nor an operand goes. */
static bool keeps_all(const Merge *m, const TspNode *n) {
    for (int32_t i = 0; i < n->input_count; i++)
        if (n->inputs[i] >= 0 && m->goes[n->inputs[i]]) return false;
    return !m->goes[n->output];
}

static bool is_fine(const Merge *m, const TspNode *n) {
    if (elementwise[n->op]) return go_together(m, n);
    if (tsp_graph_reduces(n->op)) return reduction_stays(m, n);
    switch (n->op) {
    case TSP_GRAPH_RESHAPE:
    case TSP_GRAPH_FLATTEN:
    case TSP_GRAPH_SQUEEZE:
    case TSP_GRAPH_UNSQUEEZE:
        return loses_one(m, n->inputs[0]) && loses_one(m, n->output);
    case TSP_GRAPH_QUANTIZE_LINEAR:
    case TSP_GRAPH_DEQUANTIZE_LINEAR:
        return axis_stays(m, n, n->axis);
    case TSP_GRAPH_BATCH_NORMALIZATION:
        return axis_stays(m, n, 1);
    case TSP_GRAPH_INSTANCE_NORMALIZATION:
        return axis_stays(m, n, 2);
    default:
        return keeps_all(m, n);
    }
}

/* Whether rows fill lanes so much better that it is worth it. */
static bool wants(const Merge *m, const TspValue *v) {
    const int64_t last = from_end(v, 1), both = last * from_end(v, 2);
    const int64_t apart = from_end(v, 2) * ((last + m->lanes - 1) / m->lanes);
    return v->rank > 1 && (last == 1 || 4 * ((both + m->lanes - 1) / m->lanes) <= 3 * apart);
}

/* Keeps what nodes need, and what others then do. */
static void settle(Merge *m, bool (*fine)(const Merge *, const TspNode *)) {
    for (m->changed = true; m->changed;) {
        m->changed = false;
        for (int32_t i = 0; i < m->g->node_count; i++)
            if (!fine(m, &m->g->nodes[i])) keep_all(m, &m->g->nodes[i]);
    }
}

/* One dimension of every value that has it to lose; whether any has. */
static bool merge_last(Merge *m) {
    TspGraph *g = m->g;
    bool any = false;
    for (int32_t v = 0; v < g->value_count; v++) m->goes[v] = wants(m, &g->values[v]);
    settle(m, is_fine);
    for (int32_t i = 0; i < g->value_count; i++) {
        TspValue *v = &g->values[i];
        if (!m->goes[i]) continue;
        v->shape[v->rank - 2] *= v->shape[v->rank - 1];
        v->rank--;
        any = true;
    }
    return any;
}

/* ---- the first two ---- */

/* Whether an operand goes with a result that does: it has the same two dimensions or is broadcast
 * along both; or is as it would be then. */
static bool first_goes_with(const Merge *m, int32_t value, const TspValue *y) {
    const TspValue *v = &m->g->values[value];
    if (!m->goes[value])
        return v->rank < y->rank - 1 || (v->rank == y->rank - 1 && v->shape[0] == 1);
    return v->rank == y->rank && ((v->shape[0] == 1 && v->shape[1] == 1) ||
                                  (v->shape[0] == y->shape[0] && v->shape[1] == y->shape[1]));
}

/* The result and all operands, or none of them. */
static bool first_go_together(const Merge *m, const TspNode *n) {
    for (int32_t i = 0; i < n->input_count; i++) {
        const int32_t v = n->inputs[i];
        if (v < 0) continue;
        if (m->goes[n->output] ? !first_goes_with(m, v, &m->g->values[n->output]) : m->goes[v])
            return false;
    }
    return true;
}

/* Whether the node works along dimensions behind those two: from `axis` on, maybe from the end. */
static bool works_behind(const Merge *m, const TspNode *n, int64_t axis) {
    const int32_t x = n->inputs[0];
    return !m->goes[x] || (axis < 0 ? axis + m->g->values[x].rank : axis) >= 2;
}

/* Whether both values of a node that relabels go, or neither, or rows stay the same rows. */
static bool rows_stay(const Merge *m, const TspNode *n) {
    const int32_t x = n->inputs[0], y = n->output, goes = m->goes[x] ? x : y;
    const TspValue *v = m->g->values;
    return m->goes[x] == m->goes[y] ||
           (v[goes].rank > 2 && from_end(&v[x], 1) == from_end(&v[y], 1));
}

static bool first_is_fine(const Merge *m, const TspNode *n) {
    if (elementwise[n->op]) return first_go_together(m, n);
    if (tsp_graph_reduces(n->op))
        return m->goes[n->inputs[0]] == m->goes[n->output] &&
               works_behind(m, n, n->axis_count ? n->axes[0] : 0);
    switch (n->op) {
    case TSP_GRAPH_RESHAPE:
    case TSP_GRAPH_FLATTEN:
    case TSP_GRAPH_SQUEEZE:
    case TSP_GRAPH_UNSQUEEZE:
        return rows_stay(m, n);
    case TSP_GRAPH_MATMUL:
        return m->goes[n->inputs[0]] == m->goes[n->output] && !m->goes[n->inputs[1]] &&
               (!m->goes[n->output] ||
                (m->g->values[n->inputs[0]].rank > 2 && m->g->values[n->inputs[1]].rank == 2));
    case TSP_GRAPH_LAYER_NORMALIZATION:
    case TSP_GRAPH_RMS_NORMALIZATION:
        return first_go_together(m, n) && works_behind(m, n, n->axis);
    default:
        return keeps_all(m, n);
    }
}

/* Matrices among the values of an element-wise node go if one does; whether any did not before. */
static bool want_matrices(Merge *m, const TspNode *n) {
    const TspValue *v = m->g->values;
    bool with = m->goes[n->output], any = false;
    if (!elementwise[n->op] || v[n->output].rank != 2) return false;
    for (int32_t i = 0; i < n->input_count; i++) with |= n->inputs[i] >= 0 && m->goes[n->inputs[i]];
    for (int32_t i = -1; i < n->input_count && with; i++) {
        const int32_t value = i < 0 ? n->output : n->inputs[i];
        if (value < 0 || v[value].rank != 2 || m->goes[value]) continue;
        m->goes[value] = any = true;
    }
    return any;
}

/* A matrix goes only with what a reduction makes of a larger one: others have nothing to gain. */
static void want_first(Merge *m) {
    const TspGraph *g = m->g;
    bool more = true;
    for (int32_t v = 0; v < g->value_count; v++) m->goes[v] = g->values[v].rank > 2;
    for (int32_t i = 0; i < g->node_count; i++)
        if (tsp_graph_reduces(g->nodes[i].op) && m->goes[g->nodes[i].inputs[0]])
            m->goes[g->nodes[i].output] |= g->values[g->nodes[i].output].rank == 2;
    while (more) {
        more = false;
        for (int32_t i = 0; i < g->node_count; i++) more |= want_matrices(m, &g->nodes[i]);
    }
}

/* Whether axes of the node name dimensions of its first operand, which it works along. */
static bool has_axes(const TspNode *n) {
    return tsp_graph_reduces(n->op) || n->op == TSP_GRAPH_LAYER_NORMALIZATION ||
           n->op == TSP_GRAPH_RMS_NORMALIZATION;
}

/* Axes of a node whose operand loses a dimension before them. */
static void shift_axes(TspNode *n) {
    for (int32_t i = 0; i < n->axis_count; i++) n->axes[i]--;
    if (n->axis > 0) n->axis--;
}

/* One dimension of every value that has it to lose; whether any has. */
static bool merge_first(Merge *m) {
    TspGraph *g = m->g;
    bool any = false;
    want_first(m);
    settle(m, first_is_fine);
    for (int32_t i = 0; i < g->node_count; i++)
        if (m->goes[g->nodes[i].inputs[0]] && has_axes(&g->nodes[i])) shift_axes(&g->nodes[i]);
    for (int32_t i = 0; i < g->value_count; i++) {
        TspValue *v = &g->values[i];
        if (!m->goes[i]) continue;
        v->shape[1] *= v->shape[0];
        v->rank--;
        memmove(v->shape, v->shape + 1, (size_t)v->rank * sizeof *v->shape);
        any = true;
    }
    return any;
}

bool merge_ends(TspGraph *g, int32_t lanes, TspError *err) {
    Merge m = {.g = g, .lanes = lanes, .goes = calloc((size_t)g->value_count + 1, sizeof *m.goes)};
    if (!m.goes) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    while (merge_last(&m)) continue;
    while (merge_first(&m)) continue;
    free(m.goes);
    return true;
}
