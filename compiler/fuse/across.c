/* across.c - factors that move from the readers of a tensor to its makers.
 *
 * Rows in memory may hold the elements times a power of two, if all that make them and all that
 * read them can do with that, and need fewer steps.
 */
#include "fuse.h"
#include "scale.h"

#include <limits.h>

static bool is_plain(const Stage *s) {
    return !s->group && !s->chain_rows && !s->scan_rows && !s->set_rows && !s->shift &&
           !s->distributes;
}

static bool makes(const Stage *s, int32_t tensor) {
    bool any = false;
    for (int32_t i = 0; i < s->output_count; i++) any |= s->outputs[i].tensor == tensor;
    for (int32_t i = 0; i < s->partials; i++) any |= s->partial + i == tensor;
    return any;
}

static bool reads(const Stage *s, int32_t tensor) {
    bool any = s->last == tensor;
    for (int32_t i = 0; i < s->operand_count; i++) any |= s->operands[i].tensor == tensor;
    for (int32_t i = 0; i < s->term_count; i++)
        any |= s->terms[i].a == tensor || s->terms[i].w == tensor;
    return any;
}

/* Whether a stage takes it for anything but its numbers. */
static bool needs_as_is(const Stage *s, int32_t tensor) {
    bool any = !is_plain(s) || s->last == tensor;
    for (int32_t i = 0; i < s->term_count; i++)
        any |= s->terms[i].a == tensor || s->terms[i].w == tensor;
    for (int32_t i = 0; i < s->output_count; i++)
        any |= s->outputs[i].tensor == tensor && s->outputs[i].from.kind != FROM_STEP;
    return any;
}

/* Steps of all stages that make or read the tensor; INT_MAX if some cannot. */
static int32_t all_steps(const Module *m, int32_t tensor) {
    int32_t sum = 0;
    for (int32_t i = 0; i < m->stage_count; i++) {
        Stage s = m->stages[i];
        if (!makes(&s, tensor) && !reads(&s, tensor)) continue;
        if (needs_as_is(&s, tensor) || !fuse_settle(m, &s)) return INT_MAX;
        sum += s.step_count;
    }
    return sum;
}

/* Tries the exponents that the readers wish. */
static void scale_tensor(Module *m, int32_t tensor) {
    Tensor *t = &m->tensors[tensor];
    int32_t least = all_steps(m, tensor), best = 0;
    if (least == INT_MAX) return;
    for (int32_t i = 0; i < m->stage_count; i++) {
        if (!reads(&m->stages[i], tensor)) continue;
        for (uint32_t what = 1; fuse_wish(m, &m->stages[i], tensor, what, &t->exponent); what++) {
            const int32_t steps =
                t->exponent && t->exponent != best ? all_steps(m, tensor) : INT_MAX;
            if (steps >= least) continue;
            least = steps;
            best = t->exponent;
        }
    }
    t->exponent = best;
}

void fuse_scale_tensors(Module *m) {
    if (m->unfused || m->unscaled) return;
    for (int32_t i = 0; i < m->tensor_count; i++) {
        const Tensor *t = &m->tensors[i];
        if (t->role == TSP_ROLE_INTERNAL && t->dtype == TSP_F32 && t->range.sure && !t->finite)
            scale_tensor(m, i);
    }
}
