/* move.c - zoom, pan and fit; see move.h.
 */
#include "move.h"
#include "chip.h"
#include "gantt.h"

#include <math.h>

#define CYCLES_LEAST 4.0 /* across the time axis */

VizPanel viz_zooming_panel(VizPanel panel) {
    return panel == VIZ_CHIP ? VIZ_CHIP : VIZ_GANTT;
}

static double held(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

/* -- the chip -- */

/* The whole chip at zoom 1; closer, no further than its edges. */
static void set_chip(VizApp *app, double zoom, double x, double y) {
    VizView *view = &app->view;
    const double columns = tsp_columns(app->run.m), superlanes = (double)app->run.m->superlanes;
    double across, down;
    zoom = held(zoom, 1, VIZ_ZOOM_MOST);
    across = columns / 2 / sqrt(zoom), down = superlanes / 2 / zoom; /* as in viz_chip_map() */
    view->chip_zoom = viz_tidy(zoom);
    view->chip_x = viz_tidy(held(x, across, columns - across));
    view->chip_y = viz_tidy(held(y, down, superlanes - down));
    app->changed = true;
}

static VizPoint middle(VizRect area) {
    return (VizPoint){area.x + area.w / 2, area.y + area.h / 2};
}

static void zoom_chip(VizApp *app, double factor, float x, float y) {
    const VizRect area = viz_app_area(app, VIZ_CHIP);
    const float strip = viz_chip_strip(&app->view, area);
    const VizPoint centre = middle((VizRect){area.x, area.y + strip, area.w, area.h - strip});
    const VizChipMap map = viz_chip_map(&app->run, &app->view, area);
    const double old = app->view.chip_zoom > 1 ? app->view.chip_zoom : 1;
    const double zoom = held(old * factor, 1, VIZ_ZOOM_MOST), grown = zoom / old;
    if (area.w <= 0) return;
    set_chip(app, zoom,
             (double)((x - map.x0) / map.sx) - (double)((x - centre.x) / map.sx) / sqrt(grown),
             (double)((y - map.y0) / map.sy) - (double)((y - centre.y) / map.sy) / grown);
}

static void pan_chip(VizApp *app, double dx, double dy) {
    const VizRect area = viz_app_area(app, VIZ_CHIP);
    const VizChipMap map = viz_chip_map(&app->run, &app->view, area);
    if (area.w <= 0 || app->view.chip_zoom <= 1) return;
    set_chip(app, app->view.chip_zoom, app->view.chip_x - dx / (double)map.sx,
             app->view.chip_y - dy / (double)map.sy);
}

/* -- the time axis -- */

static void set_range(VizApp *app, double from, double to) {
    const double end = (double)app->run.timeline.cycles;
    const double span = to - from < CYCLES_LEAST ? CYCLES_LEAST : to - from;
    app->changed = true;
    app->view.from = app->view.to = 0;
    if (span >= end) return;
    from = held(from, 0, end - span);
    app->view.from = viz_tidy(from);
    app->view.to = viz_tidy(from + span);
}

static void zoom_time(VizApp *app, double factor, float x) {
    const VizTimeline *t = &app->run.timeline;
    const VizRect area = viz_app_area(app, VIZ_GANTT);
    double from, to, at;
    if (area.w <= 0) return;
    viz_gantt_range(&app->view, t, &from, &to);
    if ((to - from) / factor < CYCLES_LEAST) factor = (to - from) / CYCLES_LEAST;
    at = held(viz_gantt_cycle_at(&app->view, t, area, app->view.scale, x), from, to);
    set_range(app, at - (at - from) / factor, at + (to - at) / factor);
}

static void pan_time(VizApp *app, double dx) {
    const VizTimeline *t = &app->run.timeline;
    const VizRect axis = viz_gantt_axis(viz_app_area(app, VIZ_GANTT), app->view.scale);
    double from, to;
    if (axis.w <= 0) return;
    viz_gantt_range(&app->view, t, &from, &to);
    dx *= (to - from) / (double)axis.w;
    set_range(app, from - dx, to - dx);
}

/* -- either -- */

void viz_zoom(VizApp *app, VizPanel panel, double factor, float x, float y) {
    if (viz_zooming_panel(panel) == VIZ_CHIP)
        zoom_chip(app, factor, x, y);
    else
        zoom_time(app, factor, x);
}

VizPoint viz_zoom_point(const VizApp *app, VizPanel panel) {
    const VizTimeline *t = &app->run.timeline;
    const VizRect area = viz_app_area(app, panel);
    const VizRect axis = viz_gantt_axis(area, app->view.scale);
    float x;
    if (panel == VIZ_CHIP) return middle(area);
    x = viz_gantt_x(&app->view, t, area, app->view.scale, (double)app->view.cycle + 0.5);
    return x < axis.x || x > axis.x + axis.w ? middle(axis) : (VizPoint){x, axis.y};
}

void viz_pan(VizApp *app, VizPanel panel, double dx, double dy) {
    if (viz_zooming_panel(panel) == VIZ_CHIP)
        pan_chip(app, dx, dy);
    else
        pan_time(app, dx);
}

void viz_fit_all(VizApp *app) {
    set_chip(app, 1, 0, 0);
    set_range(app, 0, INFINITY);
}

/* -- fit -- */

/* Cycles and columns of everything that goes with the selection. */
typedef struct {
    int64_t from, to;
    int32_t left, right;
} Extent;

static void cover(Extent *e, int64_t from, int64_t to, int32_t column) {
    if (from < e->from) e->from = from;
    if (to > e->to) e->to = to;
    if (column >= 0 && column < e->left) e->left = column;
    if (column > e->right) e->right = column;
}

static Extent extent(const VizApp *app) {
    const VizRun *run = &app->run;
    const VizThing thing = app->view.selected;
    const VizFocus focus = viz_focus(run, thing);
    Extent e = {INT64_MAX, -1, TSP_MAX_COLUMNS, -1};
    if (thing.kind == VIZ_CYCLE) cover(&e, thing.id, thing.id, -1);
    if (thing.kind == VIZ_REGISTER) cover(&e, run->cycle, run->cycle, focus.column);
    for (int32_t i = 0; i < run->timeline.burst_count; i++) {
        const VizBurst *b = &run->timeline.bursts[i];
        const bool counts = thing.kind == VIZ_BURST   ? i == focus.burst
                            : thing.kind == VIZ_QUEUE ? b->queue == focus.queue
                            : thing.kind == VIZ_ROW   ? b->queue == focus.slice
                            : thing.kind == VIZ_OP    ? b->op[0] == focus.op || b->op[1] == focus.op
                            : thing.kind == VIZ_TENSOR ? run->burst_tensor[i] == focus.tensor
                                                       : false;
        if (counts) cover(&e, b->start, viz_burst_end(b), tsp_queue_info(run->m, b->queue).column);
    }
    return e;
}

bool viz_fit_selection(VizApp *app, VizPanel panel) {
    const double columns = tsp_columns(app->run.m);
    const Extent e = extent(app);
    const double most = (double)app->run.m->superlanes / 2; /* some of them stay in sight */
    double margin, wide, zoom;
    if (viz_zooming_panel(panel) == VIZ_CHIP) {
        if (e.right < 0) return false;
        wide = columns / ((double)(e.right - e.left + 1) + 2);
        zoom = wide * wide; /* as in viz_chip_map() */
        if (zoom > most) zoom = most;
        set_chip(app, zoom, (double)(e.left + e.right + 1) / 2, 0);
        return true;
    }
    if (e.to < 0) return false;
    margin = 0.05 * (double)(e.to - e.from) + 2;
    set_range(app, (double)e.from - margin, (double)e.to + margin);
    return true;
}
