/* graph_place.c - scales the graph to its panel: as much of the nodes as all have room for, in as
 * many rows as let names be read.
 */
#include "graph_parts.h"

static float width_of(const GraphPicture *p, VizFace face, float size, const char *text) {
    return viz_canvas_text_width(p->frame->canvas, viz_style(p->frame, face, size, VIZ_TEXT), text);
}

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
    GraphDetail detail;
    int32_t rows;
} tries[] = {
    {DETAIL_CHIPS, 1}, {DETAIL_CHIPS, 2}, {DETAIL_TYPE, 1}, {DETAIL_TYPE, 2},
    {DETAIL_CHIPS, 3}, {DETAIL_TYPE, 3},  {DETAIL_NAME, 1}, {DETAIL_NAME, 2},
    {DETAIL_CHIPS, 4}, {DETAIL_TYPE, 4},  {DETAIL_NAME, 3}, {DETAIL_NAME, 4},
};
enum { TRIES = sizeof tries / sizeof *tries };

/* Height of a node, the constants below an op not included. */
static float node_height(const GraphPicture *p, const VizNode *n, GraphDetail detail) {
    const float px = p->frame->px;
    if (n->kind == VIZ_NODE_BEND || detail == DETAIL_BOX) return 0;
    if (n->kind != VIZ_NODE_OP) return CHIP_ROW * px;
    if (detail == DETAIL_NAME) return (PADDING + NAME_ROW + BAR + 3) * px;
    return (PADDING + NAME_ROW + 2 * ROW + BAR + 5) * px;
}

float graph_chips_height(const GraphPicture *p, GraphDetail detail) {
    return detail == DETAIL_CHIPS ? (float)p->chips * CHIP_ROW * p->frame->px : 0;
}

/* What a node with a name of this width wants, and its share of that, or the least there is. */
static float op_width(const GraphPicture *p, float name, bool wanted) {
    const float px = p->frame->px, floor_px = (p->detail == DETAIL_NAME ? 0 : 110) * px;
    const float wish = fminf(fmaxf(name + 34 * px, floor_px), NODE_MOST * px);
    if (name < 0) return 0;
    return wanted ? wish : fmaxf(least[p->detail].op * px, floorf(p->share * wish));
}

static float tensor_width(const GraphPicture *p, float name, bool wanted) {
    const float px = p->frame->px, wish = fminf(name + 24 * px, TENSOR_MOST * px);
    if (name < 0) return 0;
    return wanted ? wish : fmaxf(least[p->detail].tensor * px, floorf(p->share * wish));
}

static float name_width(const GraphPicture *p, const VizNode *n) {
    char text[VIZ_WORDS];
    if (n->kind != VIZ_NODE_OP)
        return width_of(p, VIZ_REGULAR, SMALL, graph_program(p)->tensors[n->id].name);
    return width_of(p, VIZ_BOLD, NAME, viz_op_text(text, graph_program(p), n->id));
}

static void measure_names(GraphPicture *p) {
    for (int32_t layer = 0; layer < p->g->layer_count; layer++)
        p->op_name[layer] = p->tensor_name[layer] = -1;
    for (int32_t i = 0; i < p->g->node_count; i++) {
        const VizNode *n = &p->g->nodes[i];
        float *widest = n->kind == VIZ_NODE_OP ? &p->op_name[n->layer] : &p->tensor_name[n->layer];
        if (n->kind != VIZ_NODE_BEND) *widest = fmaxf(*widest, name_width(p, n));
    }
}

static float layer_width(const GraphPicture *p, int32_t layer, bool wanted) {
    return fmaxf(op_width(p, p->op_name[layer], wanted),
                 tensor_width(p, p->tensor_name[layer], wanted));
}

/* Layers of a row: first .. end - 1. */
static int32_t row_end(const GraphPicture *p, int32_t first) {
    return first + p->per_row < p->g->layer_count ? first + p->per_row : p->g->layer_count;
}

static float row_width(const GraphPicture *p, int32_t first, bool wanted) {
    float width = 0;
    for (int32_t layer = first; layer < row_end(p, first); layer++)
        width += fmaxf(layer_width(p, layer, false), wanted ? layer_width(p, layer, true) : 0);
    return width;
}

static void try(GraphPicture *p, GraphDetail detail, int32_t rows, float share) {
    p->detail = detail;
    p->share = share;
    p->per_row = (p->g->layer_count + rows - 1) / rows;
}

static bool fits(GraphPicture *p, VizRect inside) {
    const VizGraph *g = p->g;
    const GraphDetail detail = p->detail;
    const int32_t rows = (g->layer_count + p->per_row - 1) / p->per_row;
    const float px = p->frame->px;
    float slot = 0;
    for (int32_t i = 0; i < g->node_count; i++) {
        const VizNode *n = &g->nodes[i];
        if (n->kind == VIZ_NODE_BEND) continue;
        slot = fmaxf(slot, (node_height(p, n, detail) + BETWEEN * px +
                            (n->kind == VIZ_NODE_OP ? graph_chips_height(p, detail) : 0)) /
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
static void share_width(GraphPicture *p, int32_t first, VizRect inside) {
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
static void share_boxes(GraphPicture *p, VizRect inside) {
    const float third = inside.w / (float)(3 * p->g->layer_count - 1);
    for (int32_t layer = 0; layer < p->g->layer_count; layer++) {
        p->width[layer] = fminf(2 * third, 60 * p->frame->px);
        p->left[layer] = inside.x + 3 * third * (float)layer;
    }
}

void graph_lay_out(GraphPicture *p, VizRect inside) {
    const VizGraph *g = p->g;
    const float turn = BETWEEN * p->frame->px;
    int32_t i = 0, rows;
    float height;
    measure_names(p);
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
    p->top = viz_whole(inside.y + (inside.h - height) / 2 - g->top * p->unit -
                       graph_chips_height(p, p->detail) / 2);
    if (rows > 1) inside = (VizRect){inside.x + turn, inside.y, inside.w - 2 * turn, inside.h};
    if (p->detail == DETAIL_BOX)
        share_boxes(p, inside);
    else
        for (int32_t first = 0; first < g->layer_count; first += p->per_row)
            share_width(p, first, inside);
}

float graph_port_y(const GraphPicture *p, const VizNode *n) {
    const int32_t row = n->layer / p->per_row;
    return viz_whole(p->top + n->y * p->unit + (float)row * p->row);
}

VizRect graph_node_rect(const GraphPicture *p, const VizNode *n) {
    const float y = graph_port_y(p, n), x = p->left[n->layer], w = p->width[n->layer];
    float h = node_height(p, n, p->detail), width = w;
    if (p->detail == DETAIL_BOX)
        h = fmaxf(viz_node_slots(n->kind) * p->unit - fminf(6 * p->frame->px, p->unit / 4), 1);
    if (n->kind == VIZ_NODE_BEND) return (VizRect){x, y, w, 0};
    if (n->kind != VIZ_NODE_OP && p->detail != DETAIL_BOX)
        width = fminf(w, fmaxf(tensor_width(p, name_width(p, n), true), tensor_width(p, 0, false)));
    /* inputs end, outputs begin where their edges do */
    return (VizRect){viz_whole(n->kind == VIZ_NODE_INPUT ? x + w - width : x), y - viz_whole(h / 2),
                     viz_whole(width), viz_whole(h)};
}
