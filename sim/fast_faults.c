/* fast_faults.c - bits that flip, and check bits: made, checked, used to correct. */
#include "fast_mem.h"

#include <stdio.h>
#include <string.h>

void fast_seal(const Fast *f, int32_t vec) {
    uint16_t *check = fast_vec_check(f, vec);
    for (int32_t k = 0; k < f->superlanes; k++)
        check[k] = tsp_ecc_encode(fast_vec(f, vec) + k * f->tile, f->tile);
}

/* The stream that brings a vector to the unit. */
static const char *brought_by(const Fast *f, const Issue *issue, int32_t vec, char name[16]) {
    int32_t stream = 0;
    while (stream < TSP_MAX_STREAMS - 1 && fast_stream_look(f, stream, issue->info->column) != vec)
        stream++;
    return fast_stream_name(stream, name);
}

/* Checks one vector of an issue; *vec becomes a copy of its own if something is corrected. */
static bool check_vector(Fast *f, const Issue *issue, int32_t *vec, TspError *err) {
    const int32_t taken = *vec;
    for (int32_t k = 0; k < f->superlanes; k++) {
        uint16_t check = fast_vec_check(f, *vec)[k];
        uint8_t word[TSP_ECC_DATA_BITS / 8];
        char where[64], name[16];
        TspEccVerdict verdict;
        if (!(f->state.powered >> k & 1)) continue;
        memcpy(word, fast_vec(f, *vec) + k * f->tile, (size_t)f->tile);
        verdict = tsp_ecc_check(word, f->tile, &check);
        if (verdict == TSP_ECC_CLEAN) continue;
        if (verdict == TSP_ECC_UNCORRECTABLE) {
            snprintf(where, sizeof where, "%s, superlane %d", brought_by(f, issue, taken, name),
                     (int)k);
            return engine_double_bit(f->program, err, f->state.now, issue->queue, issue->index,
                                     where);
        }
        *vec = fast_vec_own(f, *vec);
        memcpy(fast_vec(f, *vec) + k * f->tile, word, (size_t)f->tile);
        fast_vec_check(f, *vec)[k] = check;
        f->state.corrected++;
    }
    return true;
}

bool fast_check_all(Fast *f, const Issue *issue, int32_t *vecs, int32_t count, TspError *err) {
    for (int32_t i = 0; i < count; i++)
        if (vecs[i] != SIM_NONE && !check_vector(f, issue, &vecs[i], err)) return false;
    return true;
}

int64_t fast_next_flip(const Fast *f) {
    const TspFaults *faults = &f->faults;
    if (faults->rate > 0) return f->state.now;
    return f->state.next_flip < faults->count ? faults->flips[f->state.next_flip].cycle : SIM_NEVER;
}

static void invert(uint8_t *word, uint16_t *check, int32_t bit) {
    if (bit < TSP_ECC_DATA_BITS)
        word[bit / 8] ^= (uint8_t)(1 << bit % 8);
    else
        *check ^= (uint16_t)(1 << (bit - TSP_ECC_DATA_BITS));
}

static void flip_one(Fast *f, const TspFlip *flip) {
    const int32_t k = flip->superlane;
    int32_t vec;
    if (flip->slice >= 0) {
        const size_t id = fast_row_id(f, flip->slice, flip->row);
        MemRow *row = &f->rows[id];
        if (!(row->defined >> k & 1)) return;
        vec = row->vec = fast_vec_own(f, row->vec);
        fast_row_changed(f, id);
    } else {
        int64_t diagonal = fast_diagonal(flip->stream, flip->column, f->state.now);
        StreamSlot *slot = fast_slot(f, flip->stream, diagonal);
        if (slot->diagonal != diagonal || !(f->state.powered >> k & 1)) return;
        vec = slot->vec = fast_vec_own(f, slot->vec);
    }
    invert(fast_vec(f, vec) + k * f->tile, fast_vec_check(f, vec) + k, flip->bit);
    f->state.flipped++;
}

void fast_flip(Fast *f) {
    const TspFaults *faults = &f->faults;
    State *st = &f->state;
    TspFlip random;
    for (; st->next_flip < faults->count && faults->flips[st->next_flip].cycle <= st->now;
         st->next_flip++)
        if (faults->flips[st->next_flip].cycle == st->now)
            flip_one(f, &faults->flips[st->next_flip]);
    if (faults->rate > 0 && tsp_faults_random(faults, f->program, st->now, &random))
        flip_one(f, &random);
}
