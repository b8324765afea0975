/* picture_guide.c - the annotated pictures of docs/viewer.md: the viewer's own, with numbers on it
 * that the text explains.
 *
 *     picture_guide whole|chip|values OUT.png
 */
#include "compiler/compile.h"
#include "compiler/graph.h"
#include "isa/asm.h"
#include "viz/chip.h"
#include "viz/png.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 1280, HEIGHT = 800 };

typedef struct {
    TspProgram program;
    VizRun run;
    VizView view;
    VizCanvas *canvas;
} Guide;

static void stop(const char *what) {
    fprintf(stderr, "picture_guide: %s\n", what);
    exit(1);
}

static void load_program(TspProgram *p, const char *path) {
    static char text[65536];
    FILE *file = fopen(path, "rb");
    TspMachine m;
    TspGraph g;
    TspError err;
    size_t length;
    if (!file) stop(path);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    if (!tsp_machine_load(&m, "tsp1", &err)) stop(err.text);
    if (strstr(path, ".json")) {
        if (!tsp_graph_parse(&g, text, length, path, &err) ||
            !tsp_compile(&g, &m, &(TspCompileOptions){0}, p, &err))
            stop(err.text);
        tsp_graph_free(&g);
    } else if (!tsp_assemble(p, &m, text, length, path, &err)) {
        stop(err.text);
    }
}

static void open_guide(Guide *guide, const char *path) {
    const TspSimOptions options = {.history_bytes = 64 << 20};
    VizFont *font;
    TspError err;
    TspSim *sim;
    load_program(&guide->program, path);
    sim = tsp_sim_new(&guide->program, &options, &err);
    if (!sim) stop(err.text);
    for (int32_t i = 0; i < guide->program.tensor_count; i++) {
        const TspTensor *t = &guide->program.tensors[i];
        const int64_t bytes = tsp_tensor_bytes(t);
        uint8_t *data = malloc((size_t)bytes + 1);
        for (int64_t k = 0; k < bytes; k++) data[k] = (uint8_t)((k * 7 + i * 3) % 100);
        if (t->role == TSP_ROLE_INPUT && !tsp_sim_write_tensor(sim, i, data, &err)) stop(err.text);
        free(data);
    }
    if (!viz_run_open(&guide->run, &guide->program, sim, false, &err)) stop(err.text);
    viz_view_init(&guide->view);
    font = viz_font_open(&err);
    if (!font) stop(err.text);
    guide->canvas = viz_canvas_new(font);
}

static void close_guide(Guide *guide) {
    VizFont *font = viz_canvas_font(guide->canvas);
    viz_canvas_free(guide->canvas);
    viz_font_close(font);
    viz_run_close(&guide->run);
    tsp_program_free(&guide->program);
}

static void number(const Guide *guide, int32_t n, float x, float y) {
    const VizTheme *theme = viz_theme(guide->view.theme);
    const VizTextStyle style = {.face = VIZ_BOLD,
                                .size_px = 14,
                                .colour = 0xffffffffu,
                                .anchor = VIZ_CENTRE,
                                .vertical = VIZ_MIDDLE};
    char text[8];
    snprintf(text, sizeof text, "%d", (int)n);
    viz_canvas_circle(guide->canvas, (VizPoint){x, y}, 13, viz_plain(viz_colour(theme, VIZ_PANEL)));
    viz_canvas_circle(guide->canvas, (VizPoint){x, y}, 12, viz_plain(0xc02040ffu));
    viz_canvas_text(guide->canvas, (VizPoint){x, y}, style, text);
}

static void scene(Guide *guide, int64_t cycle) {
    TspError err;
    guide->view.cycle = cycle;
    if (!viz_run_look(&guide->run, cycle, &err)) stop(err.text);
    viz_scene_draw(&guide->run, &guide->view, guide->canvas, WIDTH, HEIGHT);
}

/* The panels, in the order of Tab. */
static void whole(Guide *guide) {
    open_guide(guide, "programs/matmul-int8.json");
    scene(guide, 400);
    number(guide, 1, WIDTH / 2.0f - 180, 15);
    for (int32_t panel = 0; panel < VIZ_PANELS; panel++) {
        const VizRect area = viz_scene_area(&guide->view, (VizPanel)panel, WIDTH, HEIGHT);
        number(guide, panel + 2, area.x + area.w - 14, area.y - 6);
    }
}

static void chip(Guide *guide) {
    VizRect area;
    VizChipMap map;
    open_guide(guide, "programs/vecadd.s");
    guide->view.focus = VIZ_CHIP;
    guide->view.maximised = true;
    guide->view.theme = 1;
    scene(guide, 14);
    area = viz_scene_area(&guide->view, VIZ_CHIP, WIDTH, HEIGHT);
    map = viz_chip_map(&guide->run, &guide->view, area);
#define AT(n, column, superlane)                                                                   \
    number(guide, n, map.x0 + (column)*map.sx, map.y0 + (superlane)*map.sy)
    AT(1, 15.5f, -1.2f); /* a slice that writes */
    AT(2, 13.5f, 1.0f);  /* superlane 0 at the VXM */
    AT(3, 12.0f, 9.0f);  /* a vector, superlanes later */
    AT(4, 17.5f, 4.5f);  /* the end of the front of sums */
    AT(5, 21.5f, 1.0f);  /* pale */
#undef AT
}

static void values(Guide *guide) {
    VizRect area;
    open_guide(guide, "programs/vecadd.s");
    guide->view.focus = VIZ_CHIP;
    guide->view.maximised = true;
    guide->view.chip_zoom = 14;
    guide->view.chip_x = 13.7;
    guide->view.chip_y = 0.72;
    guide->view.selected = (VizThing){VIZ_REGISTER, viz_register(TSP_STREAM(TSP_EASTWARD, 1), 13)};
    scene(guide, 9);
    area = viz_scene_area(&guide->view, VIZ_CHIP, WIDTH, HEIGHT);
    number(guide, 1, area.x + 22, area.y + viz_chip_strip(&guide->view, area) + 24);
    number(guide, 2, area.x + area.w / 2 + 30, area.y + 50);
    number(guide, 3, area.x + area.w / 2 + 60, area.y + viz_chip_strip(&guide->view, area) + 150);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*draw)(Guide *guide);
    } pictures[] = {{"whole", whole}, {"chip", chip}, {"values", values}};
    Guide guide = {0};
    VizImage image;
    TspError err;
    size_t i = 0;
    if (argc != 3) stop("expected whole, chip or values, and a file");
    while (i < 3 && strcmp(pictures[i].name, argv[1]) != 0) i++;
    if (i == 3) stop("expected whole, chip or values");
    pictures[i].draw(&guide);
    if (!viz_canvas_ok(guide.canvas, &err) || !viz_image_new(&image, WIDTH, HEIGHT, &err))
        stop(err.text);
    viz_raster_draw(guide.canvas, &image);
    if (!viz_png_write(argv[2], &image, NULL, 0, &err)) stop(err.text);
    viz_image_free(&image);
    close_guide(&guide);
    return 0;
}
