/* raster.c - walks through a draw list: clips, glyphs, and each command to who can draw it.
 */
#include "raster_parts.h"

#include <stdlib.h>

bool viz_image_new(VizImage *image, int32_t width, int32_t height, TspError *err) {
    *image = (VizImage){NULL, width, height, width};
    if (width > 0 && height > 0)
        image->pixels = calloc((size_t)width * (size_t)height, sizeof *image->pixels);
    return image->pixels || tsp_fail(err, TSP_ERR_SYSTEM,
                                     "no memory for a picture of %d x %d pixels", width, height);
}

void viz_image_free(VizImage *image) {
    free(image->pixels);
    *image = (VizImage){0};
}

void viz_raster_clear(VizImage *image, VizColour colour) {
    for (int32_t y = 0; y < image->height; y++)
        for (int32_t x = 0; x < image->width; x++)
            image->pixels[(ptrdiff_t)y * image->stride + x] = 0xff000000u | colour >> 8;
}

static Box fixed_box(const VizRect *rect, double inset) {
    return (Box){to_fixed((double)rect->x + inset), to_fixed((double)rect->y + inset),
                 to_fixed((double)rect->x + (double)rect->w - inset),
                 to_fixed((double)rect->y + (double)rect->h - inset)};
}

/* -- one function for each command that draws -- */

typedef void Draw(const Target *t, const VizCanvas *canvas, const VizCommand *command);

static void draw_rect(const Target *t, const VizCanvas *canvas, const VizCommand *command) {
    const Paint paint = raster_paint(command);
    (void)canvas;
    raster_rect(t, &paint, fixed_box(&command->box, 0));
}

static void draw_outline(const Target *t, const VizCanvas *canvas, const VizCommand *command) {
    const Paint paint = raster_paint(command);
    (void)canvas;
    raster_frame(t, &paint, fixed_box(&command->box, 0),
                 fixed_box(&command->box, (double)command->width));
}

static void draw_line(const Target *t, const VizCanvas *canvas, const VizCommand *command) {
    const Paint paint = raster_paint(command);
    (void)canvas;
    raster_line(t, &paint, command);
}

static void draw_polygon(const Target *t, const VizCanvas *canvas, const VizCommand *command) {
    const Paint paint = raster_paint(command);
    raster_polygon(t, &paint, viz_polygon_points(canvas, command), command->count);
}

static void draw_circle(const Target *t, const VizCanvas *canvas, const VizCommand *command) {
    const Paint paint = raster_paint(command);
    (void)canvas;
    raster_circle(t, &paint, command);
}

static void draw_glyph(const Target *t, const Paint *paint, const VizGlyph *glyph, int32_t x,
                       int32_t y) {
    const Box at = {x + glyph->left, y - glyph->top, x + glyph->left + glyph->width,
                    y - glyph->top + glyph->height};
    const Box box = common(at, t->clip);
    for (int32_t row = box.y0; row < box.y1; row++) {
        const uint8_t *coverage = glyph->coverage + (row - at.y0) * glyph->width;
        uint32_t *pixels = row_of(t, row);
        for (int32_t column = box.x0; column < box.x1; column++) {
            const uint32_t alpha = (paint->alpha[0] * coverage[column - at.x0] + 127) / 255;
            if (alpha) pixels[column] = mixed(pixels[column], paint->colour[0], alpha);
        }
    }
}

static void draw_text(const Target *t, const VizCanvas *canvas, const VizCommand *command) {
    const Paint paint = raster_paint(command);
    const char *text = viz_text_characters(canvas, command);
    const int32_t y = pixel_of(to_fixed((double)command->box.y + 0.5));
    int32_t x = pixel_of(to_fixed((double)command->box.x + 0.5));
    while (*text && x < t->clip.x1 + 2 * command->count) {
        const VizGlyph *glyph = viz_font_glyph(canvas->font, (VizFace)command->face, command->count,
                                               viz_utf8_next(&text));
        draw_glyph(t, &paint, glyph, x, y);
        x += glyph->advance;
    }
}

static Draw *const draws[VIZ_OPS] = {
    [VIZ_OP_RECT] = draw_rect,       [VIZ_OP_OUTLINE] = draw_outline, [VIZ_OP_LINE] = draw_line,
    [VIZ_OP_POLYGON] = draw_polygon, [VIZ_OP_CIRCLE] = draw_circle,   [VIZ_OP_RING] = draw_circle,
    [VIZ_OP_TEXT] = draw_text,
};

void viz_raster_draw(const VizCanvas *canvas, VizImage *image) {
    const Box whole = {0, 0, image->width, image->height};
    Target target = {image, whole, canvas->hatch_scale};
    for (size_t i = 0; i < canvas->commands.count; i++) {
        const VizCommand *command = viz_command_at(canvas, i);
        if (command->op == VIZ_OP_CLIP || command->op == VIZ_OP_UNCLIP) {
            const Box box = fixed_box(&command->box, 0);
            target.clip = common(
                (Box){pixel_of(box.x0), pixel_of(box.y0), pixel_of(box.x1), pixel_of(box.y1)},
                whole);
        } else if (draws[command->op]) {
            draws[command->op](&target, canvas, command);
        }
    }
}
