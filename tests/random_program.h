/* random_program.h - random legal programs for any machine: flows of all units, both directions,
 * chains, gathers and scatters, nested repeats, barriers, switches of power, fetches.
 *
 * A flow is drawn where it would work alone. What it may do to the others is left to the verifier:
 * a flow that breaks a rule is taken out again. So most programs are crowded, and all are legal.
 * Every slice holds the same kinds of rows, so that any of them can bring data and maps.
 */
#ifndef TSP_TESTS_RANDOM_PROGRAM_H
#define TSP_TESTS_RANDOM_PROGRAM_H
#include "compiler/verify.h"
#include "random_machine.h"
#include "sketch.h"

/* -- rows that every slice holds -- */
enum {
    ROW_DATA = 0,       /* random bytes; Gathers take their rows from here */
    ROW_CHOICES = 40,   /* maps of Select */
    ROW_PLACES = 44,    /* maps of Distribute */
    ROW_LOW = 48,       /* low bytes of Permute maps, one a row */
    ROW_HIGH = 52,      /* and their high bytes */
    ROW_ADDRESSES = 56, /* maps of Gather */
    ROW_TARGETS = 60,   /* maps of Scatter */
    ROW_COUNT = 64,
    ROW_RESULTS = 80, /* written from here on */
    RESULT_ROWS = 150,
    MAPS = 4
};

typedef struct {
    Sketch sketch;
    const TspMachine *m;
    TspTensor *tensors; /* of the rows, one a slice */
    int32_t tensor_count;
    int64_t length;   /* flows begin within so many cycles */
    uint64_t used[2]; /* slices of the flow being drawn */
    bool modelled;    /* text has to be fetched */
    /* A queue whose text is fetched (-1 none), the rows that hold it and their tensor. */
    int32_t fetched, text_row, text_tensor;
} Random;

/* -- the image of a slice -- */

static inline void random_maps(const TspMachine *m, uint8_t *rows) {
    int32_t lanes = tsp_lanes(m), tile = (int32_t)m->lanes_per_superlane;
    for (int32_t map = 0; map < MAPS; map++) {
        int32_t order[TSP_MAX_LANES];
        for (int32_t i = 0; i < lanes; i++) order[i] = i;
        for (int32_t i = lanes - 1; i > 0; i--) {
            int32_t j = pick(0, i), kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        for (int32_t i = 0; i < lanes; i++) {
            bool low = i % tile == 0;
            rows[(ROW_CHOICES + map) * lanes + i] = (uint8_t)pick(0, 2);
            rows[(ROW_PLACES + map) * lanes + i] = (uint8_t)pick(0, tile + 1);
            rows[(ROW_LOW + map) * lanes + i] = (uint8_t)order[i];
            rows[(ROW_HIGH + map) * lanes + i] = (uint8_t)(order[i] >> 8);
            if (i % tile > 1) continue;
            rows[(ROW_ADDRESSES + map) * lanes + i] = low ? (uint8_t)pick(ROW_DATA, 39) : 0;
            rows[(ROW_TARGETS + map) * lanes + i] = low ? (uint8_t)pick(ROW_RESULTS, 240) : 0;
        }
    }
}

static inline void random_image(Random *r) {
    TspProgram p;
    uint8_t maps[ROW_COUNT * TSP_MAX_LANES];
    int32_t lanes = tsp_lanes(r->m);
    for (size_t i = 0; i < sizeof maps; i++) maps[i] = (uint8_t)random_bits();
    random_maps(r->m, maps);
    tsp_program_init(&p, r->m);
    for (int32_t slice = 0; slice < 2 * r->m->mem_slices; slice++) {
        uint8_t *data;
        sketch_place(&p, slice, 0, ROW_COUNT);
        data = p.tensors[slice].data;
        memcpy(data, maps, (size_t)(ROW_COUNT * lanes));
        for (int32_t i = 0; i < 40 * lanes; i += 7) data[i] = (uint8_t)random_bits();
    }
    r->tensors = p.tensors;
    r->tensor_count = p.tensor_count;
}

/* -- bringing and storing values -- */

static inline int32_t random_slices(const Random *r) {
    return 2 * (int32_t)r->m->mem_slices;
}

/* A slice that the flow does not use yet, on the side that `direction` comes from (or, with
 * `downstream`, goes to), seen from a column; -1 if none was found. */
static inline int32_t random_slice(Random *r, int32_t column, TspDirection direction,
                                   bool downstream) {
    bool west = (direction == TSP_EASTWARD) != downstream; /* of the column */
    for (int32_t tries = 0; tries < 60; tries++) {
        int32_t slice = pick(0, random_slices(r) - 1), at = tsp_slice_column(r->m, slice);
        if (west ? at > column : at < column) continue;
        if (r->used[slice / 64] >> (slice % 64) & 1) continue;
        r->used[slice / 64] |= UINT64_C(1) << (slice % 64);
        return slice;
    }
    return -1;
}

/* A Read of `row` whose value stands on `stream` at a column in a cycle. */
static inline bool bring(Random *r, int32_t column, int64_t cycle, int32_t stream, int32_t row) {
    int32_t slice = random_slice(r, column, TSP_STREAM_DIRECTION(stream), false);
    int64_t start;
    if (slice < 0) return false;
    start = cycle - sketch_reach(r->m, slice, column);
    if (start < 0) return false;
    sketch_at(&r->sketch, slice, start, sketch_read(row, stream));
    return true;
}

/* A Write of what stands on `stream` at a column in a cycle, somewhere on its way on. */
static inline bool store(Random *r, int32_t column, int64_t cycle, int32_t stream) {
    int32_t slice = random_slice(r, column, TSP_STREAM_DIRECTION(stream), true);
    if (slice < 0) return false;
    sketch_at(&r->sketch, slice, cycle + abs(tsp_slice_column(r->m, slice) - column),
              sketch_write(ROW_RESULTS + pick(0, RESULT_ROWS), stream));
    return true;
}

/* The first stream of a random group, aligned to its size. */
static inline int32_t random_group(const Random *r, TspDirection direction, int32_t size) {
    return TSP_STREAM(direction, size * pick(0, (int32_t)r->m->streams / size - 1));
}

static inline TspDirection random_direction(void) {
    return one_in(2) ? TSP_EASTWARD : TSP_WESTWARD;
}
static inline TspHemisphere random_side(void) {
    return one_in(2) ? TSP_WEST : TSP_EAST;
}
/* Towards the edge of a hemisphere, and away from it. */
static inline TspDirection outward(TspHemisphere h) {
    return h == TSP_WEST ? TSP_WESTWARD : TSP_EASTWARD;
}
static inline TspDirection inward(TspHemisphere h) {
    return h == TSP_WEST ? TSP_EASTWARD : TSP_WESTWARD;
}

/* Repeats all items from `first` on alike; addresses of MEM step. */
static inline void repeat_flow(Random *r, int32_t first, int32_t least_interval) {
    int32_t n = pick(0, 4), d = pick(least_interval, least_interval + 2);
    int32_t n2 = one_in(3) ? pick(1, 3) : 0, d2 = n * d + pick(least_interval, 5);
    if (n + n2 == 0) return;
    for (int32_t i = first; i < r->sketch.count; i++) {
        SketchItem *item = &r->sketch.items[i];
        bool reads = item->insn.op == TSP_OP_READ, writes = item->insn.op == TSP_OP_WRITE;
        bool maps = reads && item->insn.addr >= ROW_CHOICES;
        item->repeat = (TspInsn){.op = TSP_OP_REPEAT, .n = n, .d = d, .n2 = n2, .d2 = n2 ? d2 : 0};
        if (reads && !maps && item->insn.addr < 20)
            item->repeat.a = 1, item->repeat.a2 = n2 ? 2 : 0;
        if (writes) item->repeat.a = 1, item->repeat.a2 = n2 ? n + 1 : 0;
    }
}

/* -- flows; each begins in about `start`, false if it found no place -- */
typedef bool RandomFlow(Random *r, int64_t start);

static inline int32_t data_row(void) {
    return pick(ROW_DATA, 30);
}

static bool copy_flow(Random *r, int64_t start) {
    TspDirection direction = random_direction();
    int32_t from = pick(0, random_slices(r) - 1), first = r->sketch.count;
    int32_t stream = random_group(r, direction, 1), column = tsp_slice_column(r->m, from);
    r->used[from / 64] |= UINT64_C(1) << (from % 64);
    sketch_at(&r->sketch, from, start, sketch_read(data_row(), stream));
    if (!store(r, column, start + r->m->mem_read_cycles, stream)) return false;
    if (one_in(3)) { /* the writer reads in the same slot */
        SketchItem *item = &r->sketch.items[r->sketch.count - 1];
        item->insn = (TspInsn){.op = TSP_OP_READ_WRITE,
                               .addr = data_row(),
                               .stream = random_group(r, random_direction(), 1),
                               .waddr = (int32_t)r->m->mem_rows + pick(0, 20),
                               .wstream = stream};
    }
    repeat_flow(r, first, 1);
    if (one_in(2)) { /* and reads it back */
        SketchItem *item = &r->sketch.items[r->sketch.count - 1];
        int64_t end = item->cycle + (int64_t)item->repeat.n * item->repeat.d +
                      (int64_t)item->repeat.n2 * item->repeat.d2;
        sketch_at(&r->sketch, item->queue, end + pick(1, (int32_t)r->m->mem_write_cycles + 3),
                  sketch_read(item->insn.waddr, random_group(r, random_direction(), 1)));
    }
    return true;
}

static const TspOpcode random_binary[] = {
    TSP_OP_ADD, TSP_OP_ADD_SAT, TSP_OP_SUB, TSP_OP_SUB_SAT, TSP_OP_MUL, TSP_OP_MUL_SAT, TSP_OP_MAX,
    TSP_OP_MIN, TSP_OP_AND,     TSP_OP_OR,  TSP_OP_XOR,     TSP_OP_SHL, TSP_OP_SHR,     TSP_OP_EQ,
    TSP_OP_NE,  TSP_OP_LT,      TSP_OP_LE,  TSP_OP_GT,      TSP_OP_GE,  TSP_OP_MASK};
static const TspOpcode random_unary[] = {TSP_OP_PASS, TSP_OP_NEG,    TSP_OP_ABS, TSP_OP_NOT,
                                         TSP_OP_RELU, TSP_OP_TANH,   TSP_OP_EXP, TSP_OP_RSQRT,
                                         TSP_OP_CVT,  TSP_OP_CVT_SAT};
#define COUNT_OF(array) ((int32_t)(sizeof(array) / sizeof *(array)))

/* An operation that takes `type`. */
static inline TspOpcode random_operation(TspDtype type, bool binary) {
    bool floats = type == TSP_F16 || type == TSP_F32;
    for (;;) {
        TspOpcode op = binary ? random_binary[pick(0, COUNT_OF(random_binary) - 1)]
                              : random_unary[pick(0, COUNT_OF(random_unary) - 1)];
        bool integers_only = op == TSP_OP_SHL || op == TSP_OP_SHR || op == TSP_OP_NOT;
        bool floats_only = op == TSP_OP_TANH || op == TSP_OP_EXP || op == TSP_OP_RSQRT;
        if (floats ? !integers_only : !floats_only) return op;
    }
}

static inline TspDtype result_of(const TspInsn *insn) {
    bool converts = insn->op == TSP_OP_CVT || insn->op == TSP_OP_CVT_SAT;
    return (TspDtype)(converts ? insn->type2 : insn->type);
}

/* A stream group with fresh data for an ALU in a cycle; -1 if there was no place. */
static inline int32_t alu_operand(Random *r, int64_t cycle, TspDtype type) {
    TspDirection direction = random_direction();
    int32_t bytes = tsp_dtype_bytes(type), group = random_group(r, direction, bytes);
    for (int32_t i = 0; i < bytes; i++)
        if (!bring(r, tsp_vxm_column(r->m), cycle, group + i, data_row())) return -1;
    return group;
}

/* A chain of ALUs, each taking what the one before has just made, streams, immediates, latches. */
static bool alu_flow(Random *r, int64_t start) {
    const TspMachine *m = r->m;
    const int32_t column = tsp_vxm_column(m), first = r->sketch.count, links = pick(1, 5);
    int32_t alu = pick(0, (int32_t)m->vxm_alus - links);
    int64_t t = start + tsp_columns(m);
    for (int32_t i = 0; i < links; i++, t += m->vxm_op_cycles) {
        TspDtype type = (TspDtype)pick(0, TSP_F32);
        bool binary = one_in(2);
        TspInsn insn = {.op = random_operation(type, binary), .type = (int32_t)type};
        int32_t *sources[2] = {&insn.src_a, &insn.src_b};
        if (insn.op == TSP_OP_CVT || insn.op == TSP_OP_CVT_SAT) insn.type2 = pick(0, TSP_F32);
        insn.dst = TSP_DST_NONE;
        for (int32_t k = 0; k < (binary ? 2 : 1); k++) {
            int32_t kind = pick(0, 3);
            if (k == 0 && i > 0) kind = 2;
            if (kind == 2 && i == 0) kind = 0;
            if (kind == 3 && i == 0) kind = 1;
            if (kind == 0 && (*sources[k] = alu_operand(r, t, type)) < 0) return false;
            if (kind == 1) *sources[k] = TSP_SRC(TSP_SRC_IMM, 0), insn.imm = (int32_t)random_bits();
            if (kind == 2) *sources[k] = TSP_SRC(TSP_SRC_ALU, alu + i - 1);
            if (kind == 3) *sources[k] = TSP_SRC(TSP_SRC_LATCH, alu + pick(0, i - 1));
        }
        if (i == links - 1 || one_in(3)) {
            int32_t bytes = tsp_dtype_bytes(result_of(&insn));
            int64_t out = t + m->vxm_entry_cycles + m->vxm_op_cycles + m->vxm_exit_cycles;
            insn.dst = random_group(r, random_direction(), bytes);
            for (int32_t k = 0; k < bytes; k++)
                if (one_in(2)) store(r, column, out, insn.dst + k);
        }
        sketch_at(&r->sketch, tsp_queue_vxm(m, alu + i), t, insn);
    }
    repeat_flow(r, first, 1);
    return true;
}

/* Values for an SXM instruction in a cycle: `count` streams of a group with rows from `row` on. */
static inline bool sxm_operand(Random *r, TspHemisphere h, int64_t cycle, int32_t group,
                               int32_t count, int32_t row) {
    for (int32_t i = 0; i < count; i++)
        if (!bring(r, tsp_sxm_column(r->m, h), cycle, group + i, row >= 0 ? row : data_row()))
            return false;
    return true;
}

static inline void sxm_results(Random *r, TspHemisphere h, int64_t cycle, int32_t group,
                               int32_t count) {
    if (TSP_STREAM_DIRECTION(group) != inward(h)) return; /* off the chip, or to the MXM */
    for (int32_t i = 0; i < count; i++)
        if (count < 3 || one_in(3)) store(r, tsp_sxm_column(r->m, h), cycle, group + i);
}

static bool sxm_flow(Random *r, int64_t start) {
    static const TspOpcode ops[] = {TSP_OP_TRANSPOSE, TSP_OP_DISTRIBUTE, TSP_OP_PERMUTE,
                                    TSP_OP_SHIFT,     TSP_OP_SELECT,     TSP_OP_ROTATE};
    const TspMachine *m = r->m;
    const TspHemisphere h = random_side();
    const TspDirection in = outward(h), out = one_in(5) ? outward(h) : inward(h);
    const int32_t tile = (int32_t)m->lanes_per_superlane, first = r->sketch.count;
    const int32_t map = pick(0, MAPS - 1);
    int64_t t = start + tsp_columns(m);
    int32_t inputs = 1, outputs = 1, unit = 0;
    bool there = true;
    TspInsn insn = {.op = ops[pick(0, COUNT_OF(ops) - 1)], .src = random_group(r, in, 1)};
    insn.stream = random_group(r, out, 1);
    switch (insn.op) {
    case TSP_OP_TRANSPOSE:
        insn.src = random_group(r, in, tile);
        insn.stream = random_group(r, out, tile);
        inputs = outputs = tile;
        unit = pick(0, (int32_t)m->sxm_transposers - 1);
        break;
    case TSP_OP_DISTRIBUTE:
        insn.map = random_group(r, in, 1);
        there = sxm_operand(r, h, t, insn.map, 1, ROW_PLACES + map);
        unit = pick(0, (int32_t)m->sxm_distributors - 1);
        break;
    case TSP_OP_PERMUTE:
        insn.map = random_group(r, in, 2);
        there = sxm_operand(r, h, t, insn.map, 1, ROW_LOW + map) &&
                sxm_operand(r, h, t, insn.map + 1, 1, ROW_HIGH + map);
        break;
    case TSP_OP_SHIFT:
        insn.cross = one_in(2);
        insn.n = pick(0, (insn.cross ? tsp_lanes(m) : tile) - 1);
        unit = pick(0, (int32_t)m->sxm_shifters - 1);
        break;
    case TSP_OP_SELECT:
        insn.north = random_group(r, in, 1);
        insn.south = random_group(r, in, 1);
        insn.map = random_group(r, in, 1);
        there = sxm_operand(r, h, t, insn.north, 1, -1) &&
                sxm_operand(r, h, t, insn.south, 1, -1) &&
                sxm_operand(r, h, t, insn.map, 1, ROW_CHOICES + map);
        unit = pick(0, (int32_t)m->sxm_selectors - 1);
        break;
    default:
        insn.n = pick(3, 4);
        inputs = insn.n;
        outputs = insn.n * insn.n;
        insn.src = random_group(r, in, 4);
        insn.stream = random_group(r, out, 16);
        break;
    }
    if (!there || !sxm_operand(r, h, t, insn.src, inputs, -1)) return false;
    sketch_at(&r->sketch, tsp_queue_sxm(m, h, tsp_insn_info(insn.op)->role, unit), t, insn);
    sxm_results(r, h, t + tsp_insn_func(m, &insn), insn.stream, outputs);
    repeat_flow(r, first, 1);
    return true;
}

static bool gather_flow(Random *r, int64_t start) {
    const int32_t slice = pick(0, random_slices(r) - 1), column = tsp_slice_column(r->m, slice);
    const int32_t first = r->sketch.count;
    TspDirection in = random_direction();
    int64_t t = start + tsp_columns(r->m);
    TspInsn insn = {.op = TSP_OP_GATHER,
                    .map = random_group(r, in, 1),
                    .stream = random_group(r, random_direction(), 1)};
    r->used[slice / 64] |= UINT64_C(1) << (slice % 64);
    if (!bring(r, column, t, insn.map, ROW_ADDRESSES + pick(0, MAPS - 1))) return false;
    sketch_at(&r->sketch, slice, t, insn);
    store(r, column, t + tsp_insn_func(r->m, &insn), insn.stream);
    repeat_flow(r, first, 1);
    return true;
}

static bool scatter_flow(Random *r, int64_t start) {
    const int32_t slice = pick(0, random_slices(r) - 1), column = tsp_slice_column(r->m, slice);
    const int32_t first = r->sketch.count;
    int64_t t = start + tsp_columns(r->m);
    TspInsn insn = {.op = TSP_OP_SCATTER,
                    .map = random_group(r, random_direction(), 1),
                    .wstream = random_group(r, random_direction(), 1)};
    r->used[slice / 64] |= UINT64_C(1) << (slice % 64);
    if (!bring(r, column, t, insn.map, ROW_TARGETS + pick(0, MAPS - 1)) ||
        !bring(r, column, t, insn.wstream, data_row()))
        return false;
    sketch_at(&r->sketch, slice, t, insn);
    repeat_flow(r, first, 1);
    return true;
}

/* Loads and installs weights of a plane; returns the cycle from which they are in use, -1 if there
 * was no place. */
static inline int64_t random_weights(Random *r, TspHemisphere h, int32_t plane, int64_t t,
                                     TspDtype type) {
    const TspMachine *m = r->m;
    const int32_t size = (int32_t)m->mxm_load_streams, groups = tsp_lanes(m) / size;
    const int32_t column = tsp_mxm_column(m, h), first = r->sketch.count, count = pick(1, size);
    const int32_t queue = tsp_queue_mxm(m, h, plane, TSP_ROLE_WEIGHTS),
                  loads = pick(1, groups < 3 ? groups : 3);
    const int32_t group = random_group(r, outward(h), size), start = pick(0, groups - loads);
    for (int32_t i = 0; i < count; i++)
        if (!bring(r, column, t, group + i, pick(0, 19))) return -1;
    sketch_at(&r->sketch, queue, t,
              (TspInsn){.op = TSP_OP_LW, .stream = group, .group = start, .count = count});
    for (int32_t i = first; i < r->sketch.count; i++)
        sketch_repeat(&r->sketch.items[i], loads - 1, 1, 1);
    t += loads - 1 + m->mxm_load_cycles + pick(0, 2);
    sketch_at(&r->sketch, queue, t, (TspInsn){.op = TSP_OP_IW, .type = (int32_t)type});
    return t + m->mxm_install_cycles;
}

static bool product_flow(Random *r, int64_t start) {
    static const TspDtype types[] = {TSP_I8, TSP_U8, TSP_F16};
    const TspMachine *m = r->m;
    const TspHemisphere h = random_side();
    const TspDtype weights = types[pick(0, 2)];
    const bool fp16 = weights == TSP_F16;
    const TspDtype type = fp16 ? TSP_F16 : types[pick(0, 1)];
    const int32_t plane = fp16 ? 0 : pick(0, 1), column = tsp_mxm_column(m, h),
                  bytes = fp16 ? 2 : 1;
    const int32_t passes = m->mxm_accumulator_rows > 20 ? pick(1, 3) : 1, row = pick(0, 9);
    const int32_t least = fp16 ? (int32_t)m->mxm_fp16_cycles : 1;
    const int32_t stride = pick(least, least + 1), rows = pick(1, 4);
    int64_t t = random_weights(r, h, plane, start + tsp_columns(m), weights), other = t;
    if (t >= 0 && fp16)
        other = random_weights(r, h, 1, start + tsp_columns(m) + pick(0, 9), weights);
    if (t < 0 || other < 0) return false;
    t = (t > other ? t : other) + pick(0, 3);
    for (int32_t pass = 0; pass < passes; pass++) {
        const bool emit = pass == passes - 1;
        const int32_t stream = random_group(r, outward(h), bytes), first = r->sketch.count;
        TspInsn acc = {.op = TSP_OP_ACC, .add = pass > 0, .emit = emit};
        int64_t product = t + m->mxm_entry_cycles + m->mxm_product_cycles;
        if (acc.add || !emit) acc.row = row;
        if (emit) acc.stream = random_group(r, inward(h), 4);
        for (int32_t i = 0; i < bytes; i++)
            if (!bring(r, column, t, stream + i, data_row() % 20)) return false;
        sketch_at(&r->sketch, tsp_queue_mxm(m, h, plane, TSP_ROLE_ACTIVATIONS), t,
                  (TspInsn){.op = TSP_OP_ABC, .type = (int32_t)type, .stream = stream});
        sketch_at(&r->sketch, tsp_queue_mxm(m, h, plane, TSP_ROLE_RESULTS), product, acc);
        for (int32_t i = 0; emit && i < 4; i++)
            if (one_in(2)) store(r, column, product + tsp_insn_func(m, &acc), acc.stream + i);
        for (int32_t i = first; i < r->sketch.count; i++)
            sketch_repeat(&r->sketch.items[i], rows - 1, stride,
                          r->sketch.items[i].insn.op != TSP_OP_ABC);
        t += (int64_t)rows * stride + pick(0, 12) + (emit ? 0 : least);
    }
    return true;
}

/* Queues that wait for each other. Drawn before all else: what stands in them moves. */
static bool barrier_flow(Random *r, int64_t start) {
    const int32_t queues = tsp_queue_count(r->m), notifier = pick(0, queues - 1);
    const int64_t notify = start + pick(5, 30);
    sketch_at(&r->sketch, notifier, notify, (TspInsn){.op = TSP_OP_NOTIFY});
    for (int32_t i = pick(1, 4); i > 0; i--) {
        int32_t queue = pick(0, queues - 1);
        if (queue == notifier) continue;
        sketch_at(&r->sketch, queue, notify - pick(0, 4), (TspInsn){.op = TSP_OP_SYNC})->resume =
            notify + r->m->barrier_cycles;
    }
    return true;
}

static bool power_flow(Random *r, int64_t start) {
    const int32_t all = (int32_t)((INT64_C(1) << r->m->superlanes) - 1);
    const int32_t mask = (int32_t)(random_bits() & (uint64_t)all);
    const int32_t queues = tsp_queue_count(r->m);
    if (mask == 0) return false;
    sketch_at(&r->sketch, pick(0, queues - 1), start, (TspInsn){.op = TSP_OP_CONFIG, .mask = mask});
    sketch_at(&r->sketch, pick(0, queues - 1), start + pick(1, 40),
              (TspInsn){.op = TSP_OP_CONFIG, .mask = one_in(4) ? mask : all});
    return true;
}

/* An Ifetch whose vectors are just data: harmless where text need not be fetched. */
static bool fetch_flow(Random *r, int64_t start) {
    const int32_t queue = pick(0, tsp_queue_count(r->m) - 1);
    const int32_t column = tsp_queue_info(r->m, queue).column;
    const int32_t stream = random_group(r, random_direction(), 1), first = r->sketch.count;
    const int64_t t = start + tsp_columns(r->m);
    if (r->modelled || !bring(r, column, t, stream, data_row())) return false;
    sketch_repeat(&r->sketch.items[first], tsp_ifetch_vectors(r->m) - 1, 1, 0);
    sketch_at(&r->sketch, queue, t, (TspInsn){.op = TSP_OP_IFETCH, .stream = stream});
    return true;
}

static inline void text_pass(Random *r, int32_t queue, int64_t cycle) {
    sketch_at(&r->sketch, queue, cycle,
              (TspInsn){.op = TSP_OP_PASS,
                        .type = TSP_I32,
                        .dst = TSP_DST_NONE,
                        .src_a = TSP_SRC(TSP_SRC_IMM, 0),
                        .imm = (int32_t)random_bits()});
}

static inline void random_place_text(Random *r, int32_t slice, int32_t row, int32_t rows) {
    TspProgram owner = {.machine = *r->m, .tensors = r->tensors, .tensor_count = r->tensor_count};
    sketch_place(&owner, slice, row, rows);
    r->tensors = owner.tensors;
    r->tensor_count = owner.tensor_count;
}

/* A VXM queue longer than its buffer, fed in time from a slice. */
static bool text_flow(Random *r, int64_t start) {
    const TspMachine *m = r->m;
    const int32_t vectors = tsp_ifetch_vectors(m), words = (int32_t)m->ifetch_bytes / 16;
    const int32_t held = (int32_t)m->ifetch_queue_bytes / 16, alu = (int32_t)m->vxm_alus - 1;
    const int32_t queue = tsp_queue_vxm(m, alu), stream = random_group(r, TSP_EASTWARD, 1);
    const int32_t slice = pick(0, (int32_t)m->mem_slices - 1), fetches = pick(1, 3);
    int64_t t = start + tsp_columns(m);
    if (!r->modelled || r->fetched >= 0) return false;
    r->fetched = queue;
    r->text_row = ROW_RESULTS + RESULT_ROWS + 30;
    r->text_tensor = r->tensor_count;
    random_place_text(r, slice, r->text_row, 4 * vectors);
    /* So many words leave the queue before each Ifetch that what it brings fits. */
    for (int32_t i = 0; i < fetches; i++) {
        for (int32_t k = 0; k < words - 1; k++) text_pass(r, queue, t + k);
        t += words - 1;
        sketch_repeat(sketch_at(&r->sketch, slice, t - sketch_reach(m, slice, tsp_vxm_column(m)),
                                sketch_read(r->text_row + i * vectors, stream)),
                      vectors - 1, 1, 1);
        sketch_at(&r->sketch, queue, t, (TspInsn){.op = TSP_OP_IFETCH, .stream = stream});
        t += vectors + m->ifetch_cycles + pick(0, 5);
    }
    /* The NOPs before each block are words too. */
    for (int32_t k = 0; k < held - fetches - 2; k++) text_pass(r, queue, t + k);
    return true;
}

static RandomFlow *const random_flows[] = {copy_flow,    alu_flow,    alu_flow,     sxm_flow,
                                           sxm_flow,     gather_flow, scatter_flow, product_flow,
                                           product_flow, power_flow,  fetch_flow};

/* -- machines and programs -- */

/* The text that Ifetches bring, into the rows that hold it. */
static inline void random_fill_text(Random *r, const TspProgram *p) {
    const TspMachine *m = r->m;
    const int32_t vectors = tsp_ifetch_vectors(m), lanes = tsp_lanes(m);
    const TspQueue *q = &p->queues[r->fetched];
    TspTensor *t = &r->tensors[r->text_tensor];
    for (int64_t fetch = 0; (fetch + 1) * vectors <= t->shape[0]; fetch++)
        for (int64_t b = 0; b < m->ifetch_bytes; b++) {
            int64_t at = m->ifetch_queue_bytes + fetch * m->ifetch_bytes + b;
            const TspWord *word = &q->words[at / 16];
            if (at / 16 >= q->count) return;
            t->data[fetch * vectors * lanes + b] =
                (uint8_t)((at % 16 < 8 ? word->lo : word->hi) >> 8 * (at % 8));
        }
}

/* The queues of the sketch, the rows as tensors (still owned by r). */
static inline bool random_build(Random *r, TspProgram *p) {
    if (!sketch_program(&r->sketch, p)) return false;
    p->tensors = r->tensors;
    p->tensor_count = r->tensor_count;
    if (r->fetched >= 0) random_fill_text(r, p);
    return true;
}
static inline void random_release(TspProgram *p) {
    p->tensors = NULL;
    p->tensor_count = 0;
    tsp_program_free(p);
}

static inline bool random_is_legal(Random *r) {
    const TspVerifyOptions options = {.ifetch_modelled = r->modelled};
    TspProgram p;
    TspProof proof;
    TspError err;
    bool legal = random_build(r, &p) && tsp_verify(&p, &options, &proof, &err);
    random_release(&p);
    return legal;
}

/* Draws one flow; takes it out again if the program is no longer legal. */
static inline bool random_add(Random *r, RandomFlow *flow) {
    static SketchItem before[SKETCH_ITEMS];
    const int32_t fetched = r->fetched, tensors = r->tensor_count, count = r->sketch.count;
    bool good;
    memcpy(before, r->sketch.items, (size_t)count * sizeof *before);
    r->used[0] = r->used[1] = 0;
    good = r->sketch.count < SKETCH_ITEMS - 600 && flow(r, pick(0, (int32_t)r->length));
    good = good && random_is_legal(r);
    if (good) return true;
    memcpy(r->sketch.items, before, (size_t)count * sizeof *before);
    r->sketch.count = count;
    r->fetched = fetched;
    while (r->tensor_count > tensors) {
        TspTensor *t = &r->tensors[--r->tensor_count];
        free(t->name);
        free(t->pieces);
        free(t->data);
    }
    return false;
}

/* A legal program of up to `flows` flows. Free with random_free(). */
static inline void random_program(Random *r, const char *machine, int32_t flows, bool vary) {
    sketch_init(&r->sketch, machine);
    r->m = &r->sketch.machine;
    if (vary) vary_timings(&r->sketch.machine);
    r->length = flows * pick(4, 20);
    r->modelled = one_in(8);
    r->fetched = -1;
    /* Long enough for all queues but the one that is fetched for. */
    if (r->modelled) r->sketch.machine.ifetch_queue_bytes = 16 * pick(40, 80);
    if (r->sketch.machine.ifetch_queue_bytes < r->sketch.machine.ifetch_bytes)
        r->sketch.machine.ifetch_queue_bytes = r->sketch.machine.ifetch_bytes;
    random_image(r);
    if (one_in(3)) random_add(r, barrier_flow);
    if (r->modelled) random_add(r, text_flow);
    for (int32_t i = 0; i < flows; i++)
        random_add(r, random_flows[pick(0, COUNT_OF(random_flows) - 1)]);
}

static inline void random_free(Random *r) {
    TspProgram owner = {.machine = *r->m, .tensors = r->tensors, .tensor_count = r->tensor_count};
    tsp_program_free(&owner);
}

#endif
