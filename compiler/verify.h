/* verify.h - proves a program legal without running it: queues, text, power, banks, streams, MXM
 * state.
 * Shares no code with the scheduler or the engines, only isa/.
 */
#ifndef TSP_VERIFY_H
#define TSP_VERIFY_H
#include "isa/program.h"

typedef struct {
    int64_t instructions; /* issues, each repetition counted, NOP and Repeat not */
    int64_t cycles;       /* max of issue + d_func over them, Sync aside: the latency */
    int64_t reads_proved; /* memory rows and stream registers read that hold a value */
    int64_t rows_proved;  /* memory rows read that hold what the debug information says: rows of the
                           * tensor that it names, where several have the row in turn */
    int64_t links_proved; /* operands, one an iteration, that receive the value linked to them */
    int64_t run_time_conditions; /* issues whose legality data decide: left to the run */
} TspProof;

typedef struct {
    bool ifetch_modelled; /* text comes by Ifetch; else all of it is in the queues at cycle 0 */
} TspVerifyOptions;

/* options NULL: all zero. False with the first offence, in the order of docs/machine.md, named by
 * cycle, unit, instruction and rule like the engines do. What data decide (section 9 there) is no
 * offence: addresses of Gather and Scatter, rows that a Scatter may have written, maps of Permute
 * and Select, text. */
bool tsp_verify(const TspProgram *program, const TspVerifyOptions *options, TspProof *proof,
                TspError *err);

#endif
