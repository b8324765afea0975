/* terms.h - which terms of a product a column tile has, and their weights.
 */
#ifndef TSP_SCHEDULE_TERMS_H
#define TSP_SCHEDULE_TERMS_H
#include "compiler/ir.h"

/* Whether a term is one of column tile `tile`'s. */
static inline bool term_meets(const TspMachine *m, const Term *term, int32_t tile) {
    return !term->w_count || term->w_first / tsp_lanes(m) == tile;
}

static inline int32_t term_count(const TspMachine *m, const Stage *stage, int32_t tile) {
    int32_t count = 0;
    for (int32_t i = 0; i < stage->term_count; i++) count += term_meets(m, &stage->terms[i], tile);
    return count;
}

/* Columns of the tile from output column `column0` on for which a term loads weights. */
static inline int32_t term_columns(const TspMachine *m, const Stage *stage, const Term *term,
                                   int32_t column0) {
    return term->w_count ? term->w_count : tsp_min32(tsp_lanes(m), stage->cols - column0);
}

/* The row of W that is the first of them. */
static inline int32_t term_row(const Term *term, int32_t column0) {
    return term->w_row0 + (term->w_count ? 0 : column0);
}

#endif
