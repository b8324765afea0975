/* sketch.h - programs for tests, drawn as instructions at cycles: NOPs and queue words follow.
 */
#ifndef TSP_TESTS_SKETCH_H
#define TSP_TESTS_SKETCH_H
#include "isa/program.h"

#include <stdlib.h>
#include <string.h>

enum { SKETCH_ITEMS = 2048, SKETCH_RUNS = 64 };

typedef struct {
    int32_t queue;
    int64_t cycle;  /* of the first issue */
    int64_t resume; /* of a Sync: cycle in which the queue goes on; 0: right after it */
    TspInsn insn;
    TspInsn repeat; /* .op is TSP_OP_REPEAT, or 0 for none */
    int32_t run[2], first[2];
    bool marked;   /* the one a test expects the complaint about */
    int32_t index; /* word in its queue, set by sketch_program() */
} SketchItem;

typedef struct {
    TspMachine machine;
    SketchItem items[SKETCH_ITEMS];
    int32_t count;
    TspRun runs[SKETCH_RUNS];
    int32_t run_count;
    TspLink links[SKETCH_RUNS];
    int32_t link_count;
} Sketch;

static inline void sketch_init(Sketch *s, const char *machine) {
    memset(s, 0, sizeof *s);
    tsp_machine_builtin(&s->machine, machine);
}

/* Adds an instruction; returns its item. */
static inline SketchItem *sketch_at(Sketch *s, int32_t queue, int64_t cycle, TspInsn insn) {
    SketchItem *item = &s->items[s->count++];
    *item = (SketchItem){.queue = queue, .cycle = cycle, .insn = insn, .run = {-1, -1}};
    return item;
}

/* Repeats an item n more times, d cycles apart, stepping by a. */
static inline SketchItem *sketch_repeat(SketchItem *item, int32_t n, int32_t d, int32_t a) {
    if (n > 0) item->repeat = (TspInsn){.op = TSP_OP_REPEAT, .n = n, .d = d, .a = a};
    return item;
}

/* Makes the item a run of its own; returns the run. */
static inline int32_t sketch_run(Sketch *s, SketchItem *item) {
    int32_t count = (item->repeat.n + 1) * (item->repeat.n2 + 1);
    s->runs[s->run_count] = (TspRun){.op = -1, .queue = item->queue, .count = count, .tensor = -1};
    item->run[0] = s->run_count;
    return s->run_count++;
}

static inline void sketch_link(Sketch *s, int32_t consumer, int32_t operand, int32_t producer,
                               int32_t offset) {
    s->links[s->link_count++] = (TspLink){consumer, operand, producer, offset};
}

static inline bool sketch_push(TspQueue *q, const TspInsn *insn, const TspInsnDebug *debug) {
    TspWord word;
    TspError err;
    return tsp_encode(insn, &word, &err) && tsp_queue_push(q, word, debug);
}

static inline int sketch_order(const void *left, const void *right) {
    const SketchItem *a = left, *b = right;
    if (a->queue != b->queue) return a->queue < b->queue ? -1 : 1;
    return (a->cycle > b->cycle) - (a->cycle < b->cycle);
}

/* Writes the queues (sorts the items). An item whose cycle is taken by the one before in its queue
 * comes as early as it can. False if one cannot be encoded. Free with tsp_program_free(). */
static inline bool sketch_program(Sketch *s, TspProgram *p) {
    int64_t now = 0;
    bool fine = true;
    tsp_program_init(p, &s->machine);
    p->predicted_cycles = -1;
    qsort(s->items, (size_t)s->count, sizeof *s->items, sketch_order);
    for (int32_t i = 0; i < s->count; i++) {
        SketchItem *item = &s->items[i];
        TspQueue *q = &p->queues[item->queue];
        TspInsnDebug none = {.run = {-1, -1}};
        TspInsnDebug debug = {{item->run[0], item->run[1]}, {item->first[0], item->first[1]}, 0};
        if (i == 0 || item->queue != s->items[i - 1].queue) now = 0;
        for (; item->cycle > now && item->insn.op != TSP_OP_REPEAT;) {
            int64_t n = item->cycle - now < 65535 ? item->cycle - now : 65535;
            TspInsn nop = {.op = TSP_OP_NOP, .n = (int32_t)n};
            fine = fine && sketch_push(q, &nop, &none);
            now += n;
        }
        item->index = q->count;
        fine = fine && sketch_push(q, &item->insn, &debug);
        if (item->repeat.op == TSP_OP_REPEAT) {
            fine = fine && sketch_push(q, &item->repeat, &none);
            now += (int64_t)item->repeat.n * item->repeat.d +
                   (int64_t)item->repeat.n2 * item->repeat.d2;
        }
        if (item->insn.op == TSP_OP_NOP) now += item->insn.n - 1;
        if (item->insn.op != TSP_OP_REPEAT) now++;
        if (item->insn.op == TSP_OP_SYNC && item->resume > now) now = item->resume;
    }
    if (s->run_count) {
        p->runs = malloc(sizeof s->runs);
        memcpy(p->runs, s->runs, sizeof s->runs);
        p->run_count = s->run_count;
    }
    if (s->link_count) {
        p->links = malloc(sizeof s->links);
        memcpy(p->links, s->links, sizeof s->links);
        p->link_count = s->link_count;
    }
    return fine;
}

/* Adds a constant int8 tensor [rows, lanes], all zero, in rows addr.. of a slice. */
static inline void sketch_place(TspProgram *p, int32_t slice, int32_t addr, int32_t rows) {
    TspTensor *t;
    char name[] = "t000";
    int32_t n = p->tensor_count, lanes = tsp_lanes(&p->machine);
    p->tensors = realloc(p->tensors, (size_t)(n + 1) * sizeof *p->tensors);
    t = &p->tensors[p->tensor_count++];
    name[1] = (char)('0' + n / 100 % 10), name[2] = (char)('0' + n / 10 % 10);
    name[3] = (char)('0' + n % 10);
    *t = (TspTensor){.name = strdup(name), .dtype = TSP_I8, .role = TSP_ROLE_CONSTANT, .rank = 2};
    t->shape[0] = rows;
    t->shape[1] = lanes;
    t->data = calloc((size_t)rows * (size_t)lanes, 1);
    t->pieces = malloc(sizeof *t->pieces);
    t->pieces[0] = (TspPiece){
        .row_step = 1, .rows = rows, .cols = lanes, .slice = slice, .addr = addr, .addr_step = 1};
    t->piece_count = 1;
}

/* -- flows: instructions that fit each other, on whatever machine -- */

static inline TspInsn sketch_read(int32_t addr, int32_t stream) {
    return (TspInsn){.op = TSP_OP_READ, .addr = addr, .stream = stream};
}
static inline TspInsn sketch_write(int32_t waddr, int32_t wstream) {
    return (TspInsn){.op = TSP_OP_WRITE, .waddr = waddr, .wstream = wstream};
}
/* A stream that flows from one column to another. */
static inline int32_t sketch_stream(int32_t from, int32_t to, int32_t number) {
    return TSP_STREAM(from <= to ? TSP_EASTWARD : TSP_WESTWARD, number);
}
/* Cycles from a Read in a slice to its value at a column. */
static inline int64_t sketch_reach(const TspMachine *m, int32_t slice, int32_t column) {
    return m->mem_read_cycles + abs(tsp_slice_column(m, slice) - column);
}

/* An array product on plane 0 of the east: one weight group of the type, `rows` activations a few
 * cycles apart, results emitted and their low byte written. All ids are indices of items. */
typedef struct {
    int32_t read_weights, load, install, read_activations, activate, accumulate, write;
    int64_t start, load_cycle, activate_cycle, accumulate_cycle;
} SketchProduct;

static inline SketchProduct sketch_product(Sketch *s, int64_t start, int32_t rows,
                                           int32_t interval) {
    const TspMachine *m = &s->machine;
    int32_t column = tsp_mxm_column(m, TSP_EAST), east = tsp_slice_id(m, TSP_EAST, 0);
    int32_t weights = tsp_queue_mxm(m, TSP_EAST, 0, TSP_ROLE_WEIGHTS), group;
    int32_t activations = tsp_queue_mxm(m, TSP_EAST, 0, TSP_ROLE_ACTIVATIONS);
    int32_t results = tsp_queue_mxm(m, TSP_EAST, 0, TSP_ROLE_RESULTS);
    int32_t activation = TSP_STREAM(TSP_EASTWARD, 5), out = TSP_STREAM(TSP_WESTWARD, 0);
    TspInsn lw = {.op = TSP_OP_LW, .stream = TSP_STREAM(TSP_EASTWARD, 0), .count = 4};
    SketchProduct x = {.start = start};
    int64_t t;
    x.load_cycle = start + sketch_reach(m, east, column);
    x.read_weights = s->count;
    for (group = 0; group < 4; group++)
        sketch_at(s, east + group, start, sketch_read(0, TSP_STREAM(TSP_EASTWARD, group)));
    x.load = s->count;
    sketch_at(s, weights, x.load_cycle, lw);
    x.install = s->count;
    t = x.load_cycle + m->mxm_load_cycles;
    sketch_at(s, weights, t, (TspInsn){.op = TSP_OP_IW, .type = TSP_I8});
    x.activate_cycle = t + m->mxm_install_cycles;
    x.read_activations = s->count;
    sketch_repeat(sketch_at(s, east + 4, x.activate_cycle - sketch_reach(m, east + 4, column),
                            sketch_read(16, activation)),
                  rows - 1, interval, 1);
    x.activate = s->count;
    sketch_repeat(sketch_at(s, activations, x.activate_cycle,
                            (TspInsn){.op = TSP_OP_ABC, .type = TSP_I8, .stream = activation}),
                  rows - 1, interval, 0);
    x.accumulate_cycle = x.activate_cycle + m->mxm_entry_cycles + m->mxm_product_cycles;
    x.accumulate = s->count;
    sketch_repeat(sketch_at(s, results, x.accumulate_cycle,
                            (TspInsn){.op = TSP_OP_ACC, .emit = 1, .stream = out}),
                  rows - 1, interval, 0);
    x.write = s->count;
    sketch_repeat(sketch_at(s, east + 5,
                            x.accumulate_cycle + tsp_op_func(m, TSP_OP_ACC) + column -
                                tsp_slice_column(m, east + 5),
                            sketch_write(32, out)),
                  rows - 1, interval, 1);
    return x;
}

#endif
