/* fast_mxm.c - MXM planes: weight buffers, installed weights, activations under way, accumulators.
 *
 * Nobody can see a product before the ACC that takes it, so activations wait, and all that met the
 * same weights are multiplied in one go when the first of their products is asked for. That batch
 * is as deep as the array's latency.
 */
#include "fast_stream.h"

#include <string.h>

enum { OWN, ODD }; /* whose weights: the plane's, and for fp16 also those of the odd plane */

static int32_t plane_of(const Issue *issue) {
    return 2 * (int32_t)issue->info->hemisphere + issue->info->index;
}

static Product *product(Plane *plane, uint32_t number) {
    return &plane->product[number % SIM_PRODUCTS];
}

void fast_mxm_reset(Fast *f) {
    for (int32_t p = 0; p < SIM_PLANES; p++) {
        Plane *plane = &f->state.plane[p];
        *plane = (Plane){.last_arrival = -1, .last_install = -1};
        plane->set[0].array = 1;
        plane->set[1].array = 2;
    }
    memset(f->accumulator_type, 0, SIM_PLANES * (size_t)f->m->mxm_accumulator_rows);
}

/* -- multiplying -- */

/* The set of a plane whose IW had this number. */
static const WeightSet *weight_set(const Plane *plane, int32_t generation) {
    return &plane->set[plane->set[0].generation == generation ? 0 : 1];
}

static void prepare_int8(Fast *f, int32_t p, int32_t generation) {
    Plane *plane = &f->state.plane[p];
    const WeightSet *set = weight_set(plane, generation);
    if (plane->prepared == generation) return;
    tsp_gemm_int8_prepare(&f->int8_weights[p], fast_weights(f, p, set->array), f->lanes,
                          set->type == TSP_U8);
    plane->prepared = generation;
}

static void prepare_fp16(Fast *f, int32_t p, const int32_t *generation) {
    int32_t *prepared = f->state.pair_prepared[p / 2];
    const uint8_t *planes[2];
    if (prepared[OWN] == generation[OWN] && prepared[ODD] == generation[ODD]) return;
    for (int32_t i = 0; i < 2; i++)
        planes[i] =
            fast_weights(f, p + i, weight_set(&f->state.plane[p + i], generation[i])->array);
    tsp_gemm_fp16_prepare(&f->fp16_weights[p / 2], planes[0], planes[1], f->lanes);
    memcpy(prepared, generation, 2 * sizeof *prepared);
}

static bool same_batch(const Product *a, const Product *b) {
    return a->type == b->type && a->generation[OWN] == b->generation[OWN] &&
           a->generation[ODD] == b->generation[ODD];
}

/* A column that was never loaded gives +0, also where the kernel's 0 * infinity is NaN. */
static void clear_unloaded(Fast *f, int32_t p, const int32_t *generation, int32_t rows,
                           uint32_t *out) {
    const bool *own = weight_set(&f->state.plane[p], generation[OWN])->loaded,
               *odd = weight_set(&f->state.plane[p + 1], generation[ODD])->loaded;
    for (int32_t column = 0; column < f->lanes; column++)
        for (int32_t i = 0; i < rows && !own[column] && !odd[column]; i++)
            out[i * f->lanes + column] = 0;
}

/* Multiplies the oldest activations that wait and met the same weights. */
static void multiply(Fast *f, int32_t p) {
    Plane *plane = &f->state.plane[p];
    const Product *first = product(plane, plane->multiplied);
    const uint8_t *low[SIM_PRODUCTS], *high[SIM_PRODUCTS];
    int32_t rows = 0;
    uint32_t *out;
    if (plane->head == plane->multiplied)
        plane->next_row = 0; /* all rows are free: stay in cache */
    for (uint32_t i = plane->multiplied; i != plane->tail; i++) {
        Product *next = product(plane, i);
        if (!same_batch(first, next) || plane->next_row + rows == SIM_PRODUCTS) break;
        low[rows] = fast_vec(f, next->vec[0]);
        if (next->vec[1] != SIM_NONE) high[rows] = fast_vec(f, next->vec[1]);
        next->row = plane->next_row + rows++;
    }
    out = fast_product(f, p, plane->next_row);
    if (first->type == TSP_F16) {
        prepare_fp16(f, p, first->generation);
        tsp_gemm_fp16(&f->fp16_weights[p / 2], low, high, rows, out, TSP_GEMM_AUTO);
        clear_unloaded(f, p, first->generation, rows, out);
    } else {
        prepare_int8(f, p, first->generation[OWN]);
        tsp_gemm_int8(&f->int8_weights[p], low, rows, first->type == TSP_U8, (int32_t *)out,
                      TSP_GEMM_AUTO);
    }
    for (int32_t i = 0; i < rows; i++) {
        Product *done = product(plane, plane->multiplied++);
        for (int32_t k = 0; k < 2; k++)
            if (done->vec[k] != SIM_NONE) fast_vec_drop(f, done->vec[k]);
        done->vec[0] = done->vec[1] = SIM_NONE;
    }
    plane->next_row = (plane->next_row + rows) % SIM_PRODUCTS;
}

void fast_mxm_multiply_all(Fast *f) {
    for (int32_t p = 0; p < SIM_PLANES; p++)
        while (f->state.plane[p].multiplied != f->state.plane[p].tail) multiply(f, p);
}

/* Multiplies whatever waits for weights of plane `p` that are about to be overwritten. */
static void multiply_before_loss(Fast *f, int32_t p, int32_t generation, int32_t whose) {
    Plane *plane = &f->state.plane[p];
    for (;;) {
        bool waiting = false;
        for (uint32_t i = plane->multiplied; i != plane->tail && !waiting; i++)
            waiting = product(plane, i)->generation[whose] == generation;
        if (!waiting) return;
        multiply(f, p);
    }
}

/* -- weights -- */

bool fast_load_weights(Fast *f, const Issue *issue, TspError *err) {
    const int32_t p = plane_of(issue), size = (int32_t)f->m->mxm_load_streams;
    const int64_t now = f->state.now, arrival = now + f->m->mxm_load_cycles;
    const int64_t group = (int64_t)issue->insn->group + issue->step, first = group * size;
    const int32_t count = issue->insn->count;
    Plane *plane = &f->state.plane[p];
    int32_t vecs[16];
    if (group < 0 || first + count > f->lanes)
        return fast_offence(f, err, TSP_RULE_OPERAND, issue,
                            "Repeat has stepped the group to %lld; a plane has columns 0..%d",
                            (long long)group, (int)f->lanes - 1);
    if (plane->group_loaded[group])
        return fast_offence(f, err, TSP_RULE_WEIGHT_OVERRUN, issue,
                            "group %lld was loaded since the last iw", (long long)group);
    if (plane->last_install >= 0 && arrival < plane->last_install + f->m->mxm_install_cycles)
        return fast_offence(f, err, TSP_RULE_WEIGHT_OVERRUN, issue,
                            "arrives in cycle %lld, the iw of cycle %lld has emptied the buffer in "
                            "cycle %lld",
                            (long long)arrival, (long long)plane->last_install,
                            (long long)(plane->last_install + f->m->mxm_install_cycles));
    if (!fast_stream_sample(f, issue, issue->insn->stream, count, vecs, err) ||
        !fast_check(f, issue, vecs, count, err))
        return false;
    for (int32_t i = 0; i < count; i++) {
        memcpy(fast_weights(f, p, plane->buffer) + (first + i) * f->lanes, fast_vec(f, vecs[i]),
               (size_t)f->lanes);
        plane->column_loaded[first + i] = true;
        fast_vec_drop(f, vecs[i]);
    }
    plane->group_loaded[group] = true;
    plane->groups_loaded++;
    plane->last_arrival = arrival;
    return true;
}

bool fast_install_weights(Fast *f, const Issue *issue, TspError *err) {
    const int32_t p = plane_of(issue), even = p & ~1;
    const int64_t now = f->state.now;
    Plane *plane = &f->state.plane[p];
    WeightSet *set = &plane->set[1 - plane->newest];
    uint8_t *weights = fast_weights(f, p, plane->buffer);
    int32_t array = set->array;
    if (plane->groups_loaded == 0)
        return fast_offence(f, err, TSP_RULE_WEIGHT_EMPTY, issue,
                            "expected an lw since the last iw");
    if (plane->last_arrival > now)
        return fast_offence(f, err, TSP_RULE_WEIGHT_EMPTY, issue,
                            "the last lw arrives in cycle %lld", (long long)plane->last_arrival);
    multiply_before_loss(f, p, set->generation, OWN);
    if (p != even) multiply_before_loss(f, even, set->generation, ODD);
    for (int32_t column = 0; column < f->lanes; column++)
        if (!plane->column_loaded[column]) memset(weights + column * f->lanes, 0, (size_t)f->lanes);
    *set = (WeightSet){.array = plane->buffer,
                       .generation = plane->set[plane->newest].generation + 1,
                       .effective = now + f->m->mxm_install_cycles,
                       .type = (TspDtype)issue->insn->type};
    memcpy(set->loaded, plane->column_loaded, sizeof set->loaded);
    plane->newest = 1 - plane->newest;
    plane->buffer = array;
    plane->groups_loaded = 0;
    plane->last_arrival = -1;
    plane->last_install = now;
    memset(plane->group_loaded, 0, sizeof plane->group_loaded);
    memset(plane->column_loaded, 0, sizeof plane->column_loaded);
    return true;
}

/* -- activations -- */

/* Weights that an activation of this cycle meets. */
static const WeightSet *installed(const Fast *f, int32_t p) {
    const Plane *plane = &f->state.plane[p];
    const WeightSet *newest = &plane->set[plane->newest];
    return newest->effective <= f->state.now ? newest : &plane->set[1 - plane->newest];
}

static bool weights_fit(const WeightSet *set, bool fp16) {
    return set->generation > 0 && (set->type == TSP_F16) == fp16;
}

bool fast_activate(Fast *f, const Issue *issue, TspError *err) {
    const int32_t p = plane_of(issue);
    const bool fp16 = issue->insn->type == TSP_F16;
    const int64_t now = f->state.now;
    State *st = &f->state;
    Plane *plane = &st->plane[p], *even = &st->plane[p & ~1];
    const WeightSet *own = installed(f, p), *odd = fp16 ? installed(f, p + 1) : own;
    Product next = {.arrival = now + f->func[TSP_OP_ABC],
                    .vec = {SIM_NONE, SIM_NONE},
                    .index = issue->index,
                    .row = SIM_NONE,
                    .type = (TspDtype)issue->insn->type};
    if (now < even->fp16_busy)
        return fast_offence(f, err, TSP_RULE_ARRAY_BUSY, issue,
                            "an fp16 vector holds both planes until cycle %lld",
                            (long long)even->fp16_busy);
    if (!weights_fit(own, fp16) || !weights_fit(odd, fp16)) {
        const WeightSet *lacking = weights_fit(own, fp16) ? odd : own;
        return fast_offence(f, err, TSP_RULE_WEIGHT_MISSING, issue,
                            "expected weights for %s, plane %d holds %s",
                            tsp_dtype_short((TspDtype)issue->insn->type),
                            (int)issue->info->index + (lacking != own),
                            lacking->generation ? tsp_dtype_short(lacking->type) : "none");
    }
    if (!fast_mxm_none_lost(f, now, err)) return false; /* so that the ring never fills */
    if (!fast_stream_sample(f, issue, issue->insn->stream, fp16 ? 2 : 1, next.vec, err) ||
        !fast_check(f, issue, next.vec, fp16 ? 2 : 1, err))
        return false;
    next.generation[OWN] = own->generation;
    next.generation[ODD] = fp16 ? odd->generation : 0;
    if (fp16) even->fp16_busy = now + f->m->mxm_fp16_cycles;
    *product(plane, plane->tail++) = next;
    st->stats.mxm_busy += fp16 ? 2 * f->m->mxm_fp16_cycles : 1;
    st->stats.macs += (int64_t)f->lanes * f->lanes;
    return true;
}

bool fast_mxm_none_lost(Fast *f, int64_t before, TspError *err) {
    const Product *lost = NULL;
    int32_t lost_plane = 0;
    for (int32_t p = 0; p < SIM_PLANES; p++) {
        Plane *plane = &f->state.plane[p];
        const Product *oldest = product(plane, plane->head);
        if (plane->head == plane->tail || oldest->arrival >= before) continue;
        if (lost && lost->arrival <= oldest->arrival) continue;
        lost = oldest;
        lost_plane = p;
    }
    if (!lost) return true;
    return engine_offence(
        f->program, err, TSP_RULE_PRODUCT_LOST, lost->arrival,
        tsp_queue_mxm(f->m, (TspHemisphere)(lost_plane / 2), lost_plane % 2, TSP_ROLE_ACTIVATIONS),
        lost->index, "expected an acc on this plane in cycle %lld", (long long)lost->arrival);
}

/* -- results -- */

/* Blocks of fixed length, so that any compiler makes vector instructions of them. */
enum { BLOCK = 16 };

static void add_int32(uint32_t *restrict to, const uint32_t *restrict from, int32_t n) {
    for (; n >= BLOCK; n -= BLOCK, to += BLOCK, from += BLOCK)
        for (int32_t i = 0; i < BLOCK; i++) to[i] += from[i];
    for (int32_t i = 0; i < n; i++) to[i] += from[i];
}

static void add_fp32(uint32_t *restrict to, const uint32_t *restrict from, int32_t n) {
    while (n > 0) {
        int32_t lanes = n < BLOCK ? n : BLOCK;
        float a[BLOCK] = {0}, b[BLOCK] = {0};
        uint32_t sum[BLOCK];
        memcpy(a, to, (size_t)lanes * sizeof *a);
        memcpy(b, from, (size_t)lanes * sizeof *b);
        for (int32_t i = 0; i < BLOCK; i++) a[i] += b[i];
        memcpy(sum, a, sizeof sum);
        for (int32_t i = 0; i < BLOCK; i++)
            sum[i] = (sum[i] & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : sum[i];
        memcpy(to, sum, (size_t)lanes * sizeof *sum);
        n -= lanes, to += lanes, from += lanes;
    }
}

static void emit(Fast *f, const Issue *issue, const uint32_t *values) {
    uint8_t *planes[4];
    for (int32_t i = 0; i < 4; i++) {
        Event *drive = fast_event_add(f, EVENT_DRIVE, f->func[TSP_OP_ACC], issue);
        drive->stream = issue->insn->stream + i;
        drive->column = issue->info->column;
        drive->vec[0] = fast_vec_new(f);
        planes[i] = fast_vec(f, drive->vec[0]);
    }
    tsp_lanes_store(planes, values, TSP_I32, f->lanes); /* bits, whatever the type */
}

/* Whether accumulator row `row` may be used as the instruction wants. */
static bool row_fits(Fast *f, const Issue *issue, int64_t row, uint8_t type, TspError *err) {
    const int64_t rows = f->m->mxm_accumulator_rows;
    const uint8_t *types = f->accumulator_type + plane_of(issue) * rows;
    if (row < 0 || row >= rows)
        return fast_offence(f, err, TSP_RULE_ACCUMULATOR_RANGE, issue, "row %lld; a plane has %lld",
                            (long long)row, (long long)rows);
    if (issue->insn->add && types[row] == 0)
        return fast_offence(f, err, TSP_RULE_ACCUMULATOR_UNDEFINED, issue,
                            "row %lld holds nothing to add to", (long long)row);
    if (issue->insn->add && types[row] != type)
        return fast_offence(f, err, TSP_RULE_ACCUMULATOR_TYPE, issue,
                            "row %lld holds %s, the product is %s", (long long)row,
                            tsp_dtype_short((TspDtype)(types[row] - 1)),
                            tsp_dtype_short((TspDtype)(type - 1)));
    return true;
}

bool fast_accumulate(Fast *f, const Issue *issue, TspError *err) {
    const int32_t p = plane_of(issue), n = f->lanes;
    const TspInsn *insn = issue->insn;
    const int64_t row = (int64_t)insn->row + issue->step, now = f->state.now;
    Plane *plane = &f->state.plane[p];
    Product *oldest = product(plane, plane->head);
    const bool uses_row = insn->add || !insn->emit;
    size_t id = 0; /* of the accumulator row */
    uint32_t *kept, *sum;
    uint8_t type;
    if (!fast_mxm_none_lost(f, now, err)) return false;
    if (plane->head == plane->tail || oldest->arrival != now)
        return fast_offence(f, err, TSP_RULE_PRODUCT_MISSING, issue,
                            "expected an abc on this plane in cycle %lld",
                            (long long)(now - f->func[TSP_OP_ABC]));
    type = (uint8_t)(1 + (oldest->type == TSP_F16 ? TSP_F32 : TSP_I32));
    if (uses_row) {
        if (!row_fits(f, issue, row, type, err)) return false;
        id = (size_t)p * (size_t)f->m->mxm_accumulator_rows + (size_t)row;
    }
    if (oldest->row == SIM_NONE) multiply(f, p);
    sum = fast_product(f, p, oldest->row);
    kept = f->accumulators + id * (size_t)n;
    if (insn->add) {
        uint32_t *to = insn->emit ? sum : kept, *from = insn->emit ? kept : sum;
        if (oldest->type == TSP_F16)
            add_fp32(to, from, n);
        else
            add_int32(to, from, n);
    } else if (!insn->emit) {
        memcpy(kept, sum, (size_t)n * sizeof *kept);
    }
    if (insn->emit)
        emit(f, issue, sum);
    else
        f->accumulator_type[id] = type;
    plane->head++;
    return true;
}
