/* graph_read.h - what the parts of the graph reader share: the text, its tree, and error places.
 */
#ifndef TSP_GRAPH_READ_H
#define TSP_GRAPH_READ_H
#include "compiler/graph.h"
#include "isa/json_where.h"

typedef struct {
    const char *text;
    size_t length;
    const char *path; /* as given, for messages and for the folder of .npy files */
    cJSON *root;
    TspError *err;
} TspGraphReader;

/* "FILE:LINE:COL: $.path: what; what to do", kind TSP_ERR_INPUT; always false. The place is that
 * of the item's value, or of its key. */
bool tsp_read_fail(const TspGraphReader *r, const cJSON *item, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool tsp_read_fail_key(const TspGraphReader *r, const cJSON *item, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool tsp_read_out_of_memory(const TspGraphReader *r);
/* JSON that ends at byte `at`: text that cJSON gave up on there, or a `whole` value with more
 * behind it. Always false. */
bool tsp_read_fail_syntax(const char *text, size_t length, size_t at, bool whole, const char *path,
                          TspError *err);

typedef enum {
    TSP_JSON_STRING,
    TSP_JSON_ARRAY,
    TSP_JSON_OBJECT,
    TSP_JSON_NUMBER,
    TSP_JSON_ANY
} TspJsonType;

/* A key that an object may have. */
typedef struct {
    const char *name;
    TspJsonType type;
    bool needed;
} TspKey;
enum { TSP_KEYS_MAX = 8 };

/* Finds the keys of an object: found[i] is the item of keys[i], or NULL. Unknown, repeated,
 * missing and wrongly typed ones are refused by name; `what` names the object in messages. */
bool tsp_read_keys(const TspGraphReader *r, const cJSON *object, const char *what,
                   const TspKey *keys, int32_t key_count, const cJSON **found);
/* A whole number in [low, high]; `what` names it in messages. */
bool tsp_read_whole(const TspGraphReader *r, const cJSON *item, const char *what, double low,
                    double high, int64_t *value);

/* The one of `count` words that looks most like `word`, or NULL if none is near. */
const char *tsp_nearest(const char *word, const char *const *words, int32_t count);

/* Fills value->data from the initializer's "data", "file" or "random"; exactly one must be given.
 */
bool tsp_read_contents(const TspGraphReader *r, const cJSON *initializer, const cJSON *data,
                       const cJSON *file, const cJSON *random, TspValue *value);
/* A dtype by its long name ("int8"), no other. `known`: of an initializer, which may be int64, as
 * ONNX has shapes and indices; it is int32 then, and its numbers are checked to fit. */
bool tsp_read_dtype(const TspGraphReader *r, const cJSON *item, bool known, TspDtype *dtype);
/* The attributes of node->op from `object` (NULL: none given); node_item is the node's object. */
bool tsp_read_attributes(const TspGraphReader *r, const cJSON *node_item, const cJSON *object,
                         TspNode *node);

#endif
