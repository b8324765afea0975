/* test_sim_mxm.c - the fast engine's arrays: products against plain loops, to the bit and the
 * cycle; and run = step = seek of programs that use them.
 */
#include "sim/gemm.h"
#include "sim_bench.h"

/* -- MXM -- */

/* out[R][n] = A0 W0 + A1 W1, weights of the second pass loaded while the first one computes and
 * installed so that not a cycle is lost. */
typedef struct {
    const char *machine;
    TspHemisphere h;
    int32_t plane; /* 0 for f16 */
    TspDtype weights, activations;
    bool wild; /* f16: any bits, else moderate values */
} Product;

enum { RESULT_ROW = 1000 };

/* Loads `groups` groups of a plane from rows row.. of the first slices, at the MXM from cycle t. */
static void draw_load(Bench *b, const Product *x, int32_t plane, int64_t t, int32_t row) {
    const TspMachine *m = &b->m;
    int32_t size = (int32_t)m->mxm_load_streams, groups = tsp_lanes(m) / size;
    int32_t column = tsp_mxm_column(m, x->h), first = tsp_slice_id(m, x->h, 0);
    int32_t base = x->h == TSP_EAST ? 0 : WEST;
    for (int32_t i = 0; i < size; i++)
        sketch_repeat(sketch_at(&b->sketch, first + i, t - sketch_reach(m, first + i, column),
                                sketch_read(row, base + i)),
                      groups - 1, 1, 1);
    sketch_repeat(sketch_at(&b->sketch, tsp_queue_mxm(m, x->h, plane, TSP_ROLE_WEIGHTS), t,
                            lw(base, 0, size)),
                  groups - 1, 1, 1);
}

/* Draws the whole product; returns the cycle of the last Write. */
static int64_t draw_product(Bench *b, const Product *x, int32_t rows) {
    const TspMachine *m = &b->m;
    Sketch *s = &b->sketch;
    bool fp16 = x->weights == TSP_F16;
    int32_t size = (int32_t)m->mxm_load_streams, groups = tsp_lanes(m) / size;
    int32_t column = tsp_mxm_column(m, x->h), first = tsp_slice_id(m, x->h, 0);
    int32_t in = x->h == TSP_EAST ? size : WEST + size, out = x->h == TSP_EAST ? WEST : 0;
    int32_t planes = fp16 ? 2 : 1, step = fp16 ? 2 : 1;
    int64_t t = 40, install = t + planes * groups - 1 + 6, activate = install + 3, write = 0;
    int32_t activations = tsp_queue_mxm(m, x->h, x->plane, TSP_ROLE_ACTIVATIONS);
    int32_t results = tsp_queue_mxm(m, x->h, x->plane, TSP_ROLE_RESULTS);
    for (int32_t pass = 0; pass < 2; pass++) {
        int64_t start = activate + pass * rows * step;
        for (int32_t p = 0; p < planes; p++) {
            draw_load(b, x, x->plane + p, pass ? install + 1 + p * groups : t + p * groups,
                      (pass * planes + p) * groups);
            sketch_at(s, tsp_queue_mxm(m, x->h, x->plane + p, TSP_ROLE_WEIGHTS), start - 3,
                      iw(x->weights));
        }
        for (int32_t p = 0; p < planes; p++)
            sketch_repeat(sketch_at(s, first + size + p,
                                    start - sketch_reach(m, first + size + p, column),
                                    sketch_read(pass * rows, in + p)),
                          rows - 1, step, 1);
        sketch_repeat(sketch_at(s, activations, start, abc(x->activations, in)), rows - 1, step, 0);
        sketch_repeat(sketch_at(s, results, start + 22, acc(pass, pass, 3, pass ? out : 0)),
                      rows - 1, step, 1);
        write = start + 22 + 40 + abs(column - tsp_slice_column(m, first));
    }
    for (int32_t i = 0; i < 4; i++)
        sketch_repeat(sketch_at(s, first + i, write, sketch_write(RESULT_ROW, out + i)), rows - 1,
                      step, 1);
    return write + (rows - 1) * step;
}

static void fill_halfs(Bench *b, uint8_t *low, uint8_t *high, int32_t count, bool wild) {
    for (int32_t i = 0; i < count; i++) {
        uint32_t bits = draw(b);
        uint16_t half = (uint16_t)bits;
        if (!wild) half = (uint16_t)((bits & 0x83ffu) | (10u + (bits >> 16) % 10u) << 10);
        low[i] = (uint8_t)half;
        high[i] = (uint8_t)(half >> 8);
    }
}

static int32_t as_int(uint8_t byte, TspDtype type) {
    return type == TSP_U8 ? byte : (int8_t)byte;
}

static uint32_t canonical(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value != value ? 0x7fc00000u : bits;
}

static float as_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

typedef struct { /* [slice of the group][row][lane]; [byte][row][lane] */
    uint8_t *weights[16], *activations[2];
} Operands;

static Operands place_operands(Bench *b, const Product *x, int32_t rows) {
    const TspMachine *m = &b->m;
    bool fp16 = x->weights == TSP_F16;
    int32_t n = tsp_lanes(m), size = (int32_t)m->mxm_load_streams, groups = n / size;
    int32_t first = tsp_slice_id(m, x->h, 0);
    Operands o = {0};
    for (int32_t i = 0; i < size; i++) {
        o.weights[i] = place_random(b, first + i, 0, 2 * groups * (fp16 ? 2 : 1));
        for (int32_t pass = 0; pass < 2 && fp16; pass++)
            fill_halfs(b, o.weights[i] + 2 * pass * groups * n,
                       o.weights[i] + (2 * pass + 1) * groups * n, groups * n, x->wild);
    }
    for (int32_t p = 0; p < (fp16 ? 2 : 1); p++)
        o.activations[p] = place_random(b, first + size + p, 0, 2 * rows);
    if (fp16) fill_halfs(b, o.activations[0], o.activations[1], 2 * rows * n, x->wild);
    return o;
}

/* One element of one product by a plain loop: an int32, or a half's exact sum rounded to fp32. */
static uint32_t dot(const Bench *b, const Product *x, const Operands *o, int32_t rows, int32_t pass,
                    int32_t row, int32_t column) {
    const int32_t n = tsp_lanes(&b->m), size = (int32_t)b->m.mxm_load_streams, groups = n / size;
    const int32_t a = (pass * rows + row) * n, planes = x->weights == TSP_F16 ? 2 : 1;
    const int32_t at = (planes * pass * groups + column / size) * n;
    const uint8_t *w = o->weights[column % size];
    uint16_t left[TSP_MAX_LANES], right[TSP_MAX_LANES];
    uint32_t sum = 0;
    for (int32_t k = 0; k < n && planes == 1; k++)
        sum += (uint32_t)(as_int(o->activations[0][a + k], x->activations) *
                          as_int(w[at + k], x->weights));
    if (planes == 1) return sum;
    for (int32_t k = 0; k < n; k++) {
        left[k] = (uint16_t)(o->activations[0][a + k] | o->activations[1][a + k] << 8);
        right[k] = (uint16_t)(w[at + k] | w[at + groups * n + k] << 8);
    }
    return tsp_dot_fp16_exact(left, right, n);
}

static uint32_t add(const Product *x, uint32_t a, uint32_t b) {
    return x->weights == TSP_F16 ? canonical(as_float(a) + as_float(b)) : a + b;
}

static const Product products[] = {
    {"tiny", TSP_WEST, 0, TSP_I8, TSP_I8, false},   {"tiny", TSP_EAST, 1, TSP_U8, TSP_I8, false},
    {"tiny", TSP_WEST, 1, TSP_I8, TSP_U8, false},   {"tiny", TSP_EAST, 0, TSP_U8, TSP_U8, false},
    {"tiny", TSP_EAST, 0, TSP_F16, TSP_F16, false}, {"tiny", TSP_WEST, 0, TSP_F16, TSP_F16, true},
    {"tsp1", TSP_WEST, 0, TSP_I8, TSP_I8, false},   {"tsp1", TSP_EAST, 1, TSP_U8, TSP_I8, false},
    {"tsp1", TSP_EAST, 0, TSP_F16, TSP_F16, false},
};

START_TEST(test_product) {
    const Product *x = &products[_i];
    Bench *b = open_bench(x->machine);
    int32_t n = tsp_lanes(&b->m), rows = n > 16 ? 50 : 20;
    int32_t first = tsp_slice_id(&b->m, x->h, 0);
    bool fp16 = x->weights == TSP_F16;
    int64_t last = draw_product(b, x, rows);
    Operands o;
    draft(b);
    o = place_operands(b, x, rows);
    run(b);
    ck_assert_int_eq(tsp_sim_now(b->sim), last + 3);
    ck_assert_int_eq(tsp_sim_stats(b->sim).macs, (int64_t)2 * rows * n * n);
    ck_assert_int_eq(tsp_sim_stats(b->sim).mxm_busy, 2 * rows * (fp16 ? 4 : 1));
    for (int32_t row = 0; row < rows; row++)
        for (int32_t column = 0; column < n; column++) {
            uint32_t got = 0, want = add(x, dot(b, x, &o, rows, 1, row, column),
                                         dot(b, x, &o, rows, 0, row, column));
            for (int32_t i = 0; i < 4; i++)
                got |= (uint32_t)tsp_sim_row(b->sim, first + i, RESULT_ROW + row, NULL)[column]
                       << 8 * i;
            ck_assert_msg(got == want, "row %d column %d: 0x%08x, expected 0x%08x", row, column,
                          got, want);
        }
    close_bench(b);
}
END_TEST

/* A product of the first four columns; the others, never loaded, are zero. */
START_TEST(test_partial_weights) {
    Bench *b = open_bench("tiny");
    SketchProduct x = sketch_product(&b->sketch, 0, 3, 2);
    uint8_t *w[4], *a;
    draft(b);
    for (int32_t i = 0; i < 4; i++) w[i] = place_random(b, E0 + i, 0, 1);
    a = place_random(b, E0 + 4, 16, 3);
    run(b);
    ck_assert_int_eq(x.activate_cycle, 13);
    ck_assert_int_eq(tsp_sim_now(b->sim), 13 + 4 + 22 + 40 + 2 + 3);
    for (int32_t row = 0; row < 3; row++)
        for (int32_t n = 0; n < 16; n++) {
            int32_t sum = 0;
            for (int32_t k = 0; k < 16 && n < 4; k++)
                sum += (int8_t)a[16 * row + k] * (int8_t)w[n][k];
            ck_assert_int_eq(tsp_sim_row(b->sim, E0 + 5, 32 + row, NULL)[n], (uint8_t)sum);
        }
    close_bench(b);
}
END_TEST

/* Weights change every seven cycles, so that three sets are wanted by products under way; int8
 * takes signed and unsigned activations in turn. Both planes load the same bytes for fp16; the
 * third time the even one keeps its first. */
START_TEST(test_weights_under_way) {
    Bench *b = open_bench("tiny");
    Sketch *s = &b->sketch;
    bool fp16 = _i > 0, keeps = _i == 2;
    uint8_t *w[4], *a[2];
    enum { SETS = 4, WINDOW = 7 };
    for (int32_t i = 0; i < 4; i++)
        sketch_repeat(sketch_at(s, E0 + i, 0, sketch_read(0, i)), SETS - 1, WINDOW, 1);
    for (int32_t k = 0; k < SETS; k++)
        for (int32_t p = 0; p < (fp16 ? 2 : 1); p++) { /* the first set has group 0, others 1 */
            if (keeps && k > 0 && p == 0) continue;
            sketch_at(s, LW0 + 3 * p, 4 + WINDOW * k, lw(0, k > 0, 4));
            sketch_at(s, LW0 + 3 * p, 10 + WINDOW * k, iw(fp16 ? TSP_F16 : TSP_I8));
        }
    for (int32_t i = 0; i < 2; i++)
        sketch_repeat(sketch_at(s, E0 + 4 + i, 10, sketch_read(0, 4 + i)), SETS * WINDOW - 1, 1, 1);
    for (int32_t t = 0; t < SETS * WINDOW; t++) {
        TspDtype type = fp16 ? TSP_F16 : t % 2 ? TSP_U8 : TSP_I8;
        if (fp16 && (t % WINDOW % 2 || t % WINDOW == WINDOW - 1)) continue;
        sketch_at(s, ABC0, 13 + t, abc(type, 4));
        sketch_at(s, ACC0, 35 + t, acc(0, 1, 0, WEST));
        for (int32_t i = 0; i < 4; i++)
            sketch_at(s, E0 + i, 78 + t, sketch_write(100 + t, WEST + i));
    }
    draft(b);
    for (int32_t i = 0; i < 4; i++) w[i] = place_random(b, E0 + i, 0, SETS);
    for (int32_t i = 0; i < 2; i++) a[i] = place_random(b, E0 + 4 + i, 0, SETS * WINDOW);
    run(b);
    for (int32_t t = 0; t < SETS * WINDOW; t++)
        for (int32_t n = 0; n < 16 && tsp_sim_row(b->sim, E0, 100 + t, NULL); n++) {
            int32_t k = t / WINDOW, sum = 0;
            bool loaded = n / 4 == (k > 0);
            uint16_t left[16], right[16];
            uint32_t got = 0;
            for (int32_t lane = 0; lane < 16; lane++) {
                uint8_t x = a[0][16 * t + lane], y = loaded ? w[n % 4][16 * k + lane] : 0;
                uint8_t low = !keeps ? y : n < 4 ? w[n][lane] : 0;
                sum += as_int(x, t % 2 ? TSP_U8 : TSP_I8) * (int8_t)y;
                left[lane] = (uint16_t)(x | a[1][16 * t + lane] << 8);
                right[lane] = (uint16_t)(low | y << 8);
            }
            for (int32_t i = 0; i < 4; i++)
                got |= (uint32_t)tsp_sim_row(b->sim, E0 + i, 100 + t, NULL)[n] << 8 * i;
            if (fp16) /* a column that neither plane loaded gives +0, whatever meets it */
                sum = loaded || (keeps && n < 4) ? (int32_t)tsp_dot_fp16_exact(left, right, 16) : 0;
            ck_assert_uint_eq(got, (uint32_t)sum);
        }
    ck_assert_int_eq(tsp_sim_stats(b->sim).mem_writes, 4 * (fp16 ? 3 * SETS : WINDOW * SETS));
    close_bench(b);
}
END_TEST

/* -- accumulator rows that are used again before anybody has looked -- */

/* What Accumulates do one after the other, as pairs of a sign and a row: '=' keeps the product in
 * the row, '+' adds it to the row, '>' emits the row plus the product, '!' the product alone, '?'
 * draws one of these. */
typedef struct {
    const char *first, *again; /* once; then over and over */
} Uses;

typedef struct {
    int32_t row, add, emit;
} Use;

enum { USES = 150, /* more than a batch holds */ ROWS_USED = 3, EMITTED_ROW = 800 };

static const Uses uses[] = {
    {"=0", "+0"},                             /* one sum */
    {"=0", "=0"},                             /* each in the place of the last */
    {"", "=0+0"},                             /* a new sum in the place of the old one */
    {"=0", ">0=0"},                           /* emitted, and then overwritten */
    {"=1", "=0>0+1"},                         /* emitted as soon as it is there */
    {"=0=1=2+0+1+2+0+1+2", "+0+0>0!0=1>1+2"}, /* drives come late */
    {"=0=1=2", "?0?1?2"},
};
static const Product use_products[] = {
    {"tiny", TSP_EAST, 0, TSP_I8, TSP_I8, false},
    {"tiny", TSP_WEST, 0, TSP_F16, TSP_F16, false},
    {"tsp1", TSP_WEST, 1, TSP_U8, TSP_I8, false},
    {"tsp1", TSP_EAST, 0, TSP_F16, TSP_F16, false},
};
enum { USE_PRODUCTS = (int)(sizeof use_products / sizeof *use_products) };

static void read_uses(Bench *b, const Uses *from, Use *use) {
    const char *at = from->first;
    for (int32_t i = 0; i < USES; i++, at += 2) {
        char sign;
        if (*at == 0) at = from->again;
        sign = at[0] == '?' ? "=+>!"[draw(b) % 4] : at[0];
        use[i] = (Use){at[1] - '0', sign == '+' || sign == '>', sign == '>' || sign == '!'};
    }
}

/* One set of weights, USES activations; what is emitted goes to row EMITTED_ROW + its use. */
static void draw_uses(Bench *b, const Product *x, const Use *use) {
    const TspMachine *m = &b->m;
    Sketch *s = &b->sketch;
    const int32_t size = (int32_t)m->mxm_load_streams, groups = tsp_lanes(m) / size;
    const int32_t column = tsp_mxm_column(m, x->h), first = tsp_slice_id(m, x->h, 0);
    const int32_t in = x->h == TSP_EAST ? size : WEST + size, out = x->h == TSP_EAST ? WEST : 0;
    const int32_t planes = x->weights == TSP_F16 ? 2 : 1, step = planes;
    const int64_t t = 40, install = t + planes * groups - 1 + 6, start = install + 3;
    const int32_t results = tsp_queue_mxm(m, x->h, x->plane, TSP_ROLE_RESULTS);
    for (int32_t p = 0; p < planes; p++) {
        draw_load(b, x, x->plane + p, t + p * groups, p * groups);
        sketch_at(s, tsp_queue_mxm(m, x->h, x->plane + p, TSP_ROLE_WEIGHTS), install,
                  iw(x->weights));
        sketch_repeat(sketch_at(s, first + size + p,
                                start - sketch_reach(m, first + size + p, column),
                                sketch_read(0, in + p)),
                      USES - 1, step, 1);
    }
    sketch_repeat(sketch_at(s, tsp_queue_mxm(m, x->h, x->plane, TSP_ROLE_ACTIVATIONS), start,
                            abc(x->activations, in)),
                  USES - 1, step, 0);
    for (int32_t i = 0, count; i < USES; i += count) {
        const int64_t issue = start + 22 + i * step;
        const int32_t emits = use[i].emit, adds = use[i].add;
        for (count = 1; i + count < USES && !memcmp(&use[i], &use[i + count], sizeof *use);)
            count++;
        sketch_repeat(sketch_at(s, results, issue,
                                acc(adds, emits, adds || !emits ? use[i].row : 0, emits ? out : 0)),
                      count - 1, step, 0);
        for (int32_t k = 0; k < 4 && emits; k++)
            sketch_repeat(sketch_at(s, first + k,
                                    issue + 40 + abs(column - tsp_slice_column(m, first + k)),
                                    sketch_write(EMITTED_ROW + i, out + k)),
                          count - 1, step, 1);
    }
}

typedef struct { /* [use][lane]; [accumulator row][lane] */
    uint32_t emitted[USES][TSP_MAX_LANES], kept[ROWS_USED][TSP_MAX_LANES];
} Outcome;

static void expect_uses(const Bench *b, const Product *x, const Operands *o, const Use *use,
                        Outcome *want) {
    memset(want, 0, sizeof *want);
    for (int32_t i = 0; i < USES; i++)
        for (int32_t j = 0; j < tsp_lanes(&b->m); j++) {
            uint32_t *kept = &want->kept[use[i].row][j], sum = dot(b, x, o, USES, 0, i, j);
            if (use[i].add) sum = add(x, sum, *kept);
            *(use[i].emit ? &want->emitted[i][j] : kept) = sum;
        }
}

static void compare_uses(const Bench *b, const Product *x, const Use *use, const Outcome *want) {
    const int32_t first = tsp_slice_id(&b->m, x->h, 0), plane = 2 * (int32_t)x->h + x->plane;
    for (int32_t j = 0; j < tsp_lanes(&b->m); j++) {
        for (int32_t i = 0; i < USES; i++) {
            uint32_t got = 0;
            if (!use[i].emit) continue;
            for (int32_t k = 0; k < 4; k++)
                got |= (uint32_t)tsp_sim_row(b->sim, first + k, EMITTED_ROW + i, NULL)[j] << 8 * k;
            ck_assert_msg(got == want->emitted[i][j], "use %d lane %d: 0x%08x, expected 0x%08x", i,
                          j, got, want->emitted[i][j]);
        }
        for (int32_t row = 0; row < ROWS_USED; row++) {
            TspDtype type;
            const uint32_t *got = tsp_sim_accumulator(b->sim, plane, row, &type);
            ck_assert_msg(!got || got[j] == want->kept[row][j],
                          "accumulator row %d lane %d: 0x%08x, expected 0x%08x", row, j, got[j],
                          want->kept[row][j]);
        }
    }
}

/* Nobody looks before the end, so that products are gathered as far as they may be. */
START_TEST(test_rows_used_again) {
    static const TspSimOptions hosts[] = {
        {.kernel = TSP_GEMM_PLAIN},       {.kernel = TSP_GEMM_PLAIN, .threads = 2},
        {.kernel = TSP_GEMM_AVX2},        {.kernel = TSP_GEMM_AVX2, .threads = 2},
        {.kernel = TSP_GEMM_AVX512},      {.kernel = TSP_GEMM_AVX512, .threads = 2},
        {.engine = TSP_ENGINE_REFERENCE},
    };
    static Outcome want;
    const Product *x = &use_products[_i % USE_PRODUCTS];
    Bench *b = open_bench(x->machine);
    uint64_t digest = 0;
    Use use[USES];
    Operands o;
    read_uses(b, &uses[_i / USE_PRODUCTS], use);
    draw_uses(b, x, use);
    draft(b);
    o = place_operands(b, x, USES);
    expect_uses(b, x, &o, use, &want);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        if (!tsp_gemm_available(hosts[i].kernel)) continue;
        launch_on(b, &hosts[i]);
        ck_assert_msg(tsp_sim_run(b->sim, &b->err), "%s", b->err.text);
        compare_uses(b, x, use, &want);
        if (i > 0) ck_assert_uint_eq(tsp_sim_digest(b->sim), digest);
        digest = tsp_sim_digest(b->sim);
        tsp_sim_free(b->sim);
    }
    b->sim = NULL;
    close_bench(b);
}
END_TEST

/* Hashes at every cycle, by steps; the same by seeks in random order, by one run and again. */
START_TEST(test_run_step_seek) {
    Bench *b = open_bench("tiny");
    const Product x = {"tiny", TSP_EAST, 0, _i ? TSP_F16 : TSP_I8, _i ? TSP_F16 : TSP_I8, false};
    int64_t end = draw_product(b, &x, 20) + 3;
    uint64_t *hash = calloc((size_t)end + 1, sizeof *hash), last = 0;
    sketch_at(&b->sketch, 2, 0, sketch_read(400, 11)); /* the VXM joins in */
    sketch_at(&b->sketch, V0, 2, alu(TSP_OP_ADD, TSP_I8, TSP_DST_NONE, STR(11), IMM, 1));
    sketch_repeat(sketch_at(&b->sketch, V0 + 1, 6,
                            alu(TSP_OP_NEG, TSP_I8, 12, TSP_SRC(TSP_SRC_LATCH, 0), 0, 0)),
                  9, 7, 0);
    sketch_repeat(sketch_at(&b->sketch, 3, 8, sketch_read(0, 13)), 3, 20, 1);
    draft(b);
    place_operands(b, &x, 20);
    place_random(b, 2, 400, 1);
    place_random(b, 3, 0, 4);
    launch(b);
    for (int64_t cycle = 0; cycle <= end; cycle++) {
        ck_assert_int_eq(tsp_sim_now(b->sim), cycle);
        ck_assert_int_eq(tsp_sim_done(b->sim), cycle == end);
        hash[cycle] = tsp_sim_hash(b->sim);
        ck_assert_uint_ne(hash[cycle], last);
        last = hash[cycle];
        ck_assert_msg(tsp_sim_step(b->sim, &b->err), "%s", b->err.text);
    }
    ck_assert_int_eq(tsp_sim_now(b->sim), end);
    for (int32_t i = 0; i < 100; i++) {
        int64_t cycle = draw(b) % (uint32_t)(end + 1);
        ck_assert(tsp_sim_seek(b->sim, cycle, &b->err));
        ck_assert_uint_eq(tsp_sim_hash(b->sim), hash[cycle]);
        if (i % 10 == 0) ck_assert(tsp_sim_run(b->sim, &b->err));
    }
    tsp_sim_free(b->sim);
    run(b);
    ck_assert_uint_eq(tsp_sim_hash(b->sim), hash[end]);
    free(hash);
    close_bench(b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sim_mxm");
    TCase *tests = tcase_create("sim_mxm");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, test_product, 0, (int)(sizeof products / sizeof *products));
    tcase_add_test(tests, test_partial_weights);
    tcase_add_loop_test(tests, test_weights_under_way, 0, 3);
    tcase_add_loop_test(tests, test_rows_used_again, 0,
                        USE_PRODUCTS * (int)(sizeof uses / sizeof *uses));
    tcase_add_loop_test(tests, test_run_step_seek, 0, 2);
    suite_add_tcase(suite, tests);
    return run_bench(suite);
}
