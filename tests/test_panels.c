/* test_panels.c - memory and graph: what stands where, what a point hits, and that nothing covers
 * anything at any size.
 */
#include "panel.h"
#include "viz/graph_layout.h"

static Panel panel;
static Panel *const s = &panel;

static void open_vecadd(void) {
    panel_program(&s->program, "programs/vecadd.s", "tsp1");
    panel_open(s, fill_random);
}
static void open_mlp(void) {
    panel_compile(&s->program, "programs/mlp.json", "tsp1");
    panel_open(s, fill_random);
}
static void close_panel(void) {
    panel_close(s);
}

static bool has_line(const char *text, const char *line) {
    const char *at = strstr(text, line);
    return at && (at == text || at[-1] == '\n');
}

static void expect_drawn(const char *line) {
    char *dump = viz_canvas_dump(s->canvas);
    if (!has_line(dump, line)) fprintf(stderr, "%s", dump); /* too long for Check */
    ck_assert_msg(has_line(dump, line), "the list on stderr lacks %s", line);
    free(dump);
}

/* -- memory -- */

/* By hand, for 640 x 300 on tsp1: inside the margins 8, 18, 624 x 278; the legend takes 0.36 of the
 * width, 225, and 14 before it; the row numbers 44: 341 from x = 52 on. Without the 42 of the gap
 * 88 columns of 3, and of what is left 1 between each of 11 + 11 groups. The first row lies below
 * 13 of names, 6 of heads and 1: y = 38. Two banks of 127 with 4 between, of 16 rows each. */
enum { LEFT = 52, TOP = 38, BANK = 127 };
static const VizRect by_hand = {0, 0, 640, 300};

START_TEST(runs_of_rows_stand_where_arithmetic_puts_them) {
    panel_look(s, 21);
    panel_draw_in(s, viz_memory_draw, by_hand);
    /* w0: 43 columns and 10 gaps from the left; 8 rows of 16: 63.5 */
    expect_drawn("rect 191.0 38.0 3.0 64.0 #e69f00ff\n");
    expect_drawn("region 191.0 38.0 3.0 64.0 4 0\n");
    /* e0: another column and the gap in the middle */
    expect_drawn("rect 236.0 38.0 3.0 64.0 #56b4e9ff\n");
    /* e4: four columns and a group on */
    expect_drawn("rect 249.0 38.0 3.0 64.0 #009e73ff\n");
    expect_pick(s, 192, 50, VIZ_TENSOR, 0);
    expect_pick(s, 250, 101, VIZ_TENSOR, 2);
    expect_pick(s, 250, 104, VIZ_NOTHING, 0);
    expect_pick(s, 192, 34, VIZ_QUEUE, 0);
    expect_pick(s, 250, 25, VIZ_QUEUE, 48);
    expect_pick(s, LEFT + 1, 34, VIZ_QUEUE, 43); /* the westernmost slice */
    ck_assert_ptr_nonnull(strstr(panel_texts(s), "24 of 720,896 rows | input 16 | output 8"));
    ck_assert_ptr_nonnull(strstr(panel_texts(s), "2.5 KiB | 8 \xc3\x97 320 | int8 | X"));
}
END_TEST

START_TEST(reads_and_writes_are_marked_at_their_rows) {
    const float row = (float)BANK / 16;
    panel_look(s, 12); /* mem.e4 writes row 1; row 0 was issued in 11 and lands in 14 */
    panel_draw_in(s, viz_memory_draw, by_hand);
    ck_assert_ptr_nonnull(strstr(panel_texts(s), "1 write | 0 reads"));
    expect_pick(s, 250.5f, TOP + 1.5f * row, VIZ_ROW, 48 * 8192 + 1);
    expect_pick(s, 250.5f, TOP + 0.1f * row, VIZ_ROW, 48 * 8192 + 0);
    /* the head of the column is lit, that of its neighbour is not */
    expect_drawn("rect 249.0 31.0 3.0 6.0 #ffd24aff\n");
    expect_drawn("rect 252.0 31.0 3.0 6.0 #2b2f38ff\n");
    panel_look(s, 3); /* X and Y are read, row 3 */
    panel_draw_in(s, viz_memory_draw, by_hand);
    ck_assert_ptr_nonnull(strstr(panel_texts(s), "0 writes | 2 reads"));
    expect_pick(s, 192.5f, TOP + 3.5f * row, VIZ_ROW, 3);
    expect_pick(s, 237.5f, TOP + 3.5f * row, VIZ_ROW, 44 * 8192 + 3);
}
END_TEST

START_TEST(other_tensors_fade_beside_the_selected_one) {
    panel_look(s, 21);
    s->view.selected = (VizThing){VIZ_TENSOR, 1};
    panel_draw_in(s, viz_memory_draw, by_hand);
    expect_drawn("rect 236.0 38.0 3.0 64.0 #56b4e9ff\n");
    expect_drawn("rect 191.0 38.0 3.0 64.0 #e69f0048\n");
    s->view.selected = (VizThing){VIZ_OP, 0}; /* reads X and Y, writes Z */
    panel_draw_in(s, viz_memory_draw, by_hand);
    expect_drawn("rect 236.0 38.0 3.0 64.0 #56b4e9ff\n");
    expect_drawn("rect 191.0 38.0 3.0 64.0 #e69f00ff\n");
    /* 1600 wide: legend 280, columns of 13, of which 1 is a gap, groups 3 apart: 52 + 44 * 13 +
     * 10 * 3 + 42; wide enough for an outline */
    s->view.selected = (VizThing){VIZ_TENSOR, 1};
    panel_draw_in(s, viz_memory_draw, (VizRect){0, 0, 1600, 300});
    expect_drawn("outline 696.0 38.0 12.0 64.0 1.0 #e6e8ebff\n");
}
END_TEST

/* The tensor that has most rows of base + from .. to - 1 in a slice; the first met of equals. */
static int32_t most_rows(int32_t slice, int32_t from, int32_t to) {
    int32_t rows[16] = {0}, best = -1;
    for (int32_t row = from; row < to; row++) {
        const int32_t tensor = viz_run_row_tensor(&s->run, slice, row);
        if (tensor >= 0) rows[tensor]++;
    }
    for (int32_t t = 0; t < 16; t++)
        if (rows[t] > 0 && (best < 0 || rows[t] > rows[best])) best = t;
    return best;
}

/* Many rows a pixel: each pixel has the tensor with most rows, and none is lost. */
START_TEST(a_pixel_of_many_rows_shows_most_of_them) {
    const VizMemoryMap *map = &s->run.plan->memory;
    const VizRect area = {0, 0, 640, 110};
    const int32_t bank = (88 - 20 - 4) / 2; /* 110 - 22 inside, 20 above the rows */
    int32_t seen = 0;
    ck_assert_int_eq(map->extent, 96); /* bank 1 is used up to row 79 */
    panel_look(s, s->run.timeline.cycles);
    panel_draw_in(s, viz_memory_draw, area);
    for (int32_t slice = 0; slice < 88; slice++) {
        const int32_t index = slice % 44, at = slice < 44 ? 43 - index : slice;
        const int32_t groups = slice < 44 ? 10 - index / 4 : 10 + index / 4;
        const float x = (float)(LEFT + 3 * at + groups + (slice < 44 ? 0 : 42)) + 1.5f;
        for (int32_t y = 0; y < 2 * bank; y++) {
            const int32_t base = y / bank * 4096, from = y % bank * 96 / bank;
            const int32_t tensor = most_rows(slice, base + from, base + (y % bank + 1) * 96 / bank);
            const float middle = (float)(TOP + y + (y / bank) * 4) + 0.5f;
            if (tensor < 0)
                expect_pick(s, x, middle, VIZ_NOTHING, 0);
            else
                expect_pick(s, x, middle, VIZ_TENSOR, tensor);
            seen += tensor >= 0;
        }
    }
    ck_assert_int_gt(seen, 1000);
}
END_TEST

START_TEST(rows_are_counted_by_role) {
    const VizMemoryMap *map = &s->run.plan->memory;
    int64_t rows = 0;
    for (int32_t t = 0; t < s->program.tensor_count; t++)
        for (int32_t k = 0; k < s->program.tensors[t].piece_count; k++)
            rows += s->program.tensors[t].pieces[k].rows;
    ck_assert_int_eq(map->rows[TSP_ROLE_INPUT], 12 * 64);
    ck_assert_int_eq(map->rows[TSP_ROLE_OUTPUT], 2 * 64);
    ck_assert_int_eq(map->rows[TSP_ROLE_INPUT] + map->rows[TSP_ROLE_CONSTANT] +
                         map->rows[TSP_ROLE_INTERNAL] + map->rows[TSP_ROLE_OUTPUT],
                     rows); /* nothing lies over anything here */
    for (int32_t i = 0; i < map->run_count; i++) {
        const VizMemoryRun *r = &map->runs[i];
        for (int32_t k = 0; k < r->rows; k++)
            ck_assert_int_eq(viz_run_row_tensor(&s->run, r->slice, r->first + k), r->tensor);
    }
}
END_TEST

/* -- graphs -- */

static const char *node_name(const VizNode *n) {
    if (n->kind == VIZ_NODE_BEND) return "+";
    return n->kind == VIZ_NODE_OP ? s->program.ops[n->id].name : s->program.tensors[n->id].name;
}

static const char *edges(void) {
    static char text[4096];
    const VizGraph *g = &s->run.plan->graph;
    size_t at = 0;
    text[0] = 0;
    for (int32_t i = 0; i < g->edge_count; i++) {
        const VizEdge *e = &g->edges[i];
        at += (size_t)snprintf(
            text + at, sizeof text - at, "%s -%s-> %s\n", node_name(&g->nodes[e->from]),
            e->tensor < 0 ? "" : s->program.tensors[e->tensor].name, node_name(&g->nodes[e->to]));
    }
    return text;
}

START_TEST(edges_of_the_perceptron) {
    const VizGraph *g = &s->run.plan->graph;
    ck_assert_str_eq(edges(), "layer1.product -hidden1-> layer1.bias\n"
                              "layer1.bias -hidden1-> layer1.relu\n"
                              "layer1.relu -hidden1-> layer2.gemm\n"
                              "layer2.gemm -hidden2-> layer2.relu\n"
                              "layer2.relu -hidden2-> layer3.gemm\n"
                              "layer3.gemm -scores-> scores\n"
                              "image -image-> layer1.product\n");
    ck_assert_int_eq(g->layer_count, 8);
    ck_assert_int_eq(g->nodes[0].chip_count, 1);
    ck_assert_int_eq(g->nodes[3].chip_count, 2);
    ck_assert_str_eq(s->program.tensors[g->chips[g->nodes[3].chip + 1]].name, "b2");
    for (int32_t i = 0; i < g->node_count; i++) ck_assert_float_eq(g->nodes[i].y, 0);
}
END_TEST

START_TEST(long_edges_bend_and_inputs_stand_by_their_readers) {
    const VizGraph *g;
    panel_compile(
        &s->program,
        "{\"name\": \"skip\", \"inputs\": ["
        "{\"name\": \"x\", \"dtype\": \"float16\", \"shape\": [4, 8]},"
        "{\"name\": \"y\", \"dtype\": \"float16\", \"shape\": [4, 8]}], \"nodes\": ["
        "{\"name\": \"a\", \"op\": \"Relu\", \"inputs\": [\"x\"], \"outputs\": [\"ta\"]},"
        "{\"name\": \"b\", \"op\": \"Relu\", \"inputs\": [\"ta\"], \"outputs\": [\"tb\"]},"
        "{\"name\": \"c\", \"op\": \"Add\", \"inputs\": [\"ta\", \"tb\"],"
        " \"outputs\": [\"tc\"]},"
        "{\"name\": \"d\", \"op\": \"Mul\", \"inputs\": [\"tc\", \"y\"],"
        " \"outputs\": [\"td\"]}], \"outputs\": [\"td\"]}",
        "tiny");
    panel_open(s, fill_random);
    g = &s->run.plan->graph;
    ck_assert_str_eq(edges(), "a -td-> b\na -td-> +\nb -td-> c\nc -td-> d\nd -td-> td\n"
                              "x -x-> a\ny -y-> d\n+ -td-> c\n");
    ck_assert_int_eq(g->layer_count, 6);
    for (int32_t i = 0; i < g->node_count; i++)
        if (!strcmp(node_name(&g->nodes[i]), "y")) ck_assert_int_eq(g->nodes[i].layer, 3);
    panel_check_sizes(s, viz_graph_draw, s->program.name);
}
END_TEST

/* Shared tensors, edges of several lengths, two outputs: crossings that cannot all be taken out. */
START_TEST(a_crowded_graph_is_tidy) {
    panel_compile(
        &s->program,
        "{\"name\": \"crowd\", \"inputs\": ["
        "{\"name\": \"x\", \"dtype\": \"float16\", \"shape\": [4, 8]},"
        "{\"name\": \"y\", \"dtype\": \"float16\", \"shape\": [4, 8]}], \"nodes\": ["
        "{\"name\": \"a\", \"op\": \"Relu\", \"inputs\": [\"x\"], \"outputs\": [\"tensor_a\"]},"
        "{\"name\": \"b\", \"op\": \"Relu\", \"inputs\": [\"y\"], \"outputs\": [\"tensor_b\"]},"
        "{\"name\": \"c\", \"op\": \"Add\", \"inputs\": [\"tensor_a\", \"tensor_b\"],"
        " \"outputs\": [\"tensor_c\"]},"
        "{\"name\": \"d\", \"op\": \"Mul\", \"inputs\": [\"tensor_b\", \"tensor_a\"],"
        " \"outputs\": [\"tensor_d\"]},"
        "{\"name\": \"e\", \"op\": \"Add\", \"inputs\": [\"x\", \"tensor_c\"],"
        " \"outputs\": [\"tensor_e\"]},"
        "{\"name\": \"f\", \"op\": \"Add\", \"inputs\": [\"tensor_d\", \"tensor_e\"],"
        " \"outputs\": [\"out\"]},"
        "{\"name\": \"g\", \"op\": \"Mul\", \"inputs\": [\"tensor_a\", \"tensor_d\"],"
        " \"outputs\": [\"out2\"]}], \"outputs\": [\"out\", \"out2\"]}",
        "tiny");
    panel_open(s, fill_random);
    panel_check_sizes(s, viz_graph_draw, s->program.name);
    s->view.selected = (VizThing){VIZ_TENSOR, 0};
    panel_check_sizes(s, viz_graph_draw, s->program.name);
}
END_TEST

/* Two layers joined crosswise: the order of one turns round, and both lines are level. */
START_TEST(crossings_are_taken_out) {
    VizNode nodes[] = {{.layer = 0}, {.layer = 0}, {.layer = 1}, {.layer = 1}};
    VizEdge list[] = {{0, 3, 0}, {1, 2, 0}};
    VizGraph g = {
        .nodes = nodes, .node_count = 4, .edges = list, .edge_count = 2, .layer_count = 2};
    ck_assert(viz_graph_arrange(&g));
    ck_assert_int_eq((nodes[0].order - nodes[1].order) * (nodes[3].order - nodes[2].order), 1);
    ck_assert_float_eq_tol(nodes[0].y, nodes[3].y, 0.01f);
    ck_assert_float_eq_tol(nodes[1].y, nodes[2].y, 0.01f);
    ck_assert_float_ge_tol((nodes[1].y - nodes[0].y) * (nodes[1].y - nodes[0].y), 1, 0.01f);
    free(g.layer);
    free(g.layer_first);
}
END_TEST

/* In random graphs nodes of a layer stand in their order, and never over each other. */
START_TEST(nodes_of_a_layer_never_overlap) {
    uint32_t seed = 1;
    for (int32_t round = 0; round < 200; round++) {
        VizNode nodes[40] = {{0}};
        VizEdge list[120];
        VizGraph g = {.nodes = nodes, .node_count = 40, .edges = list, .layer_count = 5};
        for (int32_t i = 0; i < 40; i++) {
            seed = seed * 1664525u + 1013904223u;
            nodes[i].layer = (int32_t)(seed >> 24) % 5;
            nodes[i].kind = seed >> 20 & 1 ? VIZ_NODE_BEND : VIZ_NODE_OP;
        }
        for (int32_t i = 0; i < 40; i++)
            for (int32_t k = 0; k < 40 && g.edge_count < 120; k++) {
                seed = seed * 1664525u + 1013904223u;
                if (nodes[k].layer == nodes[i].layer + 1 && seed >> 29 == 0)
                    list[g.edge_count++] = (VizEdge){i, k, 0};
            }
        ck_assert(viz_graph_arrange(&g));
        for (int32_t l = 0; l < 5; l++)
            for (int32_t i = g.layer_first[l] + 1; i < g.layer_first[l + 1]; i++) {
                const VizNode *a = &nodes[g.layer[i - 1]], *b = &nodes[g.layer[i]];
                ck_assert_int_eq(b->order, a->order + 1);
                ck_assert_float_ge_tol(
                    b->y - a->y, (viz_node_slots(a->kind) + viz_node_slots(b->kind)) / 2, 0.001f);
            }
        free(g.layer);
        free(g.layer_first);
    }
}
END_TEST

START_TEST(the_graph_says_what_and_when) {
    const VizRect area = {0, 0, 1400, 300};
    const TspOpInfo *product = &s->program.ops[0], *gemm = &s->program.ops[3];
    const char *texts;
    char first[100], second[100];
    panel_look(s, 560);
    panel_draw_in(s, viz_graph_draw, area);
    texts = panel_texts(s);
    snprintf(first, sizeof first, "layer1.product\nMatMul\n%lld to %lld\nw1.transposed",
             (long long)product->start, (long long)product->end);
    snprintf(second, sizeof second, "layer2.gemm\nGemm\n%lld to %lld\nw2.transposed\nb2",
             (long long)gemm->start, (long long)gemm->end);
    ck_assert_ptr_nonnull(strstr(texts, first));
    ck_assert_ptr_nonnull(strstr(texts, second));
    ck_assert_ptr_nonnull(strstr(texts, "hidden1"));
    for (int32_t op = 0; op < s->program.op_count; op++) { /* each op and its edge can be hit */
        bool hit = false, edge = false;
        for (int32_t x = 0; x < 1400; x += 4)
            for (int32_t y = 0; y < 300; y += 4) {
                const VizThing t = panel_pick(s, (float)x, (float)y);
                hit = hit || (t.kind == VIZ_OP && t.id == op);
                edge = edge || (t.kind == VIZ_TENSOR && t.id == s->run.op_tensor[op]);
            }
        ck_assert(hit && edge);
    }
}
END_TEST

START_TEST(a_program_without_ops_says_so) {
    panel_assemble(
        &s->program,
        ".machine tiny\n@mem.w0\n read 0, s0.e\n.tensor t, int8, [1, 16], input @ mem.w0:0\n",
        "none.s", "tiny");
    panel_open(s, fill_random);
    panel_draw_in(s, viz_graph_draw, (VizRect){0, 0, 300, 100});
    ck_assert_str_eq(panel_texts(s), "no ops: this program names none");
    panel_check_sizes(s, viz_memory_draw, s->program.name);
}
END_TEST

START_TEST(tidy_at_all_sizes) {
    static const VizThing things[] = {
        {VIZ_NOTHING, 0}, {VIZ_OP, 0}, {VIZ_TENSOR, 1}, {VIZ_QUEUE, 3}, {VIZ_ROW, 1}};
    const int64_t cycles[] = {0, s->run.timeline.cycles / 2, s->run.timeline.cycles};
    for (size_t i = 0; i < 5; i++) {
        s->view.selected = things[i];
        s->view.theme = (int32_t)i % VIZ_THEMES;
        panel_look(s, cycles[i % 3]);
        panel_check_sizes(s, viz_memory_draw, s->program.name);
        panel_check_sizes(s, viz_graph_draw, s->program.name);
    }
}
END_TEST

static void open_small(void) {
    panel_compile(&s->program,
                  "{\"name\": \"small\", \"inputs\": ["
                  "{\"name\": \"A\", \"dtype\": \"int8\", \"shape\": [8, 16]}],"
                  " \"initializers\": [{\"name\": \"B\", \"dtype\": \"int8\","
                  " \"shape\": [16, 8], \"random\": {\"seed\": 1, \"low\": -8, \"high\": 7}}],"
                  " \"nodes\": [{\"name\": \"product\", \"op\": \"MatMulInteger\","
                  " \"inputs\": [\"A\", \"B\"], \"outputs\": [\"C\"]}], \"outputs\": [\"C\"]}",
                  "tiny");
    panel_open(s, fill_random);
}

int main(void) {
    Suite *suite = suite_create("panels");
    TCase *vecadd = tcase_create("vecadd"), *mlp = tcase_create("mlp"),
          *small = tcase_create("small"), *own = tcase_create("own"),
          *others = tcase_create("others"); /* these open programs of their own */
    tcase_add_checked_fixture(others, NULL, close_panel);
    tcase_add_checked_fixture(vecadd, open_vecadd, close_panel);
    tcase_add_checked_fixture(mlp, open_mlp, close_panel);
    tcase_add_checked_fixture(small, open_small, close_panel);
    tcase_add_test(vecadd, runs_of_rows_stand_where_arithmetic_puts_them);
    tcase_add_test(vecadd, reads_and_writes_are_marked_at_their_rows);
    tcase_add_test(vecadd, other_tensors_fade_beside_the_selected_one);
    tcase_add_test(vecadd, tidy_at_all_sizes);
    tcase_add_test(mlp, a_pixel_of_many_rows_shows_most_of_them);
    tcase_add_test(mlp, rows_are_counted_by_role);
    tcase_add_test(mlp, edges_of_the_perceptron);
    tcase_add_test(mlp, the_graph_says_what_and_when);
    tcase_add_test(mlp, tidy_at_all_sizes);
    tcase_add_test(small, tidy_at_all_sizes);
    tcase_add_test(own, crossings_are_taken_out);
    tcase_add_test(own, nodes_of_a_layer_never_overlap);
    suite_add_tcase(suite, vecadd);
    suite_add_tcase(suite, mlp);
    suite_add_tcase(suite, small);
    suite_add_tcase(suite, own);
    tcase_add_test(others, long_edges_bend_and_inputs_stand_by_their_readers);
    tcase_add_test(others, a_crowded_graph_is_tidy);
    tcase_add_test(others, a_program_without_ops_says_so);
    tcase_set_timeout(mlp, 60);
    suite_add_tcase(suite, others);
    return run_suite(suite);
}
