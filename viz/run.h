/* run.h - a program, its timeline and a simulator of it that can be taken to any cycle: what all
 * panels of the viewer look at.
 *
 * Where vectors are and what units do follows from the timeline alone; only values come from the
 * simulator. Everything here is a pure function of (program, inputs, cycle).
 */
#ifndef TSP_VIZ_RUN_H
#define TSP_VIZ_RUN_H
#include "operands.h"
#include "rows.h"

/* A vector that some unit drives onto a stream: from `column` in cycle `cycle` on (as superlane 0
 * sees it), one column a cycle, to the edge of the chip or to where another drive takes its place.
 */
typedef struct {
    int32_t stream, column;
    int64_t cycle;     /* of the drive */
    int64_t diagonal;  /* column - cycle eastward, column + cycle westward */
    int32_t last;      /* the last column that it reaches */
    int32_t last_used; /* the last column at which a unit takes it; -1: nobody does */
    int32_t burst;     /* of the producer, index in the timeline's bursts */
    int64_t issue;     /* cycle in which the producer issued */
    int32_t output;    /* which of the producer's output streams, from 0 */
    int32_t tensor;    /* that it belongs to, in program->tensors; -1 none known */
    int32_t op;        /* node of the graph; -1 none */
} VizDrive;

/* An op hands a result on to another and does not write it. */
typedef struct {
    int32_t from, to;
} VizFeed;

typedef struct {
    const TspProgram *program;
    const TspMachine *m;
    TspSim *sim; /* at the cycle looked at; NULL: no values, all else is there */
    VizTimeline timeline;
    TspError failure; /* why the run stops before its end, where it does */
    bool failed;
    /* What the constructor has worked out: */
    int32_t *burst_tensor; /* [burst] tensor of what it drives, or else reads or writes; -1 */
    int32_t *op_tensor;    /* [op] tensor that it writes, or else feeds; -1 none */
    VizFeed *feeds;        /* each pair of ops once */
    int32_t feed_count;
    int32_t stream_users;        /* in `users` */
    int32_t *user_first;         /* [stream] first of its entries in `users`; one more at the end */
    int32_t *users;              /* queues that ever take a vector from the stream, by column */
    bool *stream_used;           /* [stream] anybody drives it */
    struct VizPlan *plan;        /* what panels show alike in every cycle, see plan.h */
    struct VizGanttIndex *gantt; /* viz_gantt_index_new(); NULL: the Gantt walks all it shows */
    int32_t longest;             /* cycles from an issue to its effect, at most */
    /* What viz_run_look() has found: */
    int64_t cycle;
    VizRows rows;     /* and the tensors that they hold */
    VizDrive *drives; /* sorted by stream, diagonal, cycle */
    int32_t drive_count, drive_capacity;
} VizRun;

/* The simulator has its inputs and stands at cycle 0; it becomes the run's (freed by close, also
 * after a failure), and should keep a history. Runs the program once, timing only. A program that
 * breaks a rule opens as well: `failed` and `failure` say so, its timeline ends there. */
bool viz_run_open(VizRun *run, const TspProgram *program, TspSim *sim, bool ifetch_modelled,
                  TspError *err);
void viz_run_close(VizRun *run);
/* Part of opening, in its file: `feeds`, and `op_tensor` of ops that write nothing. False without
 * memory. */
bool viz_run_find_feeds(VizRun *run);

/* Takes the simulator to the cycle, held to 0 .. timeline.cycles, and finds the drives that any
 * superlane can see in it. In a failed run `cycle` may lie beyond the offence: false, with it, and
 * the picture is that of the last cycle before. */
bool viz_run_look(VizRun *run, int64_t cycle, TspError *err);

/* Where the drive is in superlane k in the cycle looked at: its column there; -1: not on the chip,
 * or not yet, or no longer. `phase` is added between cycles by whoever draws. */
int32_t viz_drive_column(const VizRun *run, const VizDrive *drive, int32_t superlane);
/* The drive on this register in superlane k in the cycle looked at, NULL: none. */
const VizDrive *viz_run_drive(const VizRun *run, int32_t stream, int32_t column, int32_t superlane);
/* Its bytes, tsp_lanes() of them, valid until the next call, as superlane k has them now; NULL if
 * the simulator has none, or keeps them no more. */
const uint8_t *viz_drive_bytes(const VizRun *run, const VizDrive *drive, int32_t superlane);
/* The next unit that takes the vector after the cycle looked at (superlane 0): its issue. */
bool viz_drive_next_use(const VizRun *run, const VizDrive *drive, VizIssue *use);

/* Tensor that a memory row holds in the cycle looked at; -1 none. */
static inline int32_t viz_run_row_tensor(const VizRun *run, int32_t slice, int32_t row) {
    return run->rows.tensor[(int64_t)slice * tsp_mem_slice_rows(run->m) + row];
}

#endif
