/* report_parts.h - what the parts of a report share: bursts, runs and what they waited for.
 */
#ifndef TSP_REPORT_PARTS_H
#define TSP_REPORT_PARTS_H
#include "report.h"

/* A word and its Repeat: issues in start + i*d + j*d2, i = 0..n, j = 0..n2. */
typedef struct {
    TspInsn insn, repeat; /* repeat.op is NOP without one */
    int64_t start, last;
    int32_t queue;
    int32_t run[2], op[2]; /* of the two halves of a combined slot; -1 none */
} Burst;

/* What a run came after: `by` was done `slack` cycles before `at`, when a burst of the run began.
 */
typedef struct {
    TspWait kind;
    int64_t at, slack;
    int32_t by; /* a run, -1 none */
} Cause;

enum { CAUSES = 3 }; /* kept for each run: that of data, of weights, of the queue */
typedef struct {
    int64_t start, last; /* first and last issue; start -1: never */
    int64_t effect;      /* of the last issue */
    int32_t flow;        /* the run that stands for all that move with it */
    TspOpcode opcode;    /* of its half */
    TspIdle reason;      /* of a flow: what a product of it came after */
    Cause cause[CAUSES];
} RunTime;

typedef struct {
    const TspProgram *program;
    int64_t cycles, issues;
    Burst *bursts; /* queue after queue, in time order */
    int32_t burst_count, capacity;
    int32_t first[TSP_MAX_QUEUES + 1];
    RunTime *runs;    /* NULL if the program has none */
    int32_t *by_flow; /* runs, those of a flow beside each other */
    int32_t *flow_at; /* run count + 1: where the runs of flow f begin in by_flow */
} Timing;

bool timing_make(Timing *timing, const TspProgram *program, TspError *err);
void timing_free(Timing *timing);
/* Joins runs to flows and finds what each run came after. */
bool flows_make(Timing *timing, TspError *err);

static inline int64_t burst_issues(const Burst *b) {
    return ((int64_t)b->repeat.n + 1) * ((int64_t)b->repeat.n2 + 1);
}
/* Issues of the burst in cycles below `cycle`. */
int64_t burst_issues_before(const Burst *burst, int64_t cycle);
/* Cycles for which an issue keeps its unit: those of an fp16 activation, else 1. */
static inline int32_t burst_width(const TspMachine *m, const Burst *b) {
    return b->insn.op == TSP_OP_ABC && b->insn.type == TSP_F16 ? (int32_t)m->mxm_fp16_cycles : 1;
}
static inline bool insn_reads(TspOpcode op) {
    return op == TSP_OP_READ || op == TSP_OP_READ_WRITE || op == TSP_OP_GATHER;
}
static inline bool insn_writes(TspOpcode op) {
    return op == TSP_OP_WRITE || op == TSP_OP_READ_WRITE || op == TSP_OP_SCATTER;
}
/* Plane of an MXM queue, counted over both hemispheres. */
static inline int32_t queue_plane(const TspMachine *m, const TspQueueInfo *info) {
    return (int32_t)info->hemisphere * (int32_t)m->mxm_planes + info->index;
}
/* The last burst of the queue that starts in `cycle` or before; NULL: none. */
const Burst *burst_find(const Timing *timing, int32_t queue, int64_t cycle);

void report_usage(TspReport *report, const Timing *timing);
bool report_idle(TspReport *report, const Timing *timing, TspError *err);
bool report_memory(TspReport *report, TspError *err);
bool report_path(TspReport *report, const Timing *timing, TspError *err);
bool report_ops(TspReport *report, const Timing *timing, TspError *err);
/* Walks back from `cycle` of a run until `until`: hops in descending time, each told to `take`. */
typedef bool HopTaker(void *context, const TspHop *hop);
bool path_walk(const Timing *timing, int32_t run, int64_t cycle, int64_t until, HopTaker *take,
               void *context);

/* -- words -- */
const char *report_role(TspTensorRole role);
/* "int8 [640, 640]" */
void report_shape(const TspTensor *t, char *text, size_t size);
/* "fc1, MXM weights"; of no op the unit alone. */
void report_place(const TspReport *r, int32_t op, int32_t queue, char *text, size_t size);
/* What binds an op, or what it waited for; the caller frees. */
char *report_op_words(const TspReport *r, int32_t op);

#endif
