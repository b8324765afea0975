/* test_queues.c - the panel of queues: what each does in every cycle, a cell and a list to see it.
 */
#include "viz/queues_parts.h"

#include "panel.h"
#include "suite.h"

static Panel panel;

static void open_program(const char *path, const char *machine) {
    panel_program(&panel.program, path, machine);
    panel_open(&panel, NULL);
}

static void draw(float width, float height) {
    panel_draw(&panel, viz_queues_draw, width, height);
}

/* barrier.s: each queue's states, the last cycle of each, and the cycles until it goes on, from
 * that of the last one on (-1: not told). */
static const struct {
    const char *queue;
    QueueState state;
    int64_t last, goes_on;
} barrier[] = {
    {"mem.w0", QUEUE_ISSUING, 3, -1},  {"mem.w0", QUEUE_WAITING, 19, 20},
    {"mem.w0", QUEUE_ISSUING, 20, -1}, {"mem.w0", QUEUE_DONE, 70, -1},
    {"mem.w1", QUEUE_ISSUING, 0, -1},  {"mem.w1", QUEUE_PARKED, 54, 55},
    {"mem.w1", QUEUE_WAITING, 57, 58}, {"mem.w1", QUEUE_ISSUING, 61, -1},
    {"mem.w1", QUEUE_DONE, 70, -1},    {"mem.e0", QUEUE_WAITING, 2, 3},
    {"mem.e0", QUEUE_ISSUING, 7, -1},  {"mem.e0", QUEUE_PARKED, 54, 55},
    {"mem.e0", QUEUE_ISSUING, 58, -1}, {"mem.e0", QUEUE_DONE, 70, -1},
    {"mem.e1", QUEUE_UNUSED, 70, -1},
};

START_TEST(states_follow_from_the_timeline) {
    int64_t cycle = 0;
    open_program("programs/barrier.s", "tsp1");
    for (size_t i = 0; i < sizeof barrier / sizeof barrier[0]; i++) {
        const int32_t queue = tsp_queue_find(panel.run.m, barrier[i].queue);
        if (i && strcmp(barrier[i].queue, barrier[i - 1].queue)) cycle = 0;
        for (; cycle <= barrier[i].last; cycle++) {
            const QueueStatus status = queue_status(&panel.run, queue, cycle);
            ck_assert_msg(status.state == barrier[i].state, "%s in %d: %s", barrier[i].queue,
                          (int)cycle, queue_state_name(status.state));
            if (barrier[i].goes_on < 0)
                ck_assert_int_eq(status.left, -1);
            else
                ck_assert_int_eq(status.left, barrier[i].goes_on - cycle);
            ck_assert_int_le(status.left, status.whole > 0 ? status.whole : status.left);
        }
    }
    panel_close(&panel);
}
END_TEST

/* Between repetitions; and of the last effect of a whole program nothing is left to do. */
START_TEST(repetitions_and_the_end) {
    const VizTimeline *t;
    int32_t repeating = 0;
    open_program("programs/mlp.json", "tsp1");
    t = &panel.run.timeline;
    for (int32_t i = 0; i < t->burst_count; i++) {
        const VizBurst *b = &t->bursts[i];
        QueueStatus status;
        ck_assert_int_eq(queue_status(&panel.run, b->queue, b->start).state, QUEUE_ISSUING);
        if (b->n == 0 || b->d == 1) continue;
        status = queue_status(&panel.run, b->queue, b->start + 1);
        ck_assert_int_eq(status.state, QUEUE_REPEATING);
        ck_assert_ptr_eq(status.issue.burst, b);
        ck_assert_int_eq(status.left, b->d - 1);
        repeating++;
    }
    ck_assert_int_gt(repeating, 10);
    for (int32_t queue = 0; queue < 144; queue++)
        ck_assert_int_ge(queue_status(&panel.run, queue, t->cycles).state, QUEUE_DONE);
    panel_close(&panel);
}
END_TEST

/* Every queue has a cell of its own, and those west of another unit are to the left of it. */
START_TEST(a_cell_for_every_queue) {
    static const char *const order[] = {
        "mxm.w.0.weights", "sxm.w.transpose.0", "mem.w43",        "mem.w0",         "vxm.0",
        "mem.e0",          "mem.e43",           "sxm.e.rotate.0", "mxm.e.1.results"};
    float left[TSP_MAX_QUEUES];
    int32_t cells[TSP_MAX_QUEUES] = {0};
    open_program("programs/barrier.s", "tsp1");
    draw(900, 200);
    for (size_t i = 0; i < panel_commands(&panel); i++) {
        const VizCommand *c = viz_command_at(panel.canvas, i);
        VizThing thing;
        if (c->op != VIZ_OP_REGION) continue;
        ck_assert_int_eq(c->count, VIZ_QUEUE);
        cells[c->first]++;
        left[c->first] = c->box.x;
        thing = panel_pick(&panel, c->box.x + c->box.w / 2, c->box.y + c->box.h / 2);
        ck_assert_int_eq(thing.id, c->first); /* under no other one */
    }
    for (int32_t queue = 0; queue < tsp_queue_count(panel.run.m); queue++)
        ck_assert_int_eq(cells[queue], queue < 144); /* links that do nothing are not shown */
    for (size_t i = 1; i < sizeof order / sizeof order[0]; i++)
        ck_assert_float_lt(left[tsp_queue_find(panel.run.m, order[i - 1])],
                           left[tsp_queue_find(panel.run.m, order[i])]);
    panel_close(&panel);
}
END_TEST

START_TEST(the_legend_counts) {
    open_program("programs/barrier.s", "tsp1");
    panel.view.cycle = 30;
    draw(900, 200);
    ck_assert_ptr_nonnull(panel_text(&panel, "issuing 0"));
    ck_assert_ptr_nonnull(panel_text(&panel, "parked 2"));
    ck_assert_ptr_nonnull(panel_text(&panel, "exhausted 1"));
    ck_assert_ptr_nonnull(panel_text(&panel, "unused 141"));
    panel_close(&panel);
}
END_TEST

static VizThing line_with(const char *text) {
    const VizCommand *c = panel_text(&panel, text);
    ck_assert_msg(c != NULL, "no line %s", text);
    return panel_pick(&panel, c->box.x, c->box.y - 2);
}

START_TEST(the_list_shows_what_was_and_what_comes) {
    VizThing thing;
    open_program("programs/barrier.s", "tsp1");
    panel.view.selected = (VizThing){VIZ_QUEUE, tsp_queue_find(panel.run.m, "mem.w1")};
    panel.view.cycle = 30;
    draw(1200, 300);
    ck_assert_ptr_nonnull(panel_text(&panel, "mem.w1"));
    ck_assert_ptr_nonnull(panel_text(&panel, "parked, 25 left"));
    ck_assert_int_eq(line_with("sync").kind, VIZ_BURST);
    ck_assert_float_lt(panel_text(&panel, "sync")->box.y, panel_text(&panel, "30")->box.y);
    thing = line_with("write 0x0002, s1.w"); /* its address stepped by Repeat */
    ck_assert_int_eq(thing.kind, VIZ_BURST);
    ck_assert_int_eq(panel.run.timeline.bursts[thing.id].start, 58);
    ck_assert_ptr_nonnull(panel_text(&panel, "3/4"));
    ck_assert_float_gt(panel_text(&panel, "60")->box.y, panel_text(&panel, "30")->box.y);
    panel.view.selected = thing; /* the instruction: its queue's list */
    panel.view.cycle = 60;
    draw(1200, 300);
    ck_assert_ptr_nonnull(panel_text(&panel, "issuing"));
    ck_assert_ptr_null(panel_text(&panel, "30"));
    draw(400, 300); /* no room */
    ck_assert_ptr_null(panel_text(&panel, "mem.w1"));
    panel_close(&panel);
}
END_TEST

START_TEST(texts_keep_to_their_places) {
    static const char *const paths[] = {"programs/mlp.json", "programs/barrier.s",
                                        "programs/weights.s", "programs/matmul-small.json"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char label[96];
        open_program(paths[i], i == 3 ? "tiny" : "tsp1");
        for (int32_t k = 0; k < 4; k++) {
            panel.view.cycle = panel.run.timeline.cycles * k / 3;
            panel.view.selected = k ? (VizThing){VIZ_BURST, k} : (VizThing){VIZ_NOTHING, 0};
            snprintf(label, sizeof label, "%s, %d", paths[i], k);
            panel_check_sizes(&panel, viz_queues_draw, label);
        }
        panel_close(&panel);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("queues");
    TCase *tcase = tcase_create("queues");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, states_follow_from_the_timeline);
    tcase_add_test(tcase, repetitions_and_the_end);
    tcase_add_test(tcase, a_cell_for_every_queue);
    tcase_add_test(tcase, the_legend_counts);
    tcase_add_test(tcase, the_list_shows_what_was_and_what_comes);
    tcase_add_test(tcase, texts_keep_to_their_places);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
