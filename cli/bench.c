/* bench.c - tsp bench: runs the workloads, each in a process of its own, and sums up. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

const BenchWorkload bench_workloads[] = {
    {"int8-matmul", "[2048, 2048] x [2048, 2048]", bench_int8, bench_int8_once},
    {"int8-matmul-2-threads", "the same with two host threads", bench_two_threads, NULL},
    {"fp16-matmul", "[1024, 1024] x [1024, 1024]", bench_fp16, bench_fp16_once},
    {"stream-int8", "z = a x + y, 10 million int8", bench_stream_int8, bench_stream_int8_once},
    {"stream-fp32", "z = a x + y, 10 million fp32", bench_stream_fp32, bench_stream_fp32_once},
    {"histogram", "163,840 keys, gather and scatter", bench_histogram, NULL},
    {"group", "819,200 rows by 512 keys", bench_group, NULL},
    {"idle", "a billion cycles of NOP", bench_idle, NULL},
    {"smallest", "a process: one read, one write", bench_smallest, NULL},
    {"timing-only", "int8 [2304, 4096] x [4096, 4096]", bench_timing_only, bench_timing_only_once},
    {"compile", "the same, compiled", bench_compile, NULL},
    {"seek", "int8-matmul, from its end to the middle", bench_seek, bench_seek_once},
    {"seek-far", "int8 [8192, 2048] x [2048, 2048], anywhere", bench_seek_far, NULL},
    {"view", "int8 [2304, 4096] x [4096, 4096], played", bench_view, NULL},
    {"reference", "int8 [64, 320] x [320, 320]", bench_reference, NULL},
    {NULL, NULL, NULL, NULL},
};

/* What a child process hands back, in memory that both see. */
typedef struct {
    BenchResult result;
    TspError err;
    bool done;
} Answer;

/* Measures, or with `once` only runs, in a child; *usage is what it took. */
static bool in_child(const BenchWorkload *w, const Bench *b, bool once, Answer *answer,
                     struct rusage *usage, TspError *err) {
    int status = 0;
    pid_t child;
    answer->done = false;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        answer->done =
            once ? w->once(b, &answer->err) : w->measure(b, &answer->result, &answer->err);
        _exit(0);
    }
    if (child < 0 || wait4(child, &status, 0, usage) != child)
        return tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot start a process", w->name);
    if (status != 0)
        return tsp_fail(err, TSP_ERR_BUG, "%s: the process was ended by signal %d", w->name,
                        WTERMSIG(status));
    if (!answer->done) {
        *err = answer->err;
        snprintf(err->text, sizeof err->text, "%s: %.700s", w->name, answer->err.text);
    }
    return answer->done;
}

static void judge_memory(BenchResult *r) {
    const double mib = 1 << 20;
    if (r->limit_bytes == 0) r->limit_bytes = r->tensor_bytes * 3 / 2 + ((int64_t)64 << 20);
    bench_figure(r, "peak memory", "MiB", (double)r->peak_bytes / mib, (double)r->limit_bytes / mib,
                 false);
}

static bool measure(const BenchWorkload *w, const Bench *b, Answer *answer, TspError *err) {
    struct rusage usage;
    int64_t peak = 0;
    memset(answer, 0, sizeof *answer);
    if (w->once) {
        if (!in_child(w, b, true, answer, &usage, err)) return false;
        peak = (int64_t)usage.ru_maxrss * 1024;
    }
    if (!in_child(w, b, false, answer, &usage, err)) return false;
    if (peak > 0) answer->result.peak_bytes = peak;
    if (answer->result.peak_bytes > 0) judge_memory(&answer->result);
    return true;
}

/* -- the command -- */

typedef struct {
    Bench bench;
    Answer *answer;
    cJSON *list;             /* NULL: a table */
    int32_t missed, unknown; /* targets */
    int exit;
} Session;

static void one_workload(Session *s, const BenchWorkload *w) {
    TspError err;
    const bool done = measure(w, &s->bench, s->answer, &err);
    const BenchResult *r = &s->answer->result;
    if (s->list)
        cJSON_AddItemToArray(s->list, bench_json(&s->bench, w, r, done ? NULL : &err));
    else if (done)
        bench_print(&s->bench, w, r);
    if (!done) {
        const int code = cli_error(&err);
        if (code > s->exit) s->exit = code;
        return;
    }
    for (int32_t i = 0; i < r->figures; i++) {
        s->missed += !bench_reached(&r->figure[i]);
        s->unknown += r->figure[i].install != NULL;
    }
    fflush(stdout);
}

static bool check_usage(const CliOptions *options, TspError *err) {
    char names[400] = "";
    bool known = !options->operand;
    for (const BenchWorkload *w = bench_workloads; w->name; w++) {
        size_t used = strlen(names);
        known = known || !strcmp(options->operand, w->name);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", w->name);
    }
    if (!known)
        return tsp_fail(err, TSP_ERR_INPUT, "there is no workload '%s'; there are: %s",
                        options->operand, names);
    if (options->rounds > BENCH_ROUNDS_MAX)
        return tsp_fail(err, TSP_ERR_INPUT, "--rounds %lld: at most %d", (long long)options->rounds,
                        BENCH_ROUNDS_MAX);
    if (options->threads > 1024)
        return tsp_fail(err, TSP_ERR_INPUT, "--threads %lld: at most 1024",
                        (long long)options->threads);
    return true;
}

static void run_all(Session *s, const char *only) {
    for (const BenchWorkload *w = bench_workloads; w->name; w++)
        if (only ? !strcmp(only, w->name) : w->measure != NULL) one_workload(s, w);
}

static void print_json(Session *s, const char *only) {
    cJSON *report = cJSON_CreateObject();
    char *text;
    cJSON_AddStringToObject(report, "kernel", bench_kernel_name());
    cJSON_AddNumberToObject(report, "rounds", s->bench.rounds);
    cJSON_AddNumberToObject(report, "threads", s->bench.threads);
    s->list = cJSON_AddArrayToObject(report, "workloads");
    run_all(s, only);
    text = cJSON_Print(report);
    if (text) printf("%s\n", text);
    cJSON_free(text);
    cJSON_Delete(report);
}

static void print_table(Session *s, const char *only) {
    printf("kernel %s, threads %d, medians of %d rounds, turn by turn with the floors\n",
           bench_kernel_name(), (int)s->bench.threads, (int)s->bench.rounds);
    run_all(s, only);
    printf("targets missed: %d; not measured for want of a library: %d\n", (int)s->missed,
           (int)s->unknown);
}

int cli_bench(const CliOptions *options) {
    Session s = {
        .bench = {(int32_t)options->rounds, options->threads ? (int32_t)options->threads : 1}};
    TspError err;
    int code;
    if (options->operand && !strcmp(options->operand, "view") && cli_left_to_viewer(options, &code))
        return code;
    if (!check_usage(options, &err)) return cli_error(&err);
    s.answer =
        mmap(NULL, sizeof *s.answer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s.answer == MAP_FAILED) {
        tsp_fail(&err, TSP_ERR_SYSTEM, "out of memory");
        return cli_error(&err);
    }
    if (options->json)
        print_json(&s, options->operand);
    else
        print_table(&s, options->operand);
    munmap(s.answer, sizeof *s.answer);
    if (s.exit) return s.exit;
    return options->strict && s.missed ? CLI_FAILED : CLI_DONE;
}
