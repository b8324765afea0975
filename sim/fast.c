/* fast.c - the fast engine from outside: what it is made of, loading, looking. */
#include "fast_batch.h"
#include "fast_keyframe.h"
#include "fast_mem.h"
#include "fast_stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* -- loading -- */

/* Vectors that the SXM of a hemisphere can drive in a cycle: 2 transposers of 16, 4 distributors, a
 * permuter, 4 shifters, 2 selectors, a rotator of 16. */
enum { SXM_OUTPUTS = 2 * 16 + 4 + 1 + 4 + 2 + 16 };

/* Some 20 ms of the host. */
enum { HISTORY_SPACING = 200000 };

/* The pool is numbered with 32 bits. */
#define HISTORY_MOST (INT64_C(64) << 30)

static int32_t power_of_two(int64_t least) {
    int32_t power = 64;
    while (power < least) power *= 2;
    return power;
}

/* Constants of the run that come from the machine. */
static bool measure(Fast *f, TspError *err) {
    const TspMachine *m = f->m;
    int64_t longest = tsp_shift_cycles(m, tsp_lanes(m), true);
    f->superlanes = (int32_t)m->superlanes;
    f->tile = (int32_t)m->lanes_per_superlane;
    f->all = engine_all_superlanes(m);
    f->fetch_vectors = tsp_ifetch_vectors(m);
    f->lanes = tsp_lanes(m);
    f->columns = tsp_columns(m);
    f->queues = tsp_queue_count(m);
    f->slice_rows = tsp_mem_slice_rows(m);
    f->row_count = (size_t)(2 * m->mem_slices) * (size_t)f->slice_rows;
    f->ring = power_of_two(f->columns);
    for (f->alu_slots = 4; f->alu_slots < m->vxm_op_cycles + 2;) f->alu_slots *= 2;
    for (int32_t q = 0; q < f->queues; q++) f->info[q] = tsp_queue_info(m, q);
    for (int32_t op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsn insn = {.op = (TspOpcode)op};
        f->func[op] = tsp_op_func(m, insn.op);
        f->binary[op] = tsp_insn_binary(insn.op);
        if (!tsp_insn_info(insn.op)->modelled) continue;
        if (tsp_insn_skew(m, &insn) != 0)
            return tsp_fail(err, TSP_ERR_BUG, "%s has a d_skew; the engine samples at issue",
                            tsp_insn_info(insn.op)->mnemonic);
        /* What Notify releases need not fit in the wheel: queues may wait beyond it. */
        if (op != TSP_OP_NOTIFY && f->func[op] > longest) longest = f->func[op];
    }
    f->wheel = power_of_two(longest + 1);
    /* Everything that can be under way: what units drive and write in a cycle, over the wheel; what
     * stands on streams; what arrays and ALUs hold. */
    f->event_capacity = f->wheel * (2 * SIM_SLICES + 6 * SIM_ALUS + 4 * SIM_PLANES +
                                    2 * SXM_OUTPUTS + TSP_MAX_QUEUES);
    f->vec_capacity = f->event_capacity + TSP_MAX_STREAMS * f->ring +
                      f->wheel * (8 * SIM_ALUS + 2 * SIM_SLICES) + SIM_PLANES * SIM_PRODUCTS * 2 +
                      SIM_PLANES * 3 * TSP_MAX_LANES + FAST_BATCH_VECTORS + 64 +
                      (int32_t)f->row_count;
    return true;
}

static int32_t op_of_run(const TspProgram *p, int32_t run) {
    int32_t op = run >= 0 && run < p->run_count ? p->runs[run].op : -1;
    return op < p->op_count ? op : -1;
}

static WordFault fault_of(const Fast *f, TspWord bits, int32_t queue, TspInsn *insn) {
    const bool vxm = f->info[queue].unit == TSP_UNIT_VXM;
    TspError ignored;
    if (!tsp_decode(bits, insn, &ignored)) return WORD_UNDECODABLE;
    if (!tsp_insn_validate(f->m, insn, queue, &ignored)) return WORD_INVALID;
    if (!tsp_insn_info(insn->op)->modelled) return WORD_NOT_MODELLED;
    if (vxm && tsp_insn_info(insn->op)->unit == TSP_UNIT_VXM && !tsp_lanes_knows(insn))
        return WORD_NOT_MODELLED;
    return WORD_FINE;
}

static bool predecode(Fast *f, int32_t queue, TspError *err) {
    const TspQueue *q = &f->program->queues[queue];
    if (q->count == 0) return true;
    f->words[queue] = calloc((size_t)q->count, sizeof(Word));
    if (!f->words[queue]) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory loading a program");
    f->word_count[queue] = q->count;
    for (int32_t i = 0; i < q->count; i++) {
        Word *word = &f->words[queue][i];
        word->start = -1;
        for (int32_t half = 0; half < 2; half++)
            word->op[half] = q->debug ? op_of_run(f->program, q->debug[i].run[half]) : -1;
        word->fault = (uint8_t)fault_of(f, q->words[i], queue, &word->insn);
        if (word->fault != WORD_FINE) continue;
        if (word->insn.op == TSP_OP_GATHER || word->insn.op == TSP_OP_SCATTER)
            f->indirect[queue] = true;
        word->func = tsp_insn_func(f->m, &word->insn);
        word->unit = (uint8_t)tsp_insn_info(word->insn.op)->unit;
        if (word->unit == TSP_UNIT_VXM) word->packed = f->alu_lanes->find_packed(&word->insn);
        word->bytes = (uint8_t)(word->packed ? tsp_dtype_bytes((TspDtype)word->insn.type) : 4);
        if (word->insn.op == TSP_OP_REPEAT && i > 0) word[-1].repeat = &word->insn;
    }
    return true;
}

static void *map(size_t bytes) {
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return region == MAP_FAILED ? NULL : region;
}

/* The same for bytes that are asked for all over the place: in few large pages, if the host has
 * any, so that it finds them without a walk through its tables. */
static void *map_large(size_t bytes) {
    void *region = map(bytes);
#ifdef MADV_HUGEPAGE
    if (region) madvise(region, bytes, MADV_HUGEPAGE);
#endif
    return region;
}

/* Everything is allocated here, once, and touched only where the program goes. */
static bool allocate(Fast *f, TspError *err) {
    const size_t n = (size_t)f->lanes, planes = SIM_PLANES, wheel = (size_t)f->wheel;
    const size_t kept = planes * (size_t)f->m->mxm_accumulator_rows;
    const size_t rows = f->row_count, check_bytes = SIM_SUPERLANES * sizeof(uint16_t);
    f->rows = map(rows * sizeof *f->rows);
    f->row_chunk = calloc(rows / SIM_CHUNK + 1, sizeof *f->row_chunk);
    f->sum_changed = calloc(kept / FAST_SUM_CHUNK + 1, sizeof *f->sum_changed);
    if (f->checks && !(f->vec_check = map((size_t)f->vec_capacity * check_bytes)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator's state");
    f->slots = calloc(TSP_MAX_STREAMS * (size_t)f->ring, sizeof *f->slots);
    f->buckets = calloc(wheel, sizeof *f->buckets);
    f->occupied = calloc(wheel / 64, sizeof *f->occupied);
    f->events = calloc((size_t)f->event_capacity, sizeof *f->events);
    f->vectors = map_large((size_t)f->vec_capacity * TSP_MAX_LANES);
    f->vec_refs = map((size_t)f->vec_capacity * sizeof *f->vec_refs);
    f->results = calloc((size_t)SIM_ALUS * SIM_ALU_RESULTS * TSP_MAX_LANES, sizeof *f->results);
    f->operands = calloc(2 * TSP_MAX_LANES, sizeof *f->operands);
    f->products = calloc(planes * SIM_PRODUCTS * n, sizeof *f->products);
    f->accumulators = calloc(kept * n + 1, sizeof *f->accumulators);
    f->accumulator_type = calloc(kept + 1, 1);
    f->intervals = calloc((size_t)f->program->op_count + 1, sizeof *f->intervals);
    if (f->rows && f->row_chunk && f->sum_changed && f->slots && f->buckets && f->occupied &&
        f->events && f->vectors && f->vec_refs && f->results && f->operands && f->products &&
        f->accumulators && f->accumulator_type && f->intervals)
        return true;
    return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator's state");
}

/* Nothing is defined any more. */
static void forget_memory(Fast *f) {
    for (size_t chunk = 0; chunk * SIM_CHUNK < f->row_count; chunk++) {
        const size_t first = chunk * SIM_CHUNK, left = f->row_count - first;
        if (!f->row_chunk[chunk]) continue;
        f->row_chunk[chunk] = 0;
        memset(f->rows + first, 0, (left < SIM_CHUNK ? left : SIM_CHUNK) * sizeof *f->rows);
    }
}

/* Has the pages that hold these bytes mapped at once, which costs a small part of a fault each. */
static void map_now(void *bytes, size_t count) {
#ifdef MADV_POPULATE_WRITE
    const size_t page = 4096, start = (uintptr_t)bytes / page * page;
    madvise((void *)start, (uintptr_t)bytes + count - start, MADV_POPULATE_WRITE);
#else
    (void)bytes, (void)count;
#endif
}

static void reserve(void *e, int32_t slice, int32_t addr, int32_t rows) {
    Fast *f = e;
    const size_t row = fast_row_id(f, slice, addr);
    size_t count = (size_t)rows;
    if (f->timing_only) return;
    if (count > f->row_count - f->reserved) count = f->row_count - f->reserved; /* rows shared */
    map_now(f->vectors + f->reserved * TSP_MAX_LANES, count * TSP_MAX_LANES);
    map_now(f->vec_refs + f->reserved, count * sizeof *f->vec_refs);
    f->reserved += count;
    map_now(f->rows + row, count * sizeof *f->rows);
}

static bool reset(void *e, TspError *err) {
    Fast *f = e;
    State *st = &f->state;
    fast_batch_reset(f);
    fast_keyframes_forget(f);
    f->broken = false;
    memset(st, 0, sizeof *st);
    f->switches = false;
    st->far_first = SIM_NEVER;
    st->event_free = st->vec_free = SIM_NONE;
    st->powered = f->all;
    for (int32_t i = 0; i < SIM_ALUS; i++) st->alu[i].produced = -1;
    fast_mxm_reset(f);
    for (int32_t i = 0; i < f->program->op_count; i++) f->intervals[i] = (TspInterval){-1, -1};
    for (int32_t i = 0; i < TSP_MAX_STREAMS * f->ring; i++)
        f->slots[i] = (StreamSlot){.diagonal = INT64_MIN, .vec = SIM_NONE};
    memset(f->occupied, 0, (size_t)f->wheel / 8);
    memset(f->buckets, 0, (size_t)f->wheel * sizeof *f->buckets);
    for (int32_t i = 0; i < f->wheel; i++)
        for (int32_t late = 0; late < 2; late++)
            f->buckets[i].head[late] = f->buckets[i].tail[late] = SIM_NONE;
    forget_memory(f);
    return fast_queues_start(f, err);
}

static void destroy(void *e) {
    Fast *f = e;
    fast_batch_stop(f);
    fast_keyframes_stop(f);
    if (f->rows) munmap(f->rows, f->row_count * sizeof *f->rows);
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++) free(f->words[q]);
    free(f->row_chunk);
    free(f->sum_changed);
    free(f->intervals);
    free(f->slots);
    free(f->buckets);
    free(f->occupied);
    free(f->events);
    if (f->vectors) munmap(f->vectors, (size_t)f->vec_capacity * TSP_MAX_LANES);
    if (f->vec_refs) munmap(f->vec_refs, (size_t)f->vec_capacity * sizeof *f->vec_refs);
    if (f->vec_check)
        munmap(f->vec_check, (size_t)f->vec_capacity * SIM_SUPERLANES * sizeof *f->vec_check);
    free(f->results);
    free(f->operands);
    free(f->products);
    free(f->accumulators);
    free(f->accumulator_type);
    free(f);
}

static bool load(Fast *f, const TspSimOptions *options, TspError *err) {
    const int64_t asked = options->history_bytes, spacing = options->history_spacing;
    const int64_t history_bytes = asked < HISTORY_MOST ? asked : HISTORY_MOST;
    if (!measure(f, err)) return false;
    f->vec_capacity += (int32_t)fast_keyframes_vectors(f, history_bytes);
    if (!allocate(f, err) ||
        !fast_keyframes_start(f, history_bytes, spacing > 0 ? spacing : HISTORY_SPACING, err))
        return false;
    for (int32_t q = 0; q < f->queues; q++)
        if (!predecode(f, q, err)) return false;
    return true;
}

static void *create(const TspProgram *p, const TspSimOptions *options, TspError *err) {
    Fast *f = calloc(1, sizeof *f);
    if (!f) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator's state");
        return NULL;
    }
    f->program = p;
    f->m = &p->machine;
    f->faults = options->faults;
    f->checks = tsp_faults_on(&options->faults);
    f->ifetch_modelled = options->ifetch_modelled;
    f->timing_only = options->timing_only;
    f->threads = options->threads > 1 ? options->threads : 1;
    f->kernel = options->kernel;
    f->alu_lanes = tsp_lanes_of(options->kernel);
    if (load(f, options, err) && fast_batch_start(f, f->threads, err)) return f;
    destroy(f);
    return NULL;
}

static void place(void *e, int32_t slice, int32_t addr, const uint8_t *vector) {
    fast_keyframes_forget(e);
    fast_mem_place(e, fast_row_id(e, slice, addr), vector);
}

/* -- time -- */

/* A product lost before the offence, found only now, was first. */
static bool advance(void *e, int64_t limit, TspError *err) {
    Fast *f = e;
    TspError earlier;
    if (f->state.now == 0 && limit > 0) fast_plain_find(f);
    if (f->state.now == 0 && f->keyframe_due == 0 && limit > 0) fast_keyframe_make(f);
    if (fast_advance(f, limit, err)) return true;
    if (err->cycle > 0 && !fast_mxm_none_lost(f, err->cycle, &earlier)) *err = earlier;
    f->broken = true;
    return false;
}

static bool near(void *e, int64_t cycle) {
    Fast *f = e;
    if (!fast_keyframe_near(f, cycle, f->broken)) return false;
    f->broken = false;
    return true;
}

static int64_t now(const void *e) {
    return ((const Fast *)e)->state.now;
}

static bool done(const void *e) {
    return ((const Fast *)e)->state.done;
}

/* -- looking -- */

static TspSimStats stats(const void *e) {
    const Fast *f = e;
    TspSimStats stats = f->state.stats;
    int32_t column;
    /* A drive counts its value's whole way to the edge; take off what still lies ahead. */
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t i = 0; i < f->ring; i++)
            stats.stream_hops -=
                fast_slot_ahead(f, stream, &f->slots[stream * f->ring + i], &column);
    return stats;
}

static TspCsr csr(const void *e) {
    const Fast *f = e;
    return (TspCsr){f->state.powered, f->state.corrected, f->state.flipped};
}

static TspInterval op_interval(const void *e, int32_t op) {
    return ((const Fast *)e)->intervals[op];
}

/* The events that land in this very cycle, of which nothing is executed yet: the first of them. */
static int32_t landing(const Fast *f) {
    return f->buckets[f->state.now & (f->wheel - 1)].head[0];
}

static const uint8_t *stream(const void *e, int32_t stream, int32_t column) {
    Fast *f = (Fast *)e; /* only its view is written */
    int32_t vec = fast_stream_look(f, stream, column);
    for (int32_t i = landing(f); i != SIM_NONE; i = f->events[i].next) {
        const Event *event = &f->events[i];
        if (event->kind != EVENT_DRIVE || event->stream != stream || event->column != column)
            continue;
        if (event->plane != SIM_NONE) fast_batch_finish(f, event->plane, event->batch);
        vec = event->vec[0];
    }
    if (vec == SIM_NONE) return NULL;
    memcpy(f->view, fast_vec(f, vec), (size_t)f->lanes);
    for (int32_t k = 0; k < f->superlanes; k++)
        if (!(f->state.powered >> k & 1)) memset(f->view + k * f->tile, 0, (size_t)f->tile);
    return f->view;
}

static const uint8_t *stream_ago(const void *e, int32_t stream, int32_t column, int32_t ago) {
    Fast *f = (Fast *)e; /* only its view is written */
    const int64_t then = f->state.now - ago, diagonal = fast_diagonal(stream, column, then);
    const StreamSlot *slot = fast_slot(f, stream, diagonal);
    if (slot->diagonal != diagonal || slot->driven > then) return NULL;
    memcpy(f->view, fast_vec(f, slot->vec), (size_t)f->lanes);
    return f->view;
}

static const uint8_t *row(const void *e, int32_t slice, int32_t addr, uint32_t *written) {
    Fast *f = (Fast *)e; /* only its view is written */
    const size_t row = fast_row_id(f, slice, addr);
    *written = f->rows[row].defined;
    if (!*written && landing(f) == SIM_NONE) return NULL;
    if (*written) /* others are not touched, so that they take no memory */
        memcpy(f->view, fast_vec(f, f->rows[row].vec), (size_t)f->lanes);
    else
        memset(f->view, 0, (size_t)f->lanes);
    for (int32_t i = landing(f); i != SIM_NONE; i = f->events[i].next) {
        const Event *event = &f->events[i];
        if (event->kind != EVENT_WRITE && event->kind != EVENT_SCATTER) continue;
        if (event->kind == EVENT_WRITE && (size_t)event->target != row) continue;
        for (int32_t k = 0; k < f->superlanes; k++) {
            size_t target = (size_t)event->target;
            if (event->kind == EVENT_SCATTER) target = fast_row_id(f, event->queue, event->row[k]);
            if (!(event->mask >> k & 1) || target != row) continue;
            memcpy(f->view + k * f->tile, fast_vec(f, event->vec[0]) + k * f->tile,
                   (size_t)f->tile);
            *written |= 1u << k;
        }
    }
    return *written ? f->view : NULL;
}

static const uint16_t *row_check(const void *e, int32_t slice, int32_t addr) {
    const Fast *f = e;
    const size_t row = fast_row_id(f, slice, addr);
    return f->rows[row].defined ? fast_vec_check(f, f->rows[row].vec) : NULL;
}

static const uint32_t *latch(const void *e, int32_t alu) {
    Fast *f = (Fast *)e; /* only what has appeared is noted, and shown another way */
    const Alu *a = fast_alu(f, alu, fast_seen(f));
    return a->produced < 0 ? NULL : fast_alu_registers(f, alu, a->latched);
}

static const uint32_t *accumulator(const void *e, int32_t plane, int32_t row, TspDtype *type) {
    Fast *f = (Fast *)e; /* only what is under way is written */
    const size_t id = (size_t)plane * (size_t)f->m->mxm_accumulator_rows + (size_t)row;
    if (!f->accumulator_type[id]) return NULL;
    fast_batch_finish_all(f);
    *type = (TspDtype)(f->accumulator_type[id] - 1);
    return f->accumulators + id * (size_t)f->lanes;
}

static int32_t queue_word(const void *e, int32_t queue) {
    return ((const Fast *)e)->state.queue[queue].index;
}

static int64_t word_start(const void *e, int32_t queue, int32_t word) {
    return ((const Fast *)e)->words[queue][word].start;
}

const Engine fast_engine = {
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .place = place,
    .reserve = reserve,
    .advance = advance,
    .near = near,
    .now = now,
    .done = done,
    .stats = stats,
    .csr = csr,
    .op_interval = op_interval,
    .hash = fast_hash,
    .stream = stream,
    .stream_ago = stream_ago,
    .row = row,
    .row_check = row_check,
    .latch = latch,
    .accumulator = accumulator,
    .queue_word = queue_word,
    .word_start = word_start,
};
