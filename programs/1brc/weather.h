/* weather.h - measurements made up for the challenge: stations, and rows of text.
 *
 * A row depends on the seed and on its number alone, so rows can be made in any order, by any
 * number of threads. Temperatures are normally distributed about the mean of their station with a
 * standard deviation of 10 degrees, in whole tenths, cut off at -99.9 and 99.9.
 */
#ifndef TSP_1BRC_WEATHER_H
#define TSP_1BRC_WEATHER_H
#include "measurements.h"

#include <stddef.h>

enum {
    WEATHER_CITIES = 413,   /* stations with names of cities, see stations.def */
    WEATHER_ROW_BYTES = 107 /* a row takes at most */
};

typedef struct Weather Weather;

/* The first `stations` cities, 1 or more; beyond WEATHER_CITIES, up to TSP_STATIONS_MAX, names that
 * mean nothing: 1 to 100 bytes, characters of 1 to 4, the same for every seed. The caller frees.
 * NULL on failure: TSP_ERR_INPUT for another number, TSP_ERR_SYSTEM without memory. */
Weather *weather_new(int32_t stations, uint64_t seed, TspError *err);

/* Writes the lines of rows first .. first + count - 1 to `text`, which has room for count + 1 times
 * WEATHER_ROW_BYTES; their length. Any thread may call. */
size_t weather_rows(const Weather *weather, int64_t first, int64_t count, char *text);

#endif
