/* operands.h - which streams an instruction takes vectors from and which it drives.
 */
#ifndef TSP_VIZ_OPERANDS_H
#define TSP_VIZ_OPERANDS_H
#include "isa/isa.h"

enum { VIZ_OPERANDS = 4 }; /* at most, each way */
typedef struct {
    int32_t base, count; /* streams base + i, i < count */
} VizStreams;

/* Taken at the issue, in the order of isa.def; how many. */
int32_t viz_insn_inputs(const TspMachine *m, const TspInsn *insn, VizStreams *inputs);
/* Driven d_func after the issue, of a combined slot that of its read; how many. */
int32_t viz_insn_outputs(const TspMachine *m, const TspInsn *insn, VizStreams *outputs);

#endif
