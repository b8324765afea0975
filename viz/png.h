/* png.h - pictures to and from PNG files. The same pixels and texts make the same bytes.
 */
#ifndef TSP_VIZ_PNG_H
#define TSP_VIZ_PNG_H
#include "raster.h"

/* A note kept in the file, such as the command line that makes the picture again. */
typedef struct {
    const char *key;   /* 1 .. 79 printable ASCII characters: "Software", "Description", ... */
    const char *value; /* UTF-8 */
} VizPngText;

/* Writes the colours, without alpha and without a time: beside the path first, then renamed, so
 * the file appears whole or not at all. */
bool viz_png_write(const char *path, const VizImage *image, const VizPngText *texts,
                   int32_t text_count, TspError *err);
/* Reads any PNG of up to 16384 x 16384 as opaque pixels, over black where it is transparent; the
 * caller frees the image. TSP_ERR_INPUT if it is not one. */
bool viz_png_read(const char *path, VizImage *image, TspError *err);
/* The value of the first text with this key; the caller frees. NULL if the file has none. */
char *viz_png_read_text(const char *path, const char *key);

#endif
