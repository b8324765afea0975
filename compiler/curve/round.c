/* round.c - Floor, Ceil, Round, Sign, exactly, in the type of their operand.
 *
 * A number is rounded to a whole one by adding and taking away the power of two from which on all
 * numbers are whole. Those beyond it, infinities and NaN have nothing added. The sign is set at the
 * end, for zeros.
 */
#include "curve.h"

static From on_bits(Curve *c, TspOpcode op, From a, uint32_t bits) {
    const TspDtype type = c->type == TSP_F16 ? TSP_I16 : TSP_I32;
    From y = curve_with(c, op, type, a, 0);
    c->steps[y.index].imm = bits;
    return y;
}

static From sign_of(Curve *c, From x) {
    return on_bits(c, TSP_OP_AND, x, c->type == TSP_F16 ? 0x8000 : 0x80000000);
}

/* To nearest, ties to even; of zeros the sign may be lost. */
static From to_whole(Curve *c, From x) {
    const double whole = c->type == TSP_F16 ? 0x1p10 : 0x1p23;
    From big = on_bits(c, TSP_OP_OR, sign_of(c, x), c->type == TSP_F16 ? 0x6400 : 0x4b000000);
    From small = curve_with(c, TSP_OP_LT, c->type, curve_unary(c, TSP_OP_ABS, c->type, x), whole);
    big = curve_binary(c, TSP_OP_MASK, c->type, big, small);
    return curve_binary(c, TSP_OP_SUB, c->type, curve_binary(c, TSP_OP_ADD, c->type, x, big), big);
}

static From with_sign(Curve *c, From y, From x) {
    return curve_binary(c, TSP_OP_OR, c->type, y, sign_of(c, x));
}

From curve_round_even(Curve *c) {
    return with_sign(c, to_whole(c, c->in[0]), c->in[0]);
}

From curve_floor(Curve *c) {
    From x = c->in[0], y = to_whole(c, x);
    y = curve_binary(c, TSP_OP_SUB, c->type, y, curve_binary(c, TSP_OP_GT, c->type, y, x));
    return with_sign(c, y, x);
}

From curve_ceil(Curve *c) {
    From x = c->in[0], y = to_whole(c, x);
    y = curve_binary(c, TSP_OP_ADD, c->type, y, curve_binary(c, TSP_OP_LT, c->type, y, x));
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
