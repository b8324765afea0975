/* reference.c - the reference engine: its life, and the wave of superlanes that moves time. */
#include "reference.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Later than any cycle, and safe to add to. */
#define FAR_CYCLE (INT64_MAX / 4)

void *ref_zeros(Reference *r, size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) r->broken = true;
    return memory;
}

/* ---- offences ---- */

static bool before(const RefKey *a, const RefKey *b) {
    if (a->cycle != b->cycle) return a->cycle < b->cycle;
    if (a->phase != b->phase) return a->phase < b->phase;
    if (a->queue != b->queue) return a->queue < b->queue;
    if (a->order != b->order) return a->order < b->order;
    for (int32_t i = 0; i < 3; i++)
        if (a->rank[i] != b->rank[i]) return a->rank[i] < b->rank[i];
    return false;
}

void ref_offend(Reference *r, RefKey key, TspErrorKind kind, TspRule rule, int32_t queue,
                int32_t index, const char *format, ...) {
    va_list args;
    if (r->first.found && !before(&key, &r->first.key)) return;
    r->first = (RefOffence){true, key, kind, rule, queue, index, ""};
    va_start(args, format);
    vsnprintf(r->first.detail, sizeof r->first.detail, format, args);
    va_end(args);
}

static bool report(const Reference *r, TspError *err) {
    const RefOffence *o = &r->first;
    if (o->kind == TSP_ERR_NOT_MODELLED)
        return engine_not_modelled(r->p, err, o->key.cycle, o->queue, o->index);
    if (o->kind == TSP_ERR_FAULT)
        return engine_double_bit(r->p, err, o->key.cycle, o->queue, o->index, o->detail);
    return engine_offence(r->p, err, o->rule, o->key.cycle, o->queue, o->index, "%s", o->detail);
}

/* ---- time ---- */

bool ref_over(const Reference *r, int64_t t) {
    if (r->first.found || t < r->latency) return false;
    for (int32_t queue = 0; queue < r->queue_count; queue++)
        if (r->queues[queue].parked < 0 &&
            !ref_queue_ended(&r->queues[queue], &r->p->queues[queue]))
            return false;
    return true;
}

/* One cycle of an outside observer: superlane k is k cycles behind superlane 0. Executes the
 * superlanes' own cycles from `start` to below `stop`; returns `stop`, which may come nearer. The
 * farthest superlane goes first: what it samples in this cycle reaches superlane 0 in this cycle.
 */
static int64_t wave(Reference *r, int64_t observer, int64_t start, int64_t stop) {
    for (int32_t k = r->superlanes - 1; k >= 0; k--) {
        int64_t t = observer - k;
        if (t < start || t >= stop) continue;
        if (k == 0 && ref_over(r, t)) return t;
        ref_tile(r, k, t);
        if (r->first.found && r->first.key.cycle < stop) stop = r->first.key.cycle + 1;
    }
    return stop;
}

/* All queues are parked or at their end and nothing is under way: the earliest Sync waits in vain.
 */
static bool deadlock(const Reference *r, TspError *err) {
    int32_t earliest = -1;
    for (int32_t queue = 0; queue < r->queue_count; queue++)
        if (r->queues[queue].parked >= 0 &&
            (earliest < 0 || r->queues[queue].parked < r->queues[earliest].parked))
            earliest = queue;
    if (earliest < 0) return true;
    return engine_offence(r->p, err, TSP_RULE_BARRIER_DEADLOCK, r->queues[earliest].parked,
                          earliest, r->queues[earliest].next, "no queue is left to notify it");
}

static bool advance(void *e, int64_t limit, TspError *err) {
    Reference *r = e;
    int64_t start = r->now, stop = limit < FAR_CYCLE ? limit : FAR_CYCLE, ahead = r->superlanes - 1;
    if (stop < start) stop = start;
    for (int64_t observer = start; observer < stop + ahead && !r->broken; observer++) {
        stop = wave(r, observer, start, stop);
        ref_retire(r, observer - ahead < stop ? observer - ahead + 1 : stop);
    }
    if (r->broken) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory; use a smaller machine");
    r->now = stop;
    if (r->first.found && r->first.key.cycle < stop) return report(r, err);
    if (!ref_over(r, r->now)) return true;
    if (!r->closed) ref_last_landing(r, r->now);
    r->closed = true;
    return r->first.found ? report(r, err) : deadlock(r, err);
}

/* ---- life ---- */

static void drop_all(Reference *r) {
    for (int32_t queue = 0; r->queues && queue < r->queue_count; queue++) {
        for (int32_t i = 0; i < r->queues[queue].count; i++)
            ref_forget(r->queues[queue].under_way[i]);
        r->queues[queue].count = 0;
    }
}

static void destroy(void *e) {
    Reference *r = e;
    drop_all(r);
    for (int32_t queue = 0; r->queues && queue < r->queue_count; queue++) {
        free(r->queues[queue].started);
        free(r->queues[queue].ready);
        free(r->queues[queue].under_way);
    }
    for (int32_t i = 0; r->planes && i < r->plane_count; i++) {
        RefPlane *plane = &r->planes[i];
        ref_weights_leave(plane->use);
        ref_weights_leave(plane->next);
        free(plane->buffer);
        free(plane->loaded);
        free(plane->group);
        free(plane->sums);
        free(plane->kept);
    }
    void *const owned[] = {r->queues,     r->streams,        r->driven,       r->powered,
                           r->flip_next,  r->memory,         r->defined,      r->latch,
                           r->latched,    r->planes,         r->memory_check, r->ops,
                           r->view_bytes, r->view_registers, r->view_check};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
    free(r);
}

/* Superlanes mix only where the last of them has sampled when the first needs it. */
static bool in_time(const Reference *r, const TspInsn *insn, const char **field) {
    const TspMachine *m = r->m;
    int64_t ahead = m->superlanes - 1;
    switch (insn->op) {
    case TSP_OP_ABC:
        *field = "mxm_product_cycles";
        return tsp_insn_func(m, insn) >= ahead;
    case TSP_OP_PERMUTE:
        *field = "sxm_permute_op_cycles";
        return tsp_insn_func(m, insn) >= ahead;
    case TSP_OP_SHIFT:
        *field = "sxm_shift_cross_cycles";
        if (!insn->cross) return true;
        if ((insn->n + m->lanes_per_superlane - 1) / m->lanes_per_superlane < ahead)
            ahead = (insn->n + m->lanes_per_superlane - 1) / m->lanes_per_superlane;
        return tsp_insn_func(m, insn) >= ahead;
    case TSP_OP_IFETCH:
        *field = "ifetch_cycles";
        return !r->fetching || m->ifetch_cycles >= ahead;
    default:
        return true;
    }
}

static bool check_machine(const Reference *r, TspError *err) {
    for (int32_t queue = 0; queue < r->queue_count; queue++)
        for (int32_t i = 0; i < r->p->queues[queue].count; i++) {
            const char *field = "";
            TspInsn insn;
            TspError ignored;
            if (tsp_decode(r->p->queues[queue].words[i], &insn, &ignored) &&
                !in_time(r, &insn, &field))
                return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                                "%s takes fewer cycles than its operands need to climb the "
                                "superlanes; raise %s of machine %s",
                                tsp_insn_info(insn.op)->mnemonic, field, r->m->name);
        }
    return true;
}

static bool make_planes(Reference *r) {
    size_t lanes = (size_t)r->lanes, rows = (size_t)r->m->mxm_accumulator_rows;
    r->planes = ref_zeros(r, (size_t)r->plane_count, sizeof *r->planes);
    for (int32_t i = 0; r->planes && i < r->plane_count; i++) {
        RefPlane *plane = &r->planes[i];
        plane->buffer = ref_zeros(r, lanes, lanes);
        plane->loaded = ref_zeros(r, lanes, 1);
        plane->group = ref_zeros(r, lanes, 1);
        plane->sums = ref_zeros(r, rows * lanes, sizeof *plane->sums);
        plane->kept = ref_zeros(r, rows, 1);
    }
    return !r->broken;
}

static bool make_arrays(Reference *r) {
    size_t superlanes = (size_t)r->superlanes, lanes = (size_t)r->lanes;
    size_t rows = (size_t)r->slices * (size_t)r->slice_rows, alus = (size_t)r->m->vxm_alus;
    size_t registers = superlanes * TSP_MAX_STREAMS * (size_t)r->columns;
    r->queues = ref_zeros(r, (size_t)r->queue_count, sizeof *r->queues);
    for (int32_t queue = 0; r->queues && r->fetching && queue < r->queue_count; queue++)
        r->queues[queue].ready = ref_zeros(r, (size_t)r->p->queues[queue].count, sizeof(int64_t));
    for (int32_t queue = 0; r->queues && queue < r->queue_count; queue++) {
        size_t words = (size_t)r->p->queues[queue].count;
        r->queues[queue].started = ref_zeros(r, words, sizeof(int64_t));
        for (size_t i = 0; r->queues[queue].started && i < words; i++)
            r->queues[queue].started[i] = -1;
    }
    r->streams = ref_zeros(r, registers, sizeof *r->streams);
    r->driven = ref_zeros(r, registers, sizeof *r->driven);
    r->powered = ref_zeros(r, superlanes, sizeof *r->powered);
    r->flip_next = ref_zeros(r, superlanes, sizeof *r->flip_next);
    r->memory = ref_zeros(r, rows, lanes);
    r->defined = ref_zeros(r, rows, sizeof *r->defined);
    if (r->faults) r->memory_check = ref_zeros(r, rows * superlanes, sizeof *r->memory_check);
    r->latch = ref_zeros(r, alus * lanes, sizeof *r->latch);
    r->latched = ref_zeros(r, alus * superlanes, sizeof *r->latched);
    r->ops = ref_zeros(r, (size_t)r->p->op_count, sizeof *r->ops);
    r->view_bytes = ref_zeros(r, lanes, 1);
    r->view_registers = ref_zeros(r, lanes, sizeof *r->view_registers);
    r->view_check = ref_zeros(r, superlanes, sizeof *r->view_check);
    return make_planes(r);
}

static void *create(const TspProgram *p, const TspSimOptions *options, TspError *err) {
    Reference *r = calloc(1, sizeof *r);
    if (!r) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory; use a smaller machine");
        return NULL;
    }
    r->p = p;
    r->m = &p->machine;
    r->superlanes = (int32_t)r->m->superlanes;
    r->width = (int32_t)r->m->lanes_per_superlane;
    r->lanes = tsp_lanes(r->m);
    r->columns = tsp_columns(r->m);
    r->queue_count = tsp_queue_count(r->m);
    r->slice_rows = tsp_mem_slice_rows(r->m);
    r->slices = 2 * (int32_t)r->m->mem_slices;
    r->plane_count = 2 * (int32_t)r->m->mxm_planes;
    r->flips = options->faults;
    r->faults = tsp_faults_on(&r->flips);
    r->fetching = options->ifetch_modelled;
    if (make_arrays(r) && check_machine(r, err)) return r;
    if (r->broken) tsp_fail(err, TSP_ERR_SYSTEM, "out of memory; use a smaller machine");
    destroy(r);
    return NULL;
}

static bool reset(void *e, TspError *err) {
    Reference *r = e;
    size_t registers = ref_register(r, r->superlanes, 0, 0);
    drop_all(r);
    memset(r->streams, 0, registers * sizeof *r->streams);
    for (size_t i = 0; i < registers; i++) r->driven[i] = -1;
    memset(r->defined, 0, ref_row(r, r->slices, 0) * sizeof *r->defined);
    memset(r->flip_next, 0, (size_t)r->superlanes * sizeof *r->flip_next);
    for (int32_t i = 0; i < r->m->vxm_alus * r->superlanes; i++) r->latched[i] = -1;
    for (int32_t k = 0; k < r->superlanes; k++) r->powered[k] = true;
    for (int32_t i = 0; i < r->p->op_count; i++) r->ops[i] = (TspInterval){-1, -1};
    ref_planes_reset(r);
    r->now = r->latency = r->corrected = r->flipped = 0;
    r->first = (RefOffence){0};
    r->closed = false;
    r->last_switch = 0;
    r->stats = (TspSimStats){0};
    ref_queues_reset(r);
    return !r->broken || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory; use a smaller machine");
}

static void place(void *e, int32_t slice, int32_t addr, const uint8_t *vector) {
    Reference *r = e;
    size_t row = ref_row(r, slice, addr);
    memcpy(ref_memory(r, slice, addr, 0), vector, (size_t)r->lanes);
    r->defined[row] = engine_all_superlanes(r->m);
    for (int32_t k = 0; r->faults && k < r->superlanes; k++)
        r->memory_check[row * (size_t)r->superlanes + (size_t)k] =
            tsp_ecc_encode(vector + k * r->width, r->width);
}

/* ---- what is asked ---- */

static int64_t now(const void *e) {
    return ((const Reference *)e)->now;
}

static bool done(const void *e) {
    const Reference *r = e;
    return ref_over(r, r->now);
}

static TspSimStats stats(const void *e) {
    const Reference *r = e;
    TspSimStats counted = r->stats;
    counted.cycles = r->latency;
    return counted;
}

static TspCsr csr(const void *e) {
    const Reference *r = e;
    TspCsr registers = {0, r->corrected, r->flipped};
    for (int32_t k = 0; k < r->superlanes; k++) registers.powered |= (uint32_t)r->powered[k] << k;
    if (r->last_switch) registers.powered = r->last_switch;
    return registers;
}

static TspInterval op_interval(const void *e, int32_t op) {
    return ((const Reference *)e)->ops[op];
}

const Engine reference_engine = {
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .place = place,
    .advance = advance,
    .now = now,
    .done = done,
    .stats = stats,
    .csr = csr,
    .op_interval = op_interval,
    .hash = ref_hash,
    .stream = ref_view_stream,
    .row = ref_view_row,
    .row_check = ref_view_check,
    .latch = ref_view_latch,
    .accumulator = ref_view_accumulator,
    .queue_word = ref_view_word,
    .word_start = ref_view_start,
};
