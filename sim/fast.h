/* fast.h - the fast engine's state: plain data, indices instead of pointers, one struct a unit.
 *
 * Private to sim/. The arrays whose size depends on the machine hang off Fast; what is in them
 * is plain data too. Nothing is allocated after create(), and every array is touched only where the
 * program goes. The order inside a cycle is that of docs/machine.md, section 3.
 */
#ifndef TSP_SIM_FAST_H
#define TSP_SIM_FAST_H
#include "engine.h"
#include "gemm.h"
#include "lanes.h"

#include <stddef.h>
#include <string.h>

enum {
    SIM_NONE = -1,
    SIM_QUEUE_WORDS = TSP_MAX_QUEUES / 64,
    SIM_SLICES = 88, /* of any machine */
    SIM_ALUS = 16,
    SIM_PLANES = 4,   /* 2 * hemisphere + plane of the hemisphere; a pair shares pair = plane/2 */
    SIM_WRITES = 128, /* >= mem_write_cycles + mem_indirect_cycles of any machine */
    SIM_ALU_RESULTS = 256, /* > twice vxm_op_cycles of any machine, and an immediate */
    SIM_FETCHES = 128,     /* >= vectors of an Ifetch + ifetch_cycles of any machine */
    SIM_SUPERLANES = 20,
    SIM_MAP = 24,      /* superlanes, filled up so that the host compares them as whole vectors */
    SIM_CHUNK = 1024,  /* memory rows that are cleared, or kept for going back, as one */
    SIM_PRODUCTS = 256 /* > 2 * (mxm_entry_cycles + mxm_product_cycles) of any machine */
};
/* What a chunk of memory rows is: some were written since the last reset; since the last keyframe.
 */
enum { FAST_CHUNK_DEFINED = 1, FAST_CHUNK_CHANGED = 2 };
#define SIM_NEVER INT64_MAX

/* -- the program, decoded once -- */
typedef enum { WORD_FINE, WORD_UNDECODABLE, WORD_INVALID, WORD_NOT_MODELLED } WordFault;

typedef struct {
    TspInsn insn;
    int64_t start; /* cycle of its first issue, the same in every run; -1 until a run got there */
    const TspInsn *repeat;   /* the Repeat that follows, NULL: none */
    TspPackedKernel *packed; /* what does the VXM op on packed elements, NULL: on registers */
    int32_t op[2]; /* graph op of the instruction (read half) and of the write half, -1 none */
    int32_t func;  /* its d_func */
    uint8_t unit;  /* a TspUnit */
    uint8_t bytes; /* a lane of what the VXM op works on: of packed elements, or of registers, 4 */
    uint8_t fault; /* a WordFault, reported in the cycle in which the word would issue */
} Word;

/* -- ICU -- */
typedef enum { QUEUE_RUNNING, QUEUE_PARKED, QUEUE_EXHAUSTED } QueueMode;

typedef struct {
    int64_t next;         /* cycle of the next issue; cycle of the Sync if parked */
    int64_t first;        /* cycle in which repetition 0, 0 of the instruction issued */
    int32_t index;        /* word that issues next */
    int32_t inner, outer; /* repetition that issues next */
    QueueMode mode;
} QueueState;

typedef struct {    /* Ifetches of a queue */
    int32_t taken;  /* vectors of the last one so far */
    int32_t index;  /* of its word */
    int32_t stream; /* that it takes them from */
    bool wrong;     /* some of what it took is not the queue's text */
    int32_t count;  /* Ifetches issued; the last SIM_FETCHES of them: */
    int64_t issued[SIM_FETCHES];
} Fetch;

/* -- the event wheel: one bucket a cycle, as many as exceed the longest latency -- */
typedef enum { EVENT_DRIVE, EVENT_WRITE, EVENT_SCATTER, EVENT_POWER, EVENT_INPUT } EventKind;

typedef struct {
    int32_t next; /* in the bucket, or in the free list */
    EventKind kind;
    int32_t queue, index;   /* whose effect it is */
    int32_t stream, column; /* DRIVE */
    bool sealed;            /* DRIVE: the vector has its check bits, from memory */
    int32_t plane;          /* DRIVE: the vector comes with a batch of this plane; else SIM_NONE */
    uint32_t batch;         /* that one */
    int32_t target;         /* WRITE: row of the chip */
    uint32_t mask;          /* WRITE, SCATTER: superlanes written; POWER: switched on */
    int32_t vec[8];         /* DRIVE, WRITE, SCATTER: [0]; INPUT: operand a in 0..3, b in 4..7 */
    uint16_t row[SIM_MAP];  /* SCATTER: of the slice, for each superlane */
} Event;

typedef struct {
    int32_t head[2], tail[2];         /* effects; ALU inputs, which come after all effects */
    uint64_t queues[SIM_QUEUE_WORDS]; /* that issue in this cycle */
} Bucket;

/* -- streams: see fast_stream.h -- */
typedef struct {
    int64_t diagonal; /* of the value, exact; INT64_MIN: never driven */
    int64_t driven;   /* cycle of the drive */
    int32_t vec;
    int32_t queue, index; /* producer */
} StreamSlot;

/* -- units -- */
typedef struct {      /* a memory row */
    uint32_t defined; /* superlanes that hold something */
    int32_t vec;      /* if any does */
} MemRow;

typedef struct {             /* rows of a slice: see fast_mem.h */
    int32_t first, end, vec; /* of the first */
} PlainRows;

typedef struct {
    int32_t addr; /* SIM_NONE: a Scatter, whose rows the event holds */
    int32_t event;
    uint32_t mask; /* superlanes */
    int64_t lands;
} RecentWrite;

typedef struct { /* writes by age: those under way are among head .. tail-1, modulo SIM_WRITES */
    RecentWrite write[SIM_WRITES];
    uint32_t head, tail;
} Slice;

typedef struct {
    /* Results by number: those below `taken` are computed, those below `shown` have appeared; when
     * a result does is a matter of time alone, so no event tells. */
    uint32_t taken, shown;
    int64_t appears[SIM_ALU_RESULTS / 2]; /* of number % alu_slots */
    uint8_t result_type[SIM_ALU_RESULTS / 2];
    uint8_t result_bytes[SIM_ALU_RESULTS / 2]; /* a lane; packed until somebody wants registers */
    int64_t produced;     /* cycle of the last result that has appeared, -1: none yet */
    int32_t latched;      /* its slot in the ALU's results */
    TspDtype type;        /* of it */
    uint32_t filled;      /* the immediate that its own row of lanes holds, as an operand of: */
    int32_t filled_type;  /* a TspDtype plus 1; 0: none yet */
    int32_t filled_bytes; /* a lane */
} Alu;

typedef struct {           /* an activation on its way through the array */
    int64_t arrival;       /* cycle in which the product is at the accumulators */
    int32_t vec[2];        /* activation: bytes, or the low and high plane; -1 once multiplied */
    int32_t generation[2]; /* of the weights, own plane's and (fp16) the odd plane's */
    int32_t index;         /* of the ABC in its queue */
    int32_t row;           /* in the plane's products; SIM_NONE, as usual: not multiplied yet */
    TspDtype type;
} Product;

typedef struct {
    int32_t array;      /* which of the plane's three weight arrays; see Plane.buffer */
    int32_t generation; /* counts IWs; 0: nothing installed */
    int64_t effective;  /* first cycle in which activations meet it */
    TspDtype type;
} WeightSet;

typedef struct {
    /* Weight buffer. Three arrays of columns rotate: buffer, and two weight sets. A column is a
     * vector, SIM_NONE where none is loaded. */
    int32_t column[3][TSP_MAX_LANES];
    int32_t buffer;
    int32_t groups_loaded;
    int64_t last_arrival, last_install; /* of LWs since the last IW; issue of it, -1: none */
    bool group_loaded[TSP_MAX_LANES];
    WeightSet set[2];
    int32_t newest;    /* of the sets */
    int64_t fp16_busy; /* even plane: first cycle in which the pair is free again */
    /* Activations that no Accumulate has taken yet, oldest first: head .. tail-1 modulo
     * SIM_PRODUCTS. */
    uint32_t head, tail;
    int32_t next_row;
    Product product[SIM_PRODUCTS];
} Plane;

typedef struct {
    int64_t now;
    bool done, notified;
    int32_t running, parked; /* queues */
    uint32_t powered;        /* superlanes */
    QueueState queue[TSP_MAX_QUEUES];
    Fetch fetch[TSP_MAX_QUEUES];
    uint64_t fetching[SIM_QUEUE_WORDS]; /* queues whose Ifetch goes on taking vectors */
    int32_t next_flip;                  /* of the list */
    int64_t corrected, flipped;
    uint64_t far[SIM_QUEUE_WORDS]; /* queues whose next issue lies beyond the wheel */
    int64_t far_first;             /* the earliest of them */
    int32_t event_free, event_used, vec_free, vec_used;
    int32_t vec_live;  /* vectors in use */
    TspSimStats stats; /* stream_hops counts to the edge of the chip; see stats() in fast.c */
    Slice slice[SIM_SLICES];
    Alu alu[SIM_ALUS];
    Plane plane[SIM_PLANES];
} State;

typedef struct {
    const TspProgram *program;
    const TspMachine *m;
    /* constants of the run */
    TspFaults faults;
    bool checks;          /* faults are on: vectors and rows have check bits */
    bool ifetch_modelled; /* text has to arrive */
    bool timing_only;     /* no values */
    TspGemmKernel kernel;
    int32_t threads;           /* the main one and workers */
    const TspLanes *alu_lanes; /* the loops of the same instruction set */
    bool switches;             /* there are some among the events that land now */
    int32_t lanes, columns, queues, slice_rows, superlanes, tile; /* tile: lanes a superlane */
    uint32_t all;                                                 /* superlanes, as a mask */
    int32_t
        alu_slots; /* results of an ALU that are kept: a power of two, so that they stay in cache */
    int32_t ring;  /* slots of a stream: a power of two, at least `columns` */
    int32_t wheel; /* buckets: a power of two above every latency, at least 64 */
    int32_t func[TSP_OP_COUNT];
    bool binary[TSP_OP_COUNT]; /* the VXM op has a second operand */
    int32_t fetch_vectors;     /* of an Ifetch */
    TspQueueInfo info[TSP_MAX_QUEUES];
    Word *words[TSP_MAX_QUEUES];
    int32_t word_count[TSP_MAX_QUEUES];
    /* state */
    State state;
    TspInterval *intervals;
    StreamSlot *slots; /* [stream][ring] */
    Bucket *buckets;
    uint64_t *occupied; /* a bit a bucket */
    Event *events;
    int32_t event_capacity;
    uint8_t *vectors;  /* the pool: TSP_MAX_LANES bytes each, for what is under way and every row */
    int32_t *vec_refs; /* references; of a free vector, the next free one */
    int32_t vec_capacity;
    uint16_t *vec_check; /* [vector][SIM_SUPERLANES] check bits, NULL without faults */
    size_t row_count;    /* of the chip */
    size_t reserved;     /* rows that reserve() has been told of */
    /* Mapped, touched only where used, dropped by reset: */
    MemRow *rows;       /* [slice][row] */
    uint8_t *row_chunk; /* [row / SIM_CHUNK] FAST_CHUNK_ flags */
    PlainRows plain[SIM_SLICES];
    bool indirect[SIM_SLICES]; /* the slice has a Gather or a Scatter to do */
    uint32_t *results;         /* [alu][SIM_ALU_RESULTS][TSP_MAX_LANES]; of bytes the first part */
    uint32_t *operands;        /* two registers, scratch */
    uint32_t *products;        /* [plane][SIM_PRODUCTS][lanes] */
    uint32_t *accumulators;    /* [plane][row][lanes] */
    uint8_t *accumulator_type; /* [plane][row]: 0 undefined, else 1 + TSP_I32 or TSP_F32 */
    bool *sum_changed;         /* [accumulator row / FAST_SUM_CHUNK] since the last keyframe */
    struct FastBatches *batches;     /* products that are being multiplied: fast_batch.h */
    struct FastKeyframes *keyframes; /* states of the past, NULL: none are kept: fast_keyframe.h */
    int64_t keyframe_due;            /* work at which the next is made */
    bool broken; /* advance() has failed and left the state in the midst of a cycle */
    uint8_t view[TSP_MAX_LANES]; /* what a look at the state shows */
} Fast;

/* One issue of one instruction, as the units see it. */
typedef struct {
    int32_t queue, index;
    const TspQueueInfo *info;
    const TspInsn *insn;
    int32_t func;        /* d_func of the instruction */
    int32_t step, wstep; /* what Repeat has added to the address, and to waddr of a combined slot */
} Issue;

/* An offence of the issue, now. */
#define fast_offence(f, err, rule, issue, ...)                                                     \
    engine_offence((f)->program, err, rule, (f)->state.now, (issue)->queue, (issue)->index,        \
                   __VA_ARGS__)

/* -- events (fast_queue.c) -- */
static inline Bucket *fast_bucket(const Fast *f, int64_t cycle) {
    return &f->buckets[cycle & (f->wheel - 1)];
}
/* Makes sure that the cycle, at most a wheel away, is executed. */
static inline void fast_wake(Fast *f, int64_t cycle) {
    const int64_t number = cycle & (f->wheel - 1);
    f->occupied[number / 64] |= 1ull << (number % 64);
}
/* A fresh event, due `delay` cycles from now (1 .. wheel-1), after those already due then. */
static inline Event *fast_event_add(Fast *f, EventKind kind, int64_t delay, const Issue *issue) {
    State *st = &f->state;
    Bucket *bucket = fast_bucket(f, st->now + delay);
    const int32_t late = kind == EVENT_INPUT;
    int32_t number = st->event_free;
    Event *event;
    if (number != SIM_NONE)
        st->event_free = f->events[number].next;
    else
        number = st->event_used++;
    event = &f->events[number];
    memset(event, 0, offsetof(Event, vec)); /* the vectors are the kind's to set */
    event->next = SIM_NONE;
    event->kind = kind;
    event->queue = issue->queue;
    event->index = issue->index;
    event->plane = SIM_NONE;
    if (bucket->head[late] == SIM_NONE)
        bucket->head[late] = number;
    else
        f->events[bucket->tail[late]].next = number;
    bucket->tail[late] = number;
    fast_wake(f, st->now + delay);
    return event;
}
bool fast_queues_start(Fast *f, TspError *err);
/* Executes all cycles below `limit`, or to the end of the program; a product lost before the
 * offence it meets is left to the caller to find. */
bool fast_advance(Fast *f, int64_t limit, TspError *err);

/* -- units: issue one instruction; effects of events -- */
typedef bool SimIssue(Fast *f, const Issue *issue, TspError *err);
SimIssue fast_mem_issue, fast_gather, fast_scatter, fast_vxm_issue, fast_load_weights,
    fast_install_weights, fast_activate, fast_accumulate, fast_transpose, fast_distribute,
    fast_rotate, fast_permute, fast_shift, fast_select;

/* -- Ifetch (fast_fetch.c) -- */
/* Whether word `index` of the queue has arrived by `cycle`. */
bool fast_text_arrived(const Fast *f, int32_t queue, int32_t index, int64_t cycle);
static inline bool fast_text_ready(const Fast *f, int32_t queue, int32_t index, int64_t cycle) {
    return !f->ifetch_modelled || fast_text_arrived(f, queue, index, cycle);
}
SimIssue fast_fetch;
/* Queues whose Ifetch goes on take this cycle's vectors. */
bool fast_fetch_on(Fast *f, TspError *err);

/* -- power and faults (fast_power.c, fast_faults.c) -- */
/* Switches of this cycle, among the events that have landed. */
bool fast_switch(Fast *f, const Bucket *bucket, TspError *err);
/* Clears the words of a vector that belong to superlanes that are off. */
void fast_darken(const Fast *f, int32_t vec, uint32_t powered);
/* The next cycle from now on in which a bit may flip; SIM_NEVER if none will. */
int64_t fast_next_flip(const Fast *f);
void fast_flip(Fast *f); /* this cycle's flips */
/* Makes check bits for a vector. */
void fast_seal(const Fast *f, int32_t vec);
/* Checks the vectors that an issue is about to use, SIM_NONE among them skipped, and puts corrected
 * copies in the place of those with wrong bits. False for two in a word; the vectors stay held. */
bool fast_check_all(Fast *f, const Issue *issue, int32_t *vecs, int32_t count, TspError *err);
static inline bool fast_check(Fast *f, const Issue *issue, int32_t *vecs, int32_t count,
                              TspError *err) {
    return !f->checks || fast_check_all(f, issue, vecs, count, err);
}

static inline size_t fast_row_id(const Fast *f, int32_t slice, int32_t addr) {
    return (size_t)slice * (size_t)f->slice_rows + (size_t)addr;
}
static inline uint16_t *fast_vec_check(const Fast *f, int32_t vec) {
    return f->vec_check + (size_t)vec * SIM_SUPERLANES;
}
void fast_mem_land(Fast *f, const Event *event);
void fast_scatter_land(Fast *f, const Event *event);
/* Defines a row before cycle 0. */
void fast_mem_place(Fast *f, size_t row, const uint8_t *vector);
/* Takes the ALU's operands and computes; its queue is event->queue. */
bool fast_vxm_input(Fast *f, const Event *event, TspError *err);
/* The state of an ALU after every result up to cycle `through` has appeared. */
Alu *fast_alu(Fast *f, int32_t number, int64_t through);
/* A result of an ALU as registers. */
const uint32_t *fast_alu_registers(Fast *f, int32_t number, int32_t slot);
/* The last cycle whose results a look at the state sees. */
int64_t fast_seen(const Fast *f);
uint64_t fast_hash(void *e);
void fast_mxm_reset(Fast *f);
/* Multiplies everything under way, so that products are there to be looked at. */
void fast_mxm_multiply_all(Fast *f);
/* Finds the first product that reached the accumulators before `before` and was not taken; if
 * there is one, fails with PRODUCT_LOST. */
bool fast_mxm_none_lost(Fast *f, int64_t before, TspError *err);

static inline uint32_t *fast_product(const Fast *f, int32_t plane, int32_t row) {
    return f->products + ((size_t)plane * SIM_PRODUCTS + (size_t)row) * (size_t)f->lanes;
}
/* A result of an ALU: registers, or packed elements where result_bytes says so. */
static inline uint32_t *fast_alu_result(const Fast *f, int32_t alu, int32_t slot) {
    return f->results + ((size_t)alu * SIM_ALU_RESULTS + (size_t)slot) * TSP_MAX_LANES;
}

#endif
