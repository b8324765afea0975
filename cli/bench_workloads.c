/* bench_workloads.c - the workloads of tsp bench, each with its floor and its target. */
#include "bench.h"

#include "compiler/compile.h"
#include "isa/half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool wrong(TspError *err, const char *what) {
    return tsp_fail(err, TSP_ERR_BUG, "the simulated chip and %s disagree; please report it", what);
}

/* The bytes of a tensor after a run; NULL if there is none of the name. */
static uint8_t *output(const BenchRun *run, const char *name, TspError *err) {
    for (int32_t i = 0; i < run->program.tensor_count; i++) {
        const TspTensor *t = &run->program.tensors[i];
        uint8_t *data;
        if (t->role != TSP_ROLE_OUTPUT || strcmp(t->name, name)) continue;
        data = calloc((size_t)tsp_tensor_bytes(t) + 1, 1);
        if (data && tsp_sim_read_tensor(run->sim, i, data, err)) return data;
        free(data);
        return NULL;
    }
    tsp_fail(err, TSP_ERR_BUG, "bench: no output %s", name);
    return NULL;
}

static uint8_t *input(const TspProgram *p, const char *name) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (!strcmp(p->tensors[i].name, name)) return bench_input(&p->tensors[i], i);
    return NULL;
}

static void note_run(const BenchRun *run, BenchResult *r) {
    r->stats = tsp_sim_stats(run->sim);
    r->tensor_bytes = bench_tensor_bytes(&run->program);
}

/* Loads, and notes how long that took. */
static bool load(BenchRun *run, const Bench *b, BenchResult *r, TspError *err) {
    const double start = bench_now();
    if (!bench_load(run, &(TspSimOptions){.threads = b->threads}, err)) return false;
    r->load_s = bench_now() - start;
    return true;
}

static void close_run(BenchRun *run) {
    bench_unload(run);
    tsp_program_free(&run->program);
}

/* -- matmul -- */

enum { INT8_N = 2048, FP16_N = 1024 };

static bool once_int8(BenchRun *run, TspError *err) {
    double seconds;
    return bench_matmul(&run->program, "int8", INT8_N, INT8_N, INT8_N, err) &&
           bench_load(run, &(TspSimOptions){0}, err) && bench_run(run, &seconds, NULL, err);
}

static bool once_fp16(BenchRun *run, TspError *err) {
    double seconds;
    return bench_matmul(&run->program, "float16", FP16_N, FP16_N, FP16_N, err) &&
           bench_load(run, &(TspSimOptions){0}, err) && bench_run(run, &seconds, NULL, err);
}

/* Rounds of a loaded int8 run, the bare kernel and oneDNN, turn by turn. */
static bool measure_int8(const Bench *b, BenchRun *run, BenchResult *r, TspError *err) {
    const size_t size = (size_t)INT8_N * INT8_N;
    int8_t *a = (int8_t *)input(&run->program, "A"), *w = (int8_t *)input(&run->program, "B");
    int32_t *bare = calloc(size, sizeof *bare), *library = calloc(size, sizeof *library);
    double run_s[BENCH_ROUNDS_MAX], bare_s[BENCH_ROUNDS_MAX], library_s[BENCH_ROUNDS_MAX],
        reset_s[BENCH_ROUNDS_MAX], start;
    uint8_t *c = NULL;
    bool done = a && w && bare && library, installed = done;
    if (!done) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    bench_kernel_int8(a, w, bare, INT8_N); /* what is made once */
    installed = bench_library_int8(a, w, library, INT8_N);
    done = bench_run(run, run_s, reset_s, err);
    for (int32_t i = 0; done && i < b->rounds; i++) {
        start = bench_now();
        bench_kernel_int8(a, w, NULL, INT8_N);
        bare_s[i] = bench_now() - start;
        start = bench_now();
        if (installed) bench_library_int8(a, w, library, INT8_N);
        library_s[i] = bench_now() - start;
        done = bench_run(run, &run_s[i], &reset_s[i], err);
    }
    done = done && (c = output(run, "C", err));
    if (done && memcmp(c, bare, size * sizeof *bare)) done = wrong(err, "the bare kernel");
    if (done && installed && memcmp(c, library, size * sizeof *library))
        done = wrong(err, "oneDNN");
    if (done) {
        r->seconds = bench_median(run_s, b->rounds);
        r->reset_s = bench_median(reset_s, b->rounds);
        bench_figure(r, "GMAC/s", "", 1e-9 * (double)size * INT8_N / r->seconds, 0, true);
        bench_figure(r, "to the bare kernel", "x", r->seconds / bench_median(bare_s, b->rounds), 2,
                     false);
        bench_figure(r, "to oneDNN", "x", r->seconds / bench_median(library_s, b->rounds), 2.5,
                     false);
        r->figure[r->figures - 1].missing = !installed;
    }
    free(a), free(w), free(bare), free(library), free(c);
    return done;
}

static bool int8_matmul(const Bench *b, BenchResult *r, TspError *err) {
    BenchRun run = {0};
    bool done;
    if (!bench_matmul(&run.program, "int8", INT8_N, INT8_N, INT8_N, err)) return false;
    done = load(&run, b, r, err) && measure_int8(b, &run, r, err);
    if (done) note_run(&run, r);
    close_run(&run);
    return done;
}

/* Each round runs either twice and counts the second: neither then finds the other's caches, nor a
 * second core that the host has put to sleep. */
static bool two_threads(const Bench *b, BenchResult *r, TspError *err) {
    BenchRun one = {0}, two = {0};
    double one_s[BENCH_ROUNDS_MAX], two_s[BENCH_ROUNDS_MAX];
    bool done;
    if (!bench_matmul(&one.program, "int8", INT8_N, INT8_N, INT8_N, err)) return false;
    two.program = one.program;
    done = bench_load(&one, &(TspSimOptions){.threads = 1}, err) &&
           bench_load(&two, &(TspSimOptions){.threads = 2}, err) &&
           bench_run(&one, one_s, NULL, err) && bench_run(&two, two_s, NULL, err);
    for (int32_t i = 0; done && i < b->rounds; i++)
        done = bench_run(&one, &one_s[i], NULL, err) && bench_run(&one, &one_s[i], NULL, err) &&
               bench_run(&two, &two_s[i], NULL, err) && bench_run(&two, &two_s[i], NULL, err);
    if (done && tsp_sim_hash(one.sim) != tsp_sim_hash(two.sim)) done = wrong(err, "itself");
    if (done) {
        r->seconds = bench_median(two_s, b->rounds);
        bench_figure(r, "faster than one thread", "x", bench_median(one_s, b->rounds) / r->seconds,
                     1.7, true);
        note_run(&two, r);
    }
    bench_unload(&two);
    close_run(&one);
    return done;
}

static bool fp16_matmul(const Bench *b, BenchResult *r, TspError *err) {
    const size_t size = (size_t)FP16_N * FP16_N;
    BenchRun run = {0};
    double run_s[BENCH_ROUNDS_MAX], floor_s[BENCH_ROUNDS_MAX], start;
    float *x = calloc(3 * size, sizeof *x);
    bool done = x != NULL, installed = false;
    if (!done) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (size_t i = 0; i < 2 * size; i++) x[i] = (float)(i % 1021) / 1021;
    done = bench_matmul(&run.program, "float16", FP16_N, FP16_N, FP16_N, err) &&
           load(&run, b, r, err) && bench_run(&run, run_s, NULL, err);
    installed = bench_library_fp32(x, x + size, x + 2 * size, FP16_N);
    for (int32_t i = 0; done && i < b->rounds; i++) {
        start = bench_now();
        if (installed) bench_library_fp32(x, x + size, x + 2 * size, FP16_N);
        floor_s[i] = bench_now() - start;
        done = bench_run(&run, &run_s[i], NULL, err);
    }
    if (done) {
        r->seconds = bench_median(run_s, b->rounds);
        bench_figure(r, "to sgemm", "x", r->seconds / bench_median(floor_s, b->rounds), 6, false);
        r->figure[0].missing = !installed;
        note_run(&run, r);
    }
    free(x);
    close_run(&run);
    return done;
}

/* -- streaming -- */

static bool once_stream(BenchRun *run, TspError *err, bool fp32) {
    double seconds;
    return bench_stream(&run->program, fp32, err) && bench_load(run, &(TspSimOptions){0}, err) &&
           bench_run(run, &seconds, NULL, err);
}
static bool once_stream_int8(BenchRun *run, TspError *err) {
    return once_stream(run, err, false);
}
static bool once_stream_fp32(BenchRun *run, TspError *err) {
    return once_stream(run, err, true);
}

/* Whether z of the first flow is a x + y. */
static bool check_stream(const BenchRun *run, bool fp32, TspError *err) {
    uint8_t *x = input(&run->program, "x0"), *y = input(&run->program, "y0"),
            *z = output(run, "z0", err);
    int32_t differ = 0;
    const int64_t count = tsp_tensor_bytes(&run->program.tensors[0]) / (fp32 ? 4 : 1);
    for (int64_t i = 0; z && i < count; i++) {
        int32_t s = (int8_t)x[i] * 3;
        if (fp32) {
            differ += ((float *)z)[i] != ((float *)x)[i] * 1.5f + ((float *)y)[i];
            continue;
        }
        s = (s < -128 ? -128 : s > 127 ? 127 : s) + (int8_t)y[i];
        differ += (int8_t)z[i] != (s < -128 ? -128 : s > 127 ? 127 : s);
    }
    free(x), free(y);
    if (!z) return false;
    free(z);
    return differ == 0 || wrong(err, "the host");
}

static bool stream(const Bench *b, BenchResult *r, TspError *err, bool fp32) {
    const size_t bytes = fp32 ? 120000000 : 30000000;
    BenchRun run = {0};
    double run_s[BENCH_ROUNDS_MAX], floor_s[BENCH_ROUNDS_MAX], start;
    uint8_t *from = malloc(bytes), *to = malloc(bytes);
    bool done = from && to;
    if (!done) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    memset(from, 1, bytes);
    memset(to, 2, bytes);
    done = bench_stream(&run.program, fp32, err) && load(&run, b, r, err) &&
           bench_run(&run, run_s, NULL, err);
    for (int32_t i = 0; done && i < b->rounds; i++) {
        start = bench_now();
        memcpy(to, from, bytes);
        floor_s[i] = bench_now() - start;
        from[i] = to[i + 1];
        done = bench_run(&run, &run_s[i], NULL, err);
    }
    done = done && check_stream(&run, fp32, err);
    if (done) {
        r->seconds = bench_median(run_s, b->rounds);
        bench_figure(r, "to memcpy", "x", r->seconds / bench_median(floor_s, b->rounds), 5, false);
        note_run(&run, r);
    }
    free(from), free(to);
    close_run(&run);
    return done;
}
static bool stream_int8(const Bench *b, BenchResult *r, TspError *err) {
    return stream(b, r, err, false);
}
static bool stream_fp32(const Bench *b, BenchResult *r, TspError *err) {
    return stream(b, r, err, true);
}

enum { STEPS = 8192, KEYS = 256 };

/* The plain loop: keys of a superlane are counted together, as the chip does. */
static void count_keys(const uint8_t *map, int32_t *counts) {
    for (int32_t r = 0; r < STEPS; r++)
        for (int32_t k = 0; k < 20; k++) counts[k * KEYS + map[r * 320 + k * 16]]++;
}

static bool check_counts(const BenchRun *run, const int32_t *want, TspError *err) {
    int32_t *table = (int32_t *)(void *)output(run, "result", err);
    bool same = true;
    if (!table) return false;
    for (int32_t i = 0; i < 20 * KEYS; i++) {
        int32_t got = 0;
        for (int32_t copy = 0; copy < 32; copy++)
            got += table[(copy * KEYS + i % KEYS) * 320 + i / KEYS * 16];
        same = same && got == want[i];
    }
    free(table);
    return same || wrong(err, "the plain loop");
}

static bool histogram(const Bench *b, BenchResult *r, TspError *err) {
    BenchRun run = {0};
    double run_s[BENCH_ROUNDS_MAX], floor_s[BENCH_ROUNDS_MAX], start;
    int32_t counts[20 * KEYS];
    uint8_t *map;
    bool done = bench_histogram(&run.program, STEPS, err) && load(&run, b, r, err) &&
                bench_run(&run, run_s, NULL, err);
    map = done ? input(&run.program, "map") : NULL;
    done = done && map;
    for (int32_t i = 0; done && i < b->rounds; i++) {
        memset(counts, 0, sizeof counts);
        start = bench_now();
        count_keys(map, counts);
        floor_s[i] = bench_now() - start;
        done = bench_run(&run, &run_s[i], NULL, err);
    }
    done = done && check_counts(&run, counts, err);
    if (done) {
        r->seconds = bench_median(run_s, b->rounds);
        bench_figure(r, "to the plain loop", "x", r->seconds / bench_median(floor_s, b->rounds), 0,
                     false);
        note_run(&run, r);
    }
    free(map);
    close_run(&run);
    return done;
}

/* -- time -- */

static bool idle(const Bench *b, BenchResult *r, TspError *err) {
    BenchRun run = {0};
    double run_s[BENCH_ROUNDS_MAX];
    bool done = bench_assemble(&run.program,
                               ".tensor X, int8, [1, 320], input @ mem.w0:0\n@mem.w0\n"
                               " read X, s0.e\n at 1000000000\n read X, s0.e\n",
                               err) &&
                load(&run, b, r, err);
    for (int32_t i = 0; done && i < b->rounds; i++) done = bench_run(&run, &run_s[i], NULL, err);
    if (done) {
        r->seconds = bench_median(run_s, b->rounds);
        bench_figure(r, "run", "ms", 1e3 * r->seconds, 50, false);
        note_run(&run, r);
    }
    close_run(&run);
    return done;
}

/* One run of this very program, from start to exit. */
static bool start_to_exit(const char *path, double *seconds, TspError *err) {
    const double start = bench_now();
    int status;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout)) _exit(1);
        execl("/proc/self/exe", "tsp", "run", path, (char *)NULL);
        _exit(1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        return tsp_fail(err, TSP_ERR_SYSTEM, "cannot run this program again");
    *seconds = bench_now() - start;
    return true;
}

static const char small_text[] = ".tensor X, int8, [1, 320], input @ mem.w0:0\n"
                                 ".tensor Y, int8, [1, 320], output @ mem.e4:0\n"
                                 "@mem.w0\n read X, s0.e\n@mem.e4\n at 4 write Y, s0.e\n";

static bool once_smallest(BenchRun *run, TspError *err) {
    double seconds;
    return bench_assemble(&run->program, small_text, err) &&
           bench_load(run, &(TspSimOptions){0}, err) && bench_run(run, &seconds, NULL, err);
}

static bool smallest(const Bench *b, BenchResult *r, TspError *err) {
    char folder[] = "/tmp/tsp-bench-XXXXXX", path[64];
    double run_s[BENCH_ROUNDS_MAX];
    bool done = mkdtemp(folder) != NULL;
    if (!done) return tsp_fail(err, TSP_ERR_SYSTEM, "cannot make a folder in /tmp");
    snprintf(path, sizeof path, "%s/small.s", folder);
    done = cli_write_file(path, small_text, sizeof small_text - 1, err);
    for (int32_t i = 0; done && i < b->rounds; i++) done = start_to_exit(path, &run_s[i], err);
    unlink(path);
    rmdir(folder);
    if (!done) return false;
    r->seconds = bench_median(run_s, b->rounds);
    bench_figure(r, "start to exit", "ms", 1e3 * r->seconds, 15, false);
    return true;
}

static bool once_timing(BenchRun *run, TspError *err) {
    double seconds;
    return bench_matmul(&run->program, "int8", 2304, 4096, 4096, err) &&
           bench_load(run, &(TspSimOptions){.timing_only = true}, err) &&
           bench_run(run, &seconds, NULL, err);
}

static bool timing_only(const Bench *b, BenchResult *r, TspError *err) {
    BenchRun run = {0};
    double run_s[BENCH_ROUNDS_MAX];
    bool done = once_timing(&run, err);
    for (int32_t i = 0; done && i < b->rounds; i++) done = bench_run(&run, &run_s[i], NULL, err);
    if (done) {
        r->seconds = bench_median(run_s, b->rounds);
        note_run(&run, r);
        bench_figure(r, "million instructions/s", "",
                     1e-6 * (double)r->stats.instructions / r->seconds, 20, true);
        bench_figure(r, "predicted - simulated", "cycles",
                     (double)(run.program.predicted_cycles - r->stats.cycles), 0, false);
    }
    close_run(&run);
    return done;
}

static bool compile(const Bench *b, BenchResult *r, TspError *err) {
    BenchRun run = {0};
    double compile_s[BENCH_ROUNDS_MAX], load_s[BENCH_ROUNDS_MAX], start;
    for (int32_t i = 0; i < b->rounds; i++) {
        start = bench_now();
        if (!bench_matmul(&run.program, "int8", 2304, 4096, 4096, err)) return false;
        compile_s[i] = bench_now() - start;
        start = bench_now();
        if (!bench_load(&run, &(TspSimOptions){.threads = b->threads}, err)) return false;
        load_s[i] = bench_now() - start;
        r->tensor_bytes = bench_tensor_bytes(&run.program);
        close_run(&run);
    }
    r->seconds = bench_median(compile_s, b->rounds);
    r->load_s = bench_median(load_s, b->rounds);
    bench_figure(r, "compile", "ms", 1e3 * r->seconds, 0, false);
    bench_figure(r, "load, inputs included", "ms", 1e3 * r->load_s, 0, false);
    return true;
}

static bool once_seek(BenchRun *run, TspError *err) {
    return once_int8(run, err) && tsp_sim_seek(run->sim, tsp_sim_now(run->sim) / 2, err);
}

static bool seek(const Bench *b, BenchResult *r, TspError *err) {
    BenchRun run = {0};
    double run_s[BENCH_ROUNDS_MAX], seek_s[BENCH_ROUNDS_MAX], start;
    bool done = once_int8(&run, err);
    for (int32_t i = 0; done && i < b->rounds; i++) {
        done = bench_run(&run, &run_s[i], NULL, err);
        start = bench_now();
        done = done && tsp_sim_seek(run.sim, run.program.predicted_cycles / 2, err);
        seek_s[i] = bench_now() - start;
    }
    if (done) {
        r->seconds = bench_median(seek_s, b->rounds);
        bench_figure(r, "back to the middle", "ms", 1e3 * r->seconds, 0, false);
        bench_figure(r, "to the whole run", "x", r->seconds / bench_median(run_s, b->rounds), 0,
                     false);
        note_run(&run, r);
    }
    close_run(&run);
    return done;
}

static bool reference(const Bench *b, BenchResult *r, TspError *err) {
    BenchRun fast = {0}, slow = {0};
    double fast_s[BENCH_ROUNDS_MAX], slow_s;
    bool done;
    if (!bench_matmul(&fast.program, "int8", 64, 320, 320, err)) return false;
    slow.program = fast.program;
    done = bench_load(&fast, &(TspSimOptions){0}, err) &&
           bench_load(&slow, &(TspSimOptions){.engine = TSP_ENGINE_REFERENCE}, err) &&
           bench_run(&slow, &slow_s, NULL, err);
    for (int32_t i = 0; done && i < b->rounds; i++) done = bench_run(&fast, &fast_s[i], NULL, err);
    if (done && tsp_sim_digest(fast.sim) != tsp_sim_digest(slow.sim))
        done = wrong(err, "the reference engine");
    if (done) {
        r->seconds = slow_s;
        bench_figure(r, "slower than the fast engine", "x",
                     slow_s / bench_median(fast_s, b->rounds), 1000, false);
        note_run(&slow, r);
    }
    bench_unload(&slow);
    close_run(&fast);
    return done;
}

const BenchWorkload bench_workloads[] = {
    {"int8-matmul", "[2048, 2048] x [2048, 2048], all planes", int8_matmul, once_int8},
    {"two-threads", "the same with two host threads", two_threads, NULL},
    {"fp16-matmul", "[1024, 1024] x [1024, 1024]", fp16_matmul, once_fp16},
    {"stream-int8", "z = a x + y, 10 million int8", stream_int8, once_stream_int8},
    {"stream-fp32", "z = a x + y, 10 million fp32", stream_fp32, once_stream_fp32},
    {"histogram", "163,840 keys, gather and scatter", histogram, NULL},
    {"idle", "a billion cycles of NOP", idle, NULL},
    {"smallest", "one read and one write, a process", smallest, once_smallest},
    {"timing-only", "int8 [2304, 4096] x [4096, 4096]", timing_only, once_timing},
    {"compile", "the same, compiled and loaded", compile, NULL},
    {"seek", "int8-matmul, from its end", seek, once_seek},
    {"reference", "int8 [64, 320] x [320, 320]", reference, NULL},
    {NULL, NULL, NULL, NULL},
};
