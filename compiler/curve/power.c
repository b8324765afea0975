/* power.c - Pow: known whole exponents by multiplication, others as e^(y ln x).
 */
#include "curve.h"

#include <math.h>

static From binary(Curve *c, TspOpcode op, From a, From b) {
    return curve_binary(c, op, TSP_F32, a, b);
}

static From with(Curve *c, TspOpcode op, From a, double number) {
    return curve_with(c, op, TSP_F32, a, number);
}

/* x^n for n >= 1, the square of the square first. */
static From whole_power(Curve *c, From x, int32_t n) {
    From y = from_none();
    for (; n; n >>= 1) {
        if (n & 1) y = y.kind == FROM_NONE ? x : binary(c, TSP_OP_MUL, y, x);
        if (n > 1) x = binary(c, TSP_OP_MUL, x, x);
    }
    return y;
}

static From one_for(Curve *c, From x) {
    return curve_bits(c, TSP_OP_OR, curve_bits(c, TSP_OP_AND, x, 0), 0x3f800000);
}

/* The sign of x where `odd` is not 0. */
static From signed_power(Curve *c, From y, From x, From odd) {
    From sign = curve_bits(c, TSP_OP_AND, x, 0x80000000);
    if (odd.kind != FROM_NONE) sign = binary(c, TSP_OP_MASK, sign, odd);
    return binary(c, TSP_OP_OR, y, sign);
}

static From known_power(Curve *c, From x, double n) {
    enum { MOST_FACTORS = 8 };
    const bool whole = n == floor(n);
    From y;
    if (n == 0) return one_for(c, x);
    if (n == -0.5) return curve_unary(c, TSP_OP_RSQRT, TSP_F32, with(c, TSP_OP_ADD, x, 0));
    if (n == 0.5) { /* as Sqrt */
        x = curve_unary(c, TSP_OP_RSQRT, TSP_F32, with(c, TSP_OP_ADD, x, 0));
        x = curve_unary(c, TSP_OP_RSQRT, TSP_F32, x);
        return binary(c, TSP_OP_MUL, x, x);
    }
    if (whole && fabs(n) <= MOST_FACTORS)
        return whole_power(c, n < 0 ? curve_inverse(c, x) : x, (int32_t)fabs(n));
    y = curve_logarithm(c, whole ? curve_unary(c, TSP_OP_ABS, TSP_F32, x) : x);
    y = curve_unary(c, TSP_OP_EXP, TSP_F32, with(c, TSP_OP_MUL, y, n));
    return whole && fmod(n, 2) != 0 ? signed_power(c, y, x, from_none()) : y;
}

/* 1 where the number is whole, as infinities are, else 0. */
static From is_whole(Curve *c, From y) {
    From size = curve_unary(c, TSP_OP_ABS, TSP_F32, y), rounded;
    From big = with(c, TSP_OP_MUL, with(c, TSP_OP_LT, size, 0x1p23), 0x1p23);
    rounded = binary(c, TSP_OP_SUB, binary(c, TSP_OP_ADD, size, big), big);
    return binary(c, TSP_OP_EQ, rounded, size);
}

/* y ln |x| with 0 where the power is 1 whatever the other is: no NaN of 0 and infinity. An x
 * below 0 has no power that is not whole. */
static From any_power(Curve *c, From x, From y) {
    From size = curve_unary(c, TSP_OP_ABS, TSP_F32, x), power, odd, whole, none;
    power = binary(c, TSP_OP_MUL, curve_logarithm(c, size), y);
    power = binary(c, TSP_OP_MASK, power, with(c, TSP_OP_NE, y, 0));
    power = binary(c, TSP_OP_MASK, power, with(c, TSP_OP_NE, size, 1));
    power = curve_unary(c, TSP_OP_EXP, TSP_F32, power);
    whole = is_whole(c, y);
    odd = binary(c, TSP_OP_GT, whole, is_whole(c, with(c, TSP_OP_MUL, y, 0.5)));
    none = binary(c, TSP_OP_GT, with(c, TSP_OP_LT, x, 0), whole);
    none = with(c, TSP_OP_ADD, with(c, TSP_OP_MUL, none, -2), 1); /* 1, or -1 */
    power = signed_power(c, power, x, odd);
    return binary(c, TSP_OP_MUL, power, curve_unary(c, TSP_OP_RSQRT, TSP_F32, none));
}

/* The same of a whole y, as `exponent`, which float32 may not have to the last digit. */
static From power_by_whole(Curve *c, From x, From exponent) {
    From size = curve_unary(c, TSP_OP_ABS, TSP_F32, x), y, power;
    From odd = curve_with(c, TSP_OP_AND, TSP_I32, exponent, 1);
    y = curve_convert(c, TSP_I32, TSP_F32, exponent);
    power = binary(c, TSP_OP_MUL, curve_logarithm(c, size), y);
    power = binary(c, TSP_OP_MASK, power, with(c, TSP_OP_NE, y, 0));
    power = binary(c, TSP_OP_MASK, power, with(c, TSP_OP_NE, size, 1));
    power = curve_unary(c, TSP_OP_EXP, TSP_F32, power);
    return signed_power(c, power, x, curve_convert(c, TSP_I32, TSP_F32, odd));
}

From curve_pow(Curve *c) {
    From x;
    if (c->type == TSP_I32) return curve_whole_pow(c);
    x = curve_single(c, 0);
    if (c->node->input_count == 1) return curve_result(c, known_power(c, x, c->node->alpha));
    if (c->graph->values[c->node->inputs[1]].dtype == TSP_I32)
        return curve_result(c, power_by_whole(c, x, c->in[1]));
    return curve_result(c, any_power(c, x, curve_single(c, 1)));
}
