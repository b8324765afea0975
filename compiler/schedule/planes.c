/* planes.c - products on the MXM: which step comes next, accumulation.
 *
 * A job takes a step for each term: load weights while the step before computes, install, stream
 * the activations. A unit takes the steps of its jobs one job after the other as long as the
 * operands are there; where they are not, steps of jobs behind come first, as far as the
 * accumulators hold the sums of all. Units start at different terms, so that they do not all ask
 * for the same slices at once.
 */
#include "parts.h"
#include "terms.h"

/* The flow of one step: activations in, products out or into the accumulators. */
static bool build_step(Scheduler *s, const Stage *stage, const Term *term, const Job *job,
                       int32_t plane, int32_t copy, bool add, bool emit, int64_t *from,
                       TspError *err) {
    const Pass pass = {.term = term,
                       .plane = plane,
                       .row = job->row,
                       .rows = job->rows,
                       .copy = copy,
                       .sums = job->sums,
                       .add = add,
                       .emit = emit};
    Flow *f = &s->compute;
    int32_t product;
    flow_clear(f, stage->op, stage->what);
    product = schedule_pass(s, f, &pass, from);
    return !emit || schedule_tail(s, f, stage, job->row, job->rows, job->tile,
                                  schedule_pass_interval(s, term), &product, from, err);
}

/* One term of one job of a unit. */
typedef struct {
    int32_t job, term;
} Next;

/* The cycle from which on the operands of a term of a job are there. */
static int64_t term_ready(const Scheduler *s, const Stage *stage, const Job *job,
                          const Term *term) {
    const Tensor *a = &s->module->tensors[term->a], *w = &s->module->tensors[term->w];
    int32_t column0 = job->tile * tsp_lanes(s->m);
    return tsp_max64(schedule_ready(a, term->a_ctile, term->a_row0 + job->row, 1, job->rows,
                                    parts_row_cycles(s, stage)),
                     schedule_ready(w, term->w_ctile, term_row(term, column0), 1,
                                    term_columns(s->m, stage, term, column0), 0));
}

/* What the unit does next: of all that is left of its jobs side by side, a term whose operands are
 * there first; of those that are there already, the next in turn of the first job. `turn`: the term
 * that the unit begins with. */
static Next next_step(const Scheduler *s, const Stage *stage, const Unit *u, int64_t now,
                      int32_t turn) {
    Next best = {-1, -1};
    int64_t least = INT64_MAX;
    for (int32_t j = u->first; j < u->count && least > now; j++) {
        const Job *job = &u->jobs[j];
        if (job->window != u->jobs[u->first].window) break;
        for (int32_t i = 0; i < stage->term_count && least > now; i++) {
            int32_t n = (turn + job->placed + i) % stage->term_count;
            const Term *term = &stage->terms[n];
            int64_t ready;
            if (u->taken[j * stage->term_count + n] || !term_meets(s->m, term, job->tile)) continue;
            ready = tsp_max64(term_ready(s, stage, job, term), now);
            if (ready >= least) continue;
            least = ready;
            best = (Next){j, n};
        }
    }
    return best;
}

/* Places the next step of a unit. */
static bool place_step(Scheduler *s, const Stage *stage, Unit *u, int32_t plane, int32_t planes,
                       int32_t unit, int32_t units, TspError *err) {
    const Next next =
        next_step(s, stage, u, s->planes[plane].array_free, unit * stage->term_count / units);
    Job *job = &u->jobs[next.job];
    const Term *term = &stage->terms[next.term];
    const Tensor *a = &s->module->tensors[term->a];
    int32_t interval = parts_row_cycles(s, stage);
    int32_t copy = unit * a->copies / units, best_copy = copy;
    bool add = job->placed > 0, emit = job->placed == job->terms - 1;
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
    u->taken[next.job * stage->term_count + next.term] = true;
    job->placed++;
    while (u->first < u->count && u->jobs[u->first].placed == u->jobs[u->first].terms) u->first++;
    return true;
}

/* The unit whose planes are free first, of those that have something left to do; -1 if none has. So
 * all get their turn at streams and slices in time. */
static int32_t first_free(const Scheduler *s, const Unit *units, int32_t count,
                          const int32_t *plane_of) {
    int32_t first = -1;
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < count; i++) {
        int64_t free_at = s->planes[plane_of[i]].array_free;
        if (units[i].first == units[i].count || free_at >= least) continue;
        first = i;
        least = free_at;
    }
    return first;
}

bool schedule_product(Scheduler *s, const Stage *stage, TspError *err) {
    Unit units[MAX_PLANES] = {{0}};
    int32_t planes = schedule_pass_planes(s, &stage->terms[0]);
    int32_t count = 2 * (int32_t)s->m->mxm_planes / planes;
    int32_t plane_of[MAX_PLANES];
    bool ok = parts_share(s, stage, units, count, err);
    parts_choose_planes(s, units, count, planes, plane_of);
    for (int32_t next; ok && (next = first_free(s, units, count, plane_of)) >= 0;)
        ok = place_step(s, stage, &units[next], plane_of[next], planes, next, count, err);
    parts_free(units, count);
    return ok;
}
