/* lower_weights.c - weights that a scan leaves.
 *
 * A scan writes its results row by row, and weights lie in stripes, so the stripes are a copy.
 */
#include "lower.h"

#include <string.h>

/* The last stage becomes stage `at`. */
static void move_last(Module *m, int32_t at) {
    const Stage last = m->stages[m->stage_count - 1];
    memmove(&m->stages[at + 1], &m->stages[at],
            (size_t)(m->stage_count - 1 - at) * sizeof *m->stages);
    m->stages[at] = last;
}

/* All products take the weights `to` instead of `from`. */
static void load_instead(Module *m, int32_t from, int32_t to) {
    for (int32_t i = 0; i < m->stage_count; i++)
        for (int32_t t = 0; t < m->stages[i].term_count; t++)
            if (m->stages[i].terms[t].w == from) m->stages[i].terms[t].w = to;
    m->tensors[to].striped = true;
    m->tensors[to].unaligned = m->tensors[from].unaligned;
    m->tensors[from].striped = m->tensors[from].unaligned = false;
}

bool lower_copy_weights(Lowerer *l, TspError *err) {
    Module *m = l->module;
    for (int32_t i = 0; i < m->stage_count; i++) {
        const Stage *s = &m->stages[i];
        const int32_t made = s->scan_rows && s->output_count ? s->outputs[0].tensor : -1;
        if (made < 0 || !m->tensors[made].striped) continue;
        const int32_t copy = stage_copy(m, s->op, made, err);
        if (copy < 0) return false;
        move_last(m, i + 1);
        load_instead(m, made, copy);
    }
    return true;
}
