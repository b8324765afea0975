/* bench_time.c - what is measured in time alone: idling, starting, timing without values,
 * compiling, going back, the reference engine. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_idle(FILE *out, const TspMachine *m, const void *unused) {
    (void)m, (void)unused;
    fputs(".tensor X, int8, [1, 320], input @ mem.w0:0\n@mem.w0\n read X, s0.e\n"
          " at 1000000000\n read X, s0.e\n",
          out);
}

bool bench_idle(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    BenchTurn run = {bench_run, &chip, NULL, 0};
    bool done = bench_assemble(&chip.program, write_idle, NULL, err) &&
                bench_load(&chip, &(TspSimOptions){.threads = b->threads}, err) &&
                bench_turns(&run, 1, b->rounds, err);
    if (done) {
        bench_note(&chip, &run, r);
        bench_figure(r, "run", "ms", 1e3 * r->seconds, 50, false);
    }
    bench_free(&chip);
    return done;
}

/* -- a process -- */

static const char small_text[] = ".tensor X, int8, [1, 320], input @ mem.w0:0\n"
                                 ".tensor Y, int8, [1, 320], output @ mem.e4:0\n"
                                 "@mem.w0\n read X, s0.e\n@mem.e4\n at 4 write Y, s0.e\n";

typedef struct {
    char folder[256], path[280];
    int64_t peak_bytes; /* the greatest of all starts */
} Small;

/* One run of this very program, from start to exit. */
static bool start_to_exit(void *context, double *seconds, TspError *err) {
    Small *small = context;
    const double start = bench_now();
    struct rusage usage;
    int status;
    const pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout)) _exit(1);
        execl("/proc/self/exe", "tsp", "run", small->path, (char *)NULL);
        _exit(1);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        return tsp_fail(err, TSP_ERR_SYSTEM, "cannot run this program again");
    *seconds = bench_now() - start;
    if ((int64_t)usage.ru_maxrss * 1024 > small->peak_bytes)
        small->peak_bytes = (int64_t)usage.ru_maxrss * 1024;
    return true;
}

bool bench_smallest(const Bench *b, BenchResult *r, TspError *err) {
    const char *base = getenv("TMPDIR");
    Small small = {0};
    BenchTurn run = {start_to_exit, &small, NULL, 0};
    bool done;
    snprintf(small.folder, sizeof small.folder, "%.200s/tsp-bench-XXXXXX",
             base && *base ? base : "/tmp");
    if (!mkdtemp(small.folder))
        return tsp_fail(err, TSP_ERR_SYSTEM, "cannot make the folder %s", small.folder);
    snprintf(small.path, sizeof small.path, "%s/small.s", small.folder);
    done = cli_write_file(small.path, small_text, sizeof small_text - 1, err) &&
           bench_turns(&run, 1, b->rounds, err);
    unlink(small.path);
    rmdir(small.folder);
    if (!done) return false;
    r->seconds = run.seconds;
    r->peak_bytes = small.peak_bytes;
    r->limit_bytes = (int64_t)32 << 20;
    bench_figure(r, "start to exit", "ms", 1e3 * r->seconds, 15, false);
    return true;
}

/* -- timing alone, compiling -- */

bool bench_compile_big(TspProgram *p, TspError *err) {
    return bench_matmul(p, "int8", 2304, 4096, 4096, err);
}

static bool load_timing(BenchChip *chip, TspError *err) {
    return bench_compile_big(&chip->program, err) &&
           bench_load(chip, &(TspSimOptions){.timing_only = true}, err);
}

bool bench_timing_only_once(const Bench *b, TspError *err) {
    BenchChip chip = {0};
    (void)b;
    return load_timing(&chip, err) && tsp_sim_run(chip.sim, err);
}

bool bench_timing_only(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    BenchTurn run = {bench_run, &chip, NULL, 0};
    bool done = load_timing(&chip, err) && bench_turns(&run, 1, b->rounds, err);
    if (done && tsp_sim_stats(chip.sim).cycles != chip.program.predicted_cycles)
        done = bench_wrong(err, "the compiler's prediction");
    if (done) {
        bench_note(&chip, &run, r);
        bench_figure(r, "million instructions/s", "",
                     1e-6 * (double)r->stats.instructions / r->seconds, 20, true);
    }
    bench_free(&chip);
    return done;
}

static bool compile_step(void *context, double *seconds, TspError *err) {
    BenchChip *chip = context;
    const double start = bench_now();
    if (!bench_compile_big(&chip->program, err)) return false;
    *seconds = bench_now() - start;
    return true;
}

/* Follows a compile_step; what that one made is used up. */
static bool load_step(void *context, double *seconds, TspError *err) {
    BenchChip *chip = context;
    const bool done = bench_load(chip, NULL, err);
    *seconds = chip->load_s;
    bench_free(chip);
    return done;
}

bool bench_compile(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    BenchTurn turns[] = {{compile_step, &chip, NULL, 0}, {load_step, &chip, NULL, 0}};
    if (!bench_turns(turns, 2, b->rounds, err)) return false;
    r->seconds = turns[0].seconds;
    r->load_s = turns[1].seconds;
    bench_figure(r, "compile", "ms", 1e3 * turns[0].seconds, 0, false);
    bench_figure(r, "load", "ms", 1e3 * turns[1].seconds, 0, false);
    return true;
}

/* -- going back -- */

enum { SEEK_N = 2048, SEEK_HISTORY = 64 << 20 }; /* int8-matmul's; bytes */

typedef struct {
    BenchChip *chip;
    int32_t divisor; /* of the whole: where to go */
} Seek;

static bool seek_step(void *context, double *seconds, TspError *err) {
    const Seek *seek = context;
    const double start = bench_now();
    if (!tsp_sim_seek(seek->chip->sim, seek->chip->program.predicted_cycles / seek->divisor, err))
        return false;
    *seconds = bench_now() - start;
    return true;
}

static bool load_seek(BenchChip *chip, const Bench *b, TspError *err) {
    return bench_matmul(&chip->program, "int8", SEEK_N, SEEK_N, SEEK_N, err) &&
           bench_load(chip, &(TspSimOptions){.threads = b->threads, .history_bytes = SEEK_HISTORY},
                      err);
}

bool bench_seek_once(const Bench *b, TspError *err) {
    BenchChip chip = {0};
    Seek half = {&chip, 2}, third = {&chip, 3};
    double seconds;
    return load_seek(&chip, b, err) && tsp_sim_run(chip.sim, err) &&
           seek_step(&half, &seconds, err) && seek_step(&third, &seconds, err);
}

/* Where it went back to is where it comes by from cycle 0. */
static bool same_place(BenchChip *chip, TspError *err) {
    const int64_t cycle = tsp_sim_now(chip->sim);
    const uint64_t hash = tsp_sim_hash(chip->sim);
    if (!tsp_sim_seek(chip->sim, 0, err) || !tsp_sim_run_until(chip->sim, cycle, err)) return false;
    return tsp_sim_hash(chip->sim) == hash || bench_wrong(err, "the same by way of a seek");
}

bool bench_seek(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    Seek half = {&chip, 2}, third = {&chip, 3};
    BenchTurn turns[] = {
        {bench_run, &chip, NULL, 0}, {seek_step, &half, NULL, 0}, {seek_step, &third, NULL, 0}};
    bool done =
        load_seek(&chip, b, err) && bench_turns(turns, 3, b->rounds, err) && same_place(&chip, err);
    if (done) {
        bench_note(&chip, &turns[1], r);
        r->stats = (TspSimStats){0}; /* of a state gone back to, not of the work of a seek */
        bench_ratio(r, "back to a half, to a run", "whole run", &turns[0], 0);
        bench_figure(r, "back to a third, to a run", "x", turns[2].seconds / turns[0].seconds, 0,
                     false);
        bench_figure(r, "back to a third", "ms", 1e3 * turns[2].seconds, 0, false);
    }
    bench_free(&chip);
    return done;
}

/* -- the reference engine -- */

bool bench_reference(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip fast = {0}, slow = {0};
    BenchTurn turns[] = {{bench_run, &slow, NULL, 0}, {bench_run, &fast, NULL, 0}};
    bool done = bench_matmul(&fast.program, "int8", 64, 320, 320, err) &&
                bench_matmul(&slow.program, "int8", 64, 320, 320, err) &&
                bench_load(&fast, NULL, err) &&
                bench_load(&slow, &(TspSimOptions){.engine = TSP_ENGINE_REFERENCE}, err) &&
                bench_turns(turns, 2, b->rounds, err);
    if (done && tsp_sim_digest(fast.sim) != tsp_sim_digest(slow.sim))
        done = bench_wrong(err, "the reference engine");
    if (done) {
        bench_note(&slow, &turns[0], r);
        bench_ratio(r, "to the fast engine", "fast engine", &turns[1], 1000);
    }
    bench_free(&slow);
    bench_free(&fast);
    return done;
}

/* To places all over a run of 100,000 cycles that has been made once, as a viewer does. */
enum { FAR_M = 8192, FAR_HISTORY = 256 << 20, FAR_SEEKS = 40 };

typedef struct {
    BenchChip *chip;
    uint32_t place;
    double worst;
} Far;

static bool far_step(void *context, double *seconds, TspError *err) {
    Far *far = context;
    double took[FAR_SEEKS];
    for (int32_t i = 0; i < FAR_SEEKS; i++) {
        const double start = bench_now();
        far->place = far->place * 1664525u + 1013904223u;
        if (!tsp_sim_seek(far->chip->sim,
                          (int64_t)((double)far->place / 0x1p32 *
                                    (double)far->chip->program.predicted_cycles),
                          err))
            return false;
        took[i] = bench_now() - start;
        if (took[i] > far->worst) far->worst = took[i];
    }
    *seconds = bench_median(took, FAR_SEEKS);
    return true;
}

bool bench_seek_far(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    Far far = {.chip = &chip};
    BenchTurn turn = {far_step, &far, NULL, 0};
    bool done =
        bench_matmul(&chip.program, "int8", FAR_M, SEEK_N, SEEK_N, err) &&
        bench_load(&chip, &(TspSimOptions){.threads = b->threads, .history_bytes = FAR_HISTORY},
                   err);
    double start = bench_now();
    done = done && tsp_sim_run(chip.sim, err);
    start = bench_now() - start;
    done = done && bench_turns(&turn, 1, b->rounds, err);
    if (done) {
        r->seconds = turn.seconds;
        r->load_s = chip.load_s;
        bench_figure(r, "cycles", "", (double)chip.program.predicted_cycles, 0, false);
        bench_figure(r, "the run that keeps states", "ms", 1e3 * start, 0, false);
        bench_figure(r, "a seek, median", "ms", 1e3 * turn.seconds, 0, false);
        bench_figure(r, "a seek, at worst", "ms", 1e3 * far.worst, 100, false);
    }
    bench_free(&chip);
    return done;
}
