/* traffic.h - when what lies in memory is read and written, and which slices that keeps busy.
 *
 * A slice gives one read and one write a cycle, from different banks, and tensors get their slices
 * before anything has its time. So the stages are scheduled once with memory that is endless and
 * never busy: what reads and writes then go on at once will do so later, about, and should not meet
 * in a slice.
 */
#ifndef TSP_TRAFFIC_H
#define TSP_TRAFFIC_H
#include "compiler/ir.h"

typedef struct Traffic Traffic;

/* From the places and runs of a module that has been scheduled that way. NULL with err set; to be
 * freed with traffic_free(). */
Traffic *traffic_new(const Module *module, TspError *err);
void traffic_free(Traffic *t);

/* Nothing has a slice any more. */
void traffic_clear(Traffic *t);
/* What is read and written at the same times: a block of rows of one copy and column tile, given by
 * its first row; the stripes of a block of rows of one column tile and byte. */
int32_t traffic_rows(const Traffic *t, int32_t tensor, int32_t copy, int32_t row, int32_t ctile);
int32_t traffic_stripes(const Traffic *t, int32_t tensor, int32_t row, int32_t ctile, int32_t byte);
/* How much it would meet in each (slice, bank) of what lies there; valid until the next call. */
const int64_t *traffic_meets(Traffic *t, int32_t what);
/* It lies there from now on. */
void traffic_take(Traffic *t, int32_t what, int32_t slice_bank);

#endif
