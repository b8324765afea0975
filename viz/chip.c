/* chip.c - the floorplan: superlanes with every vector where it is, a superlane a cycle behind the
 * one before it.
 *
 * A band is a superlane, a row in it a stream that the program drives: eastward ones above,
 * westward ones below. A vector is a box on its row, pointed the way it goes where there is room,
 * dim once nobody will take it any more. Units stand above the bands (chip_units.c).
 */
#include "chip_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

VizChipMap viz_chip_map(const VizRun *run, const VizView *view, VizRect area) {
    const float columns = (float)tsp_columns(run->m);
    const float rows = (float)run->m->superlanes + VIZ_CHIP_UNITS;
    const float zoom = view->chip_zoom > 1 ? (float)view->chip_zoom : 1;
    /* A superlane has to grow from a line to dozens of rows of text, a column only to a line of it.
     */
    VizChipMap map = {.sx = area.w / columns * sqrtf(zoom), .sy = area.h / rows * zoom};
    map.x0 = area.x;
    map.y0 = area.y + VIZ_CHIP_UNITS * map.sy;
    if (zoom > 1) {
        map.x0 = area.x + area.w / 2 - (float)view->chip_x * map.sx;
        map.y0 = area.y + area.h / 2 - (float)view->chip_y * map.sy;
    }
    return map;
}

/* -- the ground -- */

static bool visible(const ChipPicture *c, VizRect r) {
    const VizRect a = c->frame->area;
    return r.x < a.x + a.w && r.x + r.w > a.x && r.y < a.y + a.h && r.y + r.h > a.y;
}

static void draw_ground(const ChipPicture *c) {
    const VizFrame *frame = c->frame;
    const int32_t columns = tsp_columns(frame->run->m),
                  superlanes = (int32_t)frame->run->m->superlanes;
    const VizColour grid = viz_colour(frame->theme, VIZ_GRID);
    const VizColour band = viz_with_alpha(viz_colour(frame->theme, VIZ_RAISED), 140);
    const float right = c->map.x0 + (float)columns * c->map.sx;
    const float bottom = c->map.y0 + (float)superlanes * c->map.sy;
    VizTextStyle style = viz_style(frame, VIZ_MONO, 9, VIZ_TEXT_DIM);
    style.vertical = VIZ_MIDDLE;
    for (int32_t k = 0; k < superlanes; k += 2)
        viz_canvas_rect(frame->canvas,
                        (VizRect){c->map.x0, chip_y(c, (float)k), right - c->map.x0, c->map.sy},
                        viz_plain(band));
    for (int32_t p = 0; p <= columns; p++)
        viz_canvas_rect(frame->canvas,
                        (VizRect){chip_x(c, (float)p), c->map.y0, frame->theme->line_px * frame->px,
                                  bottom - c->map.y0},
                        viz_plain(grid));
    if (c->map.sy < 11 * frame->px) return;
    for (int32_t k = 0; k < superlanes; k++) {
        char text[16];
        float x = chip_x(c, 0) + 2 * frame->px;
        if (x < frame->area.x) x = frame->area.x + 2 * frame->px; /* stays in sight */
        snprintf(text, sizeof text, "%d", (int)k);
        viz_canvas_text(frame->canvas, (VizPoint){x, chip_y(c, (float)k + 0.5f)}, style, text);
    }
}

/* -- vectors -- */

static void value_text(const ChipPicture *c, const VizDrive *drive, const uint8_t *bytes, VizRect r,
                       VizColour ink) {
    const VizFrame *frame = c->frame;
    const int32_t tile = (int32_t)frame->run->m->lanes_per_superlane;
    VizTextStyle style = viz_style(frame, VIZ_MONO, 11, VIZ_TEXT);
    const float lane = (r.w - 12 * frame->px) / (float)tile;
    const float digits = viz_canvas_text_width(frame->canvas, style, "00");
    const bool narrow = lane < digits + 2 * frame->px;
    const TspTensor *t = drive->tensor >= 0 ? &frame->run->program->tensors[drive->tensor] : NULL;
    const bool decimal =
        t && t->dtype == TSP_I8 && r.h > 30 * frame->px && lane > 2 * digits + 2 * frame->px;
    style.colour = ink;
    style.vertical = VIZ_MIDDLE;
    style.anchor = VIZ_CENTRE;
    if (narrow) { /* as many as fit, from lane 0 on */
        char text[8];
        if (r.w < digits + 8 * frame->px) return;
        snprintf(text, sizeof text, "%02x", bytes[0]);
        viz_canvas_text(frame->canvas, (VizPoint){r.x + r.w / 2, r.y + r.h / 2}, style, text);
        return;
    }
    for (int32_t i = 0; i < tile; i++) {
        const float x = r.x + 6 * frame->px + ((float)i + 0.5f) * lane;
        char text[16];
        snprintf(text, sizeof text, "%02x", bytes[i]);
        viz_canvas_text(frame->canvas, (VizPoint){x, r.y + r.h / 2 - (decimal ? 7 * frame->px : 0)},
                        style, text);
        if (!decimal) continue;
        snprintf(text, sizeof text, "%d", (int)(int8_t)bytes[i]);
        viz_canvas_text(frame->canvas, (VizPoint){x, r.y + r.h / 2 + 7 * frame->px}, style, text);
    }
}

static void draw_vector(const ChipPicture *c, const VizDrive *drive, int32_t superlane,
                        int32_t column) {
    const VizFrame *frame = c->frame;
    const bool east = TSP_STREAM_DIRECTION(drive->stream) == TSP_EASTWARD;
    const float phase = frame->view->phase;
    const float at = (float)column + (east ? phase : -phase), row = c->row_height;
    VizFill fill = viz_tensor_fill(frame, drive->tensor);
    const bool over = east ? column > drive->last_used : column < drive->last_used;
    const bool done = drive->last_used < 0 || over;
    VizRect r = {chip_x(c, at) + 0.06f * c->map.sx,
                 chip_y(c, (float)superlane) + row * (float)c->row_of_stream[drive->stream],
                 0.88f * c->map.sx, row};
    const uint8_t *bytes;
    if (!visible(c, r)) return;
    if (row > 3 * frame->px) r.y += 0.08f * row, r.h = 0.84f * row;
    if (row < 3 * frame->px || c->map.sx < 12 * frame->px) fill.hatch = VIZ_HATCH_NONE;
    if (done)
        fill.colour = viz_with_alpha(fill.colour, 70), fill.ink = viz_with_alpha(fill.ink, 70);
    if (!viz_goes_with(&c->focus, drive->op, drive->tensor))
        fill.colour = viz_with_alpha(fill.colour, done ? 25 : 60);
    if (row > 5 * frame->px && c->map.sx > 16 * frame->px) { /* room for a point */
        const float tip = r.h / 2 < r.w / 4 ? r.h / 2 : r.w / 4;
        const float back = east ? r.x : r.x + r.w, front = east ? r.x + r.w : r.x;
        const float neck = east ? front - tip : front + tip;
        const VizPoint points[] = {
            {back, r.y}, {neck, r.y}, {front, r.y + r.h / 2}, {neck, r.y + r.h}, {back, r.y + r.h}};
        viz_canvas_polygon(frame->canvas, points, 5, fill);
    } else {
        viz_canvas_rect(frame->canvas, r, fill);
    }
    if (drive == c->selected)
        viz_canvas_outline(frame->canvas, r, (row > 6 * frame->px ? 2 : 1) * frame->px,
                           viz_colour(frame->theme, VIZ_ACCENT));
    if (row >= 2 * frame->px) {
        if (superlane == 0)
            viz_canvas_region(frame->canvas, r, VIZ_REGISTER, viz_register(drive->stream, column));
        else
            viz_canvas_region(frame->canvas, r, VIZ_BURST, drive->burst);
    }
    bytes = r.h >= 12 * frame->px ? viz_drive_bytes(frame->run, drive, superlane) : NULL;
    if (bytes)
        value_text(c, drive, bytes + superlane * frame->run->m->lanes_per_superlane, r,
                   done ? viz_colour(frame->theme, VIZ_TEXT)
                        : viz_readable_on(fill.colour | 0xffu));
}

static void draw_vectors(const ChipPicture *c) {
    const VizRun *run = c->frame->run;
    for (int32_t i = 0; i < run->drive_count; i++) {
        const VizDrive *drive = &run->drives[i];
        for (int32_t k = 0; k < run->m->superlanes; k++) {
            const int32_t column = viz_drive_column(run, drive, k);
            if (column >= 0) draw_vector(c, drive, k, column);
        }
    }
}

/* Names of the streams at the left edge, where rows are high enough. */
static void draw_stream_names(const ChipPicture *c) {
    const VizFrame *frame = c->frame;
    VizTextStyle style = viz_style(frame, VIZ_MONO, 10, VIZ_TEXT_DIM);
    if (c->row_height < 12 * frame->px) return;
    style.vertical = VIZ_MIDDLE;
    for (int32_t k = 0; k < frame->run->m->superlanes; k++)
        for (int32_t s = 0; s < TSP_MAX_STREAMS; s++) {
            const float y =
                chip_y(c, (float)k) + c->row_height * ((float)c->row_of_stream[s] + 0.5f);
            char text[16];
            float x;
            if (!frame->run->stream_used[s]) continue;
            if (y < frame->area.y || y > frame->area.y + frame->area.h) continue;
            snprintf(text, sizeof text, "s%d.%c", (int)TSP_STREAM_NUMBER(s),
                     TSP_STREAM_DIRECTION(s) == TSP_EASTWARD ? 'e' : 'w');
            x = frame->area.x + 16 * frame->px;
            viz_canvas_rect(
                frame->canvas,
                (VizRect){x - 2 * frame->px, y - 6 * frame->px, 34 * frame->px, 12 * frame->px},
                viz_plain(viz_with_alpha(viz_colour(frame->theme, VIZ_PANEL), 200)));
            viz_canvas_text(frame->canvas, (VizPoint){x, y}, style, text);
        }
}

void viz_chip_draw(const VizFrame *frame) {
    ChipPicture c = {.frame = frame,
                     .map = viz_chip_map(frame->run, frame->view, frame->area),
                     .focus = viz_focus(frame->run, frame->view->selected)};
    int32_t rows = 0;
    if (frame->view->selected.kind == VIZ_REGISTER)
        c.selected = viz_run_drive(frame->run, c.focus.stream, c.focus.column, 0);
    for (int32_t s = 0; s < TSP_MAX_STREAMS; s++) /* eastward ones come first */
        if (frame->run->stream_used[s]) c.row_of_stream[s] = rows++;
    c.row_height = c.map.sy / ((float)(rows > 0 ? rows : 1) + 0.5f);
    draw_ground(&c);
    draw_vectors(&c);
    draw_stream_names(&c);
    chip_units_draw(&c);
}
