/* marks.c - chains that leave marks: what they have combined so far, now and then, so that what
 * comes first of all can be found again among few rows.
 *
 * A chain walks a block in as many parts as there are turns of an ALU, a row of each in turn, so a
 * mark is a row for each part. Where rows take all streams, operands pause once for each mark: it
 * leaves in the hole, while the ALU goes on with what it has.
 */
#include "schedule.h"

/* One chain: rows low .. low+rows-1 of operand 0. Its operands are numbered in the order in which
 * they meet the VXM: number q is row q / turns of part q % turns. */
typedef struct {
    const Stage *stage;
    Walk walk;
    int32_t turns, chain, low, rows;
    int32_t marks, each; /* operands between them */
    int32_t pause;       /* cycles of a hole */
    int32_t latency;     /* from an operand to its result on a stream */
    int32_t first_wire;  /* of the marks, which follow each other */
} Marked;

static int32_t operand_count(const Marked *c) {
    return c->walk.length * c->turns;
}

/* Operands before the last that mark k knows. */
static int32_t known(const Marked *c, int32_t k) {
    return tsp_min32((k + 1) * c->each, operand_count(c));
}

/* The operand before which the hole for mark k is, if it is one before the end. */
static int32_t hole(const Marked *c, int32_t k) {
    return known(c, k) - c->turns + c->latency;
}

/* Cycle in which operand q meets the VXM, holes before it included. */
static int64_t time_of(const Marked *c, int32_t q) {
    int64_t time = q;
    for (int32_t k = 0; c->pause && k < c->marks - 1 && hole(c, k) <= q; k++) time += c->pause;
    return time;
}

/* Streams of both directions are taken if each chain has its own, but for one element. */
static int32_t pause_cycles(const Scheduler *s, const Stage *stage, int32_t chains) {
    const int32_t bytes = s->module->tensors[stage->operands[0].tensor].bytes;
    return (chains + 2) * bytes > 2 * s->m->streams ? (int32_t)s->m->vxm_op_cycles : 0;
}

static Marked chain_of(const Scheduler *s, const Stage *stage, int32_t chain) {
    const int32_t turns = (int32_t)s->m->vxm_op_cycles, low = chain * stage->chain_rows,
                  rows = tsp_min32(stage->chain_rows, stage->rows - low);
    Marked c = {.stage = stage,
                .walk = tsp_walk(rows, turns),
                .turns = turns,
                .chain = chain,
                .low = low,
                .rows = rows,
                .each = stage->mark_rows * turns,
                .latency = tsp_op_func(s->m, stage->steps[0].op)};
    c.marks = tsp_ceil_div(c.walk.length, stage->mark_rows);
    c.pause = pause_cycles(s, stage, tsp_ceil_div(stage->rows, stage->chain_rows));
    return c;
}

/* Rows of part q % turns .. from operand q on, `count` operands that follow each other. */
static void read_run(const Scheduler *s, Flow *f, const Marked *c, int32_t wire, int32_t skip,
                     int32_t q, int32_t count, int64_t *from) {
    const Tensor *t = &s->module->tensors[c->stage->operands[0].tensor];
    const int32_t row = c->low + q % c->turns * c->walk.apart + q / c->turns;
    for (int32_t byte = 0; byte < t->bytes; byte++) {
        const Place p = tsp_place(t, 0, row, 0, byte);
        const int32_t column = tsp_slice_column(s->m, p.slice);
        const int64_t start = flow_time_at(&f->wires[wire], column) - s->m->mem_read_cycles + skip;
        flow_reach(&f->wires[wire], column);
        for (int32_t turn = 0; turn < tsp_min32(count, c->turns); turn++)
            *from =
                tsp_max64(*from, schedule_ready(t, 0, row + turn * c->walk.apart, 1,
                                                tsp_ceil_div(count - turn, c->turns), c->turns) -
                                     start - turn);
        flow_item(f, (Item){.kind = ITEM_MEM,
                            .queue = p.slice,
                            .insn = {.op = TSP_OP_READ, .addr = p.addr},
                            .step = c->walk.apart,
                            .wrap = count > c->turns ? c->turns : 0,
                            .step2 = 1,
                            .start = start,
                            .count = count,
                            .interval = 1,
                            .bank = tsp_mem_bank(s->m, p.addr),
                            .tensor = schedule_index(s, t),
                            .drives = {wire, byte},
                            .drive_width = 1,
                            .reads = {{-1, 0}, {-1, 0}}});
    }
}

/* The wire of operands q .. end-1, no hole among them: whole turns in one run, what is before and
 * after in runs of their own. */
static int32_t operand_wire(Scheduler *s, Flow *f, const Marked *c, int32_t q, int32_t end,
                            int64_t *from) {
    Operand o = c->stage->operands[0];
    const Tensor *t = &s->module->tensors[o.tensor];
    const TspDirection direction = schedule_direction(s, &o, c->low, 0);
    const int32_t vxm = tsp_vxm_column(s->m), first = q,
                  wire = flow_wire(f, (Wire){direction, t->bytes,
                                             flow_phase(direction, time_of(c, q), vxm), end - q, 1,
                                             vxm, vxm, 0});
    for (int32_t count; q < end; q += count) {
        const int32_t begun = q % c->turns, whole = (end - q) / c->turns * c->turns;
        count = begun ? c->turns - begun : whole ? whole : end - q;
        count = tsp_min32(count, end - q);
        read_run(s, f, c, wire, q - first, q, count, from);
    }
    return wire;
}

/* The last row of the stage, as the tensor that stands for it has it. */
static int32_t last_wire(Scheduler *s, Flow *f, const Marked *c, int32_t q, int64_t *from) {
    const Operand o = {.tensor = c->stage->last};
    return schedule_operand(s, f, &o, 0, 1, 0, 1, time_of(c, q), from);
}

/* Makes the wires of all marks, and their Writes. */
static void mark_wires(const Scheduler *s, Flow *f, Marked *c) {
    const Output *out = &c->stage->outputs[0];
    const Tensor *t = &s->module->tensors[out->tensor];
    const int32_t row0 = out->row0 + c->chain * t->block_rows, vxm = tsp_vxm_column(s->m);
    const TspDirection direction =
        tsp_slice_hemisphere(s->m, tsp_place(t, 0, row0, 0, 0).slice) == TSP_WEST ? TSP_WESTWARD
                                                                                  : TSP_EASTWARD;
    c->first_wire = f->wire_count;
    for (int32_t k = 0; k < c->marks && !f->failed; k++) {
        const int64_t time = time_of(c, known(c, k) - c->turns) + c->latency;
        const int32_t wire =
            flow_wire(f, (Wire){direction, t->bytes, flow_phase(direction, time, vxm), c->turns, 1,
                                vxm, vxm, 0});
        for (int32_t byte = 0; byte < t->bytes && !f->failed; byte++)
            schedule_write(s, f, wire, byte, t, tsp_place(t, 0, row0 + k * c->turns, 0, byte), 0,
                           c->turns, 1);
    }
}

/* The ALU's issues for operands q .. end-1 of a wire, without a hole among them. */
static void combine(Flow *f, const Marked *c, int32_t wire, int32_t q, int32_t end) {
    for (int32_t count; q < end && !f->failed; q += count) {
        const int32_t k = q / c->each,       /* the next mark */
            leaves = known(c, k) - c->turns; /* with operands from here on */
        int32_t stop = q < leaves ? leaves : known(c, k);
        if (q < c->turns) stop = tsp_min32(stop, c->turns);
        count = tsp_min32(stop, end) - q;
        const Part part = {.first = q, .count = count, .interval = 1, .starts = q < c->turns};
        schedule_step(f, c->stage, 0, &part, time_of(c, q), &wire,
                      q >= leaves ? c->first_wire + k : -1);
    }
}

/* While operands pause before number q, the ALU takes its own results once more. */
static void hold(Flow *f, const Marked *c, int32_t q) {
    flow_item(f, (Item){.kind = ITEM_ALU,
                        .insn = {.op = TSP_OP_PASS, .type = (int32_t)c->stage->steps[0].type},
                        .start = time_of(c, q) - c->pause,
                        .count = c->pause,
                        .interval = 1,
                        .drives = {-1, 0},
                        .reads = {{-1, 0}, {-1, 0}},
                        .alu_from = {0, -1}});
}

/* Operands to the next hole, or to the last row if another stands for it. */
static int32_t segment_end(const Marked *c, int32_t q) {
    const bool replaced = c->stage->last >= 0 && c->low + c->rows == c->stage->rows;
    int32_t end = operand_count(c);
    if (replaced && q < end - 1) end--;
    for (int32_t k = 0; c->pause && k < c->marks - 1; k++)
        if (hole(c, k) > q) end = tsp_min32(end, hole(c, k));
    return end;
}

/* The flow of a chain. Operand 0 meets the VXM at time 0. */
static bool marked_flow(Scheduler *s, Flow *f, Marked *c, int64_t *from, TspError *err) {
    const int32_t all = operand_count(c);
    flow_clear(f, c->stage->op, c->stage->what);
    f->alus = 1;
    mark_wires(s, f, c);
    for (int32_t q = 0, end; q < all && !f->failed; q = end) {
        end = segment_end(c, q);
        const bool replaced =
            c->stage->last >= 0 && c->low + c->rows == c->stage->rows && q == all - 1;
        combine(f, c, replaced ? last_wire(s, f, c, q, from) : operand_wire(s, f, c, q, end, from),
                q, end);
        if (end < all && time_of(c, end) > time_of(c, end - 1) + 1) hold(f, c, end);
    }
    return f->failed ? tsp_fail(err, TSP_ERR_SYSTEM, "out of memory") : true;
}

/* Notes when the marks can be read. */
static bool note_marks(Scheduler *s, const Flow *f, const Marked *c, int64_t start, TspError *err) {
    const Output *out = &c->stage->outputs[0];
    Tensor *t = &s->module->tensors[out->tensor];
    for (int32_t k = 0; k < c->marks; k++) {
        const int32_t row = out->row0 + c->chain * t->block_rows + k * c->turns;
        int64_t landed = 0;
        for (int32_t byte = 0; byte < t->bytes; byte++) {
            const int32_t column = tsp_slice_column(s->m, tsp_place(t, 0, row, 0, byte).slice);
            landed = tsp_max64(landed, start + flow_time_at(&f->wires[c->first_wire + k], column) +
                                           s->m->mem_write_cycles);
        }
        if (!schedule_note(t, 0, (Ready){row, c->turns, landed, 1}, err)) return false;
    }
    return true;
}

/* Where memory is short, layouts may have shorter blocks than chains. */
static bool check_blocks(const Scheduler *s, const Stage *stage, TspError *err) {
    const Tensor *x = &s->module->tensors[stage->operands[0].tensor],
                 *marks = &s->module->tensors[stage->outputs[0].tensor];
    const Marked c = chain_of(s, stage, 0);
    if (x->block_rows == stage->chain_rows && marks->block_rows == c.marks * c.turns) return true;
    return tsp_fail(err, TSP_ERR_NOT_MODELLED, "%s: a chain (%s) of more than one block",
                    s->module->graph->nodes[stage->op].name, stage->what);
}

bool schedule_marks(Scheduler *s, const Stage *stage, TspError *err) {
    if (!check_blocks(s, stage, err)) return false;
    for (int32_t chain = 0; chain * stage->chain_rows < stage->rows; chain++) {
        Marked c = chain_of(s, stage, chain);
        int64_t start = schedule_common_start(s, stage);
        if (!marked_flow(s, &s->compute, &c, &start, err) ||
            (start = flow_earliest(&s->table, &s->compute, start, err)) < 0 ||
            !flow_commit(&s->table, &s->compute, start, err) ||
            !note_marks(s, &s->compute, &c, start, err))
            return false;
    }
    return true;
}
