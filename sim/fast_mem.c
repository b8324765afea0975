/* mem.c - MEM slices: a row is read as it is in the cycle of the Read; a write lands later, and
 * until it has landed nobody may read the row. */
#include "stream.h"

#include <string.h>

void sim_mem_define(TspSim *sim, size_t row, const uint8_t *vector) {
    memcpy(sim_row(sim, row), vector, (size_t)sim->lanes);
    sim->defined[row / 64] |= 1ull << (row % 64);
}

void sim_mem_land(TspSim *sim, const Event *event) {
    sim_mem_define(sim, (size_t)event->target, sim_vec(sim, event->vec[0]));
    sim_vec_drop(sim, event->vec[0]);
}

/* Forgets writes that have landed; returns the cycle in which the last one under way to addr
 * lands, -1 if there is none. */
static int64_t under_way(TspSim *sim, int32_t slice, int32_t addr) {
    Slice *s = &sim->state.slice[slice];
    while (s->head != s->tail && s->write[s->head % SIM_WRITES].lands <= sim->state.now) s->head++;
    for (uint32_t i = s->tail; i != s->head; i--) {
        const RecentWrite *write = &s->write[(i - 1) % SIM_WRITES];
        if (write->addr == addr) return write->lands;
    }
    return -1;
}

static bool read_row(TspSim *sim, const Issue *issue, int32_t addr, TspError *err) {
    int64_t now = sim->state.now, lands = under_way(sim, issue->queue, addr);
    size_t row = sim_row_id(sim, issue->queue, addr);
    Event *drive;
    if (lands >= 0)
        return sim_fault(sim, err, TSP_RULE_ROW_TOO_SOON, now, issue->queue, issue->index,
                         "row 0x%04x is readable from cycle %lld on", (unsigned)addr,
                         (long long)lands);
    if (!sim_row_defined(sim, row))
        return sim_fault(sim, err, TSP_RULE_ROW_UNDEFINED, now, issue->queue, issue->index,
                         "expected row 0x%04x to hold a vector", (unsigned)addr);
    drive = sim_event_add(sim, EVENT_DRIVE, sim->m->mem_read_cycles, issue);
    drive->stream = issue->insn->stream;
    drive->column = issue->info->column;
    drive->vec[0] = sim_vec_new(sim);
    memcpy(sim_vec(sim, drive->vec[0]), sim_row(sim, row), (size_t)sim->lanes);
    sim->state.stats.mem_reads++;
    return true;
}

static bool write_row(TspSim *sim, const Issue *issue, int32_t addr, TspError *err) {
    Slice *slice = &sim->state.slice[issue->queue];
    int32_t vec;
    Event *write;
    if (!sim_stream_sample(sim, issue, issue->insn->wstream, 1, &vec, err)) return false;
    under_way(sim, issue->queue, addr); /* makes room */
    slice->write[slice->tail++ % SIM_WRITES] =
        (RecentWrite){addr, sim->state.now + sim->m->mem_write_cycles};
    write = sim_event_add(sim, EVENT_WRITE, sim->m->mem_write_cycles, issue);
    write->target = (int32_t)sim_row_id(sim, issue->queue, addr);
    write->vec[0] = vec;
    sim->state.stats.mem_writes++;
    return true;
}

static bool in_range(TspSim *sim, const Issue *issue, int32_t addr, TspError *err) {
    if (addr >= 0 && addr < sim->slice_rows) return true;
    return sim_fault(sim, err, TSP_RULE_ADDRESS_RANGE, sim->state.now, issue->queue, issue->index,
                     "Repeat has stepped the address to %d; rows are 0..%d", (int)addr,
                     (int)sim->slice_rows - 1);
}

bool sim_mem_issue(TspSim *sim, const Issue *issue, TspError *err) {
    const TspInsn *insn = issue->insn;
    bool reads = insn->op != TSP_OP_WRITE, writes = insn->op != TSP_OP_READ;
    int32_t addr = insn->addr + issue->step;
    int32_t waddr = insn->waddr + (reads ? issue->wstep : issue->step);
    if (reads && !in_range(sim, issue, addr, err)) return false;
    if (writes && !in_range(sim, issue, waddr, err)) return false;
    if (reads && writes && tsp_mem_bank(sim->m, addr) == tsp_mem_bank(sim->m, waddr))
        return sim_fault(sim, err, TSP_RULE_BANK_CONFLICT, sim->state.now, issue->queue,
                         issue->index, "rows 0x%04x and 0x%04x both lie in bank %d", (unsigned)addr,
                         (unsigned)waddr, (int)tsp_mem_bank(sim->m, addr));
    return (!reads || read_row(sim, issue, addr, err)) &&
           (!writes || write_row(sim, issue, waddr, err));
}
