/* digest.c - one number for everything that can be seen of the state, the same in both engines. */
#include "engine.h"

#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static uint64_t mix_bytes(uint64_t hash, const void *bytes, int32_t count) {
    const uint8_t *at = bytes;
    for (; count > 0; count -= 8, at += 8) {
        uint64_t value = 0;
        memcpy(&value, at, count < 8 ? (size_t)count : 8);
        hash = mix(hash, value);
    }
    return hash;
}

static uint64_t mix_streams(const TspSim *sim, uint64_t hash) {
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t column = 0; column < tsp_columns(sim->m); column++) {
            const uint8_t *vector = tsp_sim_stream(sim, stream, column);
            if (!vector) continue;
            hash = mix(hash, (uint64_t)(stream * TSP_MAX_COLUMNS + column));
            hash = mix_bytes(hash, vector, tsp_lanes(sim->m));
        }
    return hash;
}

static uint64_t mix_memory(const TspSim *sim, uint64_t hash) {
    const int32_t rows = tsp_mem_slice_rows(sim->m);
    for (int32_t slice = 0; slice < 2 * sim->m->mem_slices; slice++)
        for (int32_t addr = 0; addr < rows; addr++) {
            uint32_t written;
            const uint8_t *row = tsp_sim_row(sim, slice, addr, &written);
            if (!row) continue;
            hash = mix(mix(hash, (uint64_t)slice << 32 | (uint64_t)addr), written);
            hash = mix_bytes(hash, row, tsp_lanes(sim->m));
        }
    return hash;
}

static uint64_t mix_units(const TspSim *sim, uint64_t hash) {
    const int32_t bytes = 4 * tsp_lanes(sim->m), planes = 2 * (int32_t)sim->m->mxm_planes;
    for (int32_t queue = 0; queue < tsp_queue_count(sim->m); queue++)
        hash = mix(hash, (uint64_t)tsp_sim_queue_word(sim, queue));
    for (int32_t alu = 0; alu < sim->m->vxm_alus; alu++) {
        const uint32_t *latch = tsp_sim_latch(sim, alu);
        if (latch) hash = mix_bytes(mix(hash, (uint64_t)alu), latch, bytes);
    }
    for (int32_t plane = 0; plane < planes; plane++)
        for (int32_t row = 0; row < sim->m->mxm_accumulator_rows; row++) {
            TspDtype type;
            const uint32_t *sums = tsp_sim_accumulator(sim, plane, row, &type);
            if (!sums) continue;
            hash = mix(mix(hash, (uint64_t)plane << 32 | (uint64_t)row), (uint64_t)type);
            hash = mix_bytes(hash, sums, bytes);
        }
    return hash;
}

uint64_t tsp_sim_digest(const TspSim *sim) {
    const TspSimStats stats = tsp_sim_stats(sim);
    const TspCsr csr = tsp_sim_csr(sim);
    const int64_t counts[] = {
        tsp_sim_now(sim), stats.cycles,     stats.instructions, stats.mxm_busy,   stats.macs,
        stats.vxm_issues, stats.sxm_issues, stats.mem_reads,    stats.mem_writes, stats.stream_hops,
        csr.powered,      csr.corrected,    csr.flipped,        tsp_sim_done(sim)};
    uint64_t hash = mix_bytes(0, counts, (int32_t)sizeof counts);
    hash = mix_streams(sim, hash);
    hash = mix_memory(sim, hash);
    return mix_units(sim, hash);
}
