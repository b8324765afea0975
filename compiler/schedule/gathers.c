/* gathers.c - rows of which only the chip knows where they lie: addresses go out to the SXM, which
 * sends them back, and as they pass the slices on their way inward each gathers what they name; so
 * whatever slice a row comes from, it is at the VXM with those of the others.
 */
#include "schedule.h"

/* What of the stage's operands says which rows of a block it takes. */
static const Operand *map_of(const Scheduler *s, const Stage *stage, int32_t block) {
    const Tensor *t = &s->module->tensors[stage->operands[0].tensor];
    return &stage->operands[block < t->blocks - 1 ? 2 : stage->operand_count - 1];
}

/* The wire of the flow that brings addresses from this place to the slices at this time; -1: there
 * is none. */
static int32_t same_map(const Flow *f, Place p, int64_t start) {
    for (int32_t i = 0; i < f->item_count; i++) {
        const Item *read = &f->items[i];
        if (read->kind != ITEM_MEM || read->insn.op != TSP_OP_READ || read->queue != p.slice ||
            read->insn.addr != p.addr || read->start != start)
            continue;
        for (int32_t j = i; j < f->item_count; j++)
            if (f->items[j].insn.op == TSP_OP_SHIFT &&
                f->items[j].reads[0].wire == read->drives.wire)
                return f->items[j].drives.wire;
    }
    return -1;
}

/* The wire that takes the map's rows inward through a hemisphere, so that they would be at the VXM
 * from `time` on. */
static int32_t map_wire(Scheduler *s, Flow *f, const Operand *map, int32_t shifter, TspHemisphere h,
                        int32_t count, int64_t time, int64_t *from) {
    const TspMachine *m = s->m;
    const Tensor *t = &s->module->tensors[map->tensor];
    const TspDirection in = h == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD,
                       out = h == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
    const int32_t sxm = tsp_sxm_column(m, h);
    Wire wires[2] = {{out, 1, 0, count, 1, sxm, sxm, 0},
                     {in, 1, flow_phase(in, time, tsp_vxm_column(m)), count, 1, sxm, sxm, 0}};
    Rows rows = {.tensor = t, .step = 1, .count = count};
    const int64_t turned = flow_time_at(&wires[1], sxm) - m->sxm_shift_cycles;
    int32_t to, back;
    while (rows.copy + 1 < t->copies &&
           tsp_slice_hemisphere(m, tsp_place(t, rows.copy, 0, 0, 0).slice) != h)
        rows.copy++;
    const Place p = tsp_place(t, rows.copy, 0, 0, 0);
    wires[0].phase = flow_phase(out, turned, sxm);
    back =
        same_map(f, p, flow_time_at(&wires[0], tsp_slice_column(m, p.slice)) - m->mem_read_cycles);
    if (back >= 0) return back;
    to = flow_wire(f, wires[0]);
    back = flow_wire(f, wires[1]);
    schedule_rows_read(s, f, &rows, (Tap){to, 0}, 1, from);
    flow_item(f, (Item){.kind = ITEM_QUEUE,
                        .queue = tsp_queue_sxm(m, h, TSP_ROLE_SHIFT, shifter),
                        .insn = {.op = TSP_OP_SHIFT},
                        .start = turned,
                        .count = count,
                        .interval = 1,
                        .drives = {back, 0},
                        .drive_width = 1,
                        .reads = {{to, 0}, {-1, 0}},
                        .read_width = {1, 0}});
    return back;
}

int32_t schedule_gathered(Scheduler *s, Flow *f, const Stage *stage, int32_t block, int32_t count,
                          int64_t time, int64_t *from) {
    const TspMachine *m = s->m;
    const Operand *map = map_of(s, stage, block);
    const Tensor *t = &s->module->tensors[stage->operands[0].tensor];
    const int32_t row = block * t->block_rows, rows = tsp_min32(t->block_rows, t->rows - row),
                  vxm = tsp_vxm_column(m), takes = tsp_op_func(m, TSP_OP_GATHER);
    const TspHemisphere h = tsp_slice_hemisphere(m, tsp_place(t, 0, row, 0, 0).slice);
    const TspDirection in = h == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD;
    const int32_t wire =
        flow_wire(f, (Wire){in, t->bytes, flow_phase(in, time, vxm), count, 1, vxm, vxm, 0});
    const int32_t maps =
        map_wire(s, f, map, map == &stage->operands[2] ? 0 : 1, h, count, time - takes, from);
    for (int32_t byte = 0; byte < t->bytes && !f->failed; byte++) {
        const Place p = tsp_place(t, 0, row, 0, byte);
        const int32_t column = tsp_slice_column(m, p.slice);
        const int64_t start = flow_time_at(&f->wires[maps], column);
        flow_reach(&f->wires[wire], column);
        flow_reach(&f->wires[maps], column);
        *from = tsp_max64(*from, schedule_ready(t, 0, row, 1, rows, 0) - start);
        flow_item(f, (Item){.kind = ITEM_MEM,
                            .queue = p.slice,
                            .insn = {.op = TSP_OP_GATHER, .addr = p.addr},
                            .start = start,
                            .count = count,
                            .interval = 1,
                            .bank = tsp_mem_bank(m, p.addr),
                            .tensor = schedule_index(s, t),
                            .span = rows,
                            .drives = {wire, byte},
                            .drive_width = 1,
                            .reads = {{maps, 0}, {-1, 0}},
                            .read_width = {1, 0}});
    }
    return wire;
}
