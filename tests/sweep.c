/* sweep.c TYPE FILE - [2304 x 4096] x [4096 x N] on tsp1 for N = 1376, 1380 .. 3500.
 *
 * Compiles each, runs it with timing only, and writes FILE: a line of N, cycles, bound and
 * utilisation each. Prints the least utilisation and the greatest share of the bound; fails if a
 * run takes other cycles than were predicted. docs/figures.md says what the sweep is for.
 */
#include "sweep_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 2304, DEPTH = 4096, FIRST = 1376, LAST = 3500, STEP = 4 };

typedef struct {
    const char *name, *op;
    double peak; /* products a cycle */
} Type;

typedef struct {
    int32_t cols;
    int64_t cycles, bound;
    double utilisation;
} Point;

static bool load_graph(TspGraph *g, const Type *type, int32_t cols, TspError *err) {
    char text[512];
    int length = snprintf(text, sizeof text,
                          "{\"name\": \"sweep\", \"inputs\": ["
                          "{\"name\": \"A\", \"dtype\": \"%s\", \"shape\": [%d, %d]}, "
                          "{\"name\": \"B\", \"dtype\": \"%s\", \"shape\": [%d, %d]}], "
                          "\"nodes\": [{\"op\": \"%s\", \"inputs\": [\"A\", \"B\"], "
                          "\"outputs\": [\"C\"]}], \"outputs\": [\"C\"]}",
                          type->name, ROWS, DEPTH, type->name, DEPTH, (int)cols, type->op);
    return tsp_graph_parse(g, text, (size_t)length, "sweep.json", err);
}

static bool measure(const Type *type, int32_t cols, Point *point, TspError *err) {
    TspGraph g;
    TspProgram p;
    bool ok;
    if (!load_graph(&g, type, cols, err) || !sweep_compile(&g, &p, err)) return false;
    ok = sweep_run(&p, err);
    *point = (Point){cols, p.predicted_cycles, p.bound_cycles,
                     (double)ROWS * DEPTH * cols / ((double)p.predicted_cycles * type->peak)};
    tsp_program_free(&p);
    return ok;
}

static bool sweep(const Type *type, FILE *out, TspError *err) {
    Point least = {.utilisation = 2}, most = {.bound = 1}, at = {0};
    fprintf(out, "n,cycles,bound,utilisation\n");
    for (int32_t cols = FIRST; cols <= LAST; cols += STEP) {
        if (!measure(type, cols, &at, err)) return fprintf(stderr, "N = %d: ", (int)cols), false;
        fprintf(out, "%d,%" PRId64 ",%" PRId64 ",%.4f\n", (int)at.cols, at.cycles, at.bound,
                at.utilisation);
        if (at.utilisation < least.utilisation) least = at;
        if (at.cycles * most.bound > most.cycles * at.bound) most = at;
    }
    printf("%s: %d products, predicted = simulated; utilisation at least %.4f (N = %d), "
           "cycles at most %.4f times the bound (N = %d)\n",
           type->name, (LAST - FIRST) / STEP + 1, least.utilisation, (int)least.cols,
           (double)most.cycles / (double)most.bound, (int)most.cols);
    return true;
}

int main(int argc, char **argv) {
    static const Type types[] = {{"float16", "MatMul", 102400}, {"int8", "MatMulInteger", 409600}};
    TspError err = {0};
    FILE *out;
    const Type *type = argc == 3 && !strcmp(argv[1], types[1].name) ? &types[1] : &types[0];
    bool ok;
    if (argc != 3 || strcmp(argv[1], type->name) != 0) {
        fprintf(stderr, "usage: sweep float16|int8 FILE.csv\n");
        return 2;
    }
    if (!(out = fopen(argv[2], "w"))) {
        perror(argv[2]);
        return 2;
    }
    ok = sweep(type, out, &err);
    if (!ok) fprintf(stderr, "sweep: error: %s\n", err.text);
    if (fclose(out) != 0) {
        perror(argv[2]);
        return 2;
    }
    return ok ? 0 : err.kind == TSP_ERR_BUG ? 3 : 2;
}
