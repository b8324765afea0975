/* utilisation.h - shares of what a machine could have done.
 */
#ifndef TSP_UTILISATION_H
#define TSP_UTILISATION_H
#include "sim.h"

/* 0 .. 1; docs/glossary.md defines each. */
typedef struct {
    double mxm, mxm_useful, vxm, sxm, mem, streams;
} TspUtilisation;

/* Of the first `cycles` cycles, in which the program has come to these counts; of a whole run they
 * are its latency, stats->cycles. All 0 in no time. */
TspUtilisation tsp_utilisation(const TspProgram *program, const TspSimStats *stats, int64_t cycles);

#endif
