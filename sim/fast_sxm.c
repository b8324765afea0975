/* fast_sxm.c - SXM: vectors in at the issue, rearranged vectors out d_func later. */
#include "fast_stream.h"

#include <string.h>

enum { MOST_INPUTS = 16 };

/* A vector that the issue will drive on `stream`, contents to be filled in. */
static uint8_t *output(Fast *f, const Issue *issue, int32_t stream) {
    Event *drive = fast_event_add(f, EVENT_DRIVE, issue->func, issue);
    drive->stream = stream;
    drive->column = issue->info->column;
    drive->vec[0] = fast_vec_new(f);
    return fast_vec(f, drive->vec[0]);
}

/* None where values do not matter. */
static int32_t lanes_to_move(const Fast *f) {
    return f->timing_only ? 0 : f->lanes;
}

/* One operand of an issue: `count` streams from `stream` on. */
typedef struct {
    int32_t stream, count;
} Operand;

/* Samples the operands one after the other into `vecs` and points `in` at what they hold. */
static bool inputs(Fast *f, const Issue *issue, const Operand *operands, int32_t operand_count,
                   int32_t *vecs, const uint8_t **in, TspError *err) {
    int32_t count = 0;
    for (int32_t i = 0; i < operand_count; i++) {
        if (!fast_stream_sample(f, issue, operands[i].stream, operands[i].count, vecs + count, err))
            return false;
        count += operands[i].count;
    }
    if (!fast_check(f, issue, vecs, count, err)) return false;
    for (int32_t i = 0; i < count; i++) in[i] = fast_vec(f, vecs[i]);
    return true;
}

static bool done(Fast *f, const int32_t *vecs, int32_t count) {
    fast_vecs_drop(f, vecs, count);
    f->state.stats.sxm_issues++;
    return true;
}

bool fast_transpose(Fast *f, const Issue *issue, TspError *err) {
    const int32_t side = f->tile;
    const Operand operands[] = {{issue->insn->src, side}};
    const uint8_t *in[MOST_INPUTS];
    int32_t vecs[MOST_INPUTS];
    if (!inputs(f, issue, operands, 1, vecs, in, err)) return false;
    for (int32_t i = 0; i < side; i++) {
        uint8_t *out = output(f, issue, issue->insn->stream + i);
        for (int32_t base = 0; base < lanes_to_move(f); base += side)
            for (int32_t j = 0; j < side; j++) out[base + j] = in[j][base + i];
    }
    return done(f, vecs, side);
}

bool fast_distribute(Fast *f, const Issue *issue, TspError *err) {
    const Operand operands[] = {{issue->insn->src, 1}, {issue->insn->map, 1}};
    const uint8_t *in[2];
    uint8_t *out;
    int32_t vecs[2];
    if (!inputs(f, issue, operands, 2, vecs, in, err)) return false;
    out = output(f, issue, issue->insn->stream);
    f->alu_lanes->distribute(in[0], in[1], out, f->tile, lanes_to_move(f));
    return done(f, vecs, 2);
}

bool fast_rotate(Fast *f, const Issue *issue, TspError *err) {
    const int32_t n = issue->insn->n, whole = f->tile / n * n; /* lanes that take part */
    const Operand operands[] = {{issue->insn->src, n}};
    const uint8_t *in[MOST_INPUTS];
    int32_t vecs[MOST_INPUTS];
    if (!inputs(f, issue, operands, 1, vecs, in, err)) return false;
    for (int32_t r = 0; r < n; r++)
        for (int32_t d = 0; d < n; d++) {
            uint8_t *out = output(f, issue, issue->insn->stream + r * n + d);
            memcpy(out, in[r], (size_t)lanes_to_move(f));
            for (int32_t lane = 0; lane < lanes_to_move(f); lane++) {
                int32_t at = lane % f->tile, group = at - at % n;
                if (at < whole) out[lane] = in[r][lane - at + group + (at % n + d) % n];
            }
        }
    return done(f, vecs, n);
}

/* Lane that lane i of a Permute takes; SIM_NONE where its superlane is off. */
static int32_t permuted(const Fast *f, const uint8_t *const *map, int32_t i) {
    if (!(f->state.powered >> (i / f->tile) & 1)) return SIM_NONE;
    return map[0][i] | map[1][i] << 8;
}

static bool check_permutation(Fast *f, const Issue *issue, const uint8_t *const *map,
                              TspError *err) {
    bool taken[TSP_MAX_LANES] = {false};
    for (int32_t i = 0; i < f->lanes; i++)
        if (permuted(f, map, i) >= f->lanes)
            return fast_offence(f, err, TSP_RULE_MAP_RANGE, issue, "lane %d takes lane %d of %d",
                                (int)i, (int)permuted(f, map, i), (int)f->lanes);
    for (int32_t i = 0; i < f->lanes; i++) {
        int32_t from = permuted(f, map, i);
        if (from == SIM_NONE) continue;
        if (taken[from])
            return fast_offence(f, err, TSP_RULE_MAP_REPEATED, issue, "lane %d takes lane %d again",
                                (int)i, (int)from);
        taken[from] = true;
    }
    return true;
}

bool fast_permute(Fast *f, const Issue *issue, TspError *err) {
    const Operand operands[] = {{issue->insn->src, 1}, {issue->insn->map, 2}};
    const uint8_t *in[3];
    uint8_t *out;
    int32_t vecs[3];
    if (!inputs(f, issue, operands, 2, vecs, in, err)) return false;
    if (!f->timing_only && !check_permutation(f, issue, in + 1, err)) return false;
    out = output(f, issue, issue->insn->stream);
    for (int32_t i = 0; i < lanes_to_move(f); i++) {
        int32_t from = permuted(f, in + 1, i);
        out[i] = from == SIM_NONE ? 0 : in[0][from];
    }
    return done(f, vecs, 3);
}

bool fast_shift(Fast *f, const Issue *issue, TspError *err) {
    const bool north = issue->info->index % 2 == 0;
    const int32_t n = issue->insn->n, span = issue->insn->cross ? f->lanes : f->tile;
    const Operand operands[] = {{issue->insn->src, 1}};
    const uint8_t *in[1];
    uint8_t *out;
    int32_t vecs[1];
    if (!inputs(f, issue, operands, 1, vecs, in, err)) return false;
    out = output(f, issue, issue->insn->stream);
    memset(out, 0, (size_t)lanes_to_move(f));
    for (int32_t base = 0; base < lanes_to_move(f); base += span)
        memcpy(out + base + (north ? n : 0), in[0] + base + (north ? 0 : n), (size_t)(span - n));
    return done(f, vecs, 1);
}

bool fast_select(Fast *f, const Issue *issue, TspError *err) {
    const TspInsn *insn = issue->insn;
    const Operand operands[] = {{insn->src, 1}, {insn->north, 1}, {insn->south, 1}, {insn->map, 1}};
    const uint8_t *in[4];
    uint8_t *out;
    int32_t vecs[4];
    if (!inputs(f, issue, operands, 4, vecs, in, err)) return false;
    for (int32_t i = 0; i < f->lanes; i++)
        if (!f->timing_only && in[3][i] > 2 && f->state.powered >> (i / f->tile) & 1)
            return fast_offence(f, err, TSP_RULE_MAP_RANGE, issue,
                                "lane %d chooses %d; 0 is src, 1 north, 2 south", (int)i,
                                (int)in[3][i]);
    out = output(f, issue, insn->stream);
    for (int32_t i = 0; i < lanes_to_move(f); i++) out[i] = in[3][i] > 2 ? 0 : in[in[3][i]][i];
    return done(f, vecs, 4);
}
