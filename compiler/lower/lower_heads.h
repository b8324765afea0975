/* lower_heads.h - matrices of a batch side by side.
 *
 * Functions that make something return -1 or false with err set.
 */
#ifndef TSP_LOWER_HEADS_H
#define TSP_LOWER_HEADS_H
#include "lower.h"

/* Fills l->joined; needs views, flat values and orientations. */
void lower_find_joined(Lowerer *l);
/* The heads that stand side by side in the JOINED tensor of a value; 1 if it has none. */
int32_t lower_heads_joined(const Lowerer *l, int32_t value);
/* The JOINED tensor: a row for each row of a matrix, with those of all heads one after the other.
 */
int32_t lower_joined(Lowerer *l, int32_t value, TspError *err);
/* The terms of a stage from `first` on are of output columns column .. column+columns-1 only, which
 * they have as rows w_row0.. of their weights. */
bool lower_place_terms(Lowerer *l, Stage *s, int32_t first, int32_t column, int32_t columns,
                       TspError *err);
/* An element-wise node between joined values. */
bool lower_joined_elementwise(Lowerer *l, const TspNode *node, TspError *err);

#endif
