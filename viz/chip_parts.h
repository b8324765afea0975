/* chip_parts.h - what the files of the chip's picture share.
 */
#ifndef TSP_VIZ_CHIP_PARTS_H
#define TSP_VIZ_CHIP_PARTS_H
#include "chip.h"

typedef struct {
    const VizFrame *frame;
    VizChipMap map;
    VizFocus focus;
    const VizDrive *selected; /* the vector on the register that is selected; NULL none */
    int32_t row_of_stream[TSP_MAX_STREAMS]; /* in a band, of the streams that are driven */
    float row_height;                       /* pixels */
} ChipPicture;

static inline float chip_x(const ChipPicture *c, float column) {
    return c->map.x0 + column * c->map.sx;
}
static inline float chip_y(const ChipPicture *c, float superlane) {
    return c->map.y0 + superlane * c->map.sy;
}

/* The units above the bands, lit by what they do in this cycle. */
void chip_units_draw(const ChipPicture *c);

#endif
