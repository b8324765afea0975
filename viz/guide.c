/* guide.c - goes from stop to stop of a tour; see guide.h. */
#include "guide.h"
#include "frames.h"

#include <stdio.h>
#include <string.h>

#define SECONDS_BETWEEN 3.0 /* that a way of many cycles takes; a short one goes slowly */
#define SPEED_LEAST     3.0

int32_t viz_guide_count(const VizGuide *guide) {
    int32_t count = 0;
    for (int32_t c = 0; c < guide->tour.chapter_count; c++)
        count += guide->tour.chapters[c].stop_count;
    return count;
}

int32_t viz_guide_at(const VizGuide *guide) {
    int32_t number = guide->stop;
    for (int32_t c = 0; c < guide->chapter; c++) number += guide->tour.chapters[c].stop_count;
    return number;
}

static void set_place(VizGuide *guide, int32_t number) {
    guide->chapter = 0;
    while (number >= guide->tour.chapters[guide->chapter].stop_count)
        number -= guide->tour.chapters[guide->chapter++].stop_count;
    guide->stop = number;
}

static const VizStop *place(const VizGuide *guide) {
    return &guide->tour.chapters[guide->chapter].stops[guide->stop];
}

static bool set_option(VizApp *app, const VizStop *stop, const char *name, const char *text,
                       TspError *err) {
    TspError why;
    if (!text || viz_app_option(app, name, text, &why)) return true;
    return tsp_fail(err, TSP_ERR_INPUT, "the tour, line %d: %.600s", (int)stop->line, why.text);
}

/* What is said at the stop, with its number. */
static void tell(const VizGuide *guide, VizApp *app) {
    snprintf(app->told, sizeof app->told, "%d/%d  %.*s", (int)viz_guide_at(guide) + 1,
             (int)viz_guide_count(guide), VIZ_CAPTION_MAX - 20, place(guide)->caption);
    app->message[0] = 0;
    app->changed = true;
}

/* What the stop says of the view, its cycle aside. */
static bool look_there(VizGuide *guide, VizApp *app, TspError *err) {
    const VizStop *stop = place(guide);
    app->view.selected = (VizThing){VIZ_NOTHING, 0};
    app->view.chip_zoom = 1;
    app->view.maximised = false;
    app->view.from = app->view.to = 0;
    return set_option(app, stop, "select", stop->select, err) &&
           set_option(app, stop, "zoom", stop->zoom, err) &&
           set_option(app, stop, "panel", stop->panel, err);
}

bool viz_guide_show(VizGuide *guide, VizApp *app, int32_t number, TspError *err) {
    const VizStop *stop;
    char cycle[24];
    set_place(guide, number);
    stop = place(guide);
    app->arrive = -1;
    if (guide->opened != guide->chapter) {
        if (!guide->open(guide->context, app, guide->tour.chapters[guide->chapter].program, err))
            return false;
        guide->opened = guide->chapter;
    }
    snprintf(cycle, sizeof cycle, "%lld", (long long)stop->cycle);
    if (!set_option(app, stop, "cycle", cycle, err) || !look_there(guide, app, err)) return false;
    app->view.phase = 0;
    app->view.playing = false;
    tell(guide, app);
    return true;
}

void viz_guide_step(VizApp *app, int32_t direction) {
    VizGuide *guide = app->guide;
    const int32_t number = guide ? viz_guide_at(guide) + direction : -1;
    int64_t before;
    TspError err;
    if (!guide) {
        viz_app_say(app, "This is no tour; tsp view --tour is one");
        return;
    }
    if (app->arrive >= 0 && direction > 0) { /* on the way: be there at once */
        app->view.cycle = app->arrive;
        viz_guide_arrive(app);
        return;
    }
    if (number < 0 || number >= viz_guide_count(guide)) {
        viz_app_say(app, direction > 0 ? "The tour ends here" : "The tour begins here");
        return;
    }
    before = app->view.cycle;
    set_place(guide, number);
    if (guide->opened == guide->chapter && place(guide)->cycle > before &&
        place(guide)->cycle <= app->run.timeline.cycles && look_there(guide, app, &err)) {
        const double way = (double)(place(guide)->cycle - before) / SECONDS_BETWEEN;
        app->arrive = place(guide)->cycle;
        app->view.speed_cycles = way > SPEED_LEAST ? way : SPEED_LEAST;
        app->view.playing = true;
        app->told[0] = 0;
        app->changed = true;
    } else if (!viz_guide_show(guide, app, number, &err)) {
        viz_app_say(app, "%s", err.text);
    }
}

void viz_guide_arrive(VizApp *app) {
    app->arrive = -1;
    app->view.playing = false;
    app->view.phase = 0;
    app->view.speed_cycles = 10;
    tell(app->guide, app);
}

bool viz_guide_write(VizGuide *guide, VizApp *app, const char *folder, TspError *err) {
    const int32_t count = viz_guide_count(guide);
    if (!viz_folder_make(folder, err)) return false;
    for (int32_t i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/tour-%02d.png", folder, (int)i + 1);
        if (!viz_guide_show(guide, app, i, err) || !viz_app_write(app, path, err)) return false;
    }
    return true;
}
