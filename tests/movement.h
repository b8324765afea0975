/* movement.h - graphs written node by node, run on the chip and by the host interpreter.
 */
#ifndef TSP_TESTS_MOVEMENT_H
#define TSP_TESTS_MOVEMENT_H
#include "compiler/compile.h"
#include "compiler/interpret.h"
#include "compiler/number.h"
#include "compiler/verify.h"
#include "sim/sim.h"

#include "seeded.h"
#include "suite.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An initializer of int64 numbers, as JSON. */
#define LIST(name, count, data)                                                                    \
    "{\"name\": \"" name "\", \"dtype\": \"int64\", \"shape\": [" count "], \"data\": [" data "]}"

/* A graph being written: JSON of its tensors and nodes, and the names in use so far. */
typedef struct {
    char inputs[2000], lists[12000], nodes[12000], outputs[1000], text[30000];
    int32_t names;
} Sheet;

typedef struct {
    int32_t rank;
    int64_t size[TSP_MAX_RANK];
} Shape;

static inline void append(char *to, size_t size, const char *format, ...) {
    size_t used = strlen(to);
    va_list args;
    va_start(args, format);
    if (used) used += (size_t)snprintf(to + used, size - used, ", ");
    vsnprintf(to + used, size - used, format, args);
    va_end(args);
}

static inline void list_text(char text[200], int32_t count, const int64_t *numbers) {
    size_t used = (size_t)snprintf(text, 200, "[");
    for (int32_t i = 0; i < count; i++)
        used +=
            (size_t)snprintf(text + used, 200 - used, i ? ", %" PRId64 : "%" PRId64, numbers[i]);
    snprintf(text + used, 200 - used, "]");
}

static inline void sheet_input(Sheet *s, const char *name, TspDtype type, const Shape *shape) {
    char text[200];
    list_text(text, shape->rank, shape->size);
    append(s->inputs, sizeof s->inputs, "{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": %s}",
           name, tsp_dtype_name(type), text);
}

/* An initializer of int64 numbers, its name in quotes behind a comma: what follows an operand. */
typedef struct {
    char text[24];
} ListName;
static inline ListName sheet_list(Sheet *s, int32_t count, const int64_t *numbers) {
    char text[200];
    ListName name;
    snprintf(name.text, sizeof name.text, ", \"list%d\"", (int)s->names);
    list_text(text, count, numbers);
    append(s->lists, sizeof s->lists,
           "{\"name\": \"list%d\", \"dtype\": \"int64\", \"shape\": [%d], \"data\": %s}",
           (int)s->names++, (int)count, text);
    return name;
}

/* `inputs` and `outputs` are quoted names. */
static inline void sheet_node(Sheet *s, const char *op, const char *inputs, const char *outputs,
                              const char *attributes) {
    append(s->nodes, sizeof s->nodes,
           "{\"op\": \"%s\", \"inputs\": [%s], \"outputs\": [%s], \"attributes\": {%s}}", op,
           inputs, outputs, attributes);
}

static inline void sheet_parse(Sheet *s, TspGraph *g) {
    TspError err;
    snprintf(s->text, sizeof s->text,
             "{\"inputs\": [%s], \"initializers\": [%s], \"nodes\": [%s], \"outputs\": [%s]}",
             s->inputs, s->lists, s->nodes, s->outputs);
    if (!tsp_graph_parse(g, s->text, strlen(s->text), "test.json", &err))
        ck_abort_msg("%s\n%s", err.text, s->text);
}

/* Any bits for integers, numbers of few bits for floats. */
static inline uint8_t *random_value(const TspValue *v) {
    int64_t elements = tsp_value_elements(v);
    uint8_t *data = malloc((size_t)tsp_value_bytes(v));
    for (int64_t i = 0; i < elements; i++) {
        if (tsp_dtype_is_float(v->dtype))
            tsp_store_float(v->dtype, data, i, pick(-64, 64) * 0.125);
        else if (v->dtype == TSP_BOOL)
            data[i] = (uint8_t)pick(0, 1);
        else
            tsp_store_int(v->dtype, data, i, (int64_t)(random_bits() >> 20));
    }
    return data;
}

static inline int32_t program_tensor(const TspProgram *p, const char *name, TspTensorRole role) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role && !strcmp(p->tensors[i].name, name)) return i;
    ck_abort_msg("the program has no tensor %s", name);
    return -1;
}

static inline void check_output(const TspGraph *g, const TspProgram *p, TspSim *sim, int32_t v,
                                const uint8_t *want, const double *tolerance, const char *label) {
    const TspValue *value = &g->values[v];
    uint8_t *got = malloc((size_t)tsp_value_bytes(value));
    TspError err;
    TspComparison c;
    if (!tsp_sim_read_tensor(sim, program_tensor(p, value->name, TSP_ROLE_OUTPUT), got, &err))
        ck_abort_msg("%s\n%s", err.text, label);
    c = tsp_compare(value->dtype, tsp_value_elements(value), want, got, tolerance);
    ck_assert_msg(c.passed, "%s differs at element %" PRId64 " by %g\n%s", value->name, c.first_bad,
                  c.max_abs_err, label);
    free(got);
}

/* Proves the program, runs it in the predicted cycles, and compares all outputs with the host
 * interpreter's. Returns the cycles. */
static inline int64_t run_graph(const TspGraph *g, const TspMachine *m, const char *label) {
    uint8_t **data = calloc((size_t)g->value_count, sizeof *data);
    double **tolerance = calloc((size_t)g->value_count, sizeof *tolerance);
    TspProgram p;
    TspError err;
    TspProof proof;
    TspSim *sim;
    int64_t cycles;
    if (!tsp_compile(g, m, NULL, &p, &err)) ck_abort_msg("%s\n%s", err.text, label);
    if (!tsp_verify(&p, NULL, &proof, &err)) ck_abort_msg("%s\n%s", err.text, label);
    if (!(sim = tsp_sim_new(&p, NULL, &err))) ck_abort_msg("%s\n%s", err.text, label);
    for (int32_t v = 0; v < g->value_count; v++) {
        int32_t t =
            g->values[v].is_input ? program_tensor(&p, g->values[v].name, TSP_ROLE_INPUT) : -1;
        if (t < 0) continue;
        data[v] = random_value(&g->values[v]);
        if (!tsp_sim_write_tensor(sim, t, data[v], &err)) ck_abort_msg("%s\n%s", err.text, label);
    }
    if (!tsp_sim_run(sim, &err)) ck_abort_msg("%s\n%s", err.text, label);
    cycles = tsp_sim_stats(sim).cycles;
    ck_assert_msg(cycles == p.predicted_cycles, "predicted %" PRId64 ", simulated %" PRId64 "\n%s",
                  p.predicted_cycles, cycles, label);
    ck_assert_msg(p.bound_cycles <= cycles, "bound %" PRId64 ", simulated %" PRId64 "\n%s",
                  p.bound_cycles, cycles, label);
    if (!tsp_interpret(g, tsp_lanes(m), data, tolerance, &err))
        ck_abort_msg("%s\n%s", err.text, label);
    for (int32_t v = 0; v < g->value_count; v++)
        if (g->values[v].is_output) check_output(g, &p, sim, v, data[v], tolerance[v], label);
    for (int32_t v = 0; v < g->value_count; v++) {
        free(data[v]);
        free(tolerance[v]);
    }
    free(data);
    free(tolerance);
    tsp_sim_free(sim);
    tsp_program_free(&p);
    return cycles;
}

/* Fewer cases where everything is slow. */
static inline int32_t scaled(int32_t cases) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small") ? cases / 10 : cases;
}

static inline TspMachine builtin(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

#endif
