/* test_group.c - grouping on the chip: the merged tables, field by field, against plain loops;
 * predicted against simulated; what has no room is refused.
 */
#include "compiler/compile.h"
#include "compiler/group/group.h"
#include "compiler/interpret.h"
#include "compiler/verify.h"
#include "sim/sim.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t groups, low, high;
    int64_t rows;
    TspMachine machine;
    TspGraph graph;
    TspProgram program;
    GroupPlan plan;
    int16_t *keys, *values;
} Bench;

/* Whether instrumented code is to be spared. */
static bool is_small(void) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small");
}

static void build(Bench *b, bool tables) {
    char text[600];
    TspError err;
    TspCompileOptions options = {.group_tables = tables};
    ck_assert(tsp_machine_builtin(&b->machine, "tsp1"));
    snprintf(text, sizeof text,
             "{\"inputs\": [{\"name\": \"K\", \"dtype\": \"int16\", \"shape\": [%lld]},"
             " {\"name\": \"V\", \"dtype\": \"int16\", \"shape\": [%lld]}],"
             " \"nodes\": [{\"op\": \"GroupByAggregate\", \"inputs\": [\"K\", \"V\"],"
             " \"outputs\": [\"R\"], \"attributes\": {\"groups\": %d, \"low\": %d, \"high\": %d}}],"
             " \"outputs\": [\"R\"]}",
             (long long)b->rows, (long long)b->rows, (int)b->groups, (int)b->low, (int)b->high);
    ck_assert_msg(tsp_graph_parse(&b->graph, text, strlen(text), "group.json", &err), "%s",
                  err.text);
    ck_assert_msg(tsp_compile(&b->graph, &b->machine, &options, &b->program, &err), "%s", err.text);
    ck_assert(tsp_group_plan(&b->plan, &b->machine, b->groups, b->low, b->high, b->rows,
                             tables ? 2 : 1, &err));
    b->keys = malloc((size_t)b->rows * sizeof *b->keys);
    b->values = malloc((size_t)b->rows * sizeof *b->values);
}

static void fill(Bench *b, uint64_t seed) {
    tsp_random_fill((uint8_t *)b->keys, TSP_I16, b->rows, seed, 0, b->groups - 1);
    tsp_random_fill((uint8_t *)b->values, TSP_I16, b->rows, seed + 1, b->low, b->high);
}

static void drop(Bench *b) {
    free(b->keys);
    free(b->values);
    tsp_program_free(&b->program);
    tsp_graph_free(&b->graph);
}

static int32_t tensor(const Bench *b, const char *name) {
    for (int32_t i = 0; i < b->program.tensor_count; i++)
        if (!strcmp(b->program.tensors[i].name, name)) return i;
    ck_abort_msg("no tensor %s", name);
}

static void run(const Bench *b, TspSim *sim) {
    TspError err;
    ck_assert_msg(tsp_sim_write_tensor(sim, tensor(b, "K"), (uint8_t *)b->keys, &err), "%s",
                  err.text);
    ck_assert_msg(tsp_sim_write_tensor(sim, tensor(b, "V"), (uint8_t *)b->values, &err), "%s",
                  err.text);
    ck_assert_msg(tsp_sim_run(sim, &err), "%s", err.text);
    ck_assert_int_eq(tsp_sim_stats(sim).cycles, b->program.predicted_cycles);
}

/* Merged tables: plain loops from the header's description of a record. */
static void expect(const Bench *b, int32_t *table, int64_t *padding) {
    const int32_t lanes = tsp_lanes(&b->machine);
    const int64_t vectors = (b->rows + 159) / 160;
    for (int64_t e = 0; e < vectors * 160; e++) {
        const bool real = e < b->rows;
        const int32_t key = real ? b->keys[e] : b->groups, value = real ? b->values[e] : b->low;
        int32_t *record = table + key / b->plan.packed * lanes + e % 160 / 8 * 16 +
                          key % b->plan.packed * b->plan.fields;
        int32_t digits = value - b->low;
        *padding += !real;
        if (value - b->low - 32768 > record[0]) record[0] = value - b->low - 32768;
        if (b->high - value - 32768 > record[1]) record[1] = b->high - value - 32768;
        record[2]++;
        for (int32_t d = 0; d < b->plan.digits; d++, digits /= b->plan.base)
            record[3 + d] += digits % b->plan.base;
    }
}

static void empty(const Bench *b, int32_t *table) {
    for (int32_t i = 0; i < b->plan.words * tsp_lanes(&b->machine); i++) {
        const int32_t lane = i % 16;
        table[i] = lane / b->plan.fields < b->plan.packed && lane % b->plan.fields < 2 ? -32768 : 0;
    }
}

static void check_tables(Bench *b, int32_t launches, uint64_t seed) {
    const size_t size = (size_t)(b->plan.words * tsp_lanes(&b->machine)) * sizeof(int32_t);
    int32_t *want = malloc(size), *got = malloc(size);
    int64_t padding = 0;
    TspError err;
    TspProof proof;
    TspSim *sim = tsp_sim_new(&b->program, NULL, &err);
    ck_assert_msg(sim != NULL, "%s", err.text);
    ck_assert_msg(tsp_verify(&b->program, NULL, &proof, &err), "%s", err.text);
    empty(b, want);
    ck_assert(tsp_sim_write_tensor(sim, tensor(b, "R.tables"), (uint8_t *)want, &err));
    for (int32_t i = 0; i < launches; i++) {
        if (i) ck_assert_msg(tsp_sim_again(sim, &err), "%s", err.text);
        fill(b, seed + 2 * (uint64_t)i);
        run(b, sim);
        expect(b, want, &padding);
    }
    ck_assert_msg(tsp_sim_read_tensor(sim, tensor(b, "R.tables.next"), (uint8_t *)got, &err), "%s",
                  err.text);
    for (int32_t i = 0; i < b->plan.words * 320; i++)
        if (want[i] != got[i])
            ck_abort_msg("seed %llu, word %d, lane %d: %d instead of %d", (unsigned long long)seed,
                         i / 320, i % 320, got[i], want[i]);
    free(want);
    free(got);
    tsp_sim_free(sim);
}

START_TEST(tables) {
    static const struct {
        int32_t groups, low, high;
        int64_t rows;
        int32_t launches;
    } cases[] = {
        {413, -999, 999, 10000, 1},    {1, -999, 999, 1, 1},       {413, -999, 999, 320 * 37, 3},
        {500, 0, 0, 5000, 1},          {511, -10, 4000, 3333, 2},  {1000, -999, 999, 20000, 1},
        {2047, -999, 999, 7777, 1},    {4000, -999, 999, 9999, 2}, {8000, -999, 999, 12345, 1},
        {10000, -999, 999, 54321, 2},  {16000, 0, 100, 999, 1},    {413, -999, 999, 2000000, 2},
        {9999, -999, 999, 1300000, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Bench b = {.groups = cases[i].groups,
                   .low = cases[i].low,
                   .high = cases[i].high,
                   .rows = cases[i].rows};
        if (b.rows > 100000 && is_small()) continue;
        build(&b, true);
        check_tables(&b, cases[i].launches, 10 * i + 1);
        drop(&b);
    }
}
END_TEST

/* The result of the graph's operator: fields folded, digits summed, empty groups told apart. */
static void check_result(Bench *b, uint64_t seed) {
    const int64_t elements = 4 * (int64_t)b->groups;
    int32_t *got = malloc((size_t)elements * sizeof *got);
    uint8_t *data[3] = {0};
    double *tolerance[3] = {0};
    TspError err;
    TspProof proof;
    TspSim *sim = tsp_sim_new(&b->program, NULL, &err);
    ck_assert_msg(sim != NULL, "%s", err.text);
    ck_assert_msg(tsp_verify(&b->program, NULL, &proof, &err), "%s", err.text);
    fill(b, seed);
    data[0] = (uint8_t *)b->keys;
    data[1] = (uint8_t *)b->values;
    ck_assert(tsp_interpret(&b->graph, tsp_lanes(&b->machine), data, tolerance, &err));
    run(b, sim);
    ck_assert_msg(tsp_sim_read_tensor(sim, tensor(b, "R"), (uint8_t *)got, &err), "%s", err.text);
    for (int64_t i = 0; i < elements; i++)
        if (((int32_t *)(void *)data[2])[i] != got[i])
            ck_abort_msg("seed %llu, row %lld, group %lld: %d instead of %d",
                         (unsigned long long)seed, (long long)(i / b->groups),
                         (long long)(i % b->groups), got[i], ((int32_t *)(void *)data[2])[i]);
    free(data[2]);
    free(got);
    tsp_sim_free(sim);
}

/* The second engine, on a small case: the same state, whatever a table is asked for when. */
START_TEST(both_engines) {
    Bench b = {.groups = 40, .low = -999, .high = 999, .rows = 900};
    uint64_t digest[2];
    build(&b, false);
    fill(&b, 5);
    for (int i = 0; i < 2; i++) {
        const TspSimOptions options = {.engine = i ? TSP_ENGINE_REFERENCE : TSP_ENGINE_FAST};
        TspError err;
        TspSim *sim = tsp_sim_new(&b.program, &options, &err);
        ck_assert_msg(sim != NULL, "%s", err.text);
        run(&b, sim);
        digest[i] = tsp_sim_digest(sim);
        tsp_sim_free(sim);
    }
    ck_assert(digest[0] == digest[1]);
    drop(&b);
}
END_TEST

START_TEST(results) {
    static const struct {
        int32_t groups, low, high;
        int64_t rows;
    } cases[] = {
        {1, 0, 0, 1},         {413, -999, 999, 10000},  {7, -999, 999, 40000}, {100, 5, 5, 320},
        {300, 0, 3500, 1601}, {511, -4000, -1, 5000},   {2000, -50, 60, 9999}, {3, -1, 1, 159},
        {64, -999, 999, 161}, {256, -999, 999, 3000000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Bench b = {.groups = cases[i].groups,
                   .low = cases[i].low,
                   .high = cases[i].high,
                   .rows = cases[i].rows};
        if (b.rows > 100000 && is_small()) continue;
        build(&b, false);
        check_result(&b, 100 + i);
        drop(&b);
    }
}
END_TEST

/* Nodes before, beside and after: grouping takes the chip for itself, and gives it back. */
START_TEST(among_others) {
    static const char text[] =
        "{\"inputs\": [{\"name\": \"K\", \"dtype\": \"int16\", \"shape\": [700, 1000]},"
        " {\"name\": \"V\", \"dtype\": \"int16\", \"shape\": [700, 1000]},"
        " {\"name\": \"A\", \"dtype\": \"int8\", \"shape\": [400, 650]},"
        " {\"name\": \"B\", \"dtype\": \"int8\", \"shape\": [650, 330]}],"
        " \"nodes\": [{\"op\": \"MatMulInteger\", \"inputs\": [\"A\", \"B\"], \"outputs\": "
        "[\"C\"]},"
        " {\"op\": \"GroupByAggregate\", \"inputs\": [\"K\", \"V\"], \"outputs\": [\"R\"],"
        " \"attributes\": {\"groups\": 300, \"low\": -100, \"high\": 120}},"
        " {\"op\": \"Add\", \"inputs\": [\"R\", \"R\"], \"outputs\": [\"S\"]},"
        " {\"op\": \"Relu\", \"inputs\": [\"C\"], \"outputs\": [\"D\"]}],"
        " \"outputs\": [\"C\", \"S\", \"D\"]}";
    TspGraph g;
    TspMachine m;
    TspProgram p;
    TspError err;
    TspProof proof;
    TspSim *sim;
    uint8_t *data[8] = {0};
    double *tolerance[8] = {0};
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    ck_assert_msg(tsp_graph_parse(&g, text, sizeof text - 1, "mixed.json", &err), "%s", err.text);
    ck_assert_msg(tsp_compile(&g, &m, NULL, &p, &err), "%s", err.text);
    ck_assert_msg(tsp_verify(&p, NULL, &proof, &err), "%s", err.text);
    ck_assert((sim = tsp_sim_new(&p, NULL, &err)) != NULL);
    for (int32_t i = 0, v = 0; i < p.tensor_count; i++) {
        const TspTensor *t = &p.tensors[i];
        const bool of_group = t->bounded;
        if (t->role != TSP_ROLE_INPUT) continue;
        for (v = 0; strcmp(g.values[v].name, t->name) != 0;) v++;
        data[v] = malloc((size_t)tsp_tensor_bytes(t));
        tsp_random_fill(data[v], t->dtype, tsp_tensor_elements(t), (uint64_t)v + 1,
                        of_group ? t->low : -128, of_group ? t->high : 127);
        ck_assert(tsp_sim_write_tensor(sim, i, data[v], &err));
    }
    ck_assert(tsp_interpret(&g, tsp_lanes(&m), data, tolerance, &err));
    ck_assert_msg(tsp_sim_run(sim, &err), "%s", err.text);
    ck_assert_int_eq(tsp_sim_stats(sim).cycles, p.predicted_cycles);
    for (int32_t v = 0; v < g.value_count; v++) {
        uint8_t *got;
        int32_t i = 0;
        if (!g.values[v].is_output) continue;
        while (strcmp(p.tensors[i].name, g.values[v].name) != 0) i++;
        got = malloc((size_t)tsp_value_bytes(&g.values[v]));
        ck_assert(tsp_sim_read_tensor(sim, i, got, &err));
        ck_assert_msg(!memcmp(got, data[v], (size_t)tsp_value_bytes(&g.values[v])), "%s differs",
                      g.values[v].name);
        free(got);
    }
    for (int32_t v = 0; v < g.value_count; v++) free(data[v]), free(tolerance[v]);
    tsp_sim_free(sim);
    tsp_program_free(&p);
    tsp_graph_free(&g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("group");
    TCase *tables_case = tcase_create("tables");
    tcase_add_test(tables_case, tables);
    tcase_add_test(tables_case, results);
    tcase_add_test(tables_case, both_engines);
    tcase_add_test(tables_case, among_others);
    suite_add_tcase(suite, tables_case);
    return run_suite(suite);
}
