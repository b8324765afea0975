/* test_random_graphs.c - random graphs, all the way: compiled, proved, simulated; the predicted
 * cycles are the simulated ones, for every op too, and values are those of the host interpreter.
 *
 * RANDOM_GRAPHS in the environment: how many on each machine. A failure names the number of its
 * graph; RANDOM_GRAPHS_FROM starts there.
 */
#include "compiler/compile.h"
#include "compiler/interpret.h"
#include "compiler/verify.h"
#include "random_graph.h"
#include "sim/sim.h"
#include "suite.h"

#include <inttypes.h>

enum { ENOUGH_ROWS = 4096 }; /* of a bank */

static RandomGraph graph;
static uint64_t number; /* of the graph */

static void refuse(const char *what, const char *why) {
    ck_abort_msg("graph %" PRIu64 ": %s: %s\n%s", number, what, why, graph.text);
}

static int32_t tensor_of(const TspProgram *p, const TspValue *v) {
    TspTensorRole role = v->is_input ? TSP_ROLE_INPUT : TSP_ROLE_OUTPUT;
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role && !strcmp(p->tensors[i].name, v->name)) return i;
    refuse("no tensor", v->name);
    return -1;
}

static void write_inputs(const TspGraph *g, const TspProgram *p, TspSim *sim, uint8_t **data) {
    TspError err;
    for (int32_t i = 0; i < g->value_count; i++) {
        const TspValue *v = &g->values[i];
        double most = v->dtype == TSP_F16 || v->dtype == TSP_F32 ? 1 : 255;
        if (!v->is_input) continue;
        data[i] = malloc((size_t)tsp_value_bytes(v));
        tsp_random_fill(data[i], v->dtype, tsp_value_elements(v), number + (uint64_t)i, -most,
                        most);
        if (!tsp_sim_write_tensor(sim, tensor_of(p, v), data[i], &err)) refuse("input", err.text);
    }
}

static void check_cycles(const TspProgram *p, const TspSim *sim) {
    char text[200];
    if (tsp_sim_stats(sim).cycles != p->predicted_cycles) {
        snprintf(text, sizeof text, "predicted %" PRId64 ", simulated %" PRId64,
                 p->predicted_cycles, tsp_sim_stats(sim).cycles);
        refuse("cycles", text);
    }
    if (p->bound_cycles > p->predicted_cycles) refuse("bound", "beaten");
    for (int32_t i = 0; i < p->op_count; i++) {
        TspInterval t = tsp_sim_op_interval(sim, i);
        if (t.start != p->ops[i].start || t.end != p->ops[i].end)
            refuse("interval of op", p->ops[i].name);
    }
}

/* Returns how many elements have been compared. */
static int64_t check_values(const TspGraph *g, const TspProgram *p, TspSim *sim, uint8_t **data,
                            double **tolerance) {
    int64_t elements = 0;
    TspError err;
    for (int32_t i = 0; i < g->value_count; i++) {
        const TspValue *v = &g->values[i];
        TspComparison c;
        uint8_t *got;
        char text[200];
        if (!v->is_output) continue;
        got = malloc((size_t)tsp_value_bytes(v));
        if (!tsp_sim_read_tensor(sim, tensor_of(p, v), got, &err)) refuse("output", err.text);
        c = tsp_compare(v->dtype, tsp_value_elements(v), data[i], got, tolerance[i]);
        snprintf(text, sizeof text, "%s differs first at element %" PRId64 ", greatest error %g",
                 v->name, c.first_bad, c.max_abs_err);
        if (!c.passed) refuse("values", text);
        elements += tsp_value_elements(v);
        free(got);
    }
    return elements;
}

/* Compiles and runs `graph`; false if the machine is too small for it. */
static bool run(const TspMachine *m) {
    TspGraph g;
    TspProgram p;
    TspProof proof;
    TspError err;
    TspSim *sim;
    uint8_t **data;
    double **tolerance;
    if (!tsp_graph_parse(&g, graph.text, strlen(graph.text), "random.json", &err))
        refuse("graph", err.text);
    if (!tsp_compile(&g, m, NULL, &p, &err)) {
        if (!strstr(err.text, "no place for") && !strstr(err.text, "bytes too many") &&
            !strstr(err.text, "more streams"))
            refuse("compile", err.text);
        tsp_graph_free(&g);
        return false;
    }
    if (!tsp_verify(&p, NULL, &proof, &err)) refuse("verify", err.text);
    if (!(sim = tsp_sim_new(&p, NULL, &err))) refuse("load", err.text);
    data = calloc((size_t)g.value_count, sizeof *data);
    tolerance = calloc((size_t)g.value_count, sizeof *tolerance);
    write_inputs(&g, &p, sim, data);
    if (!tsp_sim_run(sim, &err)) refuse("run", err.text);
    check_cycles(&p, sim);
    if (!tsp_interpret(&g, tsp_lanes(m), data, tolerance, &err)) refuse("interpret", err.text);
    ck_assert_int_gt(check_values(&g, &p, sim, data, tolerance), 0);
    for (int32_t i = 0; i < g.value_count; i++) {
        free(data[i]);
        free(tolerance[i]);
    }
    free(data);
    free(tolerance);
    tsp_sim_free(sim);
    tsp_program_free(&p);
    tsp_graph_free(&g);
    return true;
}

static int64_t from_environment(const char *name, int64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

static void graphs_on(const char *machine, int32_t greatest, int32_t usual) {
    const char *scale = getenv("TSP_TEST_SCALE");
    int64_t first = from_environment("RANDOM_GRAPHS_FROM", 0),
            count = from_environment("RANDOM_GRAPHS", scale ? usual / 10 : usual), ran = 0;
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, machine));
    if (m.mem_rows < ENOUGH_ROWS) m.mem_rows = ENOUGH_ROWS;
    for (int64_t i = first; i < first + count; i++) {
        number = (uint64_t)i;
        random_graph_make(&graph, number, greatest);
        ran += run(&m);
    }
    printf("%s: %" PRId64 " of %" PRId64 " graphs ran, the others found it too small\n", machine,
           ran, count);
    ck_assert_int_ge(ran, count * 9 / 10);
}

START_TEST(graphs_on_tsp1) {
    graphs_on("tsp1", 700, 100);
}
END_TEST

START_TEST(graphs_on_tiny) {
    graphs_on("tiny", 70, 100);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("random_graphs");
    TCase *tcase = tcase_create("graphs");
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, graphs_on_tsp1);
    tcase_add_test(tcase, graphs_on_tiny);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
