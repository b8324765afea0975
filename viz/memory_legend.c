/* memory_legend.c - how much of memory is in use, and which tensor is which.
 */
#include "memory_parts.h"

#include <stdio.h>

void memory_draw_header(const MemoryPicture *p) {
    static const TspTensorRole roles[] = {TSP_ROLE_INPUT, TSP_ROLE_CONSTANT, TSP_ROLE_INTERNAL,
                                          TSP_ROLE_OUTPUT};
    const VizFrame *frame = p->frame;
    const float px = frame->px, middle = frame->area.y + HEADER / 2 * px;
    VizTextStyle style = memory_style(p, TEXT, VIZ_TEXT, VIZ_LEFT);
    char text[3 * VIZ_WORDS], used[VIZ_WORDS], all[VIZ_WORDS];
    int64_t rows = 0;
    float x = frame->area.x + MARGIN * px, right = frame->area.x + frame->area.w - MARGIN * px;
    for (int32_t i = 0; i < 4; i++) rows += p->map->rows[i];
    snprintf(text, sizeof text, "%s of %s rows", viz_count_text(used, rows),
             viz_count_text(all, (int64_t)p->slices * p->banks * p->bank_rows));
    /* this cycle's accesses come first */
    if (frame->area.w >= 150 * px) right = memory_draw_counts(p, right, middle);
    if (viz_canvas_text_width(frame->canvas, style, text) > right - x)
        snprintf(text, sizeof text, "%s rows", viz_count_text(used, rows));
    if (viz_canvas_text_width(frame->canvas, style, text) > right - x) return;
    x += viz_canvas_text(frame->canvas, (VizPoint){x, middle}, style, text) + 14 * px;
    style.colour = viz_colour(frame->theme, VIZ_TEXT_DIM);
    for (int32_t i = 0; i < 4; i++) {
        if (p->map->rows[roles[i]] == 0) continue;
        snprintf(text, sizeof text, "%s %s", viz_tensor_role_text(roles[i]),
                 viz_count_text(used, p->map->rows[roles[i]]));
        if (viz_canvas_text_width(frame->canvas, style, text) > right - x) break;
        x += viz_canvas_text(frame->canvas, (VizPoint){x, middle}, style, text) + 10 * px;
    }
}

/* Columns of the legend: name, type, shape, bytes; each as wide as its widest text. */
typedef struct {
    float name, type, shape, bytes; /* widths; 0 where there is no room */
} Legend;

static void legend_texts(const TspTensor *t, char shape[VIZ_WORDS], char bytes[VIZ_WORDS]) {
    viz_shape_text(shape, t);
    viz_bytes_text(bytes, tsp_tensor_bytes(t));
}

/* The name comes first; what leaves no room for it is left out. */
static Legend measure_legend(const MemoryPicture *p, VizTextStyle style, float width) {
    const TspProgram *program = p->frame->run->program;
    const float gap = 10 * p->frame->px;
    float room = width - 16 * p->frame->px;
    Legend g = {0};
    for (int32_t t = 0; t < program->tensor_count; t++) {
        char shape[VIZ_WORDS], bytes[VIZ_WORDS];
        legend_texts(&program->tensors[t], shape, bytes);
        g.type = fmaxf(g.type, viz_canvas_text_width(p->frame->canvas, style,
                                                     tsp_dtype_name(program->tensors[t].dtype)));
        g.name =
            fmaxf(g.name, viz_canvas_text_width(p->frame->canvas, style, program->tensors[t].name));
        g.shape = fmaxf(g.shape, viz_canvas_text_width(p->frame->canvas, style, shape));
        g.bytes = fmaxf(g.bytes, viz_canvas_text_width(p->frame->canvas, style, bytes));
    }
    g.name = fminf(g.name, 110 * p->frame->px);
    room -= g.name;
    if (room < g.bytes + gap) g.bytes = 0;
    if (g.bytes > 0) room -= g.bytes + gap;
    if (room < g.shape + gap) g.shape = 0;
    if (g.shape > 0) room -= g.shape + gap;
    if (room < g.type + gap) g.type = 0;
    return g;
}

static void draw_legend_row(const MemoryPicture *p, const Legend *g, int32_t tensor, VizRect r) {
    const VizFrame *frame = p->frame;
    const TspTensor *t = &frame->run->program->tensors[tensor];
    const float px = frame->px, side = 10 * px, middle = r.y + r.h / 2;
    const bool strong = memory_is_strong(p, tensor);
    const VizThing hovered = frame->view->hovered;
    VizTextStyle name = memory_style(p, TEXT, strong ? VIZ_TEXT : VIZ_TEXT_DIM, VIZ_LEFT);
    VizTextStyle dim = memory_style(p, TEXT, VIZ_TEXT_DIM, VIZ_RIGHT);
    const VizRect swatch = {r.x, viz_whole(middle - side / 2), side, side};
    float right = r.x + r.w;
    const float left = r.x + side + 6 * px;
    char shape[VIZ_WORDS], bytes[VIZ_WORDS];
    if (memory_is_selected(p, tensor))
        viz_canvas_rect(frame->canvas, (VizRect){r.x - 3 * px, r.y, r.w + 6 * px, r.h},
                        viz_plain(viz_colour(frame->theme, VIZ_SELECTION)));
    else if (hovered.kind == VIZ_TENSOR && hovered.id == tensor)
        viz_canvas_rect(frame->canvas, (VizRect){r.x - 3 * px, r.y, r.w + 6 * px, r.h},
                        viz_plain(viz_colour(frame->theme, VIZ_HOVER)));
    if (memory_is_selected(p, tensor)) dim.colour = viz_colour(frame->theme, VIZ_TEXT);
    viz_canvas_rect(frame->canvas, swatch, memory_fill(p, tensor));
    viz_canvas_outline(frame->canvas, swatch, viz_whole(px), viz_colour(frame->theme, VIZ_BORDER));
    legend_texts(t, shape, bytes);
    if (g->bytes > 0) {
        viz_canvas_text(frame->canvas, (VizPoint){right, middle}, dim, bytes);
        right -= g->bytes + 10 * px;
    }
    if (g->shape > 0) {
        viz_canvas_text(frame->canvas, (VizPoint){right, middle}, dim, shape);
        right -= g->shape + 10 * px;
    }
    if (g->type > 0) {
        dim.anchor = VIZ_LEFT;
        viz_canvas_text(frame->canvas, (VizPoint){right - g->type, middle}, dim,
                        tsp_dtype_name(t->dtype));
        right -= g->type + 10 * px;
    }
    name.max_width = right - left;
    viz_canvas_text(frame->canvas, (VizPoint){left, middle}, name, t->name);
    viz_canvas_region(frame->canvas, r, VIZ_TENSOR, tensor);
}

void memory_draw_legend(const MemoryPicture *p) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, height = LEGEND_ROW * px;
    const int32_t tensors = frame->run->program->tensor_count;
    const int32_t columns = p->legend.w >= 2 * LEGEND_WIDTH * px ? 2 : 1;
    const int32_t rows = (int32_t)(p->legend.h / height), room = rows * columns;
    const float width = floorf((p->legend.w - (float)(columns - 1) * 20 * px) / (float)columns);
    const VizTextStyle style = memory_style(p, TEXT, VIZ_TEXT_DIM, VIZ_LEFT);
    const Legend g = measure_legend(p, style, width);
    const int32_t shown = tensors <= room ? tensors : room - 1;
    for (int32_t i = 0; i <= shown && i < room; i++) {
        const VizRect r = {p->legend.x + (float)(i / rows) * (width + 20 * px),
                           p->legend.y + (float)(i % rows) * height, width, height};
        char text[32];
        if (i < shown) {
            draw_legend_row(p, &g, i, r);
        } else if (tensors > shown) {
            snprintf(text, sizeof text, "+%d more", tensors - shown);
            viz_canvas_text(frame->canvas, (VizPoint){r.x, r.y + r.h / 2}, style, text);
        }
    }
}
