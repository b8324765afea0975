/* lower_fill.c - tensors filled with elements of others, wherever these lie.
 *
 * A vector of the result that is a whole vector of another tensor passes the VXM. Any other is the
 * sum, over the vectors that its elements come from, of products with a matrix of zeros and ones
 * that selects and moves lanes, a byte plane at a time: exact, as each element has one origin. Rows
 * whose vectors move alike, and whose origins step evenly, are one stage.
 */
#include "lower_view.h"

#include <stdlib.h>
#include <string.h>

/* A vector that a vector of the result comes from, and by how many rows it steps with it. */
typedef struct {
    int32_t tensor, row, ctile, step;
} Source;

typedef struct {
    Lowerer *l;
    const Origin *origins;
    int32_t tensor;                  /* filled */
    int32_t rows, cols, lanes, tile; /* of it, and the column tile under way */
    int32_t width;                   /* of the tile */
    Source *sources;                 /* of the first row of a run */
    int32_t source_count;
    int32_t *source_of; /* [lane]; -1: zero */
    uint8_t *matrix;    /* [lane of the result][lane of the source] */
} Fill;

TspDtype lower_bits(TspDtype type) {
    static const TspDtype types[] = {[1] = TSP_U8, [2] = TSP_I16, [4] = TSP_I32};
    return types[tsp_dtype_bytes(type)];
}

static const Origin *origin_of(const Fill *f, int32_t row, int32_t lane) {
    return &f->origins[(size_t)row * (size_t)f->cols + (size_t)(f->tile * f->lanes + lane)];
}

static void find_sources(Fill *f, int32_t row) {
    f->source_count = 0;
    for (int32_t lane = 0; lane < f->width; lane++) {
        const Origin *o = origin_of(f, row, lane);
        int32_t i = 0;
        f->source_of[lane] = -1;
        if (o->tensor < 0) continue;
        for (; i < f->source_count; i++)
            if (f->sources[i].tensor == o->tensor && f->sources[i].row == o->row &&
                f->sources[i].ctile == o->col / f->lanes)
                break;
        if (i == f->source_count)
            f->sources[f->source_count++] = (Source){o->tensor, o->row, o->col / f->lanes, 0};
        f->source_of[lane] = i;
    }
}

/* Whether a row moves like row `first`, its sources so many steps further. */
static bool moves_alike(const Fill *f, int32_t first, int32_t row) {
    for (int32_t lane = 0; lane < f->width; lane++) {
        const Origin *a = origin_of(f, first, lane), *b = origin_of(f, row, lane);
        if (a->tensor != b->tensor) return false;
        if (a->tensor < 0) continue;
        if (a->col != b->col ||
            b->row != a->row + (row - first) * f->sources[f->source_of[lane]].step)
            return false;
    }
    return true;
}

/* Rows from `first` on that one stage can make. */
static int32_t run_of(Fill *f, int32_t first) {
    int32_t end = first + 1;
    if (end == f->rows) return 1;
    for (int32_t lane = 0; lane < f->width; lane++)
        if (f->source_of[lane] >= 0) {
            Source *s = &f->sources[f->source_of[lane]];
            s->step = origin_of(f, end, lane)->row - s->row;
        }
    while (end < f->rows && moves_alike(f, first, end)) end++;
    return end - first;
}

/* Whether the one source is taken as it stands; lanes beyond its columns are zero. */
static bool is_copy(const Fill *f, int32_t row) {
    const Tensor *t;
    int32_t width;
    if (f->source_count != 1) return false;
    t = &f->l->module->tensors[f->sources[0].tensor];
    width = tsp_min32(f->lanes, t->cols - f->sources[0].ctile * f->lanes);
    if (width > f->width) return false;
    for (int32_t lane = 0; lane < f->width; lane++)
        if (f->source_of[lane] < 0 ? lane < width : origin_of(f, row, lane)->col % f->lanes != lane)
            return false;
    return true;
}

static bool add_copy(Fill *f, int32_t row, int32_t rows, TspError *err) {
    Lowerer *l = f->l;
    const Source *from = &f->sources[0];
    const TspDtype type = lower_bits(l->module->tensors[f->tensor].dtype);
    Stage *s = lower_new_stage(l, "copy", rows, f->width, err);
    if (!s) return false;
    l->module->tensors[from->tensor].contiguous = true;
    lower_output(l, s,
                 stage_step(s, TSP_OP_PASS, type, type,
                            stage_operand(s, from->tensor, from->row, from->step), from_none(), 0),
                 f->tensor, row);
    s->operands[0].ctile0 = from->ctile;
    s->outputs[0].ctile0 = f->tile;
    return true;
}

static bool add_zeros(Fill *f, int32_t row, int32_t rows, TspError *err) {
    Lowerer *l = f->l;
    int64_t width = f->width;
    const Tensor *t = &l->module->tensors[f->tensor];
    int32_t zeros =
        lower_new_tensor(l, t->name, ".zeros", t->dtype, TSP_ROLE_CONSTANT, 1, &width, false, err);
    if (zeros < 0) return false;
    l->module->tensors[zeros].data = calloc((size_t)width, 4);
    if (!l->module->tensors[zeros].data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    f->sources[0] = (Source){zeros, 0, 0, 0};
    return add_copy(f, row, rows, err);
}

/* The matrix that takes source `source` to its lanes, made once however often it is needed; -1 with
 * err set on failure. */
static int32_t selection(Fill *f, int32_t row, int32_t source, TspError *err) {
    Lowerer *l = f->l;
    int64_t shape[2] = {f->width, f->lanes};
    size_t bytes = (size_t)f->width * (size_t)f->lanes;
    int32_t i;
    Tensor *t;
    memset(f->matrix, 0, bytes);
    for (int32_t lane = 0; lane < f->width; lane++)
        if (f->source_of[lane] == source)
            f->matrix[lane * f->lanes + origin_of(f, row, lane)->col % f->lanes] = 1;
    for (i = 0; i < l->module->tensor_count; i++) {
        t = &l->module->tensors[i];
        if (t->selects && t->rows == f->width && memcmp(t->data, f->matrix, bytes) == 0) return i;
    }
    i = lower_new_tensor(l, "selection", "", TSP_U8, TSP_ROLE_CONSTANT, 2, shape, false, err);
    if (i < 0) return -1;
    t = &l->module->tensors[i];
    if (!(t->data = malloc(bytes))) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    memcpy(t->data, f->matrix, bytes);
    t->striped = t->selects = true;
    return i;
}

/* One byte plane of the rows. */
static bool add_product(Fill *f, int32_t row, int32_t rows, int32_t byte, TspError *err) {
    Lowerer *l = f->l;
    Module *m = l->module;
    Stage *s = lower_new_stage(l, "move", rows, f->width, err);
    if (!s) return false;
    s->product = true;
    s->terms = calloc((size_t)f->source_count, sizeof *s->terms);
    if (!s->terms) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    s->outputs[s->output_count++] = (Output){from_product(), f->tensor, row, f->tile, byte, 0, 1};
    for (int32_t i = 0; i < f->source_count; i++) {
        const Source *from = &f->sources[i];
        int32_t matrix = selection(f, row, i, err);
        if (matrix < 0) return false;
        m->tensors[from->tensor].contiguous = m->tensors[from->tensor].streamed = true;
        s->terms[s->term_count++] = (Term){.a = from->tensor,
                                           .a_row0 = from->row,
                                           .a_ctile = from->ctile,
                                           .a_byte = byte,
                                           .w = matrix,
                                           .w_byte = -1,
                                           .a_skip = from->step - 1};
    }
    return m->machine.mxm_accumulator_rows > 0 || f->source_count == 1 ||
           lower_finish_product(l, TSP_I32, err);
}

static bool add_products(Fill *f, int32_t row, int32_t rows, TspError *err) {
    const int32_t bytes = f->l->module->tensors[f->tensor].bytes;
    for (int32_t byte = 0; byte < bytes; byte++)
        if (!add_product(f, row, rows, byte, err)) return false;
    return true;
}

static bool fill_tile(Fill *f, TspError *err) {
    for (int32_t row = 0, rows; row < f->rows; row += rows) {
        bool ok;
        find_sources(f, row);
        rows = run_of(f, row);
        ok = f->source_count == 0 ? add_zeros(f, row, rows, err)
             : is_copy(f, row)    ? add_copy(f, row, rows, err)
                                  : add_products(f, row, rows, err);
        if (!ok) return false;
    }
    return true;
}

bool lower_fill(Lowerer *l, int32_t tensor, const Origin *origins, TspError *err) {
    const Tensor *t = &l->module->tensors[tensor];
    Fill f = {.l = l, .origins = origins, .tensor = tensor, .rows = t->rows, .cols = t->cols};
    bool ok = true;
    f.lanes = tsp_lanes(&l->module->machine);
    f.sources = calloc((size_t)f.lanes, sizeof *f.sources);
    f.source_of = calloc((size_t)f.lanes, sizeof *f.source_of);
    f.matrix = malloc((size_t)f.lanes * (size_t)f.lanes);
    if (!f.sources || !f.source_of || !f.matrix)
        ok = tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (; ok && f.tile < tsp_ceil_div(f.cols, f.lanes); f.tile++) {
        f.width = tsp_min32(f.lanes, f.cols - f.tile * f.lanes);
        ok = fill_tile(&f, err);
    }
    free(f.sources);
    free(f.source_of);
    free(f.matrix);
    return ok;
}
