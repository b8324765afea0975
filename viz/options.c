/* options.c - the view as options of a command line, there and back: one table for both ways.
 */
#include "app.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an option is written with; what does not fit is cut, and viz_app_command leaves it out. */
enum { VALUE_MAX = 512 };

typedef struct {
    const char *name;
    const char *expected; /* in words */
    /* False: not as expected; or with *err set, for a better reason. */
    bool (*read)(VizApp *app, const char *text, TspError *err);
    /* False: as it is at first. */
    bool (*write)(const VizApp *app, char value[VALUE_MAX]);
} Option;

/* -- numbers -- */

static bool number(const char *text, const char **rest, double low, double high, double *value) {
    char *end;
    if (!strchr("0123456789.-", *text)) return false; /* no blanks, nan, inf */
    *value = strtod(text, &end);
    *rest = end;
    return end != text && isfinite(*value) && *value >= low && *value <= high;
}

static bool whole(const char *text, const char **rest, int64_t *value) {
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9') return false;
    *value = strtoll(text, &end, 10);
    *rest = end;
    return !errno;
}

/* -- each -- */

static bool read_cycle(VizApp *app, const char *text, TspError *err) {
    const int64_t end = app->run.timeline.cycles;
    int64_t cycle;
    if (!whole(text, &text, &cycle) || *text) return false;
    if (cycle > end)
        return tsp_fail(err, TSP_ERR_INPUT, "--cycle %" PRId64 ": the run ends in cycle %" PRId64,
                        cycle, end);
    app->view.cycle = cycle;
    return true;
}
static bool write_cycle(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%" PRId64, app->view.cycle);
    return app->view.cycle != 0;
}

static bool read_select(VizApp *app, const char *text, TspError *err) {
    return viz_thing_find(&app->run, text, &app->view.selected, err);
}
static bool write_select(const VizApp *app, char value[VALUE_MAX]) {
    viz_thing_name(&app->run, app->view.selected, value);
    return value[0] != 0;
}

static bool read_size(VizApp *app, const char *text, TspError *err) {
    int64_t width, height;
    (void)err;
    if (!whole(text, &text, &width) || *text++ != 'x' || !whole(text, &text, &height) || *text ||
        width < VIZ_SIZE_LEAST || width > VIZ_SIZE_MOST || height < VIZ_SIZE_LEAST ||
        height > VIZ_SIZE_MOST)
        return false;
    app->width = (int32_t)width;
    app->height = (int32_t)height;
    return true;
}
static bool write_size(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%dx%d", (int)app->width, (int)app->height);
    return app->width != 1280 || app->height != 800;
}

static bool read_scale(VizApp *app, const char *text, TspError *err) {
    double scale;
    (void)err;
    if (!number(text, &text, 0.5, 8, &scale) || *text) return false;
    app->view.scale = app->first_scale = (float)viz_tidy(scale);
    return true;
}
static bool write_scale(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%.10g", viz_tidy((double)app->view.scale));
    return app->view.scale != 1;
}

/* The number of a theme or a palette. */
static bool read_theme(VizApp *app, const char *text, TspError *err) {
    (void)err;
    for (int32_t i = 0; i < VIZ_THEMES; i++)
        if (!strcmp(viz_theme(i)->name, text)) {
            app->view.theme = i;
            return true;
        }
    return false;
}
static bool write_theme(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%s", viz_theme(app->view.theme)->name);
    return app->view.theme % VIZ_THEMES != 0;
}

static bool read_palette(VizApp *app, const char *text, TspError *err) {
    (void)err;
    for (int32_t i = 0; i < VIZ_PALETTES; i++)
        if (!strcmp(viz_palette_name(viz_palette(i)), text)) {
            app->view.palette = i;
            return true;
        }
    return false;
}
static bool write_palette(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%s", viz_palette_name(viz_palette(app->view.palette)));
    return app->view.palette % VIZ_PALETTES != 0;
}

static bool read_zoom(VizApp *app, const char *text, TspError *err) {
    VizView *view = &app->view;
    double zoom, x = tsp_columns(app->run.m) / 2.0, y = (double)app->run.m->superlanes / 2;
    (void)err;
    if (!number(text, &text, 1, VIZ_ZOOM_MOST, &zoom)) return false;
    if (*text && (*text++ != '@' || !number(text, &text, -1e3, 1e3, &x) || *text++ != ',' ||
                  !number(text, &text, -1e3, 1e3, &y) || *text))
        return false;
    view->chip_zoom = viz_tidy(zoom);
    view->chip_x = viz_tidy(x);
    view->chip_y = viz_tidy(y);
    return true;
}
static bool write_zoom(const VizApp *app, char value[VALUE_MAX]) {
    const VizView *view = &app->view;
    snprintf(value, VALUE_MAX, "%.10g@%.10g,%.10g", view->chip_zoom, view->chip_x, view->chip_y);
    return view->chip_zoom > 1;
}

static bool read_range(VizApp *app, const char *text, TspError *err) {
    double from, to;
    (void)err;
    if (!number(text, &text, -1e12, 1e12, &from) || *text++ != ':' ||
        !number(text, &text, -1e12, 1e12, &to) || *text || from >= to)
        return false;
    app->view.from = viz_tidy(from);
    app->view.to = viz_tidy(to);
    return true;
}
static bool write_range(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%.15g:%.15g", app->view.from, app->view.to);
    return app->view.from < app->view.to;
}

static bool read_focus(VizApp *app, const char *text, TspError *err) {
    (void)err;
    for (int32_t panel = 0; panel < VIZ_PANELS; panel++)
        if (!strcmp(viz_panel_name((VizPanel)panel), text)) {
            app->view.focus = (VizPanel)panel;
            return true;
        }
    return false;
}
static bool write_focus(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%s", viz_panel_name(app->view.focus));
    return !app->view.maximised && app->view.focus != VIZ_CHIP;
}
static bool read_panel(VizApp *app, const char *text, TspError *err) {
    return app->view.maximised = read_focus(app, text, err);
}
static bool write_panel(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%s", viz_panel_name(app->view.focus));
    return app->view.maximised;
}

static bool read_search(VizApp *app, const char *text, TspError *err) {
    (void)err;
    if (!*text || strlen(text) >= VIZ_SEARCH_MAX) return false;
    strcpy(app->view.search, text);
    return true;
}
static bool write_search(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%s", app->view.search);
    return app->view.search[0] != 0;
}

static bool read_marks(VizApp *app, const char *text, TspError *err) {
    (void)err;
    for (;; text++) {
        int64_t mark, cycle;
        if (!whole(text, &text, &mark) || mark < 1 || mark > VIZ_MARKS || *text++ != ':' ||
            !whole(text, &text, &cycle) || cycle > app->run.timeline.cycles)
            return false;
        app->view.mark[mark - 1] = cycle;
        if (*text != ',') return !*text;
    }
}
static bool write_marks(const VizApp *app, char value[VALUE_MAX]) {
    size_t used = 0;
    for (int32_t i = 0; i < VIZ_MARKS; i++)
        if (app->view.mark[i] >= 0)
            used += (size_t)snprintf(value + used, VALUE_MAX - used, "%s%d:%" PRId64,
                                     used ? "," : "", (int)i + 1, app->view.mark[i]);
    return used > 0;
}

static bool read_speed(VizApp *app, const char *text, TspError *err) {
    (void)err;
    return number(text, &text, 1, VIZ_SPEED_MAX, &app->view.speed_cycles) && !*text;
}
static bool write_speed(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%.15g", app->view.speed_cycles);
    return app->view.speed_cycles != 10;
}

static bool read_caption(VizApp *app, const char *text, TspError *err) {
    (void)err;
    if (strlen(text) >= sizeof app->told) return false;
    strcpy(app->told, text);
    return true;
}
static bool write_caption(const VizApp *app, char value[VALUE_MAX]) {
    snprintf(value, VALUE_MAX, "%s", app->told);
    return value[0] != 0;
}

static const Option options[] = {
    {"cycle", "a whole number", read_cycle, write_cycle},
    {"select", "a thing", read_select, write_select},
    {"zoom", "Z or Z@X,Y: 1 is the whole chip, X,Y its centre in columns and superlanes", read_zoom,
     write_zoom},
    {"range", "A:B, cycles, A below B", read_range, write_range},
    {"panel", "chip, timeline, queues, memory, graph or inspector", read_panel, write_panel},
    {"focus", "chip, timeline, queues, memory, graph or inspector", read_focus, write_focus},
    {"search", "some of a name, up to 63 bytes", read_search, write_search},
    {"marks", "N:CYCLE,..., N from 1 to 9, cycles of the run", read_marks, write_marks},
    {"speed", "cycles a second, 1 to 100000", read_speed, write_speed},
    {"theme", "dark, light or print", read_theme, write_theme},
    {"palette", "okabe-ito, tol-bright or grey", read_palette, write_palette},
    {"caption", "a text of up to 399 bytes", read_caption, write_caption},
    {"size", "WxH, each 64 to 16384 pixels", read_size, write_size},
    {"scale", "a number from 0.5 to 8", read_scale, write_scale},
};
enum { OPTIONS = sizeof options / sizeof options[0] };

bool viz_app_option(VizApp *app, const char *name, const char *text, TspError *err) {
    for (int32_t i = 0; i < OPTIONS; i++) {
        if (strcmp(options[i].name, name)) continue;
        err->kind = TSP_OK;
        if (options[i].read(app, text, err)) return true;
        return err->kind != TSP_OK ? false
                                   : tsp_fail(err, TSP_ERR_INPUT, "--%s %s: expected %s", name,
                                              text, options[i].expected);
    }
    return tsp_fail(err, TSP_ERR_BUG, "the viewer has no option --%s", name);
}

bool viz_quote(char *text, size_t size, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,=@%+";
    const bool quoted = !*word || word[strspn(word, plain)];
    size_t at = strlen(text);
    const size_t start = at;
    if (at + 4 >= size) return false;
    if (quoted) text[at++] = '\'';
    for (; *word && at + 6 < size; word++) {
        if (*word == '\'') {
            memcpy(text + at, "'\\''", 4);
            at += 4;
        } else {
            text[at++] = *word;
        }
    }
    if (quoted) text[at++] = '\'';
    text[*word ? start : at] = 0;
    return !*word;
}

void viz_app_command(const VizApp *app, char command[VIZ_COMMAND_MAX]) {
    snprintf(command, VIZ_COMMAND_MAX, "%s", app->command);
    for (int32_t i = 0; i < OPTIONS; i++) {
        char value[VALUE_MAX] = "";
        const size_t length = strlen(command);
        if (!options[i].write(app, value)) continue;
        snprintf(command + length, VIZ_COMMAND_MAX - length, " --%s ", options[i].name);
        if (!viz_quote(command, VIZ_COMMAND_MAX, value)) command[length] = 0;
    }
    if (app->view.help && strlen(command) + 8 < VIZ_COMMAND_MAX) strcat(command, " --keys");
}
