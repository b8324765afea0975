/* lower_fold.h - what the files that lower reductions share.
 *
 * Functions that make stages return NULL, -1 or false with err set.
 */
#ifndef TSP_LOWER_FOLD_H
#define TSP_LOWER_FOLD_H
#include "lower.h"

/* How two partial results are combined, and what counts for nothing beside them. */
typedef struct {
    TspOpcode op;
    TspDtype type;
    uint32_t identity; /* bits of the elements' type */
    bool absolute;     /* magnitudes are combined */
} Fold;

/* The most rows that chains leave: as many chains as trees take operands, and the longest turns. */
enum { FOLD_ROWS = 64 * (MAX_OPERANDS - 1) };

/* Rows that are still to be combined. */
typedef struct {
    int32_t tensor[FOLD_ROWS], row[FOLD_ROWS];
    int32_t count;
} Rows;

/* The greatest (op MAX) or the least (MIN) of elements. */
Fold fold_extreme(TspOpcode op, TspDtype type);
/* The comparison of an element with the extreme of all that holds if it is not as extreme. */
TspOpcode fold_beaten(const Fold *extreme);
/* Refuses machines that cannot fold. */
bool fold_check(const Lowerer *l, const TspNode *node, const Fold *fold, TspError *err);
/* The tensor of a reduction's operand, a row for every vector of it. */
int32_t fold_operand(Lowerer *l, const TspNode *node, int32_t value, TspError *err);
/* A new tensor of `rows` rows of all lanes, in blocks of `run` that lie in different slices. */
int32_t fold_rows(Lowerer *l, const char *suffix, TspDtype type, int32_t rows, int32_t run,
                  TspError *err);

/* A known tensor of rows x cols elements, copied; of one column, that in all lanes. */
int32_t fold_constant(Lowerer *l, const char *suffix, TspDtype type, int32_t rows, int32_t cols,
                      const void *data, TspError *err);

/* A stage that combines rows first, first + step, .. of `cols` columns; *result is theirs. */
Stage *fold_tree(Lowerer *l, const Fold *fold, const Rows *rows, int32_t first, int32_t step,
                 int32_t cols, From *result, TspError *err);
/* Rows that such a stage combines at most: ALUs, streams beside the VXM, and slices (two more are
 * there for a second copy of one row and for a mask) all allow. */
int32_t fold_tree_width(const TspMachine *m, TspDtype type);

/* The last row of x with the identity in the lanes beyond its elements; -1 without an error if they
 * are zero as they should be. */
int32_t fold_padded_row(Lowerer *l, int32_t x, int64_t elements, const Fold *fold, TspError *err);
/* The stage of chains over the rows of x from `first` on, `steps` ALUs each, that leave elements of
 * `type`; operands and steps are the caller's. */
Stage *fold_chains(Lowerer *l, int32_t x, int32_t first, int32_t steps, TspDtype type,
                   TspError *err);
/* The rows that the chains of the last stage leave of `result`, its last step. */
bool fold_left(Lowerer *l, From result, TspDtype type, Rows *left, TspError *err);
/* The same, each row in slices of its own, so that one tree may read them all; in the west, or with
 * `side` 1 in the east. */
bool fold_left_apart(Lowerer *l, From result, TspDtype type, int32_t side, Rows *left,
                     TspError *err);
/* Chains over the products of rows of x and y, from `first` on, and the rows that they leave. */
bool fold_products(Lowerer *l, int32_t x, int32_t y, int32_t first, const Fold *fold, Rows *left,
                   TspError *err);
/* Rows that lie in blocks of `turns`: a row of each in one tree, one after the other, and their
 * results in one row with a copy in each hemisphere. If there are too many blocks, or one is too
 * short, nothing is done. */
bool fold_turns(Lowerer *l, const Fold *fold, Rows *rows, int32_t turns, TspError *err);
/* From rows as chains leave them to the one row of a tensor with a copy in each hemisphere. */
int32_t fold_row(Lowerer *l, const Fold *fold, Rows *rows, TspError *err);
/* Combines all lanes of each superlane of a row that has a copy in each hemisphere: another such
 * row, with the result in all of these lanes. */
int32_t fold_superlanes(Lowerer *l, const Fold *fold, int32_t row, TspError *err);
/* From rows as chains leave them to one of which lane 0 counts: *result of the stage returned. */
Stage *fold_finish(Lowerer *l, const Fold *fold, Rows *rows, From *result, TspError *err);
/* All of that for the `elements` of x, or their products with those of y (-1: none). */
Stage *fold_vectors(Lowerer *l, int32_t x, int32_t y, int64_t elements, const Fold *fold,
                    From *result, TspError *err);
/* The same for the dot product of x and y, by VXM and MXM side by side (lower_dot.c). */
Stage *fold_dot(Lowerer *l, int32_t x, int32_t y, const Fold *fold, From *result, TspError *err);
/* Makes all lanes but the first of `result` of a stage zero, and writes it to `out`. */
bool fold_result(Lowerer *l, Stage *s, From result, int32_t out, TspError *err);

/* lower_arg_key.c: whether ArgMax or ArgMin of a flat operand passes it as keys, and that to `out`.
 */
bool lower_has_keys(const Lowerer *l, const TspNode *node);
bool lower_arg_key(Lowerer *l, const TspNode *node, TspOpcode op, int32_t x, int32_t out,
                   TspError *err);

/* lower_arg_group.c: ArgMax (op MAX) or ArgMin (MIN) of a long flat operand in about one pass, to
 * that of `out`; *done is false where it is not quicker. */
bool lower_arg_group(Lowerer *l, const TspNode *node, TspOpcode op, int32_t x, int32_t out,
                     bool *done, TspError *err);

#endif
