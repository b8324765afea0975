/* hash.c - one number for the whole architectural state: the same however one got there, and blind
 * to what is only bookkeeping (pool indices, products not multiplied yet).
 */
#include "stream.h"

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

static uint64_t mix_vec(const TspSim *sim, uint64_t hash, int32_t vec) {
    return vec == SIM_NONE ? mix(hash, 1) : mix_bytes(hash, sim_vec(sim, vec), (size_t)sim->lanes);
}

static uint64_t mix_queues(const TspSim *sim, uint64_t hash) {
    for (int32_t i = 0; i < sim->queues; i++) {
        const QueueState *q = &sim->state.queue[i];
        hash = mix(hash, (uint64_t)q->mode);
        hash = mix(hash, (uint64_t)q->index);
        if (q->mode == QUEUE_EXHAUSTED) continue;
        hash = mix(hash, (uint64_t)q->next);
        hash = mix(hash, (uint64_t)q->inner << 32 | (uint64_t)q->outer);
    }
    return hash;
}

static uint64_t mix_memory(const TspSim *sim, uint64_t hash) {
    size_t words = sim_row_id(sim, 2 * (int32_t)sim->m->mem_slices, 0) / 64 + 1;
    for (size_t w = 0; w < words; w++)
        for (uint64_t bits = sim->defined[w]; bits; bits &= bits - 1) {
            size_t row = 64 * w + (size_t)__builtin_ctzll(bits);
            hash = mix(hash, row);
            hash = mix_bytes(hash, sim_row(sim, row), (size_t)sim->lanes);
        }
    return hash;
}

static uint64_t mix_streams(const TspSim *sim, uint64_t hash) {
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t column = 0; column < sim->columns; column++) {
            int32_t vec = sim_stream_look(sim, stream, column);
            if (vec == SIM_NONE) continue;
            hash = mix(hash, (uint64_t)(stream * TSP_MAX_COLUMNS + column));
            hash = mix_vec(sim, hash, vec);
        }
    return hash;
}

static uint64_t mix_events(const TspSim *sim, uint64_t hash) {
    for (int32_t ahead = 0; ahead < sim->wheel; ahead++) {
        const Bucket *bucket = &sim->buckets[(sim->state.now + ahead) & (sim->wheel - 1)];
        for (int32_t late = 0; late < 2; late++)
            for (int32_t i = bucket->head[late]; i != SIM_NONE; i = sim->events[i].next) {
                const Event *e = &sim->events[i];
                hash = mix(hash, (uint64_t)ahead << 32 | (uint64_t)e->kind);
                hash = mix(hash, (uint64_t)e->queue << 32 | (uint64_t)e->index);
                if (e->kind == EVENT_DRIVE || e->kind == EVENT_WRITE) {
                    hash = mix(hash, (uint64_t)e->stream << 32 | (uint64_t)e->column);
                    hash = mix(hash, (uint64_t)e->target);
                    hash = mix_vec(sim, hash, e->vec[0]);
                } else if (e->kind == EVENT_INPUT) {
                    for (int32_t k = 0; k < 8; k++) hash = mix_vec(sim, hash, e->vec[k]);
                } else {
                    hash =
                        mix_bytes(hash, sim_alu_result(sim, sim->info[e->queue].index, e->target),
                                  4 * (size_t)sim->lanes);
                }
            }
    }
    return hash;
}

static uint64_t mix_alus(const TspSim *sim, uint64_t hash) {
    for (int32_t i = 0; i < SIM_ALUS; i++) {
        const Alu *alu = &sim->state.alu[i];
        if (alu->produced < 0) continue;
        hash = mix(hash, (uint64_t)i << 56 ^ (uint64_t)alu->produced);
        hash = mix_bytes(hash, sim_alu_result(sim, i, alu->latched), 4 * (size_t)sim->lanes);
    }
    return hash;
}

static uint64_t mix_plane(const TspSim *sim, int32_t p, uint64_t hash) {
    const Plane *plane = &sim->state.plane[p];
    const size_t n = (size_t)sim->lanes, rows = (size_t)sim->m->mxm_accumulator_rows;
    hash = mix(hash, (uint64_t)plane->last_arrival);
    hash = mix(hash, (uint64_t)plane->last_install);
    hash = mix(hash, (uint64_t)plane->fp16_busy);
    for (size_t column = 0; column < n; column++)
        if (plane->column_loaded[column])
            hash = mix_bytes(mix(hash, column), sim_weights(sim, p, plane->buffer) + column * n, n);
    for (int32_t i = 0; i < 2; i++) {
        const WeightSet *set = &plane->set[plane->newest ^ i];
        if (set->generation == 0) continue;
        hash = mix(mix(hash, (uint64_t)set->type), (uint64_t)set->effective);
        hash = mix_bytes(hash, (const uint8_t *)set->loaded, n);
        hash = mix_bytes(hash, sim_weights(sim, p, set->array), n * n);
    }
    for (uint32_t i = plane->head; i != plane->tail; i++) {
        const Product *product = &plane->product[i % SIM_PRODUCTS];
        hash = mix(mix(hash, (uint64_t)product->arrival), (uint64_t)product->type);
        hash = mix_bytes(hash, sim_product(sim, p, product->row), 4 * n);
    }
    for (size_t row = (size_t)p * rows; row < ((size_t)p + 1) * rows; row++) {
        if (!sim->accumulator_type[row]) continue;
        hash = mix(mix(hash, row), sim->accumulator_type[row]);
        hash = mix_bytes(hash, sim->accumulators + row * n, 4 * n);
    }
    return hash;
}

uint64_t tsp_sim_hash(TspSim *sim) {
    uint64_t hash = mix(mix(0, (uint64_t)sim->state.now), sim->state.done);
    sim_mxm_multiply_all(sim);
    hash = mix_queues(sim, hash);
    hash = mix_memory(sim, hash);
    hash = mix_streams(sim, hash);
    hash = mix_events(sim, hash);
    hash = mix_alus(sim, hash);
    for (int32_t p = 0; p < SIM_PLANES; p++) hash = mix_plane(sim, p, hash);
    return hash;
}
