/* graph_value.c - how large a value is, what a node is called and how much work it is.
 */
#include "graph_shape.h"

int64_t tsp_value_elements(const TspValue *v) {
    int64_t elements = 1;
    for (int32_t i = 0; i < v->rank; i++) elements *= v->shape[i];
    return elements;
}

int64_t tsp_value_bytes(const TspValue *v) {
    return tsp_value_elements(v) * tsp_dtype_bytes(v->dtype);
}

bool tsp_broadcast_shape(int32_t rank_a, const int64_t *a, int32_t rank_b, const int64_t *b,
                         int32_t *rank, int64_t *shape) {
    *rank = rank_a > rank_b ? rank_a : rank_b;
    for (int32_t i = 1; i <= *rank; i++) { /* from the last dimension backwards */
        int64_t size_a = i <= rank_a ? a[rank_a - i] : 1, size_b = i <= rank_b ? b[rank_b - i] : 1;
        if (size_a != size_b && size_a != 1 && size_b != 1) return false;
        shape[*rank - i] = size_a == 1 ? size_b : size_a;
    }
    return true;
}

const char *tsp_graph_op_name(TspGraphOp op) {
    static const char *const names[] = {
#define OPERATOR(name, onnx, min_inputs, max_inputs) onnx,
#include "ops.def"
#undef OPERATOR
    };
    return names[op];
}

int32_t tsp_product_second(const TspNode *node) {
    return node->op == TSP_GRAPH_QLINEAR_MATMUL ? 3 : 1;
}

int64_t tsp_node_macs(const TspGraph *g, const TspNode *node) {
    const TspValue *a = &g->values[node->inputs[0]];
    int64_t outputs = tsp_value_elements(&g->values[node->output]);
    switch (node->op) {
    case TSP_GRAPH_MATMUL_INTEGER:
    case TSP_GRAPH_QLINEAR_MATMUL:
    case TSP_GRAPH_MATMUL:
        return outputs * a->shape[a->rank - 1];
    case TSP_GRAPH_GEMM:
        return outputs * a->shape[!node->trans_a];
    default:
        return 0;
    }
}
