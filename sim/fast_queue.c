/* queue.c - time: the event wheel, and the ICU that issues what the queues hold.
 *
 * The wheel has a bucket for each of the next cycles: effects that land in it and queues that
 * issue in it. Empty buckets are skipped by their occupancy bits, and queues that idle beyond the
 * wheel cost nothing until their time comes.
 */
#include "stream.h"

/* What issues an instruction; all of the VXM's go to sim_vxm_issue(). */
static SimIssue *const unit_of_op[TSP_OP_COUNT] = {
    [TSP_OP_READ] = sim_mem_issue,       [TSP_OP_WRITE] = sim_mem_issue,
    [TSP_OP_READ_WRITE] = sim_mem_issue, [TSP_OP_LW] = sim_load_weights,
    [TSP_OP_IW] = sim_install_weights,   [TSP_OP_ABC] = sim_activate,
    [TSP_OP_ACC] = sim_accumulate,       [TSP_OP_TRANSPOSE] = sim_transpose,
};

/* -- the wheel -- */

static Bucket *bucket_of(const TspSim *sim, int64_t cycle) {
    return &sim->buckets[cycle & (sim->wheel - 1)];
}

static void occupy(TspSim *sim, int64_t cycle) {
    int64_t number = cycle & (sim->wheel - 1);
    sim->occupied[number / 64] |= 1ull << (number % 64);
}

/* First cycle from now on in which something is due; SIM_NEVER if nothing is. */
static int64_t next_cycle(const TspSim *sim) {
    int64_t now = sim->state.now, first = sim->state.far_first;
    for (int64_t ahead = 0; ahead < sim->wheel;) {
        int64_t number = (now + ahead) & (sim->wheel - 1);
        uint64_t bits = sim->occupied[number / 64] >> (number % 64);
        if (bits) return now + ahead + __builtin_ctzll(bits);
        ahead += 64 - number % 64;
    }
    return first;
}

Event *sim_event_add(TspSim *sim, EventKind kind, int64_t delay, const Issue *issue) {
    State *st = &sim->state;
    Bucket *bucket = bucket_of(sim, st->now + delay);
    int32_t number = st->event_free, late = kind == EVENT_INPUT;
    Event *event;
    if (number != SIM_NONE)
        st->event_free = sim->events[number].next;
    else
        number = st->event_used++;
    event = &sim->events[number];
    *event = (Event){.next = SIM_NONE, .kind = kind, .queue = issue->queue, .index = issue->index};
    if (bucket->head[late] == SIM_NONE)
        bucket->head[late] = number;
    else
        sim->events[bucket->tail[late]].next = number;
    bucket->tail[late] = number;
    occupy(sim, st->now + delay);
    return event;
}

static void schedule(TspSim *sim, int32_t queue, int64_t cycle) {
    State *st = &sim->state;
    uint64_t bit = 1ull << (queue % 64);
    st->queue[queue].next = cycle;
    if (cycle - st->now < sim->wheel) {
        bucket_of(sim, cycle)->queues[queue / 64] |= bit;
        occupy(sim, cycle);
        return;
    }
    st->far[queue / 64] |= bit;
    if (cycle < st->far_first) st->far_first = cycle;
}

/* Moves queues whose time has come within reach from the far set to the wheel. */
static void bring_near(TspSim *sim) {
    State *st = &sim->state;
    st->far_first = SIM_NEVER;
    for (int32_t w = 0; w < SIM_QUEUE_WORDS; w++) {
        uint64_t far = st->far[w];
        for (st->far[w] = 0; far; far &= far - 1) {
            int32_t queue = 64 * w + __builtin_ctzll(far);
            schedule(sim, queue, st->queue[queue].next);
        }
    }
}

/* -- queues -- */

static const Word *word_at(const TspSim *sim, int32_t queue, int32_t index) {
    return &sim->words[queue][index];
}

/* From word `index` on, free to issue from `cycle` on: skips NOPs. Idling at the end is no work. */
static void proceed(TspSim *sim, int32_t queue, int32_t index, int64_t cycle) {
    QueueState *q = &sim->state.queue[queue];
    while (index < sim->word_count[queue]) {
        const Word *word = word_at(sim, queue, index);
        if (word->fault != WORD_FINE || word->insn.op != TSP_OP_NOP) break;
        cycle += word->insn.n;
        index++;
    }
    q->index = index;
    q->inner = q->outer = 0;
    q->first = cycle;
    if (index < sim->word_count[queue]) {
        q->mode = QUEUE_RUNNING;
        schedule(sim, queue, cycle);
    } else {
        q->mode = QUEUE_EXHAUSTED;
        sim->state.running--;
    }
}

/* The Repeat of an instruction, NULL if it has none. */
static const TspInsn *repeat_of(const TspSim *sim, int32_t queue, int32_t index) {
    const Word *next = word_at(sim, queue, index + 1);
    if (index + 1 >= sim->word_count[queue] || next->insn.op != TSP_OP_REPEAT) return NULL;
    return next->fault == WORD_FINE ? &next->insn : NULL;
}

/* After an issue: the next repetition, or the next word. */
static void go_on(TspSim *sim, int32_t queue, const TspInsn *repeat) {
    QueueState *q = &sim->state.queue[queue];
    if (repeat && q->inner < repeat->n) {
        q->inner++;
    } else if (repeat && q->outer < repeat->n2) {
        q->inner = 0;
        q->outer++;
    } else {
        proceed(sim, queue, q->index + (repeat ? 2 : 1), sim->state.now + 1);
        return;
    }
    schedule(sim, queue, q->first + (int64_t)q->outer * repeat->d2 + (int64_t)q->inner * repeat->d);
}

/* Reports a word that is no instruction for this queue; made when it was loaded, told when met. */
static bool refuse(TspSim *sim, int32_t queue, int32_t index, TspError *err) {
    const Word *word = word_at(sim, queue, index);
    const int64_t now = sim->state.now;
    TspError why = {.rule = TSP_RULE_ENCODING};
    TspInsn insn;
    char name[32];
    if (word->fault == WORD_NOT_MODELLED) {
        tsp_queue_name(sim->m, queue, name);
        tsp_fail(err, TSP_ERR_NOT_MODELLED,
                 "cycle %lld, chip 0, %s, instruction %d: %s is not modelled; see docs/isa.md for "
                 "what is",
                 (long long)now, name, (int)index, tsp_insn_info(word->insn.op)->mnemonic);
        err->cycle = now;
        err->queue = queue;
        err->index = index;
        return false;
    }
    if (tsp_decode(sim->program->queues[queue].words[index], &insn, &why))
        tsp_insn_validate(sim->m, &insn, queue, &why);
    return sim_fault(sim, err, why.rule ? why.rule : TSP_RULE_ENCODING, now, queue, index, "%s",
                     why.text);
}

/* Notes that the op which the issue works for was busy from now to `delay` cycles later. */
static void note_op(TspSim *sim, int32_t op, int64_t delay) {
    TspInterval *interval;
    if (op < 0) return;
    interval = &sim->intervals[op];
    if (interval->start < 0) interval->start = sim->state.now;
    if (interval->end < sim->state.now + delay) interval->end = sim->state.now + delay;
}

static void count(TspSim *sim, const Word *word) {
    TspSimStats *stats = &sim->state.stats;
    TspOpcode op = word->insn.op;
    int64_t delay = sim->func[op];
    stats->instructions++;
    if (op == TSP_OP_SYNC) return;
    if (op == TSP_OP_READ_WRITE) {
        note_op(sim, word->op[0], sim->func[TSP_OP_READ]);
        note_op(sim, word->op[1], sim->func[TSP_OP_WRITE]);
        if (delay < sim->func[TSP_OP_READ]) delay = sim->func[TSP_OP_READ];
    } else {
        note_op(sim, word->op[0], delay);
        if (word->op[1] != word->op[0]) note_op(sim, word->op[1], delay);
    }
    if (stats->cycles < sim->state.now + delay) stats->cycles = sim->state.now + delay;
}

/* Sync, Notify and a Repeat on its own. */
static bool issue_control(TspSim *sim, int32_t queue, TspOpcode op, TspError *err) {
    State *st = &sim->state;
    QueueState *q = &st->queue[queue];
    if (op == TSP_OP_REPEAT)
        return sim_fault(sim, err, TSP_RULE_REPEAT_ALONE, st->now, queue, q->index,
                         "put it right after the instruction that it repeats");
    if (op == TSP_OP_SYNC) {
        q->mode = QUEUE_PARKED; /* q->next keeps the cycle */
        st->running--;
        st->parked++;
        return true;
    }
    st->notified = true;
    go_on(sim, queue, NULL);
    return true;
}

static bool issue_one(TspSim *sim, int32_t queue, TspError *err) {
    QueueState *q = &sim->state.queue[queue];
    const Word *word = word_at(sim, queue, q->index);
    const TspInsn *insn = &word->insn, *repeat;
    TspUnit unit;
    SimIssue *issue_unit;
    Issue issue = {.queue = queue, .index = q->index, .info = &sim->info[queue], .insn = insn};
    if (word->fault != WORD_FINE) return refuse(sim, queue, q->index, err);
    unit = tsp_insn_info(insn->op)->unit;
    if (unit == TSP_UNIT_ANY) {
        if (insn->op != TSP_OP_REPEAT) count(sim, word);
        return issue_control(sim, queue, insn->op, err);
    }
    repeat = repeat_of(sim, queue, q->index);
    if (repeat) {
        issue.step = q->inner * repeat->a + q->outer * repeat->a2;
        issue.wstep = q->inner * repeat->w + q->outer * repeat->w2;
    }
    issue_unit = unit == TSP_UNIT_VXM ? sim_vxm_issue : unit_of_op[insn->op];
    if (!issue_unit)
        return tsp_fail(err, TSP_ERR_BUG, "%s is said to be modelled and is not",
                        tsp_insn_info(insn->op)->mnemonic);
    if (!issue_unit(sim, &issue, err)) return false;
    count(sim, word);
    go_on(sim, queue, repeat);
    return true;
}

/* Releases every queue parked by now. */
static void release(TspSim *sim) {
    State *st = &sim->state;
    st->notified = false;
    for (int32_t queue = 0; queue < sim->queues; queue++) {
        QueueState *q = &st->queue[queue];
        if (q->mode != QUEUE_PARKED) continue;
        st->parked--;
        st->running++;
        proceed(sim, queue, q->index + 1, st->now + sim->m->barrier_cycles);
    }
}

/* -- one cycle -- */

/* Two producers on one register: blames the one with the greater queue id, as if all drives of the
 * cycle were made in the order of the queues. */
static bool collide(TspSim *sim, const Bucket *bucket, TspError *err) {
    const Event *blamed = NULL, *other = NULL;
    char name[16], queue[32];
    for (int32_t a = bucket->head[0]; a != SIM_NONE; a = sim->events[a].next) {
        const Event *late = &sim->events[a];
        for (int32_t b = bucket->head[0]; b != SIM_NONE; b = sim->events[b].next) {
            const Event *early = &sim->events[b];
            if (late->kind != EVENT_DRIVE || early->kind != EVENT_DRIVE) continue;
            if (late->stream != early->stream || late->column != early->column) continue;
            if (late->queue <= early->queue || (blamed && blamed->queue <= late->queue)) continue;
            blamed = late;
            other = early;
        }
    }
    if (!blamed) return tsp_fail(err, TSP_ERR_BUG, "a collision without two producers");
    tsp_queue_name(sim->m, other->queue, queue);
    return sim_fault(sim, err, TSP_RULE_STREAM_COLLISION, sim->state.now, blamed->queue,
                     blamed->index, "%s at column %d is also driven by %s, instruction %d",
                     sim_stream_name(blamed->stream, name), (int)blamed->column, queue,
                     (int)other->index);
}

static bool land(TspSim *sim, const Bucket *bucket, TspError *err) {
    for (int32_t late = 0; late < 2; late++) {
        for (int32_t i = bucket->head[late]; i != SIM_NONE; i = sim->events[i].next) {
            const Event *event = &sim->events[i];
            if (event->kind == EVENT_DRIVE) {
                if (!sim_stream_drive(sim, event)) return collide(sim, bucket, err);
            } else if (event->kind == EVENT_INPUT) {
                if (!sim_vxm_input(sim, event, err)) return false;
            } else if (event->kind == EVENT_RESULT) {
                sim_vxm_result(sim, event);
            } else {
                sim_mem_land(sim, event);
            }
        }
    }
    return true;
}

/* Frees the events of a bucket that have landed. */
static void clear(TspSim *sim, Bucket *bucket) {
    for (int32_t late = 0; late < 2; late++) {
        if (bucket->head[late] == SIM_NONE) continue;
        sim->events[bucket->tail[late]].next = sim->state.event_free;
        sim->state.event_free = bucket->head[late];
        bucket->head[late] = bucket->tail[late] = SIM_NONE;
    }
}

static bool execute(TspSim *sim, int64_t cycle, TspError *err) {
    State *st = &sim->state;
    Bucket *bucket = bucket_of(sim, cycle);
    int64_t number = cycle & (sim->wheel - 1);
    st->now = cycle;
    if (st->far_first - cycle < sim->wheel) bring_near(sim);
    sim->occupied[number / 64] &= ~(1ull << (number % 64));
    if (!land(sim, bucket, err)) return false;
    clear(sim, bucket);
    for (int32_t w = 0; w < SIM_QUEUE_WORDS; w++) {
        uint64_t queues = bucket->queues[w];
        bucket->queues[w] = 0;
        for (; queues; queues &= queues - 1)
            if (!issue_one(sim, 64 * w + __builtin_ctzll(queues), err)) return false;
    }
    if (st->notified) release(sim);
    st->now = cycle + 1;
    return true;
}

static bool deadlock(TspSim *sim, TspError *err) {
    const State *st = &sim->state;
    int32_t first = SIM_NONE;
    for (int32_t queue = 0; queue < sim->queues; queue++) {
        if (st->queue[queue].mode != QUEUE_PARKED) continue;
        if (first == SIM_NONE || st->queue[queue].next < st->queue[first].next) first = queue;
    }
    return sim_fault(sim, err, TSP_RULE_BARRIER_DEADLOCK, st->queue[first].next, first,
                     st->queue[first].index, "parked here for ever; add a notify to another queue");
}

bool sim_queues_start(TspSim *sim, TspError *err) {
    sim->state.running = sim->queues;
    for (int32_t queue = 0; queue < sim->queues; queue++) proceed(sim, queue, 0, 0);
    return sim_advance(sim, 0, err); /* an empty program is done at once */
}

bool sim_advance(TspSim *sim, int64_t limit, TspError *err) {
    State *st = &sim->state;
    while (!st->done) {
        int64_t cycle = next_cycle(sim);
        /* Once nothing will issue any more, the end is the last effect, and that lands as well. */
        bool ending = st->running == 0 && st->parked == 0 && limit >= st->stats.cycles;
        if (cycle == SIM_NEVER && st->parked > 0) return deadlock(sim, err);
        if (cycle == SIM_NEVER && ending) {
            st->now = st->stats.cycles;
            if (!sim_mxm_none_lost(sim, SIM_NEVER, err)) return false;
            st->done = true;
            return true;
        }
        if (cycle >= limit && !ending) {
            if (st->now < limit) st->now = limit;
            return sim_mxm_none_lost(sim, st->now, err);
        }
        if (!execute(sim, cycle, err)) return false;
    }
    return true;
}
