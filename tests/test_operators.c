/* test_operators.c - element-wise operators of many steps on the chip: cut into stages, in every
 * layout and on other machines, against the host interpreter; those whose numbers the host works
 * out against plain loops as well. test_curves.c tests their accuracy.
 */
#include "operator_case.h"

/* ---- every operator ---- */

/* types: letters of float16 h, float32 f, int8 b, uint8 u, int16 s, int32 i. */
static const struct {
    const char *op, *attributes, *types;
    int inputs;
} operators[] = {
    {"Div", "", "hfbusi", 2},
    {"Reciprocal", "", "hf", 1},
    {"Mod", "", "busi", 2},
    {"Mod", "\"fmod\": 1", "hfbusi", 2},
    {"Pow", "", "hf", 2},
    {"Log", "", "hf", 1},
    {"Erf", "", "hf", 1},
    {"Gelu", "", "hf", 1},
    {"Gelu", "\"approximate\": \"tanh\"", "hf", 1},
    {"Floor", "", "hf", 1},
    {"Ceil", "", "hf", 1},
    {"Round", "", "hf", 1},
    {"Sign", "", "hfbusi", 1},
    {"Sum", "", "hf", 1},
    {"Sum", "", "hf", 3},
    {"Mean", "", "hf", 1},
    {"Mean", "", "hf", 3},
    {"Min", "", "hfbusi", 3},
    {"Max", "", "hfbusi", 4},
    {"Max", "", "hb", 1},
    {"HardSigmoid", "\"alpha\": 0.3, \"beta\": 0.25", "hf", 1},
    {"HardSwish", "", "hf", 1},
    {"Softplus", "", "hf", 1},
    {"Softsign", "", "hf", 1},
    {"Mish", "", "hf", 1},
    {"Elu", "\"alpha\": 0.75", "hf", 1},
    {"Celu", "\"alpha\": 2.5", "hf", 1},
    {"Selu", "", "hf", 1},
    {"PRelu", "", "hfi", 2},
    {"Swish", "\"alpha\": 1.5", "hf", 1},
};
enum { OPERATORS = sizeof operators / sizeof *operators, MOST_INPUTS = 4 };

/* Shapes of the operands, the last of them for all that are left. */
typedef struct {
    const char *shape[2];
} Shapes;

/* A node and what follows: nothing, or a sum over all lanes, where any that hold no element and are
 * not zero would show. */
static void run_operator(int k, char type, Shapes shapes, bool summed, const TspMachine *m) {
    char text[2000], inputs[100] = "", *end = text;
    const char *tail = "";
    end += sprintf(end, "{\"inputs\": [");
    for (int i = 0; i < operators[k].inputs; i++) {
        end += sprintf(end, "%s{\"name\": \"%c\", \"dtype\": \"%s\", \"shape\": %s}", i ? ", " : "",
                       'a' + i, type_name(type), shapes.shape[i > 0]);
        sprintf(inputs + strlen(inputs), "%s\"%c\"", i ? ", " : "", 'a' + i);
    }
    if (summed)
        tail = ", {\"op\": \"Cast\", \"inputs\": [\"y\"], \"outputs\": [\"w\"], \"attributes\": "
               "{\"to\": \"float32\"}}, {\"op\": \"ReduceSum\", \"inputs\": [\"w\"], \"outputs\": "
               "[\"z\"]}";
    sprintf(end,
            "], \"nodes\": [{\"op\": \"%s\", \"inputs\": [%s], \"outputs\": [\"y\"], "
            "\"attributes\": {%s}}%s], \"outputs\": [\"%s\"]}",
            operators[k].op, inputs, operators[k].attributes, tail, summed ? "z" : "y");
    run_text(text, m, one_in(2) ? 4 : 40, !summed);
}

static const Shapes layouts[] = {
    {{"[]", "[]"}},          {{"[1]", "[1]"}},          {{"[7]", "[7]"}},
    {{"[320]", "[320]"}},    {{"[321]", "[321]"}},      {{"[1500]", "[1]"}},
    {{"[3, 5]", "[3, 5]"}},  {{"[17, 43]", "[17, 1]"}}, {{"[4, 1, 7]", "[3, 7]"}},
    {{"[2, 33]", "[2, 33]"}}};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

START_TEST(every_operator) {
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (const char *type = operators[_i].types; *type; type++)
        for (int i = 0; i < LAYOUTS; i++) {
            run_operator(_i, *type, layouts[i], false, &tsp1);
            run_operator(_i, *type, layouts[i], false, &tiny);
        }
    for (const char *type = operators[_i].types; *type; type++) {
        run_operator(_i, *type, (Shapes){{"[330]", "[330]"}}, true, &tsp1);
        run_operator(_i, *type, (Shapes){{"[37]", "[37]"}}, true, &tiny);
    }
}
END_TEST

/* Whatever latencies are, and with few ALUs, or ALUs that only their neighbours hear. */
START_TEST(other_machines) {
    random_start();
    for (int i = 0; i < 2 * OPERATORS; i++) {
        TspMachine m = builtin(one_in(2) ? "tiny" : "tsp1");
        const int k = i % OPERATORS;
        const char *types = operators[k].types;
        vary_timings(&m);
        if (one_in(4)) m.vxm_alus = pick(6, 12);
        run_operator(k, types[random_below((int32_t)strlen(types))], layouts[random_below(LAYOUTS)],
                     false, &m);
    }
}
END_TEST

START_TEST(neighbours_only) {
    TspMachine m = builtin("tsp1");
    m.vxm_neighbour_only = 1;
    random_start();
    run_operator(_i, operators[_i].types[0], (Shapes){{"[3, 5]", "[3, 5]"}}, false, &m);
}
END_TEST

/* Before and after products, a result that is used twice and is an output as well. */
START_TEST(between_products) {
    static const char *const ops[] = {"Gelu", "Erf", "Mish", "Softplus", "Floor", "Swish"};
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        char text[1500];
        sprintf(text,
                "{\"inputs\": [{\"name\": \"a\", \"dtype\": \"float16\", \"shape\": [21, 37]}, "
                "{\"name\": \"b\", \"dtype\": \"float16\", \"shape\": [37, 35]}, {\"name\": \"d\", "
                "\"dtype\": \"float16\", \"shape\": [35, 19]}], \"nodes\": [{\"op\": \"MatMul\", "
                "\"inputs\": [\"a\", \"b\"], \"outputs\": [\"p\"]}, {\"op\": \"%s\", \"inputs\": "
                "[\"p\"], \"outputs\": [\"q\"]}, {\"op\": \"MatMul\", \"inputs\": [\"q\", \"d\"], "
                "\"outputs\": [\"y\"]}, {\"op\": \"Softsign\", \"inputs\": [\"q\"], \"outputs\": "
                "[\"z\"]}], \"outputs\": [\"q\", \"y\", \"z\"]}",
                ops[i]);
        run_text(text, &tsp1, 1, false);
        run_text(text, &tiny, 1, false);
    }
}
END_TEST

/* ---- numbers that the host works out ---- */

static const char *const exponents[] = {"0", "1", "2", "3", "-1", "-2", "0.5", "-0.5", "1.5", "9"};

START_TEST(known_exponents) {
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++)
        for (int half = 0; half < 2; half++) {
            char text[800];
            sprintf(text,
                    "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"%s\", \"shape\": [3, 41]}], "
                    "\"initializers\": [{\"name\": \"n\", \"dtype\": \"float32\", \"shape\": [], "
                    "\"data\": %s}], \"nodes\": [{\"op\": \"Pow\", \"inputs\": [\"x\", \"n\"], "
                    "\"outputs\": [\"y\"]}], \"outputs\": [\"y\"]}",
                    half ? "float16" : "float32", exponents[i]);
            run_text(text, &tsp1, 4, true);
            run_text(text, &tiny, 4, true);
        }
}
END_TEST

/* Powers of two: the same bits as a division has. */
START_TEST(known_divisors) {
    static const char *const divisors[] = {"[8, -0.25, 1, 2]", "[8, 3, 1, 2]", "[0.1, 7, -49, 11]"};
    const TspMachine tsp1 = builtin("tsp1");
    random_start();
    for (int i = 0; i < 3; i++) {
        char text[800];
        Case c;
        int32_t x, y;
        sprintf(text,
                "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"float32\", \"shape\": [90, 4]}], "
                "\"initializers\": [{\"name\": \"d\", \"dtype\": \"float32\", \"shape\": [4], "
                "\"data\": %s}], \"nodes\": [{\"op\": \"Div\", \"inputs\": [\"x\", \"d\"], "
                "\"outputs\": [\"y\"]}], \"outputs\": [\"y\"]}",
                divisors[i]);
        open_case(&c, text);
        fill(&c, 100, true);
        value_of(&c, "x", &x);
        value_of(&c, "y", &y);
        for (int64_t k = 200; k < 360; k++) /* whole multiples */
            tsp_store_float(TSP_F32, c.data[x], k,
                            (double)(k - 280) *
                                tsp_load_double(TSP_F32, c.g.values[1 - x].data, k % 4));
        simulate(&c, &tsp1);
        compare(&c, &tsp1);
        for (int64_t k = 200; k < 360 && i < 2; k++)
            ck_assert_msg(tsp_load_double(TSP_F32, c.got[y], k) == (double)(k - 280),
                          "element %d is %.9g", (int)k, tsp_load_double(TSP_F32, c.got[y], k));
        close_case(&c);
    }
}
END_TEST

static double clamp(TspDtype type, double y) {
    const double least = (double)tsp_dtype_least(type), most = (double)tsp_dtype_greatest(type);
    return y < least ? least : y > most ? most : y;
}

/* QuantizeLinear and back, along an axis or with one scale, by plain loops: scales are powers of
 * two, so quotients are exact and ties are met. */
static void run_quantization(const char *dtype, const char *result, int axis, bool many,
                             const TspMachine *m) {
    static const double scales[] = {0.5, 0.25, 2, 1, 0.125}, zeros[] = {3, 0, 7, 100, 5};
    char text[1500];
    Case c;
    int32_t x, q, y;
    sprintf(text,
            "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"%s\", \"shape\": [5, 5, 5]}], "
            "\"initializers\": [{\"name\": \"s\", \"dtype\": \"float32\", \"shape\": %s}, "
            "{\"name\": \"k\", \"dtype\": \"%s\", \"shape\": %s}], \"nodes\": [{\"op\": "
            "\"QuantizeLinear\", \"inputs\": [\"x\", \"s\", \"k\"], \"outputs\": [\"q\"], "
            "\"attributes\": {\"axis\": %d}}, {\"op\": \"DequantizeLinear\", \"inputs\": [\"q\", "
            "\"s\", \"k\"], \"outputs\": [\"y\"], \"attributes\": {\"axis\": %d}}], \"outputs\": "
            "[\"q\", \"y\"]}",
            dtype, many ? "[5], \"data\": [0.5, 0.25, 2, 1, 0.125]" : "[], \"data\": 0.5", result,
            many ? "[5], \"data\": [3, 0, 7, 100, 5]" : "[], \"data\": 3", axis, axis);
    open_case(&c, text);
    fill(&c, 60, true);
    const TspDtype from = value_of(&c, "x", &x)->dtype, type = value_of(&c, "q", &q)->dtype;
    value_of(&c, "y", &y);
    for (int64_t i = 0; i < 60; i++) /* ties */
        if (tsp_dtype_is_float(from)) tsp_store_float(from, c.data[x], i, (double)i * 0.25 - 7);
    simulate(&c, m);
    compare(&c, m);
    for (int64_t i = 0; i < 125; i++) {
        const int64_t at = !many ? 0 : axis == 0 ? i / 25 : axis == 1 ? i / 5 % 5 : i % 5;
        const double v = tsp_load_double(from, c.data[x], i) / scales[at];
        const double want = clamp(type, nearbyint(v != v ? 0 : clamp(TSP_I32, v)) + zeros[at]);
        const double found = (double)tsp_load_int(type, c.got[q], i);
        ck_assert_msg(found == want, "element %d of %g: %g, want %g\n%s", (int)i, v, found, want,
                      text);
        ck_assert(tsp_load_double(TSP_F32, c.got[y], i) == (want - zeros[at]) * scales[at]);
    }
    close_case(&c);
}

START_TEST(quantization) {
    static const char *const results[] = {"int8", "uint8", "int16"};
    static const char *const dtypes[] = {"float32", "float16", "int32"};
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            for (int axis = 0; axis < 4; axis++)
                run_quantization(dtypes[i], results[k], axis < 3 ? axis : 1, axis < 3,
                                 axis % 2 ? &tiny : &tsp1);
}
END_TEST

/* No zero point, the default type, scales that are no powers of two, halfs, int32, long vectors. */
START_TEST(other_quantizations) {
    static const char *const graphs[] = {
        "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"float32\", \"shape\": [2000]}], "
        "\"initializers\": [{\"name\": \"s\", \"dtype\": \"float32\", \"shape\": [1], \"data\": "
        "[0.037]}], \"nodes\": [{\"op\": \"QuantizeLinear\", \"inputs\": [\"x\", \"s\"], "
        "\"outputs\": [\"q\"]}, {\"op\": \"DequantizeLinear\", \"inputs\": [\"q\", \"s\"], "
        "\"outputs\": [\"y\"]}], \"outputs\": [\"q\", \"y\"]}",
        "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"float16\", \"shape\": [7, 40]}], "
        "\"initializers\": [{\"name\": \"s\", \"dtype\": \"float16\", \"shape\": [], \"data\": "
        "0.3}], \"nodes\": [{\"op\": \"QuantizeLinear\", \"inputs\": [\"x\", \"s\"], \"outputs\": "
        "[\"q\"], \"attributes\": {\"output_dtype\": 3}}, {\"op\": \"DequantizeLinear\", "
        "\"inputs\": [\"q\", \"s\"], \"outputs\": [\"y\"]}], \"outputs\": [\"q\", \"y\"]}",
        "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"int32\", \"shape\": [7, 40]}], "
        "\"initializers\": [{\"name\": \"s\", \"dtype\": \"float32\", \"shape\": [40], "
        "\"random\": {\"seed\": 1, \"low\": 0.001, \"high\": 3}}], \"nodes\": [{\"op\": "
        "\"DequantizeLinear\", \"inputs\": [\"x\", \"s\"], \"outputs\": [\"y\"]}], \"outputs\": "
        "[\"y\"]}"};
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (int i = 0; i < 3; i++) {
        run_text(graphs[i], &tsp1, 5, true);
        run_text(graphs[i], &tiny, 5, true);
    }
}
END_TEST

/* By plain loops, in double. */
static void run_batch_norm(const char *dtype, const char *shape, int64_t inner,
                           const TspMachine *m) {
    char text[1500];
    Case c;
    int32_t x, y, at[4];
    sprintf(text,
            "{\"inputs\": [{\"name\": \"x\", \"dtype\": \"%s\", \"shape\": %s}], "
            "\"initializers\": [{\"name\": \"s\", \"dtype\": \"%s\", \"shape\": [6], \"random\": "
            "{\"seed\": 1, \"low\": -2, \"high\": 2}}, {\"name\": \"b\", \"dtype\": \"%s\", "
            "\"shape\": [6], \"random\": {\"seed\": 2, \"low\": -2, \"high\": 2}}, {\"name\": "
            "\"m\", \"dtype\": \"float32\", \"shape\": [6], \"random\": {\"seed\": 3, \"low\": -2, "
            "\"high\": 2}}, {\"name\": \"v\", \"dtype\": \"float32\", \"shape\": [6], \"random\": "
            "{\"seed\": 4, \"low\": 0, \"high\": 2}}], \"nodes\": [{\"op\": "
            "\"BatchNormalization\", \"inputs\": [\"x\", \"s\", \"b\", \"m\", \"v\"], "
            "\"outputs\": [\"y\"], \"attributes\": {\"epsilon\": 0.01, \"momentum\": 0.9}}], "
            "\"outputs\": [\"y\"]}",
            dtype, shape, dtype, dtype);
    open_case(&c, text);
    fill(&c, 3, false);
    const TspValue *in = value_of(&c, "x", &x);
    const TspDtype type = in->dtype;
    const double unit = type == TSP_F16 ? 0x1p-10 : 0x1p-20;
    value_of(&c, "y", &y);
    for (int k = 0; k < 4; k++) value_of(&c, (const char *[]){"s", "b", "m", "v"}[k], &at[k]);
    simulate(&c, m);
    compare(&c, m);
    for (int64_t i = 0; i < tsp_value_elements(in); i++) {
        double p[4], want;
        for (int k = 0; k < 4; k++) {
            const TspValue *v = &c.g.values[at[k]];
            p[k] = tsp_load_double(v->dtype, v->data, i / inner % 6);
        }
        want = (tsp_load_double(type, c.data[x], i) - p[2]) / sqrt(p[3] + 0.01) * p[0] + p[1];
        ck_assert_msg(fabs(tsp_load_double(type, c.got[y], i) - want) <= unit * (4 + fabs(want)),
                      "element %d\n%s", (int)i, text);
    }
    close_case(&c);
}

START_TEST(batch_normalization) {
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (int i = 0; i < 4; i++) {
        const char *dtype = i % 2 ? "float16" : "float32";
        const TspMachine *m = i / 2 ? &tiny : &tsp1;
        run_batch_norm(dtype, "[9, 6]", 1, m);
        run_batch_norm(dtype, "[3, 6, 23]", 23, m);
        run_batch_norm(dtype, "[2, 6, 3, 5]", 15, m);
        run_batch_norm(dtype, "[1, 6, 1, 1]", 1, m);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("operators");
    TCase *c = tcase_create("operators");
    tcase_set_timeout(c, 300);
    tcase_add_loop_test(c, every_operator, 0, OPERATORS);
    tcase_add_test(c, other_machines);
    tcase_add_loop_test(c, neighbours_only, 0, OPERATORS);
    tcase_add_test(c, between_products);
    tcase_add_test(c, known_exponents);
    tcase_add_test(c, known_divisors);
    tcase_add_test(c, quantization);
    tcase_add_test(c, other_quantizations);
    tcase_add_test(c, batch_normalization);
    suite_add_tcase(s, c);
    return run_suite(s);
}
