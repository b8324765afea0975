/* compile.c - runs the passes.
 */
#include "compile.h"
#include "dump.h"

#include <stdlib.h>
#include <string.h>

const char *const tsp_compile_passes[] = {"graph",    "lower", "layout", "flow",
                                          "schedule", "emit",  "verify", NULL};

static bool run_passes(Module *module, const TspCompileOptions *options, TspProgram *program,
                       TspError *err) {
    const char *dump = options ? options->dump_pass : NULL;
    char **text = options ? options->dump_text : NULL;
    if (dump && !strcmp(dump, "graph")) *text = tsp_dump_graph(module->graph);
    if (!tsp_pass_lower(module, err)) return false;
    if (dump && !strcmp(dump, "lower")) *text = tsp_dump_lower(module);
    if (!tsp_pass_layout(module, err)) return false;
    if (dump && !strcmp(dump, "layout")) *text = tsp_dump_layout(module);
    if (!tsp_pass_schedule(module, err)) return false;
    if (dump && !strcmp(dump, "flow")) *text = tsp_dump_flow(module);
    if (dump && !strcmp(dump, "schedule")) *text = tsp_dump_schedule(module);
    if (!tsp_pass_bound(module, err) || !tsp_pass_emit(module, program, err)) return false;
    if (dump && !strcmp(dump, "emit")) *text = tsp_dump_emit(program, err);
    if (dump && !strcmp(dump, "verify")) {
        TspProof proof;
        if (!tsp_verify(program, NULL, &proof, err)) return false;
        *text = tsp_dump_proof(&proof);
    }
    if (dump && !*text) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    return true;
}

/* What graphs may be compiled with or without: products divided into regions, results that never
 * pass memory, and nodes that take more memory to be quicker. */
enum { DIVIDED = 1, FUSED = 2, LAVISH = 4, ALL_WAYS = 7 };

typedef struct {
    TspProgram program;
    TspError err;
    char *text; /* dumped */
    bool ok;
    int ways; /* that the graph was compiled with */
} Attempt;

/* Leaves out the ways `without`. */
static Attempt attempt(const TspGraph *g, const TspMachine *machine,
                       const TspCompileOptions *options, int without) {
    Attempt a = {.text = NULL};
    TspCompileOptions own = options ? *options : (TspCompileOptions){0};
    Module module = {.graph = g,
                     .machine = *machine,
                     .group_tables = own.group_tables,
                     .whole_products = without & DIVIDED,
                     .unfused = without & FUSED || own.unfused,
                     .sparing = without & LAVISH};
    own.dump_text = &a.text;
    tsp_program_init(&a.program, machine);
    a.ok = run_passes(&module, &own, &a.program, &a.err);
    a.ways =
        (module.divided ? DIVIDED : 0) | (module.fused ? FUSED : 0) | (module.lavish ? LAVISH : 0);
    tsp_module_free(&module);
    return a;
}

static void drop(Attempt *a) {
    tsp_program_free(&a->program);
    free(a->text);
}

/* Takes the place of the best so far if that failed or is slower. */
static void offer(Attempt *best, Attempt other) {
    bool better =
        !best->ok || (other.ok && other.program.predicted_cycles < best->program.predicted_cycles);
    drop(better ? best : &other);
    if (better) *best = other;
}

/* Divided products take more memory, and not always less time: the better of both is kept. Fused
 * stages ask for more slices, streams and wires at once than some machines have. Keys of
 * ArgMax and sums of halfs take more memory than elements do. */
bool tsp_compile(const TspGraph *g, const TspMachine *machine, const TspCompileOptions *options,
                 TspProgram *program, TspError *err) {
    Attempt best = attempt(g, machine, options, 0);
    const int ways = best.ways;
    if (options && options->dump_pass) *options->dump_text = NULL;
    if (ways & DIVIDED) offer(&best, attempt(g, machine, options, DIVIDED));
    for (int without = DIVIDED + 1; without <= ALL_WAYS && !best.ok; without++)
        if (!(without & ~ways)) offer(&best, attempt(g, machine, options, without));
    if (!best.ok) {
        if (err) *err = best.err;
        return drop(&best), false;
    }
    *program = best.program;
    if (options && options->dump_pass) *options->dump_text = best.text;
    return true;
}
