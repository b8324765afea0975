/* gantt_parts.h - a frame of the Gantt under way: its rows and its scale, shared by viz/gantt*.c.
 */
#ifndef TSP_VIZ_GANTT_PARTS_H
#define TSP_VIZ_GANTT_PARTS_H
#include "gantt.h"
#include "gantt_index.h"
#include "isa/asm.h"
#include "label.h"

enum { GANTT_ROWS_MAX = 256, GANTT_SLOTS_MAX = 4096, GANTT_NAME_MAX = 48 };

typedef enum { ROW_OPS, ROW_TRACKS, ROW_QUEUE } RowKind;

typedef struct {
    RowKind kind;
    VizRect box;                 /* from the left of the panel to the right end of the time axis */
    char name[GANTT_NAME_MAX];   /* in the column at the left */
    const char *group;           /* "MXM", on the first row of it, else NULL */
    int32_t op;                  /* ROW_OPS: the one that has it for itself, -1: lanes of many */
    int32_t track, step, tracks; /* ROW_TRACKS: which, added up */
    int32_t queue;               /* of a row that shows one, else -1 */
    int32_t capacity;            /* issues a cycle that fill its height */
    float weight;                /* of its height, 1 for an ordinary row */
    float share;                 /* of the cycles in view with an issue, once drawn */
} GanttRow;

typedef struct {
    const VizFrame *frame;
    const VizRun *run;
    const VizTimeline *t;
    VizCanvas *canvas;
    VizFocus focus;
    VizRect axis, plot; /* plot: below the axis, as wide */
    VizRect busy;       /* the column for shares at the right, from the axis down; width 0: none */
    double from, to, px_cycle; /* pixels a cycle */
    float font;                /* size of texts in rows, scaled pixels */
    bool cells;                /* every issue has a cell of its own */
    VizSlots slots;
    GanttRow rows[GANTT_ROWS_MAX];
    int32_t row_count;
    int32_t op_rows;    /* the first so many rows */
    int32_t ops_hidden; /* ops in view that no lane has room for */
} Gantt;

/* The scale is set; finds the rows that fit and where they are. */
void gantt_lay_out(Gantt *g);
/* Whether op `op` shows in the range: by its run, or by its prediction. */
bool gantt_op_in_view(const Gantt *g, int32_t op);
bool gantt_op_predicted(const Gantt *g, int32_t op);
static inline bool gantt_op_ran(const Gantt *g, int32_t op) {
    return g->t->ops[op].start >= 0;
}

/* Where a cycle begins, whole pixels, held to a little beyond the plot. */
float gantt_x(const Gantt *g, double cycle);
/* The part of a row that is between two cycles, at least a pixel wide. */
VizRect gantt_span(const Gantt *g, const GanttRow *row, double from, double to);
/* The part of a box that is in the plot's width: where a text can be. */
VizRect gantt_visible(const Gantt *g, VizRect box);

void gantt_draw_ground(const Gantt *g); /* of the plot: ticks, what is outside the run, the cycle */
void gantt_draw_axis(const Gantt *g);   /* numbers and flags, and lines from them downward */
void gantt_draw_names(const Gantt *g);  /* the columns at the left and right */
/* Lanes that ops in view need when they share them, at most so many. */
int32_t gantt_lanes(const Gantt *g, int32_t most);
void gantt_draw_ops(Gantt *g); /* all lanes; counts what has no room */
/* One queue's bursts, and what many do: return the share that they use of the cycles in view. */
float gantt_draw_queue(const Gantt *g, const GanttRow *row);
float gantt_draw_strip(const Gantt *g, const GanttRow *row);

/* How a burst is filled in a row. */
VizFill gantt_fill(const Gantt *g, int32_t burst, int32_t op);

#endif
