/* scene.c - the whole picture: header, panels with their titles, caption, help.
 *
 * The chip has the most room; time lies under everything, across the whole width.
 */
#include "actions.h"
#include "chip.h"
#include "label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    void (*draw)(const VizFrame *frame);
    float x, y, w, h; /* shares of the window below the header */
} Panel;

static const Panel panels[VIZ_PANELS] = {
    [VIZ_CHIP] = {"chip", viz_chip_draw, 0, 0, 0.74f, 0.52f},
    [VIZ_INSPECTOR] = {"inspector", viz_inspector_draw, 0.74f, 0, 0.26f, 0.52f},
    [VIZ_QUEUES] = {"queues", viz_queues_draw, 0, 0.52f, 0.34f, 0.2f},
    [VIZ_MEMORY] = {"memory", viz_memory_draw, 0.34f, 0.52f, 0.4f, 0.2f},
    [VIZ_GRAPH] = {"graph", viz_graph_draw, 0.74f, 0.52f, 0.26f, 0.2f},
    [VIZ_GANTT] = {"timeline", viz_gantt_draw, 0, 0.72f, 1, 0.28f},
};

const char *viz_panel_name(VizPanel panel) {
    return panels[panel].name;
}

static float header_height(const VizView *view) {
    return viz_whole(30 * view->scale);
}
static float caption_height(const VizView *view) {
    return view->caption[0] ? viz_whole(44 * view->scale) : 0;
}
static float title_height(const VizView *view) {
    return viz_whole(20 * view->scale);
}

/* Of a panel, its title included. */
static VizRect outer(const VizView *view, VizPanel panel, int32_t width, int32_t height) {
    const float top = header_height(view);
    const float w = (float)width, h = (float)height - top - caption_height(view);
    const Panel *p = &panels[panel];
    VizRect r = {viz_whole(p->x * w), top + viz_whole(p->y * h), 0, 0};
    if (view->maximised)
        return view->focus == panel ? (VizRect){0, top, w, h} : (VizRect){0, 0, 0, 0};
    r.w = viz_whole((p->x + p->w) * w) - r.x;
    r.h = top + viz_whole((p->y + p->h) * h) - r.y;
    return r;
}

VizRect viz_scene_area(const VizView *view, VizPanel panel, int32_t width, int32_t height) {
    const float title = title_height(view), edge = viz_whole(4 * view->scale);
    const VizRect r = outer(view, panel, width, height);
    if (r.w <= 2 * edge || r.h <= title + edge) return (VizRect){0, 0, 0, 0};
    return (VizRect){r.x + edge, r.y + title, r.w - 2 * edge, r.h - title - edge};
}

static void draw_panel(const VizFrame *whole_frame, VizPanel panel, int32_t width, int32_t height) {
    const VizView *view = whole_frame->view;
    const VizRect r = outer(view, panel, width, height);
    const bool focused = view->focus == panel;
    VizFrame frame = *whole_frame;
    VizTextStyle style = viz_style(&frame, VIZ_BOLD, 11, focused ? VIZ_ACCENT : VIZ_TEXT_DIM);
    frame.area = viz_scene_area(view, panel, width, height);
    if (frame.area.w <= 0) return;
    viz_canvas_rect(frame.canvas, r, viz_plain(viz_colour(frame.theme, VIZ_PANEL)));
    viz_canvas_outline(frame.canvas, r, frame.px, viz_colour(frame.theme, VIZ_BORDER));
    viz_canvas_region(frame.canvas, r, VIZ_PANEL_AREA, panel);
    style.vertical = VIZ_MIDDLE;
    style.max_width = r.w - 16 * frame.px;
    viz_canvas_text(frame.canvas, (VizPoint){r.x + 8 * frame.px, r.y + 10 * frame.px}, style,
                    panels[panel].name);
    viz_canvas_clip_push(frame.canvas, frame.area);
    panels[panel].draw(&frame);
    viz_canvas_clip_pop(frame.canvas);
}

static void draw_header(const VizFrame *frame, int32_t width) {
    const VizView *view = frame->view;
    const TspProgram *p = frame->run->program;
    const float h = header_height(view), middle = h / 2, px = frame->px;
    const int64_t end = frame->run->timeline.cycles;
    VizTextStyle style = viz_style(frame, VIZ_BOLD, 14, VIZ_TEXT);
    char text[2 * VIZ_WORDS], time[VIZ_WORDS];
    float x = 10 * px;
    viz_canvas_rect(frame->canvas, (VizRect){0, 0, (float)width, h},
                    viz_plain(viz_colour(frame->theme, VIZ_RAISED)));
    style.vertical = VIZ_MIDDLE;
    style.max_width = 0.3f * (float)width;
    x += viz_canvas_text(frame->canvas, (VizPoint){x, middle}, style,
                         p->name && p->name[0] ? p->name : "program");
    style = viz_style(frame, VIZ_REGULAR, 12, VIZ_TEXT_DIM);
    style.vertical = VIZ_MIDDLE;
    viz_canvas_text(frame->canvas, (VizPoint){x + 8 * px, middle}, style, frame->run->m->name);
    style = viz_style(frame, VIZ_MONO, 14, VIZ_TEXT);
    style.vertical = VIZ_MIDDLE;
    style.anchor = VIZ_CENTRE;
    snprintf(text, sizeof text, "cycle %" PRId64 " of %" PRId64 "   %s   %s", view->cycle, end,
             viz_time_text(time, frame->run->m, (double)view->cycle),
             view->playing ? "playing" : "paused");
    viz_canvas_text(frame->canvas, (VizPoint){0.5f * (float)width, middle}, style, text);
    style = viz_style(frame, VIZ_REGULAR, 12, VIZ_TEXT_DIM);
    style.vertical = VIZ_MIDDLE;
    style.anchor = VIZ_RIGHT;
    snprintf(text, sizeof text, "%g cycles/s   ? keys", view->speed_cycles);
    viz_canvas_text(frame->canvas, (VizPoint){(float)width - 10 * px, middle}, style, text);
}

static void draw_caption(const VizFrame *frame, int32_t width, int32_t height) {
    const float h = caption_height(frame->view), px = frame->px;
    const VizRect r = {0, (float)height - h, (float)width, h};
    const char *text = frame->view->caption, *end = text + strlen(text);
    VizTextStyle style = viz_style(frame, VIZ_REGULAR, 14, VIZ_TEXT);
    if (h <= 0) return;
    viz_canvas_rect(frame->canvas, r, viz_plain(viz_colour(frame->theme, VIZ_RAISED)));
    viz_canvas_rect(frame->canvas, (VizRect){0, r.y, 4 * px, h},
                    viz_plain(viz_colour(frame->theme, VIZ_ACCENT)));
    style.vertical = VIZ_MIDDLE;
    for (int32_t row = 0; row < 2 && text < end; row++) {
        char line[VIZ_CAPTION_MAX];
        size_t fits = viz_font_fit(viz_canvas_font(frame->canvas), style.face, style.size_px, text,
                                   width - (int32_t)(24 * px));
        size_t cut = fits;
        if (text + fits < end)
            while (cut > 0 && text[cut] != ' ') cut--; /* between words */
        if (cut == 0) cut = fits;
        if (cut == 0) break;
        snprintf(line, sizeof line, "%.*s", (int)cut, text);
        viz_canvas_text(frame->canvas, (VizPoint){12 * px, r.y + (12 + 20 * (float)row) * px},
                        style, line);
        text += cut;
        while (*text == ' ') text++;
    }
}

void viz_scene_draw(const VizRun *run, const VizView *view, VizCanvas *canvas, int32_t width,
                    int32_t height) {
    const VizFrame frame = {.run = run,
                            .view = view,
                            .canvas = canvas,
                            .theme = viz_theme(view->theme),
                            .palette = viz_palette(view->palette),
                            .area = {0, 0, (float)width, (float)height},
                            .px = view->scale};
    viz_canvas_set_hatch_scale(canvas, view->scale >= 1.75f ? 2 : 1);
    viz_canvas_rect(canvas, frame.area, viz_plain(viz_colour(frame.theme, VIZ_BACKGROUND)));
    draw_header(&frame, width);
    for (int32_t panel = 0; panel < VIZ_PANELS; panel++)
        draw_panel(&frame, (VizPanel)panel, width, height);
    draw_caption(&frame, width, height);
    if (view->help) viz_help_draw(&frame);
}
