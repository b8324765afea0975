/* challenge.c - blocks of rows, read by a thread while the chip works on the block before, grouped
 * by one program that is started again for every block and keeps its tables on the chip.
 */
#include "challenge.h"
#include "compiler/compile.h"
#include "compiler/group/group.h"
#include "measurements.h"
#include "sim/host_link.h"
#include "sim/sim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOW = -999, HIGH = 999, ROW_BYTES = 4 };

typedef struct {
    uint16_t *station;
    int16_t *tenths;
    int64_t rows; /* read into it; -1: it failed */
    TspError err;
} Block;

typedef struct {
    const TspChallengeOptions *options;
    TspChallengeReport *report;
    TspMeasurements *file;
    TspProgram program;
    GroupPlan plan;
    TspSim *sim;
    Block block[2];
    Block *reading; /* by the thread */
    TspHostLink predicted, simulated;
    int32_t *tables;
} Challenge;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* -- the program -- */

/* Stations and one more: rows that fill up the last block are its. */
static int32_t groups(const Challenge *c) {
    return c->report->stations + 1;
}

static bool choose_blocks(Challenge *c, TspError *err) {
    TspChallengeReport *r = c->report;
    int64_t most = tsp_group_capacity(c->options->machine, groups(c), LOW, HIGH), each;
    if (most <= 0)
        return tsp_fail(err, TSP_ERR_NOT_MODELLED, "grouping %d stations on machine %s",
                        (int)r->stations, c->options->machine->name);
    if (c->options->block_rows > 0 && c->options->block_rows < most) most = c->options->block_rows;
    r->blocks = (r->rows + most - 1) / most;
    each = (r->rows + r->blocks - 1) / r->blocks;
    r->block_rows = each;
    return tsp_group_plan(&c->plan, c->options->machine, groups(c), LOW, HIGH, each, 2, err);
}

static bool compile(Challenge *c, TspError *err) {
    const TspCompileOptions options = {.group_tables = true};
    const long long rows = (long long)c->report->block_rows;
    TspGraph g;
    char text[512];
    bool done;
    const int length = snprintf(
        text, sizeof text,
        "{\"name\": \"1brc\", \"inputs\": [{\"name\": \"station\", \"dtype\": \"int16\", "
        "\"shape\": [%lld]}, {\"name\": \"tenths\", \"dtype\": \"int16\", \"shape\": [%lld]}], "
        "\"nodes\": [{\"op\": \"GroupByAggregate\", \"inputs\": [\"station\", \"tenths\"], "
        "\"outputs\": [\"of\"], \"attributes\": {\"groups\": %d, \"low\": %d, \"high\": %d}}], "
        "\"outputs\": [\"of\"]}",
        rows, rows, (int)groups(c), LOW, HIGH);
    if (!tsp_graph_parse(&g, text, (size_t)length, "1brc", err)) return false;
    done = tsp_compile(&g, c->options->machine, &options, &c->program, err);
    tsp_graph_free(&g);
    c->report->compute_cycles = c->program.predicted_cycles;
    c->report->bound_cycles = c->program.bound_cycles;
    return done;
}

static int32_t tensor(const Challenge *c, const char *name) {
    int32_t i = 0;
    while (strcmp(c->program.tensors[i].name, name)) i++;
    return i;
}

/* -- blocks -- */

static bool make_block(Block *b, int64_t rows, TspError *err) {
    b->station = malloc((size_t)rows * sizeof *b->station);
    b->tenths = malloc((size_t)rows * sizeof *b->tenths);
    return (b->station && b->tenths) || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
}

static void *read_block(void *context) {
    Challenge *c = context;
    Block *b = c->reading;
    b->rows = tsp_measurements_next(c->file, c->report->block_rows, b->station, b->tenths, &b->err);
    for (int64_t i = b->rows < 0 ? c->report->block_rows : b->rows; i < c->report->block_rows;
         i++) {
        b->station[i] = (uint16_t)c->report->stations;
        b->tenths[i] = 0;
    }
    return NULL;
}

static bool place_block(Challenge *c, const Block *b, TspError *err) {
    return tsp_sim_write_tensor(c->sim, tensor(c, "station"), (const uint8_t *)b->station, err) &&
           tsp_sim_write_tensor(c->sim, tensor(c, "tenths"), (const uint8_t *)b->tenths, err);
}

/* The chip groups the rows placed, while a thread reads the next block. */
static bool group_block(Challenge *c, Block *next, TspError *err) {
    pthread_t thread;
    const double start = now();
    bool threaded, done;
    c->reading = next;
    threaded = next && pthread_create(&thread, NULL, read_block, c) == 0;
    done = tsp_sim_run(c->sim, err);
    c->report->simulate_s += now() - start;
    if (threaded) pthread_join(thread, NULL);
    if (next && !threaded) read_block(c);
    if (next && next->rows < 0 && done) {
        *err = next->err;
        return false;
    }
    return done;
}

/* One block over the link and through the chip, in the times foretold and in those that came. */
static bool follow_link(Challenge *c, TspError *err) {
    const int64_t bytes = c->report->block_rows * ROW_BYTES;
    const int64_t cycles = tsp_sim_stats(c->sim).cycles;
    TspHostSpan span;
    if (cycles != c->program.predicted_cycles)
        return tsp_fail(
            err, TSP_ERR_BUG,
            "internal error: predicted %lld cycles for a block, simulated %lld; this is "
            "a bug of tsp, please report it",
            (long long)c->program.predicted_cycles, (long long)cycles);
    c->report->bytes_in += bytes;
    return tsp_host_arrive(&c->predicted, bytes, &span, err) &&
           tsp_host_run(&c->predicted, c->program.predicted_cycles, &span, err) &&
           tsp_host_arrive(&c->simulated, bytes, &span, err) &&
           tsp_host_run(&c->simulated, cycles, &span, err);
}

static bool group_all(Challenge *c, TspError *err) {
    const TspChallengeReport *r = c->report;
    c->reading = &c->block[0];
    read_block(c);
    if (c->block[0].rows < 0) {
        *err = c->block[0].err;
        return false;
    }
    for (int64_t i = 0; i < r->blocks; i++) {
        Block *next = i + 1 < r->blocks ? &c->block[(i + 1) % 2] : NULL;
        if ((i > 0 && !tsp_sim_again(c->sim, err)) || !place_block(c, &c->block[i % 2], err) ||
            !group_block(c, next, err) || !follow_link(c, err))
            return false;
        if (c->options->progress) {
            const int64_t done = (i + 1) * r->block_rows;
            c->options->progress(c->options->context, done < r->rows ? done : r->rows, r->rows);
        }
    }
    return true;
}

/* -- tables -- */

static bool start(Challenge *c, TspError *err) {
    const size_t lanes = (size_t)tsp_lanes(c->options->machine);
    c->tables = malloc((size_t)c->plan.words * lanes * sizeof *c->tables);
    c->sim = c->tables ? tsp_sim_new(&c->program, NULL, err) : NULL;
    if (!c->tables) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (!c->sim) return false;
    tsp_group_empty(&c->plan, c->options->machine, c->tables);
    tsp_host_init(&c->predicted, c->options->machine);
    tsp_host_init(&c->simulated, c->options->machine);
    return tsp_sim_write_tensor(c->sim, tensor(c, "of.tables"), (const uint8_t *)c->tables, err) &&
           make_block(&c->block[0], c->report->block_rows, err) &&
           (c->report->blocks == 1 || make_block(&c->block[1], c->report->block_rows, err));
}

static bool fetch_tables(Challenge *c, TspError *err) {
    const int32_t result = tensor(c, "of.tables.next");
    TspHostSpan span;
    c->report->bytes_out = tsp_tensor_bytes(&c->program.tensors[result]);
    c->report->partial_tables = (int32_t)c->options->machine->superlanes;
    if (!tsp_sim_read_tensor(c->sim, result, (uint8_t *)c->tables, err) ||
        !tsp_host_return(&c->predicted, c->report->bytes_out, &span, err) ||
        !tsp_host_return(&c->simulated, c->report->bytes_out, &span, err))
        return false;
    c->report->predicted_cycles = tsp_host_total(&c->predicted);
    c->report->simulated_cycles = tsp_host_total(&c->simulated);
    return true;
}

static char *answer(const Challenge *c, TspError *err) {
    const int32_t stations = c->report->stations;
    TspStationTotals *totals = calloc((size_t)stations, sizeof *totals);
    int64_t rows = 0;
    char *text = NULL;
    bool good = totals != NULL || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t s = 0; s < stations && good; s++) {
        const GroupTotals t = tsp_group_totals(&c->plan, c->options->machine, c->tables, s);
        totals[s] = (TspStationTotals){t.count, t.sum, t.least, t.greatest};
        rows += t.count;
    }
    if (good && rows != c->report->rows)
        good = tsp_fail(err, TSP_ERR_BUG, "internal error: %lld rows went in, %lld are counted",
                        (long long)c->report->rows, (long long)rows);
    if (good) text = tsp_result_text(tsp_measurements_names(c->file), totals, stations, err);
    free(totals);
    return text;
}

/* -- the whole -- */

static bool solve(Challenge *c, char **text, TspError *err) {
    c->report->rows = tsp_measurements_rows(c->file);
    c->report->stations = tsp_measurements_stations(c->file);
    c->report->open_s = tsp_measurements_open_seconds(c->file);
    if (!choose_blocks(c, err) || !compile(c, err)) return false;
    if (start(c, err) && group_all(c, err) && fetch_tables(c, err)) *text = answer(c, err);
    c->report->read_s = tsp_measurements_next_seconds(c->file);
    return *text != NULL;
}

bool tsp_challenge(const char *path, const TspChallengeOptions *options, char **text,
                   TspChallengeReport *report, TspError *err) {
    const TspMeasurementsOptions reading = {.threads = options->threads};
    Challenge c = {.options = options, .report = report};
    bool done;
    *text = NULL;
    *report = (TspChallengeReport){0};
    c.file = tsp_measurements_open(path, &reading, err);
    if (!c.file) return false;
    done = solve(&c, text, err);
    tsp_sim_free(c.sim); /* before the program it runs */
    tsp_program_free(&c.program);
    for (int i = 0; i < 2; i++) {
        free(c.block[i].station);
        free(c.block[i].tenths);
    }
    free(c.tables);
    tsp_measurements_close(c.file);
    return done;
}
