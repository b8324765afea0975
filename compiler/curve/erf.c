/* erf.c - Erf and Gelu.
 *
 * erf(x) = tanh(g(x)), and g(x) / x is a smooth function of x^2: the polynomials are nearest to it
 * as seen in erf, where large g matter little. From 3.92 on erf is 1.
 */
#include "curve.h"

static const float in_float32[] = {
    0x1.20dd76p+0f,  0x1.a4f472p-4f,   -0x1.b190c4p-13f, -0x1.380622p-11f, 0x1.221cc4p-14f,
    0x1.7759e8p-20f, -0x1.5ef61cp-20f, 0x1.54ea06p-23f,  -0x1.295896p-27f, 0x1.947b86p-33f};
static const float in_float16[] = {0x1.20dd76p+0f,   0x1.a4f12ap-4f,  -0x1.924c6p-13f,
                                   -0x1.44f216p-11f, 0x1.6f93dcp-14f, -0x1.7c67aap-18f,
                                   0x1.30a01p-23f};

static From with(Curve *c, TspOpcode op, From a, double number) {
    return curve_with(c, op, TSP_F32, a, number);
}

static From error_function(Curve *c, From x) {
    const bool halfs = c->result == TSP_F16;
    const double end = 3.92;
    From square, y;
    x = with(c, TSP_OP_MIN, with(c, TSP_OP_MAX, x, -end), end);
    square = curve_binary(c, TSP_OP_MUL, TSP_F32, x, x);
    y = curve_polynomial(c, square, halfs ? in_float16 : in_float32,
                         halfs ? (int32_t)(sizeof in_float16 / sizeof *in_float16)
                               : (int32_t)(sizeof in_float32 / sizeof *in_float32));
    return curve_unary(c, TSP_OP_TANH, TSP_F32, curve_binary(c, TSP_OP_MUL, TSP_F32, y, x));
}

From curve_erf(Curve *c) {
    return curve_result(c, error_function(c, curve_single(c, 0)));
}

/* sqrt(2 / pi) (x + 0.044715 x^3). */
static From cubic(Curve *c, From x) {
    const double root = 0.797884560802865356;
    From y = curve_binary(c, TSP_OP_MUL, TSP_F32, x, x);
    y = with(c, TSP_OP_ADD, with(c, TSP_OP_MUL, y, 0.044715 * root), root);
    return curve_unary(c, TSP_OP_TANH, TSP_F32, curve_binary(c, TSP_OP_MUL, TSP_F32, y, x));
}

From curve_gelu(Curve *c) {
    From x = curve_single(c, 0), y;
    y = c->node->tanh_form ? cubic(c, x)
                           : error_function(c, with(c, TSP_OP_MUL, x, 0.707106781186547524));
    y = with(c, TSP_OP_ADD, y, 1);
    return curve_result(c, curve_binary(c, TSP_OP_MUL, TSP_F32, y, with(c, TSP_OP_MUL, x, 0.5)));
}
