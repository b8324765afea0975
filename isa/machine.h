/* machine.h - the machine description: geometry and timing of one chip, as data.
 *
 * Every number the toolchain needs about the chip is a field here (machine.def gives value, mark
 * and source); nothing else in the project is allowed a literal latency or size.
 */
#ifndef TSP_MACHINE_H
#define TSP_MACHINE_H
#include "error.h"

#include <stddef.h>

typedef struct {
    char name[32];
#define FIELD(name, tsp1, tiny, min, max, mark, note) int64_t name;
#include "machine.def"
#undef FIELD
} TspMachine;

/* The upper bounds that machine.def allows; arrays may be sized with them. */
enum {
    TSP_MAX_LANES = 320,
    TSP_MAX_STREAMS = 64,  /* both directions */
    TSP_MAX_COLUMNS = 128, /* stream-register columns of any machine */
    TSP_MAX_QUEUES = 192,
    TSP_MAX_ALUS = 16
};

/* Where things stand, west to east: MXM, SXM, MEM Wn..W0, VXM, MEM E0..En, SXM, MXM. */
typedef enum { TSP_WEST = 0, TSP_EAST = 1 } TspHemisphere;
typedef enum { TSP_EASTWARD = 0, TSP_WESTWARD = 1 } TspDirection;

/* Fills *m with a built-in machine ("tsp1" or "tiny"); false if there is none of that name. */
bool tsp_machine_builtin(TspMachine *m, const char *name);
/* Name of a built-in machine or path of a JSON file: an object of field names as in machine.def;
 * "base" names the built-in it starts from (default tsp1), "name" is "custom" if left out. Unknown
 * or repeated fields and values out of range are refused by file:line:col. */
bool tsp_machine_load(TspMachine *m, const char *name_or_path, TspError *err);
/* Parses the JSON text of a machine; `origin` names it in errors. */
bool tsp_machine_parse(TspMachine *m, const char *text, size_t length, const char *origin,
                       TspError *err);
/* The machine as JSON (all fields, fixed order, two-space indent, newline at the end). The caller
 * frees. tsp_machine_parse() of it gives the same machine. With `notes`, each field is an object
 * {value, mark, note} for people (not parseable back). NULL only when out of memory. */
char *tsp_machine_json(const TspMachine *m, bool notes);
/* Checks ranges and that the parts fit each other (16-lane transposes, 13-bit addresses, ...). */
bool tsp_machine_validate(const TspMachine *m, TspError *err);

/* -- derived geometry -- */
/* Lanes of a vector = bytes of a vector = rows and columns of an MXM plane. */
static inline int32_t tsp_lanes(const TspMachine *m) {
    return (int32_t)(m->superlanes * m->lanes_per_superlane);
}
static inline int32_t tsp_mem_columns(const TspMachine *m) { /* of one hemisphere */
    return (int32_t)((m->mem_slices + m->mem_slices_per_column - 1) / m->mem_slices_per_column);
}
/* Stream-register columns, numbered from the west end: MXM-W is 0. tsp1: 27, VXM is 13. */
static inline int32_t tsp_columns(const TspMachine *m) {
    return 2 * tsp_mem_columns(m) + 5;
}
static inline int32_t tsp_vxm_column(const TspMachine *m) {
    return tsp_mem_columns(m) + 2;
}
static inline int32_t tsp_mxm_column(const TspMachine *m, TspHemisphere h) {
    return h == TSP_WEST ? 0 : tsp_columns(m) - 1;
}
static inline int32_t tsp_sxm_column(const TspMachine *m, TspHemisphere h) {
    return h == TSP_WEST ? 1 : tsp_columns(m) - 2;
}
/* Column of MEM slice `index` (0 is next to the VXM) of hemisphere h. */
static inline int32_t tsp_mem_column(const TspMachine *m, TspHemisphere h, int32_t index) {
    int32_t away = 1 + index / (int32_t)m->mem_slices_per_column;
    return h == TSP_WEST ? tsp_vxm_column(m) - away : tsp_vxm_column(m) + away;
}
/* Rows of a MEM slice over all banks; addresses are 0 .. this-1. Bank of an address. */
static inline int32_t tsp_mem_slice_rows(const TspMachine *m) {
    return (int32_t)(m->mem_banks * m->mem_rows);
}
static inline int32_t tsp_mem_bank(const TspMachine *m, int32_t addr) {
    return (int32_t)(addr / m->mem_rows);
}
/* Cycles as time. */
static inline double tsp_microseconds(const TspMachine *m, int64_t cycles) {
    return 1e6 * (double)cycles / (double)m->clock_hz;
}
/* Vectors that one Ifetch takes, one a cycle. */
static inline int32_t tsp_ifetch_vectors(const TspMachine *m) {
    return (int32_t)((m->ifetch_bytes + tsp_lanes(m) - 1) / tsp_lanes(m));
}
/* d_func of a Shift by n lanes: inside the superlanes, or crossing into the next ceil(n / L). */
static inline int32_t tsp_shift_cycles(const TspMachine *m, int32_t n, bool cross) {
    int64_t crossed = (n + m->lanes_per_superlane - 1) / m->lanes_per_superlane;
    if (!cross || crossed == 0) return (int32_t)m->sxm_shift_cycles;
    return (int32_t)(m->sxm_shift_cross_cycles + (crossed - 1) * m->sxm_shift_far_cycles);
}
/* 0 .. 2*mem_slices-1: west slices W0.. first, then E0.. . Used as the slice number everywhere;
 * it is also the queue id of that slice. */
static inline int32_t tsp_slice_id(const TspMachine *m, TspHemisphere h, int32_t index) {
    return (h == TSP_WEST ? 0 : (int32_t)m->mem_slices) + index;
}
static inline TspHemisphere tsp_slice_hemisphere(const TspMachine *m, int32_t slice) {
    return slice < m->mem_slices ? TSP_WEST : TSP_EAST;
}
static inline int32_t tsp_slice_column(const TspMachine *m, int32_t slice) {
    return slice < m->mem_slices ? tsp_mem_column(m, TSP_WEST, slice)
                                 : tsp_mem_column(m, TSP_EAST, slice - (int32_t)m->mem_slices);
}

/* -- queues -- */
typedef enum {
    TSP_UNIT_ANY,
    TSP_UNIT_MEM,
    TSP_UNIT_VXM,
    TSP_UNIT_MXM,
    TSP_UNIT_SXM,
    TSP_UNIT_C2C
} TspUnit;
/* What a queue of a unit with several kinds of queue drives. */
typedef enum {
    TSP_ROLE_NONE,
    TSP_ROLE_WEIGHTS,     /* MXM: LW, IW */
    TSP_ROLE_ACTIVATIONS, /* MXM: ABC */
    TSP_ROLE_RESULTS,     /* MXM: ACC */
    TSP_ROLE_TRANSPOSE,   /* SXM, below */
    TSP_ROLE_DISTRIBUTE,
    TSP_ROLE_PERMUTE,
    TSP_ROLE_SHIFT,
    TSP_ROLE_SELECT,
    TSP_ROLE_ROTATE
} TspRole;

typedef struct {
    TspUnit unit;
    TspRole role;
    TspHemisphere hemisphere; /* meaningless for VXM and C2C */
    int32_t index;            /* slice in its hemisphere, ALU, plane in its hemisphere, ... */
    int32_t column;           /* stream-register column it taps */
} TspQueueInfo;

/* Queue ids, in this order: MEM W0.., MEM E0.., VXM 0.., MXM W plane 0 {weights, activations,
 * results}, plane 1, MXM E ..., SXM W {transposers, distributors, permuters, shifters, selectors,
 * rotators}, SXM E, C2C. tsp1: 144 and 16 C2C. */
int32_t tsp_queue_count(const TspMachine *m); /* C2C queues included */
TspQueueInfo tsp_queue_info(const TspMachine *m, int32_t queue);
int32_t tsp_queue_vxm(const TspMachine *m, int32_t alu);
int32_t tsp_queue_mxm(const TspMachine *m, TspHemisphere h, int32_t plane, TspRole role);
int32_t tsp_queue_sxm(const TspMachine *m, TspHemisphere h, TspRole role, int32_t index);
/* "mem.w3", "vxm.7", "mxm.e.0.weights", "sxm.w.transpose.1", "c2c.4"; into name[32]. */
void tsp_queue_name(const TspMachine *m, int32_t queue, char name[32]);
/* Inverse; -1 if there is no such queue on this machine. */
int32_t tsp_queue_find(const TspMachine *m, const char *name);

#endif
