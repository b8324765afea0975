/* replay.c - feeds every file of a corpus to a fuzz target, each in a process of its own.
 *
 * fuzz_NAME [FOLDER]: without a folder, tests/fuzz/corpus/NAME.
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

static int feed(const char *path) {
    enum { LIMIT_BYTES = 1 << 20 };
    FILE *file = fopen(path, "rb");
    uint8_t *all = malloc(LIMIT_BYTES), *exact = NULL;
    size_t length = 0;
    if (!file || !all) return EXIT_FAILURE;
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
    return exact ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool passes(const char *path) {
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) exit(feed(path)); /* exit() looks for leaks too */
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == EXIT_SUCCESS;
}

int main(int count, char **arguments) {
    const char *name = strrchr(arguments[0], '_');
    char folder[256], path[600];
    int passed = 0, failed = 0;
    if (count > 1)
        snprintf(folder, sizeof folder, "%s", arguments[1]);
    else
        snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", name ? name + 1 : "");
    DIR *files = opendir(folder);
    if (!files) {
        fprintf(stderr, "%s: cannot open it; run from the repository root\n", folder);
        return EXIT_FAILURE;
    }
    for (const struct dirent *entry; (entry = readdir(files));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        bool ok = passes(path);
        if (!ok) printf("failed: %s\n", path);
        passed += ok;
        failed += !ok;
    }
    closedir(files);
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
