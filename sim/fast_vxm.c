/* vxm.c - VXM ALUs: streams are sampled at issue, operands taken at the ALU's input, results
 * appear an operation later, on the mesh at once and on a stream after the exit. */
#include "stream.h"

#include <string.h>

static TspDtype result_type(const TspInsn *insn) {
    bool converts = insn->op == TSP_OP_CVT || insn->op == TSP_OP_CVT_SAT;
    return (TspDtype)(converts ? insn->type2 : insn->type);
}

bool sim_vxm_issue(TspSim *sim, const Issue *issue, TspError *err) {
    const TspInsn *insn = issue->insn;
    const int32_t source[2] = {insn->src_a, insn->src_b}, operands = sim->binary[insn->op] ? 2 : 1;
    const int32_t bytes = tsp_dtype_bytes((TspDtype)insn->type);
    Event input = {.queue = issue->queue, .index = issue->index}, *later;
    memset(input.vec, 0xff, sizeof input.vec); /* SIM_NONE */
    for (int32_t i = 0; i < operands; i++)
        if (TSP_SRC_KIND(source[i]) == TSP_SRC_STREAM &&
            !sim_stream_sample(sim, issue, TSP_SRC_NUMBER(source[i]), bytes, input.vec + 4 * i,
                               err))
            return false;
    sim->state.stats.vxm_issues++;
    if (sim->m->vxm_entry_cycles == 0) return sim_vxm_input(sim, &input, err);
    later = sim_event_add(sim, EVENT_INPUT, sim->m->vxm_entry_cycles, issue);
    memcpy(later->vec, input.vec, sizeof input.vec);
    return true;
}

/* A register as an operand of `type`: narrow types keep their low bits, extended by their sign. */
static void narrow(uint32_t *out, const uint32_t *in, TspDtype type, int32_t n) {
    int32_t bits = 8 * tsp_dtype_bytes(type);
    uint32_t mask = bits == 32 ? UINT32_MAX : (1u << bits) - 1u;
    uint32_t sign = type == TSP_I8 || type == TSP_I16 ? 1u << (bits - 1) : 0;
    for (int32_t i = 0; i < n; i++) out[i] = ((in[i] & mask) ^ sign) - sign;
}

/* Operand `which` into a register. Lends a result that another ALU holds, or fills scratch. */
static bool take(TspSim *sim, const Event *event, const TspInsn *insn, int32_t which,
                 const uint32_t **operand, TspError *err) {
    const int32_t source = which == 0 ? insn->src_a : insn->src_b, number = TSP_SRC_NUMBER(source);
    const TspDtype type = (TspDtype)insn->type;
    uint32_t *scratch = sim->operands + which * TSP_MAX_LANES;
    const Alu *alu = &sim->state.alu[number % SIM_ALUS];
    const uint8_t *planes[4];
    *operand = scratch;
    switch ((TspSrcKind)TSP_SRC_KIND(source)) {
    case TSP_SRC_STREAM:
        for (int32_t i = 0; i < tsp_dtype_bytes(type); i++)
            planes[i] = sim_vec(sim, event->vec[4 * which + i]);
        tsp_lanes_load(scratch, planes, type, sim->lanes);
        return true;
    case TSP_SRC_IMM:
        for (int32_t i = 0; i < sim->lanes; i++) scratch[i] = (uint32_t)insn->imm;
        narrow(scratch, scratch, type, sim->lanes);
        return true;
    case TSP_SRC_ALU:
        if (alu->produced != sim->state.now)
            return sim_fault(sim, err, TSP_RULE_ALU_UNDEFINED, sim->state.now, event->queue,
                             event->index,
                             "expected a result of ALU %d in this very cycle, its "
                             "last came in cycle %lld",
                             (int)number, (long long)alu->produced);
        break;
    case TSP_SRC_LATCH:
        if (alu->produced < 0)
            return sim_fault(sim, err, TSP_RULE_ALU_UNDEFINED, sim->state.now, event->queue,
                             event->index, "expected ALU %d to have produced a result by now",
                             (int)number);
        break;
    }
    *operand = sim_alu_result(sim, number, alu->latched);
    if (tsp_dtype_bytes(type) == 4) return true;
    narrow(scratch, *operand, type, sim->lanes);
    *operand = scratch;
    return true;
}

bool sim_vxm_input(TspSim *sim, const Event *event, TspError *err) {
    const TspInsn *insn = &sim->words[event->queue][event->index].insn;
    const Issue issue = {.queue = event->queue, .index = event->index};
    const int32_t number = sim->info[event->queue].index, operands = sim->binary[insn->op] ? 2 : 1;
    const int32_t slot = (int32_t)(sim->state.alu[number].taken++ % SIM_ALU_RESULTS);
    const uint32_t *operand[2] = {NULL, NULL};
    uint32_t *result = sim_alu_result(sim, number, slot);
    uint8_t *planes[4];
    Event *done;
    for (int32_t i = 0; i < operands; i++)
        if (!take(sim, event, insn, i, &operand[i], err)) return false;
    if (!tsp_lanes_op(insn, operand[0], operand[1] ? operand[1] : operand[0], result, sim->lanes))
        return tsp_fail(err, TSP_ERR_BUG, "%s passed the load and has no lanes",
                        tsp_insn_info(insn->op)->mnemonic);
    for (int32_t i = 0; i < 8; i++)
        if (event->vec[i] != SIM_NONE) sim_vec_drop(sim, event->vec[i]);
    done = sim_event_add(sim, EVENT_RESULT, sim->m->vxm_op_cycles, &issue);
    done->target = slot;
    if (insn->dst == TSP_DST_NONE) return true;
    for (int32_t i = 0; i < tsp_dtype_bytes(result_type(insn)); i++) {
        Event *drive = sim_event_add(sim, EVENT_DRIVE,
                                     sim->m->vxm_op_cycles + sim->m->vxm_exit_cycles, &issue);
        drive->stream = insn->dst + i;
        drive->column = sim->info[event->queue].column;
        drive->vec[0] = sim_vec_new(sim);
        planes[i] = sim_vec(sim, drive->vec[0]);
    }
    tsp_lanes_store(planes, result, result_type(insn), sim->lanes);
    return true;
}

void sim_vxm_result(TspSim *sim, const Event *event) {
    Alu *alu = &sim->state.alu[sim->info[event->queue].index];
    alu->produced = sim->state.now;
    alu->latched = event->target;
}
