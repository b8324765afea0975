/* fast_mem.c - MEM slices: a row is read as it is in the cycle of the Read; a write lands later,
 * and until it has landed nobody may read the row. Rows are defined superlane by superlane. */
#include "fast_stream.h"

#include <string.h>

static int32_t make_own_row(Fast *f, size_t row) {
    int32_t vec;
    if (f->defined[row]) return f->row_vec[row] = fast_vec_own(f, f->row_vec[row]);
    vec = f->row_vec[row] = fast_vec_new(f);
    memset(fast_vec(f, vec), 0, (size_t)f->lanes);
    if (f->checks) memset(fast_vec_check(f, vec), 0, (size_t)f->superlanes * sizeof(uint16_t));
    return vec;
}

/* The vector of a row, the row's own, so that a part of it can be written. */
static inline int32_t own_row(Fast *f, size_t row) {
    const int32_t vec = f->row_vec[row];
    return f->defined[row] && f->vec_refs[vec] == 1 ? vec : make_own_row(f, row);
}

/* Notes that the superlanes of `mask` of a row have been written. */
static inline void define(Fast *f, size_t row, uint32_t mask) {
    f->defined[row] |= mask;
    f->row_chunk[row / SIM_CHUNK] = FAST_CHUNK_DEFINED | FAST_CHUNK_CHANGED;
}

/* Puts the word of superlane k, of `tile` lanes, into a row. */
static inline void store_word(Fast *f, size_t row, int32_t vec, int32_t k, int32_t tile) {
    const int32_t own = own_row(f, row);
    memcpy(fast_vec(f, own) + k * tile, fast_vec(f, vec) + k * tile, (size_t)tile);
    if (f->checks) fast_vec_check(f, own)[k] = fast_vec_check(f, vec)[k];
    define(f, row, 1u << k);
}

/* Puts the words of the superlanes in `mask` into a row. A whole vector is not copied: the row
 * takes over the caller's reference. */
static void store(Fast *f, size_t row, int32_t vec, uint32_t mask) {
    if (f->timing_only) return;
    if (mask == f->all) {
        if (f->defined[row]) fast_vec_drop(f, f->row_vec[row]);
        f->row_vec[row] = vec;
        define(f, row, mask);
        return;
    }
    for (uint32_t left = mask; left; left &= left - 1)
        store_word(f, row, vec, __builtin_ctz(left), f->tile);
    fast_vec_drop(f, vec);
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

/* The rows that a map names, a superlane each. */
static inline void read_map(const Fast *f, int32_t map, int32_t *row) {
    const int32_t superlanes = f->superlanes, tile = f->tile;
    const uint8_t *word = fast_vec(f, map);
    for (int32_t k = 0; k < superlanes && tile > 1; k++, word += tile)
        row[k] = word[0] | word[1] << 8;
    for (int32_t k = 0; k < superlanes && tile == 1; k++) row[k] = word[k];
}

/* Words of superlanes are small; loops over them are made for the length that they mostly have. */
enum { USUAL_TILE = 16 };

static inline void scatter_words(Fast *f, const Event *event, const int32_t *row, int32_t tile) {
    const size_t first = fast_row_id(f, event->queue, 0);
    for (uint32_t left = event->mask; left; left &= left - 1) {
        const int32_t k = __builtin_ctz(left);
        store_word(f, first + (size_t)row[k], event->vec[0], k, tile);
    }
}

void fast_scatter_land(Fast *f, const Event *event) {
    int32_t row[SIM_SUPERLANES];
    if (f->timing_only) return;
    read_map(f, event->vec[1], row);
    if (f->tile == USUAL_TILE)
        scatter_words(f, event, row, USUAL_TILE);
    else
        scatter_words(f, event, row, f->tile);
    fast_vecs_drop(f, event->vec, 2);
}

/* Superlanes of `mask` in which a write touches the row. */
static uint32_t touches(const Fast *f, const RecentWrite *write, int32_t addr, uint32_t mask) {
    int32_t row[SIM_SUPERLANES];
    uint32_t touched = 0;
    mask &= write->mask;
    if (write->addr != SIM_NONE) return write->addr == addr ? mask : 0;
    if (f->timing_only) return 0; /* data decide */
    read_map(f, f->events[write->event].vec[1], row);
    for (int32_t k = 0; k < f->superlanes; k++) touched |= (uint32_t)(row[k] == addr) << k;
    return touched & mask;
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

/* Whether every superlane that is on asks for a row that there is. */
static bool all_in_range(Fast *f, const Issue *issue, const int32_t *row, TspError *err) {
    int32_t greatest = 0;
    for (int32_t k = 0; k < f->superlanes; k++) greatest = row[k] > greatest ? row[k] : greatest;
    for (int32_t k = 0; k < f->superlanes && greatest >= f->slice_rows; k++)
        if (f->state.powered >> k & 1 && !map_in_range(f, issue, k, row[k], err)) return false;
    return true;
}

/* Whether it is plain at first sight that every superlane, on or off, may read its row. */
static inline bool plainly_readable(Fast *f, int32_t slice, const int32_t *row) {
    const uint32_t *defined = f->defined + fast_row_id(f, slice, 0);
    const int32_t superlanes = f->superlanes, slice_rows = f->slice_rows;
    const Slice *s = under_way(f, slice);
    int32_t beyond = 0, touched = 0, other[SIM_SUPERLANES];
    uint32_t lacking = 0;
    for (int32_t k = 0; k < superlanes; k++) beyond |= row[k] >= slice_rows;
    if (beyond) return false;
    for (int32_t k = 0; k < superlanes; k++) lacking |= ~defined[row[k]] & 1u << k;
    for (uint32_t i = s->head; i != s->tail; i++) {
        const RecentWrite *write = &s->write[i % SIM_WRITES];
        if (write->lands <= f->state.now) continue;
        if (write->addr == SIM_NONE)
            read_map(f, f->events[write->event].vec[1], other);
        else
            for (int32_t k = 0; k < superlanes; k++) other[k] = write->addr;
        for (int32_t k = 0; k < superlanes; k++) touched |= row[k] == other[k];
    }
    return !lacking && !touched;
}

/* Superlane by superlane: the first that may not read its row. */
static bool all_readable(Fast *f, const Issue *issue, const int32_t *row, TspError *err) {
    for (int32_t k = 0; k < f->superlanes; k++)
        if (f->state.powered >> k & 1 &&
            (!map_in_range(f, issue, k, row[k], err) || !readable(f, issue, row[k], 1u << k, err)))
            return false;
    return true;
}

static inline void gather_words(const Fast *f, int32_t slice, const int32_t *row, int32_t vec,
                                int32_t tile) {
    const int32_t *row_vec = f->row_vec + fast_row_id(f, slice, 0);
    const uint8_t *vectors = f->vectors;
    uint8_t *to = fast_vec(f, vec);
    for (uint32_t left = f->state.powered; left; left &= left - 1) {
        const int32_t k = __builtin_ctz(left), from = row_vec[row[k]];
        memcpy(to + k * tile, vectors + (size_t)from * TSP_MAX_LANES + k * tile, (size_t)tile);
        if (f->checks) fast_vec_check(f, vec)[k] = fast_vec_check(f, from)[k];
    }
}

bool fast_gather(Fast *f, const Issue *issue, TspError *err) {
    int32_t row[SIM_SUPERLANES], map, vec;
    if (!fast_stream_sample(f, issue, issue->insn->map, 1, &map, err) ||
        !fast_check(f, issue, &map, 1, err))
        return false;
    vec = fast_vec_new(f);
    drive(f, issue, issue->func, vec);
    if (f->timing_only) return true;
    read_map(f, map, row);
    if (!plainly_readable(f, issue->queue, row) && !all_readable(f, issue, row, err)) return false;
    if (f->tile == USUAL_TILE)
        gather_words(f, issue->queue, row, vec, USUAL_TILE);
    else
        gather_words(f, issue->queue, row, vec, f->tile);
    fast_darken(f, vec, f->state.powered);
    fast_vec_drop(f, map);
    return true;
}

bool fast_scatter(Fast *f, const Issue *issue, TspError *err) {
    int32_t vecs[2], row[SIM_SUPERLANES]; /* data, map */
    Event *write;
    if (!fast_stream_sample(f, issue, issue->insn->wstream, 1, &vecs[0], err) ||
        !fast_stream_sample(f, issue, issue->insn->map, 1, &vecs[1], err) ||
        !fast_check(f, issue, &vecs[1], 1, err))
        return false;
    if (!f->timing_only) read_map(f, vecs[1], row);
    if (!f->timing_only && !all_in_range(f, issue, row, err)) return false;
    write = write_later(f, issue, EVENT_SCATTER, SIM_NONE);
    write->vec[0] = vecs[0];
    write->vec[1] = vecs[1];
    return true;
}
