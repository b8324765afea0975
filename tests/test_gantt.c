/* test_gantt.c - the Gantt: bars at the pixels of their cycles, what a click on them is, and that
 * what cannot be seen for itself is counted and not sampled.
 */
#include "viz/gantt.h"
#include "viz/gantt_index.h"

#include "panel.h"
#include "random_program.h"
#include "suite.h"

/* An area so wide that the axis has 800 pixels. */
enum { WIDTH = 1002, AXIS = 800, CYCLES = 20, CELL = AXIS / CYCLES };

static Panel panel;

static void open_program(const char *path, const char *machine) {
    panel_program(&panel.program, path, machine);
    panel_open(&panel, NULL);
}

static void draw(float width, float height) {
    panel_draw(&panel, viz_gantt_draw, width, height);
}

static VizRect axis(void) {
    return viz_gantt_axis(panel.frame.area, panel.frame.px);
}

/* The middle of the row with this name. */
static float row_y(const char *name) {
    const VizCommand *c = panel_text(&panel, name);
    ck_assert_msg(c != NULL, "no row %s", name);
    return c->box.y - 3;
}

static const VizBurst *burst_at(float x, float y) {
    const VizThing thing = panel_pick(&panel, x, y);
    ck_assert_int_eq(thing.kind, VIZ_BURST);
    return &panel.run.timeline.bursts[thing.id];
}

/* vecadd.s: eight additions issue in cycles 2 .. 9, reads in 0 .. 7, writes in 11 .. 18. */
START_TEST(every_issue_has_its_cell) {
    float x, adds;
    open_program("programs/vecadd.s", "tsp1");
    panel.view.from = 0, panel.view.to = CYCLES;
    panel.view.cycle = 11;
    draw(WIDTH, 300);
    x = axis().x;
    ck_assert_float_eq(axis().w, AXIS);
    adds = row_y("ALU 0");
    for (int32_t cycle = 0; cycle < CYCLES; cycle++) {
        const float left = x + (float)(cycle * CELL);
        const VizThing thing = panel_pick(&panel, left + 1, adds);
        const bool issues = cycle >= 2 && cycle <= 9;
        ck_assert((panel_bar(&panel, left, CELL - 1, adds) != NULL) == issues);
        ck_assert_int_eq(thing.kind, issues ? VIZ_BURST : VIZ_CYCLE);
        if (!issues) ck_assert_int_eq(thing.id, cycle);
    }
    ck_assert_int_eq(burst_at(x + 2 * CELL, adds)->opcode, TSP_OP_ADD_SAT);
    ck_assert_int_eq(burst_at(x + 10 * CELL - 1, adds)->opcode, TSP_OP_ADD_SAT);
    ck_assert_int_eq(burst_at(x, row_y("W reads"))->opcode, TSP_OP_READ);
    ck_assert_int_eq(burst_at(x + 18 * CELL, row_y("E writes"))->opcode, TSP_OP_WRITE);
    ck_assert_int_eq(panel_pick(&panel, x + 19 * CELL, row_y("E writes")).kind, VIZ_CYCLE);
    ck_assert_int_eq(panel_pick(&panel, x + 1, row_y("Z")).kind, VIZ_OP);
    ck_assert_int_eq(panel_pick(&panel, 80, adds).kind, VIZ_QUEUE);
    ck_assert_int_eq(panel_pick(&panel, 80, adds).id, tsp_queue_vxm(panel.run.m, 0));
    /* the cursor at the beginning of its cycle, its number beside it */
    ck_assert_ptr_nonnull(panel_bar(&panel, x + 11 * CELL, 2, 300));
    ck_assert_ptr_nonnull(panel_text(&panel, "11"));
    ck_assert_float_gt(panel_text(&panel, "11")->box.x, x + 11 * CELL);
    panel_close(&panel);
}
END_TEST

/* A slice that is selected gets a row of its own. */
START_TEST(a_selected_queue_has_a_row) {
    float y;
    open_program("programs/vecadd.s", "tsp1");
    panel.view.from = 0, panel.view.to = CYCLES;
    panel.view.selected = (VizThing){VIZ_QUEUE, tsp_queue_find(panel.run.m, "mem.e4")};
    draw(WIDTH, 320);
    y = row_y("mem.e4");
    ck_assert_ptr_nonnull(panel_bar(&panel, axis().x + 11 * CELL, CELL - 1, y));
    ck_assert_ptr_null(panel_bar(&panel, axis().x + 10 * CELL, CELL - 1, y));
    ck_assert_int_eq(burst_at(axis().x + 11 * CELL, y)->opcode, TSP_OP_WRITE);
    panel_close(&panel);
}
END_TEST

START_TEST(the_axis_knows_its_cycles) {
    open_program("programs/vecadd.s", "tsp1");
    draw(WIDTH, 300); /* from >= to: the whole run */
    for (int32_t k = 0; k < 2; k++) {
        for (double cycle = -3; cycle < 40; cycle += 0.25) {
            const float x =
                viz_gantt_x(&panel.view, &panel.run.timeline, panel.frame.area, 1, cycle);
            const double back =
                viz_gantt_cycle_at(&panel.view, &panel.run.timeline, panel.frame.area, 1, x);
            ck_assert_double_eq_tol(back, cycle, 1e-4);
        }
        panel.view.from = 4.5, panel.view.to = 6.25;
    }
    panel.view.from = panel.view.to = 0;
    ck_assert_float_eq(viz_gantt_x(&panel.view, &panel.run.timeline, panel.frame.area, 1, 21),
                       axis().x + AXIS);
    for (int32_t cycle = 0; cycle < 21; cycle++) {
        const float x =
            viz_gantt_x(&panel.view, &panel.run.timeline, panel.frame.area, 1, cycle + 0.5);
        ck_assert_int_eq(panel_pick(&panel, x, axis().y + 20).kind, VIZ_CYCLE);
        ck_assert_int_eq(panel_pick(&panel, x, axis().y + 20).id, cycle);
    }
    panel_close(&panel);
}
END_TEST

static int32_t count_colour(VizColour colour) {
    int32_t count = 0;
    for (size_t i = 0; i < panel_commands(&panel); i++) {
        const VizCommand *c = viz_command_at(panel.canvas, i);
        count += c->op == VIZ_OP_RECT && c->hatch && c->ink == colour;
    }
    return count;
}

/* Predicted and simulated agree, or the difference is told. */
START_TEST(differences_are_marked) {
    TspOpInfo *info;
    VizColour late, early;
    open_program("programs/matmul-small.json", "tsp1");
    info = &panel.program.ops[0];
    info->name[1] = 0; /* short enough for its place */
    late = viz_colour(viz_theme(0), VIZ_ERROR), early = viz_colour(viz_theme(0), VIZ_WARNING);
    panel.view.from = 0, panel.view.to = (double)info->end + 50;
    draw(WIDTH, 300);
    ck_assert_ptr_nonnull(panel_bar(&panel, axis().x, 0, row_y(info->name)));
    ck_assert_int_eq(count_colour(late) + count_colour(early), 0);
    info->end -= 12;
    draw(WIDTH, 300);
    ck_assert_int_eq(count_colour(late), 1);
    ck_assert_ptr_nonnull(panel_text(&panel, "+12"));
    info->end += 20;
    info->start += 3;
    draw(WIDTH, 300);
    ck_assert_int_eq(count_colour(early), 1);
    ck_assert_int_eq(count_colour(late), 1); /* began sooner, so it took longer */
    ck_assert_ptr_nonnull(panel_text(&panel, "-8"));
    panel_close(&panel);
}
END_TEST

/* Marks say how far they are from the cycle looked at: 900 MHz, 9 cycles are 10 ns. */
START_TEST(marks_and_hover_have_deltas) {
    open_program("programs/vecadd.s", "tsp1");
    panel.view.cycle = 2;
    panel.view.mark[2] = 11;
    draw(WIDTH, 300);
    ck_assert_ptr_nonnull(panel_text(&panel, "3  +9  +10.0 ns"));
    panel.view.hovered = (VizThing){VIZ_CYCLE, 1};
    draw(WIDTH, 300);
    ck_assert_ptr_nonnull(panel_text(&panel, "1  -1  -1.1 ns"));
    panel.view.from = 5, panel.view.to = 15; /* the cursor is to the left of it */
    draw(WIDTH, 300);
    ck_assert_ptr_nonnull(panel_text(&panel, "\xe2\x97\x82 2"));
    panel_close(&panel);
}
END_TEST

START_TEST(texts_keep_to_their_places) {
    static const char *const paths[] = {"programs/mlp.json", "programs/matmul-small.json",
                                        "programs/barrier.s", "programs/weights.s",
                                        "programs/matmul-small.json"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const char *path = paths[i], *machine = i == 4 ? "tiny" : "tsp1";
        char label[96];
        open_program(path, machine);
        for (int32_t zoom = 0; zoom < 4; zoom++) {
            static const double spans[] = {0, 150, 24, 2.5};
            const int64_t cycles = panel.run.timeline.cycles;
            panel.view.cycle = cycles / 3;
            panel.view.from = zoom ? (double)panel.view.cycle - spans[zoom] / 2 : 0;
            panel.view.to = zoom ? panel.view.from + spans[zoom] : 0;
            panel.view.mark[0] = cycles / 3 + 1, panel.view.mark[4] = cycles / 3 - 2;
            panel.view.mark[8] = cycles - 1;
            panel.view.hovered = (VizThing){VIZ_CYCLE, cycles / 3 + 3};
            panel.view.selected = zoom % 2 ? (VizThing){VIZ_QUEUE, 3} : (VizThing){VIZ_BURST, 0};
            if (panel.program.op_count && zoom > 1) {
                panel.program.ops[0].end += 5;
                panel.program.ops[panel.program.op_count - 1].start -= 7;
            }
            snprintf(label, sizeof label, "%s on %s, zoom %d", path, machine, zoom);
            panel_check_sizes(&panel, viz_gantt_draw, label);
        }
        panel_close(&panel);
    }
}
END_TEST

/* -- counting -- */

/* Issues of a track in each cycle, one by one. */
static void list_track(const VizTimeline *t, int32_t track, int32_t *issues) {
    for (int64_t c = 0; c < t->cycles; c++) issues[c] = 0;
    for (int32_t i = 0; i < t->burst_count; i++) {
        const VizBurst *b = &t->bursts[i];
        if (viz_track_half(&t->program->machine, track, b) < 0) continue;
        for (int32_t k = 0; k <= b->n2; k++)
            for (int32_t j = 0; j <= b->n; j++) {
                const int64_t cycle = b->start + (int64_t)j * b->d + (int64_t)k * b->d2;
                if (cycle < t->cycles) issues[cycle]++; /* a last Sync can be later */
            }
    }
}

static void clear(VizSlot *sum, int32_t count) {
    for (int32_t i = 0; i < count; i++) sum[i] = (VizSlot){0, 0, -1, -1};
}

enum { SLOTS = 4096 };

static void check_track(const VizTimeline *t, const VizGanttIndex *index, int32_t track) {
    static VizSlot sum[SLOTS];
    static float cycles[SLOTS];
    int32_t *issues = calloc((size_t)t->cycles + 1, sizeof *issues);
    double all = 0, some;
    list_track(t, track, issues);
    for (int64_t c = 0; c < t->cycles; c++) all += issues[c];
    if (viz_track_used(index, t, track) != (all > 0))
        ck_assert_int_eq(track, VIZ_TRACK_CONTROL); /* nothing but a last Sync */
    for (int32_t k = 0; k < 6; k++) {
        const bool exact = k < 2;
        const double step = k % 2 ? 1 : 1 + pick(0, 5000) / 1000.0;
        VizSlots slots = {0, step, 0, t->cycles, exact};
        slots.count = (int32_t)((double)t->cycles / step) + 1;
        ck_assert_int_le(slots.count, SLOTS);
        clear(sum, slots.count);
        viz_track_add(k < 4 ? index : NULL, t, track, &slots, sum, cycles);
        some = 0;
        for (int32_t i = 0; i < slots.count; i++) {
            float one = 0;
            for (int64_t c = viz_slot_start(&slots, i); c < viz_slot_start(&slots, i + 1); c++) {
                ck_assert_int_eq(viz_slot_of(&slots, c), i);
                one += (float)issues[c];
            }
            if (exact) ck_assert_float_eq(sum[i].issues, one);
            ck_assert((sum[i].burst < 0) == (sum[i].issues <= 0));
            some += (double)sum[i].issues;
        }
        /* spread over its cycles a burst that outlasts the run is cut */
        ck_assert_double_eq_tol(some, all, 1e-3 * all + 1e-3);
    }
    free(issues);
}

START_TEST(slots_add_up_to_what_issues) {
    static Random drawn;
    const char *scale = getenv("TSP_TEST_SCALE");
    const int32_t programs = scale && !strcmp(scale, "small") ? 3 : 12;
    TspError err = {0};
    random_start();
    for (int32_t checked = 0; checked < programs; checked++) {
        TspProgram p;
        VizTimeline t;
        VizGanttIndex *index;
        random_program(&drawn, "tiny", pick(1, 14), true);
        ck_assert(random_build(&drawn, &p));
        if (viz_timeline_run(&t, &p, drawn.modelled, &err)) {
            index = viz_gantt_index_new(&t);
            ck_assert_ptr_nonnull(index);
            for (int32_t track = 0; track < viz_track_count(&p.machine); track++)
                check_track(&t, index, track);
            viz_gantt_index_free(index);
            viz_timeline_free(&t);
        }
        random_release(&p);
        random_free(&drawn);
    }
}
END_TEST

/* The op with more than half of a slot is the one that it is shown for. */
START_TEST(the_majority_is_found) {
    TspProgram p;
    VizBurst bursts[9];
    VizTimeline t = {.program = &p, .cycles = 1000, .complete = true, .bursts = bursts};
    const VizSlots slots = {.step = 1000, .count = 1, .end = 1000};
    VizSlot sum = {0, 0, -1, -1};
    TspMachine m;
    float cycles;
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    tsp_program_init(&p, &m);
    for (int32_t i = 0; i < 9; i++) /* op 7 has 5 x 10 issues, each other one 10 */
        bursts[i] = (VizBurst){.start = 100 * i,
                               .last = 100 * i + 9,
                               .opcode = TSP_OP_READ,
                               .n = 9,
                               .d = 1,
                               .op = {i % 2 ? i : 7, -1}};
    bursts[7].op[0] = 1;
    t.burst_count = 9;
    for (int32_t q = 1; q <= TSP_MAX_QUEUES; q++) t.first[q] = 9;
    viz_track_add(NULL, &t, VIZ_TRACK_READS, &slots, &sum, &cycles);
    ck_assert_float_eq(sum.issues, 90);
    ck_assert_float_eq(cycles, 1000);
    ck_assert_int_eq(sum.op, 7);
    tsp_program_free(&p);
}
END_TEST

/* -- a large program -- */

enum { MANY = 200000 };

/* Bursts of one to three issues in every queue of `tiny`, one after the other; the run by hand. */
static void open_many(void) {
    VizTimeline *t = &panel.run.timeline;
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    tsp_program_init(&panel.program, &m);
    panel.program.predicted_cycles = -1;
    panel.run = (VizRun){.program = &panel.program, .m = &panel.program.machine};
    t->program = &panel.program;
    t->complete = true;
    t->bursts = calloc(MANY, sizeof *t->bursts);
    panel.run.burst_tensor = malloc(MANY * sizeof *panel.run.burst_tensor);
    for (int32_t queue = 0; queue < TSP_MAX_QUEUES; queue++) {
        const int32_t queues = tsp_queue_count(&m);
        static const TspOpcode opcodes[] = {[TSP_UNIT_MEM] = TSP_OP_READ,
                                            [TSP_UNIT_VXM] = TSP_OP_ADD,
                                            [TSP_UNIT_MXM] = TSP_OP_ABC,
                                            [TSP_UNIT_SXM] = TSP_OP_SHIFT};
        const TspInsnDebug none = {.run = {-1, -1}};
        const TspInsn repeat = {.op = TSP_OP_REPEAT, .n = 1, .d = 1};
        int64_t cycle = 0;
        if (queue < queues) { /* words that all bursts of it are taken to be */
            const TspInsn insn = {.op = opcodes[tsp_queue_info(&m, queue).unit]};
            ck_assert(sketch_push(&panel.program.queues[queue], &insn, &none));
            ck_assert(sketch_push(&panel.program.queues[queue], &repeat, &none));
        }
        for (int32_t i = 0; queue < queues && i < MANY / queues; i++) {
            VizBurst *b = &t->bursts[t->burst_count];
            *b = (VizBurst){.start = cycle + pick(0, 3),
                            .queue = queue,
                            .opcode = opcodes[tsp_queue_info(&m, queue).unit],
                            .n = pick(0, 2),
                            .d = 1,
                            .op = {-1, -1}};
            b->last = b->start + b->n;
            cycle = b->last + 1;
            panel.run.burst_tensor[t->burst_count++] = -1;
            t->issues += b->n + 1;
        }
        if (cycle > t->cycles) t->cycles = cycle;
        t->first[queue + 1] = t->burst_count;
    }
    panel.run.gantt = viz_gantt_index_new(t);
    panel_canvas(&panel);
}

START_TEST(work_is_bound_by_pixels) {
    open_many();
    ck_assert_int_gt(panel.run.timeline.burst_count, MANY * 9 / 10);
    for (double span = (double)panel.run.timeline.cycles; span > 4; span /= 3) {
        panel.view.from = ((double)panel.run.timeline.cycles - span) / 2;
        panel.view.to = panel.view.from + span;
        draw(WIDTH, 900);
        /* a row is 11 pixels high at least; a column has a bar and a region in it */
        ck_assert_uint_lt(panel_commands(&panel), 900 / 11 * 3 * AXIS);
        panel_check(&panel, "many");
    }
    panel_close(&panel);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("gantt");
    TCase *tcase = tcase_create("gantt");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, every_issue_has_its_cell);
    tcase_add_test(tcase, a_selected_queue_has_a_row);
    tcase_add_test(tcase, the_axis_knows_its_cycles);
    tcase_add_test(tcase, differences_are_marked);
    tcase_add_test(tcase, marks_and_hover_have_deltas);
    tcase_add_test(tcase, texts_keep_to_their_places);
    tcase_add_test(tcase, slots_add_up_to_what_issues);
    tcase_add_test(tcase, the_majority_is_found);
    tcase_add_test(tcase, work_is_bound_by_pixels);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
