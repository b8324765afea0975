/* trace_kanata.c - a Kanata log for Konata: a row for every issue, with its stages, and arrows from
 * who made a value to who takes it.
 *
 * Stages: Is, the cycle of the issue; Fl, under way; Ef, the cycle of the effect. The arrows come
 * from following the values along the streams, so that they are there for any program.
 */
#include "isa/asm.h"
#include "trace_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Konata keeps the whole log in memory. */
enum { MOST_ISSUES = 1 << 22 };

typedef struct {
    const Trace *trace;
    const TspProgram *p;
    FILE *out;
    TraceAgenda agenda;
    TraceStreams streams;
    int64_t made[TSP_MAX_QUEUES]; /* issue whose result an ALU or array has: see note_result() */
    int64_t cycle;                /* written so far, -1: none */
    int64_t next_id, retired;
} Log;

static const char *const stages[] = {"Fl", "Ef"};
enum { STAGE_FLIGHT, STAGE_EFFECT };

/* Moves the log to a cycle. */
static void go_to(Log *log, int64_t cycle) {
    if (log->cycle < 0)
        fprintf(log->out, "C=\t%" PRId64 "\n", cycle);
    else if (cycle > log->cycle)
        fprintf(log->out, "C\t%" PRId64 "\n", cycle - log->cycle);
    log->cycle = cycle;
}

/* An arrow from the issue that made a value. */
static void put_arrow(Log *log, int64_t consumer, int64_t producer) {
    if (producer >= 0) fprintf(log->out, "W\t%" PRId64 "\t%" PRId64 "\t0\n", consumer, producer);
}

/* Arrows from whoever drove the streams that the instruction takes now. */
static void put_stream_arrows(Log *log, const VizIssue *issue, const TspInsn *insn, int64_t id) {
    const int32_t column = tsp_queue_info(&log->p->machine, issue->burst->queue).column;
    VizStreams taken[VIZ_OPERANDS];
    const int32_t groups = viz_insn_inputs(&log->p->machine, insn, taken);
    for (int32_t k = 0; k < groups; k++) {
        int64_t last = -1;
        for (int32_t i = 0; i < taken[k].count; i++) {
            int64_t producer =
                trace_streams_look(&log->streams, taken[k].base + i, column, issue->cycle);
            if (producer != last) put_arrow(log, id, producer); /* one for a group of one maker */
            last = producer;
        }
    }
}

/* Arrows inside the units: a chained or latched ALU result, the product that ACC takes. */
static void put_unit_arrows(Log *log, const VizIssue *issue, const TspInsn *insn, int64_t id) {
    const int32_t sources[2] = {insn->src_a, insn->src_b};
    const TspMachine *m = &log->p->machine;
    if (insn->op == TSP_OP_ACC) {
        const TspQueueInfo at = tsp_queue_info(m, issue->burst->queue);
        put_arrow(log, id,
                  log->made[tsp_queue_mxm(m, at.hemisphere, at.index, TSP_ROLE_ACTIVATIONS)]);
    }
    if (tsp_insn_info(insn->op)->unit != TSP_UNIT_VXM) return;
    for (int32_t i = 0; i < 1 + tsp_insn_binary(insn->op); i++)
        if (TSP_SRC_KIND(sources[i]) == TSP_SRC_ALU || TSP_SRC_KIND(sources[i]) == TSP_SRC_LATCH)
            put_arrow(log, id, log->made[tsp_queue_vxm(m, TSP_SRC_NUMBER(sources[i]))]);
}

/* Has note the result when whoever issues then takes it: a product d_func after the ABC; the result
 * of an ALU, which others take entry cycles after their own issue, an operation after its issue. */
static void note_result(Log *log, const VizIssue *issue, int64_t id) {
    int64_t delay = issue->burst->func[0];
    if (tsp_insn_info(issue->burst->opcode)->unit == TSP_UNIT_VXM)
        delay = log->p->machine.vxm_op_cycles;
    else if (issue->burst->opcode != TSP_OP_ABC)
        return;
    trace_agenda_add(&log->agenda, (TraceEvent){.cycle = issue->cycle + delay,
                                                .phase = TRACE_RESULT,
                                                .queue = issue->burst->queue,
                                                .id = id});
}

static void put_texts(Log *log, const VizIssue *issue, const TspInsn *insn, int64_t id) {
    const VizBurst *b = issue->burst;
    const int32_t op = viz_burst_op(b);
    char text[160], name[32];
    tsp_queue_name(&log->p->machine, b->queue, name);
    tsp_insn_text(&log->p->machine, insn, text, sizeof text);
    fprintf(log->out, "L\t%" PRId64 "\t0\t%s: %s\n", id, name, text);
    if (op < 0) return;
    fprintf(log->out, "L\t%" PRId64 "\t1\t", id);
    for (const char *c = log->p->ops[op].name; c && *c; c++)
        fputc((unsigned char)*c < ' ' ? ' ' : *c, log->out);
    fprintf(log->out, ", line %d\n", (int)(b->line ? b->line : log->p->ops[op].line));
}

/* The stages to come. */
static void plan(Log *log, const VizIssue *issue, int64_t id) {
    const int64_t effect = issue->cycle + viz_burst_func(issue->burst);
    TraceEvent event = {.phase = TRACE_STAGE, .queue = issue->burst->queue, .id = id};
    if (effect > issue->cycle + 1) {
        event.cycle = issue->cycle + 1;
        event.stage = STAGE_FLIGHT;
        trace_agenda_add(&log->agenda, event);
    }
    event.cycle = effect;
    event.stage = STAGE_EFFECT;
    trace_agenda_add(&log->agenda, event);
    event.cycle = effect + 1;
    event.phase = TRACE_RETIRE;
    trace_agenda_add(&log->agenda, event);
}

static void put_issue(Log *log, const VizIssue *issue) {
    const TspInsn insn = viz_issue_insn(log->trace->timeline, issue);
    int64_t id = -1;
    if (issue->cycle >= log->trace->from) {
        id = log->next_id++;
        go_to(log, issue->cycle);
        fprintf(log->out, "I\t%" PRId64 "\t%d\t%d\n", id, (int)issue->burst->word,
                (int)issue->burst->queue);
        put_texts(log, issue, &insn, id);
        fprintf(log->out, "S\t%" PRId64 "\t0\tIs\n", id);
        put_stream_arrows(log, issue, &insn, id);
        put_unit_arrows(log, issue, &insn, id);
        plan(log, issue, id);
    }
    trace_agenda_drive(&log->agenda, issue, &insn, id);
    note_result(log, issue, id);
}

static void put_event(Log *log, const TraceEvent *e) {
    const int32_t column = tsp_queue_info(&log->p->machine, e->queue).column;
    switch (e->phase) {
    case TRACE_ISSUE:
        put_issue(log, &e->issue);
        break;
    case TRACE_DRIVE:
        for (int32_t i = 0; i < e->count; i++)
            trace_streams_put(&log->streams, e->stream + i, column, e->cycle, e->id);
        break;
    case TRACE_RESULT:
        log->made[e->queue] = e->id;
        break;
    case TRACE_STAGE:
        go_to(log, e->cycle);
        fprintf(log->out, "S\t%" PRId64 "\t0\t%s\n", e->id, stages[e->stage]);
        break;
    case TRACE_RETIRE:
        go_to(log, e->cycle);
        fprintf(log->out, "R\t%" PRId64 "\t%" PRId64 "\t0\n", e->id, log->retired++);
        break;
    default:
        break;
    }
}

static bool few_enough(const Trace *trace, TspError *err) {
    int64_t issues = 0;
    for (int32_t i = 0; i < trace->timeline->burst_count; i++)
        issues += viz_burst_issues_before(&trace->timeline->bursts[i], trace->to) -
                  viz_burst_issues_before(&trace->timeline->bursts[i], trace->from);
    return issues <= MOST_ISSUES ||
           tsp_fail(err, TSP_ERR_INPUT,
                    "%" PRId64 " instructions are more than Konata holds, which is %d; take "
                    "fewer cycles, or another format",
                    issues, (int)MOST_ISSUES);
}

bool trace_kanata(const Trace *trace, TspError *err) {
    const int64_t begin = trace->from - trace_longest(trace->timeline);
    Log *log;
    TraceEvent event;
    bool good;
    if (!few_enough(trace, err)) return false;
    log = calloc(1, sizeof *log);
    if (!log) return trace_out_of_memory(err);
    log->trace = trace;
    log->p = trace->timeline->program;
    log->out = trace->out;
    log->cycle = -1;
    memset(log->made, -1, sizeof log->made);
    trace_streams_clear(&log->streams, &log->p->machine);
    fputs("Kanata\t0004\n", log->out);
    trace_agenda_start(&log->agenda, trace->timeline, begin, trace->to);
    while (trace_agenda_take(&log->agenda, &event)) put_event(log, &event); /* to its end */
    good = !log->agenda.broken || trace_out_of_memory(err);
    trace_agenda_free(&log->agenda);
    free(log);
    return good;
}
