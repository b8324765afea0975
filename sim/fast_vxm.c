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

/* -- operands: packed for an op that works on packed elements, else as registers -- */

/* Packs the low bytes of registers. */
static void pack(const Fast *f, void *out, const uint32_t *registers, int32_t bytes) {
    uint8_t low[TSP_MAX_LANES], high[TSP_MAX_LANES];
    const uint8_t *const planes[] = {low, high};
    f->alu_lanes->store((uint8_t *[]){low, high}, registers, bytes == 1 ? TSP_I8 : TSP_I16,
                        f->lanes);
    if (bytes == 1)
        memcpy(out, low, (size_t)f->lanes);
    else
        f->alu_lanes->join(out, planes, f->lanes);
}

/* All lanes of an immediate: filled once for as long as the ALU has no other. */
static const void *immediate(Fast *f, int32_t number, const Word *word) {
    Alu *alu = &f->state.alu[number];
    uint32_t *lanes = fast_alu_result(f, number, SIM_ALU_RESULTS - 1);
    const uint32_t imm = (uint32_t)word->insn.imm;
    if (alu->filled == imm && alu->filled_type == 1 + word->insn.type &&
        alu->filled_bytes == word->bytes)
        return lanes;
    f->alu_lanes->fill(lanes, imm, (TspDtype)word->insn.type, f->lanes);
    if (word->bytes < 4) pack(f, lanes, lanes, word->bytes);
    alu->filled = imm;
    alu->filled_type = 1 + word->insn.type;
    alu->filled_bytes = word->bytes;
    return lanes;
}

/* The result that an ALU has latched. Lends it, or fills scratch. */
static const void *latched(Fast *f, int32_t number, const Word *word, uint32_t *scratch) {
    const Alu *alu = &f->state.alu[number];
    const TspDtype type = (TspDtype)word->insn.type;
    const uint32_t *result;
    if (alu->result_bytes[alu->latched] == word->bytes && word->bytes < 4)
        return fast_alu_result(f, number, alu->latched);
    result = fast_alu_registers(f, number, alu->latched);
    if (word->bytes < 4) {
        pack(f, scratch, result, word->bytes);
        return scratch;
    }
    if (tsp_dtype_bytes(type) == 4 || alu->type == type) return result;
    f->alu_lanes->narrow(scratch, result, type, f->lanes);
    return scratch;
}

/* Operand `which`: lends what a stream, the immediate or another ALU holds, or fills scratch. */
static bool take(Fast *f, const Event *event, const Word *word, int32_t which, const void **operand,
                 TspError *err) {
    const TspInsn *insn = &word->insn;
    const int32_t source = which == 0 ? insn->src_a : insn->src_b, number = TSP_SRC_NUMBER(source);
    const TspDtype type = (TspDtype)insn->type;
    const int32_t *vec = event->vec + 4 * which, count = tsp_dtype_bytes(type);
    uint32_t *scratch = f->operands + which * TSP_MAX_LANES;
    const TspSrcKind kind = (TspSrcKind)TSP_SRC_KIND(source);
    const uint8_t *planes[4];
    const Alu *alu;
    *operand = scratch;
    if (f->timing_only && kind <= TSP_SRC_IMM) return true;
    if (kind == TSP_SRC_STREAM && word->bytes == 1) {
        *operand = fast_vec(f, *vec);
    } else if (kind == TSP_SRC_STREAM) {
        for (int32_t i = 0; i < count; i++) planes[i] = fast_vec(f, vec[i]);
        if (word->bytes == 2)
            f->alu_lanes->join((uint16_t *)scratch, planes, f->lanes);
        else
            f->alu_lanes->load(scratch, planes, type, f->lanes);
    } else if (kind == TSP_SRC_IMM) {
        *operand = immediate(f, f->info[event->queue].index, word);
    } else {
        alu = fast_alu(f, number, f->state.now);
        if (kind == TSP_SRC_ALU && alu->produced != f->state.now)
            return engine_offence(f->program, err, TSP_RULE_ALU_UNDEFINED, f->state.now,
                                  event->queue, event->index,
                                  "expected a result of ALU %d in this very cycle, its "
                                  "last came in cycle %lld",
                                  (int)number, (long long)alu->produced);
        if (alu->produced < 0)
            return engine_offence(f->program, err, TSP_RULE_ALU_UNDEFINED, f->state.now,
                                  event->queue, event->index,
                                  "expected ALU %d to have produced a result by now", (int)number);
        if (!f->timing_only) *operand = latched(f, number, word, scratch);
    }
    return true;
}

/* -- results -- */

/* The drives of a result. */
static void drive(Fast *f, const Event *input, const Word *word, const uint32_t *result) {
    const Issue issue = {.queue = input->queue, .index = input->index};
    const TspDtype type = result_type(&word->insn);
    uint8_t *planes[4];
    for (int32_t i = 0; i < tsp_dtype_bytes(type); i++) {
        Event *event =
            fast_event_add(f, EVENT_DRIVE, f->m->vxm_op_cycles + f->m->vxm_exit_cycles, &issue);
        event->stream = word->insn.dst + i;
        event->column = f->info[input->queue].column;
        event->vec[0] = fast_vec_new(f);
        planes[i] = fast_vec(f, event->vec[0]);
    }
    if (f->timing_only) return;
    if (word->bytes == 1)
        memcpy(planes[0], result, (size_t)f->lanes);
    else if (word->bytes == 2)
        f->alu_lanes->split(planes, (const uint16_t *)result, f->lanes);
    else
        f->alu_lanes->store(planes, result, type, f->lanes);
}

bool fast_vxm_input(Fast *f, const Event *event, TspError *err) {
    const Word *word = &f->words[event->queue][event->index];
    const TspInsn *insn = &word->insn;
    const int32_t number = f->info[event->queue].index;
    const int32_t operands = f->binary[insn->op] ? 2 : 1;
    Alu *alu = fast_alu(f, number, f->state.now);
    const int32_t slot = (int32_t)(alu->taken & (uint32_t)(f->alu_slots - 1));
    uint32_t *result = fast_alu_result(f, number, slot);
    const void *operand[2];
    for (int32_t i = 0; i < operands; i++)
        if (!take(f, event, word, i, &operand[i], err)) return false;
    if (operands == 1) operand[1] = operand[0];
    if (word->packed && !f->timing_only)
        word->packed(operand[0], operand[1], result, f->lanes);
    else if (!f->timing_only &&
             !f->alu_lanes->operate(insn, operand[0], operand[1], result, f->lanes))
        return tsp_fail(err, TSP_ERR_BUG, "%s passed the load and has no lanes",
                        tsp_insn_info(insn->op)->mnemonic);
    for (const int32_t *vec = event->vec; vec < event->vec + 8; vec += 4)
        for (int32_t i = 0; i < 4 && vec[i] != SIM_NONE; i++) fast_vec_drop(f, vec[i]);
    alu->appears[slot] = f->state.now + f->m->vxm_op_cycles;
    alu->result_type[slot] = (uint8_t)result_type(insn);
    alu->result_bytes[slot] = word->bytes;
    alu->taken++;
    if (insn->dst != TSP_DST_NONE) drive(f, event, word, result);
    return true;
}

const uint32_t *fast_alu_registers(Fast *f, int32_t number, int32_t slot) {
    Alu *alu = &f->state.alu[number];
    uint32_t *result = fast_alu_result(f, number, slot);
    uint8_t low[TSP_MAX_LANES], high[TSP_MAX_LANES];
    const uint8_t *const planes[] = {low, high};
    if (alu->result_bytes[slot] == 4 || f->timing_only) return result;
    if (alu->result_bytes[slot] == 1)
        memcpy(low, result, (size_t)f->lanes);
    else
        f->alu_lanes->split((uint8_t *[]){low, high}, (const uint16_t *)result, f->lanes);
    f->alu_lanes->load(result, planes, (TspDtype)alu->result_type[slot], f->lanes);
    alu->result_bytes[slot] = 4;
    return result;
}

Alu *fast_alu(Fast *f, int32_t number, int64_t through) {
    Alu *alu = &f->state.alu[number];
    for (; alu->shown != alu->taken; alu->shown++) {
        const int32_t slot = (int32_t)(alu->shown & (uint32_t)(f->alu_slots - 1));
        if (alu->appears[slot] > through) break;
        alu->produced = alu->appears[slot];
        alu->latched = slot;
        alu->type = (TspDtype)alu->result_type[slot];
    }
    return alu;
}

/* Nothing of the present cycle has happened, unless it is the last, in which things only land. */
int64_t fast_seen(const Fast *f) {
    return f->state.done ? f->state.now : f->state.now - 1;
}
