/* emit_given.c - tensors that the host has in another shape than they lie in memory.
 *
 * Both shapes have the same elements in the same order, so pieces see the tensor flat.
 */
#include "emit.h"

#include <stdlib.h>
#include <string.h>

/* Rows first .. end-1 of a piece, all of one matrix of a batch, seen flat. A row of a matrix that
 * lies transposed is a column. */
static TspPiece flat_rows(const Tensor *t, TspPiece p, int32_t first, int32_t end) {
    const int32_t columns = t->transposed ? (int32_t)t->shape[t->rank - 1] : 1;
    const int32_t row = p.row0 + first * p.row_step;
    const int32_t start = t->transposed
                              ? row / columns * columns * t->cols + row % columns + p.col0 * columns
                              : row * t->cols + p.col0;
    p.col_step = p.row_step * (t->transposed ? 1 : t->cols);
    p.lane_skip = columns - 1;
    p.row0 = p.row_step = 0;
    p.col0 = start;
    p.rows = end - first;
    p.addr += first * p.addr_step;
    return p;
}

/* The row of a piece after `first` that is in another matrix of the batch. */
static int32_t matrix_end(const Tensor *t, const TspPiece *p, int32_t first) {
    const int32_t columns = t->transposed ? (int32_t)t->shape[t->rank - 1] : t->rows;
    const int32_t left = columns - (p->row0 + first * p->row_step) % columns;
    return p->row_step ? tsp_min32(p->rows, first + tsp_ceil_div(left, p->row_step)) : p->rows;
}

bool emit_as_given(const Tensor *t, TspTensor *out, TspError *err) {
    const int32_t matrices = t->transposed ? t->rows / (int32_t)t->shape[t->rank - 1] : 1;
    const TspPiece *from = out->pieces;
    TspPiece *pieces = NULL;
    int32_t count = 0;
    out->rank = t->given->rank;
    memcpy(out->shape, t->given->shape, sizeof out->shape);
    if (out->flat) return true;
    pieces = calloc((size_t)out->piece_count * (size_t)matrices + 1, sizeof *pieces);
    if (!pieces) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < out->piece_count; i++)
        for (int32_t row = 0, end; row < from[i].rows; row = end) {
            end = matrix_end(t, &from[i], row);
            pieces[count++] = flat_rows(t, from[i], row, end);
        }
    free(out->pieces);
    out->pieces = pieces;
    out->piece_count = count;
    out->transposed = false;
    out->flat = true;
    return true;
}
