/* module.c - storage of what the passes hand to each other.
 */
#include "ir.h"
#include "compiler/schedule/traffic.h"

#include <stdlib.h>

int32_t tsp_flat_run(const TspMachine *m, int32_t rows) {
    enum { SHORTEST = 16 };
    int32_t run = tsp_ceil_div(rows, m->vxm_alus);
    return run < SHORTEST ? SHORTEST : run;
}

void tsp_module_free(Module *module) {
    for (int32_t i = 0; i < module->tensor_count; i++) {
        Tensor *t = &module->tensors[i];
        for (int32_t c = 0; t->ready && c < t->ctiles; c++) free(t->ready[c].items);
        free(t->ready);
        free(t->name);
        free(t->data);
        free(t->places);
        free(t->stripes);
        free(t->pieces);
    }
    for (int32_t i = 0; i < module->stage_count; i++) free(module->stages[i].terms);
    free(module->tensors);
    free(module->stages);
    free(module->runs);
    free(module->links);
    traffic_free(module->traffic);
    free(module->group);
    free(module->op_bound);
}
