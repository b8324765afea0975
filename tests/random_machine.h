/* random_machine.h - machines of other timings, for tests that draw programs at random.
 */
#ifndef TSP_TESTS_RANDOM_MACHINE_H
#define TSP_TESTS_RANDOM_MACHINE_H
#include "isa/machine.h"
#include "seeded.h"

/* Other timings than those of the built-in machines, now and then; physical ones, so that what
 * crosses superlanes has the time to. */
static inline void vary_timings(TspMachine *m) {
    int32_t stagger = (int32_t)m->superlanes - 1;
    m->vxm_neighbour_only = one_in(20);
    if (one_in(20)) m->mxm_accumulator_rows = pick(0, 8);
    if (!one_in(4)) return;
    m->vxm_entry_cycles = pick(0, 5);
    m->vxm_op_cycles = pick(1, 4);
    m->vxm_exit_cycles = pick(0, 2);
    m->mem_read_cycles = pick(1, 5);
    m->mem_write_cycles = pick(1, 8);
    m->mem_indirect_cycles = pick(0, 5);
    m->sxm_transpose_cycles = pick(1, 6);
    m->sxm_distribute_cycles = pick(1, 4);
    m->sxm_rotate_cycles = pick(1, 6);
    m->sxm_select_cycles = pick(1, 3);
    m->sxm_shift_cycles = pick(1, 3);
    m->sxm_shift_cross_cycles = stagger + pick(1, 20);
    m->sxm_shift_far_cycles = pick(1, 3);
    m->sxm_permute_op_cycles = stagger + pick(1, 40);
    m->mxm_load_cycles = pick(1, 8);
    m->mxm_install_cycles = pick(1, 8);
    m->mxm_fp16_cycles = pick(1, 4);
    m->mxm_entry_cycles = pick(0, 9);
    m->mxm_product_cycles = stagger + pick(1, 10);
    m->barrier_cycles = pick(1, 40);
    m->config_cycles = pick(1, 5);
    m->ifetch_cycles = stagger + pick(1, 5);
}

#endif
