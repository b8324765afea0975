/* test_timeline.c - the timeline against what the engines count, and its searches against a plain
 * list of issues: random programs of all units, and a hand-made one with every cycle known.
 */
#include "viz/timeline.h"

#include "compiler/compile.h"
#include "isa/asm.h"
#include "random_program.h"
#include "suite.h"

static Random drawn;

/* Every issue of a queue in the first `cycles` cycles, by cycle: -1, or the word. */
static void list_issues(const VizTimeline *t, int32_t queue, int64_t cycles, int32_t *word) {
    for (int64_t c = 0; c < cycles; c++) word[c] = -1;
    for (int32_t i = t->first[queue]; i < t->first[queue + 1]; i++) {
        const VizBurst *b = &t->bursts[i];
        ck_assert_int_eq(b->queue, queue);
        for (int32_t k = 0; k <= b->n2; k++)
            for (int32_t j = 0; j <= b->n; j++) {
                const int64_t cycle = b->start + (int64_t)j * b->d + (int64_t)k * b->d2;
                ck_assert_int_lt(cycle, cycles);
                ck_assert_int_eq(word[cycle], -1); /* one issue a cycle */
                word[cycle] = b->word;
            }
    }
}

static void check_issue(const VizIssue *issue, int64_t cycle, const int32_t *word) {
    const VizBurst *b = issue->burst;
    ck_assert_int_eq(issue->cycle, cycle);
    ck_assert_int_eq(b->word, word[cycle]);
    ck_assert_int_eq(cycle, b->start + (int64_t)issue->i * b->d + (int64_t)issue->j * b->d2);
    ck_assert(issue->i >= 0 && issue->i <= b->n && issue->j >= 0 && issue->j <= b->n2);
}

/* at, next, previous and advance, asked in every cycle, say what the list says. */
static void check_searches(const VizTimeline *t, int32_t queue, int64_t cycles,
                           const int32_t *word) {
    VizIssue issue, walk;
    int64_t before = -1, next = 0;
    for (int64_t c = 0; c < cycles; c++) {
        if (next <= c)
            for (next = c + 1; next < cycles && word[next] < 0;) next++;
        ck_assert(viz_issue_at(t, queue, c, &issue) == (word[c] >= 0));
        if (word[c] >= 0) check_issue(&issue, c, word);
        ck_assert(viz_issue_next(t, queue, c, &issue) == (next < cycles));
        if (next < cycles) check_issue(&issue, next, word);
        ck_assert(viz_issue_previous(t, queue, c, &issue) == (before >= 0));
        if (before >= 0) check_issue(&issue, before, word);
        if (word[c] >= 0) {
            if (before < 0) {
                ck_assert(viz_issue_next(t, queue, -1, &walk));
            } else {
                ck_assert(viz_issue_advance(t, &walk));
            }
            check_issue(&walk, c, word);
            before = c;
        }
    }
    ck_assert(before < 0 || !viz_issue_advance(t, &walk));
}

/* The interval of every op, and the latency, follow from the bursts as the engines count them. */
static void check_intervals(const VizTimeline *t, const TspSimStats *stats) {
    const TspProgram *p = t->program;
    int64_t latency = 0;
    TspInterval *ops = malloc(((size_t)p->op_count + 1) * sizeof *ops);
    for (int32_t op = 0; op < p->op_count; op++) ops[op] = (TspInterval){-1, -1};
    for (int32_t i = 0; i < t->burst_count; i++) {
        const VizBurst *b = &t->bursts[i];
        if (b->opcode == TSP_OP_SYNC) continue;
        if (viz_burst_end(b) > latency) latency = viz_burst_end(b);
        for (int32_t half = 0; half < 2; half++) {
            TspInterval *op = b->op[half] < 0 ? NULL : &ops[b->op[half]];
            if (!op) continue;
            if (op->start < 0 || b->start < op->start) op->start = b->start;
            if (b->last + b->func[half] > op->end) op->end = b->last + b->func[half];
        }
    }
    ck_assert_int_eq(latency, stats->cycles);
    for (int32_t op = 0; op < p->op_count; op++) {
        ck_assert_int_eq(ops[op].start, t->ops[op].start);
        ck_assert_int_eq(ops[op].end, t->ops[op].end);
    }
    free(ops);
}

static bool same_timeline(const VizTimeline *a, const VizTimeline *b) {
    return a->cycles == b->cycles && a->complete == b->complete && a->issues == b->issues &&
           a->burst_count == b->burst_count && !memcmp(a->first, b->first, sizeof a->first) &&
           !memcmp(a->bursts, b->bursts, (size_t)a->burst_count * sizeof *a->bursts) &&
           !memcmp(a->ops, b->ops, (size_t)a->program->op_count * sizeof *a->ops);
}

/* Runs on an engine until `cycle` and takes the timeline; false if data stopped the run. */
static bool timeline_of(VizTimeline *t, const TspProgram *p, TspEngineKind engine, bool modelled,
                        int64_t cycle, TspSimStats *stats) {
    const TspSimOptions options = {.engine = engine, .ifetch_modelled = modelled};
    TspError err = {0};
    TspSim *sim = tsp_sim_new(p, &options, &err);
    bool ran;
    ck_assert_msg(sim != NULL, "%s", err.text);
    ran = tsp_sim_run_until(sim, cycle, &err);
    *stats = tsp_sim_stats(sim);
    if (ran) ck_assert_msg(viz_timeline_make(t, p, sim, &err), "%s", err.text);
    tsp_sim_free(sim);
    return ran;
}

static bool check_program(const TspProgram *p, bool modelled) {
    VizTimeline timing, fast, reference, half;
    TspSimStats stats;
    TspError err = {0};
    int32_t *word;
    ck_assert_msg(viz_timeline_run(&timing, p, modelled, &err), "%s", err.text);
    if (!timeline_of(&fast, p, TSP_ENGINE_FAST, modelled, INT64_MAX, &stats)) {
        viz_timeline_free(&timing);
        return false;
    }
    ck_assert(timeline_of(&reference, p, TSP_ENGINE_REFERENCE, modelled, INT64_MAX, &stats));
    ck_assert(same_timeline(&timing, &fast));
    ck_assert(same_timeline(&timing, &reference));
    ck_assert(timing.complete);
    ck_assert_int_eq(timing.cycles, stats.cycles);
    ck_assert_int_eq(timing.issues, stats.instructions);
    check_intervals(&timing, &stats);
    word = malloc(((size_t)timing.cycles + 2) * sizeof *word);
    for (int32_t queue = 0; queue < tsp_queue_count(&p->machine); queue++) {
        list_issues(&timing, queue, timing.cycles + 2, word); /* a last Sync issues later */
        check_searches(&timing, queue, timing.cycles + 2, word);
    }
    free(word);
    /* Of a run that stands half-way: what has issued by then. */
    ck_assert(timeline_of(&half, p, TSP_ENGINE_FAST, modelled, timing.cycles / 2, &stats));
    ck_assert_int_eq(half.issues, stats.instructions);
    ck_assert_int_le(half.burst_count, timing.burst_count);
    viz_timeline_free(&half);
    viz_timeline_free(&timing);
    viz_timeline_free(&fast);
    viz_timeline_free(&reference);
    return true;
}

START_TEST(test_random) {
    const char *scale = getenv("TSP_TEST_SCALE");
    const int32_t programs = scale && !strcmp(scale, "small") ? 8 : 50;
    int32_t checked = 0;
    uint64_t seed;
    random_start();
    for (seed = random_state; checked < programs; seed++) {
        TspProgram p;
        random_from(seed);
        random_program(&drawn, "tiny", pick(1, 14), true);
        ck_assert(random_build(&drawn, &p));
        checked += check_program(&p, drawn.modelled);
        random_release(&p);
        random_free(&drawn);
    }
    ck_assert_int_lt((int)(seed - 20200530),
                     2 * programs + (getenv("TSP_TEST_SEED") ? 1 << 30 : 0));
}
END_TEST

static void load_graph(TspProgram *p, const char *path) {
    TspMachine m;
    TspGraph graph;
    TspError err = {0};
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    ck_assert_msg(tsp_graph_load(&graph, path, &err), "%s", err.text);
    ck_assert_msg(tsp_compile(&graph, &m, NULL, p, &err), "%s", err.text);
    tsp_graph_free(&graph);
}

/* Of what is compiled, predicted and simulated intervals agree, and memory rows have a tensor. */
START_TEST(test_compiled) {
    TspProgram p;
    VizTimeline t;
    TspError err = {0};
    load_graph(&p, "programs/mlp.json");
    ck_assert_msg(viz_timeline_run(&t, &p, false, &err), "%s", err.text);
    ck_assert_int_eq(t.cycles, p.predicted_cycles);
    for (int32_t op = 0; op < p.op_count; op++) {
        ck_assert_int_eq(t.ops[op].start, p.ops[op].start);
        ck_assert_int_eq(t.ops[op].end, p.ops[op].end);
    }
    for (int32_t i = 0; i < t.burst_count; i++) {
        const VizBurst *b = &t.bursts[i];
        const bool both = b->opcode == TSP_OP_READ_WRITE;
        const bool mem = both || b->opcode == TSP_OP_READ || b->opcode == TSP_OP_WRITE;
        ck_assert((b->tensor[0] >= 0) == mem);
        ck_assert((b->tensor[1] >= 0) == both);
        ck_assert_int_ge(viz_burst_op(b), 0);
    }
    viz_timeline_free(&t);
    tsp_program_free(&p);
}
END_TEST

/* The example of docs and paper: eight vectors added, every cycle of it known. */
static const struct {
    const char *queue;
    int64_t start, last, effect;
    TspOpcode opcode;
    const char *tensor, *text;
    int32_t line;
} vecadd[] = {
    {"mem.w0", 0, 7, 8, TSP_OP_READ, "X", "read 0x0005, s0.e", 19},
    {"mem.e0", 0, 7, 8, TSP_OP_READ, "Y", "read 0x0005, s0.w", 22},
    {"mem.e4", 11, 18, 21, TSP_OP_WRITE, "Z", "write 0x0005, s1.e", 31},
    {"vxm.0", 2, 9, 16, TSP_OP_ADD_SAT, NULL, "add.sat i8, s1.e, s0.e, s0.w", 26},
};

START_TEST(test_vecadd) {
    FILE *file = fopen("programs/vecadd.s", "rb");
    char text[8192];
    TspProgram p;
    TspMachine m;
    VizTimeline t;
    TspError err = {0};
    VizIssue issue;
    size_t length;
    ck_assert_ptr_nonnull(file);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    ck_assert_msg(tsp_assemble(&p, &m, text, length, "programs/vecadd.s", &err), "%s", err.text);
    ck_assert_msg(viz_timeline_run(&t, &p, false, &err), "%s", err.text);
    ck_assert_int_eq(t.cycles, 21);
    ck_assert_int_eq(t.issues, 32);
    ck_assert_int_eq(t.burst_count, 4);
    for (int32_t i = 0; i < t.burst_count; i++) {
        const VizBurst *b = &t.bursts[i];
        TspInsn insn;
        char name[32];
        tsp_queue_name(&m, b->queue, name);
        ck_assert_str_eq(name, vecadd[i].queue);
        ck_assert_int_eq(b->start, vecadd[i].start);
        ck_assert_int_eq(b->last, vecadd[i].last);
        ck_assert_int_eq(viz_burst_end(b), vecadd[i].effect);
        ck_assert_int_eq(viz_burst_issues(b), 8);
        ck_assert_int_eq(b->opcode, vecadd[i].opcode);
        ck_assert_int_eq(b->line, vecadd[i].line);
        ck_assert_str_eq(p.ops[viz_burst_op(b)].name, "Z");
        ck_assert((b->tensor[0] < 0) == (vecadd[i].tensor == NULL));
        if (vecadd[i].tensor) ck_assert_str_eq(p.tensors[b->tensor[0]].name, vecadd[i].tensor);
        ck_assert(viz_issue_at(&t, b->queue, b->start + 5, &issue)); /* the sixth row */
        insn = viz_issue_insn(&t, &issue);
        tsp_insn_text(&m, &insn, text, sizeof text);
        ck_assert_str_eq(text, vecadd[i].text);
        ck_assert_int_eq(viz_burst_issues_before(b, b->start), 0);
        ck_assert_int_eq(viz_burst_issues_before(b, b->start + 3), 3);
        ck_assert_int_eq(viz_burst_issues_before(b, 1000), 8);
    }
    ck_assert(!viz_issue_at(&t, -1, 0, &issue) && !viz_issue_at(&t, TSP_MAX_QUEUES, 0, &issue));
    ck_assert(!viz_issue_next(&t, -1, 0, &issue) && !viz_issue_next(&t, 1, 0, &issue));
    ck_assert(!viz_issue_previous(&t, 0, 0, &issue));
    viz_timeline_free(&t);
    tsp_program_free(&p);
}
END_TEST

/* Steps of every instruction that Repeat steps; and ten million issues are two records. */
START_TEST(test_steps) {
    static Sketch s;
    static const TspInsn both = {.op = TSP_OP_READ_WRITE, .addr = 3, .waddr = 700, .stream = 1};
    TspProgram p;
    VizTimeline t;
    VizIssue issue;
    TspInsn insn;
    TspError err = {0};
    SketchItem *item;
    sketch_init(&s, "tiny");
    item = sketch_at(&s, 0, 5, both);
    item->repeat = (TspInsn){
        .op = TSP_OP_REPEAT, .n = 2, .d = 3, .a = 1, .w = -2, .n2 = 1, .d2 = 20, .a2 = 4, .w2 = 50};
    item = sketch_at(&s, 1, 0, sketch_read(0, 0)); /* in the same column: brings what is written */
    item->repeat = (TspInsn){.op = TSP_OP_REPEAT, .n = 9999, .d = 1, .n2 = 999, .d2 = 20000};
    ck_assert(sketch_program(&s, &p));
    sketch_place(&p, 0, 0, 16);
    sketch_place(&p, 1, 0, 1);
    ck_assert_msg(viz_timeline_run(&t, &p, false, &err), "%s", err.text);
    ck_assert_int_eq(t.burst_count, 2);
    ck_assert_int_eq(t.issues, 10000000 + 6);
    ck_assert(viz_issue_at(&t, 0, 5 + 20 + 2 * 3, &issue));
    ck_assert_int_eq(issue.i, 2);
    ck_assert_int_eq(issue.j, 1);
    insn = viz_issue_insn(&t, &issue);
    ck_assert_int_eq(insn.addr, 3 + 2 + 4);
    ck_assert_int_eq(insn.waddr, 700 - 4 + 50);
    ck_assert_int_eq(issue.burst->func[0], 1);
    ck_assert_int_eq(issue.burst->func[1], 3);
    ck_assert(viz_issue_next(&t, 1, 9999, &issue)); /* between two rounds */
    ck_assert_int_eq(issue.cycle, 20000);
    ck_assert(viz_issue_previous(&t, 1, 20000, &issue));
    ck_assert_int_eq(issue.cycle, 9999);
    viz_timeline_free(&t);
    tsp_program_free(&p);
}
END_TEST

/* Where two tensors share rows, as inputs of one place may, the first is told. */
START_TEST(tensors_of_rows) {
    static const char text[] = ".machine tiny\n"
                               ".tensor A, int8, [3, 16], input @ mem.w1:2\n"
                               ".tensor B, int8, [3, 16], input @ mem.w1:4\n"
                               "@mem.w0\n read 0, s0.e\n";
    TspProgram p;
    TspMachine m;
    TspError err;
    int32_t *rows;
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    ck_assert_msg(tsp_assemble(&p, &m, text, strlen(text), "t.s", &err), "%s", err.text);
    rows = calloc((size_t)tsp_mem_slice_rows(&m), sizeof *rows);
    viz_slice_tensors(&p, 1, rows);
    for (int32_t row = 0; row < tsp_mem_slice_rows(&m); row++)
        ck_assert_int_eq(rows[row], row < 2 ? -1 : row < 5 ? 0 : row < 7 ? 1 : -1);
    viz_slice_tensors(&p, 0, rows);
    for (int32_t row = 0; row < tsp_mem_slice_rows(&m); row++) ck_assert_int_eq(rows[row], -1);
    free(rows);
    tsp_program_free(&p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("timeline");
    TCase *tcase = tcase_create("timeline");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, test_vecadd);
    tcase_add_test(tcase, tensors_of_rows);
    tcase_add_test(tcase, test_steps);
    tcase_add_test(tcase, test_compiled);
    tcase_add_test(tcase, test_random);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
