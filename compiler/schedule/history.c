/* history.c - one cycle for each row of memory.
 */
#include "history.h"

#include <stdlib.h>

bool history_begin(Table *table, TspError *err) {
    const TspMachine *m = &table->module->machine;
    size_t rows = (size_t)(2 * m->mem_slices) * (size_t)tsp_mem_slice_rows(m);
    table->touched = malloc(rows * sizeof *table->touched);
    if (!table->touched) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (size_t i = 0; i < rows; i++) table->touched[i] = -1;
    return true;
}

/* What is known of the row that an item reads or writes in issue i. */
static int64_t *touched(const Table *t, const Item *item, int32_t i) {
    const TspMachine *m = &t->module->machine;
    int32_t addr = item->insn.op == TSP_OP_WRITE ? item->insn.waddr : item->insn.addr;
    return &t->touched[(int64_t)item->queue * tsp_mem_slice_rows(m) + addr + item_step(item, i)];
}

/* Of rows that a Gather may read. */
static void note_span(const Table *t, const Item *item, int64_t last) {
    int64_t *rows = touched(t, item, 0);
    for (int32_t n = 0; n < item->span; n++) rows[n] = tsp_max64(rows[n], last);
}

int64_t history_floor(const Table *table, const Flow *f, int64_t from) {
    for (int32_t i = 0; i < f->item_count && table->touched; i++) {
        const Item *item = &f->items[i];
        if (item->kind != ITEM_MEM || item->insn.op != TSP_OP_WRITE) continue;
        for (int32_t n = 0; n < item->count; n++)
            from = tsp_max64(from, *touched(table, item, n) + 1 - item->start -
                                       (int64_t)n * item->interval);
    }
    return from;
}

void history_note(Table *table, const Flow *f, int64_t start) {
    for (int32_t i = 0; i < f->item_count && table->touched; i++) {
        const Item *item = &f->items[i];
        if (item->kind != ITEM_MEM) continue;
        note_span(table, item, start + item->start + (int64_t)(item->count - 1) * item->interval);
        for (int32_t n = 0; n < item->count; n++) {
            int64_t *last = touched(table, item, n);
            *last = tsp_max64(*last, start + item->start + (int64_t)n * item->interval);
        }
    }
}
