/* faults.c - reads a list of bits to flip: a JSON file, checked against the machine. */
#include "faults.h"
#include "isa/json_where.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *text, *origin;
    size_t length;
    const cJSON *root;
    const TspMachine *m;
    TspError *err;
} Reader;

enum { KEY_CYCLE, KEY_SLICE, KEY_ROW, KEY_STREAM, KEY_COLUMN, KEY_SUPERLANE, KEY_BIT, KEY_COUNT };
static const char *const key_names[KEY_COUNT] = {"cycle",  "slice",     "row", "stream",
                                                 "column", "superlane", "bit"};
#define KEY_LIST "cycle, slice, row, stream, column, superlane, bit" /* for messages */

/* ---- errors ---- */

static bool fail_at(const Reader *r, const cJSON *item, bool at_key, const char *format,
                    va_list args) {
    TspJsonPlace place;
    char what[400];
    vsnprintf(what, sizeof what, format, args);
    tsp_json_where(r->text, r->length, r->root, item, at_key, &place);
    tsp_fail(r->err, TSP_ERR_INPUT, "%s:%d:%d: %s: %s", r->origin, (int)place.line,
             (int)place.column, place.path, what);
    /* an error is one line, whatever names it quotes */
    for (char *c = r->err->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    return false;
}

static bool fail(const Reader *r, const cJSON *item, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fail(const Reader *r, const cJSON *item, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_at(r, item, false, format, args);
    va_end(args);
    return false;
}

static bool fail_key(const Reader *r, const cJSON *item, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fail_key(const Reader *r, const cJSON *item, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_at(r, item, true, format, args);
    va_end(args);
    return false;
}

static bool fail_syntax(const Reader *r, size_t at) {
    int32_t line, column;
    char quote[8] = "the end";
    while (at < r->length && (unsigned char)r->text[at] <= ' ') at++;
    tsp_json_position(r->text, r->length, at, &line, &column);
    if (at < r->length)
        snprintf(quote, sizeof quote, "'%c'", r->text[at] & 0x80 ? '?' : r->text[at]);
    return tsp_fail(r->err, TSP_ERR_INPUT,
                    "%s:%d:%d: $: malformed JSON at %s; look for a missing or surplus comma, quote "
                    "or bracket",
                    r->origin, (int)line, (int)column, quote);
}

/* ---- one flip ---- */

/* Finds the keys of a flip: found[i] is the item of key_names[i], or NULL. */
static bool find_keys(const Reader *r, const cJSON *object, const cJSON **found) {
    const cJSON *item;
    if (!cJSON_IsObject(object))
        return fail(r, object, "a flip is not an object; write {\"cycle\": ..., ...}");
    for (int32_t i = 0; i < KEY_COUNT; i++) found[i] = NULL;
    cJSON_ArrayForEach(item, object) {
        int32_t i = 0;
        while (i < KEY_COUNT && strcmp(item->string, key_names[i]) != 0) i++;
        if (i == KEY_COUNT)
            return fail_key(r, item, "a flip has no \"%.60s\"; remove it, the keys are " KEY_LIST,
                            item->string);
        if (found[i]) return fail_key(r, item, "\"%s\" is given twice; remove one", item->string);
        found[i] = item;
    }
    return true;
}

/* Whether the keys say one place, in memory or in flight, and say it whole. */
static bool check_keys(const Reader *r, const cJSON *object, const cJSON *const *found) {
    const bool in_memory = found[KEY_SLICE] != NULL, in_flight = found[KEY_STREAM] != NULL;
    const int32_t stray = in_memory ? KEY_COLUMN : KEY_ROW;
    if (in_memory && in_flight)
        return fail_key(r, found[KEY_STREAM],
                        "a flip hits a slice or a stream, not both; make two of it");
    if (!in_memory && !in_flight)
        return fail(r, object, "a flip lacks \"slice\" or \"stream\"; add one");
    if (found[stray])
        return fail_key(r, found[stray], "\"%s\" does not go with \"%s\"; remove it",
                        key_names[stray], in_memory ? "slice" : "stream");
    for (int32_t i = 0; i < KEY_COUNT; i++) {
        bool other =
            in_memory ? i == KEY_STREAM || i == KEY_COLUMN : i == KEY_SLICE || i == KEY_ROW;
        if (!other && !found[i])
            return fail(r, object, "a flip lacks \"%s\"; add it", key_names[i]);
    }
    return true;
}

/* A whole number from 0 to `most`. */
static bool read_whole(const Reader *r, const cJSON *item, int64_t most, int64_t *value) {
    const double number = item->valuedouble;
    if (!cJSON_IsNumber(item) || number != floor(number))
        return fail(r, item, "%s is not a whole number; write one from 0 to %" PRId64, item->string,
                    most);
    if (number < 0 || number > (double)most)
        return fail(r, item, "%s %.17g is out of range; write one from 0 to %" PRId64, item->string,
                    number, most);
    *value = (int64_t)number;
    return true;
}

static bool read_small(const Reader *r, const cJSON *item, int64_t limit, int32_t *value) {
    int64_t number;
    if (!read_whole(r, item, limit - 1, &number)) return false;
    *value = (int32_t)number;
    return true;
}

/* Digits without needless zeros, four at most; -1 for anything else. Moves on behind them. */
static int32_t take_number(const char **text) {
    const size_t digits = strspn(*text, "0123456789");
    int32_t number = 0;
    if (digits == 0 || digits > 4 || (digits > 1 && **text == '0')) return -1;
    for (size_t i = 0; i < digits; i++) number = 10 * number + (*(*text)++ - '0');
    return number;
}

/* "mem.w3" */
static bool read_slice(const Reader *r, const cJSON *item, int32_t *slice) {
    const char *name = cJSON_IsString(item) ? item->valuestring : "";
    const int32_t most = (int32_t)r->m->mem_slices - 1;
    const char side = strncmp(name, "mem.", 4) == 0 ? name[4] : '\0';
    const char *rest = side ? name + 5 : "";
    const int32_t index = side == 'w' || side == 'e' ? take_number(&rest) : -1;
    if (index < 0 || index > most || *rest)
        return fail(r, item,
                    "machine %s has no such slice; write mem.w0 to mem.w%d or mem.e0 to mem.e%d",
                    r->m->name, (int)most, (int)most);
    *slice = tsp_slice_id(r->m, side == 'w' ? TSP_WEST : TSP_EAST, index);
    return true;
}

/* "s4.e" */
static bool read_stream(const Reader *r, const cJSON *item, int32_t *stream) {
    const char *name = cJSON_IsString(item) ? item->valuestring : "";
    const int32_t most = (int32_t)r->m->streams - 1;
    const char *rest = name + 1;
    const int32_t number = name[0] == 's' ? take_number(&rest) : -1;
    const bool east = number >= 0 && strcmp(rest, ".e") == 0;
    if (number < 0 || number > most || (!east && strcmp(rest, ".w") != 0))
        return fail(r, item, "machine %s has no such stream; write s0.e to s%d.e or s0.w to s%d.w",
                    r->m->name, (int)most, (int)most);
    *stream = TSP_STREAM(east ? TSP_EASTWARD : TSP_WESTWARD, number);
    return true;
}

static bool read_bit(const Reader *r, const cJSON *item, int32_t *bit) {
    const int64_t data_bits = 8 * r->m->lanes_per_superlane;
    if (!read_small(r, item, TSP_ECC_BITS, bit)) return false;
    if (*bit >= data_bits && *bit < TSP_ECC_DATA_BITS)
        return fail(r, item,
                    "a word of machine %s has no bit %d; write 0 to %" PRId64
                    " for data, %d to %d for check bits",
                    r->m->name, (int)*bit, data_bits - 1, TSP_ECC_DATA_BITS, TSP_ECC_BITS - 1);
    return true;
}

static bool read_flip(const Reader *r, const cJSON *object, TspFlip *flip) {
    const int64_t last_cycle = (INT64_C(1) << 53) - 1; /* JSON numbers are exact up to there */
    const TspMachine *m = r->m;
    const cJSON *found[KEY_COUNT];
    *flip = (TspFlip){.slice = -1, .row = -1, .stream = -1, .column = -1};
    if (!find_keys(r, object, found) || !check_keys(r, object, found) ||
        !read_whole(r, found[KEY_CYCLE], last_cycle, &flip->cycle))
        return false;
    if (found[KEY_SLICE] && (!read_slice(r, found[KEY_SLICE], &flip->slice) ||
                             !read_small(r, found[KEY_ROW], tsp_mem_slice_rows(m), &flip->row)))
        return false;
    if (found[KEY_STREAM] && (!read_stream(r, found[KEY_STREAM], &flip->stream) ||
                              !read_small(r, found[KEY_COLUMN], tsp_columns(m), &flip->column)))
        return false;
    return read_small(r, found[KEY_SUPERLANE], m->superlanes, &flip->superlane) &&
           read_bit(r, found[KEY_BIT], &flip->bit);
}

/* ---- the list ---- */

/* By cycle; those of one cycle as they stand in the file. */
static int compare(const void *left, const void *right) {
    const TspFlip *a = *(const TspFlip *const *)left, *b = *(const TspFlip *const *)right;
    if (a->cycle != b->cycle) return a->cycle < b->cycle ? -1 : 1;
    return (a > b) - (a < b);
}

/* *flips becomes a sorted copy; false if there is no memory for it. */
static bool sort(TspFlip **flips, int32_t count) {
    const size_t n = (size_t)count;
    const TspFlip **order = malloc((n + 1) * sizeof *order);
    TspFlip *sorted = malloc((n + 1) * sizeof *sorted);
    const bool fine = order && sorted;
    for (size_t i = 0; fine && i < n; i++) order[i] = &(*flips)[i];
    if (fine) qsort(order, n, sizeof *order, compare);
    for (size_t i = 0; fine && i < n; i++) sorted[i] = *order[i];
    free(order);
    if (!fine) {
        free(sorted);
        return false;
    }
    free(*flips);
    *flips = sorted;
    return true;
}

/* The array under "flips", the only key. */
static const cJSON *find_list(const Reader *r) {
    const cJSON *item, *list = NULL;
    if (!cJSON_IsObject(r->root)) {
        fail(r, r->root, "a list of faults is not an object; write {\"flips\": [...]}");
        return NULL;
    }
    cJSON_ArrayForEach(item, r->root) {
        if (strcmp(item->string, "flips") != 0) {
            fail_key(r, item, "a list of faults has no \"%.60s\"; remove it, the key is flips",
                     item->string);
            return NULL;
        }
        if (list) {
            fail_key(r, item, "\"flips\" is given twice; remove one");
            return NULL;
        }
        list = item;
    }
    if (!list)
        fail(r, r->root, "a list of faults lacks \"flips\"; add it");
    else if (!cJSON_IsArray(list))
        fail(r, list, "\"flips\" is not an array; make it one");
    return cJSON_IsArray(list) ? list : NULL;
}

static bool read_list(const Reader *r, TspFlip **flips, int32_t *count) {
    const cJSON *list = find_list(r), *item;
    const int32_t n = list ? cJSON_GetArraySize(list) : 0;
    bool fine = true;
    int32_t i = 0;
    if (!list) return false;
    *flips = malloc(((size_t)n + 1) * sizeof **flips);
    if (!*flips) return tsp_fail(r->err, TSP_ERR_SYSTEM, "%s: out of memory", r->origin);
    for (item = list->child; item && fine; item = item->next)
        fine = read_flip(r, item, &(*flips)[i++]);
    if (fine && !sort(flips, n))
        fine = tsp_fail(r->err, TSP_ERR_SYSTEM, "%s: out of memory", r->origin);
    *count = n;
    return fine;
}

bool tsp_faults_parse(const char *text, size_t length, const char *origin, const TspMachine *m,
                      TspFlip **flips, int32_t *count, TspError *err) {
    const char *end = text;
    cJSON *root = cJSON_ParseWithLengthOpts(text, length, &end, false);
    Reader r = {text, origin, length, root, m, err};
    bool fine;
    *flips = NULL;
    *count = 0;
    while (root && end < text + length && (unsigned char)*end <= ' ') end++;
    if (!root)
        fine = fail_syntax(&r, length ? (size_t)(end - text) : 0);
    else if (end < text + length)
        fine = fail_syntax(&r, (size_t)(end - text));
    else
        fine = read_list(&r, flips, count);
    cJSON_Delete(root);
    if (fine) return true;
    free(*flips);
    *flips = NULL;
    *count = 0;
    return false;
}

/* Reads what is left of a file, `limit` bytes at most; NULL if there is no memory for it. */
static char *read_all(FILE *file, size_t limit, size_t *length) {
    size_t room = 1 << 16;
    char *text = malloc(room);
    *length = 0;
    while (text) {
        size_t wanted = room - *length, got = fread(text + *length, 1, wanted, file);
        *length += got;
        if (got < wanted || room >= limit) break;
        room = 2 * room < limit ? 2 * room : limit;
        char *more = realloc(text, room);
        if (!more) free(text);
        text = more;
    }
    return text;
}

bool tsp_faults_load(const char *path, const TspMachine *m, TspFlip **flips, int32_t *count,
                     TspError *err) {
    enum { LIMIT_BYTES = 64 << 20 };
    FILE *file = fopen(path, "rb");
    size_t length = 0;
    char *text;
    bool ok;
    *flips = NULL;
    *count = 0;
    if (!file)
        return tsp_fail(err, TSP_ERR_INPUT, "%s: cannot open it (%s); check the name", path,
                        strerror(errno));
    text = read_all(file, LIMIT_BYTES + 1, &length);
    if (!text)
        ok = tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", path);
    else if (ferror(file))
        ok = tsp_fail(err, TSP_ERR_INPUT, "%s: cannot read it (%s); give a list of faults (.json)",
                      path, strerror(errno));
    else if (length > LIMIT_BYTES)
        ok = tsp_fail(err, TSP_ERR_INPUT,
                      "%s: longer than %d MiB; make it shorter, or use --fault-rate", path,
                      LIMIT_BYTES >> 20);
    else
        ok = tsp_faults_parse(text, length, path, m, flips, count, err);
    fclose(file);
    free(text);
    return ok;
}
