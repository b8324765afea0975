/* figures_measure.h - how tests/figures.c measures: runs a program of programs/figures and looks.
 *
 * Times are taken between ops, which the programs mark. A time in which a value, a product or a
 * unit has to be ready is held to be the least one only if the consumer, moved one cycle earlier,
 * is refused by the expected rule. Rates are what is sustained: the greatest amount that every
 * single cycle of a window of cycles reached.
 */
#ifndef TSP_TESTS_FIGURES_MEASURE_H
#define TSP_TESTS_FIGURES_MEASURE_H
#include "compiler/verify.h"
#include "isa/asm.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *path;
    TspEngineKind engine;
    bool ifetch_modelled;
    TspProgram program;
    TspSim *sim;
    TspError err; /* the reason when something here returned -1 or false */
} Lab;

static bool lab_fail(Lab *lab, const char *what, const char *which) {
    return tsp_fail(&lab->err, TSP_ERR_BUG, "%s: %s %s", lab->path, what, which);
}

static bool lab_assemble(Lab *lab) {
    static char text[1 << 16];
    FILE *file = fopen(lab->path, "rb");
    size_t length = 0;
    TspMachine m;
    if (file) length = fread(text, 1, sizeof text, file);
    if (file) fclose(file);
    if (!length || length == sizeof text || !tsp_machine_builtin(&m, "tsp1"))
        return lab_fail(lab, "cannot be read", "");
    return tsp_assemble(&lab->program, &m, text, length, lab->path, &lab->err);
}

/* Bytes from a generator with a fixed seed; halfs stay small and finite. */
static void lab_random(const TspTensor *t, uint8_t *data) {
    uint32_t seed = 1;
    for (int64_t i = 0; i < tsp_tensor_bytes(t); i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
        if (t->dtype == TSP_F16 && i % 2) data[i] &= 0xbb;
    }
}

static bool lab_inputs(Lab *lab) {
    for (int32_t i = 0; i < lab->program.tensor_count; i++) {
        const TspTensor *t = &lab->program.tensors[i];
        uint8_t *data;
        bool placed;
        if (t->role != TSP_ROLE_INPUT) continue;
        data = malloc((size_t)tsp_tensor_bytes(t) + 1);
        if (!data) return lab_fail(lab, "out of memory", "");
        lab_random(t, data);
        placed = tsp_sim_write_tensor(lab->sim, i, data, &lab->err);
        free(data);
        if (!placed) return false;
    }
    return true;
}

static bool lab_load(Lab *lab) {
    const TspSimOptions options = {.engine = lab->engine, .ifetch_modelled = lab->ifetch_modelled};
    lab->sim = tsp_sim_new(&lab->program, &options, &lab->err);
    return lab->sim && lab_inputs(lab);
}

static void lab_close(Lab *lab) {
    tsp_sim_free(lab->sim);
    lab->sim = NULL;
    tsp_program_free(&lab->program);
}

/* ---- times ---- */

static int32_t lab_op(Lab *lab, const char *name) {
    for (int32_t i = 0; i < lab->program.op_count; i++)
        if (!strcmp(lab->program.ops[i].name, name)) return i;
    lab_fail(lab, "there is no op", name);
    return -1;
}

/* Queue and index of the only instruction of an op; -1 if it has none. */
static int32_t lab_find(const TspProgram *p, int32_t op, int32_t *queue) {
    for (*queue = 0; *queue < tsp_queue_count(&p->machine); ++*queue)
        for (int32_t i = 0; i < p->queues[*queue].count; i++) {
            int32_t run = p->queues[*queue].debug[i].run[0];
            if (run >= 0 && p->runs[run].op == op) return i;
        }
    return -1;
}

/* Makes everything of a queue from word `index` on a cycle earlier: by the NOP before it. Returns
 * where the word then stands, -1 if there is no NOP. */
static int32_t lab_advance(TspQueue *q, int32_t index) {
    TspInsn nop;
    TspError err;
    if (index < 1 || !tsp_decode(q->words[index - 1], &nop, &err) || nop.op != TSP_OP_NOP)
        return -1;
    if (--nop.n > 0) return tsp_encode(&nop, &q->words[index - 1], &err) ? index : -1;
    memmove(&q->words[index - 1], &q->words[index], (size_t)(q->count - index) * sizeof *q->words);
    memmove(&q->debug[index - 1], &q->debug[index], (size_t)(q->count - index) * sizeof *q->debug);
    q->count--;
    return index - 1;
}

/* Whether the op, which begins in `cycle`, is refused by `rule` if it begins one cycle earlier. */
static bool lab_refuses_earlier(Lab *lab, const char *name, int64_t cycle, TspRule rule) {
    int32_t queue = 0, index = -1, op;
    bool refused = false;
    TspError err = {0};
    if (!lab_assemble(lab)) return false;
    op = lab_op(lab, name);
    if (op >= 0) index = lab_find(&lab->program, op, &queue);
    if (index >= 0) index = lab_advance(&lab->program.queues[queue], index);
    if (index < 0) {
        lab_fail(lab, "cannot be begun a cycle earlier: op", name);
    } else if (lab_load(lab)) {
        refused = !tsp_sim_run(lab->sim, &err) && err.rule == rule && err.cycle == cycle - 1 &&
                  err.queue == queue && err.index == index;
        if (!refused) lab_fail(lab, "a cycle earlier the rule expected is not broken by", name);
    }
    lab_close(lab);
    return refused;
}

/* Runs the program; the interval of `from`, and the cycle in which `to` begins. */
static bool lab_intervals(Lab *lab, const char *from, const char *to, TspInterval *first,
                          TspInterval *second) {
    bool ran = false;
    if (!lab_assemble(lab)) return false;
    int32_t a = lab_op(lab, from), b = lab_op(lab, to);
    if (a >= 0 && b >= 0 && lab_load(lab) && tsp_sim_run(lab->sim, &lab->err)) {
        *first = tsp_sim_op_interval(lab->sim, a);
        *second = tsp_sim_op_interval(lab->sim, b);
        ran = true;
    }
    lab_close(lab);
    return ran;
}

/* Cycles from the first issue of an op to its last effect; -1 on failure. */
static int64_t lab_span(Lab *lab, const char *name) {
    TspInterval op;
    return lab_intervals(lab, name, name, &op, &op) ? op.end - op.start : -1;
}

/* Cycles from the first issue of an op to that of another; with a rule, the least legal ones. */
static int64_t lab_apart(Lab *lab, const char *from, const char *to, TspRule rule) {
    TspInterval a, b;
    if (!lab_intervals(lab, from, to, &a, &b)) return -1;
    if (rule != TSP_RULE_NONE && !lab_refuses_earlier(lab, to, b.start, rule)) return -1;
    return b.start - a.start;
}

/* ---- rates: how much there was in the cycle that has just been executed ---- */

enum { LAB_CYCLES = 1024 };

typedef struct {
    const char *queue; /* words: of this queue; NULL: of all */
    TspSimStats stats; /* before the cycle */
    int32_t next[TSP_MAX_QUEUES];
    bool held[TSP_MAX_STREAMS][2]; /* at the VXM and one column up */
    uint8_t value[TSP_MAX_STREAMS][2][TSP_MAX_LANES];
} LabBefore;

typedef int64_t LabCount(Lab *lab, const LabBefore *before);

static int64_t lab_macs(Lab *lab, const LabBefore *before) {
    return tsp_sim_stats(lab->sim).macs - before->stats.macs;
}

static int64_t lab_sram_bytes(Lab *lab, const LabBefore *before) {
    TspSimStats now = tsp_sim_stats(lab->sim);
    int64_t vectors =
        now.mem_reads - before->stats.mem_reads + now.mem_writes - before->stats.mem_writes;
    return vectors * tsp_lanes(&lab->program.machine);
}

/* Column that feeds a stream of the VXM's column. */
static int32_t lab_up(const TspMachine *m, int32_t stream) {
    return tsp_vxm_column(m) + (TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? -1 : 1);
}

/* Streams of the VXM's column that hold what stood one column up, and another value than before. */
static int64_t lab_stream_bytes(Lab *lab, const LabBefore *before) {
    const TspMachine *m = &lab->program.machine;
    size_t lanes = (size_t)tsp_lanes(m);
    int64_t fresh = 0;
    for (int32_t s = 0; s < TSP_MAX_STREAMS; s++) {
        const uint8_t *value = tsp_sim_stream(lab->sim, s, tsp_vxm_column(m));
        if (!value || !before->held[s][1] || memcmp(value, before->value[s][1], lanes)) continue;
        fresh += !before->held[s][0] || memcmp(value, before->value[s][0], lanes) != 0;
    }
    return fresh * (int64_t)lanes;
}

/* Words that were issued as instructions of a unit or Ifetches, each another than that before. */
static int64_t lab_word_bytes(Lab *lab, const LabBefore *before) {
    const TspProgram *p = &lab->program;
    int64_t words = 0;
    for (int32_t q = 0; q < tsp_queue_count(&p->machine); q++) {
        int32_t i = before->next[q];
        const TspWord *w = &p->queues[q].words[i];
        TspInsn insn;
        TspError err;
        if (before->queue && q != tsp_queue_find(&p->machine, before->queue)) continue;
        if (tsp_sim_queue_word(lab->sim, q) != i + 1 || !tsp_decode(*w, &insn, &err)) continue;
        if (insn.op == TSP_OP_NOP || insn.op == TSP_OP_REPEAT || insn.op == TSP_OP_SYNC) continue;
        words += i == 0 || w->lo != w[-1].lo || w->hi != w[-1].hi;
    }
    return words * (int64_t)sizeof(TspWord);
}

static void lab_note(Lab *lab, LabBefore *before) {
    const TspMachine *m = &lab->program.machine;
    before->stats = tsp_sim_stats(lab->sim);
    for (int32_t q = 0; q < tsp_queue_count(m); q++)
        before->next[q] = tsp_sim_queue_word(lab->sim, q);
    for (int32_t s = 0; s < TSP_MAX_STREAMS; s++)
        for (int32_t up = 0; up < 2; up++) {
            int32_t column = up ? lab_up(m, s) : tsp_vxm_column(m);
            const uint8_t *value = tsp_sim_stream(lab->sim, s, column);
            before->held[s][up] = value != NULL;
            if (value) memcpy(before->value[s][up], value, (size_t)tsp_lanes(m));
        }
}

/* The greatest amount that all of `window` consecutive cycles reached. */
static int64_t lab_sustained(const int64_t *amount, int64_t cycles, int64_t window) {
    int64_t best = 0;
    for (int64_t t = 0; t + window <= cycles; t++) {
        int64_t least = INT64_MAX;
        for (int64_t i = t; i < t + window; i++)
            if (amount[i] < least) least = amount[i];
        if (least > best) best = least;
    }
    return best;
}

/* Runs the program a cycle at a time; what is sustained over `window` cycles, -1 on failure. */
static int64_t lab_rate(Lab *lab, LabCount *count, const char *queue, int64_t window) {
    static LabBefore before;
    int64_t amount[LAB_CYCLES], cycles = 0, rate = -1;
    if (!lab_assemble(lab)) return -1;
    before.queue = queue;
    if (lab_load(lab)) {
        bool good = true;
        while (good && !tsp_sim_done(lab->sim) && cycles < LAB_CYCLES) {
            lab_note(lab, &before);
            good = tsp_sim_step(lab->sim, &lab->err);
            if (good) amount[cycles++] = count(lab, &before);
        }
        if (good) rate = lab_sustained(amount, cycles, window);
    }
    lab_close(lab);
    return rate;
}

/* ---- text ---- */

/* Bytes that one Ifetch brought: with the op `second` taken out, the queue starves behind them. */
static int64_t lab_fetched(Lab *lab, const char *second) {
    int64_t bytes = -1;
    int32_t op, queue, index;
    const TspInsn nop = {.op = TSP_OP_NOP, .n = 1};
    TspError err = {0};
    if (!lab_assemble(lab)) return -1;
    op = lab_op(lab, second);
    index = op < 0 ? -1 : lab_find(&lab->program, op, &queue);
    if (index >= 0 && tsp_encode(&nop, &lab->program.queues[queue].words[index], &lab->err) &&
        lab_load(lab)) {
        if (!tsp_sim_run(lab->sim, &err) && err.rule == TSP_RULE_FETCH_STARVED &&
            err.queue == queue)
            bytes = err.index * (int64_t)sizeof(TspWord) - lab->program.machine.ifetch_queue_bytes;
        else
            lab_fail(lab, "does not starve without", second);
    }
    lab_close(lab);
    return bytes;
}

#endif
