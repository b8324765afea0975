/* report.c - makes a report of its parts; the words of its tables. */
#include "report_parts.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_OF(name, key, words)  key,
#define SECOND_OF(name, key, words) words,
const char *const tsp_idle_keys[] = {TSP_REPORT_REASONS(FIRST_OF)};
const char *const tsp_idle_words[] = {TSP_REPORT_REASONS(SECOND_OF)};
const char *const tsp_hop_keys[] = {TSP_REPORT_HOPS(FIRST_OF)};
const char *const tsp_hop_words[] = {TSP_REPORT_HOPS(SECOND_OF)};
const char *const tsp_wait_keys[] = {TSP_REPORT_WAITS(FIRST_OF)};
const char *const tsp_wait_words[] = {TSP_REPORT_WAITS(SECOND_OF)};
const char *const tsp_resource_keys[] = {TSP_REPORT_RESOURCES(FIRST_OF)};
const char *const tsp_resource_words[] = {TSP_REPORT_RESOURCES(SECOND_OF)};

bool tsp_report_make(TspReport *r, const TspProgram *program, TspError *err) {
    Timing timing;
    bool done;
    memset(r, 0, sizeof *r);
    r->program = program;
    if (!timing_make(&timing, program, err)) return false;
    r->cycles = timing.cycles;
    r->issues = timing.issues;
    report_usage(r, &timing);
    done = flows_make(&timing, err) && report_idle(r, &timing, err) && report_memory(r, err) &&
           report_ops(r, &timing, err) && report_path(r, &timing, err);
    timing_free(&timing);
    if (!done) tsp_report_free(r);
    return done;
}

void tsp_report_free(TspReport *r) {
    free(r->ops);
    free(r->tensors);
    free(r->bank_rows);
    free(r->hops);
    memset(r, 0, sizeof *r);
}

const char *tsp_report_unknown(const TspReport *r) {
    if (r->has_path) return NULL;
    if (!r->issues) return "the program issues nothing";
    return "the program does not say which operand is whose result, as one compiled from a graph "
           "does: the critical path and what idle planes waited for are not known";
}
