/* random_graph.h - random graphs of 1 to 12 nodes with random shapes, as text of a graph file.
 *
 * Each node takes values that are there already, or new constants. Magnitudes are followed, so that
 * no result overflows its type: what must not happen by accident is tested elsewhere on purpose.
 */
#ifndef TSP_TESTS_RANDOM_GRAPH_H
#define TSP_TESTS_RANDOM_GRAPH_H
#include "compiler/graph.h"
#include "seeded.h"

#include <math.h>
#include <string.h>

enum { GRAPH_TEXT = 1 << 16, GRAPH_VALUES = 40, GRAPH_NODES = 12, GRAPH_RANK = 4 };

typedef struct {
    char name[8];
    TspDtype dtype;
    int32_t rank;
    int64_t shape[GRAPH_RANK];
    double most; /* no element is greater */
    bool used, constant;
} GraphValue;

typedef struct {
    char inputs[GRAPH_TEXT / 8], constants[GRAPH_TEXT / 4], nodes[GRAPH_TEXT / 4], text[GRAPH_TEXT];
    GraphValue values[GRAPH_VALUES];
    int32_t count, made;
    int32_t greatest; /* dimension */
} RandomGraph;

static inline void graph_add(char *part, size_t size, const char *text) {
    size_t used = strlen(part);
    snprintf(part + used, size - used, "%s%s", used ? ", " : "", text);
}

static inline int64_t graph_elements(const GraphValue *v) {
    int64_t n = 1;
    for (int32_t d = 0; d < v->rank; d++) n *= v->shape[d];
    return n;
}

static inline const char *graph_shape_text(const GraphValue *v) {
    static char text[100];
    strcpy(text, "[");
    for (int32_t d = 0; d < v->rank; d++)
        snprintf(text + strlen(text), sizeof text - strlen(text), d ? ", %lld" : "%lld",
                 (long long)v->shape[d]);
    return strcat(text, "]");
}

static inline GraphValue *graph_value(RandomGraph *g, GraphValue v) {
    GraphValue *to = &g->values[g->count];
    *to = v;
    to->used = to->constant = false;
    snprintf(to->name, sizeof to->name, "v%d", g->count++ % 1000);
    return to;
}

static inline GraphValue *graph_input(RandomGraph *g, GraphValue v) {
    GraphValue *to = graph_value(g, v);
    char text[200];
    to->used = true;
    snprintf(text, sizeof text, "{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": %s}", to->name,
             tsp_dtype_name(v.dtype), graph_shape_text(&v));
    graph_add(g->inputs, sizeof g->inputs, text);
    return to;
}

/* Floats and integers within -most .. most, or from `low` on. */
static inline GraphValue *graph_constant(RandomGraph *g, GraphValue v, double low) {
    GraphValue *to = graph_value(g, v);
    char text[300];
    to->used = to->constant = true;
    snprintf(text, sizeof text,
             "{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": %s, \"random\": {\"seed\": %u, "
             "\"low\": %g, \"high\": %g}}",
             to->name, tsp_dtype_name(v.dtype), graph_shape_text(&v), (unsigned)random_bits() >> 1,
             low, v.most);
    graph_add(g->constants, sizeof g->constants, text);
    return to;
}

/* int64 numbers: shapes, axes, starts. */
static inline GraphValue *graph_numbers(RandomGraph *g, int32_t count, const int64_t *numbers) {
    GraphValue *to = graph_value(g, (GraphValue){.rank = 1, .shape = {count}});
    char text[300];
    to->used = to->constant = true;
    snprintf(text, sizeof text,
             "{\"name\": \"%s\", \"dtype\": \"int64\", \"shape\": [%d], \"data\": [", to->name,
             (int)count);
    for (int32_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), i ? ", %lld" : "%lld",
                 (long long)numbers[i]);
    strcat(text, "]}");
    graph_add(g->constants, sizeof g->constants, text);
    return to;
}

/* A node of up to three inputs; NULL ends them. */
static inline GraphValue *graph_node(RandomGraph *g, const char *op, const char *attributes,
                                     GraphValue *a, GraphValue *b, GraphValue *c,
                                     GraphValue result) {
    GraphValue *const in[] = {a, b, c, NULL}, *out = graph_value(g, result);
    char text[400];
    snprintf(text, sizeof text, "{\"op\": \"%s\", \"inputs\": [", op);
    for (int i = 0; in[i]; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), i ? ", \"%s\"" : "\"%s\"",
                 in[i]->name);
        in[i]->used = true;
    }
    snprintf(text + strlen(text), sizeof text - strlen(text),
             "], \"outputs\": [\"%s\"], \"attributes\": {%s}}", out->name, attributes);
    graph_add(g->nodes, sizeof g->nodes, text);
    g->made++;
    return out;
}

/* -- what nodes are made of -- */

static inline int64_t graph_dimension(const RandomGraph *g) {
    switch (pick(0, 3)) {
    case 0:
        return pick(1, 8);
    case 1:
        return pick(1, g->greatest);
    case 2:
        return g->greatest >= 64 ? 64 * pick(1, g->greatest / 64) : pick(1, g->greatest);
    default:
        return pick(1, (g->greatest + 3) / 4);
    }
}

static inline bool graph_is_float(const GraphValue *v) {
    return v->dtype == TSP_F16 || v->dtype == TSP_F32;
}

/* A value of nodes and inputs at random, NULL if it is not of `dtypes` (a bit each). */
static inline GraphValue *graph_any(RandomGraph *g, uint32_t dtypes) {
    GraphValue *v = &g->values[random_below(g->count)];
    return !v->constant && (dtypes >> v->dtype & 1) ? v : NULL;
}

/* A shape that broadcasts to v's: dimensions of 1 in places, leading ones left out. */
static inline GraphValue graph_narrowed(const GraphValue *v) {
    GraphValue n = *v;
    int32_t drop = one_in(3) ? random_below(v->rank + 1) : 0;
    n.rank -= drop;
    for (int32_t d = 0; d < n.rank; d++) n.shape[d] = one_in(4) ? 1 : v->shape[d + drop];
    return n;
}

static const uint32_t graph_floats = 1u << TSP_F16 | 1u << TSP_F32;
static const uint32_t graph_integers = 1u << TSP_I8 | 1u << TSP_U8 | 1u << TSP_I32;

static inline bool graph_unary(RandomGraph *g) {
    static const struct {
        const char *op, *attributes;
        double least, most; /* of the operand's magnitude; of the result: 0 as the operand's */
    } ops[] = {
        {"Relu", "", 1e9, 0},      {"Neg", "", 1e9, 0},
        {"Abs", "", 1e9, 0},       {"Tanh", "", 1e9, 1},
        {"Sigmoid", "", 1e9, 1},   {"Exp", "", 5, 150},
        {"LeakyRelu", "", 1e9, 0}, {"Gelu", "\"approximate\": \"tanh\"", 1e9, 0},
        {"Gelu", "", 1e9, 0},      {"Erf", "", 1e9, 1},
        {"Floor", "", 1e4, 1e4},   {"Ceil", "", 1e4, 1e4},
        {"Round", "", 1e4, 1e4},   {"Sign", "", 1e9, 1},
        {"Softsign", "", 1e9, 1},  {"HardSigmoid", "\"alpha\": 0.3", 1e9, 1},
        {"HardSwish", "", 1e3, 0}, {"Softplus", "", 100, 101},
        {"Mish", "", 1e3, 0},      {"Elu", "\"alpha\": 0.5", 1e3, 0},
        {"Celu", "", 100, 0},      {"Selu", "", 1e3, 1.1e3},
        {"Swish", "", 1e3, 0},
    };
    int32_t which = random_below(sizeof ops / sizeof *ops);
    GraphValue *v = graph_any(g, graph_floats), result;
    if (!v || v->most > ops[which].least) return false;
    result = *v;
    if (ops[which].most > 0) result.most = ops[which].most;
    graph_node(g, ops[which].op, ops[which].attributes, v, NULL, NULL, result);
    return true;
}

/* Operators that need their operand away from 0: 1 or 2 is added to its magnitude first. */
static inline bool graph_positive(RandomGraph *g) {
    static const char *const ops[] = {"Log", "Sqrt", "Reciprocal", "Pow", "Div"};
    const char *op = ops[random_below(5)];
    GraphValue *v = graph_any(g, graph_floats), *positive, *second = NULL, shift, result;
    if (!v || v->most > 30) return false;
    shift = (GraphValue){.dtype = v->dtype, .most = pick(1, 2)};
    result = *v;
    positive = graph_node(g, "Abs", "", v, NULL, NULL, result);
    result.most += shift.most;
    positive =
        graph_node(g, "Add", "", positive, graph_constant(g, shift, shift.most), NULL, result);
    if (*op == 'D') {
        result.most = v->most;
        graph_node(g, op, "", v, positive, NULL, result);
        return true;
    }
    if (*op == 'P') {
        GraphValue exponent = one_in(2) ? shift : graph_narrowed(v);
        exponent.most = 2;
        second = graph_constant(g, exponent, one_in(2) ? 2 : -2);
        result.most *= result.most;
    }
    graph_node(g, op, "", positive, second, NULL, result);
    return true;
}

static inline bool graph_binary(RandomGraph *g) {
    static const char *const ops[] = {"Add", "Sub", "Mul", "Min", "Max", "Sum"};
    const char *op = ops[random_below(6)];
    GraphValue *v = graph_any(g, graph_floats | 1u << TSP_I32), *other = NULL, *third = NULL,
               result;
    if (!v || (op[2] == 'm' && !graph_is_float(v))) return false;
    for (int32_t i = 0; i < g->count && one_in(2); i++) {
        GraphValue *o = &g->values[i];
        int32_t rank;
        int64_t shape[TSP_MAX_RANK];
        if (!o->constant && o->dtype == v->dtype &&
            tsp_broadcast_shape(v->rank, v->shape, o->rank, o->shape, &rank, shape) &&
            rank == v->rank && !memcmp(shape, v->shape, (size_t)rank * sizeof *shape))
            other = o;
    }
    if (!other) {
        GraphValue n = graph_narrowed(v);
        n.most = graph_is_float(v) ? 1 : 100;
        other = graph_constant(g, n, -n.most);
    }
    result = *v;
    result.most = !strcmp(op, "Mul") ? v->most * other->most : 2 * v->most + other->most;
    if (result.most > (v->dtype == TSP_I32 ? 1e9 : 2e4)) return false;
    if (op[2] != 'd' && op[2] != 'b' && op[2] != 'l' && one_in(2)) third = v; /* Min, Max, Sum */
    graph_node(g, op, "", v, other, third, result);
    return true;
}

static inline bool graph_product(RandomGraph *g) {
    GraphValue *v = graph_any(g, graph_floats | 1u << TSP_I8 | 1u << TSP_U8), *w, result, shape;
    bool integer;
    if (!v || v->rank < 1) return false;
    integer = !graph_is_float(v);
    shape = (GraphValue){.dtype = v->dtype, .rank = 2, .most = integer ? 100 : 0.5};
    shape.shape[0] = v->shape[v->rank - 1];
    shape.shape[1] = graph_dimension(g);
    result = *v;
    result.shape[v->rank - 1] = shape.shape[1];
    result.most = (integer ? 255 * 100 : v->most * 0.5) * (double)shape.shape[0];
    if (result.most > (integer ? 1e9 : 2e4)) return false;
    if (integer) result.dtype = TSP_I32;
    w = graph_constant(g, shape, v->dtype == TSP_U8 ? 0 : -shape.most);
    graph_node(g, integer ? "MatMulInteger" : "MatMul", "", v, w, NULL, result);
    return true;
}

static inline bool graph_cast(RandomGraph *g) {
    GraphValue *v = graph_any(g, graph_floats | graph_integers), result;
    if (!v) return false;
    result = *v;
    result.dtype = v->dtype == TSP_F32 && v->most < 2e4 ? TSP_F16 : TSP_F32;
    if (v->dtype == TSP_F32 && result.dtype == TSP_F32) return false;
    graph_node(g, "Cast", result.dtype == TSP_F16 ? "\"to\": \"float16\"" : "\"to\": \"float32\"",
               v, NULL, NULL, result);
    return true;
}

/* Along one axis, or all that are left out of the shape. */
static inline bool graph_along(RandomGraph *g) {
    static const char *const ops[] = {"Softmax",    "LayerNormalization", "ReduceMax",
                                      "ReduceMean", "ReduceSum",          "ReduceL2"};
    int32_t which = random_below(6), axis;
    GraphValue *v = graph_any(g, graph_floats), result, row;
    char attributes[60];
    if (!v || v->rank < 1) return false;
    axis = which == 1 ? v->rank - 1 : random_below(v->rank);
    if (graph_elements(v) / v->shape[axis] > 1000) return false; /* slow to schedule */
    result = *v;
    if (which < 2) {
        result.most = which ? 30 : 1;
        row = (GraphValue){.dtype = v->dtype, .rank = 1, .shape = {v->shape[axis]}, .most = 1};
        snprintf(attributes, sizeof attributes, "\"axis\": %d", (int)axis);
        if (which && v->most > 100) return false;
        graph_node(g, ops[which], attributes, v, which ? graph_constant(g, row, -1) : NULL, NULL,
                   result);
        return true;
    }
    result.most *= which < 4 ? 1 : (double)v->shape[axis];
    if (result.most > 2e4 || (which == 5 && v->most > 100)) return false;
    result.shape[axis] = 1;
    snprintf(attributes, sizeof attributes, "\"axes\": [%d]", (int)axis);
    graph_node(g, ops[which], attributes, v, NULL, NULL, result);
    return true;
}

/* Other shapes of the same elements, or some of them. */
static inline bool graph_moved(RandomGraph *g) {
    GraphValue *v = graph_any(g, graph_floats | graph_integers), result;
    int32_t axis;
    int64_t rest;
    if (!v || v->rank < 2) return false;
    result = *v;
    axis = random_below(v->rank);
    rest = graph_elements(v) / v->shape[v->rank - 1];
    switch (pick(0, 3)) {
    case 0: /* the last two dimensions change places */
        if (v->rank > 2) return false;
        result.shape[0] = v->shape[1];
        result.shape[1] = v->shape[0];
        graph_node(g, "Transpose", "\"perm\": [1, 0]", v, NULL, NULL, result);
        return true;
    case 1: /* leading dimensions as one */
        result.rank = 2;
        result.shape[0] = rest;
        result.shape[1] = v->shape[v->rank - 1];
        graph_node(g, "Reshape", "", v, graph_numbers(g, 2, (int64_t[]){-1, result.shape[1]}), NULL,
                   result);
        return true;
    case 2:
        result.shape[axis] *= 2;
        if (result.shape[axis] > g->greatest) return false;
        result = *v;
        result.shape[axis] *= 2;
        {
            char attributes[40];
            snprintf(attributes, sizeof attributes, "\"axis\": %d", (int)axis);
            graph_node(g, "Concat", attributes, v, v, NULL, result);
        }
        return true;
    default:
        axis = 0; /* others would take a fourth input */
        if (v->shape[0] < 2) return false;
        result = *v;
        result.shape[0] = pick(1, (int32_t)v->shape[0] - 1);
        graph_node(g, "Slice", "", v, graph_numbers(g, 1, (int64_t[]){0}),
                   graph_numbers(g, 1, result.shape), result);
        return true;
    }
}

/* Logarithms of sums, and running sums. */
static inline bool graph_summed(RandomGraph *g) {
    static const char *const ops[] = {"LogSoftmax", "ReduceLogSumExp", "CumSum"};
    const int32_t which = random_below(3);
    GraphValue *v = graph_any(g, which < 2 ? graph_floats : graph_floats | 1u << TSP_I32), result;
    GraphValue axis_value = {.dtype = TSP_I32};
    char attributes[60];
    int32_t axis;
    if (!v || v->rank < (which < 2 ? 1 : 2) || v->most > 100) return false;
    axis = random_below(v->rank);
    if (graph_elements(v) / v->shape[axis] > 1000) return false;
    result = *v;
    result.most = which < 2 ? 2 * v->most + 10 : v->most * (double)v->shape[axis];
    if (result.most > 2e4) return false;
    if (which == 2) {
        axis_value.most = axis;
        snprintf(attributes, sizeof attributes, "\"exclusive\": %d, \"reverse\": %d", one_in(2),
                 one_in(2));
        graph_node(g, ops[which], attributes, v, graph_constant(g, axis_value, axis), NULL, result);
        return true;
    }
    snprintf(attributes, sizeof attributes, which ? "\"axes\": [%d]" : "\"axis\": %d", (int)axis);
    if (which) result.shape[axis] = 1;
    graph_node(g, ops[which], attributes, v, NULL, NULL, result);
    return true;
}

/* What indices that are computed point to; bounds that are computed. */
static inline bool graph_computed(RandomGraph *g) {
    GraphValue *v = graph_any(g, graph_floats | graph_integers), *other, result, index;
    char attributes[80];
    int32_t axis;
    if (!v || v->rank < 1 || v->rank > 2) return false;
    if (one_in(2)) {
        if (!graph_is_float(v)) return false;
        result = (GraphValue){.dtype = v->dtype, .most = v->most};
        other = graph_node(g, "ReduceMean", "\"keepdims\": 0", v, NULL, NULL, result);
        graph_node(g, "Clip", "", v, other, NULL, *v);
        return true;
    }
    axis = random_below(v->rank);
    if (graph_elements(v) / v->shape[axis] > 300) return false;
    index = (GraphValue){.dtype = TSP_I32, .rank = v->rank - 1, .most = (double)v->shape[axis]};
    result = *v;
    if (index.rank) index.shape[0] = v->shape[!axis];
    if (index.rank) result.shape[axis] = v->shape[!axis];
    if (!index.rank) result.rank = 0;
    snprintf(attributes, sizeof attributes,
             "\"axis\": %d, \"keepdims\": 0, \"select_last_index\": %d", (int)axis, one_in(2));
    other = graph_node(g, "ArgMax", attributes, v, NULL, NULL, index);
    snprintf(attributes, sizeof attributes, "\"axis\": %d", (int)axis);
    graph_node(g, "Gather", attributes, v, other, NULL, result);
    return true;
}

/* A product of what is quantized as it comes. */
static inline bool graph_dynamic(RandomGraph *g) {
    GraphValue *v = graph_any(g, 1u << TSP_F32), *y, *s, *z, *w, result, scalar;
    char text[300];
    int32_t number = g->made;
    if (!v || v->rank < 2 || v->most > 1e4) return false;
    result = *v;
    result.dtype = TSP_U8;
    result.most = 255;
    scalar = (GraphValue){.dtype = TSP_F32, .most = 1e4};
    y = graph_value(g, result);
    s = graph_value(g, scalar);
    scalar.dtype = TSP_U8;
    z = graph_value(g, scalar);
    snprintf(text, sizeof text,
             "{\"op\": \"DynamicQuantizeLinear\", \"name\": \"dynamic%d\", \"inputs\": [\"%s\"], "
             "\"outputs\": [\"%s\", \"%s\", \"%s\"]}",
             (int)number, v->name, y->name, s->name, z->name);
    graph_add(g->nodes, sizeof g->nodes, text);
    g->made++;
    v->used = true;
    scalar = (GraphValue){.dtype = TSP_I8, .rank = 2, .most = 100};
    scalar.shape[0] = v->shape[v->rank - 1];
    scalar.shape[1] = pick(1, 40);
    w = graph_constant(g, scalar, -100);
    result.shape[v->rank - 1] = scalar.shape[1];
    result.dtype = TSP_I32;
    result.most = 255.0 * 100 * (double)scalar.shape[0];
    graph_node(g, "MatMulInteger", "", y, w, z, result);
    return true;
}

/* Scales and zero points: one, or as many as the axis is long; both known. */
static inline void graph_scales(RandomGraph *g, const GraphValue *along, TspDtype scales,
                                TspDtype zeros, int32_t axis, GraphValue **scale,
                                GraphValue **zero) {
    GraphValue number = {.dtype = scales, .most = 0.125};
    if (axis >= 0) number.rank = 1, number.shape[0] = along->shape[axis];
    *scale = graph_constant(g, number, 0.03125);
    number.dtype = zeros;
    number.most = one_in(2) ? 0 : 100;
    *zero = graph_constant(g, number, zeros == TSP_I8 ? -number.most : 0);
}

/* To bytes, or from bytes. */
static inline bool graph_quantize(RandomGraph *g) {
    GraphValue *v = graph_any(g, graph_floats | 1u << TSP_I8 | 1u << TSP_U8), *scale, *zero, result;
    bool floats = v && graph_is_float(v);
    TspDtype bytes = !v || floats ? one_in(2) ? TSP_I8 : TSP_U8 : v->dtype;
    TspDtype type = floats ? v->dtype : one_in(2) ? TSP_F16 : TSP_F32;
    int32_t axis = v && v->rank && one_in(2) ? random_below(v->rank) : -1;
    char attributes[40] = "";
    if (!v || v->most > (floats ? 100 : 255)) return false;
    graph_scales(g, v, type, bytes, axis, &scale, &zero);
    result = *v;
    result.dtype = floats ? bytes : type;
    result.most = floats ? bytes == TSP_I8 ? 128 : 255 : 0.125 * 383;
    if (axis >= 0) snprintf(attributes, sizeof attributes, "\"axis\": %d", (int)axis);
    graph_node(g, floats ? "QuantizeLinear" : "DequantizeLinear", attributes, v, scale, zero,
               result);
    return true;
}

static inline void graph_start(RandomGraph *g) {
    static const TspDtype types[] = {TSP_F16, TSP_F32, TSP_I8, TSP_U8, TSP_I32};
    GraphValue v = {.dtype = types[random_below(5)], .rank = pick(1, 4), .most = 1};
    if (v.dtype == TSP_I8) v.most = 128;
    if (v.dtype == TSP_U8 || v.dtype == TSP_I32) v.most = 255;
    for (int32_t d = 0; d < v.rank; d++)
        v.shape[d] = d < v.rank - 2 ? pick(1, 3) : graph_dimension(g);
    graph_input(g, v);
}

#include "random_whole.h"

typedef bool GraphMaker(RandomGraph *g);
static GraphMaker *const graph_makers[] = {
    graph_unary,   graph_binary, graph_product,   graph_cast,   graph_quantize,
    graph_along,   graph_moved,  graph_positive,  graph_summed, graph_computed,
    graph_dynamic, graph_whole,  graph_normalized};

/* The graph of a seed. Its text is in g->text. */
static inline void random_graph_make(RandomGraph *g, uint64_t seed, int32_t greatest) {
    int32_t wanted, tries = 200;
    random_from(seed);
    memset(g, 0, sizeof *g);
    g->greatest = greatest;
    wanted = pick(1, GRAPH_NODES);
    for (int32_t i = pick(1, 2); i > 0; i--) graph_start(g);
    while ((g->made < wanted && tries-- > 0 && g->count < GRAPH_VALUES - 4) || g->made == 0)
        graph_makers[random_below(sizeof graph_makers / sizeof *graph_makers)](g);
    snprintf(g->text, sizeof g->text,
             "{\"name\": \"random\", \"inputs\": [%s], \"initializers\": [%s], \"nodes\": [%s], "
             "\"outputs\": [",
             g->inputs, g->constants, g->nodes);
    for (int32_t i = 0, outputs = 0; i < g->count; i++)
        if (!g->values[i].used && g->values[i].name[0])
            snprintf(g->text + strlen(g->text), sizeof g->text - strlen(g->text), "%s\"%s\"",
                     outputs++ ? ", " : "", g->values[i].name);
    strcat(g->text, "]}");
}

#endif
