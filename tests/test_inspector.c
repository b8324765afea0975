/* test_inspector.c - the inspector's words for every kind of thing, and where its lines lead.
 */
#include "isa/half.h"
#include "panel.h"
#include "viz/flow.h"
#include "viz/words.h"

static Panel panel;
static Panel *const s = &panel;
static const VizRect area = {0, 0, 420, 500};

/* X counts up from -8, a row further 16 more; Y is 2 everywhere. */
static void fill_counted(const TspTensor *t, uint8_t *data) {
    for (int64_t i = 0; i < tsp_tensor_bytes(t); i++)
        data[i] = (uint8_t)(t->name[0] == 'X' ? i % 320 + 16 * (i / 320) - 8 : 2);
}

static void open_vecadd(void) {
    panel_program(&s->program, "programs/vecadd.s", "tsp1");
    panel_open(s, fill_counted);
}
static void open_mlp(void) {
    panel_compile(&s->program, "programs/mlp.json", "tsp1");
    panel_open(s, fill_random);
}
static void close_panel(void) {
    panel_close(s);
}

static const char *inspect(VizKind kind, int64_t id, int64_t cycle) {
    s->view.selected = (VizThing){kind, id};
    panel_look(s, cycle);
    panel_draw_in(s, viz_inspector_draw, area);
    return panel_texts(s);
}

static int32_t queue_of(const char *name) {
    return tsp_queue_find(&s->program.machine, name);
}

static int32_t burst_of(const char *queue, int64_t cycle) {
    VizIssue issue;
    ck_assert(viz_issue_at(&s->run.timeline, queue_of(queue), cycle, &issue));
    return (int32_t)(issue.burst - s->run.timeline.bursts);
}

/* The line with this text selects this thing. */
static void expect_link(const char *text, VizKind kind, int64_t id) {
    for (size_t i = 0; i < s->canvas->commands.count; i++) {
        const VizCommand *c = viz_command_at(s->canvas, i);
        if (c->op != VIZ_OP_TEXT || strcmp(viz_text_characters(s->canvas, c), text)) continue;
        ck_assert_uint_eq(c->colour, viz_colour(viz_theme(s->view.theme), VIZ_ACCENT));
        expect_pick(s, c->box.x + c->box.w / 2, c->box.y - 3, kind, id);
        return;
    }
    ck_assert_msg(false, "no text \"%s\"", text);
}

/* -- the whole program -- */

START_TEST(the_program_when_nothing_is_selected) {
    ck_assert_str_eq(inspect(VIZ_NOTHING, 0, 0), "program | vecadd\n"
                                                 "predicted | 21 | cycles\n"
                                                 "simulated | 21 | cycles\n"
                                                 "difference | 0 | cycles\n"
                                                 "time | 0.023 | \xc2\xb5s\n"
                                                 "instructions | 32\n"
                                                 "ops | 1\n"
                                                 "tensors | 3\n"
                                                 "machine | tsp1 at 900 MHz\n"
                                                 "source | programs/vecadd.s");
    /* 16 reads and 8 writes of 2 x 88 slices x 21 cycles; 8 of 16 x 21 ALU slots */
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_NOTHING, 0, 21), "busy so far\n"
                                                              "MXM | 0.0 | %\n"
                                                              "VXM | 2.4 | %\n"
                                                              "SXM | 0.0 | %\n"
                                                              "MEM | 0.6 | %\n"));
}
END_TEST

START_TEST(what_the_mouse_is_over_when_nothing_is_selected) {
    s->view.hovered = (VizThing){VIZ_TENSOR, 2};
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_NOTHING, 0, 0), "output | Z\n"));
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_TENSOR, 0, 0), "input | X\n"));
    s->view.hovered = (VizThing){VIZ_PANEL_AREA, 2}; /* says nothing of its own */
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_NOTHING, 0, 0), "program | vecadd\n"));
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_BURST, 1000, 0), "program | vecadd\n"));
}
END_TEST

START_TEST(a_program_that_breaks_a_rule) {
    panel_assemble(&s->program, ".machine tiny\n.name bad\n@mem.w0\n nop 3\n write 7, s0.e\n",
                   "bad.s", "tiny");
    panel_open(s, fill_random);
    ck_assert(s->run.failed);
    ck_assert_ptr_nonnull(
        strstr(inspect(VIZ_NOTHING, 0, 0), "program | bad\ncycle 3, chip 0, mem.w0"));
    ck_assert_ptr_nonnull(strstr(panel_texts(s), "\nstopped after | 3 | cycles\n"));
}
END_TEST

/* -- units and instructions -- */

START_TEST(a_queue_before_during_and_after_its_work) {
    const int32_t queue = queue_of("mem.e4"), burst = burst_of("mem.e4", 11);
    ck_assert_str_eq(inspect(VIZ_QUEUE, queue, 5), "queue | mem.e4\n"
                                                   "now | idle\n"
                                                   "next issue | in 6 cycles\n"
                                                   "next | write 0x0000, s1.e\n"
                                                   "NOPs left | 6 of 11\n"
                                                   "unit | MEM slice 4, east\n"
                                                   "column | 15 of 27\n"
                                                   "issued | 0 of 8\n"
                                                   "words | 3");
    expect_link("write 0x0000, s1.e", VIZ_BURST, burst);
    ck_assert_str_eq(inspect(VIZ_QUEUE, queue, 13), "queue | mem.e4\n"
                                                    "now | write 0x0002, s1.e\n"
                                                    "next issue | in 1 cycle\n"
                                                    "next | write 0x0003, s1.e\n"
                                                    "last | write 0x0001, s1.e\n"
                                                    "last issue | 1 cycle ago\n"
                                                    "unit | MEM slice 4, east\n"
                                                    "column | 15 of 27\n"
                                                    "issued | 3 of 8\n"
                                                    "words | 3");
    ck_assert_str_eq(inspect(VIZ_QUEUE, queue, 20), "queue | mem.e4\n"
                                                    "now | done\n"
                                                    "last | write 0x0007, s1.e\n"
                                                    "last issue | 2 cycles ago\n"
                                                    "unit | MEM slice 4, east\n"
                                                    "column | 15 of 27\n"
                                                    "issued | 8 of 8\n"
                                                    "words | 3");
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_QUEUE, queue_of("mxm.e.0.weights"), 5),
                                 "now | never issues\nunit | MXM plane 0, east: weights\n"));
    ck_assert_ptr_nonnull(
        strstr(inspect(VIZ_QUEUE, queue_of("sxm.w.shift.1"), 5), "unit | SXM shifter 1, west\n"));
}
END_TEST

START_TEST(an_instruction_says_all_it_does) {
    ck_assert_str_eq(inspect(VIZ_BURST, burst_of("vxm.0", 4), 4),
                     "instruction | add.sat i8, s1.e, s0.e, s0.w\n"
                     "unit | vxm.0\n"
                     "issues | cycle 4, now\n"
                     "effect | cycle 11, in 7 cycles\n"
                     "repetition | 3 of 8, cycles 2 to 9\n"
                     "from | mem.w0: read 0x0002, s0.e\n"
                     "mem.e0: read 0x0002, s0.w\n"
                     "to | mem.e4: write 0x0002, s1.e\n"
                     "means | a + b; integers saturate\n"
                     "type | i8, type of operands and result\n"
                     "dst | s1.e, stream group driven, or none\n"
                     "src_a | s0.e, first operand\n"
                     "src_b | s0.w, second operand\n"
                     "repeat | 7 more, a cycle apart, address +0\n"
                     "op | Z\n"
                     "tensor | Z\n"
                     "predicted | cycles 0 to 21\n"
                     "simulated | cycles 0 to 21\n"
                     "difference | none\n"
                     "source | line 26 of programs/vecadd.s");
    expect_link("vxm.0", VIZ_QUEUE, queue_of("vxm.0"));
    expect_link("mem.w0: read 0x0002, s0.e", VIZ_BURST, burst_of("mem.w0", 0));
    expect_link("mem.e4: write 0x0002, s1.e", VIZ_BURST, burst_of("mem.e4", 11));
}
END_TEST

START_TEST(a_read_and_a_write_name_their_rows) {
    const char *texts = inspect(VIZ_BURST, burst_of("mem.w0", 3), 0);
    ck_assert_ptr_nonnull(strstr(texts, "instruction | read 0x0000, s0.e\n"));
    ck_assert_ptr_nonnull(strstr(texts, "reads | X\nmem.w0 0x0000\nrow 0 of 8\n"));
    ck_assert_ptr_nonnull(strstr(texts, "repeat | 7 more, a cycle apart, address +1\n"));
    texts = inspect(VIZ_BURST, burst_of("mem.e4", 11), 100); /* past its end: the last */
    ck_assert_ptr_nonnull(strstr(texts, "instruction | write 0x0007, s1.e\n"));
    ck_assert_ptr_nonnull(strstr(texts, "writes | Z\nmem.e4 0x0007\nrow 7 of 8\n"));
    expect_link("mem.e4 0x0007", VIZ_ROW, 48 * 8192 + 7);
    expect_link("Z", VIZ_TENSOR, 2);
}
END_TEST

/* Every drive that the run sees has the producer that the search finds; consumers find it back. */
START_TEST(producers_are_those_that_the_run_sees) {
    int32_t seen = 0, taken = 0;
    for (int64_t cycle = 0; cycle < s->run.timeline.cycles; cycle += 97) {
        panel_look(s, cycle);
        for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
            for (int32_t column = 0; column < tsp_columns(s->run.m); column++) {
                const VizDrive *d = viz_run_drive(&s->run, stream, column, 0);
                VizIssue from, to[4];
                ck_assert(viz_flow_producer(&s->run, stream, column, cycle, &from) == (d != NULL));
                if (!d) continue;
                seen++;
                ck_assert_int_eq(from.burst - s->run.timeline.bursts, d->burst);
                ck_assert_int_eq(from.cycle, d->issue);
                ck_assert((viz_flow_consumers(&s->run, stream, d->column, d->cycle, to, 4) > 0) ==
                          (d->last_used >= 0));
                taken += d->last_used >= 0;
            }
    }
    ck_assert_int_gt(seen, 1000);
    ck_assert_int_gt(taken, 1000);
}
END_TEST

/* -- ops and tensors -- */

START_TEST(an_op_and_what_it_reads_and_writes) {
    const TspOpInfo *op = &s->program.ops[3];
    const long long start = op->start, end = op->end, cycle = start + 282;
    char text[400];
    snprintf(text, sizeof text,
             "op | layer2.gemm\n"
             "type | Gemm\n"
             "state | running, 282 of %lld cycles\n"
             "predicted | cycles %lld to %lld\n"
             "simulated | cycles %lld to %lld\n"
             "difference | none\n"
             "bound | 154 cycles\n"
             "reads | hidden1\n"
             "w2.transposed\n"
             "b2\n"
             "source | line 18 of programs/mlp.json",
             end - start, start, end, start, end);
    ck_assert_str_eq(inspect(VIZ_OP, 3, cycle), text);
    expect_link("hidden1", VIZ_TENSOR, 3);
    snprintf(text, sizeof text, "state | waiting, starts in %lld cycles\n", start);
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_OP, 3, 0), text));
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_OP, 3, end + 1), "state | done, 1 cycle ago\n"));
}
END_TEST

START_TEST(a_tensor_and_where_it_lies) {
    const TspTensor *t = &s->program.tensors[3];
    char text[600], row[60], slice[32];
    int at = snprintf(text, sizeof text,
                      "internal | hidden1\n"
                      "type | float16, 64 \xc3\x97 512\n"
                      "size | 64 KiB\n"
                      "written by | layer1.relu\n"
                      "read by | layer2.gemm\n"
                      "in memory | 512 rows in 8 pieces\n"
                      "where | ");
    for (int32_t i = 0; i < 8; i++) {
        const TspPiece *p = &t->pieces[i];
        tsp_queue_name(&s->program.machine, p->slice, slice);
        snprintf(row, sizeof row, "%s 0x%04x to 0x%04x", slice, (unsigned)p->addr,
                 (unsigned)p->addr + 63);
        at += snprintf(text + at, sizeof text - (size_t)at, i ? "\n%s" : "%s", row);
    }
    ck_assert_str_eq(inspect(VIZ_TENSOR, 3, 0), text);
    expect_link("layer1.relu", VIZ_OP, 2);
    expect_link(row, VIZ_ROW, t->pieces[7].slice * 8192 + t->pieces[7].addr);
}
END_TEST

/* -- values -- */

START_TEST(a_register_and_its_value) {
    /* the first sum, X row 0 + 2, was driven in 9 at the VXM, column 13 */
    ck_assert_str_eq(
        inspect(VIZ_REGISTER, viz_register(1, 14), 10),
        "stream register | s1.e at column 14\n"
        "tensor | Z\n"
        "from | vxm.0: add.sat i8, s1.e, s0.e, s0.w\n"
        "driven | 1 cycle ago, at column 13\n"
        "next use | in 1 cycle\n"
        "to | mem.e4: write 0x0000, s1.e\n"
        "op | Z\n"
        "value | lanes 0 to 15: superlane 0\n"
        "hex | fa | fb | fc | fd | fe | ff | 00 | 01 | 02 | 03 | 04 | 05 | 06 | 07 | 08 "
        "| 09\n"
        "int8 | -6 | -5 | -4 | -3 | -2 | -1 | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9");
    ck_assert_str_eq(inspect(VIZ_REGISTER, viz_register(1, 20), 10),
                     "stream register | s1.e at column 20\nholds | nothing");
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_REGISTER, viz_register(1, 16), 12),
                                 "next use | none: nobody takes it from here\n"));
}
END_TEST

START_TEST(a_row_and_its_value) {
    ck_assert_str_eq(
        inspect(VIZ_ROW, 1, 0),
        "memory row | mem.w0 0x0001\n"
        "tensor | X\n"
        "holds | row 1 of 8\n"
        "slice | mem.w0\n"
        "bank | 0, row 1 of 4096\n"
        "written | all 20 superlanes\n"
        "value | lanes 0 to 15: superlane 0\n"
        "hex | 08 | 09 | 0a | 0b | 0c | 0d | 0e | 0f | 10 | 11 | 12 | 13 | 14 | 15 | 16 "
        "| 17\n"
        "int8 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18 | 19 | 20 | 21 | 22 "
        "| 23");
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_ROW, 48 * 8192, 13), "value | nothing written yet"));
    ck_assert_ptr_nonnull(strstr(inspect(VIZ_ROW, 48 * 8192, 14), "hex | fa | fb"));
    ck_assert_str_eq(inspect(VIZ_ROW, 4096 + 9, 0), "memory row | mem.w0 0x1009\n"
                                                    "tensor | none\n"
                                                    "slice | mem.w0\n"
                                                    "bank | 1, row 9 of 4096\n"
                                                    "value | nothing written yet");
}
END_TEST

/* The two byte planes of a half lie in different slices; the numbers are those of the input. */
START_TEST(a_row_of_halves_finds_its_other_byte) {
    const TspTensor *t = &s->program.tensors[0];
    uint8_t *data = malloc((size_t)tsp_tensor_bytes(t));
    char want[64];
    const char *texts = inspect(VIZ_ROW, (int64_t)t->pieces[1].slice * 8192 + 5, 0), *at;
    fill_random(t, data);
    ck_assert_ptr_nonnull(strstr(texts, "holds | row 5 of 64, columns 0 to 319, byte 1 of 2\n"));
    snprintf(want, sizeof want, "hex | %02x | ", data[2 * 5 * 784 + 1]);
    ck_assert_ptr_nonnull(strstr(texts, want));
    at = strstr(texts, "float16 | ");
    ck_assert_ptr_nonnull(at);
    for (int32_t i = 0; i < 4; i++) {
        const uint8_t *half = data + 2 * (5 * 784 + i);
        snprintf(want, sizeof want, "%.4g",
                 (double)tsp_half_to_float((uint16_t)(half[0] | half[1] << 8)));
        at = strstr(at, want);
        ck_assert_msg(at != NULL, "%s is not in its place in\n%s", want, texts);
    }
    free(data);
}
END_TEST

/* -- words -- */

START_TEST(numbers_are_grouped_and_sizes_have_units) {
    char text[VIZ_WORDS];
    ck_assert_str_eq(viz_count_text(text, 0), "0");
    ck_assert_str_eq(viz_count_text(text, 999), "999");
    ck_assert_str_eq(viz_count_text(text, 1000), "1,000");
    ck_assert_str_eq(viz_count_text(text, 1234567), "1,234,567");
    ck_assert_str_eq(viz_count_text(text, -123456), "-123,456");
    ck_assert_str_eq(viz_count_text(text, -1234), "-1,234");
    ck_assert_str_eq(viz_bytes_text(text, 784), "784 B");
    ck_assert_str_eq(viz_bytes_text(text, 2048), "2 KiB");
    ck_assert_str_eq(viz_bytes_text(text, 1280), "1.2 KiB");
    ck_assert_str_eq(viz_bytes_text(text, 409600), "400 KiB");
    ck_assert_str_eq(viz_bytes_text(text, 1638400), "1.6 MiB");
    ck_assert_str_eq(viz_stream_text(text, TSP_STREAM(TSP_WESTWARD, 4), 1), "s4.w");
    ck_assert_str_eq(viz_stream_text(text, TSP_STREAM(TSP_EASTWARD, 16), 16), "s16-31.e");
}
END_TEST

/* -- boxes -- */

START_TEST(small_boxes_keep_the_first_lines_and_count_the_rest) {
    s->view.selected = (VizThing){VIZ_BURST, burst_of("vxm.0", 4)};
    panel_look(s, 4);
    panel_draw_in(s, viz_inspector_draw, (VizRect){0, 0, 260, 112});
    ck_assert_str_eq(panel_texts(s), "add.sat i8, s1.e, s0.e, s0.w\n"
                                     "unit | vxm.0\n"
                                     "issues | cycle 4, now\n"
                                     "effect | cycle 11, in 7 cycles\n"
                                     "repetition | 3 of 8, cycles 2 to 9\n"
                                     "+15 more");
}
END_TEST

START_TEST(tidy_at_all_sizes) {
    const VizThing things[] = {{VIZ_NOTHING, 0},
                               {VIZ_QUEUE, 3},
                               {VIZ_BURST, s->run.timeline.burst_count / 2},
                               {VIZ_OP, 0},
                               {VIZ_TENSOR, 0},
                               {VIZ_TENSOR, s->program.tensor_count - 1},
                               {VIZ_REGISTER, viz_register(1, 14)},
                               {VIZ_ROW, 5}};
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        s->view.selected = things[i];
        s->view.theme = (int32_t)i % VIZ_THEMES;
        panel_look(s, i % 2 ? s->run.timeline.cycles / 2 : 10);
        panel_check_sizes(s, viz_inspector_draw, s->program.name);
    }
}
END_TEST

/* Every instruction of a program of all kinds, and every unit: no words too many for their lines.
 */
START_TEST(every_burst_and_queue_of_a_run) {
    panel_look(s, s->run.timeline.cycles / 2);
    for (int32_t i = 0; i < s->run.timeline.burst_count; i += 7) {
        s->view.selected = (VizThing){VIZ_BURST, i};
        panel_draw_in(s, viz_inspector_draw, area);
        panel_check(s, "burst");
    }
    for (int32_t i = 0; i < tsp_queue_count(s->run.m); i++) {
        s->view.selected = (VizThing){VIZ_QUEUE, i};
        panel_draw_in(s, viz_inspector_draw, area);
        panel_check(s, "queue");
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("inspector");
    TCase *vecadd = tcase_create("vecadd"), *mlp = tcase_create("mlp"),
          *others = tcase_create("others"), *plain = tcase_create("plain");
    tcase_add_checked_fixture(vecadd, open_vecadd, close_panel);
    tcase_add_checked_fixture(mlp, open_mlp, close_panel);
    tcase_add_checked_fixture(others, NULL, close_panel);
    tcase_add_test(vecadd, the_program_when_nothing_is_selected);
    tcase_add_test(vecadd, what_the_mouse_is_over_when_nothing_is_selected);
    tcase_add_test(vecadd, a_queue_before_during_and_after_its_work);
    tcase_add_test(vecadd, an_instruction_says_all_it_does);
    tcase_add_test(vecadd, a_read_and_a_write_name_their_rows);
    tcase_add_test(vecadd, a_register_and_its_value);
    tcase_add_test(vecadd, a_row_and_its_value);
    tcase_add_test(vecadd, small_boxes_keep_the_first_lines_and_count_the_rest);
    tcase_add_test(vecadd, tidy_at_all_sizes);
    tcase_add_test(mlp, an_op_and_what_it_reads_and_writes);
    tcase_add_test(mlp, a_tensor_and_where_it_lies);
    tcase_add_test(mlp, a_row_of_halves_finds_its_other_byte);
    tcase_add_test(mlp, producers_are_those_that_the_run_sees);
    tcase_add_test(mlp, every_burst_and_queue_of_a_run);
    tcase_add_test(mlp, tidy_at_all_sizes);
    tcase_add_test(others, a_program_that_breaks_a_rule);
    tcase_add_test(plain, numbers_are_grouped_and_sizes_have_units);
    tcase_set_timeout(mlp, 60);
    suite_add_tcase(suite, vecadd);
    suite_add_tcase(suite, mlp);
    suite_add_tcase(suite, others);
    suite_add_tcase(suite, plain);
    return run_suite(suite);
}
