/* reserve.h - the reservation table: who has which resource when.
 *
 * A reservation is an arithmetic progression first .. last, `interval` apart, on a lane, and a
 * range lo..hi within it. For streams time is the diagonal (t - column eastward, t + column
 * westward) and lo..hi are columns, so a run of vectors is a rectangle and conflict is overlap.
 * For queues and ports time is the cycle; lo = hi = bank for memory ports, 0 elsewhere.
 */
#ifndef TSP_RESERVE_H
#define TSP_RESERVE_H
#include "isa/machine.h"

typedef struct {
    int64_t first, last;
    int32_t interval, lo, hi;
    uint32_t owner; /* flow that made it */
} Reservation;

typedef struct {
    Reservation *items; /* sorted by first */
    int32_t count, capacity;
    int64_t longest; /* greatest last - first among items */
    int64_t looks;   /* at items, in search of conflicts: what that has cost */
} Lane;

/* How far the times must move so that the conflict found is over; 0 if there is none. `any_range`
 * ignores lo..hi. *owner, if not NULL, is the owner of the reservation met. */
int64_t reserve_conflict(Lane *lane, int64_t first, int64_t last, int32_t interval, int32_t lo,
                         int32_t hi, bool any_range, uint32_t *owner);
bool reserve_add(Lane *lane, Reservation r, TspError *err);
/* Takes back a reservation that was added with these very values. */
void reserve_remove(Lane *lane, const Reservation *r);

#endif
