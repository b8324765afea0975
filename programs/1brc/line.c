/* line.c - what is wrong with a line. */
#include "line.h"

#include <stdio.h>

typedef struct {
    const char *path;
    int64_t number;
    TspError *err;
} Place;

static bool refuse(const Place *p, const char *what) {
    return tsp_fail(p->err, TSP_ERR_INPUT, "%s:%lld: %s", p->path, (long long)p->number, what);
}

static bool refuse_name(const Place *p, const char *name, int32_t at) {
    const unsigned char byte = (unsigned char)name[at];
    const bool control = byte < ' ' || byte == 0x7f;
    return tsp_fail(p->err, TSP_ERR_INPUT, "%s:%lld: byte %d of the name, 0x%02x, is %s; %s",
                    p->path, (long long)p->number, at + 1, byte,
                    control ? "a control character" : "not UTF-8",
                    control ? "take it out" : "convert the file to UTF-8");
}

/* -12.3 and shorter, all of `length`. */
static bool is_temperature(const char *text, size_t length) {
    const size_t sign = length > 0 && text[0] == '-', whole = length - sign;
    if (whole != 3 && whole != 4) return false;
    for (size_t i = sign; i < length; i++)
        if (i + 2 == length ? text[i] != '.' : text[i] < '0' || text[i] > '9') return false;
    return true;
}

static bool refuse_temperature(const Place *p, const char *text, size_t length) {
    char shown[24];
    size_t used = length < sizeof shown ? length : sizeof shown - 1;
    if (length > 0 && text[length - 1] == '\r')
        return refuse(p, "the line ends with a carriage return; end lines with a newline alone");
    for (size_t i = 0; i < used; i++)
        shown[i] = (char)(text[i] < ' ' || text[i] > '~' ? '?' : text[i]);
    shown[used] = '\0';
    return tsp_fail(p->err, TSP_ERR_INPUT,
                    "%s:%lld: '%s' is no temperature; expected -99.9 to 99.9 with one decimal",
                    p->path, (long long)p->number, shown);
}

bool line_explain(const char *path, int64_t number, const char *at, int64_t left, TspError *err) {
    const Place place = {path, number, err};
    const char *end = memchr(at, '\n', (size_t)left), *semicolon;
    const size_t length = end ? (size_t)(end - at) : (size_t)left;
    int32_t bad;
    if (length == 0) return refuse(&place, "an empty line; take it out");
    semicolon = memchr(at, ';', length < NAME_MOST + 1 ? length : NAME_MOST + 1);
    if (!semicolon && length > NAME_MOST)
        return refuse(&place, "no ';' within 101 bytes; a name has at most 100");
    if (!semicolon) return refuse(&place, "no ';'; expected NAME;TEMPERATURE");
    if (semicolon == at) return refuse(&place, "no name before the ';'; it has 1 to 100 bytes");
    bad = names_bad_byte(at, (int32_t)(semicolon - at));
    if (bad >= 0) return refuse_name(&place, at, bad);
    semicolon++;
    if (!is_temperature(semicolon, length - (size_t)(semicolon - at)))
        return refuse_temperature(&place, semicolon, length - (size_t)(semicolon - at));
    return tsp_fail(err, TSP_ERR_INPUT,
                    "%s:%lld: one station more than %d; the challenge has no more", path,
                    (long long)number, TSP_STATIONS_MAX);
}
