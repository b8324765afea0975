/* inspector_things.c - ops and tensors: what the program says of them and where they are.
 */
#include "inspector_parts.h"

#include <inttypes.h>
#include <stdio.h>

static void put_uses(VizLines *l, int32_t op, bool writes) {
    const VizGraph *g = &viz_lines_run(l)->plan->graph;
    const char *key = writes ? "writes" : "reads";
    for (int32_t i = 0; i < g->use_count; i++) {
        if (g->uses[i].op != op || g->uses[i].writes != writes) continue;
        viz_inspect_link_tensor(l, key, g->uses[i].tensor);
        key = "";
    }
}

static void put_state(VizLines *l, int32_t op) {
    const TspInterval ran = viz_lines_run(l)->timeline.ops[op];
    const int64_t now = l->frame->view->cycle;
    char when[VIZ_WORDS];
    if (ran.start < 0) return;
    if (now < ran.start)
        viz_line_pair(l, "state", "waiting, starts %s", viz_inspect_when(when, l, ran.start));
    else if (now >= ran.end)
        viz_line_pair(l, "state", "done, %s", viz_inspect_when(when, l, ran.end))->role = VIZ_GOOD;
    else
        viz_line_pair(l, "state", "running, %" PRId64 " of %" PRId64 " cycles", now - ran.start,
                      ran.end - ran.start)
            ->role = VIZ_CURSOR;
}

void viz_inspect_op(VizLines *l, int32_t op) {
    const TspProgram *p = viz_lines_run(l)->program;
    const TspOpInfo *info = &p->ops[op];
    char text[VIZ_WORDS];
    VizLine *title = viz_line_title(l, "op", "%s", viz_op_text(text, p, op));
    title->has_swatch = true;
    title->swatch = viz_op_fill(l->frame, op);
    if (info->type && info->type[0]) viz_line_pair(l, "type", "%s", info->type);
    put_state(l, op);
    viz_inspect_intervals(l, op);
    if (info->bound > 0) viz_line_pair(l, "bound", "%" PRId64 " cycles", info->bound);
    viz_line_gap(l);
    put_uses(l, op, false);
    put_uses(l, op, true);
    viz_line_gap(l);
    if (info->line > 0)
        viz_line_pair(l, "source", "line %d of %s", info->line,
                      p->source ? p->source : "the graph");
}

/* -- tensors -- */

static void put_users(VizLines *l, int32_t tensor, bool writes) {
    const VizGraph *g = &viz_lines_run(l)->plan->graph;
    const char *key = writes ? "written by" : "read by";
    for (int32_t i = 0; i < g->use_count; i++) {
        if (g->uses[i].tensor != tensor || g->uses[i].writes != writes) continue;
        viz_inspect_link_op(l, key, g->uses[i].op);
        key = "";
    }
}

static void put_pieces(VizLines *l, const TspTensor *t) {
    const VizRun *run = viz_lines_run(l);
    const int64_t rows = tsp_mem_slice_rows(run->m);
    for (int32_t i = 0; i < t->piece_count; i++) {
        const TspPiece *piece = &t->pieces[i];
        const int32_t last = piece->addr + (piece->rows - 1) * piece->addr_step;
        char text[VIZ_WORDS], to[32];
        snprintf(to, sizeof to, " to 0x%04x", (unsigned)last);
        viz_line_link(l, (VizThing){VIZ_ROW, piece->slice * rows + piece->addr}, i ? "" : "where",
                      "%s%s", viz_row_text(text, run->m, piece->slice, piece->addr),
                      piece->rows > 1 ? to : "");
    }
}

void viz_inspect_tensor(VizLines *l, int32_t tensor) {
    const TspTensor *t = &viz_lines_run(l)->program->tensors[tensor];
    int64_t rows = 0;
    char text[VIZ_WORDS];
    VizLine *title = viz_line_title(l, viz_tensor_role_text(t->role), "%s", t->name);
    title->has_swatch = true;
    title->swatch = viz_tensor_fill(l->frame, tensor);
    for (int32_t i = 0; i < t->piece_count; i++) rows += t->pieces[i].rows;
    viz_line_pair(l, "type", "%s, %s", tsp_dtype_name(t->dtype), viz_shape_text(text, t));
    viz_line_pair(l, "size", "%s", viz_bytes_text(text, tsp_tensor_bytes(t)));
    put_users(l, tensor, true);
    put_users(l, tensor, false);
    if (t->transposed) viz_line_pair(l, "layout", "transposed in memory");
    if (t->flat) viz_line_pair(l, "layout", "flat in memory: one row of all elements");
    viz_line_pair(l, "in memory", "%s rows in %d %s", viz_count_text(text, rows), t->piece_count,
                  t->piece_count == 1 ? "piece" : "pieces");
    put_pieces(l, t);
}
