/* graph.c - the panel of the graph: ops from left to right, how far each has come, and the tensors
 * that join them.
 *
 * Where nodes stand is worked out once (graph_layout.c); here it is scaled to the panel, and the
 * nodes show as much as there is room for in all of them alike.
 */
#include "plan.h"
#include "words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Lengths in scaled pixels. */
#define MARGIN      8.0f
#define NAME        11.0f /* sizes of texts */
#define SMALL       10.0f
#define NAME_ROW    17.0f
#define ROW         13.0f
#define CHIP_ROW    15.0f
#define BAR         4.0f
#define PADDING     6.0f
#define NODE_MOST   190.0f /* width of an op */
#define TENSOR_MOST 120.0f
#define GAP_MOST    110.0f
#define BETWEEN     10.0f /* nodes of a layer */
#define TURN        16.0f /* rows of layers */
#define READABLE    0.72f /* share of a name that most people can guess the rest from */

/* What nodes show, from least to most. */
typedef enum {
    DETAIL_BOX,   /* a box and how far it has come */
    DETAIL_NAME,  /* and the name */
    DETAIL_TYPE,  /* and type and interval in a row */
    DETAIL_CHIPS, /* and the constants below */
    DETAILS
} Detail;

/* Least width of an op, of a tensor, of the gap between layers. */
static const struct {
    float op, tensor, gap;
} least[DETAILS] = {
    [DETAIL_BOX] = {1, 1, 1},
    [DETAIL_NAME] = {44, 26, 14},
    [DETAIL_TYPE] = {88, 36, 16},
    [DETAIL_CHIPS] = {88, 36, 16},
};

/* In which order they are tried, with the layers in so many rows; first so that names can be read,
 * then with less of them. */
static const struct {
    Detail detail;
    int32_t rows;
} tries[] = {
    {DETAIL_CHIPS, 1}, {DETAIL_CHIPS, 2}, {DETAIL_TYPE, 1}, {DETAIL_TYPE, 2},
    {DETAIL_CHIPS, 3}, {DETAIL_TYPE, 3},  {DETAIL_NAME, 1}, {DETAIL_NAME, 2},
    {DETAIL_CHIPS, 4}, {DETAIL_TYPE, 4},  {DETAIL_NAME, 3}, {DETAIL_NAME, 4},
};
enum { TRIES = sizeof tries / sizeof *tries };

enum { LAYERS_MOST = 512, LABELS_MOST = 64, CURVE = 12 };

typedef struct {
    const VizFrame *frame;
    const VizGraph *g;
    VizFocus focus;
    Detail detail;
    int32_t per_row; /* layers of a row */
    float unit, top; /* pixels of a slot; y of slot 0 in the first row */
    float row;       /* pixels from a row to the next */
    float share;     /* of the width it wants that a node has at least */
    int32_t chips;   /* most below any op */
    float left[LAYERS_MOST], width[LAYERS_MOST]; /* of the layers */
    VizRect labels[LABELS_MOST];                 /* that stand already */
    int32_t label_count;
} Picture;

static float snap(float v) {
    return floorf(v + 0.5f);
}

static float width_of(const Picture *p, VizFace face, float size, const char *text) {
    return viz_canvas_text_width(p->frame->canvas, viz_style(p->frame, face, size, VIZ_TEXT), text);
}

static const TspProgram *program_of(const Picture *p) {
    return p->frame->run->program;
}

/* -- layout -- */

/* Height of a node, the constants below an op not included. */
static float node_height(const Picture *p, const VizNode *n, Detail detail) {
    const float px = p->frame->px;
    if (n->kind == VIZ_NODE_BEND || detail == DETAIL_BOX) return 0;
    if (n->kind != VIZ_NODE_OP) return CHIP_ROW * px;
    if (detail == DETAIL_NAME) return (PADDING + NAME_ROW + BAR + 3) * px;
    return (PADDING + NAME_ROW + 2 * ROW + BAR + 5) * px;
}

/* Room below every op alike, so that their boxes are level. */
static float chips_height(const Picture *p, Detail detail) {
    return detail == DETAIL_CHIPS ? (float)p->chips * CHIP_ROW * p->frame->px : 0;
}

static float wanted_width(const Picture *p, const VizNode *n) {
    const float px = p->frame->px;
    char text[VIZ_WORDS];
    if (n->kind == VIZ_NODE_BEND) return 0;
    if (n->kind != VIZ_NODE_OP)
        return fminf(width_of(p, VIZ_REGULAR, SMALL, program_of(p)->tensors[n->id].name) + 24 * px,
                     TENSOR_MOST * px);
    viz_op_text(text, program_of(p), n->id);
    return fminf(
        fmaxf(width_of(p, VIZ_BOLD, NAME, text) + 34 * px, p->detail == DETAIL_NAME ? 0 : 110 * px),
        NODE_MOST * px);
}

static float least_width(const Picture *p, const VizNode *n) {
    if (n->kind == VIZ_NODE_BEND) return 0;
    return fmaxf((n->kind == VIZ_NODE_OP ? least[p->detail].op : least[p->detail].tensor) *
                     p->frame->px,
                 floorf(p->share * wanted_width(p, n)));
}

/* Widest of a layer by one of the two above. */
static float layer_width(const Picture *p, int32_t layer, bool wanted) {
    float width = 0;
    for (int32_t i = p->g->layer_first[layer]; i < p->g->layer_first[layer + 1]; i++) {
        const VizNode *n = &p->g->nodes[p->g->layer[i]];
        width = fmaxf(width, wanted ? wanted_width(p, n) : least_width(p, n));
    }
    return width;
}

/* Layers of a row: first .. end - 1. */
static int32_t row_end(const Picture *p, int32_t first) {
    return first + p->per_row < p->g->layer_count ? first + p->per_row : p->g->layer_count;
}

static float row_width(const Picture *p, int32_t first, bool wanted) {
    float width = 0;
    for (int32_t layer = first; layer < row_end(p, first); layer++)
        width += fmaxf(layer_width(p, layer, false), wanted ? layer_width(p, layer, true) : 0);
    return width;
}

static void try(Picture *p, Detail detail, int32_t rows, float share) {
    p->detail = detail;
    p->share = share;
    p->per_row = (p->g->layer_count + rows - 1) / rows;
}

static bool fits(Picture *p, VizRect inside) {
    const VizGraph *g = p->g;
    const Detail detail = p->detail;
    const int32_t rows = (g->layer_count + p->per_row - 1) / p->per_row;
    const float px = p->frame->px;
    float slot = 0;
    for (int32_t i = 0; i < g->node_count; i++) {
        const VizNode *n = &g->nodes[i];
        if (n->kind == VIZ_NODE_BEND) continue;
        slot = fmaxf(slot, (node_height(p, n, detail) + BETWEEN * px +
                            (n->kind == VIZ_NODE_OP ? chips_height(p, detail) : 0)) /
                               viz_node_slots(n->kind));
    }
    p->unit = slot;
    p->row = slot * (g->bottom - g->top) + (TURN - BETWEEN) * px;
    for (int32_t first = 0; first < g->layer_count; first += p->per_row)
        if (row_width(p, first, false) +
                (float)(row_end(p, first) - first - 1) * least[detail].gap * px +
                (rows > 1 ? 2 * BETWEEN * px : 0) >
            inside.w)
            return false;
    return p->row * (float)rows - TURN * px <= inside.h;
}

/* What is left of the width goes first to the nodes, up to what they want, then to the gaps. */
static void share_width(Picture *p, int32_t first, VizRect inside) {
    const float px = p->frame->px, low = row_width(p, first, false);
    const float wish = row_width(p, first, true) - low;
    const float gaps = (float)(row_end(p, first) - first - 1);
    float gap = least[p->detail].gap * px, room = inside.w - low - gaps * gap, x;
    const float part = wish > 0 ? fminf(fmaxf(room / wish, 0), 1) : 0;
    room -= part * wish;
    if (gaps > 0 && room > 0) gap = fminf(gap + room / gaps, GAP_MOST * px);
    x = inside.x;
    if (p->per_row >= p->g->layer_count) /* a single row stands in the middle */
        x += fmaxf(inside.w - low - part * wish - gaps * gap, 0) / 2;
    for (int32_t layer = first; layer < row_end(p, first); layer++) {
        const float w = layer_width(p, layer, false);
        p->left[layer] = x;
        p->width[layer] = w + part * (fmaxf(w, layer_width(p, layer, true)) - w);
        x += p->width[layer] + gap;
    }
}

/* Two thirds boxes, whatever there is. */
static void share_boxes(Picture *p, VizRect inside) {
    const float third = inside.w / (float)(3 * p->g->layer_count - 1);
    for (int32_t layer = 0; layer < p->g->layer_count; layer++) {
        p->width[layer] = fminf(2 * third, 60 * p->frame->px);
        p->left[layer] = inside.x + 3 * third * (float)layer;
    }
}

static void lay_out(Picture *p, VizRect inside) {
    const VizGraph *g = p->g;
    const float turn = BETWEEN * p->frame->px;
    int32_t i = 0, rows;
    float height;
    for (; i < 2 * TRIES; i++) {
        try(p, tries[i % TRIES].detail, tries[i % TRIES].rows, i < TRIES ? READABLE : 0);
        if (fits(p, inside)) break;
    }
    if (i == 2 * TRIES) {
        try(p, DETAIL_BOX, 1, 0);
        p->unit = fminf(inside.h / (g->bottom - g->top), 46 * p->frame->px);
        p->row = 0;
    }
    rows = (g->layer_count + p->per_row - 1) / p->per_row;
    height = p->unit * (g->bottom - g->top) + (float)(rows - 1) * p->row;
    p->top = snap(inside.y + (inside.h - height) / 2 - g->top * p->unit -
                  chips_height(p, p->detail) / 2);
    if (rows > 1) inside = (VizRect){inside.x + turn, inside.y, inside.w - 2 * turn, inside.h};
    if (p->detail == DETAIL_BOX)
        share_boxes(p, inside);
    else
        for (int32_t first = 0; first < g->layer_count; first += p->per_row)
            share_width(p, first, inside);
}

/* Where edges leave and meet a node: its middle. */
static float port_y(const Picture *p, const VizNode *n) {
    const int32_t row = n->layer / p->per_row;
    return snap(p->top + n->y * p->unit + (float)row * p->row);
}

static VizRect node_rect(const Picture *p, const VizNode *n) {
    const float y = port_y(p, n), x = p->left[n->layer], w = p->width[n->layer];
    float h = node_height(p, n, p->detail), width = w;
    if (p->detail == DETAIL_BOX)
        h = fmaxf(viz_node_slots(n->kind) * p->unit - fminf(6 * p->frame->px, p->unit / 4), 1);
    if (n->kind == VIZ_NODE_BEND) return (VizRect){x, y, w, 0};
    if (n->kind != VIZ_NODE_OP && p->detail != DETAIL_BOX)
        width = fminf(w, fmaxf(wanted_width(p, n), least_width(p, n)));
    /* inputs end, outputs begin where their edges do */
    return (VizRect){snap(n->kind == VIZ_NODE_INPUT ? x + w - width : x), y - snap(h / 2),
                     snap(width), snap(h)};
}

/* -- edges -- */

static VizFill faint(VizFill fill) {
    fill.colour = viz_with_alpha(fill.colour, 0x60);
    fill.ink = viz_with_alpha(fill.ink, fill.ink & 0x60);
    return fill;
}

static bool dimmed(const Picture *p, int32_t op, int32_t tensor) {
    return !viz_goes_with(&p->focus, op, tensor);
}

static void draw_piece(const Picture *p, VizPoint a, VizPoint b, float width, VizColour colour,
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
static void draw_curve(const Picture *p, VizPoint a, VizPoint b, float width, VizColour colour,
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

static void draw_head(const Picture *p, VizPoint tip, VizColour colour) {
    const float px = p->frame->px;
    const VizPoint points[] = {
        tip, {tip.x - 6 * px, tip.y - 3 * px}, {tip.x - 6 * px, tip.y + 3 * px}};
    viz_canvas_polygon(p->frame->canvas, points, 3, viz_plain(colour));
}

static bool touches(const Picture *p, const VizNode *n) {
    return n->kind == VIZ_NODE_OP && p->focus.op == n->id && p->focus.op >= 0;
}

/* From the end of a row to the beginning of the next: down to between them, and back. */
static void draw_turn(const Picture *p, VizPoint a, VizPoint b, int32_t row, float width,
                      VizColour colour, int32_t tensor) {
    const float px = p->frame->px, reach = 4 * px;
    const VizRect area = p->frame->area;
    const float left = area.x + MARGIN * px, right = area.x + area.w - MARGIN * px;
    const float bottom = p->top + chips_height(p, p->detail) / 2 + p->g->bottom * p->unit;
    const float middle = snap(bottom + (float)row * p->row + (TURN - BETWEEN) / 2 * px);
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

static void draw_edge(const Picture *p, const VizEdge *e) {
    const VizFrame *frame = p->frame;
    const VizNode *from = &p->g->nodes[e->from], *to = &p->g->nodes[e->to];
    const VizRect a = node_rect(p, from), b = node_rect(p, to);
    const int32_t row = from->layer / p->per_row;
    const bool turns = to->layer / p->per_row != row;
    const float px = frame->px, room = b.x - a.x - a.w;
    const bool head = to->kind != VIZ_NODE_BEND && (turns || room >= 10 * px);
    const VizPoint start = {a.x + a.w, port_y(p, from)}, end = {b.x, port_y(p, to)};
    const VizPoint stop = {head ? end.x - 5 * px : end.x, end.y};
    const bool selected = p->focus.tensor >= 0 && p->focus.tensor == e->tensor;
    const float width = (selected ? 2.5f : !turns && room < 10 * px ? 1 : 1.75f) * px;
    const bool dim = dimmed(p, -1, e->tensor) && !touches(p, from) && !touches(p, to);
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
static bool is_named_before(const Picture *p, const VizEdge *e) {
    for (const VizEdge *d = e; d > p->g->edges && d[-1].from == e->from; d--)
        if (d[-1].tensor == e->tensor) return true;
    return false;
}

/* The tensor's name on its edge, where it fits between the nodes and no other stands. */
static void draw_label(Picture *p, const VizEdge *e) {
    const VizFrame *frame = p->frame;
    const VizNode *from = &p->g->nodes[e->from], *to = &p->g->nodes[e->to];
    const VizRect a = node_rect(p, from), b = node_rect(p, to);
    const float px = frame->px;
    const char *name;
    VizTextStyle style = viz_style(frame, VIZ_REGULAR, SMALL, VIZ_TEXT_DIM);
    VizRect box;
    if (e->tensor < 0 || p->detail == DETAIL_BOX || p->label_count == LABELS_MOST) return;
    if (from->kind != VIZ_NODE_OP || to->kind == VIZ_NODE_OUTPUT) return; /* named elsewhere */
    if (from->layer / p->per_row != to->layer / p->per_row) return;
    name = program_of(p)->tensors[e->tensor].name;
    box.w = viz_canvas_text_width(frame->canvas, style, name) + 6 * px;
    box.h = 13 * px;
    if (box.w + 20 * px > b.x - a.x - a.w || is_named_before(p, e)) return;
    box.x = snap((a.x + a.w + b.x - 4 * px - box.w) / 2);
    box.y = snap((port_y(p, from) + port_y(p, to) - box.h) / 2);
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

/* -- nodes -- */

typedef enum { WAITING, RUNNING, DONE } State;

static State state_of(const Picture *p, int32_t op, float *share) {
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
static void draw_state(const Picture *p, State state, VizPoint at) {
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

static VizRole ground_of(const Picture *p, VizKind kind, int32_t id) {
    if (is_thing(p->frame->view->selected, kind, id)) return VIZ_SELECTION;
    return is_thing(p->frame->view->hovered, kind, id) ? VIZ_HOVER : VIZ_RAISED;
}

static void draw_bar(const Picture *p, VizRect r, int32_t op, float share) {
    const VizFrame *frame = p->frame;
    VizFill fill = viz_op_fill(frame, op);
    viz_canvas_rect(frame->canvas, r, viz_plain(viz_colour(frame->theme, VIZ_IDLE)));
    if (dimmed(p, op, frame->run->op_tensor[op])) fill = faint(fill);
    r.w *= share;
    viz_canvas_rect(frame->canvas, r, fill);
}

static const char *interval_text(char text[VIZ_WORDS], const Picture *p, int32_t op) {
    const TspOpInfo *info = &program_of(p)->ops[op];
    const TspInterval ran = p->frame->run->timeline.ops[op];
    /* the same by contract, where it is predicted at all */
    if (program_of(p)->predicted_cycles >= 0)
        snprintf(text, VIZ_WORDS, "%" PRId64 " to %" PRId64, info->start, info->end);
    else if (ran.start >= 0)
        snprintf(text, VIZ_WORDS, "%" PRId64 " to %" PRId64, ran.start, ran.end);
    else
        snprintf(text, VIZ_WORDS, "never");
    return text;
}

static void draw_op_texts(const Picture *p, const VizNode *n, VizRect r, State state, bool dim) {
    const VizFrame *frame = p->frame;
    const TspOpInfo *info = &program_of(p)->ops[n->id];
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
    viz_canvas_text(frame->canvas, (VizPoint){x, y}, name, viz_op_text(text, program_of(p), n->id));
    if (p->detail == DETAIL_NAME) return;
    y += (NAME_ROW / 2 + ROW / 2) * px;
    if (info->type) viz_canvas_text(frame->canvas, (VizPoint){x, y}, small, info->type);
    y += ROW * px;
    viz_canvas_text(frame->canvas, (VizPoint){x, y}, small, interval_text(text, p, n->id));
}

static void draw_chip(const Picture *p, VizRect r, int32_t tensor, VizRole ground, bool dim) {
    const VizFrame *frame = p->frame;
    const float px = frame->px, side = 8 * px, middle = r.y + r.h / 2;
    VizTextStyle style = viz_style(frame, VIZ_REGULAR, SMALL, dim ? VIZ_TEXT_DIM : VIZ_TEXT);
    const VizRect swatch = {r.x + 4 * px, snap(middle - side / 2), side, side};
    VizFill fill = viz_tensor_fill(frame, tensor);
    if (dim) fill = faint(fill);
    if (ground != VIZ_PANEL)
        viz_canvas_rect(frame->canvas, r, viz_plain(viz_colour(frame->theme, ground)));
    viz_canvas_rect(frame->canvas, swatch, fill);
    if (!dim)
        viz_canvas_outline(frame->canvas, swatch, snap(px), viz_colour(frame->theme, VIZ_BORDER));
    style.vertical = VIZ_MIDDLE;
    style.max_width = r.w - 20 * px;
    if (style.max_width > 0)
        viz_canvas_text(frame->canvas, (VizPoint){r.x + 16 * px, middle}, style,
                        program_of(p)->tensors[tensor].name);
    viz_canvas_region(frame->canvas, r, VIZ_TENSOR, tensor);
}

static void draw_op(const Picture *p, const VizNode *n) {
    const VizFrame *frame = p->frame;
    const float px = frame->px;
    const bool dim = dimmed(p, n->id, frame->run->op_tensor[n->id]);
    VizRect r = node_rect(p, n), bar;
    float share;
    const State state = state_of(p, n->id, &share);
    VizFill strip = viz_op_fill(frame, n->id);
    viz_canvas_rect(frame->canvas, r,
                    viz_plain(viz_colour(frame->theme, ground_of(p, VIZ_OP, n->id))));
    if (dim) strip = faint(strip);
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
        viz_canvas_outline(frame->canvas, r, snap((state == RUNNING ? 2 : 1) * px),
                           viz_colour(frame->theme, state == RUNNING ? VIZ_CURSOR
                                                    : state == DONE  ? VIZ_BORDER
                                                                     : VIZ_GRID));
    viz_canvas_region(frame->canvas, r, VIZ_OP, n->id);
    if (p->detail != DETAIL_CHIPS) return;
    for (int32_t i = 0; i < n->chip_count; i++) {
        const int32_t tensor = p->g->chips[n->chip + i];
        const VizRole ground = ground_of(p, VIZ_TENSOR, tensor);
        draw_chip(p, (VizRect){r.x, r.y + r.h + (float)i * CHIP_ROW * px, r.w, CHIP_ROW * px},
                  tensor, ground == VIZ_RAISED ? VIZ_PANEL : ground,
                  dimmed(p, -1, tensor) && !touches(p, n));
    }
}

static void draw_tensor(const Picture *p, const VizNode *n) {
    const VizFrame *frame = p->frame;
    const VizRect r = node_rect(p, n);
    if (p->detail == DETAIL_BOX) {
        viz_canvas_rect(frame->canvas, r, viz_tensor_fill(frame, n->id));
        viz_canvas_region(frame->canvas, r, VIZ_TENSOR, n->id);
        return;
    }
    draw_chip(p, r, n->id, ground_of(p, VIZ_TENSOR, n->id), dimmed(p, -1, n->id));
    viz_canvas_outline(frame->canvas, r, snap(frame->px), viz_colour(frame->theme, VIZ_GRID));
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
    Picture p = {.frame = frame, .g = g, .focus = viz_focus(frame->run, frame->view->selected)};
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
    lay_out(&p, inside);
    for (int32_t i = 0; i < g->edge_count; i++) draw_edge(&p, &g->edges[i]);
    for (int32_t i = 0; i < g->node_count; i++) {
        if (g->nodes[i].kind == VIZ_NODE_OP) draw_op(&p, &g->nodes[i]);
        if (g->nodes[i].kind == VIZ_NODE_INPUT || g->nodes[i].kind == VIZ_NODE_OUTPUT)
            draw_tensor(&p, &g->nodes[i]);
    }
    for (int32_t i = 0; i < g->edge_count; i++) draw_label(&p, &g->edges[i]);
}
