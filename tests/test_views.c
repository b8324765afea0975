/* test_views.c - products of values that are views of others: what they give, and what they cost.
 */
#include "movement.h"

/* ---- products of random views ---- */

enum { DIRECT, TURNED, CUT, HEADS, MAKINGS };

/* Makes value `name`, batches x rows x cols, of an input: as it is, with its dimensions turned
 * round, as a part, or as heads side by side (of `across`: turned, as keys are). */
static void make_operand(Sheet *s, const char *name, TspDtype type, Shape shape, bool across) {
    const int64_t b = shape.size[0], m = shape.size[1], n = shape.size[2];
    const int64_t split[3] = {across ? n : m, b, across ? m : n}, zero[3] = {1, 0, 2},
                  end[3] = {b + 1, m, n + 2};
    char input[8], quoted[10], made[10], in[60];
    Shape from = shape;
    int32_t making = random_below(MAKINGS);
    snprintf(input, sizeof input, "%s0", name);
    snprintf(quoted, sizeof quoted, "\"%s\"", input);
    snprintf(made, sizeof made, "\"%s\"", name);
    if (making == TURNED) {
        from = (Shape){3, {n, b, m}};
        sheet_node(s, "Transpose", quoted, made, "\"perm\": [1, 2, 0]");
    } else if (making == CUT) {
        from = (Shape){3, {b + 2, m + 1, n + 3}};
        snprintf(in, sizeof in, "%s%s%s", quoted, sheet_list(s, 3, zero).text,
                 sheet_list(s, 3, end).text);
        sheet_node(s, "Slice", in, made, "");
    } else if (making == HEADS) {
        from = (Shape){2, {split[0], b * split[2]}};
        snprintf(in, sizeof in, "%s%s", quoted, sheet_list(s, 3, split).text);
        snprintf(quoted, sizeof quoted, "\"%s1\"", name);
        sheet_node(s, "Reshape", in, quoted, "");
        sheet_node(s, "Transpose", quoted, made,
                   across ? "\"perm\": [1, 2, 0]" : "\"perm\": [1, 0, 2]");
    } else {
        sheet_node(s, "Identity", quoted, made, "");
    }
    sheet_input(s, input, type, &from);
}

static void try_product(const TspMachine *m, int32_t most) {
    const TspDtype types[] = {TSP_I8, TSP_F16, TSP_F32};
    const TspDtype type = types[random_below(3)];
    const int32_t rows = pick(1, most), cols = pick(1, most), batches = pick(1, 5);
    const int32_t lanes = tsp_lanes(m),
                  depths[] = {pick(1, most), pick(1, lanes / 3), lanes, lanes / 2};
    const int32_t depth = depths[random_below(4)];
    Sheet *s = calloc(1, sizeof *s);
    TspGraph g;
    make_operand(s, "A", type, (Shape){3, {batches, rows, depth}}, false);
    make_operand(s, "B", type, (Shape){3, {batches, depth, cols}}, one_in(2));
    sheet_node(s, type == TSP_I8 ? "MatMulInteger" : "MatMul", "\"A\", \"B\"", "\"z\"", "");
    append(s->outputs, sizeof s->outputs, "\"z\"");
    sheet_parse(s, &g);
    run_graph(&g, m, s->text);
    tsp_graph_free(&g);
    free(s);
}

START_TEST(products_on_the_small_machine) {
    TspMachine m = builtin("tiny");
    random_start();
    for (int32_t i = 0; i < scaled(300); i++) try_product(&m, 40);
}
END_TEST

START_TEST(products_on_the_large_machine) {
    TspMachine m = builtin("tsp1");
    random_start();
    for (int32_t i = 0; i < scaled(40); i++) try_product(&m, one_in(3) ? 400 : 100);
}
END_TEST

/* ---- what they cost ---- */

/* Cycles of A x B, [b, m, k] x [b, k, n], by way of `nodes` that make "a" of "A" and "b" of "B". */
static int64_t product_cycles(TspDtype type, const Shape *a, const Shape *b, const char *lists,
                              const char *nodes) {
    Sheet *s = calloc(1, sizeof *s);
    TspMachine m = builtin("tsp1");
    TspGraph g;
    int64_t cycles;
    sheet_input(s, "A", type, a);
    sheet_input(s, "B", type, b);
    append(s->lists, sizeof s->lists, "%s", lists);
    append(s->nodes, sizeof s->nodes, "%s", nodes);
    sheet_node(s, type == TSP_I8 ? "MatMulInteger" : "MatMul",
               strstr(nodes, "\"b\"") ? "\"a\", \"b\"" : "\"A\", \"B\"", "\"z\"", "");
    append(s->outputs, sizeof s->outputs, "\"z\"");
    sheet_parse(s, &g);
    cycles = run_graph(&g, &m, s->text);
    tsp_graph_free(&g);
    free(s);
    return cycles;
}

#define NODE(op, in, out, more)                                                                    \
    "{\"op\": \"" op "\", \"inputs\": [" in "], \"outputs\": [\"" out "\"]" more "}"

START_TEST(relabelling_costs_no_cycles) {
    const TspDtype types[] = {TSP_I8, TSP_F16};
    for (int32_t i = 0; i < 2; i++) {
        const Shape flat = {2, {384, 320}}, deep = {3, {4, 96, 320}}, wide = {3, {4, 320, 640}},
                    turned = {3, {4, 640, 320}};
        int64_t plain =
            product_cycles(types[i], &deep, &wide, "", NODE("Identity", "\"A\"", "u", ""));
        int64_t viewed = product_cycles(
            types[i], &flat, &turned, LIST("s", "3", "4, 96, 320"),
            NODE("Reshape", "\"A\", \"s\"", "a", "") ", " NODE(
                "Transpose", "\"B\"", "b", ", \"attributes\": {\"perm\": [0, 2, 1]}"));
        ck_assert_msg(viewed == plain, "%" PRId64 " cycles with views, %" PRId64 " without", viewed,
                      plain);
    }
}
END_TEST

/* Cycles of Neg, `nodes` that make "b" of "a", and Relu, of a long vector. */
static int64_t vector_cycles(const char *lists, const char *nodes) {
    Sheet *s = calloc(1, sizeof *s);
    const Shape shape = {2, {100, 333}};
    TspMachine m = builtin("tsp1");
    TspGraph g;
    int64_t cycles;
    sheet_input(s, "x", TSP_F16, &shape);
    append(s->lists, sizeof s->lists, "%s", lists);
    sheet_node(s, "Neg", "\"x\"", nodes[0] ? "\"a\"" : "\"b\"", "");
    if (nodes[0]) append(s->nodes, sizeof s->nodes, "%s", nodes);
    sheet_node(s, "Relu", "\"b\"", "\"z\"", "");
    append(s->outputs, sizeof s->outputs, "\"z\"");
    sheet_parse(s, &g);
    cycles = run_graph(&g, &m, s->text);
    tsp_graph_free(&g);
    free(s);
    return cycles;
}

/* No matter where its rows would have to be cut. */
START_TEST(relabelling_vectors_costs_no_cycles) {
    const char *lists = LIST("s", "3", "37, 9, 100");
    int64_t plain = vector_cycles(lists, ""),
            viewed = vector_cycles(lists, NODE("Reshape", "\"a\", \"s\"", "c",
                                               "") ", " NODE("Flatten", "\"c\"", "b", ""));
    ck_assert_msg(viewed == plain, "%" PRId64 " cycles with views, %" PRId64 " without", viewed,
                  plain);
}
END_TEST

/* Every second row of X is moved, and halves of the result go different ways: the movement is cut
 * where its readers part, and rows of X that are left out count. */
START_TEST(movement_is_cut_where_its_readers_part) {
    Sheet *s = calloc(1, sizeof *s);
    const Shape shape = {3, {4, 1280, 40}};
    TspMachine m = builtin("tsp1");
    TspGraph g;
    sheet_input(s, "x", TSP_I8, &shape);
    append(
        s->lists, sizeof s->lists,
        LIST("from", "1", "0") ", " LIST("to", "1", "1280") ", " LIST("axis", "1", "1") ", " LIST(
            "step", "1", "2") ", " LIST("pads", "6", "0, 0, 1, 0, 0, 2"));
    sheet_node(s, "Slice", "\"x\", \"from\", \"to\", \"axis\", \"step\"", "\"a\"", "");
    sheet_node(s, "Pad", "\"a\", \"pads\"", "\"b\"", "");
    sheet_node(s, "Split", "\"b\"", "\"c\", \"d\"", "\"axis\": 0, \"num_outputs\": 2");
    sheet_node(s, "Relu", "\"c\"", "\"y\"", "");
    sheet_node(s, "Abs", "\"d\"", "\"z\"", "");
    append(s->outputs, sizeof s->outputs, "\"y\", \"z\"");
    sheet_parse(s, &g);
    random_start();
    run_graph(&g, &m, s->text);
    tsp_graph_free(&g);
    free(s);
}
END_TEST

/* ---- attention ---- */

/* `softmax`: of the products of Q and K, halfs. */
static void try_attention(TspDtype type, int64_t rows, int64_t heads, int64_t depth, bool softmax) {
    Sheet *s = calloc(1, sizeof *s);
    const Shape joined = {2, {rows, heads * depth}};
    const int64_t split[3] = {rows, heads, depth};
    const char *product = type == TSP_I8 ? "MatMulInteger" : "MatMul";
    TspMachine m = builtin("tsp1");
    TspGraph g;
    int64_t cycles;
    for (const char *x = "QKV"; *x; x++) {
        char name[2] = {*x, 0}, in[40], parts[8], made[8];
        snprintf(in, sizeof in, "\"%s\"%s", name, sheet_list(s, 3, split).text);
        snprintf(parts, sizeof parts, "\"%c1\"", *x);
        snprintf(made, sizeof made, "\"%c2\"", *x);
        sheet_input(s, name, type, &joined);
        sheet_node(s, "Reshape", in, parts, "");
        sheet_node(s, "Transpose", parts, made,
                   *x == 'K' ? "\"perm\": [1, 2, 0]" : "\"perm\": [1, 0, 2]");
    }
    sheet_node(s, product, "\"Q2\", \"K2\"", "\"P\"", "");
    if (type == TSP_I8) sheet_node(s, "Cast", "\"P\"", "\"P8\"", "\"to\": \"int8\"");
    if (softmax) sheet_node(s, "Softmax", "\"P\"", "\"S\"", "");
    sheet_node(s, product,
               type == TSP_I8 ? "\"P8\", \"V2\""
               : softmax      ? "\"S\", \"V2\""
                              : "\"P\", \"V2\"",
               "\"O\"", "");
    sheet_node(s, "Transpose", "\"O\"", "\"T\"", "\"perm\": [1, 0, 2]");
    {
        char in[40];
        snprintf(in, sizeof in, "\"T\"%s", sheet_list(s, 2, joined.size).text);
        sheet_node(s, "Reshape", in, "\"Y\"", "");
    }
    append(s->outputs, sizeof s->outputs, "\"Y\"");
    sheet_parse(s, &g);
    cycles = run_graph(&g, &m, s->text);
    printf("attention, %s, %d rows, %d heads of %d: %" PRId64 " cycles\n", tsp_dtype_name(type),
           (int)rows, (int)heads, (int)depth, cycles);
    tsp_graph_free(&g);
    free(s);
}

/* Products of windows are made turned, as Softmax wants them. */
START_TEST(heads_of_attention_with_softmax) {
    try_attention(TSP_F16, 40, 5, 24, true);
    try_attention(TSP_F16, 33, 6, 16, true);
    if (scaled(10) == 10) try_attention(TSP_F16, 128, 12, 64, true);
}
END_TEST

START_TEST(heads_of_attention) {
    const TspDtype types[] = {TSP_I8, TSP_F16};
    for (int32_t i = 0; i < 2; i++) {
        try_attention(types[i], 40, 5, 24, false);
        try_attention(types[i], 33, 14, 24, false); /* heads that lie in two column tiles */
        try_attention(types[i], 50, 4, 100, false);
        if (scaled(10) == 10) try_attention(types[i], 128, 12, 64, false);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("views");
    TCase *tests = tcase_create("views");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, products_on_the_small_machine);
    tcase_add_test(tests, products_on_the_large_machine);
    tcase_add_test(tests, relabelling_costs_no_cycles);
    tcase_add_test(tests, relabelling_vectors_costs_no_cycles);
    tcase_add_test(tests, movement_is_cut_where_its_readers_part);
    tcase_add_test(tests, heads_of_attention);
    tcase_add_test(tests, heads_of_attention_with_softmax);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
