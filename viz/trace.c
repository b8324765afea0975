/* trace.c - the formats of traces: which there are, whom a path means, the file. */
#include "trace_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *ending;
    bool (*write)(const Trace *trace, TspError *err);
} formats[VIZ_TRACE_FORMATS] = {
    [VIZ_TRACE_PERFETTO] = {"perfetto", ".json", trace_perfetto},
    [VIZ_TRACE_VCD] = {"vcd", ".vcd", trace_vcd},
    [VIZ_TRACE_KANATA] = {"kanata", ".kanata", trace_kanata},
};

static bool ends_in(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && !strcmp(path + length - tail, ending);
}

bool viz_trace_format(const char *path, const char *name, VizTraceFormat *format, TspError *err) {
    char choices[128] = "";
    for (int32_t i = 0; i < VIZ_TRACE_FORMATS; i++) {
        size_t used = strlen(choices);
        *format = (VizTraceFormat)i;
        if (name ? !strcmp(name, formats[i].name) : ends_in(path, formats[i].ending)) return true;
        snprintf(choices + used, sizeof choices - used, "%s%s", used ? ", " : "",
                 name ? formats[i].name : formats[i].ending);
    }
    return name ? tsp_fail(err, TSP_ERR_INPUT, "there is no trace format '%s'; there are: %s", name,
                           choices)
                : tsp_fail(err, TSP_ERR_INPUT,
                           "%s: its ending names no trace format; end it in one of: %s", path,
                           choices);
}

bool trace_out_of_memory(TspError *err) {
    return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the trace");
}

const char *trace_name(const TspProgram *p) {
    return p->name && p->name[0] ? p->name : "program";
}

const TraceGroupInfo trace_groups[TRACE_GROUPS] = {
    [TRACE_MEM_WEST] = {"MEM west", "mem_west"},
    [TRACE_MEM_EAST] = {"MEM east", "mem_east"},
    [TRACE_VXM] = {"VXM", "vxm"},
    [TRACE_MXM] = {"MXM", "mxm"},
    [TRACE_SXM] = {"SXM", "sxm"},
    [TRACE_C2C] = {"C2C", "c2c"},
};

TraceGroup trace_group(const TspMachine *m, int32_t queue) {
    static const TraceGroup by_unit[] = {
        [TSP_UNIT_MEM] = TRACE_MEM_WEST, [TSP_UNIT_VXM] = TRACE_VXM, [TSP_UNIT_MXM] = TRACE_MXM,
        [TSP_UNIT_SXM] = TRACE_SXM,      [TSP_UNIT_C2C] = TRACE_C2C,
    };
    const TspQueueInfo info = tsp_queue_info(m, queue);
    if (info.unit == TSP_UNIT_MEM && info.hemisphere == TSP_EAST) return TRACE_MEM_EAST;
    return by_unit[info.unit];
}

static bool fail_file(TspError *err, const char *path) {
    return tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot write: %s", path, strerror(errno));
}

static bool write_file(const Trace *trace, VizTraceFormat format, const char *path,
                       const char *temporary, TspError *err) {
    Trace with_file = *trace;
    bool written;
    with_file.out = fopen(temporary, "wb");
    if (!with_file.out) return fail_file(err, path);
    written = formats[format].write(&with_file, err);
    if (written && (fflush(with_file.out) || ferror(with_file.out))) written = fail_file(err, path);
    if (fclose(with_file.out) && written) written = fail_file(err, path);
    if (written && rename(temporary, path)) written = fail_file(err, path);
    if (!written) unlink(temporary);
    return written;
}

bool viz_trace_write(const VizTimeline *timeline, VizTraceFormat format, int64_t from, int64_t to,
                     const char *path, TspError *err) {
    const Trace trace = {timeline, from, to < 0 || to > timeline->cycles ? timeline->cycles : to,
                         NULL};
    size_t size = strlen(path) + sizeof ".tmp";
    char *temporary;
    bool written;
    if (to >= 0 && to <= from)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "no cycle lies from %lld to below %lld; give a later end", (long long)from,
                        (long long)to);
    if (from > 0 && from >= timeline->cycles)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "there is no cycle %lld: the run has cycles 0 to %lld; begin earlier",
                        (long long)from, (long long)timeline->cycles - 1);
    temporary = malloc(size);
    if (!temporary) return trace_out_of_memory(err);
    snprintf(temporary, size, "%s.tmp", path);
    written = write_file(&trace, format, path, temporary, err);
    free(temporary);
    return written;
}
