/* run.c - tsp run: load, fill the inputs, simulate, read the outputs, compare, report. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compiler/npy.h"

/* A run in progress; data[i] is tensor i of the program, NULL while not at hand. */
typedef struct {
    const CliOptions *options;
    CliSource source;
    TspSim *sim;
    TspFlip *flips;
    uint8_t **data;
    TspInterval *op_intervals;
    CliOutcome outcome;
} Run;

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static const char *const engines[] = {"fast", "reference", NULL}; /* by TspEngineKind */
static const char *const kernels[] = {"auto", "plain", "avx2", "avx512", NULL}; /* TspGemmKernel */

/* The simulator that the options ask for. */
static bool make_simulator(Run *run, TspError *err) {
    const CliOptions *options = run->options;
    TspSimOptions sim = {.faults = {.rate = options->fault_rate, .seed = (uint64_t)options->seed}};
    int32_t engine, kernel, ifetch;
    if (!cli_choice("engine", options->engine, engines, &engine, err) ||
        !cli_choice("kernel", options->kernel, kernels, &kernel, err) ||
        !cli_choice("ifetch", options->ifetch, cli_ifetch, &ifetch, err))
        return false;
    sim.engine = (TspEngineKind)engine;
    sim.kernel = (TspGemmKernel)kernel;
    sim.threads = (int32_t)options->threads;
    sim.timing_only = options->timing_only;
    sim.ifetch_modelled = ifetch == 1;
    if (options->faults && !tsp_faults_load(options->faults, &run->source.program.machine,
                                            &run->flips, &sim.faults.count, err))
        return false;
    sim.faults.flips = run->flips;
    run->sim = tsp_sim_new(&run->source.program, &sim, err);
    return run->sim != NULL;
}

static bool check_usage(const CliOptions *options, TspError *err) {
    VizTraceFormat format;
    int32_t ignored;
    if (options->timing_only && (options->check || options->outputs.count > 0))
        return tsp_fail(err, TSP_ERR_INPUT,
                        "--timing-only computes no values; leave it or --check and --output out");
    if (options->trace && (!viz_trace_format(options->trace, NULL, &format, err) ||
                           !cli_check_target(options->trace, options->operand, err)))
        return false;
    if (!cli_choice("engine", options->engine, engines, &ignored, err) ||
        !cli_choice("kernel", options->kernel, kernels, &ignored, err) ||
        !cli_choice("ifetch", options->ifetch, cli_ifetch, &ignored, err))
        return false;
    for (int32_t i = 0; i < options->outputs.count; i++)
        if (!cli_check_target(options->outputs.list[i].path, options->operand, err)) return false;
    return !options->report || cli_check_target(options->report, options->operand, err);
}

static bool fill_inputs(Run *run, TspError *err) {
    return run->options->timing_only ||
           cli_fill_inputs(&run->source.program, run->sim, &run->options->inputs,
                           run->options->seed, run->data, err);
}

/* On a terminal the run goes in slices, with the progress between them; in a pipe it goes whole. */
static bool simulate(Run *run, TspError *err) {
    const TspProgram *p = &run->source.program;
    int64_t until = run->options->until >= 0 ? run->options->until : INT64_MAX;
    int64_t slice = p->predicted_cycles > 0 ? p->predicted_cycles / 100 + 1 : 100000;
    double start = now_s();
    bool done = true, shown = false;
    if (!isatty(STDERR_FILENO)) {
        done = until == INT64_MAX ? tsp_sim_run(run->sim, err)
                                  : tsp_sim_run_until(run->sim, until, err);
    } else {
        while (done && !tsp_sim_done(run->sim) && tsp_sim_now(run->sim) < until) {
            int64_t now = tsp_sim_now(run->sim), next = now + slice < until ? now + slice : until;
            done = tsp_sim_run_until(run->sim, next, err);
            if (now_s() - start < 0.5) continue;
            shown = true;
            fprintf(stderr, "\rsimulating: cycle %" PRId64, tsp_sim_now(run->sim));
            if (p->predicted_cycles > 0)
                fprintf(stderr, " of %" PRId64 " (%d %%)", p->predicted_cycles,
                        (int)(100 * tsp_sim_now(run->sim) / p->predicted_cycles));
        }
        if (shown) fprintf(stderr, "\r\033[K");
    }
    run->outcome.wall_s = now_s() - start;
    return done;
}

static bool read_outputs(Run *run, TspError *err) {
    const TspProgram *p = &run->source.program;
    for (int32_t i = 0; i < p->tensor_count; i++) {
        if (p->tensors[i].role != TSP_ROLE_OUTPUT) continue;
        run->data[i] = cli_new_data(&p->tensors[i], err);
        if (!run->data[i] || !tsp_sim_read_tensor(run->sim, i, run->data[i], err)) return false;
    }
    return true;
}

static bool gather_outcome(Run *run, TspError *err) {
    const TspProgram *p = &run->source.program;
    CliOutcome *outcome = &run->outcome;
    outcome->finished = true;
    outcome->stats = tsp_sim_stats(run->sim);
    outcome->csr = tsp_sim_csr(run->sim);
    outcome->faults = run->options->faults || run->options->fault_rate > 0;
    run->op_intervals = calloc((size_t)p->op_count + 1, sizeof *run->op_intervals);
    if (!run->op_intervals) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < p->op_count; i++)
        run->op_intervals[i] = tsp_sim_op_interval(run->sim, i);
    outcome->op_intervals = run->op_intervals;
    return true;
}

/* Names the first element that differs, as NumPy would index it, and both values. */
static void describe_difference(const TspValue *v, int64_t element, const uint8_t *want,
                                const uint8_t *got, TspError *err) {
    char index[128] = "", want_text[32], got_text[32];
    int64_t rest = element, stride = tsp_value_elements(v);
    for (int32_t i = 0; i < v->rank; i++) {
        size_t used = strlen(index);
        stride /= v->shape[i];
        snprintf(index + used, sizeof index - used, "%s%" PRId64, i ? ", " : "", rest / stride);
        rest %= stride;
    }
    cli_element_text(v->dtype, want, element, want_text, sizeof want_text);
    cli_element_text(v->dtype, got, element, got_text, sizeof got_text);
    tsp_fail(err, TSP_ERR_ILLEGAL,
             "check failed: output '%s' first differs at [%s]: the host interpreter says %s, the "
             "simulated chip %s; run without --check to write the outputs",
             v->name, index, want_text, got_text);
}

/* Compares every output with the interpreter's values; the outcome keeps the worst. */
static bool compare_outputs(Run *run, uint8_t *const *values, double *const *tolerance,
                            TspError *err) {
    const TspGraph *g = &run->source.graph;
    CliOutcome *outcome = &run->outcome;
    outcome->checked = true;
    outcome->check = (TspComparison){.passed = true, .first_bad = -1};
    for (int32_t v = 0; v < g->value_count; v++) {
        int32_t tensor =
            g->values[v].is_output
                ? cli_find_tensor(&run->source.program, g->values[v].name, TSP_ROLE_OUTPUT)
                : -1;
        TspComparison one;
        if (!g->values[v].is_output) continue;
        if (tensor < 0 || !run->data[tensor])
            return tsp_fail(err, TSP_ERR_BUG, "the program has no output '%s', the graph has",
                            g->values[v].name);
        one = tsp_compare(g->values[v].dtype, tsp_value_elements(&g->values[v]), values[v],
                          run->data[tensor], tolerance[v]);
        if (!one.passed && outcome->check.passed)
            describe_difference(&g->values[v], one.first_bad, values[v], run->data[tensor], err);
        outcome->check.passed &= one.passed;
        if (!(one.max_abs_err <= outcome->check.max_abs_err))
            outcome->check.max_abs_err = one.max_abs_err;
        if (!(one.max_rel_err <= outcome->check.max_rel_err))
            outcome->check.max_rel_err = one.max_rel_err;
    }
    return outcome->check.passed;
}

/* Outputs that other nodes read are checked on their own: those nodes are evaluated from what the
 * chip made of them. */
static bool check_result(Run *run, TspError *err) {
    const TspGraph *g = &run->source.graph;
    const TspProgram *p = &run->source.program;
    uint8_t **values = calloc((size_t)g->value_count + 1, sizeof *values);
    uint8_t **found = calloc((size_t)g->value_count + 1, sizeof *found); /* not owned */
    double **tolerance = calloc((size_t)g->value_count + 1, sizeof *tolerance);
    bool passed = values && found && tolerance;
    if (!passed) tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t v = 0; passed && v < g->value_count; v++) {
        int32_t tensor =
            g->values[v].is_output ? cli_find_tensor(p, g->values[v].name, TSP_ROLE_OUTPUT) : -1;
        if (tensor >= 0) found[v] = run->data[tensor];
    }
    for (int32_t v = 0; passed && v < g->value_count; v++) {
        int32_t tensor =
            g->values[v].is_input ? cli_find_tensor(p, g->values[v].name, TSP_ROLE_INPUT) : -1;
        if (!g->values[v].is_input) continue;
        /* An input that no op reads need not be in the program; zeros do for it. */
        values[v] = calloc((size_t)tsp_value_bytes(&g->values[v]) + 1, 1);
        passed = values[v] || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        if (passed && tensor >= 0 && run->data[tensor])
            memcpy(values[v], run->data[tensor], (size_t)tsp_value_bytes(&g->values[v]));
    }
    passed = passed &&
             tsp_interpret_beside(g, tsp_lanes(&p->machine), found, values, tolerance, err) &&
             compare_outputs(run, values, tolerance, err);
    for (int32_t v = 0; v < g->value_count; v++) {
        if (values) free(values[v]);
        if (tolerance) free(tolerance[v]);
    }
    free(values);
    free(found);
    free(tolerance);
    return passed;
}

static bool write_outputs(const Run *run, TspError *err) {
    const TspProgram *p = &run->source.program;
    for (int32_t i = 0; i < run->options->outputs.count; i++) {
        const CliBinding *output = &run->options->outputs.list[i];
        int32_t tensor = cli_find_tensor(p, output->name, TSP_ROLE_OUTPUT);
        const TspTensor *t = &p->tensors[tensor];
        if (!tsp_npy_save(output->path, t->dtype, t->rank, t->shape, run->data[tensor], err))
            return false;
    }
    return true;
}

/* The compiler promised a cycle; a simulator that finds another one has found a bug of ours. */
static bool check_prediction(const Run *run, TspError *err) {
    int64_t predicted = run->source.program.predicted_cycles, simulated = run->outcome.stats.cycles;
    if (predicted < 0 || predicted == simulated) return true;
    return tsp_fail(err, TSP_ERR_BUG,
                    "internal error: predicted %" PRId64 " cycles, simulated %" PRId64
                    "; this is a bug of tsp, please report it with %s",
                    predicted, simulated, run->options->operand);
}

/* What has run so far, all of it. */
static bool write_trace(const Run *run, TspError *err) {
    VizTimeline timeline;
    VizTraceFormat format;
    bool done;
    if (!run->options->trace) return true;
    if (!viz_trace_format(run->options->trace, NULL, &format, err) ||
        !viz_timeline_make(&timeline, &run->source.program, run->sim, err))
        return false;
    done = viz_trace_write(&timeline, format, 0, -1, run->options->trace, err);
    viz_timeline_free(&timeline);
    return done;
}

static bool stopped_early(const Run *run, TspError *err) {
    int64_t now = tsp_sim_now(run->sim);
    printf("state at cycle %" PRId64 ": %016" PRIx64 "\n", now, tsp_sim_digest(run->sim));
    if (!run->options->check && !run->options->outputs.count) return true;
    return tsp_fail(err, TSP_ERR_INPUT,
                    "stopped at cycle %" PRId64 ", before the outputs are there; leave out "
                    "--until, or --check and --output",
                    now);
}

/* After the run: everything that only a finished program has. A failed check or a broken promise
 * still leaves its report, but no outputs. */
static bool finish(Run *run, TspError *err) {
    const CliOptions *options = run->options;
    TspError verdict = {.kind = TSP_OK}, report_err;
    if (!gather_outcome(run, err)) return false;
    if (!options->timing_only && (!tsp_sim_check_finite(run->sim, err) || !read_outputs(run, err)))
        return false;
    if (options->check && !check_result(run, &verdict) && !run->outcome.checked) {
        *err = verdict;
        return false;
    }
    cli_print_outcome(&run->outcome);
    if (options->until >= 0)
        printf("state at cycle %" PRId64 ": %016" PRIx64 "\n", tsp_sim_now(run->sim),
               tsp_sim_digest(run->sim));
    if (verdict.kind == TSP_OK) check_prediction(run, &verdict);
    if (options->report && !cli_report_write(&run->outcome, options->report, &report_err) &&
        verdict.kind == TSP_OK)
        verdict = report_err;
    *err = verdict;
    return verdict.kind == TSP_OK && write_outputs(run, err);
}

static bool execute(Run *run, TspError *err) {
    const CliOptions *options = run->options;
    const TspProgram *p = &run->source.program;
    if (options->check && run->source.kind != CLI_SOURCE_GRAPH)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "--check compares with the graph, and %s holds none; run the graph itself",
                        options->operand);
    if (!cli_check_bindings(p, &options->inputs, TSP_ROLE_INPUT, "input", err) ||
        !cli_check_bindings(p, &options->outputs, TSP_ROLE_OUTPUT, "output", err))
        return false;
    run->data = calloc((size_t)p->tensor_count + 1, sizeof *run->data);
    if (!run->data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (!make_simulator(run, err) || !fill_inputs(run, err) || !simulate(run, err)) return false;
    if (!write_trace(run, err)) return false;
    if (tsp_sim_done(run->sim)) return finish(run, err);
    if (options->report && !cli_report_write(&run->outcome, options->report, err)) return false;
    return stopped_early(run, err);
}

int cli_run(const CliOptions *options) {
    Run run = {.options = options};
    TspError err;
    bool done;
    if (!check_usage(options, &err) ||
        !cli_source_load(&run.source, options->operand, options->machine, NULL, NULL, &err))
        return cli_error(&err);
    run.outcome.program = &run.source.program;
    done = execute(&run, &err);
    if (!done) cli_locate_error(&run.source.program, &err);
    /* An illegal program that we compiled ourselves is our bug; a failed check breaks no rule. */
    if (!done && run.source.kind == CLI_SOURCE_GRAPH && err.rule != TSP_RULE_NONE)
        err.kind = TSP_ERR_BUG;
    for (int32_t i = 0; run.data && i < run.source.program.tensor_count; i++) free(run.data[i]);
    free(run.data);
    free(run.op_intervals);
    tsp_sim_free(run.sim);
    free(run.flips);
    cli_source_free(&run.source);
    return done ? CLI_DONE : cli_error(&err);
}
