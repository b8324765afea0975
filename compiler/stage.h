/* stage.h - how stages and tensors are made, and what passes change in them.
 */
#ifndef TSP_STAGE_H
#define TSP_STAGE_H
#include "ir.h"

/* All that return an index return -1, a pointer NULL, with err set; stages and tensors may move
 * when more are made. */

/* Name and suffix are copied. Rows and columns are those of the shape's last two dimensions and all
 * before them, or with `transposed` of these swapped. */
int32_t stage_new_tensor(Module *m, const char *name, const char *suffix, TspDtype dtype,
                         TspTensorRole role, int32_t rank, const int64_t *shape, bool transposed,
                         TspError *err);
/* A stage of node `op` with a result of rows x cols and nothing in it, the last of all. */
Stage *stage_new(Module *m, int32_t op, const char *what, int32_t rows, int32_t cols,
                 TspError *err);
/* Adds a step, returns its From. */
From stage_step(Stage *s, TspOpcode op, TspDtype type, TspDtype type2, From a, From b,
                uint32_t imm);
/* Adds an operand (or finds the same one), returns its From. */
From stage_operand(Stage *s, int32_t tensor, int32_t row0, int32_t row_step);
void stage_output(const Module *m, Stage *s, From from, int32_t tensor, int32_t row0);
/* Puts a step in front of step `at`; who took results from there on still does. */
void stage_insert_step(Stage *s, int32_t at, Step step);
/* A tensor that streams as activations cannot also be an operand of the same flow: its slice gives
 * one read a cycle. The operand reads a copy, which a stage of node `op` makes. */
int32_t stage_copy(Module *m, int32_t op, int32_t from, TspError *err);

#endif
