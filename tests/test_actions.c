/* test_actions.c - the viewer without its window: the table of actions, what every key does, and
 * that the command line makes the picture again.
 */
#include "viz/actions.h"
#include "viz/chip.h"
#include "viz/gantt.h"
#include "viz/move.h"
#include "viz/png.h"

#include "panel.h"
#include "seeded.h"

typedef struct {
    TspProgram program;
    VizApp app;
} Viewer;

static int32_t reloads;

static void fill_zeros(const TspTensor *t, uint8_t *data) {
    memset(data, 0, (size_t)tsp_tensor_bytes(t));
}

static void open_viewer(Viewer *v, const char *path) {
    TspError err = {0};
    *v = (Viewer){.app = {.command = "tsp view FILE", .name = "name"}};
    panel_program(&v->program, path, "tsp1");
    panel_run(&v->app.run, &v->program, fill_zeros);
    ck_assert_msg(viz_app_open(&v->app, &err), "%s", err.text);
}

static void close_viewer(Viewer *v) {
    viz_app_close(&v->app);
    viz_run_close(&v->app.run);
    tsp_program_free(&v->program);
}

/* Draws, so that the mouse can hit things; the caller frees the pixels. */
static VizImage drawn(VizApp *app, bool still) {
    VizImage image;
    TspError err = {0};
    ck_assert(viz_image_new(&image, app->width, app->height, &err));
    ck_assert_msg(still ? viz_app_draw_still(app, &image, &err) : viz_app_draw(app, &image, &err),
                  "%s", err.text);
    return image;
}

static void draw(VizApp *app) {
    VizImage image = drawn(app, false);
    viz_image_free(&image);
}

/* Keys by name, separated by blanks. */
static void keys(VizApp *app, const char *names) {
    while (*names) {
        char key[32];
        const size_t length = strcspn(names, " ");
        snprintf(key, sizeof key, "%.*s", (int)length, names);
        ck_assert_msg(viz_app_key(app, key), "%s does nothing", key);
        names += length;
        names += strspn(names, " ");
    }
}

static void at(VizApp *app, float x, float y) {
    viz_app_mouse(app, x, y);
    viz_app_press(app);
}

static void select_named(VizApp *app, const char *name) {
    VizThing thing;
    TspError err = {0};
    ck_assert_msg(viz_thing_find(&app->run, name, &thing, &err), "%s", err.text);
    viz_app_select(app, thing);
}

static void expect_selected(const VizApp *app, const char *want) {
    char name[VIZ_NAME_MAX];
    viz_thing_name(&app->run, app->view.selected, name);
    ck_assert_str_eq(name, want);
}

/* -- the table -- */

/* Every key of an action, "1..9" as nine of them. */
static int32_t list_keys(const VizAction *action, char list[16][32]) {
    int32_t count = 0;
    for (const char *p = action->keys; *p; p += strspn(p, " ")) {
        const size_t length = strcspn(p, " ");
        char key[32], *range;
        snprintf(key, sizeof key, "%.*s", (int)length, p);
        range = strstr(key, "1..9");
        p += length;
        for (int32_t n = 1; n <= (range ? 9 : 1); n++) {
            if (range) range[0] = (char)('0' + n), range[1] = 0;
            strcpy(list[count++], key);
        }
    }
    return count;
}

START_TEST(every_action_has_keys_of_its_own) {
    char list[16][32];
    for (int32_t i = 0; i < viz_action_count; i++) {
        const VizAction *action = &viz_actions[i];
        const int32_t count = list_keys(action, list);
        ck_assert(action->name[0] && action->help[0] && action->run);
        ck_assert_int_gt(count, 0);
        for (int32_t k = 0; k < count; k++) {
            int32_t argument = -99;
            ck_assert_msg(viz_action_find(action->context, list[k], &argument) == action,
                          "%s: %s is another's", action->name, list[k]);
            ck_assert_int_eq(argument, count >= 9 ? k + 1 : action->argument);
        }
        for (int32_t k = 0; k < i; k++)
            ck_assert_msg(strcmp(viz_actions[k].name, action->name) != 0, "%s twice", action->name);
    }
}
END_TEST

START_TEST(other_keys_mean_nothing) {
    static const char *const names[] = {
        "",       " ",  "x",      "Ctrl+", "Ctrl+a", "Right .", "Rig",  "1..9", "Ctrl+1..9",
        "Ctrl+x", "..", "Shift+", "Alt+q", "Ctrl+.", "9..9",    "Ctrl", "righ", "\xc3\xa9"};
    int32_t argument;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(!viz_action_find(VIZ_LOOKING, names[i], &argument), "'%s'", names[i]);
    ck_assert_ptr_null(viz_action_find(VIZ_TYPING, "q", &argument));
}
END_TEST

START_TEST(help_lists_all) {
    Viewer v;
    char *markdown = viz_keys_markdown(), *dump;
    open_viewer(&v, "programs/vecadd.s");
    keys(&v.app, "?");
    draw(&v.app);
    dump = viz_canvas_dump(v.app.canvas);
    for (int32_t i = 0; i < viz_action_count; i++) {
        const VizAction *action = &viz_actions[i];
        char line[256], word[64], list[16][32];
        snprintf(line, sizeof line, " | %s |\n", action->help);
        ck_assert_msg(strstr(markdown, line), "%s", line);
        /* the overlay breaks lines between words */
        snprintf(word, sizeof word, "\"%.*s", (int)strcspn(action->help, " "), action->help);
        ck_assert_msg(strstr(dump, word), "%s", word);
        if (list_keys(action, list) == 1) {
            snprintf(word, sizeof word, " \"%s\"\n", list[0]);
            ck_assert_msg(strstr(dump, word), "%s", word);
            snprintf(word, sizeof word, "| `%s` |", list[0]);
            ck_assert_msg(strstr(markdown, word), "%s", word);
        }
    }
    for (int32_t group = 0; group < VIZ_GROUPS; group++) {
        ck_assert(strstr(dump, viz_group_name((VizGroup)group)));
        ck_assert(strstr(markdown, viz_group_name((VizGroup)group)));
    }
    ck_assert_ptr_null(strstr(dump, "\u2026")); /* nothing is cut */
    free(dump);
    free(markdown);
    close_viewer(&v);
}
END_TEST

/* All of the overlay is within the window, at any size and scale; and nothing lies on another. */
START_TEST(help_fits) {
    static const int32_t sizes[][2] = {{1280, 800}, {1920, 1080}, {800, 600}, {400, 900}};
    Viewer v;
    open_viewer(&v, "programs/vecadd.s");
    v.app.view.help = true;
    for (int32_t i = 0; i < 8; i++) {
        Panel panel = {.canvas = v.app.canvas, .font = v.app.font, .view = v.app.view};
        panel.run = v.app.run;
        panel.view.scale = i % 2 ? 2 : 1;
        panel_draw_in(&panel, viz_help_draw,
                      (VizRect){0, 0, (float)sizes[i / 2][0], (float)sizes[i / 2][1]});
        panel_check(&panel, "help");
    }
    close_viewer(&v);
}
END_TEST

/* -- time -- */

START_TEST(steps) {
    Viewer v;
    VizApp *app = &v.app;
    open_viewer(&v, "programs/vecadd.s");
    keys(app, "Right .");
    ck_assert_int_eq(app->view.cycle, 2);
    keys(app, "Left , ,");
    ck_assert_int_eq(app->view.cycle, 0);
    keys(app, "Shift+Right >");
    ck_assert_int_eq(app->view.cycle, 20);
    keys(app, "Shift+Right");
    ck_assert_int_eq(app->view.cycle, 21); /* the end */
    keys(app, "Shift+Left <");
    ck_assert_int_eq(app->view.cycle, 1);
    keys(app, "End");
    ck_assert_int_eq(app->view.cycle, 21);
    keys(app, "Home");
    ck_assert_int_eq(app->view.cycle, 0);
    select_named(app, "mem.e4");
    keys(app, "Ctrl+Right");
    ck_assert_int_eq(app->view.cycle, 11);
    keys(app, "Ctrl+Right Ctrl+Left Ctrl+Left");
    ck_assert_int_eq(app->view.cycle, 11);
    ck_assert_str_eq(app->message, "Nothing earlier: mem.e4 issues");
    close_viewer(&v);
}
END_TEST

START_TEST(plays_and_stops) {
    Viewer v;
    VizApp *app = &v.app;
    open_viewer(&v, "programs/vecadd.s");
    keys(app, "Space");
    ck_assert(app->view.playing);
    viz_app_pass(app, 0.25);
    ck_assert_int_eq(app->view.cycle, 2);
    ck_assert_float_eq(app->view.phase, 0.5f);
    keys(app, "Space");
    ck_assert(!app->view.playing);
    ck_assert_float_eq(app->view.phase, 0);
    app->changed = false;
    viz_app_pass(app, 100);
    ck_assert(!app->changed);
    ck_assert_int_eq(app->view.cycle, 2);
    /* A breakpoint on what is selected, at which play stops, and from which it goes on. */
    select_named(app, "row:mem.e4:0");
    keys(app, "b ] Space");
    ck_assert_double_eq(app->view.speed_cycles, 20);
    viz_app_pass(app, 10);
    ck_assert_int_eq(app->view.cycle, 11);
    ck_assert(!app->view.playing);
    ck_assert_str_eq(app->message, "Stopped: row:mem.e4:0 is read or written");
    keys(app, "Left Right Space"); /* steps do not mind it */
    ck_assert_int_eq(app->view.cycle, 11);
    viz_app_pass(app, 10);
    ck_assert_int_eq(app->view.cycle, 21);
    ck_assert(!app->view.playing);
    ck_assert_str_eq(app->message, "");
    keys(app, "Space"); /* from the beginning */
    ck_assert_int_eq(app->view.cycle, 0);
    keys(app, "b");
    ck_assert_int_eq(app->breaks.count, 0);
    keys(app, "Esc b B");
    ck_assert_int_eq(app->breaks.count, 0);
    for (int32_t i = 0; i < 20; i++) keys(app, "[");
    ck_assert_double_eq(app->view.speed_cycles, 1);
    for (int32_t i = 0; i < 20; i++) keys(app, "]");
    ck_assert_double_eq(app->view.speed_cycles, 100000);
    close_viewer(&v);
}
END_TEST

START_TEST(held_keys_repeat_where_that_makes_sense) {
    Viewer v;
    open_viewer(&v, "programs/vecadd.s");
    v.app.again = true;
    keys(&v.app, "Right Right Space t");
    ck_assert_int_eq(v.app.view.cycle, 2);
    ck_assert(!v.app.view.playing);
    ck_assert_int_eq(v.app.view.theme, 0);
    close_viewer(&v);
}
END_TEST

/* -- typing -- */

START_TEST(goes_to_what_is_typed) {
    static const struct {
        const char *text;
        int64_t cycle;
    } cases[] = {{"12", 12},    {"+3", 15}, {"-5", 10}, {"99999", 21}, {"-9999999999999999999", 21},
                 {"7a q8", 21}, {"", 21},   {"-", 21},  {"+-3", 21},   {"0", 0}};
    Viewer v;
    VizApp *app = &v.app;
    open_viewer(&v, "programs/vecadd.s");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        viz_app_text(app, "g");
        viz_app_text(app, cases[i].text);
        ck_assert(!app->quit);
        draw(app);
        ck_assert(strstr(app->view.caption, "Go to cycle"));
        keys(app, "Enter");
        ck_assert_msg(app->view.cycle == cases[i].cycle, "%s: %lld", cases[i].text,
                      (long long)app->view.cycle);
    }
    viz_app_text(app, "g12");
    keys(app, "Backspace");
    ck_assert_str_eq(app->typed, "1");
    keys(app, "Backspace Backspace Esc");
    ck_assert_int_eq(app->prompt, VIZ_NO_PROMPT);
    ck_assert_int_eq(app->view.cycle, 0);
    close_viewer(&v);
}
END_TEST

START_TEST(searches) {
    Viewer v;
    VizApp *app = &v.app;
    open_viewer(&v, "programs/vecadd.s");
    keys(app, "n");
    ck_assert_str_eq(app->message, "Nothing to search for; / asks");
    viz_app_text(app, "/mem.\xc3\xa9");
    ck_assert_str_eq(app->view.search, "mem.\xc3\xa9");
    keys(app, "Backspace"); /* a whole character */
    ck_assert_str_eq(app->view.search, "mem.");
    keys(app, "Enter");
    expect_selected(app, "mem.w0");
    viz_app_text(app, "nn");
    expect_selected(app, "mem.e4");
    viz_app_text(app, "N");
    expect_selected(app, "mem.e0");
    keys(app, "Esc");
    expect_selected(app, "");
    ck_assert_str_eq(app->view.search, "mem.");
    keys(app, "Esc");
    ck_assert_str_eq(app->view.search, "");
    viz_app_text(app, "/nobody");
    keys(app, "Enter");
    ck_assert_str_eq(app->message, "Nothing has 'nobody' in its name");
    viz_app_text(app, "/");
    for (int32_t i = 0; i < 100; i++) viz_app_text(app, "long");
    ck_assert_int_lt((int)strlen(app->view.search), VIZ_SEARCH_MAX);
    keys(app, "Esc");
    ck_assert_str_eq(app->view.search, "");
    viz_app_text(app, "T"); /* Caps Lock: no action of that name */
    ck_assert_int_eq(app->view.theme, 1);
    close_viewer(&v);
}
END_TEST

START_TEST(marks_and_looks) {
    Viewer v;
    VizApp *app = &v.app;
    open_viewer(&v, "programs/vecadd.s");
    keys(app, "Right Right Ctrl+9 Right 9");
    ck_assert_int_eq(app->view.cycle, 2);
    ck_assert_str_eq(app->message, "Mark 9: cycle 2, -1 cycles");
    keys(app, "1");
    ck_assert_str_eq(app->message, "Mark 1 is not set; Ctrl+1 sets it");
    keys(app, "t t");
    ck_assert_str_eq(viz_theme(app->view.theme)->name, "print");
    keys(app, "t c");
    ck_assert_int_eq(app->view.theme, 0);
    ck_assert_int_eq(app->view.palette, 1);
    keys(app, "Ctrl++ Ctrl+=");
    ck_assert_float_eq(app->view.scale, 1.5f);
    keys(app, "Ctrl+-");
    ck_assert_float_eq(app->view.scale, 1.25f);
    keys(app, "Ctrl+0");
    ck_assert_float_eq(app->view.scale, 1);
    for (int32_t i = 0; i < 40; i++) keys(app, "Ctrl+-");
    ck_assert_float_eq(app->view.scale, 0.5f);
    for (int32_t i = 0; i < 40; i++) keys(app, "Ctrl++");
    ck_assert_float_eq(app->view.scale, 8);
    draw(app);
    keys(app, "? q");
    ck_assert(app->view.help && app->quit);
    keys(app, "Esc");
    ck_assert(!app->view.help);
    close_viewer(&v);
}
END_TEST

/* -- places -- */

static double chip_under(const VizApp *app, float x) {
    const VizChipMap map = viz_chip_map(&app->run, &app->view, viz_app_area(app, VIZ_CHIP));
    return (double)((x - map.x0) / map.sx);
}
static double chip_across(const VizApp *app, float y) {
    const VizChipMap map = viz_chip_map(&app->run, &app->view, viz_app_area(app, VIZ_CHIP));
    return (double)((y - map.y0) / map.sy);
}
static double cycle_under(const VizApp *app, float x) {
    return viz_gantt_cycle_at(&app->view, &app->run.timeline, viz_app_area(app, VIZ_GANTT),
                              app->view.scale, x);
}

START_TEST(zooms_where_the_mouse_is) {
    Viewer v;
    VizApp *app = &v.app;
    double x, y, from, to;
    open_viewer(&v, "programs/matmul-int8.json");
    draw(app);
    viz_app_mouse(app, 400, 250);
    x = chip_under(app, 400), y = chip_across(app, 250);
    for (int32_t i = 0; i < 30; i++) keys(app, "Wheel-up");
    ck_assert_double_eq(app->view.chip_zoom, VIZ_ZOOM_MOST);
    ck_assert_double_eq_tol(chip_under(app, 400), x, 0.05);
    ck_assert_double_eq_tol(chip_across(app, 250), y, 0.05);
    at(app, 400, 250);
    viz_app_mouse(app, 450, 230);
    keys(app, "Drag");
    ck_assert_double_eq_tol(chip_under(app, 450), x, 0.05);
    ck_assert_double_eq_tol(chip_across(app, 230), y, 0.05);
    for (int32_t i = 0; i < 30; i++) keys(app, "Wheel-down");
    ck_assert_double_eq(app->view.chip_zoom, 1);
    /* time */
    viz_app_mouse(app, 700, 700);
    x = cycle_under(app, 700);
    for (int32_t i = 0; i < 10; i++) keys(app, "Wheel-up");
    ck_assert_double_eq_tol(cycle_under(app, 700), x, 0.01);
    at(app, 700, 720);
    viz_app_mouse(app, 640, 720);
    keys(app, "Drag");
    ck_assert_double_eq_tol(cycle_under(app, 640), x, 0.01);
    for (int32_t i = 0; i < 60; i++) keys(app, "Wheel-up");
    viz_gantt_range(&app->view, &app->run.timeline, &from, &to);
    ck_assert_double_eq_tol(to - from, 4, 0.002);
    keys(app, "0");
    ck_assert(app->view.from >= app->view.to);
    viz_app_mouse(app, 1200, 500); /* a panel that does not zoom */
    keys(app, "Wheel-up");
    ck_assert(app->view.from >= app->view.to);
    ck_assert_double_eq(app->view.chip_zoom, 1);
    close_viewer(&v);
}
END_TEST

START_TEST(keys_zoom_the_panel_in_focus) {
    Viewer v;
    VizApp *app = &v.app;
    double x;
    open_viewer(&v, "programs/matmul-int8.json");
    draw(app);
    keys(app, "w w");
    ck_assert_double_eq_tol(app->view.chip_zoom, 1.25 * 1.25, 0.001);
    x = app->view.chip_x;
    keys(app, "d");
    ck_assert_double_gt(app->view.chip_x, x);
    for (int32_t i = 0; i < 50; i++) keys(app, "d");
    x = app->view.chip_x; /* the edge */
    keys(app, "d");
    ck_assert_double_eq(app->view.chip_x, x);
    keys(app, "a s s s");
    ck_assert_double_eq(app->view.chip_zoom, 1);
    keys(app, "Tab w w w d");
    ck_assert_int_eq(app->view.focus, VIZ_GANTT);
    ck_assert_double_eq_tol(app->view.to - app->view.from,
                            (double)app->run.program->predicted_cycles / (1.25 * 1.25 * 1.25),
                            0.01);
    ck_assert_double_gt(app->view.from, 0);
    for (int32_t i = 0; i < 50; i++) keys(app, "d");
    ck_assert_double_eq_tol(app->view.to, (double)app->run.program->predicted_cycles, 0.002);
    keys(app, "s s s s");
    ck_assert(app->view.from >= app->view.to);
    keys(app, "Shift+Tab Shift+Tab m");
    ck_assert_int_eq(app->view.focus, VIZ_INSPECTOR);
    ck_assert(app->view.maximised);
    draw(app);
    keys(app, "w a m 0");
    ck_assert(!app->view.maximised);
    keys(app, "f");
    ck_assert_str_eq(app->message, "Nothing is selected");
    select_named(app, "mxm.e.0.weights");
    keys(app, "f"); /* not the chip: time */
    ck_assert_double_gt(app->view.to, app->view.from);
    keys(app, "Tab f");
    ck_assert_int_eq(app->view.focus, VIZ_CHIP);
    ck_assert_double_gt(app->view.chip_zoom, 2);
    ck_assert_double_ge(chip_under(app, 943), 26.9);
    for (int32_t i = 0; i < app->run.timeline.burst_count; i += 97) {
        viz_app_select(app, (VizThing){VIZ_BURST, i});
        keys(app, "f Tab f Shift+Tab");
        draw(app);
    }
    close_viewer(&v);
}
END_TEST

/* Where a thing of this kind is drawn. */
static bool find_region(VizApp *app, VizKind kind, float *x, float *y) {
    draw(app);
    for (*y = 0; *y < (float)app->height; *y += 1)
        for (*x = 0; *x < (float)app->width; *x += 1)
            if (viz_app_pick(app, *x, *y).kind == kind) return true;
    return false;
}

START_TEST(clicks) {
    Viewer v;
    VizApp *app = &v.app;
    VizRect axis;
    float x, y;
    int64_t cycle;
    open_viewer(&v, "programs/matmul-int8.json");
    viz_app_go(app, 300);
    ck_assert(find_region(app, VIZ_QUEUE, &x, &y));
    at(app, x, y);
    ck_assert_int_eq(app->view.hovered.kind, VIZ_QUEUE);
    keys(app, "Click");
    ck_assert_int_eq(app->view.selected.kind, VIZ_QUEUE);
    ck_assert_int_eq(app->view.cycle, 300);
    select_named(app, "mem.w0");
    ck_assert(viz_event_next(&app->run, viz_event_of(&app->run, app->view.selected), 300, INT64_MAX,
                             &cycle));
    while (viz_app_pick(app, x, y).kind != VIZ_QUEUE ||
           viz_app_pick(app, x, y).id != app->view.selected.id)
        if (++x >= 940) x = 0, y++;
    at(app, x, y);
    keys(app, "Click"); /* what is selected: its next event */
    ck_assert_int_eq(app->view.cycle, cycle);
    /* the axis */
    axis = viz_gantt_axis(viz_app_area(app, VIZ_GANTT), 1);
    at(app, axis.x + 0.25f * axis.w, axis.y + axis.h / 2);
    keys(app, "Click");
    ck_assert_int_eq(app->view.cycle, app->run.program->predicted_cycles / 4);
    ck_assert_int_eq(app->view.focus, VIZ_GANTT);
    viz_app_mouse(app, axis.x + 0.5f * axis.w, axis.y + 200);
    keys(app, "Drag");
    ck_assert_int_eq(app->view.cycle, app->run.program->predicted_cycles / 2);
    viz_app_mouse(app, axis.x - 500, axis.y);
    keys(app, "Drag");
    ck_assert_int_eq(app->view.cycle, 0);
    viz_app_mouse(app, axis.x + 5000, axis.y);
    keys(app, "Drag");
    ck_assert_int_eq(app->view.cycle, app->run.program->predicted_cycles);
    /* ground and titles */
    draw(app);
    at(app, 950, 40);
    keys(app, "Click");
    ck_assert_int_eq(app->view.focus, VIZ_INSPECTOR);
    ck_assert(!app->view.maximised);
    keys(app, "Double-click");
    ck_assert(app->view.maximised);
    draw(app);
    keys(app, "Double-click");
    ck_assert(!app->view.maximised);
    keys(app, "? Click"); /* closes the help, and nothing else */
    ck_assert(!app->view.help);
    viz_app_mouse(app, -1, -1);
    keys(app, "Click");
    ck_assert_int_eq(app->view.hovered.kind, VIZ_NOTHING);
    close_viewer(&v);
}
END_TEST

/* -- the file again -- */

static bool load_again(void *context, VizRun *run, TspError *err) {
    Viewer *v = context;
    if (reloads++ == 1) return tsp_fail(err, TSP_ERR_INPUT, "the file is no more");
    viz_run_close(run);
    tsp_program_free(&v->program);
    panel_program(&v->program, reloads == 1 ? "programs/vecadd.s" : "programs/weights.s", "tsp1");
    panel_run(run, &v->program, fill_zeros);
    return true;
}

START_TEST(reload_keeps_the_place) {
    Viewer v;
    VizApp *app = &v.app;
    open_viewer(&v, "programs/vecadd.s");
    keys(app, "r");
    ck_assert_str_eq(app->message, "This cannot be loaded again");
    app->reload = load_again;
    app->context = &v;
    reloads = 0;
    viz_app_go(app, 14);
    select_named(app, "tensor:Z");
    keys(app, "b Ctrl+2 r");
    ck_assert_str_eq(app->message, "Loaded again");
    ck_assert_int_eq(app->view.cycle, 14);
    expect_selected(app, "tensor:Z");
    draw(app);
    keys(app, "r");
    ck_assert_str_eq(app->message, "the file is no more");
    expect_selected(app, "tensor:Z");
    draw(app);
    keys(app, "r"); /* another program: what is not there is no longer selected */
    ck_assert_str_eq(app->message, "Loaded again");
    ck_assert_int_le(app->view.cycle, app->run.timeline.cycles);
    draw(app);
    close_viewer(&v);
}
END_TEST

/* -- the command line -- */

/* Splits as a shell does where only ' quotes; the words overwrite the text. */
static int32_t split(char *text, char *words[64]) {
    int32_t count = 0;
    char *to = text;
    while (*text) {
        bool quoted = false;
        while (*text == ' ') text++;
        if (!*text) break;
        words[count++] = to;
        for (; *text && (quoted || *text != ' '); text++) {
            if (*text == '\'')
                quoted = !quoted;
            else if (!quoted && *text == '\\')
                *to++ = *++text;
            else
                *to++ = *text;
        }
        if (*text) text++;
        *to++ = 0;
    }
    return count;
}

/* A second viewer, set by the command line of the first, draws the same picture. */
static void check_command(VizApp *app, VizApp *other) {
    char command[VIZ_COMMAND_MAX], again[VIZ_COMMAND_MAX], *words[64];
    VizImage a, b;
    TspError err = {0};
    int32_t count;
    viz_app_command(app, command);
    strcpy(again, command);
    count = split(again, words);
    ck_assert_int_ge(count, 3);
    viz_view_init(&other->view);
    other->told[0] = 0;
    other->width = 1280, other->height = 800;
    for (int32_t i = 3; i < count; i++) {
        if (!strcmp(words[i], "--keys")) {
            other->view.help = true;
            continue;
        }
        ck_assert_msg(i + 1 < count && viz_app_option(other, words[i] + 2, words[i + 1], &err),
                      "%s: %s", command, err.text);
        i++;
    }
    viz_app_command(other, again);
    ck_assert_str_eq(again, command);
    a = drawn(app, true);
    b = drawn(other, true);
    ck_assert_int_eq(a.width, b.width);
    ck_assert_msg(!memcmp(a.pixels, b.pixels, (size_t)a.height * (size_t)a.stride * 4), "%s",
                  command);
    viz_image_free(&a);
    viz_image_free(&b);
}

/* After any keys and clicks the title tells what makes the picture again. */
START_TEST(the_command_line_makes_the_picture_again) {
    static const char *const texts[] = {"mem", "it's", "a b", "\xc3\xa4\"$`\\", "12", "+5", "-3"};
    const char *scale = getenv("TSP_TEST_SCALE");
    const int32_t rounds = scale && !strcmp(scale, "small") ? 300 : 2000;
    Viewer v, w;
    VizApp *app = &v.app;
    open_viewer(&v, _i ? "programs/matmul-int8.json" : "programs/vecadd.s");
    open_viewer(&w, _i ? "programs/matmul-int8.json" : "programs/vecadd.s");
    random_start();
    app->width = w.app.width = 640;
    app->height = w.app.height = 400;
    for (int32_t i = 0; i < rounds; i++) {
        const VizAction *action = &viz_actions[pick(0, viz_action_count - 1)];
        char list[16][32];
        const int32_t count = list_keys(action, list);
        if (!strcmp(action->name, "screenshot")) continue;
        viz_app_mouse(app, (float)pick(0, app->width), (float)pick(0, app->height));
        if (pick(0, 3) == 0) viz_app_press(app);
        viz_app_key(app, list[pick(0, count - 1)]);
        if (app->prompt != VIZ_NO_PROMPT && pick(0, 1)) viz_app_text(app, texts[pick(0, 6)]);
        if (pick(0, 9) == 0) app->view.scale = app->first_scale;
        viz_app_pass(app, 0.01 * pick(0, 20));
        if (i % 16 == 0) draw(app);
        if (i % 50 == 0) check_command(app, &w.app);
    }
    close_viewer(&v);
    close_viewer(&w);
}
END_TEST

START_TEST(quotes) {
    static const struct {
        const char *word, *want;
    } cases[] = {{"a", "a"},       {"", "''"},
                 {"a b", "'a b'"}, {"it's", "'it'\\''s'"},
                 {"$x", "'$x'"},   {"mem.w0:1,2@3", "mem.w0:1,2@3"}};
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        text[0] = 0;
        ck_assert(viz_quote(text, sizeof text, cases[i].word));
        ck_assert_str_eq(text, cases[i].want);
    }
    strcpy(text, "before ");
    ck_assert(!viz_quote(text, sizeof text, "much too long for what is left of it"));
    ck_assert_str_eq(text, "before ");
}
END_TEST

/* A program that breaks a rule opens, and says so in every picture. */
START_TEST(offences_are_told) {
    static const char text[] = ".machine tiny\n@mem.w0\n at 5 read 0, s0.e\n";
    Viewer v = {.app = {.command = "tsp view FILE", .name = "name"}};
    VizApp *app = &v.app;
    TspMachine m;
    TspError err = {0};
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    ck_assert_msg(tsp_assemble(&v.program, &m, text, strlen(text), "t.s", &err), "%s", err.text);
    panel_run(&app->run, &v.program, fill_zeros);
    ck_assert_msg(viz_app_open(app, &err), "%s", err.text);
    draw(app);
    ck_assert(strstr(app->view.caption, "reads a memory row that was never written"));
    keys(app, "End"); /* beyond it: the picture of the last cycle before */
    draw(app);
    ck_assert(strstr(app->view.caption, "reads a memory row that was never written"));
    ck_assert_int_eq(app->run.cycle, 5);
    keys(app, "Home Right");
    draw(app);
    ck_assert_int_eq(app->run.cycle, 1);
    close_viewer(&v);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("actions");
    TCase *tcase = tcase_create("actions");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, every_action_has_keys_of_its_own);
    tcase_add_test(tcase, other_keys_mean_nothing);
    tcase_add_test(tcase, help_lists_all);
    tcase_add_test(tcase, help_fits);
    tcase_add_test(tcase, steps);
    tcase_add_test(tcase, plays_and_stops);
    tcase_add_test(tcase, held_keys_repeat_where_that_makes_sense);
    tcase_add_test(tcase, goes_to_what_is_typed);
    tcase_add_test(tcase, searches);
    tcase_add_test(tcase, marks_and_looks);
    tcase_add_test(tcase, zooms_where_the_mouse_is);
    tcase_add_test(tcase, keys_zoom_the_panel_in_focus);
    tcase_add_test(tcase, clicks);
    tcase_add_test(tcase, reload_keeps_the_place);
    tcase_add_loop_test(tcase, the_command_line_makes_the_picture_again, 0, 2);
    tcase_add_test(tcase, quotes);
    tcase_add_test(tcase, offences_are_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
