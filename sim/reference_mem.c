/* reference_mem.c - what a tile of a MEM slice does: rows by superlane, writes that take time. */
#include "reference.h"

#include <string.h>

size_t ref_row(const Reference *r, int32_t slice, int32_t row) {
    return (size_t)slice * (size_t)r->slice_rows + (size_t)row;
}

uint8_t *ref_memory(const Reference *r, int32_t slice, int32_t row, int32_t k) {
    return r->memory + ref_row(r, slice, row) * (size_t)r->lanes + (size_t)k * (size_t)r->width;
}

/* The address that a map gives superlane k. */
int32_t ref_map_row(const Reference *r, const RefActivity *a, int32_t k) {
    const RefWord *map = &a->in[k * a->in_count + a->in_count - 1];
    return r->width == 1 ? map->lane[0] : map->lane[0] | map->lane[1] << 8;
}

int32_t ref_stored_row(const Reference *r, const RefActivity *a, int32_t k) {
    if (!(a->on >> k & 1u)) return -1;
    if (a->insn.op == TSP_OP_WRITE || a->insn.op == TSP_OP_READ_WRITE) return a->insn.waddr;
    if (a->insn.op != TSP_OP_SCATTER || ref_map_row(r, a, k) >= r->slice_rows) return -1;
    return ref_map_row(r, a, k);
}

const RefWord *ref_stored_word(const RefActivity *a, int32_t k) {
    return &a->in[k * a->in_count];
}

/* Whether a write to the row of superlane k has issued before t and not landed by t. */
static bool too_soon(const Reference *r, int32_t slice, int32_t row, int32_t k, int64_t t) {
    const RefQueue *q = &r->queues[slice];
    for (int32_t i = 0; i < q->count; i++) {
        const RefActivity *a = q->under_way[i];
        if (a->cycle < t && a->cycle + a->land > t && ref_stored_row(r, a, k) == row) return true;
    }
    return false;
}

static void offend(Reference *r, const RefActivity *a, RefOrder order, int32_t first,
                   int32_t second, TspRule rule, int32_t row, int32_t k) {
    ref_offend(r, (RefKey){a->cycle, REF_ISSUE, a->queue, (int32_t)order, {first, second}},
               TSP_ERR_ILLEGAL, rule, a->queue, a->index, "row %d, superlane %d", (int)row, (int)k);
}

/* Reads superlane k of a row as it is in t. A Read's rules are about the state, rule by rule; a
 * Gather's about its data, superlane by superlane. */
static void read_row(Reference *r, RefActivity *a, int32_t row, int32_t k, int64_t t) {
    enum { AFTER_STARTING = 3 };
    bool gathers = a->insn.op == TSP_OP_GATHER;
    RefOrder order = gathers ? REF_OF_DATA : REF_OF_STATE;
    RefWord *out = &a->out[k];
    if (too_soon(r, a->queue, row, k, t))
        offend(r, a, order, gathers ? k : AFTER_STARTING, gathers ? 1 : k, TSP_RULE_ROW_TOO_SOON,
               row, k);
    if (!(r->defined[ref_row(r, a->queue, row)] >> k & 1u)) {
        offend(r, a, order, gathers ? k : AFTER_STARTING + 1, gathers ? 2 : k,
               TSP_RULE_ROW_UNDEFINED, row, k);
        return;
    }
    memcpy(out->lane, ref_memory(r, a->queue, row, k), (size_t)r->width);
    if (r->faults)
        out->check = r->memory_check[ref_row(r, a->queue, row) * (size_t)r->superlanes + (size_t)k];
}

/* What a tile does in the cycle of the issue, beyond sampling streams. */
void ref_mem_sample(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    bool maps = a->insn.op == TSP_OP_GATHER || a->insn.op == TSP_OP_SCATTER;
    if (!r->powered[k]) return;
    if (maps && ref_map_row(r, a, k) >= r->slice_rows) {
        offend(r, a, REF_OF_DATA, k, 0, TSP_RULE_ADDRESS_RANGE, ref_map_row(r, a, k), k);
        return;
    }
    if (a->insn.op == TSP_OP_GATHER) read_row(r, a, ref_map_row(r, a, k), k, t);
    if (a->insn.op == TSP_OP_READ || a->insn.op == TSP_OP_READ_WRITE)
        read_row(r, a, a->insn.addr, k, t);
}

void ref_mem_land(Reference *r, const RefActivity *a, int32_t k) {
    const RefWord *word = ref_stored_word(a, k);
    int32_t row = ref_stored_row(r, a, k);
    if (row < 0) return;
    memcpy(ref_memory(r, a->queue, row, k), word->lane, (size_t)r->width);
    if (r->faults)
        r->memory_check[ref_row(r, a->queue, row) * (size_t)r->superlanes + (size_t)k] =
            word->check;
    r->defined[ref_row(r, a->queue, row)] |= 1u << k;
}
