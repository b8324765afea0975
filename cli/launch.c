/* launch.c - what of tsp is in tsp-view: a program of its own beside this one, so that loading the
 * viewer's libraries, 50 ms, is left to those who look.
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int launch(const CliOptions *options) {
    char path[4096 + 16];
    char *slash;
    const ssize_t length = readlink("/proc/self/exe", path, 4096);
    TspError err;
    for (int32_t i = 0; i < options->inputs.count; i++)
        ((char *)options->inputs.list[i].path)[-1] = '='; /* where the parser has cut NAME=FILE */
    path[length > 0 ? length : 0] = 0;
    slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, "tsp-view");
    fflush(NULL);
    execv(path, options->argv - 1); /* with a name before the command's */
    if (errno == ENOENT)
        tsp_fail(&err, TSP_ERR_NOT_MODELLED,
                 "this tsp was built without the viewer; install libsdl2-dev, libsdl2-ttf-dev and "
                 "libpng-dev, and build it again");
    else
        tsp_fail(&err, TSP_ERR_SYSTEM, "cannot start %s: %s", path, strerror(errno));
    return cli_error(&err);
}

int cli_view(const CliOptions *options) {
    return launch(options);
}

bool cli_left_to_viewer(const CliOptions *options, int *code) {
    *code = launch(options);
    return true;
}
