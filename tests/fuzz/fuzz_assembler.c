/* fuzz_assembler.c - feeds the assembler; what it takes comes out of the disassembler as text that
 * assembles to the same words and tensors, and that text is the disassembler's own again. */
#include "isa/asm.h"
#include "fuzz.h"

static void check_same(const TspProgram *p, const TspProgram *q) {
    for (int32_t i = 0; i < TSP_MAX_QUEUES; i++) {
        size_t size = sizeof *p->queues[i].words;
        FUZZ_CHECK(p->queues[i].count == q->queues[i].count);
        FUZZ_CHECK(!p->queues[i].count || memcmp(p->queues[i].words, q->queues[i].words,
                                                 (size_t)p->queues[i].count * size) == 0);
    }
    FUZZ_CHECK(p->tensor_count == q->tensor_count);
    FUZZ_CHECK(p->predicted_cycles == q->predicted_cycles);
    for (int32_t i = 0; i < p->tensor_count; i++) {
        const TspTensor *a = &p->tensors[i], *b = &q->tensors[i];
        FUZZ_CHECK(strcmp(a->name, b->name) == 0);
        FUZZ_CHECK(a->dtype == b->dtype && a->role == b->role && a->rank == b->rank);
        FUZZ_CHECK(memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0);
        FUZZ_CHECK(a->piece_count == b->piece_count && a->transposed == b->transposed &&
                   a->flat == b->flat);
        FUZZ_CHECK(!a->piece_count ||
                   memcmp(a->pieces, b->pieces, (size_t)a->piece_count * sizeof *a->pieces) == 0);
        FUZZ_CHECK(!a->data == !b->data);
        FUZZ_CHECK(!a->data || memcmp(a->data, b->data, (size_t)tsp_tensor_bytes(a)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    enum { MOST_BYTES = 1 << 13 };
    TspMachine m;
    TspProgram p, again;
    TspError err = {0};
    if (length > MOST_BYTES) return 0;
    tsp_machine_builtin(&m, "tiny");
    if (!tsp_assemble(&p, &m, (const char *)bytes, length, "fuzz.s", &err)) {
        fuzz_check_error(&err);
        return 0;
    }
    char *text = tsp_disassemble(&p, &err);
    FUZZ_CHECK(text != NULL);
    bool ok = tsp_assemble(&again, &m, text, strlen(text), "again.s", &err);
    if (!ok) fprintf(stderr, "%s\n%s\n", err.text, text);
    FUZZ_CHECK(ok);
    check_same(&p, &again);
    char *text_again = tsp_disassemble(&again, &err);
    FUZZ_CHECK(text_again != NULL && strcmp(text, text_again) == 0);
    free(text);
    free(text_again);
    tsp_program_free(&p);
    tsp_program_free(&again);
    return 0;
}
