/* chip_units.c - the units above the bands: slices that read (upper half) or write (lower half),
 * ALUs at work, planes with what they load, hold, multiply and hand out, SXM units.
 */
#include "chip_parts.h"
#include "label.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const ChipPicture *c;
    VizRect strip; /* all units */
    float title;   /* height of the names at its top */
} Strip;

/* -- one cell -- */

/* By what it moves, as the vectors are. */
static VizFill burst_fill(const VizFrame *frame, const VizBurst *b) {
    return viz_tensor_fill(frame, frame->run->burst_tensor[b - frame->run->timeline.bursts]);
}

static void draw_cell(const ChipPicture *c, VizRect r, int32_t queue) {
    const VizFrame *frame = c->frame;
    const bool selected = c->focus.queue == queue;
    viz_canvas_rect(frame->canvas, r, viz_plain(viz_colour(frame->theme, VIZ_IDLE)));
    if (frame->theme->line_px < 1 || r.w > 12 * frame->px)
        viz_canvas_outline(frame->canvas, r, frame->theme->line_px * frame->px,
                           viz_colour(frame->theme, VIZ_GRID));
    if (selected)
        viz_canvas_outline(frame->canvas, r, 2 * frame->px, viz_colour(frame->theme, VIZ_ACCENT));
    viz_mark_found(frame, r, VIZ_QUEUE, queue);
    viz_canvas_region(frame->canvas, r, VIZ_QUEUE, queue);
}

static void light(const ChipPicture *c, VizRect r, const VizBurst *b, const char *text) {
    const VizFrame *frame = c->frame;
    VizFill fill = burst_fill(frame, b);
    VizTextStyle style = viz_style(frame, VIZ_MONO, 9, VIZ_TEXT);
    if (r.w < 8 * frame->px || r.h < 6 * frame->px) fill.hatch = VIZ_HATCH_NONE;
    viz_canvas_rect(frame->canvas, r, fill);
    if (!text || r.w < 18 * frame->px || r.h < 9 * frame->px) return;
    style.colour = viz_readable_on(fill.colour | 0xffu);
    style.anchor = VIZ_CENTRE;
    style.vertical = VIZ_MIDDLE;
    style.max_width = r.w - 2 * frame->px;
    viz_canvas_text(frame->canvas, (VizPoint){r.x + r.w / 2, r.y + r.h / 2}, style, text);
}

/* The burst that the queue has at work in the cycle looked at: issued and not at its effect yet. */
static const VizBurst *at_work(const VizRun *run, int32_t queue) {
    VizIssue issue;
    if (!viz_issue_previous(&run->timeline, queue, run->cycle + 1, &issue)) return NULL;
    if (run->cycle >= issue.cycle + viz_burst_func(issue.burst)) return NULL;
    return issue.burst;
}

static VizRect part(VizRect r, int32_t column, int32_t columns, int32_t row, int32_t rows,
                    float gap) {
    const float w = r.w / (float)columns, h = r.h / (float)rows;
    return (VizRect){r.x + (float)column * w + gap / 2, r.y + (float)row * h + gap / 2, w - gap,
                     h - gap};
}

/* -- units -- */

static void draw_slice(const ChipPicture *c, VizRect r, int32_t queue) {
    const VizRun *run = c->frame->run;
    VizIssue issue;
    draw_cell(c, r, queue);
    if (!viz_issue_at(&run->timeline, queue, run->cycle, &issue)) return;
    const TspOpcode op = issue.burst->opcode;
    if (op == TSP_OP_READ || op == TSP_OP_READ_WRITE || op == TSP_OP_GATHER)
        light(c, (VizRect){r.x, r.y, r.w, r.h / 2}, issue.burst, "R");
    if (op == TSP_OP_WRITE || op == TSP_OP_READ_WRITE || op == TSP_OP_SCATTER)
        light(c, (VizRect){r.x, r.y + r.h / 2, r.w, r.h / 2}, issue.burst, "W");
}

static void draw_memory(const ChipPicture *c, VizRect r, int32_t column) {
    const VizRun *run = c->frame->run;
    const int32_t count = (int32_t)run->m->mem_slices_per_column;
    int32_t at = 0;
    for (int32_t slice = 0; slice < 2 * run->m->mem_slices; slice++) {
        /* Slice 0 is next to the VXM: in the west it stands rightmost. */
        const bool west = tsp_slice_hemisphere(run->m, slice) == TSP_WEST;
        if (tsp_slice_column(run->m, slice) != column) continue;
        draw_slice(c, part(r, west ? count - 1 - at : at, count, 0, 1, c->frame->px), slice);
        at++;
    }
}

static void draw_alus(const ChipPicture *c, VizRect r) {
    const VizRun *run = c->frame->run;
    const int32_t alus = (int32_t)run->m->vxm_alus;
    int32_t side = 1;
    while (side * side < alus) side++;
    for (int32_t alu = 0; alu < alus; alu++) {
        const int32_t queue = tsp_queue_vxm(run->m, alu);
        const VizRect cell =
            part(r, alu % side, side, alu / side, (alus + side - 1) / side, c->frame->px);
        const VizBurst *b = at_work(run, queue);
        draw_cell(c, cell, queue);
        if (b) light(c, cell, b, tsp_insn_info(b->opcode)->mnemonic);
    }
}

/* Weight groups loaded since the last install, and that install (NULL: none yet). */
static int64_t groups_loaded(const VizRun *run, int32_t queue, const VizBurst **installed) {
    const VizTimeline *line = &run->timeline;
    int64_t groups = 0;
    *installed = NULL;
    for (int32_t i = viz_burst_find(line, queue, run->cycle); i >= line->first[queue]; i--) {
        const VizBurst *b = &line->bursts[i];
        if (b->opcode == TSP_OP_IW) {
            *installed = b;
            break;
        }
        if (b->opcode == TSP_OP_LW) groups += viz_burst_issues_before(b, run->cycle + 1);
    }
    return groups;
}

static void draw_plane(const ChipPicture *c, VizRect r, TspHemisphere h, int32_t plane) {
    const VizFrame *frame = c->frame;
    const VizRun *run = frame->run;
    static const TspRole roles[] = {TSP_ROLE_WEIGHTS, TSP_ROLE_ACTIVATIONS, TSP_ROLE_RESULTS};
    const int32_t weights = tsp_queue_mxm(run->m, h, plane, TSP_ROLE_WEIGHTS);
    const VizBurst *installed, *b;
    const float groups = (float)tsp_lanes(run->m) / (float)run->m->mxm_load_streams;
    const float share = (float)groups_loaded(run, weights, &installed) / groups;
    for (int32_t i = 0; i < 3; i++) {
        const int32_t queue = tsp_queue_mxm(run->m, h, plane, roles[i]);
        const VizRect cell = part(r, 0, 1, i, 3, frame->px);
        draw_cell(c, cell, queue);
        b = at_work(run, queue);
        if (i == 0 && installed) { /* what it multiplies by; what it loads lies over it */
            VizFill fill = burst_fill(frame, installed);
            fill.colour = viz_with_alpha(fill.colour, 90);
            fill.ink = viz_with_alpha(fill.ink, 90);
            viz_canvas_rect(frame->canvas, cell, fill);
        }
        if (i == 0 && share > 0 && b)
            light(c, (VizRect){cell.x, cell.y, cell.w * (share < 1 ? share : 1), cell.h}, b, "lw");
        if (i > 0 && b) light(c, cell, b, tsp_insn_info(b->opcode)->mnemonic);
    }
}

static void draw_others(const ChipPicture *c, VizRect r, int32_t column, TspUnit unit) {
    const VizRun *run = c->frame->run;
    const int32_t queues = tsp_queue_count(run->m);
    int32_t count = 0, at = 0, side = 1;
    for (int32_t q = 0; q < queues; q++)
        count +=
            tsp_queue_info(run->m, q).unit == unit && tsp_queue_info(run->m, q).column == column;
    while (side * side < count) side++;
    for (int32_t q = 0; q < queues; q++) {
        const TspQueueInfo info = tsp_queue_info(run->m, q);
        const VizBurst *b;
        VizRect cell;
        if (info.unit != unit || info.column != column) continue;
        cell = part(r, at % side, side, at / side, (count + side - 1) / side, c->frame->px);
        draw_cell(c, cell, q);
        b = at_work(run, q);
        if (b) light(c, cell, b, tsp_insn_info(b->opcode)->mnemonic);
        at++;
    }
}

/* -- the strip -- */

static void draw_column(const Strip *s, int32_t column) {
    const ChipPicture *c = s->c;
    const VizFrame *frame = c->frame;
    const TspMachine *m = frame->run->m;
    const VizRect whole = {chip_x(c, (float)column), s->strip.y, c->map.sx, s->strip.h};
    const VizRect r = {whole.x + frame->px, whole.y + s->title, whole.w - 2 * frame->px,
                       whole.h - s->title - 2 * frame->px};
    VizTextStyle style = viz_style(frame, VIZ_REGULAR, 9, VIZ_TEXT_DIM);
    char name[32] = "";
    if (whole.x > frame->area.x + frame->area.w || whole.x + whole.w < frame->area.x) return;
    if (column == tsp_vxm_column(m)) {
        snprintf(name, sizeof name, "VXM");
        draw_alus(c, r);
    } else if (column == 0 || column == tsp_columns(m) - 1) {
        const TspHemisphere h = column == 0 ? TSP_WEST : TSP_EAST;
        snprintf(name, sizeof name, "MXM");
        for (int32_t plane = 0; plane < m->mxm_planes; plane++)
            draw_plane(c, part(r, 0, 1, plane, (int32_t)m->mxm_planes, 2 * frame->px), h, plane);
    } else if (column == tsp_sxm_column(m, TSP_WEST) || column == tsp_sxm_column(m, TSP_EAST)) {
        snprintf(name, sizeof name, "SXM");
        draw_others(c, r, column, TSP_UNIT_SXM);
    } else {
        const int32_t away =
            column < tsp_vxm_column(m) ? tsp_vxm_column(m) - column : column - tsp_vxm_column(m);
        const int32_t first = (away - 1) * (int32_t)m->mem_slices_per_column;
        snprintf(name, sizeof name, "%c%d-%d", column < tsp_vxm_column(m) ? 'W' : 'E', (int)first,
                 (int)(first + m->mem_slices_per_column - 1));
        if (viz_canvas_text_width(frame->canvas, style, name) > whole.w - 2 * frame->px)
            *strchr(name, '-') = 0;
        draw_memory(c, r, column);
    }
    style.anchor = VIZ_CENTRE;
    style.vertical = VIZ_MIDDLE;
    style.max_width = whole.w;
    viz_canvas_text(frame->canvas, (VizPoint){whole.x + whole.w / 2, whole.y + s->title / 2}, style,
                    name);
}

void chip_units_draw(const ChipPicture *c) {
    const VizFrame *frame = c->frame;
    const Strip s = {.c = c,
                     .strip = {frame->area.x, frame->area.y, frame->area.w,
                               viz_chip_strip(frame->view, frame->area)},
                     .title = 12 * frame->px};
    viz_canvas_rect(frame->canvas, s.strip, viz_plain(viz_colour(frame->theme, VIZ_PANEL)));
    for (int32_t column = 0; column < tsp_columns(frame->run->m); column++) draw_column(&s, column);
}
