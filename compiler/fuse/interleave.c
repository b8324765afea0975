/* interleave.c - a wide product and what is element-wise to it take turns, some column tiles
 * at a time.
 *
 * Stages are placed one after the other, so all results of a product would have their ALUs before
 * the first of them went on, and what needs many ALUs would wait for the last. Where column tiles
 * of the product alternate with those of the stages that follow, a turn behind, the MXM and the VXM
 * work side by side.
 */
#include "fuse.h"

#include <stdlib.h>
#include <string.h>

/* Least column tiles worth it, and least steps of what follows. */
enum { TILES = 4, STEPS = 4 };

/* Column tiles for a turn: as many as there are planes, for halfs pairs of planes. */
static int32_t turn_tiles(const Module *m, const Stage *product) {
    int32_t planes = 2 * (int32_t)m->machine.mxm_planes;
    return m->tensors[product->terms[0].a].dtype == TSP_F16 ? planes / 2 : planes;
}

static bool reads(const Stage *s, int32_t tensor) {
    for (int32_t i = 0; i < s->operand_count; i++)
        if (s->operands[i].tensor == tensor) return true;
    return false;
}

/* Is the stage element-wise to the one before it, column tile by column tile? */
static bool follows(const Stage *s, const Stage *before) {
    bool tiled = !s->product && !s->group && !s->chain_rows && !s->scan_rows && !s->set_rows &&
                 !s->shift && !s->distributes && s->rows == before->rows &&
                 s->cols == before->cols && s->output_count > 0 &&
                 reads(s, before->outputs[0].tensor);
    for (int32_t i = 0; i < s->operand_count; i++)
        tiled &= s->operands[i].ctile0 == 0 && !s->operands[i].one_tile;
    for (int32_t i = 0; i < s->output_count; i++) tiled &= s->outputs[i].ctile0 == 0;
    return tiled;
}

/* How many stages from `first` on take turns, the product among them; 0: none. */
static int32_t turn_length(const Module *m, int32_t first) {
    const Stage *s = &m->stages[first];
    int32_t count = 1, steps = 0;
    if (!s->product || s->whole || s->cols <= (TILES - 1) * tsp_lanes(&m->machine)) return 0;
    if (s->terms[0].w_count) return 0;
    for (int32_t i = 0; i < s->operand_count; i++)
        if (s->operands[i].ctile0 || s->operands[i].one_tile) return 0;
    for (int32_t i = 0; i < s->output_count; i++)
        if (s->outputs[i].ctile0 || m->tensors[s->outputs[i].tensor].flat) return 0;
    while (first + count < m->stage_count && follows(&s[count], &s[count - 1]))
        steps += s[count++].step_count;
    return steps >= STEPS ? count : 0;
}

/* Column tiles tile0 .. tile0+tiles-1 of a stage. */
static bool cut(const Module *m, const Stage *whole, int32_t tile0, int32_t tiles, Stage *to,
                TspError *err) {
    int32_t lanes = tsp_lanes(&m->machine);
    *to = *whole;
    to->cols = tsp_min32(tiles * lanes, whole->cols - tile0 * lanes);
    for (int32_t i = 0; i < to->operand_count; i++) to->operands[i].ctile0 += tile0;
    for (int32_t i = 0; i < to->output_count; i++) to->outputs[i].ctile0 += tile0;
    if (!to->product) return true;
    to->terms = malloc((size_t)whole->term_count * sizeof *to->terms);
    if (!to->terms) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < whole->term_count; i++) {
        to->terms[i] = whole->terms[i];
        to->terms[i].w_row0 += tile0 * lanes;
    }
    return true;
}

/* Puts `count` stages from `first` on in place of themselves, in turns. */
static bool take_turns(Module *m, int32_t first, int32_t count, int32_t *made, TspError *err) {
    int32_t tiles = tsp_ceil_div(m->stages[first].cols, tsp_lanes(&m->machine)),
            turn = turn_tiles(m, &m->stages[first]), turns = tsp_ceil_div(tiles, turn),
            more = (turns - 1) * count;
    Stage *whole = malloc((size_t)count * sizeof *whole), *to;
    bool ok = true;
    if (!whole) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    memcpy(whole, &m->stages[first], (size_t)count * sizeof *whole);
    if (!tsp_grow((void **)&m->stages, &m->stage_capacity, m->stage_count + more, sizeof(Stage),
                  err))
        return free(whole), false;
    to = &m->stages[first];
    memmove(to + count + more, to + count,
            (size_t)(m->stage_count - first - count) * sizeof(Stage));
    memset(to, 0, (size_t)(count + more) * sizeof(Stage)); /* nothing is freed twice */
    m->stage_count += more;
    for (int32_t t = 0; t <= turns && ok; t++) {
        if (t < turns) ok = cut(m, &whole[0], t * turn, turn, to++, err);
        for (int32_t i = 1; i < count && t > 0 && ok; i++)
            ok = cut(m, &whole[i], (t - 1) * turn, turn, to++, err);
    }
    free(whole[0].terms);
    free(whole);
    *made = count + more;
    return ok;
}

bool fuse_interleave(Module *m, TspError *err) {
    if (m->in_order) return true;
    for (int32_t i = 0, made; i < m->stage_count; i += made) {
        int32_t count = turn_length(m, i);
        made = 1;
        if (count < 2) continue;
        m->takes_turns = true;
        if (!take_turns(m, i, count, &made, err)) return false;
    }
    return true;
}
