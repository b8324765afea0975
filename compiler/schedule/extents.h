/* extents.h - who has which rows of one bank of a slice, for which stages.
 */
#ifndef TSP_EXTENTS_H
#define TSP_EXTENTS_H
#include "isa/machine.h"

/* Rows first .. first+rows-1, taken from stage `born` to stage `dies`, both of them too. */
typedef struct {
    int32_t first, rows, born, dies;
} Extent;
typedef struct {
    Extent *items; /* sorted by first */
    int32_t count, capacity;
} Extents;

/* First of `rows` rows below `limit` that nobody has from stage `born` to `dies`, in the gap that
 * fits best; -1 if there is none. *since: the last stage before `born` at which somebody has some
 * of them, -1 if nobody does. */
int32_t extents_find(const Extents *e, int32_t limit, int32_t rows, int32_t born, int32_t dies,
                     int32_t *since);
bool extents_add(Extents *e, Extent taken, TspError *err);

#endif
