/* gantt_rows.c - which rows a Gantt has, as finely as the height allows, and where they are.
 */
#include "gantt_parts.h"

#include <stdio.h>
#include <string.h>

/* How finely each unit is shown, the finest first; the first that fits is taken. */
typedef enum { WHOLE, PARTS, QUEUES } Detail;
typedef struct {
    Detail mxm, sxm, vxm, mem; /* parts: of the MXM its roles, of the SXM hemispheres, of MEM reads
                                  and writes; "queues" of MEM are these in each hemisphere */
} Details;
static const Details details[] = {
    {QUEUES, QUEUES, QUEUES, QUEUES}, {QUEUES, PARTS, QUEUES, QUEUES},
    {QUEUES, PARTS, WHOLE, QUEUES},   {PARTS, PARTS, WHOLE, QUEUES},
    {PARTS, WHOLE, WHOLE, PARTS},     {WHOLE, WHOLE, WHOLE, PARTS},
    {WHOLE, WHOLE, WHOLE, WHOLE},
};
enum { DETAILS = sizeof details / sizeof details[0], OPS_AT_LEAST = 3, OPS_AT_MOST = 24 };

/* Scaled pixels. */
#define PITCH_LEAST  11.0f
#define PITCH_WANTED 12.0f
#define PITCH_MOST   22.0f
#define STRIP_WEIGHT 1.4f
#define OP_WEIGHT    1.3f
#define STRIP_MOST   48.0f
#define GROUP_GAP    5.0f

/* -- which -- */

/* No machine has as many rows as the array; were there more, the last would be lost. */
static GanttRow *add_row(Gantt *g, RowKind kind, const char *name) {
    GanttRow *row = &g->rows[g->row_count < GANTT_ROWS_MAX ? g->row_count++ : GANTT_ROWS_MAX - 1];
    *row = (GanttRow){.kind = kind, .op = -1, .queue = -1, .weight = 1};
    snprintf(row->name, sizeof row->name, "%s", name);
    return row;
}

/* A row for the tracks first, first + step, ...; nothing if none of them is ever used. */
static void add_tracks(Gantt *g, const char *name, int32_t first, int32_t step, int32_t count) {
    const VizGanttIndex *index = g->run->gantt;
    GanttRow *row;
    int32_t used = 0, capacity = 0, queue = -1;
    for (int32_t i = 0; i < count; i++) {
        const int32_t track = first + i * step;
        capacity += viz_track_capacity(g->run->m, track);
        if (!viz_track_used(index, g->t, track)) continue;
        queue = viz_track_queue(g->run->m, track);
        used++;
    }
    if (!used) return;
    row = add_row(g, count == 1 && queue >= 0 ? ROW_QUEUE : ROW_TRACKS, name);
    row->track = first;
    row->step = step;
    row->tracks = count;
    row->capacity = capacity;
    if (row->kind == ROW_QUEUE)
        row->queue = queue;
    else if (first != VIZ_TRACK_CONTROL)
        row->weight = STRIP_WEIGHT;
}

static int32_t mxm_track(const Gantt *g, int32_t plane, TspRole role) {
    const int32_t planes = (int32_t)g->run->m->mxm_planes;
    return viz_track_of_queue(
        g->run->m, tsp_queue_mxm(g->run->m, (TspHemisphere)(plane / planes), plane % planes, role));
}

static void add_mxm(Gantt *g, Detail detail) {
    static const struct {
        TspRole role;
        const char *name;
    } roles[] = {{TSP_ROLE_WEIGHTS, "weights"},
                 {TSP_ROLE_ACTIVATIONS, "activations"},
                 {TSP_ROLE_RESULTS, "results"}};
    const int32_t planes = 2 * (int32_t)g->run->m->mxm_planes;
    const int32_t first = mxm_track(g, 0, TSP_ROLE_WEIGHTS);
    char name[GANTT_NAME_MAX];
    if (detail == WHOLE) add_tracks(g, "", first, 1, 3 * planes);
    if (detail == PARTS)
        for (int32_t i = 0; i < 3; i++)
            add_tracks(g, roles[i].name, mxm_track(g, 0, roles[i].role), 3, planes);
    for (int32_t plane = 0; detail == QUEUES && plane < planes; plane++)
        for (int32_t i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "%c%d %s", plane * 2 < planes ? 'W' : 'E',
                     plane % (planes / 2), roles[i].name);
            add_tracks(g, name, mxm_track(g, plane, roles[i].role), 1, 1);
        }
}

/* "sxm.w.transpose.1" as "W transpose 1", "vxm.7" as "ALU 7". */
static void queue_title(const TspMachine *m, int32_t queue, char name[GANTT_NAME_MAX]) {
    const TspQueueInfo info = tsp_queue_info(m, queue);
    char full[32];
    tsp_queue_name(m, queue, full);
    snprintf(name, GANTT_NAME_MAX, "%s", full);
    if (info.unit == TSP_UNIT_VXM) snprintf(name, GANTT_NAME_MAX, "ALU %d", info.index);
    if (info.unit != TSP_UNIT_SXM) return;
    snprintf(name, GANTT_NAME_MAX, "%c %s", info.hemisphere == TSP_WEST ? 'W' : 'E', full + 6);
    for (char *c = name; *c; c++)
        if (*c == '.') *c = ' ';
}

/* All queues of a unit that stand in a row of ids. */
static void add_unit(Gantt *g, TspUnit unit, Detail detail) {
    const TspMachine *m = g->run->m;
    const int32_t queues = tsp_queue_count(m);
    int32_t first = 0, end, middle;
    char name[GANTT_NAME_MAX];
    while (first < queues && tsp_queue_info(m, first).unit != unit) first++;
    for (end = first; end < queues && tsp_queue_info(m, end).unit == unit;) end++;
    for (middle = first; middle < end && tsp_queue_info(m, middle).hemisphere == TSP_WEST;)
        middle++;
    if (first == end) return;
    if (detail == WHOLE) add_tracks(g, "", viz_track_of_queue(m, first), 1, end - first);
    if (detail == PARTS) {
        add_tracks(g, "west", viz_track_of_queue(m, first), 1, middle - first);
        add_tracks(g, "east", viz_track_of_queue(m, middle), 1, end - middle);
    }
    for (int32_t queue = first; detail == QUEUES && queue < end; queue++) {
        queue_title(m, queue, name);
        add_tracks(g, name, viz_track_of_queue(m, queue), 1, 1);
    }
}

static void add_mem(Gantt *g, Detail detail) {
    if (detail == WHOLE) add_tracks(g, "", VIZ_TRACK_READS, 1, 4);
    if (detail == PARTS) {
        add_tracks(g, "reads", VIZ_TRACK_READS, 2, 2);
        add_tracks(g, "writes", VIZ_TRACK_WRITES, 2, 2);
    }
    if (detail != QUEUES) return;
    add_tracks(g, "W reads", VIZ_TRACK_READS, 1, 1);
    add_tracks(g, "W writes", VIZ_TRACK_WRITES, 1, 1);
    add_tracks(g, "E reads", VIZ_TRACK_READS + 2, 1, 1);
    add_tracks(g, "E writes", VIZ_TRACK_WRITES + 2, 1, 1);
}

/* What is added between two calls is a group. */
static int32_t head_group(Gantt *g, const char *group, int32_t from) {
    if (g->row_count > from) g->rows[from].group = group;
    return g->row_count;
}

static void add_units(Gantt *g, const Details *detail) {
    int32_t from = g->row_count, shown = 0;
    GanttRow *row;
    char name[32];
    add_mxm(g, detail->mxm);
    from = head_group(g, "MXM", from);
    add_unit(g, TSP_UNIT_SXM, detail->sxm);
    from = head_group(g, "SXM", from);
    add_unit(g, TSP_UNIT_VXM, detail->vxm);
    from = head_group(g, "VXM", from);
    add_mem(g, detail->mem);
    from = head_group(g, "MEM", from);
    add_tracks(g, "control", VIZ_TRACK_CONTROL, 1, 1);
    from = head_group(g, "ICU", from);
    for (int32_t i = 0; i < g->row_count; i++) shown += g->rows[i].queue == g->focus.queue;
    if (g->focus.queue < 0 || shown) return;
    tsp_queue_name(g->run->m, g->focus.queue, name); /* the selected one for itself */
    row = add_row(g, ROW_QUEUE, name);
    row->queue = g->focus.queue;
    row->capacity = 1;
    head_group(g, "", from);
}

/* -- ops -- */

bool gantt_op_predicted(const Gantt *g, int32_t op) {
    const TspOpInfo *info = &g->run->program->ops[op];
    return g->run->program->predicted_cycles >= 0 && info->start >= 0 && info->end > info->start;
}

static bool in_range(const Gantt *g, int64_t start, int64_t end) {
    return (double)end > g->from && (double)start < g->to;
}

bool gantt_op_in_view(const Gantt *g, int32_t op) {
    const TspOpInfo *info = &g->run->program->ops[op];
    const TspInterval *ran = &g->t->ops[op];
    return (gantt_op_ran(g, op) && in_range(g, ran->start, ran->end)) ||
           (gantt_op_predicted(g, op) && in_range(g, info->start, info->end));
}

static void add_ops(Gantt *g, int32_t in_view, int32_t lanes) {
    const TspProgram *p = g->run->program;
    if (in_view <= lanes)
        for (int32_t op = 0; op < p->op_count; op++) {
            if (gantt_op_in_view(g, op)) add_row(g, ROW_OPS, p->ops[op].name)->op = op;
        }
    else
        for (int32_t lane = 0; lane < lanes; lane++) add_row(g, ROW_OPS, "");
    for (int32_t i = 0; i < g->row_count; i++) g->rows[i].weight = OP_WEIGHT;
    head_group(g, "ops", 0);
    g->op_rows = g->row_count;
}

/* -- where -- */

static bool is_strip(const GanttRow *row) {
    return row->kind == ROW_TRACKS && row->weight > 1;
}

static void place(Gantt *g) {
    const float px = g->frame->px, bottom = g->plot.y + g->plot.h;
    float weight = 0, gaps = 0, pitch, y, strips = 0, spare;
    for (int32_t i = 0; i < g->row_count; i++) {
        weight += g->rows[i].weight;
        strips += is_strip(&g->rows[i]) ? g->rows[i].weight : 0;
        gaps += i && g->rows[i].group ? GROUP_GAP * px : 0;
    }
    if (g->row_count == 0) return;
    pitch = (g->plot.h - gaps) / weight;
    if (pitch < PITCH_LEAST * px) pitch = PITCH_LEAST * px;
    if (pitch > PITCH_MOST * px) pitch = PITCH_MOST * px;
    spare = strips > 0 ? (g->plot.h - gaps - weight * pitch) / strips : 0;
    if (spare < 0) spare = 0;
    g->font = pitch >= 17 * px ? 12 : pitch >= 14 * px ? 11 : pitch >= 12 * px ? 10 : 9;
    y = g->plot.y;
    for (int32_t i = 0; i < g->row_count; i++) {
        GanttRow *row = &g->rows[i];
        float height = pitch * row->weight;
        if (is_strip(row)) height += spare * row->weight;
        if (height > STRIP_MOST * px) height = STRIP_MOST * px;
        if (i && row->group) y += viz_whole(GROUP_GAP * px);
        row->box = (VizRect){g->frame->area.x, y, g->plot.x + g->plot.w - g->frame->area.x,
                             (float)(int32_t)height};
        y += row->box.h;
        if (y > bottom + 0.5f) {
            g->row_count = i;
            return;
        }
    }
}

static float least_height(const Gantt *g, float pitch) {
    float height = 0;
    for (int32_t i = 0; i < g->row_count; i++)
        height += pitch * g->rows[i].weight + (i && g->rows[i].group ? GROUP_GAP : 0);
    return height * g->frame->px;
}

static void list_rows(Gantt *g, int32_t in_view, int32_t lanes, int32_t level) {
    g->row_count = 0;
    add_ops(g, in_view, lanes);
    add_units(g, &details[level]);
}

void gantt_lay_out(Gantt *g) {
    const TspProgram *p = g->run->program;
    int32_t in_view = 0, lanes, level = 0;
    for (int32_t op = 0; op < p->op_count; op++) in_view += gantt_op_in_view(g, op);
    lanes = in_view < OPS_AT_LEAST ? in_view : OPS_AT_LEAST;
    for (level = 0; level < DETAILS; level++) {
        const float pitch = level + 1 < DETAILS ? PITCH_WANTED : PITCH_LEAST;
        if (level + 1 == DETAILS && lanes > 1) lanes = 1;
        list_rows(g, in_view, lanes, level);
        if (least_height(g, pitch) <= g->plot.h) break;
    }
    if (level == DETAILS) level--;
    while (lanes < in_view && lanes < OPS_AT_MOST &&
           least_height(g, PITCH_WANTED) + PITCH_WANTED * OP_WEIGHT * g->frame->px <= g->plot.h) {
        lanes++;
        list_rows(g, in_view, lanes, level);
    }
    if (lanes < in_view && gantt_lanes(g, lanes) < lanes) {
        lanes = gantt_lanes(g, lanes);
        list_rows(g, in_view, lanes, level);
    }
    place(g);
    if (g->op_rows > g->row_count) g->op_rows = g->row_count;
}
