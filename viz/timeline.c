/* timeline.c - makes the timeline of a program from a simulator that has run it, and searches it.
 */
#include "timeline.h"
#include "operands.h"

#include <stdlib.h>
#include <string.h>

/* -- making -- */

void viz_slice_tensors(const TspProgram *p, int32_t slice, int32_t *tensor_of_row) {
    const int32_t rows = tsp_mem_slice_rows(&p->machine);
    for (int32_t i = 0; i < rows; i++) tensor_of_row[i] = -1;
    for (int32_t t = 0; t < p->tensor_count; t++)
        for (int32_t k = 0; k < p->tensors[t].piece_count; k++) {
            const TspPiece *piece = &p->tensors[t].pieces[k];
            if (piece->slice != slice) continue;
            for (int32_t i = 0; i < piece->rows; i++) {
                int32_t *row = &tensor_of_row[piece->addr + i * piece->addr_step];
                if (*row < 0) *row = t;
            }
        }
}

int32_t viz_burst_meant(const VizTimeline *timeline, const VizBurst *b, int half) {
    return b->run[half] < 0 ? -1 : timeline->program->runs[b->run[half]].tensor;
}

/* What the debug information says, or else what lies there. */
static void find_tensors(const VizTimeline *t, const TspInsn *insn, const int32_t *tensor_of_row,
                         VizBurst *b) {
    const bool writes = insn->op == TSP_OP_WRITE || insn->op == TSP_OP_READ_WRITE;
    const int32_t addr[2] = {writes && insn->op == TSP_OP_WRITE ? insn->waddr : insn->addr,
                             insn->waddr};
    const int halves = !writes && insn->op != TSP_OP_READ ? 0 : 1 + (insn->op == TSP_OP_READ_WRITE);
    for (int half = 0; half < halves; half++) {
        b->tensor[half] = viz_burst_meant(t, b, half);
        if (b->tensor[half] < 0) b->tensor[half] = tensor_of_row[addr[half]];
    }
}

static void find_debug(const TspProgram *p, const TspInsnDebug *debug, VizBurst *b) {
    b->line = debug->line;
    for (int32_t half = 0; half < 2; half++) {
        int32_t run = debug->run[half], op;
        if (run < 0 || run >= p->run_count) continue;
        b->run[half] = run;
        b->first[half] = debug->first[half];
        op = p->runs[run].op;
        if (op >= 0 && op < p->op_count) b->op[half] = op;
    }
}

/* The Repeat of an instruction, as the engines take it. */
static bool repeat_of(const TspProgram *p, int32_t queue, int32_t word, const TspInsn *insn,
                      TspInsn *repeat) {
    const TspQueue *q = &p->queues[queue];
    TspError ignored;
    return tsp_insn_info(insn->op)->unit != TSP_UNIT_ANY && word + 1 < q->count &&
           tsp_decode(q->words[word + 1], repeat, &ignored) && repeat->op == TSP_OP_REPEAT &&
           tsp_insn_validate(&p->machine, repeat, queue, &ignored);
}

static VizBurst make_burst(const TspProgram *p, int32_t queue, int32_t word, int64_t start,
                           const TspInsn *insn) {
    const TspQueue *q = &p->queues[queue];
    VizBurst b = {.start = start,
                  .last = start,
                  .queue = queue,
                  .word = word,
                  .opcode = insn->op,
                  .func = {tsp_insn_func(&p->machine, insn), 0},
                  .run = {-1, -1},
                  .first = {-1, -1},
                  .op = {-1, -1},
                  .tensor = {-1, -1}};
    TspInsn repeat;
    if (insn->op == TSP_OP_READ_WRITE) {
        b.func[0] = tsp_op_func(&p->machine, TSP_OP_READ);
        b.func[1] = tsp_op_func(&p->machine, TSP_OP_WRITE);
    }
    if (q->debug) find_debug(p, &q->debug[word], &b);
    if (!repeat_of(p, queue, word, insn, &repeat)) return b;
    b.n = repeat.n;
    b.d = repeat.d;
    b.n2 = repeat.n2;
    b.d2 = repeat.d2;
    b.last += (int64_t)b.n * b.d + (int64_t)b.n2 * b.d2;
    return b;
}

/* Whether the word has issued below the cycles that the timeline covers. */
static bool has_issued(const VizTimeline *t, int64_t start) {
    return start >= 0 && (t->complete || start < t->cycles);
}

static void add_queue(VizTimeline *t, const TspSim *sim, int32_t queue, int32_t *tensor_of_row) {
    const TspProgram *p = t->program;
    const TspQueue *q = &p->queues[queue];
    const bool mem = tsp_queue_info(&p->machine, queue).unit == TSP_UNIT_MEM;
    if (mem && q->count) viz_slice_tensors(p, queue, tensor_of_row);
    for (int32_t word = 0; word < q->count; word++) {
        const int64_t start = tsp_sim_word_start(sim, queue, word);
        TspInsn insn;
        TspError ignored;
        VizBurst *b = &t->bursts[t->burst_count];
        if (!has_issued(t, start) || !tsp_decode(q->words[word], &insn, &ignored)) continue;
        *b = make_burst(p, queue, word, start, &insn);
        if (mem) find_tensors(t, &insn, tensor_of_row, b);
        t->issues += t->complete ? viz_burst_issues(b) : viz_burst_issues_before(b, t->cycles);
        t->burst_count++;
    }
}

static int32_t count_words(const VizTimeline *t, const TspSim *sim, int32_t queue) {
    int32_t count = 0;
    for (int32_t word = 0; word < t->program->queues[queue].count; word++)
        count += has_issued(t, tsp_sim_word_start(sim, queue, word));
    return count;
}

bool viz_timeline_make(VizTimeline *timeline, const TspProgram *program, const TspSim *sim,
                       TspError *err) {
    VizTimeline *t = timeline;
    const int32_t queues = tsp_queue_count(&program->machine);
    int32_t *tensor_of_row =
        malloc((size_t)tsp_mem_slice_rows(&program->machine) * sizeof *tensor_of_row);
    int64_t words = 0;
    memset(t, 0, sizeof *t);
    t->program = program;
    t->complete = tsp_sim_done(sim);
    t->cycles = tsp_sim_now(sim);
    for (int32_t queue = 0; queue < queues; queue++) words += count_words(t, sim, queue);
    if (words < INT32_MAX) t->bursts = calloc((size_t)words + 1, sizeof *t->bursts);
    t->ops = calloc((size_t)program->op_count + 1, sizeof *t->ops);
    if (!tensor_of_row || !t->bursts || !t->ops) {
        free(tensor_of_row);
        viz_timeline_free(t);
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the timeline");
    }
    for (int32_t queue = 0; queue < TSP_MAX_QUEUES; queue++) {
        if (queue < queues) add_queue(t, sim, queue, tensor_of_row);
        t->first[queue + 1] = t->burst_count;
    }
    for (int32_t op = 0; op < program->op_count; op++) t->ops[op] = tsp_sim_op_interval(sim, op);
    free(tensor_of_row);
    return true;
}

bool viz_timeline_run(VizTimeline *timeline, const TspProgram *program, bool ifetch_modelled,
                      TspError *err) {
    const TspSimOptions options = {.timing_only = true, .ifetch_modelled = ifetch_modelled};
    TspSim *sim = tsp_sim_new(program, &options, err);
    bool done = sim && tsp_sim_run(sim, err) && viz_timeline_make(timeline, program, sim, err);
    tsp_sim_free(sim);
    return done;
}

void viz_timeline_free(VizTimeline *timeline) {
    free(timeline->bursts);
    free(timeline->ops);
    *timeline = (VizTimeline){0};
}

/* -- searching -- */

int32_t viz_burst_find(const VizTimeline *t, int32_t queue, int64_t cycle) {
    int32_t low, high;
    if (queue < 0 || queue >= TSP_MAX_QUEUES) return -1;
    low = t->first[queue];
    high = t->first[queue + 1];
    while (low < high) { /* below low: bursts that start in time; from high on: those that do not */
        int32_t middle = low + (high - low) / 2;
        if (t->bursts[middle].start <= cycle)
            low = middle + 1;
        else
            high = middle;
    }
    return low > t->first[queue] ? low - 1 : -1;
}

/* The last issue of the burst in `cycle` or before; the burst has started by then. */
static VizIssue last_issue_by(const VizBurst *b, int64_t cycle) {
    int64_t since = cycle - b->start, j = b->n2 ? since / b->d2 : 0, i;
    if (j > b->n2) j = b->n2;
    since -= j * b->d2;
    i = b->n ? since / b->d : 0;
    if (i > b->n) i = b->n;
    return (VizIssue){b, b->start + i * b->d + j * b->d2, (int32_t)i, (int32_t)j};
}

bool viz_issue_at(const VizTimeline *t, int32_t queue, int64_t cycle, VizIssue *issue) {
    int32_t burst = viz_burst_find(t, queue, cycle);
    if (burst < 0) return false;
    *issue = last_issue_by(&t->bursts[burst], cycle);
    return issue->cycle == cycle;
}

bool viz_issue_previous(const VizTimeline *t, int32_t queue, int64_t cycle, VizIssue *issue) {
    int32_t burst = viz_burst_find(t, queue, cycle - 1);
    if (burst < 0) return false;
    *issue = last_issue_by(&t->bursts[burst], cycle - 1);
    return true;
}

bool viz_issue_advance(const VizTimeline *t, VizIssue *issue) {
    const VizBurst *b = issue->burst;
    if (issue->i < b->n) {
        issue->i++;
    } else if (issue->j < b->n2) {
        issue->i = 0;
        issue->j++;
    } else {
        if (b + 1 == t->bursts + t->first[b->queue + 1]) return false;
        b++;
        *issue = (VizIssue){b, b->start, 0, 0};
        return true;
    }
    issue->cycle = b->start + (int64_t)issue->i * b->d + (int64_t)issue->j * b->d2;
    return true;
}

bool viz_issue_next(const VizTimeline *t, int32_t queue, int64_t cycle, VizIssue *issue) {
    int32_t burst = viz_burst_find(t, queue, cycle);
    if (burst >= 0) {
        *issue = last_issue_by(&t->bursts[burst], cycle);
        return viz_issue_advance(t, issue);
    }
    if (queue < 0 || queue >= TSP_MAX_QUEUES || t->first[queue] == t->first[queue + 1])
        return false;
    *issue = (VizIssue){&t->bursts[t->first[queue]], t->bursts[t->first[queue]].start, 0, 0};
    return true;
}

int64_t viz_burst_issues_before(const VizBurst *b, int64_t cycle) {
    VizIssue last;
    if (cycle <= b->start) return 0;
    last = last_issue_by(b, cycle - 1);
    return (int64_t)last.j * ((int64_t)b->n + 1) + last.i + 1;
}

/* -- instructions -- */

TspInsn viz_burst_insn(const VizTimeline *t, const VizBurst *b, TspInsn *repeat) {
    const TspQueue *q = &t->program->queues[b->queue];
    TspInsn insn = {.op = TSP_OP_NOP};
    TspError ignored;
    if (repeat) *repeat = insn;
    tsp_decode(q->words[b->word], &insn, &ignored);
    if (repeat && (b->n || b->n2)) tsp_decode(q->words[b->word + 1], repeat, &ignored);
    return insn;
}

TspInsn viz_issue_insn(const VizTimeline *t, const VizIssue *issue) {
    TspInsn repeat, insn = viz_burst_insn(t, issue->burst, &repeat);
    const int32_t step = issue->i * repeat.a + issue->j * repeat.a2;
    switch (insn.op) {
    case TSP_OP_READ_WRITE:
        insn.waddr += issue->i * repeat.w + issue->j * repeat.w2;
        insn.addr += step;
        break;
    case TSP_OP_READ:
        insn.addr += step;
        break;
    case TSP_OP_WRITE:
        insn.waddr += step;
        break;
    case TSP_OP_LW:
        insn.group += step;
        break;
    case TSP_OP_ACC: /* an accumulator row that it does not use is 0, and stays so */
        if (insn.add || !insn.emit) insn.row += step;
        break;
    default:
        break;
    }
    return insn;
}

static bool among(const VizStreams *streams, int32_t count, int32_t stream) {
    for (int32_t i = 0; i < count; i++)
        if (stream >= streams[i].base && stream < streams[i].base + streams[i].count) return true;
    return false;
}

bool viz_burst_takes(const VizTimeline *t, const VizBurst *b, int32_t stream) {
    const TspInsn insn = viz_burst_insn(t, b, NULL);
    VizStreams in[VIZ_OPERANDS];
    return among(in, viz_insn_inputs(&t->program->machine, &insn, in), stream);
}

bool viz_burst_drives(const VizTimeline *t, const VizBurst *b, int32_t stream) {
    const TspInsn insn = viz_burst_insn(t, b, NULL);
    VizStreams out[VIZ_OPERANDS];
    return among(out, viz_insn_outputs(&t->program->machine, &insn, out), stream);
}
