/* interpret.c - evaluates a graph in plain C, from ONNX's semantics: the oracle of --check.
 *
 * Beside every value it carries how far the machine may be from it (docs/graph-format.md,
 * "Tolerances"): nothing at all as long as only integers, or floats rounded in the same places,
 * are involved. Element-wise operators and comparison are here, products in interpret_product.c.
 */
#include "interpret_parts.h"
#include "compiler/number.h"

#include <stdlib.h>
#include <string.h>

double tsp_ulp(TspDtype type, double magnitude) {
    int digits = type == TSP_F16 ? 11 : 24, least = type == TSP_F16 ? -24 : -149;
    int greatest = type == TSP_F16 ? 16 : 128, exponent;
    if (!tsp_dtype_is_float(type) || !isfinite(magnitude)) return 0;
    if (magnitude == 0) return ldexp(1, least);
    frexp(magnitude, &exponent); /* magnitude < 2^exponent */
    if (exponent > greatest) exponent = greatest;
    return ldexp(1, exponent - digits < least ? least : exponent - digits);
}

void tsp_broadcast_strides(const TspValue *v, int32_t rank, const int64_t *shape, int64_t *stride) {
    int64_t step = 1;
    for (int32_t i = 1; i <= rank; i++) {
        int64_t size = i <= v->rank ? v->shape[v->rank - i] : 1;
        stride[rank - i] = size == 1 && shape[rank - i] != 1 ? 0 : step;
        step *= size;
    }
}

double tsp_rounded_tolerance(TspDtype type, double value, double tolerance) {
    uint8_t bytes[3 * sizeof(float)];
    double y, below, above;
    if (!(tolerance > 0)) return 0;
    tsp_store_float(type, bytes, 0, value);
    tsp_store_float(type, bytes, 1, value - tolerance);
    tsp_store_float(type, bytes, 2, value + tolerance);
    y = tsp_load_double(type, bytes, 0);
    below = y - tsp_load_double(type, bytes, 1);
    above = tsp_load_double(type, bytes, 2) - y;
    return isfinite(below) && isfinite(above) ? fmax(below, above)
                                              : tolerance + tsp_ulp(type, fabs(value) + tolerance);
}

double tsp_int_tolerance(TspDtype type, double value, double tolerance) {
    double least = (double)tsp_dtype_least(type), greatest = (double)tsp_dtype_greatest(type);
    if (tolerance > 0 && (value - tolerance < least || value + tolerance > greatest))
        return greatest - least + 1;
    return tolerance;
}

/* A bound that came out as NaN (0 x infinity) bounds nothing: then demand the very same. */
static double sane(double tolerance) {
    return tolerance >= 0 ? tolerance : 0;
}

/* ---- Add, Sub, Mul ---- */

typedef struct {
    int64_t (*of_ints)(int64_t a, int64_t b);
    double (*of_floats)(double a, double b);
    double (*tolerance)(double a, double b, double error_a, double error_b);
} Pairwise;

/* Exact in 64 bits for operands of 32; two halfs or floats in double round the same as directly,
 * since double has more than twice their digits plus two. */
static int64_t add_ints(int64_t a, int64_t b) {
    return a + b;
}
static int64_t sub_ints(int64_t a, int64_t b) {
    return a - b;
}
static int64_t mul_ints(int64_t a, int64_t b) {
    return a * b;
}
static double add_floats(double a, double b) {
    return a + b;
}
static double sub_floats(double a, double b) {
    return a - b;
}
static double mul_floats(double a, double b) {
    return a * b;
}

static double sum_tolerance(double a, double b, double error_a, double error_b) {
    (void)a;
    (void)b;
    return error_a + error_b;
}
static double product_tolerance(double a, double b, double error_a, double error_b) {
    return fabs(a) * error_b + fabs(b) * error_a + error_a * error_b;
}

static const Pairwise pairwise[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_ADD] = {add_ints, add_floats, sum_tolerance},
    [TSP_GRAPH_SUB] = {sub_ints, sub_floats, sum_tolerance},
    [TSP_GRAPH_MUL] = {mul_ints, mul_floats, product_tolerance},
};

static void pairwise_element(const Pairwise *op, const TspOperand *in, int64_t a, int64_t b,
                             TspResult *out, int64_t i) {
    TspDtype type = out->value->dtype;
    double x = tsp_load_double(type, in[0].data, a), y = tsp_load_double(type, in[1].data, b);
    bool is_float = tsp_dtype_is_float(type);
    int64_t whole = 0;
    double real = 0;
    if (is_float) {
        real = op->of_floats(x, y);
        tsp_store_float(type, out->data, i, real);
    } else {
        whole = op->of_ints(tsp_load_int(type, in[0].data, a), tsp_load_int(type, in[1].data, b));
        tsp_store_int(type, out->data, i, whole);
    }
    if (out->tolerance) {
        double t = sane(op->tolerance(x, y, in[0].tolerance ? in[0].tolerance[a] : 0,
                                      in[1].tolerance ? in[1].tolerance[b] : 0));
        if (!is_float)
            t = tsp_int_tolerance(type, (double)whole, t);
        else if (t > 0)
            t = tsp_rounded_tolerance(type, real, t);
        out->tolerance[i] = t;
    }
}

static bool interpret_pairwise(const TspNode *node, int32_t lanes, const TspOperand in[4],
                               TspResult *out) {
    const TspValue *v = out->value;
    int64_t elements = tsp_value_elements(v), last = v->rank ? v->shape[v->rank - 1] : 1;
    int64_t stride[2][TSP_MAX_RANK], index[TSP_MAX_RANK] = {0}, at[2] = {0, 0};
    int64_t step[2] = {0, 0};
    (void)lanes;
    if (in[0].tolerance || in[1].tolerance) {
        out->tolerance = malloc((size_t)elements * sizeof(double));
        if (!out->tolerance) return false;
    }
    for (int k = 0; k < 2; k++) {
        tsp_broadcast_strides(in[k].value, v->rank, v->shape, stride[k]);
        if (v->rank) step[k] = stride[k][v->rank - 1];
    }
    for (int64_t i = 0; i < elements; i += last) {
        int32_t d = v->rank - 2;
        for (int64_t j = 0; j < last; j++)
            pairwise_element(&pairwise[node->op], in, at[0] + j * step[0], at[1] + j * step[1], out,
                             i + j);
        for (; d >= 0; d--) { /* odometer over the dimensions but the last */
            at[0] += stride[0][d];
            at[1] += stride[1][d];
            if (++index[d] < v->shape[d]) break;
            at[0] -= stride[0][d] * v->shape[d];
            at[1] -= stride[1][d] * v->shape[d];
            index[d] = 0;
        }
    }
    return true;
}

/* ---- Relu, Cast ---- */

static bool copy_tolerance(const TspOperand *in, TspResult *out) {
    size_t bytes = (size_t)tsp_value_elements(out->value) * sizeof(double);
    if (!in->tolerance) return true;
    out->tolerance = malloc(bytes);
    if (out->tolerance) memcpy(out->tolerance, in->tolerance, bytes);
    return out->tolerance != NULL;
}

static bool interpret_relu(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out) {
    TspDtype type = out->value->dtype;
    int64_t elements = tsp_value_elements(out->value);
    (void)node;
    (void)lanes;
    for (int64_t i = 0; i < elements; i++) {
        double x = tsp_load_double(type, in[0].data, i);
        if (tsp_dtype_is_float(type))
            tsp_store_float(type, out->data, i, x > 0 || x != x ? x : 0);
        else
            tsp_store_int(type, out->data, i, x > 0 ? (int64_t)x : 0);
    }
    return copy_tolerance(&in[0], out); /* Relu brings no two numbers further apart */
}

static int64_t truncate_saturating(double x, TspDtype to) {
    double least = (double)tsp_dtype_least(to), greatest = (double)tsp_dtype_greatest(to);
    if (x != x) return 0;
    return (int64_t)(x < least ? least : x > greatest ? greatest : x);
}

static double cast_tolerance(TspDtype from, TspDtype to, double x, double tolerance) {
    if (!(tolerance > 0)) return 0;
    if (to == TSP_BOOL) return fabs(x) <= tolerance ? 1 : 0;
    if (tsp_dtype_is_float(to)) return tsp_rounded_tolerance(to, x, tolerance);
    if (tsp_dtype_is_float(from)) return tolerance + 1; /* truncation; saturation is monotone */
    return tsp_int_tolerance(to, x, tolerance);
}

static bool interpret_cast(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out) {
    TspDtype from = in[0].value->dtype, to = node->to;
    int64_t elements = tsp_value_elements(out->value);
    (void)lanes;
    if (!copy_tolerance(&in[0], out)) return false;
    for (int64_t i = 0; i < elements; i++) {
        double x = tsp_load_double(from, in[0].data, i); /* exact */
        if (tsp_dtype_is_float(to))
            tsp_store_float(to, out->data, i, x);
        else if (to == TSP_BOOL)
            out->data[i] = x != 0;
        else if (tsp_dtype_is_float(from))
            tsp_store_int(to, out->data, i, truncate_saturating(x, to));
        else
            tsp_store_int(to, out->data, i, (int64_t)x);
        if (out->tolerance) out->tolerance[i] = cast_tolerance(from, to, x, out->tolerance[i]);
    }
    return true;
}

/* Rows of the result: count, sum, least, greatest; of a group without elements 0, 0 and the
 * identities of the last two. Sums modulo 2^32. */
static bool interpret_group(const TspNode *node, int32_t lanes, const TspOperand in[4],
                            TspResult *out) {
    const int64_t elements = tsp_value_elements(in[0].value), groups = node->groups;
    const TspDtype type = out->value->dtype;
    (void)lanes;
    for (int64_t g = 0; g < groups; g++) {
        tsp_store_int(type, out->data, g, 0);
        tsp_store_int(type, out->data, groups + g, 0);
        tsp_store_int(type, out->data, 2 * groups + g, INT32_MAX);
        tsp_store_int(type, out->data, 3 * groups + g, INT32_MIN);
    }
    for (int64_t i = 0; i < elements; i++) {
        const int64_t g = tsp_load_int(in[0].value->dtype, in[0].data, i);
        const int64_t v = tsp_load_int(in[1].value->dtype, in[1].data, i);
        if (g < 0 || g >= groups) continue;
        tsp_store_int(type, out->data, g, tsp_load_int(type, out->data, g) + 1);
        tsp_store_int(type, out->data, groups + g, tsp_load_int(type, out->data, groups + g) + v);
        if (v < tsp_load_int(type, out->data, 2 * groups + g))
            tsp_store_int(type, out->data, 2 * groups + g, v);
        if (v > tsp_load_int(type, out->data, 3 * groups + g))
            tsp_store_int(type, out->data, 3 * groups + g, v);
    }
    return true;
}

/* ---- the graph ---- */

static bool (*const interpreters[TSP_GRAPH_OP_COUNT])(const TspNode *node, int32_t lanes,
                                                      const TspOperand in[4], TspResult *out) = {
    [TSP_GRAPH_MATMUL_INTEGER] = tsp_interpret_product,
    [TSP_GRAPH_QLINEAR_MATMUL] = tsp_interpret_qlinear,
    [TSP_GRAPH_MATMUL] = tsp_interpret_product,
    [TSP_GRAPH_GEMM] = tsp_interpret_product,
    [TSP_GRAPH_ADD] = interpret_pairwise,
    [TSP_GRAPH_SUB] = interpret_pairwise,
    [TSP_GRAPH_MUL] = interpret_pairwise,
    [TSP_GRAPH_RELU] = interpret_relu,
    [TSP_GRAPH_CAST] = interpret_cast,
    [TSP_GRAPH_NEG] = tsp_interpret_elementwise,
    [TSP_GRAPH_ABS] = tsp_interpret_elementwise,
    [TSP_GRAPH_MIN] = tsp_interpret_elementwise,
    [TSP_GRAPH_MAX] = tsp_interpret_elementwise,
    [TSP_GRAPH_IDENTITY] = tsp_interpret_elementwise,
    [TSP_GRAPH_EQUAL] = tsp_interpret_elementwise,
    [TSP_GRAPH_GREATER] = tsp_interpret_elementwise,
    [TSP_GRAPH_LESS] = tsp_interpret_elementwise,
    [TSP_GRAPH_GREATER_OR_EQUAL] = tsp_interpret_elementwise,
    [TSP_GRAPH_LESS_OR_EQUAL] = tsp_interpret_elementwise,
    [TSP_GRAPH_AND] = tsp_interpret_elementwise,
    [TSP_GRAPH_OR] = tsp_interpret_elementwise,
    [TSP_GRAPH_XOR] = tsp_interpret_elementwise,
    [TSP_GRAPH_NOT] = tsp_interpret_elementwise,
    [TSP_GRAPH_BIT_SHIFT] = tsp_interpret_elementwise,
    [TSP_GRAPH_TANH] = tsp_interpret_elementwise,
    [TSP_GRAPH_EXP] = tsp_interpret_elementwise,
    [TSP_GRAPH_CLIP] = tsp_interpret_elementwise,
    [TSP_GRAPH_LEAKY_RELU] = tsp_interpret_elementwise,
    [TSP_GRAPH_WHERE] = tsp_interpret_elementwise,
    [TSP_GRAPH_SIGMOID] = tsp_interpret_elementwise,
    [TSP_GRAPH_SQRT] = tsp_interpret_elementwise,
    [TSP_GRAPH_DIV] = tsp_interpret_elementwise,
    [TSP_GRAPH_RECIPROCAL] = tsp_interpret_elementwise,
    [TSP_GRAPH_MOD] = tsp_interpret_elementwise,
    [TSP_GRAPH_POW] = tsp_interpret_elementwise,
    [TSP_GRAPH_LOG] = tsp_interpret_elementwise,
    [TSP_GRAPH_ERF] = tsp_interpret_elementwise,
    [TSP_GRAPH_GELU] = tsp_interpret_elementwise,
    [TSP_GRAPH_FLOOR] = tsp_interpret_elementwise,
    [TSP_GRAPH_CEIL] = tsp_interpret_elementwise,
    [TSP_GRAPH_ROUND] = tsp_interpret_elementwise,
    [TSP_GRAPH_SIGN] = tsp_interpret_elementwise,
    [TSP_GRAPH_SUM] = tsp_interpret_elementwise,
    [TSP_GRAPH_MEAN] = tsp_interpret_elementwise,
    [TSP_GRAPH_HARD_SIGMOID] = tsp_interpret_elementwise,
    [TSP_GRAPH_HARD_SWISH] = tsp_interpret_elementwise,
    [TSP_GRAPH_SOFTPLUS] = tsp_interpret_elementwise,
    [TSP_GRAPH_SOFTSIGN] = tsp_interpret_elementwise,
    [TSP_GRAPH_MISH] = tsp_interpret_elementwise,
    [TSP_GRAPH_ELU] = tsp_interpret_elementwise,
    [TSP_GRAPH_CELU] = tsp_interpret_elementwise,
    [TSP_GRAPH_SELU] = tsp_interpret_elementwise,
    [TSP_GRAPH_PRELU] = tsp_interpret_elementwise,
    [TSP_GRAPH_SWISH] = tsp_interpret_elementwise,
    [TSP_GRAPH_QUANTIZE_LINEAR] = tsp_interpret_quantize,
    [TSP_GRAPH_DEQUANTIZE_LINEAR] = tsp_interpret_quantize,
    [TSP_GRAPH_DYNAMIC_QUANTIZE_LINEAR] = tsp_interpret_dynamic,
    [TSP_GRAPH_BATCH_NORMALIZATION] = tsp_interpret_batch_norm,
    [TSP_GRAPH_REDUCE_SUM] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_MEAN] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_MAX] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_MIN] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_PROD] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_SUM_SQUARE] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_L1] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_L2] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_LOG_SUM] = tsp_interpret_axes,
    [TSP_GRAPH_REDUCE_LOG_SUM_EXP] = tsp_interpret_axes,
    [TSP_GRAPH_ARG_MAX] = tsp_interpret_axes,
    [TSP_GRAPH_ARG_MIN] = tsp_interpret_axes,
    [TSP_GRAPH_SOFTMAX] = tsp_interpret_axes,
    [TSP_GRAPH_LOG_SOFTMAX] = tsp_interpret_axes,
    [TSP_GRAPH_CUM_SUM] = tsp_interpret_cum_sum,
    [TSP_GRAPH_LAYER_NORMALIZATION] = tsp_interpret_normalize,
    [TSP_GRAPH_RMS_NORMALIZATION] = tsp_interpret_normalize,
    [TSP_GRAPH_INSTANCE_NORMALIZATION] = tsp_interpret_normalize,
    [TSP_GRAPH_GROUP_BY_AGGREGATE] = interpret_group,
    [TSP_GRAPH_RESHAPE] = tsp_interpret_movement,
    [TSP_GRAPH_FLATTEN] = tsp_interpret_movement,
    [TSP_GRAPH_SQUEEZE] = tsp_interpret_movement,
    [TSP_GRAPH_UNSQUEEZE] = tsp_interpret_movement,
    [TSP_GRAPH_TRANSPOSE] = tsp_interpret_movement,
    [TSP_GRAPH_SPLIT] = tsp_interpret_movement,
    [TSP_GRAPH_SLICE] = tsp_interpret_movement,
    [TSP_GRAPH_EXPAND] = tsp_interpret_movement,
    [TSP_GRAPH_CONCAT] = tsp_interpret_movement,
    [TSP_GRAPH_PAD] = tsp_interpret_movement,
    [TSP_GRAPH_TILE] = tsp_interpret_movement,
    [TSP_GRAPH_GATHER] = tsp_interpret_movement,
    [TSP_GRAPH_TRILU] = tsp_interpret_movement,
    [TSP_GRAPH_DEPTH_TO_SPACE] = tsp_interpret_movement,
    [TSP_GRAPH_SPACE_TO_DEPTH] = tsp_interpret_movement,
};

static bool interpret_node(const TspGraph *g, const TspNode *node, int32_t lanes,
                           uint8_t *const *found, uint8_t **data, double **tolerance,
                           TspError *err) {
    TspOperand in[TSP_NODE_INPUTS] = {{0}};
    TspResult out = {.value = &g->values[node->output]};
    bool ok;
    for (int32_t i = 0; i < node->input_count; i++) {
        int32_t v = node->inputs[i];
        if (v < 0) continue;
        in[i] = (TspOperand){&g->values[v], g->values[v].data ? g->values[v].data : data[v],
                             tolerance[v]};
        if (found && found[v]) in[i] = (TspOperand){&g->values[v], found[v], NULL};
        if (!in[i].data)
            return tsp_fail(err, TSP_ERR_INPUT, "input \"%s\" has no contents; give it a file",
                            g->values[v].name);
    }
    out.data = malloc((size_t)tsp_value_bytes(out.value));
    ok = out.data && interpreters[node->op](node, lanes, in, &out);
    data[node->output] = out.data;
    tolerance[node->output] = out.tolerance;
    return ok ||
           tsp_fail(err, TSP_ERR_SYSTEM,
                    "out of memory while evaluating \"%s\"; check a smaller graph", node->name);
}

bool tsp_interpret_beside(const TspGraph *g, int32_t lanes, uint8_t *const *found, uint8_t **data,
                          double **tolerance, TspError *err) {
    bool ok = true;
    for (int32_t v = 0; v < g->value_count; v++) {
        tolerance[v] = NULL;
        if (g->values[v].producer >= 0) data[v] = NULL;
    }
    for (int32_t n = 0; ok && n < g->node_count; n++)
        ok = interpret_node(g, &g->nodes[n], lanes, found, data, tolerance, err);
    for (int32_t v = 0; !ok && v < g->value_count; v++) {
        if (g->values[v].producer < 0) continue;
        free(data[v]);
        free(tolerance[v]);
        data[v] = NULL;
        tolerance[v] = NULL;
    }
    return ok;
}

bool tsp_interpret(const TspGraph *g, int32_t lanes, uint8_t **data, double **tolerance,
                   TspError *err) {
    return tsp_interpret_beside(g, lanes, NULL, data, tolerance, err);
}

/* ---- comparison ---- */

/* Infinity as the power of two beyond the greatest number, so that a result on the brink of
 * overflow has a distance from one that overflowed. */
static double clip(TspDtype type, double x) {
    return isinf(x) ? copysign(type == TSP_F16 ? 0x1p16 : 0x1p128, x) : x;
}

TspComparison tsp_compare(TspDtype dtype, int64_t elements, const uint8_t *want, const uint8_t *got,
                          const double *tolerance) {
    TspComparison c = {.passed = true, .first_bad = -1};
    size_t bytes = (size_t)tsp_dtype_bytes(dtype);
    for (int64_t i = 0; i < elements; i++) {
        double x, y, distance;
        bool same = memcmp(want + (size_t)i * bytes, got + (size_t)i * bytes, bytes) == 0;
        if (same) continue;
        x = tsp_load_double(dtype, want, i);
        y = tsp_load_double(dtype, got, i);
        if (x != x && y != y) continue;
        distance = fabs(clip(dtype, x) - clip(dtype, y));
        if (x != x || y != y) distance = INFINITY;
        if (distance > c.max_abs_err) c.max_abs_err = distance;
        if (x != 0 && distance / fabs(x) > c.max_rel_err) c.max_rel_err = distance / fabs(x);
        if ((!tolerance || !(distance <= tolerance[i])) && c.passed) {
            c.passed = false;
            c.first_bad = i;
        }
    }
    return c;
}
