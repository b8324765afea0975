/* balance.c - steps of a stage that meet in time.
 *
 * A result is taken in the cycle it is there, and an operand is read at one time, so what is needed
 * later waits in a delay line: ALUs that pass it on, one a level. Levels, multiples of
 * vxm_op_cycles, are chosen so that few are needed: steps that a product leads to come as early as
 * they can, all others as late, and then each moves, alone or with what it is joined to, as long as
 * that saves ALUs. Operands that are read again wait for nobody.
 */
#include "fuse.h"

#include <string.h>

typedef struct {
    const Stage *stage;
    int32_t level[MAX_STEPS];
    bool anchored[MAX_STEPS]; /* a product leads to it */
    uint32_t again;           /* bits of operands that are read at each level that takes them */
} Levels;

/* What is taken as operand j, 0 or 1, of step i. */
static From source(const Stage *s, int32_t i, int j) {
    return j ? s->steps[i].b : s->steps[i].a;
}

static bool same(From x, From y) {
    return x.kind == y.kind && x.index == y.index;
}

static bool is_value(From from) {
    return from.kind == FROM_PRODUCT || from.kind == FROM_OPERAND || from.kind == FROM_STEP;
}

static bool read_again(const Levels *l, From value) {
    return value.kind == FROM_OPERAND && (l->again >> value.index & 1);
}

/* Levels of the first and the last step that takes a value; false if none does. */
static bool takers(const Levels *l, From value, int32_t *first, int32_t *last) {
    bool any = false;
    for (int32_t i = 0; i < l->stage->step_count; i++)
        for (int j = 0; j < 2; j++) {
            if (!same(source(l->stage, i, j), value)) continue;
            if (!any || l->level[i] < *first) *first = l->level[i];
            if (!any || l->level[i] > *last) *last = l->level[i];
            any = true;
        }
    return any;
}

/* Level at which a value is there: operands come when they are first needed. */
static int32_t there(const Levels *l, From value) {
    int32_t first = 0, last;
    if (value.kind == FROM_PRODUCT) return 0;
    if (value.kind == FROM_STEP) return l->level[value.index] + 1;
    takers(l, value, &first, &last);
    return first;
}

/* ALUs that pass a value on. */
static int32_t delays(const Levels *l, From value) {
    int32_t first, last;
    if (read_again(l, value)) return 0;
    return takers(l, value, &first, &last) ? last - there(l, value) : 0;
}

static int32_t all_delays(const Levels *l) {
    int32_t sum = 0;
    for (int32_t i = 0; i < tsp_stage_products(l->stage); i++)
        sum += delays(l, (From){FROM_PRODUCT, i});
    for (int32_t i = 0; i < l->stage->operand_count; i++) sum += delays(l, (From){FROM_OPERAND, i});
    for (int32_t i = 0; i < l->stage->step_count; i++) sum += delays(l, (From){FROM_STEP, i});
    return sum;
}

/* The least level that the product and other steps allow; false if these do not matter. */
static bool earliest(const Levels *l, int32_t i, bool anchored_only, int32_t *level) {
    bool any = false;
    for (int j = 0; j < 2; j++) {
        From from = source(l->stage, i, j);
        bool counts = from.kind == FROM_PRODUCT ||
                      (from.kind == FROM_STEP && (l->anchored[from.index] || !anchored_only));
        if (!counts) continue;
        if (!any || there(l, from) > *level) *level = there(l, from);
        any = true;
    }
    return any;
}

static void first_levels(Levels *l) {
    int32_t first, last;
    for (int32_t i = 0; i < l->stage->step_count; i++) {
        l->level[i] = 0;
        l->anchored[i] = earliest(l, i, true, &l->level[i]);
    }
    for (int32_t i = l->stage->step_count - 1; i >= 0; i--)
        if (!l->anchored[i] && takers(l, (From){FROM_STEP, i}, &first, &last))
            l->level[i] = first - 1;
}

/* Whether two steps stand so that what one makes, or both take, does not wait. */
static bool joined(const Levels *l, int32_t maker, int32_t taker) {
    for (int j = 0; j < 2; j++) {
        const From from = source(l->stage, taker, j);
        if (from.kind == FROM_STEP && from.index == maker)
            return l->level[taker] == l->level[maker] + 1;
        for (int k = 0; k < 2 && from.kind == FROM_OPERAND && !read_again(l, from); k++)
            if (same(from, source(l->stage, maker, k))) return l->level[taker] == l->level[maker];
    }
    return false;
}

static bool takes(const Levels *l, int32_t taker, int32_t maker) {
    const From made = {FROM_STEP, maker};
    return same(source(l->stage, taker, 0), made) || same(source(l->stage, taker, 1), made);
}

/* Steps that move with step i: those that it would push, or with `all` whatever is joined to it. */
static uint32_t moving_with(const Levels *l, int32_t i, int32_t by, bool all) {
    uint32_t moving = 1u << i;
    for (uint32_t before = 0; before != moving;) {
        before = moving;
        for (int32_t a = 0; a < l->stage->step_count; a++)
            for (int32_t b = a + 1; b < l->stage->step_count; b++) {
                if (!joined(l, a, b) || (!all && !takes(l, b, a))) continue;
                if ((moving >> a & 1) && (all || by > 0)) moving |= 1u << b;
                if ((moving >> b & 1) && (all || by < 0)) moving |= 1u << a;
            }
    }
    return moving;
}

/* Whether no step comes before what it takes. */
static bool in_order(const Levels *l) {
    for (int32_t i = 0; i < l->stage->step_count; i++) {
        int32_t low = l->level[i];
        if (earliest(l, i, false, &low) && low > l->level[i]) return false;
    }
    return true;
}

/* Moves a step, and what it takes along, by one level if fewer ALUs wait then; whether it did. */
static bool shift(Levels *l, int32_t i, int32_t by, bool all) {
    const uint32_t moving = moving_with(l, i, by, all);
    const int32_t before = all_delays(l);
    for (int32_t k = 0; k < l->stage->step_count; k++) l->level[k] += (moving >> k & 1) ? by : 0;
    if (in_order(l) && all_delays(l) < before) return true;
    for (int32_t k = 0; k < l->stage->step_count; k++) l->level[k] -= (moving >> k & 1) ? by : 0;
    return false;
}

static void choose_levels(Levels *l) {
    first_levels(l);
    for (bool moved = all_delays(l) > 0; moved;) {
        moved = false;
        for (int32_t i = l->stage->step_count - 1; i >= 0; i--)
            for (int32_t by = -1; by <= 1; by += 2)
                moved |= shift(l, i, by, false) || shift(l, i, by, true);
    }
}

static TspDtype result_type(const Step *step) {
    return step->op == TSP_OP_CVT || step->op == TSP_OP_CVT_SAT ? step->type2 : step->type;
}

/* Some value that has to wait; false if none has to. */
static bool find_waiting(const Levels *l, From *value) {
    for (int32_t i = 0; i < l->stage->step_count; i++)
        for (int j = 0; j < 2; j++) {
            *value = source(l->stage, i, j);
            if (is_value(*value) && delays(l, *value) > 0) return true;
        }
    return false;
}

/* Whoever takes the value after it is there takes it from one more ALU. */
static void delay(Levels *l, Stage *s, From value) {
    const int32_t at = value.kind == FROM_STEP ? value.index + 1 : 0, level = there(l, value);
    Step pass = {.op = TSP_OP_PASS, .a = value};
    stage_insert_step(s, at, pass);
    memmove(&l->level[at + 1], &l->level[at], (size_t)(MAX_STEPS - at - 1) * sizeof level);
    l->level[at] = level;
    for (int32_t i = s->step_count - 1; i > at; i--) {
        From *from[2] = {&s->steps[i].a, &s->steps[i].b};
        for (int j = 0; j < 2; j++) {
            if (!same(*from[j], value)) continue;
            pass.type = s->steps[i].type;
            if (l->level[i] == level) continue;
            pass.node = s->steps[i].node;
            *from[j] = (From){FROM_STEP, at};
        }
    }
    if (value.kind == FROM_STEP) pass.type = result_type(&s->steps[value.index]);
    s->steps[at].type = s->steps[at].type2 = pass.type;
    s->steps[at].node = pass.node;
}

/* Steps that take an operand later than the first do read another copy. */
static bool read_copies(const Levels *l, Stage *s, int32_t operand) {
    const From value = {FROM_OPERAND, operand};
    int32_t first = 0, last = -1, copy = 0;
    takers(l, value, &first, &last);
    for (int32_t level = first + 1; level <= last; level++) {
        bool any = false;
        for (int32_t i = 0; i < s->step_count; i++) {
            From *from[2] = {&s->steps[i].a, &s->steps[i].b};
            for (int j = 0; j < 2; j++) {
                if (l->level[i] != level || !same(*from[j], value)) continue;
                from[j]->index = s->operand_count;
                any = true;
            }
        }
        if (!any) continue;
        if (s->operand_count == MAX_OPERANDS) return false;
        s->operands[s->operand_count] = s->operands[operand];
        s->operands[s->operand_count++].copy = ++copy;
    }
    return true;
}

bool fuse_balance(Stage *s, uint32_t again) {
    Levels l = {.stage = s, .again = again};
    Stage balanced = *s;
    From value;
    choose_levels(&l);
    if (s->step_count + all_delays(&l) > MAX_STEPS) return false;
    for (int32_t i = 0; i < s->operand_count; i++)
        if ((again >> i & 1) && !read_copies(&l, &balanced, i)) return false;
    l.stage = &balanced;
    l.again = 0;
    while (find_waiting(&l, &value)) delay(&l, &balanced, value);
    *s = balanced;
    return true;
}
