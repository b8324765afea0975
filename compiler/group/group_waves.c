/* group_waves.c - grouping as runs of instructions: phases one after the other, and within a
 * phase everything at once, a wave behind the other.
 *
 * A side is a hemisphere; "inward" is towards the VXM, "outward" away from it. A wave leaves the
 * SXM inward as two maps, of records and of updates; slices that it passes gather from them; record
 * and update meet in the VXM. The new record goes back outward, and with it a map from the SXM of
 * the other side, which says where to scatter it.
 */
#include "group_kernel.h"

#include <stdlib.h>

/* Streams, by direction relative to the side they work for. Outward streams of a side are inward
 * ones of the other, so all numbers differ. */
enum {
    IN_RECORD = 0, /* pairs: low and high byte */
    IN_UPDATE = 2,
    IN_RECORD_MAP = 4,
    IN_UPDATE_MAP = 5,
    BACK_MAP = 6, /* inward of one side, outward of the other */
    OUT_RECORD = 8,
    OUT_KEYS = 10,
    OUT_VALUES = 11,
    OUT_LANES = 12,
    OUT_BACK_LANES = 13,
    OUT_BACK = 14,
    IN_EMPTY = 20 /* of the preparation: group_prepare.c */
};

/* -- building -- */

int32_t group_inward(TspHemisphere h) {
    return h == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD;
}

static int32_t outward(TspHemisphere h) {
    return !group_inward(h);
}

static int64_t distance(const TspMachine *m, int32_t slice, int32_t column) {
    return abs(tsp_slice_column(m, slice) - column);
}

/* Cycles that a value of the stream takes from a column to a slice; negative if it was there
 * before. */
static int64_t passage(const TspMachine *m, int32_t stream, int32_t column, int32_t slice) {
    const int32_t east = tsp_slice_column(m, slice) - column;
    return TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? east : -east;
}

Run *group_run(GroupKernel *k, int32_t queue, TspInsn insn, int64_t start, int32_t count,
               int32_t interval) {
    Module *module = k->module;
    Run run = {.queue = queue,
               .op = k->op,
               .tensor = -1,
               .insn = insn,
               .start = start,
               .count = count,
               .interval = interval};
    if (k->failed || !tsp_grow((void **)&module->runs, &module->run_capacity, module->run_count + 1,
                               sizeof run, k->err)) {
        k->failed = true;
        return &k->nowhere;
    }
    module->runs[module->run_count] = run;
    return &module->runs[module->run_count++];
}

/* Reads `count` rows from `addr` on so that the first stands on `column` at `time`. */
Run *group_read(GroupKernel *k, int32_t slice, int32_t addr, int32_t stream, int32_t column,
                int64_t time, int32_t count, int32_t interval) {
    const TspInsn insn = {.op = TSP_OP_READ, .addr = addr, .stream = stream};
    Run *run = group_run(k, slice, insn,
                         time + passage(k->m, stream, column, slice) - k->m->mem_read_cycles, count,
                         interval);
    run->step = 1;
    return run;
}

/* Writes what stands on `column` from `time` on in the cycles in which it passes the slice. */
Run *group_write(GroupKernel *k, int32_t slice, int32_t addr, int32_t stream, int32_t column,
                 int64_t time, int32_t count, int32_t interval) {
    const TspInsn insn = {.op = TSP_OP_WRITE, .waddr = addr, .wstream = stream};
    Run *run =
        group_run(k, slice, insn, time + passage(k->m, stream, column, slice), count, interval);
    run->step = 1;
    return run;
}

void group_alu(GroupKernel *k, int32_t alu, TspOpcode op, TspDtype type, int32_t dst, int32_t a,
               int32_t b, int64_t start, int32_t count, int32_t interval) {
    const TspInsn insn = {.op = op, .type = (int32_t)type, .dst = dst, .src_a = a, .src_b = b};
    group_run(k, tsp_queue_vxm(k->m, alu), insn, start, count, interval);
}

void group_phase(GroupKernel *k) {
    const Module *module = k->module;
    int64_t first = INT64_MAX, end = k->end;
    for (int32_t i = k->phase; i < module->run_count; i++)
        if (module->runs[i].start < first) first = module->runs[i].start;
    for (int32_t i = k->phase; i < module->run_count; i++) {
        Run *r = &module->runs[i];
        int64_t last;
        r->start += k->end - first;
        last = r->start + (int64_t)(r->count - 1) * r->interval;
        end = tsp_max64(end, last + tsp_max64(1, tsp_insn_func(k->m, &r->insn)));
    }
    k->phase = module->run_count;
    k->end = end;
}

/* All records of all tables become empty ones. */
static void clear_side(GroupKernel *k, TspHemisphere h) {
    const GroupPlan *plan = k->plan;
    const GroupSide *s = &plan->side[h];
    const int32_t in = group_inward(h), count = plan->words * plan->copies;
    for (int b = 0; b < 2; b++) {
        const int32_t stream = TSP_STREAM(in, IN_EMPTY + b);
        group_read(k, s->updates[b], plan->update_rows, stream, tsp_vxm_column(k->m), 0, count, 1)
            ->step = 0;
        for (int32_t q = 0; q < plan->pairs; q++) {
            Run *run =
                group_write(k, s->tables[q][b], 0, stream, tsp_vxm_column(k->m), 0, count, 1);
            run->wrap = plan->words;
            run->step2 = plan->stride;
        }
    }
}

/* -- the waves -- */

typedef struct {
    int64_t maps;   /* first wave's maps leave the SXM */
    int64_t meet;   /* its record and update stand at the VXM */
    int64_t result; /* its new record leaves the VXM */
    int32_t waves;
} Waves;

/* Vectors `role` of the segments of side `of` go, each for all its waves, to a Distribute at the
 * SXM of side `at`, with lane maps that come `late` cycles after those of the first wave. */
static void distribute(GroupKernel *k, TspHemisphere of, TspHemisphere at, int32_t role,
                       int32_t distributor, int32_t from, int32_t lanes, int32_t to,
                       int64_t leaves) {
    const TspMachine *m = k->m;
    const GroupPlan *plan = k->plan;
    const int32_t sxm = tsp_sxm_column(m, at), rows = plan->segment_rows, out = outward(at);
    const int64_t issue = leaves - m->sxm_distribute_cycles;
    const GroupSide *s = &plan->side[of];
    const TspInsn insn = {.op = TSP_OP_DISTRIBUTE,
                          .stream = TSP_STREAM(group_inward(at), to),
                          .src = TSP_STREAM(out, from),
                          .map = TSP_STREAM(out, lanes)};
    group_run(k, tsp_queue_sxm(m, at, TSP_ROLE_DISTRIBUTE, distributor), insn, issue,
              s->vectors * plan->waves, plan->interval);
    for (int32_t first = 0, count; first < s->vectors; first += count) {
        Run *run;
        count = tsp_min32(rows, s->vectors - first);
        run = group_read(k, s->data[first / rows][role], 0, TSP_STREAM(out, from), sxm,
                         issue + (int64_t)first * plan->waves * plan->interval, count * plan->waves,
                         plan->interval);
        run->wrap = plan->waves; /* each vector for all the waves it makes */
        run->step = 0;
        run->step2 = 1;
    }
}

static void read_lane_maps(GroupKernel *k, TspHemisphere at, int32_t which, int32_t stream,
                           int64_t leaves, int32_t vectors) {
    const GroupPlan *plan = k->plan;
    Run *run;
    if (vectors == 0) return;
    run = group_read(k, plan->side[at].lanes[which], GROUP_MAPS, TSP_STREAM(outward(at), stream),
                     tsp_sxm_column(k->m, at), leaves - k->m->sxm_distribute_cycles,
                     vectors * plan->waves, plan->interval);
    run->wrap = plan->waves;
}

/* Gathers and scatters of one slice, burst after burst. */
static void table_bursts(GroupKernel *k, TspHemisphere h, const Waves *w, int32_t pair, int byte) {
    const GroupPlan *plan = k->plan;
    const int32_t slice = plan->side[h].tables[pair][byte], in = group_inward(h), out = !in;
    const int64_t from_sxm = distance(k->m, slice, tsp_sxm_column(k->m, h));
    const int64_t from_vxm = distance(k->m, slice, tsp_vxm_column(k->m));
    const TspInsn gather = {.op = TSP_OP_GATHER,
                            .stream = TSP_STREAM(in, IN_RECORD + byte),
                            .map = TSP_STREAM(in, IN_RECORD_MAP)};
    const TspInsn scatter = {.op = TSP_OP_SCATTER,
                             .wstream = TSP_STREAM(out, OUT_RECORD + byte),
                             .map = TSP_STREAM(out, BACK_MAP)};
    for (int32_t wave = pair * plan->copies; wave < w->waves; wave += plan->pairs * plan->copies) {
        const int32_t count = tsp_min32(plan->copies, w->waves - wave);
        const int64_t behind = (int64_t)wave * plan->interval;
        group_run(k, slice, gather, w->maps + behind + from_sxm, count, plan->interval);
        group_run(k, slice, scatter, w->result + behind + from_vxm, count, plan->interval);
    }
}

static void gather_updates(GroupKernel *k, TspHemisphere h, const Waves *w) {
    for (int b = 0; b < 2; b++) {
        const int32_t slice = k->plan->side[h].updates[b], in = group_inward(h);
        const TspInsn insn = {.op = TSP_OP_GATHER,
                              .stream = TSP_STREAM(in, IN_UPDATE + b),
                              .map = TSP_STREAM(in, IN_UPDATE_MAP)};
        group_run(k, slice, insn, w->maps + distance(k->m, slice, tsp_sxm_column(k->m, h)),
                  w->waves, k->plan->interval);
    }
}

/* max(add.sat(old, new), max(old, new)) */
static void update_records(GroupKernel *k, TspHemisphere h, const Waves *w) {
    const int32_t in = group_inward(h), alu = 3 * (int32_t)h, interval = k->plan->interval;
    const int32_t record = TSP_SRC(TSP_SRC_STREAM, TSP_STREAM(in, IN_RECORD));
    const int32_t update = TSP_SRC(TSP_SRC_STREAM, TSP_STREAM(in, IN_UPDATE));
    group_alu(k, alu, TSP_OP_ADD_SAT, TSP_I16, TSP_DST_NONE, record, update, w->meet, w->waves,
              interval);
    group_alu(k, alu + 1, TSP_OP_MAX, TSP_I16, TSP_DST_NONE, record, update, w->meet, w->waves,
              interval);
    group_alu(k, alu + 2, TSP_OP_MAX, TSP_I16, TSP_STREAM(!in, OUT_RECORD),
              TSP_SRC(TSP_SRC_ALU, alu), TSP_SRC(TSP_SRC_ALU, alu + 1),
              w->meet + k->m->vxm_op_cycles, w->waves, interval);
}

static void waves_side(GroupKernel *k, TspHemisphere h) {
    const TspMachine *m = k->m;
    const TspHemisphere other = h == TSP_WEST ? TSP_EAST : TSP_WEST;
    const int32_t vectors = k->plan->side[h].vectors;
    const int64_t across = abs(tsp_vxm_column(m) - tsp_sxm_column(m, h));
    Waves w = {.waves = vectors * k->plan->waves};
    if (vectors == 0) return;
    w.meet = across + tsp_op_func(m, TSP_OP_GATHER);
    w.result = w.meet + m->vxm_entry_cycles + 2 * m->vxm_op_cycles + m->vxm_exit_cycles;
    distribute(k, h, h, SOURCE_KEYS, 0, OUT_KEYS, OUT_LANES, IN_RECORD_MAP, w.maps);
    distribute(k, h, h, SOURCE_VALUES, 1, OUT_VALUES, OUT_LANES, IN_UPDATE_MAP, w.maps);
    read_lane_maps(k, h, 0, OUT_LANES, w.maps, vectors);
    distribute(k, h, other, SOURCE_BACK, 2, OUT_BACK, OUT_BACK_LANES, BACK_MAP, w.result - across);
    read_lane_maps(k, other, 1, OUT_BACK_LANES, w.result - across, vectors);
    for (int32_t q = 0; q < k->plan->pairs; q++)
        for (int b = 0; b < 2; b++) table_bursts(k, h, &w, q, b);
    gather_updates(k, h, &w);
    update_records(k, h, &w);
}

/* -- the pass -- */

bool schedule_group(Scheduler *s, const Stage *stage, TspError *err) {
    GroupKernel k = {.module = s->module,
                     .m = s->m,
                     .plan = s->module->group,
                     .op = stage->op,
                     .err = err,
                     .phase = s->module->run_count,
                     .end = schedule_end(s)};
    for (TspHemisphere h = TSP_WEST; h <= TSP_EAST; h++) {
        const TspHemisphere other = h == TSP_WEST ? TSP_EAST : TSP_WEST;
        group_prepare(&k, h);
        clear_side(&k, k.plan->packed == 1 ? h : other);
        if (k.plan->packed > 1 || h == TSP_EAST) group_phase(&k); /* else both sides at once */
    }
    for (TspHemisphere h = TSP_WEST; h <= TSP_EAST; h++) waves_side(&k, h);
    group_phase(&k);
    if (!schedule_merge(&k) ||
        (s->module->group_result >= 0 &&
         !schedule_merged_copy(&k, &s->module->tensors[s->module->group_result])))
        return false;
    s->table.floor = k.end;
    return !k.failed;
}
