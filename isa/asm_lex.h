/* asm_lex.h - reading one line of assembly: words, numbers, strings, expressions, and failing with
 * file:line:col. For the assembler only.
 */
#ifndef TSP_ASM_LEX_H
#define TSP_ASM_LEX_H
#include "error.h"

#include <stddef.h>

enum { ASM_WORD_SIZE = 64 }; /* words longer than this are no word of the language */

/* A place in one line. The line has lost its comment and its newline. */
typedef struct {
    const char *path, *text, *at; /* file; start of the line; what is read next */
    int32_t line;
    int32_t depth; /* of parentheses, to bound recursion */
    bool dry;      /* expressions are only read over: names may have no values yet */
    TspError *err;
} AsmCursor;

/* Where names in expressions get their values. `lookup` may read on (an index in brackets). */
typedef struct {
    bool (*lookup)(void *context, AsmCursor *c, const char *start, const char *name,
                   int64_t *value);
    void *context;
} AsmScope;

/* Fails with "path:line:col: text", TSP_ERR_INPUT; `where` points into the line. Returns false. */
bool asm_fail(const AsmCursor *c, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Cuts the comment ("; ..." or "// ...", not within quotes) and trailing blanks off a line. */
void asm_strip(char *line);
void asm_space(AsmCursor *c); /* skips blanks */
bool asm_at_end(AsmCursor *c);
/* Skips blanks and takes the character or the text if it comes next. */
bool asm_take(AsmCursor *c, char character);
bool asm_take_text(AsmCursor *c, const char *text);
/* Fails unless the character comes next. */
bool asm_need(AsmCursor *c, char character);
/* Takes [A-Za-z_][A-Za-z0-9_]*; `dotted` takes single dots inside as well ("mem.w3"; stops before
 * ".."). False without an error if none is there. */
bool asm_word(AsmCursor *c, bool dotted, char word[ASM_WORD_SIZE]);
/* A name: a word, a dotted word, or any text in "quotes" with \" \\ \n \t \xHH. The caller frees.
 */
bool asm_name(AsmCursor *c, bool dotted, char **name);
/* Numbers: decimal, 0x hex. Expressions: numbers, names, + - * / % and parentheses, in 64 bits. */
bool asm_expression(AsmCursor *c, const AsmScope *scope, int64_t *value);
/* A floating-point number, without suffix, up to and not including `end`. */
bool asm_float(const AsmCursor *c, const char *start, const char *end, float *value);
/* The candidate nearest to `word` by edit distance, NULL if none is near. get(i) is NULL at the
 * end. */
const char *asm_nearest(const char *word, const char *(*get)(int32_t i));

#endif
