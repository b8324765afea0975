/* whole_power.c - Pow of int32 by whole exponents, modulo 2^32.
 *
 * Nine bits of the exponent are taken one after the other. What is left of it, m, is that of
 * x^512 = 1 + w, where for odd x w is a multiple of 2^11 and all of w^3 is beyond 2^32: the power
 * is 1 + m w + m (m - 1) / 2 w^2. For even x it is 0 but for m = 0.
 */
#include "curve.h"

#include <math.h>

enum { BITS = 9 };

static From whole(Curve *c, TspOpcode op, From a, From b) {
    return curve_binary(c, op, TSP_I32, a, b);
}

static From by_number(Curve *c, TspOpcode op, From a, double number) {
    return curve_with(c, op, TSP_I32, a, number);
}

/* y times z where the bit of the exponent is set: y + y (z - 1). */
static From times_if(Curve *c, From y, From z, From exponent, int bit) {
    From less = by_number(c, TSP_OP_SUB, z, 1), set = by_number(c, TSP_OP_AND, exponent, 1 << bit);
    less = whole(c, TSP_OP_MASK, less, set);
    return whole(c, TSP_OP_ADD, y, whole(c, TSP_OP_MUL, y, less));
}

/* z^m of z = x^512. */
static From high_power(Curve *c, From x, From z, From m) {
    From w = by_number(c, TSP_OP_SUB, z, 1), y = by_number(c, TSP_OP_SUB, m, 1), counts;
    y = by_number(c, TSP_OP_SHR, whole(c, TSP_OP_MUL, m, y), 1);
    y = whole(c, TSP_OP_ADD, whole(c, TSP_OP_MUL, y, w), m);
    y = by_number(c, TSP_OP_ADD, whole(c, TSP_OP_MUL, y, w), 1);
    counts = by_number(c, TSP_OP_AND, x, 1);
    counts = whole(c, TSP_OP_OR, counts, by_number(c, TSP_OP_EQ, m, 0));
    return whole(c, TSP_OP_MASK, y, counts);
}

/* Powers by exponents below 0: of 1 and -1 they are right, of 0 the greatest number, else 0. */
static From with_inverses(Curve *c, From y, From x, From exponent) {
    From counts = curve_unary(c, TSP_OP_ABS, TSP_I32, x), below, infinite;
    counts = by_number(c, TSP_OP_EQ, counts, 1);
    counts = whole(c, TSP_OP_OR, counts, by_number(c, TSP_OP_GE, exponent, 0));
    y = whole(c, TSP_OP_MASK, y, counts);
    below = by_number(c, TSP_OP_LT, exponent, 0);
    infinite = whole(c, TSP_OP_AND, below, by_number(c, TSP_OP_EQ, x, 0));
    return whole(c, TSP_OP_ADD, y, by_number(c, TSP_OP_MUL, infinite, INT32_MAX));
}

static From any_power(Curve *c, From x, From exponent) {
    From y = by_number(c, TSP_OP_AND, exponent, 1), z = x;
    y = whole(c, TSP_OP_MASK, by_number(c, TSP_OP_SUB, x, 1), y);
    y = by_number(c, TSP_OP_ADD, y, 1);
    for (int bit = 1; bit < BITS; bit++) {
        z = whole(c, TSP_OP_MUL, z, z);
        y = times_if(c, y, z, exponent, bit);
    }
    z = high_power(c, x, whole(c, TSP_OP_MUL, z, z), by_number(c, TSP_OP_SHR, exponent, BITS));
    return with_inverses(c, whole(c, TSP_OP_MUL, y, z), x, exponent);
}

/* x^n for n >= 1. */
static From known_power(Curve *c, From x, int64_t n) {
    From y = from_none();
    for (; n; n >>= 1) {
        if (n & 1) y = y.kind == FROM_NONE ? x : whole(c, TSP_OP_MUL, y, x);
        if (n > 1) x = whole(c, TSP_OP_MUL, x, x);
    }
    return y;
}

/* x^n for n < 0. */
static From known_inverse(Curve *c, From x, bool odd) {
    From y = curve_unary(c, TSP_OP_ABS, TSP_I32, x), infinite;
    y = by_number(c, TSP_OP_EQ, y, 1);
    if (odd) y = whole(c, TSP_OP_MUL, y, x);
    infinite = by_number(c, TSP_OP_EQ, x, 0);
    return whole(c, TSP_OP_ADD, y, by_number(c, TSP_OP_MUL, infinite, INT32_MAX));
}

From curve_whole_pow(Curve *c) {
    const int64_t n = (int64_t)c->node->alpha;
    From x = c->in[0], none;
    if (c->node->input_count == 2) return any_power(c, x, c->in[1]);
    if (n < 0) return known_inverse(c, x, n & 1);
    if (n > 0) return known_power(c, x, n);
    none = by_number(c, TSP_OP_AND, x, 0);
    return by_number(c, TSP_OP_OR, none, 1);
}
