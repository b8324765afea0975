/* result.h - the text that answers the challenge, from what was found of each station.
 */
#ifndef TSP_1BRC_RESULT_H
#define TSP_1BRC_RESULT_H
#include "isa/error.h"

/* Of one station; temperatures in tenths of a degree. */
typedef struct {
    int64_t count, sum;
    int32_t min, max; /* mean nothing if count is 0 */
} TspStationTotals;

/* "{Abha=-23.0/18.0/59.2, Abidjan=-16.2/26.0/67.3, ...}\n": min/mean/max of the `stations` stations
 * in the order of the arrays; those without measurements are left out. The mean is sum / count
 * rounded to tenths, halves upwards, exactly; -0.0 is never written. The text ends with NUL; the
 * caller frees it. NULL on failure: TSP_ERR_SYSTEM without memory, TSP_ERR_BUG if the numbers of a
 * station do not fit each other (a count below 0 or above 2^52, min above max, a mean outside them,
 * temperatures beyond -99.9 .. 99.9). */
char *tsp_result_text(const char *const *names, const TspStationTotals *totals, int32_t stations,
                      TspError *err);

#endif
