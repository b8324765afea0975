/* seeded.h - random numbers for tests: the same every run, and the seed is printed.
 */
#ifndef TSP_TESTS_SEEDED_H
#define TSP_TESTS_SEEDED_H
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

#endif
