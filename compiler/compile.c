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

typedef struct {
    TspProgram program;
    TspError err;
    char *text; /* dumped */
    bool ok, divided, fused, takes_turns;
} Attempt;

/* Ways to compile, as bits. WHOLE: no product is divided into regions; UNFUSED: every node's result
 * passes memory; IN_ORDER: no stages take turns, so that tensors live less long. */
enum { WHOLE = 1, UNFUSED = 2, IN_ORDER = 4 };

static Attempt attempt(const TspGraph *g, const TspMachine *machine,
                       const TspCompileOptions *options, int ways) {
    Attempt a = {.text = NULL};
    TspCompileOptions own = options ? *options : (TspCompileOptions){0};
    Module module = {.graph = g,
                     .machine = *machine,
                     .group_tables = own.group_tables,
                     .whole_products = ways & WHOLE,
                     .unfused = ways & UNFUSED || own.unfused,
                     .in_order = ways & IN_ORDER};
    own.dump_text = &a.text;
    tsp_program_init(&a.program, machine);
    a.ok = run_passes(&module, &own, &a.program, &a.err);
    a.divided = module.divided;
    a.fused = module.fused;
    a.takes_turns = module.takes_turns;
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
 * stages ask for more slices, streams and wires at once than some machines have, and what takes
 * turns for more memory. */
bool tsp_compile(const TspGraph *g, const TspMachine *machine, const TspCompileOptions *options,
                 TspProgram *program, TspError *err) {
    Attempt best = attempt(g, machine, options, 0);
    const bool divided = best.divided, fused = best.fused, turns = best.takes_turns;
    if (options && options->dump_pass) *options->dump_text = NULL;
    if (divided) offer(&best, attempt(g, machine, options, WHOLE));
    if (turns && !best.ok) offer(&best, attempt(g, machine, options, WHOLE | IN_ORDER));
    if (fused && !best.ok) offer(&best, attempt(g, machine, options, UNFUSED | IN_ORDER));
    if (fused && divided && !best.ok)
        offer(&best, attempt(g, machine, options, WHOLE | UNFUSED | IN_ORDER));
    if (!best.ok) {
        if (err) *err = best.err;
        return drop(&best), false;
    }
    *program = best.program;
    if (options && options->dump_pass) *options->dump_text = best.text;
    return true;
}
