/* sim.c - the simulator from outside: tensors in and out, moving time, why a run stopped. What
 * happens in a cycle is the engine's. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

static const Engine *const engines[] = {
    [TSP_ENGINE_FAST] = &fast_engine, [TSP_ENGINE_REFERENCE] = &reference_engine};

/* -- loading -- */

/* Refuses pieces that lie outside the machine or the tensor. */
static bool check_tensor(const TspMachine *m, const TspTensor *t, TspError *err) {
    const int64_t slice_rows = tsp_mem_slice_rows(m);
    for (int32_t i = 0; i < t->piece_count; i++) {
        const TspPiece *p = &t->pieces[i];
        int64_t addr = p->addr + ((int64_t)p->rows - 1) * p->addr_step;
        bool fits = p->rows >= 0 && p->slice >= 0 && p->slice < 2 * m->mem_slices;
        if (p->rows == 0) continue;
        fits = fits && p->addr >= 0 && p->addr < slice_rows && addr >= 0 && addr < slice_rows &&
               tsp_piece_fits(m, t, p);
        if (!fits)
            return tsp_fail(err, TSP_ERR_INPUT,
                            "tensor %s, piece %d lies outside machine %s or the tensor",
                            t->name ? t->name : "?", (int)i, m->name);
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
            sim->engine->place(sim->state, p->slice, p->addr + i * p->addr_step, vector);
        }
}

/* Tells the engine which rows the tensors take. */
static void reserve(TspSim *sim) {
    for (int32_t t = 0; t < sim->program->tensor_count; t++)
        for (int32_t k = 0; k < sim->program->tensors[t].piece_count; k++) {
            const TspPiece *p = &sim->program->tensors[t].pieces[k];
            const int32_t last = (p->rows - 1) * p->addr_step, low = last < 0 ? last : 0;
            if (p->rows > 0)
                sim->engine->reserve(sim->state, p->slice, p->addr + low, abs(last) + 1);
        }
}

static bool stop(TspSim *sim, const TspError *err) {
    sim->failed = true;
    sim->failure = *err;
    return false;
}

/* Back to cycle 0, with constants and the inputs written so far in memory. */
static bool reset(TspSim *sim, TspError *err) {
    const TspProgram *p = sim->program;
    sim->failed = false;
    if (!sim->engine->reset(sim->state, err)) return stop(sim, err);
    for (int32_t i = 0; i < p->tensor_count; i++) {
        if (sim->inputs[i])
            place(sim, i, sim->inputs[i]);
        else if (p->tensors[i].role == TSP_ROLE_CONSTANT && p->tensors[i].data)
            place(sim, i, p->tensors[i].data);
    }
    return true;
}

/* Whether all words stand in queues that the machine has. */
static bool check_queues(const TspProgram *p, TspError *err) {
    for (int32_t q = tsp_queue_count(&p->machine); q < TSP_MAX_QUEUES; q++)
        if (p->queues[q].count > 0)
            return tsp_fail_rule(err, TSP_RULE_QUEUE_UNIT, -1, q, "", 0,
                                 "queue %d has instructions and machine %s has %d queues", (int)q,
                                 p->machine.name, (int)tsp_queue_count(&p->machine));
    return true;
}

static bool load(TspSim *sim, const TspSimOptions *options, TspError *err) {
    const TspProgram *p = sim->program;
    if (options->timing_only && (options->engine != TSP_ENGINE_FAST || sim->faults))
        return tsp_fail(err, TSP_ERR_INPUT,
                        "timing only: the fast engine does that, without "
                        "faults; leave out the other option");
    if (!tsp_machine_validate(sim->m, err) || !check_queues(p, err)) return false;
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (!check_tensor(sim->m, &p->tensors[i], err)) return false;
    sim->inputs = calloc((size_t)p->tensor_count + 1, sizeof *sim->inputs);
    if (!sim->inputs) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator");
    sim->state = sim->engine->create(p, options, err);
    if (sim->state && sim->engine->reserve) reserve(sim);
    return sim->state && reset(sim, err);
}

TspSim *tsp_sim_new(const TspProgram *program, const TspSimOptions *options, TspError *err) {
    const TspSimOptions defaults = {.engine = TSP_ENGINE_FAST};
    TspSim *sim = calloc(1, sizeof *sim);
    if (!sim) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the simulator");
        return NULL;
    }
    if (!options) options = &defaults;
    sim->program = program;
    sim->m = &program->machine;
    sim->engine = engines[options->engine];
    sim->faults = tsp_faults_on(&options->faults);
    if (load(sim, options, err)) return sim;
    tsp_sim_free(sim);
    return NULL;
}

void tsp_sim_free(TspSim *sim) {
    if (!sim) return;
    if (sim->state) sim->engine->destroy(sim->state);
    for (int32_t i = 0; sim->inputs && i < sim->program->tensor_count; i++) free(sim->inputs[i]);
    free(sim->inputs);
    free(sim);
}

/* -- tensors -- */

static const TspTensor *tensor_at(const TspSim *sim, int32_t tensor, TspError *err) {
    if (tensor >= 0 && tensor < sim->program->tensor_count) return &sim->program->tensors[tensor];
    tsp_fail(err, TSP_ERR_INPUT, "tensor %d: the program has %d", (int)tensor,
             (int)sim->program->tensor_count);
    return NULL;
}

static int32_t integer(TspDtype type, const uint8_t *data, int64_t i) {
    int16_t i16;
    int32_t i32;
    switch (type) {
    case TSP_I8:
        return (int8_t)data[i];
    case TSP_I16:
        return memcpy(&i16, data + 2 * i, sizeof i16), i16;
    case TSP_I32:
        return memcpy(&i32, data + 4 * i, sizeof i32), i32;
    default:
        return data[i];
    }
}

/* Refuses a value outside the tensor's bounds. */
static bool check_bounds(const TspTensor *t, const uint8_t *data, TspError *err) {
    const int64_t elements = t->bounded ? tsp_tensor_elements(t) : 0;
    for (int64_t i = 0; i < elements; i++) {
        const int32_t value = integer(t->dtype, data, i);
        if (value >= t->low && value <= t->high) continue;
        return tsp_fail(err, TSP_ERR_INPUT,
                        "tensor %s: element %lld is %d; the program was made for values from %d to "
                        "%d only",
                        t->name ? t->name : "?", (long long)i, (int)value, (int)t->low,
                        (int)t->high);
    }
    return true;
}

bool tsp_sim_write_tensor(TspSim *sim, int32_t tensor, const uint8_t *data, TspError *err) {
    const TspTensor *t = tensor_at(sim, tensor, err);
    size_t bytes;
    if (!t) return false;
    if (tsp_sim_now(sim) > 0)
        return tsp_fail(err, TSP_ERR_INPUT, "tensor %s: write it before cycle 0, not in cycle %lld",
                        t->name ? t->name : "?", (long long)tsp_sim_now(sim));
    if (!check_bounds(t, data, err)) return false;
    bytes = (size_t)tsp_tensor_bytes(t);
    if (!sim->inputs[tensor]) sim->inputs[tensor] = malloc(bytes + 1);
    if (!sim->inputs[tensor]) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a tensor");
    memcpy(sim->inputs[tensor], data, bytes);
    place(sim, tensor, data);
    return true;
}

/* A row as the host gets it: words corrected by their check bits where faults are on, zeros where
 * no write has landed; `cover` has all ones where one has. */
static bool host_row(const TspSim *sim, const TspTensor *t, int32_t slice, int32_t addr,
                     uint8_t *vector, uint8_t *cover, TspError *err) {
    const int32_t size = (int32_t)sim->m->lanes_per_superlane;
    const uint16_t *check = sim->faults ? sim->engine->row_check(sim->state, slice, addr) : NULL;
    uint32_t written = 0;
    const uint8_t *row = tsp_sim_row(sim, slice, addr, &written);
    char name[32];
    memset(vector, 0, TSP_MAX_LANES);
    memset(cover, 0, TSP_MAX_LANES);
    if (row) memcpy(vector, row, (size_t)tsp_lanes(sim->m));
    for (int32_t k = 0; k < sim->m->superlanes; k++) {
        uint16_t bits;
        if (!(written >> k & 1)) continue;
        memset(cover + k * size, 0xff, (size_t)size);
        if (!check) continue;
        bits = check[k];
        if (tsp_ecc_check(vector + k * size, size, &bits) != TSP_ECC_UNCORRECTABLE) continue;
        tsp_queue_name(sim->m, slice, name);
        return tsp_fail_at(err, TSP_ERR_FAULT, tsp_sim_now(sim), slice, name, -1,
                           "machine fault: two wrong bits in superlane %d of row 0x%04x, read to "
                           "the host for tensor %s; no result can be trusted, run again",
                           (int)k, (unsigned)addr, t->name ? t->name : "?");
    }
    return true;
}

/* Pieces are unpacked last to first, so that the first one that covers an element decides; `cover`
 * is unpacked the same way. */
static bool collect(const TspSim *sim, const TspTensor *t, uint8_t *data, uint8_t *cover,
                    TspError *err) {
    uint8_t vector[TSP_MAX_LANES], written[TSP_MAX_LANES];
    for (int32_t k = t->piece_count - 1; k >= 0; k--)
        for (int32_t i = t->pieces[k].rows - 1; i >= 0; i--) {
            const TspPiece *p = &t->pieces[k];
            if (!host_row(sim, t, p->slice, p->addr + i * p->addr_step, vector, written, err))
                return false;
            tsp_piece_unpack(sim->m, t, p, i, vector, data);
            tsp_piece_unpack(sim->m, t, p, i, written, cover);
        }
    return true;
}

bool tsp_sim_read_tensor(const TspSim *sim, int32_t tensor, uint8_t *data, TspError *err) {
    const TspTensor *t = tensor_at(sim, tensor, err);
    size_t bytes, i = 0;
    uint8_t *cover;
    bool good;
    if (!t) return false;
    bytes = (size_t)tsp_tensor_bytes(t);
    cover = calloc(bytes + 1, 1);
    if (!cover) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a tensor");
    good = collect(sim, t, data, cover, err);
    while (i < bytes && cover[i]) i++;
    free(cover);
    if (!good || i == bytes) return good;
    return tsp_fail_rule(err, TSP_RULE_ROW_UNDEFINED, tsp_sim_now(sim), -1, "", -1,
                         "tensor %s: nobody wrote byte %zu of element %zu", t->name ? t->name : "?",
                         i % (size_t)tsp_dtype_bytes(t->dtype),
                         i / (size_t)tsp_dtype_bytes(t->dtype));
}

/* -- starting again -- */

/* The input that lies where this output lies, and is replaced by it; -1 if none does. */
static int32_t state_input(const TspProgram *p, const TspTensor *output) {
    if (output->role != TSP_ROLE_OUTPUT || output->piece_count == 0) return -1;
    for (int32_t i = 0; i < p->tensor_count; i++) {
        const TspTensor *t = &p->tensors[i];
        if (t->role == TSP_ROLE_INPUT && t->piece_count == output->piece_count &&
            tsp_tensor_bytes(t) == tsp_tensor_bytes(output) &&
            !memcmp(t->pieces, output->pieces, (size_t)t->piece_count * sizeof *t->pieces))
            return i;
    }
    return -1;
}

bool tsp_sim_again(TspSim *sim, TspError *err) {
    const TspProgram *p = sim->program;
    for (int32_t i = 0; i < p->tensor_count; i++) {
        const int32_t input = state_input(p, &p->tensors[i]);
        if (input >= 0 && sim->inputs[input] &&
            !tsp_sim_read_tensor(sim, i, sim->inputs[input], err))
            return false;
    }
    return reset(sim, err);
}

/* -- time -- */

bool tsp_sim_run_until(TspSim *sim, int64_t cycle, TspError *err) {
    if (sim->failed) {
        *err = sim->failure;
        return false;
    }
    return sim->engine->advance(sim->state, cycle, err) || stop(sim, err);
}

bool tsp_sim_run(TspSim *sim, TspError *err) {
    return tsp_sim_run_until(sim, INT64_MAX, err);
}

bool tsp_sim_step(TspSim *sim, TspError *err) {
    return tsp_sim_run_until(sim, tsp_sim_now(sim) + 1, err);
}

bool tsp_sim_seek(TspSim *sim, int64_t cycle, TspError *err) {
    if (cycle < 0) cycle = 0;
    if (sim->engine->near && sim->engine->near(sim->state, cycle))
        sim->failed = false;
    else if ((sim->failed || cycle < tsp_sim_now(sim)) && !reset(sim, err))
        return false;
    return tsp_sim_run_until(sim, cycle, err);
}

int64_t tsp_sim_now(const TspSim *sim) {
    return sim->engine->now(sim->state);
}

bool tsp_sim_done(const TspSim *sim) {
    return sim->engine->done(sim->state);
}

/* -- looking -- */

TspSimStats tsp_sim_stats(const TspSim *sim) {
    return sim->engine->stats(sim->state);
}

TspCsr tsp_sim_csr(const TspSim *sim) {
    return sim->engine->csr(sim->state);
}

TspInterval tsp_sim_op_interval(const TspSim *sim, int32_t op) {
    if (op < 0 || op >= sim->program->op_count) return (TspInterval){-1, -1};
    return sim->engine->op_interval(sim->state, op);
}

static bool within(int64_t value, int64_t limit) {
    return value >= 0 && value < limit;
}

const uint8_t *tsp_sim_stream(const TspSim *sim, int32_t stream, int32_t column) {
    if (!within(stream, TSP_MAX_STREAMS) || !within(column, tsp_columns(sim->m))) return NULL;
    if (TSP_STREAM_NUMBER(stream) >= sim->m->streams) return NULL;
    return sim->engine->stream(sim->state, stream, column);
}

const uint8_t *tsp_sim_stream_ago(const TspSim *sim, int32_t stream, int32_t column, int32_t ago) {
    if (ago == 0) return tsp_sim_stream(sim, stream, column);
    if (ago < 0 || !sim->engine->stream_ago || !within(stream, TSP_MAX_STREAMS)) return NULL;
    if (!within(column, tsp_columns(sim->m))) return NULL;
    return sim->engine->stream_ago(sim->state, stream, column, ago);
}

const uint8_t *tsp_sim_row(const TspSim *sim, int32_t slice, int32_t addr, uint32_t *written) {
    uint32_t ignored;
    if (!written) written = &ignored;
    *written = 0;
    if (!within(slice, 2 * sim->m->mem_slices) || !within(addr, tsp_mem_slice_rows(sim->m)))
        return NULL;
    return sim->engine->row(sim->state, slice, addr, written);
}

const uint32_t *tsp_sim_latch(const TspSim *sim, int32_t alu) {
    return within(alu, sim->m->vxm_alus) ? sim->engine->latch(sim->state, alu) : NULL;
}

const uint32_t *tsp_sim_accumulator(const TspSim *sim, int32_t plane, int32_t row, TspDtype *type) {
    TspDtype ignored;
    if (!within(plane, 2 * sim->m->mxm_planes) || !within(row, sim->m->mxm_accumulator_rows))
        return NULL;
    return sim->engine->accumulator(sim->state, plane, row, type ? type : &ignored);
}

int32_t tsp_sim_queue_word(const TspSim *sim, int32_t queue) {
    if (!within(queue, tsp_queue_count(sim->m))) return -1;
    return sim->engine->queue_word(sim->state, queue);
}

int64_t tsp_sim_word_start(const TspSim *sim, int32_t queue, int32_t word) {
    if (!within(queue, tsp_queue_count(sim->m)) || !within(word, sim->program->queues[queue].count))
        return -1;
    return sim->engine->word_start(sim->state, queue, word);
}

uint64_t tsp_sim_hash(TspSim *sim) {
    return sim->engine->hash(sim->state);
}
