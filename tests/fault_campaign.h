/* fault_campaign.h - flips planted in small programs where something is alive: nothing comes out
 * wrong without a word, and everything else is as the oracle says, on every engine.
 */
#ifndef TSP_TESTS_FAULT_CAMPAIGN_H
#define TSP_TESTS_FAULT_CAMPAIGN_H
#include "compiler/verify.h"
#include "fault_oracle.h"
#include "fault_programs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { LIVE_MAX = 1 << 16, WHAT_SIZE = 1024, TILES = 2, ENGINES = 2 };
static const int32_t fault_tiles[TILES] = {4, 16}; /* lanes of a superlane */

/* A word that is alive: a register in a cycle, or a row from a cycle on. */
typedef struct {
    int64_t cycle;
    int32_t slice, row, stream, column; /* slice -1: a register */
} Live;

/* A program to plant flips in, and what it does without them. */
typedef struct {
    TspProgram program;
    const char *name;
    int32_t tile;
    OracleTrack track;
    Live *live;
    int32_t registers, rows; /* live[]: registers, then rows */
    uint8_t *golden;         /* all outputs, one behind the other */
    size_t bytes;
} Subject;

typedef struct {
    int64_t trials, flipped, consumed, corrected, detected, detected_by_host, corrected_by_host,
        harmless, silent, disagreements;
} Totals;

/* How a run ended. */
typedef struct {
    bool ran, read;
    TspError err, host;
    TspCsr csr;
    int64_t cycles;
    bool golden;
} Outcome;

static inline bool say(char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline bool say(char *what, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(what, WHAT_SIZE, format, args);
    va_end(args);
    return false;
}

/* ---- subjects ---- */

static inline size_t output_bytes(const TspProgram *p) {
    size_t bytes = 0;
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == TSP_ROLE_OUTPUT)
            bytes += (size_t)tsp_tensor_bytes(&p->tensors[i]);
    return bytes;
}

static inline bool read_outputs(const TspSim *sim, const TspProgram *p, uint8_t *data,
                                TspError *err) {
    for (int32_t i = 0; i < p->tensor_count; i++) {
        if (p->tensors[i].role != TSP_ROLE_OUTPUT) continue;
        if (!tsp_sim_read_tensor(sim, i, data, err)) return false;
        data += tsp_tensor_bytes(&p->tensors[i]);
    }
    return true;
}

static inline void add_live(Subject *s, Live live) {
    int32_t count = s->registers + s->rows;
    if (count == LIVE_MAX) return;
    s->live[count] = live;
    if (live.slice < 0)
        s->registers++;
    else
        s->rows++;
}

static inline void look_at_streams(Subject *s, const TspSim *sim) {
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t column = 0; column < tsp_columns(s->track.m); column++)
            if (tsp_sim_stream(sim, stream, column))
                add_live(s, (Live){tsp_sim_now(sim), -1, -1, stream, column});
}

/* Rows that a tensor takes are alive from the start, or from when a write lands. */
static inline void look_at_rows(Subject *s, TspSim *sim) {
    const TspMachine *m = s->track.m;
    TspError ignored;
    for (int32_t slice = 0; slice < 2 * m->mem_slices; slice++)
        for (int32_t row = 0; row < tsp_mem_slice_rows(m); row++) {
            Live live = {0, slice, row, -1, -1};
            if (!tsp_sim_row(sim, slice, row, NULL)) continue;
            add_live(s, live);
        }
    if (!tsp_sim_seek(sim, 0, &ignored)) return;
    for (int32_t i = 0; i < s->rows; i++) {
        Live *live = &s->live[s->registers + i];
        if (!tsp_sim_row(sim, live->slice, live->row, NULL)) live->cycle = s->track.latency / 2;
    }
}

/* The clean run. */
static inline bool learn(Subject *s, const TspSimOptions *options, char *what) {
    TspError err;
    TspSim *sim = tsp_sim_new(&s->program, options, &err);
    bool fine = sim != NULL;
    while (fine && !tsp_sim_done(sim)) {
        oracle_learn(&s->track, sim);
        look_at_streams(s, sim);
        fine = tsp_sim_step(sim, &err);
    }
    if (fine) fine = read_outputs(sim, &s->program, s->golden, &err);
    if (!fine) say(what, "%s, %d lanes: %s", s->name, (int)s->tile, err.text);
    if (fine && tsp_sim_stats(sim).cycles != s->track.latency)
        fine = say(what, "%s, %d lanes: latency %" PRId64 ", by the oracle %" PRId64, s->name,
                   (int)s->tile, tsp_sim_stats(sim).cycles, s->track.latency);
    if (fine) look_at_rows(s, sim);
    tsp_sim_free(sim);
    return fine;
}

static inline void subject_close(Subject *s) {
    free(s->live);
    free(s->golden);
    tsp_program_free(&s->program);
}

/* A program, checked by the verifier, run once without flips. */
static inline bool subject_open(Subject *s, int32_t which, int32_t tile, char *what) {
    const TspSimOptions options = {.ifetch_modelled = true};
    const TspVerifyOptions check = {.ifetch_modelled = true};
    TspProof proof;
    TspError err;
    memset(s, 0, sizeof *s);
    s->name = fault_plans[which].name;
    s->tile = tile;
    if (!fault_program(which, tile, &s->program))
        return say(what, "%s, %d lanes: cannot be encoded", s->name, (int)tile);
    s->bytes = output_bytes(&s->program);
    s->golden = malloc(s->bytes + 1);
    s->live = malloc(LIVE_MAX * sizeof *s->live);
    if (!tsp_verify(&s->program, &check, &proof, &err))
        return say(what, "%s, %d lanes: %s", s->name, (int)tile, err.text);
    if (!s->golden || !s->live || !oracle_track(&s->track, &s->program))
        return say(what, "%s, %d lanes: beyond the oracle", s->name, (int)tile);
    return learn(s, &options, what);
}

/* ---- flips ---- */

static inline int32_t pick_bit(const Subject *s) {
    const int32_t data = 8 * s->tile, bit = random_below(data + TSP_ECC_CHECK_BITS);
    return bit < data ? bit : bit - data + TSP_ECC_DATA_BITS;
}

/* A word shortly before somebody takes it: on its way to an operand, or in a row to be read. */
static inline Live pick_use(const Subject *s) {
    const OracleTrack *track = &s->track;
    for (;;) {
        const OracleIssue *issue = &track->issues[random_below(track->count)];
        const TspInsnInfo *info = tsp_insn_info(issue->insn.op);
        const TspField *field = &info->fields[random_below(info->field_count)];
        const int32_t streams = tsp_field_streams(track->m, field, &issue->insn);
        const int32_t back = random_below(4);
        Live use = {issue->cycle - back, -1, -1, -1, -1};
        if (use.cycle < 0) continue;
        if (issue->insn.op == TSP_OP_READ || issue->insn.op == TSP_OP_READ_WRITE) {
            use.slice = issue->queue;
            use.row = issue->insn.addr;
            if (random_below(3) == 0) return use;
        } else if (streams > 0 && !tsp_field_drives(field, issue->insn.op)) {
            use.stream = tsp_field_get(&issue->insn, field) + random_below(streams);
            use.column = issue->column;
            use.column += TSP_STREAM_DIRECTION(use.stream) == TSP_EASTWARD ? -back : back;
            if (use.column >= 0 && use.column < tsp_columns(track->m)) return use;
        }
    }
}

/* Seldom anywhere, else where something is alive, and mostly where it is still of use. */
static inline TspFlip pick_flip(const Subject *s) {
    const TspMachine *m = s->track.m;
    const int32_t kind = random_below(10), latency = (int32_t)s->track.latency;
    Live live = {random_below(latency), -1, -1, -1, -1};
    if (kind == 0) {
        live.stream = TSP_STREAM(random_below(2), random_below((int32_t)m->streams));
        live.column = random_below(tsp_columns(m));
    } else if (kind < 3) {
        live = s->live[random_below(s->registers)];
    } else if (kind < 5) {
        live = s->live[s->registers + random_below(s->rows)];
        live.cycle += random_below(latency - (int32_t)live.cycle);
    } else {
        live = pick_use(s);
    }
    return (TspFlip){.cycle = live.cycle,
                     .slice = live.slice,
                     .row = live.row,
                     .stream = live.stream,
                     .column = live.column,
                     .superlane = random_below((int32_t)m->superlanes),
                     .bit = pick_bit(s)};
}

/* A second flip of the same word: in the same cycle; or later, where the word has gone meanwhile;
 * now and then anywhere in the superlane. Never the same bit. */
static inline void pick_second(const Subject *s, TspFlip flips[2]) {
    const int32_t kind = random_below(8), later = kind >= 5 ? random_below(6) : 0;
    TspFlip *second = &flips[1];
    *second = flips[0];
    if (kind == 7) {
        *second = pick_flip(s);
        second->superlane = flips[0].superlane;
    } else if (second->slice >= 0) {
        second->cycle += later;
    } else {
        bool east = TSP_STREAM_DIRECTION(second->stream) == TSP_EASTWARD;
        int32_t column = second->column + (east ? later : -later);
        if (column >= 0 && column < tsp_columns(s->track.m)) {
            second->cycle += later;
            second->column = column;
        }
    }
    do second->bit = pick_bit(s);
    while (second->bit == flips[0].bit);
    if (second->cycle < flips[0].cycle) {
        TspFlip kept = flips[0];
        flips[0] = *second;
        *second = kept;
    }
}

/* ---- a trial ---- */

/* Runs to the end and reads the outputs. */
static inline Outcome finish(const Subject *s, TspSim *sim, uint8_t *outputs) {
    Outcome o = {0};
    o.ran = tsp_sim_run(sim, &o.err);
    if (!o.ran) return o;
    o.cycles = tsp_sim_stats(sim).cycles;
    o.csr = tsp_sim_csr(sim);
    o.read = read_outputs(sim, &s->program, outputs, &o.host);
    o.golden = o.read && memcmp(outputs, s->golden, s->bytes) == 0;
    return o;
}

static inline Outcome run_flipped(const Subject *s, const TspFlip *flips, int32_t count,
                                  TspEngineKind engine, uint8_t *outputs) {
    const TspSimOptions options = {
        .engine = engine, .ifetch_modelled = true, .faults = {.flips = flips, .count = count}};
    Outcome o = {0};
    TspSim *sim = tsp_sim_new(&s->program, &options, &o.err);
    if (sim) o = finish(s, sim, outputs);
    tsp_sim_free(sim);
    return o;
}

static inline void describe(const TspMachine *m, const TspFlip *flip, char text[128]) {
    char name[32];
    if (flip->slice >= 0) {
        tsp_queue_name(m, flip->slice, name);
        snprintf(text, 128, "{cycle %" PRId64 ", %s row %d, superlane %d, bit %d}", flip->cycle,
                 name, (int)flip->row, (int)flip->superlane, (int)flip->bit);
    } else {
        snprintf(text, 128, "{cycle %" PRId64 ", s%d.%c column %d, superlane %d, bit %d}",
                 flip->cycle, (int)TSP_STREAM_NUMBER(flip->stream),
                 "ew"[TSP_STREAM_DIRECTION(flip->stream)], (int)flip -> column,
                 (int)flip -> superlane, (int)flip -> bit);
    }
}

/* Whether an outcome is what the oracle expects. */
static inline bool judge(const Expected *want, const Outcome *got, int64_t latency, char *what) {
    if (want->stops) {
        if (got->ran) return say(what, "ran on; stops in cycle %" PRId64, want->cycle);
        if (got->err.kind != TSP_ERR_FAULT || got->err.cycle != want->cycle ||
            got->err.queue != want->queue || got->err.index != want->index)
            return say(what,
                       "not a machine fault of cycle %" PRId64 ", queue %d, instruction %d: %s",
                       want->cycle, (int)want->queue, (int)want->index, got->err.text);
        return true;
    }
    if (!got->ran) return say(what, "stopped: %s", got->err.text);
    if (got->cycles != latency)
        return say(what, "latency %" PRId64 ", not %" PRId64, got->cycles, latency);
    if (got->csr.flipped != want->flipped || got->csr.corrected != want->corrected)
        return say(what, "%" PRId64 " flipped, %" PRId64 " corrected; not %" PRId64 ", %" PRId64,
                   got->csr.flipped, got->csr.corrected, want->flipped, want->corrected);
    if (want->host)
        return !got->read && got->host.kind == TSP_ERR_FAULT && got->host.index == -1
                   ? true
                   : say(what, "the host finds no fault: %s", got->read ? "" : got->host.text);
    if (!got->read) return say(what, "the host cannot read: %s", got->host.text);
    return got->golden || say(what, "outputs differ and nobody said so");
}

static inline bool same_place(const TspError *a, const TspError *b) {
    return a->kind == b->kind && a->rule == b->rule && a->cycle == b->cycle &&
           a->queue == b->queue && a->index == b->index && strcmp(a->text, b->text) == 0;
}

/* Engines against each other: also the words of errors, the host's too. */
static inline bool same_outcome(const Outcome *a, const Outcome *b) {
    if (a->ran != b->ran || a->read != b->read) return false;
    if (!a->ran) return same_place(&a->err, &b->err);
    return a->csr.flipped == b->csr.flipped && a->csr.corrected == b->csr.corrected &&
           a->csr.powered == b->csr.powered && a->cycles == b->cycles && a->golden == b->golden &&
           (a->read || same_place(&a->host, &b->host));
}

static inline void tally(Totals *t, const Expected *want, const Outcome *got) {
    const bool used = want->stops || want->corrected > 0;
    t->trials++;
    t->flipped += want->flipped;
    t->consumed += used;
    t->corrected += got->ran ? got->csr.corrected : 0;
    t->detected += !got->ran;
    t->detected_by_host += got->ran && !got->read;
    t->corrected_by_host += got->golden && want->host_corrects;
    t->harmless += got->golden && !used && !want->host_corrects;
    t->silent += got->ran && got->read && !got->golden;
}

/* Plants one or two flips; on `engines` engines. */
static inline bool trial(const Subject *s, int32_t count, int32_t engines, uint8_t *outputs,
                         Totals *totals, char *what) {
    TspFlip flips[2] = {pick_flip(s)};
    Outcome got[ENGINES] = {0};
    Expected want;
    char text[2][128] = {"", ""}, why[WHAT_SIZE];
    bool fine = true;
    if (count == 2) pick_second(s, flips);
    want = oracle_run(&s->track, flips, count);
    for (int32_t i = 0; i < count; i++) describe(s->track.m, &flips[i], text[i]);
    for (int32_t e = 0; e < engines; e++) {
        got[e] = run_flipped(s, flips, count, (TspEngineKind)e, outputs);
        if (fine && !judge(&want, &got[e], s->track.latency, why))
            fine = say(what, "%s, %d lanes, %s %s, %s engine: %.600s", s->name, (int)s->tile,
                       text[0], text[1], e ? "reference" : "fast", why);
    }
    tally(totals, &want, &got[0]);
    if (engines == 2 && !same_outcome(&got[0], &got[1])) {
        totals->disagreements++;
        if (fine)
            fine = say(what, "%s, %d lanes, %s %s: the engines differ: %.300s%.300s | %.300s%.300s",
                       s->name, (int)s->tile, text[0], text[1], got[0].err.text, got[0].host.text,
                       got[1].err.text, got[1].host.text);
    }
    return fine;
}

/* Flips at random all along, on both engines, there and back again. */
static inline bool rate_run(const Subject *s, double rate, uint64_t seed, uint8_t *outputs,
                            Totals *totals, char *what) {
    const char *const names[ENGINES] = {"fast", "reference"};
    Outcome got[ENGINES];
    uint64_t digest[ENGINES] = {0};
    bool fine = true;
    for (int32_t e = 0; e < ENGINES; e++) {
        const TspSimOptions options = {.engine = (TspEngineKind)e,
                                       .ifetch_modelled = true,
                                       .faults = {.rate = rate, .seed = seed}};
        TspError err;
        TspSim *sim = tsp_sim_new(&s->program, &options, &err);
        if (!sim) return say(what, "%s: %s", s->name, err.text);
        got[e] = finish(s, sim, outputs);
        if (got[e].ran) {
            digest[e] = tsp_sim_digest(sim);
            if (!tsp_sim_seek(sim, s->track.latency / 3, &err) || !tsp_sim_run(sim, &err) ||
                tsp_sim_digest(sim) != digest[e])
                fine = say(what, "%s, rate %g, seed %" PRIu64 ": %s engine differs after a seek",
                           s->name, rate, seed, names[e]);
        } else if (got[e].err.kind != TSP_ERR_FAULT) {
            fine = say(what, "%s, rate %g, seed %" PRIu64 ": %s engine: %s", s->name, rate, seed,
                       names[e], got[e].err.text);
        }
        tsp_sim_free(sim);
    }
    tally(totals, &(Expected){.corrected = got[0].csr.corrected, .flipped = got[0].csr.flipped},
          &got[0]);
    if (same_outcome(&got[0], &got[1]) && digest[0] == digest[1]) return fine;
    totals->disagreements++;
    return say(what, "%s, rate %g, seed %" PRIu64 ": the engines differ: %.300s | %.300s", s->name,
               rate, seed, got[0].err.text, got[1].err.text);
}

/* `runs` with flips at random instead of planted ones, on both engines, over all subjects. */
static inline bool rate_campaign(double rate, int32_t runs, Totals *totals, char *what) {
    static Subject s;
    char why[WHAT_SIZE];
    bool fine = true;
    *totals = (Totals){0};
    for (int32_t i = 0; i < FAULT_PLANS * TILES; i++) {
        uint8_t *outputs = NULL;
        bool good = subject_open(&s, i % FAULT_PLANS, fault_tiles[i / FAULT_PLANS], why);
        if (good) outputs = malloc(s.bytes + 1);
        if (!good && fine) fine = say(what, "%s", why);
        for (int32_t k = i; good && k < runs; k += FAULT_PLANS * TILES)
            if (!rate_run(&s, rate, (uint64_t)k, outputs, totals, why) && fine)
                fine = say(what, "%s", why);
        free(outputs);
        subject_close(&s);
    }
    return fine;
}

/* `trials` of so many flips (1 or 2), spread over all subjects. False: `what` says the first thing
 * that was not as it must be; the rest is tried all the same. */
static inline bool fault_campaign(int32_t flips, int32_t trials, int32_t engines, Totals *totals,
                                  char *what) {
    static Subject s;
    char why[WHAT_SIZE];
    bool fine = true;
    *totals = (Totals){0};
    for (int32_t i = 0; i < FAULT_PLANS * TILES; i++) {
        const int32_t subjects = FAULT_PLANS * TILES;
        const int32_t share = trials * (i + 1) / subjects - trials * i / subjects;
        uint8_t *outputs = NULL;
        bool good = subject_open(&s, i % FAULT_PLANS, fault_tiles[i / FAULT_PLANS], why);
        if (good) outputs = malloc(s.bytes + 1);
        if (!good && fine) fine = say(what, "%s", why);
        for (int32_t k = 0; good && k < share; k++)
            if (!trial(&s, flips, engines, outputs, totals, why) && fine)
                fine = say(what, "%s", why);
        free(outputs);
        subject_close(&s);
    }
    return fine;
}

static inline void print_totals(const char *name, const Totals *t) {
    printf("%-7s %6" PRId64 " trials, %6" PRId64 " bits flipped: %" PRId64
           " consumed by units, %" PRId64 " words corrected, %" PRId64
           " detected by units, %" PRId64 " detected by the host, %" PRId64
           " corrected by the host, %" PRId64 " harmless, %" PRId64 " silently wrong, %" PRId64
           " disagreements of the engines\n",
           name, t->trials, t->flipped, t->consumed, t->corrected, t->detected, t->detected_by_host,
           t->corrected_by_host, t->harmless, t->silent, t->disagreements);
}

#endif
