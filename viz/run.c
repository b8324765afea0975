/* run.c - opens a run, takes it to a cycle and finds what is on the streams there; see run.h.
 *
 * The timeline knows every drive: a burst that drives streams does so d_func after each issue. A
 * picture of cycle c needs those of the last few dozen cycles, as far back as a vector may have
 * been under way in the superlane that sees it last.
 */
#include "gantt_index.h"
#include "plan.h"

#include <stdlib.h>
#include <string.h>

/* -- who uses what -- */

static bool eastward(int32_t stream) {
    return TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD;
}

static int64_t diagonal_of(int32_t stream, int32_t column, int64_t cycle) {
    return eastward(stream) ? column - cycle : column + cycle;
}

static int32_t column_of(const VizRun *run, int32_t queue) {
    return tsp_queue_info(run->m, queue).column;
}

/* The first column from `column` on, in the direction of the stream and no further than `last`, at
 * which a unit takes the vector that stands at `column` in `cycle`; or the last such. */
static bool find_use(const VizRun *run, int32_t stream, int32_t column, int64_t cycle, int32_t last,
                     bool first, VizIssue *use) {
    const int32_t begin = run->user_first[stream], count = run->user_first[stream + 1] - begin;
    const bool up = eastward(stream) == first; /* users are in the order of columns */
    for (int32_t i = 0; i < count; i++) {
        const int32_t queue = run->users[begin + (up ? i : count - 1 - i)];
        const int32_t at = column_of(run, queue);
        const int32_t way = eastward(stream) ? at - column : column - at;
        if (way < 0 || (eastward(stream) ? at > last : at < last)) continue;
        if (viz_issue_at(&run->timeline, queue, cycle + way, use) &&
            viz_burst_takes(&run->timeline, use->burst, stream))
            return true;
    }
    return false;
}

static int32_t edge(const VizRun *run, int32_t stream) {
    return eastward(stream) ? tsp_columns(run->m) - 1 : 0;
}

/* Marks who drives and lists who takes each stream. */
static bool find_users(VizRun *run) {
    const int32_t queues = tsp_queue_count(run->m), columns = tsp_columns(run->m);
    bool *uses = calloc((size_t)TSP_MAX_STREAMS * TSP_MAX_QUEUES, sizeof *uses);
    if (!uses) return false;
    for (int32_t i = 0; i < run->timeline.burst_count; i++) {
        const VizBurst *b = &run->timeline.bursts[i];
        const TspInsn insn = viz_burst_insn(&run->timeline, b, NULL);
        VizStreams streams[VIZ_OPERANDS];
        int32_t count = viz_insn_inputs(run->m, &insn, streams);
        if (viz_burst_func(b) > run->longest) run->longest = viz_burst_func(b);
        for (int32_t k = 0; k < count; k++)
            for (int32_t s = 0; s < streams[k].count; s++)
                uses[(streams[k].base + s) * TSP_MAX_QUEUES + b->queue] = true;
        count = viz_insn_outputs(run->m, &insn, streams);
        for (int32_t k = 0; k < count; k++)
            for (int32_t s = 0; s < streams[k].count; s++)
                run->stream_used[streams[k].base + s] = true;
    }
    for (int32_t pass = 0; pass < 2; pass++) { /* count, then fill */
        run->stream_users = 0;
        for (int32_t s = 0; s < TSP_MAX_STREAMS; s++) {
            run->user_first[s] = run->stream_users;
            for (int32_t column = 0; column < columns; column++)
                for (int32_t q = 0; q < queues; q++) {
                    if (!uses[s * TSP_MAX_QUEUES + q] || column_of(run, q) != column) continue;
                    if (pass) run->users[run->stream_users] = q;
                    run->stream_users++;
                }
        }
        run->user_first[TSP_MAX_STREAMS] = run->stream_users;
        if (pass == 0) run->users = calloc((size_t)run->stream_users + 1, sizeof *run->users);
        if (!run->users) break;
    }
    free(uses);
    return run->users != NULL;
}

/* -- what belongs to which tensor -- */

/* Tensor of what a burst writes, -1 if it writes none. */
static int32_t written(const VizBurst *b) {
    if (b->opcode == TSP_OP_WRITE) return b->tensor[0];
    return b->opcode == TSP_OP_READ_WRITE ? b->tensor[1] : -1;
}

/* Where the first vector that a burst drives ends up: followed through units to a Write. */
static int32_t follow(const VizRun *run, const VizBurst *b, int32_t hops) {
    const TspInsn insn = viz_burst_insn(&run->timeline, b, NULL);
    VizStreams out[VIZ_OPERANDS];
    VizIssue use;
    if (hops == 0 || viz_insn_outputs(run->m, &insn, out) == 0) return -1;
    if (!find_use(run, out[0].base, column_of(run, b->queue), b->start + b->func[0],
                  edge(run, out[0].base), true, &use))
        return -1;
    if (written(use.burst) >= 0) return written(use.burst);
    return follow(run, use.burst, hops - 1);
}

static bool find_tensors(VizRun *run) {
    const VizTimeline *line = &run->timeline;
    for (int32_t i = 0; i < run->program->op_count; i++) run->op_tensor[i] = -1;
    for (int32_t i = line->burst_count - 1; i >= 0; i--) {
        const VizBurst *b = &line->bursts[i];
        const int32_t op = b->opcode == TSP_OP_READ_WRITE ? b->op[1] : b->op[0];
        if (op >= 0 && written(b) >= 0) run->op_tensor[op] = written(b);
    }
    if (!viz_run_find_feeds(run)) return false;
    for (int32_t i = 0; i < line->burst_count; i++) {
        const VizBurst *b = &line->bursts[i];
        const int32_t op = viz_burst_op(b);
        run->burst_tensor[i] = b->tensor[0];
        if (b->tensor[0] < 0 && op >= 0) run->burst_tensor[i] = run->op_tensor[op];
        if (run->burst_tensor[i] < 0) run->burst_tensor[i] = follow(run, b, 4);
    }
    return true;
}

/* -- opening -- */

static bool run_once(VizRun *run, bool ifetch_modelled, TspError *err) {
    const TspSimOptions options = {.ifetch_modelled = ifetch_modelled, .timing_only = true};
    TspSim *sim = tsp_sim_new(run->program, &options, err);
    bool made;
    if (!sim) return false;
    run->failed = !tsp_sim_run(sim, &run->failure);
    made = viz_timeline_make(&run->timeline, run->program, sim, err);
    tsp_sim_free(sim);
    return made;
}

bool viz_run_open(VizRun *run, const TspProgram *program, TspSim *sim, bool ifetch_modelled,
                  TspError *err) {
    *run = (VizRun){.program = program, .m = &program->machine, .sim = sim, .cycle = -1};
    if (!run_once(run, ifetch_modelled, err)) {
        viz_run_close(run);
        return false;
    }
    run->burst_tensor = calloc((size_t)run->timeline.burst_count + 1, sizeof *run->burst_tensor);
    run->op_tensor = calloc((size_t)program->op_count + 1, sizeof *run->op_tensor);
    run->user_first = calloc(TSP_MAX_STREAMS + 1, sizeof *run->user_first);
    run->stream_used = calloc(TSP_MAX_STREAMS, sizeof *run->stream_used);
    if (!viz_rows_make(&run->rows, &run->timeline) || !run->burst_tensor || !run->op_tensor ||
        !run->user_first || !run->stream_used || !find_users(run)) {
        viz_run_close(run);
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a view of the program");
    }
    run->plan = NULL;
    if (find_tensors(run))
        run->plan = viz_plan_new(run, err);
    else
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a view of the program");
    if (!run->plan) {
        viz_run_close(run);
        return false;
    }
    run->gantt = viz_gantt_index_new(&run->timeline);
    if (viz_run_look(run, 0, err)) return true;
    viz_run_close(run);
    return false;
}

void viz_run_close(VizRun *run) {
    tsp_sim_free(run->sim);
    viz_timeline_free(&run->timeline);
    viz_rows_free(&run->rows);
    free(run->burst_tensor);
    free(run->op_tensor);
    free(run->feeds);
    free(run->user_first);
    free(run->users);
    free(run->stream_used);
    viz_plan_free(run->plan);
    free(run->drives);
    viz_gantt_index_free(run->gantt);
    *run = (VizRun){0};
}

/* -- a cycle -- */

static bool add_drive(VizRun *run, const VizDrive *drive) {
    if (run->drive_count == run->drive_capacity) {
        const int32_t capacity = run->drive_capacity ? 2 * run->drive_capacity : 1024;
        VizDrive *drives = realloc(run->drives, (size_t)capacity * sizeof *drives);
        if (!drives) return false;
        run->drives = drives;
        run->drive_capacity = capacity;
    }
    run->drives[run->drive_count++] = *drive;
    return true;
}

/* Drives of one queue in cycles from .. to. */
static bool collect(VizRun *run, int32_t queue, int64_t from, int64_t to) {
    const VizTimeline *line = &run->timeline;
    const VizBurst *burst = NULL;
    VizStreams out[VIZ_OPERANDS];
    int32_t outputs = 0;
    VizIssue issue;
    bool more = viz_issue_next(line, queue, from - run->longest - 1, &issue);
    for (; more && issue.cycle <= to; more = viz_issue_advance(line, &issue)) {
        VizDrive drive;
        if (issue.burst != burst) {
            const TspInsn insn = viz_burst_insn(line, issue.burst, NULL);
            burst = issue.burst;
            outputs = viz_insn_outputs(run->m, &insn, out);
        }
        drive = (VizDrive){.column = column_of(run, queue),
                           .cycle = issue.cycle + burst->func[0],
                           .burst = (int32_t)(burst - line->bursts),
                           .issue = issue.cycle};
        if (outputs == 0 || drive.cycle < from || drive.cycle > to) continue;
        drive.tensor = run->burst_tensor[drive.burst];
        drive.op = burst->op[0];
        if (burst->tensor[0] >= 0 && viz_burst_meant(line, burst, 0) < 0) {
            /* a Read may pass from one tensor to the next */
            const TspInsn insn = viz_issue_insn(line, &issue);
            drive.tensor = viz_run_row_tensor(run, queue, insn.addr);
        }
        for (int32_t k = 0; k < outputs; k++)
            for (int32_t s = 0; s < out[k].count; s++) {
                drive.stream = out[k].base + s;
                drive.diagonal = diagonal_of(drive.stream, drive.column, drive.cycle);
                if (!add_drive(run, &drive)) return false;
                drive.output++;
            }
    }
    return true;
}

static int by_place(const void *a, const void *b) {
    const VizDrive *x = a, *y = b;
    if (x->stream != y->stream) return x->stream < y->stream ? -1 : 1;
    if (x->diagonal != y->diagonal) return x->diagonal < y->diagonal ? -1 : 1;
    return (x->cycle > y->cycle) - (x->cycle < y->cycle);
}

/* How far each drive goes and is used; those that are yet to come have done their part. */
static void settle(VizRun *run) {
    int32_t left = 0;
    for (int32_t i = 0; i < run->drive_count; i++) {
        VizDrive drive = run->drives[i];
        const VizDrive *next = i + 1 < run->drive_count ? &run->drives[i + 1] : NULL;
        VizIssue use;
        if (drive.cycle > run->cycle) continue;
        drive.last = edge(run, drive.stream);
        if (next && next->stream == drive.stream && next->diagonal == drive.diagonal)
            drive.last = next->column + (eastward(drive.stream) ? -1 : 1);
        drive.last_used = -1;
        if (find_use(run, drive.stream, drive.column, drive.cycle, drive.last, false, &use))
            drive.last_used = column_of(run, use.burst->queue);
        run->drives[left++] = drive;
    }
    run->drive_count = left;
}

bool viz_run_look(VizRun *run, int64_t cycle, TspError *err) {
    const int64_t behind = tsp_columns(run->m) + run->m->superlanes,
                  queues = tsp_queue_count(run->m);
    bool good = true;
    if (cycle > run->timeline.cycles) cycle = run->timeline.cycles;
    if (cycle < 0) cycle = 0;
    if (cycle == run->cycle) return true;
    if (run->sim && !tsp_sim_seek(run->sim, cycle, err)) {
        TspError ignored;
        good = false;
        cycle = err->cycle >= 0 && err->cycle < cycle ? err->cycle : 0;
        if (!tsp_sim_seek(run->sim, cycle, &ignored)) return false;
    }
    run->cycle = cycle;
    if (viz_rows_look(&run->rows, cycle) && !viz_memory_map_update(&run->plan->memory, run))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a view of the program");
    run->drive_count = 0;
    for (int32_t q = 0; q < queues; q++)
        if (!collect(run, q, cycle - behind, cycle + tsp_columns(run->m)))
            return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for a view of the program");
    if (run->drive_count > 0)
        qsort(run->drives, (size_t)run->drive_count, sizeof *run->drives, by_place);
    settle(run);
    return good;
}

int32_t viz_drive_column(const VizRun *run, const VizDrive *drive, int32_t superlane) {
    const int64_t age = run->cycle - superlane - drive->cycle;
    const bool east = eastward(drive->stream);
    int64_t column;
    if (age < 0) return -1;
    column = east ? drive->column + age : drive->column - age;
    return (east ? column > drive->last : column < drive->last) ? -1 : (int32_t)column;
}

const VizDrive *viz_run_drive(const VizRun *run, int32_t stream, int32_t column,
                              int32_t superlane) {
    const int64_t diagonal = diagonal_of(stream, column, run->cycle - superlane);
    int32_t low = 0, high = run->drive_count;
    while (low < high) {
        const int32_t middle = (low + high) / 2;
        const VizDrive *d = &run->drives[middle];
        if (d->stream < stream || (d->stream == stream && d->diagonal < diagonal))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < run->drive_count; low++) {
        const VizDrive *d = &run->drives[low];
        if (d->stream != stream || d->diagonal != diagonal) break;
        if (viz_drive_column(run, d, superlane) == column) return d;
    }
    return NULL;
}

const uint8_t *viz_drive_bytes(const VizRun *run, const VizDrive *drive, int32_t superlane) {
    const int32_t column = viz_drive_column(run, drive, superlane);
    if (!run->sim || column < 0) return NULL;
    return tsp_sim_stream_ago(run->sim, drive->stream, column, superlane);
}

bool viz_drive_next_use(const VizRun *run, const VizDrive *drive, VizIssue *use) {
    const int64_t age = run->cycle + 1 - drive->cycle;
    const int64_t from = eastward(drive->stream) ? drive->column + age : drive->column - age;
    if (from < 0 || from >= tsp_columns(run->m)) return false;
    return find_use(run, drive->stream, (int32_t)from, run->cycle + 1, drive->last, true, use);
}
