/* event.h - things that happen again and again, and when next: what breakpoints wait for, and what
 * "next event" goes to. All of it from the timeline, nothing is simulated.
 */
#ifndef TSP_VIZ_EVENT_H
#define TSP_VIZ_EVENT_H
#include "name.h"

typedef enum {
    VIZ_EVENT_CYCLE,    /* id: the cycle; happens once */
    VIZ_EVENT_ISSUE,    /* id: a queue issues anything */
    VIZ_EVENT_OPCODE,   /* id: a queue issues this opcode */
    VIZ_EVENT_ROW,      /* id: as VIZ_ROW; a Read takes the row or a Write puts it, at its issue.
                           Gather and Scatter go where data say, and do not count */
    VIZ_EVENT_REGISTER, /* id: as VIZ_REGISTER; a vector comes to it, in superlane 0 */
    VIZ_EVENT_OP,       /* id: an instruction begins that works for the op */
    VIZ_EVENT_TENSOR,   /* id: an instruction begins that moves the tensor */
    VIZ_EVENT_ANY       /* anything issues */
} VizEventKind;

typedef struct {
    VizEventKind kind;
    int64_t id;
    TspOpcode opcode;
} VizEvent;

/* The nearest cycle after `cycle` and no later than `last`, or before `cycle`, in which it happens;
 * false: in none. */
bool viz_event_next(const VizRun *run, VizEvent event, int64_t cycle, int64_t last, int64_t *at);
bool viz_event_previous(const VizRun *run, VizEvent event, int64_t cycle, int64_t *at);

/* What happens to a thing: of a queue, and of an instruction in it, that the queue issues; of
 * nothing, that anything issues. */
VizEvent viz_event_of(const VizRun *run, VizThing thing);
/* What a breakpoint on the thing waits for: of an instruction, that its queue issues one of the
 * kind; of nothing, the cycle. */
VizEvent viz_break_on(const VizRun *run, VizThing thing, int64_t cycle);
/* "mxm.e.0.weights issues lw", "cycle 12", ... */
void viz_event_name(const VizRun *run, VizEvent event, char name[VIZ_NAME_MAX]);
bool viz_event_same(VizEvent a, VizEvent b);
/* Whether the run has what the event is of; another one may not. */
bool viz_event_exists(const VizRun *run, VizEvent event);

#endif
