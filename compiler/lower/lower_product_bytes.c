/* lower_product_bytes.c - MatMul of int32, modulo 2^32.
 *
 * A number is the sum of its bytes times powers of 2^8, so a product is one of all pairs of bytes,
 * of which those from 2^32 on do not count. Pairs of the same power are terms of one stage, as
 * byte planes meet the array as uint8. The stage of the highest power comes first; each other adds
 * what those before it made, times 2^8.
 */
#include "lower_product.h"

enum { BYTES = 4, BITS = 8 };

/* Pairs of bytes a_row.. of a and w_row.. of w whose powers add up to `power`. */
static bool add_pairs(Lowerer *l, Stage *s, int32_t power, int32_t a, int32_t a_row, int32_t w,
                      int32_t w_row, TspError *err) {
    for (int32_t byte = 0; byte <= power; byte++) {
        const int32_t first = s->term_count;
        if (!product_terms(l, s, a, a_row, w, w_row, err)) return false;
        for (int32_t i = first; i < s->term_count; i++) {
            s->terms[i].a_byte = byte;
            s->terms[i].w_byte = power - byte;
        }
    }
    return true;
}

/* Batch `batch` of the product, in the rows of to[power], and at last in those of to[0]. */
static bool add_batch(Lowerer *l, const Product *p, int32_t batch, int32_t a, int32_t w,
                      const int32_t to[BYTES], TspError *err) {
    const int32_t row = batch * p->rows;
    for (int32_t power = BYTES - 1; power >= 0; power--) {
        Stage *s = lower_new_stage(l, "product", p->rows, p->cols, err);
        From sum = from_product(), higher;
        if (!s || !add_pairs(l, s, power, a, product_stream_row(p, batch), w,
                             product_weight_row(p, batch), err))
            return false;
        if (power < BYTES - 1) {
            higher = stage_operand(s, to[power + 1], row, 1);
            higher = stage_step(s, TSP_OP_SHL, TSP_I32, TSP_I32, higher, from_imm(), BITS);
            sum = stage_step(s, TSP_OP_ADD, TSP_I32, TSP_I32, sum, higher, 0);
        }
        lower_output(l, s, sum, to[power], row);
        if (!lower_finish_product(l, TSP_I32, err)) return false;
    }
    return true;
}

bool lower_matmul_bytes(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *y = &l->graph->values[node->output];
    Product p = product_plan(l, node, true);
    int32_t a, w, to[BYTES];
    product_fold_batches(&p);
    if ((a = lower_oriented(l, p.stream, p.stream_turned, err)) < 0 ||
        (w = lower_oriented(l, p.weights, p.weights_turned, err)) < 0 ||
        (to[0] = product_output(l, node, &p, err)) < 0)
        return false;
    for (int32_t i = 1; i < BYTES; i++) {
        to[i] = lower_new_tensor(l, y->name, ".high", TSP_I32, TSP_ROLE_INTERNAL, y->rank, y->shape,
                                 p.turned, err);
        if (to[i] < 0) return false;
        l->module->tensors[to[i]].contiguous = true;
    }
    for (int32_t i = 0; i < BYTES; i++) product_place_batches(l, to[i], &p, 1);
    if (p.views) l->module->tensors[a].unaligned = l->module->tensors[w].unaligned = true;
    for (int32_t b = 0; b < p.batches; b++)
        if (!add_batch(l, &p, b, a, w, to, err)) return false;
    return true;
}
