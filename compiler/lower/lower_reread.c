/* lower_reread.c - what would wait is read again.
 *
 * A row that steps of a stage take at different times would pass through an ALU for every level
 * that it waits. If it comes from memory it can be read once for each of these times instead, from
 * copies in other slices of one hemisphere, since a slice gives one read a cycle. That costs its
 * maker a Write a copy, but no ALU.
 */
#include "lower.h"
#include <stdlib.h>

/* Whether there can be copies of what the operand reads: it is made on the chip, whole rows at a
 * time, and nobody else says how it is to lie. */
static bool may_copy(const Module *m, const Operand *o) {
    const Tensor *t = &m->tensors[o->tensor];
    return o->row_step == 1 && !o->copy && !o->one_tile && t->role == TSP_ROLE_INTERNAL &&
           !t->flat && !t->pieces && !t->streamed && !t->turned && !t->repeated && !t->turns &&
           !t->run && !t->apart && !t->spread && (!t->wanted || t->beside);
}

/* Operands that can be read again, as bits. */
static uint32_t copied_operands(const Module *m, const Stage *s) {
    uint32_t again = 0;
    for (int32_t i = 0; i < s->operand_count; i++)
        if (may_copy(m, &s->operands[i])) again |= 1u << i;
    return again;
}

static int32_t operand_bytes(const Module *m, const Stage *s) {
    int32_t bytes = 0;
    for (int32_t i = 0; i < s->operand_count; i++) bytes += m->tensors[s->operands[i].tensor].bytes;
    return bytes;
}

/* An ALU is worth as many streams as there are for each of them; and half of the streams of a
 * direction are left to others. */
static bool better(const Module *module, const Stage *reading, const Stage *waiting) {
    const TspMachine *m = &module->machine;
    const int32_t bytes = operand_bytes(module, reading);
    return 2 * bytes <= (int32_t)m->streams &&
           (bytes - operand_bytes(module, waiting)) * (int32_t)m->vxm_alus <
               (waiting->step_count - reading->step_count) * 2 * (int32_t)m->streams;
}

bool lower_reread(const Module *m, Stage *s) {
    const uint32_t again = (getenv("ONCE") || m->reads_once) ? 0 : copied_operands(m, s);
    Stage reading = *s;
    const bool waits = lower_balance(s, 0);
    if (again && lower_balance(&reading, again) && (!waits || better(m, &reading, s)))
        return *s = reading, true;
    return waits;
}

void lower_want_copies(Module *m) {
    for (int32_t i = 0; i < m->stage_count; i++) {
        const Stage *s = &m->stages[i];
        for (int32_t j = 0; j < s->operand_count; j++) {
            Tensor *t = &m->tensors[s->operands[j].tensor];
            if (!s->operands[j].copy || !may_copy(m, &(Operand){.tensor = s->operands[j].tensor, .row_step = 1})) continue;
            t->wanted = s->operands[j].copy + 1 > t->wanted ? s->operands[j].copy + 1 : t->wanted;
            t->beside = m->reads_again = true;
        }
    }
}

/* A result for both hemispheres takes one ALU more. Where that leaves room for half as many flows
 * beside each other, the copies for planes lie in one hemisphere. */
void lower_spare_alus(Module *m) {
    const int32_t alus = (int32_t)m->machine.vxm_alus;
    for (int32_t i = 0; i < m->stage_count; i++) {
        const Stage *s = &m->stages[i];
        Tensor *t = s->output_count == 1 ? &m->tensors[s->outputs[0].tensor] : NULL;
        if (!t || !t->streamed || s->product || !s->step_count) continue;
        if (alus / s->step_count >= 2 * (alus / (s->step_count + 1))) t->beside = true;
    }
}
