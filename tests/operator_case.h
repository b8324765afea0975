/* operator_case.h - a graph of any inputs and outputs, filled, compiled, proved, simulated, and
 * compared with what the host interpreter makes of it.
 */
#ifndef TSP_TESTS_OPERATOR_CASE_H
#define TSP_TESTS_OPERATOR_CASE_H
#include "compiler/compile.h"
#include "compiler/interpret.h"
#include "compiler/number.h"
#include "compiler/verify.h"
#include "sim/sim.h"

#include "random_machine.h"
#include "suite.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 24 };

/* A graph with its inputs, and what chip and interpreter made of it. */
typedef struct {
    TspGraph g;
    uint8_t *data[MOST_VALUES], *got[MOST_VALUES];
    double *tolerance[MOST_VALUES];
    const char *text;
} Case;

static inline TspMachine builtin(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

static inline const TspValue *value_of(const Case *c, const char *name, int32_t *index) {
    for (int32_t v = 0; v < c->g.value_count; v++)
        if (!strcmp(c->g.values[v].name, name)) return *index = v, &c->g.values[v];
    ck_abort_msg("no value %s", name);
    return NULL;
}

static inline void open_case(Case *c, const char *text) {
    TspError err;
    *c = (Case){.text = text};
    if (!tsp_graph_parse(&c->g, text, strlen(text), "test.json", &err))
        ck_abort_msg("%s\n%s", err.text, text);
    ck_assert_int_le(c->g.value_count, MOST_VALUES);
}

static inline void close_case(Case *c) {
    for (int32_t v = 0; v < c->g.value_count; v++) {
        free(c->data[v]);
        free(c->got[v]);
        free(c->tolerance[v]);
    }
    tsp_graph_free(&c->g);
}

/* Numbers of all signs up to a size, the first ones zeros, infinities, NaN; integers of any bits,
 * now and then 0. */
static inline void fill(Case *c, double size, bool specials) {
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 0.5, -2.5, 6e-8};
    for (int32_t v = 0; v < c->g.value_count; v++) {
        const TspValue *value = &c->g.values[v];
        const int64_t elements = tsp_value_elements(value);
        if (!value->is_input) continue;
        c->data[v] = calloc((size_t)tsp_value_bytes(value), 1);
        for (int64_t i = 0; i < elements; i++) {
            const uint64_t bits = random_bits() >> 20;
            double real = ((double)(bits & 0xffffff) * 0x1p-23 - 1) * size;
            if (specials && one_in(9)) real = special[bits % (sizeof special / sizeof *special)];
            if (tsp_dtype_is_float(value->dtype))
                tsp_store_float(value->dtype, c->data[v], i, real);
            else
                tsp_store_int(value->dtype, c->data[v], i, one_in(8) ? 0 : (int64_t)bits);
        }
    }
}

static inline int32_t find_tensor(const TspProgram *p, const char *name, TspTensorRole role) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role && !strcmp(p->tensors[i].name, name)) return i;
    ck_abort_msg("the program has no tensor %s", name);
    return -1;
}

/* Legal, as long as predicted, and not below the bound. */
static inline void simulate(Case *c, const TspMachine *m) {
    TspProgram p;
    TspProof proof;
    TspSim *sim;
    TspError err;
    if (!tsp_compile(&c->g, m, NULL, &p, &err)) ck_abort_msg("%s\n%s", err.text, c->text);
    if (!tsp_verify(&p, NULL, &proof, &err)) ck_abort_msg("%s\n%s", err.text, c->text);
    if (!(sim = tsp_sim_new(&p, NULL, &err))) ck_abort_msg("%s\n%s", err.text, c->text);
    for (int32_t v = 0; v < c->g.value_count; v++)
        if (c->g.values[v].is_input &&
            !tsp_sim_write_tensor(sim, find_tensor(&p, c->g.values[v].name, TSP_ROLE_INPUT),
                                  c->data[v], &err))
            ck_abort_msg("%s\n%s", err.text, c->text);
    if (!tsp_sim_run(sim, &err)) ck_abort_msg("%s\n%s", err.text, c->text);
    ck_assert_msg(tsp_sim_stats(sim).cycles == p.predicted_cycles,
                  "predicted %" PRId64 ", simulated %" PRId64 "\n%s", p.predicted_cycles,
                  tsp_sim_stats(sim).cycles, c->text);
    ck_assert_msg(p.bound_cycles <= p.predicted_cycles, "bound %" PRId64 "\n%s", p.bound_cycles,
                  c->text);
    for (int32_t v = 0; v < c->g.value_count; v++) {
        const TspValue *value = &c->g.values[v];
        if (!value->is_output) continue;
        c->got[v] = calloc((size_t)tsp_value_bytes(value), 1);
        if (!tsp_sim_read_tensor(sim, find_tensor(&p, value->name, TSP_ROLE_OUTPUT), c->got[v],
                                 &err))
            ck_abort_msg("%s\n%s", err.text, c->text);
    }
    tsp_sim_free(sim);
    tsp_program_free(&p);
}

static inline void compare(Case *c, const TspMachine *m) {
    TspError err;
    ck_assert(tsp_interpret(&c->g, tsp_lanes(m), c->data, c->tolerance, &err));
    for (int32_t v = 0; v < c->g.value_count; v++) {
        const TspValue *value = &c->g.values[v];
        TspComparison found;
        if (!value->is_output) continue;
        found = tsp_compare(value->dtype, tsp_value_elements(value), c->data[v], c->got[v],
                            c->tolerance[v]);
        if (!found.passed)
            ck_abort_msg("%s: element %" PRId64 " is %g, want %g\n%s", value->name, found.first_bad,
                         tsp_load_double(value->dtype, c->got[v], found.first_bad),
                         tsp_load_double(value->dtype, c->data[v], found.first_bad), c->text);
    }
}

static inline const char *type_name(char letter) {
    return letter == 'h'   ? "float16"
           : letter == 'f' ? "float32"
           : letter == 'b' ? "int8"
           : letter == 'u' ? "uint8"
           : letter == 's' ? "int16"
                           : "int32";
}

static inline void run_text(const char *text, const TspMachine *m, double size, bool specials) {
    Case c;
    open_case(&c, text);
    fill(&c, size, specials);
    simulate(&c, m);
    compare(&c, m);
    close_case(&c);
}

#endif
