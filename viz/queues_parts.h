/* queues_parts.h - what a queue does in a cycle, and the two halves of the panel of queues.
 */
#ifndef TSP_VIZ_QUEUES_PARTS_H
#define TSP_VIZ_QUEUES_PARTS_H
#include "label.h"

typedef enum {
    QUEUE_ISSUING,
    QUEUE_REPEATING, /* between two repetitions */
    QUEUE_WAITING,   /* in a NOP */
    QUEUE_PARKED,    /* at a Sync, for the Notify */
    QUEUE_DONE,      /* no instruction left */
    QUEUE_UNUSED,    /* never had one */
    QUEUE_STATES
} QueueState;

typedef struct {
    QueueState state;
    VizIssue issue; /* the present one, else the next, else the last; burst NULL: there is none */
    int64_t left;   /* cycles until the next issue, or until a parked queue goes on; -1 unknown */
    int64_t whole;  /* of which that is left: from the last issue or the release on */
} QueueStatus;

QueueStatus queue_status(const VizRun *run, int32_t queue, int64_t cycle);
const char *queue_state_name(QueueState state);

/* A queue's instructions around the cycle looked at. */
void queues_draw_list(const VizFrame *frame, const VizFocus *focus, VizRect box);
/* One cell, as it is drawn for a queue in this state; `fill` of what it issues. */
void queues_draw_cell(const VizFrame *frame, VizRect cell, const QueueStatus *status, VizFill fill);

#endif
