/* npy.c - NumPy .npy files: a magic, a Python dictionary as text, then the raw elements.
 *
 * Format: numpy.org, "NEP 1 - A simple file format for NumPy arrays", versions 1.0 and 2.0.
 */
#include "npy.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 1 << 16, HEADER_ALIGN = 64 };

/* '|' says that byte order does not apply; '<' is little-endian. */
static const struct {
    TspDtype dtype;
    const char *descr, *alias;
} types[] = {
    {TSP_I8, "|i1", "<i1"},   {TSP_U8, "|u1", "<u1"},  {TSP_I16, "<i2", "<i2"},
    {TSP_I32, "<i4", "<i4"},  {TSP_F16, "<f2", "<f2"}, {TSP_F32, "<f4", "<f4"},
    {TSP_BOOL, "|b1", "<b1"},
};
enum { TYPES = sizeof types / sizeof types[0] };

/* The header dictionary being read. */
typedef struct {
    const char *origin, *at, *end;
    TspError *err;
    bool has_descr, has_order, has_shape;
    TspDtype dtype;
    int32_t rank;
    int64_t elements;
    int64_t *shape;
} Header;

static bool bad(const Header *h, const char *what) {
    return tsp_fail(h->err, TSP_ERR_INPUT, "%s: %s; write it again with numpy.save", h->origin,
                    what);
}

static void skip_space(Header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n' || *h->at == '\t')) h->at++;
}

static bool take(Header *h, char c) {
    skip_space(h);
    if (h->at == h->end || *h->at != c) return false;
    h->at++;
    return true;
}

static bool take_word(Header *h, const char *word) {
    size_t length = strlen(word);
    skip_space(h);
    if ((size_t)(h->end - h->at) < length || memcmp(h->at, word, length) != 0) return false;
    h->at += length;
    return true;
}

/* A quoted string of printable characters without escapes. */
static bool take_string(Header *h, char *text, size_t size) {
    size_t used = 0;
    char quote;
    skip_space(h);
    if (h->at == h->end || (*h->at != '\'' && *h->at != '"')) return false;
    quote = *h->at++;
    for (; h->at < h->end && *h->at != quote; h->at++) {
        if (used + 1 == size || *h->at < ' ' || *h->at > '~' || *h->at == '\\') return false;
        text[used++] = *h->at;
    }
    text[used] = '\0';
    if (h->at == h->end) return false;
    h->at++;
    return true;
}

static bool take_descr(Header *h) {
    char descr[32];
    if (!take_string(h, descr, sizeof descr))
        return bad(h, "\"descr\" is not a simple type (structured arrays are not read)");
    for (int i = 0; i < TYPES; i++)
        if (strcmp(descr, types[i].descr) == 0 || strcmp(descr, types[i].alias) == 0) {
            h->dtype = types[i].dtype;
            return h->has_descr = true;
        }
    return tsp_fail(h->err, TSP_ERR_INPUT,
                    "%s: element type '%s' is not read; save int8, uint8, int16, int32, float16, "
                    "float32 or bool, little-endian",
                    h->origin, descr);
}

static bool take_order(Header *h) {
    if (take_word(h, "True"))
        return tsp_fail(h->err, TSP_ERR_INPUT,
                        "%s: elements are in Fortran order; save numpy.ascontiguousarray of it",
                        h->origin);
    if (!take_word(h, "False")) return bad(h, "\"fortran_order\" is neither True nor False");
    return h->has_order = true;
}

static bool take_shape(Header *h) {
    h->rank = 0;
    h->elements = 1;
    if (!take(h, '(')) return bad(h, "\"shape\" is not a tuple");
    while (!take(h, ')')) {
        int64_t size = 0;
        const char *first;
        skip_space(h);
        first = h->at;
        for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++)
            if ((size = size * 10 + (*h->at - '0')) > INT32_MAX)
                return bad(h, "a dimension is greater than 2147483647");
        if (h->at == first) return bad(h, "\"shape\" is not a tuple of whole numbers");
        if (size == 0)
            return tsp_fail(h->err, TSP_ERR_INPUT,
                            "%s: the array has no elements; every dimension must be 1 or more",
                            h->origin);
        if (h->rank == TSP_MAX_RANK)
            return tsp_fail(h->err, TSP_ERR_INPUT, "%s: more than %d dimensions; reshape the array",
                            h->origin, TSP_MAX_RANK);
        if (h->elements > INT32_MAX / size) return bad(h, "more than 2147483647 elements");
        h->elements *= size;
        h->shape[h->rank++] = size;
        if (!take(h, ',')) {
            if (!take(h, ')') || h->rank < 2) return bad(h, "\"shape\" is not a tuple");
            break;
        }
    }
    return h->has_shape = true;
}

static bool take_dictionary(Header *h) {
    static const struct {
        const char *key;
        bool (*take)(Header *h);
    } keys[] = {{"descr", take_descr}, {"fortran_order", take_order}, {"shape", take_shape}};
    if (!take(h, '{')) return bad(h, "the header is not a dictionary");
    while (!take(h, '}')) {
        char key[32];
        size_t i = 0;
        if (!take_string(h, key, sizeof key) || !take(h, ':'))
            return bad(h, "the header is not a dictionary");
        while (i < 3 && strcmp(key, keys[i].key) != 0) i++;
        if (i == 3) return bad(h, "unknown key in the header");
        if (!keys[i].take(h)) return false;
        if (!take(h, ',')) {
            if (!take(h, '}')) return bad(h, "the header's dictionary does not end");
            break;
        }
    }
    skip_space(h);
    if (h->at != h->end) return bad(h, "something follows the header's dictionary");
    if (!h->has_descr || !h->has_order || !h->has_shape)
        return bad(h, "the header lacks \"descr\", \"fortran_order\" or \"shape\"");
    return true;
}

bool tsp_npy_parse(const uint8_t *bytes, size_t length, const char *origin, TspDtype *dtype,
                   int32_t *rank, int64_t shape[TSP_MAX_RANK], uint8_t **data, TspError *err) {
    Header h = {.origin = origin, .err = err, .shape = shape};
    size_t prefix, header_bytes, data_bytes;
    if (length < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return bad(&h, "not an .npy file (its first bytes are not \\x93NUMPY)");
    if ((bytes[6] != 1 && bytes[6] != 2) || bytes[7] != 0)
        return tsp_fail(
            err, TSP_ERR_INPUT,
            "%s: .npy format %d.%d is not read; write format 1.0 or 2.0 with numpy.save", origin,
            bytes[6], bytes[7]);
    prefix = bytes[6] == 1 ? 10 : 12;
    if (length < prefix) return bad(&h, "the file ends inside its header");
    header_bytes = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] == 2) header_bytes |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (header_bytes > HEADER_MAX) return bad(&h, "the header is longer than 65536 bytes");
    if (length - prefix < header_bytes) return bad(&h, "the file ends inside its header");
    h.at = (const char *)bytes + prefix;
    h.end = h.at + header_bytes;
    if (!take_dictionary(&h)) return false;

    data_bytes = (size_t)h.elements * (size_t)tsp_dtype_bytes(h.dtype);
    bytes += prefix + header_bytes;
    length -= prefix + header_bytes;
    if (length != data_bytes)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: %zu bytes of elements where the header says %zu; write it again with "
                        "numpy.save",
                        origin, length, data_bytes);
    for (size_t i = 0; h.dtype == TSP_BOOL && i < data_bytes; i++)
        if (bytes[i] > 1) return bad(&h, "a bool is neither 0 nor 1");
    *data = malloc(data_bytes);
    if (!*data)
        return tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory for %zu bytes", origin, data_bytes);
    memcpy(*data, bytes, data_bytes);
    *dtype = h.dtype;
    *rank = h.rank;
    return true;
}

bool tsp_npy_load(const char *path, TspDtype *dtype, int32_t *rank, int64_t shape[TSP_MAX_RANK],
                  uint8_t **data, TspError *err) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long length = -1;
    bool ok;
    if (!file)
        return tsp_fail(err, TSP_ERR_INPUT, "%s: cannot open it (%s); check the name", path,
                        strerror(errno));
    /* a directory opens but seeks to nowhere sensible, a pipe does not seek */
    if (fseek(file, 0, SEEK_END) == 0) length = ftell(file);
    if (length < 0 || length == LONG_MAX || fseek(file, 0, SEEK_SET) != 0) {
        fclose(file);
        return tsp_fail(err, TSP_ERR_INPUT, "%s: not a regular file; give an .npy file", path);
    }
    bytes = malloc((size_t)length + 1);
    if (!bytes) {
        fclose(file);
        return tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory for %ld bytes", path, length);
    }
    if (fread(bytes, 1, (size_t)length, file) != (size_t)length)
        ok = tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot read it (%s)", path, strerror(errno));
    else
        ok = tsp_npy_parse(bytes, (size_t)length, path, dtype, rank, shape, data, err);
    fclose(file);
    free(bytes);
    return ok;
}

/* The dictionary as numpy.save writes it, padded so that the elements begin at a multiple of 64. */
static size_t print_header(char *text, size_t size, size_t prefix, TspDtype dtype, int32_t rank,
                           const int64_t *shape) {
    const char *descr = "";
    size_t used;
    for (int i = 0; i < TYPES; i++)
        if (types[i].dtype == dtype) descr = types[i].descr;
    used =
        (size_t)snprintf(text, size, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int32_t i = 0; i < rank; i++)
        used += (size_t)snprintf(text + used, size - used,
                                 rank == 1 ? "%lld,"
                                 : i       ? ", %lld"
                                           : "%lld",
                                 (long long)shape[i]);
    used += (size_t)snprintf(text + used, size - used, "), }");
    while ((prefix + used + 1) % HEADER_ALIGN != 0) text[used++] = ' ';
    text[used++] = '\n';
    return used;
}

bool tsp_npy_save(const char *path, TspDtype dtype, int32_t rank, const int64_t *shape,
                  const uint8_t *data, TspError *err) {
    enum { PREFIX = 10 };
    char head[PREFIX + 512] = "\x93NUMPY\x01";
    size_t bytes = (size_t)tsp_dtype_bytes(dtype), length = strlen(path) + 5;
    size_t header_bytes =
        print_header(head + PREFIX, sizeof head - PREFIX, PREFIX, dtype, rank, shape);
    char *temporary = malloc(length);
    FILE *file;
    bool ok;
    if (!temporary) return tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", path);
    snprintf(temporary, length, "%s.tmp", path);
    head[8] = (char)(header_bytes & 0xff);
    head[9] = (char)(header_bytes >> 8);
    for (int32_t i = 0; i < rank; i++) bytes *= (size_t)shape[i];
    file = fopen(temporary, "wb");
    ok = file && fwrite(head, 1, PREFIX + header_bytes, file) == PREFIX + header_bytes &&
         fwrite(data, 1, bytes, file) == bytes;
    if (file && fclose(file) != 0) ok = false;
    if (ok && rename(temporary, path) != 0) ok = false;
    if (!ok) {
        tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot write it (%s); check the folder and free space",
                 path, strerror(errno));
        if (file) remove(temporary);
    }
    free(temporary);
    return ok;
}
