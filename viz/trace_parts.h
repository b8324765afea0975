/* trace_parts.h - what the writers of traces share: names of queues, the agenda of what happens
 * next, and the values on the streams.
 */
#ifndef TSP_VIZ_TRACE_PARTS_H
#define TSP_VIZ_TRACE_PARTS_H
#include "operands.h"
#include "trace.h"

#include <stdio.h>

/* What is to be written, and where to. */
typedef struct {
    const VizTimeline *timeline;
    int64_t from, to; /* cycles from .. to - 1 */
    FILE *out;        /* errors of it are found at the end */
} Trace;

/* The formats. False when out of memory, or for what the format cannot hold. */
bool trace_perfetto(const Trace *trace, TspError *err);
bool trace_vcd(const Trace *trace, TspError *err);
bool trace_kanata(const Trace *trace, TspError *err);

bool trace_out_of_memory(TspError *err); /* sets the error; false */
/* "matmul-int8", or what else to call a program without a name. */
const char *trace_name(const TspProgram *p);

/* Kinds of units, as the viewers group them. */
typedef enum {
    TRACE_MEM_WEST,
    TRACE_MEM_EAST,
    TRACE_VXM,
    TRACE_MXM,
    TRACE_SXM,
    TRACE_C2C,
    TRACE_GROUPS
} TraceGroup;
typedef struct {
    const char *title, *scope; /* for people; as an identifier */
} TraceGroupInfo;
extern const TraceGroupInfo trace_groups[TRACE_GROUPS];
TraceGroup trace_group(const TspMachine *m, int32_t queue);

/* -- the agenda: what happens next, over all queues -- */

/* In the order in which they happen in a cycle. All but issues are put there by the writer. */
typedef enum {
    TRACE_OFF,    /* what an issue or a result had set is over */
    TRACE_LEAVE,  /* a value leaves the chip at its edge */
    TRACE_DRIVE,  /* a value lands on stream registers */
    TRACE_RESULT, /* a unit has a result */
    TRACE_STAGE,
    TRACE_RETIRE,
    TRACE_ISSUE
} TracePhase;

typedef struct {
    int64_t cycle;
    TracePhase phase;
    int32_t queue;
    int32_t stream, count; /* DRIVE, LEAVE */
    int32_t stage;         /* STAGE */
    int64_t id;            /* of the issue that it is an effect of */
    VizIssue issue;        /* ISSUE */
} TraceEvent;

/* A heap of the effects to come and the next issue of each queue: memory goes with the queues and
 * the latencies, not with the length of the run. */
typedef struct {
    const VizTimeline *timeline;
    TraceEvent *events;
    int32_t count, capacity;
    int64_t to;  /* issues below this cycle */
    bool broken; /* out of memory */
} TraceAgenda;

/* Begins with all issues from `from` to below `to`. */
void trace_agenda_start(TraceAgenda *agenda, const VizTimeline *timeline, int64_t from, int64_t to);
void trace_agenda_free(TraceAgenda *agenda);
void trace_agenda_add(TraceAgenda *agenda, TraceEvent event);
/* The next event, by cycle, phase, queue, id, stream; false if there is none, or out of memory. */
bool trace_agenda_take(TraceAgenda *agenda, TraceEvent *event);
/* Adds a DRIVE for what the instruction will drive. */
void trace_agenda_drive(TraceAgenda *agenda, const VizIssue *issue, const TspInsn *insn,
                        int64_t id);
/* Cycles after which an issue cannot be noticed any more: its value has left the chip. */
int64_t trace_longest(const VizTimeline *timeline);

/* -- the streams: which value stands where -- */

/* A value keeps its diagonal, so the cycle in which it leaves the chip tells it apart from every
 * other on its stream. */
enum { TRACE_SLOTS = 256 };
_Static_assert((int)TRACE_SLOTS > (int)TSP_MAX_COLUMNS, "no two values of a stream share a slot");
typedef struct {
    int64_t leaves, id;
} TraceValue;
typedef struct {
    const TspMachine *m;
    TraceValue value[TSP_MAX_STREAMS][TRACE_SLOTS];
} TraceStreams;

void trace_streams_clear(TraceStreams *streams, const TspMachine *m);
/* The first cycle in which a value that is now at a column has left. */
int64_t trace_leaves(const TspMachine *m, int32_t stream, int32_t column, int64_t cycle);
/* A value is driven; false if it takes the place of one that was passing by. */
bool trace_streams_put(TraceStreams *streams, int32_t stream, int32_t column, int64_t cycle,
                       int64_t id);
/* Whose value stands there; -1 if none. */
int64_t trace_streams_look(const TraceStreams *streams, int32_t stream, int32_t column,
                           int64_t cycle);

#endif
