/* challenge.h - the challenge from file to totals: rows to the chip block by block, the tables
 * back.
 */
#ifndef TSP_1BRC_CHALLENGE_H
#define TSP_1BRC_CHALLENGE_H
#include "isa/machine.h"
#include "result.h"

typedef struct {
    const TspMachine *machine;
    int32_t threads;    /* of the host, for reading; 0: one */
    int64_t block_rows; /* rows of a block at most; 0: as many as the chip takes */
    /* Called after each block with the number of rows that are done; NULL: not. */
    void (*progress)(void *context, int64_t rows, int64_t of);
    void *context;
} TspChallengeOptions;

typedef struct {
    int64_t rows;
    int32_t stations;
    int64_t blocks, block_rows; /* the last block may be short: it is filled up */
    int64_t compute_cycles;     /* of a block, predicted and simulated: its data in memory */
    int64_t predicted_cycles;   /* of everything: in over the host link, compute, back */
    int64_t simulated_cycles;
    int64_t bound_cycles; /* of a block, by the least work of this way of grouping */
    int64_t bytes_in, bytes_out;
    int32_t partial_tables; /* that the host adds up at the end, one a superlane */
    double open_s, read_s;  /* host: checking the file and finding names; making blocks */
    double simulate_s;      /* host: simulation alone */
} TspChallengeReport;

/* Reads the file and lets the simulated chip group its rows. On success *text is the answer
 * (result.h), which the caller frees. False: the errors of measurements.h, of the simulator, or
 * TSP_ERR_INPUT if the machine cannot group so many stations. */
bool tsp_challenge(const char *path, const TspChallengeOptions *options, char **text,
                   TspChallengeReport *report, TspError *err);

#endif
