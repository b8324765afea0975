/* product.h - inputs for any program, and compiled products of any shape, for tests of the
 * simulator.
 */
#ifndef TSP_TESTS_PRODUCT_H
#define TSP_TESTS_PRODUCT_H
#include "compiler/compile.h"
#include "sim/sim.h"

#include "suite.h"
#include <stdio.h>
#include <stdlib.h>

/* Writes every input: the same bytes for the same salt. */
static inline void product_fill(TspSim *sim, const TspProgram *p, int32_t salt) {
    for (int32_t i = 0; i < p->tensor_count; i++) {
        const int64_t bytes = tsp_tensor_bytes(&p->tensors[i]);
        uint8_t *data;
        TspError err;
        if (p->tensors[i].role != TSP_ROLE_INPUT) continue;
        data = malloc((size_t)bytes + 1);
        for (int64_t k = 0; k < bytes; k++) /* halfs of them are finite */
            data[k] = (uint8_t)((k * 37 + i * 11 + (k >> 7) + salt) % 91);
        ck_assert_msg(tsp_sim_write_tensor(sim, i, data, &err), "%s", err.text);
        free(data);
    }
}

/* [m, k] x [k, n] on tsp1, both of them inputs. */
static inline void product_compile(TspProgram *p, const char *dtype, int32_t m, int32_t k,
                                   int32_t n) {
    char text[500];
    TspGraph g;
    TspMachine machine;
    TspError err;
    const int length = snprintf(
        text, sizeof text,
        "{\"inputs\": [{\"name\": \"A\", \"dtype\": \"%s\", \"shape\": [%d, %d]}, {\"name\": "
        "\"B\", \"dtype\": \"%s\", \"shape\": [%d, %d]}], \"nodes\": [{\"op\": \"%s\", "
        "\"inputs\": [\"A\", \"B\"], \"outputs\": [\"C\"]}], \"outputs\": [\"C\"]}",
        dtype, m, k, dtype, k, n, dtype[0] == 'f' ? "MatMul" : "MatMulInteger");
    ck_assert(tsp_machine_load(&machine, "tsp1", &err));
    ck_assert_msg(tsp_graph_parse(&g, text, (size_t)length, "test", &err), "%s", err.text);
    ck_assert_msg(tsp_compile(&g, &machine, &(TspCompileOptions){0}, p, &err), "%s", err.text);
    tsp_graph_free(&g);
}

#endif
