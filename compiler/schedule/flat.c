/* flat.c - the flows of element-wise stages of long vectors, and their order.
 *
 * A part of every block, then the next part of every block, so that flows that run side by side
 * read different slices, and end together however many of them there is room for. Of the next few
 * parts that come first which can start first: what runs side by side has to fill the streams of
 * both directions.
 */
#include "schedule.h"

#include <string.h>

enum { PARTS = 18, SHORTEST = 16, WINDOW = 16 };

/* Rows low .. high-1 of the stage, all of one block. */
typedef struct {
    int32_t low, high;
} Piece;

/* The pieces of a stage that come next, `count` of them, and where those after them begin. */
typedef struct {
    const Stage *stage;
    const Tensor *out;
    int32_t part; /* rows of a block that a piece takes */
    int32_t block, at;
    Piece next[WINDOW];
    int32_t count;
} Pieces;

/* Rows of a piece. Where the steps do not fill the ALUs a whole number of times, a flow finds some
 * of its ALUs free and takes the others as those before it leave them, a step every vxm_op_cycles:
 * at this length as many begin in that time as there are ALUs for. */
static int32_t piece_rows(const TspMachine *m, const Stage *stage, int32_t block_rows) {
    if (stage->step_count < m->vxm_alus && m->vxm_alus % stage->step_count)
        return (int32_t)(m->vxm_alus * m->vxm_op_cycles);
    return (int32_t)tsp_max64(tsp_ceil_div(block_rows, PARTS), SHORTEST);
}

/* Takes the next pieces into the window. */
static void refill(Pieces *p) {
    int32_t row0 = p->stage->outputs[0].row0, rows = p->out->block_rows;
    while (p->count < WINDOW && p->at < rows) {
        int32_t low = p->block * rows + p->at - row0;
        int32_t high = tsp_min32(low + tsp_min32(p->part, rows - p->at), p->stage->rows);
        if (low < 0) low = 0;
        if (low < high) p->next[p->count++] = (Piece){low, high};
        if (++p->block < p->out->blocks) continue;
        p->block = 0;
        p->at += p->part;
    }
}

/* Makes the flow of the first rows of a piece, as many as one block of every tensor has; the cycle
 * in which it can start, -1: error. */
static int64_t first_flow(Scheduler *s, const Stage *stage, const Piece *piece, int32_t *end,
                          TspError *err) {
    int64_t from = 0;
    *end = schedule_cut(s, stage, piece->low, piece->high - piece->low);
    flow_clear(&s->compute, stage->op, stage->what);
    if (!schedule_tail(s, &s->compute, stage, piece->low, *end - piece->low, 0, 1, NULL, &from,
                       err))
        return -1;
    return flow_earliest(&s->table, &s->compute, from, err);
}

/* The first of the pieces that can start first, in *start; -1: error. */
static int32_t choose(Scheduler *s, const Pieces *p, int64_t *start, TspError *err) {
    int32_t best = -1, end;
    for (int32_t i = 0; i < p->count; i++) {
        int64_t at = first_flow(s, p->stage, &p->next[i], &end, err);
        if (at < 0) return -1;
        if (best >= 0 && at >= *start) continue;
        best = i;
        *start = at;
    }
    return best;
}

static bool place(Scheduler *s, Pieces *p, int32_t i, int64_t start, TspError *err) {
    int32_t end, low = p->next[i].low;
    if (first_flow(s, p->stage, &p->next[i], &end, err) < 0 ||
        !flow_commit(&s->table, &s->compute, start, err) ||
        !schedule_results(s, p->stage, &s->compute, start, low, end - low, 0, 1, err))
        return false;
    p->next[i].low = end;
    if (end < p->next[i].high) return true;
    p->count--;
    memmove(p->next + i, p->next + i + 1, (size_t)(p->count - i) * sizeof *p->next);
    return true;
}

bool schedule_flat(Scheduler *s, const Stage *stage, TspError *err) {
    const Tensor *t = &s->module->tensors[stage->outputs[0].tensor];
    Pieces p = {.stage = stage, .out = t, .part = piece_rows(s->m, stage, t->block_rows)};
    for (refill(&p); p.count; refill(&p)) {
        int64_t start = 0;
        int32_t i = choose(s, &p, &start, err);
        if (i < 0 || !place(s, &p, i, start, err)) return false;
    }
    return true;
}
