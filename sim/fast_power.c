/* fast_power.c - Config: superlanes that are off have zeros on all their stream registers. */
#include "fast_stream.h"

#include <string.h>

void fast_darken(const Fast *f, int32_t vec, uint32_t powered) {
    for (int32_t k = 0; k < f->superlanes && !f->timing_only && powered != f->all; k++) {
        if (powered >> k & 1) continue;
        memset(fast_vec(f, vec) + k * f->tile, 0, (size_t)f->tile);
        if (f->checks) fast_vec_check(f, vec)[k] = 0; /* of zeros: the code is linear */
    }
}

static void darken_streams(Fast *f, uint32_t powered) {
    int32_t column;
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t i = 0; i < f->ring; i++) {
            StreamSlot *slot = &f->slots[stream * f->ring + i];
            if (!fast_slot_ahead(f, stream, slot, &column)) continue;
            slot->vec = fast_vec_own(f, slot->vec);
            fast_darken(f, slot->vec, powered);
        }
}

bool fast_switch(Fast *f, const Bucket *bucket, TspError *err) {
    const Event *first = NULL, *last = NULL;
    char name[32];
    for (int32_t i = bucket->head[0]; i != SIM_NONE; i = f->events[i].next) {
        const Event *event = &f->events[i];
        if (event->kind != EVENT_POWER) continue;
        if (!first || event->queue < first->queue) first = event;
        if (!last || event->queue > last->queue) last = event;
    }
    if (!first) return true;
    if (first != last) {
        /* The second in the order of queues is the first that finds another before it. */
        for (int32_t i = bucket->head[0]; i != SIM_NONE; i = f->events[i].next) {
            const Event *event = &f->events[i];
            if (event->kind == EVENT_POWER && event != first && event->queue < last->queue)
                last = event;
        }
        tsp_queue_name(f->m, first->queue, name);
        return engine_offence(f->program, err, TSP_RULE_CONFIG_CONFLICT, f->state.now, last->queue,
                              last->index, "%s, instruction %d switches superlanes too", name,
                              (int)first->index);
    }
    f->state.powered = first->mask;
    darken_streams(f, first->mask);
    return true;
}
