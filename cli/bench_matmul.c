/* bench_matmul.c - products of matrices: int8 against the bare kernel and oneDNN, on one and two
 * threads; fp16 with one rounding against a product of floats. */
#include "bench.h"

#include "isa/half.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INT8_N = 2048, FP16_N = 1024 };

static bool load_int8(BenchChip *chip, int32_t threads, TspError *err) {
    return bench_matmul(&chip->program, "int8", INT8_N, INT8_N, INT8_N, err) &&
           bench_load(chip, &(TspSimOptions){.threads = threads}, err);
}

bool bench_int8_once(const Bench *b, TspError *err) {
    BenchChip chip = {0};
    return load_int8(&chip, b->threads, err) && tsp_sim_run(chip.sim, err);
}

/* Whether both floors got what the chip got. */
static bool same_product(const BenchChip *chip, const BenchKernel *kernel,
                         const BenchLibrary *library, TspError *err) {
    int32_t *c = (int32_t *)(void *)bench_output(chip, "C", err);
    const size_t bytes = (size_t)INT8_N * INT8_N * sizeof *c;
    bool same = c && (bench_kernel_equals(kernel, c) || bench_wrong(err, "the bare kernel"));
    if (same && library->one_dnn && memcmp(c, library->c, bytes)) same = bench_wrong(err, "oneDNN");
    free(c);
    return same;
}

/* Rounds of a loaded chip, the bare kernel and oneDNN on the same matrices. */
static bool take_turns_int8(const Bench *b, BenchChip *chip, BenchKernel *kernel,
                            BenchLibrary *library, BenchResult *r, TspError *err) {
    BenchTurn turns[] = {
        {bench_run, chip, NULL, 0},
        {bench_kernel_step, kernel, NULL, 0},
        {bench_library_int8, library, library->one_dnn ? NULL : "libdnnl2", 0},
    };
    if (!bench_turns(turns, 3, b->rounds, err) || !same_product(chip, kernel, library, err))
        return false;
    bench_note(chip, &turns[0], r);
    bench_ratio(r, "to the bare kernel", "bare kernel", &turns[1], 2);
    bench_ratio(r, "to oneDNN", "oneDNN", &turns[2], 2.5);
    bench_figure(r, "products", "GMAC/s", 1e-9 * (double)INT8_N * INT8_N * INT8_N / r->seconds, 0,
                 true);
    return true;
}

bool bench_int8(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    BenchKernel kernel = {0};
    BenchLibrary library = {.n = INT8_N, .c = calloc((size_t)INT8_N * INT8_N, sizeof(int32_t))};
    uint8_t *x = NULL, *y = NULL;
    bool done = library.c || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    bench_library_open(&library, b->threads);
    done = done && load_int8(&chip, b->threads, err) && (x = bench_input(&chip, "A", err)) &&
           (y = bench_input(&chip, "B", err)) &&
           bench_kernel_init(&kernel, (int8_t *)x, (int8_t *)y, INT8_N, err);
    library.a = x;
    library.b = y;
    done = done && take_turns_int8(b, &chip, &kernel, &library, r, err);
    bench_kernel_free(&kernel);
    free(x), free(y), free(library.c);
    bench_free(&chip);
    return done;
}

/* Runs twice and counts the second: it then finds neither the other one's caches nor a second core
 * that the host has put to sleep. */
static bool run_warm(void *chip, double *seconds, TspError *err) {
    return bench_run(chip, seconds, err) && bench_run(chip, seconds, err);
}

bool bench_two_threads(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip one = {0}, two = {0};
    BenchTurn turns[] = {{run_warm, &two, NULL, 0}, {run_warm, &one, NULL, 0}};
    bool done =
        load_int8(&one, 1, err) && load_int8(&two, 2, err) && bench_turns(turns, 2, b->rounds, err);
    if (done && tsp_sim_hash(one.sim) != tsp_sim_hash(two.sim))
        done = bench_wrong(err, "the same on one thread");
    if (done) {
        bench_note(&two, &turns[0], r);
        r->threads = 2;
        bench_figure(r, "faster than one thread", "x", turns[1].seconds / turns[0].seconds, 1.7,
                     true);
        r->figure[0].floor = "one thread";
        r->figure[0].floor_s = turns[1].seconds;
    }
    bench_free(&two);
    bench_free(&one);
    return done;
}

/* -- fp16 -- */

static bool load_fp16(BenchChip *chip, int32_t threads, TspError *err) {
    return bench_matmul(&chip->program, "float16", FP16_N, FP16_N, FP16_N, err) &&
           bench_load(chip, &(TspSimOptions){.threads = threads}, err);
}

bool bench_fp16_once(const Bench *b, TspError *err) {
    BenchChip chip = {0};
    return load_fp16(&chip, b->threads, err) && tsp_sim_run(chip.sim, err);
}

/* An input of halfs as floats. */
static float *floats(const BenchChip *chip, const char *name, TspError *err) {
    const size_t size = (size_t)FP16_N * FP16_N;
    uint8_t *halfs = bench_input(chip, name, err);
    float *values = calloc(size, sizeof *values);
    for (size_t i = 0; halfs && values && i < size; i++)
        values[i] = tsp_half_to_float((uint16_t)(halfs[2 * i] | halfs[2 * i + 1] << 8));
    if (halfs && !values) tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (halfs) return free(halfs), values;
    free(values);
    return NULL;
}

/* The floats were rounded after every step, the chip's sums at the end, and then to fp16. */
static bool near_product(const BenchChip *chip, const float *want, TspError *err) {
    uint8_t *got = bench_output(chip, "C", err);
    bool near = got != NULL;
    for (size_t i = 0; near && i < (size_t)FP16_N * FP16_N; i++) {
        const float value = tsp_half_to_float((uint16_t)(got[2 * i] | got[2 * i + 1] << 8));
        if (!(fabsf(value - want[i]) <= 1e-3f * fabsf(want[i]) + 1e-3f))
            near = bench_wrong(err, "sgemm");
    }
    free(got);
    return near;
}

bool bench_fp16(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    float *x = NULL, *y = NULL, *z = calloc((size_t)FP16_N * FP16_N, sizeof *z);
    BenchLibrary library = {.n = FP16_N, .c = z};
    BenchTurn turns[] = {{bench_run, &chip, NULL, 0}, {bench_library_fp32, &library, NULL, 0}};
    bool done = z || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    bench_library_open(&library, b->threads);
    if (!library.one_dnn && !library.open_blas) turns[1].install = "libdnnl2 or libopenblas0";
    done = done && load_fp16(&chip, b->threads, err) && (x = floats(&chip, "A", err)) &&
           (y = floats(&chip, "B", err));
    library.a = x;
    library.b = y;
    done = done && bench_turns(turns, 2, b->rounds, err) &&
           (turns[1].install || near_product(&chip, z, err));
    if (done) {
        bench_note(&chip, &turns[0], r);
        bench_ratio(r, "to sgemm", library.open_blas ? "OpenBLAS" : "oneDNN", &turns[1], 6);
    }
    free(x), free(y), free(z);
    bench_free(&chip);
    return done;
}
