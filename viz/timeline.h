/* timeline.h - when every instruction of a program issues, and for whom: what Gantt and traces
 * draw.
 *
 * Plain data, one record for every word that issues, however often its Repeat makes it issue: a
 * burst. A queue issues a word once, so its bursts follow each other in time and never overlap, and
 * what issues in a cycle is found by a binary search and a division.
 */
#ifndef TSP_VIZ_TIMELINE_H
#define TSP_VIZ_TIMELINE_H
#include "sim/sim.h"

/* A word and its Repeat: issues in start + i*d + j*d2 for i = 0..n, j = 0..n2. What has two entries
 * is [0] of the instruction, or of the read half of a combined slot, and [1] of its write half. */
typedef struct {
    int64_t start, last; /* cycles of the first and the last issue */
    int32_t queue, word; /* the word in its queue */
    TspOpcode opcode;
    int32_t n, d, n2, d2; /* all 0 without a Repeat */
    int32_t func[2];      /* cycles from an issue to its effect; [1] 0 where there is no half */
    int32_t run[2],
        first[2];      /* runs it is part of, and the iteration of its first issue; -1 none */
    int32_t op[2];     /* nodes of the graph it works for, in program->ops; -1 none */
    int32_t tensor[2]; /* whose row it reads or writes first, in program->tensors; -1 none:
                          not a Read or Write, or no tensor lies there */
    int32_t line;      /* of the assembly source, 0 unknown */
} VizBurst;

typedef struct {
    const TspProgram *program; /* must outlive the timeline */
    int64_t cycles;            /* covered: up to the latency, or to where the run stood */
    bool complete;             /* the run was at its end */
    int64_t issues;            /* in these cycles, each repetition counted: instructions */
    VizBurst *bursts;          /* queue after queue, in time order */
    int32_t burst_count;
    int32_t first[TSP_MAX_QUEUES + 1]; /* bursts of queue q: first[q] .. first[q + 1] - 1 */
    TspInterval *ops;                  /* simulated interval of each graph op; -1, -1 never */
} VizTimeline;

/* The timeline of what a simulator of this program has run so far; with all repetitions of the
 * words that have begun, those yet to come too. TSP_ERR_SYSTEM when out of memory. */
bool viz_timeline_make(VizTimeline *timeline, const TspProgram *program, const TspSim *sim,
                       TspError *err);
/* The same after a run to the end of its own, time without values: what only data could make
 * illegal does not stop it. Errors are those of tsp_sim_run(). */
bool viz_timeline_run(VizTimeline *timeline, const TspProgram *program, bool ifetch_modelled,
                      TspError *err);
void viz_timeline_free(VizTimeline *timeline);

/* The tensor that lies in each row of a slice (tsp_mem_slice_rows() of them), the first if there
 * are several; -1 none. */
void viz_slice_tensors(const TspProgram *program, int32_t slice, int32_t *tensor_of_row);

/* -- one issue -- */
typedef struct {
    const VizBurst *burst;
    int64_t cycle;
    int32_t i, j; /* inner and outer repetition */
} VizIssue;

/* What the queue issues in this very cycle; the first issue after it; the last one before it. False
 * if there is none (the queue has none, or there is no such queue). */
bool viz_issue_at(const VizTimeline *timeline, int32_t queue, int64_t cycle, VizIssue *issue);
bool viz_issue_next(const VizTimeline *timeline, int32_t queue, int64_t cycle, VizIssue *issue);
bool viz_issue_previous(const VizTimeline *timeline, int32_t queue, int64_t cycle, VizIssue *issue);
/* Steps to the next issue of the same queue; false at the end. Quicker than a search. */
bool viz_issue_advance(const VizTimeline *timeline, VizIssue *issue);
/* Index in the bursts of the last burst of the queue that starts in `cycle` or before; -1: none. */
int32_t viz_burst_find(const VizTimeline *timeline, int32_t queue, int64_t cycle);

/* The instruction as it issues, its addresses stepped by Repeat. */
TspInsn viz_issue_insn(const VizTimeline *timeline, const VizIssue *issue);
/* The instruction as its word has it, and its Repeat (op TSP_OP_NOP if it has none),
 * which may be NULL. */
TspInsn viz_burst_insn(const VizTimeline *timeline, const VizBurst *burst, TspInsn *repeat);

/* Whether the burst takes vectors from the stream; whether it drives it. */
bool viz_burst_takes(const VizTimeline *timeline, const VizBurst *burst, int32_t stream);
bool viz_burst_drives(const VizTimeline *timeline, const VizBurst *burst, int32_t stream);

static inline int64_t viz_burst_issues(const VizBurst *b) {
    return ((int64_t)b->n + 1) * ((int64_t)b->n2 + 1);
}
/* Issues in cycles below `cycle`. */
int64_t viz_burst_issues_before(const VizBurst *burst, int64_t cycle);
/* Cycles from an issue to the later of its effects. */
static inline int32_t viz_burst_func(const VizBurst *b) {
    return b->func[0] > b->func[1] ? b->func[0] : b->func[1];
}
/* Cycle of the last effect. */
static inline int64_t viz_burst_end(const VizBurst *b) {
    return b->last + viz_burst_func(b);
}
/* Tensor whose rows the burst, or its write half, reads or writes by the debug information, -1 not
 * known. */
int32_t viz_burst_meant(const VizTimeline *timeline, const VizBurst *burst, int half);
/* Graph op that the burst works for first, -1 none; and its first tensor. */
static inline int32_t viz_burst_op(const VizBurst *b) {
    return b->op[0] >= 0 ? b->op[0] : b->op[1];
}

#endif
