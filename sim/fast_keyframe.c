/* fast_keyframe.c - makes, thins and goes back to keyframes; see fast_keyframe.h. */
#include "fast_keyframe.h"

#include "fast_batch.h"
#include "fast_mem.h"

#include <stdlib.h>
#include <string.h>

enum { FEWEST = 2 };

/* What keyframes share: a stretch of memory, or of the accumulators, as it was. The present is a
 * user too, of the one that it was equal to when it was last kept or gone back to. */
typedef struct {
    int32_t users;
    int32_t defined;       /* of the rows */
    uint32_t counted;      /* by which recount */
    MemRow row[SIM_CHUNK]; /* vectors held */
} RowChunk;

typedef struct {
    int32_t users;
    uint32_t sums[FAST_SUM_CHUNK][TSP_MAX_LANES];
} SumChunk;

typedef struct {
    int64_t work;
    State state; /* its bookkeeping of the pool is not gone back to */
    StreamSlot *slots;
    Bucket *buckets;
    uint64_t *occupied;
    Event *events; /* those ever used */
    TspInterval *intervals;
    uint8_t *accumulator_type;
    uint32_t *results;  /* [ALU][alu_slots][TSP_MAX_LANES] */
    uint32_t *products; /* those multiplied and not taken, in the order of planes and age */
    RowChunk **rows;
    SumChunk **sums;
    int64_t bytes;
} Keyframe;

struct FastKeyframes {
    int64_t budget_bytes, bytes; /* bytes: of keyframes and chunks */
    int64_t spacing, least;      /* work between two: now, while they fit their budget */
    Keyframe **list;             /* by cycle */
    int32_t count, capacity;
    size_t row_chunks, sum_chunks;
    RowChunk **rows; /* of the present; NULL: nothing was defined */
    SumChunk **sums;
    uint32_t recounts;
};

/* -- what holds vectors -- */

typedef struct {
    const State *state;
    const StreamSlot *slots;
    const Bucket *buckets;
    const Event *events;
} Holder;

typedef void Visit(Fast *f, int32_t vec);

static void hold(Fast *f, int32_t vec) {
    fast_vec_hold(f, vec);
}

static void visit(Fast *f, int32_t vec, Visit *each) {
    if (vec != SIM_NONE) each(f, vec);
}

static Holder present(const Fast *f) {
    return (Holder){&f->state, f->slots, f->buckets, f->events};
}

static Holder past(const Keyframe *k) {
    return (Holder){&k->state, k->slots, k->buckets, k->events};
}

static void visit_event(Fast *f, const Event *event, Visit *each) {
    static const int32_t held[] = {[EVENT_DRIVE] = 1,
                                   [EVENT_WRITE] = 1,
                                   [EVENT_SCATTER] = 1,
                                   [EVENT_POWER] = 0,
                                   [EVENT_INPUT] = 8};
    for (int32_t i = 0; i < held[event->kind]; i++) visit(f, event->vec[i], each);
}

/* Every reference of a state but those of memory rows. Between two cycles there are no others:
 * batches have been finished. */
static void visit_all(Fast *f, Holder h, Visit *each) {
    for (int32_t i = 0; i < TSP_MAX_STREAMS * f->ring; i++) visit(f, h.slots[i].vec, each);
    for (int32_t i = 0; i < f->wheel; i++)
        for (int32_t late = 0; late < 2; late++)
            for (int32_t e = h.buckets[i].head[late]; e != SIM_NONE; e = h.events[e].next)
                visit_event(f, &h.events[e], each);
    for (int32_t p = 0; p < SIM_PLANES; p++) {
        const Plane *plane = &h.state->plane[p];
        for (int32_t array = 0; array < 3; array++)
            for (int32_t i = 0; i < f->lanes; i++) visit(f, plane->column[array][i], each);
        for (uint32_t i = plane->head; i != plane->tail; i++)
            for (int32_t k = 0; k < 2; k++) visit(f, plane->product[i % SIM_PRODUCTS].vec[k], each);
    }
}

static void visit_rows(Fast *f, const MemRow *row, size_t count, Visit *each) {
    for (size_t i = 0; i < count; i++)
        if (row[i].defined) each(f, row[i].vec);
}

/* -- chunks -- */

static size_t rows_in(const Fast *f, size_t chunk) {
    const size_t left = f->row_count - chunk * SIM_CHUNK;
    return left < SIM_CHUNK ? left : SIM_CHUNK;
}

static size_t sum_rows_in(const Fast *f, size_t chunk) {
    const size_t all = SIM_PLANES * (size_t)f->m->mxm_accumulator_rows;
    const size_t left = all - chunk * FAST_SUM_CHUNK;
    return left < FAST_SUM_CHUNK ? left : FAST_SUM_CHUNK;
}

static void leave_rows(Fast *f, RowChunk *chunk) {
    if (!chunk || --chunk->users > 0) return;
    visit_rows(f, chunk->row, SIM_CHUNK, fast_vec_drop);
    f->keyframes->bytes -= (int64_t)sizeof *chunk;
    free(chunk);
}

static void leave_sums(Fast *f, SumChunk *chunk) {
    if (!chunk || --chunk->users > 0) return;
    f->keyframes->bytes -= (int64_t)sizeof *chunk;
    free(chunk);
}

/* Makes chunks of what has changed since the present was last kept. */
static bool keep_rows(Fast *f, size_t number) {
    struct FastKeyframes *all = f->keyframes;
    const size_t first = number * SIM_CHUNK, count = rows_in(f, number);
    RowChunk *chunk;
    if (!(f->row_chunk[number] & FAST_CHUNK_CHANGED)) return true;
    chunk = calloc(1, sizeof *chunk);
    if (!chunk) return false;
    chunk->users = 1;
    memcpy(chunk->row, f->rows + first, count * sizeof *f->rows);
    for (size_t i = 0; i < count; i++) chunk->defined += chunk->row[i].defined != 0;
    visit_rows(f, chunk->row, count, hold);
    leave_rows(f, all->rows[number]);
    all->rows[number] = chunk;
    all->bytes += (int64_t)sizeof *chunk;
    f->row_chunk[number] &= (uint8_t)~FAST_CHUNK_CHANGED;
    return true;
}

static bool keep_sums(Fast *f, size_t number) {
    struct FastKeyframes *all = f->keyframes;
    const size_t n = (size_t)f->lanes;
    SumChunk *chunk;
    if (!f->sum_changed[number]) return true;
    chunk = malloc(sizeof *chunk);
    if (!chunk) return false;
    chunk->users = 1;
    for (size_t i = 0; i < sum_rows_in(f, number); i++)
        memcpy(chunk->sums[i], f->accumulators + (number * FAST_SUM_CHUNK + i) * n,
               n * sizeof *f->accumulators);
    leave_sums(f, all->sums[number]);
    all->sums[number] = chunk;
    all->bytes += (int64_t)sizeof *chunk;
    f->sum_changed[number] = false;
    return true;
}

/* The present becomes as it was in a chunk, NULL: nothing defined. Without `counting` nobody's
 * references are touched. */
static void restore_rows(Fast *f, size_t number, RowChunk *chunk, bool counting) {
    struct FastKeyframes *all = f->keyframes;
    const size_t first = number * SIM_CHUNK, count = rows_in(f, number);
    const bool same = chunk == all->rows[number] && !(f->row_chunk[number] & FAST_CHUNK_CHANGED);
    if (same && counting) return;
    if (chunk) {
        chunk->users++;
        if (counting) visit_rows(f, chunk->row, count, hold);
    }
    if (counting) visit_rows(f, f->rows + first, count, fast_vec_drop);
    if (chunk)
        memcpy(f->rows + first, chunk->row, count * sizeof *f->rows);
    else
        memset(f->rows + first, 0, count * sizeof *f->rows);
    leave_rows(f, all->rows[number]);
    all->rows[number] = chunk;
    f->row_chunk[number] = chunk ? FAST_CHUNK_DEFINED : 0;
}

static void restore_sums(Fast *f, size_t number, SumChunk *chunk) {
    struct FastKeyframes *all = f->keyframes;
    const size_t n = (size_t)f->lanes;
    if (chunk == all->sums[number] && !f->sum_changed[number]) return;
    for (size_t i = 0; chunk && i < sum_rows_in(f, number); i++)
        memcpy(f->accumulators + (number * FAST_SUM_CHUNK + i) * n, chunk->sums[i],
               n * sizeof *f->accumulators);
    if (chunk) chunk->users++;
    leave_sums(f, all->sums[number]);
    all->sums[number] = chunk;
    f->sum_changed[number] = false;
}

/* -- keyframes -- */

/* A copy that the keyframe owns; NULL without memory. */
static void *copy(Keyframe *k, const void *bytes, size_t count) {
    void *own = malloc(count + 1);
    if (own && bytes) memcpy(own, bytes, count);
    if (own) k->bytes += (int64_t)count;
    return own;
}

static void release(Fast *f, Keyframe *k) {
    struct FastKeyframes *all = f->keyframes;
    for (size_t i = 0; k->rows && i < all->row_chunks; i++) leave_rows(f, k->rows[i]);
    for (size_t i = 0; k->sums && i < all->sum_chunks; i++) leave_sums(f, k->sums[i]);
    free(k->slots);
    free(k->buckets);
    free(k->occupied);
    free(k->events);
    free(k->intervals);
    free(k->accumulator_type);
    free(k->results);
    free(k->products);
    free(k->rows);
    free(k->sums);
    free(k);
}

static void drop(Fast *f, Keyframe *k) {
    visit_all(f, past(k), fast_vec_drop);
    f->keyframes->bytes -= k->bytes;
    release(f, k);
}

/* Copies what ALUs and planes have computed between the present and a keyframe. */
static void move_results(Fast *f, Keyframe *k, bool keep) {
    const size_t size = TSP_MAX_LANES * sizeof(uint32_t), n = (size_t)f->lanes;
    uint32_t *own = k->products;
    for (int32_t i = 0; i < SIM_ALUS; i++)
        for (int32_t slot = 0; slot < f->alu_slots && k->state.alu[i].taken > 0; slot++) {
            uint32_t *kept = k->results + (size_t)(i * f->alu_slots + slot) * TSP_MAX_LANES;
            uint32_t *result = fast_alu_result(f, i, slot);
            memcpy(keep ? kept : result, keep ? result : kept, size);
        }
    for (int32_t p = 0; p < SIM_PLANES; p++) {
        const Plane *plane = &k->state.plane[p];
        for (uint32_t i = plane->head; i != plane->tail; i++) {
            const int32_t row = plane->product[i % SIM_PRODUCTS].row;
            uint32_t *product = row == SIM_NONE ? NULL : fast_product(f, p, row);
            if (!product) continue;
            memcpy(keep ? own : product, keep ? product : own, n * sizeof *own);
            own += n;
        }
    }
}

static size_t products_multiplied(const State *st) {
    size_t count = 0;
    for (int32_t p = 0; p < SIM_PLANES; p++)
        for (uint32_t i = st->plane[p].head; i != st->plane[p].tail; i++)
            count += st->plane[p].product[i % SIM_PRODUCTS].row != SIM_NONE;
    return count;
}

/* The present as a keyframe, its references not counted yet; NULL without memory. */
static Keyframe *capture(Fast *f) {
    struct FastKeyframes *all = f->keyframes;
    const size_t wheel = (size_t)f->wheel, planes = SIM_PLANES;
    Keyframe *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->bytes = (int64_t)sizeof *k;
    k->work = fast_work(&f->state);
    k->state = f->state;
    k->slots = copy(k, f->slots, TSP_MAX_STREAMS * (size_t)f->ring * sizeof *k->slots);
    k->buckets = copy(k, f->buckets, wheel * sizeof *k->buckets);
    k->occupied = copy(k, f->occupied, wheel / 64 * sizeof *k->occupied);
    k->events = copy(k, f->events, (size_t)f->state.event_used * sizeof *k->events);
    k->intervals = copy(k, f->intervals, (size_t)f->program->op_count * sizeof *k->intervals);
    k->accumulator_type = copy(k, f->accumulator_type, planes * (size_t)f->m->mxm_accumulator_rows);
    k->results = copy(k, NULL, (size_t)(SIM_ALUS * f->alu_slots) * TSP_MAX_LANES * 4);
    k->products = copy(k, NULL, products_multiplied(&f->state) * (size_t)f->lanes * 4);
    if (k->slots && k->buckets && k->occupied && k->events && k->intervals && k->accumulator_type &&
        k->results && k->products) {
        k->rows = copy(k, all->rows, all->row_chunks * sizeof(RowChunk *));
        for (size_t i = 0; k->rows && i < all->row_chunks; i++)
            if (k->rows[i]) k->rows[i]->users++;
        k->sums = copy(k, all->sums, all->sum_chunks * sizeof(SumChunk *));
        for (size_t i = 0; k->sums && i < all->sum_chunks; i++)
            if (k->sums[i]) k->sums[i]->users++;
        if (k->rows && k->sums) {
            move_results(f, k, true);
            return k;
        }
    }
    release(f, k);
    return NULL;
}

/* Bytes that would not be there without keyframes: theirs, and vectors that memory has lost since.
 */
static int64_t bytes_kept(const Fast *f) {
    const struct FastKeyframes *all = f->keyframes;
    int64_t rows = 0;
    for (size_t i = 0; i < all->row_chunks; i++) rows += all->rows[i] ? all->rows[i]->defined : 0;
    return all->bytes + (f->state.vec_live - rows) * TSP_MAX_LANES;
}

static void thin(Fast *f) {
    struct FastKeyframes *all = f->keyframes;
    while (all->count > FEWEST && bytes_kept(f) > all->budget_bytes) {
        int32_t left = 0;
        for (int32_t i = 0; i < all->count; i++) {
            if (i % 2 == 0)
                all->list[left++] = all->list[i];
            else
                drop(f, all->list[i]);
        }
        all->count = left;
        all->spacing *= 2;
    }
}

static void set_due(Fast *f) {
    const struct FastKeyframes *all = f->keyframes;
    f->keyframe_due = all->count == 0 ? 0 : all->list[all->count - 1]->work + all->spacing;
}

static bool room_for_one(struct FastKeyframes *all) {
    const int32_t capacity = all->capacity ? 2 * all->capacity : 16;
    Keyframe **list;
    if (all->count < all->capacity) return true;
    list = realloc(all->list, (size_t)capacity * sizeof *list);
    if (!list) return false;
    all->list = list;
    all->capacity = capacity;
    return true;
}

void fast_keyframe_make(Fast *f) {
    struct FastKeyframes *all = f->keyframes;
    Keyframe *k = NULL;
    bool kept = room_for_one(all);
    fast_batch_finish_all(f);
    fast_plain_forget(f);
    for (size_t i = 0; i < all->row_chunks && kept; i++) kept = keep_rows(f, i);
    for (size_t i = 0; i < all->sum_chunks && kept; i++) kept = keep_sums(f, i);
    if (kept) k = capture(f);
    if (!k) { /* the run goes on as well without */
        f->keyframe_due = fast_work(&f->state) + all->spacing;
        return;
    }
    visit_all(f, past(k), hold);
    all->bytes += k->bytes;
    all->list[all->count++] = k;
    thin(f);
    set_due(f);
}

/* -- going there -- */

/* After a failure in the midst of a cycle nobody knows who held what: counts all references anew
 * and has all others free. */
static void recount(Fast *f) {
    struct FastKeyframes *all = f->keyframes;
    State *st = &f->state;
    const uint32_t number = ++all->recounts;
    if (f->timing_only) return;
    memset(f->vec_refs, 0, (size_t)st->vec_used * sizeof *f->vec_refs);
    visit_all(f, present(f), hold);
    for (size_t i = 0; i < all->row_chunks; i++)
        visit_rows(f, f->rows + i * SIM_CHUNK, rows_in(f, i), hold);
    for (int32_t i = 0; i < all->count; i++) {
        visit_all(f, past(all->list[i]), hold);
        for (size_t c = 0; c < all->row_chunks; c++) {
            RowChunk *chunk = all->list[i]->rows[c];
            if (!chunk || chunk->counted == number) continue;
            chunk->counted = number;
            visit_rows(f, chunk->row, SIM_CHUNK, hold);
        }
    }
    st->vec_free = SIM_NONE;
    st->vec_live = 0;
    for (int32_t vec = 0; vec < st->vec_used; vec++) {
        if (f->vec_refs[vec] > 0) {
            st->vec_live++;
            continue;
        }
        f->vec_refs[vec] = st->vec_free;
        st->vec_free = vec;
    }
}

static void restore(Fast *f, Keyframe *k, bool broken) {
    struct FastKeyframes *all = f->keyframes;
    State *st = &f->state;
    int32_t vec_free, vec_used, vec_live;
    fast_batch_reset(f);
    fast_plain_forget(f);
    if (!broken) {
        visit_all(f, past(k), hold);
        visit_all(f, present(f), fast_vec_drop);
    }
    for (size_t i = 0; i < all->row_chunks; i++) restore_rows(f, i, k->rows[i], !broken);
    for (size_t i = 0; i < all->sum_chunks; i++) restore_sums(f, i, k->sums[i]);
    vec_free = st->vec_free, vec_used = st->vec_used, vec_live = st->vec_live;
    *st = k->state;
    st->vec_free = vec_free, st->vec_used = vec_used, st->vec_live = vec_live;
    for (int32_t i = 0; i < SIM_ALUS; i++) st->alu[i].filled_type = 0; /* its row is not kept */
    memcpy(f->slots, k->slots, TSP_MAX_STREAMS * (size_t)f->ring * sizeof *f->slots);
    memcpy(f->buckets, k->buckets, (size_t)f->wheel * sizeof *f->buckets);
    memcpy(f->occupied, k->occupied, (size_t)f->wheel / 64 * sizeof *f->occupied);
    memcpy(f->events, k->events, (size_t)st->event_used * sizeof *f->events);
    memcpy(f->intervals, k->intervals, (size_t)f->program->op_count * sizeof *f->intervals);
    memcpy(f->accumulator_type, k->accumulator_type,
           SIM_PLANES * (size_t)f->m->mxm_accumulator_rows);
    move_results(f, k, false);
    f->switches = false;
    if (broken) recount(f);
    set_due(f);
}

bool fast_keyframe_near(Fast *f, int64_t cycle, bool broken) {
    const struct FastKeyframes *all = f->keyframes;
    Keyframe *best = NULL;
    for (int32_t i = 0; all && i < all->count && all->list[i]->state.now <= cycle; i++)
        best = all->list[i];
    if (!broken && f->state.now <= cycle && (!best || best->state.now <= f->state.now)) return true;
    if (best) restore(f, best, broken);
    return best != NULL;
}

/* -- all of them -- */

int64_t fast_keyframes_vectors(const Fast *f, int64_t budget_bytes) {
    /* Memory may lose every row once between two looks at the budget. */
    if (budget_bytes == 0) return 0;
    return budget_bytes / TSP_MAX_LANES + 2 * (int64_t)f->row_count;
}

bool fast_keyframes_start(Fast *f, int64_t budget_bytes, int64_t spacing, TspError *err) {
    const size_t sums = SIM_PLANES * (size_t)f->m->mxm_accumulator_rows;
    struct FastKeyframes *all;
    f->keyframe_due = INT64_MAX;
    if (budget_bytes == 0) return true;
    all = f->keyframes = calloc(1, sizeof *all);
    if (all) {
        all->budget_bytes = budget_bytes;
        all->least = all->spacing = spacing;
        all->row_chunks = (f->row_count + SIM_CHUNK - 1) / SIM_CHUNK;
        all->sum_chunks = (sums + FAST_SUM_CHUNK - 1) / FAST_SUM_CHUNK;
        all->rows = calloc(all->row_chunks + 1, sizeof(RowChunk *));
        all->sums = calloc(all->sum_chunks + 1, sizeof(SumChunk *));
        if (all->rows && all->sums) return true;
    }
    return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator's state");
}

void fast_keyframes_forget(Fast *f) {
    struct FastKeyframes *all = f->keyframes;
    if (!all || (all->bytes == 0 && f->keyframe_due == 0)) return; /* there is nothing */
    for (int32_t i = 0; i < all->count; i++) drop(f, all->list[i]);
    for (size_t i = 0; i < all->row_chunks; i++) {
        leave_rows(f, all->rows[i]);
        all->rows[i] = NULL;
        f->row_chunk[i] |= f->row_chunk[i] ? FAST_CHUNK_CHANGED : 0;
    }
    for (size_t i = 0; i < all->sum_chunks; i++) {
        if (all->sums[i]) f->sum_changed[i] = true;
        leave_sums(f, all->sums[i]);
        all->sums[i] = NULL;
    }
    all->count = 0;
    all->spacing = all->least;
    set_due(f);
}

void fast_keyframes_stop(Fast *f) {
    struct FastKeyframes *all = f->keyframes;
    if (!all) return;
    if (all->rows && all->sums) fast_keyframes_forget(f);
    free(all->rows);
    free(all->sums);
    free(all->list);
    free(all);
    f->keyframes = NULL;
}
