/* reference_mxm.c - what the tiles of a plane do: weights, products, sums. */
#include "gemm.h"
#include "reference.h"

#include <stdlib.h>
#include <string.h>

RefPlane *ref_plane(const Reference *r, const TspQueueInfo *unit) {
    return &r->planes[(int32_t)unit->hemisphere * (int32_t)r->m->mxm_planes + unit->index];
}

RefWeights *ref_weights_make(Reference *r, TspDtype type) {
    size_t lanes = (size_t)r->lanes;
    RefWeights *w = ref_zeros(r, 1, sizeof *w);
    if (!w) return NULL;
    w->users = 1;
    w->type = type;
    w->loaded = ref_zeros(r, lanes, 1);
    w->weight = ref_zeros(r, lanes, lanes);
    if (w->loaded && w->weight) return w;
    ref_weights_leave(w);
    return NULL;
}

void ref_weights_leave(RefWeights *w) {
    if (!w || --w->users > 0) return;
    free(w->loaded);
    free(w->weight);
    free(w);
}

void ref_planes_reset(Reference *r) {
    for (int32_t i = 0; i < r->plane_count; i++) {
        RefPlane *plane = &r->planes[i];
        memset(plane->buffer, 0, (size_t)r->lanes * (size_t)r->lanes);
        memset(plane->loaded, 0, (size_t)r->lanes);
        memset(plane->group, 0, (size_t)r->lanes);
        memset(plane->kept, 0, (size_t)r->m->mxm_accumulator_rows);
        ref_weights_leave(plane->use);
        ref_weights_leave(plane->next);
        plane->use = plane->next = NULL;
        plane->loads = false;
        plane->load = plane->install = plane->fp16 = -1;
    }
}

/* Weights whose time has come are in use. */
void ref_weights_turn(Reference *r, int64_t t) {
    for (int32_t i = 0; i < r->plane_count; i++) {
        RefPlane *plane = &r->planes[i];
        if (!plane->next || plane->from > t) continue;
        ref_weights_leave(plane->use);
        plane->use = plane->next;
        plane->next = NULL;
    }
}

/* Superlane k's rows of the vectors loaded arrive in the buffer. */
void ref_mxm_land(Reference *r, const RefActivity *a, int32_t k) {
    RefPlane *plane = ref_plane(r, &a->unit);
    for (int32_t j = 0; j < a->insn.count; j++) {
        int64_t column = a->insn.group * r->m->mxm_load_streams + j;
        memcpy(plane->buffer + column * r->lanes + k * r->width, a->in[k * a->in_count + j].lane,
               (size_t)r->width);
    }
}

/* Superlane k's rows go from the buffer into the set that this IW has begun. */
static void install(Reference *r, const RefActivity *a, int32_t k) {
    RefPlane *plane = ref_plane(r, &a->unit);
    for (int32_t column = 0; column < r->lanes; column++) {
        size_t at = (size_t)column * (size_t)r->lanes + (size_t)k * (size_t)r->width;
        memcpy(a->weights[0]->weight + at, plane->buffer + at, (size_t)r->width);
        memset(plane->buffer + at, 0, (size_t)r->width);
    }
}

static const uint8_t *activation(const Reference *r, const RefActivity *abc, int32_t i,
                                 int32_t lane) {
    return &abc->in[lane / r->width * abc->in_count + i].lane[lane % r->width];
}

static uint32_t product_int8(const Reference *r, const RefActivity *abc, int32_t column) {
    const RefWeights *w = abc->weights[0];
    const uint8_t *weight = w->weight + column * r->lanes;
    uint32_t sum = 0;
    for (int32_t lane = 0; lane < r->lanes; lane++) {
        uint8_t a = *activation(r, abc, 0, lane), b = weight[lane];
        int32_t left = abc->insn.type == TSP_U8 ? a : (int8_t)a;
        int32_t right = w->type == TSP_U8 ? b : (int8_t)b;
        sum += (uint32_t)(left * right);
    }
    return sum;
}

static uint32_t product_fp16(const Reference *r, const RefActivity *abc, int32_t column) {
    const RefWeights *low = abc->weights[0], *high = abc->weights[1];
    uint16_t a[TSP_MAX_LANES], b[TSP_MAX_LANES];
    if (!low->loaded[column] && !high->loaded[column]) return 0;
    for (int32_t lane = 0; lane < r->lanes; lane++) {
        int32_t at = column * r->lanes + lane;
        a[lane] = (uint16_t)(*activation(r, abc, 0, lane) | *activation(r, abc, 1, lane) << 8);
        b[lane] = (uint16_t)(low->weight[at] | high->weight[at] << 8);
    }
    return tsp_dot_fp16_exact(a, b, r->lanes);
}

/* The product arrives in superlane k: it is added, and sent out or kept. */
static void accumulate(Reference *r, RefActivity *a, int32_t k) {
    RefPlane *plane = ref_plane(r, &a->unit);
    bool half = a->meet->insn.type == TSP_F16;
    uint32_t *sum = a->result + k * r->width;
    uint32_t *row = plane->sums + (int64_t)a->insn.row * r->lanes + k * r->width;
    TspInsn add = {.op = TSP_OP_ADD, .type = half ? TSP_F32 : TSP_I32};
    for (int32_t i = 0; i < r->width; i++) {
        int32_t column = k * r->width + i;
        sum[i] = half ? product_fp16(r, a->meet, column) : product_int8(r, a->meet, column);
    }
    if (a->insn.add) tsp_lanes_op(&add, row, sum, sum, r->width);
    if (!a->insn.emit) memcpy(row, sum, (size_t)r->width * sizeof *row);
}

void ref_mxm_sample(Reference *r, RefActivity *a, int32_t k) {
    if (a->insn.op == TSP_OP_IW) install(r, a, k);
    if (a->insn.op == TSP_OP_ACC) accumulate(r, a, k);
}
