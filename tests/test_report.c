/* test_report.c - where the cycles went: figures add up exactly, agree with what the simulator
 * counts, and what a program does not carry is said to be unknown.
 */
#include "isa/asm.h"
#include "product.h"
#include "report/report.h"

#include <string.h>

static void compile_file(TspProgram *p, const char *path) {
    TspGraph g;
    TspMachine machine;
    TspError err;
    ck_assert(tsp_machine_load(&machine, "tsp1", &err));
    ck_assert_msg(tsp_graph_load(&g, path, &err), "%s", err.text);
    ck_assert_msg(tsp_compile(&g, &machine, &(TspCompileOptions){0}, p, &err), "%s", err.text);
    tsp_graph_free(&g);
}

/* The simulator's own counts are the oracle. */
static void check_counts(const TspReport *r, const TspProgram *p) {
    TspError err;
    TspSim *sim = tsp_sim_new(p, &(TspSimOptions){.timing_only = true}, &err);
    TspSimStats stats;
    int64_t busy = 0;
    ck_assert_msg(sim && tsp_sim_run(sim, &err), "%s", err.text);
    stats = tsp_sim_stats(sim);
    ck_assert_int_eq(r->cycles, stats.cycles);
    for (int32_t i = 0; i < r->planes; i++) busy += r->used[TSP_USE_PLANES + i];
    ck_assert_int_eq(busy, stats.mxm_busy);
    ck_assert_int_eq(r->used[TSP_USE_VXM], stats.vxm_issues);
    ck_assert_int_eq(r->used[TSP_USE_SXM], stats.sxm_issues);
    ck_assert_int_eq(r->used[TSP_USE_READ_WEST] + r->used[TSP_USE_READ_EAST], stats.mem_reads);
    ck_assert_int_eq(r->used[TSP_USE_WRITE_WEST] + r->used[TSP_USE_WRITE_EAST], stats.mem_writes);
    tsp_sim_free(sim);
}

static void check_sums(const TspReport *r) {
    for (int32_t use = 0; use < r->uses; use++) {
        int64_t sum = 0;
        for (int32_t i = 0; i < r->slots; i++) sum += r->slot_used[use][i];
        ck_assert_int_eq(sum, r->used[use]);
    }
    for (int32_t plane = 0; plane < r->planes; plane++) {
        int64_t sum = r->used[TSP_USE_PLANES + plane];
        for (int k = 0; k < TSP_IDLE_REASONS; k++) {
            ck_assert_int_ge(r->idle[plane][k], 0);
            sum += r->idle[plane][k];
        }
        ck_assert_int_eq(sum, r->cycles);
    }
}

static void check_path(const TspReport *r) {
    int64_t at = 0;
    ck_assert(r->has_path);
    for (int32_t i = 0; i < r->hop_count; i++) {
        const TspHop *h = &r->hops[i];
        int64_t sum = 0;
        ck_assert_int_eq(h->start, at);
        for (int k = 0; k < TSP_HOP_KINDS; k++) {
            ck_assert_int_ge(h->cycles[k], 0);
            sum += h->cycles[k];
        }
        ck_assert_int_eq(sum, h->end - h->start);
        at = h->end;
    }
    ck_assert_int_eq(at, r->cycles);
}

static void check_forms(const TspReport *r) {
    char *(*const forms[])(const TspReport *) = {tsp_report_text, tsp_report_json, tsp_report_html};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char *text = forms[i](r);
        ck_assert(text != NULL);
        ck_assert(strlen(text) > 500);
        ck_assert(!strstr(text, "http")); /* nothing of elsewhere */
        free(text);
    }
}

static void check_program(TspProgram *p) {
    TspReport r;
    TspError err;
    ck_assert_msg(tsp_report_make(&r, p, &err), "%s", err.text);
    ck_assert_int_eq(r.cycles, p->predicted_cycles);
    check_counts(&r, p);
    check_sums(&r);
    check_path(&r);
    check_forms(&r);
    tsp_report_free(&r);
    tsp_program_free(p);
}

static const char *const graphs[] = {"programs/matmul-int8.json",
                                     "programs/matmul-fp16.json",
                                     "programs/mlp.json",
                                     "programs/reductions/sum.json",
                                     "programs/reductions/argmax.json",
                                     "programs/reductions/prefix-sum.json",
                                     "programs/reductions/histogram.json"};

START_TEST(graph_adds_up) {
    TspProgram p;
    compile_file(&p, graphs[_i]);
    check_program(&p);
}
END_TEST

START_TEST(product_adds_up) {
    static const int32_t sizes[][3] = {{1, 1, 1}, {33, 700, 350}, {320, 320, 320}, {700, 330, 641}};
    TspProgram p;
    product_compile(&p, _i % 2 ? "float16" : "int8", sizes[_i / 2][0], sizes[_i / 2][1],
                    sizes[_i / 2][2]);
    check_program(&p);
}
END_TEST

static void assemble(TspProgram *p, const char *text) {
    TspMachine m;
    TspError err;
    ck_assert(tsp_machine_load(&m, "tiny", &err));
    ck_assert_msg(tsp_assemble(p, &m, text, strlen(text), "test", &err), "%s", err.text);
}

/* Three reads, released by a barrier, in cycles known by hand: 6 + 35, two apart. */
START_TEST(barrier_by_hand) {
    TspProgram p;
    TspReport r;
    TspError err;
    assemble(&p, "@mem.w0\n    sync\n    read 0, s0.e\n    repeat 2, 2, 0\n"
                 "@mem.w1\n    nop 6\n    notify\n"
                 ".tensor X, int8, [1, 16], constant @ mem.w0:0\n"
                 ".data 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16\n");
    ck_assert_msg(tsp_report_make(&r, &p, &err), "%s", err.text);
    ck_assert_int_eq(r.cycles, 6 + p.machine.barrier_cycles + 4 + p.machine.mem_read_cycles);
    ck_assert_int_eq(r.used[TSP_USE_READ_WEST], 3);
    ck_assert_int_eq(r.used[TSP_USE_STREAM_EAST], 3);
    ck_assert_int_eq(r.used[TSP_USE_STREAM_WEST], 0);
    ck_assert_int_eq(r.slot_used[TSP_USE_READ_WEST][6 + p.machine.barrier_cycles + 2], 1);
    ck_assert_int_eq(r.idle[0][TSP_IDLE_NO_PRODUCT], r.cycles);
    ck_assert_int_eq(r.tensors[0].rows, 1);
    ck_assert_int_eq(r.bank_rows[0], 1);
    ck_assert(!r.has_path);
    ck_assert(strstr(tsp_report_unknown(&r), "critical path"));
    check_counts(&r, &p);
    check_sums(&r);
    check_forms(&r);
    tsp_report_free(&r);
    tsp_program_free(&p);
}
END_TEST

/* All weights of the chip in 20 loads, each plane's from cycle 10 on, then one product. */
START_TEST(weights_by_hand) {
    FILE *file = fopen("programs/weights.s", "r");
    static char text[1 << 16];
    TspMachine m;
    TspProgram p;
    TspReport r;
    TspError err;
    size_t length;
    ck_assert(file != NULL);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    ck_assert(tsp_machine_load(&m, "tsp1", &err));
    ck_assert_msg(tsp_assemble(&p, &m, text, length, "weights.s", &err), "%s", err.text);
    ck_assert_msg(tsp_report_make(&r, &p, &err), "%s", err.text);
    for (int32_t plane = 0; plane < 4; plane++) {
        const int64_t loads = 20 - 1 + m.mxm_load_cycles + m.mxm_install_cycles;
        ck_assert_int_eq(r.used[TSP_USE_PLANES + plane], 1);
        ck_assert_int_eq(r.idle[plane][TSP_IDLE_FIRST_OPERAND], 10);
        ck_assert_int_eq(r.idle[plane][TSP_IDLE_LOADING], loads);
        ck_assert_int_eq(r.idle[plane][TSP_IDLE_TAIL], r.cycles - 10 - loads - 1);
    }
    ck_assert_int_eq(r.used[TSP_USE_WEIGHTS], 80);
    check_counts(&r, &p);
    check_sums(&r);
    tsp_report_free(&r);
    tsp_program_free(&p);
}
END_TEST

START_TEST(refuses_a_deadlock) {
    TspProgram p;
    TspReport r;
    TspError err;
    assemble(&p, "@mem.w0\n    sync\n    notify\n");
    ck_assert(!tsp_report_make(&r, &p, &err));
    ck_assert_int_eq(err.rule, TSP_RULE_BARRIER_DEADLOCK);
    tsp_program_free(&p);
}
END_TEST

START_TEST(refuses_another_prediction) {
    TspProgram p;
    TspReport r;
    TspError err;
    product_compile(&p, "int8", 4, 4, 4);
    p.predicted_cycles++;
    ck_assert(!tsp_report_make(&r, &p, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert(strstr(err.text, "compile it again"));
    tsp_program_free(&p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("report");
    TCase *sums = tcase_create("sums"), *hand = tcase_create("hand");
    tcase_add_loop_test(sums, graph_adds_up, 0, sizeof graphs / sizeof *graphs);
    tcase_add_loop_test(sums, product_adds_up, 0, 8);
    tcase_add_test(hand, barrier_by_hand);
    tcase_add_test(hand, weights_by_hand);
    tcase_add_test(hand, refuses_a_deadlock);
    tcase_add_test(hand, refuses_another_prediction);
    suite_add_tcase(suite, sums);
    suite_add_tcase(suite, hand);
    return run_suite(suite);
}
