/* move.h - moving about: zoom and pan of the chip and of the time axis, held to what there is.
 */
#ifndef TSP_VIZ_MOVE_H
#define TSP_VIZ_MOVE_H
#include "app.h"

/* The panel that zooms and pans when `panel` is asked to: itself, or the time axis. */
VizPanel viz_zooming_panel(VizPanel panel);
/* Makes all in the panel `factor` times larger, what is at this point stays there. */
void viz_zoom(VizApp *app, VizPanel panel, double factor, float x, float y);
/* The point of it that keys zoom at: the present cycle, or the middle. */
VizPoint viz_zoom_point(const VizApp *app, VizPanel panel);
/* Moves what is seen by pixels. */
void viz_pan(VizApp *app, VizPanel panel, double dx, double dy);
void viz_fit_all(VizApp *app);
/* Shows what is selected as large as it goes; false: it has no place in the panel. */
bool viz_fit_selection(VizApp *app, VizPanel panel);

#endif
