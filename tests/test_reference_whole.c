/* test_reference_whole.c - the reference engine's control: barriers, power, instruction text; steps
 * against runs; and two real programs on both engines.
 */
#include "isa/asm.h"

#include "reference_bench.h"

/* ---- control ---- */

/* Released by a Notify of the very cycle in which it parks, whatever the queue numbers. */
START_TEST(barrier) {
    TspSim *sim;
    begin();
    ramp(3, 0, 1, 1);
    sketch_at(&sketch, 3, 6, (TspInsn){.op = TSP_OP_SYNC});
    sketch_at(&sketch, 3, 7, sketch_read(0, east(0)));
    sketch_at(&sketch, 1, 6, (TspInsn){.op = TSP_OP_NOTIFY});
    sim = start(false);
    to(sim, 6);
    ck_assert_int_eq(tsp_sim_queue_word(sim, 3), 1);
    to(sim, 7);
    ck_assert_int_eq(tsp_sim_queue_word(sim, 3), 2);
    arrives(sim, 6 + 35 + 1, east(0), 3, rows[0].lane);
    tsp_sim_free(sim);
    tsp_program_free(&program);
    sim = start(false);
    end(sim, 42);
    begin();
    sketch_at(&sketch, 3, 7, (TspInsn){.op = TSP_OP_SYNC});
    sketch_at(&sketch, 1, 6, (TspInsn){.op = TSP_OP_NOTIFY});
    stops(start(false), TSP_RULE_BARRIER_DEADLOCK, 7, 3, 1);
}
END_TEST

/* Superlane 2 goes off in 4: what flows in it becomes zero, what is driven there is zero, its part
 * of a row is not written. */
START_TEST(superlane_switched_off) {
    uint8_t want[LANES];
    uint32_t written;
    TspSim *sim;
    begin();
    ramp(0, 0, 1, 1);
    sketch_at(&sketch, 0, 0, sketch_read(0, east(0))); /* column 3 in 1, 6 in 4 */
    sketch_at(&sketch, 1, 4, sketch_read(77, east(0)));
    ramp(1, 77, 1, 1);
    sketch_at(&sketch, 2, 3, (TspInsn){.op = TSP_OP_CONFIG, .mask = 0xb});
    sketch_at(&sketch, EAST + 4, 4, sketch_write(3, east(0)));
    sim = start(false);
    for (int32_t i = 0; i < LANES; i++) want[i] = (uint8_t)(i + 1);
    to(sim, 4);
    ck_assert_uint_eq(tsp_sim_csr(sim).powered, 0xf);
    is(tsp_sim_stream(sim, east(0), 6), want);
    memset(want + 2 * WIDTH, 0, WIDTH);
    to(sim, 5);
    ck_assert_uint_eq(tsp_sim_csr(sim).powered, 0xb);
    is(tsp_sim_stream(sim, east(0), 7), want);
    is(tsp_sim_stream(sim, east(0), 3), want);
    to(sim, 7);
    is(tsp_sim_row(sim, EAST + 4, 3, &written), want);
    ck_assert_uint_eq(written, 0xb);
    end(sim, 7);
}
END_TEST

/* 13 words in a queue that holds 8: three Notify, NOP, the Ifetch (in 5), NOP, seven Notify from
 * cycle `next` on. tiny's Ifetch brings four words in four vectors, of use from 5 + 3 + 4 on. */
static int32_t fetched(int64_t next, int32_t vectors, int32_t wrong_byte) {
    int32_t queue;
    begin();
    queue = tsp_queue_sxm(&sketch.machine, TSP_EAST, TSP_ROLE_SHIFT, 0);
    for (int32_t i = 0; i < 3; i++) sketch_at(&sketch, queue, i, (TspInsn){.op = TSP_OP_NOTIFY});
    sketch_at(&sketch, queue, 5, (TspInsn){.op = TSP_OP_IFETCH, .stream = east(0)});
    for (int32_t i = 0; i < 7; i++)
        sketch_at(&sketch, queue, next + i, (TspInsn){.op = TSP_OP_NOTIFY});
    sketch_repeat(sketch_at(&sketch, EAST, 2, sketch_read(0, east(0))), vectors - 1, 1, 1);
    ck_assert(sketch_program(&sketch, &program));
    ck_assert_int_eq(program.queues[queue].count, 13);
    for (int32_t v = 0; v < vectors; v++) {
        uint8_t lane[LANES];
        memcpy(lane, &program.queues[queue].words[8 + v], LANES);
        if (wrong_byte / LANES == v) lane[wrong_byte % LANES] ^= 1;
        row(EAST, v, lane);
    }
    tsp_program_free(&program);
    return queue;
}

START_TEST(text_is_fetched) {
    int32_t queue = fetched(10, 4, -LANES);
    stops(start(true), TSP_RULE_FETCH_STARVED, 16, queue, 12); /* 8 to 11 came in time */
    fetched(10, 4, -LANES);
    end(start(false), 16 + 35);
    queue = fetched(9, 4, -LANES);
    stops(start(true), TSP_RULE_FETCH_STARVED, 11, queue, 8); /* one cycle early */
    queue = fetched(10, 4, 63);
    stops(start(true), TSP_RULE_FETCH_TEXT, 8, queue, 4);
    queue = fetched(10, 3, -LANES);
    stops(start(true), TSP_RULE_STREAM_UNDEFINED, 8, queue, 4);
    begin();
    sketch_at(&sketch, 2, 1, (TspInsn){.op = TSP_OP_IFETCH, .stream = east(0)});
    stops(start(true), TSP_RULE_FETCH_OVERRUN, 1, 2, 1);
}
END_TEST

START_TEST(machine_too_quick_for_the_stagger) {
    TspSimOptions options = {.engine = TSP_ENGINE_REFERENCE};
    TspError err = {0};
    begin();
    sketch.machine.sxm_shift_cross_cycles = 1;
    sketch.machine.sxm_shift_far_cycles = 0;
    sketch_at(&sketch, tsp_queue_sxm(&sketch.machine, TSP_EAST, TSP_ROLE_SHIFT, 1), 0,
              (TspInsn){.op = TSP_OP_SHIFT, .src = east(0), .n = 9, .cross = 1});
    ck_assert(sketch_program(&sketch, &program));
    ck_assert_ptr_null(tsp_sim_new(&program, &options, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_NOT_MODELLED);
    ck_assert_ptr_nonnull(strstr(err.text, "sxm_shift_cross_cycles"));
    tsp_program_free(&program);
}
END_TEST

/* ---- the whole ---- */

/* A product of three rows, its weights loaded, its results written: something everywhere. */
static TspSim *busy(void) {
    begin();
    for (int32_t i = 0; i < 4; i++) ramp(EAST + i, 0, 3 * i, 5);
    for (int32_t i = 0; i < 3; i++) ramp(EAST + 4, 16 + i, i, 7);
    sketch_product(&sketch, 2, 3, 2);
    return start(false);
}

START_TEST(steps_and_runs_leave_one_state) {
    TspSim *run = busy();
    TspProgram first = program;
    TspError err = {0};
    TspSim *stepped = busy();
    uint64_t seen[128], digest[128];
    int32_t cycles = 0;
    for (; !tsp_sim_done(stepped); cycles++) {
        ck_assert_int_lt(cycles, 127);
        ck_assert_int_eq(tsp_sim_now(stepped), cycles);
        seen[cycles] = tsp_sim_hash(stepped);
        digest[cycles] = tsp_sim_digest(stepped);
        if (cycles) ck_assert_uint_ne(seen[cycles], seen[cycles - 1]);
        ck_assert(tsp_sim_step(stepped, &err));
    }
    seen[cycles] = tsp_sim_hash(stepped);
    to(run, INT64_MAX);
    ck_assert_int_eq(tsp_sim_now(run), cycles);
    ck_assert_uint_eq(tsp_sim_hash(run), seen[cycles]);
    for (int32_t cycle = cycles - 1; cycle >= 0; cycle -= 7) { /* back, by replay */
        ck_assert(tsp_sim_seek(run, cycle, &err));
        ck_assert_uint_eq(tsp_sim_hash(run), seen[cycle]);
        ck_assert_uint_eq(tsp_sim_digest(run), digest[cycle]);
    }
    tsp_sim_free(run);
    tsp_sim_free(stepped);
    tsp_program_free(&first);
    tsp_program_free(&program);
}
END_TEST

/* Assembles a program and fills its inputs. */
static TspSim *load(TspProgram *p, const char *path, TspEngineKind engine) {
    TspSimOptions options = {.engine = engine};
    TspError err = {0};
    TspSim *sim = tsp_sim_new(p, &options, &err);
    ck_assert_msg(sim != NULL, "%s: %s", path, err.text);
    for (int32_t t = 0; t < p->tensor_count; t++) {
        int64_t size = tsp_tensor_bytes(&p->tensors[t]);
        uint8_t *data;
        if (p->tensors[t].role != TSP_ROLE_INPUT) continue;
        data = malloc((size_t)size);
        for (int64_t i = 0; i < size; i++) data[i] = (uint8_t)(i * i / 7 + 11 * t);
        ck_assert(tsp_sim_write_tensor(sim, t, data, &err));
        free(data);
    }
    return sim;
}

static void both_engines(const char *path, int64_t latency) {
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    TspError err = {0};
    TspMachine m;
    TspProgram p;
    TspSim *fast, *reference;
    size_t length;
    ck_assert_ptr_nonnull(file);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    ck_assert_msg(tsp_assemble(&p, &m, text, length, path, &err), "%s", err.text);
    fast = load(&p, path, TSP_ENGINE_FAST);
    reference = load(&p, path, TSP_ENGINE_REFERENCE);
    for (int64_t cycle = 0; cycle <= latency; cycle++) {
        to(fast, cycle);
        to(reference, cycle);
        ck_assert_int_eq(tsp_sim_now(reference), cycle);
        ck_assert_msg(tsp_sim_digest(fast) == tsp_sim_digest(reference), "%s: cycle %d", path,
                      (int)cycle);
    }
    ck_assert(tsp_sim_done(fast) && tsp_sim_done(reference));
    for (int32_t op = 0; op < p.op_count; op++) {
        TspInterval a = tsp_sim_op_interval(fast, op), b = tsp_sim_op_interval(reference, op);
        ck_assert_int_eq(a.start, b.start);
        ck_assert_int_eq(a.end, b.end);
    }
    tsp_sim_free(fast);
    tsp_sim_free(reference);
    tsp_program_free(&p);
}

START_TEST(programs_on_both_engines) {
    both_engines("programs/vecadd.s", 21);
    both_engines("programs/weights.s", 114);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("reference_whole");
    TCase *tests = tcase_create("reference_whole");
    tcase_add_test(tests, barrier);
    tcase_add_test(tests, superlane_switched_off);
    tcase_add_test(tests, text_is_fetched);
    tcase_add_test(tests, machine_too_quick_for_the_stagger);
    tcase_add_test(tests, steps_and_runs_leave_one_state);
    tcase_add_test(tests, programs_on_both_engines);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
