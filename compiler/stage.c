/* stage.c - how stages and tensors are made.
 */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool set_matrix(Tensor *t, TspError *err) {
    int64_t rows = 1, cols = 1;
    for (int32_t i = 0; i < t->rank; i++) *(i == t->rank - 1 ? &cols : &rows) *= t->shape[i];
    if (t->transposed && t->rank >= 2) {
        int64_t last = cols;
        cols = t->shape[t->rank - 2];
        rows = rows / cols * last;
    } else if (t->transposed && t->rank == 1) {
        rows = cols;
        cols = 1;
    }
    if (rows > INT32_MAX / 8 || cols > INT32_MAX / 8)
        return tsp_fail(err, TSP_ERR_INPUT, "tensor '%s' is too large for any chip: %lld x %lld",
                        t->name, (long long)rows, (long long)cols);
    t->rows = (int32_t)rows;
    t->cols = (int32_t)cols;
    return true;
}

int32_t stage_new_tensor(Module *m, const char *name, const char *suffix, TspDtype dtype,
                         TspTensorRole role, int32_t rank, const int64_t *shape, bool transposed,
                         TspError *err) {
    Tensor *t;
    if (!tsp_grow((void **)&m->tensors, &m->tensor_capacity, m->tensor_count + 1, sizeof *t, err))
        return -1;
    t = &m->tensors[m->tensor_count];
    *t = (Tensor){.dtype = dtype, .role = role, .rank = rank, .transposed = transposed};
    if (rank > 0) memcpy(t->shape, shape, (size_t)rank * sizeof *shape);
    t->name = malloc(strlen(name) + strlen(suffix) + 1);
    if (!t->name) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    sprintf(t->name, "%s%s", name, suffix);
    if (!set_matrix(t, err)) return free(t->name), -1;
    t->bytes = tsp_dtype_bytes(dtype);
    t->ctiles = tsp_ceil_div(t->cols, tsp_lanes(&m->machine));
    return m->tensor_count++;
}

Stage *stage_new(Module *m, int32_t op, const char *what, int32_t rows, int32_t cols,
                 TspError *err) {
    if (!tsp_grow((void **)&m->stages, &m->stage_capacity, m->stage_count + 1, sizeof(Stage), err))
        return NULL;
    m->stages[m->stage_count] =
        (Stage){.op = op, .what = what, .rows = rows, .cols = cols, .last = -1, .addresses = -1};
    return &m->stages[m->stage_count++];
}

From stage_step(Stage *s, TspOpcode op, TspDtype type, TspDtype type2, From a, From b,
                uint32_t imm) {
    s->steps[s->step_count] = (Step){op, type, type2, a, b, imm, s->op};
    return (From){FROM_STEP, s->step_count++};
}

From stage_operand(Stage *s, int32_t tensor, int32_t row0, int32_t row_step) {
    for (int32_t i = 0; i < s->operand_count; i++)
        if (s->operands[i].tensor == tensor && s->operands[i].row0 == row0 &&
            s->operands[i].row_step == row_step)
            return (From){FROM_OPERAND, i};
    s->operands[s->operand_count] = (Operand){.tensor = tensor, .row0 = row0, .row_step = row_step};
    return (From){FROM_OPERAND, s->operand_count++};
}

void stage_output(const Module *m, Stage *s, From from, int32_t tensor, int32_t row0) {
    s->outputs[s->output_count++] = (Output){from, tensor, row0, 0, 0, 0, m->tensors[tensor].bytes};
}

static void move_index(From *from, int32_t at) {
    if (from->kind == FROM_STEP && from->index >= at) from->index++;
}

void stage_insert_step(Stage *s, int32_t at, Step step) {
    memmove(&s->steps[at + 1], &s->steps[at], (size_t)(s->step_count - at) * sizeof step);
    s->steps[at] = step;
    s->step_count++;
    for (int32_t i = at + 1; i < s->step_count; i++) {
        move_index(&s->steps[i].a, at);
        move_index(&s->steps[i].b, at);
    }
    for (int32_t i = 0; i < s->output_count; i++) move_index(&s->outputs[i].from, at);
}

int32_t stage_copy(Module *m, int32_t op, int32_t from, TspError *err) {
    Tensor x = m->tensors[from];
    int32_t to = stage_new_tensor(m, x.name, ".copy", x.dtype, TSP_ROLE_INTERNAL, x.rank, x.shape,
                                  x.transposed, err);
    Stage *s = to < 0 ? NULL : stage_new(m, op, "copy", x.rows, x.cols, err);
    if (!s) return -1;
    m->tensors[from].contiguous = m->tensors[to].contiguous = true;
    stage_output(
        m, s,
        stage_step(s, TSP_OP_PASS, x.dtype, x.dtype, stage_operand(s, from, 0, 1), from_none(), 0),
        to, 0);
    return to;
}
