/* guide.h - a tour under way: from stop to stop, from program to program.
 */
#ifndef TSP_VIZ_GUIDE_H
#define TSP_VIZ_GUIDE_H
#include "app.h"
#include "tour.h"

typedef struct VizGuide {
    VizTour tour;
    int32_t chapter, stop;
    int32_t opened; /* the chapter whose program the app shows; -1: none yet */
    /* Opens a program in place of the app's run, which stays as it is on failure. */
    bool (*open)(void *context, VizApp *app, const char *program, TspError *err);
    void *context;
} VizGuide;

/* Stops of all chapters, and the number of the one it is at, from 0. */
int32_t viz_guide_count(const VizGuide *guide);
int32_t viz_guide_at(const VizGuide *guide);

/* Shows a stop by its number: its program, cycle, selection, zoom and panel, and what is said
 * there. TSP_ERR_INPUT with the line of the tour for what the run does not have. */
bool viz_guide_show(VizGuide *guide, VizApp *app, int32_t number, TspError *err);
/* On to the next stop (direction > 0), or back: within a program time runs there, slowly enough to
 * follow, and what is said there is said on arrival. */
void viz_guide_step(VizApp *app, int32_t direction);
/* Time has run to where the guide wanted it. */
void viz_guide_arrive(VizApp *app);

/* Writes DIR/tour-01.png, one for each stop; makes the folder if it is not there. */
bool viz_guide_write(VizGuide *guide, VizApp *app, const char *folder, TspError *err);

#endif
