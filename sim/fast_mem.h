/* fast_mem.h - what Reads and Writes (fast_mem.c) share with Gathers and Scatters
 * (fast_indirect.c): rows that own what they hold, and the writes under way to a slice.
 */
#ifndef TSP_SIM_FAST_MEM_H
#define TSP_SIM_FAST_MEM_H
#include "fast_stream.h"

/* Makes a row hold a vector of its own, zeros where it held nothing; returns it. */
int32_t fast_row_own(Fast *f, MemRow *row);

/* The vector of a row, the row's own, so that a part of it can be written. */
static inline int32_t fast_row_writable(Fast *f, MemRow *row) {
    return row->defined && f->vec_refs[row->vec] == 1 ? row->vec : fast_row_own(f, row);
}

/* Notes that the superlanes of `mask` of a row, by its number in the chip, have been written. */
static inline void fast_row_define(Fast *f, size_t id, uint32_t mask) {
    f->rows[id].defined |= mask;
    f->row_chunk[id / SIM_CHUNK] = FAST_CHUNK_DEFINED | FAST_CHUNK_CHANGED;
}

/* The writes of a slice without those at the head that have landed. */
static inline Slice *fast_under_way(Fast *f, int32_t slice) {
    Slice *s = &f->state.slice[slice];
    while (s->head != s->tail && s->write[s->head % SIM_WRITES].lands <= f->state.now) s->head++;
    return s;
}

/* Whether a Scatter goes to the row asked for in some superlane, of all that there can be. */
static inline bool fast_scatter_meets(const Event *scatter, const uint16_t *row) {
    uint16_t met = 0;
    for (int32_t k = 0; k < SIM_MAP; k++)
        met |= (uint16_t)(scatter->row[k] == row[k] ? UINT16_MAX : 0);
    return met != 0;
}

/* Whether a row may be read in the superlanes of `mask`. */
bool fast_row_readable(Fast *f, const Issue *issue, int32_t addr, uint32_t mask, TspError *err);
/* The slice drives a vector, `cycles` from now. */
void fast_mem_drive(Fast *f, const Issue *issue, int32_t cycles, int32_t vec);
/* Notes a write that has been issued (addr SIM_NONE: a Scatter); its event, returned, lands it. */
Event *fast_write_later(Fast *f, const Issue *issue, EventKind kind, int32_t addr);

#endif
