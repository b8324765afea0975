/* bench_measure.c - taking turns, medians, figures. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

double bench_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *seconds, int32_t count) {
    if (count == 0) return 0;
    qsort(seconds, (size_t)count, sizeof *seconds, ascending);
    return (seconds[count / 2] + seconds[(count - 1) / 2]) / 2;
}

bool bench_turns(BenchTurn *turns, int32_t count, int32_t rounds, TspError *err) {
    double seconds[BENCH_TURNS][BENCH_ROUNDS_MAX], unused;
    for (int32_t round = -1; round < rounds; round++)
        for (int32_t i = 0; i < count; i++)
            if (!turns[i].install &&
                !turns[i].step(turns[i].context, round < 0 ? &unused : &seconds[i][round], err))
                return false;
    for (int32_t i = 0; i < count; i++)
        if (!turns[i].install) turns[i].seconds = bench_median(seconds[i], rounds);
    return true;
}

void bench_figure(BenchResult *r, const char *name, const char *unit, double value, double target,
                  bool at_least) {
    r->figure[r->figures++] = (BenchFigure){
        .name = name, .unit = unit, .value = value, .target = target, .at_least = at_least};
}

void bench_ratio(BenchResult *r, const char *name, const char *floor, const BenchTurn *turn,
                 double target) {
    r->figure[r->figures++] = (BenchFigure){.name = name,
                                            .unit = "x",
                                            .value = turn->install ? 0 : r->seconds / turn->seconds,
                                            .target = target,
                                            .floor = floor,
                                            .floor_s = turn->seconds,
                                            .install = turn->install};
}

bool bench_reached(const BenchFigure *f) {
    return f->install || f->target == 0 ||
           (f->at_least ? f->value >= f->target : f->value <= f->target);
}

bool bench_wrong(TspError *err, const char *who) {
    return tsp_fail(err, TSP_ERR_ILLEGAL,
                    "check failed: the simulated chip and %s disagree; please report it", who);
}
