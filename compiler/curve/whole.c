/* whole.c - Div and Mod of int32, exactly.
 *
 * All is done with -|a| and -|b|, which int32 has for every operand. A first quotient in float32 is
 * off by less than 2^-21 of itself, so what it leaves, taken modulo 2^32, is more than -|b| - 2^10
 * and at most 2^10. A second quotient, of that, is off by less than 2^-11 and rounded to nearest,
 * so that what it leaves is hardly more than half of |b| on either side of 0.
 */
#include "curve.h"

#include <math.h>

static From whole(Curve *c, TspOpcode op, From a, From b) {
    return curve_binary(c, op, TSP_I32, a, b);
}

static From by_number(Curve *c, TspOpcode op, From a, double number) {
    return curve_with(c, op, TSP_I32, a, number);
}

static From negative(Curve *c, From a) {
    return curve_unary(c, TSP_OP_NEG, TSP_I32, curve_unary(c, TSP_OP_ABS, TSP_I32, a));
}

/* |a| as float32. */
static From magnitude(Curve *c, From a) {
    return curve_unary(c, TSP_OP_ABS, TSP_F32, curve_convert(c, TSP_I32, TSP_F32, a));
}

/* The divisor: known to be `number`, or input b with 1 / square root of its magnitude. */
typedef struct {
    bool known;
    double number;
    From b, negative, root;
} Divisor;

static Divisor divisor(Curve *c) {
    Divisor d = {.known = c->node->input_count == 1, .number = c->node->alpha};
    if (d.known) return d;
    d.b = c->in[1];
    d.negative = negative(c, d.b);
    d.root = curve_unary(c, TSP_OP_RSQRT, TSP_F32, magnitude(c, d.b));
    return d;
}

/* A float32 divided by |b|, about. */
static From over(Curve *c, From a, const Divisor *d) {
    if (d->known) return curve_with(c, TSP_OP_MUL, TSP_F32, a, 1 / fabs(d->number));
    a = curve_binary(c, TSP_OP_MUL, TSP_F32, a, d->root);
    return curve_binary(c, TSP_OP_MUL, TSP_F32, a, d->root);
}

/* a times -|b|. */
static From times(Curve *c, From a, const Divisor *d) {
    return d->known ? by_number(c, TSP_OP_MUL, a, -fabs(d->number))
                    : whole(c, TSP_OP_MUL, a, d->negative);
}

/* What two quotients leave of -|a|, and minus their sum. A quarter for 0 makes its quotient by 0
 * infinite as well. */
static From divide(Curve *c, From a, const Divisor *d, From *quotient) {
    From first, second, rest;
    first = curve_with(c, TSP_OP_MAX, TSP_F32, magnitude(c, a), 0.25);
    first = curve_convert(c, TSP_F32, TSP_I32, over(c, first, d));
    rest = times(c, first, d);
    rest = whole(c, TSP_OP_SUB, negative(c, a), rest);
    second = over(c, curve_convert(c, TSP_I32, TSP_F32, rest), d);
    second = curve_round(c, TSP_F32, TSP_I32, second);
    if (quotient) *quotient = whole(c, TSP_OP_SUB_SAT, second, first);
    return whole(c, TSP_OP_ADD, rest, times(c, second, d));
}

/* -|a / b|; by 0 the least there is. */
static From negative_quotient(Curve *c, From a, const Divisor *d) {
    From quotient, rest = divide(c, a, d, &quotient);
    return whole(c, TSP_OP_ADD, quotient, by_number(c, TSP_OP_GT, rest, 0));
}

/* -(|a| mod |b|); by 0 that is -|a|. */
static From negative_rest(Curve *c, From a, const Divisor *d) {
    From rest = divide(c, a, d, NULL);
    return whole(c, TSP_OP_ADD, rest, times(c, by_number(c, TSP_OP_GT, rest, 0), d));
}

/* -1 where the bits have no sign, else 0. */
static From none_if_signed(Curve *c, From signs) {
    return by_number(c, TSP_OP_SHR, curve_unary(c, TSP_OP_NOT, TSP_I32, signs), 31);
}

/* Where `minus` is -1 what is negative is turned, saturating. */
static From turned(Curve *c, From negative, From minus) {
    return whole(c, TSP_OP_SUB_SAT, whole(c, TSP_OP_XOR, negative, minus), minus);
}

/* ---- by powers of two ---- */

/* The exponent; -1: the divisor is no power of two, or not known. */
static int power_of(const Divisor *d) {
    int exponent;
    return d->known && fabs(frexp(d->number, &exponent)) == 0.5 ? exponent - 1 : -1;
}

/* What makes a shift of a negative number round towards zero. */
static From bias(Curve *c, From a, double mask) {
    return by_number(c, TSP_OP_AND, by_number(c, TSP_OP_SHR, a, 31), mask);
}

static From shifted(Curve *c, From a, const Divisor *d) {
    const double mask = fabs(d->number) - 1;
    a = by_number(c, TSP_OP_SHR, whole(c, TSP_OP_ADD, a, bias(c, a, mask)), power_of(d));
    return d->number > 0 ? a : curve_of(c, TSP_OP_SUB_SAT, TSP_I32, 0, a);
}

static From masked(Curve *c, From a, const Divisor *d) {
    const double mask = fabs(d->number) - 1;
    From low;
    if (c->node->fmod) {
        From up = bias(c, a, mask);
        a = by_number(c, TSP_OP_AND, whole(c, TSP_OP_ADD, a, up), mask);
        return whole(c, TSP_OP_SUB, a, up);
    }
    if (d->number > 0) return by_number(c, TSP_OP_AND, a, mask);
    low = by_number(c, TSP_OP_AND, curve_unary(c, TSP_OP_NEG, TSP_I32, a), mask);
    return curve_unary(c, TSP_OP_NEG, TSP_I32, low);
}

/* ---- the curves ---- */

From curve_whole_div(Curve *c) {
    const From a = c->in[0];
    const Divisor d = divisor(c);
    From y, minus;
    if (power_of(&d) >= 0) return shifted(c, a, &d);
    y = negative_quotient(c, a, &d);
    if (!d.known)
        minus = none_if_signed(c, whole(c, TSP_OP_XOR, a, d.b));
    else if (d.number < 0)
        minus = by_number(c, TSP_OP_SHR, a, 31);
    else
        minus = none_if_signed(c, a);
    return turned(c, y, minus);
}

/* With the sign of a; without fmod b is added where that is not b's. */
From curve_whole_mod(Curve *c) {
    const From a = c->in[0];
    const Divisor d = divisor(c);
    From rest, apart, b;
    if (power_of(&d) >= 0) return masked(c, a, &d);
    rest = negative_rest(c, a, &d);
    rest = turned(c, rest, none_if_signed(c, a));
    if (c->node->fmod) return rest;
    if (d.known) {
        apart = by_number(c, d.number < 0 ? TSP_OP_GT : TSP_OP_LT, rest, 0);
        return whole(c, TSP_OP_ADD, rest, by_number(c, TSP_OP_MUL, apart, d.number));
    }
    apart = by_number(c, TSP_OP_LT, whole(c, TSP_OP_XOR, rest, d.b), 0);
    b = whole(c, TSP_OP_MASK, whole(c, TSP_OP_MASK, d.b, rest), apart);
    return whole(c, TSP_OP_ADD, rest, b);
}
