/* stream.c - the vector pool and the diagonals. */
#include "stream.h"

#include <stdio.h>

int32_t sim_vec_new(TspSim *sim) {
    State *st = &sim->state;
    int32_t vec = st->vec_free;
    if (vec != SIM_NONE)
        st->vec_free = sim->vec_refs[vec];
    else
        vec = st->vec_used++;
    sim->vec_refs[vec] = 1;
    return vec;
}

void sim_vec_drop(TspSim *sim, int32_t vec) {
    if (--sim->vec_refs[vec] > 0) return;
    sim->vec_refs[vec] = sim->state.vec_free;
    sim->state.vec_free = vec;
}

int32_t sim_stream_look(const TspSim *sim, int32_t stream, int32_t column) {
    int64_t diagonal = sim_diagonal(stream, column, sim->state.now);
    const StreamSlot *slot = sim_slot(sim, stream, diagonal);
    return slot->diagonal == diagonal ? slot->vec : SIM_NONE;
}

bool sim_stream_sample(TspSim *sim, const Issue *issue, int32_t stream, int32_t count,
                       int32_t *vecs, TspError *err) {
    for (int32_t i = 0; i < count; i++) {
        char name[16];
        vecs[i] = sim_stream_look(sim, stream + i, issue->info->column);
        if (vecs[i] == SIM_NONE) {
            while (i > 0) sim_vec_drop(sim, vecs[--i]);
            return sim_fault(sim, err, TSP_RULE_STREAM_UNDEFINED, sim->state.now, issue->queue,
                             issue->index, "expected a value on %s at column %d",
                             sim_stream_name(stream + i, name), (int)issue->info->column);
        }
        sim_vec_hold(sim, vecs[i]);
    }
    return true;
}

bool sim_stream_drive(TspSim *sim, const Event *event) {
    State *st = &sim->state;
    int64_t diagonal = sim_diagonal(event->stream, event->column, st->now);
    StreamSlot *slot = sim_slot(sim, event->stream, diagonal);
    bool live = slot->diagonal == diagonal;
    if (live && slot->driven == st->now) return false;
    if (slot->vec != SIM_NONE) sim_vec_drop(sim, slot->vec);
    if (!live)
        st->stats.stream_hops += TSP_STREAM_DIRECTION(event->stream) == TSP_EASTWARD
                                     ? sim->columns - event->column
                                     : event->column + 1;
    *slot = (StreamSlot){diagonal, st->now, event->vec[0], event->queue, event->index};
    return true;
}

int32_t sim_slot_ahead(const TspSim *sim, int32_t stream, const StreamSlot *slot, int32_t *column) {
    bool eastward = TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD;
    int64_t at;
    if (slot->vec == SIM_NONE) return 0;
    at = eastward ? slot->diagonal + sim->state.now : slot->diagonal - sim->state.now;
    if (at < 0 || at >= sim->columns) return 0;
    *column = (int32_t)at;
    return eastward ? sim->columns - *column : *column + 1;
}

const char *sim_stream_name(int32_t stream, char name[16]) {
    snprintf(name, 16, "s%d.%c", (int)TSP_STREAM_NUMBER(stream),
             TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? 'e' : 'w');
    return name;
}
