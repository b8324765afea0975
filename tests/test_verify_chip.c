/* test_verify_chip.c - the verifier on power, instruction text, Gather, Scatter and the SXM: each
 * rule broken once, with exact cycle, queue and instruction; what is legal next to it accepted; and
 * what only the run can know, counted.
 */
#include "tests/verdict.h"

static TspInsn config(int32_t mask) {
    return (TspInsn){.op = TSP_OP_CONFIG, .mask = mask};
}
static TspInsn ifetch(int32_t stream) {
    return (TspInsn){.op = TSP_OP_IFETCH, .stream = stream};
}
static TspInsn gather(int32_t stream, int32_t map) {
    return (TspInsn){.op = TSP_OP_GATHER, .stream = stream, .map = map};
}
static TspInsn scatter(int32_t wstream, int32_t map) {
    return (TspInsn){.op = TSP_OP_SCATTER, .wstream = wstream, .map = map};
}
static int32_t sxm(TspRole role, int32_t index) { /* of the east: column 7 */
    return tsp_queue_sxm(&sketch.machine, TSP_EAST, role, index);
}
static void unmark(void) {
    for (int32_t i = 0; i < sketch.count; i++) sketch.items[i].marked = false;
}
/* A value on an eastward stream at column 3 from a cycle on, `count` cycles long. */
static void feed(int32_t slice, int64_t cycle, int32_t stream, int32_t count) {
    sketch_repeat(at(west(slice), cycle - 1, sketch_read(0, stream)), count - 1, 1, 0);
}

/* ---- power ---- */

START_TEST(config_is_no_instruction_to_repeat) {
    sketch_init(&sketch, "tiny");
    at(west(0), 10, config(15));
    ck_assert_int_eq(accept(&sketch).cycles, 11);
    marked(at(west(0), 11, (TspInsn){.op = TSP_OP_REPEAT, .n = 2, .d = 1}));
    refuse(&sketch, TSP_RULE_REPEAT_ALONE, 11);
}
END_TEST

START_TEST(config_masks_are_of_the_machine) {
    for (int32_t mask = 0; mask <= 16; mask += 16) {
        sketch_init(&sketch, "tiny");
        marked(at(vxm(2), 7, config(mask)));
        refuse(&sketch, TSP_RULE_OPERAND, 7);
    }
}
END_TEST

/* Row 100 is written with superlanes 0 and 1 on, and read when all are. */
START_TEST(a_write_stores_what_is_on) {
    for (int late = 0; late < 2; late++) {
        sketch_init(&sketch, "tiny");
        at(vxm(0), 20, config(3)); /* from 21 on */
        feed(0, 20, E + 3, 2);     /* at E0 in 22 and 23 */
        at(east(0), 22, sketch_write(100, E + 3));
        at(east(0), 25, sketch_read(100, E + 4));
        at(vxm(0), 40, config(15)); /* from 41 on */
        at(east(1), 50, sketch_read(5, E + 5));
        marked(at(east(0), 40 + late, sketch_read(100, E + 4)));
        if (late)
            refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 41);
        else
            accept(&sketch);
    }
}
END_TEST

START_TEST(a_write_sees_the_switch_of_its_cycle) {
    for (int late = 0; late < 2; late++) {
        sketch_init(&sketch, "tiny");
        at(vxm(0), 21, config(1)); /* from 22 on */
        at(vxm(0), 40, config(15));
        feed(0, 19, E + 3, 2); /* at E0 in 21 and 22 */
        at(east(0), 21 + late, sketch_write(100, E + 3));
        marked(at(east(0), 60, sketch_read(100, E + 4)));
        if (late)
            refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 60);
        else
            accept(&sketch);
    }
}
END_TEST

START_TEST(rows_are_defined_piece_by_piece) {
    for (int part = 1; part < 3; part++) {
        sketch_init(&sketch, "tiny");
        feed(0, 20, E + 3, 30);
        at(vxm(0), 25, config(3)); /* 26 */
        at(east(0), 30, sketch_write(100, E + 3));
        at(vxm(0), 31, config(part == 1 ? 8 : 12)); /* 32 */
        at(east(0), 33, sketch_write(100, E + 3));
        at(vxm(0), 34, config(15));
        marked(at(east(0), 60, sketch_read(100, E + 4)));
        if (part == 1)
            refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 60); /* superlane 2 */
        else
            accept(&sketch);
    }
}
END_TEST

/* A Write under way is in the way of those superlanes only that it touches, however many follow. */
START_TEST(too_soon_is_by_superlane) {
    for (int32_t mask = 1; mask < 16; mask *= 2) {
        sketch_init(&sketch, "tiny");
        feed(0, 20, E + 3, 20);
        at(vxm(0), 21, config(1)); /* 22 */
        at(east(0), 22, sketch_write(7, E + 3));
        at(vxm(0), 22, config(2)); /* 23 */
        at(east(0), 23, sketch_write(7, E + 3));
        at(vxm(0), 23, config(mask)); /* 24 */
        marked(at(east(0), 24, sketch_read(7, E + 4)));
        if (mask < 4)
            refuse(&sketch, TSP_RULE_ROW_TOO_SOON, 24);
        else
            accept(&sketch);
        for (int32_t i = 0; i < sketch.count; i++) /* when the first Write has landed */
            if (sketch.items[i].marked) sketch.items[i].cycle++;
        if (mask == 2)
            refuse(&sketch, TSP_RULE_ROW_TOO_SOON, 25);
        else
            accept(&sketch);
    }
}
END_TEST

START_TEST(two_switches_in_a_cycle_conflict) {
    sketch_init(&sketch, "tiny");
    at(west(1), 30, config(3));
    at(vxm(0), 31, config(15));
    accept(&sketch);
    at(sxm(TSP_ROLE_ROTATE, 0), 30, config(7));
    marked(at(vxm(3), 30, config(15)));
    refuse(&sketch, TSP_RULE_CONFIG_CONFLICT, 31); /* the second of three, by queue */
}
END_TEST

START_TEST(a_conflict_comes_after_collisions_and_before_alus) {
    sketch_init(&sketch, "tiny");
    at(west(1), 30, config(3));
    marked(at(vxm(0), 30, config(15)));
    at(vxm(1), 27, /* takes its input in 31 */
       (TspInsn){.op = TSP_OP_PASS, .dst = TSP_DST_NONE, .src_a = TSP_SRC(TSP_SRC_LATCH, 2)});
    at(west(0), 31, sketch_read(700, E + 3));
    refuse(&sketch, TSP_RULE_CONFIG_CONFLICT, 31);
    unmark();
    at(east(1), 30, sketch_read(0, E + 3));
    marked(at(east(2), 30, sketch_read(0, E + 3)));
    refuse(&sketch, TSP_RULE_STREAM_COLLISION, 31);
}
END_TEST

START_TEST(a_config_may_wait_at_a_barrier) {
    for (int late = 0; late < 2; late++) {
        sketch_init(&sketch, "tiny");
        at(vxm(0), 3, (TspInsn){.op = TSP_OP_SYNC});
        at(vxm(0), 4, config(1)); /* issues in 10 + 35, switches in 46 */
        at(vxm(1), 10, (TspInsn){.op = TSP_OP_NOTIFY});
        at(vxm(2), 60, config(15));
        feed(0, 40, E + 3, 10);
        at(east(0), 45 + late, sketch_write(100, E + 3));
        marked(at(east(0), 70, sketch_read(100, E + 4)));
        if (late)
            refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 70);
        else
            accept(&sketch);
    }
}
END_TEST

/* ---- instruction text: V = 4 vectors, there 3 + 4 cycles after the issue; 8 words held ---- */

START_TEST(ifetch_takes_its_vectors) {
    int32_t source, sink;
    sketch_init(&sketch, "tiny");
    feed(1, 20, E + 3, 4);
    source = sketch_run(&sketch, &sketch.items[0]);
    sink = sketch_run(&sketch, marked(at(west(0), 20, ifetch(E + 3))));
    sketch_link(&sketch, sink, 0, source, 0);
    TspProof proof = accept(&sketch);
    ck_assert_int_eq(proof.instructions, 4 + 1);
    ck_assert_int_eq(proof.cycles, 20 + 3 + 4);
    ck_assert_int_eq(proof.reads_proved, 4 + 4);
    ck_assert_int_eq(proof.links_proved, 1); /* of the first vector */
    ck_assert_int_eq(proof.run_time_conditions, 0);
    sketch.links[0].offset = 1;
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 20);
    sketch.link_count = 0;
    for (int32_t i = 0; i < 2; i++)
        if (sketch.items[i].queue == west(1)) sketch.items[i].repeat.n = 2;
    refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 23);
    for (int32_t i = 0; i < 2; i++)
        if (sketch.items[i].queue == west(1)) sketch.items[i].cycle++;
    refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 20);
}
END_TEST

START_TEST(later_vectors_come_after_all_issues) {
    sketch_init(&sketch, "tiny");
    feed(1, 20, E + 3, 3);
    at(west(0), 20, ifetch(E + 3));
    marked(at(east(7), 23, sketch_read(700, E + 4)));
    refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 23);
    unmark();
    sketch_init(&sketch, "tiny"); /* two that miss theirs: by queue; before a product is lost */
    SketchProduct x = sketch_product(&sketch, 10, 1, 1);
    sketch.items[x.accumulate].insn = (TspInsn){.op = TSP_OP_NOP, .n = 1}; /* lost in 45 */
    sketch.items[x.write].insn = (TspInsn){.op = TSP_OP_NOP, .n = 1};
    feed(1, 42, E + 9, 3);
    at(west(3), 42, ifetch(E + 9));
    marked(at(west(2), 42, ifetch(E + 9)));
    refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 45);
}
END_TEST

START_TEST(ifetches_of_a_queue_do_not_overlap) {
    for (int modelled = 0; modelled < 2; modelled++)
        for (int gap = 3; gap < 5; gap++) {
            sketch_init(&sketch, "tiny");
            feed(1, 20, E + 3, 20);
            at(west(0), 20, ifetch(E + 3)); /* word 1: would overrun where text is modelled */
            if (modelled)
                for (int i = 0; i < 2; i++) at(west(0), 10 + i, config(15)); /* word 4 */
            at(west(2), 21, ifetch(E + 3));                                  /* another queue */
            sketch.items[sketch.count - 1].insn = modelled ? config(15) : ifetch(E + 3);
            marked(at(west(0), 20 + gap, ifetch(E + 3)));
            if (gap == 3)
                refuse_as(&sketch, modelled, TSP_RULE_FETCH_OVERLAP, 23);
            else if (modelled) /* word 6: 128 + 2 * 64 - 7 * 16 > 128 */
                refuse_as(&sketch, true, TSP_RULE_FETCH_OVERRUN, 24);
            else
                accept(&sketch);
        }
}
END_TEST

START_TEST(ifetch_is_no_instruction_to_repeat) {
    sketch_init(&sketch, "tiny");
    feed(1, 20, E + 3, 9);
    at(west(0), 20, ifetch(E + 3));
    marked(at(west(0), 21, (TspInsn){.op = TSP_OP_REPEAT, .n = 2, .d = 4}));
    refuse(&sketch, TSP_RULE_REPEAT_ALONE, 21);
}
END_TEST

/* One queue of words as given, in a program that feeds it text on s3.e all the time. rule NONE:
 * legal. */
static TspProof judge_words(const TspInsn *words, int count, TspRule rule, int64_t cycle,
                            int32_t index) {
    TspVerifyOptions modelled = {.ifetch_modelled = true};
    TspProgram p;
    TspProof proof;
    TspError err = {0};
    bool legal;
    sketch_init(&sketch, "tiny");
    feed(0, 1, E + 3, 300);
    at(vxm(5), 40, (TspInsn){.op = TSP_OP_NOTIFY});
    ck_assert(sketch_program(&sketch, &p));
    sketch_place(&p, west(0), 0, 64);
    sketch_place(&p, west(2), 0, 64);
    for (int i = 0; i < count; i++) ck_assert(sketch_push(&p.queues[west(2)], &words[i], NULL));
    legal = tsp_verify(&p, &modelled, &proof, &err);
    ck_assert_msg(legal == (rule == TSP_RULE_NONE) && err.rule == rule, "want %s, got %s %s",
                  tsp_rule_name(rule), tsp_rule_name(err.rule), err.text);
    if (!legal)
        ck_assert_msg(err.cycle == cycle && err.queue == west(2) && err.index == index,
                      "want cycle %lld index %d, got %s", (long long)cycle, index, err.text);
    tsp_program_free(&p);
    return proof;
}

#define NOP(cycles) ((TspInsn){.op = TSP_OP_NOP, .n = (cycles)})
#define READ        ((TspInsn){.op = TSP_OP_READ, .addr = 0, .stream = W + 8})
#define FETCH       ((TspInsn){.op = TSP_OP_IFETCH, .stream = E + 3})

START_TEST(words_are_there_when_they_are_due) {
    TspInsn words[9] = {READ, READ, READ, READ, READ, READ, READ, READ, READ};
    judge_words(words, 8, TSP_RULE_NONE, 0, 0);
    judge_words(words, 9, TSP_RULE_FETCH_STARVED, 8, 8);
    words[0] = NOP(20);
    words[3] = FETCH; /* in 22; there from 29 on */
    judge_words(words, 9, TSP_RULE_FETCH_STARVED, 27, 8);
    words[6] = NOP(3);
    TspProof proof = judge_words(words, 9, TSP_RULE_NONE, 0, 0); /* due in 29 */
    ck_assert_int_eq(proof.run_time_conditions, 1);
    words[6] = NOP(2);
    judge_words(words, 9, TSP_RULE_FETCH_STARVED, 28, 8);
}
END_TEST

START_TEST(when_nops_repeats_and_releases_are_due) {
    TspInsn words[9] = {NOP(20), READ, READ, FETCH, READ, READ, NOP(2), READ, NOP(9)};
    judge_words(words, 9, TSP_RULE_FETCH_STARVED, 28, 8); /* where its idling begins */
    words[6] = NOP(1);                                    /* word 7 issues in 26 */
    words[8] = (TspInsn){.op = TSP_OP_REPEAT, .n = 2, .d = 9};
    judge_words(words, 9, TSP_RULE_FETCH_STARVED, 27, 8); /* not in 35 */
    words[6] = NOP(3);
    judge_words(words, 9, TSP_RULE_NONE, 0, 0);
    words[6] = READ;
    words[7] = (TspInsn){.op = TSP_OP_SYNC}; /* parked in 26, released in 40 + 35 */
    words[8] = READ;
    judge_words(words, 9, TSP_RULE_NONE, 0, 0);
    words[3] = READ;
    judge_words(words, 9, TSP_RULE_FETCH_STARVED, 75, 8);
    words[8] = (TspInsn){.op = TSP_OP_IW}; /* a word that is not there is not looked at */
    judge_words(words, 9, TSP_RULE_FETCH_STARVED, 75, 8);
}
END_TEST

START_TEST(queues_hold_so_much_text) {
    TspInsn words[14];
    for (int i = 0; i < 14; i++) words[i] = NOP(2);
    words[2] = FETCH; /* 128 + 64 - 3 * 16 > 128 */
    judge_words(words, 8, TSP_RULE_FETCH_OVERRUN, 4, 2);
    words[2] = NOP(2);
    words[3] = FETCH;
    judge_words(words, 8, TSP_RULE_NONE, 0, 0);
    words[6] = FETCH; /* in 11; 128 + 2 * 64 - 7 * 16 > 128 */
    judge_words(words, 8, TSP_RULE_FETCH_OVERRUN, 11, 6);
    words[6] = NOP(2);
    words[7] = FETCH; /* in 13: there from 20 on */
    judge_words(words, 14, TSP_RULE_NONE, 0, 0);
    words[4] = NOP(20); /* the first came long ago, the second is in time for word 12 or not */
    for (int i = 8; i < 14; i++) words[i] = READ;
    ck_assert_int_eq(judge_words(words, 12, TSP_RULE_NONE, 0, 0).run_time_conditions, 2);
    judge_words(words, 13, TSP_RULE_FETCH_STARVED, 31 + 5, 12);
}
END_TEST

/* ---- Gather and Scatter ---- */

START_TEST(gather_takes_longer_than_read) {
    for (int late = -1; late <= 1; late++) {
        sketch_init(&sketch, "tiny");
        feed(1, 20, E + 3, 3);
        sketch_repeat(at(west(2), 20, gather(E + 4, E + 3)), 2, 1, 1000); /* the step is ignored */
        marked(sketch_repeat(at(east(0), 24 + late, sketch_write(100, E + 4)), 2, 1, 1));
        if (late)
            refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, late < 0 ? 23 : 27);
        else {
            TspProof proof = accept(&sketch);
            ck_assert_int_eq(proof.cycles, 26 + 3);
            ck_assert_int_eq(proof.reads_proved, 3 + 3 + 3);
            ck_assert_int_eq(proof.run_time_conditions, 3);
        }
    }
    sketch_init(&sketch, "tiny");
    marked(at(west(2), 20, gather(E + 4, E + 3)));
    refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 20);
}
END_TEST

START_TEST(two_delays_of_one_queue_collide) {
    sketch_init(&sketch, "tiny");
    feed(1, 20, E + 3, 1);
    at(west(2), 20, gather(E + 4, E + 3)); /* 22 */
    marked(at(west(2), 21, sketch_read(3, E + 4)));
    refuse(&sketch, TSP_RULE_STREAM_COLLISION, 22);
}
END_TEST

START_TEST(scatter_reads_data_and_map) {
    int32_t data, map, sink;
    sketch_init(&sketch, "tiny");
    data = sketch_run(&sketch, at(west(0), 19, sketch_read(0, E + 4)));
    map = sketch_run(&sketch, at(west(1), 19, sketch_read(0, E + 3)));
    sink = sketch_run(&sketch, marked(at(west(2), 20, scatter(E + 4, E + 3))));
    sketch_link(&sketch, sink, 0, data, 0);
    sketch_link(&sketch, sink, 1, map, 0);
    TspProof proof = accept(&sketch);
    ck_assert_int_eq(proof.links_proved, 2);
    ck_assert_int_eq(proof.cycles, 20 + 4);
    ck_assert_int_eq(proof.run_time_conditions, 1);
    sketch.links[1].producer = data;
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 20);
}
END_TEST

/* A Scatter in W2 in cycle 20, then a Read there. */
static SketchItem *read_after_scatter(int64_t cycle, int32_t addr) {
    sketch_init(&sketch, "tiny");
    feed(1, 15, E + 3, 20);
    at(west(2), 20, scatter(E + 3, E + 3));
    return marked(at(west(2), cycle, sketch_read(addr, E + 4)));
}

START_TEST(rows_after_a_scatter_are_left_to_the_run) {
    read_after_scatter(19, 300);
    refuse(&sketch, TSP_RULE_ROW_UNDEFINED, 19);
    read_after_scatter(40, 300);
    ck_assert_int_eq(accept(&sketch).run_time_conditions, 1 + 1);
    for (int64_t cycle = 21; cycle <= 25; cycle++) { /* a placed row: scattered to too recently? */
        read_after_scatter(cycle, 5);
        TspProof proof = accept(&sketch);
        ck_assert_int_eq(proof.run_time_conditions, 1 + (cycle < 24));
        ck_assert_int_eq(proof.reads_proved, 2 + 20 + (cycle >= 24));
    }
    read_after_scatter(40, 1023)->repeat = (TspInsn){.op = TSP_OP_REPEAT, .n = 1, .d = 2, .a = 1};
    refuse(&sketch, TSP_RULE_ADDRESS_RANGE, 42); /* a plain address is known */
}
END_TEST

START_TEST(plain_writes_after_a_scatter_are_known) {
    for (int late = 0; late < 2; late++) {
        read_after_scatter(27 + late, 300);
        at(west(2), 25, sketch_write(300, E + 3));
        if (late)
            ck_assert_int_eq(accept(&sketch).run_time_conditions, 1);
        else
            refuse(&sketch, TSP_RULE_ROW_TOO_SOON, 27);
    }
}
END_TEST

START_TEST(a_scatter_touches_what_is_on) {
    for (int32_t mask = 1; mask < 3; mask++) {
        read_after_scatter(23, 5);
        at(vxm(0), 18, config(1)); /* 19 */
        at(vxm(0), 21, config(mask));
        ck_assert_int_eq(accept(&sketch).run_time_conditions, mask == 1 ? 2 : 1);
    }
}
END_TEST

/* ---- SXM ---- */

/* Feeds eastward streams 0.. so that they stand at the SXM of the east in this cycle. */
static void feed_sxm(int64_t cycle, int32_t streams) {
    for (int32_t i = 0; i < streams; i++)
        at(i < 8 ? west(i) : east(i - 8),
           cycle - sketch_reach(&sketch.machine, i < 8 ? west(i) : east(i - 8), 7),
           sketch_read(0, E + i));
}

/* An instruction of the SXM in cycle 30 reads `reads` streams from s0.e on; its result stands on
 * `drives` westward streams from s0 on, `delay` cycles later and not one earlier; E4 is next to it.
 */
static void check_unit(TspRole role, TspInsn insn, int32_t reads, int32_t drives, int64_t delay,
                       int64_t conditions) {
    for (int32_t lack = 0; lack < reads; lack++) {
        sketch_init(&sketch, "tiny");
        feed_sxm(30, reads);
        sketch.items[lack].insn.stream = E + 15;
        marked(at(sxm(role, 0), 30, insn));
        refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 30);
    }
    for (int32_t i = 0; i <= drives; i++) {
        sketch_init(&sketch, "tiny");
        feed_sxm(30, reads);
        at(sxm(role, 0), 30, insn);
        marked(at(east(4), 30 + delay + 1, sketch_write(100, W + i)));
        if (i == drives && drives < 16) {
            refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 30 + delay + 1);
        } else if (i < drives) {
            TspProof proof = accept(&sketch);
            ck_assert_int_eq(proof.reads_proved, 2 * reads + 1);
            ck_assert_int_eq(proof.run_time_conditions, conditions);
            for (int32_t k = 0; k < sketch.count; k++)
                if (sketch.items[k].marked) sketch.items[k].cycle--;
            refuse(&sketch, TSP_RULE_STREAM_UNDEFINED, 30 + delay);
        }
    }
}

START_TEST(units_of_the_sxm) {
    check_unit(TSP_ROLE_DISTRIBUTE, (TspInsn){.op = TSP_OP_DISTRIBUTE, .stream = W, .map = E + 1},
               2, 1, 2, 0);
    check_unit(TSP_ROLE_PERMUTE,
               (TspInsn){.op = TSP_OP_PERMUTE, .stream = W, .src = E + 2, .map = E + 0}, 3, 1,
               8 + 48 + 4, 1);
    check_unit(TSP_ROLE_SELECT,
               (TspInsn){.op = TSP_OP_SELECT, .stream = W, .north = E + 1, .south = 2, .map = 3}, 4,
               1, 1, 1);
    check_unit(TSP_ROLE_ROTATE, (TspInsn){.op = TSP_OP_ROTATE, .stream = W, .n = 3}, 3, 9, 4, 0);
    check_unit(TSP_ROLE_ROTATE, (TspInsn){.op = TSP_OP_ROTATE, .stream = W, .n = 4}, 4, 16, 4, 0);
    check_unit(TSP_ROLE_TRANSPOSE, (TspInsn){.op = TSP_OP_TRANSPOSE, .stream = W}, 4, 4, 4, 0);
}
END_TEST

START_TEST(shift_takes_as_long_as_it_goes_far) {
    static const struct {
        int32_t n, cross, cycles;
    } cases[] = {{0, 0, 1}, {3, 0, 1}, {0, 1, 1}, {1, 1, 19}, {4, 1, 19}, {5, 1, 21}, {15, 1, 25}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_unit(
            TSP_ROLE_SHIFT,
            (TspInsn){.op = TSP_OP_SHIFT, .stream = W, .n = cases[i].n, .cross = cases[i].cross}, 1,
            1, cases[i].cycles, 0);
}
END_TEST

START_TEST(shifts_of_one_queue_may_meet) {
    for (int late = 0; late < 2; late++) {
        sketch_init(&sketch, "tiny");
        feed_sxm(30, 1);
        sketch_repeat(&sketch.items[0], 19, 1, 0);
        at(sxm(TSP_ROLE_SHIFT, 1), 30,
           (TspInsn){.op = TSP_OP_SHIFT, .stream = W, .n = 2, .cross = 1}); /* 49 */
        marked(at(sxm(TSP_ROLE_SHIFT, 1), 48 + late,
                  (TspInsn){.op = TSP_OP_SHIFT, .stream = W, .n = 2}));
        if (late)
            ck_assert_int_eq(accept(&sketch).cycles, 50);
        else
            refuse(&sketch, TSP_RULE_STREAM_COLLISION, 49);
    }
}
END_TEST

START_TEST(of_three_drives_of_one_queue_the_second_offends) {
    static const int64_t cycles[] = {28, 30, 48};
    static const TspInsn shifts[] = {{.op = TSP_OP_SHIFT, .stream = W, .n = 5, .cross = 1},
                                     {.op = TSP_OP_SHIFT, .stream = W, .n = 2, .cross = 1},
                                     {.op = TSP_OP_SHIFT, .stream = W, .n = 2}};
    sketch_init(&sketch, "tiny");
    feed_sxm(28, 1);
    sketch_repeat(&sketch.items[0], 20, 1, 0);
    for (int i = 0; i < 3; i++) at(sxm(TSP_ROLE_SHIFT, 0), cycles[i], shifts[i])->marked = i == 1;
    refuse(&sketch, TSP_RULE_STREAM_COLLISION, 49);
}
END_TEST

START_TEST(operands_of_a_select_are_numbered_by_stream) {
    int32_t sources[4], sink;
    sketch_init(&sketch, "tiny");
    feed_sxm(30, 4);
    for (int32_t i = 0; i < 4; i++) sources[i] = sketch_run(&sketch, &sketch.items[i]);
    sink = sketch_run(
        &sketch,
        marked(
            at(sxm(TSP_ROLE_SELECT, 1), 30,
               (TspInsn){
                   .op = TSP_OP_SELECT, .stream = W, .src = 3, .north = 2, .south = 1, .map = 0})));
    for (int32_t i = 0; i < 4; i++) sketch_link(&sketch, sink, i, sources[3 - i], 0);
    ck_assert_int_eq(accept(&sketch).links_proved, 4);
    sketch.links[2].producer = sources[2];
    refuse(&sketch, TSP_RULE_WRONG_VALUE, 30);
}
END_TEST

START_TEST(maps_of_a_permute_are_pairs) {
    sketch_init(&sketch, "tiny");
    marked(at(sxm(TSP_ROLE_PERMUTE, 0), 30, (TspInsn){.op = TSP_OP_PERMUTE, .map = E + 1}));
    refuse(&sketch, TSP_RULE_STREAM_ALIGN, 30);
}
END_TEST

START_TEST(links_between_chips_are_not_modelled) {
    sketch_init(&sketch, "tiny");
    sketch.machine.c2c_links = 1;
    marked(at(tsp_queue_count(&sketch.machine) - 1, 12, (TspInsn){.op = TSP_OP_DESKEW}));
    refuse(&sketch, TSP_RULE_NONE, 12);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        config_is_no_instruction_to_repeat,
        config_masks_are_of_the_machine,
        a_write_stores_what_is_on,
        a_write_sees_the_switch_of_its_cycle,
        rows_are_defined_piece_by_piece,
        too_soon_is_by_superlane,
        two_switches_in_a_cycle_conflict,
        a_conflict_comes_after_collisions_and_before_alus,
        a_config_may_wait_at_a_barrier,
        ifetch_takes_its_vectors,
        later_vectors_come_after_all_issues,
        ifetches_of_a_queue_do_not_overlap,
        ifetch_is_no_instruction_to_repeat,
        words_are_there_when_they_are_due,
        when_nops_repeats_and_releases_are_due,
        queues_hold_so_much_text,
        gather_takes_longer_than_read,
        two_delays_of_one_queue_collide,
        scatter_reads_data_and_map,
        rows_after_a_scatter_are_left_to_the_run,
        plain_writes_after_a_scatter_are_known,
        a_scatter_touches_what_is_on,
        units_of_the_sxm,
        shift_takes_as_long_as_it_goes_far,
        shifts_of_one_queue_may_meet,
        of_three_drives_of_one_queue_the_second_offends,
        operands_of_a_select_are_numbered_by_stream,
        maps_of_a_permute_are_pairs,
        links_between_chips_are_not_modelled,
    };
    Suite *suite = suite_create("verify_chip");
    TCase *tcase = tcase_create("rules");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
