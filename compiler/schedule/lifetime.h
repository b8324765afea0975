/* lifetime.h - for which stages a tensor needs its rows.
 *
 * A tensor lives from the first stage that writes it to the last that touches it; inputs, constants
 * and what no stage writes live from the start to the end, since the host may start the program
 * again, and outputs live to the end. Two tensors may have the same rows if their lives do not
 * meet: the schedule then lets a Write wait for what was done to its row before (history.h).
 */
#ifndef TSP_LIFETIME_H
#define TSP_LIFETIME_H
#include "compiler/ir.h"

/* Fills `born` and `dies` of all tensors. */
void lifetime_find(Module *module);
/* Is it there from the start to the end? */
bool lifetime_is_whole(const Tensor *t);
/* Bytes of memory of a tensor if nothing is copied: rows in both layouts it is wanted in. */
int64_t lifetime_bytes(const Module *module, const Tensor *t);
/* Fails if more must be there at once than the chip holds. *needed, *capacity: bytes. */
bool lifetime_check(const Module *module, int64_t *needed, int64_t *capacity, TspError *err);
/* Fails for want of memory for `tensor`, with what lives beside it, the largest first. `why`, how
 * much that is and what to do end the message. */
bool lifetime_refuse(const Module *module, int32_t tensor, const char *why, TspError *err);
/* To be called before each stage is scheduled, where rows are given again: from here on nothing
 * reads what is dead, as NEVER_READY makes sure. A bug if a tensor that is not born has results. */
bool lifetime_begin(Module *module, int32_t stage, TspError *err);

/* When the rows of a dead tensor can be read: a flow that waits for them is a bug. */
#define NEVER_READY ((int64_t)1 << 59)

#endif
