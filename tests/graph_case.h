/* graph_case.h - a small graph run in every way: on the chip, proved, predicted, and by the host
 * interpreter.
 */
#ifndef TSP_TESTS_GRAPH_CASE_H
#define TSP_TESTS_GRAPH_CASE_H
#include "compiler/compile.h"
#include "compiler/interpret.h"
#include "compiler/number.h"
#include "compiler/verify.h"
#include "sim/sim.h"

#include "seeded.h"
#include "suite.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 2 };

/* One graph with one output "z", its inputs filled, run in every way. */
typedef struct {
    TspGraph g;
    TspProgram p;
    uint8_t *in[MOST_INPUTS], *got;
    const TspValue *x[MOST_INPUTS], *z;
    char label[300];
} Case;

static inline TspMachine machine(const char *name) {
    TspMachine m;
    TspError err;
    ck_assert_msg(tsp_machine_load(&m, name, &err), "%s", err.text);
    return m;
}

/* {inputs x (and y) of `shape`; nodes}. They may also read the scalars "axis", which is 0, and
 * "k", which is -3 (uint8: 3), "axes", [-1, 0], and "w", which is known, of small whole numbers. */
static inline void make_graph(Case *c, TspDtype type, const char *shape, int inputs,
                              const char *nodes) {
    char text[2000];
    TspError err;
    int length = snprintf(text, sizeof text, "{\"inputs\": [");
    for (int i = 0; i < inputs; i++)
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "%s{\"name\": \"%c\", \"dtype\": \"%s\", \"shape\": %s}", i ? ", " : "",
                           'x' + i, tsp_dtype_name(type), shape);
    length += snprintf(
        text + length, sizeof text - (size_t)length,
        "], \"initializers\": [{\"name\": \"axis\", \"dtype\": \"int32\", "
        "\"shape\": [], \"data\": 0}, {\"name\": \"axes\", \"dtype\": "
        "\"int32\", \"shape\": [2], \"data\": [-1, 0]}, {\"name\": \"w\", \"dtype\": \"%s\", "
        "\"shape\": %s, \"random\": {\"seed\": 1, \"low\": 0, \"high\": 8}}, "
        "{\"name\": \"k\", \"dtype\": \"%s\", \"shape\": [], \"data\": %d}], "
        "\"nodes\": [%s], \"outputs\": [\"z\"]}",
        tsp_dtype_name(type), shape, tsp_dtype_name(type), type == TSP_U8 ? 3 : -3, nodes);
    snprintf(c->label, sizeof c->label, "%s %s %.150s", tsp_dtype_name(type), shape, nodes);
    if (!tsp_graph_parse(&c->g, text, (size_t)length, "test.json", &err))
        ck_abort_msg("%s: %s", c->label, err.text);
    for (int32_t v = 0; v < c->g.value_count; v++) {
        const TspValue *value = &c->g.values[v];
        if (value->name[1] == 0 && value->name[0] == 'z') c->z = value;
        for (int i = 0; i < inputs; i++)
            if (value->is_input && value->name[0] == 'x' + i) c->x[i] = value;
    }
}

/* Whole numbers of a few bits: sums of some thousand are exact in any order, and the greatest is
 * there more than once; in some cases all are below zero, or above, so that a zero from beyond the
 * end would be noticed. `wild`: any bits, but no NaN. */
static inline void fill(Case *c, bool wild) {
    const int32_t middle = 8 * (random_below(3) - 1);
    for (int i = 0; i < MOST_INPUTS; i++) {
        const TspValue *v = c->x[i];
        if (!v) continue;
        c->in[i] = calloc((size_t)tsp_value_bytes(v), 1);
        for (int64_t k = 0; k < tsp_value_elements(v); k++) {
            int64_t whole = wild ? (int64_t)random_bits() : middle + random_below(15) - 7;
            if (!tsp_dtype_is_float(v->dtype))
                tsp_store_int(v->dtype, c->in[i], k, whole);
            else
                tsp_store_float(v->dtype, c->in[i], k,
                                wild ? (double)(int32_t)whole * 0x1p-29 : (double)whole);
        }
    }
}

static inline int32_t find_tensor(const TspProgram *p, const char *name, TspTensorRole role) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role && !strcmp(p->tensors[i].name, name)) return i;
    ck_abort_msg("the program has no tensor %s", name);
    return -1;
}

/* The program is legal and takes the predicted cycles; what it makes is left in got. */
static inline void simulate_on(Case *c, const TspMachine *m) {
    TspError err;
    TspProof proof;
    TspSim *sim;
    if (!tsp_compile(&c->g, m, NULL, &c->p, &err)) ck_abort_msg("%s: %s", c->label, err.text);
    if (!tsp_verify(&c->p, NULL, &proof, &err)) ck_abort_msg("%s: %s", c->label, err.text);
    if (!(sim = tsp_sim_new(&c->p, NULL, &err))) ck_abort_msg("%s: %s", c->label, err.text);
    for (int i = 0; i < MOST_INPUTS; i++)
        if (c->x[i] && !tsp_sim_write_tensor(sim, find_tensor(&c->p, c->x[i]->name, TSP_ROLE_INPUT),
                                             c->in[i], &err))
            ck_abort_msg("%s: %s", c->label, err.text);
    if (!tsp_sim_run(sim, &err)) ck_abort_msg("%s: %s", c->label, err.text);
    ck_assert_msg(tsp_sim_stats(sim).cycles == c->p.predicted_cycles,
                  "%s: predicted %" PRId64 ", simulated %" PRId64, c->label, c->p.predicted_cycles,
                  tsp_sim_stats(sim).cycles);
    ck_assert_msg(c->p.bound_cycles <= c->p.predicted_cycles, "%s: bound %" PRId64, c->label,
                  c->p.bound_cycles);
    c->got = calloc((size_t)tsp_value_bytes(c->z) + 1, 1);
    if (!tsp_sim_read_tensor(sim, find_tensor(&c->p, "z", TSP_ROLE_OUTPUT), c->got, &err))
        ck_abort_msg("%s: %s", c->label, err.text);
    tsp_sim_free(sim);
}

/* Within the tolerance of the host interpreter. */
static inline void interpret_on(Case *c, const TspMachine *m) {
    TspError err;
    uint8_t **data = calloc((size_t)c->g.value_count, sizeof *data);
    double **tolerance = calloc((size_t)c->g.value_count, sizeof *tolerance);
    for (int i = 0; i < MOST_INPUTS; i++)
        if (c->x[i]) data[c->x[i] - c->g.values] = c->in[i];
    if (!tsp_interpret(&c->g, tsp_lanes(m), data, tolerance, &err))
        ck_abort_msg("%s: %s", c->label, err.text);
    int64_t z = c->z - c->g.values;
    TspComparison found =
        tsp_compare(c->z->dtype, tsp_value_elements(c->z), data[z], c->got, tolerance[z]);
    ck_assert_msg(found.passed, "%s: element %" PRId64 " is off by %g", c->label, found.first_bad,
                  found.max_abs_err);
    for (int32_t v = 0; v < c->g.value_count; v++) {
        if (c->g.values[v].producer >= 0) free(data[v]);
        free(tolerance[v]);
    }
    free(data);
    free(tolerance);
}

static inline void simulate(Case *c, const char *machine_name) {
    const TspMachine m = machine(machine_name);
    simulate_on(c, &m);
}

static inline void interpret(Case *c, const char *machine_name) {
    const TspMachine m = machine(machine_name);
    interpret_on(c, &m);
}

static inline void free_case(Case *c) {
    tsp_graph_free(&c->g);
    tsp_program_free(&c->p);
    for (int i = 0; i < MOST_INPUTS; i++) free(c->in[i]);
    free(c->got);
}

/* A graph of vectors of `elements`, on tsp1: the interpreter's values, in at most `most` hundredths
 * of the bound. */
static inline void check_speed(TspDtype type, int inputs, int elements, const char *nodes,
                               int64_t most) {
    char shape[40];
    Case c = {0};
    snprintf(shape, sizeof shape, "[%d]", elements);
    make_graph(&c, type, shape, inputs, nodes);
    fill(&c, false);
    simulate(&c, "tsp1");
    interpret(&c, "tsp1");
    ck_assert_msg(c.p.predicted_cycles * 100 <= c.p.bound_cycles * most,
                  "%s: %" PRId64 " cycles, bound %" PRId64, c.label, c.p.predicted_cycles,
                  c.p.bound_cycles);
    free_case(&c);
}

#endif
