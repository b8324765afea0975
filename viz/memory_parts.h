/* memory_parts.h - what the files of the memory panel share: where its columns and rows stand.
 */
#ifndef TSP_VIZ_MEMORY_PARTS_H
#define TSP_VIZ_MEMORY_PARTS_H
#include "plan.h"
#include "label.h"

#include <math.h>

/* Lengths in scaled pixels. */
#define MARGIN        8.0f
#define HEADER        18.0f
#define LABELS        13.0f /* names of slices */
#define HEAD          6.0f  /* what lights up above a column */
#define BANK_GAP      4.0f
#define GUTTER        44.0f /* row numbers */
#define LEGEND_ROW    15.0f
#define LEGEND_WIDTH  280.0f
#define LEGEND_WITHIN 620.0f /* a panel at least so wide has its legend at the side */
#define SMALL         10.0f
#define TEXT          11.0f

/* Where everything stands, in pixels. */
typedef struct {
    const VizFrame *frame;
    const VizMemoryMap *map;
    VizFocus focus; /* of what is selected */
    int32_t slices, banks, bank_rows;
    float left, top; /* of the columns */
    float column;    /* width of a slice, whole pixels */
    float group;     /* more between those of different stream-register columns */
    float gap;       /* in the middle, where the VXM is */
    float bank;      /* height of a bank, whole pixels */
    float bank_gap;
    VizRect legend; /* no extent: there is none */
    bool gutter, labels;
} MemoryPicture;

VizTextStyle memory_style(const MemoryPicture *p, float size, VizRole role, VizAnchor anchor);
/* Left edge of a slice. West to east: the slice next to the VXM is the last of the west and the
 * first of the east. */
float memory_column_x(const MemoryPicture *p, int32_t slice);
float memory_bank_y(const MemoryPicture *p, int32_t bank);
/* The edge above a row of a bank; not rounded. */
float memory_row_y(const MemoryPicture *p, int32_t bank, double row);
/* Columns stand apart where there is room for it. */
float memory_inner_width(const MemoryPicture *p);

bool memory_is_selected(const MemoryPicture *p, int32_t tensor);
/* With the selection go its tensor and, of an op, all that it reads and writes. */
bool memory_is_strong(const MemoryPicture *p, int32_t tensor);
VizFill memory_fill(const MemoryPicture *p, int32_t tensor);

/* memory_marks.c: reads and writes of this cycle in a slice; those of all slices in words, drawn
 * from the right: returns where it ends at the left. */
void memory_draw_accesses(const MemoryPicture *p, int32_t slice);
void memory_draw_selected_row(const MemoryPicture *p);
float memory_draw_counts(const MemoryPicture *p, float right, float middle);

/* memory_legend.c */
void memory_draw_header(const MemoryPicture *p);
void memory_draw_legend(const MemoryPicture *p);

#endif
