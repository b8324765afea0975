/* plant.h - one fault planted in a random legal program: what is done to it, and the rule that is
 * meant to be broken. What a fault does besides (a Read taken out leaves more than one reader
 * without a value) is found out by running.
 */
#ifndef TSP_TESTS_PLANT_H
#define TSP_TESTS_PLANT_H
#include "random_program.h"

/* False if the program has no place for this fault. */
typedef bool PlantFault(Random *r);

/* A random item of an op; NULL if there is none. */
static inline SketchItem *item_of(Random *r, TspOpcode op) {
    int32_t count = r->sketch.count, from = pick(0, count - 1);
    for (int32_t i = 0; i < count; i++)
        if (r->sketch.items[(from + i) % count].insn.op == op)
            return &r->sketch.items[(from + i) % count];
    return NULL;
}
static inline void remove_item(Random *r, SketchItem *item) {
    *item = r->sketch.items[--r->sketch.count];
}
/* The same instruction again in another cycle, once. */
static inline SketchItem *repeat_item(Random *r, const SketchItem *item, int64_t later) {
    SketchItem copy = *item;
    copy.cycle += later;
    copy.repeat.op = TSP_OP_NOP;
    r->sketch.items[r->sketch.count] = copy;
    return &r->sketch.items[r->sketch.count++];
}
static inline int64_t item_end(const SketchItem *item) { /* cycle of its last issue */
    if (item->repeat.op != TSP_OP_REPEAT) return item->cycle;
    return item->cycle + (int64_t)item->repeat.n * item->repeat.d +
           (int64_t)item->repeat.n2 * item->repeat.d2;
}
static inline SketchItem *alu_item(Random *r, TspSrcKind kind) { /* with such a first source */
    int32_t count = r->sketch.count, from = pick(0, count - 1);
    for (int32_t i = 0; i < count; i++) {
        SketchItem *item = &r->sketch.items[(from + i) % count];
        if (tsp_insn_info(item->insn.op)->unit == TSP_UNIT_VXM &&
            TSP_SRC_KIND(item->insn.src_a) == (int32_t)kind)
            return item;
    }
    return NULL;
}

static bool plant_collision(Random *r) {
    SketchItem *read = item_of(r, TSP_OP_READ), *second;
    int32_t sibling;
    if (!read) return false;
    sibling = read->queue ^ 1;
    if (tsp_slice_column(r->m, sibling) != tsp_slice_column(r->m, read->queue)) return false;
    second = repeat_item(r, read, 0);
    second->queue = sibling;
    return true;
}
static bool plant_no_producer(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_READ);
    if (item) remove_item(r, item);
    return item != NULL;
}
static bool plant_late_reader(Random *r) {
    static const TspOpcode readers[] = {TSP_OP_WRITE,  TSP_OP_ABC,     TSP_OP_LW,
                                        TSP_OP_GATHER, TSP_OP_SCATTER, TSP_OP_SHIFT,
                                        TSP_OP_ADD,    TSP_OP_ROTATE,  TSP_OP_TRANSPOSE};
    SketchItem *item = item_of(r, readers[pick(0, COUNT_OF(readers) - 1)]);
    if (item) item->cycle += pick(1, 9);
    return item != NULL;
}
static bool plant_stream_range(Random *r) {
    SketchItem *item = item_of(r, one_in(2) ? TSP_OP_READ : TSP_OP_GATHER);
    if (!item || r->m->streams > 31) return false;
    item->insn.stream = 31 + 32 * pick(0, 1);
    return true;
}
static bool plant_align(Random *r) {
    static const TspOpcode groups[] = {TSP_OP_LW, TSP_OP_TRANSPOSE, TSP_OP_ROTATE, TSP_OP_PERMUTE};
    SketchItem *item = item_of(r, groups[pick(0, COUNT_OF(groups) - 1)]);
    if (!item) return false;
    if (item->insn.op == TSP_OP_PERMUTE)
        item->insn.map ^= 1;
    else
        item->insn.stream ^= 1;
    return true;
}
static bool plant_address(Random *r) {
    SketchItem *item = item_of(r, one_in(2) ? TSP_OP_READ : TSP_OP_WRITE);
    if (!item) return false;
    sketch_repeat(item, pick(2, 4), pick(1, 3), one_in(2) ? -400 : 5000);
    return true;
}
static bool plant_bank(Random *r) {
    SketchItem *item = item_of(r, one_in(2) ? TSP_OP_READ_WRITE : TSP_OP_WRITE);
    if (!item) return false;
    if (item->insn.op == TSP_OP_READ_WRITE) { /* not at first, but soon */
        item->repeat =
            (TspInsn){.op = TSP_OP_REPEAT, .n = 2, .d = 1, .w = -(int32_t)r->m->mem_rows};
        item->insn.waddr = (int32_t)r->m->mem_rows + 30;
        item->insn.wstream = item->insn.stream;
        return true;
    }
    item->insn.op = TSP_OP_READ_WRITE;
    item->insn.stream = random_group(r, random_direction(), 1);
    item->insn.addr = data_row();
    return true;
}
static bool plant_row_undefined(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_READ);
    if (item) item->insn.addr = (int32_t)r->m->mem_rows + 300 + pick(0, 50);
    return item != NULL;
}
static bool plant_row_too_soon(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_WRITE), *read;
    if (!item || r->m->mem_write_cycles < 2) return false;
    read = repeat_item(r, item, item_end(item) - item->cycle + 1);
    read->insn = sketch_read(item->insn.waddr, random_group(r, random_direction(), 1));
    if (item->repeat.op == TSP_OP_REPEAT)
        read->insn.addr += item->repeat.n * item->repeat.a + item->repeat.n2 * item->repeat.a2;
    return true;
}
static bool plant_unit(Random *r) {
    SketchItem *item = &r->sketch.items[pick(0, r->sketch.count - 1)];
    item->queue = pick(0, tsp_queue_count(r->m) - 1);
    return true;
}
static bool plant_repeat(Random *r) {
    static const TspOpcode alone[] = {TSP_OP_NOTIFY, TSP_OP_SYNC, TSP_OP_CONFIG, TSP_OP_IFETCH};
    SketchItem *item = item_of(r, alone[pick(0, COUNT_OF(alone) - 1)]);
    if (!item) return false;
    item->repeat = (TspInsn){.op = TSP_OP_REPEAT, .n = 1, .d = 1};
    return true;
}
static bool plant_operand(Random *r) {
    static const TspOpcode ops[] = {TSP_OP_SHIFT, TSP_OP_ROTATE, TSP_OP_LW, TSP_OP_CONFIG,
                                    TSP_OP_ABC,   TSP_OP_READ,   TSP_OP_IW};
    SketchItem *item = item_of(r, ops[pick(0, COUNT_OF(ops) - 1)]);
    if (!item) return false;
    switch (item->insn.op) {
    case TSP_OP_SHIFT:
        item->insn.n = tsp_lanes(r->m);
        break;
    case TSP_OP_ROTATE:
        item->insn.n = pick(0, 2);
        break;
    case TSP_OP_LW:
        if (one_in(2))
            item->insn.count = 0;
        else
            sketch_repeat(item, 2, 1, 250);
        break;
    case TSP_OP_CONFIG:
        item->insn.mask = one_in(2) ? 0 : 1 << r->m->superlanes;
        break;
    case TSP_OP_READ:
        item->repeat = (TspInsn){.op = TSP_OP_REPEAT, .n = one_in(2), .d = 0};
        break;
    default:
        item->insn.type = TSP_I16;
        break;
    }
    return true;
}
static bool plant_deadlock(Random *r) {
    int32_t queue = pick(0, tsp_queue_count(r->m) - 1);
    sketch_at(&r->sketch, queue, 2000 + pick(0, 9), (TspInsn){.op = TSP_OP_SYNC});
    return true;
}
static bool plant_overrun(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_LW);
    if (!item) return false;
    if (item->repeat.op == TSP_OP_REPEAT) {
        item->repeat.a = 0;
    } else {
        SketchItem again = *item;
        sketch_repeat(item, 1, 1, 0);
        for (int32_t i = 0; i < r->sketch.count; i++) { /* the data for it too */
            SketchItem *read = &r->sketch.items[i];
            if (read->insn.op == TSP_OP_READ && read->repeat.op != TSP_OP_REPEAT &&
                read->cycle +
                        sketch_reach(r->m, read->queue, tsp_queue_info(r->m, again.queue).column) ==
                    again.cycle)
                sketch_repeat(read, 1, 1, 0);
        }
    }
    return true;
}
static bool plant_empty(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_IW);
    if (!item) return false;
    if (one_in(2))
        repeat_item(r, item, pick(1, 30));
    else
        item->cycle -= pick(1, (int32_t)r->m->mxm_load_cycles);
    return true;
}
static bool plant_weights(Random *r) {
    SketchItem *item = item_of(r, one_in(2) ? TSP_OP_IW : TSP_OP_ABC);
    if (!item) return false;
    if (item->insn.op == TSP_OP_IW && one_in(2))
        remove_item(r, item);
    else if (item->insn.op == TSP_OP_IW)
        item->insn.type = item->insn.type == TSP_F16 ? TSP_I8 : TSP_F16;
    else
        item->insn.type = item->insn.type == TSP_I8 ? TSP_U8 : TSP_I8;
    return true;
}
static bool plant_busy(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_ABC);
    if (!item || item->insn.type != TSP_F16 || r->m->mxm_fp16_cycles < 2) return false;
    sketch_repeat(item, pick(1, 3), 1, 0);
    return true;
}
static bool plant_lost(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_ACC);
    if (item) remove_item(r, item);
    return item != NULL;
}
static bool plant_no_product(Random *r) {
    SketchItem *item = item_of(r, one_in(2) ? TSP_OP_ABC : TSP_OP_ACC);
    if (!item) return false;
    if (item->insn.op == TSP_OP_ABC)
        remove_item(r, item);
    else
        item->cycle += one_in(2) ? 1 : -1;
    return true;
}
static bool plant_accumulator(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_ACC);
    if (!item) return false;
    item->insn.add = one_in(2);
    if (!item->insn.add) item->insn.emit = 0, item->insn.stream = 0;
    item->insn.row = pick(0, one_in(2) ? 60 : 1000);
    if (one_in(3)) item->repeat.a = 200;
    return true;
}
/* Weights, an activation and an ACC that keeps its product in a row; the cycle after the ACC, -1 if
 * there was no place. */
static inline int64_t keep_product(Random *r, TspHemisphere h, TspDtype type, int64_t t, bool add) {
    const int32_t planes = type == TSP_F16 ? 2 : 1, column = tsp_mxm_column(r->m, h);
    const int32_t stream = random_group(r, outward(h), tsp_dtype_bytes(type));
    int64_t ready = t;
    for (int32_t plane = 0; plane < planes; plane++) {
        int64_t in_use;
        r->used[0] = r->used[1] = 0;
        in_use = random_weights(r, h, plane, t + 30 * plane, type);
        if (in_use < 0) return -1;
        if (in_use > ready) ready = in_use;
    }
    r->used[0] = r->used[1] = 0;
    ready += tsp_columns(r->m);
    for (int32_t i = 0; i < tsp_dtype_bytes(type); i++)
        if (!bring(r, column, ready, stream + i, data_row())) return -1;
    sketch_at(&r->sketch, tsp_queue_mxm(r->m, h, 0, TSP_ROLE_ACTIVATIONS), ready,
              (TspInsn){.op = TSP_OP_ABC, .type = (int32_t)type, .stream = stream});
    ready += r->m->mxm_entry_cycles + r->m->mxm_product_cycles;
    sketch_at(&r->sketch, tsp_queue_mxm(r->m, h, 0, TSP_ROLE_RESULTS), ready,
              (TspInsn){.op = TSP_OP_ACC, .add = add, .row = 15});
    return ready + 1;
}

/* Long after all else an int32 product meets the row in which an fp32 one was kept, or the other
 * way round. */
static bool plant_accumulator_type(Random *r) {
    const TspHemisphere h = random_side();
    const bool half_first = one_in(2);
    int64_t t = 1500;
    if (r->m->mxm_accumulator_rows < 20) return false;
    t = keep_product(r, h, half_first ? TSP_F16 : TSP_I8, t, false);
    return t >= 0 && keep_product(r, h, half_first ? TSP_I8 : TSP_F16, t + 40, true) >= 0;
}
static bool plant_chain(Random *r) {
    SketchItem *item = alu_item(r, one_in(2) ? TSP_SRC_ALU : TSP_SRC_IMM);
    if (!item) return false;
    if (TSP_SRC_KIND(item->insn.src_a) == TSP_SRC_ALU)
        item->cycle += one_in(2) ? 1 : -1;
    else
        item->insn.src_a =
            TSP_SRC(one_in(2) ? TSP_SRC_ALU : TSP_SRC_LATCH, pick(0, (int32_t)r->m->vxm_alus - 1));
    return item->cycle >= 0;
}
static bool plant_wiring(Random *r) {
    SketchItem *item = alu_item(r, TSP_SRC_ALU);
    if (!item) return false;
    r->sketch.machine.vxm_neighbour_only = 1;
    item->insn.src_a = TSP_SRC(TSP_SRC_ALU, pick(0, (int32_t)r->m->vxm_alus - 1));
    return true;
}
static bool plant_power(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_CONFIG), *second;
    if (!item) return false;
    second = repeat_item(r, item, 0);
    second->queue = pick(0, tsp_queue_count(r->m) - 1);
    return second->queue != item->queue;
}
static bool plant_dark(Random *r) { /* nothing fills what was off */
    SketchItem *write = item_of(r, TSP_OP_WRITE), *item;
    int64_t from;
    if (!write || r->m->superlanes < 2) return false;
    from = write->cycle - r->m->config_cycles - 1;
    if (from < 0) return false;
    item = repeat_item(r, write, item_end(write) - write->cycle + r->m->mem_write_cycles + 5);
    item->insn = sketch_read(write->insn.waddr, random_group(r, random_direction(), 1));
    sketch_at(&r->sketch, pick(0, tsp_queue_count(r->m) - 1), from,
              (TspInsn){.op = TSP_OP_CONFIG, .mask = 1});
    sketch_at(&r->sketch, pick(0, tsp_queue_count(r->m) - 1), item->cycle - r->m->config_cycles - 2,
              (TspInsn){.op = TSP_OP_CONFIG, .mask = 3});
    return item->cycle > from + 3;
}
static bool plant_overlap(Random *r) {
    SketchItem *item = item_of(r, TSP_OP_IFETCH);
    if (item) repeat_item(r, item, pick(1, 3));
    return item != NULL;
}
static bool plant_starved(Random *r) {
    SketchItem *item = r->fetched < 0 ? NULL : item_of(r, TSP_OP_IFETCH);
    if (item) remove_item(r, item);
    return item != NULL;
}
static bool plant_flood(Random *r) { /* fetched before there is room */
    SketchItem *item = r->fetched < 0 ? NULL : item_of(r, TSP_OP_IFETCH);
    if (!item || item->queue != r->fetched || item->cycle < 12) return false;
    item->cycle = pick(0, 3);
    return true;
}
static bool plant_map(Random *r) { /* data instead of a map */
    for (int32_t i = 0; i < r->sketch.count; i++) {
        SketchItem *item = &r->sketch.items[i];
        if (item->insn.op != TSP_OP_READ || item->insn.addr < ROW_CHOICES ||
            item->insn.addr >= ROW_COUNT || one_in(3))
            continue;
        item->insn.addr = data_row();
        return true;
    }
    return false;
}

/* Faults by the rule they are meant to break. `data`: the verifier cannot see it. */
static const struct {
    TspRule rule;
    PlantFault *plant;
    bool data;
} plants[] = {
    {TSP_RULE_STREAM_COLLISION, plant_collision, false},
    {TSP_RULE_STREAM_UNDEFINED, plant_no_producer, false},
    {TSP_RULE_STREAM_UNDEFINED, plant_late_reader, false},
    {TSP_RULE_STREAM_RANGE, plant_stream_range, false},
    {TSP_RULE_STREAM_ALIGN, plant_align, false},
    {TSP_RULE_ADDRESS_RANGE, plant_address, false},
    {TSP_RULE_BANK_CONFLICT, plant_bank, false},
    {TSP_RULE_ROW_UNDEFINED, plant_row_undefined, false},
    {TSP_RULE_ROW_TOO_SOON, plant_row_too_soon, false},
    {TSP_RULE_QUEUE_UNIT, plant_unit, false},
    {TSP_RULE_REPEAT_ALONE, plant_repeat, false},
    {TSP_RULE_OPERAND, plant_operand, false},
    {TSP_RULE_BARRIER_DEADLOCK, plant_deadlock, false},
    {TSP_RULE_WEIGHT_OVERRUN, plant_overrun, false},
    {TSP_RULE_WEIGHT_EMPTY, plant_empty, false},
    {TSP_RULE_WEIGHT_MISSING, plant_weights, false},
    {TSP_RULE_ARRAY_BUSY, plant_busy, false},
    {TSP_RULE_PRODUCT_LOST, plant_lost, false},
    {TSP_RULE_PRODUCT_MISSING, plant_no_product, false},
    {TSP_RULE_ACCUMULATOR_UNDEFINED, plant_accumulator, false},
    {TSP_RULE_ACCUMULATOR_TYPE, plant_accumulator_type, false},
    {TSP_RULE_ALU_UNDEFINED, plant_chain, false},
    {TSP_RULE_ALU_WIRING, plant_wiring, false},
    {TSP_RULE_CONFIG_CONFLICT, plant_power, false},
    {TSP_RULE_ROW_UNDEFINED, plant_dark, false},
    {TSP_RULE_FETCH_OVERLAP, plant_overlap, false},
    {TSP_RULE_FETCH_STARVED, plant_starved, false},
    {TSP_RULE_FETCH_OVERRUN, plant_flood, false},
    {TSP_RULE_MAP_RANGE, plant_map, true},
};

/* Rules that a planted fault must have broken, in a campaign of some length. */
static const TspRule planted_rules[] = {
    TSP_RULE_STREAM_COLLISION, TSP_RULE_STREAM_UNDEFINED,  TSP_RULE_STREAM_RANGE,
    TSP_RULE_STREAM_ALIGN,     TSP_RULE_BANK_CONFLICT,     TSP_RULE_ADDRESS_RANGE,
    TSP_RULE_ROW_UNDEFINED,    TSP_RULE_ROW_TOO_SOON,      TSP_RULE_QUEUE_UNIT,
    TSP_RULE_REPEAT_ALONE,     TSP_RULE_ENCODING,          TSP_RULE_OPERAND,
    TSP_RULE_BARRIER_DEADLOCK, TSP_RULE_WEIGHT_OVERRUN,    TSP_RULE_WEIGHT_EMPTY,
    TSP_RULE_WEIGHT_MISSING,   TSP_RULE_ARRAY_BUSY,        TSP_RULE_PRODUCT_LOST,
    TSP_RULE_PRODUCT_MISSING,  TSP_RULE_ACCUMULATOR_RANGE, TSP_RULE_ACCUMULATOR_UNDEFINED,
    TSP_RULE_ACCUMULATOR_TYPE, TSP_RULE_ALU_UNDEFINED,     TSP_RULE_ALU_WIRING,
    TSP_RULE_CONFIG_CONFLICT,  TSP_RULE_FETCH_OVERLAP,     TSP_RULE_FETCH_STARVED,
    TSP_RULE_FETCH_OVERRUN};

/* A bit of a word, after the queues are written. */
static inline void plant_bit(TspProgram *p) {
    TspQueue *q;
    do q = &p->queues[pick(0, tsp_queue_count(&p->machine) - 1)];
    while (q->count == 0);
    TspWord *word = &q->words[pick(0, q->count - 1)];
    if (one_in(2))
        word->lo ^= UINT64_C(1) << pick(0, 63);
    else
        word->hi ^= UINT64_C(1) << pick(0, 63);
}

#endif
