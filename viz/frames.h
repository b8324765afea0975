/* frames.h - pictures into files, without a window or a display.
 */
#ifndef TSP_VIZ_FRAMES_H
#define TSP_VIZ_FRAMES_H
#include "app.h"

enum { VIZ_FRAMES_MAX = 1000000 };

typedef struct {
    int64_t from, to, step; /* cycles, `to` included */
} VizFrames;

/* "A:B" or "A:B:STEP"; no frame lies beyond `end`. */
bool viz_frames_read(VizFrames *frames, const char *text, int64_t end, TspError *err);
int64_t viz_frames_count(const VizFrames *frames);

/* Writes DIR/frame-000120.png, one for each of the cycles; makes the folder if it is not there. */
bool viz_frames_write(VizApp *app, const VizFrames *frames, const char *folder, TspError *err);
/* Makes the folder if it is not there. */
bool viz_folder_make(const char *folder, TspError *err);
/* The command that makes a film of them, 30 pictures a second. */
void viz_frames_ffmpeg(const char *folder, char *text, size_t size);

#endif
