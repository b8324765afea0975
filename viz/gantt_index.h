/* gantt_index.h - how busy units are in any span of cycles, and for whom: what lets a Gantt of
 * millions of bursts be drawn in a time that depends on its pixels alone.
 *
 * A track is what a row of the Gantt counts: one queue's work, or all reads or writes of a
 * hemisphere's memory, or what any queue does about itself (Sync, Notify, Ifetch, Config). Time is
 * cut into slots; what slots hold adds up to what there is: nothing is sampled.
 */
#ifndef TSP_VIZ_GANTT_INDEX_H
#define TSP_VIZ_GANTT_INDEX_H
#include "timeline.h"

enum {
    VIZ_TRACK_READS,                          /* of the west; + 2: of the east */
    VIZ_TRACK_WRITES = VIZ_TRACK_READS + 1,   /* likewise; a combined slot counts as both */
    VIZ_TRACK_CONTROL = VIZ_TRACK_WRITES + 3, /* NOP aside, what every queue can do */
    VIZ_TRACK_QUEUES,                         /* then one a queue that is not of memory */
    VIZ_TRACKS_MAX = VIZ_TRACK_QUEUES + TSP_MAX_QUEUES
};
int32_t viz_track_count(const TspMachine *m);
/* Track of what a queue that is not of memory does. */
int32_t viz_track_of_queue(const TspMachine *m, int32_t queue);
/* The queue of such a track; -1: several. */
int32_t viz_track_queue(const TspMachine *m, int32_t track);
/* Issues that it can have in a cycle. */
int32_t viz_track_capacity(const TspMachine *m, int32_t track);
/* Whether a burst counts there, and as which half (0, 1) of it; -1 if not. */
int32_t viz_track_half(const TspMachine *m, int32_t track, const VizBurst *burst);

/* Slot i is cycles ceil(origin + i * step) .. ceil(origin + (i + 1) * step) - 1, of those in
 * 0 .. end - 1. */
typedef struct {
    double origin, step; /* step at least 1 */
    int32_t count;
    int64_t end;
    bool exact; /* every issue counts in its very cycle; else a Repeat is as busy all along */
} VizSlots;
int64_t viz_slot_start(const VizSlots *slots, int32_t i);
int32_t viz_slot_of(const VizSlots *slots, int64_t cycle);

/* What a slot holds. Whose it is, is found by majority vote: the op that has more than half of the
 * issues, and if none has, one of those that are there. */
typedef struct {
    float issues, lead; /* lead: votes left when all others are set against them */
    int32_t op;         /* -1 none */
    int32_t burst;      /* one of this op's; -1: no issues */
} VizSlot;

typedef struct VizGanttIndex VizGanttIndex;
/* NULL if out of memory. Does not keep the timeline. Some 0.4 MB for each track that is used. */
VizGanttIndex *viz_gantt_index_new(const VizTimeline *timeline);
void viz_gantt_index_free(VizGanttIndex *index); /* NULL is allowed */

/* Whether anything of the track ever issues. Without an index all bursts are looked at. */
bool viz_track_used(const VizGanttIndex *index, const VizTimeline *timeline, int32_t track);
/* Adds what the slots hold of a track to `sum`, where VizSlot {0, 0, -1, -1} is nothing; and tells
 * in `cycles` how many cycles were counted for each slot. Of slots of many cycles the first and
 * last may be counted for the neighbour, so `cycles` is what to divide by. Without an index, and in
 * slots finer than it has, the bursts in view are walked. */
void viz_track_add(const VizGanttIndex *index, const VizTimeline *timeline, int32_t track,
                   const VizSlots *slots, VizSlot *sum, float *cycles);
/* The same of a queue, whatever it issues; always walks. */
void viz_queue_add(const VizTimeline *timeline, int32_t queue, const VizSlots *slots, VizSlot *sum,
                   float *cycles);

#endif
