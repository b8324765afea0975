/* grow.c - arrays that grow.
 */
#include "ir.h"

#include <stdlib.h>

bool tsp_grow(void **items, int32_t *capacity, int32_t needed, size_t item_size, TspError *err) {
    int32_t bigger = *capacity ? *capacity : 16;
    void *moved;
    if (needed <= *capacity) return true;
    while (bigger < needed) {
        if (bigger > INT32_MAX / 2) return tsp_fail(err, TSP_ERR_SYSTEM, "a list grew too long");
        bigger *= 2;
    }
    moved = realloc(*items, (size_t)bigger * item_size);
    if (!moved) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    *items = moved;
    *capacity = bigger;
    return true;
}
