/* verify_memory.c - proves that every row read was placed or written and has landed, in all
 * superlanes that are on, and by the tensor that the debug information names; that addresses stay
 * in range as Repeat steps them, and that no slot uses one bank twice. What Gather reads and
 * Scatter writes is known to the run only, and with it what a Read finds after a Scatter.
 */
#include "verify_parts.h"

#include <stdlib.h>

#define NEVER INT64_MIN /* a cycle before all others */
enum { NO_TENSOR = -1 };

typedef struct {
    int64_t *written;  /* cycle of the last Write of a row, or NEVER */
    uint32_t *defined; /* superlanes of a row that were placed or written, landed or not */
    int32_t *holds;    /* tensor whose row was placed or written last; NO_TENSOR: not known */
} Rows;

/* One slice as its issues are walked. */
typedef struct {
    Verifier *v;
    const Timeline *line;
    Rows rows;
    int64_t scattered; /* cycle of the last Scatter, or NEVER */
    int32_t power;     /* place for verify_powered() */
} Slice;

static bool place_piece(Verifier *v, const TspTensor *tensor, const TspPiece *piece,
                        const Rows *all, TspError *err) {
    int64_t rows = tsp_mem_slice_rows(v->machine), last;
    if (piece->rows <= 0) return true;
    last = piece->addr + (int64_t)(piece->rows - 1) * piece->addr_step;
    if (piece->slice < 0 || piece->slice >= 2 * v->machine->mem_slices || piece->addr < 0 ||
        piece->addr >= rows || last < 0 || last >= rows)
        return tsp_fail(err, TSP_ERR_INPUT, "tensor %s has a piece outside machine %s",
                        tensor->name ? tensor->name : "?", v->machine->name);
    for (int64_t i = 0; i < piece->rows; i++) {
        const int64_t row = piece->slice * rows + piece->addr + i * piece->addr_step;
        all->defined[row] = UINT32_MAX;
        all->holds[row] = (int32_t)(tensor - v->program->tensors);
    }
    return true;
}

/* Marks the rows that are in memory at cycle 0. */
static bool place(Verifier *v, const Rows *all, TspError *err) {
    for (int32_t t = 0; t < v->program->tensor_count; t++) {
        const TspTensor *tensor = &v->program->tensors[t];
        if (tensor->role != TSP_ROLE_INPUT && tensor->role != TSP_ROLE_CONSTANT) continue;
        for (int32_t p = 0; p < tensor->piece_count; p++)
            if (!place_piece(v, tensor, &tensor->pieces[p], all, err)) return false;
    }
    return true;
}

static bool in_range(Verifier *v, const Issue *s, int64_t addr) {
    int32_t rows = tsp_mem_slice_rows(v->machine);
    if (addr >= 0 && addr < rows) return true;
    verify_offend(v, TSP_RULE_ADDRESS_RANGE, s->cycle, AT_UNIT, s->burst->queue, s->burst->index,
                  "row %lld of a slice of %d", (long long)addr, rows);
    return false;
}

/* The row that a MEM instruction writes; -1: none that is known. */
static int64_t row_written(const Issue *s) {
    if (s->burst->insn.op == TSP_OP_READ_WRITE) return issue_stepped_write(s, s->burst->insn.waddr);
    return s->burst->insn.op == TSP_OP_WRITE ? issue_stepped(s, s->burst->insn.waddr) : -1;
}

/* Of the Writes of a row, or of the Scatters (row < 0), that issued less than `delay` cycles before
 * a Read, the cycle of the last that touches a superlane of the mask; NEVER if none does. */
static int64_t under_way(Slice *s, int64_t row, const Issue *read, int64_t delay, uint32_t mask) {
    int32_t place = (int32_t)(read->burst - s->line->bursts);
    for (int64_t cycle = read->cycle - 1; cycle > read->cycle - delay; cycle--) {
        Issue before;
        if (!issue_find(s->line, &place, cycle, &before)) continue;
        if (row < 0 ? before.burst->insn.op != TSP_OP_SCATTER : row_written(&before) != row)
            continue;
        if (verify_powered(s->v, &s->power, cycle) & mask) return cycle;
    }
    return NEVER;
}

/* Whether what a Scatter has done may decide over a Read of the row. */
static bool is_uncertain(Slice *s, const Issue *read, int64_t addr, uint32_t on) {
    int64_t delay = tsp_op_func(s->v->machine, TSP_OP_SCATTER);
    if (s->scattered == NEVER) return false;
    if (on & ~s->rows.defined[addr]) return true;
    return s->scattered > read->cycle - delay && under_way(s, -1, read, delay, on) != NEVER;
}

static void check_read(Slice *s, const Issue *read, int64_t addr) {
    Verifier *v = s->v;
    const Burst *b = read->burst;
    uint32_t on = verify_powered(v, &s->power, read->cycle), lacks = on & ~s->rows.defined[addr];
    int64_t delay = v->machine->mem_write_cycles, written = NEVER;
    if (s->rows.written[addr] > read->cycle - delay) written = under_way(s, addr, read, delay, on);
    if (written != NEVER)
        verify_offend(v, TSP_RULE_ROW_TOO_SOON, read->cycle, AT_UNIT, b->queue, b->index,
                      "row 0x%04llx was written in cycle %lld, readable from %lld", (long long)addr,
                      (long long)written, (long long)(written + delay));
    else if (is_uncertain(s, read, addr, on))
        v->proof.run_time_conditions++;
    else if (lacks && lacks != on)
        verify_offend(v, TSP_RULE_ROW_UNDEFINED, read->cycle, AT_UNIT, b->queue, b->index,
                      "row 0x%04llx has superlanes that are on and were off when it was written: "
                      "0x%x",
                      (long long)addr, (unsigned)lacks);
    else if (lacks)
        verify_offend(v, TSP_RULE_ROW_UNDEFINED, read->cycle, AT_UNIT, b->queue, b->index,
                      "row 0x%04llx is neither placed nor written before", (long long)addr);
    else
        v->proof.reads_proved++;
}

/* The tensor that the debug information names for a slot, or its write half. */
static int32_t tensor_meant(const Slice *s, const Burst *b, bool write_half) {
    const TspProgram *p = s->v->program;
    const TspInsnDebug *debug = p->queues[b->queue].debug;
    const int32_t run = debug ? debug[b->index].run[write_half] : -1;
    return run >= 0 && run < p->run_count ? p->runs[run].tensor : NO_TENSOR;
}

static void check_holds(Slice *s, const Issue *read, int64_t addr) {
    const TspTensor *tensors = s->v->program->tensors;
    const int32_t meant = tensor_meant(s, read->burst, false), holds = s->rows.holds[addr];
    if (meant == NO_TENSOR || holds == NO_TENSOR) return;
    if (meant == holds)
        s->v->proof.rows_proved++;
    else
        verify_offend(s->v, TSP_RULE_WRONG_VALUE, read->cycle, AT_UNIT, read->burst->queue,
                      read->burst->index, "row 0x%04llx: wanted tensor %s, finds %s",
                      (long long)addr, tensors[meant].name, tensors[holds].name);
}

/* Read, Write or both in one slot. Repeat steps the only address of a plain slot by a and a2,
 * whichever it is. */
static void check_slot(Slice *s, const Issue *slot) {
    Verifier *v = s->v;
    const Burst *b = slot->burst;
    bool reads = b->insn.op != TSP_OP_WRITE, writes = b->insn.op != TSP_OP_READ;
    int64_t addr = issue_stepped(slot, b->insn.addr), waddr = row_written(slot);
    if (reads && !in_range(v, slot, addr)) return;
    if (writes && !in_range(v, slot, waddr)) return;
    if (reads && writes && addr / v->machine->mem_rows == waddr / v->machine->mem_rows) {
        verify_offend(v, TSP_RULE_BANK_CONFLICT, slot->cycle, AT_UNIT, b->queue, b->index,
                      "rows 0x%04llx and 0x%04llx are both in bank %lld", (long long)addr,
                      (long long)waddr, (long long)(addr / v->machine->mem_rows));
        return;
    }
    if (reads) check_read(s, slot, addr);
    if (reads) check_holds(s, slot, addr);
    if (!writes) return;
    s->rows.holds[waddr] = tensor_meant(s, b, reads);
    s->rows.written[waddr] = slot->cycle;
    s->rows.defined[waddr] |= verify_powered(v, &s->power, slot->cycle);
}

static void check_slice(Slice *s) {
    Issue slot;
    for (bool more = walk_first(s->line, &slot); more && slot.cycle <= s->v->horizon;
         more = walk_next(s->line, &slot)) {
        TspOpcode op = slot.burst->insn.op;
        if (op == TSP_OP_SCATTER)
            s->scattered = slot.cycle;
        else if (op != TSP_OP_GATHER)
            check_slot(s, &slot);
    }
}

bool verify_memory(Verifier *v, TspError *err) {
    size_t rows = (size_t)tsp_mem_slice_rows(v->machine);
    int32_t slices = 2 * (int32_t)v->machine->mem_slices;
    size_t count = (size_t)slices * rows;
    Rows all = {malloc(count * sizeof *all.written), calloc(count, sizeof *all.defined),
                malloc(count * sizeof *all.holds)};
    bool enough = all.written && all.defined && all.holds, placed;
    for (size_t i = 0; i < count && enough; i++) {
        all.written[i] = NEVER;
        all.holds[i] = NO_TENSOR;
    }
    placed = enough && place(v, &all, err);
    for (int32_t slice = 0; slice < slices && placed; slice++) {
        size_t first = (size_t)slice * rows;
        check_slice(&(Slice){.v = v,
                             .line = &v->lines[slice],
                             .rows = {all.written + first, all.defined + first, all.holds + first},
                             .scattered = NEVER});
    }
    free(all.written);
    free(all.defined);
    free(all.holds);
    return enough ? placed : tsp_fail(err, TSP_ERR_SYSTEM, "out of memory while verifying");
}
