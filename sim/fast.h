/* state.h - the fast engine's state: plain data, indices instead of pointers, one struct a unit.
 *
 * Private to sim/. The arrays whose size depends on the machine hang off TspSim; what is in them
 * is plain data too. Nothing is allocated after tsp_sim_new(), and every array is touched only
 * where the program goes.
 *
 * Order inside a cycle: (1) effects that are due land: ALU results, stream drives, memory writes;
 * (2) ALU inputs are taken; (3) queues issue in the order of their ids and sample their operands.
 */
#ifndef TSP_SIM_STATE_H
#define TSP_SIM_STATE_H
#include "gemm.h"
#include "lanes.h"
#include "sim.h"

enum {
    SIM_NONE = -1,
    SIM_QUEUE_WORDS = TSP_MAX_QUEUES / 64,
    SIM_SLICES = 88, /* of any machine */
    SIM_ALUS = 16,
    SIM_PLANES = 4,  /* 2 * hemisphere + plane of the hemisphere; a pair shares pair = plane/2 */
    SIM_WRITES = 64, /* >= mem_write_cycles of any machine */
    SIM_ALU_RESULTS = 128, /* > vxm_op_cycles of any machine, and one latched */
    SIM_PRODUCTS = 256     /* > 2 * (mxm_entry_cycles + mxm_product_cycles) of any machine */
};
#define SIM_NEVER INT64_MAX

/* -- the program, decoded once -- */
typedef enum { WORD_FINE, WORD_UNDECODABLE, WORD_INVALID, WORD_NOT_MODELLED } WordFault;

typedef struct {
    TspInsn insn;
    int32_t op[2]; /* graph op of the instruction (read half) and of the write half, -1 none */
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

/* -- the event wheel: one bucket a cycle, as many as exceed the longest latency -- */
typedef enum { EVENT_DRIVE, EVENT_RESULT, EVENT_WRITE, EVENT_INPUT } EventKind;

typedef struct {
    int32_t next; /* in the bucket, or in the free list */
    EventKind kind;
    int32_t queue, index;   /* whose effect it is */
    int32_t stream, column; /* DRIVE */
    int32_t target;         /* WRITE: row of the chip; RESULT: slot of the ALU's results */
    int32_t vec[8];         /* DRIVE, WRITE: [0]; INPUT: operand a in 0..3, b in 4..7 */
} Event;

typedef struct {
    int32_t head[2], tail[2];         /* effects; ALU inputs, which come after all effects */
    uint64_t queues[SIM_QUEUE_WORDS]; /* that issue in this cycle */
} Bucket;

/* -- streams: see stream.h -- */
typedef struct {
    int64_t diagonal; /* of the value, exact; INT64_MIN: never driven */
    int64_t driven;   /* cycle of the drive */
    int32_t vec;
    int32_t queue, index; /* producer */
} StreamSlot;

/* -- units -- */
typedef struct {
    int32_t addr;
    int64_t lands;
} RecentWrite;

typedef struct { /* writes under way, oldest first: entries head .. tail-1, modulo SIM_WRITES */
    RecentWrite write[SIM_WRITES];
    uint32_t head, tail;
} Slice;

typedef struct {
    int64_t produced; /* cycle of the last result, -1: none yet */
    int32_t latched;  /* its slot in the ALU's results */
    uint32_t taken;   /* slots given out */
} Alu;

typedef struct {           /* an activation on its way through the array, or its product */
    int64_t arrival;       /* cycle in which the product is at the accumulators */
    int32_t vec[2];        /* activation: bytes, or the low and high plane; -1 once multiplied */
    int32_t generation[2]; /* of the weights, own plane's and (fp16) the odd plane's */
    int32_t index;         /* of the ABC in its queue */
    int32_t row;           /* of the product in the plane's results, -1: not multiplied yet */
    TspDtype type;
} Product;

typedef struct {
    int32_t array;      /* which of the plane's three weight arrays; see Plane.buffer */
    int32_t generation; /* counts IWs; 0: nothing installed */
    int64_t effective;  /* first cycle in which activations meet it */
    TspDtype type;
    bool loaded[TSP_MAX_LANES]; /* columns; the others give +0 whatever meets them */
} WeightSet;

typedef struct {
    /* Weight buffer. Three arrays of lanes x lanes bytes rotate: buffer, and two weight sets. */
    int32_t buffer;
    int32_t groups_loaded;
    int64_t last_arrival, last_install; /* of LWs since the last IW; issue of it, -1: none */
    bool group_loaded[TSP_MAX_LANES], column_loaded[TSP_MAX_LANES];
    WeightSet set[2];
    int32_t newest;    /* of the sets */
    int32_t prepared;  /* generation that the int8 kernel's weights hold, 0: none */
    int64_t fp16_busy; /* even plane: first cycle in which the pair is free again */
    /* Products, oldest first: head .. tail-1 modulo SIM_PRODUCTS; those below `multiplied` hold a
     * row of results. */
    uint32_t head, multiplied, tail;
    int32_t next_row;
    Product product[SIM_PRODUCTS];
} Plane;

typedef struct {
    int64_t now;
    bool done, notified;
    int64_t notify_cycle;
    int32_t running, parked; /* queues */
    QueueState queue[TSP_MAX_QUEUES];
    uint64_t far[SIM_QUEUE_WORDS]; /* queues whose next issue lies beyond the wheel */
    int64_t far_first;             /* the earliest of them */
    int32_t event_free, event_used, vec_free, vec_used;
    TspSimStats stats; /* stream_hops counts to the edge of the chip; see tsp_sim_stats() */
    Slice slice[SIM_SLICES];
    Alu alu[SIM_ALUS];
    Plane plane[SIM_PLANES];
    int32_t pair_prepared[SIM_PLANES / 2][2]; /* generations that the fp16 kernel's weights hold */
} State;

struct TspSim {
    const TspProgram *program;
    const TspMachine *m;
    /* constants of the run */
    int32_t lanes, columns, queues, slice_rows;
    int32_t ring;  /* slots of a stream: a power of two, at least `columns` */
    int32_t wheel; /* buckets: a power of two above every latency, at least 64 */
    int32_t func[TSP_OP_COUNT];
    bool binary[TSP_OP_COUNT]; /* the VXM op has a second operand */
    TspQueueInfo info[TSP_MAX_QUEUES];
    Word *words[TSP_MAX_QUEUES];
    int32_t word_count[TSP_MAX_QUEUES];
    uint8_t **inputs; /* copies of the tensors written, for going back; NULL where none */
    /* state */
    State state;
    bool failed;
    TspError failure; /* why it stopped, for those who try to go on */
    TspInterval *intervals;
    StreamSlot *slots; /* [stream][ring] */
    Bucket *buckets;
    uint64_t *occupied; /* a bit a bucket */
    Event *events;
    int32_t event_capacity;
    uint8_t *vectors;  /* the pool: TSP_MAX_LANES bytes each */
    int32_t *vec_refs; /* references; of a free vector, the next free one */
    int32_t vec_capacity;
    uint8_t *memory; /* [slice][row][lanes], mapped, touched only where used */
    size_t memory_bytes;
    uint64_t *defined;         /* a bit a row */
    uint32_t *results;         /* [alu][SIM_ALU_RESULTS][TSP_MAX_LANES] */
    uint32_t *operands;        /* two registers, scratch */
    uint8_t *weights;          /* [plane][3][lanes columns][lanes] */
    uint32_t *products;        /* [plane][SIM_PRODUCTS][lanes] */
    uint32_t *accumulators;    /* [plane][row][lanes] */
    uint8_t *accumulator_type; /* [plane][row]: 0 undefined, else 1 + TSP_I32 or TSP_F32 */
    TspGemmInt8 *int8_weights; /* [plane] */
    TspGemmFp16 *fp16_weights; /* [pair] */
};

/* One issue of one instruction, as the units see it. */
typedef struct {
    int32_t queue, index;
    const TspQueueInfo *info;
    const TspInsn *insn;
    int32_t step, wstep; /* what Repeat has added to the address, and to waddr of a combined slot */
} Issue;

/* -- faults (sim.c). The text names the instruction and the op it works for. -- */
bool sim_fault(TspSim *sim, TspError *err, TspRule rule, int64_t cycle, int32_t queue,
               int32_t index, const char *format, ...) __attribute__((format(printf, 7, 8)));

/* -- events (queue.c) -- */
/* A fresh event, due `delay` cycles from now (1 .. wheel-1), after those already due then. */
Event *sim_event_add(TspSim *sim, EventKind kind, int64_t delay, const Issue *issue);
bool sim_queues_start(TspSim *sim, TspError *err);
/* Executes all cycles below `limit`, or to the end of the program. */
bool sim_advance(TspSim *sim, int64_t limit, TspError *err);

/* -- units: issue one instruction; effects of events -- */
typedef bool SimIssue(TspSim *sim, const Issue *issue, TspError *err);
SimIssue sim_mem_issue, sim_vxm_issue, sim_load_weights, sim_install_weights, sim_activate,
    sim_accumulate, sim_transpose;

static inline size_t sim_row_id(const TspSim *sim, int32_t slice, int32_t addr) {
    return (size_t)slice * (size_t)sim->slice_rows + (size_t)addr;
}
static inline uint8_t *sim_row(const TspSim *sim, size_t row) {
    return sim->memory + row * (size_t)sim->lanes;
}
static inline bool sim_row_defined(const TspSim *sim, size_t row) {
    return sim->defined[row / 64] >> (row % 64) & 1;
}
void sim_mem_land(TspSim *sim, const Event *event);
void sim_mem_define(TspSim *sim, size_t row, const uint8_t *vector);
/* Takes the ALU's operands and computes; its queue is event->queue. */
bool sim_vxm_input(TspSim *sim, const Event *event, TspError *err);
void sim_vxm_result(TspSim *sim, const Event *event);
void sim_mxm_reset(TspSim *sim);
/* Multiplies everything under way, so that products are there to be looked at. */
void sim_mxm_multiply_all(TspSim *sim);
/* Finds the first product that reached the accumulators before `before` and was not taken; if
 * there is one, fails with PRODUCT_LOST. */
bool sim_mxm_none_lost(TspSim *sim, int64_t before, TspError *err);

static inline uint8_t *sim_weights(const TspSim *sim, int32_t plane, int32_t array) {
    size_t n = (size_t)sim->lanes;
    return sim->weights + ((size_t)plane * 3 + (size_t)array) * n * n;
}
static inline uint32_t *sim_product(const TspSim *sim, int32_t plane, int32_t row) {
    return sim->products + ((size_t)plane * SIM_PRODUCTS + (size_t)row) * (size_t)sim->lanes;
}
static inline uint32_t *sim_alu_result(const TspSim *sim, int32_t alu, int32_t slot) {
    return sim->results + ((size_t)alu * SIM_ALU_RESULTS + (size_t)slot) * TSP_MAX_LANES;
}

#endif
