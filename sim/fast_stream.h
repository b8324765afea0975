/* fast_stream.h - vectors that are shared instead of copied, and the streams that carry them.
 *
 * A value driven eastward at column p in cycle t stands at column p+1 in cycle t+1: p - t never
 * changes, and the value *is* its diagonal (westward: p + t). A stream is a ring of slots indexed
 * by diagonal; nothing is ever shifted. A slot is live while its exact diagonal meets the chip. As
 * events come in order of time one value a diagonal is enough.
 */
#ifndef TSP_SIM_FAST_STREAM_H
#define TSP_SIM_FAST_STREAM_H
#include "fast.h"

/* Its bytes; to be written only by who has just made it, or owns it. */
static inline uint8_t *fast_vec(const Fast *f, int32_t vec) {
    return f->vectors + (size_t)vec * TSP_MAX_LANES;
}
/* Has the host fetch a vector into its caches, to be read or to be filled. */
static inline void fast_vec_fetch(const Fast *f, int32_t vec, bool to_fill) {
    const uint8_t *bytes = fast_vec(f, vec);
    for (int32_t at = 0; at < TSP_MAX_LANES; at += 64)
        if (to_fill)
            __builtin_prefetch(bytes + at, 1);
        else
            __builtin_prefetch(bytes + at);
}
enum { FAST_FRESH_AHEAD = 8 };
/* A vector of the pool with one reference, contents arbitrary; SIM_NONE never: the pool is sized
 * for everything that can be under way. */
static inline int32_t fast_vec_new(Fast *f) {
    State *st = &f->state;
    int32_t vec = st->vec_free;
    if (f->timing_only) return 0; /* one for all, never looked into */
    if (vec != SIM_NONE) {
        st->vec_free = f->vec_refs[vec];
    } else {
        vec = st->vec_used++;
        /* Memory in no cache; soon it is the turn of what follows. Where there are workers they
         * may be the ones to fill it. */
        if (f->threads == 1) fast_vec_fetch(f, vec + FAST_FRESH_AHEAD, true);
    }
    st->vec_live++;
    f->vec_refs[vec] = 1;
    return vec;
}
static inline void fast_vec_drop(Fast *f, int32_t vec) {
    if (f->timing_only || --f->vec_refs[vec] > 0) return;
    f->state.vec_live--;
    f->vec_refs[vec] = f->state.vec_free;
    f->state.vec_free = vec;
}
/* A vector with the same contents that nobody else holds: the same one if so, else a copy, the
 * reference to the old one given up. */
int32_t fast_vec_own(Fast *f, int32_t vec);
static inline int32_t fast_vec_hold(Fast *f, int32_t vec) {
    if (!f->timing_only) f->vec_refs[vec]++;
    return vec;
}

static inline int64_t fast_diagonal(int32_t stream, int32_t column, int64_t cycle) {
    return TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? column - cycle : column + cycle;
}
static inline StreamSlot *fast_slot(const Fast *f, int32_t stream, int64_t diagonal) {
    return &f->slots[stream * f->ring + (int32_t)(diagonal & (f->ring - 1))];
}
/* The vector on a stream register in cycle `now` as far as drives have landed; SIM_NONE if none. */
static inline int32_t fast_stream_look(const Fast *f, int32_t stream, int32_t column) {
    const int64_t diagonal = fast_diagonal(stream, column, f->state.now);
    const StreamSlot *slot = fast_slot(f, stream, diagonal);
    return slot->diagonal == diagonal ? slot->vec : SIM_NONE;
}
/* Of `count` sampled streams the next one holds nothing: drops them, and fails. */
bool fast_stream_undefined(Fast *f, const Issue *issue, int32_t stream, int32_t count,
                           const int32_t *vecs, TspError *err);
/* Samples `count` streams at the column of the issuing unit, holding the vectors; STREAM_UNDEFINED
 * otherwise. On failure nothing is held. */
static inline bool fast_stream_sample(Fast *f, const Issue *issue, int32_t stream, int32_t count,
                                      int32_t *vecs, TspError *err) {
    for (int32_t i = 0; i < count; i++) {
        vecs[i] = fast_stream_look(f, stream + i, issue->info->column);
        if (vecs[i] == SIM_NONE) return fast_stream_undefined(f, issue, stream, i, vecs, err);
        fast_vec_hold(f, vecs[i]);
    }
    return true;
}
/* Lands a drive that is due now; the slot takes over the event's reference. False: another drive
 * has taken the register in this cycle. */
bool fast_stream_drive(Fast *f, const Event *event);
/* Registers that the value of a slot still lives on, from cycle `now` to the edge of the chip;
 * 0 if it has left. *column: where it is. */
int32_t fast_slot_ahead(const Fast *f, int32_t stream, const StreamSlot *slot, int32_t *column);
/* Drops the references of an issue's operands. */
void fast_vecs_drop(Fast *f, const int32_t *vecs, int32_t count);
/* "s4.e" */
const char *fast_stream_name(int32_t stream, char name[16]);

#endif
