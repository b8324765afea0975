/* rows.h - which tensor a row of memory holds, cycle by cycle: tensors that never live at once may
 * have the same rows.
 */
#ifndef TSP_VIZ_ROWS_H
#define TSP_VIZ_ROWS_H
#include "timeline.h"

/* A Write lands that hands a row on to another tensor. */
typedef struct {
    int64_t cycle;
    int64_t row; /* slice * tsp_mem_slice_rows() + row */
    int32_t before, after;
} VizRowChange;

typedef struct {
    int32_t *tensor; /* [slice * tsp_mem_slice_rows() + row] in the cycle looked at, -1 none */
    VizRowChange *changes; /* in time order */
    int32_t change_count, change_capacity;
    int32_t done; /* changes that have happened by that cycle */
} VizRows;

/* At cycle 0. A row that nothing was placed in is its first writer's from the start. False without
 * memory; to be freed in any case. */
bool viz_rows_make(VizRows *rows, const VizTimeline *timeline);
/* Goes to a cycle, forwards or back. Whether any row has changed hands. */
bool viz_rows_look(VizRows *rows, int64_t cycle);
void viz_rows_free(VizRows *rows);

#endif
