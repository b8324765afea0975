/* gemm_avx.c - the kernels of gemm_int8.c and gemm_fp16.c for AVX2 and for AVX-512 with VNNI.
 *
 * Compiled for their instruction set whatever the flags, called only where the processor has it. A
 * tile is rows x columns of sums that stay in registers while k runs; each number of rows has a
 * tile of its own, so that a short batch costs no more than it must.
 */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("O3", "no-trapping-math") /* as in gemm_fp16.c */
#endif
#include "gemm_fp16_block.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define AVX2   __attribute__((target("avx2,fma")))

/* Arrays of sums become registers only if every loop over them is unrolled. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

INLINE int32_t four_bytes(const uint8_t *from) {
    int32_t four;
    memcpy(&four, from, 4);
    return four;
}

/* Unsigned bytes times signed ones, four to a sum: which of the two the activations are. */
AVX512 INLINE __m512i dot_avx512(__m512i sum, __m512i four, __m512i weights, bool a_signed) {
    return a_signed ? _mm512_dpbusd_epi32(sum, weights, four)
                    : _mm512_dpbusd_epi32(sum, four, weights);
}

/* What the sums of a row start from, whatever the column: `shift` times the sum of the row. */
AVX512 INLINE __m512i bias_avx512(const TspGemmInt8 *w, const uint8_t *a, bool a_signed) {
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sum = _mm512_setzero_si512();
    if (w->shift == 0) return sum;
    for (int32_t k = 0; k < w->depth; k += 64) {
        int32_t left = w->depth - k;
        __mmask64 some = left < 64 ? (UINT64_C(1) << left) - 1 : UINT64_MAX;
        sum = dot_avx512(sum, _mm512_maskz_loadu_epi8(some, a + k), ones, a_signed);
    }
    return _mm512_set1_epi32(
        (int32_t)((uint32_t)_mm512_reduce_add_epi32(sum) * (uint32_t)w->shift));
}

/* `rows` rows by `blocks` x 16 columns from column j on, `width` columns a panel. */
AVX512 INLINE void int8_tile_avx512(const uint8_t *packed, int32_t width, int32_t depth,
                                    const TspGemmRow *row, const __m512i *bias, int32_t j, int rows,
                                    int blocks, bool a_signed) {
    __m512i sum[GEMM_ROWS][4];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            sum[i][b] = bias[i];
            if (row[i].add)
                sum[i][b] = _mm512_add_epi32(bias[i], _mm512_loadu_si512(row[i].add + j + 16 * b));
        }
    }
    for (int32_t k = 0; k < depth; k += 4) {
        const uint8_t *from = packed + (size_t)k * (size_t)width;
        __m512i weights[4];
        UNROLL for (int b = 0; b < blocks; b++) {
            weights[b] = _mm512_loadu_si512(from + 64 * b);
        }
        UNROLL for (int i = 0; i < rows; i++) {
            __m512i four = _mm512_set1_epi32(four_bytes(row[i].low + k));
            UNROLL for (int b = 0; b < blocks; b++) {
                sum[i][b] = dot_avx512(sum[i][b], four, weights[b], a_signed);
            }
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            _mm512_storeu_si512(row[i].out + j + 16 * b, sum[i][b]);
        }
    }
}

/* A panel past `rows` rows. */
AVX512 INLINE void int8_panel_avx512(const TspGemmInt8 *w, int32_t j0, const TspGemmRow *row,
                                     const __m512i *bias, int rows, bool a_signed) {
    const int32_t width = gemm_panel_width(w, j0);
    const int32_t left = w->columns - j0, columns = left < width ? left : width;
    const uint8_t *packed = gemm_panel(w, j0);
    if (columns == GEMM_PANEL) {
        int8_tile_avx512(packed, width, w->depth, row, bias, j0, rows, 4, a_signed);
        return;
    }
    for (int32_t j = 0; j < columns; j += 16)
        int8_tile_avx512(packed + 4 * j, width, w->depth, row, bias, j0 + j, rows, 1, a_signed);
}

/* Sums of a panel over 16 columns, without VNNI: bytes widened to 16 bits, so that no product
 * saturates. */
AVX2 INLINE __m256i wide_avx2(__m128i bytes, bool is_signed) {
    return is_signed ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

AVX2 INLINE void int8_tile_avx2(const uint8_t *packed, int32_t width, int32_t depth,
                                const TspGemmRow *row, const int32_t *bias, int32_t j, int rows,
                                bool a_signed) {
    __m256i sum[GEMM_ROWS][2]; /* of 4 columns each, two partial sums a column */
    UNROLL for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = _mm256_setzero_si256();
    for (int32_t k = 0; k < depth; k += 4) {
        const void *from = packed + (size_t)k * (size_t)width;
        __m256i low = wide_avx2(_mm_loadu_si128((const __m128i *)from), !a_signed),
                high = wide_avx2(_mm_loadu_si128((const __m128i *)from + 1), !a_signed);
        UNROLL for (int i = 0; i < rows; i++) {
            __m256i four = wide_avx2(_mm_set1_epi32(four_bytes(row[i].low + k)), a_signed);
            sum[i][0] = _mm256_add_epi32(sum[i][0], _mm256_madd_epi16(low, four));
            sum[i][1] = _mm256_add_epi32(sum[i][1], _mm256_madd_epi16(high, four));
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        __m256i both = _mm256_hadd_epi32(sum[i][0], sum[i][1]); /* columns 01 45 23 67 */
        both = _mm256_add_epi32(_mm256_permute4x64_epi64(both, 0xd8), _mm256_set1_epi32(bias[i]));
        if (row[i].add)
            both = _mm256_add_epi32(both, _mm256_loadu_si256((const __m256i *)(row[i].add + j)));
        _mm256_storeu_si256((__m256i *)(row[i].out + j), both);
    }
}

AVX2 INLINE void int8_panel_avx2(const TspGemmInt8 *w, int32_t j0, const TspGemmRow *row,
                                 const int32_t *bias, int rows, bool a_signed) {
    const int32_t width = gemm_panel_width(w, j0);
    const int32_t left = w->columns - j0, columns = left < width ? left : width;
    for (int32_t j = 0; j < columns; j += 8)
        int8_tile_avx2(gemm_panel(w, j0) + 4 * j, width, w->depth, row, bias, j0 + j, rows,
                       a_signed);
}

AVX2 INLINE int32_t bias_avx2(const TspGemmInt8 *w, const uint8_t *a, bool a_signed) {
    uint32_t sum = 0;
    for (int32_t k = 0; w->shift && k < w->depth; k++) {
        const int32_t x = a_signed ? (int8_t)a[k] : a[k];
        sum += (uint32_t)x;
    }
    return (int32_t)(sum * (uint32_t)w->shift);
}

/* `rows` rows by `blocks` x 8 columns. */
AVX512 INLINE void fp16_tile_avx512(const float *w, int32_t stride, int32_t depth, const double *a,
                                    int rows, double *sum, int32_t sum_stride, int blocks) {
    __m512d total[GEMM_ROWS][4];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            total[i][b] = _mm512_setzero_pd();
        }
    }
    for (int32_t k = 0; k < depth; k++) {
        const float *from = w + (size_t)k * (size_t)stride;
        __m512d weights[4];
        UNROLL for (int b = 0; b < blocks; b++) {
            weights[b] = _mm512_cvtps_pd(_mm256_loadu_ps(from + 8 * b));
        }
        UNROLL for (int i = 0; i < rows; i++) {
            __m512d x = _mm512_set1_pd(a[i * TSP_GEMM_MAX + k]);
            UNROLL for (int b = 0; b < blocks; b++) {
                total[i][b] = _mm512_fmadd_pd(x, weights[b], total[i][b]);
            }
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        double *to = sum + (size_t)i * (size_t)sum_stride;
        UNROLL for (int b = 0; b < blocks; b++) {
            _mm512_storeu_pd(to + 8 * b, total[i][b]);
        }
    }
}

AVX512 INLINE void fp16_avx512(const float *w, int32_t stride, int32_t columns, int32_t depth,
                               const double *a, int rows, double *sum, int32_t sum_stride) {
    int32_t j = 0;
    for (; j + 32 <= columns; j += 32)
        fp16_tile_avx512(w + j, stride, depth, a, rows, sum + j, sum_stride, 4);
    for (; j < columns; j += 8)
        fp16_tile_avx512(w + j, stride, depth, a, rows, sum + j, sum_stride, 1);
}

AVX2 INLINE void fp16_avx2(const float *w, int32_t stride, int32_t columns, int32_t depth,
                           const double *a, int rows, double *sum, int32_t sum_stride) {
    for (int32_t j = 0; j < columns; j += 8) {
        __m256d total[GEMM_ROWS][2];
        UNROLL for (int i = 0; i < rows; i++) total[i][0] = total[i][1] = _mm256_setzero_pd();
        for (int32_t k = 0; k < depth; k++) {
            const float *from = w + (size_t)k * (size_t)stride + j;
            __m256d low = _mm256_cvtps_pd(_mm_loadu_ps(from)),
                    high = _mm256_cvtps_pd(_mm_loadu_ps(from + 4));
            UNROLL for (int i = 0; i < rows; i++) {
                __m256d x = _mm256_set1_pd(a[i * TSP_GEMM_MAX + k]);
                total[i][0] = _mm256_fmadd_pd(x, low, total[i][0]);
                total[i][1] = _mm256_fmadd_pd(x, high, total[i][1]);
            }
        }
        UNROLL for (int i = 0; i < rows; i++) {
            _mm256_storeu_pd(sum + (size_t)i * (size_t)sum_stride + j, total[i][0]);
            _mm256_storeu_pd(sum + (size_t)i * (size_t)sum_stride + j + 4, total[i][1]);
        }
    }
}

/* The kernels that the others see: a copy of the above for every number of rows, then a constant.
 */
#define EACH_ROWS(CASE, kernel)                                                                    \
    CASE(1, kernel) CASE(2, kernel) CASE(3, kernel) CASE(4, kernel) CASE(5, kernel) CASE(6, kernel)
_Static_assert(GEMM_ROWS == 6, "EACH_ROWS lists 1 .. GEMM_ROWS");

#define INT8_CASE(r, kernel)                                                                       \
    case r:                                                                                        \
        if (w->activations_signed)                                                                 \
            int8_panel_##kernel(w, j, rows + i, bias + i, r, true);                                \
        else                                                                                       \
            int8_panel_##kernel(w, j, rows + i, bias + i, r, false);                               \
        break;
/* GEMM_BATCH rows at a time pass every panel. */
enum { GEMM_BATCH = 16 * GEMM_ROWS };
#define INT8_KERNEL(kernel, Bias)                                                                  \
    static void int8_batch_##kernel(const TspGemmInt8 *w, const TspGemmRow *rows, int32_t count) { \
        Bias bias[GEMM_BATCH];                                                                     \
        for (int32_t i = 0; i < count; i++)                                                        \
            bias[i] = bias_##kernel(w, rows[i].low, w->activations_signed);                        \
        for (int32_t j = 0; j < w->columns; j += GEMM_PANEL)                                       \
            for (int32_t i = 0; i < count; i += GEMM_ROWS)                                         \
                switch (count - i < GEMM_ROWS ? count - i : GEMM_ROWS) {                           \
                    EACH_ROWS(INT8_CASE, kernel)                                                   \
                }                                                                                  \
    }                                                                                              \
    void gemm_int8_##kernel(const TspGemmInt8 *w, const TspGemmRow *rows, int32_t count) {         \
        for (int32_t i = 0; i < count; i += GEMM_BATCH)                                            \
            int8_batch_##kernel(w, rows + i, count - i < GEMM_BATCH ? count - i : GEMM_BATCH);     \
    }
#define FP16_CASE(r, kernel)                                                                       \
    case r:                                                                                        \
        kernel(w, stride, columns, depth, a, r, sum, sum_stride);                                  \
        break;
#define FP16_SUMS(kernel)                                                                          \
    static void sums_##kernel(const float *w, int32_t stride, int32_t columns, int32_t depth,      \
                              const double *a, int32_t rows, double *sum, int32_t sum_stride) {    \
        switch (rows) { EACH_ROWS(FP16_CASE, kernel) }                                             \
    }

AVX512 INT8_KERNEL(avx512, __m512i)
AVX2 INT8_KERNEL(avx2, int32_t)
AVX512 FP16_SUMS(fp16_avx512)
AVX2 FP16_SUMS(fp16_avx2)

#define FP16_KERNEL(kernel)                                                                        \
    void gemm_##kernel(const TspGemmFp16 *w, const TspGemmRow *rows, int32_t count) {              \
        for (int32_t i = 0; i < count; i += GEMM_ROWS)                                             \
            fp16_block(w, rows + i, count - i < GEMM_ROWS ? count - i : GEMM_ROWS, sums_##kernel); \
    }
AVX512 FP16_KERNEL(fp16_avx512)
AVX2 FP16_KERNEL(fp16_avx2)
#else
typedef int gemm_avx_is_for_x86_64; /* a translation unit may not be empty */
#endif
