/* test_asm_errors.c - what the assembler and the disassembler refuse, and how they say it. */
#include "asm_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(void) {
    Suite *suite = suite_create("asm_errors");
    TCase *tests = tcase_create("asm_errors");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, errors_say_where_and_what, 0, sizeof errors / sizeof errors[0]);
    tcase_add_test(tests, hostile_depth_is_refused);
    tcase_add_test(tests, many_names_and_loops_are_quick);
    tcase_add_test(tests, bad_words_are_not_disassembled);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
