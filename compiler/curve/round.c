/* round.c - Floor, Ceil, Round, in float32, and Sign in the type of its operand, exactly.
 *
 * A number is rounded to a whole one by adding and taking away a power of two from which on all
 * numbers are whole. Those beyond it, infinities and NaN have nothing added; no half is. The sign
 * is set at the end, for zeros.
 */
#include "curve.h"

static From sign_of(Curve *c, From x) {
    return curve_bits(c, TSP_OP_AND, x, 0x80000000);
}

/* Half as much again keeps numbers of both signs between two powers of two. */
static From half_to_whole(Curve *c, From x) {
    const double whole = 0x1.8p23;
    return curve_with(c, TSP_OP_SUB, TSP_F32, curve_with(c, TSP_OP_ADD, TSP_F32, x, whole), whole);
}

/* To nearest, ties to even; of zeros the sign may be lost. */
static From to_whole(Curve *c, From x) {
    From big, small;
    if (c->type == TSP_F16) return half_to_whole(c, x);
    big = curve_bits(c, TSP_OP_OR, sign_of(c, x), 0x4b000000);
    small = curve_with(c, TSP_OP_LT, TSP_F32, curve_unary(c, TSP_OP_ABS, TSP_F32, x), 0x1p23);
    big = curve_binary(c, TSP_OP_MASK, TSP_F32, big, small);
    return curve_binary(c, TSP_OP_SUB, TSP_F32, curve_binary(c, TSP_OP_ADD, TSP_F32, x, big), big);
}

static From with_sign(Curve *c, From y, From x) {
    return curve_result(c, curve_binary(c, TSP_OP_OR, TSP_F32, y, sign_of(c, x)));
}

From curve_round_even(Curve *c) {
    From x = curve_single(c, 0);
    return with_sign(c, to_whole(c, x), x);
}

From curve_floor(Curve *c) {
    From x = curve_single(c, 0), y = to_whole(c, x);
    y = curve_binary(c, TSP_OP_SUB, TSP_F32, y, curve_binary(c, TSP_OP_GT, TSP_F32, y, x));
    return with_sign(c, y, x);
}

From curve_ceil(Curve *c) {
    From x = curve_single(c, 0), y = to_whole(c, x);
    y = curve_binary(c, TSP_OP_ADD, TSP_F32, y, curve_binary(c, TSP_OP_LT, TSP_F32, y, x));
    return with_sign(c, y, x);
}

/* Floats twice times a power of two, which no number is too small for, and cut to 1. */
From curve_sign(Curve *c) {
    const bool floats = c->type == TSP_F16 || c->type == TSP_F32;
    const double large = c->type == TSP_F16 ? 0x1p15 : 0x1p127;
    From y = c->in[0];
    for (int i = 0; i < 2 && floats; i++) y = curve_with(c, TSP_OP_MUL, c->type, y, large);
    y = curve_with(c, TSP_OP_MIN, c->type, y, 1);
    if (c->type != TSP_U8) y = curve_with(c, TSP_OP_MAX, c->type, y, -1);
    return floats ? curve_with(c, TSP_OP_ADD, c->type, y, 0) : y; /* zeros are +0 */
}
