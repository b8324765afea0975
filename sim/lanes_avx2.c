/* lanes_avx2.c - the loops of lanes_loops.h for AVX2, called only where the processor has it. */
#include "lanes_kernel.h"
#include "lanes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif
#define LANES_SHUFFLE
#define LANES_SET tsp_lanes_avx2
extern const TspLanes tsp_lanes_avx2;
#include "lanes_loops.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
#else
typedef int lanes_avx2_is_for_x86_64; /* a translation unit may not be empty */
#endif
