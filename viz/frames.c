/* frames.c - one picture a cycle into a folder; see frames.h.
 */
#include "frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool number(const char **text, int64_t *value) {
    char *end;
    errno = 0;
    if (**text < '0' || **text > '9') return false;
    *value = strtoll(*text, &end, 10);
    *text = end;
    return !errno;
}

bool viz_frames_read(VizFrames *frames, const char *text, int64_t end, TspError *err) {
    const char *at = text;
    bool good = number(&at, &frames->from) && *at++ == ':' && number(&at, &frames->to);
    frames->step = 1;
    if (good && *at) good = *at++ == ':' && number(&at, &frames->step) && !*at;
    if (!good || frames->step < 1 || frames->from > frames->to)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "--frames %s: expected A:B or A:B:STEP, cycles, A no later than B", text);
    if (frames->to > end)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "--frames %s: the run ends in cycle %" PRId64 "; go no further", text, end);
    if (viz_frames_count(frames) > VIZ_FRAMES_MAX)
        return tsp_fail(err, TSP_ERR_INPUT, "--frames %s: more than %d pictures; take larger steps",
                        text, VIZ_FRAMES_MAX);
    return true;
}

int64_t viz_frames_count(const VizFrames *frames) {
    return (frames->to - frames->from) / frames->step + 1;
}

bool viz_folder_make(const char *folder, TspError *err) {
    if (!mkdir(folder, 0777) || errno == EEXIST) return true;
    return tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot make the folder: %s", folder, strerror(errno));
}

bool viz_frames_write(VizApp *app, const VizFrames *frames, const char *folder, TspError *err) {
    const size_t size = strlen(folder) + 64;
    char *path = malloc(size);
    bool done = path != NULL;
    if (!path) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    done = done && viz_folder_make(folder, err);
    for (int64_t cycle = frames->from; done && cycle <= frames->to; cycle += frames->step) {
        snprintf(path, size, "%s/frame-%06" PRId64 ".png", folder, cycle);
        viz_app_go(app, cycle);
        done = viz_app_write(app, path, err);
    }
    free(path);
    return done;
}

void viz_frames_ffmpeg(const char *folder, char *text, size_t size) {
    char pattern[1024], film[1024];
    snprintf(pattern, sizeof pattern, "%s/frame-*.png", folder);
    snprintf(film, sizeof film, "%s/film.mp4", folder);
    snprintf(text, size, "ffmpeg -framerate 30 -pattern_type glob -i ");
    viz_quote(text, size, pattern);
    strncat(text, " -pix_fmt yuv420p ", size - strlen(text) - 1);
    viz_quote(text, size, film);
}
