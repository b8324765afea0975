/* fault_programs.h - small programs of all units, for bits to flip in: sources in constants,
 * results in outputs, every cycle known.
 */
#ifndef TSP_TESTS_FAULT_PROGRAMS_H
#define TSP_TESTS_FAULT_PROGRAMS_H
#include "seeded.h"
#include "sketch.h"

/* What rows hold before cycle 0. */
typedef enum {
    FILL_RANDOM,
    FILL_ZERO,
    FILL_HIGH,      /* high bytes of f16 numbers around 1 */
    FILL_CHOICES,   /* map of Select */
    FILL_PLACES,    /* map of Distribute */
    FILL_LANES,     /* map of Permute: all lanes the other way round, low bytes */
    FILL_ADDRESSES, /* map of Gather: rows GATHERED.. at random */
    FILL_TARGETS,   /* maps of Scatter: rows SCATTERED.., each superlane to each once */
    FILL_TEXT,      /* what an Ifetch brings to `queue` */
    FILL_OUTPUT     /* nothing: an output tensor */
} Fill;
enum { GATHERED = 10, GATHERED_ROWS = 16, SCATTERED = 200, RESULTS = 100 };

typedef struct {
    int32_t slice, row, rows;
    Fill fill;
} Rows;

/* A program being drawn. */
typedef struct {
    Sketch sketch;
    const TspMachine *m;
    Rows rows[64];
    int32_t row_count;
    int32_t fetching; /* queue whose text is fetched, -1 none */
} Plan;

static inline void hold(Plan *p, int32_t slice, int32_t row, int32_t rows, Fill fill) {
    p->rows[p->row_count++] = (Rows){slice, row, rows, fill};
}

/* `count` Reads of rows from `row` on, a cycle apart; the first value stands on `stream` at a
 * column in a cycle. */
static inline void bring(Plan *p, int32_t slice, int32_t row, int32_t count, int32_t stream,
                         int32_t column, int64_t cycle) {
    sketch_repeat(sketch_at(&p->sketch, slice, cycle - sketch_reach(p->m, slice, column),
                            sketch_read(row, stream)),
                  count - 1, 1, 1);
}
/* The same from rows of its own, filled. */
static inline void source(Plan *p, int32_t slice, int32_t row, int32_t count, Fill fill,
                          int32_t stream, int32_t column, int64_t cycle) {
    hold(p, slice, row, count, fill);
    bring(p, slice, row, count, stream, column, cycle);
}
/* Writes of `count` values, `every` cycles apart, that pass a column from a cycle on; an output. */
static inline void keep_every(Plan *p, int32_t slice, int32_t row, int32_t count, int32_t every,
                              int32_t stream, int32_t column, int64_t cycle) {
    sketch_repeat(sketch_at(&p->sketch, slice, cycle + abs(tsp_slice_column(p->m, slice) - column),
                            sketch_write(row, stream)),
                  count - 1, every, 1);
    hold(p, slice, row, count, FILL_OUTPUT);
}
static inline void keep(Plan *p, int32_t slice, int32_t row, int32_t count, int32_t stream,
                        int32_t column, int64_t cycle) {
    keep_every(p, slice, row, count, 1, stream, column, cycle);
}

#define W(i)           tsp_slice_id(p->m, TSP_WEST, i)
#define E(i)           tsp_slice_id(p->m, TSP_EAST, i)
#define EASTWARD(i)    TSP_STREAM(TSP_EASTWARD, i)
#define WESTWARD(i)    TSP_STREAM(TSP_WESTWARD, i)
#define FROM_STREAM(s) TSP_SRC(TSP_SRC_STREAM, s)
#define FROM_ALU(i)    TSP_SRC(TSP_SRC_ALU, i)
#define FROM_LATCH(i)  TSP_SRC(TSP_SRC_LATCH, i)
#define IMMEDIATE      TSP_SRC(TSP_SRC_IMM, 0)

/* -- MEM: rows east, and back in combined slots -- */

static void draw_copy(Plan *p) {
    const int32_t rows = 6, upper = (int32_t)p->m->mem_rows + 40;
    const int32_t from = tsp_slice_column(p->m, W(5)), to = tsp_slice_column(p->m, E(6));
    SketchItem *item;
    source(p, W(5), 0, rows, FILL_RANDOM, EASTWARD(0), from, 3);
    keep(p, E(6), RESULTS, rows, EASTWARD(0), from, 3);
    source(p, W(6), 0, rows, FILL_RANDOM, EASTWARD(2), to, 30);
    item = sketch_at(&p->sketch, E(6), 30,
                     (TspInsn){.op = TSP_OP_READ_WRITE,
                               .addr = RESULTS,
                               .stream = WESTWARD(1),
                               .waddr = upper,
                               .wstream = EASTWARD(2)});
    sketch_repeat(item, rows - 1, 1, 1)->repeat.w = 1;
    hold(p, E(6), upper, rows, FILL_OUTPUT);
    keep(p, W(1), RESULTS, rows, WESTWARD(1), to, 30 + p->m->mem_read_cycles);
}

/* -- VXM: a chain over three types, an operand used twice, a latch -- */

static void draw_vxm(Plan *p) {
    const TspMachine *m = p->m;
    const int32_t v = tsp_vxm_column(m), rows = 4, op = (int32_t)m->vxm_op_cycles, type = TSP_I8;
    const int64_t t = 8, func = tsp_op_func(m, TSP_OP_ADD);
    const struct {
        int32_t alu;
        int64_t cycle;
        TspInsn insn;
    } steps[] = {
        {0,
         t,
         {.op = TSP_OP_MUL,
          .type = type,
          .dst = TSP_DST_NONE,
          .src_a = EASTWARD(0),
          .src_b = IMMEDIATE,
          .imm = 3}},
        {5,
         t + op,
         {.op = TSP_OP_ADD_SAT,
          .type = type,
          .dst = EASTWARD(2),
          .src_a = FROM_ALU(0),
          .src_b = FROM_STREAM(WESTWARD(1))}},
        {6,
         t + 2 * op,
         {.op = TSP_OP_CVT,
          .type = type,
          .type2 = TSP_F32,
          .dst = TSP_DST_NONE,
          .src_a = FROM_ALU(5)}},
        {7,
         t + 3 * op,
         {.op = TSP_OP_MUL,
          .type = TSP_F32,
          .dst = WESTWARD(4),
          .src_a = FROM_ALU(6),
          .src_b = IMMEDIATE,
          .imm = 0x3fc00000}},
        {8,
         t,
         {.op = TSP_OP_ADD,
          .type = type,
          .dst = EASTWARD(3),
          .src_a = EASTWARD(0),
          .src_b = EASTWARD(0)}},
        {9,
         t + 20,
         {.op = TSP_OP_XOR,
          .type = type,
          .dst = EASTWARD(5),
          .src_a = FROM_LATCH(8),
          .src_b = FROM_STREAM(WESTWARD(1))}},
    };
    source(p, W(0), 0, rows, FILL_RANDOM, EASTWARD(0), v, t);
    source(p, E(0), 0, rows, FILL_RANDOM, WESTWARD(1), v, t + op);
    bring(p, E(0), 0, rows, WESTWARD(1), v, t + 20);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        sketch_repeat(
            sketch_at(&p->sketch, tsp_queue_vxm(m, steps[i].alu), steps[i].cycle, steps[i].insn),
            rows - 1, 1, 0);
    keep(p, E(3), RESULTS, rows, EASTWARD(2), v, t + op + func);
    for (int32_t i = 0; i < tsp_dtype_bytes(TSP_F32); i++)
        keep(p, W(4 + i), RESULTS, rows, WESTWARD(4 + i), v, t + 3 * op + func);
    keep(p, E(2), RESULTS, rows, EASTWARD(3), v, t + func);
    keep(p, E(5), RESULTS, rows, EASTWARD(5), v, t + 20 + func);
}

/* -- SXM: everything that it can do -- */

static int32_t sxm_queue(const Plan *p, TspOpcode op, int32_t index) {
    return tsp_queue_sxm(p->m, TSP_EAST, tsp_insn_info(op)->role, index);
}

static void draw_sxm(Plan *p) {
    const TspMachine *m = p->m;
    const int32_t c = tsp_sxm_column(m, TSP_EAST), side = (int32_t)m->lanes_per_superlane;
    const int64_t t = 10;
    const TspInsn insns[] = {
        {.op = TSP_OP_DISTRIBUTE, .stream = WESTWARD(4), .src = EASTWARD(4), .map = EASTWARD(5)},
        {.op = TSP_OP_PERMUTE, .stream = WESTWARD(6), .src = EASTWARD(6), .map = EASTWARD(8)},
        {.op = TSP_OP_SHIFT, .stream = WESTWARD(10), .src = EASTWARD(10), .n = 2},
        {.op = TSP_OP_SHIFT, .stream = WESTWARD(11), .src = EASTWARD(11), .n = 5, .cross = 1},
        {.op = TSP_OP_SELECT,
         .stream = WESTWARD(7),
         .src = EASTWARD(12),
         .north = EASTWARD(10),
         .south = EASTWARD(11),
         .map = EASTWARD(13)},
        {.op = TSP_OP_ROTATE, .stream = WESTWARD(0), .src = EASTWARD(0), .n = 3},
    };
    const int64_t cycles[] = {t, t, t, t, t, t + 20};
    const int32_t units[] = {1, 0, 2, 1, 1, 0};
    for (size_t i = 0; i < sizeof insns / sizeof *insns; i++)
        sketch_at(&p->sketch, sxm_queue(p, insns[i].op, units[i]), cycles[i], insns[i]);
    source(p, W(0), 0, 1, FILL_RANDOM, EASTWARD(4), c, t);
    source(p, W(1), 0, 1, FILL_PLACES, EASTWARD(5), c, t);
    source(p, W(2), 0, 1, FILL_RANDOM, EASTWARD(6), c, t);
    source(p, W(3), 0, 1, FILL_LANES, EASTWARD(8), c, t);
    source(p, W(4), 0, 1, FILL_ZERO, EASTWARD(9), c, t);
    source(p, W(5), 0, 1, FILL_RANDOM, EASTWARD(10), c, t);
    source(p, W(6), 0, 1, FILL_RANDOM, EASTWARD(11), c, t);
    source(p, W(7), 0, 1, FILL_RANDOM, EASTWARD(12), c, t);
    source(p, E(0), 0, 1, FILL_CHOICES, EASTWARD(13), c, t);
    for (int32_t i = 0; i < 3; i++) source(p, W(i), 8, 1, FILL_RANDOM, EASTWARD(i), c, t + 20);
    for (int32_t i = 0; i < 5; i++)
        keep(p, E(1 + i), RESULTS, 1, insns[i].stream, c, t + tsp_insn_func(m, &insns[i]));
    for (int32_t i = 0; i < 8; i++)
        keep(p, i < 4 ? E(i) : W(i), RESULTS + 1, 1, WESTWARD(i), c,
             t + 20 + tsp_op_func(m, TSP_OP_ROTATE));
    if (side > 4) return; /* a transpose would take more slices than there are on this side */
    sketch_at(&p->sketch, sxm_queue(p, TSP_OP_TRANSPOSE, 1), t + 40,
              (TspInsn){.op = TSP_OP_TRANSPOSE, .stream = WESTWARD(12), .src = EASTWARD(4)});
    for (int32_t i = 0; i < side; i++) {
        source(p, W(4 + i), 8, 1, FILL_RANDOM, EASTWARD(4 + i), c, t + 40);
        keep(p, E(i), RESULTS + 2, 1, WESTWARD(12 + i), c,
             t + 40 + tsp_op_func(m, TSP_OP_TRANSPOSE));
    }
}

/* -- MEM by maps -- */

static void draw_gather(Plan *p) {
    const TspMachine *m = p->m;
    const int32_t rows = (int32_t)m->superlanes;
    const int32_t from = tsp_slice_column(m, E(2)), to = tsp_slice_column(m, E(7));
    const int64_t t = 8;
    hold(p, E(2), GATHERED, GATHERED_ROWS, FILL_RANDOM);
    source(p, W(0), 0, 4, FILL_ADDRESSES, EASTWARD(0), from, t);
    sketch_repeat(
        sketch_at(&p->sketch, E(2), t,
                  (TspInsn){.op = TSP_OP_GATHER, .stream = EASTWARD(1), .map = EASTWARD(0)}),
        3, 1, 0);
    keep(p, E(5), RESULTS, 4, EASTWARD(1), from, t + tsp_op_func(m, TSP_OP_GATHER));
    source(p, W(1), 0, rows, FILL_TARGETS, EASTWARD(2), to, t);
    source(p, W(2), 0, rows, FILL_RANDOM, EASTWARD(3), to, t);
    sketch_repeat(
        sketch_at(&p->sketch, E(7), t,
                  (TspInsn){.op = TSP_OP_SCATTER, .wstream = EASTWARD(3), .map = EASTWARD(2)}),
        rows - 1, 1, 0);
    hold(p, E(7), SCATTERED, rows, FILL_OUTPUT);
}

/* -- MXM -- */

/* All weights of a plane, installed; returns the cycle from which they are in use. */
static int64_t draw_weights(Plan *p, TspHemisphere h, int32_t plane, int32_t row, Fill fill,
                            TspDtype type, int64_t t) {
    const TspMachine *m = p->m;
    const int32_t size = (int32_t)m->mxm_load_streams, groups = tsp_lanes(m) / size;
    const int32_t queue = tsp_queue_mxm(m, h, plane, TSP_ROLE_WEIGHTS);
    const int32_t stream = (h == TSP_WEST ? WESTWARD(0) : EASTWARD(0)) + size * plane;
    const int64_t install = t + groups - 1 + m->mxm_load_cycles;
    for (int32_t i = 0; i < size; i++)
        source(p, tsp_slice_id(m, h, i), row, groups, fill, stream + i, tsp_mxm_column(m, h), t);
    sketch_repeat(sketch_at(&p->sketch, queue, t,
                            (TspInsn){.op = TSP_OP_LW, .stream = stream, .count = size}),
                  groups - 1, 1, 1);
    sketch_at(&p->sketch, queue, install, (TspInsn){.op = TSP_OP_IW, .type = (int32_t)type});
    return install + m->mxm_install_cycles;
}

/* Two passes over `rows` activations, the second added to the first and sent out. */
static void draw_product(Plan *p, TspHemisphere h, TspDtype type, int64_t first, int64_t second) {
    const TspMachine *m = p->m;
    const bool half = type == TSP_F16;
    const int32_t rows = 3, every = half ? (int32_t)m->mxm_fp16_cycles : 1;
    const int32_t column = tsp_mxm_column(m, h), bytes = tsp_dtype_bytes(type);
    const int32_t in = h == TSP_WEST ? WESTWARD(12) : EASTWARD(12);
    const int32_t out = h == TSP_WEST ? EASTWARD(4) : WESTWARD(4);
    int64_t product = 0;
    for (int32_t pass = 0; pass < 2; pass++) {
        const int64_t t = pass ? second : first;
        TspInsn acc = {.op = TSP_OP_ACC, .add = pass, .emit = pass, .stream = pass ? out : 0};
        product = t + tsp_op_func(m, TSP_OP_ABC);
        for (int32_t i = 0; i < bytes; i++) {
            int32_t slice = tsp_slice_id(m, h, 4 + i), row = 40 + 8 * pass;
            source(p, slice, row, rows, i ? FILL_HIGH : FILL_RANDOM, in + i, column, t);
            p->sketch.items[p->sketch.count - 1].repeat.d = every;
        }
        sketch_repeat(sketch_at(&p->sketch, tsp_queue_mxm(m, h, 0, TSP_ROLE_ACTIVATIONS), t,
                                (TspInsn){.op = TSP_OP_ABC, .type = (int32_t)type, .stream = in}),
                      rows - 1, every, 0);
        sketch_repeat(sketch_at(&p->sketch, tsp_queue_mxm(m, h, 0, TSP_ROLE_RESULTS), product, acc),
                      rows - 1, every, 1);
    }
    for (int32_t i = 0; i < 4; i++)
        keep_every(p, tsp_slice_id(m, h, 4 + i), RESULTS, rows, every, out + i, column,
                   product + tsp_op_func(m, TSP_OP_ACC));
}

static void draw_int8(Plan *p) {
    const int32_t groups = tsp_lanes(p->m) / (int32_t)p->m->mxm_load_streams;
    int64_t first = draw_weights(p, TSP_EAST, 0, 0, FILL_RANDOM, TSP_I8, 8);
    int64_t second = draw_weights(p, TSP_EAST, 0, groups, FILL_RANDOM, TSP_I8, first + 1);
    draw_product(p, TSP_EAST, TSP_I8, first, second);
}

static void draw_f16(Plan *p) {
    const int32_t groups = tsp_lanes(p->m) / (int32_t)p->m->mxm_load_streams;
    int64_t first, second;
    draw_weights(p, TSP_WEST, 0, 0, FILL_RANDOM, TSP_F16, 8);
    first = draw_weights(p, TSP_WEST, 1, groups, FILL_HIGH, TSP_F16, 9 + groups);
    draw_weights(p, TSP_WEST, 0, 2 * groups, FILL_RANDOM, TSP_F16, first + 2);
    second = draw_weights(p, TSP_WEST, 1, 3 * groups, FILL_HIGH, TSP_F16, first + 3 + groups);
    draw_product(p, TSP_WEST, TSP_F16, first, second);
}

/* -- text: an ALU queue longer than its buffer; only where text is fetched -- */

static void draw_ifetch(Plan *p) {
    const TspMachine *m = p->m;
    const int32_t v = tsp_vxm_column(m), vectors = tsp_ifetch_vectors(m);
    const int32_t queue = tsp_queue_vxm(m, (int32_t)m->vxm_alus - 1);
    const int64_t t = 10, fetched = t + 2 + tsp_op_func(m, TSP_OP_IFETCH);
    const int64_t func = tsp_op_func(m, TSP_OP_ADD);
    /* Words: NOP, 2, Ifetch, 3, NOP: all that is there at first. Then what it brings: 4. */
    const struct {
        int64_t cycle;
        int32_t count;
    } parts[] = {{t, 2}, {t + 3, 3}, {fetched, 4}};
    int32_t word = 0;
    for (int32_t i = 0; i < 3; i++) {
        source(p, W(i), 0, parts[i].count, FILL_RANDOM, EASTWARD(0), v, parts[i].cycle);
        for (int32_t k = 0; k < parts[i].count; k++)
            sketch_at(&p->sketch, queue, parts[i].cycle + k,
                      (TspInsn){.op = TSP_OP_ADD,
                                .type = TSP_I8,
                                .dst = EASTWARD(1),
                                .src_a = EASTWARD(0),
                                .src_b = IMMEDIATE,
                                .imm = 17 + 1000 * ++word});
        keep(p, E(i), RESULTS, parts[i].count, EASTWARD(1), v, parts[i].cycle + func);
    }
    source(p, W(7), 0, vectors, FILL_TEXT, EASTWARD(2), v, t + 2);
    sketch_at(&p->sketch, queue, t + 2, (TspInsn){.op = TSP_OP_IFETCH, .stream = EASTWARD(2)});
    p->fetching = queue;
}

/* -- superlanes that are off for a while -- */

static void draw_power(Plan *p) {
    const TspMachine *m = p->m;
    const int32_t all = (int32_t)((UINT64_C(1) << m->superlanes) - 1), rows = 16;
    const int32_t from = tsp_slice_column(m, W(4)), v = tsp_vxm_column(m);
    const int64_t t = 6, func = tsp_op_func(m, TSP_OP_ADD);
    source(p, W(4), 0, rows, FILL_RANDOM, EASTWARD(0), from, t);
    hold(p, E(4), RESULTS, rows, FILL_RANDOM); /* rows and superlanes that are not written */
    keep(p, E(4), RESULTS, rows, EASTWARD(0), from, t);
    source(p, W(0), 0, rows, FILL_RANDOM, EASTWARD(1), v, t);
    sketch_repeat(sketch_at(&p->sketch, tsp_queue_vxm(m, 3), t,
                            (TspInsn){.op = TSP_OP_ADD,
                                      .type = TSP_I8,
                                      .dst = EASTWARD(2),
                                      .src_a = EASTWARD(1),
                                      .src_b = IMMEDIATE,
                                      .imm = 5}),
                  rows - 1, 1, 0);
    hold(p, E(1), RESULTS, rows, FILL_RANDOM);
    keep(p, E(1), RESULTS, rows, EASTWARD(2), v, t + func);
    sketch_at(&p->sketch, tsp_queue_vxm(m, 0), t + 5,
              (TspInsn){.op = TSP_OP_CONFIG, .mask = all & ~2});
    sketch_at(&p->sketch, tsp_queue_vxm(m, 1), t + 9,
              (TspInsn){.op = TSP_OP_CONFIG, .mask = all & ~1});
    sketch_at(&p->sketch, tsp_queue_vxm(m, 2), t + 13, (TspInsn){.op = TSP_OP_CONFIG, .mask = all});
}

/* ---- from plan to program ---- */

static inline uint8_t fill_byte(const Plan *p, Fill fill, int32_t row, int32_t lane) {
    const int32_t tile = (int32_t)p->m->lanes_per_superlane, lanes = tsp_lanes(p->m);
    const int32_t superlane = lane / tile;
    const bool low = lane % tile == 0, high = lane % tile == 1; /* bytes of an address */
    switch (fill) {
    case FILL_HIGH:
        return (uint8_t)(128 * random_below(2) + 0x38 + random_below(8));
    case FILL_CHOICES:
        return (uint8_t)random_below(3);
    case FILL_PLACES:
        return (uint8_t)random_below(tile + 1);
    case FILL_LANES:
        return (uint8_t)(lanes - 1 - lane);
    case FILL_ADDRESSES:
        if (high) return 0;
        if (low) return (uint8_t)(GATHERED + random_below(GATHERED_ROWS));
        break;
    case FILL_TARGETS:
        if (high) return 0;
        if (low) return (uint8_t)(SCATTERED + (row + superlane) % p->m->superlanes);
        break;
    case FILL_ZERO:
    case FILL_TEXT:
    case FILL_OUTPUT:
        return 0;
    case FILL_RANDOM:
        break;
    }
    return (uint8_t)random_below(256);
}

/* The first text that `queue` fetches: what follows the words it holds in cycle 0. */
static inline void fill_text(const Plan *p, const TspProgram *program, uint8_t *data) {
    const TspQueue *q = &program->queues[p->fetching];
    for (int64_t b = 0; b < p->m->ifetch_bytes; b++) {
        const int64_t at = p->m->ifetch_queue_bytes + b;
        const TspWord *word = &q->words[at / 16];
        if (at / 16 >= q->count) return;
        data[b] = (uint8_t)((at % 16 < 8 ? word->lo : word->hi) >> 8 * (at % 8));
    }
}

static const struct {
    const char *name;
    void (*draw)(Plan *p);
} fault_plans[] = {{"copy", draw_copy},     {"vxm", draw_vxm},    {"sxm", draw_sxm},
                   {"gather", draw_gather}, {"int8", draw_int8},  {"f16", draw_f16},
                   {"ifetch", draw_ifetch}, {"power", draw_power}};
enum { FAULT_PLANS = (int)(sizeof fault_plans / sizeof fault_plans[0]) };

/* Draws a program on a machine like `tiny` with superlanes of `tile` lanes; false if a word cannot
 * be encoded. Free with tsp_program_free(). */
static inline bool fault_program(int32_t which, int32_t tile, TspProgram *program) {
    static Plan plan;
    Plan *p = &plan;
    sketch_init(&p->sketch, "tiny");
    p->sketch.machine.superlanes = tsp_lanes(&p->sketch.machine) / tile + 1;
    p->sketch.machine.lanes_per_superlane = tile;
    if (fault_plans[which].draw != draw_ifetch) p->sketch.machine.ifetch_queue_bytes = 1024;
    p->m = &p->sketch.machine;
    p->row_count = 0;
    p->fetching = -1;
    fault_plans[which].draw(p);
    if (!sketch_program(&p->sketch, program)) return false;
    for (int32_t i = 0; i < p->row_count; i++) {
        const Rows *r = &p->rows[i];
        TspTensor *t;
        sketch_place(program, r->slice, r->row, r->rows);
        t = &program->tensors[program->tensor_count - 1];
        for (int32_t k = 0; k < r->rows * tsp_lanes(p->m); k++)
            t->data[k] = fill_byte(p, r->fill, k / tsp_lanes(p->m), k % tsp_lanes(p->m));
        if (r->fill == FILL_TEXT) fill_text(p, program, t->data);
        if (r->fill != FILL_OUTPUT) continue;
        t->role = TSP_ROLE_OUTPUT;
        free(t->data);
        t->data = NULL;
    }
    return true;
}

#undef W
#undef E

#endif
