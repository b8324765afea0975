#include "window.h"
bool viz_window_run(VizApp *app, bool scale_given, TspError *err) {
    (void)app;
    (void)scale_given;
    return tsp_fail(err, TSP_ERR_NOT_MODELLED, "no window yet; use --png");
}
