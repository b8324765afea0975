/* verify_parts.h - what the parts of the verifier share: bursts, walks over them, offences found.
 *
 * A burst is one word of a queue with its Repeat: an arithmetic progression of issues in two
 * dimensions. The timeline turns every queue into bursts; each other part proves its rules from
 * the bursts of the queues that it concerns and from nothing else, in any order: every part stops
 * at the earliest offence known so far, and the earliest of all parts is the one reported.
 */
#ifndef TSP_VERIFY_PARTS_H
#define TSP_VERIFY_PARTS_H
#include "compiler/verify.h"

typedef struct {
    TspInsn insn;
    int64_t start;        /* cycle of the first issue */
    int64_t step, step2;  /* cycles between inner and outer repetitions */
    int32_t n, n2;        /* issues: (n + 1) * (n2 + 1) */
    int32_t a, a2, w, w2; /* address steps */
    int32_t queue, index;
} Burst;

typedef struct {
    Burst *bursts; /* in time order */
    int32_t count, capacity;
} Timeline;

/* When in a cycle an offence happens. Within a cycle results land first, then superlanes switch,
 * then ALUs take their inputs, then the queues issue in the order of their ids, then earlier
 * Ifetches take their next vectors, then products reach the accumulators. An issue is checked as a
 * word, then against the state of its unit, then for its operands on streams and (ALUs without
 * entry cycles) from other ALUs. A deadlock shows when everything else has come to an end. */
typedef enum {
    AT_DRIVE,
    AT_SWITCH,
    AT_INPUT,
    AT_WORD,
    AT_UNIT,
    AT_SAMPLE,
    AT_TAKE,
    AT_FETCH,
    AT_PRODUCT,
    AT_END
} Moment;

typedef struct {
    TspErrorKind kind; /* TSP_OK: none */
    TspRule rule;
    int64_t cycle;
    Moment moment;
    int32_t queue, index;
    char detail[400];
} Offence;

/* Superlanes switched by a Config. */
typedef struct {
    int64_t cycle; /* from this one on they are on */
    uint32_t mask;
    int32_t queue, index;
} Switch;

typedef struct {
    const TspProgram *program;
    const TspMachine *machine;
    bool ifetch_modelled;
    int32_t queue_count;
    TspQueueInfo queues[TSP_MAX_QUEUES];
    Timeline lines[TSP_MAX_QUEUES];
    Timeline fetches[TSP_MAX_QUEUES]; /* each Ifetch as the burst of vectors that it takes */
    Switch *switches;                 /* in time order, after verify_power() */
    int32_t switch_count, switch_capacity;
    Offence first;    /* the earliest offence so far, but for deadlocks */
    Offence deadlock; /* AT_END */
    int64_t horizon;  /* nothing after this cycle matters: that of `first`, or INT64_MAX */
    TspProof proof;
} Verifier;

/* Notes an offence if it is earlier than the one known. A rule of NONE means not modelled. */
void verify_offend(Verifier *v, TspRule rule, int64_t cycle, Moment moment, int32_t queue,
                   int32_t index, const char *format, ...) __attribute__((format(printf, 7, 8)));

static inline bool verify_found(const Verifier *v) { /* any offence */
    return v->first.kind != TSP_OK || v->deadlock.kind != TSP_OK;
}

/* The parts. False when they cannot go on, or for what is tied to no cycle (*err is set); offences
 * go to verify_offend(). */
bool verify_timeline(Verifier *v, TspError *err);
void verify_power(Verifier *v);
bool verify_streams(Verifier *v, TspError *err);
bool verify_memory(Verifier *v, TspError *err);
void verify_alus(Verifier *v);
bool verify_arrays(Verifier *v, TspError *err);

/* Which superlanes are on for what issues in this cycle. *place is the caller's: start it at 0 and
 * ask for cycles in roughly ascending order. */
uint32_t verify_powered(const Verifier *v, int32_t *place, int64_t cycle);
/* For the timeline, where text is modelled: whether the next word has arrived when it is due.
 * *landed is the caller's: Ifetches of the queue whose text has come, 0 at first. */
bool verify_text(Verifier *v, int32_t queue, int32_t index, int64_t cycle, int32_t *landed);
/* For the timeline: whether the Ifetch may issue after those of its queue that are known. */
bool verify_fetch(Verifier *v, const Burst *fetch);

/* -- one issue of a burst -- */
typedef struct {
    const Burst *burst;
    int64_t cycle;
    int32_t i, j; /* inner and outer repetition */
} Issue;

static inline int64_t burst_count(const Burst *b) {
    return ((int64_t)b->n + 1) * ((int64_t)b->n2 + 1);
}
static inline int64_t burst_end(const Burst *b) { /* cycle of the last issue */
    return b->start + b->n * b->step + b->n2 * b->step2;
}
/* Which iteration of the burst an issue is. */
static inline int64_t issue_iteration(const Issue *s) {
    return (int64_t)s->j * (s->burst->n + 1) + s->i;
}
/* An address stepped by Repeat, and the write address of a combined slot. */
static inline int64_t issue_stepped(const Issue *s, int32_t base) {
    return base + (int64_t)s->i * s->burst->a + (int64_t)s->j * s->burst->a2;
}
static inline int64_t issue_stepped_write(const Issue *s, int32_t base) {
    return base + (int64_t)s->i * s->burst->w + (int64_t)s->j * s->burst->w2;
}

/* Walks the issues of a timeline in time order:
 * for (bool more = walk_first(line, &s); more; more = walk_next(line, &s)) */
static inline bool walk_first(const Timeline *line, Issue *s) {
    if (line->count == 0) return false;
    *s = (Issue){line->bursts, line->bursts->start, 0, 0};
    return true;
}
static inline bool walk_next(const Timeline *line, Issue *s) {
    const Burst *b = s->burst;
    if (s->i < b->n) {
        s->i++;
        s->cycle += b->step;
    } else if (s->j < b->n2) {
        s->i = 0;
        s->j++;
        s->cycle = b->start + s->j * b->step2;
    } else {
        if (++b == line->bursts + line->count) return false;
        *s = (Issue){b, b->start, 0, 0};
    }
    return true;
}

/* Finds the issue of exactly this cycle by arithmetic, not by walking. *at is the caller's place in
 * the timeline: start it at 0 and ask for cycles in roughly ascending order. */
static inline bool issue_find(const Timeline *line, int32_t *at, int64_t cycle, Issue *s) {
    while (*at > 0 && line->bursts[*at].start > cycle) --*at;
    while (*at + 1 < line->count && line->bursts[*at + 1].start <= cycle) ++*at;
    if (*at >= line->count) return false;
    const Burst *b = &line->bursts[*at];
    int64_t since = cycle - b->start, j = 0;
    if (since < 0) return false;
    if (b->n2 > 0) {
        j = since / b->step2;
        if (j > b->n2) j = b->n2;
    }
    since -= j * b->step2;
    int64_t i = since > 0 && b->n > 0 ? since / b->step : 0;
    if (i > b->n || since != i * b->step) return false;
    *s = (Issue){b, cycle, (int32_t)i, (int32_t)j};
    return true;
}

#endif
