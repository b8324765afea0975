/* asm.h - assembler and disassembler. The language is described in docs/assembler.md.
 */
#ifndef TSP_ASM_H
#define TSP_ASM_H
#include "program.h"

/* Assembles text into *p (initialised by the call; on failure it needs no freeing). Errors are
 * file:line:col: what is wrong; what to do. .machine in the text overrides `machine`. */
bool tsp_assemble(TspProgram *p, const TspMachine *machine, const char *text, size_t length,
                  const char *path, TspError *err);
/* The program as assembly text that assembles to the same queues and tensors; the caller frees. */
char *tsp_disassemble(const TspProgram *p, TspError *err);
/* One instruction as text without newline, e.g. "read 0x0010, s4.e"; for messages and viewers. */
void tsp_insn_text(const TspMachine *m, const TspInsn *insn, char *text, size_t size);

#endif
