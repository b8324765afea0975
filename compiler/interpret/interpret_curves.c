/* interpret_curves.c - the element-wise operators that are many steps on the machine, by the host's
 * functions in double; how far the machine may be from them is what docs/graph-format.md states.
 */
#include "interpret_rule.h"
#include "compiler/number.h"

#include <stdlib.h>

/* The unit that roundings in float32 are counted in, and the least one. */
static const double U = 0x1p-24, LEAST = 0x1p-149;

static bool is_half(const Elements *e) {
    return e->type == TSP_F16;
}

/* ---- Div, Reciprocal, Mod ---- */

static double whole_quotient(const Elements *e) {
    const double least = (double)tsp_dtype_least(e->type),
                 greatest = (double)tsp_dtype_greatest(e->type);
    if (e->x[1] == 0) return e->x[0] < 0 ? least : greatest;
    return fmin(fmax(trunc(e->x[0] / e->x[1]), least), greatest);
}
static double quotient(const Elements *e) {
    return tsp_dtype_is_float(e->type) ? e->x[0] / e->x[1] : whole_quotient(e);
}

/* How much a quotient changes with its operands; anything where the divisor may be 0. */
static double quotient_change(double a, double b, double error_a, double error_b) {
    if (error_a + error_b <= 0) return 0;
    if (fabs(b) <= error_b) return INFINITY;
    return (error_a + fabs(a / b) * error_b) / (fabs(b) - error_b);
}

/* Operands that have lost digits, and results among the subnormals. */
static double of_quotient(const Elements *e) {
    const double y = quotient(e), a = fabs(e->x[0]);
    double error = quotient_change(e->x[0], e->x[1], e->error[0], e->error[1]);
    if (!tsp_dtype_is_float(e->type)) return error > 0 ? error + 1 : 0;
    if (is_half(e) || !isfinite(y)) return error;
    return error + (a < 0x1p-110 ? 16 * U * fabs(y) : 0) + (fabs(y) < 0x1p-125 ? 4 * LEAST : 0);
}

static double reciprocal(const Elements *e) {
    return 1 / e->x[0];
}
static double of_reciprocal(const Elements *e) {
    return quotient_change(1, e->x[0], 0, e->error[0]) +
           (fabs(e->x[0]) > 0x1p125 && !is_half(e) ? 2 * LEAST : 0);
}

/* Of floats NaN where the quotient is 2^36 or more, but of halfs. */
static double float_modulus(const Elements *e) {
    const bool far = !(fabs(e->x[0]) < fabs(e->x[1]) * 0x1p36);
    return far && !is_half(e) ? NAN : fmod(e->x[0], e->x[1]);
}
static double modulus(const Elements *e) {
    double rest;
    if (tsp_dtype_is_float(e->type)) return float_modulus(e);
    if (e->x[1] == 0) return e->x[0];
    rest = fmod(e->x[0], e->x[1]);
    return !e->node->fmod && rest * e->x[1] < 0 ? rest + e->x[1] : rest;
}
static double of_anything(const Elements *e) {
    return e->error[0] + e->error[1] > 0 ? INFINITY : 0;
}

/* ---- Pow, Log ---- */

/* Of int32 by a whole exponent. */
static double whole_power(double x, double exponent) {
    const int64_t n = (int64_t)fmin(fmax(exponent, INT32_MIN), INT32_MAX);
    uint32_t y = 1, square = (uint32_t)(int64_t)x;
    if (n < 0 && fabs(x) != 1) return x == 0 ? INT32_MAX : 0;
    for (int64_t left = llabs(n); left; left >>= 1, square *= square)
        if (left & 1) y *= square;
    return (int32_t)y;
}
static double float_power(double x, double y) {
    return x < 0 && y != floor(y) ? NAN : pow(x, y);
}
static double without_fraction(double y) {
    return y != y ? 0 : trunc(fmin(fmax(y, INT32_MIN), INT32_MAX));
}
static double int_power(const Elements *e) {
    const double x = e->x[0], y = e->x[1];
    /* whole numbers of float32 from 2^31 on count as the last before that */
    if (fabs(y) >= 0x1p31) return whole_power(x, copysign(0x7fffff80, y));
    return y == floor(y) ? whole_power(x, y) : without_fraction(float_power(x, y));
}

/* What may be taken for the whole number above, and what the machine's float32 may be off. */
static double of_int_power(const Elements *e) {
    const double x = e->x[0], y = e->x[1], z = float_power(x, y);
    const double off = U * (4 + 1.6 * fmin(fabs(y) * fabs(log(fabs(x))), 128));
    const double low = without_fraction(z * (1 - off) * (1 + 40 * U)),
                 high = without_fraction(z * (1 + off) * (1 + 40 * U));
    if (e->error[0] + e->error[1] > 0) return INFINITY;
    if (y == floor(y) || !isfinite(z)) return 0;
    return fmax(high - without_fraction(z), without_fraction(z) - low);
}

static double power(const Elements *e) {
    if (e->type == TSP_I32) return int_power(e);
    return float_power(e->x[0], e->x[1]);
}
static double of_power(const Elements *e) {
    if (e->type == TSP_I32) return of_int_power(e);
    const double x = fabs(e->x[0]), y = fabs(e->x[1]), z = fabs(power(e)), log_x = fabs(log(x));
    double change = 0;
    if (!isfinite(z)) return 0;
    if (e->error[0] + e->error[1] > 0) {
        if (x <= e->error[0]) return INFINITY;
        change = (y + e->error[1]) * -log1p(-e->error[0] / x) + e->error[1] * log_x;
    }
    return z * expm1(change) + (z > 0 ? z * U * (16 + 4 * fmin(y * log_x, 128)) : 0) + 4 * LEAST;
}

static double logarithm(const Elements *e) {
    return log(e->x[0]);
}
static double of_logarithm(const Elements *e) {
    const double y = fabs(logarithm(e)), x = e->x[0], error = e->error[0];
    if (error > 0 && x <= error) return INFINITY;
    if (!isfinite(y)) return 0;
    return (error > 0 ? -log1p(-error / x) : 0) + y * (is_half(e) ? 256 : 4) * U;
}

/* ---- Erf, Gelu ---- */

static double error_function(const Elements *e) {
    return erf(e->x[0]);
}
static double of_error_function(const Elements *e) {
    return 1.13 * e->error[0] + 4 * U * fabs(error_function(e));
}

static double gelu(const Elements *e) {
    const double x = e->x[0], root = sqrt(2 / acos(-1));
    if (e->node->tanh_form) return 0.5 * x * (1 + tanh(root * (x + 0.044715 * x * x * x)));
    return 0.5 * x * (1 + erf(x * sqrt(0.5)));
}
static double of_gelu(const Elements *e) {
    return 1.13 * e->error[0] + 4 * U * fabs(e->x[0]);
}

/* ---- Floor, Ceil, Round, Sign ---- */

static double floor_of(const Elements *e) {
    return floor(e->x[0]);
}
static double ceil_of(const Elements *e) {
    return ceil(e->x[0]);
}
static double round_of(const Elements *e) {
    return nearbyint(e->x[0]); /* ties to even, as nothing here changes the mode */
}
static double of_whole(const Elements *e) {
    return e->error[0] > 0 ? e->error[0] + 1 : 0;
}

static double sign(const Elements *e) {
    return e->x[0] > 0 ? 1 : e->x[0] < 0 ? -1 : e->x[0] + 0.0; /* NaN stays; zeros are +0 */
}
static double of_sign(const Elements *e) {
    return e->error[0] > 0 && fabs(e->x[0]) <= e->error[0] ? 2 : 0;
}

/* ---- Min, Max, Sum ---- */

static double least(const Elements *e) {
    double y = e->x[0];
    for (int32_t i = 1; i < e->node->input_count; i++) {
        const double x = e->x[i];
        if (x != x || x < y || (x == y && signbit(x))) y = y != y ? y : x;
    }
    return y;
}
static double greatest(const Elements *e) {
    double y = e->x[0];
    for (int32_t i = 1; i < e->node->input_count; i++) {
        const double x = e->x[i];
        if (x != x || x > y || (x == y && !signbit(x))) y = y != y ? y : x;
    }
    return y;
}
static double of_largest(const Elements *e) {
    double error = 0;
    for (int32_t i = 0; i < e->node->input_count; i++) error = fmax(error, e->error[i]);
    return error;
}

static double rounded(TspDtype type, double value) {
    uint8_t bits[4];
    tsp_store_float(type, bits, 0, value);
    return tsp_load_double(type, bits, 0);
}

/* One after the other, each sum rounded. */
static double sum(const Elements *e) {
    double y = e->x[0];
    for (int32_t i = 1; i < e->node->input_count; i++) y = rounded(e->type, y + e->x[i]);
    return y;
}
static double of_sum(const Elements *e) {
    double error = 0, size = 0;
    for (int32_t i = 0; i < e->node->input_count; i++)
        error += e->error[i], size += fabs(e->x[i]) + e->error[i];
    return error > 0 ? error + e->node->input_count * tsp_ulp(e->type, size) : 0;
}

/* The sum times float32(1 / n). */
static double mean(const Elements *e) {
    return sum(e) / e->node->input_count;
}
static double of_mean(const Elements *e) {
    return of_sum(e) / e->node->input_count + 2 * U * fabs(mean(e));
}

/* ---- limits and units ---- */

static double single(double value) {
    return (double)(float)value;
}

/* In float32, step by step. */
static double limited(double x, double alpha, double beta) {
    const double y = single(single(x * single(alpha)) + single(beta));
    return y != y ? y : fmin(fmax(y, 0), 1);
}
static double hard_sigmoid(const Elements *e) {
    return limited(e->x[0], e->node->alpha, e->node->beta) + 0.0;
}
static double of_hard_sigmoid(const Elements *e) {
    return e->error[0] > 0 ? fabs(e->node->alpha) * e->error[0] + 4 * U : 0;
}
static double hard_swish(const Elements *e) {
    return single(e->x[0] * (limited(e->x[0], 1.0 / 6, 0.5) + 0.0));
}
static double of_hard_swish(const Elements *e) {
    return e->error[0] > 0 ? 1.5 * e->error[0] + 4 * U * fabs(e->x[0]) : 0;
}

/* ln(1 + e^x). */
static double log_of_sum(double x) {
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}
static double softplus(const Elements *e) {
    return e->x[0] != e->x[0] ? NAN : log_of_sum(e->x[0]);
}
static double of_softplus(const Elements *e) {
    const double y = softplus(e);
    return isfinite(y) ? e->error[0] + (is_half(e) ? 512 : 4) * U * y + LEAST : 0;
}
static double mish(const Elements *e) {
    return e->x[0] * tanh(softplus(e));
}
static double of_mish(const Elements *e) {
    const double y = fabs(mish(e));
    return isfinite(y)
               ? 1.1 * e->error[0] + (is_half(e) ? 512 : 8) * U * y + (2 + fabs(e->x[0])) * LEAST
               : 0;
}

static double softsign(const Elements *e) {
    return e->x[0] / (1 + fabs(e->x[0]));
}
static double of_softsign(const Elements *e) {
    return e->error[0] + 5 * U * fabs(softsign(e)) + 2 * LEAST;
}

/* Zeros are +0. */
static double unit(double x, double above, double below, double inner) {
    return x != x ? x : above * fmax(x, 0) + below * expm1(inner * fmin(x, 0)) + 0.0;
}
static double elu(const Elements *e) {
    return unit(e->x[0], 1, e->node->alpha, 1);
}
static double celu(const Elements *e) {
    return unit(e->x[0], 1, e->node->alpha, 1 / e->node->alpha);
}
static double selu(const Elements *e) {
    return unit(e->x[0], e->node->beta, e->node->beta * e->node->alpha, 1);
}
static double unit_error(const Elements *e, double y, double slope) {
    return isfinite(y) ? slope * e->error[0] + 10 * U * fabs(y) + (2 + slope) * LEAST : 0;
}
static double of_elu(const Elements *e) {
    return unit_error(e, elu(e), fmax(1, fabs(e->node->alpha)));
}
static double of_celu(const Elements *e) {
    return unit_error(e, celu(e), fmax(1, e->node->alpha));
}
static double of_selu(const Elements *e) {
    const double gamma = fabs(e->node->beta);
    return unit_error(e, selu(e), fmax(gamma, gamma * fabs(e->node->alpha)));
}

static double prelu(const Elements *e) {
    if (e->type == TSP_I32 && e->x[0] < 0) /* modulo 2^32; exact, as doubles may not be */
        return (int32_t)((uint32_t)(int64_t)e->x[0] * (uint32_t)(int64_t)e->x[1]);
    if (!(e->x[0] < 0)) return e->x[0] + 0.0;
    return rounded(e->type, e->x[0] * e->x[1]) + 0.0;
}
static double of_prelu(const Elements *e) {
    return fmax(e->error[0],
                fabs(e->x[0]) * e->error[1] + (fabs(e->x[1]) + e->error[1]) * e->error[0]);
}

static double swish(const Elements *e) {
    return e->x[0] / (1 + exp(-e->node->alpha * e->x[0]));
}

/* What lies below e^-87 or so comes out as 0. */
static double of_swish(const Elements *e) {
    const double y = fabs(swish(e)), size = fabs(e->node->alpha * e->x[0]);
    if (!isfinite(y)) return 0;
    return 1.1 * e->error[0] + (6 + 2 * fmin(size, 100)) * U * y + fabs(e->x[0]) * 0x1p-126;
}

static const Rule rules[TSP_GRAPH_OP_COUNT] = {
    [TSP_GRAPH_MIN] = {least, of_largest, false},
    [TSP_GRAPH_MAX] = {greatest, of_largest, false},
    [TSP_GRAPH_SUM] = {sum, of_sum, false},
    [TSP_GRAPH_MEAN] = {mean, of_mean, true},
    [TSP_GRAPH_DIV] = {quotient, of_quotient, true},
    [TSP_GRAPH_RECIPROCAL] = {reciprocal, of_reciprocal, true},
    [TSP_GRAPH_MOD] = {modulus, of_anything, false},
    [TSP_GRAPH_POW] = {power, of_power, true},
    [TSP_GRAPH_LOG] = {logarithm, of_logarithm, true},
    [TSP_GRAPH_ERF] = {error_function, of_error_function, true},
    [TSP_GRAPH_GELU] = {gelu, of_gelu, true},
    [TSP_GRAPH_FLOOR] = {floor_of, of_whole, false},
    [TSP_GRAPH_CEIL] = {ceil_of, of_whole, false},
    [TSP_GRAPH_ROUND] = {round_of, of_whole, false},
    [TSP_GRAPH_SIGN] = {sign, of_sign, false},
    [TSP_GRAPH_HARD_SIGMOID] = {hard_sigmoid, of_hard_sigmoid, false},
    [TSP_GRAPH_HARD_SWISH] = {hard_swish, of_hard_swish, false},
    [TSP_GRAPH_SOFTPLUS] = {softplus, of_softplus, true},
    [TSP_GRAPH_SOFTSIGN] = {softsign, of_softsign, true},
    [TSP_GRAPH_MISH] = {mish, of_mish, true},
    [TSP_GRAPH_ELU] = {elu, of_elu, true},
    [TSP_GRAPH_CELU] = {celu, of_celu, true},
    [TSP_GRAPH_SELU] = {selu, of_selu, true},
    [TSP_GRAPH_PRELU] = {prelu, of_prelu, false},
    [TSP_GRAPH_SWISH] = {swish, of_swish, true},
};

const Rule *interpret_curve_rule(const TspNode *node) {
    const bool pair = node->input_count == 2;
    if (pair && (node->op == TSP_GRAPH_MIN || node->op == TSP_GRAPH_MAX)) return NULL;
    return rules[node->op].value ? &rules[node->op] : NULL;
}
