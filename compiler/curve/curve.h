/* curve.h - element-wise nodes of many VXM steps, which may take several stages.
 *
 * A curve is the steps of one node, written down as if ALUs were endless: steps take operands and
 * results of steps before them. curve.c cuts it into stages; what one hands to a later one
 * passes through memory.
 */
#ifndef TSP_CURVE_CURVE_H
#define TSP_CURVE_CURVE_H
#include "compiler/ir.h"

enum { CURVE_STEPS = 128 };

typedef struct {
    const TspNode *node; /* inputs that the host has worked out are in their final form */
    const TspGraph *graph;
    From in[ELEMENTWISE_INPUTS], ones; /* operands of the stages; ones as for lower_apply() */
    TspDtype type, result;             /* of the first input, of the output; bool as uint8 */
    Step steps[CURVE_STEPS];
    int32_t step_count;
} Curve;

/* ---- writing steps down: all return the result ---- */

From curve_unary(Curve *c, TspOpcode op, TspDtype type, From a);
From curve_binary(Curve *c, TspOpcode op, TspDtype type, From a, From b);
/* a op number, and number op b; the number is rounded to the type. */
From curve_with(Curve *c, TspOpcode op, TspDtype type, From a, double number);
From curve_of(Curve *c, TspOpcode op, TspDtype type, double number, From b);
/* On the bits of a float32. */
From curve_bits(Curve *c, TspOpcode op, From a, uint32_t bits);
/* As C converts, and nothing if the types are the same; or with `op` CVT_SAT to nearest. */
From curve_convert(Curve *c, TspDtype from, TspDtype to, From a);
From curve_round(Curve *c, TspDtype from, TspDtype to, From a);
/* c0 + x (c1 + x (...)) in float32, in few steps one after the other. */
From curve_polynomial(Curve *c, From x, const float *coefficients, int32_t count);
/* Input i as float32. */
From curve_single(Curve *c, int32_t i);
/* A float32 as the output's type. */
From curve_result(Curve *c, From y);

bool is_curve(const TspNode *node);
/* Whether its steps make something else than zero of zeros, so that lanes without elements need
 * `ones`. */
bool curve_needs_ones(const TspNode *node);
/* Writes the whole curve: node, graph, in and ones are set. */
void curve_write(Curve *c);

/* 1 / x and ln x of float32; quotient.c, logarithm.c. */
From curve_inverse(Curve *c, From x);
From curve_logarithm(Curve *c, From x);

/* ---- the curves: the result of the node, lanes without elements aside ---- */

/* quotient.c */
From curve_div(Curve *c);
From curve_reciprocal(Curve *c);
From curve_mod(Curve *c);
From curve_softsign(Curve *c);
/* whole.c, remainder.c: the same of int32, and Mod of floats. */
From curve_whole_div(Curve *c);
From curve_whole_mod(Curve *c);
From curve_remainder(Curve *c);
/* whole_power.c */
From curve_whole_pow(Curve *c);
/* logarithm.c */
From curve_log(Curve *c);
From curve_softplus(Curve *c);
From curve_mish(Curve *c);
/* power.c */
From curve_pow(Curve *c);
/* erf.c */
From curve_erf(Curve *c);
From curve_gelu(Curve *c);
/* round.c */
From curve_floor(Curve *c);
From curve_ceil(Curve *c);
From curve_round_even(Curve *c);
From curve_sign(Curve *c);
/* affine.c */
From curve_quantize(Curve *c);
From curve_dequantize(Curve *c);
From curve_batch_norm(Curve *c);
From curve_hard_sigmoid(Curve *c);
From curve_hard_swish(Curve *c);
From curve_combine(Curve *c);
/* units.c */
From curve_elu(Curve *c);
From curve_celu(Curve *c);
From curve_selu(Curve *c);
From curve_prelu(Curve *c);
From curve_swish(Curve *c);

#endif
