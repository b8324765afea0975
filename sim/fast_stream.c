/* fast_stream.c - the vector pool and the diagonals. */
#include "fast_batch.h"
#include "fast_stream.h"

#include <stdio.h>
#include <string.h>

int32_t fast_vec_new(Fast *f) {
    State *st = &f->state;
    int32_t vec = st->vec_free;
    if (f->timing_only) return 0; /* one for all, never looked into */
    if (vec != SIM_NONE)
        st->vec_free = f->vec_refs[vec];
    else
        vec = st->vec_used++;
    st->vec_live++;
    f->vec_refs[vec] = 1;
    return vec;
}

void fast_vec_drop(Fast *f, int32_t vec) {
    if (f->timing_only || --f->vec_refs[vec] > 0) return;
    f->state.vec_live--;
    f->vec_refs[vec] = f->state.vec_free;
    f->state.vec_free = vec;
}

int32_t fast_vec_own(Fast *f, int32_t vec) {
    int32_t own;
    if (f->timing_only || f->vec_refs[vec] == 1) return vec;
    own = fast_vec_new(f);
    memcpy(fast_vec(f, own), fast_vec(f, vec), (size_t)f->lanes);
    if (f->checks)
        memcpy(fast_vec_check(f, own), fast_vec_check(f, vec), SIM_SUPERLANES * sizeof(uint16_t));
    fast_vec_drop(f, vec);
    return own;
}

void fast_vecs_drop(Fast *f, const int32_t *vecs, int32_t count) {
    for (int32_t i = 0; i < count; i++) fast_vec_drop(f, vecs[i]);
}

int32_t fast_stream_look(const Fast *f, int32_t stream, int32_t column) {
    int64_t diagonal = fast_diagonal(stream, column, f->state.now);
    const StreamSlot *slot = fast_slot(f, stream, diagonal);
    return slot->diagonal == diagonal ? slot->vec : SIM_NONE;
}

bool fast_stream_sample(Fast *f, const Issue *issue, int32_t stream, int32_t count, int32_t *vecs,
                        TspError *err) {
    for (int32_t i = 0; i < count; i++) {
        char name[16];
        vecs[i] = fast_stream_look(f, stream + i, issue->info->column);
        if (vecs[i] == SIM_NONE) {
            fast_vecs_drop(f, vecs, i);
            return fast_offence(f, err, TSP_RULE_STREAM_UNDEFINED, issue,
                                "expected a value on %s at column %d",
                                fast_stream_name(stream + i, name), (int)issue->info->column);
        }
        fast_vec_hold(f, vecs[i]);
    }
    return true;
}

bool fast_stream_drive(Fast *f, const Event *event) {
    State *st = &f->state;
    int64_t diagonal = fast_diagonal(event->stream, event->column, st->now);
    StreamSlot *slot = fast_slot(f, event->stream, diagonal);
    bool live = slot->diagonal == diagonal;
    int32_t vec = event->vec[0];
    if (live && slot->driven == st->now) return false;
    if (event->plane != SIM_NONE) fast_batch_finish(f, event->plane, event->batch);
    if (slot->vec != SIM_NONE) fast_vec_drop(f, slot->vec);
    if (!live)
        st->stats.stream_hops += TSP_STREAM_DIRECTION(event->stream) == TSP_EASTWARD
                                     ? f->columns - event->column
                                     : event->column + 1;
    if (f->checks && !event->sealed) fast_seal(f, vec);
    if (st->powered != f->all) {
        vec = fast_vec_own(f, vec);
        fast_darken(f, vec, st->powered);
    }
    *slot = (StreamSlot){diagonal, st->now, vec, event->queue, event->index};
    return true;
}

int32_t fast_slot_ahead(const Fast *f, int32_t stream, const StreamSlot *slot, int32_t *column) {
    bool eastward = TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD;
    int64_t at;
    if (slot->vec == SIM_NONE) return 0;
    at = eastward ? slot->diagonal + f->state.now : slot->diagonal - f->state.now;
    if (at < 0 || at >= f->columns) return 0;
    *column = (int32_t)at;
    return eastward ? f->columns - *column : *column + 1;
}

const char *fast_stream_name(int32_t stream, char name[16]) {
    snprintf(name, 16, "s%d.%c", (int)TSP_STREAM_NUMBER(stream),
             TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? 'e' : 'w');
    return name;
}
