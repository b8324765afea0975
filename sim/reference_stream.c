/* reference_stream.c - stream registers: they shift, are driven, sampled, switched and hit. */
#include "reference.h"

#include <string.h>

size_t ref_register(const Reference *r, int32_t k, int32_t stream, int32_t column) {
    return ((size_t)k * TSP_MAX_STREAMS + (size_t)stream) * (size_t)r->columns + (size_t)column;
}

/* Every value of superlane k moves one column on; at the edge it is gone. */
void ref_shift(Reference *r, int32_t k) {
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++) {
        RefRegister *line = &r->streams[ref_register(r, k, stream, 0)];
        size_t moved = (size_t)(r->columns - 1) * sizeof *line;
        if (TSP_STREAM_NUMBER(stream) >= r->m->streams) continue;
        if (TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD) {
            memmove(line + 1, line, moved);
            memset(line, 0, sizeof *line);
        } else {
            memmove(line, line + 1, moved);
            memset(line + r->columns - 1, 0, sizeof *line);
        }
    }
}

/* Switches superlane k on or off: off, what stands on its registers becomes zero. */
void ref_switch(Reference *r, int32_t k, bool on) {
    r->powered[k] = on;
    if (on) return;
    for (int32_t stream = 0; stream < TSP_MAX_STREAMS; stream++)
        for (int32_t column = 0; column < r->columns; column++)
            memset(&r->streams[ref_register(r, k, stream, column)].word, 0, sizeof(RefWord));
}

/* The registers' 32 bits a lane, spread over byte planes. */
static void output_result(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    uint8_t *planes[TSP_MAX_STREAMS];
    bool converts = a->insn.op == TSP_OP_CVT || a->insn.op == TSP_OP_CVT_SAT;
    int32_t type = a->insn.op == TSP_OP_ACC ? TSP_I32 : converts ? a->insn.type2 : a->insn.type;
    for (int32_t i = 0; i < a->out_count; i++) planes[i] = out[i].lane;
    tsp_lanes_store(planes, a->result + k * r->width, (TspDtype)type, r->width);
}

void ref_output(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    size_t bytes = (size_t)a->out_count * sizeof *out;
    memset(out, 0, bytes);
    if (!r->powered[k]) return;
    if (a->out) { /* MEM passes data and check bits on as they are */
        memcpy(out, a->out + k * a->out_count, bytes);
        return;
    }
    if (a->result)
        output_result(r, a, k, out);
    else
        ref_sxm_output(r, a, k, out);
    for (int32_t i = 0; r->faults && i < a->out_count; i++)
        out[i].check = tsp_ecc_encode(out[i].lane, r->width);
}

/* Notes who drives in cycle t; whoever comes second to a register is the offender. */
void ref_collide(Reference *r, const RefActivity *a, int32_t k, int64_t t) {
    for (int32_t i = 0; i < a->out_count; i++) {
        int32_t stream = a->out_stream + i;
        int64_t *driven = &r->driven[ref_register(r, k, stream, a->unit.column)];
        if (*driven == t)
            ref_offend(r, (RefKey){t, REF_LANDING, a->queue, 0, {stream, k}}, TSP_ERR_ILLEGAL,
                       TSP_RULE_STREAM_COLLISION, a->queue, a->index,
                       "s%d.%c at column %d is driven by another unit too",
                       TSP_STREAM_NUMBER(stream), "ew"[TSP_STREAM_DIRECTION(stream)],
                       (int)a -> unit.column);
        *driven = t;
    }
}

void ref_drive(Reference *r, const RefActivity *a, int32_t k, int64_t t) {
    RefWord out[TSP_MAX_STREAMS];
    ref_collide(r, a, k, t);
    ref_output(r, a, k, out);
    for (int32_t i = 0; i < a->out_count; i++)
        r->streams[ref_register(r, k, a->out_stream + i, a->unit.column)] =
            (RefRegister){out[i], true};
}

/* Whether the consumer looks at the bits of this operand; MEM data just pass. */
static bool looks(const Reference *r, const RefActivity *a, int32_t i) {
    switch (a->insn.op) {
    case TSP_OP_WRITE:
    case TSP_OP_READ_WRITE:
        return false;
    case TSP_OP_SCATTER:
        return i > 0; /* the map */
    case TSP_OP_IFETCH:
        return r->fetching;
    default:
        return true;
    }
}

void ref_sample(Reference *r, RefActivity *a, int32_t k, int32_t i, int32_t at, int64_t t) {
    int32_t stream = a->in_stream[i], phase = t == a->cycle ? REF_ISSUE : REF_FETCH;
    const RefRegister *from = &r->streams[ref_register(r, k, stream, a->unit.column)];
    TspEccVerdict verdict;
    if (!from->defined) {
        ref_offend(r, (RefKey){t, phase, a->queue, REF_OF_STREAM, {a->in_operand[i], k, i}},
                   TSP_ERR_ILLEGAL, TSP_RULE_STREAM_UNDEFINED, a->queue, a->index,
                   "nothing stands on s%d.%c at column %d", TSP_STREAM_NUMBER(stream),
                   "ew"[TSP_STREAM_DIRECTION(stream)], (int)a -> unit.column);
        return;
    }
    a->in[at] = from->word;
    if (!r->faults || !r->powered[k] || !looks(r, a, i)) return;
    verdict = tsp_ecc_check(a->in[at].lane, r->width, &a->in[at].check);
    r->corrected += verdict == TSP_ECC_CORRECTED;
    if (verdict != TSP_ECC_UNCORRECTABLE) return;
    ref_offend(r, (RefKey){t, phase, a->queue, REF_OF_CODE, {a->in_operand[i], k, i}},
               TSP_ERR_FAULT, TSP_RULE_NONE, a->queue, a->index, "s%d.%c, superlane %d",
               TSP_STREAM_NUMBER(stream), "ew"[TSP_STREAM_DIRECTION(stream)], (int)k);
}

/* ---- faults ---- */

static bool flip_bit(uint8_t *lanes, uint16_t *check, int32_t width, int32_t bit) {
    if (bit >= TSP_ECC_DATA_BITS)
        *check = (uint16_t)(*check ^ 1u << (bit - TSP_ECC_DATA_BITS));
    else if (bit / 8 < width)
        lanes[bit / 8] = (uint8_t)(lanes[bit / 8] ^ 1u << bit % 8);
    else
        return false;
    return true;
}

static void flip(Reference *r, const TspFlip *f) {
    int32_t k = f->superlane;
    RefRegister *at;
    if (f->slice >= 0) {
        size_t row = ref_row(r, f->slice, f->row);
        if (r->defined[row] >> k & 1u)
            r->flipped += flip_bit(ref_memory(r, f->slice, f->row, k),
                                   &r->memory_check[row * (size_t)r->superlanes + (size_t)k],
                                   r->width, f->bit);
        return;
    }
    at = &r->streams[ref_register(r, k, f->stream, f->column)];
    if (at->defined && r->powered[k])
        r->flipped += flip_bit(at->word.lane, &at->word.check, r->width, f->bit);
}

/* The flips that hit superlane k in its cycle t. */
void ref_flips(Reference *r, int32_t k, int64_t t) {
    TspFlip chance;
    if (!r->faults) return;
    for (int32_t *i = &r->flip_next[k]; *i < r->flips.count; ++*i) {
        const TspFlip *f = &r->flips.flips[*i];
        if (f->cycle > t) break;
        if (f->cycle == t && f->superlane == k) flip(r, f);
    }
    if (r->flips.rate > 0 && tsp_faults_random(&r->flips, r->p, t, &chance) &&
        chance.superlane == k)
        flip(r, &chance);
}
