/* test_chip.c - the chip's picture: every vector in its place, a superlane a cycle behind the one
 * above it, moving between cycles, with its bytes where there is room.
 */
#include "viz/chip.h"

#include "panel.h"

enum { ROWS = 8, S0E = 0, S1E = 1, S0W = 32 };

/* vecadd.s with X = 1, 2, 3 ... and Y = 0x40; areas of 40 x 20 pixels a register, before zooming.
 */
typedef struct {
    Panel panel;
    float sx, sy, strip;
} Bench;

static void fill(const TspTensor *t, uint8_t *data) {
    for (int32_t i = 0; i < ROWS * 320; i++)
        data[i] = (uint8_t)(t->name[0] == 'X' ? i % 320 + 1 : 0x40);
}

static void open_bench(Bench *b) {
    panel_program(&b->panel.program, "programs/vecadd.s", "tsp1");
    panel_open(&b->panel, fill);
    b->sx = 40, b->sy = 20, b->strip = 84;
}

static void close_bench(Bench *b) {
    panel_close(&b->panel);
}

static void draw(Bench *b, int64_t cycle) {
    panel_look(&b->panel, cycle);
    panel_draw_in(&b->panel, viz_chip_draw, (VizRect){0, 0, 27 * b->sx, b->strip + 20 * b->sy});
}

/* What lies in the middle of a register; streams s0.e, s1.e, s0.w have rows 0, 1, 2. */
static VizThing thing_at(const Bench *b, float column, int32_t superlane, int32_t row) {
    const float x = (column + 0.5f) * b->sx;
    const float y = b->strip + (float)superlane * b->sy + ((float)row + 0.5f) * b->sy / 3.5f;
    return panel_pick(&b->panel, x, y);
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
    b.panel.view.phase = 0.5f;
    draw(&b, 2);
    ck_assert_int_eq(thing_at(&b, 13.5f, 0, 0).id, viz_register(S0E, 13));
    ck_assert_int_eq(thing_at(&b, 12.5f, 0, 0).id, viz_register(S0E, 12));
    ck_assert_int_eq(thing_at(&b, 11.6f, 0, 0).kind, VIZ_NOTHING);
    ck_assert_int_eq(thing_at(&b, 12.5f, 0, 2).id, viz_register(S0W, 13)); /* westward */
    close_bench(&b);
}
END_TEST

static int32_t lines_with(const Bench *b, const char *word) {
    char *dump = viz_canvas_dump(b->panel.canvas);
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
                    expected += viz_run_drive(&b.panel.run, s, column, k) != NULL;
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
    b.panel.view.chip_zoom = 20;
    b.panel.view.chip_x = 13.5, b.panel.view.chip_y = 0.5;
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, "\"0f\""), 2); /* lane 14 of superlane 0, of rows 0 and 1 */
    ck_assert_int_ge(lines_with(&b, "\"40\""), 16);
    b.panel.view.chip_y = 1.5;
    draw(&b, 3);
    ck_assert_int_eq(lines_with(&b, "\"1f\""), 2); /* lane 14 of superlane 1, of rows 0 and 1 */
    close_bench(&b);
}
END_TEST

START_TEST(units_light_up) {
    Bench b;
    VizThing unit;
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
    unit = panel_pick(&b.panel, 13 * b.sx + 20, 20);
    ck_assert_int_eq(unit.kind, VIZ_QUEUE);
    ck_assert_int_eq(unit.id, tsp_queue_vxm(b.panel.run.m, 0));
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
    strcpy(b.panel.view.search, "VXM.0");
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, " 2.0 #c792eaff"), 1);
    strcpy(b.panel.view.search, "vxm");
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, " 2.0 #c792eaff"), 1);
    strcpy(b.panel.view.search, "mem");
    draw(&b, 2);
    ck_assert_int_eq(lines_with(&b, " 2.0 #c792eaff"), 3); /* w0, e0, e4 */
    strcpy(b.panel.view.search, "mxm");
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
