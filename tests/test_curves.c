/* test_curves.c - the steps of curves on all halfs and many floats, by the arithmetic of the lanes,
 * against the host interpreter: within its tolerance, and within the units of error stated in
 * docs/graph-format.md.
 */
#include "compiler/interpret.h"
#include "compiler/interpret/interpret_rule.h"
#include "compiler/expand/build.h"
#include "compiler/curve/curve.h"
#include "compiler/number.h"
#include "sim/lanes.h"

#include "seeded.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096, HALFS = 1 << 16 };

/* A graph of one node, inputs x and y, of n elements each. */
typedef struct {
    TspGraph g;
    Build built; /* what is known worked out */
    Curve curve;
    const TspNode *node;
    TspDtype type;
    int32_t inputs, n;
    uint8_t *in[2], *got;
    char label[120];
} Case;

static void open_case(Case *c, const char *op, const char *attributes, TspDtype type,
                      int32_t inputs, int32_t n) {
    char text[1000];
    TspError err;
    const char *dtype = tsp_dtype_name(type);
    int length = snprintf(
        text, sizeof text,
        "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"%s\", \"shape\": [%d]}, {\"name\": \"y\", "
        "\"dtype\": \"%s\", \"shape\": [%d]}], \"initializers\": [{\"name\": \"k\", \"dtype\": "
        "\"float32\", \"shape\": [], \"data\": %s}], \"nodes\": [{\"op\": \"%s\", \"inputs\": "
        "[\"x\"%s], \"outputs\": [\"z\"], \"attributes\": {%s}}], \"outputs\": [\"z\"]}",
        dtype, n, dtype, n, inputs == 0 ? attributes : "0", op,
        inputs == 2   ? ", \"y\""
        : inputs == 0 ? ", \"k\""
                      : "",
        inputs == 0 ? "" : attributes);
    *c = (Case){.type = type, .inputs = inputs == 2 ? 2 : 1, .n = n};
    snprintf(c->label, sizeof c->label, "%s %s %s", op, dtype, attributes);
    if (!tsp_graph_parse(&c->g, text, (size_t)length, "test.json", &err))
        ck_abort_msg("%s: %s", c->label, err.text);
    ck_assert(build_graph(&c->built, &c->g, 320, &err));
    c->node = &c->built.graph.nodes[0];
    c->curve = (Curve){.node = c->node, .graph = &c->built.graph, .ones = from_none()};
    for (int32_t i = 0; i < c->inputs; i++) c->curve.in[i] = (From){FROM_OPERAND, i};
    curve_write(&c->curve);
    ck_assert_int_lt(c->curve.step_count, CURVE_STEPS);
    for (int32_t i = 0; i < 2; i++) c->in[i] = calloc((size_t)n, sizeof(uint32_t));
    c->got = calloc((size_t)n, sizeof(uint32_t));
}

static void close_case(Case *c) {
    build_free(&c->built);
    tsp_graph_free(&c->g);
    free(c->in[0]);
    free(c->in[1]);
    free(c->got);
}

/* ---- the machine's results ---- */

static uint32_t element(TspDtype type, const uint8_t *data, int64_t i) {
    uint32_t bits = 0;
    if (!tsp_dtype_is_float(type)) return (uint32_t)tsp_load_int(type, data, i);
    memcpy(&bits, data + i * tsp_dtype_bytes(type), (size_t)tsp_dtype_bytes(type));
    return bits;
}

/* An operand of a step as its type has it. */
static void take(const Case *c, const Step *s, From from, uint32_t (*results)[BLOCK], int32_t first,
                 int32_t count, uint32_t *reg) {
    const TspLanes *lanes = tsp_lanes_of(TSP_GEMM_AUTO);
    switch (from.kind) {
    case FROM_OPERAND:
        for (int32_t i = 0; i < count; i++) reg[i] = element(c->type, c->in[from.index], first + i);
        lanes->narrow(reg, reg, s->type, count);
        break;
    case FROM_STEP:
        lanes->narrow(reg, results[from.index], s->type, count);
        break;
    case FROM_IMM:
        lanes->fill(reg, s->imm, s->type, count);
        break;
    default:
        memset(reg, 0, (size_t)count * sizeof *reg);
    }
}

static void evaluate(Case *c) {
    static uint32_t results[CURVE_STEPS][BLOCK], a[BLOCK], b[BLOCK];
    const int32_t last = c->curve.step_count - 1, bytes = tsp_dtype_bytes(c->curve.result);
    for (int32_t first = 0; first < c->n; first += BLOCK) {
        const int32_t count = c->n - first < BLOCK ? c->n - first : BLOCK;
        for (int32_t k = 0; k <= last; k++) {
            const Step *s = &c->curve.steps[k];
            const TspInsn insn = {
                .op = s->op, .type = (int32_t)s->type, .type2 = (int32_t)s->type2};
            take(c, s, s->a, results, first, count, a);
            take(c, s, s->b, results, first, count, b);
            ck_assert_msg(tsp_lanes_op(&insn, a, b, results[k], count), "%s: step %d", c->label,
                          (int)k);
        }
        for (int32_t i = 0; i < count; i++)
            memcpy(c->got + (int64_t)(first + i) * bytes, &results[last][i], (size_t)bytes);
    }
}

/* ---- comparison ---- */

/* Distance in units of the result's type, infinity counted as the number after the last. */
static double units(TspDtype type, double want, double got) {
    const double end = type == TSP_F16 ? 0x1p16 : 0x1p128;
    if (want != want || got != got) return want != want && got != got ? 0 : INFINITY;
    want = fmin(fmax(want, -end), end);
    got = fmin(fmax(got, -end), end);
    return fabs(want - got) / tsp_ulp(type, fabs(want));
}

/* Greatest error in units, and where. */
static double greatest_error(const Case *c, int32_t *where) {
    const TspNode *node = &c->g.nodes[0];
    const Rule *rule = interpret_curve_rule(node);
    double most = 0;
    for (int32_t i = 0; i < c->n; i++) {
        Elements e = {.node = node, .type = c->curve.result};
        double found;
        for (int32_t k = 0; k < c->inputs; k++) e.x[k] = tsp_load_double(c->type, c->in[k], i);
        if (node->input_count > c->inputs)
            e.x[1] = tsp_load_double(TSP_F32, c->g.values[node->inputs[1]].data, 0);
        found = units(e.type, rule->value(&e), tsp_load_double(e.type, c->got, i));
        if (found > most) most = found, *where = i;
    }
    return most;
}

static void compare(Case *c, double most_units) {
    uint8_t *data[8] = {0};
    double *tolerance[8] = {0};
    TspError err;
    const int32_t z = c->g.nodes[0].output;
    int32_t where = 0;
    double most;
    ck_assert_int_le(c->g.value_count, 8);
    data[0] = c->in[0];
    data[1] = c->in[1];
    ck_assert(tsp_interpret(&c->g, 320, data, tolerance, &err));
    TspComparison found = tsp_compare(c->curve.result, c->n, data[z], c->got, tolerance[z]);
    if (!found.passed) {
        const int64_t i = found.first_bad;
        ck_abort_msg("%s of %.9g, %.9g: %.9g, want %.9g, may be %g off", c->label,
                     tsp_load_double(c->type, c->in[0], i), tsp_load_double(c->type, c->in[1], i),
                     tsp_load_double(c->curve.result, c->got, i),
                     tsp_load_double(c->curve.result, data[z], i),
                     tolerance[z] ? tolerance[z][i] : 0);
    }
    free(data[z]);
    free(tolerance[z]);
    if (!tsp_dtype_is_float(c->curve.result)) return;
    most = greatest_error(c, &where);
    if (getenv("CURVES_PRINT"))
        printf("%-40s %3d steps, %.3f units at %.9g, %.9g\n", c->label, (int)c->curve.step_count,
               most, tsp_load_double(c->type, c->in[0], where),
               tsp_load_double(c->type, c->in[1], where));
    ck_assert_msg(most <= most_units, "%s: %g units off at %.9g, %.9g", c->label, most,
                  tsp_load_double(c->type, c->in[0], where),
                  tsp_load_double(c->type, c->in[1], where));
}

/* ---- operands ---- */

static const uint32_t special_halfs[] = {0,      0x8000, 1,      0x8001, 0x3ff,  0x400,  0x83ff,
                                         0x3c00, 0xbc00, 0x3bff, 0x3c01, 0x7bff, 0xfbff, 0x7c00,
                                         0xfc00, 0x7e00, 0x4200, 0x3555, 0x4000, 0xc000, 0x3800};
static const uint32_t special_floats[] = {
    0,          0x80000000, 1,          0x80000001, 2,          0x007fffff, 0x00800000, 0x80800000,
    0x3f800000, 0xbf800000, 0x3f7fffff, 0x3f800001, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000,
    0x7fc00000, 0xffc00000, 0x40400000, 0x40000000, 0xc0000000, 0x3f000000, 0xbf000000, 0x7e800000,
    0x7f000000, 0x7e7fffff, 0x01000000, 0x4b000000, 0x4b000001, 0x4b7fffff, 0xcb000001, 0x4f000000,
    0xcf000000, 0x3fb504f3, 0x3f3504f3, 0x42b17218, 0xc2aeac50, 0x40200000, 0xc0600000, 0x007ffffe};
enum {
    SPECIAL_HALFS = sizeof special_halfs / sizeof *special_halfs,
    SPECIAL_FLOATS = sizeof special_floats / sizeof *special_floats,
    FLOATS = 1 << 19,
    PAIRS = 1 << 18
};

static void put(const Case *c, int32_t input, int32_t i, uint32_t bits) {
    const int32_t bytes = tsp_dtype_bytes(c->type);
    memcpy(c->in[input] + (int64_t)i * bytes, &bits, (size_t)bytes);
}

static uint32_t special(TspDtype type, int32_t i) {
    if (type == TSP_F16) return special_halfs[i % SPECIAL_HALFS];
    if (type == TSP_F32) return special_floats[i % SPECIAL_FLOATS];
    return (uint32_t)i;
}

/* CURVES_EXHAUSTIVE=1: all floats, part after part, minutes an operator. */
static bool exhaustive(void) {
    return getenv("CURVES_EXHAUSTIVE") != NULL;
}

/* All halfs, or the special floats and then some of every size and sign, an odd step apart. */
static uint32_t operand(TspDtype type, int32_t i, uint32_t part) {
    if (type == TSP_F16) return (uint32_t)i;
    if (exhaustive()) return part * FLOATS + (uint32_t)i;
    if (i < SPECIAL_FLOATS) return special_floats[i];
    return i < FLOATS - FLOATS / 4 ? (uint32_t)i * 10923u
                                   : 0x3c000000u + ((uint32_t)i * 523u & 0x87ffffffu);
}

static void fill_one(Case *c, uint32_t part) {
    for (int32_t i = 0; i < c->n; i++) put(c, 0, i, operand(c->type, i, part));
}

/* Special ones with each other, then any bits, then numbers of about the same size. */
static void fill_two(Case *c) {
    const int32_t count = c->type == TSP_F16 ? SPECIAL_HALFS : SPECIAL_FLOATS;
    const uint32_t size = c->type == TSP_F16 ? 0x3c00 : 0x3f800000;
    const uint32_t digits = c->type == TSP_F16 ? 0x83ff : 0x80ffffff;
    for (int32_t i = 0; i < c->n; i++)
        for (int32_t k = 0; k < 2; k++) {
            const uint32_t any = (uint32_t)(random_bits() >> 16);
            put(c, k, i,
                i < count * count ? special(c->type, k ? i / count : i % count)
                : i % 2           ? any
                                  : size ^ (any & digits));
        }
}

/* ---- tests ---- */

static void run_one(const char *op, const char *attributes, TspDtype type, double most) {
    Case c;
    const uint32_t parts = exhaustive() && type == TSP_F32 ? UINT32_MAX / FLOATS + 1 : 1;
    open_case(&c, op, attributes, type, 1, type == TSP_F16 ? HALFS : FLOATS);
    for (uint32_t part = 0; part < parts; part++) {
        fill_one(&c, part);
        evaluate(&c);
        compare(&c, most);
    }
    close_case(&c);
}

static void run_two(const char *op, TspDtype type, double most) {
    Case c;
    open_case(&c, op, "", type, 2, PAIRS);
    fill_two(&c);
    evaluate(&c);
    compare(&c, most);
    close_case(&c);
}

/* x to a known power. */
static void run_power(const char *exponent, TspDtype type, double most) {
    Case c;
    open_case(&c, "Pow", exponent, type, 0, type == TSP_F16 ? HALFS : FLOATS);
    fill_one(&c, 0);
    evaluate(&c);
    compare(&c, most);
    close_case(&c);
}

/* Greatest errors in units of the last place, of float16 and of float32; ANY where the tolerance is
 * one of the operand's size. */
enum { ANY = 1 << 30 };
static const struct {
    const char *op, *attributes;
    double halfs, floats;
} unary[] = {
    {"Reciprocal", "", 0.501, 0.751},
    {"Log", "", 0.52, 0.86},
    {"Erf", "", 0.501, 3.3},
    {"Gelu", "", ANY, ANY},
    {"Gelu", "\"approximate\": \"tanh\"", ANY, ANY},
    {"Floor", "", 0, 0},
    {"Ceil", "", 0, 0},
    {"Round", "", 0, 0},
    {"Sign", "", 0, 0},
    {"HardSigmoid", "", 0.501, 0},
    {"HardSwish", "", 0.501, 0},
    {"Softplus", "", 0.52, 3.5},
    {"Softsign", "", 0.501, 3.5},
    {"Mish", "", 0.52, ANY},
    {"Elu", "", 0.501, 4},
    {"Elu", "\"alpha\": -0.7", 0.501, 4.5},
    {"Celu", "\"alpha\": 1.5", 0.501, 5},
    {"Selu", "", 0.501, 5},
    {"Swish", "", 0.501, ANY},
    {"Swish", "\"alpha\": 1.702", 0.501, ANY},
};

START_TEST(one_operand) {
    run_one(unary[_i].op, unary[_i].attributes, TSP_F16, unary[_i].halfs);
    run_one(unary[_i].op, unary[_i].attributes, TSP_F32, unary[_i].floats);
}
END_TEST

static const struct {
    const char *op;
    double halfs, floats;
} binary[] = {{"Div", 0.5, 8}, {"Pow", 0.7, ANY}, {"PRelu", 0.5, 0.5}};

START_TEST(two_operands) {
    random_start();
    run_two(binary[_i].op, TSP_F16, binary[_i].halfs);
    run_two(binary[_i].op, TSP_F32, binary[_i].floats);
}
END_TEST

/* A float of random digits and sign. */
static void put_digits(Case *c, int k, int32_t i, int32_t exponent) {
    const uint32_t bits = (uint32_t)(random_bits() >> 16);
    put(c, k, i, (bits & 0x807fffff) | (uint32_t)exponent << 23);
}

/* Floats that are not on the verge of the range, quotients that nearly are, whose lower digits
 * are rounded among the subnormals, and whole ones, which are exact. */
START_TEST(quotients) {
    Case c;
    random_start();
    open_case(&c, "Div", "", TSP_F32, 2, PAIRS);
    for (int32_t i = 0; i < c.n; i++)
        for (int k = 0; k < 2; k++) put_digits(&c, k, i, pick(70, 184));
    evaluate(&c);
    compare(&c, 0.502);
    for (int32_t i = 0; i < c.n; i++) {
        const int32_t exponent = pick(20, 129);
        put_digits(&c, 0, i, exponent);
        put_digits(&c, 1, i, exponent + pick(110, 124));
    }
    evaluate(&c);
    compare(&c, 0.751);
    for (int32_t i = 0; i < c.n; i++) {
        const int32_t b = pick(1, 4095), q = pick(-4095, 4095);
        tsp_store_float(TSP_F32, c.in[0], i, (double)(q * b));
        tsp_store_float(TSP_F32, c.in[1], i, (double)b);
    }
    evaluate(&c);
    compare(&c, 0);
    close_case(&c);
}
END_TEST

static const struct {
    const char *exponent;
    double halfs, floats;
} powers[] = {{"0", 0, 0},          {"1", 0, 0},          {"2", 0.5, 0.5},      {"3", 0.501, 1.5},
              {"8", 0.501, 6},      {"-1", 0.501, 0.751}, {"-2", 0.501, 2},     {"0.5", 0.501, 3},
              {"-0.5", 0.501, 0.5}, {"1.5", 0.52, 150},   {"-2.25", 0.52, 150}, {"9", 0.6, 150},
              {"-12", 0.6, 150}};

START_TEST(known_powers) {
    run_power(powers[_i].exponent, TSP_F16, powers[_i].halfs);
    run_power(powers[_i].exponent, TSP_F32, powers[_i].floats);
}
END_TEST

int main(void) {
    Suite *s = suite_create("curves");
    TCase *c = tcase_create("curves");
    tcase_set_timeout(c, exhaustive() ? 3600 : 300);
    tcase_add_loop_test(c, one_operand, 0, (int)(sizeof unary / sizeof *unary));
    tcase_add_loop_test(c, two_operands, 0, (int)(sizeof binary / sizeof *binary));
    tcase_add_test(c, quotients);
    tcase_add_loop_test(c, known_powers, 0, (int)(sizeof powers / sizeof *powers));
    suite_add_tcase(s, c);
    return run_suite(s);
}
