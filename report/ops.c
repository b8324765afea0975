/* ops.c - each op: its interval, what it used of the chip in it, and where its own path went. */
#include "report_parts.h"

#include <stdlib.h>

static void add_burst(TspReport *r, const Timing *t, const Burst *b) {
    const TspMachine *m = &t->program->machine;
    const TspUnit unit = tsp_insn_info(b->insn.op)->unit;
    const double issues = (double)burst_issues(b);
    const int32_t reader = b->op[0], writer = b->op[b->insn.op == TSP_OP_READ_WRITE];
    if (insn_writes(b->insn.op) && writer >= 0) r->ops[writer].share[TSP_RESOURCE_WRITES] += issues;
    if (reader < 0) return;
    if (insn_reads(b->insn.op)) r->ops[reader].share[TSP_RESOURCE_READS] += issues;
    if (unit == TSP_UNIT_VXM) r->ops[reader].share[TSP_RESOURCE_VXM] += issues;
    if (unit == TSP_UNIT_SXM) r->ops[reader].share[TSP_RESOURCE_SXM] += issues;
    if (b->insn.op == TSP_OP_LW) r->ops[reader].share[TSP_RESOURCE_WEIGHTS] += issues;
    if (b->insn.op == TSP_OP_ABC)
        r->ops[reader].share[TSP_RESOURCE_MXM] +=
            issues * burst_width(m, b) * (b->insn.type == TSP_F16 ? 2 : 1);
}

static void scale_shares(const TspReport *r, TspOpReport *op) {
    const double units[TSP_RESOURCES] = {
        (double)r->planes,
        (double)r->planes,
        (double)r->units[TSP_USE_VXM],
        (double)r->units[TSP_USE_SXM],
        (double)(r->units[TSP_USE_READ_WEST] + r->units[TSP_USE_READ_EAST]),
        (double)(r->units[TSP_USE_WRITE_WEST] + r->units[TSP_USE_WRITE_EAST])};
    const double cycles = (double)(op->end - op->start);
    for (int k = 0; k < TSP_RESOURCES; k++) {
        op->share[k] = cycles > 0 && units[k] > 0 ? op->share[k] / (cycles * units[k]) : 0;
        if (op->share[k] > 0 && (op->largest < 0 || op->share[k] > op->share[op->largest]))
            op->largest = k;
    }
}

/* -- its path -- */

enum { PLACES = 256 };
typedef struct {
    const TspMachine *machine;
    int64_t from;
    TspOpReport *op;
    struct {
        TspHopKind kind;
        int32_t queue, op;
        int64_t cycles;
    } places[PLACES];
    int32_t count;
} Sum;

static void add_place(Sum *sum, TspHopKind kind, const TspHop *hop, int64_t cycles) {
    const TspQueueInfo info = tsp_queue_info(sum->machine, hop->queue);
    int32_t i;
    for (i = 0; i < sum->count; i++) {
        const TspQueueInfo other = tsp_queue_info(sum->machine, sum->places[i].queue);
        if (sum->places[i].kind == kind && sum->places[i].op == hop->op &&
            other.unit == info.unit && other.role == info.role)
            break;
    }
    if (i == PLACES) return;
    if (i == sum->count) {
        sum->places[i].kind = kind;
        sum->places[i].queue = hop->queue;
        sum->places[i].op = hop->op;
        sum->places[sum->count++].cycles = 0;
    }
    sum->places[i].cycles += cycles;
    if (sum->places[i].cycles <= sum->op->path_cycles) return;
    sum->op->path_cycles = sum->places[i].cycles;
    sum->op->path_kind = kind;
    sum->op->path_queue = sum->places[i].queue;
    sum->op->path_op = hop->op;
}

/* Adds what lies after the op's start. A stretch is wait, then issue, then latency. */
static bool add_hop(void *context, const TspHop *hop) {
    static const TspHopKind order[TSP_HOP_KINDS] = {TSP_HOP_WAIT, TSP_HOP_ISSUE, TSP_HOP_LATENCY};
    Sum *sum = context;
    int64_t at = hop->start;
    for (int k = 0; k < TSP_HOP_KINDS; k++) {
        const int64_t end = at + hop->cycles[order[k]], from = at > sum->from ? at : sum->from;
        if (end > from) add_place(sum, order[k], hop, end - from);
        at = end;
    }
    return true;
}

static void walk_op(TspReport *r, const Timing *t, int32_t run, TspOpReport *op) {
    Sum sum = {.machine = &r->program->machine, .from = op->start, .op = op};
    path_walk(t, run, op->end, op->start, add_hop, &sum);
}

bool report_ops(TspReport *r, const Timing *t, TspError *err) {
    const TspProgram *p = r->program;
    r->ops = calloc((size_t)p->op_count + 1, sizeof *r->ops);
    if (!r->ops) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
    for (int32_t i = 0; i < p->op_count; i++)
        r->ops[i] = (TspOpReport){.start = p->ops[i].start,
                                  .end = p->ops[i].end,
                                  .bound = p->ops[i].bound,
                                  .largest = -1,
                                  .path_queue = -1,
                                  .path_op = -1};
    for (int32_t i = 0; i < t->burst_count; i++) add_burst(r, t, &t->bursts[i]);
    for (int32_t i = 0; i < p->op_count; i++) scale_shares(r, &r->ops[i]);
    for (int32_t i = 0; i < p->run_count && p->link_count; i++) {
        const int32_t op = p->runs[i].op;
        if (op >= 0 && t->runs[i].start >= 0 && r->ops[op].path_queue < 0 &&
            t->runs[i].effect == r->ops[op].end)
            walk_op(r, t, i, &r->ops[op]);
    }
    return true;
}
