/* layout_pick.c - which slices a tensor had best lie in, of those that are left.
 */
#include "layout_parts.h"

#include <stdlib.h>
#include <string.h>

int32_t layout_room(const Layout *l, int32_t tensor, int32_t index, int32_t rows, int32_t *since) {
    const Tensor *t = &l->module->tensors[tensor];
    *since = -1;
    if (l->fill[index] + rows <= l->m->mem_rows) return l->fill[index];
    if (!l->module->shares_rows) return -1;
    return extents_find(&l->extents[index], (int32_t)l->m->mem_rows, rows, t->born, t->dies, since);
}

int32_t layout_pick(const Layout *l, int32_t tensor, int32_t part, int hemisphere, int32_t rows,
                    const Set *taken, const Set *within, const Set *shunned, int64_t *least) {
    int32_t best = -1;
    int32_t born = l->module->tensors[tensor].born;
    const bool near = l->module->tensors[tensor].near;
    int64_t best_cost = INT64_MAX;
    for (int32_t s = 0; s < l->slices; s++) {
        if (hemisphere >= 0 && (int)tsp_slice_hemisphere(l->m, s) != hemisphere) continue;
        if (set_has(taken, s)) continue;
        if (l->column >= 0 && tsp_slice_column(l->m, s) != l->column) continue;
        int64_t beside = (int64_t)layout_rivals(l, tensor, part, s) * rows * 4;
        const int64_t away = abs(tsp_slice_column(l->m, s) - tsp_vxm_column(l->m));
        for (int32_t b = 0; b < l->banks; b++) {
            const int32_t i = s * l->banks + b;
            int32_t since, first = layout_room(l, tensor, i, rows, &since);
            int64_t cost;
            if (first < 0) continue;
            if (l->even >= 0 && b * l->m->mem_rows + first != l->even) continue;
            cost = near ? away * NEARER : l->heat[s] * 4 + l->fill[i] + beside;
            if (shunned && set_has(shunned, s)) cost += SHUNNED;
            if (l->meets) cost += l->meets[i] * MEETING;
            if (since >= 0) cost += (1 + tsp_max64(0, since - born + LONG_FREE)) * LATER;
            if (cost >= best_cost) continue;
            if (within && !set_has(within, i)) continue;
            if (!layout_allowed(l, tensor, part, s, b)) continue;
            best = i;
            best_cost = cost;
        }
    }
    if (least) *least = best_cost;
    return best;
}

bool layout_pick_column(Layout *l, int32_t tensor, int32_t part, int hemisphere, int32_t rows,
                        const Set *taken, int32_t index[MAX_BYTES]) {
    const Tensor *t = &l->module->tensors[tensor];
    int64_t best = INT64_MAX;
    for (l->column = 0; l->column <= tsp_sxm_column(l->m, TSP_EAST); l->column++) {
        Set in_use = *taken;
        int32_t found[MAX_BYTES], byte = 0;
        int64_t all = 0, cost;
        for (; byte < t->bytes; byte++) {
            found[byte] =
                layout_pick(l, tensor, part, hemisphere, rows, &in_use, NULL, NULL, &cost);
            if (found[byte] < 0) break;
            all += cost;
            set_add(&in_use, found[byte] / l->banks);
        }
        if (byte < t->bytes || all >= best) continue;
        best = all;
        memcpy(index, found, sizeof found);
    }
    l->column = -1;
    return best < INT64_MAX;
}

/* The row of its slice at which `rows` of a tensor would begin there; -1 if there is no room. */
static int32_t first_row(const Layout *l, int32_t tensor, int32_t index, int32_t rows) {
    int32_t since, first = layout_room(l, tensor, index, rows, &since);
    return first < 0 ? -1 : (int32_t)(index % l->banks * l->m->mem_rows) + first;
}

int32_t layout_even_row(const Layout *l, int32_t tensor, int32_t rows) {
    int32_t best = -1, most = 0;
    for (int32_t i = 0; i < l->slices * l->banks; i++) {
        const int32_t row = first_row(l, tensor, i, rows);
        int32_t count = 0;
        if (row < 0 || row == best) continue;
        for (int32_t s = 0; s < l->slices; s++)
            count += first_row(l, tensor, s * l->banks + i % l->banks, rows) == row;
        if (count <= most) continue;
        most = count;
        best = row;
    }
    return best;
}
