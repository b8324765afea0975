/* scans.c - what running sums are scheduled as: chains that combine a row with all rows before it.
 *
 * A step takes its own result of the row before, which is there vxm_op_cycles later; so a chain
 * takes a row in as many cycles, and as many chains share an ALU, its streams and its slices.
 */
#include "schedule.h"

/* The step that takes its own result. */
static int32_t self_step(const Stage *stage) {
    int32_t i = 0;
    while (stage->steps[i].b.kind != FROM_SELF) i++;
    return i;
}

/* Vectors that a chain begins with. One that cannot come before the rows, on their wire, is added
 * to the first of them, by the same issue. */
typedef struct {
    int32_t index[2]; /* of operands of the stage */
    Operand operand[2];
    int32_t count;
    bool beside; /* on wires of their own: of another type, or from the other hemisphere */
} Begins;

/* Whether chains begin with rows of an operand: it is no row for row, and no step takes it. */
static bool is_begin(const Stage *stage, int32_t operand) {
    if (stage->operands[operand].row_step) return false;
    for (int32_t i = 0; i < stage->step_count; i++) {
        const From from[2] = {stage->steps[i].a, stage->steps[i].b};
        for (int j = 0; j < 2; j++)
            if (from[j].kind == FROM_OPERAND && from[j].index == operand) return false;
    }
    return true;
}

/* Chooses the copy of an operand that comes the same way as row `low` of `rows`; false if there is
 * none, or its elements are of another type. */
static bool comes_with(const Scheduler *s, Operand *o, const Operand *rows, int32_t low) {
    const Tensor *tensors = s->module->tensors;
    const TspDirection direction = schedule_direction(s, rows, low, 0);
    if (tensors[o->tensor].dtype != tensors[rows->tensor].dtype) return false;
    for (o->copy = tensors[o->tensor].copies - 1; o->copy >= 0; o->copy--)
        if (schedule_direction(s, o, 0, 0) == direction) return true;
    o->copy = 0;
    return false;
}

/* What chain `chain`, rows low.., begins with. */
static Begins chain_begins(const Scheduler *s, const Stage *stage, int32_t chain, int32_t low) {
    const From a = stage->steps[self_step(stage)].a;
    int32_t last = stage->operand_count - 1, first = last;
    Begins b = {.beside = a.kind != FROM_OPERAND};
    if (!is_begin(stage, last)) return b;
    if (chain > 0 && is_begin(stage, last - 1)) first--;
    for (int32_t i = first; i <= last; i++) {
        Operand o = stage->operands[i];
        o.row0 = stage->scan_begins ? chain : i < last ? chain - 1 : 0;
        b.beside |= a.kind == FROM_OPERAND && !comes_with(s, &o, &stage->operands[a.index], low);
        b.index[b.count] = i;
        b.operand[b.count++] = o;
    }
    return b;
}

/* From `row` on, of the rows low .. high-1 of a chain, no further than `end`. `begun`: vectors came
 * before row `low`; `begin`: else one that is added to it. */
static Part next_part(const Scheduler *s, const Stage *stage, bool begun, From begin, int32_t row,
                      int32_t low, int32_t high, int32_t end) {
    bool starts = row == low && !begun;
    if (starts) end = row + 1;
    if (stage->scan_ends && row < high - 1) end = tsp_min32(end, high - 1);
    return (Part){
        row,  end - row, (int32_t)s->m->vxm_op_cycles, starts, !stage->scan_ends || row == high - 1,
        begin};
}

static TspDirection result_direction(const Scheduler *s, const Output *out, int32_t copy,
                                     int32_t row) {
    Place p = tsp_place(&s->module->tensors[out->tensor], copy, out->row0 + row, 0, 0);
    return tsp_slice_hemisphere(s->m, p.slice) == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
}

/* The wire that takes `count` results to row `row` of an output and those after it, the first of
 * them made by an issue of its step at `time`. */
static int32_t result_wire(const Scheduler *s, Flow *f, const Output *out, int32_t copy,
                           int32_t row, int32_t count, int64_t time) {
    const TspMachine *m = s->m;
    const Tensor *t = &s->module->tensors[out->tensor];
    int32_t vxm = tsp_vxm_column(m);
    TspDirection direction = result_direction(s, out, copy, row);
    time += m->vxm_entry_cycles + m->vxm_op_cycles + m->vxm_exit_cycles;
    return flow_wire(f, (Wire){direction, t->bytes, flow_phase(direction, time, vxm), count,
                               (int32_t)m->vxm_op_cycles, vxm, vxm, 0});
}

/* The Writes of `count` results from row `row` of an output on, after the first `skip` of a wire:
 * a run has operands of one run only, so each part has its own. */
static void write_results(const Scheduler *s, Flow *f, const Output *out, int32_t copy,
                          int32_t wire, int32_t row, int32_t skip, int32_t count) {
    const Tensor *t = &s->module->tensors[out->tensor];
    for (int32_t byte = 0; byte < t->bytes && !f->failed; byte++)
        schedule_write(s, f, wire, byte, t, tsp_place(t, copy, out->row0 + row, 0, byte), skip,
                       count, (int32_t)s->m->vxm_op_cycles);
}

/* Issues of the step that takes its own result for the vectors that a chain begins with, before
 * that of row `row`, its first. The wire on which they stand before rows row .. end-1; -1: they are
 * beside. */
static int32_t begin_chain(Scheduler *s, Flow *f, const Stage *stage, const StepTimes *times,
                           const Begins *b, int32_t row, int32_t end, int64_t *from) {
    int32_t interval = (int32_t)s->m->vxm_op_cycles, vxm = tsp_vxm_column(s->m), with = -1;
    int32_t self = self_step(stage), index = stage->steps[self].a.index, wires[MAX_OPERANDS];
    const Operand *rows = &stage->operands[index];
    int64_t time = (int64_t)times->step[self] - (int64_t)b->count * interval;
    if (!b->beside) {
        TspDirection direction = schedule_direction(s, rows, row, 0);
        with = flow_wire(f, (Wire){direction, s->module->tensors[rows->tensor].bytes,
                                   flow_phase(direction, time, vxm), b->count + end - row, interval,
                                   vxm, vxm, 0});
    }
    for (int32_t i = 0; i < b->count; i++, time += interval) {
        const Part part = {.count = 1, .interval = interval, .starts = i == 0};
        if (with >= 0) schedule_reads(s, f, &b->operand[i], with, i, 0, 1, 0, interval, from);
        wires[index] = with >= 0
                           ? with
                           : schedule_operand(s, f, &b->operand[i], 0, 1, 0, interval, time, from);
        schedule_step(f, stage, self, &part, time, wires, -1);
    }
    if (with >= 0) schedule_reads(s, f, rows, with, b->count, row, end - row, 0, interval, from);
    return with;
}

/* Rows row .. end-1 of chain `chain`, rows low .. high-1, all of one block of every tensor. */
static void segment_flow(Scheduler *s, Flow *f, const Stage *stage, const StepTimes *times,
                         int32_t copy, int32_t chain, int32_t low, int32_t high, int32_t row,
                         int32_t end, int64_t *from) {
    int32_t interval = (int32_t)s->m->vxm_op_cycles, last = stage->step_count - 1;
    const Output *out = &stage->outputs[0], *kept = stage->output_count > 1 ? out + 1 : NULL;
    int32_t wires[MAX_OPERANDS], result = -1, keeps = -1, with = -1;
    int32_t first = row, behind = 0; /* on the wire of results; rows that the chain's follows */
    int64_t base = (int64_t)(row - low) * interval;
    const Begins begins = chain_begins(s, stage, chain, low);
    const bool added = begins.beside && begins.count == 1, begun = begins.count && !added;
    const From begin = {added ? FROM_OPERAND : FROM_NONE, added ? begins.index[0] : 0};
    if (row == low && added)
        wires[begin.index] = schedule_operand(s, f, &begins.operand[0], 0, 1, 0, interval,
                                              times->step[self_step(stage)], from);
    if (row == low && begun) with = begin_chain(s, f, stage, times, &begins, row, end, from);
    for (int32_t i = 0; i < stage->operand_count; i++)
        if (!is_begin(stage, i))
            wires[i] = with >= 0 ? with
                                 : schedule_operand(s, f, &stage->operands[i], row, end - row, 0,
                                                    interval, base + times->operand[i], from);
    if (kept) {
        /* the chain's result follows the last row that is kept, on the same wire */
        bool follows = end == high && last == kept->from.index + 1 &&
                       result_direction(s, out, copy, chain) == result_direction(s, kept, 0, row);
        if (follows) behind = end - row;
        keeps = result_wire(s, f, kept, 0, row, end - row + follows,
                            base + times->step[kept->from.index]);
    }
    if (behind)
        result = keeps;
    else if (!stage->scan_ends)
        result = result_wire(s, f, out, copy, row, end - row, base + times->step[last]);
    else if (end == high)
        result = result_wire(s, f, out, copy, chain, 1,
                             base + (int64_t)(high - 1 - row) * interval + times->step[last]);
    for (Part part; row < end && !f->failed; row += part.count) {
        part = next_part(s, stage, begun, begin, row, low, high, end);
        for (int32_t i = 0; i <= last; i++)
            schedule_step(f, stage, i, &part, (int64_t)(row - low) * interval + times->step[i],
                          wires,
                          i == last && part.leaves        ? result
                          : kept && i == kept->from.index ? keeps
                                                          : -1);
        if (part.leaves)
            write_results(s, f, out, copy, result, stage->scan_ends ? chain : row,
                          stage->scan_ends ? behind : row - first, part.count);
        if (kept) write_results(s, f, kept, 0, keeps, row, row - first, part.count);
    }
}

/* Row `low` meets the VXM at time 0. */
static bool scan_flow(Scheduler *s, Flow *f, const Stage *stage, int32_t copy, int32_t chain,
                      int32_t low, int32_t high, int64_t *from, TspError *err) {
    StepTimes times;
    if (!schedule_times(stage, false, &times, (int32_t)s->m->vxm_op_cycles))
        return tsp_fail(err, TSP_ERR_BUG, "the steps of a stage (%s) cannot meet", stage->what);
    flow_clear(f, stage->op, stage->what);
    f->alus = stage->step_count;
    for (int32_t row = low, end; row < high && !f->failed; row = end) {
        end = schedule_cut(s, stage, row, high - row);
        segment_flow(s, f, stage, &times, copy, chain, low, high, row, end, from);
    }
    return f->failed ? tsp_fail(err, TSP_ERR_SYSTEM, "out of memory") : true;
}

/* Notes when rows from `row` on of an output's copy, results of a flow placed at `start`, can be
 * read: a Write run for each byte of each part, in the order of rows. */
static bool note_results(Scheduler *s, const Output *out, int32_t copy, const Flow *f, int32_t row,
                         int64_t start, TspError *err) {
    Tensor *t = &s->module->tensors[out->tensor];
    int64_t landed = 0;
    int32_t byte = 0;
    row += out->row0;
    for (int32_t i = 0; i < f->item_count; i++) {
        const Item *item = &f->items[i];
        if (item->kind != ITEM_MEM || item->insn.op != TSP_OP_WRITE || row == t->rows) continue;
        Place p = tsp_place(t, copy, row, 0, byte);
        if (item->queue != p.slice || item->insn.waddr != p.addr) continue; /* another's */
        landed = tsp_max64(landed, start + item->start + s->m->mem_write_cycles);
        if (++byte < t->bytes) continue;
        if (!schedule_note(t, 0, (Ready){row, item->count, landed, item->interval}, err))
            return false;
        row += item->count;
        landed = byte = 0;
    }
    return true;
}

/* A chain, with its results to one copy of the output. */
static bool schedule_scan(Scheduler *s, const Stage *stage, int32_t copy, int32_t chain,
                          TspError *err) {
    int32_t low = chain * stage->scan_rows;
    int32_t high = tsp_min32(low + stage->scan_rows, stage->rows);
    const Output *out = stage->outputs;
    int64_t start = 0;
    return scan_flow(s, &s->compute, stage, copy, chain, low, high, &start, err) &&
           (start = flow_earliest(&s->table, &s->compute, start, err)) >= 0 &&
           flow_commit(&s->table, &s->compute, start, err) &&
           note_results(s, out, copy, &s->compute, stage->scan_ends ? chain : low, start, err) &&
           (stage->output_count == 1 || note_results(s, out + 1, 0, &s->compute, low, start, err));
}

/* A chain with a flow for each copy of its results: they take the turns that the others leave. */
bool schedule_scans(Scheduler *s, const Stage *stage, TspError *err) {
    int32_t copies = s->module->tensors[stage->outputs[0].tensor].copies;
    for (int32_t chain = 0; chain * stage->scan_rows < stage->rows; chain++)
        for (int32_t copy = 0; copy < copies; copy++)
            if (!schedule_scan(s, stage, copy, chain, err)) return false;
    return true;
}
