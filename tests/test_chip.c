/* test_chip.c - the chip's picture: every vector in its place, a superlane a cycle behind the one
 * above it, moving between cycles, with its bytes where there is room.
 */
#include "isa/asm.h"
#include "viz/chip.h"

#include "suite.h"
#include <stdio.h>
#include <string.h>

enum { ROWS = 8, S0E = 0, S1E = 1, S0W = 32 };

/* vecadd.s with X = 1, 2, 3 ... and Y = 0x40; areas of 40 x 20 pixels a register, before zooming.
 */
typedef struct {
    TspProgram program;
    VizRun run;
    VizView view;
    VizFont *font;
    VizCanvas *canvas;
    float sx, sy, strip;
} Bench;

static void open_bench(Bench *b) {
    static char text[20000];
    uint8_t x[ROWS * 320], y[ROWS * 320];
    FILE *file = fopen("programs/vecadd.s", "rb");
    const TspSimOptions options = {.history_bytes = 32 << 20};
    TspMachine m;
    TspError err;
    TspSim *sim;
    size_t length;
    ck_assert(file != NULL);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    ck_assert(tsp_machine_load(&m, "tsp1", &err));
    ck_assert(tsp_assemble(&b->program, &m, text, length, "programs/vecadd.s", &err));
    sim = tsp_sim_new(&b->program, &options, &err);
    for (int32_t i = 0; i < ROWS * 320; i++) x[i] = (uint8_t)(i % 320 + 1), y[i] = 0x40;
    ck_assert(tsp_sim_write_tensor(sim, 0, x, &err) && tsp_sim_write_tensor(sim, 1, y, &err));
    ck_assert_msg(viz_run_open(&b->run, &b->program, sim, false, &err), "%s", err.text);
    viz_view_init(&b->view);
    b->font = viz_font_open(&err);
    ck_assert_msg(b->font != NULL, "%s", err.text);
    b->canvas = viz_canvas_new(b->font);
    b->sx = 40, b->sy = 20, b->strip = 84;
}

static void close_bench(Bench *b) {
    viz_canvas_free(b->canvas);
    viz_font_close(b->font);
    viz_run_close(&b->run);
    tsp_program_free(&b->program);
}

static void draw(Bench *b, int64_t cycle) {
    VizFrame frame = {.run = &b->run,
                      .view = &b->view,
                      .canvas = b->canvas,
                      .theme = viz_theme(b->view.theme),
                      .palette = viz_palette(b->view.palette),
                      .area = {0, 0, 27 * b->sx, b->strip + 20 * b->sy},
                      .px = 1};
    TspError err;
    ck_assert(viz_run_look(&b->run, cycle, &err));
    b->view.cycle = cycle;
    viz_canvas_reset(b->canvas);
    viz_chip_draw(&frame);
    ck_assert_msg(viz_canvas_ok(b->canvas, &err), "%s", err.text);
}

/* What lies in the middle of a register; streams s0.e, s1.e, s0.w have rows 0, 1, 2. */
static VizThing thing_at(const Bench *b, float column, int32_t superlane, int32_t row) {
    int32_t kind = VIZ_NOTHING;
    int64_t id = -1;
    const float x = (column + 0.5f) * b->sx;
    const float y = b->strip + (float)superlane * b->sy + ((float)row + 0.5f) * b->sy / 3.5f;
    viz_canvas_pick(b->canvas, x, y, &kind, &id);
    return (VizThing){(VizKind)kind, id};
}

START_TEST(vectors_in_their_places) {
    Bench b;
    open_bench(&b);
    draw(&b, 2); /* the first X and Y meet at the VXM, in superlane 0 */
    ck_assert_int_eq(thing_at(&b, 13, 0, 0).kind, VIZ_REGISTER);
    ck_assert_int_eq(thing_at(&b, 13, 0, 0).id, viz_register(S0E, 13));
    ck_assert_int_eq(thing_at(&b, 13, 0, 2).id, viz_register(S0W, 13));
    ck_assert_int_eq(thing_at(&b, 12, 0, 0).id, viz_register(S0E, 12)); /* the second X */
    ck_assert_int_eq(thing_at(&b, 14, 0, 0).kind, VIZ_NOTHING);
    ck_assert_int_eq(thing_at(&b, 13, 0, 1).kind, VIZ_NOTHING); /* no sum yet */
    ck_assert_int_eq(thing_at(&b, 12, 1, 0).kind, VIZ_BURST);   /* superlane 1: a cycle behind */
    ck_assert_int_eq(thing_at(&b, 13, 1, 0).kind, VIZ_NOTHING);
    ck_assert_int_eq(thing_at(&b, 12, 2, 0).kind, VIZ_NOTHING);
    draw(&b, 12);
    ck_assert_int_eq(thing_at(&b, 16, 0, 1).id, viz_register(S1E, 16)); /* sum of cycle 9, passed */
    ck_assert_int_eq(thing_at(&b, 13, 3, 1).kind, VIZ_BURST);
    ck_assert_int_eq(thing_at(&b, 13, 4, 1).kind, VIZ_NOTHING);
    close_bench(&b);
}
END_TEST

START_TEST(motion_between_cycles) {
    Bench b;
    open_bench(&b);
    b.view.phase = 0.5f;
    draw(&b, 2);
    ck_assert_int_eq(thing_at(&b, 13.5f, 0, 0).id, viz_register(S0E, 13));
    ck_assert_int_eq(thing_at(&b, 12.5f, 0, 0).id, viz_register(S0E, 12));
    ck_assert_int_eq(thing_at(&b, 11.6f, 0, 0).kind, VIZ_NOTHING);
    ck_assert_int_eq(thing_at(&b, 12.5f, 0, 2).id, viz_register(S0W, 13)); /* westward */
    close_bench(&b);
}
END_TEST

static int32_t lines_with(const Bench *b, const char *word) {
    char *dump = viz_canvas_dump(b->canvas);
    int32_t count = 0;
    for (const char *at = dump; (at = strstr(at, word)); at++) count++;
    free(dump);
    return count;
}

/* Each superlane shows what the simulator had as many cycles ago. */
START_TEST(as_many_as_there_are) {
    Bench b;
    open_bench(&b);
    for (int64_t cycle = 0; cycle <= 21; cycle++) {
        int32_t expected = 0;
        draw(&b, cycle);
        for (int32_t k = 0; k < 20; k++)
            for (int32_t s = 0; s < TSP_MAX_STREAMS; s++)
                for (int32_t column = 0; column < 27; column++)
                    expected += viz_run_drive(&b.run, s, column, k) != NULL;
        ck_assert_int_eq(lines_with(&b, "\npolygon"), expected);
        if (cycle == 1) ck_assert_int_eq(expected, 2);
    }
    close_bench(&b);
}
END_TEST

START_TEST(bytes_where_there_is_room) {
    Bench b;
    open_bench(&b);
    b.sx = 100;
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, "\"40\""), 0);
    b.view.chip_zoom = 20;
    b.view.chip_x = 13.5, b.view.chip_y = 0.5;
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, "\"0f\""), 2); /* lane 14 of superlane 0, of rows 0 and 1 */
    ck_assert_int_ge(lines_with(&b, "\"40\""), 16);
    b.view.chip_y = 1.5;
    draw(&b, 3);
    ck_assert_int_eq(lines_with(&b, "\"1f\""), 2); /* lane 14 of superlane 1, of rows 0 and 1 */
    close_bench(&b);
}
END_TEST

START_TEST(units_light_up) {
    Bench b;
    int32_t kind = VIZ_NOTHING;
    int64_t id = -1;
    open_bench(&b);
    b.sx = 160, b.sy = 40;
    draw(&b, 1);
    ck_assert_int_eq(lines_with(&b, "\"add"), 0);
    ck_assert_int_eq(lines_with(&b, "\"R\""), 2); /* both slices read */
    ck_assert_int_eq(lines_with(&b, "\"W\""), 0);
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, "\"add"), 1);
    draw(&b, 11);
    ck_assert_int_eq(lines_with(&b, "\"R\""), 0);
    ck_assert_int_eq(lines_with(&b, "\"W\""), 1);
    ck_assert(viz_canvas_pick(b.canvas, 13 * b.sx + 20, 20, &kind, &id));
    ck_assert_int_eq(kind, VIZ_QUEUE);
    ck_assert_int_eq(id, tsp_queue_vxm(b.run.m, 0));
    close_bench(&b);
}
END_TEST

/* Framed in the colour of marks: only what does something, and only while something is looked for.
 */
START_TEST(what_is_searched_for_is_framed) {
    Bench b;
    open_bench(&b);
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, " 2.0 #c792eaff"), 0);
    strcpy(b.view.search, "VXM.0");
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, " 2.0 #c792eaff"), 1);
    strcpy(b.view.search, "vxm");
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, " 2.0 #c792eaff"), 1);
    strcpy(b.view.search, "mem");
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, " 2.0 #c792eaff"), 3); /* w0, e0, e4 */
    strcpy(b.view.search, "mxm");
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, " 2.0 #c792eaff"), 0);
    close_bench(&b);
}
END_TEST

int main(void) {
    Suite *s = suite_create("chip");
    TCase *c = tcase_create("chip");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, vectors_in_their_places);
    tcase_add_test(c, motion_between_cycles);
    tcase_add_test(c, as_many_as_there_are);
    tcase_add_test(c, bytes_where_there_is_room);
    tcase_add_test(c, units_light_up);
    tcase_add_test(c, what_is_searched_for_is_framed);
    suite_add_tcase(s, c);
    return run_suite(s);
}
