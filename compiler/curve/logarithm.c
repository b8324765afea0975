/* logarithm.c - Log, Softplus, Mish.
 *
 * ln x = k ln 2 + ln(1 + f) with 1 + f = x 2^-k between sqrt(1/2) and sqrt(2), taken from the bits;
 * ln(1 + f) = f - f^2/2 + f^3 Q(f). ln(1 + u) for u up to 1 is u R(u).
 */
#include "curve.h"

#include <float.h>

static const float q_float32[] = {0x1.555554p-2f, -0x1.000228p-2f, 0x1.99a01cp-3f, -0x1.54721cp-3f,
                                  0x1.22d80cp-3f, -0x1.0d84aep-3f, 0x1.056acp-3f,  -0x1.38e0ep-4f};
static const float q_float16[] = {0x1.54d79ap-2f, -0x1.0281e6p-2f, 0x1.be0626p-3f, -0x1.2af0ecp-3f};
static const float r_float32[] = {0x1p+0f,        -0x1.ffffbep-2f, 0x1.554c8p-2f,  -0x1.ff0f88p-3f,
                                  0x1.92f696p-3f, -0x1.397562p-3f, 0x1.b2535ep-4f, -0x1.d29cc8p-5f,
                                  0x1.453f0cp-6f, -0x1.a93364p-9f};
static const float r_float16[] = {0x1.fffee6p-1f,  -0x1.ff5896p-2f, 0x1.4d02fap-2f,
                                  -0x1.ae2dfcp-3f, 0x1.9e9b34p-4f,  -0x1.871262p-6f};

enum { COUNT_Q32 = 8, COUNT_Q16 = 4, COUNT_R32 = 10, COUNT_R16 = 6 };

static From with(Curve *c, TspOpcode op, From a, double number) {
    return curve_with(c, op, TSP_F32, a, number);
}

static From binary(Curve *c, TspOpcode op, From a, From b) {
    return curve_binary(c, op, TSP_F32, a, b);
}

/* Subnormal floats times 2^24, and in *shift 24 where that was done, else 0. */
static From normal(Curve *c, From x, From *shift) {
    From small = with(c, TSP_OP_LT, x, 0x1p-126);
    From factor = with(c, TSP_OP_ADD, with(c, TSP_OP_MUL, small, 0x1p24 - 1), 1);
    *shift = with(c, TSP_OP_MUL, small, 24);
    return binary(c, TSP_OP_MUL, x, factor);
}

/* k ln 2 is added in two parts, the first of which has few digits. */
static From of_positive(Curve *c, From x, From shift) {
    const bool halfs = c->type == TSP_F16;
    From bits = curve_bits(c, TSP_OP_SUB, x, 0x3f3504f3), f, k, square, y;
    bits = curve_bits(c, TSP_OP_SHR, bits, 23);
    k = curve_convert(c, TSP_I32, TSP_F32, bits);
    if (shift.kind != FROM_NONE) k = binary(c, TSP_OP_SUB, k, shift);
    bits = curve_bits(c, TSP_OP_SHL, bits, 23);
    f = with(c, TSP_OP_SUB, curve_binary(c, TSP_OP_SUB, TSP_I32, x, bits), 1);
    square = binary(c, TSP_OP_MUL, f, f);
    y = curve_polynomial(c, f, halfs ? q_float16 : q_float32, halfs ? COUNT_Q16 : COUNT_Q32);
    y = binary(c, TSP_OP_MUL, y, binary(c, TSP_OP_MUL, square, f));
    y = binary(c, TSP_OP_ADD, y, with(c, TSP_OP_MUL, k, -2.12194440e-4));
    y = binary(c, TSP_OP_SUB, y, with(c, TSP_OP_MUL, square, 0.5));
    y = binary(c, TSP_OP_ADD, f, y);
    return binary(c, TSP_OP_ADD, y, with(c, TSP_OP_MUL, k, 0.693359375));
}

/* rsqrt is infinite at 0 and NaN below; what is beyond any finite number is added. */
From curve_logarithm(Curve *c, From x) {
    From shift = from_none(), y, limit;
    if (c->type == TSP_F32) x = normal(c, x, &shift);
    y = of_positive(c, x, shift);
    limit = curve_unary(c, TSP_OP_RSQRT, TSP_F32, with(c, TSP_OP_ADD, x, 0));
    limit = with(c, TSP_OP_SUB, with(c, TSP_OP_MAX, limit, 0x1p64), 0x1p64);
    y = binary(c, TSP_OP_SUB, y, limit);
    limit = with(c, TSP_OP_SUB, with(c, TSP_OP_MAX, x, (double)FLT_MAX), (double)FLT_MAX);
    return binary(c, TSP_OP_ADD, y, limit);
}

From curve_log(Curve *c) {
    return curve_result(c, curve_logarithm(c, curve_single(c, 0)));
}

/* max(x, 0) + ln(1 + e^-|x|). */
static From softplus(Curve *c, From x) {
    const bool halfs = c->type == TSP_F16;
    From u = binary(c, TSP_OP_MIN, x, curve_unary(c, TSP_OP_NEG, TSP_F32, x)), y;
    u = curve_unary(c, TSP_OP_EXP, TSP_F32, u);
    y = curve_polynomial(c, u, halfs ? r_float16 : r_float32, halfs ? COUNT_R16 : COUNT_R32);
    y = binary(c, TSP_OP_MUL, y, u);
    return binary(c, TSP_OP_ADD, y, curve_unary(c, TSP_OP_RELU, TSP_F32, x));
}

From curve_softplus(Curve *c) {
    return curve_result(c, softplus(c, curve_single(c, 0)));
}

From curve_mish(Curve *c) {
    From x = curve_single(c, 0), y = curve_unary(c, TSP_OP_TANH, TSP_F32, softplus(c, x));
    return curve_result(c, binary(c, TSP_OP_MUL, x, y));
}
