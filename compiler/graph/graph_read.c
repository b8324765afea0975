/* graph_read.c - reading checked JSON: keys, whole numbers, and errors that say where.
 */
#include "graph_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool fail_at(const TspGraphReader *r, const cJSON *item, bool at_key, const char *format,
                    va_list args) {
    TspJsonPlace place;
    char what[512];
    vsnprintf(what, sizeof what, format, args);
    tsp_json_where(r->text, r->length, r->root, item, at_key, &place);
    tsp_fail(r->err, TSP_ERR_INPUT, "%s:%d:%d: %s: %s", r->path, (int)place.line, (int)place.column,
             place.path, what);
    return false;
}

bool tsp_read_fail(const TspGraphReader *r, const cJSON *item, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_at(r, item, false, format, args);
    va_end(args);
    return false;
}

bool tsp_read_fail_key(const TspGraphReader *r, const cJSON *item, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_at(r, item, true, format, args);
    va_end(args);
    return false;
}

bool tsp_read_out_of_memory(const TspGraphReader *r) {
    return tsp_fail(r->err, TSP_ERR_SYSTEM, "%s: out of memory; use a smaller graph", r->path);
}

/* Edits (insert, delete, replace a letter) from a to b, case ignored; words of up to 31 letters. */
static int32_t edit_distance(const char *a, const char *b) {
    enum { LETTERS = 32 };
    int32_t row[LETTERS], length_a = (int32_t)strlen(a), length_b = (int32_t)strlen(b);
    if (length_a >= LETTERS || length_b >= LETTERS) return LETTERS;
    for (int32_t j = 0; j <= length_b; j++) row[j] = j;
    for (int32_t i = 1; i <= length_a; i++) {
        int32_t diagonal = row[0];
        row[0] = i;
        for (int32_t j = 1; j <= length_b; j++) {
            int32_t replaced = diagonal + (strncasecmp(&a[i - 1], &b[j - 1], 1) != 0);
            int32_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = replaced < best ? replaced : best;
        }
    }
    return row[length_b];
}

const char *tsp_nearest(const char *word, const char *const *words, int32_t count) {
    const char *nearest = NULL;
    int32_t least = 1 + (int32_t)strlen(word) / 3; /* a typing error or two, not another word */
    for (int32_t i = 0; i < count; i++) {
        int32_t distance = edit_distance(word, words[i]);
        if (distance <= least && (!nearest || distance < least)) {
            nearest = words[i];
            least = distance;
        }
    }
    return nearest;
}

static const struct {
    const char *name;
    cJSON_bool (*is)(const cJSON *);
} types[] = {
    [TSP_JSON_STRING] = {"a string", cJSON_IsString},
    [TSP_JSON_ARRAY] = {"an array", cJSON_IsArray},
    [TSP_JSON_OBJECT] = {"an object", cJSON_IsObject},
    [TSP_JSON_NUMBER] = {"a number", cJSON_IsNumber},
};

static bool fail_unknown_key(const TspGraphReader *r, const cJSON *item, const char *what,
                             const TspKey *keys, int32_t key_count) {
    const char *names[TSP_KEYS_MAX], *nearest;
    char list[160] = "";
    for (int32_t i = 0; i < key_count; i++) {
        size_t used = strlen(list);
        names[i] = keys[i].name;
        snprintf(list + used, sizeof list - used, i ? ", %s" : "%s", keys[i].name);
    }
    nearest = tsp_nearest(item->string, names, key_count);
    if (nearest)
        return tsp_read_fail_key(r, item, "%s has no \"%.60s\"; did you mean \"%s\"?", what,
                                 item->string, nearest);
    return tsp_read_fail_key(r, item, "%s has no \"%.60s\"; remove it, the keys are %s", what,
                             item->string, list);
}

bool tsp_read_keys(const TspGraphReader *r, const cJSON *object, const char *what,
                   const TspKey *keys, int32_t key_count, const cJSON **found) {
    const cJSON *item;
    if (!cJSON_IsObject(object))
        return tsp_read_fail(r, object, "%s is not an object; write {\"%s\": ...}", what,
                             keys[0].name);
    for (int32_t i = 0; i < key_count; i++) found[i] = NULL;
    cJSON_ArrayForEach(item, object) {
        int32_t i = 0;
        while (i < key_count && strcmp(item->string, keys[i].name) != 0) i++;
        if (i == key_count) return fail_unknown_key(r, item, what, keys, key_count);
        if (found[i])
            return tsp_read_fail_key(r, item, "\"%s\" is given twice; remove one", item->string);
        if (keys[i].type != TSP_JSON_ANY && !types[keys[i].type].is(item))
            return tsp_read_fail(r, item, "\"%s\" is not %s; make it one", item->string,
                                 types[keys[i].type].name);
        found[i] = item;
    }
    for (int32_t i = 0; i < key_count; i++)
        if (keys[i].needed && !found[i])
            return tsp_read_fail(r, object, "%s lacks \"%s\"; add it", what, keys[i].name);
    return true;
}

bool tsp_read_whole(const TspGraphReader *r, const cJSON *item, const char *what, double low,
                    double high, int64_t *value) {
    double number = item->valuedouble;
    if (!cJSON_IsNumber(item) || number != floor(number))
        return tsp_read_fail(r, item, "%s is not a whole number; write one from %.0f to %.0f", what,
                             low, high);
    if (number < low || number > high)
        return tsp_read_fail(r, item, "%s %.17g is out of range; write one from %.0f to %.0f", what,
                             number, low, high);
    *value = (int64_t)number;
    return true;
}

/* cJSON stops one past the place where it looked for a key in vain ({"a": 1,} or {a: 1}); the byte
 * before is then what stands there instead of the key. */
static size_t step_back_to_key(const char *text, size_t at) {
    size_t before = at;
    if (at == 0 || !(strchr("}],:'", text[at - 1]) ||
                     ((text[at - 1] | 32) >= 'a' && (text[at - 1] | 32) <= 'z')))
        return at;
    for (before = at - 1; before > 0 && (unsigned char)text[before - 1] <= ' ';) before--;
    return before > 0 && (text[before - 1] == ',' || text[before - 1] == '{') ? at - 1 : at;
}

bool tsp_read_fail_syntax(const char *text, size_t length, size_t at, bool whole, const char *path,
                          TspError *err) {
    int32_t line, column;
    char quote[8] = "the end";
    if (!whole) at = step_back_to_key(text, at);
    while (at < length && (unsigned char)text[at] <= ' ') at++;
    tsp_json_position(text, length, at, &line, &column);
    if (at < length) snprintf(quote, sizeof quote, "'%c'", text[at] & 0x80 ? '?' : text[at]);
    return tsp_fail(err, TSP_ERR_INPUT,
                    "%s:%d:%d: $: malformed JSON at %s; look for a missing or surplus comma, quote "
                    "or bracket",
                    path, (int)line, (int)column, quote);
}
