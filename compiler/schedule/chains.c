/* chains.c - what reductions are scheduled as: rows that ALUs combine with their own results, and
 * vectors whose lanes the SXM moves.
 *
 * An ALU has the result of a row vxm_op_cycles later, so a chain keeps that many partial results,
 * taken in turn: at full speed, a row a cycle. A chain is one flow; chains run side by side.
 */
#include "schedule.h"

#include <stdlib.h>

/* From `row` on, of the rows low .. high-1 of a chain, no further than `end`. */
static Part next_part(const Scheduler *s, int32_t row, int32_t low, int32_t high, int32_t end) {
    int32_t turns = (int32_t)s->m->vxm_op_cycles;
    int32_t started = tsp_min32(low + turns, high), leaving = high - turns;
    if (row < started) end = tsp_min32(end, started);
    if (row < leaving) end = tsp_min32(end, leaving);
    return (Part){row, end - row, 1, row < started, row >= leaving, {FROM_NONE, 0}};
}

/* End of the rows from `row` on that come from one block of every operand. */
static int32_t segment_end(const Scheduler *s, const Stage *stage, int32_t row, int32_t high) {
    int32_t end = schedule_cut(s, stage, row, high - row);
    if (stage->last >= 0 && row < stage->rows - 1) end = tsp_min32(end, stage->rows - 1);
    return end;
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
    if (i == 0 && stage->last >= 0 && row == stage->rows - 1)
        o = (Operand){.tensor = stage->last, .byte = o.byte};
    if (o.row_step == 0) o.copy = low / stage->chain_rows % s->module->tensors[o.tensor].copies;
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

/* The flow of the chain of rows low .. high-1, which leaves its results in rows row0.. of the
 * output. Row `low` meets the VXM at time 0. */
static bool chain_flow(Scheduler *s, Flow *f, const Stage *stage, int32_t low, int32_t high,
                       int32_t row0, int64_t *from, TspError *err) {
    const TspMachine *m = s->m;
    int32_t op_cycles = (int32_t)m->vxm_op_cycles, last = stage->step_count - 1;
    int32_t count = tsp_min32(op_cycles, high - low), vxm = tsp_vxm_column(m), wire;
    const Tensor *t = &s->module->tensors[stage->outputs[0].tensor];
    Place p = tsp_place(t, 0, row0, 0, 0);
    TspDirection direction =
        tsp_slice_hemisphere(m, p.slice) == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
    StepTimes times;
    if (!schedule_times(stage, false, &times, op_cycles))
        return tsp_fail(err, TSP_ERR_BUG, "the steps of a stage (%s) cannot meet", stage->what);
    f->alus = stage->step_count;
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
        for (int32_t i = 0; i < stage->operand_count && !stage->joined_bytes; i++) {
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
            for (int32_t byte = 0; byte < t->bytes && part.leaves; byte++)
                schedule_write(s, f, wire, byte, t, tsp_place(t, 0, row0 + left, 0, byte), left,
                               part.count, 1);
        }
    }
    return f->failed ? tsp_fail(err, TSP_ERR_SYSTEM, "out of memory") : true;
}

/* Cycle in which the first rows meet the VXM. The chains start together, from slices near and far,
 * so that they end together: what one leaves would stand in the way of others that still read. */
static int64_t common_start(const Scheduler *s, const Stage *stage) {
    int64_t start = s->m->mem_read_cycles + tsp_mem_columns(s->m);
    if (stage->last < 0) return start;
    return tsp_max64(start, schedule_ready(&s->module->tensors[stage->last], 0, 0, 1, 1, 1));
}

bool schedule_chains(Scheduler *s, const Stage *stage, TspError *err) {
    int32_t turns = (int32_t)s->m->vxm_op_cycles;
    for (int32_t low = 0, chain = 0; low < stage->rows; low += stage->chain_rows, chain++) {
        int32_t high = tsp_min32(low + stage->chain_rows, stage->rows);
        int64_t start = common_start(s, stage);
        flow_clear(&s->compute, stage->op, stage->what);
        if (!chain_flow(s, &s->compute, stage, low, high, chain * turns, &start, err) ||
            (start = flow_earliest(&s->table, &s->compute, start, err)) < 0 ||
            !flow_commit(&s->table, &s->compute, start, err) ||
            !schedule_results(s, stage, &s->compute, start, chain * turns,
                              tsp_min32(turns, high - low), 0, 1, err))
            return false;
    }
    return true;
}

/* One byte of the row of operand 0, read from copy `copy`, out to the SXM, moved by `lanes` by
 * shifter `shifter`, back to `to`. */
static void shift_flow(Scheduler *s, Flow *f, const Stage *stage, int32_t copy, int32_t byte,
                       int32_t shifter, int32_t lanes, Place to, int64_t *from) {
    const TspMachine *m = s->m;
    const Tensor *t = &s->module->tensors[stage->operands[0].tensor];
    int32_t row = stage->operands[0].row0;
    Place p = tsp_place(t, copy, row, 0, byte);
    TspHemisphere h = tsp_slice_hemisphere(m, p.slice);
    TspDirection out = h == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD,
                 back = h == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD;
    int32_t column = tsp_slice_column(m, p.slice), sxm = tsp_sxm_column(m, h), wires[2];
    bool cross = stage->cols > m->lanes_per_superlane;
    int64_t moved;
    flow_clear(f, stage->op, stage->what);
    wires[0] = flow_wire(
        f, (Wire){out, 1, flow_phase(out, m->mem_read_cycles, column), 1, 1, column, column, 0});
    flow_reach(&f->wires[wires[0]], sxm);
    moved = flow_time_at(&f->wires[wires[0]], sxm);
    wires[1] = flow_wire(f, (Wire){back, 1,
                                   flow_phase(back, moved + tsp_shift_cycles(m, lanes, cross), sxm),
                                   1, 1, sxm, sxm, 0});
    flow_item(f, (Item){.kind = ITEM_MEM,
                        .queue = p.slice,
                        .insn = {.op = TSP_OP_READ, .addr = p.addr},
                        .count = 1,
                        .interval = 1,
                        .bank = tsp_mem_bank(m, p.addr),
                        .tensor = schedule_index(s, t),
                        .drives = {wires[0], 0},
                        .drive_width = 1,
                        .reads = {{-1, 0}, {-1, 0}}});
    flow_item(f, (Item){.kind = ITEM_QUEUE,
                        .queue = tsp_queue_sxm(m, h, TSP_ROLE_SHIFT, shifter),
                        .insn = {.op = TSP_OP_SHIFT, .n = lanes, .cross = cross},
                        .start = moved,
                        .count = 1,
                        .interval = 1,
                        .drives = {wires[1], 0},
                        .drive_width = 1,
                        .reads = {{wires[0], 0}, {-1, 0}},
                        .read_width = {1, 0}});
    schedule_write(s, f, wires[1], 0, &s->module->tensors[stage->outputs[0].tensor], to, 0, 1, 1);
    *from = schedule_ready(t, 0, row, 1, 1, 1);
}

/* Cycle, relative to the flow, in which its result can be read. */
static int64_t shift_landed(const Scheduler *s, const Flow *f, Place to) {
    return flow_time_at(&f->wires[1], tsp_slice_column(s->m, to.slice)) + s->m->mem_write_cycles;
}

/* By the copy and the shifter that have it there first. Southward shifters have odd numbers. */
static bool shift_byte(Scheduler *s, const Stage *stage, int32_t byte, int32_t lanes, Place to,
                       int64_t *landed, TspError *err) {
    const Tensor *t = &s->module->tensors[stage->operands[0].tensor];
    int32_t first = stage->shift > 0, best_copy = 0, best_shifter = first;
    int64_t best_start = 0, from;
    *landed = INT64_MAX;
    for (int32_t copy = 0; copy < t->copies; copy++)
        for (int32_t shifter = first; shifter < s->m->sxm_shifters; shifter += 2) {
            int64_t start, there;
            shift_flow(s, &s->compute, stage, copy, byte, shifter, lanes, to, &from);
            if ((start = flow_earliest(&s->table, &s->compute, from, err)) < 0) return false;
            there = start + shift_landed(s, &s->compute, to);
            if (there >= *landed) continue;
            *landed = there;
            best_start = start;
            best_copy = copy;
            best_shifter = shifter;
        }
    shift_flow(s, &s->compute, stage, best_copy, byte, best_shifter, lanes, to, &from);
    return flow_commit(&s->table, &s->compute, best_start, err);
}

bool schedule_shifts(Scheduler *s, const Stage *stage, TspError *err) {
    Tensor *t = &s->module->tensors[stage->outputs[0].tensor];
    for (int32_t row = stage->rows - 1; row >= 0; row--) { /* the farthest take longest */
        int64_t last = 0, landed;
        for (int32_t byte = 0; byte < t->bytes; byte++) {
            if (!shift_byte(s, stage, byte, (row + 1) * abs(stage->shift),
                            tsp_place(t, 0, row, 0, byte), &landed, err))
                return false;
            last = tsp_max64(last, landed);
        }
        if (!schedule_note(t, 0, (Ready){row, 1, last, 1}, err)) return false;
    }
    return true;
}
