/* lanes_loops.h - the VXM's arithmetic, a loop over all lanes for every operation and type.
 *
 * Written so that compilers turn each loop into vector instructions: no branches, no calls, no
 * double where float is exact enough. docs/numerics.md has the rules in words. Compiled once for
 * every instruction set by the file that includes it, which names the set in LANES_SET.
 */
#ifdef TSP_LANES_LOOPS_H
#error "included twice: each instruction set has a file of its own"
#endif
#define TSP_LANES_LOOPS_H

enum { TYPES = TSP_F32 + 1 };

#define UNARY(name, expression)                                                                    \
    static void name(const uint32_t *a, const uint32_t *b, uint32_t *out, int32_t n) {             \
        (void)b;                                                                                   \
        INDEPENDENT for (int32_t i = 0; i < n; i++) {                                              \
            const uint32_t x = a[i];                                                               \
            out[i] = expression;                                                                   \
        }                                                                                          \
    }
#define BINARY(name, expression)                                                                   \
    static void name(const uint32_t *a, const uint32_t *b, uint32_t *out, int32_t n) {             \
        INDEPENDENT for (int32_t i = 0; i < n; i++) {                                              \
            const uint32_t x = a[i], y = b[i];                                                     \
            out[i] = expression;                                                                   \
        }                                                                                          \
    }

/* The same on packed elements; unary ops do not look at b. */
#define PACKED(T, Element, name, expression)                                                       \
    static void name(const void *packed_a, const void *packed_b, void *packed_out, int32_t n) {    \
        const Element *a = packed_a, *b = packed_b;                                                \
        Element *out = packed_out;                                                                 \
        INDEPENDENT for (int32_t i = 0; i < n; i++) {                                              \
            const uint32_t x = wrap_##T(a[i]), y = wrap_##T(b[i]);                                 \
            (void)y;                                                                               \
            out[i] = (Element)(expression);                                                        \
        }                                                                                          \
    }
#define PACKED_i8(name, expression)  PACKED(i8, uint8_t, bytes_##name, expression)
#define PACKED_u8(name, expression)  PACKED(u8, uint8_t, bytes_##name, expression)
#define PACKED_i16(name, expression) PACKED(i16, uint16_t, halves_##name, expression)

/* -- integers: wrap_T reduces modulo 2^bits, clamp_T saturates, both into a register -- */

static inline uint32_t wrap_i8(uint32_t v) {
    return (uint32_t)(int8_t)v;
}
static inline uint32_t wrap_u8(uint32_t v) {
    return v & 0xffu;
}
static inline uint32_t wrap_i16(uint32_t v) {
    return (uint32_t)(int16_t)v;
}
static inline uint32_t wrap_i32(uint32_t v) {
    return v;
}

static inline uint32_t clamp(int32_t v, int32_t least, int32_t greatest) {
    v = v < least ? least : v;
    return (uint32_t)(v > greatest ? greatest : v);
}
static inline uint32_t clamp_i8(int32_t v) {
    return clamp(v, INT8_MIN, INT8_MAX);
}
static inline uint32_t clamp_u8(int32_t v) {
    return clamp(v, 0, UINT8_MAX);
}
static inline uint32_t clamp_i16(int32_t v) {
    return clamp(v, INT16_MIN, INT16_MAX);
}
static inline uint32_t clamp_i32(int32_t v) {
    return (uint32_t)v;
}

/* What a result too large for 32 bits saturates to. */
static inline uint32_t limit_i32(bool negative) {
    return 0x7fffffffu + negative;
}
static inline uint32_t add_sat_word(uint32_t x, uint32_t y) {
    uint32_t sum = x + y, overflow = ~(x ^ y) & (x ^ sum);
    return overflow >> 31 ? limit_i32(x >> 31) : sum;
}
/* The same within 16 bits, so that no lane takes more of them. */
static inline uint16_t add_sat_half(uint16_t x, uint16_t y) {
    const uint16_t sum = (uint16_t)(x + y), limit = (uint16_t)(INT16_MAX + (x >> 15));
    return (int16_t)(~(x ^ y) & (x ^ sum)) < 0 ? limit : sum;
}
static inline uint32_t sub_sat_word(uint32_t x, uint32_t y) {
    uint32_t difference = x - y, overflow = (x ^ y) & (x ^ difference);
    return overflow >> 31 ? limit_i32(x >> 31) : difference;
}
static inline uint32_t mul_sat_word(uint32_t x, uint32_t y) {
    int64_t product = (int64_t)(int32_t)x * (int32_t)y;
    bool fits = (uint64_t)(product + INT64_C(0x80000000)) >> 32 == 0;
    return fits ? x * y : limit_i32((x ^ y) >> 31);
}

/* BINARY and UNARY make the loops: over registers, or over bytes. */
#define INTEGER_KERNELS(T, bits, BINARY, UNARY)                                                    \
    BINARY(add_##T, wrap_##T(x + y))                                                               \
    BINARY(sub_##T, wrap_##T(x - y))                                                               \
    BINARY(mul_##T, wrap_##T(x *y))                                                                \
    BINARY(max_##T, (int32_t)x > (int32_t)y ? x : y)                                               \
    BINARY(min_##T, (int32_t)x < (int32_t)y ? x : y)                                               \
    BINARY(shl_##T, wrap_##T(x << (y & (bits - 1))))                                               \
    BINARY(shr_##T, (uint32_t)((int32_t)x >> (y & (bits - 1))))                                    \
    BINARY(eq_##T, x == y)                                                                         \
    BINARY(ne_##T, x != y)                                                                         \
    BINARY(lt_##T, (int32_t)x < (int32_t)y)                                                        \
    BINARY(le_##T, (int32_t)x <= (int32_t)y)                                                       \
    BINARY(gt_##T, (int32_t)x > (int32_t)y)                                                        \
    BINARY(ge_##T, (int32_t)x >= (int32_t)y)                                                       \
    BINARY(mask_##T, y ? x : 0)                                                                    \
    UNARY(neg_##T, wrap_##T(0u - x))                                                               \
    UNARY(abs_##T, wrap_##T((int32_t)x < 0 ? 0u - x : x))                                          \
    UNARY(invert_##T, wrap_##T(~x))                                                                \
    UNARY(relu_##T, (int32_t)x > 0 ? x : 0)
/* Of two narrow integers sum, difference and product are exact in 32 bits. */
#define NARROW_KERNELS(T, BINARY)                                                                  \
    BINARY(add_sat_##T, clamp_##T((int32_t)(x + y)))                                               \
    BINARY(sub_sat_##T, clamp_##T((int32_t)(x - y)))                                               \
    BINARY(mul_sat_##T, clamp_##T((int32_t)(x * y)))

INTEGER_KERNELS(i8, 8, BINARY, UNARY)
INTEGER_KERNELS(u8, 8, BINARY, UNARY)
INTEGER_KERNELS(i16, 16, BINARY, UNARY)
INTEGER_KERNELS(i32, 32, BINARY, UNARY)
INTEGER_KERNELS(i8, 8, PACKED_i8, PACKED_i8)
INTEGER_KERNELS(u8, 8, PACKED_u8, PACKED_u8)
INTEGER_KERNELS(i16, 16, PACKED_i16, PACKED_i16)
NARROW_KERNELS(i8, BINARY)
NARROW_KERNELS(u8, BINARY)
NARROW_KERNELS(i16, BINARY)
NARROW_KERNELS(i8, PACKED_i8)
NARROW_KERNELS(u8, PACKED_u8)
PACKED_i16(add_sat_i16, add_sat_half((uint16_t)x, (uint16_t)y))
    PACKED_i16(sub_sat_i16, clamp_i16((int32_t)(x - y)))
        PACKED_i16(mul_sat_i16, clamp_i16((int32_t)(x *y))) BINARY(add_sat_i32, add_sat_word(x, y))
            BINARY(sub_sat_i32, sub_sat_word(x, y)) BINARY(mul_sat_i32, mul_sat_word(x, y))

    /* -- floats -- */

    static inline int32_t greater(int32_t a, int32_t b) {
    return a > b ? a : b;
}
static inline bool either_nan_f16(uint32_t x, uint32_t y) {
    return greater(magnitude_f16(x), magnitude_f16(y)) > INF_f16;
}
static inline bool either_nan_f32(uint32_t x, uint32_t y) {
    return greater(magnitude_f32(x), magnitude_f32(y)) > INF_f32;
}
/* An integer that orders as the floats do, -0 before +0. */
static inline int32_t rank_f32(uint32_t x) {
    return (int32_t)x ^ (int32_t)((uint32_t)((int32_t)x >> 31) >> 1);
}
static inline int32_t rank_f16(uint32_t x) {
    return rank_f32(x << 16);
}

/* Arithmetic in float, then rounded to the type. For halfs this is one rounding and not two: the
 * product is exact in float, and of a sum float keeps 24 digits, which is 2 * 11 + 2, enough for
 * the second rounding to come out as if it were the first (Figueroa 1995). */
#define FLOAT_KERNELS(T)                                                                           \
    BINARY(add_##T, bits_##T(value_##T(x) + value_##T(y)))                                         \
    BINARY(sub_##T, bits_##T(value_##T(x) - value_##T(y)))                                         \
    BINARY(mul_##T, bits_##T(value_##T(x) * value_##T(y)))                                         \
    BINARY(max_##T, either_nan_##T(x, y) ? NAN_##T : rank_##T(x) > rank_##T(y) ? x : y)            \
    BINARY(min_##T, either_nan_##T(x, y) ? NAN_##T : rank_##T(x) < rank_##T(y) ? x : y)            \
    BINARY(eq_##T, value_##T(x) == value_##T(y) ? ONE_##T : 0)                                     \
    BINARY(ne_##T, value_##T(x) != value_##T(y) ? ONE_##T : 0)                                     \
    BINARY(lt_##T, value_##T(x) < value_##T(y) ? ONE_##T : 0)                                      \
    BINARY(le_##T, value_##T(x) <= value_##T(y) ? ONE_##T : 0)                                     \
    BINARY(gt_##T, value_##T(x) > value_##T(y) ? ONE_##T : 0)                                      \
    BINARY(ge_##T, value_##T(x) >= value_##T(y) ? ONE_##T : 0)                                     \
    BINARY(mask_##T, y & ~SIGN_##T ? x : 0)                                                        \
    UNARY(neg_##T, nan_##T(x) ? NAN_##T : x ^ SIGN_##T)                                            \
    UNARY(abs_##T, nan_##T(x) ? NAN_##T : x & ~SIGN_##T)                                           \
    UNARY(relu_##T, nan_##T(x) ? NAN_##T : x &SIGN_##T ? 0 : x)

FLOAT_KERNELS(f16)
FLOAT_KERNELS(f32)

/* -- bit for bit, the same for all types -- */

#define BIT_KERNELS(BINARY, UNARY)                                                                 \
    BINARY(and_bits, x &y)                                                                         \
    BINARY(or_bits, x | y)                                                                         \
    BINARY(xor_bits, x ^ y)                                                                        \
    UNARY(pass_bits, x)

BIT_KERNELS(BINARY, UNARY)
BIT_KERNELS(PACKED_u8, PACKED_u8)
BIT_KERNELS(PACKED_i16, PACKED_i16)

/* -- conversions -- */

/* Towards zero, saturating, NaN to 0; the cast sees only what it can represent. */
static inline int32_t truncate(float v) {
    bool low = v < -0x1p31f, high = v >= 0x1p31f;
    int32_t whole = (int32_t)(v >= -0x1p31f && v < 0x1p31f ? v : 0.0f);
    whole = low ? INT32_MIN : whole;
    return high ? INT32_MAX : whole;
}
/* To an integer, ties to even: beside 2^23 a float has no digits after the point. Larger ones and
 * NaN stay. */
static inline float round_even(float v) {
    uint32_t bits = tsp_f32_bits(v), sign = bits & SIGN_f32;
    float magnitude = tsp_f32_from_bits(bits ^ sign), whole = magnitude + 0x1p23f - 0x1p23f;
    whole = magnitude < 0x1p23f ? whole : magnitude;
    return tsp_f32_from_bits(tsp_f32_bits(whole) | sign);
}

#define INTEGER_TO_INTEGER(from, to)                                                               \
    UNARY(cvt_##from##_##to, wrap_##to(x))                                                         \
    UNARY(cvt_sat_##from##_##to, clamp_##to((int32_t)x))
/* Through float into f16 rounds once: what float cannot hold exactly is beyond f16 anyway. */
#define INTEGER_TO_FLOAT(from, to) UNARY(cvt_##from##_##to, bits_##to((float)(int32_t)x))
#define FLOAT_TO_INTEGER(from, to)                                                                 \
    UNARY(cvt_##from##_##to, clamp_##to(truncate(value_##from(x))))                                \
    UNARY(cvt_sat_##from##_##to, clamp_##to(truncate(round_even(value_##from(x)))))
#define FLOAT_TO_FLOAT(from, to) UNARY(cvt_##from##_##to, bits_##to(value_##from(x)))

#define FROM_INTEGER(from)                                                                         \
    INTEGER_TO_INTEGER(from, i8)                                                                   \
    INTEGER_TO_INTEGER(from, u8)                                                                   \
    INTEGER_TO_INTEGER(from, i16)                                                                  \
    INTEGER_TO_INTEGER(from, i32)                                                                  \
    INTEGER_TO_FLOAT(from, f16)                                                                    \
    INTEGER_TO_FLOAT(from, f32)
#define FROM_FLOAT(from)                                                                           \
    FLOAT_TO_INTEGER(from, i8)                                                                     \
    FLOAT_TO_INTEGER(from, u8)                                                                     \
    FLOAT_TO_INTEGER(from, i16)                                                                    \
    FLOAT_TO_INTEGER(from, i32)                                                                    \
    FLOAT_TO_FLOAT(from, f16)                                                                      \
    FLOAT_TO_FLOAT(from, f32)

FROM_INTEGER(i8)
FROM_INTEGER(u8)
FROM_INTEGER(i16)
FROM_INTEGER(i32)
FROM_FLOAT(f16)
FROM_FLOAT(f32)

/* -- which kernel for which instruction; rows and columns in the order of TspDtype -- */

typedef struct {
    Kernel *of[TYPES];
    TspPackedKernel *of_packed[TSP_I16 + 1];
} Kernels;

#define EACH(name)                                                                                 \
    { name##_i8, name##_u8, name##_i16, name##_i32, name##_f16, name##_f32 }
#define EACH_PACKED(name)                                                                          \
    { bytes_##name##_i8, bytes_##name##_u8, halves_##name##_i16 }
#define INTEGERS(name)                                                                             \
    { {name##_i8, name##_u8, name##_i16, name##_i32, NULL, NULL}, EACH_PACKED(name) }
#define NUMBERS(name)                                                                              \
    { EACH(name), EACH_PACKED(name) }
#define SATURATES(name)                                                                            \
    {                                                                                              \
        {name##_sat_i8,  name##_sat_u8, name##_sat_i16,                                            \
         name##_sat_i32, name##_f16,    name##_f32}, /* floats have infinity */                    \
            EACH_PACKED(name##_sat)                                                                \
    }
#define FLOATS(name)                                                                               \
    {                                                                                              \
        {NULL, NULL, NULL, NULL, name##_f16, name##_f32}, {                                        \
            NULL, NULL, NULL                                                                       \
        }                                                                                          \
    }
#define ALIKE(name)                                                                                \
    {                                                                                              \
        {name, name, name, name, name, name}, {                                                    \
            bytes_##name, bytes_##name, halves_##name                                              \
        }                                                                                          \
    }

static const Kernels kernels[TSP_OP_COUNT] = {
    [TSP_OP_ADD] = NUMBERS(add),
    [TSP_OP_ADD_SAT] = SATURATES(add),
    [TSP_OP_SUB] = NUMBERS(sub),
    [TSP_OP_SUB_SAT] = SATURATES(sub),
    [TSP_OP_MUL] = NUMBERS(mul),
    [TSP_OP_MUL_SAT] = SATURATES(mul),
    [TSP_OP_MAX] = NUMBERS(max),
    [TSP_OP_MIN] = NUMBERS(min),
    [TSP_OP_AND] = ALIKE(and_bits),
    [TSP_OP_OR] = ALIKE(or_bits),
    [TSP_OP_XOR] = ALIKE(xor_bits),
    [TSP_OP_SHL] = INTEGERS(shl),
    [TSP_OP_SHR] = INTEGERS(shr),
    [TSP_OP_EQ] = NUMBERS(eq),
    [TSP_OP_NE] = NUMBERS(ne),
    [TSP_OP_LT] = NUMBERS(lt),
    [TSP_OP_LE] = NUMBERS(le),
    [TSP_OP_GT] = NUMBERS(gt),
    [TSP_OP_GE] = NUMBERS(ge),
    [TSP_OP_MASK] = NUMBERS(mask),
    [TSP_OP_PASS] = ALIKE(pass_bits),
    [TSP_OP_NEG] = NUMBERS(neg),
    [TSP_OP_ABS] = NUMBERS(abs),
    [TSP_OP_NOT] = INTEGERS(invert),
    [TSP_OP_RELU] = NUMBERS(relu),
    [TSP_OP_TANH] = FLOATS(tsp_lanes_tanh),
    [TSP_OP_EXP] = FLOATS(tsp_lanes_exp),
    [TSP_OP_RSQRT] = FLOATS(tsp_lanes_rsqrt),
};

static Kernel *const converts[TYPES][TYPES] = {
    EACH(cvt_i8), EACH(cvt_u8), EACH(cvt_i16), EACH(cvt_i32), EACH(cvt_f16), EACH(cvt_f32),
};
#define SATURATED(from)                                                                            \
    {                                                                                              \
        cvt_sat_##from##_i8, cvt_sat_##from##_u8, cvt_sat_##from##_i16, cvt_sat_##from##_i32,      \
            cvt_##from##_f16, cvt_##from##_f32                                                     \
    }
static Kernel *const saturating_converts[TYPES][TYPES] = {
    SATURATED(i8), SATURATED(u8), SATURATED(i16), SATURATED(i32), SATURATED(f16), SATURATED(f32),
};

static Kernel *find(const TspInsn *insn) {
    if (insn->type < 0 || insn->type >= TYPES) return NULL;
    if (insn->op != TSP_OP_CVT && insn->op != TSP_OP_CVT_SAT)
        return kernels[insn->op].of[insn->type];
    if (insn->type2 < 0 || insn->type2 >= TYPES) return NULL;
    return (insn->op == TSP_OP_CVT ? converts : saturating_converts)[insn->type][insn->type2];
}

static bool knows(const TspInsn *insn) {
    return find(insn) != NULL;
}

static bool operate(const TspInsn *insn, const uint32_t *a, const uint32_t *b, uint32_t *out,
                    int32_t n) {
    Kernel *kernel = find(insn);
    if (kernel == NULL) return false;
    kernel(a, b, out, n);
    return true;
}

static TspPackedKernel *find_packed(const TspInsn *insn) {
    if (insn->type < 0 || insn->type > TSP_I16) return NULL;
    return kernels[insn->op].of_packed[insn->type];
}

/* -- byte planes -- */

static void load(uint32_t *reg, const uint8_t *const *planes, TspDtype type, int32_t n) {
    const uint8_t *p0 = planes[0], *p1, *p2, *p3;
    switch (tsp_dtype_bytes(type)) {
    case 1:
        if (type == TSP_I8) {
            INDEPENDENT for (int32_t i = 0; i < n; i++) reg[i] = wrap_i8(p0[i]);
        } else {
            INDEPENDENT for (int32_t i = 0; i < n; i++) reg[i] = p0[i];
        }
        break;
    case 2:
        p1 = planes[1];
        if (type == TSP_I16) {
            INDEPENDENT for (int32_t i = 0; i < n; i++) reg[i] =
                wrap_i16(p0[i] | (uint32_t)p1[i] << 8);
        } else {
            INDEPENDENT for (int32_t i = 0; i < n; i++) reg[i] = p0[i] | (uint32_t)p1[i] << 8;
        }
        break;
    default:
        p1 = planes[1], p2 = planes[2], p3 = planes[3];
        INDEPENDENT for (int32_t i = 0; i < n; i++) reg[i] =
            p0[i] | (uint32_t)p1[i] << 8 | (uint32_t)p2[i] << 16 | (uint32_t)p3[i] << 24;
    }
}

static void store(uint8_t *const *planes, const uint32_t *reg, TspDtype type, int32_t n) {
    for (int32_t byte = 0; byte < tsp_dtype_bytes(type); byte++) {
        uint8_t *plane = planes[byte];
        const int32_t shift = 8 * byte;
        INDEPENDENT for (int32_t i = 0; i < n; i++) plane[i] = (uint8_t)(reg[i] >> shift);
    }
}

static void join(uint16_t *out, const uint8_t *const *planes, int32_t n) {
    const uint8_t *low = planes[0], *high = planes[1];
    INDEPENDENT for (int32_t i = 0; i < n; i++) out[i] = (uint16_t)(low[i] | high[i] << 8);
}

static void split(uint8_t *const *planes, const uint16_t *in, int32_t n) {
    uint8_t *low = planes[0], *high = planes[1];
    INDEPENDENT for (int32_t i = 0; i < n; i++) low[i] = (uint8_t)in[i];
    INDEPENDENT for (int32_t i = 0; i < n; i++) high[i] = (uint8_t)(in[i] >> 8);
}

static uint32_t narrowed(uint32_t value, uint32_t mask, uint32_t sign) {
    return ((value & mask) ^ sign) - sign;
}
static uint32_t mask_of(TspDtype type) {
    return tsp_dtype_bytes(type) == 4 ? UINT32_MAX : (1u << 8 * tsp_dtype_bytes(type)) - 1u;
}
static uint32_t sign_of(TspDtype type) {
    return type == TSP_I8 || type == TSP_I16 ? 1u << (8 * tsp_dtype_bytes(type) - 1) : 0;
}

static void narrow(uint32_t *out, const uint32_t *in, TspDtype type, int32_t n) {
    const uint32_t mask = mask_of(type), sign = sign_of(type);
    INDEPENDENT for (int32_t i = 0; i < n; i++) out[i] = narrowed(in[i], mask, sign);
}

static void fill(uint32_t *out, uint32_t immediate, TspDtype type, int32_t n) {
    const uint32_t value = narrowed(immediate, mask_of(type), sign_of(type));
    for (int32_t i = 0; i < n; i++) out[i] = value;
}

/* -- the SXM's distributors -- */

#ifdef LANES_SHUFFLE
/* Two superlanes are a register, as a byte shuffle takes them: that gives 0 where bit 7 is set,
 * which adding 0x70 with saturation does to everything above 15. An odd superlane is left to the
 * caller. */
static void distribute_words(const uint8_t *data, const uint8_t *map, uint8_t *out, int32_t n) {
    const __m256i beyond = _mm256_set1_epi8(0x70);
    for (int32_t i = 0; i + 32 <= n; i += 32) {
        const __m256i from = _mm256_loadu_si256((const __m256i *)(map + i));
        const __m256i words = _mm256_loadu_si256((const __m256i *)(data + i));
        _mm256_storeu_si256((__m256i *)(out + i),
                            _mm256_shuffle_epi8(words, _mm256_adds_epu8(from, beyond)));
    }
}
#endif

static void distribute(const uint8_t *data, const uint8_t *map, uint8_t *out, int32_t tile,
                       int32_t n) {
    int32_t done = 0;
#ifdef LANES_SHUFFLE
    if (tile == 16) {
        distribute_words(data, map, out, n);
        done = n / 32 * 32;
    }
#endif
    for (int32_t base = done; base < n; base += tile)
        for (int32_t i = base; i < base + tile; i++)
            out[i] = map[i] < tile ? data[base + map[i]] : 0;
}

const TspLanes LANES_SET = {knows, operate, find_packed, load, store,
                            join,  split,   narrow,      fill, distribute};
