/* fault_oracle.h - what flips must do to a program, by following the wrong bits instead of the
 * data.
 *
 * A third engine for one superlane that knows no values: of every stream register and row it keeps
 * whether something is there and which of the planned flips it carries. It is driven by the words
 * of the program; addresses that come from data it is given. No Sync, one chip.
 */
#ifndef TSP_TESTS_FAULT_ORACLE_H
#define TSP_TESTS_FAULT_ORACLE_H
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

enum {
    ORACLE_ISSUES = 1024,
    ORACLE_ROWS = 16 * 1024,
    ORACLE_RING = 128, /* longer than any latency */
    ORACLE_LANDINGS = 64,
    ORACLE_SUPERLANES = 32
};
/* Of a register or row: empty, or something with the flips (1: the first, 2: the second) in it. */
enum { NOTHING = 0, THERE = 0x80, FIRST = 1, BOTH = 3 };
typedef uint8_t Mark;

typedef struct {
    int64_t cycle;
    int32_t queue, index, column;
    TspInsn insn;                       /* addresses as stepped by Repeat */
    int32_t address[ORACLE_SUPERLANES]; /* of a Gather or Scatter, by the clean run */
    int32_t vectors;                    /* an Ifetch: also in so many cycles from here on */
} OracleIssue;

/* What a program does and when; the same for all trials. */
typedef struct {
    const TspProgram *p;
    const TspMachine *m;
    OracleIssue issues[ORACLE_ISSUES]; /* by cycle, then queue */
    int32_t count;
    int64_t latency;
} OracleTrack;

typedef enum { LAND_STREAM, LAND_ROW, LAND_POWER } LandKind;
typedef struct {
    LandKind kind;
    int32_t where, column; /* stream; row of all slices; or the mask */
    Mark mark;
} Landing;

/* What is expected of a run. */
typedef struct {
    bool stops; /* a machine fault, there: */
    int64_t cycle;
    int32_t queue, index;
    int64_t corrected, flipped; /* where it does not stop */
    bool host;                  /* the host finds two wrong bits */
    bool host_corrects;         /* or one */
} Expected;

typedef struct {
    const OracleTrack *track;
    int32_t superlane;
    int64_t now;
    bool on;
    Mark stream[TSP_MAX_STREAMS][TSP_MAX_COLUMNS];
    Mark rows[ORACLE_ROWS];
    Landing landings[ORACLE_RING][ORACLE_LANDINGS];
    int32_t landing_count[ORACLE_RING];
    Expected expected;
} Oracle;

/* ---- the track ---- */

static inline int oracle_order(const void *left, const void *right) {
    const OracleIssue *a = left, *b = right;
    if (a->cycle != b->cycle) return a->cycle < b->cycle ? -1 : 1;
    return (a->queue > b->queue) - (a->queue < b->queue);
}

static inline void oracle_add(OracleTrack *t, const OracleIssue *issue, int32_t steps,
                              int32_t wsteps, int64_t cycle) {
    OracleIssue *added = &t->issues[t->count++];
    int64_t end = cycle + tsp_insn_func(t->m, &issue->insn);
    *added = *issue;
    added->cycle = cycle;
    added->insn.addr += steps;
    added->insn.waddr += issue->insn.op == TSP_OP_READ_WRITE ? wsteps : steps;
    added->vectors = issue->insn.op == TSP_OP_IFETCH ? tsp_ifetch_vectors(t->m) : 1;
    if (end > t->latency) t->latency = end;
}

/* All issues of one queue. False for what the oracle does not follow. */
static inline bool oracle_queue(OracleTrack *t, int32_t queue) {
    const TspQueue *q = &t->p->queues[queue];
    OracleIssue issue = {.queue = queue, .column = tsp_queue_info(t->m, queue).column};
    int64_t now = 0;
    for (int32_t i = 0; i < q->count; i++) {
        TspInsn insn;
        TspError err;
        if (!tsp_decode(q->words[i], &insn, &err)) return false;
        if (insn.op == TSP_OP_SYNC || insn.op == TSP_OP_NOTIFY || insn.n2) return false;
        if (insn.op == TSP_OP_NOP) {
            now += insn.n;
        } else if (insn.op == TSP_OP_REPEAT) {
            for (int32_t k = 1; k <= insn.n; k++, now += insn.d) {
                if (t->count == ORACLE_ISSUES) return false;
                oracle_add(t, &issue, k * insn.a, k * insn.w, now - 1 + insn.d);
            }
        } else {
            if (t->count == ORACLE_ISSUES) return false;
            issue.insn = insn;
            issue.index = i;
            oracle_add(t, &issue, 0, 0, now++);
        }
    }
    return true;
}

static inline bool oracle_track(OracleTrack *t, const TspProgram *p) {
    memset(t, 0, sizeof *t);
    t->p = p;
    t->m = &p->machine;
    for (int32_t q = 0; q < tsp_queue_count(t->m); q++)
        if (!oracle_queue(t, q)) return false;
    qsort(t->issues, (size_t)t->count, sizeof *t->issues, oracle_order);
    return 2 * t->m->mem_slices * tsp_mem_slice_rows(t->m) <= ORACLE_ROWS;
}

/* Takes addresses from maps that stand on streams in the present cycle of a clean run. */
static inline void oracle_learn(OracleTrack *t, const TspSim *clean) {
    const int32_t tile = (int32_t)t->m->lanes_per_superlane;
    for (int32_t i = 0; i < t->count; i++) {
        OracleIssue *issue = &t->issues[i];
        const uint8_t *map;
        if (issue->cycle != tsp_sim_now(clean)) continue;
        if (issue->insn.op != TSP_OP_GATHER && issue->insn.op != TSP_OP_SCATTER) continue;
        map = tsp_sim_stream(clean, issue->insn.map, issue->column);
        for (int32_t k = 0; map && k < t->m->superlanes; k++)
            issue->address[k] = map[k * tile] + 256 * map[k * tile + 1];
    }
}

/* ---- a run ---- */

static inline void oracle_land(Oracle *o, int64_t cycle, LandKind kind, int32_t where,
                               int32_t column, Mark mark) {
    const int64_t slot = cycle % ORACLE_RING;
    o->landings[slot][o->landing_count[slot]++] = (Landing){kind, where, column, mark};
}

static inline int32_t oracle_row(const Oracle *o, int32_t slice, int32_t addr) {
    return slice * tsp_mem_slice_rows(o->track->m) + addr;
}

/* Phase 1: everything moves on, then what is due lands, then power switches. */
static inline void oracle_arrive(Oracle *o) {
    const int32_t columns = tsp_columns(o->track->m);
    const int64_t slot = o->now % ORACLE_RING;
    for (int32_t s = 0; s < TSP_MAX_STREAMS; s++) {
        Mark *line = o->stream[s];
        bool east = TSP_STREAM_DIRECTION(s) == TSP_EASTWARD;
        memmove(line + east, line + !east, (size_t)columns - 1);
        line[east ? 0 : columns - 1] = NOTHING;
    }
    for (int32_t i = 0; i < o->landing_count[slot]; i++) {
        const Landing *l = &o->landings[slot][i];
        if (l->kind == LAND_STREAM) o->stream[l->where][l->column] = l->mark;
        if (l->kind == LAND_ROW) o->rows[l->where] = l->mark;
    }
    for (int32_t i = 0; i < o->landing_count[slot]; i++)
        if (o->landings[slot][i].kind == LAND_POWER)
            o->on = o->landings[slot][i].where >> o->superlane & 1;
    o->landing_count[slot] = 0;
    if (o->on) return;
    for (int32_t s = 0; s < TSP_MAX_STREAMS; s++)
        for (int32_t c = 0; c < columns; c++)
            if (o->stream[s][c]) o->stream[s][c] = THERE;
}

/* Phase 2. The superlane of both flips is the oracle's. */
static inline void oracle_flip(Oracle *o, const TspFlip *flip, int32_t which) {
    Mark *mark;
    if (flip->cycle != o->now) return;
    mark = flip->slice >= 0 ? &o->rows[oracle_row(o, flip->slice, flip->row)]
                            : &o->stream[flip->stream][flip->column];
    if (*mark == NOTHING || (flip->slice < 0 && !o->on)) return;
    *mark ^= (Mark)(FIRST << which);
    o->expected.flipped++;
}

/* A unit uses the word on a stream. */
static inline void oracle_use(Oracle *o, const OracleIssue *issue, int32_t stream) {
    const Mark flips = o->stream[stream][issue->column] & BOTH;
    if (!o->on || flips == 0) return;
    if (flips != BOTH) {
        o->expected.corrected++;
        return;
    }
    if (o->expected.stops) return;
    o->expected.stops = true;
    o->expected.cycle = o->now;
    o->expected.queue = issue->queue;
    o->expected.index = issue->index;
}

/* MEM passes words on as they are. */
static inline void oracle_mem(Oracle *o, const OracleIssue *issue) {
    const TspMachine *m = o->track->m;
    const TspInsn *insn = &issue->insn;
    const bool by_map = insn->op == TSP_OP_GATHER || insn->op == TSP_OP_SCATTER;
    const bool reads = insn->op != TSP_OP_WRITE && insn->op != TSP_OP_SCATTER;
    const bool writes = insn->op != TSP_OP_READ && insn->op != TSP_OP_GATHER;
    const int64_t more = by_map ? m->mem_indirect_cycles : 0;
    const int32_t address = issue->address[o->superlane];
    if (by_map) oracle_use(o, issue, insn->map);
    if (reads) {
        int32_t row = oracle_row(o, issue->queue, by_map ? address : insn->addr);
        oracle_land(o, o->now + m->mem_read_cycles + more, LAND_STREAM, insn->stream, issue->column,
                    o->on ? o->rows[row] : THERE);
    }
    if (writes && o->on) {
        int32_t row = oracle_row(o, issue->queue, by_map ? address : insn->waddr);
        oracle_land(o, o->now + m->mem_write_cycles + more, LAND_ROW, row, 0,
                    o->stream[insn->wstream][issue->column]);
    }
}

/* Everybody else uses what he takes and drives new words. */
static inline void oracle_unit(Oracle *o, const OracleIssue *issue) {
    const TspMachine *m = o->track->m;
    const TspInsn *insn = &issue->insn;
    const TspInsnInfo *info = tsp_insn_info(insn->op);
    for (int32_t i = 0; i < info->field_count; i++) {
        const TspField *field = &info->fields[i];
        int32_t first, count = tsp_field_streams(m, field, insn);
        if (count == 0) continue;
        first = tsp_field_get(insn, field);
        if (insn->op == TSP_OP_LW) count = insn->count;
        if (insn->op == TSP_OP_ACC && !insn->emit) continue;
        for (int32_t k = 0; k < count; k++)
            if (tsp_field_drives(field, insn->op))
                oracle_land(o, o->now + tsp_insn_func(m, insn), LAND_STREAM, first + k,
                            issue->column, THERE);
            else
                oracle_use(o, issue, first + k);
    }
}

static inline void oracle_issue(Oracle *o, const OracleIssue *issue) {
    if (issue->insn.op == TSP_OP_CONFIG)
        oracle_land(o, o->now + o->track->m->config_cycles, LAND_POWER, issue->insn.mask, 0, 0);
    else if (tsp_insn_info(issue->insn.op)->unit == TSP_UNIT_MEM)
        oracle_mem(o, issue);
    else
        oracle_unit(o, issue);
}

static inline void oracle_place(Oracle *o) {
    const TspProgram *p = o->track->p;
    for (int32_t t = 0; t < p->tensor_count; t++)
        for (int32_t k = 0; p->tensors[t].data && k < p->tensors[t].piece_count; k++) {
            const TspPiece *piece = &p->tensors[t].pieces[k];
            for (int32_t i = 0; i < piece->rows; i++)
                o->rows[oracle_row(o, piece->slice, piece->addr + i * piece->addr_step)] = THERE;
        }
}

static inline void oracle_host(Oracle *o) {
    const TspProgram *p = o->track->p;
    for (int32_t t = 0; t < p->tensor_count; t++)
        for (int32_t k = 0; k < p->tensors[t].piece_count; k++) {
            const TspPiece *piece = &p->tensors[t].pieces[k];
            if (p->tensors[t].role != TSP_ROLE_OUTPUT) continue;
            for (int32_t i = 0; i < piece->rows; i++) {
                int32_t addr = piece->addr + i * piece->addr_step;
                Mark flips = o->rows[oracle_row(o, piece->slice, addr)] & BOTH;
                o->expected.host |= flips == BOTH;
                o->expected.host_corrects |= flips != 0 && flips != BOTH;
            }
        }
}

/* What one or two flips of one superlane must do. */
static inline Expected oracle_run(const OracleTrack *track, const TspFlip *flips, int32_t count) {
    static Oracle oracle;
    Oracle *o = &oracle;
    int32_t next = 0;
    memset(o, 0, sizeof *o);
    o->track = track;
    o->superlane = flips[0].superlane;
    o->on = true;
    oracle_place(o);
    for (o->now = 0; o->now <= track->latency && !o->expected.stops; o->now++) {
        oracle_arrive(o);
        if (o->now == track->latency) break;
        for (int32_t i = 0; i < count; i++) oracle_flip(o, &flips[i], i);
        for (; next < track->count && track->issues[next].cycle == o->now; next++)
            oracle_issue(o, &track->issues[next]);
        for (int32_t i = 0; i < next; i++) { /* phase 5: Ifetches that go on */
            const OracleIssue *issue = &track->issues[i];
            if (issue->cycle < o->now && o->now < issue->cycle + issue->vectors)
                oracle_use(o, issue, issue->insn.stream);
        }
    }
    oracle_host(o);
    return o->expected;
}

#endif
