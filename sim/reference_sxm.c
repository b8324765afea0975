/* reference_sxm.c - what a tile of the SXM does, one lane after the other. */
#include "reference.h"

/* Lane of stream i as superlane lane / width has sampled it. */
static uint8_t lane_of(const Reference *r, const RefActivity *a, int32_t i, int32_t lane) {
    return a->in[lane / r->width * a->in_count + i].lane[lane % r->width];
}

/* Where a Permute takes lane i from. */
static int32_t map_lane(const Reference *r, const RefActivity *a, int32_t lane) {
    return lane_of(r, a, 1, lane) | lane_of(r, a, 2, lane) << 8;
}

static void transpose(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    for (int32_t i = 0; i < r->width; i++)
        for (int32_t j = 0; j < r->width; j++) out[i].lane[j] = lane_of(r, a, j, k * r->width + i);
}

static void distribute(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    for (int32_t i = 0; i < r->width; i++) {
        int32_t from = lane_of(r, a, 1, k * r->width + i);
        out->lane[i] = from < r->width ? lane_of(r, a, 0, k * r->width + from) : 0;
    }
}

/* A map in a superlane that was off says nothing: zeros. */
static void permute(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    for (int32_t i = 0; i < r->width && a->on >> k & 1u; i++) {
        int32_t from = map_lane(r, a, k * r->width + i);
        out->lane[i] = from < r->lanes ? lane_of(r, a, 0, from) : 0;
    }
}

/* Even shifters shift north, to greater lane numbers. */
static void shift(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    int32_t by = a->unit.index % 2 == 0 ? -a->insn.n : a->insn.n;
    int32_t first = a->insn.cross ? 0 : k * r->width;
    int32_t end = a->insn.cross ? r->lanes : (k + 1) * r->width;
    for (int32_t i = 0; i < r->width; i++) {
        int32_t from = k * r->width + i + by;
        out->lane[i] = from >= first && from < end ? lane_of(r, a, 0, from) : 0;
    }
}

static void select_lanes(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    enum { MAP = 3 };
    for (int32_t i = 0; i < r->width; i++) {
        int32_t lane = k * r->width + i, choice = lane_of(r, a, MAP, lane);
        out->lane[i] = choice < MAP ? lane_of(r, a, choice, lane) : 0;
    }
}

static void rotate(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    int32_t n = a->insn.n, turned = r->width - r->width % n;
    for (int32_t row = 0; row < n; row++)
        for (int32_t d = 0; d < n; d++)
            for (int32_t i = 0; i < r->width; i++) {
                int32_t from = i < turned ? i - i % n + (i % n + d) % n : i;
                out[row * n + d].lane[i] = lane_of(r, a, row, k * r->width + from);
            }
}

static void (*const output[TSP_OP_COUNT])(const Reference *, const RefActivity *, int32_t,
                                          RefWord *) = {
    [TSP_OP_TRANSPOSE] = transpose, [TSP_OP_DISTRIBUTE] = distribute, [TSP_OP_PERMUTE] = permute,
    [TSP_OP_SHIFT] = shift,         [TSP_OP_SELECT] = select_lanes,   [TSP_OP_ROTATE] = rotate,
};

void ref_sxm_output(const Reference *r, const RefActivity *a, int32_t k, RefWord *out) {
    if (output[a->insn.op]) output[a->insn.op](r, a, k, out);
}

/* ---- rules of maps ---- */

static void offend(Reference *r, const RefActivity *a, RefKey key, TspRule rule, int32_t lane,
                   int32_t entry) {
    key.cycle = a->cycle;
    key.phase = REF_ISSUE;
    key.queue = a->queue;
    key.order = REF_OF_DATA;
    ref_offend(r, key, TSP_ERR_ILLEGAL, rule, a->queue, a->index, "lane %d of the map holds %d",
               (int)lane, (int)entry);
}

/* Once superlane k has sampled, those that the wave passed before it have too. */
static void check_permute(Reference *r, const RefActivity *a, int32_t k) {
    for (int32_t lane = k * r->width; lane < (k + 1) * r->width; lane++) {
        int32_t from = map_lane(r, a, lane);
        if (from >= r->lanes)
            offend(r, a, (RefKey){.rank = {0, lane}}, TSP_RULE_MAP_RANGE, lane, from);
        for (int32_t other = 0; other < lane; other++)
            if (a->on >> other / r->width & 1u && map_lane(r, a, other) == from)
                offend(r, a, (RefKey){.rank = {1, lane}}, TSP_RULE_MAP_REPEATED, lane, from);
    }
}

static void check_select(Reference *r, const RefActivity *a, int32_t k) {
    enum { CHOICES = 3 };
    for (int32_t lane = k * r->width; lane < (k + 1) * r->width; lane++)
        if (lane_of(r, a, CHOICES, lane) >= CHOICES)
            offend(r, a, (RefKey){.rank = {0, lane}}, TSP_RULE_MAP_RANGE, lane,
                   lane_of(r, a, CHOICES, lane));
}

void ref_sxm_sample(Reference *r, RefActivity *a, int32_t k, int64_t t) {
    (void)t;
    if (!r->powered[k]) return;
    if (a->insn.op == TSP_OP_PERMUTE) check_permute(r, a, k);
    if (a->insn.op == TSP_OP_SELECT) check_select(r, a, k);
}
