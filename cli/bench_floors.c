/* bench_floors.c - the arithmetic without the chip: what a simulation is measured against. */
#include "bench.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 320, ROWS = 60 };

static int32_t least(int32_t a, int32_t b) {
    return a < b ? a : b;
}

/* Sends all rows of a past one tile of b. Rows and columns beyond n are zeros. */
static void pass_tile(const TspGemmInt8 *w, const int8_t *a, uint32_t *c, int32_t n, int32_t stride,
                      int32_t k0, int32_t j0) {
    TspGemmRow rows[ROWS];
    for (int32_t i = 0; i < n; i += ROWS) {
        const int32_t count = least(ROWS, n - i);
        for (int32_t r = 0; r < count; r++) {
            uint32_t *out = c + (size_t)(i + r) * (size_t)stride + j0;
            rows[r] = (TspGemmRow){(const uint8_t *)a + (size_t)(i + r) * (size_t)stride + k0, NULL,
                                   k0 > 0 ? out : NULL, out};
        }
        tsp_gemm_int8(w, rows, count, TSP_GEMM_AUTO);
    }
}

/* a and c: [n][stride], stride a multiple of the tile. */
static void multiply_tiles(const int8_t *a, const int8_t *b, uint32_t *c, int32_t n,
                           int32_t stride) {
    static uint8_t columns[TILE * TILE];
    const uint8_t *column[TILE];
    static TspGemmInt8 w;
    for (int32_t j = 0; j < TILE; j++) column[j] = columns + j * TILE;
    for (int32_t j0 = 0; j0 < n; j0 += TILE)
        for (int32_t k0 = 0; k0 < n; k0 += TILE) {
            memset(columns, 0, sizeof columns);
            for (int32_t k = 0; k < least(TILE, n - k0); k++)
                for (int32_t j = 0; j < least(TILE, n - j0); j++)
                    columns[j * TILE + k] =
                        (uint8_t)b[(size_t)(k0 + k) * (size_t)n + (size_t)(j0 + j)];
            tsp_gemm_int8_prepare(&w, column, TILE, false, false);
            pass_tile(&w, a, c, n, stride, k0, j0);
        }
}

void bench_kernel_int8(const int8_t *a, const int8_t *b, int32_t *c, int32_t n) {
    static int8_t *wide_a;
    static uint32_t *wide_c;
    static int32_t made;
    const int32_t stride = (n + TILE - 1) / TILE * TILE;
    const size_t size = (size_t)n * (size_t)stride;
    if (made != n) { /* once: the caller's first round is not counted */
        free(wide_a);
        free(wide_c);
        wide_a = calloc(size, 1);
        wide_c = calloc(size, sizeof *wide_c);
        if (!wide_a || !wide_c) abort();
        made = n;
    }
    for (int32_t i = 0; i < n; i++)
        memcpy(wide_a + (size_t)i * (size_t)stride, a + (size_t)i * (size_t)n, (size_t)n);
    multiply_tiles(wide_a, b, wide_c, n, stride);
    for (int32_t i = 0; c && i < n; i++)
        memcpy(c + (size_t)i * (size_t)n, wide_c + (size_t)i * (size_t)stride,
               (size_t)n * sizeof *c);
}

/* oneDNN runs on OpenMP: one thread, said before it is loaded. */
static void *one_dnn(const char *function) {
    static void *library;
    setenv("OMP_NUM_THREADS", "1", 1);
    if (!library) library = dlopen("libdnnl.so.2", RTLD_NOW);
    if (!library) library = dlopen("libdnnl.so.3", RTLD_NOW);
    return library ? dlsym(library, function) : NULL;
}

bool bench_library_int8(const int8_t *a, const int8_t *b, int32_t *c, int32_t n) {
    typedef int Gemm(char, char, char, int64_t, int64_t, int64_t, float, const int8_t *, int64_t,
                     int8_t, const int8_t *, int64_t, int8_t, float, int32_t *, int64_t,
                     const int32_t *);
    const int32_t offset = 0;
    Gemm *gemm;
    *(void **)&gemm = one_dnn("dnnl_gemm_s8s8s32");
    return gemm && gemm('N', 'N', 'F', n, n, n, 1, a, n, 0, b, n, 0, 0, c, n, &offset) == 0;
}

bool bench_library_fp32(const float *a, const float *b, float *c, int32_t n) {
    typedef int Gemm(char, char, int64_t, int64_t, int64_t, float, const float *, int64_t,
                     const float *, int64_t, float, float *, int64_t);
    typedef void Blas(int, int, int, int, int, int, float, const float *, int, const float *, int,
                      float, float *, int);
    enum { ROW_MAJOR = 101, AS_IS = 111 }; /* of CBLAS */
    static void *open_blas;
    Gemm *gemm;
    Blas *blas;
    *(void **)&gemm = one_dnn("dnnl_sgemm");
    if (gemm) return gemm('N', 'N', n, n, n, 1, a, n, b, n, 0, c, n) == 0;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    if (tsp_gemm_available(TSP_GEMM_AVX512)) setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    if (!open_blas) open_blas = dlopen("libopenblas.so.0", RTLD_NOW);
    *(void **)&blas = open_blas ? dlsym(open_blas, "cblas_sgemm") : NULL;
    if (blas) blas(ROW_MAJOR, AS_IS, AS_IS, n, n, n, 1, a, n, b, n, 0, c, n);
    return blas != NULL;
}
