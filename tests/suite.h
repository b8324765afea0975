/* suite.h - what every Check program of tests/ does the same way.
 */
#ifndef TSP_TESTS_SUITE_H
#define TSP_TESTS_SUITE_H
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Check's own notes every assertion that it comes by in a file, so as to know the last one before a
 * crash: a system call each, and these suites make them by the million. */
#undef ck_assert_msg
#define ck_assert_msg(expr, ...)                                                                   \
    ((expr) ? (void)0                                                                              \
            : _ck_assert_failed(__FILE__, __LINE__, "Assertion '" #expr "' failed", __VA_ARGS__))

/* Runs a suite and frees it; the exit status of the program. */
static inline int run_suite(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    int failed;
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

enum { SCRATCH_PATH = 256 };

/* Makes an empty file where the host keeps temporary ones (TMPDIR, else what its C library says);
 * the caller removes it. */
static inline void scratch_file(char path[SCRATCH_PATH]) {
    const char *folder = getenv("TMPDIR");
    int handle;
    snprintf(path, SCRATCH_PATH, "%s/tsp-test-XXXXXX", folder ? folder : P_tmpdir);
    handle = mkstemp(path);
    ck_assert_msg(handle >= 0, "no temporary file %s", path);
    close(handle);
}

#endif
