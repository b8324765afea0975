/* error.c - composes the one line that an error is. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
} rules[TSP_RULE_COUNT] = {
    {"NONE", "no rule"},
#define RULE(name, text) {#name, text},
#include "rules.def"
#undef RULE
};

static void reset(TspError *err, TspErrorKind kind) {
    *err = (TspError){.kind = kind, .cycle = -1, .queue = -1, .index = -1};
}

bool tsp_fail(TspError *err, TspErrorKind kind, const char *format, ...) {
    va_list args;
    reset(err, kind);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}

bool tsp_fail_rule(TspError *err, TspRule rule, int64_t cycle, int32_t queue,
                   const char *queue_name, int32_t index, const char *format, ...) {
    va_list args;
    size_t used = 0;
    reset(err, TSP_ERR_ILLEGAL);
    err->rule = rule;
    err->cycle = cycle;
    err->queue = queue;
    err->index = index;
    if (cycle >= 0)
        used += (size_t)snprintf(err->text, sizeof err->text, "cycle %lld, ", (long long)cycle);
    used += (size_t)snprintf(err->text + used, sizeof err->text - used, "chip %d", (int)err->chip);
    if (queue_name[0])
        used += (size_t)snprintf(err->text + used, sizeof err->text - used, ", %s", queue_name);
    if (index >= 0)
        used += (size_t)snprintf(err->text + used, sizeof err->text - used, ", instruction %d",
                                 (int)index);
    used += (size_t)snprintf(err->text + used, sizeof err->text - used, ": %s; ", rules[rule].text);
    va_start(args, format);
    vsnprintf(err->text + used, sizeof err->text - used, format, args);
    va_end(args);
    return false;
}

const char *tsp_rule_name(TspRule rule) {
    return rules[rule].name;
}
const char *tsp_rule_text(TspRule rule) {
    return rules[rule].text;
}

const char *tsp_error_kind_text(TspErrorKind kind) {
    static const char *const text[] = {"no error",  "illegal program", "not modelled",
                                       "bad input", "system error",    "internal error"};
    return text[kind];
}
