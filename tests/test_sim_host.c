/* test_sim_host.c - what the host is must not show: the same state for every kernel and number of
 * threads, and the same time without values.
 */
#include "product.h"
#include "random_program.h"
#include "seeded.h"

#include "suite.h"
#include <inttypes.h>
#include <string.h>

static Random drawn;

static const TspSimOptions hosts[] = {
    {.kernel = TSP_GEMM_PLAIN},
    {.kernel = TSP_GEMM_AVX2},
    {.kernel = TSP_GEMM_AVX512},
    {.kernel = TSP_GEMM_PLAIN, .threads = 2},
    {.threads = 2},
    {.threads = 3},
};
enum { HOSTS = (int)(sizeof hosts / sizeof hosts[0]), STOPS = 3 };

typedef struct {
    uint64_t hash[STOPS + 1], digest;
    TspError err;
    bool ran;
} Trail;

/* Runs to each stop, then to the end. */
static Trail follow(const TspProgram *p, const TspSimOptions *options, const int64_t *stops) {
    Trail trail = {0};
    TspSim *sim = tsp_sim_new(p, options, &trail.err);
    ck_assert_msg(sim != NULL, "%s", trail.err.text);
    product_fill(sim, p, 0);
    trail.ran = true;
    for (int32_t i = 0; i < STOPS && trail.ran; i++) {
        trail.ran = tsp_sim_run_until(sim, stops[i], &trail.err);
        if (trail.ran) trail.hash[i] = tsp_sim_hash(sim);
    }
    trail.ran = trail.ran && tsp_sim_run(sim, &trail.err);
    if (trail.ran) {
        trail.hash[STOPS] = tsp_sim_hash(sim);
        trail.digest = tsp_sim_digest(sim);
    }
    tsp_sim_free(sim);
    return trail;
}

static void same_on_every_host(const TspProgram *p, bool ifetch, int64_t length, uint64_t seed) {
    int64_t stops[STOPS] = {0};
    Trail first, other;
    for (int32_t i = 0; i < STOPS; i++)
        stops[i] = (i ? stops[i - 1] : 0) + random_below((int32_t)length / STOPS + 1);
    for (int32_t h = 0; h < HOSTS; h++) {
        TspSimOptions options = hosts[h];
        if (!tsp_gemm_available(options.kernel)) continue;
        options.ifetch_modelled = ifetch;
        other = follow(p, &options, stops);
        if (h == 0) first = other;
        for (int32_t i = 0; i <= STOPS; i++)
            ck_assert_msg(first.ran == other.ran && first.hash[i] == other.hash[i] &&
                              first.digest == other.digest,
                          "TSP_TEST_SEED=%" PRIu64 ": host %d differs at stop %d", seed, h, i);
        if (!first.ran) ck_assert_str_eq(first.err.text, other.err.text);
    }
}

/* Programs of all units; `values` says whether hosts or time are compared. */
static void campaign(const char *machine, int32_t count,
                     void (*compare)(const TspProgram *p, bool ifetch, int64_t length,
                                     uint64_t seed)) {
    random_start();
    for (uint64_t seed = random_state; count > 0; count--, seed++) {
        TspProgram p;
        random_from(seed);
        random_program(&drawn, machine, pick(1, 14), true);
        ck_assert(random_build(&drawn, &p));
        compare(&p, drawn.modelled, drawn.length + 100, seed);
        random_release(&p);
        random_free(&drawn);
    }
}

START_TEST(programs_on_hosts) {
    campaign("tiny", 300, same_on_every_host);
    campaign("tsp1", 6, same_on_every_host);
}
END_TEST

/* Long enough for batches to fill, to wait for each other and for drives to wait for them. */
START_TEST(products_on_hosts) {
    static const char *const dtypes[] = {"int8", "uint8", "float16"};
    random_start();
    for (int32_t i = 0; i < 6; i++) {
        TspProgram p;
        product_compile(&p, dtypes[i % 3], pick(1, 300), pick(1, 900), pick(1, 700));
        same_on_every_host(&p, false, p.predicted_cycles, 0);
        tsp_program_free(&p);
    }
}
END_TEST

static void same_time(const TspProgram *p, bool ifetch, int64_t length, uint64_t seed) {
    TspSimOptions options = {.ifetch_modelled = ifetch};
    TspError err;
    TspSim *whole = tsp_sim_new(p, &options, &err), *bare;
    TspSimStats a, b;
    (void)length;
    options.timing_only = true;
    bare = tsp_sim_new(p, &options, &err);
    ck_assert(whole && bare);
    product_fill(whole, p, 0);
    product_fill(bare, p, 0);
    if (tsp_sim_run(whole, &err)) { /* else its data have stopped it */
        ck_assert_msg(tsp_sim_run(bare, &err), "TSP_TEST_SEED=%" PRIu64 ": %s", seed, err.text);
        a = tsp_sim_stats(whole), b = tsp_sim_stats(bare);
        ck_assert_msg(!memcmp(&a, &b, sizeof a), "TSP_TEST_SEED=%" PRIu64, seed);
        ck_assert_int_eq(tsp_sim_now(whole), tsp_sim_now(bare));
        for (int32_t i = 0; i < p->op_count; i++)
            ck_assert_int_eq(tsp_sim_op_interval(whole, i).end, tsp_sim_op_interval(bare, i).end);
    }
    tsp_sim_free(whole);
    tsp_sim_free(bare);
}

START_TEST(time_without_values) {
    TspProgram p;
    campaign("tiny", 600, same_time);
    campaign("tsp1", 10, same_time);
    product_compile(&p, "float16", 200, 700, 500);
    same_time(&p, false, 0, 0);
    tsp_program_free(&p);
}
END_TEST

START_TEST(time_alone_is_for_the_fast_engine) {
    const TspSimOptions slow = {.timing_only = true, .engine = TSP_ENGINE_REFERENCE},
                        faulty = {.timing_only = true, .faults = {.rate = 0.5}};
    TspProgram p;
    TspError err;
    product_compile(&p, "int8", 3, 3, 3);
    ck_assert(!tsp_sim_new(&p, &slow, &err) && err.kind == TSP_ERR_INPUT);
    ck_assert(!tsp_sim_new(&p, &faulty, &err) && err.kind == TSP_ERR_INPUT);
    tsp_program_free(&p);
}
END_TEST

int main(void) {
    Suite *s = suite_create("sim_host");
    TCase *c = tcase_create("sim_host");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, programs_on_hosts);
    tcase_add_test(c, products_on_hosts);
    tcase_add_test(c, time_without_values);
    tcase_add_test(c, time_alone_is_for_the_fast_engine);
    suite_add_tcase(s, c);
    return run_suite(s);
}
