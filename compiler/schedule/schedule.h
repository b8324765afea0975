/* schedule.h - what the files of the schedule pass share.
 */
#ifndef TSP_SCHEDULE_H
#define TSP_SCHEDULE_H
#include "flow.h"

/* What one plane (or, for fp16, one pair) holds and when it is free. */
typedef struct {
    int64_t load_from;        /* first cycle an LW may issue */
    int64_t array_free;       /* first cycle an activation may be accepted */
    int64_t installed;        /* first cycle activations meet the installed weights */
    Term weights;             /* what is installed: w, w_row0, w_ctile, w_byte */
    int32_t column0, columns; /* output columns installed */
    bool any, as_bytes;       /* weights are there; taken byte by byte, as uint8 */
} Plane;

enum { MAX_PLANES = 4 };

typedef struct {
    Module *module;
    const TspMachine *m;
    Table table;
    Plane planes[MAX_PLANES];
    Flow load, compute; /* reused */
} Scheduler;

/* ALU input times, relative, of the steps, operands and product of a stage. */
typedef struct {
    int32_t step[MAX_STEPS], operand[MAX_OPERANDS], product;
} StepTimes;

/* Rows of a chain that one set of instructions handles: all of them starting a partial result, with
 * `begin` in place of the step's own result, or none; all of them leaving one or none. */
typedef struct {
    int32_t first, count; /* rows of the stage */
    int32_t interval;
    bool starts, leaves;
    From begin; /* FROM_NONE: with the row alone */
} Part;

/* Rows of the activations of a term that pass a plane, or for fp16 a pair, one after the other. */
typedef struct {
    const Term *term;
    int32_t plane;     /* the even one of a pair */
    int32_t row, rows; /* of the stage */
    int32_t copy;      /* of the activations */
    int32_t sums;      /* accumulator row of the first */
    bool add, emit;    /* to what the accumulators have; on to the streams, else into them */
    int64_t start;     /* of the first activation, relative to the flow */
} Pass;

/* First cycle >= 0 at which row row0 + i*row_step can be read in cycle that + i*interval. */
int64_t schedule_ready(const Tensor *t, int32_t ctile, int32_t row0, int32_t row_step,
                       int32_t count, int32_t interval);
/* Notes that rows become readable. */
bool schedule_note(Tensor *t, int32_t ctile, Ready ready, TspError *err);

/* tail.c: operands, VXM steps and writes of rows first..first+count-1, column tile `ctile` of a
 * stage. `products`: wires that bring the product, or the products that meet, to the VXM in the
 * same cycle, NULL if there is none; vectors `interval` apart. *from is raised to the first start
 * at which all operands are there. */
bool schedule_tail(Scheduler *s, Flow *f, const Stage *stage, int32_t first, int32_t count,
                   int32_t ctile, int32_t interval, const int32_t *products, int64_t *from,
                   TspError *err);
/* Its parts. Times with the product at 0, or the first step at 0; false if steps cannot meet. */
bool schedule_times(const Stage *stage, bool product, StepTimes *t, int32_t op_cycles);
/* Rows row, row+step .. of one byte plane, the first of them vector `skip` of a wire. */
typedef struct {
    const Tensor *tensor;
    int32_t copy, ctile, byte, row, step, count, skip;
} Rows;
/* Their Reads, block by block, to a stream of a wire that reaches whoever takes them; *from is
 * raised to the first start at which they are there. */
void schedule_rows_read(const Scheduler *s, Flow *f, const Rows *rows, Tap to, int32_t interval,
                        int64_t *from);
/* The way of the stream that brings row `first` of an operand, and the Reads of rows
 * first..first+count-1 to its bytes of a wire that reaches the VXM, after `skip` other vectors. */
TspDirection schedule_direction(const Scheduler *s, const Operand *o, int32_t first, int32_t ctile);
void schedule_reads(Scheduler *s, Flow *f, const Operand *o, int32_t wire, int32_t skip,
                    int32_t first, int32_t count, int32_t ctile, int32_t interval, int64_t *from);
/* The wire that brings rows first..first+count-1 of an operand to the VXM, vector 0 at relative
 * time `time`, and its Reads. */
int32_t schedule_operand(Scheduler *s, Flow *f, const Operand *o, int32_t first, int32_t count,
                         int32_t ctile, int32_t interval, int64_t time, int64_t *from);
/* Index of a tensor of the module. */
static inline int32_t schedule_index(const Scheduler *s, const Tensor *t) {
    return (int32_t)(t - s->module->tensors);
}
/* One Write run to rows `p`.. of a tensor, of the vectors after the first `skip` of a wire. */
void schedule_write(const Scheduler *s, Flow *f, int32_t wire, int32_t offset, const Tensor *t,
                    Place p, int32_t skip, int32_t count, int32_t interval);
/* After the flow was placed: notes when its results can be read. */
bool schedule_results(Scheduler *s, const Stage *stage, const Flow *f, int64_t start, int32_t first,
                      int32_t count, int32_t ctile, int32_t interval, TspError *err);
/* End of the longest piece from `row` on that stays inside one block of every tensor the stage
 * touches row by row; at most `limit` rows. */
int32_t schedule_cut(const Scheduler *s, const Stage *stage, int32_t row, int32_t limit);

/* chains.c: stages that combine rows. scans.c: those that keep what they combine on the way. */
bool schedule_chains(Scheduler *s, const Stage *stage, TspError *err);
/* Cycle in which the first rows of chains that start together meet the VXM. */
int64_t schedule_common_start(const Scheduler *s, const Stage *stage);
/* marks.c: chains that now and then leave what they have combined so far. */
bool schedule_marks(Scheduler *s, const Stage *stage, TspError *err);
/* gathers.c: the wire that brings `count` rows of a block of operand 0, those that the rows of a
 * map point to, to the VXM from `time` on. */
int32_t schedule_gathered(Scheduler *s, Flow *f, const Stage *stage, int32_t block, int32_t count,
                          int64_t time, int64_t *from);
/* lanes.c: stages that move lanes. */
bool schedule_shifts(Scheduler *s, const Stage *stage, TspError *err);
bool schedule_distributes(Scheduler *s, const Stage *stage, TspError *err);
bool schedule_scans(Scheduler *s, const Stage *stage, TspError *err);
/* sets.c: stages whose rows fall into sets. */
bool schedule_sets(Scheduler *s, const Stage *stage, TspError *err);
/* The ALU issue run of step i for the rows of a part, its result to wire `result` (-1: none). */
void schedule_step(Flow *f, const Stage *stage, int32_t i, const Part *part, int64_t start,
                   const int32_t *wires, int32_t result);
/* The cycle from which on nothing that has been placed happens any more. */
int64_t schedule_end(const Scheduler *s);

/* flat.c: element-wise stages of long vectors. */
bool schedule_flat(Scheduler *s, const Stage *stage, TspError *err);

/* copies.c: rows that go from slice to slice. */
bool schedule_copies(Scheduler *s, const Stage *stage, TspError *err);

/* group_waves.c */
bool schedule_group(Scheduler *s, const Stage *stage, TspError *err);

/* plane.c: planes that a term takes, and cycles between its activations. */
int32_t schedule_pass_planes(const Scheduler *s, const Term *term);
int32_t schedule_pass_interval(const Scheduler *s, const Term *term);
/* Loads what the term needs for output columns column0.. into plane .. plane+planes-1, unless it is
 * there already. */
bool schedule_weights(Scheduler *s, const Stage *stage, const Term *term, int32_t plane,
                      int32_t planes, int32_t column0, TspError *err);
/* Adds a pass to a flow. The wire that brings its product; -1 if that stays in the accumulators.
 * *from is raised to the first start at which all activations are there. */
int32_t schedule_pass(Scheduler *s, Flow *f, const Pass *pass, int64_t *from);

/* planes.c */
bool schedule_product(Scheduler *s, const Stage *stage, TspError *err);
/* meet.c: stages whose terms are products of their own, which meet in the VXM. */
bool schedule_meeting(Scheduler *s, const Stage *stage, TspError *err);

#endif
