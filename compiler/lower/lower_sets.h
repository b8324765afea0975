/* lower_sets.h - rows of a tensor in sets that are combined, lane by lane.
 *
 * Functions that make stages return NULL or false with err set; stages move when the next is made.
 */
#ifndef TSP_LOWER_SETS_H
#define TSP_LOWER_SETS_H
#include "lower.h"

/* `count` sets of `rows` rows; rows of one set are `step` apart (ir.h, Stage.set_rows). */
typedef struct {
    int32_t count, rows, step;
    int32_t cols;
} Sets;

/* Tensors of a row a set: what chains left of each set. */
typedef struct {
    int32_t tensor, count;
} Partials;

/* The rows of a value along an axis, in the orientation in which they are rows. */
int axis_orientation(const TspValue *v, int64_t axis);
Sets axis_sets(const TspValue *v, int64_t axis);
/* Sets of one block of a tensor: so many that all sets lie in a few blocks, in different slices. */
int32_t sets_turn(const Lowerer *l, const Sets *sets);
/* Pieces of one set that are taken side by side where there are few sets. */
int32_t sets_pieces(const Lowerer *l, const Sets *sets);
/* A stage of all rows of all sets. */
Stage *sets_stage(Lowerer *l, const char *what, const Sets *sets, TspError *err);
/* Lets the blocks of a tensor of the sets' rows be such that chains side by side read different
 * ones. */
void sets_spread(Lowerer *l, const Sets *sets, int32_t tensor, int32_t chain);
/* A new tensor of a row a set, for chains to take as operand with row_step 0; a copy a piece. */
int32_t sets_tensor(Lowerer *l, const char *suffix, TspDtype type, const Sets *sets, TspError *err);
/* Combines `row`, the last step or an operand of the last stage, by `op`, in as many chains as the
 * machine has ALUs for; operand 0 of the stage is the tensor of the sets' rows. */
bool sets_chains(Lowerer *l, const Sets *sets, TspOpcode op, TspDtype type, From row,
                 Partials *left, TspError *err);
/* A stage of a row a set that combines what is left to *result; `more` steps shall have room. */
Stage *sets_tree(Lowerer *l, const Sets *sets, TspOpcode op, TspDtype type, Partials left,
                 int32_t more, From *result, TspError *err);

#endif
