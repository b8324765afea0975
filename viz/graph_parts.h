/* graph_parts.h - what the files of the graph panel share: where its nodes stand and how much they
 * show.
 */
#ifndef TSP_VIZ_GRAPH_PARTS_H
#define TSP_VIZ_GRAPH_PARTS_H
#include "label.h"
#include "plan.h"

#include <math.h>

/* Lengths in scaled pixels. */
#define MARGIN      8.0f
#define NAME        11.0f /* sizes of texts */
#define SMALL       10.0f
#define NAME_ROW    17.0f
#define ROW         13.0f
#define CHIP_ROW    15.0f
#define BAR         4.0f
#define PADDING     6.0f
#define NODE_MOST   190.0f /* width of an op */
#define TENSOR_MOST 120.0f
#define GAP_MOST    110.0f
#define BETWEEN     10.0f /* nodes of a layer */
#define TURN        16.0f /* rows of layers */
#define READABLE    0.72f /* share of a name that most people can guess the rest from */

/* What nodes show, from least to most. */
typedef enum {
    DETAIL_BOX,   /* a box and how far it has come */
    DETAIL_NAME,  /* and the name */
    DETAIL_TYPE,  /* and type and interval in a row */
    DETAIL_CHIPS, /* and the constants below */
    DETAILS
} GraphDetail;

enum { LAYERS_MOST = 512, LABELS_MOST = 64 };

typedef struct {
    const VizFrame *frame;
    const VizGraph *g;
    VizFocus focus;
    GraphDetail detail;
    int32_t per_row; /* layers of a row */
    float unit, top; /* pixels of a slot; y of slot 0 in the first row */
    float row;       /* pixels from a row to the next */
    float share;     /* of the width it wants that a node has at least */
    int32_t chips;   /* most below any op */
    float left[LAYERS_MOST], width[LAYERS_MOST]; /* of the layers */
    /* the widest names in them; -1: no such node */
    float op_name[LAYERS_MOST], tensor_name[LAYERS_MOST];
    VizRect labels[LABELS_MOST]; /* that stand already */
    int32_t label_count;
} GraphPicture;

static inline const TspProgram *graph_program(const GraphPicture *p) {
    return p->frame->run->program;
}

/* graph_place.c: chooses detail and rows, and places the layers. */
void graph_lay_out(GraphPicture *p, VizRect inside);
/* Room below every op alike, so that their boxes are level. */
float graph_chips_height(const GraphPicture *p, GraphDetail detail);
/* Where edges leave and meet a node: its middle. */
float graph_port_y(const GraphPicture *p, const VizNode *n);
/* Its box, without the constants below an op. */
VizRect graph_node_rect(const GraphPicture *p, const VizNode *n);

/* graph_edges.c */
void graph_draw_edge(const GraphPicture *p, const VizEdge *e);
/* The tensor's name on its edge, where it fits between the nodes and no other stands. */
void graph_draw_label(GraphPicture *p, const VizEdge *e);
/* What does not go with the selection is faint. */
bool graph_dimmed(const GraphPicture *p, int32_t op, int32_t tensor);
/* Whether the node is the op that is selected. */
bool graph_touches(const GraphPicture *p, const VizNode *n);

#endif
