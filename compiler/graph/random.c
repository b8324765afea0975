/* random.c - deterministic fill of tensors; the generator of docs/graph-format.md.
 *
 * Element i depends on the seed and on i alone: x = mix(mix(seed + G) + (i + 1) * G), where mix is
 * the finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014) and G its increment. The seed is
 * mixed first so that neighbouring seeds do not give the same sequence shifted.
 */
#include "compiler/graph.h"
#include "compiler/number.h"

static const uint64_t increment = 0x9e3779b97f4a7c15u;

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int64_t clamp(double value, TspDtype dtype) {
    double least = (double)tsp_dtype_least(dtype), greatest = (double)tsp_dtype_greatest(dtype);
    return (int64_t)(value < least ? least : value > greatest ? greatest : value);
}

void tsp_random_fill(uint8_t *data, TspDtype dtype, int64_t elements, uint64_t seed, double low,
                     double high) {
    uint64_t state = mix(seed + increment);
    if (tsp_dtype_is_float(dtype)) {
        double span = high - low;
        for (int64_t i = 0; i < elements; i++) {
            uint64_t x = mix(state += increment);
            double unit = (double)(x >> 11) * 0x1p-53; /* [0, 1) */
            tsp_store_float(dtype, data, i, low + unit * span);
        }
    } else {
        int64_t first = clamp(low, dtype), last = clamp(high, dtype);
        uint64_t count = last < first ? 1 : (uint64_t)(last - first) + 1; /* at most 2^32 */
        for (int64_t i = 0; i < elements; i++) {
            uint64_t x = mix(state += increment);
            tsp_store_int(dtype, data, i, first + (int64_t)((x >> 32) * count >> 32));
        }
    }
}
