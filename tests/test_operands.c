/* test_operands.c - which operands an instruction may have on a machine, and in which queue. */
#include "isa/isa.h"

#include "suite.h"

static TspMachine machine(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

typedef struct {
    const char *queue;
    TspRule rule; /* NONE: legal */
    TspInsn insn;
} Case;

enum { W = 32, NONE = TSP_DST_NONE, IMM = TSP_SRC(TSP_SRC_IMM, 0) };
#define ALU(n)   TSP_SRC(TSP_SRC_ALU, n)
#define LATCH(n) TSP_SRC(TSP_SRC_LATCH, n)

static void check_cases(const TspMachine *m, const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        TspError err = {.rule = TSP_RULE_NONE};
        int32_t queue = tsp_queue_find(m, cases[i].queue);
        ck_assert_msg(queue >= 0, "%s", cases[i].queue);
        bool ok = tsp_insn_validate(m, &cases[i].insn, queue, &err);
        TspRule rule = ok ? TSP_RULE_NONE : err.rule;
        ck_assert_msg(rule == cases[i].rule, "case %zu, %s: %s instead of %s (%s)", i,
                      tsp_insn_info(cases[i].insn.op)->mnemonic, tsp_rule_name(rule),
                      tsp_rule_name(cases[i].rule), ok ? "" : err.text);
        if (ok) continue;
        ck_assert_int_eq(err.kind, TSP_ERR_ILLEGAL);
        ck_assert_int_eq(err.queue, queue);
        ck_assert_int_eq(err.cycle, -1);
    }
}
#define CHECK_CASES(m, cases) check_cases(m, cases, sizeof cases / sizeof cases[0])

#define OK(...)                                                                                    \
    TSP_RULE_NONE, {                                                                               \
        __VA_ARGS__                                                                                \
    }
#define BAD(the_rule, ...)                                                                         \
    TSP_RULE_##the_rule, {                                                                         \
        __VA_ARGS__                                                                                \
    }

START_TEST(operands_on_tsp1) {
    static const Case cases[] = {
        {"mem.w0", OK(TSP_OP_NOP, .n = 1)},
        {"c2c.3", BAD(OPERAND, TSP_OP_NOP, .n = 0)},
        {"mem.w0", OK(TSP_OP_REPEAT, .n = 1, .d = 1)},
        {"mem.w0", OK(TSP_OP_REPEAT, .n = 3, .d = 2, .n2 = 1, .d2 = 7)},
        {"mem.w0", OK(TSP_OP_REPEAT, .n2 = 1, .d2 = 1)},
        {"mem.w0", BAD(OPERAND, TSP_OP_REPEAT, .d = 1, .d2 = 5)},
        {"mem.w0", BAD(OPERAND, TSP_OP_REPEAT, .n = 1)},
        {"mem.w0", BAD(OPERAND, TSP_OP_REPEAT, .n = 3, .d = 2, .n2 = 1, .d2 = 6)},
        {"mem.w0", BAD(OPERAND, TSP_OP_REPEAT, .n2 = 1)},
        {"mem.e43", OK(TSP_OP_READ, .addr = 8191, .stream = 31 + W)},
        {"mem.e43", BAD(ADDRESS_RANGE, TSP_OP_READ, .addr = 8192)},
        {"mem.e43", BAD(ADDRESS_RANGE, TSP_OP_READ, .addr = -1)},
        {"mem.e43", BAD(STREAM_RANGE, TSP_OP_READ, .stream = 64)},
        {"mem.e43", BAD(STREAM_RANGE, TSP_OP_READ, .stream = -1)},
        {"vxm.0", BAD(QUEUE_UNIT, TSP_OP_READ, .addr = 1)},
        {"mem.w0", BAD(ADDRESS_RANGE, TSP_OP_WRITE, .waddr = 8192)},
        {"mem.w0", OK(TSP_OP_READ_WRITE, .addr = 4095, .waddr = 4096)},
        {"mem.w0", BAD(BANK_CONFLICT, TSP_OP_READ_WRITE, .addr = 4095, .waddr = 0)},
        {"mem.w0", BAD(BANK_CONFLICT, TSP_OP_READ_WRITE, .addr = 4096, .waddr = 8191)},
        {"vxm.15", OK(TSP_OP_ADD, .type = TSP_I32, .dst = 28, .src_a = 4 + W, .src_b = ALU(0))},
        {"vxm.0", BAD(STREAM_ALIGN, TSP_OP_ADD, .type = TSP_I32, .dst = 26)},
        {"vxm.0", BAD(STREAM_ALIGN, TSP_OP_ADD, .type = TSP_I32, .dst = 4, .src_b = 2)},
        {"vxm.0", OK(TSP_OP_ADD, .type = TSP_I16, .dst = 30, .src_a = 2, .src_b = IMM)},
        {"vxm.0", BAD(STREAM_ALIGN, TSP_OP_ADD, .type = TSP_F16, .dst = 29)},
        {"vxm.0", OK(TSP_OP_ADD, .type = TSP_U8, .dst = NONE, .src_a = 31, .src_b = LATCH(15))},
        {"vxm.0", BAD(OPERAND, TSP_OP_ADD, .type = TSP_U8, .dst = NONE, .src_b = ALU(16))},
        {"vxm.0", BAD(OPERAND, TSP_OP_ADD, .type = TSP_U8, .dst = NONE, .src_a = LATCH(63))},
        {"vxm.0", BAD(OPERAND, TSP_OP_ADD, .type = TSP_U8, .dst = NONE, .src_a = IMM + 1)},
        {"vxm.0", BAD(OPERAND, TSP_OP_ADD, .type = TSP_U8, .dst = NONE, .src_a = 256)},
        {"vxm.0", BAD(OPERAND, TSP_OP_ADD, .type = TSP_BOOL, .dst = NONE)},
        {"vxm.0", BAD(STREAM_RANGE, TSP_OP_ADD, .type = TSP_U8, .dst = 65)},
        /* A comparison's result is as wide as its operands, a conversion's as type2. */
        {"vxm.0", BAD(STREAM_ALIGN, TSP_OP_EQ, .type = TSP_F32, .dst = 1)},
        {"vxm.0", OK(TSP_OP_CVT, .type = TSP_I32, .type2 = TSP_I8, .dst = 31, .src_a = 28)},
        {"vxm.0", BAD(STREAM_ALIGN, TSP_OP_CVT_SAT, .type = TSP_I8, .type2 = TSP_I32, .dst = 27)},
        {"vxm.0", BAD(STREAM_ALIGN, TSP_OP_CVT, .type = TSP_I32, .type2 = TSP_I8, .src_a = 1)},
        {"vxm.0", OK(TSP_OP_SHL, .type = TSP_I32, .src_b = IMM)},
        {"vxm.0", BAD(OPERAND, TSP_OP_SHR, .type = TSP_F32, .src_b = IMM)},
        {"vxm.0", BAD(OPERAND, TSP_OP_NOT, .type = TSP_F16)},
        {"vxm.0", BAD(OPERAND, TSP_OP_TANH, .type = TSP_I8)},
        {"mxm.w.0.weights", OK(TSP_OP_LW, .stream = 16 + W, .group = 19, .count = 16)},
        {"mxm.w.0.weights", BAD(STREAM_ALIGN, TSP_OP_LW, .stream = 8, .count = 16)},
        {"mxm.w.0.weights", BAD(OPERAND, TSP_OP_LW, .group = 20, .count = 1)},
        {"mxm.w.0.weights", BAD(OPERAND, TSP_OP_LW, .count = 17)},
        {"mxm.w.0.weights", BAD(OPERAND, TSP_OP_LW, .count = 0)},
        {"mxm.w.0.results", BAD(QUEUE_UNIT, TSP_OP_LW, .count = 1)},
        {"mxm.e.1.weights", OK(TSP_OP_IW, .type = TSP_F16)},
        {"mxm.e.1.weights", BAD(OPERAND, TSP_OP_IW, .type = TSP_I16)},
        {"mxm.e.1.activations", OK(TSP_OP_ABC, .type = TSP_U8, .stream = 31)},
        {"mxm.e.1.activations", BAD(OPERAND, TSP_OP_ABC, .type = TSP_I32)},
        {"mxm.e.1.activations", BAD(OPERAND, TSP_OP_ABC, .type = TSP_F16)},
        {"mxm.e.0.activations", OK(TSP_OP_ABC, .type = TSP_F16, .stream = 30)},
        {"mxm.e.0.activations", BAD(STREAM_ALIGN, TSP_OP_ABC, .type = TSP_F16, .stream = 29)},
        {"mxm.w.0.results", OK(TSP_OP_ACC, .emit = 1, .stream = 28 + W)},
        {"mxm.w.0.results", OK(TSP_OP_ACC, .row = 639)},
        {"mxm.w.0.results", OK(TSP_OP_ACC, .add = 1, .emit = 1, .row = 639, .stream = 4)},
        {"mxm.w.0.results", BAD(ACCUMULATOR_RANGE, TSP_OP_ACC, .row = 640)},
        {"mxm.w.0.results", BAD(ACCUMULATOR_RANGE, TSP_OP_ACC, .add = 1, .emit = 1, .row = 640)},
        {"mxm.w.0.results", BAD(OPERAND, TSP_OP_ACC, .emit = 1, .row = 1)},
        {"mxm.w.0.results", BAD(OPERAND, TSP_OP_ACC, .stream = 4)},
        {"mxm.w.0.results", BAD(OPERAND, TSP_OP_ACC, .add = 2)},
        {"mxm.w.0.results", BAD(STREAM_ALIGN, TSP_OP_ACC, .emit = 1, .stream = 2)},
        {"sxm.e.transpose.1", OK(TSP_OP_TRANSPOSE, .stream = 16, .src = W)},
        {"sxm.e.transpose.1", BAD(STREAM_ALIGN, TSP_OP_TRANSPOSE, .stream = 16, .src = 4)},
        {"sxm.e.shift.0", BAD(QUEUE_UNIT, TSP_OP_TRANSPOSE, .src = 16)},
        {"c2c.0", BAD(QUEUE_UNIT, TSP_OP_WRITE, .waddr = 1)},
    };
    TspMachine m = machine("tsp1");
    CHECK_CASES(&m, cases);
}
END_TEST

START_TEST(operands_on_tiny) {
    static const Case cases[] = {
        {"mem.w0", OK(TSP_OP_READ, .addr = 1023, .stream = 15)},
        {"mem.w0", BAD(ADDRESS_RANGE, TSP_OP_READ, .addr = 1024)},
        {"mem.w0", BAD(STREAM_RANGE, TSP_OP_READ, .stream = 16)},
        {"mem.w0", BAD(STREAM_RANGE, TSP_OP_READ, .stream = 16 + W)},
        {"mem.w0", BAD(BANK_CONFLICT, TSP_OP_READ_WRITE, .addr = 0, .waddr = 511)},
        {"mem.w0", OK(TSP_OP_READ_WRITE, .addr = 512, .waddr = 511)},
        {"vxm.0", BAD(STREAM_RANGE, TSP_OP_NEG, .type = TSP_I32, .dst = 16)},
        {"mxm.w.0.weights", OK(TSP_OP_LW, .stream = 12, .group = 3, .count = 4)},
        {"mxm.w.0.weights", BAD(OPERAND, TSP_OP_LW, .group = 4, .count = 1)},
        {"mxm.w.0.weights", BAD(OPERAND, TSP_OP_LW, .count = 5)},
        {"mxm.w.0.results", BAD(ACCUMULATOR_RANGE, TSP_OP_ACC, .row = 64)},
        {"sxm.w.transpose.0", OK(TSP_OP_TRANSPOSE, .stream = 4, .src = 12 + W)},
    };
    TspMachine m = machine("tiny");
    TspError err;
    TspInsn nop = {.op = TSP_OP_NOP, .n = 1};
    CHECK_CASES(&m, cases);
    ck_assert(!tsp_insn_validate(&m, &nop, tsp_queue_count(&m), &err));
    ck_assert_int_eq(err.rule, TSP_RULE_QUEUE_UNIT);
    /* A group of 3 at stream 15 starts aligned and runs past the end. */
    m.mxm_load_streams = 3;
    static const Case past[] = {
        {"mxm.w.0.weights", BAD(STREAM_RANGE, TSP_OP_LW, .stream = 15, .count = 1)},
        {"mxm.w.0.weights", OK(TSP_OP_LW, .stream = 12, .group = 5, .count = 1)},
        {"mxm.w.0.weights", BAD(OPERAND, TSP_OP_LW, .stream = 12, .group = 5, .count = 2)},
    };
    CHECK_CASES(&m, past);
}
END_TEST

START_TEST(no_accumulator_rows_means_emit_only) {
    static const Case cases[] = {
        {"mxm.w.0.results", OK(TSP_OP_ACC, .emit = 1)},
        {"mxm.w.0.results", BAD(ACCUMULATOR_RANGE, TSP_OP_ACC, .row = 0)},
        {"mxm.w.0.results", BAD(ACCUMULATOR_RANGE, TSP_OP_ACC, .add = 1, .emit = 1)},
    };
    TspMachine m = machine("tsp1");
    m.mxm_accumulator_rows = 0;
    CHECK_CASES(&m, cases);
}
END_TEST

START_TEST(mesh_wiring) {
    /* 5 stands at x 1, y 1 of the 4 x 4 mesh. 3 and 4 follow each other but are no neighbours. */
    static const int32_t neighbours_of_5[] = {1, 4, 5, 6, 9}, neighbours_of_3[] = {2, 3, 7};
    TspMachine m = machine("tsp1");
    m.vxm_neighbour_only = 1;
    for (int32_t source = 0; source < 16; source++) {
        TspInsn insn = {.op = TSP_OP_PASS, .dst = NONE, .src_a = ALU(source)};
        bool reach5 = false, reach3 = false;
        TspError err;
        for (int i = 0; i < 5; i++) reach5 |= neighbours_of_5[i] == source;
        for (int i = 0; i < 3; i++) reach3 |= neighbours_of_3[i] == source;
        ck_assert_int_eq(tsp_insn_validate(&m, &insn, tsp_queue_vxm(&m, 5), &err), reach5);
        if (!reach5) ck_assert_int_eq(err.rule, TSP_RULE_ALU_WIRING);
        insn.src_a = LATCH(source);
        ck_assert_int_eq(tsp_insn_validate(&m, &insn, tsp_queue_vxm(&m, 3), &err), reach3);
        if (!reach3) ck_assert_int_eq(err.rule, TSP_RULE_ALU_WIRING);
    }
}
END_TEST

START_TEST(queues_take_their_own_instructions) {
    TspMachine m = machine("tsp1");
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsnInfo *info = tsp_insn_info((TspOpcode)op);
        int fits = 0;
        for (int32_t q = 0; q < tsp_queue_count(&m); q++)
            fits += tsp_insn_fits_queue(&m, (TspOpcode)op, q);
        static const int by_unit[] = {160, 88, 16, 0, 0, 16};
        static const int by_role[] = {0, 4, 4, 4, 4, 8, 2, 8, 4, 2};
        ck_assert_int_eq(fits,
                         info->role == TSP_ROLE_NONE ? by_unit[info->unit] : by_role[info->role]);
    }
    ck_assert(!tsp_insn_fits_queue(&m, TSP_OP_NOP, -1));
    ck_assert(!tsp_insn_fits_queue(&m, TSP_OP_NOP, 160));
}
END_TEST

static int32_t span(const TspMachine *m, TspInsn insn, int field) {
    return tsp_field_streams(m, &tsp_insn_info(insn.op)->fields[field], &insn);
}

START_TEST(operands_span_streams) {
    TspMachine m = machine("tsp1");
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_READ}, 0), 0);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_READ}, 1), 1);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_CVT, .type = TSP_I32, .type2 = TSP_F16}, 2),
                     2);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_CVT, .type = TSP_I32, .type2 = TSP_F16}, 3),
                     4);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_LT, .type = TSP_F32, .dst = NONE}, 1), 0);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_LT, .type = TSP_F32, .dst = 4}, 1), 4);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_LT, .type = TSP_F32, .src_b = IMM}, 3), 0);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_LW, .count = 3}, 0), 16);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_ABC, .type = TSP_F16}, 1), 2);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_ACC}, 3), 4);
    ck_assert_int_eq(span(&m, (TspInsn){.op = TSP_OP_TRANSPOSE}, 0), 16);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("operands");
    TCase *tests = tcase_create("operands");
    tcase_add_test(tests, operands_on_tsp1);
    tcase_add_test(tests, operands_on_tiny);
    tcase_add_test(tests, no_accumulator_rows_means_emit_only);
    tcase_add_test(tests, mesh_wiring);
    tcase_add_test(tests, queues_take_their_own_instructions);
    tcase_add_test(tests, operands_span_streams);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
