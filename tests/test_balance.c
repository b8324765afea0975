/* test_balance.c - steps that meet in time: random ones still make the same values, by an
 * evaluation of their own, all meet, and few ALUs wait.
 */
#include "compiler/fuse/fuse.h"
#include "compiler/schedule/schedule.h"

#include "seeded.h"
#include "suite.h"
#include <inttypes.h>

enum { UNKNOWN = INT32_MIN };

/* A step takes what is there already: operands, the product, results of steps before it. */
static From random_source(const Stage *s, int32_t operands) {
    if (s->product && one_in(4)) return from_product();
    if (s->step_count > 0 && !one_in(3)) return (From){FROM_STEP, random_below(s->step_count)};
    return (From){FROM_OPERAND, random_below(operands)};
}

static void random_stage(Stage *s, int32_t steps) {
    const int32_t operands = pick(1, 4);
    *s = (Stage){.product = one_in(2), .operand_count = operands};
    for (int32_t i = 0; i < operands; i++) s->operands[i].tensor = i;
    for (int32_t i = 0; i < steps; i++) {
        From a = random_source(s, operands), b = random_source(s, operands);
        if (one_in(3)) b = one_in(2) ? from_none() : from_imm();
        stage_step(s, TSP_OP_MUL, TSP_F32, TSP_F32, a, b, (uint32_t)i);
    }
    s->outputs[s->output_count++].from = (From){FROM_STEP, steps - 1};
    if (one_in(3)) s->outputs[s->output_count++].from = (From){FROM_STEP, random_below(steps)};
}

/* A number that stands for a value: what passes on keeps it. */
static uint64_t value_of(const Stage *s, From from) {
    const Step *step = &s->steps[from.index];
    uint64_t a, b;
    if (from.kind != FROM_STEP)
        return (uint64_t)from.kind * 1000 +
               (from.kind == FROM_OPERAND ? (uint64_t)s->operands[from.index].tensor : 0);
    a = value_of(s, step->a);
    if (step->op == TSP_OP_PASS) return a;
    b = value_of(s, step->b);
    return (a * UINT64_C(0x9e3779b97f4a7c15) ^ (b + 77) * UINT64_C(0xbf58476d1ce4e5b9)) +
           step->imm * UINT64_C(0x94d049bb133111eb);
}

static void set_level(int32_t *level, int32_t to, bool *meet) {
    *meet &= *level == UNKNOWN || *level == to;
    *level = to;
}

/* Whether everything is taken the moment it is there, and operands at one time: the levels follow
 * from those of the steps after them; `last` of what nothing takes is free. */
static bool meets(const Stage *s, int32_t most) {
    StepTimes times;
    int32_t operand[MAX_OPERANDS], product = UNKNOWN;
    bool meet = true;
    if (!schedule_times(s, s->product, &times, 1)) return false;
    for (int32_t i = 0; i < MAX_OPERANDS; i++) operand[i] = UNKNOWN;
    for (int32_t i = 0; i < s->step_count; i++) {
        const From from[2] = {s->steps[i].a, s->steps[i].b};
        for (int j = 0; j < 2; j++) {
            if (from[j].kind == FROM_STEP)
                meet &= from[j].index < i && times.step[from[j].index] + 1 == times.step[i];
            if (from[j].kind == FROM_OPERAND)
                set_level(&operand[from[j].index], times.step[i], &meet);
            if (from[j].kind == FROM_PRODUCT) set_level(&product, times.step[i], &meet);
        }
    }
    return meet && s->step_count <= most;
}

/* The fewest ALUs that must wait, by trying all levels below `depth`. */
static int32_t waiting(const Stage *s, const int32_t *level) {
    int32_t sum = 0;
    for (int32_t v = 0; v < s->step_count + s->operand_count + s->product; v++) {
        const From value = v < s->step_count ? (From){FROM_STEP, v}
                           : v < s->step_count + s->operand_count
                               ? (From){FROM_OPERAND, v - s->step_count}
                               : from_product();
        int32_t first = INT32_MAX, last = INT32_MIN;
        for (int32_t i = 0; i < s->step_count; i++) {
            const From from[2] = {s->steps[i].a, s->steps[i].b};
            for (int j = 0; j < 2; j++) {
                if (from[j].kind != value.kind || from[j].index != value.index) continue;
                first = tsp_min32(first, level[i]);
                last = last > level[i] ? last : level[i];
            }
        }
        if (last == INT32_MIN) continue;
        if (value.kind == FROM_STEP) first = level[value.index] + 1;
        if (value.kind == FROM_PRODUCT) first = 0;
        if (value.kind != FROM_OPERAND) {
            for (int32_t i = 0; i < s->step_count; i++) { /* none may come before it is there */
                const From from[2] = {s->steps[i].a, s->steps[i].b};
                for (int j = 0; j < 2; j++)
                    if (from[j].kind == value.kind && from[j].index == value.index &&
                        level[i] < first)
                        return INT32_MAX / 2;
            }
        }
        sum += last - first;
    }
    return sum;
}

static int32_t fewest(const Stage *s, int32_t *level, int32_t step, int32_t depth) {
    int32_t best = INT32_MAX;
    if (step == s->step_count) return waiting(s, level);
    for (int32_t at = s->product ? -depth : 0; at < depth; at++) {
        level[step] = at;
        best = tsp_min32(best, fewest(s, level, step + 1, depth));
    }
    return best;
}

START_TEST(random_steps_meet) {
    int64_t steps = 0, more = 0;
    random_start();
    for (int32_t i = 0; i < 20000; i++) {
        Stage before, after;
        random_stage(&before, pick(1, 12));
        after = before;
        if (!fuse_balance(&after, 0)) {
            ck_assert_mem_eq(&after, &before, sizeof after);
            continue;
        }
        ck_assert(meets(&after, MAX_STEPS));
        ck_assert_int_eq(after.output_count, before.output_count);
        for (int32_t o = 0; o < before.output_count; o++)
            ck_assert(value_of(&after, after.outputs[o].from) ==
                      value_of(&before, before.outputs[o].from));
        steps += after.step_count;
        before = after; /* with its delay lines it needs next to no others */
        if (fuse_balance(&after, 0)) more += after.step_count - before.step_count;
    }
    printf("steps: %" PRId64 ", balanced again %" PRId64 " more\n", steps, more);
    ck_assert_int_le(more * 200, steps);
}
END_TEST

/* Operands that are read again make the same values, wait for nobody, and each reading has a copy
 * of its own. */
START_TEST(operands_read_again) {
    int64_t waiting_steps = 0, reading_steps = 0;
    random_start();
    for (int32_t i = 0; i < 20000; i++) {
        Stage before, after, plain;
        random_stage(&before, pick(1, 12));
        after = plain = before;
        if (!fuse_balance(&after, (1u << before.operand_count) - 1) || !fuse_balance(&plain, 0))
            continue;
        ck_assert(meets(&after, MAX_STEPS));
        for (int32_t o = 0; o < before.output_count; o++)
            ck_assert(value_of(&after, after.outputs[o].from) ==
                      value_of(&before, before.outputs[o].from));
        for (int32_t k = 0; k < after.step_count; k++)
            ck_assert(after.steps[k].op != TSP_OP_PASS || after.steps[k].a.kind != FROM_OPERAND);
        for (int32_t k = 0; k < after.operand_count; k++)
            for (int32_t j = 0; j < k; j++)
                ck_assert(after.operands[j].tensor != after.operands[k].tensor ||
                          after.operands[j].copy != after.operands[k].copy);
        waiting_steps += plain.step_count;
        reading_steps += after.step_count;
    }
    printf("steps: %" PRId64 ", read again %" PRId64 "\n", waiting_steps, reading_steps);
    ck_assert_int_lt(reading_steps * 10, waiting_steps * 9);
}
END_TEST

/* Against the best of all levels, which small stages allow to look for. */
START_TEST(few_wait) {
    int64_t ours = 0, best = 0;
    random_start();
    for (int32_t i = 0; i < 1500; i++) {
        int32_t level[MAX_STEPS], least;
        Stage s, after;
        random_stage(&s, pick(1, 4));
        after = s;
        ck_assert(fuse_balance(&after, 0));
        least = fewest(&s, level, 0, 5);
        ck_assert_int_ge(after.step_count - s.step_count, least);
        ours += after.step_count - s.step_count;
        best += least;
    }
    printf("ALUs that wait: %" PRId64 ", at best %" PRId64 "\n", ours, best);
    ck_assert_int_le(ours * 100, best * 102);
}
END_TEST

/* Delay lines are shared, and one longer than a stage is refused. */
START_TEST(delay_lines) {
    Stage s = {.operand_count = 1};
    From x = {FROM_OPERAND, 0}, y = x;
    for (int i = 0; i < 5; i++)
        y = stage_step(&s, TSP_OP_MUL, TSP_F32, TSP_F32, y, i > 2 ? x : from_none(), 0);
    s.outputs[s.output_count++].from = y;
    ck_assert(fuse_balance(&s, 0));
    ck_assert_int_eq(s.step_count, 5 + 4);
    s = (Stage){.operand_count = 1};
    for (int i = 0; i < 14; i++)
        y = stage_step(&s, TSP_OP_MUL, TSP_F32, TSP_F32, i ? y : x, i == 13 ? x : from_none(), 0);
    ck_assert(!fuse_balance(&s, 0));
    ck_assert_int_eq(s.step_count, 14);
}
END_TEST

int main(void) {
    Suite *s = suite_create("balance");
    TCase *c = tcase_create("balance");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, random_steps_meet);
    tcase_add_test(c, operands_read_again);
    tcase_add_test(c, few_wait);
    tcase_add_test(c, delay_lines);
    suite_add_tcase(s, c);
    return run_suite(s);
}
