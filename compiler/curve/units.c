/* units.c - Elu, Celu, Selu, PRelu, Swish: linear on one side, or nearly.
 */
#include "curve.h"

static From with(Curve *c, TspOpcode op, From a, double number) {
    return curve_with(c, op, TSP_F32, a, number);
}

/* e^x - 1 for x <= 0: 2 t / (1 - t) with t = tanh(x / 2), which keeps the digits near 0. */
static From exponential_minus_one(Curve *c, From x) {
    From t = curve_unary(c, TSP_OP_TANH, TSP_F32, with(c, TSP_OP_MUL, x, 0.5));
    From r = curve_unary(c, TSP_OP_RSQRT, TSP_F32, curve_of(c, TSP_OP_SUB, TSP_F32, 1, t));
    From y = curve_binary(c, TSP_OP_MUL, TSP_F32, t, r);
    return with(c, TSP_OP_MUL, curve_binary(c, TSP_OP_MUL, TSP_F32, y, r), 2);
}

/* above max(x, 0) + below (e^(inner min(x, 0)) - 1): one of the two is zero. */
static From exponential_unit(Curve *c, double above, double below, double inner) {
    From x = curve_single(c, 0), y = with(c, TSP_OP_MIN, x, 0);
    y = exponential_minus_one(c, with(c, TSP_OP_MUL, y, inner));
    y = with(c, TSP_OP_MUL, y, below);
    x = with(c, TSP_OP_MUL, curve_unary(c, TSP_OP_RELU, TSP_F32, x), above);
    return curve_result(c, curve_binary(c, TSP_OP_ADD, TSP_F32, x, y));
}

From curve_elu(Curve *c) {
    return exponential_unit(c, 1, c->node->alpha, 1);
}

From curve_celu(Curve *c) {
    return exponential_unit(c, 1, c->node->alpha, 1 / c->node->alpha);
}

From curve_selu(Curve *c) {
    const double gamma = c->node->beta;
    return exponential_unit(c, gamma, gamma * c->node->alpha, 1);
}

/* max(x, 0) + slope x where x < 0: no NaN of 0 and an infinite slope. */
From curve_prelu(Curve *c) {
    From above = curve_unary(c, TSP_OP_RELU, c->type, c->in[0]);
    From below = curve_binary(c, TSP_OP_MUL, c->type, c->in[0], c->in[1]);
    below = curve_binary(c, TSP_OP_MASK, c->type, below,
                         curve_with(c, TSP_OP_LT, c->type, c->in[0], 0));
    return curve_binary(c, TSP_OP_ADD, c->type, above, below);
}

/* x / (1 + e^(-alpha x)). */
From curve_swish(Curve *c) {
    From x = curve_single(c, 0), r;
    r = curve_unary(c, TSP_OP_EXP, TSP_F32, with(c, TSP_OP_MUL, x, -c->node->alpha));
    r = curve_unary(c, TSP_OP_RSQRT, TSP_F32, with(c, TSP_OP_ADD, r, 1));
    x = curve_binary(c, TSP_OP_MUL, TSP_F32, x, r);
    return curve_result(c, curve_binary(c, TSP_OP_MUL, TSP_F32, x, r));
}
