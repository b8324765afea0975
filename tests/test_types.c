/* test_types.c - the table of docs/graph-format.md: every operator with every type, in one to four
 * dimensions, runs as the host interpreter says, or is refused.
 */
#include "form.h"

/* ---- graphs ---- */

/* How an operator is used. In tensors, $ is a shape of so many dimensions, ~ one that broadcasts to
 * it, # the length of its channels, ^ how many dimensions it has, & as many numbers 2. */
typedef struct {
    Form form;
    int least, most; /* dimensions */
} Use;

static const Use unary = {{NULL, "", "a @ $", "", "a", NULL}, 1, 4};
static const Use binary = {{NULL, "", "a @ $|b @ ~", "", "a,b", NULL}, 1, 4};

/* All others that are not below take one tensor. */
static const char *const pairs[] = {"Add", "Sub",  "Mul",        "Div",     "Min",
                                    "Max", "Pow",  "Equal",      "Greater", "Less",
                                    "And", "Or",   "Xor",        "PRelu",   "GreaterOrEqual",
                                    "Sum", "Mean", "LessOrEqual"};
static const Use uses[] = {
    {{"MatMul", "", "a @ $|b @ [6,5]", "", "a,b", NULL}, 1, 4},
    {{"MatMulInteger", "", "a @ $|b int8 [6,5]", "", "a,b", NULL}, 1, 4},
    {{"QLinearMatMul", "", "a @ $|b int8 [6,5]",
      "s float32 [] \"data\": 0.25|p @ [] \"data\": 1|q int8 [] \"data\": -2|r uint8 [] \"data\": "
      "9",
      "a,s,p,b,s,q,s,r", NULL},
     1,
     4},
    {{"Gemm", "\"alpha\": 2, \"transB\": 1", "a @ $|b @ [5,6]|c @ [5]", "", "a,b,c", NULL}, 2, 2},
    {{"Mod", "\"fmod\": 1", "a @ $|b @ ~", "", "a,b", NULL}, 1, 4},
    {{"BitShift", "\"direction\": \"RIGHT\"", "a @ $|b @ ~", "", "a,b", NULL}, 1, 4},
    {{"Where", "", "c bool $|a @ $|b @ ~", "", "c,a,b", NULL}, 1, 4},
    {{"Clip", "", "a @ $|l @ []", "", "a,l", NULL}, 1, 4},
    {{"Cast", "\"to\": \"int16\"", "a @ $", "", "a", NULL}, 1, 4},
    {{"QuantizeLinear", "", "a @ $|z int8 []", "s float32 [] \"data\": 0.3", "a,s,z", NULL}, 1, 4},
    {{"DequantizeLinear", "", "a @ $|s float32 []", "", "a,s", NULL}, 1, 4},
    {{"DynamicQuantizeLinear", "", "a @ $", "", "a", "y,s,z"}, 1, 4},
    {{"BatchNormalization", "", "a @ $|s @ [#]|b @ [#]|m float32 [#]",
      "v float32 [#] \"random\": {\"seed\": 1, \"low\": 1, \"high\": 2}", "a,s,b,m,v", NULL},
     2,
     4},
    {{"InstanceNormalization", "", "a @ $|s @ [#]|b @ [#]", "", "a,s,b", NULL}, 3, 4},
    {{"LayerNormalization", "", "a @ $|s @ ~", "", "a,s", NULL}, 1, 4},
    {{"RMSNormalization", "\"epsilon\": 1", "a @ $|s @ ~", "", "a,s", NULL}, 1, 4},
    {{"CumSum", "\"reverse\": 1", "a @ $", "k int32 [] \"data\": 0", "a,k", NULL}, 1, 4},
    {{"Reshape", "", "a @ $", "k int64 [2] \"data\": [2, -1]", "a,k", NULL}, 1, 4},
    {{"Unsqueeze", "", "a @ $", "k int64 [2] \"data\": [0, -1]", "a,k", NULL}, 1, 4},
    {{"Split", "\"axis\": -1, \"num_outputs\": 2", "a @ $", "", "a", "y,z"}, 1, 4},
    {{"Slice", "", "a @ $",
      "s int64 [1] \"data\": [-1]|e int64 [1] \"data\": [0]|k int64 [1] \"data\": [-1]|t int64 [1] "
      "\"data\": [-2]",
      "a,s,e,k,t", NULL},
     1,
     4},
    {{"Expand", "", "a @ ~", "k int64 [4] \"data\": [2, 2, 3, 6]", "a,k", NULL}, 1, 4},
    {{"Concat", "\"axis\": 0", "a @ $|b @ $", "", "a,b,a", NULL}, 1, 4},
    {{"Pad", "", "a @ $",
      "v @ [] \"data\": 1|p int64 [2] \"data\": [1, 2]|k int64 [1] \"data\": [-1]", "a,p,v,k",
      NULL},
     1,
     4},
    {{"Tile", "", "a @ $", "k int64 [^] \"data\": [&]", "a,k", NULL}, 1, 4},
    {{"Gather", "\"axis\": -1", "a @ $|i int32 [2]", "", "a,i", NULL}, 1, 4},
    {{"Trilu", "", "a @ $", "", "a", NULL}, 2, 4},
    {{"DepthToSpace", "\"blocksize\": 2", "a @ [1,4,3,6]", "", "a", NULL}, 4, 4},
    {{"SpaceToDepth", "\"blocksize\": 2", "a @ [2,1,4,6]", "", "a", NULL}, 4, 4},
};

static Use use_of(const char *op) {
    Use use = unary;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!strcmp(pairs[i], op)) use = binary;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (!strcmp(uses[i].form.op, op)) use = uses[i];
    use.form.op = op;
    return use;
}

/* What a mark stands for. */
static const char *meaning(char mark, int rank) {
    static const char *const of[][4] = {{"[6]", "[3,6]", "[2,3,6]", "[2,2,3,6]"},
                                        {"[1]", "[3,1]", "[3,6]", "[2,1,3,1]"},
                                        {"6", "6", "3", "2"},
                                        {"1", "2", "3", "4"},
                                        {"2", "2, 2", "2, 2, 2", "2, 2, 2, 2"}};
    static const char marks[] = "$~#^&";
    const char *found = strchr(marks, mark);
    return found ? of[found - marks][rank - 1] : NULL;
}

static const char *written(char *to, const char *list, int rank) {
    char *end = to;
    for (; *list; list++) {
        const char *mark = meaning(*list, rank);
        end += mark ? sprintf(end, "%s", mark) : sprintf(end, "%c", *list);
    }
    *end = 0;
    return to;
}

static void write_use(char *text, const Use *use, const char *type, int rank) {
    char inputs[400], known[400];
    Form f = use->form;
    f.inputs = written(inputs, f.inputs, rank);
    f.known = written(known, f.known, rank);
    write_form(text, &f, type);
}

/* ---- the table ---- */

enum { OPERATORS = 120, TYPES = 7 };

typedef struct {
    char name[40];
    bool there[TYPES];
} Row;

static const char *const types[TYPES] = {"int8",    "uint8",   "int16", "int32",
                                         "float16", "float32", "bool"};

/* The cells of a line behind its operators, in the order of types. */
static void read_cells(const char *line, bool there[TYPES]) {
    const char *at = strchr(line + 1, '|');
    for (int t = 0; t < TYPES; t++) {
        ck_assert_msg(at != NULL, "too few types: %s", line);
        there[t] = !strncmp(at, "| yes ", 6);
        ck_assert_msg(there[t] || !strncmp(at, "| – ", strlen("| – ")), "neither yes nor –: %s",
                      at);
        at = strchr(at + 1, '|');
    }
}

/* One row for each operator. */
static int read_table(Row rows[OPERATORS]) {
    FILE *in = fopen("docs/graph-format.md", "r");
    char line[4000];
    int count = 0;
    ck_assert_msg(in != NULL, "no docs/graph-format.md; run this where docs/ is");
    while (fgets(line, sizeof line, in) && strcmp(line, "## Types\n") != 0) continue;
    while (fgets(line, sizeof line, in) && strncmp(line, "## ", 3) != 0) {
        bool there[TYPES];
        if (strncmp(line, "| `", 3) != 0) continue;
        read_cells(line, there);
        for (char *at = line + 2; *at == '`'; at += strcspn(at, "`") + 2) {
            ck_assert_int_lt(count, OPERATORS);
            at++;
            snprintf(rows[count].name, sizeof rows->name, "%.*s", (int)strcspn(at, "`"), at);
            memcpy(rows[count++].there, there, sizeof there);
        }
    }
    fclose(in);
    return count;
}

/* ---- the tests ---- */

static bool is_small(void) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small");
}

static void run_use(const Use *use, const char *type, int rank, const TspMachine *m) {
    char text[3000];
    write_use(text, use, type, rank);
    run_text(text, m, 2, false);
}

static void refuse(const Use *use, const char *type) {
    char text[3000], what[40];
    TspGraph g;
    TspError err;
    write_use(text, use, type, use->most);
    ck_assert_msg(!tsp_graph_parse(&g, text, strlen(text), "test.json", &err),
                  "%s of %s is there; the table says it is not", use->form.op, type);
    sprintf(what, "\"a\" is %s", type);
    ck_assert_msg(strstr(err.text, what) != NULL, "%s of %s: %s", use->form.op, type, err.text);
}

START_TEST(as_the_table_says) {
    static Row rows[OPERATORS];
    const int count = read_table(rows);
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (int i = 0; i < count; i++) {
        const Use use = use_of(rows[i].name);
        if (rows[i].there[_i]) {
            const int step = is_small() ? 2 : 1;
            for (int rank = use.least; rank <= use.most; rank += step)
                run_use(&use, types[_i], rank, (i + rank) % 2 ? &tsp1 : &tiny);
        } else {
            refuse(&use, types[_i]);
        }
    }
}
END_TEST

START_TEST(all_operators_are_there) {
    static const char *const names[] = {
#define OPERATOR(name, onnx, min_inputs, max_inputs) onnx,
#include "compiler/graph/ops.def"
#undef OPERATOR
    };
    static Row rows[OPERATORS];
    const int count = read_table(rows);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int found = 0;
        for (int k = 0; k < count; k++) found += !strcmp(rows[k].name, names[i]);
        if (strcmp(names[i], "GroupByAggregate") != 0) /* which is not ONNX's */
            ck_assert_msg(found == 1, "%s stands %d times in the table", names[i], found);
    }
    ck_assert_int_eq(count, sizeof names / sizeof *names - 1);
}
END_TEST

int main(void) {
    Suite *s = suite_create("types");
    TCase *c = tcase_create("types");
    tcase_set_timeout(c, 300);
    tcase_add_loop_test(c, as_the_table_says, 0, TYPES);
    tcase_add_test(c, all_operators_are_there);
    suite_add_tcase(s, c);
    return run_suite(s);
}
