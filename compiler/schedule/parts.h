/* parts.h - what each plane does of a product.
 */
#ifndef TSP_PARTS_H
#define TSP_PARTS_H
#include "schedule.h"

/* Rows row .. row+rows-1 of an output column tile, over all terms of the product. */
typedef struct {
    int32_t tile, row, rows;
    int32_t sums;   /* accumulator row of the first */
    int32_t window; /* jobs of one window have sums of their own: they may be open side by side */
    int32_t terms, placed; /* how many it has, how many have been placed */
} Job;

/* A plane, or for fp16 a pair of planes, and what it has to do. */
typedef struct {
    Job *jobs;
    int32_t count, capacity;
    int32_t first; /* job that is not done; all before it are */
    bool *taken;   /* [job][term]: placed */
} Unit;

/* Fills `batch` of all stages. */
void parts_find_batches(Module *m);
/* Shares a product out to `count` units, which begin empty; parts_free() frees what they own, of
 * failed calls too. */
bool parts_share(const Scheduler *s, const Stage *stage, Unit *units, int32_t count, TspError *err);
void parts_free(Unit *units, int32_t count);
/* The first plane of each unit, of `planes` each: a stage that needs fewer units than there are
 * takes those that are free first, in their order. */
void parts_choose_planes(const Scheduler *s, const Unit *units, int32_t count, int32_t planes,
                         int32_t *plane_of);

/* Type in which a tensor meets the array: the byte plane `byte` of it, or all if that is -1. */
static inline TspDtype parts_type(const Tensor *t, int32_t byte) {
    return byte >= 0 || t->dtype == TSP_BOOL ? TSP_U8 : t->dtype;
}

/* Cycles between activations. */
static inline int32_t parts_row_cycles(const Scheduler *s, const Stage *stage) {
    const Term *term = &stage->terms[0];
    const Tensor *a = &s->module->tensors[term->a];
    return parts_type(a, term->a_byte) == TSP_F16 ? (int32_t)s->m->mxm_fp16_cycles : 1;
}

#endif
