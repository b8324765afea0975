/* whole.c - operators on int32 that are made of others.
 */
#include "compiler/expand/build.h"
#include "compiler/number.h"

#include <string.h>

static TspDtype type_of(const Build *b, const TspNode *n) {
    return b->given->values[n->inputs[0]].dtype;
}

static int32_t with_number(Build *b, TspGraphOp op, int32_t x, double number) {
    return build_two(b, op, x, build_scalar(b, TSP_I32, number));
}

/* alpha A'B' + beta C. */
bool expand_gemm(Build *b, const TspNode *n) {
    int32_t x = n->inputs[0], w = n->inputs[1], y, c;
    if (type_of(b, n) != TSP_I32) return false;
    if (n->trans_a) x = build_swap(b, x, 0, 1);
    if (n->trans_b) w = build_swap(b, w, 0, 1);
    y = build_two(b, TSP_GRAPH_MATMUL, x, w);
    if (n->alpha != 1) y = with_number(b, TSP_GRAPH_MUL, y, n->alpha);
    if (n->input_count > 2 && n->inputs[2] >= 0 && n->beta != 0) {
        c = n->inputs[2];
        if (n->beta != 1) c = with_number(b, TSP_GRAPH_MUL, c, n->beta);
        y = build_two(b, TSP_GRAPH_ADD, y, c);
    }
    build_finish(b, y);
    return true;
}

/* ---- ReduceMean ---- */

/* Numbers that lie between those of a type of `digits` digits, each of `bits` bits. */
typedef struct {
    int32_t x; /* what is left to be divided */
    int32_t sums[8];
    int32_t bits, digits;
} Digits;

/* The sums of all digits of x but the highest, and in x those of the highest, so that no sum of
 * `count` digits, and no rest with a digit behind it, is beyond int32. */
static Digits sum_digits(Build *b, const TspNode *n, int64_t count) {
    Digits d = {.x = n->inputs[0], .bits = count <= 1 << 14 ? 16 : count <= 1 << 22 ? 8 : 4};
    const double base = 1 << d.bits;
    for (; d.digits < 32 / d.bits - 1; d.digits++) {
        const int32_t low = with_number(b, TSP_GRAPH_MOD, d.x, base);
        d.sums[d.digits] = build_along(b, TSP_GRAPH_REDUCE_SUM, low, n, n->keepdims);
        d.x = with_number(b, TSP_GRAPH_DIV, build_two(b, TSP_GRAPH_SUB, d.x, low), base);
    }
    d.x = build_along(b, TSP_GRAPH_REDUCE_SUM, d.x, n, n->keepdims);
    return d;
}

/* The sum, as one of numbers that are 2^31 greater and so not below 0, divided digit by digit; then
 * the quotient is 2^31 too great, and rounded down instead of towards zero. */
bool expand_mean(Build *b, const TspNode *n) {
    const TspValue *x = &b->given->values[n->inputs[0]], *y = &b->given->values[n->output];
    const int64_t count = tsp_value_elements(x) / tsp_value_elements(y);
    int32_t rest, quotient, cut;
    Digits d;
    if (x->dtype != TSP_I32 || n->noop) return false;
    d = sum_digits(b, n, count);
    rest = with_number(b, TSP_GRAPH_ADD, d.x, (double)count * (1 << (d.bits - 1)));
    quotient = with_number(b, TSP_GRAPH_DIV, rest, (double)count);
    rest = with_number(b, TSP_GRAPH_MOD, rest, (double)count);
    while (d.digits-- > 0) {
        rest = with_number(b, TSP_GRAPH_MUL, rest, 1 << d.bits);
        rest = build_two(b, TSP_GRAPH_ADD, rest, d.sums[d.digits]);
        quotient = with_number(b, TSP_GRAPH_MUL, quotient, 1 << d.bits);
        cut = with_number(b, TSP_GRAPH_DIV, rest, (double)count);
        quotient = build_two(b, TSP_GRAPH_ADD, quotient, cut);
        rest = with_number(b, TSP_GRAPH_MOD, rest, (double)count);
    }
    quotient = with_number(b, TSP_GRAPH_ADD, quotient, INT32_MIN);
    cut = with_number(b, TSP_GRAPH_LESS, quotient, 0);
    rest = with_number(b, TSP_GRAPH_GREATER, rest, 0);
    cut = build_cast(b, build_two(b, TSP_GRAPH_AND, cut, rest), TSP_I32);
    build_finish(b, build_two(b, TSP_GRAPH_ADD, quotient, cut));
    return true;
}

/* ---- ReduceL2 ---- */

/* y plus how often 2 y goes into what the square of y leaves of `squares`, modulo 2^32. */
static int32_t nearer_root(Build *b, int32_t y, int32_t squares) {
    int32_t rest = build_two(b, TSP_GRAPH_MUL, y, y), twice;
    rest = build_cast(b, build_two(b, TSP_GRAPH_SUB, squares, rest), TSP_F32);
    twice = build_cast(b, with_number(b, TSP_GRAPH_MAX, y, 1), TSP_F32);
    twice = build_two(b, TSP_GRAPH_MUL, twice, build_scalar(b, TSP_F32, 2));
    rest = build_cast(b, build_two(b, TSP_GRAPH_DIV, rest, twice), TSP_I32);
    return build_two(b, TSP_GRAPH_ADD, y, rest);
}

/* 1 where `op` holds of the numbers and y is below 2^24, else 0. */
static int32_t step_if(Build *b, TspGraphOp op, int32_t x, int32_t than, int32_t y) {
    const int32_t holds = build_two(b, op, x, than);
    const int32_t small = with_number(b, TSP_GRAPH_LESS, y, 1 << 24);
    return build_cast(b, build_two(b, TSP_GRAPH_AND, holds, small), TSP_I32);
}

/* The root of the sum in float32 is near; what its square leaves of the sum, which is known modulo
 * 2^32, tells how near. */
bool expand_l2(Build *b, const TspNode *n) {
    const int32_t x = n->inputs[0];
    int32_t squares, y, rest, twice, more, less;
    if (type_of(b, n) != TSP_I32 || n->noop) return false;
    squares = build_along(b, TSP_GRAPH_REDUCE_SUM_SQUARE, x, n, n->keepdims);
    y = build_along(b, TSP_GRAPH_REDUCE_L2, build_cast(b, x, TSP_F32), n, n->keepdims);
    y = nearer_root(b, build_cast(b, y, TSP_I32), squares);
    rest = build_two(b, TSP_GRAPH_SUB, squares, build_two(b, TSP_GRAPH_MUL, y, y));
    twice = build_two(b, TSP_GRAPH_ADD, y, y);
    more = step_if(b, TSP_GRAPH_GREATER, rest, twice, y);
    less = step_if(b, TSP_GRAPH_LESS, rest, build_scalar(b, TSP_I32, 0), y);
    y = build_two(b, TSP_GRAPH_SUB, build_two(b, TSP_GRAPH_ADD, y, more), less);
    build_finish(b, y);
    return true;
}

/* ---- Pow ---- */

/* The greatest int32 that is a float32: further exponents count as this. */
static const double GREATEST_EXPONENT = 0x7fffff80;

/* Exponents that are no int32. */
static int32_t whole_exponent(Build *b, int32_t y) {
    if (!tsp_dtype_is_float(b->graph.values[y].dtype)) return build_cast(b, y, TSP_I32);
    y = build_node(b, build_plain(TSP_GRAPH_CLIP, 3,
                                  (int32_t[]){build_cast(b, y, TSP_F32),
                                              build_scalar(b, TSP_F32, -GREATEST_EXPONENT),
                                              build_scalar(b, TSP_F32, GREATEST_EXPONENT)}));
    return build_cast(b, y, TSP_I32);
}

/* The power of floats without its fraction, or the whole number that it is just below: by no more
 * than it may be off. */
static int32_t rounded_power(Build *b, int32_t x, int32_t y) {
    x = build_cast(b, x, TSP_F32);
    y = build_two(b, TSP_GRAPH_POW, x, y);
    y = build_two(b, TSP_GRAPH_MUL, y, build_scalar(b, TSP_F32, 1 + 40 * 0x1p-24));
    return build_cast(b, y, TSP_I32);
}

/* A known exponent for all, without fraction, as such. */
static bool is_whole_number(const Build *b, const TspNode *n, double *number) {
    const TspValue *x = &b->given->values[n->inputs[0]], *y = &b->given->values[n->inputs[1]];
    if (!y->data || tsp_value_elements(y) != 1 || y->rank > x->rank) return false;
    *number = tsp_load_double(y->dtype, y->data, 0);
    return *number == floor(*number);
}

bool expand_pow(Build *b, const TspNode *n) {
    const int32_t x = n->inputs[0], y = n->inputs[1];
    const TspDtype type = b->given->values[y].dtype;
    int32_t power, real, whole;
    double number;
    if (type_of(b, n) != TSP_I32 || type == TSP_I32) return false;
    if (is_whole_number(b, n, &number)) {
        number = fmin(fmax(number, -GREATEST_EXPONENT), GREATEST_EXPONENT);
        power = with_number(b, TSP_GRAPH_POW, x, number);
    } else {
        power = build_two(b, TSP_GRAPH_POW, x, whole_exponent(b, y));
        real = tsp_dtype_is_float(type) ? rounded_power(b, x, y) : -1;
        if (real >= 0) {
            whole = build_two(b, TSP_GRAPH_EQUAL, build_one(b, TSP_GRAPH_FLOOR, y), y);
            power = build_node(b, build_plain(TSP_GRAPH_WHERE, 3, (int32_t[]){whole, power, real}));
        }
    }
    build_finish(b, power);
    return true;
}
