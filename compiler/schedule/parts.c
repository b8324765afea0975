/* parts.c - products on the MXM: which plane does what.
 *
 * The work of a stage is a line of (output column tile, row) pairs, tile by tile. It is cut into
 * equal lengths, one a unit (a plane, or for fp16 a pair of planes), so that all units end
 * together whatever the shape. A unit's part falls into jobs: rows of one column tile, as many as
 * the accumulators hold.
 */
#include "parts.h"
#include "terms.h"

#include <stdlib.h>

static bool add_job(Unit *u, Job job, TspError *err) {
    if (!tsp_grow((void **)&u->jobs, &u->capacity, u->count + 1, sizeof job, err)) return false;
    u->jobs[u->count++] = job;
    return true;
}

/* Rows row..end of a tile, in jobs of even length within the limits. */
static bool add_rows(const Scheduler *s, const Stage *stage, Unit *u, int32_t tile, int32_t row,
                     int32_t end, TspError *err) {
    int32_t limit =
        term_count(s->m, stage, tile) > 1 ? (int32_t)s->m->mxm_accumulator_rows : INT32_MAX / 2;
    while (row < end) {
        int32_t cut = tsp_min32(end, schedule_cut(s, stage, row, INT32_MAX / 2));
        int32_t jobs = tsp_ceil_div(cut - row, limit), rows = tsp_ceil_div(cut - row, jobs);
        for (; row < cut; row += rows)
            if (!add_job(u, (Job){.tile = tile, .row = row, .rows = tsp_min32(rows, cut - row)},
                         err))
                return false;
        row = cut; /* the last job may have been shorter */
    }
    return true;
}

/* Cycles in which a plane's next weights load, if the planes of a hemisphere take turns: streams
 * are left for one beside activations. */
static int32_t load_cycles(const Scheduler *s, const Stage *stage) {
    int32_t count = stage->terms[0].w_count, columns = count ? count : tsp_lanes(s->m);
    return (int32_t)s->m->mxm_planes * tsp_ceil_div(columns, s->m->mxm_load_streams);
}

/* The cycle from which all rows of a column tile, as far as they have been placed, can be read. */
static int64_t last_ready(const Tensor *t, int32_t ctile) {
    int64_t last = 0;
    for (int32_t i = 0; t->ready && i < t->ready[ctile].count; i++) {
        const Ready *r = &t->ready[ctile].items[i];
        last = tsp_max64(last, r->ready + (int64_t)(r->count - 1) * r->interval);
    }
    return last;
}

/* Where on the line of tiles x rows, each as long as its tile has terms, the part of each unit
 * ends, so that all end together: who is free later gets less. None begins before the operands are
 * there. */
static void part_ends(const Scheduler *s, const Stage *stage, int32_t count, int64_t total,
                      int64_t *end) {
    const Term *term = &stage->terms[0];
    int32_t planes = 2 * (int32_t)s->m->mxm_planes / count, sharing = count;
    /* of a term and all rows */
    int64_t cycles =
        tsp_max64((int64_t)stage->rows * parts_row_cycles(s, stage), load_cycles(s, stage));
    int64_t free_at[MAX_PLANES], work = total * cycles / stage->rows, level = 0, done = 0;
    int64_t ready = tsp_max64(last_ready(&s->module->tensors[term->a], term->a_ctile),
                              last_ready(&s->module->tensors[term->w], term->w_ctile));
    for (int32_t u = 0; u < count; u++)
        free_at[u] = tsp_max64(ready, s->planes[u * planes].array_free);
    for (bool changed = true; changed;) { /* fill the valleys up to one level */
        int64_t sum = work;
        changed = false;
        for (int32_t u = 0; u < count; u++) sum += free_at[u] < 0 ? 0 : free_at[u];
        level = sum / sharing;
        for (int32_t u = 0; u < count; u++)
            if (free_at[u] > level) free_at[u] = -1, sharing--, changed = true;
    }
    for (int32_t u = 0; u < count; u++) {
        if (free_at[u] >= 0) done += level - free_at[u];
        end[u] = done * stage->rows / cycles;
    }
    end[count - 1] = total;
}

/* Fewer rows than this are not worth another load of the weights. */
static int32_t short_rows(const Scheduler *s, const Stage *stage) {
    return tsp_ceil_div(2 * load_cycles(s, stage), parts_row_cycles(s, stage));
}

/* `end`, or the cut between jobs of rows row.. that is nearest, if a job would be shorter than
 * `least` rows. */
static int32_t snap(const Scheduler *s, const Stage *stage, int32_t row, int32_t end,
                    int32_t least) {
    int32_t best = end;
    for (int32_t cut = row;; cut = schedule_cut(s, stage, cut, INT32_MAX / 2)) {
        if (abs(cut - end) < least) best = cut, least = abs(cut - end);
        if (cut == stage->rows) return best;
    }
}

/* All to one unit: it gets the planes that are free first. */
static bool assign_whole(const Scheduler *s, const Stage *stage, Unit *unit, TspError *err) {
    for (int32_t tile = 0; tile < tsp_ceil_div(stage->cols, tsp_lanes(s->m)); tile++)
        if (!add_rows(s, stage, unit, tile, 0, stage->rows, err)) return false;
    return true;
}

/* Cuts the line of tiles x rows into parts, one a unit, of no jobs shorter than `least` rows. */
static bool cut_line(const Scheduler *s, const Stage *stage, Unit *units, int32_t count,
                     int32_t least, TspError *err) {
    int32_t tiles = tsp_ceil_div(stage->cols, tsp_lanes(s->m)), unit = 0;
    int64_t done = 0, total = 0, part_end[MAX_PLANES];
    for (int32_t i = 0; i < count; i++) units[i].count = 0;
    for (int32_t tile = 0; tile < tiles; tile++)
        total += (int64_t)term_count(s->m, stage, tile) * stage->rows;
    part_ends(s, stage, count, total, part_end);
    for (int32_t tile = 0; tile < tiles; tile++) {
        int32_t terms = term_count(s->m, stage, tile);
        for (int32_t row = 0, end; row < stage->rows; row = end) {
            int64_t left = (part_end[unit] - done) / terms;
            end = left < stage->rows - row ? row + (int32_t)tsp_max64(left, 0) : stage->rows;
            end = snap(s, stage, row, end, least);
            if (!add_rows(s, stage, &units[unit], tile, row, end, err)) return false;
            done += (int64_t)(end - row) * terms;
            if (end < stage->rows) unit++;
        }
    }
    return true;
}

/* When the last unit ends, about: a step takes at least as long as the next weights load. */
static int64_t line_end(const Scheduler *s, const Stage *stage, const Unit *units, int32_t count) {
    int32_t planes = 2 * (int32_t)s->m->mxm_planes / count;
    int64_t last = 0;
    for (int32_t u = 0; u < count; u++) {
        int64_t end = s->planes[u * planes].array_free;
        for (int32_t i = 0; i < units[u].count; i++)
            end += term_count(s->m, stage, units[u].jobs[i].tile) *
                   tsp_max64((int64_t)units[u].jobs[i].rows * parts_row_cycles(s, stage),
                             load_cycles(s, stage));
        if (units[u].count) last = tsp_max64(last, end);
    }
    return last;
}

/* The same with whatever least number of rows ends soonest. */
static bool share_out(const Scheduler *s, const Stage *stage, Unit *units, int32_t count,
                      TspError *err) {
    int32_t best = short_rows(s, stage);
    int64_t soonest = INT64_MAX;
    for (int32_t least = best; least > 0; least /= 2) {
        int64_t end;
        if (!cut_line(s, stage, units, count, least, err)) return false;
        end = line_end(s, stage, units, count);
        if (end < soonest - soonest / 64) soonest = end, best = least;
    }
    return cut_line(s, stage, units, count, best, err);
}

static bool alike(const Stage *a, const Stage *b) {
    return a->product && b->product && a->op == b->op && a->rows == b->rows && a->cols == b->cols;
}

void parts_find_batches(Module *m) {
    for (int32_t first = 0, end; first < m->stage_count; first = end) {
        for (end = first + 1; end < m->stage_count; end++)
            if (!alike(&m->stages[end], &m->stages[first])) break;
        for (int32_t i = first; i < end; i++) m->stages[i].batch = end - first;
    }
}

/* Is a stage better left to one unit, others doing those beside it? */
static bool is_whole(const Scheduler *s, const Stage *stage, int32_t units) {
    const int32_t rounds = tsp_ceil_div(stage->batch, units);
    return stage->whole ||
           (stage->cols <= tsp_lanes(s->m) && stage->rows <= short_rows(s, stage)) ||
           8 * rounds * units <= 9 * stage->batch;
}

/* Gives the jobs of a unit their sums, and room to note what has been placed. */
static bool open_jobs(const Scheduler *s, const Stage *stage, Unit *u, TspError *err) {
    int32_t sums = 0, window = 0;
    for (int32_t i = 0; i < u->count; i++) {
        Job *job = &u->jobs[i];
        job->terms = term_count(s->m, stage, job->tile);
        if (job->terms > 1 && sums + job->rows > s->m->mxm_accumulator_rows) sums = 0, window++;
        job->sums = sums;
        job->window = window;
        if (job->terms > 1) sums += job->rows;
    }
    u->taken = calloc((size_t)u->count * (size_t)stage->term_count + 1, sizeof *u->taken);
    return u->taken || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
}

bool parts_share(const Scheduler *s, const Stage *stage, Unit *units, int32_t count,
                 TspError *err) {
    bool ok = is_whole(s, stage, count) ? assign_whole(s, stage, &units[0], err)
                                        : share_out(s, stage, units, count, err);
    for (int32_t i = 0; i < count && ok; i++) ok = open_jobs(s, stage, &units[i], err);
    return ok;
}

void parts_free(Unit *units, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        free(units[i].jobs);
        free(units[i].taken);
    }
}

void parts_choose_planes(const Scheduler *s, const Unit *units, int32_t count, int32_t planes,
                         int32_t *plane_of) {
    int32_t busy = 0, next[2] = {0, 0}; /* planes looked at, for idle and for busy units */
    bool chosen[MAX_PLANES] = {false};
    for (int32_t i = 0; i < count; i++) busy += units[i].count > 0;
    for (int32_t n = 0; n < busy; n++) {
        int32_t first = -1;
        for (int32_t i = 0; i < count; i++)
            if (!chosen[i] && (first < 0 || s->planes[i * planes].array_free <
                                                s->planes[first * planes].array_free))
                first = i;
        chosen[first] = true;
    }
    for (int32_t i = 0; i < count; i++) {
        int32_t *at = &next[units[i].count > 0];
        while (chosen[*at] != (units[i].count > 0)) ++*at;
        plane_of[i] = (*at)++ * planes;
    }
}
