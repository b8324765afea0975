/* lower_steps.c - the VXM steps of element-wise nodes.
 *
 * Steps say what takes what; balance.c makes what has to wait pass through ALUs. Where the
 * result of zeros is not zero, it is masked (zero padding, docs/architecture.md).
 */
#include "lower.h"
#include "compiler/curve/curve.h"
#include "compiler/number.h"

#include <stdlib.h>

typedef enum { NOT_ELEMENTWISE, ONE_STEP, COMPARE, OWN_STEPS } Shape;

/* op: of one step or of the comparison; ones: zeros do not give zero. */
static const struct {
    Shape shape;
    TspOpcode op;
    bool ones;
} rules[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_ADD] = {ONE_STEP, TSP_OP_ADD, false},
    [TSP_GRAPH_SUB] = {ONE_STEP, TSP_OP_SUB, false},
    [TSP_GRAPH_MUL] = {ONE_STEP, TSP_OP_MUL, false},
    [TSP_GRAPH_RELU] = {ONE_STEP, TSP_OP_RELU, false},
    [TSP_GRAPH_NEG] = {ONE_STEP, TSP_OP_NEG, true}, /* of -0 */
    [TSP_GRAPH_ABS] = {ONE_STEP, TSP_OP_ABS, false},
    [TSP_GRAPH_MIN] = {ONE_STEP, TSP_OP_MIN, false},
    [TSP_GRAPH_MAX] = {ONE_STEP, TSP_OP_MAX, false},
    [TSP_GRAPH_IDENTITY] = {ONE_STEP, TSP_OP_PASS, false},
    [TSP_GRAPH_RESHAPE] = {ONE_STEP, TSP_OP_PASS, false}, /* of flat values; else they move */
    [TSP_GRAPH_FLATTEN] = {ONE_STEP, TSP_OP_PASS, false},
    [TSP_GRAPH_SQUEEZE] = {ONE_STEP, TSP_OP_PASS, false},
    [TSP_GRAPH_UNSQUEEZE] = {ONE_STEP, TSP_OP_PASS, false},
    [TSP_GRAPH_EQUAL] = {COMPARE, TSP_OP_EQ, true},
    [TSP_GRAPH_GREATER] = {COMPARE, TSP_OP_GT, false},
    [TSP_GRAPH_LESS] = {COMPARE, TSP_OP_LT, false},
    [TSP_GRAPH_GREATER_OR_EQUAL] = {COMPARE, TSP_OP_GE, true},
    [TSP_GRAPH_LESS_OR_EQUAL] = {COMPARE, TSP_OP_LE, true},
    [TSP_GRAPH_AND] = {ONE_STEP, TSP_OP_AND, false},
    [TSP_GRAPH_OR] = {ONE_STEP, TSP_OP_OR, false},
    [TSP_GRAPH_XOR] = {ONE_STEP, TSP_OP_XOR, false},
    [TSP_GRAPH_NOT] = {OWN_STEPS, TSP_OP_XOR, true},
    [TSP_GRAPH_BIT_SHIFT] = {OWN_STEPS, TSP_OP_SHL, false},
    [TSP_GRAPH_TANH] = {ONE_STEP, TSP_OP_TANH, false},
    [TSP_GRAPH_EXP] = {ONE_STEP, TSP_OP_EXP, true},
    [TSP_GRAPH_CLIP] = {OWN_STEPS, TSP_OP_MAX, true},
    [TSP_GRAPH_LEAKY_RELU] = {OWN_STEPS, TSP_OP_MUL, false},
    [TSP_GRAPH_WHERE] = {OWN_STEPS, TSP_OP_MASK, false},
    [TSP_GRAPH_SIGMOID] = {OWN_STEPS, TSP_OP_TANH, true},
    [TSP_GRAPH_SQRT] = {OWN_STEPS, TSP_OP_RSQRT, false},
    [TSP_GRAPH_CAST] = {OWN_STEPS, TSP_OP_CVT, false},
};

bool lower_is_elementwise(const TspNode *node) {
    return rules[node->op].shape != NOT_ELEMENTWISE || is_curve(node);
}

int32_t lower_streamed(const TspNode *node) {
    return node->op == TSP_GRAPH_CLIP || lower_relabels(node) ? 1 : node->input_count;
}

bool lower_relabels(const TspNode *node) {
    return rules[node->op].shape == ONE_STEP && rules[node->op].op == TSP_OP_PASS;
}

bool lower_takes_number(const TspNode *node) {
    return node->input_count == 2 &&
           (rules[node->op].shape == ONE_STEP || rules[node->op].shape == COMPARE);
}

bool lower_needs_ones(const TspNode *node) {
    return is_curve(node) ? curve_needs_ones(node) : rules[node->op].ones;
}

From lower_number(const TspValue *scalar) {
    const TspDtype type = tsp_alu_type(scalar->dtype);
    return (From){FROM_IMM, (int32_t)tsp_immediate(type, tsp_load_double(type, scalar->data, 0))};
}

int32_t lower_ones(Lowerer *l, const TspNode *node, int32_t cols, TspError *err) {
    return lower_ones_of(l, node, tsp_alu_type(l->graph->values[node->output].dtype), cols, err);
}

int32_t lower_ones_of(Lowerer *l, const TspNode *node, TspDtype type, int32_t cols, TspError *err) {
    const TspValue *y = &l->graph->values[node->output];
    const uint32_t one = tsp_immediate(type, 1);
    int32_t i = lower_new_tensor(l, y->name, ".ones", type, TSP_ROLE_CONSTANT, 0, NULL, false, err);
    Tensor *t;
    if (i < 0) return -1;
    t = &l->module->tensors[i];
    t->bcast_cols = cols;
    t->ctiles = tsp_ceil_div(cols, tsp_lanes(&l->module->machine));
    t->contiguous = true;
    if (!(t->data = malloc((size_t)t->bytes)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    memcpy(t->data, &one, (size_t)t->bytes);
    return i;
}

static From unary(Stage *s, TspOpcode op, TspDtype type, From a) {
    return stage_step(s, op, type, type, a, from_none(), 0);
}

static From binary(Stage *s, TspOpcode op, TspDtype type, From a, From b) {
    int32_t imm = a.kind == FROM_IMM ? a.index : b.kind == FROM_IMM ? b.index : 0;
    return stage_step(s, op, type, type, a, b, (uint32_t)imm);
}

static From with_number(Stage *s, TspOpcode op, TspDtype type, From a, double number) {
    return stage_step(s, op, type, type, a, from_imm(), tsp_immediate(type, number));
}

static From convert(Stage *s, TspDtype from, TspDtype to, From a) {
    return from == to ? a : stage_step(s, TSP_OP_CVT, from, to, a, from_none(), 0);
}

static From cast(Stage *s, TspDtype type, TspDtype to, From a) {
    if (to == TSP_BOOL && type != TSP_BOOL)
        return convert(s, type, TSP_U8, with_number(s, TSP_OP_NE, type, a, 0));
    if (tsp_alu_type(type) == tsp_alu_type(to)) return unary(s, TSP_OP_PASS, tsp_alu_type(type), a);
    return convert(s, tsp_alu_type(type), to, a);
}

/* ALUs shift by the amount modulo 8; ONNX gives 0 from 8 on. */
static From bit_shift(Stage *s, bool right, From a, From b) {
    From shifted = binary(s, right ? TSP_OP_SHR : TSP_OP_SHL, TSP_U8, a, b);
    return binary(s, TSP_OP_MASK, TSP_U8, shifted, with_number(s, TSP_OP_LT, TSP_U8, b, 8));
}

static From clip(Stage *s, const TspNode *node, const TspGraph *g, From a) {
    static const TspOpcode ops[] = {TSP_OP_PASS, TSP_OP_MAX, TSP_OP_MIN};
    const TspDtype type = g->values[node->inputs[0]].dtype;
    if (node->input_count == 1) return unary(s, TSP_OP_PASS, type, a);
    for (int32_t i = 1; i < node->input_count; i++)
        if (node->inputs[i] >= 0)
            a = with_number(s, ops[i], type, a,
                            tsp_load_double(type, g->values[node->inputs[i]].data, 0));
    return a;
}

/* Of x and alpha x the greater, or the less where alpha is above 1. An alpha of zero or less takes
 * max(x, 0) + alpha min(x, 0), of which one is zero. */
static From leaky_relu(Stage *s, TspDtype type, double alpha, From a) {
    const uint32_t bits = tsp_immediate(type, alpha);
    const double rounded = tsp_load_double(type, (const uint8_t *)&bits, 0);
    if (rounded > 0)
        return binary(s, rounded > 1 ? TSP_OP_MIN : TSP_OP_MAX, type, a,
                      with_number(s, TSP_OP_MUL, type, a, alpha));
    From above = unary(s, TSP_OP_RELU, type, a), below = with_number(s, TSP_OP_MIN, type, a, 0);
    return binary(s, TSP_OP_ADD, type, above, with_number(s, TSP_OP_MUL, type, below, alpha));
}

/* y ^ (condition & (x ^ y)) for bool. */
static From choose_bool(Stage *s, const From in[3]) {
    From differ = binary(s, TSP_OP_XOR, TSP_U8, in[1], in[2]);
    return binary(s, TSP_OP_XOR, TSP_U8, in[2], binary(s, TSP_OP_AND, TSP_U8, differ, in[0]));
}

/* x where the condition is 1, else y, bit for bit: both are masked, and one is all zeros. */
static From choose(Stage *s, TspDtype type, const From in[3]) {
    From condition, opposite, x, y;
    if (type == TSP_BOOL) return choose_bool(s, in);
    if (tsp_dtype_bytes(type) == 1) type = TSP_U8;
    condition = convert(s, TSP_U8, type, in[0]);
    opposite = with_number(s, TSP_OP_EQ, type, condition, 0);
    x = binary(s, TSP_OP_MASK, type, in[1], condition);
    y = binary(s, TSP_OP_MASK, type, in[2], opposite);
    return binary(s, TSP_OP_OR, type, x, y);
}

/* tanh(x / 2) / 2 + 1/2 in float32. */
static From sigmoid(Stage *s, TspDtype type, From a) {
    a = with_number(s, TSP_OP_MUL, TSP_F32, convert(s, type, TSP_F32, a), 0.5);
    a = with_number(s, TSP_OP_MUL, TSP_F32, unary(s, TSP_OP_TANH, TSP_F32, a), 0.5);
    return convert(s, TSP_F32, type, with_number(s, TSP_OP_ADD, TSP_F32, a, 0.5));
}

/* In float32, 1 / sqrt(1 / x) for halfs, which is right at 0 and infinity too, where x rsqrt(x) is
 * not; a small float32 has no 1 / x, so there it is the fourth root, squared. Adding +0 turns -0,
 * of which rsqrt gives -infinity. */
static From square_root(Stage *s, TspDtype type, From a) {
    if (type == TSP_F16) {
        a = unary(s, TSP_OP_RSQRT, TSP_F32, convert(s, type, TSP_F32, a));
        a = unary(s, TSP_OP_RSQRT, TSP_F32, binary(s, TSP_OP_MUL, TSP_F32, a, a));
        return convert(s, TSP_F32, type, a);
    }
    a = with_number(s, TSP_OP_ADD, TSP_F32, a, 0);
    a = unary(s, TSP_OP_RSQRT, TSP_F32, unary(s, TSP_OP_RSQRT, TSP_F32, a));
    return binary(s, TSP_OP_MUL, TSP_F32, a, a);
}

static From own_steps(Stage *s, const TspNode *node, const TspGraph *g, const From *in, From ones) {
    const TspDtype type = g->values[node->inputs[0]].dtype;
    switch (node->op) {
    case TSP_GRAPH_NOT:
        return ones.kind == FROM_NONE ? with_number(s, TSP_OP_XOR, TSP_U8, in[0], 1)
                                      : binary(s, TSP_OP_XOR, TSP_U8, in[0], ones);
    case TSP_GRAPH_BIT_SHIFT:
        return bit_shift(s, node->shift_right, in[0], in[1]);
    case TSP_GRAPH_CLIP:
        return clip(s, node, g, in[0]);
    case TSP_GRAPH_LEAKY_RELU:
        return leaky_relu(s, type, node->alpha, in[0]);
    case TSP_GRAPH_WHERE:
        return choose(s, g->values[node->output].dtype, in);
    case TSP_GRAPH_SIGMOID:
        return sigmoid(s, type, in[0]);
    case TSP_GRAPH_SQRT:
        return square_root(s, type, in[0]);
    default:
        return cast(s, type, node->to, in[0]);
    }
}

From lower_apply(Stage *s, const TspNode *node, const TspGraph *g,
                 const From in[ELEMENTWISE_INPUTS], From ones) {
    const TspDtype type = tsp_alu_type(g->values[node->inputs[0]].dtype);
    const TspDtype result = tsp_alu_type(g->values[node->output].dtype);
    From y;
    if (rules[node->op].shape == OWN_STEPS)
        y = own_steps(s, node, g, in, ones);
    else
        y = binary(s, rules[node->op].op, type, in[0], in[1]);
    if (rules[node->op].shape == COMPARE && type != TSP_I8) y = convert(s, type, TSP_U8, y);
    if (ones.kind == FROM_NONE || node->op == TSP_GRAPH_NOT) return y;
    return binary(s, TSP_OP_MASK, result, y, ones);
}

int32_t lower_finish_elementwise(Lowerer *l, const TspNode *node, Stage *s,
                                 const From in[ELEMENTWISE_INPUTS], From ones, int32_t out,
                                 int32_t row, TspError *err) {
    if (is_curve(node)) return lower_curve(l, node, s, in, ones, out, row, err);
    lower_output(l, s, lower_apply(s, node, l->graph, in, ones), out, row);
    return 1;
}
