/* test_composed.c - nodes that are made of others (compiler/expand): examples with
 * results written down, and many types, shapes and machines against the host interpreter.
 */
#include "form.h"

/* ---- examples ---- */

/* Inputs in the order of the graph, and elements of the first output, or all that are named. */
static const struct {
    Form form;
    const char *type, *data[3], *want[3];
    double near;
} examples[] = {
    {{"LogSoftmax", "", "a @ [2,3]", "", "a", NULL},
     "float32",
     {"1, 2, 3, 0, 0, 20"},
     {"-2.4076059644, -1.4076059644, -0.4076059644, -20.0000000041, -20.0000000041, -4.1223072e-9"},
     2e-6},
    {{"LogSoftmax", "\"axis\": 0", "a @ [2,2]", "", "a", NULL},
     "float16",
     {"1, -60000, 3, 60000"},
     {"-2.126953, -inf, -0.126953, 0"},
     2e-3},
    {{"ReduceLogSum", "\"axes\": [1]", "a @ [2,3]", "", "a", NULL},
     "float32",
     {"1, 2, 3, 0.5, 0.25, 0.25"},
     {"1.791759469, 0"},
     1e-6},
    {{"ReduceLogSumExp", "\"axes\": [1], \"keepdims\": 0", "a @ [4,2]", "", "a", NULL},
     "float32",
     {"1000, 1000, -1000, -1001, -inf, -inf, inf, 3"},
     {"1000.693147, -999.6867383, -inf, inf"},
     1e-4},
    {{"Clip", "", "a @ [5]|l @ []|h @ []", "", "a,l,h", NULL},
     "int8",
     {"-9, -3, 0, 3, 9", "-4", "5"},
     {"-4, -3, 0, 3, 5"},
     0},
    {{"Clip", "", "a @ [5]|h @ []", "", "a,-,h", NULL},
     "float16",
     {"-9, -3, 0, 3, 9", "1"},
     {"-9, -3, 0, 1, 1"},
     0},
    {{"ArgMax", "\"axis\": 1, \"select_last_index\": 1", "a @ [3,4]", "", "a", NULL},
     "float32",
     {"1, 4, 4, 2, 5, 0, 5, 5, 0, nan, 7, 1"},
     {"2, 3, 3"},
     0},
    {{"ArgMin", "\"axis\": 0, \"select_last_index\": 1, \"keepdims\": 0", "a @ [3,2]", "", "a",
      NULL},
     "int8",
     {"1, 4, 1, 2, 5, 2"},
     {"1, 2"},
     0},
    {{"LayerNormalization", "\"axis\": 1", "a @ [1,2,2]", "s @ [2,2] \"data\": [1, 2, 3, 4]", "a,s",
      NULL},
     "float32",
     {"1, 2, 3, 4"},
     {"-1.3416354, -0.8944236, 1.3416354, 5.3665417"},
     1e-5},
    {{"InstanceNormalization", "", "a @ [1,1,2,2]", "s @ [1] \"data\": [2]|b @ [1] \"data\": [1]",
      "a,s,b", NULL},
     "float32",
     {"1, 2, 3, 4"},
     {"-1.6832709, 0.1055764, 1.8944236, 3.6832709"},
     1e-5},
    {{"InstanceNormalization", "", "a @ [2,2,2]|s @ [2]|b @ [2]", "", "a,s,b", NULL},
     "float16",
     {"1, 3, 0, 8, 5, 1, -4, -2", "2, -1", "10, 20"},
     {"8, 12, 21, 19, 12, 8, 21, 19"},
     0.02},
    {{"LayerNormalization", "", "a @ [2,2,2]|s @ [2,1]|b @ [2,1,2]", "", "a,s,b", NULL},
     "float32",
     {"1, 3, 0, 8, 5, 1, -4, -2", "2, -1", "10, 20, 30, 40"},
     {"8, 22, 11, 19, 32, 38, 31, 39"},
     1e-4},
    {{"RMSNormalization", "\"axis\": 0, \"epsilon\": 1e-30", "a @ [2,2]|s @ [2,1]", "", "a,s",
      NULL},
     "float32",
     {"1, -1, 1, 5", "7, 14"},
     {"2.6457513, -2.6457513, 5.2915026, 26.457513"},
     1e-5},
    {{"BatchNormalization", "\"epsilon\": 0", "a @ [2,2,2]|s float32 [2]|b @ [2]",
      "m float32 [2] \"data\": [1, -2]|v float32 [2] \"data\": [4, 0.25]", "a,s,b,m,v", NULL},
     "float16",
     {"1, 3, 0, 8, 5, 1, -4, -2", "6, -1", "10, 20"},
     {"10, 16, 16, 0, 22, 10, 24, 20"},
     1e-5},
    {{"QuantizeLinear", "\"axis\": 0", "a @ [2,3]|s float32 [2]|z int8 [2]", "", "a,s,z", NULL},
     "float32",
     {"1, 2.5, -300, 1, 5, 400", "1, 2", "3, -100"},
     {"4, 5, -128, -100, -98, 100"},
     0},
    {{"QuantizeLinear", "", "a @ [4]|s @ []", "", "a,s", NULL},
     "float16",
     {"nan, 7, -1, 300", "1"},
     {"0, 7, 0, 255"},
     0},
    {{"DequantizeLinear", "", "a @ [3]|s float32 []|z @ []", "", "a,s,z", NULL},
     "uint8",
     {"0, 130, 255", "0.5", "128"},
     {"-64, 1, 63.5"},
     0},
    {{"DynamicQuantizeLinear", "", "a @ [6]", "", "a", "y,s,z"},
     "float32",
     {"0, 2, -3, -2.5, 1.34, 0.5"},
     {"153, 255, 0, 26, 221, 179", "0.0196078438", "153"},
     1e-8},
    {{"DynamicQuantizeLinear", "", "a @ [2,2]", "", "a", "y,s,z"},
     "float32",
     {"0, 0, 0, 0"},
     {"0, 0, 0, 0", "0", "0"},
     0},
    {{"MatMulInteger", "", "a uint8 [2,3]|b int8 [3,2]|x uint8 []|w int8 [2]", "", "a,b,x,w", NULL},
     "",
     {"11, 7, 3, 10, 6, 2", "1, 4, 2, 5, 3, 6", "12"},
     {"-38, 52, -44, 64"}, /* w is 0, 9: below */
     0},
    {{"QLinearMatMul", "", "a int8 [2,2]|b int8 [2,2]|s float32 [2]",
      "t float32 [2] \"data\": [1, 0.5]|z int8 [] \"data\": 1|k float32 [2] \"data\": [2, 4]|r "
      "uint8 "
      "[2] \"data\": [10, 20]",
      "a,s,z,b,t,z,k,r", NULL},
     "",
     {"2, 3, 4, 5", "6, 7, 8, 9", "1, 8"},
     {"20, 16, 106, 70"},
     0},
    {{"MatMul", "", "a @ [2,3]|b @ [3,2]", "", "a,b", NULL},
     "int32",
     {"70000, -1, 2147483647, 3, 65536, -2", "40000, 1, 5, -6, 2, 1000000"},
     {"-1494967303, -929994, 447676, -2393213"},
     0},
    {{"Gemm", "\"alpha\": 2, \"beta\": -3", "a @ [1,2]|b @ [2,2]|c @ [2]", "", "a,b,c", NULL},
     "int32",
     {"1, 2", "3, 4, 5, 6", "7, 1073741824"},
     {"5, 1073741856"},
     0},
    {{"ReduceLogSum", "\"axes\": [1]", "a @ [3,3]", "", "a", NULL},
     "int32",
     {"1000, 2000, 3000, 1, 0, 0, 7, -9, 1"},
     {"8, 0, 0"},
     0},
    {{"ReduceMin", "\"axes\": [1]", "a @ [3,3]", "", "a", NULL},
     "bool",
     {"1, 1, 1, 1, 0, 1, 0, 0, 0"},
     {"1, 0, 0"},
     0},
    {{"PRelu", "", "a @ [4]|b @ [4]", "", "a,b", NULL},
     "int32",
     {"5, -3, -2147483648, 0", "7, 7, 3, 1"},
     {"5, -21, -2147483648, 0"},
     0},
    {{"Mean", "", "a @ [2]|b @ [2]|c @ [1]", "", "a,b,c", NULL},
     "float32",
     {"1, 2", "4, 0", "10"},
     {"5, 4"},
     1e-6},
    {{"Gather", "", "a @ [3,2]|i int32 [4]", "", "a,i", NULL},
     "float32",
     {"1, nan, 3, inf, 5, -0.0", "2, 0, -2, 7"},
     {"5, -0.0, 1, nan, 3, inf, 0, 0"},
     0},
    {{"Gather", "\"axis\": 1", "a @ [2,3]|i int32 [2,1]", "", "a,i", NULL},
     "int32",
     {"1000000, 2, 3, -4, 5, -70000", "-1, 0"},
     {"3, 1000000, -70000, -4"},
     0},
    {{"Pad", "\"mode\": \"reflect\"", "a @ [2,3]", "p int64 [4] \"data\": [1, 2, 0, 3]", "a,p",
      NULL},
     "int8",
     {"1, 2, 3, 4, 5, 6"},
     {"6, 5, 4, 5, 6, 5, 4, 5, 3, 2, 1, 2, 3, 2, 1, 2, 6, 5, 4, 5, 6, 5, 4, 5"},
     0},
    {{"Pad", "\"mode\": \"edge\"", "a @ [3]", "p int64 [2] \"data\": [2, 1]", "a,p", NULL},
     "float16",
     {"1, 2, 3"},
     {"1, 1, 1, 2, 3, 3"},
     0},
    {{"Pad", "\"mode\": \"wrap\"", "a @ [3]", "p int64 [2] \"data\": [4, 1]", "a,p", NULL},
     "int32",
     {"1, 2, 3"},
     {"3, 1, 2, 3, 1, 2, 3, 1"},
     0},
    {{"CumSum", "\"exclusive\": 1", "a @ [2,3]", "k int32 [] \"data\": 1", "a,k", NULL},
     "int32",
     {"1, 2, 3, 4, 5, 6"},
     {"0, 1, 3, 0, 4, 9"},
     0},
    {{"CumSum", "\"reverse\": 1", "a @ [5]", "k int32 [] \"data\": -1", "a,k", NULL},
     "float16",
     {"1, 2, 3, 4, 5"},
     {"15, 14, 12, 9, 5"},
     0},
    {{"CumSum", "\"reverse\": 1, \"exclusive\": 1", "a @ [3,2]", "k int32 [] \"data\": 0", "a,k",
      NULL},
     "float32",
     {"1, 2, 3, 4, inf, 6"},
     {"inf, 10, inf, 6, 0, 0"},
     0},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

/* Numbers of a list as elements of a type; how many. */
static int64_t read_list(const char *list, TspDtype type, uint8_t *data) {
    int64_t count = 0;
    for (char *end; list && *list; list = *end == ',' ? end + 1 : end, count++) {
        const double number = strtod(list, &end);
        ck_assert(end > list);
        if (tsp_dtype_is_float(type))
            tsp_store_float(type, data, count, number);
        else
            tsp_store_int(type, data, count, (int64_t)number);
    }
    return count;
}

static void expect(const Case *c, int32_t v, const char *list, double near) {
    const TspDtype type = c->g.values[v].dtype;
    int64_t count = 0;
    for (char *end; *list; list = *end == ',' ? end + 1 : end, count++) {
        const double want = strtod(list, &end), got = tsp_load_double(type, c->got[v], count);
        const bool same = got == want || (got != got && want != want) || fabs(got - want) <= near;
        ck_assert_msg(same && (want != 0 || near > 0 || !signbit(want) == !signbit(got)),
                      "element %d is %.9g, want %.9g\n%s", (int)count, got, want, c->text);
    }
    ck_assert_int_eq(count, tsp_value_elements(&c->g.values[v]));
}

static void run_example(int k, const char *machine_name) {
    const TspMachine m = builtin(machine_name);
    char text[3000];
    Case c;
    int inputs = 0, outputs = 0;
    write_form(text, &examples[k].form, examples[k].type);
    open_case(&c, text);
    for (int32_t v = 0; v < c.g.value_count; v++) {
        const TspValue *value = &c.g.values[v];
        if (!value->is_input) continue;
        c.data[v] = calloc((size_t)tsp_value_bytes(value), 1);
        read_list(inputs < 3 ? examples[k].data[inputs++] : "0, 9", value->dtype, c.data[v]);
    }
    simulate(&c, &m);
    compare(&c, &m);
    for (int32_t v = 0; v < c.g.value_count; v++)
        if (c.g.values[v].is_output) expect(&c, v, examples[k].want[outputs++], examples[k].near);
    close_case(&c);
}

START_TEST(written_down) {
    run_example(_i, "tsp1");
    run_example(_i, "tiny");
}
END_TEST

/* ---- against the interpreter ---- */

static const struct {
    Form form;
    const char *types;
    double size;
} forms[] = {
    {{"LogSoftmax", "", "a @ [7,41]", "", "a", NULL}, "hf", 8},
    {{"LogSoftmax", "\"axis\": 1", "a @ [3,50,23]", "", "a", NULL}, "hf", 8},
    {{"LogSoftmax", "", "a @ [500]", "", "a", NULL}, "hf", 8},
    {{"LogSoftmax", "\"axis\": 0", "a @ [1,9]", "", "a", NULL}, "hf", 8},
    {{"ReduceLogSum", "\"axes\": [0]", "a @ [33,40]", "", "a", NULL}, "hf", 8},
    {{"ReduceLogSum", "", "a @ [700]", "", "a", NULL}, "hf", 8},
    {{"ReduceLogSum", "\"axes\": [0, 2], \"keepdims\": 0", "a @ [3,5,41]", "", "a", NULL}, "hf", 1},
    {{"ReduceLogSum", "\"noop_with_empty_axes\": 1", "a @ [3,5]", "", "a", NULL}, "hf", 1},
    {{"ReduceLogSumExp", "\"axes\": [1]", "a @ [33,40]", "", "a", NULL}, "hf", 8},
    {{"ReduceLogSumExp", "\"keepdims\": 0", "a @ [700]", "", "a", NULL}, "hf", 8},
    {{"ReduceLogSumExp", "", "a @ []", "", "a", NULL}, "hf", 8},
    {{"ReduceLogSumExp", "\"axes\": [0, 2], \"keepdims\": 0", "a @ [3,5,41]", "", "a", NULL},
     "hf",
     8},
    {{"Clip", "", "a @ [3,41]|l @ []|h @ []", "", "a,l,h", NULL}, "hfbusi", 4},
    {{"Clip", "", "a @ [500]|l @ []", "h @ [] \"data\": 1", "a,l,h", NULL}, "hfi", 4},
    {{"Max", "", "a @ [3,41]|b @ [41]|c @ [3,1]", "", "a,b,c,a,b,c,a,b,c,a,b,c,a,b,c,a", NULL},
     "hbi",
     4},
    {{"Sum", "", "a @ [3,41]|b @ [41]|c @ [3,1]", "", "a,b,c,a,b,c,a,b,c,a,b,c", NULL}, "hf", 4},
    {{"Mean", "", "a @ [3,41]|b @ [41]|c @ [3,1]", "", "a,b,c,a,b,c,a,b,c,a,b,c", NULL}, "hf", 4},
    {{"ArgMax", "\"axis\": 1, \"select_last_index\": 1", "a @ [5,41]", "", "a", NULL}, "hfbui", 2},
    {{"ArgMax", "\"axis\": 0, \"select_last_index\": 1", "a @ [500]", "", "a", NULL}, "fb", 2},
    {{"ArgMin", "\"axis\": 1, \"select_last_index\": 1, \"keepdims\": 0", "a @ [3,9,5]", "", "a",
      NULL},
     "hfb",
     2},
    {{"LayerNormalization", "\"axis\": 1", "a @ [3,4,30]",
      "s @ [4,30] \"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}|b @ [4,30] \"random\": "
      "{\"seed\": 2, \"low\": -2, \"high\": 2}",
      "a,s,b", NULL},
     "hf",
     3},
    {{"RMSNormalization", "\"axis\": 0", "a @ [5,80]",
      "s @ [5,80] \"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}", "a,s", NULL},
     "hf",
     3},
    {{"InstanceNormalization", "", "a @ [2,3,5,7]",
      "s @ [3] \"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}|b @ [3] \"random\": {\"seed\": "
      "2, \"low\": -2, \"high\": 2}",
      "a,s,b", NULL},
     "hf",
     3},
    {{"LayerNormalization", "", "a @ [3,4,30]|s @ [3,1,30]|b @ [4,1]", "", "a,s,b", NULL}, "hf", 3},
    {{"LayerNormalization", "\"axis\": 1", "a @ [3,4,30]|b @ [3,1,1]",
      "s @ [4,1] \"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}", "a,s,b", NULL},
     "hf",
     3},
    {{"LayerNormalization", "\"axis\": 2", "a @ [2,3,4,33]|s @ [3,1,1]|b @ [2,3,4,33]", "", "a,s,b",
      NULL},
     "hf",
     3},
    {{"RMSNormalization", "", "a @ [5,80]|s @ [1,80]", "", "a,s", NULL}, "hf", 3},
    {{"RMSNormalization", "", "a @ [3,5,80]",
      "s @ [5,1] \"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}", "a,s", NULL},
     "hf",
     3},
    {{"InstanceNormalization", "", "a @ [2,3,5,7]|b @ [3]",
      "s @ [3] \"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}", "a,s,b", NULL},
     "hf",
     3},
    {{"InstanceNormalization", "", "a @ [3,5,41]|b @ [5]|s @ [5]", "", "a,s,b", NULL}, "hf", 3},
    {{"InstanceNormalization", "", "a @ [2,1,9]|b @ [1]|s @ [1]", "", "a,s,b", NULL}, "hf", 3},
    {{"BatchNormalization", "", "a @ [5,41]|s @ [41]|b float32 [41]|m @ [41]|v float16 [41]", "",
      "a,s,b,m,v", NULL},
     "hf",
     3},
    {{"BatchNormalization", "", "a @ [3,5,41]|v @ [5]",
      "s @ [5] \"random\": {\"seed\": 1, \"low\": -2, \"high\": 2}", "a,s,s,s,v", NULL},
     "hf",
     3},
    {{"BatchNormalization", "\"epsilon\": 0.01", "a @ [2,3,4,330]|s @ [3]|b @ [3]|m @ [3]|v @ [3]",
      "", "a,s,b,m,v", NULL},
     "hf",
     3},
    {{"BatchNormalization", "", "a @ [2,1,9]|s @ [1]|b @ [1]",
      "m @ [1] \"data\": [3]|v @ [1] \"data\": [5]", "a,s,b,m,v", NULL},
     "hf",
     3},
    {{"QuantizeLinear", "\"axis\": 1", "a @ [5,41]|s float32 [41]|z int8 [41]", "", "a,s,z", NULL},
     "hfi",
     4},
    {{"QuantizeLinear", "", "a @ [500]|s float16 []", "z uint8 [] \"data\": 9", "a,s,z", NULL},
     "hf",
     4},
    {{"QuantizeLinear", "", "a @ [50]|z int16 [1]", "s float32 [1] \"data\": [0.3]", "a,s,z", NULL},
     "hf",
     400},
    {{"DequantizeLinear", "\"axis\": 0", "a @ [5,41]|s float32 [5]|z @ [5]", "", "a,s,z", NULL},
     "bus",
     4},
    {{"DequantizeLinear", "", "a @ [5,41]|s float16 []", "", "a,s", NULL}, "busi", 4},
    {{"DynamicQuantizeLinear", "", "a @ [5,41]", "", "a", "y,s,z"}, "f", 40},
    {{"DynamicQuantizeLinear", "", "a @ [900]", "", "a", "y,s,z"}, "f", 0.01},
    {{"MatMulInteger", "", "a @ [5,41]|b int8 [41,7]|x @ []", "", "a,b,x", NULL}, "bu", 0},
    {{"MatMulInteger", "", "a @ [5,41]|x @ [5]",
      "b uint8 [41,7] \"random\": {\"seed\": 1, \"low\": 0, \"high\": 255}|w uint8 [7] \"random\": "
      "{\"seed\": 2, \"low\": 0, \"high\": 255}",
      "a,b,x,w", NULL},
     "bu",
     0},
    {{"MatMulInteger", "", "a @ [5,41]|b uint8 [41,7]|w uint8 [7]", "x @ [] \"data\": 100",
      "a,b,x,w", NULL},
     "bu",
     0},
    {{"MatMulInteger", "", "a @ [2,5,41]|b @ [2,41,7]|x @ []|w @ [1]", "", "a,b,x,w", NULL},
     "bu",
     0},
    {{"MatMulInteger", "", "a @ [41]|b @ [41,7]|x @ [1]|w @ [7]", "", "a,b,x,w", NULL}, "bu", 0},
    {{"MatMulInteger", "", "a @ [6,41]|b @ [41]|x @ [6]|w @ []", "", "a,b,x,w", NULL}, "bu", 0},
    {{"MatMulInteger", "", "a @ [2,5,41]|b @ [2,41,7]|x @ [2,5,1]|w @ [1,1,7]", "", "a,b,x,w",
      NULL},
     "bu",
     0},
    {{"MatMulInteger", "", "a @ [2,5,41]|b @ [41,7]|w @ [7]",
      "x @ [2,5,1] \"random\": {\"seed\": 1, \"low\": 0, \"high\": 99}", "a,b,x,w", NULL},
     "bu",
     0},
    {{"QLinearMatMul", "", "a @ [5,41]|b int8 [41,7]|s float32 [5]|p @ [5]|q int8 [7]|r uint8 [5]",
      "t float16 [7] \"random\": {\"seed\": 1, \"low\": 0.01, \"high\": 0.1}|k float32 [] "
      "\"data\": 3",
      "a,s,p,b,t,q,k,r", NULL},
     "bu",
     0.2},
    {{"QLinearMatMul", "", "a @ [2,5,41]|b uint8 [2,41,7]|s float16 [2,5,1]|t float32 [2,1,7]",
      "k float32 [5] \"random\": {\"seed\": 1, \"low\": 1, \"high\": 3}|p @ [2,5,1] \"random\": "
      "{\"seed\": 1, \"low\": 0, \"high\": 99}|q uint8 [] \"data\": 100|r int8 [] \"data\": -5",
      "a,s,p,b,t,q,k,r", NULL},
     "bu",
     0.2},
    {{"QLinearMatMul", "", "a @ [6,41]|b @ [41]|s float32 [6]|k float32 []|r @ []",
      "z @ [] \"data\": 3", "a,s,z,b,k,z,k,r", NULL},
     "b",
     0.2},
    {{"QLinearMatMul", "", "a @ [41]|b @ [41,7]|s float32 [1]|k float32 []|r @ [1]",
      "z @ [] \"data\": 3", "a,s,z,b,s,z,k,r", NULL},
     "bu",
     0.2},
    {{"MatMul", "", "a @ [5,41]|b @ [41,7]", "", "a,b", NULL}, "i", 0},
    {{"MatMul", "", "a @ [3,20,90]|b @ [90,70]", "", "a,b", NULL}, "i", 0},
    {{"MatMul", "", "a @ [2,1,5,41]|b @ [3,41,7]", "", "a,b", NULL}, "i", 0},
    {{"MatMul", "", "a @ [2,6,8]|b @ [2,8,12]", "", "a,b", NULL}, "i", 0},
    {{"MatMul", "", "a @ [41]|b @ [41,7]", "", "a,b", NULL}, "i", 0},
    {{"MatMul", "", "a @ [6,41]|b @ [41]", "", "a,b", NULL}, "i", 0},
    {{"MatMul", "", "a @ [3,6,41]|b @ [41]", "", "a,b", NULL}, "i", 0},
    {{"MatMul", "", "a @ [41]|b @ [41]", "", "a,b", NULL}, "i", 0},
    {{"MatMul", "", "a @ [33,33]", "", "a,a", NULL}, "i", 0},
    {{"MatMul", "", "a @ [5,41]",
      "b @ [41,7] \"random\": {\"seed\": 1, \"low\": -2147483648, \"high\": 2147483647}", "a,b",
      NULL},
     "i",
     0},
    {{"Gemm", "\"alpha\": -3, \"beta\": 65537, \"transA\": 1", "a @ [41,5]|b @ [41,7]|c @ [7]", "",
      "a,b,c", NULL},
     "i",
     0},
    {{"Gemm", "\"beta\": 2, \"transB\": 1", "a @ [5,41]|b @ [7,41]|c @ [5,1]", "", "a,b,c", NULL},
     "i",
     0},
    {{"Gemm", "", "a @ [50,41]|b @ [41,70]", "", "a,b", NULL}, "i", 0},
    {{"ReduceMean", "\"axes\": [1]", "a @ [7,41]", "", "a", NULL}, "i", 0},
    {{"ReduceMean", "\"axes\": [0], \"keepdims\": 0", "a @ [64,100]", "", "a", NULL}, "i", 0},
    {{"ReduceMean", "", "a @ [1500]", "", "a", NULL}, "i", 0},
    {{"ReduceMean", "\"axes\": [0, 2]", "a @ [3,5,41]", "", "a", NULL}, "i", 0},
    {{"ReduceMean", "\"axes\": [1]", "a @ [7,1]", "", "a", NULL}, "i", 0},
    {{"ReduceMean", "\"noop_with_empty_axes\": 1", "a @ [3,5]", "", "a", NULL}, "i", 0},
    {{"ReduceMean", "\"keepdims\": 0", "a @ []", "", "a", NULL}, "i", 0},
    {{"ReduceL2", "\"axes\": [1]", "a @ [7,41]", "", "a", NULL}, "i", 0},
    {{"ReduceL2", "\"keepdims\": 0", "a @ [1500]", "", "a", NULL}, "i", 0},
    {{"ReduceL2", "\"axes\": [0, 2]", "a @ [3,5,41]", "", "a", NULL}, "i", 0},
    {{"Pow", "", "a @ [3,41]|b int8 [41]", "", "a,b", NULL}, "ihf", 4},
    {{"Pow", "", "a @ [3,41]|b uint8 [3,1]", "", "a,b", NULL}, "ihf", 4},
    {{"Pow", "", "a @ [3,41]|b int16 [3,41]", "", "a,b", NULL}, "ihf", 4},
    {{"Pow", "", "a @ [500]|b int32 [500]", "", "a,b", NULL}, "ihf", 4},
    {{"Pow", "", "a @ [500]|b float32 [500]", "", "a,b", NULL}, "ihf", 4},
    {{"Pow", "", "a @ [3,41]|b float16 [41]", "", "a,b", NULL}, "ihf", 4},
    {{"Pow", "", "a @ [3,41]", "b float32 [] \"data\": 0.5", "a,b", NULL}, "i", 4},
    {{"Pow", "", "a @ [3,41]", "b float16 [1] \"data\": [-3]", "a,b", NULL}, "i", 4},
    {{"Pow", "", "a @ [3,41]", "b int16 [] \"data\": 1000", "a,b", NULL}, "i", 4},
    {{"ReduceLogSum", "\"axes\": [1]", "a @ [7,41]", "", "a", NULL}, "i", 0},
    {{"ReduceLogSumExp", "\"axes\": [0]", "a @ [7,41]", "", "a", NULL}, "i", 0},
    {{"ReduceLogSumExp", "", "a @ [1]", "", "a", NULL}, "i", 0},
    {{"ReduceMax", "\"axes\": [1]", "a bool [9,5]", "", "a", NULL}, "i", 0},
    {{"ReduceMin", "\"axes\": [0], \"keepdims\": 0", "a bool [2,330]", "", "a", NULL}, "i", 0},
    {{"ReduceMax", "", "a bool [700]", "", "a", NULL}, "i", 0},
    {{"RMSNormalization", "", "a float16 [5,80]|s float32 [80]", "", "a,s", NULL}, "i", 3},
    {{"RMSNormalization", "\"axis\": 1", "a float32 [5,8,10]|s float16 [10]", "", "a,s", NULL},
     "i",
     3},
    {{"Gather", "", "a @ [9,41]|i int32 [3,5]", "", "a,i", NULL}, "hfbusi", 4},
    {{"Gather", "\"axis\": 1", "a @ [3,400]|i int32 [7]", "", "a,i", NULL}, "hb", 4},
    {{"Gather", "\"axis\": -2", "a @ [3,9,5]|i int32 []", "", "a,i", NULL}, "fu", 4},
    {{"Gather", "", "a @ [50]|i int32 [2]", "", "a,i", NULL}, "fb", 4},
    {{"Pad", "\"mode\": \"reflect\"", "a @ [3,41]", "p int64 [4] \"data\": [2, 5, 0, 9]", "a,p",
      NULL},
     "hfbi",
     4},
    {{"Pad", "\"mode\": \"edge\"", "a @ [3,41]", "p int64 [4] \"data\": [0, -5, 4, 9]", "a,p",
      NULL},
     "hb",
     4},
    {{"Pad", "\"mode\": \"wrap\"", "a @ [3,4,5]", "p int64 [6] \"data\": [1, 2, 3, 4, 0, 7]", "a,p",
      NULL},
     "hb",
     4},
    {{"CumSum", "", "a @ [7,41]", "k int32 [] \"data\": 1", "a,k", NULL}, "hfi", 4},
    {{"CumSum", "\"exclusive\": 1", "a @ [37,41]", "k int32 [] \"data\": 0", "a,k", NULL},
     "hfi",
     4},
    {{"CumSum", "\"reverse\": 1", "a @ [3,9,5]", "k int32 [] \"data\": 1", "a,k", NULL}, "hfi", 4},
    {{"CumSum", "\"reverse\": 1, \"exclusive\": 1", "a @ [61]", "k int32 [] \"data\": 0", "a,k",
      NULL},
     "hfi",
     4},
    {{"CumSum", "\"exclusive\": 1", "a @ [4,1]", "k int32 [] \"data\": 1", "a,k", NULL}, "hfi", 4},
};
enum { FORMS = sizeof forms / sizeof *forms };

/* Indices "i" mostly within the axis, variances "v" above 0. */
static void put_in_range(Case *c) {
    for (int32_t v = 0; v < c->g.value_count; v++) {
        const TspValue *value = &c->g.values[v];
        const int64_t elements = tsp_value_elements(value);
        for (int64_t i = 0; i < elements && !strcmp(value->name, "i"); i++)
            tsp_store_int(TSP_I32, c->data[v], i, pick(-10, 10));
        for (int64_t i = 0; i < elements && value->is_input && !strcmp(value->name, "v"); i++)
            tsp_store_float(value->dtype, c->data[v], i,
                            fabs(tsp_load_double(value->dtype, c->data[v], i)));
    }
}

static void run_form(int k, char type, const TspMachine *m) {
    char text[3000];
    Case c;
    write_form(text, &forms[k].form, type_name(type));
    open_case(&c, text);
    fill(&c, forms[k].size, !strstr(forms[k].form.op, "Normalization"));
    put_in_range(&c);
    simulate(&c, m);
    compare(&c, m);
    close_case(&c);
}

START_TEST(every_form) {
    const TspMachine tsp1 = builtin("tsp1"), tiny = builtin("tiny");
    random_start();
    for (const char *type = forms[_i].types; *type; type++) {
        run_form(_i, *type, &tsp1);
        run_form(_i, *type, &tiny);
    }
}
END_TEST

/* Whatever latencies are. Trees of reductions do not fit a mesh of neighbours. */
START_TEST(other_machines) {
    random_start();
    for (int i = 0; i < FORMS; i++) {
        TspMachine m = builtin(one_in(2) ? "tiny" : "tsp1");
        vary_timings(&m);
        m.vxm_neighbour_only = 0;
        if (one_in(4)) m.mxm_accumulator_rows = pick(0, 3);
        run_form(i, forms[i].types[random_below((int32_t)strlen(forms[i].types))], &m);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("composed");
    TCase *c = tcase_create("composed");
    tcase_set_timeout(c, 300);
    tcase_add_loop_test(c, written_down, 0, EXAMPLES);
    tcase_add_loop_test(c, every_form, 0, FORMS);
    tcase_add_test(c, other_machines);
    suite_add_tcase(s, c);
    return run_suite(s);
}
