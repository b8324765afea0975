/* test_memory.c - tensors that share rows: graphs that fit only if they do, on machines of few
 * rows, against the host interpreter; and what is said when nothing helps.
 */
#include "compiler/compile.h"
#include "compiler/interpret.h"
#include "compiler/ir.h"
#include "compiler/verify.h"
#include "sim/sim.h"
#include "viz/plan.h"

#include "suite.h"
#include "seeded.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- graphs -- */

typedef struct {
    char nodes[16384];
    size_t used;
    int32_t count;
} Nodes;

/* Node i makes Vi of V`a` and V`b`, or of V`a` and the initializer W; a negative b: of V`a` alone.
 */
static void add_node(Nodes *n, const char *op, int32_t a, int32_t b, bool weights) {
    char second[32] = "";
    if (weights)
        snprintf(second, sizeof second, ", \"W\"");
    else if (b >= 0)
        snprintf(second, sizeof second, ", \"V%d\"", b);
    n->used += (size_t)snprintf(
        n->nodes + n->used, sizeof n->nodes - n->used,
        "%s{\"name\": \"n%d\", \"op\": \"%s\", \"inputs\": [\"V%d\"%s], \"outputs\": [\"V%d\"]}",
        n->count ? ", " : "", n->count + 1, op, a, second, n->count + 1);
    n->count++;
}

/* V0 of rows x cols is the input, the last V the output; W is cols x cols. */
static void load(TspGraph *g, const Nodes *n, const char *dtype, int32_t rows, int32_t cols) {
    static char text[20000];
    TspError err;
    snprintf(text, sizeof text,
             "{\"inputs\": [{\"name\": \"V0\", \"dtype\": \"%s\", \"shape\": [%d, %d]}], "
             "\"initializers\": [{\"name\": \"W\", \"dtype\": \"%s\", \"shape\": [%d, %d], "
             "\"random\": {\"seed\": 5, \"low\": -0.3, \"high\": 0.3}}], \"nodes\": [%s], "
             "\"outputs\": [\"V%d\"]}",
             dtype, rows, cols, dtype, cols, cols, n->nodes, n->count);
    if (!tsp_graph_parse(g, text, strlen(text), "memory.json", &err))
        ck_abort_msg("%s\n%s", err.text, text);
}

/* 20 element-wise nodes, every fifth followed by a product. */
static void load_chain_of(TspGraph *g, const char *dtype, int32_t rows, int32_t cols) {
    static const char *const ops[] = {"Relu", "Neg", "Abs", "Tanh"};
    Nodes n = {.count = 0};
    for (int32_t i = 0; i < 20; i++) {
        add_node(&n, ops[i % 4], n.count, -1, false);
        if (i % 5 == 4) add_node(&n, "MatMul", n.count, -1, true);
    }
    load(g, &n, dtype, rows, cols);
}

static void load_chain(TspGraph *g, int32_t rows, int32_t cols) {
    load_chain_of(g, "float16", rows, cols);
}

/* Two chains that both begin with the input, so that the second could start at once. */
static void load_forks(TspGraph *g, int32_t rows, int32_t cols) {
    Nodes n = {.count = 0};
    for (int32_t i = 0; i < 20; i++)
        add_node(&n, i % 2 ? "Neg" : "Tanh", i % 10 ? n.count : 0, -1, false);
    add_node(&n, "Add", 10, 20, false);
    load(g, &n, "float16", rows, cols);
}

static void load_random(TspGraph *g, int32_t rows, int32_t cols) {
    static const char *const ops[] = {"Add", "Sub", "Max", "Min", "Mul"};
    Nodes n = {.count = 0};
    bool products = one_in(2);
    for (int32_t i = 0, nodes = pick(8, 24); i < nodes; i++) {
        int32_t last = n.count, back = last > 5 ? 5 : last;
        if (products && one_in(4))
            add_node(&n, "MatMul", last, -1, true);
        else
            add_node(&n, ops[pick(0, products ? 3 : 4)], last, last - pick(0, back), false);
    }
    load(g, &n, products ? "float16" : "float32", rows, cols);
}

/* -- programs -- */

/* Rows of memory that more than one tensor has. */
static int32_t shared_rows(const TspProgram *p) {
    size_t slice_rows = (size_t)tsp_mem_slice_rows(&p->machine);
    size_t all = (size_t)(2 * p->machine.mem_slices) * slice_rows;
    int32_t *owner = calloc(all, sizeof *owner), shared = 0;
    for (int32_t t = 0; t < p->tensor_count; t++)
        for (int32_t k = 0; k < p->tensors[t].piece_count; k++) {
            const TspPiece *piece = &p->tensors[t].pieces[k];
            for (int32_t i = 0; i < piece->rows; i++) {
                int32_t *o = &owner[(size_t)piece->slice * slice_rows +
                                    (size_t)(piece->addr + i * piece->addr_step)];
                shared += *o && *o != t + 1;
                *o = t + 1;
            }
        }
    free(owner);
    return shared;
}

static int32_t tensor_of(const TspProgram *p, const char *name) {
    int32_t i = 0;
    while (i < p->tensor_count && strcmp(p->tensors[i].name, name)) i++;
    ck_assert_int_lt(i, p->tensor_count);
    return i;
}

/* Whether the program is proved and gives what the interpreter computes, twice over. */
static bool is_right(const TspGraph *g, const TspProgram *p) {
    uint8_t *data[64] = {NULL}, *got;
    double *tolerance[64] = {NULL};
    const TspValue *out = NULL;
    TspProof proof;
    TspError err;
    TspSim *sim = tsp_sim_new(p, NULL, &err);
    bool right = tsp_verify(p, NULL, &proof, &err);
    ck_assert_int_le(g->value_count, 64);
    ck_assert_msg(sim != NULL, "%s", err.text);
    for (int32_t v = 0; v < g->value_count; v++) {
        const TspValue *value = &g->values[v];
        if (value->is_output) out = value;
        if (!value->is_input) continue;
        data[v] = malloc((size_t)tsp_value_bytes(value));
        tsp_random_fill(data[v], value->dtype, tsp_value_elements(value), 7, -1, 1);
        ck_assert(tsp_sim_write_tensor(sim, tensor_of(p, value->name), data[v], &err));
    }
    ck_assert_msg(tsp_interpret(g, tsp_lanes(&p->machine), data, tolerance, &err), "%s", err.text);
    got = malloc((size_t)tsp_value_bytes(out));
    for (int32_t again = 0; again < 2 && right; again++) {
        const int64_t v = out - g->values;
        right = (!again || tsp_sim_again(sim, &err)) && tsp_sim_run(sim, &err) &&
                tsp_sim_stats(sim).cycles == p->predicted_cycles &&
                tsp_sim_read_tensor(sim, tensor_of(p, out->name), got, &err) &&
                tsp_compare(out->dtype, tsp_value_elements(out), data[v], got, tolerance[v]).passed;
    }
    for (int32_t v = 0; v < g->value_count; v++) {
        free(data[v]);
        free(tolerance[v]);
    }
    free(got);
    tsp_sim_free(sim);
    return right;
}

static TspMachine small_machine(int32_t mem_rows) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    m.mem_rows = mem_rows;
    return m;
}

/* -- tests -- */

START_TEST(chains_share_rows) {
    TspMachine m = small_machine(192);
    TspGraph g;
    TspProgram p;
    TspError err;
    load_chain(&g, 128, 60);
    ck_assert_msg(tsp_compile(&g, &m, NULL, &p, &err), "%s", err.text);
    ck_assert_int_gt(shared_rows(&p), 500);
    ck_assert(is_right(&g, &p));
    tsp_program_free(&p);
    tsp_graph_free(&g);
}
END_TEST

/* A run looks at them when it is over. */
START_TEST(what_must_be_finite_keeps_its_rows) {
    TspGraph g;
    TspError err;
    Module module = {.graph = &g, .machine = small_machine(600)};
    int32_t finite = 0;
    load_chain_of(&g, "float32", 128, 60);
    ck_assert(tsp_pass_lower(&module, &err) && tsp_pass_fuse(&module, &err) &&
              tsp_pass_layout(&module, &err));
    ck_assert(module.shares_rows);
    for (int32_t i = 0; i < module.tensor_count; i++) {
        const Tensor *t = &module.tensors[i];
        if (!t->finite) continue;
        ck_assert_int_eq(t->dies, module.stage_count);
        finite++;
    }
    ck_assert_int_gt(finite, 3);
    tsp_module_free(&module);
    tsp_graph_free(&g);
}
END_TEST

START_TEST(plenty_of_memory_is_not_shared) {
    TspMachine m = small_machine(4096);
    TspGraph g;
    TspProgram p;
    TspError err;
    load_chain(&g, 128, 60);
    ck_assert_msg(tsp_compile(&g, &m, NULL, &p, &err), "%s", err.text);
    ck_assert_int_eq(shared_rows(&p), 0);
    tsp_program_free(&p);
    tsp_graph_free(&g);
}
END_TEST

/* All passes; without `waits` the scheduler takes rows that were given again for fresh ones. */
static void compile_forks(const TspGraph *g, bool waits, TspProgram *p) {
    Module module = {.graph = g, .machine = small_machine(192), .unfused = true};
    TspError err;
    tsp_program_init(p, &module.machine);
    ck_assert(tsp_pass_lower(&module, &err) && tsp_pass_fuse(&module, &err) &&
              tsp_pass_layout(&module, &err));
    ck_assert(module.shares_rows);
    module.shares_rows = waits;
    ck_assert(tsp_pass_schedule(&module, &err) && tsp_pass_bound(&module, &err) &&
              tsp_pass_emit(&module, p, &err));
    tsp_module_free(&module);
}

/* Without them a Write comes before the last Read of its row, and the values say so. */
START_TEST(writes_wait_for_reads) {
    int wrong = 0;
    for (int32_t rows = 40; rows <= 128; rows += 8) {
        TspGraph g;
        TspProgram p;
        load_forks(&g, rows, 60);
        compile_forks(&g, true, &p);
        ck_assert(is_right(&g, &p));
        tsp_program_free(&p);
        compile_forks(&g, false, &p);
        wrong += !is_right(&g, &p);
        tsp_program_free(&p);
        tsp_graph_free(&g);
    }
    printf("without waits %d of 12 are wrong\n", wrong);
    ck_assert_int_gt(wrong, 0);
}
END_TEST

/* A row of a chain on few rows that two tensors have: the proof says whose it is for each Read. */
START_TEST(rows_of_another_tensor_are_noticed) {
    TspMachine m = small_machine(192);
    TspProof proof;
    TspGraph g;
    TspProgram p;
    TspError err;
    int32_t noticed = 0;
    load_chain(&g, 128, 60);
    ck_assert_msg(tsp_compile(&g, &m, NULL, &p, &err), "%s", err.text);
    ck_assert_msg(tsp_verify(&p, NULL, &proof, &err), "%s", err.text);
    ck_assert_int_gt(proof.rows_proved, 5000);
    for (int32_t i = 0; i < p.run_count; i += 7) {
        const int32_t tensor = p.runs[i].tensor;
        if (tensor < 0) continue;
        p.runs[i].tensor = tensor ? tensor - 1 : tensor + 1;
        if (!tsp_verify(&p, NULL, &proof, &err)) {
            ck_assert_int_eq(err.rule, TSP_RULE_WRONG_VALUE);
            ck_assert_ptr_nonnull(strstr(err.text, "wanted tensor"));
            noticed++;
        } else { /* a Write of what nobody reads: the result */
            ck_assert_int_eq(p.tensors[tensor].role, TSP_ROLE_OUTPUT);
        }
        p.runs[i].tensor = tensor;
    }
    ck_assert_int_gt(noticed, 100);
    tsp_program_free(&p);
    tsp_graph_free(&g);
}
END_TEST

/* The tensor that a row holds in a cycle, from all that was written: the slow way. */
static int32_t holder(const VizRun *run, int32_t slice, int32_t row, int64_t cycle) {
    const VizTimeline *line = &run->timeline;
    int32_t tensor = -1, placed = -1, writer = -1;
    int64_t last = -1, first = INT64_MAX;
    for (int32_t t = 0; t < run->program->tensor_count; t++) {
        const TspTensor *tt = &run->program->tensors[t];
        for (int32_t k = 0; k < tt->piece_count; k++)
            for (int32_t i = 0; i < tt->pieces[k].rows; i++)
                if (tt->pieces[k].slice == slice &&
                    tt->pieces[k].addr + i * tt->pieces[k].addr_step == row &&
                    (tt->role == TSP_ROLE_INPUT || tt->role == TSP_ROLE_CONSTANT))
                    placed = t;
    }
    for (int32_t b = line->first[slice]; b < line->first[slice + 1]; b++) {
        const VizBurst *burst = &line->bursts[b];
        const int half = burst->opcode == TSP_OP_READ_WRITE;
        VizIssue issue = {burst, burst->start, 0, 0};
        if (burst->opcode != TSP_OP_WRITE && !half) continue;
        for (bool more = true; more && issue.burst == burst;
             more = viz_issue_advance(line, &issue)) {
            const int64_t lands = issue.cycle + run->m->mem_write_cycles;
            if (viz_issue_insn(line, &issue).waddr != row) continue;
            if (lands < first) first = lands, writer = burst->tensor[half];
            if (lands <= cycle && lands > last) last = lands, tensor = burst->tensor[half];
        }
    }
    return tensor >= 0 ? tensor : placed >= 0 ? placed : writer;
}

/* What the viewer says of rows, at random cycles there and back. */
START_TEST(rows_change_hands) {
    TspMachine m = small_machine(192);
    TspGraph g;
    TspProgram p;
    TspError err;
    VizRun run;
    int32_t reads = 0;
    load_chain(&g, 128, 60);
    ck_assert_msg(tsp_compile(&g, &m, NULL, &p, &err), "%s", err.text);
    ck_assert_msg(viz_run_open(&run, &p, NULL, false, &err), "%s", err.text);
    ck_assert_int_gt(run.rows.change_count, 500);
    for (int32_t i = 0; i < 60; i++) {
        const VizMemoryMap *map = &run.plan->memory;
        const int32_t slice = pick(0, 2 * (int32_t)m.mem_slices - 1);
        ck_assert(viz_run_look(&run, pick(0, (int32_t)p.predicted_cycles), &err));
        for (int32_t row = 0; row < tsp_mem_slice_rows(&m); row += 13) {
            const int32_t want = holder(&run, slice, row, run.cycle);
            if (viz_run_row_tensor(&run, slice, row) != want)
                ck_abort_msg("cycle %d, slice %d, row %d: %d, not %d", (int)run.cycle, (int)slice,
                             (int)row, (int)viz_run_row_tensor(&run, slice, row), (int)want);
        }
        for (int32_t k = map->first[slice]; k < map->first[slice + 1]; k++)
            for (int32_t row = 0; row < map->runs[k].rows; row++)
                ck_assert_int_eq(viz_run_row_tensor(&run, slice, map->runs[k].first + row),
                                 map->runs[k].tensor);
    }
    for (int32_t i = 0; i < run.rows.change_count; i += 29) { /* to the cycle, there and back */
        const VizRowChange c = run.rows.changes[i];
        const int32_t rows = tsp_mem_slice_rows(&m), slice = (int32_t)(c.row / rows);
        for (int32_t k = 0; k < 3; k++) {
            const int32_t row = (int32_t)(c.row % rows);
            ck_assert(viz_run_look(&run, c.cycle - k % 2, &err));
            ck_assert_int_eq(viz_run_row_tensor(&run, slice, row),
                             holder(&run, slice, row, c.cycle - k % 2));
        }
    }
    for (int32_t b = 0; b < run.timeline.burst_count; b += 17) { /* a Read finds its tensor */
        const VizBurst *burst = &run.timeline.bursts[b];
        VizIssue issue = {burst, burst->start, 0, 0};
        if (burst->opcode != TSP_OP_READ && burst->opcode != TSP_OP_READ_WRITE) continue;
        ck_assert(viz_run_look(&run, burst->start, &err));
        ck_assert_int_eq(
            viz_run_row_tensor(&run, burst->queue, viz_issue_insn(&run.timeline, &issue).addr),
            burst->tensor[0]);
        reads++;
    }
    ck_assert_int_gt(reads, 50);
    viz_run_close(&run);
    tsp_program_free(&p);
    tsp_graph_free(&g);
}
END_TEST

/* What reads a tensor after its life is a bug, and said to be one. */
START_TEST(the_dead_are_not_read) {
    TspGraph g;
    TspError err;
    Module module = {.graph = &g, .machine = small_machine(192), .unfused = true};
    load_forks(&g, 128, 60);
    ck_assert(tsp_pass_lower(&module, &err) && tsp_pass_fuse(&module, &err) &&
              tsp_pass_layout(&module, &err));
    for (int32_t i = 0; i < module.tensor_count; i++)
        if (!strcmp(module.tensors[i].name, "V10")) module.tensors[i].dies = 12;
    ck_assert(!tsp_pass_schedule(&module, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_BUG);
    ck_assert_ptr_nonnull(strstr(err.text, "lost its rows"));
    tsp_module_free(&module);
    tsp_graph_free(&g);
}
END_TEST

/* What the host reads of a result lives to the end, whatever follows; its strip too. */
START_TEST(strips_live_on) {
    static const char text[] =
        "{\"inputs\": [{\"name\": \"A\", \"dtype\": \"float16\", \"shape\": [64, 800]}, "
        "{\"name\": \"B\", \"dtype\": \"float16\", \"shape\": [800, 33]}], \"nodes\": ["
        "{\"op\": \"MatMul\", \"inputs\": [\"A\", \"B\"], \"outputs\": [\"C\"]}, "
        "{\"op\": \"Tanh\", \"inputs\": [\"A\"], \"outputs\": [\"D\"]}], "
        "\"outputs\": [\"C\", \"D\"]}";
    TspGraph g;
    TspError err;
    Module module = {.graph = &g, .machine = small_machine(4096)};
    int32_t strips = 0;
    ck_assert(tsp_graph_parse(&g, text, strlen(text), "strip.json", &err));
    ck_assert(tsp_pass_lower(&module, &err) && tsp_pass_fuse(&module, &err) &&
              tsp_pass_layout(&module, &err));
    for (int32_t i = 0; i < module.tensor_count; i++) {
        const Tensor *t = &module.tensors[i];
        if (!t->strip) continue;
        strips++;
        ck_assert_int_ge(module.tensors[t->strip].born, 0);
        ck_assert_int_eq(module.tensors[t->strip].dies, module.stage_count);
    }
    ck_assert_int_eq(strips, 1);
    tsp_module_free(&module);
    tsp_graph_free(&g);
}
END_TEST

START_TEST(random_graphs) {
    const char *scale = getenv("TSP_TEST_SCALE");
    int32_t cases = scale && !strcmp(scale, "small") ? 6 : 60, shared = 0, refused = 0;
    for (int32_t i = 0; i < cases; i++) {
        TspMachine m;
        TspGraph g;
        TspProgram p;
        TspError err;
        random_from(4000 + (uint64_t)i);
        m = small_machine(pick(60, 400));
        load_random(&g, pick(1, 150), pick(1, 80));
        if (tsp_compile(&g, &m, NULL, &p, &err)) {
            shared += shared_rows(&p) > 0;
            if (!is_right(&g, &p)) ck_abort_msg("case %d is wrong", (int)i);
            tsp_program_free(&p);
        } else {
            ck_assert_msg(err.kind == TSP_ERR_INPUT, "case %d: %s", (int)i, err.text);
            refused++;
        }
        tsp_graph_free(&g);
    }
    printf("random graphs: %d cases, %d share rows, %d do not fit\n", (int)cases, (int)shared,
           (int)refused);
    ck_assert_int_gt(shared, 0);
}
END_TEST

/* On the fewest rows that do, and on one less. */
START_TEST(one_row_too_few) {
    int32_t enough = 400;
    TspGraph g;
    TspProgram p;
    TspError err;
    load_chain(&g, 128, 60);
    for (bool fits = true; fits;) {
        TspMachine m = small_machine(enough - 1);
        fits = tsp_compile(&g, &m, NULL, &p, &err);
        if (!fits) break;
        tsp_program_free(&p);
        enough--;
    }
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "no place for 'V"));
    ck_assert_ptr_nonnull(strstr(err.text, "live then: 'V"));
    {
        TspMachine m = small_machine(enough);
        ck_assert_msg(tsp_compile(&g, &m, NULL, &p, &err), "%s", err.text);
    }
    printf("fits %d rows a bank, not %d\n", (int)enough, (int)enough - 1);
    ck_assert(is_right(&g, &p));
    tsp_program_free(&p);
    tsp_graph_free(&g);
}
END_TEST

int main(void) {
    Suite *s = suite_create("memory");
    TCase *c = tcase_create("memory");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, chains_share_rows);
    tcase_add_test(c, plenty_of_memory_is_not_shared);
    tcase_add_test(c, what_must_be_finite_keeps_its_rows);
    tcase_add_test(c, writes_wait_for_reads);
    tcase_add_test(c, rows_of_another_tensor_are_noticed);
    tcase_add_test(c, rows_change_hands);
    tcase_add_test(c, the_dead_are_not_read);
    tcase_add_test(c, strips_live_on);
    tcase_add_test(c, one_row_too_few);
    tcase_add_test(c, random_graphs);
    suite_add_tcase(s, c);
    return run_suite(s);
}
