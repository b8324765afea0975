/* trace_vcd.c - a value change dump: what every queue issues, what ALUs have, how full the streams
 * are, which graph ops are under way, cycle by cycle.
 *
 * A timestamp is a cycle, called a microsecond. Only queues that issue anything in the run and
 * streams that are driven have signals. An event changes values; what has changed by the end of a
 * cycle is written, once.
 */
#include "trace_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t width;        /* bits; 0: the mnemonic of an opcode, as a string */
    int64_t value, shown; /* -1: x, or for a string "-" */
    bool changed;         /* listed among the changes */
} Signal;

/* Signals of each kind of queue: operands by their names in isa.def, which may be missing in an
 * instruction, and widths as there. Streams count from 32 on if westward. */
static const struct {
    TspUnit unit;
    TspRole role; /* TSP_ROLE_NONE: any */
    const char *operand;
    int32_t width;
} operands[] = {
    {TSP_UNIT_MEM, TSP_ROLE_NONE, "addr", 13},
    {TSP_UNIT_MEM, TSP_ROLE_NONE, "stream", 6},
    {TSP_UNIT_MEM, TSP_ROLE_NONE, "waddr", 13},
    {TSP_UNIT_MEM, TSP_ROLE_NONE, "wstream", 6},
    {TSP_UNIT_MEM, TSP_ROLE_NONE, "map", 6},
    {TSP_UNIT_VXM, TSP_ROLE_NONE, "dst", 6},
    {TSP_UNIT_VXM, TSP_ROLE_NONE, "src_a", 6},
    {TSP_UNIT_VXM, TSP_ROLE_NONE, "src_b", 6},
    {TSP_UNIT_MXM, TSP_ROLE_WEIGHTS, "stream", 6},
    {TSP_UNIT_MXM, TSP_ROLE_WEIGHTS, "group", 9},
    {TSP_UNIT_MXM, TSP_ROLE_ACTIVATIONS, "stream", 6},
    {TSP_UNIT_MXM, TSP_ROLE_RESULTS, "stream", 6},
    {TSP_UNIT_MXM, TSP_ROLE_RESULTS, "row", 12},
    {TSP_UNIT_SXM, TSP_ROLE_NONE, "stream", 6},
    {TSP_UNIT_SXM, TSP_ROLE_NONE, "src", 6},
};
enum { OPERANDS = sizeof operands / sizeof *operands, COUNT_BITS = 16 };

/* Signals of a queue, in this order: busy, opcode, result (VXM only), operands. */
enum { QUEUE_BUSY, QUEUE_OPCODE, QUEUE_RESULT, QUEUE_OPERANDS };

typedef struct {
    const Trace *trace;
    const TspProgram *p;
    FILE *out;
    TraceAgenda agenda;
    TraceStreams streams;
    Signal *signals;
    int32_t *changes; /* signals that have changed in this cycle */
    int32_t signal_count, change_count;
    int32_t queue_signal[TSP_MAX_QUEUES]; /* its first, -1 none */
    int32_t flow_signal[2], stream_signal[TSP_MAX_STREAMS];
    int32_t op_signal; /* of op 0 */
    bool dumped;       /* the values at the beginning are written */
} Dump;

/* -- names -- */

static void put_code(FILE *out, int32_t signal) {
    do {
        fputc('!' + signal % 94, out);
        signal /= 94;
    } while (signal > 0);
}

/* An identifier: what is no letter or digit becomes _. */
static void put_word(FILE *out, const char *text) {
    for (; text && *text; text++) {
        const bool fine = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                          (*text >= '0' && *text <= '9');
        fputc(fine ? *text : '_', out);
    }
}

static void begin_scope(FILE *out, const char *name) {
    fputs("$scope module ", out);
    put_word(out, name);
    fputs(" $end\n", out);
}

static void end_scope(FILE *out) {
    fputs("$upscope $end\n", out);
}

/* Declares the next signal; returns it. Room for it is there: see count_signals(). */
static int32_t declare(Dump *d, int32_t width, int64_t value, const char *name,
                       const char *more_name) {
    const int32_t signal = d->signal_count++;
    d->signals[signal] = (Signal){.width = width, .value = value};
    fprintf(d->out, "$var %s %d ", width ? "wire" : "string", width ? (int)width : 1);
    put_code(d->out, signal);
    fputc(' ', d->out);
    put_word(d->out, name);
    put_word(d->out, more_name);
    if (width > 1) fprintf(d->out, " [%d:0]", (int)width - 1);
    fputs(" $end\n", d->out);
    return signal;
}

static bool has_operand(const TspQueueInfo *info, int32_t i) {
    return operands[i].unit == info->unit &&
           (operands[i].role == TSP_ROLE_NONE || operands[i].role == info->role);
}

static void declare_queue(Dump *d, int32_t queue) {
    const TspQueueInfo info = tsp_queue_info(&d->p->machine, queue);
    char name[32];
    tsp_queue_name(&d->p->machine, queue, name);
    begin_scope(d->out, name);
    d->queue_signal[queue] = declare(d, 1, 0, "busy", "");
    declare(d, 0, -1, "opcode", "");
    if (info.unit == TSP_UNIT_VXM)
        declare(d, 1, 0, "result", "");
    else
        d->signals[d->signal_count++] = (Signal){.width = -1}; /* a place that stays empty */
    for (int32_t i = 0; i < OPERANDS; i++)
        if (has_operand(&info, i)) declare(d, operands[i].width, -1, operands[i].operand, "");
    end_scope(d->out);
}

static void declare_streams(Dump *d) {
    const VizTimeline *t = d->trace->timeline;
    bool used[TSP_MAX_STREAMS] = {false};
    for (int32_t i = 0; i < t->burst_count; i++) {
        const TspInsn insn = viz_burst_insn(t, &t->bursts[i], NULL);
        VizStreams driven[VIZ_OPERANDS];
        const int32_t groups = viz_insn_outputs(&d->p->machine, &insn, driven);
        for (int32_t k = 0; k < groups; k++)
            memset(used + driven[k].base, 1, (size_t)driven[k].count);
    }
    begin_scope(d->out, "streams");
    d->flow_signal[TSP_EASTWARD] = declare(d, COUNT_BITS, 0, "eastward", "");
    d->flow_signal[TSP_WESTWARD] = declare(d, COUNT_BITS, 0, "westward", "");
    for (int32_t s = 0; s < TSP_MAX_STREAMS; s++) {
        char name[16];
        if (!used[s]) continue;
        snprintf(name, sizeof name, "s%d_%c", (int)TSP_STREAM_NUMBER(s),
                 "ew"[TSP_STREAM_DIRECTION(s)]);
        d->stream_signal[s] = declare(d, COUNT_BITS, 0, name, "");
    }
    end_scope(d->out);
}

static void declare_ops(Dump *d) {
    d->op_signal = d->signal_count;
    if (d->p->op_count == 0) return;
    begin_scope(d->out, "ops");
    for (int32_t op = 0; op < d->p->op_count; op++) {
        char number[32];
        snprintf(number, sizeof number, "op%d ", (int)op);
        declare(d, 1, 0, number, d->p->ops[op].name);
    }
    end_scope(d->out);
}

static void declare_all(Dump *d) {
    const VizTimeline *t = d->trace->timeline;
    const TspMachine *m = &d->p->machine;
    fputs("$version tsp trace $end\n$comment ", d->out);
    put_word(d->out, trace_name(d->p));
    fputs(" on ", d->out);
    put_word(d->out, m->name);
    fprintf(d->out, ": 1 us shown is 1 cycle of the clock at %" PRId64 " Hz $end\n", m->clock_hz);
    fputs("$timescale 1 us $end\n", d->out);
    begin_scope(d->out, "tsp");
    declare_ops(d);
    declare_streams(d);
    for (int32_t g = 0; g < TRACE_GROUPS; g++) {
        bool begun = false;
        for (int32_t queue = 0; queue < tsp_queue_count(m); queue++) {
            if (t->first[queue] == t->first[queue + 1] || trace_group(m, queue) != (TraceGroup)g)
                continue;
            if (!begun) begin_scope(d->out, trace_groups[g].scope);
            begun = true;
            declare_queue(d, queue);
        }
        if (begun) end_scope(d->out);
    }
    end_scope(d->out);
    fputs("$enddefinitions $end\n", d->out);
}

/* -- values -- */

static void set(Dump *d, int32_t signal, int64_t value) {
    Signal *s = &d->signals[signal];
    s->value = value;
    if (s->changed) return;
    s->changed = true;
    d->changes[d->change_count++] = signal;
}

static void put_value(Dump *d, int32_t signal) {
    Signal *s = &d->signals[signal];
    if (s->width == 0) {
        fprintf(d->out, "s%s ", s->value < 0 ? "-" : tsp_insn_info((TspOpcode)s->value)->mnemonic);
    } else if (s->width == 1) {
        fputc(s->value ? '1' : '0', d->out);
    } else {
        int32_t bit = s->width - 1;
        fputc('b', d->out);
        while (bit > 0 && s->value >= 0 && !(s->value >> bit & 1)) bit--; /* leading zeros */
        if (s->value < 0) bit = 0;
        for (; bit >= 0; bit--)
            fputc(s->value < 0 ? 'x' : '0' + (int)(s->value >> bit & 1), d->out);
        fputc(' ', d->out);
    }
    put_code(d->out, signal);
    fputc('\n', d->out);
    s->shown = s->value;
}

/* Writes every value, as the dump begins. */
static void put_all(Dump *d) {
    fprintf(d->out, "#%" PRId64 "\n$dumpvars\n", d->trace->from);
    for (int32_t i = 0; i < d->signal_count; i++)
        if (d->signals[i].width >= 0) put_value(d, i);
    fputs("$end\n", d->out);
    d->dumped = true;
}

/* A cycle is over: writes what has changed in it. */
static void settle(Dump *d, int64_t cycle) {
    bool stamped = false;
    for (int32_t i = 0; i < d->change_count; i++) {
        Signal *s = &d->signals[d->changes[i]];
        s->changed = false;
        if (!d->dumped || s->value == s->shown) continue;
        if (!stamped) fprintf(d->out, "#%" PRId64 "\n", cycle);
        stamped = true;
        put_value(d, d->changes[i]);
    }
    d->change_count = 0;
}

/* -- events -- */

/* The operand's value, -1 if the instruction has none or it is no stream. */
static int64_t operand_value(const Dump *d, const TspInsn *insn, const char *name) {
    const TspInsnInfo *info = tsp_insn_info(insn->op);
    for (int32_t f = 0; f < info->field_count; f++) {
        const TspField *field = &info->fields[f];
        const bool stream = tsp_kind_is_stream(field->kind) || field->kind == TSP_KIND_SRC ||
                            field->kind == TSP_KIND_DST;
        if (!field->name || strcmp(field->name, name) != 0) continue;
        if (stream && tsp_field_streams(&d->p->machine, field, insn) == 0) return -1;
        if (insn->op == TSP_OP_ACC && stream && !insn->emit) return -1;
        return tsp_field_get(insn, field);
    }
    return -1;
}

static void show_issue(Dump *d, const VizIssue *issue) {
    const int32_t queue = issue->burst->queue, first = d->queue_signal[queue];
    const TspInsn insn = viz_issue_insn(d->trace->timeline, issue);
    const TspQueueInfo info = tsp_queue_info(&d->p->machine, queue);
    TraceEvent event = {.cycle = issue->cycle + 1, .phase = TRACE_OFF, .queue = queue};
    int32_t signal = first + QUEUE_OPERANDS;
    set(d, first + QUEUE_BUSY, 1);
    set(d, first + QUEUE_OPCODE, insn.op);
    for (int32_t i = 0; i < OPERANDS; i++)
        if (has_operand(&info, i)) set(d, signal++, operand_value(d, &insn, operands[i].operand));
    trace_agenda_add(&d->agenda, event);
    trace_agenda_drive(&d->agenda, issue, &insn, 0);
    if (tsp_insn_info(insn.op)->unit != TSP_UNIT_VXM) return;
    event.phase = TRACE_RESULT;
    event.cycle = issue->cycle + d->p->machine.vxm_entry_cycles + d->p->machine.vxm_op_cycles;
    trace_agenda_add(&d->agenda, event);
}

/* An issue, or with `id` 1 a result, of the cycle before is over. */
static void show_off(Dump *d, const TraceEvent *e) {
    const int32_t first = d->queue_signal[e->queue];
    const TspQueueInfo info = tsp_queue_info(&d->p->machine, e->queue);
    int32_t signal = first + QUEUE_OPERANDS;
    if (e->id) {
        set(d, first + QUEUE_RESULT, 0);
        return;
    }
    set(d, first + QUEUE_BUSY, 0);
    set(d, first + QUEUE_OPCODE, -1);
    for (int32_t i = 0; i < OPERANDS; i++)
        if (has_operand(&info, i)) set(d, signal++, -1);
}

static void show_count(Dump *d, int32_t stream, int32_t more) {
    const int32_t signals[2] = {d->stream_signal[stream],
                                d->flow_signal[TSP_STREAM_DIRECTION(stream)]};
    for (int32_t i = 0; i < 2; i++) set(d, signals[i], d->signals[signals[i]].value + more);
}

static void show_drive(Dump *d, const TraceEvent *e) {
    const int32_t column = tsp_queue_info(&d->p->machine, e->queue).column;
    for (int32_t stream = e->stream; stream < e->stream + e->count; stream++) {
        if (!trace_streams_put(&d->streams, stream, column, e->cycle, 0)) continue;
        show_count(d, stream, 1);
        trace_agenda_add(&d->agenda, (TraceEvent){.cycle = trace_leaves(&d->p->machine, stream,
                                                                        column, e->cycle),
                                                  .phase = TRACE_LEAVE,
                                                  .stream = stream});
    }
}

static void show_event(Dump *d, const TraceEvent *e) {
    switch (e->phase) {
    case TRACE_ISSUE:
        show_issue(d, &e->issue);
        break;
    case TRACE_OFF:
        show_off(d, e);
        break;
    case TRACE_DRIVE:
        show_drive(d, e);
        break;
    case TRACE_LEAVE:
        show_count(d, e->stream, -1);
        break;
    case TRACE_RESULT:
        set(d, d->queue_signal[e->queue] + QUEUE_RESULT, 1);
        trace_agenda_add(
            &d->agenda,
            (TraceEvent){.cycle = e->cycle + 1, .phase = TRACE_OFF, .queue = e->queue, .id = 1});
        break;
    case TRACE_STAGE: /* an op begins or ends */
        set(d, d->op_signal + (int32_t)e->id, e->stage);
        break;
    default:
        break;
    }
}

static void plan_ops(Dump *d) {
    for (int32_t op = 0; op < d->p->op_count; op++) {
        const TspInterval at = d->trace->timeline->ops[op];
        TraceEvent event = {.phase = TRACE_STAGE, .id = op};
        if (at.start < 0 || at.end <= at.start) continue;
        event.cycle = at.start;
        event.stage = 1;
        trace_agenda_add(&d->agenda, event);
        event.cycle = at.end;
        event.stage = 0;
        trace_agenda_add(&d->agenda, event);
    }
}

static void show_all(Dump *d) {
    const Trace *trace = d->trace;
    int64_t cycle = INT64_MIN;
    TraceEvent event;
    trace_agenda_start(&d->agenda, trace->timeline, trace->from - trace_longest(trace->timeline),
                       trace->to);
    plan_ops(d);
    while (trace_agenda_take(&d->agenda, &event) && event.cycle < trace->to) {
        if (event.cycle != cycle) settle(d, cycle);
        if (event.cycle > trace->from && !d->dumped) put_all(d);
        cycle = event.cycle;
        show_event(d, &event);
    }
    settle(d, cycle);
    if (!d->dumped) put_all(d);
    if (trace->to > trace->from) fprintf(d->out, "#%" PRId64 "\n", trace->to);
}

/* The most signals that may be declared. */
static size_t count_signals(const TspProgram *p) {
    return (size_t)tsp_queue_count(&p->machine) * (QUEUE_OPERANDS + OPERANDS) + TSP_MAX_STREAMS +
           2 + (size_t)p->op_count;
}

bool trace_vcd(const Trace *trace, TspError *err) {
    const TspProgram *p = trace->timeline->program;
    const size_t most = count_signals(p);
    Dump *d = calloc(1, sizeof *d);
    bool good = d && (d->signals = calloc(most, sizeof *d->signals)) &&
                (d->changes = calloc(most, sizeof *d->changes));
    if (good) {
        d->trace = trace;
        d->p = p;
        d->out = trace->out;
        trace_streams_clear(&d->streams, &p->machine);
        declare_all(d);
        show_all(d);
        good = !d->agenda.broken;
        trace_agenda_free(&d->agenda);
    }
    if (d) {
        free(d->signals);
        free(d->changes);
    }
    free(d);
    return good || trace_out_of_memory(err);
}
