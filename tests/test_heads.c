/* test_heads.c - attention: heads side by side under Softmax, and joined where they are made.
 */
#include "movement.h"

/* What stands between the two products of attention, and behind them. */
typedef struct {
    bool halfs;    /* float16; else int8, with what is quantised between */
    bool shifted;  /* a number is added to the scores: lanes without elements are not zero */
    int64_t batch; /* 0: none */
    int64_t queries, keys, heads, depth;
} Attention;

static void add_number(Sheet *s, const char *name, const char *type, double number) {
    append(s->lists, sizeof s->lists,
           "{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": [], \"data\": [%.17g]}", name, type,
           number);
}

/* Input `name` of so many rows, as heads: a matrix for each; keys are turned. */
static void add_heads(Sheet *s, const Attention *a, char name, int64_t rows) {
    const TspDtype type = a->halfs ? TSP_F16 : TSP_I8;
    const Shape shape = {
        a->batch ? 3 : 2,
        {a->batch ? a->batch : rows, a->batch ? rows : a->heads * a->depth, a->heads * a->depth}};
    const int64_t split[4] = {a->batch, rows, a->heads, a->depth};
    const char *perm = a->batch ? (name == 'K' ? "[0, 2, 3, 1]" : "[0, 2, 1, 3]")
                                : (name == 'K' ? "[1, 2, 0]" : "[1, 0, 2]");
    char input[2] = {name, 0}, in[40], parts[8], made[8], attributes[40];
    snprintf(in, sizeof in, "\"%c\"%s", name,
             sheet_list(s, a->batch ? 4 : 3, split + !a->batch).text);
    snprintf(parts, sizeof parts, "\"%c1\"", name);
    snprintf(made, sizeof made, "\"%c2\"", name);
    snprintf(attributes, sizeof attributes, "\"perm\": %s", perm);
    sheet_input(s, input, type, &shape);
    sheet_node(s, "Reshape", in, parts, "");
    sheet_node(s, "Transpose", parts, made, attributes);
}

/* int32 sums X to numbers times a scale. */
static void add_scaled(Sheet *s, const char *from, const char *to, const char *scale) {
    char in[60], cast[20];
    snprintf(cast, sizeof cast, "\"%s.float\"", to);
    sheet_node(s, "Cast", from, cast, "\"to\": \"float32\"");
    snprintf(in, sizeof in, "%s, \"%s\"", cast, scale);
    snprintf(cast, sizeof cast, "\"%s\"", to);
    sheet_node(s, "Mul", in, cast, "");
}

static void add_scores(Sheet *s, const Attention *a) {
    add_number(s, "shift", "float16", -1.5);
    add_number(s, "probability", "float16", 0x1p-8);
    add_number(s, "unsigned", "uint8", 0);
    if (a->halfs) {
        sheet_node(s, "MatMul", "\"Q2\", \"K2\"", "\"S2\"", "");
    } else {
        add_number(s, "score", "float32", 0x1p-12);
        sheet_node(s, "MatMulInteger", "\"Q2\", \"K2\"", "\"S0\"", "");
        add_scaled(s, "\"S0\"", "S1", "score");
        sheet_node(s, "Cast", "\"S1\"", "\"S2\"", "\"to\": \"float16\"");
    }
    if (a->shifted) sheet_node(s, "Add", "\"S2\", \"shift\"", "\"S3\"", "");
    sheet_node(s, "Softmax", a->shifted ? "\"S3\"" : "\"S2\"", "\"P\"", "");
    if (!a->halfs)
        sheet_node(s, "QuantizeLinear", "\"P\", \"probability\", \"unsigned\"", "\"P8\"", "");
}

static void add_context(Sheet *s, const Attention *a) {
    const int64_t joined[3] = {a->batch, a->queries, a->heads * a->depth};
    char in[40];
    add_number(s, "context", "float32", 0x1p-7);
    add_number(s, "signed", "int8", 0);
    if (a->halfs) {
        sheet_node(s, "MatMul", "\"P\", \"V2\"", "\"O\"", "");
    } else {
        sheet_node(s, "MatMulInteger", "\"P8\", \"V2\"", "\"O0\"", "");
        add_scaled(s, "\"O0\"", "O1", "context");
        sheet_node(s, "QuantizeLinear", "\"O1\", \"context\", \"signed\"", "\"O\"", "");
    }
    sheet_node(s, "Transpose", "\"O\"", "\"T\"",
               a->batch ? "\"perm\": [0, 2, 1, 3]" : "\"perm\": [1, 0, 2]");
    snprintf(in, sizeof in, "\"T\"%s", sheet_list(s, a->batch ? 3 : 2, joined + !a->batch).text);
    sheet_node(s, "Reshape", in, "\"Y\"", "");
    append(s->outputs, sizeof s->outputs, "\"Y\"");
}

/* How often a name like this is among the program's tensors. */
static int32_t named(const TspGraph *g, const TspMachine *m, const char *part) {
    TspProgram p;
    TspError err;
    int32_t count = 0;
    ck_assert_msg(tsp_compile(g, m, NULL, &p, &err), "%s", err.text);
    for (int32_t i = 0; i < p.tensor_count; i++) count += strstr(p.tensors[i].name, part) != NULL;
    tsp_program_free(&p);
    return count;
}

/* `packed`, `still`: what is expected of the program; still: no lane moves. */
static void try_attention(const TspMachine *m, const Attention *a, bool packed, bool still) {
    Sheet *s = calloc(1, sizeof *s);
    TspGraph g;
    add_heads(s, a, 'Q', a->queries);
    add_heads(s, a, 'K', a->keys);
    add_heads(s, a, 'V', a->keys);
    add_scores(s, a);
    add_context(s, a);
    sheet_parse(s, &g);
    ck_assert_msg((named(&g, m, ".packed") > 0) == packed, "packed: %d\n%s", !packed, s->text);
    ck_assert_msg((named(&g, m, "selection") == 0) == still, "still: %d\n%s", !still, s->text);
    run_graph(&g, m, s->text);
    tsp_graph_free(&g);
    free(s);
}

/* Heads that fill column tiles and that do not, one that lies in two, sets of one column tile and
 * of several, fewer and more keys than queries. */
START_TEST(heads_stand_side_by_side) {
    static const struct {
        Attention a;
        bool packed, still;
    } cases[] = {
        {{false, false, 0, 40, 40, 5, 32}, true, true},
        {{false, true, 0, 64, 24, 10, 64}, true, true},
        {{false, false, 0, 17, 90, 7, 64}, true, true},
        {{false, true, 0, 70, 350, 4, 48}, true, true},
        {{false, false, 0, 320, 20, 5, 64}, false, true}, /* nothing to gain */
        {{false, false, 0, 40, 40, 5, 24}, true, false},  /* heads between two loads of weights */
        {{false, false, 2, 40, 30, 6, 32}, true, true},
        {{true, true, 0, 40, 24, 5, 48}, false, true}, /* 0 times infinity is not 0 */
        {{true, false, 3, 20, 20, 4, 32}, false, true},
        {{true, false, 0, 33, 33, 10, 112}, false, false}, /* queries in two column tiles */
    };
    TspMachine m = builtin("tsp1");
    random_start();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        try_attention(&m, &cases[i].a, cases[i].packed, cases[i].still);
}
END_TEST

/* An encoder layer of BERT-base without its projections. */
START_TEST(twelve_heads) {
    const Attention a = {false, false, 0, 128, 128, 12, 64};
    TspMachine m = builtin("tsp1");
    random_start();
    try_attention(&m, &a, true, true);
}
END_TEST

START_TEST(heads_on_the_small_machine) {
    TspMachine m = builtin("tiny");
    random_start();
    m.mem_rows = 4096;
    for (int32_t i = 0; i < scaled(40); i++) {
        Attention a = {false,       one_in(2),  one_in(3) ? 2 : 0, pick(1, 20),
                       pick(2, 20), pick(2, 7), 4 * pick(1, 4)};
        Sheet *s = calloc(1, sizeof *s);
        TspGraph g;
        add_heads(s, &a, 'Q', a.queries);
        add_heads(s, &a, 'K', a.keys);
        add_heads(s, &a, 'V', a.keys);
        add_scores(s, &a);
        add_context(s, &a);
        sheet_parse(s, &g);
        run_graph(&g, &m, s->text);
        tsp_graph_free(&g);
        free(s);
    }
}
END_TEST

/* Where no accumulators add them, heads are joined afterwards. */
START_TEST(heads_without_accumulators) {
    const Attention a = {false, false, 0, 40, 40, 5, 32};
    TspMachine m = builtin("tsp1");
    random_start();
    m.mxm_accumulator_rows = 0;
    try_attention(&m, &a, true, false);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("heads");
    TCase *tests = tcase_create("heads");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, heads_stand_side_by_side);
    tcase_add_test(tests, twelve_heads);
    tcase_add_test(tests, heads_on_the_small_machine);
    tcase_add_test(tests, heads_without_accumulators);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
