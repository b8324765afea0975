/* bench_view.c - the viewer without its window: opening a big program, and frames of playing it. In
 * tsp-view. */
#include "bench.h"

#include "viz/raster.h"
#include "viz/view.h"

enum { WIDTH = 1280, HEIGHT = 800, FRAMES = 60, HISTORY = 256 << 20 };

typedef struct {
    BenchChip *chip;
    VizRun run;
    VizView view;
    VizFont *font;
    VizCanvas *canvas;
    VizImage image;
    double worst;
} Viewer;

static bool open_viewer(Viewer *v, TspError *err) {
    TspSim *sim = v->chip->sim;
    v->chip->sim = NULL; /* the run's from here on */
    viz_view_init(&v->view);
    v->font = viz_font_open(err);
    v->canvas = v->font ? viz_canvas_new(v->font) : NULL;
    if (v->font && !v->canvas) tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a draw list");
    if (v->canvas && viz_image_new(&v->image, WIDTH, HEIGHT, err))
        return viz_run_open(&v->run, &v->chip->program, sim, false, err);
    tsp_sim_free(sim);
    return false;
}

static void close_viewer(Viewer *v) {
    if (v->run.program) viz_run_close(&v->run);
    viz_canvas_free(v->canvas);
    viz_font_close(v->font);
    viz_image_free(&v->image);
}

static bool frame(Viewer *v, int64_t cycle, double *seconds, TspError *err) {
    const double start = bench_now();
    v->view.cycle = cycle;
    if (!viz_run_look(&v->run, cycle, err)) return false;
    viz_canvas_reset(v->canvas);
    viz_scene_draw(&v->run, &v->view, v->canvas, WIDTH, HEIGHT);
    if (!viz_canvas_ok(v->canvas, err)) return false;
    viz_raster_draw(v->canvas, &v->image);
    *seconds = bench_now() - start;
    if (*seconds > v->worst) v->worst = *seconds;
    return true;
}

/* A second of playing, a cycle a frame, from another place each time. */
static bool frames_step(void *context, double *seconds, TspError *err) {
    Viewer *v = context;
    const int64_t span = v->run.timeline.cycles - FRAMES;
    const int64_t first = span > 0 ? (v->view.cycle * 7 + 20011) % span : 0;
    double took[FRAMES];
    if (!frame(v, first, &took[0], err)) return false; /* a seek, not a frame of playing */
    v->worst = 0;
    for (int32_t i = 0; i < FRAMES; i++)
        if (!frame(v, first + 1 + i, &took[i], err)) return false;
    *seconds = bench_median(took, FRAMES);
    return true;
}

bool bench_view(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    Viewer viewer = {.chip = &chip};
    BenchTurn turn = {frames_step, &viewer, NULL, 0};
    double start;
    bool done = bench_compile_big(&chip.program, err) &&
                bench_load(&chip, &(TspSimOptions){.history_bytes = HISTORY}, err);
    start = bench_now();
    if (done) done = open_viewer(&viewer, err);
    start = bench_now() - start;
    done = done && bench_turns(&turn, 1, b->rounds, err);
    if (done) {
        r->seconds = turn.seconds;
        r->load_s = chip.load_s;
        bench_figure(r, "to open, inputs loaded", "ms", 1e3 * start, 500, false);
        bench_figure(r, "a frame, 1280 x 800", "ms", 1e3 * turn.seconds, 1e3 / 60, false);
        bench_figure(r, "the last second's worst", "ms", 1e3 * viewer.worst, 0, false);
    }
    close_viewer(&viewer);
    bench_free(&chip);
    return done;
}

bool cli_left_to_viewer(const CliOptions *options, int *code) {
    (void)options, (void)code;
    return false;
}
