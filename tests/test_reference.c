/* test_reference.c - the reference engine by itself: values and cycles worked out by hand for every
 * unit, and the stagger of the superlanes.
 */
#include "reference_bench.h"

/* ---- streams and memory ---- */

START_TEST(read_flows_and_is_written) {
    TspSim *sim;
    uint8_t want[LANES];
    begin();
    for (int32_t i = 0; i < LANES; i++) want[i] = (uint8_t)(7 + 3 * i);
    ramp(0, 5, 7, 3);
    sketch_at(&sketch, 0, 2, sketch_read(5, east(1)));         /* column 3 */
    sketch_at(&sketch, EAST + 4, 6, sketch_write(9, east(1))); /* column 6: 3, 4, 5, 6 */
    sim = start(false);
    arrives(sim, 3, east(1), 3, want);
    arrives(sim, 6, east(1), 6, want);
    to(sim, 8);
    ck_assert_ptr_null(tsp_sim_row(sim, EAST + 4, 9, NULL));
    ck_assert_int_eq(tsp_sim_stats(sim).stream_hops, 5); /* columns 3 to 7, cycles 3 to 7 */
    to(sim, 9);
    is(tsp_sim_row(sim, EAST + 4, 9, NULL), want);
    end(sim, 9);
}
END_TEST

/* Superlane 1 does in the observer's cycle t + 1 what superlane 0 does in t. */
START_TEST(superlanes_stagger) {
    TspSim *sim;
    Reference *r;
    begin();
    ramp(0, 5, 0, 1);
    sketch_at(&sketch, 0, 0, sketch_read(5, east(0)));
    sim = start(false);
    r = sim->state;
    for (int64_t observer = 0; observer < 4; observer++)
        for (int32_t k = SUPERLANES - 1; k >= 0; k--)
            if (observer >= k) ref_tile(r, k, observer - k);
    for (int32_t k = 0; k < SUPERLANES; k++)
        for (int32_t column = 3; column < 7; column++) {
            const RefRegister *at = &r->streams[ref_register(r, k, east(0), column)];
            /* Driven at column 3 in the superlane's own cycle 1; that cycle is now 3 - k. */
            ck_assert_int_eq(at->defined, column == 5 - k);
            if (at->defined) ck_assert_int_eq(at->word.lane[0], k * WIDTH);
        }
    tsp_sim_free(sim);
    tsp_program_free(&program);
}
END_TEST

START_TEST(gather_and_scatter) {
    /* Superlane k of the gathered vector is superlane k of row map[k] = 3 - k; it is scattered to
     * rows 10 + 3 - k of another slice. */
    const uint8_t down[LANES] = {3, 0, 9, 9, 2, 0, 9, 9, 1, 0, 9, 9, 0, 0, 9, 9};
    const uint8_t up[LANES] = {13, 0, 9, 9, 12, 0, 9, 9, 11, 0, 9, 9, 10, 0, 9, 9};
    const uint8_t want[LANES] = {48, 49, 50, 51, 36, 37, 38, 39, 24, 25, 26, 27, 12, 13, 14, 15};
    uint32_t written;
    TspSim *sim;
    begin();
    for (int32_t i = 0; i < SUPERLANES; i++) ramp(EAST, i, 16 * i, 1);
    row(EAST + 1, 0, down);
    row(EAST + 2, 0, up);
    sketch_at(&sketch, EAST + 1, 0, sketch_read(0, east(0)));
    sketch_at(&sketch, EAST, 1, (TspInsn){.op = TSP_OP_GATHER, .stream = east(1), .map = east(0)});
    sketch_at(&sketch, EAST + 2, 2, sketch_read(0, east(2))); /* column 5 in 3, 6 in 4 */
    sketch_at(&sketch, EAST + 4, 4,
              (TspInsn){.op = TSP_OP_SCATTER, .wstream = east(1), .map = east(2)});
    sim = start(false);
    to(sim, 3); /* 1 + read 1 + indirect 1 */
    is(tsp_sim_stream(sim, east(1), 5), want);
    to(sim, 7);
    ck_assert_ptr_null(tsp_sim_row(sim, EAST + 4, 13, NULL));
    to(sim, 8); /* 4 + write 3 + indirect 1 */
    for (int32_t k = 0; k < SUPERLANES; k++) {
        const uint8_t *got = tsp_sim_row(sim, EAST + 4, 10 + 3 - k, &written);
        ck_assert_ptr_nonnull(got);
        ck_assert_uint_eq(written, 1u << k);
        for (int32_t i = 0; i < LANES; i++) ck_assert_int_eq(got[i], i / WIDTH == k ? want[i] : 0);
    }
    end(sim, 8);
}
END_TEST

/* ---- VXM ---- */

START_TEST(alus_chain) {
    uint8_t want[LANES];
    const uint32_t *latch;
    TspSim *sim;
    begin();
    ramp(0, 0, 250, 3);                                /* as i8: -6, -3, 0, ... 39 */
    sketch_at(&sketch, 0, 0, sketch_read(0, east(0))); /* at the VXM in 2 */
    sketch_at(&sketch, tsp_queue_vxm(&sketch.machine, 2), 2,
              (TspInsn){.op = TSP_OP_ADD,
                        .type = TSP_I8,
                        .dst = TSP_DST_NONE,
                        .src_a = TSP_SRC(TSP_SRC_STREAM, east(0)),
                        .src_b = TSP_SRC(TSP_SRC_IMM, 0),
                        .imm = 100});
    sketch_at(
        &sketch, tsp_queue_vxm(&sketch.machine, 3), 5,
        (TspInsn){
            .op = TSP_OP_RELU, .type = TSP_I8, .dst = west(3), .src_a = TSP_SRC(TSP_SRC_ALU, 2)});
    sim = start(false);
    for (int32_t i = 0; i < LANES; i++) {
        int8_t sum = (int8_t)(uint8_t)(250 + 3 * i + 100);
        want[i] = (uint8_t)(sum > 0 ? sum : 0);
    }
    to(sim, 9); /* the sum is there in 2 + 4 + 3 */
    ck_assert_ptr_null(tsp_sim_latch(sim, 2));
    to(sim, 10);
    latch = tsp_sim_latch(sim, 2);
    ck_assert_ptr_nonnull(latch);
    ck_assert_uint_eq(latch[0], 94);
    ck_assert_uint_eq(latch[LANES - 1], (uint32_t)-117); /* 39 + 100 - 256 */
    to(sim, 11);
    ck_assert_ptr_null(tsp_sim_stream(sim, west(3), VXM));
    to(sim, 12);
    is(tsp_sim_stream(sim, west(3), VXM), want);
    end(sim, 12);
}
END_TEST

START_TEST(result_taken_a_cycle_late) {
    begin();
    ramp(0, 0, 0, 1);
    sketch_at(&sketch, 0, 0, sketch_read(0, east(0)));
    sketch_at(&sketch, tsp_queue_vxm(&sketch.machine, 0), 2,
              (TspInsn){.op = TSP_OP_PASS,
                        .type = TSP_I8,
                        .dst = TSP_DST_NONE,
                        .src_a = TSP_SRC(TSP_SRC_STREAM, east(0))});
    sketch_at(&sketch, tsp_queue_vxm(&sketch.machine, 1), 6,
              (TspInsn){.op = TSP_OP_PASS,
                        .type = TSP_I8,
                        .dst = TSP_DST_NONE,
                        .src_a = TSP_SRC(TSP_SRC_ALU, 0)});
    stops(start(false), TSP_RULE_ALU_UNDEFINED, 10, tsp_queue_vxm(&sketch.machine, 1), 1);
}
END_TEST

/* ---- SXM: four rows leave e0..e3 (column 5) in cycle 0 and are at the SXM in 3 ---- */

static const uint8_t plain[LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t other[LANES] = {100, 101, 102, 103, 104, 105, 106, 107,
                                     108, 109, 110, 111, 112, 113, 114, 115};

/* Puts four vectors on streams 0..3 and checks stream `result` (westward) `delay` later. */
static void sxm(TspRole role, int32_t unit, TspInsn insn, const uint8_t *second,
                const uint8_t *third, int32_t result, int32_t delay, const uint8_t *want) {
    static const uint8_t zeros[LANES];
    TspSim *sim;
    begin();
    row(EAST, 0, plain);
    row(EAST + 1, 0, second);
    row(EAST + 2, 0, third);
    if (insn.op == TSP_OP_PERMUTE)
        row(EAST + 3, 0, zeros); /* high bytes of the map */
    else
        ramp(EAST + 3, 0, 200, 1);
    for (int32_t i = 0; i < 4; i++) sketch_at(&sketch, EAST + i, 0, sketch_read(0, east(i)));
    sketch_at(&sketch, tsp_queue_sxm(&sketch.machine, TSP_EAST, role, unit), 3, insn);
    sim = start(false);
    to(sim, 3 + delay - 1);
    ck_assert_ptr_null(tsp_sim_stream(sim, west(result), SXM));
    to(sim, 3 + delay);
    is(tsp_sim_stream(sim, west(result), SXM), want);
    end(sim, 3 + delay);
}

START_TEST(sxm_in_a_superlane) {
    const uint8_t map[LANES] = {3, 3, 0, 9, 0, 1, 2, 3, 1, 1, 1, 1, 4, 2, 255, 0};
    const uint8_t distributed[LANES] = {3, 3, 0, 0, 4, 5, 6, 7, 9, 9, 9, 9, 0, 14, 0, 12};
    /* Lane j of output 1 is lane 1 of input j: 1, 101, 51, 201 and 4 on in every superlane. */
    uint8_t third[LANES], transposed[LANES], selected[LANES];
    const uint8_t rotated[LANES] = {102, 103, 100, 101, 106, 107, 104, 105,
                                    110, 111, 108, 109, 114, 115, 112, 113};
    const uint8_t by_three[LANES] = {101, 102, 100, 103, 105, 106, 104, 107,
                                     109, 110, 108, 111, 113, 114, 112, 115};
    for (int32_t i = 0; i < LANES; i++) {
        static const int32_t first[WIDTH] = {1, 101, 51, 201};
        third[i] = (uint8_t)(50 + i);
        transposed[i] = (uint8_t)(first[i % WIDTH] + i / WIDTH * WIDTH);
    }
    sxm(TSP_ROLE_DISTRIBUTE, 2,
        (TspInsn){.op = TSP_OP_DISTRIBUTE, .stream = west(0), .src = east(0), .map = east(1)}, map,
        third, 0, 2, distributed);
    sxm(TSP_ROLE_TRANSPOSE, 1, (TspInsn){.op = TSP_OP_TRANSPOSE, .stream = west(4), .src = east(0)},
        other, third, 5, 4, transposed);
    /* Stream 1 rotated by 2 is output 1 * 4 + 2; by 1 of three, the fourth stays, 1 * 3 + 1. */
    sxm(TSP_ROLE_ROTATE, 0,
        (TspInsn){.op = TSP_OP_ROTATE, .stream = west(0), .src = east(0), .n = 4}, other, third, 6,
        4, rotated);
    sxm(TSP_ROLE_ROTATE, 0,
        (TspInsn){.op = TSP_OP_ROTATE, .stream = west(0), .src = east(0), .n = 3}, other, third, 4,
        4, by_three);
    for (int32_t i = 0; i < LANES; i++) third[i] = (uint8_t)(i % 3);
    for (int32_t i = 0; i < LANES; i++)
        selected[i] = (uint8_t)(i % 3 == 0 ? i : i % 3 == 1 ? 100 + i : 200 + i);
    sxm(TSP_ROLE_SELECT, 0,
        (TspInsn){.op = TSP_OP_SELECT,
                  .stream = west(0),
                  .src = east(0),
                  .north = east(1),
                  .south = east(3),
                  .map = east(2)},
        other, third, 0, 1, selected);
}
END_TEST

START_TEST(sxm_across_superlanes) {
    const uint8_t backwards[LANES] = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    const uint8_t zeros[LANES] = {0};
    const uint8_t inside[LANES] = {0, 0, 0, 1, 0, 0, 4, 5, 0, 0, 8, 9, 0, 0, 12, 13};
    const uint8_t north[LANES] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6};
    const uint8_t south[LANES] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0};
    TspInsn shift = {.op = TSP_OP_SHIFT, .stream = west(0), .src = east(0)};
    sxm(TSP_ROLE_PERMUTE, 0,
        (TspInsn){.op = TSP_OP_PERMUTE, .stream = west(0), .src = east(0), .map = east(2)},
        backwards, backwards, 0, 60, backwards);
    shift.n = 2;
    sxm(TSP_ROLE_SHIFT, 0, shift, zeros, zeros, 0, 1, inside);
    shift.cross = 1;
    shift.n = 9; /* three superlanes */
    sxm(TSP_ROLE_SHIFT, 2, shift, zeros, zeros, 0, 19 + 2 * 2, north);
    shift.n = 3;
    sxm(TSP_ROLE_SHIFT, 3, shift, zeros, zeros, 0, 19, south);
}
END_TEST

/* ---- MXM ---- */

/* Weights: column c holds c + 1 in lane c and 2 in lane 15 (c = 0..3); activation lane l is l. */
START_TEST(product_and_sum) {
    TspMachine *m = &sketch.machine;
    int32_t weights, activations, results;
    const uint32_t *sums;
    uint8_t want[LANES] = {0};
    TspDtype type;
    TspSim *sim;
    begin();
    weights = tsp_queue_mxm(m, TSP_EAST, 1, TSP_ROLE_WEIGHTS);
    activations = tsp_queue_mxm(m, TSP_EAST, 1, TSP_ROLE_ACTIVATIONS);
    results = tsp_queue_mxm(m, TSP_EAST, 1, TSP_ROLE_RESULTS);
    for (int32_t c = 0; c < 4; c++) {
        uint8_t column[LANES] = {0};
        column[c] = (uint8_t)(c + 1);
        column[LANES - 1] = 2;
        row(EAST + c, 0, column);
        sketch_at(&sketch, EAST + c, 0, sketch_read(0, east(c))); /* column 5 in 1, MXM in 4 */
    }
    row(EAST + 4, 0, plain);
    sketch_at(&sketch, weights, 4, (TspInsn){.op = TSP_OP_LW, .stream = east(0), .count = 4});
    sketch_at(&sketch, weights, 10, (TspInsn){.op = TSP_OP_IW, .type = TSP_I8});
    sketch_repeat(sketch_at(&sketch, EAST + 4, 10, sketch_read(0, east(5))), 1, 2, 0);
    sketch_repeat(sketch_at(&sketch, activations, 13,
                            (TspInsn){.op = TSP_OP_ABC, .type = TSP_U8, .stream = east(5)}),
                  1, 2, 0);
    sketch_at(&sketch, results, 35, (TspInsn){.op = TSP_OP_ACC, .row = 7});
    sketch_at(&sketch, results, 37,
              (TspInsn){.op = TSP_OP_ACC, .add = 1, .emit = 1, .row = 7, .stream = west(4)});
    sim = start(false);
    to(sim, 35);
    ck_assert_ptr_null(tsp_sim_accumulator(sim, 3, 7, &type));
    to(sim, 36);
    sums = tsp_sim_accumulator(sim, 3, 7, &type);
    ck_assert_ptr_nonnull(sums);
    ck_assert_int_eq(type, TSP_I32);
    for (int32_t c = 0; c < LANES; c++) {
        uint32_t sum = c < 4 ? (uint32_t)(c * (c + 1) + 2 * 15) : 0;
        ck_assert_uint_eq(sums[c], sum);
        want[c] = (uint8_t)(2 * sum);
    }
    arrives(sim, 37 + 34 + 6, west(4), MXM, want);
    ck_assert_int_eq(tsp_sim_stats(sim).macs, 2 * LANES * LANES);
    ck_assert_int_eq(tsp_sim_stats(sim).mxm_busy, 2);
    end(sim, 77);
}
END_TEST

/* A product in the program's last cycle that nobody takes. */
START_TEST(product_lost_at_the_end) {
    SketchProduct x;
    begin();
    for (int32_t i = 0; i < 4; i++) ramp(EAST + i, 0, 1, 0);
    ramp(EAST + 4, 16, 1, 0);
    x = sketch_product(&sketch, 0, 1, 1);
    sketch.count = x.accumulate; /* no ACC, no write */
    stops(start(false), TSP_RULE_PRODUCT_LOST, x.accumulate_cycle,
          tsp_queue_mxm(&sketch.machine, TSP_EAST, 0, TSP_ROLE_ACTIVATIONS), 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("reference");
    TCase *tests = tcase_create("reference");
    tcase_add_test(tests, read_flows_and_is_written);
    tcase_add_test(tests, superlanes_stagger);
    tcase_add_test(tests, gather_and_scatter);
    tcase_add_test(tests, alus_chain);
    tcase_add_test(tests, result_taken_a_cycle_late);
    tcase_add_test(tests, sxm_in_a_superlane);
    tcase_add_test(tests, sxm_across_superlanes);
    tcase_add_test(tests, product_and_sum);
    tcase_add_test(tests, product_lost_at_the_end);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
