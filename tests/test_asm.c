/* test_asm.c - the assembler: what it encodes, the cycles it counts, the errors it gives, and that
 * assembling a disassembly gives the same program. */
#include "isa/asm.h"
#include "tests/seeded.h"

#include "suite.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- helpers ---- */

static TspMachine machine(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

static TspProgram assemble(const char *text) {
    TspMachine m = machine("tsp1");
    TspProgram p;
    TspError err;
    if (!tsp_assemble(&p, &m, text, strlen(text), "t.s", &err)) ck_abort_msg("%s", err.text);
    return p;
}

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

static char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    char *text = malloc(1 << 20);
    if (!file || !text) ck_abort_msg("cannot read %s", path);
    *length = fread(text, 1, 1 << 20, file);
    fclose(file);
    return text;
}

static void same_program(const TspProgram *a, const TspProgram *b) {
    char *x = tsp_machine_json(&a->machine, false), *y = tsp_machine_json(&b->machine, false);
    ck_assert_str_eq(x, y);
    free(x);
    free(y);
    ck_assert_pstr_eq(a->name, b->name);
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++) {
        ck_assert_int_eq(a->queues[q].count, b->queues[q].count);
        if (a->queues[q].count)
            ck_assert_mem_eq(a->queues[q].words, b->queues[q].words,
                             (size_t)a->queues[q].count * sizeof(TspWord));
    }
    ck_assert_int_eq(a->tensor_count, b->tensor_count);
    for (int32_t i = 0; i < a->tensor_count; i++) {
        const TspTensor *s = &a->tensors[i], *t = &b->tensors[i];
        ck_assert_str_eq(s->name, t->name);
        ck_assert_int_eq(s->dtype, t->dtype);
        ck_assert_int_eq(s->role, t->role);
        ck_assert_int_eq(s->rank, t->rank);
        ck_assert_int_eq(s->transposed, t->transposed);
        ck_assert_int_eq(s->flat, t->flat);
        ck_assert_mem_eq(s->shape, t->shape, sizeof s->shape);
        ck_assert_int_eq(s->piece_count, t->piece_count);
        for (int32_t k = 0; k < s->piece_count; k++)
            ck_assert_mem_eq(&s->pieces[k], &t->pieces[k], sizeof(TspPiece));
        ck_assert_int_eq(s->data != NULL, t->data != NULL);
        if (s->data) ck_assert_mem_eq(s->data, t->data, (size_t)tsp_tensor_bytes(s));
    }
}

/* asm(disasm(p)) is p, and disasm of that is the same text. */
static void check_fixpoint(const TspProgram *p) {
    TspMachine other = machine("tiny"); /* the text itself says what machine it is for */
    TspError err;
    TspProgram again;
    char *text = tsp_disassemble(p, &err), *text_again;
    if (!text) ck_abort_msg("%s", err.text);
    if (!tsp_assemble(&again, &other, text, strlen(text), "d.s", &err))
        ck_abort_msg("%s", err.text);
    text_again = tsp_disassemble(&again, &err);
    ck_assert_ptr_nonnull(text_again);
    ck_assert_str_eq(text, text_again);
    same_program(p, &again);
    tsp_program_free(&again);
    free(text_again);
    free(text);
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

/* ---- errors: the whole line, exactly ---- */

static const struct {
    const char *text, *error;
} errors[] = {
    {"@mem.w0\n  raed 0, s0.e", "t.s:2:3: there is no instruction 'raed'; did you mean 'read'?"},
    {"@mem.w0 frobnicate", "t.s:1:9: there is no instruction 'frobnicate'; docs/isa.md lists all"},
    {"read 0, s0.e", "t.s:1:1: no queue is selected; write @mem.w0 or another queue before it"},
    {"@mem.w44", "t.s:1:2: tsp1 has no such queue; queues are named as in mem.w0, vxm.3, "
                 "mxm.e.0.weights, sxm.w.transpose.0"},
    {"@vxm.0 read 0, s0.e",
     "t.s:1:8: read does not belong in vxm.0; select its own queue with @ before it"},
    {"@mem.w0 read 0", "t.s:1:9: read lacks its operand 'stream' (stream driven); it takes addr, "
                       "stream"},
    {"@mem.w0 read 0, s0.e, 1", "t.s:1:23: too many operands; read takes addr, stream"},
    {"@mem.w0 read 0, s32.e", "t.s:1:17: s32.e is out of range; tsp1 has s0 to s31 each way"},
    {"@mem.w0 read 0, s3", "t.s:1:17: a stream is expected here; write s4.e or s4.w"},
    {"@mem.w0 read 8192, s3.e", "t.s:1:14: addr of read is 8192; it must be 0 to 8191"},
    {"@mem.w0 read -1, s3.e", "t.s:1:14: addr of read is -1; it must be 0 to 8191"},
    {"@mem.w0 read 0 s3.e", "t.s:1:16: 's3.e' is not expected here; operands are separated by "
                            "commas, comments start with ;"},
    {"@mem.w0 read 0, stream=s0.e, s3.e",
     "t.s:1:30: an operand without a name after one with; write name=value"},
    {"@mem.w0 read 0, addr=1", "t.s:1:22: addr of read is given twice; leave one out"},
    {"@mem.w0 read 0, lane=1", "t.s:1:17: read has no operand 'lane'; it takes addr, stream"},
    {"@mem.w0 read.write 0, s0.e, 1, s1.e",
     "t.s:1:9: read.write: rows 0 and 1 both lie in bank 0; use two slots or two banks"},
    {"@vxm.0 add i16, s1.e, s2.e, s4.e",
     "t.s:1:8: add: dst is a group of 2 at s1; start at a multiple of 2"},
    {"@vxm.0 add i24, s1.e, s2.e, s4.e",
     "t.s:1:12: a type is expected here; there are i8 u8 i16 i32 f16 f32"},
    {"@vxm.0 add i8, s1.e, alu16, s4.e", "t.s:1:22: alu16 is out of range; tsp1 has ALUs 0 to 15"},
    {"@vxm.0 add i8, s1.e, x, s4.e", "t.s:1:22: a source is expected here; write a stream (s4.e), "
                                     "alu3, latch3 or an immediate (#5, #0x10, #1.5f, #1.5h)"},
    {"@vxm.0 add i8, s1.e, #1, #2", "t.s:1:26: a second immediate; one instruction holds one, put "
                                    "the other into a constant tensor or another ALU"},
    {"@vxm.0 add i8, s1.e, #4294967296, s0.e",
     "t.s:1:23: 4294967296 does not fit the 32 bits of an immediate"},
    {"@vxm.0 add f32, s0.e, #1.5, s0.e", "t.s:1:24: a fraction needs its type; write #1.5f for f32 "
                                         "bits or #1.5h for f16 bits"},
    {"@vxm.0 add f16, s0.e, #70000h, s0.e",
     "t.s:1:24: the number is too large for f16 (at most 65504)"},
    {"@mem.w0\nnop 5\nat 3 read 0, s0.e", "t.s:3:4: cycle 3 is past: mem.w0 is already at cycle 5, "
                                          "2 too late; start later or shorten what comes before"},
    {"@mem.w0\nx: at x+1 sync", "t.s:2:7: the cycle of label 'x' depends on itself; break the "
                                "circle with a number"},
    {"@mem.w0\nat y x: sync\n@mem.w1\nat x y: sync",
     "t.s:4:4: the cycle of label 'x' depends on itself; break the circle with a number"},
    {"@mem.w0 at z sync",
     "t.s:1:12: there is no label or constant 'z'; define it with 'z:' or .equ"},
    {"@mem.w0\nx: sync\nx: sync",
     "t.s:3:1: 'x' is already a label, of line 2; choose another name"},
    {"@mem.w0\nsync\nat 40 sync", "t.s:3:4: after the sync of line 2 no cycle of mem.w0 is known; "
                                  "use nop there"},
    {"@mem.w0\nsync\nx: sync", "t.s:3:1: after the sync of line 2 no cycle of mem.w0 is known; use "
                               "nop there"},
    {"@mem.w0 nop 3\nrepeat 1, 1", "t.s:2:1: nothing to repeat; repeat must directly follow the "
                                   "instruction it repeats, without label or at between, and not a "
                                   "nop or sync"},
    {"@mem.w0 read 0, s0.e\nrepeat 1, 0",
     "t.s:2:1: repeat: d is 0; issues must be a cycle apart or more"},
    {"@mem.w0 nop 0", "t.s:1:9: nop: n is 0; leave it out"},
    {".machine gpu", "t.s:1:10: there is no such machine; built in are tsp1 and tiny"},
    {"@mem.w0\n.machine tiny", "t.s:2:1: the machine is already in use; write .machine and .set "
                               "before the first tensor and queue"},
    {".set stream = 4", "t.s:1:6: a machine has no field 'stream'; did you mean streams"},
    {".set streams = 400\n@mem.w0", "t.s:2:1: machine tsp1: streams is 400; it must be 4 to 32"},
    {".tensr X", "t.s:1:1: there is no directive '.tensr'; did you mean .tensor"},
    {".tensor X, int9, [1], input",
     "t.s:1:12: an element type is expected here; there are int8 uint8 "
     "int16 int32 float16 float32 bool"},
    {".tensor X, int8, [1], inptu",
     "t.s:1:23: a role is expected here; there are input, constant, output, internal"},
    {".tensor X, int8, [4, 321], input @ mem.w0:0",
     "t.s:1:36: 321 columns do not fit 320 lanes; leave out @ and write .piece lines with col0= "
     "and "
     "cols="},
    {".tensor X, int32, [4, 3], input @ mem.w41:0",
     "t.s:1:35: 4 slices are needed, one a byte; begin nearer to the VXM"},
    {".tensor X, int8, [4], input\n.tensor X, int8, [4], input",
     "t.s:2:9: 'X' is already a tensor; choose another name"},
    {".tensor X, int8, [4], constant\n.data 1, 2\n@mem.w0",
     "t.s:3:1: constant 'X' has 2 of its 4 values; add .data lines to it"},
    {".tensor X, int8, [1], constant\n.data 128", "t.s:2:7: int8 is 128; it must be -128 to 127"},
    {".tensor X, int8, [1], constant\n.data 1, 2",
     "t.s:2:9: 'X' has only 1 elements; remove the rest"},
    {".tensor X, int8, [1], input\n.data 1", "t.s:2:1: 'X' is input; only a constant has .data"},
    {".tensor X, float32, [1], constant\n.data 1x",
     "t.s:2:7: '1x' is no floating-point number; write one like -1.5 or 2e-3"},
    {".piece slice=mem.w0, addr=0", "t.s:1:1: .piece belongs to a tensor; write .tensor before it"},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0, addr=0, row0=4",
     "t.s:2:1: rows 4 to 3 are not all in 'X', which has 4; change row0=, row_step= or rows="},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0, addr=8190",
     "t.s:2:1: addresses 8190 to 8193 are not all in a slice, which has rows 0 to 8191; change "
     "addr= "
     "or addr_step="},
    {".tensor X, int8, [4, 8], input\n.piece slice=vxm.0, addr=0",
     "t.s:2:14: a MEM slice is expected here; tsp1 has mem.w0 to mem.w43 and mem.e0 to mem.e43"},
    {".tensor X, int8, [4, 8], input @ mem.w0:0\n@mem.w1 read X, s0.e",
     "t.s:2:14: tensor 'X' has no piece in mem.w1; it begins in mem.w0"},
    {".tensor X, int8, [4, 8], input @ mem.w0:0\n@mem.w0 read X[4], s0.e",
     "t.s:2:14: row 4 of tensor 'X' does not lie in this slice"},
    {"@mem.w0 read Q, s0.e", "t.s:1:14: there is no constant 'Q'; define it with .equ"},
    {".equ A = 1/0", "t.s:1:11: division by zero"},
    {".equ A = 9223372036854775807+1", "t.s:1:29: the expression overflows 64 bits"},
    {".equ A = 12ab", "t.s:1:10: '12ab' is no number; write decimal or 0x hex"},
    {".equ A = (1", "t.s:1:12: the line ends here; ')' is expected"},
    {".for i in 0..3\n", "t.s:1:1: this .for has no .end; write .end after its lines"},
    {".end", "t.s:1:1: .end without .for; remove it"},
    {".for i in 0..9999999999\n.end", "t.s:1:6: loops expand to more than 4000000 lines"},
    {".for i in 0..9\n.for j in 0..999999\n.end\n.end",
     "t.s:2:6: loops expand to more than 4000000 lines"},
    {"@mem.w0\n.for i in 1..9\nat 4000000000*{i}\n.end",
     "t.s:3:4: that cycle is billions away; choose one nearer"},
    {"@mem.w0 at -9223372036854775807-1",
     "t.s:1:12: cycle -9223372036854775808 is past: mem.w0 is already at cycle 0, "
     "9223372036854775808 too late; start later or shorten what comes before"},
    {".tensor X, int8, [8, 4], input\n.piece slice=mem.w0, addr=0, row0=3, rows=2\n"
     "@mem.w0 read X[-9223372036854775807-1], s0.e",
     "t.s:3:14: row -9223372036854775808 of tensor 'X' does not lie in this slice"},
    {".tensor X, int8, [8, 4], input\n.piece slice=mem.w0, addr=0, row0=7, rows=8, row_step=-1\n"
     "@mem.w0 read X[-9223372036854775801], s0.e",
     "t.s:3:14: row -9223372036854775801 of tensor 'X' does not lie in this slice"},
    {".tensor X, int8, [2000000000], constant\n.data 1\n@mem.w0",
     "t.s:3:1: constant 'X' has 1 of its 2000000000 values; add .data lines to it"},
    {".tensor \"a\\nb\", int8, [4], input\n.tensor \"a\\nb\", int8, [4], input",
     "t.s:2:9: 'a?b' is already a tensor; choose another name"},
    {".name \"abc", "t.s:1:7: the text has no closing quote; write '\"' after it"},
    {".text vxm.16 @ mem.w0:0", "t.s:1:7: tsp1 has no such queue; write .text vxm.0 @ mem.w0:0"},
    {".text vxm.0 @ vxm.1:0",
     "t.s:1:15: a MEM slice is expected here; tsp1 has mem.w0 to mem.w43 and mem.e0 to mem.e43"},
    {".text vxm.0 @ mem.w0:8192", "t.s:1:22: address is 8192; it must be 0 to 8191"},
    {".text vxm.0 @ mem.w0:0\n.text vxm.0 @ mem.w1:0",
     "t.s:2:7: 'text:vxm.0' is already a tensor; choose another name"},
    {".text vxm.0 @ mem.w0:0\n.data 1",
     "t.s:2:1: .data belongs to a tensor; write .tensor before it"},
    {".text vxm.0 @ mem.w0:0\n@vxm.0 nop 4", "t.s:1:1: vxm.0 has 1 words, all there in cycle 0 (80 "
                                             "fit); it needs no .text, remove it"},
    {"@mem.w0 $",
     "t.s:1:9: '$' is not expected here; a line is a .directive or [@queue] [label:] [at "
     "cycle] [instruction]"},
    {".equ A = 9223372036854775808", "t.s:1:10: the number does not fit 63 bits"},
    {".equ A = 9223372036854775807*2", "t.s:1:29: the expression overflows 64 bits"},
    {".equ A = 0-9223372036854775807-2", "t.s:1:31: the expression overflows 64 bits"},
    {".name \"a\\q\"", "t.s:1:9: unknown escape; there are \\\" \\\\ \\n \\t \\xHH"},
    {".name \"a\\x00\"", "t.s:1:9: \\x00 cannot stand in a name"},
    {".tensor X, int8, [1, 1, 1, 1, 1, 1, 1, 1, 1], input", "t.s:1:43: more than 8 dimensions"},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0, addr=0, col0=5, cols=4",
     "t.s:2:1: columns 5 to 8 of 'X' (8 columns) cannot lie in 320 lanes; change col0=, cols= or "
     "lane_skip="},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0, addr=0, broadcast=321",
     "t.s:2:1: broadcast= copies one column to at most 320 lanes"},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0, addr=0, byte=1",
     "t.s:2:1: byte=1, but int8 has bytes 0 to 0"},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0, lane=0",
     "t.s:2:22: 'lane' is unknown here; there are slice row0 row_step rows col0 col_step "
     "cols byte broadcast fill lane_skip addr addr_step"},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0, addr=0, addr=1",
     "t.s:2:30: addr is given twice; leave one out"},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0",
     "t.s:2:1: slice= and addr= are needed here"},
    {".tensor X, int8, [4, 8], input\n.piece slice=mem.w0..mem.w3, addr=0",
     "t.s:2:1: a piece lies in one slice; use .stripe slices= for a range"},
    {".tensor X, int8, [4, 8], input\n.stripe slices=mem.w0..mem.w3, addr=9000",
     "t.s:2:1: addresses 9000 to 9000 are not all in a slice, which has rows 0 to 8191; change "
     "addr= or addr_step="},
    {".tensor X, int16, [4, 8], input\n.piece slice=mem.w0, addr=0, byte=-1, cols=7, rows=5",
     "t.s:2:1: byte=-1 takes 5 rows of 7 whole elements, at most 320 bytes each, from element 0 "
     "on; 'X' has not so many, or is transposed, or fill= is without byte=-1"},
    {".tensor X, int16, [4, 8], input, transposed\n.piece slice=mem.w0, addr=0, byte=-1",
     "t.s:2:1: byte=-1 takes 1 rows of 32 whole elements, at most 320 bytes each, from element 0 "
     "on; 'X' has not so many, or is transposed, or fill= is without byte=-1"},
    {".tensor X, int16, [4, 8], input\n.piece slice=mem.w0, addr=0, byte=-1, fill=321",
     "t.s:2:1: byte=-1 takes 1 rows of 32 whole elements, at most 320 bytes each, from element 0 "
     "on; 'X' has not so many, or is transposed, or fill= is without byte=-1"},
    {".tensor X, int16, [4, 8], input\n.piece slice=mem.w0, addr=0, fill=2",
     "t.s:2:1: byte=-1 takes 4 rows of 8 whole elements, at most 320 bytes each, from element 0 "
     "on; 'X' has not so many, or is transposed, or fill= is without byte=-1"},
    {".tensor X, int32, [4, 8], input\n.piece slice=mem.w0, addr=0, byte=-1, cols=0x40000001",
     "t.s:2:1: byte=-1 takes 0 rows of 1073741825 whole elements, at most 320 bytes each, from "
     "element 0 on; 'X' has not so many, or is transposed, or fill= is without byte=-1"},
    {".tensor X, int8, [4, 8], input\n.stripe slices=mem.w0..vxm.0, addr=0",
     "t.s:2:24: a MEM slice is expected here; tsp1 has mem.w0 to mem.w43 and mem.e0 to mem.e43"},
    {".for 3\n.end", "t.s:1:6: write .for i in 0..15"},
};

START_TEST(errors_say_where_and_what) {
    TspMachine m = machine("tsp1");
    TspProgram p;
    TspError err = {0};
    ck_assert(!tsp_assemble(&p, &m, errors[_i].text, strlen(errors[_i].text), "t.s", &err));
    ck_assert_str_eq(err.text, errors[_i].error);
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
}
END_TEST

START_TEST(hostile_depth_is_refused) {
    TspMachine m = machine("tsp1");
    TspProgram p;
    TspError err;
    char *text = malloc(100000);
    memset(text, '(', 100000);
    memcpy(text, ".equ A = ", 9);
    ck_assert(!tsp_assemble(&p, &m, text, 100000, "t.s", &err));
    ck_assert_str_eq(err.text, "t.s:1:74: the expression nests too deep");
    ck_assert(!tsp_assemble(&p, &m, "a\0b", 3, "t.s", &err));
    ck_assert_str_eq(err.text, "t.s:1:1: a zero byte; is this a text file?");
    free(text);
}
END_TEST

/* Quadratic work would take minutes for any of these. */
START_TEST(many_names_and_loops_are_quick) {
    TspMachine m = machine("tsp1");
    TspProgram p;
    TspError err;
    static const char names[] = "@mem.w0\n.for i in 0..149999\nL{i}: nop 1\n.op o{i}\n.end\n"
                                "at L149999 + 1 nop 1\n";
    if (!tsp_assemble(&p, &m, names, strlen(names), "t.s", &err)) ck_abort_msg("%s", err.text);
    ck_assert_int_eq(p.queues[0].count, 150001);
    ck_assert_int_eq(p.op_count, 150000);
    ck_assert_str_eq(p.ops[77777].name, "o77777");
    tsp_program_free(&p);

    enum { SKIPPED_LINES = 20000 };
    char *text = malloc(SKIPPED_LINES + 100);
    size_t used = (size_t)sprintf(text, ".for i in 1..100000\n.for j in 1..0\n");
    memset(text + used, '\n', SKIPPED_LINES);
    strcpy(text + used + SKIPPED_LINES, ".end\n.end\n@mem.w0 nop 1");
    if (!tsp_assemble(&p, &m, text, strlen(text), "t.s", &err)) ck_abort_msg("%s", err.text);
    ck_assert_int_eq(p.queues[0].count, 1);
    tsp_program_free(&p);
    free(text);
}
END_TEST

START_TEST(bad_words_are_not_disassembled) {
    TspMachine m = machine("tsp1");
    TspProgram p;
    TspError err;
    tsp_program_init(&p, &m);
    ck_assert(tsp_queue_push(&p.queues[2], (TspWord){0xff, 0}, NULL));
    ck_assert_ptr_null(tsp_disassemble(&p, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_ILLEGAL);
    ck_assert_int_eq(err.rule, TSP_RULE_ENCODING);
    ck_assert_int_eq(err.queue, 2);
    ck_assert_int_eq(err.index, 0);
    tsp_program_free(&p);
}
END_TEST

/* ---- assembling a disassembly ---- */

static const char *const programs[] = {
    "programs/vecadd.s",         "programs/barrier.s",     "programs/weights.s",
    "programs/figures/ifetch.s", "programs/figures/sxm.s",
};
enum { PROGRAM_COUNT = sizeof programs / sizeof programs[0] };

START_TEST(programs_are_fixpoints) {
    TspMachine m = machine("tsp1");
    TspProgram p;
    TspError err;
    size_t length;
    char *text = read_file(programs[_i], &length);
    if (!tsp_assemble(&p, &m, text, length, programs[_i], &err)) ck_abort_msg("%s", err.text);
    check_fixpoint(&p);
    tsp_program_free(&p);
    free(text);
}
END_TEST

static int32_t random_value(const TspField *f) {
    int bits = f->hi - f->lo + 1;
    switch (f->kind) {
    case TSP_KIND_TYPE:
        return random_below(6);
    case TSP_KIND_DST:
        return random_below(3) ? random_below(64) : TSP_DST_NONE;
    case TSP_KIND_SRC:
        return random_below(2) ? random_below(64) : TSP_SRC(1 + random_below(3), random_below(16));
    case TSP_KIND_IMM:
        return random_below(2) ? (int32_t)random_bits() : random_below(70000) - 35000;
    case TSP_KIND_SINT:
        return random_below(2) ? 0 : random_below(1 << bits) - (1 << (bits - 1));
    case TSP_KIND_FLAG:
        return random_below(2);
    default:
        return random_below(3) ? random_below(1 << (bits < 5 ? bits : 5)) : random_below(1 << bits);
    }
}

/* A random instruction that is legal in the queue. */
static TspInsn random_insn(const TspMachine *m, int32_t q, bool may_repeat) {
    for (;;) {
        TspInsn i = {.op = (TspOpcode)random_below(TSP_OP_COUNT)};
        const TspInsnInfo *info = tsp_insn_info(i.op);
        TspError err;
        if (i.op == TSP_OP_REPEAT && !may_repeat) continue;
        for (int32_t k = 0; k < info->field_count; k++) {
            const TspField *f = &info->fields[k];
            if (f->kind == TSP_KIND_RESERVED) continue;
            *(int32_t *)(void *)((char *)&i + f->offset) = random_value(f);
        }
        if (tsp_insn_validate(m, &i, q, &err)) return i;
    }
}

static void random_queue(TspProgram *p, int32_t q) {
    int32_t count = random_below(30);
    bool may_repeat = false;
    for (int32_t k = 0; k < count; k++) {
        TspInsn i = random_insn(&p->machine, q, may_repeat);
        TspInsnDebug debug = {.run = {-1, -1}};
        TspWord word;
        TspError err;
        ck_assert(tsp_encode(&i, &word, &err));
        may_repeat = i.op != TSP_OP_NOP && i.op != TSP_OP_REPEAT && i.op != TSP_OP_SYNC;
        if (may_repeat || i.op == TSP_OP_SYNC) debug.run[0] = random_below(p->run_count + 1) - 1;
        ck_assert(tsp_queue_push(&p->queues[q], word, &debug));
    }
}

static void random_tensor(const TspMachine *m, TspTensor *t, int32_t number) {
    static const char *const names[] = {
        "plain", "with space", "q\"uo\\te", "\xc3\xa9/{0}; //", "tab\tnew\nline", ""};
    char name[64];
    int64_t rows, cols;
    snprintf(name, sizeof name, "%s%d", names[random_below(6)], (int)number);
    *t = (TspTensor){.name = strdup(name),
                     .dtype = (TspDtype)random_below(TSP_DTYPE_COUNT),
                     .role = (TspTensorRole)random_below(4),
                     .rank = random_below(5),
                     .transposed = random_below(2)};
    t->flat = !t->transposed && random_below(2);
    for (int32_t i = 0; i < t->rank; i++) t->shape[i] = 1 + random_below(6);
    tsp_tensor_matrix(t, &rows, &cols);
    t->piece_count = random_below(4);
    t->pieces = calloc((size_t)t->piece_count + 1, sizeof *t->pieces);
    for (int32_t i = 0; i < t->piece_count; i++) {
        TspPiece *piece = &t->pieces[i];
        *piece = (TspPiece){.row0 = random_below((int32_t)rows),
                            .row_step = random_below(5) - 2,
                            .rows = 1,
                            .col0 = random_below((int32_t)cols),
                            .cols = 1,
                            .byte = random_below(tsp_dtype_bytes(t->dtype)),
                            .broadcast = random_below(3) ? 0 : 1 + random_below(tsp_lanes(m)),
                            .slice = random_below(2 * (int32_t)m->mem_slices),
                            .addr = 100 + random_below(100),
                            .addr_step = random_below(5) - 2};
        while (piece->rows < 6 && random_below(4) &&
               piece->row0 + piece->rows * piece->row_step >= 0 &&
               piece->row0 + piece->rows * piece->row_step < rows)
            piece->rows++;
        int32_t fit =
            (int32_t)cols - piece->col0 < tsp_lanes(m) ? (int32_t)cols - piece->col0 : tsp_lanes(m);
        if (!piece->broadcast) piece->cols += random_below(fit);
        if (piece->cols > 1)
            piece->lane_skip = random_below(((int32_t)cols - piece->col0 - 1) / (piece->cols - 1));
        if (piece->rows > 1)
            piece->col_step =
                random_below((int32_t)cols - piece->col0 - (int32_t)tsp_piece_span(piece) + 1) /
                (piece->rows - 1);
    }
    if (t->role != TSP_ROLE_CONSTANT) return;
    t->data = calloc((size_t)tsp_tensor_bytes(t) + 1, 1);
    for (int64_t i = 0; i < tsp_tensor_bytes(t); i++)
        t->data[i] = (uint8_t)(t->dtype == TSP_BOOL ? random_below(2) : random_below(256));
}

static TspProgram random_program(void) {
    static const char *const op_names[] = {"conv", "a b", "conv"};
    TspMachine m = machine(random_below(2) ? "tsp1" : "tiny");
    TspProgram p;
    if (!random_below(3)) {
        m.vxm_op_cycles = 1 + random_below(9);
        memset(m.name, 0, sizeof m.name);
        memcpy(m.name, "changed", 8);
    }
    tsp_program_init(&p, &m);
    if (random_below(2)) p.name = strdup(random_below(2) ? "word" : "1 \"odd\" name; //");
    p.op_count = 3;
    p.ops = calloc(3, sizeof *p.ops);
    for (int32_t i = 0; i < 3; i++)
        p.ops[i] = (TspOpInfo){.name = strdup(op_names[i]), .type = strdup(i == 1 ? "T" : "")};
    p.run_count = 5;
    p.runs = calloc(5, sizeof *p.runs);
    for (int32_t i = 0; i < 5; i++) p.runs[i] = (TspRun){random_below(4) - 1, 0, 1};
    p.tensor_count = random_below(5);
    p.tensors = calloc(5, sizeof *p.tensors);
    for (int32_t i = 0; i < p.tensor_count; i++) random_tensor(&m, &p.tensors[i], i);
    for (int32_t q = 0; q < tsp_queue_count(&m); q++)
        if (!random_below(3)) random_queue(&p, q);
    return p;
}

START_TEST(random_programs_are_fixpoints) {
    random_start();
    for (int32_t k = 0; k < 100; k++) {
        TspProgram p = random_program();
        check_fixpoint(&p);
        tsp_program_free(&p);
    }
}
END_TEST

/* Broken text must be refused or assembled, never more than that; and what is assembled must
 * disassemble. */
START_TEST(mutated_text_does_no_harm) {
    TspMachine m = machine("tsp1");
    size_t length;
    char *text = read_file(programs[_i], &length), *copy = malloc(length);
    static const char bits[] = " \n\"#.,:;@+-*/%(){}[]=0123456789abcdefnrstwx_\t\\";
    int32_t refused = 0;
    random_start();
    for (int32_t round = 0; round < 300; round++) {
        TspProgram p;
        TspError err;
        memcpy(copy, text, length);
        for (int32_t k = 1 + random_below(4); k > 0; k--) {
            size_t from = (size_t)random_below((int32_t)length),
                   to = (size_t)random_below((int32_t)length);
            size_t bytes = (size_t)random_below(12);
            if (random_below(2))
                copy[from] = bits[random_below((int32_t)sizeof bits - 1)];
            else if (from + bytes <= length && to + bytes <= length)
                memmove(copy + to, copy + from, bytes);
        }
        if (tsp_assemble(&p, &m, copy, length, "m.s", &err)) {
            check_fixpoint(&p);
            tsp_program_free(&p);
            continue;
        }
        refused++;
        ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
        ck_assert_int_eq(strncmp(err.text, "m.s:", 4), 0);
    }
    ck_assert_int_gt(refused, 20);
    free(copy);
    free(text);
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
    tcase_add_loop_test(tests, errors_say_where_and_what, 0, sizeof errors / sizeof errors[0]);
    tcase_add_test(tests, hostile_depth_is_refused);
    tcase_add_test(tests, many_names_and_loops_are_quick);
    tcase_add_test(tests, bad_words_are_not_disassembled);
    tcase_add_loop_test(tests, programs_are_fixpoints, 0, PROGRAM_COUNT);
    tcase_add_test(tests, random_programs_are_fixpoints);
    tcase_add_loop_test(tests, mutated_text_does_no_harm, 0, PROGRAM_COUNT);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
