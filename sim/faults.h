/* faults.h - bits that flip in memory and in flight, by list or at random; and their code.
 *
 * Every superlane word (16 bytes, fewer on small machines) travels and rests with 9 check bits: a
 * SECDED (137,128) code [S I20 for its size and use; the code itself is ours]. Where faults are on,
 * check bits are made by whoever drives a stream, rest in memory beside the data, and are checked
 * by whoever uses the value. Where they are off nothing of this costs anything.
 */
#ifndef TSP_FAULTS_H
#define TSP_FAULTS_H
#include "isa/program.h"

/* One bit of one superlane word, flipped at the beginning of `cycle`: after what lands in that
 * cycle, before anything reads. */
typedef struct {
    int64_t cycle;
    int32_t slice, row;     /* in memory; slice -1: on a stream register */
    int32_t stream, column; /* in flight */
    int32_t superlane;
    int32_t bit; /* 0..127 data: byte bit / 8 of the word; 128..136 check bits */
} TspFlip;

typedef struct {
    const TspFlip *flips; /* ascending by cycle */
    int32_t count;
    double rate;   /* expected random flips a cycle, 0..1 */
    uint64_t seed; /* of those */
} TspFaults;

static inline bool tsp_faults_on(const TspFaults *f) {
    return f->count > 0 || f->rate > 0;
}
/* The random flip of a cycle, if it has one: a function of program, rate, seed and cycle alone. It
 * hits, one as likely as the other, a stream register or a row that a tensor of the program takes.
 */
bool tsp_faults_random(const TspFaults *f, const TspProgram *p, int64_t cycle, TspFlip *flip);
/* Reads {"flips": [{"cycle": 12, "slice": "mem.w3", "row": 5, "superlane": 2, "bit": 17},
 * {"cycle": 30, "stream": "s4.e", "column": 7, "superlane": 0, "bit": 130}]}, sorted by cycle.
 * *flips is malloc'ed, the caller frees. Errors name file, line, column and path. */
bool tsp_faults_load(const char *path, const TspMachine *m, TspFlip **flips, int32_t *count,
                     TspError *err);
bool tsp_faults_parse(const char *text, size_t length, const char *origin, const TspMachine *m,
                      TspFlip **flips, int32_t *count, TspError *err);

/* -- the code; `bytes` of data, 1..16, the rest of the 128 bits counts as zero -- */
enum { TSP_ECC_DATA_BITS = 128, TSP_ECC_CHECK_BITS = 9, TSP_ECC_BITS = 137 };
typedef enum { TSP_ECC_CLEAN, TSP_ECC_CORRECTED, TSP_ECC_UNCORRECTABLE } TspEccVerdict;
/* The check bits; 0 for data that is all zero. */
uint16_t tsp_ecc_encode(const uint8_t *data, int32_t bytes);
/* Checks, and corrects a single wrong bit of data or check bits in place. */
TspEccVerdict tsp_ecc_check(uint8_t *data, int32_t bytes, uint16_t *check);

#endif
