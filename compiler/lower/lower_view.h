/* lower_view.h - values that are strided views of other values, and how their rows lie in memory.
 */
#ifndef TSP_LOWER_VIEW_H
#define TSP_LOWER_VIEW_H
#include "lower.h"

/* Element (i0, i1, ...) of the viewing value is element offset + sum of i[d] * stride[d] of
 * `value`, in row-major order. A value that is no view views itself. */
struct View {
    int32_t value;
    int64_t offset, stride[TSP_MAX_RANK];
};

/* Where the rows of a value, seen as a matrix, are rows of another value's tensor: row (i0, i1,
 * ...), lanes aside, is row row0 + sum of i[d] * stride[d] of that tensor. */
typedef struct {
    int32_t value;
    int orientation;
    int64_t row0, stride[TSP_MAX_RANK]; /* by dimension of the viewing value; 0 along the lanes */
} Rows;

/* Fills l->views from the nodes; needs l->flat. */
void lower_find_views(Lowerer *l);
bool lower_is_view(const Lowerer *l, int32_t value);
/* Whether all rows of the value in an orientation are whole rows of a tensor, and of which. */
bool lower_rows(const Lowerer *l, int32_t value, int orientation, Rows *rows);
/* Those of the value's own tensor, once it is made. */
void lower_own_rows(const TspValue *v, int32_t value, int orientation, Rows *rows);
/* The same for the matrices of a product: false too if the rows of one do not follow each other. */
bool lower_matrix_rows(const Lowerer *l, int32_t value, int orientation, Rows *rows);
/* Notes that a node will ask for the value in the orientation. */
void lower_need(Lowerer *l, int32_t value, int orientation);
/* An operand of an element-wise stage: its tensor, copied along the lanes if it has one column and
 * the result has more; the row of its first element, and strides, in rows, over the leading
 * dimensions of the result. -1 with err set on failure. */
int32_t lower_row_operand(Lowerer *l, int32_t value, int32_t out_rank, int32_t cols, int64_t *row0,
                          int64_t stride[TSP_MAX_RANK], TspError *err);
/* The tensor of a view, made by moving elements unless there is one that it can share. */
int32_t lower_dense(Lowerer *l, int32_t value, int orientation, TspError *err);

/* lower_movement.c: where an element of a tensor comes from; tensor -1: it is zero. */
typedef struct {
    int32_t tensor, row, col;
} Origin;
/* Fills the tensor: origins[row * cols + col] is that of its element. All of them have its dtype.
 */
bool lower_fill(Lowerer *l, int32_t tensor, const Origin *origins, TspError *err);

#endif
