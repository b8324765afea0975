/* memory_map.c - rows of memory as runs of one tensor.
 */
#include "plan.h"

#include <stdlib.h>

/* A bank is shown from row 0 to a round number of rows, at least this many. */
enum { LEAST_EXTENT = 16 };

static int32_t find_runs(const VizRun *run, VizMemoryMap *map, bool fill) {
    const int32_t slices = 2 * (int32_t)run->m->mem_slices, rows = tsp_mem_slice_rows(run->m);
    int32_t count = 0;
    for (int32_t slice = 0; slice < slices; slice++) {
        if (fill) map->first[slice] = count;
        for (int32_t row = 0; row < rows;) {
            const int32_t tensor = viz_run_row_tensor(run, slice, row), first = row;
            do row++;
            while (row < rows && row % run->m->mem_rows != 0 &&
                   viz_run_row_tensor(run, slice, row) == tensor);
            if (tensor < 0) continue;
            if (fill) map->runs[count] = (VizMemoryRun){slice, first, row - first, tensor};
            count++;
        }
    }
    if (fill) map->first[slices] = count;
    return count;
}

static void reach(const VizRun *run, VizMemoryMap *map, int64_t row) {
    const int64_t in_bank = row % run->m->mem_rows;
    if (row >= 0 && in_bank >= map->extent) map->extent = (int32_t)in_bank + 1;
}

/* The rows that a burst steps through lie between those of its four corners. */
static void reach_accesses(const VizRun *run, VizMemoryMap *map) {
    for (int32_t i = 0; i < run->timeline.burst_count; i++) {
        const VizBurst *b = &run->timeline.bursts[i];
        if (b->opcode != TSP_OP_READ && b->opcode != TSP_OP_WRITE && b->opcode != TSP_OP_READ_WRITE)
            continue;
        for (int32_t corner = 0; corner < 4; corner++) {
            const VizIssue issue = {b, 0, corner & 1 ? b->n : 0, corner & 2 ? b->n2 : 0};
            const TspInsn insn = viz_issue_insn(&run->timeline, &issue);
            if (b->opcode != TSP_OP_WRITE) reach(run, map, insn.addr);
            if (b->opcode != TSP_OP_READ) reach(run, map, insn.waddr);
        }
    }
}

/* 2^k or 3 * 2^k, up to the whole bank. */
static int32_t rounded(int32_t rows, int64_t bank_rows) {
    int32_t round = LEAST_EXTENT;
    while (round < rows) {
        if (round / 2 * 3 >= rows)
            round = round / 2 * 3;
        else
            round *= 2;
    }
    return round < bank_rows ? round : (int32_t)bank_rows;
}

bool viz_memory_map_update(VizMemoryMap *map, const VizRun *run) {
    VizMemoryRun *runs;
    map->run_count = find_runs(run, map, false);
    runs = realloc(map->runs, ((size_t)map->run_count + 1) * sizeof *runs);
    if (!runs) return false;
    map->runs = runs;
    find_runs(run, map, true);
    for (int role = 0; role <= TSP_ROLE_INTERNAL; role++) map->rows[role] = 0;
    for (int32_t i = 0; i < map->run_count; i++)
        map->rows[run->program->tensors[runs[i].tensor].role] += runs[i].rows;
    return true;
}

bool viz_memory_map_make(VizMemoryMap *map, const VizRun *run) {
    *map = (VizMemoryMap){.first = calloc(2 * (size_t)run->m->mem_slices + 1, sizeof *map->first)};
    if (!map->first || !viz_memory_map_update(map, run)) return false;
    for (int32_t i = 0; i < map->run_count; i++)
        reach(run, map, map->runs[i].first + map->runs[i].rows - 1);
    reach_accesses(run, map);
    map->extent = rounded(map->extent, run->m->mem_rows);
    return true;
}
