/* stub.c - stands in for parts that are still being written; goes away with them. */
#include "engine.h"
#define WEAK __attribute__((weak))
WEAK uint16_t tsp_ecc_encode(const uint8_t *data, int32_t bytes) { (void)data; (void)bytes; return 0; }
WEAK TspEccVerdict tsp_ecc_check(uint8_t *data, int32_t bytes, uint16_t *check) { (void)data; (void)bytes; (void)check; return TSP_ECC_CLEAN; }
WEAK bool tsp_faults_random(const TspFaults *f, const TspProgram *p, int64_t cycle, TspFlip *flip) { (void)f; (void)p; (void)cycle; (void)flip; return false; }
WEAK bool tsp_faults_load(const char *path, const TspMachine *m, TspFlip **flips, int32_t *count, TspError *err) { (void)path; (void)m; (void)flips; (void)count; return tsp_fail(err, TSP_ERR_BUG, "stub"); }
