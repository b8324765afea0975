/* fuzz_graph.c - feeds the graph reader; what it takes is in order and refers to what is there. */
#include "compiler/graph.h"
#include "fuzz.h"

/* Which nodes come after those that make their inputs; every index in range. */
static void check_graph(const TspGraph *g) {
    for (int32_t i = 0; i < g->value_count; i++) {
        const TspValue *v = &g->values[i];
        FUZZ_CHECK(v->name != NULL && v->rank >= 0 && v->rank <= TSP_MAX_RANK);
        FUZZ_CHECK(tsp_value_bytes(v) >= tsp_value_elements(v) && tsp_value_elements(v) > 0);
        FUZZ_CHECK(v->producer >= -1 && v->producer < g->node_count);
        FUZZ_CHECK(v->producer < 0 || (!v->is_input && !v->data));
    }
    for (int32_t i = 0; i < g->node_count; i++) {
        const TspNode *node = &g->nodes[i];
        FUZZ_CHECK(node->name != NULL && tsp_node_macs(g, node) >= 0);
        FUZZ_CHECK(node->output >= 0 && node->output < g->value_count);
        FUZZ_CHECK(g->values[node->output].producer == i);
        for (int32_t k = 0; k < node->input_count; k++) {
            FUZZ_CHECK(node->inputs[k] >= -1 && node->inputs[k] < g->value_count);
            FUZZ_CHECK(node->inputs[k] < 0 || g->values[node->inputs[k]].producer < i);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    enum { MOST_BYTES = 1 << 14 };
    TspGraph g;
    TspError err = {0};
    if (length > MOST_BYTES) return 0;
    /* A "file" may lie beside the bad graphs, not anywhere: a device or pipe would not end. */
    if (memmem(bytes, length, "\"/", 2) || memmem(bytes, length, "..", 2)) return 0;
    if (!tsp_graph_parse(&g, (const char *)bytes, length, "tests/bad/fuzz.json", &err)) {
        fuzz_check_error(&err);
        return 0;
    }
    check_graph(&g);
    tsp_graph_free(&g);
    return 0;
}
