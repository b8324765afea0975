/* window.h - the viewer in a window of SDL: events in, pictures out.
 */
#ifndef TSP_VIZ_WINDOW_H
#define TSP_VIZ_WINDOW_H
#include "app.h"

/* Opens a window with a picture of app->width x app->height pixels and stays until it is closed.
 * The scale is that of the screen, unless `scale_given`. TSP_ERR_SYSTEM if there is no display. */
bool viz_window_run(VizApp *app, bool scale_given, TspError *err);

#endif
