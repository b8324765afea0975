/* dump.h - text of each pass's result; malloc'ed, NULL when out of memory.
 */
#ifndef TSP_DUMP_H
#define TSP_DUMP_H
#include "ir.h"
#include "verify.h"

char *tsp_dump_graph(const TspGraph *g);
char *tsp_dump_lower(const Module *module);
char *tsp_dump_layout(const Module *module);
char *tsp_dump_flow(const Module *module);
char *tsp_dump_schedule(const Module *module);
char *tsp_dump_emit(const TspProgram *program, TspError *err);
char *tsp_dump_proof(const TspProof *proof);

#endif
