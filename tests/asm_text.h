/* asm_text.h - programs assembled from text, for tests.
 */
#ifndef TSP_TESTS_ASM_TEXT_H
#define TSP_TESTS_ASM_TEXT_H
#include "isa/asm.h"

#include "suite.h"
#include <string.h>

static inline TspMachine machine(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

static inline TspProgram assemble(const char *text) {
    TspMachine m = machine("tsp1");
    TspProgram p;
    TspError err;
    if (!tsp_assemble(&p, &m, text, strlen(text), "t.s", &err)) ck_abort_msg("%s", err.text);
    return p;
}

static inline void same_program(const TspProgram *a, const TspProgram *b) {
    char *x = tsp_machine_json(&a->machine, false), *y = tsp_machine_json(&b->machine, false);
    ck_assert_str_eq(x, y);
    free(x);
    free(y);
    ck_assert_pstr_eq(a->name, b->name);
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++) {
        ck_assert_int_eq(a->queues[q].count, b->queues[q].count);
        if (a->queues[q].count)
            ck_assert_mem_eq(a->queues[q].words, b->queues[q].words,
                             (size_t)a->queues[q].count * sizeof(TspWord));
    }
    ck_assert_int_eq(a->tensor_count, b->tensor_count);
    for (int32_t i = 0; i < a->tensor_count; i++) {
        const TspTensor *s = &a->tensors[i], *t = &b->tensors[i];
        ck_assert_str_eq(s->name, t->name);
        ck_assert_int_eq(s->dtype, t->dtype);
        ck_assert_int_eq(s->role, t->role);
        ck_assert_int_eq(s->rank, t->rank);
        ck_assert_int_eq(s->transposed, t->transposed);
        ck_assert_int_eq(s->flat, t->flat);
        ck_assert_mem_eq(s->shape, t->shape, sizeof s->shape);
        ck_assert_int_eq(s->piece_count, t->piece_count);
        for (int32_t k = 0; k < s->piece_count; k++)
            ck_assert_mem_eq(&s->pieces[k], &t->pieces[k], sizeof(TspPiece));
        ck_assert_int_eq(s->data != NULL, t->data != NULL);
        if (s->data) ck_assert_mem_eq(s->data, t->data, (size_t)tsp_tensor_bytes(s));
    }
}

/* asm(disasm(p)) is p, and disasm of that is the same text. */
static inline void check_fixpoint(const TspProgram *p) {
    TspMachine other = machine("tiny"); /* the text itself says what machine it is for */
    TspError err;
    TspProgram again;
    char *text = tsp_disassemble(p, &err), *text_again;
    if (!text) ck_abort_msg("%s", err.text);
    if (!tsp_assemble(&again, &other, text, strlen(text), "d.s", &err))
        ck_abort_msg("%s", err.text);
    text_again = tsp_disassemble(&again, &err);
    ck_assert_ptr_nonnull(text_again);
    ck_assert_str_eq(text, text_again);
    same_program(p, &again);
    tsp_program_free(&again);
    free(text_again);
    free(text);
}

#endif
