/* sim.c - the fast engine from outside: load, tensors, moving time, looking. */
#include "isa/asm.h"
#include "stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* -- faults -- */

bool sim_fault(TspSim *sim, TspError *err, TspRule rule, int64_t cycle, int32_t queue,
               int32_t index, const char *format, ...) {
    const Word *word = &sim->words[queue][index];
    char name[32], detail[320], insn[128] = "", op[128] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    if (word->fault == WORD_FINE) {
        tsp_insn_text(sim->m, &word->insn, insn, sizeof insn - 2);
        strcat(insn, ": ");
    }
    if (word->op[0] >= 0 || word->op[1] >= 0) {
        const TspOpInfo *source = &sim->program->ops[word->op[0] >= 0 ? word->op[0] : word->op[1]];
        snprintf(op, sizeof op, " (op %.80s, graph line %d)", source->name ? source->name : "?",
                 (int)source->line);
    }
    tsp_queue_name(sim->m, queue, name);
    return tsp_fail_rule(err, rule, cycle, queue, name, index, "%s%s%s", insn, detail, op);
}

/* Remembers why the program stopped. A product lost before the fault, found only now, was first. */
static bool stop(TspSim *sim, TspError *err) {
    TspError earlier;
    if (err->cycle > 0 && !sim_mxm_none_lost(sim, err->cycle, &earlier)) *err = earlier;
    sim->failed = true;
    sim->failure = *err;
    return false;
}

/* -- loading -- */

static int32_t power_of_two(int64_t least) {
    int32_t power = 64;
    while (power < least) power *= 2;
    return power;
}

/* Constants of the run that come from the machine. */
static bool measure(TspSim *sim, TspError *err) {
    const TspMachine *m = sim->m;
    int64_t longest = 1;
    sim->lanes = tsp_lanes(m);
    sim->columns = tsp_columns(m);
    sim->queues = tsp_queue_count(m);
    sim->slice_rows = tsp_mem_slice_rows(m);
    sim->ring = power_of_two(sim->columns);
    for (int32_t q = 0; q < sim->queues; q++) sim->info[q] = tsp_queue_info(m, q);
    for (int32_t op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsnInfo *info = tsp_insn_info((TspOpcode)op);
        sim->func[op] = tsp_insn_func(m, (TspOpcode)op);
        if (!info->modelled) continue;
        if (tsp_insn_skew(m, (TspOpcode)op) != 0)
            return tsp_fail(err, TSP_ERR_BUG, "%s has a d_skew; the engine samples at issue",
                            info->mnemonic);
        for (int32_t f = 0; f < info->field_count; f++)
            if (info->fields[f].name && info->fields[f].offset == offsetof(TspInsn, src_b))
                sim->binary[op] = true;
        /* What Notify releases need not fit in the wheel: queues may wait beyond it. */
        if (op != TSP_OP_NOTIFY && sim->func[op] > longest) longest = sim->func[op];
    }
    sim->wheel = power_of_two(longest + 1);
    /* Everything that can be under way: what units drive and write in a cycle, over the wheel; what
     * stands on streams; what arrays and ALUs hold. */
    sim->event_capacity = sim->wheel * (2 * SIM_SLICES + 6 * SIM_ALUS + 4 * SIM_PLANES + 4 * 16);
    sim->vec_capacity = sim->event_capacity + TSP_MAX_STREAMS * sim->ring +
                        sim->wheel * 8 * SIM_ALUS + SIM_PLANES * SIM_PRODUCTS * 2 + 64;
    return true;
}

static int32_t op_of_run(const TspProgram *p, int32_t run) {
    int32_t op = run >= 0 && run < p->run_count ? p->runs[run].op : -1;
    return op < p->op_count ? op : -1;
}

static bool predecode(TspSim *sim, int32_t queue, TspError *err) {
    const TspQueue *q = &sim->program->queues[queue];
    char name[32];
    TspError ignored;
    if (q->count == 0) return true;
    if (queue >= sim->queues)
        return tsp_fail_rule(err, TSP_RULE_QUEUE_UNIT, -1, queue, "", 0,
                             "queue %d has instructions and machine %s has %d queues", (int)queue,
                             sim->m->name, (int)sim->queues);
    sim->words[queue] = calloc((size_t)q->count, sizeof(Word));
    if (!sim->words[queue]) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory loading a program");
    sim->word_count[queue] = q->count;
    tsp_queue_name(sim->m, queue, name);
    for (int32_t i = 0; i < q->count; i++) {
        Word *word = &sim->words[queue][i];
        for (int32_t half = 0; half < 2; half++)
            word->op[half] = q->debug ? op_of_run(sim->program, q->debug[i].run[half]) : -1;
        if (!tsp_decode(q->words[i], &word->insn, &ignored))
            word->fault = WORD_UNDECODABLE;
        else if (!tsp_insn_validate(sim->m, &word->insn, queue, &ignored))
            word->fault = WORD_INVALID;
        else if (!tsp_insn_info(word->insn.op)->modelled)
            word->fault = WORD_NOT_MODELLED;
        else if (sim->info[queue].unit == TSP_UNIT_VXM &&
                 tsp_insn_info(word->insn.op)->unit == TSP_UNIT_VXM &&
                 !tsp_lanes_knows(&word->insn))
            word->fault = WORD_NOT_MODELLED;
    }
    return true;
}

static void *map(size_t bytes) {
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return region == MAP_FAILED ? NULL : region;
}

/* Everything is allocated here, once, and touched only where the program goes. */
static bool allocate(TspSim *sim, TspError *err) {
    const size_t n = (size_t)sim->lanes, planes = SIM_PLANES, wheel = (size_t)sim->wheel;
    const size_t rows = (size_t)(2 * sim->m->mem_slices) * (size_t)sim->slice_rows;
    const size_t kept = planes * (size_t)sim->m->mxm_accumulator_rows;
    sim->memory_bytes = rows * n;
    sim->memory = map(sim->memory_bytes);
    sim->defined = calloc(rows / 64 + 1, sizeof *sim->defined);
    sim->slots = calloc(TSP_MAX_STREAMS * (size_t)sim->ring, sizeof *sim->slots);
    sim->buckets = calloc(wheel, sizeof *sim->buckets);
    sim->occupied = calloc(wheel / 64, sizeof *sim->occupied);
    sim->events = calloc((size_t)sim->event_capacity, sizeof *sim->events);
    sim->vectors = calloc((size_t)sim->vec_capacity, TSP_MAX_LANES);
    sim->vec_refs = calloc((size_t)sim->vec_capacity, sizeof *sim->vec_refs);
    sim->results = calloc((size_t)SIM_ALUS * SIM_ALU_RESULTS * TSP_MAX_LANES, sizeof *sim->results);
    sim->operands = calloc(2 * TSP_MAX_LANES, sizeof *sim->operands);
    sim->weights = calloc(planes * 3, n * n);
    sim->products = calloc(planes * SIM_PRODUCTS * n, sizeof *sim->products);
    sim->accumulators = calloc(kept * n + 1, sizeof *sim->accumulators);
    sim->accumulator_type = calloc(kept + 1, 1);
    sim->int8_weights = aligned_alloc(64, planes * sizeof *sim->int8_weights);
    sim->fp16_weights = aligned_alloc(64, planes / 2 * sizeof *sim->fp16_weights);
    sim->intervals = calloc((size_t)sim->program->op_count + 1, sizeof *sim->intervals);
    sim->inputs = calloc((size_t)sim->program->tensor_count + 1, sizeof *sim->inputs);
    if (sim->memory && sim->defined && sim->slots && sim->buckets && sim->occupied && sim->events &&
        sim->vectors && sim->vec_refs && sim->results && sim->operands && sim->weights &&
        sim->products && sim->accumulators && sim->accumulator_type && sim->int8_weights &&
        sim->fp16_weights && sim->intervals && sim->inputs)
        return true;
    return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator's state");
}

/* Refuses pieces that lie outside the machine or the tensor. */
static bool check_tensor(const TspSim *sim, const TspTensor *t, TspError *err) {
    int64_t rows, cols;
    tsp_tensor_matrix(t, &rows, &cols);
    for (int32_t i = 0; i < t->piece_count; i++) {
        const TspPiece *p = &t->pieces[i];
        int64_t steps = (int64_t)p->rows - 1, row = p->row0 + steps * p->row_step;
        int64_t addr = p->addr + steps * p->addr_step;
        bool fits = p->rows >= 0 && p->slice >= 0 && p->slice < 2 * sim->m->mem_slices;
        if (p->rows == 0) continue;
        fits = fits && p->addr >= 0 && p->addr < sim->slice_rows && addr >= 0 &&
               addr < sim->slice_rows && p->row0 >= 0 && p->row0 < rows && row >= 0 && row < rows &&
               p->cols >= 0 && p->cols <= sim->lanes && p->col0 >= 0 && p->col0 + p->cols <= cols &&
               p->byte >= 0 && p->byte < tsp_dtype_bytes(t->dtype) && p->broadcast >= 0 &&
               p->broadcast <= sim->lanes;
        if (!fits)
            return tsp_fail(err, TSP_ERR_INPUT,
                            "tensor %s, piece %d lies outside machine %s or the tensor",
                            t->name ? t->name : "?", (int)i, sim->m->name);
    }
    return true;
}

static void place(TspSim *sim, int32_t tensor, const uint8_t *data) {
    const TspTensor *t = &sim->program->tensors[tensor];
    uint8_t vector[TSP_MAX_LANES];
    for (int32_t k = 0; k < t->piece_count; k++)
        for (int32_t i = 0; i < t->pieces[k].rows; i++) {
            const TspPiece *p = &t->pieces[k];
            tsp_piece_pack(sim->m, t, p, i, data, vector);
            sim_mem_define(sim, sim_row_id(sim, p->slice, p->addr + i * p->addr_step), vector);
        }
}

/* Back to cycle 0, with constants and the inputs written so far in memory. */
static bool reset(TspSim *sim, TspError *err) {
    State *st = &sim->state;
    memset(st, 0, sizeof *st);
    sim->failed = false;
    st->far_first = SIM_NEVER;
    st->event_free = st->vec_free = SIM_NONE;
    for (int32_t i = 0; i < SIM_ALUS; i++) st->alu[i].produced = -1;
    sim_mxm_reset(sim);
    for (int32_t i = 0; i < sim->program->op_count; i++) sim->intervals[i] = (TspInterval){-1, -1};
    for (int32_t i = 0; i < TSP_MAX_STREAMS * sim->ring; i++)
        sim->slots[i] = (StreamSlot){.diagonal = INT64_MIN, .vec = SIM_NONE};
    memset(sim->occupied, 0, (size_t)sim->wheel / 8);
    memset(sim->buckets, 0, (size_t)sim->wheel * sizeof *sim->buckets);
    for (int32_t i = 0; i < sim->wheel; i++)
        for (int32_t late = 0; late < 2; late++)
            sim->buckets[i].head[late] = sim->buckets[i].tail[late] = SIM_NONE;
    memset(sim->defined, 0,
           (sim_row_id(sim, 2 * (int32_t)sim->m->mem_slices, 0) / 64 + 1) * sizeof *sim->defined);
    for (int32_t i = 0; i < sim->program->tensor_count; i++) {
        const TspTensor *t = &sim->program->tensors[i];
        if (sim->inputs[i])
            place(sim, i, sim->inputs[i]);
        else if (t->role == TSP_ROLE_CONSTANT && t->data)
            place(sim, i, t->data);
    }
    return sim_queues_start(sim, err) || stop(sim, err);
}

static bool load(TspSim *sim, TspError *err) {
    if (!tsp_machine_validate(sim->m, err) || !measure(sim, err) || !allocate(sim, err))
        return false;
    for (int32_t i = 0; i < sim->program->tensor_count; i++)
        if (!check_tensor(sim, &sim->program->tensors[i], err)) return false;
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++)
        if (!predecode(sim, q, err)) return false;
    return reset(sim, err);
}

TspSim *tsp_sim_new(const TspProgram *program, TspError *err) {
    TspSim *sim = calloc(1, sizeof *sim);
    if (!sim) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator's state");
        return NULL;
    }
    sim->program = program;
    sim->m = &program->machine;
    if (load(sim, err)) return sim;
    tsp_sim_free(sim);
    return NULL;
}

void tsp_sim_free(TspSim *sim) {
    if (!sim) return;
    if (sim->memory) munmap(sim->memory, sim->memory_bytes);
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++) free(sim->words[q]);
    for (int32_t i = 0; sim->inputs && i < sim->program->tensor_count; i++) free(sim->inputs[i]);
    free(sim->inputs);
    free(sim->intervals);
    free(sim->slots);
    free(sim->buckets);
    free(sim->occupied);
    free(sim->events);
    free(sim->vectors);
    free(sim->vec_refs);
    free(sim->defined);
    free(sim->results);
    free(sim->operands);
    free(sim->weights);
    free(sim->products);
    free(sim->accumulators);
    free(sim->accumulator_type);
    free(sim->int8_weights);
    free(sim->fp16_weights);
    free(sim);
}

/* -- tensors -- */

static const TspTensor *tensor_at(const TspSim *sim, int32_t tensor, TspError *err) {
    if (tensor >= 0 && tensor < sim->program->tensor_count) return &sim->program->tensors[tensor];
    tsp_fail(err, TSP_ERR_INPUT, "tensor %d: the program has %d", (int)tensor,
             (int)sim->program->tensor_count);
    return NULL;
}

bool tsp_sim_write_tensor(TspSim *sim, int32_t tensor, const uint8_t *data, TspError *err) {
    const TspTensor *t = tensor_at(sim, tensor, err);
    size_t bytes;
    if (!t) return false;
    if (sim->state.now > 0)
        return tsp_fail(err, TSP_ERR_INPUT, "tensor %s: write it before cycle 0, not in cycle %lld",
                        t->name ? t->name : "?", (long long)sim->state.now);
    bytes = (size_t)tsp_tensor_bytes(t);
    if (!sim->inputs[tensor]) sim->inputs[tensor] = malloc(bytes + 1);
    if (!sim->inputs[tensor]) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a tensor");
    memcpy(sim->inputs[tensor], data, bytes);
    place(sim, tensor, data);
    return true;
}

/* Pieces are unpacked last to first, so that the first one that covers an element decides; `cover`
 * is unpacked the same way from all ones where the row was written, from zeros where it was not. */
static void collect(const TspSim *sim, const TspTensor *t, uint8_t *data, uint8_t *cover) {
    uint8_t ones[TSP_MAX_LANES], zeros[TSP_MAX_LANES] = {0};
    memset(ones, 0xff, sizeof ones);
    for (int32_t k = t->piece_count - 1; k >= 0; k--)
        for (int32_t i = t->pieces[k].rows - 1; i >= 0; i--) {
            const TspPiece *p = &t->pieces[k];
            const uint8_t *row = tsp_sim_row(sim, p->slice, p->addr + i * p->addr_step);
            tsp_piece_unpack(sim->m, t, p, i, row ? row : zeros, data);
            tsp_piece_unpack(sim->m, t, p, i, row ? ones : zeros, cover);
        }
}

bool tsp_sim_read_tensor(const TspSim *sim, int32_t tensor, uint8_t *data, TspError *err) {
    const TspTensor *t = tensor_at(sim, tensor, err);
    size_t bytes, i = 0;
    uint8_t *cover;
    if (!t) return false;
    bytes = (size_t)tsp_tensor_bytes(t);
    cover = calloc(bytes + 1, 1);
    if (!cover) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a tensor");
    collect(sim, t, data, cover);
    while (i < bytes && cover[i]) i++;
    free(cover);
    if (i == bytes) return true;
    return tsp_fail_rule(err, TSP_RULE_ROW_UNDEFINED, sim->state.now, -1, "", -1,
                         "tensor %s: nobody wrote byte %zu of element %zu", t->name ? t->name : "?",
                         i % (size_t)tsp_dtype_bytes(t->dtype),
                         i / (size_t)tsp_dtype_bytes(t->dtype));
}

/* -- time -- */

bool tsp_sim_run_until(TspSim *sim, int64_t cycle, TspError *err) {
    if (sim->failed) {
        *err = sim->failure;
        return false;
    }
    return sim_advance(sim, cycle, err) || stop(sim, err);
}

bool tsp_sim_run(TspSim *sim, TspError *err) {
    return tsp_sim_run_until(sim, SIM_NEVER, err);
}

bool tsp_sim_step(TspSim *sim, TspError *err) {
    return tsp_sim_run_until(sim, sim->state.now + 1, err);
}

bool tsp_sim_seek(TspSim *sim, int64_t cycle, TspError *err) {
    if (cycle < 0) cycle = 0;
    if ((sim->failed || cycle < sim->state.now) && !reset(sim, err)) return false;
    return tsp_sim_run_until(sim, cycle, err);
}

int64_t tsp_sim_now(const TspSim *sim) {
    return sim->state.now;
}

bool tsp_sim_done(const TspSim *sim) {
    return sim->state.done;
}

/* -- looking -- */

TspSimStats tsp_sim_stats(const TspSim *sim) {
    TspSimStats stats = sim->state.stats;
    int32_t column;
    /* A drive counts its value's whole way to the edge; take off what still lies ahead. */
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t i = 0; i < sim->ring; i++)
            stats.stream_hops -=
                sim_slot_ahead(sim, stream, &sim->slots[stream * sim->ring + i], &column);
    return stats;
}

TspInterval tsp_sim_op_interval(const TspSim *sim, int32_t op) {
    if (op < 0 || op >= sim->program->op_count) return (TspInterval){-1, -1};
    return sim->intervals[op];
}

/* What lands on a register or in a row in this very cycle, of which nothing is executed yet. */
static const uint8_t *landing(const TspSim *sim, EventKind kind, int32_t where, int32_t column) {
    const Bucket *bucket = &sim->buckets[sim->state.now & (sim->wheel - 1)];
    const uint8_t *vector = NULL;
    for (int32_t i = bucket->head[0]; i != SIM_NONE; i = sim->events[i].next) {
        const Event *event = &sim->events[i];
        if (event->kind != kind) continue;
        if (kind == EVENT_DRIVE ? event->stream == where && event->column == column
                                : event->target == where)
            vector = sim_vec(sim, event->vec[0]);
    }
    return vector;
}

const uint8_t *tsp_sim_stream(const TspSim *sim, int32_t stream, int32_t column) {
    const uint8_t *vector;
    int32_t vec;
    if (stream < 0 || stream >= TSP_MAX_STREAMS || column < 0 || column >= sim->columns)
        return NULL;
    vector = landing(sim, EVENT_DRIVE, stream, column);
    if (vector) return vector;
    vec = sim_stream_look(sim, stream, column);
    return vec == SIM_NONE ? NULL : sim_vec(sim, vec);
}

const uint8_t *tsp_sim_row(const TspSim *sim, int32_t slice, int32_t addr) {
    const uint8_t *vector;
    size_t row;
    if (slice < 0 || slice >= 2 * sim->m->mem_slices || addr < 0 || addr >= sim->slice_rows)
        return NULL;
    row = sim_row_id(sim, slice, addr);
    vector = landing(sim, EVENT_WRITE, (int32_t)row, 0);
    if (vector) return vector;
    return sim_row_defined(sim, row) ? sim_row(sim, row) : NULL;
}
