/* memory_marks.c - this cycle's reads and writes: triangles and squares at their rows, and how
 * many.
 */
#include "memory_parts.h"

#include <stdio.h>

static void draw_reads(const MemoryPicture *p, VizPoint at, float size) {
    const VizFrame *frame = p->frame;
    for (int32_t pass = 0; pass < 2; pass++) { /* a rim in the panel's colour, then the mark */
        const float s = size / 2 + (pass ? 0 : 1.5f * frame->px);
        const VizPoint points[] = {
            {at.x, at.y - s * 1.1f}, {at.x + s, at.y + s * 0.9f}, {at.x - s, at.y + s * 0.9f}};
        viz_canvas_polygon(frame->canvas, points, 3,
                           viz_plain(viz_colour(frame->theme, pass ? VIZ_GOOD : VIZ_PANEL)));
    }
}

static void draw_writes(const MemoryPicture *p, VizPoint at, float size, bool in_flight) {
    const VizFrame *frame = p->frame;
    const float s = size / 2, rim = 1.2f * frame->px;
    const VizRect r = {at.x - s, at.y - s, size, size};
    const VizColour colour = viz_colour(frame->theme, VIZ_WARNING);
    viz_canvas_rect(frame->canvas, (VizRect){r.x - rim, r.y - rim, r.w + 2 * rim, r.h + 2 * rim},
                    viz_plain(viz_colour(frame->theme, VIZ_PANEL)));
    if (in_flight)
        viz_canvas_outline(frame->canvas, r, 1.2f * frame->px, viz_with_alpha(colour, 0xb0));
    else
        viz_canvas_rect(frame->canvas, r, viz_plain(colour));
}

static float mark_size(const MemoryPicture *p) {
    return viz_whole(
        fminf(fmaxf(p->column - 2 * p->frame->px, 5 * p->frame->px), 9 * p->frame->px));
}

static VizPoint mark_at(const MemoryPicture *p, int32_t slice, int32_t row) {
    const int32_t bank = row / p->bank_rows;
    const double middle = row % p->bank_rows + 0.5;
    return (VizPoint){memory_column_x(p, slice) + memory_inner_width(p) / 2,
                      memory_row_y(p, bank, middle)};
}

static void mark(const MemoryPicture *p, int32_t slice, int32_t row, bool write, bool in_flight) {
    const float size = mark_size(p), half = size / 2 + p->frame->px;
    VizPoint at;
    if (row < 0 || row >= p->banks * p->bank_rows || row % p->bank_rows >= p->map->extent) return;
    at = mark_at(p, slice, row);
    if (write)
        draw_writes(p, at, size - (in_flight ? viz_whole(p->frame->px) : 0), in_flight);
    else
        draw_reads(p, at, size);
    viz_canvas_region(p->frame->canvas, (VizRect){at.x - half, at.y - half, 2 * half, 2 * half},
                      VIZ_ROW, (int64_t)slice * p->banks * p->bank_rows + row);
}

/* What the issue reads and writes: rows, or -1. Those of Gather and Scatter are data. */
static void rows_of(const MemoryPicture *p, const VizIssue *issue, int32_t *read, int32_t *write) {
    const TspInsn insn = viz_issue_insn(&p->frame->run->timeline, issue);
    *read = insn.op == TSP_OP_READ || insn.op == TSP_OP_READ_WRITE ? insn.addr : -1;
    *write = insn.op == TSP_OP_WRITE || insn.op == TSP_OP_READ_WRITE ? insn.waddr : -1;
}

void memory_draw_accesses(const MemoryPicture *p, int32_t slice) {
    const VizTimeline *line = &p->frame->run->timeline;
    const int64_t now = p->frame->view->cycle;
    VizIssue issue;
    int32_t read, write;
    for (int64_t cycle = now; viz_issue_previous(line, slice, cycle, &issue); cycle = issue.cycle) {
        if (issue.cycle + viz_burst_func(issue.burst) <= now) break;
        rows_of(p, &issue, &read, &write);
        if (write >= 0) mark(p, slice, write, true, true);
    }
    if (!viz_issue_at(line, slice, now, &issue)) return;
    rows_of(p, &issue, &read, &write);
    if (read >= 0) mark(p, slice, read, false, false);
    if (write >= 0) mark(p, slice, write, true, false);
}

void memory_draw_selected_row(const MemoryPicture *p) {
    const VizFrame *frame = p->frame;
    const float size = mark_size(p) + 6 * frame->px;
    VizPoint at;
    if (p->focus.row < 0 || p->focus.slice < 0 || p->focus.slice >= p->slices ||
        p->focus.row >= p->banks * p->bank_rows || p->focus.row % p->bank_rows >= p->map->extent)
        return;
    at = mark_at(p, p->focus.slice, p->focus.row);
    viz_canvas_outline(frame->canvas, (VizRect){at.x - size / 2, at.y - size / 2, size, size},
                       1.5f * frame->px, viz_colour(frame->theme, VIZ_ACCENT));
}

static void count_accesses(const MemoryPicture *p, int32_t *reads, int32_t *writes) {
    *reads = *writes = 0;
    for (int32_t slice = 0; slice < p->slices; slice++) {
        VizIssue issue;
        if (!viz_issue_at(&p->frame->run->timeline, slice, p->frame->view->cycle, &issue)) continue;
        *reads += issue.burst->opcode == TSP_OP_READ || issue.burst->opcode == TSP_OP_READ_WRITE ||
                  issue.burst->opcode == TSP_OP_GATHER;
        *writes += issue.burst->opcode == TSP_OP_WRITE ||
                   issue.burst->opcode == TSP_OP_READ_WRITE ||
                   issue.burst->opcode == TSP_OP_SCATTER;
    }
}

/* Drawn from the right: what stands left of it may be as long as to here. */
float memory_draw_counts(const MemoryPicture *p, float right, float middle) {
    const float px = p->frame->px;
    VizTextStyle style = memory_style(p, TEXT, VIZ_TEXT, VIZ_RIGHT);
    char text[32];
    int32_t reads, writes;
    float width;
    count_accesses(p, &reads, &writes);
    snprintf(text, sizeof text, "%d %s", writes, writes == 1 ? "write" : "writes");
    right -= viz_canvas_text(p->frame->canvas, (VizPoint){right, middle}, style, text) + 8 * px;
    draw_writes(p, (VizPoint){right, middle}, 7 * px, false);
    right -= 14 * px;
    snprintf(text, sizeof text, "%d %s", reads, reads == 1 ? "read" : "reads");
    width = viz_canvas_text(p->frame->canvas, (VizPoint){right, middle}, style, text);
    right -= width + 8 * px;
    draw_reads(p, (VizPoint){right, middle}, 7 * px);
    return right - 14 * px;
}
