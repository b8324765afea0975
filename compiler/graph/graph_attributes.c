/* graph_attributes.c - dtypes by name, and the attributes that the operators have.
 */
#include "graph_read.h"
#include "graph_shape.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

bool tsp_read_dtype(const TspGraphReader *r, const cJSON *item, bool known, TspDtype *dtype) {
    const char *names[TSP_DTYPE_COUNT], *nearest;
    *dtype = TSP_I32;
    if (known && strcmp(item->valuestring, "int64") == 0) return true;
    for (int i = 0; i < TSP_DTYPE_COUNT; i++) {
        names[i] = tsp_dtype_name((TspDtype)i);
        if (strcmp(names[i], item->valuestring) != 0) continue;
        *dtype = (TspDtype)i;
        return true;
    }
    nearest = tsp_nearest(item->valuestring, names, TSP_DTYPE_COUNT);
    if (nearest)
        return tsp_read_fail(r, item, "unknown dtype \"%.60s\"; did you mean \"%s\"?",
                             item->valuestring, nearest);
    return tsp_read_fail(r, item,
                         "unknown dtype \"%.60s\"; use int8, uint8, int16, int32, float16, float32 "
                         "or bool",
                         item->valuestring);
}

static bool read_real(const TspGraphReader *r, const cJSON *item, TspNode *node, size_t offset) {
    double value = item->valuedouble;
    if (!cJSON_IsNumber(item) || !isfinite((float)value))
        return tsp_read_fail(r, item, "\"%s\" is not a float32 number; write one", item->string);
    memcpy((char *)node + offset, &value, sizeof value);
    return true;
}

static bool read_flag(const TspGraphReader *r, const cJSON *item, TspNode *node, size_t offset) {
    bool value = cJSON_IsTrue(item) || item->valuedouble == 1;
    if (!cJSON_IsBool(item) && !(cJSON_IsNumber(item) && (value || item->valuedouble == 0)))
        return tsp_read_fail(r, item, "\"%s\" is neither 0 nor 1; write one of them", item->string);
    memcpy((char *)node + offset, &value, sizeof value);
    return true;
}

static bool read_whole(const TspGraphReader *r, const cJSON *item, TspNode *node, size_t offset) {
    if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) ||
        fabs(item->valuedouble) > INT32_MAX)
        return tsp_read_fail(r, item, "\"%s\" is not a whole number of 32 bits; write one",
                             item->string);
    int32_t value = (int32_t)item->valuedouble;
    memcpy((char *)node + offset, &value, sizeof value);
    return true;
}

static bool read_type(const TspGraphReader *r, const cJSON *item, TspNode *node, size_t offset) {
    /* ONNX's TensorProto.DataType, for graphs that were converted by hand */
    static const int8_t onnx_codes[TSP_DTYPE_COUNT] = {
        [TSP_I8] = 3,   [TSP_U8] = 2,  [TSP_I16] = 5, [TSP_I32] = 6,
        [TSP_F16] = 10, [TSP_F32] = 1, [TSP_BOOL] = 9};
    TspDtype *dtype = (TspDtype *)(void *)((char *)node + offset);
    if (cJSON_IsString(item)) return tsp_read_dtype(r, item, false, dtype);
    for (int i = 0; cJSON_IsNumber(item) && i < TSP_DTYPE_COUNT; i++)
        if (item->valuedouble == onnx_codes[i]) {
            *dtype = (TspDtype)i;
            return true;
        }
    return tsp_read_fail(
        r, item, "\"%s\" is no dtype; write int8, uint8, int16, int32, float16, float32 or bool",
        item->string);
}

static bool read_direction(const TspGraphReader *r, const cJSON *item, TspNode *node,
                           size_t offset) {
    bool right = cJSON_IsString(item) && strcmp(item->valuestring, "RIGHT") == 0;
    if (!right && !(cJSON_IsString(item) && strcmp(item->valuestring, "LEFT") == 0))
        return tsp_read_fail(r, item, "\"%s\" is no direction; write \"LEFT\" or \"RIGHT\"",
                             item->string);
    memcpy((char *)node + offset, &right, sizeof right);
    return true;
}

static bool read_axis(const TspGraphReader *r, const cJSON *item, TspNode *node, size_t offset) {
    int64_t *axis = (int64_t *)(void *)((char *)node + offset);
    return tsp_read_whole(r, item, "axis", -TSP_MAX_RANK, TSP_MAX_RANK - 1, axis);
}

static bool read_flatten_axis(const TspGraphReader *r, const cJSON *item, TspNode *node,
                              size_t offset) {
    int64_t *axis = (int64_t *)(void *)((char *)node + offset);
    return tsp_read_whole(r, item, "axis", -TSP_MAX_RANK, TSP_MAX_RANK, axis);
}

static bool read_axes(const TspGraphReader *r, const cJSON *item, TspNode *node, size_t offset) {
    const cJSON *axis;
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) > TSP_MAX_RANK)
        return tsp_read_fail(r, item, "\"%s\" is no list of at most %d axes; write [0, 1]",
                             item->string, TSP_MAX_RANK);
    cJSON_ArrayForEach(axis, item) {
        if (!read_axis(r, axis, node, offset + (size_t)node->axis_count * sizeof *node->axes))
            return false;
        node->axis_count++;
    }
    return true;
}

static bool read_count(const TspGraphReader *r, const cJSON *item, TspNode *node, size_t offset) {
    int64_t count;
    if (!tsp_read_whole(r, item, item->string, 1, INT32_MAX, &count)) return false;
    int32_t value = (int32_t)count;
    memcpy((char *)node + offset, &value, sizeof value);
    return true;
}

static bool read_depth_mode(const TspGraphReader *r, const cJSON *item, TspNode *node,
                            size_t offset) {
    bool columns = cJSON_IsString(item) && strcmp(item->valuestring, "CRD") == 0;
    if (!columns && !(cJSON_IsString(item) && strcmp(item->valuestring, "DCR") == 0))
        return tsp_read_fail(r, item, "\"%s\" is no order; write \"DCR\" or \"CRD\"", item->string);
    memcpy((char *)node + offset, &columns, sizeof columns);
    return true;
}

static bool read_approximate(const TspGraphReader *r, const cJSON *item, TspNode *node,
                             size_t offset) {
    bool by_tanh = cJSON_IsString(item) && strcmp(item->valuestring, "tanh") == 0;
    if (!by_tanh && !(cJSON_IsString(item) && strcmp(item->valuestring, "none") == 0))
        return tsp_read_fail(r, item, "\"%s\" is \"none\" or \"tanh\"; write one of them",
                             item->string);
    memcpy((char *)node + offset, &by_tanh, sizeof by_tanh);
    return true;
}

static bool read_pad_mode(const TspGraphReader *r, const cJSON *item, TspNode *node,
                          size_t offset) {
    static const char *const names[] = {[TSP_PAD_CONSTANT] = "constant",
                                        [TSP_PAD_EDGE] = "edge",
                                        [TSP_PAD_REFLECT] = "reflect",
                                        [TSP_PAD_WRAP] = "wrap"};
    for (int i = 0; cJSON_IsString(item) && i < (int)(sizeof names / sizeof *names); i++) {
        const TspPadMode mode = (TspPadMode)i;
        if (strcmp(item->valuestring, names[i]) != 0) continue;
        memcpy((char *)node + offset, &mode, sizeof mode);
        return true;
    }
    return tsp_read_fail(
        r, item, "\"%s\" is \"constant\", \"edge\", \"reflect\" or \"wrap\"; write one of them",
        item->string);
}

/* What only training needs. */
static bool read_momentum(const TspGraphReader *r, const cJSON *item, TspNode *node,
                          size_t offset) {
    (void)node;
    (void)offset;
    return cJSON_IsNumber(item) ||
           tsp_read_fail(r, item, "\"%s\" is no number; write one", item->string);
}

static bool read_training(const TspGraphReader *r, const cJSON *item, TspNode *node,
                          size_t offset) {
    (void)node;
    (void)offset;
    return cJSON_IsFalse(item) || (cJSON_IsNumber(item) && item->valuedouble == 0) ||
           tsp_read_fail(r, item, "only \"%s\" 0 is modelled; leave it out", item->string);
}

static const struct {
    TspGraphOp op;
    const char *name;
    bool needed;
    bool (*read)(const TspGraphReader *r, const cJSON *item, TspNode *node, size_t offset);
    size_t offset;
} attributes[] = {
    {TSP_GRAPH_GEMM, "alpha", false, read_real, offsetof(TspNode, alpha)},
    {TSP_GRAPH_GEMM, "beta", false, read_real, offsetof(TspNode, beta)},
    {TSP_GRAPH_GEMM, "transA", false, read_flag, offsetof(TspNode, trans_a)},
    {TSP_GRAPH_GEMM, "transB", false, read_flag, offsetof(TspNode, trans_b)},
    {TSP_GRAPH_CAST, "to", true, read_type, offsetof(TspNode, to)},
    {TSP_GRAPH_BIT_SHIFT, "direction", true, read_direction, offsetof(TspNode, shift_right)},
    {TSP_GRAPH_LEAKY_RELU, "alpha", false, read_real, offsetof(TspNode, alpha)},
    {TSP_GRAPH_MOD, "fmod", false, read_flag, offsetof(TspNode, fmod)},
    {TSP_GRAPH_QUANTIZE_LINEAR, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_QUANTIZE_LINEAR, "output_dtype", false, read_type, offsetof(TspNode, to)},
    {TSP_GRAPH_DEQUANTIZE_LINEAR, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_BATCH_NORMALIZATION, "epsilon", false, read_real, offsetof(TspNode, epsilon)},
    {TSP_GRAPH_BATCH_NORMALIZATION, "momentum", false, read_momentum, 0},
    {TSP_GRAPH_BATCH_NORMALIZATION, "training_mode", false, read_training, 0},
    {TSP_GRAPH_HARD_SIGMOID, "alpha", false, read_real, offsetof(TspNode, alpha)},
    {TSP_GRAPH_HARD_SIGMOID, "beta", false, read_real, offsetof(TspNode, beta)},
    {TSP_GRAPH_ELU, "alpha", false, read_real, offsetof(TspNode, alpha)},
    {TSP_GRAPH_CELU, "alpha", false, read_real, offsetof(TspNode, alpha)},
    {TSP_GRAPH_SELU, "alpha", false, read_real, offsetof(TspNode, alpha)},
    {TSP_GRAPH_SELU, "gamma", false, read_real, offsetof(TspNode, beta)},
    {TSP_GRAPH_SWISH, "alpha", false, read_real, offsetof(TspNode, alpha)},
    {TSP_GRAPH_REDUCE_SUM, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_SUM, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_SUM, "noop_with_empty_axes", false, read_flag, offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_MEAN, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_MEAN, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_MEAN, "noop_with_empty_axes", false, read_flag, offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_MAX, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_MAX, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_MAX, "noop_with_empty_axes", false, read_flag, offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_MIN, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_MIN, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_MIN, "noop_with_empty_axes", false, read_flag, offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_PROD, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_PROD, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_PROD, "noop_with_empty_axes", false, read_flag, offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_SUM_SQUARE, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_SUM_SQUARE, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_SUM_SQUARE, "noop_with_empty_axes", false, read_flag,
     offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_L1, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_L1, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_L1, "noop_with_empty_axes", false, read_flag, offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_L2, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_L2, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_L2, "noop_with_empty_axes", false, read_flag, offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_LOG_SUM, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_LOG_SUM, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_LOG_SUM, "noop_with_empty_axes", false, read_flag, offsetof(TspNode, noop)},
    {TSP_GRAPH_REDUCE_LOG_SUM_EXP, "axes", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_REDUCE_LOG_SUM_EXP, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_REDUCE_LOG_SUM_EXP, "noop_with_empty_axes", false, read_flag,
     offsetof(TspNode, noop)},
    {TSP_GRAPH_ARG_MAX, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_ARG_MAX, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_ARG_MAX, "select_last_index", false, read_flag, offsetof(TspNode, select_last)},
    {TSP_GRAPH_ARG_MIN, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_ARG_MIN, "keepdims", false, read_flag, offsetof(TspNode, keepdims)},
    {TSP_GRAPH_ARG_MIN, "select_last_index", false, read_flag, offsetof(TspNode, select_last)},
    {TSP_GRAPH_SOFTMAX, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_LOG_SOFTMAX, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_CUM_SUM, "exclusive", false, read_flag, offsetof(TspNode, exclusive)},
    {TSP_GRAPH_CUM_SUM, "reverse", false, read_flag, offsetof(TspNode, reverse)},
    {TSP_GRAPH_RESHAPE, "allowzero", false, read_flag, offsetof(TspNode, allow_zero)},
    {TSP_GRAPH_FLATTEN, "axis", false, read_flatten_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_TRANSPOSE, "perm", false, read_axes, offsetof(TspNode, axes)},
    {TSP_GRAPH_SPLIT, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_SPLIT, "num_outputs", false, read_count, offsetof(TspNode, num_outputs)},
    {TSP_GRAPH_CONCAT, "axis", true, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_GELU, "approximate", false, read_approximate, offsetof(TspNode, tanh_form)},
    {TSP_GRAPH_PAD, "mode", false, read_pad_mode, offsetof(TspNode, pad_mode)},
    {TSP_GRAPH_GATHER, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_TRILU, "upper", false, read_flag, offsetof(TspNode, upper)},
    {TSP_GRAPH_DEPTH_TO_SPACE, "blocksize", true, read_count, offsetof(TspNode, block_size)},
    {TSP_GRAPH_DEPTH_TO_SPACE, "mode", false, read_depth_mode, offsetof(TspNode, columns_first)},
    {TSP_GRAPH_SPACE_TO_DEPTH, "blocksize", true, read_count, offsetof(TspNode, block_size)},
    {TSP_GRAPH_LAYER_NORMALIZATION, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_LAYER_NORMALIZATION, "epsilon", false, read_real, offsetof(TspNode, epsilon)},
    {TSP_GRAPH_LAYER_NORMALIZATION, "stash_type", false, read_type, offsetof(TspNode, stash_type)},
    {TSP_GRAPH_RMS_NORMALIZATION, "axis", false, read_axis, offsetof(TspNode, axis)},
    {TSP_GRAPH_RMS_NORMALIZATION, "epsilon", false, read_real, offsetof(TspNode, epsilon)},
    {TSP_GRAPH_RMS_NORMALIZATION, "stash_type", false, read_type, offsetof(TspNode, stash_type)},
    {TSP_GRAPH_INSTANCE_NORMALIZATION, "epsilon", false, read_real, offsetof(TspNode, epsilon)},
    {TSP_GRAPH_GROUP_BY_AGGREGATE, "groups", true, read_whole, offsetof(TspNode, groups)},
    {TSP_GRAPH_GROUP_BY_AGGREGATE, "low", true, read_whole, offsetof(TspNode, low)},
    {TSP_GRAPH_GROUP_BY_AGGREGATE, "high", true, read_whole, offsetof(TspNode, high)},
};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

/* ONNX's, where they are not those of a new node. */
static void set_defaults(TspNode *node) {
    if (node->op == TSP_GRAPH_LEAKY_RELU) node->alpha = 0.01;
    if (node->op == TSP_GRAPH_HARD_SIGMOID) node->alpha = 0.2, node->beta = 0.5;
    if (node->op == TSP_GRAPH_SELU)
        node->alpha = 1.67326319217681884765625, node->beta = 1.05070102214813232421875;
    if (node->op == TSP_GRAPH_BATCH_NORMALIZATION) node->epsilon = 1e-5;
    if (node->op == TSP_GRAPH_QUANTIZE_LINEAR) node->to = TSP_BOOL;
    if (node->op == TSP_GRAPH_QUANTIZE_LINEAR || node->op == TSP_GRAPH_DEQUANTIZE_LINEAR ||
        node->op == TSP_GRAPH_FLATTEN)
        node->axis = 1;
    if (node->op == TSP_GRAPH_SOFTMAX || node->op == TSP_GRAPH_LOG_SOFTMAX) node->axis = -1;
    if (tsp_graph_normalizes(node->op)) {
        node->axis = -1;
        node->epsilon = 1e-5;
        node->stash_type = TSP_F32;
    }
}

bool tsp_read_attributes(const TspGraphReader *r, const cJSON *node_item, const cJSON *object,
                         TspNode *node) {
    TspKey keys[TSP_KEYS_MAX];
    const cJSON *found[TSP_KEYS_MAX] = {NULL};
    int32_t which[TSP_KEYS_MAX], count = 0;
    const char *op = tsp_graph_op_name(node->op);
    set_defaults(node);
    for (int32_t i = 0; i < ATTRIBUTES; i++)
        if (attributes[i].op == node->op) {
            keys[count] = (TspKey){attributes[i].name, TSP_JSON_ANY, attributes[i].needed};
            which[count++] = i;
        }
    if (object && object->child && count == 0)
        return tsp_read_fail_key(r, object->child,
                                 "%s has no attribute \"%.60s\"; remove it, %s takes none", op,
                                 object->child->string, op);
    if (object && !tsp_read_keys(r, object, op, keys, count, found)) return false;
    for (int32_t i = 0; i < count; i++) {
        if (!found[i] && keys[i].needed)
            return tsp_read_fail(r, node_item, "%s lacks the attribute \"%s\"; add it", op,
                                 keys[i].name);
        if (found[i] && !attributes[which[i]].read(r, found[i], node, attributes[which[i]].offset))
            return false;
    }
    return true;
}
