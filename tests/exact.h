/* exact.h - floats as exact numbers: sign, 128-bit integer and power of two, rounded in one place.
 */
#ifndef TSP_TESTS_EXACT_H
#define TSP_TESTS_EXACT_H
#include "isa/isa.h"

#include "suite.h"
#include <math.h>

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 Magnitude;

typedef enum { FINITE, INFINITE, NOT_A_NUMBER } Class;
typedef struct { /* (-1)^negative * mantissa * 2^exponent */
    Class class;
    bool negative;
    Magnitude mantissa;
    int exponent;
} Exact;

typedef struct {
    int digits, least, greatest, bits;
} Format; /* exponents of the last digit */
static const Format format[] = {[TSP_F16] = {11, -24, 5, 16}, [TSP_F32] = {24, -149, 104, 32}};

static inline Exact exact(TspDtype type, uint32_t bits) {
    const Format *f = &format[type];
    uint32_t hidden = 1u << (f->digits - 1), field = bits >> (f->digits - 1);
    uint32_t exponents = (1u << (f->bits - f->digits)) - 1;
    Exact x = {FINITE, bits >> (f->bits - 1), bits & (hidden - 1), f->least};
    field &= exponents;
    if (field == exponents) x.class = x.mantissa ? NOT_A_NUMBER : INFINITE;
    if (field == 0) return x;
    x.mantissa += hidden;
    x.exponent += (int)field - 1;
    return x;
}

static inline uint32_t rounded(TspDtype type, Exact x) {
    const Format *f = &format[type];
    uint32_t sign = (uint32_t)x.negative << (f->bits - 1), hidden = 1u << (f->digits - 1);
    uint32_t infinity = ((1u << (f->bits - f->digits)) - 1) << (f->digits - 1);
    int length = 0, drop;
    if (x.class == NOT_A_NUMBER) return infinity | hidden >> 1;
    if (x.class == INFINITE) return sign | infinity;
    if (x.mantissa >> 64)
        length = 128 - __builtin_clzll((uint64_t)(x.mantissa >> 64));
    else if (x.mantissa)
        length = 64 - __builtin_clzll((uint64_t)x.mantissa);
    drop = length - f->digits;
    if (x.exponent + drop < f->least) drop = f->least - x.exponent;
    if (drop > length + 1) return sign;
    if (drop > 0) {
        Magnitude unit = (Magnitude)1 << drop, rest = x.mantissa & (unit - 1);
        x.mantissa >>= drop;
        if (rest > unit / 2 || (rest == unit / 2 && x.mantissa % 2 == 1)) x.mantissa++;
    } else {
        x.mantissa <<= -drop;
    }
    x.exponent += drop;
    if (x.mantissa == 2 * (Magnitude)hidden) x.mantissa /= 2, x.exponent++;
    if (x.mantissa < hidden) return sign | (uint32_t)x.mantissa;
    if (x.exponent > f->greatest) return sign | infinity;
    return sign | ((uint32_t)(x.exponent - f->least + 1) << (f->digits - 1)) |
           ((uint32_t)x.mantissa - hidden);
}

/* Any half or float, exactly. */
static inline long double real(Exact a) {
    long double magnitude =
        a.class == INFINITE ? HUGE_VALL : ldexpl((long double)(uint64_t)a.mantissa, a.exponent);
    return a.negative ? -magnitude : magnitude;
}

#endif
