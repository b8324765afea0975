/* test_verify_engine.c - verifier and engine judge the same programs: random flows, compiled
 * graphs, and both with random damage. They must agree on legal or not, and on rule, cycle, queue
 * and instruction.
 *
 * FUZZ_ROUNDS=N runs longer; a disagreement prints the TSP_TEST_SEED that starts with it.
 */
#include "compiler/compile.h"
#include "compiler/verify.h"
#include "sim/sim.h"
#include "tests/damage.h"
#include "tests/random_machine.h"
#include "tests/sketch.h"

#include "suite.h"
#include <stdio.h>

/* ---- flows ---- */

/* Repeats all items from `first` on alike; addresses of MEM step by 1. */
static void repeat_all(Sketch *s, int32_t first) {
    int32_t n = pick(0, 5), d = pick(1, 3);
    int32_t n2 = one_in(3) ? pick(1, 3) : 0, d2 = n * d + pick(1, 4);
    if (n + n2 == 0) return;
    for (int32_t i = first; i < s->count; i++) {
        bool steps = s->items[i].insn.op == TSP_OP_READ || s->items[i].insn.op == TSP_OP_WRITE;
        s->items[i].repeat = (TspInsn){.op = TSP_OP_REPEAT,
                                       .n = n,
                                       .d = d,
                                       .a = steps,
                                       .n2 = n2,
                                       .d2 = n2 ? d2 : 0,
                                       .a2 = steps ? n + 1 : 0};
    }
}

static void copy_flow(Sketch *s, int64_t start) {
    const TspMachine *m = &s->machine;
    int32_t slices = 2 * (int32_t)m->mem_slices, from = pick(0, slices - 1), to;
    int32_t first = s->count, stream;
    do to = pick(0, slices - 1);
    while (to == from);
    stream = sketch_stream(tsp_slice_column(m, from), tsp_slice_column(m, to), pick(0, 15));
    sketch_at(s, from, start, sketch_read(pick(0, 30), stream));
    sketch_at(s, to, start + sketch_reach(m, from, tsp_slice_column(m, to)),
              sketch_write(pick(0, 1) * 512 + pick(32, 300), stream));
    repeat_all(s, first);
}

/* Copies a row, then reads the copy a few cycles later, sometimes too few. */
static void read_back_flow(Sketch *s, int64_t start) {
    const TspMachine *m = &s->machine;
    int32_t write, to, stream = TSP_STREAM(TSP_EASTWARD, pick(0, 15));
    copy_flow(s, start);
    write = s->count - 1;
    to = tsp_slice_id(m, TSP_EAST, 7);
    if (tsp_slice_column(m, s->items[write].queue) > tsp_slice_column(m, to)) return;
    SketchItem read = s->items[write];
    read.cycle += (int64_t)read.repeat.n * read.repeat.d + (int64_t)read.repeat.n2 * read.repeat.d2;
    read.cycle += pick(1, (int32_t)m->mem_write_cycles + 2);
    read.insn = sketch_read(s->items[write].insn.waddr, stream);
    if (one_in(2)) read.insn.addr += read.repeat.n * read.repeat.a;
    read.repeat.op = TSP_OP_NOP;
    s->items[s->count++] = read;
}

/* A row comes in and another goes out in one slot; the banks differ, at least at first. */
static void combined_flow(Sketch *s, int64_t start) {
    const TspMachine *m = &s->machine;
    int32_t from = pick(0, 3), slice = pick(4, 7), first = s->count;
    int32_t stream = TSP_STREAM(TSP_WESTWARD, pick(0, 15));
    sketch_at(s, from, start, sketch_read(pick(0, 30), stream));
    sketch_at(s, slice, start + sketch_reach(m, from, tsp_slice_column(m, slice)),
              (TspInsn){.op = TSP_OP_READ_WRITE,
                        .addr = pick(0, 30),
                        .stream = TSP_STREAM(TSP_EASTWARD, pick(0, 15)),
                        .waddr = pick(506, 530),
                        .wstream = stream});
    repeat_all(s, first);
    s->items[s->count - 1].repeat.a = 1;
    s->items[s->count - 1].repeat.w = pick(-2, 1);
    s->items[s->count - 1].repeat.w2 = pick(-2, 1);
}

/* Two slices of one column drive one stream close together. */
static void crowd_flow(Sketch *s, int64_t start) {
    int32_t stream = pick(0, 3) + 32 * pick(0, 1), first = s->count;
    sketch_at(s, pick(0, 1), start, sketch_read(pick(0, 30), stream));
    repeat_all(s, first);
    first = s->count;
    sketch_at(s, pick(2, 3), start + pick(0, 9), sketch_read(pick(0, 30), stream));
    repeat_all(s, first);
}

static void transpose_flow(Sketch *s, int64_t start) {
    const TspMachine *m = &s->machine;
    int32_t column = tsp_sxm_column(m, TSP_WEST), group = 4 * pick(0, 3), first = s->count;
    int32_t back = 4 * pick(0, 3), base = 4 * pick(0, 1);
    int64_t there = start + sketch_reach(m, base, column);
    for (int32_t i = 0; i < 4; i++)
        sketch_at(s, base + i, start,
                  sketch_read(pick(0, 30), TSP_STREAM(TSP_WESTWARD, group + i)));
    sketch_at(s, tsp_queue_sxm(m, TSP_WEST, TSP_ROLE_TRANSPOSE, pick(0, 1)), there,
              (TspInsn){.op = TSP_OP_TRANSPOSE,
                        .src = TSP_STREAM(TSP_WESTWARD, group),
                        .stream = TSP_STREAM(TSP_EASTWARD, back)});
    for (int32_t i = 0; i < 4; i++) {
        int32_t slice = tsp_slice_id(m, TSP_EAST, base + i);
        sketch_at(s, slice, there + m->sxm_transpose_cycles + tsp_slice_column(m, slice) - column,
                  sketch_write(pick(32, 300), TSP_STREAM(TSP_EASTWARD, back + i)));
    }
    repeat_all(s, first);
}

/* A chain of two or three ALUs over i8 streams, or over immediates and latches. */
static void alu_flow(Sketch *s, int64_t start) {
    const TspMachine *m = &s->machine;
    int32_t from = pick(0, 7), column = tsp_vxm_column(m), first = s->count;
    int32_t in = TSP_STREAM(TSP_EASTWARD, pick(0, 15)), out = TSP_STREAM(TSP_EASTWARD, pick(0, 15));
    int32_t alu = pick(0, 12), links = pick(1, 3), to = tsp_slice_id(m, TSP_EAST, pick(0, 7));
    int64_t t = start + sketch_reach(m, from, column);
    sketch_at(s, from, start, sketch_read(pick(0, 30), in));
    for (int32_t i = 0; i < links; i++, t += m->vxm_op_cycles) {
        TspInsn add = {.op = TSP_OP_ADD, .type = TSP_I8};
        add.dst = i == links - 1 ? out : TSP_DST_NONE;
        add.src_a = i == 0 ? in : TSP_SRC(TSP_SRC_ALU, alu + i - 1);
        add.src_b =
            i == 0 || one_in(2) ? TSP_SRC(TSP_SRC_IMM, 0) : TSP_SRC(TSP_SRC_LATCH, alu + i - 1);
        sketch_at(s, tsp_queue_vxm(m, alu + i), t, add);
    }
    t += m->vxm_entry_cycles + m->vxm_exit_cycles + tsp_slice_column(m, to) - column;
    sketch_at(s, to, t, sketch_write(pick(32, 300), out));
    repeat_all(s, first);
}

static void product_flow(Sketch *s, int64_t start) {
    SketchProduct x = sketch_product(s, start, pick(1, 6), pick(1, 3));
    if (one_in(2)) { /* accumulate a second time before emitting: same rows */
        int64_t shift = x.accumulate_cycle - x.activate_cycle + 20;
        int32_t rows = pick(0, 10);
        SketchItem read = s->items[x.read_activations], abc = s->items[x.activate];
        SketchItem acc = s->items[x.accumulate];
        s->items[x.accumulate].insn = (TspInsn){.op = TSP_OP_ACC, .row = rows};
        s->items[x.accumulate].repeat.a = 1;
        read.cycle += shift, abc.cycle += shift, acc.cycle += shift;
        acc.insn.add = 1;
        acc.insn.row = rows;
        acc.repeat.a = 1;
        s->items[x.write].cycle += shift;
        s->items[s->count++] = read, s->items[s->count++] = abc, s->items[s->count++] = acc;
    }
}

static void half_flow(Sketch *s, int64_t start) {
    const TspMachine *m = &s->machine;
    int32_t rows = pick(1, 4), place = pick(0, 10),
            odd = tsp_queue_mxm(m, TSP_EAST, 1, TSP_ROLE_WEIGHTS);
    SketchProduct x = sketch_product(s, start, rows, pick(2, 4));
    SketchItem second = s->items[x.read_activations];
    int32_t low = TSP_STREAM(TSP_EASTWARD, 6);
    s->items[x.install].insn.type = TSP_F16;
    s->items[x.activate].insn.type = TSP_F16;
    s->items[x.activate].insn.stream = low;
    s->items[x.read_activations].insn.stream = low;
    second.queue = tsp_slice_id(m, TSP_EAST, 6);
    second.insn.stream = low + 1;
    s->items[s->count++] = second;
    if (one_in(2)) { /* keep the sums where an integer product may have left others */
        s->items[x.accumulate].insn = (TspInsn){.op = TSP_OP_ACC, .row = place, .add = one_in(2)};
        s->items[x.write].queue = tsp_queue_vxm(m, 0);
        s->items[x.write].insn =
            (TspInsn){.op = TSP_OP_PASS, .dst = TSP_DST_NONE, .src_a = TSP_SRC(TSP_SRC_IMM, 0)};
    }
    sketch_at(s, odd, x.load_cycle, s->items[x.load].insn);
    sketch_at(s, odd, x.load_cycle + m->mxm_load_cycles,
              (TspInsn){.op = TSP_OP_IW, .type = TSP_F16});
}

static void barrier_flow(Sketch *s, int64_t start) {
    int32_t queues = tsp_queue_count(&s->machine);
    for (int32_t i = pick(1, 3); i > 0; i--)
        sketch_at(s, pick(0, queues - 1), start - pick(0, 20), (TspInsn){.op = TSP_OP_SYNC});
    sketch_at(s, pick(0, queues - 1), start, (TspInsn){.op = TSP_OP_NOTIFY});
}

typedef void Flow(Sketch *s, int64_t start);
static Flow *const flows[] = {copy_flow, copy_flow, read_back_flow, combined_flow, crowd_flow,
                              alu_flow,  alu_flow,  transpose_flow, product_flow,  product_flow,
                              half_flow, half_flow, barrier_flow};

/* ---- the two judges ---- */

static bool engine_runs(const TspProgram *p, int64_t *cycles, TspError *err) {
    TspSim *sim = tsp_sim_new(p, NULL, err);
    bool legal = sim != NULL;
    for (int32_t t = 0; t < p->tensor_count && legal; t++) {
        uint8_t *zeros;
        if (p->tensors[t].role != TSP_ROLE_INPUT) continue;
        zeros = calloc((size_t)tsp_tensor_bytes(&p->tensors[t]) + 1, 1);
        legal = tsp_sim_write_tensor(sim, t, zeros, err);
        free(zeros);
    }
    legal = legal && tsp_sim_run(sim, err);
    if (legal) *cycles = tsp_sim_stats(sim).cycles;
    tsp_sim_free(sim);
    return legal;
}

typedef struct {
    int32_t legal, illegal, by_rule[TSP_RULE_COUNT];
} Tally;

static void judge(const TspProgram *p, uint64_t seed, Tally *tally) {
    TspError verifier = {0}, engine = {0};
    TspProof proof;
    int64_t cycles = 0;
    bool proved = tsp_verify(p, NULL, &proof, &verifier), ran = engine_runs(p, &cycles, &engine);
    ck_assert_msg(proved == ran && verifier.kind == engine.kind && verifier.rule == engine.rule &&
                      verifier.cycle == engine.cycle && verifier.queue == engine.queue &&
                      verifier.index == engine.index,
                  "TSP_TEST_SEED=%llu: verifier says %s %s\n    engine says %s %s",
                  (unsigned long long)seed, tsp_rule_name(verifier.rule),
                  proved ? "legal" : verifier.text, tsp_rule_name(engine.rule),
                  ran ? "legal" : engine.text);
    if (ran) ck_assert_int_eq(proof.cycles, cycles);
    tally->legal += ran;
    tally->illegal += !ran;
    tally->by_rule[verifier.rule]++;
}

static Sketch sketch;

static void judge_one(uint64_t seed, Tally *tally) {
    TspProgram p;
    int32_t flow_count, damages;
    random_from(seed);
    flow_count = pick(1, 4);
    damages = pick(-2, 2);
    sketch_init(&sketch, "tiny");
    vary_timings(&sketch.machine);
    for (int32_t i = 0; i < flow_count; i++) {
        Flow *flow = flows[pick(0, sizeof flows / sizeof *flows - 1)];
        flow(&sketch, 20 + pick(0, 150));
    }
    for (int32_t i = 0; i < damages && sketch.count > 1; i++) damage(&sketch);
    if (sketch_program(&sketch, &p)) {
        if (one_in(30)) { /* a bit of a word */
            TspQueue *q = &p.queues[sketch.items[pick(0, sketch.count - 1)].queue];
            TspWord *word = &q->words[pick(0, q->count - 1)];
            word->lo ^= UINT64_C(1) << pick(0, 63);
        }
        for (int32_t slice = 0; slice < 2 * sketch.machine.mem_slices; slice++)
            if (!one_in(200)) sketch_place(&p, slice, 0, 64);
        judge(&p, seed, tally);
    }
    tsp_program_free(&p);
}

static int64_t rounds_wanted(void) {
    const char *text = getenv("FUZZ_ROUNDS");
    return text ? strtoll(text, NULL, 10) : 4000;
}

START_TEST(verifier_and_engine_agree) {
    Tally tally = {0};
    int64_t rounds = rounds_wanted();
    uint64_t seed;
    random_start();
    seed = random_state;
    for (int64_t i = 0; i < rounds; i++) judge_one(seed + (uint64_t)i, &tally);
    printf("%d legal, %d illegal\n", tally.legal, tally.illegal);
    if (getenv("FUZZ_TALLY"))
        for (int i = 0; i < TSP_RULE_COUNT; i++)
            printf("%8d %s\n", tally.by_rule[i], tsp_rule_name((TspRule)i));
    if (rounds >= 1000) { /* the generator must not degenerate */
        ck_assert_int_gt(tally.legal, rounds / 10);
        ck_assert_int_gt(tally.illegal, rounds / 10);
    }
}
END_TEST

/* ---- compiled graphs ---- */

static const char *const graphs[] = {
    "{\"name\": \"i8\", \"inputs\": [{\"name\": \"A\", \"dtype\": \"int8\", \"shape\": [21, 40]}],"
    " \"initializers\": [{\"name\": \"B\", \"dtype\": \"int8\", \"shape\": [40, 24],"
    "   \"random\": {\"seed\": 1, \"low\": -8, \"high\": 8}}],"
    " \"nodes\": [{\"op\": \"MatMulInteger\", \"inputs\": [\"A\", \"B\"], \"outputs\": [\"C\"]}],"
    " \"outputs\": [\"C\"]}",
    "{\"name\": \"f16\","
    " \"inputs\": [{\"name\": \"A\", \"dtype\": \"float16\", \"shape\": [9, 20]}],"
    " \"initializers\": [{\"name\": \"B\", \"dtype\": \"float16\", \"shape\": [20, 18],"
    "   \"random\": {\"seed\": 1, \"low\": -1, \"high\": 1}},"
    "   {\"name\": \"b\", \"dtype\": \"float16\", \"shape\": [18],"
    "   \"random\": {\"seed\": 2, \"low\": -1, \"high\": 1}}],"
    " \"nodes\": [{\"op\": \"Gemm\", \"inputs\": [\"A\", \"B\", \"b\"], \"outputs\": [\"C\"]},"
    "   {\"op\": \"Relu\", \"inputs\": [\"C\"], \"outputs\": [\"D\"]}],"
    " \"outputs\": [\"D\"]}",
    "{\"name\": \"sum\","
    " \"inputs\": [{\"name\": \"A\", \"dtype\": \"float32\", \"shape\": [12, 20]},"
    "   {\"name\": \"B\", \"dtype\": \"float32\", \"shape\": [12, 20]}], \"initializers\": [],"
    " \"nodes\": [{\"op\": \"Add\", \"inputs\": [\"A\", \"B\"], \"outputs\": [\"C\"]},"
    "   {\"op\": \"Mul\", \"inputs\": [\"C\", \"B\"], \"outputs\": [\"D\"]}],"
    " \"outputs\": [\"D\"]}",
};
enum { GRAPHS = sizeof graphs / sizeof *graphs };

static void compile_text(const char *text, TspProgram *p) {
    TspCompileOptions options = {0};
    TspMachine machine;
    TspGraph graph;
    TspError err;
    tsp_machine_builtin(&machine, "tiny");
    ck_assert_msg(tsp_graph_parse(&graph, text, strlen(text), "graph", &err), "%s", err.text);
    ck_assert_msg(tsp_compile(&graph, &machine, &options, p, &err), "%s", err.text);
    tsp_graph_free(&graph);
}

START_TEST(compiled_programs_are_proved) {
    for (int i = 0; i < GRAPHS; i++) {
        TspProgram p;
        TspProof proof;
        TspError err;
        Tally tally = {0};
        int64_t linked = 0;
        compile_text(graphs[i], &p);
        ck_assert_msg(tsp_verify(&p, NULL, &proof, &err), "graph %d: %s", i, err.text);
        for (int32_t l = 0; l < p.link_count; l++) linked += p.runs[p.links[l].consumer].count;
        ck_assert_int_gt(linked, 0);
        ck_assert_int_eq(proof.links_proved, linked);
        ck_assert_int_eq(proof.cycles, p.predicted_cycles);
        judge(&p, 0, &tally);
        for (int32_t l = 0; l < p.link_count; l++) { /* no link may be off by an iteration */
            p.links[l].offset++;
            ck_assert(!tsp_verify(&p, NULL, &proof, &err));
            ck_assert_int_eq(err.rule, TSP_RULE_WRONG_VALUE);
            p.links[l].offset--;
        }
        tsp_program_free(&p);
    }
}
END_TEST

/* Damages one word of one queue. False if the word can't be written. */
static bool damage_program(TspProgram *p) {
    TspQueue *q;
    TspInsn insn;
    TspError err;
    TspWord *word;
    do q = &p->queues[pick(0, tsp_queue_count(&p->machine) - 1)];
    while (q->count == 0);
    word = &q->words[pick(0, q->count - 1)];
    if (!tsp_decode(*word, &insn, &err)) return false;
    if (one_in(4))
        insn = (TspInsn){.op = TSP_OP_NOP, .n = 1};
    else
        damage_field(&insn);
    return tsp_encode(&insn, word, &err);
}

/* Without links the verifier sees what the engine sees. With them it sees more, never less, and
 * never later. */
START_TEST(damaged_compiled_programs) {
    Tally tally = {0};
    int64_t rounds = rounds_wanted() / 8, wrong_values = 0;
    uint64_t seed;
    random_start();
    seed = random_state;
    for (int64_t i = 0; i < rounds; i++, seed++) {
        int32_t links, illegal = tally.illegal;
        TspProgram p;
        TspProof proof;
        TspError err = {0};
        bool proved;
        random_from(seed);
        compile_text(graphs[pick(0, GRAPHS - 1)], &p);
        if (damage_program(&p)) {
            proved = tsp_verify(&p, NULL, &proof, &err);
            links = p.link_count;
            p.link_count = 0;
            judge(&p, seed, &tally);
            p.link_count = links;
            ck_assert_msg(!proved || tally.illegal == illegal,
                          "TSP_TEST_SEED=%llu: legal with links and illegal without",
                          (unsigned long long)seed);
            wrong_values += err.rule == TSP_RULE_WRONG_VALUE && tally.illegal == illegal;
        }
        tsp_program_free(&p);
    }
    printf("compiled: %d legal, %d illegal, %lld seen by links only\n", tally.legal, tally.illegal,
           (long long)wrong_values);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("verify_engine");
    TCase *tcase = tcase_create("fuzz");
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, verifier_and_engine_agree);
    tcase_add_test(tcase, compiled_programs_are_proved);
    tcase_add_test(tcase, damaged_compiled_programs);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
