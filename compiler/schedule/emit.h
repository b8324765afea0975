/* emit.h - what the files of the emit pass share.
 */
#ifndef TSP_EMIT_H
#define TSP_EMIT_H
#include "compiler/ir.h"

/* emit_given.c: the tensor's pieces, which see the matrix that was computed with, for a host that
 * has its elements in the shape of t->given. */
bool emit_as_given(const Tensor *t, TspTensor *out, TspError *err);

#endif
