/* reference_view.c - looking at the state at rest: vectors put together from the superlanes. */
#include "reference.h"

#include <string.h>

/* What superlane k's register will hold in cycle now, before flips and switches: what stands one
 * column upstream, unless somebody drives. At the end of the program its last switch has landed. */
static RefRegister upcoming(const Reference *r, int32_t k, int32_t stream, int32_t column) {
    RefRegister value = {0};
    RefWord out[TSP_MAX_STREAMS];
    int32_t from = TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? column - 1 : column + 1;
    if (from >= 0 && from < r->columns) value = r->streams[ref_register(r, k, stream, from)];
    for (int32_t queue = 0; queue < r->queue_count; queue++)
        for (int32_t i = 0; i < r->queues[queue].count; i++) {
            const RefActivity *a = r->queues[queue].under_way[i];
            int32_t at = stream - a->out_stream;
            if (a->drive < 0 || a->cycle + a->drive != r->now || a->unit.column != column) continue;
            if (at < 0 || at >= a->out_count) continue;
            ref_output(r, a, k, out);
            value = (RefRegister){out[at], true};
        }
    if (r->last_switch && !(r->last_switch >> k & 1u)) value.word = (RefWord){0};
    return value;
}

const uint8_t *ref_view_stream(const void *e, int32_t stream, int32_t column) {
    const Reference *r = e;
    for (int32_t k = 0; k < r->superlanes; k++) {
        RefRegister value = upcoming(r, k, stream, column);
        if (!value.defined) return NULL;
        memcpy(r->view_bytes + k * r->width, value.word.lane, (size_t)r->width);
    }
    return r->view_bytes;
}

/* Puts a row together as it will be in cycle now; returns the superlanes that hold something. */
static uint32_t upcoming_row(const Reference *r, int32_t slice, int32_t addr) {
    const RefQueue *q = &r->queues[slice];
    uint32_t written = r->defined[ref_row(r, slice, addr)];
    memset(r->view_check, 0, (size_t)r->superlanes * sizeof *r->view_check);
    if (!written && q->count == 0) return 0;
    memset(r->view_bytes, 0, (size_t)r->lanes);
    for (int32_t k = 0; k < r->superlanes; k++) {
        uint8_t *lanes = r->view_bytes + k * r->width;
        if (written >> k & 1u) {
            memcpy(lanes, ref_memory(r, slice, addr, k), (size_t)r->width);
            if (r->faults)
                r->view_check[k] =
                    r->memory_check[ref_row(r, slice, addr) * (size_t)r->superlanes + (size_t)k];
        }
        for (int32_t i = 0; i < q->count; i++) {
            const RefActivity *a = q->under_way[i];
            if (a->cycle + a->land != r->now || ref_stored_row(r, a, k) != addr) continue;
            memcpy(lanes, ref_stored_word(a, k)->lane, (size_t)r->width);
            r->view_check[k] = ref_stored_word(a, k)->check;
            written |= 1u << k;
        }
    }
    return written;
}

const uint8_t *ref_view_row(const void *e, int32_t slice, int32_t addr, uint32_t *written) {
    const Reference *r = e;
    uint32_t superlanes = upcoming_row(r, slice, addr);
    if (written) *written = superlanes;
    return superlanes ? r->view_bytes : NULL;
}

const uint16_t *ref_view_check(const void *e, int32_t slice, int32_t addr) {
    const Reference *r = e;
    upcoming_row(r, slice, addr);
    return r->view_check;
}

const uint32_t *ref_view_latch(const void *e, int32_t alu) {
    const Reference *r = e;
    return r->latched[alu * r->superlanes] < 0 ? NULL : r->latch + alu * r->lanes;
}

const uint32_t *ref_view_accumulator(const void *e, int32_t plane, int32_t row, TspDtype *type) {
    const Reference *r = e;
    const RefPlane *at = &r->planes[plane];
    if (!at->kept[row]) return NULL;
    *type = (TspDtype)(at->kept[row] - 1);
    return at->sums + (int64_t)row * r->lanes;
}

int64_t ref_view_start(const void *e, int32_t queue, int32_t word) {
    return ((const Reference *)e)->queues[queue].started[word];
}

int32_t ref_view_word(const void *e, int32_t queue) {
    const RefQueue *q = &((const Reference *)e)->queues[queue];
    return q->repeating ? q->at : q->next;
}
