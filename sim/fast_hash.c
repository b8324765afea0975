/* fast_hash.c - one number for the whole architectural state: the same however one got there, and
 * blind to what is only bookkeeping (pool indices, products not multiplied yet).
 */
#include "fast_batch.h"
#include "fast_stream.h"

#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static uint64_t mix_bytes(uint64_t hash, const void *bytes, size_t count) {
    const uint8_t *at = bytes;
    uint64_t value = 0;
    for (; count >= sizeof value; count -= sizeof value, at += sizeof value) {
        memcpy(&value, at, sizeof value);
        hash = mix(hash, value);
    }
    value = 0;
    memcpy(&value, at, count);
    return mix(hash, value ^ (uint64_t)count << 56);
}

static uint64_t mix_vec(const Fast *f, uint64_t hash, int32_t vec) {
    return vec == SIM_NONE ? mix(hash, 1) : mix_bytes(hash, fast_vec(f, vec), (size_t)f->lanes);
}

static uint64_t mix_queues(const Fast *f, uint64_t hash) {
    for (int32_t i = 0; i < f->queues; i++) {
        const QueueState *q = &f->state.queue[i];
        hash = mix(hash, (uint64_t)q->mode);
        hash = mix(hash, (uint64_t)q->index);
        if (q->mode == QUEUE_EXHAUSTED) continue;
        hash = mix(hash, (uint64_t)q->next);
        hash = mix(hash, (uint64_t)q->inner << 32 | (uint64_t)q->outer);
        hash =
            mix(hash, (uint64_t)f->state.fetch[i].count << 32 | (uint64_t)f->state.fetch[i].taken);
    }
    return hash;
}

static uint64_t mix_memory(const Fast *f, uint64_t hash) {
    for (size_t i = 0; i < f->row_count; i++) {
        const MemRow *row = &f->rows[i];
        if (!row->defined) continue;
        hash = mix(mix(hash, i), row->defined);
        hash = mix_bytes(hash, fast_vec(f, row->vec), (size_t)f->lanes);
        if (f->checks)
            hash = mix_bytes(hash, fast_vec_check(f, row->vec),
                             (size_t)f->superlanes * sizeof(uint16_t));
    }
    return hash;
}

static uint64_t mix_streams(const Fast *f, uint64_t hash) {
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t column = 0; column < f->columns; column++) {
            int32_t vec = fast_stream_look(f, stream, column);
            if (vec == SIM_NONE) continue;
            hash = mix(hash, (uint64_t)(stream * TSP_MAX_COLUMNS + column));
            hash = mix_vec(f, hash, vec);
        }
    return hash;
}

static uint64_t mix_events(const Fast *f, uint64_t hash) {
    for (int32_t ahead = 0; ahead < f->wheel; ahead++) {
        const Bucket *bucket = &f->buckets[(f->state.now + ahead) & (f->wheel - 1)];
        for (int32_t late = 0; late < 2; late++)
            for (int32_t i = bucket->head[late]; i != SIM_NONE; i = f->events[i].next) {
                const Event *e = &f->events[i];
                hash = mix(hash, (uint64_t)ahead << 32 | (uint64_t)e->kind);
                hash = mix(hash, (uint64_t)e->queue << 32 | (uint64_t)e->index);
                if (e->kind == EVENT_DRIVE || e->kind == EVENT_WRITE || e->kind == EVENT_SCATTER) {
                    hash = mix(hash, (uint64_t)e->stream << 32 | (uint64_t)e->column);
                    hash = mix(hash, (uint64_t)e->target);
                    hash = mix_vec(f, mix(hash, e->mask), e->vec[0]);
                    if (e->kind == EVENT_SCATTER)
                        hash = mix_bytes(hash, e->row, (size_t)f->superlanes * sizeof *e->row);
                } else if (e->kind == EVENT_POWER) {
                    hash = mix(hash, e->mask);
                } else if (e->kind == EVENT_INPUT) {
                    for (int32_t k = 0; k < 8; k++) hash = mix_vec(f, hash, e->vec[k]);
                }
            }
    }
    return hash;
}

static uint64_t mix_alus(Fast *f, uint64_t hash) {
    for (int32_t i = 0; i < SIM_ALUS; i++) {
        const Alu *alu = fast_alu(f, i, fast_seen(f));
        for (uint32_t n = alu->shown; n != alu->taken; n++) {
            const int32_t slot = (int32_t)(n & (uint32_t)(f->alu_slots - 1));
            hash = mix(hash, (uint64_t)i << 56 ^ (uint64_t)alu->appears[slot]);
            hash = mix_bytes(hash, fast_alu_registers(f, i, slot), 4 * (size_t)f->lanes);
        }
        if (alu->produced < 0) continue;
        hash = mix(hash, (uint64_t)i << 56 ^ (uint64_t)alu->produced);
        hash = mix_bytes(hash, fast_alu_registers(f, i, alu->latched), 4 * (size_t)f->lanes);
    }
    return hash;
}

static uint64_t mix_plane(const Fast *f, int32_t p, uint64_t hash) {
    const Plane *plane = &f->state.plane[p];
    const size_t n = (size_t)f->lanes, rows = (size_t)f->m->mxm_accumulator_rows;
    hash = mix(hash, (uint64_t)plane->last_arrival);
    hash = mix(hash, (uint64_t)plane->last_install);
    hash = mix(hash, (uint64_t)plane->fp16_busy);
    for (int32_t column = 0; column < f->lanes; column++)
        hash = mix_vec(f, hash, plane->column[plane->buffer][column]);
    for (int32_t i = 0; i < 2; i++) {
        const WeightSet *set = &plane->set[plane->newest ^ i];
        if (set->generation == 0) continue;
        hash = mix(mix(hash, (uint64_t)set->type), (uint64_t)set->effective);
        for (int32_t column = 0; column < f->lanes; column++)
            hash = mix_vec(f, hash, plane->column[set->array][column]);
    }
    for (uint32_t i = plane->head; i != plane->tail; i++) {
        const Product *product = &plane->product[i % SIM_PRODUCTS];
        hash = mix(mix(hash, (uint64_t)product->arrival), (uint64_t)product->type);
        if (f->timing_only) continue; /* nobody multiplies */
        hash = mix_bytes(hash, fast_product(f, p, product->row), 4 * n);
    }
    for (size_t row = (size_t)p * rows; row < ((size_t)p + 1) * rows; row++) {
        if (!f->accumulator_type[row]) continue;
        hash = mix(mix(hash, row), f->accumulator_type[row]);
        hash = mix_bytes(hash, f->accumulators + row * n, 4 * n);
    }
    return hash;
}

uint64_t fast_hash(void *e) {
    Fast *f = e;
    uint64_t hash = mix(mix(0, (uint64_t)f->state.now), f->state.done);
    hash = mix(mix(hash, f->state.powered), (uint64_t)f->state.corrected);
    fast_mxm_multiply_all(f);
    fast_batch_finish_all(f);
    hash = mix_queues(f, hash);
    hash = mix_memory(f, hash);
    hash = mix_streams(f, hash);
    hash = mix_events(f, hash);
    hash = mix_alus(f, hash);
    for (int32_t p = 0; p < SIM_PLANES; p++) hash = mix_plane(f, p, hash);
    return hash;
}
