/* fast_indirect.c - Gather and Scatter: a row of its own for every superlane, named by a map.
 *
 * What is checked superlane by superlane, in the order of docs/machine.md, is first looked at for
 * all of them at once; only where that leaves a doubt does the order matter.
 */
#include "fast_mem.h"

#include <string.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 20")
#endif
#define INLINE static inline __attribute__((always_inline))

/* Loops over the words of superlanes are made for what the chip mostly is: 20 superlanes of 16
 * lanes, all on, without check bits. */
enum { USUAL_TILE = 16 };
static const uint32_t usual_mask = (1u << SIM_SUPERLANES) - 1;
static inline bool usual(const Fast *f, uint32_t mask) {
    return mask == usual_mask && f->tile == USUAL_TILE && !f->checks;
}

/* What stands in a map beyond the last superlane: in a Gather's a row that there is; in a
 * Scatter's, once it is known to be good, one that nobody asks for. */
enum { FILLER = 0, NOWHERE = UINT16_MAX };

/* The rows that a map names. */
static void read_map(const Fast *f, int32_t map, uint16_t *row) {
    const uint8_t *word = fast_vec(f, map);
    if (usual(f, f->all)) {
        UNROLL for (int32_t k = 0; k < SIM_SUPERLANES; k++) row[k] =
            (uint16_t)(word[USUAL_TILE * k] | word[USUAL_TILE * k + 1] << 8);
    } else {
        for (int32_t k = 0; k < f->superlanes; k++, word += f->tile)
            row[k] = (uint16_t)(word[0] | (f->tile > 1 ? word[1] << 8 : 0));
        for (int32_t k = f->superlanes; k < SIM_SUPERLANES; k++) row[k] = FILLER;
    }
    for (int32_t k = SIM_SUPERLANES; k < SIM_MAP; k++) row[k] = FILLER;
}

static inline bool all_in_range(const Fast *f, const uint16_t *row) {
    uint16_t greatest = 0;
    for (int32_t k = 0; k < SIM_MAP; k++) greatest = row[k] > greatest ? row[k] : greatest;
    return greatest < f->slice_rows;
}

static bool in_range(Fast *f, const Issue *issue, int32_t superlane, int32_t addr, TspError *err) {
    if (addr < f->slice_rows) return true;
    return fast_offence(f, err, TSP_RULE_ADDRESS_RANGE, issue,
                        "superlane %d asks for row 0x%04x; rows are 0..%d", (int)superlane,
                        (unsigned)addr, (int)f->slice_rows - 1);
}

/* Superlane by superlane of those that are on: the first that asks for a row that there is not, or,
 * where it is to be read, one that may not be. */
static bool check_rows(Fast *f, const Issue *issue, const uint16_t *row, bool read, TspError *err) {
    for (uint32_t left = f->state.powered; left; left &= left - 1) {
        const int32_t k = __builtin_ctz(left);
        if (!in_range(f, issue, k, row[k], err) ||
            (read && !fast_row_readable(f, issue, row[k], 1u << k, err)))
            return false;
    }
    return true;
}

/* Whether a write under way to the slice touches some of the rows, in any superlane. */
static inline bool any_under_way(Fast *f, int32_t slice, const uint16_t *row) {
    const Slice *s = fast_under_way(f, slice);
    bool touched = false;
    for (uint32_t i = s->head; i != s->tail; i++) {
        const RecentWrite *write = &s->write[i % SIM_WRITES];
        if (write->lands <= f->state.now) continue;
        if (write->addr == SIM_NONE)
            touched |= fast_scatter_meets(&f->events[write->event], row);
        else
            for (int32_t k = 0; k < SIM_MAP; k++) touched |= row[k] == write->addr;
    }
    return touched;
}

/* -- the host's caches -- */

/* A map asks for words in many places, which take long to come; so they are asked for beforehand.
 * Inlined, since compilers drop calls of functions that do nothing else. */
INLINE void fetch_word(const Fast *f, const MemRow *row, int32_t k, bool to_write) {
    const uint8_t *word = fast_vec(f, row->vec) + k * f->tile;
    if (to_write) {
        __builtin_prefetch(word, 1);
        __builtin_prefetch(&f->vec_refs[row->vec]);
    } else {
        __builtin_prefetch(word);
    }
}

/* The map of the next cycle stands on the stream already, a column away: whoever gathers now will
 * mostly want it. */
INLINE void fetch_next(const Fast *f, const Issue *issue) {
    const int32_t stream = issue->insn->map;
    const int64_t diagonal = fast_diagonal(stream, issue->info->column, f->state.now + 1);
    const StreamSlot *slot = fast_slot(f, stream, diagonal);
    const MemRow *rows = f->rows + fast_row_id(f, issue->queue, 0);
    uint16_t row[SIM_MAP];
    if (slot->diagonal != diagonal) return;
    read_map(f, slot->vec, row);
    if (!all_in_range(f, row)) return;
    for (int32_t k = 0; k < f->superlanes; k++) fetch_word(f, &rows[row[k]], k, false);
}

/* -- Gather -- */

/* Gathers the superlanes of `mask`; tells in which of them the row holds nothing. */
INLINE uint32_t gather_words(const Fast *f, const MemRow *rows, const uint16_t *row, int32_t vec,
                             uint32_t mask, int32_t tile) {
    const uint8_t *vectors = f->vectors;
    uint8_t *to = fast_vec(f, vec);
    uint32_t lacking = 0;
    UNROLL for (int32_t k = 0; k < SIM_SUPERLANES; k++) {
        MemRow from;
        if (!(mask >> k & 1)) continue;
        from = rows[row[k]];
        lacking |= ~from.defined & 1u << k;
        memcpy(to + k * tile, vectors + (size_t)from.vec * TSP_MAX_LANES + k * tile, (size_t)tile);
    }
    return lacking;
}

/* The same, with check bits where there are some, of rows that may be read. */
static void gather_any(const Fast *f, const MemRow *rows, const uint16_t *row, int32_t vec) {
    const uint32_t powered = f->state.powered;
    gather_words(f, rows, row, vec, powered, f->tile);
    for (int32_t k = 0; k < f->superlanes && f->checks; k++)
        if (powered >> k & 1) fast_vec_check(f, vec)[k] = fast_vec_check(f, rows[row[k]].vec)[k];
    fast_darken(f, vec, powered);
}

bool fast_gather(Fast *f, const Issue *issue, TspError *err) {
    const MemRow *rows = f->rows + fast_row_id(f, issue->queue, 0);
    uint16_t row[SIM_MAP];
    int32_t map, vec;
    if (!fast_stream_sample(f, issue, issue->insn->map, 1, &map, err) ||
        !fast_check(f, issue, &map, 1, err))
        return false;
    vec = fast_vec_new(f);
    fast_mem_drive(f, issue, issue->func, vec);
    if (f->timing_only) return true;
    read_map(f, map, row);
    fast_vec_drop(f, map);
    fetch_next(f, issue);
    if (usual(f, f->state.powered) && all_in_range(f, row) &&
        !any_under_way(f, issue->queue, row) &&
        gather_words(f, rows, row, vec, usual_mask, USUAL_TILE) == 0)
        return true;
    if (!check_rows(f, issue, row, true, err)) return false;
    gather_any(f, rows, row, vec);
    return true;
}

/* -- Scatter -- */

bool fast_scatter(Fast *f, const Issue *issue, TspError *err) {
    const MemRow *rows = f->rows + fast_row_id(f, issue->queue, 0);
    uint16_t row[SIM_MAP] = {0};
    int32_t data, map;
    Event *write;
    if (!fast_stream_sample(f, issue, issue->insn->wstream, 1, &data, err) ||
        !fast_stream_sample(f, issue, issue->insn->map, 1, &map, err) ||
        !fast_check(f, issue, &map, 1, err))
        return false;
    if (!f->timing_only) {
        read_map(f, map, row);
        if (all_in_range(f, row))
            for (int32_t k = 0; k < f->superlanes; k++) fetch_word(f, &rows[row[k]], k, true);
        else if (!check_rows(f, issue, row, false, err))
            return false;
    }
    fast_vec_drop(f, map);
    write = fast_write_later(f, issue, EVENT_SCATTER, SIM_NONE);
    write->vec[0] = data;
    for (int32_t k = f->superlanes; k < SIM_MAP; k++) row[k] = NOWHERE;
    memcpy(write->row, row, sizeof row);
    return true;
}

/* A row that is nobody else's is written in place. */
INLINE void scatter_words(Fast *f, const Event *event, uint32_t mask, int32_t tile) {
    const size_t first = fast_row_id(f, event->queue, 0);
    MemRow *const rows = f->rows + first;
    const int32_t *const refs = f->vec_refs;
    uint8_t *const vectors = f->vectors, *const chunks = f->row_chunk;
    const uint8_t *from = fast_vec(f, event->vec[0]);
    UNROLL for (int32_t k = 0; k < SIM_SUPERLANES; k++) {
        const uint16_t addr = event->row[k];
        MemRow *row;
        int32_t vec;
        if (!(mask >> k & 1)) continue;
        row = &rows[addr];
        vec = row->vec;
        if (!row->defined || refs[vec] != 1) vec = fast_row_own(f, row);
        memcpy(vectors + (size_t)vec * TSP_MAX_LANES + k * tile, from + k * tile, (size_t)tile);
        row->defined |= 1u << k;
        chunks[(first + addr) / SIM_CHUNK] = FAST_CHUNK_DEFINED | FAST_CHUNK_CHANGED;
    }
}

void fast_scatter_land(Fast *f, const Event *event) {
    const MemRow *rows = f->rows + fast_row_id(f, event->queue, 0);
    if (f->timing_only) return;
    if (usual(f, event->mask))
        scatter_words(f, event, usual_mask, USUAL_TILE);
    else
        scatter_words(f, event, event->mask, f->tile);
    for (int32_t k = 0; k < f->superlanes && f->checks; k++)
        if (event->mask >> k & 1)
            fast_vec_check(f, rows[event->row[k]].vec)[k] = fast_vec_check(f, event->vec[0])[k];
    fast_vec_drop(f, event->vec[0]);
}
