/* lifetime.c - lives of tensors, what lives at once, and what to say when it is too much.
 */
#include "lifetime.h"
#include "schedule.h"

#include <stdio.h>
#include <stdlib.h>

static void touch(Module *module, int32_t tensor, int32_t stage, bool writes) {
    Tensor *t = &module->tensors[tensor];
    if (writes && t->born < 0) t->born = stage;
    t->dies = stage;
    t->read |= !writes;
}

static void touch_all(Module *module, int32_t stage) {
    const Stage *s = &module->stages[stage];
    for (int32_t i = 0; i < s->operand_count; i++)
        touch(module, s->operands[i].tensor, stage, false);
    for (int32_t i = 0; i < s->term_count; i++) {
        touch(module, s->terms[i].a, stage, false);
        touch(module, s->terms[i].w, stage, false);
    }
    if (s->chain_rows && s->last >= 0) touch(module, s->last, stage, false);
    for (int32_t i = 0; i < s->partials; i++) touch(module, s->partial + i, stage, true);
    for (int32_t i = 0; i < s->output_count; i++) touch(module, s->outputs[i].tensor, stage, true);
}

void lifetime_find(Module *module) {
    for (int32_t i = 0; i < module->tensor_count; i++) {
        module->tensors[i].born = -1;
        module->tensors[i].read = false;
    }
    for (int32_t s = 0; s < module->stage_count; s++) touch_all(module, s);
    for (int32_t i = 0; i < module->tensor_count; i++) {
        Tensor *t = &module->tensors[i];
        if (t->role == TSP_ROLE_INPUT || t->role == TSP_ROLE_CONSTANT || module->group)
            t->born = -1;
        /* what a run must leave finite is looked at when it is over */
        if (t->born < 0 || t->role == TSP_ROLE_OUTPUT || t->finite) t->dies = module->stage_count;
        if (t->strip) module->tensors[t->strip].dies = module->stage_count;
    }
}

bool lifetime_is_whole(const Tensor *t) {
    return t->born < 0;
}

int64_t lifetime_bytes(const Module *module, const Tensor *t) {
    return (int64_t)t->rows * t->ctiles * t->bytes * tsp_lanes(&module->machine) *
           (t->contiguous + t->striped);
}

/* The most bytes that live at once, and a stage at which they do; -1 with err set. */
static int64_t find_peak(const Module *module, int32_t *stage, TspError *err) {
    int64_t *change = calloc((size_t)module->stage_count + 3, sizeof *change);
    int64_t sum = 0, most = -1;
    if (!change) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    for (int32_t i = 0; i < module->tensor_count; i++) {
        const Tensor *t = &module->tensors[i];
        change[t->born + 1] += lifetime_bytes(module, t);
        change[t->dies + 2] -= lifetime_bytes(module, t);
    }
    for (int32_t s = -1; s <= module->stage_count; s++) {
        sum += change[s + 1];
        if (sum > most) most = sum, *stage = s;
    }
    free(change);
    return most;
}

/* -- the message -- */
enum { MOST_TOLD = 10, ROOM = 400 }; /* ROOM: characters for what lives */

static const char *node_of(const Module *m, int32_t stage) {
    return m->graph->nodes[m->stages[stage].op].name;
}

/* The largest tensor that lives with `tensor` and comes after `last` in order of size; -1 none. */
static int32_t next_largest(const Module *m, int32_t tensor, int32_t last) {
    const Tensor *lives = &m->tensors[tensor];
    int64_t below = last < 0 ? INT64_MAX : lifetime_bytes(m, &m->tensors[last]), most = 0;
    int32_t best = -1;
    for (int32_t i = 0; i < m->tensor_count; i++) {
        const Tensor *t = &m->tensors[i];
        int64_t bytes = lifetime_bytes(m, t);
        if (i == tensor || t->born > lives->born || t->dies < lives->born) continue;
        if (bytes > below || (bytes == below && i <= last) || bytes <= most) continue;
        best = i;
        most = bytes;
    }
    return best;
}

static int describe(const Module *m, const Tensor *t, char *text, size_t size) {
    double megabytes = (double)lifetime_bytes(m, t) / 1e6;
    if (lifetime_is_whole(t))
        return snprintf(text, size, "'%s' %.4g MB (always)", t->name, megabytes);
    if (t->dies == m->stage_count)
        return snprintf(text, size, "'%s' %.4g MB (from node %s on)", t->name, megabytes,
                        node_of(m, t->born));
    return snprintf(text, size, "'%s' %.4g MB (node %s..%s)", t->name, megabytes,
                    node_of(m, t->born), node_of(m, t->dies));
}

/* As many of the largest as there is room for; the rest as a number. */
static void list_live(const Module *m, int32_t tensor, char text[ROOM + 64]) {
    int32_t told = 0, left = 0, i = next_largest(m, tensor, -1);
    size_t used = 0;
    text[0] = 0;
    for (; i >= 0 && told < MOST_TOLD; i = next_largest(m, tensor, i), told++) {
        char one[ROOM];
        int length = describe(m, &m->tensors[i], one, sizeof one);
        if (length < 0 || used + (size_t)length + 2 > ROOM) break;
        used += (size_t)sprintf(text + used, "%s%s", told ? ", " : "", one);
    }
    for (; i >= 0; i = next_largest(m, tensor, i)) left++;
    if (left) sprintf(text + used, "%s%d more", told ? " and " : "", (int)left);
    if (!told && !left) sprintf(text, "nothing else");
}

bool lifetime_refuse(const Module *m, int32_t tensor, const char *why, TspError *err) {
    const Tensor *t = &m->tensors[tensor];
    char live[ROOM + 64];
    list_live(m, tensor, live);
    return tsp_fail(err, TSP_ERR_INPUT,
                    "%s: no place for '%s' (%d x %d %s, %.4g MB): %s; live then: %s",
                    m->graph->path, t->name, (int)t->rows, (int)t->cols, tsp_dtype_name(t->dtype),
                    (double)lifetime_bytes(m, t) / 1e6, why, live);
}

/* Of the tensors that live at a stage, the largest that is born there, or the largest at all. */
static int32_t largest_at(const Module *m, int32_t stage) {
    int32_t best = 0;
    int64_t most = -1;
    for (int32_t pass = 0; pass < 2 && most < 0; pass++)
        for (int32_t i = 0; i < m->tensor_count; i++) {
            const Tensor *t = &m->tensors[i];
            int64_t bytes = lifetime_bytes(m, t);
            if (t->born > stage || t->dies < stage || bytes <= most) continue;
            if (pass == 0 && t->born != stage) continue;
            best = i;
            most = bytes;
        }
    return best;
}

bool lifetime_check(const Module *m, int64_t *needed, int64_t *capacity, TspError *err) {
    int32_t stage = 0;
    char why[256];
    *needed = find_peak(m, &stage, err);
    *capacity =
        2 * m->machine.mem_slices * tsp_mem_slice_rows(&m->machine) * tsp_lanes(&m->machine);
    if (*needed < 0) return false;
    if (*needed <= *capacity) return true;
    snprintf(why, sizeof why,
             "what must be there at once is %lld bytes, the chip '%s' has %lld: %lld bytes too "
             "many; make it smaller or split the graph",
             (long long)*needed, m->machine.name, (long long)*capacity,
             (long long)(*needed - *capacity));
    return lifetime_refuse(m, largest_at(m, stage), why, err);
}

/* -- while scheduling -- */

static bool bury(Tensor *t, TspError *err) {
    const Ready never = {0, t->rows, NEVER_READY, 0};
    for (int32_t c = 0; c < t->ctiles; c++) {
        if (t->ready) t->ready[c].count = 0;
        if (!schedule_note(t, c, never, err)) return false;
    }
    return true;
}

bool lifetime_begin(Module *module, int32_t stage, TspError *err) {
    for (int32_t i = 0; i < module->tensor_count; i++) {
        Tensor *t = &module->tensors[i];
        if (t->dies == stage - 1 && !bury(t, err)) return false;
        if (t->born == stage && t->ready)
            return tsp_fail(err, TSP_ERR_BUG, "tensor %s was written before it had its rows",
                            t->name);
    }
    return true;
}
