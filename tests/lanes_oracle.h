/* lanes_oracle.h - what a VXM operation should give, from exact numbers.
 *
 * No float arithmetic: a float is sign, 128-bit integer and power of two, results are exact and
 * rounded once, in one place. Integers are 128 bits wide until the end.
 */
#ifndef TSP_TESTS_LANES_ORACLE_H
#define TSP_TESTS_LANES_ORACLE_H
#include "curves_oracle.h"
#include "exact.h"

/* ---- integers ---- */

static const struct {
    int bits;
    bool is_signed;
} integer[] = {
    [TSP_I8] = {8, true}, [TSP_U8] = {8, false}, [TSP_I16] = {16, true}, [TSP_I32] = {32, true}};

static inline bool is_float(TspDtype type) {
    return type == TSP_F16 || type == TSP_F32;
}
static inline Wide greatest(TspDtype type) {
    return ((Wide)1 << (integer[type].bits - integer[type].is_signed)) - 1;
}
static inline Wide least(TspDtype type) {
    return integer[type].is_signed ? -greatest(type) - 1 : 0;
}
static inline uint32_t modulo(TspDtype type, Wide v) {
    Wide range = (Wide)1 << integer[type].bits;
    v &= range - 1;
    if (v > greatest(type)) v -= range;
    return (uint32_t)(int64_t)v;
}
static inline uint32_t saturated(TspDtype type, Wide v) {
    if (v < least(type)) v = least(type);
    if (v > greatest(type)) v = greatest(type);
    return (uint32_t)(int64_t)v;
}

/* ---- floats ---- */

static inline Exact sum(Exact a, Exact b) {
    Exact s = a;
    Wide left, right, total;
    int apart;
    if (a.class != FINITE || b.class != FINITE) {
        if (a.class == NOT_A_NUMBER || b.class == NOT_A_NUMBER ||
            (a.class == b.class && a.negative != b.negative))
            return (Exact){.class = NOT_A_NUMBER};
        return a.class == INFINITE ? a : b;
    }
    if (!a.mantissa && !b.mantissa) return s.negative = a.negative && b.negative, s;
    if (!a.mantissa) return b;
    if (!b.mantissa) return a;
    if (a.exponent < b.exponent) return sum(b, a);
    apart = a.exponent - b.exponent;
    if (apart > 80) { /* b only says on which side of a the sum lies */
        apart = 80;
        b.mantissa = 1;
    }
    left = (Wide)(a.mantissa << apart);
    right = (Wide)b.mantissa;
    total = (a.negative ? -left : left) + (b.negative ? -right : right);
    return (Exact){FINITE, total < 0, (Magnitude)(total < 0 ? -total : total), a.exponent - apart};
}

static inline Exact product(Exact a, Exact b) {
    bool negative = a.negative != b.negative;
    if (a.class == NOT_A_NUMBER || b.class == NOT_A_NUMBER) return (Exact){.class = NOT_A_NUMBER};
    if (a.class == INFINITE || b.class == INFINITE) {
        bool zero = (a.class == FINITE && !a.mantissa) || (b.class == FINITE && !b.mantissa);
        return (Exact){.class = zero ? NOT_A_NUMBER : INFINITE, .negative = negative};
    }
    return (Exact){FINITE, negative, a.mantissa * b.mantissa, a.exponent + b.exponent};
}

static inline Exact negated(Exact a) {
    a.negative = !a.negative;
    return a;
}

/* ---- instructions ---- */

static inline uint32_t expected_integer(TspOpcode op, TspDtype type, uint32_t x, uint32_t y) {
    Wide a = integer[type].is_signed ? (Wide)(int32_t)x : (Wide)x;
    Wide b = integer[type].is_signed ? (Wide)(int32_t)y : (Wide)y;
    Wide power = (Wide)1 << (int)(b & (integer[type].bits - 1));
    switch (op) {
    case TSP_OP_ADD:
        return modulo(type, a + b);
    case TSP_OP_SUB:
        return modulo(type, a - b);
    case TSP_OP_MUL:
        return modulo(type, a * b);
    case TSP_OP_ADD_SAT:
        return saturated(type, a + b);
    case TSP_OP_SUB_SAT:
        return saturated(type, a - b);
    case TSP_OP_MUL_SAT:
        return saturated(type, a * b);
    case TSP_OP_MAX:
        return a > b ? x : y;
    case TSP_OP_MIN:
        return a > b ? y : x;
    case TSP_OP_AND:
        return x & y;
    case TSP_OP_OR:
        return x | y;
    case TSP_OP_XOR:
        return x ^ y;
    case TSP_OP_SHL:
        return modulo(type, a * power);
    case TSP_OP_SHR:
        return modulo(type, (a - (a & (power - 1))) / power);
    case TSP_OP_EQ:
        return a == b;
    case TSP_OP_NE:
        return a != b;
    case TSP_OP_LT:
        return a < b;
    case TSP_OP_LE:
        return a <= b;
    case TSP_OP_GT:
        return a > b;
    case TSP_OP_GE:
        return a >= b;
    case TSP_OP_MASK:
        return b != 0 ? x : 0;
    case TSP_OP_PASS:
        return x;
    case TSP_OP_NEG:
        return modulo(type, -a);
    case TSP_OP_ABS:
        return modulo(type, a < 0 ? -a : a);
    case TSP_OP_NOT:
        return modulo(type, -a - 1);
    case TSP_OP_RELU:
        return a > 0 ? x : 0;
    default:
        ck_abort_msg("no such operation on integers: %d", (int)op);
    }
    return 0;
}

static inline uint32_t expected_float(TspOpcode op, TspDtype type, uint32_t x, uint32_t y) {
    Exact a = exact(type, x), b = exact(type, y);
    bool nan = a.class == NOT_A_NUMBER || b.class == NOT_A_NUMBER;
    long double u = real(a), v = real(b);
    uint32_t one = type == TSP_F16 ? 0x3c00 : 0x3f800000;
    /* where u = v only the zeros can differ: then the signs decide */
    bool less = u < v || (u == v && a.negative && !b.negative);
    Exact none = {.class = NOT_A_NUMBER}, zero = {.class = FINITE};
    switch (op) {
    case TSP_OP_ADD:
    case TSP_OP_ADD_SAT:
        return rounded(type, sum(a, b));
    case TSP_OP_SUB:
    case TSP_OP_SUB_SAT:
        return rounded(type, sum(a, negated(b)));
    case TSP_OP_MUL:
    case TSP_OP_MUL_SAT:
        return rounded(type, product(a, b));
    case TSP_OP_MAX:
        return rounded(type, nan ? none : less ? b : a);
    case TSP_OP_MIN:
        return rounded(type, nan ? none : less ? a : b);
    case TSP_OP_AND:
        return x & y;
    case TSP_OP_OR:
        return x | y;
    case TSP_OP_XOR:
        return x ^ y;
    case TSP_OP_EQ:
        return !nan && u == v ? one : 0;
    case TSP_OP_NE:
        return nan || u != v ? one : 0;
    case TSP_OP_LT:
        return !nan && u < v ? one : 0;
    case TSP_OP_LE:
        return !nan && u <= v ? one : 0;
    case TSP_OP_GT:
        return !nan && u > v ? one : 0;
    case TSP_OP_GE:
        return !nan && u >= v ? one : 0;
    case TSP_OP_MASK:
        return b.class == FINITE && b.mantissa == 0 ? 0 : x;
    case TSP_OP_PASS:
        return x;
    case TSP_OP_NEG:
        return rounded(type, negated(a));
    case TSP_OP_ABS:
        return a.negative = false, rounded(type, a);
    case TSP_OP_RELU:
        return rounded(type, a.class == NOT_A_NUMBER ? none : u > 0 ? a : zero);
    default:
        ck_abort_msg("no such operation on floats: %d", (int)op);
    }
    return 0;
}

static inline uint32_t expected_convert(TspOpcode op, TspDtype from, TspDtype to, uint32_t x) {
    bool saturates = op == TSP_OP_CVT_SAT;
    long double v, whole;
    Wide a;
    if (!is_float(from)) {
        a = integer[from].is_signed ? (Wide)(int32_t)x : (Wide)x;
        if (is_float(to))
            return rounded(to, (Exact){FINITE, a < 0, (Magnitude)(a < 0 ? -a : a), 0});
        return saturates ? saturated(to, a) : modulo(to, a);
    }
    if (is_float(to)) return rounded(to, exact(from, x));
    if (exact(from, x).class == NOT_A_NUMBER) return 0;
    v = real(exact(from, x));
    if (v > 1e15L) v = 1e15L;
    if (v < -1e15L) v = -1e15L;
    whole = floorl(v);
    if (!saturates) {
        if (v < 0 && whole != v) whole++;
    } else if (v - whole > 0.5L || (v - whole == 0.5L && fmodl(whole, 2) != 0)) {
        whole++;
    }
    return saturated(to, (Wide)whole);
}

static inline bool converts(TspOpcode op) {
    return op == TSP_OP_CVT || op == TSP_OP_CVT_SAT;
}

static inline bool curved(TspOpcode op) {
    return op == TSP_OP_TANH || op == TSP_OP_EXP || op == TSP_OP_RSQRT;
}

static inline uint32_t expected(const TspInsn *insn, uint32_t x, uint32_t y) {
    TspDtype type = (TspDtype)insn->type;
    if (curved(insn->op)) return expected_curve(insn->op, type, x);
    if (converts(insn->op)) return expected_convert(insn->op, type, (TspDtype)insn->type2, x);
    return (is_float(type) ? expected_float : expected_integer)(insn->op, type, x, y);
}

#endif
