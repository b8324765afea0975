/* trace_agenda.c - what happens next over all queues, and which value stands where on the streams.
 */
#include "trace_parts.h"

#include <stdlib.h>

/* -- the heap -- */

static bool before(const TraceEvent *a, const TraceEvent *b) {
    if (a->cycle != b->cycle) return a->cycle < b->cycle;
    if (a->phase != b->phase) return a->phase < b->phase;
    if (a->queue != b->queue) return a->queue < b->queue;
    if (a->id != b->id) return a->id < b->id;
    return a->stream < b->stream;
}

static void swap(TraceEvent *a, TraceEvent *b) {
    TraceEvent kept = *a;
    *a = *b;
    *b = kept;
}

void trace_agenda_add(TraceAgenda *agenda, TraceEvent event) {
    int32_t at = agenda->count;
    if (at == agenda->capacity) {
        int32_t capacity = 2 * agenda->capacity + 256;
        TraceEvent *events = realloc(agenda->events, (size_t)capacity * sizeof *events);
        if (!events) {
            agenda->broken = true;
            return;
        }
        agenda->events = events;
        agenda->capacity = capacity;
    }
    agenda->events[agenda->count++] = event;
    for (; at > 0 && before(&agenda->events[at], &agenda->events[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&agenda->events[at], &agenda->events[(at - 1) / 2]);
}

static void remove_first(TraceAgenda *agenda) {
    TraceEvent *e = agenda->events;
    int32_t at = 0, count = --agenda->count;
    e[0] = e[count];
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= count) return;
        if (child + 1 < count && before(&e[child + 1], &e[child])) child++;
        if (!before(&e[child], &e[at])) return;
        swap(&e[child], &e[at]);
        at = child;
    }
}

/* -- the agenda -- */

static void add_issue(TraceAgenda *agenda, const VizIssue *issue) {
    if (issue->cycle >= agenda->to) return;
    trace_agenda_add(agenda, (TraceEvent){.cycle = issue->cycle,
                                          .phase = TRACE_ISSUE,
                                          .queue = issue->burst->queue,
                                          .issue = *issue});
}

void trace_agenda_start(TraceAgenda *agenda, const VizTimeline *timeline, int64_t from,
                        int64_t to) {
    VizIssue issue;
    *agenda = (TraceAgenda){.timeline = timeline, .to = to};
    for (int32_t queue = 0; queue < TSP_MAX_QUEUES; queue++)
        if (viz_issue_next(timeline, queue, from - 1, &issue)) add_issue(agenda, &issue);
}

void trace_agenda_free(TraceAgenda *agenda) {
    free(agenda->events);
    *agenda = (TraceAgenda){0};
}

bool trace_agenda_take(TraceAgenda *agenda, TraceEvent *event) {
    VizIssue next;
    if (agenda->count == 0 || agenda->broken) return false;
    *event = agenda->events[0];
    remove_first(agenda);
    if (event->phase != TRACE_ISSUE) return true;
    next = event->issue;
    if (viz_issue_advance(agenda->timeline, &next)) add_issue(agenda, &next);
    return true;
}

void trace_agenda_drive(TraceAgenda *agenda, const VizIssue *issue, const TspInsn *insn,
                        int64_t id) {
    VizStreams driven[VIZ_OPERANDS];
    const int32_t groups = viz_insn_outputs(&agenda->timeline->program->machine, insn, driven);
    for (int32_t i = 0; i < groups; i++)
        trace_agenda_add(agenda, (TraceEvent){.cycle = issue->cycle + issue->burst->func[0],
                                              .phase = TRACE_DRIVE,
                                              .queue = issue->burst->queue,
                                              .stream = driven[i].base,
                                              .count = driven[i].count,
                                              .id = id});
}

int64_t trace_longest(const VizTimeline *timeline) {
    int64_t longest = 0;
    for (int32_t i = 0; i < timeline->burst_count; i++)
        if (viz_burst_func(&timeline->bursts[i]) > longest)
            longest = viz_burst_func(&timeline->bursts[i]);
    return longest + tsp_columns(&timeline->program->machine) + 1;
}

/* -- the streams -- */

void trace_streams_clear(TraceStreams *streams, const TspMachine *m) {
    streams->m = m;
    for (int32_t s = 0; s < TSP_MAX_STREAMS; s++)
        for (int32_t i = 0; i < TRACE_SLOTS; i++) streams->value[s][i] = (TraceValue){-1, -1};
}

int64_t trace_leaves(const TspMachine *m, int32_t stream, int32_t column, int64_t cycle) {
    return TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? cycle + tsp_columns(m) - column
                                                        : cycle + column + 1;
}

bool trace_streams_put(TraceStreams *streams, int32_t stream, int32_t column, int64_t cycle,
                       int64_t id) {
    const int64_t leaves = trace_leaves(streams->m, stream, column, cycle);
    TraceValue *value = &streams->value[stream][leaves % TRACE_SLOTS];
    const bool empty = value->leaves != leaves;
    *value = (TraceValue){leaves, id};
    return empty;
}

int64_t trace_streams_look(const TraceStreams *streams, int32_t stream, int32_t column,
                           int64_t cycle) {
    const int64_t leaves = trace_leaves(streams->m, stream, column, cycle);
    const TraceValue *value = &streams->value[stream][leaves % TRACE_SLOTS];
    return value->leaves == leaves ? value->id : -1;
}
