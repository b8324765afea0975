/* lower_axes.h - reductions over some axes, and Softmax.
 */
#ifndef TSP_LOWER_AXES_H
#define TSP_LOWER_AXES_H
#include "lower.h"

/* In which orientation a node that reduces over axes, or Softmax, wants its operand. */
int lower_reduced_orientation(const TspGraph *g, const TspNode *node);
bool lower_reduce_axes(Lowerer *l, const TspNode *node, TspError *err);
/* lower_arg_axis.c, lower_softmax.c */
bool lower_arg_axis(Lowerer *l, const TspNode *node, TspError *err);
bool lower_softmax(Lowerer *l, const TspNode *node, TspError *err);

#endif
