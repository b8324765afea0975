/* expand.c - nodes that are made of others: which, and those that need few words.
 *
 * Halfs are taken as float32 on the way, and rounded once, at the end.
 */
#include "build.h"

#include <float.h>
#include <string.h>

bool expand_node(Build *b, const TspNode *n) {
    static bool (*const expansions[TSP_GRAPH_OP_COUNT])(Build * b, const TspNode *n) = {
        [TSP_GRAPH_MATMUL_INTEGER] = expand_matmul_integer,
        [TSP_GRAPH_QLINEAR_MATMUL] = expand_qlinear_matmul,
        [TSP_GRAPH_GEMM] = expand_gemm,
        [TSP_GRAPH_QUANTIZE_LINEAR] = expand_quantize,
        [TSP_GRAPH_DEQUANTIZE_LINEAR] = expand_dequantize,
        [TSP_GRAPH_DYNAMIC_QUANTIZE_LINEAR] = expand_dynamic,
        [TSP_GRAPH_GATHER] = expand_gather,
        [TSP_GRAPH_CUM_SUM] = expand_cum_sum,
        [TSP_GRAPH_CLIP] = expand_clip,
        [TSP_GRAPH_MIN] = expand_many,
        [TSP_GRAPH_MAX] = expand_many,
        [TSP_GRAPH_SUM] = expand_many,
        [TSP_GRAPH_MEAN] = expand_average,
        [TSP_GRAPH_POW] = expand_pow,
        [TSP_GRAPH_REDUCE_MEAN] = expand_mean,
        [TSP_GRAPH_REDUCE_L2] = expand_l2,
        [TSP_GRAPH_REDUCE_MAX] = expand_extreme,
        [TSP_GRAPH_REDUCE_MIN] = expand_extreme,
        [TSP_GRAPH_SOFTMAX] = expand_softmax,
        [TSP_GRAPH_LOG_SOFTMAX] = expand_log_softmax,
        [TSP_GRAPH_REDUCE_LOG_SUM] = expand_log_sum,
        [TSP_GRAPH_REDUCE_LOG_SUM_EXP] = expand_log_sum_exp,
        [TSP_GRAPH_LAYER_NORMALIZATION] = expand_norm,
        [TSP_GRAPH_RMS_NORMALIZATION] = expand_norm,
        [TSP_GRAPH_INSTANCE_NORMALIZATION] = expand_instance_norm,
        [TSP_GRAPH_BATCH_NORMALIZATION] = expand_batch_norm,
    };
    return expansions[n->op] && expansions[n->op](b, n);
}

/* ---- element-wise ---- */

/* To bounds that are not known: no less than the one, then no more than the other. */
bool expand_clip(Build *b, const TspNode *n) {
    static const TspGraphOp ops[3] = {TSP_GRAPH_CLIP, TSP_GRAPH_MAX, TSP_GRAPH_MIN};
    int32_t y = n->inputs[0];
    bool known = true;
    for (int32_t i = 1; i < n->input_count; i++)
        known &= n->inputs[i] < 0 || b->given->values[n->inputs[i]].data;
    if (known) return false;
    for (int32_t i = 1; i < n->input_count; i++)
        if (n->inputs[i] >= 0) y = build_two(b, ops[i], y, n->inputs[i]);
    build_finish(b, y);
    return true;
}

enum { AT_ONCE = 8 /* inputs that a stage takes */ };

/* One after the other all the same. */
static int32_t combined(Build *b, TspGraphOp op, const TspNode *n) {
    int32_t in[AT_ONCE] = {n->inputs[0]}, taken = 1;
    while (taken < n->input_count) {
        int32_t count = 1;
        while (count < AT_ONCE && taken < n->input_count) in[count++] = n->inputs[taken++];
        in[0] = build_node(b, build_plain(op, count, in));
    }
    return in[0];
}

bool expand_many(Build *b, const TspNode *n) {
    if (n->input_count <= AT_ONCE) return false;
    build_finish(b, combined(b, n->op, n));
    return true;
}

bool expand_average(Build *b, const TspNode *n) {
    int32_t y = build_cast(b, combined(b, TSP_GRAPH_SUM, n), TSP_F32);
    build_finish(b, build_two(b, TSP_GRAPH_MUL, y, build_scalar(b, TSP_F32, 1.0 / n->input_count)));
    return true;
}

/* ---- along axes ---- */

/* Of bools, as bytes. */
bool expand_extreme(Build *b, const TspNode *n) {
    int32_t x = n->inputs[0];
    if (b->given->values[x].dtype != TSP_BOOL) return false;
    if (!n->noop) x = build_along(b, n->op, build_cast(b, x, TSP_U8), n, n->keepdims);
    build_finish(b, x);
    return true;
}

/* Whether the operand comes in and the result goes out as they are, so that both may be vectors. */
static bool stands_alone(const Build *b, const TspNode *n) {
    const TspGraph *g = b->given;
    if (!g->values[n->inputs[0]].is_input || !g->values[n->output].is_output) return false;
    for (int32_t i = 0; i < g->node_count; i++)
        for (int32_t j = 0; j < g->nodes[i].input_count; j++)
            if (&g->nodes[i] != n &&
                (g->nodes[i].inputs[j] == n->inputs[0] || g->nodes[i].inputs[j] == n->output))
                return false;
    return true;
}

/* Of all elements, as a long vector: e^(x - m) / sum. */
bool expand_softmax(Build *b, const TspNode *n) {
    enum { LONG = 4 }; /* vectors */
    const TspValue *y = &b->given->values[n->output];
    const int64_t elements = tsp_value_elements(y);
    TspNode all = {.axis_count = 1};
    int32_t x = n->inputs[0], e, sum;
    if (y->shape[n->axis] < elements || elements <= LONG * (int64_t)b->lanes || !stands_alone(b, n))
        return false;
    x = build_cast(b, build_reshape(b, x, 1, &elements), TSP_F32);
    e = build_two(b, TSP_GRAPH_SUB, x, build_along(b, TSP_GRAPH_REDUCE_MAX, x, &all, false));
    e = build_one(b, TSP_GRAPH_EXP, e);
    sum = build_one(b, TSP_GRAPH_RECIPROCAL, build_along(b, TSP_GRAPH_REDUCE_SUM, e, &all, false));
    build_finish(b, build_reshape(b, build_two(b, TSP_GRAPH_MUL, e, sum), y->rank, y->shape));
    return true;
}

/* d - ln of the sum of e^d, d being x less the greatest. */
bool expand_log_softmax(Build *b, const TspNode *n) {
    int32_t x = build_cast(b, n->inputs[0], TSP_F32), d, sum;
    d = build_two(b, TSP_GRAPH_SUB, x, build_along(b, TSP_GRAPH_REDUCE_MAX, x, n, true));
    sum = build_along(b, TSP_GRAPH_REDUCE_SUM, build_one(b, TSP_GRAPH_EXP, d), n, true);
    build_finish(b, build_two(b, TSP_GRAPH_SUB, d, build_one(b, TSP_GRAPH_LOG, sum)));
    return true;
}

bool expand_log_sum(Build *b, const TspNode *n) {
    int32_t x = n->inputs[0];
    if (!n->noop) {
        x = build_along(b, TSP_GRAPH_REDUCE_SUM, build_cast(b, x, TSP_F32), n, n->keepdims);
        x = build_one(b, TSP_GRAPH_LOG, x);
    }
    build_finish(b, x);
    return true;
}

/* m + ln of the sum of e^(x - m), m being the greatest: any finite number where that is none. */
bool expand_log_sum_exp(Build *b, const TspNode *n) {
    const TspValue *y = &b->given->values[n->output];
    int32_t x = n->inputs[0], m, sum;
    if (!n->noop) {
        x = build_cast(b, x, TSP_F32);
        m = build_along(b, TSP_GRAPH_REDUCE_MAX, x, n, true);
        m = build_node(b, build_plain(TSP_GRAPH_CLIP, 3,
                                      (int32_t[]){m, build_scalar(b, TSP_F32, -(double)FLT_MAX),
                                                  build_scalar(b, TSP_F32, (double)FLT_MAX)}));
        x = build_one(b, TSP_GRAPH_EXP, build_two(b, TSP_GRAPH_SUB, x, m));
        sum = build_along(b, TSP_GRAPH_REDUCE_SUM, x, n, n->keepdims);
        if (!n->keepdims) m = build_reshape(b, m, y->rank, y->shape);
        x = build_two(b, TSP_GRAPH_ADD, m, build_one(b, TSP_GRAPH_LOG, sum));
    }
    build_finish(b, x);
    return true;
}
