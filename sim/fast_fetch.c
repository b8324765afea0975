/* fast_fetch.c - Ifetch: vectors of text taken from a stream, and when the words are there. */
#include "fast_stream.h"

#include <string.h>

enum { WORD_BYTES = sizeof(TspWord) };

static int64_t words_at_start(const Fast *f) {
    return f->m->ifetch_queue_bytes / WORD_BYTES;
}
static int64_t words_a_fetch(const Fast *f) {
    return f->m->ifetch_bytes / WORD_BYTES;
}

bool fast_text_arrived(const Fast *f, int32_t queue, int32_t index, int64_t cycle) {
    const Fetch *fetch = &f->state.fetch[queue];
    int64_t beyond = index + 1 - words_at_start(f), needed;
    if (beyond <= 0) return true;
    needed = (beyond - 1) / words_a_fetch(f); /* the Ifetch that brings it */
    if (needed >= fetch->count) return false;
    if (needed < fetch->count - SIM_FETCHES) return true; /* issued longer ago than a fetch takes */
    return fetch->issued[needed % SIM_FETCHES] + f->func[TSP_OP_IFETCH] <= cycle;
}

/* The text that vector `v` of the last Ifetch should hold, by bytes; *length is how many of its
 * lanes are compared: text ends with the queue and with the fetch. */
static const uint8_t *expected_text(const Fast *f, int32_t queue, int32_t v, int64_t *length,
                                    uint8_t *bytes) {
    const TspQueue *q = &f->program->queues[queue];
    int64_t first = (int64_t)v * f->lanes;
    int64_t at = words_at_start(f) * WORD_BYTES +
                 (int64_t)(f->state.fetch[queue].count - 1) * f->m->ifetch_bytes + first;
    int64_t end = (int64_t)q->count * WORD_BYTES;
    *length = f->m->ifetch_bytes - first < f->lanes ? f->m->ifetch_bytes - first : f->lanes;
    if (*length > end - at) *length = end > at ? end - at : 0;
    for (int64_t i = 0; i < *length; i++) {
        const TspWord *word = &q->words[(at + i) / WORD_BYTES];
        int64_t byte = (at + i) % WORD_BYTES;
        bytes[i] = (uint8_t)((byte < 8 ? word->lo : word->hi) >> 8 * (byte % 8));
    }
    return bytes;
}

/* Takes this cycle's vector. */
static bool take(Fast *f, const Issue *issue, TspError *err) {
    Fetch *fetch = &f->state.fetch[issue->queue];
    uint64_t bit = 1ull << (issue->queue % 64);
    uint8_t bytes[TSP_MAX_LANES];
    int64_t length;
    int32_t vec;
    if (!fast_stream_sample(f, issue, fetch->stream, 1, &vec, err)) return false;
    /* Where all text is there already, nobody looks at what is fetched. */
    if (f->ifetch_modelled && !fast_check(f, issue, &vec, 1, err)) return false;
    expected_text(f, issue->queue, fetch->taken, &length, bytes);
    fetch->wrong |= !f->timing_only && memcmp(bytes, fast_vec(f, vec), (size_t)length) != 0;
    fast_vec_drop(f, vec);
    if (++fetch->taken < f->fetch_vectors) {
        f->state.fetching[issue->queue / 64] |= bit;
        fast_wake(f, f->state.now + 1);
        return true;
    }
    f->state.fetching[issue->queue / 64] &= ~bit;
    if (!f->ifetch_modelled || !fetch->wrong) return true;
    return fast_offence(f, err, TSP_RULE_FETCH_TEXT, issue,
                        "expected the %lld bytes from word %lld of this queue on",
                        (long long)f->m->ifetch_bytes,
                        (long long)(words_at_start(f) + (fetch->count - 1) * words_a_fetch(f)));
}

bool fast_fetch(Fast *f, const Issue *issue, TspError *err) {
    Fetch *fetch = &f->state.fetch[issue->queue];
    int64_t capacity = words_at_start(f), held;
    if (f->state.fetching[issue->queue / 64] >> (issue->queue % 64) & 1)
        return fast_offence(
            f, err, TSP_RULE_FETCH_OVERLAP, issue, "the ifetch of cycle %lld takes %d vectors",
            (long long)fetch->issued[(fetch->count - 1) % SIM_FETCHES], (int)f->fetch_vectors);
    held = words_at_start(f) + fetch->count * words_a_fetch(f) - (issue->index + 1);
    if (f->ifetch_modelled && held + words_a_fetch(f) > capacity)
        return fast_offence(f, err, TSP_RULE_FETCH_OVERRUN, issue,
                            "%lld words are held or under way, %lld come, %lld fit",
                            (long long)held, (long long)words_a_fetch(f), (long long)capacity);
    fetch->issued[fetch->count++ % SIM_FETCHES] = f->state.now;
    fetch->taken = 0;
    fetch->index = issue->index;
    fetch->stream = issue->insn->stream;
    fetch->wrong = false;
    return take(f, issue, err);
}

bool fast_fetch_on(Fast *f, TspError *err) {
    for (int32_t w = 0; w < SIM_QUEUE_WORDS; w++)
        for (uint64_t queues = f->state.fetching[w]; queues; queues &= queues - 1) {
            int32_t queue = 64 * w + __builtin_ctzll(queues);
            const Fetch *fetch = &f->state.fetch[queue];
            const Issue issue = {.queue = queue, .index = fetch->index, .info = &f->info[queue]};
            if (fetch->issued[(fetch->count - 1) % SIM_FETCHES] == f->state.now) continue;
            if (!take(f, &issue, err)) return false;
        }
    return true;
}
