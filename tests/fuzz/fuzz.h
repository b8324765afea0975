/* fuzz.h - what the fuzz targets share: the entry point and checks that stop the process.
 */
#ifndef TSP_TESTS_FUZZ_H
#define TSP_TESTS_FUZZ_H
#include "isa/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Not assert(): the release build must check as much as any other. */
#define FUZZ_CHECK(holds)                                                                          \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A refusal says why, in one line of printable text. */
static inline void fuzz_check_error(const TspError *err) {
    FUZZ_CHECK(err->kind != TSP_OK);
    FUZZ_CHECK(err->kind != TSP_ERR_BUG);
    FUZZ_CHECK(memchr(err->text, 0, sizeof err->text) != NULL);
    FUZZ_CHECK(err->text[0] != 0);
    for (const char *c = err->text; *c; c++) FUZZ_CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
}

#endif
