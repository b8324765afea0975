/* app.c - the viewer without a window: its state, its caption, its pictures; see app.h.
 */
#include "app.h"
#include "actions.h"
#include "guide.h"
#include "png.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool viz_app_open(VizApp *app, TspError *err) {
    viz_view_init(&app->view);
    app->arrive = -1;
    app->width = 1280;
    app->height = 800;
    app->first_scale = 1;
    app->changed = true;
    app->font = viz_font_open(err);
    if (!app->font) return false;
    app->canvas = viz_canvas_new(app->font);
    if (app->canvas) {
        viz_app_try(app);
        return true;
    }
    viz_font_close(app->font);
    return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the viewer");
}

void viz_app_close(VizApp *app) {
    viz_canvas_free(app->canvas);
    viz_font_close(app->font);
}

void viz_app_try(VizApp *app) {
    VizRun *run = &app->run;
    TspError ignored;
    app->looked = -1;
    app->offence = run->failed ? run->failure : (TspError){.kind = TSP_OK};
    if (run->sim && !run->failed && run->timeline.issues <= VIZ_TRIED_MOST) {
        if (!tsp_sim_seek(run->sim, run->timeline.cycles, &app->offence) && app->locate)
            app->locate(run->program, &app->offence);
        tsp_sim_seek(run->sim, run->cycle, &ignored);
    }
}

/* -- time and selection -- */

void viz_app_go(VizApp *app, int64_t cycle) {
    const int64_t end = app->run.timeline.cycles;
    app->view.cycle = cycle < 0 ? 0 : cycle > end ? end : cycle;
    app->view.phase = 0;
    app->view.playing = false;
    app->arrive = -1;
    app->changed = true;
}

void viz_app_select(VizApp *app, VizThing thing) {
    app->view.selected = thing;
    app->changed = true;
}

void viz_app_say(VizApp *app, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(app->message, sizeof app->message, format, arguments);
    va_end(arguments);
    app->changed = true;
}

void viz_app_pass(VizApp *app, double seconds) {
    VizView *view = &app->view;
    VizTime time = {view->cycle, view->phase};
    VizBreaks breaks = app->breaks;
    char name[VIZ_NAME_MAX];
    VizPlayState state;
    int32_t which;
    if (!view->playing) return;
    if (app->arrive >= 0) { /* nothing else stops a tour */
        breaks.count = 1;
        breaks.list[0] = (VizEvent){.kind = VIZ_EVENT_CYCLE, .id = app->arrive};
    }
    state = viz_play(&app->run, &breaks, &time, seconds, view->speed_cycles, &which);
    if (time.cycle != view->cycle || view->speed_cycles <= VIZ_SMOOTH_MAX) app->changed = true;
    view->cycle = time.cycle;
    view->phase = (float)time.phase;
    if (state == VIZ_GOES_ON) return;
    if (app->arrive >= 0) {
        viz_guide_arrive(app);
        return;
    }
    viz_app_go(app, time.cycle);
    if (state == VIZ_ENDED) return;
    viz_event_name(&app->run, app->breaks.list[which], name);
    viz_app_say(app, "Stopped: %s", name);
}

double viz_tidy(double value) {
    return round(1000 * value) / 1000;
}

/* -- pictures -- */

/* Takes the run to the cycle; an offence on the way is told in the caption. */
static void look(VizApp *app) {
    if (app->looked == app->view.cycle) return;
    app->failure = (TspError){.kind = TSP_OK};
    if (!viz_run_look(&app->run, app->view.cycle, &app->failure) && app->locate)
        app->locate(app->run.program, &app->failure);
    app->looked = app->view.cycle;
}

/* What has nothing to do with where the mouse is and what is being typed. */
static void failure_caption(const VizApp *app, char caption[VIZ_CAPTION_MAX]) {
    const TspError *err = app->failure.kind != TSP_OK ? &app->failure : &app->offence;
    snprintf(caption, VIZ_CAPTION_MAX, "%s", app->told);
    if (err->kind != TSP_OK)
        snprintf(caption, VIZ_CAPTION_MAX, "%.*s", VIZ_CAPTION_MAX - 1, err->text);
}

static void live_caption(const VizApp *app, char caption[VIZ_CAPTION_MAX]) {
    static const char *const questions[] = {
        [VIZ_PROMPT_GO_TO] = "Go to cycle (or +N, -N): ",
        [VIZ_PROMPT_SEARCH] = "Search ops, tensors and queues: ",
    };
    failure_caption(app, caption);
    if (app->message[0]) memcpy(caption, app->message, sizeof app->message);
    if (app->prompt != VIZ_NO_PROMPT)
        snprintf(caption, VIZ_CAPTION_MAX, "%s%s\u2581", questions[app->prompt], app->typed);
}

static bool draw(VizApp *app, const VizView *view, VizImage *image, TspError *err) {
    viz_canvas_reset(app->canvas);
    viz_scene_draw(&app->run, view, app->canvas, image->width, image->height);
    if (!viz_canvas_ok(app->canvas, err)) return false;
    viz_raster_draw(app->canvas, image);
    return true;
}

bool viz_app_draw(VizApp *app, VizImage *image, TspError *err) {
    const float phase = app->view.phase;
    bool done;
    look(app);
    live_caption(app, app->view.caption);
    if (app->view.speed_cycles > VIZ_SMOOTH_MAX) app->view.phase = 0;
    done = draw(app, &app->view, image, err);
    app->view.phase = phase;
    app->changed = false;
    return done;
}

bool viz_app_draw_still(VizApp *app, VizImage *image, TspError *err) {
    VizView view = app->view;
    look(app);
    failure_caption(app, view.caption);
    view.phase = 0;
    view.playing = false;
    view.hovered = (VizThing){VIZ_NOTHING, 0};
    app->changed = true; /* the canvas is no longer that of the window */
    return draw(app, &view, image, err);
}

bool viz_app_write(VizApp *app, const char *path, TspError *err) {
    char command[VIZ_COMMAND_MAX];
    const VizPngText note = {"Description", command};
    VizImage image;
    bool done;
    viz_app_command(app, command);
    if (!viz_image_new(&image, app->width, app->height, err)) return false;
    done = viz_app_draw_still(app, &image, err) && viz_png_write(path, &image, &note, 1, err);
    viz_image_free(&image);
    return done;
}

/* -- what is where -- */

VizRect viz_app_area(const VizApp *app, VizPanel panel) {
    return viz_scene_area(&app->view, panel, app->width, app->height);
}

static bool within(VizRect r, float x, float y) {
    return x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h;
}

VizPanel viz_app_panel_at(const VizApp *app, float x, float y) {
    int32_t panel = 0;
    while (panel < VIZ_PANELS && !within(viz_app_area(app, (VizPanel)panel), x, y)) panel++;
    return (VizPanel)panel;
}

VizThing viz_app_pick(const VizApp *app, float x, float y) {
    int32_t kind;
    int64_t id;
    if (!viz_canvas_pick(app->canvas, x, y, &kind, &id)) return (VizThing){VIZ_NOTHING, 0};
    return (VizThing){(VizKind)kind, id};
}

void viz_app_mouse(VizApp *app, float x, float y) {
    VizThing over = viz_app_pick(app, x, y);
    VizMouse *mouse = &app->mouse;
    mouse->last_x = mouse->x;
    mouse->last_y = mouse->y;
    mouse->x = x;
    mouse->y = y;
    if (over.kind == VIZ_PANEL_AREA) over = (VizThing){VIZ_NOTHING, 0};
    if (over.kind == app->view.hovered.kind && over.id == app->view.hovered.id) return;
    app->view.hovered = over;
    app->changed = true;
}

void viz_app_press(VizApp *app) {
    app->mouse.down_x = app->mouse.x;
    app->mouse.down_y = app->mouse.y;
}

/* -- keys -- */

bool viz_app_key(VizApp *app, const char *key) {
    int32_t argument;
    const VizContext context = app->prompt == VIZ_NO_PROMPT ? VIZ_LOOKING : VIZ_TYPING;
    const VizAction *action = viz_action_find(context, key, &argument);
    if (!action) return false;
    if (app->again && !action->repeats) return true;
    if (!action->gesture) app->message[0] = 0;
    app->changed = true;
    action->run(app, argument);
    return true;
}

void viz_app_text(VizApp *app, const char *text) {
    while (*text) {
        const char *start = text;
        char key[8] = "";
        viz_utf8_next(&text);
        memcpy(key, start, (size_t)(text - start));
        if (app->prompt != VIZ_NO_PROMPT) {
            viz_action_typed(app, key);
        } else if (!strcmp(key, " ")) {
            viz_app_key(app, "Space");
        } else if (!viz_app_key(app, key) && key[0] >= 'A' && key[0] <= 'Z' && !key[1]) {
            key[0] = (char)(key[0] - 'A' + 'a'); /* Caps Lock is on */
            viz_app_key(app, key);
        }
    }
}
