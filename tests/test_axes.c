/* test_axes.c - reductions over any axes, ArgMax, ArgMin and Softmax: on the chip, by the host
 * interpreter, and by plain loops here.
 */
#include "graph_case.h"

#include <math.h>

enum { MOST_RANK = 4 };

/* A node along axes of a tensor "x". */
typedef struct {
    const char *op;
    TspDtype type;
    int32_t rank, shape[MOST_RANK];
    bool along[MOST_RANK];
    bool keepdims;
} Node;

static const char *const sums[] = {"ReduceSum",  "ReduceMean",      "ReduceMax", "ReduceMin",
                                   "ReduceProd", "ReduceSumSquare", "ReduceL1",  "ReduceL2"};
static const char *const single[] = {"ArgMax", "ArgMin", "Softmax"};
enum { SUMS = sizeof sums / sizeof *sums, SINGLE = sizeof single / sizeof *single };

static bool is_one_of(const char *op, const char *list) {
    return strstr(list, op) != NULL;
}

static bool takes(const char *op, TspDtype type) {
    if (is_one_of(op, "ReduceMax ReduceMin ArgMax ArgMin")) return type != TSP_BOOL;
    if (is_one_of(op, "ReduceMean ReduceL2 Softmax")) return tsp_dtype_is_float(type);
    return tsp_dtype_is_float(type) || type == TSP_I32;
}

static bool takes_one_axis(const char *op) {
    return is_one_of(op, "ArgMax ArgMin Softmax");
}

/* ---- what the nodes mean ---- */

/* What a vector of numbers comes to. */
static double reduced(const char *op, const double *x, int32_t n) {
    double sum = 0, squares = 0, magnitudes = 0, product = 1;
    int32_t high = 0, low = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
        magnitudes += fabs(x[i]);
        product *= x[i];
        if (x[i] > x[high]) high = i;
        if (x[i] < x[low]) low = i;
    }
    if (!strcmp(op, "ReduceSum")) return sum;
    if (!strcmp(op, "ReduceMean")) return sum / n;
    if (!strcmp(op, "ReduceMax")) return x[high];
    if (!strcmp(op, "ReduceMin")) return x[low];
    if (!strcmp(op, "ReduceProd")) return product;
    if (!strcmp(op, "ReduceSumSquare")) return squares;
    if (!strcmp(op, "ReduceL1")) return magnitudes;
    if (!strcmp(op, "ReduceL2")) return sqrt(squares);
    return !strcmp(op, "ArgMax") ? high : low;
}

static int32_t product_of(const Node *n, bool along) {
    int32_t product = 1;
    for (int32_t d = 0; d < n->rank; d++)
        if (n->along[d] == along) product *= n->shape[d];
    return product;
}

/* Element of x that is the i-th of those that stand along (across) the axes, from the first on. */
static int32_t place(const Node *n, bool along, int32_t i) {
    int32_t stride = 1, at = 0;
    for (int32_t d = n->rank - 1; d >= 0; d--) {
        if (n->along[d] == along) {
            at += i % n->shape[d] * stride;
            i /= n->shape[d];
        }
        stride *= n->shape[d];
    }
    return at;
}

/* Integers are exact; whole numbers in float, as long as they are small; else within `off`. */
static void check_number(const Case *c, int32_t at, double want, double off) {
    double got = tsp_load_double(c->z->dtype, c->got, at);
    if (c->z->dtype == TSP_I32 && c->x[0]->dtype == TSP_I32 && fabs(want) > 0x1p31) return;
    ck_assert_msg(fabs(got - want) <= off, "%s: element %d is %.9g, want %.9g", c->label, at, got,
                  want);
}

static void check_softmax(const Case *c, const Node *n, int32_t base, const double *x,
                          int32_t count) {
    double sum = 0, high = x[0];
    for (int32_t k = 1; k < count; k++) high = fmax(high, x[k]);
    for (int32_t k = 0; k < count; k++) sum += exp(x[k] - high);
    for (int32_t k = 0; k < count; k++)
        check_number(c, base + place(n, true, k), exp(x[k] - high) / sum,
                     n->type == TSP_F16 ? 0x1p-11 : 0x1p-19);
}

static void check_plainly(const Case *c, const Node *n) {
    int32_t count = product_of(n, true), results = product_of(n, false);
    double *x = malloc((size_t)count * sizeof *x);
    for (int32_t i = 0; i < results; i++) {
        int32_t base = place(n, false, i);
        for (int32_t k = 0; k < count; k++)
            x[k] = tsp_load_double(n->type, c->in[0], base + place(n, true, k));
        if (!strcmp(n->op, "Softmax")) {
            check_softmax(c, n, base, x, count);
        } else {
            double want = reduced(n->op, x, count), off = fabs(want) * 0x1p-20;
            if (n->type == TSP_F16) off = fabs(want) * 0x1p-10 + 0x1p-20;
            if (n->type == TSP_F16 && fabs(want) > 65000) continue;
            check_number(c, i, want, c->z->dtype == TSP_I32 ? 0 : off);
        }
    }
    free(x);
}

/* ---- the cases ---- */

/* Small whole numbers, for products most of them 1 and -1. */
static void fill_for(Case *c, const Node *n) {
    const int64_t elements = tsp_value_elements(c->x[0]);
    const bool product = !strcmp(n->op, "ReduceProd"), soft = !strcmp(n->op, "Softmax");
    const int32_t middle = 8 * (random_below(3) - 1);
    c->in[0] = calloc((size_t)tsp_value_bytes(c->x[0]), 1);
    for (int64_t k = 0; k < elements; k++) {
        int32_t v = middle + random_below(15) - 7;
        if (product) v = random_below(800) ? 1 - 2 * random_below(2) : 0;
        if (product && k < 9) v = 2; /* with many of them, partial products overflow */
        if (n->type == TSP_U8 && v < 0) v = -v;
        if (!tsp_dtype_is_float(n->type))
            tsp_store_int(n->type, c->in[0], k, v);
        else
            tsp_store_float(n->type, c->in[0], k, soft ? v * 0.375 : v);
    }
}

static void node_text(const Node *n, char *text, size_t size) {
    char axes[40] = "", *at = axes;
    for (int32_t d = 0; d < n->rank; d++)
        if (n->along[d])
            at += sprintf(at, at > axes ? ", %d" : "%d", random_below(2) ? d : d - n->rank);
    if (!strcmp(n->op, "Softmax"))
        snprintf(text, size,
                 "{\"op\": \"Softmax\", \"inputs\": [\"x\"], \"outputs\": [\"z\"], "
                 "\"attributes\": {\"axis\": %s}}",
                 axes);
    else
        snprintf(text, size,
                 "{\"op\": \"%s\", \"inputs\": [\"x\"], \"outputs\": [\"z\"], \"attributes\": "
                 "{\"keepdims\": %d, \"%s\": %s%s%s}}",
                 n->op, n->keepdims, takes_one_axis(n->op) ? "axis" : "axes",
                 takes_one_axis(n->op) ? "" : "[", axes, takes_one_axis(n->op) ? "" : "]");
}

static void shape_text(const Node *n, char *text) {
    text += sprintf(text, "[");
    for (int32_t d = 0; d < n->rank; d++) text += sprintf(text, d ? ", %d" : "%d", n->shape[d]);
    sprintf(text, "]");
}

static void try_node_on(const Node *n, const TspMachine *m) {
    char nodes[300], shape[60];
    Case c = {0};
    node_text(n, nodes, sizeof nodes);
    shape_text(n, shape);
    make_graph(&c, n->type, shape, 1, nodes);
    fill_for(&c, n);
    simulate_on(&c, m);
    interpret_on(&c, m);
    check_plainly(&c, n);
    free_case(&c);
}

static void try_node(const Node *n, const char *machine_name) {
    const TspMachine m = machine(machine_name);
    try_node_on(n, &m);
}

static const TspDtype types[] = {TSP_I8, TSP_U8, TSP_I16, TSP_I32, TSP_F16, TSP_F32};

static TspDtype type_for(const char *op) {
    TspDtype type;
    do {
        type = types[random_below(6)];
    } while (!takes(op, type));
    return type;
}

/* Lengths about those of vectors now and then, of a dimension that the chip has as lanes, or turns
 * into them. */
static Node random_node(const char *op, int32_t lanes, int32_t most) {
    Node n = {.op = op, .type = type_for(op), .rank = pick(1, MOST_RANK)};
    int32_t long_one = random_below(2) ? n.rank - 1 - random_below(n.rank > 1 ? 2 : 1) : -1;
    int32_t elements = 1;
    bool any = false;
    for (int32_t d = 0; d < n.rank; d++) {
        n.shape[d] = pick(1, 7);
        if (d == long_one)
            n.shape[d] = random_below(3) ? lanes - 1 + random_below(3) : 2 * lanes;
        else if (elements * 30 < most && one_in(4))
            n.shape[d] = pick(8, 30);
        if (elements * n.shape[d] > 2 * most) n.shape[d] = pick(1, 2);
        elements *= n.shape[d];
    }
    if (takes_one_axis(op)) {
        n.along[random_below(n.rank)] = any = true;
    } else {
        for (int32_t d = 0; d < n.rank; d++) any |= n.along[d] = random_below(2);
    }
    if (!any) n.along[random_below(n.rank)] = true;
    n.keepdims = random_below(2);
    return n;
}

static void try_random_nodes(const char *const *ops, int32_t count, int32_t rounds) {
    for (int32_t i = 0; i < rounds; i++) {
        bool tiny = random_below(3) > 0;
        TspMachine m = machine(tiny ? "tiny" : "tsp1");
        Node n = random_node(ops[i % count], tsp_lanes(&m), tiny ? 300 : 20000);
        try_node(&n, m.name);
    }
}

START_TEST(reductions_over_any_axes) {
    random_start();
    try_random_nodes(sums, SUMS, 400);
}
END_TEST

START_TEST(indices_and_softmax_along_any_axis) {
    random_start();
    try_random_nodes(single, SINGLE, 150);
}
END_TEST

/* Every set of axes of every rank, on both machines. */
START_TEST(every_set_of_axes) {
    random_start();
    for (int32_t rank = 1; rank <= MOST_RANK; rank++)
        for (int32_t set = 1; set < 1 << rank; set++)
            for (int32_t kind = 0; kind < 4; kind++) {
                Node n = {.op = sums[random_below(SUMS)], .rank = rank, .keepdims = kind & 1};
                n.type = type_for(n.op);
                for (int32_t d = 0; d < rank; d++) n.shape[d] = pick(2, 5);
                for (int32_t d = 0; d < rank; d++) n.along[d] = set >> d & 1;
                try_node(&n, kind & 2 ? "tsp1" : "tiny");
            }
}
END_TEST

/* All of a long tensor, as a run of elements. */
START_TEST(long_tensors_to_one_number) {
    random_start();
    for (int32_t op = 0; op < SUMS; op++)
        for (int32_t kind = 0; kind < 4; kind++) {
            Node n = {.op = sums[op], .rank = 2, .along = {true, true}, .keepdims = kind & 1};
            n.type = type_for(n.op);
            n.shape[0] = 7;
            n.shape[1] = pick(600, 800);
            try_node(&n, kind & 2 ? "tsp1" : "tiny");
        }
}
END_TEST

/* Chains leave as many partial results as an ALU takes cycles. */
START_TEST(random_latencies) {
    random_start();
    for (int i = 0; i < 80; i++) {
        TspMachine m = machine(one_in(3) ? "tsp1" : "tiny");
        Node n = random_node(i % 2 ? sums[random_below(SUMS)] : single[random_below(SINGLE)],
                             tsp_lanes(&m), 300);
        m.mem_read_cycles = pick(1, 6);
        m.mem_write_cycles = pick(1, 9);
        m.vxm_entry_cycles = pick(0, 7);
        /* with more, 'tiny' cannot fold lanes */
        m.vxm_op_cycles = product_of(&n, false) > 1 && one_in(4) ? pick(10, 40) : pick(1, 6);
        m.vxm_exit_cycles = pick(0, 5);
        m.mem_slices_per_column = pick(1, 5);
        try_node_on(&n, &m);
    }
}
END_TEST

/* ---- beside other nodes ---- */

#define NODE(op, in, out, attributes)                                                              \
    "{\"op\": \"" op "\", \"inputs\": [" in "], \"outputs\": [\"" out "\"], \"attributes\": "      \
    "{" attributes "}}"

/* What is computed, turned, wanted both ways, broadcast, or multiplied. */
START_TEST(between_other_nodes) {
    static const struct {
        const char *shape;
        int inputs;
        const char *nodes;
    } graphs[] = {
        {"[3, 5, 7]", 1,
         NODE("Relu", "\"x\"", "r", "") ", " NODE("Softmax", "\"r\"", "z", "\"axis\": -1")},
        {"[3, 5, 7]", 2,
         NODE("Add", "\"x\", \"y\"", "s",
              "") ", " NODE("Softmax", "\"s\"", "p", "") ", " NODE("Mul", "\"p\", \"x\"", "z", "")},
        {"[6, 6]", 2,
         NODE("MatMul", "\"x\", \"y\"", "s", "") ", " NODE("Softmax", "\"s\"", "p", "") ", " NODE(
             "MatMul", "\"p\", \"y\"", "z", "")},
        {"[2, 6, 6]", 2,
         NODE("MatMul", "\"x\", \"y\"", "s", "") ", " NODE("Softmax", "\"s\"", "p", "") ", " NODE(
             "MatMul", "\"y\", \"p\"", "z", "")},
        /* K runs along the lanes of both, so what is beyond their columns must be zero */
        {"[6, 6]", 2,
         NODE("Softmax", "\"x\"", "p", "\"axis\": 0") ", " NODE(
             "Softmax", "\"y\"", "q", "\"axis\": 1") ", " NODE("MatMul", "\"p\", \"q\"", "z", "")},
        {"[4, 9]", 1,
         NODE("ReduceMean", "\"x\"", "m", "\"axes\": [-1]") ", " NODE(
             "Sub", "\"x\", \"m\"", "d", "") ", " NODE("ReduceL2", "\"d\"", "z", "\"axes\": [-1]")},
        {"[4, 9]", 1,
         NODE("ReduceMax", "\"x\"", "m", "\"axes\": [0]") ", " NODE("Sub", "\"x\", \"m\"", "z",
                                                                    "")},
        {"[8, 8]", 2,
         NODE("MatMul", "\"x\", \"w\"", "s", "") ", " NODE("ReduceSum", "\"s\"", "t", "") ", " NODE(
             "Mul", "\"t\", \"y\"", "z", "")},
        {"[7]", 2,
         NODE("Softmax", "\"x\"", "p", "") ", " NODE("ReduceSum", "\"p\"", "t",
                                                     "") ", " NODE("Mul", "\"t\", \"y\"", "z", "")},
        {"[3, 4, 5]", 1, NODE("ReduceSum", "\"x\", \"axes\"", "z", "\"keepdims\": 0")},
        {"[3, 4, 5]", 1, NODE("ReduceSumSquare", "\"x\"", "z", "\"noop_with_empty_axes\": 1")},
    };
    random_start();
    for (size_t round = 0; round < 6 * sizeof graphs / sizeof *graphs; round++) {
        size_t i = round / 6;
        const char *name = random_below(2) ? "tsp1" : "tiny";
        Case c = {0};
        make_graph(&c, round % 2 ? TSP_F16 : TSP_F32, graphs[i].shape, graphs[i].inputs,
                   graphs[i].nodes);
        fill(&c, false);
        simulate(&c, name);
        interpret(&c, name);
        free_case(&c);
    }
}
END_TEST

/* ---- numbers that are none, and the ends of types ---- */

static void run_numbers(Case *c, TspDtype type, const char *nodes, const double *x, int32_t count,
                        const char *name) {
    char shape[40];
    snprintf(shape, sizeof shape, "[2, %d]", count);
    make_graph(c, type, shape, 1, nodes);
    c->in[0] = calloc((size_t)tsp_value_bytes(c->x[0]), 1);
    for (int32_t i = 0; i < 2 * count; i++)
        tsp_store_float(type, c->in[0], i, i < count ? x[i] : 1);
    simulate(c, name);
    interpret(c, name);
}

START_TEST(softmax_of_extreme_numbers) {
    static const double rows[][3] = {{-INFINITY, -INFINITY, -INFINITY},
                                     {-INFINITY, 0, 1},
                                     {65504, 65504, -65504},
                                     {NAN, 1, 2},
                                     {INFINITY, 1, 2}};
    for (int i = 0; i < 20; i++) {
        const double *x = rows[i / 4];
        TspDtype type = i % 2 ? TSP_F16 : TSP_F32;
        Case c = {0};
        run_numbers(&c, type, NODE("Softmax", "\"x\"", "z", ""), x, 3, i & 2 ? "tsp1" : "tiny");
        for (int k = 0; k < 3; k++) {
            double got = tsp_load_double(type, c.got, k);
            if (x[0] != x[0] || isinf(x[2]) || x[0] == INFINITY)
                ck_assert_msg(got != got, "%s: %g", c.label, got);
            else if (x[k] == -INFINITY || x[k] == -65504)
                ck_assert_msg(got == 0, "%s: %g", c.label, got);
        }
        ck_assert(fabs(tsp_load_double(type, c.got, 3) - 1.0 / 3) < 0x1p-10);
        free_case(&c);
    }
}
END_TEST

/* A vector of many rows, of ordinary numbers and with one at its end that is none. */
START_TEST(softmax_of_long_vectors) {
    static const double last[] = {1, -INFINITY, INFINITY, NAN};
    random_start();
    for (int i = 0; i < 16; i++) {
        const char *const on = i % 2 ? "tsp1" : "tiny";
        const TspDtype type = i & 2 ? TSP_F16 : TSP_F32;
        const int32_t elements = (i % 2 ? 1300 : 70) + random_below(i % 2 ? 4000 : 300);
        const double end = last[i / 4];
        char shape[40];
        double sum = 0;
        Case c = {0};
        snprintf(shape, sizeof shape, i & 4 ? "[1, %d]" : "[%d, 1, 1]", (int)elements);
        make_graph(&c, type, shape, 1,
                   i & 4 ? NODE("Softmax", "\"x\"", "z", "")
                         : NODE("Softmax", "\"x\"", "z", "\"axis\": 0"));
        fill(&c, false);
        tsp_store_float(type, c.in[0], elements - 1, end);
        simulate(&c, on);
        interpret(&c, on);
        for (int32_t k = 0; k < elements; k++) sum += tsp_load_double(type, c.got, k);
        ck_assert_msg(end != end || end > 1 ? sum != sum : fabs(sum - 1) < 0.02, "%s: %g", c.label,
                      sum);
        free_case(&c);
    }
}
END_TEST

START_TEST(indices_of_extreme_numbers) {
    static const double rows[][3] = {
        {-INFINITY, -INFINITY, -INFINITY}, {1, NAN, 2}, {-0.0, 0, -0.0}, {-1, -2, -1}};
    static const int32_t greatest[] = {0, 0, 0, 0}, least[] = {0, 0, 0, 1};
    for (int i = 0; i < 16; i++) {
        bool most = i & 1;
        Case c = {0};
        run_numbers(&c, i & 2 ? TSP_F16 : TSP_F32,
                    most ? NODE("ArgMax", "\"x\"", "z", "\"axis\": 1")
                         : NODE("ArgMin", "\"x\"", "z", "\"axis\": 1"),
                    rows[i / 4], 3, "tiny");
        if (i / 4 != 2) /* whether +0 is greater than -0 is left open */
            ck_assert_int_eq(tsp_load_int(TSP_I32, c.got, 0),
                             most ? greatest[i / 4] : least[i / 4]);
        free_case(&c);
    }
}
END_TEST

/* ---- how fast ---- */

/* `most`: cycles that the run may take. */
static void try_cycles(const Node *n, int64_t most) {
    char nodes[300], shape[60];
    Case c = {0};
    node_text(n, nodes, sizeof nodes);
    shape_text(n, shape);
    make_graph(&c, n->type, shape, 1, nodes);
    fill_for(&c, n);
    simulate(&c, "tsp1");
    interpret(&c, "tsp1");
    ck_assert_msg(c.p.predicted_cycles <= most, "%s: %" PRId64 " cycles", c.label,
                  c.p.predicted_cycles);
    free_case(&c);
}

START_TEST(many_rows_run_side_by_side) {
    random_start();
    try_cycles(&(Node){"Softmax", TSP_F16, 3, {12, 128, 128}, {false, false, true}, true}, 1100);
    try_cycles(&(Node){"ReduceSum", TSP_F32, 2, {4096, 320}, {true, false}, true}, 380);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("axes");
    TCase *tests = tcase_create("axes");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, reductions_over_any_axes);
    tcase_add_test(tests, indices_and_softmax_along_any_axis);
    tcase_add_test(tests, every_set_of_axes);
    tcase_add_test(tests, long_tensors_to_one_number);
    tcase_add_test(tests, random_latencies);
    tcase_add_test(tests, between_other_nodes);
    tcase_add_test(tests, softmax_of_extreme_numbers);
    tcase_add_test(tests, softmax_of_long_vectors);
    tcase_add_test(tests, indices_of_extreme_numbers);
    tcase_add_test(tests, many_rows_run_side_by_side);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
