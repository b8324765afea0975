/* raster.h - draws a draw list into pixels, the same pixels on every host.
 *
 * Geometry is rounded to 1/256 pixel, then all is integer arithmetic. Coverage is exact for
 * rectangles, and taken from 16 lines a pixel for everything else. Colours are mixed as they are
 * stored, in sRGB.
 */
#ifndef TSP_VIZ_RASTER_H
#define TSP_VIZ_RASTER_H
#include "canvas.h"

/* Pixels 0xAARRGGBB of the host's byte order, as SDL_PIXELFORMAT_ARGB8888. */
typedef struct {
    uint32_t *pixels; /* whoever allocated them frees them */
    int32_t width, height;
    int32_t stride; /* pixels from one row to the next, at least width */
} VizImage;

/* Zeroed pixels, stride = width; false and TSP_ERR_SYSTEM if out of memory. */
bool viz_image_new(VizImage *image, int32_t width, int32_t height, TspError *err);
void viz_image_free(VizImage *image);

/* Fills the image with a colour, opaque. */
void viz_raster_clear(VizImage *image, VizColour colour);
/* Draws the list over what is there; all pixels it touches become opaque. */
void viz_raster_draw(const VizCanvas *canvas, VizImage *image);

#endif
