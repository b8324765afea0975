/* report_memory.c - what a program's tensors take of the chip's memory. */
#include "cli.h"

#include <stdlib.h>

/* Marks the rows of a tensor; how many of them nobody had, and how many somebody had. Rows outside
 * the machine are for the simulator to refuse. */
static void add_tensor(const TspProgram *p, const TspTensor *t, uint8_t *taken, int64_t *fresh,
                       int64_t *again) {
    const int64_t slice_rows = tsp_mem_slice_rows(&p->machine);
    for (int32_t k = 0; k < t->piece_count; k++) {
        const TspPiece *piece = &t->pieces[k];
        if (piece->slice < 0 || piece->slice >= 2 * p->machine.mem_slices) continue;
        for (int64_t i = 0; i < piece->rows; i++) {
            const int64_t addr = piece->addr + i * piece->addr_step;
            uint8_t *row = &taken[piece->slice * slice_rows + addr];
            if (addr < 0 || addr >= slice_rows) continue;
            *(*row ? again : fresh) += 1;
            *row = 1;
        }
    }
}

bool cli_memory_use(const TspProgram *p, CliMemory *use) {
    const int64_t rows = 2 * p->machine.mem_slices * tsp_mem_slice_rows(&p->machine);
    const int64_t row_bytes = tsp_lanes(&p->machine);
    int64_t constants = 0, others = 0, again = 0;
    uint8_t *taken = calloc((size_t)rows, 1);
    if (!taken) return false;
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == TSP_ROLE_CONSTANT)
            add_tensor(p, &p->tensors[i], taken, &constants, &again);
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role != TSP_ROLE_CONSTANT)
            add_tensor(p, &p->tensors[i], taken, &others, &again);
    free(taken);
    *use = (CliMemory){.capacity_bytes = rows * row_bytes,
                       .peak_bytes = (constants + others) * row_bytes,
                       .constants_bytes = constants * row_bytes,
                       .reused_bytes = again * row_bytes};
    return true;
}
