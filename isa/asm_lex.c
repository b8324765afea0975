/* asm_lex.c - reads one line of assembly: words, numbers, strings, expressions. */
#include "asm_lex.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

/* The C library's own depend on the locale. */
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool asm_fail(const AsmCursor *c, const char *where, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return tsp_fail(c->err, TSP_ERR_INPUT, "%.200s:%d:%d: %s", c->path, (int)c->line,
                    (int)(where - c->text) + 1, text);
}

void asm_strip(char *line) {
    bool quoted = false;
    char *end = line;
    for (; *end; end++) {
        if (quoted && *end == '\\' && end[1]) {
            end++;
            continue;
        }
        if (*end == '"') quoted = !quoted;
        if (!quoted && (*end == ';' || (*end == '/' && end[1] == '/'))) break;
    }
    while (end > line && (is_blank(end[-1]) || end[-1] == '\r')) end--;
    *end = 0;
}

void asm_space(AsmCursor *c) {
    while (is_blank(*c->at)) c->at++;
}

bool asm_at_end(AsmCursor *c) {
    asm_space(c);
    return !*c->at;
}

bool asm_take(AsmCursor *c, char character) {
    asm_space(c);
    if (*c->at != character) return false;
    c->at++;
    return true;
}

bool asm_take_text(AsmCursor *c, const char *text) {
    size_t length = strlen(text);
    asm_space(c);
    if (strncmp(c->at, text, length)) return false;
    c->at += length;
    return true;
}

bool asm_need(AsmCursor *c, char character) {
    if (asm_take(c, character)) return true;
    if (!*c->at) return asm_fail(c, c->at, "the line ends here; '%c' is expected", character);
    return asm_fail(c, c->at, "'%c' is expected here, not '%.20s'", character, c->at);
}

bool asm_word(AsmCursor *c, bool dotted, char word[ASM_WORD_SIZE]) {
    size_t length = 0;
    asm_space(c);
    if (!is_letter(*c->at)) return false;
    while (is_letter(c->at[length]) || is_digit(c->at[length]) ||
           (dotted && c->at[length] == '.' &&
            (is_letter(c->at[length + 1]) || is_digit(c->at[length + 1]))))
        length++;
    if (length >= ASM_WORD_SIZE) return false;
    memcpy(word, c->at, length);
    word[length] = 0;
    c->at += length;
    return true;
}

static bool escape(AsmCursor *c, char *out) {
    static const char from[] = "\"\\nt", to[] = "\"\\\n\t";
    const char *found = *c->at ? strchr(from, *c->at) : NULL;
    if (found) {
        *out = to[found - from];
        c->at++;
        return true;
    }
    if (*c->at == 'x' && hex_digit(c->at[1]) >= 0 && hex_digit(c->at[2]) >= 0) {
        int value = hex_digit(c->at[1]) * 16 + hex_digit(c->at[2]);
        if (!value) return asm_fail(c, c->at - 1, "\\x00 cannot stand in a name");
        *out = (char)value;
        c->at += 3;
        return true;
    }
    return asm_fail(c, c->at - 1, "unknown escape; there are \\\" \\\\ \\n \\t \\xHH");
}

bool asm_name(AsmCursor *c, bool dotted, char **name) {
    const char *start;
    size_t length = 0;
    char *out;
    asm_space(c);
    start = c->at;
    out = malloc(strlen(c->at) + ASM_WORD_SIZE);
    if (!out) return tsp_fail(c->err, TSP_ERR_SYSTEM, "out of memory");
    if (asm_word(c, dotted, out)) {
        *name = out;
        return true;
    }
    if (*c->at != '"') {
        asm_fail(c, start,
                 "a name is expected; write a word (at most %d characters) or any text in "
                 "\"quotes\"",
                 ASM_WORD_SIZE - 1);
        goto fail;
    }
    for (c->at++; *c->at != '"'; length++) {
        if (!*c->at) {
            asm_fail(c, start, "the text has no closing quote; write '\"' after it");
            goto fail;
        }
        if (*c->at == '\\') {
            c->at++;
            if (!escape(c, out + length)) goto fail;
        } else {
            out[length] = *c->at++;
        }
    }
    c->at++;
    out[length] = 0;
    *name = out;
    return true;
fail:
    free(out);
    return false;
}

static bool number(AsmCursor *c, int64_t *value) {
    const char *start = c->at;
    int base = 10, digit;
    *value = 0;
    if (c->at[0] == '0' && (c->at[1] == 'x' || c->at[1] == 'X')) {
        base = 16;
        c->at += 2;
        if (hex_digit(*c->at) < 0) return asm_fail(c, start, "hex digits are expected after 0x");
    }
    for (; (digit = hex_digit(*c->at)) >= 0 && digit < base; c->at++)
        if (__builtin_mul_overflow(*value, (int64_t)base, value) ||
            __builtin_add_overflow(*value, (int64_t)digit, value))
            return asm_fail(c, start, "the number does not fit 63 bits");
    if (is_letter(*c->at) || is_digit(*c->at))
        return asm_fail(c, start, "'%.20s' is no number; write decimal or 0x hex", start);
    return true;
}

static bool sum(AsmCursor *c, const AsmScope *scope, int64_t *value);

static bool factor(AsmCursor *c, const AsmScope *scope, int64_t *value) {
    const char *start;
    char *name;
    bool ok;
    asm_space(c);
    start = c->at;
    if (++c->depth > MAX_DEPTH) return asm_fail(c, start, "the expression nests too deep");
    if (asm_take(c, '(')) {
        ok = sum(c, scope, value) && asm_need(c, ')');
    } else if (asm_take(c, '-')) {
        ok = factor(c, scope, value);
        if (ok && __builtin_sub_overflow((int64_t)0, *value, value))
            return asm_fail(c, start, "the expression overflows 64 bits");
    } else if (is_digit(*c->at)) {
        ok = number(c, value);
    } else if (is_letter(*c->at) || *c->at == '"') {
        if (!asm_name(c, false, &name)) return false;
        ok = scope->lookup(scope->context, c, start, name, value);
        free(name);
    } else if (!*c->at) {
        return asm_fail(c, start, "the line ends here; a number is expected");
    } else {
        return asm_fail(c, start, "a number is expected here, not '%.20s'", start);
    }
    c->depth--;
    return ok;
}

static bool product(AsmCursor *c, const AsmScope *scope, int64_t *value) {
    if (!factor(c, scope, value)) return false;
    for (;;) {
        const char *start;
        int64_t right;
        char op;
        asm_space(c);
        start = c->at;
        op = *start;
        if (op != '*' && op != '/' && op != '%') return true;
        c->at++;
        if (!factor(c, scope, &right)) return false;
        if (op == '*') {
            if (__builtin_mul_overflow(*value, right, value))
                return asm_fail(c, start, "the expression overflows 64 bits");
        } else if (right == 0 || (right == -1 && *value == INT64_MIN)) {
            if (!c->dry) return asm_fail(c, start, "division by zero");
            *value = 0;
        } else {
            *value = op == '/' ? *value / right : *value % right;
        }
    }
}

static bool sum(AsmCursor *c, const AsmScope *scope, int64_t *value) {
    if (!product(c, scope, value)) return false;
    for (;;) {
        const char *start;
        int64_t right;
        bool minus, overflow;
        asm_space(c);
        start = c->at;
        minus = *start == '-';
        if (!minus && *start != '+') return true;
        c->at++;
        if (!product(c, scope, &right)) return false;
        overflow = minus ? __builtin_sub_overflow(*value, right, value)
                         : __builtin_add_overflow(*value, right, value);
        if (overflow) return asm_fail(c, start, "the expression overflows 64 bits");
    }
}

bool asm_expression(AsmCursor *c, const AsmScope *scope, int64_t *value) {
    return sum(c, scope, value);
}

bool asm_float(const AsmCursor *c, const char *start, const char *end, float *value) {
    char text[ASM_WORD_SIZE], *stop;
    size_t length = (size_t)(end - start);
    if (length >= sizeof text) return asm_fail(c, start, "the number is too long");
    memcpy(text, start, length);
    text[length] = 0;
    *value = strtof(text, &stop);
    if (!length || *stop || text[strcspn(text, "xXnNiI")])
        return asm_fail(c, start, "'%s' is no floating-point number; write one like -1.5 or 2e-3",
                        text);
    if (isinf(*value)) return asm_fail(c, start, "%s is too large for a float", text);
    return true;
}

static size_t edit_distance(const char *a, const char *b) {
    size_t row[ASM_WORD_SIZE + 1], rows = strlen(a), columns = strlen(b);
    if (rows > ASM_WORD_SIZE || columns > ASM_WORD_SIZE) return ASM_WORD_SIZE;
    for (size_t j = 0; j <= columns; j++) row[j] = j;
    for (size_t i = 1; i <= rows; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[columns];
}

const char *asm_nearest(const char *word, const char *(*get)(int32_t i)) {
    const char *nearest = NULL, *name;
    size_t best = strlen(word) < 4 ? 2 : 3; /* farther is no misspelling */
    for (int32_t i = 0; (name = get(i)); i++) {
        size_t distance = edit_distance(word, name);
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}
