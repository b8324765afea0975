/* lower_strip.c - which operand of a product sits in the planes, region by region.
 *
 * A plane holds `lanes` columns of the result; a last column tile of a few costs as much as a full
 * one. So the columns beyond the full tiles, the strip, may change places: what streamed for them
 * sits in the planes, and what sat there streams, a vector a column of the strip. The strip comes
 * out turned. The host reads it so, as it reads inputs that are asked for turned; if the chip reads
 * the result as well, the strip is turned into its last column tile.
 *
 *        full tiles             strip
 *      +----------------------+-------+
 *      |                      | tall  |   rows that fill whole planes: change places
 *      |  weights stay        |       |
 *      |                      +-------+
 *      |                      | rest  |   weights stay
 *      +----------------------+-------+
 *
 * Where the host alone reads, full tiles come first: all planes keep step over their even parts.
 * Else the strip and the rest come first and the turning last, so that it waits for nothing.
 */
#include "lower.h"

#include <stdlib.h>

typedef struct {
    int32_t full;  /* columns of full tiles */
    int32_t strip; /* columns beyond */
    int32_t tall;  /* rows of the strip that change places; 0: none */
} Regions;

static bool halfs(const Module *m, const Stage *s) {
    return m->tensors[s->terms[0].a].dtype == TSP_F16;
}

/* Cycles in which planes take `rows` activations apiece and the next `cols` columns of weights: the
 * planes of a hemisphere load one after the other, as streams are left for one beside activations.
 */
static int64_t step_cycles(const TspMachine *m, int64_t interval, int32_t rows, int32_t cols) {
    int64_t load = m->mxm_planes * tsp_ceil_div(cols, m->mxm_load_streams);
    return tsp_max64(rows * interval, load);
}

/* Is the result for the host alone, which reads a strip where it was made? */
static bool for_host(const Lowerer *l, const Stage *s) {
    int32_t value = l->graph->nodes[s->op].output, tensor = s->outputs[0].tensor;
    const Tensor *out = &l->module->tensors[tensor];
    return tensor == l->tensor_of[value][ROWWISE] && out->role == TSP_ROLE_OUTPUT &&
           out->rows == s->rows && out->cols == s->cols && !l->needs[value][ROWWISE] &&
           !l->needs[value][TRANSPOSED];
}

/* Cycles of a plane, or for fp16 of a pair, that the strip takes if it is cut at `tall`. */
static int64_t strip_cycles(const Lowerer *l, const Stage *s, Regions r) {
    const Module *module = l->module;
    const TspMachine *m = &module->machine;
    int32_t lanes = tsp_lanes(m);
    int64_t interval = halfs(module, s) ? m->mxm_fp16_cycles : 1, steps = 0, turning = 0;
    for (int32_t row = 0; row < r.tall; row += lanes) {
        int32_t rows = tsp_min32(lanes, r.tall - row);
        steps += step_cycles(m, interval, r.strip, rows);
        turning += step_cycles(m, 1, rows, 2 * (int32_t)m->mxm_planes * r.strip);
    }
    if (r.tall < s->rows) steps += step_cycles(m, interval, s->rows - r.tall, r.strip);
    turning *= for_host(l, s) ? 0 : module->tensors[s->outputs[0].tensor].bytes;
    return steps * s->term_count + turning / (halfs(module, s) ? m->mxm_planes : 1);
}

/* Cycles from reading the last operand of one stage to the first result of another that needs it:
 * what the turning costs at least where nothing hides it. */
static int64_t pass_cycles(const TspMachine *m) {
    int64_t load = m->mxm_load_cycles + tsp_ceil_div(tsp_lanes(m), m->mxm_load_streams);
    return 2 * (m->mem_read_cycles + load + m->mxm_install_cycles + tsp_op_func(m, TSP_OP_ABC) +
                tsp_op_func(m, TSP_OP_ACC) + m->mem_write_cycles + tsp_mxm_column(m, TSP_EAST));
}

/* Whole planes of rows, all rows, or none: whatever costs least. */
static Regions choose_regions(const Lowerer *l, const Stage *s) {
    const TspMachine *m = &l->module->machine;
    int32_t lanes = tsp_lanes(m);
    int64_t units = halfs(l->module, s) ? 2 : 2 * m->mxm_planes;
    Regions none = {s->cols / lanes * lanes, s->cols % lanes, 0}, best = none;
    int64_t least = strip_cycles(l, s, none) - (for_host(l, s) ? 0 : units * pass_cycles(m));
    const int32_t tall[2] = {s->rows / lanes * lanes, s->rows};
    for (int i = 0; i < 2 && none.strip; i++) {
        Regions r = {none.full, none.strip, tall[i]};
        int64_t cycles = strip_cycles(l, s, r);
        cycles += cycles / 16; /* short steps meet more often on slices and streams */
        if (r.tall && cycles < least) best = r, least = cycles;
    }
    return best;
}

/* There from the start, and one matrix: what the chip makes would have to be written both ways. */
static bool may_change_places(const Tensor *t) {
    int32_t matrix = t->rank < 2 ? t->rows : (int32_t)t->shape[t->rank - (t->transposed ? 1 : 2)];
    return (t->role == TSP_ROLE_INPUT || t->role == TSP_ROLE_CONSTANT) && !t->pieces && !t->flat &&
           t->rows == matrix;
}

static bool divisible(const Module *module, const Stage *s) {
    const TspMachine *m = &module->machine;
    if (s->operand_count > 0 || s->output_count != 1) return false;
    if (m->mxm_accumulator_rows == 0 && s->term_count > 1) return false;
    for (int32_t i = 0; i < s->term_count; i++)
        if (s->terms[i].a_skip || s->terms[i].w_count ||
            !may_change_places(&module->tensors[s->terms[i].a]) ||
            !may_change_places(&module->tensors[s->terms[i].w]))
            return false;
    return true;
}

/* The stage of rows row0.. and columns col0.. of the whole. */
static Stage *add_region(Lowerer *l, const Stage *whole, int32_t row0, int32_t rows, int32_t col0,
                         int32_t cols, TspError *err) {
    Stage *s = lower_new_stage(l, whole->what, rows, cols, err), part = *whole;
    if (!s) return NULL;
    part.rows = rows;
    part.cols = cols;
    part.terms = malloc((size_t)whole->term_count * sizeof *part.terms);
    if (!part.terms) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), NULL;
    for (int32_t i = 0; i < whole->term_count; i++) {
        part.terms[i] = whole->terms[i];
        part.terms[i].a_row0 += row0;
        part.terms[i].w_row0 += col0;
    }
    part.outputs[0].row0 += row0;
    part.outputs[0].ctile0 += col0 / tsp_lanes(&l->module->machine);
    *s = part;
    return s;
}

static void change_places(Module *m, Term *t) {
    *t = (Term){t->w,       t->w_row0, t->w_ctile, t->w_byte, t->a, t->a_row0,
                t->a_ctile, t->a_byte, 0,          0,         0};
    m->tensors[t->a].contiguous = m->tensors[t->a].streamed = true;
    m->tensors[t->w].striped = true;
}

/* The strip's tall part, turned: a row a column of the strip. The tensor it makes, or -1. */
static int32_t add_turned(Lowerer *l, const Stage *whole, Regions r, TspError *err) {
    const Tensor *out = &l->module->tensors[whole->outputs[0].tensor];
    int64_t shape[2] = {r.strip, r.tall};
    int32_t to = lower_new_tensor(l, out->name, ".strip", out->dtype, TSP_ROLE_INTERNAL, 2, shape,
                                  false, err);
    Stage *s = to < 0 ? NULL : add_region(l, whole, 0, r.tall, r.full, r.strip, err);
    if (!s) return -1;
    s->rows = r.strip;
    s->cols = r.tall;
    for (int32_t i = 0; i < s->term_count; i++) change_places(l->module, &s->terms[i]);
    s->outputs[0].tensor = to;
    s->outputs[0].row0 = s->outputs[0].ctile0 = 0;
    return to;
}

/* The whole strip; its tall part, turned, is the tensor returned, or -1. */
static int32_t add_strip(Lowerer *l, const Stage *whole, Regions r, TspError *err) {
    int32_t turned = add_turned(l, whole, r, err), rest = whole->rows - r.tall;
    if (turned < 0 || rest == 0) return turned;
    return add_region(l, whole, r.tall, rest, r.full, r.strip, err) ? turned : -1;
}

static bool add_full(Lowerer *l, const Stage *whole, Regions r, TspError *err) {
    return r.full == 0 || add_region(l, whole, 0, whole->rows, 0, r.full, err);
}

/* The host reads the strip as it is. */
static bool divide_for_host(Lowerer *l, const Stage *whole, Regions r, TspError *err) {
    int32_t turned = add_full(l, whole, r, err) ? add_strip(l, whole, r, err) : -1;
    Tensor *out = &l->module->tensors[whole->outputs[0].tensor];
    if (turned < 0) return false;
    l->module->tensors[turned].contiguous = true;
    out->strip = turned;
    if (r.tall == out->rows && r.full > 0) out->ctiles--; /* no rows are left of the last tile */
    return true;
}

static bool divide_and_turn(Lowerer *l, const Stage *whole, Regions r, TspError *err) {
    int32_t turned = add_strip(l, whole, r, err), column = r.full / tsp_lanes(&l->module->machine);
    Output out = whole->outputs[0];
    return turned >= 0 && add_full(l, whole, r, err) &&
           lower_turn(l, turned, 0, r.strip, out.tensor, out.row0, out.ctile0 + column, err);
}

bool lower_divide(Lowerer *l, TspError *err) {
    Module *m = l->module;
    Stage whole = m->stages[m->stage_count - 1];
    Regions r;
    bool ok;
    if (m->whole_products || !divisible(m, &whole) || !(r = choose_regions(l, &whole)).tall)
        return true;
    m->stage_count--;
    m->divided = true;
    ok = for_host(l, &whole) ? divide_for_host(l, &whole, r, err)
                             : divide_and_turn(l, &whole, r, err);
    free(whole.terms);
    return ok;
}
