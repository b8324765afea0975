/* group_merge.c - many tables become one: up to four records of a word a cycle, one from each of
 * four slice pairs, are widened to int32 and combined with the merged one, which is read and
 * written in place.
 */
#include "group_kernel.h"

#include <stdlib.h>

enum { IN_RECORDS = 0, IN_MERGED = 4, OUT_MERGED = 8, MOST_UNITS = 4 };

/* A value under way in the VXM: the ALU that has it, or a stream; the cycle in which an ALU that
 * takes it as another's result issues. */
typedef struct {
    int32_t source;
    int64_t issue;
} Value;

typedef struct {
    GroupKernel *k;
    int32_t alu; /* next free one */
    int32_t words;
} Merge;

/* The record of one slice pair, widened. */
static Value widen(Merge *g, TspHemisphere h, int32_t pair, int32_t index, int32_t addr) {
    GroupKernel *k = g->k;
    const int32_t stream = TSP_STREAM(group_inward(h), IN_RECORDS + 2 * index);
    const TspInsn insn = {.op = TSP_OP_CVT,
                          .type = TSP_I16,
                          .type2 = TSP_I32,
                          .dst = TSP_DST_NONE,
                          .src_a = TSP_SRC(TSP_SRC_STREAM, stream)};
    for (int b = 0; b < 2; b++)
        group_read(k, k->plan->side[h].tables[pair][b], addr, stream + b, tsp_vxm_column(k->m), 0,
                   g->words, 1);
    group_run(k, tsp_queue_vxm(k->m, g->alu), insn, 0, g->words, 1);
    return (Value){TSP_SRC(TSP_SRC_ALU, g->alu++), k->m->vxm_op_cycles};
}

/* max(a + b, max(a, b)), saturating; into `dst` if it is a stream. */
static Value combine(Merge *g, Value a, int32_t b, int32_t dst) {
    GroupKernel *k = g->k;
    const int32_t sum = g->alu++, greater = g->alu++, result = g->alu++;
    const int64_t next = a.issue + k->m->vxm_op_cycles;
    group_alu(k, sum, TSP_OP_ADD_SAT, TSP_I32, TSP_DST_NONE, a.source, b, a.issue, g->words, 1);
    group_alu(k, greater, TSP_OP_MAX, TSP_I32, TSP_DST_NONE, a.source, b, a.issue, g->words, 1);
    group_alu(k, result, TSP_OP_MAX, TSP_I32, dst, TSP_SRC(TSP_SRC_ALU, sum),
              TSP_SRC(TSP_SRC_ALU, greater), next, g->words, 1);
    return (Value){TSP_SRC(TSP_SRC_ALU, result), next + k->m->vxm_op_cycles};
}

/* The words of the merged tables, even ones in one bank and odd ones in the other. */
static void step_words(Run *run, const TspMachine *m) {
    run->wrap = 2;
    run->step = (int32_t)m->mem_rows;
    run->step2 = 1;
}

/* False if a word would have to be read in the bank in which one is being written. */
static bool update_merged(Merge *g, Value v) {
    GroupKernel *k = g->k;
    const TspMachine *m = k->m;
    const TspHemisphere h = tsp_slice_hemisphere(m, k->plan->merged[0]);
    const int32_t vxm = tsp_vxm_column(m);
    const int32_t in = TSP_STREAM(group_inward(h), IN_MERGED);
    const int32_t out = TSP_STREAM(!group_inward(h), OUT_MERGED);
    const Value sum = combine(g, v, TSP_SRC(TSP_SRC_STREAM, in), out);
    /* `sum` would be taken vxm_entry_cycles after sum.issue: then it has left its ALU */
    const int64_t leaves = sum.issue + m->vxm_entry_cycles + m->vxm_exit_cycles;
    for (int32_t b = 0; b < 4; b++) {
        Run *run =
            group_read(k, k->plan->merged[b], GROUP_MERGED, in + b, vxm, v.issue, g->words, 1);
        const int64_t read = run->start;
        step_words(run, m);
        run = group_write(k, k->plan->merged[b], GROUP_MERGED, out + b, vxm, leaves, g->words, 1);
        if ((run->start - read) % 2 == 0) return false;
        step_words(run, m);
    }
    return true;
}

/* One table of each of pairs first.. of both sides. */
static bool merge_pass(GroupKernel *k, int32_t first, int32_t copy) {
    Merge g = {.k = k, .words = k->plan->words};
    Value values[MOST_UNITS];
    int32_t units = 0;
    for (TspHemisphere h = TSP_WEST; h <= TSP_EAST; h++)
        for (int32_t i = 0; i < 2 && first + i < k->plan->pairs; i++)
            values[units++] = widen(&g, h, first + i, i, copy * k->plan->stride);
    for (; units > 1; units /= 2)
        for (int32_t i = 0; i < units / 2; i++)
            values[i] = combine(&g, values[2 * i], values[2 * i + 1].source, TSP_DST_NONE);
    return update_merged(&g, values[0]);
}

bool schedule_merge(GroupKernel *k) {
    for (int32_t first = 0; first < k->plan->pairs; first += 2)
        for (int32_t copy = 0; copy < k->plan->copies; copy++) {
            if (!merge_pass(k, first, copy))
                return tsp_fail(k->err, TSP_ERR_NOT_MODELLED,
                                "grouping on a machine whose delays make a merged record return in "
                                "an even number of cycles");
            group_phase(k);
        }
    return true;
}

/* Rows first.. of a copy, `count` of them, go out by the ALU of their side's direction. */
static void write_copy(GroupKernel *k, const Tensor *t, int32_t first, int32_t count,
                       int64_t leaves) {
    for (int32_t copy = 0; copy < t->copies; copy++)
        for (int32_t b = 0; b < 4; b++) {
            const Place place = tsp_place(t, copy, first, 0, b);
            const int direction = !group_inward(tsp_slice_hemisphere(k->m, place.slice));
            group_write(k, place.slice, place.addr, TSP_STREAM(direction, OUT_MERGED + b),
                        tsp_vxm_column(k->m), leaves, count, 1);
        }
}

bool schedule_merged_copy(GroupKernel *k, Tensor *t) {
    const TspMachine *m = k->m;
    const TspHemisphere h = tsp_slice_hemisphere(m, k->plan->merged[0]);
    const int32_t in = TSP_STREAM(group_inward(h), IN_MERGED), vxm = tsp_vxm_column(m);
    const int64_t late = m->vxm_entry_cycles + m->vxm_op_cycles + m->vxm_exit_cycles;
    for (int direction = 0; direction < 2; direction++) {
        const TspInsn pass = {.op = TSP_OP_PASS,
                              .type = TSP_I32,
                              .dst = TSP_STREAM(direction, OUT_MERGED),
                              .src_a = TSP_SRC(TSP_SRC_STREAM, in)};
        group_run(k, tsp_queue_vxm(m, direction), pass, 0, t->rows, 1);
    }
    for (int32_t b = 0; b < 4; b++)
        step_words(group_read(k, k->plan->merged[b], GROUP_MERGED, in + b, vxm, 0, t->rows, 1), m);
    for (int32_t row = 0; row < t->rows; row += t->block_rows)
        write_copy(k, t, row, tsp_min32(t->block_rows, t->rows - row), row + late);
    group_phase(k);
    return schedule_note(t, 0, (Ready){0, t->rows, k->end, 1}, k->err);
}
