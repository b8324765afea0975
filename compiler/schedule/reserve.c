/* reserve.c - sorted lists of reservations with a bounded look back.
 */
#include "reserve.h"
#include "compiler/ir.h"

#include <string.h>

/* Index of the first item whose `first` is not below `time`. */
static int32_t lower_bound(const Lane *lane, int64_t time) {
    int32_t low = 0, high = lane->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (lane->items[middle].first < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool times_meet(const Reservation *r, int64_t first, int64_t last, int32_t interval) {
    if (r->last < first || last < r->first) return false;
    if (r->interval == interval && interval > 1) return (r->first - first) % interval == 0;
    if (first == last && r->interval > 1) return (first - r->first) % r->interval == 0;
    if (r->first == r->last && interval > 1) return (r->first - first) % interval == 0;
    return true;
}

/* The least move that can end a conflict found. Where one side has no gaps and is longer than the
 * other's interval, nothing helps but to start after the reservation; else another phase may. */
static int64_t least_move(const Reservation *r, int64_t first, int64_t last, int32_t interval) {
    bool gaps = interval > 1 && first != last, their_gaps = r->interval > 1 && r->first != r->last;
    if (gaps && their_gaps) return 1;
    if (gaps && r->last - r->first + 1 < interval) return 1;
    if (their_gaps && last - first + 1 < r->interval) return 1;
    return r->last + 1 - first;
}

int64_t reserve_conflict(Lane *lane, int64_t first, int64_t last, int32_t interval, int32_t lo,
                         int32_t hi, bool any_range, uint32_t *owner) {
    int64_t move =
        0; /* on past one conflict after the other, each move no longer than it must be */
    for (int32_t i = lower_bound(lane, first - lane->longest); i < lane->count; i++) {
        const Reservation *r = &lane->items[i];
        lane->looks++;
        if (r->first > last + move) break;
        if (!any_range && (r->hi < lo || hi < r->lo)) continue;
        if (!times_meet(r, first + move, last + move, interval)) continue;
        if (owner && move == 0) *owner = r->owner;
        move += least_move(r, first + move, last + move, interval);
    }
    return move;
}

bool reserve_add(Lane *lane, Reservation r, TspError *err) {
    int32_t at = lower_bound(lane, r.first);
    if (!tsp_grow((void **)&lane->items, &lane->capacity, lane->count + 1, sizeof r, err))
        return false;
    memmove(lane->items + at + 1, lane->items + at, (size_t)(lane->count - at) * sizeof r);
    lane->items[at] = r;
    lane->count++;
    if (r.last - r.first > lane->longest) lane->longest = r.last - r.first;
    return true;
}

void reserve_remove(Lane *lane, const Reservation *r) {
    for (int32_t i = lower_bound(lane, r->first); i < lane->count; i++) {
        const Reservation *item = &lane->items[i];
        if (item->owner != r->owner || item->last != r->last || item->lo != r->lo) continue;
        lane->count--;
        memmove(lane->items + i, lane->items + i + 1, (size_t)(lane->count - i) * sizeof *r);
        return;
    }
}
