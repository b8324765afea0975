/* fast_mem.c - MEM slices: a row is read as it is in the cycle of the Read; a write lands later,
 * and until it has landed nobody may read the row. Rows are defined superlane by superlane. */
#include "fast_mem.h"

#include <string.h>

int32_t fast_row_own(Fast *f, MemRow *row) {
    if (row->defined) return row->vec = fast_vec_own(f, row->vec);
    row->vec = fast_vec_new(f);
    memset(fast_vec(f, row->vec), 0, (size_t)f->lanes);
    if (f->checks) memset(fast_vec_check(f, row->vec), 0, (size_t)f->superlanes * sizeof(uint16_t));
    return row->vec;
}

/* Puts the words of the superlanes in `mask` into a row, and gives the vector up. */
static void store_words(Fast *f, MemRow *row, int32_t vec, uint32_t mask) {
    const int32_t own = fast_row_writable(f, row), tile = f->tile;
    for (uint32_t left = mask; left; left &= left - 1) {
        const int32_t k = __builtin_ctz(left);
        memcpy(fast_vec(f, own) + k * tile, fast_vec(f, vec) + k * tile, (size_t)tile);
        if (f->checks) fast_vec_check(f, own)[k] = fast_vec_check(f, vec)[k];
    }
    fast_vec_drop(f, vec);
}

/* The same. A whole vector is not copied: the row takes over the caller's reference. */
static void store(Fast *f, size_t id, int32_t vec, uint32_t mask) {
    MemRow *row = &f->rows[id];
    if (f->timing_only) return;
    if (mask == 0) {
        fast_vec_drop(f, vec);
        return;
    }
    if (mask == f->all) {
        if (row->defined) fast_vec_drop(f, row->vec);
        row->vec = vec;
    } else {
        store_words(f, row, vec, mask);
    }
    row->defined |= mask;
    fast_row_changed(f, id);
}

void fast_mem_place(Fast *f, size_t row, const uint8_t *vector) {
    const int32_t vec = fast_vec_new(f);
    if (f->timing_only) return;
    memcpy(fast_vec(f, vec), vector, (size_t)f->lanes);
    if (f->checks) fast_seal(f, vec);
    store(f, row, vec, f->all);
}

/* -- plain rows -- */

/* The end of the stretch of plain rows that begins with a row; that row, if it is not plain. */
static int32_t plain_end(const Fast *f, int32_t slice, int32_t addr) {
    const MemRow *row = &f->rows[fast_row_id(f, slice, 0)];
    const int32_t first = row[addr].vec - addr;
    while (addr < f->slice_rows && row[addr].defined == f->all && row[addr].vec == first + addr &&
           f->vec_refs[row[addr].vec] == 1)
        addr++;
    return addr;
}

static PlainRows longest(const Fast *f, int32_t slice) {
    PlainRows best = {0};
    for (int32_t addr = 0; addr < f->slice_rows;) {
        const size_t id = fast_row_id(f, slice, addr);
        const int32_t chunk_end = addr + SIM_CHUNK - (int32_t)(id % SIM_CHUNK);
        const int32_t end = f->row_chunk[id / SIM_CHUNK] ? plain_end(f, slice, addr) : addr;
        if (end - addr > best.end - best.first) best = (PlainRows){addr, end, f->rows[id].vec};
        addr = end > addr ? end : f->row_chunk[id / SIM_CHUNK] ? addr + 1 : chunk_end;
    }
    return best;
}

void fast_plain_find(Fast *f) {
    for (int32_t slice = 0; slice < SIM_SLICES; slice++)
        if (f->indirect[slice] && !f->timing_only && !f->checks)
            f->plain[slice] = longest(f, slice);
}

void fast_plain_forget(Fast *f) {
    memset(f->plain, 0, sizeof f->plain);
}

/* -- landing and issuing -- */

void fast_mem_land(Fast *f, const Event *event) {
    fast_plain_leave(f, event->queue, event->target - (int32_t)fast_row_id(f, event->queue, 0));
    store(f, (size_t)event->target, event->vec[0], event->mask);
}

/* Superlanes of `mask` in which a write touches the row. */
static uint32_t touches(const Fast *f, const RecentWrite *write, int32_t addr, uint32_t mask) {
    const uint16_t *row = f->events[write->event].row;
    uint32_t touched = 0;
    mask &= write->mask;
    if (write->addr != SIM_NONE) return write->addr == addr ? mask : 0;
    if (f->timing_only) return 0; /* data decide */
    for (int32_t k = 0; k < f->superlanes; k++) touched |= (uint32_t)(row[k] == addr) << k;
    return touched & mask;
}

/* The cycle in which the last write under way to the row, in any superlane of `mask`, lands; -1 if
 * there is none. */
static inline int64_t lands_last(Fast *f, int32_t slice, int32_t addr, uint32_t mask) {
    const Slice *s = fast_under_way(f, slice);
    const int64_t now = f->state.now;
    int64_t last = -1;
    for (uint32_t i = s->head; i != s->tail; i++) {
        const RecentWrite *write = &s->write[i % SIM_WRITES];
        if (write->lands > now && write->lands > last && touches(f, write, addr, mask))
            last = write->lands;
    }
    return last;
}

bool fast_row_readable(Fast *f, const Issue *issue, int32_t addr, uint32_t mask, TspError *err) {
    int64_t lands = lands_last(f, issue->queue, addr, mask);
    if (lands >= 0)
        return fast_offence(f, err, TSP_RULE_ROW_TOO_SOON, issue,
                            "row 0x%04x is readable from cycle %lld on", (unsigned)addr,
                            (long long)lands);
    if (f->timing_only) return true;
    if (~f->rows[fast_row_id(f, issue->queue, addr)].defined & mask)
        return fast_offence(f, err, TSP_RULE_ROW_UNDEFINED, issue,
                            "expected row 0x%04x to hold a vector", (unsigned)addr);
    return true;
}

void fast_mem_drive(Fast *f, const Issue *issue, int32_t cycles, int32_t vec) {
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
    __builtin_prefetch(&f->rows[row + ROWS_AHEAD], 1);
}

static bool read_row(Fast *f, const Issue *issue, int32_t addr, TspError *err) {
    const size_t row = fast_row_id(f, issue->queue, addr);
    int32_t vec;
    if (!fast_row_readable(f, issue, addr, f->state.powered, err)) return false;
    if (f->timing_only) {
        fast_mem_drive(f, issue, (int32_t)f->m->mem_read_cycles, fast_vec_new(f));
        return true;
    }
    vec = fast_vec_hold(f, f->rows[row].vec);
    fast_plain_leave(f, issue->queue, addr);
    /* The unit that takes the vector gets it some cycles from now: the host has that long to fetch
     * it. Where there are workers it is one of them, on another core, that will look. */
    if (f->threads == 1) fast_vec_fetch(f, vec, false);
    fetch_following(f, row);
    __builtin_prefetch(&f->vec_refs[vec + ROWS_AHEAD], 1);
    if (f->state.powered != f->all) {
        vec = fast_vec_own(f, vec);
        fast_darken(f, vec, f->state.powered);
    }
    fast_mem_drive(f, issue, (int32_t)f->m->mem_read_cycles, vec);
    return true;
}

Event *fast_write_later(Fast *f, const Issue *issue, EventKind kind, int32_t addr) {
    Slice *slice = fast_under_way(f, issue->queue); /* makes room */
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
    write = fast_write_later(f, issue, EVENT_WRITE, addr);
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
