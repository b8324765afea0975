/* verify_arrays.c - proves the MXM's rules: weights loaded and installed in time, arrays free for
 * each activation, every product taken, accumulator rows defined and of one type.
 */
#include "verify_parts.h"

#include <stdlib.h>

typedef struct {
    Verifier *v;
    const Timeline *weights, *activations, *results; /* this plane's queues */
    const Timeline *tandem_weights;                  /* weights of the other plane of the pair */
    const Timeline *tandem_activations; /* activations of the other plane of the pair */
    bool even;
} Plane;

static bool is_half(const Issue *s) {
    return s->burst->insn.type == TSP_F16;
}

/* LW, IW: the loading buffer. loaded_at[g] is the cycle of the last LW of group g since the last
 * IW, -1 if none. */
static void check_weights(const Plane *p, int64_t *loaded_at, int32_t groups) {
    Verifier *v = p->v;
    const TspMachine *m = v->machine;
    int64_t installed = -m->mxm_install_cycles, arrived = -1; /* -1: nothing in the buffer */
    Issue s;
    for (int32_t g = 0; g < groups; g++) loaded_at[g] = -1;
    for (bool more = walk_first(p->weights, &s); more && s.cycle <= v->horizon;
         more = walk_next(p->weights, &s)) {
        const Burst *b = s.burst;
        if (b->insn.op == TSP_OP_IW) {
            if (arrived < 0 || arrived > s.cycle) {
                verify_offend(v, TSP_RULE_WEIGHT_EMPTY, s.cycle, AT_UNIT, b->queue, b->index,
                              arrived < 0 ? "no group was loaded since the last install"
                                          : "the last group arrives in cycle %lld",
                              (long long)arrived);
                return;
            }
            for (int32_t g = 0; g < groups; g++) loaded_at[g] = -1;
            arrived = -1;
            installed = s.cycle;
            continue;
        }
        int64_t g = issue_stepped(&s, b->insn.group);
        int64_t last = g * m->mxm_load_streams + b->insn.count - 1;
        if (g < 0 || last >= tsp_lanes(m)) {
            verify_offend(v, TSP_RULE_OPERAND, s.cycle, AT_UNIT, b->queue, b->index,
                          "group %lld reaches column %lld of %d", (long long)g, (long long)last,
                          tsp_lanes(m));
            return;
        }
        if (loaded_at[g] >= 0 || s.cycle + m->mxm_load_cycles < installed + m->mxm_install_cycles) {
            verify_offend(v, TSP_RULE_WEIGHT_OVERRUN, s.cycle, AT_UNIT, b->queue, b->index,
                          loaded_at[g] >= 0 ? "group %lld was loaded in cycle %lld"
                                            : "group %lld meets the install of cycle %lld",
                          (long long)g, (long long)(loaded_at[g] >= 0 ? loaded_at[g] : installed));
            return;
        }
        loaded_at[g] = s.cycle;
        arrived = s.cycle + m->mxm_load_cycles;
    }
}

/* The type installed in a plane as cycles pass. */
typedef struct {
    Issue next;
    bool more;
    int32_t type; /* -1: nothing installed yet */
} Installed;

static Installed install_start(const Timeline *weights) {
    Installed w = {.type = -1};
    w.more = walk_first(weights, &w.next);
    return w;
}

static int32_t installed_type(Installed *w, const Timeline *weights, int64_t cycle,
                              int64_t install_cycles) {
    for (; w->more && w->next.cycle + install_cycles <= cycle;
         w->more = walk_next(weights, &w->next))
        if (w->next.burst->insn.op == TSP_OP_IW) w->type = w->next.burst->insn.type;
    return w->type;
}

static void check_busy(const Plane *p, const Issue *s, int64_t *free_from, int32_t *place) {
    Verifier *v = p->v;
    Issue other;
    int64_t busy = v->machine->mxm_fp16_cycles;
    bool taken = s->cycle < *free_from;
    /* The pair's fp16 vectors are issued to the even plane and occupy the odd one as well. */
    for (int64_t back = busy - 1; back >= 0 && !p->even && !taken; back--)
        taken =
            issue_find(p->tandem_activations, place, s->cycle - back, &other) && is_half(&other);
    *free_from = s->cycle + (is_half(s) ? busy : 1);
    if (taken)
        verify_offend(v, TSP_RULE_ARRAY_BUSY, s->cycle, AT_UNIT, s->burst->queue, s->burst->index,
                      "an fp16 vector takes both planes for %lld cycles", (long long)busy);
}

static void check_activations(const Plane *p) {
    Verifier *v = p->v;
    const TspMachine *m = v->machine;
    int64_t product_cycles = m->mxm_entry_cycles + m->mxm_product_cycles, free_from = 0;
    int32_t taker = 0, place = 0;
    Installed own = install_start(p->weights), tandem = install_start(p->tandem_weights);
    Issue s, acc;
    for (bool more = walk_first(p->activations, &s); more && s.cycle <= v->horizon;
         more = walk_next(p->activations, &s)) {
        const Burst *b = s.burst;
        int32_t type = installed_type(&own, p->weights, s.cycle, m->mxm_install_cycles);
        int32_t other = installed_type(&tandem, p->tandem_weights, s.cycle, m->mxm_install_cycles);
        bool fits =
            is_half(&s) ? type == TSP_F16 && other == TSP_F16 : type >= 0 && type != TSP_F16;
        check_busy(p, &s, &free_from, &place);
        if (!fits)
            verify_offend(v, TSP_RULE_WEIGHT_MISSING, s.cycle, AT_UNIT, b->queue, b->index,
                          "%s activation, %s weights", tsp_dtype_short((TspDtype)b->insn.type),
                          type < 0 ? "no" : tsp_dtype_short((TspDtype)type));
        if (!issue_find(p->results, &taker, s.cycle + product_cycles, &acc))
            verify_offend(v, TSP_RULE_PRODUCT_LOST, s.cycle + product_cycles, AT_PRODUCT, b->queue,
                          b->index, "activation accepted in cycle %lld", (long long)s.cycle);
    }
}

/* row_type[r]: -1 never written, else TSP_I32 or TSP_F32. */
static void check_results(const Plane *p, int8_t *row_type) {
    Verifier *v = p->v;
    const TspMachine *m = v->machine;
    int64_t product_cycles = m->mxm_entry_cycles + m->mxm_product_cycles;
    int32_t source = 0;
    Issue s, abc;
    for (int64_t r = 0; r < m->mxm_accumulator_rows; r++) row_type[r] = -1;
    for (bool more = walk_first(p->results, &s); more && s.cycle <= v->horizon;
         more = walk_next(p->results, &s)) {
        const Burst *b = s.burst;
        int64_t row = issue_stepped(&s, b->insn.row);
        bool keeps = !b->insn.emit;
        if (!issue_find(p->activations, &source, s.cycle - product_cycles, &abc)) {
            verify_offend(v, TSP_RULE_PRODUCT_MISSING, s.cycle, AT_UNIT, b->queue, b->index,
                          "no activation was accepted in cycle %lld",
                          (long long)(s.cycle - product_cycles));
            return;
        }
        int8_t type = is_half(&abc) ? TSP_F32 : TSP_I32;
        if ((b->insn.add || keeps) && (row < 0 || row >= m->mxm_accumulator_rows)) {
            verify_offend(v, TSP_RULE_ACCUMULATOR_RANGE, s.cycle, AT_UNIT, b->queue, b->index,
                          "row %lld of %lld", (long long)row, (long long)m->mxm_accumulator_rows);
            return;
        }
        if (b->insn.add && row_type[row] != type) {
            bool never = row_type[row] < 0;
            verify_offend(v, never ? TSP_RULE_ACCUMULATOR_UNDEFINED : TSP_RULE_ACCUMULATOR_TYPE,
                          s.cycle, AT_UNIT, b->queue, b->index,
                          "row %lld holds %s, the product is %s", (long long)row,
                          never ? "nothing" : tsp_dtype_short((TspDtype)row_type[row]),
                          tsp_dtype_short((TspDtype)type));
            return;
        }
        if (keeps) row_type[row] = type;
    }
}

static Plane plane_of(Verifier *v, TspHemisphere h, int32_t plane) {
    const TspMachine *m = v->machine;
    Plane p = {.v = v, .even = plane % 2 == 0};
    int32_t tandem = plane ^ 1;
    p.weights = &v->lines[tsp_queue_mxm(m, h, plane, TSP_ROLE_WEIGHTS)];
    p.activations = &v->lines[tsp_queue_mxm(m, h, plane, TSP_ROLE_ACTIVATIONS)];
    p.results = &v->lines[tsp_queue_mxm(m, h, plane, TSP_ROLE_RESULTS)];
    p.tandem_weights = &v->lines[tsp_queue_mxm(m, h, tandem, TSP_ROLE_WEIGHTS)];
    p.tandem_activations = &v->lines[tsp_queue_mxm(m, h, tandem, TSP_ROLE_ACTIVATIONS)];
    return p;
}

bool verify_arrays(Verifier *v, TspError *err) {
    const TspMachine *m = v->machine;
    int32_t groups = (int32_t)((tsp_lanes(m) + m->mxm_load_streams - 1) / m->mxm_load_streams);
    int64_t *loaded_at = malloc((size_t)groups * sizeof *loaded_at);
    int8_t *row_type = malloc((size_t)m->mxm_accumulator_rows + 1);
    bool fine = loaded_at && row_type;
    for (int32_t h = TSP_WEST; h <= TSP_EAST && fine; h++) {
        for (int32_t plane = 0; plane < m->mxm_planes; plane++) {
            Plane p = plane_of(v, (TspHemisphere)h, plane);
            check_weights(&p, loaded_at, groups);
            check_activations(&p);
            check_results(&p, row_type);
        }
    }
    free(loaded_at);
    free(row_type);
    return fine || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory while verifying");
}
