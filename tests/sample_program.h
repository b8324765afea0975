/* sample_program.h - a program with something of everything that its file can hold.
 */
#ifndef TSP_TESTS_SAMPLE_PROGRAM_H
#define TSP_TESTS_SAMPLE_PROGRAM_H
#include "isa/program.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

static inline TspMachine tiny(void) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    return m;
}

static inline void *copy(const void *items, size_t size) {
    void *fresh = malloc(size);
    ck_assert_ptr_nonnull(fresh);
    return memcpy(fresh, items, size);
}

enum { OPS = 2, RUNS = 3, LINKS = 2, TENSORS = 6 };

/* Every way to see a tensor: as a matrix, transposed, flat, by whole elements. */
static inline TspTensor *sample_tensors(void) {
    static const uint8_t halves[] = {0, 60, 0, 192, 255, 123, 1, 0, 0, 0, 0, 128};
    static const uint8_t shorts[84] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, bytes[10] = {9, 8, 7};
    const TspPiece a = {
        .rows = 4, .row_step = 1, .cols = 3, .slice = 15, .addr = 1020, .addr_step = 1};
    const TspPiece b[2] = {
        {.rows = 3, .row_step = -1, .row0 = 2, .cols = 2, .slice = 1, .addr = 9, .addr_step = -2},
        {.rows = 1, .cols = 1, .col0 = 1, .byte = 1, .broadcast = 16, .slice = 0}};
    const TspPiece c = {.rows = 3, .col0 = 1, .col_step = 1, .cols = 2, .lane_skip = 1, .slice = 2};
    const TspPiece whole = {.rows = 2,
                            .row0 = 3,
                            .row_step = -2,
                            .col0 = 2,
                            .cols = 4,
                            .byte = TSP_WHOLE,
                            .fill = 14,
                            .slice = 3};
    const TspPiece back = {.rows = 3, .col0 = 6, .col_step = -2, .cols = 4, .slice = 4};
    const TspTensor tensors[TENSORS] = {{.name = strdup("A"),
                                         .dtype = TSP_I8,
                                         .role = TSP_ROLE_INPUT,
                                         .rank = 2,
                                         .shape = {4, 3},
                                         .bounded = true,
                                         .low = -5,
                                         .high = INT32_MAX,
                                         .pad = -7,
                                         .pieces = copy(&a, sizeof a),
                                         .piece_count = 1},
                                        {.name = strdup("B"),
                                         .dtype = TSP_F16,
                                         .role = TSP_ROLE_CONSTANT,
                                         .rank = 2,
                                         .shape = {2, 3},
                                         .transposed = true,
                                         .pieces = copy(b, sizeof b),
                                         .piece_count = 2,
                                         .data = copy(halves, sizeof halves)},
                                        {.name = strdup("C"),
                                         .dtype = TSP_F32,
                                         .role = TSP_ROLE_OUTPUT,
                                         .rank = 2,
                                         .shape = {2, 3},
                                         .flat = true,
                                         .finite = true,
                                         .pieces = copy(&c, sizeof c),
                                         .piece_count = 1},
                                        {.name = strdup(""),
                                         .dtype = TSP_BOOL,
                                         .role = TSP_ROLE_INTERNAL,
                                         .rank = 8,
                                         .shape = {1, 1, 0, 5, 1, 1, 1, 1}},
                                        {.name = strdup("whole"),
                                         .dtype = TSP_I16,
                                         .role = TSP_ROLE_CONSTANT,
                                         .rank = 2,
                                         .shape = {6, 7},
                                         .pad = INT32_MIN,
                                         .pieces = copy(&whole, sizeof whole),
                                         .piece_count = 1,
                                         .data = copy(shorts, sizeof shorts)},
                                        {.name = strdup("back"),
                                         .dtype = TSP_U8,
                                         .role = TSP_ROLE_CONSTANT,
                                         .rank = 1,
                                         .shape = {10},
                                         .flat = true,
                                         .pieces = copy(&back, sizeof back),
                                         .piece_count = 1,
                                         .data = copy(bytes, sizeof bytes)}};
    return copy(tensors, sizeof tensors);
}

/* A program with something of everything; it need not make sense to the chip. */
static inline TspProgram sample(void) {
    const TspOpInfo ops[OPS] = {{strdup("first"), strdup("MatMulInteger"), 12, 0, 400, 300},
                                {strdup("second \xc3\xa9"), NULL, 0, -1, -1, 0}};
    const TspRun runs[RUNS] = {{0, 0, 7, 2}, {-1, 60, 1, -1}, {1, 15, 2147483647, 0}};
    const TspLink links[LINKS] = {{2, 0, 0, -5}, {0, 3, 1, 2147483647}};
    const TspInsnDebug debug = {.run = {0, 2}, .first = {3, 4}, .line = 77};
    TspMachine m = tiny();
    TspProgram p;
    tsp_program_init(&p, &m);
    p.name = strdup("sample");
    p.source = strdup("programs/sample.json");
    p.ops = copy(ops, sizeof ops), p.op_count = OPS;
    p.runs = copy(runs, sizeof runs), p.run_count = RUNS;
    p.links = copy(links, sizeof links), p.link_count = LINKS;
    p.tensors = sample_tensors(), p.tensor_count = TENSORS;
    p.predicted_cycles = 411;
    p.bound_cycles = 300;
    p.bound_by = strdup("MXM");
    p.macs = INT64_C(1) << 50;
    ck_assert(tsp_queue_push(&p.queues[0], (TspWord){0x0501, 0}, NULL));
    ck_assert(tsp_queue_push(&p.queues[0], (TspWord){0x10, 0}, &debug));
    ck_assert(tsp_queue_push(&p.queues[0], (TspWord){0x02, UINT64_C(1) << 63}, NULL));
    ck_assert(tsp_queue_push(&p.queues[tsp_queue_count(&m) - 1], (TspWord){0x04, 0}, NULL));
    return p;
}

#endif
