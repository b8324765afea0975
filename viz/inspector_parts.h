/* inspector_parts.h - what the files of the inspector share: each writes the lines of some things.
 */
#ifndef TSP_VIZ_INSPECTOR_PARTS_H
#define TSP_VIZ_INSPECTOR_PARTS_H
#include "lines.h"
#include "plan.h"
#include "words.h"

static inline const VizRun *viz_lines_run(const VizLines *l) {
    return l->frame->run;
}

void viz_inspect_queue(VizLines *l, int32_t queue);
void viz_inspect_burst(VizLines *l, int32_t burst);
void viz_inspect_op(VizLines *l, int32_t op);
void viz_inspect_tensor(VizLines *l, int32_t tensor);
void viz_inspect_register(VizLines *l, int32_t stream, int32_t column);
void viz_inspect_row(VizLines *l, int32_t slice, int32_t row);

/* Lines that more than one thing has. Those that name a tensor or an op have its swatch; nothing is
 * written for -1. */
void viz_inspect_link_tensor(VizLines *l, const char *key, int32_t tensor);
void viz_inspect_link_op(VizLines *l, const char *key, int32_t op);
void viz_inspect_link_queue(VizLines *l, const char *key, int32_t queue);
void viz_inspect_link_issue(VizLines *l, const char *key, const VizIssue *issue);
/* "12 cycles ago", "now", "in 1 cycle": of a cycle, seen from the one looked at. */
const char *viz_inspect_when(char text[VIZ_WORDS], const VizLines *l, int64_t cycle);
/* Interval predicted and simulated, and their difference; nothing for -1. */
void viz_inspect_intervals(VizLines *l, int32_t op);

/* The piece of a tensor that lies in this row of memory, and which of its rows that is; NULL: no
 * tensor lies there. */
const TspPiece *viz_inspect_piece(const VizRun *run, int32_t tensor, int32_t slice, int32_t row,
                                  int32_t *index);
/* "row 16 of 64, columns 320 to 639, byte 1 of 2": what of the tensor the piece has in its row. */
const char *viz_inspect_part(char text[VIZ_WORDS], const TspTensor *tensor, const TspPiece *piece,
                             int32_t index);

/* The first lanes of a vector: `planes` byte planes of elements of the type, plane 0 the lowest
 * byte; NULL where a plane is not there. In hex, plane `shown` alone if there are more, and as
 * numbers if all planes are there. */
typedef struct {
    TspDtype dtype; /* TSP_I8 where nothing is known */
    int32_t planes, shown;
    const uint8_t *bytes[4];
} VizValue;
void viz_inspect_value(VizLines *l, const VizValue *value);

#endif
