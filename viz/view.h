/* view.h - how a run is looked at: cycle, zoom, selection, theme. With the program this is all that
 * a picture depends on.
 */
#ifndef TSP_VIZ_VIEW_H
#define TSP_VIZ_VIEW_H
#include "run.h"
#include "theme.h"

/* Things that can be pointed at, in whichever panel. Their ids: */
typedef enum {
    VIZ_NOTHING,
    VIZ_QUEUE,      /* queue id: a unit */
    VIZ_BURST,      /* index in timeline.bursts: an instruction with its Repeat */
    VIZ_OP,         /* index in program->ops */
    VIZ_TENSOR,     /* index in program->tensors */
    VIZ_REGISTER,   /* stream * TSP_MAX_COLUMNS + column, of superlane 0; see viz_register() */
    VIZ_ROW,        /* slice * rows of a slice + row of memory */
    VIZ_CYCLE,      /* cycle: a place on the time axis */
    VIZ_PANEL_AREA, /* VizPanel: the ground of a panel, under all else in it */
} VizKind;

typedef struct {
    VizKind kind;
    int64_t id;
} VizThing;

static inline int64_t viz_register(int32_t stream, int32_t column) {
    return (int64_t)stream * TSP_MAX_COLUMNS + column;
}

/* In the order of Tab. */
typedef enum {
    VIZ_CHIP,
    VIZ_GANTT,
    VIZ_QUEUES,
    VIZ_MEMORY,
    VIZ_GRAPH,
    VIZ_INSPECTOR,
    VIZ_PANELS
} VizPanel;

enum { VIZ_MARKS = 9, VIZ_SEARCH_MAX = 64, VIZ_CAPTION_MAX = 400 };

typedef struct {
    int64_t cycle;          /* looked at */
    float phase;            /* 0 .. 1: of the way to the next cycle; motion between cycles */
    float scale;            /* of text and lines: 1, 2 on a screen of twice the density */
    int32_t theme, palette; /* numbers for viz_theme(), viz_palette() */
    VizThing selected, hovered;
    VizPanel focus;
    bool maximised; /* the panel in focus has the whole window */
    /* The chip: what part of it fills its panel. Centre in floorplan units (see chip.h), and how
     * many times higher than the fit a superlane is; columns widen by the root of it. */
    double chip_x, chip_y, chip_zoom;
    /* The time axis: cycles at the left and right edge of the Gantt. from >= to: the whole run. */
    double from, to;
    bool help;                     /* the overlay with the keys */
    bool playing;                  /* shown, not done here */
    double speed_cycles;           /* a second, when playing */
    int64_t mark[VIZ_MARKS];       /* cycles, -1: not set */
    char search[VIZ_SEARCH_MAX];   /* highlights what has this in its name; "" nothing */
    char caption[VIZ_CAPTION_MAX]; /* shown at the foot, "" none: the tour, a question, an error */
} VizView;

/* The whole chip, cycle 0, dark, nothing selected. */
void viz_view_init(VizView *view);

/* What a panel draws with. `px` is a scaled pixel: multiply lengths by it; text sizes too. */
typedef struct {
    const VizRun *run;
    const VizView *view;
    VizCanvas *canvas;
    const VizTheme *theme;
    const VizPalette *palette;
    VizRect area; /* of the panel's inside: below its title */
    float px;
} VizFrame;

/* What is selected (or hovered), seen from every panel; -1 where it has no such side. A burst has a
 * queue, an op and a tensor; a queue has no more than itself. */
typedef struct {
    int32_t queue, burst, op, tensor;
    int32_t stream, column;
    int32_t slice, row;
    int64_t cycle;
} VizFocus;
VizFocus viz_focus(const VizRun *run, VizThing thing);
/* Whether something of this op and tensor (-1: none) goes with the selection, for dimming the rest:
 * also true if nothing is selected. */
bool viz_goes_with(const VizFocus *focus, int32_t op, int32_t tensor);

/* One fill a tensor, and one an op (that of the tensor it writes), in every panel; for what belongs
 * to none the theme's busy colour. */
VizFill viz_tensor_fill(const VizFrame *frame, int32_t tensor);
VizFill viz_op_fill(const VizFrame *frame, int32_t op);

VizTextStyle viz_style(const VizFrame *frame, VizFace face, float size, VizRole role);

/* -- the panels, each in its file -- */
void viz_chip_draw(const VizFrame *frame);
void viz_gantt_draw(const VizFrame *frame);
void viz_queues_draw(const VizFrame *frame);
void viz_memory_draw(const VizFrame *frame);
void viz_graph_draw(const VizFrame *frame);
void viz_inspector_draw(const VizFrame *frame);

/* The whole picture, width x height pixels: header, panels with titles, caption, help. Records
 * regions for picking. The run must have been taken to view->cycle (viz_run_look). */
void viz_scene_draw(const VizRun *run, const VizView *view, VizCanvas *canvas, int32_t width,
                    int32_t height);
/* Where a panel's inside is in such a picture; width 0 if it is not shown. */
VizRect viz_scene_area(const VizView *view, VizPanel panel, int32_t width, int32_t height);
const char *viz_panel_name(VizPanel panel);

#endif
