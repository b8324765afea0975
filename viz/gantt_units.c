/* gantt_units.c - rows of units: how busy they are in each slot of time, and single issues where
 * there is room.
 */
#include "gantt_parts.h"

#include <math.h>
#include <stdio.h>

/* Scaled pixels: narrower bursts get no region, edge and text of their own. */
#define BURST_LEAST 4.0f

typedef struct {
    VizSlot sum[GANTT_SLOTS_MAX];
    float cycles[GANTT_SLOTS_MAX];
} Counts;

static float slot_x(const Gantt *g, int32_t i) {
    return gantt_x(g, g->slots.origin + i * g->slots.step);
}

static void count(const Gantt *g, const GanttRow *row, Counts *counts) {
    for (int32_t i = 0; i < g->slots.count; i++) {
        counts->sum[i] = (VizSlot){0, 0, -1, -1};
        counts->cycles[i] = 0;
    }
    for (int32_t i = 0; i < row->tracks; i++)
        viz_track_add(g->run->gantt, g->t, row->track + i * row->step, &g->slots, counts->sum,
                      counts->cycles);
    if (row->tracks == 0) viz_queue_add(g->t, row->queue, &g->slots, counts->sum, counts->cycles);
}

static float share_of(const Gantt *g, const GanttRow *row, const Counts *counts) {
    double issues = 0, cycles = 0;
    for (int32_t i = 0; i < g->slots.count; i++) {
        issues += (double)counts->sum[i].issues;
        cycles += (double)counts->cycles[i];
    }
    return cycles > 0 && row->capacity ? (float)(issues / cycles / row->capacity) : 0;
}

/* -- slots -- */

/* Pixels high; what is there at all is seen. */
static float height_of(const Gantt *g, const GanttRow *row, const Counts *counts, int32_t i) {
    const float full = row->box.h - 2, least = viz_px(g->frame, 1.5f);
    float share = counts->sum[i].issues;
    if (share <= 0 || counts->cycles[i] <= 0) return 0;
    share /= counts->cycles[i] * (float)row->capacity;
    if (share >= 1) return full;
    return viz_whole(share * full) > least ? viz_whole(share * full) : least;
}

static bool same_fill(VizFill a, VizFill b) {
    return a.colour == b.colour && a.hatch == b.hatch && a.ink == b.ink;
}

/* How many issues a cycle has, in its bar or above it, where the largest number fits. */
static void number(const Gantt *g, const GanttRow *row, VizRect bar, VizFill fill, float issues) {
    VizTextStyle style = viz_style(g->frame, VIZ_REGULAR, g->font < 10 ? 9 : g->font - 1, VIZ_TEXT);
    const VizRect shown = gantt_visible(g, bar);
    VizRect above = {shown.x, 0, shown.w, viz_px(g->frame, 14)};
    char text[16];
    snprintf(text, sizeof text, "%d", row->capacity);
    if (viz_canvas_text_width(g->canvas, style, text) > shown.w) return;
    if (above.h > bar.y - row->box.y - 1) above.h = bar.y - row->box.y - 1;
    above.y = bar.y - above.h;
    style.anchor = VIZ_CENTRE;
    snprintf(text, sizeof text, "%d", (int)issues);
    if (!viz_label_on(g->frame, shown, style, fill, text))
        viz_label_whole(g->frame, above, style, text);
}

static void draw_slots(const Gantt *g, const GanttRow *row, const Counts *counts) {
    const float bottom = row->box.y + row->box.h - 1;
    const bool apart = g->cells && row->kind == ROW_TRACKS;
    for (int32_t i = 0, end; i < g->slots.count; i = end) {
        const VizSlot *slot = &counts->sum[i];
        const float height = height_of(g, row, counts, i);
        VizFill fill;
        VizRect bar;
        end = i + 1;
        if (height <= 0) continue;
        fill = gantt_fill(g, slot->burst, slot->op);
        while (end < g->slots.count && !apart && height == height_of(g, row, counts, end) &&
               same_fill(fill, gantt_fill(g, counts->sum[end].burst, counts->sum[end].op)))
            end++;
        bar = (VizRect){slot_x(g, i), bottom - height, slot_x(g, end) - slot_x(g, i), height};
        if (apart) bar.w -= g->frame->px;
        viz_canvas_rect(g->canvas, bar, fill);
        if (apart) number(g, row, bar, fill, slot->issues);
    }
}

/* A click cannot be aimed at less than some pixels: slots that are narrower go together. */
static void mark_slots(const Gantt *g, const GanttRow *row, const Counts *counts) {
    const float least = viz_px(g->frame, 3);
    for (int32_t i = 0, end; i < g->slots.count; i = end) {
        const int32_t burst = counts->sum[i].burst;
        for (end = i + 1;
             end < g->slots.count && (counts->sum[end].burst == burst ||
                                      (burst >= 0 && slot_x(g, end) - slot_x(g, i) < least));)
            end++;
        if (burst < 0) continue;
        viz_canvas_region(
            g->canvas,
            (VizRect){slot_x(g, i), row->box.y, slot_x(g, end) - slot_x(g, i), row->box.h},
            VIZ_BURST, burst);
    }
}

/* -- bursts -- */

static bool shown_in(const Gantt *g, const GanttRow *row, const VizBurst *b) {
    if (row->tracks == 0) return b->queue == row->queue;
    for (int32_t i = 0; i < row->tracks; i++)
        if (viz_track_half(g->run->m, row->track + i * row->step, b) >= 0) return true;
    return false;
}

static VizRect burst_span(const Gantt *g, const GanttRow *row, const VizBurst *b) {
    return gantt_span(g, row, (double)b->start, (double)b->last + 1);
}

/* Around what is selected and what is under the mouse. */
static void outline(const Gantt *g, const GanttRow *row) {
    const VizThing hovered = g->frame->view->hovered;
    const VizTheme *theme = g->frame->theme;
    const int32_t bursts[] = {hovered.kind == VIZ_BURST ? (int32_t)hovered.id : -1, g->focus.burst};
    for (int32_t i = 0; i < 2; i++) {
        VizRect box;
        if (bursts[i] < 0 || bursts[i] >= g->t->burst_count) continue;
        if (!shown_in(g, row, &g->t->bursts[bursts[i]])) continue;
        box = burst_span(g, row, &g->t->bursts[bursts[i]]);
        box = (VizRect){box.x - 1, box.y - 1, box.w + 2, box.h + 2};
        viz_canvas_outline(g->canvas, box, viz_px(g->frame, i ? 2 : 1),
                           viz_colour(theme, i ? VIZ_TEXT : VIZ_TEXT_DIM));
    }
}

/* Whether it issues in every cycle from its first to its last. */
static bool dense(const VizBurst *b) {
    return viz_burst_issues(b) == b->last - b->start + 1;
}

static void name_burst(const Gantt *g, VizRect box, const VizBurst *b, VizFill fill) {
    const char *mnemonic = tsp_insn_info(b->opcode)->mnemonic;
    const VizTextStyle style =
        viz_style(g->frame, VIZ_MONO, g->font < 10 ? 9 : g->font - 1, VIZ_TEXT);
    const float pad = viz_px(g->frame, 4);
    char text[96];
    box = gantt_visible(g, box);
    box = (VizRect){box.x + pad, box.y, box.w - 2 * pad, box.h};
    if (!dense(b)) fill.hatch = VIZ_HATCH_DOTS; /* only so that the letters get a ground */
    if (viz_burst_issues(b) > 1) {
        snprintf(text, sizeof text, "%s \xc3\x97%lld", mnemonic, (long long)viz_burst_issues(b));
        if (viz_label_on(g->frame, box, style, fill, text)) return;
    }
    viz_label_on(g->frame, box, style, fill, mnemonic);
}

static void draw_extent(const Gantt *g, const GanttRow *row, const VizBurst *b) {
    const VizRect box = burst_span(g, row, b);
    const VizFill fill = gantt_fill(g, (int32_t)(b - g->t->bursts), viz_burst_op(b));
    if (!dense(b)) viz_canvas_rect(g->canvas, box, viz_plain(viz_faint(fill).colour));
}

static void draw_burst(const Gantt *g, const GanttRow *row, const VizBurst *b) {
    const VizRect box = burst_span(g, row, b);
    const int32_t burst = (int32_t)(b - g->t->bursts);
    viz_canvas_rect(g->canvas, (VizRect){box.x, box.y, viz_px(g->frame, 1), box.h},
                    viz_plain(viz_colour(g->frame->theme, VIZ_PANEL)));
    viz_canvas_region(g->canvas, (VizRect){box.x, row->box.y, box.w, row->box.h}, VIZ_BURST, burst);
    name_burst(g, box, b, gantt_fill(g, burst, viz_burst_op(b)));
}

/* Calls for each burst that is wide enough to be seen for itself: as bursts of a queue do not
 * overlap, it has slots next to each other all to itself, so there is no need to search. */
static void each_burst(const Gantt *g, const GanttRow *row, const Counts *counts,
                       void (*draw)(const Gantt *, const GanttRow *, const VizBurst *)) {
    const int64_t least = (int64_t)ceil((double)viz_px(g->frame, BURST_LEAST) / g->px_cycle);
    int32_t last = -1;
    for (int32_t i = 0; i < g->slots.count; i++) {
        const int32_t burst = counts->sum[i].burst;
        const bool pair = (i && counts->sum[i - 1].burst == burst) ||
                          (i + 1 < g->slots.count && counts->sum[i + 1].burst == burst);
        const VizBurst *b;
        /* a burst can have empty slots between its rounds */
        if (burst <= last || !(pair || g->slots.step <= 1)) continue;
        b = &g->t->bursts[burst];
        last = burst;
        if (b->last + 1 - b->start >= least) draw(g, row, b);
    }
}

/* -- cells -- */

static void draw_cell(const Gantt *g, VizRect cell, const VizIssue *issue, VizFill fill) {
    VizTextStyle style = viz_style(g->frame, VIZ_MONO, g->font < 10 ? 9 : g->font - 1, VIZ_TEXT);
    const float gap = g->frame->px;
    VizRect inside = gantt_visible(g, cell);
    inside = (VizRect){inside.x + 2 * gap, cell.y, inside.w - 5 * gap, cell.h};
    cell.w -= gap;
    viz_canvas_rect(g->canvas, cell, fill);
    style.anchor = VIZ_CENTRE;
    if (inside.w > viz_px(g->frame, 90)) {
        const TspInsn insn = viz_issue_insn(g->t, issue);
        char text[160];
        tsp_insn_text(g->run->m, &insn, text, sizeof text);
        if (viz_label_on(g->frame, inside, style, fill, text)) return;
    }
    viz_label_on(g->frame, inside, style, fill, tsp_insn_info(issue->burst->opcode)->mnemonic);
}

static void draw_cells(const Gantt *g, const GanttRow *row) {
    const int64_t from = (int64_t)(g->from > 0 ? g->from : 0);
    VizIssue issue;
    const VizBurst *last = NULL;
    bool more = viz_issue_at(g->t, row->queue, from, &issue) ||
                viz_issue_next(g->t, row->queue, from, &issue);
    for (; more && (double)issue.cycle < g->to; more = viz_issue_advance(g->t, &issue)) {
        const VizBurst *b = issue.burst;
        const int32_t burst = (int32_t)(b - g->t->bursts);
        const VizRect span = burst_span(g, row, b);
        if (!shown_in(g, row, b)) continue;
        if (b != last) {
            const float width = viz_px(g->frame, 2);
            const VizRect thread = {span.x, viz_whole(span.y + span.h / 2 - width / 2), span.w,
                                    width};
            if (!dense(b))
                viz_canvas_rect(g->canvas, thread,
                                viz_plain(gantt_fill(g, burst, viz_burst_op(b)).colour));
            viz_canvas_region(g->canvas, (VizRect){span.x, row->box.y, span.w, row->box.h},
                              VIZ_BURST, burst);
            last = b;
        }
        draw_cell(g, gantt_span(g, row, (double)issue.cycle, (double)issue.cycle + 1), &issue,
                  gantt_fill(g, burst, viz_burst_op(b)));
    }
}

float gantt_draw_strip(const Gantt *g, const GanttRow *row) {
    Counts counts;
    count(g, row, &counts);
    draw_slots(g, row, &counts);
    mark_slots(g, row, &counts);
    outline(g, row);
    return share_of(g, row, &counts);
}

float gantt_draw_queue(const Gantt *g, const GanttRow *row) {
    Counts counts;
    count(g, row, &counts);
    if (g->cells) {
        draw_cells(g, row);
    } else {
        each_burst(g, row, &counts, draw_extent);
        draw_slots(g, row, &counts);
        mark_slots(g, row, &counts);
        each_burst(g, row, &counts, draw_burst);
    }
    outline(g, row);
    return share_of(g, row, &counts);
}
