/* seeded.h - random numbers for tests: the same every run, and the seed is printed.
 */
#ifndef TSP_TESTS_SEEDED_H
#define TSP_TESTS_SEEDED_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state;

/* Starts a sequence; TSP_TEST_SEED in the environment chooses another. */
static inline void random_start(void) {
    const char *text = getenv("TSP_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20200530;
    printf("seed %llu (TSP_TEST_SEED sets it)\n", (unsigned long long)seed);
    fflush(stdout);
    random_state = seed != 0 ? seed : 1;
}

static inline uint64_t random_bits(void) { /* xorshift64* */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline int32_t random_below(int32_t limit) { /* 0 .. limit-1 */
    return (int32_t)((random_bits() >> 8) % (uint64_t)limit);
}

/* Every program has a seed of its own, so that it can be made again alone. */
static inline void random_from(uint64_t seed) {
    random_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}
/* Uniform in low .. high, both included. */
static inline int32_t pick(int32_t low, int32_t high) {
    return low + random_below(high - low + 1);
}
static inline bool one_in(int32_t n) {
    return pick(1, n) == 1;
}

#endif
