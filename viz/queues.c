/* queues.c - all queues at a glance: a cell each, grouped by unit from west to east.
 */
#include "queues_parts.h"

#include <stdio.h>

enum { GROUPS_MAX = 8, GROUP_QUEUES_MAX = TSP_MAX_QUEUES };

typedef struct {
    const char *name;
    TspUnit unit;
    TspHemisphere hemisphere;
    int32_t count;
} Group;

typedef struct {
    const VizFrame *frame;
    VizFocus focus;
    Group groups[GROUPS_MAX];
    int32_t group_count;
    VizRect box; /* of the cells, below the names of groups */
    int32_t rows;
    float gap, least;    /* between groups; width of one, for its name */
    float width, height; /* of a cell, whole pixels */
} Grid;

/* -- groups -- */

static bool one_of(const Group *group, const TspQueueInfo *info) {
    const bool sides = group->unit != TSP_UNIT_VXM && group->unit != TSP_UNIT_C2C;
    return info->unit == group->unit && (!sides || info->hemisphere == group->hemisphere);
}

static void find_groups(Grid *grid) {
    static const Group units[GROUPS_MAX] = {
        {"MXM W", TSP_UNIT_MXM, TSP_WEST, 0}, {"SXM W", TSP_UNIT_SXM, TSP_WEST, 0},
        {"MEM W", TSP_UNIT_MEM, TSP_WEST, 0}, {"VXM", TSP_UNIT_VXM, TSP_WEST, 0},
        {"MEM E", TSP_UNIT_MEM, TSP_EAST, 0}, {"SXM E", TSP_UNIT_SXM, TSP_EAST, 0},
        {"MXM E", TSP_UNIT_MXM, TSP_EAST, 0}, {"C2C", TSP_UNIT_C2C, TSP_WEST, 0},
    };
    const TspMachine *m = grid->frame->run->m;
    const int32_t queues = tsp_queue_count(m);
    for (int32_t i = 0; i < GROUPS_MAX; i++) {
        Group group = units[i];
        int32_t words = 0;
        for (int32_t queue = 0; queue < queues; queue++) {
            const TspQueueInfo info = tsp_queue_info(m, queue);
            if (!one_of(&group, &info)) continue;
            group.count++;
            words += grid->frame->run->program->queues[queue].count;
        }
        /* links to other chips are there only where they do something */
        if (group.count && (group.unit != TSP_UNIT_C2C || words))
            grid->groups[grid->group_count++] = group;
    }
}

/* The queue's place in its group: down the columns, from west to east. */
static int32_t place_of(const Group *group, const TspMachine *m, int32_t queue) {
    int32_t place = 0;
    for (int32_t other = 0; other < queue; other++) {
        const TspQueueInfo info = tsp_queue_info(m, other);
        place += one_of(group, &info);
    }
    return group->unit == TSP_UNIT_MEM && group->hemisphere == TSP_WEST ? group->count - 1 - place
                                                                        : place;
}

/* -- cells -- */

static float group_width(const Grid *grid, const Group *group, int32_t rows, float width) {
    const float cells = (float)((group->count + rows - 1) / rows) * width;
    return cells > grid->least ? cells : grid->least;
}

static float grid_width(const Grid *grid, int32_t rows, float width) {
    float all = grid->gap * (float)(grid->group_count - 1);
    for (int32_t i = 0; i < grid->group_count; i++)
        all += group_width(grid, &grid->groups[i], rows, width);
    return all;
}

/* Takes the number of rows with which cells are largest; wide ones hold a mnemonic. */
static void size_cells(Grid *grid) {
    const float most_wide = viz_px(grid->frame, 110), most_high = viz_px(grid->frame, 44);
    float best = -1;
    for (int32_t rows = 1; rows <= 64; rows++) {
        float height = (float)(int32_t)(grid->box.h / (float)rows), width, score;
        if (height > most_high) height = most_high;
        width = most_wide;
        while (width > 0 && grid_width(grid, rows, width) > grid->box.w) width--;
        score = width < 1.5f * height ? width : 1.5f * height;
        if (score <= best) continue;
        best = score;
        grid->rows = rows;
        grid->width = width;
        grid->height = height;
    }
}

static VizFill issue_fill(const VizFrame *frame, const VizFocus *focus, const VizBurst *b) {
    if (!b) return viz_plain(viz_colour(frame->theme, VIZ_BUSY));
    return viz_burst_fill(frame, focus, (int32_t)(b - frame->run->timeline.bursts),
                          viz_burst_op(b));
}

/* A bar along the lower edge. */
static void draw_bar(const VizFrame *frame, VizRect cell, double part, VizColour colour) {
    float height = viz_whole(cell.h / 6);
    if (height < viz_px(frame, 2)) height = viz_px(frame, 2);
    if (part <= 0) return;
    if (part > 1) part = 1;
    viz_canvas_rect(frame->canvas,
                    (VizRect){cell.x, cell.y + cell.h - height,
                              viz_whole(1 + (cell.w - 1) * (float)part), height},
                    viz_plain(colour));
}

static void draw_pause(const VizFrame *frame, VizRect cell) {
    const VizColour colour = viz_colour(frame->theme, VIZ_WARNING);
    float size = cell.w < cell.h ? cell.w : cell.h, bar, x, y;
    size = viz_whole(size * 0.6f);
    bar = viz_whole(size / 3);
    if (bar < 1) bar = 1;
    x = viz_whole(cell.x + cell.w / 2 - 1.5f * bar);
    y = viz_whole(cell.y + (cell.h - size) / 2);
    viz_canvas_rect(frame->canvas, (VizRect){x, y, bar, size}, viz_plain(colour));
    viz_canvas_rect(frame->canvas, (VizRect){x + 2 * bar, y, bar, size}, viz_plain(colour));
}

static void draw_issue(const VizFrame *frame, VizRect cell, const QueueStatus *status,
                       VizFill fill) {
    const VizBurst *b = status->issue.burst;
    VizTextStyle style = viz_style(frame, VIZ_MONO, cell.h > 22 * frame->px ? 11 : 9, VIZ_TEXT);
    VizRect inside = {cell.x + 2 * frame->px, cell.y, cell.w - 4 * frame->px, cell.h};
    viz_canvas_rect(frame->canvas, cell, fill);
    if (!b) return;
    style.anchor = VIZ_CENTRE;
    if (viz_burst_issues(b) > 1) { /* how far its Repeat is */
        const int64_t done = viz_burst_issues_before(b, status->issue.cycle + 1);
        draw_bar(frame, cell, (double)done / (double)viz_burst_issues(b),
                 viz_with_alpha(viz_readable_on(fill.colour), 0x80));
        inside.h -= viz_whole(cell.h / 6);
    }
    viz_label_on(frame, inside, style, fill, tsp_insn_info(b->opcode)->mnemonic);
}

void queues_draw_cell(const VizFrame *frame, VizRect cell, const QueueStatus *status,
                      VizFill fill) {
    const VizTheme *theme = frame->theme;
    const double part = status->whole > 0 ? (double)status->left / (double)status->whole : 0;
    if (status->state == QUEUE_ISSUING) {
        draw_issue(frame, cell, status, fill);
        return;
    }
    if (status->state == QUEUE_UNUSED || status->state == QUEUE_DONE) {
        if (status->state == QUEUE_DONE)
            viz_canvas_rect(frame->canvas, cell,
                            (VizFill){viz_colour(theme, VIZ_PANEL), VIZ_HATCH_DIAGONAL,
                                      viz_with_alpha(viz_colour(theme, VIZ_BORDER), 0x90)});
        viz_canvas_outline(frame->canvas, cell, frame->px * theme->line_px,
                           viz_colour(theme, VIZ_GRID));
        return;
    }
    viz_canvas_rect(frame->canvas, cell, viz_plain(viz_colour(theme, VIZ_IDLE)));
    if (!theme->dark)
        viz_canvas_outline(frame->canvas, cell, frame->px * theme->line_px,
                           viz_colour(theme, VIZ_GRID));
    if (status->state == QUEUE_REPEATING)
        viz_canvas_outline(frame->canvas, cell, viz_px(frame, 2), fill.colour);
    if (status->state == QUEUE_PARKED)
        draw_pause(frame, cell);
    else
        draw_bar(frame, cell, part, viz_colour(theme, VIZ_BUSY));
}

static void draw_group(const Grid *grid, const Group *group, float x) {
    const VizFrame *f = grid->frame;
    const TspMachine *m = f->run->m;
    const float inset = grid->width >= 5 * f->px ? viz_px(f, 1) : 0;
    const int32_t queues = tsp_queue_count(m);
    for (int32_t queue = 0; queue < queues; queue++) {
        const TspQueueInfo info = tsp_queue_info(m, queue);
        const VizThing hovered = f->view->hovered;
        const bool selected = grid->focus.queue == queue;
        QueueStatus status;
        VizRect cell;
        int32_t place;
        if (!one_of(group, &info)) continue;
        place = place_of(group, m, queue);
        cell = (VizRect){x + (float)(place / grid->rows) * grid->width,
                         grid->box.y + (float)(place % grid->rows) * grid->height, grid->width,
                         grid->height};
        viz_canvas_region(f->canvas, cell, VIZ_QUEUE, queue);
        cell.w -= inset;
        cell.h -= inset;
        status = queue_status(f->run, queue, f->view->cycle);
        queues_draw_cell(f, cell, &status, issue_fill(f, &grid->focus, status.issue.burst));
        viz_mark_found(f, cell, VIZ_QUEUE, queue);
        if (selected || (hovered.kind == VIZ_QUEUE && hovered.id == queue))
            viz_canvas_outline(f->canvas, (VizRect){cell.x - 1, cell.y - 1, cell.w + 2, cell.h + 2},
                               viz_px(f, selected ? 2 : 1), viz_colour(f->theme, VIZ_TEXT));
    }
}

/* Where a group's name can be: over its cells and the gap to the next one. */
static float name_room(const Grid *grid, int32_t i) {
    const float gap = i + 1 < grid->group_count ? grid->gap - viz_px(grid->frame, 6) : 0;
    return group_width(grid, &grid->groups[i], grid->rows, grid->width) + gap;
}

/* With their sides, if all of them have room for that; else the order tells. */
static void draw_names(const Grid *grid, float height) {
    const VizFrame *f = grid->frame;
    const VizTextStyle style = viz_style(f, VIZ_BOLD, 10, VIZ_TEXT_DIM);
    VizRect box = {grid->box.x, grid->box.y - height, 0, height};
    bool sides = true;
    for (int32_t i = 0; i < grid->group_count; i++)
        sides = sides &&
                viz_canvas_text_width(f->canvas, style, grid->groups[i].name) <= name_room(grid, i);
    for (int32_t i = 0; i < grid->group_count; i++) {
        char text[8];
        snprintf(text, sizeof text, sides ? "%s" : "%.3s", grid->groups[i].name);
        box.w = name_room(grid, i);
        viz_label_whole(f, box, style, text);
        box.x += group_width(grid, &grid->groups[i], grid->rows, grid->width) + grid->gap;
    }
}

static void draw_cells(const Grid *grid) {
    float x = grid->box.x;
    for (int32_t i = 0; i < grid->group_count; i++) {
        draw_group(grid, &grid->groups[i], x);
        x += group_width(grid, &grid->groups[i], grid->rows, grid->width) + grid->gap;
    }
}

/* -- legend -- */

/* What the looks of cells mean, and how many there are: all of it or nothing. */
static void draw_legend(const VizFrame *f, VizRect box) {
    const VizTextStyle style = viz_style(f, VIZ_REGULAR, 10, VIZ_TEXT_DIM);
    const float swatch = viz_px(f, 13), pad = viz_px(f, 4), between = viz_px(f, 12);
    const int32_t queues = tsp_queue_count(f->run->m);
    int32_t counts[QUEUE_STATES] = {0};
    char text[QUEUE_STATES][32];
    bool words = true;
    float width;
    for (int32_t queue = 0; queue < queues; queue++)
        if (tsp_queue_info(f->run->m, queue).unit != TSP_UNIT_C2C ||
            f->run->program->queues[queue].count)
            counts[queue_status(f->run, queue, f->view->cycle).state]++;
    for (int32_t round = 0; round < 2; round++, words = false) {
        width = 0;
        for (int32_t i = 0; i < QUEUE_STATES; i++) {
            snprintf(text[i], sizeof text[i], words ? "%s %d" : "%.0s%d",
                     queue_state_name((QueueState)i), counts[i]);
            width += swatch + pad + viz_canvas_text_width(f->canvas, style, text[i]) + between;
        }
        if (width - between <= box.w) break;
    }
    if (width - between > box.w) return;
    for (int32_t i = 0; i < QUEUE_STATES; i++) {
        const QueueStatus status = {.state = (QueueState)i, .left = 3, .whole = 5};
        const float height = viz_px(f, 10);
        const VizRect cell = {box.x, viz_whole(box.y + (box.h - height) / 2), swatch, height};
        const float drawn = viz_canvas_text_width(f->canvas, style, text[i]);
        queues_draw_cell(f, cell, &status, viz_plain(viz_colour(f->theme, VIZ_BUSY)));
        box.x += swatch + pad;
        viz_label_whole(f, (VizRect){box.x, box.y, drawn, box.h}, style, text[i]);
        box.x += drawn + between;
    }
}

void viz_queues_draw(const VizFrame *frame) {
    const float pad = viz_px(frame, 6), px = frame->px;
    VizRect area = {viz_whole(frame->area.x) + pad, viz_whole(frame->area.y) + pad,
                    frame->area.w - 2 * pad, frame->area.h - 2 * pad};
    Grid grid = {.frame = frame, .focus = viz_focus(frame->run, frame->view->selected)};
    float names, legend;
    if (area.w < 60 * px || area.h < 20 * px) return;
    viz_canvas_clip_push(frame->canvas, frame->area);
    if (grid.focus.queue >= 0 && area.w >= 480 * px && area.h >= 60 * px) {
        float width = viz_whole(area.w * 0.45f);
        if (width < 272 * px) width = viz_whole(272 * px);
        if (width > 620 * px) width = viz_whole(620 * px);
        queues_draw_list(frame, &grid.focus,
                         (VizRect){area.x + area.w - width, area.y, width, area.h});
        area.w -= width + 2 * pad;
    }
    names = area.h >= 56 * px ? viz_whole(14 * px) : 0;
    legend = area.h >= 84 * px ? viz_whole(16 * px) : 0;
    find_groups(&grid);
    grid.gap = viz_px(frame, area.w >= 400 * px ? 10 : 6);
    grid.box = (VizRect){area.x, area.y + names, area.w, area.h - names - legend};
    if (names > 0)
        grid.least = 1 + viz_canvas_text_width(frame->canvas,
                                               viz_style(frame, VIZ_BOLD, 10, VIZ_TEXT), "MXM");
    if (grid_width(&grid, 1, 0) > area.w) grid.least = 0; /* cells first */
    size_cells(&grid);
    if (names > 0) draw_names(&grid, names);
    draw_cells(&grid);
    if (legend > 0) {
        float y = grid.box.y + (float)grid.rows * grid.height + viz_px(frame, 3);
        draw_legend(frame, (VizRect){area.x, y, area.w, legend});
    }
    viz_canvas_clip_pop(frame->canvas);
}
