/* reference_issue.c - an instruction issues: the state of its unit allows it, it is counted, and
 * becomes an activity that climbs the tiles of its slice.
 */
#include "reference.h"

#include <stdlib.h>
#include <string.h>

/* ---- rules of the units that superlane 0 decides for all ---- */

static bool refuse(Reference *r, const RefActivity *a, int32_t rank, TspRule rule,
                   const char *detail) {
    ref_offend(r, (RefKey){a->cycle, REF_ISSUE, a->queue, REF_OF_STATE, {rank}}, TSP_ERR_ILLEGAL,
               rule, a->queue, a->index, "%s", detail);
    return false;
}

static bool in_slice(const Reference *r, int32_t addr) {
    return addr >= 0 && addr < r->slice_rows;
}

static bool start_read(Reference *r, RefActivity *a) {
    return in_slice(r, a->insn.addr) ||
           refuse(r, a, 0, TSP_RULE_ADDRESS_RANGE, "the row read is not in the slice");
}

static bool start_write(Reference *r, RefActivity *a) {
    return in_slice(r, a->insn.waddr) ||
           refuse(r, a, 1, TSP_RULE_ADDRESS_RANGE, "the row written is not in the slice");
}

static bool start_read_write(Reference *r, RefActivity *a) {
    if (!start_read(r, a) || !start_write(r, a)) return false;
    return tsp_mem_bank(r->m, a->insn.addr) != tsp_mem_bank(r->m, a->insn.waddr) ||
           refuse(r, a, 2, TSP_RULE_BANK_CONFLICT, "both rows lie in one bank");
}

static bool start_lw(Reference *r, RefActivity *a) {
    RefPlane *plane = ref_plane(r, &a->unit);
    int64_t first = a->insn.group * r->m->mxm_load_streams;
    if (first < 0 || first + a->insn.count > r->lanes)
        return refuse(r, a, 0, TSP_RULE_OPERAND, "the group reaches beyond the columns");
    if (plane->group[a->insn.group])
        return refuse(r, a, 1, TSP_RULE_WEIGHT_OVERRUN, "the group is full");
    if (plane->install >= 0 &&
        a->cycle + r->m->mxm_load_cycles < plane->install + r->m->mxm_install_cycles)
        return refuse(r, a, 1, TSP_RULE_WEIGHT_OVERRUN, "the buffer is still being installed");
    plane->group[a->insn.group] = 1;
    memset(plane->loaded + first, 1, (size_t)a->insn.count);
    plane->loads = true;
    plane->load = a->cycle;
    return true;
}

static bool start_iw(Reference *r, RefActivity *a) {
    RefPlane *plane = ref_plane(r, &a->unit);
    if (!plane->loads) return refuse(r, a, 0, TSP_RULE_WEIGHT_EMPTY, "no LW since the last IW");
    if (plane->load + r->m->mxm_load_cycles > a->cycle)
        return refuse(r, a, 0, TSP_RULE_WEIGHT_EMPTY, "the last LW is not there yet");
    ref_weights_leave(plane->next);
    plane->next = ref_weights_make(r, (TspDtype)a->insn.type);
    if (!plane->next) return false;
    memcpy(plane->next->loaded, plane->loaded, (size_t)r->lanes);
    plane->from = a->cycle + r->m->mxm_install_cycles;
    plane->next->users++;
    a->weights[0] = plane->next;
    memset(plane->loaded, 0, (size_t)r->lanes);
    memset(plane->group, 0, (size_t)r->lanes);
    plane->loads = false;
    plane->install = a->cycle;
    return true;
}

static bool start_abc(Reference *r, RefActivity *a) {
    bool half = a->insn.type == TSP_F16;
    RefPlane *plane = ref_plane(r, &a->unit);
    RefPlane *even = plane - a->unit.index % 2;
    if (even->fp16 >= 0 && a->cycle - even->fp16 < r->m->mxm_fp16_cycles)
        return refuse(r, a, 0, TSP_RULE_ARRAY_BUSY, "with an f16 vector");
    for (int32_t i = 0; i < 1 + half; i++) {
        RefWeights *w = plane[i].use;
        if (!w) return refuse(r, a, 1, TSP_RULE_WEIGHT_MISSING, "none are in use");
        if ((w->type == TSP_F16) != half)
            return refuse(r, a, 1, TSP_RULE_WEIGHT_MISSING, "those in use are of another type");
    }
    for (int32_t i = 0; i < 1 + half; i++) {
        a->weights[i] = plane[i].use;
        plane[i].use->users++;
    }
    if (half) even->fp16 = a->cycle;
    r->stats.mxm_busy += half ? 2 * r->m->mxm_fp16_cycles : 1;
    r->stats.macs += (int64_t)r->lanes * r->lanes;
    return true;
}

/* The product that reaches the accumulators of this plane in cycle t. */
static RefActivity *product(const Reference *r, const TspQueueInfo *unit, int64_t t) {
    int32_t queue = tsp_queue_mxm(r->m, unit->hemisphere, unit->index, TSP_ROLE_ACTIVATIONS);
    RefActivity *a = ref_find(r, queue, t - tsp_op_func(r->m, TSP_OP_ABC));
    return a && a->insn.op == TSP_OP_ABC ? a : NULL;
}

static bool start_acc(Reference *r, RefActivity *a) {
    RefPlane *plane = ref_plane(r, &a->unit);
    const TspInsn *acc = &a->insn;
    int32_t kind;
    a->meet = product(r, &a->unit, a->cycle);
    if (!a->meet) return refuse(r, a, 0, TSP_RULE_PRODUCT_MISSING, "none arrives now");
    a->meet->taken = true;
    kind = 1 + (a->meet->insn.type == TSP_F16 ? TSP_F32 : TSP_I32);
    if (!acc->add && acc->emit) return true;
    if (acc->row < 0 || acc->row >= r->m->mxm_accumulator_rows)
        return refuse(r, a, 1, TSP_RULE_ACCUMULATOR_RANGE, "the plane has no such row");
    if (acc->add && !plane->kept[acc->row])
        return refuse(r, a, 2, TSP_RULE_ACCUMULATOR_UNDEFINED, "nothing was kept in it");
    if (acc->add && plane->kept[acc->row] != kind)
        return refuse(r, a, 3, TSP_RULE_ACCUMULATOR_TYPE, "sums and product differ");
    if (!acc->emit) plane->kept[acc->row] = (uint8_t)kind;
    return true;
}

static bool (*const start[TSP_OP_COUNT])(Reference *, RefActivity *) = {
    [TSP_OP_READ] = start_read,
    [TSP_OP_WRITE] = start_write,
    [TSP_OP_READ_WRITE] = start_read_write,
    [TSP_OP_LW] = start_lw,
    [TSP_OP_IW] = start_iw,
    [TSP_OP_ABC] = start_abc,
    [TSP_OP_ACC] = start_acc,
    [TSP_OP_IFETCH] = ref_fetch_start,
};

void ref_lost(Reference *r, int64_t t) {
    for (int32_t plane = 0; plane < r->plane_count; plane++) {
        int32_t planes = (int32_t)r->m->mxm_planes;
        TspQueueInfo unit = {.hemisphere = plane < planes ? TSP_WEST : TSP_EAST,
                             .index = plane % planes};
        RefActivity *abc = product(r, &unit, t);
        if (abc && !abc->taken)
            ref_offend(r, (RefKey){t, REF_PRODUCT, plane, 0, {0}}, TSP_ERR_ILLEGAL,
                       TSP_RULE_PRODUCT_LOST, abc->queue, abc->index,
                       "it was accepted in cycle %lld", (long long)abc->cycle);
    }
}

/* ---- what is counted ---- */

static void count_run(Reference *r, int32_t run, int64_t t, int64_t end) {
    TspInterval *op;
    if (run < 0 || run >= r->p->run_count) return;
    if (r->p->runs[run].op < 0 || r->p->runs[run].op >= r->p->op_count) return;
    op = &r->ops[r->p->runs[run].op];
    if (op->start < 0) op->start = t;
    if (end > op->end) op->end = end;
}

static void count(Reference *r, const RefActivity *a) {
    const TspInsnDebug *debug = r->p->queues[a->queue].debug;
    TspOpcode op = a->insn.op;
    TspUnit unit = tsp_insn_info(op)->unit;
    bool both = op == TSP_OP_READ_WRITE;
    int64_t end[2];
    end[0] = end[1] = a->cycle + tsp_insn_func(r->m, &a->insn);
    if (both) {
        end[0] = a->cycle + r->m->mem_read_cycles;
        end[1] = a->cycle + r->m->mem_write_cycles;
    }
    r->stats.instructions++;
    r->stats.vxm_issues += unit == TSP_UNIT_VXM;
    r->stats.sxm_issues += unit == TSP_UNIT_SXM;
    r->stats.mem_reads += both || op == TSP_OP_READ || op == TSP_OP_GATHER;
    r->stats.mem_writes += both || op == TSP_OP_WRITE || op == TSP_OP_SCATTER;
    for (int32_t half = 0; half < 2; half++) {
        if (op != TSP_OP_SYNC && end[half] > r->latency) r->latency = end[half];
        if (debug) count_run(r, debug[a->index].run[half], a->cycle, end[half]);
    }
}

/* ---- the activity ---- */

/* Stages: when streams are driven, when anything else lands, when all is over. */
static void plan(const Reference *r, RefActivity *a) {
    const TspMachine *m = r->m;
    int32_t func = tsp_insn_func(m, &a->insn);
    a->drive = a->out_count > 0 ? func : -1;
    a->land = -1;
    switch (a->insn.op) {
    case TSP_OP_READ_WRITE:
        a->drive = (int32_t)m->mem_read_cycles;
        a->land = (int32_t)m->mem_write_cycles;
        break;
    case TSP_OP_WRITE:
    case TSP_OP_SCATTER:
    case TSP_OP_LW:
    case TSP_OP_CONFIG:
        a->land = func;
        break;
    case TSP_OP_IFETCH:
        func = tsp_ifetch_vectors(m) - 1;
        break;
    default:
        if (a->unit.unit == TSP_UNIT_VXM)
            a->land = (int32_t)(m->vxm_entry_cycles + m->vxm_op_cycles);
        break;
    }
    a->last = func;
    if (a->drive > a->last) a->last = a->drive;
    if (a->land > a->last) a->last = a->land;
}

/* Lists the streams read, operand by operand, and the first of those driven. */
static void list_streams(const Reference *r, RefActivity *a) {
    const TspInsnInfo *info = tsp_insn_info(a->insn.op);
    for (int32_t f = 0; f < info->field_count; f++) {
        const TspField *field = &info->fields[f];
        int32_t span, first;
        if (field->kind == TSP_KIND_RESERVED) continue;
        span = tsp_field_streams(r->m, field, &a->insn);
        first = tsp_field_get(&a->insn, field);
        if (span == 0) continue;
        if (tsp_field_drives(field, a->insn.op)) {
            if (a->insn.op == TSP_OP_ACC && !a->insn.emit) continue;
            a->out_stream = first;
            a->out_count = span;
            continue;
        }
        if (a->insn.op == TSP_OP_LW) span = a->insn.count;
        for (int32_t i = 0; i < span; i++, a->in_count++) {
            a->in_stream[a->in_count] = (uint8_t)(first + i);
            a->in_operand[a->in_count] = (uint8_t)f;
        }
    }
}

/* Room for what the superlanes sample and make. */
static bool furnish(Reference *r, RefActivity *a) {
    TspUnit unit = a->unit.unit;
    int32_t taken = a->insn.op == TSP_OP_IFETCH ? tsp_ifetch_vectors(r->m) : a->in_count;
    size_t superlanes = (size_t)r->superlanes;
    a->in = ref_zeros(r, superlanes * (size_t)taken, sizeof *a->in);
    if (unit == TSP_UNIT_MEM)
        a->out = ref_zeros(r, superlanes * (size_t)a->out_count, sizeof *a->out);
    if (unit == TSP_UNIT_VXM || a->insn.op == TSP_OP_ACC)
        a->result = ref_zeros(r, (size_t)r->lanes, sizeof *a->result);
    return !r->broken;
}

static bool begin(Reference *r, const RefActivity *issued) {
    RefQueue *q = &r->queues[issued->queue];
    RefActivity *a = ref_zeros(r, 1, sizeof *a);
    if (!a) return false;
    *a = *issued;
    if (q->count == q->capacity) {
        int32_t capacity = 2 * q->capacity + 8;
        RefActivity **grown = realloc(q->under_way, (size_t)capacity * sizeof(RefActivity *));
        if (!grown) {
            r->broken = true;
            ref_forget(a);
            return false;
        }
        q->under_way = grown;
        q->capacity = capacity;
    }
    q->under_way[q->count++] = a;
    list_streams(r, a);
    plan(r, a);
    return furnish(r, a);
}

bool ref_start(Reference *r, int32_t queue, int32_t index, const TspInsn *insn, int64_t t) {
    RefActivity a = {.cycle = t, .queue = queue, .index = index, .insn = *insn};
    a.unit = tsp_queue_info(r->m, queue);
    if (start[insn->op] && !start[insn->op](r, &a)) return false;
    count(r, &a);
    if (insn->op == TSP_OP_SYNC) return true;
    if (insn->op == TSP_OP_NOTIFY) {
        r->notified = true;
        return true;
    }
    return begin(r, &a);
}

void ref_forget(RefActivity *a) {
    ref_weights_leave(a->weights[0]);
    ref_weights_leave(a->weights[1]);
    free(a->in);
    free(a->out);
    free(a->result);
    free(a);
}

void ref_retire(Reference *r, int64_t end) {
    for (int32_t queue = 0; queue < r->queue_count; queue++) {
        RefQueue *q = &r->queues[queue];
        int32_t kept = 0;
        for (int32_t i = 0; i < q->count; i++) {
            RefActivity *a = q->under_way[i];
            if (a->cycle + a->last < end)
                ref_forget(a);
            else
                q->under_way[kept++] = a;
        }
        q->count = kept;
    }
}

RefActivity *ref_find(const Reference *r, int32_t queue, int64_t cycle) {
    const RefQueue *q = &r->queues[queue];
    for (int32_t i = q->count - 1; i >= 0; i--)
        if (q->under_way[i]->cycle == cycle) return q->under_way[i];
    return NULL;
}
