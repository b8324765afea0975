/* whole.c - operators on int32 that are made of others.
 */
#include "compiler/expand/build.h"
#include "compiler/number.h"

#include <string.h>

static TspDtype type_of(const Build *b, const TspNode *n) {
    return b->given->values[n->inputs[0]].dtype;
}

static int32_t with_number(Build *b, TspGraphOp op, int32_t x, double number) {
    return build_two(b, op, x, build_scalar(b, TSP_I32, number));
}

/* alpha A'B' + beta C. */
bool expand_gemm(Build *b, const TspNode *n) {
    int32_t x = n->inputs[0], w = n->inputs[1], y, c;
    if (type_of(b, n) != TSP_I32) return false;
    if (n->trans_a) x = build_swap(b, x, 0, 1);
    if (n->trans_b) w = build_swap(b, w, 0, 1);
    y = build_two(b, TSP_GRAPH_MATMUL, x, w);
    if (n->alpha != 1) y = with_number(b, TSP_GRAPH_MUL, y, n->alpha);
    if (n->input_count > 2 && n->inputs[2] >= 0 && n->beta != 0) {
        c = n->inputs[2];
        if (n->beta != 1) c = with_number(b, TSP_GRAPH_MUL, c, n->beta);
        y = build_two(b, TSP_GRAPH_ADD, y, c);
    }
    build_finish(b, y);
    return true;
}
