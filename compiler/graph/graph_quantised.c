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

bool tsp_fits_matrix(const TspValue *v, const TspValue *matrix, bool rows, bool batches) {
    const int32_t lead = matrix->rank - 2;
    if (v->rank < 2 && tsp_value_elements(v) == 1) return true;
    if (lead < 0) return false;
    if (v->rank == 1) return v->shape[0] == matrix->shape[lead + !rows];
    if (v->rank != matrix->rank || !batches) return false;
    for (int32_t d = 0; d < lead; d++)
        if (v->shape[d] != 1 && v->shape[d] != matrix->shape[d]) return false;
    return v->shape[lead + !rows] == matrix->shape[lead + !rows] && v->shape[lead + rows] == 1;
}

static bool check_scale(const TspValue *v, const TspValue *matrix, bool rows, bool batches,
                        TspError *err) {
    if (!tsp_dtype_is_float(v->dtype))
        return tsp_fail(err, TSP_ERR_INPUT, "scale \"%s\" is %s; make it float32 or float16",
                        v->name, tsp_dtype_name(v->dtype));
    if (!tsp_fits_matrix(v, matrix, rows, batches))
        return tsp_fail(err, TSP_ERR_INPUT,
                        "scale \"%s\" has a wrong shape; make it a scalar, or 1-D, one a %s",
                        v->name, rows ? "row" : "column");
    for (int64_t i = 0; v->data && i < tsp_value_elements(v); i++) {
        const double scale = tsp_load_double(v->dtype, v->data, i);
        if (!(scale >= 0x1p-40 && scale <= 0x1p40))
            return tsp_fail(err, TSP_ERR_INPUT, "scale \"%s\" holds %g; make it 2^-40 to 2^40",
                            v->name, scale);
    }
    return true;
}

static bool check_zero(const TspValue *v, const TspValue *matrix, bool batches, TspError *err) {
    if (is_byte(v) && tsp_fits_matrix(v, matrix, true, batches)) return true;
    return tsp_fail(err, TSP_ERR_INPUT,
                    "zero point \"%s\" says the type of the result; make it int8 or uint8, a "
                    "scalar or 1-D, one a row",
                    v->name);
}

bool tsp_check_quantised(const TspGraph *g, const TspNode *node, const TspValue *out,
                         int32_t *blame, TspError *err) {
    enum { A, A_SCALE, B = 3, B_SCALE, Y_SCALE = 6, Y_ZERO };
    const TspValue *v[Y_ZERO + 1];
    for (int32_t i = 0; i <= Y_ZERO; i++) v[i] = &g->values[node->inputs[i]];
    const bool matrices = v[A]->rank > 1 && v[B]->rank > 1;
    const TspValue none = {.rank = 0}, *y = matrices ? out : &none;
    for (int32_t i = 0; i <= Y_ZERO; i++) {
        *blame = i;
        if ((i == A || i == B) && !check_matrix(v[i], err)) return false;
        if (i == A_SCALE && !check_scale(v[i], v[A], true, matrices, err)) return false;
        if (i == B_SCALE && !check_scale(v[i], v[B], false, matrices, err)) return false;
        if (i == Y_SCALE && !check_scale(v[i], y, true, matrices, err)) return false;
        if (i == Y_ZERO && !check_zero(v[i], y, matrices, err)) return false;
    }
    return true;
}
