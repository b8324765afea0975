/* usage.c - how much of each kind of unit is in use, over all and in equal slots of time. */
#include "report_parts.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *key, *label;
} uses[] = {
#define KIND(name, key, label, unit) {key, label},
    TSP_REPORT_KINDS(KIND)
#undef KIND
};

void tsp_report_use_names(const TspReport *report, int32_t use, char key[32], char label[32]) {
    const int32_t plane = use - TSP_USE_PLANES;
    const int32_t index = plane % (int32_t)report->program->machine.mxm_planes;
    const bool east = plane >= (int32_t)report->program->machine.mxm_planes;
    if (plane < 0) {
        snprintf(key, 32, "%s", uses[use].key);
        snprintf(label, 32, "%s", uses[use].label);
        return;
    }
    snprintf(key, 32, "mxm_%s_%d", east ? "east" : "west", (int)index);
    snprintf(label, 32, "MXM %s plane %d", east ? "E" : "W", (int)index);
}

/* Unit-cycles of a burst below a cycle: an issue keeps its unit for `width` cycles. */
static int64_t used_before(const Burst *b, int32_t width, int64_t cycle) {
    int64_t sum = 0;
    for (int32_t k = 0; k < width; k++) sum += burst_issues_before(b, cycle - k);
    return sum;
}

/* Adds a burst to a use, each issue counted `times`. */
static void add_use(TspReport *r, const Burst *b, int32_t width, int32_t use, int64_t times) {
    const int64_t end = b->last + width;
    int32_t slot = 0, high = r->slots;
    int64_t before = 0;
    r->used[use] += times * burst_issues(b) * width;
    while (slot < high) { /* the slot that b->start is in */
        int32_t middle = slot + (high - slot) / 2;
        if (r->slot_at[middle + 1] <= b->start)
            slot = middle + 1;
        else
            high = middle;
    }
    for (; slot < r->slots && r->slot_at[slot] < end; slot++) {
        const int64_t up_to = used_before(b, width, r->slot_at[slot + 1]);
        r->slot_used[use][slot] += times * (up_to - before);
        before = up_to;
    }
}

static void add_streams(TspReport *r, const Burst *b) {
    const TspMachine *m = &r->program->machine;
    const TspInsnInfo *info = tsp_insn_info(b->insn.op);
    if (b->insn.op == TSP_OP_ACC && !b->insn.emit) return;
    for (int32_t f = 0; f < info->field_count; f++) {
        const int32_t count = tsp_field_streams(m, &info->fields[f], &b->insn);
        if (count <= 0 || !tsp_field_drives(&info->fields[f], b->insn.op)) continue;
        add_use(r, b, 1,
                TSP_STREAM_DIRECTION(tsp_field_get(&b->insn, &info->fields[f])) == TSP_EASTWARD
                    ? TSP_USE_STREAM_EAST
                    : TSP_USE_STREAM_WEST,
                count);
    }
}

static void add_product(TspReport *r, const Burst *b, const TspQueueInfo *info) {
    const TspMachine *m = &r->program->machine;
    const int32_t plane = TSP_USE_PLANES + queue_plane(m, info), width = burst_width(m, b);
    add_use(r, b, width, plane, 1);
    if (b->insn.type == TSP_F16) add_use(r, b, width, plane + 1, 1); /* both of the pair */
}

static void add_burst(TspReport *r, const Burst *b) {
    const TspMachine *m = &r->program->machine;
    const TspQueueInfo info = tsp_queue_info(m, b->queue);
    const TspUnit unit = tsp_insn_info(b->insn.op)->unit;
    const bool east = info.hemisphere == TSP_EAST;
    if (insn_reads(b->insn.op)) add_use(r, b, 1, east ? TSP_USE_READ_EAST : TSP_USE_READ_WEST, 1);
    if (insn_writes(b->insn.op))
        add_use(r, b, 1, east ? TSP_USE_WRITE_EAST : TSP_USE_WRITE_WEST, 1);
    if (unit == TSP_UNIT_VXM) add_use(r, b, 1, TSP_USE_VXM, 1);
    if (unit == TSP_UNIT_SXM) add_use(r, b, 1, TSP_USE_SXM, 1);
    if (b->insn.op == TSP_OP_LW) add_use(r, b, 1, TSP_USE_WEIGHTS, 1);
    if (b->insn.op == TSP_OP_ABC) add_product(r, b, &info);
    add_streams(r, b);
}

static void count_units(TspReport *r) {
    const TspMachine *m = &r->program->machine;
    int64_t *units = r->units;
    r->planes = 2 * (int32_t)m->mxm_planes;
    r->uses = TSP_USE_PLANES + r->planes;
    units[TSP_USE_WEIGHTS] = r->planes;
    units[TSP_USE_VXM] = m->vxm_alus;
    for (int32_t q = 0; q < tsp_queue_count(m); q++)
        units[TSP_USE_SXM] += tsp_queue_info(m, q).unit == TSP_UNIT_SXM;
    for (int32_t use = TSP_USE_READ_WEST; use <= TSP_USE_WRITE_EAST; use++)
        units[use] = m->mem_slices;
    units[TSP_USE_STREAM_EAST] = units[TSP_USE_STREAM_WEST] = m->streams;
    for (int32_t plane = 0; plane < r->planes; plane++) units[TSP_USE_PLANES + plane] = 1;
}

void report_usage(TspReport *r, const Timing *t) {
    count_units(r);
    r->slots = r->cycles < TSP_REPORT_SLOTS ? (int32_t)r->cycles : TSP_REPORT_SLOTS;
    for (int32_t i = 0; i <= r->slots && r->slots; i++) r->slot_at[i] = r->cycles * i / r->slots;
    for (int32_t i = 0; i < t->burst_count; i++) add_burst(r, &t->bursts[i]);
}
