/* test_asm.c - the assembler: what it encodes, and the cycles it counts. */
#include "asm_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t queue(const TspProgram *p, const char *name) {
    int32_t q = tsp_queue_find(&p->machine, name);
    ck_assert_int_ge(q, 0);
    return q;
}

static TspInsn insn(const TspProgram *p, const char *name, int32_t index) {
    const TspQueue *q = &p->queues[queue(p, name)];
    TspInsn i;
    TspError err;
    ck_assert_int_lt(index, q->count);
    ck_assert(tsp_decode(q->words[index], &i, &err));
    return i;
}

/* ---- what it encodes ---- */

START_TEST(operands_of_every_kind) {
    TspProgram p = assemble("; comment\n"
                            "@mem.w3\n"
                            "read 0x10, s4.e // other comment\n"
                            "repeat 3, 2, -5\n"
                            "read.write 8191, s1.w, 2*3+1, s31.e\n"
                            "repeat 1, 1, w=2, n2=4, d2=9\n"
                            "@vxm.5\n"
                            "add.sat i8, s1.e, s0.w, #-1\n"
                            "mul f32, none, alu3, #1.5f\n"
                            "max f16, s2.e, latch15, #-1.5h\n"
                            "cvt.sat i32, u8, s7.w, s8.e\n"
                            "add i32, s4.e, #0xffffffff, #-1\n"
                            "pass i32, s4.e, s8.w, imm=#0x12345678\n"
                            "@mxm.e.1.weights\n"
                            "lw s16.e, 3, 16\n"
                            "iw f16\n"
                            "@mxm.e.1.results\n"
                            "acc 1, 0, 7\n"
                            "acc add=0, emit=1, row=0, stream=s4.w\n"
                            "@mem.w3\n" /* goes on where it was */
                            "notify\n");
    TspInsn i;
    ck_assert_int_eq(p.queues[queue(&p, "mem.w3")].count, 5);
    i = insn(&p, "mem.w3", 0);
    ck_assert_int_eq(i.op, TSP_OP_READ);
    ck_assert_int_eq(i.addr, 16);
    ck_assert_int_eq(i.stream, 4);
    i = insn(&p, "mem.w3", 1);
    ck_assert_int_eq(i.n, 3);
    ck_assert_int_eq(i.d, 2);
    ck_assert_int_eq(i.a, -5);
    i = insn(&p, "mem.w3", 2);
    ck_assert_int_eq(i.op, TSP_OP_READ_WRITE);
    ck_assert_int_eq(i.addr, 8191);
    ck_assert_int_eq(i.stream, 33);
    ck_assert_int_eq(i.waddr, 7);
    ck_assert_int_eq(i.wstream, 31);
    i = insn(&p, "mem.w3", 3);
    ck_assert_int_eq(i.a, 0);
    ck_assert_int_eq(i.n2, 4);
    ck_assert_int_eq(i.d2, 9);
    ck_assert_int_eq(i.w, 2);
    ck_assert_int_eq(insn(&p, "mem.w3", 4).op, TSP_OP_NOTIFY);
    i = insn(&p, "vxm.5", 0);
    ck_assert_int_eq(i.dst, 1);
    ck_assert_int_eq(i.src_a, 32);
    ck_assert_int_eq(i.src_b, TSP_SRC(TSP_SRC_IMM, 0));
    ck_assert_int_eq(i.imm, -1);
    i = insn(&p, "vxm.5", 1);
    ck_assert_int_eq(i.type, TSP_F32);
    ck_assert_int_eq(i.dst, TSP_DST_NONE);
    ck_assert_int_eq(i.src_a, TSP_SRC(TSP_SRC_ALU, 3));
    ck_assert_int_eq(i.imm, 0x3fc00000);
    i = insn(&p, "vxm.5", 2);
    ck_assert_int_eq(i.src_a, TSP_SRC(TSP_SRC_LATCH, 15));
    ck_assert_int_eq(i.imm, 0xbe00);
    i = insn(&p, "vxm.5", 3);
    ck_assert_int_eq(i.type, TSP_I32);
    ck_assert_int_eq(i.type2, TSP_U8);
    ck_assert_int_eq(i.dst, 39);
    ck_assert_int_eq(insn(&p, "vxm.5", 4).imm, -1);
    ck_assert_int_eq(insn(&p, "vxm.5", 5).imm, 0x12345678);
    i = insn(&p, "mxm.e.1.weights", 0);
    ck_assert_int_eq(i.stream, 16);
    ck_assert_int_eq(i.group, 3);
    ck_assert_int_eq(i.count, 16);
    i = insn(&p, "mxm.e.1.results", 1);
    ck_assert_int_eq(i.emit, 1);
    ck_assert_int_eq(i.stream, 36);
    check_fixpoint(&p);
    tsp_program_free(&p);
}
END_TEST

START_TEST(instruction_text) {
    TspMachine m = machine("tsp1");
    static const struct {
        TspInsn insn;
        const char *text;
    } cases[] = {
        {{.op = TSP_OP_READ, .addr = 16, .stream = 4}, "read 0x0010, s4.e"},
        {{.op = TSP_OP_SYNC}, "sync"},
        {{.op = TSP_OP_REPEAT, .n = 7, .d = 1}, "repeat 7, 1"},
        {{.op = TSP_OP_REPEAT, .n = 7, .d = 1, .a = 1, .n2 = 2, .d2 = 9}, "repeat 7, 1, 1, 2, 9"},
        {{.op = TSP_OP_REPEAT, .n = 7, .d = 1, .w = -1}, "repeat 7, 1, w=-1"},
        {{.op = TSP_OP_ADD, .type = TSP_I8, .dst = 64, .src_a = 40, .src_b = 64, .imm = -3},
         "add i8, none, s8.w, #-3"},
        {{.op = TSP_OP_MUL,
          .type = TSP_F32,
          .dst = 4,
          .src_a = 131,
          .src_b = 64,
          .imm = 0x3dcccccd},
         "mul f32, s4.e, alu3, #0.1f"},
        {{.op = TSP_OP_MUL, .type = TSP_F32, .src_a = 64, .src_b = 192, .imm = 0x7fc00001},
         "mul f32, s0.e, #0x7fc00001, latch0"},
        {{.op = TSP_OP_MUL, .type = TSP_F16, .src_a = 64, .src_b = 64, .imm = 0x3c00},
         "mul f16, s0.e, #1.0h, #1.0h"},
        {{.op = TSP_OP_NEG, .type = TSP_I32, .imm = 9}, "neg i32, s0.e, s0.e, imm=0x00000009"},
    };
    char text[128], small[8];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tsp_insn_text(&m, &cases[i].insn, text, sizeof text);
        ck_assert_str_eq(text, cases[i].text);
    }
    tsp_insn_text(&m, &cases[0].insn, small, sizeof small);
    ck_assert_str_eq(small, "read 0x");
}
END_TEST

/* ---- cycles ---- */

START_TEST(at_and_labels_count_cycles) {
    TspProgram p = assemble(".equ K = (2+3)*4 - 6/4 % 5\n"     /* 19 */
                            "@mem.w0 at go + K read 0, s0.e\n" /* of a queue read later */
                            "@mem.w1 at 70000 notify\n"
                            "@vxm.0\n"
                            "    nop 5\n"
                            "    pass i8, s0.e, #1\n"          /* 5 */
                            "    repeat 2, 3, n2=1, d2=10\n"   /* last in 5 + 6 + 10 = 21 */
                            "go: at 25 pass i8, s0.e, #1\n"    /* label after its at: 25 */
                            "@mem.w0 at go+K+1 read 0, s0.e\n" /* no padding needed */
                            "@mem.w2\n"
                            "    at go+1\n"
                            "end_of_w2:\n");
    TspInsn i = insn(&p, "mem.w0", 0);
    ck_assert_int_eq(i.op, TSP_OP_NOP);
    ck_assert_int_eq(i.n, 25 + 19);
    ck_assert_int_eq(p.queues[queue(&p, "mem.w0")].count, 3);
    ck_assert_int_eq(p.queues[queue(&p, "mem.w1")].count, 3);
    ck_assert_int_eq(insn(&p, "mem.w1", 0).n, 65535);
    ck_assert_int_eq(insn(&p, "mem.w1", 1).n, 70000 - 65535);
    ck_assert_int_eq(insn(&p, "vxm.0", 3).n, 3); /* 22..24 */
    ck_assert_int_eq(insn(&p, "mem.w2", 0).n, 26);
    ck_assert_int_eq(p.predicted_cycles, 70000 + 35);
    tsp_program_free(&p);
}
END_TEST

START_TEST(predicts_ops) {
    TspProgram p = assemble("@mem.w0\n"
                            ".op A, Load\n"
                            "at 3 read 0, s0.e\n"
                            "repeat 4, 2, 1\n" /* last in 11, on the stream in 12 */
                            ".op\n"
                            "@mem.e0 at 30 write 0, s0.e\n"
                            ".op A, Load\n"
                            "@mem.w1 read 0, s1.e\n"
                            ".op B\n");
    ck_assert_int_eq(p.op_count, 2);
    ck_assert_str_eq(p.ops[0].name, "A");
    ck_assert_str_eq(p.ops[0].type, "Load");
    ck_assert_int_eq(p.ops[0].start, 0);
    ck_assert_int_eq(p.ops[0].end, 12);
    ck_assert_int_eq(p.ops[1].end, 0);
    ck_assert_int_eq(p.predicted_cycles, 33);
    ck_assert_int_eq(p.run_count, 2);
    const TspQueue *q = &p.queues[queue(&p, "mem.w0")];
    ck_assert_int_eq(q->debug[0].run[0], -1); /* the nop */
    ck_assert_int_eq(q->debug[0].line, 3);
    ck_assert_int_ge(q->debug[1].run[0], 0);
    ck_assert_int_eq(p.runs[q->debug[1].run[0]].count, 5);
    ck_assert_int_eq(q->debug[2].run[0], -1);
    ck_assert_int_eq(p.queues[queue(&p, "mem.e0")].debug[1].run[0], -1);
    check_fixpoint(&p);
    tsp_program_free(&p);
    p = assemble("@mem.w0 sync\nread 0, s0.e\nrepeat 1, 1\n@mem.w1 at 9 notify\n");
    ck_assert_int_eq(p.predicted_cycles, -1);
    check_fixpoint(&p);
    tsp_program_free(&p);
}
END_TEST

/* ---- tensors ---- */

START_TEST(tensors_and_where_they_lie) {
    TspProgram p =
        assemble(".machine tiny\n"
                 ".name \"two words\"\n"
                 ".tensor A, int8, [3, 2], constant @ mem.w1:0x20\n"
                 ".data 1, -2, 3\n"
                 ".data -128, 127, 0x10\n"
                 ".tensor \"h/0:\\\"x\\\"\", float16, [2], constant @ mem.e0:5\n"
                 ".data 1.5, 0xfe00\n"
                 ".tensor F, float32, [], constant @ mem.e0:0\n"
                 ".data -2.5e-1\n"
                 ".tensor W, int8, [10, 16], input\n"
                 ".stripe slices=mem.w4..mem.w1, addr=8, row0=1, col0=4\n"
                 ".tensor T, int32, [2, 3, 4], output, transposed\n"
                 ".piece slice=mem.e3, addr=511, addr_step=-1, row0=7, row_step=-2, byte=3\n"
                 ".piece slice=mem.e4, addr=0, rows=2, col0=2, broadcast=16\n"
                 "@mem.w1\n"
                 "read A+1, s0.e\n"
                 "read A[2], s0.e\n"
                 "read W[4], s0.e\n"
                 "@mem.e0 read \"h/0:\\\"x\\\"\", s0.w\n"
                 "@mem.e3 write T[3], s0.e\n");
    static const uint8_t a_bytes[] = {1, 0xfe, 3, 0x80, 127, 16};
    static const uint8_t half_bytes[] = {0x00, 0x3e, 0x00, 0xfe},
                         float_bytes[] = {0, 0, 0x80, 0xbe};
    ck_assert_str_eq(p.machine.name, "tiny");
    ck_assert_str_eq(p.name, "two words");
    ck_assert_mem_eq(p.tensors[0].data, a_bytes, sizeof a_bytes);
    ck_assert_str_eq(p.tensors[1].name, "h/0:\"x\"");
    ck_assert_mem_eq(p.tensors[1].data, half_bytes, sizeof half_bytes);
    ck_assert_int_eq(p.tensors[1].piece_count, 2);
    ck_assert_int_eq(p.tensors[1].pieces[1].slice, tsp_queue_find(&p.machine, "mem.e1"));
    ck_assert_int_eq(p.tensors[1].pieces[1].byte, 1);
    ck_assert_int_eq(p.tensors[1].pieces[1].addr, 5);
    ck_assert_mem_eq(p.tensors[2].data, float_bytes, sizeof float_bytes);
    /* Nine rows 1..9 over four slices: three, two, two, two. */
    static const TspPiece w[] = {{1, 4, 3, 4, 0, 12, 0, 0, 0, 0, 4, 8, 1},
                                 {2, 4, 2, 4, 0, 12, 0, 0, 0, 0, 3, 8, 1},
                                 {3, 4, 2, 4, 0, 12, 0, 0, 0, 0, 2, 8, 1},
                                 {4, 4, 2, 4, 0, 12, 0, 0, 0, 0, 1, 8, 1}};
    ck_assert_int_eq(p.tensors[3].piece_count, 4);
    ck_assert_mem_eq(p.tensors[3].pieces, w, sizeof w);
    /* The matrix of T is 2*4 rows of 3. */
    static const TspPiece t[] = {{7, -2, 4, 0, 0, 3, 3, 0, 0, 0, 11, 511, -1},
                                 {0, 1, 2, 2, 0, 1, 0, 16, 0, 0, 12, 0, 1}};
    ck_assert_mem_eq(p.tensors[4].pieces, t, sizeof t);
    ck_assert_int_eq(insn(&p, "mem.w1", 0).addr, 0x21);
    ck_assert_int_eq(insn(&p, "mem.w1", 1).addr, 0x22);
    ck_assert_int_eq(insn(&p, "mem.w1", 2).addr, 8);
    ck_assert_int_eq(insn(&p, "mem.e0", 0).addr, 5);
    ck_assert_int_eq(insn(&p, "mem.e3", 0).waddr, 509); /* row 3 = 7 - 2*2: two steps of -1 */
    check_fixpoint(&p);
    tsp_program_free(&p);
}
END_TEST

/* 23 elements from element 2 on: three rows of 7, which the piece takes from the last to the
 * first; then every second row of 5, as many as there are; then rows of as many as a vector holds.
 */
START_TEST(elements_lie_whole) {
    TspProgram p = assemble(".machine tiny\n"
                            ".tensor K, int16, [5, 5], input\n"
                            ".piece slice=mem.w1, addr=4, row0=2, row_step=-1, col0=2, cols=7, "
                            "byte=-1, fill=16\n"
                            ".piece slice=mem.w2, addr=9, row_step=2, cols=5, byte=-1\n"
                            ".stripe slices=mem.e0..mem.e1, addr=0, byte=-1, fill=16\n"
                            "@mem.w1 read K[1], s0.e\n");
    static const TspPiece k[] = {{2, -1, 3, 2, 0, 7, -1, 0, 16, 0, 1, 4, 1},
                                 {0, 2, 3, 0, 0, 5, -1, 0, 0, 0, 2, 9, 1},
                                 {0, 2, 2, 0, 0, 8, -1, 0, 16, 0, 8, 0, 1},
                                 {1, 1, 1, 0, 0, 8, -1, 0, 16, 0, 9, 0, 1}};
    uint8_t data[50], vector[TSP_MAX_LANES];
    ck_assert_int_eq(p.tensors[0].piece_count, 4);
    for (int32_t i = 0; i < 4; i++) ck_assert_mem_eq(&p.tensors[0].pieces[i], &k[i], sizeof k[i]);
    ck_assert_int_eq(insn(&p, "mem.w1", 0).addr, 5);
    for (int32_t i = 0; i < 50; i++) data[i] = (uint8_t)(i + 1);
    tsp_piece_pack(&p.machine, &p.tensors[0], &p.tensors[0].pieces[0], 1, data, vector);
    for (int32_t lane = 0; lane < 16; lane++) /* row 1: elements 9 to 15 */
        ck_assert_int_eq(vector[lane], lane < 14 ? 18 + lane + 1 : 0);
    check_fixpoint(&p);
    tsp_program_free(&p);
}
END_TEST

/* Byte b of what the Ifetches of a queue bring. */
static uint8_t text_byte(const TspProgram *p, int32_t q, int64_t b) {
    int64_t at = p->machine.ifetch_queue_bytes + b;
    if (at / 16 >= p->queues[q].count) return 0;
    TspWord word = p->queues[q].words[at / 16];
    return (uint8_t)((at % 16 < 8 ? word.lo : word.hi) >> 8 * (at % 8));
}

/* Two queues, one with text before its instructions are known; an Ifetch of tsp1 takes two vectors
 * without a rest, of the other machine three of 16 lanes, the last of them half used. */
START_TEST(text_of_a_queue) {
    static const struct {
        const char *head;
        int32_t words, rows;
    } cases[] = {{".machine tsp1\n", 81, 2},
                 {".machine tsp1\n", 120, 2},
                 {".machine tsp1\n", 121, 4},
                 {".machine tiny\n", 9, 4},
                 {".machine tiny\n.set superlanes = 8\n.set ifetch_bytes = 80\n", 9, 3},
                 {".machine tiny\n.set superlanes = 8\n.set ifetch_bytes = 80\n", 14, 6}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char source[400];
        snprintf(source, sizeof source,
                 "%s.text vxm.3 @ mem.w1:0x20\n.tensor X, int8, [1], input @ mem.w0:0\n"
                 "@mem.w0 read X, s0.e\n@vxm.3\n.for i in 1..%d\n"
                 "add i8, none, s0.e, #{i*77777}\n.end\n",
                 cases[k].head, (int)cases[k].words);
        TspProgram p = assemble(source);
        const TspTensor *t = &p.tensors[0];
        int64_t lanes = tsp_lanes(&p.machine), vectors = tsp_ifetch_vectors(&p.machine);
        ck_assert_str_eq(t->name, "text:vxm.3");
        ck_assert_int_eq(t->role, TSP_ROLE_CONSTANT);
        ck_assert_int_eq(t->dtype, TSP_U8);
        ck_assert_int_eq(t->shape[0], cases[k].rows);
        ck_assert_int_eq(t->shape[1], lanes);
        ck_assert_int_eq(t->piece_count, 1);
        ck_assert_int_eq(t->pieces[0].slice, 1);
        ck_assert_int_eq(t->pieces[0].addr, 0x20);
        ck_assert_int_eq(t->pieces[0].rows, cases[k].rows);
        for (int64_t row = 0; row < cases[k].rows; row++)
            for (int64_t lane = 0; lane < lanes; lane++) {
                int64_t byte = row % vectors * lanes + lane; /* of the Ifetch */
                int64_t b = row / vectors * p.machine.ifetch_bytes + byte;
                uint8_t want =
                    byte < p.machine.ifetch_bytes ? text_byte(&p, queue(&p, "vxm.3"), b) : 0;
                ck_assert_int_eq(t->data[row * lanes + lane], want);
            }
        ck_assert_int_eq(t->data[0], 0x20); /* the opcode of add */
        check_fixpoint(&p);
        tsp_program_free(&p);
    }
}
END_TEST

START_TEST(machines_are_kept) {
    TspProgram p = assemble(".machine tiny, \"odd-one.2\"\n.set mem_read_cycles = 2\n"
                            ".set streams = 8 ; fewer\n@mem.w7 read 0, s7.w\n");
    ck_assert_str_eq(p.machine.name, "odd-one.2");
    ck_assert_int_eq(p.machine.mem_read_cycles, 2);
    ck_assert_int_eq(p.machine.streams, 8);
    ck_assert_int_eq(p.machine.superlanes, 4);
    check_fixpoint(&p);
    TspError err;
    char *text = tsp_disassemble(&p, &err);
    ck_assert_ptr_eq(strstr(text, ".machine tiny, \"odd-one.2\"\n.set streams = 8\n"
                                  ".set mem_read_cycles = 2\n\n"),
                     text);
    free(text);
    tsp_program_free(&p);
}
END_TEST

START_TEST(loops_substitute) {
    TspProgram p = assemble(".equ N = 2\n"
                            ".for i in 1..N+1\n"
                            ".for j in {i}..3\n"
                            "@mem.w{i} at {10*i + j} read {i*16+j}, s{i%32}.e ; {not this}\n"
                            ".end\n"
                            ".end\n"
                            ".for k in 5..4\n"
                            "no such thing\n"
                            ".end\n");
    ck_assert_int_eq(p.queues[queue(&p, "mem.w1")].count, 4); /* nop, three reads */
    ck_assert_int_eq(p.queues[queue(&p, "mem.w2")].count, 3);
    ck_assert_int_eq(p.queues[queue(&p, "mem.w3")].count, 2);
    ck_assert_int_eq(insn(&p, "mem.w1", 0).n, 11);
    ck_assert_int_eq(insn(&p, "mem.w1", 3).addr, 19);
    ck_assert_int_eq(insn(&p, "mem.w3", 1).stream, 3);
    tsp_program_free(&p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("asm");
    TCase *tests = tcase_create("asm");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, operands_of_every_kind);
    tcase_add_test(tests, instruction_text);
    tcase_add_test(tests, at_and_labels_count_cycles);
    tcase_add_test(tests, predicts_ops);
    tcase_add_test(tests, tensors_and_where_they_lie);
    tcase_add_test(tests, elements_lie_whole);
    tcase_add_test(tests, text_of_a_queue);
    tcase_add_test(tests, machines_are_kept);
    tcase_add_test(tests, loops_substitute);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
