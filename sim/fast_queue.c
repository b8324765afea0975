/* fast_queue.c - time: the event wheel, and the ICU that issues what the queues hold.
 *
 * The wheel has a bucket for each of the next cycles: effects that land in it and queues that
 * issue in it. Empty buckets are skipped by their occupancy bits, and queues that idle beyond the
 * wheel cost nothing until their time comes.
 */
#include "fast_keyframe.h"
#include "fast_stream.h"

/* What issues an instruction; all of the VXM's go to fast_vxm_issue(). */
static SimIssue *const unit_of_op[TSP_OP_COUNT] = {
    [TSP_OP_READ] = fast_mem_issue,        [TSP_OP_WRITE] = fast_mem_issue,
    [TSP_OP_READ_WRITE] = fast_mem_issue,  [TSP_OP_GATHER] = fast_gather,
    [TSP_OP_SCATTER] = fast_scatter,       [TSP_OP_LW] = fast_load_weights,
    [TSP_OP_IW] = fast_install_weights,    [TSP_OP_ABC] = fast_activate,
    [TSP_OP_ACC] = fast_accumulate,        [TSP_OP_TRANSPOSE] = fast_transpose,
    [TSP_OP_DISTRIBUTE] = fast_distribute, [TSP_OP_PERMUTE] = fast_permute,
    [TSP_OP_SHIFT] = fast_shift,           [TSP_OP_SELECT] = fast_select,
    [TSP_OP_ROTATE] = fast_rotate,
};

/* -- the wheel -- */

/* First cycle from now on in which something is due; SIM_NEVER if nothing is. */
static int64_t next_cycle(const Fast *f) {
    int64_t now = f->state.now, first = f->state.far_first;
    for (int64_t ahead = 0; ahead < f->wheel;) {
        int64_t number = (now + ahead) & (f->wheel - 1);
        uint64_t bits = f->occupied[number / 64] >> (number % 64);
        if (bits) return now + ahead + __builtin_ctzll(bits);
        ahead += 64 - number % 64;
    }
    return first;
}

static inline void schedule(Fast *f, int32_t queue, int64_t cycle) {
    State *st = &f->state;
    uint64_t bit = 1ull << (queue % 64);
    st->queue[queue].next = cycle;
    if (cycle - st->now < f->wheel) {
        fast_bucket(f, cycle)->queues[queue / 64] |= bit;
        fast_wake(f, cycle);
        return;
    }
    st->far[queue / 64] |= bit;
    if (cycle < st->far_first) st->far_first = cycle;
}

/* Moves queues whose time has come within reach from the far set to the wheel. */
static void bring_near(Fast *f) {
    State *st = &f->state;
    st->far_first = SIM_NEVER;
    for (int32_t w = 0; w < SIM_QUEUE_WORDS; w++) {
        uint64_t far = st->far[w];
        for (st->far[w] = 0; far; far &= far - 1) {
            int32_t queue = 64 * w + __builtin_ctzll(far);
            schedule(f, queue, st->queue[queue].next);
        }
    }
}

/* -- queues -- */

static Word *word_at(const Fast *f, int32_t queue, int32_t index) {
    return &f->words[queue][index];
}

/* From word `index` on, free to issue from `cycle` on: skips NOPs that have arrived. Idling at the
 * end is no work. */
static void proceed(Fast *f, int32_t queue, int32_t index, int64_t cycle) {
    QueueState *q = &f->state.queue[queue];
    while (index < f->word_count[queue]) {
        const Word *word = word_at(f, queue, index);
        if (word->fault != WORD_FINE || word->insn.op != TSP_OP_NOP) break;
        if (!fast_text_ready(f, queue, index, cycle)) break;
        cycle += word->insn.n;
        index++;
    }
    q->index = index;
    q->inner = q->outer = 0;
    q->first = cycle;
    if (index < f->word_count[queue]) {
        q->mode = QUEUE_RUNNING;
        schedule(f, queue, cycle);
    } else {
        q->mode = QUEUE_EXHAUSTED;
        f->state.running--;
    }
}

/* After an issue: the next repetition, or the next word. */
static void go_on(Fast *f, int32_t queue, const TspInsn *repeat) {
    QueueState *q = &f->state.queue[queue];
    if (repeat && q->inner + q->outer == 0 &&
        !fast_text_ready(f, queue, q->index + 1, f->state.now + 1)) {
        q->index++; /* the Repeat: starved for it */
        schedule(f, queue, f->state.now + 1);
        return;
    }
    if (repeat && q->inner < repeat->n) {
        q->inner++;
    } else if (repeat && q->outer < repeat->n2) {
        q->inner = 0;
        q->outer++;
    } else {
        proceed(f, queue, q->index + (repeat ? 2 : 1), f->state.now + 1);
        return;
    }
    schedule(f, queue, q->first + (int64_t)q->outer * repeat->d2 + (int64_t)q->inner * repeat->d);
}

/* Reports a word that is no instruction for this queue; made when it was loaded, told when met. */
static bool refuse(Fast *f, const Issue *issue, TspError *err) {
    const Word *word = word_at(f, issue->queue, issue->index);
    TspError why = {.rule = TSP_RULE_ENCODING};
    TspInsn insn;
    if (word->fault == WORD_NOT_MODELLED)
        return engine_not_modelled(f->program, err, f->state.now, issue->queue, issue->index);
    if (tsp_decode(f->program->queues[issue->queue].words[issue->index], &insn, &why))
        tsp_insn_validate(f->m, &insn, issue->queue, &why);
    return fast_offence(f, err, why.rule ? why.rule : TSP_RULE_ENCODING, issue, "%s", why.text);
}

/* Notes that the op which the issue works for was busy from now to `delay` cycles later. */
static void note_op(Fast *f, int32_t op, int64_t delay) {
    TspInterval *interval;
    if (op < 0) return;
    interval = &f->intervals[op];
    if (interval->start < 0) interval->start = f->state.now;
    if (interval->end < f->state.now + delay) interval->end = f->state.now + delay;
}

static void count(Fast *f, Word *word) {
    TspSimStats *stats = &f->state.stats;
    TspOpcode op = word->insn.op;
    int64_t delay = word->func;
    stats->instructions++;
    if (word->start < 0) word->start = f->state.now;
    if (op == TSP_OP_SYNC) return;
    if (op == TSP_OP_READ_WRITE) {
        note_op(f, word->op[0], f->func[TSP_OP_READ]);
        note_op(f, word->op[1], f->func[TSP_OP_WRITE]);
        if (delay < f->func[TSP_OP_READ]) delay = f->func[TSP_OP_READ];
    } else {
        note_op(f, word->op[0], delay);
        if (word->op[1] != word->op[0]) note_op(f, word->op[1], delay);
    }
    if (stats->cycles < f->state.now + delay) stats->cycles = f->state.now + delay;
}

/* What any queue takes, and a Repeat on its own. */
static bool issue_control(Fast *f, const Issue *issue, TspError *err) {
    State *st = &f->state;
    QueueState *q = &st->queue[issue->queue];
    Event *power;
    switch (issue->insn->op) {
    case TSP_OP_REPEAT:
        return fast_offence(f, err, TSP_RULE_REPEAT_ALONE, issue,
                            "put it right after the instruction that it repeats");
    case TSP_OP_SYNC:
        q->mode = QUEUE_PARKED; /* q->next keeps the cycle */
        st->running--;
        st->parked++;
        return true;
    case TSP_OP_IFETCH:
        if (!fast_fetch(f, issue, err)) return false;
        break;
    case TSP_OP_CONFIG:
        power = fast_event_add(f, EVENT_POWER, f->m->config_cycles, issue);
        power->mask = (uint32_t)issue->insn->mask;
        break;
    default: /* Notify */
        st->notified = true;
        break;
    }
    go_on(f, issue->queue, NULL);
    return true;
}

static bool issue_one(Fast *f, int32_t queue, TspError *err) {
    QueueState *q = &f->state.queue[queue];
    Word *word = word_at(f, queue, q->index);
    const TspInsn *insn = &word->insn, *repeat = word->repeat;
    SimIssue *issue_unit;
    Issue issue = {.queue = queue,
                   .index = q->index,
                   .info = &f->info[queue],
                   .insn = insn,
                   .func = word->func};
    if (!fast_text_ready(f, queue, q->index, f->state.now))
        return fast_offence(f, err, TSP_RULE_FETCH_STARVED, &issue,
                            "%d ifetches have issued; fetch it earlier",
                            (int)f->state.fetch[queue].count);
    if (word->fault != WORD_FINE) return refuse(f, &issue, err);
    if (word->unit == TSP_UNIT_ANY) {
        if (insn->op != TSP_OP_REPEAT) count(f, word);
        return issue_control(f, &issue, err);
    }
    if (repeat) {
        issue.step = q->inner * repeat->a + q->outer * repeat->a2;
        issue.wstep = q->inner * repeat->w + q->outer * repeat->w2;
    }
    issue_unit = word->unit == TSP_UNIT_VXM ? fast_vxm_issue : unit_of_op[insn->op];
    if (!issue_unit)
        return tsp_fail(err, TSP_ERR_BUG, "%s is said to be modelled and is not",
                        tsp_insn_info(insn->op)->mnemonic);
    if (!issue_unit(f, &issue, err)) return false;
    count(f, word);
    go_on(f, queue, repeat);
    return true;
}

/* Releases every queue parked by now. */
static void release(Fast *f) {
    State *st = &f->state;
    st->notified = false;
    for (int32_t queue = 0; queue < f->queues; queue++) {
        QueueState *q = &st->queue[queue];
        if (q->mode != QUEUE_PARKED) continue;
        st->parked--;
        st->running++;
        proceed(f, queue, q->index + 1, st->now + f->m->barrier_cycles);
    }
}

/* -- one cycle -- */

/* Two producers on one register: blames the one with the greater queue id, as if all drives of the
 * cycle were made in the order of the queues; of one queue the one that issued later. */
static bool collide(Fast *f, const Bucket *bucket, TspError *err) {
    const Event *blamed = NULL, *other = NULL;
    char name[16], queue[32];
    for (int32_t a = bucket->head[0]; a != SIM_NONE; a = f->events[a].next) {
        const Event *first = &f->events[a];
        for (int32_t b = first->next; b != SIM_NONE; b = f->events[b].next) {
            const Event *second = &f->events[b]; /* issued later, or in the same cycle */
            const Event *late = second->queue < first->queue ? first : second;
            if (first->kind != EVENT_DRIVE || second->kind != EVENT_DRIVE) continue;
            if (first->stream != second->stream || first->column != second->column) continue;
            if (blamed && blamed->queue <= late->queue) continue;
            blamed = late;
            other = late == first ? second : first;
        }
    }
    if (!blamed) return tsp_fail(err, TSP_ERR_BUG, "a collision without two producers");
    tsp_queue_name(f->m, other->queue, queue);
    return engine_offence(f->program, err, TSP_RULE_STREAM_COLLISION, f->state.now, blamed->queue,
                          blamed->index, "%s at column %d is also driven by %s, instruction %d",
                          fast_stream_name(blamed->stream, name), (int)blamed->column, queue,
                          (int)other->index);
}

/* Effects that are due: drives, results, writes. Switches are left to fast_switch(). */
static bool land(Fast *f, const Bucket *bucket, TspError *err) {
    for (int32_t i = bucket->head[0]; i != SIM_NONE; i = f->events[i].next) {
        const Event *event = &f->events[i];
        switch (event->kind) {
        case EVENT_DRIVE:
            if (!fast_stream_drive(f, event)) return collide(f, bucket, err);
            break;
        case EVENT_WRITE:
            fast_mem_land(f, event);
            break;
        case EVENT_SCATTER:
            fast_scatter_land(f, event);
            break;
        default:
            f->switches = true;
            break;
        }
    }
    if (!f->switches) return true;
    f->switches = false;
    return fast_switch(f, bucket, err);
}

static bool take_inputs(Fast *f, const Bucket *bucket, TspError *err) {
    for (int32_t i = bucket->head[1]; i != SIM_NONE; i = f->events[i].next)
        if (!fast_vxm_input(f, &f->events[i], err)) return false;
    return true;
}

/* Frees the events of a bucket that have landed. */
static void clear(Fast *f, Bucket *bucket) {
    for (int32_t late = 0; late < 2; late++) {
        if (bucket->head[late] == SIM_NONE) continue;
        f->events[bucket->tail[late]].next = f->state.event_free;
        f->state.event_free = bucket->head[late];
        bucket->head[late] = bucket->tail[late] = SIM_NONE;
    }
}

static bool execute(Fast *f, int64_t cycle, TspError *err) {
    State *st = &f->state;
    Bucket *bucket = fast_bucket(f, cycle);
    int64_t number = cycle & (f->wheel - 1);
    st->now = cycle;
    if (st->far_first - cycle < f->wheel) bring_near(f);
    f->occupied[number / 64] &= ~(1ull << (number % 64));
    if (!land(f, bucket, err)) return false;
    /* In the cycle of the last effect, which is not executed, things only land. */
    if (f->checks && (st->running > 0 || st->parked > 0 || cycle < st->stats.cycles)) fast_flip(f);
    if (!take_inputs(f, bucket, err)) return false;
    clear(f, bucket);
    for (int32_t w = 0; w < SIM_QUEUE_WORDS; w++) {
        uint64_t queues = bucket->queues[w];
        bucket->queues[w] = 0;
        for (; queues; queues &= queues - 1)
            if (!issue_one(f, 64 * w + __builtin_ctzll(queues), err)) return false;
    }
    if (!fast_fetch_on(f, err)) return false;
    if (st->notified) release(f);
    st->now = cycle + 1;
    return true;
}

static bool deadlock(Fast *f, TspError *err) {
    const State *st = &f->state;
    int32_t first = SIM_NONE;
    if (!fast_mxm_none_lost(f, SIM_NEVER, err)) return false; /* any other offence goes before */
    for (int32_t queue = 0; queue < f->queues; queue++) {
        if (st->queue[queue].mode != QUEUE_PARKED) continue;
        if (first == SIM_NONE || st->queue[queue].next < st->queue[first].next) first = queue;
    }
    return engine_offence(f->program, err, TSP_RULE_BARRIER_DEADLOCK, st->queue[first].next, first,
                          st->queue[first].index,
                          "parked here for ever; add a notify to another queue");
}

bool fast_queues_start(Fast *f, TspError *err) {
    f->state.running = f->queues;
    for (int32_t queue = 0; queue < f->queues; queue++) proceed(f, queue, 0, 0);
    return fast_advance(f, 0, err); /* an empty program is done at once */
}

/* Flips bits in the cycles from now to `until` (not included), in which nothing else happens. */
static void idle(Fast *f, int64_t until) {
    State *st = &f->state;
    for (int64_t cycle = fast_next_flip(f); f->checks && cycle < until; cycle = fast_next_flip(f)) {
        st->now = cycle;
        fast_flip(f);
        st->now++;
    }
}

bool fast_advance(Fast *f, int64_t limit, TspError *err) {
    State *st = &f->state;
    while (!st->done) {
        int64_t cycle = next_cycle(f);
        /* Once nothing will issue any more, the end is the last effect, and that lands as well. */
        bool ending = st->running == 0 && st->parked == 0 && limit >= st->stats.cycles;
        if (cycle == SIM_NEVER && st->parked > 0) return deadlock(f, err);
        if (cycle == SIM_NEVER && ending) {
            idle(f, st->stats.cycles);
            st->now = st->stats.cycles;
            if (!fast_mxm_none_lost(f, SIM_NEVER, err)) return false;
            st->done = true;
            return true;
        }
        if (cycle >= limit && !ending) {
            idle(f, limit);
            if (st->now < limit) st->now = limit;
            return fast_mxm_none_lost(f, st->now, err);
        }
        idle(f, cycle);
        if (!execute(f, cycle, err)) return false;
        if (fast_work(st) >= f->keyframe_due) fast_keyframe_make(f);
    }
    return true;
}
