/* reread.c - what would wait is read again.
 *
 * A row that steps of a stage take at different times would pass through an ALU for every level
 * that it waits. If it comes from memory it can be read once for each of these times instead, from
 * copies in other slices of one hemisphere, since a slice gives one read a cycle. That costs its
 * maker a Write a copy, but no ALU.
 */
#include "fuse.h"

/* Whether a tensor can have copies: it is made on the chip, and nobody else says how it lies. */
static bool may_copy(const Tensor *t) {
    return t->role == TSP_ROLE_INTERNAL && !t->flat && !t->pieces && !t->streamed && !t->turned &&
           !t->repeated && !t->turns && !t->run && !t->apart && !t->spread &&
           (!t->wanted || t->beside);
}

/* Operands that can be read again, as bits. */
static uint32_t copied_operands(const Module *m, const Stage *s) {
    uint32_t again = 0;
    for (int32_t i = 0; i < s->operand_count; i++) {
        const Operand *o = &s->operands[i];
        if (o->row_step == 1 && !o->copy && !o->one_tile && may_copy(&m->tensors[o->tensor]))
            again |= 1u << i;
    }
    return again;
}

static int32_t operand_bytes(const Module *m, const Stage *s) {
    int32_t bytes = 0;
    for (int32_t i = 0; i < s->operand_count; i++) bytes += m->tensors[s->operands[i].tensor].bytes;
    return bytes;
}

/* An ALU is worth as many streams as there are for each of them; and half of the streams of a
 * direction are left to others. */
static bool is_better(const Module *module, const Stage *reading, const Stage *waiting) {
    const TspMachine *m = &module->machine;
    const int32_t bytes = operand_bytes(module, reading);
    return 2 * bytes <= (int32_t)m->streams &&
           (bytes - operand_bytes(module, waiting)) * (int32_t)m->vxm_alus <
               (waiting->step_count - reading->step_count) * 2 * (int32_t)m->streams;
}

bool fuse_reread(const Module *m, Stage *s) {
    const uint32_t again = m->sparing || m->waiting ? 0 : copied_operands(m, s);
    Stage reading = *s;
    const bool waits = fuse_balance(s, 0);
    if (!again || !fuse_balance(&reading, again) || (waits && !is_better(m, &reading, s)))
        return waits;
    *s = reading;
    return true;
}

void fuse_want_copies(Module *m) {
    for (int32_t i = 0; i < m->stage_count; i++)
        for (int32_t j = 0; j < m->stages[i].operand_count; j++) {
            const Operand *o = &m->stages[i].operands[j];
            Tensor *t = &m->tensors[o->tensor];
            if (!o->copy || o->one_tile || !may_copy(t)) continue;
            if (t->wanted < o->copy + 1) t->wanted = o->copy + 1;
            t->beside = m->lavish = m->rereads = true;
        }
}
