/* test_qlinear.c - QLinearMatMul on the chip and by the host interpreter, against plain loops over
 * ONNX's definition.
 */
#include "compiler/compile.h"
#include "compiler/interpret.h"
#include "compiler/verify.h"
#include "sim/sim.h"

#include "seeded.h"
#include "suite.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One product of bytes: signs, sizes, scales and zero points at random. */
typedef struct {
    bool a_signed, b_signed, y_signed, columns; /* columns: scale and zero point one each */
    int32_t m, k, n, a_zero, y_zero, *b_zero;
    float a_scale, y_scale, *b_scale;
    uint8_t *a, *b;
    char *text;
} Case;

static const char *type_name(bool is_signed) {
    return is_signed ? "int8" : "uint8";
}

static int32_t byte(bool is_signed, uint8_t bits) {
    return is_signed ? (int8_t)bits : bits;
}

static int32_t random_zero(bool is_signed) {
    return one_in(3) ? 0 : byte(is_signed, (uint8_t)random_below(256));
}

static float random_scale(void) {
    return (float)pick(1, 4000) / (float)pick(1000, 90000);
}

static int print(Case *c, int at, const char *name, const char *type, int count, const float *real,
                 const int32_t *whole, const uint8_t *bytes, bool is_signed) {
    char *to = c->text + at;
    int length = sprintf(to, ", {\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": [", name, type);
    if (bytes) length += sprintf(to + length, "%d, %d", (int)c->k, (int)c->n);
    if (!bytes && count > 1) length += sprintf(to + length, "%d", count);
    length += sprintf(to + length, "], \"data\": [");
    for (int i = 0; i < count; i++) {
        length += sprintf(to + length, "%s", i ? ", " : "");
        if (real) length += sprintf(to + length, "%.9g", (double)real[i]);
        if (whole) length += sprintf(to + length, "%d", (int)whole[i]);
        if (bytes) length += sprintf(to + length, "%d", (int)byte(is_signed, bytes[i]));
    }
    return at + length + sprintf(to + length, "]}");
}

static void write_text(Case *c) {
    const int count = c->columns ? c->n : 1;
    int at;
    c->text = malloc((size_t)(c->k * c->n * 6 + count * 40 + 2000));
    at = sprintf(c->text,
                 "{\"inputs\": [{\"name\": \"A\", \"dtype\": \"%s\", \"shape\": [%d, %d]}], "
                 "\"initializers\": [{\"name\": \"none\", \"dtype\": \"int8\", \"shape\": [], "
                 "\"data\": 0}",
                 type_name(c->a_signed), (int)c->m, (int)c->k);
    at = print(c, at, "as", "float32", 1, &c->a_scale, NULL, NULL, false);
    at = print(c, at, "az", type_name(c->a_signed), 1, NULL, &c->a_zero, NULL, false);
    at = print(c, at, "B", type_name(c->b_signed), c->k * c->n, NULL, NULL, c->b, c->b_signed);
    at = print(c, at, "bs", "float32", count, c->b_scale, NULL, NULL, false);
    at = print(c, at, "bz", type_name(c->b_signed), count, NULL, c->b_zero, NULL, false);
    at = print(c, at, "ys", "float32", 1, &c->y_scale, NULL, NULL, false);
    at = print(c, at, "yz", type_name(c->y_signed), 1, NULL, &c->y_zero, NULL, false);
    sprintf(c->text + at,
            "], \"nodes\": [{\"op\": \"QLinearMatMul\", \"inputs\": [\"A\", \"as\", \"az\", \"B\", "
            "\"bs\", \"bz\", \"ys\", \"yz\"], \"outputs\": [\"C\"]}], \"outputs\": [\"C\"]}");
}

static void random_case(Case *c, int32_t most) {
    *c = (Case){
        .a_signed = one_in(2), .b_signed = one_in(2), .y_signed = one_in(2), .columns = one_in(2)};
    c->m = pick(1, most), c->k = pick(1, 2 * most), c->n = pick(1, most);
    c->a_zero = random_zero(c->a_signed);
    c->y_zero = random_zero(c->y_signed);
    c->a_scale = random_scale();
    c->y_scale = random_scale() * (float)pick(1, 1000);
    c->a = malloc((size_t)(c->m * c->k));
    c->b = malloc((size_t)(c->k * c->n));
    c->b_scale = malloc((size_t)c->n * sizeof *c->b_scale);
    c->b_zero = malloc((size_t)c->n * sizeof *c->b_zero);
    for (int32_t i = 0; i < c->m * c->k; i++) c->a[i] = (uint8_t)random_below(256);
    for (int32_t i = 0; i < c->k * c->n; i++) c->b[i] = (uint8_t)random_below(256);
    for (int32_t i = 0; i < c->n; i++) {
        c->b_scale[i] = random_scale();
        c->b_zero[i] = random_zero(c->b_signed);
    }
    write_text(c);
}

static void free_case(Case *c) {
    free(c->a);
    free(c->b);
    free(c->b_scale);
    free(c->b_zero);
    free(c->text);
}

/* The nearest whole number, of two the even one: with nothing of the host's but comparisons. */
static int64_t nearest(float x) {
    const double d = x;
    int64_t low;
    if (d >= 1e9) return 1000000000;
    if (d <= -1e9) return -1000000000;
    low = (int64_t)d - (d < (double)(int64_t)d);
    if (d - (double)low != 0.5) return d - (double)low < 0.5 ? low : low + 1;
    return low % 2 ? low + 1 : low;
}

static uint8_t wanted(const Case *c, int32_t row, int32_t column) {
    const int32_t j = c->columns ? column : 0;
    const float product = c->a_scale * c->b_scale[j], scale = product / c->y_scale;
    int64_t sum = 0, y;
    for (int32_t k = 0; k < c->k; k++)
        sum += (int64_t)(byte(c->a_signed, c->a[row * c->k + k]) - c->a_zero) *
               (byte(c->b_signed, c->b[k * c->n + column]) - c->b_zero[j]);
    y = nearest((float)sum * scale) + c->y_zero;
    if (c->y_signed) return (uint8_t)(y < -128 ? -128 : y > 127 ? 127 : y);
    return (uint8_t)(y < 0 ? 0 : y > 255 ? 255 : y);
}

static void check_values(const Case *c, const uint8_t *got, const char *who) {
    for (int32_t i = 0; i < c->m * c->n; i++)
        ck_assert_msg(got[i] == wanted(c, i / c->n, i % c->n),
                      "%s: %d x %d x %d, element %d is %d, not %d", who, c->m, c->k, c->n, i,
                      got[i], wanted(c, i / c->n, i % c->n));
}

static int32_t find(const TspProgram *p, TspTensorRole role) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role) return i;
    ck_abort_msg("the program lacks a tensor");
    return -1;
}

static void simulate(const Case *c, const TspGraph *g, const char *machine) {
    TspMachine m;
    TspProgram p;
    TspError err;
    TspProof proof;
    TspSim *sim;
    uint8_t *got = malloc((size_t)(c->m * c->n));
    ck_assert(tsp_machine_builtin(&m, machine));
    ck_assert_msg(tsp_compile(g, &m, NULL, &p, &err), "%s", err.text);
    ck_assert_msg(tsp_verify(&p, NULL, &proof, &err), "%s", err.text);
    ck_assert_ptr_nonnull(sim = tsp_sim_new(&p, NULL, &err));
    ck_assert(tsp_sim_write_tensor(sim, find(&p, TSP_ROLE_INPUT), c->a, &err));
    ck_assert_msg(tsp_sim_run(sim, &err), "%s", err.text);
    ck_assert(tsp_sim_stats(sim).cycles == p.predicted_cycles);
    ck_assert(tsp_sim_read_tensor(sim, find(&p, TSP_ROLE_OUTPUT), got, &err));
    check_values(c, got, machine);
    for (int32_t i = 0; i < p.tensor_count && m.mem_slices > 40; i++) /* no sums in memory */
        ck_assert_str_ne(p.tensors[i].name, "C.sums");
    tsp_sim_free(sim);
    tsp_program_free(&p);
    free(got);
}

static void interpret(const Case *c, const TspGraph *g) {
    TspError err;
    uint8_t *data[16] = {NULL};
    double *tolerance[16] = {NULL};
    int32_t y = -1;
    for (int32_t v = 0; v < g->value_count; v++) {
        if (g->values[v].is_input) data[v] = c->a;
        if (g->values[v].is_output) y = v;
    }
    ck_assert_msg(tsp_interpret(g, 320, data, tolerance, &err), "%s", err.text);
    ck_assert_ptr_null(tolerance[y]);
    check_values(c, data[y], "interpreter");
    free(data[y]);
}

static void run_cases(const char *machine, int32_t most, int32_t cases) {
    const char *scale = getenv("TSP_TEST_SCALE");
    if (scale && !strcmp(scale, "small")) cases = (cases + 19) / 20;
    random_start();
    for (int32_t i = 0; i < cases; i++) {
        Case c;
        TspGraph g;
        TspError err;
        random_case(&c, most);
        ck_assert_msg(tsp_graph_parse(&g, c.text, strlen(c.text), "test.json", &err), "%s",
                      err.text);
        interpret(&c, &g);
        simulate(&c, &g, machine);
        tsp_graph_free(&g);
        free_case(&c);
    }
}

START_TEST(random_products_tsp1) {
    run_cases("tsp1", 200, 40);
}
END_TEST
START_TEST(random_products_tiny) {
    run_cases("tiny", 30, 300);
}
END_TEST

int main(void) {
    Suite *s = suite_create("qlinear");
    TCase *c = tcase_create("qlinear");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, random_products_tsp1);
    tcase_add_test(c, random_products_tiny);
    suite_add_tcase(s, c);
    return run_suite(s);
}
