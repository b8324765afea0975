/* memory.c - the panel of all MEM slices: which rows hold which tensor, and this cycle's reads and
 * writes.
 *
 * A slice is a column, its banks one above the other, row 0 of each at the top. Both banks are
 * shown from row 0 to the highest that the program touches, rounded up: most programs use a small
 * part of 4,096 rows.
 */
#include "plan.h"
#include "words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Lengths in scaled pixels. */
#define MARGIN        8.0f
#define HEADER        18.0f
#define LABELS        13.0f /* names of slices */
#define HEAD          6.0f  /* what lights up above a column */
#define BANK_GAP      4.0f
#define GUTTER        44.0f /* row numbers */
#define LEGEND_ROW    15.0f
#define LEGEND_WIDTH  280.0f
#define LEGEND_WITHIN 620.0f /* a panel at least so wide has its legend at the side */
#define SMALL         10.0f
#define TEXT          11.0f

enum { LUMPS = 8 };

/* Where everything stands, in pixels. */
typedef struct {
    const VizFrame *frame;
    const VizMemoryMap *map;
    VizFocus focus; /* of what is selected */
    int32_t slices, banks, bank_rows;
    float left, top; /* of the columns */
    float column;    /* width of a slice, whole pixels */
    float group;     /* more between those of different stream-register columns */
    float gap;       /* in the middle, where the VXM is */
    float bank;      /* height of a bank, whole pixels */
    float bank_gap;
    VizRect legend; /* no extent: there is none */
    bool gutter, labels;
} Picture;

static float snap(float v) {
    return floorf(v + 0.5f);
}

static VizTextStyle style_of(const Picture *p, float size, VizRole role, VizAnchor anchor) {
    VizTextStyle style = viz_style(p->frame, VIZ_REGULAR, size, role);
    style.anchor = anchor;
    style.vertical = VIZ_MIDDLE;
    return style;
}

/* West to east: the slice next to the VXM is the last of the west and the first of the east. */
static float column_x(const Picture *p, int32_t slice) {
    const int32_t half = p->slices / 2, per = (int32_t)p->frame->run->m->mem_slices_per_column;
    const int32_t groups = (half + per - 1) / per;
    const bool west = slice < half;
    const int32_t index = west ? slice : slice - half; /* from the VXM */
    const int32_t at = west ? half - 1 - index : slice;
    const int32_t before = west ? groups - 1 - index / per : groups - 1 + index / per;
    return p->left + (float)at * p->column + (float)before * p->group + (west ? 0 : p->gap);
}

static float bank_y(const Picture *p, int32_t bank) {
    return p->top + (float)bank * (p->bank + p->bank_gap);
}

/* The edge above a row of a bank; not rounded. */
static float row_y(const Picture *p, int32_t bank, double row) {
    return bank_y(p, bank) + (float)(row * (double)p->bank / p->map->extent);
}

/* Columns stand apart where there is room for it. */
static float inner_width(const Picture *p) {
    return p->column >= 4 * p->frame->px ? p->column - snap(p->frame->px) : p->column;
}

/* -- layout -- */

static void place_legend(Picture *p, VizRect *inside) {
    const float px = p->frame->px;
    const float rows = (float)p->frame->run->program->tensor_count * LEGEND_ROW * px;
    p->legend = (VizRect){0, 0, 0, 0};
    if (p->frame->run->program->tensor_count == 0) return;
    if (inside->w >= LEGEND_WITHIN * px && inside->h >= 3 * LEGEND_ROW * px) {
        const float w = fminf(snap(inside->w * 0.36f), LEGEND_WIDTH * px);
        p->legend = (VizRect){inside->x + inside->w - w, inside->y, w, inside->h};
        inside->w -= w + 14 * px;
    } else if (inside->h >= 170 * px) {
        const float most = floorf(inside->h * 0.35f);
        const float h = fminf(rows, floorf(most / (LEGEND_ROW * px)) * LEGEND_ROW * px);
        p->legend = (VizRect){inside->x, inside->y + inside->h - h, inside->w, h};
        inside->h -= h + 8 * px;
    }
}

static bool lay_out(Picture *p) {
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
    p->gap = snap(inside.w >= 260 * px ? 42 * px : 4 * px);
    p->column = floorf((inside.w - p->gap) / (float)p->slices);
    if (p->column < 1) return false;
    p->column = fminf(p->column, snap(26 * px));
    p->group = groups <= 0
                   ? 0
                   : fminf(floorf((inside.w - p->gap - p->column * (float)p->slices) / groups),
                           snap(p->column >= 4 * px ? 3 * px : px));
    width = p->column * (float)p->slices + groups * p->group + p->gap;
    p->left = snap(p->gutter ? inside.x : inside.x + (inside.w - width) / 2);
    p->top = snap(inside.y + above);
    p->bank_gap = snap(BANK_GAP * px);
    p->bank = floorf((inside.y + inside.h - p->top - (float)(p->banks - 1) * p->bank_gap) /
                     (float)p->banks);
    return p->bank >= 2;
}

/* -- the header -- */

static void draw_reads(const Picture *p, VizPoint centre, float size);
static void draw_writes(const Picture *p, VizPoint centre, float size, bool in_flight);

static void count_accesses(const Picture *p, int32_t *reads, int32_t *writes) {
    *reads = *writes = 0;
    for (int32_t slice = 0; slice < p->slices; slice++) {
        VizIssue issue;
        if (!viz_issue_at(&p->frame->run->timeline, slice, p->frame->view->cycle, &issue)) continue;
        *reads += issue.burst->opcode == TSP_OP_READ || issue.burst->opcode == TSP_OP_READ_WRITE ||
                  issue.burst->opcode == TSP_OP_GATHER;
        *writes += issue.burst->opcode == TSP_OP_WRITE ||
                   issue.burst->opcode == TSP_OP_READ_WRITE ||
                   issue.burst->opcode == TSP_OP_SCATTER;
    }
}

/* Drawn from the right: what stands left of it may be as long as to here. */
static float draw_counts(const Picture *p, float right, float middle) {
    const float px = p->frame->px;
    VizTextStyle style = style_of(p, TEXT, VIZ_TEXT, VIZ_RIGHT);
    char text[32];
    int32_t reads, writes;
    float width;
    count_accesses(p, &reads, &writes);
    snprintf(text, sizeof text, "%d %s", writes, writes == 1 ? "write" : "writes");
    right -= viz_canvas_text(p->frame->canvas, (VizPoint){right, middle}, style, text) + 8 * px;
    draw_writes(p, (VizPoint){right, middle}, 7 * px, false);
    right -= 14 * px;
    snprintf(text, sizeof text, "%d %s", reads, reads == 1 ? "read" : "reads");
    width = viz_canvas_text(p->frame->canvas, (VizPoint){right, middle}, style, text);
    right -= width + 8 * px;
    draw_reads(p, (VizPoint){right, middle}, 7 * px);
    return right - 14 * px;
}

static void draw_header(const Picture *p) {
    static const TspTensorRole roles[] = {TSP_ROLE_INPUT, TSP_ROLE_CONSTANT, TSP_ROLE_INTERNAL,
                                          TSP_ROLE_OUTPUT};
    const VizFrame *frame = p->frame;
    const float px = frame->px, middle = frame->area.y + HEADER / 2 * px;
    VizTextStyle style = style_of(p, TEXT, VIZ_TEXT, VIZ_LEFT);
    char text[3 * VIZ_WORDS], used[VIZ_WORDS], all[VIZ_WORDS];
    int64_t rows = 0;
    float x = frame->area.x + MARGIN * px, right = frame->area.x + frame->area.w - MARGIN * px;
    for (int32_t i = 0; i < 4; i++) rows += p->map->rows[i];
    snprintf(text, sizeof text, "%s of %s rows", viz_count_text(used, rows),
             viz_count_text(all, (int64_t)p->slices * p->banks * p->bank_rows));
    /* this cycle's accesses come first */
    if (frame->area.w >= 150 * px) right = draw_counts(p, right, middle);
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

/* -- the grounds -- */

static void draw_ground(const Picture *p, int32_t slice) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, x = column_x(p, slice), w = inner_width(p);
    const VizRect head = {x, p->top - HEAD * px - snap(px), w, HEAD * px};
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
        viz_canvas_rect(frame->canvas, (VizRect){x, bank_y(p, bank), w, p->bank},
                        viz_plain(viz_colour(frame->theme, ground)));
    /* the head takes clicks down to the first row */
    viz_canvas_region(frame->canvas,
                      (VizRect){x, head.y - (p->labels ? LABELS * px : 0), p->column,
                                p->top - head.y + (p->labels ? LABELS * px : 0)},
                      VIZ_QUEUE, slice);
}

/* Where grounds are of the panel's colour, what shows how far the banks reach. */
static void draw_outlines(const Picture *p) {
    const VizFrame *frame = p->frame;
    const int32_t half = p->slices / 2;
    if (viz_colour(frame->theme, VIZ_BACKGROUND) != viz_colour(frame->theme, VIZ_PANEL)) return;
    for (int32_t bank = 0; bank < p->banks; bank++)
        for (int32_t side = 0; side < 2; side++) {
            const float x = column_x(p, side ? half : half - 1);
            const float end = column_x(p, side ? p->slices - 1 : 0) + inner_width(p);
            const float px = snap(frame->px);
            viz_canvas_outline(
                frame->canvas,
                (VizRect){x - px, bank_y(p, bank) - px, end - x + 2 * px, p->bank + 2 * px}, px,
                viz_colour(frame->theme, VIZ_GRID));
        }
}

/* Names of every so many slices, and VXM between them. */
static void draw_labels(const Picture *p) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, middle = p->top - (HEAD + LABELS / 2) * px;
    const int32_t group = (int32_t)frame->run->m->mem_slices_per_column, half = p->slices / 2;
    VizTextStyle style = style_of(p, SMALL, VIZ_TEXT_DIM, VIZ_LEFT);
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
            viz_canvas_text(frame->canvas,
                            (VizPoint){column_x(p, slice) + inner_width(p) / 2, middle}, style,
                            name);
        }
    for (int32_t bank = 0; bank < p->banks; bank++) {
        const float x = column_x(p, half) - p->gap / 2;
        char name[32];
        snprintf(name, sizeof name, "bank %d", bank);
        if (p->bank < 12 * px || viz_canvas_text_width(frame->canvas, style, name) > p->gap) break;
        viz_canvas_text(frame->canvas, (VizPoint){x, bank_y(p, bank) + p->bank / 2}, style, name);
    }
}

/* Row numbers at powers of two, as addresses of the slice. */
static void draw_gutter(const Picture *p) {
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
            const float y = snap(row_y(p, bank, row));
            char text[16];
            /* its text must not reach into the next bank */
            if (row > 0 && y + 10 * px > bank_y(p, bank) + p->bank) break;
            if (p->bank < 11 * px) break;
            snprintf(text, sizeof text, "0x%04x", (unsigned)(bank * p->bank_rows + row));
            viz_canvas_text(frame->canvas, (VizPoint){right, y + 5 * px}, style, text);
            viz_canvas_rect(frame->canvas, (VizRect){right + 2 * px, y, 3 * px, snap(px)},
                            viz_plain(viz_colour(frame->theme, VIZ_GRID)));
        }
    }
}

/* -- tensors -- */

static bool is_selected(const Picture *p, int32_t tensor) {
    return p->focus.tensor >= 0 && p->focus.tensor == tensor;
}

/* With the selection go its tensor and, of an op, all that it reads and writes. */
static bool is_strong(const Picture *p, int32_t tensor) {
    const VizGraph *g = &p->frame->run->plan->graph;
    if (p->focus.tensor < 0 || viz_goes_with(&p->focus, -1, tensor)) return true;
    if (p->frame->view->selected.kind != VIZ_OP) return false;
    for (int32_t i = 0; i < g->use_count; i++)
        if (g->uses[i].op == p->focus.op && g->uses[i].tensor == tensor) return true;
    return false;
}

static VizFill fill_of(const Picture *p, int32_t tensor) {
    VizFill fill = viz_tensor_fill(p->frame, tensor);
    if (is_strong(p, tensor)) return fill;
    fill.colour = viz_with_alpha(fill.colour, 0x40);
    fill.ink = viz_with_alpha(fill.ink, 0x30);
    return fill;
}

static void draw_block(const Picture *p, int32_t slice, float y, float h, int32_t tensor) {
    const VizFrame *frame = p->frame;
    const VizRect r = {column_x(p, slice), y, inner_width(p), h};
    viz_canvas_rect(frame->canvas, r, fill_of(p, tensor));
    if (is_selected(p, tensor) && r.w >= 4 * frame->px && r.h >= 3 * frame->px)
        viz_canvas_outline(frame->canvas, r, snap(frame->px), viz_colour(frame->theme, VIZ_TEXT));
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
static void draw_dense(const Picture *p, int32_t slice, int32_t bank, int32_t run, int32_t end) {
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
            draw_block(p, slice, bank_y(p, bank) + (float)since, (float)(y - since), tensor);
        tensor = now;
        since = y;
    }
}

static void draw_sparse(const Picture *p, int32_t slice, int32_t bank, int32_t run, int32_t end) {
    for (; run < end; run++) {
        const VizMemoryRun *r = &p->map->runs[run];
        const int32_t first = r->first - bank * p->bank_rows;
        const float y = snap(row_y(p, bank, first));
        draw_block(p, slice, y, snap(row_y(p, bank, first + r->rows)) - y, r->tensor);
    }
}

static void draw_tensors(const Picture *p, int32_t slice) {
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

/* -- this cycle's accesses -- */

static void draw_reads(const Picture *p, VizPoint at, float size) {
    const VizFrame *frame = p->frame;
    for (int32_t pass = 0; pass < 2; pass++) { /* a rim in the panel's colour, then the mark */
        const float s = size / 2 + (pass ? 0 : 1.5f * frame->px);
        const VizPoint points[] = {
            {at.x, at.y - s * 1.1f}, {at.x + s, at.y + s * 0.9f}, {at.x - s, at.y + s * 0.9f}};
        viz_canvas_polygon(frame->canvas, points, 3,
                           viz_plain(viz_colour(frame->theme, pass ? VIZ_GOOD : VIZ_PANEL)));
    }
}

static void draw_writes(const Picture *p, VizPoint at, float size, bool in_flight) {
    const VizFrame *frame = p->frame;
    const float s = size / 2, rim = 1.2f * frame->px;
    const VizRect r = {at.x - s, at.y - s, size, size};
    const VizColour colour = viz_colour(frame->theme, VIZ_WARNING);
    viz_canvas_rect(frame->canvas, (VizRect){r.x - rim, r.y - rim, r.w + 2 * rim, r.h + 2 * rim},
                    viz_plain(viz_colour(frame->theme, VIZ_PANEL)));
    if (in_flight)
        viz_canvas_outline(frame->canvas, r, 1.2f * frame->px, viz_with_alpha(colour, 0xb0));
    else
        viz_canvas_rect(frame->canvas, r, viz_plain(colour));
}

static float mark_size(const Picture *p) {
    return snap(fminf(fmaxf(p->column - 2 * p->frame->px, 5 * p->frame->px), 9 * p->frame->px));
}

static VizPoint mark_at(const Picture *p, int32_t slice, int32_t row) {
    const int32_t bank = row / p->bank_rows;
    const double middle = row % p->bank_rows + 0.5;
    return (VizPoint){column_x(p, slice) + inner_width(p) / 2, row_y(p, bank, middle)};
}

static void mark(const Picture *p, int32_t slice, int32_t row, bool write, bool in_flight) {
    const float size = mark_size(p), half = size / 2 + p->frame->px;
    VizPoint at;
    if (row < 0 || row >= p->banks * p->bank_rows || row % p->bank_rows >= p->map->extent) return;
    at = mark_at(p, slice, row);
    if (write)
        draw_writes(p, at, size - (in_flight ? snap(p->frame->px) : 0), in_flight);
    else
        draw_reads(p, at, size);
    viz_canvas_region(p->frame->canvas, (VizRect){at.x - half, at.y - half, 2 * half, 2 * half},
                      VIZ_ROW, (int64_t)slice * p->banks * p->bank_rows + row);
}

/* What the issue reads and writes: rows, or -1. Those of Gather and Scatter are data. */
static void rows_of(const Picture *p, const VizIssue *issue, int32_t *read, int32_t *write) {
    const TspInsn insn = viz_issue_insn(&p->frame->run->timeline, issue);
    *read = insn.op == TSP_OP_READ || insn.op == TSP_OP_READ_WRITE ? insn.addr : -1;
    *write = insn.op == TSP_OP_WRITE || insn.op == TSP_OP_READ_WRITE ? insn.waddr : -1;
}

static void draw_accesses(const Picture *p, int32_t slice) {
    const VizTimeline *line = &p->frame->run->timeline;
    const int64_t now = p->frame->view->cycle;
    VizIssue issue;
    int32_t read, write;
    for (int64_t cycle = now; viz_issue_previous(line, slice, cycle, &issue); cycle = issue.cycle) {
        if (issue.cycle + viz_burst_func(issue.burst) <= now) break;
        rows_of(p, &issue, &read, &write);
        if (write >= 0) mark(p, slice, write, true, true);
    }
    if (!viz_issue_at(line, slice, now, &issue)) return;
    rows_of(p, &issue, &read, &write);
    if (read >= 0) mark(p, slice, read, false, false);
    if (write >= 0) mark(p, slice, write, true, false);
}

static void draw_selected_row(const Picture *p) {
    const VizFrame *frame = p->frame;
    const float size = mark_size(p) + 6 * frame->px;
    VizPoint at;
    if (p->focus.row < 0 || p->focus.slice < 0 || p->focus.slice >= p->slices ||
        p->focus.row >= p->banks * p->bank_rows || p->focus.row % p->bank_rows >= p->map->extent)
        return;
    at = mark_at(p, p->focus.slice, p->focus.row);
    viz_canvas_outline(frame->canvas, (VizRect){at.x - size / 2, at.y - size / 2, size, size},
                       1.5f * frame->px, viz_colour(frame->theme, VIZ_ACCENT));
}

/* -- the legend -- */

/* Columns of the legend: name, type, shape, bytes; each as wide as its widest text. */
typedef struct {
    float name, type, shape, bytes; /* widths; 0 where there is no room */
} Legend;

static void legend_texts(const TspTensor *t, char shape[VIZ_WORDS], char bytes[VIZ_WORDS]) {
    viz_shape_text(shape, t);
    viz_bytes_text(bytes, tsp_tensor_bytes(t));
}

/* The name comes first; what leaves no room for it is left out. */
static Legend measure_legend(const Picture *p, VizTextStyle style, float width) {
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

static void draw_legend_row(const Picture *p, const Legend *g, int32_t tensor, VizRect r) {
    const VizFrame *frame = p->frame;
    const TspTensor *t = &frame->run->program->tensors[tensor];
    const float px = frame->px, side = 10 * px, middle = r.y + r.h / 2;
    const bool strong = is_strong(p, tensor);
    const VizThing hovered = frame->view->hovered;
    VizTextStyle name = style_of(p, TEXT, strong ? VIZ_TEXT : VIZ_TEXT_DIM, VIZ_LEFT);
    VizTextStyle dim = style_of(p, TEXT, VIZ_TEXT_DIM, VIZ_RIGHT);
    const VizRect swatch = {r.x, snap(middle - side / 2), side, side};
    float right = r.x + r.w;
    const float left = r.x + side + 6 * px;
    char shape[VIZ_WORDS], bytes[VIZ_WORDS];
    if (is_selected(p, tensor))
        viz_canvas_rect(frame->canvas, (VizRect){r.x - 3 * px, r.y, r.w + 6 * px, r.h},
                        viz_plain(viz_colour(frame->theme, VIZ_SELECTION)));
    else if (hovered.kind == VIZ_TENSOR && hovered.id == tensor)
        viz_canvas_rect(frame->canvas, (VizRect){r.x - 3 * px, r.y, r.w + 6 * px, r.h},
                        viz_plain(viz_colour(frame->theme, VIZ_HOVER)));
    if (is_selected(p, tensor)) dim.colour = viz_colour(frame->theme, VIZ_TEXT);
    viz_canvas_rect(frame->canvas, swatch, fill_of(p, tensor));
    viz_canvas_outline(frame->canvas, swatch, snap(px), viz_colour(frame->theme, VIZ_BORDER));
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

static void draw_legend(const Picture *p) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, height = LEGEND_ROW * px;
    const int32_t tensors = frame->run->program->tensor_count;
    const int32_t columns = p->legend.w >= 2 * LEGEND_WIDTH * px ? 2 : 1;
    const int32_t rows = (int32_t)(p->legend.h / height), room = rows * columns;
    const float width = floorf((p->legend.w - (float)(columns - 1) * 20 * px) / (float)columns);
    const VizTextStyle style = style_of(p, TEXT, VIZ_TEXT_DIM, VIZ_LEFT);
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

void viz_memory_draw(const VizFrame *frame) {
    const VizRun *run = frame->run;
    Picture p = {.frame = frame,
                 .map = &run->plan->memory,
                 .focus = viz_focus(run, frame->view->selected),
                 .slices = 2 * (int32_t)run->m->mem_slices,
                 .banks = (int32_t)run->m->mem_banks,
                 .bank_rows = (int32_t)run->m->mem_rows};
    if (frame->area.h < HEADER * frame->px) return;
    draw_header(&p);
    if (!lay_out(&p)) return;
    draw_labels(&p);
    draw_gutter(&p);
    draw_outlines(&p);
    for (int32_t slice = 0; slice < p.slices; slice++) {
        draw_ground(&p, slice);
        draw_tensors(&p, slice);
    }
    for (int32_t slice = 0; slice < p.slices; slice++) draw_accesses(&p, slice);
    draw_selected_row(&p);
    if (p.legend.w > 0) draw_legend(&p);
}
