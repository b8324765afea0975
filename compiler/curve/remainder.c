/* remainder.c - Mod of floats, exactly, with the sign of the dividend.
 *
 * Digits of the quotient are found from the highest on, some twelve at a time: as few as make their
 * product with the divisor, or with each half of its digits, exact. So is then what it leaves,
 * which is no longer than the divisor. Digits are rounded to nearest: the rest may be below zero,
 * and is in the end brought above.
 */
#include "curve.h"

static const uint32_t SIGN = 0x80000000u, MANTISSA = 0x007fffffu, EXPONENT = 0x7f800000u,
                      UPPER = 0xfffff000u, ONE = 0x3f800000u;

static From binary(Curve *c, TspOpcode op, From a, From b) {
    return curve_binary(c, op, TSP_F32, a, b);
}

static From with(Curve *c, TspOpcode op, From a, double number) {
    return curve_with(c, op, TSP_F32, a, number);
}

static From size(Curve *c, int32_t input) {
    return curve_unary(c, TSP_OP_ABS, TSP_F32, curve_single(c, input));
}

/* A divisor, the higher and lower half of its digits (none for halfs), and its inverse, about. */
typedef struct {
    From whole, high, low, inverse;
} Divisor;

/* What the digits of a / b from 2^power on leave of a. */
static From less_digits(Curve *c, From a, const Divisor *b, double power) {
    From q = binary(c, TSP_OP_MUL, a, with(c, TSP_OP_MUL, b->inverse, 1 / power));
    q = curve_convert(c, TSP_I32, TSP_F32, curve_round(c, TSP_F32, TSP_I32, q));
    q = with(c, TSP_OP_MUL, q, power);
    a = binary(c, TSP_OP_SUB, a, binary(c, TSP_OP_MUL, q, b->high));
    if (b->low.kind == FROM_NONE) return a;
    return binary(c, TSP_OP_SUB, a, binary(c, TSP_OP_MUL, q, b->low));
}

static From remainder_of(Curve *c, From a, const Divisor *b, const double powers[3]) {
    From below;
    for (int i = 0; i < 3; i++) a = less_digits(c, a, b, powers[i]);
    below = with(c, TSP_OP_LT, a, 0);
    return binary(c, TSP_OP_ADD, a, binary(c, TSP_OP_MASK, b->whole, below));
}

/* Of any halfs, as floats: the quotient is below 2^40. An infinite b is as good as one that is
 * greater than all a; of an infinite a, or by 0, the last product is NaN. */
static From of_halfs(Curve *c, From a, From b) {
    static const double powers[3] = {0x1p26, 0x1p13, 1};
    Divisor d = {.low = from_none()};
    From root, none;
    d.whole = d.high = with(c, TSP_OP_MIN, b, 0x1p17);
    root = curve_unary(c, TSP_OP_RSQRT, TSP_F32, d.whole);
    d.inverse = binary(c, TSP_OP_MUL, root, root);
    none = with(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, a, root), 0);
    return binary(c, TSP_OP_ADD, remainder_of(c, a, &d, powers), none);
}

/* Both are taken times the same power of four, that brings b to (1/4, 1], and the rest back. A b
 * of 0, and of quotients from 2^36 on, makes all of it NaN; an a below b is the rest itself. */
static From of_floats(Curve *c, From a, From b) {
    static const double powers[3] = {0x1p24, 0x1p12, 1};
    Divisor d;
    From root, scale, back, digits, rest, less;
    b = binary(c, TSP_OP_MASK, b, binary(c, TSP_OP_LT, a, with(c, TSP_OP_MUL, b, 0x1p36)));
    root = curve_unary(c, TSP_OP_RSQRT, TSP_F32, b);
    scale = curve_bits(c, TSP_OP_AND, root, EXPONENT);
    digits = curve_bits(c, TSP_OP_OR, curve_bits(c, TSP_OP_AND, root, MANTISSA), ONE);
    d.whole = binary(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, b, scale), scale);
    d.high = curve_bits(c, TSP_OP_AND, d.whole, UPPER);
    d.low = binary(c, TSP_OP_SUB, d.whole, d.high);
    d.inverse = binary(c, TSP_OP_MUL, digits, digits);
    rest = binary(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, a, scale), scale);
    rest = remainder_of(c, rest, &d, powers);
    back = curve_of(c, TSP_OP_SUB, TSP_I32, 0x7f000000, scale); /* 1 / scale, its exponent */
    rest = binary(c, TSP_OP_MUL, binary(c, TSP_OP_MUL, rest, back), back);
    less = binary(c, TSP_OP_LT, a, b);
    rest = binary(c, TSP_OP_MASK, rest, with(c, TSP_OP_EQ, less, 0));
    return binary(c, TSP_OP_OR, rest, binary(c, TSP_OP_MASK, a, less));
}

From curve_remainder(Curve *c) {
    const From sign = curve_bits(c, TSP_OP_AND, curve_single(c, 0), SIGN);
    const From a = size(c, 0), b = size(c, 1);
    const From y = c->type == TSP_F16 ? of_halfs(c, a, b) : of_floats(c, a, b);
    return curve_result(c, binary(c, TSP_OP_OR, y, sign));
}
