/* sweep_run.h - what sweeps over many graphs do with each: compile it for tsp1 and run it.
 */
#ifndef TSP_TESTS_SWEEP_RUN_H
#define TSP_TESTS_SWEEP_RUN_H
#include "compiler/compile.h"
#include "sim/sim.h"

#include <inttypes.h>

/* Runs without values and compares the cycles with the prediction. */
static inline bool sweep_run(const TspProgram *p, TspError *err) {
    const TspSimOptions options = {.timing_only = true};
    TspSim *sim = tsp_sim_new(p, &options, err);
    bool ok = sim && tsp_sim_run(sim, err);
    if (ok && tsp_sim_stats(sim).cycles != p->predicted_cycles)
        ok = tsp_fail(err, TSP_ERR_BUG, "predicted %" PRId64 " cycles, simulated %" PRId64,
                      p->predicted_cycles, tsp_sim_stats(sim).cycles);
    tsp_sim_free(sim);
    return ok;
}

/* The graph is freed. On success the caller frees the program. */
static inline bool sweep_compile(TspGraph *g, TspProgram *p, TspError *err) {
    TspMachine m;
    bool ok = tsp_machine_builtin(&m, "tsp1") || tsp_fail(err, TSP_ERR_BUG, "no machine tsp1");
    ok = ok && tsp_compile(g, &m, NULL, p, err);
    tsp_graph_free(g);
    return ok;
}

#endif
