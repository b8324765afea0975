/* fast_mxm.c - MXM planes: weight buffers, installed weights, activations under way, accumulators.
 *
 * What is checked is checked here, in its cycle; the arithmetic is left to fast_batch.c.
 */
#include "fast_batch.h"
#include "fast_keyframe.h"
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
        memset(plane->column, 0xff, sizeof plane->column); /* SIM_NONE */
        plane->set[0].array = 1;
        plane->set[1].array = 2;
    }
    memset(f->accumulator_type, 0, SIM_PLANES * (size_t)f->m->mxm_accumulator_rows);
}

void fast_mxm_multiply_all(Fast *f) {
    for (int32_t p = 0; p < SIM_PLANES && !f->timing_only; p++) {
        Plane *plane = &f->state.plane[p];
        for (uint32_t i = plane->head; i != plane->tail; i++)
            if (product(plane, i)->row == SIM_NONE)
                fast_batch_multiply_now(f, p, product(plane, i));
    }
}

/* Multiplies whatever waits for weights of plane `p` that are about to be overwritten. */
static void multiply_before_loss(Fast *f, int32_t p, int32_t generation, int32_t whose) {
    Plane *plane = &f->state.plane[p];
    if (generation == 0 || f->timing_only) return;
    fast_batch_finish_weights(f, p, whose, generation);
    for (uint32_t i = plane->head; i != plane->tail; i++) {
        Product *waiting = product(plane, i);
        if (waiting->row == SIM_NONE && waiting->generation[whose] == generation)
            fast_batch_multiply_now(f, p, waiting);
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
    memcpy(&plane->column[plane->buffer][first], vecs, (size_t)count * sizeof *vecs);
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
    const int32_t array = set->array;
    if (plane->groups_loaded == 0)
        return fast_offence(f, err, TSP_RULE_WEIGHT_EMPTY, issue,
                            "expected an lw since the last iw");
    if (plane->last_arrival > now)
        return fast_offence(f, err, TSP_RULE_WEIGHT_EMPTY, issue,
                            "the last lw arrives in cycle %lld", (long long)plane->last_arrival);
    multiply_before_loss(f, p, set->generation, OWN);
    if (p != even) multiply_before_loss(f, even, set->generation, ODD);
    for (int32_t column = 0; column < f->lanes; column++) {
        int32_t *old = &plane->column[array][column];
        if (*old != SIM_NONE) fast_vec_drop(f, *old);
        *old = SIM_NONE;
    }
    *set = (WeightSet){.array = plane->buffer,
                       .generation = plane->set[plane->newest].generation + 1,
                       .effective = now + f->m->mxm_install_cycles,
                       .type = (TspDtype)issue->insn->type};
    plane->newest = 1 - plane->newest;
    plane->buffer = array;
    plane->groups_loaded = 0;
    plane->last_arrival = -1;
    plane->last_install = now;
    memset(plane->group_loaded, 0, sizeof plane->group_loaded);
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
    Product *next = product(plane, plane->tail);
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
    if (!fast_stream_sample(f, issue, issue->insn->stream, fp16 ? 2 : 1, next->vec, err) ||
        !fast_check(f, issue, next->vec, fp16 ? 2 : 1, err))
        return false;
    if (!fp16) next->vec[1] = SIM_NONE;
    next->arrival = now + f->func[TSP_OP_ABC];
    next->generation[OWN] = own->generation;
    next->generation[ODD] = fp16 ? odd->generation : 0;
    next->index = issue->index;
    next->row = SIM_NONE;
    next->type = (TspDtype)issue->insn->type;
    if (fp16) even->fp16_busy = now + f->m->mxm_fp16_cycles;
    plane->tail++;
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

static void add_int32(uint32_t *restrict to, const uint32_t *restrict from, int32_t n) {
    for (int32_t i = 0; i < n; i++) to[i] += from[i];
}

/* The drives of a result; its vectors have no contents yet. */
static void emit(Fast *f, const Issue *issue, int32_t *vecs, Event **drives) {
    for (int32_t i = 0; i < 4; i++) {
        Event *drive = drives[i] = fast_event_add(f, EVENT_DRIVE, f->func[TSP_OP_ACC], issue);
        drive->stream = issue->insn->stream + i;
        drive->column = issue->info->column;
        drive->vec[0] = vecs[i] = fast_vec_new(f);
    }
}

/* Where the product of an issue goes. */
typedef struct {
    int32_t from, to; /* accumulator rows of the chip, SIM_NONE: none */
    int32_t vecs[4];
    Event *drives[4];
} Way;

/* A product that was multiplied before its Accumulate. */
static void send_early(Fast *f, int32_t p, const Product *early, const Way *way, bool emits) {
    const int32_t n = f->lanes;
    uint32_t *sum = fast_product(f, p, early->row), *kept;
    uint8_t *planes[4];
    fast_batch_finish_all(f);
    if (way->from != SIM_NONE) {
        kept = f->accumulators + (size_t)way->from * (size_t)n;
        if (early->type == TSP_F16)
            tsp_gemm_add_fp32(sum, kept, n);
        else
            add_int32(sum, kept, n);
    }
    if (way->to != SIM_NONE) {
        memcpy(f->accumulators + (size_t)way->to * (size_t)n, sum, (size_t)n * sizeof *sum);
        f->sum_changed[way->to / FAST_SUM_CHUNK] = true;
    }
    for (int32_t i = 0; emits && i < 4; i++) planes[i] = fast_vec(f, way->vecs[i]);
    if (emits) f->alu_lanes->store(planes, sum, TSP_I32, n); /* bits, whatever the type */
}

static void send(Fast *f, int32_t p, const Product *taken, const Way *way, bool emits) {
    uint32_t batch;
    if (f->timing_only) return;
    if (taken->row != SIM_NONE) {
        send_early(f, p, taken, way, emits);
        return;
    }
    batch = fast_batch_add(f, p, taken, way->from, way->to, emits ? way->vecs : NULL);
    for (int32_t i = 0; emits && i < 4; i++) {
        way->drives[i]->plane = p;
        way->drives[i]->batch = batch;
    }
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
    const int32_t p = plane_of(issue);
    const TspInsn *insn = issue->insn;
    const int64_t row = (int64_t)insn->row + issue->step, now = f->state.now;
    Plane *plane = &f->state.plane[p];
    Product *oldest = product(plane, plane->head);
    Way way = {.from = SIM_NONE, .to = SIM_NONE};
    uint8_t type;
    if (!fast_mxm_none_lost(f, now, err)) return false;
    if (plane->head == plane->tail || oldest->arrival != now)
        return fast_offence(f, err, TSP_RULE_PRODUCT_MISSING, issue,
                            "expected an abc on this plane in cycle %lld",
                            (long long)(now - f->func[TSP_OP_ABC]));
    type = (uint8_t)(1 + (oldest->type == TSP_F16 ? TSP_F32 : TSP_I32));
    if (insn->add || !insn->emit) {
        const int32_t id = (int32_t)(p * f->m->mxm_accumulator_rows + row);
        if (!row_fits(f, issue, row, type, err)) return false;
        if (insn->add) way.from = id;
        if (!insn->emit) {
            way.to = id;
            f->accumulator_type[id] = type;
        }
    }
    if (insn->emit) emit(f, issue, way.vecs, way.drives);
    send(f, p, oldest, &way, insn->emit);
    plane->head++;
    return true;
}
