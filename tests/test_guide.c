/* test_guide.c - the tour that comes with the viewer, from stop to stop: each can be shown, time
 * runs to the next, and what is said is said on arrival.
 */
#include "viz/guide.h"

#include "panel.h"

typedef struct {
    TspProgram *program; /* of the chapter shown */
    VizApp app;
    VizGuide guide;
} Viewer;

static bool open_chapter(void *context, VizApp *app, const char *path, TspError *err) {
    Viewer *v = context;
    TspProgram *program;
    if (strstr(path, "missing")) return tsp_fail(err, TSP_ERR_INPUT, "cannot open %s", path);
    program = calloc(1, sizeof *program);
    panel_program(program, path, "tsp1");
    if (v->program) {
        viz_run_close(&app->run);
        tsp_program_free(v->program);
        free(v->program);
    }
    v->program = program;
    panel_run(&app->run, program, NULL);
    viz_app_try(app);
    return true;
}

static void open_viewer(Viewer *v, const char *text) {
    TspError err = {0};
    *v = (Viewer){.app = {.command = "tsp view FILE", .name = "name"},
                  .guide = {.open = open_chapter, .opened = -1}};
    if (text)
        ck_assert_msg(viz_tour_parse(&v->guide.tour, text, "programs/x.txt", &err), "%s", err.text);
    else
        ck_assert_msg(viz_tour_read(&v->guide.tour, "programs/tour.txt", &err), "%s", err.text);
    v->guide.context = v;
    v->app.guide = &v->guide;
    ck_assert(open_chapter(v, &v->app, v->guide.tour.chapters[0].program, &err));
    ck_assert_msg(viz_app_open(&v->app, &err), "%s", err.text);
}

static void close_viewer(Viewer *v) {
    viz_app_close(&v->app);
    viz_run_close(&v->app.run);
    viz_tour_free(&v->guide.tour);
    tsp_program_free(v->program);
    free(v->program);
}

START_TEST(every_stop_can_be_shown) {
    Viewer v;
    open_viewer(&v, NULL);
    ck_assert_int_eq(viz_guide_count(&v.guide), 19);
    for (int32_t i = 18; i >= 0; i--) { /* in whatever order */
        TspError err = {0};
        char number[16];
        ck_assert_msg(viz_guide_show(&v.guide, &v.app, i, &err), "stop %d: %s", i, err.text);
        ck_assert_int_eq(viz_guide_at(&v.guide), i);
        snprintf(number, sizeof number, "%d/19  ", i + 1);
        ck_assert_ptr_eq(strstr(v.app.told, number), v.app.told);
        ck_assert(!v.app.view.playing);
    }
    ck_assert_int_eq(v.app.view.cycle, 0);
    close_viewer(&v);
}
END_TEST

START_TEST(time_runs_to_the_next) {
    Viewer v;
    TspError err = {0};
    int64_t before = 0;
    open_viewer(&v, "program vecadd.s\nat 2\n One.\nat 20 select vxm.0\n Two.\n"
                    "program barrier.s\nat 5\n Three.\n");
    ck_assert(viz_guide_show(&v.guide, &v.app, 0, &err));
    ck_assert_str_eq(v.app.told, "1/3  One.");
    ck_assert(viz_app_key(&v.app, "Enter"));
    ck_assert(v.app.view.playing);
    ck_assert_str_eq(v.app.told, "");
    ck_assert_int_eq(v.app.view.selected.kind, VIZ_QUEUE);
    for (int32_t i = 0; i < 1000 && v.app.view.playing; i++) {
        ck_assert_int_ge(v.app.view.cycle, before);
        ck_assert_int_lt(v.app.view.cycle, 20);
        before = v.app.view.cycle;
        viz_app_pass(&v.app, 0.05);
    }
    ck_assert_int_eq(v.app.view.cycle, 20);
    ck_assert_str_eq(v.app.told, "2/3  Two.");
    /* Back at once; on again, and at once there for who cannot wait. */
    ck_assert(viz_app_key(&v.app, "PageUp"));
    ck_assert_int_eq(v.app.view.cycle, 2);
    ck_assert_str_eq(v.app.told, "1/3  One.");
    ck_assert(viz_app_key(&v.app, "PageDown") && viz_app_key(&v.app, "PageDown"));
    ck_assert_int_eq(v.app.view.cycle, 20);
    ck_assert(!v.app.view.playing);
    /* The next program, and the end. */
    ck_assert(viz_app_key(&v.app, "Enter"));
    ck_assert_str_eq(v.app.run.program->name, "barrier");
    ck_assert_str_eq(v.app.told, "3/3  Three.");
    ck_assert(viz_app_key(&v.app, "Enter"));
    ck_assert_str_eq(v.app.message, "The tour ends here");
    ck_assert_int_eq(v.app.view.cycle, 5);
    close_viewer(&v);
}
END_TEST

START_TEST(a_program_that_is_not_there) {
    Viewer v;
    TspError err = {0};
    open_viewer(&v, "program vecadd.s\nat 3\n One.\nprogram missing.s\nat 0\n Two.\n");
    ck_assert(viz_guide_show(&v.guide, &v.app, 0, &err));
    ck_assert(viz_app_key(&v.app, "Enter"));
    ck_assert_str_eq(v.app.message, "cannot open programs/missing.s");
    ck_assert_str_eq(v.app.run.program->name, "vecadd");
    ck_assert_int_eq(v.app.view.cycle, 3);
    ck_assert(viz_app_key(&v.app, "PageUp")); /* and the tour goes on from there */
    ck_assert_str_eq(v.app.told, "1/2  One.");
    close_viewer(&v);
}
END_TEST

START_TEST(what_the_run_does_not_have) {
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"program vecadd.s\nat 2000\n One.\n", "the tour, line 2: --cycle 2000"},
        {"program vecadd.s\nat 2 select op:none\n One.\n", "the tour, line 2: "},
        {"program vecadd.s\nat 2 panel none\n One.\n", "the tour, line 2: "},
        {"program vecadd.s\nat 2 zoom x\n One.\n", "the tour, line 2: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Viewer v;
        TspError err = {0};
        open_viewer(&v, bad[i].text);
        ck_assert(!viz_guide_show(&v.guide, &v.app, 0, &err));
        ck_assert_msg(strstr(err.text, bad[i].says) == err.text, "%s", err.text);
        close_viewer(&v);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("guide");
    TCase *c = tcase_create("guide");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, every_stop_can_be_shown);
    tcase_add_test(c, time_runs_to_the_next);
    tcase_add_test(c, a_program_that_is_not_there);
    tcase_add_test(c, what_the_run_does_not_have);
    suite_add_tcase(s, c);
    return run_suite(s);
}
