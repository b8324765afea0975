/* gemm_exact.c - the exact dot product of halfs, rounded once: the slow, sure way.
 *
 * A product of two finite halfs is a multiple of 2^-48 below 2^32, so the sum of up to 2^30 of them
 * fits a 128-bit fixed-point number with 48 bits after the point.
 */
#include "gemm.h"

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

/* A finite half as mantissa * 2^(shift - 24), sign included. */
static int64_t fixed_half(uint16_t half) {
    int64_t exponent = half >> 10 & 31, mantissa = half & 0x3ff;
    int64_t value = exponent ? (mantissa | 0x400) << (exponent - 1) : mantissa;
    return half & 0x8000 ? -value : value;
}

/* sum * 2^-48 rounded to nearest, ties to even; no result is subnormal or beyond fp32. */
static uint32_t round_fixed(Int128 sum) {
    uint32_t sign = sum < 0 ? 0x80000000u : 0;
    UInt128 magnitude = sum < 0 ? -(UInt128)sum : (UInt128)sum;
    uint64_t high = (uint64_t)(magnitude >> 64), low = (uint64_t)magnitude;
    int top = high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll(low);
    uint32_t exponent = (uint32_t)(top - 48 + 127), mantissa;
    if (top <= 23) {
        mantissa = (uint32_t)low << (23 - top);
    } else {
        int drop = top - 23;
        UInt128 rest = magnitude & (((UInt128)1 << drop) - 1), tie = (UInt128)1 << (drop - 1);
        mantissa = (uint32_t)(magnitude >> drop);
        mantissa += rest > tie || (rest == tie && (mantissa & 1u));
    }
    /* a mantissa rounded up to 2^24 carries into the exponent by the addition */
    return sign | ((exponent << 23) + (mantissa - 0x800000u));
}

uint32_t tsp_dot_fp16_exact(const uint16_t *a, const uint16_t *b, int32_t n) {
    Int128 sum = 0;
    bool plus = false, minus = false, all_negative_zero = n > 0;
    for (int32_t i = 0; i < n; i++) {
        bool special_a = (a[i] & 0x7c00) == 0x7c00, special_b = (b[i] & 0x7c00) == 0x7c00;
        bool negative = ((a[i] ^ b[i]) & 0x8000) != 0;
        bool zero = !(a[i] & 0x7fff) || !(b[i] & 0x7fff);
        all_negative_zero &= zero && negative;
        if (special_a || special_b) {
            bool nan = (special_a && (a[i] & 0x3ff)) || (special_b && (b[i] & 0x3ff));
            if (nan || zero) return 0x7fc00000u;
            *(negative ? &minus : &plus) = true;
            continue;
        }
        sum += (Int128)fixed_half(a[i]) * fixed_half(b[i]);
    }
    if (plus && minus) return 0x7fc00000u;
    if (plus || minus) return minus ? 0xff800000u : 0x7f800000u;
    if (sum == 0) return all_negative_zero ? 0x80000000u : 0;
    return round_fixed(sum);
}
