/* test_sim_history.c - going back by way of states that were kept: the same state, by hash, as on
 * the way there, whatever was kept and in whatever order one goes.
 */
#include "product.h"
#include "random_program.h"
#include "seeded.h"

#include "suite.h"
#include <inttypes.h>
#include <string.h>

static Random drawn;

/* Less of it in builds that are slow. */
static int32_t scaled(int32_t count) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && strcmp(scale, "small") == 0 ? (count + 9) / 10 : count;
}

/* Many states, few that fit, and none but what replay gives. */
static const TspSimOptions histories[] = {
    {.history_bytes = 1 << 30, .history_spacing = 7},
    {.history_bytes = 1, .history_spacing = 5},
    {.history_bytes = 8 << 20, .history_spacing = 40, .threads = 2},
    {.history_bytes = 1 << 30},
    {.history_bytes = 0},
    {.history_bytes = 1 << 30, .history_spacing = 30, .timing_only = true},
    {.history_bytes = 1 << 30, .history_spacing = 50, .faults = {.rate = 0.02, .seed = 3}},
};
enum { HISTORIES = (int)(sizeof histories / sizeof histories[0]) };

/* What every `stride`th cycle of a run looks like; entries of cycles that it never reached are 0.
 */
typedef struct {
    int64_t stride;
    int32_t count;
    uint64_t *hash, *digest;
    TspError err;
    bool stopped; /* by it */
} Track;

static Track walk(TspSim *sim, int64_t length, int64_t stride) {
    Track t = {.stride = stride, .count = (int32_t)(length / stride) + 2};
    t.hash = calloc((size_t)t.count, sizeof *t.hash);
    t.digest = calloc((size_t)t.count, sizeof *t.digest);
    for (int32_t i = 0; i < t.count; i++) {
        if (!tsp_sim_run_until(sim, i * stride, &t.err)) {
            t.count = i;
            break;
        }
        t.hash[i] = tsp_sim_hash(sim);
        if (i % 5 == 0) t.digest[i] = tsp_sim_digest(sim);
    }
    t.stopped = !tsp_sim_run(sim, &t.err);
    return t;
}

static void track_free(Track *t) {
    free(t->hash);
    free(t->digest);
}

/* Goes to random places, forwards and back, past the end or the failure now and then. */
static void wander(TspSim *sim, const Track *t, int32_t seeks, const char *what) {
    TspError err;
    for (int32_t i = 0; i < seeks; i++) {
        const int32_t at = pick(0, t->count - 1);
        if (one_in(9)) {
            const bool ran =
                one_in(2) ? tsp_sim_run(sim, &err) : tsp_sim_seek(sim, INT64_MAX / 2, &err);
            ck_assert_msg(ran == !t->stopped, "%s, seek %d", what, i);
            if (t->stopped) ck_assert_str_eq(err.text, t->err.text);
        }
        ck_assert_msg(tsp_sim_seek(sim, at * t->stride, &err), "%s, seek %d: %s", what, i,
                      err.text);
        ck_assert_msg(tsp_sim_hash(sim) == t->hash[at], "%s, seek %d, to cycle %" PRId64, what, i,
                      at * t->stride);
        if (at % 5 == 0)
            ck_assert_msg(tsp_sim_digest(sim) == t->digest[at], "%s, seek %d", what, i);
    }
}

static void same_whatever_is_kept(const TspProgram *p, bool ifetch, int64_t length, int64_t stride,
                                  uint64_t seed, int32_t seeks) {
    for (int32_t h = 0; h < HISTORIES; h++) {
        TspSimOptions options = histories[h];
        char what[80];
        TspError err;
        TspSim *sim;
        Track first, again;
        options.ifetch_modelled = ifetch;
        snprintf(what, sizeof what, "TSP_TEST_SEED=%" PRIu64 ", history %d", seed, h);
        sim = tsp_sim_new(p, &options, &err);
        ck_assert_msg(sim != NULL, "%s", err.text);
        product_fill(sim, p, 0);
        first = walk(sim, length, stride);
        wander(sim, &first, seeks, what);
        /* Other inputs: what was kept is of no use any more. */
        ck_assert(tsp_sim_seek(sim, 0, &err));
        product_fill(sim, p, 1);
        again = walk(sim, length, stride);
        wander(sim, &again, seeks / 4, what);
        track_free(&again);
        track_free(&first);
        tsp_sim_free(sim);
    }
}

static void campaign(const char *machine, int32_t count, int32_t seeks) {
    random_start();
    for (uint64_t seed = random_state; count > 0; count--, seed++) {
        TspProgram p;
        random_from(seed);
        random_program(&drawn, machine, pick(1, 14), true);
        ck_assert(random_build(&drawn, &p));
        if (one_in(3)) { /* breaks a rule somewhere on the way, most likely */
            TspQueue *q = &p.queues[pick(0, tsp_queue_count(&p.machine) - 1)];
            if (q->count > 1) q->words[q->count / 2] = q->words[0];
        }
        same_whatever_is_kept(&p, drawn.modelled, drawn.length + 100, pick(1, 9), seed, seeks);
        random_release(&p);
        random_free(&drawn);
    }
}

START_TEST(random_programs) {
    campaign("tiny", scaled(60), 20);
    campaign("tsp1", scaled(2), 20);
}
END_TEST

/* Accumulators that are added to over and over, weights that come and go. */
START_TEST(products) {
    static const char *const dtypes[] = {"int8", "float16"};
    random_start();
    for (int32_t i = 0; i < 2; i++) {
        TspProgram p;
        product_compile(&p, dtypes[i], scaled(pick(20, 100)), pick(600, 900), pick(300, 700));
        same_whatever_is_kept(&p, false, p.predicted_cycles, 97, 0, 30);
        tsp_program_free(&p);
    }
}
END_TEST

/* A thousand seeks, each to any cycle. */
START_TEST(thousand_seeks) {
    const TspSimOptions options = {.history_bytes = 64 << 20, .history_spacing = 500};
    TspProgram p;
    TspError err;
    TspSim *sim;
    Track t;
    random_start();
    product_compile(&p, "int8", scaled(60), 700, 500);
    sim = tsp_sim_new(&p, &options, &err);
    ck_assert(sim != NULL);
    product_fill(sim, &p, 0);
    t = walk(sim, p.predicted_cycles, 1);
    wander(sim, &t, scaled(1000), "a product");
    track_free(&t);
    tsp_sim_free(sim);
    tsp_program_free(&p);
}
END_TEST

int main(void) {
    Suite *s = suite_create("sim_history");
    TCase *c = tcase_create("sim_history");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, random_programs);
    tcase_add_test(c, products);
    tcase_add_test(c, thousand_seeks);
    suite_add_tcase(s, c);
    return run_suite(s);
}
