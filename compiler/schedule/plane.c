/* plane.c - one plane, or for fp16 a pair: its weights, and activations that pass them.
 */
#include "parts.h"
#include "terms.h"

static TspDtype activation_type(const Scheduler *s, const Term *term) {
    return parts_type(&s->module->tensors[term->a], term->a_byte);
}

int32_t schedule_pass_planes(const Scheduler *s, const Term *term) {
    return activation_type(s, term) == TSP_F16 ? 2 : 1;
}

int32_t schedule_pass_interval(const Scheduler *s, const Term *term) {
    return activation_type(s, term) == TSP_F16 ? (int32_t)s->m->mxm_fp16_cycles : 1;
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
                            .tensor = schedule_index(s, w),
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

bool schedule_weights(Scheduler *s, const Stage *stage, const Term *term, int32_t plane,
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

/* The wire of activations, vector 0 at the plane at relative time `start`, and its Reads. */
static int32_t activations(Scheduler *s, Flow *f, const Pass *pass, int64_t *from) {
    const TspMachine *m = s->m;
    const Term *term = pass->term;
    const Tensor *a = &s->module->tensors[term->a];
    const TspHemisphere h = pass->plane < (int32_t)m->mxm_planes ? TSP_WEST : TSP_EAST;
    const TspDirection out = h == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
    const int32_t column = tsp_mxm_column(m, h), interval = schedule_pass_interval(s, term),
                  width = schedule_pass_planes(s, term), step = 1 + term->a_skip,
                  row = term->a_row0 + pass->row * step;
    const int32_t wire = flow_wire(f, (Wire){out, width, flow_phase(out, pass->start, column),
                                             pass->rows, interval, column, column, 0});
    for (int32_t b = 0; b < width; b++) {
        const Rows rows = {.tensor = a,
                           .copy = pass->copy,
                           .ctile = term->a_ctile,
                           .byte = term->a_byte >= 0 ? term->a_byte : b,
                           .row = row,
                           .step = step,
                           .count = pass->rows};
        schedule_rows_read(s, f, &rows, (Tap){wire, b}, interval, from);
    }
    return wire;
}

int32_t schedule_pass(Scheduler *s, Flow *f, const Pass *pass, int64_t *from) {
    const TspMachine *m = s->m;
    const TspHemisphere h = pass->plane < (int32_t)m->mxm_planes ? TSP_WEST : TSP_EAST;
    const TspDirection back = h == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD;
    const int32_t column = tsp_mxm_column(m, h), interval = schedule_pass_interval(s, pass->term),
                  local = pass->plane % (int32_t)m->mxm_planes,
                  wire = activations(s, f, pass, from);
    const int64_t acc = pass->start + tsp_op_func(m, TSP_OP_ABC);
    const bool sums = pass->add || !pass->emit;
    int32_t product = -1;
    flow_item(f, (Item){.kind = ITEM_QUEUE,
                        .queue = tsp_queue_mxm(m, h, local, TSP_ROLE_ACTIVATIONS),
                        .insn = {.op = TSP_OP_ABC, .type = (int32_t)activation_type(s, pass->term)},
                        .start = pass->start,
                        .count = pass->rows,
                        .interval = interval,
                        .drives = {-1, 0},
                        .reads = {{wire, 0}, {-1, 0}},
                        .read_width = {schedule_pass_planes(s, pass->term), 0}});
    if (pass->emit)
        product =
            flow_wire(f, (Wire){back, 4, flow_phase(back, acc + tsp_op_func(m, TSP_OP_ACC), column),
                                pass->rows, interval, column, column, 0});
    flow_item(f, (Item){.kind = ITEM_QUEUE,
                        .queue = tsp_queue_mxm(m, h, local, TSP_ROLE_RESULTS),
                        .insn = {.op = TSP_OP_ACC,
                                 .add = pass->add,
                                 .emit = pass->emit,
                                 .row = sums ? pass->sums : 0},
                        .step = sums,
                        .start = acc,
                        .count = pass->rows,
                        .interval = interval,
                        .drives = {product, 0},
                        .drive_width = pass->emit ? 4 : 0,
                        .reads = {{-1, 0}, {-1, 0}}});
    return product;
}
