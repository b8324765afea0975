/* fuse.c - the fuse pass: stages of nodes become stages of the machine, with as few ways through
 * memory, steps and delays as it takes.
 */
#include "fuse.h"
#include "scale.h"

static bool settle_all(Module *m, TspError *err) {
    for (int32_t i = 0; i < m->stage_count; i++) {
        Stage *s = &m->stages[i];
        if (s->chain_rows || s->scan_rows || s->set_rows || s->group) continue;
        const int32_t powers = fuse_powers(s);
        if (!fuse_settle(m, s))
            return tsp_fail(
                err, TSP_ERR_NOT_MODELLED,
                "%s: its steps wait for each other in more than %d ALUs; divide the node",
                m->graph->nodes[s->op].name, (int)MAX_STEPS);
        m->rescales |= fuse_powers(s) < powers;
    }
    fuse_want_copies(m);
    return fuse_make_scaled(m, err);
}

bool tsp_pass_fuse(Module *module, TspError *err) {
    fuse_find_ranges(module);
    if (!fuse_stages(module, err)) return false;
    fuse_scale_tensors(module);
    return settle_all(module, err) && fuse_interleave(module, err);
}
