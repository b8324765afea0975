/* graph_shape.h - what a node makes of its inputs, by ONNX's rules, and the order of the nodes.
 */
#ifndef TSP_GRAPH_SHAPE_H
#define TSP_GRAPH_SHAPE_H
#include "compiler/graph.h"

/* The most elements a tensor may have, so that counts and strides fit 32 bits everywhere. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define TSP_MAX_ELEMENTS (1 << 14)
#else
#define TSP_MAX_ELEMENTS INT32_MAX
#endif

/* "MatMulInteger". */
const char *tsp_graph_op_name(TspGraphOp op);
/* Fills dtype, rank and shape of *out from the node's inputs, whose own are known. On failure
 * err->text is "what is wrong; what to do" without a place, and *blame the index of the input at
 * fault, -1 for the node as a whole. */
bool tsp_node_infer(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                    TspError *err);

/* graph_known.c: operators of one to many inputs that broadcast together, and those whose other
 * inputs or attributes are numbers that have to be known and in range; as tsp_node_infer. dtype is
 * that of the first input. */
bool tsp_infer_several(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                       TspError *err);
bool tsp_infer_known(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                     TspError *err);

/* order[] gets every node index after those of the nodes it needs, file order where free. If some
 * nodes need each other in a circle, *cycle_length is their number (else 0) and order[] begins
 * with them, each needing the next. False only when out of memory. */
bool tsp_graph_sort(const TspGraph *g, int32_t *order, int32_t *cycle_length);

#endif
