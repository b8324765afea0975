/* test_scale.c - factors that are powers of two, left out where others make up for them: random
 * steps give the same bits by an evaluation of their own, whole graphs those of a compiler that
 * keeps every node to itself, and both take fewer steps.
 */
#include "compiler/fuse/fuse.h"
#include "compiler/fuse/scale.h"
#include "compiler/number.h"
#include "compiler/verify.h"

#include "product.h"
#include "seeded.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* CONSTANTS: tensors of as many elements; the result is the tensor after them. */
enum { CONSTANTS = 2, ELEMENTS = 8 };

typedef struct {
    Module module;
    Tensor tensors[CONSTANTS + 1];
    float data[CONSTANTS][ELEMENTS];
    Stage stage;
} Case;

static double random_number(int32_t exponent) {
    const double digits = 1 + (double)random_below(1 << 20) / (1 << 20);
    return ldexp(one_in(2) ? digits : -digits, exponent);
}

/* Now and then one that leads to the ends of float32. */
static double random_factor(void) {
    if (one_in(8)) return ldexp(1, pick(-90, 90));
    return one_in(3) ? random_number(pick(-4, 4)) : ldexp(1, pick(-12, 12));
}

static From random_value(const Stage *s) {
    return (From){FROM_STEP, random_below(s->step_count)};
}

static void random_step(Stage *s, bool curves) {
    static const TspOpcode unary[] = {TSP_OP_RELU, TSP_OP_NEG, TSP_OP_ABS, TSP_OP_TANH},
                           pairs[] = {TSP_OP_ADD, TSP_OP_SUB, TSP_OP_MAX, TSP_OP_MIN, TSP_OP_MUL};
    const From last = {FROM_STEP, s->step_count - 1}, any = random_value(s),
               constant = {FROM_OPERAND, random_below(CONSTANTS)};
    const uint32_t number = tsp_f32_bits((float)random_number(pick(-6, 6)));
    TspOpcode op = pairs[random_below(4)];
    switch (random_below(6)) {
    case 0:
    case 1:
        stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, last, from_imm(),
                   tsp_f32_bits((float)random_factor()));
        return;
    case 2:
        stage_step(s, op, TSP_F32, TSP_F32, last, from_imm(), number);
        return;
    case 3:
        stage_step(s, op, TSP_F32, TSP_F32, last, constant, 0);
        return;
    case 4:
        stage_step(s, pairs[random_below(5)], TSP_F32, TSP_F32, last, any, 0);
        return;
    default:
        stage_step(s, unary[random_below(3 + curves)], TSP_F32, TSP_F32, last, from_none(), 0);
    }
}

/* Steps from a product of int8 to an int8 or a float32. */
static void random_case(Case *c, bool curves) {
    Stage *s = &c->stage;
    *c = (Case){.module = {.tensors = c->tensors, .tensor_count = CONSTANTS + 1},
                .stage = {.product = true, .rows = 1, .cols = ELEMENTS, .last = -1}};
    ck_assert(tsp_machine_builtin(&c->module.machine, "tsp1"));
    for (int t = 0; t < CONSTANTS; t++) {
        c->tensors[t] = (Tensor){.dtype = TSP_F32,
                                 .role = TSP_ROLE_CONSTANT,
                                 .rank = 1,
                                 .shape = {ELEMENTS},
                                 .bytes = 4,
                                 .data = (uint8_t *)c->data[t]};
        for (int i = 0; i < ELEMENTS; i++)
            c->data[t][i] = one_in(8) ? 0 : (float)random_number(pick(-6, 2));
        stage_operand(s, t, 0, 0);
    }
    c->tensors[CONSTANTS] = (Tensor){
        .dtype = one_in(4) ? TSP_F32 : TSP_I8, .role = TSP_ROLE_INTERNAL, .streamed = true};
    stage_step(s, TSP_OP_CVT, TSP_I32, TSP_F32, from_product(), from_none(), 0);
    for (int32_t steps = pick(2, 8); steps > 0; steps--) random_step(s, curves);
    if (c->tensors[CONSTANTS].dtype == TSP_I8)
        stage_step(s, TSP_OP_CVT_SAT, TSP_F32, TSP_I8, (From){FROM_STEP, s->step_count - 1},
                   from_none(), 0);
    s->outputs[s->output_count++] =
        (Output){.from = {FROM_STEP, s->step_count - 1}, .tensor = CONSTANTS};
    fuse_find_ranges(&c->module);
}

static float computed(TspOpcode op, float a, float b) {
    switch (op) {
    case TSP_OP_MUL:
        return a * b;
    case TSP_OP_ADD:
        return a + b;
    case TSP_OP_SUB:
        return a - b;
    case TSP_OP_MAX:
        return fmaxf(a, b);
    case TSP_OP_MIN:
        return fminf(a, b);
    case TSP_OP_RELU:
        return a > 0 ? a : 0;
    case TSP_OP_NEG:
        return -a;
    case TSP_OP_ABS:
        return fabsf(a);
    case TSP_OP_TANH:
        return tanhf(a);
    case TSP_OP_CVT_SAT:
        return fminf(fmaxf(nearbyintf(a), -128), 127);
    default:
        return a;
    }
}

static float element(const Case *c, const Operand *o, int i) {
    return ldexpf(c->data[o->tensor][i], o->exponent);
}

/* Element i of what a stage makes of a product. */
static float result(const Case *c, const Stage *s, int32_t product, int i) {
    float value[MAX_STEPS];
    for (int32_t k = 0; k < s->step_count; k++) {
        const Step *step = &s->steps[k];
        const From from[2] = {step->a, step->b};
        float x[2] = {0, 0};
        for (int j = 0; j < 2; j++) {
            if (from[j].kind == FROM_STEP) x[j] = value[from[j].index];
            if (from[j].kind == FROM_PRODUCT) x[j] = (float)product;
            if (from[j].kind == FROM_IMM) x[j] = tsp_f32_from_bits(step->imm);
            if (from[j].kind == FROM_OPERAND) x[j] = element(c, &s->operands[from[j].index], i);
        }
        value[k] = computed(step->op, x[0], x[1]);
    }
    return value[s->outputs[0].from.index];
}

static void same_results(const Case *c, const Stage *after) {
    static const int32_t products[] = {0, 1, -1, 37, -4711, 1 << 20, INT32_MAX, INT32_MIN};
    for (size_t p = 0; p < sizeof products / sizeof *products; p++)
        for (int i = 0; i < ELEMENTS; i++) {
            const float x = result(c, &c->stage, products[p], i),
                        y = result(c, after, products[p], i);
            ck_assert_msg(tsp_f32_bits(x) == tsp_f32_bits(y), "%a, without factors %a", (double)x,
                          (double)y);
        }
}

static int32_t operations(const Stage *s) {
    int32_t count = 0;
    for (int32_t i = 0; i < s->step_count; i++) count += s->steps[i].op != TSP_OP_PASS;
    return count;
}

START_TEST(random_steps) {
    int32_t left_out = 0, scaled = 0;
    random_start();
    for (int32_t n = 0; n < 20000; n++) {
        Case c;
        Stage kept, after;
        random_case(&c, n % 2);
        kept = after = c.stage;
        if (!fuse_reread(&c.module, &kept)) continue;
        ck_assert(fuse_settle(&c.module, &after));
        ck_assert_int_le(after.step_count, kept.step_count);
        same_results(&c, &after);
        left_out += operations(&c.stage) - operations(&after);
        for (int32_t i = 0; i < after.operand_count; i++) scaled += after.operands[i].exponent != 0;
    }
    printf("factors left out: %d, constants scaled: %d\n", (int)left_out, (int)scaled);
    ck_assert_int_gt(left_out, 2000);
    ck_assert_int_gt(scaled, 200);
}
END_TEST

/* What is not sure to keep its digits stays: inputs that may be anything, constants at the ends of
 * float32. */
START_TEST(digits_are_kept) {
    static const float extreme[] = {0x1p-140f, 0x1p126f, INFINITY, NAN, 0x1p3f};
    for (size_t i = 0; i < sizeof extreme / sizeof *extreme; i++) {
        const bool plain = i == sizeof extreme / sizeof *extreme - 1;
        Case c;
        From x;
        random_from(i);
        random_case(&c, false);
        c.stage.step_count = 0;
        for (int k = 0; k < ELEMENTS; k++) c.data[0][k] = extreme[i];
        c.tensors[CONSTANTS].dtype = TSP_I8;
        x = stage_step(&c.stage, TSP_OP_CVT, TSP_I32, TSP_F32, from_product(), from_none(), 0);
        x = stage_step(&c.stage, TSP_OP_MUL, TSP_F32, TSP_F32, x, from_imm(), 0x37800000);
        x = stage_step(&c.stage, TSP_OP_ADD, TSP_F32, TSP_F32, x, (From){FROM_OPERAND, 0}, 0);
        x = stage_step(&c.stage, TSP_OP_MUL, TSP_F32, TSP_F32, x, from_imm(), 0x47000000);
        x = stage_step(&c.stage, TSP_OP_CVT_SAT, TSP_F32, TSP_I8, x, from_none(), 0);
        c.stage.outputs[0].from = x;
        fuse_find_ranges(&c.module);
        ck_assert(fuse_settle(&c.module, &c.stage));
        ck_assert_int_eq(c.stage.step_count, plain ? 4 : 5);
    }
}
END_TEST

/* ---- whole graphs ---- */

static void graph_text(char *text, size_t size, int32_t rows, int32_t depth, int32_t cols,
                       double scale, double step) {
    snprintf(text, size,
             "{\"inputs\": [{\"name\": \"A\", \"dtype\": \"int8\", \"shape\": [%d, %d]}], "
             "\"initializers\": [{\"name\": \"B\", \"dtype\": \"int8\", \"shape\": [%d, %d], "
             "\"random\": {\"seed\": 1, \"low\": -99, \"high\": 99}}, {\"name\": \"b\", \"dtype\": "
             "\"float32\", \"shape\": [%d], \"random\": {\"seed\": 2, \"low\": -1, \"high\": 1}}, "
             "{\"name\": \"s\", \"dtype\": \"float32\", \"shape\": [], \"data\": %.9g}, "
             "{\"name\": \"t\", \"dtype\": \"float32\", \"shape\": [], \"data\": %.9g}, "
             "{\"name\": \"z\", \"dtype\": \"int8\", \"shape\": [], \"data\": 0}], \"nodes\": ["
             "{\"op\": \"MatMulInteger\", \"inputs\": [\"A\", \"B\"], \"outputs\": [\"P\"]}, "
             "{\"op\": \"Cast\", \"inputs\": [\"P\"], \"outputs\": [\"F\"], "
             "\"attributes\": {\"to\": \"float32\"}}, "
             "{\"op\": \"Mul\", \"inputs\": [\"F\", \"s\"], \"outputs\": [\"S\"]}, "
             "{\"op\": \"Add\", \"inputs\": [\"S\", \"b\"], \"outputs\": [\"X\"]}, "
             "{\"op\": \"Gelu\", \"inputs\": [\"X\"], \"outputs\": [\"Y\"], "
             "\"attributes\": {\"approximate\": \"tanh\"}}, "
             "{\"op\": \"QuantizeLinear\", \"inputs\": [\"Y\", \"t\", \"z\"], "
             "\"outputs\": [\"Q\"]}], \"outputs\": [\"Q\"]}",
             (int)rows, (int)depth, (int)depth, (int)cols, (int)cols, scale, step);
}

/* Runs the graph; what it makes, to be freed. */
static uint8_t *run(const char *text, bool unfused, int64_t *cycles) {
    const TspCompileOptions options = {.unfused = unfused};
    TspMachine m;
    TspGraph g;
    TspProgram p;
    TspProof proof;
    TspError err;
    TspSim *sim;
    uint8_t *out = NULL;
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    if (!tsp_graph_parse(&g, text, strlen(text), "test.json", &err)) ck_abort_msg("%s", err.text);
    if (!tsp_compile(&g, &m, &options, &p, &err)) ck_abort_msg("%s", err.text);
    if (!tsp_verify(&p, NULL, &proof, &err)) ck_abort_msg("%s", err.text);
    if (!(sim = tsp_sim_new(&p, NULL, &err))) ck_abort_msg("%s", err.text);
    product_fill(sim, &p, 5);
    if (!tsp_sim_run(sim, &err)) ck_abort_msg("%s", err.text);
    for (int32_t i = 0; i < p.tensor_count; i++) {
        if (p.tensors[i].role != TSP_ROLE_OUTPUT) continue;
        out = malloc((size_t)tsp_tensor_bytes(&p.tensors[i]));
        ck_assert(tsp_sim_read_tensor(sim, i, out, &err));
    }
    *cycles = p.predicted_cycles;
    tsp_sim_free(sim);
    tsp_program_free(&p);
    tsp_graph_free(&g);
    return out;
}

/* Scales that are powers of two and such that are not; one column tile, and so many that product
 * and curve take turns. */
START_TEST(a_layer_of_gelu) {
    static const double scales[][2] = {
        {0x1p-13, 0x1p-5}, {0x1p-13, 0.03}, {0.0001, 0x1p-5}, {0.0001, 0.03}, {0x1p-13, 0x1p3}};
    static const int32_t shapes[][3] = {{40, 200, 100}, {64, 400, 1500}};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            const int32_t *shape = shapes[k];
            char text[2000];
            int64_t fused, apart;
            uint8_t *x, *y;
            graph_text(text, sizeof text, shape[0], shape[1], shape[2], scales[i][0], scales[i][1]);
            x = run(text, false, &fused);
            y = run(text, true, &apart);
            ck_assert_mem_eq(x, y, (size_t)(shape[0] * shape[2]));
            ck_assert_msg(fused < apart, "%" PRId64 " cycles, apart %" PRId64, fused, apart);
            free(x);
            free(y);
        }
}
END_TEST

int main(void) {
    Suite *s = suite_create("scale");
    TCase *c = tcase_create("scale");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, random_steps);
    tcase_add_test(c, digits_are_kept);
    tcase_add_test(c, a_layer_of_gelu);
    suite_add_tcase(s, c);
    return run_suite(s);
}
