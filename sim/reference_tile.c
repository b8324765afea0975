/* reference_tile.c - one cycle of one superlane, in the order of docs/machine.md. */
#include "reference.h"

typedef void Visit(Reference *r, RefActivity *a, int32_t k, int64_t t);

/* Shows superlane k every activity that has issued by its cycle t, queue by queue. */
static void visit(Reference *r, int32_t k, int64_t t, Visit *each) {
    for (int32_t queue = 0; queue < r->queue_count; queue++)
        for (int32_t i = 0; i < r->queues[queue].count; i++)
            if (r->queues[queue].under_way[i]->cycle <= t)
                each(r, r->queues[queue].under_way[i], k, t);
}

static void land(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    int64_t stage = t - a->cycle;
    if (stage == a->drive) ref_drive(r, a, k, t);
    if (stage != a->land) return;
    switch (tsp_insn_info(a->insn.op)->unit) {
    case TSP_UNIT_MEM:
        ref_mem_land(r, a, k);
        break;
    case TSP_UNIT_VXM:
        ref_alu_land(r, a, k, t);
        break;
    case TSP_UNIT_MXM:
        ref_mxm_land(r, a, k);
        break;
    default: /* Config: below */
        break;
    }
}

/* The switch of superlane k in this cycle, NULL if none. The second of two is the offence. */
static const RefActivity *switches(Reference *r, int32_t k, int64_t t) {
    const RefActivity *found = NULL;
    for (int32_t queue = 0; queue < r->queue_count; queue++)
        for (int32_t i = 0; i < r->queues[queue].count; i++) {
            const RefActivity *a = r->queues[queue].under_way[i];
            if (a->insn.op != TSP_OP_CONFIG || a->cycle + a->land != t) continue;
            if (found)
                ref_offend(r, (RefKey){t, REF_SWITCH, queue, 0, {k}}, TSP_ERR_ILLEGAL,
                           TSP_RULE_CONFIG_CONFLICT, queue, a->index,
                           "another queue switches superlanes in this cycle too");
            found = a;
        }
    return found;
}

static void switch_power(Reference *r, int32_t k, int64_t t) {
    const RefActivity *config = switches(r, k, t);
    if (config) ref_switch(r, k, (uint32_t)config->insn.mask >> k & 1u);
}

static void count_hops(Reference *r) {
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t column = 0; column < r->columns; column++)
            r->stats.stream_hops += r->streams[ref_register(r, 0, stream, column)].defined;
}

static void alu_inputs(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    if (tsp_insn_info(a->insn.op)->unit == TSP_UNIT_VXM && r->m->vxm_entry_cycles > 0 &&
        t - a->cycle == r->m->vxm_entry_cycles)
        ref_alu(r, a, k, t);
}

static void sample(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    if (t != a->cycle) return;
    if (r->powered[k]) a->on |= 1u << k;
    if (a->insn.op == TSP_OP_IFETCH) {
        ref_fetch_vector(r, a, k, t);
        return;
    }
    for (int32_t i = 0; i < a->in_count; i++) ref_sample(r, a, k, i, k * a->in_count + i, t);
    switch (tsp_insn_info(a->insn.op)->unit) {
    case TSP_UNIT_MEM:
        ref_mem_sample(r, a, k, t);
        break;
    case TSP_UNIT_VXM:
        if (r->m->vxm_entry_cycles == 0) ref_alu(r, a, k, t);
        break;
    case TSP_UNIT_MXM:
        ref_mxm_sample(r, a, k);
        break;
    case TSP_UNIT_SXM:
        ref_sxm_sample(r, a, k, t);
        break;
    default:
        break;
    }
}

static void fetch(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    if (a->insn.op == TSP_OP_IFETCH && t > a->cycle) ref_fetch_vector(r, a, k, t);
}

void ref_tile(Reference *r, int32_t k, int64_t t) {
    ref_shift(r, k);
    visit(r, k, t, land);
    switch_power(r, k, t);
    if (k == 0) count_hops(r);
    ref_flips(r, k, t);
    visit(r, k, t, alu_inputs);
    if (k == 0) {
        ref_weights_turn(r, t);
        ref_queues_issue(r, t);
    }
    visit(r, k, t, sample);
    visit(r, k, t, fetch);
    if (k == 0) ref_lost(r, t);
}

static void collide(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    if (t - a->cycle == a->drive) ref_collide(r, a, k, t);
}

static void last_result(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    if (tsp_insn_info(a->insn.op)->unit == TSP_UNIT_VXM && t - a->cycle == a->land)
        ref_alu_land(r, a, k, t);
}

/* In the cycle in which the run ends nothing is executed, but what lands in it is looked at. Drives
 * and writes are what the views show of any cycle. */
void ref_last_landing(Reference *r, int64_t t) {
    const RefActivity *config = switches(r, 0, t);
    if (config) r->last_switch = (uint32_t)config->insn.mask;
    visit(r, 0, t, collide);
    for (int32_t k = 0; k < r->superlanes; k++) visit(r, k, t, last_result);
    ref_lost(r, t);
}
