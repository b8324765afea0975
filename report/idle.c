/* idle.c - where the cycles went in which a plane took no activation. */
#include "report_parts.h"

#include <stdlib.h>

/* A stretch in which a plane is busy, or would be but for the pace of its run. */
typedef struct {
    int64_t start, end, busy; /* busy cycles in it */
    int32_t run;
    bool half; /* of fp16: needs the weights of both planes of the pair */
} Stretch;

typedef struct {
    TspReport *report;
    const Timing *t;
    int32_t plane;
    int64_t first_load; /* of any plane */
    int64_t last_product;
    Stretch *list;
    int64_t count;
} Plane;

static int32_t plane_queue(const TspMachine *m, int32_t plane, TspRole role) {
    const int32_t planes = (int32_t)m->mxm_planes;
    return tsp_queue_mxm(m, (TspHemisphere)(plane / planes), plane % planes, role);
}

/* Whether the burst keeps the plane busy: its own, or fp16 of the plane before it. */
static bool takes(const Burst *b, bool own) {
    return b->insn.op == TSP_OP_ABC && (own || b->insn.type == TSP_F16);
}

/* Lists the stretches that a queue makes on the plane (list NULL: counts them). */
static int64_t list_queue(const Timing *t, int32_t queue, bool own, Stretch *list) {
    int64_t count = 0;
    for (int32_t k = t->first[queue]; k < t->first[queue + 1]; k++) {
        const Burst *b = &t->bursts[k];
        const TspInsn *r = &b->repeat;
        const int32_t width = burst_width(&t->program->machine, b);
        if (!takes(b, own)) continue;
        for (int32_t j = 0; j <= r->n2; j++, count++) {
            const int64_t start = b->start + (int64_t)j * r->d2;
            if (!list) continue;
            list[count] =
                (Stretch){start, start + (int64_t)r->n * r->d + width, ((int64_t)r->n + 1) * width,
                          b->run[0], b->insn.type == TSP_F16};
        }
    }
    return count;
}

static int by_start(const void *left, const void *right) {
    const Stretch *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static bool list_plane(Plane *p, TspError *err) {
    const TspMachine *m = &p->t->program->machine;
    const int32_t own = plane_queue(m, p->plane, TSP_ROLE_ACTIVATIONS);
    const int32_t other = p->plane % 2 ? plane_queue(m, p->plane - 1, TSP_ROLE_ACTIVATIONS) : -1;
    int64_t most = list_queue(p->t, own, true, NULL);
    if (other >= 0) most += list_queue(p->t, other, false, NULL);
    p->list = malloc((size_t)most * sizeof *p->list + 1);
    if (!p->list) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the report");
    p->count = list_queue(p->t, own, true, p->list);
    if (other >= 0) p->count += list_queue(p->t, other, false, p->list + p->count);
    if (p->count) qsort(p->list, (size_t)p->count, sizeof *p->list, by_start);
    return true;
}

/* When the weights that a product in `cycle` meets came: first load issued, in use. */
static bool find_weights(const Plane *p, int32_t plane, int64_t cycle, int64_t *begun,
                         int64_t *ready) {
    const TspMachine *m = &p->t->program->machine;
    const int32_t queue = plane_queue(m, plane, TSP_ROLE_WEIGHTS);
    const Burst *first = p->t->bursts + p->t->first[queue];
    const Burst *b = burst_find(p->t, queue, cycle - m->mxm_install_cycles);
    while (b && b->insn.op != TSP_OP_IW) b = b > first ? b - 1 : NULL;
    if (!b) return false;
    if (b->start + m->mxm_install_cycles > *ready) *ready = b->start + m->mxm_install_cycles;
    while (b > first && b[-1].insn.op == TSP_OP_LW) b--;
    if (*begun < 0 || b->start < *begun) *begun = b->start;
    return true;
}

static int64_t clip(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

/* Cycles from `from` to the start of the stretch. */
static void explain(const Plane *p, int64_t from, const Stretch *next) {
    int64_t *idle = p->report->idle[p->plane], begun = -1, ready = 0;
    const int64_t to = next->start, first = clip(p->first_load, from, to);
    const int32_t even = p->plane - p->plane % 2;
    bool known = find_weights(p, next->half ? even : p->plane, to, &begun, &ready);
    if (next->half) known &= find_weights(p, even + 1, to, &begun, &ready);
    idle[TSP_IDLE_FIRST_OPERAND] += first - from;
    if (!known) {
        idle[TSP_IDLE_OTHER] += to - first;
        return;
    }
    ready = clip(ready, first, to);
    begun = clip(begun, first, ready);
    idle[TSP_IDLE_NOT_BEGUN] += begun - first;
    idle[TSP_IDLE_LOADING] += ready - begun;
    idle[next->run < 0 ? TSP_IDLE_OTHER : p->t->runs[p->t->runs[next->run].flow].reason] +=
        to - ready;
}

static void explain_plane(Plane *p) {
    TspReport *r = p->report;
    int64_t *idle = r->idle[p->plane], now = 0, busy = 0;
    for (int64_t i = 0; i < p->count; i++) {
        const Stretch *s = &p->list[i];
        if (s->start > now) explain(p, now, s);
        busy += s->busy;
        idle[TSP_IDLE_RESULTS] += s->end - s->start - s->busy; /* the pace of the run */
        now = s->end;
    }
    r->used[TSP_USE_PLANES + p->plane] = busy;
    idle[TSP_IDLE_NO_PRODUCT] += clip(p->last_product, now, r->cycles) - now;
    idle[TSP_IDLE_TAIL] += r->cycles - clip(p->last_product, now, r->cycles);
}

static void find_ends(const Timing *t, int64_t *first_load, int64_t *last_product) {
    const TspMachine *m = &t->program->machine;
    *first_load = t->cycles;
    *last_product = -1;
    for (int32_t i = 0; i < t->burst_count; i++) {
        const Burst *b = &t->bursts[i];
        const int64_t end = b->last + burst_width(m, b);
        if (b->insn.op == TSP_OP_LW && b->start < *first_load) *first_load = b->start;
        if (b->insn.op == TSP_OP_ABC && end > *last_product) *last_product = end;
    }
    if (*last_product < 0) *last_product = t->cycles; /* no product at all: none left */
}

bool report_idle(TspReport *r, const Timing *t, TspError *err) {
    Plane p = {.report = r, .t = t};
    find_ends(t, &p.first_load, &p.last_product);
    for (p.plane = 0; p.plane < r->planes; p.plane++) {
        if (!list_plane(&p, err)) return false;
        explain_plane(&p);
        free(p.list);
    }
    return true;
}
