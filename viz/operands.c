/* operands.c - the streams of an instruction, from the table of instructions. */
#include "operands.h"

static int32_t list_streams(const TspMachine *m, const TspInsn *insn, bool driven,
                            VizStreams *list) {
    const TspInsnInfo *info = tsp_insn_info(insn->op);
    int32_t found = 0;
    for (int32_t f = 0; f < info->field_count && found < VIZ_OPERANDS; f++) {
        const TspField *field = &info->fields[f];
        const int32_t count = tsp_field_streams(m, field, insn);
        if (count > 0 && tsp_field_drives(field, insn->op) == driven)
            list[found++] = (VizStreams){tsp_field_get(insn, field), count};
    }
    return found;
}

int32_t viz_insn_inputs(const TspMachine *m, const TspInsn *insn, VizStreams *inputs) {
    const int32_t found = list_streams(m, insn, false, inputs);
    if (insn->op == TSP_OP_LW) inputs[0].count = insn->count; /* not the whole group */
    return found;
}

int32_t viz_insn_outputs(const TspMachine *m, const TspInsn *insn, VizStreams *outputs) {
    if (insn->op == TSP_OP_ACC && !insn->emit) return 0;
    return list_streams(m, insn, true, outputs);
}
