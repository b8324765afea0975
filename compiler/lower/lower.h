/* lower.h - what the files of the lower pass share.
 */
#ifndef TSP_LOWER_H
#define TSP_LOWER_H
#include "compiler/stage.h"

/* Orientation of a tensor: lanes run along the last dimension, along the last but one, or along all
 * elements in row-major order; or each lane holds a run of these; or the matrices of a batch stand
 * side by side (lower_heads.h). */
enum {
    ROWWISE = 0,
    TRANSPOSED = 1,
    FLAT = 2,
    LANEWISE = 3,
    JOINED = 4,
    PACKED = 5,
    ORIENTATIONS = 6
};

typedef struct View View;       /* lower_view.h */
typedef struct Packing Packing; /* lower_heads.h */
typedef struct {
    Module *module;
    const TspGraph *graph;
    View *views;                        /* of a value, of another or itself */
    int32_t (*tensor_of)[ORIENTATIONS]; /* tensor of a value, by orientation; -1 none yet */
    int32_t (*split_of)[2][3];          /* fp16 parts of a float32 value */
    bool (*needs)[2];                   /* orientations in which nodes will ask for a value */
    bool *turned;                       /* values that their node makes TRANSPOSED */
    bool *flat;       /* values that only element-wise nodes, reductions and running sums touch */
    int32_t *joined;  /* value whose rows those of a value are, its heads side by side; -1: none */
    Packing **packed; /* how a value's matrices are packed; NULL: not. Owned by that of a product */
    int32_t (*masked)[2][3]; /* of a node that multiplies windows: what it takes, masked; -1 none */
    bool *lanewise;   /* flat values that running sums, and what is element-wise to them, touch */
    int32_t identity; /* uint8 identity matrix, lanes x lanes; -1 none yet */
    int32_t ones[3];  /* fp16 matrices, lanes x lanes, all 1, 2^-11, 2^-22; -1 none yet */
    int32_t node;     /* being lowered */
    struct CurvePlan *plan; /* of the curve that was cut last, NULL none; owned */
} Lowerer;

/* Tensors and stages of the node that is being lowered (stage.h). */
static inline int32_t lower_new_tensor(Lowerer *l, const char *name, const char *suffix,
                                       TspDtype dtype, TspTensorRole role, int32_t rank,
                                       const int64_t *shape, bool transposed, TspError *err) {
    return stage_new_tensor(l->module, name, suffix, dtype, role, rank, shape, transposed, err);
}
static inline Stage *lower_new_stage(Lowerer *l, const char *what, int32_t rows, int32_t cols,
                                     TspError *err) {
    return stage_new(l->module, l->node, what, rows, cols, err);
}
static inline void lower_output(Lowerer *l, Stage *s, From from, int32_t tensor, int32_t row0) {
    stage_output(l->module, s, from, tensor, row0);
}
static inline int32_t lower_copy(Lowerer *l, int32_t from, TspError *err) {
    return stage_copy(l->module, l->node, from, err);
}

/* lower_tensor.c: tensors and the stages that only move or reshape data. All return an index or -1
 * with err set. */
int32_t lower_oriented(Lowerer *l, int32_t value, int orientation, TspError *err);
/* The same tensor with rows and columns of each matrix swapped, made on the chip. */
int32_t lower_transposed(Lowerer *l, int32_t tensor, TspError *err);
/* The three fp16 parts of a float32 value: h, r * 2^11, h * 2^-11 with h + r = value. */
bool lower_split(Lowerer *l, int32_t value, int orientation, int32_t part[3], TspError *err);
/* A stage whose product of one K tile goes to byte plane `byte` of `out`, rows from out_row on, low
 * byte only: of zeros and ones, it moves bytes. */
bool lower_move(Lowerer *l, const char *what, int32_t rows, int32_t cols, Term term, int32_t out,
                int32_t out_row, int32_t byte, TspError *err);
/* Rows row0 .. row0+rows-1 of `from` become columns of `to`, from column tile `to_ctile` on: its
 * rows to_row.. are the columns of `from`. Exact for every element type. */
bool lower_turn(Lowerer *l, int32_t from, int32_t row0, int32_t rows, int32_t to, int32_t to_row,
                int32_t to_ctile, TspError *err);
/* The same for the first `columns` of a `from` of one column tile: as many rows to_row.. of `to`.
 */
bool lower_turn_columns(Lowerer *l, int32_t from, int32_t row0, int32_t rows, int32_t columns,
                        int32_t to, int32_t to_row, TspError *err);
/* The value of the node, copied along lanes if its last dimension is 1 and `cols` is not. */
int32_t lower_widened(Lowerer *l, int32_t value, int32_t cols, TspError *err);
/* Copies the one column of `from` along the first `cols` lanes of `to`. */
bool lower_broadcast(Lowerer *l, int32_t from, int32_t to, int32_t cols, TspError *err);

/* lower_order.c: the nodes in the order in which they are to be lowered, to be freed; NULL with err
 * set. */
int32_t *lower_order(Lowerer *l, TspError *err);

/* lower_orientation.c: fills needs and turned, from flat. */
void lower_find_orientations(Lowerer *l);
/* The value's shape with the last two dimensions swapped, if it has two; data is not touched. */
TspValue lower_turned_shape(const TspValue *v);

/* lower_product.c: MatMul, MatMulInteger, Gemm. lower_elementwise.c: the rest. */
bool lower_matmul(Lowerer *l, const TspNode *node, TspError *err);
bool lower_gemm(Lowerer *l, const TspNode *node, TspError *err);
bool lower_matmul_integer(Lowerer *l, const TspNode *node, TspError *err);
/* The int32 product of `node`, a MatMulInteger, to the rows of tensor `out`; -1: of its output. */
bool lower_integer_product(Lowerer *l, const TspNode *node, int32_t out, TspError *err);
/* lower_qlinear.c */
bool lower_qlinear_matmul(Lowerer *l, const TspNode *node, TspError *err);
bool lower_elementwise(Lowerer *l, const TspNode *node, TspError *err);
/* lower_steps.c: the steps of element-wise nodes. Operands that come from memory are the first
 * `lower_streamed` inputs of the node; `ones`, if the node needs it and not all lanes hold
 * elements, is a row of ones of the result's type in the lanes that do: what keeps the others zero.
 * Where all do, a node that takes a number may have a known scalar as `lower_number`. */
bool lower_is_elementwise(const TspNode *node);
int32_t lower_streamed(const TspNode *node);
/* Whether the node's result has the elements of its first input in the same order. */
bool lower_relabels(const TspNode *node);
bool lower_needs_ones(const TspNode *node);
/* lower_elementwise.c: whether input i, a known scalar, can be part of the instruction. */
bool lower_is_number(const Lowerer *l, const TspNode *node, int32_t i, int32_t cols);
bool lower_takes_number(const TspNode *node);
From lower_number(const TspValue *scalar);
int32_t lower_ones(Lowerer *l, const TspNode *node, int32_t cols, TspError *err);
int32_t lower_ones_of(Lowerer *l, const TspNode *node, TspDtype type, int32_t cols, TspError *err);
From lower_apply(Stage *s, const TspNode *node, const TspGraph *g,
                 const From in[ELEMENTWISE_INPUTS], From ones);

/* lower_movement.c: nodes that move elements or mask them; views need no stages. */
bool lower_movement(Lowerer *l, const TspNode *node, TspError *err);
bool lower_trilu(Lowerer *l, const TspNode *node, TspError *err);
/* Whether a Gather takes rows that rows of bools point to (build.h), and its stages. */
bool lower_is_pointed(const TspGraph *g, const TspNode *node);
bool lower_pointed(Lowerer *l, const TspNode *node, TspError *err);
/* lower_fill.c: the type that moves elements of another bit for bit. */
TspDtype lower_bits(TspDtype type);

/* Ends a stage that has the operands of an element-wise node: its steps, and its result as rows
 * row.. of `out`; with further stages if the node is a curve. Returns how many stages these are, 0
 * with err set. */
int32_t lower_finish_elementwise(Lowerer *l, const TspNode *node, Stage *s,
                                 const From in[ELEMENTWISE_INPUTS], From ones, int32_t out,
                                 int32_t row, TspError *err);
/* lower_cut.c: curves (compiler/curve) have so many steps that they may take several stages; the
 * same for them. */
int32_t lower_curve(Lowerer *l, const TspNode *node, Stage *stage, const From *in, From ones,
                    int32_t out, int32_t row, TspError *err);

/* lower_flat.c: which values are flat, their tensors, and element-wise nodes on them. */
void lower_find_flat(Lowerer *l);
/* Whether a reduction is one to a single element of a tensor that is flat. */
bool lower_reduces_flat(const Lowerer *l, const TspNode *n);
int32_t lower_flat_tensor(Lowerer *l, int32_t value, int orientation, TspError *err);
bool lower_flat_elementwise(Lowerer *l, const TspNode *node, TspError *err);

/* lower_reduce.c, lower_arg.c: reductions to one element, and the dot product of two
 * vectors if both are flat and long. */
bool lower_reduce(Lowerer *l, const TspNode *node, TspError *err);
bool lower_arg(Lowerer *l, const TspNode *node, TspError *err);
/* lower_scan.c: running sums, and the rows of one of their chains. */
bool lower_cum_sum(Lowerer *l, const TspNode *node, TspError *err);
int32_t lower_scan_rows(const TspMachine *m, int32_t rows);
bool lower_is_dot(const Lowerer *l, const TspNode *node);
/* lower_weights.c: once all nodes are lowered, weights that a scan leaves become copies. */
bool lower_copy_weights(Lowerer *l, TspError *err);

/* lower_norm.c: LayerNormalization, RMSNormalization. */
bool lower_norm(Lowerer *l, const TspNode *node, TspError *err);

/* lower_group.c: GroupByAggregate, and whether a value is its, so that it places it. */
bool lower_group(Lowerer *l, const TspNode *node, TspError *err);
/* lower_group_result.c: the result from the merged tables, a tensor of words x lanes int32. */
bool lower_group_result(Lowerer *l, const TspNode *node, int32_t merged, TspError *err);
bool lower_group_reads(const Lowerer *l, int32_t value);

/* The tensors whose products add up to that of the value: one, or three for float32. */
bool lower_parts(Lowerer *l, int32_t value, int orientation, int32_t part[3], int32_t *count,
                 TspError *err);
/* lower_window.c: products of windows of column tiles; *done is false if the node is none. */
bool lower_heads(Lowerer *l, const TspNode *node, bool *done, TspError *err);
/* What products of windows take of this value is masked as soon as it is there. */
bool lower_mask_early(Lowerer *l, int32_t value, TspError *err);
bool lower_meets_windows(const Lowerer *l, const TspNode *node);

/* Row of a broadcast operand: strides, in rows, over the leading dimensions of the result. */
void lower_row_strides(const TspValue *v, int32_t out_rank, int64_t strides[TSP_MAX_RANK]);
/* Rows of y that `count` operands pass in even steps: *run of them, by step[i] rows of operand i.
 * Returns the last dimension that is not among them, -1 if all are. */
int32_t lower_even_rows(const TspValue *y, int32_t count, int64_t (*stride)[TSP_MAX_RANK],
                        int64_t *step, int64_t *run);
/* Row of an operand where number `i` of these runs begins, by what lower_even_rows() returned. */
int64_t lower_row_at(const TspValue *y, int32_t inner, int64_t i,
                     const int64_t stride[TSP_MAX_RANK]);
/* Finishes a product stage: with no accumulators in the machine, a stage a K tile; else in regions.
 */
bool lower_finish_product(Lowerer *l, TspDtype product_type, TspError *err);
/* lower_strip.c: divides the last stage, a finished product, into regions where that is quicker. */
bool lower_divide(Lowerer *l, TspError *err);

#endif
