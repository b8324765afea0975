/* interpret.h - the host interpreter: evaluates a graph in plain C, the oracle of --check.
 * Written from ONNX's semantics; shares nothing with scheduler or simulator.
 */
#ifndef TSP_INTERPRET_H
#define TSP_INTERPRET_H
#include "graph.h"

/* Evaluates every value. data[v] of inputs must be given (row-major); initializers are taken from
 * the graph; all other data[v] are malloc'ed by the call and owned by the caller. tolerance[v],
 * where not NULL on return, is a malloc'ed array of one double an element: the greatest absolute
 * difference from data[v] that the machine's different order of roundings may cause (NULL: results
 * must agree bit for bit). `lanes` is the K tile of the machine (tsp_lanes). */
bool tsp_interpret(const TspGraph *g, int32_t lanes, uint8_t **data, double **tolerance,
                   TspError *err);
/* The same, but where found[v] is not NULL nodes read that in place of data[v], as exact: what a
 * machine is known to have made. So every value is what follows from the values found before it,
 * and tolerances do not add up over a deep graph. `found` stays the caller's. */
bool tsp_interpret_beside(const TspGraph *g, int32_t lanes, uint8_t *const *found, uint8_t **data,
                          double **tolerance, TspError *err);

typedef struct {
    bool passed;
    double max_abs_err, max_rel_err; /* 0 for exact agreement */
    int64_t first_bad;               /* element, -1 if none */
} TspComparison;
/* Compares `got` with `want` under a tolerance (NULL: bit for bit; NaN equals NaN). */
TspComparison tsp_compare(TspDtype dtype, int64_t elements, const uint8_t *want, const uint8_t *got,
                          const double *tolerance);

#endif
