/* offence.c - the wording of what stops a run, the same for both engines. */
#include "engine.h"
#include "isa/asm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DETAIL_SIZE = 320, INSN_SIZE = 128, OP_SIZE = 128 };

/* "read 0x0000, s4.e: ", or nothing for a word that is no instruction. */
static void insn_text(const TspProgram *p, int32_t queue, int32_t index, char text[INSN_SIZE]) {
    TspInsn insn;
    TspError ignored;
    text[0] = 0;
    if (!tsp_decode(p->queues[queue].words[index], &insn, &ignored) ||
        !tsp_insn_validate(&p->machine, &insn, queue, &ignored))
        return;
    tsp_insn_text(&p->machine, &insn, text, INSN_SIZE - 2);
    strcat(text, ": ");
}

/* The op that an instruction, or else its write half, works for; NULL if none. */
static const TspOpInfo *op_of(const TspProgram *p, int32_t queue, int32_t index) {
    const TspQueue *q = &p->queues[queue];
    for (int32_t half = 0; half < 2 && q->debug; half++) {
        int32_t run = q->debug[index].run[half], op;
        if (run < 0 || run >= p->run_count) continue;
        op = p->runs[run].op;
        if (op >= 0 && op < p->op_count) return &p->ops[op];
    }
    return NULL;
}

static void op_text(const TspProgram *p, int32_t queue, int32_t index, char text[OP_SIZE]) {
    const TspOpInfo *op = op_of(p, queue, index);
    text[0] = 0;
    if (op)
        snprintf(text, OP_SIZE, " (op %.80s, graph line %d)", op->name ? op->name : "?",
                 (int)op->line);
}

bool engine_offence(const TspProgram *p, TspError *err, TspRule rule, int64_t cycle, int32_t queue,
                    int32_t index, const char *format, ...) {
    char name[32], detail[DETAIL_SIZE], insn[INSN_SIZE], op[OP_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    insn_text(p, queue, index, insn);
    op_text(p, queue, index, op);
    tsp_queue_name(&p->machine, queue, name);
    return tsp_fail_rule(err, rule, cycle, queue, name, index, "%s%s%s", insn, detail, op);
}

bool engine_double_bit(const TspProgram *p, TspError *err, int64_t cycle, int32_t queue,
                       int32_t index, const char *where) {
    char name[32], insn[INSN_SIZE], op[OP_SIZE];
    insn_text(p, queue, index, insn);
    op_text(p, queue, index, op);
    tsp_queue_name(&p->machine, queue, name);
    return tsp_fail_at(err, TSP_ERR_FAULT, cycle, queue, name, index,
                       "machine fault: two wrong bits in a word of %s; %sno result can be trusted, "
                       "run again%s",
                       where, insn, op);
}

bool engine_not_modelled(const TspProgram *p, TspError *err, int64_t cycle, int32_t queue,
                         int32_t index) {
    char name[32];
    TspInsn insn = {0};
    TspError ignored;
    (void)tsp_decode(p->queues[queue].words[index], &insn, &ignored);
    tsp_queue_name(&p->machine, queue, name);
    return tsp_fail_at(err, TSP_ERR_NOT_MODELLED, cycle, queue, name, index,
                       "%s is not modelled; see docs/isa.md for what is",
                       tsp_insn_info(insn.op)->mnemonic);
}
