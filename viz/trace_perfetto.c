/* trace_perfetto.c - JSON trace events: a track a queue, a slice a burst, and the graph ops, as the
 * compiler predicted them and as they were simulated, on tracks of their own.
 *
 * One event a line. Slices of one track must not overlap, so a slice is the time in which the queue
 * issues, and when the last effect lands is an argument; ops that overlap get rows beside each
 * other.
 */
#include "isa/asm.h"
#include "trace_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Process numbers; those of the groups of queues follow. Threads have numbers of their own over all
 * processes. */
enum { PID_SIMULATED = 1, PID_PREDICTED, PID_ICU, PID_GROUPS, TIDS = 1000 };

/* chrome://tracing takes colours by these names of its own; an op keeps its colour. */
static const char *const colours[] = {"thread_state_running",
                                      "rail_animation",
                                      "rail_load",
                                      "thread_state_iowait",
                                      "rail_response",
                                      "yellow",
                                      "olive",
                                      "thread_state_runnable",
                                      "rail_idle",
                                      "generic_work",
                                      "good",
                                      "thread_state_uninterruptible",
                                      "startup",
                                      "detailed_memory_dump"};
enum { COLOURS = sizeof colours / sizeof *colours };

typedef struct {
    const Trace *trace;
    const TspProgram *p;
    FILE *out;
    bool any; /* event written: a comma comes before the next */
} Writer;

/* -- JSON -- */

/* Bytes of the UTF-8 character that the text begins with; 0 if it begins with none. */
static int32_t character_bytes(const char *text) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char first = (unsigned char)*text;
    const int32_t bytes = first < 0x80   ? 1
                          : first < 0xc0 ? 0
                          : first < 0xe0 ? 2
                          : first < 0xf0 ? 3
                                         : 4;
    uint32_t code = bytes > 1 ? first & (0x7fu >> bytes) : first;
    for (int32_t i = 1; i < bytes; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | ((unsigned char)text[i] & 0x3fu);
    }
    if (code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return 0;
    return bytes;
}

static void put_string(FILE *out, const char *text) {
    fputc('"', out);
    while (*text) {
        const int32_t bytes = character_bytes(text);
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if (bytes == 1 && *text < ' ')
            fprintf(out, "\\u%04x", (unsigned)*text);
        else if (bytes == 0)
            fputc('?', out); /* names may hold any byte, JSON may not */
        else
            fwrite(text, 1, (size_t)bytes, out);
        text += bytes ? bytes : 1;
    }
    fputc('"', out);
}

static void put_key_string(FILE *out, const char *key, const char *text) {
    fprintf(out, ",\"%s\":", key);
    put_string(out, text);
}

static void put_key_number(FILE *out, const char *key, int64_t number) {
    fprintf(out, ",\"%s\":%" PRId64, key, number);
}

/* Thread `row` of a process; 0 for what concerns the process. */
static void begin_event(Writer *w, const char *phase, int32_t pid, int32_t row) {
    fprintf(w->out, "%s{\"ph\":\"%s\",\"pid\":%d,\"tid\":%d", w->any ? ",\n" : "", phase, pid,
            pid * TIDS + row);
    w->any = true;
}

/* Names a process or thread, and says where it is shown among its like. */
static void put_label(Writer *w, bool thread, int32_t pid, int32_t row, const char *name) {
    const char *what = thread ? "thread" : "process";
    begin_event(w, "M", pid, row);
    fprintf(w->out, ",\"name\":\"%s_name\",\"args\":{\"name\":", what);
    put_string(w->out, name);
    fputs("}}", w->out);
    begin_event(w, "M", pid, row);
    fprintf(w->out, ",\"name\":\"%s_sort_index\",\"args\":{\"sort_index\":%d}}", what,
            thread ? row : pid);
}

/* -- queues -- */

static const char *text_or_empty(const char *text) {
    return text ? text : "";
}

/* Control words work in the ICU, whatever the queue. */
static int32_t pid_of(const Writer *w, const VizBurst *b) {
    if (tsp_insn_info(b->opcode)->unit == TSP_UNIT_ANY) return PID_ICU;
    return PID_GROUPS + (int32_t)trace_group(&w->p->machine, b->queue);
}

static bool in_range(const Trace *trace, const VizBurst *b) {
    return b->start < trace->to && b->last >= trace->from;
}

static void put_op_args(Writer *w, int32_t op) {
    const TspOpInfo *info = &w->p->ops[op];
    put_key_string(w->out, "op", text_or_empty(info->name));
    put_key_string(w->out, "type", text_or_empty(info->type));
    if (info->line) put_key_number(w->out, "op_line", info->line);
}

static void put_burst_args(Writer *w, const VizBurst *b) {
    static const char *const tensor_keys[2][2] = {{"tensor", "tensor"},
                                                  {"tensor", "tensor_written"}};
    const TspMachine *m = &w->p->machine;
    const bool both = b->opcode == TSP_OP_READ_WRITE;
    TspInsn repeat, insn = viz_burst_insn(w->trace->timeline, b, &repeat);
    char text[160];
    tsp_insn_text(m, &insn, text, sizeof text);
    fputs(",\"args\":{\"text\":", w->out);
    put_string(w->out, text);
    if (repeat.op == TSP_OP_REPEAT) {
        tsp_insn_text(m, &repeat, text, sizeof text);
        put_key_string(w->out, "repeat", text);
        put_key_number(w->out, "period", b->n ? b->d : b->d2);
    }
    put_key_number(w->out, "issues", viz_burst_issues(b));
    put_key_number(w->out, "word", b->word);
    put_key_number(w->out, "last_issue", b->last);
    put_key_number(w->out, "first_effect", b->start + b->func[0]);
    put_key_number(w->out, "last_effect", viz_burst_end(b));
    if (viz_burst_op(b) >= 0) put_op_args(w, viz_burst_op(b));
    if (b->op[1] >= 0 && b->op[1] != b->op[0])
        put_key_string(w->out, "op_written", text_or_empty(w->p->ops[b->op[1]].name));
    for (int32_t half = 0; half < 2; half++)
        if (b->tensor[half] >= 0)
            put_key_string(w->out, tensor_keys[both][half],
                           text_or_empty(w->p->tensors[b->tensor[half]].name));
    if (b->line) put_key_number(w->out, "source_line", b->line);
    fputs("}}", w->out);
}

static void put_burst(Writer *w, const VizBurst *b) {
    const int32_t op = viz_burst_op(b);
    begin_event(w, "X", pid_of(w, b), b->queue + 1);
    fprintf(w->out, ",\"ts\":%" PRId64 ",\"dur\":%" PRId64 ",\"name\":\"%s\"", b->start,
            b->last - b->start + 1, tsp_insn_info(b->opcode)->mnemonic);
    if (op >= 0) {
        put_key_string(w->out, "cat", text_or_empty(w->p->ops[op].name));
        put_key_string(w->out, "cname", colours[op % COLOURS]);
    }
    put_burst_args(w, b);
}

/* Names the processes and threads that have something to show. */
static void put_tracks(Writer *w) {
    const VizTimeline *t = w->trace->timeline;
    bool used[PID_GROUPS + TRACE_GROUPS] = {false};
    char name[32];
    for (int32_t queue = 0; queue < tsp_queue_count(&w->p->machine); queue++) {
        bool named[PID_GROUPS + TRACE_GROUPS] = {false};
        tsp_queue_name(&w->p->machine, queue, name);
        for (int32_t i = t->first[queue]; i < t->first[queue + 1]; i++) {
            const int32_t pid = pid_of(w, &t->bursts[i]);
            if (named[pid] || !in_range(w->trace, &t->bursts[i])) continue;
            named[pid] = used[pid] = true;
            put_label(w, true, pid, queue + 1, name);
        }
    }
    if (used[PID_ICU]) put_label(w, false, PID_ICU, 0, "ICU");
    for (int32_t g = 0; g < TRACE_GROUPS; g++)
        if (used[PID_GROUPS + g]) put_label(w, false, PID_GROUPS + g, 0, trace_groups[g].title);
}

/* -- graph ops -- */

static const char *const op_tracks[] = {
    [PID_SIMULATED] = "simulated", [PID_PREDICTED] = "predicted"};

static TspInterval interval_of(const Writer *w, int32_t pid, int32_t op) {
    const TspOpInfo *info = &w->p->ops[op];
    if (pid == PID_SIMULATED) return w->trace->timeline->ops[op];
    return w->p->predicted_cycles < 0 ? (TspInterval){-1, -1}
                                      : (TspInterval){info->start, info->end};
}

static void put_op(Writer *w, int32_t pid, int32_t row, int32_t op) {
    const TspInterval at = interval_of(w, pid, op);
    begin_event(w, "X", pid, row + 1);
    fprintf(w->out, ",\"ts\":%" PRId64 ",\"dur\":%" PRId64, at.start, at.end - at.start);
    put_key_string(w->out, "name", text_or_empty(w->p->ops[op].name));
    put_key_string(w->out, "cat", text_or_empty(w->p->ops[op].name));
    put_key_string(w->out, "cname", colours[op % COLOURS]);
    fprintf(w->out, ",\"args\":{\"index\":%d", op);
    put_op_args(w, op);
    for (int32_t i = PID_SIMULATED; i <= PID_PREDICTED; i++) {
        const TspInterval interval = interval_of(w, i, op);
        if (interval.start >= 0)
            fprintf(w->out, ",\"%s\":[%" PRId64 ",%" PRId64 "]", op_tracks[i], interval.start,
                    interval.end);
    }
    fputs("}}", w->out);
}

typedef struct {
    int64_t start, end;
    int32_t op;
} OpSlice;

static int by_start(const void *left, const void *right) {
    const OpSlice *a = left, *b = right;
    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    return (a->op > b->op) - (a->op < b->op);
}

/* Each op in the first row in which none before it is still busy. */
static bool put_ops(Writer *w, int32_t pid, const char *title, TspError *err) {
    OpSlice *slices = calloc((size_t)w->p->op_count + 1, sizeof *slices);
    int64_t *free_from = calloc((size_t)w->p->op_count + 1, sizeof *free_from);
    int32_t count = 0, rows = 0;
    for (int32_t op = 0; slices && op < w->p->op_count; op++) {
        const TspInterval at = interval_of(w, pid, op);
        if (at.start < 0 || at.start >= w->trace->to || at.end <= w->trace->from) continue;
        slices[count++] = (OpSlice){at.start, at.end, op};
    }
    if (slices && free_from) {
        qsort(slices, (size_t)count, sizeof *slices, by_start);
        if (count) put_label(w, false, pid, 0, title);
        for (int32_t i = 0; i < count; i++) {
            int32_t row = 0;
            while (row < rows && free_from[row] > slices[i].start) row++;
            if (row == rows) {
                put_label(w, true, pid, row + 1, op_tracks[pid]);
                rows++;
            }
            free_from[row] = slices[i].end;
            put_op(w, pid, row, slices[i].op);
        }
    }
    free(slices);
    free(free_from);
    return (slices && free_from) || trace_out_of_memory(err);
}

/* -- the file -- */

static void put_head(Writer *w) {
    const TspMachine *m = &w->p->machine;
    const VizTimeline *t = w->trace->timeline;
    fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"tool\":\"tsp trace\",\"unit\":"
          "\"1 us shown is 1 cycle\"",
          w->out);
    put_key_string(w->out, "program", trace_name(w->p));
    put_key_string(w->out, "source", text_or_empty(w->p->source));
    put_key_string(w->out, "machine", m->name);
    put_key_number(w->out, "clock_hz", m->clock_hz);
    put_key_number(w->out, "cycles", t->cycles);
    put_key_number(w->out, "instructions", t->issues);
    put_key_number(w->out, "from", w->trace->from);
    put_key_number(w->out, "to", w->trace->to);
    fputs("},\n\"traceEvents\":[\n", w->out);
}

bool trace_perfetto(const Trace *trace, TspError *err) {
    const VizTimeline *t = trace->timeline;
    Writer w = {.trace = trace, .p = t->program, .out = trace->out};
    put_head(&w);
    if (!put_ops(&w, PID_SIMULATED, "graph ops, simulated (1 us = 1 cycle)", err) ||
        !put_ops(&w, PID_PREDICTED, "graph ops, predicted (1 us = 1 cycle)", err))
        return false;
    put_tracks(&w);
    for (int32_t i = 0; i < t->burst_count; i++)
        if (in_range(trace, &t->bursts[i])) put_burst(&w, &t->bursts[i]);
    fputs("\n]}\n", w.out);
    return true;
}
