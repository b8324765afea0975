/* test_cosim.c - random programs on both engines and before the verifier: what is legal runs alike
 * to the bit and to the cycle; what has a planted fault is refused alike by all three.
 *
 * In the environment: COSIM_TINY, COSIM_TSP1, COSIM_FAULTS are how many legal programs on either
 * machine and how many planted faults; COSIM_TALLY=1 prints counts. A disagreement prints the
 * TSP_TEST_SEED that starts with it.
 */
#include "cosim.h"
#include "plant.h"

#include "suite.h"

static Random program;

typedef struct {
    int32_t legal, stopped, flows, conditions;
    int64_t cycles, instructions;
} Tally;

static int64_t wanted(const char *name, int64_t least) {
    const char *text = getenv(name), *scale = getenv("TSP_TEST_SCALE");
    if (text) return strtoll(text, NULL, 10);
    return scale && !strcmp(scale, "small") ? least / 20 + 1 : least;
}

static void cosimulate(uint64_t seed, const char *machine, bool every_cycle, Tally *tally) {
    TspSimOptions options = {0};
    TspVerifyOptions check = {0};
    TspProgram p;
    TspProof proof;
    TspError err = {0};
    Cosim c;
    random_from(seed);
    random_program(&program, machine, every_cycle ? pick(1, 14) : pick(6, 20), every_cycle);
    options.ifetch_modelled = check.ifetch_modelled = program.modelled;
    ck_assert(random_build(&program, &p));
    ck_assert_msg(tsp_verify(&p, &check, &proof, &err), "TSP_TEST_SEED=%llu: %s",
                  (unsigned long long)seed, err.text);
    /* Whoever looks has the fast engine do what it put off; so it must agree unseen as well. */
    if (every_cycle) {
        c = cosim_run(&p, &options, false);
        ck_assert_msg(c.agree, "TSP_TEST_SEED=%llu on %s, unseen: %s", (unsigned long long)seed,
                      machine, c.what);
    }
    c = cosim_run(&p, &options, every_cycle);
    ck_assert_msg(c.agree, "TSP_TEST_SEED=%llu on %s: %s", (unsigned long long)seed, machine,
                  c.what);
    /* The verifier leaves to the run only what data decide. */
    ck_assert_msg(c.fast.ran || proof.run_time_conditions > 0, "TSP_TEST_SEED=%llu: %s",
                  (unsigned long long)seed, c.fast.err.text);
    if (c.fast.ran) ck_assert_int_eq(c.fast.cycles, proof.cycles);
    tally->legal += c.fast.ran;
    tally->stopped += !c.fast.ran;
    tally->conditions += proof.run_time_conditions > 0;
    tally->cycles += proof.cycles;
    tally->instructions += proof.instructions;
    random_release(&p);
    random_free(&program);
}

static void campaign(const char *machine, bool every_cycle, int64_t count) {
    Tally tally = {0};
    uint64_t seed;
    random_start();
    seed = random_state;
    for (; tally.legal < count; seed++) cosimulate(seed, machine, every_cycle, &tally);
    printf("%s: %d legal programs agree (%lld cycles, %lld instructions); %d more were stopped "
           "alike by their data\n",
           machine, tally.legal, (long long)tally.cycles, (long long)tally.instructions,
           tally.stopped);
    ck_assert_int_lt(tally.stopped, tally.legal / 4 + 5);
}

START_TEST(legal_on_tiny) {
    campaign("tiny", true, wanted("COSIM_TINY", 3000));
}
END_TEST

/* Bits flip in memory and in flight: both engines correct, count and stop alike. */
START_TEST(flipped_on_tiny) {
    const int64_t count = wanted("COSIM_FLIPPED", 600);
    int32_t stopped = 0, changed = 0;
    uint64_t seed;
    random_start();
    seed = random_state;
    for (int64_t i = 0; i < count; i++, seed++) {
        TspSimOptions options = {.faults = {.rate = 0.5, .seed = seed}};
        TspProgram p;
        Cosim c;
        random_from(seed);
        random_program(&program, "tiny", pick(1, 14), true);
        options.ifetch_modelled = program.modelled;
        ck_assert(random_build(&program, &p));
        c = cosim_run(&p, &options, true);
        ck_assert_msg(c.agree, "TSP_TEST_SEED=%llu with flips: %s", (unsigned long long)seed,
                      c.what);
        stopped += !c.fast.ran && c.fast.err.kind == TSP_ERR_FAULT;
        changed += c.fast.ran;
        random_release(&p);
        random_free(&program);
    }
    printf("tiny, bits flipping: %lld programs agree; %d stopped at a word with two wrong bits\n",
           (long long)count, stopped);
    ck_assert_int_gt(changed, 0);
}
END_TEST

START_TEST(legal_on_tsp1) {
    campaign("tsp1", false, wanted("COSIM_TSP1", 20));
}
END_TEST

typedef struct {
    int32_t faults, unseen, harmless, as_meant, by_rule[TSP_RULE_COUNT];
} Refusals;

/* Whether the offence is one that data decide. */
static bool decided_by_data(const TspProgram *p, const TspError *err) {
    const TspRule rule = err->rule;
    TspInsn insn;
    TspError ignored;
    bool row = rule == TSP_RULE_ADDRESS_RANGE || rule == TSP_RULE_ROW_UNDEFINED ||
               rule == TSP_RULE_ROW_TOO_SOON;
    if (rule == TSP_RULE_MAP_RANGE || rule == TSP_RULE_MAP_REPEATED || rule == TSP_RULE_FETCH_TEXT)
        return true;
    if (!row || err->queue < 0 || err->index < 0) return false;
    if (!tsp_decode(p->queues[err->queue].words[err->index], &insn, &ignored)) return false;
    if (insn.op == TSP_OP_GATHER || insn.op == TSP_OP_SCATTER) return true;
    for (int32_t i = 0; i < p->queues[err->queue].count; i++) /* rows that a Scatter writes */
        if (tsp_decode(p->queues[err->queue].words[i], &insn, &ignored) &&
            insn.op == TSP_OP_SCATTER)
            return rule != TSP_RULE_ADDRESS_RANGE;
    return false;
}

/* Plants one fault in one program; all three judges must say the same of it. */
static void refuse_one(uint64_t seed, Refusals *tally) {
    TspSimOptions options = {0};
    TspVerifyOptions check = {0};
    TspProgram p;
    TspProof proof;
    TspError err = {0};
    Cosim c;
    int32_t which;
    bool planted, proved, unseen;
    random_from(seed);
    random_program(&program, "tiny", pick(1, 8), true);
    which = pick(0, COUNT_OF(plants)); /* one more: a bit of a word */
    planted = which == COUNT_OF(plants) || (program.sketch.count && plants[which].plant(&program));
    if (planted && program.sketch.count && random_build(&program, &p)) {
        if (which == COUNT_OF(plants)) plant_bit(&p);
        options.ifetch_modelled = check.ifetch_modelled = program.modelled;
        proved = tsp_verify(&p, &check, &proof, &err);
        c = cosim_run(&p, &options, false);
        ck_assert_msg(c.agree, "TSP_TEST_SEED=%llu: %s", (unsigned long long)seed, c.what);
        /* What data decide the verifier leaves to the run, and never calls an offence. */
        unseen = !c.fast.ran && decided_by_data(&p, &c.fast.err) &&
                 (proved || err.cycle >= c.fast.err.cycle) && !cosim_same_error(&err, &c.fast.err);
        ck_assert_msg(unseen || (proved == c.fast.ran && cosim_same_error(&err, &c.fast.err)),
                      "TSP_TEST_SEED=%llu: the verifier says %s\n    the engines %s",
                      (unsigned long long)seed, proved ? "legal" : err.text,
                      c.fast.ran ? "legal" : c.fast.err.text);
        tally->faults += !proved && !unseen;
        tally->unseen += unseen;
        tally->harmless += c.fast.ran;
        if (!c.fast.ran) {
            tally->by_rule[c.fast.err.rule]++;
            tally->as_meant += which < COUNT_OF(plants) && c.fast.err.rule == plants[which].rule;
        }
        random_release(&p);
    }
    random_free(&program);
}

START_TEST(planted_faults) {
    const int64_t count = wanted("COSIM_FAULTS", 3000);
    Refusals tally = {0};
    uint64_t seed;
    random_start();
    seed = random_state;
    for (; tally.faults < count; seed++) refuse_one(seed, &tally);
    printf("%d planted faults named alike by both engines and the verifier, %d more by the engines "
           "alone, since data decide; %d broke the rule they were meant to; %d did no harm\n",
           tally.faults, tally.unseen, tally.as_meant, tally.harmless);
    for (int i = 0; i < TSP_RULE_COUNT && getenv("COSIM_TALLY"); i++)
        printf("%8d %s\n", tally.by_rule[i], tsp_rule_name((TspRule)i));
    for (int32_t i = 0; i < COUNT_OF(planted_rules) && count >= 2000; i++)
        ck_assert_msg(tally.by_rule[planted_rules[i]] > 0, "nothing broke %s",
                      tsp_rule_name(planted_rules[i]));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cosim");
    TCase *tcase = tcase_create("cosim");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, legal_on_tiny);
    tcase_add_test(tcase, flipped_on_tiny);
    tcase_add_test(tcase, legal_on_tsp1);
    tcase_add_test(tcase, planted_faults);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
