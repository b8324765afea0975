/* reference_hash.c - a hash of the whole state, what is under way included. */
#include "reference.h"

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t bytes(uint64_t hash, const void *data, size_t size) {
    const uint8_t *at = data;
    for (size_t i = 0; i < size; i++) hash = mix(hash, at[i]);
    return mix(hash, size);
}

static uint64_t weights(const Reference *r, uint64_t hash, const RefWeights *w) {
    size_t lanes = (size_t)r->lanes;
    if (!w) return mix(hash, 0);
    hash = bytes(mix(hash, 1 + (uint64_t)w->type), w->loaded, lanes);
    return bytes(hash, w->weight, lanes * lanes);
}

static uint64_t plane(const Reference *r, uint64_t hash, const RefPlane *p) {
    size_t lanes = (size_t)r->lanes;
    hash = bytes(hash, p->buffer, lanes * lanes);
    hash = bytes(hash, p->loaded, lanes);
    hash = bytes(hash, p->group, lanes);
    hash = weights(r, weights(r, hash, p->use), p->next);
    hash = mix(mix(mix(hash, p->loads), (uint64_t)p->load), (uint64_t)p->install);
    hash = mix(mix(hash, (uint64_t)p->fp16), p->next ? (uint64_t)p->from : 0);
    for (int32_t row = 0; row < r->m->mxm_accumulator_rows; row++) {
        if (!p->kept[row]) continue;
        hash = mix(mix(hash, (uint64_t)row), p->kept[row]);
        hash = bytes(hash, p->sums + (int64_t)row * r->lanes, lanes * sizeof *p->sums);
    }
    return hash;
}

static uint64_t activity(const Reference *r, uint64_t hash, const RefActivity *a) {
    size_t superlanes = (size_t)r->superlanes, words = superlanes * sizeof(RefWord);
    int32_t taken = a->insn.op == TSP_OP_IFETCH ? tsp_ifetch_vectors(r->m) : a->in_count;
    hash = mix(mix(mix(hash, (uint64_t)a->cycle), (uint64_t)a->queue), (uint64_t)a->index);
    hash = bytes(hash, &a->insn, sizeof a->insn);
    hash = mix(mix(mix(hash, a->on), a->taken), (uint64_t)a->text);
    hash = bytes(hash, a->in, words * (size_t)taken);
    if (a->out) hash = bytes(hash, a->out, words * (size_t)a->out_count);
    if (a->result) hash = bytes(hash, a->result, (size_t)r->lanes * sizeof *a->result);
    return weights(r, weights(r, hash, a->weights[0]), a->weights[1]);
}

static uint64_t queue(const Reference *r, uint64_t hash, const RefQueue *q) {
    hash = mix(mix(mix(hash, (uint64_t)q->next), (uint64_t)q->due), (uint64_t)q->parked);
    hash = mix(mix(mix(hash, q->repeating), (uint64_t)q->fetches), (uint64_t)q->fetched);
    if (q->repeating) {
        hash = mix(mix(mix(hash, (uint64_t)q->at), (uint64_t)q->i), (uint64_t)q->j);
        hash = mix(hash, (uint64_t)q->first);
    }
    for (int32_t i = 0; q->ready && i < q->fetches; i++) hash = mix(hash, (uint64_t)q->ready[i]);
    for (int32_t i = 0; i < q->count; i++) hash = activity(r, hash, q->under_way[i]);
    return hash;
}

static uint64_t streams(const Reference *r, uint64_t hash) {
    for (size_t i = 0; i < ref_register(r, r->superlanes, 0, 0); i++) {
        if (!r->streams[i].defined) continue;
        hash = bytes(mix(hash, i), r->streams[i].word.lane, (size_t)r->width);
        hash = mix(hash, r->streams[i].word.check);
    }
    return hash;
}

static uint64_t memory(const Reference *r, uint64_t hash) {
    for (int32_t slice = 0; slice < r->slices; slice++)
        for (int32_t row = 0; row < r->slice_rows; row++) {
            size_t at = ref_row(r, slice, row);
            if (r->defined[at]) hash = mix(mix(hash, at), r->defined[at]);
            for (int32_t k = 0; r->defined[at] >> k; k++) {
                if (!(r->defined[at] >> k & 1u)) continue;
                hash = bytes(hash, ref_memory(r, slice, row, k), (size_t)r->width);
                if (r->faults)
                    hash = mix(hash, r->memory_check[at * (size_t)r->superlanes + (size_t)k]);
            }
        }
    return hash;
}

uint64_t ref_hash(void *e) {
    const Reference *r = e;
    uint64_t hash = mix((uint64_t)r->now, (uint64_t)r->latency);
    hash = bytes(hash, &r->stats, sizeof r->stats);
    hash = mix(mix(hash, (uint64_t)r->corrected), (uint64_t)r->flipped);
    for (int32_t k = 0; k < r->superlanes; k++) hash = mix(hash, r->powered[k]);
    hash = memory(r, streams(r, hash));
    for (int32_t i = 0; i < r->queue_count; i++) hash = queue(r, hash, &r->queues[i]);
    for (int32_t i = 0; i < r->plane_count; i++) hash = plane(r, hash, &r->planes[i]);
    for (int32_t i = 0; i < r->m->vxm_alus * r->superlanes; i++) {
        hash = mix(hash, (uint64_t)r->latched[i]);
        if (r->latched[i] >= 0)
            hash = bytes(hash, r->latch + i * r->width, (size_t)r->width * sizeof *r->latch);
    }
    return bytes(hash, r->ops, (size_t)r->p->op_count * sizeof *r->ops);
}
