/* chip.c - the floorplan: superlanes with every vector where it is, a superlane a cycle behind the
 * one before it.
 *
 * A band is a superlane, a row in it a stream that the program drives: eastward ones above,
 * westward ones below. A vector is a box on its row, pointed the way it goes where there is room,
 * dim once nobody will take it any more. Units stand above the bands (chip_units.c).
 */
#include "chip_parts.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

float viz_chip_strip(const VizView *view, VizRect area) {
    const float most = (view->maximised ? 130 : 84) * view->scale, share = 0.22f * area.h;
    return floorf(share < most ? share : most);
}

VizChipMap viz_chip_map(const VizRun *run, const VizView *view, VizRect area) {
    const float zoom = view->chip_zoom > 1 ? (float)view->chip_zoom : 1;
    const float strip = viz_chip_strip(view, area), height = area.h - strip;
    /* A superlane has to grow from a line to dozens of rows of text, a column only to a line of it.
     */
    VizChipMap map = {.x0 = area.x,
                      .y0 = area.y + strip,
                      .sx = area.w / (float)tsp_columns(run->m) * sqrtf(zoom),
                      .sy = height / (float)run->m->superlanes * zoom};
    if (zoom > 1) {
        map.x0 += area.w / 2 - (float)view->chip_x * map.sx;
        map.y0 += height / 2 - (float)view->chip_y * map.sy;
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

/* Lanes a line so that all of the tile fits into the box, 0: they do not. */
static int32_t lanes_a_line(int32_t tile, VizRect r, float lane, float line) {
    for (int32_t lanes = tile; lanes > 0; lanes = (lanes + 1) / 2) {
        const int32_t lines = (tile + lanes - 1) / lanes;
        if ((float)lanes * lane <= r.w && (float)lines * line <= r.h) return lanes;
        if (lanes == 1) break;
    }
    return 0;
}

/* The bytes of a superlane, in hexadecimal; below them int8 as numbers where there is room. */
static void value_text(const ChipPicture *c, const VizDrive *drive, const uint8_t *bytes, VizRect r,
                       VizColour ink) {
    const VizFrame *frame = c->frame;
    const int32_t tile = (int32_t)frame->run->m->lanes_per_superlane;
    const TspTensor *t = drive->tensor >= 0 ? &frame->run->program->tensors[drive->tensor] : NULL;
    const VizRect inside = {r.x + 6 * frame->px, r.y, r.w - 12 * frame->px, r.h};
    VizTextStyle style = viz_style(frame, VIZ_MONO, 11, VIZ_TEXT);
    const float digit = viz_canvas_text_width(frame->canvas, style, "0"), high = 13 * frame->px;
    int32_t lanes = lanes_a_line(tile, inside, 5 * digit, 2 * high);
    const bool decimal = lanes > 0 && t && t->dtype == TSP_I8;
    if (!decimal) lanes = lanes_a_line(tile, inside, 2 * digit + 2 * frame->px, high);
    style.colour = ink;
    style.vertical = VIZ_MIDDLE;
    style.anchor = VIZ_CENTRE;
    for (int32_t i = 0; i < tile && lanes > 0; i++) {
        const float lines = (float)((tile + lanes - 1) / lanes) * (decimal ? 2 : 1);
        const float x = inside.x + ((float)(i % lanes) + 0.5f) * inside.w / (float)lanes;
        const float line = (float)(i / lanes) * (decimal ? 2 : 1);
        const float y = r.y + r.h / 2 + (line - (lines - 1) / 2) * high;
        char text[16];
        snprintf(text, sizeof text, "%02x", bytes[i]);
        viz_canvas_text(frame->canvas, (VizPoint){x, y}, style, text);
        if (!decimal) continue;
        snprintf(text, sizeof text, "%d", (int)(int8_t)bytes[i]);
        viz_canvas_text(frame->canvas, (VizPoint){x, y + high}, style, text);
    }
}

static void draw_vector(const ChipPicture *c, const VizDrive *drive, int32_t superlane,
                        int32_t column) {
    const VizFrame *frame = c->frame;
    const bool east = TSP_STREAM_DIRECTION(drive->stream) == TSP_EASTWARD;
    const float phase = frame->view->phase;
    const float at = (float)column + (east ? phase : -phase), row = c->row_height;
    VizFill fill = viz_tensor_fill(frame, drive->tensor);
    uint32_t alpha = 255;
    const bool over = east ? column > drive->last_used : column < drive->last_used;
    const bool done = drive->last_used < 0 || over;
    VizRect r = {chip_x(c, at) + 0.06f * c->map.sx,
                 chip_y(c, (float)superlane) + row * (float)c->row_of_stream[drive->stream],
                 0.88f * c->map.sx, row};
    const uint8_t *bytes;
    if (!visible(c, r)) return;
    if (row > 3 * frame->px) r.y += 0.08f * row, r.h = 0.84f * row;
    if (row < 2 * frame->px) r.h = 2 * frame->px; /* to be seen at all */
    if (row < 3 * frame->px || c->map.sx < 12 * frame->px) fill.hatch = VIZ_HATCH_NONE;
    if (done) alpha = 70;
    if (!viz_goes_with(&c->focus, drive->op, drive->tensor)) alpha = done ? 25 : 60;
    if (row < 2 * frame->px && alpha < 255) /* pale rows lie over each other */
        alpha = (uint32_t)((float)alpha * row / (2 * frame->px));
    fill.colour = viz_with_alpha(fill.colour, alpha);
    if (alpha < 255) fill.ink = viz_with_alpha(fill.ink, alpha);
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
            char text[VIZ_WORDS];
            float x;
            if (!frame->run->stream_used[s]) continue;
            if (y < frame->area.y || y > frame->area.y + frame->area.h) continue;
            x = frame->area.x + 16 * frame->px;
            viz_canvas_rect(
                frame->canvas,
                (VizRect){x - 2 * frame->px, y - 6 * frame->px, 34 * frame->px, 12 * frame->px},
                viz_plain(viz_colour(frame->theme, VIZ_PANEL)));
            viz_canvas_text(frame->canvas, (VizPoint){x, y}, style, viz_stream_text(text, s, 1));
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
