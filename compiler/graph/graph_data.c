/* graph_data.c - the contents of an initializer: numbers in the file, an .npy file, or random.
 */
#include "graph_read.h"
#include "compiler/number.h"
#include "compiler/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The greatest seed that a JSON number (a double) carries exactly. */
#define SEED_MAX 9007199254740992.0

/* Stores one number of "data", refusing what its dtype cannot hold. JSON has no NaN or infinity. */
static bool read_element(const TspGraphReader *r, const cJSON *item, TspValue *v, int64_t i) {
    const char *dtype = tsp_dtype_name(v->dtype);
    double number = item->valuedouble;
    if (cJSON_IsBool(item) && v->dtype == TSP_BOOL) {
        tsp_store_int(v->dtype, v->data, i, cJSON_IsTrue(item));
        return true;
    }
    if (!cJSON_IsNumber(item))
        return tsp_read_fail(r, item, "an element of \"%s\" is not a number; write %s values",
                             v->name, dtype);
    if (tsp_dtype_is_float(v->dtype)) {
        tsp_store_float(v->dtype, v->data, i, number);
        if (isfinite(tsp_load_double(v->dtype, v->data, i))) return true;
        return tsp_read_fail(r, item, "%.17g is out of range of %s; the greatest is %.9g", number,
                             dtype, v->dtype == TSP_F16 ? 65504.0 : 3.40282347e38);
    }
    if (number != floor(number))
        return tsp_read_fail(r, item, "%.17g is not a whole number, but \"%s\" is %s; round it",
                             number, v->name, dtype);
    if (number < (double)tsp_dtype_least(v->dtype) || number > (double)tsp_dtype_greatest(v->dtype))
        return tsp_read_fail(r, item, "%.17g is out of range of %s; write one from %lld to %lld",
                             number, dtype, (long long)tsp_dtype_least(v->dtype),
                             (long long)tsp_dtype_greatest(v->dtype));
    tsp_store_int(v->dtype, v->data, i, (int64_t)number);
    return true;
}

/* Nested data: one array a dimension. *next is the element that comes next. */
static bool read_nested(const TspGraphReader *r, const cJSON *item, TspValue *v, int32_t dimension,
                        int64_t *next) {
    const cJSON *child;
    int64_t length = 0;
    if (dimension == v->rank) return read_element(r, item, v, (*next)++);
    if (!cJSON_IsArray(item))
        return tsp_read_fail(r, item,
                             "data is ragged: a value where dimension %d of \"%s\" needs an array "
                             "of %lld; nest every level as the shape says, or none",
                             (int)dimension, v->name, (long long)v->shape[dimension]);
    cJSON_ArrayForEach(child, item) length++;
    if (length != v->shape[dimension])
        return tsp_read_fail(r, item,
                             "data is ragged: %lld elements where dimension %d of \"%s\" has "
                             "%lld; make them agree",
                             (long long)length, (int)dimension, v->name,
                             (long long)v->shape[dimension]);
    cJSON_ArrayForEach(child, item) {
        if (!read_nested(r, child, v, dimension + 1, next)) return false;
    }
    return true;
}

static bool read_data(const TspGraphReader *r, const cJSON *data, TspValue *v) {
    int64_t elements = tsp_value_elements(v), length = 0;
    const cJSON *child;
    if (!cJSON_IsArray(data) && v->rank > 0)
        return tsp_read_fail(r, data, "\"data\" is not an array; write the %lld elements of \"%s\"",
                             (long long)elements, v->name);
    if (!cJSON_IsArray(data)) return read_element(r, data, v, 0);
    if (v->rank > 1 && cJSON_IsArray(data->child)) return read_nested(r, data, v, 0, &length);
    cJSON_ArrayForEach(child, data) length++;
    if (length != elements)
        return tsp_read_fail(r, data,
                             "%lld elements of data where the shape of \"%s\" has %lld; "
                             "make them agree",
                             (long long)length, v->name, (long long)elements);
    length = 0;
    cJSON_ArrayForEach(child, data) {
        if (!read_element(r, child, v, length++)) return false;
    }
    return true;
}

static bool read_random(const TspGraphReader *r, const cJSON *random, TspValue *v) {
    static const TspKey keys[] = {{"seed", TSP_JSON_NUMBER, true},
                                  {"low", TSP_JSON_NUMBER, true},
                                  {"high", TSP_JSON_NUMBER, true}};
    const cJSON *found[TSP_KEYS_MAX];
    double bound[2];
    int64_t seed;
    if (!tsp_read_keys(r, random, "\"random\"", keys, 3, found) ||
        !tsp_read_whole(r, found[0], "seed", 0, SEED_MAX, &seed))
        return false;
    for (int i = 0; i < 2; i++) { /* the bounds must be numbers of the dtype's range */
        uint8_t element[4];
        TspValue one = {.name = v->name, .dtype = v->dtype, .data = element};
        if (!read_element(r, found[1 + i], &one, 0)) return false;
        bound[i] = found[1 + i]->valuedouble;
    }
    if (bound[0] > bound[1])
        return tsp_read_fail(r, found[1], "low %.17g is above high %.17g; swap them", bound[0],
                             bound[1]);
    tsp_random_fill(v->data, v->dtype, tsp_value_elements(v), (uint64_t)seed, bound[0], bound[1]);
    return true;
}

/* A name in the graph file is relative to the folder of the graph file. */
static char *join_path(const char *graph_path, const char *name) {
    const char *slash = strrchr(graph_path, '/');
    size_t folder = name[0] != '/' && slash ? (size_t)(slash - graph_path) + 1 : 0;
    size_t length = strlen(name);
    char *path = malloc(folder + length + 1);
    if (!path) return NULL;
    memcpy(path, graph_path, folder);
    memcpy(path + folder, name, length + 1);
    return path;
}

static bool same_shape(const TspValue *v, int32_t rank, const int64_t *shape) {
    return rank == v->rank && memcmp(shape, v->shape, (size_t)rank * sizeof *shape) == 0;
}

static bool read_file(const TspGraphReader *r, const cJSON *file, TspValue *v) {
    char *path = join_path(r->path, file->valuestring);
    TspDtype dtype;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    TspError why;
    bool ok;
    if (!path) return tsp_read_out_of_memory(r);
    ok = tsp_npy_load(path, &dtype, &rank, shape, &v->data, &why);
    free(path);
    if (!ok) {
        tsp_read_fail(r, file, "%s", why.text);
        r->err->kind = why.kind;
        return false;
    }
    if (dtype != v->dtype)
        return tsp_read_fail(
            r, file, "%s holds %s where \"%s\" is %s; convert the file with astype",
            file->valuestring, tsp_dtype_name(dtype), v->name, tsp_dtype_name(v->dtype));
    if (!same_shape(v, rank, shape))
        return tsp_read_fail(r, file,
                             "the shape of %s is not the \"shape\" of \"%s\"; make them agree",
                             file->valuestring, v->name);
    return true;
}

bool tsp_read_contents(const TspGraphReader *r, const cJSON *initializer, const cJSON *data,
                       const cJSON *file, const cJSON *random, TspValue *v) {
    int sources = (data != NULL) + (file != NULL) + (random != NULL);
    if (sources != 1)
        return tsp_read_fail(r, initializer,
                             "initializer \"%s\" has %s of \"data\", \"file\" and \"random\"; give "
                             "exactly one",
                             v->name, sources == 0 ? "none" : "more than one");
    if (file) return read_file(r, file, v);
    v->data = malloc((size_t)tsp_value_bytes(v));
    if (!v->data) return tsp_read_out_of_memory(r);
    return data ? read_data(r, data, v) : read_random(r, random, v);
}
