/* plan.h - what panels show alike in every cycle: which op reads and writes what, and where the ops
 * stand in the picture of the graph; and which rows hold which tensor, which changes where tensors
 * have the same rows one after the other.
 */
#ifndef TSP_VIZ_PLAN_H
#define TSP_VIZ_PLAN_H
#include "run.h"

/* -- memory -- */

/* Rows of one bank that follow each other and hold the same tensor. */
typedef struct {
    int32_t slice, first, rows; /* first: a row of the slice */
    int32_t tensor;
} VizMemoryRun;

typedef struct {
    VizMemoryRun *runs; /* by slice, then row */
    int32_t run_count;
    int32_t *first; /* [slice] its first run; one more at the end */
    int32_t extent; /* rows of a bank, from its row 0 on, that hold all that any
                       bank holds, reads or writes */
    int64_t rows[TSP_ROLE_INTERNAL + 1]; /* that hold tensors of this role */
} VizMemoryMap;

/* -- the graph -- */

/* What an op reads or writes in memory. */
typedef struct {
    int32_t op, tensor;
    bool writes;
} VizUse;

typedef enum {
    VIZ_NODE_OP,
    VIZ_NODE_INPUT,  /* a tensor that ops read and none writes, constants aside */
    VIZ_NODE_OUTPUT, /* an output of the graph that an op writes */
    VIZ_NODE_BEND    /* where a long edge passes a layer */
} VizNodeKind;

typedef struct {
    VizNodeKind kind;
    int32_t id;    /* op or tensor */
    int32_t layer; /* from the left */
    int32_t order; /* in its layer, from the top */
    float y;       /* its middle, in slots; one op is one slot high */
    int32_t chip;  /* of an op: its constants are chips[chip] .. , chip_count of them */
    int32_t chip_count;
} VizNode;

/* From a layer to the next: an edge, or a part of one that is longer. */
typedef struct {
    int32_t from, to; /* nodes */
    int32_t tensor;   /* -1: straight from unit to unit, never in memory */
} VizEdge;

typedef struct {
    VizUse *uses; /* by op, what it reads first, by tensor */
    int32_t use_count;
    VizNode *nodes; /* the ops first, node i is op i */
    int32_t node_count;
    VizEdge *edges; /* by from, to, tensor */
    int32_t edge_count;
    int32_t *chips; /* constants */
    int32_t chip_count;
    int32_t layer_count;
    int32_t *layer;       /* nodes by layer and order */
    int32_t *layer_first; /* [layer] its first in `layer`; one more at the end */
    float top, bottom;    /* of all slots */
} VizGraph;

typedef struct VizPlan {
    VizMemoryMap memory;
    VizGraph graph;
} VizPlan;

/* Slots that a node of this kind is high. */
float viz_node_slots(VizNodeKind kind);

/* Of a run whose tensors and timeline are known. NULL and TSP_ERR_SYSTEM when out of memory. */
VizPlan *viz_plan_new(const VizRun *run, TspError *err);
void viz_plan_free(VizPlan *plan); /* NULL is allowed */

/* The parts, each in its file; false without memory, what was made is freed with the plan. */
bool viz_memory_map_make(VizMemoryMap *map, const VizRun *run);
/* As the rows are in the cycle looked at; false without memory. */
bool viz_memory_map_update(VizMemoryMap *map, const VizRun *run);
bool viz_graph_make(VizGraph *graph, const VizRun *run);

#endif
