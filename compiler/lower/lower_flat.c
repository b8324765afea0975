/* lower_flat.c - vectors of any length: values that only element-wise nodes and reductions touch
 * are seen as one run of elements, a row for every vector, so that long ones fill all lanes and
 * lie in many slices.
 */
#include "lower.h"

#include <stdlib.h>
#include <string.h>

static bool is_reduction(const TspNode *n) {
    switch (n->op) {
    case TSP_GRAPH_REDUCE_SUM:
    case TSP_GRAPH_REDUCE_MEAN:
    case TSP_GRAPH_REDUCE_MAX:
    case TSP_GRAPH_REDUCE_MIN:
    case TSP_GRAPH_ARG_MAX:
        return true;
    default:
        return false;
    }
}

/* May all values of the node be flat? Scalars beside them are no matter, nor are initializers,
 * which can lie in memory twice. */
static bool may_be_flat(const Lowerer *l, const TspNode *n) {
    const TspGraph *g = l->graph;
    int64_t elements = tsp_value_elements(&g->values[n->output]);
    if (is_reduction(n) || n->op == TSP_GRAPH_CUM_SUM || lower_is_dot(l, n)) return true;
    if (!lower_is_elementwise(n) || !l->flat[n->output]) return false;
    for (int32_t i = 0; i < lower_streamed(n); i++) {
        const TspValue *v = &g->values[n->inputs[i]];
        if (tsp_value_elements(v) == 1) continue;
        if (tsp_value_elements(v) != elements || (!v->data && !l->flat[n->inputs[i]])) return false;
    }
    return true;
}

/* Whether a value that was flat is not any more. */
static bool forbid_flat(Lowerer *l, const TspNode *n) {
    bool changed = l->flat[n->output];
    l->flat[n->output] = false;
    for (int32_t i = 0; i < n->input_count; i++) {
        if (n->inputs[i] < 0 || l->graph->values[n->inputs[i]].data) continue;
        changed |= l->flat[n->inputs[i]];
        l->flat[n->inputs[i]] = false;
    }
    return changed;
}

/* A running sum and all that element-wise nodes make of its operand and its result. */
static void find_lanewise(Lowerer *l) {
    const TspGraph *g = l->graph;
    for (bool changed = true; changed;) {
        changed = false;
        for (int32_t i = 0; i < g->node_count; i++) {
            const TspNode *n = &g->nodes[i];
            int32_t values[1 + ELEMENTWISE_INPUTS] = {n->output}, count = 1;
            int32_t inputs = n->op == TSP_GRAPH_CUM_SUM ? 1
                             : lower_is_elementwise(n)  ? lower_streamed(n)
                                                        : -1;
            if (inputs < 0) continue;
            while (count <= inputs) values[count] = n->inputs[count - 1], count++;
            bool lanewise = n->op == TSP_GRAPH_CUM_SUM;
            for (int32_t j = 0; j < count; j++)
                lanewise |= values[j] >= 0 && l->lanewise[values[j]];
            for (int32_t j = 0; j < count && lanewise; j++) {
                if (values[j] < 0 || g->values[values[j]].data || !l->flat[values[j]]) continue;
                changed |= !l->lanewise[values[j]];
                l->lanewise[values[j]] = true;
            }
        }
    }
}

void lower_find_flat(Lowerer *l) {
    const TspGraph *g = l->graph;
    for (int32_t v = 0; v < g->value_count; v++) l->flat[v] = tsp_value_elements(&g->values[v]) > 1;
    for (bool changed = true; changed;) {
        changed = false;
        for (int32_t i = 0; i < g->node_count; i++)
            if (!may_be_flat(l, &g->nodes[i])) changed |= forbid_flat(l, &g->nodes[i]);
    }
    find_lanewise(l);
}

/* Rows of a block of a lanewise tensor: a chain for each turn of an ALU in a block. */
static int32_t lanewise_run(const TspMachine *m, int32_t rows) {
    return lower_scan_rows(m, rows) * (int32_t)m->vxm_op_cycles;
}

int32_t lower_flat_tensor(Lowerer *l, int32_t value, int orientation, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    const TspMachine *m = &l->module->machine;
    int32_t *slot = &l->tensor_of[value][orientation];
    Tensor *t;
    if (*slot >= 0) return *slot;
    *slot = lower_new_tensor(l, v->name, "", v->dtype,
                             v->data        ? TSP_ROLE_CONSTANT
                             : v->is_input  ? TSP_ROLE_INPUT
                             : v->is_output ? TSP_ROLE_OUTPUT
                                            : TSP_ROLE_INTERNAL,
                             v->rank, v->shape, false, err);
    if (*slot < 0) return -1;
    t = &l->module->tensors[*slot];
    t->flat = t->contiguous = true;
    t->lanewise = orientation == LANEWISE;
    t->rows = tsp_ceil_div(tsp_value_elements(v), tsp_lanes(m));
    t->cols = t->rows > 1 || t->lanewise ? tsp_lanes(m) : (int32_t)tsp_value_elements(v);
    t->ctiles = 1;
    t->run = t->lanewise ? lanewise_run(m, t->rows) : tsp_flat_run(m, t->rows);
    if (!v->data) return *slot;
    t->data = malloc((size_t)tsp_value_bytes(v));
    if (!t->data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    memcpy(t->data, v->data, (size_t)tsp_value_bytes(v));
    return *slot;
}

/* Rows row0 .. row0+rows-1 of the node, of `cols` columns each: a scalar fills only these. */
static bool lower_run(Lowerer *l, const TspNode *node, int32_t row0, int32_t rows, int32_t cols,
                      TspError *err) {
    const TspGraph *g = l->graph;
    int orientation = l->lanewise[node->output] ? LANEWISE : FLAT;
    int32_t tensor[ELEMENTWISE_INPUTS], ones = -1, level = 0, stages;
    int32_t out = lower_flat_tensor(l, node->output, orientation, err);
    bool scalar[ELEMENTWISE_INPUTS] = {false};
    From from[ELEMENTWISE_INPUTS] = {{FROM_NONE, 0}};
    Stage *s;
    if (out < 0) return false;
    if (lower_needs_ones(node) && (ones = lower_ones(l, node, cols, err)) < 0) return false;
    for (int32_t i = 0; i < lower_streamed(node); i++) {
        scalar[i] = tsp_value_elements(&g->values[node->inputs[i]]) == 1;
        tensor[i] = scalar[i] ? lower_widened(l, node->inputs[i], cols, err)
                              : lower_flat_tensor(l, node->inputs[i], orientation, err);
        if (tensor[i] < 0) return false;
        if (level < l->module->tensors[tensor[i]].level)
            level = l->module->tensors[tensor[i]].level;
    }
    if (!(s = lower_new_stage(l, "elementwise", rows, cols, err))) return false;
    for (int32_t i = 0; i < lower_streamed(node); i++)
        from[i] = lower_operand(s, tensor[i], scalar[i] ? 0 : row0, !scalar[i]);
    stages = lower_finish_elementwise(
        l, node, s, from, ones < 0 ? from_none() : lower_operand(s, ones, 0, 0), out, row0, err);
    l->module->tensors[out].level = level + stages;
    return stages > 0;
}

bool lower_flat_elementwise(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    int64_t elements = tsp_value_elements(&g->values[node->output]);
    int32_t lanes = tsp_lanes(&l->module->machine), full = (int32_t)(elements / lanes),
            rest = (int32_t)(elements % lanes);
    bool scalar = lower_needs_ones(node); /* or a row of ones: they fill only so many columns */
    if (l->lanewise[node->output])
        return lower_run(l, node, 0, tsp_ceil_div(elements, lanes), lanes, err);
    for (int32_t i = 0; i < lower_streamed(node); i++)
        scalar |= tsp_value_elements(&g->values[node->inputs[i]]) == 1;
    if (!scalar) return lower_run(l, node, 0, full + (rest > 0), full ? lanes : rest, err);
    return (!full || lower_run(l, node, 0, full, lanes, err)) &&
           (!rest || lower_run(l, node, full, 1, rest, err));
}
