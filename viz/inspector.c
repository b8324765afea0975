/* inspector.c - everything about one thing: the selected one, else the one under the mouse, else
 * the whole program; and units.
 */
#include "inspector_parts.h"
#include "sim/utilisation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- lines of many things -- */

void viz_inspect_link_tensor(VizLines *l, const char *key, int32_t tensor) {
    VizLine *line;
    if (tensor < 0) return;
    line = viz_line_link(l, (VizThing){VIZ_TENSOR, tensor}, key, "%s",
                         viz_lines_run(l)->program->tensors[tensor].name);
    line->has_swatch = true;
    line->swatch = viz_tensor_fill(l->frame, tensor);
}

void viz_inspect_link_op(VizLines *l, const char *key, int32_t op) {
    char text[VIZ_WORDS];
    VizLine *line;
    if (op < 0) return;
    line = viz_line_link(l, (VizThing){VIZ_OP, op}, key, "%s",
                         viz_op_text(text, viz_lines_run(l)->program, op));
    line->has_swatch = true;
    line->swatch = viz_op_fill(l->frame, op);
}

void viz_inspect_link_queue(VizLines *l, const char *key, int32_t queue) {
    char text[VIZ_WORDS];
    viz_line_link(l, (VizThing){VIZ_QUEUE, queue}, key, "%s",
                  viz_queue_text(text, viz_lines_run(l)->m, queue));
}

void viz_inspect_link_issue(VizLines *l, const char *key, const VizIssue *issue) {
    const VizRun *run = viz_lines_run(l);
    char name[VIZ_WORDS], text[VIZ_WORDS];
    viz_line_link(l, (VizThing){VIZ_BURST, issue->burst - run->timeline.bursts}, key, "%s: %s",
                  viz_queue_text(name, run->m, issue->burst->queue),
                  viz_issue_text(text, run, issue))
        ->face = VIZ_MONO;
}

const char *viz_inspect_when(char text[VIZ_WORDS], const VizLines *l, int64_t cycle) {
    const int64_t ahead = cycle - l->frame->view->cycle;
    const char *unit = llabs(ahead) == 1 ? "cycle" : "cycles";
    if (ahead == 0)
        snprintf(text, VIZ_WORDS, "now");
    else if (ahead > 0)
        snprintf(text, VIZ_WORDS, "in %" PRId64 " %s", ahead, unit);
    else
        snprintf(text, VIZ_WORDS, "%" PRId64 " %s ago", -ahead, unit);
    return text;
}

void viz_inspect_intervals(VizLines *l, int32_t op) {
    const VizRun *run = viz_lines_run(l);
    const TspOpInfo *info;
    TspInterval ran;
    bool predicted;
    if (op < 0) return;
    info = &run->program->ops[op];
    ran = run->timeline.ops[op];
    predicted = run->program->predicted_cycles >= 0 && info->end > info->start;
    if (predicted)
        viz_line_pair(l, "predicted", "cycles %" PRId64 " to %" PRId64, info->start, info->end);
    if (ran.start < 0) {
        viz_line_pair(l, "simulated", "never issues")->role = VIZ_TEXT_DIM;
        return;
    }
    viz_line_pair(l, "simulated", "cycles %" PRId64 " to %" PRId64, ran.start, ran.end);
    if (!predicted) return;
    if (ran.start == info->start && ran.end == info->end)
        viz_line_pair(l, "difference", "none")->role = VIZ_GOOD;
    else
        viz_line_pair(l, "difference", "%+" PRId64 " at the start, %+" PRId64 " at the end",
                      ran.start - info->start, ran.end - info->end)
            ->role = VIZ_ERROR;
}

/* -- a unit -- */

static const char *unit_text(char text[VIZ_WORDS], const TspQueueInfo *info) {
    static const char *const roles[] = {[TSP_ROLE_NONE] = "",
                                        [TSP_ROLE_WEIGHTS] = "weights",
                                        [TSP_ROLE_ACTIVATIONS] = "activations",
                                        [TSP_ROLE_RESULTS] = "results",
                                        [TSP_ROLE_TRANSPOSE] = "transposer",
                                        [TSP_ROLE_DISTRIBUTE] = "distributor",
                                        [TSP_ROLE_PERMUTE] = "permuter",
                                        [TSP_ROLE_SHIFT] = "shifter",
                                        [TSP_ROLE_SELECT] = "selector",
                                        [TSP_ROLE_ROTATE] = "rotator"};
    const char *side = info->hemisphere == TSP_WEST ? "west" : "east";
    switch (info->unit) {
    case TSP_UNIT_MEM:
        snprintf(text, VIZ_WORDS, "MEM slice %d, %s", info->index, side);
        break;
    case TSP_UNIT_VXM:
        snprintf(text, VIZ_WORDS, "VXM ALU %d", info->index);
        break;
    case TSP_UNIT_MXM:
        snprintf(text, VIZ_WORDS, "MXM plane %d, %s: %s", info->index, side, roles[info->role]);
        break;
    case TSP_UNIT_SXM:
        snprintf(text, VIZ_WORDS, "SXM %s %d, %s", roles[info->role], info->index, side);
        break;
    default:
        snprintf(text, VIZ_WORDS, "C2C link %d", info->index);
        break;
    }
    return text;
}

/* What it does now; where it idles, how long it has yet to. */
static void put_now(VizLines *l, int32_t queue) {
    const VizRun *run = viz_lines_run(l);
    const VizTimeline *line = &run->timeline;
    const int64_t now = l->frame->view->cycle;
    VizIssue issue, next, before;
    char text[VIZ_WORDS], when[VIZ_WORDS];
    const bool issues = viz_issue_at(line, queue, now, &issue);
    const bool more = viz_issue_next(line, queue, now, &next);
    const bool began = viz_issue_previous(line, queue, now, &before);
    if (issues)
        viz_line_link(l, (VizThing){VIZ_BURST, issue.burst - line->bursts}, "now", "%s",
                      viz_issue_text(text, run, &issue))
            ->face = VIZ_MONO;
    else if (!more)
        viz_line_pair(l, "now", began ? "done" : "never issues")->role = VIZ_TEXT_DIM;
    else if (began && before.burst == next.burst)
        viz_line_pair(l, "now", "between repetitions")->role = VIZ_TEXT_DIM;
    else
        viz_line_pair(l, "now", "idle")->role = VIZ_TEXT_DIM;
    if (more) {
        viz_line_pair(l, "next issue", "%s", viz_inspect_when(when, l, next.cycle));
        viz_line_link(l, (VizThing){VIZ_BURST, next.burst - line->bursts}, "next", "%s",
                      viz_issue_text(text, run, &next))
            ->face = VIZ_MONO;
        if (!issues && !(began && before.burst == next.burst)) {
            const int64_t from = began ? before.cycle + 1 : 0;
            viz_line_pair(l, "NOPs left", "%" PRId64 " of %" PRId64, next.cycle - now,
                          next.cycle - from);
        }
    }
    if (began) {
        viz_line_link(l, (VizThing){VIZ_BURST, before.burst - line->bursts}, "last", "%s",
                      viz_issue_text(text, run, &before))
            ->face = VIZ_MONO;
        viz_line_pair(l, "last issue", "%s", viz_inspect_when(when, l, before.cycle));
    }
}

void viz_inspect_queue(VizLines *l, int32_t queue) {
    const VizRun *run = viz_lines_run(l);
    const VizTimeline *line = &run->timeline;
    const TspQueueInfo info = tsp_queue_info(run->m, queue);
    int64_t done = 0, all = 0;
    char text[VIZ_WORDS], other[VIZ_WORDS];
    for (int32_t i = line->first[queue]; i < line->first[queue + 1]; i++) {
        done += viz_burst_issues_before(&line->bursts[i], l->frame->view->cycle + 1);
        all += viz_burst_issues(&line->bursts[i]);
    }
    viz_line_title(l, "queue", "%s", viz_queue_text(text, run->m, queue));
    put_now(l, queue);
    viz_line_gap(l);
    viz_line_pair(l, "unit", "%s", unit_text(text, &info));
    viz_line_pair(l, "column", "%d of %d", info.column, tsp_columns(run->m));
    viz_line_pair(l, "issued", "%s of %s", viz_count_text(text, done), viz_count_text(other, all));
    viz_line_pair(l, "words", "%s", viz_count_text(text, run->program->queues[queue].count));
}

/* -- the program -- */

static void put_share(VizLines *l, const char *key, double share) {
    char number[32];
    snprintf(number, sizeof number, "%.1f", 100 * share);
    viz_line_number(l, key, number, "%%");
}

/* Of the cycles up to here. */
static void put_utilisation(VizLines *l) {
    const VizRun *run = viz_lines_run(l);
    TspSimStats stats;
    TspUtilisation u;
    if (!run->sim || run->cycle <= 0) return;
    stats = tsp_sim_stats(run->sim);
    u = tsp_utilisation(run->program, &stats, run->cycle);
    viz_line_gap(l);
    viz_line_pair(l, "busy so far", "%s", "")->role = VIZ_TEXT_DIM;
    put_share(l, "MXM", u.mxm);
    put_share(l, "VXM", u.vxm);
    put_share(l, "SXM", u.sxm);
    put_share(l, "MEM", u.mem);
    put_share(l, "streams", u.streams);
}

static void put_cycles(VizLines *l) {
    const VizRun *run = viz_lines_run(l);
    const TspProgram *p = run->program;
    const int64_t cycles = run->timeline.cycles;
    char number[32];
    snprintf(number, sizeof number, "%" PRId64, p->predicted_cycles);
    if (p->predicted_cycles >= 0) viz_line_number(l, "predicted", number, "cycles");
    snprintf(number, sizeof number, "%" PRId64, cycles);
    if (run->failed) {
        viz_line_number(l, "stopped after", number, "cycles");
    } else {
        viz_line_number(l, "simulated", number, "cycles");
        if (p->predicted_cycles == cycles)
            viz_line_number(l, "difference", "0", "cycles")->role = VIZ_GOOD;
        else if (p->predicted_cycles >= 0) {
            snprintf(number, sizeof number, "%" PRId64, cycles - p->predicted_cycles);
            viz_line_number(l, "difference", number, "cycles")->role = VIZ_ERROR;
        }
    }
    snprintf(number, sizeof number, "%.3f", tsp_microseconds(run->m, cycles));
    viz_line_number(l, "time", number, "\xc2\xb5s");
    if (p->bound_cycles > 0) {
        snprintf(number, sizeof number, "%" PRId64, p->bound_cycles);
        viz_line_number(l, "bound", number, "cycles (%s)", p->bound_by ? p->bound_by : "unknown");
        snprintf(number, sizeof number, "%.2f", (double)cycles / (double)p->bound_cycles);
        viz_line_number(l, "of the bound", number, "times");
    }
}

static void inspect_program(VizLines *l) {
    const VizRun *run = viz_lines_run(l);
    const TspProgram *p = run->program;
    char text[VIZ_WORDS];
    viz_line_title(l, "program", "%s", p->name && p->name[0] ? p->name : "program");
    if (run->failed) viz_line_prose(l, "", "%s", run->failure.text)->role = VIZ_ERROR;
    put_cycles(l);
    viz_line_gap(l);
    viz_line_number(l, "instructions", viz_count_text(text, run->timeline.issues), "%s", "");
    viz_line_number(l, "ops", viz_count_text(text, p->op_count), "%s", "");
    viz_line_number(l, "tensors", viz_count_text(text, p->tensor_count), "%s", "");
    put_utilisation(l);
    viz_line_gap(l);
    viz_line_pair(l, "machine", "%s at %" PRId64 " MHz", run->m->name, run->m->clock_hz / 1000000);
    if (p->source && p->source[0]) viz_line_pair(l, "source", "%s", p->source);
}

/* -- the panel -- */

static bool inspect(VizLines *l, VizThing thing) {
    const VizRun *run = viz_lines_run(l);
    const int64_t rows = tsp_mem_slice_rows(run->m);
    const int64_t counts[] = {[VIZ_QUEUE] = tsp_queue_count(run->m),
                              [VIZ_BURST] = run->timeline.burst_count,
                              [VIZ_OP] = run->program->op_count,
                              [VIZ_TENSOR] = run->program->tensor_count,
                              [VIZ_REGISTER] = TSP_MAX_STREAMS * TSP_MAX_COLUMNS,
                              [VIZ_ROW] = 2 * run->m->mem_slices * rows};
    if (thing.kind < VIZ_QUEUE || thing.kind > VIZ_ROW || thing.id < 0 ||
        thing.id >= counts[thing.kind])
        return false;
    if (thing.kind == VIZ_QUEUE) viz_inspect_queue(l, (int32_t)thing.id);
    if (thing.kind == VIZ_BURST) viz_inspect_burst(l, (int32_t)thing.id);
    if (thing.kind == VIZ_OP) viz_inspect_op(l, (int32_t)thing.id);
    if (thing.kind == VIZ_TENSOR) viz_inspect_tensor(l, (int32_t)thing.id);
    if (thing.kind == VIZ_ROW)
        viz_inspect_row(l, (int32_t)(thing.id / rows), (int32_t)(thing.id % rows));
    if (thing.kind == VIZ_REGISTER)
        viz_inspect_register(l, (int32_t)(thing.id / TSP_MAX_COLUMNS),
                             (int32_t)(thing.id % TSP_MAX_COLUMNS));
    return true;
}

void viz_inspector_draw(const VizFrame *frame) {
    VizLines lines;
    viz_lines_begin(&lines, frame);
    if (!inspect(&lines, frame->view->selected) && !inspect(&lines, frame->view->hovered))
        inspect_program(&lines);
    viz_lines_draw(&lines);
}
