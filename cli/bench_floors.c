/* bench_floors.c - the work without the chip: what a simulation is measured against. */
#include "bench.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* -- the MXM's kernel in plain loops -- */

enum { TILE = TSP_GEMM_MAX, ROWS = 64 };

bool bench_kernel_init(BenchKernel *k, const int8_t *a, const int8_t *b, int32_t n, TspError *err) {
    const size_t side = (size_t)n, wide = (side + TILE - 1) / TILE * TILE;
    *k = (BenchKernel){.n = n, .stride = (int32_t)wide};
    k->a = calloc(side * wide, 1);
    k->columns = calloc(wide * wide, 1);
    k->c = calloc(side * wide, sizeof *k->c);
    k->weights = aligned_alloc(64, (sizeof *k->weights + 63) / 64 * 64);
    if (!k->a || !k->columns || !k->c || !k->weights) {
        bench_kernel_free(k);
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    }
    for (size_t i = 0; i < side; i++) {
        memcpy(k->a + i * wide, a + i * side, side);
        for (size_t j = 0; j < side; j++) k->columns[j * wide + i] = (uint8_t)b[i * side + j];
    }
    return true;
}

void bench_kernel_free(BenchKernel *k) {
    free(k->a), free(k->columns), free(k->c), free(k->weights);
}

/* Sends all rows of A past one tile of B. */
static void pass_tile(const BenchKernel *k, int32_t k0, int32_t j0) {
    TspGemmRow rows[ROWS];
    for (int32_t i = 0; i < k->n; i += ROWS) {
        const int32_t count = k->n - i < ROWS ? k->n - i : ROWS;
        for (int32_t r = 0; r < count; r++) {
            const size_t row = (size_t)(i + r) * (size_t)k->stride;
            uint32_t *out = k->c + row + j0;
            rows[r] = (TspGemmRow){k->a + row + k0, NULL, k0 > 0 ? out : NULL, out};
        }
        tsp_gemm_int8(k->weights, rows, count, TSP_GEMM_AUTO);
    }
}

bool bench_kernel_step(void *kernel, double *seconds, TspError *err) {
    const BenchKernel *k = kernel;
    const double start = bench_now();
    const uint8_t *columns[TILE];
    (void)err;
    for (int32_t j0 = 0; j0 < k->stride; j0 += TILE)
        for (int32_t k0 = 0; k0 < k->stride; k0 += TILE) {
            for (int32_t j = 0; j < TILE; j++)
                columns[j] = k->columns + (size_t)(j0 + j) * (size_t)k->stride + k0;
            tsp_gemm_int8_prepare(k->weights, columns, TILE, false, false);
            pass_tile(k, k0, j0);
        }
    *seconds = bench_now() - start;
    return true;
}

bool bench_kernel_equals(const BenchKernel *k, const int32_t *c) {
    const size_t n = (size_t)k->n;
    for (size_t i = 0; i < n; i++)
        if (memcmp(k->c + i * (size_t)k->stride, c + i * n, n * sizeof *c)) return false;
    return true;
}

/* -- libraries, if they are installed -- */

typedef int OneDnnInt8(char, char, char, int64_t, int64_t, int64_t, float, const int8_t *, int64_t,
                       int8_t, const int8_t *, int64_t, int8_t, float, int32_t *, int64_t,
                       const int32_t *);
typedef int OneDnnFp32(char, char, int64_t, int64_t, int64_t, float, const float *, int64_t,
                       const float *, int64_t, float, float *, int64_t);
typedef void OpenBlasFp32(int, int, int, int, int, int, float, const float *, int, const float *,
                          int, float, float *, int);

/* Both read their number of threads from the environment as they are loaded. */
void bench_library_open(BenchLibrary *library, int32_t threads) {
    char count[16];
    snprintf(count, sizeof count, "%d", (int)threads);
    setenv("OMP_NUM_THREADS", count, 1);
    setenv("OPENBLAS_NUM_THREADS", count, 1);
    /* OpenBLAS knows fewer processors by name than there are with AVX-512. */
    if (tsp_gemm_available(TSP_GEMM_AVX512)) setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    library->one_dnn = dlopen("libdnnl.so.2", RTLD_NOW);
    if (!library->one_dnn) library->one_dnn = dlopen("libdnnl.so.3", RTLD_NOW);
    if (!library->one_dnn) library->open_blas = dlopen("libopenblas.so.0", RTLD_NOW);
}

static bool failed(TspError *err, const char *function) {
    return tsp_fail(err, TSP_ERR_SYSTEM, "%s of the installed library does not work", function);
}

bool bench_library_int8(void *context, double *seconds, TspError *err) {
    const BenchLibrary *l = context;
    void *symbol = dlsym(l->one_dnn, "dnnl_gemm_s8s8s32");
    const int32_t offset = 0, n = l->n;
    double start;
    OneDnnInt8 *gemm;
    memcpy(&gemm, &symbol, sizeof gemm); /* C has no cast from a datum to a function */
    if (!symbol) return failed(err, "dnnl_gemm_s8s8s32");
    start = bench_now();
    if (gemm('N', 'N', 'F', n, n, n, 1, l->a, n, 0, l->b, n, 0, 0, l->c, n, &offset))
        return failed(err, "dnnl_gemm_s8s8s32");
    *seconds = bench_now() - start;
    return true;
}

bool bench_library_fp32(void *context, double *seconds, TspError *err) {
    enum { ROW_MAJOR = 101, AS_IS = 111 }; /* of CBLAS */
    const BenchLibrary *l = context;
    void *symbol =
        l->one_dnn ? dlsym(l->one_dnn, "dnnl_sgemm") : dlsym(l->open_blas, "cblas_sgemm");
    const int32_t n = l->n;
    double start;
    OneDnnFp32 *gemm;
    OpenBlasFp32 *blas;
    if (!symbol) return failed(err, "sgemm");
    memcpy(&gemm, &symbol, sizeof gemm);
    memcpy(&blas, &symbol, sizeof blas);
    start = bench_now();
    if (!l->one_dnn)
        blas(ROW_MAJOR, AS_IS, AS_IS, n, n, n, 1, l->a, n, l->b, n, 0, l->c, n);
    else if (gemm('N', 'N', n, n, n, 1, l->a, n, l->b, n, 0, l->c, n))
        return failed(err, "dnnl_sgemm");
    *seconds = bench_now() - start;
    return true;
}

/* -- memcpy -- */

bool bench_copy_init(BenchCopy *copy, size_t bytes, TspError *err) {
    *copy = (BenchCopy){malloc(bytes), malloc(bytes), bytes};
    if (!copy->from || !copy->to) {
        bench_copy_free(copy);
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    }
    memset(copy->from, 1, bytes);
    memset(copy->to, 2, bytes);
    return true;
}

void bench_copy_free(BenchCopy *copy) {
    free(copy->from), free(copy->to);
}

bool bench_copy_step(void *context, double *seconds, TspError *err) {
    BenchCopy *copy = context;
    const double start = bench_now();
    memcpy(copy->to, copy->from, copy->bytes);
    *seconds = bench_now() - start;
    copy->from[0] ^= copy->to[copy->bytes - 1]; /* so that no compiler leaves the copy out */
    (void)err;
    return true;
}
