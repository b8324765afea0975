/* bench.h - tsp bench: what is measured, and against what.
 *
 * A workload is run several times, turn by turn with its floor, in the same process; a figure is a
 * ratio of medians, so that a slow or noisy host moves both.
 */
#ifndef TSP_CLI_BENCH_H
#define TSP_CLI_BENCH_H
#include "cli.h"

enum { BENCH_ROUNDS_MAX = 99, BENCH_FIGURES = 6 };

typedef struct {
    const char *name, *unit;
    double value;
    double target; /* 0: none */
    bool at_least; /* else at most */
    bool missing;  /* what it is measured against is not installed */
} BenchFigure;

typedef struct {
    BenchFigure figure[BENCH_FIGURES];
    int32_t figures;
    double seconds, load_s, reset_s; /* medians of the run; of load and reset, where measured */
    TspSimStats stats;
    int64_t peak_bytes, tensor_bytes; /* of a process that does nothing else; 0: not measured */
} BenchResult;

typedef struct {
    int32_t rounds, threads;
} Bench;

/* A program and, while it is being measured, its simulator. */
typedef struct {
    TspProgram program;
    TspSim *sim;
} BenchRun;

double bench_now(void);
double bench_median(double *seconds, int32_t count);
void bench_figure(BenchResult *r, const char *name, const char *unit, double value, double target,
                  bool at_least);

/* -- programs and inputs (bench_programs.c) -- */
/* [m, k] x [k, n] of a dtype on tsp1: the graph's JSON is made and compiled. */
bool bench_matmul(TspProgram *p, const char *dtype, int32_t m, int32_t k, int32_t n, TspError *err);
/* z = a x + y over 31,250 vectors of 320 elements, eight flows of int8 or four of fp32. */
bool bench_stream(TspProgram *p, bool fp32, TspError *err);
/* Counts `steps` vectors of 20 keys below 256, one a superlane. */
bool bench_histogram(TspProgram *p, int32_t steps, TspError *err);
bool bench_assemble(TspProgram *p, const char *text, TspError *err);
/* The bytes of input tensor i, the same in every call; the caller frees. */
uint8_t *bench_input(const TspTensor *t, int32_t i);
/* A simulator with its inputs written. */
bool bench_load(BenchRun *run, const TspSimOptions *options, TspError *err);
void bench_unload(BenchRun *run);
/* From cycle 0 to the end, timed; *reset_s (may be NULL): what going back to cycle 0 took. */
bool bench_run(BenchRun *run, double *seconds, double *reset_s, TspError *err);
int64_t bench_tensor_bytes(const TspProgram *p);

/* -- floors (bench_floors.c) -- */
/* c = a b of int8 matrices by the MXM's own kernel, over 320 x 320 tiles, packing included. */
void bench_kernel_int8(const int8_t *a, const int8_t *b, int32_t *c, int32_t n);
/* The same by oneDNN; and of floats by oneDNN, else OpenBLAS. False: not installed. */
bool bench_library_int8(const int8_t *a, const int8_t *b, int32_t *c, int32_t n);
bool bench_library_fp32(const float *a, const float *b, float *c, int32_t n);

/* -- workloads (bench_workloads.c) -- */
typedef struct {
    const char *name, *what;
    bool (*measure)(const Bench *b, BenchResult *r, TspError *err);
    /* What a process does whose memory is measured; NULL: not measured. */
    bool (*once)(BenchRun *run, TspError *err);
} BenchWorkload;
extern const BenchWorkload bench_workloads[]; /* a name of NULL ends them */

#endif
