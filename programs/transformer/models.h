/* models.h - graphs of transformers with made-up weights, see README.md.
 */
#ifndef TSP_MODELS_H
#define TSP_MODELS_H
#include "graph_text.h"

typedef struct {
    bool int8; /* else float16 */
    int64_t layers;
    int64_t sequence; /* rows that come in at once */
    int64_t past;     /* of a decoder: rows in the cache before */
} Model;

/* False if memory gave out. */
bool write_bert(GraphText *g, const Model *m);
bool write_llama(GraphText *g, const Model *m);

#endif
