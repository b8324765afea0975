/* asm_fetch.c - `.text`: what the Ifetches of a queue bring, as a tensor in memory.
 *
 * How much text a queue has is known only when all of it is placed. The directive makes a tensor
 * without rows, which holds the name; asm_fetch_fill() gives it rows, a place and contents.
 */
#include "asm_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = sizeof(TspWord) };

static bool read_queue(Asm *a, AsmCursor *c, AsmText *text) {
    char word[ASM_WORD_SIZE];
    asm_space(c);
    const char *where = c->at;
    text->queue = asm_word(c, true, word) ? tsp_queue_find(&a->p->machine, word) : -1;
    return text->queue >= 0 ||
           asm_fail(c, where, "%s has no such queue; write .text vxm.0 @ mem.w0:0",
                    a->p->machine.name);
}

static bool read_text(Asm *a, AsmCursor *c, AsmText *text, TspTensor *t) {
    char queue[32], name[ASM_WORD_SIZE];
    asm_space(c);
    const char *where = c->at;
    if (!read_queue(a, c, text)) return false;
    tsp_queue_name(&a->p->machine, text->queue, queue);
    snprintf(name, sizeof name, "text:%s", queue);
    if (!asm_name_is_new(a, c, where, name)) return false;
    t->name = strdup(name);
    if (!t->name) return asm_no_memory(a);
    return asm_add_name(a, ASM_NAME_TENSOR, text->tensor) && asm_need(c, '@') &&
           asm_slice_address(a, c, &text->slice, &text->addr);
}

bool asm_fetch_text(Asm *a, AsmCursor *c) {
    AsmText *texts;
    TspTensor *t = asm_new_tensor(a, c);
    if (!t) return false;
    texts = asm_grow(a->texts, a->text_count, sizeof *texts);
    if (!texts) return asm_no_memory(a);
    a->texts = texts;
    *t = (TspTensor){.dtype = TSP_U8,
                     .role = TSP_ROLE_CONSTANT,
                     .rank = 2,
                     .shape = {0, tsp_lanes(&a->p->machine)}};
    texts[a->text_count] = (AsmText){.tensor = a->p->tensor_count - 1, .line = c->line};
    return read_text(a, c, &texts[a->text_count++], t);
}

bool asm_fetch_is_text(const Asm *a, int32_t tensor) {
    return a->text_count && a->texts[a->text_count - 1].tensor == tensor;
}

/* Fails at the directive: what the queue has that it should not. */
static bool fail_text(const Asm *a, const AsmText *text, const char *what) {
    char queue[32];
    tsp_queue_name(&a->p->machine, text->queue, queue);
    return tsp_fail(a->err, TSP_ERR_INPUT, "%.200s:%d:1: %s %s", a->path, (int)text->line, queue,
                    what);
}

/* The vectors of one Ifetch after the other; what no word fills stays zero. */
static void write_text(const TspMachine *m, const TspQueue *q, uint8_t *data) {
    const int64_t lanes = tsp_lanes(m), vectors = tsp_ifetch_vectors(m);
    for (int64_t at = m->ifetch_queue_bytes; at < (int64_t)q->count * WORD_BYTES; at++) {
        int64_t beyond = at - m->ifetch_queue_bytes;
        int64_t fetch = beyond / m->ifetch_bytes, byte = beyond % m->ifetch_bytes;
        const TspWord *word = &q->words[at / WORD_BYTES];
        int64_t shift = 8 * (at % (WORD_BYTES / 2));
        data[fetch * vectors * lanes + byte] =
            (uint8_t)((at % WORD_BYTES < WORD_BYTES / 2 ? word->lo : word->hi) >> shift);
    }
}

static bool fill(Asm *a, const AsmText *text) {
    const TspMachine *m = &a->p->machine;
    const TspQueue *q = &a->p->queues[text->queue];
    TspTensor *t = &a->p->tensors[text->tensor];
    int64_t beyond = (int64_t)q->count * WORD_BYTES - m->ifetch_queue_bytes;
    int64_t rows, fits = tsp_mem_slice_rows(m) - text->addr;
    char what[160];
    if (beyond <= 0) {
        snprintf(what, sizeof what,
                 "has %d words, all there in cycle 0 (%lld fit); it needs no .text, remove it",
                 (int)q->count, (long long)m->ifetch_queue_bytes / WORD_BYTES);
        return fail_text(a, text, what);
    }
    rows = (beyond + m->ifetch_bytes - 1) / m->ifetch_bytes * tsp_ifetch_vectors(m);
    if (rows > fits) {
        snprintf(what, sizeof what,
                 "has %lld vectors of text to fetch and from row %d on the slice holds %lld; "
                 "choose another address",
                 (long long)rows, (int)text->addr, (long long)fits);
        return fail_text(a, text, what);
    }
    t->shape[0] = rows;
    t->data = calloc((size_t)tsp_tensor_bytes(t), 1);
    t->pieces = malloc(sizeof *t->pieces);
    if (!t->data || !t->pieces) return asm_no_memory(a);
    t->pieces[t->piece_count++] = (TspPiece){.row_step = 1,
                                             .rows = (int32_t)rows,
                                             .cols = tsp_lanes(m),
                                             .slice = text->slice,
                                             .addr = text->addr,
                                             .addr_step = 1};
    write_text(m, q, t->data);
    return true;
}

bool asm_fetch_fill(Asm *a) {
    for (int32_t i = 0; i < a->text_count; i++)
        if (!fill(a, &a->texts[i])) return false;
    return true;
}
