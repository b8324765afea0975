/* history.h - when each row of memory was last read or written, as far as flows were placed.
 *
 * Kept where tensors share rows. Flows of earlier stages are placed before those of later ones, so
 * what a row's next owner has to wait for is known when its Writes are placed: they issue after the
 * last Read and the last Write of the row.
 */
#ifndef TSP_HISTORY_H
#define TSP_HISTORY_H
#include "flow.h"

/* Begins to keep it. */
bool history_begin(Table *table, TspError *err);
/* The first start >= `from` of a flow at which each of its Writes comes after all that was done to
 * its row. */
int64_t history_floor(const Table *table, const Flow *f, int64_t from);
/* Notes what a flow placed at `start` does. */
void history_note(Table *table, const Flow *f, int64_t start);

#endif
