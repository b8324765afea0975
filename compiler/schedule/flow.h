/* flow.h - a flow: instructions with fixed relative times that carry a run of vectors, the streams
 * that join them, and the search for the earliest cycle at which all of it is free.
 */
#ifndef TSP_FLOW_H
#define TSP_FLOW_H
#include "compiler/ir.h"
#include "reserve.h"

/* A stream group between producers and consumers. Vector i stands on column c at phase +
 * i*interval + c (eastward) or - c (westward), relative to the flow's start. */
typedef struct {
    TspDirection direction;
    int32_t width; /* streams, aligned to their number */
    int64_t phase;
    int32_t count, interval, lo, hi;
    int32_t base; /* chosen: first stream number */
} Wire;

typedef enum { ITEM_MEM, ITEM_QUEUE, ITEM_ALU } ItemKind;

typedef struct {
    int32_t wire, offset;
} Tap; /* stream base + offset of a wire; wire -1: none */

/* `count` issues of one instruction by one queue. */
typedef struct {
    ItemKind kind;
    int32_t queue; /* ITEM_ALU: index among the flow's ALUs; items may follow each other on one */
    TspInsn insn;  /* streams and ALU numbers are filled in when placed */
    /* address steps from issue to issue; with `wrap` as those of a Run */
    int32_t step, wrap, step2;
    int64_t start; /* relative to the flow */
    int32_t count, interval;
    int32_t bank, tensor; /* ITEM_MEM: of the rows */
    int32_t span;         /* of a Gather: rows from insn.addr on, any of which it may read */
    Tap drives;           /* first stream of the group driven */
    int32_t drive_width;
    Tap reads[2];
    int32_t read_width[2];
    int32_t alu_from[2]; /* ITEM_ALU: index of the flow's ALU that operand a, b comes from */
    int32_t run;         /* index in module->runs when placed */
    int32_t op;          /* node of the graph that it works for */
} Item;

typedef struct {
    int32_t op; /* node of the graph that items added from now on work for */
    const char *what;
    Wire *wires;
    int32_t wire_count, wire_capacity;
    Item *items;
    int32_t item_count, item_capacity;
    int32_t alus; /* ALUs it needs, each for one step */
    bool failed;  /* out of memory while building */
} Flow;

/* All resources of the chip. */
typedef struct {
    Module *module;
    Lane streams[TSP_MAX_STREAMS];
    Lane mem_read[TSP_MAX_QUEUES], mem_write[TSP_MAX_QUEUES];
    Lane queues[TSP_MAX_QUEUES];
    uint32_t flows;
    int64_t floor;    /* nothing issues before */
    int64_t *touched; /* [slice][row], see history.h; NULL where tensors share no rows; owned */
} Table;

/* What is added to the address of an item's instruction in issue i. */
static inline int32_t item_step(const Item *item, int32_t i) {
    return item->wrap ? i % item->wrap * item->step + i / item->wrap * item->step2 : i * item->step;
}

void flow_clear(Flow *f, int32_t op, const char *what);
void flow_free(Flow *f);
int32_t flow_wire(Flow *f, Wire wire);
Item *flow_item(Flow *f, Item item);
/* Phase of a wire whose vector 0 stands on `column` at relative time `time`. */
int64_t flow_phase(TspDirection direction, int64_t time, int32_t column);
/* Relative time at which vector 0 of the wire passes a column. */
int64_t flow_time_at(const Wire *w, int32_t column);
/* Extends the wire to reach a column. */
void flow_reach(Wire *w, int32_t column);

/* Whether the machine has as many ALUs and streams of each direction as the flow takes at once. */
bool flow_fits(const Flow *f, const TspMachine *m);
/* The earliest start >= `from` at which everything is free; nothing is reserved. -1 with err set
 * if the flow stands in its own way. */
int64_t flow_earliest(Table *table, Flow *f, int64_t from, TspError *err);
/* Reserves everything at `start` (as found by flow_earliest), appends runs and links. */
bool flow_commit(Table *table, Flow *f, int64_t start, TspError *err);
void table_free(Table *table);

#endif
