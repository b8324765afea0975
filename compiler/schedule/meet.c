/* meet.c - two products, one made in each hemisphere, whose rows meet in the VXM.
 *
 * The pair of planes of each hemisphere keeps the weights of its term while all rows pass, and what
 * both make of a row comes to the VXM in the same cycle.
 */
#include "schedule.h"

/* Both passes, and what the VXM makes of them. */
static bool build_meeting(Scheduler *s, const Stage *stage, Pass pass[TSP_MEETING], int32_t ctile,
                          int64_t *from, TspError *err) {
    Flow *f = &s->compute;
    int32_t products[TSP_MEETING];
    flow_clear(f, stage->op, stage->what);
    for (int32_t i = 0; i < TSP_MEETING; i++) products[i] = schedule_pass(s, f, &pass[i], from);
    return schedule_tail(s, f, stage, pass->row, pass->rows, ctile,
                         schedule_pass_interval(s, pass->term), products, from, err);
}

/* Cycles after which the product of a pass comes to the VXM. */
static int64_t trip(const Scheduler *s, int32_t plane) {
    const TspHemisphere h = plane < (int32_t)s->m->mxm_planes ? TSP_WEST : TSP_EAST;
    const int32_t columns = tsp_vxm_column(s->m) - tsp_mxm_column(s->m, h);
    return h == TSP_WEST ? columns : -columns;
}

/* Rows row .. end-1 of one column tile. */
static bool place_meeting(Scheduler *s, const Stage *stage, int32_t ctile, int32_t row, int32_t end,
                          TspError *err) {
    const int32_t planes = (int32_t)s->m->mxm_planes,
                  interval = schedule_pass_interval(s, &stage->terms[0]);
    Pass pass[TSP_MEETING];
    int64_t from = 0, start;
    for (int32_t i = 0; i < TSP_MEETING; i++) {
        const Term *term = &stage->terms[i];
        const int32_t copies = s->module->tensors[term->a].copies;
        if (!schedule_weights(s, stage, term, i * planes, planes, ctile * tsp_lanes(s->m), err))
            return false;
        pass[i] = (Pass){.term = term,
                         .plane = i * planes,
                         .row = row,
                         .rows = end - row,
                         .copy = i * copies / TSP_MEETING,
                         .emit = true,
                         .start = tsp_max64(0, trip(s, planes - i * planes) - trip(s, i * planes))};
        for (int32_t p = pass[i].plane; p < pass[i].plane + planes; p++)
            from = tsp_max64(from, tsp_max64(s->planes[p].array_free, s->planes[p].installed) -
                                       pass[i].start);
    }
    if (!build_meeting(s, stage, pass, ctile, &from, err) ||
        (start = flow_earliest(&s->table, &s->compute, from, err)) < 0 ||
        !flow_commit(&s->table, &s->compute, start, err) ||
        !schedule_results(s, stage, &s->compute, start, row, end - row, ctile, interval, err))
        return false;
    for (int32_t p = 0; p < TSP_MEETING * planes; p++)
        s->planes[p].array_free = start + pass[p / planes].start + (int64_t)(end - row) * interval;
    return true;
}

bool schedule_meeting(Scheduler *s, const Stage *stage, TspError *err) {
    for (int32_t ctile = 0; ctile < tsp_ceil_div(stage->cols, tsp_lanes(s->m)); ctile++)
        for (int32_t row = 0, end; row < stage->rows; row = end) {
            end = schedule_cut(s, stage, row, stage->rows - row);
            if (!place_meeting(s, stage, ctile, row, end, err)) return false;
        }
    return true;
}
