/* join.h - two stages as one: what stages.c asks of join.c.
 */
#ifndef TSP_FUSE_JOIN_H
#define TSP_FUSE_JOIN_H
#include "compiler/ir.h"

/* Keeps rows first .. first+rows-1 of the operands and outputs of a stage; its terms stay. */
void join_cut(Stage *s, int32_t first, int32_t rows);
/* The steps of the maker, then those of the reader, which has the rows as `operand`: both are of
 * the same rows. The terms are still those of the stage that had them. False if it has too many
 * steps or operands, or two products, or would read two rows of a tensor at once. */
bool join_stages(const Stage *maker, const Stage *reader, int32_t operand, Stage *both);
/* Whether the joined stage fits the VXM, and takes no longer than the two for so many vectors, or
 * less longer than a way through memory: MXM and VXM work beside each other. */
bool join_pays(const Module *module, const Stage *maker, const Stage *reader, const Stage *both,
               int64_t vectors);
/* An operand whose rows also stream as activations, so that it needs a copy; -1: none. */
int32_t join_copied(const Stage *s);

#endif
