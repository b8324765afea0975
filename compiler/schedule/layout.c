/* layout.c - the layout pass: where every tensor lies.
 *
 * A MEM slice gives one read and one write a cycle, from different banks. So within a stage two
 * operands never share a slice, two results never share a slice, and an operand and a result that
 * share a slice lie in different banks. Among the slices left, the least busy one is taken. The
 * bytes of an element lie in one hemisphere, because a stream group flows in one direction.
 *
 * Activations of products get copies, so that planes read the same rows at the same time; when
 * memory runs short the pass starts over and lets tensors share rows that never live at once, then
 * with fewer copies and shorter blocks. Rows that nobody has had go first, then those that have
 * been free for so many stages that the wait for them is over, then those free the longest.
 */
#include "layout_parts.h"
#include "lifetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `what`: of the traffic. */
static Place take(Layout *l, int32_t tensor, int32_t part, Set *layout, int32_t index, int32_t rows,
                  int64_t heat, int32_t what) {
    const Tensor *t = &l->module->tensors[tensor];
    int32_t since, first = layout_room(l, tensor, index, rows, &since);
    Place p = {index / l->banks, (int32_t)(index % l->banks * l->m->mem_rows) + first};
    TspError ignored;
    if (first + rows > l->fill[index]) l->fill[index] = first + rows;
    if (l->module->shares_rows &&
        !extents_add(&l->extents[index], (Extent){first, rows, t->born, t->dies}, &ignored))
        l->no_memory = true;
    l->heat[p.slice] += heat;
    if (l->meets) traffic_take(l->module->traffic, what, index);
    set_add(&l->used[tensor][part], index);
    set_add(&l->used_all[tensor], index);
    set_add(layout, index);
    return p;
}

/* How many (slice, bank) pairs are in the set. */
static int32_t spread(const Set *set) {
    int32_t n = 0;
    for (int i = 0; i < SET_WORDS; i++) n += __builtin_popcountll(set->bits[i]);
    return n;
}

static void add_slices(const Layout *l, Set *slices, const Set *used) {
    for (int32_t i = 0; i < l->slices * l->banks; i++)
        if (set_has(used, i)) set_add(slices, i / l->banks);
}

/* Where the block lies that this one follows. */
static Set turn_of(const Layout *l, const Tensor *t, int32_t copy, int32_t block, int32_t ctile) {
    const Place *place =
        &t->places[((copy * t->blocks + block - t->turns) * t->ctiles + ctile) * t->bytes];
    Set in = {{0}};
    for (int32_t b = 0; b < t->bytes; b++)
        set_add(&in, place[b].slice * l->banks + place[b].addr / (int32_t)l->m->mem_rows);
    return in;
}

/* What is going to lie there, for the traffic; finds what it would meet. */
static int32_t rows_traffic(Layout *l, int32_t tensor, int32_t copy, int32_t block, int32_t ctile) {
    Traffic *traffic = l->module->traffic;
    const int32_t row = block * l->module->tensors[tensor].block_rows;
    int32_t what = traffic ? traffic_rows(traffic, tensor, copy, row, ctile) : 0;
    l->meets = traffic ? traffic_meets(traffic, what) : NULL;
    return what;
}
static int32_t stripes_traffic(Layout *l, int32_t tensor, int32_t block, int32_t ctile,
                               int32_t byte) {
    Traffic *traffic = l->module->traffic;
    const int32_t row = block * l->module->tensors[tensor].stripe_rows;
    int32_t what = traffic ? traffic_stripes(traffic, tensor, row, ctile, byte) : 0;
    l->meets = traffic ? traffic_meets(traffic, what) : NULL;
    return what;
}

/* The hemisphere that rows had better lie in. */
static int side_of(const Layout *l, int32_t tensor, int32_t copy, int32_t block, int32_t ctile) {
    const Tensor *t = &l->module->tensors[tensor];
    if (t->spliced && block > 0)
        return (int)tsp_slice_hemisphere(l->m, tsp_place(t, copy, 0, ctile, 0).slice);
    if (t->one_side) return t->level & 1;
    if (t->beside && copy > 0)
        return (int)tsp_slice_hemisphere(l->m,
                                         tsp_place(t, 0, block * t->block_rows, ctile, 0).slice);
    if (t->copies > 1 && !t->beside) return copy >= t->copies / 2;
    /* of any 2, 4, 8 .. blocks of a flat tensor, evenly spaced or next to each other, one half lies
     * in each hemisphere: the Thue-Morse sequence */
    if (t->flat) return (t->level + __builtin_popcount((unsigned)block)) & 1;
    return (t->apart || (t->wanted && !t->beside) ? t->level + block : tensor + ctile + block) & 1;
}

static bool place_rows(Layout *l, int32_t tensor, int32_t copy, int32_t block, int32_t ctile) {
    Tensor *t = &l->module->tensors[tensor];
    /* what is even leaves slices even */
    int32_t rows =
        t->even ? t->block_rows : tsp_min32(t->block_rows, t->rows - block * t->block_rows);
    int32_t part = t->flat ? block : ctile;
    int64_t heat = (int64_t)rows * (t->repeated ? t->repeated : t->streamed ? 4 : 1);
    if (t->flat && (block + 1) * t->block_rows <= t->striped_rows) heat = 0; /* read as stripes */
    int wish = side_of(l, tensor, copy, block, ctile);
    bool only = t->sided || t->one_side || (t->spliced && block > 0); /* there, or nowhere */
    /* leave slices to those beside it */
    const int32_t what = rows_traffic(l, tensor, copy, block, ctile);
    Set *in = &l->rows_in[tensor], shunned = l->shunned[0], turn = {{0}};
    bool follows = t->turns && block >= t->turns;
    bool crowded = follows || spread(in) >= (t->flat || t->spread || t->beside ? l->max_flat_spread
                                             : t->apart || t->wanted           ? INT32_MAX
                                                                               : l->max_spread);
    if (follows) turn = turn_of(l, t, copy, block, ctile);
    if (t->spread) add_slices(l, &shunned, in);
    for (int attempt = crowded ? 0 : 2; attempt < 4; attempt++) {
        Place *place = &t->places[((copy * t->blocks + block) * t->ctiles + ctile) * t->bytes];
        if (only && attempt & 1) continue;
        Set taken = {{0}}; /* all copies of all bytes of a row are written in one cycle */
        int32_t index[MAX_BYTES], byte = 0;
        if (t->even) l->even = block > 0 ? t->places[0].addr : layout_even_row(l, tensor, rows);
        for (int32_t c = 0; c < copy; c++)
            for (int32_t b = 0; b < t->bytes; b++)
                set_add(
                    &taken,
                    t->places[((c * t->blocks + block) * t->ctiles + ctile) * t->bytes + b].slice);
        for (int32_t i = 0; t->apart && !follows && i < block * t->bytes;
             i++) /* one column tile, one copy */
            set_add(&taken, t->places[i].slice);
        for (int32_t near = ctile - t->together + 1; near < ctile; near++)
            for (int32_t b = 0; near >= 0 && b < t->bytes; b++)
                set_add(&taken, place[(near - ctile) * t->bytes + b].slice);
        if (t->near && !follows && layout_pick_column(l, tensor, part, wish, rows, &taken, index))
            byte = t->bytes;
        for (; byte < t->bytes; byte++) {
            index[byte] = layout_pick(l, tensor, part, attempt & 1 ? !wish : wish, rows, &taken,
                                      attempt >= 2 ? NULL
                                      : follows    ? &turn
                                                   : in,
                                      &shunned, NULL);
            if (index[byte] < 0) break;
            set_add(&taken, index[byte] / l->banks);
        }
        l->even = -1;
        if (byte < t->bytes) continue;
        for (byte = 0; byte < t->bytes; byte++)
            place[byte] = take(l, tensor, part, in, index[byte], rows, heat, what);
        return true;
    }
    return false;
}

/* Are its stripes weights that are there from the start? */
static bool given_weights(const Tensor *t) {
    return t->striped && (t->role == TSP_ROLE_INPUT || t->role == TSP_ROLE_CONSTANT);
}

/* Slices written in the same cycle as stripe n of `byte`: those of the row's other bytes, and of
 * the same row in column tiles that pass beside this one. */
static void beside_stripe(const Layout *l, const Tensor *t, int32_t block, int32_t ctile,
                          int32_t byte, int32_t n, Set *taken) {
    const int32_t group = (int32_t)l->m->mxm_load_streams, near = t->together ? t->together : 1;
    const int32_t low = ctile < near ? 0 : ctile - near + 1,
                  high = tsp_min32(ctile + near, t->ctiles);
    for (int32_t tile = low; tile <= ctile; tile++)
        for (int32_t b = 0; b < (tile < ctile ? t->bytes : byte); b++)
            set_add(taken,
                    t->stripes[((block * t->ctiles + tile) * t->bytes + b) * group + n].slice);
    if (given_weights(t) || !t->places) return;
    for (int32_t i = 0; i < t->copies * t->blocks; i++)
        for (int32_t b = low * t->bytes; b < high * t->bytes; b++)
            set_add(taken, t->places[i * t->ctiles * t->bytes + b].slice);
}

static bool place_stripes(Layout *l, int32_t tensor, int32_t block, int32_t ctile, int32_t byte) {
    Tensor *t = &l->module->tensors[tensor];
    int32_t group = (int32_t)l->m->mxm_load_streams;
    int32_t rows = tsp_ceil_div(
        tsp_min32(t->stripe_rows, tsp_striped_rows(t) - block * t->stripe_rows), group);
    /* fp16: while one pair loads low bytes from one hemisphere, another loads high ones */
    int wish = t->flat ? 0 : (t->bytes > 1 ? byte : ctile) & 1;
    const int32_t what = stripes_traffic(l, tensor, block, ctile, byte);
    Set *in = &l->stripes_in[tensor];
    bool crowded = spread(in) >= l->max_spread;
    /* First where the tensor's stripes lie already: two sets of slices that overlap in part would
     * keep two planes from loading at once. */
    const int hemisphere[] = {wish, -1, wish, !wish, -1};
    for (int attempt = 0; attempt < 5; attempt++) {
        Set taken = {{0}};
        int32_t index[MAX_GROUP], n = 0;
        if (attempt == 1 && !crowded) continue;
        for (; n < group; n++) {
            Set avoid = taken;
            beside_stripe(l, t, block, ctile, byte, n, &avoid);
            index[n] = layout_pick(l, tensor, ctile, hemisphere[attempt], rows, &avoid,
                                   attempt < 2 ? in : NULL, &l->shunned[1], NULL);
            if (index[n] < 0) break;
            set_add(&taken, index[n] / l->banks);
        }
        if (n < group) continue;
        for (n = 0; n < group; n++)
            t->stripes[((block * t->ctiles + ctile) * t->bytes + byte) * group + n] =
                take(l, tensor, ctile, in, index[n], rows, rows, what);
        return true;
    }
    return false;
}

/* Blocks of at most `most` rows such that the weights of one plane never straddle two: whole
 * matrices of a batch, or whole column tiles of a single matrix. */
static bool cut_stripes(const Layout *l, Tensor *t, int32_t most) {
    int32_t rows = tsp_striped_rows(t);
    int32_t matrix = t->rank >= 2 ? (int32_t)t->shape[t->rank - (t->transposed ? 1 : 2)] : rows;
    int32_t unit = matrix <= most ? matrix : matrix == rows ? tsp_lanes(l->m) : INT32_MAX;
    if (rows > most && (unit > most || t->unaligned)) return false;
    t->stripe_rows = rows <= most ? rows : most / unit * unit;
    t->stripe_blocks = tsp_ceil_div(rows, t->stripe_rows);
    return true;
}

/* Slices for the weights of the graph, as many of each hemisphere as they fill or an LW needs: the
 * outermost, since nothing but the MXM asks for them. All else then streams beside them. */
static void keep_slices(Layout *l) {
    int32_t group = (int32_t)l->m->mxm_load_streams, half = l->slices / 2, count, sides = 1;
    int64_t rows = 0;
    l->weights = (Set){{0}};
    for (int32_t i = 0; i < l->module->tensor_count; i++) {
        const Tensor *t = &l->module->tensors[i];
        if (!given_weights(t)) continue;
        rows += (int64_t)tsp_striped_rows(t) * t->ctiles * t->bytes;
        if (!t->flat) sides = 2;
    }
    count = tsp_ceil_div(rows, tsp_mem_slice_rows(l->m) * sides);
    if (sides == 2)
        count += group;
    else if (count < group)
        count = group;
    if (rows == 0 || count > half * 3 / 4) return;
    for (int32_t s = 0; s < half * sides; s++) /* numbered from the VXM outwards */
        if (s % half >= half - count) set_add(&l->weights, s);
}

/* Weights load under activations: rows that stream and stripes that meet in a product are better
 * off in different slices. */
static void find_shunned(Layout *l, int32_t tensor) {
    l->shunned[0] = l->module->tensors[tensor].streamed ? l->weights : (Set){{0}};
    l->shunned[1] = l->weights;
    if (given_weights(&l->module->tensors[tensor]))
        for (int i = 0; i < SET_WORDS; i++) l->shunned[1].bits[i] = ~l->weights.bits[i];
    for (int32_t s = 0; s < l->module->stage_count; s++)
        for (int32_t i = 0; i < l->module->stages[s].term_count; i++) {
            const Term *term = &l->module->stages[s].terms[i];
            if (i > 0 && term->a == term[-1].a && term->w == term[-1].w) continue;
            if (term->a == tensor) add_slices(l, &l->shunned[0], &l->stripes_in[term->w]);
            if (term->w == tensor) add_slices(l, &l->shunned[1], &l->rows_in[term->a]);
        }
}

/* Blocks that a tensor is cut into, none of more than `limit` rows. What a stage makes for another
 * has several: while one is written, the one before can be read from the same bank. */
static int32_t block_count(const Layout *l, Tensor *t, int32_t limit) {
    enum { BLOCKS = 4, LEAST_ROWS = 64 };
    int32_t blocks = tsp_ceil_div(t->rows, t->run ? tsp_min32(t->run, limit) : limit);
    t->spliced = false;
    if (t->run) return blocks;
    if (!t->streamed && t->ctiles < 4 && t->rows >= BLOCKS * LEAST_ROWS)
        blocks = (int32_t)tsp_max64(blocks, BLOCKS);
    if (t->turned && t->rows >= 2 * tsp_lanes(l->m))
        blocks = (int32_t)tsp_max64(blocks, tsp_turned_blocks(l->m, t->bytes));
    t->spliced = l->max_copies > 1 && blocks == 1 && !t->flat && !t->turned && t->born >= 0 &&
                 t->read && t->rows >= 2 * LEAST_ROWS;
    if (t->spliced) blocks = tsp_min32(BLOCKS, t->rows / LEAST_ROWS);
    return blocks;
}

static bool place_tensor(Layout *l, int32_t tensor, bool *fits, TspError *err) {
    Tensor *t = &l->module->tensors[tensor];
    int32_t group = (int32_t)l->m->mxm_load_streams;
    int64_t vectors = (int64_t)t->ctiles * t->bytes;
    int32_t limit = tsp_min32(l->max_block, (int32_t)l->m->mem_rows);
    find_shunned(l, tensor);
    if (t->contiguous) {
        /* a copy for each unit that may stream it: a plane, or for fp16 a pair of planes */
        t->copies = t->wanted             ? t->wanted
                    : !t->streamed        ? 1
                    : t->dtype == TSP_F16 ? tsp_min32(2, l->max_copies)
                                          : l->max_copies;
        t->blocks = block_count(l, t, limit);
        t->block_rows = t->run && t->run <= limit ? t->run : tsp_ceil_div(t->rows, t->blocks);
        t->blocks = tsp_ceil_div(t->rows, t->block_rows);
    }
    l->used[tensor] = calloc((size_t)tensor_parts(t), sizeof(Set));
    if (!l->used[tensor]) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (t->contiguous) {
        t->places = calloc((size_t)(t->copies * t->blocks * vectors), sizeof(Place));
        if (!t->places) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        for (int32_t copy = 0; copy < t->copies; copy++)
            for (int32_t block = 0; block < t->blocks; block++)
                for (int32_t ctile = 0; ctile < t->ctiles; ctile++)
                    if (!place_rows(l, tensor, copy, block, ctile)) return *fits = false, true;
    }
    if (t->striped) {
        if (!cut_stripes(l, t, limit * group)) return *fits = false, true;
        t->stripes = calloc((size_t)(t->stripe_blocks * vectors * group), sizeof(Place));
        if (!t->stripes) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        for (int32_t block = 0; block < t->stripe_blocks; block++)
            for (int32_t ctile = 0; ctile < t->ctiles; ctile++)
                for (int32_t byte = 0; byte < t->bytes; byte++)
                    if (!place_stripes(l, tensor, block, ctile, byte)) return *fits = false, true;
    }
    return true;
}

static void forget_places(Layout *l) {
    for (int32_t i = 0; i < l->module->tensor_count; i++) {
        Tensor *t = &l->module->tensors[i];
        free(t->places);
        free(t->stripes);
        free(l->used[i]);
        t->places = t->stripes = NULL;
        l->used[i] = NULL;
        l->used_all[i] = l->rows_in[i] = l->stripes_in[i] = (Set){{0}};
    }
    for (int32_t i = 0; i < l->slices * l->banks; i++) l->fill[i] = l->extents[i].count = 0;
    if (l->module->traffic) traffic_clear(l->module->traffic);
    memset(l->heat, 0, (size_t)l->slices * sizeof *l->heat);
}

/* What groups has its rows already. */
static void claim_group(Layout *l) {
    const GroupPlan *plan = l->module->group;
    for (int32_t i = 0; plan && i < l->slices * l->banks; i++)
        l->fill[i] = tsp_group_rows(plan, l->m, i / l->banks, i % l->banks);
}

/* What needs the same rows in many slices goes first; then, where rows are shared, what is there
 * from the start to the end: it needs rows that nobody else ever has. */
static bool place_all(Layout *l, bool *fits, TspError *err) {
    *fits = true;
    forget_places(l);
    claim_group(l);
    keep_slices(l);
    for (int32_t round = 0; round < 3; round++)
        for (int32_t i = 0; i < l->module->tensor_count && *fits; i++) {
            const Tensor *t = &l->module->tensors[i];
            if (round != (t->even ? 0 : !l->module->shares_rows || lifetime_is_whole(t) ? 1 : 2))
                continue;
            l->stuck = i;
            if (!place_tensor(l, i, fits, err)) return false;
            if (l->no_memory) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        }
    return true;
}

static bool refuse_stuck(const Layout *l, int64_t needed, int64_t capacity, TspError *err) {
    char why[256];
    snprintf(why, sizeof why,
             "what is read or written together must lie in different slices, and '%s' has too few "
             "left (%lld of its %lld bytes must be there at once); make the graph smaller or take "
             "a machine with more slices",
             l->m->name, (long long)needed, (long long)capacity);
    return lifetime_refuse(l->module, l->stuck, why, err);
}

static bool try_all(Layout *l, TspError *err) {
    /* generous first; spread in sixteenths of the slices */
    static const struct {
        int32_t copies, block, spread, flat_spread;
    } attempts[] = {{4, 4096, 10, 32}, {4, 4096, 10, 10}, {2, 4096, 4, 4},
                    {1, 4096, 4, 4},   {1, 4096, 0, 0},   {1, 1024, 10, 10},
                    {1, 256, 10, 10},  {1, 64, 10, 10},   {1, 64, 0, 0}};
    int32_t ways =
        l->module->group || l->module->trial ? 1 : 2; /* each without sharing rows, then with it */
    int64_t needed, capacity;
    bool fits = false;
    lifetime_find(l->module);
    if (!lifetime_check(l->module, &needed, &capacity, err) || !layout_find_edges(l, err))
        return false;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts * (size_t)ways && !fits; i++) {
        size_t a = i / (size_t)ways;
        l->module->shares_rows = ways == 2 && i % 2 == 1;
        l->max_copies = attempts[a].copies;
        l->max_block = attempts[a].block;
        l->max_spread = l->slices * attempts[a].spread / 16;
        l->max_flat_spread = l->slices * attempts[a].flat_spread / 16;
        if (!place_all(l, &fits, err)) return false;
    }
    return fits || refuse_stuck(l, needed, capacity, err);
}

bool tsp_pass_layout(Module *module, TspError *err) {
    int32_t n = module->tensor_count;
    Layout l = {.module = module, .m = &module->machine, .even = -1, .column = -1};
    bool ok = false;
    l.slices = (int32_t)(2 * module->machine.mem_slices);
    l.banks = (int32_t)module->machine.mem_banks;
    l.fill = calloc((size_t)(l.slices * l.banks), sizeof *l.fill);
    l.extents = calloc((size_t)(l.slices * l.banks), sizeof *l.extents);
    l.heat = calloc((size_t)l.slices, sizeof *l.heat);
    l.edges = calloc((size_t)n, sizeof *l.edges);
    l.used = calloc((size_t)n, sizeof *l.used);
    l.used_all = calloc((size_t)n, sizeof *l.used_all);
    l.rows_in = calloc((size_t)n, sizeof *l.rows_in);
    l.stripes_in = calloc((size_t)n, sizeof *l.stripes_in);
    if (l.fill && l.extents && l.heat && l.edges && l.used && l.used_all && l.rows_in &&
        l.stripes_in)
        ok = try_all(&l, err);
    else
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < n && l.edges; i++) free(l.edges[i].items);
    for (int32_t i = 0; i < n && l.used; i++) free(l.used[i]);
    for (int32_t i = 0; i < l.slices * l.banks && l.extents; i++) free(l.extents[i].items);
    free(l.fill);
    free(l.extents);
    free(l.heat);
    free(l.edges);
    free(l.used);
    free(l.used_all);
    free(l.rows_in);
    free(l.stripes_in);
    return ok;
}
