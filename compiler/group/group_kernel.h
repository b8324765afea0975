/* group_kernel.h - what the files that schedule grouping share: a phase is built in times of its
 * own and then moved behind the one before it.
 */
#ifndef TSP_GROUP_KERNEL_H
#define TSP_GROUP_KERNEL_H
#include "compiler/schedule/schedule.h"

typedef struct {
    Module *module;
    const TspMachine *m;
    const GroupPlan *plan;
    int32_t op;
    TspError *err;
    bool failed;
    int32_t phase; /* first run of the phase being built */
    int64_t end;   /* of what stands before it: its first issue */
    Run nowhere;   /* what group_run() returns when it has failed */
} GroupKernel;

/* Direction of the streams from the SXM of a hemisphere towards the VXM. */
int32_t group_inward(TspHemisphere h);

/* Append a run and return it, so that its steps can be set; valid until the next call. Times are
 * those of the phase. */
Run *group_run(GroupKernel *k, int32_t queue, TspInsn insn, int64_t start, int32_t count,
               int32_t interval);
Run *group_read(GroupKernel *k, int32_t slice, int32_t addr, int32_t stream, int32_t column,
                int64_t time, int32_t count, int32_t interval);
Run *group_write(GroupKernel *k, int32_t slice, int32_t addr, int32_t stream, int32_t column,
                 int64_t time, int32_t count, int32_t interval);
void group_alu(GroupKernel *k, int32_t alu, TspOpcode op, TspDtype type, int32_t dst, int32_t a,
               int32_t b, int64_t start, int32_t count, int32_t interval);
/* Ends the phase: its first issue comes when the last effect of the one before it has happened. */
void group_phase(GroupKernel *k);

/* group_merge.c: a copy of the merged tables where `t` lies; notes when it is there. */
bool schedule_merged_copy(GroupKernel *k, Tensor *t);
/* group_prepare.c: keys and values of a side become addresses. Where two groups share a word it
 * takes the VXM, and the side's slices `updates`, alone. */
void group_prepare(GroupKernel *k, TspHemisphere h);
/* group_merge.c: the tables of all slices become one, added to the merged tables there are. */
bool schedule_merge(GroupKernel *k);

#endif
