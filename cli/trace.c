/* trace.c - tsp trace: runs a program, time without values, and writes when everything issued. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>

static bool check_usage(const CliOptions *options, VizTraceFormat *format, int32_t *ifetch,
                        TspError *err) {
    if (!options->output)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "tsp trace needs -o FILE: a .json, .vcd or .kanata to write");
    return viz_trace_format(options->output, options->format, format, err) &&
           cli_choice("ifetch", options->ifetch, cli_ifetch, ifetch, err) &&
           cli_check_target(options->output, options->operand, err);
}

static bool write_trace(const CliOptions *options, const TspProgram *p, VizTraceFormat format,
                        bool ifetch_modelled, TspError *err) {
    VizTimeline timeline;
    bool done;
    if (!viz_timeline_run(&timeline, p, ifetch_modelled, err)) {
        cli_locate_error(p, err);
        return false;
    }
    done = viz_trace_write(&timeline, format, options->from, options->to, options->output, err);
    if (done)
        printf("%s on %s: %" PRId64 " cycles, %" PRId64 " instructions in %d bursts\n",
               p->name && p->name[0] ? p->name : "program", p->machine.name, timeline.cycles,
               timeline.issues, (int)timeline.burst_count);
    viz_timeline_free(&timeline);
    return done;
}

int cli_trace(const CliOptions *options) {
    CliSource source;
    TspError err;
    VizTraceFormat format;
    int32_t ifetch;
    bool done;
    if (!check_usage(options, &format, &ifetch, &err) ||
        !cli_source_load(&source, options->operand, options->machine, NULL, NULL, &err))
        return cli_error(&err);
    done = write_trace(options, &source.program, format, ifetch == 1, &err);
    /* An illegal program that we compiled ourselves is our bug. */
    if (!done && source.kind == CLI_SOURCE_GRAPH && err.rule != TSP_RULE_NONE)
        err.kind = TSP_ERR_BUG;
    cli_source_free(&source);
    return done ? CLI_DONE : cli_error(&err);
}
