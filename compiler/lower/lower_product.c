/* lower_product.c - MatMul, Gemm and MatMulInteger become product stages.
 *
 * One operand streams (rows of K lanes), the other is loaded into the planes (a vector of K lanes
 * for each output column). A vector operand always streams: for [.., m, k] x [k] the matrix goes
 * into the planes, so that the result has its last dimension along the lanes.
 */
#include "lower_heads.h"
#include "lower_product.h"
#include "lower_view.h"
#include "isa/half.h"

#include <stdlib.h>
#include <string.h>

/* Row strides of an operand over the batch dimensions. */
static void batch_strides(const TspValue *v, const Rows *rows, int32_t rank,
                          int64_t stride[TSP_MAX_RANK]) {
    int32_t lead = v->rank - 2;
    for (int32_t d = 0; d < rank; d++) {
        int32_t mine = d - (rank - lead);
        stride[d] = mine >= 0 ? rows->stride[mine] : 0;
    }
}

static int64_t batch_row(const Product *p, int64_t row, const int64_t stride[TSP_MAX_RANK],
                         int32_t batch) {
    for (int32_t d = p->batch_rank - 1; d >= 0; d--) {
        row += batch % p->batch_shape[d] * stride[d];
        batch /= (int32_t)p->batch_shape[d];
    }
    return row;
}

/* Finds the rows of an operand and what holds them: `value` and its orientation change if it is a
 * view that can be read in place. */
static Rows operand_rows(Lowerer *l, int32_t *value, int *orientation, bool in_place) {
    Rows rows = {.value = *value, .orientation = *orientation};
    if (lower_is_view(l, *value) &&
        (!in_place || !lower_matrix_rows(l, *value, *orientation, &rows)))
        lower_own_rows(&l->graph->values[*value], *value, *orientation, &rows);
    else
        lower_matrix_rows(l, *value, *orientation, &rows);
    *value = rows.value;
    *orientation = rows.orientation;
    return rows;
}

Product product_plan(Lowerer *l, const TspNode *node, bool in_place) {
    const TspGraph *g = l->graph;
    const TspValue *a = &g->values[node->inputs[0]], *b = &g->values[node->inputs[1]];
    Product p = {.stream = node->inputs[0],
                 .weights = node->inputs[1],
                 .batches = 1,
                 .weights_turned = TRANSPOSED};
    int64_t lead_a[TSP_MAX_RANK], lead_b[TSP_MAX_RANK];
    const TspValue *stream, *weights;
    Rows rows;
    int32_t rank_a = a->rank > 2 ? a->rank - 2 : 0, rank_b = b->rank > 2 ? b->rank - 2 : 0;
    p.depth = (int32_t)a->shape[a->rank - 1];
    p.rows = a->rank >= 2 ? (int32_t)a->shape[a->rank - 2] : 1;
    p.cols = b->rank >= 2 ? (int32_t)b->shape[b->rank - 1] : 1;
    if (b->rank == 1) {
        p.swapped = true;
        p.stream = node->inputs[1];
        p.weights = node->inputs[0];
        p.weights_turned = ROWWISE;
        p.cols = p.rows;
        p.rows = 1;
    }
    if (l->turned[node->output]) { /* a row for each column */
        int32_t streamed = p.rows;
        p.stream = node->inputs[1];
        p.stream_turned = TRANSPOSED;
        p.weights = node->inputs[0];
        p.weights_turned = ROWWISE;
        p.rows = p.cols;
        p.cols = streamed;
        p.swapped = true;
        p.turned = TRANSPOSED;
    }
    for (int32_t d = 0; d < rank_a; d++) lead_a[d] = a->shape[d];
    for (int32_t d = 0; d < rank_b; d++) lead_b[d] = b->shape[d];
    tsp_broadcast_shape(rank_a, lead_a, rank_b, lead_b, &p.batch_rank, p.batch_shape);
    for (int32_t d = 0; d < p.batch_rank; d++) p.batches *= (int32_t)p.batch_shape[d];
    stream = &g->values[p.stream];
    weights = &g->values[p.weights];
    p.views = lower_is_view(l, p.stream) || lower_is_view(l, p.weights);
    rows = operand_rows(l, &p.stream, &p.stream_turned, in_place);
    p.stream_row = rows.row0;
    if (stream->rank >= 2) batch_strides(stream, &rows, p.batch_rank, p.stream_stride);
    rows = operand_rows(l, &p.weights, &p.weights_turned, in_place);
    p.weight_row = rows.row0;
    if (weights->rank >= 2) batch_strides(weights, &rows, p.batch_rank, p.weight_stride);
    return p;
}

void product_fold_batches(Product *p) {
    int64_t step = p->rows;
    for (int32_t d = p->batch_rank - 1; d >= 0; d--) {
        if (p->batch_shape[d] > 1 && (p->weight_stride[d] || p->stream_stride[d] != step)) return;
        step *= p->batch_shape[d];
    }
    p->rows *= p->batches;
    p->batches = 1;
    p->batch_rank = 0;
}

int32_t product_stream_row(const Product *p, int32_t batch) {
    return (int32_t)batch_row(p, p->stream_row, p->stream_stride, batch);
}

int32_t product_weight_row(const Product *p, int32_t batch) {
    return (int32_t)batch_row(p, p->weight_row, p->weight_stride, batch);
}

bool product_terms(Lowerer *l, Stage *s, int32_t a, int32_t a_row0, int32_t w, int32_t w_row0,
                   TspError *err) {
    Module *m = l->module;
    int32_t tiles = m->tensors[a].ctiles;
    Term *terms = realloc(s->terms, (size_t)(s->term_count + tiles) * sizeof *terms);
    if (!terms) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    s->terms = terms;
    s->product = true;
    for (int32_t t = 0; t < tiles; t++)
        terms[s->term_count++] = (Term){a, a_row0, t, -1, w, w_row0, t, -1, 0, 0, 0};
    m->tensors[a].contiguous = m->tensors[a].streamed = true;
    m->tensors[w].striped = true;
    return true;
}

void product_place_batches(Lowerer *l, int32_t out, const Product *p, int32_t heads) {
    if (p->batches > heads) l->module->tensors[out].run = p->rows;
}

int32_t product_output(Lowerer *l, const TspNode *node, const Product *p, TspError *err) {
    return lower_is_beside(l, node->output) ? lower_beside(l, node->output, err)
                                            : lower_oriented(l, node->output, p->turned, err);
}

bool lower_parts(Lowerer *l, int32_t value, int orientation, int32_t part[3], int32_t *count,
                 TspError *err) {
    *count = l->graph->values[value].dtype == TSP_F32 ? 3 : 1;
    if (*count == 3) return lower_split(l, value, orientation, part, err);
    return (part[0] = lower_oriented(l, value, orientation, err)) >= 0;
}

static bool add_float_terms(Lowerer *l, Stage *s, const int32_t a[3], int32_t a_row,
                            const int32_t w[3], int32_t w_row, int32_t count, TspError *err) {
    if (!product_terms(l, s, a[0], a_row, w[0], w_row, err)) return false;
    /* hi*hi + (lo * 2^11) * (hi * 2^-11) both ways round */
    return count == 1 || (product_terms(l, s, a[1], a_row, w[2], w_row, err) &&
                          product_terms(l, s, a[2], a_row, w[1], w_row, err));
}

bool lower_matmul(Lowerer *l, const TspNode *node, TspError *err) {
    Product p = product_plan(l, node, true);
    int32_t a[3], w[3], count, out, heads = lower_heads_joined(l, node->output);
    if (l->graph->values[node->output].dtype == TSP_I32) return lower_matmul_bytes(l, node, err);
    if (heads == 1) product_fold_batches(&p);
    if (!lower_parts(l, p.stream, p.stream_turned, a, &count, err) ||
        !lower_parts(l, p.weights, p.weights_turned, w, &count, err) ||
        (out = product_output(l, node, &p, err)) < 0)
        return false;
    product_place_batches(l, out, &p, heads);
    for (int32_t i = 0; i < count && p.views; i++)
        l->module->tensors[a[i]].unaligned = l->module->tensors[w[i]].unaligned = true;
    for (int32_t b = 0; b < p.batches; b += heads) {
        Stage *s = lower_new_stage(l, "product", p.rows, p.cols * heads, err);
        From result = from_product();
        if (!s) return false;
        for (int32_t h = 0; h < heads; h++) {
            int32_t first = s->term_count, a_row, w_row;
            a_row = product_stream_row(&p, b + h);
            w_row = product_weight_row(&p, b + h);
            if (!add_float_terms(l, s, a, a_row, w, w_row, count, err) ||
                (heads > 1 && !lower_place_terms(l, s, first, h * p.cols, p.cols, err)))
                return false;
        }
        if (count == 1)
            result = stage_step(s, TSP_OP_CVT, TSP_F32, TSP_F16, result, from_none(), 0);
        lower_output(l, s, result, out, b / heads * p.rows);
        if (!lower_finish_product(l, TSP_F32, err)) return false;
    }
    return true;
}

bool lower_gemm(Lowerer *l, const TspNode *node, TspError *err) {
    const TspGraph *g = l->graph;
    const TspValue *y = &g->values[node->output];
    int32_t a[3], w[3], count, out, c = -1, row_step = 0;
    From result = from_product();
    Stage *s;
    if (!lower_parts(l, node->inputs[0], node->trans_a ? TRANSPOSED : ROWWISE, a, &count, err) ||
        !lower_parts(l, node->inputs[1], node->trans_b ? ROWWISE : TRANSPOSED, w, &count, err) ||
        (out = lower_oriented(l, node->output, ROWWISE, err)) < 0)
        return false;
    if (node->input_count > 2 && node->inputs[2] >= 0) {
        const TspValue *v = &g->values[node->inputs[2]];
        c = lower_widened(l, node->inputs[2], (int32_t)y->shape[1], err);
        if (c >= 0 && c == a[0]) c = lower_copy(l, c, err);
        if (c < 0) return false;
        row_step = v->rank == 2 && v->shape[0] > 1;
    }
    s = lower_new_stage(l, "product", (int32_t)y->shape[0], (int32_t)y->shape[1], err);
    if (!s || !add_float_terms(l, s, a, 0, w, 0, count, err)) return false;
    if (node->alpha != 1.0)
        result = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, result, from_imm(),
                            tsp_f32_bits((float)node->alpha));
    if (c >= 0) {
        From add = stage_operand(s, c, 0, row_step);
        if (count == 1) add = stage_step(s, TSP_OP_CVT, TSP_F16, TSP_F32, add, from_none(), 0);
        if (node->beta != 1.0)
            add = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, add, from_imm(),
                             tsp_f32_bits((float)node->beta));
        result = stage_step(s, TSP_OP_ADD, TSP_F32, TSP_F32, result, add, 0);
    }
    if (count == 1) result = stage_step(s, TSP_OP_CVT, TSP_F32, TSP_F16, result, from_none(), 0);
    lower_output(l, s, result, out, 0);
    return lower_finish_product(l, TSP_F32, err);
}

/* ---- MatMulInteger: sum (A - za)(B - zb) with int8 planes ---- */

/* Zero points of one operand: none, one for all, or one a row of the operand's matrix. */
typedef struct {
    const TspValue *value;
    bool any;
} ZeroPoint;

static int32_t zero_at(const ZeroPoint *z, int64_t i) {
    const uint8_t *data = z->value ? z->value->data : NULL;
    if (!z->any) return 0;
    i = tsp_value_elements(z->value) == 1 ? 0 : i;
    return z->value->dtype == TSP_U8 ? data[i] : (int8_t)data[i];
}

static bool zero_point(const TspGraph *g, const TspNode *node, int32_t input, ZeroPoint *z,
                       TspError *err) {
    *z = (ZeroPoint){0};
    if (input >= node->input_count || node->inputs[input] < 0) return true;
    z->value = &g->values[node->inputs[input]];
    if (!z->value->data)
        return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                        "%s: zero point '%s' is not an initializer; only those are modelled",
                        node->name, z->value->name);
    for (int64_t i = 0; i < tsp_value_bytes(z->value); i++) z->any |= z->value->data[i] != 0;
    return true;
}

enum { MAX_PARTS = 3 };

static int32_t clamp_i8(int32_t v) {
    return v < -128 ? -128 : v > 127 ? 127 : v;
}

/* Constant weights minus their zero points, as int8 tensors that add up; and the sums over K of
 * each output column. `turned`: the value is [.., K, N]. */
static bool constant_parts(Lowerer *l, int32_t value, int turned, const ZeroPoint *z,
                           int32_t part[MAX_PARTS], int32_t *count, int32_t **sums, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int64_t n = tsp_value_elements(v), last = v->rank ? v->shape[v->rank - 1] : 1,
            before = v->rank >= 2 ? v->shape[v->rank - 2] : 1;
    int16_t *rest = malloc((size_t)n * sizeof *rest);
    *sums = calloc((size_t)(turned ? n / before : n / last), sizeof **sums);
    if (!rest || !*sums) return free(rest), tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int64_t i = 0; i < n; i++) {
        int64_t column = turned ? i % last : i / last % before; /* output column in its batch */
        int32_t raw = v->dtype == TSP_U8 ? v->data[i] : (int8_t)v->data[i];
        int64_t row = turned ? i / (last * before) * last + column : i / last;
        rest[i] = (int16_t)(raw - zero_at(z, column));
        (*sums)[row] = (int32_t)((uint32_t)(*sums)[row] + (uint32_t)(int32_t)rest[i]);
    }
    if (!z->any) { /* as it stands, signed or not, and shared with other products */
        free(rest);
        part[*count] = lower_oriented(l, value, turned, err);
        return part[(*count)++] >= 0;
    }
    for (bool left = true; left;) {
        Tensor *t;
        part[*count] = lower_new_tensor(l, v->name, ".part", TSP_I8, TSP_ROLE_CONSTANT, v->rank,
                                        v->shape, turned, err);
        if (part[*count] < 0) return free(rest), false;
        t = &l->module->tensors[part[(*count)++]];
        if (!(t->data = malloc((size_t)n)))
            return free(rest), tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        left = false;
        for (int64_t i = 0; i < n; i++) {
            int32_t take = clamp_i8(rest[i]);
            t->data[i] = (uint8_t)take;
            rest[i] = (int16_t)(rest[i] - take);
            left |= rest[i] != 0;
        }
    }
    free(rest);
    return true;
}

/* A constant int16 or int32 tensor of zero points, one a row, as wide as `cols`. */
static int32_t zero_rows(Lowerer *l, const ZeroPoint *z, TspDtype dtype, int32_t rows, int32_t cols,
                         TspError *err) {
    int64_t shape[2] = {rows, 1};
    int32_t i = lower_new_tensor(l, z->value->name, ".wide", dtype, TSP_ROLE_CONSTANT, 2, shape,
                                 false, err);
    Tensor *t = i < 0 ? NULL : &l->module->tensors[i];
    if (!t) return -1;
    t->bcast_cols = cols;
    t->ctiles = tsp_ceil_div(cols, tsp_lanes(&l->module->machine));
    t->contiguous = true;
    if (!(t->data = malloc((size_t)rows * (size_t)t->bytes)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t r = 0; r < rows; r++) {
        int32_t value = zero_at(z, r);
        memcpy(t->data + (size_t)r * (size_t)t->bytes, &value, (size_t)t->bytes);
    }
    return i;
}

/* Computed weights minus their zero points, on the chip: saturate to int8, then what is left. Those
 * without stay as they are. */
static bool computed_parts(Lowerer *l, int32_t value, int turned, const ZeroPoint *z,
                           int32_t part[MAX_PARTS], int32_t *count, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t whole = lower_oriented(l, value, turned, err), low = 0, high = 0, zeros, per_batch;
    Tensor *t;
    if (whole < 0) return false;
    if (!z->any) return part[(*count)++] = whole, true;
    for (int64_t i = 0; i < tsp_value_elements(z->value); i++) {
        int32_t zero = zero_at(z, i), least = (v->dtype == TSP_U8 ? 0 : -128) - zero,
                most = (v->dtype == TSP_U8 ? 255 : 127) - zero;
        low = least < low ? least : low;
        high = most > high ? most : high;
    }
    *count = 1;
    while (*count * -128 > low || *count * 127 < high) ++*count;
    for (int32_t i = 0; i < *count; i++)
        if ((part[i] = lower_new_tensor(l, v->name, ".part", TSP_I8, TSP_ROLE_INTERNAL, v->rank,
                                        v->shape, turned, err)) < 0)
            return false;
    t = &l->module->tensors[whole];
    per_batch = tsp_value_elements(z->value) == 1 ? t->rows : (int32_t)tsp_value_elements(z->value);
    zeros =
        zero_rows(l, z, TSP_I16, tsp_value_elements(z->value) == 1 ? 1 : per_batch, t->cols, err);
    if (zeros < 0) return false;
    t = &l->module->tensors[whole];
    t->contiguous = true;
    for (int32_t row = 0; row < t->rows; row += per_batch) {
        Stage *s = lower_new_stage(l, "zero point", per_batch, t->cols, err);
        From rest;
        if (!s) return false;
        rest = stage_step(s, TSP_OP_CVT, v->dtype, TSP_I16, stage_operand(s, whole, row, 1),
                          from_none(), 0);
        rest = stage_step(s, TSP_OP_SUB, TSP_I16, TSP_I16, rest,
                          stage_operand(s, zeros, 0, tsp_value_elements(z->value) > 1), 0);
        for (int32_t i = 0; i < *count; i++) {
            From taken = stage_step(s, TSP_OP_CVT_SAT, TSP_I16, TSP_I8, rest, from_none(), 0);
            lower_output(l, s, taken, part[i], row);
            if (i + 1 == *count) break;
            taken = stage_step(s, TSP_OP_CVT, TSP_I8, TSP_I16, taken, from_none(), 0);
            rest = stage_step(s, TSP_OP_SUB, TSP_I16, TSP_I16, rest, taken, 0);
        }
    }
    return true;
}

/* Column sums of the weights, int32 [batches of weights, N]: constant, or a product with ones. */
static int32_t column_sums(Lowerer *l, const Product *p, const int32_t part[MAX_PARTS],
                           int32_t count, const int32_t *known, TspError *err) {
    int64_t batches = l->module->tensors[part[0]].rows / p->cols, shape[2] = {batches, p->cols},
            ones_shape[2] = {1, p->depth};
    const char *name = l->graph->values[p->weights].name;
    int32_t sums = lower_new_tensor(l, name, ".sums", TSP_I32,
                                    known ? TSP_ROLE_CONSTANT : TSP_ROLE_INTERNAL, 2, shape, false,
                                    err),
            ones;
    if (sums < 0) return -1;
    l->module->tensors[sums].contiguous = true;
    if (known) {
        size_t size = (size_t)(batches * p->cols) * sizeof *known;
        uint8_t *data = malloc(size);
        if (!data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
        memcpy(data, known, size);
        l->module->tensors[sums].data = data;
        return sums;
    }
    ones = lower_new_tensor(l, name, ".ones", TSP_U8, TSP_ROLE_CONSTANT, 2, ones_shape, false, err);
    if (ones < 0 || !(l->module->tensors[ones].data = malloc((size_t)p->depth)))
        return ones < 0 ? -1 : (tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1);
    memset(l->module->tensors[ones].data, 1, (size_t)p->depth);
    for (int32_t b = 0; b < batches; b++) {
        Stage *s = lower_new_stage(l, "column sums", 1, p->cols, err);
        if (!s) return -1;
        for (int32_t i = 0; i < count; i++)
            if (!product_terms(l, s, ones, 0, part[i], b * p->cols, err)) return -1;
        lower_output(l, s, from_product(), sums, b);
        if (!lower_finish_product(l, TSP_I32, err)) return -1;
    }
    return sums;
}

bool lower_integer_product(Lowerer *l, const TspNode *node, int32_t out, TspError *err) {
    const TspGraph *g = l->graph;
    Product p;
    ZeroPoint zs, zw;
    int32_t part[MAX_PARTS], count = 0, stream, sums = -1, zeros = -1, *known = NULL;
    int32_t heads = lower_heads_joined(l, node->output);
    bool many, ok;
    bool swapped = g->values[node->inputs[1]].rank == 1; /* see product_plan */
    if (!zero_point(g, node, swapped ? 3 : 2, &zs, err) ||
        !zero_point(g, node, swapped ? 2 : 3, &zw, err))
        return false;
    p = product_plan(l, node, !zs.any && !zw.any);
    many = zs.any && tsp_value_elements(zs.value) > 1;
    if (!many && heads == 1) product_fold_batches(&p);
    ok = g->values[p.weights].data && (zs.any || zw.any)
             ? constant_parts(l, p.weights, p.weights_turned, &zw, part, &count, &known, err)
             : computed_parts(l, p.weights, p.weights_turned, &zw, part, &count, err);
    if (ok && zs.any) ok = (sums = column_sums(l, &p, part, count, known, err)) >= 0;
    free(known);
    if (ok && many) ok = (zeros = zero_rows(l, &zs, TSP_I32, p.rows, p.cols, err)) >= 0;
    if (!ok || (stream = lower_oriented(l, p.stream, p.stream_turned, err)) < 0 ||
        (out < 0 && (out = product_output(l, node, &p, err)) < 0))
        return false;
    product_place_batches(l, out, &p, heads);
    for (int32_t i = 0; i < count && p.views; i++)
        l->module->tensors[stream].unaligned = l->module->tensors[part[i]].unaligned = true;
    for (int32_t b = 0; b < p.batches; b += heads) {
        int32_t w_row = 0;
        Stage *s = lower_new_stage(l, "product", p.rows, p.cols * heads, err);
        From result = from_product();
        if (!s) return false;
        for (int32_t h = 0; h < heads; h++) {
            int32_t first = s->term_count, a_row;
            a_row = product_stream_row(&p, b + h);
            w_row = product_weight_row(&p, b + h);
            for (int32_t i = 0; i < count; i++)
                if (!product_terms(l, s, stream, a_row, part[i], w_row, err)) return false;
            if (heads > 1 && !lower_place_terms(l, s, first, h * p.cols, p.cols, err)) return false;
        }
        if (zs.any) { /* sum (A - za) W = sum A W - za * sum W */
            From sum = stage_operand(s, sums, w_row / p.cols, 0);
            if (many)
                sum = stage_step(s, TSP_OP_MUL, TSP_I32, TSP_I32, sum,
                                 stage_operand(s, zeros, 0, 1), 0);
            else
                sum = stage_step(s, TSP_OP_MUL, TSP_I32, TSP_I32, sum, from_imm(),
                                 (uint32_t)zero_at(&zs, 0));
            result = stage_step(s, TSP_OP_SUB, TSP_I32, TSP_I32, result, sum, 0);
        }
        lower_output(l, s, result, out, b / heads * p.rows);
        if (!lower_finish_product(l, TSP_I32, err)) return false;
    }
    return true;
}

bool lower_matmul_integer(Lowerer *l, const TspNode *node, TspError *err) {
    return lower_integer_product(l, node, -1, err);
}
