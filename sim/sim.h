/* sim.h - the simulator as a library: load a program, move time, look.
 *
 * Time moves only when told to. A simulator at cycle n has executed every cycle below n, counted as
 * superlane 0 sees them. run_until(n), n steps and seek(n) leave the same state, by hash. Two
 * engines do the work and know nothing of each other; they agree on every bit and every cycle
 * (docs/machine.md says what on, docs/testing.md how that is tested).
 */
#ifndef TSP_SIM_H
#define TSP_SIM_H
#include "faults.h"
#include "gemm.h"
#include "isa/program.h"

typedef struct TspSim TspSim;

typedef enum {
    TSP_ENGINE_FAST,     /* events, diagonals, batched products */
    TSP_ENGINE_REFERENCE /* registers that shift, tiles that stagger, a cycle at a time */
} TspEngineKind;

typedef struct {
    TspEngineKind engine;
    bool ifetch_modelled; /* text comes by Ifetch; else all of it is in the queues at cycle 0 */
    bool timing_only;     /* cycles and statistics without values; see tsp_sim_new() */
    int32_t threads;      /* of the host, that the fast engine may use; 0 is 1 */
    TspGemmKernel kernel; /* host kernels for MXM and VXM; never changes a bit */
    /* Of the host, for states of the past that make tsp_sim_seek() quick; 0: it replays from cycle
     * 0. Fast engine only; about so much, as what a run overwrites meanwhile comes on top. */
    int64_t history_bytes;
    int64_t history_spacing; /* work between two of them at first, in units of about 0.1 us of the
                                host (an instruction is 1); 0: the default, some 20 ms */
    TspFaults faults; /* bits to flip, and with them the error-correcting code; see faults.h */
} TspSimOptions;

/* What was counted up to now; see docs/glossary.md for definitions. */
typedef struct {
    int64_t cycles;       /* last effect so far: max of issue + d_func over issued instructions
                             (NOP, Repeat and Sync aside); at the end this is the latency */
    int64_t instructions; /* issues, each repetition counted, NOP and Repeat not */
    int64_t mxm_busy;     /* plane-cycles taken by activations (fp16: 2 planes x mxm_fp16_cycles) */
    int64_t macs;         /* lanes^2 for every int8 ABC and every fp16 ABC */
    int64_t vxm_issues;   /* ALU instructions issued */
    int64_t sxm_issues;
    int64_t mem_reads, mem_writes; /* vectors, Gather and Scatter among them */
    int64_t stream_hops;           /* stream registers that held a live value, summed over cycles */
} TspSimStats;

/* Control and status registers of the chip. */
typedef struct {
    uint32_t powered;  /* superlanes that are on, bit 0 is superlane 0 */
    int64_t corrected; /* words with one wrong bit that units have corrected */
    int64_t flipped;   /* bits that faults have flipped; one aimed at an empty register or row,
                          or at a superlane that is off, flips none */
} TspCsr;

typedef struct {
    int64_t start, end;
} TspInterval; /* first issue, last effect; end exclusive; -1,-1 if never */

/* With timing_only time and counts are exact and values are not: rows are said to be defined, what
 * is checked is what does not depend on data (docs/performance.md); fast engine, without faults.
 *
 * The program must outlive the simulator, and so must the list of flips. options NULL: all zero.
 * Constants are placed in memory; inputs are not yet. Refuses (not modelled, illegal encoding,
 * wrong queue) before cycle 0 only what would be refused wherever it stood; everything else is
 * refused in its cycle. NULL on failure. */
TspSim *tsp_sim_new(const TspProgram *program, const TspSimOptions *options, TspError *err);
void tsp_sim_free(TspSim *sim);
/* Places a tensor (row-major data, tsp_tensor_bytes long) in memory; before cycle 0 only. Refuses
 * values outside the tensor's bounds (TSP_ERR_INPUT). */
bool tsp_sim_write_tensor(TspSim *sim, int32_t tensor, const uint8_t *data, TspError *err);
/* Collects a tensor from memory; every element must be covered by a piece and have been written
 * (else TSP_ERR_ILLEGAL, ROW_UNDEFINED). With faults on, words with one wrong bit are corrected on
 * the way to the host, not counted; with two: TSP_ERR_FAULT. */
bool tsp_sim_read_tensor(const TspSim *sim, int32_t tensor, uint8_t *data, TspError *err);

/* After the run: the same program from cycle 0 once more, as a host starts it on the next block of
 * its data. Memory holds the constants and the inputs as they were; an input in whose place an
 * output lies (the same pieces) holds what that output has become. All else is undefined again. */
bool tsp_sim_again(TspSim *sim, TspError *err);

/* After the run: false (TSP_ERR_NOT_MODELLED) if a tensor marked `finite` holds an infinity or NaN:
 * a value that the compiler's way of computing does not cover, so that the results mean nothing. */
bool tsp_sim_check_finite(const TspSim *sim, TspError *err);

/* Executes all cycles below `cycle` (or to the end of the program, whichever comes first). */
bool tsp_sim_run_until(TspSim *sim, int64_t cycle, TspError *err);
bool tsp_sim_run(TspSim *sim, TspError *err); /* to the end */
bool tsp_sim_step(TspSim *sim, TspError *err);
/* Goes to `cycle`, back if need be: by replay, which is exact, from the nearest state that is kept
 * (history_bytes), or from cycle 0. */
bool tsp_sim_seek(TspSim *sim, int64_t cycle, TspError *err);
int64_t tsp_sim_now(const TspSim *sim);
/* No instruction left, nothing in flight that could still have an effect. */
bool tsp_sim_done(const TspSim *sim);
TspSimStats tsp_sim_stats(const TspSim *sim);
TspCsr tsp_sim_csr(const TspSim *sim);
/* Simulated interval of op i (through the debug information of the instructions). */
TspInterval tsp_sim_op_interval(const TspSim *sim, int32_t op);

/* -- looking at the state (viewer, tests) -- */
/* The value on a stream register now: NULL if undefined, else tsp_lanes() bytes, valid until the
 * next call. It is what a reader in cycle tsp_sim_now() gets, drives that land in that very cycle
 * included (flips and switches of that cycle are not). */
const uint8_t *tsp_sim_stream(const TspSim *sim, int32_t stream, int32_t column);
/* The same for `ago` cycles ago: what superlane `ago` has on that register now, as each superlane
 * is a cycle behind the one before it. NULL also where it is not kept any more: since then another
 * drive has taken its diagonal, or it left the chip too long ago. Bits that flipped and power that
 * was switched meanwhile show. Fast engine only. */
const uint8_t *tsp_sim_stream_ago(const TspSim *sim, int32_t stream, int32_t column, int32_t ago);
/* A memory row as a Read in cycle tsp_sim_now() gets it: NULL if no write has landed in any of its
 * superlanes, else tsp_lanes() bytes, valid until the next call; those of superlanes that no write
 * has reached are zero. *written (may be NULL): which superlanes one has reached. */
const uint8_t *tsp_sim_row(const TspSim *sim, int32_t slice, int32_t addr, uint32_t *written);
/* The last result of an ALU, tsp_lanes() registers; NULL if it has none. */
const uint32_t *tsp_sim_latch(const TspSim *sim, int32_t alu);
/* Accumulator row of a plane (2 * hemisphere + plane): tsp_lanes() sums, int32 or the bits of fp32;
 * NULL if nothing was kept in it. */
const uint32_t *tsp_sim_accumulator(const TspSim *sim, int32_t plane, int32_t row, TspDtype *type);
/* Word of the queue that issues next (the number of words when it is exhausted). */
int32_t tsp_sim_queue_word(const TspSim *sim, int32_t queue);
/* Cycle in which a word of the queue issued, its first repetition if it repeats; -1 while no run of
 * this simulator has got there, for NOP and Repeat, and out of range. A word issues once, so this
 * is the whole timeline, and as it does not depend on data it stays known when time goes back. Of a
 * run that stopped at an offence, words due in that cycle or later may be known or not. */
int64_t tsp_sim_word_start(const TspSim *sim, int32_t queue, int32_t word);

/* Hash of the whole state, what is under way included: of use within one engine. */
uint64_t tsp_sim_hash(TspSim *sim);
/* Hash of what the functions above show, cycle, statistics and CSRs: the same in both engines. */
uint64_t tsp_sim_digest(const TspSim *sim);

#endif
