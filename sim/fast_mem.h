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

/* Notes that a row, by its number in the chip, has been written. */
static inline void fast_row_changed(Fast *f, size_t id) {
    f->row_chunk[id / SIM_CHUNK] = FAST_CHUNK_DEFINED | FAST_CHUNK_CHANGED;
}

/* Rows are plain as long as each holds a whole vector that is nobody else's, and these follow one
 * another in the pool: as those of tables do that were placed before cycle 0, and since then only
 * gathered from and scattered to. Who knows a row to be plain need not look at it. Finds the
 * longest stretch of each slice, before cycle 0. */
void fast_plain_find(Fast *f);
/* Somebody else may hold any vector. */
void fast_plain_forget(Fast *f);
/* A row is read or written: what is left of the stretch is the longer part of it. */
static inline void fast_plain_leave(Fast *f, int32_t slice, int32_t addr) {
    PlainRows *plain = &f->plain[slice];
    if (addr < plain->first || addr >= plain->end) return;
    if (addr - plain->first >= plain->end - addr) {
        plain->end = addr;
    } else {
        plain->vec += addr + 1 - plain->first;
        plain->first = addr + 1;
    }
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
