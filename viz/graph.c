/* graph.c - the panel of the graph: ops from left to right, how far each has come, and the tensors
 * that join them.
 */
#include "graph_parts.h"

#include <inttypes.h>
#include <stdio.h>

typedef enum { WAITING, RUNNING, DONE } State;

static State state_of(const GraphPicture *p, int32_t op, float *share) {
    const TspInterval ran = p->frame->run->timeline.ops[op];
    const int64_t now = p->frame->view->cycle;
    *share = 0;
    if (ran.start < 0 || now < ran.start) return WAITING;
    *share = 1;
    if (now >= ran.end) return DONE;
    *share = (float)((double)(now - ran.start) / (double)(ran.end - ran.start));
    return RUNNING;
}

/* A tick, a triangle, a ring: at the right end of the name. */
static void draw_state(const GraphPicture *p, State state, VizPoint at) {
    const VizFrame *frame = p->frame;
    const float px = frame->px;
    const VizColour good = viz_colour(frame->theme, VIZ_GOOD);
    if (state == DONE) {
        viz_canvas_line(frame->canvas, (VizPoint){at.x - 4 * px, at.y},
                        (VizPoint){at.x - 1 * px, at.y + 3 * px}, 1.75f * px, good);
        viz_canvas_line(frame->canvas, (VizPoint){at.x - 1.5f * px, at.y + 3 * px},
                        (VizPoint){at.x + 4 * px, at.y - 4 * px}, 1.75f * px, good);
    } else if (state == RUNNING) {
        const VizPoint points[] = {
            {at.x - 3 * px, at.y - 4 * px}, {at.x + 4 * px, at.y}, {at.x - 3 * px, at.y + 4 * px}};
        viz_canvas_polygon(frame->canvas, points, 3,
                           viz_plain(viz_colour(frame->theme, VIZ_CURSOR)));
    } else {
        viz_canvas_ring(frame->canvas, at, 4 * px, 1.25f * px,
                        viz_colour(frame->theme, VIZ_TEXT_DIM));
    }
}

static bool is_thing(VizThing thing, VizKind kind, int32_t id) {
    return thing.kind == kind && thing.id == id;
}

static VizRole ground_of(const GraphPicture *p, VizKind kind, int32_t id) {
    if (is_thing(p->frame->view->selected, kind, id)) return VIZ_SELECTION;
    return is_thing(p->frame->view->hovered, kind, id) ? VIZ_HOVER : VIZ_RAISED;
}

static void draw_bar(const GraphPicture *p, VizRect r, int32_t op, float share) {
    const VizFrame *frame = p->frame;
    VizFill fill = viz_op_fill(frame, op);
    viz_canvas_rect(frame->canvas, r, viz_plain(viz_colour(frame->theme, VIZ_IDLE)));
    if (graph_dimmed(p, op, frame->run->op_tensor[op])) fill = viz_faint(fill);
    r.w *= share;
    viz_canvas_rect(frame->canvas, r, fill);
}

static const char *interval_text(char text[VIZ_WORDS], const GraphPicture *p, int32_t op) {
    const TspOpInfo *info = &graph_program(p)->ops[op];
    const TspInterval ran = p->frame->run->timeline.ops[op];
    /* the same by contract, where it is predicted at all */
    if (graph_program(p)->predicted_cycles >= 0)
        snprintf(text, VIZ_WORDS, "%" PRId64 " to %" PRId64, info->start, info->end);
    else if (ran.start >= 0)
        snprintf(text, VIZ_WORDS, "%" PRId64 " to %" PRId64, ran.start, ran.end);
    else
        snprintf(text, VIZ_WORDS, "never");
    return text;
}

static void draw_op_texts(const GraphPicture *p, const VizNode *n, VizRect r, State state,
                          bool dim) {
    const VizFrame *frame = p->frame;
    const TspOpInfo *info = &graph_program(p)->ops[n->id];
    const float px = frame->px, x = r.x + 9 * px;
    float y = r.y + (PADDING / 2 + NAME_ROW / 2) * px, room = r.w - 14 * px;
    VizTextStyle name = viz_style(frame, VIZ_BOLD, NAME, dim ? VIZ_TEXT_DIM : VIZ_TEXT);
    VizTextStyle small = viz_style(frame, VIZ_REGULAR, SMALL, VIZ_TEXT_DIM);
    char text[VIZ_WORDS];
    name.vertical = small.vertical = VIZ_MIDDLE;
    small.max_width = room;
    if (room >= 50 * px) {
        draw_state(p, state, (VizPoint){r.x + r.w - 10 * px, y});
        room -= 14 * px;
    }
    name.max_width = room;
    viz_canvas_text(frame->canvas, (VizPoint){x, y}, name,
                    viz_op_text(text, graph_program(p), n->id));
    if (p->detail == DETAIL_NAME) return;
    y += (NAME_ROW / 2 + ROW / 2) * px;
    if (info->type) viz_canvas_text(frame->canvas, (VizPoint){x, y}, small, info->type);
    y += ROW * px;
    viz_canvas_text(frame->canvas, (VizPoint){x, y}, small, interval_text(text, p, n->id));
}

static void draw_chip(const GraphPicture *p, VizRect r, int32_t tensor, VizRole ground, bool dim) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, side = 8 * px, middle = r.y + r.h / 2;
    VizTextStyle style = viz_style(frame, VIZ_REGULAR, SMALL, dim ? VIZ_TEXT_DIM : VIZ_TEXT);
    const VizRect swatch = {r.x + 4 * px, viz_whole(middle - side / 2), side, side};
    VizFill fill = viz_tensor_fill(frame, tensor);
    if (dim) fill = viz_faint(fill);
    if (ground != VIZ_PANEL)
        viz_canvas_rect(frame->canvas, r, viz_plain(viz_colour(frame->theme, ground)));
    viz_canvas_rect(frame->canvas, swatch, fill);
    if (!dim)
        viz_canvas_outline(frame->canvas, swatch, viz_whole(px),
                           viz_colour(frame->theme, VIZ_BORDER));
    style.vertical = VIZ_MIDDLE;
    style.max_width = r.w - 20 * px;
    if (style.max_width > 0)
        viz_canvas_text(frame->canvas, (VizPoint){r.x + 16 * px, middle}, style,
                        graph_program(p)->tensors[tensor].name);
    viz_mark_found(frame, r, VIZ_TENSOR, tensor);
    viz_canvas_region(frame->canvas, r, VIZ_TENSOR, tensor);
}

static void draw_op(const GraphPicture *p, const VizNode *n) {
    const VizFrame *frame = p->frame;
    const float px = frame->px;
    const bool dim = graph_dimmed(p, n->id, frame->run->op_tensor[n->id]);
    VizRect r = graph_node_rect(p, n), bar;
    float share;
    const State state = state_of(p, n->id, &share);
    VizFill strip = viz_op_fill(frame, n->id);
    viz_canvas_rect(frame->canvas, r,
                    viz_plain(viz_colour(frame->theme, ground_of(p, VIZ_OP, n->id))));
    if (dim) strip = viz_faint(strip);
    if (p->detail == DETAIL_BOX) {
        bar = (VizRect){r.x, r.y + fmaxf(r.h - fmaxf(4 * px, r.h / 3), 0), r.w, 0};
        bar.h = r.y + r.h - bar.y;
    } else {
        viz_canvas_rect(frame->canvas, (VizRect){r.x, r.y, 4 * px, r.h}, strip);
        bar = (VizRect){r.x + 9 * px, r.y + r.h - (BAR + 4) * px, r.w - 14 * px, BAR * px};
        draw_op_texts(p, n, r, state, dim || state == WAITING);
    }
    draw_bar(p, bar, n->id, share);
    if (r.w >= 4 * px && r.h >= 4 * px)
        viz_canvas_outline(frame->canvas, r, viz_whole((state == RUNNING ? 2 : 1) * px),
                           viz_colour(frame->theme, state == RUNNING ? VIZ_CURSOR
                                                    : state == DONE  ? VIZ_BORDER
                                                                     : VIZ_GRID));
    viz_mark_found(frame, r, VIZ_OP, n->id);
    viz_canvas_region(frame->canvas, r, VIZ_OP, n->id);
    if (p->detail != DETAIL_CHIPS) return;
    for (int32_t i = 0; i < n->chip_count; i++) {
        const int32_t tensor = p->g->chips[n->chip + i];
        const VizRole ground = ground_of(p, VIZ_TENSOR, tensor);
        draw_chip(p, (VizRect){r.x, r.y + r.h + (float)i * CHIP_ROW * px, r.w, CHIP_ROW * px},
                  tensor, ground == VIZ_RAISED ? VIZ_PANEL : ground,
                  graph_dimmed(p, -1, tensor) && !graph_touches(p, n));
    }
}

static void draw_tensor(const GraphPicture *p, const VizNode *n) {
    const VizFrame *frame = p->frame;
    const VizRect r = graph_node_rect(p, n);
    if (p->detail == DETAIL_BOX) {
        viz_canvas_rect(frame->canvas, r, viz_tensor_fill(frame, n->id));
        viz_canvas_region(frame->canvas, r, VIZ_TENSOR, n->id);
        return;
    }
    draw_chip(p, r, n->id, ground_of(p, VIZ_TENSOR, n->id), graph_dimmed(p, -1, n->id));
    viz_canvas_outline(frame->canvas, r, viz_whole(frame->px), viz_colour(frame->theme, VIZ_GRID));
}

static void draw_nothing(const VizFrame *frame, const char *text) {
    VizTextStyle style = viz_style(frame, VIZ_REGULAR, NAME, VIZ_TEXT_DIM);
    style.vertical = VIZ_MIDDLE;
    style.anchor = VIZ_CENTRE;
    style.max_width = frame->area.w - 2 * MARGIN * frame->px;
    viz_canvas_text(
        frame->canvas,
        (VizPoint){frame->area.x + frame->area.w / 2, frame->area.y + frame->area.h / 2}, style,
        text);
}

void viz_graph_draw(const VizFrame *frame) {
    const VizGraph *g = &frame->run->plan->graph;
    const float px = frame->px;
    const VizRect area = frame->area;
    const VizRect inside = {area.x + MARGIN * px, area.y + 4 * px, area.w - 2 * MARGIN * px,
                            area.h - 8 * px};
    GraphPicture p = {
        .frame = frame, .g = g, .focus = viz_focus(frame->run, frame->view->selected)};
    if (frame->run->program->op_count == 0) {
        draw_nothing(frame, "no ops: this program names none");
        return;
    }
    if (g->layer_count > LAYERS_MOST) {
        draw_nothing(frame, "more layers than can be shown");
        return;
    }
    if (inside.w <= 0 || inside.h <= 0) return;
    for (int32_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].chip_count > p.chips) p.chips = g->nodes[i].chip_count;
    graph_lay_out(&p, inside);
    for (int32_t i = 0; i < g->edge_count; i++) graph_draw_edge(&p, &g->edges[i]);
    for (int32_t i = 0; i < g->node_count; i++) {
        if (g->nodes[i].kind == VIZ_NODE_OP) draw_op(&p, &g->nodes[i]);
        if (g->nodes[i].kind == VIZ_NODE_INPUT || g->nodes[i].kind == VIZ_NODE_OUTPUT)
            draw_tensor(&p, &g->nodes[i]);
    }
    for (int32_t i = 0; i < g->edge_count; i++) graph_draw_label(&p, &g->edges[i]);
}
