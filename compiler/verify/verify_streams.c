/* verify_streams.c - proves that no two producers meet on a stream register, that every operand
 * reads a value, and that it is the value of the producer that the debug information links to it.
 *
 * A value keeps its diagonal (see docs/architecture.md): it moves one column a cycle, so
 * cycle - column (eastward) or cycle + column (westward) never changes. On one diagonal of one
 * stream, order along the flow is order in time, and what a read sees is the last drive at or
 * before it on its diagonal. So each stream is proved alone: the drives and reads on it sorted by
 * (diagonal, place along the flow, drive before read) and swept once, a window of diagonals at a
 * time.
 */
#include "verify_parts.h"

#include <stdlib.h>
#include <string.h>

/* Sort key, 32 bits: diagonal in its window, place along the flow, read after drive, queue. */
enum { QUEUE_BITS = 8, READ_BITS = 1, PLACE_BITS = 7, WINDOW_BITS = 14, DIGIT_BITS = 10 };
enum {
    READ_SHIFT = QUEUE_BITS,
    PLACE_SHIFT = READ_SHIFT + READ_BITS,
    WINDOW_SHIFT = PLACE_SHIFT + PLACE_BITS,
    WINDOW = 1 << WINDOW_BITS,
    DIGITS = 1 << DIGIT_BITS
};
_Static_assert(WINDOW_SHIFT + WINDOW_BITS <= 3 * DIGIT_BITS, "three digits sort a key");
_Static_assert(TSP_MAX_QUEUES <= 1 << QUEUE_BITS, "a queue fits its bits");
_Static_assert(TSP_MAX_COLUMNS <= 1 << PLACE_BITS, "a column fits its bits");

/* A burst's use of one stream. */
typedef struct {
    Issue next;          /* the first issue that is in no window yet */
    int64_t diagonal;    /* of that issue */
    int32_t link, links; /* range of links in sorted order that speak about this operand */
    int32_t run, first;  /* of the debug information; run -1: none */
    int16_t delay;       /* from issue to drive, or to sampling */
    int16_t operand;     /* -1: drives */
} Tap;

typedef struct {
    Tap *taps;
    int32_t count, capacity;
} TapList;

typedef struct {
    uint32_t key, tap, iteration;
} Event;

typedef struct {
    Verifier *v;
    TspLink *links;  /* sorted by consumer, operand */
    int64_t *proved; /* iterations of each of them */
    TapList lists[TSP_MAX_STREAMS];
    int32_t *active; /* taps with an issue left, sorted by nothing */
    Event *events, *spare;
    size_t event_count, event_capacity;
} Streams;

static int compare_links(const void *left, const void *right) {
    const TspLink *a = left, *b = right;
    if (a->consumer != b->consumer) return a->consumer < b->consumer ? -1 : 1;
    return (a->operand > b->operand) - (a->operand < b->operand);
}

/* First link in sorted order that is not before (consumer, operand). */
static int32_t find_link(const Streams *s, int32_t consumer, int32_t operand) {
    TspLink key = {.consumer = consumer, .operand = operand};
    int32_t low = 0, high = s->v->program->link_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (compare_links(&s->links[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool push_tap(TapList *list, const Tap *tap) {
    if (list->count == list->capacity) {
        int32_t capacity = list->capacity ? 2 * list->capacity : 64;
        Tap *taps = realloc(list->taps, (size_t)capacity * sizeof *taps);
        if (!taps) return false;
        list->taps = taps;
        list->capacity = capacity;
    }
    list->taps[list->count++] = *tap;
    return true;
}

/* Cycle minus or plus column: what a value keeps while it flows. Ascends with the cycle. */
static int64_t diagonal_of(const Verifier *v, const Tap *tap, int32_t stream) {
    int64_t cycle = tap->next.cycle + tap->delay;
    int32_t column = v->queues[tap->next.burst->queue].column;
    return TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? cycle - column : cycle + column;
}

/* Adds `count` taps of a burst, one on each stream of a group. operand < 0: they drive. */
static bool add_taps(Streams *s, const Burst *b, int32_t stream, int32_t count, int32_t operand) {
    Verifier *v = s->v;
    const TspInsnDebug *debug = v->program->queues[b->queue].debug;
    /* The write half of a combined slot belongs to its own run. */
    int half = b->insn.op == TSP_OP_READ_WRITE && operand >= 0;
    Tap tap = {.next = {b, b->start, 0, 0}, .run = -1, .operand = (int16_t)operand};
    tap.delay = (int16_t)(operand >= 0                      ? tsp_insn_skew(v->machine, &b->insn)
                          : b->insn.op == TSP_OP_READ_WRITE ? tsp_op_func(v->machine, TSP_OP_READ)
                                                            : tsp_insn_func(v->machine, &b->insn));
    if (debug) {
        tap.run = debug[b->index].run[half];
        tap.first = debug[b->index].first[half];
    }
    for (int32_t i = 0; i < count; i++) {
        int32_t number = TSP_STREAM_NUMBER(stream) + i;
        int32_t at = TSP_STREAM(TSP_STREAM_DIRECTION(stream), number);
        if (operand >= 0) {
            tap.operand = (int16_t)(operand + i);
            tap.link = tap.links = 0;
            if (tap.run >= 0) {
                tap.link = find_link(s, tap.run, tap.operand);
                tap.links = find_link(s, tap.run, tap.operand + 1) - tap.link;
            }
        }
        tap.diagonal = diagonal_of(v, &tap, at);
        if (!push_tap(&s->lists[at], &tap)) return false;
    }
    return true;
}

static bool add_burst(Streams *s, const Burst *b) {
    const TspInsnInfo *info = tsp_insn_info(b->insn.op);
    int32_t operand = 0;
    for (int32_t f = 0; f < info->field_count; f++) {
        const TspField *field = &info->fields[f];
        int32_t value, count;
        bool drives;
        if (!field->name) continue;
        value = tsp_field_get(&b->insn, field);
        if (field->kind == TSP_KIND_DST   ? value == TSP_DST_NONE
            : field->kind == TSP_KIND_SRC ? TSP_SRC_KIND(value) != TSP_SRC_STREAM
                                          : !tsp_kind_is_stream(field->kind))
            continue;
        drives = tsp_field_drives(field, b->insn.op);
        if (b->insn.op == TSP_OP_ACC && !b->insn.emit) continue;
        count = b->insn.op == TSP_OP_LW ? b->insn.count
                                        : tsp_field_streams(s->v->machine, field, &b->insn);
        if (!add_taps(s, b, value, count, drives ? -1 : operand)) return false;
        if (!drives) operand += count;
    }
    return true;
}

static bool add_line(Streams *s, const Timeline *line) {
    for (int32_t i = 0; i < line->count; i++)
        if (!add_burst(s, &line->bursts[i])) return false;
    return true;
}

/* Least-significant-digit radix sort of s->events by key. */
static void sort_events(Streams *s) {
    for (int pass = 0; pass < 3; pass++) {
        size_t start[DIGITS] = {0}, sum = 0;
        int shift = pass * DIGIT_BITS;
        Event *sorted = s->spare;
        for (size_t i = 0; i < s->event_count; i++)
            start[(s->events[i].key >> shift) & (DIGITS - 1)]++;
        for (int digit = 0; digit < DIGITS; digit++) {
            size_t count = start[digit];
            start[digit] = sum;
            sum += count;
        }
        for (size_t i = 0; i < s->event_count; i++)
            sorted[start[(s->events[i].key >> shift) & (DIGITS - 1)]++] = s->events[i];
        s->spare = s->events;
        s->events = sorted;
    }
}

static bool reserve_events(Streams *s, size_t count) {
    if (count > s->event_capacity) {
        size_t capacity = 2 * count;
        Event *events = realloc(s->events, capacity * sizeof *events);
        if (events) s->events = events;
        Event *spare = realloc(s->spare, capacity * sizeof *spare);
        if (spare) s->spare = spare;
        if (!events || !spare) return false;
        s->event_capacity = capacity;
    }
    return true;
}

/* Moves the issues of a tap that lie below diagonal base + WINDOW to the events. */
static bool take_window(Streams *s, Tap *tap, uint32_t index, int32_t stream, int64_t base) {
    const Burst *b = tap->next.burst;
    const Timeline alone = {(Burst *)b, 1, 1};
    int32_t column = s->v->queues[b->queue].column;
    bool eastward = TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD;
    int32_t place = eastward ? column : tsp_columns(s->v->machine) - 1 - column;
    uint32_t low = (uint32_t)place << PLACE_SHIFT | (uint32_t)(tap->operand >= 0) << READ_SHIFT |
                   (uint32_t)b->queue;
    int64_t first = tap->next.cycle - tap->diagonal; /* constant: cycle less diagonal */
    if (!reserve_events(s, s->event_count + WINDOW)) return false;
    while (tap->diagonal < base + WINDOW) {
        s->events[s->event_count++] =
            (Event){(uint32_t)(tap->diagonal - base) << WINDOW_SHIFT | low, index,
                    (uint32_t)issue_iteration(&tap->next)};
        if (!walk_next(&alone, &tap->next)) {
            tap->diagonal = INT64_MAX;
            break;
        }
        tap->diagonal = tap->next.cycle - first;
    }
    return true;
}

static int64_t event_cycle(const Streams *s, const Event *e, const TapList *list, int32_t stream,
                           int64_t base) {
    int32_t column = s->v->queues[list->taps[e->tap].next.burst->queue].column;
    int64_t diagonal = base + (int64_t)(e->key >> WINDOW_SHIFT);
    return TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? diagonal + column : diagonal - column;
}

/* Of how many iterations first..end-1 of its consumer a link says what they read. Where several
 * share the iterations of an operand, each speaks for those that its producer has. */
static int64_t spoken_for(const Streams *s, const TspLink *link, int64_t first, int64_t end) {
    const TspProgram *p = s->v->program;
    if (link->producer < 0 || link->producer >= p->run_count) return end - first;
    if (first < -(int64_t)link->offset) first = -(int64_t)link->offset;
    if (end > (int64_t)p->runs[link->producer].count - link->offset)
        end = (int64_t)p->runs[link->producer].count - link->offset;
    return end > first ? end - first : 0;
}

/* The drive must be what every link that speaks for the iteration says, and one must. */
static void check_links(Streams *s, const Event *read, const Event *drive, const TapList *list,
                        int32_t stream, int64_t base) {
    const Tap *reader = &list->taps[read->tap], *driver = &list->taps[drive->tap];
    const int64_t iteration = (int64_t)reader->first + read->iteration;
    bool spoken = false;
    Verifier *v = s->v;
    for (int32_t l = reader->link; l < reader->link + reader->links; l++) {
        int64_t wanted = iteration + s->links[l].offset;
        int64_t got = (int64_t)driver->first + drive->iteration;
        bool last = l == reader->link + reader->links - 1;
        if (!spoken_for(s, &s->links[l], iteration, iteration + 1) && !(last && !spoken)) continue;
        spoken = true;
        if (driver->run == s->links[l].producer && wanted == got) {
            s->proved[l]++;
            v->proof.links_proved++;
            continue;
        }
        verify_offend(v, TSP_RULE_WRONG_VALUE, event_cycle(s, read, list, stream, base), AT_SAMPLE,
                      reader->next.burst->queue, reader->next.burst->index,
                      "operand %d: wanted run %d iteration %lld, finds run %d iteration %lld",
                      reader->operand, s->links[l].producer, (long long)wanted, driver->run,
                      (long long)got);
    }
}

/* Two drives of one register. Of two producers the greater queue is the offender; of two
 * instructions of one queue, whose delays then differ, the later. Returns the drive that stands. */
static const Event *collide(Streams *s, const Event *first, const Event *second,
                            const TapList *list, int32_t stream, int64_t base) {
    const Burst *a = list->taps[first->tap].next.burst, *b = list->taps[second->tap].next.burst;
    char name[32];
    if (a->queue == b->queue && a->index > b->index)
        return collide(s, second, first, list, stream, base);
    tsp_queue_name(s->v->machine, a->queue, name);
    verify_offend(s->v, TSP_RULE_STREAM_COLLISION, event_cycle(s, second, list, stream, base),
                  AT_DRIVE, b->queue, b->index, "s%d.%c is also driven by %s, instruction %d",
                  TSP_STREAM_NUMBER(stream), "ew"[TSP_STREAM_DIRECTION(stream)], name, a -> index);
    return first;
}

/* Whether a read is one of the vectors that an Ifetch takes after the first. */
static bool is_later_vector(const Event *read, const Burst *b) {
    return b->insn.op == TSP_OP_IFETCH && read->iteration > 0;
}

static void sweep(Streams *s, const TapList *list, int32_t stream, int64_t base) {
    Verifier *v = s->v;
    const Event *drive = NULL, *end = s->events + s->event_count;
    for (const Event *e = s->events; e < end; e++) {
        const Burst *b = list->taps[e->tap].next.burst;
        bool same_diagonal = drive && drive->key >> WINDOW_SHIFT == e->key >> WINDOW_SHIFT;
        if (!(e->key >> READ_SHIFT & 1)) {
            bool collides = drive && drive->key >> PLACE_SHIFT == e->key >> PLACE_SHIFT;
            drive = collides ? collide(s, drive, e, list, stream, base) : e;
        } else if (!same_diagonal) {
            verify_offend(v, TSP_RULE_STREAM_UNDEFINED, event_cycle(s, e, list, stream, base),
                          is_later_vector(e, b) ? AT_FETCH : AT_SAMPLE, b->queue, b->index,
                          "s%d.%c holds nothing at column %d", TSP_STREAM_NUMBER(stream),
                          "ew"[TSP_STREAM_DIRECTION(stream)], v -> queues[b->queue].column);
        } else {
            v->proof.reads_proved++;
            if (!is_later_vector(e, b)) check_links(s, e, drive, list, stream, base);
        }
    }
}

/* Every iteration of a consumer must have been met, and by every link that speaks for it; debug
 * information that names runs or operands which no instruction has would prove nothing. Comes last:
 * it belongs to no cycle. */
static bool links_met(const Streams *s, TspError *err) {
    const TspProgram *p = s->v->program;
    for (int32_t first = 0, end; first < p->link_count; first = end) {
        const TspLink *link = &s->links[first];
        const bool known = link->consumer >= 0 && link->consumer < p->run_count;
        const int32_t count = known ? p->runs[link->consumer].count : 0;
        int64_t met = 0;
        bool all = known;
        for (end = first; end < p->link_count && !compare_links(link, &s->links[end]); end++) {
            const int64_t spoken = spoken_for(s, &s->links[end], 0, count);
            all &= spoken > 0 && s->proved[end] == spoken;
            met += s->proved[end];
        }
        if (all && met >= count) continue;
        return tsp_fail_rule(err, TSP_RULE_WRONG_VALUE, -1,
                             known ? p->runs[link->consumer].queue : -1, "", -1,
                             "run %d, operand %d: %lld of its %d iterations read it",
                             (int)link->consumer, (int)link->operand, (long long)met, (int)count);
    }
    return true;
}

static int compare_taps(const void *left, const void *right) {
    const Tap *a = left, *b = right;
    if (a->diagonal != b->diagonal) return a->diagonal < b->diagonal ? -1 : 1;
    return 0;
}

/* Proves one stream. Taps join the active ones when the window reaches their first diagonal. */
static bool check_stream(Streams *s, int32_t stream) {
    TapList *list = &s->lists[stream];
    int32_t active_count = 0, joined = 0;
    if (list->count == 0) return true;
    qsort(list->taps, (size_t)list->count, sizeof *list->taps, compare_taps);
    for (;;) {
        int64_t base = joined < list->count ? list->taps[joined].diagonal : INT64_MAX;
        int32_t kept = 0;
        for (int32_t i = 0; i < active_count; i++) {
            if (list->taps[s->active[i]].diagonal == INT64_MAX) continue;
            s->active[kept++] = s->active[i];
            if (list->taps[s->active[i]].diagonal < base) base = list->taps[s->active[i]].diagonal;
        }
        active_count = kept;
        /* A westward diagonal is at most a chip's width ahead of its cycle. */
        if (base == INT64_MAX || base - tsp_columns(s->v->machine) > s->v->horizon) return true;
        while (joined < list->count && list->taps[joined].diagonal < base + WINDOW)
            s->active[active_count++] = joined++;
        s->event_count = 0;
        for (int32_t i = 0; i < active_count; i++) {
            int32_t at = s->active[i];
            if (!take_window(s, &list->taps[at], (uint32_t)at, stream, base)) return false;
        }
        sort_events(s);
        sweep(s, list, stream, base);
    }
}

static bool check_all(Streams *s) {
    Verifier *v = s->v;
    size_t links = (size_t)v->program->link_count;
    int32_t most = 1;
    s->links = malloc((links + 1) * sizeof *s->links);
    s->proved = calloc(links + 1, sizeof *s->proved);
    if (!s->links || !s->proved) return false;
    if (links) memcpy(s->links, v->program->links, links * sizeof *s->links);
    qsort(s->links, links, sizeof *s->links, compare_links);
    for (int32_t q = 0; q < v->queue_count; q++)
        if (!add_line(s, &v->lines[q]) || !add_line(s, &v->fetches[q])) return false;
    for (int32_t i = 0; i < TSP_MAX_STREAMS; i++)
        if (s->lists[i].count > most) most = s->lists[i].count;
    s->active = malloc((size_t)most * sizeof *s->active);
    if (!s->active) return false;
    for (int32_t i = 0; i < TSP_MAX_STREAMS; i++)
        if (!check_stream(s, i)) return false;
    return true;
}

bool verify_streams(Verifier *v, TspError *err) {
    Streams *s = calloc(1, sizeof *s);
    bool fine = s != NULL, met = true;
    if (s) {
        s->v = v;
        fine = check_all(s);
        met = !fine || verify_found(v) || links_met(s, err);
        for (int32_t i = 0; i < TSP_MAX_STREAMS; i++) free(s->lists[i].taps);
        free(s->links);
        free(s->proved);
        free(s->active);
        free(s->events);
        free(s->spare);
        free(s);
    }
    return fine ? met : tsp_fail(err, TSP_ERR_SYSTEM, "out of memory while verifying");
}
