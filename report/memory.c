/* memory.c - what lies where: rows of every tensor, and rows used of every bank. */
#include "report_parts.h"

#include <stdlib.h>

typedef struct {
    TspReport *report;
    int32_t rows;    /* of a slice */
    int32_t *marked; /* of each row of each slice: 1 + the last tensor seen in it */
} Map;

static void add_row(Map *map, int32_t tensor, int32_t slice, int32_t addr, bool *new_slice) {
    const TspMachine *m = &map->report->program->machine;
    int32_t *mark = &map->marked[(int64_t)slice * map->rows + addr];
    if (*mark == tensor + 1) return;
    if (!*mark) map->report->bank_rows[slice * m->mem_banks + tsp_mem_bank(m, addr)]++;
    *mark = tensor + 1;
    map->report->tensors[tensor].rows++;
    map->report->tensors[tensor].slices += *new_slice;
    *new_slice = false;
}

static void add_tensor(Map *map, int32_t tensor, bool *new_slice) {
    const TspMachine *m = &map->report->program->machine;
    const TspTensor *t = &map->report->program->tensors[tensor];
    for (int32_t s = 0; s < 2 * m->mem_slices; s++) new_slice[s] = true;
    for (int32_t k = 0; k < t->piece_count; k++)
        for (int32_t i = 0; i < t->pieces[k].rows; i++)
            add_row(map, tensor, t->pieces[k].slice, t->pieces[k].addr + i * t->pieces[k].addr_step,
                    &new_slice[t->pieces[k].slice]);
    map->report->tensors[tensor].bytes = (int64_t)map->report->tensors[tensor].rows * tsp_lanes(m);
}

bool report_memory(TspReport *r, TspError *err) {
    const TspMachine *m = &r->program->machine;
    const size_t slices = 2 * (size_t)m->mem_slices;
    Map map = {r, tsp_mem_slice_rows(m), NULL};
    bool *new_slice = malloc(slices);
    map.marked = calloc(slices * (size_t)map.rows, sizeof *map.marked);
    r->tensors = calloc((size_t)r->program->tensor_count + 1, sizeof *r->tensors);
    r->bank_rows = calloc(slices * (size_t)m->mem_banks, sizeof *r->bank_rows);
    if (map.marked && r->tensors && r->bank_rows && new_slice)
        for (int32_t i = 0; i < r->program->tensor_count; i++) add_tensor(&map, i, new_slice);
    else
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
    bool done = map.marked && new_slice && r->tensors && r->bank_rows;
    free(map.marked);
    free(new_slice);
    return done;
}
