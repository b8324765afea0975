/* panels.h - a run and a canvas for tests of panels: what a panel writes, and whether its texts and
 * regions keep to their places.
 */
#ifndef TSP_TESTS_PANELS_H
#define TSP_TESTS_PANELS_H
#include "compiler/compile.h"
#include "isa/asm.h"
#include "suite.h"
#include "viz/canvas_parts.h"
#include "viz/plan.h"
#include "viz/view.h"

#include <string.h>

typedef struct {
    TspProgram program;
    TspGraph graph;
    bool has_graph;
    VizRun run;
    VizView view;
    VizFont *font;
    VizCanvas *canvas;
} Scene;

/* The elements of an input are filled with, where a test cares. */
typedef void FillInput(const TspTensor *tensor, uint8_t *data);

static inline void fill_random(const TspTensor *t, uint8_t *data) {
    const bool is_float = t->dtype == TSP_F16 || t->dtype == TSP_F32;
    tsp_random_fill(data, t->dtype, tsp_tensor_elements(t), 1, is_float ? -1 : -100,
                    is_float ? 1 : 100);
}

static inline void scene_open_program(Scene *s, FillInput *fill_input) {
    const TspSimOptions options = {.history_bytes = 64 << 20};
    TspError err = {0};
    TspSim *sim = tsp_sim_new(&s->program, &options, &err);
    ck_assert_msg(sim != NULL, "%s", err.text);
    for (int32_t i = 0; i < s->program.tensor_count; i++) {
        const TspTensor *t = &s->program.tensors[i];
        uint8_t *data;
        if (t->role != TSP_ROLE_INPUT) continue;
        data = calloc((size_t)tsp_tensor_bytes(t), 1);
        fill_input(t, data);
        ck_assert_msg(tsp_sim_write_tensor(sim, i, data, &err), "%s", err.text);
        free(data);
    }
    ck_assert_msg(viz_run_open(&s->run, &s->program, sim, false, &err), "%s", err.text);
    viz_view_init(&s->view);
    s->font = viz_font_open(&err);
    ck_assert_msg(s->font != NULL, "%s", err.text);
    s->canvas = viz_canvas_new(s->font);
    ck_assert_ptr_nonnull(s->canvas);
}

static inline void scene_open_graph(Scene *s, const char *json, const char *machine) {
    const TspCompileOptions options = {0};
    TspMachine m;
    TspError err = {0};
    memset(s, 0, sizeof *s);
    s->has_graph = true;
    ck_assert(tsp_machine_builtin(&m, machine));
    ck_assert_msg(json[0] == '{' ? tsp_graph_parse(&s->graph, json, strlen(json), "g.json", &err)
                                 : tsp_graph_load(&s->graph, json, &err),
                  "%s", err.text);
    ck_assert_msg(tsp_compile(&s->graph, &m, &options, &s->program, &err), "%s", err.text);
    scene_open_program(s, fill_random);
}

/* From a text; `path` is what messages and the inspector call it. */
static inline void scene_open_text(Scene *s, const char *text, const char *path,
                                   const char *machine, FillInput *fill_input) {
    TspMachine m;
    TspError err = {0};
    memset(s, 0, sizeof *s);
    ck_assert(tsp_machine_builtin(&m, machine));
    ck_assert_msg(tsp_assemble(&s->program, &m, text, strlen(text), path, &err), "%s", err.text);
    scene_open_program(s, fill_input);
}

static inline void scene_open_file(Scene *s, const char *path, FillInput *fill_input) {
    static char text[1 << 16];
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    scene_open_text(s, text, path, "tsp1", fill_input);
}

static inline void scene_close(Scene *s) {
    viz_canvas_free(s->canvas);
    viz_font_close(s->font);
    viz_run_close(&s->run);
    tsp_program_free(&s->program);
    if (s->has_graph) tsp_graph_free(&s->graph);
}

static inline void scene_look(Scene *s, int64_t cycle) {
    TspError err = {0};
    ck_assert_msg(viz_run_look(&s->run, cycle, &err), "%s", err.text);
    s->view.cycle = s->run.cycle;
}

static inline VizFrame scene_frame(Scene *s, VizRect area) {
    return (VizFrame){.run = &s->run,
                      .view = &s->view,
                      .canvas = s->canvas,
                      .theme = viz_theme(s->view.theme),
                      .palette = viz_palette(s->view.palette),
                      .area = area,
                      .px = s->view.scale};
}

typedef void DrawPanel(const VizFrame *frame);

static inline void scene_draw(Scene *s, DrawPanel *draw, VizRect area) {
    const VizFrame frame = scene_frame(s, area);
    TspError err = {0};
    viz_canvas_reset(s->canvas);
    draw(&frame);
    ck_assert_msg(viz_canvas_ok(s->canvas, &err), "%s", err.text);
}

/* All texts, row by row as they were drawn: "left | right\n". */
static inline const char *scene_texts(const Scene *s) {
    static char texts[1 << 16];
    size_t at = 0;
    float row = 0;
    texts[0] = 0;
    for (size_t i = 0; i < s->canvas->commands.count; i++) {
        const VizCommand *c = viz_command_at(s->canvas, i);
        if (c->op != VIZ_OP_TEXT) continue;
        if (at > 0) {
            const float step = c->box.y - row;
            at += (size_t)snprintf(texts + at, sizeof texts - at, "%s",
                                   step > -3 && step < 3 ? " | " : "\n");
        }
        at += (size_t)snprintf(texts + at, sizeof texts - at, "%s",
                               viz_text_characters(s->canvas, c));
        row = c->box.y;
    }
    return texts;
}

static inline VizThing scene_pick(const Scene *s, float x, float y) {
    int32_t kind;
    int64_t id;
    if (!viz_canvas_pick(s->canvas, x, y, &kind, &id)) return (VizThing){VIZ_NOTHING, 0};
    return (VizThing){(VizKind)kind, id};
}

#define expect_pick(s, x, y, want_kind, want_id)                                                   \
    do {                                                                                           \
        const VizThing picked_ = scene_pick(s, x, y);                                              \
        ck_assert_int_eq(picked_.kind, want_kind);                                                 \
        if (picked_.kind != VIZ_NOTHING) ck_assert_int_eq(picked_.id, want_id);                    \
    } while (0)

/* -- what holds for every panel of every size -- */

static inline bool boxes_meet(VizRect a, VizRect b) {
    const float slack = 0.01f;
    return a.x + slack < b.x + b.w && b.x + slack < a.x + a.w && a.y + slack < b.y + b.h &&
           b.y + slack < a.y + a.h;
}

static inline bool box_within(VizRect a, VizRect area) {
    const float slack = 0.51f;
    return a.x + slack >= area.x && a.y + slack >= area.y && a.x + a.w <= area.x + area.w + slack &&
           a.y + a.h <= area.y + area.h + slack;
}

/* From the top of its capitals to the baseline. */
static inline VizRect text_box(const Scene *s, const VizCommand *c) {
    const float cap = (float)viz_font_cap_height(s->font, (VizFace)c->face, c->count);
    return (VizRect){c->box.x, c->box.y - cap, c->box.w, cap};
}

/* No text leaves the area or covers another; regions lie within the area. */
static inline void expect_tidy(const Scene *s, VizRect area, const char *what) {
    const size_t count = s->canvas->commands.count;
    for (size_t i = 0; i < count; i++) {
        const VizCommand *c = viz_command_at(s->canvas, i);
        if (c->op == VIZ_OP_REGION)
            ck_assert_msg(
                box_within(c->box, (VizRect){area.x - 8, area.y - 8, area.w + 16, area.h + 16}),
                "%s: region %d of %lld leaves the area", what, c->count, (long long)c->first);
        if (c->op != VIZ_OP_TEXT) continue;
        ck_assert_msg(box_within(text_box(s, c), area), "%s: \"%s\" leaves the area", what,
                      viz_text_characters(s->canvas, c));
        for (size_t k = 0; k < i; k++) {
            const VizCommand *d = viz_command_at(s->canvas, k);
            if (d->op != VIZ_OP_TEXT) continue;
            ck_assert_msg(!boxes_meet(text_box(s, c), text_box(s, d)), "%s: \"%s\" covers \"%s\"",
                          what, viz_text_characters(s->canvas, c),
                          viz_text_characters(s->canvas, d));
        }
    }
}

static inline void expect_tidy_at_all_sizes(Scene *s, DrawPanel *draw) {
    static const float widths[] = {240, 317, 416, 640, 901, 1280, 2000};
    static const float heights[] = {120, 151, 240, 423, 1200};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (size_t h = 0; h < sizeof heights / sizeof *heights; h++)
            for (int32_t scale = 1; scale <= 2; scale++) {
                const VizRect area = {10, 20, widths[w], heights[h]};
                char what[128];
                s->view.scale = (float)scale;
                scene_draw(s, draw, area);
                snprintf(what, sizeof what, "%s, %.0f x %.0f at %d, cycle %lld, selected %d %lld",
                         s->program.name, (double)area.w, (double)area.h, scale,
                         (long long)s->view.cycle, s->view.selected.kind,
                         (long long)s->view.selected.id);
                expect_tidy(s, area, what);
            }
    s->view.scale = 1;
}

#endif
