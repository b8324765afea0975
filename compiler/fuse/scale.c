/* scale.c - factors that are powers of two.
 *
 * Such a factor changes no digit, so it may be applied anywhere: numbers are made and kept times a
 * power of two of each step's own, and a multiplication whose result differs from its operand by
 * just its factor is no step any more. Which exponents go together is a system of equations: the
 * sum's are those of what is added, the product's their sum, and where a curve or another type is
 * made of a number it is 0. A multiplication by a known number leaves a free choice, and so does an
 * operand that the graph gives: there may be a second one, times 2^k.
 */
#include "fuse.h"
#include "scale.h"
#include "isa/half.h"

#include <math.h>
#include <stdlib.h>

/* MOST_LEFT_OUT: factors of a stage that are tried. LEAST, GREATEST: exponents of float32 numbers
 * that are neither subnormal nor infinite. */
enum { UNKNOWNS = MAX_STEPS + MAX_OPERANDS, MOST_LEFT_OUT = 5, LEAST = -126, GREATEST = 127 };

/* An exponent as a sum of unknowns, each so many times, and a constant. */
typedef struct {
    int32_t times[UNKNOWNS], constant;
} Sum;

typedef struct {
    const Module *m;
    const Stage *s;
    int32_t any; /* tensor that may have whatever exponent; -1 none */
    Range range[MAX_STEPS];
    Sum solution[UNKNOWNS]; /* of what is solved */
    bool solved[UNKNOWNS], possible;
} System;

/* Unknown i is the exponent of step i's result, unknown MAX_STEPS + j that of operand j. */
static Sum unknown(int32_t i) {
    Sum sum = {{0}, 0};
    sum.times[i] = 1;
    return sum;
}

static Sum added(Sum a, const Sum *b, int32_t times) {
    for (int32_t i = 0; i < UNKNOWNS; i++) a.times[i] += times * b->times[i];
    a.constant += times * b->constant;
    return a;
}

/* The sum with what is solved put in. */
static Sum reduced(const System *y, Sum sum) {
    for (int32_t i = 0; i < UNKNOWNS; i++) {
        const int32_t times = sum.times[i];
        if (!times || !y->solved[i]) continue;
        sum.times[i] = 0;
        sum = added(sum, &y->solution[i], times);
    }
    return sum;
}

/* a = b + constant, if that contradicts nothing; an unknown is solved for where it occurs once, so
 * that all stay whole. */
static bool equate(System *y, Sum a, Sum b, int32_t constant) {
    const Sum rest = reduced(y, added(a, &b, -1));
    bool any = false;
    for (int32_t i = 0; i < UNKNOWNS; i++) {
        Sum solution = {{0}, constant * rest.times[i]};
        any |= rest.times[i] != 0;
        if (abs(rest.times[i]) != 1) continue;
        solution = added(solution, &rest, -rest.times[i]);
        solution.times[i] = 0;
        y->solution[i] = solution;
        y->solved[i] = true;
        for (int32_t k = 0; k < UNKNOWNS; k++)
            if (y->solved[k]) y->solution[k] = reduced(y, y->solution[k]);
        return true;
    }
    return !any && rest.constant == constant;
}

static void must_be(System *y, Sum a, Sum b) {
    y->possible &= equate(y, a, b, 0);
}

static bool is_float(const Step *step) {
    return step->type == TSP_F32;
}

/* The exponent of what a step takes. */
static Sum exponent_of(From from) {
    const Sum none = {{0}, 0};
    return from.kind == FROM_STEP      ? unknown(from.index)
           : from.kind == FROM_OPERAND ? unknown(MAX_STEPS + from.index)
                                       : none;
}

/* Whether a step multiplies by a known number. */
static bool is_factor(const Step *step) {
    return is_float(step) && step->op == TSP_OP_MUL &&
           (step->a.kind == FROM_IMM || step->b.kind == FROM_IMM);
}

static From multiplied(const Step *step) {
    return step->a.kind == FROM_IMM ? step->b : step->a;
}

/* Whether it is a power of two, of 2^*exponent. */
static bool is_power(const Step *step, int32_t *exponent) {
    int e;
    if (!is_factor(step) || frexpf(tsp_f32_from_bits(step->imm), &e) != 0.5f) return false;
    *exponent = e - 1;
    return true;
}

static void step_equations(System *y, int32_t i) {
    const Step *step = &y->s->steps[i];
    const Sum none = {{0}, 0}, result = unknown(i), a = exponent_of(step->a),
              b = exponent_of(step->b);
    if (is_factor(step)) return;
    switch (is_float(step) ? step->op : TSP_OP_CVT) {
    case TSP_OP_MUL:
        must_be(y, result, added(a, &b, 1));
        break;
    case TSP_OP_ADD:
    case TSP_OP_SUB:
    case TSP_OP_MAX:
    case TSP_OP_MIN:
        must_be(y, result, step->a.kind == FROM_IMM ? b : a);
        if (step->a.kind != FROM_IMM && step->b.kind != FROM_IMM) must_be(y, a, b);
        break;
    case TSP_OP_PASS:
    case TSP_OP_NEG:
    case TSP_OP_ABS:
    case TSP_OP_RELU:
        must_be(y, result, a);
        break;
    default:
        must_be(y, result, none);
        must_be(y, a, none);
        must_be(y, b, none);
    }
}

/* A row that the graph gives, so that there may be one of other exponents. */
static bool may_scale(const Module *m, const Operand *o) {
    const Tensor *t = &m->tensors[o->tensor];
    return t->role == TSP_ROLE_CONSTANT && t->dtype == TSP_F32 && t->data && !t->flat &&
           !t->pieces && !t->striped;
}

static Sum constant(int32_t exponent) {
    return (Sum){{0}, exponent};
}

/* What holds whatever is left out. */
static void equations(System *y) {
    const Stage *s = y->s;
    const Tensor *tensors = y->m->tensors;
    for (int32_t i = 0; i < s->operand_count; i++) {
        const Operand *o = &s->operands[i];
        if (o->tensor != y->any && !may_scale(y->m, o))
            must_be(y, unknown(MAX_STEPS + i), constant(tensors[o->tensor].exponent));
    }
    for (int32_t i = 0; i < s->step_count; i++) step_equations(y, i);
    for (int32_t i = 0; i < s->output_count; i++)
        must_be(y, exponent_of(s->outputs[i].from),
                constant(tensors[s->outputs[i].tensor].exponent));
}

/* Leaves the rest as it was, as far as that can be. */
static void settle(System *y) {
    const Sum none = {{0}, 0};
    for (int32_t i = 0; i < y->s->operand_count; i++) equate(y, unknown(MAX_STEPS + i), none, 0);
    for (int32_t i = 0; i < y->s->step_count; i++)
        if (is_factor(&y->s->steps[i]))
            equate(y, unknown(i), exponent_of(multiplied(&y->s->steps[i])), 0);
}

static int32_t solved(const System *y, Sum sum) {
    return reduced(y, sum).constant;
}

/* Whether numbers of a range, times 2^exponent too, keep all their digits. */
static bool keeps_digits(Range r, int32_t exponent) {
    return r.sure && r.low >= LEAST && r.high <= GREATEST && r.low + exponent >= LEAST &&
           r.high + exponent <= GREATEST;
}

/* A known number times 2^exponent; false if that is no longer the same number. */
static bool scale_number(Step *step, int32_t exponent) {
    const float x = tsp_f32_from_bits(step->imm);
    if (x != 0 && !keeps_digits(range_of_number((double)x), exponent)) return false;
    step->imm = tsp_f32_bits(ldexpf(x, exponent));
    return true;
}

static From moved(const From *now, From from) {
    return from.kind == FROM_STEP ? now[from.index] : from;
}

/* Whether a step makes or takes something times a power of two. */
static bool is_scaled(const System *y, int32_t i) {
    const Step *step = &y->s->steps[i];
    return solved(y, unknown(i)) || solved(y, exponent_of(step->a)) ||
           solved(y, exponent_of(step->b));
}

/* The stage as the solution has it, without the steps of `left_out`; false if digits are lost. */
static bool rewrite(const System *y, uint32_t left_out, Stage *to) {
    From now[MAX_STEPS];
    *to = *y->s;
    to->step_count = 0;
    for (int32_t i = 0; i < y->s->operand_count; i++) {
        const int32_t exponent = solved(y, unknown(MAX_STEPS + i));
        if (may_scale(y->m, &to->operands[i])) to->operands[i].exponent = exponent;
        if (exponent && !keeps_digits(y->m->tensors[to->operands[i].tensor].range, exponent))
            return false;
    }
    for (int32_t i = 0; i < y->s->step_count; i++) {
        Step step = y->s->steps[i];
        const int32_t exponent = solved(y, unknown(i));
        const bool known = step.a.kind == FROM_IMM || step.b.kind == FROM_IMM;
        const bool stays = !(left_out >> i & 1);
        if ((!stays || is_scaled(y, i)) && !keeps_digits(y->range[i], exponent)) return false;
        if (!stays) {
            now[i] = moved(now, multiplied(&step));
            continue;
        }
        if (known && is_float(&step) &&
            !scale_number(&step, is_factor(&step)
                                     ? exponent - solved(y, exponent_of(multiplied(&step)))
                                     : exponent))
            return false;
        step.a = moved(now, step.a);
        step.b = moved(now, step.b);
        now[i] = (From){FROM_STEP, to->step_count};
        to->steps[to->step_count++] = step;
    }
    for (int32_t i = 0; i < to->output_count; i++) {
        to->outputs[i].from = moved(now, to->outputs[i].from);
        if (to->outputs[i].from.kind != FROM_STEP) return false; /* some step must make it */
    }
    return true;
}

/* Solves for the stage without some of its factors: bit k of `what` for the k-th. */
static bool solve(System *y, const int32_t *powers, uint32_t what) {
    for (int32_t k = 0, exponent; k < MOST_LEFT_OUT; k++) {
        const Step *step = &y->s->steps[powers[k]];
        if (!(what >> k & 1)) continue;
        if (!is_power(step, &exponent) ||
            !equate(y, unknown(powers[k]), exponent_of(multiplied(step)), -exponent))
            return false;
    }
    settle(y);
    return true;
}

/* The stage without the factors of `what`; false if there is none. */
static bool candidate(const System *given, const int32_t *powers, uint32_t what, Stage *to) {
    System y = *given;
    uint32_t left_out = 0;
    for (int32_t k = 0; k < MOST_LEFT_OUT; k++)
        if (what >> k & 1) left_out |= 1u << powers[k];
    return solve(&y, powers, what) && rewrite(&y, left_out, to) && fuse_reread(y.m, to);
}

/* The first factors of a stage that are powers of two; returns how many. */
static int32_t find_powers(const Stage *s, int32_t powers[MOST_LEFT_OUT]) {
    int32_t count = 0, exponent;
    for (int32_t i = 0; i < s->step_count && count < MOST_LEFT_OUT; i++)
        if (is_power(&s->steps[i], &exponent)) powers[count++] = i;
    return count;
}

/* Whether it reads or makes a tensor of other numbers than it seems. */
static bool meets_scaled(const Module *m, const Stage *s) {
    bool any = false;
    for (int32_t i = 0; i < s->operand_count; i++)
        any |= m->tensors[s->operands[i].tensor].exponent != 0;
    for (int32_t i = 0; i < s->output_count; i++)
        any |= m->tensors[s->outputs[i].tensor].exponent != 0;
    return any;
}

bool fuse_settle(const Module *m, Stage *s) {
    System y = {.m = m, .s = s, .any = -1, .possible = true};
    Stage best = *s, other;
    const bool fixed = m->unfused || m->unscaled;
    int32_t powers[MOST_LEFT_OUT] = {0}, count = fixed ? 0 : find_powers(s, powers);
    const bool scaled = meets_scaled(m, s);
    bool fits = !scaled && fuse_reread(m, &best);
    if (count || scaled) equations(&y);
    if ((count || scaled) && y.possible) {
        fuse_step_ranges(m, s, y.range);
        for (uint32_t what = !scaled; what < 1u << count; what++) {
            if (!candidate(&y, powers, what, &other)) continue;
            if (fits && other.step_count >= best.step_count) continue;
            best = other;
            fits = true;
        }
    }
    if (fits) *s = best;
    return fits;
}

int32_t fuse_powers(const Stage *s) {
    int32_t count = 0, exponent;
    for (int32_t i = 0; i < s->step_count; i++) count += is_power(&s->steps[i], &exponent);
    return count;
}

bool fuse_wish(const Module *m, const Stage *s, int32_t tensor, uint32_t what, int32_t *exponent) {
    System y = {.m = m, .s = s, .any = tensor, .possible = true};
    int32_t powers[MOST_LEFT_OUT] = {0};
    *exponent = 0;
    if (what >= 1u << find_powers(s, powers)) return false;
    equations(&y);
    if (!y.possible || !solve(&y, powers, what)) return true;
    for (int32_t i = 0; i < s->operand_count; i++)
        if (s->operands[i].tensor == tensor) *exponent = solved(&y, unknown(MAX_STEPS + i));
    return true;
}
