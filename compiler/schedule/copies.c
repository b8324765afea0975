/* copies.c - rows that go from slice to slice, on streams that reach no further than that.
 *
 * A slice reads a row of one bank and writes a row of the other in the same cycle, so all slices
 * can do both, if few streams pass the same column.
 */
#include "schedule.h"

/* One byte of rows row .. end-1; the first is read at time 0. */
static void copy_byte(const Scheduler *s, Flow *f, const Stage *stage, int32_t byte, int32_t row,
                      int32_t end) {
    const TspMachine *m = s->m;
    const Operand *o = &stage->operands[0];
    const Output *out = &stage->outputs[0];
    const Tensor *x = &s->module->tensors[o->tensor], *y = &s->module->tensors[out->tensor];
    Place from = tsp_place(x, 0, o->row0 + row, 0, byte);
    Place to = tsp_place(y, 0, out->row0 + row, 0, byte);
    int32_t column = tsp_slice_column(m, from.slice), count = end - row;
    TspDirection direction = column <= tsp_slice_column(m, to.slice) ? TSP_EASTWARD : TSP_WESTWARD;
    int32_t wire =
        flow_wire(f, (Wire){direction, 1, flow_phase(direction, m->mem_read_cycles, column), count,
                            1, column, column, 0});
    flow_item(f, (Item){.kind = ITEM_MEM,
                        .queue = from.slice,
                        .insn = {.op = TSP_OP_READ, .addr = from.addr},
                        .step = 1,
                        .count = count,
                        .interval = 1,
                        .bank = tsp_mem_bank(m, from.addr),
                        .tensor = o->tensor,
                        .drives = {wire, 0},
                        .drive_width = 1,
                        .reads = {{-1, 0}, {-1, 0}}});
    schedule_write(s, f, wire, 0, y, to, 0, count, 1);
}

bool schedule_copies(Scheduler *s, const Stage *stage, TspError *err) {
    const Operand *o = &stage->operands[0];
    const Tensor *t = &s->module->tensors[o->tensor];
    for (int32_t row = 0, end; row < stage->rows; row = end) {
        int64_t start;
        end = schedule_cut(s, stage, row, stage->rows);
        flow_clear(&s->compute, stage->op, stage->what);
        for (int32_t byte = 0; byte < t->bytes; byte++)
            copy_byte(s, &s->compute, stage, byte, row, end);
        start = schedule_ready(t, 0, o->row0 + row, 1, end - row, 1);
        if ((start = flow_earliest(&s->table, &s->compute, start, err)) < 0 ||
            !flow_commit(&s->table, &s->compute, start, err) ||
            !schedule_results(s, stage, &s->compute, start, row, end - row, 0, 1, err))
            return false;
    }
    return true;
}
