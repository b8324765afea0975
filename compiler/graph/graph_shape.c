/* graph_shape.c - dtype and shape of every node's output.
 *
 * The rules are those of the ONNX operators; what they allow beyond our dtypes is refused here, so
 * that no later pass meets it.
 */
#include "graph_shape.h"

#include <stdio.h>
#include <string.h>

#define BIT(dtype) (1u << (dtype))

enum {
    BYTES = BIT(TSP_I8) | BIT(TSP_U8),
    FLOATS = BIT(TSP_F16) | BIT(TSP_F32),
    NUMBERS = BYTES | BIT(TSP_I16) | BIT(TSP_I32) | FLOATS,
    ANY = NUMBERS | BIT(TSP_BOOL)
};

typedef struct {
    const TspGraph *g;
    const TspNode *node;
    TspValue *out;
    int32_t *blame;
    TspError *err;
} Infer;

static const TspValue *input(const Infer *f, int32_t i) {
    return i < f->node->input_count && f->node->inputs[i] >= 0 ? &f->g->values[f->node->inputs[i]]
                                                               : NULL;
}

typedef struct {
    char text[200];
} ShapeText;

static ShapeText shape_text(const TspValue *v) {
    ShapeText t = {"["};
    for (int32_t i = 0; i < v->rank; i++)
        snprintf(t.text + strlen(t.text), sizeof t.text - strlen(t.text), i ? ", %lld" : "%lld",
                 (long long)v->shape[i]);
    strcat(t.text, "]");
    return t;
}

static bool fail_shapes(const Infer *f, const TspValue *a, const TspValue *b, const char *why) {
    return tsp_fail(f->err, TSP_ERR_INPUT, "%s of \"%s\" %s and \"%s\" %s: %s",
                    tsp_graph_op_name(f->node->op), a->name, shape_text(a).text, b->name,
                    shape_text(b).text, why);
}

static bool check_rank(const Infer *f, int32_t i, int32_t least, int32_t most, const char *want) {
    const TspValue *v = input(f, i);
    if (v->rank >= least && v->rank <= most) return true;
    *f->blame = i;
    return tsp_fail(f->err, TSP_ERR_INPUT, "\"%s\" has shape %s; %s takes %s", v->name,
                    shape_text(v).text, tsp_graph_op_name(f->node->op), want);
}

static bool check_same_dtype(const Infer *f) {
    const TspValue *first = input(f, 0);
    for (int32_t i = 1; i < f->node->input_count; i++) {
        const TspValue *v = input(f, i);
        if (!v || v->dtype == first->dtype) continue;
        *f->blame = i;
        return tsp_fail(f->err, TSP_ERR_INPUT,
                        "\"%s\" is %s where \"%s\" is %s; insert a Cast so that they are the same",
                        v->name, tsp_dtype_name(v->dtype), first->name,
                        tsp_dtype_name(first->dtype));
    }
    return true;
}

/* NumPy's matmul: 1-D operands gain a dimension that the result loses, leading ones broadcast. */
static bool infer_product(const Infer *f) {
    const int32_t second = tsp_product_second(f->node);
    const TspValue *a = input(f, 0), *b = input(f, second);
    TspValue *out = f->out;
    int64_t inner_b;
    if (!check_rank(f, 0, 1, TSP_MAX_RANK, "at least one dimension") ||
        !check_rank(f, second, 1, TSP_MAX_RANK, "at least one dimension"))
        return false;
    inner_b = b->shape[b->rank == 1 ? 0 : b->rank - 2];
    *f->blame = second;
    if (a->shape[a->rank - 1] != inner_b)
        return fail_shapes(f, a, b,
                           "the inner dimensions differ; the last of the first must be the last "
                           "but one of the second");
    if (!tsp_broadcast_shape(a->rank < 2 ? 0 : a->rank - 2, a->shape, b->rank < 2 ? 0 : b->rank - 2,
                             b->shape, &out->rank, out->shape))
        return fail_shapes(f, a, b,
                           "the batch dimensions do not broadcast; each pair must be equal or 1");
    if (a->rank > 1) out->shape[out->rank++] = a->shape[a->rank - 2];
    if (b->rank > 1) out->shape[out->rank++] = b->shape[b->rank - 1];
    return true;
}

static bool check_zero_point(const Infer *f, int32_t i, int32_t of_input, bool rows) {
    const int32_t second = tsp_product_second(f->node);
    const TspValue *matrix = input(f, of_input), *v = input(f, i);
    if (!v) return true;
    *f->blame = i;
    if (v->dtype != matrix->dtype)
        return tsp_fail(f->err, TSP_ERR_INPUT,
                        "zero point \"%s\" is %s where \"%s\" is %s; make them the same", v->name,
                        tsp_dtype_name(v->dtype), matrix->name, tsp_dtype_name(matrix->dtype));
    if (tsp_fits_matrix(v, matrix, rows, input(f, 0)->rank > 1 && input(f, second)->rank > 1))
        return true;
    return tsp_fail(f->err, TSP_ERR_INPUT,
                    "zero point \"%s\" has shape %s; make it a scalar or 1-D, one a %s of \"%s\"",
                    v->name, shape_text(v).text, rows ? "row" : "column", matrix->name);
}

static bool infer_matmul_integer(const Infer *f) {
    if (!infer_product(f)) return false;
    f->out->dtype = TSP_I32;
    return check_zero_point(f, 2, 0, true) && check_zero_point(f, 3, 1, false);
}

/* Inputs: A, its scale and zero point, B, its, the result's. */
static bool infer_qlinear_matmul(const Infer *f) {
    f->out->dtype = input(f, 7)->dtype;
    return infer_product(f) && tsp_check_quantised(f->g, f->node, f->out, f->blame, f->err) &&
           check_zero_point(f, 2, 0, true) && check_zero_point(f, 5, 3, false);
}

static bool infer_matmul(const Infer *f) {
    return check_same_dtype(f) && infer_product(f);
}

static bool infer_gemm(const Infer *f) {
    const TspValue *a = input(f, 0), *b = input(f, 1), *c = input(f, 2);
    bool trans_a = f->node->trans_a, trans_b = f->node->trans_b;
    int64_t broadcast[TSP_MAX_RANK];
    int32_t rank;
    if (!check_same_dtype(f) || !tsp_check_factors(f->node, a->dtype, f->err) ||
        !check_rank(f, 0, 2, 2, "a matrix, 2 dimensions") ||
        !check_rank(f, 1, 2, 2, "a matrix, 2 dimensions"))
        return false;
    *f->blame = 1;
    if (a->shape[!trans_a] != b->shape[trans_b])
        return fail_shapes(f, a, b, "the inner dimensions differ; check transA and transB");
    f->out->rank = 2;
    f->out->shape[0] = a->shape[trans_a];
    f->out->shape[1] = b->shape[!trans_b];
    if (!c) return true;
    *f->blame = 2;
    if (c->rank <= 2 &&
        tsp_broadcast_shape(2, f->out->shape, c->rank, c->shape, &rank, broadcast) &&
        broadcast[0] == f->out->shape[0] && broadcast[1] == f->out->shape[1])
        return true;
    return tsp_fail(f->err, TSP_ERR_INPUT,
                    "\"%s\" has shape %s, which does not broadcast to the product's %s; make it "
                    "[%lld], [1, %lld] or the whole",
                    c->name, shape_text(c).text, shape_text(f->out).text,
                    (long long)f->out->shape[1], (long long)f->out->shape[1]);
}

static bool infer_pairwise(const Infer *f) {
    const TspValue *a = input(f, 0), *b = input(f, 1);
    if (!check_same_dtype(f)) return false;
    *f->blame = 1;
    return tsp_broadcast_shape(a->rank, a->shape, b->rank, b->shape, &f->out->rank,
                               f->out->shape) ||
           fail_shapes(f, a, b,
                       "the shapes do not broadcast; counted from the last, each pair of "
                       "dimensions must be equal or 1");
}

static bool infer_mod(const Infer *f) {
    const TspValue *a = input(f, 0);
    if (f->node->fmod || !(FLOATS & BIT(a->dtype))) return infer_pairwise(f);
    *f->blame = 0;
    return tsp_fail(f->err, TSP_ERR_INPUT,
                    "\"%s\" is %s, of which Mod has the sign of the dividend; write \"fmod\": 1",
                    a->name, tsp_dtype_name(a->dtype));
}

static bool infer_same(const Infer *f) {
    const TspValue *a = input(f, 0);
    f->out->rank = a->rank;
    memcpy(f->out->shape, a->shape, sizeof a->shape);
    return true;
}

static bool infer_cast(const Infer *f) {
    f->out->dtype = f->node->to;
    return infer_same(f);
}

static bool infer_comparison(const Infer *f) {
    f->out->dtype = TSP_BOOL;
    return infer_pairwise(f);
}

static bool infer_where(const Infer *f) {
    const TspValue *condition = input(f, 0), *x = input(f, 1), *y = input(f, 2);
    TspValue *out = f->out;
    int64_t branches[TSP_MAX_RANK];
    int32_t rank;
    *f->blame = 0;
    if (condition->dtype != TSP_BOOL)
        return tsp_fail(f->err, TSP_ERR_INPUT,
                        "\"%s\" is %s, but Where chooses by bool; insert a Cast", condition->name,
                        tsp_dtype_name(condition->dtype));
    *f->blame = 2;
    if (x->dtype != y->dtype)
        return tsp_fail(f->err, TSP_ERR_INPUT,
                        "\"%s\" is %s where \"%s\" is %s; insert a Cast so that they are the same",
                        y->name, tsp_dtype_name(y->dtype), x->name, tsp_dtype_name(x->dtype));
    out->dtype = x->dtype;
    if (!tsp_broadcast_shape(x->rank, x->shape, y->rank, y->shape, &rank, branches))
        return fail_shapes(f, x, y, "the shapes do not broadcast; make them the same");
    *f->blame = 0;
    return tsp_broadcast_shape(condition->rank, condition->shape, rank, branches, &out->rank,
                               out->shape) ||
           fail_shapes(f, condition, x, "the shapes do not broadcast; make them the same");
}

/* An axis counted from the front, checked. */
static bool place_axis(const Infer *f, int64_t axis, int64_t *place) {
    const TspValue *a = input(f, 0);
    *place = axis < 0 ? axis + a->rank : axis;
    if (*place >= 0 && *place < a->rank) return true;
    return tsp_fail(f->err, TSP_ERR_INPUT,
                    "axis %lld of \"%s\", which has shape %s; name one of its axes",
                    (long long)axis, a->name, shape_text(a).text);
}

static bool infer_reduce(const Infer *f) {
    enum { MOST_DIVIDED = 1 << 26 };
    const TspValue *x = input(f, 0);
    tsp_reduced_shape(f->node, x, f->out);
    if (f->node->op != TSP_GRAPH_REDUCE_MEAN || x->dtype != TSP_I32) return true;
    return tsp_value_elements(x) / tsp_value_elements(f->out) <= MOST_DIVIDED ||
           tsp_fail(f->err, TSP_ERR_NOT_MODELLED,
                    "a mean of more than %d int32 is not modelled; divide \"%s\"", MOST_DIVIDED,
                    x->name);
}

static bool infer_arg(const Infer *f) {
    f->out->dtype = TSP_I32;
    return infer_reduce(f);
}

/* The axis is an initializer, a number that must be known before the shapes are. */
static bool infer_cum_sum(const Infer *f) {
    const TspValue *axis = input(f, 1);
    int64_t place;
    int32_t number;
    *f->blame = 1;
    if (!axis->data || axis->dtype != TSP_I32 || tsp_value_elements(axis) != 1)
        return tsp_fail(f->err, TSP_ERR_INPUT,
                        "the axis \"%s\" is no initializer of one int32; make it one", axis->name);
    memcpy(&number, axis->data, sizeof number);
    if (!place_axis(f, number, &place)) return false;
    return infer_same(f);
}

static bool infer_norm(const Infer *f) {
    const bool scaled = f->node->op == TSP_GRAPH_RMS_NORMALIZATION; /* to the scale's type */
    if (scaled) f->out->dtype = input(f, 1)->dtype;
    return (scaled || check_same_dtype(f)) &&
           tsp_norm_infer(f->g, f->node, f->out, f->blame, f->err);
}

static bool infer_several(const Infer *f) {
    return check_same_dtype(f) && tsp_infer_several(f->g, f->node, f->out, f->blame, f->err);
}

static bool infer_known(const Infer *f) {
    return tsp_infer_known(f->g, f->node, f->out, f->blame, f->err);
}

static bool infer_clip(const Infer *f) {
    return check_same_dtype(f) && infer_known(f);
}

/* Rows of the result: count, sum, least, greatest. */
static bool infer_group(const Infer *f) {
    const TspValue *keys = input(f, 0), *values = input(f, 1);
    const TspNode *n = f->node;
    if (!check_same_dtype(f)) return false;
    *f->blame = 1;
    if (keys->rank != values->rank ||
        memcmp(keys->shape, values->shape, (size_t)keys->rank * sizeof *keys->shape) != 0)
        return fail_shapes(f, keys, values, "a value for every key; make the shapes the same");
    *f->blame = -1;
    if (n->groups < 1 || n->groups > INT16_MAX)
        return tsp_fail(f->err, TSP_ERR_INPUT, "%d groups; keys are int16: write 1 to %d",
                        (int)n->groups, INT16_MAX);
    if (n->low > n->high || n->low < INT16_MIN || n->high > INT16_MAX)
        return tsp_fail(f->err, TSP_ERR_INPUT,
                        "values from %d to %d; write a least and a greatest int16", (int)n->low,
                        (int)n->high);
    f->out->dtype = TSP_I32;
    f->out->rank = 2;
    f->out->shape[0] = 4;
    f->out->shape[1] = n->groups;
    return true;
}

/* dtypes: of the first two inputs; the output has the first one's unless the rule says otherwise.
 */
static bool infer_movement(const Infer *f) {
    return tsp_infer_movement(f->g, f->node, f->out, f->blame, f->err);
}

static const struct {
    uint32_t dtypes;
    bool (*infer)(const Infer *f);
} rules[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_MATMUL_INTEGER] = {BYTES, infer_matmul_integer},
    [TSP_GRAPH_QLINEAR_MATMUL] = {ANY, infer_qlinear_matmul},
    [TSP_GRAPH_MATMUL] = {BIT(TSP_I32) | FLOATS, infer_matmul},
    [TSP_GRAPH_GEMM] = {BIT(TSP_I32) | FLOATS, infer_gemm},
    [TSP_GRAPH_ADD] = {NUMBERS, infer_pairwise},
    [TSP_GRAPH_SUB] = {NUMBERS, infer_pairwise},
    [TSP_GRAPH_MUL] = {NUMBERS, infer_pairwise},
    [TSP_GRAPH_RELU] = {NUMBERS & ~BIT(TSP_U8), infer_same},
    [TSP_GRAPH_CAST] = {ANY, infer_cast},
    [TSP_GRAPH_NEG] = {NUMBERS & ~BIT(TSP_U8), infer_same},
    [TSP_GRAPH_ABS] = {NUMBERS, infer_same},
    [TSP_GRAPH_MIN] = {NUMBERS, infer_several},
    [TSP_GRAPH_MAX] = {NUMBERS, infer_several},
    [TSP_GRAPH_IDENTITY] = {ANY, infer_same},
    [TSP_GRAPH_EQUAL] = {ANY, infer_comparison},
    [TSP_GRAPH_GREATER] = {NUMBERS, infer_comparison},
    [TSP_GRAPH_LESS] = {NUMBERS, infer_comparison},
    [TSP_GRAPH_GREATER_OR_EQUAL] = {NUMBERS, infer_comparison},
    [TSP_GRAPH_LESS_OR_EQUAL] = {NUMBERS, infer_comparison},
    [TSP_GRAPH_AND] = {BIT(TSP_BOOL), infer_pairwise},
    [TSP_GRAPH_OR] = {BIT(TSP_BOOL), infer_pairwise},
    [TSP_GRAPH_XOR] = {BIT(TSP_BOOL), infer_pairwise},
    [TSP_GRAPH_NOT] = {BIT(TSP_BOOL), infer_same},
    [TSP_GRAPH_BIT_SHIFT] = {BIT(TSP_U8), infer_pairwise},
    [TSP_GRAPH_TANH] = {FLOATS, infer_same},
    [TSP_GRAPH_EXP] = {FLOATS, infer_same},
    [TSP_GRAPH_CLIP] = {NUMBERS, infer_clip},
    [TSP_GRAPH_LEAKY_RELU] = {FLOATS, infer_known},
    [TSP_GRAPH_WHERE] = {ANY, infer_where},
    [TSP_GRAPH_SIGMOID] = {FLOATS, infer_same},
    [TSP_GRAPH_SQRT] = {FLOATS, infer_same},
    [TSP_GRAPH_DIV] = {NUMBERS, infer_pairwise},
    [TSP_GRAPH_RECIPROCAL] = {FLOATS, infer_same},
    [TSP_GRAPH_MOD] = {NUMBERS, infer_mod},
    [TSP_GRAPH_POW] = {ANY, infer_known},
    [TSP_GRAPH_LOG] = {FLOATS, infer_same},
    [TSP_GRAPH_ERF] = {FLOATS, infer_same},
    [TSP_GRAPH_GELU] = {FLOATS, infer_same},
    [TSP_GRAPH_FLOOR] = {FLOATS, infer_same},
    [TSP_GRAPH_CEIL] = {FLOATS, infer_same},
    [TSP_GRAPH_ROUND] = {FLOATS, infer_same},
    [TSP_GRAPH_SIGN] = {NUMBERS, infer_same},
    [TSP_GRAPH_SUM] = {FLOATS, infer_several},
    [TSP_GRAPH_MEAN] = {FLOATS, infer_several},
    [TSP_GRAPH_QUANTIZE_LINEAR] = {FLOATS | BIT(TSP_I32), infer_known},
    [TSP_GRAPH_DEQUANTIZE_LINEAR] = {ANY, infer_known},
    [TSP_GRAPH_DYNAMIC_QUANTIZE_LINEAR] = {BIT(TSP_F32), infer_known},
    [TSP_GRAPH_BATCH_NORMALIZATION] = {FLOATS, infer_known},
    [TSP_GRAPH_HARD_SIGMOID] = {FLOATS, infer_same},
    [TSP_GRAPH_HARD_SWISH] = {FLOATS, infer_same},
    [TSP_GRAPH_SOFTPLUS] = {FLOATS, infer_same},
    [TSP_GRAPH_SOFTSIGN] = {FLOATS, infer_same},
    [TSP_GRAPH_MISH] = {FLOATS, infer_same},
    [TSP_GRAPH_ELU] = {FLOATS, infer_same},
    [TSP_GRAPH_CELU] = {FLOATS, infer_known},
    [TSP_GRAPH_SELU] = {FLOATS, infer_same},
    [TSP_GRAPH_PRELU] = {BIT(TSP_I32) | FLOATS, infer_pairwise},
    [TSP_GRAPH_SWISH] = {FLOATS, infer_same},
    [TSP_GRAPH_REDUCE_SUM] = {BIT(TSP_I32) | FLOATS, infer_reduce},
    [TSP_GRAPH_REDUCE_MEAN] = {BIT(TSP_I32) | FLOATS, infer_reduce},
    [TSP_GRAPH_REDUCE_MAX] = {ANY, infer_reduce},
    [TSP_GRAPH_REDUCE_MIN] = {ANY, infer_reduce},
    [TSP_GRAPH_REDUCE_PROD] = {BIT(TSP_I32) | FLOATS, infer_reduce},
    [TSP_GRAPH_REDUCE_SUM_SQUARE] = {BIT(TSP_I32) | FLOATS, infer_reduce},
    [TSP_GRAPH_REDUCE_L1] = {BIT(TSP_I32) | FLOATS, infer_reduce},
    [TSP_GRAPH_REDUCE_L2] = {BIT(TSP_I32) | FLOATS, infer_reduce},
    [TSP_GRAPH_ARG_MAX] = {NUMBERS, infer_arg},
    [TSP_GRAPH_ARG_MIN] = {NUMBERS, infer_arg},
    [TSP_GRAPH_REDUCE_LOG_SUM] = {BIT(TSP_I32) | FLOATS, infer_reduce},
    [TSP_GRAPH_REDUCE_LOG_SUM_EXP] = {BIT(TSP_I32) | FLOATS, infer_reduce},
    [TSP_GRAPH_SOFTMAX] = {FLOATS, infer_same},
    [TSP_GRAPH_LOG_SOFTMAX] = {FLOATS, infer_same},
    [TSP_GRAPH_CUM_SUM] = {BIT(TSP_I32) | FLOATS, infer_cum_sum},
    [TSP_GRAPH_LAYER_NORMALIZATION] = {FLOATS, infer_norm},
    [TSP_GRAPH_RMS_NORMALIZATION] = {FLOATS, infer_norm},
    [TSP_GRAPH_INSTANCE_NORMALIZATION] = {FLOATS, infer_norm},
    [TSP_GRAPH_GROUP_BY_AGGREGATE] = {BIT(TSP_I16), infer_group},
    [TSP_GRAPH_RESHAPE] = {ANY, infer_movement},
    [TSP_GRAPH_FLATTEN] = {ANY, infer_movement},
    [TSP_GRAPH_SQUEEZE] = {ANY, infer_movement},
    [TSP_GRAPH_UNSQUEEZE] = {ANY, infer_movement},
    [TSP_GRAPH_TRANSPOSE] = {ANY, infer_movement},
    [TSP_GRAPH_SPLIT] = {ANY, infer_movement},
    [TSP_GRAPH_SLICE] = {ANY, infer_movement},
    [TSP_GRAPH_EXPAND] = {ANY, infer_movement},
    [TSP_GRAPH_CONCAT] = {ANY, infer_movement},
    [TSP_GRAPH_PAD] = {ANY, infer_movement},
    [TSP_GRAPH_TILE] = {ANY, infer_movement},
    [TSP_GRAPH_GATHER] = {ANY, infer_movement},
    [TSP_GRAPH_TRILU] = {ANY, infer_movement},
    [TSP_GRAPH_DEPTH_TO_SPACE] = {ANY, infer_movement},
    [TSP_GRAPH_SPACE_TO_DEPTH] = {ANY, infer_movement},
};

static bool check_dtypes(const Infer *f) {
    uint32_t allowed = rules[f->node->op].dtypes;
    for (int32_t i = 0; i < 2 && i < f->node->input_count; i++) {
        const TspValue *v = input(f, i);
        char list[80] = "";
        if (!v || (allowed & BIT(v->dtype))) continue;
        for (int t = 0; t < TSP_DTYPE_COUNT; t++)
            if (allowed & BIT(t)) {
                size_t used = strlen(list);
                snprintf(list + used, sizeof list - used, used ? ", %s" : "%s",
                         tsp_dtype_name((TspDtype)t));
            }
        *f->blame = i;
        return tsp_fail(f->err, TSP_ERR_INPUT, "\"%s\" is %s, but %s takes %s; insert a Cast",
                        v->name, tsp_dtype_name(v->dtype), tsp_graph_op_name(f->node->op), list);
    }
    return true;
}

bool tsp_node_infer(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                    TspError *err) {
    Infer f = {g, node, out, blame, err};
    int64_t elements = 1;
    *blame = -1;
    if (!check_dtypes(&f)) return false;
    out->dtype = input(&f, 0)->dtype;
    if (!rules[node->op].infer(&f)) return false;
    *blame = -1;
    for (int32_t i = 0; i < out->rank; i++) {
        if (elements > TSP_MAX_ELEMENTS / out->shape[i])
            return tsp_fail(err, TSP_ERR_INPUT,
                            "the result %s has more than %d elements; split the tensor",
                            shape_text(out).text, TSP_MAX_ELEMENTS);
        elements *= out->shape[i];
    }
    return true;
}
