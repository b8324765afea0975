/* gemm_avx.c - the kernels of gemm.c for AVX2 and for AVX-512 with VNNI.
 *
 * Compiled for their instruction set whatever the flags, called only where the processor has it. A
 * tile is rows x columns of sums that stay in registers while k runs; each number of rows has a
 * tile of its own, so that a short batch costs no more than it must.
 */
#include "gemm_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define AVX2   __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline))

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

/* `rows` rows by `blocks` x 16 columns. */
AVX512 INLINE void int8_tile_avx512(const int8_t *packed, int32_t columns, int32_t depth,
                                    const uint8_t *const *a, int rows, int32_t *out,
                                    int32_t out_stride, int blocks) {
    __m512i sum[GEMM_ROWS][4];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            sum[i][b] = _mm512_setzero_si512();
        }
    }
    for (int32_t k = 0; k < depth; k += 4) {
        const int8_t *w = packed + (size_t)k * (size_t)columns;
        __m512i weights[4];
        UNROLL for (int b = 0; b < blocks; b++) {
            weights[b] = _mm512_loadu_si512(w + 64 * b);
        }
        UNROLL for (int i = 0; i < rows; i++) {
            __m512i four = _mm512_set1_epi32(four_bytes(a[i] + k));
            UNROLL for (int b = 0; b < blocks; b++) {
                sum[i][b] = _mm512_dpbusd_epi32(sum[i][b], four, weights[b]);
            }
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        int32_t *to = out + (size_t)i * (size_t)out_stride;
        UNROLL for (int b = 0; b < blocks; b++) {
            _mm512_storeu_si512(to + 16 * b, sum[i][b]);
        }
    }
}

AVX512 INLINE void int8_avx512(const int8_t *packed, int32_t columns, int32_t depth,
                               const uint8_t *const *a, int rows, int32_t *out,
                               int32_t out_stride) {
    int32_t j = 0;
    for (; j + 64 <= columns; j += 64)
        int8_tile_avx512(packed + 4 * j, columns, depth, a, rows, out + j, out_stride, 4);
    for (; j < columns; j += 16)
        int8_tile_avx512(packed + 4 * j, columns, depth, a, rows, out + j, out_stride, 1);
}

/* Without VNNI: bytes widened to 16 bits, so that no product saturates. */
AVX2 INLINE void int8_avx2(const int8_t *packed, int32_t columns, int32_t depth,
                           const uint8_t *const *a, int rows, int32_t *out, int32_t out_stride) {
    for (int32_t j = 0; j < columns; j += 8) {
        __m256i sum[GEMM_ROWS][2]; /* of 4 columns each, two partial sums a column */
        UNROLL for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = _mm256_setzero_si256();
        for (int32_t k = 0; k < depth; k += 4) {
            const void *w = packed + (size_t)k * (size_t)columns + 4 * (size_t)j;
            __m256i low = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w)),
                    high = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w + 1));
            UNROLL for (int i = 0; i < rows; i++) {
                __m256i four = _mm256_cvtepu8_epi16(_mm_set1_epi32(four_bytes(a[i] + k)));
                sum[i][0] = _mm256_add_epi32(sum[i][0], _mm256_madd_epi16(low, four));
                sum[i][1] = _mm256_add_epi32(sum[i][1], _mm256_madd_epi16(high, four));
            }
        }
        UNROLL for (int i = 0; i < rows; i++) {
            void *to = out + (size_t)i * (size_t)out_stride + j;
            __m256i both = _mm256_hadd_epi32(sum[i][0], sum[i][1]); /* columns 01 45 23 67 */
            _mm256_storeu_si256((__m256i *)to, _mm256_permute4x64_epi64(both, 0xd8));
        }
    }
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

/* The kernels that gemm.c sees: a copy of the above for every number of rows, then a constant. */
#define EACH_ROWS(CASE, kernel)                                                                    \
    CASE(1, kernel) CASE(2, kernel) CASE(3, kernel) CASE(4, kernel) CASE(5, kernel) CASE(6, kernel)
_Static_assert(GEMM_ROWS == 6, "EACH_ROWS lists 1 .. GEMM_ROWS");

#define INT8_CASE(r, kernel)                                                                       \
    case r:                                                                                        \
        kernel(packed, columns, depth, a, r, out, out_stride);                                     \
        break;
#define INT8_KERNEL(kernel)                                                                        \
    void gemm_##kernel(const int8_t *packed, int32_t columns, int32_t depth,                       \
                       const uint8_t *const *a, int32_t rows, int32_t *out, int32_t out_stride) {  \
        switch (rows) { EACH_ROWS(INT8_CASE, kernel) }                                             \
    }
#define FP16_CASE(r, kernel)                                                                       \
    case r:                                                                                        \
        kernel(w, stride, columns, depth, a, r, sum, sum_stride);                                  \
        break;
#define FP16_KERNEL(kernel)                                                                        \
    void gemm_##kernel(const float *w, int32_t stride, int32_t columns, int32_t depth,             \
                       const double *a, int32_t rows, double *sum, int32_t sum_stride) {           \
        switch (rows) { EACH_ROWS(FP16_CASE, kernel) }                                             \
    }

AVX512 INT8_KERNEL(int8_avx512)
AVX2 INT8_KERNEL(int8_avx2)
AVX512 FP16_KERNEL(fp16_avx512)
AVX2 FP16_KERNEL(fp16_avx2)
#else
typedef int gemm_avx_is_for_x86_64; /* a translation unit may not be empty */
#endif
