/* quotient.c - Div, Reciprocal, Mod, Softsign: quotients by way of 1 / square root. Those of int32,
 * and what remains of floats, are in whole.c and remainder.c.
 *
 * With r = rsqrt(|b|) a quotient is a r r. Its few units of error are taken off with what a first
 * quotient of 12 digits leaves: these times b, itself in two parts of 12 digits, are exact
 * products, so the rest is exact, and the rest divided by b, roughly, is the lower digits.
 */
#include "curve.h"

static const uint32_t SIGN = 0x80000000u, MANTISSA = 0x007fffffu, EXPONENT = 0x7f800000u,
                      UPPER = 0xfffff000u, ONE = 0x3f800000u;

static From binary(Curve *c, TspOpcode op, From a, From b) {
    return curve_binary(c, op, TSP_F32, a, b);
}

/* +1 or -1 with the sign of the bits. */
static From unit_of(Curve *c, From signs) {
    return curve_bits(c, TSP_OP_OR, curve_bits(c, TSP_OP_AND, signs, SIGN), ONE);
}

/* `rest` as it is where a / b is within the range of what was computed, else 0: |rest| < limit,
 * which is false with NaN. */
static From trusted(Curve *c, From rest, From limit) {
    From small = binary(c, TSP_OP_LT, curve_unary(c, TSP_OP_ABS, TSP_F32, rest), limit);
    return binary(c, TSP_OP_MASK, rest, small);
}

/* a - q b for positive floats, exactly: q has 12 digits. */
static From rest_of(Curve *c, From a, From q, From b) {
    From high = curve_bits(c, TSP_OP_AND, b, UPPER);
    From rest = binary(c, TSP_OP_SUB, a, binary(c, TSP_OP_MUL, q, high));
    From low = binary(c, TSP_OP_SUB, b, high);
    return binary(c, TSP_OP_SUB, rest, binary(c, TSP_OP_MUL, q, low));
}

/* Positive floats of any size. With r = 2^e m, m in [1, 2): a 2^e (2^e m) m, in this order, is
 * rounded only where the quotient itself is. Corrected, unless what corrects has overflowed, or
 * lost its digits among the subnormals. */
static From divide(Curve *c, From a, From b) {
    From r = curve_unary(c, TSP_OP_RSQRT, TSP_F32, b), q, upper, rest, lower;
    q = binary(c, TSP_OP_MUL, a, curve_bits(c, TSP_OP_AND, r, EXPONENT));
    q = binary(c, TSP_OP_MUL, q, r);
    q = binary(c, TSP_OP_MUL, q,
               curve_bits(c, TSP_OP_OR, curve_bits(c, TSP_OP_AND, r, MANTISSA), ONE));
    upper = curve_bits(c, TSP_OP_AND, q, UPPER);
    rest = rest_of(c, a, upper, b);
    rest = binary(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, rest, r), r);
    lower = binary(c, TSP_OP_SUB, rest, binary(c, TSP_OP_SUB, q, upper));
    lower = trusted(c, lower, curve_with(c, TSP_OP_MUL, TSP_F32, q, 0x1p-21));
    return binary(c, TSP_OP_ADD, q, lower);
}

/* Halfs as floats: nothing overflows, and b has no lower part. Where the quotient is infinite or
 * NaN there is no rest. */
static From divide_halfs(Curve *c, From a, From b) {
    From r = curve_unary(c, TSP_OP_RSQRT, TSP_F32, b), q, rest;
    q = binary(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, a, r), r);
    q = curve_bits(c, TSP_OP_AND, q, UPPER);
    rest = binary(c, TSP_OP_SUB, a, binary(c, TSP_OP_MUL, q, b));
    rest = binary(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, rest, r), r);
    rest = binary(c, TSP_OP_MASK, rest, binary(c, TSP_OP_EQ, rest, rest));
    return binary(c, TSP_OP_ADD, q, rest);
}

/* Towards zero, of integers of at most 16 bits: with half a unit more no quotient is whole, and
 * none is as near to the next as the error. */
static From divide_ints(Curve *c, From a, From b) {
    From r = curve_unary(c, TSP_OP_RSQRT, TSP_F32, b);
    a = curve_with(c, TSP_OP_ADD, TSP_F32, a, 0.5);
    return binary(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, a, r), r);
}

static From float_div(Curve *c) {
    From a = curve_single(c, 0), b = curve_single(c, 1), y;
    From sign = unit_of(c, binary(c, TSP_OP_XOR, a, b));
    a = curve_unary(c, TSP_OP_ABS, TSP_F32, a);
    b = curve_unary(c, TSP_OP_ABS, TSP_F32, b);
    y = c->type == TSP_F32   ? divide(c, a, b)
        : c->type == TSP_F16 ? divide_halfs(c, a, b)
                             : divide_ints(c, a, b);
    return curve_result(c, binary(c, TSP_OP_MUL, y, sign));
}

From curve_div(Curve *c) {
    return c->type == TSP_I32 ? curve_whole_div(c) : float_div(c);
}

/* 1 / b as above, for positive floats; the first quotient overflows only where the result does. */
static From invert(Curve *c, From b) {
    From r = curve_unary(c, TSP_OP_RSQRT, TSP_F32, b), q = binary(c, TSP_OP_MUL, r, r), rest;
    From upper = curve_bits(c, TSP_OP_AND, q, UPPER), high, low;
    high = curve_bits(c, TSP_OP_AND, b, UPPER);
    low = binary(c, TSP_OP_SUB, b, high);
    rest = curve_of(c, TSP_OP_SUB, TSP_F32, 1, binary(c, TSP_OP_MUL, upper, high));
    rest = binary(c, TSP_OP_SUB, rest, binary(c, TSP_OP_MUL, upper, low));
    rest = trusted(c, binary(c, TSP_OP_MUL, rest, q), upper);
    return binary(c, TSP_OP_ADD, upper, rest);
}

From curve_inverse(Curve *c, From b) {
    From sign = unit_of(c, b), y = invert(c, curve_unary(c, TSP_OP_ABS, TSP_F32, b));
    return binary(c, TSP_OP_MUL, y, sign);
}

From curve_reciprocal(Curve *c) {
    return curve_result(c, curve_inverse(c, curve_single(c, 0)));
}

/* x / (1 + |x|): the divisor is in [1, 2^128], so nothing overflows on the way. */
From curve_softsign(Curve *c) {
    From x = curve_single(c, 0);
    From b = curve_with(c, TSP_OP_ADD, TSP_F32, curve_unary(c, TSP_OP_ABS, TSP_F32, x), 1);
    From r = curve_unary(c, TSP_OP_RSQRT, TSP_F32, b);
    return curve_result(c, binary(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, x, r), r));
}

/* Of integers of at most 16 bits. What remains has the sign of a; without fmod that of b: then b is
 * added where they differ. */
static From short_mod(Curve *c) {
    From a = curve_single(c, 0), b = curve_single(c, 1), q, rest, other;
    From above = curve_unary(c, TSP_OP_ABS, TSP_F32, a),
         below = curve_unary(c, TSP_OP_ABS, TSP_F32, b);
    q = curve_convert(c, TSP_F32, TSP_I32, divide_ints(c, above, below));
    q = curve_convert(c, TSP_I32, TSP_F32, q);
    rest = binary(c, TSP_OP_SUB, above, binary(c, TSP_OP_MUL, q, below));
    rest = binary(c, TSP_OP_MUL, rest, unit_of(c, a));
    if (c->node->fmod) return curve_result(c, rest);
    other = curve_with(c, TSP_OP_LT, TSP_F32, binary(c, TSP_OP_MUL, rest, b), 0);
    return curve_result(c, binary(c, TSP_OP_ADD, rest, binary(c, TSP_OP_MASK, b, other)));
}

From curve_mod(Curve *c) {
    if (c->type == TSP_F16 || c->type == TSP_F32) return curve_remainder(c);
    return c->type == TSP_I32 ? curve_whole_mod(c) : short_mod(c);
}
