/* tail.c - the second half of every flow: operands from memory, VXM steps, results to memory.
 *
 * Steps form a tree whose times follow from one of them: a chained step takes its operand in the
 * very cycle it is produced. Streams are read when they are needed.
 */
#include "schedule.h"

#include <stddef.h>

enum { UNSET = INT32_MIN };

static int32_t *time_of(StepTimes *t, From from, int32_t *step_shift, int32_t op_cycles) {
    *step_shift = 0;
    switch (from.kind) {
    case FROM_PRODUCT:
        return &t->product;
    case FROM_OPERAND:
        return &t->operand[from.index];
    case FROM_STEP:
        *step_shift = op_cycles;
        return &t->step[from.index];
    default:
        return NULL;
    }
}

/* Spreads known times along the edges until nothing changes; false if they contradict. */
static bool spread_times(const Stage *stage, StepTimes *t, int32_t op_cycles) {
    for (bool changed = true; changed;) {
        changed = false;
        for (int32_t i = 0; i < stage->step_count; i++) {
            const From from[2] = {stage->steps[i].a, stage->steps[i].b};
            for (int j = 0; j < 2; j++) {
                int32_t shift, *source = time_of(t, from[j], &shift, op_cycles);
                if (!source) continue;
                if (*source == UNSET && t->step[i] != UNSET)
                    *source = t->step[i] - shift, changed = true;
                else if (*source != UNSET && t->step[i] == UNSET)
                    t->step[i] = *source + shift, changed = true;
                else if (*source != UNSET && *source + shift != t->step[i])
                    return false;
            }
        }
    }
    return true;
}

bool schedule_times(const Stage *stage, bool product, StepTimes *t, int32_t op_cycles) {
    for (int i = 0; i < MAX_STEPS; i++) t->step[i] = UNSET;
    for (int i = 0; i < MAX_OPERANDS; i++) t->operand[i] = UNSET;
    t->product = UNSET;
    if (product)
        t->product = 0;
    else
        t->step[0] = 0;
    if (!spread_times(stage, t, op_cycles)) return false;
    for (int32_t i = 0; i < stage->step_count; i++) /* parts joined to nothing known */
        if (t->step[i] == UNSET) {
            t->step[i] = 0;
            if (!spread_times(stage, t, op_cycles)) return false;
        }
    return true;
}

/* Column tile and copy that an operand has for column tile `ctile` of the stage. */
static int32_t operand_tile(const Operand *o, int32_t ctile) {
    return o->ctile0 + (o->one_tile ? 0 : ctile);
}
static int32_t operand_copy(const Tensor *t, const Operand *o, int32_t ctile) {
    return (o->copy + (o->one_tile ? ctile : 0)) % t->copies;
}

TspDirection schedule_direction(const Scheduler *s, const Operand *o, int32_t first,
                                int32_t ctile) {
    const Tensor *t = &s->module->tensors[o->tensor];
    Place p = tsp_place(t, operand_copy(t, o, ctile), o->row0 + first * o->row_step,
                        operand_tile(o, ctile), 0);
    return tsp_slice_hemisphere(s->m, p.slice) == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD;
}

/* How many of rows row, row+step .. of a tensor lie in the block of the first. */
static int32_t rows_inside(const Tensor *t, int32_t row, int32_t step) {
    int32_t inside = row % t->block_rows;
    if (step == 0) return INT32_MAX;
    return step > 0 ? tsp_ceil_div(t->block_rows - inside, step) : inside / -step + 1;
}

void schedule_rows_read(const Scheduler *s, Flow *f, const Rows *rows, Tap to, int32_t interval,
                        int64_t *from) {
    const TspMachine *m = s->m;
    const Tensor *t = rows->tensor;
    Wire *wire = &f->wires[to.wire];
    for (int32_t i = 0, count; i < rows->count && !f->failed; i += count) {
        int32_t row = rows->row + i * rows->step;
        Place p = tsp_place(t, rows->copy, row, rows->ctile, rows->byte);
        int32_t column = tsp_slice_column(m, p.slice);
        int64_t start = flow_time_at(wire, column) - m->mem_read_cycles;
        count = tsp_min32(rows->count - i, rows_inside(t, row, rows->step));
        flow_reach(wire, column);
        start += (int64_t)(rows->skip + i) * interval;
        *from = tsp_max64(*from,
                          schedule_ready(t, rows->ctile, row, rows->step, count, interval) - start);
        flow_item(f, (Item){.kind = ITEM_MEM,
                            .queue = p.slice,
                            .insn = {.op = TSP_OP_READ, .addr = p.addr},
                            .step = rows->step,
                            .start = start,
                            .count = count,
                            .interval = interval,
                            .bank = tsp_mem_bank(m, p.addr),
                            .tensor = schedule_index(s, t),
                            .drives = to,
                            .drive_width = 1,
                            .reads = {{-1, 0}, {-1, 0}}});
    }
}

void schedule_reads(Scheduler *s, Flow *f, const Operand *o, int32_t wire, int32_t skip,
                    int32_t first, int32_t count, int32_t ctile, int32_t interval, int64_t *from) {
    const Tensor *t = &s->module->tensors[o->tensor];
    for (int32_t byte = 0; byte < t->bytes; byte++) {
        const Rows rows = {.tensor = t,
                           .copy = operand_copy(t, o, ctile),
                           .ctile = operand_tile(o, ctile),
                           .byte = byte,
                           .row = o->row0 + first * o->row_step,
                           .step = o->row_step,
                           .count = count,
                           .skip = skip};
        schedule_rows_read(s, f, &rows, (Tap){wire, o->byte + byte}, interval, from);
    }
}

/* The wire of the flow that brings the same rows at the same time, and nothing else but one row for
 * longer; -1 if there is none. */
static int32_t same_rows(const Scheduler *s, const Flow *f, const Wire *w, const Rows *rows) {
    const Place p = tsp_place(rows->tensor, rows->copy, rows->row, rows->ctile, rows->byte);
    const int64_t start = flow_time_at(w, tsp_slice_column(s->m, p.slice)) - s->m->mem_read_cycles;
    for (int32_t i = 0; i < f->item_count; i++) {
        const Item *item = &f->items[i];
        const Wire *other = item->drives.wire >= 0 ? &f->wires[item->drives.wire] : NULL;
        if (item->kind == ITEM_MEM && item->insn.op == TSP_OP_READ && item->queue == p.slice &&
            item->insn.addr == p.addr && item->step == rows->step && item->start == start &&
            item->interval == w->interval && item->drives.offset == 0 &&
            (other->count == w->count || (rows->step == 0 && other->count > w->count)) &&
            other->width == w->width)
            return item->drives.wire;
    }
    return -1;
}

int32_t schedule_operand(Scheduler *s, Flow *f, const Operand *o, int32_t first, int32_t count,
                         int32_t ctile, int32_t interval, int64_t time, int64_t *from) {
    const Tensor *t = &s->module->tensors[o->tensor];
    const TspDirection direction = schedule_direction(s, o, first, ctile);
    const int32_t vxm = tsp_vxm_column(s->m);
    const Wire brings = {
        direction, t->bytes, flow_phase(direction, time, vxm), count, interval, vxm, vxm, 0};
    const Rows rows = {.tensor = t,
                       .copy = operand_copy(t, o, ctile),
                       .ctile = operand_tile(o, ctile),
                       .row = o->row0 + first * o->row_step,
                       .step = o->row_step,
                       .count = count};
    int32_t wire = same_rows(s, f, &brings, &rows);
    if (wire >= 0) return wire;
    wire = flow_wire(f, brings);
    schedule_reads(s, f, o, wire, 0, first, count, ctile, interval, from);
    return wire;
}

void schedule_write(const Scheduler *s, Flow *f, int32_t wire, int32_t offset, const Tensor *t,
                    Place p, int32_t skip, int32_t count, int32_t interval) {
    int32_t column = tsp_slice_column(s->m, p.slice);
    flow_reach(&f->wires[wire], column);
    flow_item(f, (Item){.kind = ITEM_MEM,
                        .queue = p.slice,
                        .insn = {.op = TSP_OP_WRITE, .waddr = p.addr},
                        .step = 1,
                        .start = flow_time_at(&f->wires[wire], column) + (int64_t)skip * interval,
                        .count = count,
                        .interval = interval,
                        .bank = tsp_mem_bank(s->m, p.addr),
                        .tensor = schedule_index(s, t),
                        .drives = {-1, 0},
                        .reads = {{wire, offset}, {-1, 0}},
                        .read_width = {1, 0}});
}

/* Writes the part of an output that lies in one hemisphere (-1: both). */
static void write_output(const Scheduler *s, Flow *f, const Output *o, int32_t wire, int hemisphere,
                         int32_t first, int32_t count, int32_t ctile, int32_t interval) {
    const TspMachine *m = s->m;
    const Tensor *t = &s->module->tensors[o->tensor];
    int32_t row = o->row0 + first, tile = o->ctile0 + ctile, group = (int32_t)m->mxm_load_streams;
    for (int32_t b = 0; b < o->bytes; b++) {
        int32_t byte = o->byte0 + b, offset = o->src_byte + b;
        for (int32_t copy = 0; t->places && copy < t->copies; copy++)
            for (int32_t i = 0, rows; i < count; i += rows) {
                Place p = tsp_place(t, copy, row + i, tile, byte);
                rows = tsp_min32(count - i, rows_inside(t, row + i, 1));
                if (hemisphere < 0 || (int)tsp_slice_hemisphere(m, p.slice) == hemisphere)
                    schedule_write(s, f, wire, offset, t, p, i, rows, interval);
            }
        for (int32_t i = 0; t->stripes && i < count; i++) {
            Place p = tsp_stripe(t, group, row + i, tile, byte);
            if (hemisphere < 0 || (int)tsp_slice_hemisphere(m, p.slice) == hemisphere)
                schedule_write(s, f, wire, offset, t, p, i, 1, interval);
        }
    }
}

static bool lies_in(const Scheduler *s, const Output *o, int hemisphere, int32_t first,
                    int32_t count, int32_t ctile) {
    const TspMachine *m = s->m;
    const Tensor *t = &s->module->tensors[o->tensor];
    int32_t tile = o->ctile0 + ctile, group = (int32_t)m->mxm_load_streams;
    for (int32_t b = o->byte0; b < o->byte0 + o->bytes; b++) {
        for (int32_t copy = 0; t->places && copy < t->copies; copy++)
            if ((int)tsp_slice_hemisphere(m, tsp_place(t, copy, o->row0 + first, tile, b).slice) ==
                hemisphere)
                return true;
        for (int32_t i = 0; t->stripes && i < count; i++)
            if ((int)tsp_slice_hemisphere(
                    m, tsp_stripe(t, group, o->row0 + first + i, tile, b).slice) == hemisphere)
                return true;
    }
    return false;
}

static bool converts(const Step *step) {
    return step->op == TSP_OP_CVT || step->op == TSP_OP_CVT_SAT;
}

static TspDtype result_type(const Step *step) {
    return converts(step) ? step->type2 : step->type;
}

/* Adds the ALU item of a step of a stage whose first has ALU `first_alu`; returns its index among
 * the items. */
static int32_t step_item(const Scheduler *s, Flow *f, const Step *step, int32_t first_alu,
                         int32_t time, const int32_t *operand_wires, const int32_t *products,
                         int32_t count, int32_t interval) {
    Item item = {.kind = ITEM_ALU,
                 .queue = f->alus++,
                 .insn = {.op = step->op,
                          .type = (int32_t)step->type,
                          .type2 = converts(step) ? (int32_t)step->type2 : 0},
                 .start = time - s->m->vxm_entry_cycles,
                 .count = count,
                 .interval = interval,
                 .drives = {-1, 0},
                 .reads = {{-1, 0}, {-1, 0}},
                 .alu_from = {-1, -1}};
    const From from[2] = {step->a, step->b};
    f->op = step->node;
    for (int j = 0; j < 2; j++) {
        int32_t *source = j ? &item.insn.src_b : &item.insn.src_a;
        switch (from[j].kind) {
        case FROM_PRODUCT:
            item.reads[j].wire = products[from[j].index];
            break;
        case FROM_OPERAND:
            item.reads[j].wire = operand_wires[from[j].index];
            break;
        case FROM_STEP:
            item.alu_from[j] = first_alu + from[j].index;
            break;
        case FROM_IMM:
            *source = TSP_SRC(TSP_SRC_IMM, 0);
            item.insn.imm = (int32_t)step->imm;
            break;
        case FROM_SELF:
        case FROM_NONE:
            break;
        }
        if (item.reads[j].wire >= 0) item.read_width[j] = tsp_dtype_bytes(step->type);
    }
    flow_item(f, item);
    return f->item_count - 1;
}

/* Node that an operand is read for: that of the first step that takes it. */
static int32_t reader(const Stage *stage, int32_t operand) {
    for (int32_t i = 0; i < stage->step_count; i++) {
        const From from[2] = {stage->steps[i].a, stage->steps[i].b};
        for (int j = 0; j < 2; j++)
            if (from[j].kind == FROM_OPERAND && from[j].index == operand)
                return stage->steps[i].node;
    }
    return stage->op;
}

/* The block of a flat result that row `first` of the stage belongs to: flows of different blocks
 * run side by side, and take turns at the copies of a row that they all read. */
static int32_t turn(const Scheduler *s, const Stage *stage, int32_t first) {
    const Output *o = &stage->outputs[0];
    const Tensor *t = &s->module->tensors[o->tensor];
    return stage->output_count && t->flat ? (o->row0 + first) / t->block_rows : 0;
}

/* One more ALU, for the other direction: it does the same beside step `last`, whose result is there
 * at `time`, or where wiring is scarce passes that on. */
static int32_t second_item(const Scheduler *s, Flow *f, const Stage *stage, int32_t first_alu,
                           int32_t last, int32_t time, const int32_t *operand_wires,
                           const int32_t *products, int32_t count, int32_t interval) {
    const Step *step = &stage->steps[last];
    const Step pass = {TSP_OP_PASS,       result_type(step), result_type(step),
                       {FROM_STEP, last}, {FROM_NONE, 0},    0,
                       step->node};
    bool same = !s->m->vxm_neighbour_only;
    return step_item(s, f, same ? step : &pass, first_alu,
                     same ? time - (int32_t)s->m->vxm_op_cycles : time, operand_wires, products,
                     count, interval);
}

bool schedule_tail(Scheduler *s, Flow *f, const Stage *stage, int32_t first, int32_t count,
                   int32_t ctile, int32_t interval, const int32_t *products, int64_t *from,
                   TspError *err) {
    const TspMachine *m = s->m;
    int32_t vxm = tsp_vxm_column(m), op_cycles = (int32_t)m->vxm_op_cycles, first_step;
    const int32_t first_alu = f->alus;
    int32_t operand_wires[MAX_OPERANDS];
    int64_t base = m->vxm_entry_cycles; /* relative time of ALU input time 0 */
    StepTimes times;
    if (stage->step_count == 0) {
        for (int32_t o = 0; o < stage->output_count; o++)
            write_output(s, f, &stage->outputs[o], products[0], -1, first, count, ctile, interval);
        return true;
    }
    if (!schedule_times(stage, products != NULL, &times, op_cycles))
        return tsp_fail(err, TSP_ERR_BUG, "the steps of a stage (%s) cannot meet", stage->what);
    for (int32_t i = 0; i < tsp_stage_products(stage); i++) flow_reach(&f->wires[products[i]], vxm);
    if (products) base += flow_time_at(&f->wires[products[0]], vxm);
    for (int32_t i = 0; i < stage->operand_count; i++) {
        Operand o = stage->operands[i];
        if (o.row_step == 0) o.copy += turn(s, stage, first);
        f->op = reader(stage, i);
        operand_wires[i] = schedule_operand(s, f, &o, first, count, ctile, interval,
                                            base + times.operand[i] - m->vxm_entry_cycles, from);
    }
    first_step = f->item_count;
    for (int32_t i = 0; i < stage->step_count; i++)
        step_item(s, f, &stage->steps[i], first_alu, (int32_t)base + times.step[i], operand_wires,
                  products, count, interval);
    for (int32_t o = 0; o < stage->output_count; o++) {
        const Output *out = &stage->outputs[o];
        TspDtype type = result_type(&stage->steps[out->from.index]);
        int32_t last = out->from.index, emitted = 0; /* ALU that makes the value; directions done */
        int64_t time = base + times.step[last] + op_cycles;
        f->op = stage->steps[last].node;
        for (int h = TSP_WEST; h <= TSP_EAST; h++) {
            TspDirection direction = h == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
            int32_t wire, item = first_step + last;
            if (!lies_in(s, out, h, first, count, ctile)) continue;
            if (emitted++) {
                item = second_item(s, f, stage, first_alu, last, (int32_t)time, operand_wires,
                                   products, count, interval);
                time = f->items[item].start + m->vxm_entry_cycles + op_cycles;
            }
            wire = flow_wire(f, (Wire){direction, tsp_dtype_bytes(type),
                                       flow_phase(direction, time + m->vxm_exit_cycles, vxm), count,
                                       interval, vxm, vxm, 0});
            if (f->failed) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
            f->items[item].drives = (Tap){wire, 0};
            f->items[item].drive_width = tsp_dtype_bytes(type);
            write_output(s, f, out, wire, h, first, count, ctile, interval);
        }
    }
    return true;
}

bool schedule_results(Scheduler *s, const Stage *stage, const Flow *f, int64_t start, int32_t first,
                      int32_t count, int32_t ctile, int32_t interval, TspError *err) {
    int64_t landed = 0; /* of row 0 by the latest of all Writes: later rows follow evenly */
    for (int32_t i = 0; i < f->item_count; i++) {
        const Item *item = &f->items[i];
        if (item->kind != ITEM_MEM || item->insn.op != TSP_OP_WRITE) continue;
        const Wire *w = &f->wires[item->reads[0].wire];
        landed = tsp_max64(landed, start + flow_time_at(w, tsp_slice_column(s->m, item->queue)) +
                                       s->m->mem_write_cycles);
    }
    for (int32_t o = 0; o < stage->output_count; o++) {
        const Output *out = &stage->outputs[o];
        if (!schedule_note(&s->module->tensors[out->tensor], out->ctile0 + ctile,
                           (Ready){out->row0 + first, count, landed, interval}, err))
            return false;
    }
    return true;
}

/* The row from which on a tensor that the stage meets with row `row` has another block; INT32_MAX
 * where a flow may cross blocks. */
static int32_t block_end(const Stage *stage, const Tensor *t, int32_t row0, int32_t step,
                         int32_t row) {
    if (!t->places || step == 0 || (stage->product && t->spliced)) return INT32_MAX;
    return row + rows_inside(t, row0 + row * step, step);
}

int32_t schedule_cut(const Scheduler *s, const Stage *stage, int32_t row, int32_t limit) {
    const Tensor *tensors = s->module->tensors;
    int32_t end = tsp_min32(stage->rows, row + limit);
    for (int32_t i = 0; i < stage->operand_count; i++) {
        const Operand *o = &stage->operands[i];
        end = tsp_min32(end, block_end(stage, &tensors[o->tensor], o->row0, o->row_step, row));
    }
    for (int32_t i = stage->scan_ends; i < stage->output_count && !stage->chain_rows; i++) {
        const Output *o = &stage->outputs[i];
        end = tsp_min32(end, block_end(stage, &tensors[o->tensor], o->row0, 1, row));
    }
    for (int32_t i = 0; i < stage->term_count; i++) {
        const Term *t = &stage->terms[i];
        end = tsp_min32(end, block_end(stage, &tensors[t->a], t->a_row0, 1 + t->a_skip, row));
    }
    return end;
}
