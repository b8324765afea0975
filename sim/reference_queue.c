/* reference_queue.c - the instruction queues: what issues when. They run with superlane 0. */
#include "reference.h"

bool ref_queue_ended(const RefQueue *q, const TspQueue *text) {
    return q->parked < 0 && !q->repeating && q->next >= text->count;
}

static void stop(Reference *r, int32_t queue, int64_t t, int32_t index, RefOrder order,
                 TspErrorKind kind, TspRule rule, const char *detail) {
    ref_offend(r, (RefKey){t, REF_ISSUE, queue, (int32_t)order, {0}}, kind, rule, queue, index,
               "%s", detail);
    r->queues[queue].stopped = true;
}

static bool starved(Reference *r, int32_t queue, int32_t index, int64_t t) {
    if (ref_arrived(r, &r->queues[queue], index, t)) return false;
    stop(r, queue, t, index, REF_ARRIVED, TSP_ERR_ILLEGAL, TSP_RULE_FETCH_STARVED,
         "it is due now; fetch earlier");
    return true;
}

/* Whether the word is an instruction of this kind and in order. */
static bool is(const Reference *r, int32_t queue, int32_t index, TspOpcode op, TspInsn *insn) {
    TspError ignored;
    return index < r->p->queues[queue].count &&
           tsp_decode(r->p->queues[queue].words[index], insn, &ignored) && insn->op == op &&
           tsp_insn_validate(r->m, insn, queue, &ignored);
}

/* Word `index` is due in cycle t. NOPs only move that on, so they are passed at once. */
static void go_on(Reference *r, int32_t queue, int32_t index, int64_t t) {
    RefQueue *q = &r->queues[queue];
    TspInsn nop;
    for (; is(r, queue, index, TSP_OP_NOP, &nop); index++) {
        if (starved(r, queue, index, t)) break;
        t += nop.n;
    }
    q->next = index;
    q->due = t;
}

void ref_queues_reset(Reference *r) {
    for (int32_t queue = 0; queue < r->queue_count; queue++) {
        RefQueue *q = &r->queues[queue];
        q->parked = q->fetched = -1;
        q->stopped = q->repeating = false;
        q->fetches = 0;
        go_on(r, queue, 0, 0);
    }
}

static bool repeatable(TspOpcode op) {
    return tsp_insn_info(op)->unit != TSP_UNIT_ANY;
}

/* Decodes and checks the word that is due; false if that was an offence. */
static bool take(Reference *r, int32_t queue, int32_t index, int64_t t, TspInsn *insn) {
    TspError err = {0};
    if (starved(r, queue, index, t)) return false;
    if (!tsp_decode(r->p->queues[queue].words[index], insn, &err) ||
        !tsp_insn_validate(r->m, insn, queue, &err)) {
        stop(r, queue, t, index, REF_OF_WORD, TSP_ERR_ILLEGAL, err.rule, err.text);
        return false;
    }
    if (insn->op == TSP_OP_REPEAT) {
        stop(r, queue, t, index, REF_OF_WORD, TSP_ERR_ILLEGAL, TSP_RULE_REPEAT_ALONE,
             "what comes before it cannot be repeated");
        return false;
    }
    if (!tsp_insn_info(insn->op)->modelled ||
        (tsp_insn_info(insn->op)->unit == TSP_UNIT_VXM && !tsp_lanes_knows(insn))) {
        stop(r, queue, t, index, REF_OF_WORD, TSP_ERR_NOT_MODELLED, TSP_RULE_NONE, "");
        return false;
    }
    return true;
}

/* The next repetition, or the word behind the Repeat. */
static void next_repetition(Reference *r, int32_t queue, int64_t t) {
    RefQueue *q = &r->queues[queue];
    if (q->i < q->repeat.n) {
        q->i++;
    } else {
        q->i = 0;
        q->j++;
    }
    if (q->j > q->repeat.n2) {
        q->repeating = false;
        go_on(r, queue, q->at + 2, t + 1);
    } else {
        q->due = q->first + (int64_t)q->i * q->repeat.d + (int64_t)q->j * q->repeat.d2;
    }
}

/* After the first issue of a word: a Repeat of it is due one cycle later. */
static void after_first(Reference *r, int32_t queue, int32_t index, const TspInsn *insn,
                        int64_t t) {
    RefQueue *q = &r->queues[queue];
    if (!repeatable(insn->op) || !is(r, queue, index + 1, TSP_OP_REPEAT, &q->repeat)) {
        go_on(r, queue, index + 1, t + 1);
        return;
    }
    if (starved(r, queue, index + 1, t + 1)) return;
    q->repeating = true;
    q->at = index;
    q->insn = *insn;
    q->first = t;
    q->i = q->j = 0;
    next_repetition(r, queue, t);
}

/* The instruction of the repetition that is due: its address as stepped. */
static TspInsn stepped(const RefQueue *q) {
    TspInsn insn = q->insn;
    int32_t by = q->i * q->repeat.a + q->j * q->repeat.a2;
    switch (insn.op) {
    case TSP_OP_READ_WRITE:
        insn.waddr += q->i * q->repeat.w + q->j * q->repeat.w2;
        insn.addr += by;
        break;
    case TSP_OP_READ:
        insn.addr += by;
        break;
    case TSP_OP_WRITE:
        insn.waddr += by;
        break;
    case TSP_OP_ACC:
        if (insn.add || !insn.emit) insn.row += by;
        break;
    case TSP_OP_LW:
        insn.group += by;
        break;
    default:
        break;
    }
    return insn;
}

static void issue(Reference *r, int32_t queue, int64_t t) {
    RefQueue *q = &r->queues[queue];
    TspInsn insn;
    int32_t index;
    if (q->stopped || q->parked >= 0 || ref_queue_ended(q, &r->p->queues[queue]) || q->due != t)
        return;
    if (q->repeating) {
        insn = stepped(q);
        if (!ref_start(r, queue, q->at, &insn, t)) q->stopped = true;
        next_repetition(r, queue, t);
        return;
    }
    index = q->next;
    if (!take(r, queue, index, t, &insn)) return;
    if (!ref_start(r, queue, index, &insn, t)) {
        q->stopped = true;
        return;
    }
    q->started[index] = t;
    if (insn.op == TSP_OP_SYNC) {
        q->parked = t;
    } else {
        after_first(r, queue, index, &insn, t);
    }
}

/* One cycle of all queues. A Notify releases who is parked by now, whatever the queue numbers. */
void ref_queues_issue(Reference *r, int64_t t) {
    r->notified = false;
    for (int32_t queue = 0; queue < r->queue_count; queue++) issue(r, queue, t);
    if (!r->notified) return;
    for (int32_t queue = 0; queue < r->queue_count; queue++) {
        RefQueue *q = &r->queues[queue];
        if (q->parked < 0) continue;
        q->parked = -1;
        go_on(r, queue, q->next + 1, t + r->m->barrier_cycles);
    }
}
