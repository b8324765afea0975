/* traffic.c - reads and writes over time, slice by slice.
 */
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

/* Time is counted in ticks. What comes within NEAR ticks of an access may well meet it in the end,
 * and costs less than what meets it anyway. */
enum { TICK_CYCLES = 32, NEAR = 2, MEETS = 4, MAY_MEET = 1 };

/* Ticks from..to of one of the things that lie in memory. */
typedef struct {
    int32_t what;
    bool writes;
    int32_t from, to;
} Access;

/* What a tensor, or its stripes, was divided into: [copy][block][ctile], or [block][ctile][byte].
 */
typedef struct {
    int32_t first, copies, blocks, block_rows, ctiles, bytes;
} Parts;

struct Traffic {
    Parts *rows, *stripes; /* [tensor] */
    int32_t count;         /* of the things that lie in memory */
    Access *accesses;      /* by what, kind and time */
    int32_t access_count, access_capacity;
    int32_t *first; /* [what]: its first access; one more at the end */
    int32_t slices, banks, ticks;
    int32_t *busy;  /* [writes][slice][bank][tick] */
    int64_t *meets; /* [slice][bank] */
};

/* Where something lies, from an address of a slice on. */
typedef struct {
    int32_t slice, addr, what;
} Start;
typedef struct {
    Start *items;
    int32_t count, capacity;
} StartList;

static int by_place(const void *a, const void *b) {
    const Start *x = a, *y = b;
    return x->slice != y->slice ? x->slice - y->slice : x->addr - y->addr;
}

static int by_time(const void *a, const void *b) {
    const Access *x = a, *y = b;
    if (x->what != y->what) return x->what - y->what;
    if (x->writes != y->writes) return x->writes - y->writes;
    return x->from != y->from ? x->from - y->from : x->to - y->to;
}

/* Notes `things` that lie in `each` places, one after the other. */
static bool add_starts(StartList *list, const Place *places, int32_t first, int32_t things,
                       int32_t each, TspError *err) {
    if (!tsp_grow((void **)&list->items, &list->capacity, list->count + things * each,
                  sizeof *list->items, err))
        return false;
    for (int32_t i = 0; i < things * each; i++)
        list->items[list->count++] = (Start){places[i].slice, places[i].addr, first + i / each};
    return true;
}

static bool find_starts(Traffic *t, const Module *m, StartList *list, TspError *err) {
    for (int32_t i = 0; i < m->tensor_count; i++) {
        const Tensor *x = &m->tensors[i];
        if (x->places) {
            t->rows[i] =
                (Parts){t->count, x->copies, x->blocks, x->block_rows, x->ctiles, x->bytes};
            int32_t things = x->copies * x->blocks * x->ctiles;
            if (!add_starts(list, x->places, t->count, things, x->bytes, err)) return false;
            t->count += things;
        }
        if (x->stripes) {
            t->stripes[i] =
                (Parts){t->count, 1, x->stripe_blocks, x->stripe_rows, x->ctiles, x->bytes};
            int32_t things = x->stripe_blocks * x->ctiles * x->bytes;
            int32_t each = (int32_t)m->machine.mxm_load_streams;
            if (!add_starts(list, x->stripes, t->count, things, each, err)) return false;
            t->count += things;
        }
    }
    qsort(list->items, (size_t)list->count, sizeof *list->items, by_place);
    return true;
}

/* What a row of a slice belongs to: the last start that is not behind it. */
static int32_t what_lies(const StartList *list, int32_t slice, int32_t addr) {
    const Start row = {slice, addr, 0};
    int32_t low = 0, high = list->count;
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (by_place(&list->items[middle], &row) <= 0)
            low = middle;
        else
            high = middle;
    }
    return list->items[low].what;
}

static bool find_accesses(Traffic *t, const Module *m, const StartList *list, TspError *err) {
    for (int32_t i = 0; i < m->run_count; i++) {
        const Run *r = &m->runs[i];
        const bool writes = r->insn.op == TSP_OP_WRITE;
        const int64_t last = r->start + (int64_t)(r->count - 1) * r->interval;
        if (r->queue >= t->slices) continue;
        if (!tsp_grow((void **)&t->accesses, &t->access_capacity, t->access_count + 1,
                      sizeof *t->accesses, err))
            return false;
        t->accesses[t->access_count++] =
            (Access){what_lies(list, r->queue, writes ? r->insn.waddr : r->insn.addr), writes,
                     (int32_t)(r->start / TICK_CYCLES), (int32_t)(last / TICK_CYCLES)};
        if (last / TICK_CYCLES >= t->ticks) t->ticks = (int32_t)(last / TICK_CYCLES) + 1;
    }
    qsort(t->accesses, (size_t)t->access_count, sizeof *t->accesses, by_time);
    return true;
}

/* Bytes of a row, and stripes, pass within a few cycles: one access. */
static void drop_repeated(Traffic *t) {
    int32_t count = 0;
    for (int32_t i = 0; i < t->access_count; i++) {
        const Access *a = &t->accesses[i], *before = &t->accesses[count - 1];
        if (count && before->what == a->what && before->writes == a->writes &&
            a->from - before->from <= 1 && abs(a->to - before->to) <= 1)
            continue;
        t->accesses[count++] = *a;
    }
    t->access_count = count;
}

static bool new_tables(Traffic *t, TspError *err) {
    t->first = calloc((size_t)t->count + 1, sizeof *t->first);
    t->busy = calloc((size_t)(2 * t->slices * t->banks) * (size_t)(t->ticks + 1), sizeof *t->busy);
    t->meets = calloc((size_t)(t->slices * t->banks), sizeof *t->meets);
    if (!t->first || !t->busy || !t->meets) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t what = 0, i = 0; what <= t->count; what++) {
        while (i < t->access_count && t->accesses[i].what < what) i++;
        t->first[what] = i;
    }
    return true;
}

Traffic *traffic_new(const Module *m, TspError *err) {
    Traffic *t = calloc(1, sizeof *t);
    StartList list = {0};
    bool ok = false;
    if (!t) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), NULL;
    t->slices = (int32_t)(2 * m->machine.mem_slices);
    t->banks = (int32_t)m->machine.mem_banks;
    t->rows = calloc((size_t)m->tensor_count, sizeof *t->rows);
    t->stripes = calloc((size_t)m->tensor_count, sizeof *t->stripes);
    if (!t->rows || !t->stripes)
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    else if (find_starts(t, m, &list, err) && find_accesses(t, m, &list, err)) {
        drop_repeated(t);
        ok = new_tables(t, err);
    }
    free(list.items);
    if (!ok) traffic_free(t);
    return ok ? t : NULL;
}

void traffic_free(Traffic *t) {
    if (!t) return;
    free(t->rows);
    free(t->stripes);
    free(t->accesses);
    free(t->first);
    free(t->busy);
    free(t->meets);
    free(t);
}

/* The ticks of a (slice, bank). */
static int32_t *busy_of(const Traffic *t, bool writes, int32_t slice_bank) {
    return &t->busy[(int64_t)(writes * t->slices * t->banks + slice_bank) * t->ticks];
}

void traffic_clear(Traffic *t) {
    memset(t->busy, 0,
           (size_t)(2 * t->slices * t->banks) * (size_t)(t->ticks + 1) * sizeof *t->busy);
}

int32_t traffic_rows(const Traffic *t, int32_t tensor, int32_t copy, int32_t row, int32_t ctile) {
    const Parts *p = &t->rows[tensor];
    return p->first + (copy % p->copies * p->blocks + row / p->block_rows) * p->ctiles + ctile;
}

int32_t traffic_stripes(const Traffic *t, int32_t tensor, int32_t row, int32_t ctile,
                        int32_t byte) {
    const Parts *p = &t->stripes[tensor];
    return p->first + (row / p->block_rows * p->ctiles + ctile) * p->bytes + byte;
}

static int64_t sum(const int32_t *ticks, const Access *a) {
    int64_t sum = 0;
    for (int32_t i = a->from; i <= a->to; i++) sum += ticks[i];
    return sum;
}

const int64_t *traffic_meets(Traffic *t, int32_t what) {
    memset(t->meets, 0, (size_t)(t->slices * t->banks) * sizeof *t->meets);
    for (int32_t n = t->first[what]; n < t->first[what + 1]; n++)
        for (int32_t s = 0; s < t->slices; s++) {
            const Access *a = &t->accesses[n];
            int64_t *meets = &t->meets[s * t->banks], port = 0;
            for (int32_t b = 0; b < t->banks; b++) {
                port += sum(busy_of(t, a->writes, s * t->banks + b), a);
                meets[b] += sum(busy_of(t, !a->writes, s * t->banks + b), a);
            }
            for (int32_t b = 0; b < t->banks; b++) meets[b] += port;
        }
    return t->meets;
}

void traffic_take(Traffic *t, int32_t what, int32_t slice_bank) {
    for (int32_t n = t->first[what]; n < t->first[what + 1]; n++) {
        const Access *a = &t->accesses[n];
        int32_t *ticks = busy_of(t, a->writes, slice_bank);
        for (int32_t i = a->from - NEAR; i <= a->to + NEAR; i++)
            if (i >= 0 && i < t->ticks) ticks[i] += i >= a->from && i <= a->to ? MEETS : MAY_MEET;
    }
}
