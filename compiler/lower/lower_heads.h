/* lower_heads.h - matrices of a batch side by side.
 *
 * Joined: a row for each row of a matrix, with those of all heads one after the other. Packed: the
 * TRANSPOSED matrices of several heads in one column tile.
 *
 * Functions that make something return -1 or false with err set.
 */
#ifndef TSP_LOWER_HEADS_H
#define TSP_LOWER_HEADS_H
#include "lower.h"

/* Matrices of a batch side by side in as few column tiles as can be: their columns are those of the
 * batch in order, cut into sets, each a column tile of its own. */
struct Packing {
    int32_t rows; /* of a matrix, and of a set */
    int32_t count;
    int32_t columns[]; /* [set]; what lies in the lanes beyond means nothing */
};

/* Fill l->joined and l->packed; need views, flat values and orientations. */
void lower_find_joined(Lowerer *l);
void lower_find_packed(Lowerer *l);
/* Frees l->packed. */
void lower_forget_packed(Lowerer *l);
/* lower_window.c: how the turned result of a product of windows is packed, to be freed; NULL if
 * there is nothing to gain. */
Packing *lower_packing(const Lowerer *l, const TspNode *node);
/* Whether a value has a tensor with its matrices side by side, and that tensor. */
bool lower_is_beside(const Lowerer *l, int32_t value);
int32_t lower_beside(Lowerer *l, int32_t value, TspError *err);
/* The ROWWISE tensor of a packed value, by turning the packed one. */
int32_t lower_unpacked(Lowerer *l, int32_t value, TspError *err);
/* The heads that stand side by side in the JOINED tensor of a value; 1 if it has none. */
int32_t lower_heads_joined(const Lowerer *l, int32_t value);
/* The terms of a stage from `first` on are of output columns column .. column+columns-1 only, which
 * they have as rows w_row0.. of their weights. */
bool lower_place_terms(Lowerer *l, Stage *s, int32_t first, int32_t column, int32_t columns,
                       TspError *err);
/* An element-wise node between such values. */
bool lower_beside_elementwise(Lowerer *l, const TspNode *node, TspError *err);

#endif
