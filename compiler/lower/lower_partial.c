/* lower_partial.c - the end of a product: in regions, or where the machine has no accumulators a
 * stage a K tile, the VXM adding to what those before left.
 */
#include "lower.h"

#include <stdlib.h>

bool lower_finish_product(Lowerer *l, TspDtype product_type, TspError *err) {
    Module *m = l->module;
    Stage whole = m->stages[m->stage_count - 1], part;
    int32_t sum = -1;
    if (m->machine.mxm_accumulator_rows > 0 || whole.term_count == 1) return lower_divide(l, err);
    m->stage_count--;
    for (int32_t k = 0; k < whole.term_count; k++) {
        Stage *s = lower_new_stage(l, whole.what, whole.rows, whole.cols, err);
        Term *term = s ? malloc(sizeof *term) : NULL;
        if (!term)
            return free(whole.terms), s ? tsp_fail(err, TSP_ERR_SYSTEM, "out of memory") : false;
        bool last = k == whole.term_count - 1;
        From product = from_product();
        part = *s;
        *term = whole.terms[k];
        if (last) part = whole;
        part.op = whole.op;
        part.product = true;
        part.terms = term;
        part.term_count = 1;
        if (k > 0) { /* a step in front of all others: product + sum so far */
            stage_insert_step(&part, 0,
                              (Step){TSP_OP_ADD, product_type, product_type, product,
                                     stage_operand(&part, sum, 0, 1), 0, whole.op});
            product = (From){FROM_STEP, 0};
            for (int32_t i = 1; i < part.step_count; i++) {
                if (part.steps[i].a.kind == FROM_PRODUCT) part.steps[i].a = product;
                if (part.steps[i].b.kind == FROM_PRODUCT) part.steps[i].b = product;
            }
            for (int32_t i = 0; i < part.output_count; i++)
                if (part.outputs[i].from.kind == FROM_PRODUCT) part.outputs[i].from = product;
        }
        if (!last) {
            int64_t shape[2] = {whole.rows, whole.cols};
            sum = lower_new_tensor(l, m->tensors[whole.outputs[0].tensor].name, ".partial",
                                   product_type, TSP_ROLE_INTERNAL, 2, shape, false, err);
            if (sum < 0) return free(term), free(whole.terms), false;
            m->tensors[sum].contiguous = true;
            lower_output(l, &part, product, sum, 0);
        }
        m->stages[m->stage_count - 1] = part;
    }
    free(whole.terms);
    return true;
}
