/* lower_flat.c - vectors of any length: values that only element-wise nodes and reductions touch
 * are seen as one run of elements, a row for every vector, so that long ones fill all lanes and
 * lie in many slices.
 */
#include "lower.h"
#include "compiler/graph/graph_shape.h"

#include <stdlib.h>
#include <string.h>

/* Whether the node is one that lower_fold.c reduces as a run of elements, if its operand may be
 * one: over all axes that are longer than 1. */
static bool is_reduction(const TspGraph *g, const TspNode *n) {
    const bool is_arg = n->op == TSP_GRAPH_ARG_MAX || n->op == TSP_GRAPH_ARG_MIN;
    return tsp_graph_reduces(n->op) && n->op != TSP_GRAPH_SOFTMAX && !n->noop &&
           tsp_value_elements(&g->values[n->output]) == 1 &&
           (!is_arg || g->values[n->inputs[0]].rank == 1);
}

bool lower_reduces_flat(const Lowerer *l, const TspNode *n) {
    const TspValue *v = &l->graph->values[n->inputs[0]];
    return is_reduction(l->graph, n) &&
           (l->flat[n->inputs[0]] || v->data || tsp_value_elements(v) == 1);
}

/* Whether an operand that is known may be written out as large as the result. */
static bool may_spread(const Lowerer *l, const TspValue *v, int64_t elements) {
    enum { MOST_BYTES = 1 << 24 };
    return v->data && !l->module->sparing && elements * tsp_dtype_bytes(v->dtype) <= MOST_BYTES;
}

/* May all values of the node be flat? Scalars beside them are no matter, nor are initializers,
 * which can lie in memory twice. */
static bool may_be_flat(const Lowerer *l, const TspNode *n) {
    const TspGraph *g = l->graph;
    int64_t elements = tsp_value_elements(&g->values[n->output]);
    if (is_reduction(g, n) || n->op == TSP_GRAPH_CUM_SUM || lower_is_dot(l, n)) return true;
    if (!lower_is_elementwise(n) || !l->flat[n->output]) return false;
    for (int32_t i = 0; i < lower_streamed(n); i++) {
        const TspValue *v = &g->values[n->inputs[i]];
        if (tsp_value_elements(v) == 1 || may_spread(l, v, elements)) continue;
        if (tsp_value_elements(v) != elements || !l->flat[n->inputs[i]]) return false;
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

/* A flat tensor for a value's elements, without data. */
static int32_t new_flat(Lowerer *l, const TspValue *v, int orientation, TspError *err) {
    const TspMachine *m = &l->module->machine;
    int32_t i = lower_new_tensor(l, v->name, "", v->dtype,
                                 v->data        ? TSP_ROLE_CONSTANT
                                 : v->is_input  ? TSP_ROLE_INPUT
                                 : v->is_output ? TSP_ROLE_OUTPUT
                                                : TSP_ROLE_INTERNAL,
                                 v->rank, v->shape, false, err);
    Tensor *t = i < 0 ? NULL : &l->module->tensors[i];
    if (!t) return -1;
    t->flat = t->contiguous = true;
    t->lanewise = orientation == LANEWISE;
    t->rows = tsp_ceil_div(tsp_value_elements(v), tsp_lanes(m));
    t->cols = t->rows > 1 || t->lanewise ? tsp_lanes(m) : (int32_t)tsp_value_elements(v);
    t->ctiles = 1;
    t->run = t->lanewise ? lanewise_run(m, t->rows) : tsp_flat_run(m, t->rows);
    return i;
}

int32_t lower_flat_tensor(Lowerer *l, int32_t value, int orientation, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t *slot = &l->tensor_of[value][orientation];
    Tensor *t;
    if (*slot >= 0) return *slot;
    if ((*slot = new_flat(l, v, orientation, err)) < 0) return -1;
    t = &l->module->tensors[*slot];
    if (!v->data) return *slot;
    t->data = malloc((size_t)tsp_value_bytes(v));
    if (!t->data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    memcpy(t->data, v->data, (size_t)tsp_value_bytes(v));
    return *slot;
}

/* A known scalar is part of the instruction where no lane needs to stay zero. */
static bool is_number(const Lowerer *l, const TspNode *node, int32_t i, int32_t cols) {
    const TspValue *v = &l->graph->values[node->inputs[i]],
                   *other = &l->graph->values[node->inputs[node->input_count - 1 - i]];
    return lower_takes_number(node) && cols == tsp_lanes(&l->module->machine) && v->data &&
           tsp_value_elements(v) == 1 && tsp_value_elements(other) > 1;
}

/* Copies the elements of a known value to where those of the shape of y meet them. */
static void spread(const TspValue *v, const TspValue *y, uint8_t *to) {
    const size_t bytes = (size_t)tsp_dtype_bytes(v->dtype);
    for (int64_t i = 0; i < tsp_value_elements(y); i++) {
        int64_t rest = i, element = 0, step = 1;
        for (int32_t d = y->rank - 1, e = v->rank - 1; e >= 0; d--, e--) {
            if (v->shape[e] > 1) element += rest % y->shape[d] * step;
            step *= v->shape[e];
            rest /= y->shape[d];
        }
        memcpy(to + (size_t)i * bytes, v->data + (size_t)element * bytes, bytes);
    }
}

/* A constant of the same elements in the same places; -1: there is none. */
static int32_t same_constant(const Lowerer *l, const TspValue *v, int orientation) {
    for (int32_t i = 0; i < l->module->tensor_count; i++) {
        const Tensor *t = &l->module->tensors[i];
        if (t->role == TSP_ROLE_CONSTANT && t->flat && t->lanewise == (orientation == LANEWISE) &&
            t->dtype == v->dtype && t->rank == v->rank &&
            !memcmp(t->shape, v->shape, (size_t)v->rank * sizeof *v->shape) &&
            !memcmp(t->data, v->data, (size_t)tsp_value_bytes(v)))
            return i;
    }
    return -1;
}

/* A known value as large as y, which meets it. */
static int32_t spread_tensor(Lowerer *l, int32_t value, const TspValue *y, int orientation,
                             TspError *err) {
    const TspValue *v = &l->graph->values[value];
    TspValue whole = *y;
    int32_t i;
    whole.name = v->name;
    whole.dtype = v->dtype;
    whole.is_input = whole.is_output = false;
    whole.data = malloc((size_t)tsp_value_bytes(&whole));
    if (!whole.data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    spread(v, y, whole.data);
    if ((i = same_constant(l, &whole, orientation)) >= 0) return free(whole.data), i;
    if ((i = new_flat(l, &whole, orientation, err)) < 0) return free(whole.data), -1;
    l->module->tensors[i].data = whole.data;
    l->module->lavish = true;
    return i;
}

/* The tensor of an operand that is read row by row, or of a scalar: a slice gives one row a cycle,
 * so it has copies for blocks to take turns at, in a quarter of all slices. */
static int32_t operand_tensor(Lowerer *l, int32_t value, const TspValue *y, int orientation,
                              int32_t cols, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const TspValue *v = &l->graph->values[value];
    int32_t copies = (int32_t)m->mem_slices / 2 / tsp_dtype_bytes(v->dtype), i;
    if (tsp_value_elements(v) == tsp_value_elements(y) && tsp_value_elements(v) > 1)
        return lower_flat_tensor(l, value, orientation, err);
    if (tsp_value_elements(v) > 1) return spread_tensor(l, value, y, orientation, err);
    if ((i = lower_widened(l, value, cols, err)) >= 0 && cols == tsp_lanes(m) && copies > 1)
        l->module->tensors[i].wanted = tsp_min32(copies, (int32_t)m->vxm_alus);
    return i;
}

/* Whether no stage has made or read the tensor. */
static bool is_fresh(const Lowerer *l, int32_t tensor) {
    TspTensorRole role = l->module->tensors[tensor].role;
    if (role != TSP_ROLE_INPUT && role != TSP_ROLE_CONSTANT) return false;
    for (int32_t s = 0; s < l->module->stage_count; s++)
        for (int32_t i = 0; i < l->module->stages[s].operand_count; i++)
            if (l->module->stages[s].operands[i].tensor == tensor) return false;
    return true;
}

/* Operands that meet come from opposite hemispheres where that is free to choose: so streams of
 * both directions are as full, whichever way results go. Returns the greatest level. */
static int32_t part_operands(Lowerer *l, const int32_t *tensor, int32_t count) {
    int32_t level = 0;
    for (int32_t i = 1; i < count; i++) {
        Tensor *a = &l->module->tensors[tensor[i - 1]], *b = &l->module->tensors[tensor[i]];
        if (!a->flat || !b->flat || a == b || (a->level + b->level) % 2) continue;
        if (is_fresh(l, tensor[i]))
            b->level++;
        else if (is_fresh(l, tensor[i - 1]))
            a->level++;
    }
    for (int32_t i = 0; i < count; i++)
        level = (int32_t)tsp_max64(level, l->module->tensors[tensor[i]].level);
    return level;
}

/* Rows row0 .. row0+rows-1 of the node, of `cols` columns each: a scalar fills only these. */
static bool lower_run(Lowerer *l, const TspNode *node, int32_t row0, int32_t rows, int32_t cols,
                      TspError *err) {
    const TspGraph *g = l->graph;
    int orientation = l->lanewise[node->output] ? LANEWISE : FLAT;
    int32_t tensor[ELEMENTWISE_INPUTS], read[ELEMENTWISE_INPUTS], count = 0, level, ones = -1,
                                                                  stages;
    int32_t out = lower_flat_tensor(l, node->output, orientation, err);
    bool number[ELEMENTWISE_INPUTS] = {false};
    From from[ELEMENTWISE_INPUTS] = {{FROM_NONE, 0}};
    Stage *s;
    if (out < 0) return false;
    if (lower_needs_ones(node) && cols < tsp_lanes(&l->module->machine) &&
        (ones = lower_ones(l, node, cols, err)) < 0)
        return false;
    for (int32_t i = 0; i < lower_streamed(node); i++) {
        if ((number[i] = is_number(l, node, i, cols))) continue;
        if ((tensor[i] = operand_tensor(l, node->inputs[i], &g->values[node->output], orientation,
                                        cols, err)) < 0)
            return false;
        read[count++] = tensor[i];
    }
    level = part_operands(l, read, count) + 1;
    if (!(s = lower_new_stage(l, "elementwise", rows, cols, err))) return false;
    for (int32_t i = 0; i < lower_streamed(node); i++) {
        const TspValue *v = &g->values[node->inputs[i]];
        bool scalar = tsp_value_elements(v) == 1;
        from[i] =
            number[i] ? lower_number(v) : stage_operand(s, tensor[i], scalar ? 0 : row0, !scalar);
    }
    stages = lower_finish_elementwise(
        l, node, s, from, ones < 0 ? from_none() : stage_operand(s, ones, 0, 0), out, row0, err);
    l->module->tensors[out].level = level + stages - 1;
    return stages > 0;
}

/* Whether anything but a copy reads the value. */
static bool is_computed_with(const TspGraph *g, int32_t value) {
    for (int32_t i = 0; i < g->node_count; i++)
        for (int32_t j = 0; j < g->nodes[i].input_count; j++)
            if (g->nodes[i].inputs[j] == value &&
                (!lower_relabels(&g->nodes[i]) || !g->values[g->nodes[i].output].is_output))
                return true;
    return false;
}

/* An output that is what the host has placed goes from slice to slice in its hemisphere, and lies
 * with it in all slices if nothing else asks for either. */
static bool lower_flat_copy(Lowerer *l, const TspNode *node, int32_t x, int32_t out,
                            TspError *err) {
    const TspMachine *m = &l->module->machine;
    Tensor *from = &l->module->tensors[x], *to = &l->module->tensors[out];
    Stage *s = lower_new_stage(l, "copy", from->rows, from->cols, err);
    if (!s) return false;
    s->copies = true;
    to->level = from->level;
    if (!from->lanewise && !is_computed_with(l->graph, node->inputs[0]) &&
        !is_computed_with(l->graph, node->output))
        from->run = to->run = tsp_ceil_div((int64_t)from->rows * from->bytes, 2 * m->mem_slices);
    lower_output(l, s, stage_operand(s, x, 0, 1), out, 0);
    return true;
}

bool lower_flat_elementwise(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    int64_t elements = tsp_value_elements(&g->values[node->output]);
    int32_t lanes = tsp_lanes(&l->module->machine), full = (int32_t)(elements / lanes),
            rest = (int32_t)(elements % lanes);
    bool scalar = lower_needs_ones(node); /* or a row of ones: they fill only so many columns */
    const int orientation = l->lanewise[node->output] ? LANEWISE : FLAT;
    if (lower_relabels(node) && !g->values[node->output].is_output)
        return (l->tensor_of[node->output][orientation] =
                    lower_flat_tensor(l, node->inputs[0], orientation, err)) >= 0;
    if (lower_relabels(node)) {
        int32_t x = lower_flat_tensor(l, node->inputs[0], orientation, err);
        int32_t out = x < 0 ? -1 : lower_flat_tensor(l, node->output, orientation, err);
        if (out < 0) return false;
        if (l->module->tensors[x].role == TSP_ROLE_INPUT)
            return lower_flat_copy(l, node, x, out, err);
    }
    if (l->lanewise[node->output])
        return lower_run(l, node, 0, tsp_ceil_div(elements, lanes), lanes, err);
    for (int32_t i = 0; i < lower_streamed(node); i++)
        scalar |= tsp_value_elements(&g->values[node->inputs[i]]) == 1;
    if (!scalar) return lower_run(l, node, 0, full + (rest > 0), full ? lanes : rest, err);
    return (!full || lower_run(l, node, 0, full, lanes, err)) &&
           (!rest || lower_run(l, node, full, 1, rest, err));
}
