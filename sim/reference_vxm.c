/* reference_vxm.c - what a tile of the VXM does: operands, the ALU, results and latches. */
#include "reference.h"

/* 32 raw bits as an ALU takes them in a type: the low bits, extended as the type is. */
static uint32_t narrow(uint32_t bits, int32_t type) {
    switch (type) {
    case TSP_I8:
        return (uint32_t)(int32_t)(int8_t)bits;
    case TSP_U8:
        return (uint8_t)bits;
    case TSP_I16:
        return (uint32_t)(int32_t)(int16_t)bits;
    case TSP_F16:
        return (uint16_t)bits;
    default:
        return bits;
    }
}

/* Takes one operand of superlane k; `first` is where its streams begin among those sampled. */
static void take(Reference *r, const RefActivity *a, int32_t k, int64_t t, int32_t source,
                 int32_t first, uint32_t *reg) {
    int32_t number = TSP_SRC_NUMBER(source), kind = TSP_SRC_KIND(source);
    const uint8_t *planes[TSP_MAX_STREAMS];
    bool now = r->m->vxm_entry_cycles == 0;
    int64_t last;
    if (kind == TSP_SRC_STREAM) {
        for (int32_t i = 0; i < tsp_dtype_bytes((TspDtype)a->insn.type); i++)
            planes[i] = a->in[k * a->in_count + first + i].lane;
        tsp_lanes_load(reg, planes, (TspDtype)a->insn.type, r->width);
        return;
    }
    for (int32_t lane = 0; lane < r->width; lane++) {
        uint32_t bits = kind == TSP_SRC_IMM ? (uint32_t)a->insn.imm
                                            : r->latch[number * r->lanes + k * r->width + lane];
        reg[lane] = narrow(bits, a->insn.type);
    }
    if (kind == TSP_SRC_IMM) return;
    last = r->latched[number * r->superlanes + k];
    if (kind == TSP_SRC_ALU ? last == t : last >= 0) return;
    ref_offend(r,
               (RefKey){t, now ? REF_ISSUE : REF_ALU, a->queue, now ? REF_OF_DATA : 0, {first, k}},
               TSP_ERR_ILLEGAL, TSP_RULE_ALU_UNDEFINED, a->queue, a->index,
               "ALU %d has no result in this cycle", (int)number);
}

/* The ALU inputs of superlane k are complete: it computes. */
void ref_alu(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    uint32_t left[REF_WORD_BYTES], right[REF_WORD_BYTES] = {0};
    int32_t before =
        TSP_SRC_KIND(a->insn.src_a) == TSP_SRC_STREAM ? tsp_dtype_bytes((TspDtype)a->insn.type) : 0;
    take(r, a, k, t, a->insn.src_a, 0, left);
    if (tsp_insn_binary(a->insn.op)) take(r, a, k, t, a->insn.src_b, before, right);
    tsp_lanes_op(&a->insn, left, right, a->result + k * r->width, r->width);
}

void ref_alu_land(Reference *r, const RefActivity *a, int32_t k, int64_t t) {
    int32_t alu = a->unit.index;
    for (int32_t lane = k * r->width; lane < (k + 1) * r->width; lane++)
        r->latch[alu * r->lanes + lane] = a->result[lane];
    r->latched[alu * r->superlanes + k] = t;
}
