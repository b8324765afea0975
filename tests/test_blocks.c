/* test_blocks.c - products that hand blocks of rows on, and products whose K tiles come one after
 * the other: legal, as long as predicted, and the values of the host interpreter.
 */
#include "graph_case.h"

/* x [rows, depth] through a product of `wide` columns, what is element-wise and takes long, and a
 * product of `cols` columns. */
typedef struct {
    TspDtype type; /* of the operands of both */
    int32_t rows, depth, wide, cols;
} Shape;

static void parse(Case *c, const Shape *s) {
    static const char *const whole =
        "{\"op\": \"MatMulInteger\", \"inputs\": [\"x\", \"w1\"], \"outputs\": [\"p\"]}, "
        "{\"op\": \"Cast\", \"inputs\": [\"p\"], \"outputs\": [\"f\"], \"attributes\": {\"to\": "
        "\"float32\"}}, {\"op\": \"Gelu\", \"inputs\": [\"f\"], \"outputs\": [\"g\"], "
        "\"attributes\": {\"approximate\": \"tanh\"}}, {\"op\": \"Clip\", \"inputs\": [\"g\", "
        "\"low\", \"high\"], \"outputs\": [\"q\"]}, {\"op\": \"Cast\", \"inputs\": [\"q\"], "
        "\"outputs\": [\"i\"], \"attributes\": {\"to\": \"int8\"}}, {\"op\": \"MatMulInteger\", "
        "\"inputs\": [\"i\", \"w2\"], \"outputs\": [\"z\"]}";
    static const char *const real =
        "{\"op\": \"MatMul\", \"inputs\": [\"x\", \"w1\"], \"outputs\": [\"p\"]}, {\"op\": "
        "\"Gelu\", \"inputs\": [\"p\"], \"outputs\": [\"g\"], \"attributes\": {\"approximate\": "
        "\"tanh\"}}, {\"op\": \"MatMul\", \"inputs\": [\"g\", \"w2\"], \"outputs\": [\"z\"]}";
    const char *type = tsp_dtype_name(s->type);
    char text[3000];
    TspError err;
    int length = snprintf(
        text, sizeof text,
        "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"%s\", \"shape\": [%d, %d]}], "
        "\"initializers\": [{\"name\": \"w1\", \"dtype\": \"%s\", \"shape\": [%d, %d], "
        "\"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}}, {\"name\": \"w2\", \"dtype\": "
        "\"%s\", \"shape\": [%d, %d], \"random\": {\"seed\": 2, \"low\": -2, \"high\": 2}}, "
        "{\"name\": \"low\", \"dtype\": \"float32\", \"shape\": [], \"data\": -100}, {\"name\": "
        "\"high\", \"dtype\": \"float32\", \"shape\": [], \"data\": 100}], \"nodes\": [%s], "
        "\"outputs\": [\"z\"]}",
        type, s->rows, s->depth, type, s->depth, s->wide, type, s->wide, s->cols,
        s->type == TSP_I8 ? whole : real);
    snprintf(c->label, sizeof c->label, "%s %d x %d x %d x %d", type, s->rows, s->depth, s->wide,
             s->cols);
    if (!tsp_graph_parse(&c->g, text, (size_t)length, "test.json", &err))
        ck_abort_msg("%s: %s", c->label, err.text);
    for (int32_t v = 0; v < c->g.value_count; v++) {
        if (!strcmp(c->g.values[v].name, "x")) c->x[0] = &c->g.values[v];
        if (!strcmp(c->g.values[v].name, "z")) c->z = &c->g.values[v];
    }
}

/* Runs it and leaves the program. */
static void run_shape(Case *c, const Shape *s, const TspMachine *m) {
    parse(c, s);
    fill(c, false);
    simulate_on(c, m);
    interpret_on(c, m);
}

/* Operands that several runs bring. */
static int32_t shared_operands(const TspProgram *p) {
    int32_t shared = 0;
    for (int32_t i = 1; i < p->link_count; i++)
        shared += p->links[i].consumer == p->links[i - 1].consumer &&
                  p->links[i].operand == p->links[i - 1].operand;
    return shared;
}

/* The last accumulator row that a run of sums begins with. */
static int32_t last_sum(const TspProgram *p) {
    int32_t last = 0;
    for (int32_t q = 0; q < tsp_queue_count(&p->machine); q++)
        for (int32_t i = 0; i < p->queues[q].count; i++) {
            TspInsn insn;
            TspError err;
            if (!tsp_decode(p->queues[q].words[i], &insn, &err)) ck_abort_msg("%s", err.text);
            if (insn.op == TSP_OP_ACC && insn.row > last) last = insn.row;
        }
    return last;
}

/* The hidden layer of a transformer: the second product begins on the first K tiles, and while it
 * waits for others goes on with the next column tile. */
START_TEST(known_shape) {
    const TspMachine m = machine("tsp1");
    const Shape shape = {TSP_I8, 128, 320, 1600, 2560};
    Case c = {.label = ""};
    random_start();
    run_shape(&c, &shape, &m);
    ck_assert_int_gt(shared_operands(&c.p), 0);
    ck_assert_int_ge(last_sum(&c.p), shape.rows);
    free_case(&c);
}
END_TEST

static int scaled(int cases) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small") ? cases / 5 + 1 : cases;
}

static void random_shapes(const char *name, int cases, int32_t lanes) {
    random_start();
    for (int i = 0; i < cases; i++) {
        static const int32_t sums[] = {640, 64, 5, 1};
        TspMachine m = machine(name);
        const Shape shape = {one_in(2) ? TSP_I8 : TSP_F16, pick(100, 300), pick(1, 2 * lanes),
                             pick(lanes, 6 * lanes), pick(1, 4 * lanes)};
        Case c = {.label = ""};
        m.mem_rows = 4096;
        m.mxm_accumulator_rows = sums[random_below(4)];
        run_shape(&c, &shape, &m);
        free_case(&c);
    }
}

START_TEST(random_shapes_tsp1) {
    random_shapes("tsp1", scaled(6), 320);
}
END_TEST

START_TEST(random_shapes_tiny) {
    const TspMachine m = machine("tiny");
    random_shapes("tiny", scaled(40), tsp_lanes(&m));
}
END_TEST

int main(void) {
    Suite *s = suite_create("blocks");
    TCase *c = tcase_create("blocks");
    tcase_set_timeout(c, 900);
    tcase_add_test(c, known_shape);
    tcase_add_test(c, random_shapes_tsp1);
    tcase_add_test(c, random_shapes_tiny);
    suite_add_tcase(s, c);
    return run_suite(s);
}
