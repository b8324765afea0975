/* interpret_elementwise.c - element-wise operators beyond arithmetic, one element at a time.
 *
 * Elements of every type are exact in double; a result is rounded once, when it is stored. Beside
 * it goes how far the machine may be from it (docs/graph-format.md, "Tolerances").
 */
#include "interpret_rule.h"
#include "compiler/number.h"

#include <stdlib.h>

/* ---- values ---- */

static double neg(const Elements *e) {
    return -e->x[0];
}
static double magnitude(const Elements *e) {
    return fabs(e->x[0]);
}
static double identity(const Elements *e) {
    return e->x[0];
}

/* NaN if either is; of zeros, -0 is the lesser. */
static double lesser(double a, double b) {
    if (a != a || b != b) return NAN;
    if (a == b) return signbit(a) ? a : b;
    return a < b ? a : b;
}
static double greater(double a, double b) {
    return -lesser(-a, -b);
}
static double min(const Elements *e) {
    return lesser(e->x[0], e->x[1]);
}
static double max(const Elements *e) {
    return greater(e->x[0], e->x[1]);
}

static double equal(const Elements *e) {
    return e->x[0] == e->x[1];
}
static double greater_than(const Elements *e) {
    return e->x[0] > e->x[1];
}
static double less_than(const Elements *e) {
    return e->x[0] < e->x[1];
}
static double greater_or_equal(const Elements *e) {
    return e->x[0] >= e->x[1];
}
static double less_or_equal(const Elements *e) {
    return e->x[0] <= e->x[1];
}

static double both(const Elements *e) {
    return e->x[0] != 0 && e->x[1] != 0;
}
static double any(const Elements *e) {
    return e->x[0] != 0 || e->x[1] != 0;
}
static double differ(const Elements *e) {
    return e->x[0] != e->x[1];
}
static double not(const Elements *e) {
    return e->x[0] == 0;
}

static double shift(const Elements *e) {
    uint32_t value = (uint32_t)e->x[0], by = (uint32_t)e->x[1];
    if (by > 7) return 0;
    return e->node->shift_right ? value >> by : (uint8_t)(value << by);
}

static double hyperbolic_tangent(const Elements *e) {
    return tanh(e->x[0]);
}
static double exponential(const Elements *e) {
    return exp(e->x[0]);
}
static double sigmoid(const Elements *e) {
    return 1 / (1 + exp(-e->x[0]));
}
static double square_root(const Elements *e) {
    return sqrt(e->x[0] + 0.0); /* of -0 it is +0 */
}

static double clip(const Elements *e) {
    return lesser(greater(e->x[0], e->x[1]), e->x[2]);
}

/* A number of the result's type, as the machine has it. */
static double alpha(const Elements *e) {
    float rounded;
    if (e->type == TSP_F16) return (double)tsp_half_to_float(tsp_half_from_double(e->node->alpha));
    rounded = (float)e->node->alpha;
    return (double)rounded;
}

/* Zeros keep their sign where alpha is above zero, and are +0 elsewhere. */
static double leaky_relu(const Elements *e) {
    uint8_t product[4];
    double y;
    if (e->x[0] > 0 || e->x[0] != e->x[0]) return e->x[0];
    tsp_store_float(e->type, product, 0, alpha(e) * e->x[0]);
    y = tsp_load_double(e->type, product, 0);
    return alpha(e) > 0 ? y : y + 0.0;
}

static double where(const Elements *e) {
    return e->x[0] != 0 ? e->x[1] : e->x[2];
}

/* ---- tolerances ---- */

static double of_first(const Elements *e) {
    return e->error[0];
}
static double of_larger(const Elements *e) {
    return fmax(e->error[0], e->error[1]);
}

/* Either answer, if the operands may stand in the other order. */
static double of_comparison(const Elements *e) {
    double error = e->error[0] + e->error[1];
    return error > 0 && fabs(e->x[0] - e->x[1]) <= error ? 1 : 0;
}
static double of_logic(const Elements *e) {
    return e->error[0] + e->error[1] > 0 ? 1 : 0;
}
static double of_shift(const Elements *e) {
    return e->error[0] + e->error[1] > 0 ? UINT8_MAX : 0;
}
static double of_exponential(const Elements *e) {
    return exp(e->x[0]) * expm1(e->error[0]);
}
static double of_clip(const Elements *e) {
    return fmax(e->error[0], fmax(e->error[1], e->error[2]));
}
static double of_leaky_relu(const Elements *e) {
    return fmax(1, fabs(alpha(e))) * e->error[0];
}

static double of_where(const Elements *e) {
    double apart = fabs(e->x[1] - e->x[2]);
    if (e->error[0] > 0) return (apart >= 0 ? apart : INFINITY) + of_larger(e) + e->error[2];
    return e->x[0] != 0 ? e->error[1] : e->error[2];
}

/* Of the steps, and anything where a negative operand could make it NaN. */
static double of_square_root(const Elements *e) {
    double y = sqrt(e->x[0] + 0.0), error = e->error[0];
    if (error > 0 && e->x[0] - error < 0) return INFINITY;
    if (error > 0) error = y - sqrt(e->x[0] - error);
    return isfinite(y) ? error + 5 * 0x1p-24 * y : 0;
}
static double of_sigmoid(const Elements *e) {
    return e->error[0] + 0x1p-23;
}

static const Rule rules[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_NEG] = {neg, of_first, false},
    [TSP_GRAPH_ABS] = {magnitude, of_first, false},
    [TSP_GRAPH_MIN] = {min, of_larger, false},
    [TSP_GRAPH_MAX] = {max, of_larger, false},
    [TSP_GRAPH_IDENTITY] = {identity, of_first, false},
    [TSP_GRAPH_EQUAL] = {equal, of_comparison, false},
    [TSP_GRAPH_GREATER] = {greater_than, of_comparison, false},
    [TSP_GRAPH_LESS] = {less_than, of_comparison, false},
    [TSP_GRAPH_GREATER_OR_EQUAL] = {greater_or_equal, of_comparison, false},
    [TSP_GRAPH_LESS_OR_EQUAL] = {less_or_equal, of_comparison, false},
    [TSP_GRAPH_AND] = {both, of_logic, false},
    [TSP_GRAPH_OR] = {any, of_logic, false},
    [TSP_GRAPH_XOR] = {differ, of_logic, false},
    [TSP_GRAPH_NOT] = {not, of_logic, false},
    [TSP_GRAPH_BIT_SHIFT] = {shift, of_shift, false},
    [TSP_GRAPH_TANH] = {hyperbolic_tangent, of_first, true},
    [TSP_GRAPH_EXP] = {exponential, of_exponential, true},
    [TSP_GRAPH_CLIP] = {clip, of_clip, false},
    [TSP_GRAPH_LEAKY_RELU] = {leaky_relu, of_leaky_relu, false},
    [TSP_GRAPH_WHERE] = {where, of_where, false},
    [TSP_GRAPH_SIGMOID] = {sigmoid, of_sigmoid, true},
    [TSP_GRAPH_SQRT] = {square_root, of_square_root, true},
};

/* ---- all elements ---- */

static void evaluate(const Rule *rule, const Elements *e, TspResult *out, int64_t i) {
    double y = rule->value(e), error;
    if (tsp_dtype_is_float(e->type))
        tsp_store_float(e->type, out->data, i, y);
    else
        tsp_store_int(e->type, out->data, i, (int64_t)y);
    if (!out->tolerance) return;
    error = rule->error(e);
    if (!(error >= 0)) error = 0; /* NaN bounds nothing: then demand the very same */
    if (!tsp_dtype_is_float(e->type)) {
        out->tolerance[i] = e->type == TSP_BOOL ? error : tsp_int_tolerance(e->type, y, error);
        return;
    }
    if (rule->rounds || error > 0) error += tsp_ulp(e->type, fabs(y) + error);
    out->tolerance[i] = error;
}

/* Where in an operand the element lies that meets element i of the result. */
static int64_t position(const TspValue *out, const int64_t *stride, int64_t i) {
    int64_t at = 0;
    for (int32_t d = out->rank - 1; d >= 0; d--) {
        at += i % out->shape[d] * stride[d];
        i /= out->shape[d];
    }
    return at;
}

bool tsp_interpret_elementwise(const TspNode *node, int32_t lanes, const TspOperand *in,
                               TspResult *out) {
    const Rule *curve = interpret_curve_rule(node), *rule = curve ? curve : &rules[node->op];
    const int64_t elements = tsp_value_elements(out->value);
    int64_t stride[RULE_INPUTS][TSP_MAX_RANK];
    bool inexact = rule->rounds;
    (void)lanes;
    for (int32_t k = 0; k < node->input_count; k++) {
        inexact |= in[k].tolerance != NULL;
        if (in[k].value)
            tsp_broadcast_strides(in[k].value, out->value->rank, out->value->shape, stride[k]);
    }
    if (inexact && !(out->tolerance = malloc((size_t)elements * sizeof *out->tolerance)))
        return false;
    for (int64_t i = 0; i < elements; i++) {
        Elements e = {node, out->value->dtype, {0, -INFINITY, INFINITY}, {0}};
        for (int32_t k = 0; k < node->input_count; k++) {
            int64_t at = in[k].value ? position(out->value, stride[k], i) : 0;
            if (in[k].value) e.x[k] = tsp_load_double(in[k].value->dtype, in[k].data, at);
            if (in[k].tolerance) e.error[k] = in[k].tolerance[at];
        }
        evaluate(rule, &e, out, i);
    }
    return true;
}
