/* gemm.c - products of a plane: which kernel this host runs.
 */
#include "gemm_kernels.h"

bool tsp_gemm_available(TspGemmKernel kernel) {
    if (kernel == TSP_GEMM_AUTO || kernel == TSP_GEMM_PLAIN) return true;
#if defined(__x86_64__)
    if (kernel == TSP_GEMM_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (kernel == TSP_GEMM_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vnni");
#endif
    return false;
}

TspGemmKernel tsp_gemm_best(void) {
    if (tsp_gemm_available(TSP_GEMM_AVX512)) return TSP_GEMM_AVX512;
    if (tsp_gemm_available(TSP_GEMM_AVX2)) return TSP_GEMM_AVX2;
    return TSP_GEMM_PLAIN;
}

GemmKernels gemm_kernels(TspGemmKernel kernel) {
    if (kernel == TSP_GEMM_AUTO || !tsp_gemm_available(kernel)) kernel = tsp_gemm_best();
#if defined(__x86_64__)
    if (kernel == TSP_GEMM_AVX512) return (GemmKernels){gemm_int8_avx512, gemm_fp16_avx512};
    if (kernel == TSP_GEMM_AVX2) return (GemmKernels){gemm_int8_avx2, gemm_fp16_avx2};
#endif
    return (GemmKernels){gemm_int8_plain, gemm_fp16_plain};
}
