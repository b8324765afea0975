/* raster_parts.h - what the files of the raster share: numbers, paints, rows of pixels.
 *
 * Positions are in 1/256 pixel ("fixed"), coverage is 0 .. 256.
 */
#ifndef TSP_VIZ_RASTER_PARTS_H
#define TSP_VIZ_RASTER_PARTS_H
#include "canvas_parts.h"
#include "raster.h"

enum { ONE = 256 };

/* A rectangle of pixels or of fixed positions, the far edges excluded. */
typedef struct {
    int32_t x0, y0, x1, y1;
} Box;

typedef struct {
    VizImage *image;
    Box clip; /* pixels, within the image */
    int32_t hatch_scale;
} Target;

/* What a shape is filled with: a plain colour, or one beside the pattern and one on it. */
typedef struct {
    uint32_t colour[2];   /* 0xffRRGGBB */
    uint32_t alpha[2];    /* 0 .. 255 */
    const uint8_t *hatch; /* rows of the pattern, bit x is column x; NULL for plain */
} Paint;

Paint raster_paint(const VizCommand *command);

/* To the nearest 1/256 pixel; what is not a number is far to the left. */
static inline int32_t to_fixed(double v) {
    const double far = (double)VIZ_FAR_PX * ONE;
    double f = v * ONE + 0.5;
    if (!(f > -far)) f = -far;
    if (f > far) f = far;
    /* made positive before it is cut, since a cut rounds towards zero */
    return (int32_t)(f + far) - VIZ_FAR_PX * ONE;
}

static inline int32_t least(int32_t a, int32_t b) {
    return a < b ? a : b;
}
static inline int32_t greatest(int32_t a, int32_t b) {
    return a > b ? a : b;
}
/* The pixel of a fixed position, and the first pixel that starts at it or behind it. */
static inline int32_t pixel_of(int32_t fixed) {
    return fixed >> 8;
}
static inline int32_t pixel_after(int32_t fixed) {
    return (fixed + ONE - 1) >> 8;
}
static inline Box common(Box a, Box b) {
    return (Box){greatest(a.x0, b.x0), greatest(a.y0, b.y0), least(a.x1, b.x1), least(a.y1, b.y1)};
}
static inline Box fixed_clip(const Target *t) {
    return (Box){t->clip.x0 * ONE, t->clip.y0 * ONE, t->clip.x1 * ONE, t->clip.y1 * ONE};
}

static inline uint32_t *row_of(const Target *t, int32_t y) {
    return t->image->pixels + (ptrdiff_t)y * t->image->stride;
}

/* The colour over what is there, alpha 0 .. 255: (c * a + p * (255 - a)) / 255, rounded, red and
 * blue in one word. */
static inline uint32_t mixed(uint32_t pixel, uint32_t colour, uint32_t alpha) {
    const uint32_t pairs = 0x00ff00ffu, rest = 255 - alpha;
    uint32_t rb = (colour & pairs) * alpha + (pixel & pairs) * rest + 0x00800080u;
    uint32_t g = (colour >> 8 & 0xffu) * alpha + (pixel >> 8 & 0xffu) * rest + 0x80u;
    rb = (rb + (rb >> 8 & pairs)) >> 8 & pairs;
    g = (g + (g >> 8)) >> 8;
    return 0xff000000u | g << 8 | rb;
}
static inline uint32_t covered_alpha(uint32_t alpha, int32_t coverage) {
    return (alpha * (uint32_t)coverage + ONE / 2) >> 8;
}

/* Pixels x0 .. x1 - 1 of row y, all covered alike. They must lie within the clip. */
void raster_span(const Target *t, const Paint *paint, int32_t y, int32_t x0, int32_t x1,
                 int32_t coverage);
/* Rectangles in fixed positions; of the second all that is not in the hole. */
void raster_rect(const Target *t, const Paint *paint, Box box);
void raster_frame(const Target *t, const Paint *paint, Box box, Box hole);

/* Convex shapes of a command: a line that lies across the pixels, a polygon, a circle, a ring. */
void raster_line(const Target *t, const Paint *paint, const VizCommand *command);
void raster_polygon(const Target *t, const Paint *paint, const VizPoint *points, int32_t count);
void raster_circle(const Target *t, const Paint *paint, const VizCommand *command);

#endif
