/* panel.h - for tests of the viewer: a program opened in a run, a panel drawn from it, what a panel
 * writes and what a point of it hits, and what must be true of any picture of any size.
 */
#ifndef TSP_TESTS_PANEL_H
#define TSP_TESTS_PANEL_H
#include "compiler/compile.h"
#include "isa/asm.h"
#include "viz/canvas_parts.h"
#include "viz/plan.h"
#include "viz/view.h"

#include "suite.h"
#include <stdio.h>
#include <string.h>

/* -- programs -- */

/* From the text of a graph, or the path of one. */
static inline void panel_compile(TspProgram *p, const char *json, const char *machine) {
    TspError err = {0};
    TspMachine m;
    TspGraph graph;
    ck_assert(tsp_machine_builtin(&m, machine));
    ck_assert_msg(json[0] == '{' ? tsp_graph_parse(&graph, json, strlen(json), "g.json", &err)
                                 : tsp_graph_load(&graph, json, &err),
                  "%s", err.text);
    ck_assert_msg(tsp_compile(&graph, &m, &(TspCompileOptions){0}, p, &err), "%s", err.text);
    tsp_graph_free(&graph);
}

/* From a text; `path` is what messages and the inspector call it. */
static inline void panel_assemble(TspProgram *p, const char *text, const char *path,
                                  const char *machine) {
    TspError err = {0};
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, machine));
    ck_assert_msg(tsp_assemble(p, &m, text, strlen(text), path, &err), "%s", err.text);
}

/* From a file of either kind. */
static inline void panel_program(TspProgram *p, const char *path, const char *machine) {
    static char text[1 << 16];
    FILE *file;
    if (strstr(path, ".json")) {
        panel_compile(p, path, machine);
        return;
    }
    file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    panel_assemble(p, text, path, machine);
}

/* What an input holds. */
typedef void FillInput(const TspTensor *tensor, uint8_t *data);

static inline void fill_random(const TspTensor *t, uint8_t *data) {
    const bool is_float = t->dtype == TSP_F16 || t->dtype == TSP_F32;
    tsp_random_fill(data, t->dtype, tsp_tensor_elements(t), 1, is_float ? -1 : -100,
                    is_float ? 1 : 100);
}

/* A run of the program with values, or with time alone where `fill` is NULL. */
static inline void panel_run(VizRun *run, const TspProgram *p, FillInput *fill) {
    const TspSimOptions options = {.timing_only = fill == NULL, .history_bytes = 64 << 20};
    TspError err = {0};
    TspSim *sim = tsp_sim_new(p, &options, &err);
    ck_assert_msg(sim != NULL, "%s", err.text);
    for (int32_t i = 0; i < p->tensor_count && fill; i++) {
        const TspTensor *t = &p->tensors[i];
        uint8_t *data;
        if (t->role != TSP_ROLE_INPUT) continue;
        data = calloc((size_t)tsp_tensor_bytes(t) + 1, 1);
        fill(t, data);
        ck_assert_msg(tsp_sim_write_tensor(sim, i, data, &err), "%s", err.text);
        free(data);
    }
    ck_assert_msg(viz_run_open(run, p, sim, false, &err), "%s", err.text);
}

/* -- a panel -- */

typedef struct {
    TspProgram program;
    VizRun run;
    VizView view;
    VizFont *font;
    VizCanvas *canvas;
    VizFrame frame; /* of the last picture */
} Panel;

/* What every picture needs; the run is there, or is made later. */
static inline void panel_canvas(Panel *panel) {
    TspError err = {0};
    viz_view_init(&panel->view);
    panel->font = viz_font_open(&err);
    ck_assert_msg(panel->font != NULL, "%s", err.text);
    panel->canvas = viz_canvas_new(panel->font);
    ck_assert_ptr_nonnull(panel->canvas);
}

/* The program is there; opens the rest. */
static inline void panel_open(Panel *panel, FillInput *fill) {
    panel_run(&panel->run, &panel->program, fill);
    panel_canvas(panel);
}

static inline void panel_close(Panel *panel) {
    viz_canvas_free(panel->canvas);
    viz_font_close(panel->font);
    viz_run_close(&panel->run);
    tsp_program_free(&panel->program);
}

static inline void panel_look(Panel *panel, int64_t cycle) {
    TspError err = {0};
    ck_assert_msg(viz_run_look(&panel->run, cycle, &err), "%s", err.text);
    panel->view.cycle = panel->run.cycle;
}

typedef void DrawPanel(const VizFrame *frame);

static inline void panel_draw_in(Panel *panel, DrawPanel *draw, VizRect area) {
    TspError err = {0};
    panel->frame = (VizFrame){.run = &panel->run,
                              .view = &panel->view,
                              .canvas = panel->canvas,
                              .theme = viz_theme(panel->view.theme),
                              .palette = viz_palette(panel->view.palette),
                              .area = area,
                              .px = panel->view.scale};
    viz_canvas_reset(panel->canvas);
    viz_canvas_set_hatch_scale(panel->canvas, panel->frame.px > 1.5f ? 2 : 1);
    draw(&panel->frame);
    ck_assert_msg(viz_canvas_ok(panel->canvas, &err), "%s", err.text);
}

/* In an area that does not begin at the corner. */
static inline void panel_draw(Panel *panel, DrawPanel *draw, float width, float height) {
    panel_draw_in(panel, draw, (VizRect){10, 20, width, height});
}

/* -- what is in the picture -- */

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

/* All texts, row by row as they were drawn: "left | right\n". */
static inline const char *panel_texts(const Panel *p) {
    static char texts[1 << 16];
    size_t at = 0;
    float row = 0;
    texts[0] = 0;
    for (size_t i = 0; i < p->canvas->commands.count; i++) {
        const VizCommand *c = viz_command_at(p->canvas, i);
        if (c->op != VIZ_OP_TEXT) continue;
        if (at > 0) {
            const float step = c->box.y - row;
            at += (size_t)snprintf(texts + at, sizeof texts - at, "%s",
                                   step > -3 && step < 3 ? " | " : "\n");
        }
        at += (size_t)snprintf(texts + at, sizeof texts - at, "%s",
                               viz_text_characters(p->canvas, c));
        row = c->box.y;
    }
    return texts;
}

static inline VizThing panel_pick(const Panel *panel, float x, float y) {
    int32_t kind = VIZ_NOTHING;
    int64_t id = -1;
    viz_canvas_pick(panel->canvas, x, y, &kind, &id);
    return (VizThing){(VizKind)kind, id};
}

#define expect_pick(panel, x, y, want_kind, want_id)                                               \
    do {                                                                                           \
        const VizThing picked_ = panel_pick(panel, x, y);                                          \
        ck_assert_int_eq(picked_.kind, want_kind);                                                 \
        if (picked_.kind != VIZ_NOTHING) ck_assert_int_eq(picked_.id, want_id);                    \
    } while (0)

/* -- what holds for every panel of every size -- */

static inline bool panel_meet(VizRect a, VizRect b) {
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static inline bool panel_within(VizRect a, VizRect area) {
    return a.x >= area.x && a.y >= area.y && a.x + a.w <= area.x + area.w &&
           a.y + a.h <= area.y + area.h;
}

/* From the tops of its capitals to below the baseline. */
static inline VizRect panel_text_box(const Panel *panel, const VizCommand *c) {
    const float capitals = (float)viz_font_cap_height(panel->font, (VizFace)c->face, c->count);
    return (VizRect){c->box.x, c->box.y - capitals, c->box.w, capitals + 1};
}

/* No text leaves the panel, none lies on another; what can be hit is in it, or on its frame. Check
 * writes down every assertion that it comes by, so only those that fail are any. */
static inline void panel_check(const Panel *panel, const char *label) {
    const VizRect area = panel->frame.area;
    const VizRect framed = {area.x - 8, area.y - 8, area.w + 16, area.h + 16};
    for (size_t i = 0; i < panel_commands(panel); i++) {
        const VizCommand *c = viz_command_at(panel->canvas, i);
        const char *text = c->op == VIZ_OP_TEXT ? viz_text_characters(panel->canvas, c) : "";
        if (c->op == VIZ_OP_REGION && !panel_within(c->box, framed))
            ck_abort_msg("%s: region %d of %lld leaves the panel", label, c->count,
                         (long long)c->first);
        if (c->op != VIZ_OP_TEXT) continue;
        if (!panel_within(panel_text_box(panel, c), area))
            ck_abort_msg("%s: \"%s\" leaves the panel", label, text);
        for (size_t k = 0; k < i; k++) {
            const VizCommand *other = viz_command_at(panel->canvas, k);
            if (other->op == VIZ_OP_TEXT &&
                panel_meet(panel_text_box(panel, c), panel_text_box(panel, other)))
                ck_abort_msg("%s: \"%s\" lies on \"%s\"", label, text,
                             viz_text_characters(panel->canvas, other));
        }
    }
}

/* Of the view as it is, in sizes from a strip to two screens, at both densities, themes in turn. */
static inline void panel_check_sizes(Panel *panel, DrawPanel *draw, const char *label) {
    static const float widths[] = {240, 317, 416, 640, 901, 1280, 2000};
    static const float heights[] = {120, 151, 240, 423, 1200};
    static const VizRect others[] = {{0, 0, 300, 120},  {0, 0, 300, 400},  {0, 0, 500, 90},
                                     {0, 0, 545, 150},  {0, 0, 800, 240},  {0, 0, 1590, 222},
                                     {0, 0, 1280, 700}, {0, 0, 3840, 1000}};
    enum { HEIGHTS = 5, GRID = 7 * HEIGHTS, SIZES = GRID + 8 };
    const int32_t theme = panel->view.theme;
    for (int32_t i = 0; i < 2 * SIZES; i++) {
        const int32_t size = i / 2;
        const float w = size < GRID ? widths[size / HEIGHTS] : others[size - GRID].w;
        const float h = size < GRID ? heights[size % HEIGHTS] : others[size - GRID].h;
        char where[200];
        panel->view.scale = i % 2 ? 2 : 1;
        panel->view.theme = i % VIZ_THEMES;
        panel_draw(panel, draw, w, h);
        snprintf(where, sizeof where, "%s, %.0f x %.0f at %.0f, cycle %lld", label, (double)w,
                 (double)h, (double)panel->view.scale, (long long)panel->view.cycle);
        panel_check(panel, where);
    }
    panel->view.scale = 1;
    panel->view.theme = theme;
}

#endif
