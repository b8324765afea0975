/* layout_meet.c - which tensors meet in a flow, and what that leaves of the slices.
 */
#include "layout_parts.h"

static bool add_edge(Layout *l, int32_t a, int32_t b, bool same_slice, bool same_ctile,
                     TspError *err) {
    EdgeList *list = &l->edges[a];
    if (a == b) return true;
    for (int32_t i = 0; i < list->count; i++)
        if (list->items[i].other == b && list->items[i].same_slice == same_slice &&
            list->items[i].same_ctile == same_ctile)
            return true;
    if (!tsp_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof(Edge), err))
        return false;
    list->items[list->count++] = (Edge){b, same_slice, same_ctile};
    return true;
}

static bool add_pair(Layout *l, int32_t a, int32_t b, bool same_slice, bool same_ctile,
                     TspError *err) {
    return add_edge(l, a, b, same_slice, same_ctile, err) &&
           add_edge(l, b, a, same_slice, same_ctile, err);
}

/* Slices that a row of a column tile is written to at most. */
static int32_t slices_written(const TspMachine *m, const Tensor *t) {
    const int32_t planes = 2 * (int32_t)m->mxm_planes, copies = t->streamed ? planes : 1;
    return t->bytes * ((t->wanted ? t->wanted : copies) + t->striped);
}

int32_t tsp_tiles_beside(const Module *module, const Stage *stage) {
    const TspMachine *m = &module->machine;
    const int32_t alus = stage->step_count + stage->output_count,
                  beside = tsp_min32((int32_t)m->streams, (int32_t)m->mem_slices);
    int32_t shared = 0, own = 0, most = tsp_ceil_div(stage->cols, tsp_lanes(m));
    if (stage->product || alus == 0 || m->vxm_neighbour_only) return 1;
    for (int32_t i = 0; i < stage->operand_count; i++)
        *(stage->operands[i].one_tile ? &shared : &own) +=
            module->tensors[stage->operands[i].tensor].bytes;
    for (int32_t i = 0; i < stage->output_count; i++)
        own += slices_written(m, &module->tensors[stage->outputs[i].tensor]);
    most = tsp_min32(most, (int32_t)m->vxm_alus / alus);
    most = tsp_min32(most, (beside * 3 / 2 - shared) / own); /* of both directions; some are left */
    return shared > 0 && most > 1 ? most : 1;
}

/* Column tiles that pass side by side lie in different slices. */
static void keep_tiles_apart(Module *m, const Stage *stage) {
    const int32_t beside = tsp_tiles_beside(m, stage);
    for (int32_t i = 0; i < stage->operand_count; i++) {
        Tensor *t = &m->tensors[stage->operands[i].tensor];
        if (!stage->operands[i].one_tile && t->together < beside) t->together = beside;
    }
    for (int32_t i = 0; i < stage->output_count; i++) {
        Tensor *t = &m->tensors[stage->outputs[i].tensor];
        if (t->together < beside) t->together = beside;
    }
}

/* Whether a stage's flows meet the same column tile of all its tensors. */
static bool same_tiles(const Module *m, const Stage *stage) {
    bool same = !stage->product && tsp_tiles_beside(m, stage) == 1;
    int32_t tile = stage->output_count ? stage->outputs[0].ctile0 : 0;
    for (int32_t i = 0; i < stage->operand_count; i++) same &= stage->operands[i].ctile0 == tile;
    for (int32_t i = 0; i < stage->output_count; i++) same &= stage->outputs[i].ctile0 == tile;
    return same;
}

bool layout_find_edges(Layout *l, TspError *err) {
    for (int32_t s = 0; s < l->module->stage_count; s++) {
        const Stage *stage = &l->module->stages[s];
        const Operand *operands = stage->operands;
        bool tiled = same_tiles(l->module, stage);
        keep_tiles_apart(l->module, stage);
        for (int32_t o = 0; o < stage->output_count; o++) {
            int32_t out = stage->outputs[o].tensor;
            for (int32_t p = 0; p < o; p++)
                if (!add_pair(l, out, stage->outputs[p].tensor, true, tiled, err)) return false;
            for (int32_t p = 0; p < stage->partials; p++)
                if (!add_pair(l, out, stage->partial + p, true, tiled, err)) return false;
            /* a chain that leaves no marks writes when it has read everything */
            const bool late = stage->chain_rows && !stage->mark_rows;
            for (int32_t i = 0; i < stage->operand_count && !late; i++)
                if (!add_pair(l, out, operands[i].tensor, false, tiled && !operands[i].one_tile,
                              err))
                    return false;
            for (int32_t t = 0; t < stage->term_count; t++)
                if (!add_pair(l, out, stage->terms[t].a, false, false, err)) return false;
        }
        if (stage->meets && !add_pair(l, stage->terms[0].a, stage->terms[1].a, true, false, err))
            return false;
        for (int32_t i = 1; i < stage->operand_count && stage->chain_rows; i++)
            if (stage->last >= 0 && !add_pair(l, operands[i].tensor, stage->last, true, true, err))
                return false;
        for (int32_t i = 0; i < stage->operand_count; i++) {
            for (int32_t j = 0; j < i; j++)
                if (!add_pair(l, operands[i].tensor, operands[j].tensor, true,
                              tiled && !operands[i].one_tile && !operands[j].one_tile, err))
                    return false;
            for (int32_t t = 0; t < stage->term_count; t++)
                if (!add_pair(l, operands[i].tensor, stage->terms[t].a, true, false, err))
                    return false;
        }
    }
    return true;
}

bool layout_allowed(const Layout *l, int32_t tensor, int32_t part, int32_t slice, int32_t bank) {
    const Tensor *t = &l->module->tensors[tensor];
    const EdgeList *list = &l->edges[tensor];
    for (int32_t i = 0; i < list->count; i++) {
        const Edge *e = &list->items[i];
        const Tensor *other = &l->module->tensors[e->other];
        const Set *set = &l->used_all[e->other];
        if (!l->used[e->other]) continue; /* not placed yet */
        if (e->same_ctile && !other->bcast_cols && !t->bcast_cols && part < tensor_parts(other) &&
            t->flat == other->flat && (!t->flat || t->block_rows == other->block_rows))
            set = &l->used[e->other][part];
        for (int32_t b = 0; b < l->banks; b++)
            if ((e->same_slice || b == bank) && set_has(set, slice * l->banks + b)) return false;
    }
    return true;
}

int32_t layout_rivals(const Layout *l, int32_t tensor, int32_t part, int32_t slice) {
    const EdgeList *list = &l->edges[tensor];
    int32_t count = 0;
    if (!l->module->tensors[tensor].flat) return 0;
    for (int32_t i = 0; i < list->count; i++) {
        const Edge *e = &list->items[i];
        const Tensor *other = &l->module->tensors[e->other];
        if (!e->same_slice || !other->flat || !l->used[e->other]) continue;
        for (int32_t p = part % 2; p < other->blocks; p += 2)
            for (int32_t b = 0; b < l->banks; b++)
                count += set_has(&l->used[e->other][p], slice * l->banks + b);
    }
    return count;
}
