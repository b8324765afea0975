/* gantt.h - the time axis of the Gantt: where a cycle is, and which cycle is where.
 *
 * Cycle c takes the pixels from viz_gantt_x(c) to viz_gantt_x(c + 1). All of it follows from the
 * view and the panel's inside, nothing from what is drawn.
 */
#ifndef TSP_VIZ_GANTT_H
#define TSP_VIZ_GANTT_H
#include "view.h"

/* The cycles at the left and the right edge: the view's, or the whole run. */
void viz_gantt_range(const VizView *view, const VizTimeline *timeline, double *from, double *to);
/* The strip at the top with numbers and flags; the bars below are as wide. */
VizRect viz_gantt_axis(VizRect area, float px);
/* Not held to what is visible: left of it is less, right of it is more. */
double viz_gantt_cycle_at(const VizView *view, const VizTimeline *timeline, VizRect area, float px,
                          float x);
float viz_gantt_x(const VizView *view, const VizTimeline *timeline, VizRect area, float px,
                  double cycle);

#endif
