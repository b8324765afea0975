/* plan.c - makes and frees the plan of a run.
 */
#include "plan.h"

#include <stdlib.h>

VizPlan *viz_plan_new(const VizRun *run, TspError *err) {
    VizPlan *plan = calloc(1, sizeof *plan);
    if (plan && viz_memory_map_make(&plan->memory, run) && viz_graph_make(&plan->graph, run))
        return plan;
    viz_plan_free(plan);
    tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a view of the program");
    return NULL;
}

void viz_plan_free(VizPlan *plan) {
    if (!plan) return;
    free(plan->memory.runs);
    free(plan->memory.first);
    free(plan->graph.uses);
    free(plan->graph.nodes);
    free(plan->graph.edges);
    free(plan->graph.chips);
    free(plan->graph.layer);
    free(plan->graph.layer_first);
    free(plan);
}
