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

/* The rows that a map names; beyond the last superlane the first again, which makes no difference
 * to anybody. */
static void read_map(const Fast *f, int32_t map, uint16_t *row) {
    const uint8_t *word = fast_vec(f, map);
    if (usual(f, f->all)) {
        UNROLL for (int32_t k = 0; k < SIM_SUPERLANES; k++) row[k] =
            (uint16_t)(word[USUAL_TILE * k] | word[USUAL_TILE * k + 1] << 8);
    } else {
        for (int32_t k = 0; k < f->superlanes; k++, word += f->tile)
            row[k] = (uint16_t)(word[0] | (f->tile > 1 ? word[1] << 8 : 0));
        for (int32_t k = f->superlanes; k < SIM_SUPERLANES; k++) row[k] = row[0];
    }
    for (int32_t k = SIM_SUPERLANES; k < SIM_MAP; k++) row[k] = row[0];
}

static inline bool all_within(const uint16_t *row, int32_t first, int32_t end) {
    uint16_t greatest = 0;
    for (int32_t k = 0; k < SIM_MAP; k++) {
        const uint16_t at = (uint16_t)(row[k] - first);
        greatest = at > greatest ? at : greatest;
    }
    return greatest < end - first;
}
static inline bool all_in_range(const Fast *f, const uint16_t *row) {
    return all_within(row, 0, f->slice_rows);
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

/* Whether all rows are plain. That of a row is then vector *base + its address. */
static inline bool all_plain(const Fast *f, int32_t slice, const uint16_t *row, int32_t *base) {
    const PlainRows *plain = &f->plain[slice];
    *base = plain->vec - plain->first;
    return all_within(row, plain->first, plain->end);
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

/* A map asks for words in many places, which take long to come. That of the next cycle stands on
 * the stream already, a column away, and whoever gathers now will mostly want it: has the host
 * fetch what it names. Inlined, since compilers drop calls of functions that do nothing else. */
INLINE void fetch_next(const Fast *f, const Issue *issue) {
    const int32_t stream = issue->insn->map, slice = issue->queue;
    const int64_t diagonal = fast_diagonal(stream, issue->info->column, f->state.now + 1);
    const StreamSlot *slot = fast_slot(f, stream, diagonal);
    const MemRow *rows = f->rows + fast_row_id(f, slice, 0);
    uint16_t row[SIM_MAP];
    int32_t base;
    if (slot->diagonal != diagonal) return;
    read_map(f, slot->vec, row);
    if (all_plain(f, slice, row, &base))
        for (int32_t k = 0; k < f->superlanes; k++)
            __builtin_prefetch(fast_vec(f, base + row[k]) + k * f->tile);
    else if (all_in_range(f, row))
        for (int32_t k = 0; k < f->superlanes; k++)
            __builtin_prefetch(fast_vec(f, rows[row[k]].vec) + k * f->tile);
}

/* -- Gather -- */

/* Gathers whole words of which it is plain that they are there; false, and nothing done that
 * matters, where it takes a closer look. */
static bool gather_plainly(Fast *f, int32_t slice, const uint16_t *row, int32_t vec) {
    const MemRow *rows = f->rows + fast_row_id(f, slice, 0);
    const uint8_t *vectors = f->vectors;
    uint8_t *to = fast_vec(f, vec);
    uint32_t lacking = 0;
    int32_t base;
    if (!usual(f, f->state.powered) || any_under_way(f, slice, row)) return false;
    if (all_plain(f, slice, row, &base)) {
        UNROLL for (int32_t k = 0; k < SIM_SUPERLANES; k++) memcpy(
            to + k * USUAL_TILE,
            vectors + (ptrdiff_t)(base + row[k]) * TSP_MAX_LANES + k * USUAL_TILE, USUAL_TILE);
        return true;
    }
    if (!all_in_range(f, row)) return false;
    UNROLL for (int32_t k = 0; k < SIM_SUPERLANES; k++) {
        const MemRow from = rows[row[k]];
        lacking |= ~from.defined & 1u << k;
        memcpy(to + k * USUAL_TILE, vectors + (size_t)from.vec * TSP_MAX_LANES + k * USUAL_TILE,
               USUAL_TILE);
    }
    return !lacking;
}

/* Gathers superlane by superlane, from rows that may be read where they are on. */
static void gather(const Fast *f, int32_t slice, const uint16_t *row, int32_t vec) {
    const MemRow *rows = f->rows + fast_row_id(f, slice, 0);
    const uint32_t powered = f->state.powered;
    for (uint32_t left = powered; left; left &= left - 1) {
        const int32_t k = __builtin_ctz(left), from = rows[row[k]].vec, at = k * f->tile;
        memcpy(fast_vec(f, vec) + at, fast_vec(f, from) + at, (size_t)f->tile);
        if (f->checks) fast_vec_check(f, vec)[k] = fast_vec_check(f, from)[k];
    }
    fast_darken(f, vec, powered);
}

bool fast_gather(Fast *f, const Issue *issue, TspError *err) {
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
    if (gather_plainly(f, issue->queue, row, vec)) return true;
    if (!check_rows(f, issue, row, true, err)) return false;
    gather(f, issue->queue, row, vec);
    return true;
}

/* -- Scatter -- */

bool fast_scatter(Fast *f, const Issue *issue, TspError *err) {
    uint16_t row[SIM_MAP] = {0};
    int32_t data, map;
    Event *write;
    if (!fast_stream_sample(f, issue, issue->insn->wstream, 1, &data, err) ||
        !fast_stream_sample(f, issue, issue->insn->map, 1, &map, err) ||
        !fast_check(f, issue, &map, 1, err))
        return false;
    if (!f->timing_only) {
        read_map(f, map, row);
        if (!all_in_range(f, row) && !check_rows(f, issue, row, false, err)) return false;
    }
    fast_vec_drop(f, map);
    write = fast_write_later(f, issue, EVENT_SCATTER, SIM_NONE);
    write->vec[0] = data;
    memcpy(write->row, row, sizeof row);
    return true;
}

/* Scatters to plain rows, where there is nothing to do but to write words; false where that is not
 * so. */
static bool scatter_plainly(const Fast *f, const Event *event) {
    const uint8_t *from = fast_vec(f, event->vec[0]);
    uint8_t *vectors = f->vectors;
    int32_t base;
    if (!usual(f, event->mask) || !all_plain(f, event->queue, event->row, &base)) return false;
    UNROLL for (int32_t k = 0; k < SIM_SUPERLANES; k++)
        memcpy(vectors + (ptrdiff_t)(base + event->row[k]) * TSP_MAX_LANES + k * USUAL_TILE,
               from + k * USUAL_TILE, USUAL_TILE);
    return true;
}

static void scatter(Fast *f, const Event *event) {
    const size_t first = fast_row_id(f, event->queue, 0);
    for (uint32_t left = event->mask; left; left &= left - 1) {
        const int32_t k = __builtin_ctz(left), at = k * f->tile;
        const size_t id = first + event->row[k];
        const int32_t vec = fast_row_writable(f, &f->rows[id]);
        fast_plain_leave(f, event->queue, event->row[k]);
        memcpy(fast_vec(f, vec) + at, fast_vec(f, event->vec[0]) + at, (size_t)f->tile);
        if (f->checks) fast_vec_check(f, vec)[k] = fast_vec_check(f, event->vec[0])[k];
        f->rows[id].defined |= left & -left;
        fast_row_changed(f, id);
    }
}

void fast_scatter_land(Fast *f, const Event *event) {
    if (f->timing_only) return;
    if (!scatter_plainly(f, event)) scatter(f, event);
    fast_vec_drop(f, event->vec[0]);
}
