/* stages.c - stages that hand rows on through memory become one.
 *
 * A tensor that only stages without chains read, row by row as it is made, need not be in memory:
 * the steps of its reader follow those of its maker. Makers and readers may have cut its rows
 * differently, into batches for instance; what both have in common becomes one stage, in the place
 * of the reader, when all that either of them reads is there.
 */
#include "fuse.h"
#include "join.h"

#include <stdlib.h>
#include <string.h>

/* What stages do with a tensor. */
typedef struct {
    int32_t makers, readers;
    bool stays; /* somebody needs it in memory */
} Uses;

enum { GONE = -1 };

typedef struct {
    Module *module;
    Uses *uses;      /* [tensor] */
    bool *gone;      /* [tensor] */
    int32_t *copies; /* [tensor]: what has the rows of a tensor that streams as activations; -1 */
    int64_t *order;  /* [stage]: its place, counted from 1; GONE: part of another by now */
    int32_t capacity;
} Fuser;

/* Rows first .. end-1 of a tensor, which a stage makes, or reads as operand `index`. */
typedef struct {
    int32_t stage, index, first, end;
} Part;

typedef struct {
    Part *items;
    int32_t count, capacity;
} PartList;

static bool streams_rows(const Stage *s) {
    return !s->group && !s->chain_rows && !s->scan_rows && !s->set_rows && !s->shift &&
           !s->distributes && !s->copies;
}

static bool whole_output(const Module *m, const Stage *s) {
    const Output *o = &s->outputs[0];
    return s->output_count == 1 && !o->byte0 && !o->src_byte && !o->ctile0 &&
           o->bytes == m->tensors[o->tensor].bytes;
}

static void count_uses(Fuser *f) {
    Module *m = f->module;
    for (int32_t i = 0; i < m->tensor_count; i++) f->uses[i] = (Uses){0};
    for (int32_t i = 0; i < m->stage_count; i++) {
        const Stage *s = &m->stages[i];
        if (f->order[i] == GONE) continue;
        for (int32_t j = 0; j < s->output_count; j++) {
            Uses *u = &f->uses[s->outputs[j].tensor];
            u->makers++;
            u->stays |= !streams_rows(s) || !whole_output(m, s);
        }
        for (int32_t j = 0; j < s->operand_count; j++) {
            Uses *u = &f->uses[s->operands[j].tensor];
            u->readers++;
            u->stays |= !streams_rows(s) || s->operands[j].ctile0 || s->operands[j].copy ||
                        (s->operands[j].row_step != 1 && s->rows > 1);
        }
        for (int32_t j = 0; j < s->term_count; j++)
            f->uses[s->terms[j].a].stays = f->uses[s->terms[j].w].stays = true;
        if (s->last >= 0) f->uses[s->last].stays = true;
        for (int32_t j = 0; j < s->partials; j++) f->uses[s->partial + j].stays = true;
    }
}

static bool may_go(const Fuser *f, int32_t tensor) {
    const Tensor *t = &f->module->tensors[tensor];
    const Uses *u = &f->uses[tensor];
    return u->makers && u->readers && !u->stays && t->role == TSP_ROLE_INTERNAL && !t->pieces &&
           !t->finite && !t->turned;
}

static bool add_part(PartList *list, Part part, TspError *err) {
    if (!tsp_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof part, err))
        return false;
    list->items[list->count++] = part;
    return true;
}

static bool find_parts(const Fuser *f, int32_t tensor, PartList *makers, PartList *readers,
                       TspError *err) {
    for (int32_t i = 0; i < f->module->stage_count; i++) {
        const Stage *s = &f->module->stages[i];
        if (f->order[i] == GONE) continue;
        for (int32_t j = 0; j < s->output_count; j++) {
            int32_t row = s->outputs[j].row0;
            if (s->outputs[j].tensor == tensor &&
                !add_part(makers, (Part){i, j, row, row + s->rows}, err))
                return false;
        }
        for (int32_t j = 0; j < s->operand_count; j++) {
            int32_t row = s->operands[j].row0;
            if (s->operands[j].tensor == tensor &&
                !add_part(readers, (Part){i, j, row, row + s->rows}, err))
                return false;
        }
    }
    return true;
}

static int32_t first_common(const Part *a, const Part *b) {
    return a->first > b->first ? a->first : b->first;
}

static int32_t common_rows(const Part *a, const Part *b) {
    int32_t rows = tsp_min32(a->end, b->end) - first_common(a, b);
    return rows > 0 ? rows : 0;
}

/* Whether every row made is read once, and one at a time. */
static bool read_once(const PartList *makers, const PartList *readers) {
    for (int32_t i = 0; i < readers->count; i++)
        for (int32_t j = 0; j < i; j++)
            if (readers->items[i].stage == readers->items[j].stage ||
                common_rows(&readers->items[i], &readers->items[j]))
                return false;
    for (int32_t i = 0; i < makers->count; i++) {
        int32_t rows = 0;
        for (int32_t j = 0; j < readers->count; j++)
            rows += common_rows(&makers->items[i], &readers->items[j]);
        if (rows < makers->items[i].end - makers->items[i].first) return false;
    }
    return true;
}

/* A product of fewer rows would load its weights more often than it has to. */
static bool may_cut(const Module *m, const Stage *s, int32_t rows) {
    return !s->product || rows == s->rows || rows >= tsp_lanes(&m->machine);
}

/* What maker and reader have in common, as one stage; its terms are still those of the product. */
static bool join_parts(const Module *m, const Part *maker, const Part *reader, Stage *both) {
    Stage first = m->stages[maker->stage], second = m->stages[reader->stage];
    const int32_t rows = common_rows(maker, reader), row = first_common(maker, reader);
    if (!m->tensors[first.outputs[0].tensor].flat && first.cols != second.cols) return false;
    if (!may_cut(m, &first, rows) || !may_cut(m, &second, rows)) return false;
    join_cut(&first, row - maker->first, rows);
    join_cut(&second, row - reader->first, rows);
    return join_stages(&first, &second, reader->index, both);
}

/* Whether all parts can be joined and are the better for it. */
static bool joinable(const Fuser *f, int32_t tensor, const PartList *makers,
                     const PartList *readers) {
    const Module *m = f->module;
    const Tensor *t = &m->tensors[tensor];
    for (int32_t i = 0; i < makers->count; i++)
        for (int32_t j = 0; j < readers->count; j++) {
            const Part *maker = &makers->items[i], *reader = &readers->items[j];
            Stage both;
            if (!common_rows(maker, reader)) continue;
            if (!join_parts(m, maker, reader, &both) ||
                !join_pays(m, &m->stages[maker->stage], &m->stages[reader->stage], &both,
                           (int64_t)t->rows * t->ctiles))
                return false;
        }
    return true;
}

/* The last stage, just made, gets its place. */
static bool put(Fuser *f, int64_t order, TspError *err) {
    const int32_t count = f->module->stage_count;
    if (!tsp_grow((void **)&f->order, &f->capacity, count, sizeof *f->order, err)) return false;
    f->order[count - 1] = order;
    return true;
}

/* Place of the last stage that makes the tensor; 0: it is there from the start. */
static int64_t made_at(const Fuser *f, int32_t tensor) {
    int64_t last = 0;
    for (int32_t i = 0; i < f->module->stage_count; i++) {
        const Stage *s = &f->module->stages[i];
        bool makes = s->partials > 0 && tensor >= s->partial && tensor < s->partial + s->partials;
        for (int32_t j = 0; j < s->output_count; j++) makes |= s->outputs[j].tensor == tensor;
        if (makes) last = tsp_max64(last, f->order[i]);
    }
    return last;
}

/* Operands that also stream as activations become copies, each made where its rows are. */
static bool copy_operands(Fuser *f, Stage *s, TspError *err) {
    for (int32_t i; (i = join_copied(s)) >= 0;) {
        const int32_t tensor = s->operands[i].tensor;
        int32_t *copy = &f->copies[tensor];
        if (*copy < 0) {
            const int64_t order = made_at(f, tensor);
            if ((*copy = stage_copy(f->module, s->op, tensor, err)) < 0 || !put(f, order, err))
                return false;
        }
        s->operands[i].tensor = *copy;
    }
    return true;
}

/* The terms of the product among the two, from the row on where they meet. */
static bool copy_terms(const Module *m, const Part *maker, const Part *reader, Stage *both,
                       TspError *err) {
    const Part *product = m->stages[maker->stage].product ? maker : reader;
    const size_t size = (size_t)both->term_count * sizeof *both->terms;
    const Term *from = both->terms;
    if (!both->product) return true;
    if (!(both->terms = malloc(size))) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    memcpy(both->terms, from, size);
    for (int32_t i = 0; i < both->term_count; i++)
        both->terms[i].a_row0 +=
            (first_common(maker, reader) - product->first) * (1 + both->terms[i].a_skip);
    return true;
}

static bool join_all(Fuser *f, const PartList *makers, const PartList *readers, TspError *err) {
    Module *m = f->module;
    for (int32_t i = 0; i < makers->count; i++)
        for (int32_t j = 0; j < readers->count; j++) {
            const Part *maker = &makers->items[i], *reader = &readers->items[j];
            Stage both, *to;
            if (!common_rows(maker, reader)) continue;
            join_parts(m, maker, reader, &both);
            if (!copy_operands(f, &both, err) || !copy_terms(m, maker, reader, &both, err))
                return false;
            if (!(to = stage_new(m, both.op, both.what, both.rows, both.cols, err)))
                return free(both.product ? both.terms : NULL), false;
            *to = both;
            if (!put(f, f->order[reader->stage], err)) return false;
        }
    for (int32_t i = 0; i < makers->count; i++) f->order[makers->items[i].stage] = GONE;
    for (int32_t i = 0; i < readers->count; i++) f->order[readers->items[i].stage] = GONE;
    return true;
}

/* Results in place of a tensor lie in blocks as short as its own: who makes them side by side stays
 * the same. */
static void keep_blocks(const Module *m, int32_t tensor, const PartList *readers) {
    const Tensor *from = &m->tensors[tensor];
    for (int32_t i = 0; i < readers->count; i++) {
        const Stage *s = &m->stages[readers->items[i].stage];
        for (int32_t j = 0; j < s->output_count; j++) {
            Tensor *to = &m->tensors[s->outputs[j].tensor];
            if (to->rows == from->rows && from->run && !to->run) to->run = from->run;
        }
    }
}

static bool fuse_tensor(Fuser *f, int32_t tensor, bool *fused, TspError *err) {
    PartList makers = {0}, readers = {0};
    bool ok = find_parts(f, tensor, &makers, &readers, err);
    if (ok && makers.count && readers.count && read_once(&makers, &readers) &&
        joinable(f, tensor, &makers, &readers)) {
        keep_blocks(f->module, tensor, &readers);
        ok = join_all(f, &makers, &readers, err);
        f->gone[tensor] = *fused = true;
    }
    free(makers.items);
    free(readers.items);
    return ok;
}

typedef struct {
    int64_t order;
    int32_t stage;
} Key;

static int by_order(const void *left, const void *right) {
    const Key *a = left, *b = right;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    return a->stage < b->stage ? -1 : a->stage > b->stage;
}

/* Stages in their places; those that are part of another go. */
static bool sort_stages(Fuser *f, TspError *err) {
    Module *m = f->module;
    Key *keys = malloc((size_t)m->stage_count * sizeof *keys);
    Stage *sorted = malloc((size_t)m->stage_count * sizeof *sorted);
    int32_t count = 0;
    if (!keys || !sorted)
        return free(keys), free(sorted), tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < m->stage_count; i++) {
        if (f->order[i] != GONE)
            keys[count++] = (Key){f->order[i], i};
        else
            free(m->stages[i].terms);
    }
    qsort(keys, (size_t)count, sizeof *keys, by_order);
    for (int32_t i = 0; i < count; i++) sorted[i] = m->stages[keys[i].stage];
    free(keys);
    free(m->stages);
    m->stages = sorted;
    m->stage_capacity = m->stage_count;
    m->stage_count = count;
    return true;
}

/* Tensors that nobody makes or reads any more go, and the others move up; `now` is for their new
 * numbers. */
static void drop_tensors(Fuser *f, int32_t *now) {
    Module *m = f->module;
    int32_t count = 0;
    for (int32_t i = 0; i < m->tensor_count; i++) {
        now[i] = count;
        if (f->gone[i])
            free(m->tensors[i].name);
        else
            m->tensors[count++] = m->tensors[i];
    }
    m->tensor_count = count;
    for (int32_t i = 0; i < count; i++)
        if (m->tensors[i].strip) m->tensors[i].strip = now[m->tensors[i].strip];
    for (int32_t i = 0; i < m->stage_count; i++) {
        Stage *s = &m->stages[i];
        for (int32_t j = 0; j < s->term_count; j++) {
            s->terms[j].a = now[s->terms[j].a];
            s->terms[j].w = now[s->terms[j].w];
        }
        for (int32_t j = 0; j < s->operand_count; j++)
            s->operands[j].tensor = now[s->operands[j].tensor];
        for (int32_t j = 0; j < s->output_count; j++)
            s->outputs[j].tensor = now[s->outputs[j].tensor];
        if (s->last >= 0) s->last = now[s->last];
        if (s->partials > 0) s->partial = now[s->partial];
    }
}

/* Flat results count the stages before them anew. */
static void find_levels(Module *m) {
    for (int32_t i = 0; i < m->stage_count; i++) {
        const Stage *s = &m->stages[i];
        int32_t level = 0;
        if (s->product || !streams_rows(s) || !m->tensors[s->outputs[0].tensor].flat) continue;
        for (int32_t j = 0; j < s->operand_count; j++)
            if (m->tensors[s->operands[j].tensor].level > level)
                level = m->tensors[s->operands[j].tensor].level;
        m->tensors[s->outputs[0].tensor].level = level + 1;
    }
}

static bool fuse_all(Fuser *f, TspError *err) {
    const int32_t tensors = f->module->tensor_count;
    bool any = false;
    for (bool fused = true; fused; any |= fused) {
        fused = false;
        count_uses(f);
        for (int32_t t = 0; t < tensors; t++)
            if (may_go(f, t) && !fuse_tensor(f, t, &fused, err)) return false;
    }
    f->module->fused = any;
    if (!any) return true;
    if (!sort_stages(f, err)) return false;
    drop_tensors(f, f->copies);
    find_levels(f->module);
    return true;
}

bool fuse_stages(Module *m, TspError *err) {
    const size_t most = 2 * (size_t)m->tensor_count; /* each may get a copy */
    Fuser f = {.module = m, .capacity = m->stage_count};
    bool ok = false;
    if (m->unfused || m->group) return true;
    f.uses = calloc(most, sizeof *f.uses);
    f.gone = calloc(most, sizeof *f.gone);
    f.copies = calloc(most, sizeof *f.copies);
    f.order = calloc((size_t)m->stage_count + 1, sizeof *f.order);
    if (f.uses && f.gone && f.copies && f.order) {
        for (size_t i = 0; i < most; i++) f.copies[i] = -1;
        for (int32_t i = 0; i < m->stage_count; i++) f.order[i] = i + 1;
        ok = fuse_all(&f, err);
    } else {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    }
    free(f.uses);
    free(f.gone);
    free(f.copies);
    free(f.order);
    return ok;
}
