/* scale.h - factors that are powers of two, and what has to be known to move them.
 */
#ifndef TSP_FUSE_SCALE_H
#define TSP_FUSE_SCALE_H
#include "compiler/ir.h"

/* range.c: of a number, of all elements of some data, of anything that is one or the other.
 */
Range range_of_number(double x);
Range range_of_data(TspDtype type, const uint8_t *data, int64_t elements);
Range range_join(Range a, Range b);
/* Fills the ranges of all tensors from the stages as they stand. */
void fuse_find_ranges(Module *m);
/* Ranges of the results of all steps of a stage, from those of the tensors that it reads. */
void fuse_step_ranges(const Module *m, const Stage *s, Range range[MAX_STEPS]);

/* scale.c: the exponent that a tensor the stage reads must have for some of its factors to be
 * left out, bit k of `what` for the k-th; 0 if there is none. False if it has fewer factors. */
bool fuse_wish(const Module *m, const Stage *s, int32_t tensor, uint32_t what, int32_t *exponent);
/* Steps of a stage that multiply by a power of two. */
int32_t fuse_powers(const Stage *s);
/* across.c: gives tensors exponents, where stages that make and read them need fewer steps
 * then. */
void fuse_scale_tensors(Module *m);
#endif
