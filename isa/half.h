/* half.h - IEEE 754 binary16 <-> binary32, in integer arithmetic: the same bits on every host.
 */
#ifndef TSP_HALF_H
#define TSP_HALF_H
#include <stdint.h>
#include <string.h>

static inline uint32_t tsp_f32_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float tsp_f32_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Exact; any NaN becomes the canonical 0x7fc00000. */
static inline uint32_t tsp_half_to_f32_bits(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = (half >> 10) & 31u,
             mantissa = half & 0x3ffu;
    if (exponent == 31) return mantissa ? 0x7fc00000u : sign | 0x7f800000u;
    if (exponent == 0) {
        if (mantissa == 0) return sign;
        exponent = 1;
        while (!(mantissa & 0x400u)) mantissa <<= 1, exponent--;
        mantissa &= 0x3ffu;
    }
    return sign | ((exponent + 112u) << 23) | (mantissa << 13);
}

/* Rounds to nearest, ties to even; subnormals kept; NaN becomes the canonical 0x7e00. */
static inline uint16_t tsp_half_from_f32_bits(uint32_t bits) {
    uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return 0x7e00u;
    if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* rounds to 2^16 or more */
    if (magnitude < 0x38800000u) { /* below the least normal half: a multiple of 2^-24 */
        uint32_t shift = 126u - (magnitude >> 23), mantissa, kept, rest, tie;
        if (shift > 24) return (uint16_t)sign;
        mantissa = (magnitude & 0x7fffffu) | 0x800000u;
        kept = mantissa >> shift;
        rest = mantissa & ((1u << shift) - 1u);
        tie = 1u << (shift - 1);
        return (uint16_t)(sign | (kept + (rest > tie || (rest == tie && (kept & 1u)))));
    }
    magnitude += 0xfffu + ((magnitude >> 13) & 1u);
    return (uint16_t)(sign | ((magnitude - 0x38000000u) >> 13));
}

static inline float tsp_half_to_float(uint16_t half) {
    return tsp_f32_from_bits(tsp_half_to_f32_bits(half));
}
static inline uint16_t tsp_half_from_float(float value) {
    return tsp_half_from_f32_bits(tsp_f32_bits(value));
}

#endif
