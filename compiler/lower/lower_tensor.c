/* lower_tensor.c - tensors of the machine, and the stages that only rearrange them.
 *
 * What the SXM cannot do yet the MXM does: a transpose is the identity matrix streamed past the
 * tensor loaded as weights, a lane broadcast is a column times a row of ones. Both work on byte
 * planes as uint8, so they are exact for every element type.
 */
#include "lower_heads.h"
#include "lower_view.h"
#include "isa/half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool grow_terms(Stage *s, int32_t count, TspError *err) {
    s->terms = calloc((size_t)count, sizeof *s->terms);
    if (!s->terms) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    return true;
}

bool lower_move(Lowerer *l, const char *what, int32_t rows, int32_t cols, Term term, int32_t out,
                int32_t out_row, int32_t byte, TspError *err) {
    Stage *s = lower_new_stage(l, what, rows, cols, err);
    if (!s || !grow_terms(s, 1, err)) return false;
    s->product = true;
    s->term_count = 1;
    s->terms[0] = term;
    s->outputs[s->output_count++] = (Output){from_product(), out, out_row, 0, byte, 0, 1};
    return true;
}

static int32_t uint8_constant(Lowerer *l, const char *name, int64_t rows, int64_t cols,
                              TspError *err) {
    int64_t shape[2] = {rows, cols};
    int32_t i = lower_new_tensor(l, name, "", TSP_U8, TSP_ROLE_CONSTANT, 2, shape, false, err);
    if (i < 0) return -1;
    l->module->tensors[i].data = calloc((size_t)rows, (size_t)cols);
    if (!l->module->tensors[i].data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    return i;
}

/* Streamed past weights it takes them out column by column: a byte plane, turned. */
static int32_t identity_of(Lowerer *l, TspError *err) {
    int32_t lanes = tsp_lanes(&l->module->machine);
    Tensor *t;
    if (l->identity >= 0) return l->identity;
    if ((l->identity = uint8_constant(l, "identity", lanes, lanes, err)) < 0) return -1;
    t = &l->module->tensors[l->identity];
    for (int32_t i = 0; i < lanes; i++) t->data[(size_t)i * (size_t)lanes + (size_t)i] = 1;
    t->contiguous = t->streamed = true;
    return l->identity;
}

bool lower_turn(Lowerer *l, int32_t from, int32_t row0, int32_t rows, int32_t to, int32_t to_row,
                int32_t to_ctile, TspError *err) {
    Module *m = l->module;
    int32_t lanes = tsp_lanes(&m->machine), identity = identity_of(l, err);
    Tensor x = m->tensors[from];
    int32_t blocks = tsp_turned_blocks(&m->machine, x.bytes),
            ahead = tsp_ceil_div(x.ctiles, blocks);
    if (identity < 0) return false;
    m->tensors[from].striped = true;
    m->tensors[to].contiguous = m->tensors[to].turned = true;
    for (int32_t i = 0; i < ahead * blocks; i++) /* a tile of each block in turn */
        for (int32_t byte = 0; byte < x.bytes; byte++) {
            int32_t tile = i % blocks * ahead + i / blocks;
            if (tile >= x.ctiles) continue;
            if (!lower_move(l, "transpose", tsp_min32(lanes, x.cols - tile * lanes), rows,
                            (Term){identity, 0, 0, -1, from, row0, tile, byte, 0, 0, 0}, to,
                            to_row + tile * lanes, byte, err))
                return false;
            m->stages[m->stage_count - 1].outputs[0].ctile0 = to_ctile;
            m->stages[m->stage_count - 1].whole = x.ctiles * x.bytes >= 2 * m->machine.mxm_planes;
        }
    return true;
}

bool lower_turn_columns(Lowerer *l, int32_t from, int32_t row0, int32_t rows, int32_t columns,
                        int32_t to, int32_t to_row, TspError *err) {
    const int32_t identity = identity_of(l, err);
    if (identity < 0) return false;
    l->module->tensors[from].striped = l->module->tensors[from].unaligned = true;
    l->module->tensors[to].contiguous = true;
    for (int32_t byte = 0; byte < l->module->tensors[from].bytes; byte++)
        if (!lower_move(l, "transpose", columns, rows,
                        (Term){identity, 0, 0, -1, from, row0, 0, byte, 0, 0, 0}, to, to_row, byte,
                        err))
            return false;
    return true;
}

int32_t lower_transposed(Lowerer *l, int32_t from, TspError *err) {
    Tensor x = l->module->tensors[from];
    int32_t to = lower_new_tensor(l, x.name, x.transposed ? ".rows" : ".transposed", x.dtype,
                                  TSP_ROLE_INTERNAL, x.rank, x.shape, !x.transposed, err);
    int32_t inner; /* rows of `from` in one batch */
    if (to < 0) return -1;
    inner = l->module->tensors[to].cols;
    for (int32_t b = 0; b < x.rows / inner; b++)
        if (!lower_turn(l, from, b * inner, inner, to, b * x.cols, 0, err)) return -1;
    return to;
}

int32_t lower_oriented(Lowerer *l, int32_t value, int orientation, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t *slot = &l->tensor_of[value][orientation];
    if (*slot >= 0) return *slot;
    if (lower_is_view(l, value)) return lower_dense(l, value, orientation, err);
    if (v->data) {
        Tensor *t;
        *slot =
            lower_new_tensor(l, v->name, orientation ? ".transposed" : "", v->dtype,
                             TSP_ROLE_CONSTANT, v->rank, v->shape, orientation == TRANSPOSED, err);
        if (*slot < 0) return -1;
        t = &l->module->tensors[*slot];
        t->data = malloc((size_t)tsp_value_bytes(v));
        if (!t->data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
        memcpy(t->data, v->data, (size_t)tsp_value_bytes(v));
        t->contiguous = false;
        return *slot;
    }
    if (l->packed[value] && orientation == ROWWISE) return *slot = lower_unpacked(l, value, err);
    if (l->packed[value] && lower_oriented(l, value, ROWWISE, err) < 0) return -1;
    if (l->tensor_of[value][!orientation] >= 0)
        return *slot = lower_transposed(l, l->tensor_of[value][!orientation], err);
    *slot = lower_new_tensor(l, v->name, "", v->dtype,
                             v->is_input    ? TSP_ROLE_INPUT
                             : v->is_output ? TSP_ROLE_OUTPUT
                                            : TSP_ROLE_INTERNAL,
                             v->rank, v->shape, orientation == TRANSPOSED, err);
    if (*slot >= 0 && !v->is_input) l->module->tensors[*slot].contiguous = true;
    return *slot;
}

bool lower_broadcast(Lowerer *l, int32_t from, int32_t to, int32_t cols, TspError *err) {
    int32_t ones = uint8_constant(l, "ones", cols, 1, err);
    const Tensor *t;
    if (ones < 0) return false;
    t = &l->module->tensors[from];
    memset(l->module->tensors[ones].data, 1, (size_t)cols);
    l->module->tensors[ones].striped = true;
    l->module->tensors[from].contiguous = l->module->tensors[from].streamed = true;
    l->module->tensors[to].contiguous = true;
    for (int32_t byte = 0; byte < t->bytes; byte++)
        if (!lower_move(l, "broadcast", t->rows, cols,
                        (Term){from, 0, 0, byte, ones, 0, 0, -1, 0, 0, 0}, to, 0, byte, err))
            return false;
    return true;
}

int32_t lower_widened(Lowerer *l, int32_t value, int32_t cols, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t from, to;
    int64_t shape[TSP_MAX_RANK] = {0};
    bool narrow = cols > 1 && (v->rank == 0 || v->shape[v->rank - 1] == 1);
    if (!narrow) {
        from = lower_oriented(l, value, ROWWISE, err);
        if (from >= 0) l->module->tensors[from].contiguous = true;
        return from;
    }
    if (v->data) { /* the loader copies it along the lanes */
        Tensor *t;
        to = lower_new_tensor(l, v->name, ".wide", v->dtype, TSP_ROLE_CONSTANT, v->rank, v->shape,
                              false, err);
        if (to < 0) return -1;
        t = &l->module->tensors[to];
        t->bcast_cols = cols;
        t->ctiles = tsp_ceil_div(cols, tsp_lanes(&l->module->machine));
        t->contiguous = true;
        t->data = malloc((size_t)tsp_value_bytes(v));
        if (!t->data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
        memcpy(t->data, v->data, (size_t)tsp_value_bytes(v));
        return to;
    }
    if ((from = lower_oriented(l, value, ROWWISE, err)) < 0) return -1;
    if (v->rank) memcpy(shape, v->shape, sizeof shape);
    shape[v->rank ? v->rank - 1 : 0] = cols;
    to = lower_new_tensor(l, v->name, ".wide", v->dtype, TSP_ROLE_INTERNAL, v->rank ? v->rank : 1,
                          shape, false, err);
    return to >= 0 && lower_broadcast(l, from, to, cols, err) ? to : -1;
}

/* h = fp16(x), second = fp16((x - h) * 2^11), third = fp16(h * 2^-11), on the host. */
static void split_on_host(const uint8_t *data, int64_t n, uint16_t *part[3]) {
    for (int64_t i = 0; i < n; i++) {
        float x, h;
        memcpy(&x, data + 4 * i, 4);
        part[0][i] = tsp_half_from_float(x);
        h = tsp_half_to_float(part[0][i]);
        part[1][i] = tsp_half_from_float((x - h) * 2048.0f);
        part[2][i] = tsp_half_from_float(h * (1.0f / 2048.0f));
    }
}

/* Three results written in one cycle, each in rows and stripes, take this many slices. */
static bool few_slices(const TspMachine *m) {
    return 2 * m->mem_slices < 3 * (m->mxm_load_streams + tsp_dtype_bytes(TSP_F16));
}

/* Parts first..last of the same on the chip, in one stage. */
static bool split_on_chip(Lowerer *l, int32_t whole, const int32_t part[3], int first, int last,
                          TspError *err) {
    Tensor *t = &l->module->tensors[whole];
    Stage *s = lower_new_stage(l, "split", t->rows, t->cols, err);
    const From none = from_none();
    From x, h, back, r;
    if (!s) return false;
    t->contiguous = true;
    x = stage_operand(s, whole, 0, 1);
    h = stage_step(s, TSP_OP_CVT, TSP_F32, TSP_F16, x, none, 0);
    if (first == 0) lower_output(l, s, h, part[0], 0);
    if (last == 0) return true;
    back = stage_step(s, TSP_OP_CVT, TSP_F16, TSP_F32, h, none, 0);
    if (first <= 1) {
        r = stage_step(s, TSP_OP_SUB, TSP_F32, TSP_F32, x, back, 0);
        r = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, r, from_imm(), tsp_f32_bits(2048.0f));
        r = stage_step(s, TSP_OP_CVT, TSP_F32, TSP_F16, r, none, 0);
        lower_output(l, s, r, part[1], 0);
    }
    if (last < 2) return true;
    r = stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, back, from_imm(), tsp_f32_bits(1.0f / 2048.0f));
    r = stage_step(s, TSP_OP_CVT, TSP_F32, TSP_F16, r, none, 0);
    lower_output(l, s, r, part[2], 0);
    return true;
}

bool lower_split(Lowerer *l, int32_t value, int orientation, int32_t part[3], TspError *err) {
    static const char *const suffix[2][3] = {
        {".hi", ".lo", ".hi/2048"}, {".hi.transposed", ".lo.transposed", ".hi/2048.transposed"}};
    const TspValue *v = &l->graph->values[value];
    int32_t(*cached)[3] = &l->split_of[value][orientation], whole = -1;
    if ((*cached)[0] >= 0) return memcpy(part, *cached, sizeof *cached), true;
    if (!v->data && (whole = lower_oriented(l, value, orientation, err)) < 0) return false;
    for (int i = 0; i < 3; i++) {
        part[i] = lower_new_tensor(l, v->name, suffix[orientation][i], TSP_F16,
                                   v->data ? TSP_ROLE_CONSTANT : TSP_ROLE_INTERNAL, v->rank,
                                   v->shape, orientation == TRANSPOSED, err);
        if (part[i] < 0) return false;
        l->module->tensors[part[i]].finite = i == 0;
        if (v->data) {
            uint8_t *data = malloc((size_t)tsp_value_elements(v) * 2);
            if (!data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
            l->module->tensors[part[i]].data = data;
        }
    }
    if (v->data) {
        uint16_t *halves[3];
        for (int64_t i = 0; i < tsp_value_elements(v); i++) {
            float x;
            memcpy(&x, v->data + 4 * i, 4);
            if (x > 65504.0f || x < -65504.0f)
                return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                                "'%s' holds %g, beyond fp16: float32 products are made of fp16 "
                                "halves; scale it to within 65504",
                                v->name, (double)x);
        }
        for (int i = 0; i < 3; i++)
            halves[i] = (uint16_t *)(void *)l->module->tensors[part[i]].data;
        split_on_host(v->data, tsp_value_elements(v), halves);
    } else if (few_slices(&l->module->machine)) {
        for (int i = 0; i < 3; i++)
            if (!split_on_chip(l, whole, part, i, i, err)) return false;
    } else if (!split_on_chip(l, whole, part, 0, 2, err)) {
        return false;
    }
    memcpy(*cached, part, sizeof *cached);
    return true;
}

void lower_row_strides(const TspValue *v, int32_t out_rank, int64_t strides[TSP_MAX_RANK]) {
    int64_t stride = 1;
    int32_t shift = out_rank - v->rank;
    for (int32_t d = out_rank - 2; d >= 0; d--) {
        int64_t extent = d - shift >= 0 ? v->shape[d - shift] : 1;
        strides[d] = extent == 1 ? 0 : stride;
        stride *= extent;
    }
}

int32_t lower_even_rows(const TspValue *y, int32_t count, int64_t (*stride)[TSP_MAX_RANK],
                        int64_t *step, int64_t *run) {
    int32_t inner = y->rank - 2;
    *run = 1;
    for (int32_t i = 0; i < count; i++) step[i] = 1;
    for (; inner >= 0; inner--) {
        bool even = true;
        if (y->shape[inner] == 1) continue;
        for (int32_t i = 0; i < count; i++) even &= *run == 1 || stride[i][inner] == step[i] * *run;
        if (!even) break;
        for (int32_t i = 0; i < count; i++)
            if (*run == 1) step[i] = stride[i][inner];
        *run *= y->shape[inner];
    }
    return inner;
}

int64_t lower_row_at(const TspValue *y, int32_t inner, int64_t i,
                     const int64_t stride[TSP_MAX_RANK]) {
    int64_t row = 0;
    for (int32_t d = inner; d >= 0; d--) {
        row += i % y->shape[d] * stride[d];
        i /= y->shape[d];
    }
    return row;
}
