/* compile.h - the compiler: graph in, program out.
 */
#ifndef TSP_COMPILE_H
#define TSP_COMPILE_H
#include "graph.h"

typedef struct {
    /* Pass whose result is dumped as text ("graph", "lower", "layout", "flow", "schedule", "emit",
     * "verify"), or NULL. */
    const char *dump_pass;
    /* GroupByAggregate gives its merged tables (group.h) instead of its result OUT, as an output
     * OUT.tables.next that takes the place of the input OUT.tables: a host that starts the program
     * on block after block of rows gives empty tables once and reads them at the end. */
    bool group_tables;
    bool unfused;     /* the result of every node passes through memory, to compare */
    char **dump_text; /* where to put the malloc'ed text when dump_pass is set; NULL on failure */
} TspCompileOptions;

/* Compiles a graph for a machine. Inputs and outputs of the graph become tensors of the program
 * under their names and roles. Fails with TSP_ERR_INPUT when tensors do not fit the chip (says by
 * how much) and with TSP_ERR_NOT_MODELLED for what is not lowered yet. On failure *program needs
 * no freeing. */
bool tsp_compile(const TspGraph *g, const TspMachine *machine, const TspCompileOptions *options,
                 TspProgram *program, TspError *err);
/* Names of the passes, in order, NULL-terminated. */
extern const char *const tsp_compile_passes[];

#endif
