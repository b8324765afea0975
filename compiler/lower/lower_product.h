/* lower_product.h - what products of matrices share: which operand streams, and their terms.
 */
#ifndef TSP_LOWER_PRODUCT_H
#define TSP_LOWER_PRODUCT_H
#include "lower.h"

/* What a matrix product is, after the choice of what streams. */
typedef struct {
    int32_t stream, weights;           /* graph values */
    int stream_turned, weights_turned; /* orientation wanted */
    int32_t rows, cols, depth;         /* of one product: M, N, K */
    int32_t batches;                   /* separate products */
    int32_t batch_rank;
    int64_t batch_shape[TSP_MAX_RANK];
    int64_t stream_stride[TSP_MAX_RANK], weight_stride[TSP_MAX_RANK]; /* rows, by batch dimension */
    int64_t stream_row, weight_row;                                   /* of the first batch */
    bool swapped; /* the graph's first input is in the planes */
    int turned;   /* orientation of the result */
    bool views;   /* an operand is read as a view */
} Product;

/* `in_place`: views need not be made dense. */
Product product_plan(Lowerer *l, const TspNode *node, bool in_place);
/* One matrix in the planes for all batches: their rows become those of one product. */
void product_fold_batches(Product *p);
/* Rows in which the operands of a batch begin. */
int32_t product_stream_row(const Product *p, int32_t batch);
int32_t product_weight_row(const Product *p, int32_t batch);
/* The tensor of the node's output. */
int32_t product_output(Lowerer *l, const TspNode *node, const Product *p, TspError *err);
/* Units make `heads` matrices of a batch side by side, so these lie in blocks of their own. */
void product_place_batches(Lowerer *l, int32_t out, const Product *p, int32_t heads);
/* A term for each K tile: rows a_row0.. of a against rows w_row0.. of w. */
bool product_terms(Lowerer *l, Stage *s, int32_t a, int32_t a_row0, int32_t w, int32_t w_row0,
                   TspError *err);

/* lower_product_bytes.c: MatMul of int32. */
bool lower_matmul_bytes(Lowerer *l, const TspNode *node, TspError *err);

#endif
