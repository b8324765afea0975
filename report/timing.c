/* timing.c - when every word of the queues issues: the queues alone tell, but for Sync. */
#include "report_parts.h"

#include <stdlib.h>
#include <string.h>

/* Where a queue stands; parked: at a Sync, since `now`. */
typedef struct {
    int32_t word;
    int64_t now;
    bool parked;
} Cursor;

typedef struct {
    Timing *t;
    Cursor cursors[TSP_MAX_QUEUES];
    int64_t *notifies; /* cycles, in no order */
    int32_t notify_count;
} Clock;

static bool fail_word(const Timing *t, int32_t queue, int32_t word, int64_t cycle, TspRule rule,
                      const char *text, TspError *err) {
    char name[32];
    tsp_queue_name(&t->program->machine, queue, name);
    return tsp_fail_rule(err, rule, cycle, queue, name, word, "%s", text);
}

static void find_ops(const TspProgram *p, const TspInsnDebug *debug, Burst *b) {
    for (int32_t half = 0; half < 2; half++) {
        int32_t run = debug ? debug->run[half] : -1;
        b->run[half] = run;
        b->op[half] = run >= 0 ? p->runs[run].op : -1;
    }
}

static bool keep_burst(Timing *t, const Burst *b, TspError *err) {
    if (t->burst_count == t->capacity) {
        const int32_t capacity = t->capacity ? 2 * t->capacity : 1024;
        Burst *more = realloc(t->bursts, (size_t)capacity * sizeof *more);
        if (!more) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
        t->bursts = more;
        t->capacity = capacity;
    }
    t->bursts[t->burst_count++] = *b;
    return true;
}

/* Takes the word at the cursor, with its Repeat. */
static bool take_word(Clock *clock, int32_t queue, TspError *err) {
    Timing *t = clock->t;
    const TspQueue *q = &t->program->queues[queue];
    Cursor *c = &clock->cursors[queue];
    const int32_t word = c->word++;
    Burst b = {.queue = queue, .start = c->now, .last = c->now, .repeat = {.op = TSP_OP_NOP}};
    TspError why;
    int64_t effect;
    if (!tsp_decode(q->words[word], &b.insn, &why))
        return fail_word(t, queue, word, c->now, TSP_RULE_ENCODING, why.text, err);
    if (!tsp_insn_validate(&t->program->machine, &b.insn, queue, &why))
        return fail_word(t, queue, word, c->now, why.rule, why.text, err);
    if (b.insn.op == TSP_OP_NOP) return c->now += b.insn.n, true;
    if (b.insn.op == TSP_OP_REPEAT)
        return fail_word(t, queue, word, c->now, TSP_RULE_REPEAT_ALONE,
                         "a Repeat follows an instruction of a unit", err);
    if (b.insn.op == TSP_OP_SYNC) return c->parked = true;
    if (b.insn.op == TSP_OP_NOTIFY) clock->notifies[clock->notify_count++] = c->now;
    if (c->word < q->count && tsp_insn_info(b.insn.op)->unit != TSP_UNIT_ANY &&
        tsp_decode(q->words[c->word], &b.repeat, &why) && b.repeat.op == TSP_OP_REPEAT &&
        tsp_insn_validate(&t->program->machine, &b.repeat, queue, &why))
        c->word++;
    else
        b.repeat = (TspInsn){.op = TSP_OP_NOP};
    b.last += (int64_t)b.repeat.n * b.repeat.d + (int64_t)b.repeat.n2 * b.repeat.d2;
    c->now = b.last + 1;
    effect = b.last + tsp_insn_func(&t->program->machine, &b.insn);
    if (effect > t->cycles) t->cycles = effect;
    t->issues += burst_issues(&b);
    find_ops(t->program, q->debug ? &q->debug[word] : NULL, &b);
    return keep_burst(t, &b, err);
}

static bool run_to_sync(Clock *clock, int32_t queue, TspError *err) {
    Cursor *c = &clock->cursors[queue];
    while (!c->parked && c->word < clock->t->program->queues[queue].count)
        if (!take_word(clock, queue, err)) return false;
    return true;
}

/* The first Notify in or after a cycle; -1: none yet. */
static int64_t next_notify(const Clock *clock, int64_t cycle) {
    int64_t best = -1;
    for (int32_t i = 0; i < clock->notify_count; i++)
        if (clock->notifies[i] >= cycle && (best < 0 || clock->notifies[i] < best))
            best = clock->notifies[i];
    return best;
}

/* Releases the queues that the earliest Notify releases: none that comes later can be earlier. */
static bool release(Clock *clock, bool *any, TspError *err) {
    const TspMachine *m = &clock->t->program->machine;
    int64_t least = -1;
    int32_t stuck = -1;
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++) {
        const Cursor *c = &clock->cursors[q];
        const int64_t cycle = c->parked ? next_notify(clock, c->now) : -1;
        if (c->parked && stuck < 0) stuck = q;
        if (cycle >= 0 && (least < 0 || cycle < least)) least = cycle;
    }
    *any = stuck >= 0;
    if (stuck >= 0 && least < 0)
        return fail_word(clock->t, stuck, clock->cursors[stuck].word - 1, clock->cursors[stuck].now,
                         TSP_RULE_BARRIER_DEADLOCK, "no Notify releases it", err);
    for (int32_t q = 0; q < TSP_MAX_QUEUES && *any; q++) {
        Cursor *c = &clock->cursors[q];
        if (!c->parked || next_notify(clock, c->now) != least) continue;
        c->parked = false;
        c->now = least + m->barrier_cycles;
    }
    return true;
}

static int by_queue(const void *left, const void *right) {
    const Burst *a = left, *b = right;
    if (a->queue != b->queue) return a->queue < b->queue ? -1 : 1;
    return a->start < b->start ? -1 : a->start > b->start;
}

static bool run_clock(Clock *clock, TspError *err) {
    bool any = true;
    while (any) {
        for (int32_t q = 0; q < TSP_MAX_QUEUES; q++)
            if (!run_to_sync(clock, q, err)) return false;
        if (!release(clock, &any, err)) return false;
    }
    return true;
}

static void index_queues(Timing *t) {
    int32_t at = 0;
    if (t->burst_count) qsort(t->bursts, (size_t)t->burst_count, sizeof *t->bursts, by_queue);
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++) {
        t->first[q] = at;
        while (at < t->burst_count && t->bursts[at].queue == q) at++;
    }
    t->first[TSP_MAX_QUEUES] = at;
}

bool timing_make(Timing *t, const TspProgram *p, TspError *err) {
    Clock clock = {.t = t};
    size_t words = 1;
    bool done;
    *t = (Timing){.program = p};
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++) words += (size_t)p->queues[q].count;
    if (!(clock.notifies = malloc(words * sizeof *clock.notifies)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
    done = run_clock(&clock, err);
    free(clock.notifies);
    if (done && p->predicted_cycles >= 0 && p->predicted_cycles != t->cycles)
        done = tsp_fail(err, TSP_ERR_INPUT,
                        "the program predicts %lld cycles, but its queues take %lld; compile it "
                        "again",
                        (long long)p->predicted_cycles, (long long)t->cycles);
    if (!done) return timing_free(t), false;
    index_queues(t);
    return true;
}

void timing_free(Timing *t) {
    free(t->bursts);
    free(t->runs);
    free(t->by_flow);
    free(t->flow_at);
    *t = (Timing){0};
}

int64_t burst_issues_before(const Burst *b, int64_t cycle) {
    const TspInsn *r = &b->repeat;
    int64_t since = cycle - 1 - b->start, j, i;
    if (since < 0) return 0;
    if (cycle > b->last) return burst_issues(b);
    j = r->n2 ? since / r->d2 : 0;
    if (j > r->n2) j = r->n2;
    i = r->n ? (since - j * r->d2) / r->d : 0;
    if (i > r->n) i = r->n;
    return j * ((int64_t)r->n + 1) + i + 1;
}

const Burst *burst_find(const Timing *t, int32_t queue, int64_t cycle) {
    int32_t low = t->first[queue], high = t->first[queue + 1];
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (t->bursts[middle].start <= cycle)
            low = middle + 1;
        else
            high = middle;
    }
    return low > t->first[queue] ? &t->bursts[low - 1] : NULL;
}
