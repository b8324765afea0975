/* actions.h - everything a key or a click can do: one table, which also prints its own help.
 */
#ifndef TSP_VIZ_ACTIONS_H
#define TSP_VIZ_ACTIONS_H
#include "view.h"

/* The overlay with the keys, made from the table, over the whole frame. */
void viz_help_draw(const VizFrame *frame);

#endif
