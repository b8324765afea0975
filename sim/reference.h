/* reference.h - the reference engine's state: registers that shift, tiles that stagger.
 *
 * Private to sim/reference*.c, which were written from docs/machine.md alone and share no code with
 * the fast engine. Superlane k executes its cycle t at t + k of an outside observer, as tile k of
 * every slice does; queues run with superlane 0. An instruction issued becomes an activity, which
 * every superlane meets in its own cycles: in stage 0 (cycle of the issue) it samples, some stages
 * later its result lands. At rest all superlanes have executed the same cycles.
 */
#ifndef TSP_SIM_REFERENCE_H
#define TSP_SIM_REFERENCE_H
#include "engine.h"
#include "lanes.h"

/* Bytes of the widest superlane word: what the code covers. */
enum { REF_WORD_BYTES = TSP_ECC_DATA_BITS / 8 };

typedef struct {
    uint8_t lane[REF_WORD_BYTES];
    uint16_t check; /* 0 where faults are off */
} RefWord;

typedef struct {
    RefWord word;
    bool defined;
} RefRegister;

/* A set of weights: every IW makes one, all products of it keep it. */
typedef struct {
    int32_t users;
    TspDtype type;
    uint8_t *loaded; /* [column] */
    uint8_t *weight; /* [column][lane] */
} RefWeights;

/* An instruction under way. */
typedef struct RefActivity {
    int64_t cycle; /* of the issue */
    int32_t queue, index;
    TspQueueInfo unit;
    TspInsn insn;              /* addresses as stepped */
    int32_t drive, land, last; /* stages: streams driven, anything else lands, all over; -1: none */
    int32_t in_count, out_count;
    uint8_t in_stream[TSP_MAX_STREAMS], in_operand[TSP_MAX_STREAMS];
    int32_t out_stream;
    uint32_t on;              /* superlanes that were on when they sampled */
    RefWord *in, *out;        /* [superlane][stream]; in: as the consumer sees it */
    uint32_t *result;         /* [lane]: of an ALU or an accumulation */
    RefWeights *weights[2];   /* ABC */
    struct RefActivity *meet; /* ACC: the ABC whose product it takes */
    bool taken;               /* ABC: its product has found its ACC */
    int64_t text;             /* Ifetch: first byte of the queue's text that it brings */
} RefActivity;

typedef struct {
    int32_t next;   /* word due */
    int64_t due;    /* in this cycle */
    int64_t parked; /* at Sync since, -1: not */
    bool stopped;   /* met an offence */
    bool repeating;
    int32_t at; /* word that repeats */
    TspInsn insn, repeat;
    int64_t first; /* its first issue */
    int32_t i, j;  /* repetition that comes next */
    int32_t fetches;
    int64_t fetched;  /* cycle of the last Ifetch, -1: none */
    int64_t *started; /* [word]: cycle of its first issue, -1: not yet; reset() leaves it */
    int64_t *ready;   /* [fetches]: its text can be used from; NULL where all text is there */
    RefActivity **under_way;
    int32_t count, capacity;
} RefQueue;

typedef struct {
    uint8_t *buffer;         /* [column][lane] */
    uint8_t *loaded, *group; /* since the last IW: [column], [group] */
    bool loads;              /* any LW since the last IW */
    int64_t load, install;   /* cycle of the last LW and IW, -1: none */
    RefWeights *use, *next;  /* weights in use; on their way */
    int64_t from;            /* when `next` comes into use */
    int64_t fp16;            /* even plane: the pair's last f16 vector, -1: none */
    uint32_t *sums;          /* [row][lane] */
    uint8_t *kept;           /* [row]: 0, or 1 + type */
} RefPlane;

/* Where an offence stands in the order of docs/machine.md, compared field by field. */
typedef enum { REF_LANDING, REF_SWITCH, REF_ALU, REF_ISSUE, REF_FETCH, REF_PRODUCT } RefPhase;
typedef enum {
    REF_ARRIVED = 1,
    REF_OF_WORD,
    REF_OF_STATE,
    REF_OF_STREAM,
    REF_OF_CODE,
    REF_OF_DATA
} RefOrder;
typedef struct {
    int64_t cycle;
    int32_t phase, queue, order, rank[3];
} RefKey;

typedef struct {
    bool found;
    RefKey key;
    TspErrorKind kind;
    TspRule rule;
    int32_t queue, index; /* to blame */
    char detail[256];
} RefOffence;

typedef struct {
    const TspProgram *p;
    const TspMachine *m;
    int32_t superlanes, width, lanes, columns, queue_count, slice_rows, slices, plane_count;
    bool faults, fetching;
    TspFaults flips;
    int64_t now, latency;
    bool broken;          /* out of memory */
    bool closed;          /* the last landing has been looked at */
    uint32_t last_switch; /* of superlanes, in that very landing; 0: none */
    RefOffence first;
    RefQueue *queues;
    RefRegister *streams; /* [superlane][stream][column] */
    int64_t *driven;      /* the same: cycle of the last drive, -1: none */
    bool *powered;        /* [superlane] */
    int32_t *flip_next;   /* [superlane]: in the list */
    uint8_t *memory;      /* [slice][row][lane] */
    uint16_t *memory_check;
    uint32_t *defined; /* [slice][row]: superlanes */
    uint32_t *latch;   /* [alu][lane] */
    int64_t *latched;  /* [alu][superlane]: cycle of the last result, -1: none */
    RefPlane *planes;
    TspSimStats stats;
    int64_t corrected, flipped;
    TspInterval *ops;
    bool notified; /* a Notify issued in this cycle */
    /* What the views show, assembled from the superlanes. */
    uint8_t *view_bytes;
    uint32_t *view_registers;
    uint16_t *view_check;
} Reference;

/* -- reference.c -- */
/* Zeroed memory, never of no size; NULL when there is none, which ends the run. */
void *ref_zeros(Reference *r, size_t count, size_t size);
/* Remembers the offence if it comes before the first known. */
void ref_offend(Reference *r, RefKey key, TspErrorKind kind, TspRule rule, int32_t queue,
                int32_t index, const char *format, ...) __attribute__((format(printf, 7, 8)));
/* All queues are at their end or parked, and all effects are over by cycle t. */
bool ref_over(const Reference *r, int64_t t);

/* -- reference_tile.c: one cycle of one superlane -- */
void ref_tile(Reference *r, int32_t k, int64_t t);
/* Of the cycle t that the run ends with: what lands in it, and can collide. */
void ref_last_landing(Reference *r, int64_t t);

/* -- reference_queue.c: control, with superlane 0 -- */
void ref_queues_reset(Reference *r);
void ref_queues_issue(Reference *r, int64_t t);
bool ref_queue_ended(const RefQueue *q, const TspQueue *text);

/* -- reference_issue.c: an instruction becomes an activity -- */
bool ref_start(Reference *r, int32_t queue, int32_t index, const TspInsn *insn, int64_t t);
void ref_forget(RefActivity *a);
/* Drops what is over once every superlane has executed its cycles below `end`. */
void ref_retire(Reference *r, int64_t end);
RefActivity *ref_find(const Reference *r, int32_t queue, int64_t cycle);
/* Products that arrive in t and that no ACC has taken. */
void ref_lost(Reference *r, int64_t t);

/* -- reference_fetch.c: instruction text -- */
bool ref_arrived(const Reference *r, const RefQueue *q, int32_t word, int64_t cycle);
bool ref_fetch_start(Reference *r, RefActivity *a);
void ref_fetch_vector(Reference *r, RefActivity *a, int32_t k, int64_t t);

/* -- reference_stream.c: stream registers -- */
size_t ref_register(const Reference *r, int32_t k, int32_t stream, int32_t column);
void ref_shift(Reference *r, int32_t k);
void ref_switch(Reference *r, int32_t k, bool on);
/* A collision counts against the one who comes second, in the order of queues. */
void ref_collide(Reference *r, const RefActivity *a, int32_t k, int64_t t);
void ref_drive(Reference *r, const RefActivity *a, int32_t k, int64_t t);
/* The words that activity a drives in superlane k. */
void ref_output(const Reference *r, const RefActivity *a, int32_t k, RefWord *out);
/* Samples stream i of the activity into its in[at]; checks what its consumer checks. */
void ref_sample(Reference *r, RefActivity *a, int32_t k, int32_t i, int32_t at, int64_t t);
void ref_flips(Reference *r, int32_t k, int64_t t);

/* -- units: what a tile does -- */
uint8_t *ref_memory(const Reference *r, int32_t slice, int32_t row, int32_t k);
size_t ref_row(const Reference *r, int32_t slice, int32_t row);
/* The row of superlane k that a Scatter or Write stores, -1 if none. */
int32_t ref_stored_row(const Reference *r, const RefActivity *a, int32_t k);
const RefWord *ref_stored_word(const RefActivity *a, int32_t k);
int32_t ref_map_row(const Reference *r, const RefActivity *a, int32_t k);
void ref_mem_sample(Reference *r, RefActivity *a, int32_t k, int64_t t);
void ref_mem_land(Reference *r, const RefActivity *a, int32_t k);
void ref_alu(Reference *r, RefActivity *a, int32_t k, int64_t t);
void ref_alu_land(Reference *r, const RefActivity *a, int32_t k, int64_t t);
void ref_sxm_sample(Reference *r, RefActivity *a, int32_t k, int64_t t);
void ref_sxm_output(const Reference *r, const RefActivity *a, int32_t k, RefWord *out);

/* -- reference_mxm.c -- */
RefPlane *ref_plane(const Reference *r, const TspQueueInfo *unit);
void ref_weights_turn(Reference *r, int64_t t);
void ref_weights_leave(RefWeights *w);
void ref_mxm_sample(Reference *r, RefActivity *a, int32_t k);
void ref_mxm_land(Reference *r, const RefActivity *a, int32_t k);
void ref_planes_reset(Reference *r);
RefWeights *ref_weights_make(Reference *r, TspDtype type);

/* -- reference_view.c, reference_hash.c -- */
const uint8_t *ref_view_stream(const void *e, int32_t stream, int32_t column);
const uint8_t *ref_view_row(const void *e, int32_t slice, int32_t addr, uint32_t *written);
const uint16_t *ref_view_check(const void *e, int32_t slice, int32_t addr);
const uint32_t *ref_view_latch(const void *e, int32_t alu);
const uint32_t *ref_view_accumulator(const void *e, int32_t plane, int32_t row, TspDtype *type);
int32_t ref_view_word(const void *e, int32_t queue);
int64_t ref_view_start(const void *e, int32_t queue, int32_t word);
uint64_t ref_hash(void *e);

#endif
