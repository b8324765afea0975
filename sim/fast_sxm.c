/* sxm.c - SXM: the transposers. */
#include "stream.h"

bool sim_transpose(TspSim *sim, const Issue *issue, TspError *err) {
    int32_t side = (int32_t)sim->m->lanes_per_superlane, in[16];
    if (!sim_stream_sample(sim, issue, issue->insn->src, side, in, err)) return false;
    for (int32_t i = 0; i < side; i++) {
        int32_t vec = sim_vec_new(sim);
        uint8_t *out = sim_vec(sim, vec);
        Event *drive = sim_event_add(sim, EVENT_DRIVE, sim->func[TSP_OP_TRANSPOSE], issue);
        for (int32_t base = 0; base < sim->lanes; base += side)
            for (int32_t j = 0; j < side; j++) out[base + j] = sim_vec(sim, in[j])[base + i];
        drive->stream = issue->insn->stream + i;
        drive->column = issue->info->column;
        drive->vec[0] = vec;
    }
    for (int32_t i = 0; i < side; i++) sim_vec_drop(sim, in[i]);
    sim->state.stats.sxm_issues++;
    return true;
}
