/* utilisation.c - counts of a run as shares of what the machine has; see utilisation.h. */
#include "utilisation.h"

static double share(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

static int32_t count_queues(const TspMachine *m, TspUnit unit) {
    int32_t count = 0;
    for (int32_t q = 0; q < tsp_queue_count(m); q++) count += tsp_queue_info(m, q).unit == unit;
    return count;
}

TspUtilisation tsp_utilisation(const TspProgram *program, const TspSimStats *stats,
                               int64_t cycles) {
    const TspMachine *m = &program->machine;
    const double time = (double)cycles;
    const double ports = 2.0 * count_queues(m, TSP_UNIT_MEM); /* a read and a write a slice */
    TspUtilisation u = {
        .mxm = share((double)stats->mxm_busy, 2.0 * (double)m->mxm_planes * time),
        .vxm = share((double)stats->vxm_issues, (double)m->vxm_alus * time),
        .sxm = share((double)stats->sxm_issues, count_queues(m, TSP_UNIT_SXM) * time),
        .mem = share((double)(stats->mem_reads + stats->mem_writes), ports * time),
        .streams =
            share((double)stats->stream_hops, 2.0 * (double)m->streams * tsp_columns(m) * time),
    };
    u.mxm_useful = u.mxm * share((double)program->macs, (double)stats->macs);
    return u;
}
