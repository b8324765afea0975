/* gantt_ops.c - lanes of graph ops: what was predicted under what ran, and where they differ.
 */
#include "gantt_parts.h"

#include <stdio.h>

/* Scaled pixels for a difference in cycles. */
#define NUMBER_WIDTH 44.0f

typedef struct {
    int32_t lanes, hidden; /* used; ops that found none free */
} GanttPacked;

typedef struct {
    VizRect bar, line; /* run, prediction; width 0: there is none */
} OpBoxes;

static OpBoxes boxes_of(const Gantt *g, const GanttRow *row, int32_t op) {
    const TspOpInfo *info = &g->run->program->ops[op];
    const TspInterval *ran = &g->t->ops[op];
    const float thin = viz_px(g->frame, 2);
    OpBoxes boxes = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    if (gantt_op_ran(g, op)) {
        boxes.bar = gantt_span(g, row, (double)ran->start, (double)ran->end);
        boxes.bar.h -= thin + 1;
    }
    if (gantt_op_predicted(g, op)) {
        boxes.line = gantt_span(g, row, (double)info->start, (double)info->end);
        boxes.line.y += boxes.line.h - thin;
        boxes.line.h = thin;
    }
    return boxes;
}

static void name_op(const Gantt *g, const GanttRow *row, VizRect bar, int32_t op, VizFill fill) {
    const TspOpInfo *info = &g->run->program->ops[op];
    const TspInterval *ran = &g->t->ops[op];
    const VizTextStyle style = viz_style(g->frame, VIZ_REGULAR, g->font - 1, VIZ_TEXT);
    const char *name = row->op >= 0 ? info->type : info->name; /* the lane has the name already */
    const float pad = viz_px(g->frame, 4);
    char text[2 * VIZ_WORDS], cycles[VIZ_WORDS];
    bar = gantt_visible(g, bar);
    bar = (VizRect){bar.x + pad, bar.y, bar.w - 2 * pad, bar.h};
    viz_count_text(cycles, ran->end - ran->start);
    snprintf(text, sizeof text, "%s  %s cycles", name, cycles);
    if (viz_label_on(g->frame, bar, style, fill, text)) return;
    if (viz_label_on(g->frame, bar, style, fill, name)) return;
    if (row->op >= 0) viz_label_on(g->frame, bar, style, fill, cycles);
}

/* One end of the bar against its prediction. `later`: the run is the longer one there. */
static void draw_difference(const Gantt *g, VizRect bar, int64_t ran, int64_t predicted, bool later,
                            bool at_end, bool number) {
    const VizColour colour = viz_colour(g->frame->theme, later ? VIZ_ERROR : VIZ_WARNING);
    VizTextStyle style =
        viz_style(g->frame, VIZ_BOLD, g->font - 1, later ? VIZ_ERROR : VIZ_WARNING);
    const float a = gantt_x(g, (double)(ran < predicted ? ran : predicted));
    const float b = gantt_x(g, (double)(ran < predicted ? predicted : ran));
    const float least = viz_px(g->frame, 3), pad = viz_px(g->frame, 3);
    const float width = b - a < least ? least : b - a;
    const VizRect box = {a, bar.y, width, bar.h};
    VizRect beside = {box.x + width + pad, bar.y, viz_px(g->frame, NUMBER_WIDTH), bar.h};
    char text[VIZ_WORDS + 1], digits[VIZ_WORDS];
    viz_canvas_rect(g->canvas, box,
                    (VizFill){viz_with_alpha(colour, 0x50), VIZ_HATCH_DIAGONAL, colour});
    viz_canvas_outline(g->canvas, box, viz_px(g->frame, 1), colour);
    snprintf(text, sizeof text, "%s%s", ran > predicted ? "+" : "",
             viz_count_text(digits, ran - predicted));
    if (!number) return;
    if (!at_end) {
        style.anchor = VIZ_RIGHT;
        beside.x = box.x - pad - beside.w;
    }
    if (beside.x >= g->plot.x && beside.x + beside.w <= g->plot.x + g->plot.w)
        viz_label_whole(g->frame, beside, style, text);
}

static void draw_op(const Gantt *g, const GanttRow *row, int32_t op) {
    const VizTheme *theme = g->frame->theme;
    const TspOpInfo *info = &g->run->program->ops[op];
    const TspInterval *ran = &g->t->ops[op];
    const OpBoxes boxes = boxes_of(g, row, op);
    const VizFill fill = gantt_fill(g, -1, op);
    const bool compared = g->t->complete && boxes.bar.w > 0 && boxes.line.w > 0;
    const VizThing hovered = g->frame->view->hovered;
    const bool selected = g->frame->view->selected.kind == VIZ_OP && g->focus.op == op;
    const bool under = hovered.kind == VIZ_OP && hovered.id == op;
    const VizRect bar = boxes.bar;
    viz_canvas_rect(g->canvas, boxes.line, viz_plain(viz_colour(theme, VIZ_TEXT_DIM)));
    viz_canvas_region(g->canvas, boxes.line, VIZ_OP, op);
    if (bar.w <= 0) return;
    viz_canvas_rect(g->canvas, bar, fill);
    name_op(g, row, bar, op, fill);
    if (compared && ran->start != info->start)
        draw_difference(g, bar, ran->start, info->start, ran->start < info->start, false,
                        row->op >= 0);
    if (compared && ran->end != info->end)
        draw_difference(g, bar, ran->end, info->end, ran->end > info->end, true, true);
    viz_mark_found(g->frame, bar, VIZ_OP, op);
    if (selected || under)
        viz_canvas_outline(g->canvas, (VizRect){bar.x - 1, bar.y - 1, bar.w + 2, bar.h + 2},
                           viz_px(g->frame, selected ? 2 : 1),
                           viz_colour(theme, selected ? VIZ_TEXT : VIZ_TEXT_DIM));
    viz_canvas_region(g->canvas, (VizRect){bar.x, row->box.y, bar.w, row->box.h}, VIZ_OP, op);
}

/* From the first to the last pixel of an op, room for a difference included. */
static void extent(const Gantt *g, int32_t op, float *left, float *right) {
    const GanttRow any = {.box = {0, 0, 0, 16}};
    const OpBoxes boxes = boxes_of(g, &any, op);
    *left = 1e9f;
    *right = -1e9f;
    for (int32_t i = 0; i < 2; i++) {
        const VizRect box = i ? boxes.line : boxes.bar;
        if (box.w <= 0) continue;
        if (box.x < *left) *left = box.x;
        if (box.x + box.w > *right) *right = box.x + box.w;
    }
    if (boxes.bar.w > 0 && boxes.line.w > 0 && g->run->program->ops[op].end != g->t->ops[op].end)
        *right += viz_px(g->frame, NUMBER_WIDTH);
}

/* Each op goes to the first lane that is free where it begins. */
static void pack(const Gantt *g, GanttPacked *packed, int32_t lanes, bool draw) {
    float taken[GANTT_ROWS_MAX];
    *packed = (GanttPacked){0, 0};
    for (int32_t i = 0; i < lanes; i++) taken[i] = -1e9f;
    for (int32_t op = 0; op < g->run->program->op_count; op++) {
        float left, right;
        int32_t lane = 0;
        if (!gantt_op_in_view(g, op)) continue;
        extent(g, op, &left, &right);
        while (lane < lanes && taken[lane] > left) lane++;
        if (lane == lanes) {
            packed->hidden++;
            continue;
        }
        taken[lane] = right + 1;
        if (lane >= packed->lanes) packed->lanes = lane + 1;
        if (draw) draw_op(g, &g->rows[lane], op);
    }
}

int32_t gantt_lanes(const Gantt *g, int32_t most) {
    GanttPacked packed;
    pack(g, &packed, most, false);
    return packed.lanes;
}

void gantt_draw_ops(Gantt *g) {
    GanttPacked packed = {0, 0};
    if (g->op_rows && g->rows[0].op < 0) pack(g, &packed, g->op_rows, true);
    g->ops_hidden = packed.hidden;
    for (int32_t i = 0; i < g->op_rows; i++)
        if (g->rows[i].op >= 0) draw_op(g, &g->rows[i], g->rows[i].op);
}
