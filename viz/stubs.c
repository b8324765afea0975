/* stubs.c - empty panels, until the real ones are there. */
#include "gantt.h"

__attribute__((weak)) void viz_queues_draw(const VizFrame *frame) {
    (void)frame;
}
