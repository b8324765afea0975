/* curves_oracle.h - tanh, exp and 1/sqrt, correctly rounded, by their inverse functions.
 *
 * The host's double function nominates. Integers decide: whether a result has to be larger is
 * whether the value lies above the boundary m between it and the next, and
 *     e^x > m        where x > ln m
 *     tanh x > m     where x > ln((1 + m) / (1 - m)) / 2
 *     1/sqrt(x) > m  where x m^2 < 1
 * the last in exact integers, the logarithms by a series with 110 binary digits after the point.
 * These are off by less than 2^-94 (150 ln 2, each of 35 terms and a few units); whatever is
 * nearer to a boundary than 2^-90 ends the test as undecided, and nothing ever did. No value is
 * on a boundary: e^x and tanh x are irrational at every rational x but 0, and a boundary is an odd
 * number of more than one digit, which squared divides no power of two.
 * Halfs are always decided so. Floats are where the nominee, 2^-45 down and up, rounds to two
 * different results: a host's function is good to 2^-51.
 */
#ifndef TSP_TESTS_CURVES_ORACLE_H
#define TSP_TESTS_CURVES_ORACLE_H
#include "exact.h"

enum { POINT = 110, PART = POINT / 2 };

/* Fixed point, both below 2. */
static inline Magnitude times(Magnitude a, Magnitude b) {
    const Magnitude low = ((Magnitude)1 << PART) - 1;
    return (a >> PART) * (b >> PART) + ((a >> PART) * (b & low) >> PART) +
           ((a & low) * (b >> PART) >> PART);
}

/* p / q for p < q < 2^64, in fixed point. */
static inline Magnitude ratio(Magnitude p, Magnitude q) {
    Magnitude r = (p << PART) / q;
    return r << PART | ((p << PART) % q << PART) / q;
}

/* ln(p / q) for p and q less than a factor of two apart: 2 artanh((p - q) / (p + q)). */
static inline Wide log_near(Magnitude p, Magnitude q) {
    Magnitude s = ratio(p > q ? p - q : q - p, p + q), square = times(s, s), sum = 0;
    for (unsigned n = 1; s > 0; n += 2) {
        sum += s / n;
        s = times(s, square);
    }
    return p > q ? (Wide)(2 * sum) : -(Wide)(2 * sum);
}

/* ln(p / q * 2^power) for p and q below 2^61. */
static inline Wide log_ratio(Magnitude p, Magnitude q, int power) {
    static Wide ln2;
    if (ln2 == 0) ln2 = log_near(2, 1);
    while (p > q) q *= 2, power++;
    while (2 * p < q) p *= 2, power--;
    return log_near(p, q) + power * ln2;
}

static inline bool curve_above(TspOpcode op, Exact x, Exact m) {
    Wide at, bound, apart;
    if (op == TSP_OP_RSQRT) {
        int power = -(x.exponent + 2 * m.exponent);
        ck_assert_int_lt(power, 127);
        return power >= 0 && x.mantissa * m.mantissa * m.mantissa < (Magnitude)1 << power;
    }
    ck_assert_msg(x.exponent >= -POINT && x.exponent <= 5, "no such x near a boundary");
    at = (Wide)(x.mantissa << (POINT + x.exponent));
    if (x.negative) at = -at;
    if (op == TSP_OP_EXP) {
        bound = log_ratio(m.mantissa, 1, m.exponent);
    } else {
        Magnitude one = (Magnitude)1 << -m.exponent;
        ck_assert_int_ge(m.exponent, -60);
        if (m.mantissa >= one) return false;
        bound = log_ratio(one + m.mantissa, one - m.mantissa, 0) / 2;
    }
    apart = at - bound;
    ck_assert_msg((apart < 0 ? -apart : apart) >> (POINT - 90) > 0, "undecided");
    return apart > 0;
}

static inline Exact boundary_above(TspDtype type, uint32_t bits) {
    Exact m = exact(type, bits);
    m.mantissa = 2 * m.mantissa + 1;
    m.exponent--;
    return m;
}

static inline Exact exact_double(double v) {
    int exponent;
    double digits = frexp(v, &exponent);
    return (Exact){FINITE, false, (Magnitude)(uint64_t)ldexp(digits, 53), exponent - 53};
}

/* x finite, not 0, and above 0 but for exp; the result is not negative. */
static inline uint32_t curve(TspOpcode op, TspDtype type, Exact x) {
    const uint32_t infinity = type == TSP_F16 ? 0x7c00 : 0x7f800000;
    const double v = (double)real(x);
    double y = op == TSP_OP_TANH  ? tanh(v)
               : op == TSP_OP_EXP ? exp(fmax(-200, fmin(v, 200)))
                                  : 1 / sqrt(v);
    uint32_t low = rounded(type, exact_double(y * (1 - 0x1p-45)));
    uint32_t high = rounded(type, exact_double(y * (1 + 0x1p-45)));
    if (type == TSP_F32 && low == high) return low;
    while (low < infinity && curve_above(op, x, boundary_above(type, low))) low++;
    while (low > 0 && !curve_above(op, x, boundary_above(type, low - 1))) low--;
    return low;
}

static inline uint32_t expected_curve(TspOpcode op, TspDtype type, uint32_t bits) {
    const uint32_t sign = type == TSP_F16 ? 0x8000 : 0x80000000;
    const Exact none = {.class = NOT_A_NUMBER}, zero = {.class = FINITE};
    const Exact one = {.class = FINITE, .mantissa = 1};
    Exact x = exact(type, bits), limit = {.class = INFINITE, .negative = x.negative};
    if (x.class == NOT_A_NUMBER) return rounded(type, none);
    if (x.class == FINITE && x.mantissa == 0)
        return rounded(type, op == TSP_OP_EXP ? one : op == TSP_OP_TANH ? x : limit);
    if (op == TSP_OP_RSQRT && x.negative) return rounded(type, none);
    if (x.class == INFINITE && op == TSP_OP_RSQRT) return rounded(type, zero);
    if (x.class == INFINITE && op == TSP_OP_EXP) return rounded(type, x.negative ? zero : limit);
    if (x.class == INFINITE) return rounded(type, one) | (x.negative ? sign : 0);
    if (op != TSP_OP_TANH) return curve(op, type, x);
    x.negative = false;
    return curve(op, type, x) | (bits & sign);
}

#endif
