/* test_verify_damage.c - verifier and engine judge random programs of all units, damaged at random:
 * they agree on rule, cycle, queue and instruction, but for what data decide. Such a stop of the
 * engine must be of an instruction that the verifier counted as left to the run, and not after the
 * offence that the verifier names (a deadlock comes after everything).
 *
 * FUZZ_ROUNDS=N runs longer; a disagreement prints the TSP_TEST_SEED that starts with it.
 */
#include "compiler/verify.h"
#include "damage.h"
#include "random_program.h"
#include "sim/sim.h"

#include "suite.h"

typedef struct {
    int32_t legal, illegal, by_data, by_rule[TSP_RULE_COUNT];
} Tally;

static Random program;

static bool engine_runs(const TspProgram *p, bool ifetch_modelled, int64_t *cycles, TspError *err) {
    TspSimOptions options = {.ifetch_modelled = ifetch_modelled};
    TspSim *sim = tsp_sim_new(p, &options, err);
    bool legal = sim && tsp_sim_run(sim, err);
    if (legal) *cycles = tsp_sim_stats(sim).cycles;
    tsp_sim_free(sim);
    return legal;
}

/* Whether the engine stopped at something that data decide. */
static bool is_of_data(const TspProgram *p, const TspError *err) {
    TspInsn insn;
    TspError ignored;
    if (err->kind != TSP_ERR_ILLEGAL || err->index < 0 ||
        !tsp_decode(p->queues[err->queue].words[err->index], &insn, &ignored))
        return false;
    switch (err->rule) {
    case TSP_RULE_ADDRESS_RANGE:
        return insn.op == TSP_OP_GATHER || insn.op == TSP_OP_SCATTER;
    case TSP_RULE_ROW_TOO_SOON:
    case TSP_RULE_ROW_UNDEFINED:
        return insn.op == TSP_OP_GATHER || insn.op == TSP_OP_READ || insn.op == TSP_OP_READ_WRITE;
    case TSP_RULE_MAP_RANGE:
        return insn.op == TSP_OP_PERMUTE || insn.op == TSP_OP_SELECT;
    case TSP_RULE_MAP_REPEATED:
        return insn.op == TSP_OP_PERMUTE;
    case TSP_RULE_FETCH_TEXT:
        return insn.op == TSP_OP_IFETCH;
    default:
        return false;
    }
}

static bool same_verdict(bool proved, const TspError *a, bool ran, const TspError *b) {
    return proved == ran && a->kind == b->kind && a->rule == b->rule && a->cycle == b->cycle &&
           a->queue == b->queue && a->index == b->index;
}

static void judge(const TspProgram *p, bool ifetch_modelled, uint64_t seed, Tally *tally) {
    TspVerifyOptions options = {.ifetch_modelled = ifetch_modelled};
    TspError verifier = {0}, engine = {0};
    TspProof proof;
    int64_t cycles = 0;
    bool proved = tsp_verify(p, &options, &proof, &verifier);
    bool ran = engine_runs(p, ifetch_modelled, &cycles, &engine);
    bool same = same_verdict(proved, &verifier, ran, &engine);
    bool left =
        !same && proof.run_time_conditions > 0 && !ran && is_of_data(p, &engine) &&
        (proved || verifier.rule == TSP_RULE_BARRIER_DEADLOCK || engine.cycle <= verifier.cycle);
    ck_assert_msg(same || left, "TSP_TEST_SEED=%llu: verifier says %s %s\n    engine says %s %s",
                  (unsigned long long)seed, tsp_rule_name(verifier.rule),
                  proved ? "legal" : verifier.text, tsp_rule_name(engine.rule),
                  ran ? "legal" : engine.text);
    if (ran) ck_assert_int_eq(proof.cycles, cycles);
    tally->legal += ran;
    tally->illegal += !ran && same;
    tally->by_data += left;
    tally->by_rule[verifier.rule]++;
}

/* Adds a flow without asking whether it gets in the way of the others. */
static void crowd(Random *r) {
    int32_t count = r->sketch.count;
    if (count >= SKETCH_ITEMS - 600) return;
    r->used[0] = r->used[1] = 0;
    if (!random_flows[pick(0, COUNT_OF(random_flows) - 1)](r, pick(0, (int32_t)r->length)))
        r->sketch.count = count;
}

static void judge_one(uint64_t seed, Tally *tally) {
    TspProgram p;
    int32_t damages;
    random_from(seed);
    random_program(&program, "tiny", pick(1, 10), true);
    damages = pick(0, 3);
    for (int32_t i = 0; i < damages && program.sketch.count > 0; i++) damage(&program.sketch);
    for (int32_t i = damages; i < 3; i++) crowd(&program);
    if (random_build(&program, &p)) {
        if (one_in(4) && !program.modelled) { /* as if its text had to be fetched */
            p.machine.ifetch_queue_bytes = p.machine.ifetch_bytes + 16 * pick(0, 8);
            judge(&p, true, seed, tally);
        }
        judge(&p, program.modelled, seed, tally);
    }
    random_release(&p);
    random_free(&program);
}

START_TEST(damaged_programs_are_judged_alike) {
    const char *text = getenv("FUZZ_ROUNDS");
    int64_t rounds = text ? strtoll(text, NULL, 10) : 3000;
    Tally tally = {0};
    uint64_t seed;
    random_start();
    seed = random_state;
    for (int64_t i = 0; i < rounds; i++) judge_one(seed + (uint64_t)i, &tally);
    printf("%d legal, %d illegal, %d stopped by their data\n", tally.legal, tally.illegal,
           tally.by_data);
    if (getenv("FUZZ_TALLY"))
        for (int i = 0; i < TSP_RULE_COUNT; i++)
            printf("%8d %s\n", tally.by_rule[i], tsp_rule_name((TspRule)i));
    if (rounds >= 1000) { /* the damage must neither vanish nor hide everything else */
        ck_assert_int_gt(tally.legal, rounds / 10);
        ck_assert_int_gt(tally.illegal, rounds / 10);
        ck_assert_int_lt(tally.by_data, rounds / 4);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("verify_damage");
    TCase *tcase = tcase_create("fuzz");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, damaged_programs_are_judged_alike);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
