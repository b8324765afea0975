/* sim_bench.h - what the tests of the simulator share: a program under test on its machine, and
 * short names for instructions.
 */
#ifndef TSP_TESTS_SIM_BENCH_H
#define TSP_TESTS_SIM_BENCH_H
#include "sim/sim.h"
#include "sketch.h"
#include "suite.h"

#include <stdio.h>

/* Of everything random; each bench starts from it. */
#define BENCH_SEED 0x5eed1234abcdu

/* -- a program under test -- */

typedef struct {
    Sketch sketch;
    TspProgram program;
    TspMachine m;
    TspSim *sim;
    TspError err;
    uint64_t seed;
} Bench;

static Bench bench;

static inline uint32_t draw(Bench *b) {
    b->seed ^= b->seed << 13;
    b->seed ^= b->seed >> 7;
    b->seed ^= b->seed << 17;
    return (uint32_t)(b->seed >> 32);
}

static inline Bench *open_bench(const char *machine) {
    Bench *b = &bench;
    sketch_init(&b->sketch, machine);
    b->m = b->sketch.machine;
    b->sim = NULL;
    b->seed = BENCH_SEED;
    return b;
}

/* Writes the queues; after it constants may be placed, then launch(). */
static inline void draft(Bench *b) {
    ck_assert(sketch_program(&b->sketch, &b->program));
}

static inline uint8_t *place(Bench *b, int32_t slice, int32_t addr, int32_t rows) {
    sketch_place(&b->program, slice, addr, rows);
    return b->program.tensors[b->program.tensor_count - 1].data;
}

/* Rows of random bytes; returns them. */
static inline uint8_t *place_random(Bench *b, int32_t slice, int32_t addr, int32_t rows) {
    uint8_t *data = place(b, slice, addr, rows);
    for (int32_t i = 0; i < rows * tsp_lanes(&b->m); i++) data[i] = (uint8_t)draw(b);
    return data;
}

static inline void launch_on(Bench *b, const TspSimOptions *options) {
    b->sim = tsp_sim_new(&b->program, options, &b->err);
    ck_assert_msg(b->sim != NULL, "%s", b->err.text);
}
static inline void launch(Bench *b) {
    launch_on(b, NULL);
}

static inline void run(Bench *b) {
    launch(b);
    ck_assert_msg(tsp_sim_run(b->sim, &b->err), "%s", b->err.text);
    ck_assert(tsp_sim_done(b->sim));
    ck_assert_int_eq(tsp_sim_now(b->sim), tsp_sim_stats(b->sim).cycles);
}

static inline void close_bench(Bench *b) {
    tsp_sim_free(b->sim);
    tsp_program_free(&b->program);
    b->sim = NULL;
}

/* Both engines stop alike; the fast one stays in b->sim, its error in b->err. */
static inline void expect_stop(Bench *b) {
    const TspSimOptions options = {.engine = TSP_ENGINE_REFERENCE};
    TspError err = {0};
    TspSim *reference;
    launch(b);
    ck_assert(!tsp_sim_run(b->sim, &b->err));
    reference = tsp_sim_new(&b->program, &options, &err);
    ck_assert_msg(reference != NULL, "%s", err.text);
    ck_assert(!tsp_sim_run(reference, &err));
    ck_assert_msg(err.kind == b->err.kind && err.rule == b->err.rule && err.cycle == b->err.cycle &&
                      err.queue == b->err.queue && err.index == b->err.index,
                  "the fast engine says %s; the reference %s", b->err.text, err.text);
    tsp_sim_free(reference);
}

static inline void expect_fault(Bench *b, TspRule rule, int64_t cycle, int32_t queue,
                                int32_t index) {
    expect_stop(b);
    ck_assert_msg(b->err.rule == rule && b->err.cycle == cycle && b->err.queue == queue &&
                      b->err.index == index,
                  "expected %s, cycle %lld, queue %d, instruction %d; got %s (%s)",
                  tsp_rule_name(rule), (long long)cycle, queue, index, tsp_rule_name(b->err.rule),
                  b->err.text);
}

/* -- instructions -- */

static inline TspInsn lw(int32_t stream, int32_t group, int32_t count) {
    return (TspInsn){.op = TSP_OP_LW, .stream = stream, .group = group, .count = count};
}
static inline TspInsn iw(TspDtype type) {
    return (TspInsn){.op = TSP_OP_IW, .type = (int32_t)type};
}
static inline TspInsn abc(TspDtype type, int32_t stream) {
    return (TspInsn){.op = TSP_OP_ABC, .type = (int32_t)type, .stream = stream};
}
static inline TspInsn acc(int32_t add, int32_t emit, int32_t row, int32_t stream) {
    return (TspInsn){.op = TSP_OP_ACC, .add = add, .emit = emit, .row = row, .stream = stream};
}
static inline TspInsn alu(TspOpcode op, TspDtype type, int32_t dst, int32_t a, int32_t b_or_zero,
                          int32_t imm) {
    return (TspInsn){
        .op = op, .type = (int32_t)type, .dst = dst, .src_a = a, .src_b = b_or_zero, .imm = imm};
}
static inline TspInsn plain(TspOpcode op) {
    return (TspInsn){.op = op};
}
#define IMM    TSP_SRC(TSP_SRC_IMM, 0)
#define STR(s) TSP_SRC(TSP_SRC_STREAM, s)

/* Ids on the tiny machine, checked in test_layout. */
enum { E0 = 8, V0 = 16, LW0 = 38, ABC0 = 39, ACC0 = 40, LW1 = 41, ABC1 = 42, WEST = 32 };

/* Runs a suite with the seed printed; the exit status of the test program. */
static inline int run_bench(Suite *suite) {
    printf("seed 0x%llx\n", (unsigned long long)BENCH_SEED);
    return run_suite(suite);
}

#endif
