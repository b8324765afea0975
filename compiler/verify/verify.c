/* verify.c - proves a program legal without running it: puts the parts together and reports the
 * offence that comes first.
 */
#include "verify_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Moments that come queue by queue, not one after the other. */
static Moment phase_of(Moment moment) {
    return moment == AT_UNIT || moment == AT_SAMPLE || moment == AT_TAKE ? AT_WORD : moment;
}

/* Whether such an offence comes before the one known. */
static bool is_earlier(const Offence *known, int64_t cycle, Moment moment, int32_t queue,
                       int32_t index) {
    if (known->kind == TSP_OK) return true;
    if (cycle != known->cycle) return cycle < known->cycle;
    if (phase_of(moment) != phase_of(known->moment))
        return phase_of(moment) < phase_of(known->moment);
    if (queue != known->queue) return queue < known->queue;
    if (moment != known->moment) return moment < known->moment;
    return index < known->index;
}

void verify_offend(Verifier *v, TspRule rule, int64_t cycle, Moment moment, int32_t queue,
                   int32_t index, const char *format, ...) {
    Offence *known = moment == AT_END ? &v->deadlock : &v->first;
    va_list args;
    if (!is_earlier(known, cycle, moment, queue, index)) return;
    *known = (Offence){.kind = rule ? TSP_ERR_ILLEGAL : TSP_ERR_NOT_MODELLED,
                       .rule = rule,
                       .cycle = cycle,
                       .moment = moment,
                       .queue = queue,
                       .index = index};
    if (known == &v->first) v->horizon = cycle;
    va_start(args, format);
    vsnprintf(known->detail, sizeof known->detail, format, args);
    va_end(args);
}

/* The offence to report, NULL if the program is legal. A deadlock is dated by its Sync but shows
 * only when everything else has come to an end, so any other offence goes before it. */
static const Offence *first_offence(const Verifier *v) {
    const Offence *o = v->first.kind != TSP_OK ? &v->first : &v->deadlock;
    return o->kind != TSP_OK ? o : NULL;
}

static bool report(const Verifier *v, const Offence *o, TspError *err) {
    char name[32] = "";
    if (o->queue >= 0) tsp_queue_name(v->machine, o->queue, name);
    if (o->kind == TSP_ERR_ILLEGAL)
        return tsp_fail_rule(err, o->rule, o->cycle, o->queue, name, o->index, "%s", o->detail);
    tsp_fail(err, o->kind, "cycle %lld, chip 0, %s, instruction %d: %s", (long long)o->cycle, name,
             (int)o->index, o->detail);
    err->cycle = o->cycle;
    err->queue = o->queue;
    err->index = o->index;
    return false;
}

/* Whether all words stand in queues that the machine has. */
static bool queues_exist(const Verifier *v, TspError *err) {
    for (int32_t q = v->queue_count; q < TSP_MAX_QUEUES; q++)
        if (v->program->queues[q].count > 0)
            return tsp_fail_rule(err, TSP_RULE_QUEUE_UNIT, -1, q, "", 0,
                                 "queue %d has instructions and machine %s has %d queues", (int)q,
                                 v->machine->name, (int)v->queue_count);
    return true;
}

static bool prove(Verifier *v, TspError *err) {
    const Offence *offence;
    v->queue_count = tsp_queue_count(v->machine);
    for (int32_t q = 0; q < v->queue_count; q++) v->queues[q] = tsp_queue_info(v->machine, q);
    if (!queues_exist(v, err)) return false;
    if (!verify_timeline(v, err)) return false;
    verify_power(v);
    if (!verify_arrays(v, err)) return false;
    if (!verify_memory(v, err)) return false;
    verify_alus(v);
    if (!verify_streams(v, err)) return false;
    offence = first_offence(v);
    return !offence || report(v, offence, err);
}

bool tsp_verify(const TspProgram *program, const TspVerifyOptions *options, TspProof *proof,
                TspError *err) {
    bool proved;
    Verifier *v;
    if (!tsp_machine_validate(&program->machine, err)) return false;
    v = calloc(1, sizeof *v);
    if (!v) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory while verifying");
    v->program = program;
    v->machine = &program->machine;
    v->ifetch_modelled = options && options->ifetch_modelled;
    v->horizon = INT64_MAX;
    proved = prove(v, err);
    if (proof) *proof = v->proof;
    for (int32_t q = 0; q < v->queue_count; q++) {
        free(v->lines[q].bursts);
        free(v->fetches[q].bursts);
    }
    free(v->switches);
    free(v);
    return proved;
}
