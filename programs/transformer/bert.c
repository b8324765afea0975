/* bert.c - the encoder of BERT-base: 768 wide, 12 heads of 64, a hidden layer of 3072.
 *
 * In int8 what meets in a product has 8 bits; what is added up, normalised or goes through Softmax
 * is float16. Scales are powers of two, so that they lose nothing.
 */
#include "models.h"

enum { WIDTH = 768, HEADS = 12, HEAD = 64, HIDDEN = 3072 };

static const double weight_scale = 0x1p-11, activation_scale = 0x1p-5, context_scale = 0x1p-7,
                    probability_scale = 0x1p-8;

/* What all layers share. */
typedef struct {
    GraphText *g;
    bool int8;
    GraphName split_shape, joined_shape; /* [sequence, heads, head], [sequence, width] */
    GraphName scale;                     /* 1 / sqrt(HEAD) */
    GraphName activation, activation_half, context, probability; /* scales of int8 */
    GraphName zero, unsigned_zero;                               /* zero points */
} Bert;

/* int8 of a value that has this scale. */
static GraphName quantised(Bert *b, const char *name, GraphName x, GraphName scale) {
    return GRAPH_NODE(b->g, name, "QuantizeLinear", "", x, scale, b->zero);
}

/* x W + b, float16; in int8 `x` is int8 of scale `x_scale`, and the result is float32. */
static GraphName linear(Bert *b, const char *name, GraphName x, double x_scale, int64_t from,
                        int64_t to) {
    GraphText *g = b->g;
    GraphName w, bias, product, scale;
    if (!b->int8) {
        w = graph_random(g, graph_part(name, "w").text, "float16", GRAPH_SHAPE(from, to), -0.0625,
                         0.0625);
        bias = graph_random(g, graph_part(name, "b").text, "float16", GRAPH_SHAPE(to), -0.1, 0.1);
        product = GRAPH_NODE(g, graph_part(name, "product").text, "MatMul", "", x, w);
        return GRAPH_NODE(g, graph_part(name, "bias").text, "Add", "", product, bias);
    }
    w = graph_random(g, graph_part(name, "w").text, "int8", GRAPH_SHAPE(from, to), -127, 127);
    bias = graph_random(g, graph_part(name, "b").text, "float32", GRAPH_SHAPE(to), -0.1, 0.1);
    scale = graph_scalar(g, graph_part(name, "scale").text, "float32", x_scale * weight_scale);
    product = GRAPH_NODE(g, graph_part(name, "product").text, "MatMulInteger", "", x, w);
    product = GRAPH_NODE(g, graph_part(name, "float").text, "Cast", "\"to\": \"float32\"", product);
    product = GRAPH_NODE(g, graph_part(name, "scaled").text, "Mul", "", product, scale);
    return GRAPH_NODE(g, graph_part(name, "bias").text, "Add", "", product, bias);
}

/* [sequence, width] to heads, with the dimensions in the order `perm`. */
static GraphName heads(Bert *b, const char *name, GraphName x, const char *perm) {
    GraphName split =
        GRAPH_NODE(b->g, graph_part(name, "split").text, "Reshape", "", x, b->split_shape);
    return GRAPH_NODE(b->g, graph_part(name, "heads").text, "Transpose", perm, split);
}

/* A query, key or value: heads of int8 or float16. */
static GraphName projection(Bert *b, const char *name, GraphName x, const char *perm) {
    GraphName y = linear(b, name, x, activation_scale, WIDTH, WIDTH);
    if (b->int8) y = quantised(b, graph_part(name, "int8").text, y, b->activation);
    return heads(b, name, y, perm);
}

/* Products of heads; int32 products of int8 become numbers of this scale. */
static GraphName head_product(Bert *b, const char *name, GraphName x, GraphName y, double scale) {
    GraphText *g = b->g;
    GraphName product;
    if (!b->int8) return GRAPH_NODE(g, name, "MatMul", "", x, y);
    product = GRAPH_NODE(g, name, "MatMulInteger", "", x, y);
    product = GRAPH_NODE(g, graph_part(name, "float").text, "Cast", "\"to\": \"float32\"", product);
    return GRAPH_NODE(g, graph_part(name, "scaled").text, "Mul", "", product,
                      graph_scalar(g, graph_part(name, "scale").text, "float32", scale));
}

/* softmax(Q K / sqrt(HEAD)) V, heads side by side again: int8 of context_scale, or float16. */
static GraphName attention(Bert *b, GraphName x) {
    static const char *const heads_first = "\"perm\": [1, 0, 2]";
    GraphText *g = b->g;
    GraphName q = projection(b, "query", x, heads_first),
              k = projection(b, "key", x, "\"perm\": [1, 2, 0]"),
              v = projection(b, "value", x, heads_first), scores, p, context;
    scores = head_product(b, "scores", q, k, activation_scale * activation_scale / 8);
    scores = b->int8 ? GRAPH_NODE(g, "scores.half", "Cast", "\"to\": \"float16\"", scores)
                     : GRAPH_NODE(g, "scores.scaled", "Mul", "", scores, b->scale);
    p = GRAPH_NODE(g, "probabilities", "Softmax", "\"axis\": -1", scores);
    if (b->int8)
        p = GRAPH_NODE(g, "probabilities.uint8", "QuantizeLinear", "", p, b->probability,
                       b->unsigned_zero);
    context = head_product(b, "context", p, v, probability_scale * activation_scale);
    if (b->int8) context = quantised(b, "context.int8", context, b->context);
    context = GRAPH_NODE(g, "context.rows", "Transpose", heads_first, context);
    return GRAPH_NODE(g, "context.joined", "Reshape", "", context, b->joined_shape);
}

/* LayerNormalization of x + y, float16. */
static GraphName add_and_norm(Bert *b, const char *name, GraphName x, GraphName y) {
    GraphText *g = b->g;
    GraphName gamma, beta, sum;
    if (b->int8) y = GRAPH_NODE(g, graph_part(name, "half").text, "Cast", "\"to\": \"float16\"", y);
    sum = GRAPH_NODE(g, graph_part(name, "residual").text, "Add", "", x, y);
    gamma =
        graph_random(g, graph_part(name, "gamma").text, "float16", GRAPH_SHAPE(WIDTH), 0.9, 1.1);
    beta = graph_random(g, graph_part(name, "beta").text, "float16", GRAPH_SHAPE(WIDTH), -0.1, 0.1);
    return GRAPH_NODE(g, name, "LayerNormalization", "\"axis\": -1, \"epsilon\": 1e-5", sum, gamma,
                      beta);
}

static GraphName layer(Bert *b, GraphName x) {
    GraphText *g = b->g;
    GraphName in = x, y;
    if (b->int8) in = quantised(b, "x.int8", x, b->activation_half);
    y = attention(b, in);
    y = linear(b, "output", y, context_scale, WIDTH, WIDTH);
    x = in = add_and_norm(b, "attention.norm", x, y);
    if (b->int8) in = quantised(b, "attention.int8", x, b->activation_half);
    y = linear(b, "hidden", in, activation_scale, WIDTH, HIDDEN);
    y = GRAPH_NODE(g, "hidden.gelu", "Gelu", "\"approximate\": \"tanh\"", y);
    if (b->int8) y = quantised(b, "hidden.int8", y, b->activation);
    y = linear(b, "wide", y, activation_scale, HIDDEN, WIDTH);
    return add_and_norm(b, "norm", x, y);
}

bool write_bert(GraphText *g, const Model *m) {
    Bert b = {.g = g, .int8 = m->int8};
    GraphName x = graph_input(g, "x", "float16", GRAPH_SHAPE(m->sequence, WIDTH));
    b.split_shape = graph_integers(g, "split_shape", 3, (int64_t[]){m->sequence, HEADS, HEAD});
    b.joined_shape = graph_integers(g, "joined_shape", 2, (int64_t[]){m->sequence, WIDTH});
    if (m->int8) {
        b.activation = graph_scalar(g, "activation_scale", "float32", activation_scale);
        b.activation_half = graph_scalar(g, "activation_scale_half", "float16", activation_scale);
        b.context = graph_scalar(g, "context_scale", "float32", context_scale);
        b.probability = graph_scalar(g, "probability_scale", "float16", probability_scale);
        b.zero = graph_scalar(g, "zero", "int8", 0);
        b.unsigned_zero = graph_scalar(g, "unsigned_zero", "uint8", 0);
    } else {
        b.scale = graph_scalar(g, "scale", "float16", 0.125);
    }
    for (int64_t i = 0; i < m->layers; i++) {
        snprintf(g->prefix, sizeof g->prefix, "layer%lld.", (long long)i);
        x = layer(&b, x);
        graph_output(g, x);
    }
    return true;
}
