/* test_lanes.c - the VXM's arithmetic against a second implementation on exact numbers.
 */
#include "lanes_oracle.h"
#include "seeded.h"
#include "sim/lanes.h"

#include "suite.h"
#include <string.h>

enum { PAIRS = 2000000, SINGLES = 300000, CURVE_FLOATS = 2000000 };
enum { CHUNK = 320, TYPES = TSP_F32 + 1 };

static const TspLanes *lanes; /* under test: every instruction set that the host has, in turn */
static void use_plain(void) {
    lanes = tsp_lanes_of(TSP_GEMM_PLAIN);
}
static void use_avx2(void) {
    lanes = tsp_lanes_of(TSP_GEMM_AVX2);
}
static void use_avx512(void) {
    lanes = tsp_lanes_of(TSP_GEMM_AVX512);
}

/* ---- operands ---- */

static const TspOpcode binary_ops[] = {
    TSP_OP_ADD, TSP_OP_ADD_SAT, TSP_OP_SUB, TSP_OP_SUB_SAT, TSP_OP_MUL, TSP_OP_MUL_SAT, TSP_OP_MAX,
    TSP_OP_MIN, TSP_OP_AND,     TSP_OP_OR,  TSP_OP_XOR,     TSP_OP_SHL, TSP_OP_SHR,     TSP_OP_EQ,
    TSP_OP_NE,  TSP_OP_LT,      TSP_OP_LE,  TSP_OP_GT,      TSP_OP_GE,  TSP_OP_MASK};
static const TspOpcode unary_ops[] = {TSP_OP_PASS, TSP_OP_NEG, TSP_OP_ABS, TSP_OP_NOT, TSP_OP_RELU};
static const TspOpcode curve_ops[] = {TSP_OP_TANH, TSP_OP_EXP, TSP_OP_RSQRT};
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* Of so many random operands, as many as there is time for. */
static int scaled(int count) {
    const char *scale = getenv("TSP_TEST_SCALE");
    if (lanes != tsp_lanes_of(TSP_GEMM_PLAIN)) count /= 4; /* the same source, compiled again */
    return scale != NULL && strcmp(scale, "small") == 0 ? count / 20 : count;
}

/* Bits of an element into a register, by the header's definition. */
static uint32_t in_register(TspDtype type, uint32_t bits) {
    return is_float(type) ? type == TSP_F16 ? bits & 0xffff : bits : modulo(type, (Wide)bits);
}

static const uint32_t special_f16[] = {
    0x0000, 0x0001, 0x03ff, 0x0400, 0x0401, 0x3800, 0x3bff, 0x3c00, 0x3c01, 0x3e00, 0x4100,
    0x57f8, 0x5bf8, 0x6400, 0x6801, 0x77ff, 0x7bfe, 0x7bff, 0x7c00, 0x7c01, 0x7e00, 0x7fff};
static const uint32_t special_f32[] = {
    0x00000000, 0x00000001, 0x007fffff, 0x00800000, 0x33000000, 0x33800000, 0x387fe000,
    0x3effffff, 0x3f000000, 0x3f000001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fc00000,
    0x40200000, 0x42fe0000, 0x42ff0000, 0x437f0000, 0x437f8000, 0x46fffe00, 0x46ffff00,
    0x477fefff, 0x477ff000, 0x4afffffe, 0x4affffff, 0x4b000000, 0x4b000001, 0x4effffff,
    0x4f000000, 0x4f000001, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff};
static const uint32_t special_integer[] = {
    0,      1,      2,      3,       7,         8,          15,         16,        31,
    32,     46340,  46341,  0x7e,    0x7f,      0x80,       0x81,       0xff,      0x100,
    0x7fff, 0x8000, 0xffff, 0x10000, 0x1000001, 0x7fffffbf, 0x7fffffc0, 0x7fffffff};

static int special_count(TspDtype type) {
    return 2 * (type == TSP_F16   ? COUNT(special_f16)
                : type == TSP_F32 ? COUNT(special_f32)
                                  : COUNT(special_integer));
}
static uint32_t special(TspDtype type, int i) {
    if (type == TSP_F16) return special_f16[i / 2] ^ (i & 1 ? 0x8000u : 0);
    if (type == TSP_F32) return special_f32[i / 2] ^ (i & 1 ? 0x80000000u : 0);
    return in_register(type, i & 1 ? ~special_integer[i / 2] : special_integer[i / 2]);
}

/* Half of the floats near 1, so that sums cancel and carry; some integers small. */
static uint32_t random_operand(TspDtype type) {
    uint32_t bits = (uint32_t)random_bits(), kind = (uint32_t)random_below(16);
    if (kind == 0) return special(type, random_below(special_count(type)));
    if (type == TSP_F16 && kind < 8) bits = (bits & 0x83ff) | (12u + (bits >> 16) % 8) << 10;
    if (type == TSP_F32 && kind < 8)
        bits = (bits & 0x807fffff) | (120u + (uint32_t)random_below(40)) << 23;
    if (!is_float(type) && kind < 8) bits = (uint32_t)((int32_t)bits >> random_below(31));
    return in_register(type, bits);
}

/* ---- running ---- */

typedef struct { /* collects operands until a row of lanes is full */
    TspInsn insn;
    int32_t n;
    uint32_t a[CHUNK], b[CHUNK];
} Batch;

/* The op on packed elements, where there is one: in place, the same lanes as in registers. */
static void check_packed(const Batch *batch, const uint32_t *want) {
    const TspInsn *insn = &batch->insn;
    const TspDtype type = (TspDtype)insn->type;
    TspPackedKernel *kernel = lanes->find_packed(insn);
    const bool bytes = tsp_dtype_bytes(type) == 1;
    uint8_t a[CHUNK], b[CHUNK];
    uint16_t halves_a[CHUNK], halves_b[CHUNK];
    ck_assert((kernel != NULL) == ((bytes || type == TSP_I16) && !converts(insn->op)));
    if (kernel == NULL) return;
    for (int32_t i = 0; i < batch->n; i++) {
        a[i] = (uint8_t)(halves_a[i] = (uint16_t)batch->a[i]);
        b[i] = (uint8_t)(halves_b[i] = (uint16_t)batch->b[i]);
    }
    kernel(bytes ? (void *)a : halves_a, bytes ? (void *)b : halves_b, bytes ? (void *)a : halves_a,
           batch->n);
    for (int32_t i = 0; i < batch->n; i++) {
        const uint32_t got = bytes ? a[i] : halves_a[i];
        if (in_register(type, got) != want[i])
            ck_abort_msg("%s %s of packed 0x%04x and 0x%04x: expected 0x%08x, got 0x%04x",
                         tsp_insn_info(insn->op)->mnemonic, tsp_dtype_short(type),
                         (unsigned)batch->a[i], (unsigned)batch->b[i], (unsigned)want[i],
                         (unsigned)got);
    }
}

static void flush_batch(Batch *batch) {
    static uint32_t out[CHUNK];
    const TspInsn *insn = &batch->insn;
    ck_assert_msg(lanes->knows(insn) && lanes->operate(insn, batch->a, batch->b, out, batch->n),
                  "%s %s is unknown", tsp_insn_info(insn->op)->mnemonic,
                  tsp_dtype_short((TspDtype)insn->type));
    for (int32_t i = 0; i < batch->n; i++) {
        uint32_t want = expected(insn, batch->a[i], batch->b[i]);
        if (out[i] != want)
            ck_abort_msg("%s %s(%s) of 0x%08x and 0x%08x: expected 0x%08x, got 0x%08x",
                         tsp_insn_info(insn->op)->mnemonic, tsp_dtype_short((TspDtype)insn->type),
                         converts(insn->op) ? tsp_dtype_short((TspDtype)insn->type2) : "",
                         (unsigned)batch->a[i], (unsigned)batch->b[i], (unsigned)want,
                         (unsigned)out[i]);
    }
    check_packed(batch, out);
    batch->n = 0;
}

static void try_pair(Batch *batch, uint32_t a, uint32_t b) {
    batch->a[batch->n] = a;
    batch->b[batch->n++] = b;
    if (batch->n == CHUNK) flush_batch(batch);
}

/* Every operand of a type of at most 16 bits; special and random ones of 32. */
static void try_all_operands(const TspInsn *insn) {
    static Batch batch;
    TspDtype type = (TspDtype)insn->type;
    int bytes = tsp_dtype_bytes(type);
    batch = (Batch){.insn = *insn};
    for (uint32_t bits = 0; bytes < 4 && bits < 1u << 8 * bytes; bits++)
        try_pair(&batch, in_register(type, bits), (uint32_t)random_bits());
    for (int i = 0; i < special_count(type); i++) try_pair(&batch, special(type, i), 0);
    for (int i = 0; bytes == 4 && i < SINGLES; i++) try_pair(&batch, random_operand(type), 0);
    flush_batch(&batch);
}

static bool takes(TspOpcode op, TspDtype type) {
    bool integers_only = op == TSP_OP_SHL || op == TSP_OP_SHR || op == TSP_OP_NOT;
    return is_float(type) ? !integers_only : !curved(op);
}

START_TEST(test_bytes_exhaustively) {
    static Batch batch;
    for (int k = 0; k < 2 * COUNT(binary_ops); k++) {
        TspDtype type = k & 1 ? TSP_U8 : TSP_I8;
        batch = (Batch){.insn = {.op = binary_ops[k / 2], .type = (int32_t)type}};
        for (uint32_t a = 0; a < 256; a++)
            for (uint32_t b = 0; b < 256; b++)
                try_pair(&batch, in_register(type, a), in_register(type, b));
        flush_batch(&batch);
    }
}
END_TEST

/* Every operation sees the same pairs: all of the special ones, and random ones. */
START_TEST(test_pairs) {
    static Batch batch;
    static const TspDtype types[] = {TSP_I16, TSP_I32, TSP_F16, TSP_F32};
    TspDtype type = types[_i];
    const int specials = special_count(type) * special_count(type), pairs = scaled(PAIRS);
    random_start();
    for (int start = 0; start < specials + pairs; start += CHUNK) {
        for (int32_t i = 0; i < CHUNK; i++) {
            const int pair = start + i, count = special_count(type);
            const bool random = pair >= specials;
            batch.a[i] = random ? random_operand(type) : special(type, pair / count);
            batch.b[i] = random ? random_operand(type) : special(type, pair % count);
        }
        for (int k = 0; k < COUNT(binary_ops); k++) {
            if (!takes(binary_ops[k], type)) continue;
            batch.insn = (TspInsn){.op = binary_ops[k], .type = (int32_t)type};
            batch.n = CHUNK;
            flush_batch(&batch);
        }
    }
}
END_TEST

START_TEST(test_unary) {
    random_start();
    for (int k = 0; k < COUNT(unary_ops); k++)
        if (takes(unary_ops[k], (TspDtype)_i))
            try_all_operands(&(TspInsn){.op = unary_ops[k], .type = _i});
}
END_TEST

START_TEST(test_converts) {
    random_start();
    for (int32_t to = 0; to < TYPES; to++) {
        try_all_operands(&(TspInsn){.op = TSP_OP_CVT, .type = _i, .type2 = to});
        try_all_operands(&(TspInsn){.op = TSP_OP_CVT_SAT, .type = _i, .type2 = to});
    }
}
END_TEST

/* ---- tanh, exp, 1 / sqrt ---- */

START_TEST(test_curve_specials) {
    static const struct {
        TspOpcode op;
        uint32_t x16, want16, x32, want32;
    } known[] = {
        {TSP_OP_TANH, 0x0000, 0x0000, 0x00000000, 0x00000000},
        {TSP_OP_TANH, 0x8000, 0x8000, 0x80000000, 0x80000000},
        {TSP_OP_TANH, 0x7c00, 0x3c00, 0x7f800000, 0x3f800000},
        {TSP_OP_TANH, 0xfc00, 0xbc00, 0xff800000, 0xbf800000},
        {TSP_OP_TANH, 0xfbff, 0xbc00, 0xff7fffff, 0xbf800000},
        {TSP_OP_TANH, 0x0001, 0x0001, 0x00000001, 0x00000001},
        {TSP_OP_TANH, 0x83ff, 0x83ff, 0x807fffff, 0x807fffff},
        {TSP_OP_TANH, 0xfe01, 0x7e00, 0xffc00001, 0x7fc00000},
        {TSP_OP_EXP, 0x0000, 0x3c00, 0x00000000, 0x3f800000},
        {TSP_OP_EXP, 0x8000, 0x3c00, 0x80000000, 0x3f800000},
        {TSP_OP_EXP, 0x0001, 0x3c00, 0x00000001, 0x3f800000},
        {TSP_OP_EXP, 0x8001, 0x3c00, 0x80000001, 0x3f800000},
        {TSP_OP_EXP, 0x7c00, 0x7c00, 0x7f800000, 0x7f800000},
        {TSP_OP_EXP, 0xfc00, 0x0000, 0xff800000, 0x00000000},
        {TSP_OP_EXP, 0x7bff, 0x7c00, 0x7f7fffff, 0x7f800000},
        {TSP_OP_EXP, 0xfbff, 0x0000, 0xff7fffff, 0x00000000},
        {TSP_OP_EXP, 0x7d00, 0x7e00, 0x7fa00000, 0x7fc00000},
        {TSP_OP_EXP, 0x498b, 0x7bf7, 0x42b17217, 0x7f7fff84}, /* the last below infinity */
        {TSP_OP_EXP, 0x498c, 0x7c00, 0x42b17218, 0x7f800000},
        {TSP_OP_EXP, 0xcc55, 0x0001, 0xc2cff1b4, 0x00000001}, /* the last above 0 */
        {TSP_OP_EXP, 0xcc56, 0x0000, 0xc2cff1b5, 0x00000000},
        {TSP_OP_RSQRT, 0x0000, 0x7c00, 0x00000000, 0x7f800000},
        {TSP_OP_RSQRT, 0x8000, 0xfc00, 0x80000000, 0xff800000},
        {TSP_OP_RSQRT, 0x8001, 0x7e00, 0x80000001, 0x7fc00000},
        {TSP_OP_RSQRT, 0xbc00, 0x7e00, 0xbf800000, 0x7fc00000},
        {TSP_OP_RSQRT, 0xfc00, 0x7e00, 0xff800000, 0x7fc00000},
        {TSP_OP_RSQRT, 0x7c00, 0x0000, 0x7f800000, 0x00000000},
        {TSP_OP_RSQRT, 0x7c01, 0x7e00, 0x7f800001, 0x7fc00000},
        {TSP_OP_RSQRT, 0x3400, 0x4000, 0x3e800000, 0x40000000},
    };
    for (int i = 0; i < COUNT(known); i++) {
        TspInsn half = {.op = known[i].op, .type = TSP_F16}, word = half;
        uint32_t out16, out32;
        word.type = TSP_F32;
        ck_assert(lanes->operate(&half, &known[i].x16, NULL, &out16, 1));
        ck_assert(lanes->operate(&word, &known[i].x32, NULL, &out32, 1));
        ck_assert_msg(out16 == known[i].want16 && out32 == known[i].want32,
                      "%d: expected 0x%04x and 0x%08x, got 0x%04x and 0x%08x", i,
                      (unsigned)known[i].want16, (unsigned)known[i].want32, (unsigned)out16,
                      (unsigned)out32);
    }
}
END_TEST

/* Of all floats those whose exp, tanh or 1/sqrt comes nearest to a boundary: to within 2^-28.7 of
 * a step. Double alone is about as far off. */
static const uint32_t hardest[] = {0xc16912cd, 0x403a18e3, 0xbbf0edf1, 0x377eff81, 0xbae0e25c,
                                   0xb3000000, 0x39c6be5b, 0x38e69cc1, 0x383a3ef1, 0x3ac37de2,
                                   0x3d1a274e, 0x40315b33, 0x4001b249, 0x4288942b, 0x39e5bb1d,
                                   0x33800000, 0x3eee0566, 0x4009f038, 0x3cd41b91, 0x40acb4d0};

/* Every half; floats of all kinds, most of them where the curves bend. */
START_TEST(test_curves) {
    static Batch batch;
    const int floats = scaled(CURVE_FLOATS);
    random_start();
    try_all_operands(&(TspInsn){.op = curve_ops[_i], .type = TSP_F16});
    try_all_operands(&(TspInsn){.op = curve_ops[_i], .type = TSP_F32});
    batch = (Batch){.insn = {.op = curve_ops[_i], .type = TSP_F32}};
    for (int i = 0; i < COUNT(hardest); i++) try_pair(&batch, hardest[i], 0);
    for (int i = 0; i < floats; i++) {
        uint32_t bits = (uint32_t)random_bits();
        if (i % 4 != 0) bits = (bits & 0x807fffff) | (110u + (uint32_t)random_below(24)) << 23;
        try_pair(&batch, bits, 0);
    }
    flush_batch(&batch);
}
END_TEST

/* Written down once: no compiler, host or optimisation may give other bits. */
START_TEST(test_curve_checksums) {
    static const uint64_t want[][2] = {
        {UINT64_C(0xadebfbda463d2de5), UINT64_C(0x5d9a7b8492e5ef7b)},
        {UINT64_C(0x16c32069ce0367a6), UINT64_C(0xe26ee38c88f0da64)},
        {UINT64_C(0xd6981a3f63ebebb9), UINT64_C(0x05a624d3b360d7a3)},
    };
    for (int32_t type = TSP_F16; type <= TSP_F32; type++) {
        TspInsn insn = {.op = curve_ops[_i], .type = type};
        const uint64_t limit = type == TSP_F16 ? 1u << 16 : UINT64_C(1) << 32;
        const uint64_t stride = type == TSP_F16 ? 1 : 4099;
        uint64_t checksum = UINT64_C(0xcbf29ce484222325), bits = 0; /* FNV-1a, by words */
        uint32_t lane[CHUNK];
        while (bits < limit) {
            int32_t n = 0;
            for (; n < CHUNK && bits < limit; bits += stride) lane[n++] = (uint32_t)bits;
            ck_assert(lanes->operate(&insn, lane, NULL, lane, n));
            for (int32_t i = 0; i < n; i++)
                checksum = (checksum ^ lane[i]) * UINT64_C(0x100000001b3);
        }
        ck_assert_msg(checksum == want[_i][type - TSP_F16],
                      "%s %s: expected 0x%016llx, got 0x%016llx", tsp_insn_info(insn.op)->mnemonic,
                      tsp_dtype_short((TspDtype)type), (unsigned long long)want[_i][type - TSP_F16],
                      (unsigned long long)checksum);
    }
}
END_TEST

/* All 2^32 floats, minutes for each curve: only when LANES_EXHAUSTIVE asks. */
START_TEST(test_curves_exhaustively) {
    static uint32_t a[CHUNK], out[CHUNK];
    TspInsn insn = {.op = curve_ops[_i], .type = TSP_F32};
    long long wrong = 0, far = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX;) {
        int32_t n = 0;
        for (; n < CHUNK && bits <= UINT32_MAX; bits++) a[n++] = (uint32_t)bits;
        ck_assert(lanes->operate(&insn, a, NULL, out, n));
        for (int32_t i = 0; i < n; i++) {
            uint32_t want = expected(&insn, a[i], 0);
            wrong += out[i] != want;
            far += out[i] - want + 1 > 2;
        }
    }
    printf("%s of all floats: %lld not rounded correctly, %lld of them beside the neighbours\n",
           tsp_insn_info(insn.op)->mnemonic, wrong, far);
    fflush(stdout);
    ck_assert_int_eq(wrong, 0);
}
END_TEST

/* A few results written down by hand: they hold whatever the oracle says. */
START_TEST(test_known_values) {
    static const struct {
        TspOpcode op;
        TspDtype type, type2;
        uint32_t a, b, want;
    } known[] = {
        {TSP_OP_ADD, TSP_I8, 0, 127, 1, 0xffffff80},
        {TSP_OP_ADD_SAT, TSP_I8, 0, 127, 1, 127},
        {TSP_OP_SUB, TSP_U8, 0, 1, 2, 255},
        {TSP_OP_SUB_SAT, TSP_U8, 0, 1, 2, 0},
        {TSP_OP_MUL_SAT, TSP_I32, 0, 0x80000000, 0xffffffff, 0x7fffffff},
        {TSP_OP_ABS, TSP_I8, 0, 0xffffff80, 0, 0xffffff80},
        {TSP_OP_SHL, TSP_U8, 0, 0x81, 9, 2},
        {TSP_OP_SHR, TSP_I16, 0, 0xffff8000, 15, 0xffffffff},
        {TSP_OP_ADD, TSP_F16, 0, 0x6800, 0x3c00, 0x6800},     /* 2048 + 1: a tie, to even */
        {TSP_OP_ADD, TSP_F16, 0, 0x6801, 0x3c00, 0x6802},     /* 2050 + 1: a tie, to even */
        {TSP_OP_ADD_SAT, TSP_F16, 0, 0x7bff, 0x7bff, 0x7c00}, /* floats overflow to infinity */
        {TSP_OP_MUL, TSP_F16, 0, 0x0001, 0x3800, 0x0000},     /* 2^-25: a tie, to even */
        {TSP_OP_MUL, TSP_F16, 0, 0x0003, 0x3800, 0x0002},
        {TSP_OP_MUL, TSP_F32, 0, 0x00800000, 0x3f000000, 0x00400000}, /* subnormals are kept */
        {TSP_OP_SUB, TSP_F32, 0, 0x7f800000, 0x7f800000, 0x7fc00000},
        {TSP_OP_ADD, TSP_F32, 0, 0xffffffff, 0x3f800000, 0x7fc00000},
        {TSP_OP_MAX, TSP_F16, 0, 0x8000, 0x0000, 0x0000},
        {TSP_OP_MIN, TSP_F16, 0, 0x0000, 0x8000, 0x8000},
        {TSP_OP_MAX, TSP_F32, 0, 0x3f800000, 0x7f800001, 0x7fc00000},
        {TSP_OP_EQ, TSP_F32, 0, 0x80000000, 0x00000000, 0x3f800000},
        {TSP_OP_NE, TSP_F16, 0, 0x7e00, 0x7e00, 0x3c00},
        {TSP_OP_MASK, TSP_F16, 0, 0x7c01, 0x8000, 0x0000}, /* -0 is zero */
        {TSP_OP_MASK, TSP_F16, 0, 0x7c01, 0x7e00, 0x7c01},
        {TSP_OP_PASS, TSP_F32, 0, 0xff800001, 0, 0xff800001},
        {TSP_OP_NEG, TSP_F32, 0, 0xffc00001, 0, 0x7fc00000},
        {TSP_OP_RELU, TSP_F32, 0, 0x80000000, 0, 0x00000000},
        {TSP_OP_TANH, TSP_F16, 0, 0x3c00, 0, 0x3a18},                  /* 0.76159 */
        {TSP_OP_TANH, TSP_F32, 0, 0xbf800000, 0, 0xbf42f7d6},          /* -0.7615942 */
        {TSP_OP_EXP, TSP_F16, 0, 0x3c00, 0, 0x4170},                   /* 2.71828 */
        {TSP_OP_EXP, TSP_F32, 0, 0x3f800000, 0, 0x402df854},           /* 2.7182818 */
        {TSP_OP_EXP, TSP_F32, 0, 0x33800000, 0, 0x3f800001},           /* 2^-24: just above a tie */
        {TSP_OP_EXP, TSP_F32, 0, 0xb3000000, 0, 0x3f800000},           /* -2^-25: as well */
        {TSP_OP_RSQRT, TSP_F16, 0, 0x4000, 0, 0x39a8},                 /* 0.70711 */
        {TSP_OP_RSQRT, TSP_F32, 0, 0x40000000, 0, 0x3f3504f3},         /* 0.70710678 */
        {TSP_OP_RSQRT, TSP_F32, 0, 0x00000001, 0, 0x64b504f3},         /* 2^74.5 */
        {TSP_OP_CVT, TSP_F32, TSP_I8, 0x43960000, 0, 127},             /* 300 */
        {TSP_OP_CVT, TSP_F32, TSP_I32, 0xbff00000, 0, 0xffffffff},     /* -1.875 */
        {TSP_OP_CVT_SAT, TSP_F32, TSP_I32, 0x40200000, 0, 2},          /* 2.5 */
        {TSP_OP_CVT_SAT, TSP_F32, TSP_I32, 0xc0600000, 0, 0xfffffffc}, /* -3.5 */
        {TSP_OP_CVT, TSP_F32, TSP_U8, 0xffc00000, 0, 0},
        {TSP_OP_CVT, TSP_I32, TSP_U8, 300, 0, 44},
        {TSP_OP_CVT_SAT, TSP_I32, TSP_U8, 300, 0, 255},
        {TSP_OP_CVT, TSP_I32, TSP_F16, 65519, 0, 0x7bff},
        {TSP_OP_CVT, TSP_I32, TSP_F16, 65520, 0, 0x7c00},
        {TSP_OP_CVT, TSP_I32, TSP_F32, 0x01000001, 0, 0x4b800000},
        {TSP_OP_CVT_SAT, TSP_F32, TSP_F16, 0x477ff000, 0, 0x7c00},
    };
    for (int i = 0; i < COUNT(known); i++) {
        TspInsn insn = {
            .op = known[i].op, .type = (int32_t)known[i].type, .type2 = (int32_t)known[i].type2};
        uint32_t out = 0xdeadbeef;
        ck_assert(lanes->operate(&insn, &known[i].a, &known[i].b, &out, 1));
        ck_assert_msg(out == known[i].want, "%d: expected 0x%08x, got 0x%08x", i,
                      (unsigned)known[i].want, (unsigned)out);
        ck_assert_uint_eq(expected(&insn, known[i].a, known[i].b), known[i].want);
    }
}
END_TEST

/* Every combination that isa.c lets through and calls modelled has a kernel, and no other. */
START_TEST(test_knows_what_validates) {
    TspMachine m;
    TspError err;
    int32_t queue = 0;
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    while (tsp_queue_info(&m, queue).unit != TSP_UNIT_VXM) queue++;
    for (int op = 0; op < TSP_OP_COUNT; op++)
        for (int32_t k = 0; k < TYPES * TYPES; k++) {
            TspInsn insn = {.op = (TspOpcode)op,
                            .type = k / TYPES,
                            .type2 = k % TYPES,
                            .dst = TSP_DST_NONE,
                            .src_a = TSP_SRC(TSP_SRC_IMM, 0),
                            .src_b = TSP_SRC(TSP_SRC_IMM, 0)};
            const TspInsnInfo *info = tsp_insn_info(insn.op);
            uint32_t lane = 0;
            bool want = info->unit == TSP_UNIT_VXM && info->modelled &&
                        tsp_insn_validate(&m, &insn, queue, &err);
            ck_assert_msg(lanes->knows(&insn) == want, "%s %s %s", info->mnemonic,
                          tsp_dtype_short((TspDtype)insn.type),
                          tsp_dtype_short((TspDtype)insn.type2));
            ck_assert(lanes->operate(&insn, &lane, &lane, &lane, 1) == want);
        }
}
END_TEST

/* In place and for any number of lanes, and never a lane more. */
START_TEST(test_in_place) {
    static uint32_t a[CHUNK], b[CHUNK], apart[CHUNK + 1], here[CHUNK + 1];
    random_start();
    for (int32_t n = 0; n <= CHUNK; n += n < 40 ? 1 : 56)
        for (int k = 0; k < (COUNT(binary_ops) + COUNT(curve_ops)) * TYPES; k++) {
            const int op = k / TYPES;
            TspInsn insn = {.op = op < COUNT(binary_ops) ? binary_ops[op]
                                                         : curve_ops[op - COUNT(binary_ops)],
                            .type = k % TYPES};
            if (!takes(insn.op, (TspDtype)insn.type)) continue;
            for (int32_t i = 0; i < CHUNK; i++) {
                a[i] = random_operand((TspDtype)insn.type);
                b[i] = random_operand((TspDtype)insn.type);
            }
            apart[n] = here[n] = 0xdeadbeef;
            ck_assert(lanes->operate(&insn, a, b, apart, n));
            ck_assert_uint_eq(apart[n], 0xdeadbeef);
            memcpy(here, a, (size_t)n * sizeof *a);
            ck_assert(lanes->operate(&insn, here, b, here, n));
            ck_assert_mem_eq(here, apart, (size_t)(n + 1) * sizeof *here);
            if (curved(insn.op)) continue;
            memcpy(here, b, (size_t)n * sizeof *b);
            ck_assert(lanes->operate(&insn, a, here, here, n));
            ck_assert_mem_eq(here, apart, (size_t)(n + 1) * sizeof *here);
        }
}
END_TEST

START_TEST(test_planes) {
    static uint8_t in[4][CHUNK], out[4][CHUNK + 1];
    static uint32_t reg[CHUNK + 1];
    const TspDtype type = (TspDtype)_i;
    const int32_t bytes = tsp_dtype_bytes(type);
    random_start();
    for (int32_t n = 0; n <= CHUNK; n += n < 40 ? 1 : 56) {
        const uint8_t *from[4] = {NULL};
        uint8_t *to[4] = {NULL};
        for (int32_t p = 0; p < bytes; p++) {
            for (int32_t i = 0; i < CHUNK; i++) in[p][i] = (uint8_t)random_bits();
            memset(out[p], 0x5a, sizeof out[p]);
            from[p] = in[p], to[p] = out[p];
        }
        reg[n] = 0xdeadbeef;
        lanes->load(reg, from, type, n);
        ck_assert_uint_eq(reg[n], 0xdeadbeef);
        for (int32_t i = 0; i < n; i++) {
            uint32_t bits = 0;
            for (int32_t p = 0; p < bytes; p++) bits += (uint32_t)in[p][i] << 8 * p;
            ck_assert_uint_eq(reg[i], in_register(type, bits));
        }
        lanes->store(to, reg, type, n);
        for (int32_t p = 0; p < bytes; p++) {
            ck_assert_mem_eq(out[p], in[p], (size_t)n);
            ck_assert_uint_eq(out[p][n], 0x5a);
        }
    }
}
END_TEST

/* Two planes packed and taken apart again, by the definition. */
START_TEST(test_join_and_split) {
    uint8_t in[2][CHUNK], out[2][CHUNK + 1];
    uint16_t packed[CHUNK + 1];
    random_start();
    for (int32_t n = 0; n <= CHUNK; n++) {
        for (int32_t i = 0; i < 2 * CHUNK; i++) in[i / CHUNK][i % CHUNK] = (uint8_t)random_bits();
        packed[n] = 0xbeef;
        out[0][n] = out[1][n] = 0x5a;
        lanes->join(packed, (const uint8_t *[]){in[0], in[1]}, n);
        lanes->split((uint8_t *[]){out[0], out[1]}, packed, n);
        ck_assert_uint_eq(packed[n], 0xbeef);
        for (int32_t i = 0; i < n; i++) ck_assert_uint_eq(packed[i], in[0][i] + 256u * in[1][i]);
        for (int32_t p = 0; p < 2; p++) {
            ck_assert_mem_eq(out[p], in[p], (size_t)n);
            ck_assert_uint_eq(out[p][n], 0x5a);
        }
    }
}
END_TEST

/* Every map entry meets every lane; superlanes of all sizes that machines have. */
START_TEST(test_distribute) {
    uint8_t data[CHUNK], map[CHUNK], out[CHUNK];
    random_start();
    for (int32_t round = 0; round < 4096; round++) {
        const int32_t tile = round % 8 ? 16 : 1 + random_below(16), n = CHUNK / tile * tile;
        for (int32_t i = 0; i < n; i++) {
            data[i] = (uint8_t)random_bits();
            map[i] = (uint8_t)(round < 256 ? i + round : random_below(round % 2 ? 256 : 20));
        }
        lanes->distribute(data, map, out, tile, n);
        for (int32_t i = 0; i < n; i++)
            ck_assert_uint_eq(out[i], map[i] < tile ? data[i / tile * tile + map[i]] : 0);
    }
}
END_TEST

static void add_tests(Suite *suite, const char *name, void (*use)(void)) {
    TCase *tests = tcase_create(name);
    tcase_add_unchecked_fixture(tests, use, NULL);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_known_values);
    tcase_add_test(tests, test_bytes_exhaustively);
    tcase_add_test(tests, test_join_and_split);
    tcase_add_test(tests, test_distribute);
    tcase_add_loop_test(tests, test_pairs, 0, 4);
    tcase_add_loop_test(tests, test_unary, 0, TYPES);
    tcase_add_loop_test(tests, test_converts, 0, TYPES);
    tcase_add_test(tests, test_knows_what_validates);
    tcase_add_test(tests, test_in_place);
    tcase_add_loop_test(tests, test_planes, 0, TYPES);
    tcase_add_test(tests, test_curve_specials);
    suite_add_tcase(suite, tests);
}

/* The curves are compiled once, for any host. */
static void add_curves(Suite *suite) {
    TCase *tests = tcase_create("curves"), *exhaustive = tcase_create("exhaustive");
    tcase_add_unchecked_fixture(tests, use_plain, NULL);
    tcase_add_unchecked_fixture(exhaustive, use_plain, NULL);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, test_curves, 0, COUNT(curve_ops));
    tcase_add_loop_test(tests, test_curve_checksums, 0, COUNT(curve_ops));
    suite_add_tcase(suite, tests);
    if (getenv("LANES_EXHAUSTIVE") != NULL) {
        tcase_set_timeout(exhaustive, 4 * 3600);
        tcase_add_loop_test(exhaustive, test_curves_exhaustively, 0, COUNT(curve_ops));
    }
    suite_add_tcase(suite, exhaustive);
}

int main(void) {
    Suite *suite = suite_create("lanes");
    add_tests(suite, "plain", use_plain);
    if (tsp_gemm_available(TSP_GEMM_AVX2)) add_tests(suite, "avx2", use_avx2);
    if (tsp_gemm_available(TSP_GEMM_AVX512)) add_tests(suite, "avx512", use_avx512);
    add_curves(suite);
    return run_suite(suite);
}
