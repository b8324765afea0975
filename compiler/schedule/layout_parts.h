/* layout_parts.h - what the files of the layout pass share.
 */
#ifndef TSP_LAYOUT_PARTS_H
#define TSP_LAYOUT_PARTS_H
#include "compiler/ir.h"
#include "extents.h"
#include "traffic.h"

/* Bits of a Set: one for each (slice, bank), at most 88 x 2; for what is `taken`, one a slice.
 * MAX_GROUP: the most vectors an LW takes. LONG_FREE: stages after which rows are as good as others
 * that were used before. */
enum { SET_WORDS = 3, MAX_BYTES = 4, MAX_GROUP = 16, LONG_FREE = 16 };
#define SHUNNED ((int64_t)1 << 48) /* costs more than the busiest slice */
#define LATER   ((int64_t)1 << 24) /* so much more costs what is free since a stage later */
#define NEARER  ((int64_t)1 << 6)  /* of what is to be near, a column */
#define MEETING ((int64_t)1 << 13) /* and what meets others for a tick */
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
    const int64_t *meets;      /* of each (slice, bank): traffic.h; NULL unknown */
    EdgeList *edges;           /* of each tensor */
    Set **used;                /* [tensor][ctile] */
    Set *used_all;             /* [tensor] */
    Set *rows_in, *stripes_in; /* [tensor]: the same, by layout */
    Set weights;               /* slices kept for weights that are there from the start */
    Set shunned[2]; /* slices that rows, that stripes of the tensor being placed had better leave */
    bool no_memory; /* of the host, for extents */
    int32_t even;   /* row at which blocks of an even tensor are to begin; -1: it is none */
    int32_t column; /* of stream registers, the slices of which are to be looked at; -1: all */
    int32_t stuck;  /* tensor that found no place in the last attempt */
    int32_t max_copies, max_block;
    int32_t max_spread, max_flat_spread; /* (slice, bank) pairs of a tensor, of a flat one */
} Layout;

static inline void set_add(Set *s, int32_t i) {
    s->bits[i / 64] |= 1ull << (i % 64);
}
static inline bool set_has(const Set *s, int32_t i) {
    return s->bits[i / 64] >> (i % 64) & 1;
}

/* What a tensor is cut into for the sets of `used`: what meets in a flow has the same part. */
static inline int32_t tensor_parts(const Tensor *t) {
    return t->flat ? t->blocks : t->ctiles;
}

/* layout_meet.c: which tensors stages read or write together, so that they need different slices
 * (same_slice), or different banks of a slice. */
bool layout_find_edges(Layout *l, TspError *err);
/* Whether nothing that the tensor meets stands in the way of its part lying in a bank of a slice.
 */
bool layout_allowed(const Layout *l, int32_t tensor, int32_t part, int32_t slice, int32_t bank);
/* Blocks in a slice that are likely to be read beside this block of a flat tensor: of its partners
 * in a stage, every second one, since a chain that has two blocks begins with the even one. */
int32_t layout_rivals(const Layout *l, int32_t tensor, int32_t part, int32_t slice);

/* layout_pick.c */
/* First of `rows` rows of a (slice, bank) that are free while the tensor lives; -1 if there is no
 * room. *since: last stage at which somebody had some of them, -1 if nobody did. */
int32_t layout_room(const Layout *l, int32_t tensor, int32_t index, int32_t rows, int32_t *since);
/* The least busy (slice, bank) of a hemisphere (-1: either) with `rows` free rows, not in `taken`
 * slices, one of `within` unless that is NULL; not in `shunned` slices unless all are; -1 if there
 * is none. *least, if not NULL: what it costs. */
int32_t layout_pick(const Layout *l, int32_t tensor, int32_t part, int hemisphere, int32_t rows,
                    const Set *taken, const Set *within, const Set *shunned, int64_t *least);
/* The same for all bytes of rows in slices of one column, since a row is there when all of them
 * are, and none of them should be farther away. False if no column has as many. */
bool layout_pick_column(Layout *l, int32_t tensor, int32_t part, int hemisphere, int32_t rows,
                        const Set *taken, int32_t index[MAX_BYTES]);
/* The row at which `rows` of a tensor would begin in the most slices. */
int32_t layout_even_row(const Layout *l, int32_t tensor, int32_t rows);

#endif
