/* test_sim_rules.c - every rule of the machine broken once: rule, cycle, queue and instruction are
 * named.
 */
#include "sim_bench.h"

/* -- rules -- */

/* Weights of type `type` in E plane 0 (and 1) from cycle 13 on; activations s4.e, s5.e at the MXM
 * in cycles 13, 13 + interval, ... */
static void draw_array(Bench *b, TspDtype type, bool both, int32_t activations, int32_t interval) {
    Sketch *s = &b->sketch;
    for (int32_t i = 0; i < 4; i++) sketch_at(s, E0 + i, 0, sketch_read(0, i));
    for (int32_t p = 0; p < (both ? 2 : 1); p++) {
        sketch_at(s, LW0 + 3 * p, 4, lw(0, 0, 4));
        sketch_at(s, LW0 + 3 * p, 10, iw(type));
    }
    for (int32_t i = 0; i < 2; i++)
        sketch_repeat(sketch_at(s, E0 + 4 + i, 10, sketch_read(0, 4 + i)), activations - 1,
                      interval, 0);
}

static void break_collision(Bench *b) {
    sketch_at(&b->sketch, E0 + 1, 4, sketch_read(0, 0));
    sketch_at(&b->sketch, E0, 4, sketch_read(0, 0));
}
static void break_collision_late(Bench *b) { /* the higher queue is blamed */
    sketch_at(&b->sketch, 0, 0, sketch_read(0, 0));
    sketch_at(&b->sketch, V0 + 3, 2, alu(TSP_OP_PASS, TSP_I8, 6, IMM, 0, 0));
    sketch_at(&b->sketch, V0 + 2, 2, alu(TSP_OP_PASS, TSP_I8, 6, STR(0), 0, 0));
}
static void break_undefined(Bench *b) {
    sketch_at(&b->sketch, E0, 3, sketch_write(0, 0));
}
static void break_undefined_group(Bench *b) { /* i16 needs two streams, one is there */
    sketch_at(&b->sketch, 0, 0, sketch_read(0, 0));
    sketch_at(&b->sketch, V0, 2, alu(TSP_OP_NEG, TSP_I16, 6, STR(0), 0, 0));
}
static void break_passed(Bench *b) { /* at column 2 in cycle 2, not 3 */
    sketch_at(&b->sketch, 0, 0, sketch_read(0, WEST));
    sketch_at(&b->sketch, 4, 3, sketch_write(0, WEST));
}
static void break_range(Bench *b) {
    sketch_at(&b->sketch, 0, 2, sketch_read(0, 20));
}
static void break_align(Bench *b) {
    sketch_at(&b->sketch, ACC0, 2, acc(0, 1, 0, 2));
}
static void break_bank(Bench *b) {
    sketch_at(&b->sketch, 0, 1, sketch_read(0, 0));
    sketch_at(&b->sketch, 2, 2, (TspInsn){.op = TSP_OP_READ_WRITE, .addr = 2, .waddr = 3});
}
static void break_bank_repeated(Bench *b) {
    sketch_repeat(sketch_at(&b->sketch, 1, 0, sketch_read(0, 0)), 5, 1, 0);
    sketch_repeat(
        sketch_at(&b->sketch, 2, 1,
                  (TspInsn){.op = TSP_OP_READ_WRITE, .addr = 0, .stream = 1, .waddr = 600}),
        3, 1, 200);
}
static void break_address(Bench *b) {
    sketch_repeat(sketch_at(&b->sketch, 0, 2, sketch_read(0, 0)), 3, 2, -1);
}
static void break_row_undefined(Bench *b) {
    sketch_at(&b->sketch, 0, 2, sketch_read(1000, 0));
}
static void break_row_too_soon(Bench *b) {
    sketch_at(&b->sketch, 1, 0, sketch_read(0, 0));
    sketch_at(&b->sketch, 2, 1, sketch_write(0, 0));
    sketch_at(&b->sketch, 2, 3, sketch_read(0, 1));
}
static void break_unit(Bench *b) {
    sketch_at(&b->sketch, 0, 5, alu(TSP_OP_PASS, TSP_I8, 6, IMM, 0, 0));
}
static void break_repeat_first(Bench *b) {
    sketch_at(&b->sketch, 0, 0, (TspInsn){.op = TSP_OP_REPEAT, .n = 1, .d = 1});
}
static void break_repeat_nop(Bench *b) {
    sketch_repeat(sketch_at(&b->sketch, 0, 0, (TspInsn){.op = TSP_OP_NOP, .n = 9}), 1, 1, 0);
}
static void break_repeat_twice(Bench *b) {
    sketch_repeat(sketch_at(&b->sketch, 0, 3, sketch_read(0, 0)), 2, 2, 0);
    sketch_at(&b->sketch, 0, 8, (TspInsn){.op = TSP_OP_REPEAT, .n = 1, .d = 1});
}
static void break_repeat_notify(Bench *b) {
    sketch_repeat(sketch_at(&b->sketch, 0, 3, plain(TSP_OP_NOTIFY)), 1, 1, 0);
}
static void break_repeat_overlap(Bench *b) { /* the Repeat itself is wrong; met a cycle later */
    SketchItem *item = sketch_at(&b->sketch, 0, 3, sketch_read(0, 0));
    item->repeat = (TspInsn){.op = TSP_OP_REPEAT, .n = 2, .d = 2, .n2 = 1, .d2 = 4};
}
static void break_deadlock(Bench *b) {
    sketch_at(&b->sketch, 1, 7, plain(TSP_OP_SYNC));
    sketch_at(&b->sketch, 0, 9, plain(TSP_OP_SYNC));
    sketch_at(&b->sketch, 2, 5, plain(TSP_OP_NOTIFY));
    sketch_at(&b->sketch, 3, 100, sketch_read(0, 0));
}
static void break_overrun(Bench *b) { /* group 0 twice */
    draw_array(b, TSP_I8, false, 1, 1);
    sketch_repeat(sketch_at(&b->sketch, E0 + 3, 20, sketch_read(0, 0)), 1, 1, 0);
    sketch_repeat(sketch_at(&b->sketch, LW0, 24, lw(0, 1, 1)), 1, 1, 0);
}
static void break_operand_group(Bench *b) {
    sketch_repeat(sketch_at(&b->sketch, E0 + 3, 20, sketch_read(0, 0)), 9, 1, 0);
    sketch_repeat(sketch_at(&b->sketch, LW0, 24, lw(0, 2, 1)), 3, 1, 1);
}
static void break_weights_empty(Bench *b) {
    sketch_at(&b->sketch, LW0, 4, iw(TSP_I8));
}
static void break_weights_loading(Bench *b) {
    sketch_at(&b->sketch, E0, 0, sketch_read(0, 0));
    sketch_at(&b->sketch, LW0, 4, lw(0, 0, 1));
    sketch_at(&b->sketch, LW0, 9, iw(TSP_I8));
}
static void break_weights_twice(Bench *b) { /* the first IW has emptied the buffer */
    draw_array(b, TSP_I8, false, 1, 1);
    sketch_at(&b->sketch, LW0, 20, iw(TSP_I8));
}
static void break_missing(Bench *b) { /* a cycle before the weights are in use */
    draw_array(b, TSP_I8, false, 1, 1);
    sketch_at(&b->sketch, ABC0, 12, abc(TSP_I8, 4));
}
static void break_missing_type(Bench *b) {
    draw_array(b, TSP_F16, true, 1, 1);
    sketch_at(&b->sketch, ABC0, 13, abc(TSP_I8, 4));
}
static void break_missing_odd(Bench *b) {
    draw_array(b, TSP_F16, false, 1, 1);
    sketch_at(&b->sketch, ABC0, 13, abc(TSP_F16, 4));
}
static void break_busy(Bench *b) {
    draw_array(b, TSP_F16, true, 2, 1);
    sketch_repeat(sketch_at(&b->sketch, ABC0, 13, abc(TSP_F16, 4)), 1, 1, 0);
}
static void break_busy_odd(Bench *b) { /* int8 on plane 1 beside fp16 on the pair */
    draw_array(b, TSP_F16, true, 3, 1);
    sketch_at(&b->sketch, ABC0, 14, abc(TSP_F16, 4));
    sketch_at(&b->sketch, ABC1, 14, abc(TSP_I8, 4));
}
static void break_lost(Bench *b) {
    draw_array(b, TSP_I8, false, 2, 1);
    sketch_repeat(sketch_at(&b->sketch, ABC0, 13, abc(TSP_I8, 4)), 1, 1, 0);
    sketch_at(&b->sketch, ACC0, 35, acc(0, 0, 0, 0));
    sketch_at(&b->sketch, 0, 90, sketch_read(0, 0));
}
static void break_lost_before_fault(Bench *b) { /* lost in 35, and a later fault of another unit */
    draw_array(b, TSP_I8, false, 1, 1);
    sketch_at(&b->sketch, ABC0, 13, abc(TSP_I8, 4));
    sketch_at(&b->sketch, 0, 36, sketch_write(0, 0));
}
static void break_lost_twice(Bench *b) { /* plane 1 loses one in 35, plane 0 one in 36 */
    draw_array(b, TSP_I8, true, 2, 1);
    sketch_at(&b->sketch, ABC0, 14, abc(TSP_I8, 4));
    sketch_at(&b->sketch, ABC1, 13, abc(TSP_I8, 4));
    sketch_at(&b->sketch, 0, 36, sketch_read(0, 0));
}
static void break_lost_at_end(Bench *b) {
    draw_array(b, TSP_I8, false, 1, 1);
    sketch_at(&b->sketch, ABC0, 13, abc(TSP_I8, 4));
}
static void break_product(Bench *b) {
    draw_array(b, TSP_I8, false, 1, 1);
    sketch_at(&b->sketch, ABC0, 13, abc(TSP_I8, 4));
    sketch_at(&b->sketch, ACC0, 34, acc(0, 0, 0, 0));
}
static void break_acc_range(Bench *b) {
    draw_array(b, TSP_I8, false, 3, 1);
    sketch_repeat(sketch_at(&b->sketch, ABC0, 13, abc(TSP_I8, 4)), 2, 1, 0);
    sketch_repeat(sketch_at(&b->sketch, ACC0, 35, acc(0, 0, 62, 0)), 2, 1, 1);
}
static void break_acc_undefined(Bench *b) {
    draw_array(b, TSP_I8, false, 3, 1);
    sketch_repeat(sketch_at(&b->sketch, ABC0, 13, abc(TSP_I8, 4)), 2, 1, 0);
    sketch_at(&b->sketch, ACC0, 35, acc(0, 0, 7, 0));
    sketch_repeat(sketch_at(&b->sketch, ACC0, 36, acc(1, 0, 7, 0)), 1, 1, 1);
}
static void break_acc_type(Bench *b) { /* int32 in row 7, then an fp32 product */
    draw_array(b, TSP_I8, true, 30, 1);
    sketch_at(&b->sketch, ABC0, 13, abc(TSP_I8, 4));
    sketch_repeat(sketch_at(&b->sketch, E0, 12, sketch_read(0, 0)), 0, 1, 0);
    sketch_at(&b->sketch, LW0, 16, lw(0, 0, 1));
    sketch_at(&b->sketch, LW1, 16, lw(0, 0, 1));
    sketch_at(&b->sketch, LW0, 22, iw(TSP_F16));
    sketch_at(&b->sketch, LW1, 22, iw(TSP_F16));
    sketch_at(&b->sketch, ABC0, 25, abc(TSP_F16, 4));
    sketch_at(&b->sketch, ACC0, 35, acc(0, 0, 7, 0));
    sketch_at(&b->sketch, ACC0, 47, acc(1, 0, 7, 0));
}
static void break_chain(Bench *b) { /* ALU 1's input is at 10; ALU 0's result was there at 9 */
    sketch_at(&b->sketch, V0, 2, alu(TSP_OP_PASS, TSP_I8, TSP_DST_NONE, IMM, 0, 1));
    sketch_at(&b->sketch, V0 + 1, 6,
              alu(TSP_OP_PASS, TSP_I8, TSP_DST_NONE, TSP_SRC(TSP_SRC_ALU, 0), 0, 0));
}
static void break_latch(Bench *b) {
    sketch_at(&b->sketch, V0, 2, alu(TSP_OP_PASS, TSP_I8, TSP_DST_NONE, IMM, 0, 1));
    sketch_at(&b->sketch, V0 + 1, 4,
              alu(TSP_OP_PASS, TSP_I8, TSP_DST_NONE, TSP_SRC(TSP_SRC_LATCH, 0), 0, 0));
}
static void break_wiring(Bench *b) {
    b->sketch.machine.vxm_neighbour_only = b->m.vxm_neighbour_only = 1;
    sketch_at(&b->sketch, V0, 2, alu(TSP_OP_PASS, TSP_I8, TSP_DST_NONE, IMM, 0, 1));
    sketch_at(&b->sketch, V0 + 10, 5,
              alu(TSP_OP_PASS, TSP_I8, TSP_DST_NONE, TSP_SRC(TSP_SRC_ALU, 0), 0, 0));
}

static const struct {
    void (*draw)(Bench *b);
    TspRule rule;
    int64_t cycle;
    int32_t queue, index;
} broken[] = {
    {break_collision, TSP_RULE_STREAM_COLLISION, 5, E0 + 1, 1},
    {break_collision_late, TSP_RULE_STREAM_COLLISION, 9, V0 + 3, 1},
    {break_undefined, TSP_RULE_STREAM_UNDEFINED, 3, E0, 1},
    {break_undefined_group, TSP_RULE_STREAM_UNDEFINED, 2, V0, 1},
    {break_passed, TSP_RULE_STREAM_UNDEFINED, 3, 4, 1},
    {break_range, TSP_RULE_STREAM_RANGE, 2, 0, 1},
    {break_align, TSP_RULE_STREAM_ALIGN, 2, ACC0, 1},
    {break_bank, TSP_RULE_BANK_CONFLICT, 2, 2, 1},
    {break_bank_repeated, TSP_RULE_BANK_CONFLICT, 4, 2, 1},
    {break_address, TSP_RULE_ADDRESS_RANGE, 4, 0, 1},
    {break_row_undefined, TSP_RULE_ROW_UNDEFINED, 2, 0, 1},
    {break_row_too_soon, TSP_RULE_ROW_TOO_SOON, 3, 2, 3},
    {break_unit, TSP_RULE_QUEUE_UNIT, 5, 0, 1},
    {break_repeat_first, TSP_RULE_REPEAT_ALONE, 0, 0, 0},
    {break_repeat_nop, TSP_RULE_REPEAT_ALONE, 9, 0, 1},
    {break_repeat_twice, TSP_RULE_REPEAT_ALONE, 8, 0, 3},
    {break_repeat_notify, TSP_RULE_REPEAT_ALONE, 4, 0, 2},
    {break_repeat_overlap, TSP_RULE_OPERAND, 4, 0, 2},
    {break_deadlock, TSP_RULE_BARRIER_DEADLOCK, 7, 1, 1},
    {break_overrun, TSP_RULE_WEIGHT_OVERRUN, 25, LW0, 5},
    {break_operand_group, TSP_RULE_OPERAND, 26, LW0, 1},
    {break_weights_empty, TSP_RULE_WEIGHT_EMPTY, 4, LW0, 1},
    {break_weights_loading, TSP_RULE_WEIGHT_EMPTY, 9, LW0, 3},
    {break_weights_twice, TSP_RULE_WEIGHT_EMPTY, 20, LW0, 5},
    {break_missing, TSP_RULE_WEIGHT_MISSING, 12, ABC0, 1},
    {break_missing_type, TSP_RULE_WEIGHT_MISSING, 13, ABC0, 1},
    {break_missing_odd, TSP_RULE_WEIGHT_MISSING, 13, ABC0, 1},
    {break_busy, TSP_RULE_ARRAY_BUSY, 14, ABC0, 1},
    {break_busy_odd, TSP_RULE_ARRAY_BUSY, 14, ABC1, 1},
    {break_lost, TSP_RULE_PRODUCT_LOST, 36, ABC0, 1},
    {break_lost_before_fault, TSP_RULE_PRODUCT_LOST, 35, ABC0, 1},
    {break_lost_twice, TSP_RULE_PRODUCT_LOST, 35, ABC1, 1},
    {break_lost_at_end, TSP_RULE_PRODUCT_LOST, 35, ABC0, 1},
    {break_product, TSP_RULE_PRODUCT_MISSING, 34, ACC0, 1},
    {break_acc_range, TSP_RULE_ACCUMULATOR_RANGE, 37, ACC0, 1},
    {break_acc_undefined, TSP_RULE_ACCUMULATOR_UNDEFINED, 37, ACC0, 2},
    {break_acc_type, TSP_RULE_ACCUMULATOR_TYPE, 47, ACC0, 3},
    {break_chain, TSP_RULE_ALU_UNDEFINED, 10, V0 + 1, 1},
    {break_latch, TSP_RULE_ALU_UNDEFINED, 8, V0 + 1, 1},
    {break_wiring, TSP_RULE_ALU_WIRING, 5, V0 + 10, 1},
};

/* Rows 0..999 of every slice are there, row 1000 and above are not. */
static void place_everywhere(Bench *b) {
    for (int32_t slice = 0; slice < 16; slice++) place_random(b, slice, 0, 1000);
}

START_TEST(test_rule) {
    Bench *b = open_bench("tiny");
    char again[sizeof b->err.text];
    broken[_i].draw(b);
    draft(b);
    place_everywhere(b);
    expect_fault(b, broken[_i].rule, broken[_i].cycle, broken[_i].queue, broken[_i].index);
    ck_assert_int_eq(b->err.kind, TSP_ERR_ILLEGAL);
    /* Whoever goes on hears the same again; who goes back to before it does not. */
    memcpy(again, b->err.text, sizeof again);
    ck_assert(!tsp_sim_step(b->sim, &b->err));
    ck_assert_str_eq(b->err.text, again);
    ck_assert_msg(tsp_sim_seek(b->sim, broken[_i].cycle - 1, &b->err), "%s", b->err.text);
    /* Step by step it is the same fault. */
    while (tsp_sim_step(b->sim, &b->err)) ck_assert(!tsp_sim_done(b->sim));
    ck_assert_str_eq(b->err.text, again);
    close_bench(b);
}
END_TEST

/* Two loads of one group around an install: the one that arrives as the buffer is emptied. */
START_TEST(test_overrun_by_install) {
    for (int64_t install_cycles = 7; install_cycles <= 8; install_cycles++) {
        Bench *b = open_bench("tiny");
        b->sketch.machine.mxm_install_cycles = b->m.mxm_install_cycles = install_cycles;
        draw_array(b, TSP_I8, false, 1, 1); /* IW at 10; the next LW, at 11, arrives at 17 */
        sketch_at(&b->sketch, E0, 7, sketch_read(0, 0));
        sketch_at(&b->sketch, LW0, 11, lw(0, 0, 1));
        draft(b);
        place_everywhere(b);
        if (install_cycles == 7)
            run(b);
        else
            expect_fault(b, TSP_RULE_WEIGHT_OVERRUN, 11, LW0, 4);
        close_bench(b);
    }
}
END_TEST

START_TEST(test_refused_words) {
    Bench *b = open_bench("tiny");
    TspWord nothing = {0, 0};
    int32_t link;
    sketch_at(&b->sketch, 1, 6, sketch_read(0, 0));
    draft(b);
    place_everywhere(b);
    ck_assert(tsp_queue_push(&b->program.queues[1], nothing, NULL));
    expect_fault(b, TSP_RULE_ENCODING, 7, 1, 2);
    close_bench(b);

    b = open_bench("tiny");
    b->sketch.machine.c2c_links = b->m.c2c_links = 1;
    link = tsp_queue_count(&b->m) - 1;
    sketch_at(&b->sketch, link, 6, (TspInsn){.op = TSP_OP_SEND, .src = 1});
    draft(b);
    expect_stop(b);
    ck_assert_int_eq(b->err.kind, TSP_ERR_NOT_MODELLED);
    ck_assert_int_eq(b->err.cycle, 6);
    ck_assert_int_eq(b->err.queue, link);
    ck_assert_int_eq(b->err.index, 1);
    ck_assert_ptr_nonnull(strstr(b->err.text, "send"));
    close_bench(b);
}
END_TEST

/* Two loads of one row while the first is under way: the last wins, and is awaited. */
START_TEST(test_row_written_twice) {
    for (int64_t read = 7; read <= 8; read++) {
        Bench *b = open_bench("tiny");
        uint8_t *data;
        sketch_repeat(sketch_at(&b->sketch, 1, 3, sketch_read(0, 0)), 1, 1, 1);
        sketch_at(&b->sketch, 2, 4, sketch_write(5, 0));
        sketch_at(&b->sketch, 2, 5, sketch_write(5, 0));
        sketch_at(&b->sketch, 2, read, sketch_read(5, 1));
        draft(b);
        data = place_random(b, 1, 0, 2);
        if (read == 7) {
            expect_fault(b, TSP_RULE_ROW_TOO_SOON, 7, 2, 4);
        } else {
            run(b);
            ck_assert_mem_eq(tsp_sim_stream(b->sim, 1, 3), data + 16, 16);
        }
        close_bench(b);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sim_rules");
    TCase *tests = tcase_create("sim_rules");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, test_rule, 0, (int)(sizeof broken / sizeof *broken));
    tcase_add_test(tests, test_overrun_by_install);
    tcase_add_test(tests, test_refused_words);
    tcase_add_test(tests, test_row_written_twice);
    suite_add_tcase(suite, tests);
    return run_bench(suite);
}
