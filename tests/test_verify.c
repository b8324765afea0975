/* test_verify.c - the verifier: each rule broken once, with exact cycle, queue, instruction and
 * rule; and the legal program next to it accepted.
 */
#include "tests/verdict.h"

#include <stdio.h>

/* ---- streams ---- */

START_TEST(copies_a_row) {
    sketch_init(&sketch, "tiny");
    sketch_repeat(at(west(0), 10, sketch_read(5, E + 3)), 4, 2, 1);
    sketch_repeat(at(east(4), 14, sketch_write(100, E + 3)), 4, 2, 1); /* columns 3 to 6 */
    TspProof proof = accept(&sketch);
    ck_assert_int_eq(proof.instructions, 10);
    ck_assert_int_eq(proof.cycles, 14 + 8 + 3);
    ck_assert_int_eq(proof.reads_proved, 10);
    ck_assert_int_eq(proof.links_proved, 0);
}
END_TEST

START_TEST(read_too_early_or_late_is_undefined) {
    for (int late = -1; late <= 1; late += 2) {
        sketch_init(&sketch, "tiny");
        at(west(0), 10, sketch_read(5, E + 3));
        marked(at(east(4), 14 + late, sketch_write(100, E + 3)));
        refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 14 + late);
    }
}
END_TEST

START_TEST(values_do_not_flow_upstream) {
    sketch_init(&sketch, "tiny");
    at(west(0), 10, sketch_read(5, W + 3)); /* westward, drives column 3 in cycle 11 */
    at(west(4), 12, sketch_write(100, W + 3));
    accept(&sketch);
    marked(at(east(0), 13, sketch_write(100, W + 3)));
    refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 13);
}
END_TEST

START_TEST(value_is_visible_in_the_cycle_of_its_drive) {
    sketch_init(&sketch, "tiny");
    at(west(0), 10, sketch_read(5, E + 3));
    at(west(1), 11, sketch_write(100, E + 3)); /* same column, cycle of the drive */
    accept(&sketch);
}
END_TEST

START_TEST(two_drives_collide_at_the_drive_cycle) {
    sketch_init(&sketch, "tiny");
    at(west(1), 10, sketch_read(5, E + 3));
    marked(at(west(2), 10, sketch_read(5, E + 3)));
    refuse(&sketch, TSP_RULE_STREAM_COLLISION, 11);
}
END_TEST

START_TEST(collision_inside_long_runs) {
    sketch_init(&sketch, "tiny");
    sketch_repeat(at(west(1), 0, sketch_read(0, E + 3)), 50000, 3, 0);          /* 0, 3, 6, ... */
    marked(sketch_repeat(at(west(2), 29, sketch_read(0, E + 3)), 50000, 2, 0)); /* 29, 31, 33 */
    refuse(&sketch, TSP_RULE_STREAM_COLLISION, 34);
}
END_TEST

START_TEST(overwriting_a_passing_value_is_legal) {
    int32_t first, second, taken;
    sketch_init(&sketch, "tiny");
    first = sketch_run(&sketch, at(west(4), 10, sketch_read(5, E + 3))); /* column 3 in cycle 12 */
    second = sketch_run(&sketch, at(west(0), 11, sketch_read(6, E + 3)));
    taken = sketch_run(&sketch, marked(at(east(0), 14, sketch_write(100, E + 3))));
    sketch_link(&sketch, taken, 0, second, 0);
    ck_assert_int_eq(accept(&sketch).links_proved, 1);
    sketch.links[0].producer = first; /* overwritten on the way */
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 14);
}
END_TEST

START_TEST(link_names_the_iteration) {
    int32_t source, sink;
    sketch_init(&sketch, "tiny");
    source = sketch_run(&sketch, sketch_repeat(at(west(0), 10, sketch_read(0, E + 3)), 9, 1, 1));
    sink = sketch_run(&sketch,
                      marked(sketch_repeat(at(east(4), 16, sketch_write(100, E + 3)), 7, 1, 1)));
    sketch_link(&sketch, sink, 0, source, 2);
    ck_assert_int_eq(accept(&sketch).links_proved, 8);
    sketch.links[0].offset = 1;
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 16);
}
END_TEST

START_TEST(links_share_an_operand) {
    int32_t first, second, sink;
    sketch_init(&sketch, "tiny");
    first = sketch_run(&sketch, sketch_repeat(at(west(0), 10, sketch_read(0, E + 3)), 4, 1, 1));
    second = sketch_run(&sketch, sketch_repeat(at(west(1), 15, sketch_read(7, E + 3)), 4, 1, 1));
    sink = sketch_run(&sketch,
                      marked(sketch_repeat(at(east(4), 14, sketch_write(100, E + 3)), 9, 1, 1)));
    sketch_link(&sketch, sink, 0, first, 0);
    sketch_link(&sketch, sink, 0, second, -5);
    ck_assert_int_eq(accept(&sketch).links_proved, 10);
    sketch.links[1].offset = -4; /* two speak for iteration 4 */
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 18);
    sketch.links[1].offset = -6; /* none for iteration 5 */
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 19);
    sketch.link_count = 1;
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 19);
}
END_TEST

START_TEST(links_that_nothing_meets_prove_nothing) {
    int32_t source, sink;
    TspProof proof;
    TspError err;
    sketch_init(&sketch, "tiny");
    source = sketch_run(&sketch, sketch_repeat(at(west(0), 10, sketch_read(0, E + 3)), 9, 1, 1));
    sink = sketch_run(&sketch, sketch_repeat(at(east(4), 14, sketch_write(100, E + 3)), 9, 1, 1));
    sketch_link(&sketch, sink, 0, source, 0);
    ck_assert_int_eq(accept(&sketch).links_proved, 10);
    sketch.links[0].operand = 1; /* a Write has operand 0 only */
    ck_assert(!verify_as(&sketch, false, &proof, &err));
    ck_assert_int_eq(err.rule, TSP_RULE_WRONG_VALUE);
    ck_assert_int_eq(err.cycle, -1);
    ck_assert_int_eq(err.queue, east(4));
    sketch.links[0].operand = 0;
    sketch.runs[sink].count = 11; /* one that is never issued */
    ck_assert(!verify_as(&sketch, false, &proof, &err));
    ck_assert_int_eq(err.rule, TSP_RULE_WRONG_VALUE);
    ck_assert_int_eq(err.queue, east(4));
}
END_TEST

START_TEST(links_of_a_group_count_streams) {
    int32_t runs[2], sum;
    sketch_init(&sketch, "tiny");
    for (int i = 0; i < 2; i++) /* an i16 pair a + b, each byte from a slice of its own */
        for (int byte = 0; byte < 2; byte++) {
            int32_t run =
                sketch_run(&sketch, at(west(2 * i + byte), 10, sketch_read(0, E + 4 * i + byte)));
            if (byte == 1) runs[i] = run;
        }
    sum = sketch_run(
        &sketch,
        marked(at(
            vxm(3), 12,
            (TspInsn){
                .op = TSP_OP_ADD, .type = TSP_I16, .dst = E + 8, .src_a = E + 0, .src_b = E + 4})));
    sketch_link(&sketch, sum, 1, runs[0], 0);
    sketch_link(&sketch, sum, 3, runs[1], 0);
    ck_assert_int_eq(accept(&sketch).links_proved, 2);
    sketch.links[1].operand = 2;
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 12);
}
END_TEST

START_TEST(write_half_has_its_own_run) {
    int32_t source, other;
    SketchItem *both;
    sketch_init(&sketch, "tiny");
    source = sketch_run(&sketch, at(west(0), 10, sketch_read(0, E + 3)));
    both = marked(at(
        east(0), 13,
        (TspInsn){
            .op = TSP_OP_READ_WRITE, .addr = 1, .stream = E + 4, .waddr = 600, .wstream = E + 3}));
    other = sketch_run(&sketch, both); /* the read half */
    both->run[1] = sketch.run_count;
    sketch.runs[sketch.run_count++] =
        (TspRun){.op = -1, .queue = both->queue, .count = 1, .tensor = -1};
    sketch_link(&sketch, both->run[1], 0, source, 0);
    ck_assert_int_eq(accept(&sketch).links_proved, 1);
    sketch.links[0].producer = other;
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 13);
}
END_TEST

START_TEST(stream_names_are_checked) {
    sketch_init(&sketch, "tiny");
    marked(at(west(0), 7, sketch_read(5, E + 16))); /* tiny has 16 */
    refuse(&sketch, TSP_RULE_STREAM_RANGE, 7);
    sketch_init(&sketch, "tiny");
    marked(at(
        vxm(0), 7,
        (TspInsn){
            .op = TSP_OP_PASS, .type = TSP_I32, .dst = E + 2, .src_a = TSP_SRC(TSP_SRC_IMM, 0)}));
    refuse(&sketch, TSP_RULE_STREAM_ALIGN, 7);
}
END_TEST

START_TEST(transpose_reads_and_drives_a_group) {
    int32_t transposer, column;
    sketch_init(&sketch, "tiny");
    transposer = tsp_queue_sxm(&sketch.machine, TSP_EAST, TSP_ROLE_TRANSPOSE, 1);
    column = tsp_sxm_column(&sketch.machine, TSP_EAST); /* 7 */
    for (int i = 0; i < 4; i++) at(east(4 + i), 20 + (i == 3), sketch_read(0, E + 4 + i));
    marked(at(transposer, 22, (TspInsn){.op = TSP_OP_TRANSPOSE, .stream = W + 8, .src = E + 4}));
    refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 22);
    for (int i = 0; i < sketch.count; i++)
        if (sketch.items[i].cycle == 21) sketch.items[i].cycle = 20;
    for (int i = 0; i < 4; i++) at(east(i), 22 + 4 + column - 5, sketch_write(100, W + 8 + i));
    ck_assert_int_eq(accept(&sketch).reads_proved, 4 + 4 + 4);
}
END_TEST

/* ---- memory ---- */

START_TEST(rows_must_be_written_and_landed) {
    sketch_init(&sketch, "tiny");
    marked(at(west(0), 9, sketch_read(64, E + 3)));
    refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 9);
    for (int64_t gap = 1; gap <= 3; gap++) {
        sketch_init(&sketch, "tiny");
        at(west(1), 9, sketch_read(0, E + 3));
        at(west(0), 10, sketch_write(64, E + 3));
        marked(at(west(0), 10 + gap, sketch_read(64, E + 4)));
        if (gap < 3)
            refuse(&sketch, TSP_RULE_ROW_TOO_SOON, 10 + gap);
        else
            accept(&sketch);
    }
}
END_TEST

START_TEST(placed_row_overwritten_is_too_soon) {
    sketch_init(&sketch, "tiny");
    at(west(1), 9, sketch_read(0, E + 3));
    at(west(0), 10, sketch_write(7, E + 3));
    marked(sketch_repeat(at(west(0), 11, sketch_read(6, E + 4)), 3, 1, 1)); /* row 7 in cycle 12 */
    refuse(&sketch, TSP_RULE_ROW_TOO_SOON, 12);
}
END_TEST

START_TEST(repeat_steps_out_of_range) {
    for (int down = 0; down < 2; down++) {
        sketch_init(&sketch, "tiny");
        marked(sketch_repeat(at(west(0), 5, sketch_read(down ? 6 : 62, E + 3)), 9, 4,
                             down ? -3 : 320));
        refuse(&sketch, down ? TSP_RULE_ADDRESS_RANGE : TSP_RULE_ROW_UNDEFINED,
               5 + (down ? 12 : 4));
    }
    sketch_init(&sketch, "tiny");
    at(west(1), 5, sketch_read(0, E + 3));
    sketch_repeat(at(west(1), 6, sketch_read(0, E + 3)), 9, 1, 0);
    marked(sketch_repeat(at(west(0), 6, sketch_write(1022, E + 3)), 4, 1, 1));
    refuse(&sketch, TSP_RULE_ADDRESS_RANGE, 8);
}
END_TEST

START_TEST(two_dimensional_addresses) {
    SketchItem *item;
    sketch_init(&sketch, "tiny");
    item = marked(at(west(0), 5, sketch_read(50, E + 3)));
    item->repeat =
        (TspInsn){.op = TSP_OP_REPEAT, .n = 3, .d = 2, .a = 4, .n2 = 9, .d2 = 10, .a2 = 1};
    /* 50 + 3*4 + 2*1 = 64 in cycle 5 + 20 + 6 */
    refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 31);
}
END_TEST

START_TEST(banks_conflict_after_stepping) {
    SketchItem *item;
    TspInsn both = {
        .op = TSP_OP_READ_WRITE, .addr = 5, .stream = E + 4, .waddr = 6, .wstream = E + 3};
    sketch_init(&sketch, "tiny");
    at(west(1), 9, sketch_read(0, E + 3));
    marked(at(west(0), 10, both));
    refuse(&sketch, TSP_RULE_BANK_CONFLICT, 10);
    sketch_init(&sketch, "tiny");
    sketch_repeat(at(west(1), 9, sketch_read(0, E + 3)), 9, 1, 0);
    both.waddr = 514;
    item = marked(at(west(0), 10, both));
    item->repeat = (TspInsn){.op = TSP_OP_REPEAT, .n = 9, .d = 1, .a = 0, .w = -1};
    refuse(&sketch, TSP_RULE_BANK_CONFLICT, 13); /* 514, 513, 512, 511 */
}
END_TEST

/* ---- queues ---- */

/* Verifies one queue of words as given; expects a rule at (cycle, word). */
static void refuse_words(const TspInsn *insns, int count, TspRule rule, int64_t cycle,
                         int32_t index) {
    TspProgram p;
    TspProof proof;
    TspError err = {0};
    tsp_program_init(&p, &sketch.machine);
    sketch_place(&p, 2, 0, 64);
    for (int i = 0; i < count; i++) ck_assert(sketch_push(&p.queues[2], &insns[i], NULL));
    ck_assert(!tsp_verify(&p, NULL, &proof, &err));
    ck_assert_msg(err.rule == rule && err.cycle == cycle && err.queue == 2 && err.index == index,
                  "want %s cycle %lld index %d, got %s: %s", tsp_rule_name(rule), (long long)cycle,
                  index, tsp_rule_name(err.rule), err.text);
    tsp_program_free(&p);
}

START_TEST(repeat_needs_an_instruction) {
    static const TspInsn repeat = {.op = TSP_OP_REPEAT, .n = 2, .d = 1};
    static const TspInsn before[] = {
        {.op = TSP_OP_NOP, .n = 7}, {.op = TSP_OP_NOTIFY}, {.op = TSP_OP_READ}};
    sketch_init(&sketch, "tiny");
    refuse_words(&repeat, 1, TSP_RULE_REPEAT_ALONE, 0, 0);
    refuse_words((TspInsn[]){before[0], repeat}, 2, TSP_RULE_REPEAT_ALONE, 7, 1);
    refuse_words((TspInsn[]){before[1], repeat}, 2, TSP_RULE_REPEAT_ALONE, 1, 1);
    refuse_words((TspInsn[]){before[2], repeat, repeat}, 3, TSP_RULE_REPEAT_ALONE, 3, 2);
}
END_TEST

START_TEST(words_are_checked_in_their_cycle) {
    TspInsn nop = {.op = TSP_OP_NOP, .n = 40};
    sketch_init(&sketch, "tiny");
    refuse_words((TspInsn[]){nop, {.op = TSP_OP_IW}}, 2, TSP_RULE_QUEUE_UNIT, 40, 1);
    refuse_words((TspInsn[]){nop, {.op = TSP_OP_NOP}}, 2, TSP_RULE_OPERAND, 40, 1);
    refuse_words(
        (TspInsn[]){{.op = TSP_OP_READ}, {.op = TSP_OP_REPEAT, .n = 4, .d = 3, .n2 = 1, .d2 = 12}},
        2, TSP_RULE_OPERAND, 1, 1);
}
END_TEST

START_TEST(reserved_bits_are_refused) {
    TspProgram p;
    TspProof proof;
    TspError err = {0};
    sketch_init(&sketch, "tiny");
    marked(at(west(2), 30, sketch_read(0, E)));
    ck_assert(sketch_program(&sketch, &p));
    p.queues[2].words[1].hi |= 1u << 30;
    ck_assert(!tsp_verify(&p, NULL, &proof, &err));
    ck_assert_int_eq(err.rule, TSP_RULE_ENCODING);
    ck_assert_int_eq(err.cycle, 30);
    ck_assert_int_eq(err.queue, 2);
    ck_assert_int_eq(err.index, 1);
    tsp_program_free(&p);
}
END_TEST

START_TEST(barrier_releases_after_its_cycles) {
    for (int late = 0; late < 2; late++) {
        sketch_init(&sketch, "tiny");
        at(west(0), 5, (TspInsn){.op = TSP_OP_SYNC});
        at(west(0), 6, sketch_read(0, E + 3)); /* issues in cycle 50 + 35 */
        at(west(1), 50, (TspInsn){.op = TSP_OP_NOTIFY});
        marked(at(east(0), 50 + 35 + 3 + late, sketch_write(100, E + 3)));
        if (late)
            refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 89);
        else
            accept(&sketch);
    }
}
END_TEST

START_TEST(notify_in_the_cycle_of_the_sync_releases_it) {
    for (int late = 0; late < 2; late++) {
        sketch_init(&sketch, "tiny");
        marked(at(west(0), 50 + late, (TspInsn){.op = TSP_OP_SYNC}));
        at(west(1), 50, (TspInsn){.op = TSP_OP_NOTIFY});
        if (late)
            refuse(&sketch, TSP_RULE_BARRIER_DEADLOCK, 51);
        else
            ck_assert_int_eq(accept(&sketch).cycles, 85);
    }
}
END_TEST

START_TEST(barriers_chain) {
    sketch_init(&sketch, "tiny");
    at(west(0), 5, (TspInsn){.op = TSP_OP_SYNC});   /* released at 20 + 35 */
    at(west(0), 6, (TspInsn){.op = TSP_OP_NOTIFY}); /* cycle 55 */
    at(west(1), 20, (TspInsn){.op = TSP_OP_NOTIFY});
    at(west(1), 60, (TspInsn){.op = TSP_OP_NOTIFY}); /* not this one */
    at(west(2), 21, (TspInsn){.op = TSP_OP_SYNC});   /* released at 55 + 35 */
    at(west(2), 22, sketch_read(0, E + 3));
    at(east(0), 93, sketch_write(100, E + 3));
    accept(&sketch);
}
END_TEST

/* ---- VXM ---- */

START_TEST(alu_results_are_there_for_one_cycle) {
    for (int gap = 2; gap <= 4; gap++)
        for (int kind = TSP_SRC_ALU; kind <= TSP_SRC_LATCH; kind++) {
            sketch_init(&sketch, "tiny");
            at(vxm(1), 10,
               (TspInsn){.op = TSP_OP_PASS,
                         .type = TSP_F32,
                         .dst = TSP_DST_NONE,
                         .src_a = TSP_SRC(TSP_SRC_IMM, 0)});
            marked(at(vxm(0), 10 + gap,
                      (TspInsn){.op = TSP_OP_NEG,
                                .type = TSP_F32,
                                .dst = TSP_DST_NONE,
                                .src_a = TSP_SRC(kind, 1)}));
            if (gap == 3 || (gap == 4 && kind == TSP_SRC_LATCH))
                accept(&sketch);
            else
                refuse(&sketch, TSP_RULE_ALU_UNDEFINED, 10 + gap + 4);
        }
}
END_TEST

START_TEST(alu_chain_breaks_inside_a_run) {
    sketch_init(&sketch, "tiny");
    sketch_repeat(at(vxm(1), 10,
                     (TspInsn){.op = TSP_OP_PASS,
                               .type = TSP_F32,
                               .dst = TSP_DST_NONE,
                               .src_a = TSP_SRC(TSP_SRC_IMM, 0)}),
                  5, 2, 0);
    marked(sketch_repeat(at(vxm(0), 13,
                            (TspInsn){.op = TSP_OP_NEG,
                                      .type = TSP_F32,
                                      .dst = TSP_DST_NONE,
                                      .src_a = TSP_SRC(TSP_SRC_ALU, 1)}),
                         6, 2, 0));
    refuse(&sketch, TSP_RULE_ALU_UNDEFINED, 13 + 6 * 2 + 4);
}
END_TEST

START_TEST(alu_wiring_of_the_mesh) {
    sketch_init(&sketch, "tiny");
    sketch.machine.vxm_neighbour_only = 1;
    at(vxm(1), 10,
       (TspInsn){.op = TSP_OP_PASS,
                 .type = TSP_F32,
                 .dst = TSP_DST_NONE,
                 .src_a = TSP_SRC(TSP_SRC_IMM, 0)});
    marked(at(vxm(3), 13,
              (TspInsn){.op = TSP_OP_NEG,
                        .type = TSP_F32,
                        .dst = TSP_DST_NONE,
                        .src_a = TSP_SRC(TSP_SRC_ALU, 1)}));
    refuse(&sketch, TSP_RULE_ALU_WIRING, 13);
}
END_TEST

/* ---- MXM ---- */

static SketchProduct product(void) {
    sketch_init(&sketch, "tiny");
    return sketch_product(&sketch, 10, 3, 2);
}
static SketchItem *item_at(int32_t index) {
    return &sketch.items[index];
}
static void drop(int32_t index) {
    sketch.items[index].insn = (TspInsn){.op = TSP_OP_NOP, .n = 1};
    sketch.items[index].repeat.op = TSP_OP_NOP;
}

START_TEST(product_is_legal) {
    SketchProduct x = product();
    ck_assert_int_eq(x.load_cycle, 14);
    ck_assert_int_eq(x.activate_cycle, 23);
    ck_assert_int_eq(x.accumulate_cycle, 45);
    TspProof proof = accept(&sketch);
    ck_assert_int_eq(proof.instructions, 4 + 1 + 1 + 4 * 3);
    ck_assert_int_eq(proof.cycles, 45 + 40 + 2 + 4 + 3);
}
END_TEST

START_TEST(weights_not_there_yet) {
    SketchProduct x = product();
    marked(item_at(x.install))->cycle--;
    refuse(&sketch, TSP_RULE_WEIGHT_EMPTY, 19);
    x = product();
    drop(x.load);
    marked(item_at(x.install));
    refuse(&sketch, TSP_RULE_WEIGHT_EMPTY, 20);
    x = product();
    item_at(x.install)->cycle++;
    marked(item_at(x.activate));
    refuse(&sketch, TSP_RULE_WEIGHT_MISSING, 23);
}
END_TEST

START_TEST(weights_of_another_type) {
    SketchProduct x = product();
    item_at(x.install)->insn.type = TSP_F16;
    marked(item_at(x.activate));
    refuse(&sketch, TSP_RULE_WEIGHT_MISSING, 23);
    x = product();
    item_at(x.install)->insn.type = TSP_U8;
    accept(&sketch);
}
END_TEST

START_TEST(weight_group_loaded_twice) {
    SketchProduct x = product();
    TspInsn lw = item_at(x.load)->insn;
    marked(at(item_at(x.load)->queue, 15, lw));
    for (int i = 0; i < 4; i++) at(east(i), 11, sketch_read(0, E + i));
    refuse(&sketch, TSP_RULE_WEIGHT_OVERRUN, 15);
    for (int i = 0; i < sketch.count; i++)
        if (sketch.items[i].cycle == 15 && sketch.items[i].marked) sketch.items[i].insn.group = 1;
    for (int i = 0; i < sketch.count; i++)
        if (sketch.items[i].insn.op == TSP_OP_IW)
            sketch.items[i].marked = true, sketch.items[i].cycle = 20;
    for (int i = 0; i < sketch.count; i++)
        if (sketch.items[i].insn.op == TSP_OP_LW) sketch.items[i].marked = false;
    refuse(&sketch, TSP_RULE_WEIGHT_EMPTY, 20); /* the second arrives in cycle 21 */
}
END_TEST

START_TEST(weights_arrive_while_others_are_installed) {
    for (int64_t late = 0; late < 2; late++) {
        sketch_init(&sketch, "tiny");
        sketch.machine.mxm_load_cycles = 2;
        sketch.machine.mxm_install_cycles = 5;
        SketchProduct x = sketch_product(&sketch, 10, 3, 2);
        int64_t install = item_at(x.install)->cycle; /* 16: in use from 21 */
        ck_assert_int_eq(install, 16);
        for (int i = 0; i < 4; i++) at(east(i), 14 + late, sketch_read(0, E + i));
        marked(at(item_at(x.load)->queue, 18 + late, item_at(x.load)->insn));
        if (late)
            accept(&sketch);
        else
            refuse(&sketch, TSP_RULE_WEIGHT_OVERRUN, 18);
    }
}
END_TEST

START_TEST(weight_group_steps_out_of_the_array) {
    SketchProduct x = product();
    sketch_repeat(item_at(x.load), 4, 1, 1); /* groups 0..3 of 16 lanes, then 4 */
    for (int i = 0; i < 4; i++) sketch_repeat(item_at(x.read_weights + i), 4, 1, 1);
    drop(x.install);
    drop(x.activate);
    drop(x.accumulate);
    drop(x.write);
    marked(item_at(x.load));
    refuse(&sketch, TSP_RULE_OPERAND, 18);
}
END_TEST

START_TEST(products_meet_their_acc) {
    SketchProduct x = product();
    item_at(x.accumulate)->cycle++;
    marked(item_at(x.activate));
    refuse(&sketch, TSP_RULE_PRODUCT_LOST, 45);
    x = product();
    item_at(x.accumulate)->repeat.n++;
    marked(item_at(x.accumulate));
    refuse(&sketch, TSP_RULE_PRODUCT_MISSING, 51);
}
END_TEST

START_TEST(accumulator_rows) {
    SketchProduct x = product();
    TspInsn *acc = &item_at(x.accumulate)->insn;
    marked(item_at(x.accumulate));
    *acc = (TspInsn){.op = TSP_OP_ACC, .add = 1, .row = 7};
    drop(x.write);
    refuse(&sketch, TSP_RULE_ACCUMULATOR_UNDEFINED, 45);
    x = product();
    drop(x.write);
    marked(item_at(x.accumulate))->insn = (TspInsn){.op = TSP_OP_ACC, .row = 62};
    item_at(x.accumulate)->repeat.a = 1;
    refuse(&sketch, TSP_RULE_ACCUMULATOR_RANGE, 49);
    x = product();
    drop(x.write);
    item_at(x.accumulate)->insn = (TspInsn){.op = TSP_OP_ACC, .row = 61};
    item_at(x.accumulate)->repeat.a = 1;
    accept(&sketch);
}
END_TEST

/* An fp16 pair: both planes loaded and installed, then `gap` cycles between two activations. */
static SketchProduct half_product(int32_t gap) {
    SketchProduct x = product();
    const TspMachine *m = &sketch.machine;
    item_at(x.install)->insn.type = TSP_F16;
    at(tsp_queue_mxm(m, TSP_EAST, 1, TSP_ROLE_WEIGHTS), x.load_cycle, item_at(x.load)->insn);
    at(tsp_queue_mxm(m, TSP_EAST, 1, TSP_ROLE_WEIGHTS), x.load_cycle + 6, item_at(x.install)->insn);
    item_at(x.activate)->insn.type = TSP_F16;
    item_at(x.activate)->insn.stream = E + 4;
    sketch_repeat(at(east(5), item_at(x.read_activations)->cycle, sketch_read(16, E + 4)), 2, gap,
                  1);
    item_at(x.read_activations)->repeat.d = gap;
    item_at(x.activate)->repeat.d = gap;
    item_at(x.accumulate)->repeat.d = gap;
    item_at(x.write)->repeat.d = gap;
    return x;
}

START_TEST(fp16_takes_both_planes) {
    SketchProduct x = half_product(2);
    accept(&sketch);
    x = half_product(1);
    marked(item_at(x.activate));
    refuse(&sketch, TSP_RULE_ARRAY_BUSY, 24);
    x = half_product(4); /* vectors at 23, 27, 31; the odd plane is free in 25 only */
    marked(at(tsp_queue_mxm(&sketch.machine, TSP_EAST, 1, TSP_ROLE_ACTIVATIONS), 28,
              (TspInsn){.op = TSP_OP_ABC, .type = TSP_I8, .stream = E + 4}));
    refuse(&sketch, TSP_RULE_ARRAY_BUSY, 28);
    x = half_product(2);
    for (int i = 0; i < sketch.count; i++)
        if (sketch.items[i].queue == tsp_queue_mxm(&sketch.machine, TSP_EAST, 1, TSP_ROLE_WEIGHTS))
            drop(i);
    marked(item_at(x.activate));
    refuse(&sketch, TSP_RULE_WEIGHT_MISSING, 23);
}
END_TEST

START_TEST(accumulator_keeps_its_type) {
    SketchProduct x = half_product(2), y;
    drop(x.write);
    item_at(x.accumulate)->insn = (TspInsn){.op = TSP_OP_ACC, .row = 3};
    y = sketch_product(&sketch, 60, 1, 1);
    drop(y.write);
    marked(item_at(y.accumulate))->insn = (TspInsn){.op = TSP_OP_ACC, .add = 1, .row = 3};
    refuse(&sketch, TSP_RULE_ACCUMULATOR_TYPE, 95);
}
END_TEST

/* ---- order ---- */

START_TEST(first_offence_in_time_is_reported) {
    sketch_init(&sketch, "tiny");
    at(west(0), 30, sketch_read(700, E + 1));
    marked(at(east(7), 29, sketch_read(700, E + 1)));
    refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 29);
    sketch_init(&sketch, "tiny");
    at(east(7), 30, sketch_read(700, E + 1));
    marked(at(west(0), 30, sketch_read(700, E + 1)));
    refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 30);
}
END_TEST

START_TEST(a_product_is_lost_after_all_else_in_its_cycle) {
    for (int late = 0; late < 2; late++) {
        SketchProduct x = product();
        drop(x.accumulate);
        drop(x.write);
        marked(late ? item_at(x.activate) : at(west(0), 45, sketch_read(700, E + 1)));
        if (late) at(west(0), 46, sketch_read(700, E + 1));
        refuse(&sketch, late ? TSP_RULE_PRODUCT_LOST : TSP_RULE_ROW_UNDEFINED, 45);
    }
}
END_TEST

START_TEST(a_lost_product_goes_before_a_deadlock) {
    SketchProduct x = product();
    at(west(0), 5, (TspInsn){.op = TSP_OP_SYNC});
    drop(x.accumulate);
    drop(x.write);
    marked(item_at(x.activate));
    refuse(&sketch, TSP_RULE_PRODUCT_LOST, 45);
}
END_TEST

START_TEST(deadlock_is_reported_when_nothing_else_is) {
    sketch_init(&sketch, "tiny");
    marked(at(west(0), 5, (TspInsn){.op = TSP_OP_SYNC}));
    refuse(&sketch, TSP_RULE_BARRIER_DEADLOCK, 5);
    sketch.items[0].marked = false;
    marked(at(west(1), 900, sketch_read(700, E + 1)));
    refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 900);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        copies_a_row,
        read_too_early_or_late_is_undefined,
        values_do_not_flow_upstream,
        value_is_visible_in_the_cycle_of_its_drive,
        two_drives_collide_at_the_drive_cycle,
        collision_inside_long_runs,
        overwriting_a_passing_value_is_legal,
        link_names_the_iteration,
        links_share_an_operand,
        links_that_nothing_meets_prove_nothing,
        links_of_a_group_count_streams,
        write_half_has_its_own_run,
        stream_names_are_checked,
        transpose_reads_and_drives_a_group,
        rows_must_be_written_and_landed,
        placed_row_overwritten_is_too_soon,
        repeat_steps_out_of_range,
        two_dimensional_addresses,
        banks_conflict_after_stepping,
        repeat_needs_an_instruction,
        words_are_checked_in_their_cycle,
        reserved_bits_are_refused,
        barrier_releases_after_its_cycles,
        notify_in_the_cycle_of_the_sync_releases_it,
        barriers_chain,
        alu_results_are_there_for_one_cycle,
        alu_chain_breaks_inside_a_run,
        alu_wiring_of_the_mesh,
        product_is_legal,
        weights_not_there_yet,
        weights_of_another_type,
        weight_group_loaded_twice,
        weights_arrive_while_others_are_installed,
        weight_group_steps_out_of_the_array,
        products_meet_their_acc,
        accumulator_rows,
        fp16_takes_both_planes,
        accumulator_keeps_its_type,
        first_offence_in_time_is_reported,
        a_product_is_lost_after_all_else_in_its_cycle,
        a_lost_product_goes_before_a_deadlock,
        deadlock_is_reported_when_nothing_else_is,
    };
    Suite *suite = suite_create("verify");
    TCase *tcase = tcase_create("rules");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
