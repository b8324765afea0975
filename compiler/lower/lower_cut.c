/* lower_cut.c - curves cut into stages that the machine has ALUs and streams for.
 *
 * A part takes as many steps as fit, delay lines counted, and rather a few less where then fewer
 * values have to pass through memory. Parts are found once for a node, and made for every run of
 * its rows.
 */
#include "lower.h"
#include "compiler/curve/curve.h"
#include "compiler/fuse/fuse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CURVE_PARTS = 48, NO_TENSOR = -1 };

/* In the stages of a plan an operand of the node is tensor k, the result of step j of the curve is
 * tensor ~j. */
struct CurvePlan {
    int32_t node;
    bool ones;
    Stage parts[CURVE_PARTS];
    int32_t part_count, step_count;
    int32_t tensors[CURVE_STEPS]; /* of results that pass through memory */
};

static TspDtype result_type(const Step *step) {
    return step->op == TSP_OP_CVT || step->op == TSP_OP_CVT_SAT ? step->type2 : step->type;
}

static bool takes(const Step *step, int32_t result) {
    return (step->a.kind == FROM_STEP && step->a.index == result) ||
           (step->b.kind == FROM_STEP && step->b.index == result);
}

/* Whether something after `last` steps needs the result. */
static bool outlives(const Curve *c, int32_t result, int32_t last) {
    if (result == c->step_count - 1) return true;
    for (int32_t i = last; i < c->step_count; i++)
        if (takes(&c->steps[i], result)) return true;
    return false;
}

/* An operand or result of the curve as the part that begins with step `first` takes it. */
static From taken(Stage *s, From from, int32_t first) {
    if (from.kind == FROM_STEP && from.index >= first) return (From){FROM_STEP, from.index - first};
    if (from.kind == FROM_STEP) return stage_operand(s, ~from.index, 0, 1);
    return from.kind == FROM_OPERAND ? stage_operand(s, from.index, 0, 0) : from;
}

/* Steps first .. last-1 as a stage, delay lines not yet in it; false if there is none so large. */
static bool make_part(const Curve *c, int32_t first, int32_t last, Stage *s) {
    *s = (Stage){.what = "elementwise", .last = -1, .addresses = -1};
    for (int32_t i = first; i < last; i++) {
        Step step = c->steps[i];
        if (s->step_count == MAX_STEPS || s->operand_count > MAX_OPERANDS - 2) return false;
        step.a = taken(s, step.a, first);
        step.b = taken(s, step.b, first);
        s->steps[s->step_count++] = step;
    }
    for (int32_t i = first; i < last; i++) {
        if (!outlives(c, i, last)) continue;
        if (s->output_count == MAX_OUTPUTS) return false;
        s->outputs[s->output_count++] =
            (Output){.from = {FROM_STEP, i - first},
                     .tensor = ~i,
                     .bytes = tsp_dtype_bytes(result_type(&c->steps[i]))};
    }
    return true;
}

/* Bytes of a row's element that the operands of a part bring, by the types in which they are taken.
 */
static int32_t operand_bytes(const Stage *s) {
    int32_t bytes[MAX_OPERANDS] = {0}, sum = 0;
    for (int32_t i = 0; i < s->step_count; i++) {
        const From from[2] = {s->steps[i].a, s->steps[i].b};
        for (int j = 0; j < 2; j++)
            if (from[j].kind == FROM_OPERAND)
                bytes[from[j].index] = tsp_dtype_bytes(s->steps[i].type);
    }
    for (int32_t i = 0; i < s->operand_count; i++) sum += bytes[i];
    return sum;
}

static int32_t output_bytes(const Stage *s) {
    int32_t sum = 0;
    for (int32_t i = 0; i < s->output_count; i++) sum += s->outputs[i].bytes;
    return sum;
}

/* Whether the machine has the ALUs, one more for each result that goes both ways, and the streams;
 * in a mesh of neighbours few steps find places. */
static bool fits(const TspMachine *m, const Stage *s) {
    enum { NEIGHBOURS = 6 };
    const int32_t alus =
        m->vxm_neighbour_only ? tsp_min32(NEIGHBOURS, (int32_t)m->vxm_alus) : (int32_t)m->vxm_alus;
    return s->step_count + s->output_count <= alus &&
           operand_bytes(s) + output_bytes(s) <= (int32_t)m->streams;
}

/* The part that begins with step `first`, and the step after it; first itself if there is none. */
static int32_t cut_part(const Curve *c, const TspMachine *m, int32_t first, Stage *part) {
    enum { SHORTER = 5 };
    int32_t longest = first, found = first, least = 0;
    for (int32_t last = tsp_min32(first + (int32_t)m->vxm_alus, c->step_count); last > first;
         last--) {
        Stage s, balanced;
        if (found > first && longest - last > SHORTER) break;
        if (!make_part(c, first, last, &s)) continue;
        balanced = s;
        if (!fuse_balance(&balanced, 0) || !fits(m, &balanced)) continue;
        if (found == first) longest = last;
        if (found > first && output_bytes(&s) >= least) continue;
        found = last;
        least = output_bytes(&s);
        *part = s;
        if (last == c->step_count) break;
    }
    return found;
}

static bool cut(Lowerer *l, const Curve *c, TspError *err) {
    struct CurvePlan *p = l->plan;
    p->part_count = 0;
    p->step_count = c->step_count;
    for (int32_t first = 0, last; first < c->step_count; first = last) {
        last = p->part_count < CURVE_PARTS
                   ? cut_part(c, &l->module->machine, first, &p->parts[p->part_count])
                   : first;
        if (last == first)
            return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                            "%s: its steps need more ALUs or streams than the machine has",
                            c->graph->nodes[l->node].name);
        p->part_count++;
    }
    return true;
}

/* The plan of the node being lowered, whose operands stand in stage s. */
static bool find_plan(Lowerer *l, const TspNode *node, const From *in, From ones, TspError *err) {
    const bool masked = ones.kind != FROM_NONE;
    Curve c = {.node = node, .graph = l->graph, .ones = ones};
    if (!l->plan) {
        if (!(l->plan = malloc(sizeof *l->plan)))
            return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        l->plan->node = -1;
    }
    if (l->plan->node == l->node && l->plan->ones == masked) return true;
    if (l->plan->node != l->node)
        for (int32_t i = 0; i < CURVE_STEPS; i++) l->plan->tensors[i] = NO_TENSOR;
    l->plan->node = l->node;
    l->plan->ones = masked;
    memcpy(c.in, in, sizeof c.in);
    curve_write(&c);
    return cut(l, &c, err);
}

/* A tensor for the result of a step, of the form of the node's. */
static int32_t tensor_for(Lowerer *l, int32_t step, TspDtype type, int32_t out, int32_t level,
                          TspError *err) {
    int32_t *slot = &l->plan->tensors[step];
    char suffix[16];
    if (*slot != NO_TENSOR) return *slot;
    Tensor like = l->module->tensors[out], *t;
    snprintf(suffix, sizeof suffix, ".%d", (int)step);
    *slot = lower_new_tensor(l, like.name, suffix, type, TSP_ROLE_INTERNAL, like.rank, like.shape,
                             like.transposed, err);
    if (*slot < 0) return *slot;
    t = &l->module->tensors[*slot];
    t->contiguous = true;
    t->flat = like.flat;
    t->lanewise = like.lanewise;
    t->rows = like.rows;
    t->cols = like.cols;
    t->ctiles = like.ctiles;
    t->run = like.run;
    t->level = level;
    return *slot;
}

static bool place_part(Lowerer *l, Stage *s, const Operand *operands, int32_t out, int32_t row,
                       int32_t level, TspError *err) {
    for (int32_t i = 0; i < s->step_count; i++) s->steps[i].node = l->node;
    for (int32_t i = 0; i < s->operand_count; i++) {
        Operand *o = &s->operands[i];
        *o = o->tensor >= 0
                 ? operands[o->tensor]
                 : (Operand){.tensor = l->plan->tensors[~o->tensor], .row0 = row, .row_step = 1};
    }
    for (int32_t i = 0; i < s->output_count; i++) {
        Output *o = &s->outputs[i];
        const TspDtype type = result_type(&s->steps[o->from.index]);
        o->tensor = ~o->tensor == l->plan->step_count - 1
                        ? out
                        : tensor_for(l, ~o->tensor, type, out, level, err);
        if (o->tensor < 0) return false;
        o->row0 = row;
    }
    return true;
}

int32_t lower_curve(Lowerer *l, const TspNode *node, Stage *stage, const From *in, From ones,
                    int32_t out, int32_t row, TspError *err) {
    const Stage given = *stage;
    int32_t level = 0;
    if (!find_plan(l, node, in, ones, err)) return 0;
    for (int32_t i = 0; i < given.operand_count; i++)
        level = (int32_t)tsp_max64(level, l->module->tensors[given.operands[i].tensor].level);
    for (int32_t i = 0; i < l->plan->part_count; i++) {
        Stage part = l->plan->parts[i];
        part.op = given.op;
        part.rows = given.rows;
        part.cols = given.cols;
        if (!place_part(l, &part, given.operands, out, row, level + i + 1, err)) return 0;
        if (i && !(stage = lower_new_stage(l, part.what, part.rows, part.cols, err))) return 0;
        *stage = part;
    }
    return l->plan->part_count;
}
