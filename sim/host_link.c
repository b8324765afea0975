/* host_link.c - blocks over the host link, double-buffered; see host_link.h for the model.
 *
 * A queue of transfers back to back is one long transfer, so it is kept as its first cycle and its
 * bytes: every end is rounded up once, from the exact sum.
 */
#include "host_link.h"

__extension__ typedef __int128 Wide; /* bytes x hertz x nanoseconds need 107 bits */

static const int64_t ns_per_s = 1000000000;

void tsp_host_init(TspHostLink *link, const TspMachine *m) {
    *link = (TspHostLink){.clock_hz = m->clock_hz,
                          .latency_ns = m->pcie_latency_ns,
                          .bytes_per_s = m->pcie_bytes_per_s};
}

/* Whether a transfer that is asked for at `now` follows the queue without a gap. All of them have
 * the latency, so it cancels out of the comparison. */
static bool joins(const TspHostLink *link, const TspHostQueue *queue, int64_t now) {
    return queue->bytes > 0 && (Wide)(now - queue->first) * (Wide)link->bytes_per_s <=
                                   (Wide)queue->bytes * (Wide)link->clock_hz;
}

/* Cycles, rounded up, from the first of a queue being asked for to the end of all. */
static Wide queue_cycles(const TspHostLink *link, int64_t bytes) {
    const Wide rate = (Wide)link->bytes_per_s, second = (Wide)ns_per_s;
    const Wide ns = (Wide)link->latency_ns * rate + (Wide)bytes * second; /* times the rate */
    const Wide whole = ns / (rate * second), rest = ns % (rate * second); /* seconds, and less */
    return whole * (Wide)link->clock_hz +
           (rest * (Wide)link->clock_hz + rate * second - 1) / (rate * second);
}

static bool too_long(TspError *err) {
    return tsp_fail(err, TSP_ERR_INPUT,
                    "transfers and runs take more than 2^63 cycles; give the machine a greater "
                    "pcie_bytes_per_s");
}

static bool transfer(const TspHostLink *link, TspHostQueue *queue, int64_t now, int64_t bytes,
                     TspHostSpan *span, TspError *err) {
    TspHostQueue next = joins(link, queue, now) ? *queue : (TspHostQueue){.first = now};
    Wide end;
    if (bytes < 0) return tsp_fail(err, TSP_ERR_BUG, "a transfer of %lld bytes", (long long)bytes);
    if (bytes > INT64_MAX - next.bytes) return too_long(err);
    next.bytes += bytes;
    end = (Wide)next.first + queue_cycles(link, next.bytes);
    if (end > INT64_MAX) return too_long(err);
    *queue = next;
    *span = (TspHostSpan){now, (int64_t)end};
    return true;
}

static void note_end(TspHostLink *link, int64_t end) {
    if (end > link->total) link->total = end;
}

bool tsp_host_arrive(TspHostLink *link, int64_t bytes, TspHostSpan *span, TspError *err) {
    const int64_t now = link->blocks < 2 ? 0 : link->ended[link->blocks % 2];
    if (link->blocks > link->runs + 1)
        return tsp_fail(err, TSP_ERR_BUG, "block %lld has no buffer: run %lld has not been told",
                        (long long)link->blocks, (long long)link->runs);
    if (!transfer(link, &link->in, now, bytes, span, err)) return false;
    link->arrived[link->blocks++ % 2] = span->end;
    note_end(link, span->end);
    return true;
}

bool tsp_host_run(TspHostLink *link, int64_t cycles, TspHostSpan *span, TspError *err) {
    const int64_t turn = link->runs % 2, before = link->ended[1 - turn]; /* 0 before run 0 */
    int64_t start = link->arrived[turn];
    if (link->runs >= link->blocks)
        return tsp_fail(err, TSP_ERR_BUG, "run %lld has no block", (long long)link->runs);
    if (cycles < 0) return tsp_fail(err, TSP_ERR_BUG, "a run of %lld cycles", (long long)cycles);
    if (start < before) start = before;
    if (cycles > INT64_MAX - start) return too_long(err);
    *span = (TspHostSpan){start, start + cycles};
    link->ended[turn] = span->end;
    link->runs++;
    note_end(link, span->end);
    return true;
}

bool tsp_host_return(TspHostLink *link, int64_t bytes, TspHostSpan *span, TspError *err) {
    const int64_t now = link->runs == 0 ? 0 : link->ended[(link->runs - 1) % 2];
    if (!transfer(link, &link->out, now, bytes, span, err)) return false;
    note_end(link, span->end);
    return true;
}

int64_t tsp_host_total(const TspHostLink *link) {
    return link->total;
}
