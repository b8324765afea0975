/* bound.c - the bound: the least cycles any schedule of this graph could take on this machine.
 *
 * Each resource gets the work that no schedule can avoid, divided by all of that resource; the
 * largest binds. To it comes the time the first result needs to pass through, and the last to land.
 */
#include "ir.h"

#include <stdlib.h>

enum { BY_MXM, BY_WEIGHTS, BY_VXM, BY_MEMORY, RESOURCES };
static const char *const names[RESOURCES] = {"MXM", "weights", "VXM", "memory"};

typedef struct { int64_t cycles[RESOURCES], fill; } Work;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Vectors that carry a value, if every lane is used. */
static int64_t vectors(const TspMachine *m, const TspValue *v) {
    return ceil_div(tsp_value_bytes(v), tsp_lanes(m));
}

static bool is_product(const TspNode *n) {
    return n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER || n->op == TSP_GRAPH_GEMM;
}

static Work node_work(const TspMachine *m, const TspGraph *g, const TspNode *n) {
    int64_t lanes = tsp_lanes(m), planes = 2 * m->mxm_planes, traffic = 0;
    const TspValue *a = &g->values[n->inputs[0]], *y = &g->values[n->output];
    Work w = {{0}, 0};
    for (int32_t i = 0; i < n->input_count; i++) {
        bool again = i > 0 && n->inputs[i] == n->inputs[0]; /* one read serves both */
        if (n->inputs[i] >= 0 && !again) traffic += vectors(m, &g->values[n->inputs[i]]);
    }
    w.cycles[BY_MEMORY] = ceil_div(traffic, 2 * m->mem_slices);
    if (ceil_div(vectors(m, y), 2 * m->mem_slices) > w.cycles[BY_MEMORY])
        w.cycles[BY_MEMORY] = ceil_div(vectors(m, y), 2 * m->mem_slices);
    if (is_product(n)) {
        const TspValue *b = &g->values[n->inputs[1]];
        /* fp16: two planes for mxm_fp16_cycles; fp32: three products of halfs */
        int64_t share = a->dtype == TSP_F16 ? 2 * m->mxm_fp16_cycles
                        : a->dtype == TSP_F32 ? 6 * m->mxm_fp16_cycles : 1;
        int64_t weights = tsp_value_bytes(a) < tsp_value_bytes(b) ? tsp_value_bytes(a)
                                                                  : tsp_value_bytes(b);
        if (a->dtype == TSP_F32) weights = weights / 4 * 6; /* three halfs each */
        w.cycles[BY_MXM] = ceil_div(tsp_node_macs(g, n) * share, lanes * lanes * planes);
        w.cycles[BY_WEIGHTS] = ceil_div(weights, lanes * m->mxm_load_streams * planes);
        w.fill = m->mem_read_cycles + 2 + m->mxm_load_cycles + m->mxm_install_cycles +
                 tsp_insn_func(m, TSP_OP_ABC) + tsp_insn_func(m, TSP_OP_ACC) + 2 +
                 m->mem_write_cycles - 1;
    } else {
        /* an ALU takes a vector of elements of any width a cycle */
        w.cycles[BY_VXM] = ceil_div(ceil_div(tsp_value_elements(y), lanes), m->vxm_alus);
        w.fill = m->mem_read_cycles + 1 + tsp_insn_func(m, TSP_OP_ADD) + 1 + m->mem_write_cycles - 1;
    }
    return w;
}

static int largest(const Work *w) {
    int best = 0;
    for (int i = 1; i < RESOURCES; i++)
        if (w->cycles[i] > w->cycles[best]) best = i;
    return best;
}

bool tsp_pass_bound(Module *module, TspError *err) {
    const TspGraph *g = module->graph;
    Work sum = {{0}, 0};
    int best;
    module->op_bound = calloc((size_t)g->node_count + 1, sizeof *module->op_bound);
    if (!module->op_bound) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; i < g->node_count; i++) {
        Work w = node_work(&module->machine, g, &g->nodes[i]);
        module->op_bound[i] = w.cycles[largest(&w)] + w.fill;
        module->macs += tsp_node_macs(g, &g->nodes[i]);
        for (int r = 0; r < RESOURCES; r++) sum.cycles[r] += w.cycles[r];
        if (w.fill > sum.fill) sum.fill = w.fill;
    }
    best = largest(&sum);
    module->bound_cycles = sum.cycles[best] + sum.fill;
    module->bound_by = names[best];
    return true;
}
