/* random_whole.h - makers of nodes on int32, and of normalizations by computed numbers, for
 * random_graph.h, which includes it behind what they take.
 */
#ifndef TSP_TESTS_RANDOM_WHOLE_H
#define TSP_TESTS_RANDOM_WHOLE_H

/* Div or Mod by known numbers of one sign, and so by none of 0. */
static inline bool graph_divided(RandomGraph *g, GraphValue *v) {
    const bool div = one_in(2), positive = one_in(2);
    GraphValue by = graph_narrowed(v), result = *v;
    if (one_in(2)) by.rank = 0;
    by.most = positive ? 100 : -1;
    if (!div && result.most > 100) result.most = 100;
    graph_node(g, div ? "Div" : "Mod", !div && one_in(2) ? "\"fmod\": 1" : "", v,
               graph_constant(g, by, positive ? 1 : -100), NULL, result);
    return true;
}

static inline bool graph_whole_product(RandomGraph *g, GraphValue *v) {
    GraphValue w = {.dtype = TSP_I32, .rank = 2, .most = 100}, result = *v;
    if (v->rank < 1) return false;
    w.shape[0] = v->shape[v->rank - 1];
    w.shape[1] = graph_dimension(g);
    result.shape[v->rank - 1] = w.shape[1];
    result.most = v->most * w.most * (double)w.shape[0];
    if (result.most > 1e9) return false;
    graph_node(g, "MatMul", "", v, graph_constant(g, w, -w.most), NULL, result);
    return true;
}

static inline bool graph_whole_power(RandomGraph *g, GraphValue *v) {
    GraphValue exponent = {.dtype = one_in(2) ? TSP_I32 : TSP_U8, .most = pick(0, 3)}, result = *v;
    result.most = pow(fmax(v->most, 1), exponent.most);
    if (result.most > 1e9) return false;
    graph_node(g, "Pow", "", v, graph_constant(g, exponent, exponent.most), NULL, result);
    return true;
}

static inline bool graph_whole_along(RandomGraph *g, GraphValue *v) {
    const bool mean = one_in(2);
    GraphValue result = *v;
    char attributes[40];
    int32_t axis;
    if (v->rank < 1) return false;
    axis = random_below(v->rank);
    if (graph_elements(v) / v->shape[axis] > 300) return false;
    result.shape[axis] = 1;
    if (!mean) result.most *= sqrt((double)v->shape[axis]);
    if (result.most > 3e4) return false;
    snprintf(attributes, sizeof attributes, "\"axes\": [%d]", (int)axis);
    graph_node(g, mean ? "ReduceMean" : "ReduceL2", attributes, v, NULL, NULL, result);
    return true;
}

static inline bool graph_whole(RandomGraph *g) {
    GraphValue *v = graph_any(g, 1u << TSP_I32);
    if (!v) return false;
    switch (pick(0, 3)) {
    case 0:
        return graph_divided(g, v);
    case 1:
        return graph_whole_product(g, v);
    case 2:
        return graph_whole_power(g, v);
    default:
        return graph_whole_along(g, v);
    }
}

/* By an input for each channel, or one that broadcasts. */
static inline bool graph_normalized(RandomGraph *g) {
    GraphValue *v = graph_any(g, graph_floats), *scale, *bias, beside, result;
    const bool instance = v && v->rank >= 3 && one_in(2);
    if (!v || v->rank < 1 || v->most > 100) return false;
    if (graph_elements(v) / v->shape[v->rank - 1] > 300) return false;
    result = *v;
    result.most = 31;
    beside = graph_narrowed(v);
    if (instance) beside = (GraphValue){.rank = 1, .shape = {v->shape[1]}};
    beside.dtype = v->dtype;
    beside.most = 1;
    scale = graph_input(g, beside);
    bias = graph_input(g, beside);
    graph_node(g, instance ? "InstanceNormalization" : "LayerNormalization", "", v, scale, bias,
               result);
    return true;
}

#endif
