/* lower_norm.c - LayerNormalization and RMSNormalization along rows.
 *
 *   sums of column tiles (VXM) -> sum over lanes (MXM) -> mean
 *   squared deviations, summed alike (VXM) -> sum over lanes (MXM) -> 1 / sqrt(variance + epsilon)
 *   (x - mean) * that * scale + bias
 *
 * A product with ones leaves the sum over lanes in every lane, where the next step takes it as an
 * operand. It takes halfs: a sum s is handed over as h = fp16(s) and the rest, times 2^11, as
 * another half, which meets ones of 2^-11. Both halfs are summed up at once, each in a hemisphere
 * of its own, and meet in the VXM; no weights change while rows pass, so later rows follow at once.
 */
#include "lower_view.h"
#include "compiler/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARTS = 3, LOW_BITS = 11 /* between parts of a sum */ };

/* What is summed up: elements, their squares, or squares of their distances from the mean. */
typedef enum { PLAIN, SQUARES, DEVIATIONS } Summand;

typedef struct {
    Lowerer *l;
    const TspNode *node;
    const char *name; /* of the result */
    int32_t rows, cols, tiles;
    int32_t mean,
        reciprocal;  /* of the deviation, in all lanes: tensors of rows x lanes; -1: none */
    int32_t centred; /* distances from the mean, which squares leave for the result; -1: none */
    int32_t
        mask; /* a row of ones where the last column tile has elements; -1: where the mean has */
} Norm;

/* Scale or bias, its first row, and how its rows step over the dimensions of the result. */
typedef struct {
    int32_t tensor; /* -1: none */
    int64_t row0, stride[TSP_MAX_RANK];
} Beside;

/* See lower_even_rows(). */
typedef struct {
    int32_t inner;
    int64_t run, step[2];
} Runs;

static From number(Stage *s, TspOpcode op, From a, double value) {
    return stage_step(s, op, TSP_F32, TSP_F32, a, from_imm(), tsp_f32_bits((float)value));
}

static From binary(Stage *s, TspOpcode op, From a, From b) {
    return stage_step(s, op, TSP_F32, TSP_F32, a, b, 0);
}

static From unary(Stage *s, TspOpcode op, From a) {
    return stage_step(s, op, TSP_F32, TSP_F32, a, from_none(), 0);
}

static From convert(Stage *s, TspDtype from, TspDtype to, From a) {
    return from == to ? a : stage_step(s, TSP_OP_CVT, from, to, a, from_none(), 0);
}

/* One column tile of a tensor. */
static From tile_operand(Stage *s, int32_t tensor, int32_t tile) {
    for (int32_t i = 0; i < s->operand_count; i++)
        if (s->operands[i].tensor == tensor && s->operands[i].ctile0 == tile)
            return (From){FROM_OPERAND, i};
    s->operands[s->operand_count] = (Operand){.tensor = tensor, .row_step = 1, .ctile0 = tile};
    return (From){FROM_OPERAND, s->operand_count++};
}

/* The one column tile of a tensor, beside each of the stage. */
static From all_tiles(Stage *s, int32_t tensor, int32_t row0) {
    s->operands[s->operand_count] =
        (Operand){.tensor = tensor, .row0 = row0, .row_step = 1, .one_tile = true};
    return (From){FROM_OPERAND, s->operand_count++};
}

/* No five operands of a flow can lie in different slices: some are combined beforehand. */
static bool few_slices(const Norm *n) {
    enum { OPERANDS = 5 };
    return 2 * n->l->module->machine.mem_slices < OPERANDS * tsp_dtype_bytes(TSP_F32);
}

/* A tensor of `cols` columns for every row. Halfs may come faster than products take them, and lie
 * in blocks anywhere; all else is read as it comes, and lies together. */
static int32_t rows_tensor(const Norm *n, const char *suffix, TspDtype type, int32_t cols,
                           TspError *err) {
    enum { LEAST_RUN = 32, BLOCKS = 4 };
    const int64_t shape[2] = {n->rows, cols};
    int32_t i =
        lower_new_tensor(n->l, n->name, suffix, type, TSP_ROLE_INTERNAL, 2, shape, false, err);
    Tensor *t = i < 0 ? NULL : &n->l->module->tensors[i];
    if (!t) return -1;
    t->contiguous = true;
    if (type == TSP_F16)
        t->wanted = 1;
    else
        t->turns = 1;
    t->run = tsp_ceil_div(n->rows, BLOCKS);
    if (t->run < LEAST_RUN) t->run = LEAST_RUN;
    return i;
}

/* ---- sums over column tiles ---- */

static int32_t leaf_steps(Summand what, TspDtype type) {
    return (type != TSP_F32) + (what == SQUARES) + 2 * (what == DEVIATIONS);
}

/* Steps after the sum: scaling, and what split_sum() takes. */
static int32_t last_steps(int32_t parts) {
    return 2 + 6 * (parts - 1);
}

/* Column tiles that a stage adds up at most: half of the slices and streams are left to others. */
static int32_t tree_width(const TspMachine *m, Summand what, TspDtype type) {
    int32_t bytes = tsp_dtype_bytes(TSP_F32);
    int32_t width = tsp_min32((int32_t)m->streams, (int32_t)m->mem_slices) / bytes;
    int32_t by_alus = ((int32_t)m->vxm_alus + 1) / (leaf_steps(what, type) + 1);
    width = tsp_min32(tsp_min32(width, by_alus), MAX_OPERANDS - 3);
    if (what == DEVIATIONS) /* the mean is read and distances are written too */
        return tsp_min32(width > 1 ? width - 1 : 1, MAX_OUTPUTS - 1);
    return width > 2 ? width : 2;
}

/* One column tile's distance from the mean, which is left for the result. */
static From distance(const Norm *n, Stage *s, From x, int32_t tile) {
    x = binary(s, TSP_OP_SUB, x, tile_operand(s, n->mean, 0));
    if (tile == n->tiles - 1 && n->mask >= 0)
        x = binary(s, TSP_OP_MASK, x, stage_operand(s, n->mask, 0, 0));
    lower_output(n->l, s, x, n->centred, 0);
    s->outputs[s->output_count - 1].ctile0 = tile;
    return x;
}

static From leaf(const Norm *n, Stage *s, Summand what, int32_t tensor, int32_t tile) {
    const TspDtype type = n->l->module->tensors[tensor].dtype;
    From x = convert(s, type, TSP_F32, tile_operand(s, tensor, tile));
    if (what == DEVIATIONS) x = distance(n, s, x, tile);
    return what == PLAIN ? x : binary(s, TSP_OP_MUL, x, x);
}

static int32_t depth_of(int32_t count) {
    int32_t depth = 0;
    while (1 << depth < count) depth++;
    return depth;
}

/* The sum of column tiles first .. first+count-1. */
static From tree(const Norm *n, Stage *s, Summand what, int32_t tensor, int32_t first,
                 int32_t count) {
    int32_t half = (count + 1) / 2;
    if (count == 1) return leaf(n, s, what, tensor, first);
    From a = tree(n, s, what, tensor, first, half);
    From b = tree(n, s, what, tensor, first + half, count - half);
    return binary(s, TSP_OP_ADD, a, b);
}

/* Writes a sum as halfs: what is left of it after each goes to the next. */
static void split_sum(const Norm *n, Stage *s, From sum, const int32_t *part, int32_t parts) {
    for (int32_t i = 0; i < parts; i++) {
        From half = convert(s, TSP_F32, TSP_F16, sum), back;
        lower_output(n->l, s, half, part[i], 0);
        if (i == parts - 1) return;
        back = convert(s, TSP_F16, TSP_F32, half);
        sum = unary(s, TSP_OP_PASS, unary(s, TSP_OP_PASS, sum)); /* meets it two steps later */
        sum = number(s, TSP_OP_MUL, binary(s, TSP_OP_SUB, sum, back), 1 << LOW_BITS);
    }
}

/* The last stage of a sum: `scale` times it goes to the parts. */
static bool finish_sum(const Norm *n, Summand what, int32_t tensor, int32_t tiles, double scale,
                       int32_t *part, int32_t parts, TspError *err) {
    static const char *const suffix[MOST_PARTS] = {".hi", ".lo", ".least"};
    Stage *s;
    From sum;
    for (int32_t i = 0; i < parts; i++) {
        part[i] = rows_tensor(n, suffix[i], TSP_F16, tsp_lanes(&n->l->module->machine), err);
        if (part[i] < 0) return false;
        n->l->module->tensors[part[i]].finite = i == 0;
    }
    if (!(s = lower_new_stage(n->l, "sums", n->rows, tsp_lanes(&n->l->module->machine), err)))
        return false;
    sum = tree(n, s, what, tensor, 0, tiles);
    split_sum(n, s, number(s, TSP_OP_MUL, sum, scale), part, parts);
    return true;
}

/* Sums of `width` column tiles each, as the column tiles of a new tensor. */
static int32_t add_groups(const Norm *n, Summand what, int32_t tensor, int32_t tiles, int32_t width,
                          TspError *err) {
    const int32_t lanes = tsp_lanes(&n->l->module->machine), groups = tsp_ceil_div(tiles, width);
    int32_t to = rows_tensor(n, ".sums", TSP_F32, groups * lanes, err);
    for (int32_t i = 0; to >= 0 && i < groups; i++) {
        Stage *s = lower_new_stage(n->l, "sums", n->rows, lanes, err);
        const int32_t first = i * width, count = tsp_min32(width, tiles - first);
        if (!s) return -1;
        From sum = tree(n, s, what, tensor, first, count);
        if (sum.kind == FROM_OPERAND) sum = unary(s, TSP_OP_PASS, sum);
        lower_output(n->l, s, sum, to, 0);
        s->outputs[s->output_count - 1].ctile0 = i;
    }
    return to;
}

/* ALUs that a stage may take: with many rows others are at work on earlier ones, and a mesh needs
 * some to spare. */
static int32_t most_steps(const Norm *n, Summand what) {
    enum { SPARE = 4, FEW_ROWS = 32 };
    const TspMachine *m = &n->l->module->machine;
    const bool spare = m->vxm_neighbour_only || (what == DEVIATIONS && n->rows > FEW_ROWS);
    return (int32_t)m->vxm_alus - (spare ? SPARE : 0);
}

/* `scale` times the sums over the column tiles of `tensor`, lane by lane, in halfs. */
static bool sum_tiles(const Norm *n, Summand what, int32_t tensor, double scale, int32_t *part,
                      int32_t parts, TspError *err) {
    Module *m = n->l->module;
    int32_t tiles = n->tiles;
    for (;; what = PLAIN) {
        const TspDtype type = m->tensors[tensor].dtype;
        const int32_t width = tree_width(&m->machine, what, type);
        const int32_t steps = tiles * (leaf_steps(what, type) + 1) - 1 + last_steps(parts) +
                              (what == DEVIATIONS && n->mask >= 0 ? 2 : 0);
        Tensor *t = &m->tensors[tensor];
        if (t->together < width) t->together = width;
        const bool writable = what != DEVIATIONS || tiles + parts <= MAX_OUTPUTS;
        if ((tiles <= width && steps <= most_steps(n, what) && writable) ||
            (what == PLAIN && tiles == 1))
            return finish_sum(n, what, tensor, tiles, scale, part, parts, err);
        if ((tensor = add_groups(n, what, tensor, tiles, width, err)) < 0) return false;
        tiles = tsp_ceil_div(tiles, width);
    }
}

/* ---- sums over lanes ---- */

/* A matrix of ones, divided by what part `part` of a sum was multiplied by. */
static int32_t ones_of(Lowerer *l, int32_t part, TspError *err) {
    static const char *const names[MOST_PARTS] = {"ones", "ones/2048", "ones/4194304"};
    const int32_t lanes = tsp_lanes(&l->module->machine);
    const int64_t shape[2] = {lanes, lanes};
    const uint16_t one = tsp_half_from_float(ldexpf(1, -LOW_BITS * part));
    uint16_t *data;
    int32_t *i = &l->ones[part];
    if (*i >= 0) return *i;
    *i = lower_new_tensor(l, names[part], "", TSP_F16, TSP_ROLE_CONSTANT, 2, shape, false, err);
    if (*i < 0) return -1;
    data = malloc((size_t)lanes * (size_t)lanes * sizeof *data);
    if (!data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t k = 0; k < lanes * lanes; k++) data[k] = one;
    l->module->tensors[*i].data = (uint8_t *)data;
    l->module->tensors[*i].striped = true;
    return *i;
}

/* A stage that sums up the lanes of `count` parts from `first` on, in the first `cols` lanes. */
static Stage *lane_stage(const Norm *n, const int32_t *part, int32_t first, int32_t count,
                         int32_t cols, TspError *err) {
    int32_t ones[MOST_PARTS];
    Stage *s;
    for (int32_t i = first; i < first + count; i++)
        if ((ones[i] = ones_of(n->l, i, err)) < 0) return NULL;
    if (!(s = lower_new_stage(n->l, "lanes", n->rows, cols, err))) return NULL;
    if (!(s->terms = malloc((size_t)count * sizeof *s->terms)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), NULL;
    s->product = s->whole = true;
    s->meets = count > 1;
    for (int32_t i = first; i < first + count; i++)
        s->terms[s->term_count++] = (Term){part[i], 0, 0, -1, ones[i], 0, 0, -1, 0, 0, 0};
    return s;
}

/* The sum over the lanes of all parts, in the first `cols` lanes: *sum of the stage returned. */
static Stage *sum_lanes(const Norm *n, const int32_t *part, int32_t parts, int32_t cols, From *sum,
                        TspError *err) {
    int32_t least = -1;
    Stage *s;
    if (parts > TSP_MEETING) {
        if ((least = rows_tensor(n, ".partial", TSP_F32, cols, err)) < 0 ||
            !(s = lane_stage(n, part, TSP_MEETING, 1, cols, err)))
            return NULL;
        lower_output(n->l, s, from_product(), least, 0);
    }
    if (!(s = lane_stage(n, part, 0, TSP_MEETING, cols, err))) return NULL;
    *sum = binary(s, TSP_OP_ADD, (From){FROM_PRODUCT, 0}, (From){FROM_PRODUCT, 1});
    if (least >= 0) *sum = binary(s, TSP_OP_ADD, *sum, tile_operand(s, least, 0));
    return s;
}

/* ---- mean, deviation, result ---- */

/* Sums are handed on divided by a power of two, so that elements may be as large as halfs. */
static bool lower_mean(Norm *n, int32_t x, TspError *err) {
    enum { PARTS = 2 };
    const int32_t lanes = tsp_lanes(&n->l->module->machine);
    const double scale = 1.0 / (1 << depth_of(n->tiles));
    const int32_t rest = n->cols % lanes;
    int32_t part[MOST_PARTS];
    Stage *s;
    From mean;
    if (!sum_tiles(n, PLAIN, x, scale, part, PARTS, err)) return false;
    n->mean = rows_tensor(n, ".mean", TSP_F32, tsp_min32(n->cols, lanes), err);
    if (n->mean < 0) return false;
    if (n->tiles > 1 && rest > 0 && !few_slices(n)) {
        if ((n->mask = lower_ones_of(n->l, n->node, TSP_F32, rest, err)) < 0) return false;
        n->l->module->tensors[n->mask].repeated = n->rows;
    }
    s = sum_lanes(n, part, PARTS, tsp_min32(n->cols, lanes), &mean, err);
    if (!s) return false;
    lower_output(n->l, s, number(s, TSP_OP_MUL, mean, 1 / (scale * n->cols)), n->mean, 0);
    return true;
}

/* x - mean as a tensor: there is no mean then. */
static int32_t centre(Norm *n, int32_t x, TspError *err) {
    const TspDtype type = n->l->module->tensors[x].dtype;
    int32_t to = rows_tensor(n, ".centred", TSP_F32, n->cols, err);
    int32_t mask = to < 0 ? -1 : lower_ones_of(n->l, n->node, TSP_F32, n->cols, err);
    Stage *s = mask < 0 ? NULL : lower_new_stage(n->l, "centre", n->rows, n->cols, err);
    From d;
    if (!s) return -1;
    d = convert(s, type, TSP_F32, stage_operand(s, x, 0, 1));
    d = binary(s, TSP_OP_SUB, d, all_tiles(s, n->mean, 0));
    lower_output(n->l, s, binary(s, TSP_OP_MASK, d, stage_operand(s, mask, 0, 0)), to, 0);
    n->mean = -1;
    return to;
}

/* What squares are multiplied by, and in how many parts their sums are handed on: so that the
 * lowest half ends well below epsilon, and still large squares fit the highest. */
static double square_scale(TspDtype type, double epsilon, int32_t *parts) {
    const int lowest = -36, least = type == TSP_F16 ? -12 : -16; /* exponents of 2 */
    int e = (int)ceil(lowest - least - log2(epsilon));
    *parts = e > 0 ? MOST_PARTS : MOST_PARTS - 1;
    if (e > 0) e = e > LOW_BITS ? 0 : e - LOW_BITS;
    return ldexp(1, e);
}

static bool lower_deviation(Norm *n, int32_t x, TspError *err) {
    const TspMachine *m = &n->l->module->machine;
    const float epsilon = (float)n->node->epsilon;
    int32_t part[MOST_PARTS], parts;
    const TspDtype type = n->l->graph->values[n->node->inputs[0]].dtype;
    const double scale = square_scale(type, (double)epsilon, &parts);
    Stage *s;
    From sum;
    if (n->mean >= 0 && (n->centred = rows_tensor(n, ".centred", TSP_F32, n->cols, err)) < 0)
        return false;
    if (!sum_tiles(n, n->mean < 0 ? SQUARES : DEVIATIONS, x, scale, part, parts, err)) return false;
    n->reciprocal = rows_tensor(n, ".reciprocal", TSP_F32, tsp_lanes(m), err);
    if (n->reciprocal < 0 || !(s = sum_lanes(n, part, parts, tsp_lanes(m), &sum, err)))
        return false;
    sum = number(s, TSP_OP_MUL, sum, 1 / (scale * n->cols));
    sum = unary(s, TSP_OP_RSQRT, number(s, TSP_OP_ADD, sum, (double)epsilon));
    lower_output(n->l, s, sum, n->reciprocal, 0);
    return true;
}

/* Constants become float32, and one element a row is copied along the lanes. */
static int32_t constant_beside(const Norm *n, const TspValue *v, TspError *err) {
    const int64_t elements = tsp_value_elements(v);
    const bool narrow = n->cols > 1 && (v->rank == 0 || v->shape[v->rank - 1] == 1);
    const int32_t i = lower_new_tensor(n->l, v->name, ".row", TSP_F32, TSP_ROLE_CONSTANT, v->rank,
                                       v->shape, false, err);
    Tensor *t = i < 0 ? NULL : &n->l->module->tensors[i];
    if (!t) return -1;
    t->contiguous = true;
    if (narrow) {
        t->bcast_cols = n->cols;
        t->ctiles = n->tiles;
    }
    if (!(t->data = malloc((size_t)elements * sizeof(float))))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int64_t k = 0; k < elements; k++)
        tsp_store_float(TSP_F32, t->data, k, tsp_load_double(v->dtype, v->data, k));
    return i;
}

static bool lower_beside(const Norm *n, int32_t value, Beside *beside, TspError *err) {
    const TspGraph *g = n->l->graph;
    const TspValue *v = &g->values[value];
    const int32_t rank = g->values[n->node->output].rank;
    *beside = (Beside){.tensor = -1};
    if (!v->data) {
        beside->tensor =
            lower_row_operand(n->l, value, rank, n->cols, &beside->row0, beside->stride, err);
        return beside->tensor >= 0;
    }
    lower_row_strides(v, rank, beside->stride);
    beside->tensor = constant_beside(n, v, err);
    return beside->tensor >= 0;
}

/* Of rows `run` times `i` and on, which it passes `step` at a time. */
static From beside_operand(const Norm *n, Stage *s, const Beside *beside, const Runs *runs,
                           int32_t i, int64_t step) {
    const TspValue *y = &n->l->graph->values[n->node->output];
    const int64_t row = beside->row0 + lower_row_at(y, runs->inner, i, beside->stride);
    Tensor *t = &n->l->module->tensors[beside->tensor];
    if (t->data && runs->run > 1 && step == 0) t->repeated = (int32_t)runs->run;
    return convert(
        s, t->dtype, TSP_F32,
        stage_operand(s, beside->tensor, (int32_t)row, runs->run > 1 ? (int32_t)step : 0));
}

/* Rows row0.. of x, which is centred if there is a mean, times the reciprocal. */
static From normal(const Norm *n, Stage *s, int32_t x, int32_t row0) {
    From y = convert(s, n->l->module->tensors[x].dtype, TSP_F32, stage_operand(s, x, row0, 1));
    return binary(s, TSP_OP_MUL, y, all_tiles(s, n->reciprocal, row0));
}

/* The same as a tensor. */
static int32_t normal_tensor(const Norm *n, int32_t x, TspError *err) {
    int32_t to = rows_tensor(n, ".normal", TSP_F32, n->cols, err);
    Stage *s = to < 0 ? NULL : lower_new_stage(n->l, "normalize", n->rows, n->cols, err);
    if (!s) return -1;
    lower_output(n->l, s, normal(n, s, x, 0), to, 0);
    return to;
}

/* Run i of rows of the result. Lanes without elements become zero: those of scale and bias are, and
 * +0 turns -0. */
static bool lower_result(const Norm *n, int32_t x, const Beside beside[2], const Runs *runs,
                         int32_t i, int32_t out, TspError *err) {
    const int32_t row0 = i * (int32_t)runs->run;
    Stage *s = lower_new_stage(n->l, "normalize", (int32_t)runs->run, n->cols, err);
    From y;
    if (!s) return false;
    y = few_slices(n) ? stage_operand(s, x, row0, 1) : normal(n, s, x, row0);
    y = binary(s, TSP_OP_MUL, y, beside_operand(n, s, &beside[0], runs, i, runs->step[0]));
    if (beside[1].tensor >= 0)
        y = binary(s, TSP_OP_ADD, y, beside_operand(n, s, &beside[1], runs, i, runs->step[1]));
    lower_output(n->l, s, convert(s, TSP_F32, n->l->module->tensors[out].dtype, y), out, row0);
    return true;
}

/* Scale and bias; a flow reads none of its tensors twice. */
static bool lower_affine(const Norm *n, int32_t x, Beside beside[2], TspError *err) {
    const TspNode *node = n->node;
    int32_t *scale = &beside[0].tensor, *bias = &beside[1].tensor;
    beside[1] = (Beside){.tensor = -1};
    if (!lower_beside(n, node->inputs[1], &beside[0], err)) return false;
    if (*scale == x && (*scale = lower_copy(n->l, x, err)) < 0) return false;
    if (node->input_count < 3 || node->inputs[2] < 0) return true;
    if (!lower_beside(n, node->inputs[2], &beside[1], err)) return false;
    if (*bias == x || *bias == *scale) *bias = lower_copy(n->l, *bias, err);
    return *bias >= 0;
}

/* Runs of rows that pass the rows of scale and bias in even steps. */
static Runs runs_of(const Norm *n, const Beside beside[2]) {
    int64_t stride[2][TSP_MAX_RANK];
    Runs runs = {0};
    for (int i = 0; i < 2; i++) memcpy(stride[i], beside[i].stride, sizeof stride[i]);
    runs.inner =
        lower_even_rows(&n->l->graph->values[n->node->output], 2, stride, runs.step, &runs.run);
    return runs;
}

static Norm norm_of(Lowerer *l, const TspNode *node) {
    const TspValue *v = &l->graph->values[node->output];
    Norm n = {.l = l, .node = node, .name = v->name, .mean = -1, .centred = -1, .mask = -1};
    n.cols = (int32_t)v->shape[v->rank - 1];
    n.rows = (int32_t)(tsp_value_elements(v) / n.cols);
    n.tiles = tsp_ceil_div(n.cols, tsp_lanes(&l->module->machine));
    return n;
}

bool lower_norm(Lowerer *l, const TspNode *node, TspError *err) {
    Norm n = norm_of(l, node);
    int32_t x = lower_oriented(l, node->inputs[0], ROWWISE, err), out;
    Beside beside[2];
    Runs runs;
    if (x < 0) return false;
    l->module->tensors[x].contiguous = true;
    if (node->op != TSP_GRAPH_RMS_NORMALIZATION && !lower_mean(&n, x, err)) return false;
    if (n.mean >= 0 && few_slices(&n) && (x = centre(&n, x, err)) < 0) return false;
    if (!lower_deviation(&n, x, err)) return false;
    if (n.centred >= 0) x = n.centred;
    if ((few_slices(&n) && (x = normal_tensor(&n, x, err)) < 0) ||
        !lower_affine(&n, x, beside, err) ||
        (out = lower_oriented(l, node->output, ROWWISE, err)) < 0)
        return false;
    runs = runs_of(&n, beside);
    for (int32_t i = 0; i < n.rows / (int32_t)runs.run; i++)
        if (!lower_result(&n, x, beside, &runs, i, out, err)) return false;
    return true;
}
