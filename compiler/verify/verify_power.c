/* verify_power.c - which superlanes are on when: the Configs of all queues, put in order, of which
 * no two may take effect in one cycle.
 */
#include "verify_parts.h"

#include <stdlib.h>

static int compare_switches(const void *left, const void *right) {
    const Switch *a = left, *b = right;
    if (a->cycle != b->cycle) return a->cycle < b->cycle ? -1 : 1;
    return (a->queue > b->queue) - (a->queue < b->queue);
}

void verify_power(Verifier *v) {
    if (v->switch_count == 0) return;
    qsort(v->switches, (size_t)v->switch_count, sizeof *v->switches, compare_switches);
    for (int32_t i = 1; i < v->switch_count; i++) {
        const Switch *s = &v->switches[i];
        char name[32];
        if (s[-1].cycle != s->cycle) continue;
        tsp_queue_name(v->machine, s[-1].queue, name);
        verify_offend(v, TSP_RULE_CONFIG_CONFLICT, s->cycle, AT_SWITCH, s->queue, s->index,
                      "%s, instruction %d, switches in that cycle too", name, s[-1].index);
        return; /* later ones are later in time, or of greater queues */
    }
}

uint32_t verify_powered(const Verifier *v, int32_t *place, int64_t cycle) {
    while (*place > 0 && v->switches[*place - 1].cycle > cycle) --*place;
    while (*place < v->switch_count && v->switches[*place].cycle <= cycle) ++*place;
    if (*place > 0) return v->switches[*place - 1].mask;
    return (uint32_t)((UINT64_C(1) << v->machine->superlanes) - 1);
}
