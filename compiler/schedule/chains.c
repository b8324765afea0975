/* chains.c - what reductions are scheduled as: rows that ALUs combine with their own results.
 *
 * An ALU has the result of a row vxm_op_cycles later, so a chain keeps that many partial results,
 * taken in turn: at full speed, a row a cycle. A chain is one flow; chains run side by side.
 */
#include "schedule.h"

/* From `row` on, of the rows low .. high-1 of a chain, no further than `end`. */
static Part next_part(const Scheduler *s, int32_t row, int32_t low, int32_t high, int32_t end) {
    int32_t turns = (int32_t)s->m->vxm_op_cycles;
    int32_t started = tsp_min32(low + turns, high), leaving = high - turns;
    if (row < started) end = tsp_min32(end, started);
    if (row < leaving) end = tsp_min32(end, leaving);
    return (Part){row, end - row, 1, row < started, row >= leaving, {FROM_NONE, 0}};
}

/* The row of the stage that is the last of operand 0. */
static int32_t last_row(const Stage *stage) {
    return stage->operands[0].row_step < 0 ? 0 : stage->rows - 1;
}

/* End of the rows from `row` on that come from one block of every operand. */
static int32_t segment_end(const Scheduler *s, const Stage *stage, int32_t row, int32_t high) {
    int32_t end = schedule_cut(s, stage, row, high - row);
    if (stage->last < 0 || row > last_row(stage)) return end;
    return tsp_min32(end, row < last_row(stage) ? last_row(stage) : row + 1);
}

void schedule_step(Flow *f, const Stage *stage, int32_t i, const Part *part, int64_t start,
                   const int32_t *wires, int32_t result) {
    const Step *step = &stage->steps[i];
    bool begins = step->b.kind == FROM_SELF && part->starts;
    bool pass = begins && part->begin.kind == FROM_NONE;
    bool converts = step->op == TSP_OP_CVT || step->op == TSP_OP_CVT_SAT;
    From from[2] = {step->a, begins ? part->begin : step->b};
    Item item = {.kind = ITEM_ALU,
                 .queue = i,
                 .insn = {.op = pass ? TSP_OP_PASS : step->op,
                          .type = (int32_t)step->type,
                          .type2 = converts ? (int32_t)step->type2 : 0},
                 .start = start,
                 .count = part->count,
                 .interval = part->interval,
                 .drives = {result, 0},
                 .drive_width =
                     result < 0 ? 0 : tsp_dtype_bytes(converts ? step->type2 : step->type),
                 .reads = {{-1, 0}, {-1, 0}},
                 .alu_from = {-1, -1}};
    for (int j = 0; j < 2; j++) {
        if (from[j].kind == FROM_STEP) item.alu_from[j] = from[j].index;
        if (from[j].kind == FROM_SELF) item.alu_from[j] = i;
        if (from[j].kind == FROM_IMM) {
            *(j ? &item.insn.src_b : &item.insn.src_a) = TSP_SRC(TSP_SRC_IMM, 0);
            item.insn.imm = (int32_t)step->imm;
        }
        if (from[j].kind != FROM_OPERAND) continue;
        item.reads[j].wire = wires[from[j].index];
        item.read_width[j] = tsp_dtype_bytes(step->type);
    }
    flow_item(f, item);
}

/* Operand i for rows of the chain that begins with row `low`, from `row` on. */
static Operand chain_operand(const Scheduler *s, const Stage *stage, int32_t i, int32_t low,
                             int32_t row) {
    Operand o = stage->operands[i];
    if (i == 0 && stage->last >= 0 && row == last_row(stage))
        o = (Operand){.tensor = stage->last, .byte = o.byte};
    if (o.row_step == 0)
        o.copy = low / stage->chain_rows / (stage->beside ? stage->beside : 1) %
                 s->module->tensors[o.tensor].copies;
    return o;
}

/* All operands of rows row .. row+count-1 as bytes of one wire, which is at the VXM from `time` on;
 * -1: error. */
static int32_t joined_operands(Scheduler *s, Flow *f, const Stage *stage, int32_t low, int32_t row,
                               int32_t count, int64_t time, int64_t *from, TspError *err) {
    TspDirection direction = schedule_direction(s, &stage->operands[1], row, 0);
    int32_t vxm = tsp_vxm_column(s->m);
    int32_t wire = flow_wire(f, (Wire){direction, stage->joined_bytes,
                                       flow_phase(direction, time, vxm), count, 1, vxm, vxm, 0});
    for (int32_t i = 0; i < stage->operand_count; i++) {
        Operand o = chain_operand(s, stage, i, low, row);
        int32_t copies = s->module->tensors[o.tensor].copies;
        for (o.copy = 0; o.copy < copies; o.copy++)
            if (schedule_direction(s, &o, row, 0) == direction) break;
        if (o.copy == copies)
            return tsp_fail(err, TSP_ERR_BUG, "what is joined (%s) lies in two hemispheres",
                            stage->what),
                   -1;
        schedule_reads(s, f, &o, wire, 0, row, count, 0, 1, from);
    }
    return wire;
}

/* Gives the steps of items first.. `count` ALUs beside those that the flow has. */
static void own_alus(Flow *f, int32_t first, int32_t count) {
    for (int32_t i = first; i < f->item_count; i++) {
        Item *item = &f->items[i];
        if (item->kind != ITEM_ALU) continue;
        item->queue += f->alus;
        for (int j = 0; j < 2; j++)
            if (item->alu_from[j] >= 0) item->alu_from[j] += f->alus;
    }
    f->alus += count;
}

/* Operands that are read row by row, or for the chain as a whole. */
static int32_t read_count(const Stage *stage) {
    return stage->joined_bytes ? 0 : stage->gathers ? 2 : stage->operand_count;
}

/* Writes `count` results of a chain to rows of a tensor, from row0 + left on. */
static void write_left(const Scheduler *s, Flow *f, const Tensor *t, int32_t wire, int32_t row0,
                       int32_t left, int32_t count) {
    for (int32_t i = 0, rows; i < count && !f->failed; i += rows) {
        const int32_t row = row0 + left + i;
        rows = tsp_min32(count - i, t->block_rows - row % t->block_rows);
        for (int32_t byte = 0; byte < t->bytes && !f->failed; byte++)
            schedule_write(s, f, wire, byte, t, tsp_place(t, 0, row, 0, byte), left + i, rows, 1);
    }
}

/* Adds the chain of rows low .. high-1 to a flow, which leaves its results in rows row0.. of the
 * output. Row `low` meets the VXM at time 0. */
static bool chain_flow(Scheduler *s, Flow *f, const Stage *stage, int32_t low, int32_t high,
                       int32_t row0, int64_t *from, TspError *err) {
    const TspMachine *m = s->m;
    int32_t op_cycles = (int32_t)m->vxm_op_cycles, last = stage->step_count - 1;
    int32_t count = tsp_min32(op_cycles, high - low), vxm = tsp_vxm_column(m), wire;
    const int32_t first_item = f->item_count;
    const Tensor *t = &s->module->tensors[stage->outputs[0].tensor];
    Place p = tsp_place(t, 0, row0, 0, 0);
    TspDirection direction =
        tsp_slice_hemisphere(m, p.slice) == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
    StepTimes times;
    if (!schedule_times(stage, false, &times, op_cycles))
        return tsp_fail(err, TSP_ERR_BUG, "the steps of a stage (%s) cannot meet", stage->what);
    wire = flow_wire(f, (Wire){direction, t->bytes,
                               flow_phase(direction,
                                          high - low - count + times.step[last] +
                                              m->vxm_entry_cycles + op_cycles + m->vxm_exit_cycles,
                                          vxm),
                               count, 1, vxm, vxm, 0});
    for (int32_t row = low, end; row < high && !f->failed; row = end) {
        int32_t wires[MAX_OPERANDS];
        end = segment_end(s, stage, row, high);
        if (stage->joined_bytes) {
            wires[0] = joined_operands(s, f, stage, low, row, end - row,
                                       row - low + times.operand[0], from, err);
            if (wires[0] < 0) return false;
        }
        if (stage->gathers)
            wires[0] = schedule_gathered(s, f, stage, low / stage->chain_rows, end - row,
                                         row - low + times.operand[0], from);
        for (int32_t i = stage->gathers; i < read_count(stage); i++) {
            Operand o = chain_operand(s, stage, i, low, row);
            wires[i] = schedule_operand(s, f, &o, row, end - row, 0, 1,
                                        row - low + times.operand[i], from);
        }
        for (Part part; row < end && !f->failed; row += part.count) {
            int32_t left = row - (high - count);
            part = next_part(s, row, low, high, end);
            for (int32_t i = 0; i <= last; i++)
                schedule_step(f, stage, i, &part, row - low + times.step[i], wires,
                              i == last && part.leaves ? wire : -1);
            if (part.leaves) write_left(s, f, t, wire, row0, left, part.count);
        }
    }
    own_alus(f, first_item, last + 1);
    return f->failed ? tsp_fail(err, TSP_ERR_SYSTEM, "out of memory") : true;
}

/* Cycle in which the first rows meet the VXM. The chains start together, from slices near and far,
 * so that they end together: what one leaves would stand in the way of others that still read. */
int64_t schedule_common_start(const Scheduler *s, const Stage *stage) {
    int64_t start = s->m->mem_read_cycles + tsp_mem_columns(s->m);
    if (stage->last < 0) return start;
    return tsp_max64(start, schedule_ready(&s->module->tensors[stage->last], 0, 0, 1, 1, 1));
}

/* Chains first .. end-1, in one flow. */
static bool schedule_together(Scheduler *s, const Stage *stage, int32_t first, int32_t end,
                              TspError *err) {
    int32_t turns = (int32_t)s->m->vxm_op_cycles, each = stage->chain_rows;
    int64_t start = schedule_common_start(s, stage);
    flow_clear(&s->compute, stage->op, stage->what);
    for (int32_t i = first; i < end; i++)
        if (!chain_flow(s, &s->compute, stage, i * each, tsp_min32((i + 1) * each, stage->rows),
                        i * turns, &start, err))
            return false;
    if ((start = flow_earliest(&s->table, &s->compute, start, err)) < 0 ||
        !flow_commit(&s->table, &s->compute, start, err))
        return false;
    for (int32_t i = first; i < end; i++)
        if (!schedule_results(s, stage, &s->compute, start, i * turns,
                              tsp_min32(turns, stage->rows - i * each), 0, 1, err))
            return false;
    return true;
}

bool schedule_chains(Scheduler *s, const Stage *stage, TspError *err) {
    int32_t chains = tsp_ceil_div(stage->rows, stage->chain_rows),
            beside = stage->beside ? stage->beside : 1;
    if (stage->mark_rows) return schedule_marks(s, stage, err);
    for (int32_t i = 0; i < chains; i += beside)
        if (!schedule_together(s, stage, i, tsp_min32(i + beside, chains), err)) return false;
    return true;
}
