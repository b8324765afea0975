/* reference_fetch.c - instruction text: what has arrived, and the vectors that bring it. */
#include "reference.h"

bool ref_arrived(const Reference *r, const RefQueue *q, int32_t word, int64_t cycle) {
    int64_t needed = ((int64_t)word + 1) * (int64_t)sizeof(TspWord);
    int64_t brought = r->m->ifetch_queue_bytes;
    if (!r->fetching) return true;
    for (int32_t i = 0; i < q->fetches && q->ready[i] <= cycle; i++) brought += r->m->ifetch_bytes;
    return needed <= brought;
}

static bool refuse(Reference *r, const RefActivity *a, int32_t rank, TspRule rule,
                   const char *detail) {
    ref_offend(r, (RefKey){a->cycle, REF_ISSUE, a->queue, REF_OF_STATE, {rank}}, TSP_ERR_ILLEGAL,
               rule, a->queue, a->index, "%s", detail);
    return false;
}

bool ref_fetch_start(Reference *r, RefActivity *a) {
    const TspMachine *m = r->m;
    RefQueue *q = &r->queues[a->queue];
    int64_t vectors = tsp_ifetch_vectors(m), held;
    if (q->fetched >= 0 && a->cycle < q->fetched + vectors)
        return refuse(r, a, 0, TSP_RULE_FETCH_OVERLAP, "the last one still takes vectors");
    q->fetched = a->cycle;
    if (!r->fetching) return true;
    a->text = m->ifetch_queue_bytes + q->fetches * m->ifetch_bytes;
    held = a->text - ((int64_t)a->index + 1) * (int64_t)sizeof(TspWord);
    if (held + m->ifetch_bytes > m->ifetch_queue_bytes)
        return refuse(r, a, 1, TSP_RULE_FETCH_OVERRUN, "fetch later");
    q->ready[q->fetches++] = a->cycle + vectors - 1 + m->ifetch_cycles;
    return true;
}

/* Byte of the queue's text; -1 beyond its end. */
static int32_t text_byte(const TspQueue *text, int64_t at) {
    int64_t word = at / (int64_t)sizeof(TspWord), byte = at % (int64_t)sizeof(TspWord);
    const int64_t half = (int64_t)sizeof(uint64_t);
    uint64_t bits;
    if (word >= text->count) return -1;
    bits = byte < half ? text->words[word].lo : text->words[word].hi;
    return (int32_t)(bits >> (8 * (byte % half)) & UINT8_MAX);
}

/* Compares what superlane k has taken with the text. */
static void compare(Reference *r, const RefActivity *a, int32_t k, int64_t t, RefPhase phase) {
    int32_t vectors = tsp_ifetch_vectors(r->m);
    for (int32_t v = 0; v < vectors; v++)
        for (int32_t lane = 0; lane < r->width; lane++) {
            int64_t byte = (int64_t)v * r->lanes + (int64_t)k * r->width + lane;
            int32_t want, got = a->in[k * vectors + v].lane[lane];
            if (byte >= r->m->ifetch_bytes) continue;
            want = text_byte(&r->p->queues[a->queue], a->text + byte);
            if (want < 0 || want == got) continue;
            ref_offend(r, (RefKey){t, (int32_t)phase, a->queue, REF_OF_DATA, {k, v, lane}},
                       TSP_ERR_ILLEGAL, TSP_RULE_FETCH_TEXT, a->queue, a->index,
                       "byte %lld is 0x%02x, the text has 0x%02x", (long long)(a->text + byte),
                       (unsigned)got, (unsigned)want);
        }
}

/* Superlane k takes the vector of cycle t. */
void ref_fetch_vector(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    int32_t vectors = tsp_ifetch_vectors(r->m), v = (int32_t)(t - a->cycle);
    if (v >= vectors) return;
    ref_sample(r, a, k, 0, k * vectors + v, t);
    if (r->fetching && v == vectors - 1) compare(r, a, k, t, v == 0 ? REF_ISSUE : REF_FETCH);
}
