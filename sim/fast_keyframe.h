/* fast_keyframe.h - states of the past, kept so that time can be moved without starting anew.
 *
 * A keyframe is the whole state between two cycles. It costs little because vectors are never
 * changed while others hold them: what it keeps of a memory row is its handle, and of memory that
 * has not changed since the keyframe before, nothing of its own. Keyframes are made as the run
 * goes, a like amount of work apart; when they outgrow their budget every second one goes and the
 * distance doubles. Replay from a keyframe is exact, so a seek is: nearest keyframe, then run.
 */
#ifndef TSP_SIM_FAST_KEYFRAME_H
#define TSP_SIM_FAST_KEYFRAME_H
#include "fast.h"

enum { FAST_SUM_CHUNK = 16 }; /* accumulator rows that are kept as one */

/* Vectors that the pool needs beyond what a run does, if keyframes have this budget. */
int64_t fast_keyframes_vectors(const Fast *f, int64_t budget_bytes);
/* With a budget of 0 none are ever made; `spacing`: work between two while they fit. Undone by
 * stop(), which also takes what a failed start() has left. */
bool fast_keyframes_start(Fast *f, int64_t budget_bytes, int64_t spacing, TspError *err);
void fast_keyframes_stop(Fast *f);
/* Drops all of them: they are of a run with other inputs. */
void fast_keyframes_forget(Fast *f);
/* Keeps the present, which lies between two cycles. Without memory for it: does nothing. */
void fast_keyframe_make(Fast *f);
/* Makes the present the latest state kept at or before `cycle`, unless it is one between that and
 * `cycle` already. After a failure (`broken`) it always is another. False if nothing is kept. */
bool fast_keyframe_near(Fast *f, int64_t cycle, bool broken);

/* Work of the host so far, in units of about 0.1 us. */
static inline int64_t fast_work(const State *st) {
    return st->stats.instructions + 5 * st->stats.mxm_busy;
}

#endif
