/* asm_text.c - takes a text apart into lines, runs loops, puts values in for {expressions}. */
#include "asm_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What loops may expand to; a slip, not a program, has more. */
enum { MOST_LOOP_LINES = 4000000, MOST_LOOP_MIB = 256, MIB = 1 << 20 };

typedef struct {
    char **lines; /* comments and newlines gone */
    int32_t count;
    int32_t *ends; /* of the line of a .for: the line of its .end, -1 if it has none */
    int64_t loop_lines, loop_bytes; /* read within loops so far */
} Text;

/* Within braces the variables of the loops are known too. */
static bool loop_value(void *context, AsmCursor *c, const char *start, const char *name,
                       int64_t *value) {
    Asm *a = context;
    for (int32_t i = 0; i < a->loop_count; i++) {
        if (strcmp(a->loops[i].name, name)) continue;
        *value = a->loops[i].value;
        return true;
    }
    AsmScope constants = asm_constants(a);
    return constants.lookup(a, c, start, name, value);
}

/* The line with every {expression} outside quotes replaced by its value; the caller frees. */
static char *substitute(Asm *a, AsmCursor *c) {
    AsmScope scope = {loop_value, a};
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    bool quoted = false, ok = true;
    if (!stream) {
        asm_no_memory(a);
        return NULL;
    }
    while (ok && *c->at) {
        int64_t value;
        if (*c->at == '"') quoted = !quoted;
        if (quoted && *c->at == '\\' && c->at[1]) fputc(*c->at++, stream);
        if (quoted || *c->at != '{') {
            fputc(*c->at++, stream);
            continue;
        }
        c->at++;
        ok = asm_expression(c, &scope, &value) && asm_need(c, '}');
        if (ok) fprintf(stream, "%lld", (long long)value);
    }
    if (fclose(stream) && ok) ok = asm_no_memory(a);
    if (ok) return out;
    free(out);
    return NULL;
}

/* Whether the line starts with the directive; leaves the cursor after it. */
static bool is_directive(AsmCursor *c, const char *name) {
    char word[ASM_WORD_SIZE];
    return asm_take(c, '.') && asm_word(c, false, word) && !strcmp(word, name);
}

/* Pairs every .for with its .end. */
static bool find_ends(Asm *a, Text *text) {
    int32_t *open = calloc((size_t)text->count + 1, sizeof *open), depth = 0;
    text->ends = calloc((size_t)text->count + 1, sizeof *text->ends);
    bool ok = (open && text->ends) || asm_no_memory(a);
    for (int32_t i = 0; ok && i < text->count; i++) {
        AsmCursor for_cursor = {.at = text->lines[i]}, end_cursor = for_cursor;
        text->ends[i] = -1;
        if (is_directive(&for_cursor, "for")) open[depth++] = i;
        if (is_directive(&end_cursor, "end") && depth) text->ends[open[--depth]] = i;
    }
    free(open);
    return ok;
}

static bool lines(Asm *a, Text *text, int32_t first, int32_t last);

/* `.for i in 0..15`: the lines up to its .end once for each value, both ends included. */
static bool loop(Asm *a, Text *text, AsmCursor *c, int32_t first, int32_t end) {
    char word[ASM_WORD_SIZE];
    AsmScope scope = {loop_value, a};
    int64_t from, to;
    const char *where;
    asm_space(c);
    where = c->at;
    if (!asm_word(c, false, word)) return asm_fail(c, where, "write .for i in 0..15");
    AsmConstant *variable = &a->loops[a->loop_count];
    if (a->loop_count == ASM_MAX_LOOPS)
        return asm_fail(c, where, "loops nest deeper than %d", ASM_MAX_LOOPS);
    if (!asm_name_is_new(a, c, where, word)) return false;
    for (int32_t i = 0; i < a->loop_count; i++)
        if (!strcmp(a->loops[i].name, word))
            return asm_fail(c, where, "'%s' is the variable of an outer loop; choose another",
                            word);
    asm_space(c);
    if (!asm_take_text(c, "in")) return asm_fail(c, c->at, "write .for %s in 0..15", word);
    if (!asm_expression(c, &scope, &from)) return false;
    if (!asm_take_text(c, ".."))
        return asm_fail(c, c->at, "'..' is expected: .for %s in 0..15", word);
    if (!asm_expression(c, &scope, &to)) return false;
    if (!asm_at_end(c)) return asm_fail(c, c->at, "nothing may follow the range of .for");
    *variable = (AsmConstant){.name = word, .value = from};
    a->loop_count++;
    for (; variable->value <= to; variable->value++) {
        text->loop_lines++;
        if (text->loop_lines > MOST_LOOP_LINES)
            return asm_fail(c, where, "loops expand to more than %d lines", MOST_LOOP_LINES);
        if (!lines(a, text, first + 1, end)) return false;
        if (variable->value == INT64_MAX) break;
    }
    a->loop_count--;
    return true;
}

static bool count_line(Text *text, const AsmCursor *c) {
    text->loop_lines++;
    text->loop_bytes += (int64_t)strlen(c->text);
    if (text->loop_lines > MOST_LOOP_LINES)
        return asm_fail(c, c->text, "loops expand to more than %d lines", MOST_LOOP_LINES);
    if (text->loop_bytes > (int64_t)MOST_LOOP_MIB * MIB)
        return asm_fail(c, c->text, "loops expand to more than %d MiB of text", MOST_LOOP_MIB);
    return true;
}

/* One line; on success *next is the line after it, or after its loop. */
static bool line(Asm *a, Text *text, int32_t i, int32_t *next) {
    AsmCursor c = {.path = a->path, .line = i + 1, .err = a->err};
    char *own = NULL;
    bool ok;
    c.text = c.at = text->lines[i];
    *next = i + 1;
    if (a->loop_count && !count_line(text, &c)) return false;
    if (strchr(c.text, '{')) {
        own = substitute(a, &c);
        if (!own) return false;
        c.text = c.at = own;
    }
    AsmCursor for_cursor = c, end_cursor = c;
    if (is_directive(&for_cursor, "for")) {
        int32_t end = text->ends[i];
        ok = end >= 0 ? loop(a, text, &for_cursor, i, end)
                      : asm_fail(&c, c.text, "this .for has no .end; write .end after its lines");
        *next = end + 1;
    } else if (is_directive(&end_cursor, "end")) {
        ok = asm_fail(&c, c.text, ".end without .for; remove it");
    } else {
        ok = asm_statement(a, &c);
    }
    free(own);
    return ok;
}

static bool lines(Asm *a, Text *text, int32_t first, int32_t last) {
    for (int32_t next, i = first; i < last; i = next)
        if (!line(a, text, i, &next)) return false;
    return true;
}

/* Cuts a writable copy of the text into lines. */
static bool split(Asm *a, Text *text, char *copy, size_t length) {
    for (char *at = copy, *end = copy + length; at < end;) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t bytes = (size_t)((newline ? newline : end) - at);
        char **grown = asm_grow(text->lines, text->count, sizeof *grown);
        if (!grown) return asm_no_memory(a);
        text->lines = grown;
        if (memchr(at, 0, bytes))
            return tsp_fail(a->err, TSP_ERR_INPUT, "%.200s:%d:1: a zero byte; is this a text file?",
                            a->path, (int)text->count + 1);
        at[bytes] = 0;
        asm_strip(at);
        text->lines[text->count++] = at;
        at += bytes + 1;
    }
    return true;
}

bool asm_text(Asm *a, const char *source, size_t length, int32_t *line_count) {
    Text text = {0};
    char *copy = malloc(length + 1);
    bool ok;
    if (!copy) return asm_no_memory(a);
    memcpy(copy, source, length);
    copy[length] = 0;
    ok = split(a, &text, copy, length) && find_ends(a, &text) && lines(a, &text, 0, text.count);
    *line_count = text.count;
    free(text.lines);
    free(text.ends);
    free(copy);
    return ok;
}
