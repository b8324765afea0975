/* llama.c - decoder layers as Llama has them, float16: RMSNormalization, rotary position embedding,
 * attention with four queries to a key, keys and values appended to those of the past, SwiGLU.
 */
#include "models.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 1024, HEADS = 16, KEYS = 4, HEAD = 64, HIDDEN = 2816 };

/* What all layers share. */
typedef struct {
    GraphText *g;
    int64_t sequence, past;
    GraphName query_shape, key_shape, group_shape, joined_shape;
    GraphName cosine, sine;            /* [sequence, HEAD] */
    GraphName low, middle, high, last; /* of halves of a head: starts, ends, axis */
    GraphName group_axis, scale, mask;
} Llama;

static GraphName linear(Llama *l, const char *name, GraphName x, int64_t from, int64_t to) {
    GraphName w = graph_random(l->g, graph_part(name, "w").text, "float16", GRAPH_SHAPE(from, to),
                               -0.05, 0.05);
    return GRAPH_NODE(l->g, name, "MatMul", "", x, w);
}

static GraphName norm(Llama *l, const char *name, GraphName x) {
    GraphName scale =
        graph_random(l->g, graph_part(name, "scale").text, "float16", GRAPH_SHAPE(WIDTH), 0.9, 1.1);
    return GRAPH_NODE(l->g, name, "RMSNormalization", "\"axis\": -1, \"epsilon\": 1e-5", x, scale);
}

/* [sequence, n * HEAD] to [n, sequence, HEAD]. */
static GraphName heads(Llama *l, const char *name, GraphName x, GraphName shape) {
    GraphName split = GRAPH_NODE(l->g, graph_part(name, "split").text, "Reshape", "", x, shape);
    return GRAPH_NODE(l->g, graph_part(name, "heads").text, "Transpose", "\"perm\": [1, 0, 2]",
                      split);
}

/* x cos + (-x2, x1) sin: pairs (x1, x2), half a head apart, turn with the position. */
static GraphName rotated(Llama *l, const char *name, GraphName x) {
    GraphText *g = l->g;
    GraphName first, second, turned;
    first =
        GRAPH_NODE(g, graph_part(name, "first").text, "Slice", "", x, l->low, l->middle, l->last);
    second =
        GRAPH_NODE(g, graph_part(name, "second").text, "Slice", "", x, l->middle, l->high, l->last);
    second = GRAPH_NODE(g, graph_part(name, "minus").text, "Neg", "", second);
    turned =
        GRAPH_NODE(g, graph_part(name, "turned").text, "Concat", "\"axis\": -1", second, first);
    x = GRAPH_NODE(g, graph_part(name, "cosine").text, "Mul", "", x, l->cosine);
    turned = GRAPH_NODE(g, graph_part(name, "sine").text, "Mul", "", turned, l->sine);
    return GRAPH_NODE(g, graph_part(name, "rotated").text, "Add", "", x, turned);
}

/* The past's rows, then these: what the next step gets as its past. */
static GraphName appended(Llama *l, const char *name, GraphName x) {
    GraphText *g = l->g;
    GraphName past = graph_input(g, graph_part(name, "past").text, "float16",
                                 GRAPH_SHAPE(KEYS, l->past, HEAD)),
              all =
                  GRAPH_NODE(g, graph_part(name, "present").text, "Concat", "\"axis\": 1", past, x);
    graph_output(g, all);
    return GRAPH_NODE(g, graph_part(name, "shared").text, "Unsqueeze", "", all, l->group_axis);
}

static GraphName attention(Llama *l, GraphName x) {
    GraphText *g = l->g;
    GraphName q = heads(l, "query", linear(l, "query.product", x, WIDTH, HEADS * HEAD),
                        l->query_shape),
              k = heads(l, "key", linear(l, "key.product", x, WIDTH, KEYS * HEAD), l->key_shape),
              v = heads(l, "value", linear(l, "value.product", x, WIDTH, KEYS * HEAD),
                        l->key_shape),
              scores, context;
    q = rotated(l, "query", q);
    q = GRAPH_NODE(g, "query.groups", "Reshape", "", q, l->group_shape);
    k = appended(l, "key", rotated(l, "key", k));
    v = appended(l, "value", v);
    k = GRAPH_NODE(g, "key.columns", "Transpose", "\"perm\": [0, 1, 3, 2]", k);
    scores = GRAPH_NODE(g, "scores", "MatMul", "", q, k);
    scores = GRAPH_NODE(g, "scores.scaled", "Mul", "", scores, l->scale);
    scores = GRAPH_NODE(g, "scores.masked", "Add", "", scores, l->mask);
    scores = GRAPH_NODE(g, "probabilities", "Softmax", "\"axis\": -1", scores);
    context = GRAPH_NODE(g, "context", "MatMul", "", scores, v);
    context = GRAPH_NODE(g, "context.rows", "Transpose", "\"perm\": [2, 0, 1, 3]", context);
    return GRAPH_NODE(g, "context.joined", "Reshape", "", context, l->joined_shape);
}

/* (silu(x W1) * x W3) W2. */
static GraphName feed_forward(Llama *l, GraphName x) {
    GraphText *g = l->g;
    GraphName gate = linear(l, "gate", x, WIDTH, HIDDEN), up = linear(l, "up", x, WIDTH, HIDDEN),
              sigmoid = GRAPH_NODE(g, "gate.sigmoid", "Sigmoid", "", gate),
              silu = GRAPH_NODE(g, "gate.silu", "Mul", "", gate, sigmoid);
    return linear(l, "down", GRAPH_NODE(g, "gated", "Mul", "", silu, up), HIDDEN, WIDTH);
}

static GraphName layer(Llama *l, GraphName x) {
    GraphName y = attention(l, norm(l, "attention.norm", x));
    x = GRAPH_NODE(l->g, "attention.residual", "Add", "", x, linear(l, "output", y, WIDTH, WIDTH));
    y = feed_forward(l, norm(l, "norm", x));
    return GRAPH_NODE(l->g, "residual", "Add", "", x, y);
}

/* Angles of the positions past .. past + sequence - 1. */
static bool add_rotation(Llama *l) {
    const int64_t count = l->sequence * HEAD;
    double *cosine = malloc((size_t)count * sizeof *cosine),
           *sine = malloc((size_t)count * sizeof *sine);
    if (cosine && sine) {
        for (int64_t i = 0; i < count; i++) {
            double rate = pow(10000, -(double)(i % (HEAD / 2)) / (HEAD / 2)),
                   angle = (double)(l->past + i / HEAD) * rate;
            cosine[i] = cos(angle);
            sine[i] = sin(angle);
        }
        l->cosine =
            graph_numbers(l->g, "cosine", "float16", GRAPH_SHAPE(l->sequence, HEAD), cosine);
        l->sine = graph_numbers(l->g, "sine", "float16", GRAPH_SHAPE(l->sequence, HEAD), sine);
    }
    free(cosine);
    free(sine);
    return cosine && sine;
}

/* A row sees the past, itself and what comes before it. */
static bool add_mask(Llama *l) {
    const int64_t columns = l->past + l->sequence, count = l->sequence * columns;
    double *mask = malloc((size_t)count * sizeof *mask);
    if (!mask) return false;
    for (int64_t i = 0; i < count; i++) mask[i] = i % columns > l->past + i / columns ? -60000 : 0;
    l->mask = graph_numbers(l->g, "mask", "float16", GRAPH_SHAPE(l->sequence, columns), mask);
    free(mask);
    return true;
}

bool write_llama(GraphText *g, const Model *m) {
    Llama l = {.g = g, .sequence = m->sequence, .past = m->past};
    GraphName x = graph_input(g, "x", "float16", GRAPH_SHAPE(m->sequence, WIDTH));
    l.query_shape = graph_integers(g, "query_shape", 3, (int64_t[]){m->sequence, HEADS, HEAD});
    l.key_shape = graph_integers(g, "key_shape", 3, (int64_t[]){m->sequence, KEYS, HEAD});
    l.group_shape =
        graph_integers(g, "group_shape", 4, (int64_t[]){KEYS, HEADS / KEYS, m->sequence, HEAD});
    l.joined_shape = graph_integers(g, "joined_shape", 2, (int64_t[]){m->sequence, WIDTH});
    l.low = graph_integers(g, "low", 1, (int64_t[]){0});
    l.middle = graph_integers(g, "middle", 1, (int64_t[]){HEAD / 2});
    l.high = graph_integers(g, "high", 1, (int64_t[]){HEAD});
    l.last = graph_integers(g, "last", 1, (int64_t[]){-1});
    l.group_axis = graph_integers(g, "group_axis", 1, (int64_t[]){1});
    l.scale = graph_scalar(g, "scale", "float16", 0.125);
    if (!add_rotation(&l) || !add_mask(&l)) return false;
    for (int64_t i = 0; i < m->layers; i++) {
        snprintf(g->prefix, sizeof g->prefix, "layer%lld.", (long long)i);
        x = layer(&l, x);
        graph_output(g, x);
    }
    return true;
}
