/* curve.c - the steps of curves, written down, and which nodes are curves.
 */
#include "curve.h"
#include "compiler/number.h"

#include <string.h>

/* ones: zeros do not give zero, or the sign of one. */
static const struct {
    From (*write)(Curve *c);
    bool ones;
} curves[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_MIN] = {curve_combine, false}, /* of other than two inputs */
    [TSP_GRAPH_MAX] = {curve_combine, false},
    [TSP_GRAPH_SUM] = {curve_combine, false},
    [TSP_GRAPH_DIV] = {curve_div, true},
    [TSP_GRAPH_RECIPROCAL] = {curve_reciprocal, true},
    [TSP_GRAPH_MOD] = {curve_mod, true},
    [TSP_GRAPH_POW] = {curve_pow, true},
    [TSP_GRAPH_LOG] = {curve_log, true},
    [TSP_GRAPH_ERF] = {curve_erf, false},
    [TSP_GRAPH_GELU] = {curve_gelu, false},
    [TSP_GRAPH_FLOOR] = {curve_floor, false},
    [TSP_GRAPH_CEIL] = {curve_ceil, false},
    [TSP_GRAPH_ROUND] = {curve_round_even, false},
    [TSP_GRAPH_SIGN] = {curve_sign, false},
    [TSP_GRAPH_QUANTIZE_LINEAR] = {curve_quantize, false},
    [TSP_GRAPH_DEQUANTIZE_LINEAR] = {curve_dequantize, false},
    [TSP_GRAPH_BATCH_NORMALIZATION] = {curve_batch_norm, false},
    [TSP_GRAPH_HARD_SIGMOID] = {curve_hard_sigmoid, true},
    [TSP_GRAPH_HARD_SWISH] = {curve_hard_swish, false},
    [TSP_GRAPH_SOFTPLUS] = {curve_softplus, true},
    [TSP_GRAPH_SOFTSIGN] = {curve_softsign, false},
    [TSP_GRAPH_MISH] = {curve_mish, false},
    [TSP_GRAPH_ELU] = {curve_elu, false},
    [TSP_GRAPH_CELU] = {curve_celu, false},
    [TSP_GRAPH_SELU] = {curve_selu, false},
    [TSP_GRAPH_PRELU] = {curve_prelu, false},
    [TSP_GRAPH_SWISH] = {curve_swish, false},
};

bool is_curve(const TspNode *node) {
    if (node->op == TSP_GRAPH_MIN || node->op == TSP_GRAPH_MAX) return node->input_count != 2;
    return curves[node->op].write != NULL;
}

bool curve_needs_ones(const TspNode *node) {
    return curves[node->op].ones;
}

static bool same(From x, From y) {
    return x.kind == y.kind && x.index == y.index;
}

/* What was written down before is not written again. */
static From add_step(Curve *c, Step step) {
    for (int32_t i = 0; i < c->step_count; i++) {
        const Step *s = &c->steps[i];
        if (s->op == step.op && s->type == step.type && s->type2 == step.type2 &&
            s->imm == step.imm && same(s->a, step.a) && same(s->b, step.b))
            return (From){FROM_STEP, i};
    }
    c->steps[c->step_count] = step;
    return (From){FROM_STEP, c->step_count++};
}

From curve_unary(Curve *c, TspOpcode op, TspDtype type, From a) {
    return add_step(c, (Step){.op = op, .type = type, .type2 = type, .a = a, .b = from_none()});
}

From curve_binary(Curve *c, TspOpcode op, TspDtype type, From a, From b) {
    return add_step(c, (Step){.op = op, .type = type, .type2 = type, .a = a, .b = b});
}

From curve_with(Curve *c, TspOpcode op, TspDtype type, From a, double number) {
    return add_step(c, (Step){.op = op,
                              .type = type,
                              .type2 = type,
                              .a = a,
                              .b = from_imm(),
                              .imm = tsp_immediate(type, number)});
}

From curve_of(Curve *c, TspOpcode op, TspDtype type, double number, From b) {
    return add_step(c, (Step){.op = op,
                              .type = type,
                              .type2 = type,
                              .a = from_imm(),
                              .b = b,
                              .imm = tsp_immediate(type, number)});
}

From curve_bits(Curve *c, TspOpcode op, From a, uint32_t bits) {
    return add_step(
        c,
        (Step){.op = op, .type = TSP_I32, .type2 = TSP_I32, .a = a, .b = from_imm(), .imm = bits});
}

From curve_convert(Curve *c, TspDtype from, TspDtype to, From a) {
    if (from == to) return a;
    return add_step(c,
                    (Step){.op = TSP_OP_CVT, .type = from, .type2 = to, .a = a, .b = from_none()});
}

From curve_round(Curve *c, TspDtype from, TspDtype to, From a) {
    return add_step(
        c, (Step){.op = TSP_OP_CVT_SAT, .type = from, .type2 = to, .a = a, .b = from_none()});
}

/* powers[k] is x^(2^k). Neighbours are joined first, so that few values wait for others. */
static From sum_of(Curve *c, const From *powers, const float *coefficients, int32_t count) {
    int32_t low = 1, power = 0;
    From sum, rest;
    while (2 * low < count) low *= 2, power++;
    if (low == 1 && count == 2) {
        rest = curve_with(c, TSP_OP_MUL, TSP_F32, powers[0], (double)coefficients[1]);
        return curve_with(c, TSP_OP_ADD, TSP_F32, rest, (double)coefficients[0]);
    }
    if (count - low == 1) {
        rest = curve_with(c, TSP_OP_MUL, TSP_F32, powers[power], (double)coefficients[low]);
    } else {
        rest = sum_of(c, powers, coefficients + low, count - low);
        rest = curve_binary(c, TSP_OP_MUL, TSP_F32, rest, powers[power]);
    }
    sum = sum_of(c, powers, coefficients, low);
    return curve_binary(c, TSP_OP_ADD, TSP_F32, sum, rest);
}

From curve_polynomial(Curve *c, From x, const float *coefficients, int32_t count) {
    From powers[4] = {x}, y;
    for (int32_t k = 1; 1 << k < count - 1; k++)
        powers[k] = curve_binary(c, TSP_OP_MUL, TSP_F32, powers[k - 1], powers[k - 1]);
    y = sum_of(c, powers, coefficients + 1, count - 1);
    y = curve_binary(c, TSP_OP_MUL, TSP_F32, y, x);
    return curve_with(c, TSP_OP_ADD, TSP_F32, y, (double)coefficients[0]);
}

From curve_single(Curve *c, int32_t i) {
    const TspDtype type = tsp_alu_type(c->graph->values[c->node->inputs[i]].dtype);
    return curve_convert(c, type, TSP_F32, c->in[i]);
}

From curve_result(Curve *c, From y) {
    return curve_convert(c, TSP_F32, c->result, y);
}

void curve_write(Curve *c) {
    const TspGraph *g = c->graph;
    From y;
    c->type = tsp_alu_type(g->values[c->node->inputs[0]].dtype);
    c->result = tsp_alu_type(g->values[c->node->output].dtype);
    y = curves[c->node->op].write(c);
    if (y.kind != FROM_STEP || y.index != c->step_count - 1) /* it was written before */
        y = add_step(c, (Step){.op = TSP_OP_PASS,
                               .type = c->result,
                               .type2 = c->result,
                               .a = y,
                               .b = from_none()});
    if (c->ones.kind != FROM_NONE) curve_binary(c, TSP_OP_MASK, c->result, y, c->ones);
}
