/* onebrc.c - tsp 1brc: the One Billion Row Challenge, grouped by the simulated chip. */
#include "cli.h"
#include "programs/1brc/challenge.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show_progress(void *context, int64_t rows, int64_t of) {
    (void)context;
    fprintf(stderr, "\r%" PRId64 " of %" PRId64 " rows%s", rows, of, rows == of ? "\n" : "");
}

static double rows_per_cycle(const TspChallengeReport *r) {
    return (double)r->block_rows / (double)r->compute_cycles;
}

static void print_summary(const TspMachine *m, const TspChallengeReport *r) {
    fprintf(stderr,
            "%" PRId64 " rows of %d stations on %s, %" PRId64 " blocks of %" PRId64 " rows\n"
            "predicted    %" PRId64 " cycles = %.3f ms, host link included\n"
            "simulated    %" PRId64 " cycles = %.3f ms\n"
            "compute      %" PRId64 " cycles a block, %.2f rows a cycle\n"
            "host         %.2f s checking the file, %.2f s reading blocks, %.2f s simulating\n"
            "host adds up %d partial tables\n",
            r->rows, (int)r->stations, m->name, r->blocks, r->block_rows, r->predicted_cycles,
            tsp_microseconds(m, r->predicted_cycles) / 1e3, r->simulated_cycles,
            tsp_microseconds(m, r->simulated_cycles) / 1e3, r->compute_cycles, rows_per_cycle(r),
            r->open_s, r->read_s, r->simulate_s, (int)r->partial_tables);
}

static cJSON *make_report(const TspMachine *m, const TspChallengeReport *r) {
    cJSON *report = cJSON_CreateObject(), *chip, *host;
    cJSON_AddStringToObject(report, "name", "1brc");
    cJSON_AddStringToObject(report, "machine", m->name);
    cJSON_AddNumberToObject(report, "clock_hz", (double)m->clock_hz);
    cJSON_AddNumberToObject(report, "rows", (double)r->rows);
    cJSON_AddNumberToObject(report, "stations", r->stations);
    cJSON_AddNumberToObject(report, "predicted_cycles", (double)r->predicted_cycles);
    cJSON_AddNumberToObject(report, "simulated_cycles", (double)r->simulated_cycles);
    cJSON_AddNumberToObject(report, "predicted_us", tsp_microseconds(m, r->predicted_cycles));
    cJSON_AddNumberToObject(report, "simulated_us", tsp_microseconds(m, r->simulated_cycles));
    cJSON_AddNumberToObject(report, "partial_tables", r->partial_tables);
    chip = cJSON_AddObjectToObject(report, "chip");
    cJSON_AddNumberToObject(chip, "blocks", (double)r->blocks);
    cJSON_AddNumberToObject(chip, "block_rows", (double)r->block_rows);
    cJSON_AddNumberToObject(chip, "block_cycles", (double)r->compute_cycles);
    cJSON_AddNumberToObject(chip, "block_bound_cycles", (double)r->bound_cycles);
    cJSON_AddNumberToObject(chip, "rows_per_cycle", rows_per_cycle(r));
    cJSON_AddNumberToObject(chip, "bytes_in", (double)r->bytes_in);
    cJSON_AddNumberToObject(chip, "bytes_out", (double)r->bytes_out);
    host = cJSON_AddObjectToObject(report, "host");
    cJSON_AddNumberToObject(host, "open_s", r->open_s);
    cJSON_AddNumberToObject(host, "read_s", r->read_s);
    cJSON_AddNumberToObject(host, "simulate_s", r->simulate_s);
    return report;
}

static bool check_usage(const CliOptions *o, TspError *err) {
    if (o->chips != 1)
        return tsp_fail(err, TSP_ERR_NOT_MODELLED, "--chips %" PRId64 ": one chip is modelled",
                        o->chips);
    return !o->report || cli_check_target(o->report, o->operand, err);
}

int cli_1brc(const CliOptions *options) {
    const bool terminal = isatty(STDERR_FILENO);
    TspMachine m;
    TspChallengeOptions challenge = {.machine = &m,
                                     .threads = (int32_t)options->threads,
                                     .block_rows = options->block_rows,
                                     .progress = terminal ? show_progress : NULL};
    TspChallengeReport report;
    TspError err;
    char *text = NULL;
    bool done = check_usage(options, &err) &&
                tsp_machine_load(&m, options->machine ? options->machine : "tsp1", &err);
    if (done && challenge.threads == 0) challenge.threads = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    done = done && tsp_challenge(options->operand, &challenge, &text, &report, &err) &&
           (!options->report || cli_write_json(options->report, make_report(&m, &report), &err));
    if (done) fputs(text, stdout);
    if (done && terminal) print_summary(&m, &report);
    free(text);
    return done ? CLI_DONE : cli_error(&err);
}
