/* queues_state.c - what a queue does in a cycle, from the timeline alone.
 */
#include "queues_parts.h"

const char *queue_state_name(QueueState state) {
    static const char *const names[QUEUE_STATES] = {
        [QUEUE_ISSUING] = "issuing", [QUEUE_REPEATING] = "repeating", [QUEUE_WAITING] = "waiting",
        [QUEUE_PARKED] = "parked",   [QUEUE_DONE] = "exhausted",      [QUEUE_UNUSED] = "unused"};
    return names[state];
}

/* Cycles of the NOPs between a word and another one of the queue. */
static int64_t nops_between(const TspQueue *q, int32_t from, int32_t to) {
    int64_t cycles = 0;
    for (int32_t word = from + 1; word < to; word++) {
        TspInsn insn;
        TspError ignored;
        if (tsp_decode(q->words[word], &insn, &ignored) && insn.op == TSP_OP_NOP) cycles += insn.n;
    }
    return cycles;
}

/* After the last burst that the timeline has: of a run that was stopped there may be more. */
static QueueState state_after(const VizRun *run, const VizBurst *last) {
    const int32_t next = last->word + 1 + (last->n || last->n2);
    if (run->timeline.complete || next >= run->program->queues[last->queue].count)
        return QUEUE_DONE;
    return last->opcode == TSP_OP_SYNC ? QUEUE_PARKED : QUEUE_WAITING;
}

QueueStatus queue_status(const VizRun *run, int32_t queue, int64_t cycle) {
    const VizTimeline *t = &run->timeline;
    const TspQueue *q = &run->program->queues[queue];
    QueueStatus status = {.state = QUEUE_ISSUING, .left = -1};
    VizIssue before = {.burst = NULL}, next = {.burst = NULL};
    int64_t since = 0;
    if (viz_issue_at(t, queue, cycle, &status.issue)) return status;
    if (!viz_issue_previous(t, queue, cycle, &before)) before.burst = NULL;
    if (!viz_issue_next(t, queue, cycle, &next)) next.burst = NULL;
    status.issue = next.burst ? next : before;
    if (!next.burst) {
        status.state =
            before.burst ? state_after(run, before.burst) : (q->count ? QUEUE_DONE : QUEUE_UNUSED);
        return status;
    }
    status.state = next.burst == before.burst ? QUEUE_REPEATING : QUEUE_WAITING;
    status.left = next.cycle - cycle;
    if (before.burst) since = before.cycle;
    if (before.burst && before.burst->opcode == TSP_OP_SYNC) {
        const int64_t release = next.cycle - nops_between(q, before.burst->word, next.burst->word);
        if (cycle < release) {
            status.state = QUEUE_PARKED;
            status.left = release - cycle;
            status.whole = release - since;
            return status;
        }
        since = release;
    }
    status.whole = next.cycle - since;
    return status;
}
