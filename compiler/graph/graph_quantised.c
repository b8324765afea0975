/* graph_quantised.c - the scales and types of QLinearMatMul and QuantizeLinear.
 */
#include "graph_shape.h"
#include "compiler/number.h"

static bool is_byte(const TspValue *v) {
    return v->dtype == TSP_I8 || v->dtype == TSP_U8;
}

static bool check_matrix(const TspValue *v, TspError *err) {
    if (is_byte(v)) return true;
    return tsp_fail(err, TSP_ERR_INPUT, "\"%s\" is %s; make it int8 or uint8", v->name,
                    tsp_dtype_name(v->dtype));
}

/* columns: one scale may stand for each. */
static bool check_scale(const TspValue *v, int64_t columns, TspError *err) {
    if (v->dtype != TSP_F32)
        return tsp_fail(err, TSP_ERR_INPUT, "scale \"%s\" is %s; make it float32", v->name,
                        tsp_dtype_name(v->dtype));
    if (!v->data)
        return tsp_fail(err, TSP_ERR_INPUT, "scale \"%s\" is not an initializer; give it its value",
                        v->name);
    if (v->rank > 1 || (tsp_value_elements(v) > 1 && v->shape[0] != columns))
        return tsp_fail(err, TSP_ERR_INPUT, "scale \"%s\" has a wrong shape; make it a scalar%s",
                        v->name, columns > 1 ? ", or 1-D, one a column" : "");
    for (int64_t i = 0; i < tsp_value_elements(v); i++) {
        const double scale = tsp_load_double(TSP_F32, v->data, i);
        if (!(scale >= 0x1p-40 && scale <= 0x1p40))
            return tsp_fail(err, TSP_ERR_INPUT, "scale \"%s\" holds %g; make it 2^-40 to 2^40",
                            v->name, scale);
    }
    return true;
}

static bool check_zero(const TspValue *v, TspError *err) {
    if (is_byte(v) && tsp_value_elements(v) == 1 && v->data) return true;
    return tsp_fail(
        err, TSP_ERR_INPUT,
        "zero point \"%s\" says the type of the result; make it an initializer, an int8 "
        "or uint8 scalar",
        v->name);
}

bool tsp_check_quantised(const TspGraph *g, const TspNode *node, int32_t *blame, TspError *err) {
    const TspValue *b = &g->values[node->inputs[3]];
    const int64_t columns = b->rank < 2 ? 1 : b->shape[b->rank - 1];
    for (int32_t i = 0; i < node->input_count; i++) {
        const TspValue *v = &g->values[node->inputs[i]];
        *blame = i;
        if ((i == 0 || i == 3) && !check_matrix(v, err)) return false;
        if ((i == 1 || i == 6) && !check_scale(v, 1, err)) return false;
        if (i == 4 && !check_scale(v, columns, err)) return false;
        if (i == 7 && !check_zero(v, err)) return false;
    }
    return true;
}
