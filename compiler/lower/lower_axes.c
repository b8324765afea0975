/* lower_axes.c - reductions over some axes.
 *
 * Rows of a tensor are combined lane by lane, so the axes to reduce must be among those of the
 * rows. Over the last axis the tensor is taken transposed; over the last two, rows are combined
 * first and the few that are left are turned. Axes that stand side by side are one.
 */
#include "lower_axes.h"
#include "lower_sets.h"
#include "isa/half.h"

#include <string.h>

typedef enum { AS_IT_IS, ABSOLUTE, SQUARED } Prepare;
typedef enum { NOTHING, SCALE, ROOT } Finish;

/* How elements are prepared, combined, and what is made of the result. */
typedef struct {
    TspOpcode op;
    Prepare prepare;
    Finish finish;
} Rule;

static const Rule rules[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_REDUCE_SUM] = {TSP_OP_ADD, AS_IT_IS, NOTHING},
    [TSP_GRAPH_REDUCE_MEAN] = {TSP_OP_ADD, AS_IT_IS, SCALE},
    [TSP_GRAPH_REDUCE_MAX] = {TSP_OP_MAX, AS_IT_IS, NOTHING},
    [TSP_GRAPH_REDUCE_MIN] = {TSP_OP_MIN, AS_IT_IS, NOTHING},
    [TSP_GRAPH_REDUCE_PROD] = {TSP_OP_MUL, AS_IT_IS, NOTHING},
    [TSP_GRAPH_REDUCE_SUM_SQUARE] = {TSP_OP_ADD, SQUARED, NOTHING},
    [TSP_GRAPH_REDUCE_L1] = {TSP_OP_ADD, ABSOLUTE, NOTHING},
    [TSP_GRAPH_REDUCE_L2] = {TSP_OP_ADD, SQUARED, ROOT},
};

/* A tensor as a matrix of lanes, its rows those of `rank` dimensions. */
typedef struct {
    int32_t tensor, rank, cols;
    int64_t shape[TSP_MAX_RANK];
    bool reduced[TSP_MAX_RANK];
    bool prepared; /* holds what is combined, not what the node was given */
} Matrix;

/* Of a node that is told to reduce nothing: each element is the greatest of itself. */
static Rule rule_of(const TspNode *node) {
    return node->noop ? (Rule){TSP_OP_MAX, AS_IT_IS, NOTHING} : rules[node->op];
}

static int64_t product(const int64_t *shape, int32_t from, int32_t to) {
    int64_t n = 1;
    while (from < to) n *= shape[from++];
    return n;
}

/* The type in which halfs are added and multiplied is float32. */
static TspDtype combining_type(const TspNode *node, TspDtype type) {
    TspOpcode op = rule_of(node).op;
    return type == TSP_F16 && (op == TSP_OP_ADD || op == TSP_OP_MUL) ? TSP_F32 : type;
}

static From prepare(Stage *s, const TspNode *node, TspDtype from, TspDtype type, From row) {
    if (from != type) row = stage_step(s, TSP_OP_CVT, from, type, row, from_none(), 0);
    switch (rule_of(node).prepare) {
    case ABSOLUTE:
        return stage_step(s, TSP_OP_ABS, type, type, row, from_none(), 0);
    case SQUARED:
        return stage_step(s, TSP_OP_MUL, type, type, row, row, 0);
    default:
        return row;
    }
}

/* The root is the fourth root, squared (lower_steps.c). */
static From finish(Stage *s, const TspNode *node, int64_t elements, TspDtype type, TspDtype to,
                   From row) {
    if (rule_of(node).finish == SCALE)
        row = stage_step(s, TSP_OP_MUL, type, type, row, from_imm(),
                         tsp_f32_bits((float)(1.0 / (double)elements)));
    if (rule_of(node).finish == ROOT) {
        row = stage_step(s, TSP_OP_RSQRT, type, type, row, from_none(), 0);
        row = stage_step(s, TSP_OP_RSQRT, type, type, row, from_none(), 0);
        row = stage_step(s, TSP_OP_MUL, type, type, row, row, 0);
    }
    return type == to ? row : stage_step(s, TSP_OP_CVT, type, to, row, from_none(), 0);
}

/* One pass: the sets of view->tensor, to `out`, a row a set. `elements`: of one result, after the
 * last pass; 0: there are more. */
static bool lower_pass(Lowerer *l, const TspNode *node, const Matrix *view, const Sets *sets,
                       int64_t elements, int32_t out, TspError *err) {
    enum { FINISHING = 4 };
    TspDtype from = l->module->tensors[view->tensor].dtype, to = l->module->tensors[out].dtype;
    TspDtype type = combining_type(node, from);
    TspOpcode op = rule_of(node).op;
    Stage *s = sets_stage(l, "chains", sets, err);
    Partials left;
    From row;
    if (!s) return false;
    row = stage_operand(s, view->tensor, 0, 1);
    if (!view->prepared) row = prepare(s, node, from, type, row);
    if (!sets_chains(l, sets, op, type, row, &left, err) ||
        !(s = sets_tree(l, sets, op, type, left, FINISHING, &row, err)))
        return false;
    if (elements) row = finish(s, node, elements, type, to, row);
    if (row.kind == FROM_OPERAND) row = stage_step(s, TSP_OP_PASS, type, type, row, from_none(), 0);
    lower_output(l, s, row, out, 0);
    return true;
}

/* The longest run of reduced dimensions, *low .. *high-1; the number of runs. */
static int32_t find_run(const Matrix *view, int32_t *low, int32_t *high) {
    int32_t runs = 0, end;
    int64_t most = 0;
    for (int32_t d = 0; d < view->rank; d = end + 1) {
        for (end = d; end < view->rank && view->reduced[end];) end++;
        if (end == d) continue;
        runs++;
        if (product(view->shape, d, end) <= most) continue;
        most = product(view->shape, d, end);
        *low = d;
        *high = end;
    }
    return runs;
}

/* Dimensions low .. high-1 are gone. */
static void remove_run(Matrix *view, int32_t low, int32_t high) {
    size_t rest = (size_t)(view->rank - high);
    memmove(view->shape + low, view->shape + high, rest * sizeof *view->shape);
    memmove(view->reduced + low, view->reduced + high, rest * sizeof *view->reduced);
    view->rank -= high - low;
}

/* A tensor of the rows and lanes of a view. */
static int32_t view_tensor(Lowerer *l, const Matrix *view, const char *suffix, TspDtype type,
                           TspError *err) {
    int64_t shape[2] = {product(view->shape, 0, view->rank), view->cols};
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    int32_t i = lower_new_tensor(l, name, suffix, type, TSP_ROLE_INTERNAL, 2, shape, false, err);
    if (i >= 0) l->module->tensors[i].contiguous = true;
    return i;
}

/* Reduces all that is to be of the view's rows; the last pass goes to `out` (-1: to a tensor of the
 * view's own, as more is to come). */
static bool lower_passes(Lowerer *l, const TspNode *node, Matrix *view, int64_t elements,
                         int32_t out, TspError *err) {
    int32_t low = view->rank, high = view->rank, runs = find_run(view, &low, &high);
    do {
        Sets sets = {.rows = (int32_t)product(view->shape, low, high), .cols = view->cols};
        bool last = runs <= 1 && out >= 0;
        int32_t to = out;
        Matrix next = *view;
        remove_run(&next, low, high);
        sets.step = (int32_t)product(view->shape, high, view->rank);
        sets.count = (int32_t)product(next.shape, 0, next.rank);
        if (!last && (to = view_tensor(l, &next, ".rows",
                                       combining_type(node, l->module->tensors[view->tensor].dtype),
                                       err)) < 0)
            return false;
        if (!lower_pass(l, node, view, &sets, last ? elements : 0, to, err)) return false;
        next.tensor = to;
        next.prepared = true;
        *view = next;
    } while (runs-- > 1 && find_run(view, &low, &high));
    return true;
}

/* The lanes of the view become rows, to be reduced, its last dimension lanes. */
static bool turn_view(Lowerer *l, Matrix *view, TspError *err) {
    Matrix next = *view;
    int32_t lanes = view->cols, to, batches;
    next.cols = view->rank ? (int32_t)view->shape[view->rank - 1] : 1;
    if (!next.rank) next.rank = 1;
    next.shape[next.rank - 1] = lanes;
    next.reduced[next.rank - 1] = true;
    batches = (int32_t)product(next.shape, 0, next.rank - 1);
    to = view_tensor(l, &next, ".turned", l->module->tensors[view->tensor].dtype, err);
    if (to < 0) return false;
    for (int32_t b = 0; b < batches; b++)
        if (!lower_turn(l, view->tensor, b * next.cols, next.cols, to, b * lanes, 0, err))
            return false;
    next.tensor = to;
    *view = next;
    return true;
}

/* Every element of the view's matrix becomes a row of `out`. */
static bool unfold(Lowerer *l, const Matrix *view, int32_t out, TspError *err) {
    int32_t rows = (int32_t)product(view->shape, 0, view->rank);
    for (int32_t row = 0; row < rows; row++)
        if (!lower_turn(l, view->tensor, row, 1, out, row * view->cols, 0, err)) return false;
    return true;
}

/* The value of a node's input in an orientation, dimensions of its rows and lanes. */
static bool view_value(Lowerer *l, const TspNode *node, int orientation, Matrix *view,
                       TspError *err) {
    const TspValue *v = &l->graph->values[node->inputs[0]];
    bool turned = orientation == TRANSPOSED;
    *view = (Matrix){.rank = v->rank ? v->rank - 1 : 0, .cols = 1};
    memcpy(view->shape, v->shape, sizeof v->shape);
    for (int32_t i = 0; i < node->axis_count; i++) view->reduced[node->axes[i]] = true;
    if (turned && v->rank == 1) {
        view->rank = 1;
    } else if (v->rank) {
        int32_t lanes = v->rank - (turned ? 2 : 1), last = v->rank - 1;
        view->cols = (int32_t)v->shape[lanes];
        if (turned) view->shape[lanes] = v->shape[last];
        if (turned) view->reduced[lanes] = view->reduced[last];
    }
    view->tensor = lower_oriented(l, node->inputs[0], orientation, err);
    if (view->tensor >= 0) l->module->tensors[view->tensor].contiguous = true;
    return view->tensor >= 0;
}

int lower_reduced_orientation(const TspGraph *g, const TspNode *node) {
    const TspValue *v = &g->values[node->inputs[0]];
    bool last = false, before = false;
    if (tsp_value_elements(v) == 1) return ROWWISE;
    for (int32_t i = 0; i < node->axis_count; i++) {
        last |= node->axes[i] == v->rank - 1;
        before |= node->axes[i] == v->rank - 2;
    }
    return last && !before ? TRANSPOSED : ROWWISE;
}

/* Over the last two axes and others. */
static bool reduce_both(Lowerer *l, const TspNode *node, int64_t elements, TspError *err) {
    int32_t out = lower_oriented(l, node->output, ROWWISE, err), to = out;
    Matrix view;
    bool folded;
    if (out < 0 || !view_value(l, node, ROWWISE, &view, err) ||
        !lower_passes(l, node, &view, 0, -1, err) || !turn_view(l, &view, err))
        return false;
    folded = l->module->tensors[out].cols != view.cols;
    if (folded) {
        Matrix result = view;
        remove_run(&result, view.rank - 1, view.rank);
        if ((to = view_tensor(l, &result, ".folded", l->module->tensors[out].dtype, err)) < 0)
            return false;
    }
    return lower_passes(l, node, &view, elements, to, err) &&
           (!folded || unfold(l, &view, out, err));
}

bool lower_reduce_axes(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *x = &l->graph->values[node->inputs[0]], *y = &l->graph->values[node->output];
    int64_t elements = tsp_value_elements(x) / tsp_value_elements(y);
    int orientation = lower_reduced_orientation(l->graph, node);
    bool last = false;
    Matrix view;
    int32_t out;
    for (int32_t i = 0; i < node->axis_count; i++) last |= node->axes[i] == x->rank - 1;
    if (last && orientation == ROWWISE && tsp_value_elements(x) > 1)
        return reduce_both(l, node, elements, err);
    /* a lane for each row of a matrix that had them as columns, unless the axis is gone */
    out = lower_oriented(
        l, node->output,
        orientation == TRANSPOSED && y->rank == x->rank && x->rank > 1 ? TRANSPOSED : ROWWISE, err);
    return out >= 0 && view_value(l, node, orientation, &view, err) &&
           lower_passes(l, node, &view, elements, out, err);
}
