/* verify.h - proves a program legal without running it: queues, banks, streams, MXM state.
 * Shares no code with the scheduler or the engines, only isa/.
 */
#ifndef TSP_VERIFY_H
#define TSP_VERIFY_H
#include "isa/program.h"

typedef struct {
    int64_t instructions; /* issues, each repetition counted, NOP and Repeat not */
    int64_t cycles;       /* max of issue + d_func over them, Sync aside: the latency */
    int64_t reads_proved; /* memory rows and stream registers read that hold a value */
    int64_t links_proved; /* operands, one an iteration, that receive the value linked to them */
} TspProof;

/* False with the first offence in time (ties: lowest queue id), named by cycle, unit, instruction
 * and rule like the engines do. What it proves is listed in docs/architecture.md. */
bool tsp_verify(const TspProgram *program, TspProof *proof, TspError *err);

#endif
