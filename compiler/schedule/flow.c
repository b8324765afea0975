/* flow.c - placing flows on the reservation table.
 */
#include "flow.h"
#include "history.h"
#include "lifetime.h"

#include <stdlib.h>
#include <string.h>

void flow_clear(Flow *f, int32_t op, const char *what) {
    f->op = op;
    f->what = what;
    f->wire_count = f->item_count = f->alus = 0;
    f->failed = false;
}

void flow_free(Flow *f) {
    free(f->wires);
    free(f->items);
}

int32_t flow_wire(Flow *f, Wire wire) {
    TspError err;
    if (!tsp_grow((void **)&f->wires, &f->wire_capacity, f->wire_count + 1, sizeof wire, &err)) {
        f->failed = true;
        return 0;
    }
    f->wires[f->wire_count] = wire;
    return f->wire_count++;
}

Item *flow_item(Flow *f, Item item) {
    TspError err;
    if (!tsp_grow((void **)&f->items, &f->item_capacity, f->item_count + 1, sizeof item, &err)) {
        f->failed = true;
        return NULL;
    }
    item.op = f->op;
    f->items[f->item_count] = item;
    return &f->items[f->item_count++];
}

int64_t flow_phase(TspDirection direction, int64_t time, int32_t column) {
    return direction == TSP_EASTWARD ? time - column : time + column;
}

int64_t flow_time_at(const Wire *w, int32_t column) {
    return w->direction == TSP_EASTWARD ? w->phase + column : w->phase - column;
}

void flow_reach(Wire *w, int32_t column) {
    if (column < w->lo) w->lo = column;
    if (column > w->hi) w->hi = column;
}

bool flow_fits(const Flow *f, const TspMachine *m) {
    int64_t streams[2] = {0};
    for (int32_t i = 0; i < f->wire_count; i++)
        streams[f->wires[i].direction == TSP_WESTWARD] += f->wires[i].width;
    return f->alus <= m->vxm_alus && streams[0] <= m->streams && streams[1] <= m->streams;
}

static int64_t item_last(const Item *item) {
    return item->start + (int64_t)(item->count - 1) * item->interval;
}

/* How far the item must move from `start` to be free. */
static int64_t item_conflict(Table *t, const Item *item, int32_t queue, int64_t start) {
    int64_t first = start + item->start, last = start + item_last(item), move;
    bool writes = item->kind == ITEM_MEM && item->insn.op == TSP_OP_WRITE;
    if (first < t->floor) return t->floor - first;
    if (item->kind != ITEM_MEM)
        return reserve_conflict(&t->queues[queue], first, last, item->interval, 0, 0, true, NULL);
    if (t->module->trial) return 0;
    if (item->span) { /* a Gather has no Write in its slot */
        move =
            reserve_conflict(&t->mem_write[queue], first, last, item->interval, 0, 0, true, NULL);
        if (move) return move;
    }
    move = reserve_conflict(writes ? &t->mem_write[queue] : &t->mem_read[queue], first, last,
                            item->interval, 0, 0, true, NULL);
    if (move) return move;
    return reserve_conflict(writes ? &t->mem_read[queue] : &t->mem_write[queue], first, last,
                            item->interval, item->bank, item->bank, false, NULL);
}

/* May the ALU `to` take the result of `from`? */
static bool wired(const TspMachine *m, int32_t from, int32_t to) {
    int32_t width = (int32_t)m->vxm_mesh_width;
    return !m->vxm_neighbour_only ||
           abs(from % width - to % width) + abs(from / width - to / width) == 1;
}

/* Finds a free ALU for a step, moving earlier steps to others where that helps (augmenting path).
 */
static bool match_alu(const TspMachine *m, bool free_at[][TSP_MAX_ALUS], int32_t step,
                      uint32_t *seen, int32_t *step_of) {
    for (int32_t alu = 0; alu < m->vxm_alus; alu++) {
        if (!free_at[step][alu] || (*seen >> alu & 1u)) continue;
        *seen |= 1u << alu;
        if (step_of[alu] >= 0 && !match_alu(m, free_at, step_of[alu], seen, step_of)) continue;
        step_of[alu] = step;
        return true;
    }
    return false;
}

/* Gives every step a free ALU of its own, if there is a way; wiring aside. */
static bool match_alus(const TspMachine *m, const Flow *f, bool free_at[][TSP_MAX_ALUS],
                       int32_t *map) {
    int32_t step_of[TSP_MAX_ALUS];
    for (int i = 0; i < TSP_MAX_ALUS; i++) step_of[i] = -1;
    for (int32_t step = 0; step < f->alus; step++) {
        uint32_t seen = 0;
        if (!match_alu(m, free_at, step, &seen, step_of)) return false;
    }
    for (int32_t alu = 0; alu < m->vxm_alus; alu++)
        if (step_of[alu] >= 0) map[step_of[alu]] = alu;
    return true;
}

/* Gives ALUs to the flow's steps `step`.., free ones and wired as they are chained; backtracking,
 * since in a mesh the first fit may leave no neighbour. */
static bool map_alus(const TspMachine *m, const Flow *f, Item *const *steps,
                     bool free_at[][TSP_MAX_ALUS], int32_t step, uint32_t taken, int32_t *map) {
    if (step == f->alus) return true;
    for (int32_t alu = 0; alu < m->vxm_alus; alu++) {
        bool fits = free_at[step][alu] && !(taken >> alu & 1u);
        for (int j = 0; j < 2 && fits; j++) {
            int32_t from = steps[step]->alu_from[j];
            fits = from < 0 || wired(m, map[from], alu);
        }
        if (!fits) continue;
        map[step] = alu;
        if (map_alus(m, f, steps, free_at, step + 1, taken | 1u << alu, map)) return true;
    }
    return false;
}

/* ALUs for all steps at `start`: 0 when found, else how far to move; INT64_MAX: never. */
static int64_t find_alus(Table *t, Flow *f, int64_t start, int32_t *map) {
    const TspMachine *m = &t->module->machine;
    Item *steps[TSP_MAX_ALUS];
    bool free_at[TSP_MAX_ALUS][TSP_MAX_ALUS];
    int64_t least = INT64_MAX;
    for (int32_t step = 0; step < f->alus; step++)
        for (int32_t alu = 0; alu < m->vxm_alus; alu++) free_at[step][alu] = true;
    for (int32_t i = 0; i < f->item_count; i++) {
        Item *item = &f->items[i];
        if (item->kind != ITEM_ALU) continue;
        steps[item->queue] = item;
        for (int32_t alu = 0; alu < m->vxm_alus; alu++) {
            int64_t move = item_conflict(t, item, tsp_queue_vxm(m, alu), start);
            free_at[item->queue][alu] &= move == 0;
            if (move && move < least) least = move;
        }
    }
    if (match_alus(m, f, free_at, map) &&
        (!m->vxm_neighbour_only || map_alus(m, f, steps, free_at, 0, 0, map)))
        return 0;
    return least;
}

/* Name of the node that a flow works for. */
static const char *flow_node(const Table *t, const Flow *f) {
    return t->module->graph->nodes[f->op].name;
}

static Reservation wire_reservation(const Wire *w, int64_t start, uint32_t owner) {
    int64_t first = start + w->phase;
    return (Reservation){
        first, first + (int64_t)(w->count - 1) * w->interval, w->interval, w->lo, w->hi, owner};
}

static Lane *wire_lane(Table *t, const Wire *w, int32_t offset) {
    return &t->streams[TSP_STREAM(w->direction, w->base + offset)];
}

/* Chooses streams for a wire; 0 when done, else the least move. INT64_MAX: only our own wires are
 * in the way. */
static int64_t choose_streams(Table *t, Wire *w, int64_t start, uint32_t owner) {
    Reservation r = wire_reservation(w, start, owner);
    int32_t streams = (int32_t)t->module->machine.streams;
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i + w->width <= streams; i += w->width) {
        int64_t move = 0;
        uint32_t other = owner + 1;
        /* weights keep to the low streams, all else to the high ones */
        w->base = w->width > 4 ? i : streams / w->width * w->width - w->width - i;
        for (int32_t s = 0; s < w->width && move == 0; s++)
            move = reserve_conflict(wire_lane(t, w, s), r.first, r.last, r.interval, r.lo, r.hi,
                                    false, &other);
        if (move == 0) return 0;
        if (other != owner && move < least) least = move;
    }
    return least;
}

static void drop_wires(Table *t, Flow *f, int32_t count, int64_t start, uint32_t owner) {
    for (int32_t i = 0; i < count; i++) {
        Reservation r = wire_reservation(&f->wires[i], start, owner);
        for (int32_t s = 0; s < f->wires[i].width; s++)
            reserve_remove(wire_lane(t, &f->wires[i], s), &r);
    }
}

/* Chooses and reserves streams for all wires; 0 when done, else how far to move; -1: error. */
static int64_t place_wires(Table *t, Flow *f, int64_t start, uint32_t owner, TspError *err) {
    for (int32_t i = 0; i < f->wire_count; i++) {
        Wire *w = &f->wires[i];
        int64_t move = choose_streams(t, w, start, owner);
        Reservation r = wire_reservation(w, start, owner);
        if (move) {
            drop_wires(t, f, i, start, owner);
            return move == INT64_MAX
                       ? (tsp_fail(err, TSP_ERR_NOT_MODELLED,
                                   "%s: a flow (%s) needs more streams than the machine has",
                                   flow_node(t, f), f->what),
                          -1)
                       : move;
        }
        for (int32_t s = 0; s < w->width; s++)
            if (!reserve_add(wire_lane(t, w, s), r, err)) return -1;
    }
    return 0;
}

static int64_t search(Table *t, Flow *f, int64_t from, int32_t *map, uint32_t owner,
                      TspError *err) {
    int64_t start = from;
    if (f->failed) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    if (f->alus > t->module->machine.vxm_alus)
        return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                        "%s: a flow (%s) needs %d ALUs, the machine has %d", flow_node(t, f),
                        f->what, (int)f->alus, (int)t->module->machine.vxm_alus),
               -1;
    for (;;) {
        int64_t move = 0;
        for (int32_t i = 0; i < f->item_count && move == 0; i++)
            if (f->items[i].kind != ITEM_ALU)
                move = item_conflict(t, &f->items[i], f->items[i].queue, start);
        if (move == 0 && f->alus) move = find_alus(t, f, start, map);
        if (move == INT64_MAX)
            return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                            "%s: the steps of a flow (%s) do not fit the wiring of the ALU mesh",
                            flow_node(t, f), f->what),
                   -1;
        if (move == 0) {
            move = place_wires(t, f, start, owner, err);
            if (move < 0) return -1;
            if (move == 0) return start;
        }
        start += move;
    }
}

int64_t flow_earliest(Table *table, Flow *f, int64_t from, TspError *err) {
    int32_t map[TSP_MAX_ALUS];
    uint32_t owner = table->flows + 1;
    int64_t start;
    if (from >= NEVER_READY / 2)
        return tsp_fail(err, TSP_ERR_BUG, "a flow (%s) reads what has lost its rows", f->what), -1;
    start = search(table, f, history_floor(table, f, from), map, owner, err);
    if (start >= 0) drop_wires(table, f, f->wire_count, start, owner);
    return start;
}

static bool reserve_item(Table *t, const Item *item, int32_t queue, int64_t start, uint32_t owner,
                         const char *what, TspError *err) {
    Reservation r = {start + item->start, start + item_last(item),
                     item->interval,      item->bank,
                     item->bank,          owner};
    Lane *lane = &t->queues[queue];
    if (item->kind == ITEM_MEM)
        lane = item->insn.op == TSP_OP_WRITE ? &t->mem_write[queue] : &t->mem_read[queue];
    if (item_conflict(t, item, queue, start))
        return tsp_fail(err, TSP_ERR_BUG, "a flow (%s) stands in its own way", what);
    if (item->span && !reserve_add(&t->mem_write[queue], r, err)) return false;
    return reserve_add(lane, r, err);
}

/* The instruction with streams and ALU numbers filled in. */
static TspInsn resolve(const Flow *f, const Item *item, const int32_t *map) {
    TspInsn insn = item->insn;
    int32_t *sources[2] = {&insn.src_a, &insn.src_b};
    int32_t drive = 0, read[2] = {0};
    if (item->drives.wire >= 0) {
        const Wire *w = &f->wires[item->drives.wire];
        drive = TSP_STREAM(w->direction, w->base + item->drives.offset);
    }
    for (int i = 0; i < 2; i++)
        if (item->reads[i].wire >= 0) {
            const Wire *w = &f->wires[item->reads[i].wire];
            read[i] = TSP_STREAM(w->direction, w->base + item->reads[i].offset);
        }
    switch (item->kind) {
    case ITEM_ALU:
        insn.dst = item->drives.wire >= 0 ? drive : TSP_DST_NONE;
        for (int i = 0; i < 2; i++) {
            if (item->reads[i].wire >= 0) *sources[i] = TSP_SRC(TSP_SRC_STREAM, read[i]);
            if (item->alu_from[i] >= 0) *sources[i] = TSP_SRC(TSP_SRC_ALU, map[item->alu_from[i]]);
        }
        break;
    case ITEM_MEM:
        if (insn.op == TSP_OP_WRITE)
            insn.wstream = read[0];
        else
            insn.stream = drive;
        if (insn.op != TSP_OP_GATHER) break;
        insn.map = read[0];
        insn.addr = 0;
        break;
    case ITEM_QUEUE:
        insn.stream = item->drives.wire >= 0 ? drive : read[0];
        if (insn.op == TSP_OP_SHIFT || insn.op == TSP_OP_DISTRIBUTE) insn.src = read[0];
        if (insn.op == TSP_OP_DISTRIBUTE) insn.map = read[1];
        break;
    }
    return insn;
}

static bool add_run(Table *t, const Flow *f, Item *item, const int32_t *map, int64_t start,
                    TspError *err) {
    Module *module = t->module;
    const TspMachine *m = &module->machine;
    int32_t queue = item->kind == ITEM_ALU ? tsp_queue_vxm(m, map[item->queue]) : item->queue;
    Run run = {.queue = queue,
               .op = item->op,
               .tensor = item->kind == ITEM_MEM ? item->tensor : -1,
               .insn = resolve(f, item, map),
               .step = item->step,
               .wrap = item->wrap,
               .step2 = item->step2,
               .start = start + item->start,
               .count = item->count,
               .interval = item->interval};
    if (!tsp_grow((void **)&module->runs, &module->run_capacity, module->run_count + 1, sizeof run,
                  err))
        return false;
    item->run = module->run_count;
    module->runs[module->run_count++] = run;
    return true;
}

/* Time, relative to the flow, at which iteration 0 of an item meets its wire, as a phase. */
static int64_t meeting_phase(const TspMachine *m, const Item *item, const Wire *w, bool drives) {
    int32_t queue = item->kind == ITEM_ALU ? tsp_queue_vxm(m, 0) : item->queue;
    int64_t time =
        item->start + (drives ? tsp_insn_func(m, &item->insn) : tsp_insn_skew(m, &item->insn));
    return flow_phase(w->direction, time, tsp_queue_info(m, queue).column);
}

/* Which iteration of which producer each operand of a consumer means; several producers may have a
 * part each. */
static bool add_links(Table *t, const Flow *f, const Item *consumer, TspError *err) {
    Module *module = t->module;
    const TspMachine *m = &module->machine;
    int32_t operand = 0;
    for (int r = 0; r < 2; r++) {
        const Wire *w = consumer->reads[r].wire >= 0 ? &f->wires[consumer->reads[r].wire] : NULL;
        if (!w) continue;
        for (int32_t s = 0; s < consumer->read_width[r]; s++, operand++) {
            int32_t stream = consumer->reads[r].offset + s;
            int64_t phase = meeting_phase(m, consumer, w, false);
            for (int32_t i = 0; i < f->item_count; i++) {
                const Item *producer = &f->items[i];
                int64_t behind, offset;
                if (producer->drives.wire != consumer->reads[r].wire ||
                    stream < producer->drives.offset ||
                    stream >= producer->drives.offset + producer->drive_width)
                    continue;
                behind = phase - meeting_phase(m, producer, w, true);
                offset = behind / producer->interval;
                if (behind % producer->interval || offset >= producer->count ||
                    offset + consumer->count <= 0)
                    continue;
                if (!tsp_grow((void **)&module->links, &module->link_capacity,
                              module->link_count + 1, sizeof *module->links, err))
                    return false;
                module->links[module->link_count++] =
                    (TspLink){consumer->run, operand, producer->run, (int32_t)offset};
            }
        }
    }
    return true;
}

/* Of a trial: what it costs grows with the square of the flows that could all run at once, and it
 * is only to help. A count, so that all hosts give up at the same flow. */
static bool takes_too_long(const Table *t) {
    enum { MOST_LOOKS = 50000000 };
    int64_t looks = 0;
    for (int i = 0; i < TSP_MAX_STREAMS; i++) looks += t->streams[i].looks;
    for (int i = 0; i < TSP_MAX_QUEUES; i++) looks += t->queues[i].looks;
    return looks > MOST_LOOKS;
}

bool flow_commit(Table *table, Flow *f, int64_t start, TspError *err) {
    int32_t map[TSP_MAX_ALUS];
    uint32_t owner = ++table->flows;
    int64_t found = search(table, f, start, map, owner, err);
    if (found < 0) return false;
    if (found != start) return tsp_fail(err, TSP_ERR_BUG, "a flow (%s) moved when placed", f->what);
    for (int32_t i = 0; i < f->item_count; i++) {
        Item *item = &f->items[i];
        int32_t queue = item->queue;
        if (item->kind == ITEM_ALU)
            queue = tsp_queue_vxm(&table->module->machine, map[item->queue]);
        if (!reserve_item(table, item, queue, start, owner, f->what, err) ||
            !add_run(table, f, item, map, start, err))
            return false;
    }
    history_note(table, f, start);
    if (table->module->trial)
        return !takes_too_long(table) ||
               tsp_fail(err, TSP_ERR_NOT_MODELLED, "a trial of many flows takes too long");
    for (int32_t i = 0; i < f->item_count; i++)
        if (!add_links(table, f, &f->items[i], err)) return false;
    return true;
}

void table_free(Table *table) {
    for (int i = 0; i < TSP_MAX_STREAMS; i++) free(table->streams[i].items);
    for (int i = 0; i < TSP_MAX_QUEUES; i++) {
        free(table->mem_read[i].items);
        free(table->mem_write[i].items);
        free(table->queues[i].items);
    }
    free(table->touched);
}
