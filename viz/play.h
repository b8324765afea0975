/* play.h - time that passes by itself, without a clock and without a window: told how many seconds
 * went by, says which cycle it is.
 */
#ifndef TSP_VIZ_PLAY_H
#define TSP_VIZ_PLAY_H
#include "event.h"

enum { VIZ_BREAKS_MAX = 32 };

typedef struct {
    VizEvent list[VIZ_BREAKS_MAX];
    int32_t count;
} VizBreaks;

/* Sets it, or takes it away if it is set; false if there are VIZ_BREAKS_MAX already. */
bool viz_breaks_toggle(VizBreaks *breaks, VizEvent event, bool *set);
/* The first cycle after `cycle` in which one of them happens, no later than `last`, and which. */
bool viz_breaks_next(const VizBreaks *breaks, const VizRun *run, int64_t cycle, int64_t last,
                     int64_t *at, int32_t *which);

typedef struct {
    int64_t cycle;
    double phase; /* 0 .. 1 of the way to the next cycle */
} VizTime;

typedef enum {
    VIZ_GOES_ON,
    VIZ_STOPPED, /* at a breakpoint */
    VIZ_ENDED    /* at the end of the run */
} VizPlayState;

/* Time after `seconds` at a speed in cycles a second. Stops at the first breakpoint that happens
 * after the cycle in which it stood, and at the end; `stop` then tells which breakpoint (index) */
VizPlayState viz_play(const VizRun *run, const VizBreaks *breaks, VizTime *time, double seconds,
                      double speed_cycles, int32_t *stop);

/* The next speed up (steps > 0) or down: 1, 2, 5, 10, ... VIZ_SPEED_MAX. */
#define VIZ_SPEED_MAX 100000.0
double viz_speed_step(double speed_cycles, int32_t steps);
/* Above this many cycles a second nobody could follow a vector between two cycles: phase 0. */
#define VIZ_SMOOTH_MAX 50.0

#endif
