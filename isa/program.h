/* program.h - a program: queues, tensors and where they lie in memory, debug information, the
 * predicted timeline; and its file. The file is described in docs/program-format.md.
 */
#ifndef TSP_PROGRAM_H
#define TSP_PROGRAM_H
#include "isa.h"

/* What one instruction (and its Repeat) stands for: iterations first.. of one or two runs. */
typedef struct {
    int32_t run[2];   /* [0] the instruction (read half of a combined slot), [1] the write half; -1
                         none */
    int32_t first[2]; /* iteration of the run that the first issue is */
    int32_t line;     /* line of the assembly source, 0 if none */
} TspInsnDebug;

typedef struct {
    TspWord *words;
    TspInsnDebug *debug; /* NULL or one per word; Repeat and NOP have run -1 */
    int32_t count, capacity;
} TspQueue;

/* A run: `count` issues of one instruction by one queue on behalf of one op. */
typedef struct {
    int32_t op; /* index in ops, -1 if none */
    int32_t queue;
    int32_t count;  /* iterations */
    int32_t tensor; /* index in tensors, whose rows a Read or Write reads or writes; -1 unknown */
} TspRun;

/* Data flow: operand `operand` (index of the stream within the instruction's inputs, in field
 * order) of iteration i of the consumer is what the producer's iteration i + offset made. Several
 * links of one operand share its iterations: each speaks for those that its producer has. */
typedef struct {
    int32_t consumer, operand, producer, offset;
} TspLink;

typedef struct {
    char *name;         /* of the node in the graph */
    char *type;         /* "MatMulInteger" */
    int32_t line;       /* of the node in the graph file, 0 if unknown */
    int64_t start, end; /* predicted: first issue; last effect + 1 */
    int64_t bound;      /* least cycles any schedule needs for this op alone */
} TspOpInfo;

typedef enum {
    TSP_ROLE_INPUT,
    TSP_ROLE_CONSTANT,
    TSP_ROLE_OUTPUT,
    TSP_ROLE_INTERNAL
} TspTensorRole;

enum { TSP_MAX_RANK = 8 };

/* One run of rows of one byte plane of a tensor in one MEM slice.
 *
 * A tensor of shape [.., R', C'] is seen as a matrix of rows x cols: rows = product of all
 * dimensions but the last, cols = the last (rank 0: 1 x 1; rank 1: 1 x n). With `transposed` the
 * last two dimensions swap first; with `flat` all elements are one row, in row-major order. Row i
 * of the piece is row0 + i*row_step of the matrix, from column col = col0 + i*col_step on; its
 * lanes 0.. hold byte `byte` (0 the least significant) of columns col .. col+cols-1 and zeros
 * beyond; it lies at address addr + i*addr_step of the slice. With `broadcast`, cols is 1 element
 * of the matrix (column col) copied to lanes 0..broadcast-1. With `lane_skip`, that many columns
 * are left out from lane to lane: lane l holds column col + l*(lane_skip+1).
 *
 * With byte TSP_WHOLE the tensor is seen flat, as its row-major data: row i of the piece are the
 * `cols` elements from element col0 + (row0 + i*row_step)*cols on, each whole, byte after byte; the
 * lanes after them up to lane fill-1 hold the tensor's `pad`, element after element. */
typedef struct {
    int32_t row0, row_step, rows;
    int32_t col0, col_step, cols;
    int32_t byte;
    int32_t broadcast; /* 0: no */
    int32_t fill;      /* 0: no; only with TSP_WHOLE */
    int32_t lane_skip; /* not with TSP_WHOLE */
    int32_t slice, addr, addr_step;
} TspPiece;
enum { TSP_WHOLE = -1 };

typedef struct {
    char *name;
    TspDtype dtype;
    TspTensorRole role;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    bool transposed; /* how the pieces see it */
    bool flat;       /* the same: not both */
    bool finite;     /* a run that leaves an infinity or NaN in it is refused: floats only */
    bool bounded;    /* integers only: values outside low .. high are refused when it is written */
    int32_t low, high;
    int32_t pad; /* element that pieces with `fill` put after the last */
    TspPiece
        *pieces; /* copies allowed: inputs fill all, outputs are read from the first that covers */
    int32_t piece_count;
    uint8_t *data; /* constants: row-major, little-endian, tsp_tensor_bytes() long; else NULL */
} TspTensor;

typedef struct {
    TspMachine machine;
    char *name;
    char *source; /* path of the graph or assembly file, for messages */
    TspQueue queues[TSP_MAX_QUEUES];
    TspTensor *tensors;
    int32_t tensor_count;
    TspOpInfo *ops;
    int32_t op_count;
    TspRun *runs;
    int32_t run_count;
    TspLink *links;
    int32_t link_count;
    int64_t predicted_cycles; /* -1: not predicted (assembled by hand) */
    int64_t bound_cycles;     /* least cycles any schedule needs; 0 unknown */
    char *bound_by;           /* what binds it: "MXM", "weights", "streams", ... */
    int64_t macs;             /* multiply-accumulates the graph asks for, padding not counted */
} TspProgram;

/* All memory of a program is malloc'ed and owned by it. */
void tsp_program_init(TspProgram *p, const TspMachine *m);
void tsp_program_free(TspProgram *p);
/* Appends one word with its debug record (debug may be NULL). Returns false when out of memory. */
bool tsp_queue_push(TspQueue *q, TspWord word, const TspInsnDebug *debug);

int64_t tsp_tensor_elements(const TspTensor *t);
int64_t tsp_tensor_bytes(const TspTensor *t);
/* Rows and columns of the matrix that the pieces see. */
void tsp_tensor_matrix(const TspTensor *t, int64_t *rows, int64_t *cols);
/* Columns from the one in lane 0 of a piece to the one in its last lane, both counted. */
static inline int64_t tsp_piece_span(const TspPiece *piece) {
    return (int64_t)(piece->cols - 1) * (1 + (int64_t)piece->lane_skip) + 1;
}
/* Whether a piece lies inside its tensor and its lanes inside the machine's; memory aside. */
bool tsp_piece_fits(const TspMachine *m, const TspTensor *t, const TspPiece *piece);
/* Fills one vector (tsp_lanes(m) bytes) with row i of a piece from row-major data, padding 0. */
void tsp_piece_pack(const TspMachine *m, const TspTensor *t, const TspPiece *piece, int32_t i,
                    const uint8_t *data, uint8_t *vector);
/* The other way round: stores the vector's lanes into row-major data. */
void tsp_piece_unpack(const TspMachine *m, const TspTensor *t, const TspPiece *piece, int32_t i,
                      const uint8_t *vector, uint8_t *data);

/* Writes path.tmp, then renames. Same program, same bytes. */
bool tsp_program_save(const TspProgram *p, const char *path, TspError *err);
/* Reads and checks everything (magic, version, checksum, every length, every index) before use.
 * On failure *p needs no freeing. Errors say the byte offset. */
bool tsp_program_load(TspProgram *p, const char *path, TspError *err);
/* Same from memory; for tests and fuzzing. */
bool tsp_program_parse(TspProgram *p, const uint8_t *bytes, size_t length, const char *origin,
                       TspError *err);
/* Serialises to a malloc'ed buffer; the caller frees. */
uint8_t *tsp_program_bytes(const TspProgram *p, size_t *length);

#endif
