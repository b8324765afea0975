/* verify_fetch.c - proves that the text of a queue is there when its words are due, and that
 * Ifetches neither overlap nor bring more than the queue can hold.
 */
#include "verify_parts.h"

/* Bytes of the queue's text that `fetches` Ifetches and cycle 0 have brought. */
static int64_t brought(const Verifier *v, int32_t fetches) {
    return v->machine->ifetch_queue_bytes + fetches * v->machine->ifetch_bytes;
}

bool verify_text(Verifier *v, int32_t queue, int32_t index, int64_t cycle, int32_t *landed) {
    const Timeline *fetches = &v->fetches[queue];
    int64_t end = ((int64_t)index + 1) * (int64_t)sizeof(TspWord);
    int64_t delay = tsp_op_func(v->machine, TSP_OP_IFETCH);
    while (*landed < fetches->count && fetches->bursts[*landed].start + delay <= cycle) ++*landed;
    if (end <= brought(v, *landed)) return true;
    verify_offend(v, TSP_RULE_FETCH_STARVED, cycle, AT_WORD, queue, index,
                  "the queue has %lld bytes of its text, the word ends at byte %lld",
                  (long long)brought(v, *landed), (long long)end);
    return false;
}

bool verify_fetch(Verifier *v, const Burst *fetch) {
    const Timeline *fetches = &v->fetches[fetch->queue];
    const Burst *last = fetches->count > 0 ? &fetches->bursts[fetches->count - 1] : NULL;
    int64_t due = ((int64_t)fetch->index + 1) * (int64_t)sizeof(TspWord); /* this one among them */
    int64_t held = brought(v, fetches->count + 1) - due;
    if (last && burst_end(last) >= fetch->start) {
        verify_offend(v, TSP_RULE_FETCH_OVERLAP, fetch->start, AT_UNIT, fetch->queue, fetch->index,
                      "instruction %d takes vectors up to cycle %lld", last->index,
                      (long long)burst_end(last));
        return false;
    }
    if (v->ifetch_modelled && held > v->machine->ifetch_queue_bytes) {
        verify_offend(v, TSP_RULE_FETCH_OVERRUN, fetch->start, AT_UNIT, fetch->queue, fetch->index,
                      "the queue would hold %lld bytes, it has room for %lld", (long long)held,
                      (long long)v->machine->ifetch_queue_bytes);
        return false;
    }
    return true;
}
