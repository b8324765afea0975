/* event.c - finds the next and the previous time that something happens; see event.h.
 */
#include "event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What a queue has to do with an event: its issues `delay` cycles earlier; the delay of a drive
 * comes on top. */
typedef struct {
    const VizRun *run;
    VizEvent event;
    int32_t stream, column;
    int32_t delay, reach; /* least and most cycles from an issue to the event */
} Search;

/* Whether any issue of the burst may be the event. */
static bool burst_counts(const Search *s, const VizBurst *b) {
    const int32_t burst = (int32_t)(b - s->run->timeline.bursts);
    switch (s->event.kind) {
    case VIZ_EVENT_OPCODE:
        return b->opcode == s->event.opcode;
    case VIZ_EVENT_ROW:
        return b->opcode == TSP_OP_READ || b->opcode == TSP_OP_WRITE ||
               b->opcode == TSP_OP_READ_WRITE;
    case VIZ_EVENT_REGISTER:
        return viz_burst_drives(&s->run->timeline, b, s->stream);
    case VIZ_EVENT_OP:
        return b->op[0] == s->event.id || b->op[1] == s->event.id;
    case VIZ_EVENT_TENSOR:
        return s->run->burst_tensor[burst] == s->event.id || b->tensor[1] == s->event.id;
    default:
        return true;
    }
}

static bool issue_counts(const Search *s, const VizIssue *issue) {
    const int64_t row = s->event.id % tsp_mem_slice_rows(s->run->m);
    TspInsn insn;
    if (s->event.kind == VIZ_EVENT_OP || s->event.kind == VIZ_EVENT_TENSOR)
        return issue->cycle == issue->burst->start;
    if (s->event.kind != VIZ_EVENT_ROW) return true;
    insn = viz_issue_insn(&s->run->timeline, issue);
    return (insn.op != TSP_OP_WRITE && insn.addr == row) ||
           (insn.op != TSP_OP_READ && insn.waddr == row);
}

static int64_t cycle_of(const Search *s, const VizIssue *issue) {
    return issue->cycle + s->delay +
           (s->event.kind == VIZ_EVENT_REGISTER ? issue->burst->func[0] : 0);
}

/* Improves *best, the nearest cycle found so far. */
static void search_forward(const Search *s, int32_t queue, int64_t cycle, int64_t *best) {
    const VizTimeline *t = &s->run->timeline;
    VizIssue issue;
    bool more = viz_issue_next(t, queue, cycle - s->reach - 1, &issue);
    while (more && issue.cycle + s->delay < *best) {
        const bool counts = burst_counts(s, issue.burst);
        if (counts && cycle_of(s, &issue) > cycle && cycle_of(s, &issue) < *best &&
            issue_counts(s, &issue))
            *best = cycle_of(s, &issue);
        more = counts ? viz_issue_advance(t, &issue)
                      : viz_issue_next(t, queue, issue.burst->last, &issue);
    }
}

static void search_back(const Search *s, int32_t queue, int64_t cycle, int64_t *best) {
    const VizTimeline *t = &s->run->timeline;
    VizIssue issue;
    bool more = viz_issue_previous(t, queue, cycle - s->delay, &issue);
    while (more && issue.cycle + s->reach > *best) {
        const bool counts = burst_counts(s, issue.burst);
        if (counts && cycle_of(s, &issue) < cycle && cycle_of(s, &issue) > *best &&
            issue_counts(s, &issue))
            *best = cycle_of(s, &issue);
        more = viz_issue_previous(t, queue, counts ? issue.cycle : issue.burst->start, &issue);
    }
}

/* Whether the queue has anything to do with the event. */
static bool concerns(Search *s, int32_t queue) {
    const TspQueueInfo info = tsp_queue_info(s->run->m, queue);
    switch (s->event.kind) {
    case VIZ_EVENT_ISSUE:
    case VIZ_EVENT_OPCODE:
        return queue == s->event.id;
    case VIZ_EVENT_ROW:
        return queue == s->event.id / tsp_mem_slice_rows(s->run->m);
    case VIZ_EVENT_REGISTER:
        s->delay = TSP_STREAM_DIRECTION(s->stream) == TSP_EASTWARD ? s->column - info.column
                                                                   : info.column - s->column;
        s->reach = s->delay + s->run->longest;
        return s->delay >= 0;
    default:
        return true;
    }
}

/* The nearest cycle on the way to `limit`, which is no longer one of them. */
static bool nearest(const VizRun *run, VizEvent event, int64_t cycle, int64_t limit, int64_t *at) {
    const bool forward = limit > cycle;
    Search s = {.run = run, .event = event};
    int64_t best = limit;
    if (event.kind == VIZ_EVENT_CYCLE) {
        *at = event.id;
        return forward ? event.id > cycle && event.id < limit : event.id < cycle;
    }
    s.stream = (int32_t)(event.id / TSP_MAX_COLUMNS);
    s.column = (int32_t)(event.id % TSP_MAX_COLUMNS);
    for (int32_t queue = 0; queue < tsp_queue_count(run->m); queue++) {
        if (!concerns(&s, queue)) continue;
        if (forward)
            search_forward(&s, queue, cycle, &best);
        else
            search_back(&s, queue, cycle, &best);
    }
    *at = best;
    return best != limit;
}

bool viz_event_next(const VizRun *run, VizEvent event, int64_t cycle, int64_t last, int64_t *at) {
    if (last > run->timeline.cycles) last = run->timeline.cycles;
    return last > cycle && nearest(run, event, cycle, last + 1, at);
}

bool viz_event_previous(const VizRun *run, VizEvent event, int64_t cycle, int64_t *at) {
    if (cycle > run->timeline.cycles) cycle = run->timeline.cycles + 1;
    return cycle >= 0 && nearest(run, event, cycle, -1, at);
}

/* -- of a thing -- */

VizEvent viz_event_of(const VizRun *run, VizThing thing) {
    const VizFocus focus = viz_focus(run, thing);
    switch (thing.kind) {
    case VIZ_QUEUE:
    case VIZ_BURST:
        return (VizEvent){VIZ_EVENT_ISSUE, focus.queue, TSP_OP_NOP};
    case VIZ_ROW:
        return (VizEvent){VIZ_EVENT_ROW, thing.id, TSP_OP_NOP};
    case VIZ_REGISTER:
        return (VizEvent){VIZ_EVENT_REGISTER, thing.id, TSP_OP_NOP};
    case VIZ_OP:
        return (VizEvent){VIZ_EVENT_OP, thing.id, TSP_OP_NOP};
    case VIZ_TENSOR:
        return (VizEvent){VIZ_EVENT_TENSOR, thing.id, TSP_OP_NOP};
    default:
        return (VizEvent){VIZ_EVENT_ANY, 0, TSP_OP_NOP};
    }
}

VizEvent viz_break_on(const VizRun *run, VizThing thing, int64_t cycle) {
    VizEvent event = viz_event_of(run, thing);
    if (thing.kind == VIZ_BURST && event.id >= 0) {
        event.kind = VIZ_EVENT_OPCODE;
        event.opcode = run->timeline.bursts[thing.id].opcode;
    }
    if (event.kind == VIZ_EVENT_ANY)
        event = (VizEvent){VIZ_EVENT_CYCLE, thing.kind == VIZ_CYCLE ? thing.id : cycle, TSP_OP_NOP};
    return event;
}

void viz_event_name(const VizRun *run, VizEvent event, char name[VIZ_NAME_MAX]) {
    static const struct {
        VizKind kind;
        const char *format;
    } kinds[] = {
        [VIZ_EVENT_CYCLE] = {VIZ_NOTHING, "cycle %s"},
        [VIZ_EVENT_ISSUE] = {VIZ_QUEUE, "%s issues"},
        [VIZ_EVENT_OPCODE] = {VIZ_QUEUE, "%s issues "},
        [VIZ_EVENT_ROW] = {VIZ_ROW, "%s is read or written"},
        [VIZ_EVENT_REGISTER] = {VIZ_REGISTER, "%s gets a vector"},
        [VIZ_EVENT_OP] = {VIZ_OP, "an instruction of %s begins"},
        [VIZ_EVENT_TENSOR] = {VIZ_TENSOR, "an instruction of %s begins"},
        [VIZ_EVENT_ANY] = {VIZ_NOTHING, "anything issues"},
    };
    char thing[VIZ_NAME_MAX];
    const char *format = kinds[event.kind].format, *at = strstr(format, "%s");
    viz_thing_name(run, (VizThing){kinds[event.kind].kind, event.id}, thing);
    if (event.kind == VIZ_EVENT_CYCLE) snprintf(thing, sizeof thing, "%" PRId64, event.id);
    if (!at) at = format + strlen(format);
    snprintf(name, VIZ_NAME_MAX, "%.*s%.120s%s%s", (int)(at - format), format, *at ? thing : "",
             *at ? at + 2 : "",
             event.kind == VIZ_EVENT_OPCODE ? tsp_insn_info(event.opcode)->mnemonic : "");
}

bool viz_event_same(VizEvent a, VizEvent b) {
    return a.kind == b.kind && a.id == b.id && a.opcode == b.opcode;
}

bool viz_event_exists(const VizRun *run, VizEvent event) {
    const int64_t counts[] = {
        [VIZ_EVENT_CYCLE] = run->timeline.cycles + 1,
        [VIZ_EVENT_ISSUE] = tsp_queue_count(run->m),
        [VIZ_EVENT_OPCODE] = tsp_queue_count(run->m),
        [VIZ_EVENT_ROW] = tsp_mem_slice_rows(run->m) * 2 * run->m->mem_slices,
        [VIZ_EVENT_REGISTER] = (int64_t)TSP_MAX_STREAMS * TSP_MAX_COLUMNS,
        [VIZ_EVENT_OP] = run->program->op_count,
        [VIZ_EVENT_TENSOR] = run->program->tensor_count,
        [VIZ_EVENT_ANY] = 1,
    };
    return event.id >= 0 && event.id < counts[event.kind];
}
