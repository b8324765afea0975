/* trial.c - the trial pass: stages are scheduled once with memory that is endless and never busy,
 * for the layout to know what is read and written at the same time.
 */
#include "traffic.h"

#include <stdlib.h>

/* What the passes after this one make anew. */
static void forget(Module *module) {
    module->run_count = module->link_count = 0;
    for (int32_t i = 0; i < module->tensor_count; i++) {
        Tensor *t = &module->tensors[i];
        for (int32_t c = 0; t->ready && c < t->ctiles; c++) free(t->ready[c].items);
        free(t->ready);
        t->ready = NULL;
    }
}

void tsp_pass_trial(Module *module) {
    enum { ROOM = 64 };
    const int64_t rows = module->machine.mem_rows;
    TspError ignored;
    if (module->group) return;
    module->trial = true;
    module->machine.mem_rows = rows * ROOM;
    if (tsp_pass_layout(module, &ignored) && tsp_pass_schedule(module, &ignored))
        module->traffic = traffic_new(module, &ignored);
    module->machine.mem_rows = rows;
    module->trial = false;
    forget(module);
}
