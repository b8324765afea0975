/* host_link.h - when blocks of data come from the host, are worked on, and results go back.
 *
 * All times are cycles of the chip, from 0. The link has two directions that do not disturb each
 * other. Its latency (pcie_latency_ns) and rate (pcie_bytes_per_s) are groqflow's; how transfers
 * follow each other is an assumption of this project:
 *
 * - A transfer of B bytes that finds its direction idle takes latency + B / rate.
 * - Transfers of one direction queue up, and the latency of one passes while the one before it is
 *   still coming in: a transfer asked for in cycle t has come in after
 *   max(t + latency, end of the one before) + B / rate.
 * - Transfers end within cycles; what waits for one goes on in the next whole cycle. Back to back
 *   they lose nothing to that rounding.
 * - The chip has two buffers of blocks. Block i is asked for when run i - 2 has ended, the first
 * two in cycle 0; run i starts when block i is there and run i - 1 has ended.
 * - What is returned is asked for when the last run so far has ended.
 */
#ifndef TSP_HOST_LINK_H
#define TSP_HOST_LINK_H
#include "isa/machine.h"

/* One direction: transfers since it was last idle, back to back. */
typedef struct {
    int64_t first; /* cycle in which the first of them was asked for */
    int64_t bytes; /* of all of them; 0: none yet */
} TspHostQueue;

/* Plain data, to be looked into by host_link.c alone. */
typedef struct {
    int64_t clock_hz, latency_ns, bytes_per_s;
    TspHostQueue in, out;
    int64_t arrived[2],
        ended[2];         /* ends of the last two blocks and of the last two runs, by i % 2 */
    int64_t blocks, runs; /* so far */
    int64_t total;
} TspHostLink;

/* From `start`, the cycle in which a transfer is asked for or a run starts, to `end`, the first
 * cycle after it. */
typedef struct {
    int64_t start, end;
} TspHostSpan;

/* An idle link of this machine, in cycle 0. */
void tsp_host_init(TspHostLink *link, const TspMachine *m);

/* The next block, of `bytes` (0 or more), arrives; the next run takes `cycles` (0 or more); results
 * of `bytes` go back. Each tells when. TSP_ERR_BUG if it is not its turn (a block before the run
 * that frees its buffer, a run before its block) or a size is negative; TSP_ERR_INPUT if cycles do
 * not fit into 63 bits, which needs a very slow link. After a failure the link is as before. */
bool tsp_host_arrive(TspHostLink *link, int64_t bytes, TspHostSpan *span, TspError *err);
bool tsp_host_run(TspHostLink *link, int64_t cycles, TspHostSpan *span, TspError *err);
bool tsp_host_return(TspHostLink *link, int64_t bytes, TspHostSpan *span, TspError *err);

/* The end of whatever ends last; 0 if nothing happened. */
int64_t tsp_host_total(const TspHostLink *link);

#endif
