/* sweep_flat.c - long vectors on tsp1: each element-wise operator, reduction and running sum, in
 * each type.
 *
 * Compiles a graph of one node on 10^7 elements, runs it with timing only, and prints a line of
 * markdown: predicted cycles, bound, their ratio, and what binds. Fails if a run takes other cycles
 * than were predicted. docs/figures.md says what the sweep is for.
 */
#include "sweep_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ELEMENTS = 10000000, MOST_INPUTS = 2, MOST_TYPES = 4 };

/* A node and the dtypes of its inputs; `text`: what else the graph needs. */
typedef struct {
    const char *op;
    int32_t inputs;
    const char *types[MOST_TYPES];
    const char *more_inputs, *text;
} Case;

#define NUMBERS                                                                                    \
    { "int8", "int32", "float16", "float32" }
static const Case cases[] = {
    {"Add", 2, NUMBERS, "", ""},
    {"Mul", 2, NUMBERS, "", ""},
    {"Max", 2, NUMBERS, "", ""},
    {"Equal", 2, NUMBERS, "", ""},
    {"Identity", 1, NUMBERS, "", ""},
    {"Relu", 1, NUMBERS, "", ""},
    {"Neg", 1, NUMBERS, "", ""},
    {"Abs", 1, NUMBERS, "", ""},
    {"Tanh", 1, {"float16", "float32"}, "", ""},
    {"Sigmoid", 1, {"float16", "float32"}, "", ""},
    {"Sqrt", 1, {"float16", "float32"}, "", ""},
    {"ReduceSum", 1, {"int32", "float16", "float32"}, "", ""},
    {"ReduceMean", 1, {"float16", "float32"}, "", ""},
    {"ReduceMax", 1, NUMBERS, "", ""},
    {"ReduceMin", 1, NUMBERS, "", ""},
    {"ArgMax", 1, NUMBERS, "", ""},
    {"ArgMin", 1, NUMBERS, "", ""},
    {"MatMul", 2, {"float16", "float32"}, "", ""},
    {"MatMulInteger", 2, {"int8"}, "", ""},
    {"CumSum",
     1,
     {"int32", "float16", "float32"},
     ", \"axis\"",
     "\"initializers\": [{\"name\": \"axis\", \"dtype\": \"int32\", \"shape\": [], \"data\": "
     "0}], "},
};

static bool load_graph(TspGraph *g, const Case *c, const char *type, TspError *err) {
    static const char *const names[MOST_INPUTS] = {"\"x\"", "\"x\", \"y\""};
    char input[MOST_INPUTS][96] = {"", ""}, text[512];
    int length;
    for (int32_t i = 0; i < c->inputs; i++)
        snprintf(input[i], sizeof input[i],
                 "%s{\"name\": \"%c\", \"dtype\": \"%s\", \"shape\": [%d]}", i ? ", " : "",
                 (char)('x' + i), type, ELEMENTS);
    length = snprintf(text, sizeof text,
                      "{\"name\": \"flat\", \"inputs\": [%s%s], %s\"nodes\": [{\"op\": \"%s\", "
                      "\"inputs\": [%s%s], \"outputs\": [\"z\"]}], \"outputs\": [\"z\"]}",
                      input[0], input[1], c->text, c->op, names[c->inputs - 1], c->more_inputs);
    return tsp_graph_parse(g, text, (size_t)length, "flat.json", err);
}

static bool measure(const Case *c, const char *type, TspError *err) {
    TspGraph g;
    TspProgram p;
    bool ok;
    if (!load_graph(&g, c, type, err) || !sweep_compile(&g, &p, err)) return false;
    ok = sweep_run(&p, err);
    printf("| %s | %s | %" PRId64 " | %" PRId64 " | %.2f | %s |\n", c->op, type, p.predicted_cycles,
           p.bound_cycles, (double)p.predicted_cycles / (double)p.bound_cycles, p.bound_by);
    tsp_program_free(&p);
    return ok;
}

int main(void) {
    TspError err = {0};
    printf("| operator | type | cycles | bound | ratio | bound by |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int32_t t = 0; t < MOST_TYPES && cases[i].types[t]; t++) {
            if (measure(&cases[i], cases[i].types[t], &err)) continue;
            fprintf(stderr, "sweep_flat: %s of %s: error: %s\n", cases[i].op, cases[i].types[t],
                    err.text);
            return err.kind == TSP_ERR_BUG ? 3 : 2;
        }
    return 0;
}
