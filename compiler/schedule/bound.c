/* bound.c - the bound: the least cycles any schedule of this graph could take on this machine.
 *
 * Each resource gets the work that no schedule can avoid, divided by all of that resource; the
 * largest binds. To it comes the time the first result needs to pass through, and the last to land.
 */
#include "compiler/graph/graph_shape.h"
#include "compiler/ir.h"

#include <math.h>
#include <stdlib.h>

enum { BY_MXM, BY_WEIGHTS, BY_VXM, BY_SXM, BY_STREAMS, BY_READS, BY_WRITES, RESOURCES };
static const char *const names[RESOURCES] = {"MXM",     "weights", "VXM",   "SXM",
                                             "streams", "memory",  "memory"};

/* Work in units of one resource (a plane, a stream into a plane, an ALU, a distributor, a stream
 * register beside the VXM, a slice that reads, one that writes), and the cycles that its first and
 * last piece need to pass through. */
typedef struct {
    double units[RESOURCES];
    int64_t fill;
} Work;

static int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* Vectors that carry a value, if every lane is used. */
static int64_t vectors(const TspMachine *m, const TspValue *v) {
    return ceil_div(tsp_value_bytes(v), tsp_lanes(m));
}

static bool is_product(const TspNode *n) {
    return n->op == TSP_GRAPH_MATMUL || n->op == TSP_GRAPH_MATMUL_INTEGER ||
           n->op == TSP_GRAPH_QLINEAR_MATMUL || n->op == TSP_GRAPH_GEMM;
}

/* Halfs are first made float32, to be added or multiplied. */
static bool widens(const TspNode *n) {
    return n->op != TSP_GRAPH_REDUCE_MAX && n->op != TSP_GRAPH_REDUCE_MIN &&
           n->op != TSP_GRAPH_ARG_MAX && n->op != TSP_GRAPH_ARG_MIN;
}

static bool is_comparison(const TspNode *n) {
    return n->op == TSP_GRAPH_EQUAL || n->op == TSP_GRAPH_GREATER || n->op == TSP_GRAPH_LESS ||
           n->op == TSP_GRAPH_GREATER_OR_EQUAL || n->op == TSP_GRAPH_LESS_OR_EQUAL;
}

/* What no unit undercuts for bringing the first and the last lane together. */
static int64_t fold_cycles(const TspMachine *m) {
    int64_t shift = tsp_shift_cycles(m, tsp_lanes(m) - 1, m->superlanes > 1);
    int64_t permute = tsp_op_func(m, TSP_OP_PERMUTE);
    int64_t product = tsp_op_func(m, TSP_OP_ABC) + tsp_op_func(m, TSP_OP_ACC);
    int64_t least = shift < permute ? shift : permute;
    return least < product ? least : product;
}

/* What the first and the last vector of a reduction need beside their work. Lanes are brought
 * together by a detour to an edge, where all elements are one result; or they are few enough to
 * stand in one lane, as rows. */
static int64_t reduction_fill(const TspMachine *m, int64_t elements, int64_t results) {
    int64_t fold = 2 * tsp_mem_columns(m) + fold_cycles(m) + tsp_op_func(m, TSP_OP_ADD) - 1;
    int64_t rows = results == 1 ? ceil_div(elements, m->vxm_alus) : 0;
    return m->mem_read_cycles + 1 + tsp_op_func(m, TSP_OP_ADD) + (rows < fold ? rows : fold) + 1 +
           m->mem_write_cycles - 1;
}

/* Nodes that say nothing about how fast their elements must pass. */
static bool relabels(const TspNode *n) {
    return n->op == TSP_GRAPH_IDENTITY || n->noop ||
           (n->op >= TSP_GRAPH_RESHAPE && n->op <= TSP_GRAPH_SPACE_TO_DEPTH);
}

/* The value of which this one may be a part, or a copy. */
static int32_t root_of(const TspGraph *g, int32_t value) {
    while (g->values[value].producer >= 0 && relabels(&g->nodes[g->values[value].producer]))
        value = g->nodes[g->values[value].producer].inputs[0];
    return value;
}

/* Bytes of a value that are sure to be different ones. */
static int64_t own_bytes(const TspGraph *g, int32_t value) {
    int64_t all = tsp_value_bytes(&g->values[value]);
    int64_t root = tsp_value_bytes(&g->values[root_of(g, value)]);
    return all < root ? all : root;
}

/* Whether all inputs but the first are known, and the host may make less of them. */
static bool is_worked_out(const TspNode *n) {
    return n->op == TSP_GRAPH_QUANTIZE_LINEAR || n->op == TSP_GRAPH_DEQUANTIZE_LINEAR ||
           n->op == TSP_GRAPH_BATCH_NORMALIZATION || n->op == TSP_GRAPH_POW ||
           n->op == TSP_GRAPH_DIV || n->op == TSP_GRAPH_MOD;
}

static void count_uses(const TspGraph *g, int32_t *reads, int32_t *products) {
    for (int32_t i = 0; i < g->node_count; i++)
        for (int32_t j = 0; j < g->nodes[i].input_count; j++) {
            int32_t v = g->nodes[i].inputs[j];
            const bool matrix = j == 0 || j == tsp_product_second(&g->nodes[i]);
            if (v < 0 || (g->nodes[i].op == TSP_GRAPH_MATMUL_INTEGER && j >= 2)) continue;
            if (g->nodes[i].op == TSP_GRAPH_QLINEAR_MATMUL && !matrix) continue;
            if (g->nodes[i].op == TSP_GRAPH_CUM_SUM && j >= 1) continue; /* the axis */
            if (relabels(&g->nodes[i])) continue;
            if (j >= 1 && is_worked_out(&g->nodes[i])) continue;
            v = root_of(g, v);
            reads[v]++;
            products[v] += is_product(&g->nodes[i]) && matrix;
        }
}

static bool is_dot(const TspGraph *g, const TspNode *n) {
    return is_product(n) && n->op != TSP_GRAPH_GEMM && n->op != TSP_GRAPH_QLINEAR_MATMUL &&
           g->values[n->inputs[0]].rank == 1 && g->values[n->inputs[1]].rank == 1;
}

/* Units of the MXM that one vector of a type occupies: fp16 two planes for mxm_fp16_cycles, fp32
 * three products of halfs, int32 ten of bytes. */
static double plane_cycles(const TspMachine *m, TspDtype type) {
    return type == TSP_F16   ? 2 * (double)m->mxm_fp16_cycles
           : type == TSP_F32 ? 6 * (double)m->mxm_fp16_cycles
           : type == TSP_I32 ? 10
                             : 1;
}

/* What the first and the last row of a product need beside its work. */
static int64_t product_fill(const TspMachine *m) {
    return m->mem_read_cycles + 2 + m->mxm_load_cycles + m->mxm_install_cycles +
           tsp_op_func(m, TSP_OP_ABC) + tsp_op_func(m, TSP_OP_ACC) + 2 + m->mem_write_cycles - 1;
}

/* Two vectors: the VXM widens both, multiplies and adds, or a plane takes one of them past the
 * other, each row of activations for one dot product of a row; both at once at best. Neither works
 * from the first cycle to the last. */
static void dot_work(const TspMachine *m, const TspValue *a, Work *w) {
    double steps = a->dtype == TSP_F32 || a->dtype == TSP_I32 ? 2 : 4, alus = (double)m->vxm_alus;
    double rate = alus / steps + 2 * (double)m->mxm_planes / plane_cycles(m, a->dtype);
    int64_t fold = reduction_fill(m, tsp_value_elements(a), 1), product = product_fill(m);
    w->units[BY_VXM] = (double)ceil_div(tsp_value_elements(a), tsp_lanes(m)) * alus / rate;
    w->fill = fold < product ? fold : product;
}

/* A known factor may be part of another: that of the node before or after it. */
static bool may_merge(const TspGraph *g, const TspNode *n) {
    if (n->op != TSP_GRAPH_MUL) return false;
    for (int j = 0; j < 2; j++) {
        const TspValue *factor = &g->values[n->inputs[j]], *x = &g->values[n->inputs[!j]];
        if (factor->dtype == TSP_F32 && factor->data && tsp_value_elements(factor) == 1 &&
            x->producer >= 0)
            return true;
    }
    return false;
}

/* Rows of elements that the planes add up each cycle, past the identity: of integers a plane a
 * byte. None of floats, whose infinities would meet zeros there, and be NaN in every lane. */
static double summed_rows(const TspMachine *m, TspDtype type) {
    return type == TSP_F16 || type == TSP_F32 ? 0
                                              : 2 * (double)m->mxm_planes / tsp_dtype_bytes(type);
}

/* A running sum: an element is read and added twice, since what stands before those of one lane is
 * known when all others have been added up. The first time planes may take rows beside the ALUs;
 * the second time it leaves. Halfs are added in float32. */
static void scan_work(const TspMachine *m, const TspValue *y, double traffic, double results,
                      Work *w) {
    const double passes = y->dtype == TSP_F16 ? 2 : 1; /* of an ALU, each time */
    const double rows = summed_rows(m, y->dtype), alus = (double)m->vxm_alus;
    const double streams = 2 * (double)m->streams, bytes = tsp_dtype_bytes(y->dtype);
    w->units[BY_STREAMS] = (2 * traffic + results) * streams / (streams + bytes * rows);
    w->units[BY_VXM] = 2 * passes * (double)ceil_div(tsp_value_elements(y), tsp_lanes(m)) * alus /
                       (alus + passes * rows);
    w->fill = m->mem_read_cycles + 1 + tsp_op_func(m, TSP_OP_ADD) + 1 + m->mem_write_cycles - 1;
}

/* Operations that an element of an element-wise node takes, by the shortest way
 * that is known; an ALU takes elements of any width in one. Halfs are computed in float32. */
static double element_operations(const TspGraph *g, const TspNode *n) {
    const TspDtype type = g->values[n->inputs[0]].dtype;
    const bool half = type == TSP_F16;
    if (may_merge(g, n)) return 0;
    if (n->op == TSP_GRAPH_SIGMOID) return half ? 6 : 4; /* tanh(x / 2) / 2 + 1/2 */
    if (n->op == TSP_GRAPH_SQRT) return half ? 5 : 4;    /* lower_steps.c */
    if (n->op == TSP_GRAPH_LEAKY_RELU) return 2;         /* max(x, alpha x) */
    /* it gives 0 or 1 of the type: no byte of a float's 1 is a bool's */
    return is_comparison(n) && (half || type == TSP_F32) ? 2 : 1;
}

/* A value that several nodes read may pass all of them in one reading, and weights may serve
 * several products: each node is charged its share. What a node makes for another need not pass
 * through memory. */
static Work node_work(const TspMachine *m, const TspGraph *g, const TspNode *n,
                      const int32_t *reads, const int32_t *products) {
    double lanes = (double)tsp_lanes(m), traffic = 0, results = 0;
    const TspValue *a = &g->values[n->inputs[0]], *y = &g->values[n->output];
    Work w = {{0}, 0};
    if (y->is_output) results = (double)vectors(m, y);
    w.units[BY_WRITES] = results;
    if (relabels(n)) return w;
    for (int32_t i = 0; i < n->input_count; i++) {
        int32_t root = n->inputs[i] < 0 ? -1 : root_of(g, n->inputs[i]);
        if (root >= 0 && reads[root] && g->values[root].producer < 0)
            traffic += (double)ceil_div(own_bytes(g, n->inputs[i]), tsp_lanes(m)) / reads[root];
    }
    w.units[BY_READS] = traffic;
    if (is_dot(g, n)) {
        dot_work(m, a, &w);
    } else if (is_product(n)) {
        const int32_t second = n->inputs[tsp_product_second(n)];
        double weights =
            fmin((double)own_bytes(g, n->inputs[0]) / products[root_of(g, n->inputs[0])],
                 (double)own_bytes(g, second) / products[root_of(g, second)]);
        if (a->dtype == TSP_F32) weights *= 1.5; /* three halfs each */
        w.units[BY_MXM] = (double)tsp_node_macs(g, n) * plane_cycles(m, a->dtype) / (lanes * lanes);
        w.units[BY_WEIGHTS] = weights / lanes;
        w.fill = product_fill(m);
    } else if (n->op == TSP_GRAPH_SOFTMAX || n->op == TSP_GRAPH_LOG_SOFTMAX) {
        /* the greatest, x - m, exp, the sum, its share or what is left of x; halfs are widened, and
         * narrowed */
        const double steps = a->dtype == TSP_F16 ? 7 : 5;
        w.units[BY_STREAMS] = traffic + results;
        w.units[BY_VXM] = steps * (double)ceil_div(tsp_value_elements(a), tsp_lanes(m));
        w.fill = reduction_fill(m, 1, 1);
    } else if (tsp_graph_reduces(n->op)) {
        w.units[BY_STREAMS] = traffic; /* every vector passes an ALU */
        w.units[BY_VXM] = (double)ceil_div(tsp_value_elements(a), tsp_lanes(m));
        if (a->dtype == TSP_F16 && widens(n)) w.units[BY_VXM] *= 2;
        w.fill = reduction_fill(m, tsp_value_elements(a), tsp_value_elements(y));
    } else if (n->op == TSP_GRAPH_CUM_SUM && y->rank == 1) {
        scan_work(m, y, traffic, results, &w);
    } else if (n->op == TSP_GRAPH_GROUP_BY_AGGREGATE) {
        /* A wave of a row a superlane: maps for a record, its update and its way back; the record
         * and its update, two bytes each, gathered, and the new record scattered. */
        const double waves = (double)ceil_div(tsp_value_elements(a), m->superlanes);
        w.units[BY_SXM] = 3 * waves;
        w.units[BY_VXM] = 3 * waves;
        w.units[BY_READS] = 6 * waves;
        w.fill = tsp_op_func(m, TSP_OP_DISTRIBUTE) + tsp_op_func(m, TSP_OP_GATHER) +
                 tsp_op_func(m, TSP_OP_ADD) + m->vxm_op_cycles + tsp_op_func(m, TSP_OP_SCATTER);
    } else {
        w.units[BY_STREAMS] = traffic + results; /* each passes the VXM's registers */
        w.units[BY_VXM] =
            element_operations(g, n) * (double)ceil_div(tsp_value_elements(y), tsp_lanes(m));
        w.fill = m->mem_read_cycles + 1 + tsp_op_func(m, TSP_OP_ADD) + 1 + m->mem_write_cycles - 1;
    }
    return w;
}

/* What is saved of the fill where an operand comes from another node, or is read for one, or the
 * result goes to one. */
static int64_t saved_cycles(const TspMachine *m, const TspGraph *g, const TspNode *n,
                            const int32_t *reads) {
    int64_t read = 0, write = g->values[n->output].is_output ? 0 : 1 + m->mem_write_cycles;
    for (int32_t i = 0; i < n->input_count; i++)
        if (n->inputs[i] >= 0 && (g->values[n->inputs[i]].producer >= 0 || reads[n->inputs[i]] > 1))
            read = m->mem_read_cycles + 1;
    return read + write;
}

static int64_t capacity(const TspMachine *m, int resource) {
    const int64_t units[RESOURCES] = {2 * m->mxm_planes, 2 * m->mxm_planes * m->mxm_load_streams,
                                      m->vxm_alus,       2 * m->sxm_distributors,
                                      2 * m->streams,    2 * m->mem_slices,
                                      2 * m->mem_slices};
    return units[resource];
}

bool tsp_pass_bound(Module *module, TspError *err) {
    const TspGraph *g = module->graph;
    const TspMachine *m = &module->machine;
    double units[RESOURCES] = {0};
    int64_t fill[RESOURCES];
    int32_t *uses = calloc((size_t)g->value_count * 2 + 1, sizeof *uses);
    module->op_bound = calloc((size_t)g->node_count + 1, sizeof *module->op_bound);
    if (!uses || !module->op_bound)
        return free(uses), tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    count_uses(g, uses, uses + g->value_count);
    for (int r = 0; r < RESOURCES; r++) fill[r] = INT64_MAX;
    for (int32_t i = 0; i < g->node_count; i++) {
        Work w = node_work(m, g, &g->nodes[i], uses, uses + g->value_count);
        module->macs += tsp_node_macs(g, &g->nodes[i]);
        for (int r = 0; r < RESOURCES; r++) {
            int64_t alone;
            if (!(w.units[r] > 0)) continue;
            alone = (int64_t)ceil(w.units[r] / (double)capacity(m, r)) + w.fill -
                    saved_cycles(m, g, &g->nodes[i], uses);
            units[r] += w.units[r];
            if (w.fill < fill[r]) fill[r] = w.fill;
            module->op_bound[i] = tsp_max64(module->op_bound[i], alone);
        }
    }
    free(uses);
    for (int r = 0; r < RESOURCES; r++) {
        int64_t cycles = (int64_t)ceil(units[r] / (double)capacity(m, r) - 1e-6) + fill[r];
        if (!(units[r] > 0) || cycles <= module->bound_cycles) continue;
        module->bound_cycles = cycles;
        module->bound_by = names[r];
    }
    return true;
}
