/* planes.c - products on the MXM: which plane does what, weights under compute, accumulation.
 *
 * The work of a stage is a line of (output column tile, row) pairs, tile by tile. It is cut into
 * equal lengths, one a unit (a plane, or for fp16 a pair of planes), so that all units end
 * together whatever the shape. A unit walks its part in jobs: rows of one column tile, as many as
 * the accumulators hold, over all K tiles; each K tile is a step: load weights while the step
 * before computes, install, stream the activations. Units start at different K tiles, so that they
 * do not all ask for the same slices at once.
 */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t tile, row, rows;
} Job;

typedef struct {
    Job *jobs;
    int32_t count, capacity;
    int32_t job, placed; /* being walked: job, and how many of its terms have been placed */
    bool *taken;         /* [term] of the job */
} Unit;

static bool add_job(Unit *u, Job job, TspError *err) {
    if (!tsp_grow((void **)&u->jobs, &u->capacity, u->count + 1, sizeof job, err)) return false;
    u->jobs[u->count++] = job;
    return true;
}

/* Rows row..end of a tile, in jobs of even length within the limits. */
static bool add_rows(const Scheduler *s, const Stage *stage, Unit *u, int32_t tile, int32_t row,
                     int32_t end, TspError *err) {
    int32_t limit = stage->term_count > 1 ? (int32_t)s->m->mxm_accumulator_rows : INT32_MAX / 2;
    while (row < end) {
        int32_t cut = tsp_min32(end, schedule_cut(s, stage, row, INT32_MAX / 2));
        int32_t jobs = tsp_ceil_div(cut - row, limit), rows = tsp_ceil_div(cut - row, jobs);
        for (; row < cut; row += rows)
            if (!add_job(u, (Job){tile, row, tsp_min32(rows, cut - row)}, err)) return false;
        row = cut; /* the last job may have been shorter */
    }
    return true;
}

/* Cycles between activations. */
static int32_t row_cycles(const Scheduler *s, const Stage *stage) {
    return schedule_pass_interval(s, &stage->terms[0]);
}

/* Cycles in which a plane's next weights load, if the planes of a hemisphere take turns: streams
 * are left for one beside activations. */
static int32_t load_cycles(const Scheduler *s) {
    return (int32_t)s->m->mxm_planes * tsp_ceil_div(tsp_lanes(s->m), s->m->mxm_load_streams);
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

/* Where on the line of tiles x rows the part of each unit ends, so that all end together: who is
 * free later gets less. None begins before the operands are there. */
static void part_ends(const Scheduler *s, const Stage *stage, int32_t count, int64_t total,
                      int64_t *end) {
    const Term *term = &stage->terms[0];
    int32_t planes = 2 * (int32_t)s->m->mxm_planes / count, sharing = count;
    /* of a whole column tile */
    int64_t cycles =
        stage->term_count * tsp_max64((int64_t)stage->rows * row_cycles(s, stage), load_cycles(s));
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
    return tsp_ceil_div(2 * load_cycles(s), row_cycles(s, stage));
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
    int64_t done = 0, part_end[MAX_PLANES];
    for (int32_t i = 0; i < count; i++) units[i].count = 0;
    part_ends(s, stage, count, (int64_t)tiles * stage->rows, part_end);
    for (int32_t tile = 0; tile < tiles; tile++) {
        for (int32_t row = 0, end; row < stage->rows; row = end) {
            int64_t left = part_end[unit] - done;
            end = left < stage->rows - row ? row + (int32_t)tsp_max64(left, 0) : stage->rows;
            end = snap(s, stage, row, end, least);
            if (!add_rows(s, stage, &units[unit], tile, row, end, err)) return false;
            done += end - row;
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
            end += stage->term_count *
                   tsp_max64((int64_t)units[u].jobs[i].rows * row_cycles(s, stage), load_cycles(s));
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

/* The flow of one step: activations in, products out or into the accumulators. */
static bool build_step(Scheduler *s, const Stage *stage, const Term *term, const Job *job,
                       int32_t plane, int32_t copy, bool add, bool emit, int64_t *from,
                       TspError *err) {
    const Pass pass = {.term = term,
                       .plane = plane,
                       .row = job->row,
                       .rows = job->rows,
                       .copy = copy,
                       .add = add,
                       .emit = emit};
    Flow *f = &s->compute;
    int32_t product;
    flow_clear(f, stage->op, stage->what);
    product = schedule_pass(s, f, &pass, from);
    return !emit || schedule_tail(s, f, stage, job->row, job->rows, job->tile,
                                  schedule_pass_interval(s, term), &product, from, err);
}

/* The term of the job to come next: of those left, one whose operands are there first; of those
 * that are there already, the next in turn. */
static int32_t next_term(const Scheduler *s, const Stage *stage, const Unit *u, const Job *job,
                         int64_t now, int32_t turn) {
    int32_t best = -1,
            columns = tsp_min32(tsp_lanes(s->m), stage->cols - job->tile * tsp_lanes(s->m));
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < stage->term_count; i++) {
        int32_t n = (turn + i) % stage->term_count;
        const Term *term = &stage->terms[n];
        const Tensor *a = &s->module->tensors[term->a], *w = &s->module->tensors[term->w];
        int64_t ready;
        if (u->taken[n]) continue;
        ready =
            tsp_max64(schedule_ready(a, term->a_ctile, term->a_row0 + job->row, 1, job->rows,
                                     row_cycles(s, stage)),
                      schedule_ready(w, term->w_ctile, term->w_row0 + job->tile * tsp_lanes(s->m),
                                     1, columns, 0));
        ready = tsp_max64(ready, now);
        if (ready >= least) continue;
        least = ready;
        best = n;
    }
    return best;
}

/* Places the next step of a unit. */
static bool place_step(Scheduler *s, const Stage *stage, Unit *u, int32_t plane, int32_t planes,
                       int32_t unit, int32_t units, TspError *err) {
    const Job *job = &u->jobs[u->job];
    int32_t turn = next_term(s, stage, u, job, s->planes[plane].array_free,
                             u->placed + unit * stage->term_count / units);
    const Term *term = &stage->terms[turn];
    const Tensor *a = &s->module->tensors[term->a];
    int32_t interval = schedule_pass_interval(s, term);
    int32_t copy = unit * a->copies / units, best_copy = copy;
    bool add = u->placed > 0, emit = u->placed == stage->term_count - 1;
    int64_t least = 0, start = -1, end;
    if (!schedule_weights(s, stage, term, plane, planes, job->tile * tsp_lanes(s->m), err))
        return false;
    for (int32_t i = 0; i < planes; i++)
        least = tsp_max64(
            least, tsp_max64(s->planes[plane + i].array_free, s->planes[plane + i].installed));
    for (int32_t tries = 0; tries < a->copies; tries++, copy = (copy + 1) % a->copies) {
        int64_t from = least, found;
        if (!build_step(s, stage, term, job, plane, copy, add, emit, &from, err) ||
            (found = flow_earliest(&s->table, &s->compute, from, err)) < 0)
            return false;
        if (start < 0 || found < start) start = found, best_copy = copy;
        if (start == from) break;
    }
    if (!build_step(s, stage, term, job, plane, best_copy, add, emit, &least, err) ||
        !flow_commit(&s->table, &s->compute, start, err) ||
        (emit && !schedule_results(s, stage, &s->compute, start, job->row, job->rows, job->tile,
                                   interval, err)))
        return false;
    end = start + (int64_t)job->rows * interval;
    for (int32_t i = 0; i < planes; i++) s->planes[plane + i].array_free = end;
    u->taken[turn] = true;
    if (++u->placed == stage->term_count) {
        u->placed = 0;
        u->job++;
        memset(u->taken, 0, (size_t)stage->term_count * sizeof *u->taken);
    }
    return true;
}

/* Which planes each unit gets: a stage that needs fewer than there are takes those that are free
 * first, in their order. */
static void choose_planes(const Scheduler *s, const Unit *units, int32_t count, int32_t planes,
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

/* The unit whose planes are free first, of those that have something left to do; -1 if none has. So
 * all get their turn at streams and slices in time. */
static int32_t first_free(const Scheduler *s, const Unit *units, int32_t count,
                          const int32_t *plane_of) {
    int32_t first = -1;
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < count; i++) {
        int64_t free_at = s->planes[plane_of[i]].array_free;
        if (units[i].job >= units[i].count || free_at >= least) continue;
        first = i;
        least = free_at;
    }
    return first;
}

static bool alike(const Stage *a, const Stage *b) {
    return a->product && a->op == b->op && a->rows == b->rows && a->cols == b->cols;
}

/* Products of one node, one after the other: the matrices of a batch. */
static int32_t batch_of(const Scheduler *s, const Stage *stage) {
    const Stage *first = stage, *last = stage, *stages = s->module->stages;
    while (first > stages && alike(first - 1, stage)) first--;
    while (last + 1 < stages + s->module->stage_count && alike(last + 1, stage)) last++;
    return (int32_t)(last - first) + 1;
}

/* Is a stage better left to one unit, others doing those beside it? */
static bool is_whole(const Scheduler *s, const Stage *stage, int32_t units) {
    int32_t batch = batch_of(s, stage), rounds = tsp_ceil_div(batch, units);
    return stage->whole ||
           (stage->cols <= tsp_lanes(s->m) && stage->rows <= short_rows(s, stage)) ||
           8 * rounds * units <= 9 * batch;
}

bool schedule_product(Scheduler *s, const Stage *stage, TspError *err) {
    Unit units[MAX_PLANES] = {{0}};
    int32_t planes = schedule_pass_planes(s, &stage->terms[0]);
    int32_t count = 2 * (int32_t)s->m->mxm_planes / planes;
    int32_t plane_of[MAX_PLANES];
    bool ok = is_whole(s, stage, count) ? assign_whole(s, stage, &units[0], err)
                                        : share_out(s, stage, units, count, err);
    for (int32_t i = 0; i < count && ok; i++)
        if (!(units[i].taken = calloc((size_t)stage->term_count, sizeof *units[i].taken)))
            ok = tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    choose_planes(s, units, count, planes, plane_of);
    for (int32_t next; ok && (next = first_free(s, units, count, plane_of)) >= 0;)
        ok = place_step(s, stage, &units[next], plane_of[next], planes, next, count, err);
    for (int32_t i = 0; i < count; i++) {
        free(units[i].jobs);
        free(units[i].taken);
    }
    return ok;
}
