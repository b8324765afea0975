/* stubs.c - empty panels, until the real ones are there. */
#include "gantt.h"

__attribute__((weak)) void viz_gantt_draw(const VizFrame *frame) {
    (void)frame;
}
__attribute__((weak)) void viz_queues_draw(const VizFrame *frame) {
    (void)frame;
}

__attribute__((weak)) void viz_gantt_range(const VizView *view, const VizTimeline *timeline,
                                           double *from, double *to) {
    const bool whole = view->from >= view->to;
    *from = whole ? 0 : view->from;
    *to = whole ? (double)timeline->cycles : view->to;
}
__attribute__((weak)) VizRect viz_gantt_axis(VizRect area, float px) {
    area.h = 20 * px;
    return area;
}
__attribute__((weak)) double viz_gantt_cycle_at(const VizView *view, const VizTimeline *timeline,
                                                VizRect area, float px, float x) {
    double from, to;
    (void)px;
    viz_gantt_range(view, timeline, &from, &to);
    return from + (double)((x - area.x) / area.w) * (to - from);
}
__attribute__((weak)) float viz_gantt_x(const VizView *view, const VizTimeline *timeline,
                                        VizRect area, float px, double cycle) {
    double from, to;
    (void)px;
    viz_gantt_range(view, timeline, &from, &to);
    return area.x + (float)((cycle - from) / (to - from)) * area.w;
}
