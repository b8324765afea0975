/* affine.c - curves of multiplications, additions, limits and conversions.
 */
#include "curve.h"

static From with(Curve *c, TspOpcode op, From a, double number) {
    return curve_with(c, op, TSP_F32, a, number);
}

/* Whole, then the zero point, saturating at each step. Inputs: x, perhaps the scale's inverse (else
 * it is alpha), perhaps the zero point as int32. */
From curve_quantize(Curve *c) {
    const int32_t inputs = c->node->input_count;
    From y = curve_single(c, 0);
    y = inputs == 3 ? curve_binary(c, TSP_OP_MUL, TSP_F32, y, c->in[1])
                    : with(c, TSP_OP_MUL, y, c->node->alpha);
    if (inputs == 1) return curve_round(c, TSP_F32, c->result, y);
    y = curve_round(c, TSP_F32, TSP_I32, y);
    y = curve_binary(c, TSP_OP_ADD_SAT, TSP_I32, y, c->in[inputs - 1]);
    return curve_round(c, TSP_I32, c->result, y);
}

/* The same inputs, with the scale itself. */
From curve_dequantize(Curve *c) {
    const int32_t inputs = c->node->input_count;
    From y = curve_convert(c, c->type, TSP_I32, c->in[0]);
    if (inputs > 1) y = curve_binary(c, TSP_OP_SUB, TSP_I32, y, c->in[inputs - 1]);
    y = curve_convert(c, TSP_I32, TSP_F32, y);
    y = inputs == 3 ? curve_binary(c, TSP_OP_MUL, TSP_F32, y, c->in[1])
                    : with(c, TSP_OP_MUL, y, c->node->alpha);
    return curve_result(c, y);
}

/* Inputs: x, and float32 factors and terms of its channels. */
From curve_batch_norm(Curve *c) {
    From y = curve_binary(c, TSP_OP_MUL, TSP_F32, curve_single(c, 0), c->in[1]);
    return curve_result(c, curve_binary(c, TSP_OP_ADD, TSP_F32, y, c->in[2]));
}

static From hard_sigmoid(Curve *c, From x, double alpha, double beta) {
    From y = with(c, TSP_OP_ADD, with(c, TSP_OP_MUL, x, alpha), beta);
    return with(c, TSP_OP_MIN, with(c, TSP_OP_MAX, y, 0), 1);
}

From curve_hard_sigmoid(Curve *c) {
    return curve_result(c, hard_sigmoid(c, curve_single(c, 0), c->node->alpha, c->node->beta));
}

From curve_hard_swish(Curve *c) {
    From x = curve_single(c, 0), factor = hard_sigmoid(c, x, 1.0 / 6, 0.5);
    return curve_result(c, curve_binary(c, TSP_OP_MUL, TSP_F32, x, factor));
}

/* Sum, Min, Max: one input after the other, each step in the inputs' type. */
From curve_combine(Curve *c) {
    const TspOpcode op = c->node->op == TSP_GRAPH_MIN   ? TSP_OP_MIN
                         : c->node->op == TSP_GRAPH_MAX ? TSP_OP_MAX
                                                        : TSP_OP_ADD;
    From y = c->in[0];
    if (c->node->input_count == 1) return curve_unary(c, TSP_OP_PASS, c->type, y);
    for (int32_t i = 1; i < c->node->input_count; i++)
        y = curve_binary(c, op, c->type, y, c->in[i]);
    return y;
}
