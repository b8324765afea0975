/* trace.h - writes a timeline as a file that other people's viewers open. docs/trace.md says what
 * each format shows.
 */
#ifndef TSP_VIZ_TRACE_H
#define TSP_VIZ_TRACE_H
#include "timeline.h"

typedef enum {
    VIZ_TRACE_PERFETTO, /* JSON trace events: Perfetto, chrome://tracing */
    VIZ_TRACE_VCD,      /* value change dump: GTKWave, Surfer */
    VIZ_TRACE_KANATA,   /* pipeline log: Konata */
    VIZ_TRACE_FORMATS
} VizTraceFormat;

/* The format with this name, or with `name` NULL the one that the ending of the path stands for.
 * TSP_ERR_INPUT, with the choices, if there is none. */
bool viz_trace_format(const char *path, const char *name, VizTraceFormat *format, TspError *err);

/* Writes the cycles from `from` to below `to` (-1: all that the timeline covers) to path.tmp, then
 * renames. The same timeline and cycles give the same bytes. TSP_ERR_INPUT if the timeline has none
 * of these cycles or the format cannot hold as much, TSP_ERR_SYSTEM if the file cannot be written.
 */
bool viz_trace_write(const VizTimeline *timeline, VizTraceFormat format, int64_t from, int64_t to,
                     const char *path, TspError *err);

#endif
