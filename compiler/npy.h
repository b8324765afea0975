/* npy.h - NumPy .npy files (format 1.0 and 2.0, C order, little-endian).
 */
#ifndef TSP_NPY_H
#define TSP_NPY_H
#include "isa/program.h"

/* Reads a file of any of our dtypes; *data is malloc'ed, the caller frees. */
bool tsp_npy_load(const char *path, TspDtype *dtype, int32_t *rank, int64_t shape[TSP_MAX_RANK],
                  uint8_t **data, TspError *err);
/* Same from memory (fuzzing, tests). */
bool tsp_npy_parse(const uint8_t *bytes, size_t length, const char *origin, TspDtype *dtype,
                   int32_t *rank, int64_t shape[TSP_MAX_RANK], uint8_t **data, TspError *err);
/* Writes path.tmp, then renames. */
bool tsp_npy_save(const char *path, TspDtype dtype, int32_t rank, const int64_t *shape,
                  const uint8_t *data, TspError *err);

#endif
