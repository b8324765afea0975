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

/* Above the superlanes, always in sight, stands a strip with the units: pixels high. */
float viz_chip_strip(const VizView *view, VizRect area);
/* The superlanes fill the rest of the area; zoomed, chip_x and chip_y are in its middle. */
VizChipMap viz_chip_map(const VizRun *run, const VizView *view, VizRect area);

#endif
