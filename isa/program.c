/* program.c - what a program owns, and how a tensor's matrix maps to vectors in memory. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* ---- ownership ---- */

void tsp_program_init(TspProgram *p, const TspMachine *m) {
    *p = (TspProgram){.machine = *m, .predicted_cycles = -1};
}

void tsp_program_free(TspProgram *p) {
    for (int32_t i = 0; i < TSP_MAX_QUEUES; i++) {
        free(p->queues[i].words);
        free(p->queues[i].debug);
    }
    for (int32_t i = 0; i < p->tensor_count; i++) {
        free(p->tensors[i].name);
        free(p->tensors[i].pieces);
        free(p->tensors[i].data);
    }
    for (int32_t i = 0; i < p->op_count; i++) {
        free(p->ops[i].name);
        free(p->ops[i].type);
    }
    free(p->tensors);
    free(p->ops);
    free(p->runs);
    free(p->links);
    free(p->name);
    free(p->source);
    free(p->bound_by);
    *p = (TspProgram){.predicted_cycles = -1};
}

static const TspInsnDebug no_debug = {.run = {-1, -1}};

/* Room for `capacity` words, and for as many debug records if there are to be any. */
static bool queue_reserve(TspQueue *q, int32_t capacity, bool with_debug) {
    bool starts_debug = with_debug && q->debug == NULL;
    if (capacity > q->capacity) {
        TspWord *words = realloc(q->words, (size_t)capacity * sizeof *words);
        if (words == NULL) return false;
        q->words = words;
    }
    if (with_debug && (starts_debug || capacity > q->capacity)) {
        TspInsnDebug *debug = realloc(q->debug, (size_t)capacity * sizeof *debug);
        if (debug == NULL) return false;
        if (starts_debug)
            for (int32_t i = 0; i < q->count; i++) debug[i] = no_debug;
        q->debug = debug;
    }
    q->capacity = capacity;
    return true;
}

bool tsp_queue_push(TspQueue *q, TspWord word, const TspInsnDebug *debug) {
    bool with_debug = debug != NULL || q->debug != NULL;
    int32_t capacity = q->capacity;
    if (q->count == capacity) {
        if (capacity > INT32_MAX / 2) return false;
        capacity = capacity < 16 ? 16 : 2 * capacity;
    }
    if (!queue_reserve(q, capacity, with_debug)) return false;
    q->words[q->count] = word;
    if (with_debug) q->debug[q->count] = debug != NULL ? *debug : no_debug;
    q->count++;
    return true;
}

/* ---- tensors ---- */

int64_t tsp_tensor_elements(const TspTensor *t) {
    int64_t elements = 1;
    for (int32_t i = 0; i < t->rank; i++) elements *= t->shape[i];
    return elements;
}

int64_t tsp_tensor_bytes(const TspTensor *t) {
    return tsp_tensor_elements(t) * tsp_dtype_bytes(t->dtype);
}

/* The last two dimensions, as stored; 1 where the rank has none. */
static int64_t stored_rows(const TspTensor *t) {
    return t->rank >= 2 ? t->shape[t->rank - 2] : 1;
}
static int64_t stored_cols(const TspTensor *t) {
    return t->rank >= 1 ? t->shape[t->rank - 1] : 1;
}

void tsp_tensor_matrix(const TspTensor *t, int64_t *rows, int64_t *cols) {
    int64_t leading = 1;
    if (t->flat) {
        *rows = 1;
        *cols = tsp_tensor_elements(t);
        return;
    }
    for (int32_t i = 0; i < t->rank - 2; i++) leading *= t->shape[i];
    *rows = leading * (t->transposed ? stored_cols(t) : stored_rows(t));
    *cols = t->transposed ? stored_rows(t) : stored_cols(t);
}

/* Where the vectors of row i find their bytes: element of column c at first + c * step. */
typedef struct {
    int64_t first, step;
} RowBytes;

static RowBytes row_bytes(const TspTensor *t, const TspPiece *piece, int32_t i) {
    int64_t row = piece->row0 + (int64_t)i * piece->row_step, bytes = tsp_dtype_bytes(t->dtype);
    int64_t rows = stored_rows(t), cols = stored_cols(t);
    int64_t col = piece->col0 + (int64_t)i * piece->col_step;
    if (piece->byte == TSP_WHOLE) return (RowBytes){(piece->col0 + row * piece->cols) * bytes, 1};
    int64_t step = bytes * (1 + (int64_t)piece->lane_skip);
    if (!t->transposed) return (RowBytes){(row * cols + col) * bytes + piece->byte, step};
    /* Row l*cols + c of the matrix is column c of the l-th stored matrix. */
    int64_t first = row / cols * rows * cols + row % cols + col * cols;
    return (RowBytes){first * bytes + piece->byte, cols * step};
}

/* Bytes of the tensor that a vector of the piece holds. */
static int32_t piece_bytes(const TspTensor *t, const TspPiece *piece) {
    return piece->byte == TSP_WHOLE ? piece->cols * tsp_dtype_bytes(t->dtype) : piece->cols;
}

/* first, first + step, ... of `count` items all in 0 .. limit-1. */
static bool steps_inside(int64_t first, int64_t step, int64_t count, int64_t limit) {
    int64_t last = first + step * (count - 1);
    return first >= 0 && first < limit && last >= 0 && last < limit;
}

bool tsp_piece_fits(const TspMachine *m, const TspTensor *t, const TspPiece *piece) {
    const int32_t lanes = tsp_lanes(m), bytes = tsp_dtype_bytes(t->dtype);
    int64_t rows, cols, span = tsp_piece_span(piece);
    tsp_tensor_matrix(t, &rows, &cols);
    if (piece->rows < 1 || piece->cols < 1 || piece->col0 < 0 || piece->lane_skip < 0) return false;
    if (piece->byte == TSP_WHOLE) {
        const int64_t left = rows * cols - piece->col0;
        return !t->transposed && piece->col_step == 0 && piece->broadcast == 0 &&
               piece->lane_skip == 0 && (int64_t)piece->cols * bytes <= lanes && piece->fill >= 0 &&
               piece->fill <= lanes && piece->fill % bytes == 0 &&
               steps_inside(piece->row0, piece->row_step, piece->rows, left / piece->cols);
    }
    return piece->fill == 0 && piece->byte >= 0 && piece->byte < bytes && piece->cols <= lanes &&
           steps_inside(piece->col0, piece->col_step, piece->rows, cols - span + 1) &&
           steps_inside(piece->row0, piece->row_step, piece->rows, rows) && piece->broadcast >= 0 &&
           piece->broadcast <= lanes && (piece->broadcast == 0 || piece->cols == 1);
}

void tsp_piece_pack(const TspMachine *m, const TspTensor *t, const TspPiece *piece, int32_t i,
                    const uint8_t *data, uint8_t *vector) {
    RowBytes from = row_bytes(t, piece, i);
    const uint8_t *source = data + from.first;
    memset(vector, 0, (size_t)tsp_lanes(m));
    if (piece->broadcast > 0) {
        memset(vector, source[0], (size_t)piece->broadcast);
    } else if (from.step == 1) {
        memcpy(vector, source, (size_t)piece_bytes(t, piece));
    } else {
        for (int32_t c = 0; c < piece->cols; c++) vector[c] = source[c * from.step];
    }
    for (int32_t lane = piece_bytes(t, piece), bytes = tsp_dtype_bytes(t->dtype);
         lane < piece->fill; lane++)
        vector[lane] = (uint8_t)((uint32_t)t->pad >> 8 * (lane % bytes));
}

void tsp_piece_unpack(const TspMachine *m, const TspTensor *t, const TspPiece *piece, int32_t i,
                      const uint8_t *vector, uint8_t *data) {
    RowBytes to = row_bytes(t, piece, i);
    (void)m; /* a piece never has more columns than the machine lanes */
    for (int32_t c = 0, bytes = piece_bytes(t, piece); c < bytes; c++)
        data[to.first + c * to.step] = vector[c];
}
