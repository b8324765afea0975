/* graph.h - the op graph: values and nodes, read from JSON, checked, shapes inferred.
 */
#ifndef TSP_GRAPH_H
#define TSP_GRAPH_H
#include "isa/program.h"

/* Ops we lower. Table: compiler/graph/ops.def, X-macro OPERATOR(NAME, "OnnxName", min_inputs,
 * max_inputs). */
typedef enum {
#define OPERATOR(name, onnx, min_inputs, max_inputs) TSP_GRAPH_##name,
#include "compiler/graph/ops.def"
#undef OPERATOR
    TSP_GRAPH_OP_COUNT
} TspGraphOp;

typedef struct {
    char *name;
    TspDtype dtype;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    bool is_input, is_output;
    uint8_t *data;    /* initializers: row-major little-endian; else NULL */
    int32_t producer; /* node index, -1 for inputs and initializers */
    int32_t line;     /* in the graph file */
} TspValue;

enum { TSP_NODE_INPUTS = 32 };

/* What a Pad puts in: one value; the nearest element; what a mirror shows, or a copy, beyond the
 * end. */
typedef enum { TSP_PAD_CONSTANT, TSP_PAD_EDGE, TSP_PAD_REFLECT, TSP_PAD_WRAP } TspPadMode;

typedef struct {
    char *name; /* as given, or "<op>_<index>" */
    TspGraphOp op;
    int32_t inputs[TSP_NODE_INPUTS]; /* value indices; -1: optional input left out */
    int32_t input_count;
    int32_t output; /* value index */
    /* attributes that the ops above have */
    double alpha, beta;      /* Gemm, default 1; alpha of LeakyRelu and others, default ONNX's; beta
                              * is gamma of Selu */
    bool trans_a, trans_b;   /* Gemm */
    TspDtype to;             /* Cast; QuantizeLinear: output_dtype, bool if not given */
    bool shift_right;        /* BitShift */
    bool keepdims;           /* reductions, default 1 */
    bool noop;               /* reductions without axes that reduce nothing */
    bool select_last;        /* ArgMax, ArgMin */
    bool fmod;               /* Mod */
    bool exclusive, reverse; /* CumSum */
    TspPadMode pad_mode;     /* Pad */
    bool tanh_form;          /* Gelu: approximate "tanh" */
    double epsilon;          /* normalizations, default 1e-5 */
    TspDtype stash_type;     /* the same, what they compute in, default float32 */
    /* of reductions, ArgMax, ArgMin, Softmax: axes, in the order of dimensions, counted from 0; of
     * Transpose: perm */
    int32_t axis_count;
    int64_t axes[TSP_MAX_RANK], axis;
    int32_t part, parts;       /* Split: a node for each of its outputs */
    int32_t num_outputs;       /* Split; 0: not given */
    int32_t block_size;        /* DepthToSpace, SpaceToDepth */
    bool columns_first;        /* DepthToSpace: mode CRD */
    bool allow_zero, upper;    /* Reshape; Trilu, default 1 */
    int32_t groups, low, high; /* GroupByAggregate */
    int32_t line;              /* of the node's object in the file */
} TspNode;

typedef struct {
    char *name, *path;
    TspValue *values;
    int32_t value_count;
    TspNode *nodes;
    int32_t node_count; /* topological order, file order where free */
} TspGraph;

/* Reads and checks a graph file: JSON syntax (line:col), names, dtypes, initializers (data, file,
 * random), unknown ops and attributes, cycles, shapes and dtypes of every value. Errors are
 * "FILE:LINE:COL: $.nodes[2].inputs[0]: what is wrong; what to do". */
bool tsp_graph_load(TspGraph *g, const char *path, TspError *err);
bool tsp_graph_parse(TspGraph *g, const char *text, size_t length, const char *path, TspError *err);
void tsp_graph_free(TspGraph *g);

int64_t tsp_value_elements(const TspValue *v);
int64_t tsp_value_bytes(const TspValue *v);
/* NumPy broadcasting of two shapes; false if they do not broadcast. */
bool tsp_broadcast_shape(int32_t rank_a, const int64_t *a, int32_t rank_b, const int64_t *b,
                         int32_t *rank, int64_t *shape);
/* Which input of a product is its second matrix. */
int32_t tsp_product_second(const TspNode *node);
/* Multiply-accumulates a node asks for, padding not counted (0 for element-wise ops). */
int64_t tsp_node_macs(const TspGraph *g, const TspNode *node);

/* Deterministic fill: element i of a tensor seeded `seed`. Integers uniform in [low, high], both
 * included; floats uniform in [low, high) then rounded to the type. The generator is documented in
 * docs/graph-format.md and is the same on every host. */
void tsp_random_fill(uint8_t *data, TspDtype dtype, int64_t elements, uint64_t seed, double low,
                     double high);

#endif
