/* raster_fill.c - paints, rows of pixels and rectangles: most of what a frame is made of.
 */
#include "raster_parts.h"

enum { PATTERN = 4 }; /* pixels until a hatch repeats, in both directions */

static const uint8_t patterns[VIZ_HATCHES][PATTERN] = {
    [VIZ_HATCH_DIAGONAL] = {1, 8, 4, 2},    [VIZ_HATCH_BACK_DIAGONAL] = {1, 2, 4, 8},
    [VIZ_HATCH_CROSS] = {1, 10, 4, 10},     [VIZ_HATCH_DOTS] = {1, 0, 4, 0},
    [VIZ_HATCH_HORIZONTAL] = {15, 0, 0, 0}, [VIZ_HATCH_VERTICAL] = {1, 1, 1, 1},
};

/* One colour over another that may be translucent too: as both in turn over any ground. */
static uint32_t over(uint32_t top, uint32_t top_alpha, uint32_t low, uint32_t low_alpha,
                     uint32_t *alpha) {
    const uint32_t shown = low_alpha * (255 - top_alpha), sum = 255 * top_alpha + shown;
    uint32_t colour = 0xff;
    for (int32_t shift = 16; sum && shift >= 0; shift -= 8) {
        uint32_t parts = 255 * top_alpha * (top >> shift & 0xff) + shown * (low >> shift & 0xff);
        colour = colour << 8 | (parts + sum / 2) / sum;
    }
    *alpha = (sum + 127) / 255;
    return colour;
}

Paint raster_paint(const VizCommand *command) {
    Paint paint = {.colour = {0xff000000u | command->colour >> 8},
                   .alpha = {command->colour & 0xff}};
    const uint32_t ink_alpha = command->ink & 0xff;
    if (!command->hatch || !ink_alpha) return paint;
    paint.hatch = patterns[command->hatch];
    paint.colour[1] =
        over(command->ink >> 8, ink_alpha, command->colour >> 8, paint.alpha[0], &paint.alpha[1]);
    return paint;
}

static void hatched_span(const Target *t, const Paint *paint, int32_t y, int32_t x0, int32_t x1,
                         int32_t coverage) {
    const uint32_t alpha[2] = {covered_alpha(paint->alpha[0], coverage),
                               covered_alpha(paint->alpha[1], coverage)};
    const int32_t scale = t->hatch_scale;
    const uint32_t pattern = paint->hatch[y / scale & (PATTERN - 1)];
    uint32_t *row = row_of(t, y);
    if (scale == 1 && alpha[0] == 255) { /* ink on something opaque is opaque */
        for (int32_t x = x0; x < x1; x++)
            row[x] = paint->colour[pattern >> (x & (PATTERN - 1)) & 1];
        return;
    }
    for (int32_t x = x0; x < x1; x++) {
        const uint32_t on = pattern >> (x / scale & (PATTERN - 1)) & 1;
        row[x] = mixed(row[x], paint->colour[on], alpha[on]);
    }
}

static inline void span(const Target *t, const Paint *paint, int32_t y, int32_t x0, int32_t x1,
                        int32_t coverage) {
    const uint32_t colour = paint->colour[0], alpha = covered_alpha(paint->alpha[0], coverage);
    uint32_t *row = row_of(t, y);
    if (paint->hatch) {
        hatched_span(t, paint, y, x0, x1, coverage);
    } else if (alpha == 255) {
        for (int32_t x = x0; x < x1; x++) row[x] = colour;
    } else if (alpha) {
        for (int32_t x = x0; x < x1; x++) row[x] = mixed(row[x], colour, alpha);
    }
}

void raster_span(const Target *t, const Paint *paint, int32_t y, int32_t x0, int32_t x1,
                 int32_t coverage) {
    span(t, paint, y, x0, x1, coverage);
}

/* How much of pixel `at`, along one axis, lies between two fixed positions: 0 .. 256. */
static inline int32_t overlap(int32_t at, int32_t from, int32_t to) {
    return greatest(0, least(to, (at + 1) * ONE) - greatest(from, at * ONE));
}
static inline int32_t area(int32_t across, int32_t down) {
    return (across * down + ONE / 2) >> 8;
}

/* One row of a rectangle that covers `down` of the row's height. */
static inline void rect_row(const Target *t, const Paint *paint, Box box, int32_t y, int32_t down) {
    int32_t first = pixel_of(box.x0), end = pixel_after(box.x1);
    if (first + 1 == end) {
        span(t, paint, y, first, end, area(box.x1 - box.x0, down));
        return;
    }
    if (box.x0 & (ONE - 1)) {
        span(t, paint, y, first, first + 1, area(overlap(first, box.x0, box.x1), down));
        first++;
    }
    if (box.x1 & (ONE - 1)) {
        end--;
        span(t, paint, y, end, end + 1, area(overlap(end, box.x0, box.x1), down));
    }
    span(t, paint, y, first, end, down);
}

void raster_rect(const Target *t, const Paint *paint, Box box) {
    box = common(box, fixed_clip(t));
    if (box.x0 >= box.x1 || box.y0 >= box.y1) return;
    if (((box.x0 | box.x1 | box.y0 | box.y1) & (ONE - 1)) == 0) {
        for (int32_t y = pixel_of(box.y0); y < pixel_of(box.y1); y++)
            span(t, paint, y, pixel_of(box.x0), pixel_of(box.x1), ONE);
        return;
    }
    for (int32_t y = pixel_of(box.y0); y < pixel_after(box.y1); y++)
        rect_row(t, paint, box, y, overlap(y, box.y0, box.y1));
}

/* Pixels at the sides of the hole, where both may cover a part. */
static void frame_side(const Target *t, const Paint *paint, Box box, Box hole, int32_t y,
                       int32_t x0, int32_t x1) {
    const int32_t down = overlap(y, box.y0, box.y1), hole_down = overlap(y, hole.y0, hole.y1);
    for (int32_t x = x0; x < x1; x++) {
        int32_t coverage =
            area(overlap(x, box.x0, box.x1), down) - area(overlap(x, hole.x0, hole.x1), hole_down);
        if (coverage > 0) span(t, paint, y, x, x + 1, coverage);
    }
}

void raster_frame(const Target *t, const Paint *paint, Box box, Box hole) {
    box = common(box, fixed_clip(t));
    hole = common(hole, box);
    if (hole.x0 >= hole.x1 || hole.y0 >= hole.y1) {
        raster_rect(t, paint, box);
        return;
    }
    for (int32_t y = pixel_of(box.y0); y < pixel_after(box.y1); y++) {
        const int32_t down = overlap(y, box.y0, box.y1), hole_down = overlap(y, hole.y0, hole.y1);
        /* between these the hole covers whole pixels */
        int32_t inner = pixel_after(hole.x0), inner_end = pixel_of(hole.x1);
        if (!hole_down) {
            rect_row(t, paint, box, y, down);
            continue;
        }
        if (inner > inner_end) inner = inner_end;
        frame_side(t, paint, box, hole, y, pixel_of(box.x0), inner);
        if (down > hole_down && inner < inner_end)
            span(t, paint, y, inner, inner_end, down - hole_down);
        frame_side(t, paint, box, hole, y, inner_end, pixel_after(box.x1));
    }
}
