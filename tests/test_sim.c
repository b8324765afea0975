/* test_sim.c - the fast engine: exact cycles and values of streams, memory, VXM, SXM and ICU;
 * tensors, op intervals, time.
 */
#include "sim_bench.h"

START_TEST(test_layout) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    ck_assert_int_eq(tsp_slice_id(&m, TSP_EAST, 0), E0);
    ck_assert_int_eq(tsp_queue_vxm(&m, 0), V0);
    ck_assert_int_eq(tsp_queue_mxm(&m, TSP_EAST, 0, TSP_ROLE_WEIGHTS), LW0);
    ck_assert_int_eq(tsp_queue_mxm(&m, TSP_EAST, 1, TSP_ROLE_ACTIVATIONS), ABC1);
    ck_assert_int_eq(tsp_columns(&m), 9);
    ck_assert_int_eq(tsp_slice_column(&m, E0), 5);
    ck_assert_int_eq(tsp_slice_column(&m, E0 + 4), 6);
}
END_TEST

/* -- streams, memory, VXM -- */

/* read in one slice -> add 1 -> write in another, `late` cycles off the right one. */
static int64_t draw_increment(Bench *b, int32_t from, int32_t to, int64_t start, int64_t late) {
    const TspMachine *m = &b->m;
    int32_t vxm = tsp_vxm_column(m);
    int32_t in = sketch_stream(tsp_slice_column(m, from), vxm, 3);
    int32_t out = sketch_stream(vxm, tsp_slice_column(m, to), 6);
    int64_t issue = start + sketch_reach(m, from, vxm);
    int64_t write = issue + 7 + abs(vxm - tsp_slice_column(m, to)) + late;
    sketch_at(&b->sketch, from, start, sketch_read(5, in));
    sketch_at(&b->sketch, tsp_queue_vxm(m, 9), issue,
              alu(TSP_OP_ADD, TSP_U8, out, STR(in), IMM, 1));
    sketch_at(&b->sketch, to, write, sketch_write(9, out));
    return write;
}

START_TEST(test_increment) {
    static const struct {
        const char *machine;
        int32_t from, to;
    } way[] = {
        {"tiny", 0, 1},  {"tiny", 7, 15},  {"tiny", 12, 3},  {"tiny", 8, 13},
        {"tsp1", 0, 87}, {"tsp1", 43, 44}, {"tsp1", 87, 43}, {"tsp1", 60, 61},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++)
        for (int64_t late = -1; late <= 1; late++) {
            Bench *b = open_bench(way[i].machine);
            int64_t write = draw_increment(b, way[i].from, way[i].to, 11, late);
            int32_t lanes = tsp_lanes(&b->m);
            uint8_t *data;
            const uint8_t *row;
            draft(b);
            data = place_random(b, way[i].from, 5, 1);
            if (late != 0) {
                expect_fault(b, TSP_RULE_STREAM_UNDEFINED, write, way[i].to, 1);
                close_bench(b);
                continue;
            }
            run(b);
            ck_assert_int_eq(tsp_sim_now(b->sim), write + 3);
            row = tsp_sim_row(b->sim, way[i].to, 9, NULL);
            ck_assert_ptr_nonnull(row);
            for (int32_t k = 0; k < lanes; k++) ck_assert_int_eq(row[k], (uint8_t)(data[k] + 1));
            close_bench(b);
        }
}
END_TEST

START_TEST(test_stream_flows) {
    Bench *b = open_bench("tiny");
    uint8_t *data;
    sketch_at(&b->sketch, E0, 4, sketch_read(0, 2));       /* on s2.e at column 5 in cycle 5 */
    sketch_at(&b->sketch, 0, 4, sketch_read(0, 2 + WEST)); /* westward from column 3 */
    sketch_at(&b->sketch, 1, 20, sketch_read(0, 7));
    draft(b);
    data = place_random(b, E0, 0, 1);
    place(b, 0, 0, 1);
    place(b, 1, 0, 1);
    launch(b);
    for (int64_t cycle = 0; cycle < 15; cycle++) {
        ck_assert(tsp_sim_run_until(b->sim, cycle, &b->err));
        for (int32_t column = 0; column < 9; column++) {
            const uint8_t *east = tsp_sim_stream(b->sim, 2, column);
            bool here = cycle >= 5 && column == cycle;
            ck_assert_int_eq(east != NULL, here);
            if (here) ck_assert_mem_eq(east, data, 16);
            ck_assert_int_eq(tsp_sim_stream(b->sim, 2 + WEST, column) != NULL,
                             cycle >= 5 && column == 8 - cycle);
        }
        /* registers held before this cycle: 5..8 eastward and 3..0 westward, from cycle 5 on */
        ck_assert_int_eq(tsp_sim_stats(b->sim).stream_hops, cycle < 5   ? 0
                                                            : cycle < 9 ? 2 * (cycle - 5)
                                                                        : 8);
    }
    ck_assert(tsp_sim_run(b->sim, &b->err));
    ck_assert_int_eq(tsp_sim_now(b->sim), 21);
    ck_assert_int_eq(tsp_sim_stats(b->sim).stream_hops, 8);
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 3);
    ck_assert_ptr_nonnull(tsp_sim_stream(b->sim, 7, 3)); /* landed in the last cycle */
    close_bench(b);
}
END_TEST

/* A value may be overwritten while it passes; the hops of the diagonal are not counted twice. */
START_TEST(test_stream_overwrite) {
    Bench *b = open_bench("tiny");
    uint8_t *data;
    sketch_at(&b->sketch, E0, 0, sketch_read(0, 2));     /* column 5 in cycle 1 */
    sketch_at(&b->sketch, E0 + 4, 1, sketch_read(0, 2)); /* column 6 in cycle 2 */
    sketch_at(&b->sketch, 0, 9, sketch_read(0, 0));
    draft(b);
    place_random(b, E0, 0, 1);
    data = place_random(b, E0 + 4, 0, 1);
    place(b, 0, 0, 1);
    launch(b);
    ck_assert(tsp_sim_run_until(b->sim, 3, &b->err));
    ck_assert_mem_eq(tsp_sim_stream(b->sim, 2, 7), data, 16);
    ck_assert(tsp_sim_run(b->sim, &b->err));
    ck_assert_int_eq(tsp_sim_stats(b->sim).stream_hops, 4);
    close_bench(b);
}
END_TEST

/* (x * 3 + y) in two chained ALUs, kept in a latch for 20 cycles, then sent out twice. */
START_TEST(test_chain_and_latch) {
    Bench *b = open_bench("tiny");
    Sketch *s = &b->sketch;
    const uint8_t *row;
    uint8_t *x, *y;
    sketch_at(s, 0, 0, sketch_read(0, 0)); /* at the VXM (column 4) in cycle 2 */
    sketch_at(s, 1, 3, sketch_read(0, 1)); /* in cycle 5 */
    sketch_at(s, V0, 2, alu(TSP_OP_MUL, TSP_I8, TSP_DST_NONE, STR(0), IMM, 3));
    sketch_at(s, V0 + 5, 5,
              alu(TSP_OP_ADD, TSP_I8, TSP_DST_NONE, TSP_SRC(TSP_SRC_ALU, 0), STR(1), 0));
    /* ALU 5's result is there in cycle 5 + 7 = 12; an input at 12 is an issue at 8. */
    sketch_at(s, V0 + 6, 8, alu(TSP_OP_PASS, TSP_I8, 4, TSP_SRC(TSP_SRC_LATCH, 5), 0, 0));
    sketch_at(s, V0 + 6, 28, alu(TSP_OP_NEG, TSP_I8, 4, TSP_SRC(TSP_SRC_LATCH, 5), 0, 0));
    sketch_at(s, E0, 16, sketch_write(0, 4));
    sketch_at(s, E0, 36, sketch_write(1, 4));
    draft(b);
    x = place_random(b, 0, 0, 1);
    y = place_random(b, 1, 0, 1);
    run(b);
    ck_assert_int_eq(tsp_sim_now(b->sim), 39);
    ck_assert_int_eq(tsp_sim_stats(b->sim).vxm_issues, 4);
    for (int32_t k = 0; k < 16; k++) {
        uint8_t want = (uint8_t)(x[k] * 3 + y[k]);
        row = tsp_sim_row(b->sim, E0, 0, NULL);
        ck_assert_int_eq(row[k], want);
        row = tsp_sim_row(b->sim, E0, 1, NULL);
        ck_assert_int_eq(row[k], (uint8_t)-want);
    }
    close_bench(b);
}
END_TEST

/* i8 -> i32 -> f32 through groups of one and four streams. */
START_TEST(test_convert) {
    Bench *b = open_bench("tsp1");
    Sketch *s = &b->sketch;
    const TspMachine *m = &b->m;
    int32_t v = tsp_vxm_column(m), e = tsp_slice_id(m, TSP_EAST, 0);
    TspInsn widen = alu(TSP_OP_CVT, TSP_I8, TSP_DST_NONE, STR(0), 0, 0);
    TspInsn scale =
        alu(TSP_OP_MUL, TSP_F32, 8, TSP_SRC(TSP_SRC_ALU, 0), IMM, 0x3e800000); /* 0.25 */
    uint8_t *x;
    widen.type2 = TSP_F32;
    sketch_at(s, 0, 0, sketch_read(0, 0));
    sketch_at(s, tsp_queue_vxm(m, 0), 2, widen);
    sketch_at(s, tsp_queue_vxm(m, 1), 5, scale);
    for (int32_t i = 0; i < 4; i++)
        sketch_at(s, e + i, 5 + 7 + tsp_slice_column(m, e) - v, sketch_write(7, 8 + i));
    draft(b);
    x = place_random(b, 0, 0, 1);
    run(b);
    ck_assert_int_eq(tsp_sim_now(b->sim), 16);
    for (int32_t k = 0; k < 320; k++) {
        uint8_t bytes[4];
        float got;
        for (int32_t i = 0; i < 4; i++) bytes[i] = tsp_sim_row(b->sim, e + i, 7, NULL)[k];
        memcpy(&got, bytes, sizeof got);
        ck_assert(got == 0.25f * (float)(int8_t)x[k]);
    }
    close_bench(b);
}
END_TEST

START_TEST(test_transpose) {
    static const char *const machines[] = {"tiny", "tsp1"};
    for (int32_t which = 0; which < 2; which++) {
        Bench *b = open_bench(machines[which]);
        const TspMachine *m = &b->m;
        int32_t side = (int32_t)m->lanes_per_superlane, lanes = tsp_lanes(m);
        int32_t first = tsp_slice_id(m, TSP_EAST, 0), sxm = tsp_sxm_column(m, TSP_EAST);
        int32_t queue = tsp_queue_sxm(m, TSP_EAST, TSP_ROLE_TRANSPOSE, 1);
        int64_t at = 40;
        uint8_t *in[16];
        for (int32_t i = 0; i < side; i++) {
            int32_t slice = first + i;
            sketch_at(&b->sketch, slice, at - sketch_reach(m, slice, sxm), sketch_read(0, i));
            sketch_at(&b->sketch, slice, at + 4 + sxm - tsp_slice_column(m, slice),
                      sketch_write(1, i + WEST));
        }
        sketch_at(&b->sketch, queue, at,
                  (TspInsn){.op = TSP_OP_TRANSPOSE, .stream = WEST, .src = 0});
        draft(b);
        for (int32_t i = 0; i < side; i++) in[i] = place_random(b, first + i, 0, 1);
        run(b);
        ck_assert_int_eq(tsp_sim_now(b->sim), at + 4 + sxm - tsp_slice_column(m, first) + 3);
        ck_assert_int_eq(tsp_sim_stats(b->sim).sxm_issues, 1);
        for (int32_t i = 0; i < side; i++) {
            const uint8_t *out = tsp_sim_row(b->sim, first + i, 1, NULL);
            for (int32_t k = 0; k < lanes; k++)
                ck_assert_int_eq(out[k], in[k % side][k - k % side + i]);
        }
        close_bench(b);
    }
}
END_TEST

/* Two-dimensional Repeat: issue cycles and addresses, on plain and on combined slots. */
START_TEST(test_repeat) {
    Bench *b = open_bench("tiny");
    SketchItem *item;
    uint8_t *data;
    /* Reads 3 x 2 rows: 10, 12, 14 and 20, 22, 24, at cycles 5, 7, 9 and 15, 17, 19; the column's
     * other slice takes each one column on and stores it backwards. */
    item = sketch_at(&b->sketch, E0, 5, sketch_read(10, 0));
    item->repeat =
        (TspInsn){.op = TSP_OP_REPEAT, .n = 2, .d = 2, .a = 2, .n2 = 1, .d2 = 10, .a2 = 10};
    item = sketch_at(
        &b->sketch, E0 + 4, 7,
        (TspInsn){.op = TSP_OP_READ_WRITE, .addr = 3, .stream = 9, .waddr = 700, .wstream = 0});
    item->repeat = (TspInsn){.op = TSP_OP_REPEAT,
                             .n = 2,
                             .d = 2,
                             .a = -1,
                             .w = -1,
                             .n2 = 1,
                             .d2 = 10,
                             .a2 = 2,
                             .w2 = 100};
    sketch_at(&b->sketch, E0, 20, sketch_read(1, 1)); /* right after the last repetition */
    draft(b);
    data = place_random(b, E0, 0, 30);
    place_random(b, E0 + 4, 0, 8);
    run(b);
    for (int32_t again = 0; again < 2; again++) { /* known, and still so back in cycle 0 */
        ck_assert_int_eq(tsp_sim_word_start(b->sim, E0, 0), -1); /* NOP, read, Repeat, read */
        ck_assert_int_eq(tsp_sim_word_start(b->sim, E0, 1), 5);
        ck_assert_int_eq(tsp_sim_word_start(b->sim, E0, 2), -1);
        ck_assert_int_eq(tsp_sim_word_start(b->sim, E0, 3), 20);
        ck_assert_int_eq(tsp_sim_word_start(b->sim, E0, 4), -1);
        ck_assert_int_eq(tsp_sim_word_start(b->sim, E0 + 4, 1), 7);
        ck_assert_int_eq(tsp_sim_word_start(b->sim, -1, 0), -1);
        ck_assert_int_eq(tsp_sim_word_start(b->sim, TSP_MAX_QUEUES, 0), -1);
        ck_assert(tsp_sim_seek(b->sim, again ? 24 : 0, &b->err));
    }
    ck_assert(tsp_sim_run(b->sim, &b->err));
    ck_assert_int_eq(tsp_sim_now(b->sim), 24);
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 13);
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_writes, 6);
    ck_assert_int_eq(tsp_sim_stats(b->sim).instructions, 13);
    for (int32_t j = 0; j < 2; j++)
        for (int32_t i = 0; i < 3; i++)
            ck_assert_mem_eq(tsp_sim_row(b->sim, E0 + 4, 700 - i + 100 * j, NULL),
                             data + 16 * (10 + 2 * i + 10 * j), 16);
    ck_assert_ptr_null(tsp_sim_row(b->sim, E0 + 4, 701, NULL));
    close_bench(b);
}
END_TEST

START_TEST(test_barrier) {
    Bench *b = open_bench("tiny");
    Sketch *s = &b->sketch;
    TspInterval interval;
    sketch_at(s, 0, 0, plain(TSP_OP_SYNC));
    sketch_at(s, 0, 1, sketch_read(0, 0));   /* its NOP-free follower: issues at 12 + 35 */
    sketch_at(s, 2, 12, plain(TSP_OP_SYNC)); /* in the very cycle of the Notify: released too */
    sketch_at(s, 2, 18, sketch_read(0, 1));  /* five cycles of NOP later: 12 + 35 + 5 */
    sketch_at(s, 1, 12, plain(TSP_OP_NOTIFY));
    sketch_at(s, 1, 13, sketch_read(0, 2));  /* who notifies goes on at once */
    sketch_at(s, 3, 13, plain(TSP_OP_SYNC)); /* one cycle too late for it; the second one serves */
    sketch_at(s, 4, 30, plain(TSP_OP_NOTIFY));
    sketch_at(s, 3, 14, sketch_read(0, 3));
    draft(b);
    for (int32_t slice = 0; slice < 4; slice++) place(b, slice, 0, 1);
    launch(b);
    ck_assert(tsp_sim_run_until(b->sim, 14, &b->err));
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 1);
    ck_assert(tsp_sim_run_until(b->sim, 47, &b->err));
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 1);
    ck_assert(tsp_sim_step(b->sim, &b->err));
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 2);
    ck_assert(tsp_sim_run_until(b->sim, 52, &b->err));
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 2);
    ck_assert(tsp_sim_step(b->sim, &b->err));
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 3);
    ck_assert(tsp_sim_run_until(b->sim, 65, &b->err));
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 3);
    ck_assert_msg(tsp_sim_run(b->sim, &b->err), "%s", b->err.text);
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_reads, 4);
    ck_assert_int_eq(tsp_sim_now(b->sim), 66);
    ck_assert_int_eq(tsp_sim_word_start(b->sim, 0, 0), 0); /* the Sync, and who it held */
    ck_assert_int_eq(tsp_sim_word_start(b->sim, 0, 1), 12 + 35);
    interval = tsp_sim_op_interval(b->sim, 0);
    ck_assert_int_eq(interval.start, -1);
    close_bench(b);
}
END_TEST

/* -- time -- */

START_TEST(test_nothing) {
    Bench *b = open_bench("tsp1");
    sketch_at(&b->sketch, 0, 500, (TspInsn){.op = TSP_OP_NOP, .n = 77});
    draft(b);
    launch(b);
    ck_assert(tsp_sim_done(b->sim));
    ck_assert(tsp_sim_run(b->sim, &b->err));
    ck_assert_int_eq(tsp_sim_now(b->sim), 0);
    close_bench(b);
}
END_TEST

START_TEST(test_billion_cycles) {
    Bench *b = open_bench("tsp1");
    sketch_at(&b->sketch, 0, 1000000000, sketch_read(0, 0));
    sketch_at(&b->sketch, 1, 999999999, sketch_read(0, 1));
    draft(b);
    place(b, 0, 0, 1);
    place(b, 1, 0, 1);
    run(b);
    ck_assert_int_eq(tsp_sim_now(b->sim), 1000000001);
    close_bench(b);
}
END_TEST

/* -- tensors, ops -- */

START_TEST(test_tensors) {
    Bench *b = open_bench("tiny");
    uint8_t in[32], out[32];
    TspTensor *t;
    TspPiece copy;
    sketch_repeat(sketch_at(&b->sketch, 0, 3, sketch_read(0, 0)), 1, 1, 1);
    sketch_repeat(sketch_at(&b->sketch, 1, 4, sketch_write(8, 0)), 1, 1, 1);
    draft(b);
    place(b, 0, 0, 2);
    place(b, 1, 8, 2);
    for (int32_t i = 0; i < 2; i++) {
        t = &b->program.tensors[i];
        t->role = i ? TSP_ROLE_OUTPUT : TSP_ROLE_INPUT;
        free(t->data);
        t->data = NULL;
    }
    /* A piece that covers row 0 once more, from the row of element row 1, decides nothing. */
    t = &b->program.tensors[1];
    copy = t->pieces[0];
    copy.addr = 9;
    copy.rows = 1;
    t->pieces = realloc(t->pieces, 2 * sizeof *t->pieces);
    t->pieces[t->piece_count++] = copy;
    expect_fault(b, TSP_RULE_ROW_UNDEFINED, 3, 0, 1); /* nobody gave the input */
    tsp_sim_free(b->sim);
    for (int32_t i = 0; i < 32; i++) in[i] = (uint8_t)draw(b);
    launch(b);
    ck_assert(tsp_sim_write_tensor(b->sim, 0, in, &b->err));
    ck_assert(tsp_sim_run_until(b->sim, 7, &b->err));
    ck_assert_mem_eq(tsp_sim_row(b->sim, 1, 8, NULL), in, 16); /* readable in this very cycle */
    ck_assert_ptr_null(tsp_sim_row(b->sim, 1, 9, NULL));
    ck_assert(!tsp_sim_read_tensor(b->sim, 1, out, &b->err)); /* the second row lands in cycle 8 */
    ck_assert_int_eq(b->err.rule, TSP_RULE_ROW_UNDEFINED);
    ck_assert(!tsp_sim_write_tensor(b->sim, 0, in, &b->err));
    ck_assert_int_eq(b->err.kind, TSP_ERR_INPUT);
    for (int32_t again = 0; again < 2; again++) {
        ck_assert_msg(tsp_sim_run(b->sim, &b->err), "%s", b->err.text);
        memset(out, 0, sizeof out);
        ck_assert_msg(tsp_sim_read_tensor(b->sim, 1, out, &b->err), "%s", b->err.text);
        ck_assert_mem_eq(out, in, 32);
        ck_assert(tsp_sim_seek(b->sim, 0, &b->err)); /* the input comes back with it */
        ck_assert_ptr_null(tsp_sim_row(b->sim, 1, 8, NULL));
        ck_assert_mem_eq(tsp_sim_row(b->sim, 0, 1, NULL), in + 16, 16);
    }
    ck_assert(!tsp_sim_write_tensor(b->sim, 2, in, &b->err));
    close_bench(b);
}
END_TEST

/* Op 0 reads, and reads in the combined slots whose writes work for op 1; op 2 does nothing. */
static void draw_ops(Bench *b) {
    Sketch *s = &b->sketch;
    SketchItem *item = sketch_repeat(sketch_at(s, 0, 3, sketch_read(0, 0)), 4, 1, 0);
    TspInsn both = {.op = TSP_OP_READ_WRITE, .stream = 1, .waddr = 900};
    s->runs[sketch_run(s, item)].op = 0;
    item = sketch_repeat(sketch_at(s, 1, 6, both), 1, 1, 0);
    s->runs[sketch_run(s, item)].op = 0;
    item->run[1] = s->run_count;
    s->runs[s->run_count++] = (TspRun){.op = 1, .queue = 1, .count = 2, .tensor = -1};
    draft(b);
    b->program.ops = calloc(3, sizeof *b->program.ops);
    b->program.op_count = 3;
    b->program.ops[0].name = strdup("Lesen");
    b->program.ops[0].line = 12;
    place(b, 0, 0, 1);
}

START_TEST(test_ops) {
    Bench *b = open_bench("tiny");
    TspInterval interval;
    draw_ops(b);
    expect_fault(b, TSP_RULE_ROW_UNDEFINED, 6, 1, 1);
    ck_assert_ptr_nonnull(strstr(b->err.text, "(op Lesen, graph line 12)"));
    tsp_sim_free(b->sim);
    place(b, 1, 0, 1);
    run(b);
    interval = tsp_sim_op_interval(b->sim, 0);
    ck_assert_int_eq(interval.start, 3);
    ck_assert_int_eq(interval.end, 8);
    interval = tsp_sim_op_interval(b->sim, 1);
    ck_assert_int_eq(interval.start, 6);
    ck_assert_int_eq(interval.end, 10);
    ck_assert_int_eq(tsp_sim_op_interval(b->sim, 2).start, -1);
    close_bench(b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sim");
    TCase *tests = tcase_create("sim");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_layout);
    tcase_add_test(tests, test_increment);
    tcase_add_test(tests, test_stream_flows);
    tcase_add_test(tests, test_stream_overwrite);
    tcase_add_test(tests, test_chain_and_latch);
    tcase_add_test(tests, test_convert);
    tcase_add_test(tests, test_transpose);
    tcase_add_test(tests, test_repeat);
    tcase_add_test(tests, test_barrier);
    tcase_add_test(tests, test_nothing);
    tcase_add_test(tests, test_billion_cycles);
    tcase_add_test(tests, test_tensors);
    tcase_add_test(tests, test_ops);
    suite_add_tcase(suite, tests);
    return run_bench(suite);
}
