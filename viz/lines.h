/* lines.h - a list of keys and values in a box: aligned, wrapped or cut to fit, each line a link if
 * it names a thing.
 *
 * The list is written first and drawn at once, as its columns are as wide as its widest texts. What
 * does not fit below flows into further columns if the box is wide, and is counted in the last line
 * if it is not: the most important line comes first.
 */
#ifndef TSP_VIZ_LINES_H
#define TSP_VIZ_LINES_H
#include "view.h"

enum { VIZ_LINES_MAX = 128, VIZ_LINES_CHARACTERS = 16384, VIZ_CELLS_MAX = 16 };

typedef enum {
    VIZ_LINE_TITLE,  /* in bold, with a swatch; the key stands at the right */
    VIZ_LINE_PAIR,   /* cut if it is too long */
    VIZ_LINE_NUMBER, /* number, right-aligned with all other numbers of the list, then a text */
    VIZ_LINE_PROSE,  /* wrapped */
    VIZ_LINE_CELLS,  /* a grid: as many in a row as fit, a power of two */
    VIZ_LINE_GAP
} VizLineKind;

typedef struct {
    VizLineKind kind;
    VizFace face;
    VizRole role;
    VizThing thing;                   /* that the line names and a click selects */
    const char *key, *number, *text;  /* "" where there is none */
    const char *cells[VIZ_CELLS_MAX]; /* of a grid */
    int32_t cell_count;
    bool has_swatch;
    VizFill swatch;
} VizLine;

typedef struct {
    const VizFrame *frame;
    VizLine lines[VIZ_LINES_MAX];
    int32_t count;
    char characters[VIZ_LINES_CHARACTERS];
    size_t used;
} VizLines;

void viz_lines_begin(VizLines *lines, const VizFrame *frame);
/* Each adds a line, of which the caller may change face, role and thing; when there is no room it
 * is one that is not drawn. The key is copied too. */
VizLine *viz_line_title(VizLines *lines, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
VizLine *viz_line_pair(VizLines *lines, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
VizLine *viz_line_number(VizLines *lines, const char *key, const char *number, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));
VizLine *viz_line_prose(VizLines *lines, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A pair that selects a thing. */
VizLine *viz_line_link(VizLines *lines, VizThing thing, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
VizLine *viz_line_cells(VizLines *lines, const char *key);
void viz_line_cell(VizLines *lines, VizLine *cells, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void viz_line_gap(VizLines *lines);
void viz_lines_draw(const VizLines *lines);

#endif
