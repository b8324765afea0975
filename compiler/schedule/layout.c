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
#include "extents.h"
#include "lifetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bits of a Set: one for each (slice, bank), at most 88 x 2; for what is `taken`, one a slice.
 * MAX_GROUP: the most vectors an LW takes. LONG_FREE: stages after which rows are as good as others
 * that were used before. */
enum { SET_WORDS = 3, MAX_BYTES = 4, MAX_GROUP = 16, LONG_FREE = 16 };
#define SHUNNED ((int64_t)1 << 48) /* costs more than the busiest slice */
#define LATER   ((int64_t)1 << 24) /* so much more costs what is free since a stage later */
typedef struct {
    uint64_t bits[SET_WORDS];
} Set;

typedef struct {
    int32_t other;
    bool same_slice, same_ctile;
} Edge;
typedef struct {
    Edge *items;
    int32_t count, capacity;
} EdgeList;

typedef struct {
    Module *module;
    const TspMachine *m;
    int32_t slices, banks;
    int32_t *fill;             /* of each (slice, bank): first row that nobody has had */
    Extents *extents;          /* who has what of each, where rows are shared */
    int64_t *heat;             /* vectors that will pass each slice */
    EdgeList *edges;           /* of each tensor */
    Set **used;                /* [tensor][ctile] */
    Set *used_all;             /* [tensor] */
    Set *rows_in, *stripes_in; /* [tensor]: the same, by layout */
    Set weights;               /* slices kept for weights that are there from the start */
    Set shunned[2]; /* slices that rows, that stripes of the tensor being placed had better leave */
    bool no_memory; /* of the host, for extents */
    int32_t stuck;  /* tensor that found no place in the last attempt */
    int32_t max_copies, max_block;
    int32_t max_spread, max_flat_spread; /* (slice, bank) pairs of a tensor, of a flat one */
} Layout;

static void set_add(Set *s, int32_t i) {
    s->bits[i / 64] |= 1ull << (i % 64);
}
static bool set_has(const Set *s, int32_t i) {
    return s->bits[i / 64] >> (i % 64) & 1;
}

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

/* What a tensor is cut into for the sets of `used`: what meets in a flow has the same part. */
static int32_t parts(const Tensor *t) {
    return t->flat ? t->blocks : t->ctiles;
}

/* Which tensors are read or written together? */
static bool find_edges(Layout *l, TspError *err) {
    for (int32_t s = 0; s < l->module->stage_count; s++) {
        const Stage *stage = &l->module->stages[s];
        bool tiled = !stage->product;
        for (int32_t o = 0; o < stage->output_count; o++) {
            int32_t out = stage->outputs[o].tensor;
            for (int32_t p = 0; p < o; p++)
                if (!add_pair(l, out, stage->outputs[p].tensor, true, tiled, err)) return false;
            for (int32_t p = 0; p < stage->partials; p++)
                if (!add_pair(l, out, stage->partial + p, true, tiled, err)) return false;
            /* a chain writes when it has read everything */
            for (int32_t i = 0; i < stage->operand_count && !stage->chain_rows; i++)
                if (!add_pair(l, out, stage->operands[i].tensor, false, tiled, err)) return false;
            for (int32_t t = 0; t < stage->term_count; t++)
                if (!add_pair(l, out, stage->terms[t].a, false, false, err)) return false;
        }
        for (int32_t i = 1; i < stage->operand_count && stage->chain_rows; i++)
            if (stage->last >= 0 &&
                !add_pair(l, stage->operands[i].tensor, stage->last, true, true, err))
                return false;
        for (int32_t i = 0; i < stage->operand_count; i++) {
            for (int32_t j = 0; j < i; j++)
                if (!add_pair(l, stage->operands[i].tensor, stage->operands[j].tensor, true, tiled,
                              err))
                    return false;
            for (int32_t t = 0; t < stage->term_count; t++)
                if (!add_pair(l, stage->operands[i].tensor, stage->terms[t].a, true, false, err))
                    return false;
        }
    }
    return true;
}

static bool allowed(const Layout *l, int32_t tensor, int32_t part, int32_t slice, int32_t bank) {
    const Tensor *t = &l->module->tensors[tensor];
    const EdgeList *list = &l->edges[tensor];
    for (int32_t i = 0; i < list->count; i++) {
        const Edge *e = &list->items[i];
        const Tensor *other = &l->module->tensors[e->other];
        const Set *set = &l->used_all[e->other];
        if (!l->used[e->other]) continue; /* not placed yet */
        if (e->same_ctile && !other->bcast_cols && !t->bcast_cols && part < parts(other) &&
            t->flat == other->flat && (!t->flat || t->block_rows == other->block_rows))
            set = &l->used[e->other][part];
        for (int32_t b = 0; b < l->banks; b++)
            if ((e->same_slice || b == bank) && set_has(set, slice * l->banks + b)) return false;
    }
    return true;
}

/* Blocks in a slice that are likely to be read beside this block of a flat tensor: of its partners
 * in a stage, every second one, since a chain that has two blocks begins with the even one. */
static int32_t rivals(const Layout *l, int32_t tensor, int32_t part, int32_t slice) {
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

/* First of `rows` rows of a (slice, bank) that are free while the tensor lives; -1 if there is no
 * room. *since: last stage at which somebody had some of them, -1 if nobody did. */
static int32_t find_room(const Layout *l, int32_t tensor, int32_t index, int32_t rows,
                         int32_t *since) {
    const Tensor *t = &l->module->tensors[tensor];
    *since = -1;
    if (l->fill[index] + rows <= l->m->mem_rows) return l->fill[index];
    if (!l->module->shares_rows) return -1;
    return extents_find(&l->extents[index], (int32_t)l->m->mem_rows, rows, t->born, t->dies, since);
}

/* The least busy (slice, bank) of a hemisphere (-1: either) with `rows` free rows, not in `taken`
 * slices, one of `within` unless that is NULL; not in `shunned` slices unless all are; -1 if there
 * is none. */
static int32_t pick(const Layout *l, int32_t tensor, int32_t part, int hemisphere, int32_t rows,
                    const Set *taken, const Set *within, const Set *shunned) {
    int32_t best = -1;
    int32_t born = l->module->tensors[tensor].born;
    int64_t best_cost = INT64_MAX;
    for (int32_t s = 0; s < l->slices; s++) {
        if (hemisphere >= 0 && (int)tsp_slice_hemisphere(l->m, s) != hemisphere) continue;
        if (set_has(taken, s)) continue;
        int64_t beside = (int64_t)rivals(l, tensor, part, s) * rows * 4;
        for (int32_t b = 0; b < l->banks; b++) {
            int32_t i = s * l->banks + b, since;
            int64_t cost;
            if (find_room(l, tensor, i, rows, &since) < 0) continue;
            cost = l->heat[s] * 4 + l->fill[i] + beside + (set_has(shunned, s) ? SHUNNED : 0);
            if (since >= 0) cost += (1 + tsp_max64(0, since - born + LONG_FREE)) * LATER;
            if (cost >= best_cost) continue;
            if (within && !set_has(within, i)) continue;
            if (!allowed(l, tensor, part, s, b)) continue;
            best = i;
            best_cost = cost;
        }
    }
    return best;
}

static Place take(Layout *l, int32_t tensor, int32_t part, Set *layout, int32_t index, int32_t rows,
                  int64_t heat) {
    const Tensor *t = &l->module->tensors[tensor];
    int32_t since, first = find_room(l, tensor, index, rows, &since);
    Place p = {index / l->banks, (int32_t)(index % l->banks * l->m->mem_rows) + first};
    TspError ignored;
    if (first + rows > l->fill[index]) l->fill[index] = first + rows;
    if (l->module->shares_rows &&
        !extents_add(&l->extents[index], (Extent){first, rows, t->born, t->dies}, &ignored))
        l->no_memory = true;
    l->heat[p.slice] += heat;
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

static bool place_rows(Layout *l, int32_t tensor, int32_t copy, int32_t block, int32_t ctile) {
    Tensor *t = &l->module->tensors[tensor];
    int32_t rows = tsp_min32(t->block_rows, t->rows - block * t->block_rows);
    int32_t part = t->flat ? block : ctile;
    bool wide = t->flat || t->apart || t->wanted;
    /* of any 2, 4, 8 .. blocks of a flat tensor, evenly spaced or next to each other, one half lies
     * in each hemisphere: the Thue-Morse sequence */
    int wish = t->copies > 1 ? copy >= t->copies / 2
               : t->flat     ? (t->level + __builtin_popcount((unsigned)block)) & 1
               : wide        ? (t->level + block) & 1
                             : (tensor + ctile + block) & 1;
    /* leave slices to those beside it */
    Set *in = &l->rows_in[tensor], shunned = l->shunned[0];
    bool crowded = spread(in) >= (t->flat || t->spread    ? l->max_flat_spread
                                  : t->apart || t->wanted ? INT32_MAX
                                                          : l->max_spread);
    if (t->spread) add_slices(l, &shunned, in);
    for (int attempt = crowded ? 0 : 2; attempt < 4; attempt++) {
        Place *place = &t->places[((copy * t->blocks + block) * t->ctiles + ctile) * t->bytes];
        if (t->sided && attempt & 1) continue;
        Set taken = {{0}}; /* all copies of all bytes of a row are written in one cycle */
        int32_t index[MAX_BYTES], byte = 0;
        for (int32_t c = 0; c < copy; c++)
            for (int32_t b = 0; b < t->bytes; b++)
                set_add(
                    &taken,
                    t->places[((c * t->blocks + block) * t->ctiles + ctile) * t->bytes + b].slice);
        for (int32_t i = 0; t->apart && i < block * t->bytes; i++) /* one column tile, one copy */
            set_add(&taken, t->places[i].slice);
        for (; byte < t->bytes; byte++) {
            index[byte] = pick(l, tensor, part, attempt & 1 ? !wish : wish, rows, &taken,
                               attempt < 2 ? in : NULL, &shunned);
            if (index[byte] < 0) break;
            set_add(&taken, index[byte] / l->banks);
        }
        if (byte < t->bytes) continue;
        for (byte = 0; byte < t->bytes; byte++)
            place[byte] =
                take(l, tensor, part, in, index[byte], rows, rows * (t->streamed ? 4 : 1));
        return true;
    }
    return false;
}

/* Slices written in the same cycle as stripe n of `byte`: those of the row's other bytes. */
static void beside_stripe(const Layout *l, const Tensor *t, int32_t block, int32_t ctile,
                          int32_t byte, int32_t n, Set *taken) {
    int32_t group = (int32_t)l->m->mxm_load_streams;
    for (int32_t b = 0; b < byte; b++)
        set_add(taken, t->stripes[((block * t->ctiles + ctile) * t->bytes + b) * group + n].slice);
    for (int32_t i = 0; t->places && i < t->copies * t->blocks; i++)
        for (int32_t b = 0; b < t->bytes; b++)
            set_add(taken, t->places[(i * t->ctiles + ctile) * t->bytes + b].slice);
}

static bool place_stripes(Layout *l, int32_t tensor, int32_t block, int32_t ctile, int32_t byte) {
    Tensor *t = &l->module->tensors[tensor];
    int32_t group = (int32_t)l->m->mxm_load_streams;
    int32_t rows = tsp_ceil_div(tsp_min32(t->stripe_rows, t->rows - block * t->stripe_rows), group);
    /* fp16: while one pair loads low bytes from one hemisphere, another loads high ones */
    int wish = (t->bytes > 1 ? byte : ctile) & 1;
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
            index[n] = pick(l, tensor, ctile, hemisphere[attempt], rows, &avoid,
                            attempt < 2 ? in : NULL, &l->shunned[1]);
            if (index[n] < 0) break;
            set_add(&taken, index[n] / l->banks);
        }
        if (n < group) continue;
        for (n = 0; n < group; n++)
            t->stripes[((block * t->ctiles + ctile) * t->bytes + byte) * group + n] =
                take(l, tensor, ctile, in, index[n], rows, rows);
        return true;
    }
    return false;
}

/* Blocks of at most `most` rows such that the weights of one plane never straddle two: whole
 * matrices of a batch, or whole column tiles of a single matrix. */
static bool cut_stripes(const Layout *l, Tensor *t, int32_t most) {
    int32_t matrix = t->rank >= 2 ? (int32_t)t->shape[t->rank - (t->transposed ? 1 : 2)] : t->rows;
    int32_t unit = matrix <= most ? matrix : matrix == t->rows ? tsp_lanes(l->m) : INT32_MAX;
    if (t->rows > most && unit > most) return false;
    t->stripe_rows = t->rows <= most ? t->rows : most / unit * unit;
    t->stripe_blocks = tsp_ceil_div(t->rows, t->stripe_rows);
    return true;
}

/* Are its stripes weights that are there from the start? */
static bool given_weights(const Tensor *t) {
    return t->striped && (t->role == TSP_ROLE_INPUT || t->role == TSP_ROLE_CONSTANT);
}

/* Slices for the weights of the graph, as many of each hemisphere as they fill or an LW needs: the
 * outermost, since nothing but the MXM asks for them. All else then streams beside them. */
static void keep_slices(Layout *l) {
    int32_t group = (int32_t)l->m->mxm_load_streams, half = l->slices / 2, count;
    int64_t rows = 0;
    l->weights = (Set){{0}};
    for (int32_t i = 0; i < l->module->tensor_count; i++) {
        const Tensor *t = &l->module->tensors[i];
        if (given_weights(t)) rows += (int64_t)t->rows * t->ctiles * t->bytes;
    }
    count = group + tsp_ceil_div(rows, tsp_mem_slice_rows(l->m) * 2);
    if (rows == 0 || count > half * 3 / 4) return;
    for (int32_t s = 0; s < l->slices; s++) /* numbered from the VXM outwards */
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
        t->blocks = tsp_ceil_div(t->rows, t->run ? tsp_min32(t->run, limit) : limit);
        if (!t->run && !t->streamed && t->ctiles < 4 && t->blocks < 4 && t->rows >= 256)
            t->blocks = 4;
        if (!t->run && t->turned && t->rows >= 2 * tsp_lanes(l->m))
            t->blocks = (int32_t)tsp_max64(t->blocks, tsp_turned_blocks(l->m, t->bytes));
        t->block_rows = t->run && t->run <= limit ? t->run : tsp_ceil_div(t->rows, t->blocks);
        t->blocks = tsp_ceil_div(t->rows, t->block_rows);
    }
    l->used[tensor] = calloc((size_t)parts(t), sizeof(Set));
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
    memset(l->heat, 0, (size_t)l->slices * sizeof *l->heat);
}

/* What groups has its rows already. */
static void claim_group(Layout *l) {
    const GroupPlan *plan = l->module->group;
    for (int32_t i = 0; plan && i < l->slices * l->banks; i++)
        l->fill[i] = tsp_group_rows(plan, l->m, i / l->banks, i % l->banks);
}

/* Where rows are shared, what is there from the start to the end goes first: it needs rows that
 * nobody else ever has. */
static bool place_all(Layout *l, bool *fits, TspError *err) {
    *fits = true;
    forget_places(l);
    claim_group(l);
    keep_slices(l);
    for (int32_t round = 0; round < 2; round++)
        for (int32_t i = 0; i < l->module->tensor_count && *fits; i++) {
            bool first = !l->module->shares_rows || lifetime_is_whole(&l->module->tensors[i]);
            if (first != (round == 0)) continue;
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
    int32_t ways = l->module->group ? 1 : 2; /* each without sharing rows, then with it */
    int64_t needed, capacity;
    bool fits = false;
    lifetime_find(l->module);
    if (!lifetime_check(l->module, &needed, &capacity, err) || !find_edges(l, err)) return false;
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
    Layout l = {.module = module, .m = &module->machine};
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
