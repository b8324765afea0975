/* report.h - where the cycles of a program went, told from the program alone: its queues, its debug
 * records and its links. Nothing is simulated; docs/report.md defines every figure.
 *
 * Time is in cycles from cycle 0, intervals are half open. What a program does not carry (one
 * assembled by hand has no ops, runs or links) is left out and named as unknown, never guessed.
 */
#ifndef TSP_REPORT_H
#define TSP_REPORT_H
#include "isa/program.h"

/* Kinds of units whose use is counted: X-macro KIND(NAME, key, label, what a unit of it is). */
#define TSP_REPORT_KINDS(KIND)                                                                     \
    KIND(WEIGHTS, "weights", "weight loading", "planes")                                           \
    KIND(VXM, "vxm", "VXM ALUs", "ALUs")                                                           \
    KIND(SXM, "sxm", "SXM units", "SXM queues")                                                    \
    KIND(READ_WEST, "mem_west_read", "MEM W reads", "slices")                                      \
    KIND(READ_EAST, "mem_east_read", "MEM E reads", "slices")                                      \
    KIND(WRITE_WEST, "mem_west_write", "MEM W writes", "slices")                                   \
    KIND(WRITE_EAST, "mem_east_write", "MEM E writes", "slices")                                   \
    KIND(STREAM_EAST, "streams_east", "streams east", "streams")                                   \
    KIND(STREAM_WEST, "streams_west", "streams west", "streams")
typedef enum {
#define KIND(name, key, label, unit) TSP_USE_##name,
    TSP_REPORT_KINDS(KIND)
#undef KIND
        TSP_USE_PLANES /* the first plane of the MXM; the others follow */
} TspUse;

/* Why a plane takes no activation: X-macro REASON(NAME, key, words). */
#define TSP_REPORT_REASONS(REASON)                                                                 \
    REASON(FIRST_OPERAND, "before_first_operand", "before the first weights came")                 \
    REASON(LOADING, "weights_loading", "waiting for weights: load in progress")                    \
    REASON(NOT_BEGUN, "weights_not_begun", "waiting for weights: load not begun")                  \
    REASON(ACTIVATIONS, "activations", "waiting for activations: a slice busy, or not computed")   \
    REASON(RESULTS, "result_path", "result path: accumulation, VXM or write busy")                 \
    REASON(NO_PRODUCT, "no_product", "no product left for this plane")                             \
    REASON(TAIL, "tail", "after the last product")                                                 \
    REASON(OTHER, "other", "other: streams in use, or not told by the program")
typedef enum {
#define REASON(name, key, words) TSP_IDLE_##name,
    TSP_REPORT_REASONS(REASON)
#undef REASON
        TSP_IDLE_REASONS
} TspIdle;

enum { TSP_REPORT_SLOTS = 200, TSP_REPORT_PLANES = 4, TSP_REPORT_USES = 32 };

/* What a stretch of the critical path is: X-macro HOP(NAME, key, words). */
#define TSP_REPORT_HOPS(HOP)                                                                       \
    HOP(ISSUE, "issue", "issuing, one vector after the other")                                     \
    HOP(LATENCY, "latency", "on the way through streams and units")                                \
    HOP(WAIT, "wait", "waiting for what queues do not show: streams, rows of Gather and Scatter")
typedef enum {
#define HOP(name, key, words) TSP_HOP_##name,
    TSP_REPORT_HOPS(HOP)
#undef HOP
        TSP_HOP_KINDS
} TspHopKind;

/* What the stretch before it was waited for: X-macro WAIT(NAME, key, words). */
#define TSP_REPORT_WAITS(WAIT)                                                                     \
    WAIT(DATA, "data", "a row written before")                                                     \
    WAIT(WEIGHTS, "weights", "weights to be in use")                                               \
    WAIT(BUFFER, "buffer", "the weight buffer to be free")                                         \
    WAIT(QUEUE, "queue", "its unit to be free")                                                    \
    WAIT(START, "start", "nothing: the program starts")                                            \
    WAIT(NOTHING, "nothing", "nothing that the program shows")
typedef enum {
#define WAIT(name, key, words) TSP_WAIT_##name,
    TSP_REPORT_WAITS(WAIT)
#undef WAIT
        TSP_WAITS
} TspWait;

/* A stretch of the critical path, cycles start .. end - 1: flows of one op, one kind of unit. */
typedef struct {
    int64_t start, end;
    int64_t cycles[TSP_HOP_KINDS]; /* they add up to end - start */
    int64_t steps;                 /* flows that were put together */
    int32_t op;                    /* -1 none */
    int32_t queue;                 /* of the last of them, whose issue it follows */
    TspWait waited_for;            /* what let the first of them begin */
} TspHop;

/* Kinds of units that can bind an op: X-macro RESOURCE(NAME, key, label). */
#define TSP_REPORT_RESOURCES(RESOURCE)                                                             \
    RESOURCE(MXM, "mxm", "MXM")                                                                    \
    RESOURCE(WEIGHTS, "weights", "weights")                                                        \
    RESOURCE(VXM, "vxm", "VXM")                                                                    \
    RESOURCE(SXM, "sxm", "SXM")                                                                    \
    RESOURCE(READS, "mem_reads", "MEM reads")                                                      \
    RESOURCE(WRITES, "mem_writes", "MEM writes")
typedef enum {
#define RESOURCE(name, key, label) TSP_RESOURCE_##name,
    TSP_REPORT_RESOURCES(RESOURCE)
#undef RESOURCE
        TSP_RESOURCES
} TspResource;

typedef struct {
    int64_t start, end; /* predicted; -1 if nothing of it issues */
    int64_t bound;
    double share[TSP_RESOURCES]; /* over its own interval, by its own instructions */
    int32_t largest;             /* resource with the largest share, -1 none */
    /* The stretch that took most of its own path back to its start; path_queue -1: unknown. */
    int32_t path_queue, path_op;
    TspHopKind path_kind;
    int64_t path_cycles;
} TspOpReport;

typedef struct {
    int32_t rows, slices; /* rows of slices that hold some of it, counted once; slices used */
    int64_t bytes;        /* rows x lanes */
} TspTensorReport;

typedef struct {
    const TspProgram *program; /* must outlive the report */
    int64_t cycles;            /* latency of the program */
    int64_t issues;
    int32_t slots;                         /* 0 in no cycles */
    int64_t slot_at[TSP_REPORT_SLOTS + 1]; /* slot i: cycles slot_at[i] .. slot_at[i + 1] - 1 */
    int32_t uses;                          /* TSP_USE_PLANES + planes */
    int64_t units[TSP_REPORT_USES];        /* how many units of the use there are */
    int64_t used[TSP_REPORT_USES];         /* unit-cycles over the whole program */
    int64_t slot_used[TSP_REPORT_USES][TSP_REPORT_SLOTS];
    int32_t planes;
    int64_t idle[TSP_REPORT_PLANES][TSP_IDLE_REASONS]; /* with used[] exactly `cycles` a plane */
    TspOpReport *ops;                                  /* one an op of the program */
    TspTensorReport *tensors;                          /* one a tensor */
    int32_t *bank_rows;                                /* rows used: [slice * banks + bank] */
    bool has_path;
    TspHop *hops; /* from cycle 0 on; they touch and cover all cycles */
    int32_t hop_count;
} TspReport;

/* Fails (TSP_ERR_ILLEGAL) on queues that cannot be timed: words that mean nothing, a Sync never
 * released; (TSP_ERR_INPUT) if the queues take another time than the program predicts. */
bool tsp_report_make(TspReport *report, const TspProgram *program, TspError *err);
void tsp_report_free(TspReport *report);

/* The report in words, as JSON with stable keys, and as one HTML page that needs nothing else. The
 * caller frees; NULL when out of memory. */
char *tsp_report_text(const TspReport *report);
char *tsp_report_json(const TspReport *report);
char *tsp_report_html(const TspReport *report);

/* Key and words for people of a use, such as "mxm_west_0" and "MXM W plane 0". */
void tsp_report_use_names(const TspReport *report, int32_t use, char key[32], char label[32]);
extern const char *const tsp_idle_keys[], *const tsp_idle_words[];
extern const char *const tsp_hop_keys[], *const tsp_hop_words[];
extern const char *const tsp_wait_keys[], *const tsp_wait_words[];
extern const char *const tsp_resource_keys[], *const tsp_resource_words[];
/* Why the critical path or the ops are not told; NULL if they are. */
const char *tsp_report_unknown(const TspReport *report);

static inline double tsp_report_share(int64_t part, int64_t units, int64_t cycles) {
    return units > 0 && cycles > 0 ? (double)part / ((double)units * (double)cycles) : 0;
}

#endif
