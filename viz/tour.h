/* tour.h - a guided tour: programs, the cycles at which to stop, and what to say there.
 *
 * A text file, docs/viewer.md describes it:
 *
 *     # a comment
 *     program vecadd.s
 *     at 2 select vxm.0 zoom 2@13,6 panel chip
 *         What is said in cycle 2, over as many indented lines
 *         as it takes.
 *
 * A program's path is relative to the file. Things to select, zooms and panels are written as the
 * options of tsp view are.
 */
#ifndef TSP_VIZ_TOUR_H
#define TSP_VIZ_TOUR_H
#include "isa/error.h"

typedef struct {
    int64_t cycle;
    char *select, *zoom, *panel; /* NULL: not said */
    char *caption;
    int32_t line; /* of the file */
} VizStop;

typedef struct {
    char *program; /* path, as one opens it */
    VizStop *stops;
    int32_t stop_count;
} VizChapter;

typedef struct {
    VizChapter *chapters; /* at least one, each with at least one stop */
    int32_t chapter_count;
} VizTour;

/* TSP_ERR_INPUT with path and line for what is not a tour. On failure it needs no freeing. */
bool viz_tour_read(VizTour *tour, const char *path, TspError *err);
/* The same from text; `path` is for messages and to find programs beside it. */
bool viz_tour_parse(VizTour *tour, const char *text, const char *path, TspError *err);
void viz_tour_free(VizTour *tour);

#endif
