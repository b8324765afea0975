/* flows.c - which runs move as one, because streams join them, and what each came after.
 *
 * A stream value is taken in the very cycle in which it passes, so runs that a link joins cannot
 * move against each other. What can make such a flow wait is seen where it touches others: rows
 * written before, weights, and the order of a queue.
 */
#include "report_parts.h"

#include <stdlib.h>

static int32_t root(RunTime *runs, int32_t run) {
    while (runs[run].flow != run) run = runs[run].flow = runs[runs[run].flow].flow;
    return run;
}

static void join(Timing *t, int32_t a, int32_t b) {
    if (a < 0 || b < 0) return;
    a = root(t->runs, a);
    b = root(t->runs, b);
    if (a != b) t->runs[a > b ? a : b].flow = a < b ? a : b;
}

static void time_runs(Timing *t) {
    const TspMachine *m = &t->program->machine;
    for (int32_t i = 0; i < t->program->run_count; i++)
        t->runs[i] = (RunTime){.start = -1, .flow = i, .reason = TSP_IDLE_OTHER};
    for (int32_t i = 0; i < t->burst_count; i++)
        for (int32_t half = 0; half < 2; half++) {
            const Burst *b = &t->bursts[i];
            const bool combined = b->insn.op == TSP_OP_READ_WRITE;
            const TspOpcode op = !combined ? b->insn.op : half ? TSP_OP_WRITE : TSP_OP_READ;
            RunTime *r;
            if (b->run[half] < 0) continue;
            r = &t->runs[b->run[half]];
            if (r->start < 0 || b->start < r->start) r->start = b->start;
            if (b->last >= r->last) {
                r->last = b->last;
                r->effect = b->last + (combined ? tsp_op_func(m, op) : tsp_insn_func(m, &b->insn));
            }
            r->opcode = op;
        }
}

/* Runs that meet without a stream: a product and what takes it, an ALU and the next. */
static void join_inside(Timing *t, const Burst *b) {
    const TspMachine *m = &t->program->machine;
    if (b->insn.op == TSP_OP_ACC) {
        const Burst *abc = burst_find(t, b->queue - 1, b->start - tsp_op_func(m, TSP_OP_ABC));
        if (abc) join(t, b->run[0], abc->run[0]);
    }
    if (tsp_insn_info(b->insn.op)->unit != TSP_UNIT_VXM) return;
    for (int32_t operand = 0; operand < 1 + tsp_insn_binary(b->insn.op); operand++) {
        const int32_t source = operand ? b->insn.src_b : b->insn.src_a;
        const Burst *alu;
        if (TSP_SRC_KIND(source) != TSP_SRC_ALU) continue;
        alu = burst_find(t, tsp_queue_vxm(m, TSP_SRC_NUMBER(source)), b->start - m->vxm_op_cycles);
        if (alu) join(t, b->run[0], alu->run[0]);
    }
}

static void join_runs(Timing *t) {
    const TspProgram *p = t->program;
    for (int32_t i = 0; i < p->link_count; i++) join(t, p->links[i].consumer, p->links[i].producer);
    for (int32_t i = 0; i < t->burst_count; i++) join_inside(t, &t->bursts[i]);
    for (int32_t i = 0; i < p->run_count; i++) t->runs[i].flow = root(t->runs, i);
}

static void list_flows(Timing *t) {
    const int32_t count = t->program->run_count;
    int32_t *at = t->flow_at;
    for (int32_t i = 0; i < count; i++) at[t->runs[i].flow + 1]++;
    for (int32_t i = 0; i < count; i++) at[i + 1] += at[i];
    for (int32_t i = count - 1; i >= 0; i--) t->by_flow[--at[t->runs[i].flow + 1]] = i;
    for (int32_t i = 0; i < count; i++) at[i] = at[i + 1];
    at[count] = count;
}

/* -- causes -- */

enum { OF_DATA, OF_WEIGHTS, OF_QUEUE };

static void note(Timing *t, int32_t run, int which, TspWait kind, int64_t at, int64_t slack,
                 int32_t by) {
    Cause *c = &t->runs[run].cause[which];
    if (by < 0 || t->runs[by].flow == t->runs[run].flow) return;
    if (slack < 0) slack = 0;
    if (c->kind != TSP_WAIT_NOTHING && c->slack <= slack) return;
    *c = (Cause){kind, at, slack, by};
}

static int32_t any_run(const Burst *b) {
    return b->run[0] >= 0 ? b->run[0] : b->run[1];
}

static void note_queue(Timing *t, const Burst *b) {
    const Burst *before = b - 1;
    if (b == t->bursts + t->first[b->queue]) return;
    for (int32_t half = 0; half < 2; half++)
        if (b->run[half] >= 0)
            note(t, b->run[half], OF_QUEUE, TSP_WAIT_QUEUE, b->start,
                 b->start - before->last - burst_width(&t->program->machine, before),
                 any_run(before));
}

/* The last burst of an opcode in the queue that starts in `cycle` or before. */
static const Burst *find_opcode(const Timing *t, int32_t queue, int64_t cycle, TspOpcode op) {
    const Burst *b = burst_find(t, queue, cycle);
    while (b && b->insn.op != op) b = b > t->bursts + t->first[queue] ? b - 1 : NULL;
    return b;
}

static void note_product(Timing *t, const Burst *b) {
    const TspMachine *m = &t->program->machine;
    const int32_t planes = b->insn.type == TSP_F16 ? 2 : 1;
    for (int32_t i = 0; i < planes; i++) {
        const Burst *iw =
            find_opcode(t, b->queue - 1 + 3 * i, b->start - m->mxm_install_cycles, TSP_OP_IW);
        if (iw)
            note(t, b->run[0], OF_WEIGHTS, TSP_WAIT_WEIGHTS, b->start,
                 b->start - iw->start - m->mxm_install_cycles, iw->run[0]);
    }
}

static void note_install(Timing *t, const Burst *b) {
    const TspMachine *m = &t->program->machine;
    const int64_t in_use = b->start + m->mxm_install_cycles;
    const Burst *lw = find_opcode(t, b->queue, b->start - 1, TSP_OP_LW);
    const Burst *abc = burst_find(t, b->queue + 1, in_use - 1);
    if (lw)
        note(t, b->run[0], OF_WEIGHTS, TSP_WAIT_WEIGHTS, b->start,
             b->start - lw->last - m->mxm_load_cycles, lw->run[0]);
    if (abc)
        note(t, b->run[0], OF_QUEUE, TSP_WAIT_BUFFER, b->start,
             in_use - abc->last - burst_width(m, abc), abc->run[0]);
}

static void note_load(Timing *t, const Burst *b) {
    const TspMachine *m = &t->program->machine;
    const Burst *iw = find_opcode(t, b->queue, b->start, TSP_OP_IW);
    if (iw)
        note(t, b->run[0], OF_WEIGHTS, TSP_WAIT_BUFFER, b->start,
             b->start + m->mxm_load_cycles - iw->start - m->mxm_install_cycles, iw->run[0]);
}

static void note_units(Timing *t) {
    for (int32_t i = 0; i < t->burst_count; i++) {
        const Burst *b = &t->bursts[i];
        note_queue(t, b);
        if (b->run[0] < 0) continue;
        if (b->insn.op == TSP_OP_ABC) note_product(t, b);
        if (b->insn.op == TSP_OP_IW) note_install(t, b);
        if (b->insn.op == TSP_OP_LW) note_load(t, b);
    }
}

/* -- data in memory -- */

typedef struct {
    int32_t row, run;
    int64_t lands;
} Landing;

static int by_row(const void *left, const void *right) {
    const Landing *a = left, *b = right;
    if (a->row != b->row) return a->row < b->row ? -1 : 1;
    return a->lands < b->lands ? -1 : a->lands > b->lands;
}

static int64_t count_writes(const Timing *t, int32_t slice) {
    int64_t count = 0;
    for (int32_t i = t->first[slice]; i < t->first[slice + 1]; i++)
        if (t->bursts[i].insn.op == TSP_OP_WRITE || t->bursts[i].insn.op == TSP_OP_READ_WRITE)
            count += burst_issues(&t->bursts[i]);
    return count;
}

static int64_t list_writes(const Timing *t, int32_t slice, Landing *list) {
    const int32_t takes = tsp_op_func(&t->program->machine, TSP_OP_WRITE);
    int64_t count = 0;
    for (int32_t k = t->first[slice]; k < t->first[slice + 1]; k++) {
        const Burst *b = &t->bursts[k];
        const bool combined = b->insn.op == TSP_OP_READ_WRITE;
        const TspInsn *r = &b->repeat;
        const int32_t step = combined ? r->w : r->a, step2 = combined ? r->w2 : r->a2;
        if (!combined && b->insn.op != TSP_OP_WRITE) continue;
        for (int32_t j = 0; j <= r->n2; j++)
            for (int32_t i = 0; i <= r->n; i++)
                list[count++] =
                    (Landing){b->insn.waddr + i * step + j * step2, b->run[combined],
                              b->start + (int64_t)i * r->d + (int64_t)j * r->d2 + takes};
    }
    return count;
}

/* The last write of the row that has landed by `cycle`. */
static const Landing *find_write(const Landing *list, int64_t count, int32_t row, int64_t cycle) {
    int64_t low = 0, high = count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (list[middle].row < row || (list[middle].row == row && list[middle].lands <= cycle))
            low = middle + 1;
        else
            high = middle;
    }
    return low && list[low - 1].row == row ? &list[low - 1] : NULL;
}

static void note_reads(Timing *t, int32_t slice, const Landing *list, int64_t count) {
    for (int32_t k = t->first[slice]; k < t->first[slice + 1]; k++) {
        const Burst *b = &t->bursts[k];
        const TspInsn *r = &b->repeat;
        if ((b->insn.op != TSP_OP_READ && b->insn.op != TSP_OP_READ_WRITE) || b->run[0] < 0)
            continue;
        for (int32_t j = 0; j <= r->n2; j++)
            for (int32_t i = 0; i <= r->n; i++) {
                const int64_t at = b->start + (int64_t)i * r->d + (int64_t)j * r->d2;
                const Landing *w = find_write(list, count, b->insn.addr + i * r->a + j * r->a2, at);
                if (w) note(t, b->run[0], OF_DATA, TSP_WAIT_DATA, at, at - w->lands, w->run);
            }
    }
}

static bool note_rows(Timing *t, TspError *err) {
    const int32_t slices = 2 * (int32_t)t->program->machine.mem_slices;
    for (int32_t slice = 0; slice < slices; slice++) {
        int64_t count = count_writes(t, slice);
        Landing *list;
        if (!count) continue;
        if (!(list = malloc((size_t)count * sizeof *list)))
            return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
        count = list_writes(t, slice, list);
        qsort(list, (size_t)count, sizeof *list, by_row);
        note_reads(t, slice, list, count);
        free(list);
    }
    return true;
}

/* Whether a product of the flow came after its activations, after its results' units, or neither
 * shows: what it followed without a cycle between. */
static void find_reason(Timing *t, int32_t run) {
    TspIdle *reason = &t->runs[t->runs[run].flow].reason;
    for (int which = 0; which < CAUSES; which++) {
        const Cause *c = &t->runs[run].cause[which];
        if (c->kind == TSP_WAIT_NOTHING || c->slack > 0) continue;
        if (t->runs[run].opcode == TSP_OP_READ || t->runs[run].opcode == TSP_OP_GATHER)
            *reason = TSP_IDLE_ACTIVATIONS;
        else if (t->runs[run].opcode != TSP_OP_ABC && *reason != TSP_IDLE_ACTIVATIONS)
            *reason = TSP_IDLE_RESULTS;
    }
}

bool flows_make(Timing *t, TspError *err) {
    const size_t count = (size_t)t->program->run_count;
    if (!count) return true;
    t->runs = calloc(count, sizeof *t->runs);
    t->by_flow = calloc(count, sizeof *t->by_flow);
    t->flow_at = calloc(count + 2, sizeof *t->flow_at);
    if (!t->runs || !t->by_flow || !t->flow_at)
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
    time_runs(t);
    for (size_t i = 0; i < count; i++)
        for (int which = 0; which < CAUSES; which++)
            t->runs[i].cause[which] = (Cause){.kind = TSP_WAIT_NOTHING, .by = -1};
    join_runs(t);
    list_flows(t);
    note_units(t);
    if (!note_rows(t, err)) return false;
    for (size_t i = 0; i < count; i++) find_reason(t, (int32_t)i);
    return true;
}
