/* test_run.c - what the viewer believes is on the streams, held against the simulator: every
 * register of every superlane, in random programs of all units.
 */
#include "random_program.h"
#include "seeded.h"

#include "suite.h"
#include "viz/flow.h"
#include <inttypes.h>
#include <string.h>

static Random drawn;

enum { LONGEST = 700, REGISTERS = TSP_MAX_STREAMS * TSP_MAX_COLUMNS };

/* A word a register and cycle, 0 where nothing is on it: a hash of the vector in superlane 0. */
typedef struct {
    uint32_t *hash;
    int64_t cycles;
} Record;

static uint32_t hash_of(const uint8_t *bytes, int32_t count) {
    uint32_t hash = 2166136261u;
    for (int32_t i = 0; bytes && i < count; i++) hash = (hash ^ bytes[i]) * 16777619u;
    return bytes ? hash | 1 : 0;
}

static uint32_t *at(const Record *r, int64_t cycle, int32_t stream, int32_t column) {
    return &r->hash[cycle * REGISTERS + stream * TSP_MAX_COLUMNS + column];
}

static Record record(TspSim *sim, const TspMachine *m, int64_t cycles) {
    Record r = {calloc((size_t)(cycles + 1) * REGISTERS, sizeof(uint32_t)), cycles};
    ck_assert(r.hash != NULL);
    for (int64_t cycle = 0; cycle <= cycles; cycle++) {
        TspError err;
        if (!tsp_sim_seek(sim, cycle, &err)) {
            r.cycles = cycle - 1;
            break;
        }
        for (int32_t s = 0; s < TSP_MAX_STREAMS; s++)
            for (int32_t column = 0; column < tsp_columns(m); column++)
                *at(&r, cycle, s, column) = hash_of(tsp_sim_stream(sim, s, column), tsp_lanes(m));
    }
    return r;
}

static int64_t seen, known; /* registers with a vector; those whose bytes could be had */

/* Power that is switched changes what is on the streams, in all superlanes at once. */
static bool switches(const VizRun *run) {
    for (int32_t i = 0; i < run->timeline.burst_count; i++)
        if (run->timeline.bursts[i].opcode == TSP_OP_CONFIG) return true;
    return false;
}

/* Where a vector has taken the place of another, that one is no more. */
static void one_a_register(const VizRun *run, int32_t superlane, uint64_t seed) {
    bool taken[TSP_MAX_STREAMS][TSP_MAX_COLUMNS] = {{false}};
    for (int32_t i = 0; i < run->drive_count; i++) {
        const VizDrive *d = &run->drives[i];
        const int32_t column = viz_drive_column(run, d, superlane);
        if (column < 0) continue;
        if (taken[d->stream][column])
            ck_abort_msg("TSP_TEST_SEED=%" PRIu64 ": two on stream %d, column %d", seed, d->stream,
                         column);
        taken[d->stream][column] = true;
    }
}

static void compare(const VizRun *run, const Record *r, uint64_t seed) {
    const TspMachine *m = run->m;
    for (int32_t k = 0; k < m->superlanes; k++) one_a_register(run, k, seed);
    for (int32_t k = 0; k < m->superlanes && k <= run->cycle; k++)
        for (int32_t s = 0; s < TSP_MAX_STREAMS; s++)
            for (int32_t column = 0; column < tsp_columns(m); column++) {
                const uint32_t want = *at(r, run->cycle - k, s, column);
                const VizDrive *drive = viz_run_drive(run, s, column, k);
                const uint8_t *bytes;
                if ((drive != NULL) !=
                    (want != 0)) /* an assertion is written down, even if it holds */
                    ck_abort_msg("TSP_TEST_SEED=%" PRIu64 ": cycle %" PRId64
                                 ", superlane %d, stream %d, column %d",
                                 seed, run->cycle, k, s, column);
                if (!drive) continue;
                seen++;
                if (viz_drive_column(run, drive, k) != column) ck_abort_msg("another column");
                bytes = viz_drive_bytes(run, drive, k);
                if (!bytes || (k > 0 && switches(run))) continue;
                known++;
                ck_assert_uint_eq(hash_of(bytes, tsp_lanes(m)), want);
            }
}

static void check(const TspProgram *p, bool ifetch, uint64_t seed) {
    const TspSimOptions options = {.ifetch_modelled = ifetch, .history_bytes = 64 << 20};
    TspError err;
    TspSim *sim = tsp_sim_new(p, &options, &err);
    VizRun run;
    Record r;
    ck_assert_msg(sim != NULL, "%s", err.text);
    ck_assert_msg(viz_run_open(&run, p, sim, ifetch, &err), "%s", err.text);
    if (run.timeline.cycles <= LONGEST) {
        r = record(sim, &p->machine, run.timeline.cycles);
        for (int32_t i = 0; i < 12; i++) {
            ck_assert(viz_run_look(&run, pick(0, (int32_t)r.cycles), &err));
            compare(&run, &r, seed);
        }
        free(r.hash);
    }
    viz_run_close(&run);
}

START_TEST(streams_as_in_the_simulator) {
    random_start();
    seen = known = 0;
    for (uint64_t seed = random_state, end = seed + 120; seed < end; seed++) {
        TspProgram p;
        random_from(seed);
        random_program(&drawn, "tiny", pick(1, 12), true);
        ck_assert(random_build(&drawn, &p));
        check(&p, drawn.modelled, seed);
        random_release(&p);
        random_free(&drawn);
    }
    ck_assert_int_gt(seen, 10000);
    ck_assert_msg(known * 10 > seen * 7, "%" PRId64 " of %" PRId64, known, seen);
}
END_TEST

/* A vector on its way, and who has been seen to take it. */
typedef struct {
    int32_t burst, stream;
    int64_t issue;
    int32_t expected, seen;
    VizIssue consumers[128];
} Vector;

enum { VECTORS_MAX = 40000 };
static Vector *vectors;
static int32_t vector_count;

static void note_drives(const VizRun *run) {
    for (int32_t i = 0; i < run->drive_count && vector_count < VECTORS_MAX; i++) {
        const VizDrive *d = &run->drives[i];
        Vector *v = &vectors[vector_count];
        if (d->cycle != run->cycle) continue;
        *v = (Vector){.burst = d->burst, .stream = d->stream, .issue = d->issue};
        v->expected = viz_flow_consumers(run, d->stream, d->column, d->cycle, v->consumers, 128);
        vector_count++;
    }
}

static void note_use(const VizRun *run, const VizDrive *d, const VizIssue *use, uint64_t seed) {
    bool found = false;
    for (int32_t i = 0; i < vector_count; i++) {
        Vector *v = &vectors[i];
        if (v->burst != d->burst || v->issue != d->issue || v->stream != d->stream) continue;
        for (int32_t k = 0; k < v->expected; k++) /* nearest first; at one column in any order */
            found = found ||
                    (v->consumers[k].burst == use->burst && v->consumers[k].cycle == use->cycle);
        ck_assert_msg(found,
                      "TSP_TEST_SEED=%" PRIu64 ": cycle %" PRId64 ", stream %d: not foreseen", seed,
                      run->cycle, d->stream);
        v->seen++;
        return;
    }
    ck_abort_msg("TSP_TEST_SEED=%" PRIu64 ": a vector that nobody drove", seed);
}

/* Every operand of this cycle's issues comes from the drive that stands there. */
static int64_t check_uses(const VizRun *run, uint64_t seed) {
    int64_t operands = 0;
    for (int32_t q = 0; q < tsp_queue_count(run->m); q++) {
        const int32_t column = tsp_queue_info(run->m, q).column;
        VizIssue use, producer;
        if (!viz_issue_at(&run->timeline, q, run->cycle, &use)) continue;
        for (int32_t s = 0; s < TSP_MAX_STREAMS; s++) {
            const VizDrive *d;
            if (!viz_burst_takes(&run->timeline, use.burst, s)) continue;
            d = viz_run_drive(run, s, column, 0);
            ck_assert(d != NULL);
            ck_assert(viz_flow_producer(run, s, column, run->cycle, &producer));
            ck_assert_msg(
                producer.burst == &run->timeline.bursts[d->burst] && producer.cycle == d->issue,
                "TSP_TEST_SEED=%" PRIu64 ": cycle %" PRId64 ", stream %d", seed, run->cycle, s);
            note_use(run, d, &use, seed);
            operands++;
        }
    }
    return operands;
}

START_TEST(producers_and_consumers) {
    int64_t operands = 0;
    random_start();
    vectors = calloc(VECTORS_MAX, sizeof *vectors);
    ck_assert(vectors != NULL);
    for (uint64_t seed = random_state, end = seed + 80; seed < end; seed++) {
        TspProgram p;
        TspError err;
        VizRun run;
        random_from(seed);
        random_program(&drawn, "tiny", pick(1, 12), true);
        ck_assert(random_build(&drawn, &p));
        ck_assert_msg(viz_run_open(&run, &p, NULL, drawn.modelled, &err), "%s", err.text);
        vector_count = 0;
        for (int64_t cycle = 0; cycle < run.timeline.cycles && !run.failed; cycle++) {
            ck_assert(viz_run_look(&run, cycle, &err));
            note_drives(&run);
            operands += check_uses(&run, seed);
        }
        for (int32_t i = 0; i < vector_count && !run.failed; i++)
            ck_assert_msg(vectors[i].seen == vectors[i].expected,
                          "TSP_TEST_SEED=%" PRIu64 ": %d of %d took it", seed, vectors[i].seen,
                          vectors[i].expected);
        viz_run_close(&run);
        random_release(&p);
        random_free(&drawn);
    }
    free(vectors);
    ck_assert_int_gt(operands, 3000);
}
END_TEST

int main(void) {
    Suite *s = suite_create("run");
    TCase *c = tcase_create("run");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, streams_as_in_the_simulator);
    tcase_add_test(c, producers_and_consumers);
    suite_add_tcase(s, c);
    return run_suite(s);
}
