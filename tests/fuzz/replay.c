/* replay.c - feeds every file of a corpus to a fuzz target; ends with "N passed, M failed".
 *
 * fuzz_NAME [FOLDER]: without a folder, tests/fuzz/corpus/NAME.
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

static bool feed(const char *path) {
    enum { LIMIT_BYTES = 1 << 20 };
    FILE *file = fopen(path, "rb");
    uint8_t *all = malloc(LIMIT_BYTES), *exact = NULL;
    size_t length = 0;
    if (!file || !all) return false;
    length = fread(all, 1, LIMIT_BYTES, file);
    fclose(file);
    /* As large as the input and no larger, so that a sanitizer sees reads beyond its end. */
    exact = malloc(length ? length : 1);
    if (exact) {
        memcpy(exact, all, length);
        LLVMFuzzerTestOneInput(exact, length);
    }
    free(all);
    free(exact);
    return exact != NULL;
}

/* Whether a process of its own survives files first .. first+count-1. */
static bool pass(const char *folder, struct dirent *const *files, int first, int count) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        for (int i = first; i < first + count; i++) {
            char path[600];
            snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
            if (!feed(path)) exit(EXIT_FAILURE);
        }
        exit(EXIT_SUCCESS); /* looks for leaks too */
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == EXIT_SUCCESS;
}

static int is_input(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

int main(int count, char **arguments) {
    const char *name = strrchr(arguments[0], '_');
    struct dirent **files;
    char folder[256];
    int failed = 0;
    snprintf(folder, sizeof folder, "%s%s", count > 1 ? "" : "tests/fuzz/corpus/",
             count > 1 ? arguments[1]
             : name    ? name + 1
                       : "");
    int inputs = scandir(folder, &files, is_input, alphasort);
    if (inputs < 0) {
        fprintf(stderr, "%s: cannot read it; run from the repository root\n", folder);
        return EXIT_FAILURE;
    }
    /* One after another only to say which. */
    bool all = pass(folder, files, 0, inputs);
    for (int i = 0; i < inputs; i++) {
        bool ok = all || pass(folder, files, i, 1);
        if (!ok) printf("failed: %s/%s\n", folder, files[i]->d_name);
        failed += !ok;
        free(files[i]);
    }
    free(files);
    if (!all && !failed) failed = 1, inputs++; /* only together: still a failure */
    printf("%d passed, %d failed\n", inputs - failed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
