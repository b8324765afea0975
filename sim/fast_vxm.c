/* fast_vxm.c - VXM ALUs: streams are sampled at issue, operands taken at the ALU's input, results
 * appear an operation later, on the mesh at once and on a stream after the exit. */
#include "fast_stream.h"

#include <string.h>

static TspDtype result_type(const TspInsn *insn) {
    bool converts = insn->op == TSP_OP_CVT || insn->op == TSP_OP_CVT_SAT;
    return (TspDtype)(converts ? insn->type2 : insn->type);
}

bool fast_vxm_issue(Fast *f, const Issue *issue, TspError *err) {
    const TspInsn *insn = issue->insn;
    const int32_t source[2] = {insn->src_a, insn->src_b}, operands = f->binary[insn->op] ? 2 : 1;
    const int32_t bytes = tsp_dtype_bytes((TspDtype)insn->type);
    const bool at_once = f->m->vxm_entry_cycles == 0;
    int32_t vecs[8];
    Event input, *later = &input;
    memset(vecs, 0xff, sizeof vecs); /* SIM_NONE */
    for (int32_t i = 0; i < operands; i++)
        if (TSP_SRC_KIND(source[i]) == TSP_SRC_STREAM &&
            !fast_stream_sample(f, issue, TSP_SRC_NUMBER(source[i]), bytes, vecs + 4 * i, err))
            return false;
    if (!fast_check(f, issue, vecs, 8, err)) return false;
    f->state.stats.vxm_issues++;
    if (at_once)
        input = (Event){.queue = issue->queue, .index = issue->index};
    else
        later = fast_event_add(f, EVENT_INPUT, f->m->vxm_entry_cycles, issue);
    memcpy(later->vec, vecs, sizeof vecs);
    return !at_once || fast_vxm_input(f, &input, err);
}

/* All lanes of an immediate: filled once for as long as the ALU has no other. */
static const uint32_t *immediate(Fast *f, int32_t number, uint32_t imm, TspDtype type) {
    Alu *alu = &f->state.alu[number];
    uint32_t *lanes = fast_alu_result(f, number, SIM_ALU_RESULTS - 1);
    if (alu->filled == imm && alu->filled_type == 1 + (int32_t)type) return lanes;
    f->alu_lanes->fill(lanes, imm, type, f->lanes);
    alu->filled = imm;
    alu->filled_type = 1 + (int32_t)type;
    return lanes;
}

/* Operand `which` into a register. Lends a result that another ALU holds, or fills scratch. */
static bool take(Fast *f, const Event *event, const TspInsn *insn, int32_t which,
                 const uint32_t **operand, TspError *err) {
    const int32_t source = which == 0 ? insn->src_a : insn->src_b, number = TSP_SRC_NUMBER(source);
    const TspDtype type = (TspDtype)insn->type;
    uint32_t *scratch = f->operands + which * TSP_MAX_LANES;
    const Alu *alu = &f->state.alu[number % SIM_ALUS];
    const uint8_t *planes[4];
    *operand = scratch;
    if (f->timing_only && TSP_SRC_KIND(source) <= TSP_SRC_IMM) return true;
    switch ((TspSrcKind)TSP_SRC_KIND(source)) {
    case TSP_SRC_STREAM:
        for (int32_t i = 0; i < tsp_dtype_bytes(type); i++)
            planes[i] = fast_vec(f, event->vec[4 * which + i]);
        f->alu_lanes->load(scratch, planes, type, f->lanes);
        return true;
    case TSP_SRC_IMM:
        *operand = immediate(f, f->info[event->queue].index, (uint32_t)insn->imm, type);
        return true;
    case TSP_SRC_ALU:
        if (alu->produced != f->state.now)
            return engine_offence(f->program, err, TSP_RULE_ALU_UNDEFINED, f->state.now,
                                  event->queue, event->index,
                                  "expected a result of ALU %d in this very cycle, its "
                                  "last came in cycle %lld",
                                  (int)number, (long long)alu->produced);
        break;
    case TSP_SRC_LATCH:
        if (alu->produced < 0)
            return engine_offence(f->program, err, TSP_RULE_ALU_UNDEFINED, f->state.now,
                                  event->queue, event->index,
                                  "expected ALU %d to have produced a result by now", (int)number);
        break;
    }
    *operand = fast_alu_result(f, number, alu->latched);
    if (f->timing_only) return true;
    if (tsp_dtype_bytes(type) == 4 || alu->type == type) return true;
    f->alu_lanes->narrow(scratch, *operand, type, f->lanes);
    *operand = scratch;
    return true;
}

bool fast_vxm_input(Fast *f, const Event *event, TspError *err) {
    const TspInsn *insn = &f->words[event->queue][event->index].insn;
    const Issue issue = {.queue = event->queue, .index = event->index};
    const int32_t number = f->info[event->queue].index, operands = f->binary[insn->op] ? 2 : 1;
    const int32_t slot = (int32_t)(f->state.alu[number].taken++ & (uint32_t)(f->alu_slots - 1));
    const uint32_t *operand[2] = {NULL, NULL};
    uint32_t *result = fast_alu_result(f, number, slot);
    uint8_t *planes[4];
    Event *done;
    for (int32_t i = 0; i < operands; i++)
        if (!take(f, event, insn, i, &operand[i], err)) return false;
    if (!f->timing_only &&
        !f->alu_lanes->operate(insn, operand[0], operand[1] ? operand[1] : operand[0], result,
                               f->lanes))
        return tsp_fail(err, TSP_ERR_BUG, "%s passed the load and has no lanes",
                        tsp_insn_info(insn->op)->mnemonic);
    for (int32_t i = 0; i < 8; i++)
        if (event->vec[i] != SIM_NONE) fast_vec_drop(f, event->vec[i]);
    done = fast_event_add(f, EVENT_RESULT, f->m->vxm_op_cycles, &issue);
    done->target = slot;
    if (insn->dst == TSP_DST_NONE) return true;
    for (int32_t i = 0; i < tsp_dtype_bytes(result_type(insn)); i++) {
        Event *drive =
            fast_event_add(f, EVENT_DRIVE, f->m->vxm_op_cycles + f->m->vxm_exit_cycles, &issue);
        drive->stream = insn->dst + i;
        drive->column = f->info[event->queue].column;
        drive->vec[0] = fast_vec_new(f);
        planes[i] = fast_vec(f, drive->vec[0]);
    }
    if (!f->timing_only) f->alu_lanes->store(planes, result, result_type(insn), f->lanes);
    return true;
}

void fast_vxm_result(Fast *f, const Event *event) {
    Alu *alu = &f->state.alu[f->info[event->queue].index];
    alu->produced = f->state.now;
    alu->latched = event->target;
    alu->type = result_type(&f->words[event->queue][event->index].insn);
}
