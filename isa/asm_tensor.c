/* asm_tensor.c - reads tensors: what they are, where they lie, what is in them. */
#include "asm_parts.h"
#include "half.h"

#include <stdlib.h>
#include <string.h>

static const char *const roles[] = {[TSP_ROLE_INPUT] = "input",
                                    [TSP_ROLE_CONSTANT] = "constant",
                                    [TSP_ROLE_OUTPUT] = "output",
                                    [TSP_ROLE_INTERNAL] = "internal"};

static TspTensor *last_tensor(Asm *a, const AsmCursor *c, const char *directive) {
    int32_t last = a->p->tensor_count - 1;
    if (last >= 0 && !asm_fetch_is_text(a, last)) return &a->p->tensors[last];
    asm_fail(c, c->text, "%s belongs to a tensor; write .tensor before it", directive);
    return NULL;
}

/* ---- .tensor ---- */

static bool read_shape(Asm *a, AsmCursor *c, TspTensor *t) {
    enum { MOST_BYTES = INT32_MAX };
    int64_t bytes = tsp_dtype_bytes(t->dtype), dimension;
    if (!asm_need(c, '[')) return false;
    if (asm_take(c, ']')) return true;
    do {
        asm_space(c);
        const char *where = c->at;
        if (t->rank == TSP_MAX_RANK)
            return asm_fail(c, where, "more than %d dimensions", TSP_MAX_RANK);
        if (!asm_constant_in(a, c, "dimension", 0, INT32_MAX, &dimension)) return false;
        bytes *= dimension;
        if (bytes > MOST_BYTES) return asm_fail(c, where, "the tensor is larger than 2 GiB");
        t->shape[t->rank++] = dimension;
    } while (asm_take(c, ','));
    return asm_need(c, ']');
}

static bool read_role(AsmCursor *c, TspTensor *t) {
    char word[ASM_WORD_SIZE];
    asm_space(c);
    const char *where = c->at;
    if (asm_word(c, false, word))
        for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
            if (!strcmp(word, roles[i])) {
                t->role = (TspTensorRole)i;
                return true;
            }
    return asm_fail(c, where,
                    "a role is expected here; there are input, constant, output, internal");
}

static bool read_slice(Asm *a, AsmCursor *c, int32_t *slice) {
    const TspMachine *m = &a->p->machine;
    char word[ASM_WORD_SIZE];
    asm_space(c);
    const char *where = c->at;
    *slice = asm_word(c, true, word) ? tsp_queue_find(m, word) : -1;
    if (*slice >= 0 && tsp_queue_info(m, *slice).unit == TSP_UNIT_MEM) return true;
    return asm_fail(c, where,
                    "a MEM slice is expected here; %s has mem.w0 to mem.w%d and mem.e0 to "
                    "mem.e%d",
                    m->name, (int)m->mem_slices - 1, (int)m->mem_slices - 1);
}

bool asm_slice_address(Asm *a, AsmCursor *c, int32_t *slice, int32_t *addr) {
    int64_t row;
    if (!read_slice(a, c, slice) || !asm_need(c, ':') ||
        !asm_constant_in(a, c, "address", 0, tsp_mem_slice_rows(&a->p->machine) - 1, &row))
        return false;
    *addr = (int32_t)row;
    return true;
}

static bool add_piece(Asm *a, const AsmCursor *c, TspTensor *t, TspPiece piece);

/* `@ mem.w3:0x10`: the whole matrix, byte b of the elements b slices farther out. */
static bool place_whole(Asm *a, AsmCursor *c, TspTensor *t) {
    const TspMachine *m = &a->p->machine;
    int32_t slice, addr, bytes = tsp_dtype_bytes(t->dtype);
    int64_t rows, cols;
    asm_space(c);
    const char *where = c->at;
    if (!asm_slice_address(a, c, &slice, &addr)) return false;
    tsp_tensor_matrix(t, &rows, &cols);
    if (cols > tsp_lanes(m))
        return asm_fail(c, where,
                        "%lld columns do not fit %d lanes; leave out @ and write .piece "
                        "lines with col0= and cols=",
                        (long long)cols, (int)tsp_lanes(m));
    if (tsp_queue_info(m, slice).index + bytes > m->mem_slices)
        return asm_fail(c, where, "%d slices are needed, one a byte; begin nearer to the VXM",
                        (int)bytes);
    for (int32_t byte = 0; byte < bytes; byte++) {
        TspPiece piece = {
            .row_step = 1, .byte = byte, .slice = slice + byte, .addr = addr, .addr_step = 1};
        piece.cols = asm_piece_cols(m, t, &piece);
        piece.rows = asm_piece_rows(t, &piece);
        if (!add_piece(a, c, t, piece)) return false;
    }
    return true;
}

static bool read_tensor(Asm *a, AsmCursor *c, TspTensor *t) {
    char word[ASM_WORD_SIZE];
    char *name;
    int dtype;
    asm_space(c);
    const char *where = c->at;
    if (!asm_name(c, false, &name)) return false;
    bool is_new = asm_name_is_new(a, c, where, name);
    t->name = name;
    if (!is_new || !asm_add_name(a, ASM_NAME_TENSOR, (int32_t)(t - a->p->tensors)) ||
        !asm_need(c, ','))
        return false;
    asm_space(c);
    where = c->at;
    dtype = asm_word(c, false, word) ? tsp_dtype_find(word) : -1;
    if (dtype < 0)
        return asm_fail(c, where,
                        "an element type is expected here; there are int8 uint8 int16 "
                        "int32 float16 float32 bool");
    t->dtype = (TspDtype)dtype;
    if (!asm_need(c, ',') || !read_shape(a, c, t) || !asm_need(c, ',') || !read_role(c, t))
        return false;
    if (asm_take(c, ',')) {
        t->transposed = asm_take_text(c, "transposed");
        t->flat = !t->transposed && asm_take_text(c, "flat");
        if (!t->transposed && !t->flat)
            return asm_fail(c, c->at, "'transposed', 'flat' or nothing may follow the role");
    }
    if (t->role == TSP_ROLE_CONSTANT) {
        t->data = calloc(1, 1); /* grows with the .data there is, whatever the shape says */
        if (!t->data) return asm_no_memory(a);
    }
    return !asm_take(c, '@') || place_whole(a, c, t);
}

/* Counted before it is read: what a failure leaves behind is freed with the program. */
TspTensor *asm_new_tensor(Asm *a, AsmCursor *c) {
    TspTensor *tensors;
    if (!asm_settle_machine(a, c) || !asm_tensor_complete(a, c)) return NULL;
    tensors = asm_grow(a->p->tensors, a->p->tensor_count, sizeof *tensors);
    if (!tensors) {
        asm_no_memory(a);
        return NULL;
    }
    a->p->tensors = tensors;
    a->data_count = 0;
    tensors[a->p->tensor_count] = (TspTensor){0};
    return &tensors[a->p->tensor_count++];
}

bool asm_tensor(Asm *a, AsmCursor *c) {
    TspTensor *t = asm_new_tensor(a, c);
    return t && read_tensor(a, c, t);
}

bool asm_tensor_complete(Asm *a, const AsmCursor *c) {
    const TspTensor *t = a->p->tensor_count ? &a->p->tensors[a->p->tensor_count - 1] : NULL;
    if (!t || t->role != TSP_ROLE_CONSTANT || a->data_count == tsp_tensor_elements(t)) return true;
    return asm_fail(c, c->text,
                    "constant '%.60s' has %lld of its %lld values; add .data lines to it", t->name,
                    (long long)a->data_count, (long long)tsp_tensor_elements(t));
}

/* ---- .piece and .stripe ---- */

int32_t asm_piece_cols(const TspMachine *m, const TspTensor *t, const TspPiece *piece) {
    int64_t rows, cols, room = tsp_lanes(m);
    tsp_tensor_matrix(t, &rows, &cols);
    if (piece->broadcast) return 1;
    if (piece->byte == TSP_WHOLE) {
        room /= tsp_dtype_bytes(t->dtype);
        cols *= rows;
    }
    cols = (cols - piece->col0 - 1) / (1 + (int64_t)piece->lane_skip) + 1;
    return (int32_t)(cols < room ? cols : room);
}

int32_t asm_piece_rows(const TspTensor *t, const TspPiece *piece) {
    int64_t rows, cols, count = 1;
    tsp_tensor_matrix(t, &rows, &cols);
    if (piece->byte == TSP_WHOLE) /* only vectors that are full */
        rows = piece->cols > 0 ? (rows * cols - piece->col0) / piece->cols : 0;
    if (piece->row_step > 0)
        count = (rows - 1 - piece->row0) / piece->row_step + 1;
    else if (piece->row_step < 0)
        count = piece->row0 / -(int64_t)piece->row_step + 1;
    return (int32_t)count;
}

static bool check_addresses(const AsmCursor *c, const TspPiece *piece, int64_t last_addr,
                            int64_t slice_rows) {
    if (piece->addr >= slice_rows || last_addr < 0 || last_addr >= slice_rows)
        return asm_fail(c, c->text,
                        "addresses %d to %lld are not all in a slice, which has rows 0 to "
                        "%lld; change addr= or addr_step=",
                        (int)piece->addr, (long long)last_addr, (long long)slice_rows - 1);
    return true;
}

/* Whether the piece lies within the tensor's matrix and the slice's rows. */
static bool check_piece(const Asm *a, const AsmCursor *c, const TspTensor *t,
                        const TspPiece *piece) {
    const TspMachine *m = &a->p->machine;
    int64_t rows, cols, lanes = tsp_lanes(m), slice_rows = tsp_mem_slice_rows(m);
    int64_t last_row = piece->row0 + (int64_t)(piece->rows - 1) * piece->row_step;
    int64_t last_addr = piece->addr + (int64_t)(piece->rows - 1) * piece->addr_step;
    int64_t last_col = piece->col0 + (int64_t)(piece->rows - 1) * piece->col_step;
    int64_t span = tsp_piece_span(piece);
    tsp_tensor_matrix(t, &rows, &cols);
    if ((piece->byte == TSP_WHOLE || piece->fill) && !tsp_piece_fits(m, t, piece))
        return asm_fail(c, c->text,
                        "byte=-1 takes %d rows of %d whole elements, at most %lld bytes each, from "
                        "element %d on; '%.60s' has not so many, or is transposed, or fill= is "
                        "without byte=-1",
                        (int)piece->rows, (int)piece->cols, (long long)lanes, (int)piece->col0,
                        t->name);
    if (piece->byte == TSP_WHOLE) return check_addresses(c, piece, last_addr, slice_rows);
    if (piece->rows < 1 || piece->row0 >= rows || last_row < 0 || last_row >= rows)
        return asm_fail(c, c->text,
                        "rows %d to %lld are not all in '%.60s', which has %lld; change "
                        "row0=, row_step= or rows=",
                        (int)piece->row0, (long long)last_row, t->name, (long long)rows);
    if (piece->cols < 1 || piece->cols > lanes || piece->col0 + span > cols)
        return asm_fail(c, c->text,
                        "columns %d to %lld of '%.60s' (%lld columns) cannot lie in %lld "
                        "lanes; change col0=, cols= or lane_skip=",
                        (int)piece->col0, (long long)piece->col0 + span - 1, t->name,
                        (long long)cols, (long long)lanes);
    if (last_col < 0 || last_col + span > cols)
        return asm_fail(c, c->text,
                        "the last row begins at column %lld of '%.60s', which has %lld; change "
                        "col_step= or rows=",
                        (long long)last_col, t->name, (long long)cols);
    if (piece->broadcast > lanes || (piece->broadcast && piece->cols != 1))
        return asm_fail(c, c->text, "broadcast= copies one column to at most %lld lanes",
                        (long long)lanes);
    if (piece->byte >= tsp_dtype_bytes(t->dtype))
        return asm_fail(c, c->text, "byte=%d, but %s has bytes 0 to %d", (int)piece->byte,
                        tsp_dtype_name(t->dtype), (int)tsp_dtype_bytes(t->dtype) - 1);
    return check_addresses(c, piece, last_addr, slice_rows);
}

static bool add_piece(Asm *a, const AsmCursor *c, TspTensor *t, TspPiece piece) {
    TspPiece *pieces;
    if (!check_piece(a, c, t, &piece)) return false;
    pieces = asm_grow(t->pieces, t->piece_count, sizeof *pieces);
    if (!pieces) return asm_no_memory(a);
    t->pieces = pieces;
    pieces[t->piece_count++] = piece;
    return true;
}

/* What `.piece` and `.stripe` take as name=value. */
static const struct {
    const char *name;
    size_t offset;
    int32_t min;
} keys[] = {
    {"row0", offsetof(TspPiece, row0), 0},
    {"row_step", offsetof(TspPiece, row_step), INT32_MIN},
    {"rows", offsetof(TspPiece, rows), 1},
    {"col0", offsetof(TspPiece, col0), 0},
    {"col_step", offsetof(TspPiece, col_step), INT32_MIN},
    {"cols", offsetof(TspPiece, cols), 1},
    {"byte", offsetof(TspPiece, byte), TSP_WHOLE},
    {"broadcast", offsetof(TspPiece, broadcast), 0},
    {"fill", offsetof(TspPiece, fill), 0},
    {"lane_skip", offsetof(TspPiece, lane_skip), 0},
    {"addr", offsetof(TspPiece, addr), 0},
    {"addr_step", offsetof(TspPiece, addr_step), INT32_MIN},
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static int32_t *piece_field(TspPiece *piece, size_t offset) {
    return (int32_t *)(void *)((char *)piece + offset);
}

static bool read_slices(Asm *a, AsmCursor *c, int32_t *first, int32_t *last) {
    const TspMachine *m = &a->p->machine;
    asm_space(c);
    const char *where = c->at;
    if (!read_slice(a, c, first)) return false;
    *last = *first;
    if (!asm_take_text(c, "..")) return true;
    if (!read_slice(a, c, last)) return false;
    return tsp_slice_hemisphere(m, *first) == tsp_slice_hemisphere(m, *last) ||
           asm_fail(c, where,
                    "both ends of a range of slices lie in one hemisphere; write two lines");
}

/* The name=value list. `slices_key` is "slice" or "slices"; what is left out is as by default. */
static bool read_keys(Asm *a, AsmCursor *c, const TspTensor *t, const char *slices_key,
                      TspPiece *piece, int32_t *last_slice) {
    TspPiece written = {0}; /* 1 in the fields that were given */
    bool has_slice = false;
    *piece = (TspPiece){.row_step = 1, .addr_step = 1};
    do {
        char word[ASM_WORD_SIZE];
        size_t k = 0;
        int64_t value;
        asm_space(c);
        const char *where = c->at;
        if (!asm_word(c, false, word))
            return asm_fail(c, where, "name=value is expected here; for example addr=0");
        while (k < KEY_COUNT && strcmp(word, keys[k].name)) k++;
        if (k == KEY_COUNT && strcmp(word, slices_key))
            return asm_fail(c, where,
                            "'%s' is unknown here; there are %s row0 row_step rows col0 col_step "
                            "cols byte broadcast fill lane_skip addr addr_step",
                            word, slices_key);
        if (k < KEY_COUNT ? *piece_field(&written, keys[k].offset) : has_slice)
            return asm_fail(c, where, "%s is given twice; leave one out", word);
        if (!asm_need(c, '=')) return false;
        if (k == KEY_COUNT) {
            has_slice = true;
            if (!read_slices(a, c, &piece->slice, last_slice)) return false;
            continue;
        }
        if (!asm_constant_in(a, c, word, keys[k].min, INT32_MAX, &value)) return false;
        *piece_field(piece, keys[k].offset) = (int32_t)value;
        *piece_field(&written, keys[k].offset) = 1;
    } while (asm_take(c, ','));
    if (!has_slice || !written.addr)
        return asm_fail(c, c->text, "%s= and addr= are needed here", slices_key);
    if (!written.cols) piece->cols = asm_piece_cols(&a->p->machine, t, piece);
    if (!written.rows) piece->rows = asm_piece_rows(t, piece);
    return true;
}

bool asm_piece(Asm *a, AsmCursor *c) {
    TspTensor *t = last_tensor(a, c, ".piece");
    TspPiece piece;
    int32_t last = 0;
    if (!t || !read_keys(a, c, t, "slice", &piece, &last)) return false;
    if (last != piece.slice)
        return asm_fail(c, c->text, "a piece lies in one slice; use .stripe slices= for a range");
    return add_piece(a, c, t, piece);
}

/* Row r goes to slice r mod n of the n slices, at address r div n. */
bool asm_stripe(Asm *a, AsmCursor *c) {
    TspTensor *t = last_tensor(a, c, ".stripe");
    TspPiece whole;
    int32_t last = 0, count, step;
    if (!t || !read_keys(a, c, t, "slices", &whole, &last)) return false;
    count = abs(last - whole.slice) + 1;
    step = last < whole.slice ? -1 : 1;
    if (!check_piece(a, c, t,
                     &(TspPiece){whole.row0, whole.row_step, whole.rows, whole.col0, whole.col_step,
                                 whole.cols, whole.byte, whole.broadcast, whole.fill,
                                 whole.lane_skip, whole.slice, whole.addr, 0}))
        return false;
    for (int32_t i = 0; i < count && i < whole.rows; i++) {
        TspPiece piece = whole;
        piece.slice = whole.slice + i * step;
        piece.row0 = whole.row0 + i * whole.row_step;
        piece.rows = (whole.rows - i - 1) / count + 1;
        /* One row takes no step; keep it small so that it cannot overflow. */
        piece.row_step = piece.rows > 1 ? whole.row_step * count : whole.row_step;
        piece.col0 = whole.col0 + i * whole.col_step;
        piece.col_step = piece.rows > 1 ? whole.col_step * count : whole.col_step;
        if (!add_piece(a, c, t, piece)) return false;
    }
    return true;
}

/* ---- .data ---- */

static const struct {
    int64_t min, max;
} ranges[TSP_DTYPE_COUNT] = {
    [TSP_I8] = {INT8_MIN, INT8_MAX},
    [TSP_U8] = {0, UINT8_MAX},
    [TSP_I16] = {INT16_MIN, INT16_MAX},
    [TSP_I32] = {INT32_MIN, INT32_MAX},
    [TSP_F16] = {0, UINT16_MAX},
    [TSP_F32] = {0, UINT32_MAX}, /* raw bits */
    [TSP_BOOL] = {0, 1},
};

static bool is_hex(const char *text) {
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

/* One element as the bits that are stored. Floats in hex are their bits. */
static bool read_element(Asm *a, AsmCursor *c, TspDtype type, uint32_t *bits) {
    asm_space(c);
    const char *where = c->at;
    int64_t value;
    float number;
    if ((type != TSP_F16 && type != TSP_F32) || is_hex(where)) {
        if (!asm_constant_in(a, c, tsp_dtype_name(type), ranges[type].min, ranges[type].max,
                             &value))
            return false;
        *bits = (uint32_t)value;
        return true;
    }
    while (*c->at && !strchr(", \t", *c->at)) c->at++;
    if (!asm_float(c, where, c->at, &number)) return false;
    *bits = type == TSP_F16 ? tsp_half_from_float(number) : tsp_f32_bits(number);
    if (type == TSP_F16 && (*bits & 0x7fffu) == 0x7c00u)
        return asm_fail(c, where, "the number is too large for float16 (at most 65504)");
    return true;
}

bool asm_data(Asm *a, AsmCursor *c) {
    TspTensor *t = last_tensor(a, c, ".data");
    if (!t) return false;
    if (t->role != TSP_ROLE_CONSTANT)
        return asm_fail(c, c->text, "'%.60s' is %s; only a constant has .data", t->name,
                        roles[t->role]);
    int64_t elements = tsp_tensor_elements(t);
    int32_t bytes = tsp_dtype_bytes(t->dtype);
    do {
        uint32_t bits;
        if (a->data_count == elements)
            return asm_fail(c, c->at, "'%.60s' has only %lld elements; remove the rest", t->name,
                            (long long)elements);
        if (!read_element(a, c, t->dtype, &bits)) return false;
        uint8_t *data = asm_grow(t->data, (int32_t)a->data_count, (size_t)bytes);
        if (!data) return asm_no_memory(a);
        t->data = data;
        for (int32_t i = 0; i < bytes; i++)
            t->data[a->data_count * bytes + i] = (uint8_t)(bits >> 8 * i);
        a->data_count++;
    } while (asm_take(c, ','));
    return true;
}
