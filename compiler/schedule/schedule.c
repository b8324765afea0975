/* schedule.c - the schedule pass: stages become flows, each at the earliest cycle that is free.
 *
 * Stages are taken in order; since every flow is placed by what it needs and not by what came
 * before it, independent flows overlap by themselves, and a stage starts on the first rows that
 * its predecessor has written.
 */
#include "schedule.h"
#include "history.h"
#include "lifetime.h"
#include "parts.h"

#include <stdlib.h>

/* The least i for which row0 + i*step is in [low, end); `count` if it is none below. */
static int32_t first_within(int32_t low, int32_t end, int32_t row0, int32_t step, int32_t count) {
    int32_t i = 0, row;
    if (step > 0 && row0 < low) i = tsp_ceil_div(low - row0, step);
    if (step < 0 && row0 >= end) i = tsp_ceil_div(row0 - end + 1, -step);
    row = i < count ? row0 + i * step : end;
    return row >= low && row < end ? i : count;
}

int64_t schedule_ready(const Tensor *t, int32_t ctile, int32_t row0, int32_t row_step,
                       int32_t count, int32_t interval) {
    int64_t start = 0;
    if (!t->ready) return 0;
    for (int32_t k = 0; k < t->ready[ctile].count; k++) {
        const Ready *r = &t->ready[ctile].items[k];
        int32_t i = first_within(r->row0, r->row0 + r->count, row0, row_step, count);
        int32_t j = count - 1 -
                    first_within(r->row0, r->row0 + r->count, row0 + (count - 1) * row_step,
                                 -row_step, count);
        if (i == count) continue;
        /* both sides are linear in the row, so the ends decide */
        if (row_step == 0) j = i;
        start = tsp_max64(start, r->ready + (int64_t)(row0 + i * row_step - r->row0) * r->interval -
                                     (int64_t)i * interval);
        start = tsp_max64(start, r->ready + (int64_t)(row0 + j * row_step - r->row0) * r->interval -
                                     (int64_t)j * interval);
    }
    return start;
}

bool schedule_note(Tensor *t, int32_t ctile, Ready ready, TspError *err) {
    ReadyList *list;
    if (!t->ready && !(t->ready = calloc((size_t)t->ctiles, sizeof *t->ready)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    list = &t->ready[ctile];
    if (list->count) { /* the usual case: the next rows of the same even sequence */
        Ready *last = &list->items[list->count - 1];
        if (last->row0 + last->count == ready.row0 && last->interval == ready.interval &&
            last->ready + (int64_t)last->count * last->interval == ready.ready) {
            last->count += ready.count;
            return true;
        }
    }
    if (!tsp_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof ready, err))
        return false;
    list->items[list->count++] = ready;
    return true;
}

/* Rows of column tiles, side by side in one flow. */
typedef struct {
    int32_t first, count, ctile, tiles;
} Area;

/* Cycles between rows of an area that a stage reads, where they come slowest. */
static int32_t pace(const Scheduler *s, const Stage *stage, const Area *a) {
    int32_t slowest = 1;
    for (int32_t i = 0; i < stage->operand_count; i++) {
        const Operand *o = &stage->operands[i];
        const Tensor *t = &s->module->tensors[o->tensor];
        const int32_t row = o->row0 + a->first, ctile = o->one_tile ? 0 : a->ctile;
        const ReadyList *list = t->ready ? &t->ready[o->ctile0 + ctile] : NULL;
        for (int32_t k = 0; o->row_step == 1 && list && k < list->count; k++) {
            const Ready *r = &list->items[k];
            if (r->row0 < row + a->count && row < r->row0 + r->count && r->interval > slowest)
                slowest = r->interval;
        }
    }
    return slowest;
}

/* The flow of an area, rows `interval` cycles apart. *from: the first cycle at which they are all
 * there. */
static bool build_area(Scheduler *s, const Stage *stage, const Area *a, int32_t interval,
                       int64_t *from, TspError *err) {
    *from = 0;
    flow_clear(&s->compute, stage->op, stage->what);
    for (int32_t i = 0; i < a->tiles; i++)
        if (!schedule_tail(s, &s->compute, stage, a->first, a->count, a->ctile + i, interval, NULL,
                           from, err))
            return false;
    return true;
}

/* The first cycle at which that flow is free; -1 with err set. */
static int64_t find_area(Scheduler *s, const Stage *stage, const Area *a, int32_t interval,
                         TspError *err) {
    int64_t from;
    if (!build_area(s, stage, a, interval, &from, err)) return -1;
    return flow_earliest(&s->table, &s->compute, from, err);
}

/* Rows that come slower than one a cycle are taken as they come, or a row a cycle when all are
 * there: whichever ends first. */
static bool place_area(Scheduler *s, const Stage *stage, const Area *a, TspError *err) {
    int32_t interval = pace(s, stage, a);
    int64_t slow = 0, start;
    if (interval > 1 && (slow = find_area(s, stage, a, interval, err)) < 0) return false;
    if ((start = find_area(s, stage, a, 1, err)) < 0) return false;
    if (interval > 1 && slow + (int64_t)(a->count - 1) * (interval - 1) < start)
        start = find_area(s, stage, a, interval, err);
    else
        interval = 1;
    if (!flow_commit(&s->table, &s->compute, start, err)) return false;
    for (int32_t i = 0; i < a->tiles; i++)
        if (!schedule_results(s, stage, &s->compute, start, a->first, a->count, a->ctile + i,
                              interval, err))
            return false;
    return true;
}

/* Rows first .. last-1 of a stage without a product. */
static bool schedule_rows(Scheduler *s, const Stage *stage, int32_t first, int32_t last,
                          TspError *err) {
    const int32_t tiles = tsp_ceil_div(stage->cols, tsp_lanes(s->m)),
                  beside = tsp_tiles_beside(s->module, stage);
    for (int32_t row = first, end; row < last; row = end) {
        end = schedule_cut(s, stage, row, last - row);
        for (Area a = {row, end - row, 0, 0}; a.ctile < tiles; a.ctile += a.tiles) {
            int64_t from;
            a.tiles = tsp_min32(beside, tiles - a.ctile);
            while (a.tiles > 1 &&
                   (!build_area(s, stage, &a, 1, &from, err) || !flow_fits(&s->compute, s->m)))
                a.tiles--;
            if (!place_area(s, stage, &a, err)) return false;
        }
    }
    return true;
}

/* A stage that makes addresses, now that there are some. */
static bool schedule_addresses(Scheduler *s, const Stage *stage, TspError *err) {
    const Place p = tsp_place(&s->module->tensors[stage->addresses], 0, 0, 0, 0);
    Stage own = *stage;
    for (int32_t i = 0; i < own.step_count; i++)
        if (own.steps[i].op == TSP_OP_ADD && own.steps[i].b.kind == FROM_IMM)
            own.steps[i].imm += (uint32_t)p.addr;
    return schedule_rows(s, &own, 0, own.rows, err);
}

static bool schedule_stage(Scheduler *s, const Stage *stage, TspError *err) {
    if (stage->group) return schedule_group(s, stage, err);
    if (stage->meets) return schedule_meeting(s, stage, err);
    if (stage->product) return schedule_product(s, stage, err);
    if (stage->chain_rows) return schedule_chains(s, stage, err);
    if (stage->set_rows) return schedule_sets(s, stage, err);
    if (stage->scan_rows) return schedule_scans(s, stage, err);
    if (stage->shift) return schedule_shifts(s, stage, err);
    if (stage->distributes) return schedule_distributes(s, stage, err);
    if (stage->addresses >= 0) return schedule_addresses(s, stage, err);
    if (stage->copies) return schedule_copies(s, stage, err);
    if (stage->output_count && s->module->tensors[stage->outputs[0].tensor].flat)
        return schedule_flat(s, stage, err);
    return schedule_rows(s, stage, 0, stage->rows, err);
}

int64_t schedule_end(const Scheduler *s) {
    int64_t end = 0;
    for (int32_t i = 0; i < s->module->run_count; i++) {
        const Run *r = &s->module->runs[i];
        end = tsp_max64(end, r->start + (int64_t)(r->count - 1) * r->interval +
                                 tsp_max64(1, tsp_insn_func(s->m, &r->insn)));
    }
    return end;
}

bool tsp_pass_schedule(Module *module, TspError *err) {
    Scheduler *s = calloc(1, sizeof *s);
    bool ok = true;
    if (!s) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    s->module = module;
    s->m = &module->machine;
    s->table.module = module;
    parts_find_batches(module);
    if (module->shares_rows) ok = history_begin(&s->table, err);
    for (int32_t i = 0; i < module->stage_count && ok; i++)
        ok = (!module->shares_rows || lifetime_begin(module, i, err)) &&
             schedule_stage(s, &module->stages[i], err);
    flow_free(&s->load);
    flow_free(&s->compute);
    table_free(&s->table);
    free(s);
    return ok;
}
