/* fast_batch.c - batches of products and the threads that multiply them; see fast_batch.h.
 *
 * The main thread opens, fills and closes batches, and frees their vectors afterwards; whoever
 * holds a plane's `busy` flag multiplies the oldest closed one. Workers look at nothing that the
 * main thread changes: vectors and weights of a batch are held, accumulators are written by batches
 * alone.
 */
#include "fast_batch.h"

#include "fast_keyframe.h"
#include "fast_stream.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    BATCH_ROWS = 60,   /* whole tiles of the kernels */
    BATCH_DRIVEN = 18, /* rows if drives wait for them: done in time by another thread */
    BATCHES = 8,       /* of a plane, closed and not done yet, and one open: a power of two */
    SPINS = 20000,     /* looks for work before a worker sleeps */
    SPINS_BEFORE_YIELD = 200
};
_Static_assert(FAST_BATCH_VECTORS >= SIM_PLANES * BATCHES * BATCH_ROWS * 2, "held by batches");

typedef struct { /* what a batch multiplies by */
    const WeightSet *set[2];
    const int32_t *column[2]; /* vectors; not changed while a batch needs them */
    int32_t generation[2];
    TspDtype type; /* of the activations */
} Weights;

typedef struct {      /* small: every line of it goes from one core's cache to another's */
    int32_t vec[2];   /* held */
    int32_t from, to; /* accumulator rows of the chip, SIM_NONE: none */
} Row;

typedef struct {
    Weights weights;
    int32_t count, most;
    Row row[BATCH_ROWS];
    int32_t out[BATCH_ROWS][4]; /* of rows without `to`: the vectors that carry the sums */
    uint32_t sums[BATCH_ROWS][TSP_MAX_LANES]; /* of those */
} Batch;

typedef struct { /* batches by number: done <= closed; the open one is number `closed` */
    Batch batch[BATCHES];
    /* Cache lines by who writes them. */
    _Alignas(64) uint32_t open; /* the main thread's own copy of `closed` */
    uint32_t freed;             /* the vectors of those below */
    _Alignas(64) _Atomic uint32_t closed;
    _Alignas(64) _Atomic uint32_t done;
    atomic_flag busy;
    Weights prepared; /* what the kernels' weights hold; type says which kernel's */
    bool any_prepared;
    TspGemmInt8 *int8;
    TspGemmFp16 *fp16; /* even planes */
} Line;

struct FastBatches {
    Line line[SIM_PLANES];
    uint32_t *written; /* [accumulator row of the chip] the batch that wrote it last, plus 1 */
    const Fast *f;
    pthread_t *worker;
    int32_t workers;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    _Atomic int32_t asleep;
    _Atomic bool stopping;
};

/* -- multiplying -- */

static bool same_weights(const Weights *a, const Weights *b) {
    return a->type == b->type && a->generation[0] == b->generation[0] &&
           a->generation[1] == b->generation[1];
}

static bool meets(const Product *product, const Weights *w) {
    return w->type == product->type && w->generation[0] == product->generation[0] &&
           w->generation[1] == product->generation[1];
}

static Weights weights_of(const Fast *f, int32_t p, const Product *product) {
    Weights w = {.type = product->type};
    for (int32_t i = 0; i < (product->type == TSP_F16 ? 2 : 1); i++) {
        const Plane *plane = &f->state.plane[p + i];
        w.generation[i] = product->generation[i];
        w.set[i] = &plane->set[plane->set[0].generation == w.generation[i] ? 0 : 1];
        w.column[i] = plane->column[w.set[i]->array];
    }
    return w;
}

static void prepare(const Fast *f, Line *line, const Weights *w) {
    const uint8_t *column[2][TSP_MAX_LANES];
    if (line->any_prepared && same_weights(&line->prepared, w)) return;
    line->prepared = *w;
    line->any_prepared = true;
    for (int32_t i = 0; i < (w->type == TSP_F16 ? 2 : 1); i++)
        for (int32_t j = 0; j < f->lanes; j++)
            column[i][j] = w->column[i][j] == SIM_NONE ? NULL : fast_vec(f, w->column[i][j]);
    if (w->type != TSP_F16) {
        tsp_gemm_int8_prepare(line->int8, column[0], f->lanes, w->set[0]->type == TSP_U8,
                              w->type == TSP_U8);
        return;
    }
    tsp_gemm_fp16_prepare(line->fp16, column[0], column[1], f->lanes);
}

static void multiply(const Fast *f, Line *line, const Weights *w, const TspGemmRow *rows,
                     int32_t count) {
    prepare(f, line, w);
    if (w->type == TSP_F16)
        tsp_gemm_fp16(line->fp16, rows, count, f->kernel);
    else
        tsp_gemm_int8(line->int8, rows, count, f->kernel);
}

static uint32_t *accumulator(const Fast *f, int32_t row) {
    return f->accumulators + (size_t)row * (size_t)f->lanes;
}

static void multiply_batch(const Fast *f, Line *line, Batch *batch) {
    TspGemmRow rows[BATCH_ROWS];
    for (int32_t i = 0; i < batch->count; i++) {
        const Row *row = &batch->row[i];
        rows[i] =
            (TspGemmRow){.low = fast_vec(f, row->vec[0]),
                         .high = row->vec[1] == SIM_NONE ? NULL : fast_vec(f, row->vec[1]),
                         .add = row->from == SIM_NONE ? NULL : accumulator(f, row->from),
                         .out = row->to == SIM_NONE ? batch->sums[i] : accumulator(f, row->to)};
    }
    multiply(f, line, &batch->weights, rows, batch->count);
    for (int32_t i = 0; i < batch->count; i++) {
        uint8_t *out[4];
        if (batch->row[i].to != SIM_NONE) continue;
        for (int32_t k = 0; k < 4; k++) out[k] = fast_vec(f, batch->out[i][k]);
        f->alu_lanes->store(out, batch->sums[i], TSP_I32, f->lanes); /* bits */
    }
}

/* Does the oldest closed batch of a line, if there is one and nobody is at it. */
static bool do_one(const Fast *f, Line *line) {
    bool did = false;
    if (atomic_load_explicit(&line->done, memory_order_relaxed) == atomic_load(&line->closed) ||
        atomic_flag_test_and_set_explicit(&line->busy, memory_order_acquire))
        return false;
    const uint32_t number = atomic_load(&line->done);
    if (number != atomic_load(&line->closed)) {
        multiply_batch(f, line, &line->batch[number % BATCHES]);
        atomic_store(&line->done, number + 1);
        did = true;
    }
    atomic_flag_clear_explicit(&line->busy, memory_order_release);
    return did;
}

/* The main thread begins with the first plane and workers with the last, so that the sums of a
 * plane mostly stay in the caches of one core. */
static bool do_any(struct FastBatches *b, bool worker) {
    for (int32_t i = 0; i < SIM_PLANES; i++)
        if (do_one(b->f, &b->line[worker ? SIM_PLANES - 1 - i : i])) return true;
    return false;
}

/* -- workers -- */

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static bool work_left(struct FastBatches *b) {
    for (int32_t p = 0; p < SIM_PLANES; p++)
        if (atomic_load(&b->line[p].done) != atomic_load(&b->line[p].closed)) return true;
    return false;
}

static void sleep_until_work(struct FastBatches *b) {
    pthread_mutex_lock(&b->mutex);
    atomic_fetch_add(&b->asleep, 1);
    while (!atomic_load(&b->stopping) && !work_left(b)) pthread_cond_wait(&b->work, &b->mutex);
    atomic_fetch_sub(&b->asleep, 1);
    pthread_mutex_unlock(&b->mutex);
}

static void *work(void *batches) {
    struct FastBatches *b = batches;
    for (int32_t idle = 0; !atomic_load(&b->stopping);) {
        if (do_any(b, true)) {
            idle = 0;
        } else if (++idle < SPINS) {
            relax();
        } else {
            sleep_until_work(b);
            idle = 0;
        }
    }
    return NULL;
}

static void wake(struct FastBatches *b) {
    if (atomic_load(&b->asleep) == 0) return;
    pthread_mutex_lock(&b->mutex);
    pthread_cond_broadcast(&b->work);
    pthread_mutex_unlock(&b->mutex);
}

bool fast_batch_start(Fast *f, int32_t threads, TspError *err) {
    const size_t rows = SIM_PLANES * (size_t)f->m->mxm_accumulator_rows;
    /* Zeros, and taken from the host only where batches go. */
    void *place = mmap(NULL, sizeof(struct FastBatches), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct FastBatches *b = f->batches = place == MAP_FAILED ? NULL : place;
    bool room = b != NULL;
    if (b) {
        b->f = f;
        pthread_mutex_init(&b->mutex, NULL);
        pthread_cond_init(&b->work, NULL);
        b->written = calloc(rows + 1, sizeof *b->written);
        b->worker = calloc((size_t)threads, sizeof *b->worker);
        room = b->written && b->worker;
        for (int32_t p = 0; p < SIM_PLANES; p++) {
            Line *line = &b->line[p];
            line->int8 = aligned_alloc(64, sizeof *line->int8);
            line->fp16 = p % 2 ? NULL : aligned_alloc(64, sizeof *line->fp16);
            room = room && line->int8 && (p % 2 || line->fp16);
        }
    }
    if (!room) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator's state");
    for (; b->workers < threads - 1; b->workers++)
        if (pthread_create(&b->worker[b->workers], NULL, work, b) != 0)
            return tsp_fail(err, TSP_ERR_SYSTEM, "cannot start thread %d of %d; ask for fewer",
                            (int)b->workers + 2, (int)threads);
    return true;
}

void fast_batch_stop(Fast *f) {
    struct FastBatches *b = f->batches;
    if (!b) return;
    atomic_store(&b->stopping, true);
    pthread_mutex_lock(&b->mutex);
    pthread_cond_broadcast(&b->work);
    pthread_mutex_unlock(&b->mutex);
    for (int32_t i = 0; i < b->workers; i++) pthread_join(b->worker[i], NULL);
    pthread_mutex_destroy(&b->mutex);
    pthread_cond_destroy(&b->work);
    for (int32_t p = 0; p < SIM_PLANES; p++) {
        free(b->line[p].int8);
        free(b->line[p].fp16);
    }
    free(b->written);
    free(b->worker);
    munmap(b, sizeof *b);
}

/* -- the main thread -- */

static Batch *open_batch(Line *line) {
    return &line->batch[line->open % BATCHES];
}

/* Frees what batches that are done have held. */
static void free_done(Fast *f, Line *line) {
    const uint32_t done = atomic_load(&line->done);
    for (; line->freed != done; line->freed++) {
        Batch *batch = &line->batch[line->freed % BATCHES];
        for (int32_t i = 0; i < batch->count; i++)
            for (int32_t k = 0; k < 2; k++)
                if (batch->row[i].vec[k] != SIM_NONE) fast_vec_drop(f, batch->row[i].vec[k]);
        batch->count = 0;
    }
}

/* Until batches below `number` are done; meanwhile works on whatever there is to do. */
static void wait_for(Fast *f, Line *line, uint32_t number) {
    for (int32_t spins = 0; (int32_t)(atomic_load(&line->done) - number) < 0;) {
        if (do_any(f->batches, false)) continue;
        if (++spins % SPINS_BEFORE_YIELD == 0)
            sched_yield(); /* the worker may be without a core */
        else
            relax();
    }
    free_done(f, line);
}

/* Closes the open batch if there is anything in it; then there is room for another. */
static void close_batch(Fast *f, Line *line) {
    const uint32_t closed = line->open;
    if (open_batch(line)->count == 0) return;
    atomic_store(&line->closed, ++line->open);
    if (f->batches->workers > 0) wake(f->batches);
    wait_for(f, line, closed + 2 - BATCHES);
}

uint32_t fast_batch_add(Fast *f, int32_t plane, const Product *product, int32_t from, int32_t to,
                        const int32_t *out) {
    struct FastBatches *b = f->batches;
    Line *line = &b->line[plane];
    Batch *batch = open_batch(line);
    uint32_t number = line->open;
    /* Kernels take rows in order, so one may write what an earlier one has written or added; but
     * they take several at a time, so none may add what an earlier one has written. */
    if ((batch->count > 0 && !meets(product, &batch->weights)) ||
        (from != SIM_NONE && b->written[from] == number + 1)) {
        close_batch(f, line);
        batch = open_batch(line);
        number = line->open;
    }
    if (batch->count == 0) {
        batch->weights = weights_of(f, plane, product);
        batch->most = BATCH_ROWS;
    }
    if (out) batch->most = BATCH_DRIVEN;
    if (to != SIM_NONE) {
        b->written[to] = number + 1;
        f->sum_changed[to / FAST_SUM_CHUNK] = true;
    }
    const int32_t i = batch->count++;
    batch->row[i] = (Row){{product->vec[0], product->vec[1]}, from, to};
    if (out) memcpy(batch->out[i], out, sizeof batch->out[i]);
    if (batch->count >= batch->most) close_batch(f, line);
    return number;
}

void fast_batch_finish(Fast *f, int32_t plane, uint32_t number) {
    Line *line = &f->batches->line[plane];
    if (number == line->open) close_batch(f, line);
    if (number - line->freed < BATCHES) wait_for(f, line, number + 1);
}

static void finish_plane(Fast *f, int32_t plane) {
    Line *line = &f->batches->line[plane];
    close_batch(f, line);
    wait_for(f, line, line->open);
}

void fast_batch_finish_all(Fast *f) {
    for (int32_t p = 0; p < SIM_PLANES; p++) close_batch(f, &f->batches->line[p]);
    for (int32_t p = 0; p < SIM_PLANES; p++) finish_plane(f, p);
}

void fast_batch_finish_weights(Fast *f, int32_t plane, int32_t whose, int32_t generation) {
    Line *line = &f->batches->line[plane];
    const uint32_t last = line->open;
    for (uint32_t number = line->freed; number - line->freed <= last - line->freed; number++) {
        const Batch *batch = &line->batch[number % BATCHES];
        if (batch->count == 0 || batch->weights.generation[whose] != generation) continue;
        finish_plane(f, plane);
        return;
    }
}

void fast_batch_multiply_now(Fast *f, int32_t plane, Product *product) {
    Line *line = &f->batches->line[plane];
    const Weights w = weights_of(f, plane, product);
    TspGemmRow row = {.low = fast_vec(f, product->vec[0])};
    finish_plane(f, plane); /* from then on no other thread looks at the line */
    product->row = f->state.plane[plane].next_row++ % SIM_PRODUCTS;
    if (product->vec[1] != SIM_NONE) row.high = fast_vec(f, product->vec[1]);
    row.out = fast_product(f, plane, product->row);
    multiply(f, line, &w, &row, 1);
    for (int32_t k = 0; k < 2; k++) {
        if (product->vec[k] != SIM_NONE) fast_vec_drop(f, product->vec[k]);
        product->vec[k] = SIM_NONE;
    }
}

void fast_batch_reset(Fast *f) {
    fast_batch_finish_all(f); /* what workers are at has to end; what it wrote is forgotten */
    for (int32_t p = 0; p < SIM_PLANES; p++) f->batches->line[p].any_prepared = false;
}
