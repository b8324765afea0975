/* canvas_parts.h - the commands of a draw list, for those who walk through it.
 */
#ifndef TSP_VIZ_CANVAS_PARTS_H
#define TSP_VIZ_CANVAS_PARTS_H
#include "canvas.h"

typedef enum {
    VIZ_OP_RECT,
    VIZ_OP_OUTLINE,
    VIZ_OP_LINE,
    VIZ_OP_POLYGON,
    VIZ_OP_CIRCLE,
    VIZ_OP_RING,
    VIZ_OP_TEXT,
    VIZ_OP_CLIP,   /* box: what may be drawn from here on, whole numbers */
    VIZ_OP_UNCLIP, /* the same, so that nobody needs a stack */
    VIZ_OP_REGION,
    VIZ_OPS
} VizOp;

typedef struct {
    uint8_t op, hatch, face;
    int32_t count; /* polygon: points; text: size in px; region: kind */
    /* A line: its two points. A polygon: the box around it. A circle, a ring: centre, radius. A
     * text: left end of the baseline, width, 0. */
    VizRect box;
    VizColour colour, ink;
    float width;   /* of strokes */
    int64_t first; /* polygon: in points; text: in characters; region: id */
} VizCommand;

/* Grows, and keeps its memory when the canvas forgets. */
typedef struct {
    void *items;
    size_t count, capacity;
} VizArray;

struct VizCanvas {
    VizFont *font;
    VizArray commands;   /* of VizCommand */
    VizArray points;     /* of VizPoint */
    VizArray characters; /* texts, each with its end */
    VizArray clips;      /* of VizRect, pushed and not popped */
    VizRect clip;        /* in force */
    int32_t hatch_scale;
    int32_t pops_too_many;
    bool out_of_memory;
};

static inline const VizCommand *viz_command_at(const VizCanvas *canvas, size_t i) {
    return (const VizCommand *)canvas->commands.items + i;
}
static inline const VizPoint *viz_polygon_points(const VizCanvas *canvas, const VizCommand *c) {
    return (const VizPoint *)canvas->points.items + c->first;
}
static inline const char *viz_text_characters(const VizCanvas *canvas, const VizCommand *c) {
    return (const char *)canvas->characters.items + c->first;
}

/* Larger coordinates are cut to this, so that 1/256 pixel fits into 32 bits. */
enum { VIZ_FAR_PX = 1 << 20 };

#endif
