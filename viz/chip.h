/* chip.h - the floorplan: where units, superlanes and stream registers are, in units of one stream
 * column across and one superlane down, the corner of the chip at (0, 0).
 */
#ifndef TSP_VIZ_CHIP_H
#define TSP_VIZ_CHIP_H
#include "view.h"

/* From floorplan units to pixels of the frame: x = x0 + u * sx, y = y0 + v * sy. */
typedef struct {
    float x0, y0, sx, sy;
} VizChipMap;

/* The floorplan is as wide as the chip has columns and as high as it has superlanes, and above them
 * units as high as VIZ_CHIP_UNITS superlanes. */
#define VIZ_CHIP_UNITS 4.0f
VizChipMap viz_chip_map(const VizRun *run, const VizView *view, VizRect area);

#endif
