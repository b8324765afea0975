/* canvas.h - a draw list: what a frame shows, recorded as commands, and what lies under the mouse.
 *
 * Coordinates are pixels, x to the right and y down, (0, 0) the corner of the first pixel; edges
 * between pixels are anti-aliased, so a rectangle at whole numbers is sharp, and a line one pixel
 * wide is sharp along x = 10.5. Later commands cover earlier ones. Recording never fails at once:
 * what does not fit into memory is dropped, and viz_canvas_ok tells at the end of the frame.
 */
#ifndef TSP_VIZ_CANVAS_H
#define TSP_VIZ_CANVAS_H
#include "font.h"

typedef uint32_t VizColour; /* 0xRRGGBBAA, not premultiplied */

/* The second channel beside colour. Patterns repeat every 4 pixels (times the hatch scale) and are
 * anchored to the picture's corner. */
typedef enum {
    VIZ_HATCH_NONE,
    VIZ_HATCH_DIAGONAL,      /* rises to the right: / */
    VIZ_HATCH_BACK_DIAGONAL, /* falls to the right: \ */
    VIZ_HATCH_CROSS,         /* both */
    VIZ_HATCH_DOTS,
    VIZ_HATCH_HORIZONTAL,
    VIZ_HATCH_VERTICAL,
    VIZ_HATCHES
} VizHatch;

typedef struct {
    VizColour colour;
    VizHatch hatch;
    VizColour ink; /* of the hatch, drawn over the colour */
} VizFill;

typedef struct {
    float x, y, w, h;
} VizRect;
typedef struct {
    float x, y;
} VizPoint;

enum { VIZ_POLYGON_MAX = 8 };

typedef enum { VIZ_LEFT, VIZ_CENTRE, VIZ_RIGHT } VizAnchor;
/* What the y of a text is: its baseline, or the middle of its capitals. */
typedef enum { VIZ_BASELINE, VIZ_MIDDLE } VizVertical;

typedef struct {
    VizFace face;
    int32_t size_px;
    VizColour colour;
    VizAnchor anchor;
    VizVertical vertical;
    float max_width; /* a longer text ends in an ellipsis, or is dropped; 0 for no limit */
} VizTextStyle;

typedef struct VizCanvas VizCanvas;

/* The font measures and outlives the canvas. NULL if out of memory. */
VizCanvas *viz_canvas_new(VizFont *font);
void viz_canvas_free(VizCanvas *canvas); /* NULL is allowed */
/* Forgets all commands and clips, keeps the memory: once warm a frame allocates nothing. */
void viz_canvas_reset(VizCanvas *canvas);
/* Whether all was recorded: false and TSP_ERR_SYSTEM if memory ran out since the last reset, or
 * TSP_ERR_BUG if a clip was pushed and not popped, or popped and not pushed. */
bool viz_canvas_ok(const VizCanvas *canvas, TspError *err);
VizFont *viz_canvas_font(const VizCanvas *canvas);
/* Pixels of the screen to one of a hatch's pattern, 1 at first; 2 on a screen of twice the density.
 * Stays over a reset. */
void viz_canvas_set_hatch_scale(VizCanvas *canvas, int32_t scale);

static inline VizFill viz_plain(VizColour colour) {
    return (VizFill){colour, VIZ_HATCH_NONE, 0};
}

/* Shapes of no extent, or of a negative one, are left out. */
void viz_canvas_rect(VizCanvas *canvas, VizRect rect, VizFill fill);
/* The stroke lies inside the rectangle. */
void viz_canvas_outline(VizCanvas *canvas, VizRect rect, float width, VizColour colour);
/* Ends flush with its two points. */
void viz_canvas_line(VizCanvas *canvas, VizPoint from, VizPoint to, float width, VizColour colour);
/* Convex, 3 .. VIZ_POLYGON_MAX points in either sense of rotation; other counts are left out. */
void viz_canvas_polygon(VizCanvas *canvas, const VizPoint *points, int32_t count, VizFill fill);
void viz_canvas_circle(VizCanvas *canvas, VizPoint centre, float radius, VizFill fill);
/* The stroke lies inside the radius. */
void viz_canvas_ring(VizCanvas *canvas, VizPoint centre, float radius, float width,
                     VizColour colour);
/* One line of UTF-8, copied. Returns the pixels that it is wide, as drawn. */
float viz_canvas_text(VizCanvas *canvas, VizPoint at, VizTextStyle style, const char *text);
float viz_canvas_text_width(const VizCanvas *canvas, VizTextStyle style, const char *text);

/* Until the pop, only what lies in this rectangle, and in those around it, is drawn or picked. Its
 * edges are rounded to whole pixels. */
void viz_canvas_clip_push(VizCanvas *canvas, VizRect rect);
void viz_canvas_clip_pop(VizCanvas *canvas);

/* Marks a rectangle as belonging to a thing; what kind and id mean, the caller decides. */
void viz_canvas_region(VizCanvas *canvas, VizRect rect, int32_t kind, int64_t id);
/* The thing that was marked last at this point; false, and nothing written, if there is none. */
bool viz_canvas_pick(const VizCanvas *canvas, float x, float y, int32_t *kind, int64_t *id);

/* The list as text, one command a line, numbers with one decimal; the caller frees. NULL if out of
 * memory. Words as in canvas_dump.c. */
char *viz_canvas_dump(const VizCanvas *canvas);

#endif
