/* lower_pointed.c - rows of a matrix that rows of bools point to: their product, a byte plane of
 * the matrix at a time, so it is exact for every type, and rows that are not pointed to are no
 * matter.
 */
#include "lower.h"

#include <stdlib.h>

bool lower_is_pointed(const TspGraph *g, const TspNode *node) {
    return node->op == TSP_GRAPH_GATHER && g->values[node->inputs[1]].dtype == TSP_BOOL;
}

bool lower_pointed(Lowerer *l, const TspNode *node, TspError *err) {
    const int32_t x = lower_oriented(l, node->inputs[0], TRANSPOSED, err),
                  pointers = x < 0 ? -1 : lower_oriented(l, node->inputs[1], ROWWISE, err),
                  out = pointers < 0 ? -1 : lower_oriented(l, node->output, ROWWISE, err);
    Module *m = l->module;
    if (out < 0) return false;
    m->tensors[x].striped = true;
    m->tensors[pointers].contiguous = m->tensors[pointers].streamed = true;
    m->tensors[out].contiguous = m->tensors[out].turned = true;
    for (int32_t byte = 0; byte < m->tensors[x].bytes; byte++) {
        Stage *s = lower_new_stage(l, "gather", m->tensors[out].rows, m->tensors[out].cols, err);
        if (!s) return false;
        s->terms = calloc((size_t)m->tensors[x].ctiles, sizeof *s->terms);
        if (!s->terms) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        s->product = true;
        for (int32_t tile = 0; tile < m->tensors[x].ctiles; tile++)
            s->terms[s->term_count++] = (Term){.a = pointers,
                                               .a_ctile = tile,
                                               .a_byte = -1,
                                               .w = x,
                                               .w_ctile = tile,
                                               .w_byte = byte};
        s->outputs[s->output_count++] = (Output){from_product(), out, 0, 0, byte, 0, 1};
        if (m->machine.mxm_accumulator_rows == 0 && s->term_count > 1 &&
            !lower_finish_product(l, TSP_I32, err))
            return false;
    }
    return true;
}
