/* planes.c - products on the MXM: weights under compute, accumulation.
 *
 * A job takes a step for each term: load weights while the step before computes, install, stream
 * the activations. A unit takes the steps of its jobs one job after the other as long as the
 * operands are there; where they are not, steps of jobs behind come first, as far as the
 * accumulators hold the sums of all. Units start at different terms, so that they do not all ask
 * for the same slices at once.
 */
#include "parts.h"
#include "terms.h"

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
                        .insn = {.op = TSP_OP_IW, .type = (int32_t)parts_type(w, term->w_byte)},
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
    TspDtype type = parts_type(a, term->a_byte);
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
                        .insn = {.op = TSP_OP_ACC,
                                 .add = add,
                                 .emit = emit,
                                 .row = add || !emit ? job->sums : 0},
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
    const Term *term = &stage->terms[0];
    int32_t planes = parts_type(&s->module->tensors[term->a], term->a_byte) == TSP_F16 ? 2 : 1;
    int32_t count = 2 * (int32_t)s->m->mxm_planes / planes;
    int32_t plane_of[MAX_PLANES];
    bool ok = parts_share(s, stage, units, count, err);
    parts_choose_planes(s, units, count, planes, plane_of);
    for (int32_t next; ok && (next = first_free(s, units, count, plane_of)) >= 0;)
        ok = place_step(s, stage, &units[next], plane_of[next], planes, next, count, err);
    parts_free(units, count);
    return ok;
}
