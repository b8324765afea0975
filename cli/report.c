/* report.c - what a compilation or a run comes to: as JSON with stable keys, and as text. */
#include "cli.h"
#include "sim/utilisation.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- JSON -- */
/* A key whose value does not apply is null, never left out. */
static void add_number(cJSON *object, const char *key, bool applies, double value) {
    if (applies)
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_interval(cJSON *object, const char *key, bool applies, int64_t start, int64_t end) {
    cJSON *pair;
    if (!applies || start < 0) {
        cJSON_AddNullToObject(object, key);
        return;
    }
    pair = cJSON_AddArrayToObject(object, key);
    cJSON_AddItemToArray(pair, cJSON_CreateNumber((double)start));
    cJSON_AddItemToArray(pair, cJSON_CreateNumber((double)end));
}

static void add_utilisation(cJSON *report, const CliOutcome *outcome) {
    const TspUtilisation u =
        tsp_utilisation(outcome->program, &outcome->stats, outcome->stats.cycles);
    cJSON *object = cJSON_AddObjectToObject(report, "utilisation");
    bool has_macs = outcome->finished && outcome->program->macs > 0;
    add_number(object, "mxm", outcome->finished, u.mxm);
    add_number(object, "mxm_useful", has_macs, u.mxm_useful);
    add_number(object, "vxm", outcome->finished, u.vxm);
    add_number(object, "sxm", outcome->finished, u.sxm);
    add_number(object, "mem", outcome->finished, u.mem);
    add_number(object, "streams", outcome->finished, u.streams);
}

static void add_memory(cJSON *report, const TspProgram *p) {
    CliMemory use = {0};
    bool known = cli_memory_use(p, &use);
    cJSON *object = cJSON_AddObjectToObject(report, "memory");
    add_number(object, "capacity_bytes", known, (double)use.capacity_bytes);
    add_number(object, "peak_bytes", known, (double)use.peak_bytes);
    add_number(object, "constants_bytes", known, (double)use.constants_bytes);
    add_number(object, "reused_bytes", known, (double)use.reused_bytes);
}

static void add_ops(cJSON *report, const CliOutcome *outcome) {
    const TspProgram *p = outcome->program;
    cJSON *ops = cJSON_AddArrayToObject(report, "ops");
    for (int32_t i = 0; i < p->op_count; i++) {
        cJSON *op = cJSON_CreateObject();
        TspInterval simulated =
            outcome->finished ? outcome->op_intervals[i] : (TspInterval){-1, -1};
        cJSON_AddItemToArray(ops, op);
        cJSON_AddStringToObject(op, "name", p->ops[i].name);
        cJSON_AddStringToObject(op, "op", p->ops[i].type);
        add_interval(op, "predicted", p->predicted_cycles >= 0, p->ops[i].start, p->ops[i].end);
        add_interval(op, "simulated", outcome->finished, simulated.start, simulated.end);
    }
}

static void add_check(cJSON *report, const CliOutcome *outcome) {
    cJSON *check;
    if (!outcome->checked) {
        cJSON_AddNullToObject(report, "check");
        return;
    }
    check = cJSON_AddObjectToObject(report, "check");
    cJSON_AddBoolToObject(check, "passed", outcome->check.passed);
    cJSON_AddNumberToObject(check, "max_abs_err", outcome->check.max_abs_err);
    cJSON_AddNumberToObject(check, "max_rel_err", outcome->check.max_rel_err);
}

/* Bits flipped and words corrected; only where faults were on. */
static void add_faults(cJSON *report, const CliOutcome *outcome) {
    cJSON *faults;
    if (!outcome->finished || !outcome->faults) return;
    faults = cJSON_AddObjectToObject(report, "faults");
    cJSON_AddNumberToObject(faults, "flipped", (double)outcome->csr.flipped);
    cJSON_AddNumberToObject(faults, "corrected", (double)outcome->csr.corrected);
}

static void add_host(cJSON *report, const CliOutcome *outcome) {
    cJSON *host = cJSON_AddObjectToObject(report, "host");
    double wall_s = outcome->wall_s;
    bool applies = outcome->finished && wall_s > 0;
    add_number(host, "wall_s", outcome->finished, wall_s);
    add_number(host, "cycles_per_s", applies, applies ? (double)outcome->stats.cycles / wall_s : 0);
    add_number(host, "macs_per_s", applies, applies ? (double)outcome->stats.macs / wall_s : 0);
}

static cJSON *make_report(const CliOutcome *outcome) {
    const TspProgram *p = outcome->program;
    const TspMachine *m = &p->machine;
    int64_t predicted = p->predicted_cycles, simulated = outcome->stats.cycles;
    cJSON *report = cJSON_CreateObject();
    cJSON_AddStringToObject(report, "name", p->name ? p->name : "");
    cJSON_AddStringToObject(report, "machine", m->name);
    cJSON_AddNumberToObject(report, "clock_hz", (double)m->clock_hz);
    add_number(report, "predicted_cycles", predicted >= 0, (double)predicted);
    add_number(report, "simulated_cycles", outcome->finished, (double)simulated);
    add_number(report, "bound_cycles", p->bound_cycles > 0, (double)p->bound_cycles);
    add_number(report, "predicted_us", predicted >= 0, tsp_microseconds(m, predicted));
    add_number(report, "simulated_us", outcome->finished, tsp_microseconds(m, simulated));
    add_utilisation(report, outcome);
    add_memory(report, p);
    add_ops(report, outcome);
    add_check(report, outcome);
    add_faults(report, outcome);
    add_host(report, outcome);
    return report;
}

bool cli_report_write(const CliOutcome *outcome, const char *path, TspError *err) {
    return cli_write_json(path, make_report(outcome), err);
}

/* -- text -- */
static void print_check(const CliOutcome *outcome) {
    const TspComparison *check = &outcome->check;
    if (!outcome->checked) return;
    if (!check->passed)
        printf("check        FAILED: differs from the host interpreter (max abs err %g)\n",
               check->max_abs_err);
    else if (check->max_abs_err > 0)
        printf("check        passed: within the tolerance of the host interpreter "
               "(max abs err %.3g, max rel err %.3g)\n",
               check->max_abs_err, check->max_rel_err);
    else
        printf("check        passed: bit for bit what the host interpreter computes\n");
}

static void print_simulated(const CliOutcome *outcome) {
    const TspProgram *p = outcome->program;
    const TspSimStats *stats = &outcome->stats;
    const TspUtilisation u = tsp_utilisation(p, stats, stats->cycles);
    printf("simulated    %" PRId64 " cycles = %.3f us\n", stats->cycles,
           tsp_microseconds(&p->machine, stats->cycles));
    if (p->predicted_cycles >= 0)
        printf("difference   %" PRId64 " cycles\n", stats->cycles - p->predicted_cycles);
    printf("did          %" PRId64 " instructions, %" PRId64 " reads, %" PRId64 " writes, %" PRId64
           " MACs\n",
           stats->instructions, stats->mem_reads, stats->mem_writes, stats->macs);
    if (outcome->faults)
        printf("faults       %" PRId64 " bits flipped, %" PRId64 " words corrected\n",
               outcome->csr.flipped, outcome->csr.corrected);
    printf("MXM          %.1f %% busy", 100 * u.mxm);
    if (p->macs > 0) printf(", %.1f %% useful", 100 * u.mxm_useful);
    printf("\n");
}

static void print_bound(const TspProgram *p, int64_t cycles) {
    if (p->bound_cycles <= 0) return;
    printf("bound        %" PRId64 " cycles (%s)", p->bound_cycles,
           p->bound_by ? p->bound_by : "unnamed");
    if (cycles > 0)
        printf("; this run takes %.2f times that", (double)cycles / (double)p->bound_cycles);
    printf("\n");
}

void cli_print_outcome(const CliOutcome *outcome) {
    const TspProgram *p = outcome->program;
    printf("%s on %s at %g MHz\n", p->name && p->name[0] ? p->name : "program", p->machine.name,
           (double)p->machine.clock_hz / 1e6);
    print_check(outcome);
    if (p->predicted_cycles >= 0)
        printf("predicted    %" PRId64 " cycles = %.3f us\n", p->predicted_cycles,
               tsp_microseconds(&p->machine, p->predicted_cycles));
    if (outcome->finished) print_simulated(outcome);
    print_bound(p, outcome->finished ? outcome->stats.cycles : p->predicted_cycles);
}
