/* lanes.c - the VXM's arithmetic in plain C, and which instruction set's loops to use. */
#include "lanes_kernel.h"
#include "lanes.h"

#define LANES_SET tsp_lanes_plain
extern const TspLanes tsp_lanes_plain, tsp_lanes_avx2, tsp_lanes_avx512;
#include "lanes_loops.h"

const TspLanes *tsp_lanes_of(TspGemmKernel kernel) {
    if (kernel == TSP_GEMM_AUTO || !tsp_gemm_available(kernel)) kernel = tsp_gemm_best();
#if defined(__x86_64__)
    if (kernel == TSP_GEMM_AVX512) return &tsp_lanes_avx512;
    if (kernel == TSP_GEMM_AVX2) return &tsp_lanes_avx2;
#endif
    return &tsp_lanes_plain;
}

bool tsp_lanes_knows(const TspInsn *insn) {
    return knows(insn);
}

bool tsp_lanes_op(const TspInsn *insn, const uint32_t *a, const uint32_t *b, uint32_t *out,
                  int32_t n) {
    return tsp_lanes_of(TSP_GEMM_AUTO)->operate(insn, a, b, out, n);
}

void tsp_lanes_load(uint32_t *reg, const uint8_t *const *planes, TspDtype type, int32_t n) {
    tsp_lanes_of(TSP_GEMM_AUTO)->load(reg, planes, type, n);
}

void tsp_lanes_store(uint8_t *const *planes, const uint32_t *reg, TspDtype type, int32_t n) {
    tsp_lanes_of(TSP_GEMM_AUTO)->store(planes, reg, type, n);
}
