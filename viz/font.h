/* font.h - three faces of DejaVu as coverage bitmaps, cached by face, size and codepoint.
 *
 * Needs no display. Glyphs are not hinted and not kerned, and every advance is rounded to whole
 * pixels, so that a text is as wide wherever it stands. One font serves one thread.
 */
#ifndef TSP_VIZ_FONT_H
#define TSP_VIZ_FONT_H
#include "isa/error.h"

#include <stddef.h>

typedef enum { VIZ_REGULAR, VIZ_BOLD, VIZ_MONO, VIZ_FACES } VizFace;

typedef struct VizFont VizFont;

/* Finds the three files in $TSP_FONT_DIR, else in the usual folders. NULL and TSP_ERR_SYSTEM if
 * they are not there; the message says which package to install. */
VizFont *viz_font_open(TspError *err);
void viz_font_close(VizFont *font); /* NULL is allowed */

typedef struct {
    int32_t left, top;       /* of the bitmap: pixels right of the pen, pixels above the baseline */
    int32_t width, height;   /* of the bitmap, both 0 for a space */
    int32_t advance;         /* pixels to the next pen position */
    const uint8_t *coverage; /* width * height, 0 .. 255, row after row; the font owns it */
} VizGlyph;

/* Never NULL. Sizes are pixels of the em square, held to 4 .. 256. A codepoint that the face lacks
 * is taken from the regular face, else drawn as U+FFFD. Valid until the font is closed. */
const VizGlyph *viz_font_glyph(VizFont *font, VizFace face, int32_t size_px, uint32_t codepoint);

/* Pixels that the first `length` bytes of a UTF-8 text are wide: the sum of their advances. */
int32_t viz_font_width(VizFont *font, VizFace face, int32_t size_px, const char *text,
                       size_t length);
/* How many bytes of the text fit into width_px, never half a character. */
size_t viz_font_fit(VizFont *font, VizFace face, int32_t size_px, const char *text,
                    int32_t width_px);

/* Pixels from the baseline, all positive: up to the top of the highest accents, down to the lowest
 * descender, up to the top of an H. Ascent plus descent is the distance of lines set solid. */
int32_t viz_font_ascent(VizFont *font, VizFace face, int32_t size_px);
int32_t viz_font_descent(VizFont *font, VizFace face, int32_t size_px);
int32_t viz_font_cap_height(VizFont *font, VizFace face, int32_t size_px);

/* The codepoint at *text, which moves behind it; 0 at the end, U+FFFD and one byte further for what
 * is not UTF-8. */
uint32_t viz_utf8_next(const char **text);

#endif
