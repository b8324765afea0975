/* feeds.c - ops that hand their results on without a way through memory: on a stream, by a link
 * between runs, or from ALU to ALU.
 */
#include "run.h"

#include <stdlib.h>

static bool add_feed(VizRun *run, int32_t from, int32_t to) {
    VizFeed *feeds = run->feeds;
    const int32_t count = run->feed_count;
    if (from < 0 || to < 0 || from == to || from >= run->program->op_count ||
        to >= run->program->op_count)
        return true;
    for (int32_t i = count - 1; i >= 0; i--)
        if (feeds[i].from == from && feeds[i].to == to) return true;
    if ((count & (count - 1)) == 0) { /* room up to the next power of two */
        feeds = realloc(feeds, (count ? 2 * (size_t)count : 1) * sizeof *feeds);
        if (!feeds) return false;
        run->feeds = feeds;
    }
    feeds[run->feed_count++] = (VizFeed){from, to};
    return true;
}

/* The op whose result an ALU takes with its first issue, -1 if it takes none of an ALU's. */
static int32_t fed_by(const VizRun *run, const VizBurst *b, int32_t source) {
    const int64_t made = b->start - run->m->vxm_op_cycles;
    const int32_t kind = TSP_SRC_KIND(source);
    VizIssue issue;
    if (kind != TSP_SRC_ALU && kind != TSP_SRC_LATCH) return -1;
    if (!viz_issue_previous(&run->timeline, tsp_queue_vxm(run->m, TSP_SRC_NUMBER(source)), made + 1,
                            &issue))
        return -1;
    return viz_burst_op(issue.burst);
}

/* An op that writes nothing makes a part of what the op it feeds writes. */
static void pass_tensors_back(const VizRun *run) {
    for (bool changed = true; changed;) {
        changed = false;
        for (int32_t i = 0; i < run->feed_count; i++) {
            const VizFeed *f = &run->feeds[i];
            if (run->op_tensor[f->from] >= 0 || run->op_tensor[f->to] < 0) continue;
            run->op_tensor[f->from] = run->op_tensor[f->to];
            changed = true;
        }
    }
}

bool viz_run_find_feeds(VizRun *run) {
    const TspProgram *p = run->program;
    const VizTimeline *line = &run->timeline;
    for (int32_t i = 0; i < p->link_count; i++)
        if (!add_feed(run, p->runs[p->links[i].producer].op, p->runs[p->links[i].consumer].op))
            return false;
    for (int32_t alu = 0; alu < run->m->vxm_alus; alu++) {
        const int32_t queue = tsp_queue_vxm(run->m, alu);
        for (int32_t i = line->first[queue]; i < line->first[queue + 1]; i++) {
            const VizBurst *b = &line->bursts[i];
            const TspInsn insn = viz_burst_insn(line, b, NULL);
            if (!add_feed(run, fed_by(run, b, insn.src_a), viz_burst_op(b)) ||
                !add_feed(run, fed_by(run, b, insn.src_b), viz_burst_op(b)))
                return false;
        }
    }
    pass_tensors_back(run);
    return true;
}
