/* extents.c - gaps between extents, by one walk in the order of rows.
 */
#include "extents.h"
#include "compiler/ir.h"

#include <string.h>

static bool meets(const Extent *e, int32_t born, int32_t dies) {
    return e->born <= dies && born <= e->dies;
}

/* The last stage before `born` at which somebody has one of these rows. */
static int32_t last_had(const Extents *e, int32_t first, int32_t rows, int32_t born) {
    int32_t last = -1;
    for (int32_t i = 0; i < e->count && e->items[i].first < first + rows; i++)
        if (e->items[i].first + e->items[i].rows > first && e->items[i].dies < born &&
            e->items[i].dies > last)
            last = e->items[i].dies;
    return last;
}

int32_t extents_find(const Extents *e, int32_t limit, int32_t rows, int32_t born, int32_t dies,
                     int32_t *since) {
    int32_t best = -1, best_gap = INT32_MAX, end = 0;
    for (int32_t i = 0; i <= e->count; i++) {
        int32_t gap = (i < e->count ? e->items[i].first : limit) - end;
        if (i < e->count && !meets(&e->items[i], born, dies)) continue;
        if (gap >= rows && gap < best_gap) best = end, best_gap = gap;
        if (i < e->count && e->items[i].first + e->items[i].rows > end)
            end = e->items[i].first + e->items[i].rows;
    }
    if (best >= 0) *since = last_had(e, best, rows, born);
    return best;
}

bool extents_add(Extents *e, Extent taken, TspError *err) {
    int32_t at = e->count;
    if (!tsp_grow((void **)&e->items, &e->capacity, e->count + 1, sizeof taken, err)) return false;
    while (at > 0 && e->items[at - 1].first > taken.first) at--;
    memmove(e->items + at + 1, e->items + at, (size_t)(e->count - at) * sizeof taken);
    e->items[at] = taken;
    e->count++;
    return true;
}
