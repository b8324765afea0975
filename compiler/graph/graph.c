/* graph.c - reads a graph file: JSON in, checked values and nodes in topological order out.
 *
 * The file is described in docs/graph-format.md. Steps: parse; declare every value, so that nodes
 * may stand in any order; connect the nodes; sort them; infer shapes.
 */
#include "graph_read.h"
#include "graph_shape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 255, ERRORS_QUOTE_NODES = 6 };

typedef struct {
    TspGraphReader read;
    TspGraph *g;
    /* open-addressing hash tables of indices + 1 */
    int32_t *value_slots, *node_slots;
    uint32_t slot_mask;
    const cJSON **node_items; /* the JSON object of node i */
    const cJSON **node_inputs;
    int32_t *node_places; /* which of the file's nodes, from 0: a Split has a node an output */
} Reader;

/* ---- names ---- */

static uint32_t hash(const char *name) { /* FNV-1a */
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 16777619u;
    return h;
}

static const char *value_name(const TspGraph *g, int32_t i) {
    return g->values[i].name;
}
static const char *node_name(const TspGraph *g, int32_t i) {
    return g->nodes[i].name;
}

/* The slot that holds `name` or the free one where it belongs. */
static int32_t *find_slot(const Reader *r, int32_t *slots, const char *name,
                          const char *(*name_of)(const TspGraph *, int32_t)) {
    uint32_t at = hash(name) & r->slot_mask;
    while (slots[at] && strcmp(name_of(r->g, slots[at] - 1), name) != 0)
        at = (at + 1) & r->slot_mask;
    return &slots[at];
}

static bool check_name(const Reader *r, const cJSON *item) {
    const char *name = item->valuestring;
    if (name[0] == '\0')
        return tsp_read_fail(&r->read, item, "the name is empty; give one of 1 to %d bytes",
                             NAME_MAX_BYTES);
    if (strlen(name) > NAME_MAX_BYTES)
        return tsp_read_fail(&r->read, item, "the name is too long; give one of 1 to %d bytes",
                             NAME_MAX_BYTES);
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return tsp_read_fail(&r->read, item,
                                 "the name holds a control character; use printable ones");
    return true;
}

static const char *describe(const TspGraph *g, int32_t value) {
    const TspValue *v = &g->values[value];
    return v->is_input        ? "a graph input"
           : v->producer >= 0 ? "the output of a node"
                              : "an initializer";
}

/* Adds a value under a new name. */
static bool declare(Reader *r, const cJSON *name, TspValue **value) {
    TspGraph *g = r->g;
    int32_t *slot;
    if (!check_name(r, name)) return false;
    slot = find_slot(r, r->value_slots, name->valuestring, value_name);
    if (*slot)
        return tsp_read_fail(&r->read, name, "\"%s\" is already %s; give every tensor its own name",
                             name->valuestring, describe(g, *slot - 1));
    *value = &g->values[g->value_count];
    **value = (TspValue){.name = strdup(name->valuestring), .producer = -1};
    if (!(*value)->name) return tsp_read_out_of_memory(&r->read);
    *slot = ++g->value_count;
    return true;
}

/* Index of a value that must exist, -1 on failure. */
static int32_t resolve(const Reader *r, const cJSON *name) {
    const TspGraph *g = r->g;
    const char **names, *nearest = NULL;
    int32_t slot = *find_slot(r, r->value_slots, name->valuestring, value_name);
    if (slot) return slot - 1;
    names = malloc(((size_t)g->value_count + 1) * sizeof *names);
    for (int32_t i = 0; names && i < g->value_count; i++) names[i] = g->values[i].name;
    if (names) nearest = tsp_nearest(name->valuestring, names, g->value_count);
    if (nearest)
        tsp_read_fail(&r->read, name, "nothing makes a tensor \"%.255s\"; did you mean \"%s\"?",
                      name->valuestring, nearest);
    else
        tsp_read_fail(
            &r->read, name,
            "nothing makes a tensor \"%.255s\"; add it to \"inputs\" or \"initializers\", "
            "or a node that outputs it",
            name->valuestring);
    free(names);
    return -1;
}

/* ---- inputs and initializers ---- */

static bool read_shape(const Reader *r, const cJSON *array, TspValue *v) {
    const cJSON *item;
    int64_t elements = 1;
    cJSON_ArrayForEach(item, array) {
        int64_t *size = &v->shape[v->rank];
        if (v->rank == TSP_MAX_RANK)
            return tsp_read_fail(&r->read, array, "more than %d dimensions; reshape the tensor",
                                 TSP_MAX_RANK);
        if (!tsp_read_whole(&r->read, item, "a dimension", 1, INT32_MAX, size)) return false;
        if (elements > TSP_MAX_ELEMENTS / *size)
            return tsp_read_fail(&r->read, array,
                                 "\"%s\" has more than %d elements; split the tensor", v->name,
                                 TSP_MAX_ELEMENTS);
        elements *= *size;
        v->rank++;
    }
    return true;
}

/* Both lists hold the same kind of object; only initializers have contents. */
static bool read_tensors(Reader *r, const cJSON *array, bool is_input) {
    static const TspKey keys[] = {
        {"name", TSP_JSON_STRING, true},  {"dtype", TSP_JSON_STRING, true},
        {"shape", TSP_JSON_ARRAY, true},  {"data", TSP_JSON_ANY, false},
        {"file", TSP_JSON_STRING, false}, {"random", TSP_JSON_OBJECT, false}};
    const cJSON *item, *found[TSP_KEYS_MAX];
    cJSON_ArrayForEach(item, array) {
        TspValue *v;
        if (!tsp_read_keys(&r->read, item, is_input ? "an input" : "an initializer", keys, 6,
                           found))
            return false;
        for (int i = 3; is_input && i < 6; i++)
            if (found[i])
                return tsp_read_fail_key(
                    &r->read, found[i],
                    "an input has no \"%s\"; move \"%.255s\" to \"initializers\", "
                    "or give its contents when you run the graph",
                    keys[i].name, found[0]->valuestring);
        if (!declare(r, found[0], &v)) return false;
        v->is_input = is_input;
        if (!tsp_read_dtype(&r->read, found[1], !is_input, &v->dtype) ||
            !read_shape(r, found[2], v))
            return false;
        if (!is_input && !tsp_read_contents(&r->read, item, found[3], found[4], found[5], v))
            return false;
    }
    return true;
}

/* ---- nodes ---- */

static const struct {
    const char *name;
    int32_t min_inputs, max_inputs;
} operators[TSP_GRAPH_OP_COUNT] = {
#define OPERATOR(name, onnx, min_inputs, max_inputs) {onnx, min_inputs, max_inputs},
#include "ops.def"
#undef OPERATOR
};

static bool read_op(const Reader *r, const cJSON *item, TspNode *node) {
    const char *names[TSP_GRAPH_OP_COUNT], *nearest;
    for (int i = 0; i < TSP_GRAPH_OP_COUNT; i++) {
        node->op = (TspGraphOp)i;
        names[i] = operators[i].name;
        if (strcmp(names[i], item->valuestring) == 0) return true;
    }
    nearest = tsp_nearest(item->valuestring, names, TSP_GRAPH_OP_COUNT);
    if (nearest)
        return tsp_read_fail(&r->read, item, "unknown op \"%.60s\"; did you mean \"%s\"?",
                             item->valuestring, nearest);
    return tsp_read_fail(&r->read, item,
                         "unknown op \"%.60s\"; use one that docs/graph-format.md lists",
                         item->valuestring);
}

static bool name_node(Reader *r, const cJSON *item, const cJSON *name, int32_t index) {
    TspNode *node = &r->g->nodes[index];
    char made[NAME_MAX_BYTES + 16];
    int32_t *slot;
    if (name && !check_name(r, name)) return false;
    snprintf(made, sizeof made, "%s_%d", operators[node->op].name, (int)r->node_places[index]);
    if (name) snprintf(made, sizeof made, "%s", name->valuestring);
    if (node->part)
        snprintf(made + strlen(made), sizeof made - strlen(made), ".%d", (int)node->part);
    node->name = strdup(made);
    if (!node->name) return tsp_read_out_of_memory(&r->read);
    slot = find_slot(r, r->node_slots, node->name, node_name);
    if (*slot)
        return tsp_read_fail(&r->read, name ? name : item,
                             "another node is named \"%s\"; give every node its own \"name\"",
                             node->name);
    *slot = index + 1;
    return true;
}

/* Nodes that an object stands for: of these operators one for each output. */
static int32_t parts_of(const cJSON *item) {
    static const TspGraphOp several[] = {TSP_GRAPH_SPLIT, TSP_GRAPH_DYNAMIC_QUANTIZE_LINEAR};
    const cJSON *op = cJSON_GetObjectItemCaseSensitive(item, "op");
    const cJSON *outputs = cJSON_GetObjectItemCaseSensitive(item, "outputs");
    bool has = false;
    for (size_t i = 0; cJSON_IsString(op) && i < sizeof several / sizeof *several; i++)
        has |= strcmp(op->valuestring, operators[several[i]].name) == 0;
    return has && cJSON_IsArray(outputs) && outputs->child ? cJSON_GetArraySize(outputs) : 1;
}

/* Reads one part of a node but for its inputs, which may be declared further down. */
static bool read_node(Reader *r, const cJSON *item, int32_t place, int32_t part) {
    static const TspKey keys[] = {{"op", TSP_JSON_STRING, true},
                                  {"inputs", TSP_JSON_ARRAY, true},
                                  {"outputs", TSP_JSON_ARRAY, true},
                                  {"attributes", TSP_JSON_OBJECT, false},
                                  {"name", TSP_JSON_STRING, false}};
    const cJSON *found[TSP_KEYS_MAX], *output;
    int32_t index = r->g->node_count;
    TspNode *node = &r->g->nodes[index];
    TspValue *v;
    if (!tsp_read_keys(&r->read, item, "a node", keys, 5, found)) return false;
    *node = (TspNode){.alpha = 1, .beta = 1, .keepdims = true, .output = -1};
    for (int32_t i = 0; i < TSP_NODE_INPUTS; i++) node->inputs[i] = -1;
    node->upper = true;
    node->part = part;
    node->parts = parts_of(item);
    r->g->node_count = index + 1;
    r->node_items[index] = item;
    r->node_places[index] = place;
    r->node_inputs[index] = found[1];
    if (!read_op(r, found[0], node) || !name_node(r, item, found[4], index) ||
        !tsp_read_attributes(&r->read, item, found[3], node))
        return false;
    output = cJSON_GetArrayItem(found[2], part);
    if (cJSON_GetArraySize(found[2]) != node->parts || !cJSON_IsString(output))
        return tsp_read_fail(&r->read, found[2], "%s has one output; write [\"NAME\"]",
                             operators[node->op].name);
    if (!declare(r, output, &v)) return false;
    v->producer = index;
    node->output = r->g->value_count - 1;
    return true;
}

static bool connect_node(const Reader *r, int32_t index) {
    TspNode *node = &r->g->nodes[index];
    const cJSON *array = r->node_inputs[index], *item;
    int32_t least = operators[node->op].min_inputs, most = operators[node->op].max_inputs, i = 0;
    int32_t count = cJSON_GetArraySize(array);
    char more[32] = "";
    if (most > least + 1) snprintf(more, sizeof more, " to %d", (int)most);
    if (count < least || count > most)
        return tsp_read_fail(&r->read, array, "%s has %d input%s; it takes %d%s",
                             operators[node->op].name, (int)count, count == 1 ? "" : "s",
                             (int)least, most == least + 1 ? " or one more" : more);
    cJSON_ArrayForEach(item, array) {
        if (!cJSON_IsString(item))
            return tsp_read_fail(&r->read, item, "not the name of a tensor; write a string");
        if (item->valuestring[0] == '\0' && i < least)
            return tsp_read_fail(&r->read, item, "%s needs this input; name a tensor",
                                 operators[node->op].name);
        if (item->valuestring[0] != '\0') {
            node->inputs[i] = resolve(r, item);
            if (node->inputs[i] < 0) return false;
            node->input_count = i + 1; /* optional inputs left out at the end do not count */
        }
        i++;
    }
    return true;
}

/* ---- order ---- */

static bool fail_cycle(const Reader *r, const int32_t *cycle, int32_t length) {
    char list[300] = "";
    for (int32_t i = 0; i < length; i++) {
        size_t used = strlen(list);
        if (i == ERRORS_QUOTE_NODES) {
            snprintf(list + used, sizeof list - used, "... -> ");
            break;
        }
        snprintf(list + used, sizeof list - used, "%.40s -> ", r->g->nodes[cycle[i]].name);
    }
    return tsp_read_fail(&r->read, r->node_items[cycle[0]],
                         "the nodes need each other's results in a circle (%s%.40s, read \"->\" as "
                         "\"needs\"); break it",
                         list, r->g->nodes[cycle[0]].name);
}

/* Infers shapes in topological order, then puts the nodes themselves in that order. */
static bool infer_and_reorder(Reader *r, const int32_t *order, TspNode *sorted) {
    TspGraph *g = r->g;
    for (int32_t i = 0; i < g->node_count; i++) {
        TspNode *node = &g->nodes[order[i]];
        TspError why;
        int32_t blame;
        if (!tsp_node_place_axes(g, node, &blame, &why) ||
            !tsp_node_infer(g, node, &g->values[node->output], &blame, &why)) {
            const cJSON *item = r->node_items[order[i]];
            if (blame >= 0) item = cJSON_GetArrayItem(r->node_inputs[order[i]], blame);
            return tsp_read_fail(&r->read, item, "%s", why.text);
        }
        sorted[i] = *node;
    }
    memcpy(g->nodes, sorted, (size_t)g->node_count * sizeof *sorted);
    for (int32_t i = 0; i < g->node_count; i++) g->values[g->nodes[i].output].producer = i;
    return true;
}

static bool order_nodes(Reader *r) {
    size_t count = (size_t)r->g->node_count + 1;
    int32_t *order = calloc(count, sizeof *order), cycle_length = 0;
    TspNode *sorted = calloc(count, sizeof *sorted);
    bool ok;
    if (!order || !sorted || !tsp_graph_sort(r->g, order, &cycle_length))
        ok = tsp_read_out_of_memory(&r->read);
    else if (cycle_length > 0)
        ok = fail_cycle(r, order, cycle_length);
    else
        ok = infer_and_reorder(r, order, sorted);
    free(order);
    free(sorted);
    return ok;
}

/* ---- the whole ---- */

static bool read_outputs(const Reader *r, const cJSON *array) {
    const cJSON *item;
    if (!array->child)
        return tsp_read_fail(&r->read, array, "no outputs, so nothing to compute; name a tensor");
    cJSON_ArrayForEach(item, array) {
        int32_t value;
        if (!cJSON_IsString(item))
            return tsp_read_fail(&r->read, item, "not the name of a tensor; write a string");
        if ((value = resolve(r, item)) < 0) return false;
        if (r->g->values[value].producer < 0)
            return tsp_read_fail(
                &r->read, item,
                "\"%s\" is %s, which the chip does not compute; name the output of "
                "a node",
                item->valuestring, describe(r->g, value));
        if (r->g->values[value].is_output)
            return tsp_read_fail(&r->read, item, "\"%s\" is an output already; name it once",
                                 item->valuestring);
        r->g->values[value].is_output = true;
    }
    return true;
}

/* The file's name without folder and ".json", for a graph that gives none. */
static char *name_from_path(const char *path) {
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash ? slash + 1 : path), *dot = name ? strrchr(name, '.') : NULL;
    if (dot && dot != name) *dot = '\0';
    return name;
}

static bool allocate(Reader *r, size_t values, size_t nodes) {
    size_t slots = 16;
    while (slots < 2 * (values + 1)) slots *= 2;
    r->slot_mask = (uint32_t)(slots - 1);
    r->g->values = calloc(values + 1, sizeof *r->g->values);
    r->g->nodes = calloc(nodes + 1, sizeof *r->g->nodes);
    r->value_slots = calloc(slots, sizeof *r->value_slots);
    r->node_slots = calloc(slots, sizeof *r->node_slots);
    r->node_items = calloc(nodes + 1, sizeof *r->node_items);
    r->node_inputs = calloc(nodes + 1, sizeof *r->node_inputs);
    r->node_places = calloc(nodes + 1, sizeof *r->node_places);
    return (r->g->values && r->g->nodes && r->value_slots && r->node_slots && r->node_items &&
            r->node_inputs && r->node_places) ||
           tsp_read_out_of_memory(&r->read);
}

/* Lines of the values, or of the nodes if there are none, for reports. */
static bool number_lines(Reader *r, const cJSON *array, int32_t count, TspValue *values) {
    TspGraph *g = r->g;
    int32_t *lines = calloc((size_t)count + 1, sizeof *lines);
    if (!lines) return tsp_read_out_of_memory(&r->read);
    if (array) tsp_json_lines(r->read.text, r->read.length, r->read.root, array, lines);
    for (int32_t i = 0; values && i < count; i++) values[i].line = lines[i];
    for (int32_t i = 0; !values && i < g->node_count; i++) {
        g->nodes[i].line = lines[r->node_places[i]];
        g->values[g->nodes[i].output].line = g->nodes[i].line;
    }
    free(lines);
    return true;
}

static bool read_graph(Reader *r) {
    static const TspKey keys[] = {{"name", TSP_JSON_STRING, false},
                                  {"inputs", TSP_JSON_ARRAY, false},
                                  {"initializers", TSP_JSON_ARRAY, false},
                                  {"nodes", TSP_JSON_ARRAY, true},
                                  {"outputs", TSP_JSON_ARRAY, true}};
    const cJSON *found[TSP_KEYS_MAX], *item;
    TspGraph *g = r->g;
    int32_t inputs, initializers, nodes, parts = 0, place = 0;
    if (!tsp_read_keys(&r->read, r->read.root, "a graph", keys, 5, found)) return false;
    if (found[0] && !check_name(r, found[0])) return false;
    g->path = strdup(r->read.path);
    g->name = found[0] ? strdup(found[0]->valuestring) : name_from_path(r->read.path);
    inputs = cJSON_GetArraySize(found[1]);
    initializers = cJSON_GetArraySize(found[2]);
    nodes = cJSON_GetArraySize(found[3]);
    if (!g->path || !g->name) return tsp_read_out_of_memory(&r->read);
    cJSON_ArrayForEach(item, found[3]) parts += parts_of(item);
    if (!allocate(r, (size_t)inputs + (size_t)initializers + (size_t)parts, (size_t)parts))
        return false;
    if ((found[1] && !read_tensors(r, found[1], true)) ||
        (found[2] && !read_tensors(r, found[2], false)))
        return false;
    cJSON_ArrayForEach(item, found[3]) {
        for (int32_t part = 0; part < parts_of(item); part++)
            if (!read_node(r, item, place, part)) return false;
        place++;
    }
    for (int32_t i = 0; i < g->node_count; i++)
        if (!connect_node(r, i)) return false;
    return number_lines(r, found[1], inputs, g->values) &&
           number_lines(r, found[2], initializers, g->values + inputs) &&
           number_lines(r, found[3], nodes, NULL) && order_nodes(r) && read_outputs(r, found[4]);
}

bool tsp_graph_parse(TspGraph *g, const char *text, size_t length, const char *path,
                     TspError *err) {
    Reader r = {.read = {.text = text, .length = length, .path = path, .err = err}, .g = g};
    const char *end = text;
    bool ok;
    *g = (TspGraph){0};
    r.read.root = cJSON_ParseWithLengthOpts(text, length, &end, false);
    while (r.read.root && end < text + length && (unsigned char)*end <= ' ') end++;
    if (!r.read.root || end < text + length) {
        size_t at = length ? (size_t)(end - text) : 0;
        bool whole = r.read.root != NULL;
        cJSON_Delete(r.read.root);
        return tsp_read_fail_syntax(text, length, at, whole, path, err);
    }
    ok = read_graph(&r);
    free(r.value_slots);
    free(r.node_slots);
    free(r.node_items);
    free(r.node_inputs);
    free(r.node_places);
    cJSON_Delete(r.read.root);
    if (!ok) tsp_graph_free(g);
    return ok;
}

bool tsp_graph_load(TspGraph *g, const char *path, TspError *err) {
    FILE *file = fopen(path, "rb");
    long length = -1;
    char *text;
    bool ok;
    *g = (TspGraph){0};
    if (!file)
        return tsp_fail(err, TSP_ERR_INPUT, "%s: cannot open it (%s); check the name", path,
                        strerror(errno));
    if (fseek(file, 0, SEEK_END) == 0) length = ftell(file);
    if (length < 0 || length >= INT32_MAX || fseek(file, 0, SEEK_SET) != 0) {
        fclose(file);
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: not a regular file below 2 GiB; give a graph file (.json)", path);
    }
    text = malloc((size_t)length + 1);
    if (!text)
        ok = tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory for %ld bytes", path, length);
    else if (fread(text, 1, (size_t)length, file) != (size_t)length)
        ok = tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot read it (%s)", path, strerror(errno));
    else
        ok = tsp_graph_parse(g, text, (size_t)length, path, err);
    fclose(file);
    free(text);
    return ok;
}

void tsp_graph_free(TspGraph *g) {
    for (int32_t i = 0; i < g->value_count; i++) {
        free(g->values[i].name);
        free(g->values[i].data);
    }
    for (int32_t i = 0; i < g->node_count; i++) free(g->nodes[i].name);
    free(g->values);
    free(g->nodes);
    free(g->name);
    free(g->path);
    *g = (TspGraph){0};
}
