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

bool tsp_compile(const TspGraph *g, const TspMachine *machine, const TspCompileOptions *options,
                 TspProgram *program, TspError *err) {
    Module module = {
        .graph = g, .machine = *machine, .group_tables = options && options->group_tables};
    bool ok;
    if (options && options->dump_pass) *options->dump_text = NULL;
    tsp_program_init(program, machine);
    ok = run_passes(&module, options, program, err);
    tsp_module_free(&module);
    if (!ok) tsp_program_free(program);
    if (!ok && options && options->dump_pass) {
        free(*options->dump_text);
        *options->dump_text = NULL;
    }
    return ok;
}
