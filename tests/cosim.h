/* cosim.h - both engines side by side on one program: the first divergence by cycle, unit, stream.
 */
#ifndef TSP_TESTS_COSIM_H
#define TSP_TESTS_COSIM_H
#include "sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How a run ended. */
typedef struct {
    bool ran;
    int64_t cycles;
    TspError err;
} CosimVerdict;

typedef struct {
    CosimVerdict fast, reference;
    bool agree;
    char what[512]; /* the first divergence */
} Cosim;

static inline bool cosim_differ(Cosim *c, int64_t cycle, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline bool cosim_differ(Cosim *c, int64_t cycle, const char *format, ...) {
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(c->what, sizeof c->what, "cycle %lld: %s", (long long)cycle, what);
    c->agree = false;
    return false;
}

/* Compares two vectors that may be missing; names the first lane that differs. */
static inline bool cosim_bytes(Cosim *c, int64_t cycle, const char *where, const void *fast,
                               const void *reference, int32_t bytes) {
    const uint8_t *a = fast, *b = reference;
    if (!a || !b)
        return a == b || cosim_differ(c, cycle, "%s: %s in the fast engine only", where,
                                      a ? "a value" : "nothing");
    for (int32_t i = 0; i < bytes; i++)
        if (a[i] != b[i])
            return cosim_differ(c, cycle,
                                "%s: byte %d is %02x in the fast engine, %02x in the "
                                "reference",
                                where, (int)i, a[i], b[i]);
    return true;
}

static inline bool cosim_streams(Cosim *c, const TspMachine *m, const TspSim *fast,
                                 const TspSim *reference) {
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t column = 0; column < tsp_columns(m); column++) {
            const uint8_t *a = tsp_sim_stream(fast, stream, column);
            const uint8_t *b = tsp_sim_stream(reference, stream, column);
            char where[64];
            if (!a && !b) continue;
            snprintf(where, sizeof where, "stream s%d.%c at column %d", TSP_STREAM_NUMBER(stream),
                     "ew"[TSP_STREAM_DIRECTION(stream)], (int)column);
            if (!cosim_bytes(c, tsp_sim_now(fast), where, a, b, tsp_lanes(m))) return false;
        }
    return true;
}

static inline bool cosim_memory(Cosim *c, const TspMachine *m, const TspSim *fast,
                                const TspSim *reference) {
    for (int32_t slice = 0; slice < 2 * m->mem_slices; slice++)
        for (int32_t addr = 0; addr < tsp_mem_slice_rows(m); addr++) {
            uint32_t written[2];
            const uint8_t *a = tsp_sim_row(fast, slice, addr, &written[0]);
            const uint8_t *b = tsp_sim_row(reference, slice, addr, &written[1]);
            char name[32], where[64];
            if (!a && !b) continue;
            tsp_queue_name(m, slice, name);
            snprintf(where, sizeof where, "%s, row 0x%04x", name, (unsigned)addr);
            if (written[0] != written[1])
                return cosim_differ(c, tsp_sim_now(fast),
                                    "%s: superlanes 0x%x written in the fast "
                                    "engine, 0x%x in the reference",
                                    where, written[0], written[1]);
            if (!cosim_bytes(c, tsp_sim_now(fast), where, a, b, tsp_lanes(m))) return false;
        }
    return true;
}

static inline bool cosim_units(Cosim *c, const TspMachine *m, const TspSim *fast,
                               const TspSim *reference) {
    const int64_t now = tsp_sim_now(fast);
    char name[32], where[64];
    for (int32_t queue = 0; queue < tsp_queue_count(m); queue++)
        if (tsp_sim_queue_word(fast, queue) != tsp_sim_queue_word(reference, queue)) {
            tsp_queue_name(m, queue, name);
            return cosim_differ(c, now,
                                "%s: next is instruction %d in the fast engine, %d in the "
                                "reference",
                                name, (int)tsp_sim_queue_word(fast, queue),
                                (int)tsp_sim_queue_word(reference, queue));
        }
    for (int32_t alu = 0; alu < m->vxm_alus; alu++) {
        snprintf(where, sizeof where, "result of vxm.%d", (int)alu);
        if (!cosim_bytes(c, now, where, tsp_sim_latch(fast, alu), tsp_sim_latch(reference, alu),
                         4 * tsp_lanes(m)))
            return false;
    }
    for (int32_t plane = 0; plane < 2 * m->mxm_planes; plane++)
        for (int32_t row = 0; row < m->mxm_accumulator_rows; row++) {
            TspDtype type[2] = {0};
            const uint32_t *a = tsp_sim_accumulator(fast, plane, row, &type[0]);
            const uint32_t *b = tsp_sim_accumulator(reference, plane, row, &type[1]);
            if (!a && !b) continue;
            snprintf(where, sizeof where, "mxm plane %d, accumulator row %d", (int)plane, (int)row);
            if (!cosim_bytes(c, now, where, a, b, 4 * tsp_lanes(m))) return false;
            if (type[0] != type[1]) return cosim_differ(c, now, "%s: types differ", where);
        }
    return true;
}

static inline bool cosim_counts(Cosim *c, const TspSim *fast, const TspSim *reference) {
    const TspSimStats a = tsp_sim_stats(fast), b = tsp_sim_stats(reference);
    const TspCsr x = tsp_sim_csr(fast), y = tsp_sim_csr(reference);
    const struct {
        const char *name;
        int64_t fast, reference;
    } counts[] = {{"now", tsp_sim_now(fast), tsp_sim_now(reference)},
                  {"done", tsp_sim_done(fast), tsp_sim_done(reference)},
                  {"cycles", a.cycles, b.cycles},
                  {"instructions", a.instructions, b.instructions},
                  {"mxm_busy", a.mxm_busy, b.mxm_busy},
                  {"macs", a.macs, b.macs},
                  {"vxm_issues", a.vxm_issues, b.vxm_issues},
                  {"sxm_issues", a.sxm_issues, b.sxm_issues},
                  {"mem_reads", a.mem_reads, b.mem_reads},
                  {"mem_writes", a.mem_writes, b.mem_writes},
                  {"stream_hops", a.stream_hops, b.stream_hops},
                  {"CSR powered", x.powered, y.powered},
                  {"CSR corrected", x.corrected, y.corrected},
                  {"CSR flipped", x.flipped, y.flipped}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i].fast != counts[i].reference)
            return cosim_differ(c, tsp_sim_now(fast),
                                "%s: %lld in the fast engine, %lld in the "
                                "reference",
                                counts[i].name, (long long)counts[i].fast,
                                (long long)counts[i].reference);
    return true;
}

/* Every word of every queue started in the same cycle, or not yet. */
static inline bool cosim_starts(Cosim *c, const TspProgram *p, const TspSim *fast,
                                const TspSim *reference) {
    for (int32_t queue = 0; queue < tsp_queue_count(&p->machine); queue++)
        for (int32_t word = 0; word < p->queues[queue].count; word++) {
            int64_t a = tsp_sim_word_start(fast, queue, word);
            int64_t b = tsp_sim_word_start(reference, queue, word);
            char name[32];
            if (a == b) continue;
            tsp_queue_name(&p->machine, queue, name);
            return cosim_differ(c, tsp_sim_now(fast),
                                "%s, instruction %d: started in %lld in the fast engine, in %lld "
                                "in the reference",
                                name, (int)word, (long long)a, (long long)b);
        }
    return true;
}

/* Everything that can be seen. */
static inline bool cosim_compare(Cosim *c, const TspProgram *p, const TspSim *fast,
                                 const TspSim *reference, bool memory) {
    const TspMachine *m = &p->machine;
    return cosim_counts(c, fast, reference) && cosim_starts(c, p, fast, reference) &&
           cosim_streams(c, m, fast, reference) && cosim_units(c, m, fast, reference) &&
           (!memory || cosim_memory(c, m, fast, reference));
}

static inline bool cosim_same_error(const TspError *a, const TspError *b) {
    return a->kind == b->kind && a->rule == b->rule && a->cycle == b->cycle &&
           a->queue == b->queue && a->index == b->index;
}

/* Runs a program on both engines: compared after every cycle, or only at the end. */
static inline Cosim cosim_run(const TspProgram *p, const TspSimOptions *options, bool every_cycle) {
    Cosim c = {.agree = true};
    TspSimOptions with[2] = {*options, *options};
    TspSim *fast, *reference;
    with[0].engine = TSP_ENGINE_FAST;
    with[1].engine = TSP_ENGINE_REFERENCE;
    fast = tsp_sim_new(p, &with[0], &c.fast.err);
    reference = tsp_sim_new(p, &with[1], &c.reference.err);
    if (!fast || !reference) {
        if ((fast || reference) || !cosim_same_error(&c.fast.err, &c.reference.err))
            cosim_differ(&c, -1, "not loaded by both: %s | %s", fast ? "fine" : c.fast.err.text,
                         reference ? "fine" : c.reference.err.text);
    } else {
        c.fast.ran = c.reference.ran = true;
        do {
            int64_t next = every_cycle ? tsp_sim_now(fast) + 1 : INT64_MAX;
            c.fast.ran = tsp_sim_run_until(fast, next, &c.fast.err);
            c.reference.ran = tsp_sim_run_until(reference, next, &c.reference.err);
            if (!c.fast.ran || !c.reference.ran) {
                if (c.fast.ran != c.reference.ran ||
                    !cosim_same_error(&c.fast.err, &c.reference.err))
                    cosim_differ(&c, tsp_sim_now(fast), "the fast engine says %s; the reference %s",
                                 c.fast.ran ? "fine" : c.fast.err.text,
                                 c.reference.ran ? "fine" : c.reference.err.text);
                break;
            }
            /* Memory is large: seen as a whole now and then, and at the end. */
            if (!cosim_compare(&c, p, fast, reference,
                               tsp_sim_done(fast) || tsp_sim_now(fast) % 64 == 0))
                break;
        } while (!tsp_sim_done(fast));
        c.fast.cycles = tsp_sim_stats(fast).cycles;
        c.reference.cycles = tsp_sim_stats(reference).cycles;
    }
    tsp_sim_free(fast);
    tsp_sim_free(reference);
    return c;
}

#endif
