/* bench.h - tsp bench: what is measured, and against what.
 *
 * A workload is run several times, turn by turn with its floor, in the same process; a figure is a
 * ratio of medians, so that a slow or noisy host moves both. Every workload has a process of its
 * own, so that none inherits the memory or the threads of the ones before.
 */
#ifndef TSP_CLI_BENCH_H
#define TSP_CLI_BENCH_H
#include "cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>

enum { BENCH_ROUNDS_MAX = 99, BENCH_FIGURES = 6, BENCH_TURNS = 4 };

/* Strings are literals: a result is handed from process to process as it is. */
typedef struct {
    const char *name, *unit;
    double value;
    double target; /* 0: none */
    bool at_least; /* else at most */
    const char *floor;
    double floor_s;      /* of a ratio: what it is a ratio to, and its median; NULL: none */
    const char *install; /* what is missing to measure it, as Debian calls it; NULL: nothing */
} BenchFigure;

typedef struct {
    BenchFigure figure[BENCH_FIGURES];
    int32_t figures;
    double seconds, load_s, reset_s; /* medians of the run; of load and reset, 0: not measured */
    TspSimStats stats;
    int32_t threads;      /* if not what was asked for */
    int32_t lanes;        /* bytes of a vector; 0: nothing was simulated here */
    int64_t tensor_bytes; /* of the program */
    int64_t peak_bytes;   /* of a process that does nothing else; 0: not measured */
    int64_t limit_bytes;  /* for it */
} BenchResult;

typedef struct {
    int32_t rounds, threads;
} Bench;

typedef struct {
    const char *name, *what;
    bool (*measure)(const Bench *b, BenchResult *r, TspError *err);
    /* What a process does whose memory is measured; NULL: not measured, or by `measure`. */
    bool (*once)(const Bench *b, TspError *err);
} BenchWorkload;
extern const BenchWorkload bench_workloads[]; /* a name of NULL ends them */

/* -- measuring (bench_measure.c) -- */
/* One of the things that take turns. A step tells how long the part of it that counts took. */
typedef struct {
    bool (*step)(void *context, double *seconds, TspError *err);
    void *context;
    const char *install; /* not NULL: the step cannot be made, for want of this */
    double seconds;      /* the median, once measured */
} BenchTurn;

double bench_now(void);
double bench_median(double *seconds, int32_t count);
/* Each turn once for nothing, then `rounds` times, one after the other. */
bool bench_turns(BenchTurn *turns, int32_t count, int32_t rounds, TspError *err);
void bench_figure(BenchResult *r, const char *name, const char *unit, double value, double target,
                  bool at_least);
/* The figure "seconds of the result to those of the floor". */
void bench_ratio(BenchResult *r, const char *name, const char *floor, const BenchTurn *turn,
                 double target);
bool bench_reached(const BenchFigure *f);
/* Fails the workload: values were computed wrong. */
bool bench_wrong(TspError *err, const char *who);

/* -- programs in a simulator (bench_chip.c) -- */
typedef struct {
    TspProgram program;
    TspSim *sim;
    void (*fill)(const TspTensor *t, uint8_t *data); /* of an input; NULL: at random */
    double load_s;                                   /* tsp_sim_new and tsp_sim_write_tensor */
    double reset_s[BENCH_ROUNDS_MAX + 1];
    int32_t resets;
} BenchChip;

/* [m, k] x [k, n] of a dtype on tsp1: the graph's JSON is made and compiled. */
bool bench_matmul(TspProgram *p, const char *dtype, int32_t m, int32_t k, int32_t n, TspError *err);
/* Assembles for tsp1 what `write` writes. */
bool bench_assemble(TspProgram *p,
                    void (*write)(FILE *out, const TspMachine *m, const void *context),
                    const void *context, TspError *err);
int32_t bench_column(const TspMachine *m, const char *queue);
bool bench_load(BenchChip *chip, const TspSimOptions *options, TspError *err);
void bench_unload(BenchChip *chip); /* the simulator */
void bench_free(BenchChip *chip);   /* and the program */
/* A step: from cycle 0 to the end. Going back to cycle 0 comes before and is timed apart. */
bool bench_run(void *chip, double *seconds, TspError *err);
/* Notes in the result what the chip did, and the medians. */
void bench_note(BenchChip *chip, const BenchTurn *run, BenchResult *r);
/* The bytes of an input, the same in every call; of an output, after a run. The caller frees. */
uint8_t *bench_input(const BenchChip *chip, const char *name, TspError *err);
uint8_t *bench_output(const BenchChip *chip, const char *name, TspError *err);

/* -- floors (bench_floors.c) -- */
/* A product of int8 matrices by the MXM's own kernel, over 320 x 320 tiles. Matrices are padded and
 * B lies by columns, as on the chip, before the time is taken; packing is in it. One thread. */
typedef struct {
    int32_t n, stride;
    uint8_t *a, *columns;
    uint32_t *c;
    TspGemmInt8 *weights;
} BenchKernel;

bool bench_kernel_init(BenchKernel *k, const int8_t *a, const int8_t *b, int32_t n, TspError *err);
void bench_kernel_free(BenchKernel *k);
bool bench_kernel_step(void *kernel, double *seconds, TspError *err);
bool bench_kernel_equals(const BenchKernel *k, const int32_t *c);

/* Matrices for a library, [n, n] each. */
typedef struct {
    void *one_dnn, *open_blas; /* NULL: not installed */
    const void *a, *b;
    void *c;
    int32_t n;
} BenchLibrary;

void bench_library_open(BenchLibrary *library, int32_t threads);
bool bench_library_int8(void *library, double *seconds, TspError *err);
bool bench_library_fp32(void *library, double *seconds, TspError *err);

typedef struct {
    uint8_t *from, *to;
    size_t bytes;
} BenchCopy;

bool bench_copy_init(BenchCopy *copy, size_t bytes, TspError *err);
void bench_copy_free(BenchCopy *copy);
bool bench_copy_step(void *copy, double *seconds, TspError *err);

/* -- workloads -- */
bool bench_int8(const Bench *b, BenchResult *r, TspError *err); /* bench_matmul.c */
bool bench_int8_once(const Bench *b, TspError *err);
bool bench_two_threads(const Bench *b, BenchResult *r, TspError *err);
bool bench_fp16(const Bench *b, BenchResult *r, TspError *err);
bool bench_fp16_once(const Bench *b, TspError *err);
bool bench_stream_int8(const Bench *b, BenchResult *r, TspError *err); /* bench_stream.c */
bool bench_stream_int8_once(const Bench *b, TspError *err);
bool bench_stream_fp32(const Bench *b, BenchResult *r, TspError *err);
bool bench_stream_fp32_once(const Bench *b, TspError *err);
bool bench_histogram(const Bench *b, BenchResult *r, TspError *err); /* bench_histogram.c */
bool bench_group(const Bench *b, BenchResult *r, TspError *err);     /* bench_group.c */
bool bench_idle(const Bench *b, BenchResult *r, TspError *err);      /* bench_time.c */
bool bench_smallest(const Bench *b, BenchResult *r, TspError *err);
bool bench_timing_only(const Bench *b, BenchResult *r, TspError *err);
bool bench_timing_only_once(const Bench *b, TspError *err);
bool bench_compile(const Bench *b, BenchResult *r, TspError *err);
bool bench_seek_far(const Bench *b, BenchResult *r, TspError *err);
/* bench_view.c, in tsp-view: NULL in tsp */
bool bench_view(const Bench *b, BenchResult *r, TspError *err) __attribute__((weak));
/* int8 [2304, 4096] x [4096, 4096]: the biggest schedule at hand. */
bool bench_compile_big(TspProgram *p, TspError *err);
bool bench_seek(const Bench *b, BenchResult *r, TspError *err);
bool bench_seek_once(const Bench *b, TspError *err);
bool bench_reference(const Bench *b, BenchResult *r, TspError *err);

/* -- reports (bench_report.c) -- */
void bench_print(const Bench *b, const BenchWorkload *w, const BenchResult *r);
/* The workload as JSON with its stable keys; `err` not NULL: it failed. */
cJSON *bench_json(const Bench *b, const BenchWorkload *w, const BenchResult *r,
                  const TspError *err);
const char *bench_kernel_name(void);

#endif
