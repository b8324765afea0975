/* lower_heads.c - the matrices of a batch side by side, as those of attention's heads end up.
 *
 * A value [.., heads, rows, cols] that a Transpose and a Reshape make [.., rows, heads * cols] of
 * is made so at once, and so is what is element-wise between: joined. In the product a head's
 * weights sit in the columns where its results belong, and the sums over all heads are rows of the
 * result.
 */
#include "lower_heads.h"
#include "lower_view.h"

#include <stdlib.h>

/* Dimensions, from the outermost on: those of one element left out, those that step as one merged.
 */
typedef struct {
    int64_t size[TSP_MAX_RANK], stride[TSP_MAX_RANK];
    int32_t count;
} Steps;

static void add_dimension(Steps *s, int64_t size, int64_t stride) {
    int32_t last = s->count - 1;
    if (size == 1) return;
    if (last >= 0 && s->stride[last] == size * stride) {
        s->size[last] *= size;
        s->stride[last] = stride;
    } else {
        s->size[s->count] = size;
        s->stride[s->count++] = stride;
    }
}

/* Does the view have all of the value's elements, heads next to the lanes? */
static bool puts_heads_last(const TspValue *value, const TspValue *v, const View *view) {
    int64_t cols = value->shape[value->rank - 1], rows = value->shape[value->rank - 2],
            heads = value->shape[value->rank - 3], matrices = heads * rows * cols;
    Steps is = {.count = 0}, wanted = {.count = 0};
    for (int32_t d = 0; d < v->rank; d++) add_dimension(&is, v->shape[d], view->stride[d]);
    add_dimension(&wanted, tsp_value_elements(value) / matrices, matrices);
    add_dimension(&wanted, rows, cols);
    add_dimension(&wanted, heads, rows * cols);
    add_dimension(&wanted, cols, 1);
    if (view->offset || is.count != wanted.count) return false;
    for (int32_t i = 0; i < is.count; i++)
        if (is.size[i] != wanted.size[i] || is.stride[i] != wanted.stride[i]) return false;
    return true;
}

/* The node that alone reads the value, as its first operand; NULL if there is none. */
static const TspNode *only_reader(const TspGraph *g, int32_t value) {
    const TspNode *reader = NULL;
    if (g->values[value].is_output) return NULL;
    for (int32_t i = 0; i < g->node_count; i++)
        for (int32_t j = 0; j < g->nodes[i].input_count; j++) {
            if (g->nodes[i].inputs[j] != value) continue;
            if (reader) return NULL;
            reader = &g->nodes[i];
        }
    return reader && reader->inputs[0] == value ? reader : NULL;
}

/* The value that joins the heads of this one, moved by views; -1: none. */
static int32_t joining_value(const Lowerer *l, int32_t value) {
    const TspGraph *g = l->graph;
    const TspValue *v = &g->values[value], *joined;
    const TspNode *n = only_reader(g, value);
    while (n && lower_is_view(l, n->output)) n = only_reader(g, n->output);
    if (!n || n->op != TSP_GRAPH_RESHAPE || l->flat[n->output]) return -1;
    joined = &g->values[n->output];
    return l->views[n->inputs[0]].value == value && joined->rank > 0 &&
                   joined->shape[joined->rank - 1] ==
                       v->shape[v->rank - 3] * v->shape[v->rank - 1] &&
                   puts_heads_last(v, &g->values[n->inputs[0]], &l->views[n->inputs[0]])
               ? n->output
               : -1;
}

/* Is the node element-wise to its first operand alone, whatever lanes its elements are in? */
static bool keeps_lanes(const Lowerer *l, const TspNode *n, int64_t cols) {
    const TspValue *x = &l->graph->values[n->inputs[0]], *y = &l->graph->values[n->output];
    if (!lower_is_elementwise(n) || lower_is_view(l, n->output) || l->flat[n->output] ||
        x->rank != y->rank || (lower_needs_ones(n) && cols % tsp_lanes(&l->module->machine)))
        return false;
    for (int32_t i = 1; i < lower_streamed(n); i++)
        if (!lower_is_number(l, n, i, (int32_t)cols)) return false;
    return tsp_value_elements(x) == tsp_value_elements(y);
}

/* The value that joins what becomes of this one; -1: none. */
static int32_t joined_to(const Lowerer *l, int32_t value) {
    const TspValue *v = &l->graph->values[value];
    const TspNode *n = only_reader(l->graph, value);
    int32_t to = joining_value(l, value);
    if (to >= 0 || !n || l->turned[n->output] ||
        !keeps_lanes(l, n, v->shape[v->rank - 3] * v->shape[v->rank - 1]))
        return to;
    return joined_to(l, n->output);
}

/* A product whose heads can be side by side: an LW begins with the first column of each. */
static bool may_join(const Lowerer *l, const TspNode *n) {
    const TspMachine *m = &l->module->machine;
    const TspValue *y = &l->graph->values[n->output];
    return (n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER) &&
           n->input_count == 2 && y->rank >= 3 && y->shape[y->rank - 3] > 1 &&
           l->graph->values[n->inputs[0]].dtype != TSP_I32 &&
           l->graph->values[n->inputs[0]].rank >= 2 && l->graph->values[n->inputs[1]].rank >= 2 &&
           y->shape[y->rank - 1] % m->mxm_load_streams == 0 && m->mxm_accumulator_rows > 0 &&
           !l->turned[n->output] && !l->flat[n->output] && !lower_meets_windows(l, n);
}

void lower_find_joined(Lowerer *l) {
    for (int32_t v = 0; v < l->graph->value_count; v++) l->joined[v] = -1;
    for (int32_t i = 0; i < l->graph->node_count; i++) {
        const TspNode *n = &l->graph->nodes[i];
        int32_t to = may_join(l, n) ? joined_to(l, n->output) : -1, v = n->output;
        for (; to >= 0 && l->joined[v] < 0; v = only_reader(l->graph, v)->output) {
            l->joined[v] = to;
            if (joining_value(l, v) >= 0) break;
        }
    }
}

/* Is it a Softmax over the last dimension, so that the others may be anywhere in the lanes? */
static bool takes_lanes(const Lowerer *l, const TspNode *n) {
    const TspValue *x = &l->graph->values[n->inputs[0]];
    return (n->axis < 0 ? n->axis + x->rank : n->axis) == x->rank - 1;
}

/* The product that makes the matrices is packed, and so is what follows up to the product that
 * takes them row by row: element-wise nodes and one Softmax. */
static bool may_pack(const Lowerer *l, int32_t value) {
    const int32_t lanes = tsp_lanes(&l->module->machine);
    bool softmax = false;
    for (;;) {
        const TspNode *n = only_reader(l->graph, value);
        if (!n || lower_is_view(l, n->output)) return false;
        if (n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER) return softmax;
        if (n->op == TSP_GRAPH_SOFTMAX && !softmax && takes_lanes(l, n))
            softmax = true;
        else if (!keeps_lanes(l, n, lanes))
            return false;
        value = n->output;
    }
}

void lower_find_packed(Lowerer *l) {
    for (int32_t i = 0; i < l->graph->node_count; i++) {
        const TspNode *n = &l->graph->nodes[i];
        Packing *p;
        if (n->op != TSP_GRAPH_MATMUL_INTEGER || !l->turned[n->output] || !may_pack(l, n->output) ||
            !(p = lower_packing(l, n)))
            continue;
        do {
            l->packed[n->output] = p;
            n = only_reader(l->graph, n->output);
        } while (n->op != TSP_GRAPH_MATMUL && n->op != TSP_GRAPH_MATMUL_INTEGER);
    }
}

void lower_forget_packed(Lowerer *l) {
    for (int32_t v = 0; l->packed && v < l->graph->value_count; v++) {
        int32_t maker = l->graph->values[v].producer;
        if (maker >= 0 && l->graph->nodes[maker].op == TSP_GRAPH_MATMUL_INTEGER) free(l->packed[v]);
    }
    free(l->packed);
}

bool lower_is_beside(const Lowerer *l, int32_t value) {
    return l->joined[value] >= 0 || l->packed[value];
}

static int32_t new_joined(Lowerer *l, int32_t value, TspError *err) {
    const TspValue *to = &l->graph->values[l->joined[value]], *v = &l->graph->values[value];
    if (joining_value(l, value) >= 0) return lower_oriented(l, l->joined[value], ROWWISE, err);
    return lower_new_tensor(l, v->name, "", v->dtype, TSP_ROLE_INTERNAL, to->rank, to->shape, false,
                            err);
}

static int32_t new_packed(Lowerer *l, int32_t value, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    const Packing *p = l->packed[value];
    const int64_t shape[3] = {p->count, p->rows, tsp_lanes(&l->module->machine)};
    return lower_new_tensor(l, v->name, ".packed", v->dtype, TSP_ROLE_INTERNAL, 3, shape, false,
                            err);
}

int32_t lower_beside(Lowerer *l, int32_t value, TspError *err) {
    const bool joined = l->joined[value] >= 0;
    int32_t *slot = &l->tensor_of[value][joined ? JOINED : PACKED];
    if (*slot >= 0) return *slot;
    *slot = joined ? new_joined(l, value, err) : new_packed(l, value, err);
    if (*slot >= 0) l->module->tensors[*slot].contiguous = true;
    return *slot;
}

int32_t lower_unpacked(Lowerer *l, int32_t value, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    const Packing *p = l->packed[value];
    int32_t from = lower_beside(l, value, err);
    int32_t to = from < 0 ? -1
                          : lower_new_tensor(l, v->name, ".rows", v->dtype, TSP_ROLE_INTERNAL,
                                             v->rank, v->shape, false, err);
    if (to < 0) return -1;
    /* planes make and take matrices side by side */
    l->module->tensors[to].run = (int32_t)v->shape[v->rank - 2];
    for (int32_t set = 0, row = 0; set < p->count; row += p->columns[set++])
        if (!lower_turn_columns(l, from, set * p->rows, p->rows, p->columns[set], to, row, err))
            return -1;
    return to;
}

int32_t lower_heads_joined(const Lowerer *l, int32_t value) {
    const TspValue *v = &l->graph->values[value];
    return l->joined[value] < 0 ? 1 : (int32_t)v->shape[v->rank - 3];
}

bool lower_place_terms(Lowerer *l, Stage *s, int32_t first, int32_t column, int32_t columns,
                       TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine), count = s->term_count - first,
            end = column + columns, pieces = (end - 1) / lanes - column / lanes + 1;
    Term *terms = realloc(s->terms, (size_t)(first + count * pieces) * sizeof *terms), *t;
    if (!terms) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    s->terms = terms;
    s->term_count = first + count * pieces;
    for (int32_t i = count * pieces - 1; i >= 0; i--) {
        int32_t tile = column / lanes + i / count;
        t = &terms[first + i];
        *t = terms[first + i % count];
        t->w_first = tile * lanes > column ? tile * lanes : column;
        t->w_count = tsp_min32(end, (tile + 1) * lanes) - t->w_first;
        t->w_row0 += t->w_first - column;
    }
    return true;
}

bool lower_beside_elementwise(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    int32_t from = lower_beside(l, node->inputs[0], err),
            to = from < 0 ? -1 : lower_beside(l, node->output, err);
    From in[ELEMENTWISE_INPUTS] = {{FROM_NONE, 0}};
    Stage *s;
    if (to < 0) return false;
    s = lower_new_stage(l, "elementwise", l->module->tensors[to].rows, l->module->tensors[to].cols,
                        err);
    if (!s) return false;
    in[0] = stage_operand(s, from, 0, 1);
    for (int32_t i = 1; i < lower_streamed(node); i++)
        in[i] = lower_number(&g->values[node->inputs[i]]);
    return lower_finish_elementwise(l, node, s, in, from_none(), to, 0, err) > 0;
}
