/* graph_layout.h - where nodes of a layered graph stand: order within the layers, then heights.
 */
#ifndef TSP_VIZ_GRAPH_LAYOUT_H
#define TSP_VIZ_GRAPH_LAYOUT_H
#include "plan.h"

/* The graph has its nodes, each with a layer, and edges from one layer to the next. Finds `layer`,
 * `layer_first`, `order` and `y` so that few edges cross and most are short and level. */
bool viz_graph_arrange(VizGraph *graph);

#endif
