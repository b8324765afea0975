/* fast_batch.h - products of a plane, done many at a time, by whatever thread has the time.
 *
 * An Accumulate says where a product goes, and nobody can see its value before a drive of it lands
 * or somebody looks. So Accumulates are gathered in batches that met the same weights; a batch
 * that is full, or that somebody waits for, is multiplied as one. Batches of a plane are done in
 * their order, those of different planes at the same time if there are worker threads: the order
 * in which sums are added never changes, and neither does a bit.
 */
#ifndef TSP_SIM_FAST_BATCH_H
#define TSP_SIM_FAST_BATCH_H
#include "fast.h"

enum { FAST_BATCH_VECTORS = 8192 }; /* at least as many as batches ever hold */

/* Makes room and starts threads - 1 workers; undone by stop(), which also takes what a failed
 * start() has left. */
bool fast_batch_start(Fast *f, int32_t threads, TspError *err);
void fast_batch_stop(Fast *f);
/* Forgets what is gathered; the vectors are the caller's to forget. */
void fast_batch_reset(Fast *f);
/* Sends a product of the plane to accumulator row `to` (of the chip; SIM_NONE: not kept) or into
 * the four vectors `out` (NULL: none), after adding accumulator row `from` (SIM_NONE: nothing).
 * Takes over the product's vectors. Says which batch it is in. */
uint32_t fast_batch_add(Fast *f, int32_t plane, const Product *product, int32_t from, int32_t to,
                        const int32_t *out);
/* Waits until the batches of a plane up to this one are done; until all batches are. */
void fast_batch_finish(Fast *f, int32_t plane, uint32_t batch);
void fast_batch_finish_all(Fast *f);
/* The same for those that meet these weights of plane `whose` (OWN: the plane's, ODD: its twin's).
 */
void fast_batch_finish_weights(Fast *f, int32_t plane, int32_t whose, int32_t generation);
/* Multiplies one product at once, into its row of the plane's products. */
void fast_batch_multiply_now(Fast *f, int32_t plane, Product *product);

#endif
