/* join.c - two stages as one, and whether that is worth it.
 */
#include "fuse.h"
#include "join.h"

#include <string.h>

void join_cut(Stage *s, int32_t first, int32_t rows) {
    for (int32_t i = 0; i < s->operand_count; i++)
        s->operands[i].row0 += first * s->operands[i].row_step;
    for (int32_t i = 0; i < s->output_count; i++) s->outputs[i].row0 += first;
    s->rows = rows;
}

/* The operand among those of the stage, added if it is new; -1 if it cannot be. */
static int32_t add_operand(Stage *s, Operand o) {
    for (int32_t i = 0; i < s->operand_count; i++) {
        const Operand *x = &s->operands[i];
        if (x->tensor != o.tensor) continue;
        return x->row0 == o.row0 && x->row_step == o.row_step && x->ctile0 == o.ctile0 &&
                       x->copy == o.copy
                   ? i
                   : -1; /* two rows at once from one slice */
    }
    if (s->operand_count == MAX_OPERANDS) return -1;
    s->operands[s->operand_count] = o;
    return s->operand_count++;
}

/* What `from` of the reader is once its steps stand behind those of the maker. */
static From moved(From from, const From *operands, int32_t steps) {
    if (from.kind == FROM_STEP) from.index += steps;
    return from.kind == FROM_OPERAND ? operands[from.index] : from;
}

bool join_stages(const Stage *maker, const Stage *reader, int32_t operand, Stage *both) {
    From operands[MAX_OPERANDS];
    const int32_t steps = maker->step_count;
    *both = reader->product ? *reader : *maker;
    if (steps + reader->step_count > MAX_STEPS || (maker->product && reader->product)) return false;
    both->rows = reader->rows;
    both->operand_count = maker->operand_count;
    memcpy(both->operands, maker->operands, sizeof both->operands);
    for (int32_t i = 0; i < reader->operand_count; i++) {
        int32_t at = i == operand ? 0 : add_operand(both, reader->operands[i]);
        if (at < 0) return false;
        operands[i] = i == operand ? maker->outputs[0].from : (From){FROM_OPERAND, at};
    }
    memcpy(both->steps, maker->steps, sizeof both->steps);
    for (int32_t i = 0; i < reader->step_count; i++) {
        Step step = reader->steps[i];
        step.a = moved(step.a, operands, steps);
        step.b = moved(step.b, operands, steps);
        both->steps[steps + i] = step;
    }
    both->step_count = steps + reader->step_count;
    both->output_count = reader->output_count;
    for (int32_t i = 0; i < reader->output_count; i++) {
        both->outputs[i] = reader->outputs[i];
        both->outputs[i].from = moved(reader->outputs[i].from, operands, steps);
    }
    return true;
}

int32_t join_copied(const Stage *s) {
    for (int32_t i = 0; i < s->operand_count; i++)
        for (int32_t t = 0; t < s->term_count; t++)
            if (s->terms[t].a == s->operands[i].tensor) return i;
    return -1;
}

/* Streams that pass the VXM beside each other, in both directions. */
static int32_t streams(const Module *m, const Stage *s) {
    int32_t bytes = 4 * tsp_stage_products(s);
    for (int32_t i = 0; i < s->operand_count; i++) bytes += m->tensors[s->operands[i].tensor].bytes;
    for (int32_t i = 0; i < s->output_count; i++) bytes += m->tensors[s->outputs[i].tensor].bytes;
    return bytes;
}

/* A result written in both hemispheres takes one more ALU. In a mesh of neighbours a few steps find
 * no way. */
static bool fits(const Module *module, const Stage *s) {
    const TspMachine *m = &module->machine;
    int64_t alus = m->vxm_neighbour_only ? m->vxm_alus / 2 : m->vxm_alus;
    int32_t operands = streams(module, s) - 4 * tsp_stage_products(s);
    for (int32_t i = 0; i < s->output_count; i++)
        operands -= module->tensors[s->outputs[i].tensor].bytes;
    return s->step_count + s->output_count <= alus && 2 * operands <= m->streams;
}

/* Cycles in which the VXM takes so many vectors through the steps of a stage: what ALUs and streams
 * one flow leaves, others take. */
static double vxm_cycles(const Module *module, const Stage *s, double vectors) {
    const TspMachine *m = &module->machine;
    const double alus = (double)s->step_count / (double)m->vxm_alus,
                 passing = (double)streams(module, s) / (2 * (double)m->streams);
    if (s->step_count == 0) return 0;
    return vectors * (alus > passing ? alus : passing);
}

/* Cycles in which all planes together make so many vectors. */
static double mxm_cycles(const Module *module, const Stage *s, double vectors) {
    const TspMachine *m = &module->machine;
    if (!s->product) return 0;
    double units = 2 * (double)m->mxm_planes, cycles = vectors * s->term_count;
    return module->tensors[s->terms[0].a].dtype == TSP_F16
               ? cycles * (double)m->mxm_fp16_cycles / (units / 2)
               : cycles / units;
}

bool join_pays(const Module *module, const Stage *maker, const Stage *reader, const Stage *both,
               int64_t vectors) {
    const TspMachine *m = &module->machine;
    double n = (double)vectors, least = mxm_cycles(module, both, n);
    double trip = (double)(m->mem_write_cycles + m->mem_read_cycles + 2 * tsp_mem_columns(m)),
           apart;
    Stage first = *maker, second = *reader, joined = *both;
    if (!fuse_settle(module, &joined) || !fits(module, &joined)) return false;
    if (!fuse_settle(module, &first) || !fuse_settle(module, &second)) return true;
    apart = vxm_cycles(module, &first, n) + vxm_cycles(module, &second, n);
    return vxm_cycles(module, &joined, n) <= (apart > least ? apart : least) + trip;
}
