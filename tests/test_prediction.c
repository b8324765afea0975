/* test_prediction.c - a program whose prediction is wrong must never end in peace.
 *
 * The file is made with the library, one cycle more promised than true, and run by tsp itself.
 */
#include "isa/program.h"

#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *tsp_path(void) {
    const char *path = getenv("TSP");
    return path ? path : "build/release/tsp";
}

/* Runs a command line, collects what it says on stdout and stderr, returns the exit status. */
static int run_command(const char *command, char *text, size_t size) {
    FILE *pipe = popen(command, "r");
    size_t length;
    int status;
    ck_assert_ptr_nonnull(pipe);
    length = fread(text, 1, size - 1, pipe);
    text[length] = 0;
    status = pclose(pipe);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* One Notify in cycle 4: its effect is barrier_cycles later. */
static void write_program(const char *path, int64_t error_cycles) {
    TspMachine m;
    TspProgram p;
    TspError err;
    TspWord word;
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    tsp_program_init(&p, &m);
    ck_assert(tsp_encode(&(TspInsn){.op = TSP_OP_NOP, .n = 4}, &word, &err));
    ck_assert(tsp_queue_push(&p.queues[0], word, NULL));
    ck_assert(tsp_encode(&(TspInsn){.op = TSP_OP_NOTIFY}, &word, &err));
    ck_assert(tsp_queue_push(&p.queues[0], word, NULL));
    p.predicted_cycles = 4 + m.barrier_cycles + error_cycles;
    if (!tsp_program_save(&p, path, &err)) ck_abort_msg("%s", err.text);
    tsp_program_free(&p);
}

static void try_prediction(int64_t error_cycles, int want_status, const char *want_text) {
    char path[SCRATCH_PATH], command[2 * SCRATCH_PATH], text[4096];
    int status;
    scratch_file(path);
    write_program(path, error_cycles);
    snprintf(command, sizeof command, "%s run %s 2>&1", tsp_path(), path);
    status = run_command(command, text, sizeof text);
    unlink(path);
    ck_assert_msg(status == want_status, "exit status %d, expected %d: %s", status, want_status,
                  text);
    ck_assert_msg(strstr(text, want_text) != NULL, "expected '%s' in: %s", want_text, text);
}

START_TEST(right) {
    try_prediction(0, 0, "difference   0 cycles");
}
END_TEST
START_TEST(too_high) {
    try_prediction(1, 3, "tsp: error: internal error: predicted 40 cycles, simulated 39");
}
END_TEST
START_TEST(too_low) {
    try_prediction(-1, 3, "tsp: error: internal error: predicted 38 cycles, simulated 39");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("prediction");
    TCase *tests = tcase_create("prediction");
    tcase_add_test(tests, right);
    tcase_add_test(tests, too_high);
    tcase_add_test(tests, too_low);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
