/* flow.c - finds producers and consumers through the timeline.
 */
#include "flow.h"

/* Columns that a vector on the stream moves from one to the other; negative: the wrong way. */
static int32_t way(int32_t stream, int32_t from, int32_t to) {
    return TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? to - from : from - to;
}

/* The issue of the queue that drives the stream in this very cycle. */
static bool drives_at(const VizRun *run, int32_t queue, int32_t stream, int64_t cycle,
                      VizIssue *issue) {
    const VizTimeline *line = &run->timeline;
    for (int32_t i = viz_burst_find(line, queue, cycle); i >= line->first[queue]; i--) {
        const VizBurst *b = &line->bursts[i];
        if (b->last + run->longest < cycle) return false;
        if (viz_issue_at(line, queue, cycle - b->func[0], issue) && issue->burst == b &&
            viz_burst_drives(line, b, stream))
            return true;
    }
    return false;
}

bool viz_flow_producer(const VizRun *run, int32_t stream, int32_t column, int64_t cycle,
                       VizIssue *producer) {
    const int32_t queues = tsp_queue_count(run->m);
    int32_t nearest = -1;
    if (!run->stream_used[stream]) return false;
    for (int32_t queue = 0; queue < queues; queue++) {
        const int32_t hops = way(stream, tsp_queue_info(run->m, queue).column, column);
        VizIssue issue;
        if (hops < 0 || (nearest >= 0 && hops >= nearest)) continue;
        if (!drives_at(run, queue, stream, cycle - hops, &issue)) continue;
        *producer = issue;
        nearest = hops;
    }
    return nearest >= 0;
}

int32_t viz_flow_consumers(const VizRun *run, int32_t stream, int32_t column, int64_t cycle,
                           VizIssue *consumers, int32_t most) {
    const int32_t begin = run->user_first[stream], users = run->user_first[stream + 1] - begin;
    const bool east = TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD;
    VizIssue own, producer;
    int32_t count = 0;
    if (!viz_flow_producer(run, stream, column, cycle, &own)) return 0;
    for (int32_t i = 0; i < users && count < most; i++) {
        const int32_t queue = run->users[begin + (east ? i : users - 1 - i)];
        const int32_t at = tsp_queue_info(run->m, queue).column, hops = way(stream, column, at);
        VizIssue *use = &consumers[count];
        if (hops < 0 || !viz_issue_at(&run->timeline, queue, cycle + hops, use)) continue;
        if (!viz_burst_takes(&run->timeline, use->burst, stream)) continue;
        if (!viz_flow_producer(run, stream, at, cycle + hops, &producer)) continue;
        if (producer.burst != own.burst || producer.cycle != own.cycle) break; /* replaced */
        count++;
    }
    return count;
}
