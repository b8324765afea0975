/* fast_mem.c - MEM slices: a row is read as it is in the cycle of the Read; a write lands later,
 * and until it has landed nobody may read the row. Rows are defined superlane by superlane. */
#include "fast_stream.h"

#include <string.h>

/* The vector of a row, the row's own, so that a part of it can be written. */
static int32_t own_row(Fast *f, size_t row) {
    int32_t vec;
    if (f->defined[row]) return f->row_vec[row] = fast_vec_own(f, f->row_vec[row]);
    vec = f->row_vec[row] = fast_vec_new(f);
    memset(fast_vec(f, vec), 0, (size_t)f->lanes);
    if (f->checks) memset(fast_vec_check(f, vec), 0, (size_t)f->superlanes * sizeof(uint16_t));
    return vec;
}

/* Puts the words of the superlanes in `mask` into a row. A whole vector is not copied: the row
 * takes over the caller's reference. */
static void store(Fast *f, size_t row, int32_t vec, uint32_t mask) {
    if (f->timing_only) return;
    if (mask == f->all) {
        if (f->defined[row]) fast_vec_drop(f, f->row_vec[row]);
        f->row_vec[row] = vec;
    } else {
        const int32_t own = own_row(f, row);
        for (int32_t k = 0; k < f->superlanes; k++) {
            if (!(mask >> k & 1)) continue;
            memcpy(fast_vec(f, own) + k * f->tile, fast_vec(f, vec) + k * f->tile, (size_t)f->tile);
            if (f->checks) fast_vec_check(f, own)[k] = fast_vec_check(f, vec)[k];
        }
        fast_vec_drop(f, vec);
    }
    f->defined[row] |= mask;
    f->row_chunk[row / SIM_CHUNK] = FAST_CHUNK_DEFINED | FAST_CHUNK_CHANGED;
}

void fast_mem_place(Fast *f, size_t row, const uint8_t *vector) {
    const int32_t vec = fast_vec_new(f);
    if (f->timing_only) return;
    memcpy(fast_vec(f, vec), vector, (size_t)f->lanes);
    if (f->checks) fast_seal(f, vec);
    store(f, row, vec, f->all);
}

void fast_mem_land(Fast *f, const Event *event) {
    store(f, (size_t)event->target, event->vec[0], event->mask);
}

int32_t fast_map_row(const Fast *f, const uint8_t *map, int32_t superlane) {
    const uint8_t *word = map + superlane * f->tile;
    return word[0] | (f->tile > 1 ? word[1] << 8 : 0);
}

void fast_scatter_land(Fast *f, const Event *event) {
    int32_t vec = event->vec[0];
    for (int32_t k = 0; k < f->superlanes && !f->timing_only; k++)
        if (event->mask >> k & 1)
            store(f, fast_row_id(f, event->queue, fast_map_row(f, fast_vec(f, event->vec[1]), k)),
                  fast_vec_hold(f, vec), 1u << k);
    fast_vecs_drop(f, event->vec, 2);
}

/* Superlanes of `mask` in which a write touches the row. */
static uint32_t touches(const Fast *f, const RecentWrite *write, int32_t addr, uint32_t mask) {
    uint32_t touched = 0;
    const uint8_t *map;
    mask &= write->mask;
    if (write->addr != SIM_NONE) return write->addr == addr ? mask : 0;
    if (f->timing_only) return 0; /* data decide */
    map = fast_vec(f, f->events[write->event].vec[1]);
    for (int32_t k = 0; k < f->superlanes; k++)
        if (mask >> k & 1 && fast_map_row(f, map, k) == addr) touched |= 1u << k;
    return touched;
}

/* The writes of a slice without those at the head that have landed. */
static inline Slice *under_way(Fast *f, int32_t slice) {
    Slice *s = &f->state.slice[slice];
    while (s->head != s->tail && s->write[s->head % SIM_WRITES].lands <= f->state.now) s->head++;
    return s;
}

/* The cycle in which the last write under way to the row, in any superlane of `mask`, lands; -1 if
 * there is none. */
static inline int64_t lands_last(Fast *f, int32_t slice, int32_t addr, uint32_t mask) {
    const Slice *s = under_way(f, slice);
    const int64_t now = f->state.now;
    int64_t last = -1;
    for (uint32_t i = s->head; i != s->tail; i++) {
        const RecentWrite *write = &s->write[i % SIM_WRITES];
        if (write->lands > now && write->lands > last && touches(f, write, addr, mask))
            last = write->lands;
    }
    return last;
}

/* Whether a row may be read in the superlanes of `mask`. */
static bool readable(Fast *f, const Issue *issue, int32_t addr, uint32_t mask, TspError *err) {
    int64_t lands = lands_last(f, issue->queue, addr, mask);
    if (lands >= 0)
        return fast_offence(f, err, TSP_RULE_ROW_TOO_SOON, issue,
                            "row 0x%04x is readable from cycle %lld on", (unsigned)addr,
                            (long long)lands);
    if (f->timing_only) return true;
    if (~f->defined[fast_row_id(f, issue->queue, addr)] & mask)
        return fast_offence(f, err, TSP_RULE_ROW_UNDEFINED, issue,
                            "expected row 0x%04x to hold a vector", (unsigned)addr);
    return true;
}

/* A drive of the slice. */
static void drive(Fast *f, const Issue *issue, int32_t cycles, int32_t vec) {
    Event *event = fast_event_add(f, EVENT_DRIVE, cycles, issue);
    event->stream = issue->insn->stream;
    event->column = issue->info->column;
    event->sealed = true;
    event->vec[0] = vec;
    f->state.stats.mem_reads++;
}

/* The rows that follow mostly come next: has the host fetch what is known of them, a cache line
 * ahead. */
enum { ROWS_AHEAD = 16 };
static void fetch_following(const Fast *f, size_t row) {
    __builtin_prefetch(&f->defined[row + ROWS_AHEAD], 1);
    __builtin_prefetch(&f->row_vec[row + ROWS_AHEAD], 1);
}

static bool read_row(Fast *f, const Issue *issue, int32_t addr, TspError *err) {
    size_t row = fast_row_id(f, issue->queue, addr);
    int32_t vec;
    if (!readable(f, issue, addr, f->state.powered, err)) return false;
    if (f->timing_only) {
        drive(f, issue, (int32_t)f->m->mem_read_cycles, fast_vec_new(f));
        return true;
    }
    vec = fast_vec_hold(f, f->row_vec[row]);
    /* The unit that takes the vector gets it some cycles from now: the host has that long to fetch
     * it. Where there are workers it is one of them, on another core, that will look. */
    if (f->threads == 1) fast_vec_fetch(f, vec, false);
    fetch_following(f, row);
    __builtin_prefetch(&f->vec_refs[vec + ROWS_AHEAD], 1);
    if (f->state.powered != f->all) {
        vec = fast_vec_own(f, vec);
        fast_darken(f, vec, f->state.powered);
    }
    drive(f, issue, (int32_t)f->m->mem_read_cycles, vec);
    return true;
}

/* Notes a write that has been issued; its event lands it. */
static Event *write_later(Fast *f, const Issue *issue, EventKind kind, int32_t addr) {
    Slice *slice = under_way(f, issue->queue); /* makes room */
    int64_t cycles = kind == EVENT_WRITE ? f->m->mem_write_cycles : issue->func;
    Event *event = fast_event_add(f, kind, cycles, issue);
    event->mask = f->state.powered;
    slice->write[slice->tail++ % SIM_WRITES] =
        (RecentWrite){addr, (int32_t)(event - f->events), event->mask, f->state.now + cycles};
    f->state.stats.mem_writes++;
    return event;
}

static bool write_row(Fast *f, const Issue *issue, int32_t addr, TspError *err) {
    Event *write;
    int32_t vec;
    if (!fast_stream_sample(f, issue, issue->insn->wstream, 1, &vec, err)) return false;
    write = write_later(f, issue, EVENT_WRITE, addr);
    write->target = (int32_t)fast_row_id(f, issue->queue, addr);
    if (!f->timing_only) fetch_following(f, (size_t)write->target);
    write->vec[0] = vec;
    return true;
}

static bool in_range(Fast *f, const Issue *issue, int32_t addr, TspError *err) {
    if (addr >= 0 && addr < f->slice_rows) return true;
    return fast_offence(f, err, TSP_RULE_ADDRESS_RANGE, issue,
                        "Repeat has stepped the address to %d; rows are 0..%d", (int)addr,
                        (int)f->slice_rows - 1);
}

static bool map_in_range(Fast *f, const Issue *issue, int32_t superlane, int32_t addr,
                         TspError *err) {
    if (addr < f->slice_rows) return true;
    return fast_offence(f, err, TSP_RULE_ADDRESS_RANGE, issue,
                        "superlane %d asks for row 0x%04x; rows are 0..%d", (int)superlane,
                        (unsigned)addr, (int)f->slice_rows - 1);
}

bool fast_mem_issue(Fast *f, const Issue *issue, TspError *err) {
    const TspInsn *insn = issue->insn;
    bool reads = insn->op != TSP_OP_WRITE, writes = insn->op != TSP_OP_READ;
    int32_t addr = insn->addr + issue->step;
    int32_t waddr = insn->waddr + (reads ? issue->wstep : issue->step);
    if (reads && !in_range(f, issue, addr, err)) return false;
    if (writes && !in_range(f, issue, waddr, err)) return false;
    if (reads && writes && tsp_mem_bank(f->m, addr) == tsp_mem_bank(f->m, waddr))
        return fast_offence(f, err, TSP_RULE_BANK_CONFLICT, issue,
                            "rows 0x%04x and 0x%04x both lie in bank %d", (unsigned)addr,
                            (unsigned)waddr, (int)tsp_mem_bank(f->m, addr));
    return (!reads || read_row(f, issue, addr, err)) &&
           (!writes || write_row(f, issue, waddr, err));
}

bool fast_gather(Fast *f, const Issue *issue, TspError *err) {
    const uint8_t *map;
    int32_t index, vec;
    if (!fast_stream_sample(f, issue, issue->insn->map, 1, &index, err) ||
        !fast_check(f, issue, &index, 1, err))
        return false;
    map = fast_vec(f, index);
    vec = fast_vec_new(f);
    drive(f, issue, issue->func, vec);
    for (int32_t k = 0; k < f->superlanes && !f->timing_only; k++) {
        int32_t addr = fast_map_row(f, map, k);
        size_t row;
        if (!(f->state.powered >> k & 1)) continue;
        if (!map_in_range(f, issue, k, addr, err) || !readable(f, issue, addr, 1u << k, err))
            return false;
        row = fast_row_id(f, issue->queue, addr);
        memcpy(fast_vec(f, vec) + k * f->tile, fast_vec(f, f->row_vec[row]) + k * f->tile,
               (size_t)f->tile);
        if (f->checks) fast_vec_check(f, vec)[k] = fast_vec_check(f, f->row_vec[row])[k];
    }
    fast_darken(f, vec, f->state.powered);
    fast_vec_drop(f, index);
    return true;
}

bool fast_scatter(Fast *f, const Issue *issue, TspError *err) {
    int32_t vecs[2]; /* data, map */
    Event *write;
    if (!fast_stream_sample(f, issue, issue->insn->wstream, 1, &vecs[0], err) ||
        !fast_stream_sample(f, issue, issue->insn->map, 1, &vecs[1], err) ||
        !fast_check(f, issue, &vecs[1], 1, err))
        return false;
    for (int32_t k = 0; k < f->superlanes && !f->timing_only; k++)
        if (f->state.powered >> k & 1 &&
            !map_in_range(f, issue, k, fast_map_row(f, fast_vec(f, vecs[1]), k), err))
            return false;
    write = write_later(f, issue, EVENT_SCATTER, SIM_NONE);
    write->vec[0] = vecs[0];
    write->vec[1] = vecs[1];
    return true;
}
