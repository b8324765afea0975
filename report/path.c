/* path.c - the critical path: from the last effect back, flow by flow, to cycle 0. */
#include "report_parts.h"

#include <stdlib.h>

/* The tightest of what the flow came after, in issues before `cycle`, and whose it is. */
static Cause tightest(const Timing *t, int32_t flow, int64_t cycle, int32_t *run) {
    Cause best = {.kind = TSP_WAIT_NOTHING, .by = -1};
    int32_t earliest = flow;
    for (int32_t i = t->flow_at[flow]; i < t->flow_at[flow + 1]; i++) {
        const int32_t r = t->by_flow[i];
        const RunTime *time = &t->runs[r];
        if (time->start >= 0 && time->start < t->runs[earliest].start) earliest = r;
        for (int which = 0; which < CAUSES; which++) {
            const Cause *c = &time->cause[which];
            if (c->by < 0 || c->at >= cycle) continue;
            if (best.by >= 0 &&
                (c->slack > best.slack || (c->slack == best.slack && c->kind >= best.kind)))
                continue;
            best = *c;
            *run = r;
        }
    }
    if (best.by >= 0 && best.slack < t->runs[earliest].start) return best;
    *run = earliest;
    return (Cause){TSP_WAIT_START, t->runs[earliest].start, t->runs[earliest].start, -1};
}

bool path_walk(const Timing *t, int32_t run, int64_t cycle, int64_t until, HopTaker *take,
               void *context) {
    while (cycle > until && run >= 0) {
        int32_t whose = run;
        const Cause c = tightest(t, t->runs[run].flow, cycle, &whose);
        const int64_t at = c.at < cycle ? c.at : cycle, start = at - c.slack;
        int64_t last = t->runs[whose].last + 1;
        TspHop hop = {.start = start,
                      .end = cycle,
                      .steps = 1,
                      .op = t->program->runs[whose].op,
                      .queue = t->program->runs[whose].queue,
                      .waited_for = c.kind};
        if (last > cycle) last = cycle;
        if (last < at) last = at;
        hop.cycles[TSP_HOP_ISSUE] = last - at;
        hop.cycles[TSP_HOP_LATENCY] = cycle - last;
        hop.cycles[TSP_HOP_WAIT] = c.slack;
        if (!take(context, &hop)) return false;
        cycle = start;
        run = c.by;
    }
    return true;
}

/* -- the whole of it -- */

typedef struct {
    TspReport *report;
    int32_t capacity;
} List;

/* Whether two stretches that touch tell the same: the op and the kind of unit. */
static bool alike(const TspMachine *m, const TspHop *a, const TspHop *b) {
    return a->op == b->op && tsp_queue_info(m, a->queue).unit == tsp_queue_info(m, b->queue).unit;
}

static bool keep(void *context, const TspHop *hop) {
    List *list = context;
    TspReport *r = list->report;
    TspHop *last = r->hop_count ? &r->hops[r->hop_count - 1] : NULL;
    if (last && alike(&r->program->machine, last, hop)) {
        last->start = hop->start;
        last->waited_for = hop->waited_for;
        last->steps++;
        for (int k = 0; k < TSP_HOP_KINDS; k++) last->cycles[k] += hop->cycles[k];
        return true;
    }
    if (r->hop_count == list->capacity) {
        const int32_t capacity = list->capacity ? 2 * list->capacity : 64;
        TspHop *more = realloc(r->hops, (size_t)capacity * sizeof *more);
        if (!more) return false;
        r->hops = more;
        list->capacity = capacity;
    }
    r->hops[r->hop_count++] = *hop;
    return true;
}

static int32_t last_run(const Timing *t) {
    for (int32_t i = 0; i < t->program->run_count; i++)
        if (t->runs[i].start >= 0 && t->runs[i].effect == t->cycles) return i;
    return -1;
}

bool report_path(TspReport *r, const Timing *t, TspError *err) {
    List list = {.report = r};
    const int32_t run = t->runs && t->program->link_count ? last_run(t) : -1;
    if (run < 0) return true;
    r->has_path = true;
    if (!path_walk(t, run, r->cycles, 0, keep, &list))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
    for (int32_t i = 0; i < r->hop_count / 2; i++) {
        const TspHop swap = r->hops[i];
        r->hops[i] = r->hops[r->hop_count - 1 - i];
        r->hops[r->hop_count - 1 - i] = swap;
    }
    return true;
}
