/* gantt_axis.c - the time axis of the Gantt: ticks in cycles and in time, the present cycle, marks.
 */
#include "gantt_parts.h"

#include <math.h>
#include <stdio.h>

/* -- ticks -- */

/* The least of 1, 2, 5, 10, ... times a power of ten that is at least so much. */
static double round_step(double least) {
    double power = pow(10, floor(log10(least)));
    if (power >= least) return power;
    if (2 * power >= least) return 2 * power;
    return 5 * power >= least ? 5 * power : 10 * power;
}

static VizTextStyle small(const Gantt *g, VizRole role) {
    return viz_style(g->frame, VIZ_REGULAR, 10, role);
}

static double cycle_step(const Gantt *g) {
    char text[VIZ_WORDS];
    const float width =
        viz_canvas_text_width(g->canvas, small(g, VIZ_TEXT), viz_count_text(text, (int64_t)g->to));
    const double least = (double)(width + viz_px(g->frame, 36)) / g->px_cycle;
    return least <= 1 ? 1 : round_step(least);
}

static int32_t lines(const Gantt *g) {
    return (int32_t)(g->axis.h / viz_whole(15 * g->frame->px) + 0.5f);
}

static VizRect line_of(const Gantt *g, int32_t line) {
    const float height = viz_whole(15 * g->frame->px);
    return (VizRect){g->axis.x, g->axis.y + (float)line * height, g->axis.w, height};
}

/* Places on a line of the axis that have a text already. */
enum { TAKEN_MAX = 2 * VIZ_MARKS + 8 };
typedef struct {
    float from[TAKEN_MAX], to[TAKEN_MAX];
    int32_t count;
} Taken;

static bool is_free(const Taken *taken, float from, float to) {
    for (int32_t i = 0; i < taken->count; i++)
        if (from < taken->to[i] && to > taken->from[i]) return false;
    return true;
}

static void take(Taken *taken, float from, float to) {
    if (taken->count == TAKEN_MAX) return;
    taken->from[taken->count] = from;
    taken->to[taken->count++] = to;
}

static void label_tick(const Gantt *g, VizRect line, const Taken *taken, double x, VizRole role,
                       const char *text) {
    const VizTextStyle style = small(g, role);
    const float width = viz_canvas_text_width(g->canvas, style, text);
    const float left = viz_whole((float)x) + viz_px(g->frame, 4);
    if (left < line.x || left + width > line.x + line.w) return;
    if (!is_free(taken, left - viz_px(g->frame, 3), left + width + viz_px(g->frame, 3))) return;
    viz_label_whole(g->frame, (VizRect){left, line.y, width, line.h}, style, text);
}

static void tick_mark(const Gantt *g, float x, VizRect line, float height, VizRole role) {
    viz_canvas_rect(g->canvas, (VizRect){x, line.y + line.h - height, viz_px(g->frame, 1), height},
                    viz_plain(viz_colour(g->frame->theme, role)));
}

static void draw_cycles(const Gantt *g, VizRect line, const Taken *taken) {
    const double step = cycle_step(g), minor = step >= 5 ? step / 5 : 1;
    char text[VIZ_WORDS];
    for (double c = ceil(g->from / minor) * minor; c < g->to; c += minor)
        if (minor * g->px_cycle >= (double)viz_px(g->frame, 5) && c >= 0)
            tick_mark(g, gantt_x(g, c), line, viz_px(g->frame, 3), VIZ_GRID);
    for (double k = ceil(g->from / step); k * step < g->to; k++) {
        if (k < 0) continue;
        tick_mark(g, gantt_x(g, k * step), line, line.h, VIZ_GRID);
        label_tick(g, line, taken, (double)gantt_x(g, k * step), VIZ_TEXT,
                   viz_count_text(text, (int64_t)(k * step)));
    }
}

typedef struct {
    const char *name;
    double seconds;
} Unit;
static const Unit units[] = {{"ns", 1e-9}, {"\xc2\xb5s", 1e-6}, {"ms", 1e-3}, {"s", 1}};

/* The largest unit of which the view's right end has one at least. */
static const Unit *unit_of(const Gantt *g) {
    const double end = g->to / (double)g->run->m->clock_hz;
    int32_t i = 3;
    while (i > 0 && end < units[i].seconds) i--;
    return &units[i];
}

static void draw_time(const Gantt *g, VizRect line, const Taken *taken) {
    const double cycle = 1 / (double)g->run->m->clock_hz / unit_of(g)->seconds; /* in units */
    const double step = round_step((double)viz_px(g->frame, 84) / g->px_cycle * cycle);
    const int32_t digits = step < 1 ? (int32_t)ceil(-log10(step) - 1e-9) : 0;
    for (double k = ceil(g->from * cycle / step); k * step < g->to * cycle; k++) {
        const float x = gantt_x(g, k * step / cycle);
        char text[VIZ_WORDS];
        if (k < 0) continue;
        snprintf(text, sizeof text, "%.*f", digits, k * step);
        viz_canvas_rect(g->canvas, (VizRect){x, line.y, viz_px(g->frame, 1), viz_px(g->frame, 4)},
                        viz_plain(viz_colour(g->frame->theme, VIZ_BORDER)));
        label_tick(g, line, taken, (double)x, VIZ_TEXT_DIM, text);
    }
}

/* -- ground -- */

void gantt_draw_ground(const Gantt *g) {
    const VizTheme *theme = g->frame->theme;
    const double step = cycle_step(g), end = (double)g->t->cycles;
    const double cycle = (double)g->frame->view->cycle;
    const float left = gantt_x(g, 0), right = gantt_x(g, end);
    const VizRect plot = g->plot;
    const VizFill outside = viz_plain(viz_colour(theme, VIZ_BACKGROUND));
    for (int32_t i = g->op_rows; i < g->row_count; i++)
        viz_canvas_rect(g->canvas,
                        (VizRect){plot.x, g->rows[i].box.y + 1, plot.w, g->rows[i].box.h - 2},
                        viz_plain(viz_with_alpha(viz_colour(theme, VIZ_IDLE), 0x70)));
    for (double k = ceil(g->from / step); k * step < g->to; k++)
        viz_canvas_rect(g->canvas,
                        (VizRect){gantt_x(g, k * step), plot.y, viz_px(g->frame, 1), plot.h},
                        viz_plain(viz_colour(theme, VIZ_GRID)));
    viz_canvas_rect(g->canvas, (VizRect){plot.x, g->axis.y, left - plot.x, g->axis.h + plot.h},
                    outside);
    viz_canvas_rect(g->canvas,
                    (VizRect){right, g->axis.y, plot.x + plot.w - right, g->axis.h + plot.h},
                    outside);
    if (g->px_cycle < 2) return;
    viz_canvas_rect(
        g->canvas,
        (VizRect){gantt_x(g, cycle), plot.y, gantt_x(g, cycle + 1) - gantt_x(g, cycle), plot.h},
        viz_plain(viz_with_alpha(viz_colour(theme, VIZ_CURSOR), 0x24)));
}

/* -- flags -- */

static bool in_view(const Gantt *g, double cycle) {
    return cycle >= g->from && cycle <= g->to;
}

static void draw_pole(const Gantt *g, float x, float width, VizColour colour) {
    viz_canvas_rect(g->canvas, (VizRect){x, g->axis.y, width, g->axis.h + g->plot.h},
                    viz_plain(colour));
}

/* A text on a ground of its own, beside x where it is free; false if it is not. */
static bool draw_flag(const Gantt *g, VizRect line, Taken *taken, float x, bool bold,
                      VizColour ground, const char *text) {
    VizTextStyle style = viz_style(g->frame, bold ? VIZ_BOLD : VIZ_REGULAR, 10, VIZ_TEXT);
    const float pad = viz_px(g->frame, 4);
    const float width = viz_canvas_text_width(g->canvas, style, text) + 2 * pad;
    const float end = line.x + line.w;
    float left = x;
    if (x + width > end || !is_free(taken, left, left + width))
        left = x + viz_px(g->frame, 1) - width; /* to the other side of its pole */
    if (left < line.x) left = line.x;
    if (left + width > end || !is_free(taken, left, left + width)) return false;
    take(taken, left, left + width + 1);
    style.colour = viz_readable_on(ground);
    viz_canvas_rect(g->canvas, (VizRect){left, line.y, width, line.h - 1}, viz_plain(ground));
    viz_label_whole(g->frame, (VizRect){left + pad, line.y, width - 2 * pad, line.h}, style, text);
    return true;
}

/* The cycle looked at; an arrow with its number if it is elsewhere. */
static void draw_cursor(const Gantt *g, Taken *taken) {
    const VizView *view = g->frame->view;
    const double at = (double)view->cycle + (double)view->phase;
    const VizColour colour = viz_colour(g->frame->theme, VIZ_CURSOR);
    const float width = viz_px(g->frame, 1.5f);
    char text[VIZ_WORDS + 8], number[VIZ_WORDS];
    viz_count_text(number, view->cycle);
    if (in_view(g, at)) {
        draw_pole(g, gantt_x(g, at), width, colour);
        draw_flag(g, line_of(g, 0), taken, gantt_x(g, at), true, colour, number);
        return;
    }
    snprintf(text, sizeof text, at < g->from ? "\xe2\x97\x82 %s" : "%s \xe2\x96\xb8", number);
    draw_flag(g, line_of(g, 0), taken, at < g->from ? g->axis.x : g->axis.x + g->axis.w, true,
              colour, text);
}

static void write_delta(const Gantt *g, char *text, size_t size, const char *name, int64_t cycle,
                        bool time) {
    const int64_t delta = cycle - g->frame->view->cycle;
    char number[VIZ_WORDS], us[VIZ_WORDS];
    viz_count_text(number, delta);
    viz_time_text(us, g->run->m, (double)delta);
    snprintf(text, size, "%s  %s%s%s%s%s", name, delta > 0 ? "+" : "", number, time ? "  " : "",
             time && delta > 0 ? "+" : "", time ? us : "");
}

/* A mark with as much beside its number as there is room for. */
static void draw_mark(const Gantt *g, Taken *taken, int32_t mark) {
    const int64_t cycle = g->frame->view->mark[mark];
    const VizColour colour = viz_colour(g->frame->theme, VIZ_MARK);
    const float x = gantt_x(g, (double)cycle);
    char text[3][3 * VIZ_WORDS];
    if (cycle < 0 || !in_view(g, (double)cycle)) return;
    snprintf(text[2], sizeof text[2], "%d", mark + 1);
    write_delta(g, text[1], sizeof text[1], text[2], cycle, false);
    write_delta(g, text[0], sizeof text[0], text[2], cycle, true);
    for (int32_t i = 0; i < 3; i++)
        if (draw_flag(g, line_of(g, 0), taken, x, false, colour, text[i])) return;
}

/* The cycle under the mouse, how far it is from the one looked at. */
static void draw_hover(const Gantt *g, Taken *taken) {
    const VizThing hovered = g->frame->view->hovered;
    const VizTheme *theme = g->frame->theme;
    char text[3 * VIZ_WORDS], number[VIZ_WORDS];
    if (hovered.kind != VIZ_CYCLE || !in_view(g, (double)hovered.id)) return;
    draw_pole(g, gantt_x(g, (double)hovered.id), viz_px(g->frame, 1),
              viz_with_alpha(viz_colour(theme, VIZ_TEXT), 0x90));
    viz_count_text(number, hovered.id);
    write_delta(g, text, sizeof text, number, hovered.id, true);
    draw_flag(g, line_of(g, lines(g) > 1), taken, gantt_x(g, (double)hovered.id), false,
              viz_colour(theme, VIZ_TEXT), text);
}

/* Where a run that broke a rule ends. */
static void draw_failure(const Gantt *g, Taken *taken) {
    const VizColour colour = viz_colour(g->frame->theme, VIZ_ERROR);
    const float x = gantt_x(g, (double)g->t->cycles);
    if (!g->run->failed || !in_view(g, (double)g->t->cycles)) return;
    draw_pole(g, x, viz_px(g->frame, 2), colour);
    draw_flag(g, line_of(g, 0), taken, x, true, colour, "stopped");
}

void gantt_draw_axis(const Gantt *g) {
    Taken flags = {.count = 0}, numbers = {.count = 0}, none = {.count = 0};
    Taken *second = lines(g) > 1 ? &numbers : &flags;
    const VizColour border = viz_colour(g->frame->theme, VIZ_BORDER);
    for (int32_t i = VIZ_MARKS - 1; i >= 0; i--)
        if (g->frame->view->mark[i] >= 0 && in_view(g, (double)g->frame->view->mark[i]))
            draw_pole(g, gantt_x(g, (double)g->frame->view->mark[i]), viz_px(g->frame, 1),
                      viz_colour(g->frame->theme, VIZ_MARK));
    draw_cursor(g, &flags);
    draw_hover(g, second);
    draw_failure(g, &flags);
    for (int32_t i = 0; i < VIZ_MARKS; i++) draw_mark(g, &flags, i);
    draw_cycles(g, line_of(g, lines(g) > 1), second);
    if (lines(g) > 2) draw_time(g, line_of(g, 2), &none);
    viz_canvas_rect(g->canvas, (VizRect){g->axis.x, g->axis.y + g->axis.h - 1, g->axis.w, 1},
                    viz_plain(border));
}

/* -- columns of names and shares -- */

static void head_columns(const Gantt *g) {
    VizTextStyle style = small(g, VIZ_TEXT_DIM);
    const float right = g->axis.x - viz_px(g->frame, 8), left = g->frame->area.x;
    style.anchor = VIZ_RIGHT;
    for (int32_t i = 0; i < lines(g); i++) {
        VizRect box = line_of(g, i);
        const char *text = i == lines(g) - 1 && lines(g) == 3 ? unit_of(g)->name : "cycle";
        if (i == 0 && lines(g) > 1) continue;
        box = (VizRect){left, box.y, right - left, box.h};
        viz_label_whole(g->frame, box, style, text);
    }
    if (g->busy.w > 0) {
        VizRect box = line_of(g, lines(g) > 1);
        box.x = g->busy.x;
        box.w = g->busy.w - viz_px(g->frame, 6);
        viz_label_whole(g->frame, box, style, "issuing");
    }
}

static void draw_name(const Gantt *g, const GanttRow *row) {
    const VizFrame *f = g->frame;
    const VizThing hovered = f->view->hovered;
    const float pad = viz_px(f, 6), width = g->axis.x - f->area.x;
    const float heads = width >= 84 * f->px ? viz_px(f, 38) : 0;
    const bool queue = row->queue >= 0, op = row->op >= 0;
    const bool selected = (queue && row->queue == g->focus.queue) ||
                          (op && f->view->selected.kind == VIZ_OP && row->op == g->focus.op);
    const bool under = (queue && hovered.kind == VIZ_QUEUE && row->queue == hovered.id) ||
                       (op && hovered.kind == VIZ_OP && row->op == hovered.id);
    const VizRect box = {f->area.x, row->box.y, width - viz_px(f, 2), row->box.h};
    const VizRect right = {box.x + pad + heads, box.y, box.w - 2 * pad - heads, box.h};
    const VizRect left = {box.x + pad, box.y, heads > 0 ? heads : box.w - 2 * pad, box.h};
    const VizTextStyle style = viz_style(f, VIZ_REGULAR, g->font, VIZ_TEXT);
    if (selected || under)
        viz_canvas_rect(g->canvas,
                        (VizRect){right.x - pad / 2, box.y, right.w + pad + pad / 2, box.h},
                        viz_plain(viz_colour(f->theme, selected ? VIZ_SELECTION : VIZ_HOVER)));
    if (row->group && (heads > 0 || !row->name[0]))
        viz_label(f, left, viz_style(f, VIZ_BOLD, g->font < 11 ? g->font : 11, VIZ_TEXT_DIM),
                  row->group);
    viz_label(f, right, style, row->name);
    if (queue) viz_canvas_region(g->canvas, box, VIZ_QUEUE, row->queue);
    if (op) viz_canvas_region(g->canvas, box, VIZ_OP, row->op);
}

void gantt_draw_names(const Gantt *g) {
    const VizFrame *f = g->frame;
    VizTextStyle style = viz_style(f, VIZ_REGULAR, g->font < 11 ? g->font : 11, VIZ_TEXT_DIM);
    style.anchor = VIZ_RIGHT;
    head_columns(g);
    for (int32_t i = 0; i < g->row_count; i++) {
        const GanttRow *row = &g->rows[i];
        const VizRect busy = {g->busy.x, row->box.y, g->busy.w - viz_px(f, 6), row->box.h};
        char text[32];
        draw_name(g, row);
        if (i && row->group)
            viz_canvas_rect(g->canvas,
                            (VizRect){f->area.x + viz_px(f, 6), viz_whole(row->box.y - 3 * f->px),
                                      f->area.w - 2 * viz_px(f, 6), viz_px(f, 1)},
                            viz_plain(viz_colour(f->theme, VIZ_GRID)));
        if (i < g->op_rows || g->busy.w <= 0) continue;
        snprintf(text, sizeof text, "%.1f %%", 100 * (double)row->share);
        viz_label_whole(f, busy, style, text);
    }
    if (g->ops_hidden) {
        char text[48];
        snprintf(text, sizeof text, "%d more", g->ops_hidden);
        if (g->op_rows > 1)
            viz_label(f,
                      (VizRect){f->area.x, g->rows[g->op_rows - 1].box.y,
                                g->axis.x - f->area.x - viz_px(f, 8),
                                g->rows[g->op_rows - 1].box.h},
                      style, text);
    }
}
