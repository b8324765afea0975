/* queues_list.c - a queue's instructions around the cycle looked at, each issue a line.
 */
#include "queues_parts.h"

#include "isa/asm.h"

#include <stdio.h>

enum { LINES_MAX = 128 };

typedef struct {
    VizIssue issue; /* burst NULL: the present cycle, in which nothing issues */
    int64_t cycle;
    int64_t waited; /* cycles without an issue before it; of the present: those left */
} Line;

typedef struct {
    const VizFrame *frame;
    const VizFocus *focus;
    int32_t queue;
    QueueStatus status;
    Line lines[LINES_MAX];
    int32_t count, present;              /* which line is the present cycle's */
    float cycle_w, wait_w, turn_w, op_w; /* of columns; 0: there is no room for it */
} List;

/* -- which lines -- */

static int32_t collect_past(const List *list, int32_t most, Line *lines) {
    const VizTimeline *t = &list->frame->run->timeline;
    int64_t cycle = list->frame->view->cycle;
    VizIssue issue;
    int32_t count = 0;
    while (count < most && viz_issue_previous(t, list->queue, cycle, &issue)) {
        lines[count++] = (Line){issue, issue.cycle, 0};
        cycle = issue.cycle;
    }
    return count;
}

static int64_t gap_before(const VizTimeline *t, int32_t queue, int64_t cycle) {
    VizIssue before;
    if (!viz_issue_previous(t, queue, cycle, &before)) return cycle;
    return cycle - before.cycle - 1;
}

/* The present at two fifths of the height, if there are lines enough around it. */
static void collect(List *list, int32_t room) {
    const VizTimeline *t = &list->frame->run->timeline;
    const int64_t now = list->frame->view->cycle;
    Line past[LINES_MAX], future[LINES_MAX];
    int32_t before, after = 0, up = room * 2 / 5;
    VizIssue issue;
    bool more;
    if (room > LINES_MAX) room = LINES_MAX;
    before = collect_past(list, room - 1, past);
    for (more = viz_issue_next(t, list->queue, now, &issue); more && after < room - 1;
         more = viz_issue_advance(t, &issue))
        future[after++] = (Line){issue, issue.cycle, 0};
    if (after < room - 1 - up) up = room - 1 - after;
    if (before > up) before = up;
    if (after > room - 1 - before) after = room - 1 - before;
    for (int32_t i = before; i-- > 0;) list->lines[list->count++] = past[i];
    list->present = list->count;
    list->lines[list->count++] = (Line){.cycle = now, .waited = list->status.left};
    if (list->status.state == QUEUE_ISSUING) list->lines[list->present].issue = list->status.issue;
    for (int32_t i = 0; i < after; i++) list->lines[list->count++] = future[i];
    for (int32_t i = 0; i < list->count; i++)
        if (list->lines[i].issue.burst)
            list->lines[i].waited = gap_before(t, list->queue, list->lines[i].cycle);
}

/* -- columns -- */

static void size_columns(List *list, float width) {
    const VizFrame *f = list->frame;
    const VizTextStyle style = viz_style(f, VIZ_REGULAR, 10, VIZ_TEXT);
    char text[VIZ_WORDS];
    const int64_t last = list->lines[list->count - 1].cycle;
    const float pad = viz_px(f, 10);
    viz_count_text(text, last < 10000 ? 10000 : last);
    list->cycle_w = viz_canvas_text_width(f->canvas, style, text) + pad;
    list->wait_w = width >= 200 * f->px ? viz_px(f, 46) : 0;
    list->turn_w = width >= 380 * f->px ? viz_px(f, 66) : 0;
    list->op_w = width >= 300 * f->px ? viz_whole(width * 0.24f) : 0;
}

typedef struct {
    VizRect cycle, wait, text, turn, op;
} Cells;

static Cells cells_of(const List *list, VizRect line) {
    const float pad = viz_px(list->frame, 8);
    Cells c;
    c.cycle = (VizRect){line.x, line.y, list->cycle_w, line.h};
    c.wait = (VizRect){c.cycle.x + c.cycle.w, line.y, list->wait_w, line.h};
    c.text = (VizRect){c.wait.x + c.wait.w + pad, line.y, 0, line.h};
    c.op = (VizRect){line.x + line.w - list->op_w, line.y, list->op_w - pad / 2, line.h};
    c.turn = (VizRect){line.x + line.w - list->op_w - list->turn_w, line.y,
                       list->turn_w - 1.5f * pad, line.h};
    c.text.w = c.turn.x - pad - c.text.x;
    return c;
}

/* -- drawing -- */

static void draw_head(const List *list, VizRect line, VizRect columns) {
    const VizFrame *f = list->frame;
    const Cells c = cells_of(list, columns);
    VizTextStyle style = viz_style(f, VIZ_REGULAR, 11, VIZ_TEXT_DIM), name;
    char text[96], queue[32], number[VIZ_WORDS];
    float used;
    name = viz_style(f, VIZ_BOLD, 11, VIZ_TEXT);
    tsp_queue_name(f->run->m, list->queue, queue);
    used = viz_label(f, line, name, queue) + viz_px(f, 10);
    snprintf(text, sizeof text, "%s", queue_state_name(list->status.state));
    if (list->status.left >= 0)
        snprintf(text, sizeof text, "%s, %s left", queue_state_name(list->status.state),
                 viz_count_text(number, list->status.left));
    style.anchor = VIZ_RIGHT;
    line.x += used;
    line.w -= used + viz_px(f, 4);
    viz_label(f, line, style, text);
    if (columns.h <= 0) return;
    style = viz_style(f, VIZ_REGULAR, 10, VIZ_TEXT_DIM);
    viz_label_whole(f, c.text, style, "instruction");
    viz_label_whole(f, c.op, style, "op");
    style.anchor = VIZ_RIGHT;
    viz_label_whole(f, c.cycle, style, "cycle");
    viz_label_whole(f, c.wait, style, "wait");
    viz_label_whole(f, c.turn, style, "repeat");
}

static void draw_op(const List *list, VizRect cell, const VizBurst *b, VizTextStyle style) {
    const VizFrame *f = list->frame;
    const int32_t op = viz_burst_op(b), burst = (int32_t)(b - f->run->timeline.bursts);
    const int32_t tensor = f->run->burst_tensor[burst];
    const float side = viz_px(f, 8);
    const char *name = op >= 0       ? f->run->program->ops[op].name
                       : tensor >= 0 ? f->run->program->tensors[tensor].name
                                     : "";
    if (cell.w < 3 * side) return;
    viz_canvas_rect(f->canvas,
                    (VizRect){cell.x, viz_whole(cell.y + (cell.h - side) / 2), side, side},
                    viz_burst_fill(f, list->focus, burst, op));
    viz_label(f, (VizRect){cell.x + 1.5f * side, cell.y, cell.w - 1.5f * side, cell.h}, style,
              name);
}

static void draw_line(const List *list, int32_t i, VizRect box) {
    const VizFrame *f = list->frame;
    const Line *line = &list->lines[i];
    const VizBurst *b = line->issue.burst;
    const Cells c = cells_of(list, box);
    const bool present = i == list->present;
    const VizRole role = present || (i > list->present && b) ? VIZ_TEXT : VIZ_TEXT_DIM;
    VizTextStyle style = viz_style(f, present ? VIZ_BOLD : VIZ_REGULAR, 10, role);
    const VizTextStyle mono = viz_style(f, VIZ_MONO, 10, role);
    const int32_t burst = b ? (int32_t)(b - f->run->timeline.bursts) : -1;
    char text[160], number[VIZ_WORDS], total[VIZ_WORDS];
    if (present) {
        viz_canvas_rect(f->canvas, box, viz_plain(viz_colour(f->theme, VIZ_SELECTION)));
        viz_canvas_rect(f->canvas, (VizRect){box.x, box.y, viz_px(f, 3), box.h},
                        viz_plain(viz_colour(f->theme, VIZ_CURSOR)));
    } else if (burst >= 0 && f->view->hovered.kind == VIZ_BURST && f->view->hovered.id == burst) {
        viz_canvas_rect(f->canvas, box, viz_plain(viz_colour(f->theme, VIZ_HOVER)));
    }
    style.anchor = VIZ_RIGHT;
    viz_label(f, c.cycle, style, viz_count_text(number, line->cycle));
    style.face = VIZ_REGULAR;
    if (line->waited > 0) viz_label_whole(f, c.wait, style, viz_count_text(number, line->waited));
    if (!b) {
        style.anchor = VIZ_LEFT;
        viz_label(f, c.text, style, queue_state_name(list->status.state));
        return;
    }
    if (viz_burst_issues(b) > 1 && list->turn_w > 0) {
        snprintf(text, sizeof text, "%s/%s",
                 viz_count_text(number, viz_burst_issues_before(b, line->cycle + 1)),
                 viz_count_text(total, viz_burst_issues(b)));
        viz_label_whole(f, c.turn, style, text);
    }
    style.anchor = VIZ_LEFT;
    if (list->op_w > 0) draw_op(list, c.op, b, style);
    {
        const TspInsn insn = viz_issue_insn(&f->run->timeline, &line->issue);
        tsp_insn_text(f->run->m, &insn, text, sizeof text);
        viz_label(f, c.text, mono, text);
    }
    viz_canvas_region(f->canvas, box, VIZ_BURST, burst);
}

void queues_draw_list(const VizFrame *frame, const VizFocus *focus, VizRect box) {
    const float pitch = viz_whole(15 * frame->px);
    const int32_t heads = box.h >= 6 * pitch ? 2 : 1;
    const int32_t room = (int32_t)(box.h / pitch) - heads;
    List list = {.frame = frame, .focus = focus, .queue = focus->queue};
    VizRect line = {box.x, box.y, box.w, pitch};
    list.status = queue_status(frame->run, focus->queue, frame->view->cycle);
    viz_canvas_rect(frame->canvas,
                    (VizRect){box.x - viz_px(frame, 7), box.y, viz_px(frame, 1), box.h},
                    viz_plain(viz_colour(frame->theme, VIZ_GRID)));
    if (room < 1) return;
    collect(&list, room);
    size_columns(&list, box.w);
    draw_head(&list, line, (VizRect){box.x, box.y + pitch, box.w, heads > 1 ? pitch : 0});
    line.y += (float)heads * pitch;
    for (int32_t i = 0; i < list.count; i++, line.y += pitch) draw_line(&list, i, line);
}
