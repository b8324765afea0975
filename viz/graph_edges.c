/* graph_edges.c - what joins the nodes, in the colours of the tensors.
 */
#include "graph_parts.h"

enum { CURVE = 12 }; /* pieces of a curve */

bool graph_dimmed(const GraphPicture *p, int32_t op, int32_t tensor) {
    return !viz_goes_with(&p->focus, op, tensor);
}

static void draw_piece(const GraphPicture *p, VizPoint a, VizPoint b, float width, VizColour colour,
                       int32_t tensor) {
    const float reach = 4 * p->frame->px;
    viz_canvas_line(p->frame->canvas, a, b, width, colour);
    if (tensor >= 0)
        viz_canvas_region(
            p->frame->canvas,
            (VizRect){a.x, fminf(a.y, b.y) - reach, b.x - a.x, fabsf(b.y - a.y) + 2 * reach},
            VIZ_TENSOR, tensor);
}

/* Level at both ends: a cubic Bezier curve whose handles reach half the way. */
static void draw_curve(const GraphPicture *p, VizPoint a, VizPoint b, float width, VizColour colour,
                       int32_t tensor) {
    VizPoint last = a;
    if (fabsf(a.y - b.y) < 0.5f) {
        draw_piece(p, a, b, width, colour, tensor);
        return;
    }
    for (int32_t i = 1; i <= CURVE; i++) {
        const float t = (float)i / CURVE, s = 1 - t, mid = (a.x + b.x) / 2;
        const VizPoint to = {s * s * s * a.x + 3 * s * t * (s + t) * mid + t * t * t * b.x,
                             (s * s * s + 3 * s * s * t) * a.y + (3 * s * t * t + t * t * t) * b.y};
        draw_piece(p, last, to, width, colour, tensor);
        last = to;
    }
}

static void draw_head(const GraphPicture *p, VizPoint tip, VizColour colour) {
    const float px = p->frame->px;
    const VizPoint points[] = {
        tip, {tip.x - 6 * px, tip.y - 3 * px}, {tip.x - 6 * px, tip.y + 3 * px}};
    viz_canvas_polygon(p->frame->canvas, points, 3, viz_plain(colour));
}

bool graph_touches(const GraphPicture *p, const VizNode *n) {
    return n->kind == VIZ_NODE_OP && p->focus.op == n->id && p->focus.op >= 0;
}

/* From the end of a row to the beginning of the next: down to between them, and back. */
static void draw_turn(const GraphPicture *p, VizPoint a, VizPoint b, int32_t row, float width,
                      VizColour colour, int32_t tensor) {
    const float px = p->frame->px, reach = 4 * px;
    const VizRect area = p->frame->area;
    const float left = area.x + MARGIN * px, right = area.x + area.w - MARGIN * px;
    const float bottom = p->top + graph_chips_height(p, p->detail) / 2 + p->g->bottom * p->unit;
    const float middle = viz_whole(bottom + (float)row * p->row + (TURN - BETWEEN) / 2 * px);
    const VizPoint points[] = {a, {right, a.y}, {right, middle}, {left, middle}, {left, b.y}, b};
    const float end = width / 2; /* so that corners are whole */
    for (int32_t i = 0; i < 5; i++) {
        VizPoint s = points[i], t = points[i + 1];
        const VizRect box = {fminf(s.x, t.x) - reach, fminf(s.y, t.y) - reach,
                             fabsf(s.x - t.x) + 2 * reach, fabsf(s.y - t.y) + 2 * reach};
        if (s.x != t.x && i < 4) t.x += t.x > s.x ? end : -end;
        if (s.x != t.x && i > 0) s.x += t.x > s.x ? -end : end;
        viz_canvas_line(p->frame->canvas, s, t, width, colour);
        if (tensor >= 0) viz_canvas_region(p->frame->canvas, box, VIZ_TENSOR, tensor);
    }
}

void graph_draw_edge(const GraphPicture *p, const VizEdge *e) {
    const VizFrame *frame = p->frame;
    const VizNode *from = &p->g->nodes[e->from], *to = &p->g->nodes[e->to];
    const VizRect a = graph_node_rect(p, from), b = graph_node_rect(p, to);
    const int32_t row = from->layer / p->per_row;
    const bool turns = to->layer / p->per_row != row;
    const float px = frame->px, room = b.x - a.x - a.w;
    const bool head = to->kind != VIZ_NODE_BEND && (turns || room >= 10 * px);
    const VizPoint start = {a.x + a.w, graph_port_y(p, from)}, end = {b.x, graph_port_y(p, to)};
    const VizPoint stop = {head ? end.x - 5 * px : end.x, end.y};
    const bool selected = p->focus.tensor >= 0 && p->focus.tensor == e->tensor;
    const float width = (selected ? 2.5f : !turns && room < 10 * px ? 1 : 1.75f) * px;
    const bool dim =
        graph_dimmed(p, -1, e->tensor) && !graph_touches(p, from) && !graph_touches(p, to);
    VizColour colour = viz_tensor_fill(frame, e->tensor).colour;
    /* what can hardly be told from the ground has a rim */
    const bool rim = !dim && viz_contrast(colour, viz_colour(frame->theme, VIZ_PANEL)) < 2;
    if (dim) colour = viz_with_alpha(colour, 0x50);
    for (int32_t pass = rim ? 0 : 1; pass < 2; pass++) {
        const VizColour ink = pass ? colour : viz_colour(frame->theme, VIZ_BORDER);
        const float wide = pass ? width : width + 1.5f * px;
        if (turns)
            draw_turn(p, start, stop, row, wide, ink, e->tensor);
        else
            draw_curve(p, start, stop, wide, ink, e->tensor);
        if (to->kind == VIZ_NODE_BEND) /* on through its layer */
            draw_piece(p, end, (VizPoint){b.x + b.w, end.y}, wide, ink, e->tensor);
    }
    if (head) draw_head(p, end, rim ? viz_colour(frame->theme, VIZ_BORDER) : colour);
}

static bool overlaps(VizRect a, VizRect b) {
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/* Of edges that leave a node with the same tensor one has its name. */
static bool is_named_before(const GraphPicture *p, const VizEdge *e) {
    for (const VizEdge *d = e; d > p->g->edges && d[-1].from == e->from; d--)
        if (d[-1].tensor == e->tensor) return true;
    return false;
}

void graph_draw_label(GraphPicture *p, const VizEdge *e) {
    const VizFrame *frame = p->frame;
    const VizNode *from = &p->g->nodes[e->from], *to = &p->g->nodes[e->to];
    const VizRect a = graph_node_rect(p, from), b = graph_node_rect(p, to);
    const float px = frame->px;
    const char *name;
    VizTextStyle style = viz_style(frame, VIZ_REGULAR, SMALL, VIZ_TEXT_DIM);
    VizRect box;
    if (e->tensor < 0 || p->detail == DETAIL_BOX || p->label_count == LABELS_MOST) return;
    if (from->kind != VIZ_NODE_OP || to->kind == VIZ_NODE_OUTPUT) return; /* named elsewhere */
    if (from->layer / p->per_row != to->layer / p->per_row) return;
    name = graph_program(p)->tensors[e->tensor].name;
    box.w = viz_canvas_text_width(frame->canvas, style, name) + 6 * px;
    box.h = 13 * px;
    if (box.w + 20 * px > b.x - a.x - a.w || is_named_before(p, e)) return;
    box.x = viz_whole((a.x + a.w + b.x - 4 * px - box.w) / 2);
    box.y = viz_whole((graph_port_y(p, from) + graph_port_y(p, to) - box.h) / 2);
    for (int32_t i = 0; i < p->label_count; i++)
        if (overlaps(box, p->labels[i])) return;
    p->labels[p->label_count++] = box;
    if (p->focus.tensor == e->tensor) style.colour = viz_colour(frame->theme, VIZ_TEXT);
    style.vertical = VIZ_MIDDLE;
    style.anchor = VIZ_CENTRE;
    viz_canvas_rect(frame->canvas, box, viz_plain(viz_colour(frame->theme, VIZ_PANEL)));
    viz_canvas_text(frame->canvas, (VizPoint){box.x + box.w / 2, box.y + box.h / 2}, style, name);
    viz_canvas_region(frame->canvas, box, VIZ_TENSOR, e->tensor);
}
