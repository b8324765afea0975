/* verify_alus.c - proves that every ALU result that another ALU takes is there when it is taken.
 */
#include "verify_parts.h"

typedef struct {
    int32_t at[TSP_MAX_QUEUES]; /* place in the timeline of every ALU, for issue_find() */
} Places;

static void check_source(Verifier *v, const Issue *s, int32_t src, Places *places) {
    const TspMachine *m = v->machine;
    const Burst *b = s->burst;
    int32_t other = TSP_SRC_NUMBER(src);
    const Timeline *line = &v->lines[tsp_queue_vxm(m, other)];
    Issue found;
    /* Both count the same entry cycles, so only the operation lies between the two issues. */
    int64_t cycle = s->cycle + m->vxm_entry_cycles;
    Moment moment = m->vxm_entry_cycles > 0 ? AT_INPUT : AT_TAKE;
    if (TSP_SRC_KIND(src) == TSP_SRC_ALU &&
        !issue_find(line, &places->at[other], s->cycle - m->vxm_op_cycles, &found))
        verify_offend(v, TSP_RULE_ALU_UNDEFINED, cycle, moment, b->queue, b->index,
                      "alu %d issued nothing in cycle %lld", other,
                      (long long)(s->cycle - m->vxm_op_cycles));
    if (TSP_SRC_KIND(src) == TSP_SRC_LATCH &&
        (line->count == 0 || line->bursts[0].start > s->cycle - m->vxm_op_cycles))
        verify_offend(v, TSP_RULE_ALU_UNDEFINED, cycle, moment, b->queue, b->index,
                      "alu %d has produced nothing yet", other);
}

static bool takes_result(int32_t src) {
    return TSP_SRC_KIND(src) == TSP_SRC_ALU || TSP_SRC_KIND(src) == TSP_SRC_LATCH;
}

void verify_alus(Verifier *v) {
    for (int32_t alu = 0; alu < v->machine->vxm_alus; alu++) {
        const Timeline *line = &v->lines[tsp_queue_vxm(v->machine, alu)];
        Places places[2] = {0};
        for (int32_t i = 0; i < line->count; i++) {
            /* src_b of a unary operation is 0: a stream, which is not our business here. */
            const int32_t src[2] = {line->bursts[i].insn.src_a, line->bursts[i].insn.src_b};
            const Timeline alone = {&line->bursts[i], 1, 1};
            Issue s;
            if (!takes_result(src[0]) && !takes_result(src[1])) continue;
            for (bool more = walk_first(&alone, &s); more && s.cycle <= v->horizon;
                 more = walk_next(&alone, &s))
                for (int32_t operand = 0; operand < 2; operand++)
                    if (takes_result(src[operand]))
                        check_source(v, &s, src[operand], &places[operand]);
        }
    }
}
