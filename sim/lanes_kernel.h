/* lanes_kernel.h - floats in registers and loops over lanes, shared by the VXM's arithmetic.
 *
 * To be included first: it says how the compiler is to treat everything after it.
 */
#ifndef TSP_LANES_KERNEL_H
#define TSP_LANES_KERNEL_H
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
/* gcc leaves loops of unknown length scalar at -O2, and selections between floats scalar as long
 * as it must preserve floating-point exceptions, which nobody here reads. */
#pragma GCC optimize("O3", "no-trapping-math")
#endif
#include "isa/half.h"

#include <float.h>
#include <stdbool.h>

_Static_assert(FLT_EVAL_METHOD == 0, "float arithmetic must round to float at every operation");

/* Lane i of the result depends on lane i of the operands alone, even where out is a or b. */
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

typedef void Kernel(const uint32_t *a, const uint32_t *b, uint32_t *out, int32_t n);

/* lanes_curves.c: b is ignored, out may be a. */
Kernel tsp_lanes_tanh_f16, tsp_lanes_tanh_f32;
Kernel tsp_lanes_exp_f16, tsp_lanes_exp_f32;
Kernel tsp_lanes_rsqrt_f16, tsp_lanes_rsqrt_f32;

/* -- floats: value_T reads a register, bits_T rounds into one -- */

#define SIGN_f16 0x8000u
#define SIGN_f32 0x80000000u
#define INF_f16  0x7c00
#define INF_f32  0x7f800000
#define NAN_f16  0x7e00u
#define NAN_f32  0x7fc00000u
#define ONE_f16  0x3c00u
#define ONE_f32  0x3f800000u

/* Without the sign; signed, since that is what vector units compare. */
static inline int32_t magnitude_f16(uint32_t x) {
    return (int32_t)(x & ~SIGN_f16);
}
static inline int32_t magnitude_f32(uint32_t x) {
    return (int32_t)(x & ~SIGN_f32);
}
static inline bool nan_f16(uint32_t x) {
    return magnitude_f16(x) > INF_f16;
}
static inline bool nan_f32(uint32_t x) {
    return magnitude_f32(x) > INF_f32;
}

static inline float value_f32(uint32_t x) {
    return tsp_f32_from_bits(x);
}
static inline uint32_t bits_f32(float v) {
    uint32_t bits = tsp_f32_bits(v);
    return nan_f32(bits) ? NAN_f32 : bits;
}

/* half.h without its branches and loop; a subnormal half is a small integer times 2^-24. */
static inline float value_f16(uint32_t x) {
    int32_t magnitude = magnitude_f16(x), bits = (magnitude << 13) + (112 << 23);
    int32_t subnormal = (int32_t)tsp_f32_bits((float)magnitude * 0x1p-24f);
    bits = magnitude >= INF_f16 ? magnitude << 13 | INF_f32 : bits;
    bits = magnitude < 0x400 ? subnormal : bits;
    return tsp_f32_from_bits((uint32_t)bits | (x & SIGN_f16) << 16);
}
/* A float at 0.5 has the step of the subnormal halfs, 2^-24: the sum does their rounding. */
static inline uint32_t bits_f16(float v) {
    uint32_t bits = tsp_f32_bits(v), half;
    int32_t magnitude = magnitude_f32(bits);
    uint32_t subnormal = tsp_f32_bits(tsp_f32_from_bits(bits & ~SIGN_f32) + 0.5f) - 0x3f000000u;
    half = ((bits & ~SIGN_f32) + 0xfffu + (bits >> 13 & 1u) - (112u << 23)) >> 13;
    half = magnitude < 0x38800000 ? subnormal : half;
    half = magnitude >= 0x477ff000 ? INF_f16 : half; /* rounds to 2^16 or more */
    half |= bits >> 16 & SIGN_f16;
    return magnitude > INF_f32 ? NAN_f16 : half;
}

#endif
