/* verify_time.c - turns every queue into a timeline of bursts, and collects its Ifetches and
 * Configs: decodes, checks words, adds up cycles and works out which Notify releases which Sync.
 */
#include "verify_parts.h"

#include <stdlib.h>

typedef enum { RUNNING, PARKED, STOPPED } State;

typedef struct {
    State state;
    int32_t next;    /* word */
    int64_t now;     /* cycle in which it issues, or in which the queue was parked */
    bool repeatable; /* the word before was an instruction that Repeat may follow */
    int32_t landed;  /* Ifetches whose text has come, for verify_text() */
} Walker;

typedef struct {
    int64_t *cycles; /* of every Notify met so far, ascending */
    int32_t count, capacity;
} Notifies;

static bool push_burst(Timeline *line, const Burst *burst, TspError *err) {
    if (line->count == line->capacity) {
        int32_t capacity = line->capacity ? 2 * line->capacity : 16;
        Burst *bursts = realloc(line->bursts, (size_t)capacity * sizeof *bursts);
        if (!bursts) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory while verifying");
        line->bursts = bursts;
        line->capacity = capacity;
    }
    line->bursts[line->count++] = *burst;
    return true;
}

static bool push_notify(Notifies *list, int64_t cycle, TspError *err) {
    if (list->count == list->capacity) {
        int32_t capacity = list->capacity ? 2 * list->capacity : 16;
        int64_t *cycles = realloc(list->cycles, (size_t)capacity * sizeof *cycles);
        if (!cycles) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory while verifying");
        list->cycles = cycles;
        list->capacity = capacity;
    }
    int32_t at = list->count++;
    for (; at > 0 && list->cycles[at - 1] > cycle; at--) list->cycles[at] = list->cycles[at - 1];
    list->cycles[at] = cycle;
    return true;
}

static bool push_switch(Verifier *v, const Switch *s, TspError *err) {
    if (v->switch_count == v->switch_capacity) {
        int32_t capacity = v->switch_capacity ? 2 * v->switch_capacity : 16;
        Switch *switches = realloc(v->switches, (size_t)capacity * sizeof *switches);
        if (!switches) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory while verifying");
        v->switches = switches;
        v->switch_capacity = capacity;
    }
    v->switches[v->switch_count++] = *s;
    return true;
}

/* Whether data that no one knows before the run decide if an issue is legal. */
static bool depends_on_data(const Verifier *v, TspOpcode op) {
    static const bool maps[TSP_OP_COUNT] = {[TSP_OP_GATHER] = true,
                                            [TSP_OP_SCATTER] = true,
                                            [TSP_OP_PERMUTE] = true,
                                            [TSP_OP_SELECT] = true};
    return maps[op] || (op == TSP_OP_IFETCH && v->ifetch_modelled);
}

static void count_issues(Verifier *v, const TspInsn *insn, int64_t issues, int64_t last) {
    v->proof.instructions += issues;
    if (depends_on_data(v, insn->op)) v->proof.run_time_conditions += issues;
    if (insn->op == TSP_OP_SYNC) return;
    last += tsp_insn_func(v->machine, insn);
    if (insn->op == TSP_OP_READ_WRITE && v->machine->mem_read_cycles > v->machine->mem_write_cycles)
        last += v->machine->mem_read_cycles - v->machine->mem_write_cycles;
    if (last > v->proof.cycles) v->proof.cycles = last;
}

/* Gives the last burst of the line its repetitions; validation saw to it that they do not overlap.
 * False if there is nothing to repeat. */
static bool repeat(Verifier *v, int32_t queue, Walker *w, const TspInsn *insn) {
    Timeline *line = &v->lines[queue];
    Burst *b;
    if (!w->repeatable) {
        verify_offend(v, TSP_RULE_REPEAT_ALONE, w->now, AT_WORD, queue, w->next,
                      "put it right after the instruction that it repeats");
        return false;
    }
    b = &line->bursts[line->count - 1];
    b->n = insn->n;
    b->n2 = insn->n2;
    b->step = insn->d;
    b->step2 = insn->d2;
    b->a = insn->a;
    b->a2 = insn->a2;
    b->w = insn->w;
    b->w2 = insn->w2;
    w->now = burst_end(b) + 1;
    w->repeatable = false;
    count_issues(v, &b->insn, burst_count(b) - 1, burst_end(b));
    return true;
}

static void refuse(Verifier *v, int32_t queue, const Walker *w, const TspError *why) {
    verify_offend(v, why->rule ? why->rule : TSP_RULE_ENCODING, w->now, AT_WORD, queue, w->next,
                  "%s", why->text);
}

/* Enters an instruction that issues: an Ifetch, Config or Notify in its list, any other in the
 * timeline. *stop: it breaks a rule. */
static bool enter(Verifier *v, int32_t queue, Walker *w, const TspInsn *insn, Notifies *notifies,
                  bool *stop, TspError *err) {
    Burst burst = {.insn = *insn, .start = w->now, .queue = queue, .index = w->next};
    *stop = false;
    if (insn->op == TSP_OP_NOTIFY) return push_notify(notifies, w->now, err);
    if (insn->op == TSP_OP_CONFIG)
        return push_switch(v,
                           &(Switch){w->now + tsp_insn_func(v->machine, insn), (uint32_t)insn->mask,
                                     queue, w->next},
                           err);
    if (insn->op == TSP_OP_IFETCH) {
        burst.n = tsp_ifetch_vectors(v->machine) - 1;
        burst.step = 1;
        *stop = !verify_fetch(v, &burst);
        return *stop || push_burst(&v->fetches[queue], &burst, err);
    }
    w->repeatable = true;
    return push_burst(&v->lines[queue], &burst, err);
}

/* Walks a queue until it parks, ends or breaks a rule. */
static bool advance(Verifier *v, int32_t queue, Walker *w, Notifies *notifies, TspError *err) {
    const TspQueue *q = &v->program->queues[queue];
    for (; w->next < q->count; w->next++) {
        TspInsn insn;
        TspError why;
        bool stop;
        w->state = STOPPED; /* unless we get past this word */
        if (v->ifetch_modelled && !verify_text(v, queue, w->next, w->now, &w->landed)) return true;
        if (!tsp_decode(q->words[w->next], &insn, &why) ||
            !tsp_insn_validate(v->machine, &insn, queue, &why)) {
            refuse(v, queue, w, &why);
            return true;
        }
        if (!tsp_insn_info(insn.op)->modelled) {
            verify_offend(v, TSP_RULE_NONE, w->now, AT_WORD, queue, w->next, "%s is not modelled",
                          tsp_insn_info(insn.op)->mnemonic);
            return true;
        }
        if (insn.op == TSP_OP_REPEAT) {
            if (!repeat(v, queue, w, &insn)) return true;
            continue;
        }
        w->repeatable = false;
        if (insn.op == TSP_OP_NOP) {
            w->now += insn.n;
            continue;
        }
        count_issues(v, &insn, 1, w->now);
        if (insn.op == TSP_OP_SYNC) {
            w->state = PARKED;
            return true;
        }
        if (!enter(v, queue, w, &insn, notifies, &stop, err)) return false;
        if (stop) return true;
        w->now++;
    }
    w->state = STOPPED;
    return true;
}

/* The earliest Notify that releases a queue parked in cycle `parked`; INT64_MAX: none known. */
static int64_t release(const Notifies *list, int64_t parked) {
    int32_t low = 0, high = list->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (list->cycles[middle] < parked)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count ? list->cycles[low] : INT64_MAX;
}

/* Releases the queues whose Notify comes first. No Notify that is still unknown can come before
 * it: such a one stands in a parked queue, which resumes barrier_cycles after that one or later. */
static bool release_first(Verifier *v, Walker *walkers, const Notifies *notifies) {
    int64_t notify[TSP_MAX_QUEUES], best = INT64_MAX;
    for (int32_t q = 0; q < v->queue_count; q++) {
        notify[q] = walkers[q].state == PARKED ? release(notifies, walkers[q].now) : INT64_MAX;
        if (notify[q] < best) best = notify[q];
    }
    if (best == INT64_MAX) return false;
    for (int32_t q = 0; q < v->queue_count; q++) {
        if (notify[q] != best) continue;
        walkers[q].state = RUNNING;
        walkers[q].now = best + v->machine->barrier_cycles;
        walkers[q].next++;
        walkers[q].repeatable = false;
    }
    return true;
}

bool verify_timeline(Verifier *v, TspError *err) {
    Walker walkers[TSP_MAX_QUEUES] = {0};
    Notifies notifies = {0};
    bool fine = true;
    do {
        for (int32_t q = 0; q < v->queue_count && fine; q++)
            if (walkers[q].state == RUNNING) fine = advance(v, q, &walkers[q], &notifies, err);
    } while (fine && release_first(v, walkers, &notifies));
    free(notifies.cycles);
    for (int32_t q = 0; q < v->queue_count; q++)
        if (walkers[q].state == PARKED)
            verify_offend(v, TSP_RULE_BARRIER_DEADLOCK, walkers[q].now, AT_END, q, walkers[q].next,
                          "parked here for ever; add a notify to another queue");
    return fine;
}
