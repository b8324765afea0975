/* lanes.c - stages of which the SXM moves the lanes: a row out to its edge, and back as it is
 * moved.
 */
#include "schedule.h"

#include <stdlib.h>

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
            if (!shift_byte(s, stage, byte, (row + !stage->unmoved) * abs(stage->shift),
                            tsp_place(t, 0, row, 0, byte), &landed, err))
                return false;
            last = tsp_max64(last, landed);
        }
        if (!schedule_note(t, 0, (Ready){row, 1, last, 1}, err)) return false;
    }
    return true;
}

/* The copy of a tensor that has a row in a hemisphere; -1: there is none. */
static int32_t copy_in(const Scheduler *s, const Tensor *t, int32_t row, TspHemisphere h) {
    for (int32_t copy = 0; copy < t->copies; copy++)
        if (tsp_slice_hemisphere(s->m, tsp_place(t, copy, row, 0, 0).slice) == h) return copy;
    return -1;
}

/* The wire that brings row `row` of an operand's copy to the SXM, at time 0 there. */
static int32_t wire_to_sxm(const Scheduler *s, Flow *f, int32_t tensor, int32_t copy, int32_t row,
                           TspHemisphere h, int64_t *from) {
    const Tensor *t = &s->module->tensors[tensor];
    const TspDirection out = h == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
    const int32_t sxm = tsp_sxm_column(s->m, h);
    const int32_t wire =
        flow_wire(f, (Wire){out, t->bytes, flow_phase(out, 0, sxm), 1, 1, sxm, sxm, 0});
    for (int32_t byte = 0; byte < t->bytes; byte++) {
        const Rows rows = {.tensor = t, .copy = copy, .byte = byte, .row = row, .count = 1};
        schedule_rows_read(s, f, &rows, (Tap){wire, byte}, 1, from);
    }
    return wire;
}

/* Row `row` of the output, by distributors first.. of a hemisphere, one a byte. Returns the wire of
 * the result; -1 if operands have no copies there. */
static int32_t distribute_flow(Scheduler *s, Flow *f, const Stage *stage, int32_t row,
                               TspHemisphere h, int32_t first, int64_t *from) {
    const TspMachine *m = s->m;
    const Operand *x = &stage->operands[0], *maps = &stage->operands[1];
    const Tensor *t = &s->module->tensors[stage->outputs[0].tensor];
    const TspDirection back = h == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD;
    const int32_t copy = copy_in(s, &s->module->tensors[x->tensor], x->row0, h),
                  map_copy = copy_in(s, &s->module->tensors[maps->tensor], row, h),
                  sxm = tsp_sxm_column(m, h);
    int32_t wires[3];
    if (copy < 0 || map_copy < 0) return -1;
    *from = 0;
    flow_clear(f, stage->op, stage->what);
    wires[0] = wire_to_sxm(s, f, x->tensor, copy, x->row0, h, from);
    wires[1] = wire_to_sxm(s, f, maps->tensor, map_copy, row, h, from);
    wires[2] = flow_wire(f, (Wire){back, t->bytes, flow_phase(back, m->sxm_distribute_cycles, sxm),
                                   1, 1, sxm, sxm, 0});
    for (int32_t byte = 0; byte < t->bytes; byte++) {
        flow_item(f, (Item){.kind = ITEM_QUEUE,
                            .queue = tsp_queue_sxm(m, h, TSP_ROLE_DISTRIBUTE, first + byte),
                            .insn = {.op = TSP_OP_DISTRIBUTE},
                            .count = 1,
                            .interval = 1,
                            .drives = {wires[2], byte},
                            .drive_width = 1,
                            .reads = {{wires[0], byte}, {wires[1], 0}},
                            .read_width = {1, 1}});
        schedule_write(s, f, wires[2], byte, t, tsp_place(t, 0, row, 0, byte), 0, 1, 1);
    }
    return wires[2];
}

/* Cycle, relative to the flow, in which all bytes of the row can be read. */
static int64_t distribute_landed(const Scheduler *s, const Flow *f, const Tensor *t, int32_t row,
                                 int32_t wire) {
    int64_t landed = 0;
    for (int32_t byte = 0; byte < t->bytes; byte++) {
        const int32_t column = tsp_slice_column(s->m, tsp_place(t, 0, row, 0, byte).slice);
        landed = tsp_max64(landed, flow_time_at(&f->wires[wire], column) + s->m->mem_write_cycles);
    }
    return landed;
}

/* By the hemisphere and the distributors that have it there first. */
static bool distribute_row(Scheduler *s, const Stage *stage, int32_t row, TspError *err) {
    Tensor *t = &s->module->tensors[stage->outputs[0].tensor];
    Flow *f = &s->compute;
    int64_t best = INT64_MAX, best_start = -1, from;
    TspHemisphere side = TSP_WEST;
    int32_t set = 0, wire;
    for (int h = TSP_WEST; h <= TSP_EAST; h++)
        for (int32_t first = 0; first + t->bytes <= s->m->sxm_distributors; first += t->bytes) {
            int64_t start, there;
            if ((wire = distribute_flow(s, f, stage, row, (TspHemisphere)h, first, &from)) < 0)
                continue;
            if ((start = flow_earliest(&s->table, f, from, err)) < 0) return false;
            there = start + distribute_landed(s, f, t, row, wire);
            if (there >= best) continue;
            best = there;
            best_start = start;
            side = (TspHemisphere)h;
            set = first;
        }
    if (best_start < 0)
        return tsp_fail(err, TSP_ERR_BUG, "what is distributed (%s) has no copies", stage->what);
    distribute_flow(s, f, stage, row, side, set, &from);
    return flow_commit(&s->table, f, best_start, err) &&
           schedule_note(t, 0, (Ready){row, 1, best, 1}, err);
}

bool schedule_distributes(Scheduler *s, const Stage *stage, TspError *err) {
    for (int32_t row = 0; row < stage->rows; row++)
        if (!distribute_row(s, stage, row, err)) return false;
    return true;
}
