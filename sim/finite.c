/* finite.c - did every value stay where the compiler's way of computing is right?
 */
#include "engine.h"

#include <stdlib.h>

/* Element that is infinite or NaN, -1 if there is none. */
static int64_t find_infinite(const TspTensor *t, const uint8_t *data) {
    int64_t elements = tsp_tensor_elements(t);
    for (int64_t i = 0; i < elements; i++) {
        uint32_t top = t->dtype == TSP_F16 ? data[2 * i + 1] : data[4 * i + 3],
                 next = t->dtype == TSP_F16 ? 0 : data[4 * i + 2];
        if (t->dtype == TSP_F16 ? (top & 0x7c) == 0x7c : (top & 0x7f) == 0x7f && (next & 0x80))
            return i;
    }
    return -1;
}

bool tsp_sim_check_finite(const TspSim *sim, TspError *err) {
    const TspProgram *p = sim->program;
    for (int32_t i = 0; i < p->tensor_count; i++) {
        const TspTensor *t = &p->tensors[i];
        uint8_t *data;
        int64_t at;
        bool read;
        if (!t->finite || (t->dtype != TSP_F16 && t->dtype != TSP_F32)) continue;
        if (!(data = malloc((size_t)tsp_tensor_bytes(t) + 1)))
            return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        read = tsp_sim_read_tensor(sim, i, data, err);
        at = read ? find_infinite(t, data) : -1;
        free(data);
        if (!read) return false;
        if (at >= 0)
            return tsp_fail(
                err, TSP_ERR_NOT_MODELLED,
                "element %lld of '%s' is beyond 65504 or not a number; float32 products "
                "are made of fp16 halves; scale the values",
                (long long)at, t->name);
    }
    return true;
}
