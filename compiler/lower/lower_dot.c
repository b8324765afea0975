/* lower_dot.c - dot products of long vectors: the first rows pass the MXM, the others the VXM.
 *
 * A tile of rows of y is loaded as columns of weights, and the same rows of x stream past it: lane
 * r of result r is row r of x times row r of y, and no other lane is of use. But results of tile
 * after tile add up in the accumulators, so only once, at the end, is the diagonal taken out and
 * summed up. A plane takes a row a cycle, however long the tiles; they hide the loads.
 */
#include "lower_fold.h"
#include "isa/half.h"

#include <stdlib.h>
#include <string.h>

/* What the MXM takes: `tiles` of `tile` rows, cut out of blocks of `run`, and the `rest` rows that
 * these leave of a block. */
typedef struct {
    int32_t units; /* planes, or pairs of them, side by side */
    int32_t run, tile, rest, tiles;
} Share;

/* The first row of a tile; of the one after the last, the first that the VXM takes. */
static int32_t tile_row(const Share *s, int32_t i) {
    int32_t each = s->run / s->tile;
    return i / each * s->run + i % each * s->tile;
}

/* Rows of a tile that leave few of a block. */
static int32_t tile_rows(const TspMachine *m, int32_t run) {
    enum { LONGEST = 24 };
    int32_t most = tsp_min32(tsp_min32(LONGEST, tsp_lanes(m)), (int32_t)m->mxm_accumulator_rows);
    int32_t best = most = tsp_min32(most, run);
    for (int32_t tile = most; 2 * tile > most && tile > 0; tile--)
        if (run % tile < run % best) best = tile;
    return best;
}

/* So many that MXM and VXM end together: what the planes hold is still to be summed up. */
static Share share_out(const TspMachine *m, int32_t rows, TspDtype type) {
    const bool half = type == TSP_F16;
    int32_t interval = half ? (int32_t)m->mxm_fp16_cycles : 1, chains = (int32_t)m->vxm_alus / 4;
    Share s = {.units = 2 * (int32_t)m->mxm_planes / (half ? 2 : 1), .run = tsp_flat_run(m, rows)};
    int64_t late, cycles;
    if (s.run > m->mem_rows || (s.tile = tile_rows(m, s.run)) == 0) return s;
    s.rest = s.run % s.tile;
    late = tsp_op_func(m, TSP_OP_ABC) + tsp_op_func(m, TSP_OP_ACC) + 2 * tsp_mem_columns(m) +
           2 * s.tile * interval;
    cycles = tsp_ceil_div((int64_t)rows * interval + s.units * late, s.units + chains * interval);
    while (tile_row(&s, s.tiles + 1) + chains * cycles <= rows) s.tiles++;
    if (s.tiles < 2 * s.units) s.tiles = 0;
    return s;
}

/* A row of ones in its own lane for each of `rows`, again for each unit. */
static int32_t diagonal(Lowerer *l, TspDtype type, int32_t rows, int32_t units, TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine);
    int64_t shape[2] = {(int64_t)rows * units, lanes};
    uint32_t one = type == TSP_F32 ? tsp_f32_bits(1) : 1;
    const char *name = l->graph->values[l->graph->nodes[l->node].output].name;
    int32_t i =
        lower_new_tensor(l, name, ".diagonal", type, TSP_ROLE_CONSTANT, 2, shape, false, err);
    Tensor *t;
    if (i < 0) return -1;
    t = &l->module->tensors[i];
    t->contiguous = t->apart = true;
    t->run = rows;
    if (!(t->data = calloc((size_t)t->rows * (size_t)lanes, sizeof one)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t row = 0; row < t->rows; row++)
        memcpy(t->data + sizeof one * ((size_t)row * (size_t)lanes + (size_t)(row % rows)), &one,
               sizeof one);
    return i;
}

/* Tiles of the same length, `each` of a block; units take the first, the next, .. so many of them,
 * and leave theirs in `rows` rows each of tensor `to`. */
typedef struct {
    int32_t rows, count, units, each, first; /* first: in the block */
    int32_t to;
} Tiles;

/* The stage of unit `u`. */
static bool lower_unit(Lowerer *l, const Share *share, const Tiles *t, int32_t u, int32_t x,
                       int32_t y, TspError *err) {
    int32_t first = (int32_t)((int64_t)u * t->count / t->units);
    int32_t end = (int32_t)((int64_t)(u + 1) * t->count / t->units);
    Stage *s = lower_new_stage(l, "tiles", t->rows, t->rows, err);
    if (!s) return false;
    if (!(s->terms = calloc((size_t)(end - first), sizeof *s->terms)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    s->product = s->whole = true;
    for (int32_t i = first; i < end; i++) {
        int32_t row = i / t->each * share->run + t->first + i % t->each * t->rows;
        s->terms[s->term_count++] =
            (Term){.a = x, .a_row0 = row, .a_byte = -1, .w = y, .w_row0 = row, .w_byte = -1};
    }
    lower_output(l, s, from_product(), t->to, u * t->rows);
    return true;
}

static bool lower_tiles(Lowerer *l, const Share *share, const Fold *fold, Tiles *t, int32_t x,
                        int32_t y, TspError *err) {
    t->units = tsp_min32(share->units, t->count);
    if (t->count == 0) return true;
    if ((t->to = fold_rows(l, ".tiles", fold->type, t->units * t->rows, t->rows, err)) < 0)
        return false;
    for (int32_t u = 0; u < t->units; u++)
        if (!lower_unit(l, share, t, u, x, y, err)) return false;
    return true;
}

/* Adds what chains leave of the diagonals of tiles to `left`: a chain for each unit, or one for all
 * if they are short. */
static bool lower_diagonals(Lowerer *l, const Fold *fold, const Tiles *t, Rows *left,
                            TspError *err) {
    enum { STEPS = 2 };
    int32_t ones;
    Rows rows;
    Stage *s;
    From row;
    if (t->count == 0) return true;
    if ((ones = diagonal(l, fold->type, t->rows, t->units, err)) < 0 ||
        !(s = fold_chains(l, t->to, 0, STEPS, fold->type, err)))
        return false;
    s->chain_rows = t->rows < l->module->machine.vxm_op_cycles ? s->rows : t->rows;
    row = stage_operand(s, t->to, 0, 1);
    row = stage_step(s, TSP_OP_MASK, fold->type, fold->type, row, stage_operand(s, ones, 0, 1), 0);
    row = stage_step(s, fold->op, fold->type, fold->type, row, (From){FROM_SELF, 0}, 0);
    if (!fold_left(l, row, fold->type, &rows, err)) return false;
    memcpy(left->tensor + left->count, rows.tensor, (size_t)rows.count * sizeof *rows.tensor);
    memcpy(left->row + left->count, rows.row, (size_t)rows.count * sizeof *rows.row);
    left->count += rows.count;
    return true;
}

/* Whether the rows of a tensor may also lie in stripes: the host places them. */
static bool is_given(const Lowerer *l, int32_t tensor) {
    TspTensorRole role = l->module->tensors[tensor].role;
    return role == TSP_ROLE_INPUT || role == TSP_ROLE_CONSTANT;
}

static void mark_operands(Lowerer *l, int32_t x, int32_t y, int32_t end) {
    Tensor *streams = &l->module->tensors[x], *weights = &l->module->tensors[y];
    l->module->lavish = true;
    streams->streamed = weights->streamed = true;
    streams->wanted = weights->wanted = 1;
    weights->striped = weights->unaligned = true;
    weights->striped_rows = end;
}

Stage *fold_dot(Lowerer *l, int32_t x, int32_t y, const Fold *fold, From *result, TspError *err) {
    TspDtype type = l->module->tensors[x].dtype;
    Share share = {0};
    Tiles tiles, rests;
    Rows left;
    int32_t end;
    if (!is_given(l, y)) {
        int32_t other = x;
        x = y;
        y = other;
    }
    if (type != TSP_F32 && type != TSP_I32 && is_given(l, y) && !l->module->sparing)
        share = share_out(&l->module->machine, l->module->tensors[x].rows, type);
    if (share.tiles == 0) return fold_vectors(l, x, y, 0, fold, result, err);
    end = tile_row(&share, share.tiles);
    mark_operands(l, x, y, end);
    tiles = (Tiles){.rows = share.tile, .count = share.tiles, .each = share.run / share.tile};
    rests = (Tiles){.rows = share.rest,
                    .count = share.rest ? end / share.run : 0,
                    .each = 1,
                    .first = share.run - share.rest};
    return fold_products(l, x, y, end, fold, &left, err) &&
                   lower_tiles(l, &share, fold, &rests, x, y, err) &&
                   lower_tiles(l, &share, fold, &tiles, x, y, err) &&
                   lower_diagonals(l, fold, &rests, &left, err) &&
                   lower_diagonals(l, fold, &tiles, &left, err)
               ? fold_finish(l, fold, &left, result, err)
               : NULL;
}
