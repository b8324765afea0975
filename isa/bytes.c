/* bytes.c - integers, strings and arrays to and from the bytes of a program file. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

void bytes_put(Writer *w, const void *bytes, size_t length) {
    if (w->failed || length == 0) return;
    if (length > w->capacity - w->length) {
        size_t capacity = 2 * w->capacity + length + 4096;
        uint8_t *grown = realloc(w->bytes, capacity);
        if (grown == NULL) {
            w->failed = true;
            return;
        }
        w->bytes = grown;
        w->capacity = capacity;
    }
    memcpy(w->bytes + w->length, bytes, length);
    w->length += length;
}

void bytes_store(uint8_t *at, uint64_t value, int count) {
    for (int i = 0; i < count; i++) at[i] = (uint8_t)(value >> (8 * i));
}

uint64_t bytes_fetch(const uint8_t *at, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value |= (uint64_t)at[i] << (8 * i);
    return value;
}

void bytes_put_fixed(Writer *w, uint64_t value, int count) {
    uint8_t bytes[8];
    bytes_store(bytes, value, count);
    bytes_put(w, bytes, (size_t)count);
}

void bytes_put_int(Writer *w, int64_t value) {
    uint64_t rest = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
    uint8_t bytes[10];
    size_t count = 0;
    do {
        bytes[count] = (uint8_t)((rest & 127) | (rest > 127 ? 128 : 0));
        rest >>= 7;
        count++;
    } while (rest != 0);
    bytes_put(w, bytes, count);
}

void bytes_put_string(Writer *w, const char *text) {
    bytes_put_int(w, text == NULL ? -1 : (int64_t)strlen(text));
    if (text != NULL) bytes_put(w, text, strlen(text));
}

/* ---- reading ---- */

void bytes_refuse(Reader *r, size_t at, const char *what) {
    if (r->failed) return;
    r->failed = true;
    tsp_fail(r->err, TSP_ERR_INPUT, "%s: byte %zu: %s; the file is damaged, make it again",
             r->origin, at, what);
}

const uint8_t *bytes_get(Reader *r, size_t length) {
    const uint8_t *start = r->bytes + r->at;
    if (r->failed) return NULL;
    if (length > r->end - r->at) {
        bytes_refuse(r, r->at, "section ends in the middle of an item");
        return NULL;
    }
    r->at += length;
    return start;
}

int64_t bytes_get_int(Reader *r, int64_t min, int64_t max, const char *what) {
    size_t start = r->at;
    uint64_t raw = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const uint8_t *byte = bytes_get(r, 1);
        if (byte == NULL) return min;
        raw |= (uint64_t)(*byte & 127) << shift;
        bool last = *byte < 128;
        if (last && shift == 63 && *byte > 1) break;
        if (!last) continue;
        int64_t value = (int64_t)(raw >> 1) ^ ((raw & 1) != 0 ? -1 : 0);
        if (value >= min && value <= max) return value;
        break;
    }
    bytes_refuse(r, start, what);
    return min;
}

int32_t bytes_get_int32(Reader *r, int32_t min, int32_t max, const char *what) {
    return (int32_t)bytes_get_int(r, min, max, what);
}

int32_t bytes_get_next(Reader *r, int32_t last, int32_t min, int32_t max, const char *what) {
    return (int32_t)(last + bytes_get_int(r, (int64_t)min - last, (int64_t)max - last, what));
}

int32_t bytes_get_count(Reader *r, size_t item_bytes, const char *what) {
    size_t most = (r->end - r->at) / item_bytes;
    return bytes_get_int32(r, 0, most > INT32_MAX ? INT32_MAX : (int32_t)most, what);
}

void *bytes_get_array(Reader *r, int32_t count, size_t item_bytes) {
    if (r->failed || count == 0) return NULL;
    void *items = calloc((size_t)count, item_bytes);
    if (items == NULL) {
        tsp_fail(r->err, TSP_ERR_SYSTEM, "%s: out of memory", r->origin);
        r->failed = true;
    }
    return items;
}

char *bytes_get_string(Reader *r, const char *what) {
    size_t start = r->at;
    int64_t length = bytes_get_int(r, -1, INT32_MAX, what);
    if (length < 0) return NULL;
    const uint8_t *bytes = bytes_get(r, (size_t)length);
    if (bytes == NULL) return NULL;
    if (memchr(bytes, 0, (size_t)length) != NULL) {
        bytes_refuse(r, start, what);
        return NULL;
    }
    char *text = malloc((size_t)length + 1);
    if (text == NULL) {
        tsp_fail(r->err, TSP_ERR_SYSTEM, "%s: out of memory", r->origin);
        r->failed = true;
        return NULL;
    }
    memcpy(text, bytes, (size_t)length);
    text[length] = 0;
    return text;
}
