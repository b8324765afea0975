/* json_where.c - finds where in a text an item of its cJSON tree stands.
 *
 * The text is known to be what cJSON accepted, so the scanner skips values instead of checking
 * them. It never reads past the end all the same.
 */
#include "json_where.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 30 };

typedef struct {
    const char *text;
    size_t length, at;
} Cursor;

/* The way from the root to an item: which child at each level. */
typedef struct {
    int32_t depth;
    int32_t child[DEPTH_MAX];
} Chain;

/* Bytes of a byte order mark, which cJSON skips and editors do not show. */
static size_t skip_mark(const char *text, size_t length) {
    return length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

void tsp_json_position(const char *text, size_t length, size_t offset, int32_t *line,
                       int32_t *column) {
    *line = 1;
    *column = 1;
    for (size_t i = skip_mark(text, length); i < offset && i < length; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) { /* not inside a UTF-8 character */
            ++*column;
        }
    }
}

static bool more(const Cursor *c) {
    return c->at < c->length;
}

/* cJSON takes every byte up to ' ' for white space. */
static void skip_space(Cursor *c) {
    while (more(c) && (unsigned char)c->text[c->at] <= ' ') c->at++;
}

static void skip_string(Cursor *c) {
    for (c->at++; more(c) && c->text[c->at] != '"'; c->at++)
        if (c->text[c->at] == '\\') c->at++;
    if (more(c)) c->at++;
}

static void skip_value(Cursor *c) {
    int64_t depth = 0;
    skip_space(c);
    do {
        char first;
        if (!more(c)) return;
        first = c->text[c->at];
        if (first == '"') {
            skip_string(c);
        } else if (depth == 0 && (first == ',' || first == ']' || first == '}')) {
            return;
        } else {
            depth += (first == '[' || first == '{') - (first == ']' || first == '}');
            c->at++;
            /* a number or a word goes on up to a separator */
            if (depth == 0 && first != ']' && first != '}')
                while (more(c) && !strchr(",]}", c->text[c->at]) &&
                       (unsigned char)c->text[c->at] > ' ')
                    c->at++;
        }
    } while (depth > 0);
}

/* From the '[' or '{' of a container, or from the end of one child, to the next child: *key is
 * where the child's key begins (for arrays: its value), the cursor where its value does. */
static void next_child(Cursor *c, bool is_object, size_t *key) {
    skip_space(c);
    if (more(c)) c->at++; /* the opening bracket or the comma */
    skip_space(c);
    *key = c->at;
    if (!is_object) return;
    skip_string(c);
    skip_space(c);
    if (more(c)) c->at++; /* the colon */
    skip_space(c);
}

static bool find_chain(const cJSON *from, const cJSON *item, Chain *chain) {
    int32_t index = 0, level = chain->depth;
    if (from == item) return true;
    if (level == DEPTH_MAX) return false;
    for (const cJSON *child = from->child; child; child = child->next, index++) {
        chain->child[level] = index;
        chain->depth = level + 1;
        if (child == item || (child->child && find_chain(child, item, chain))) return true;
    }
    chain->depth = level;
    return false;
}

/* Deeper than the chain is long: the place of the deepest ancestor will do. */
static bool find_ancestor(const cJSON *from, const cJSON *item, int32_t level, Chain *chain) {
    int32_t index = 0;
    if (from == item) return true;
    for (const cJSON *child = from->child; child; child = child->next, index++) {
        if (child != item && !(child->child && find_ancestor(child, item, level + 1, chain)))
            continue;
        if (level < DEPTH_MAX) chain->child[level] = index;
        if (level == 0) chain->depth = DEPTH_MAX;
        return true;
    }
    return false;
}

static bool is_plain_key(const char *key) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$";
    return key[0] && !(key[0] >= '0' && key[0] <= '9') && key[strspn(key, plain)] == '\0';
}

static void append_step(TspJsonPlace *place, const cJSON *child, bool is_object, int32_t index) {
    size_t used = strlen(place->path), room = sizeof place->path - used;
    if (!is_object)
        snprintf(place->path + used, room, "[%d]", (int)index);
    else if (is_plain_key(child->string))
        snprintf(place->path + used, room, ".%s", child->string);
    else
        snprintf(place->path + used, room, "[\"%s\"]", child->string);
}

static void start(Cursor *c) {
    c->at = skip_mark(c->text, c->length);
    skip_space(c);
}

/* Moves the cursor to the end of the chain and returns the item there. */
static const cJSON *follow(Cursor *c, const cJSON *root, const Chain *chain, size_t *key,
                           TspJsonPlace *place) {
    const cJSON *item = root;
    start(c);
    *key = c->at;
    for (int32_t level = 0; level < chain->depth; level++) {
        bool is_object = cJSON_IsObject(item);
        const cJSON *child = item->child;
        next_child(c, is_object, key);
        for (int32_t i = 0; i < chain->child[level]; i++) {
            skip_value(c);
            next_child(c, is_object, key);
            child = child->next;
        }
        if (place) append_step(place, child, is_object, chain->child[level]);
        item = child;
    }
    return item;
}

bool tsp_json_where(const char *text, size_t length, const cJSON *root, const cJSON *item,
                    bool at_key, TspJsonPlace *place) {
    Cursor c = {text, length, 0};
    Chain chain = {0};
    size_t key;
    bool found = find_chain(root, item, &chain) || find_ancestor(root, item, 0, &chain);
    *place = (TspJsonPlace){.path = "$"};
    follow(&c, root, &chain, &key, place);
    tsp_json_position(text, length, at_key ? key : c.at, &place->line, &place->column);
    return found;
}

void tsp_json_lines(const char *text, size_t length, const cJSON *root, const cJSON *array,
                    int32_t *lines) {
    Cursor c = {text, length, 0};
    Chain chain = {0};
    size_t key, counted = 0;
    int32_t line = 1, i = 0;
    if (!find_chain(root, array, &chain)) return;
    follow(&c, root, &chain, &key, NULL);
    for (const cJSON *child = array->child; child; child = child->next, i++) {
        next_child(&c, cJSON_IsObject(array), &key);
        for (; counted < c.at; counted++) line += text[counted] == '\n';
        lines[i] = line;
        skip_value(&c);
    }
}
