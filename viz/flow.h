/* flow.h - where the operands of an instruction come from and where its results go, in any cycle.
 *
 * viz_run_drive() and viz_drive_next_use() say so of the cycle looked at; an instruction that is
 * selected may be far from it. Legal programs only: the nearest producer is taken for the right
 * one.
 */
#ifndef TSP_VIZ_FLOW_H
#define TSP_VIZ_FLOW_H
#include "run.h"

/* Who drove the vector that stands on the stream at this column in this cycle. */
bool viz_flow_producer(const VizRun *run, int32_t stream, int32_t column, int64_t cycle,
                       VizIssue *producer);
/* Who takes the vector driven on the stream at this column in this cycle, nearest first: how many,
 * `most` at most. */
int32_t viz_flow_consumers(const VizRun *run, int32_t stream, int32_t column, int64_t cycle,
                           VizIssue *consumers, int32_t most);

#endif
