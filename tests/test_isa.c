/* test_isa.c - the instruction table: every bit accounted for, every operand checked. */
#include "isa/isa.h"
#include "tests/seeded.h"

#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- helpers ---- */

static void field_put(TspInsn *insn, const TspField *f, int64_t value) {
    *(int32_t *)(void *)((char *)insn + f->offset) = (int32_t)value;
}

static void flip(TspWord *word, int bit) {
    if (bit < 64)
        word->lo ^= UINT64_C(1) << bit;
    else
        word->hi ^= UINT64_C(1) << (bit - 64);
}

/* The values that the bits of a field are allowed to hold, told again by kind. */
static void field_range(const TspField *f, int64_t *min, int64_t *max) {
    int bits = f->hi - f->lo + 1;
    *min = 0;
    *max = (INT64_C(1) << bits) - 1;
    if (f->kind == TSP_KIND_SINT || f->kind == TSP_KIND_IMM) {
        *min = -(INT64_C(1) << (bits - 1));
        *max = -*min - 1;
    }
    if (f->kind == TSP_KIND_TYPE) *max = 5;
    if (f->kind == TSP_KIND_DST) *max = 64;
    if (f->kind == TSP_KIND_SRC) *max = 255;
}

static TspInsn random_insn(TspOpcode op) {
    const TspInsnInfo *info = tsp_insn_info(op);
    TspInsn insn = {.op = op};
    for (int32_t i = 0; i < info->field_count; i++) {
        const TspField *f = &info->fields[i];
        int64_t min, max;
        if (f->kind == TSP_KIND_RESERVED) continue;
        field_range(f, &min, &max);
        uint64_t span = (uint64_t)(max - min + 1);
        uint64_t pick = random_bits() >> 8;
        field_put(&insn, f,
                  pick % 8 == 0   ? min
                  : pick % 8 == 1 ? max
                                  : min + (int64_t)(pick % span));
    }
    return insn;
}

static TspWord encoded(const TspInsn *insn) {
    TspWord word;
    TspError err;
    ck_assert_msg(tsp_encode(insn, &word, &err), "%s", err.text);
    return word;
}

static TspMachine machine(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

/* ---- the table ---- */

START_TEST(every_bit_of_every_instruction_has_one_meaning) {
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsnInfo *info = tsp_insn_info((TspOpcode)op);
        int uses[128] = {0};
        for (int bit = 0; bit < 8; bit++) uses[bit]++;
        for (int32_t i = 0; i < info->field_count; i++) {
            ck_assert_int_ge(info->fields[i].hi, info->fields[i].lo);
            ck_assert_int_lt(info->fields[i].hi, 128);
            for (int bit = info->fields[i].lo; bit <= info->fields[i].hi; bit++) uses[bit]++;
        }
        for (int bit = 0; bit < 128; bit++)
            ck_assert_msg(uses[bit] == 1, "%s: bit %d is used %d times", info->name, bit,
                          uses[bit]);
    }
}
END_TEST

START_TEST(opcodes_and_mnemonics_are_unique) {
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsnInfo *info = tsp_insn_info((TspOpcode)op);
        ck_assert_int_eq(tsp_insn_find(info->mnemonic), op);
        for (int other = 0; other < op; other++) {
            ck_assert_int_ne(info->code, tsp_insn_info((TspOpcode)other)->code);
            ck_assert_str_ne(info->name, tsp_insn_info((TspOpcode)other)->name);
        }
    }
    ck_assert_int_eq(tsp_insn_find("read.writ"), -1);
}
END_TEST

START_TEST(operands_of_an_instruction_are_distinct_members) {
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsnInfo *info = tsp_insn_info((TspOpcode)op);
        for (int32_t i = 0; i < info->field_count; i++)
            for (int32_t k = 0; k < i; k++)
                if (info->fields[i].name != NULL && info->fields[k].name != NULL)
                    ck_assert_int_ne(info->fields[i].offset, info->fields[k].offset);
    }
}
END_TEST

START_TEST(an_entry_holds_what_isa_def_says) {
    const TspInsnInfo *info = tsp_insn_info(TSP_OP_READ_WRITE);
    ck_assert_str_eq(info->name, "READ_WRITE");
    ck_assert_str_eq(info->mnemonic, "read.write");
    ck_assert_int_eq(info->code, 0x12);
    ck_assert_int_eq(info->unit, TSP_UNIT_MEM);
    ck_assert_int_eq(info->role, TSP_ROLE_NONE);
    ck_assert(info->modelled);
    ck_assert_str_eq(info->skew_text, "0");
    ck_assert_str_eq(info->func_text, "m->mem_write_cycles");
    ck_assert_int_eq(info->field_count, 5);
    ck_assert_str_eq(info->fields[3].name, "wstream");
    ck_assert_int_eq(info->fields[3].hi, 45);
    ck_assert_int_eq(info->fields[3].lo, 40);
    ck_assert_int_eq(info->fields[3].kind, TSP_KIND_STREAM);
    ck_assert(info->fields[3].needed);
    ck_assert_uint_eq(info->fields[3].offset, offsetof(TspInsn, wstream));
    ck_assert_ptr_null(info->fields[4].name);
    ck_assert_int_eq(info->fields[4].kind, TSP_KIND_RESERVED);
    info = tsp_insn_info(TSP_OP_ACC);
    ck_assert_int_eq(info->role, TSP_ROLE_RESULTS);
    ck_assert_str_eq(info->fields[3].name, "stream");
    ck_assert(!info->fields[3].needed);
    ck_assert_int_eq(info->fields[3].dflt, 0);
    ck_assert(tsp_insn_info(TSP_OP_TANH)->modelled);
    ck_assert(!tsp_insn_info(TSP_OP_SEND)->modelled);
    ck_assert_int_eq(tsp_insn_info(TSP_OP_SYNC)->field_count, 1);
    ck_assert_int_eq(tsp_insn_info(TSP_OP_CVT)->field_count, 6);
    ck_assert_int_eq(tsp_insn_info(TSP_OP_ADD)->field_count, 7);
}
END_TEST

START_TEST(delays_come_from_the_machine) {
    TspMachine m = machine("tsp1");
    for (int op = 0; op < TSP_OP_COUNT; op++)
        ck_assert_int_eq(tsp_insn_skew(&m, &(TspInsn){.op = (TspOpcode)op}), 0);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_READ), 1);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_WRITE), 3);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_GATHER), 2);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_ADD), 7);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_LW), 6);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_IW), 3);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_ABC), 22);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_ACC), 40);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_PERMUTE), 60);
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_NOTIFY), 35);
    m.vxm_op_cycles = 11;
    ck_assert_int_eq(tsp_op_func(&m, TSP_OP_RELU), 15);
}
END_TEST

START_TEST(types_have_names_and_sizes) {
    static const struct {
        TspDtype type;
        const char *brief, *name;
        int32_t bytes;
    } want[] = {{TSP_I8, "i8", "int8", 1},      {TSP_U8, "u8", "uint8", 1},
                {TSP_I16, "i16", "int16", 2},   {TSP_I32, "i32", "int32", 4},
                {TSP_F16, "f16", "float16", 2}, {TSP_F32, "f32", "float32", 4},
                {TSP_BOOL, "bool", "bool", 1}};
    for (int i = 0; i < TSP_DTYPE_COUNT; i++) {
        ck_assert_int_eq(want[i].type, i);
        ck_assert_str_eq(tsp_dtype_short(want[i].type), want[i].brief);
        ck_assert_str_eq(tsp_dtype_name(want[i].type), want[i].name);
        ck_assert_int_eq(tsp_dtype_bytes(want[i].type), want[i].bytes);
        ck_assert_int_eq(tsp_dtype_find(want[i].brief), i);
        ck_assert_int_eq(tsp_dtype_find(want[i].name), i);
    }
    ck_assert_int_eq(tsp_dtype_find("int64"), -1);
}
END_TEST

/* ---- encoding ---- */

START_TEST(known_words) {
    TspInsn nop = {.op = TSP_OP_NOP, .n = 5};
    TspInsn read = {.op = TSP_OP_READ, .addr = 0x1234, .stream = TSP_STREAM(TSP_WESTWARD, 4)};
    TspInsn repeat = {
        .op = TSP_OP_REPEAT, .n = 3, .d = 2, .a = -1, .n2 = 0x8001, .d2 = 7, .w2 = -8192};
    TspInsn add = {.op = TSP_OP_ADD,
                   .type = TSP_I32,
                   .dst = TSP_DST_NONE,
                   .src_a = TSP_SRC(TSP_SRC_LATCH, 15),
                   .src_b = TSP_SRC(TSP_SRC_IMM, 0),
                   .imm = -2};
    ck_assert_uint_eq(encoded(&nop).lo, 0x0501);
    ck_assert_uint_eq(encoded(&nop).hi, 0);
    ck_assert_uint_eq(encoded(&read).lo, 0x10 | 0x1234 << 8 | 36 << 21);
    ck_assert_uint_eq(encoded(&read).hi, 0);
    /* n2 straddles the two halves: bits 69..54. */
    ck_assert_uint_eq(encoded(&repeat).lo, UINT64_C(0x02) | UINT64_C(3) << 8 | UINT64_C(2) << 24 |
                                               UINT64_C(0x3fff) << 40 | UINT64_C(1) << 54);
    ck_assert_uint_eq(encoded(&repeat).hi, UINT64_C(0x20) | UINT64_C(7) << 6 | UINT64_C(1) << 63);
    ck_assert_uint_eq(encoded(&add).lo, UINT64_C(0x20) | UINT64_C(3) << 8 | UINT64_C(64) << 14 |
                                            UINT64_C(0xcf) << 21 | UINT64_C(0x40) << 30);
    ck_assert_uint_eq(encoded(&add).hi, UINT64_C(0xfffffffe) << 32);
}
END_TEST

START_TEST(random_instructions_survive_encoding) {
    random_start();
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        for (int round = 0; round < 2000; round++) {
            TspInsn insn = random_insn((TspOpcode)op), back;
            TspError err;
            TspWord word = encoded(&insn);
            ck_assert_uint_eq(word.lo & 0xff, tsp_insn_info((TspOpcode)op)->code);
            ck_assert_msg(tsp_decode(word, &back, &err), "%s", err.text);
            ck_assert_mem_eq(&back, &insn, sizeof insn);
        }
    }
}
END_TEST

START_TEST(random_words_decode_to_themselves_or_not_at_all) {
    random_start();
    int decoded = 0;
    for (int round = 0; round < 400000; round++) {
        TspWord word = {random_bits(), random_bits() & random_bits() & random_bits()};
        TspInsn insn;
        TspError err;
        if (round % 2) word.hi = 0, word.lo &= 0x3fffffffff;
        if (round % 4 == 1) word.lo &= 0x7ffffff;
        if (tsp_decode(word, &insn, &err)) {
            TspWord back = encoded(&insn);
            ck_assert_uint_eq(back.lo, word.lo);
            ck_assert_uint_eq(back.hi, word.hi);
            decoded++;
        } else {
            ck_assert_int_eq(err.kind, TSP_ERR_ILLEGAL);
            ck_assert_int_eq(err.rule, TSP_RULE_ENCODING);
        }
    }
    ck_assert_int_gt(decoded, 1000);
}
END_TEST

START_TEST(every_reserved_bit_is_refused) {
    random_start();
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsnInfo *info = tsp_insn_info((TspOpcode)op);
        for (int32_t i = 0; i < info->field_count; i++) {
            const TspField *f = &info->fields[i];
            if (f->kind != TSP_KIND_RESERVED) continue;
            for (int bit = f->lo; bit <= f->hi; bit++) {
                TspInsn insn = random_insn((TspOpcode)op);
                TspWord word = encoded(&insn);
                TspError err;
                flip(&word, bit);
                ck_assert_msg(!tsp_decode(word, &insn, &err), "%s bit %d", info->name, bit);
                ck_assert_int_eq(err.rule, TSP_RULE_ENCODING);
                ck_assert_ptr_nonnull(strstr(err.text, "reserved"));
            }
        }
    }
}
END_TEST

START_TEST(unknown_opcodes_are_refused) {
    bool known[256] = {false};
    for (int op = 0; op < TSP_OP_COUNT; op++) known[tsp_insn_info((TspOpcode)op)->code] = true;
    for (unsigned code = 0; code < 256; code++) {
        TspInsn insn;
        TspError err;
        if (known[code]) continue;
        ck_assert(!tsp_decode((TspWord){code, 0}, &insn, &err));
        ck_assert_int_eq(err.rule, TSP_RULE_ENCODING);
    }
    ck_assert(!known[0]); /* cleared memory is no program */
}
END_TEST

START_TEST(values_that_do_not_fit_are_refused_by_name) {
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsnInfo *info = tsp_insn_info((TspOpcode)op);
        for (int32_t i = 0; i < info->field_count; i++) {
            const TspField *f = &info->fields[i];
            int64_t min, max;
            if (f->kind == TSP_KIND_RESERVED || f->kind == TSP_KIND_IMM) continue;
            field_range(f, &min, &max);
            for (int side = 0; side < 2; side++) {
                TspInsn insn = {.op = (TspOpcode)op};
                TspWord word;
                TspError err;
                char name[64];
                field_put(&insn, f, side ? max : min);
                ck_assert(tsp_encode(&insn, &word, &err));
                field_put(&insn, f, side ? max + 1 : min - 1);
                ck_assert(!tsp_encode(&insn, &word, &err));
                ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
                snprintf(name, sizeof name, "%s: %s is ", info->mnemonic, f->name);
                ck_assert_ptr_eq(strstr(err.text, name), err.text);
            }
        }
    }
    TspInsn none = {.op = TSP_OP_COUNT};
    TspWord word;
    TspError err;
    ck_assert(!tsp_encode(&none, &word, &err));
}
END_TEST

START_TEST(codes_without_meaning_are_refused) {
    static const struct {
        uint64_t lo;
        const char *error;
    } bad[] = {
        {0x20 | 6 << 8, "add: type holds code 6, which means nothing"},
        {0x20 | 7 << 8, "add: type holds code 7, which means nothing"},
        {0x40 | 6 << 11, "cvt: type2 holds code 6, which means nothing"},
        {0x51 | 7 << 8, "iw: type holds code 7, which means nothing"},
        {0x20 | 65 << 14, "add: dst holds code 65, which means nothing"},
        {0x20 | 127 << 14, "add: dst holds code 127, which means nothing"},
        {0x20 | 256 << 21, "add: src_a holds code 256, which means nothing"},
        {0x20 | UINT64_C(511) << 30, "add: src_b holds code 511, which means nothing"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        TspInsn insn;
        TspError err;
        ck_assert(!tsp_decode((TspWord){bad[i].lo, 0}, &insn, &err));
        ck_assert_str_eq(err.text, bad[i].error);
        ck_assert_int_eq(err.rule, TSP_RULE_ENCODING);
    }
}
END_TEST

START_TEST(signs_are_extended) {
    TspInsn insn;
    TspError err;
    /* Repeat: a is bits 53..40, w2 bits 127..114, both 14 bits wide. */
    ck_assert(tsp_decode((TspWord){UINT64_C(0x02) | UINT64_C(0x2000) << 40, 0}, &insn, &err));
    ck_assert_int_eq(insn.a, -8192);
    ck_assert(tsp_decode((TspWord){UINT64_C(0x02) | UINT64_C(0x1fff) << 40, 0}, &insn, &err));
    ck_assert_int_eq(insn.a, 8191);
    ck_assert(tsp_decode((TspWord){0x02, UINT64_C(0x3fff) << 50}, &insn, &err));
    ck_assert_int_eq(insn.w2, -1);
}
END_TEST

/* ---- documentation ---- */

START_TEST(the_reference_in_docs_is_the_generated_one) {
    char *text = tsp_isa_markdown();
    size_t length = strlen(text);
    FILE *file = fopen("docs/isa.md", "rb");
    ck_assert_ptr_nonnull(file);
    char *found = calloc(1, length + 2);
    size_t got = fread(found, 1, length + 1, file);
    fclose(file);
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        char title[64];
        snprintf(title, sizeof title, "\n### `%s`", tsp_insn_info((TspOpcode)op)->mnemonic);
        ck_assert_ptr_nonnull(strstr(text, title));
    }
    ck_assert_msg(got == length && memcmp(found, text, length) == 0,
                  "docs/isa.md is out of date; run make docs");
    free(found);
    free(text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("isa");
    TCase *tests = tcase_create("isa");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_bit_of_every_instruction_has_one_meaning);
    tcase_add_test(tests, opcodes_and_mnemonics_are_unique);
    tcase_add_test(tests, operands_of_an_instruction_are_distinct_members);
    tcase_add_test(tests, an_entry_holds_what_isa_def_says);
    tcase_add_test(tests, delays_come_from_the_machine);
    tcase_add_test(tests, types_have_names_and_sizes);
    tcase_add_test(tests, known_words);
    tcase_add_test(tests, random_instructions_survive_encoding);
    tcase_add_test(tests, random_words_decode_to_themselves_or_not_at_all);
    tcase_add_test(tests, every_reserved_bit_is_refused);
    tcase_add_test(tests, unknown_opcodes_are_refused);
    tcase_add_test(tests, values_that_do_not_fit_are_refused_by_name);
    tcase_add_test(tests, codes_without_meaning_are_refused);
    tcase_add_test(tests, signs_are_extended);
    tcase_add_test(tests, the_reference_in_docs_is_the_generated_one);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
