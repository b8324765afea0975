/* panel.h - for tests of panels: a program opened in a run, a panel drawn from it, and what must be
 * true of any picture of one.
 */
#ifndef TSP_TESTS_PANEL_H
#define TSP_TESTS_PANEL_H
#include "compiler/compile.h"
#include "isa/asm.h"
#include "viz/canvas_parts.h"
#include "viz/view.h"

#include "suite.h"
#include <string.h>

typedef struct {
    TspProgram program;
    VizRun run;
    VizView view;
    VizFont *font;
    VizCanvas *canvas;
    VizFrame frame;
} Panel;

static inline void panel_program(TspProgram *p, const char *path, const char *machine) {
    static char text[65536];
    TspError err = {0};
    TspMachine m;
    TspGraph graph;
    FILE *file;
    size_t length;
    ck_assert(tsp_machine_builtin(&m, machine));
    if (strstr(path, ".json")) {
        ck_assert_msg(tsp_graph_load(&graph, path, &err), "%s", err.text);
        ck_assert_msg(tsp_compile(&graph, &m, NULL, p, &err), "%s", err.text);
        tsp_graph_free(&graph);
        return;
    }
    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    ck_assert_msg(tsp_assemble(p, &m, text, length, path, &err), "%s", err.text);
}

/* The program is there; opens the rest. */
static inline void panel_open(Panel *panel) {
    const TspSimOptions options = {.timing_only = true};
    TspError err = {0};
    TspSim *sim = tsp_sim_new(&panel->program, &options, &err);
    ck_assert_msg(sim != NULL, "%s", err.text);
    ck_assert_msg(viz_run_open(&panel->run, &panel->program, sim, false, &err), "%s", err.text);
    viz_view_init(&panel->view);
    panel->font = viz_font_open(&err);
    ck_assert_msg(panel->font != NULL, "%s", err.text);
    panel->canvas = viz_canvas_new(panel->font);
    panel->frame = (VizFrame){.run = &panel->run,
                              .view = &panel->view,
                              .canvas = panel->canvas,
                              .theme = viz_theme(0),
                              .palette = viz_palette(0),
                              .px = 1};
}

static inline void panel_close(Panel *panel) {
    viz_canvas_free(panel->canvas);
    viz_font_close(panel->font);
    viz_run_close(&panel->run);
    tsp_program_free(&panel->program);
}

/* Draws into an area that does not begin at the corner. */
static inline void panel_draw(Panel *panel, void (*draw)(const VizFrame *), float width,
                              float height) {
    TspError err = {0};
    panel->frame.area = (VizRect){10, 20, width, height};
    viz_canvas_reset(panel->canvas);
    viz_canvas_set_hatch_scale(panel->canvas, panel->frame.px > 1.5f ? 2 : 1);
    draw(&panel->frame);
    ck_assert_msg(viz_canvas_ok(panel->canvas, &err), "%s", err.text);
}

static inline size_t panel_commands(const Panel *panel) {
    return panel->canvas->commands.count;
}

/* The text's command, NULL if it is not there. */
static inline const VizCommand *panel_text(const Panel *panel, const char *text) {
    for (size_t i = 0; i < panel_commands(panel); i++) {
        const VizCommand *c = viz_command_at(panel->canvas, i);
        if (c->op == VIZ_OP_TEXT && !strcmp(viz_text_characters(panel->canvas, c), text)) return c;
    }
    return NULL;
}

/* A rectangle with this left edge, width and height around y (width 0: any); NULL if none. */
static inline const VizCommand *panel_bar(const Panel *panel, float x, float width, float y) {
    for (size_t i = 0; i < panel_commands(panel); i++) {
        const VizCommand *c = viz_command_at(panel->canvas, i);
        if (c->op == VIZ_OP_RECT && c->box.x == x && (width <= 0 || c->box.w == width) &&
            c->box.y <= y && c->box.y + c->box.h > y)
            return c;
    }
    return NULL;
}

static inline VizThing panel_pick(const Panel *panel, float x, float y) {
    int32_t kind = VIZ_NOTHING;
    int64_t id = -1;
    viz_canvas_pick(panel->canvas, x, y, &kind, &id);
    return (VizThing){(VizKind)kind, id};
}

/* From the tops of its capitals to below the baseline. */
static inline VizRect panel_text_box(const Panel *panel, const VizCommand *c) {
    const float capitals = (float)viz_font_cap_height(panel->font, (VizFace)c->face, c->count);
    return (VizRect){c->box.x, c->box.y - capitals, c->box.w, capitals + 1};
}

/* No text leaves the panel, none lies on another. */
static inline void panel_check_texts(const Panel *panel, const char *label) {
    const VizRect area = panel->frame.area;
    for (size_t i = 0; i < panel_commands(panel); i++) {
        const VizCommand *c = viz_command_at(panel->canvas, i);
        VizRect a;
        if (c->op != VIZ_OP_TEXT) continue;
        a = panel_text_box(panel, c);
        ck_assert_msg(a.x >= area.x && a.x + a.w <= area.x + area.w && a.y >= area.y &&
                          a.y + a.h <= area.y + area.h,
                      "%s: \"%s\" leaves the panel", label, viz_text_characters(panel->canvas, c));
        for (size_t k = 0; k < i; k++) {
            const VizCommand *other = viz_command_at(panel->canvas, k);
            VizRect b;
            if (other->op != VIZ_OP_TEXT) continue;
            b = panel_text_box(panel, other);
            ck_assert_msg(a.x >= b.x + b.w || b.x >= a.x + a.w || a.y >= b.y + b.h ||
                              b.y >= a.y + a.h,
                          "%s: \"%s\" lies on \"%s\"", label, viz_text_characters(panel->canvas, c),
                          viz_text_characters(panel->canvas, other));
        }
    }
}

static const struct {
    float width, height;
} panel_sizes[] = {{300, 120}, {300, 400},  {500, 90},   {545, 150},
                   {800, 240}, {1590, 222}, {1280, 700}, {3840, 1000}};
enum { PANEL_SIZES = sizeof panel_sizes / sizeof panel_sizes[0] };

/* The checks above for every size, density and theme, of the view as it is. */
static inline void panel_check_sizes(Panel *panel, void (*draw)(const VizFrame *),
                                     const char *label) {
    char where[160];
    for (int32_t i = 0; i < PANEL_SIZES * 2; i++) {
        const int32_t size = i / 2;
        panel->frame.px = i % 2 ? 2 : 1;
        panel->view.theme = i % VIZ_THEMES;
        panel->frame.theme = viz_theme(i);
        panel_draw(panel, draw, panel_sizes[size].width, panel_sizes[size].height);
        snprintf(where, sizeof where, "%s, %.0f x %.0f, px %.0f", label,
                 (double)panel_sizes[size].width, (double)panel_sizes[size].height,
                 (double)panel->frame.px);
        panel_check_texts(panel, where);
    }
    panel->frame.px = 1;
    panel->frame.theme = viz_theme(0);
}

#endif
