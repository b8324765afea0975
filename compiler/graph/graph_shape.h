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

/* graph_axes.c: operators whose results depend on what stands along axes: reductions, ArgMax,
 * ArgMin, Softmax. */
bool tsp_graph_reduces(TspGraphOp op);
/* The axes of such a node, from its attributes or a known input, which the node then loses: in
 * order, counted from the front. Errors as those of tsp_node_infer; other nodes pass. */
bool tsp_node_place_axes(const TspGraph *g, TspNode *node, int32_t *blame, TspError *err);
/* Shape of `a` without its axes, or with 1 in their place. */
void tsp_reduced_shape(const TspNode *node, const TspValue *a, TspValue *out);

/* What QLinearMatMul, whose result has the shape of `out`, needs of the types and shapes of its
 * inputs; blame and error as above. graph_quantised.c. */
bool tsp_check_quantised(const TspGraph *g, const TspNode *node, const TspValue *out,
                         int32_t *blame, TspError *err);
/* Whether v is one number, or 1-D with one for each row (column) of a matrix, or, if there may be
 * `batches`, of each matrix of a batch, which it broadcasts to. */
bool tsp_fits_matrix(const TspValue *v, const TspValue *matrix, bool rows, bool batches);

/* The same for the operators that only relabel or move elements: graph_movement.c. dtype is that of
 * the first input. */
bool tsp_infer_movement(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                        TspError *err);
/* Of a Slice or Split that was inferred: along each dimension, the index of the first element taken
 * and the step to the next. */
void tsp_slice_steps(const TspGraph *g, const TspNode *node, int64_t start[TSP_MAX_RANK],
                     int64_t step[TSP_MAX_RANK]);
/* Of a Pad that was inferred: elements put before each dimension, less than 0 if taken away. */
void tsp_pad_before(const TspGraph *g, const TspNode *node, int64_t before[TSP_MAX_RANK]);

/* graph_norm.c: LayerNormalization, RMSNormalization, InstanceNormalization. */
bool tsp_graph_normalizes(TspGraphOp op);
/* Shape of the output of such a node, and what we cannot do refused; as tsp_node_infer. */
bool tsp_norm_infer(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                    TspError *err);

/* graph_known.c: operators of one to many inputs that broadcast together, and those whose other
 * inputs or attributes are numbers that have to be known and in range; as tsp_node_infer. dtype is
 * that of the first input. */
bool tsp_infer_several(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                       TspError *err);
bool tsp_infer_known(const TspGraph *g, const TspNode *node, TspValue *out, int32_t *blame,
                     TspError *err);

/* graph_known.c: alpha and beta of a Gemm of a type. */
bool tsp_check_factors(const TspNode *node, TspDtype type, TspError *err);

/* order[] gets every node index after those of the nodes it needs, file order where free. If some
 * nodes need each other in a circle, *cycle_length is their number (else 0) and order[] begins
 * with them, each needing the next. False only when out of memory. */
bool tsp_graph_sort(const TspGraph *g, int32_t *order, int32_t *cycle_length);

#endif
