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
#include "terms.h"

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

static TspDtype term_type(const Tensor *t, int32_t byte) {
    return byte >= 0 || t->dtype == TSP_BOOL ? TSP_U8 : t->dtype;
}

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
            if (!add_job(u, (Job){tile, row, tsp_min32(rows, cut - row)}, err)) return false;
        row = cut; /* the last job may have been shorter */
    }
    return true;
}

/* Cycles between activations. */
static int32_t row_cycles(const Scheduler *s, const Stage *stage) {
    const Term *term = &stage->terms[0];
    const Tensor *a = &s->module->tensors[term->a];
    return term_type(a, term->a_byte) == TSP_F16 ? (int32_t)s->m->mxm_fp16_cycles : 1;
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
    int64_t cycles = tsp_max64((int64_t)stage->rows * row_cycles(s, stage), load_cycles(s, stage));
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
    return tsp_ceil_div(2 * load_cycles(s, stage), row_cycles(s, stage));
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
                   tsp_max64((int64_t)units[u].jobs[i].rows * row_cycles(s, stage),
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

/* Loads the weights of a term for output columns column0.. into one plane. `byte`: of the element.
 */
static bool load_weights(Scheduler *s, const Stage *stage, const Term *term, int32_t byte,
                         int32_t plane, int32_t column0, TspError *err) {
    const TspMachine *m = s->m;
    const Tensor *w = &s->module->tensors[term->w];
    TspHemisphere h = plane < (int32_t)m->mxm_planes ? TSP_WEST : TSP_EAST;
    TspDirection direction = h == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
    int32_t group = (int32_t)m->mxm_load_streams, column = tsp_mxm_column(m, h), wire;
    int32_t columns = term_columns(s->m, stage, term, column0);
    int32_t queue = tsp_queue_mxm(m, h, plane % (int32_t)m->mxm_planes, TSP_ROLE_WEIGHTS);
    int32_t row0 = term_row(term, column0), full = columns / group, rest = columns % group;
    int32_t first = term->w_count ? (term->w_first - column0) / group : 0; /* LW */
    int64_t from = s->planes[plane].load_from, start;
    Flow *f = &s->load;
    flow_clear(f, stage->op, "load");
    wire = flow_wire(f, (Wire){direction, group, flow_phase(direction, 0, column),
                               full + (rest > 0), 1, column, column, 0});
    for (int32_t j = 0; j < tsp_min32(group, columns); j++) {
        int32_t row = row0 + j; /* the first of its slice: rows row, row + group, ... */
        Place p = tsp_stripe(w, group, row, term->w_ctile, byte);
        int32_t slice_column = tsp_slice_column(m, p.slice), count = full + (j < rest);
        int64_t read;
        flow_reach(&f->wires[wire], slice_column);
        read = flow_time_at(&f->wires[wire], slice_column) - m->mem_read_cycles;
        for (int32_t g = 0; w->ready && g < count; g++)
            from = tsp_max64(from,
                             schedule_ready(w, term->w_ctile, row + g * group, 0, 1, 1) - read - g);
        flow_item(f, (Item){.kind = ITEM_MEM,
                            .queue = p.slice,
                            .insn = {.op = TSP_OP_READ, .addr = p.addr},
                            .step = 1,
                            .start = read,
                            .count = count,
                            .interval = 1,
                            .bank = tsp_mem_bank(m, p.addr),
                            .drives = {wire, j},
                            .drive_width = 1,
                            .reads = {{-1, 0}, {-1, 0}}});
    }
    for (int part = 0; part < 2; part++) {
        int32_t count = part ? rest : group, issues = part ? rest > 0 : full;
        if (issues == 0) continue;
        flow_item(
            f, (Item){.kind = ITEM_QUEUE,
                      .queue = queue,
                      .insn = {.op = TSP_OP_LW, .group = first + (part ? full : 0), .count = count},
                      .step = 1,
                      .start = part ? full : 0,
                      .count = issues,
                      .interval = 1,
                      .drives = {-1, 0},
                      .reads = {{wire, 0}, {-1, 0}},
                      .read_width = {count, 0}});
    }
    if ((start = flow_earliest(&s->table, f, from, err)) < 0 ||
        !flow_commit(&s->table, f, start, err))
        return false;
    /* installed no earlier than the last vector is in the buffer, and not under a computation */
    from = tsp_max64(start + full + (rest > 0) - 1 + m->mxm_load_cycles,
                     s->planes[plane].array_free - m->mxm_install_cycles);
    flow_clear(f, stage->op, "install");
    flow_item(f, (Item){.kind = ITEM_QUEUE,
                        .queue = queue,
                        .insn = {.op = TSP_OP_IW, .type = (int32_t)term_type(w, term->w_byte)},
                        .count = 1,
                        .interval = 1,
                        .drives = {-1, 0},
                        .reads = {{-1, 0}, {-1, 0}}});
    if ((start = flow_earliest(&s->table, f, from, err)) < 0 ||
        !flow_commit(&s->table, f, start, err))
        return false;
    s->planes[plane].installed = start + m->mxm_install_cycles;
    s->planes[plane].load_from = start + tsp_max64(1, m->mxm_install_cycles - m->mxm_load_cycles);
    s->planes[plane].any = true;
    s->planes[plane].weights = *term;
    s->planes[plane].weights.w_byte = byte;
    s->planes[plane].column0 = column0;
    s->planes[plane].columns = columns;
    return true;
}

/* Loads what the step needs unless it is there already. */
static bool prepare_planes(Scheduler *s, const Stage *stage, const Term *term, int32_t plane,
                           int32_t planes, int32_t column0, TspError *err) {
    for (int32_t i = 0; i < planes; i++) {
        const Plane *p = &s->planes[plane + i];
        int32_t byte = planes > 1 ? i : term->w_byte >= 0 ? term->w_byte : 0;
        if (p->any && p->weights.w == term->w && p->weights.w_row0 == term->w_row0 &&
            p->weights.w_ctile == term->w_ctile && p->weights.w_byte == byte &&
            p->column0 == column0 && p->columns == term_columns(s->m, stage, term, column0) &&
            p->weights.w_first == term->w_first && p->weights.w_count == term->w_count &&
            p->as_bytes == (term->w_byte >= 0))
            continue;
        if (!load_weights(s, stage, term, byte, plane + i, column0, err)) return false;
        s->planes[plane + i].as_bytes = term->w_byte >= 0;
    }
    return true;
}

/* The flow of one step: activations in, products out or into the accumulators. */
static bool build_step(Scheduler *s, const Stage *stage, const Term *term, const Job *job,
                       int32_t plane, int32_t copy, bool add, bool emit, int64_t *from,
                       TspError *err) {
    const TspMachine *m = s->m;
    const Tensor *a = &s->module->tensors[term->a];
    TspDtype type = term_type(a, term->a_byte);
    TspHemisphere h = plane < (int32_t)m->mxm_planes ? TSP_WEST : TSP_EAST;
    TspDirection out = h == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
    int32_t column = tsp_mxm_column(m, h),
            interval = type == TSP_F16 ? (int32_t)m->mxm_fp16_cycles : 1;
    int32_t width = type == TSP_F16 ? 2 : 1, wire, product = -1;
    int32_t step = 1 + term->a_skip, row = term->a_row0 + job->row * step;
    int32_t local = plane % (int32_t)m->mxm_planes;
    int64_t acc = tsp_op_func(m, TSP_OP_ABC);
    Flow *f = &s->compute;
    flow_clear(f, stage->op, stage->what);
    wire = flow_wire(
        f, (Wire){out, width, flow_phase(out, 0, column), job->rows, interval, column, column, 0});
    for (int32_t b = 0; b < width; b++) {
        Place p = tsp_place(a, copy, row, term->a_ctile, term->a_byte >= 0 ? term->a_byte : b);
        int32_t slice_column = tsp_slice_column(m, p.slice);
        int64_t read;
        flow_reach(&f->wires[wire], slice_column);
        read = flow_time_at(&f->wires[wire], slice_column) - m->mem_read_cycles;
        *from = tsp_max64(*from,
                          schedule_ready(a, term->a_ctile, row, step, job->rows, interval) - read);
        flow_item(f, (Item){.kind = ITEM_MEM,
                            .queue = p.slice,
                            .insn = {.op = TSP_OP_READ, .addr = p.addr},
                            .step = step,
                            .start = read,
                            .count = job->rows,
                            .interval = interval,
                            .bank = tsp_mem_bank(m, p.addr),
                            .drives = {wire, b},
                            .drive_width = 1,
                            .reads = {{-1, 0}, {-1, 0}}});
    }
    flow_item(f, (Item){.kind = ITEM_QUEUE,
                        .queue = tsp_queue_mxm(m, h, local, TSP_ROLE_ACTIVATIONS),
                        .insn = {.op = TSP_OP_ABC, .type = (int32_t)type},
                        .count = job->rows,
                        .interval = interval,
                        .drives = {-1, 0},
                        .reads = {{wire, 0}, {-1, 0}},
                        .read_width = {width, 0}});
    if (emit) {
        TspDirection back = h == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD;
        product =
            flow_wire(f, (Wire){back, 4, flow_phase(back, acc + tsp_op_func(m, TSP_OP_ACC), column),
                                job->rows, interval, column, column, 0});
    }
    flow_item(f, (Item){.kind = ITEM_QUEUE,
                        .queue = tsp_queue_mxm(m, h, local, TSP_ROLE_RESULTS),
                        .insn = {.op = TSP_OP_ACC, .add = add, .emit = emit},
                        .step = add || !emit,
                        .start = acc,
                        .count = job->rows,
                        .interval = interval,
                        .drives = {product, 0},
                        .drive_width = emit ? 4 : 0,
                        .reads = {{-1, 0}, {-1, 0}}});
    return !emit ||
           schedule_tail(s, f, stage, job->row, job->rows, job->tile, interval, product, from, err);
}

/* The term of the job to come next: of those left, one whose operands are there first; of those
 * that are there already, the next in turn. */
static int32_t next_term(const Scheduler *s, const Stage *stage, const Unit *u, const Job *job,
                         int64_t now, int32_t turn) {
    int32_t best = -1, column0 = job->tile * tsp_lanes(s->m);
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < stage->term_count; i++) {
        int32_t n = (turn + i) % stage->term_count;
        const Term *term = &stage->terms[n];
        const Tensor *a = &s->module->tensors[term->a], *w = &s->module->tensors[term->w];
        int64_t ready;
        if (u->taken[n] || !term_meets(s->m, term, job->tile)) continue;
        ready = tsp_max64(schedule_ready(a, term->a_ctile, term->a_row0 + job->row, 1, job->rows,
                                         row_cycles(s, stage)),
                          schedule_ready(w, term->w_ctile, term_row(term, column0), 1,
                                         term_columns(s->m, stage, term, column0), 0));
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
    int32_t count = term_count(s->m, stage, job->tile);
    int32_t turn = next_term(s, stage, u, job, s->planes[plane].array_free,
                             u->placed + unit * stage->term_count / units);
    const Term *term = &stage->terms[turn];
    const Tensor *a = &s->module->tensors[term->a];
    int32_t interval = term_type(a, term->a_byte) == TSP_F16 ? (int32_t)s->m->mxm_fp16_cycles : 1;
    int32_t copy = unit * a->copies / units, best_copy = copy;
    bool add = u->placed > 0, emit = u->placed == count - 1;
    int64_t least = 0, start = -1, end;
    if (!prepare_planes(s, stage, term, plane, planes, job->tile * tsp_lanes(s->m), err))
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
    if (++u->placed == count) {
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
    const Term *term = &stage->terms[0];
    int32_t planes = term_type(&s->module->tensors[term->a], term->a_byte) == TSP_F16 ? 2 : 1;
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
