/* test_sim_chip.c - both engines on programs made by hand: exact values and cycles of the SXM, of
 * Gather and of Config; and what the simulator refuses to load or to show.
 */
#include "sim_bench.h"

enum { COLUMN = 7, SIDE = 4, LANES = 16 }; /* the eastern SXM; tiny's superlanes */

static const TspEngineKind engines[] = {TSP_ENGINE_FAST, TSP_ENGINE_REFERENCE};

/* The first cycle in which something stands on a westward stream at the SXM, and what. */
static int64_t first_seen(Bench *b, TspEngineKind engine, int32_t stream, uint8_t *value) {
    const TspSimOptions options = {.engine = engine};
    int64_t cycle = -1;
    tsp_sim_free(b->sim);
    b->sim = tsp_sim_new(&b->program, &options, &b->err);
    ck_assert_msg(b->sim != NULL, "%s", b->err.text);
    while (cycle < 0) {
        const uint8_t *seen = tsp_sim_stream(b->sim, stream, COLUMN);
        if (seen) {
            cycle = tsp_sim_now(b->sim);
            memcpy(value, seen, LANES);
        } else {
            ck_assert(!tsp_sim_done(b->sim));
            ck_assert_msg(tsp_sim_step(b->sim, &b->err), "%s", b->err.text);
        }
    }
    ck_assert_msg(tsp_sim_run(b->sim, &b->err), "%s", b->err.text);
    ck_assert_int_eq(tsp_sim_stats(b->sim).cycles, cycle);
    return cycle;
}

/* Brings row 0 of slices E0, E1, ... to the SXM on streams 0, 1, ...; the cycle in which. */
static int64_t bring(Bench *b, int32_t count) {
    for (int32_t i = 0; i < count; i++) sketch_at(&b->sketch, E0 + i, 0, sketch_read(0, i));
    return sketch_reach(&b->m, E0, COLUMN);
}

static int32_t sxm(const Bench *b, TspRole role, int32_t index) {
    return tsp_queue_sxm(&b->m, TSP_EAST, role, index);
}

/* -- SXM -- */

static const struct {
    int32_t n, cross;
    int64_t cycles;
} shifts[] = {{0, 0, 1},  {1, 0, 1},  {3, 0, 1},  {0, 1, 1},  {1, 1, 19},
              {4, 1, 19}, {5, 1, 21}, {8, 1, 21}, {9, 1, 23}, {15, 1, 25}};

START_TEST(shift_takes_longer_over_superlanes) {
    for (int32_t south = 0; south < 2; south++)
        for (int32_t e = 0; e < 2; e++) {
            Bench *b = open_bench("tiny");
            const int32_t n = shifts[_i].n, span = shifts[_i].cross ? LANES : SIDE;
            const uint8_t *data;
            uint8_t got[LANES];
            int64_t at = bring(b, 1);
            sketch_at(&b->sketch, sxm(b, TSP_ROLE_SHIFT, south), at,
                      (TspInsn){.op = TSP_OP_SHIFT,
                                .src = 0,
                                .stream = WEST + 9,
                                .n = n,
                                .cross = shifts[_i].cross});
            draft(b);
            data = place_random(b, E0, 0, 1);
            ck_assert_int_eq(first_seen(b, engines[e], WEST + 9, got), at + shifts[_i].cycles);
            for (int32_t i = 0; i < LANES; i++) {
                int32_t from = south ? i + n : i - n, base = i / span * span;
                bool there = from >= base && from < base + span;
                ck_assert_int_eq(got[i], there ? data[from] : 0);
            }
            close_bench(b);
        }
}
END_TEST

/* Draws a Select of E0 by the map in E3, north from E1, south from E2; its cycle. */
static int64_t draw_select(Bench *b) {
    int64_t at = bring(b, 4);
    sketch_at(
        &b->sketch, sxm(b, TSP_ROLE_SELECT, 0), at,
        (TspInsn){.op = TSP_OP_SELECT, .src = 0, .north = 1, .south = 2, .map = 3, .stream = WEST});
    return at;
}

START_TEST(select_takes_what_the_map_says) {
    for (int32_t e = 0; e < 2; e++) {
        Bench *b = open_bench("tiny");
        int64_t at = draw_select(b);
        const uint8_t *data[3];
        uint8_t got[LANES], *map;
        draft(b);
        for (int32_t i = 0; i < 3; i++) data[i] = place_random(b, E0 + i, 0, 1);
        map = place(b, E0 + 3, 0, 1);
        for (int32_t i = 0; i < LANES; i++) map[i] = (uint8_t)(i * 5 % 3);
        ck_assert_int_eq(first_seen(b, engines[e], WEST, got), at + 1);
        for (int32_t i = 0; i < LANES; i++) ck_assert_int_eq(got[i], data[i * 5 % 3][i]);
        close_bench(b);
    }
}
END_TEST

START_TEST(select_refuses_a_fourth_choice) {
    Bench *b = open_bench("tiny");
    int64_t at = draw_select(b);
    draft(b);
    for (int32_t i = 0; i < 3; i++) place_random(b, E0 + i, 0, 1);
    place(b, E0 + 3, 0, 1)[LANES - 1] = 3;
    expect_fault(b, TSP_RULE_MAP_RANGE, at, sxm(b, TSP_ROLE_SELECT, 0), 1);
    close_bench(b);
}
END_TEST

/* -- Gather, Config -- */

/* Every superlane of a Gather has a row of its own; one that is off needs none and gives zeros. */
START_TEST(gather_by_superlane) {
    enum { OFF = 1, ON = 0xf ^ 1 << OFF, SWITCHER = 15, AT = 40, FIRST = 20, ROWS = LANES / SIDE };
    for (int32_t e = 0; e < 2; e++) {
        Bench *b = open_bench("tiny");
        const TspSimOptions options = {.engine = engines[e]};
        const int32_t gatherer = E0 + 4, column = tsp_slice_column(&b->m, gatherer);
        const int64_t due = AT + b->m.mem_read_cycles + b->m.mem_indirect_cycles;
        const uint8_t *rows, *got;
        uint8_t *map;
        sketch_at(&b->sketch, SWITCHER, 10, (TspInsn){.op = TSP_OP_CONFIG, .mask = ON});
        sketch_at(&b->sketch, E0, AT - sketch_reach(&b->m, E0, column), sketch_read(0, 0));
        sketch_at(&b->sketch, gatherer, AT, (TspInsn){.op = TSP_OP_GATHER, .map = 0, .stream = 6});
        draft(b);
        rows = place_random(b, gatherer, FIRST, ROWS);
        map = place(b, E0, 0, 1);
        for (int32_t k = 0; k < ROWS; k++) map[k * SIDE] = (uint8_t)(FIRST + ROWS - 1 - k);
        map[OFF * SIDE + 1] = 0xff; /* far beyond the slice */
        b->sim = tsp_sim_new(&b->program, &options, &b->err);
        ck_assert_msg(b->sim && tsp_sim_run_until(b->sim, due - 1, &b->err), "%s", b->err.text);
        ck_assert_ptr_null(tsp_sim_stream(b->sim, 6, column));
        ck_assert(tsp_sim_step(b->sim, &b->err));
        got = tsp_sim_stream(b->sim, 6, column);
        ck_assert_ptr_nonnull(got);
        for (int32_t i = 0; i < LANES; i++) {
            int32_t k = i / SIDE;
            ck_assert_int_eq(got[i], k == OFF ? 0 : rows[(ROWS - 1 - k) * LANES + i]);
        }
        ck_assert_uint_eq(tsp_sim_csr(b->sim).powered, ON);
        close_bench(b);
    }
}
END_TEST

/* A Gather in cycle GATHER beside one write to its slice, which holds rows 20 to 27. */
typedef struct {
    TspOpcode write; /* a Write, a Scatter; a Nop: none */
    int32_t ahead;   /* cycles before the Gather in which it issues */
    int32_t written[LANES / SIDE], gathered[LANES / SIDE]; /* rows by superlane */
    uint32_t off;                                          /* superlanes, from the start */
    const char *says;                                      /* NULL: all is well */
    TspRule rule;
} Gathering;

#define ALL(row) row, row, row, row
static const Gathering gatherings[] = {
    {TSP_OP_NOP, 0, {0}, {27, 20, 20, 21}, 0, NULL, 0},
    {TSP_OP_NOP, 0, {0}, {20, 21, 22, 28}, 0, "row 0x001c to hold", TSP_RULE_ROW_UNDEFINED},
    {TSP_OP_NOP, 0, {0}, {20, 21, 28, 29}, 1 << 2, "row 0x001d to hold", TSP_RULE_ROW_UNDEFINED},
    {TSP_OP_NOP, 0, {0}, {28, 5000, 20, 20}, 0, "row 0x001c to hold", TSP_RULE_ROW_UNDEFINED},
    {TSP_OP_NOP, 0, {0}, {20, 5000, 28, 20}, 0, "superlane 1 asks", TSP_RULE_ADDRESS_RANGE},
    {TSP_OP_NOP, 0, {0}, {20, 1024, 28, 20}, 0, "superlane 1 asks", TSP_RULE_ADDRESS_RANGE},
    {TSP_OP_NOP, 0, {0}, {20, 5000, 28, 20}, 1 << 1 | 1 << 2, NULL, 0},
    {TSP_OP_WRITE, 3, {ALL(21)}, {20, 21, 22, 21}, 0, NULL, 0},
    {TSP_OP_WRITE, 2, {ALL(21)}, {20, 23, 22, 24}, 0, NULL, 0},
    {TSP_OP_WRITE, 2, {ALL(21)}, {20, 23, 22, 21}, 0, "readable from cycle 41", 0},
    {TSP_OP_WRITE, 1, {ALL(28)}, {28, 20, 20, 20}, 0, "readable from cycle 42", 0},
    {TSP_OP_WRITE, 1, {ALL(21)}, {20, 21, 22, 20}, 1 << 1, NULL, 0},
    {TSP_OP_WRITE, 1, {ALL(21)}, {20, 21, 5000, 28}, 0, "row 0x0015 is readable", 0},
    {TSP_OP_SCATTER, 4, {20, 21, 22, 28}, {20, 21, 22, 28}, 0, NULL, 0},
    {TSP_OP_SCATTER, 3, {20, 21, 22, 23}, {21, 22, 23, 20}, 0, NULL, 0},
    {TSP_OP_SCATTER,
     3,
     {20, 21, 22, 23},
     {21, 22, 22, 20},
     0,
     "row 0x0016 is readable from cycle 41",
     0},
    {TSP_OP_SCATTER,
     1,
     {28, 21, 22, 23},
     {28, 20, 20, 20},
     0,
     "row 0x001c is readable from cycle 43",
     0},
    {TSP_OP_SCATTER, 1, {20, 21, 22, 23}, {21, 20, 20, 23}, 1 << 3, NULL, 0},
    {TSP_OP_SCATTER,
     4,
     {28, 21, 22, 23},
     {28, 28, 22, 23},
     0,
     "row 0x001c to hold",
     TSP_RULE_ROW_UNDEFINED},
};

static void place_map(Bench *b, int32_t slice, const int32_t *row) {
    uint8_t *map = place(b, slice, 0, 1);
    for (int32_t k = 0; k < LANES / SIDE; k++) {
        map[k * SIDE] = (uint8_t)row[k];
        map[k * SIDE + 1] = (uint8_t)(row[k] >> 8);
    }
}

START_TEST(gather_beside_writes) {
    enum { GATHER = 40, FIRST = 20, ROWS = 8, SWITCHER = 15 };
    const Gathering *x = &gatherings[_i];
    Bench *b = open_bench("tiny");
    const int32_t gatherer = E0 + 4, column = tsp_slice_column(&b->m, gatherer);
    const int64_t due = GATHER + b->m.mem_read_cycles + b->m.mem_indirect_cycles;
    const int64_t write = GATHER - x->ahead;
    const TspRule rule = x->rule ? x->rule : TSP_RULE_ROW_TOO_SOON;
    Sketch *s = &b->sketch;
    const uint8_t *rows, *data, *got;
    SketchItem *item;
    int32_t at;
    sketch_at(s, SWITCHER, 10, (TspInsn){.op = TSP_OP_CONFIG, .mask = (int32_t)(0xf ^ x->off)});
    sketch_at(s, E0, GATHER - sketch_reach(&b->m, E0, column), sketch_read(0, 0));
    for (int32_t i = 1; i <= 2; i++)
        sketch_at(s, E0 + i, write - sketch_reach(&b->m, E0 + i, column), sketch_read(0, i));
    if (x->write == TSP_OP_WRITE) sketch_at(s, gatherer, write, sketch_write(x->written[0], 1));
    if (x->write == TSP_OP_SCATTER)
        sketch_at(s, gatherer, write, (TspInsn){.op = TSP_OP_SCATTER, .wstream = 1, .map = 2});
    item = sketch_at(s, gatherer, GATHER, (TspInsn){.op = TSP_OP_GATHER, .map = 0, .stream = 6});
    item->marked = true;
    draft(b);
    for (at = 0; !s->items[at].marked;) at++;
    rows = place_random(b, gatherer, FIRST, ROWS);
    data = place_random(b, E0 + 1, 0, 1);
    place_map(b, E0, x->gathered);
    place_map(b, E0 + 2, x->written);
    if (x->says) {
        expect_fault(b, rule, GATHER, gatherer, s->items[at].index);
        ck_assert_msg(strstr(b->err.text, x->says) != NULL, "%s", b->err.text);
        close_bench(b);
        return;
    }
    for (int32_t e = 0; e < 2; e++) {
        launch_on(b, &(TspSimOptions){.engine = engines[e]});
        ck_assert_msg(tsp_sim_run_until(b->sim, due, &b->err), "%s", b->err.text);
        got = tsp_sim_stream(b->sim, 6, column);
        for (int32_t i = 0; i < LANES; i++) {
            const int32_t k = i / SIDE, row = x->gathered[k];
            const bool landed = x->ahead >= (x->write == TSP_OP_WRITE ? 3 : 4);
            const bool fresh = landed && row == x->written[k];
            const int32_t want = x->off >> k & 1 ? 0
                                 : fresh         ? data[i]
                                                 : rows[(row - FIRST) * LANES + i];
            ck_assert_int_eq(got[i], want);
        }
        if (e == 0) tsp_sim_free(b->sim);
    }
    close_bench(b);
}
END_TEST

START_TEST(config_conflict_blames_the_greater_queue) {
    Bench *b = open_bench("tiny");
    sketch_at(&b->sketch, 9, 5, (TspInsn){.op = TSP_OP_CONFIG, .mask = 7});
    sketch_at(&b->sketch, 3, 5, (TspInsn){.op = TSP_OP_CONFIG, .mask = 7});
    sketch_at(&b->sketch, 6, 5, (TspInsn){.op = TSP_OP_CONFIG, .mask = 7});
    draft(b);
    expect_fault(b, TSP_RULE_CONFIG_CONFLICT, 5 + b->m.config_cycles, 6, 1);
    close_bench(b);
}
END_TEST

/* Of two queues that wait for ever the one that parked first is named. */
START_TEST(deadlock_names_the_earliest) {
    Bench *b = open_bench("tiny");
    sketch_at(&b->sketch, 2, 9, plain(TSP_OP_SYNC));
    sketch_at(&b->sketch, 5, 8, plain(TSP_OP_SYNC));
    sketch_at(&b->sketch, 7, 8, plain(TSP_OP_SYNC));
    draft(b);
    expect_fault(b, TSP_RULE_BARRIER_DEADLOCK, 8, 5, 1);
    close_bench(b);
}
END_TEST

/* -- loading and looking -- */

START_TEST(what_lies_outside_is_refused) {
    Bench *b = open_bench("tiny");
    TspSim *sim;
    draft(b);
    place_random(b, E0, 0, 1);
    b->program.tensors[0].pieces[0].addr = tsp_mem_slice_rows(&b->m);
    ck_assert_ptr_null(tsp_sim_new(&b->program, NULL, &b->err));
    ck_assert_int_eq(b->err.kind, TSP_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(b->err.text, "tensor t000, piece 0 lies outside machine tiny"));
    b->program.tensors[0].pieces[0].addr = 0;
    ck_assert(tsp_queue_push(&b->program.queues[TSP_MAX_QUEUES - 1], (TspWord){0, 0}, NULL));
    ck_assert_ptr_null(tsp_sim_new(&b->program, NULL, &b->err));
    ck_assert_int_eq(b->err.rule, TSP_RULE_QUEUE_UNIT);
    ck_assert_int_eq(b->err.queue, TSP_MAX_QUEUES - 1);
    b->program.queues[TSP_MAX_QUEUES - 1].count = 0;
    launch(b);
    sim = b->sim;
    ck_assert_ptr_null(tsp_sim_row(sim, 2 * (int32_t)b->m.mem_slices, 0, NULL));
    ck_assert_ptr_null(tsp_sim_row(sim, 0, tsp_mem_slice_rows(&b->m), NULL));
    ck_assert_ptr_null(tsp_sim_stream(sim, 0, tsp_columns(&b->m)));
    ck_assert_ptr_null(tsp_sim_latch(sim, (int32_t)b->m.vxm_alus));
    ck_assert_ptr_null(tsp_sim_accumulator(sim, 2 * (int32_t)b->m.mxm_planes, 0, NULL));
    ck_assert_ptr_null(tsp_sim_accumulator(sim, 0, (int32_t)b->m.mxm_accumulator_rows, NULL));
    close_bench(b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sim_chip");
    TCase *tests = tcase_create("sim_chip");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, shift_takes_longer_over_superlanes, 0,
                        (int)(sizeof shifts / sizeof *shifts));
    tcase_add_test(tests, select_takes_what_the_map_says);
    tcase_add_test(tests, select_refuses_a_fourth_choice);
    tcase_add_test(tests, gather_by_superlane);
    tcase_add_loop_test(tests, gather_beside_writes, 0,
                        (int)(sizeof gatherings / sizeof *gatherings));
    tcase_add_test(tests, config_conflict_blames_the_greater_queue);
    tcase_add_test(tests, deadlock_names_the_earliest);
    tcase_add_test(tests, what_lies_outside_is_refused);
    suite_add_tcase(suite, tests);
    return run_bench(suite);
}
