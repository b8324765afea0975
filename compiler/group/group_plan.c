/* group_plan.c - how a machine groups: records, tables, and the slices that all of it takes.
 */
#include "group.h"
#include "isa/isa.h"

#include <string.h>

/* Cycles from a Gather until the Scatter of the same record, `away` columns from the VXM. */
static int64_t round_trip(const TspMachine *m, int32_t away) {
    return tsp_op_func(m, TSP_OP_GATHER) + m->vxm_entry_cycles + 2 * m->vxm_op_cycles +
           m->vxm_exit_cycles + 2 * (int64_t)away;
}

/* Whether a slice `away` columns from the VXM can serve one burst of `copies` every `period`. */
static bool serves(const TspMachine *m, int32_t away, int32_t copies, int64_t period) {
    const int64_t scatter = round_trip(m, away);
    return scatter + tsp_op_func(m, TSP_OP_SCATTER) <= period && scatter % period >= copies &&
           scatter % period <= period - copies;
}

/* Slices of a hemisphere from the VXM outwards that serve; how many there are. */
static int32_t list_servers(const TspMachine *m, int32_t copies, int64_t period, int32_t *list,
                            int32_t most) {
    int32_t count = 0;
    for (int32_t i = 0; i < m->mem_slices && count < most; i++)
        if (serves(m, 1 + i / (int32_t)m->mem_slices_per_column, copies, period)) list[count++] = i;
    return count;
}

/* The least number of pairs that keep a wave every `interval` cycles busy; 0 if none does. */
static int32_t find_pairs(const TspMachine *m, int32_t copies, int32_t interval, int32_t *list) {
    for (int32_t pairs = 1; pairs <= GROUP_MAX_PAIRS; pairs++)
        if (list_servers(m, copies, (int64_t)interval * copies * pairs, list, 2 * pairs) ==
            2 * pairs)
            return pairs;
    return 0;
}

/* Digits in the least base that fits `lanes` of them. */
static bool choose_base(GroupPlan *p, int32_t lanes) {
    const int64_t range = (int64_t)p->high - p->low + 1;
    p->base = 2;
    p->digits = 0;
    if (range > 1 && lanes < 1) return false;
    for (bool fits = false; !fits; p->base += !fits) {
        int64_t reach = 1;
        for (p->digits = 0; reach < range && p->digits < lanes; p->digits++) reach *= p->base;
        fits = reach >= range;
    }
    return true;
}

/* Records and tables with `packed` groups a word and `copies` tables a slice. */
static bool plan_tables(GroupPlan *p, const TspMachine *m, int32_t *servers) {
    const int32_t rows = tsp_mem_slice_rows(m), lanes = (int32_t)m->lanes_per_superlane;
    p->fields = lanes / p->packed;
    p->words = p->groups / p->packed + 1; /* the padding's record too */
    p->stride = rows / p->copies;
    p->update_rows = (p->high + p->bias + 1) * p->packed;
    if (p->words > p->stride || (p->copies > 1 && p->stride % 256)) return false;
    if (p->update_rows + GROUP_MERGED > rows || p->words > rows - 2 * GROUP_MERGED) return false;
    if (!choose_base(p, p->fields - GROUP_DIGITS)) return false;
    for (p->interval = 1; p->interval <= 4; p->interval++)
        if ((p->pairs = find_pairs(m, p->copies, p->interval, servers)) > 0) return true;
    return false;
}

/* Takes slices of a hemisphere for all roles. The fixed ones lie outside of the tables, so that
 * what they give passes those on its way to the VXM. */
static void take_slices(GroupPlan *p, const TspMachine *m, TspHemisphere h,
                        const int32_t *servers) {
    GroupSide *s = &p->side[h];
    int32_t *const fixed[] = {&s->updates[0], &s->updates[1], &s->lanes[0],
                              &s->lanes[1],   &s->spare[0],   &s->spare[1]};
    enum { FIXED = sizeof fixed / sizeof *fixed };
    bool taken[TSP_MAX_QUEUES] = {false};
    int32_t left[TSP_MAX_QUEUES], count = 0, at = 0;
    for (int32_t i = 0; i < 2 * p->pairs; i++) {
        taken[servers[i]] = true;
        s->tables[i / 2][i % 2] = tsp_slice_id(m, h, servers[i]);
    }
    for (int32_t i = 0; i < m->mem_slices; i++)
        if (!taken[i]) left[count++] = tsp_slice_id(m, h, i);
    if (count < FIXED) return;
    for (int i = 0; i < FIXED; i++) *fixed[i] = left[--count];
    for (; at + GROUP_ROLES <= count && s->segments < GROUP_MAX_SEGMENTS; s->segments++)
        for (int32_t role = 0; role < GROUP_ROLES; role++) s->data[s->segments][role] = left[at++];
}

/* Elements whose waves visit no table more often than a field can count, and that fit memory. */
static int64_t most_elements(const GroupPlan *p) {
    const int64_t visits = INT16_MAX / (p->base - 1);
    const int64_t room = (int64_t)p->side[TSP_EAST].segments * p->segment_rows;
    const int64_t turns = visits * p->copies * p->pairs / p->waves;
    return 2 * p->row_elements * (turns < room ? turns : room);
}

static bool plan_whole(GroupPlan *p, const TspMachine *m) {
    int32_t servers[2 * GROUP_MAX_PAIRS];
    if (!plan_tables(p, m, servers)) return false;
    take_slices(p, m, TSP_WEST, servers);
    take_slices(p, m, TSP_EAST, servers);
    if (p->side[TSP_WEST].segments == 0 || p->side[TSP_EAST].segments == 0) return false;
    for (int i = 0; i < 4; i++)
        p->merged[i] = i < 2 ? p->side[TSP_EAST].lanes[i] : p->side[TSP_EAST].spare[i - 2];
    p->segment_rows = (int32_t)m->mem_rows;
    p->row_elements = tsp_lanes(m) / 2;
    p->waves = (int32_t)m->lanes_per_superlane / 2;
    p->most = most_elements(p);
    return true;
}

/* About how many cycles the plan takes: preparing, clearing, waves, merging. */
static int64_t cost(const GroupPlan *p, int64_t elements) {
    const int64_t vectors = elements / p->row_elements / 2 + 1, clear = p->words * p->copies;
    return (vectors > clear ? vectors : clear) * p->packed + vectors * p->waves * p->interval +
           (p->pairs + 1) / 2 * p->copies * (p->words + 60);
}

/* The quickest plan that takes so many elements, or else the one that takes the most; false if
 * there is none. */
static bool choose_plan(GroupPlan *best, const TspMachine *m, int32_t groups, int32_t low,
                        int32_t high, int64_t elements, int32_t most_packed) {
    bool found = false;
    if (m->vxm_alus < 16 || m->mem_banks < 2 || m->sxm_distributors < 4 || m->streams < 32 ||
        m->lanes_per_superlane < 4 || m->vxm_neighbour_only)
        return false;
    for (int32_t packed = 1; packed <= most_packed; packed++)
        for (int32_t copies = 16; copies >= 1; copies /= 2) {
            GroupPlan p = {.groups = groups,
                           .low = low,
                           .high = high,
                           .bias = low < 0 ? (-low + 255) / 256 * 256 : 0,
                           .packed = packed,
                           .copies = copies};
            if (!plan_whole(&p, m)) continue;
            if (found && (p.most < elements ? p.most <= best->most
                                            : best->most >= elements &&
                                                  cost(&p, elements) >= cost(best, elements)))
                continue;
            *best = p;
            found = true;
        }
    return found;
}

int64_t tsp_group_capacity(const TspMachine *m, int32_t groups, int32_t low, int32_t high) {
    GroupPlan plan;
    return choose_plan(&plan, m, groups, low, high, INT64_MAX, 2) ? plan.most : 0;
}

bool tsp_group_plan(GroupPlan *plan, const TspMachine *m, int32_t groups, int32_t low, int32_t high,
                    int64_t elements, int32_t packed, TspError *err) {
    const int32_t rows = tsp_mem_slice_rows(m) - 2 * GROUP_MERGED;
    int64_t vectors;
    if (groups >= packed * rows || high - low >= rows / 2)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%d groups of values from %d to %d: machine %s has room for %d groups of "
                        "%d different values; use fewer",
                        (int)groups, (int)low, (int)high, m->name, (int)(packed * rows) - 1,
                        (int)rows / 2);
    if (!choose_plan(plan, m, groups, low, high, elements, packed))
        return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                        "grouping %d groups of values from %d to %d on machine %s", (int)groups,
                        (int)low, (int)high, m->name);
    if (elements > plan->most)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%lld rows to group: a run on machine %s takes at most %lld; split them",
                        (long long)elements, m->name, (long long)plan->most);
    vectors = (elements + plan->row_elements - 1) / plan->row_elements;
    plan->side[TSP_WEST].vectors = (int32_t)((vectors + 1) / 2);
    plan->side[TSP_EAST].vectors = (int32_t)(vectors / 2);
    return true;
}

/* Rows of a bank below row `end` of the slice. */
static int32_t rows_in_bank(const TspMachine *m, int32_t end, int32_t bank) {
    const int64_t rows = end - bank * m->mem_rows;
    return (int32_t)(rows < 0 ? 0 : rows > m->mem_rows ? m->mem_rows : rows);
}

int32_t tsp_group_rows(const GroupPlan *p, const TspMachine *m, int32_t slice, int32_t bank) {
    const GroupSide *s = &p->side[tsp_slice_hemisphere(m, slice)];
    for (int32_t q = 0; q < 2 * p->pairs; q++)
        if (s->tables[q / 2][q % 2] == slice)
            return rows_in_bank(m, (p->copies - 1) * p->stride + p->words, bank);
    for (int i = 0; i < 2; i++)
        if (s->updates[i] == slice || s->lanes[i] == slice || s->spare[i] == slice)
            return (int32_t)m->mem_rows;
    for (int32_t first = 0; first < s->vectors; first += p->segment_rows)
        for (int32_t role = 0; role < GROUP_ROLES; role++)
            if (s->data[first / p->segment_rows][role] == slice)
                return rows_in_bank(m, s->vectors - first, bank);
    return 0;
}

int32_t tsp_group_update(const GroupPlan *p, int32_t value, int32_t key, int32_t lane) {
    const int32_t slot = lane / p->fields, field = lane % p->fields;
    int32_t digits = value - p->low;
    if (slot >= p->packed) return 0;
    if (slot != key % p->packed) return field < GROUP_COUNT ? GROUP_NEVER : 0;
    if (field == GROUP_GREATEST) return value - p->low + GROUP_NEVER;
    if (field == GROUP_LEAST) return p->high - value + GROUP_NEVER;
    if (field == GROUP_COUNT) return 1;
    for (int32_t i = GROUP_DIGITS; i < field; i++) digits /= p->base;
    return field < GROUP_DIGITS + p->digits ? digits % p->base : 0;
}

void tsp_group_empty(const GroupPlan *p, const TspMachine *m, int32_t *tables) {
    const int32_t tile = (int32_t)m->lanes_per_superlane;
    for (int32_t i = 0; i < p->words * tsp_lanes(m); i++) {
        const int32_t lane = i % tile;
        const bool used = lane / p->fields < p->packed;
        tables[i] = used && lane % p->fields < GROUP_COUNT ? GROUP_NEVER : 0;
    }
}

GroupTotals tsp_group_totals(const GroupPlan *p, const TspMachine *m, const int32_t *tables,
                             int32_t group) {
    GroupTotals t = {0};
    int32_t greatest = GROUP_NEVER, least = GROUP_NEVER;
    for (int32_t k = 0; k < m->superlanes; k++) {
        const int32_t *field = tables + (int64_t)(group / p->packed) * tsp_lanes(m) +
                               k * m->lanes_per_superlane + group % p->packed * p->fields;
        int64_t weight = 1;
        if (field[GROUP_GREATEST] > greatest) greatest = field[GROUP_GREATEST];
        if (field[GROUP_LEAST] > least) least = field[GROUP_LEAST];
        t.count += field[GROUP_COUNT];
        for (int32_t i = 0; i < p->digits; i++, weight *= p->base)
            t.sum += weight * field[GROUP_DIGITS + i];
    }
    t.sum += t.count * p->low;
    t.greatest = greatest - GROUP_NEVER + p->low;
    t.least = p->high - (least - GROUP_NEVER);
    return t;
}
