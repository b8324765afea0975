/* view.c - tsp view: open a run, then show it in a window or write pictures of it. In tsp-view; tsp
 * starts that (launch.c). */
#include "cli.h"
#include "viz/actions.h"
#include "viz/frames.h"
#include "viz/guide.h"
#include "viz/window.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the host, for states of the past: going back has to be quick. */
#define HISTORY_BYTES ((int64_t)256 << 20)

typedef struct {
    CliOptions options; /* in a tour the operand changes */
    CliSource *source;  /* that the run shows */
    char command[VIZ_COMMAND_MAX], name[64];
} Viewed;

/* Opens what the options name; on failure nothing is left. */
static bool open_run(const CliOptions *options, CliSource *source, VizRun *run, TspError *err) {
    TspSimOptions sim_options = {.history_bytes = HISTORY_BYTES};
    const TspProgram *p = &source->program;
    TspSim *sim = NULL;
    int32_t ifetch;
    bool done;
    if (!cli_choice("ifetch", options->ifetch, cli_ifetch, &ifetch, err) ||
        !cli_source_load(source, options->operand, options->machine, NULL, NULL, err))
        return false;
    sim_options.ifetch_modelled = ifetch == 1;
    done = cli_check_bindings(p, &options->inputs, TSP_ROLE_INPUT, "input", err) &&
           (sim = tsp_sim_new(p, &sim_options, err)) != NULL;
    if (!done) cli_locate_error(p, err);
    if (done && !cli_fill_inputs(p, sim, &options->inputs, options->seed, NULL, err)) {
        tsp_sim_free(sim);
        done = false;
    }
    done = done && viz_run_open(run, p, sim, sim_options.ifetch_modelled, err);
    if (!done)
        cli_source_free(source);
    else if (run->failed)
        cli_locate_error(p, &run->failure);
    return done;
}

static bool reload(void *context, VizRun *run, TspError *err) {
    Viewed *viewed = context;
    CliSource *source = calloc(1, sizeof *source);
    VizRun next;
    if (!source) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (!open_run(&viewed->options, source, &next, err)) {
        free(source);
        return false;
    }
    viz_run_close(run);
    cli_source_free(viewed->source);
    free(viewed->source);
    viewed->source = source;
    *run = next;
    return true;
}

/* "vecadd", for names of files. */
static void picture_name(const TspProgram *p, char name[64]) {
    const char *own = p->name && p->name[0] ? p->name : "tsp";
    snprintf(name, 64, "%s", own);
    for (char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *c))
            *c = '-';
}

/* The options that say which run it is. */
static void begin_command(const CliOptions *options, char command[VIZ_COMMAND_MAX]) {
    size_t length;
    strcpy(command, "tsp view ");
    viz_quote(command, VIZ_COMMAND_MAX, options->operand);
    for (int32_t i = 0; i < options->inputs.count; i++) {
        char binding[1024];
        snprintf(binding, sizeof binding, "%s=%s", options->inputs.list[i].name,
                 options->inputs.list[i].path);
        strncat(command, " --input ", VIZ_COMMAND_MAX - strlen(command) - 1);
        viz_quote(command, VIZ_COMMAND_MAX, binding);
    }
    length = strlen(command);
    if (options->seed != 0)
        snprintf(command + length, VIZ_COMMAND_MAX - length, " --seed %" PRId64, options->seed);
    if (options->machine) {
        strncat(command, " --machine ", VIZ_COMMAND_MAX - strlen(command) - 1);
        viz_quote(command, VIZ_COMMAND_MAX, options->machine);
    }
    if (options->ifetch) {
        strncat(command, " --ifetch ", VIZ_COMMAND_MAX - strlen(command) - 1);
        viz_quote(command, VIZ_COMMAND_MAX, options->ifetch);
    }
}

/* Puts what the command line says into the view. */
static bool set_view(VizApp *app, const CliOptions *options, TspError *err) {
    const struct {
        const char *name, *text;
    } list[] = {
        {"cycle", options->cycle}, {"select", options->select},   {"zoom", options->zoom},
        {"range", options->range}, {"focus", options->focus},     {"panel", options->panel},
        {"marks", options->marks}, {"search", options->search},   {"speed", options->speed},
        {"theme", options->theme}, {"palette", options->palette}, {"size", options->size},
        {"scale", options->scale}, {"caption", options->caption},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (list[i].text && !viz_app_option(app, list[i].name, list[i].text, err)) return false;
    app->view.help = options->keys;
    return true;
}

static bool show(VizApp *app, const CliOptions *options, TspError *err) {
    char text[2200];
    VizFrames frames;
    if (!set_view(app, options, err)) return false;
    if (options->frames) {
        if (!viz_frames_read(&frames, options->frames, app->run.timeline.cycles, err) ||
            !viz_frames_write(app, &frames, options->folder, err))
            return false;
        viz_frames_ffmpeg(options->folder, text, sizeof text);
        printf("%" PRId64 " pictures in %s; a film of them: %s\n", viz_frames_count(&frames),
               options->folder, text);
        return true;
    }
    if (options->png) return viz_app_write(app, options->png, err);
    return viz_window_run(app, options->size != NULL, options->scale != NULL, err);
}

/* -- the tour -- */

/* A chapter's program in place of the one shown. */
static bool open_chapter(void *context, VizApp *app, const char *program, TspError *err) {
    Viewed *viewed = context;
    const CliOptions before = viewed->options;
    viewed->options.operand = program;
    if (!reload(viewed, &app->run, err)) {
        viewed->options = before;
        return false;
    }
    begin_command(&viewed->options, viewed->command);
    picture_name(&viewed->source->program, viewed->name);
    viz_app_try(app);
    return true;
}

/* The file that --tour shows if none is named: in the folder one is in, beside this program's own,
 * or where it is installed. */
static bool find_tour(char path[4096], TspError *err) {
    static const char *const places[] = {"/../../programs/tour.txt", "/../share/tsp/tour.txt"};
    char own[2048], *slash;
    const ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    strcpy(path, "programs/tour.txt");
    if (access(path, R_OK) == 0) return true;
    own[length > 0 ? length : 0] = 0;
    slash = strrchr(own, '/');
    if (slash) *slash = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && slash; i++) {
        snprintf(path, 4096, "%s%s", own, places[i]);
        if (access(path, R_OK) == 0) return true;
    }
    return tsp_fail(err, TSP_ERR_INPUT,
                    "programs/tour.txt is not here; name a tour: tsp view --tour FILE.txt");
}

static bool show_tour(VizApp *app, const CliOptions *options, TspError *err) {
    if (!set_view(app, options, err)) return false;
    if (options->folder) return viz_guide_write(app->guide, app, options->folder, err);
    return viz_guide_show(app->guide, app, 0, err) &&
           viz_window_run(app, options->size != NULL, options->scale != NULL, err);
}

static bool check_usage(const CliOptions *options, TspError *err) {
    if (options->tour && (options->png || options->frames))
        return tsp_fail(err, TSP_ERR_INPUT, "--tour writes its pictures into --out DIR");
    if (!options->tour && !options->operand)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "tsp view needs a file: GRAPH, PROGRAM or FILE.s; see tsp view --help");
    if (options->png && options->frames)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "--png writes one picture, --frames many; leave one out");
    if (!options->tour && !options->frames != !options->folder)
        return tsp_fail(err, TSP_ERR_INPUT, "--frames A:B and --out DIR go together");
    return !options->png || cli_check_target(options->png, options->operand, err);
}

static int print_keys(void) {
    char *keys = viz_keys_markdown();
    TspError err;
    if (!keys) {
        tsp_fail(&err, TSP_ERR_SYSTEM, "out of memory");
        return cli_error(&err);
    }
    fputs(keys, stdout);
    free(keys);
    return CLI_DONE;
}

/* Opens the first program and shows it; `guide` NULL: no tour. */
static bool view(Viewed *viewed, VizGuide *guide, TspError *err) {
    const CliOptions asked = viewed->options;
    VizApp app = {.command = viewed->command, .name = viewed->name, .guide = guide};
    bool done;
    if (guide) viewed->options.operand = guide->tour.chapters[0].program;
    viewed->source = calloc(1, sizeof *viewed->source);
    if (!viewed->source) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (!open_run(&viewed->options, viewed->source, &app.run, err)) {
        free(viewed->source);
        return false;
    }
    begin_command(&viewed->options, viewed->command);
    picture_name(&viewed->source->program, viewed->name);
    app.reload = reload;
    app.locate = cli_locate_error;
    app.context = viewed;
    done = viz_app_open(&app, err);
    if (done) {
        done = guide ? show_tour(&app, &asked, err) : show(&app, &asked, err);
        viz_app_close(&app);
    }
    viz_run_close(&app.run);
    cli_source_free(viewed->source);
    free(viewed->source);
    return done;
}

int cli_view(const CliOptions *options) {
    Viewed viewed = {.options = *options};
    VizGuide guide = {.open = open_chapter, .context = &viewed};
    char path[4096];
    TspError err;
    bool done;
    if (options->keys && !options->operand && !options->tour) return print_keys();
    if (!check_usage(options, &err)) return cli_error(&err);
    if (!options->tour) return view(&viewed, NULL, &err) ? CLI_DONE : cli_error(&err);
    if (!options->operand && !find_tour(path, &err)) return cli_error(&err);
    if (!viz_tour_read(&guide.tour, options->operand ? options->operand : path, &err))
        return cli_error(&err);
    done = view(&viewed, &guide, &err);
    viz_tour_free(&guide.tour);
    return done ? CLI_DONE : cli_error(&err);
}
