/* group.h - grouping by an integer key: the plan that lowering, scheduling and the host
 * interpreter share.
 *
 * A table has a record for every group. Superlane k gathers the record of one row's key, the VXM
 * brings it up to date, and it is scattered back; so a wave of `superlanes` rows passes a cycle,
 * and every superlane has tables of its own. A record is on its way for some thirty cycles, in
 * which the same table must not be asked again: tables take turns, `pairs` slice pairs of each
 * hemisphere with `copies` tables each, a burst of `copies` waves to a pair.
 *
 * A record is a vector of int16 fields, `fields` lanes for each of the `packed` groups that share a
 * word of the table. Fields are of two kinds, told apart by sign: negative ones keep the greater
 * of old and new, the others add up. What the chip does to a field is
 *     max(add.sat(old, new), max(old, new))
 * for both kinds. Per group:
 *     lane 0: value - low - 32768, the greatest;    lane 1: high - value - 32768: the least
 *     lane 2: 1, the count;                         lane 3..: digits of value - low, base `base`,
 *                                                   least significant first: their sums
 * The update of a value is a row of a constant table, so it is gathered too. Merged tables are
 * int32 with the same lanes. programs/1brc/README.md derives bounds and says why so.
 */
#ifndef TSP_GROUP_H
#define TSP_GROUP_H
#include "isa/machine.h"

enum {
    GROUP_GREATEST, /* fields of a group */
    GROUP_LEAST,
    GROUP_COUNT,
    GROUP_DIGITS,
    GROUP_MAX_PAIRS = 16,
    GROUP_NEVER = -32768 /* the negative fields of a group without rows */
};

/* Slices of a segment of the rows of one hemisphere, in this order: keys and values as the host
 * gives them, and made ready for gathering records, for scattering them back, and for gathering
 * updates. A segment fills one bank; the other is free, so that the host can put the next rows
 * there meanwhile. */
enum { RAW_KEYS, RAW_VALUES, SOURCE_KEYS, SOURCE_BACK, SOURCE_VALUES, GROUP_ROLES };
enum { GROUP_MAX_SEGMENTS = 8 };

typedef struct {
    int32_t tables[GROUP_MAX_PAIRS][2]; /* slices of the low and the high byte */
    int32_t updates[2];                 /* of the constant table, low and high byte */
    int32_t lanes[2]; /* of the lane maps: for this side's waves, for the other's */
    int32_t spare[2]; /* constants of the preparation; the merged table */
    int32_t data[GROUP_MAX_SEGMENTS][GROUP_ROLES];
    int32_t segments;
    int32_t vectors; /* of keys, and of values, that this side takes */
} GroupSide;

typedef struct {
    int32_t groups, low, high; /* keys 0 .. groups-1, values low .. high; key `groups` is padding */
    int32_t packed, fields, digits, base;
    int32_t words;                 /* records of a table */
    int32_t copies, pairs, stride; /* stride: rows from one table of a slice to the next */
    int32_t interval;              /* cycles from wave to wave */
    int32_t bias;         /* added to values to index the constant table: a multiple of 256 */
    int32_t update_rows;  /* of the constant table */
    int32_t row_elements; /* keys in a vector */
    int32_t waves;        /* waves that a vector makes */
    int64_t most;         /* elements that can be counted before a field may overflow */
    GroupSide side[2];
    int32_t segment_rows;
    int32_t merged[4]; /* slices of the merged table's bytes; it begins at GROUP_MERGED */
} GroupPlan;

/* Plans for `elements` rows, with at most `packed` (1 or 2) groups a word. Fails with TSP_ERR_INPUT
 * where the rows, the groups or the range of the values are too many, saying how many there may be;
 * TSP_ERR_NOT_MODELLED where the machine is not made for it. */
bool tsp_group_plan(GroupPlan *plan, const TspMachine *m, int32_t groups, int32_t low, int32_t high,
                    int64_t elements, int32_t packed, TspError *err);
/* Rows that a run can take at most on this machine; 0 if it cannot group at all. */
int64_t tsp_group_capacity(const TspMachine *m, int32_t groups, int32_t low, int32_t high);

/* Rows of the slices `lanes` and `spare`: the lane maps; what the preparation needs; in those of
 * one side, from there on in both banks, the merged table. */
enum { GROUP_MAPS = 0, GROUP_PREPARE = 16, GROUP_MERGED = 32 };
/* Vectors of keys after which the pattern of tables comes again. */
static inline int32_t tsp_group_offsets(const GroupPlan *p) {
    return p->copies > p->waves ? p->copies / p->waves : 1;
}

/* Rows from the first on that the plan takes of a bank of a slice. */
int32_t tsp_group_rows(const GroupPlan *plan, const TspMachine *m, int32_t slice, int32_t bank);

/* The field of the update by a value (the identity where group slot `slot` of a word is not the
 * key's), `lane` counted in the superlane. */
int32_t tsp_group_update(const GroupPlan *plan, int32_t value, int32_t key, int32_t lane);

/* Merged tables, words x lanes int32, before any row. */
void tsp_group_empty(const GroupPlan *plan, const TspMachine *m, int32_t *tables);

/* Of one group; least and greatest mean nothing if count is 0. */
typedef struct {
    int64_t count, sum;
    int32_t least, greatest;
} GroupTotals;
/* Adds up what the superlanes' tables say of a group. */
GroupTotals tsp_group_totals(const GroupPlan *plan, const TspMachine *m, const int32_t *tables,
                             int32_t group);

#endif
