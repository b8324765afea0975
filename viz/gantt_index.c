/* gantt_index.c - counts issues into slots of time, and keeps such counts at several widths.
 */
#include "gantt_index.h"

#include <math.h>
#include <stdlib.h>

/* Rounds of a Repeat that are no further apart, in cycles, are counted as one. */
enum { CLOSE = 16 };
/* The finest width has at most FINEST slots; each further one is 4 times as wide. */
enum { FINEST = 1 << 14, COARSEST = 1 << 7, STEP_BITS = 2, LEVELS_MAX = 8 };

struct VizGanttIndex {
    int32_t tracks, levels;
    VizSlots slots[LEVELS_MAX];
    int32_t first[LEVELS_MAX]; /* of the level, in the counts of a track */
    int32_t slots_total;
    VizSlot *counts[VIZ_TRACKS_MAX]; /* NULL: never used */
};

/* -- tracks -- */

static int32_t slices(const TspMachine *m) {
    return 2 * (int32_t)m->mem_slices;
}

int32_t viz_track_count(const TspMachine *m) {
    return VIZ_TRACK_QUEUES + tsp_queue_count(m) - slices(m);
}

int32_t viz_track_of_queue(const TspMachine *m, int32_t queue) {
    return VIZ_TRACK_QUEUES + queue - slices(m);
}

int32_t viz_track_queue(const TspMachine *m, int32_t track) {
    return track < VIZ_TRACK_QUEUES ? -1 : track - VIZ_TRACK_QUEUES + slices(m);
}

int32_t viz_track_capacity(const TspMachine *m, int32_t track) {
    return track < VIZ_TRACK_CONTROL ? (int32_t)m->mem_slices : 1;
}

static bool is_control(TspOpcode op) {
    return tsp_insn_info(op)->unit == TSP_UNIT_ANY;
}

int32_t viz_track_half(const TspMachine *m, int32_t track, const VizBurst *b) {
    const bool control = is_control(b->opcode);
    if (track == VIZ_TRACK_CONTROL) return control ? 0 : -1;
    if (control) return -1;
    if (track > VIZ_TRACK_CONTROL) return viz_track_of_queue(m, b->queue) == track ? 0 : -1;
    if (b->queue >= slices(m) || b->queue / (int32_t)m->mem_slices != track / 2) return -1;
    switch (b->opcode) {
    case TSP_OP_READ_WRITE:
        return track % 2;
    case TSP_OP_READ:
    case TSP_OP_GATHER:
        return track % 2 == VIZ_TRACK_READS ? 0 : -1;
    default:
        return track % 2 == VIZ_TRACK_WRITES ? 0 : -1;
    }
}

/* The queues that a track is made of: *first .. *end - 1. */
static void queues_of(const TspMachine *m, int32_t track, int32_t *first, int32_t *end) {
    *first = viz_track_queue(m, track);
    *end = *first + 1;
    if (track > VIZ_TRACK_CONTROL) return;
    *first = track == VIZ_TRACK_CONTROL ? 0 : track / 2 * (int32_t)m->mem_slices;
    *end = track == VIZ_TRACK_CONTROL ? tsp_queue_count(m) : *first + (int32_t)m->mem_slices;
}

/* -- slots -- */

int64_t viz_slot_start(const VizSlots *s, int32_t i) {
    const double at = ceil(s->origin + i * s->step);
    return at <= 0 ? 0 : at >= (double)s->end ? s->end : (int64_t)at;
}

int32_t viz_slot_of(const VizSlots *s, int64_t cycle) {
    int32_t i = (int32_t)floor(((double)cycle - s->origin) / s->step);
    if (i >= s->count) i = s->count - 1;
    if (i < 0) i = 0;
    while (i > 0 && cycle < viz_slot_start(s, i)) i--; /* rounding can be off by one */
    while (i + 1 < s->count && cycle >= viz_slot_start(s, i + 1)) i++;
    return i;
}

/* Boyer and Moore's vote, with weights. */
static void add(VizSlot *to, VizSlot more) {
    if (more.burst < 0) return;
    to->issues += more.issues;
    if (to->burst >= 0 && to->op == more.op) {
        to->lead += more.lead;
    } else if (to->burst >= 0 && to->lead >= more.lead) {
        to->lead -= more.lead;
    } else {
        to->lead = more.lead - (to->burst < 0 ? 0 : to->lead);
        to->op = more.op;
        to->burst = more.burst;
    }
}

/* Issues below `cycle`. Unless they are to be exact, those of an inner Repeat are spread evenly
 * over its cycles, and where rounds follow each other closely, those of all: a unit that issues in
 * every second cycle is half busy in each slot, whatever part of a cycle slots begin with. */
static double issues_before(const VizBurst *b, int64_t cycle, const VizSlots *slots) {
    const double all = (double)viz_burst_issues(b), since = (double)(cycle - b->start);
    const double inner = (double)b->n * b->d + 1;
    double round, rest;
    if (cycle <= b->start) return 0;
    if (cycle > b->last) return all;
    if (slots->exact) return (double)viz_burst_issues_before(b, cycle);
    if (b->n2 == 0 || b->d2 <= CLOSE || b->d2 <= 2 * slots->step)
        return all * since / (double)(b->last - b->start + 1);
    round = floor(since / b->d2);
    rest = since - round * b->d2;
    return (b->n + 1.0) * (round + (rest < inner ? rest / inner : 1));
}

static void add_burst(const VizBurst *b, int32_t burst, int32_t half, const VizSlots *slots,
                      VizSlot *sum) {
    const int64_t end = viz_slot_start(slots, slots->count);
    int64_t from = viz_slot_start(slots, 0), to;
    double before, after;
    int32_t i;
    if (b->start > from) from = b->start;
    if (from >= end || b->last < from) return;
    i = viz_slot_of(slots, from);
    before = issues_before(b, viz_slot_start(slots, i), slots);
    do {
        to = viz_slot_start(slots, i + 1);
        after = issues_before(b, to, slots);
        if (after > before)
            add(&sum[i],
                (VizSlot){(float)(after - before), (float)(after - before), b->op[half], burst});
        before = after;
    } while (to <= b->last && ++i < slots->count);
}

/* track -1: all that the queue issues, by the first op that it works for. */
static void walk_queue(const VizTimeline *t, int32_t queue, int32_t track, const VizSlots *slots,
                       VizSlot *sum) {
    const int64_t from = viz_slot_start(slots, 0), end = viz_slot_start(slots, slots->count);
    int32_t i = viz_burst_find(t, queue, from);
    if (i < 0) i = t->first[queue];
    for (; i < t->first[queue + 1] && t->bursts[i].start < end; i++) {
        const VizBurst *b = &t->bursts[i];
        const int32_t half =
            track < 0 ? b->op[0] < 0 : viz_track_half(&t->program->machine, track, b);
        if (half >= 0) add_burst(b, i, half, slots, sum);
    }
}

static void walk(const VizTimeline *t, int32_t track, const VizSlots *slots, VizSlot *sum) {
    int32_t queue, end;
    queues_of(&t->program->machine, track, &queue, &end);
    for (; queue < end; queue++) walk_queue(t, queue, track, slots, sum);
}

/* -- the index -- */

static void cut(VizGanttIndex *index, int64_t cycles) {
    double width = 1;
    int32_t total = 0, count;
    while ((double)cycles / width > FINEST) width *= 2;
    do {
        count = (int32_t)ceil((double)cycles / width);
        index->slots[index->levels] = (VizSlots){.step = width, .count = count, .end = cycles};
        index->first[index->levels++] = total;
        total += count;
        width *= 1 << STEP_BITS;
    } while (count > COARSEST && index->levels < LEVELS_MAX);
    index->slots_total = total;
}

static bool fill(VizGanttIndex *index, const VizTimeline *t, int32_t track) {
    VizSlot *counts = malloc(((size_t)index->slots_total + 1) * sizeof *counts);
    if (!counts) return false;
    for (int32_t i = 0; i < index->slots_total; i++) counts[i] = (VizSlot){0, 0, -1, -1};
    walk(t, track, &index->slots[0], counts);
    for (int32_t level = 1; level < index->levels; level++)
        for (int32_t i = 0; i < index->slots[level - 1].count; i++)
            add(&counts[index->first[level] + (i >> STEP_BITS)],
                counts[index->first[level - 1] + i]);
    index->counts[track] = counts;
    return true;
}

VizGanttIndex *viz_gantt_index_new(const VizTimeline *t) {
    VizGanttIndex *index = calloc(1, sizeof *index);
    if (!index) return NULL;
    index->tracks = viz_track_count(&t->program->machine);
    cut(index, t->cycles);
    for (int32_t track = 0; track < index->tracks; track++)
        if (viz_track_used(NULL, t, track) && !fill(index, t, track)) {
            viz_gantt_index_free(index);
            return NULL;
        }
    return index;
}

void viz_gantt_index_free(VizGanttIndex *index) {
    if (!index) return;
    for (int32_t track = 0; track < index->tracks; track++) free(index->counts[track]);
    free(index);
}

bool viz_track_used(const VizGanttIndex *index, const VizTimeline *t, int32_t track) {
    const TspMachine *m = &t->program->machine;
    int32_t queue, end;
    if (index) return index->counts[track] != NULL;
    queues_of(m, track, &queue, &end);
    for (int32_t i = t->first[queue]; i < t->first[end]; i++)
        if (viz_track_half(m, track, &t->bursts[i]) >= 0) return true;
    return false;
}

/* -- asking -- */

/* The coarsest level that is not wider than the slots asked for; -1: none is. */
static int32_t level_for(const VizGanttIndex *index, const VizSlots *slots) {
    int32_t level = index && !slots->exact ? index->levels - 1 : -1;
    while (level >= 0 && index->slots[level].step > slots->step) level--;
    return level;
}

/* Every count goes to the slot in which its cycles begin. `counts` NULL: all are nothing. */
static void sum_up(const VizSlot *counts, const VizSlots *have, const VizSlots *slots, VizSlot *sum,
                   float *cycles) {
    int64_t start = viz_slot_start(slots, 0);
    int32_t k = (int32_t)ceil((double)start / have->step);
    for (int32_t i = 0; i < slots->count; i++) {
        const int64_t end = viz_slot_start(slots, i + 1);
        cycles[i] = 0;
        for (; k < have->count && (start = viz_slot_start(have, k)) < end; k++) {
            cycles[i] += (float)(viz_slot_start(have, k + 1) - start);
            if (counts) add(&sum[i], counts[k]);
        }
    }
}

static void measure(const VizSlots *slots, float *cycles) {
    for (int32_t i = 0; i < slots->count; i++)
        cycles[i] = (float)(viz_slot_start(slots, i + 1) - viz_slot_start(slots, i));
}

void viz_track_add(const VizGanttIndex *index, const VizTimeline *t, int32_t track,
                   const VizSlots *slots, VizSlot *sum, float *cycles) {
    const int32_t level = level_for(index, slots);
    if (slots->count <= 0) return;
    if (level >= 0) {
        const VizSlot *counts = index->counts[track];
        sum_up(counts ? counts + index->first[level] : NULL, &index->slots[level], slots, sum,
               cycles);
        return;
    }
    measure(slots, cycles);
    walk(t, track, slots, sum);
}

void viz_queue_add(const VizTimeline *t, int32_t queue, const VizSlots *slots, VizSlot *sum,
                   float *cycles) {
    measure(slots, cycles);
    walk_queue(t, queue, -1, slots, sum);
}
