/* cycles.c - tsp report: where the cycles of a program went. */
#include "cli.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The report must tell of the time that a run takes. */
static bool simulate(const TspProgram *p, int64_t cycles, TspError *err) {
    TspSim *sim = tsp_sim_new(p, &(TspSimOptions){.timing_only = true}, err);
    bool done = sim && tsp_sim_run(sim, err);
    if (sim && !done) cli_locate_error(p, err);
    if (done && tsp_sim_now(sim) != cycles)
        done = tsp_fail(err, TSP_ERR_BUG,
                        "the report tells of %" PRId64 " cycles, but a run takes %" PRId64, cycles,
                        tsp_sim_now(sim));
    tsp_sim_free(sim);
    return done;
}

static bool write_report(const CliOptions *options, const TspProgram *p, TspError *err) {
    TspReport report;
    char *text = NULL;
    bool done;
    if (!tsp_report_make(&report, p, err)) {
        cli_locate_error(p, err);
        return false;
    }
    done = !options->simulate || simulate(p, report.cycles, err);
    if (done) {
        text = options->json   ? tsp_report_json(&report)
               : options->html ? tsp_report_html(&report)
                               : tsp_report_text(&report);
        done = text || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
    }
    if (done && options->output)
        done = cli_write_file(options->output, text, strlen(text), err);
    else if (done)
        fputs(text, stdout);
    free(text);
    tsp_report_free(&report);
    return done;
}

int cli_report(const CliOptions *options) {
    CliSource source;
    TspError err;
    bool done;
    if (options->json && options->html) {
        tsp_fail(&err, TSP_ERR_INPUT, "--json and --html are two forms of one report; give one");
        return cli_error(&err);
    }
    if ((options->output && !cli_check_target(options->output, options->operand, &err)) ||
        !cli_source_load(&source, options->operand, options->machine, NULL, NULL, &err))
        return cli_error(&err);
    done = write_report(options, &source.program, &err);
    cli_source_free(&source);
    return done ? CLI_DONE : cli_error(&err);
}
