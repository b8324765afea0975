/* bench.c - tsp bench: runs the workloads, prints figures and whether they reach their targets. */
#include "bench.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double bench_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *seconds, int32_t count) {
    qsort(seconds, (size_t)count, sizeof *seconds, ascending);
    return seconds[count / 2];
}

void bench_figure(BenchResult *r, const char *name, const char *unit, double value, double target,
                  bool at_least) {
    r->figure[r->figures++] = (BenchFigure){name, unit, value, target, at_least, false};
}

static bool reached(const BenchFigure *f) {
    return f->missing || f->target == 0 ||
           (f->at_least ? f->value >= f->target : f->value <= f->target);
}

/* Peak memory of a process that runs the workload once and does nothing else. */
static int64_t peak_memory(const BenchWorkload *w) {
    struct rusage usage;
    int status;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        BenchRun run = {0};
        TspError err;
        _exit(w->once(&run, &err) ? 0 : 1);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) return 0;
    return (int64_t)usage.ru_maxrss * 1024;
}

static void judge_memory(BenchResult *r, int64_t peak) {
    const double mib = 1 << 20;
    r->peak_bytes = peak;
    if (peak > 0)
        bench_figure(r, "peak memory", "MiB", (double)peak / mib,
                     r->tensor_bytes ? 1.5 * (double)r->tensor_bytes / mib + 64 : 32, false);
}

/* -- for people -- */

static const char *const kernel_names[] = {"auto", "plain C", "AVX2", "AVX-512 VNNI"};

static void print_figure(const char *workload, const BenchFigure *f) {
    char value[48], target[48] = "";
    if (f->missing)
        snprintf(value, sizeof value, "not installed");
    else
        snprintf(value, sizeof value, "%.*f %s", f->value < 100 ? 2 : 0, f->value, f->unit);
    if (f->target > 0)
        snprintf(target, sizeof target, "%s %.4g", f->at_least ? ">=" : "<=", f->target);
    printf("%-13s %-28s %14s  %-9s %s\n", workload, f->name, value, target,
           f->target == 0 || f->missing ? ""
           : reached(f)                 ? "PASS"
                                        : "FAIL");
}

static void print_result(const BenchWorkload *w, const BenchResult *r) {
    for (int32_t i = 0; i < r->figures; i++) print_figure(i ? "" : w->name, &r->figure[i]);
    printf("              %s: %.2f ms", w->what, 1e3 * r->seconds);
    if (r->stats.cycles > 0)
        printf(", %.3g cycles/s, %.3g instructions/s, %.3g GB of vectors moved",
               (double)r->stats.cycles / r->seconds, (double)r->stats.instructions / r->seconds,
               320e-9 * (double)(r->stats.mem_reads + r->stats.mem_writes));
    if (r->load_s > 0) printf("; load %.1f ms", 1e3 * r->load_s);
    if (r->reset_s > 0) printf(", reset %.1f ms", 1e3 * r->reset_s);
    printf("\n");
}

/* -- JSON -- */

static void add_result(cJSON *list, const BenchWorkload *w, const BenchResult *r) {
    cJSON *object = cJSON_CreateObject(), *figures;
    const double bytes = 320.0 * (double)(r->stats.mem_reads + r->stats.mem_writes);
    cJSON_AddItemToArray(list, object);
    cJSON_AddStringToObject(object, "name", w->name);
    cJSON_AddStringToObject(object, "what", w->what);
    cJSON_AddNumberToObject(object, "seconds", r->seconds);
    cJSON_AddNumberToObject(object, "load_seconds", r->load_s);
    cJSON_AddNumberToObject(object, "reset_seconds", r->reset_s);
    cJSON_AddNumberToObject(object, "simulated_cycles", (double)r->stats.cycles);
    cJSON_AddNumberToObject(object, "cycles_per_s", (double)r->stats.cycles / r->seconds);
    cJSON_AddNumberToObject(object, "instructions", (double)r->stats.instructions);
    cJSON_AddNumberToObject(object, "instructions_per_s",
                            (double)r->stats.instructions / r->seconds);
    cJSON_AddNumberToObject(object, "bytes_moved", bytes);
    cJSON_AddNumberToObject(object, "tensor_bytes", (double)r->tensor_bytes);
    cJSON_AddNumberToObject(object, "peak_memory_bytes", (double)r->peak_bytes);
    figures = cJSON_AddArrayToObject(object, "figures");
    for (int32_t i = 0; i < r->figures; i++) {
        const BenchFigure *f = &r->figure[i];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(figures, one);
        cJSON_AddStringToObject(one, "name", f->name);
        cJSON_AddStringToObject(one, "unit", f->unit);
        if (f->missing)
            cJSON_AddNullToObject(one, "value");
        else
            cJSON_AddNumberToObject(one, "value", f->value);
        if (f->target > 0)
            cJSON_AddNumberToObject(one, "target", f->target);
        else
            cJSON_AddNullToObject(one, "target");
        cJSON_AddBoolToObject(one, "at_least", f->at_least);
        cJSON_AddBoolToObject(one, "reached", reached(f));
    }
}

/* -- the command -- */

static bool known(const char *name, TspError *err) {
    char names[400] = "";
    for (const BenchWorkload *w = bench_workloads; w->name; w++) {
        size_t used = strlen(names);
        if (!name || !strcmp(name, w->name)) return true;
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", w->name);
    }
    return tsp_fail(err, TSP_ERR_INPUT, "there is no workload '%s'; there are: %s", name, names);
}

static bool measure(const BenchWorkload *w, const Bench *b, int64_t peak, cJSON *list, bool *all,
                    TspError *err) {
    BenchResult r = {0};
    if (!w->measure(b, &r, err)) return false;
    judge_memory(&r, peak);
    for (int32_t i = 0; i < r.figures; i++) *all = *all && reached(&r.figure[i]);
    if (list)
        add_result(list, w, &r);
    else
        print_result(w, &r);
    fflush(stdout);
    return true;
}

int cli_bench(const CliOptions *options) {
    const Bench b = {.rounds = (int32_t)options->rounds, .threads = (int32_t)options->threads};
    int64_t peak[32] = {0};
    cJSON *report = NULL, *list = NULL;
    bool all = true, done;
    TspError err;
    if (!known(options->operand, &err)) return cli_error(&err);
    if (b.rounds > BENCH_ROUNDS_MAX) {
        tsp_fail(&err, TSP_ERR_INPUT, "--rounds %d: at most %d", (int)b.rounds, BENCH_ROUNDS_MAX);
        return cli_error(&err);
    }
    if (options->json) {
        report = cJSON_CreateObject();
        cJSON_AddStringToObject(report, "kernel", kernel_names[tsp_gemm_best()]);
        cJSON_AddNumberToObject(report, "rounds", b.rounds);
        cJSON_AddNumberToObject(report, "threads", b.threads);
        list = cJSON_AddArrayToObject(report, "workloads");
    } else {
        printf("host kernel %s, %d rounds; every ratio against a floor in this process\n",
               kernel_names[tsp_gemm_best()], (int)b.rounds);
    }
    /* Memory first, while this process is small: children begin with what it holds. */
    for (int32_t i = 0; bench_workloads[i].name; i++)
        if (bench_workloads[i].once &&
            (!options->operand || !strcmp(options->operand, bench_workloads[i].name)))
            peak[i] = peak_memory(&bench_workloads[i]);
    done = true;
    for (int32_t i = 0; done && bench_workloads[i].name; i++)
        if (!options->operand || !strcmp(options->operand, bench_workloads[i].name))
            done = measure(&bench_workloads[i], &b, peak[i], list, &all, &err);
    if (done && report) {
        char *text = cJSON_Print(report);
        if (text) printf("%s\n", text);
        free(text);
    } else if (done) {
        printf("%s\n", all ? "every target reached" : "some targets missed");
    }
    cJSON_Delete(report);
    if (!done) return cli_error(&err);
    return options->strict && !all ? CLI_FAILED : CLI_DONE;
}
