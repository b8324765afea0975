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

/* One line, whatever names it quotes. */
static void compose(TspError *err, size_t used, const char *format, va_list args) {
    vsnprintf(err->text + used, sizeof err->text - used, format, args);
    for (char *c = err->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
}

bool tsp_fail(TspError *err, TspErrorKind kind, const char *format, ...) {
    va_list args;
    reset(err, kind);
    va_start(args, format);
    compose(err, 0, format, args);
    va_end(args);
    return false;
}

/* "cycle C, chip K, QUEUE, instruction I: ", as far as they are known; returns its length. */
static size_t locate(TspError *err, TspErrorKind kind, int64_t cycle, int32_t queue,
                     const char *queue_name, int32_t index) {
    const size_t size = sizeof err->text;
    size_t used = 0;
    reset(err, kind);
    err->cycle = cycle;
    err->queue = queue;
    err->index = index;
    if (cycle >= 0) used += (size_t)snprintf(err->text, size, "cycle %lld, ", (long long)cycle);
    used += (size_t)snprintf(err->text + used, size - used, "chip %d", (int)err->chip);
    if (queue_name[0]) used += (size_t)snprintf(err->text + used, size - used, ", %s", queue_name);
    if (index >= 0)
        used += (size_t)snprintf(err->text + used, size - used, ", instruction %d", (int)index);
    return used + (size_t)snprintf(err->text + used, size - used, ": ");
}

bool tsp_fail_rule(TspError *err, TspRule rule, int64_t cycle, int32_t queue,
                   const char *queue_name, int32_t index, const char *format, ...) {
    va_list args;
    size_t used = locate(err, TSP_ERR_ILLEGAL, cycle, queue, queue_name, index);
    err->rule = rule;
    used += (size_t)snprintf(err->text + used, sizeof err->text - used, "%s; ", rules[rule].text);
    va_start(args, format);
    compose(err, used, format, args);
    va_end(args);
    return false;
}

bool tsp_fail_at(TspError *err, TspErrorKind kind, int64_t cycle, int32_t queue,
                 const char *queue_name, int32_t index, const char *format, ...) {
    va_list args;
    size_t used = locate(err, kind, cycle, queue, queue_name, index);
    va_start(args, format);
    compose(err, used, format, args);
    va_end(args);
    return false;
}

const char *tsp_rule_name(TspRule rule) {
    return rules[rule].name;
}
