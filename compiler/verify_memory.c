/* verify_memory.c - proves that every row read was placed or written and has landed, that addresses
 * stay in range as Repeat steps them, and that no slot uses one bank twice.
 */
#include "verify_parts.h"

#include <stdlib.h>

/* Written when? A cycle, or one of these. */
#define ROW_NEVER  INT64_MAX
#define ROW_PLACED INT64_MIN

static bool place_piece(Verifier *v, const TspTensor *tensor, const TspPiece *piece,
                        int64_t *written, TspError *err) {
    int64_t rows = tsp_mem_slice_rows(v->machine), last;
    if (piece->rows <= 0) return true;
    last = piece->addr + (int64_t)(piece->rows - 1) * piece->addr_step;
    if (piece->slice < 0 || piece->slice >= 2 * v->machine->mem_slices || piece->addr < 0 ||
        piece->addr >= rows || last < 0 || last >= rows)
        return tsp_fail(err, TSP_ERR_INPUT, "tensor %s has a piece outside machine %s",
                        tensor->name ? tensor->name : "?", v->machine->name);
    for (int64_t i = 0; i < piece->rows; i++)
        written[piece->slice * rows + piece->addr + i * piece->addr_step] = ROW_PLACED;
    return true;
}

/* Marks the rows that are in memory at cycle 0. */
static bool place(Verifier *v, int64_t *written, TspError *err) {
    for (int32_t t = 0; t < v->program->tensor_count; t++) {
        const TspTensor *tensor = &v->program->tensors[t];
        if (tensor->role != TSP_ROLE_INPUT && tensor->role != TSP_ROLE_CONSTANT) continue;
        for (int32_t p = 0; p < tensor->piece_count; p++)
            if (!place_piece(v, tensor, &tensor->pieces[p], written, err)) return false;
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

static void check_read(Verifier *v, const Issue *s, int64_t addr, int64_t written) {
    const Burst *b = s->burst;
    if (written == ROW_NEVER)
        verify_offend(v, TSP_RULE_ROW_UNDEFINED, s->cycle, AT_UNIT, b->queue, b->index,
                      "row 0x%04llx is neither placed nor written before", (long long)addr);
    else if (written != ROW_PLACED && s->cycle < written + v->machine->mem_write_cycles)
        verify_offend(v, TSP_RULE_ROW_TOO_SOON, s->cycle, AT_UNIT, b->queue, b->index,
                      "row 0x%04llx was written in cycle %lld, readable from %lld", (long long)addr,
                      (long long)written, (long long)(written + v->machine->mem_write_cycles));
    else
        v->proof.reads_proved++;
}

static void check_slice(Verifier *v, int32_t slice, int64_t *written) {
    const TspMachine *m = v->machine;
    const Timeline *line = &v->lines[slice];
    Issue s;
    for (bool more = walk_first(line, &s); more && s.cycle <= v->horizon;
         more = walk_next(line, &s)) {
        const Burst *b = s.burst;
        bool reads = b->insn.op != TSP_OP_WRITE, writes = b->insn.op != TSP_OP_READ;
        /* Repeat steps the only address of a plain slot by a and a2, whichever it is. */
        int64_t addr = issue_stepped(&s, b->insn.addr);
        int64_t waddr =
            reads ? issue_stepped_write(&s, b->insn.waddr) : issue_stepped(&s, b->insn.waddr);
        if (reads && !in_range(v, &s, addr)) continue;
        if (writes && !in_range(v, &s, waddr)) continue;
        if (reads && writes && addr / m->mem_rows == waddr / m->mem_rows) {
            verify_offend(v, TSP_RULE_BANK_CONFLICT, s.cycle, AT_UNIT, b->queue, b->index,
                          "rows 0x%04llx and 0x%04llx are both in bank %lld", (long long)addr,
                          (long long)waddr, (long long)(addr / m->mem_rows));
            continue;
        }
        if (reads) check_read(v, &s, addr, written[addr]);
        if (writes) written[waddr] = s.cycle;
    }
}

bool verify_memory(Verifier *v, TspError *err) {
    int32_t rows = tsp_mem_slice_rows(v->machine);
    int32_t slices = 2 * (int32_t)v->machine->mem_slices;
    size_t count = (size_t)slices * (size_t)rows;
    int64_t *written = malloc(count * sizeof *written);
    bool placed;
    if (!written) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory while verifying");
    for (size_t i = 0; i < count; i++) written[i] = ROW_NEVER;
    placed = place(v, written, err);
    for (int32_t slice = 0; slice < slices && placed; slice++)
        check_slice(v, slice, written + (size_t)slice * (size_t)rows);
    free(written);
    return placed;
}
