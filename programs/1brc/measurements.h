/* measurements.h - a file of measurements as arrays of numbers, a block of rows at a time.
 *
 * A file has lines `station;temperature`: a name of 1 to 100 bytes, UTF-8 without control
 * characters, and -99.9 to 99.9 with one decimal and at most two digits before it. The last newline
 * may be missing. At most TSP_STATIONS_MAX names.
 *
 * It is read twice. tsp_measurements_open checks every line and finds the names;
 * tsp_measurements_next gives numbers. Both read pieces of the file with `threads` threads, and
 * hold some megabytes for each, however long the file is; nothing depends on how many there are.
 */
#ifndef TSP_1BRC_MEASUREMENTS_H
#define TSP_1BRC_MEASUREMENTS_H
#include "isa/error.h"

enum { TSP_STATIONS_MAX = 10000 };

typedef struct TspMeasurements TspMeasurements;

typedef struct {
    int32_t threads;     /* 1 or more; 0: one */
    int64_t chunk_bytes; /* of the file, taken by a thread at a time; 0: what is fast */
} TspMeasurementsOptions;

/* Opens and checks the file at `path`, which is copied; the caller closes. NULL on failure:
 * TSP_ERR_INPUT if it is no regular file, is empty, or has a bad line, the first of which is named
 * as PATH:LINE; TSP_ERR_SYSTEM without memory, or if the file cannot be read. */
TspMeasurements *tsp_measurements_open(const char *path, const TspMeasurementsOptions *options,
                                       TspError *err);
void tsp_measurements_close(TspMeasurements *m); /* NULL: does nothing */

int64_t tsp_measurements_rows(const TspMeasurements *m);
int32_t tsp_measurements_stations(const TspMeasurements *m);
/* The names, in the order of their bytes: name i is that of station i. Owned by m. */
const char *const *tsp_measurements_names(const TspMeasurements *m);

/* The next rows of the file, in its order, `rows` of them or what is left: row k is of station[k],
 * tenths[k] tenths of a degree. Both arrays, of `rows` elements, are the caller's. Returns how many
 * there were, 0 at the end, -1 on failure: TSP_ERR_INPUT if the file is not what it was when
 * opened, TSP_ERR_SYSTEM if it cannot be read. May be called from any thread, one at a time. */
int64_t tsp_measurements_next(TspMeasurements *m, int64_t rows, uint16_t *station, int16_t *tenths,
                              TspError *err);

/* Wall-clock seconds spent so far in tsp_measurements_open and in tsp_measurements_next. */
double tsp_measurements_open_seconds(const TspMeasurements *m);
double tsp_measurements_next_seconds(const TspMeasurements *m);

#endif
