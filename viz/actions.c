/* actions.c - the table of actions, and what each does; see actions.h.
 */
#include "actions.h"
#include "gantt.h"
#include "guide.h"
#include "move.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- time -- */

static void play(VizApp *app, int32_t argument) {
    VizView *view = &app->view;
    (void)argument;
    if (!view->playing && view->cycle == app->run.timeline.cycles) view->cycle = 0;
    view->playing = !view->playing;
    view->phase = 0;
}

static void step(VizApp *app, int32_t cycles) {
    viz_app_go(app, app->view.cycle + cycles);
}

static void to_event(VizApp *app, int32_t direction) {
    const VizEvent event = viz_event_of(&app->run, app->view.selected);
    char name[VIZ_NAME_MAX];
    int64_t at;
    const bool found = direction > 0
                           ? viz_event_next(&app->run, event, app->view.cycle, INT64_MAX, &at)
                           : viz_event_previous(&app->run, event, app->view.cycle, &at);
    app->view.playing = false;
    if (found) {
        viz_app_go(app, at);
        return;
    }
    viz_event_name(&app->run, event, name);
    viz_app_say(app, "Nothing %s: %s", direction > 0 ? "later" : "earlier", name);
}

static void to_end(VizApp *app, int32_t direction) {
    viz_app_go(app, direction > 0 ? app->run.timeline.cycles : 0);
}

static void to_stop(VizApp *app, int32_t direction) {
    viz_guide_step(app, direction);
}

static void change_speed(VizApp *app, int32_t steps) {
    app->view.speed_cycles = viz_speed_step(app->view.speed_cycles, steps);
}

/* -- typing -- */

static void ask(VizApp *app, int32_t prompt) {
    app->prompt = (VizPrompt)prompt;
    app->typed[0] = 0;
    app->view.playing = false;
    app->view.phase = 0;
}

void viz_action_typed(VizApp *app, const char *character) {
    const size_t used = strlen(app->typed), more = strlen(character);
    if (app->prompt == VIZ_PROMPT_GO_TO && !strchr("+-0123456789", character[0])) return;
    if (used + more >= sizeof app->typed) return;
    memcpy(app->typed + used, character, more + 1);
    app->changed = true;
    if (app->prompt == VIZ_PROMPT_SEARCH) memcpy(app->view.search, app->typed, sizeof app->typed);
}

static void rub_out(VizApp *app, int32_t argument) {
    size_t length = strlen(app->typed);
    (void)argument;
    while (length > 0 && ((uint8_t)app->typed[length - 1] & 0xc0) == 0x80) length--;
    if (length > 0) length--;
    app->typed[length] = 0;
    if (app->prompt == VIZ_PROMPT_SEARCH) memcpy(app->view.search, app->typed, sizeof app->typed);
}

static void leave(VizApp *app, int32_t argument) {
    (void)argument;
    if (app->prompt == VIZ_PROMPT_SEARCH) app->view.search[0] = 0;
    app->prompt = VIZ_NO_PROMPT;
}

static void select_match(VizApp *app, int32_t direction) {
    VizThing found;
    char name[VIZ_NAME_MAX];
    if (!app->view.search[0]) {
        viz_app_say(app, "Nothing to search for; / asks");
    } else if (!viz_search(&app->run, app->view.search, app->view.selected, direction > 0,
                           &found)) {
        viz_app_say(app, "Nothing has '%s' in its name", app->view.search);
    } else {
        viz_app_select(app, found);
        viz_thing_name(&app->run, found, name);
        viz_app_say(app, "%s", name);
    }
}

static void go_to_typed(VizApp *app) {
    const bool relative = app->typed[0] == '+' || app->typed[0] == '-';
    char *end;
    const long long cycle = strtoll(app->typed, &end, 10);
    if (!app->typed[0]) return;
    if (end == app->typed || *end || cycle > INT64_MAX / 4 || cycle < -INT64_MAX / 4)
        viz_app_say(app, "'%s' is not a cycle", app->typed);
    else
        viz_app_go(app, relative ? app->view.cycle + cycle : cycle);
}

static void enter(VizApp *app, int32_t argument) {
    const VizPrompt prompt = app->prompt;
    (void)argument;
    app->prompt = VIZ_NO_PROMPT;
    if (prompt == VIZ_PROMPT_GO_TO)
        go_to_typed(app);
    else if (app->view.search[0])
        select_match(app, 1);
}

/* -- places -- */

static void zoom(VizApp *app, int32_t direction) {
    const VizPanel panel = viz_zooming_panel(app->view.focus);
    const VizPoint at = viz_zoom_point(app, panel);
    viz_zoom(app, panel, pow(1.25, direction), at.x, at.y);
}

static void pan(VizApp *app, int32_t direction) {
    const VizPanel panel = viz_zooming_panel(app->view.focus);
    viz_pan(app, panel, -0.1 * direction * (double)viz_app_area(app, panel).w, 0);
}

static void wheel(VizApp *app, int32_t direction) {
    const VizPanel panel = viz_app_panel_at(app, app->mouse.x, app->mouse.y);
    if (panel == VIZ_CHIP || panel == VIZ_GANTT)
        viz_zoom(app, panel, pow(1.25, direction), app->mouse.x, app->mouse.y);
}

static bool on_axis(const VizApp *app, float x, float y) {
    const VizRect axis = viz_gantt_axis(viz_app_area(app, VIZ_GANTT), app->view.scale);
    return viz_app_panel_at(app, x, y) == VIZ_GANTT && x >= axis.x && x < axis.x + axis.w &&
           y >= axis.y && y < axis.y + axis.h;
}

static void scrub(VizApp *app) {
    viz_app_go(app, (int64_t)floor(viz_gantt_cycle_at(&app->view, &app->run.timeline,
                                                      viz_app_area(app, VIZ_GANTT), app->view.scale,
                                                      app->mouse.x)));
}

static void drag(VizApp *app, int32_t argument) {
    const VizMouse *mouse = &app->mouse;
    const VizPanel panel = viz_app_panel_at(app, mouse->down_x, mouse->down_y);
    (void)argument;
    if (on_axis(app, mouse->down_x, mouse->down_y))
        scrub(app);
    else if (panel == VIZ_CHIP || panel == VIZ_GANTT)
        viz_pan(app, panel, (double)(mouse->x - mouse->last_x), (double)(mouse->y - mouse->last_y));
}

static void fit(VizApp *app, int32_t argument) {
    (void)argument;
    if (app->view.selected.kind == VIZ_NOTHING)
        viz_app_say(app, "Nothing is selected");
    else if (!viz_fit_selection(app, app->view.focus))
        viz_app_say(app, "What is selected has no place there");
}

static void fit_all(VizApp *app, int32_t argument) {
    (void)argument;
    viz_fit_all(app);
}

static void next_panel(VizApp *app, int32_t direction) {
    app->view.focus = (VizPanel)(((int32_t)app->view.focus + direction + VIZ_PANELS) % VIZ_PANELS);
}

static void maximise(VizApp *app, int32_t argument) {
    (void)argument;
    app->view.maximised = !app->view.maximised;
}

static void set_mark(VizApp *app, int32_t number) {
    app->view.mark[number - 1] = app->view.cycle;
    viz_app_say(app, "Mark %d: cycle %" PRId64, (int)number, app->view.cycle);
}

static void go_to_mark(VizApp *app, int32_t number) {
    const int64_t cycle = app->view.mark[number - 1], from = app->view.cycle;
    if (cycle < 0) {
        viz_app_say(app, "Mark %d is not set; Ctrl+%d sets it", (int)number, (int)number);
        return;
    }
    viz_app_go(app, cycle);
    viz_app_say(app, "Mark %d: cycle %" PRId64 ", %+" PRId64 " cycles", (int)number, cycle,
                cycle - from);
}

/* -- selecting -- */

static void click(VizApp *app, int32_t argument) {
    const VizMouse *mouse = &app->mouse;
    const VizThing thing = viz_app_pick(app, mouse->x, mouse->y);
    const VizThing selected = app->view.selected;
    const VizPanel panel = viz_app_panel_at(app, mouse->x, mouse->y);
    (void)argument;
    app->message[0] = 0;
    if (app->view.help) {
        app->view.help = false;
        return;
    }
    if (thing.kind == VIZ_PANEL_AREA)
        app->view.focus = (VizPanel)thing.id;
    else if (panel < VIZ_PANELS)
        app->view.focus = panel;
    if (on_axis(app, mouse->x, mouse->y))
        scrub(app);
    else if (thing.kind == VIZ_CYCLE)
        viz_app_go(app, thing.id);
    else if (thing.kind == selected.kind && thing.id == selected.id && thing.kind != VIZ_NOTHING)
        to_event(app, 1);
    else if (thing.kind != VIZ_NOTHING && thing.kind != VIZ_PANEL_AREA)
        viz_app_select(app, thing);
}

static void double_click(VizApp *app, int32_t argument) {
    const VizThing thing = viz_app_pick(app, app->mouse.x, app->mouse.y);
    if (thing.kind != VIZ_PANEL_AREA || on_axis(app, app->mouse.x, app->mouse.y)) {
        click(app, argument);
        return;
    }
    app->view.focus = (VizPanel)thing.id;
    maximise(app, argument);
}

static void escape(VizApp *app, int32_t argument) {
    VizView *view = &app->view;
    (void)argument;
    if (view->help)
        view->help = false;
    else if (view->selected.kind != VIZ_NOTHING)
        view->selected = (VizThing){VIZ_NOTHING, 0};
    else
        view->search[0] = 0;
}

/* -- breakpoints -- */

static void toggle_break(VizApp *app, int32_t argument) {
    const VizEvent event = viz_break_on(&app->run, app->view.selected, app->view.cycle);
    char name[VIZ_NAME_MAX];
    bool set;
    (void)argument;
    viz_event_name(&app->run, event, name);
    if (!viz_breaks_toggle(&app->breaks, event, &set))
        viz_app_say(app, "No more than %d breakpoints", VIZ_BREAKS_MAX);
    else
        viz_app_say(app, "%s: %s; %d set", set ? "Breakpoint" : "No more breakpoint", name,
                    (int)app->breaks.count);
}

static void clear_breaks(VizApp *app, int32_t argument) {
    (void)argument;
    app->breaks.count = 0;
    viz_app_say(app, "No breakpoints");
}

/* -- looks -- */

static void theme(VizApp *app, int32_t argument) {
    app->view.theme = (app->view.theme + argument) % VIZ_THEMES;
}

static void palette(VizApp *app, int32_t argument) {
    app->view.palette = (app->view.palette + argument) % VIZ_PALETTES;
}

static void scale(VizApp *app, int32_t steps) {
    float next = app->view.scale + 0.25f * (float)steps;
    if (steps == 0) next = app->first_scale;
    app->view.scale = next < 0.5f ? 0.5f : next > 8 ? 8 : next;
}

static void help(VizApp *app, int32_t argument) {
    (void)argument;
    app->view.help = !app->view.help;
}

/* -- the program -- */

static void screenshot(VizApp *app, int32_t argument) {
    char path[VIZ_NAME_MAX + 64];
    TspError err;
    (void)argument;
    for (int32_t n = 1; n < 1000; n++) {
        char number[16] = "";
        if (n > 1) snprintf(number, sizeof number, "-%d", (int)n);
        snprintf(path, sizeof path, "%s-%06" PRId64 "%s.png", app->name, app->view.cycle, number);
        if (access(path, F_OK)) break; /* nothing is overwritten */
    }
    if (viz_app_write(app, path, &err))
        viz_app_say(app, "Wrote %s", path);
    else
        viz_app_say(app, "%s", err.text);
}

static void reload(VizApp *app, int32_t argument) {
    char selected[VIZ_NAME_MAX];
    VizView *view = &app->view;
    TspError err;
    int32_t kept = 0;
    (void)argument;
    viz_thing_name(&app->run, view->selected, selected);
    if (!app->reload || !app->reload(app->context, &app->run, &err)) {
        viz_app_say(app, "%s", app->reload ? err.text : "This cannot be loaded again");
        return;
    }
    viz_app_try(app);
    if (!selected[0] || !viz_thing_find(&app->run, selected, &view->selected, &err))
        view->selected = (VizThing){VIZ_NOTHING, 0};
    view->hovered = (VizThing){VIZ_NOTHING, 0};
    for (int32_t i = 0; i < app->breaks.count; i++)
        if (viz_event_exists(&app->run, app->breaks.list[i]))
            app->breaks.list[kept++] = app->breaks.list[i];
    app->breaks.count = kept;
    for (int32_t i = 0; i < VIZ_MARKS; i++)
        if (view->mark[i] > app->run.timeline.cycles) view->mark[i] = -1;
    viz_app_go(app, view->cycle);
    viz_app_say(app, "Loaded again");
}

static void quit(VizApp *app, int32_t argument) {
    (void)argument;
    app->quit = true;
}

/* -- the table -- */

#define LOOKING VIZ_LOOKING, false, false
#define HELD    VIZ_LOOKING, true, false
#define MOUSE   VIZ_LOOKING, true, true
#define TYPING  VIZ_TYPING, true, false

const VizAction viz_actions[] = {
    {"play", "Space", "play, or pause; at the end from the beginning", VIZ_GROUP_TIME, LOOKING,
     play, 0},
    {"step", "Right .", "a cycle on", VIZ_GROUP_TIME, HELD, step, 1},
    {"back", "Left ,", "a cycle back", VIZ_GROUP_TIME, HELD, step, -1},
    {"step-10", "Shift+Right >", "10 cycles on", VIZ_GROUP_TIME, HELD, step, 10},
    {"back-10", "Shift+Left <", "10 cycles back", VIZ_GROUP_TIME, HELD, step, -10},
    {"next-event", "Ctrl+Right", "to the next event of what is selected", VIZ_GROUP_TIME, HELD,
     to_event, 1},
    {"previous-event", "Ctrl+Left", "to the one before", VIZ_GROUP_TIME, HELD, to_event, -1},
    {"start", "Home", "to cycle 0", VIZ_GROUP_TIME, LOOKING, to_end, -1},
    {"end", "End", "to the end of the run", VIZ_GROUP_TIME, LOOKING, to_end, 1},
    {"go-to", "g", "to a cycle: N, +N or -N", VIZ_GROUP_TIME, LOOKING, ask, VIZ_PROMPT_GO_TO},
    {"next-stop", "Enter PageDown", "on to the next stop of a tour", VIZ_GROUP_TIME, LOOKING,
     to_stop, 1},
    {"previous-stop", "PageUp", "back to the one before", VIZ_GROUP_TIME, LOOKING, to_stop, -1},
    {"slower", "[", "slower, down to 1 cycle a second", VIZ_GROUP_TIME, HELD, change_speed, -1},
    {"faster", "]", "faster, up to 100,000", VIZ_GROUP_TIME, HELD, change_speed, 1},

    {"zoom-in", "w", "larger: the chip if it has the focus, else time", VIZ_GROUP_PLACE, HELD, zoom,
     1},
    {"zoom-out", "s", "smaller", VIZ_GROUP_PLACE, HELD, zoom, -1},
    {"pan-left", "a", "to the left", VIZ_GROUP_PLACE, HELD, pan, -1},
    {"pan-right", "d", "to the right", VIZ_GROUP_PLACE, HELD, pan, 1},
    {"wheel-in", "Wheel-up", "larger, at the mouse", VIZ_GROUP_PLACE, MOUSE, wheel, 1},
    {"wheel-out", "Wheel-down", "smaller, at the mouse", VIZ_GROUP_PLACE, MOUSE, wheel, -1},
    {"drag", "Drag", "move chip or time; along the axis: to the cycle", VIZ_GROUP_PLACE, MOUSE,
     drag, 0},
    {"fit", "f", "fit what is selected", VIZ_GROUP_PLACE, LOOKING, fit, 0},
    {"fit-all", "0", "fit all", VIZ_GROUP_PLACE, LOOKING, fit_all, 0},
    {"next-panel", "Tab", "the focus to the next panel", VIZ_GROUP_PLACE, HELD, next_panel, 1},
    {"previous-panel", "Shift+Tab", "to the one before", VIZ_GROUP_PLACE, HELD, next_panel, -1},
    {"maximise", "m", "the panel in focus alone, or all", VIZ_GROUP_PLACE, LOOKING, maximise, 0},
    {"double-click", "Double-click", "a panel's ground or title: that panel alone, or all",
     VIZ_GROUP_PLACE, MOUSE, double_click, 0},

    {"select", "Click", "select; what is selected: to its next event; the axis: to the cycle",
     VIZ_GROUP_SELECT, MOUSE, click, 0},
    {"clear", "Esc", "close the help, else clear selection, else the search", VIZ_GROUP_SELECT,
     LOOKING, escape, 0},
    {"search", "/", "search ops, tensors and queues by name", VIZ_GROUP_SELECT, LOOKING, ask,
     VIZ_PROMPT_SEARCH},
    {"next-match", "n", "the next one found", VIZ_GROUP_SELECT, HELD, select_match, 1},
    {"previous-match", "N", "the one before", VIZ_GROUP_SELECT, HELD, select_match, -1},

    {"breakpoint", "b",
     "stop play at events of what is selected, else at this cycle; again: no "
     "more",
     VIZ_GROUP_STOP, LOOKING, toggle_break, 0},
    {"no-breakpoints", "B", "take all breakpoints away", VIZ_GROUP_STOP, LOOKING, clear_breaks, 0},
    {"set-mark", "Ctrl+1..9", "set a mark at this cycle", VIZ_GROUP_STOP, LOOKING, set_mark, 0},
    {"go-to-mark", "1..9", "to the mark", VIZ_GROUP_STOP, LOOKING, go_to_mark, 0},

    {"theme", "t", "dark, light, print", VIZ_GROUP_LOOK, LOOKING, theme, 1},
    {"palette", "c", "the next set of colours", VIZ_GROUP_LOOK, LOOKING, palette, 1},
    {"larger", "Ctrl++ Ctrl+=", "larger text and lines", VIZ_GROUP_LOOK, HELD, scale, 1},
    {"smaller", "Ctrl+-", "smaller text and lines", VIZ_GROUP_LOOK, HELD, scale, -1},
    {"first-scale", "Ctrl+0", "their first size", VIZ_GROUP_LOOK, LOOKING, scale, 0},

    {"screenshot", "F12", "write this picture as PNG, into the folder tsp was started in",
     VIZ_GROUP_PROGRAM, LOOKING, screenshot, 0},
    {"reload", "r", "load the file again, keep the place", VIZ_GROUP_PROGRAM, LOOKING, reload, 0},
    {"help", "? F1", "this", VIZ_GROUP_PROGRAM, LOOKING, help, 0},
    {"quit", "q", "quit", VIZ_GROUP_PROGRAM, LOOKING, quit, 0},

    {"enter", "Enter", "go there, or search", VIZ_GROUP_TYPING, TYPING, enter, 0},
    {"leave", "Esc", "leave it", VIZ_GROUP_TYPING, TYPING, leave, 0},
    {"rub-out", "Backspace", "rub out", VIZ_GROUP_TYPING, TYPING, rub_out, 0},
};
const int32_t viz_action_count = sizeof viz_actions / sizeof viz_actions[0];

/* -- finding -- */

static const char digits[] = "1..9";

/* Whether one of the action's keys is this; a digit of "1..9" is the argument. */
static bool has_key(const VizAction *action, const char *key, int32_t *argument) {
    const size_t length = strlen(key);
    *argument = action->argument;
    for (const char *at = action->keys; *at; at += strspn(at, " ")) {
        const size_t token = strcspn(at, " "), range = strlen(digits);
        const size_t prefix = token < range ? 0 : token - range;
        const bool many = token >= range && !strncmp(at + prefix, digits, range);
        if (!many && token == length && !strncmp(at, key, token)) return true;
        if (many && length == prefix + 1 && !strncmp(at, key, prefix) && key[prefix] >= '1' &&
            key[prefix] <= '9') {
            *argument = key[prefix] - '0';
            return true;
        }
        at += token;
    }
    return false;
}

const VizAction *viz_action_find(VizContext context, const char *key, int32_t *argument) {
    if (!*key || strchr(key, ' ')) return NULL;
    for (int32_t i = 0; i < viz_action_count; i++)
        if (viz_actions[i].context == context && has_key(&viz_actions[i], key, argument))
            return &viz_actions[i];
    return NULL;
}
