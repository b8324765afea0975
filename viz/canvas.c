/* canvas.c - records draw commands and finds what lies at a point.
 *
 * What lies wholly outside the clip is not recorded: most of a zoomed view is.
 */
#include "canvas_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ITEMS = 64 };

static const char ellipsis[] = "\xe2\x80\xa6";
static const VizRect everywhere = {-VIZ_FAR_PX, -VIZ_FAR_PX, 2 * VIZ_FAR_PX, 2 * VIZ_FAR_PX};

VizCanvas *viz_canvas_new(VizFont *font) {
    VizCanvas *canvas = calloc(1, sizeof *canvas);
    if (!canvas) return NULL;
    canvas->font = font;
    canvas->hatch_scale = 1;
    viz_canvas_reset(canvas);
    return canvas;
}

void viz_canvas_free(VizCanvas *canvas) {
    if (!canvas) return;
    free(canvas->commands.items);
    free(canvas->points.items);
    free(canvas->characters.items);
    free(canvas->clips.items);
    free(canvas);
}

void viz_canvas_reset(VizCanvas *canvas) {
    canvas->commands.count = 0;
    canvas->points.count = 0;
    canvas->characters.count = 0;
    canvas->clips.count = 0;
    canvas->clip = everywhere;
    canvas->pops_too_many = 0;
    canvas->out_of_memory = false;
}

bool viz_canvas_ok(const VizCanvas *canvas, TspError *err) {
    if (canvas->out_of_memory)
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the picture; zoom in");
    if (canvas->clips.count)
        return tsp_fail(err, TSP_ERR_BUG, "%zu clips of the picture were not popped",
                        canvas->clips.count);
    if (canvas->pops_too_many)
        return tsp_fail(err, TSP_ERR_BUG, "%d clips of the picture were popped and not pushed",
                        canvas->pops_too_many);
    return true;
}

VizFont *viz_canvas_font(const VizCanvas *canvas) {
    return canvas->font;
}

void viz_canvas_set_hatch_scale(VizCanvas *canvas, int32_t scale) {
    canvas->hatch_scale = scale < 1 ? 1 : scale;
}

/* -- memory -- */

/* Where the next `more` items go, counted as there from now on; NULL if there is no memory. */
static void *extend(VizCanvas *canvas, VizArray *array, size_t more, size_t item_bytes) {
    size_t wanted = array->capacity ? array->capacity : LEAST_ITEMS;
    char *items = array->items;
    while (wanted < array->count + more) wanted *= 2;
    if (wanted > array->capacity) {
        items = realloc(items, wanted * item_bytes);
        if (!items) {
            canvas->out_of_memory = true;
            return NULL;
        }
        array->items = items;
        array->capacity = wanted;
    }
    array->count += more;
    return items + (array->count - more) * item_bytes;
}

/* -- recording -- */

static bool has_area(VizRect rect) {
    return rect.w > 0 && rect.h > 0;
}

static bool outside(const VizCanvas *canvas, VizRect box) {
    const VizRect clip = canvas->clip;
    /* written so that a box with a NaN is outside */
    return !(has_area(clip) && box.x < clip.x + clip.w && box.x + box.w > clip.x &&
             box.y < clip.y + clip.h && box.y + box.h > clip.y);
}

static void append(VizCanvas *canvas, VizCommand command) {
    VizCommand *to = extend(canvas, &canvas->commands, 1, sizeof *to);
    if (to) *to = command;
}

static VizCommand filled(VizOp op, VizRect box, VizFill fill) {
    VizHatch hatch =
        fill.hatch > VIZ_HATCH_NONE && fill.hatch < VIZ_HATCHES ? fill.hatch : VIZ_HATCH_NONE;
    return (VizCommand){.op = (uint8_t)op,
                        .hatch = (uint8_t)hatch,
                        .box = box,
                        .colour = fill.colour,
                        .ink = hatch == VIZ_HATCH_NONE ? 0 : fill.ink};
}

static VizCommand stroked(VizOp op, VizRect box, float width, VizColour colour) {
    return (VizCommand){.op = (uint8_t)op, .box = box, .colour = colour, .width = width};
}

void viz_canvas_rect(VizCanvas *canvas, VizRect rect, VizFill fill) {
    if (!has_area(rect) || outside(canvas, rect)) return;
    append(canvas, filled(VIZ_OP_RECT, rect, fill));
}

void viz_canvas_outline(VizCanvas *canvas, VizRect rect, float width, VizColour colour) {
    if (!has_area(rect) || !(width > 0) || outside(canvas, rect)) return;
    append(canvas, stroked(VIZ_OP_OUTLINE, rect, width, colour));
}

static VizRect around(const VizPoint *points, int32_t count) {
    float x0 = points[0].x, x1 = x0, y0 = points[0].y, y1 = y0;
    for (int32_t i = 1; i < count; i++) {
        if (points[i].x < x0) x0 = points[i].x;
        if (points[i].x > x1) x1 = points[i].x;
        if (points[i].y < y0) y0 = points[i].y;
        if (points[i].y > y1) y1 = points[i].y;
    }
    return (VizRect){x0, y0, x1 - x0, y1 - y0};
}

void viz_canvas_line(VizCanvas *canvas, VizPoint from, VizPoint to, float width, VizColour colour) {
    const VizPoint ends[] = {from, to};
    VizRect box = around(ends, 2);
    box = (VizRect){box.x - width, box.y - width, box.w + 2 * width, box.h + 2 * width};
    if (!(width > 0) || (from.x == to.x && from.y == to.y) || outside(canvas, box)) return;
    append(canvas, stroked(VIZ_OP_LINE, (VizRect){from.x, from.y, to.x, to.y}, width, colour));
}

void viz_canvas_polygon(VizCanvas *canvas, const VizPoint *points, int32_t count, VizFill fill) {
    VizCommand command;
    VizPoint *to;
    VizRect box;
    if (count < 3 || count > VIZ_POLYGON_MAX) return;
    box = around(points, count);
    if (!has_area(box) || outside(canvas, box)) return;
    to = extend(canvas, &canvas->points, (size_t)count, sizeof *to);
    if (!to) return;
    memcpy(to, points, (size_t)count * sizeof *to);
    command = filled(VIZ_OP_POLYGON, box, fill);
    command.count = count;
    command.first = to - (const VizPoint *)canvas->points.items;
    append(canvas, command);
}

static bool circle_outside(const VizCanvas *canvas, VizPoint centre, float radius) {
    return !(radius > 0) ||
           outside(canvas, (VizRect){centre.x - radius, centre.y - radius, 2 * radius, 2 * radius});
}

void viz_canvas_circle(VizCanvas *canvas, VizPoint centre, float radius, VizFill fill) {
    if (circle_outside(canvas, centre, radius)) return;
    append(canvas, filled(VIZ_OP_CIRCLE, (VizRect){centre.x, centre.y, radius, radius}, fill));
}

void viz_canvas_ring(VizCanvas *canvas, VizPoint centre, float radius, float width,
                     VizColour colour) {
    if (!(width > 0) || circle_outside(canvas, centre, radius)) return;
    append(canvas,
           stroked(VIZ_OP_RING, (VizRect){centre.x, centre.y, radius, radius}, width, colour));
}

/* -- text -- */

float viz_canvas_text_width(const VizCanvas *canvas, VizTextStyle style, const char *text) {
    return (float)viz_font_width(canvas->font, style.face, style.size_px, text, strlen(text));
}

/* Copies the first bytes of a text, and a tail, behind the characters; false without memory. */
static bool keep_text(VizCanvas *canvas, const char *text, size_t length, const char *tail) {
    size_t tail_length = strlen(tail);
    char *to = extend(canvas, &canvas->characters, length + tail_length + 1, 1);
    if (!to) return false;
    memcpy(to, text, length);
    memcpy(to + length, tail, tail_length + 1);
    return true;
}

float viz_canvas_text(VizCanvas *canvas, VizPoint at, VizTextStyle style, const char *text) {
    VizFont *font = canvas->font;
    size_t length = strlen(text), start = canvas->characters.count;
    float width = viz_canvas_text_width(canvas, style, text), left = at.x, base = at.y;
    const char *tail = "";
    VizCommand command;
    if (style.max_width > 0 && width > style.max_width) {
        float dots = viz_canvas_text_width(canvas, style, ellipsis);
        if (style.max_width < dots) return 0;
        length =
            viz_font_fit(font, style.face, style.size_px, text, (int32_t)(style.max_width - dots));
        width = dots + (float)viz_font_width(font, style.face, style.size_px, text, length);
        tail = ellipsis;
    }
    if (length == 0) return 0;
    if (style.anchor != VIZ_LEFT) left -= style.anchor == VIZ_CENTRE ? width / 2 : width;
    if (style.vertical == VIZ_MIDDLE)
        base += (float)viz_font_cap_height(font, style.face, style.size_px) / 2;
    /* an em to each side of the baseline holds every glyph of the three faces */
    if (outside(canvas, (VizRect){left - (float)style.size_px, base - 2 * (float)style.size_px,
                                  width + 2 * (float)style.size_px, 4 * (float)style.size_px}))
        return width;
    if (!keep_text(canvas, text, length, tail)) return width;
    command = stroked(VIZ_OP_TEXT, (VizRect){left, base, width, 0}, 0, style.colour);
    command.face = (uint8_t)style.face;
    command.count = style.size_px;
    command.first = (int64_t)start;
    append(canvas, command);
    return width;
}

/* -- clips and regions -- */

static float nearest(float v) {
    return floorf(v + 0.5f);
}

/* The part of a rectangle within another; no extent if there is none. */
static VizRect within(VizRect rect, VizRect bounds) {
    float x0 = rect.x > bounds.x ? rect.x : bounds.x, y0 = rect.y > bounds.y ? rect.y : bounds.y;
    float x1 = rect.x + rect.w, y1 = rect.y + rect.h;
    if (x1 > bounds.x + bounds.w) x1 = bounds.x + bounds.w;
    if (y1 > bounds.y + bounds.h) y1 = bounds.y + bounds.h;
    return (VizRect){x0, y0, x1 > x0 ? x1 - x0 : 0, y1 > y0 ? y1 - y0 : 0};
}

void viz_canvas_clip_push(VizCanvas *canvas, VizRect rect) {
    const float x = nearest(rect.x), y = nearest(rect.y);
    const VizRect whole = {x, y, nearest(rect.x + rect.w) - x, nearest(rect.y + rect.h) - y};
    VizRect *outer = extend(canvas, &canvas->clips, 1, sizeof *outer);
    if (!outer) return;
    *outer = canvas->clip;
    canvas->clip = within(whole, canvas->clip);
    append(canvas, stroked(VIZ_OP_CLIP, canvas->clip, 0, 0));
}

void viz_canvas_clip_pop(VizCanvas *canvas) {
    if (!canvas->clips.count) {
        canvas->pops_too_many += !canvas->out_of_memory;
        return;
    }
    canvas->clip = ((const VizRect *)canvas->clips.items)[--canvas->clips.count];
    append(canvas, stroked(VIZ_OP_UNCLIP, canvas->clip, 0, 0));
}

void viz_canvas_region(VizCanvas *canvas, VizRect rect, int32_t kind, int64_t id) {
    VizCommand command;
    if (!has_area(rect) || outside(canvas, rect)) return;
    command = stroked(VIZ_OP_REGION, within(rect, canvas->clip), 0, 0);
    command.count = kind;
    command.first = id;
    append(canvas, command);
}

bool viz_canvas_pick(const VizCanvas *canvas, float x, float y, int32_t *kind, int64_t *id) {
    for (size_t i = canvas->commands.count; i-- > 0;) {
        const VizCommand *c = viz_command_at(canvas, i);
        if (c->op != VIZ_OP_REGION || x < c->box.x || x >= c->box.x + c->box.w || y < c->box.y ||
            y >= c->box.y + c->box.h)
            continue;
        *kind = c->count;
        *id = c->first;
        return true;
    }
    return false;
}
