/* sets.c - stages whose rows fall into sets: reductions over an axis, and what else goes through a
 * tensor set by set.
 *
 * The rows of a set pass in a chain, a row a cycle (chains.c); chains of different sets run side by
 * side. What a chain combines it leaves as vxm_op_cycles partial results, one row of as many
 * tensors, so that a tree can take the partial results of one set at once, set after set.
 */
#include "schedule.h"

#include <stdlib.h>

/* When rows row0 .. of a tensor can be read, relative to the flow. */
typedef struct {
    int32_t tensor;
    Ready ready;
} Landing;

/* The flow of a set for one column tile, while it is built. Row part_first meets the VXM at 0. */
typedef struct {
    Scheduler *s;
    const Stage *stage;
    StepTimes times;
    int32_t set, tile;
    int64_t from; /* first start at which all operands are there */
    Landing *landings;
    int32_t landing_count, landing_capacity;
} SetFlow;

static int32_t set_row(const Stage *stage, int32_t set, int32_t k) {
    return (set / stage->set_step * stage->set_rows + k) * stage->set_step + set % stage->set_step;
}

/* The operand as schedule_operand takes it, for rows k.. of the set. */
static Operand set_operand(const SetFlow *b, const Operand *operand, int32_t k) {
    const Stage *stage = b->stage;
    Operand o = *operand;
    if (o.row_step == 1) {
        o.row0 += set_row(stage, b->set, k);
        o.row_step = stage->set_step;
        return o;
    }
    /* chains that read the same rows take turns at the copies */
    o.copy =
        (b->set + stage->part_first / stage->part_rows) % b->s->module->tensors[o.tensor].copies;
    o.row0 += o.row_step ? k : b->set;
    o.row_step = o.row_step ? 1 : 0;
    return o;
}

/* How many rows from `row` on, `step` apart, lie in one block of the tensor. */
static int32_t rows_of_block(const Tensor *t, int32_t row, int32_t step) {
    return (t->block_rows - 1 - row % t->block_rows) / step + 1;
}

/* End of the rows of the set from k on that come from, and go to, one block of every tensor. */
static int32_t segment_end(const SetFlow *b, int32_t k) {
    const Stage *stage = b->stage;
    const Tensor *tensors = b->s->module->tensors;
    int32_t end = stage->part_first + stage->part_rows;
    for (int32_t i = 0; i < stage->operand_count; i++) {
        Operand o = set_operand(b, &stage->operands[i], k);
        if (o.row_step)
            end = tsp_min32(end, k + rows_of_block(&tensors[o.tensor], o.row0, o.row_step));
    }
    for (int32_t i = 0; i < stage->output_count; i++) {
        int32_t row = stage->outputs[i].row0 + set_row(stage, b->set, k);
        end = tsp_min32(
            end, k + rows_of_block(&tensors[stage->outputs[i].tensor], row, stage->set_step));
    }
    return end;
}

/* From row k of the set on, no further than `end`. Rows that leave do so one by one. */
static Part next_part(const SetFlow *b, int32_t k, int32_t end) {
    const Stage *stage = b->stage;
    int32_t started = stage->part_first + (int32_t)b->s->m->vxm_op_cycles;
    int32_t leaving = stage->part_first + stage->part_rows - stage->partials;
    bool combines = stage->partials > 0, starts = combines && k < started,
         leaves = combines && k >= leaving;
    if (starts) end = tsp_min32(end, started);
    if (combines && !leaves) end = tsp_min32(end, leaving);
    if (leaves) end = k + 1;
    return (Part){k, end - k, 1, starts, leaves, {FROM_NONE, 0}};
}

/* The wire that takes `count` results, the first made by an issue at `time`, to where row `row` of
 * a tensor lies. */
static int32_t result_wire(const SetFlow *b, int32_t tensor, int32_t row, int32_t count,
                           int64_t time) {
    const TspMachine *m = b->s->m;
    const Tensor *t = &b->s->module->tensors[tensor];
    int32_t vxm = tsp_vxm_column(m);
    TspDirection direction =
        tsp_slice_hemisphere(m, tsp_place(t, 0, row, b->tile, 0).slice) == TSP_WEST ? TSP_WESTWARD
                                                                                    : TSP_EASTWARD;
    time += m->vxm_entry_cycles + m->vxm_op_cycles + m->vxm_exit_cycles;
    return flow_wire(&b->s->compute, (Wire){direction, t->bytes, flow_phase(direction, time, vxm),
                                            count, 1, vxm, vxm, 0});
}

/* The Writes of `count` results, after the first `skip` of a wire, to rows row.. of a tensor,
 * `step` apart, and when they land. A run has operands of one run only, so each part has its own.
 */
static bool write_rows(SetFlow *b, int32_t wire, int32_t tensor, int32_t row, int32_t step,
                       int32_t skip, int32_t count, TspError *err) {
    const Tensor *t = &b->s->module->tensors[tensor];
    Flow *f = &b->s->compute;
    int64_t landed = 0;
    for (int32_t byte = 0; byte < t->bytes; byte++) {
        schedule_write(b->s, f, wire, byte, t, tsp_place(t, 0, row, b->tile, byte), skip, count, 1);
        if (f->failed) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        f->items[f->item_count - 1].step = step;
        landed = tsp_max64(landed, f->items[f->item_count - 1].start + b->s->m->mem_write_cycles);
    }
    if (!tsp_grow((void **)&b->landings, &b->landing_capacity, b->landing_count + 1,
                  sizeof *b->landings, err))
        return false;
    /* with rows of other sets between those of this one: all at the time of the last */
    b->landings[b->landing_count++] =
        (Landing){tensor, step == 1 ? (Ready){row, count, landed, 1}
                                    : (Ready){row, (count - 1) * step + 1, landed + count - 1, 0}};
    return true;
}

/* The steps of one part. results: wires of the stage's outputs, from row `first` of the set on. */
static bool part_flow(SetFlow *b, const Part *part, int32_t first, const int32_t *wires,
                      const int32_t *results, TspError *err) {
    const Stage *stage = b->stage;
    int32_t last = stage->step_count - 1, at = part->first - stage->part_first;
    int32_t wire_of[MAX_STEPS];
    for (int32_t i = 0; i <= last; i++) wire_of[i] = -1;
    for (int32_t i = 0; i < stage->output_count; i++) {
        const Output *o = &stage->outputs[i];
        wire_of[o->from.index] = results[i];
        if (!write_rows(b, results[i], o->tensor, o->row0 + set_row(stage, b->set, part->first),
                        stage->set_step, part->first - first, part->count, err))
            return false;
    }
    if (part->leaves) {
        int32_t tensor = stage->partial + at - (stage->part_rows - stage->partials);
        wire_of[last] = result_wire(b, tensor, b->set, 1, at + b->times.step[last]);
        if (!write_rows(b, wire_of[last], tensor, b->set, 1, 0, 1, err)) return false;
    }
    for (int32_t i = 0; i <= last; i++)
        schedule_step(&b->s->compute, stage, i, part, at + b->times.step[i], wires, wire_of[i]);
    return true;
}

/* Rows first .. end-1 of the set, all of one block of every tensor. */
static bool segment_flow(SetFlow *b, int32_t first, int32_t end, TspError *err) {
    const Stage *stage = b->stage;
    int32_t wires[MAX_OPERANDS], results[MAX_OUTPUTS], at = first - stage->part_first;
    for (int32_t i = 0; i < stage->operand_count; i++) {
        Operand o = set_operand(b, &stage->operands[i], first);
        wires[i] = schedule_operand(b->s, &b->s->compute, &o, 0, end - first, b->tile, 1,
                                    at + b->times.operand[i], &b->from);
    }
    for (int32_t i = 0; i < stage->output_count; i++) {
        const Output *o = &stage->outputs[i];
        results[i] = result_wire(b, o->tensor, o->row0 + set_row(stage, b->set, first), end - first,
                                 at + b->times.step[o->from.index]);
    }
    for (int32_t k = first; k < end && !b->s->compute.failed;) {
        Part part = next_part(b, k, end);
        if (!part_flow(b, &part, first, wires, results, err)) return false;
        k += part.count;
    }
    return true;
}

static bool build_flow(SetFlow *b, TspError *err) {
    const Stage *stage = b->stage;
    Flow *f = &b->s->compute;
    int32_t last = stage->part_first + stage->part_rows;
    flow_clear(f, stage->op, stage->what);
    f->alus = stage->step_count;
    b->landing_count = 0;
    b->from = b->s->m->mem_read_cycles + tsp_mem_columns(b->s->m);
    err->text[0] = 0;
    for (int32_t k = stage->part_first, end; k < last && !f->failed; k = end) {
        end = segment_end(b, k);
        if (!segment_flow(b, k, end, err)) break;
    }
    if (err->text[0]) return false;
    return f->failed ? tsp_fail(err, TSP_ERR_SYSTEM, "out of memory") : true;
}

static bool place_flow(SetFlow *b, TspError *err) {
    Scheduler *s = b->s;
    int64_t start;
    if (!build_flow(b, err) || (start = flow_earliest(&s->table, &s->compute, b->from, err)) < 0 ||
        !flow_commit(&s->table, &s->compute, start, err))
        return false;
    for (int32_t i = 0; i < b->landing_count; i++) {
        Ready ready = b->landings[i].ready;
        ready.ready += start;
        if (!schedule_note(&s->module->tensors[b->landings[i].tensor], b->tile, ready, err))
            return false;
    }
    return true;
}

bool schedule_sets(Scheduler *s, const Stage *stage, TspError *err) {
    SetFlow b = {.s = s, .stage = stage};
    int32_t sets = stage->rows / stage->set_rows;
    int32_t tiles = tsp_ceil_div(stage->cols, tsp_lanes(s->m));
    bool ok = schedule_times(stage, false, &b.times, (int32_t)s->m->vxm_op_cycles) ||
              tsp_fail(err, TSP_ERR_BUG, "the steps of a stage (%s) cannot meet", stage->what);
    for (int32_t turn = 0; ok && turn < stage->set_turn; turn++)
        for (b.set = turn; ok && b.set < sets; b.set += stage->set_turn)
            for (b.tile = 0; ok && b.tile < tiles; b.tile++) ok = place_flow(&b, err);
    free(b.landings);
    return ok;
}
