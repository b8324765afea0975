/* range.c - how large and how small the numbers of a stage can be.
 *
 * A range says what is sure of elements: they are finite, and which powers of two their magnitudes
 * lie between if they are not zero. Sure are whole numbers, what the graph gives, and what follows
 * from both; inputs may be anything.
 */
#include "scale.h"
#include "compiler/number.h"

enum { DIGITS = 24, NEVER = 4096 }; /* of a float32; beyond all exponents */

static const Range whole = {true, true, 0, 32}, unknown = {0};

static int32_t least(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t greatest(int32_t a, int32_t b) {
    return a > b ? a : b;
}

Range range_of_number(double x) {
    int exponent;
    if (!isfinite(x)) return unknown;
    if (x == 0) return (Range){true, true, NEVER, -NEVER};
    frexp(x, &exponent); /* 2^(exponent - 1) <= |x| < 2^exponent */
    return (Range){true, false, exponent - 1, exponent};
}

Range range_join(Range a, Range b) {
    return (Range){a.sure && b.sure, a.zero || b.zero, least(a.low, b.low),
                   greatest(a.high, b.high)};
}

Range range_of_data(TspDtype type, const uint8_t *data, int64_t elements) {
    Range all = range_of_number(tsp_load_double(type, data, 0));
    for (int64_t i = 1; i < elements && all.sure; i++)
        all = range_join(all, range_of_number(tsp_load_double(type, data, i)));
    return all;
}

/* Where two numbers nearly cancel, both have bits of the greater one's size; or one is zero. */
static Range sum(Range a, Range b) {
    int32_t low = greatest(a.low, b.low) - DIGITS - 1;
    if (a.zero) low = least(low, b.low);
    if (b.zero) low = least(low, a.low);
    return (Range){true, true, low, greatest(a.high, b.high) + 1};
}

static Range of_floats(TspOpcode op, Range a, Range b) {
    switch (op) {
    case TSP_OP_MUL:
        return (Range){true, a.zero || b.zero, a.low + b.low, a.high + b.high};
    case TSP_OP_ADD:
    case TSP_OP_SUB:
        return sum(a, b);
    case TSP_OP_MAX:
    case TSP_OP_MIN:
        return range_join(a, b);
    case TSP_OP_PASS:
    case TSP_OP_NEG:
    case TSP_OP_ABS:
        return a;
    case TSP_OP_RELU:
        return (Range){true, true, a.low, a.high};
    case TSP_OP_TANH:
        return (Range){true, a.zero, least(a.low, 0) - 1, 1};
    default:
        return unknown;
    }
}

/* Of what step i takes as its operand j. */
static Range taken(const Module *m, const Stage *s, int32_t i, int j, const Range *range) {
    const Step *step = &s->steps[i];
    const From from = j ? step->b : step->a;
    switch (from.kind) {
    case FROM_STEP:
        return range[from.index];
    case FROM_OPERAND:
        return m->tensors[s->operands[from.index].tensor].range;
    case FROM_IMM:
        return range_of_number((double)tsp_f32_from_bits(step->imm));
    case FROM_NONE:
        return range_of_number(0);
    default:
        return tsp_dtype_is_float(step->type) ? unknown : whole;
    }
}

void fuse_step_ranges(const Module *m, const Stage *s, Range range[MAX_STEPS]) {
    for (int32_t i = 0; i < s->step_count; i++) {
        const Step *step = &s->steps[i];
        const bool converts = step->op == TSP_OP_CVT || step->op == TSP_OP_CVT_SAT;
        const TspDtype type = converts ? step->type2 : step->type;
        const Range a = taken(m, s, i, 0, range), b = taken(m, s, i, 1, range);
        if (!tsp_dtype_is_float(type))
            range[i] = whole;
        else if (type != TSP_F32 || (converts && tsp_dtype_is_float(step->type)))
            range[i] = unknown;
        else if (converts)
            range[i] = whole;
        else
            range[i] = a.sure && b.sure ? of_floats(step->op, a, b) : unknown;
    }
}

static Range given(const Tensor *t) {
    if (!tsp_dtype_is_float(t->dtype)) return whole;
    if (t->dtype != TSP_F32 || t->role != TSP_ROLE_CONSTANT || !t->data || t->striped)
        return unknown;
    int64_t elements = 1;
    for (int32_t d = 0; d < t->rank; d++) elements *= t->shape[d];
    return range_of_data(t->dtype, t->data, elements);
}

void fuse_find_ranges(Module *m) {
    const Range nothing = {true, false, NEVER, -NEVER};
    for (int32_t i = 0; i < m->tensor_count; i++)
        m->tensors[i].range =
            m->tensors[i].role == TSP_ROLE_INTERNAL ? nothing : given(&m->tensors[i]);
    for (int32_t i = 0; i < m->stage_count; i++) {
        const Stage *s = &m->stages[i];
        Range range[MAX_STEPS];
        fuse_step_ranges(m, s, range);
        for (int32_t o = 0; o < s->output_count; o++) {
            Tensor *t = &m->tensors[s->outputs[o].tensor];
            const From from = s->outputs[o].from;
            t->range = range_join(t->range, from.kind == FROM_STEP         ? range[from.index]
                                            : tsp_dtype_is_float(t->dtype) ? unknown
                                                                           : whole);
        }
        for (int32_t p = 0; p < s->partials; p++) m->tensors[s->partial + p].range = unknown;
    }
}
