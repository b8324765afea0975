/* gantt.c - the Gantt: graph ops and units over cycles. This file: the scale, and the order in
 * which things are drawn.
 */
#include "gantt_parts.h"

#include <math.h>

/* Scaled pixels: the column of names, by the panel's width, and that of shares. */
#define NAMES_LEAST 58.0f
#define NAMES_MOST  150.0f
#define NAMES_PART  0.16f
#define BUSY_WIDTH  52.0f
#define BUSY_FROM   620.0f
/* Numbers in a cell, and the space around it, need so much. */
#define CELL_LEAST 5.0f

void viz_gantt_range(const VizView *view, const VizTimeline *t, double *from, double *to) {
    const int64_t predicted = t->program->predicted_cycles;
    *from = view->from;
    *to = view->to;
    if (view->from < view->to) return;
    *from = 0;
    *to = (double)(t->cycles > predicted ? t->cycles : predicted);
    if (*to < 1) *to = 1;
}

static float names_width(VizRect area, float px) {
    float width = area.w * NAMES_PART;
    if (width > NAMES_MOST * px) width = NAMES_MOST * px;
    if (width < NAMES_LEAST * px) width = NAMES_LEAST * px;
    return viz_whole(width);
}

static float busy_width(VizRect area, float px) {
    return viz_whole((area.w >= BUSY_FROM * px ? BUSY_WIDTH : 4) * px);
}

/* Rows of the axis: flags; cycles; time. */
static int32_t axis_lines(VizRect area, float px) {
    return area.h >= 190 * px ? 3 : area.h >= 70 * px ? 2 : 1;
}

VizRect viz_gantt_axis(VizRect area, float px) {
    const float left = viz_whole(area.x) + names_width(area, px);
    const float width = viz_whole(area.x + area.w) - busy_width(area, px) - left;
    return (VizRect){left, viz_whole(area.y), width > 1 ? width : 1,
                     viz_whole(15 * px) * (float)axis_lines(area, px)};
}

double viz_gantt_cycle_at(const VizView *view, const VizTimeline *t, VizRect area, float px,
                          float x) {
    const VizRect axis = viz_gantt_axis(area, px);
    double from, to;
    viz_gantt_range(view, t, &from, &to);
    return from + (double)(x - axis.x) / (double)axis.w * (to - from);
}

float viz_gantt_x(const VizView *view, const VizTimeline *t, VizRect area, float px, double cycle) {
    const VizRect axis = viz_gantt_axis(area, px);
    double from, to;
    viz_gantt_range(view, t, &from, &to);
    return (float)((double)axis.x + (cycle - from) / (to - from) * (double)axis.w);
}

float gantt_x(const Gantt *g, double cycle) {
    double x = (cycle - g->from) * g->px_cycle;
    if (x < -16) x = -16;
    if (x > (double)g->axis.w + 16) x = (double)g->axis.w + 16;
    return viz_whole(g->axis.x + (float)x);
}

VizRect gantt_span(const Gantt *g, const GanttRow *row, double from, double to) {
    const float left = gantt_x(g, from), right = gantt_x(g, to);
    return (VizRect){left, row->box.y + 1, right > left + 1 ? right - left : 1, row->box.h - 2};
}

VizRect gantt_visible(const Gantt *g, VizRect box) {
    const float end = g->plot.x + g->plot.w;
    float right = box.x + box.w;
    if (box.x < g->plot.x) box.x = g->plot.x;
    if (right > end) right = end;
    box.w = right - box.x;
    return box;
}

VizFill gantt_fill(const Gantt *g, int32_t burst, int32_t op) {
    return viz_burst_fill(g->frame, &g->focus, burst, op);
}

/* A slot is a cycle, or as many cycles as a column of pixels has: then columns begin at multiples
 * of that, so that they keep their content when the view is moved. */
static void cut_slots(Gantt *g) {
    const double end = (double)g->t->cycles;
    double column = (double)viz_px(g->frame, 1), step, first, last;
    while ((double)g->axis.w / column > GANTT_SLOTS_MAX - 2) column++;
    step = column / g->px_cycle;
    if (step < 1) step = 1;
    first = floor((g->from > 0 ? g->from : 0) / step);
    last = ceil((g->to < end ? g->to : end) / step);
    g->slots = (VizSlots){.origin = first * step,
                          .step = step,
                          .count = last > first ? (int32_t)(last - first) : 0,
                          .end = g->t->cycles,
                          .exact = g->cells};
    if (g->slots.count > GANTT_SLOTS_MAX) g->slots.count = GANTT_SLOTS_MAX;
}

/* The cycle under every pixel, for whoever clicks where no bar is. */
static void mark_cycles(const Gantt *g) {
    const double column = (double)viz_px(g->frame, 1);
    const double step = g->px_cycle >= column ? 1 : column / g->px_cycle;
    const float bottom = g->plot.y + g->plot.h;
    for (double cycle = floor(g->from / step) * step; cycle < g->to; cycle += step) {
        const float left = gantt_x(g, cycle), right = gantt_x(g, cycle + step);
        double id = step == 1 ? cycle : floor(cycle + step / 2);
        if (id < 0) id = 0;
        if (id > (double)g->t->cycles) id = (double)g->t->cycles;
        viz_canvas_region(g->canvas, (VizRect){left, g->axis.y, right - left, bottom - g->axis.y},
                          VIZ_CYCLE, (int64_t)id);
    }
}

static void set_up(Gantt *g, const VizFrame *frame) {
    const float bottom = viz_whole(frame->area.y + frame->area.h);
    g->frame = frame;
    g->run = frame->run;
    g->t = &frame->run->timeline;
    g->canvas = frame->canvas;
    g->focus = viz_focus(frame->run, frame->view->selected);
    g->axis = viz_gantt_axis(frame->area, frame->px);
    g->plot = (VizRect){g->axis.x, g->axis.y + g->axis.h, g->axis.w, 0};
    g->plot.h = bottom - g->plot.y;
    g->busy = (VizRect){g->axis.x + g->axis.w, g->axis.y,
                        viz_whole(frame->area.x + frame->area.w) - g->axis.x - g->axis.w,
                        bottom - g->axis.y};
    if (frame->area.w < BUSY_FROM * frame->px) g->busy.w = 0;
    viz_gantt_range(frame->view, g->t, &g->from, &g->to);
    g->px_cycle = (double)g->axis.w / (g->to - g->from);
    g->cells = g->px_cycle >= (double)(CELL_LEAST * frame->px);
    g->row_count = 0;
    g->ops_hidden = 0;
    cut_slots(g);
    gantt_lay_out(g);
}

void viz_gantt_draw(const VizFrame *frame) {
    Gantt g;
    if (frame->area.w < 2 * NAMES_LEAST * frame->px || frame->area.h < 24 * frame->px) return;
    set_up(&g, frame);
    viz_canvas_clip_push(g.canvas, frame->area);
    viz_canvas_clip_push(g.canvas, (VizRect){g.axis.x, g.axis.y, g.axis.w, g.axis.h + g.plot.h});
    mark_cycles(&g);
    gantt_draw_ground(&g);
    for (int32_t i = g.op_rows; i < g.row_count; i++) {
        g.rows[i].share = g.rows[i].kind == ROW_QUEUE ? gantt_draw_queue(&g, &g.rows[i])
                                                      : gantt_draw_strip(&g, &g.rows[i]);
    }
    gantt_draw_ops(&g);
    gantt_draw_axis(&g);
    viz_canvas_clip_pop(g.canvas);
    gantt_draw_names(&g);
    viz_canvas_clip_pop(g.canvas);
}
