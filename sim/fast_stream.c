/* fast_stream.c - the vector pool and the diagonals. */
#include "fast_batch.h"
#include "fast_stream.h"

#include <stdio.h>
#include <string.h>

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

bool fast_stream_undefined(Fast *f, const Issue *issue, int32_t stream, int32_t count,
                           const int32_t *vecs, TspError *err) {
    char name[16];
    fast_vecs_drop(f, vecs, count);
    return fast_offence(f, err, TSP_RULE_STREAM_UNDEFINED, issue,
                        "expected a value on %s at column %d",
                        fast_stream_name(stream + count, name), (int)issue->info->column);
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
