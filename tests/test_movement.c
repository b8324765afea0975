/* test_movement.c - operators that only relabel or move elements: ONNX's own definitions on small
 * tensors, and chains of them on random shapes.
 */
#include "movement.h"

/* ---- definitions, by hand ---- */

typedef struct {
    const char *op, *shape, *lists, *inputs, *attributes; /* of x, which holds 0, 1, 2, ... */
    int32_t count;
    int32_t want[40];
} Example;

static const Example examples[] = {
    {"Reshape", "[2, 3]", LIST("a", "2", "0, -1"), ", \"a\"", "", 6, {0, 1, 2, 3, 4, 5}},
    {"Flatten", "[2, 1, 2]", "", "", "\"axis\": -1", 4, {0, 1, 2, 3}},
    {"Transpose", "[2, 3]", "", "", "", 6, {0, 3, 1, 4, 2, 5}},
    {"Transpose", "[2, 1, 3]", "", "", "\"perm\": [1, 2, 0]", 6, {0, 3, 1, 4, 2, 5}},
    {"Slice",
     "[3, 4]",
     LIST("a", "2", "1, -1") "," LIST("b", "2", "3, -100") "," LIST("c", "2", "0, 1") "," LIST(
         "d", "2", "1, -2"),
     ", \"a\", \"b\", \"c\", \"d\"",
     "",
     4,
     {7, 5, 11, 9}},
    {"Slice",
     "[6]",
     LIST("a", "1", "-100") "," LIST("b", "1", "-1") "," LIST("d", "1", "2"),
     ", \"a\", \"b\", \"\", \"d\"",
     "",
     3,
     {0, 2, 4}},
    {"Expand", "[2, 1]", LIST("a", "3", "2, 1, 2"), ", \"a\"", "", 8, {0, 0, 1, 1, 0, 0, 1, 1}},
    {"Concat", "[2, 2]", "", ", \"x\"", "\"axis\": -1", 8, {0, 1, 0, 1, 2, 3, 2, 3}},
    {"Pad",
     "[2, 2]",
     LIST("a", "4",
          "0, 1, 1, -1") ","
                         "{\"name\": \"f\", \"dtype\": \"int32\", \"shape\": [], \"data\": 9}",
     ", \"a\", \"f\"",
     "",
     6,
     {9, 0, 9, 2, 9, 9}},
    {"Pad", "[2]", LIST("a", "2", "1, 1"), ", \"a\"", "\"mode\": \"constant\"", 4, {0, 0, 1, 0}},
    {"Tile", "[1, 2]", LIST("a", "2", "2, 2"), ", \"a\"", "", 8, {0, 1, 0, 1, 0, 1, 0, 1}},
    {"Gather",
     "[2, 3]",
     "{\"name\": \"a\", \"dtype\": \"int64\", \"shape\": [1, 2], \"data\": [2, -3]}",
     ", \"a\"",
     "\"axis\": 1",
     4,
     {2, 0, 5, 3}},
    {"Gather", "[3, 2]", LIST("a", "2", "-1, 0"), ", \"a\"", "", 4, {4, 5, 0, 1}},
    {"Trilu", "[3, 3]", "", "", "", 9, {0, 1, 2, 0, 4, 5, 0, 0, 8}},
    {"Trilu",
     "[1, 2, 3]",
     "{\"name\": \"k\", \"dtype\": \"int64\", \"shape\": [], \"data\": 1}",
     ", \"k\"",
     "\"upper\": 0",
     6,
     {0, 1, 0, 3, 4, 5}},
    {"DepthToSpace", "[1, 8, 1, 1]", "", "", "\"blocksize\": 2", 8, {0, 2, 4, 6, 1, 3, 5, 7}},
    {"DepthToSpace",
     "[1, 8, 1, 1]",
     "",
     "",
     "\"blocksize\": 2, \"mode\": \"CRD\"",
     8,
     {0, 1, 2, 3, 4, 5, 6, 7}},
    {"SpaceToDepth", "[1, 1, 2, 4]", "", "", "\"blocksize\": 2", 8, {0, 2, 1, 3, 4, 6, 5, 7}},
};

/* The interpreter gives what ONNX defines; the chip is compared with it everywhere else. */
static void try_example(const Example *e) {
    char text[2000];
    uint8_t *data[12] = {NULL};
    double *tolerance[12];
    int32_t numbers[40], in = -1, out = -1;
    TspGraph g;
    TspError err;
    snprintf(text, sizeof text,
             "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"int32\", \"shape\": %s}], "
             "\"initializers\": [%s], \"nodes\": [{\"op\": \"%s\", \"inputs\": [\"x\"%s], "
             "\"outputs\": [\"z\"], \"attributes\": {%s}}], \"outputs\": [\"z\"]}",
             e->shape, e->lists, e->op, e->inputs, e->attributes);
    if (!tsp_graph_parse(&g, text, strlen(text), "test.json", &err))
        ck_abort_msg("%s\n%s", err.text, text);
    for (int32_t i = 0; i < 40; i++) numbers[i] = i;
    for (int32_t v = 0; v < g.value_count; v++) {
        if (g.values[v].is_input) in = v;
        if (g.values[v].is_output) out = v;
    }
    data[in] = (uint8_t *)numbers;
    ck_assert_msg(tsp_interpret(&g, 320, data, tolerance, &err), "%s", err.text);
    ck_assert_msg(tsp_value_elements(&g.values[out]) == e->count, "%s", text);
    for (int32_t i = 0; i < e->count; i++)
        ck_assert_msg(tsp_load_int(TSP_I32, data[out], i) == e->want[i], "element %d of %s", (int)i,
                      text);
    free(data[out]);
    tsp_graph_free(&g);
}

START_TEST(operators_do_what_onnx_says) {
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) try_example(&examples[i]);
}
END_TEST

/* ---- random chains ---- */

typedef struct {
    Sheet sheet;
    Shape shape;
    int64_t most; /* elements */
    char name[16];
    TspDtype type;
} Chain;

static int64_t elements_of(const Shape *s) {
    int64_t n = 1;
    for (int32_t d = 0; d < s->rank; d++) n *= s->size[d];
    return n;
}

static Shape random_shape(int32_t lanes, int64_t most) {
    Shape s;
    do {
        s.rank = pick(1, 5);
        for (int32_t d = 0; d < s.rank; d++) {
            const int32_t sizes[] = {
                1,     2,         3,         4,         pick(1, 12),       pick(1, 40),
                lanes, lanes + 1, lanes - 1, 2 * lanes, pick(1, 3 * lanes)};
            s.size[d] = sizes[random_below(11)];
        }
    } while (elements_of(&s) > most);
    return s;
}

static void add_node(Chain *c, const char *op, const char *more, const Shape *shape,
                     const char *attributes) {
    char inputs[100], output[20];
    if (elements_of(shape) > 3 * c->most) return;
    snprintf(inputs, sizeof inputs, "\"%s\"%s", c->name, more);
    snprintf(c->name, sizeof c->name, "v%d", (int)c->sheet.names++);
    snprintf(output, sizeof output, "\"%s\"", c->name);
    sheet_node(&c->sheet, op, inputs, output, attributes);
    c->shape = *shape;
}

static void add_reshape(Chain *c) {
    int64_t left = elements_of(&c->shape);
    Shape to = {.rank = pick(0, 4)};
    for (int32_t d = 0; d < to.rank; d++) {
        int64_t size = 1 + random_below((int32_t)left);
        while (left % size) size--;
        to.size[d] = size;
        left /= size;
    }
    to.size[to.rank++] = left;
    add_node(c, "Reshape", sheet_list(&c->sheet, to.rank, to.size).text, &to, "");
}

static void add_transpose(Chain *c) {
    int64_t perm[TSP_MAX_RANK];
    char text[200], attributes[220];
    Shape to = c->shape;
    for (int32_t d = 0; d < to.rank; d++) perm[d] = d;
    for (int32_t d = to.rank - 1; d > 0; d--) {
        int32_t e = random_below(d + 1);
        int64_t swap = perm[d];
        perm[d] = perm[e];
        perm[e] = swap;
    }
    for (int32_t d = 0; d < to.rank; d++) to.size[d] = c->shape.size[perm[d]];
    list_text(text, to.rank, perm);
    snprintf(attributes, sizeof attributes, "\"perm\": %s", text);
    add_node(c, "Transpose", "", &to, attributes);
}

static void add_slice(Chain *c) {
    const int64_t steps[] = {1, 1, 2, 3, -1, -2};
    int64_t axis = random_below(c->shape.rank), size = c->shape.size[axis];
    int64_t step = steps[random_below(6)], start = random_below((int32_t)size), end;
    Shape to = c->shape;
    char more[100];
    end = step > 0 ? pick((int32_t)start + 1, (int32_t)size)
                   : pick(-1, (int32_t)start - 1); /* -1: beyond the first */
    to.size[axis] = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
    if (end < 0) end = -INT32_MAX;
    if (to.size[axis] < 1) return;
    snprintf(more, sizeof more, "%s%s%s%s", sheet_list(&c->sheet, 1, &start).text,
             sheet_list(&c->sheet, 1, &end).text, sheet_list(&c->sheet, 1, &axis).text,
             sheet_list(&c->sheet, 1, &step).text);
    add_node(c, "Slice", more, &to, "");
}

static void add_split(Chain *c) {
    int32_t axis = random_below(c->shape.rank), taken = pick(0, 1);
    int64_t size = c->shape.size[axis], lengths[2];
    char inputs[100], outputs[60], attributes[40];
    if (size < 2) return;
    lengths[0] = pick(1, (int32_t)size - 1);
    lengths[1] = size - lengths[0];
    snprintf(inputs, sizeof inputs, "\"%s\"%s", c->name, sheet_list(&c->sheet, 2, lengths).text);
    snprintf(outputs, sizeof outputs, "\"p%d\", \"q%d\"", (int)c->sheet.names, (int)c->sheet.names);
    snprintf(c->name, sizeof c->name, "%c%d", taken ? 'q' : 'p', (int)c->sheet.names++);
    snprintf(attributes, sizeof attributes, "\"axis\": %d", (int)axis - c->shape.rank);
    sheet_node(&c->sheet, "Split", inputs, outputs, attributes);
    c->shape.size[axis] = lengths[taken];
}

static void add_repeated(Chain *c, bool expand) {
    int64_t numbers[TSP_MAX_RANK];
    Shape to = c->shape;
    for (int32_t d = 0; d < to.rank; d++) {
        numbers[d] = one_in(2) && (!expand || to.size[d] == 1) ? pick(2, 3) : 1;
        to.size[d] *= numbers[d];
        if (expand) numbers[d] = to.size[d];
    }
    add_node(c, expand ? "Expand" : "Tile", sheet_list(&c->sheet, to.rank, numbers).text, &to, "");
}

static void add_concat(Chain *c) {
    int32_t axis = random_below(c->shape.rank), copies = pick(1, 2);
    char more[60], attributes[40];
    Shape to = c->shape;
    snprintf(more, sizeof more, copies == 1 ? ", \"%s\"" : ", \"%s\", \"%s\"", c->name, c->name);
    snprintf(attributes, sizeof attributes, "\"axis\": %d", (int)axis);
    to.size[axis] *= copies + 1;
    add_node(c, "Concat", more, &to, attributes);
}

static void add_pad(Chain *c) {
    int64_t pads[2 * TSP_MAX_RANK];
    Shape to = c->shape;
    char more[60];
    bool filled = one_in(2);
    for (int32_t d = 0; d < to.rank; d++) {
        pads[d] = to.size[d] > 2 ? pick(-1, 3) : pick(0, 3);
        pads[to.rank + d] = pick(0, 2);
        to.size[d] += pads[d] + pads[to.rank + d];
    }
    snprintf(more, sizeof more, "%s%s", sheet_list(&c->sheet, 2 * to.rank, pads).text,
             filled ? ", \"five\"" : "");
    add_node(c, "Pad", more, &to, "");
}

static void add_gather(Chain *c) {
    int32_t axis = random_below(c->shape.rank), count = pick(1, 6);
    int64_t indices[6];
    Shape to = c->shape;
    char attributes[40];
    for (int32_t i = 0; i < count; i++)
        indices[i] = pick((int32_t)-to.size[axis], (int32_t)to.size[axis] - 1);
    to.size[axis] = count;
    snprintf(attributes, sizeof attributes, "\"axis\": %d", (int)axis);
    add_node(c, "Gather", sheet_list(&c->sheet, count, indices).text, &to, attributes);
}

static void add_trilu(Chain *c) {
    int64_t diagonal = pick(-3, 3);
    if (c->shape.rank >= 2)
        add_node(c, "Trilu", sheet_list(&c->sheet, 1, &diagonal).text, &c->shape,
                 one_in(2) ? "\"upper\": 0" : "");
}

static void add_blocks(Chain *c) {
    Shape to = c->shape;
    if (to.rank != 4) return;
    if (to.size[1] % 4 == 0 && one_in(2)) {
        to.size[1] /= 4, to.size[2] *= 2, to.size[3] *= 2;
        add_node(c, "DepthToSpace", "", &to,
                 one_in(2) ? "\"blocksize\": 2" : "\"blocksize\": 2, \"mode\": \"CRD\"");
    } else if (to.size[2] % 2 == 0 && to.size[3] % 2 == 0) {
        to.size[1] *= 4, to.size[2] /= 2, to.size[3] /= 2;
        add_node(c, "SpaceToDepth", "", &to, "\"blocksize\": 2");
    }
}

static void add_repeats(Chain *c) {
    add_repeated(c, one_in(2));
}

static void add_elementwise(Chain *c) {
    add_node(c, c->type == TSP_BOOL ? "Not" : "Abs", "", &c->shape, "");
}

static void (*const additions[])(Chain *c) = {
    add_reshape, add_reshape, add_transpose, add_transpose, add_slice, add_slice,  add_split,
    add_repeats, add_concat,  add_pad,       add_gather,    add_trilu, add_blocks, add_elementwise,
};
enum { ADDITIONS = sizeof additions / sizeof additions[0] };

static void try_chain(const TspMachine *m, int64_t most) {
    Chain *c = calloc(1, sizeof *c);
    int32_t nodes = pick(1, 5);
    TspGraph g;
    c->type = (TspDtype)random_below(TSP_DTYPE_COUNT);
    c->most = most;
    c->shape = random_shape(tsp_lanes(m), most);
    strcpy(c->name, "x");
    sheet_input(&c->sheet, "x", c->type, &c->shape);
    append(c->sheet.lists, sizeof c->sheet.lists,
           "{\"name\": \"five\", \"dtype\": \"%s\", \"shape\": [], \"data\": %s}",
           tsp_dtype_name(c->type), c->type == TSP_BOOL ? "true" : "5");
    for (int32_t i = 0; i < nodes; i++) additions[random_below(ADDITIONS)](c);
    add_node(c, "Identity", "", &c->shape, "");
    append(c->sheet.outputs, sizeof c->sheet.outputs, "\"%s\"", c->name);
    sheet_parse(&c->sheet, &g);
    run_graph(&g, m, c->sheet.text);
    tsp_graph_free(&g);
    free(c);
}

START_TEST(chains_on_the_small_machine) {
    TspMachine m = builtin("tiny");
    random_start();
    m.mem_rows *= 4; /* narrow tensors take a row an element */
    for (int32_t i = 0; i < scaled(400); i++) try_chain(&m, pick(1, 3) * 300);
}
END_TEST

START_TEST(chains_on_the_large_machine) {
    TspMachine m = builtin("tsp1");
    random_start();
    for (int32_t i = 0; i < scaled(60); i++) try_chain(&m, one_in(4) ? 20000 : 2000);
}
END_TEST

/* Partial sums are added up by the VXM. */
START_TEST(chains_without_accumulators) {
    TspMachine m = builtin("tiny");
    random_start();
    m.mem_rows *= 4; /* narrow tensors take a row an element */
    m.mxm_accumulator_rows = 0;
    for (int32_t i = 0; i < scaled(100); i++) try_chain(&m, 300);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("movement");
    TCase *tests = tcase_create("movement");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, operators_do_what_onnx_says);
    tcase_add_test(tests, chains_on_the_small_machine);
    tcase_add_test(tests, chains_on_the_large_machine);
    tcase_add_test(tests, chains_without_accumulators);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
