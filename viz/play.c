/* play.c - time that passes, and what stops it; see play.h.
 */
#include "play.h"

#include <math.h>

/* -- breakpoints -- */

bool viz_breaks_toggle(VizBreaks *breaks, VizEvent event, bool *set) {
    for (int32_t i = 0; i < breaks->count; i++)
        if (viz_event_same(breaks->list[i], event)) {
            for (breaks->count--; i < breaks->count; i++) breaks->list[i] = breaks->list[i + 1];
            *set = false;
            return true;
        }
    if (breaks->count == VIZ_BREAKS_MAX) return false;
    breaks->list[breaks->count++] = event;
    return *set = true;
}

bool viz_breaks_next(const VizBreaks *breaks, const VizRun *run, int64_t cycle, int64_t last,
                     int64_t *at, int32_t *which) {
    bool found = false;
    for (int32_t i = 0; i < breaks->count; i++) {
        int64_t next;
        if (!viz_event_next(run, breaks->list[i], cycle, last, &next)) continue;
        found = true;
        last = next - 1; /* only what is sooner */
        *at = next;
        *which = i;
    }
    return found;
}

/* -- time -- */

VizPlayState viz_play(const VizRun *run, const VizBreaks *breaks, VizTime *time, double seconds,
                      double speed_cycles, int32_t *stop) {
    const int64_t end = run->timeline.cycles;
    const double way = time->phase + (seconds > 0 ? seconds * speed_cycles : 0);
    const double left = (double)(end - time->cycle);
    int64_t to = way < left ? time->cycle + (int64_t)floor(way) : end, at;
    if (viz_breaks_next(breaks, run, time->cycle, to, &at, stop)) {
        *time = (VizTime){at, 0};
        return VIZ_STOPPED;
    }
    *time = (VizTime){to, to < end ? way - floor(way) : 0};
    return to < end ? VIZ_GOES_ON : VIZ_ENDED;
}

double viz_speed_step(double speed_cycles, int32_t steps) {
    static const double factor[] = {1, 2, 5};
    int32_t at = 0;
    const int32_t last = 15; /* of 1 .. 10^5 */
    while (at < last && factor[at % 3] * pow(10, at / 3) < 0.999 * speed_cycles) at++;
    at += steps;
    if (at < 0) at = 0;
    if (at > last) at = last;
    return factor[at % 3] * pow(10, at / 3);
}
