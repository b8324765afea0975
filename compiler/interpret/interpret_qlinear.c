/* interpret_qlinear.c - QLinearMatMul of the host interpreter: the sums of MatMulInteger, and each
 * of them scaled, rounded and moved by plain arithmetic.
 */
#include "interpret_parts.h"
#include "compiler/number.h"

#include <math.h>
#include <stdlib.h>

static float scale_of(const TspOperand *x, int64_t column) {
    return (float)tsp_load_double(TSP_F32, x->data, tsp_value_elements(x->value) > 1 ? column : 0);
}

static double limited(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

bool tsp_interpret_qlinear(const TspNode *node, int32_t lanes, const TspOperand *in,
                           TspResult *out) {
    const TspOperand matrices[4] = {in[0], in[3], in[2], in[5]};
    const TspDtype type = out->value->dtype;
    const double zero = tsp_load_double(type, in[7].data, 0), least = type == TSP_U8 ? 0 : -128,
                 most = type == TSP_U8 ? 255 : 127;
    const int64_t elements = tsp_value_elements(out->value);
    const int64_t columns = in[3].value->rank == 1 ? 1 : in[3].value->shape[in[3].value->rank - 1];
    TspValue value = *out->value;
    TspNode product = *node;
    TspResult sums = {.value = &value};
    bool ok;
    value.dtype = TSP_I32;
    product.op = TSP_GRAPH_MATMUL_INTEGER;
    sums.data = malloc((size_t)elements * sizeof(int32_t));
    ok = sums.data && tsp_interpret_product(&product, lanes, matrices, &sums);
    if (ok && sums.tolerance) /* one unit of the result is a scale's worth of the sum */
        ok = (out->tolerance = malloc((size_t)elements * sizeof(double))) != NULL;
    for (int64_t i = 0; i < elements && ok; i++) {
        const float scale =
            scale_of(&in[1], 0) * scale_of(&in[4], i % columns) / scale_of(&in[6], 0);
        const float scaled = (float)tsp_load_int(TSP_I32, sums.data, i) * scale;
        const double rounded = limited(rint((double)scaled), -0x1p31, 0x1p31 - 1);
        tsp_store_int(type, out->data, i, (int64_t)limited(rounded + zero, least, most));
        if (out->tolerance) out->tolerance[i] = ceil(sums.tolerance[i] * fabs((double)scale)) + 1;
    }
    free(sums.data);
    free(sums.tolerance);
    return ok;
}
