/* test_disasm.c - assembling a disassembly gives the same program. */
#include "asm_text.h"
#include "seeded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    char *text = malloc(1 << 20);
    if (!file || !text) ck_abort_msg("cannot read %s", path);
    *length = fread(text, 1, 1 << 20, file);
    fclose(file);
    return text;
}

/* ---- assembling a disassembly ---- */

static const char *const programs[] = {
    "programs/vecadd.s",         "programs/barrier.s",     "programs/weights.s",
    "programs/figures/ifetch.s", "programs/figures/sxm.s",
};
enum { PROGRAM_COUNT = sizeof programs / sizeof programs[0] };

START_TEST(programs_are_fixpoints) {
    TspMachine m = machine("tsp1");
    TspProgram p;
    TspError err;
    size_t length;
    char *text = read_file(programs[_i], &length);
    if (!tsp_assemble(&p, &m, text, length, programs[_i], &err)) ck_abort_msg("%s", err.text);
    check_fixpoint(&p);
    tsp_program_free(&p);
    free(text);
}
END_TEST

static int32_t random_value(const TspField *f) {
    int bits = f->hi - f->lo + 1;
    switch (f->kind) {
    case TSP_KIND_TYPE:
        return random_below(6);
    case TSP_KIND_DST:
        return random_below(3) ? random_below(64) : TSP_DST_NONE;
    case TSP_KIND_SRC:
        return random_below(2) ? random_below(64) : TSP_SRC(1 + random_below(3), random_below(16));
    case TSP_KIND_IMM:
        return random_below(2) ? (int32_t)random_bits() : random_below(70000) - 35000;
    case TSP_KIND_SINT:
        return random_below(2) ? 0 : random_below(1 << bits) - (1 << (bits - 1));
    case TSP_KIND_FLAG:
        return random_below(2);
    default:
        return random_below(3) ? random_below(1 << (bits < 5 ? bits : 5)) : random_below(1 << bits);
    }
}

/* A random instruction that is legal in the queue. */
static TspInsn random_insn(const TspMachine *m, int32_t q, bool may_repeat) {
    for (;;) {
        TspInsn i = {.op = (TspOpcode)random_below(TSP_OP_COUNT)};
        const TspInsnInfo *info = tsp_insn_info(i.op);
        TspError err;
        if (i.op == TSP_OP_REPEAT && !may_repeat) continue;
        for (int32_t k = 0; k < info->field_count; k++) {
            const TspField *f = &info->fields[k];
            if (f->kind == TSP_KIND_RESERVED) continue;
            *(int32_t *)(void *)((char *)&i + f->offset) = random_value(f);
        }
        if (tsp_insn_validate(m, &i, q, &err)) return i;
    }
}

static void random_queue(TspProgram *p, int32_t q) {
    int32_t count = random_below(30);
    bool may_repeat = false;
    for (int32_t k = 0; k < count; k++) {
        TspInsn i = random_insn(&p->machine, q, may_repeat);
        TspInsnDebug debug = {.run = {-1, -1}};
        TspWord word;
        TspError err;
        ck_assert(tsp_encode(&i, &word, &err));
        may_repeat = i.op != TSP_OP_NOP && i.op != TSP_OP_REPEAT && i.op != TSP_OP_SYNC;
        if (may_repeat || i.op == TSP_OP_SYNC) debug.run[0] = random_below(p->run_count + 1) - 1;
        ck_assert(tsp_queue_push(&p->queues[q], word, &debug));
    }
}

static void random_tensor(const TspMachine *m, TspTensor *t, int32_t number) {
    static const char *const names[] = {
        "plain", "with space", "q\"uo\\te", "\xc3\xa9/{0}; //", "tab\tnew\nline", ""};
    char name[64];
    int64_t rows, cols;
    snprintf(name, sizeof name, "%s%d", names[random_below(6)], (int)number);
    *t = (TspTensor){.name = strdup(name),
                     .dtype = (TspDtype)random_below(TSP_DTYPE_COUNT),
                     .role = (TspTensorRole)random_below(4),
                     .rank = random_below(5),
                     .transposed = random_below(2)};
    t->flat = !t->transposed && random_below(2);
    for (int32_t i = 0; i < t->rank; i++) t->shape[i] = 1 + random_below(6);
    tsp_tensor_matrix(t, &rows, &cols);
    t->piece_count = random_below(4);
    t->pieces = calloc((size_t)t->piece_count + 1, sizeof *t->pieces);
    for (int32_t i = 0; i < t->piece_count; i++) {
        TspPiece *piece = &t->pieces[i];
        *piece = (TspPiece){.row0 = random_below((int32_t)rows),
                            .row_step = random_below(5) - 2,
                            .rows = 1,
                            .col0 = random_below((int32_t)cols),
                            .cols = 1,
                            .byte = random_below(tsp_dtype_bytes(t->dtype)),
                            .broadcast = random_below(3) ? 0 : 1 + random_below(tsp_lanes(m)),
                            .slice = random_below(2 * (int32_t)m->mem_slices),
                            .addr = 100 + random_below(100),
                            .addr_step = random_below(5) - 2};
        while (piece->rows < 6 && random_below(4) &&
               piece->row0 + piece->rows * piece->row_step >= 0 &&
               piece->row0 + piece->rows * piece->row_step < rows)
            piece->rows++;
        int32_t fit =
            (int32_t)cols - piece->col0 < tsp_lanes(m) ? (int32_t)cols - piece->col0 : tsp_lanes(m);
        if (!piece->broadcast) piece->cols += random_below(fit);
        if (piece->cols > 1)
            piece->lane_skip = random_below(((int32_t)cols - piece->col0 - 1) / (piece->cols - 1));
        if (piece->rows > 1)
            piece->col_step =
                random_below((int32_t)cols - piece->col0 - (int32_t)tsp_piece_span(piece) + 1) /
                (piece->rows - 1);
    }
    if (t->role != TSP_ROLE_CONSTANT) return;
    t->data = calloc((size_t)tsp_tensor_bytes(t) + 1, 1);
    for (int64_t i = 0; i < tsp_tensor_bytes(t); i++)
        t->data[i] = (uint8_t)(t->dtype == TSP_BOOL ? random_below(2) : random_below(256));
}

static TspProgram random_program(void) {
    static const char *const op_names[] = {"conv", "a b", "conv"};
    TspMachine m = machine(random_below(2) ? "tsp1" : "tiny");
    TspProgram p;
    if (!random_below(3)) {
        m.vxm_op_cycles = 1 + random_below(9);
        memset(m.name, 0, sizeof m.name);
        memcpy(m.name, "changed", 8);
    }
    tsp_program_init(&p, &m);
    if (random_below(2)) p.name = strdup(random_below(2) ? "word" : "1 \"odd\" name; //");
    p.op_count = 3;
    p.ops = calloc(3, sizeof *p.ops);
    for (int32_t i = 0; i < 3; i++)
        p.ops[i] = (TspOpInfo){.name = strdup(op_names[i]), .type = strdup(i == 1 ? "T" : "")};
    p.run_count = 5;
    p.runs = calloc(5, sizeof *p.runs);
    for (int32_t i = 0; i < 5; i++) p.runs[i] = (TspRun){random_below(4) - 1, 0, 1, -1};
    p.tensor_count = random_below(5);
    p.tensors = calloc(5, sizeof *p.tensors);
    for (int32_t i = 0; i < p.tensor_count; i++) random_tensor(&m, &p.tensors[i], i);
    for (int32_t q = 0; q < tsp_queue_count(&m); q++)
        if (!random_below(3)) random_queue(&p, q);
    return p;
}

START_TEST(random_programs_are_fixpoints) {
    random_start();
    for (int32_t k = 0; k < 100; k++) {
        TspProgram p = random_program();
        check_fixpoint(&p);
        tsp_program_free(&p);
    }
}
END_TEST

/* Broken text must be refused or assembled, never more than that; and what is assembled must
 * disassemble. */
START_TEST(mutated_text_does_no_harm) {
    TspMachine m = machine("tsp1");
    size_t length;
    char *text = read_file(programs[_i], &length), *copy = malloc(length);
    static const char bits[] = " \n\"#.,:;@+-*/%(){}[]=0123456789abcdefnrstwx_\t\\";
    int32_t refused = 0;
    random_start();
    for (int32_t round = 0; round < 300; round++) {
        TspProgram p;
        TspError err;
        memcpy(copy, text, length);
        for (int32_t k = 1 + random_below(4); k > 0; k--) {
            size_t from = (size_t)random_below((int32_t)length),
                   to = (size_t)random_below((int32_t)length);
            size_t bytes = (size_t)random_below(12);
            if (random_below(2))
                copy[from] = bits[random_below((int32_t)sizeof bits - 1)];
            else if (from + bytes <= length && to + bytes <= length)
                memmove(copy + to, copy + from, bytes);
        }
        if (tsp_assemble(&p, &m, copy, length, "m.s", &err)) {
            check_fixpoint(&p);
            tsp_program_free(&p);
            continue;
        }
        refused++;
        ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
        ck_assert_int_eq(strncmp(err.text, "m.s:", 4), 0);
    }
    ck_assert_int_gt(refused, 20);
    free(copy);
    free(text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("disasm");
    TCase *tests = tcase_create("disasm");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, programs_are_fixpoints, 0, PROGRAM_COUNT);
    tcase_add_test(tests, random_programs_are_fixpoints);
    tcase_add_loop_test(tests, mutated_text_does_no_harm, 0, PROGRAM_COUNT);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
