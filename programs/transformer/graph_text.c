/* graph_text.c - the parts of a graph file grow side by side in memory and are put together at the
 * end.
 */
#include "graph_text.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS = 4 };

bool graph_text_open(GraphText *g) {
    FILE **part[PARTS] = {&g->inputs, &g->initializers, &g->nodes, &g->outputs};
    bool open = true;
    memset(g, 0, sizeof *g);
    for (int i = 0; i < PARTS; i++)
        open &= !!(*part[i] = open_memstream(&g->text[i], &g->length[i]));
    return open;
}

bool graph_text_close(GraphText *g, const char *name, FILE *to) {
    static const char *const keys[PARTS] = {"inputs", "initializers", "nodes", "outputs"};
    FILE *part[PARTS] = {g->inputs, g->initializers, g->nodes, g->outputs};
    bool whole = true;
    for (int i = 0; i < PARTS; i++) whole &= part[i] && !ferror(part[i]) && fclose(part[i]) == 0;
    if (whole) {
        fprintf(to, "{\n  \"name\": \"%s\"", name);
        for (int i = 0; i < PARTS; i++) fprintf(to, ",\n  \"%s\": [\n%s\n  ]", keys[i], g->text[i]);
        fprintf(to, "\n}\n");
    }
    for (int i = 0; i < PARTS; i++) free(g->text[i]);
    return whole && fflush(to) == 0 && !ferror(to);
}

static GraphName full_name(const GraphText *g, const char *name) {
    GraphName full;
    snprintf(full.text, sizeof full.text, "%s%s", g->prefix, name);
    return full;
}

GraphName graph_part(const char *name, const char *part) {
    GraphName n;
    snprintf(n.text, sizeof n.text, "%.*s.%s", GRAPH_NAME / 2, name, part);
    return n;
}

/* On a line of its own, after a comma if it is not the first. */
static void begin(FILE *part) {
    fprintf(part, ftell(part) > 0 ? ",\n    " : "    ");
}

static void tensor(FILE *part, GraphName name, const char *dtype, GraphShape shape) {
    begin(part);
    fprintf(part, "{\"name\": \"%s\", \"dtype\": \"%s\", \"shape\": [", name.text, dtype);
    for (int32_t d = 0; d < shape.rank; d++)
        fprintf(part, d ? ", %lld" : "%lld", (long long)shape.size[d]);
    fprintf(part, "]");
}

GraphName graph_input(GraphText *g, const char *name, const char *dtype, GraphShape shape) {
    GraphName full = full_name(g, name);
    tensor(g->inputs, full, dtype, shape);
    fprintf(g->inputs, "}");
    return full;
}

GraphName graph_random(GraphText *g, const char *name, const char *dtype, GraphShape shape,
                       double low, double high) {
    GraphName full = full_name(g, name);
    tensor(g->initializers, full, dtype, shape);
    fprintf(g->initializers, ", \"random\": {\"seed\": %llu, \"low\": %.9g, \"high\": %.9g}}",
            (unsigned long long)++g->seed, low, high);
    return full;
}

GraphName graph_numbers(GraphText *g, const char *name, const char *dtype, GraphShape shape,
                        const double *values) {
    GraphName full = full_name(g, name);
    int64_t count = 1;
    for (int32_t d = 0; d < shape.rank; d++) count *= shape.size[d];
    tensor(g->initializers, full, dtype, shape);
    fprintf(g->initializers, ", \"data\": [");
    for (int64_t i = 0; i < count; i++) fprintf(g->initializers, i ? ", %.9g" : "%.9g", values[i]);
    fprintf(g->initializers, "]}");
    return full;
}

GraphName graph_integers(GraphText *g, const char *name, int32_t count, const int64_t *values) {
    double numbers[GRAPH_RANK];
    for (int32_t i = 0; i < count; i++) numbers[i] = (double)values[i];
    return graph_numbers(g, name, "int64", GRAPH_SHAPE(count), numbers);
}

GraphName graph_scalar(GraphText *g, const char *name, const char *dtype, double value) {
    return graph_numbers(g, name, dtype, (GraphShape){0, {0}}, &value);
}

GraphName graph_node(GraphText *g, const char *name, const char *op, const char *attributes,
                     int32_t count, const GraphName *inputs) {
    GraphName full = full_name(g, name);
    begin(g->nodes);
    fprintf(g->nodes, "{\"name\": \"%s\", \"op\": \"%s\", \"inputs\": [", full.text, op);
    for (int32_t i = 0; i < count; i++)
        fprintf(g->nodes, i ? ", \"%s\"" : "\"%s\"", inputs[i].text);
    fprintf(g->nodes, "], \"outputs\": [\"%s\"]", full.text);
    if (*attributes) fprintf(g->nodes, ", \"attributes\": {%s}", attributes);
    fprintf(g->nodes, "}");
    return full;
}

void graph_output(GraphText *g, GraphName value) {
    begin(g->outputs);
    fprintf(g->outputs, "\"%s\"", value.text);
}
