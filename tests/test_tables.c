/* test_tables.c - a table that is gathered from, scattered to, read and written, in any order: the
 * fast engine, which looks at rows as little as it can, against the reference, which looks at each.
 *
 * Programs are for tsp1, whose words the fast engine has loops of their own for. A map and a vector
 * of data pass the table's slice in every cycle, and it does something with them or not.
 */
#include "isa/asm.h"
#include "seeded.h"
#include "sim/sim.h"

#include "suite.h"
#include <string.h>

enum { LANES = 320, TILE = 16, STEPS = 48, STOPS = 4, ROWS = 8192, TEXT = 16384 };
enum { TABLE, MAP, DATA, TENSORS }; /* tensors of a program */

typedef struct {
    TspProgram program;
    uint8_t *bytes[TENSORS];
} Table;

static int32_t scaled(int32_t count) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small") ? count / 2 : count;
}

/* What a program does with its table besides scattering. */
typedef struct {
    bool gathers, reads, writes;
    int32_t first, rows;
} Use;

static void write_step(FILE *out, const Use *use) {
    const int32_t kind = pick(0, 9), addr = use->first + pick(0, use->rows - 1);
    if (kind < 3 && use->gathers)
        fprintf(out, " gather s0.e, s8.e\n");
    else if (kind >= 3 && kind < 7)
        fprintf(out, " scatter s9.e, s8.e\n");
    else if ((kind == 7 || kind == 8) && use->reads)
        fprintf(out, " read %d, s1.e\n", (int)addr);
    else if (kind == 9 && use->writes)
        fprintf(out, " write %d, s9.e\n", (int)addr);
    else
        fprintf(out, " nop 1\n");
}

/* Slice w12 lies two columns from the table, in w4: what it reads is there 3 cycles later. */
static void write_text(FILE *out, const Use *use) {
    fprintf(out,
            ".tensor table, int8, [%d, %d], input @ mem.w4:%d\n"
            ".tensor map, int8, [%d, %d], input @ mem.w12:0\n"
            ".tensor data, int8, [%d, %d], input @ mem.w13:0\n"
            "@mem.w12\n read 0, s8.e\n repeat %d, 1, 1\n"
            "@mem.w13\n read 0, s9.e\n repeat %d, 1, 1\n@mem.w4\n at 3\n",
            (int)use->rows, LANES, (int)use->first, STEPS, LANES, STEPS, LANES, STEPS - 1,
            STEPS - 1);
    for (int32_t i = 0; i < STEPS; i++) write_step(out, use);
    if (one_in(4))
        fprintf(out, "@mem.e40\n at %d config 0x%x\n at %d config 0xfffff\n", (int)pick(0, STEPS),
                (unsigned)pick(0, 0xfffff), (int)pick(STEPS + 1, 2 * STEPS));
}

/* Of one program in four some addresses are anywhere: undefined, or no rows at all. */
static void make_bytes(Table *t, const Use *use) {
    const bool anywhere = one_in(4);
    for (int32_t i = 0; i < TENSORS; i++) {
        const int64_t count = tsp_tensor_bytes(&t->program.tensors[i]);
        t->bytes[i] = malloc((size_t)count);
        ck_assert(t->bytes[i] != NULL);
        for (int64_t k = 0; k < count; k++) t->bytes[i][k] = (uint8_t)random_bits();
    }
    for (int32_t word = 0; word < STEPS * LANES / TILE; word++) {
        uint8_t *address = t->bytes[MAP] + word * TILE;
        int32_t row = use->first + pick(0, use->rows - 1);
        if (anywhere && one_in(200)) row = one_in(4) ? ROWS + word : pick(0, ROWS - 1);
        address[0] = (uint8_t)row;
        address[1] = (uint8_t)(row >> 8);
    }
}

/* Rows that are read or written are no longer plain ones, so many programs do none of it. */
static Use make_use(void) {
    const int32_t rows = one_in(4) ? pick(1, 20) : one_in(2) ? pick(200, 1000) : pick(1000, ROWS);
    return (Use){.gathers = !one_in(3),
                 .reads = one_in(2),
                 .writes = one_in(4),
                 .first = one_in(2) ? 0 : pick(0, ROWS - rows),
                 .rows = rows};
}

static Table make_table(uint64_t seed) {
    Table t = {0};
    TspMachine m;
    TspError err;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    Use use;
    random_from(seed);
    use = make_use();
    ck_assert(out != NULL);
    write_text(out, &use);
    fclose(out);
    ck_assert(tsp_machine_load(&m, "tsp1", &err));
    ck_assert_msg(tsp_assemble(&t.program, &m, text, length, "table", &err), "%s", err.text);
    free(text);
    make_bytes(&t, &use);
    return t;
}

static void free_table(Table *t) {
    for (int32_t i = 0; i < TENSORS; i++) free(t->bytes[i]);
    tsp_program_free(&t->program);
}

static TspSim *launch(const Table *t, const TspSimOptions *options) {
    TspError err;
    TspSim *sim = tsp_sim_new(&t->program, options, &err);
    ck_assert_msg(sim != NULL, "%s", err.text);
    for (int32_t i = 0; i < TENSORS; i++)
        ck_assert_msg(tsp_sim_write_tensor(sim, i, t->bytes[i], &err), "%s", err.text);
    return sim;
}

/* What is seen at some cycles and at the end, or why the run stopped. */
typedef struct {
    uint64_t digest[STOPS + 1];
    bool ran;
    TspError err;
} Trail;

static Trail follow(TspSim *sim, int64_t spacing) {
    Trail trail = {.ran = true};
    for (int32_t i = 0; i <= STOPS && trail.ran; i++) {
        trail.ran = i < STOPS ? tsp_sim_run_until(sim, spacing * (i + 1), &trail.err)
                              : tsp_sim_run(sim, &trail.err);
        if (trail.ran) trail.digest[i] = tsp_sim_digest(sim);
    }
    return trail;
}

static bool same_offence(const TspError *a, const TspError *b) {
    return a->kind == b->kind && a->rule == b->rule && a->cycle == b->cycle &&
           a->queue == b->queue && a->index == b->index;
}

static void expect_same(const Trail *a, const Trail *b, uint64_t seed, const char *who) {
    ck_assert_msg(!memcmp(a->digest, b->digest, sizeof a->digest), "seed %llu: %s differs",
                  (unsigned long long)seed, who);
    ck_assert_msg(a->ran == b->ran && (a->ran || same_offence(&a->err, &b->err)),
                  "seed %llu: the reference: %s; %s: %s", (unsigned long long)seed,
                  a->ran ? "done" : a->err.text, who, b->ran ? "done" : b->err.text);
}

/* Runs with the options, and again from somewhere. */
static void compare(const Table *t, const Trail *want, const TspSimOptions *options,
                    int64_t spacing, uint64_t seed) {
    const int64_t latest = want->ran || want->err.cycle > spacing ? spacing : want->err.cycle;
    TspSim *sim = launch(t, options);
    TspError err;
    Trail got = follow(sim, spacing);
    expect_same(want, &got, seed, "the fast engine");
    ck_assert_msg(tsp_sim_seek(sim, pick(0, (int32_t)latest), &err), "%s", err.text);
    got = follow(sim, spacing);
    expect_same(want, &got, seed, "the fast engine, gone back");
    tsp_sim_free(sim);
}

START_TEST(test_tables) {
    static const TspSimOptions fast[] = {
        {.engine = TSP_ENGINE_FAST},
        {.history_bytes = 1 << 24, .history_spacing = 20},
        {.kernel = TSP_GEMM_PLAIN},
    };
    const int32_t programs = scaled(120);
    int32_t legal = 0;
    for (int32_t seed = 0; seed < programs; seed++) {
        Table t = make_table((uint64_t)seed);
        const int64_t spacing = pick(1, STEPS / STOPS);
        TspSim *sim = launch(&t, &(TspSimOptions){.engine = TSP_ENGINE_REFERENCE});
        const Trail want = follow(sim, spacing);
        tsp_sim_free(sim);
        legal += want.ran;
        compare(&t, &want, &fast[seed % 3], spacing, (uint64_t)seed);
        free_table(&t);
    }
    ck_assert_int_gt(4 * legal, programs); /* else it tests little but offences */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tables");
    TCase *tests = tcase_create("tables");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_tables);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
