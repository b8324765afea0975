/* window.h - the viewer in a window of SDL: events in, pictures out.
 */
#ifndef TSP_VIZ_WINDOW_H
#define TSP_VIZ_WINDOW_H
#include "app.h"

/* Opens a window and stays until it is closed. Size and scale are the app's where they were given,
 * else they suit the screen. TSP_ERR_SYSTEM if there is no display. */
bool viz_window_run(VizApp *app, bool size_given, bool scale_given, TspError *err);

#endif
