/* build.h - the graph that is lowered: that of the file, where what follows from initializers
 * is worked out and nodes that are made of others stand as these.
 *
 * Values of the file keep their indices, those on the way come after them. Nodes are in order.
 * Functions that fail leave `failed` and err, after which none does anything.
 * Of two arguments at most one may build nodes: their order must not be the host compiler's choice.
 */
#ifndef TSP_EXPAND_BUILD_H
#define TSP_EXPAND_BUILD_H
#include "compiler/ir.h"

typedef struct {
    const TspGraph *given; /* `plain`, which owns arrays alone */
    TspGraph plain;        /* the file's, dimensions merged */
    TspGraph graph;
    int32_t lanes;   /* of the machine */
    int32_t *origin; /* [node]: the node of the file that it works for */
    int32_t value_capacity, node_capacity, origin_capacity;
    int32_t node; /* of the file, that is being built */
    struct {
        int32_t x, scale, zero; /* of the DynamicQuantizeLinear before; x -1: there is none */
    } dynamic;
    bool failed;
    TspError *err;
} Build;

/* Builds the whole for a machine of so many lanes; to be released by build_free, also on failure.
 * Values of the file may have other shapes than there: of the same elements in the same order. */
bool build_graph(Build *b, const TspGraph *given, int32_t lanes, TspError *err);
void build_free(Build *b);

/* ---- values: all return their index ---- */

int32_t build_scalar(Build *b, TspDtype type, double number);
/* A known list of int32. */
int32_t build_list(Build *b, int32_t count, const int64_t *numbers);
/* A known tensor of zeros, for data to be filled in; NULL on failure. */
TspValue *build_known(Build *b, TspDtype type, int32_t rank, const int64_t *shape);

/* ---- nodes: all return their output ---- */

/* ONNX's defaults; inputs 0 .. count-1. */
TspNode build_plain(TspGraphOp op, int32_t count, const int32_t *inputs);
int32_t build_node(Build *b, TspNode node);
int32_t build_one(Build *b, TspGraphOp op, int32_t x);
int32_t build_two(Build *b, TspGraphOp op, int32_t x, int32_t y);
/* x itself if it is so already. */
int32_t build_cast(Build *b, int32_t x, TspDtype type);
int32_t build_reshape(Build *b, int32_t x, int32_t rank, const int64_t *shape);
/* A reduction of x over the axes of n. */
int32_t build_along(Build *b, TspGraphOp op, int32_t x, const TspNode *n, bool keepdims);
/* Its last two, or other two, dimensions change places. */
int32_t build_swap(Build *b, int32_t x, int32_t axis, int32_t other);
/* From its last element along the axis to its first. */
int32_t build_reversed(Build *b, int32_t x, int64_t axis);

/* Rows of x, a matrix, that rows of `pointers`, bools, point to; of zeros where none does. */
int32_t build_gathered(Build *b, int32_t x, int32_t pointers);

/* Ends the node being built: the value, converted, is its output. */
void build_finish(Build *b, int32_t value);

/* expand.c: builds the node; false: it stands for itself. */
bool expand_node(Build *b, const TspNode *n);
bool expand_clip(Build *b, const TspNode *n);
bool expand_many(Build *b, const TspNode *n);
bool expand_average(Build *b, const TspNode *n);
bool expand_extreme(Build *b, const TspNode *n);
bool expand_softmax(Build *b, const TspNode *n);
bool expand_log_softmax(Build *b, const TspNode *n);
bool expand_log_sum(Build *b, const TspNode *n);
bool expand_log_sum_exp(Build *b, const TspNode *n);
bool expand_norm(Build *b, const TspNode *n);
bool expand_instance_norm(Build *b, const TspNode *n);
bool expand_batch_norm(Build *b, const TspNode *n);
bool expand_gemm(Build *b, const TspNode *n);
bool expand_mean(Build *b, const TspNode *n);
bool expand_l2(Build *b, const TspNode *n);
bool expand_pow(Build *b, const TspNode *n);
bool expand_quantize(Build *b, const TspNode *n);
bool expand_dequantize(Build *b, const TspNode *n);
bool expand_dynamic(Build *b, const TspNode *n);
bool expand_matmul_integer(Build *b, const TspNode *n);
bool expand_qlinear_matmul(Build *b, const TspNode *n);
bool expand_gather(Build *b, const TspNode *n);
bool expand_cum_sum(Build *b, const TspNode *n);

/* merge.c: makes the last two dimensions of shapes one where nodes let it and lanes are filled, and
 * the first two where nodes let it; axes of nodes with them. */
bool merge_ends(TspGraph *g, int32_t lanes, TspError *err);
/* relabel.c: gives inputs and outputs the shapes in which they are taken and made. */
void build_relabel(Build *b);

/* known.c: works out what follows from initializers; up to WORKED_OUT values are new, for
 * which there is room. False when out of memory. */
enum { WORKED_OUT = 2 };
bool work_out_known(TspGraph *g, TspNode *node);

#endif
