/* error.h - one error object for every room: set once where the cause is known, printed by cli/.
 *
 * Libraries never print and never exit. A function that can fail takes a TspError * (never NULL),
 * returns false and leaves exactly one line in it: what is wrong, then what to do.
 */
#ifndef TSP_ERROR_H
#define TSP_ERROR_H
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    TSP_OK = 0,
    TSP_ERR_ILLEGAL,      /* your program breaks a rule of the machine (exit 1) */
    TSP_ERR_FAULT,        /* the machine broke: a word with two wrong bits was read (exit 1) */
    TSP_ERR_NOT_MODELLED, /* a real feature that we do not model (exit 2) */
    TSP_ERR_INPUT,        /* bad input file or bad usage (exit 2) */
    TSP_ERR_SYSTEM,       /* the operating system said no (exit 2) */
    TSP_ERR_BUG           /* we have a bug (exit 3) */
} TspErrorKind;

/* The rules a program can break: X-macro RULE(NAME, "text"), see rules.def. */
typedef enum {
    TSP_RULE_NONE = 0,
#define RULE(name, text) TSP_RULE_##name,
#include "rules.def"
#undef RULE
    TSP_RULE_COUNT
} TspRule;

typedef struct {
    TspErrorKind kind;
    char text[768]; /* one line, no newline, no "tsp: error:" prefix */
    /* For TSP_ERR_ILLEGAL, FAULT and NOT_MODELLED met while running or checking a program: */
    TspRule rule;
    int64_t cycle; /* cycle of the offence, -1 if not tied to one */
    int32_t chip;  /* 0 on a single chip */
    int32_t queue; /* queue id as in tsp_queue_name(), -1 if none */
    int32_t index; /* index of the instruction in its queue, -1 if none */
} TspError;

/* Fills *err (kind, text; location fields set to none) and returns false, so that callers can
 * write `return tsp_fail(err, TSP_ERR_INPUT, "%s:%d: ...", ...)`. */
bool tsp_fail(TspError *err, TspErrorKind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Same for a broken rule at a known place. The text is composed as
 * "cycle C, chip K, QUEUE, instruction I: RULE TEXT; DETAIL". queue_name may be "". */
bool tsp_fail_rule(TspError *err, TspRule rule, int64_t cycle, int32_t queue,
                   const char *queue_name, int32_t index, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

/* The same in words of one's own, for what breaks no rule: "cycle C, chip K, QUEUE, instruction I:
 * TEXT", kind as given. */
bool tsp_fail_at(TspError *err, TspErrorKind kind, int64_t cycle, int32_t queue,
                 const char *queue_name, int32_t index, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

/* Short stable name of a rule ("STREAM_COLLISION"). */
const char *tsp_rule_name(TspRule rule);

#endif
