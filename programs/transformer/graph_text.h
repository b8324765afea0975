/* graph_text.h - writes the text of a graph file, node by node (docs/graph-format.md).
 */
#ifndef TSP_GRAPH_TEXT_H
#define TSP_GRAPH_TEXT_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { GRAPH_NAME = 64, GRAPH_RANK = 4 };

/* The name of a value. */
typedef struct {
    char text[GRAPH_NAME];
} GraphName;

/* The parts of a file, as they grow; NULL streams after a failure to get memory. */
typedef struct {
    FILE *inputs, *initializers, *nodes, *outputs;
    char *text[4];
    size_t length[4];
    uint64_t seed;   /* of the next random initializer */
    char prefix[32]; /* of the names of values and nodes, "layer3." */
} GraphText;

typedef struct {
    int32_t rank;
    int64_t size[GRAPH_RANK];
} GraphShape;

bool graph_text_open(GraphText *g);
/* Writes the whole file and frees everything; false if memory or `to` gave out. */
bool graph_text_close(GraphText *g, const char *name, FILE *to);

/* "name.part". */
GraphName graph_part(const char *name, const char *part);
GraphName graph_input(GraphText *g, const char *name, const char *dtype, GraphShape shape);
/* Uniform in [low, high), or, of integers, in [low, high]. */
GraphName graph_random(GraphText *g, const char *name, const char *dtype, GraphShape shape,
                       double low, double high);
/* One dimension of integers, or a scalar of one. */
GraphName graph_integers(GraphText *g, const char *name, int32_t count, const int64_t *values);
GraphName graph_scalar(GraphText *g, const char *name, const char *dtype, double value);
/* Elements row after row. */
GraphName graph_numbers(GraphText *g, const char *name, const char *dtype, GraphShape shape,
                        const double *values);
/* A node of up to four inputs; names with empty text are left out. `attributes`: inner text of the
 * JSON object, or "". Returns its output, which has the node's name. */
GraphName graph_node(GraphText *g, const char *name, const char *op, const char *attributes,
                     int32_t count, const GraphName *inputs);
void graph_output(GraphText *g, GraphName value);

#define GRAPH_SHAPE(...)                                                                           \
    ((GraphShape){sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), {__VA_ARGS__}})
#define GRAPH_NODE(g, name, op, attributes, ...)                                                   \
    graph_node(g, name, op, attributes, sizeof((GraphName[]){__VA_ARGS__}) / sizeof(GraphName),    \
               (GraphName[]){__VA_ARGS__})

#endif
