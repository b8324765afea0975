/* memory.c - the panel of all MEM slices: which rows hold which tensor, and this cycle's reads and
 * writes.
 *
 * A slice is a column, its banks one above the other, row 0 of each at the top. Both banks are
 * shown from row 0 to the highest that the program touches, rounded up: most programs use a small
 * part of 4,096 rows.
 */
#include "memory_parts.h"

#include <stdio.h>

enum { LUMPS = 8 };

VizTextStyle memory_style(const MemoryPicture *p, float size, VizRole role, VizAnchor anchor) {
    VizTextStyle style = viz_style(p->frame, VIZ_REGULAR, size, role);
    style.anchor = anchor;
    style.vertical = VIZ_MIDDLE;
    return style;
}

float memory_column_x(const MemoryPicture *p, int32_t slice) {
    const int32_t half = p->slices / 2, per = (int32_t)p->frame->run->m->mem_slices_per_column;
    const int32_t groups = (half + per - 1) / per;
    const bool west = slice < half;
    const int32_t index = west ? slice : slice - half; /* from the VXM */
    const int32_t at = west ? half - 1 - index : slice;
    const int32_t before = west ? groups - 1 - index / per : groups - 1 + index / per;
    return p->left + (float)at * p->column + (float)before * p->group + (west ? 0 : p->gap);
}

float memory_bank_y(const MemoryPicture *p, int32_t bank) {
    return p->top + (float)bank * (p->bank + p->bank_gap);
}

float memory_row_y(const MemoryPicture *p, int32_t bank, double row) {
    return memory_bank_y(p, bank) + (float)(row * (double)p->bank / p->map->extent);
}

float memory_inner_width(const MemoryPicture *p) {
    return p->column >= 4 * p->frame->px ? p->column - viz_whole(p->frame->px) : p->column;
}

bool memory_is_selected(const MemoryPicture *p, int32_t tensor) {
    return p->focus.tensor >= 0 && p->focus.tensor == tensor;
}

bool memory_is_strong(const MemoryPicture *p, int32_t tensor) {
    const VizGraph *g = &p->frame->run->plan->graph;
    if (p->focus.tensor < 0 || viz_goes_with(&p->focus, -1, tensor)) return true;
    if (p->frame->view->selected.kind != VIZ_OP) return false;
    for (int32_t i = 0; i < g->use_count; i++)
        if (g->uses[i].op == p->focus.op && g->uses[i].tensor == tensor) return true;
    return false;
}

VizFill memory_fill(const MemoryPicture *p, int32_t tensor) {
    const VizFill fill = viz_tensor_fill(p->frame, tensor);
    return memory_is_strong(p, tensor) ? fill : viz_faint(fill);
}

/* -- layout -- */

static void place_legend(MemoryPicture *p, VizRect *inside) {
    const float px = p->frame->px;
    const float rows = (float)p->frame->run->program->tensor_count * LEGEND_ROW * px;
    p->legend = (VizRect){0, 0, 0, 0};
    if (p->frame->run->program->tensor_count == 0) return;
    if (inside->w >= LEGEND_WITHIN * px && inside->h >= 3 * LEGEND_ROW * px) {
        const float w = fminf(viz_whole(inside->w * 0.36f), LEGEND_WIDTH * px);
        p->legend = (VizRect){inside->x + inside->w - w, inside->y, w, inside->h};
        inside->w -= w + 14 * px;
    } else if (inside->h >= 170 * px) {
        const float most = floorf(inside->h * 0.35f);
        const float h = fminf(rows, floorf(most / (LEGEND_ROW * px)) * LEGEND_ROW * px);
        p->legend = (VizRect){inside->x, inside->y + inside->h - h, inside->w, h};
        inside->h -= h + 8 * px;
    }
}

static bool lay_out(MemoryPicture *p) {
    const float px = p->frame->px;
    const VizRect area = p->frame->area;
    VizRect inside = {area.x + MARGIN * px, area.y + HEADER * px, area.w - 2 * MARGIN * px,
                      area.h - (HEADER + 4) * px};
    const float groups =
        2 * ceilf((float)p->slices / 2 / (float)p->frame->run->m->mem_slices_per_column) - 2;
    float above = HEAD * px + px, width;
    place_legend(p, &inside);
    p->gutter = inside.w >= 300 * px && inside.h >= 50 * px;
    if (p->gutter) {
        inside.x += GUTTER * px;
        inside.w -= GUTTER * px;
    }
    p->labels = inside.w >= 200 * px && inside.h >= 60 * px;
    if (p->labels) above += LABELS * px;
    p->gap = viz_whole(inside.w >= 260 * px ? 42 * px : 4 * px);
    p->column = floorf((inside.w - p->gap) / (float)p->slices);
    if (p->column < 1) return false;
    p->column = fminf(p->column, viz_whole(26 * px));
    p->group = groups <= 0
                   ? 0
                   : fminf(floorf((inside.w - p->gap - p->column * (float)p->slices) / groups),
                           viz_whole(p->column >= 4 * px ? 3 * px : px));
    width = p->column * (float)p->slices + groups * p->group + p->gap;
    p->left = viz_whole(p->gutter ? inside.x : inside.x + (inside.w - width) / 2);
    p->top = viz_whole(inside.y + above);
    p->bank_gap = viz_whole(BANK_GAP * px);
    p->bank = floorf((inside.y + inside.h - p->top - (float)(p->banks - 1) * p->bank_gap) /
                     (float)p->banks);
    return p->bank >= 2;
}

/* -- the grounds -- */

static void draw_ground(const MemoryPicture *p, int32_t slice) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, x = memory_column_x(p, slice), w = memory_inner_width(p);
    const VizRect head = {x, p->top - HEAD * px - viz_whole(px), w, HEAD * px};
    const bool selected = p->focus.queue == slice || p->focus.slice == slice;
    VizFill lit = viz_plain(viz_colour(frame->theme, VIZ_IDLE));
    VizRole ground = VIZ_BACKGROUND;
    VizIssue issue;
    if (selected) ground = VIZ_SELECTION;
    if (viz_issue_at(&frame->run->timeline, slice, frame->view->cycle, &issue)) {
        lit = viz_plain(viz_colour(frame->theme, VIZ_CURSOR));
        if (!selected) ground = VIZ_HOVER;
    }
    viz_canvas_rect(frame->canvas, head, lit);
    for (int32_t bank = 0; bank < p->banks; bank++)
        viz_canvas_rect(frame->canvas, (VizRect){x, memory_bank_y(p, bank), w, p->bank},
                        viz_plain(viz_colour(frame->theme, ground)));
    /* the head takes clicks down to the first row */
    viz_canvas_region(frame->canvas,
                      (VizRect){x, head.y - (p->labels ? LABELS * px : 0), p->column,
                                p->top - head.y + (p->labels ? LABELS * px : 0)},
                      VIZ_QUEUE, slice);
}

/* Where grounds are of the panel's colour, what shows how far the banks reach. */
static void draw_outlines(const MemoryPicture *p) {
    const VizFrame *frame = p->frame;
    const int32_t half = p->slices / 2;
    if (viz_colour(frame->theme, VIZ_BACKGROUND) != viz_colour(frame->theme, VIZ_PANEL)) return;
    for (int32_t bank = 0; bank < p->banks; bank++)
        for (int32_t side = 0; side < 2; side++) {
            const float x = memory_column_x(p, side ? half : half - 1);
            const float end = memory_column_x(p, side ? p->slices - 1 : 0) + memory_inner_width(p);
            const float px = viz_whole(frame->px);
            viz_canvas_outline(
                frame->canvas,
                (VizRect){x - px, memory_bank_y(p, bank) - px, end - x + 2 * px, p->bank + 2 * px},
                px, viz_colour(frame->theme, VIZ_GRID));
        }
}

/* Names of every so many slices, and VXM between them. */
static void draw_labels(const MemoryPicture *p) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, middle = p->top - (HEAD + LABELS / 2) * px;
    const int32_t group = (int32_t)frame->run->m->mem_slices_per_column, half = p->slices / 2;
    VizTextStyle style = memory_style(p, SMALL, VIZ_TEXT_DIM, VIZ_LEFT);
    const float widest = viz_canvas_text_width(frame->canvas, style, "w00") + 6 * px;
    int32_t step = group;
    if (!p->labels) return;
    if (p->column >= widest) step = 1;
    while ((float)step * p->column < widest) step += group;
    style.anchor = VIZ_CENTRE;
    for (int32_t index = 0; index < half; index += step)
        for (int32_t side = 0; side < 2; side++) {
            const int32_t slice = side * half + index;
            char name[16];
            if (slice == 0 && p->gap + p->column < widest) continue; /* too near to e0 */
            snprintf(name, sizeof name, "%c%d", side ? 'e' : 'w', index);
            viz_canvas_text(
                frame->canvas,
                (VizPoint){memory_column_x(p, slice) + memory_inner_width(p) / 2, middle}, style,
                name);
        }
    for (int32_t bank = 0; bank < p->banks; bank++) {
        const float x = memory_column_x(p, half) - p->gap / 2;
        char name[32];
        snprintf(name, sizeof name, "bank %d", bank);
        if (p->bank < 12 * px || viz_canvas_text_width(frame->canvas, style, name) > p->gap) break;
        viz_canvas_text(frame->canvas, (VizPoint){x, memory_bank_y(p, bank) + p->bank / 2}, style,
                        name);
    }
}

/* Row numbers at powers of two, as addresses of the slice. */
static void draw_gutter(const MemoryPicture *p) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, right = p->left - 6 * px;
    VizTextStyle style = viz_style(frame, VIZ_MONO, SMALL, VIZ_TEXT_DIM);
    int32_t step = 1;
    if (!p->gutter) return;
    style.anchor = VIZ_RIGHT;
    style.vertical = VIZ_MIDDLE;
    while ((float)step * p->bank / (float)p->map->extent < 18 * px && step < p->map->extent)
        step *= 2;
    for (int32_t bank = 0; bank < p->banks; bank++) {
        for (int32_t row = 0; row < p->map->extent; row += step) {
            const float y = viz_whole(memory_row_y(p, bank, row));
            char text[16];
            /* its text must not reach into the next bank */
            if (row > 0 && y + 10 * px > memory_bank_y(p, bank) + p->bank) break;
            if (p->bank < 11 * px) break;
            snprintf(text, sizeof text, "0x%04x", (unsigned)(bank * p->bank_rows + row));
            viz_canvas_text(frame->canvas, (VizPoint){right, y + 5 * px}, style, text);
            viz_canvas_rect(frame->canvas, (VizRect){right + 2 * px, y, 3 * px, viz_whole(px)},
                            viz_plain(viz_colour(frame->theme, VIZ_GRID)));
        }
    }
}

/* -- tensors -- */

static void draw_block(const MemoryPicture *p, int32_t slice, float y, float h, int32_t tensor) {
    const VizFrame *frame = p->frame;
    const VizRect r = {memory_column_x(p, slice), y, memory_inner_width(p), h};
    viz_canvas_rect(frame->canvas, r, memory_fill(p, tensor));
    if (memory_is_selected(p, tensor) && r.w >= 4 * frame->px && r.h >= 3 * frame->px)
        viz_canvas_outline(frame->canvas, r, viz_whole(frame->px),
                           viz_colour(frame->theme, VIZ_TEXT));
    viz_canvas_region(frame->canvas, (VizRect){r.x, y, p->column, h}, VIZ_TENSOR, tensor);
}

/* Rows that one pixel covers, by tensor. */
typedef struct {
    int32_t tensor[LUMPS], rows[LUMPS], count;
} Pixel;

static void add_rows(Pixel *pixel, int32_t tensor, int32_t rows) {
    int32_t i = 0;
    while (i < pixel->count && pixel->tensor[i] != tensor) i++;
    if (i == LUMPS) return;
    if (i == pixel->count) {
        pixel->tensor[i] = tensor;
        pixel->rows[i] = 0;
        pixel->count++;
    }
    pixel->rows[i] += rows;
}

static int32_t dominant(const Pixel *pixel) {
    int32_t best = -1, most = 0;
    for (int32_t i = 0; i < pixel->count; i++)
        if (pixel->rows[i] > most) {
            most = pixel->rows[i];
            best = pixel->tensor[i];
        }
    return best;
}

/* Many rows a pixel: what holds most of them; what is empty never hides what is not. */
static void draw_dense(const MemoryPicture *p, int32_t slice, int32_t bank, int32_t run,
                       int32_t end) {
    const VizMemoryRun *runs = p->map->runs;
    const int32_t pixels = (int32_t)p->bank;
    int32_t since = 0, tensor = -1;
    for (int32_t y = 0; y <= pixels; y++) {
        const int32_t base = bank * p->bank_rows;
        const int32_t from = base + (int32_t)((int64_t)y * p->map->extent / pixels);
        const int32_t to = base + (int32_t)((int64_t)(y + 1) * p->map->extent / pixels);
        Pixel pixel = {.count = 0};
        int32_t now;
        for (int32_t r = run; r < end && runs[r].first < to && y < pixels; r++) {
            const int32_t last = runs[r].first + runs[r].rows;
            add_rows(&pixel, runs[r].tensor,
                     (last < to ? last : to) - (runs[r].first > from ? runs[r].first : from));
        }
        while (run < end && runs[run].first + runs[run].rows <= to) run++;
        now = dominant(&pixel);
        if (now == tensor) continue;
        if (tensor >= 0)
            draw_block(p, slice, memory_bank_y(p, bank) + (float)since, (float)(y - since), tensor);
        tensor = now;
        since = y;
    }
}

static void draw_sparse(const MemoryPicture *p, int32_t slice, int32_t bank, int32_t run,
                        int32_t end) {
    for (; run < end; run++) {
        const VizMemoryRun *r = &p->map->runs[run];
        const int32_t first = r->first - bank * p->bank_rows;
        const float y = viz_whole(memory_row_y(p, bank, first));
        draw_block(p, slice, y, viz_whole(memory_row_y(p, bank, first + r->rows)) - y, r->tensor);
    }
}

static void draw_tensors(const MemoryPicture *p, int32_t slice) {
    int32_t run = p->map->first[slice];
    const int32_t last = p->map->first[slice + 1];
    for (int32_t bank = 0; bank < p->banks; bank++) {
        int32_t end = run;
        while (end < last && p->map->runs[end].first / p->bank_rows == bank) end++;
        if (p->map->extent > (int32_t)p->bank)
            draw_dense(p, slice, bank, run, end);
        else
            draw_sparse(p, slice, bank, run, end);
        run = end;
    }
}

void viz_memory_draw(const VizFrame *frame) {
    const VizRun *run = frame->run;
    MemoryPicture p = {.frame = frame,
                       .map = &run->plan->memory,
                       .focus = viz_focus(run, frame->view->selected),
                       .slices = 2 * (int32_t)run->m->mem_slices,
                       .banks = (int32_t)run->m->mem_banks,
                       .bank_rows = (int32_t)run->m->mem_rows};
    if (frame->area.h < HEADER * frame->px) return;
    memory_draw_header(&p);
    if (!lay_out(&p)) return;
    draw_labels(&p);
    draw_gutter(&p);
    draw_outlines(&p);
    for (int32_t slice = 0; slice < p.slices; slice++) {
        draw_ground(&p, slice);
        draw_tensors(&p, slice);
    }
    for (int32_t slice = 0; slice < p.slices; slice++) memory_draw_accesses(&p, slice);
    memory_draw_selected_row(&p);
    if (p.legend.w > 0) memory_draw_legend(&p);
}
