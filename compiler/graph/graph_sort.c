/* graph_sort.c - puts the nodes of a graph in an order in which each follows those it needs.
 */
#include "graph_shape.h"

#include <stdlib.h>
#include <string.h>

/* Depth first, from each node in file order to the nodes it needs, without recursion. */
static bool sort(const TspGraph *g, int32_t *order, int32_t *cycle_length, int32_t *stack,
                 int8_t *next_input) {
    int32_t sorted = 0;
    enum { UNSEEN = 0, DONE = -1 }; /* else: 1 + the input to look at next */
    for (int32_t root = 0; root < g->node_count; root++) {
        int32_t top = -1;
        if (next_input[root] == UNSEEN) next_input[stack[++top] = root] = 1;
        while (top >= 0) {
            int32_t at = stack[top], input = next_input[at] - 1, value, needed;
            if (input == g->nodes[at].input_count) {
                next_input[at] = DONE;
                order[sorted++] = at;
                top--;
                continue;
            }
            next_input[at]++;
            value = g->nodes[at].inputs[input];
            needed = value < 0 ? -1 : g->values[value].producer;
            if (needed < 0 || next_input[needed] == DONE) continue;
            if (next_input[needed] != UNSEEN) {
                int32_t first = top;
                while (stack[first] != needed) first--;
                *cycle_length = top - first + 1;
                memcpy(order, stack + first, (size_t)*cycle_length * sizeof *order);
                return true;
            }
            next_input[stack[++top] = needed] = 1;
        }
    }
    return true;
}

bool tsp_graph_sort(const TspGraph *g, int32_t *order, int32_t *cycle_length) {
    size_t count = (size_t)g->node_count + 1;
    int32_t *stack = calloc(count, sizeof *stack);
    int8_t *next_input = calloc(count, sizeof *next_input);
    bool ok = stack && next_input;
    *cycle_length = 0;
    ok = ok && sort(g, order, cycle_length, stack, next_input);
    free(stack);
    free(next_input);
    return ok;
}
