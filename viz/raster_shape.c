/* raster_shape.c - lines, polygons and circles: convex shapes, sampled along 16 lines a pixel.
 *
 * A line across a convex shape meets it once, so a pixel's coverage is the sum of the parts of 16
 * such lines within the pixel; a ring is a circle less a circle.
 */
#include "raster_parts.h"

#include <math.h>

enum { LINES = 16, STEP = ONE / LINES };

/* An edge from the higher to the lower end, or a circle; all fixed positions. */
typedef struct {
    int32_t x0, y0, x1, y1;
} Edge;
typedef struct {
    Edge edges[VIZ_POLYGON_MAX];
    int32_t count;          /* 0: a circle */
    int32_t x, y, radius;   /* of the circle */
    int32_t first_y, end_y; /* the shape lies between them */
} Shape;

/* Where the lines of one row of pixels meet a shape: from <= x < to; both 0 where they don't. */
typedef struct {
    int32_t from[LINES], to[LINES];
    int32_t met;                 /* lines that meet it */
    int32_t leftmost, rightmost; /* of all lines that meet it */
    int32_t full, full_end;      /* pixels that all lines cover whole; none if full >= full_end */
} Crossing;

static bool cross_circle(const Shape *shape, int32_t y, int32_t *from, int32_t *to) {
    const int64_t dy = y - shape->y, radius = shape->radius, square = radius * radius - dy * dy;
    int32_t half;
    if (square <= 0) return false;
    half = (int32_t)sqrt((double)square); /* IEEE: the same everywhere */
    *from = shape->x - half;
    *to = shape->x + half;
    return half > 0;
}

static bool cross_edges(const Shape *shape, int32_t y, int32_t *from, int32_t *to) {
    bool any = false;
    for (int32_t i = 0; i < shape->count; i++) {
        const Edge *e = &shape->edges[i];
        int32_t x;
        if (y < e->y0 || y >= e->y1) continue;
        x = e->x0 + (int32_t)((int64_t)(e->x1 - e->x0) * (y - e->y0) / (e->y1 - e->y0));
        *from = any ? least(*from, x) : x;
        *to = any ? greatest(*to, x) : x;
        any = true;
    }
    return any && *from < *to;
}

static Crossing cross(const Shape *shape, int32_t row, Box clip) {
    Crossing c = {.leftmost = clip.x1, .rightmost = clip.x0, .full = clip.x0, .full_end = clip.x1};
    for (int32_t line = 0; line < LINES; line++) {
        const int32_t y = row * ONE + line * STEP + STEP / 2;
        int32_t from = 0, to = 0;
        bool meets =
            shape->count ? cross_edges(shape, y, &from, &to) : cross_circle(shape, y, &from, &to);
        from = greatest(from, clip.x0), to = least(to, clip.x1);
        if (!meets || from >= to) continue;
        c.from[line] = from, c.to[line] = to;
        c.leftmost = least(c.leftmost, from), c.rightmost = greatest(c.rightmost, to);
        c.full = greatest(c.full, from), c.full_end = least(c.full_end, to);
        c.met++;
    }
    c.full = c.met == LINES ? pixel_after(c.full) : 0;
    c.full_end = c.met == LINES ? pixel_of(c.full_end) : 0;
    return c;
}

/* Of a pixel: 0 .. LINES * ONE. */
static int32_t sum_at(const Crossing *c, int32_t x) {
    int32_t sum = 0;
    for (int32_t line = 0; line < LINES; line++)
        sum += greatest(0, least(c->to[line], (x + 1) * ONE) - greatest(c->from[line], x * ONE));
    return sum;
}

static void edge_pixels(const Target *t, const Paint *paint, const Crossing *c,
                        const Crossing *hole, int32_t y, int32_t x0, int32_t x1) {
    for (int32_t x = x0; x < x1; x++) {
        int32_t sum = sum_at(c, x) - (hole->met ? sum_at(hole, x) : 0);
        int32_t coverage = (sum + LINES / 2) / LINES;
        if (coverage > 0) raster_span(t, paint, y, x, x + 1, coverage);
    }
}

/* A row of the shape; where there is a hole, pixel by pixel up to what the hole covers whole. */
static void shape_row(const Target *t, const Paint *paint, const Crossing *c, const Crossing *hole,
                      int32_t y) {
    int32_t first = pixel_of(c->leftmost), end = pixel_after(c->rightmost);
    int32_t same = hole->met ? hole->full : c->full,
            same_end = hole->met ? hole->full_end : c->full_end;
    if (same >= same_end) same = same_end = end;
    edge_pixels(t, paint, c, hole, y, first, same);
    if (!hole->met && same < same_end) raster_span(t, paint, y, same, same_end, ONE);
    edge_pixels(t, paint, c, hole, y, same_end, end);
}

static void draw(const Target *t, const Paint *paint, const Shape *shape, const Shape *hole) {
    static const Crossing nothing;
    const Box clip = fixed_clip(t);
    const int32_t first = greatest(t->clip.y0, pixel_of(shape->first_y));
    const int32_t end = least(t->clip.y1, pixel_after(shape->end_y));
    for (int32_t y = first; y < end; y++) {
        const Crossing outer = cross(shape, y, clip);
        if (!outer.met) continue;
        if (hole) {
            const Crossing inner = cross(hole, y, clip);
            shape_row(t, paint, &outer, &inner, y);
        } else {
            shape_row(t, paint, &outer, &nothing, y);
        }
    }
}

void raster_polygon(const Target *t, const Paint *paint, const VizPoint *points, int32_t count) {
    Shape shape = {.first_y = INT32_MAX, .end_y = INT32_MIN};
    for (int32_t i = 0; i < count; i++) {
        const VizPoint *a = &points[i], *b = &points[i + 1 < count ? i + 1 : 0];
        Edge e = {to_fixed(a->x), to_fixed(a->y), to_fixed(b->x), to_fixed(b->y)};
        /* from above, so that neighbours compute a shared edge alike */
        if (e.y0 > e.y1) e = (Edge){e.x1, e.y1, e.x0, e.y0};
        if (e.y0 == e.y1) continue;
        shape.edges[shape.count++] = e;
        shape.first_y = least(shape.first_y, e.y0);
        shape.end_y = greatest(shape.end_y, e.y1);
    }
    if (shape.count) draw(t, paint, &shape, NULL);
}

void raster_line(const Target *t, const Paint *paint, const VizCommand *command) {
    const double x0 = command->box.x, y0 = command->box.y, x1 = command->box.w, y1 = command->box.h;
    const double half = (double)command->width / 2, dx = x1 - x0, dy = y1 - y0;
    const double length = sqrt(dx * dx + dy * dy);
    const double across = -dy / length * half, down = dx / length * half;
    if (dx == 0 || dy == 0) { /* along the pixels: exact as a rectangle */
        const double w = dx == 0 ? half : 0, h = dy == 0 ? half : 0;
        raster_rect(t, paint,
                    (Box){to_fixed((x0 < x1 ? x0 : x1) - w), to_fixed((y0 < y1 ? y0 : y1) - h),
                          to_fixed((x0 < x1 ? x1 : x0) + w), to_fixed((y0 < y1 ? y1 : y0) + h)});
        return;
    }
    raster_polygon(t, paint,
                   (VizPoint[]){{(float)(x0 + across), (float)(y0 + down)},
                                {(float)(x1 + across), (float)(y1 + down)},
                                {(float)(x1 - across), (float)(y1 - down)},
                                {(float)(x0 - across), (float)(y0 - down)}},
                   4);
}

static Shape circle(double x, double y, double radius) {
    Shape shape = {.x = to_fixed(x), .y = to_fixed(y), .radius = to_fixed(radius)};
    shape.first_y = shape.y - shape.radius;
    shape.end_y = shape.y + shape.radius;
    return shape;
}

void raster_circle(const Target *t, const Paint *paint, const VizCommand *command) {
    const VizRect *box = &command->box;
    const Shape outer = circle(box->x, box->y, box->w);
    const Shape inner = circle(box->x, box->y, (double)box->w - (double)command->width);
    draw(t, paint, &outer, command->op == VIZ_OP_RING && inner.radius > 0 ? &inner : NULL);
}
