/* emit.c - the emit pass: placed runs become queues, NOP and Repeat compressed, with debug records.
 */
#include "emit.h"

#include <stdlib.h>
#include <string.h>

/* What one queue does in one cycle: iteration `iter` of run [0], or of a read [0] and a write [1].
 */
typedef struct {
    int64_t cycle;
    int32_t run[2], iter[2];
} Event;

typedef struct {
    int32_t queue;
    int64_t start;
    int32_t run;
} RunKey;

static int by_queue_then_start(const void *left, const void *right) {
    const RunKey *a = left, *b = right;
    if (a->queue != b->queue) return a->queue < b->queue ? -1 : 1;
    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    return a->run < b->run ? -1 : a->run > b->run;
}

static int by_cycle(const void *left, const void *right) {
    const Event *a = left, *b = right;
    if (a->cycle != b->cycle) return a->cycle < b->cycle ? -1 : 1;
    return a->run[0] < b->run[0] ? -1 : a->run[0] > b->run[0];
}

/* Expands the runs keys[0..count-1] into events in time order. */
static Event *expand(const Module *m, const RunKey *keys, int32_t count, int32_t *events) {
    size_t total = 0;
    Event *list;
    bool sorted = true;
    for (int32_t i = 0; i < count; i++) total += (size_t)m->runs[keys[i].run].count;
    if (!(list = malloc(total * sizeof *list))) return NULL;
    total = 0;
    for (int32_t i = 0; i < count; i++) {
        const Run *r = &m->runs[keys[i].run];
        for (int32_t k = 0; k < r->count; k++) {
            list[total] = (Event){r->start + (int64_t)k * r->interval, {keys[i].run, -1}, {k, 0}};
            if (total && list[total].cycle < list[total - 1].cycle) sorted = false;
            total++;
        }
    }
    if (!sorted) qsort(list, total, sizeof *list, by_cycle);
    *events = (int32_t)total;
    return list;
}

/* Joins a read and a write of one cycle; false if any other two meet. */
static bool join(const Module *m, Event *list, int32_t *count) {
    int32_t kept = 0;
    for (int32_t i = 0; i < *count; i++) {
        Event e = list[i], *last = kept ? &list[kept - 1] : NULL;
        if (last && last->cycle == e.cycle) {
            bool writes = m->runs[e.run[0]].insn.op == TSP_OP_WRITE;
            bool wrote = m->runs[last->run[0]].insn.op == TSP_OP_WRITE;
            if (last->run[1] >= 0 || writes == wrote) return false;
            if (wrote) {
                Event swap = *last;
                *last = e;
                e = swap;
            }
            last->run[1] = e.run[0];
            last->iter[1] = e.iter[0];
            continue;
        }
        list[kept++] = e;
    }
    *count = kept;
    return true;
}

static void step_address(TspInsn *insn, int32_t by) {
    switch (insn->op) {
    case TSP_OP_READ:
        insn->addr += by;
        break;
    case TSP_OP_WRITE:
        insn->waddr += by;
        break;
    case TSP_OP_LW:
        insn->group += by;
        break;
    case TSP_OP_ACC:
        insn->row += by;
        break;
    default:
        break;
    }
}

/* What half of an event adds to the address of its run. */
static int32_t event_step(const Module *m, const Event *e, int half) {
    return e->run[half] < 0 ? 0 : tsp_run_step(&m->runs[e->run[half]], e->iter[half]);
}

static TspInsn event_insn(const Module *m, const Event *e) {
    TspInsn insn = m->runs[e->run[0]].insn;
    step_address(&insn, event_step(m, e, 0));
    if (e->run[1] >= 0) {
        TspInsn write = m->runs[e->run[1]].insn;
        step_address(&write, event_step(m, e, 1));
        insn.op = TSP_OP_READ_WRITE;
        insn.waddr = write.waddr;
        insn.wstream = write.wstream;
    }
    return insn;
}

static bool push(TspQueue *q, const TspInsn *insn, const TspInsnDebug *debug, TspError *err) {
    static const TspInsnDebug none = {{-1, -1}, {0, 0}, 0};
    TspWord word;
    if (!tsp_encode(insn, &word, err)) {
        err->kind = TSP_ERR_BUG;
        return false;
    }
    if (!tsp_queue_push(q, word, debug ? debug : &none))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    return true;
}

static bool push_nops(TspQueue *q, int64_t cycles, TspError *err) {
    while (cycles > 0) {
        TspInsn nop = {.op = TSP_OP_NOP, .n = cycles > 65535 ? 65535 : (int32_t)cycles};
        if (!push(q, &nop, NULL, err)) return false;
        cycles -= nop.n;
    }
    return true;
}

/* One dimension of a Repeat. */
typedef struct {
    int32_t times; /* more than once */
    int64_t every;
    int32_t step[2];
    bool evenly; /* no other steps are to be expected */
} Dimension;

enum { MOST_REPEATS = 65535, MOST_STEP = 8191 };

/* Whether b is `by` issues of the same runs after a, in the cycle given. */
static inline bool follows(const Event *a, const Event *b, int32_t by, int64_t cycle) {
    return b->cycle == cycle && b->run[0] == a->run[0] && b->run[1] == a->run[1] &&
           b->iter[0] == a->iter[0] + by && (a->run[1] < 0 || b->iter[1] == a->iter[1] + by);
}

/* Whether the addresses of an event's runs step evenly for good, so that they need no look. */
static bool steps_evenly(const Module *m, const Event *e) {
    return !m->runs[e->run[0]].wrap && (e->run[1] < 0 || !m->runs[e->run[1]].wrap);
}

/* Whether list[k] is what the dimension makes of list[i] after so many times. */
static inline bool steps_to(const Module *m, const Event *list, int32_t i, int32_t k, int64_t times,
                            const Dimension *d) {
    const Event *a = &list[i], *b = &list[k];
    if (!follows(a, b, k - i, a->cycle + times * d->every)) return false;
    if (d->evenly) return true;
    for (int half = 0; half < 2; half++)
        if (event_step(m, b, half) != event_step(m, a, half) + times * d->step[half]) return false;
    return true;
}

/* The dimension by which list[i] becomes list[k]; false if no Repeat can say it. */
static bool dimension(const Module *m, const Event *list, int32_t i, int32_t k, Dimension *d) {
    *d = (Dimension){.every = list[k].cycle - list[i].cycle, .evenly = steps_evenly(m, &list[i])};
    if (!follows(&list[i], &list[k], k - i, list[k].cycle)) return false;
    for (int half = 0; half < 2; half++)
        d->step[half] = event_step(m, &list[k], half) - event_step(m, &list[i], half);
    return d->every <= MOST_REPEATS && abs(d->step[0]) <= MOST_STEP && abs(d->step[1]) <= MOST_STEP;
}

/* How many events from list[i] on one instruction with its Repeat can issue. */
static int32_t stretch(const Module *m, const Event *list, int32_t i, int32_t count,
                       Dimension *inner, Dimension *outer) {
    int32_t row = 1;
    *inner = *outer = (Dimension){0};
    if (i + 1 >= count || !dimension(m, list, i, i + 1, inner)) return 1;
    while (i + row < count && row <= MOST_REPEATS && steps_to(m, list, i, i + row, row, inner))
        row++;
    inner->times = row - 1;
    if (i + 2 * row > count || !dimension(m, list, i, i + row, outer)) return row;
    for (int32_t n = 1; n <= MOST_REPEATS && i + (n + 1) * row <= count; n++) {
        for (int32_t j = 0; j < row; j++)
            if (!steps_to(m, list, i, i + n * row, n, outer) ||
                !steps_to(m, list, i + n * row, i + n * row + j, j, inner))
                return row * n;
        outer->times = n;
    }
    return row * (outer->times + 1);
}

static bool emit_queue(const Module *m, TspProgram *program, int32_t queue, const Event *list,
                       int32_t count, TspError *err) {
    TspQueue *q = &program->queues[queue];
    int64_t now = 0;
    for (int32_t i = 0, n; i < count; i += n) {
        const Event *e = &list[i];
        TspInsn insn = event_insn(m, e);
        TspInsnDebug debug = {{e->run[0], e->run[1]}, {e->iter[0], e->iter[1]}, 0};
        Dimension inner, outer;
        n = stretch(m, list, i, count, &inner, &outer);
        if (!tsp_insn_validate(&m->machine, &insn, queue, err)) {
            err->kind = err->rule == TSP_RULE_ALU_WIRING ? TSP_ERR_NOT_MODELLED : TSP_ERR_BUG;
            return false;
        }
        if (!push_nops(q, e->cycle - now, err) || !push(q, &insn, &debug, err)) return false;
        if (n > 1) {
            TspInsn repeat = {.op = TSP_OP_REPEAT,
                              .n = inner.times,
                              .d = (int32_t)inner.every,
                              .a = inner.step[0],
                              .w = inner.step[1]};
            if (outer.times > 0) {
                repeat.n2 = outer.times;
                repeat.d2 = (int32_t)outer.every;
                repeat.a2 = outer.step[0];
                repeat.w2 = outer.step[1];
            }
            if (!push(q, &repeat, NULL, err)) return false;
        }
        now = list[i + n - 1].cycle + 1;
    }
    return true;
}

static bool emit_queues(const Module *m, TspProgram *program, TspError *err) {
    RunKey *keys = malloc((size_t)m->run_count * sizeof *keys + 1);
    bool ok = keys != NULL;
    if (!ok) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < m->run_count; i++)
        keys[i] = (RunKey){m->runs[i].queue, m->runs[i].start, i};
    qsort(keys, (size_t)m->run_count, sizeof *keys, by_queue_then_start);
    for (int32_t i = 0, n; i < m->run_count && ok; i += n) {
        int32_t events;
        Event *list;
        for (n = 1; i + n < m->run_count && keys[i + n].queue == keys[i].queue;) n++;
        if (!(list = expand(m, keys + i, n, &events)))
            ok = tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        else if (!join(m, list, &events))
            ok = tsp_fail(err, TSP_ERR_BUG,
                          "two instructions of one queue were placed in one cycle");
        else
            ok = emit_queue(m, program, keys[i].queue, list, events, err);
        free(list);
    }
    free(keys);
    return ok;
}

static TspPiece piece_of(const Tensor *t, int32_t lanes, int32_t ctile, int32_t byte, Place p) {
    TspPiece piece = {.row_step = 1,
                      .col0 = ctile * lanes,
                      .byte = byte,
                      .slice = p.slice,
                      .addr = p.addr,
                      .addr_step = 1};
    piece.cols = tsp_min32(lanes, t->cols - piece.col0);
    if (t->bcast_cols) {
        piece.broadcast = tsp_min32(lanes, t->bcast_cols - piece.col0);
        piece.col0 = 0;
        piece.cols = 1;
    }
    return piece;
}

/* One block of a flat tensor: whole rows, then the last one if it is not. */
static void flat_pieces(const Tensor *t, int32_t lanes, int64_t elements, TspPiece p,
                        TspTensor *out) {
    int32_t rest = (int32_t)(elements % lanes);
    bool ends = rest && p.row0 + p.rows == t->rows;
    p.col0 = p.row0 * lanes;
    p.col_step = lanes;
    p.row0 = p.row_step = 0;
    p.cols = lanes;
    p.rows -= ends;
    if (p.rows > 0) out->pieces[out->piece_count++] = p;
    if (!ends) return;
    p.col0 += p.rows * lanes;
    p.addr += p.rows;
    p.cols = rest;
    p.rows = 1;
    out->pieces[out->piece_count++] = p;
}

/* Of the one row that a flat tensor is for the host. */
static TspPiece flat_stripe(TspPiece p, int32_t lanes) {
    p.col0 = p.row0 * lanes;
    p.col_step = p.row_step * lanes;
    p.row0 = p.row_step = 0;
    p.cols = lanes;
    return p;
}

/* One block of a lanewise tensor: the rows that reach as many lanes as there are, then those that
 * reach one less. */
static void lanewise_pieces(const Tensor *t, int64_t elements, TspPiece p, TspTensor *out) {
    int32_t lanes = tsp_ceil_div(elements, t->rows);
    int32_t full = (int32_t)(elements - (int64_t)(lanes - 1) * t->rows), end = p.row0 + p.rows;
    int32_t row = p.row0, addr = p.addr;
    p.row0 = p.row_step = 0;
    p.col_step = 1;
    p.lane_skip = t->rows - 1;
    for (int32_t next; row < end; row = next) {
        next = row < full ? tsp_min32(full, end) : end;
        p.col0 = row;
        p.cols = lanes - (row >= full);
        p.rows = next - row;
        p.addr = addr;
        addr += p.rows;
        out->pieces[out->piece_count++] = p;
    }
}

/* One block of a tensor whose first rows end in `strip`, seen flat: what is not there. */
static void beside_strip(const Tensor *t, const Tensor *strip, TspPiece p, TspTensor *out) {
    int32_t end = p.row0 + p.rows, skipped = tsp_min32(p.rows, strip->cols - p.row0);
    if (p.col0 + p.cols == t->cols && skipped > 0) {
        p.row0 += skipped;
        p.addr += skipped;
        p.rows = end - p.row0;
    }
    p.col0 += p.row0 * t->cols;
    p.col_step = t->cols;
    p.row0 = p.row_step = 0;
    if (p.rows > 0) out->pieces[out->piece_count++] = p;
}

/* The strip of a tensor, seen flat: a row of it is a column. */
static void strip_pieces(const Tensor *t, const Tensor *strip, int32_t lanes, TspTensor *out) {
    for (int32_t block = 0; block < strip->blocks; block++)
        for (int32_t ctile = 0; ctile < strip->ctiles; ctile++)
            for (int32_t byte = 0; byte < strip->bytes; byte++) {
                int32_t row = block * strip->block_rows;
                TspPiece p =
                    piece_of(strip, lanes, ctile, byte, tsp_place(strip, 0, row, ctile, byte));
                p.rows = tsp_min32(strip->block_rows, strip->rows - row);
                p.col0 = p.col0 * t->cols + t->cols - strip->rows + row;
                p.row_step = 0;
                p.col_step = 1;
                p.lane_skip = t->cols - 1;
                out->pieces[out->piece_count++] = p;
            }
}

/* Pieces of a tensor at most. */
static size_t most_pieces(const TspMachine *m, const Tensor *t) {
    int32_t places = t->places ? t->copies * (t->blocks + t->flat) : 0;
    int32_t stripes = t->stripes ? t->stripe_blocks * (int32_t)m->mxm_load_streams : 0;
    if (t->pieces) return (size_t)t->piece_count;
    return (size_t)t->ctiles * (size_t)t->bytes * (size_t)(places + stripes);
}

static bool emit_tensor(const Module *module, const Tensor *t, TspTensor *out, TspError *err) {
    const TspMachine *m = &module->machine;
    const Tensor *strip = t->strip ? &module->tensors[t->strip] : NULL;
    const bool flat = t->flat && !t->bcast_cols;
    int32_t lanes = tsp_lanes(m), group = (int32_t)m->mxm_load_streams;
    size_t most = most_pieces(m, t) + (strip ? most_pieces(m, strip) : 0);
    *out = (TspTensor){.dtype = t->dtype,
                       .role = t->role,
                       .rank = t->rank,
                       .transposed = t->transposed,
                       .flat = flat || strip,
                       .finite = t->finite,
                       .bounded = t->bounded,
                       .low = t->low,
                       .high = t->high,
                       .pad = t->pad};
    memcpy(out->shape, t->shape, sizeof out->shape);
    out->name = strdup(t->name);
    out->pieces = calloc(most + 1, sizeof *out->pieces);
    if (!out->name || !out->pieces) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (; out->piece_count < t->piece_count; out->piece_count++)
        out->pieces[out->piece_count] = t->pieces[out->piece_count];
    for (int32_t copy = 0; t->places && copy < t->copies; copy++)
        for (int32_t block = 0; block < t->blocks; block++)
            for (int32_t ctile = 0; ctile < t->ctiles; ctile++)
                for (int32_t byte = 0; byte < t->bytes; byte++) {
                    int32_t row = block * t->block_rows;
                    TspPiece p =
                        piece_of(t, lanes, ctile, byte, tsp_place(t, copy, row, ctile, byte));
                    p.row0 = row;
                    p.rows = tsp_min32(t->block_rows, t->rows - row);
                    if (t->lanewise)
                        lanewise_pieces(t, tsp_tensor_elements(out), p, out);
                    else if (flat)
                        flat_pieces(t, lanes, tsp_tensor_elements(out), p, out);
                    else if (strip)
                        beside_strip(t, strip, p, out);
                    else
                        out->pieces[out->piece_count++] = p;
                }
    for (int32_t i = 0; t->stripes && i < t->stripe_blocks * t->ctiles * t->bytes * group; i++) {
        int32_t n = i % group, byte = i / group % t->bytes,
                ctile = i / group / t->bytes % t->ctiles;
        int32_t row = i / group / t->bytes / t->ctiles * t->stripe_rows;
        TspPiece p = piece_of(t, lanes, ctile, byte, t->stripes[i]);
        p.row0 = row + n;
        p.row_step = group;
        p.rows = tsp_ceil_div(tsp_min32(t->stripe_rows, tsp_striped_rows(t) - row) - n, group);
        if (t->flat) p = flat_stripe(p, lanes);
        if (p.rows > 0) out->pieces[out->piece_count++] = p;
    }
    if (strip) strip_pieces(t, strip, lanes, out);
    return !t->given || emit_as_given(t, out, err);
}

static bool emit_tensors(Module *m, TspProgram *program, TspError *err) {
    program->tensors = calloc((size_t)m->tensor_count + 1, sizeof *program->tensors);
    if (!program->tensors) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < m->tensor_count; i++) {
        program->tensor_count = i + 1;
        if (!emit_tensor(m, &m->tensors[i], &program->tensors[i], err)) return false;
        program->tensors[i].data = m->tensors[i].data; /* handed over */
        m->tensors[i].data = NULL;
    }
    return true;
}

static bool emit_ops(const Module *m, TspProgram *program, TspError *err) {
    const TspGraph *g = m->graph;
    program->ops = calloc((size_t)g->node_count + 1, sizeof *program->ops);
    if (!program->ops) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < g->node_count; i++) {
        static const char *const types[] = {
#define OPERATOR(name, onnx, min_inputs, max_inputs) onnx,
#include "compiler/graph/ops.def"
#undef OPERATOR
        };
        TspOpInfo *op = &program->ops[program->op_count++];
        *op = (TspOpInfo){.name = strdup(g->nodes[i].name),
                          .type = strdup(types[g->nodes[i].op]),
                          .line = g->nodes[i].line,
                          .start = -1,
                          .end = -1,
                          .bound = m->op_bound[i]};
        if (!op->name || !op->type) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    }
    program->predicted_cycles = 0;
    for (int32_t i = 0; i < m->run_count; i++) {
        const Run *r = &m->runs[i];
        TspOpInfo *op = &program->ops[r->op];
        int64_t end =
            r->start + (int64_t)(r->count - 1) * r->interval + tsp_insn_func(&m->machine, &r->insn);
        if (op->start < 0 || r->start < op->start) op->start = r->start;
        if (end > op->end) op->end = end;
        if (end > program->predicted_cycles) program->predicted_cycles = end;
    }
    return true;
}

static bool emit_debug(const Module *m, TspProgram *program, TspError *err) {
    program->runs = malloc((size_t)m->run_count * sizeof *program->runs + 1);
    program->links = malloc((size_t)m->link_count * sizeof *program->links + 1);
    if (!program->runs || !program->links) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < m->run_count; i++)
        program->runs[i] =
            (TspRun){m->runs[i].op, m->runs[i].queue, m->runs[i].count, m->runs[i].tensor};
    program->run_count = m->run_count;
    if (m->link_count) memcpy(program->links, m->links, (size_t)m->link_count * sizeof *m->links);
    program->link_count = m->link_count;
    return true;
}

bool tsp_pass_emit(Module *module, TspProgram *program, TspError *err) {
    program->name = strdup(module->graph->name);
    program->source = strdup(module->graph->path);
    program->bound_by = strdup(module->bound_by ? module->bound_by : "");
    if (!program->name || !program->source || !program->bound_by)
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    program->bound_cycles = module->bound_cycles;
    program->macs = module->macs;
    return emit_queues(module, program, err) && emit_ops(module, program, err) &&
           emit_debug(module, program, err) && emit_tensors(module, program, err);
}
