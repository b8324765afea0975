/* lanes_curves.c - the VXM's tanh, exp and 1/sqrt, correctly rounded.
 *
 * Near, then certain: a vector loop in double gives the value to within a margin. Where both ends
 * of the margin round to the same bits those are the result, whatever way the double got there;
 * the few other lanes are done again in 128-bit integers. No host can tell by the bits which way
 * a lane went. docs/numerics.md has the bounds.
 */
#include "lanes_kernel.h"

#include <math.h>

enum { BLOCK = 64 }; /* lanes between two looks for uncertain ones */

/* -- near: in double, relative error below 2^-48 -- */

static inline uint64_t double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline double double_from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* x = k ln 2 + r with the nearest integer k: r, and 2^k. Beside 1.5 * 2^52 a double has no digits
 * after the point, and k in its last ones. The high part of ln 2 has 42 digits: k times it is
 * exact. */
static inline double reduce(double x, double *power) {
    const double shifted = x * 0x1.71547652b82fep+0 + 0x1.8p52, k = shifted - 0x1.8p52;
    *power = double_from_bits((double_bits(shifted) + 1023) << 52);
    return x - k * 0x1.62e42fefa38p-1 - k * 0x1.ef35793c76730p-45;
}

/* e^r - 1 for |r| <= ln(2) / 2 by the Taylor polynomial of degree 12. */
static inline double grow(double r) {
    double sum = 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 1.0 / 2;
    return sum * r * r + r;
}

/* Beyond -110 and 90 float has left for 0 and infinity; NaN passes every comparison by. */
static inline double near_exp(double x) {
    double power, r;
    x = x < -110 ? -110 : x;
    x = x > 90 ? 90 : x;
    r = reduce(x, &power);
    return power + power * grow(r);
}

/* With g = e^2|x| - 1 it is g / (g + 2), which keeps its digits around 0; beyond 10 it is 1. */
static inline double near_tanh(double x) {
    const uint64_t sign = double_bits(x) & UINT64_C(1) << 63;
    double magnitude = double_from_bits(double_bits(x) ^ sign), power, r, g;
    magnitude = magnitude > 10 ? 10 : magnitude;
    r = reduce(2 * magnitude, &power);
    g = power * grow(r) + (power - 1);
    return double_from_bits(double_bits(g / (g + 2)) | sign);
}

/* IEEE 754 defines both to the last bit, and what they make of zeros, infinity, negative x. */
static inline double near_rsqrt(double x) {
    return 1 / sqrt(x);
}

/* -- certain: in integers, relative error below 2^-90, never too large -- */

__extension__ typedef unsigned __int128 Fixed;
enum { FRACTION = 120, TERMS = 30 }; /* ln(2)^30 / 30! is below 2^-120 */
#define FIXED_ONE ((Fixed)1 << FRACTION)
#define FIXED_LN2 ((Fixed)UINT64_C(0x00b17217f7d1cf79) << 64 | UINT64_C(0xabc9e3b39803f2f6))

/* |x| = mantissa * 2^exponent. */
static uint32_t split(float x, int32_t *exponent) {
    const uint32_t bits = tsp_f32_bits(x) & ~SIGN_f32, field = bits >> 23;
    *exponent = field ? (int32_t)field - 150 : -149;
    return field ? (bits & 0x7fffff) | 0x800000 : bits;
}

/* |x| below 128; what lies beyond the fraction is lost. */
static Fixed fixed(float x) {
    int32_t exponent;
    const Fixed mantissa = split(x, &exponent);
    if (exponent + FRACTION < -23) return 0;
    return exponent + FRACTION < 0 ? mantissa >> -(exponent + FRACTION)
                                   : mantissa << (exponent + FRACTION);
}

/* Both below 16: with the four bits to spare the product's upper half is it. */
static Fixed multiply(Fixed a, Fixed b) {
    const uint64_t a_high = (uint64_t)(a >> 60), b_high = (uint64_t)(b >> 60);
    const uint64_t a_low = (uint64_t)(a << 4), b_low = (uint64_t)(b << 4);
    return (Fixed)a_high * b_high + ((Fixed)a_high * b_low >> 64) + ((Fixed)a_low * b_high >> 64);
}

/* a / b for a below b, digit by digit. */
static Fixed divide(Fixed a, Fixed b) {
    Fixed quotient = 0;
    for (int32_t i = 0; i < FRACTION; i++) {
        a <<= 1;
        quotient <<= 1;
        if (a >= b) a -= b, quotient |= 1;
    }
    return quotient;
}

/* e^r for r up to ln 2. */
static Fixed exponential(Fixed r) {
    Fixed sum = FIXED_ONE;
    for (uint32_t n = TERMS; n > 0; n--) sum = FIXED_ONE + multiply(sum, r) / n;
    return sum;
}

/* A value just above mantissa * 2^exponent, cut to `digits` digits of which the last is 1: that
 * lies on its side of whatever has two digits less, and rounds as the value does. The mantissas of
 * the curves are longer than that. */
static double cut(Fixed mantissa, int32_t exponent, int32_t digits) {
    int32_t drop = 0;
    while (mantissa >> (digits + drop)) drop++;
    return (double)(int64_t)((uint64_t)(mantissa >> drop) | 1) *
           double_from_bits((uint64_t)(exponent + drop + 1023) << 52);
}

static double certain_exp(float x, int32_t digits) {
    const Fixed magnitude = fixed(x);
    const int32_t k = (int32_t)(magnitude / FIXED_LN2);
    const Fixed rest = magnitude - (Fixed)k * FIXED_LN2;
    if (x >= 0) return cut(exponential(rest), k - FRACTION, digits);
    return cut(exponential(FIXED_LN2 - rest), -k - 1 - FRACTION, digits);
}

/* With w = e^-2|x| it is (1 - w) / (1 + w); no x so small that 1 - w lost digits comes here. */
static double certain_tanh(float x, int32_t digits) {
    const Fixed magnitude = fixed(2 * x);
    const int32_t k = (int32_t)(magnitude / FIXED_LN2) + 1;
    const Fixed w = exponential((Fixed)k * FIXED_LN2 - magnitude) >> k;
    const double quotient = cut(divide(FIXED_ONE - w, FIXED_ONE + w), -FRACTION, digits);
    return x < 0 ? -quotient : quotient;
}

/* The integer root of 2^126 / mantissa: more than 50 digits, none of them wrong. */
static double certain_rsqrt(float x, int32_t digits) {
    int32_t exponent;
    uint32_t mantissa = split(x, &exponent);
    Fixed square;
    uint64_t root = 0;
    if (exponent % 2 != 0) mantissa *= 2, exponent--;
    square = ((Fixed)1 << 126) / mantissa;
    for (uint64_t digit = UINT64_C(1) << 63; digit > 0; digit >>= 1)
        if ((Fixed)(root | digit) * (root | digit) <= square) root |= digit;
    return cut(root, -63 - exponent / 2, digits);
}

/* -- kernels -- */

/* Of a half the way through float must not round: the margin covers float's rounding of its ends,
 * and 24 digits are a float. */
#define MARGIN_f16 0x1p-22
#define MARGIN_f32 0x1p-46
#define DIGITS_f16 24
#define DIGITS_f32 40

#define CURVE(name, T)                                                                             \
    void tsp_lanes_##name##_##T(const uint32_t *a, const uint32_t *b, uint32_t *out, int32_t n) {  \
        uint32_t low[BLOCK], high[BLOCK];                                                          \
        (void)b;                                                                                   \
        for (int32_t start = 0; start < n; start += BLOCK) {                                       \
            const int32_t lanes = n - start < BLOCK ? n - start : BLOCK;                           \
            const uint32_t *x = a + start;                                                         \
            for (int32_t i = 0; i < lanes; i++) {                                                  \
                const double y = near_##name((double)value_##T(x[i]));                             \
                low[i] = bits_##T((float)(y * (1 - MARGIN_##T)));                                  \
                high[i] = bits_##T((float)(y * (1 + MARGIN_##T)));                                 \
            }                                                                                      \
            for (int32_t i = 0; i < lanes; i++)                                                    \
                out[start + i] =                                                                   \
                    low[i] == high[i]                                                              \
                        ? low[i]                                                                   \
                        : bits_##T((float)certain_##name(value_##T(x[i]), DIGITS_##T));            \
        }                                                                                          \
    }

CURVE(tanh, f16)
CURVE(tanh, f32)
CURVE(exp, f16)
CURVE(exp, f32)
CURVE(rsqrt, f16)
CURVE(rsqrt, f32)
