/* reference_bench.h - what the tests of the reference engine share: a sketch on `tiny` with rows
 * placed, and what must be seen when.
 */
#ifndef TSP_TESTS_REFERENCE_BENCH_H
#define TSP_TESTS_REFERENCE_BENCH_H
#include "sim/reference.h"

#include "sketch.h"
#include "suite.h"

enum { LANES = 16, WIDTH = 4, SUPERLANES = 4, EAST = 8, SXM = 7, MXM = 8, VXM = 4 }; /* of tiny */

static Sketch sketch;
static TspProgram program;
static int32_t places;

static inline int32_t east(int32_t number) {
    return TSP_STREAM(TSP_EASTWARD, number);
}
static inline int32_t west(int32_t number) {
    return TSP_STREAM(TSP_WESTWARD, number);
}

/* Rows wait here until the program is there to place them in. */
static struct {
    int32_t slice, addr;
    uint8_t lane[LANES];
} rows[SKETCH_RUNS];

static inline void begin(void) {
    sketch_init(&sketch, "tiny");
    places = 0;
}

static inline void row(int32_t slice, int32_t addr, const uint8_t *lane) {
    rows[places].slice = slice;
    rows[places].addr = addr;
    memcpy(rows[places++].lane, lane, LANES);
}

/* Lanes first, first + step, ... */
static inline void ramp(int32_t slice, int32_t addr, int32_t first, int32_t step) {
    uint8_t lane[LANES];
    for (int32_t i = 0; i < LANES; i++) lane[i] = (uint8_t)(first + i * step);
    row(slice, addr, lane);
}

static inline TspSim *start(bool modelled) {
    TspSimOptions options = {.engine = TSP_ENGINE_REFERENCE, .ifetch_modelled = modelled};
    TspError err = {0};
    TspSim *sim;
    ck_assert(sketch_program(&sketch, &program));
    for (int32_t i = 0; i < places; i++) {
        sketch_place(&program, rows[i].slice, rows[i].addr, 1);
        memcpy(program.tensors[program.tensor_count - 1].data, rows[i].lane, LANES);
    }
    sim = tsp_sim_new(&program, &options, &err);
    ck_assert_msg(sim != NULL, "%s", err.text);
    return sim;
}

static inline void to(TspSim *sim, int64_t cycle) {
    TspError err = {0};
    ck_assert_msg(tsp_sim_run_until(sim, cycle, &err), "%s", err.text);
}

static inline void end(TspSim *sim, int64_t latency) {
    to(sim, INT64_MAX);
    ck_assert(tsp_sim_done(sim));
    ck_assert_int_eq(tsp_sim_now(sim), latency);
    ck_assert_int_eq(tsp_sim_stats(sim).cycles, latency);
    tsp_sim_free(sim);
    tsp_program_free(&program);
}

static inline void stops(TspSim *sim, TspRule rule, int64_t cycle, int32_t queue, int32_t index) {
    TspError err = {0};
    ck_assert(!tsp_sim_run(sim, &err));
    ck_assert_msg(err.rule == rule && err.cycle == cycle && err.queue == queue &&
                      err.index == index,
                  "%s", err.text);
    tsp_sim_free(sim);
    tsp_program_free(&program);
}

static inline void is(const uint8_t *got, const uint8_t *want) {
    ck_assert_ptr_nonnull(got);
    for (int32_t i = 0; i < LANES; i++)
        ck_assert_msg(got[i] == want[i], "lane %d is %d, not %d", (int)i, got[i], want[i]);
}

/* The stream holds the lanes from cycle `cycle` on at the column, and nothing the cycle before. */
static inline void arrives(TspSim *sim, int64_t cycle, int32_t stream, int32_t column,
                           const uint8_t *want) {
    to(sim, cycle - 1);
    ck_assert_ptr_null(tsp_sim_stream(sim, stream, column));
    to(sim, cycle);
    is(tsp_sim_stream(sim, stream, column), want);
    if (tsp_sim_done(sim)) return;
    to(sim, cycle + 1);
    ck_assert_ptr_null(tsp_sim_stream(sim, stream, column));
}

#endif
